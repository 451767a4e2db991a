//! Benches of Vitalcast: `benches/` holds the criterion benches, `peers/` the same work for others.
//!
//! What both a criterion bench and a comparison with peers measure stands here.

pub mod correlations;
pub mod explanations;
pub mod exports;
pub mod rows;
