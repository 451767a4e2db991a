//! Responses with the field names of the contract. Values that cannot be computed are null.

use crate::architecture::ModelArchitecture;
use crate::id::{ModelId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! {
    /// Method for the two ends of an interval.
    IntervalMethod, "interval method" {
        /// Quantiles of the errors of the model on days that were not used for training.
        ResidualQuantiles = "residual_quantiles",
        /// The reference service's ±1.96 × mean absolute error, about 88 % for Gaussian errors.
        ReferenceMae = "reference_mae",
    }
}

word_enum! {
    /// How a value lies to a person's normal range.
    RangeVerdict, "verdict" {
        /// Within the range.
        Inside = "inside",
        /// Above it.
        Above = "above",
        /// Below it.
        Below = "below",
    }
}

/// Losses (standardised) and errors (in the unit of the metric) of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrainingMetrics {
    /// Mean squared error on training windows after the last epoch, standardised.
    pub train_loss: Option<f64>,
    /// Mean squared error on validation windows, standardised.
    pub val_loss: Option<f64>,
    /// Lowest validation loss; the model has the weights of that epoch.
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
    /// Number of epochs.
    pub epochs_trained: usize,
    /// Whether early stopping ended the training.
    pub early_stopped: bool,
    /// Wall time, seconds.
    pub training_time_seconds: f64,
}

/// Response to a training request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrainModelResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Id of the model.
    pub model_id: ModelId,
    /// Version of the model, `v1.0.N`.
    pub model_version: String,
    /// Time of the training.
    pub trained_at: DateTime<Utc>,
    /// Losses and errors of the training.
    pub training_metrics: TrainingMetrics,
    /// Number of windows for training, validation and test together.
    pub total_samples: usize,
    /// Days of input for one forecast.
    pub sequence_length: usize,
    /// Number of engineered features per day.
    pub num_features: usize,
    /// File name of the artifact, without its folder.
    pub model_path: String,
    /// Size of the artifact, MB.
    pub model_size_mb: f64,
    /// Whether the model meets the reference thresholds R² ≥ 0.5 and MAPE ≤ 15 %.
    pub is_production_ready: bool,
    /// The thresholds that the model does not meet, in words.
    pub quality_issues: Vec<String>,
    /// 1 − MAE / MAE of the best simple baseline, on test days (addition to the contract); null when
    /// the baseline made no error.
    pub skill_vs_naive: Option<f64>,
    /// Name of that baseline.
    pub baseline_name: Option<String>,
    /// Mean absolute error of the baseline on the same days.
    pub baseline_mae: Option<f64>,
    /// Whether forecasts use this model from now on. A model that is not significantly better than the
    /// one of many people is kept, and can be activated, but is not served.
    #[serde(default)]
    pub is_active: bool,
    /// Mean absolute error of the model of many people on the test days; null where there is none.
    #[serde(default)]
    pub population_mae: Option<f64>,
    /// Share of what a network learned that held on the validation days, 0 to 1: with 0 it forecasts as
    /// its baseline does. Null for other models.
    #[serde(default)]
    pub learned_share: Option<f64>,
    /// First day of the history used.
    pub first_day: NaiveDate,
    /// Last day of the history used.
    pub last_day: NaiveDate,
    /// Random seed.
    pub seed: u64,
}

/// Fit a model of many people to the days of the people of a data folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainPooledRequest {
    /// The metric to forecast.
    pub metric: PredictionMetric,
    /// Whose days are used; everybody's when there are none. Who refused is left out in any case.
    #[serde(default)]
    pub users: Vec<UserId>,
    /// Whether the days of people who were not asked are used, too; see
    /// [`Profile::allows_pooling`](crate::Profile::allows_pooling).
    #[serde(default)]
    pub include_unasked: bool,
}

