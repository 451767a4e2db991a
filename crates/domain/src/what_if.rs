//! What-if: the forecast of a day after a change of the day before.

use crate::architecture::ModelArchitecture;
use crate::error::{FieldError, InvalidRequest};
use crate::id::{ModelId, UserId};
use crate::metric::PredictionMetric;
use crate::record::Record;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// Most scenarios of a request, and most changes of a scenario.
pub const MAX_SCENARIOS: usize = 5;
/// Most changes of one scenario, of a counterfactual and of a trajectory.
pub const MAX_CHANGES: usize = 10;

/// A feature of the day before the target gets another value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureChange {
    /// Name of a feature with its category, or of a metric type.
    pub feature_name: String,
    /// The value that the client believes it has; the answer says when it has another one.
    pub current_value: Option<f64>,
    /// The new value.
    pub new_value: f64,
    /// The change in the client's words.
    #[serde(default)]
    pub change_description: String,
}

/// Changes that are made together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfScenario {
    /// Its name.
    pub scenario_name: String,
    /// Totals and readings of the day that get another value.
    #[serde(default)]
    pub changes: Vec<FeatureChange>,
    /// Records that are added to the day (addition to the contract; programs and the command line).
    #[serde(default)]
    pub added: Vec<Record>,
}

/// Forecast a day again after changes of the day before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhatIfRequest {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// The local day to forecast; the day before it changes.
    pub target_date: NaiveDate,
    /// One to five scenarios.
    pub scenarios: Vec<WhatIfScenario>,
    /// Whether the words compare the scenarios with the day as it is.
    pub include_baseline: bool,
    /// Model version; the active one when not given (addition to the contract).
    pub model_version: Option<String>,
    /// Use only models of this architecture (addition to the contract).
    pub architecture: Option<ModelArchitecture>,
    /// Nominal coverage of the intervals (addition to the contract).
    pub interval_level: f64,
}

impl WhatIfRequest {
    /// A request with defaults.
    pub fn new(
        user_id: UserId,
        metric: PredictionMetric,
        target_date: NaiveDate,
        scenarios: Vec<WhatIfScenario>,
    ) -> Self {
        Self {
            user_id,
            metric,
            target_date,
            scenarios,
            include_baseline: true,
            model_version: None,
            architecture: None,
            interval_level: 0.95,
        }
    }

    /// Checks the numbers of scenarios and changes, names, and that every number is finite.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all faults.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, message: String| {
            faults.push(FieldError { field, message });
        };
        let count = self.scenarios.len();
        if !(1..=MAX_SCENARIOS).contains(&count) {
            let message = format!("must be 1 to {MAX_SCENARIOS}, but are {count}");
            fault("scenarios", message);
        }
        let mut names: Vec<&str> = Vec::new();
        for (place, scenario) in self.scenarios.iter().enumerate() {
            let place = place + 1;
            let changes = scenario.changes.len() + scenario.added.len();
            if !(1..=MAX_CHANGES).contains(&changes) {
                let message = format!(
                    "must have 1 to {MAX_CHANGES} changes each, but number {place} has {changes}"
                );
                fault("scenarios", message);
            }
            let name = scenario.scenario_name.as_str();
            if name.is_empty() || names.contains(&name) {
                let message = format!("must have names, no two alike; number {place} has not");
                fault("scenarios", message);
            }
            names.push(name);
            let numbers = scenario.changes.iter().flat_map(|change| {
                [Some(change.new_value), change.current_value]
                    .into_iter()
                    .flatten()
            });
            if !numbers.into_iter().all(f64::is_finite) {
                fault(
                    "scenarios",
                    format!("must hold finite numbers; number {place} does not"),
                );
            }
        }
        check_level(self.interval_level, &mut faults);
        finish(faults)
    }
}

pub(crate) fn check_level(level: f64, faults: &mut Vec<FieldError>) {
    if !(level > 0.0 && level < 1.0) {
        faults.push(FieldError {
            field: "interval_level",
            message: format!("must be above 0 and below 1, but is {level}"),
        });
    }
}

