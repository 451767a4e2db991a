//! The command as a shell sees it.
#![allow(clippy::unwrap_used, missing_docs)]

mod bad_input;
mod cohort;
mod correlations;
mod determinism;
mod experiments;
mod explain;
mod flow;
mod help;
mod imports;
#[cfg(unix)]
mod interrupts;
mod kills;
mod people;
mod support;
mod what_if;
