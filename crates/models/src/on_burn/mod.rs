//! The same networks as modules of burn, for its devices and for whoever builds on burn.
//!
//! Weights lie in a module in the order of [`crate::layout::Layout`], field by field: conversions go
//! over both at once.

mod attention;
mod batch_norm;
mod dense;
mod dropout;
mod head;
mod linear;
mod lstm;
mod lstm_operation;
mod lstm_sequence;
mod network;
mod pass;

pub use batch_norm::BatchStatistics;
pub use dropout::DropoutSource;
pub use linear::LinearForecaster;
pub use lstm::LstmForecaster;
pub use network::{BurnNetwork, NetworkModule, TrainingPass};
pub(crate) use pass::BurnPass;
