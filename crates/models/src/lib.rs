#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attention;
mod batch_norm;
mod config;
mod dense;
mod device;
mod error;
mod head;
mod instruction_set;
mod linear;
mod lstm;
mod lstm_kernel;
mod lstm_operation;
mod lstm_sequence;
mod network;
mod onnx;
mod plain;
mod pytorch;
mod random;
mod series;
mod trees;
mod weights;
mod windows;

pub use batch_norm::BatchStatistics;
pub use config::{Head, LinearConfig, LstmConfig, NetworkConfig, ReadOut};
pub use device::ComputeDevice;
pub use error::ModelError;
pub use instruction_set::InstructionSet;
pub use linear::LinearForecaster;
pub use lstm::LstmForecaster;
pub use network::{Network, NetworkModule, Prediction, TrainingPass};
pub use onnx::{ColumnScaling, Scaling};
pub use pytorch::pytorch_weights;
pub use random::DropoutSource;
pub use series::{
    AverageModel, Calibrated, EtsModel, ExponentialSmoothing, ForecastInterval, LEVEL_DAYS,
    MemberShare, MovingAverage, RidgeModel, SeriesForecaster, SeriesMethod, SeriesModel,
    SeriesPart, SeriesParts, ThetaModel, TreeGame, TreesOnLags,
};
pub use trees::{
    BoostedTrees, Monotone, Table, TreeExplainer, TreeExplanation, TreeGrowth, TreeLoss,
    TreeOptions, TreeRows,
};
pub use windows::Windows;
