//! How the forecasts of a model fared once their days had come.

use super::Engine;
use super::models::manifest;
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use vitalcast_domain::{ModelId, ModelInfo, PredictionMetric, UserId};
use vitalcast_evaluation::mean;
use vitalcast_store::{Store, StoredForecast};

/// Outcomes without which nothing is said about drift.
const LEAST_OUTCOMES: usize = 10;
/// Chance of as many misses from a model that has not drifted, below which it is said to drift.
const DRIFT_LEVEL: f64 = 0.01;
/// Age of what a model learned from at which training again is advised, days.
const STALE_DAYS: i64 = 60;

/// A forecast beside what came true.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ActualVsPredicted {
    /// The day.
    pub date: NaiveDate,
    /// What was forecast.
    pub predicted: f64,
    /// What came true; null while it is not known.
    pub actual: Option<f64>,
    /// Actual minus predicted.
    pub error: Option<f64>,
    /// Whether what came true lay inside the interval.
    pub inside_interval: Option<bool>,
}

/// How a model fared.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ModelPerformance {
    /// Which model.
    pub model_id: ModelId,
    /// What it forecasts.
    pub metric: PredictionMetric,
    /// Days it forecast.
    pub predictions_made: usize,
    /// Days of them whose outcome is known.
    pub outcomes_known: usize,
    /// Mean absolute error over those, in the metric's unit; null without any.
    pub avg_mae: Option<f64>,
    /// Mean confidence score of its forecasts; null without any.
    pub avg_confidence: Option<f64>,
    /// Share of outcomes inside their interval.
    pub coverage: Option<f64>,
    /// The same, promised.
    pub nominal_coverage: Option<f64>,
    /// Day by day; of several forecasts for a day, the one that knew most.
    pub actual_vs_predicted: Vec<ActualVsPredicted>,
    /// Whether intervals miss more often than they promise, by more than chance (one-sided binomial
    /// test at the 1 % level, with at least 10 outcomes).
    pub is_drifting: bool,
    /// Whether it drifts, or learned from nothing newer than 60 days.
    pub should_retrain: bool,
}

impl Engine {
    /// How a model's forecasts fared.
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
        let history = self.load(&model.user_id)?;
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
        let age = (history.profile.zone.day_of(now) - learned_until).num_days();
        Ok(performance(
            id.clone(),
            model.metric,
            &forecasts,
            age > STALE_DAYS,
        ))
    }

    /// Makes forecasts use the version before the active one.
    ///
    /// # Errors
    ///
    /// [`EngineError::NoModel`] when nothing is trained, [`EngineError::NothingBefore`] when the
    /// active model is the oldest there is.
    pub fn roll_back(
        &self,
        user: &UserId,
        metric: PredictionMetric,
    ) -> Result<ModelInfo, EngineError> {
        let active = self.choose(user, metric, None, None)?;
        let before = self
            .wait(self.store.models(Some(user), Some(metric)))?
            .into_iter()
            .filter(|model| model.version < active.version)
            .max_by_key(|model| model.version)
            .ok_or(EngineError::NothingBefore(active.model_id))?;
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

/// Chance of `count` or more of `n`, each with probability `p` (binomial distribution).
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
