//! Tests of the artifact through its public functions.
#![allow(clippy::unwrap_used, missing_docs)]

mod builder;
mod contents;
mod damage;
mod files;
mod fixed;
mod golden;
mod hostile;
mod properties;
