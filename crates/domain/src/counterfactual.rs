//! Counterfactuals: the fewest changes of a day after which the next is expected to be another.

use crate::architecture::ModelArchitecture;
use crate::error::{FieldError, InvalidRequest};
use crate::id::{ModelId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use crate::what_if::{MAX_CHANGES, finish};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What a counterfactual is to reach.
    CounterfactualTarget, "target type" {
        /// A noticeable improvement, or as much as there is.
        Improve = "improve",
        /// A value.
        TargetValue = "target_value",
        /// The value, or a noticeable improvement, with the smallest change.
        MinimizeChange = "minimize_change",
    }
}

/// Search for changes of a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CounterfactualRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// The local day to forecast; the day before it changes.
    pub target_date: NaiveDate,
    /// What is to be reached.
    pub target_type: CounterfactualTarget,
    /// The value to reach, in the metric's unit; required for `target_value`.
    pub target_value: Option<f64>,
    /// Most changes of one answer, 1 to 10.
    pub max_changes: usize,
    /// Features and metric types that may change; all that a person can do when not given.
    pub allowed_features: Option<Vec<String>>,
    /// Model version; the active one when not given (addition to the contract).
    pub model_version: Option<String>,
    /// Use only models of this architecture (addition to the contract).
    pub architecture: Option<ModelArchitecture>,
}

impl CounterfactualRequest {
    /// A request with the contract's defaults.
    pub fn new(user_id: UserId, metric: PredictionMetric, target_date: NaiveDate) -> Self {
        Self {
            user_id,
            metric,
            target_date,
            target_type: CounterfactualTarget::Improve,
            target_value: None,
            max_changes: 3,
            allowed_features: None,
            model_version: None,
            architecture: None,
        }
    }

    /// Checks the bounds, and that the value to reach is there and plausible.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all faults.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, message: String| {
            faults.push(FieldError { field, message });
        };
        if !(1..=MAX_CHANGES).contains(&self.max_changes) {
            let message = format!(
                "must be between 1 and {MAX_CHANGES}, but is {}",
                self.max_changes
            );
            fault("max_changes", message);
        }
        match (self.target_type, self.target_value) {
            (CounterfactualTarget::TargetValue, None) => {
                let message = "must be given for the target type target_value".to_owned();
                fault("target_value", message);
            }
            (CounterfactualTarget::Improve, Some(_)) => {
                let message = "cannot be used by the target type improve: leave it out".to_owned();
                fault("target_value", message);
            }
            (
                CounterfactualTarget::TargetValue | CounterfactualTarget::MinimizeChange,
                Some(value),
            ) => {
                let (low, high) = self.metric.metric_type().plausible_range();
                if !(low..=high).contains(&value) {
                    let unit = self.metric.unit_label();
                    fault(
                        "target_value",
                        format!("must be between {low} and {high} {unit}"),
                    );
                }
            }
            (CounterfactualTarget::Improve | CounterfactualTarget::MinimizeChange, None) => {}
        }
        if self.allowed_features.as_ref().is_some_and(Vec::is_empty) {
            fault(
                "allowed_features",
                "must name at least one, or be left out".to_owned(),
            );
        }
        finish(faults)
    }
}

/// One change that is suggested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct SuggestedChange {
    /// The feature or metric type.
    pub feature_name: String,
    /// What the day really holds; null for nothing.
    pub current_value: Option<f64>,
    /// The value that is suggested.
    pub suggested_value: f64,
    /// The suggested value minus the present one; null without one.
    pub change_amount: Option<f64>,
    /// The change in words.
    pub change_description: String,
}

/// Changes with the forecast that a real evaluation of the changed records gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counterfactual {
    /// The forecast of the day as it is.
    pub current_prediction: f64,
    /// The value to reach.
    pub target_prediction: f64,
    /// The forecast after the changes: that of a what-if of the same changes.
    pub achieved_prediction: f64,
    /// The changes; none when the target is met already, or when nothing moves the forecast.
    pub changes: Vec<SuggestedChange>,
    /// How usual the changed day is among the person's own last 90 days, 0 to 1: the share of those days
    /// that lie as far from their nearest neighbours.
    pub plausibility_score: f64,
    /// The result in words.
    pub summary: String,
    /// Whether the target is reached.
    pub is_reached: bool,
    /// Whether the difference is smaller than the usual error of the model.
    pub is_within_noise: bool,
    /// Lower end of the 95 % interval after the changes.
    pub confidence_interval_lower: f64,
    /// Upper end of the 95 % interval after the changes.
    pub confidence_interval_upper: f64,
}

/// The changes that were found, and others with other means.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CounterfactualResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// The day that is forecast.
    pub target_date: NaiveDate,
    /// The forecast of the day as it is.
    pub current_prediction: f64,
    /// The value to reach.
    pub target_prediction: f64,
    /// The best answer.
    pub counterfactual: Counterfactual,
    /// Up to three answers by other changes.
    pub alternatives: Vec<Counterfactual>,
    /// Lower end of the 95 % interval of the day as it is.
    pub current_lower: f64,
    /// Upper end of that interval.
    pub current_upper: f64,
    /// How far the model usually errs: its mean absolute error on days that it was not fitted to, in the
    /// metric's unit.
    pub usual_error: f64,
    /// The day that is changed.
    pub changed_day: NaiveDate,
    /// Whether that day is over; if not, only what can still be done is suggested.
    pub is_day_over: bool,
    /// The moment as of which everything is known: the end of the day that is changed.
    pub as_of: DateTime<Utc>,
    /// Id of the model.
    pub model_id: ModelId,
    /// Version of the model.
    pub model_version: String,
    /// Its architecture.
    pub architecture: ModelArchitecture,
    /// Number of evaluations of changed records.
    pub evaluations: usize,
    /// What to know about the whole.
    pub warnings: Vec<String>,
    /// That nothing here is a cause.
    pub association: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use CounterfactualTarget as T;

    #[test]
    fn a_target_is_given_where_it_is_used() {
        let user = UserId::new("p").unwrap();
        let request = CounterfactualRequest::new(
            user,
            PredictionMetric::RestingHeartRate,
            NaiveDate::default(),
        );
        for (target_type, target_value, is_valid) in [
            (T::Improve, None, true),
            (T::Improve, Some(56.0), false),
            (T::TargetValue, Some(56.0), true),
            (T::TargetValue, None, false),
            (T::TargetValue, Some(5.0), false),
            (T::TargetValue, Some(f64::NAN), false),
            (T::MinimizeChange, None, true),
            (T::MinimizeChange, Some(56.0), true),
        ] {
            let asked = CounterfactualRequest {
                target_type,
                target_value,
                ..request.clone()
            };
            assert_eq!(asked.validate().is_ok(), is_valid, "{target_type}");
        }
    }
}