pub(crate) fn finish(faults: Vec<FieldError>) -> Result<(), InvalidRequest> {
    if faults.is_empty() {
        Ok(())
    } else {
        Err(InvalidRequest(faults))
    }
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AppliedChange {
    /// The feature or metric type; `meal`, `workout` or `reading` for a record that was added.
    pub feature_name: String,
    /// What the day really holds; null for nothing.
    pub current_value: Option<f64>,
    /// The value after the change; null for a record that was added.
    pub new_value: Option<f64>,
    /// Unit of both.
    pub unit: String,
    /// How far this change alone moves the forecast, in the metric's unit.
    pub effect: f64,
    /// Whether the forecast moves with it at all.
    pub moves_forecast: bool,
    /// Lowest and highest value of the person's last 90 days; null without any.
    pub usual_low: Option<f64>,
    /// Highest value of the person's last 90 days; null without any.
    pub usual_high: Option<f64>,
    /// What to know about it: a value beyond those of the last 90 days, another current value than the
    /// request says.
    pub notes: Vec<String>,
}

/// The forecast of one scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ScenarioResult {
    /// Its name.
    pub scenario_name: String,
    /// The forecast, in the metric's unit.
    pub predicted_value: f64,
    /// The forecast minus that of the day as it is.
    pub change_from_baseline: f64,
    /// The same in per cent; null where the forecast of the day as it is is 0.
    pub percent_change: Option<f64>,
    /// Probability that the value is within a noticeable margin of the forecast.
    pub confidence_score: f64,
    /// Up to three changes, the one that moves most alone first.
    pub biggest_drivers: Vec<String>,
    /// Lower end of the interval.
    pub confidence_interval_lower: f64,
    /// Upper end of the interval.
    pub confidence_interval_upper: f64,
    /// Whether the change is smaller than the usual error of the model: then it means nothing.
    pub is_within_noise: bool,
    /// What became of each change.
    pub changes: Vec<AppliedChange>,
}

/// Forecasts of scenarios, compared with the day as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct WhatIfResponse {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// The day that is forecast.
    pub target_date: NaiveDate,
    /// The forecast of the day as it is.
    pub baseline_prediction: f64,
    /// Probability that the value is within a noticeable margin of it.
    pub baseline_confidence: f64,
    /// The scenarios, in the order of the request.
    pub scenarios: Vec<ScenarioResult>,
    /// The scenario with the best forecast, by what is better for the metric.
    pub best_scenario: String,
    /// Its forecast.
    pub best_value: f64,
    /// The scenario with the worst forecast.
    pub worst_scenario: String,
    /// Its forecast.
    pub worst_value: f64,
    /// The result in words.
    pub summary: String,
    /// What follows from it, if anything does.
    pub recommendation: String,
    /// Lower end of the interval of the day as it is.
    pub baseline_lower: f64,
    /// Upper end of the interval of the day as it is.
    pub baseline_upper: f64,
    /// Nominal coverage of the intervals.
    pub interval_level: f64,
    /// How far the model usually errs: its mean absolute error on days that it was not fitted to, in the
    /// metric's unit.
    pub usual_error: f64,
    /// The day that is changed.
    pub changed_day: NaiveDate,
    /// Whether that day is over; if not, its totals are those that stand now.
    pub is_day_over: bool,
    /// The moment as of which everything is known: the end of the day that is changed.
    pub as_of: DateTime<Utc>,
    /// Id of the model.
    pub model_id: ModelId,
    /// Version of the model.
    pub model_version: String,
    /// Its architecture.
    pub architecture: ModelArchitecture,
    /// What to know about the whole.
    pub warnings: Vec<String>,
    /// That nothing here is a cause.
    pub association: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(scenarios: usize, changes: usize) -> WhatIfRequest {
        let change = FeatureChange {
            feature_name: "nutrition_protein_daily".to_owned(),
            current_value: None,
            new_value: 100.0,
            change_description: String::new(),
        };
        let scenario = |place: usize| WhatIfScenario {
            scenario_name: format!("s{place}"),
            changes: vec![change.clone(); changes],
            added: Vec::new(),
        };
        WhatIfRequest::new(
            UserId::new("p").unwrap(),
            PredictionMetric::RestingHeartRate,
            NaiveDate::default(),
            (0..scenarios).map(scenario).collect(),
        )
    }

    #[test]
    fn one_to_five_scenarios_of_one_to_ten_changes() {
        for (scenarios, changes, is_valid) in [
            (1, 1, true),
            (5, 10, true),
            (0, 1, false),
            (6, 1, false),
            (1, 0, false),
            (1, 11, false),
        ] {
            let checked = request(scenarios, changes).validate();
            assert_eq!(checked.is_ok(), is_valid, "{scenarios} {changes}");
        }
    }

    #[test]
    fn numbers_are_finite_and_names_differ() {
        let mut of_nan = request(1, 1);
        of_nan.scenarios[0].changes[0].new_value = f64::NAN;
        assert!(of_nan.validate().is_err());
        let mut twins = request(2, 1);
        twins.scenarios[1].scenario_name = "s0".to_owned();
        assert!(twins.validate().is_err());
    }
}