/// A fitted model of many people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrainPooledResponse {
    /// Id of the model.
    pub model_id: ModelId,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Version of the model, `v1.0.N`.
    pub model_version: String,
    /// Time of the fit.
    pub trained_at: DateTime<Utc>,
    /// Number of people whose days were used.
    pub people: usize,
    /// Number of their days with a reading.
    pub days: usize,
    /// Number of people left out because they refused, or were not asked.
    pub people_without_consent: usize,
    /// Number of people left out because they have no reading of the metric.
    pub people_without_readings: usize,
    /// Mean absolute error on people that a fit had not seen.
    pub mae: f64,
    /// Name of the best simple baseline.
    pub baseline_name: Option<String>,
    /// Mean absolute error of that baseline on the same days.
    pub baseline_mae: Option<f64>,
    /// 1 − MAE / MAE of the baseline.
    pub skill_vs_naive: Option<f64>,
    /// Mean absolute error, on the same days, of the model that is served otherwise; null where there is
    /// none.
    pub rival_mae: Option<f64>,
    /// p value that the new model is no better than that one, with people as the sample; null for fewer
    /// than six people.
    pub p: Option<f64>,
    /// Whether forecasts of people without a better model of their own use it from now on.
    pub is_active: bool,
}

/// One forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PredictionResult {
    /// The metric.
    pub metric: PredictionMetric,
    /// Local day that is forecast.
    pub target_date: NaiveDate,
    /// Time when the forecast was computed.
    pub predicted_at: DateTime<Utc>,
    /// The forecast, in the metric's unit.
    pub predicted_value: f64,
    /// Lower end of the interval.
    pub confidence_interval_lower: f64,
    /// Upper end of the interval.
    pub confidence_interval_upper: f64,
    /// Confidence from 0 to 1: the probability that the value is within a margin of the forecast (3 bpm,
    /// 10 ms, 1 hour, 10 points). It falls as the expected error grows.
    pub confidence_score: f64,
    /// Mean of the daily values of the 30 days before, without unusual ones; null if there are none.
    pub historical_average: Option<f64>,
    /// Forecast minus that mean.
    pub deviation_from_average: Option<f64>,
    /// Share of those daily values at or below the forecast, 0 to 100.
    pub percentile: Option<f64>,
    /// Id of the model.
    pub model_id: ModelId,
    /// Version of the model.
    pub model_version: String,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Nominal coverage of the interval: the requested one, or a lower one if the residuals of the
    /// model support no more (this and the following fields: additions to the contract).
    pub interval_level: f64,
    /// Method for the interval.
    pub interval_method: IntervalMethod,
    /// 1 − MAE / MAE of the best simple baseline, on the model's test days; null when the baseline made
    /// no error.
    pub skill_vs_naive: Option<f64>,
    /// Name of that baseline.
    pub baseline_name: Option<String>,
    /// Forecast of that baseline for the same day.
    pub baseline_value: Option<f64>,
    /// Cut-off time of the data: only data known at this time were used.
    pub as_of: DateTime<Utc>,
    /// Last day with a reading of the metric.
    pub last_observed_day: Option<NaiveDate>,
    /// Days read by the model whose reading is far outside the person's own range. The reading stays in
    /// the data, but the forecast, its baseline and the average leave it out.
    #[serde(default)]
    pub unusual_days: Vec<NaiveDate>,
    /// The person's normal range, and how the forecast lies to it; null with fewer than 14 readings in
    /// the last 28 days.
    #[serde(default)]
    pub normal_range: Option<NormalBand>,
    /// Which forecast is served, and why; null where a model of the person's own is served.
    #[serde(default)]
    pub choice: Option<ForecastChoice>,
}

/// Which forecast is served: that of a model of many people, or a simple one that erred less on the
/// person's own last readings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ForecastChoice {
    /// `pooled` for the model, otherwise the name of the simple forecast: `naive`, `seasonal_naive`,
    /// `moving_average`, `mean_30` or `exponential_smoothing`.
    pub served: String,
    /// Why, in a sentence.
    pub reason: String,
    /// Number of the person's last readings on which both were compared, at most 60.
    pub days: usize,
    /// Mean absolute error of the model on these, one day ahead; null without a reading.
    pub model_mae: Option<f64>,
    /// The simple forecast that erred least on these; null while there are too few readings to say.
    pub baseline: Option<String>,
    /// Its mean absolute error on the same readings.
    pub baseline_mae: Option<f64>,
    /// p value that the simple forecast errs no less than the model (Diebold–Mariano test), times the number
    /// of simple forecasts, because the best of them was found on the same readings; null for fewer than 20
    /// readings.
    pub p: Option<f64>,
}

