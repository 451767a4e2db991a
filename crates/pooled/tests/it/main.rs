//! Pooled models from outside: leaks, determinism, edges, coverage.
#![allow(clippy::unwrap_used, missing_docs)]

mod corrected;
mod coverage;
mod edges;
mod leaks;
mod people;
mod repeatable;
mod rivals;
