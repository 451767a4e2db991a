//! Tests of the inference through its public functions.
#![allow(clippy::unwrap_used, missing_docs)]

mod known;
mod population;
mod state;
