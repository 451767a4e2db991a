//! Charts as a caller sees them.

#![allow(clippy::unwrap_used, missing_docs)]

mod data;
mod insight;
mod insight_data;
mod pictures;
mod properties;
mod report;
mod terminal;
