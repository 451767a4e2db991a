//! The service from outside: a real listener, real requests.

#![allow(clippy::unwrap_used)]
// Tables that `--nocapture` shows.
#![allow(clippy::print_stdout)]

mod access;
mod cache;
mod client;
mod command;
mod compatibility;
mod contract;
mod erase;
mod experiments;
mod explanations;
mod faults;
mod jobs;
mod kills;
mod logs;
#[cfg(target_os = "linux")]
mod operations;
mod pooled;
mod records;
mod redis;
mod support;
mod tls;
mod tokens;
mod tuning;
mod uploads;
mod what_if;
