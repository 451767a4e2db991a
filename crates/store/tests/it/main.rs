//! The store from outside: what every store must do, and what is SQLite's own.

#![allow(clippy::unwrap_used)]

mod conformance;
mod experiments;
mod forecasts;
mod properties;
mod samples;
mod sqlite;
