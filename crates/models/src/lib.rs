#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod config;
mod device;
mod error;
mod instruction_set;
mod layout;
mod learning;
mod lstm_kernel;
mod network;
#[cfg(feature = "burn")]
mod on_burn;
mod onnx;
mod plain;
mod products;
mod pytorch;
mod random;
mod series;
mod trees;
mod weights;
mod windows;

pub use config::{Head, LinearConfig, LstmConfig, NetworkConfig, ReadOut};
pub use device::ComputeDevice;
pub use error::ModelError;
pub use instruction_set::InstructionSet;
pub use learning::Learner;
pub use network::{Network, Prediction};
#[cfg(feature = "burn")]
pub use on_burn::{
    BatchStatistics, BurnNetwork, DropoutSource, LinearForecaster, LstmForecaster, NetworkModule,
    TrainingPass,
};
pub use onnx::{ColumnScaling, Scaling};
pub use pytorch::pytorch_weights;
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
