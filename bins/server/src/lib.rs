#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod access;
mod app;
mod config;
mod connection;
mod document;
mod error;
mod extract;
mod gate;
mod guard;
mod healthcheck;
mod listener;
mod log;
mod middleware;
mod pages;
mod rate;
mod redis_cache;
mod router;
mod routes;
mod shape;
mod threads;
mod tls;
mod tokens;

pub use app::Telemetry;
pub use config::{Auth, Cache, Config, Jobs, JwtConfig, Limits, Log, Overrides, Tls};
pub use healthcheck::healthcheck;
pub use listener::{Running, Server, ServerHandle};
pub use log::LogWriter;
pub use router::documents;
