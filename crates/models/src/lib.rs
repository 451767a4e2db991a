#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod baseline;
mod batch_norm;
mod config;
mod error;
mod linear;
mod lstm;
mod lstm_kernel;
mod lstm_operation;
mod lstm_sequence;
mod network;
mod random;
mod weights;
mod windows;

pub use baseline::{Baseline, BaselineKind};
pub use batch_norm::BatchStatistics;
pub use config::{LinearConfig, LstmConfig, NetworkConfig};
pub use error::ModelError;
pub use linear::LinearForecaster;
pub use lstm::LstmForecaster;
pub use network::{Network, NetworkModule, TrainingPass};
pub use random::DropoutSource;
pub use windows::Windows;
