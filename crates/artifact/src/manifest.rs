//! The manifest: all information about a model except its weights, as JSON.
//!
//! Within one format version fields may be added; readers pass over what they do not know. A field
//! added later must therefore be optional on reading. What the contents must satisfy beyond their
//! types is checked on reading and before writing, see [`Manifest::validate`].
//!
//! Deliberately absent: the model's id, its version, when it was trained and how long that took.
//! The registry knows them. In here they would make two trainings of the same data by the same
//! seed differ.

use crate::calibration::Calibration;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vitalcast_domain::{ModelArchitecture, PredictionMetric, TrainingMetrics};

/// The settings, inputs, training data and errors of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Settings of that model, enough to build it before its weights are loaded. Null when there
    /// are none. Keys are sorted on writing.
    pub config: Value,
    /// Names of the engineered features, in the order the model reads them. The target's own
    /// history is one more channel behind them, and the only one of a model without features.
    pub feature_names: Vec<String>,
    /// Days of input for one forecast (`sequence_length` on the wire).
    pub lookback_days: usize,
    /// Days ahead that are forecast: 1 is tomorrow.
    pub horizon_days: usize,
    /// Days of history that training asked for (`lookback_days` on the wire).
    pub history_days: usize,
    /// First local day of the history used.
    pub first_day: NaiveDate,
    /// Last local day of the history used.
    pub last_day: NaiveDate,
    /// Windows in each part of those days.
    pub windows: WindowCounts,
    /// Errors of the model on days that were not used for training.
    pub calibration: Calibration,
    /// Losses and errors.
    pub metrics: ReportedMetrics,
    /// 1 − MAE / MAE of the best simple baseline, on test days; null without a baseline there, and when
    /// it made no error.
    pub skill: Option<f64>,
    /// Name of that baseline.
    pub baseline_name: Option<String>,
    /// Mean absolute error of the baseline on the same days, in the unit of the metric.
    pub baseline_mae: Option<f64>,
    /// Whether the model meets the reference thresholds (R² ≥ 0.5, MAPE ≤ 15 %).
    pub is_production_ready: bool,
    /// The missed thresholds, in words.
    pub quality_issues: Vec<String>,
    /// How it compared with what is served without training; absent where there is nothing of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// Of a network, what it adds to; absent for other models and for networks that say the value itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<Deviation>,
    /// The training request as it was made. Keys are sorted on writing.
    pub request: Value,
    /// Random seed.
    pub seed: u64,
    /// Threads used; another number may give other bytes.
    pub threads: usize,
    /// Release that trained the model.
    pub code_version: String,
}

/// A network says how far the next day is from a simple baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deviation {
    /// Name of the baseline.
    pub base: String,
    /// Share of what the network learned that held on the validation days, 0 to 1. With 0 it forecasts
    /// as its base does.
    pub share: f64,
}

/// Paired tests on the test days, against the model of many people that is served otherwise and the best
/// simple baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    /// Number of test days that both forecast.
    pub days: usize,
    /// Mean absolute error of the model on these, in the unit of the metric.
    pub mae: f64,
    /// Mean absolute error of the model of many people on the same days.
    pub rival_mae: f64,
    /// One-sided p value of the Diebold–Mariano test that the model errs less; null for too few days.
    pub p: Option<f64>,
    /// One-sided p value that the model errs less than the best simple baseline of the manifest; absent for
    /// too few days, for a model of many people, and in models of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_p: Option<f64>,
    /// Whether the model is served: it erred less than both, and the tests say that this is no chance. A
    /// model that forecasts as the baseline does need not beat it.
    pub served: bool,
}

/// Windows in each part of the chronological split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WindowCounts {
    /// The weights were fitted on these.
    pub train: usize,
    /// Training stopped by these.
    pub validation: usize,
    /// Intervals come from these alone; 0 when they come from the validation and test windows.
    pub calibration: usize,
    /// Every reported error comes from these.
    pub test: usize,
}

impl WindowCounts {
    /// All windows together.
    pub fn total(&self) -> usize {
        [self.train, self.validation, self.calibration, self.test]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
}

/// [`TrainingMetrics`] without the wall time, which differs between two runs of the same training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportedMetrics {
    /// Mean squared error on training windows after the last epoch, standardised. Null for a model
    /// that is not trained in epochs, like the next two.
    pub train_loss: Option<f64>,
    /// Mean squared error on validation windows, standardised.
    pub val_loss: Option<f64>,
    /// Lowest validation loss; the model has the weights of that epoch.
    pub best_val_loss: Option<f64>,
    /// Mean absolute error on test days, in the metric's unit.
    pub mae: f64,
    /// Root mean squared error on test days, in the metric's unit.
    pub rmse: f64,
    /// Coefficient of determination on test days; null when the test days never vary.
    pub r2_score: Option<f64>,
    /// Mean absolute percentage error on test days, per cent; null when it is not defined.
    pub mape: Option<f64>,
    /// Mean absolute scaled error on test days (1 is as good as naive); null when it is not
    /// defined.
    pub mase: Option<f64>,
    /// Number of epochs.
    pub epochs_trained: usize,
    /// Whether early stopping ended the training.
    pub early_stopped: bool,
}

impl ReportedMetrics {
    /// The contract's answer, with the wall time put back from where it is kept.
    pub fn with_time(&self, training_time_seconds: f64) -> TrainingMetrics {
        TrainingMetrics {
            train_loss: self.train_loss,
            val_loss: self.val_loss,
            best_val_loss: self.best_val_loss,
            mae: Some(self.mae),
            rmse: Some(self.rmse),
            r2_score: self.r2_score,
            mape: self.mape,
            mase: self.mase,
            epochs_trained: self.epochs_trained,
            early_stopped: self.early_stopped,
            training_time_seconds,
        }
    }
}
