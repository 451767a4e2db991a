//! Performance of a model: errors and coverage of its past forecasts, and drift.

use super::Engine;
use super::models::{choose, manifest};
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use vitalcast_domain::{ModelId, ModelInfo, PredictionMetric, UserId};
use vitalcast_evaluation::mean;
use vitalcast_store::StoredForecast;

/// Minimum number of measured values for a statement about drift.
const LEAST_OUTCOMES: usize = 10;
/// Significance level of the drift test.
const DRIFT_LEVEL: f64 = 0.01;
/// Age of the training data, in days, at which retraining is recommended.
const STALE_DAYS: i64 = 60;

/// A forecast and its measured value.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ActualVsPredicted {
    /// The day.
    pub date: NaiveDate,
    /// The forecast.
    pub predicted: f64,
    /// The measured value; null while it is not known.
    pub actual: Option<f64>,
    /// Actual minus predicted.
    pub error: Option<f64>,
    /// Whether the measured value is inside the interval.
    pub inside_interval: Option<bool>,
}

/// The performance of a model.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ModelPerformance {
    /// Model architecture.
    pub model_id: ModelId,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Number of days with a forecast.
    pub predictions_made: usize,
    /// Number of these days with a measured value.
    pub outcomes_known: usize,
    /// Mean absolute error over these days, in the unit of the metric; null if there are none.
    pub avg_mae: Option<f64>,
    /// Mean confidence score of the forecasts; null if there are none.
    pub avg_confidence: Option<f64>,
    /// Share of measured values inside the interval.
    pub coverage: Option<f64>,
    /// Nominal coverage of these intervals.
    pub nominal_coverage: Option<f64>,
    /// The days in order; if a day has several forecasts, the one with the most recent data.
    pub actual_vs_predicted: Vec<ActualVsPredicted>,
    /// Whether measured values are outside the intervals more often than expected (one-sided binomial
    /// test at the 1 % level, with at least 10 measured values).
    pub is_drifting: bool,
    /// Whether the model drifts, or its newest training data are older than 60 days.
    pub should_retrain: bool,
}

impl Engine {
    /// Compares the forecasts of a model with the measured values.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`], [`EngineError::Store`].
    pub fn model_performance(
        &self,
        id: &ModelId,
        now: DateTime<Utc>,
    ) -> Result<ModelPerformance, EngineError> {
        let model = self.registered(id)?;
        let Some(user) = &model.user_id else {
            return Err(EngineError::InvalidSetting(format!(
                "{id} is a model of many people, expected one of a person: `history` compares a \
                 person's forecasts with the readings"
            )));
        };
        let history = self.load(user)?;
        self.flush_forecasts()?;
        let mut forecasts: Vec<StoredForecast> = self
            .settled_forecasts(&history, model.metric, now)?
            .into_iter()
            .filter(|forecast| forecast.model_id == *id)
            .collect();
        // In the order of days, then of what was known: the last of a day stays.
        forecasts.reverse();
        forecasts.dedup_by_key(|forecast| forecast.target_date);
        forecasts.reverse();
        let learned_until = manifest(&model)?.last_day;
        let age = (history.profile.day_of(now) - learned_until).num_days();
        Ok(performance(
            id.clone(),
            model.metric,
            &forecasts,
            age > STALE_DAYS,
        ))
    }

    /// Activates the version before the active one.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoModel`] if there is no model, [`EngineError::NothingBefore`] if the active
    /// model is the oldest one.
    pub fn roll_back(
        &self,
        user: &UserId,
        metric: PredictionMetric,
    ) -> Result<ModelInfo, EngineError> {
        let list = self.registry(Some(user), Some(metric))?;
        // One that this release cannot read can be the reason to go back.
        let unreadable = list.unreadable.iter().find(|model| model.is_active);
        let (active, version) = match unreadable {
            Some(active) => (active.model_id.clone(), active.version),
            None => {
                let active = choose(&list.models, user, metric, None, None)?;
                (active.model_id, active.version)
            }
        };
        let before = list
            .models
            .iter()
            .filter(|model| model.version < version)
            .max_by_key(|model| model.version)
            .ok_or(EngineError::NothingBefore(active))?;
        self.activate_model(&before.model_id)
    }
}

fn performance(
    model_id: ModelId,
    metric: PredictionMetric,
    forecasts: &[StoredForecast],
    is_stale: bool,
) -> ModelPerformance {
    let days: Vec<ActualVsPredicted> = forecasts
        .iter()
        .map(|forecast| ActualVsPredicted {
            date: forecast.target_date,
            predicted: forecast.value,
            actual: forecast.actual,
            error: forecast.actual.map(|actual| actual - forecast.value),
            inside_interval: forecast
                .actual
                .map(|actual| (forecast.lower..=forecast.upper).contains(&actual)),
        })
        .collect();
    let settled: Vec<&StoredForecast> = forecasts
        .iter()
        .filter(|forecast| forecast.actual.is_some())
        .collect();
    let misses = days
        .iter()
        .filter(|day| day.inside_interval == Some(false))
        .count();
    let nominal = mean(settled.iter().map(|forecast| forecast.level));
    let is_drifting = settled.len() >= LEAST_OUTCOMES
        && nominal.is_some_and(|level| at_least(misses, settled.len(), 1.0 - level) < DRIFT_LEVEL);
    ModelPerformance {
        model_id,
        metric,
        predictions_made: days.len(),
        outcomes_known: settled.len(),
        avg_mae: mean(days.iter().filter_map(|day| day.error.map(f64::abs))),
        avg_confidence: mean(forecasts.iter().filter_map(|forecast| forecast.confidence)),
        coverage: (!settled.is_empty()).then(|| 1.0 - misses as f64 / settled.len() as f64),
        nominal_coverage: nominal,
        actual_vs_predicted: days,
        is_drifting,
        should_retrain: is_drifting || is_stale,
    }
}

/// Probability of `count` or more successes in `n` trials with probability `p` (binomial distribution).
fn at_least(count: usize, n: usize, p: f64) -> f64 {
    if count == 0 {
        return 1.0;
    }
    if p <= 0.0 || p >= 1.0 {
        return if p >= 1.0 { 1.0 } else { 0.0 };
    }
    // Terms from 0 up, each from the one before, in logarithms so that none vanishes.
    let mut log_term = n as f64 * (1.0 - p).ln();
    let mut below = log_term.exp();
    for k in 1..count {
        log_term += ((n - k + 1) as f64 / k as f64).ln() + (p / (1.0 - p)).ln();
        below += log_term.exp();
    }
    (1.0 - below).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binomial_tail_is_that_of_the_tables() {
        // R: pbinom(k - 1, n, p, lower.tail = FALSE)
        for (count, n, p, expected) in [
            (0, 10, 0.05, 1.0),
            (1, 10, 0.05, 0.401_263_060_761_621_1),
            (3, 20, 0.05, 0.075_483_673_788_496_3),
            (20, 20, 0.5, 9.536_743_164e-7),
        ] {
            let found = at_least(count, n, p);
            assert!((found - expected).abs() < 1e-9, "{count} of {n}: {found}");
        }
    }
}
