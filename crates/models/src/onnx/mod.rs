//! Models as ONNX files, for other languages and runtimes.
//!
//! Scaling is part of the graph: what goes in is in the units of the data, NaN where a value is
//! missing, and what comes out is in the unit of the forecast.

mod baseline;
mod graph;
mod message;
mod network;
mod trees;

pub(crate) use baseline::BaseInGraph;
pub use network::{ColumnScaling, Scaling};