/// The range, from the values of the last 28 days, in which almost all of a person's ordinary days lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NormalBand {
    /// Lower end, in the metric's unit; not below what the metric can be.
    pub low: f64,
    /// Upper end; not above what the metric can be.
    pub high: f64,
    /// Probability that the day that is forecast lies outside.
    pub probability_outside: f64,
    /// How often, nominally, an ordinary day lies outside, so that it is a false alarm: less than once in 91 days.
    #[serde(default)]
    pub false_alarm_rate: f64,
    /// Where the last reading lies to the range of the days before it; null without a range then.
    pub last_reading: Option<RangeVerdict>,
}

/// Response to a forecast request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PredictResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The forecast.
    pub prediction: PredictionResult,
    /// Number of engineered features per day.
    pub features_used: usize,
    /// Days of input.
    pub sequence_length: usize,
    /// Share of the model's inputs that were observed, 0 to 1.
    pub data_quality_score: f64,
    /// The forecast in one or two sentences.
    pub interpretation: String,
    /// A recommendation, if there is one.
    pub recommendation: Option<String>,
    /// Whether the response came from a cache.
    pub cached: bool,
}

/// Response to a batch request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BatchPredictResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// Local day that is forecast.
    pub target_date: NaiveDate,
    /// Time when the forecasts were computed.
    pub predicted_at: DateTime<Utc>,
    /// The forecasts that succeeded.
    pub predictions: BTreeMap<PredictionMetric, PredictionResult>,
    /// Mean data quality of the forecasts; 0 if there are none.
    pub overall_data_quality: f64,
    /// Whether all forecasts succeeded.
    pub all_predictions_successful: bool,
    /// The metrics whose forecasts failed.
    pub failed_metrics: Vec<PredictionMetric>,
    /// Reason for each failed metric (addition to the contract).
    pub failure_reasons: BTreeMap<PredictionMetric, String>,
}

/// One trained model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ModelInfo {
    /// Id of the model.
    pub model_id: ModelId,
    /// Id of the person; null for a model of many people.
    pub user_id: Option<UserId>,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Version of the model, `v1.0.N`.
    pub version: String,
    /// Time of the training.
    pub trained_at: DateTime<Utc>,
    /// Losses and errors of the training.
    pub training_metrics: TrainingMetrics,
    /// Days of input for one forecast.
    pub sequence_length: usize,
    /// Number of engineered features per day.
    pub num_features: usize,
    /// Size of the artifact, MB.
    pub model_size_mb: f64,
    /// Whether forecasts use this model by default.
    pub is_active: bool,
    /// Whether the model meets the reference thresholds.
    pub is_production_ready: bool,
    /// 1 − MAE / MAE of the best simple baseline, on test days.
    pub skill_vs_naive: Option<f64>,
}

/// Response to a request for a list of models.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ListModelsResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The models, newest first.
    pub models: Vec<ModelInfo>,
    /// Number of models.
    pub total_models: usize,
    /// Registered models that this release cannot read (addition to the contract).
    #[serde(default)]
    pub unreadable_models: Vec<UnreadableModelInfo>,
}

/// A registered model that this release cannot read: it is damaged, or of a newer release. Forecasts go on
/// without it, and it can be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadableModelInfo {
    /// Id of the model.
    pub model_id: ModelId,
    /// Id of the person; null for a model of many people.
    pub user_id: Option<UserId>,
    /// The metric that the model forecasts; null if this release does not know it.
    pub metric: Option<PredictionMetric>,
    /// Model architecture; null if this release does not know it.
    pub architecture: Option<ModelArchitecture>,
    /// Version of the model, `v1.0.N`.
    pub version: String,
    /// Whether it is registered as the active one.
    pub is_active: bool,
    /// What cannot be read.
    pub reason: String,
}
