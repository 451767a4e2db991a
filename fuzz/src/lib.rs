//! Fuzzing of the readers of exports, guided by coverage.
//!
//! A [`Case`] is the files of one import as one sequence of bytes, which libFuzzer changes. A [`Target`] reads
//! them: one reader that is told to read them whatever they look like, the recognition of files, or the
//! unpacking of archives. What libFuzzer keeps, [`corpus`] holds in a file for each target; the tests of this
//! package read all of it again, without libFuzzer.
//!
//! ```sh
//! cargo xtask fuzz --readers fitbit --seconds 600   # a search; needs a C++ compiler
//! cargo xtask fuzz --keep                           # and `corpus/` made anew of what reaches most
//! cargo run -p vitalcast-fuzz --bin fuzz_cases -- replay fitbit FILE
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod case;
pub mod corpus;
mod database;
mod target;

pub use case::Case;
pub use target::{Bench, Target};
