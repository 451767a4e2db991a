//! The statistics from outside: reference values, and whether findings mean what they say.

#![allow(clippy::unwrap_used)]
// Shares of false alarms that `--nocapture` shows.
#![allow(clippy::print_stdout)]

mod experiments;
mod golden;
mod scenario;
mod validity;
