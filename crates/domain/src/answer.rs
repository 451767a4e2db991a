//! Answers with the contract's field names. What could not be computed is null, never invented.

use crate::id::{ModelId, UserId};
use crate::metric::{ModelArchitecture, PredictionMetric, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! {
    /// How the two ends of an interval are found.
    IntervalMethod, "interval method" {
        /// Quantiles of the errors the model made on days it was not fitted on.
        ResidualQuantiles = "residual_quantiles",
        /// The reference service's ±1.96 × mean absolute error, about 88 % for Gaussian errors.
        ReferenceMae = "reference_mae",
    }
}

/// How a training went, in standardised (losses) and real units (errors).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrainingMetrics {
    /// Mean squared error on training windows after the last epoch, standardised.
    pub train_loss: Option<f64>,
    /// The same on validation windows.
    pub val_loss: Option<f64>,
    /// Lowest validation loss; the weights of that epoch are the ones kept.
    pub best_val_loss: Option<f64>,
    /// Mean absolute error on test days, in the metric's unit.
    pub mae: Option<f64>,
    /// Root mean squared error on test days, in the metric's unit.
    pub rmse: Option<f64>,
    /// Coefficient of determination on test days; null when the test days never vary.
    pub r2_score: Option<f64>,
    /// Mean absolute percentage error on test days, per cent.
    pub mape: Option<f64>,
    /// Mean absolute scaled error on test days (1 is as good as naive).
    pub mase: Option<f64>,
    /// Epochs run.
    pub epochs_trained: usize,
    /// Whether patience ended it.
    pub early_stopped: bool,
    /// Wall time, seconds.
    pub training_time_seconds: f64,
}

/// Answer to a training request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrainModelResponse {
    /// Whose model.
    pub user_id: UserId,
    /// What it forecasts.
    pub metric: PredictionMetric,
    /// What it is.
    pub architecture: ModelArchitecture,
    /// Its id.
    pub model_id: ModelId,
    /// Its version, `v1.0.N`.
    pub model_version: String,
    /// When it was trained.
    pub trained_at: DateTime<Utc>,
    /// How it went.
    pub training_metrics: TrainingMetrics,
    /// Windows used for fitting, validation and test together.
    pub total_samples: usize,
    /// Days read before a forecast.
    pub sequence_length: usize,
    /// Engineered features read per day.
    pub num_features: usize,
    /// File name of the artifact, without its folder.
    pub model_path: String,
    /// Size of the artifact, MB.
    pub model_size_mb: f64,
    /// The reference thresholds R² ≥ 0.5 and MAPE ≤ 15 %, reported as a fact.
    pub is_production_ready: bool,
    /// Why not, in words.
    pub quality_issues: Vec<String>,
    /// 1 − MAE / MAE of the best simple baseline, on test days (addition to the contract); null when that
    /// made no error.
    pub skill_vs_naive: Option<f64>,
    /// Which baseline that was.
    pub baseline_name: Option<String>,
    /// Its mean absolute error on the same days.
    pub baseline_mae: Option<f64>,
    /// First and last day of the history used.
    pub first_day: NaiveDate,
    /// Last day of the history used.
    pub last_day: NaiveDate,
    /// Seed of everything random.
    pub seed: u64,
}

/// One forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PredictionResult {
    /// What is forecast.
    pub metric: PredictionMetric,
    /// For which local day.
    pub target_date: NaiveDate,
    /// When this was computed.
    pub predicted_at: DateTime<Utc>,
    /// The forecast, in the metric's unit.
    pub predicted_value: f64,
    /// Lower end of the interval.
    pub confidence_interval_lower: f64,
    /// Upper end of the interval.
    pub confidence_interval_upper: f64,
    /// 0 to 1: half the model's R², the rest whether the value lies in the recent range and how
    /// much of the input was observed.
    pub confidence_score: f64,
    /// Mean of the daily values of the 30 days before; null without any.
    pub historical_average: Option<f64>,
    /// Forecast minus that mean.
    pub deviation_from_average: Option<f64>,
    /// Share of those daily values at or below the forecast, 0 to 100.
    pub percentile: Option<f64>,
    /// By which model.
    pub model_id: ModelId,
    /// Its version.
    pub model_version: String,
    /// What it is.
    pub architecture: ModelArchitecture,
    /// Nominal coverage that the interval holds: the one asked for, or a lower one where the model's
    /// residuals support no more (this and the following: additions to the contract).
    pub interval_level: f64,
    /// How the interval was made.
    pub interval_method: IntervalMethod,
    /// 1 − MAE / MAE of the best simple baseline, on the model's test days; null when that made no error.
    pub skill_vs_naive: Option<f64>,
    /// Which baseline.
    pub baseline_name: Option<String>,
    /// What that baseline says for the same day.
    pub baseline_value: Option<f64>,
    /// The moment of knowledge: nothing known later was used.
    pub as_of: DateTime<Utc>,
    /// Last day with a reading of the metric.
    pub last_observed_day: Option<NaiveDate>,
}

/// Answer to a forecast request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PredictResponse {
    /// For whom.
    pub user_id: UserId,
    /// The forecast.
    pub prediction: PredictionResult,
    /// Engineered features read per day.
    pub features_used: usize,
    /// Days read.
    pub sequence_length: usize,
    /// Share of the model's inputs that were observed, 0 to 1.
    pub data_quality_score: f64,
    /// One or two sentences.
    pub interpretation: String,
    /// What one could do about it, when there is something.
    pub recommendation: Option<String>,
    /// Whether it came from a cache.
    pub cached: bool,
}

/// Answer to a batch request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BatchPredictResponse {
    /// For whom.
    pub user_id: UserId,
    /// For which local day.
    pub target_date: NaiveDate,
    /// When it was computed.
    pub predicted_at: DateTime<Utc>,
    /// The forecasts that succeeded.
    pub predictions: BTreeMap<PredictionMetric, PredictionResult>,
    /// Mean data quality of those; 0 when there is none.
    pub overall_data_quality: f64,
    /// Whether none failed.
    pub all_predictions_successful: bool,
    /// Those that failed.
    pub failed_metrics: Vec<PredictionMetric>,
    /// Why each failed (addition to the contract).
    pub failure_reasons: BTreeMap<PredictionMetric, String>,
}

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelInfo {
    /// Its id.
    pub model_id: ModelId,
    /// Whose.
    pub user_id: UserId,
    /// What it forecasts.
    pub metric: PredictionMetric,
    /// What it is.
    pub architecture: ModelArchitecture,
    /// Its version, `v1.0.N`.
    pub version: String,
    /// When it was trained.
    pub trained_at: DateTime<Utc>,
    /// How it went.
    pub training_metrics: TrainingMetrics,
    /// Days read before a forecast.
    pub sequence_length: usize,
    /// Engineered features read per day.
    pub num_features: usize,
    /// Size of the artifact, MB.
    pub model_size_mb: f64,
    /// Whether forecasts use it unless told otherwise.
    pub is_active: bool,
    /// The reference thresholds as a fact.
    pub is_production_ready: bool,
    /// 1 − MAE / MAE of the best simple baseline, on test days.
    pub skill_vs_naive: Option<f64>,
}

/// Answer to a list of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ListModelsResponse {
    /// Whose.
    pub user_id: UserId,
    /// Newest first.
    pub models: Vec<ModelInfo>,
    /// How many.
    pub total_models: usize,
}
