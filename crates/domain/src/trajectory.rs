//! Trajectories: how a metric is expected to go on for some weeks, with a change every day and without.

use crate::error::{FieldError, InvalidRequest};
use crate::id::UserId;
use crate::metric::PredictionMetric;
use crate::request::DEFAULT_SEED;
use crate::what_if::{MAX_CHANGES, finish};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The lengths of a trajectory, days.
pub const TRAJECTORY_DAYS: [usize; 3] = [7, 14, 30];
/// Simulated paths of a trajectory, unless another number is asked for.
pub const TRAJECTORY_PATHS: usize = 100;
/// Most simulated paths.
pub const MAX_TRAJECTORY_PATHS: usize = 1_000;

/// A feature is another by the same amount on every day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrajectoryChange {
    /// Name of a feature with its category, or of a metric type.
    pub feature_name: String,
    /// How much more of it, in its unit; negative for less.
    pub delta: f64,
    /// The change in the client's words.
    #[serde(default)]
    pub change_description: String,
}

/// Simulate the days to come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrajectoryRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// Up to ten changes, made on every day.
    pub nutrition_changes: Vec<TrajectoryChange>,
    /// Number of days: 7, 14 or 30.
    pub duration_days: usize,
    /// The metrics, without duplicates.
    pub metrics_to_predict: Vec<PredictionMetric>,
    /// The first day; today when not given.
    pub start_date: Option<NaiveDate>,
    /// Whether the same days are also simulated without the changes.
    pub include_no_change_baseline: bool,
    /// Number of simulated paths (addition to the contract).
    pub paths: usize,
    /// Random seed (addition to the contract).
    pub seed: u64,
}

impl TrajectoryRequest {
    /// A request with the contract's defaults.
    pub fn new(
        user_id: UserId,
        metrics_to_predict: Vec<PredictionMetric>,
        nutrition_changes: Vec<TrajectoryChange>,
    ) -> Self {
        Self {
            user_id,
            nutrition_changes,
            duration_days: 7,
            metrics_to_predict,
            start_date: None,
            include_no_change_baseline: true,
            paths: TRAJECTORY_PATHS,
            seed: DEFAULT_SEED,
        }
    }

    /// Checks the bounds, and that no metric and no feature is named twice.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all faults.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, message: String| {
            faults.push(FieldError { field, message });
        };
        if !TRAJECTORY_DAYS.contains(&self.duration_days) {
            fault(
                "duration_days",
                format!("must be 7, 14 or 30, but is {}", self.duration_days),
            );
        }
        let mut metrics = self.metrics_to_predict.clone();
        metrics.sort_unstable();
        metrics.dedup();
        if metrics.is_empty() {
            fault(
                "metrics_to_predict",
                "must name at least one metric".to_owned(),
            );
        } else if metrics.len() < self.metrics_to_predict.len() {
            fault(
                "metrics_to_predict",
                "must not name a metric twice".to_owned(),
            );
        }
        let count = self.nutrition_changes.len();
        if count > MAX_CHANGES {
            let message = format!("must be at most {MAX_CHANGES}, but are {count}");
            fault("nutrition_changes", message);
        }
        let changes = &self.nutrition_changes;
        if !changes.iter().all(|change| change.delta.is_finite()) {
            fault("nutrition_changes", "must hold finite numbers".to_owned());
        }
        let mut names: Vec<&str> = changes.iter().map(|of| of.feature_name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() < count {
            fault(
                "nutrition_changes",
                "must not name a feature twice".to_owned(),
            );
        }
        if !(1..=MAX_TRAJECTORY_PATHS).contains(&self.paths) {
            let message = format!(
                "must be between 1 and {MAX_TRAJECTORY_PATHS}, but is {}",
                self.paths
            );
            fault("paths", message);
        }
        finish(faults)
    }
}

/// A day of a trajectory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrajectoryPoint {
    /// Days after the first.
    pub day: usize,
    /// The day.
    pub timestamp: NaiveDate,
    /// The expected value, in the metric's unit.
    pub predicted_value: f64,
    /// Lower end of the interval.
    pub confidence_lower: f64,
    /// Upper end of the interval.
    pub confidence_upper: f64,
}

/// How one metric is expected to go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MetricTrajectory {
    /// The metric.
    pub metric: PredictionMetric,
    /// The value of the first day: its reading, else what is expected of it.
    pub baseline_value: f64,
    /// The expected value of the last day.
    pub projected_final_value: f64,
    /// The expected value of the last day minus that of the first.
    pub change_from_baseline: f64,
    /// The same in per cent; null where the first is 0.
    pub percent_change: Option<f64>,
    /// The days, the first one included.
    pub trajectory: Vec<TrajectoryPoint>,
    /// Lowest expected value.
    pub min_value: f64,
    /// Highest expected value.
    pub max_value: f64,
    /// Mean of the expected values.
    pub average_value: f64,
    /// Lag at which a changed feature correlated most with the metric, hours; null without a significant one.
    pub optimal_lag_hours: Option<u32>,
    /// That in words.
    pub lag_description: Option<String>,
    /// Difference to the same days without the changes on the last day; null without those or without
    /// changes.
    pub effect: Option<f64>,
    /// Mean of the person's last 90 days; null without any.
    pub own_mean: Option<f64>,
    /// Whether the interval of the last day is as wide as the person's own days spread: then the forecast says
    /// no more than the mean does.
    pub is_no_better_than_mean: bool,
    /// Probability that the last day is within a noticeable margin of what is expected.
    pub confidence: f64,
    /// Id of the model.
    pub model_id: String,
}

/// A metric that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SkippedMetric {
    /// The metric.
    pub metric: PredictionMetric,
    /// The reason.
    pub reason: String,
    /// A stable code of it.
    pub code: String,
}

/// Trajectories of several metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrajectoryResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The first day.
    pub start_date: NaiveDate,
    /// The last day.
    pub end_date: NaiveDate,
    /// Number of days after the first.
    pub duration_days: usize,
    /// The changes as they were made, each within its limit.
    pub nutrition_changes: Vec<TrajectoryChange>,
    /// The trajectories with the changes.
    pub trajectories: Vec<MetricTrajectory>,
    /// The same without the changes; null when not asked for.
    pub baseline_trajectories: Option<Vec<MetricTrajectory>>,
    /// Mean confidence over the metrics; null without any.
    pub model_confidence: Option<f64>,
    /// What to know about the data and the changes; null for nothing.
    pub data_quality_warning: Option<String>,
    /// The result in words.
    pub summary: String,
    /// What follows from it, if anything does.
    pub recommendation: String,
    /// Metrics that were left out.
    pub skipped_metrics: Vec<SkippedMetric>,
    /// Nominal coverage of the intervals.
    pub interval_level: f64,
    /// Number of simulated paths.
    pub paths: usize,
    /// Random seed.
    pub seed: u64,
    /// That nothing here is a cause.
    pub association: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_fourteen_or_thirty_days_of_metrics_named_once() {
        let metric = PredictionMetric::RestingHeartRate;
        let of = |days, metrics: Vec<PredictionMetric>| TrajectoryRequest {
            duration_days: days,
            ..TrajectoryRequest::new(UserId::new("p").unwrap(), metrics, Vec::new())
        };
        assert!(of(7, vec![metric]).validate().is_ok());
        for bad in [
            of(10, vec![metric]),
            of(7, vec![]),
            of(7, vec![metric, metric]),
        ] {
            assert!(bad.validate().is_err());
        }
    }
}
