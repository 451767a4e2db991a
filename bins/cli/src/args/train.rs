//! The options of `train`.

use super::{architecture, metric, moment};
use chrono::{DateTime, Utc};
use clap::Args;
use vitalcast::{ComputeDevice, ModelArchitecture, PredictionMetric, UserId};

/// Settings of a training; bounds are those of the HTTP contract, and what is of no use to the model is
/// refused unless it is the default.
#[derive(Debug, Args)]
pub(crate) struct TrainingSettings {
    /// Model
    #[arg(long, value_name = "NAME", value_parser = architecture(), default_value = "lstm")]
    pub(crate) architecture: ModelArchitecture,
    /// Days of history to learn from, 30 to 365
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    pub(crate) lookback_days: usize,
    /// Days of input for one forecast, 7 to 60
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    pub(crate) sequence_length: usize,
    /// Maximum number of epochs, 10 to 200 (networks; for xgboost, two trees per epoch)
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) epochs: usize,
    /// Batch size in windows, 8 to 128 (networks)
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) batch_size: usize,
    /// Learning rate, 0.0001 to 0.1 (networks)
    #[arg(long, value_name = "RATE", default_value_t = 0.001)]
    pub(crate) learning_rate: f64,
    /// Share of windows for validation, 0.1 to 0.3; the test set has the same size
    #[arg(long, value_name = "SHARE", default_value_t = 0.2)]
    pub(crate) validation_split: f64,
    /// Hidden size, 32 to 512 (LSTM networks)
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub(crate) hidden_dim: usize,
    /// Number of stacked layers, 1 to 4 (LSTM networks)
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) num_layers: usize,
    /// Dropout rate, 0 to 0.5 (LSTM networks)
    #[arg(long, value_name = "P", default_value_t = 0.2)]
    pub(crate) dropout: f64,
    /// Use a bidirectional LSTM (LSTM networks)
    #[arg(long)]
    pub(crate) bidirectional: bool,
    /// Splits from the root of a tree to a leaf, 1 to 8 (xgboost)
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) tree_depth: usize,
    /// What each tree counts, 0.005 to 0.5 (xgboost)
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) tree_shrinkage: f64,
    /// Fewest days in a leaf, 1 to 100 (xgboost)
    #[arg(long, value_name = "DAYS", default_value_t = 5)]
    pub(crate) tree_leaf_rows: usize,
    /// Share of the days each tree is grown on, 0.3 to 1 (xgboost)
    #[arg(long, value_name = "SHARE", default_value_t = 1.0)]
    pub(crate) tree_row_share: f64,
    /// Random seed
    #[arg(long, value_name = "N", default_value_t = vitalcast::DEFAULT_SEED)]
    pub(crate) seed: u64,
}

/// See [`super::Command::Train`].
#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Person
    #[arg(
        long,
        alias = "user-id",
        value_name = "ID",
        required_unless_present = "pooled"
    )]
    pub(crate) user: Option<UserId>,
    /// Fit one model to the days of many people, for everybody without a better model of their own. People
    /// who refused are left out
    #[arg(long, conflicts_with_all = ["user", "force", "device", "TrainingSettings"])]
    pub(crate) pooled: bool,
    /// People whose days a pooled model learns from; separate several with commas [default: all]
    #[arg(long, value_name = "ID", value_delimiter = ',', requires = "pooled")]
    pub(crate) users: Vec<UserId>,
    /// Metric to forecast; separate several with commas
    #[arg(long, value_name = "METRIC", value_parser = metric, value_delimiter = ',', required = true)]
    pub(crate) metric: Vec<PredictionMetric>,
    /// Train only on data known at this time [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub(crate) as_of: Option<DateTime<Utc>>,
    /// Train even if the same model exists already
    #[arg(long)]
    pub(crate) force: bool,
    /// Device for training networks of one person: cpu; in builds with burn also flex or ndarray (CPU), wgpu
    /// (GPU). Other models are fitted on the CPU
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub(crate) device: ComputeDevice,
    #[command(flatten)]
    pub(crate) settings: TrainingSettings,
}
