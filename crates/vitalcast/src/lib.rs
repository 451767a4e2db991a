#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod engine;
mod error;
mod forecaster;

pub use engine::{
    BacktestAnswer, BacktestDay, BacktestRequest, BatchForecast, Engine, FeatureMatrix,
    FeatureQuery, ForecastRecord, HistoryDay, HistoryView, ImportSettings, ImportSummary,
};
pub use error::{EngineError, ErrorKind};
pub use forecaster::{Forecaster, backtest};

pub use vitalcast_artifact::Manifest;
/// Pictures: terminal, SVG, PNG and HTML.
pub use vitalcast_charts as charts;
pub use vitalcast_domain::*;
pub use vitalcast_features::{Feature, FeatureTable, catalogue, feature_table, model_inputs};
pub use vitalcast_import::{Format, KnownAt};
pub use vitalcast_inference::{baseline_words, skill_sentence, with_unit};
pub use vitalcast_models::ComputeDevice;
pub use vitalcast_store::{UserSummary, WriteReport};
pub use vitalcast_training::EpochReport;
