//! The simple baselines: what a forecast has to beat.

use super::{
    SeriesForecaster, SeriesKind, SeriesModel, SeriesPart, Sum, TreeGame, WEEK, last, mean,
};
use crate::error::{ModelError, within};
use crate::onnx::BaseInGraph;
use serde::{Deserialize, Serialize};

/// Smoothing factor where none is fitted.
const DEFAULT_ALPHA: f64 = 0.3;
/// Longest moving average.
const MAX_DAYS: usize = 366;

/// The last value seen.
#[derive(Debug)]
pub(super) struct Naive;

/// The latest value seen on the target's weekday; on any day while there is none.
#[derive(Debug)]
pub(super) struct SeasonalNaive;

/// Mean of the values seen in the `days` days up to the newest value. Days without a value after it change
/// nothing, as with the other simple baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovingAverage {
    /// How many days, the last of them that of the newest value.
    pub days: usize,
}

/// Simple exponential smoothing (Brown 1956), starting from the oldest value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ExponentialSmoothing {
    /// Weight of the newest value, above 0 to 1.
    pub alpha: f64,
}

impl SeriesModel {
    /// The last value seen.
    pub fn naive() -> Self {
        Self::Naive
    }

    /// The latest value of the same weekday.
    pub fn seasonal_naive() -> Self {
        Self::SeasonalNaive
    }

    /// Mean of the seven days up to the newest value.
    pub fn moving_average() -> Self {
        Self::MovingAverage(MovingAverage::WEEK)
    }

    /// Exponential smoothing with factor 0.3.
    pub fn exponential_smoothing() -> Self {
        Self::ExponentialSmoothing(ExponentialSmoothing {
            alpha: DEFAULT_ALPHA,
        })
    }

    /// The simple baselines a model is compared with.
    pub fn simple() -> Vec<Self> {
        vec![
            Self::naive(),
            Self::seasonal_naive(),
            Self::moving_average(),
            Self::exponential_smoothing(),
        ]
    }

    /// A simple baseline by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::simple()
            .into_iter()
            .find(|model| model.name() == name)
    }
}

impl SeriesForecaster for Naive {
    fn name(&self) -> &'static str {
        "naive"
    }

    fn forecast(&self, history: &[Option<f64>], _: usize) -> Option<f64> {
        last(history)
    }
}

impl SeriesKind for Naive {
    fn sum(
        &self,
        history: &[Option<f64>],
        _: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        Ok(last(history).map(|value| Sum::of([(SeriesPart::LastValue, value)])))
    }

    fn parameter_count(&self) -> usize {
        0
    }

    fn base_in_graph(&self) -> Option<BaseInGraph> {
        Some(BaseInGraph::LastValue)
    }
}

impl SeasonalNaive {
    fn of_weekday(history: &[Option<f64>], lead: usize) -> Option<f64> {
        // Days back from the end of the history to the target's weekday: 1 is the last day.
        let back = WEEK - (lead.max(1) - 1) % WEEK;
        (back..=history.len())
            .step_by(WEEK)
            .find_map(|back| history[history.len() - back])
    }
}

impl SeriesForecaster for SeasonalNaive {
    fn name(&self) -> &'static str {
        "seasonal_naive"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        Self::of_weekday(history, lead).or_else(|| last(history))
    }
}

impl SeriesKind for SeasonalNaive {
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let of_weekday = Self::of_weekday(history, lead);
        let part = match of_weekday {
            Some(value) => Some((SeriesPart::Weekday, value)),
            None => last(history).map(|value| (SeriesPart::LastValue, value)),
        };
        Ok(part.map(|part| Sum::of([part])))
    }

    fn parameter_count(&self) -> usize {
        0
    }

    fn base_in_graph(&self) -> Option<BaseInGraph> {
        Some(BaseInGraph::Weekday)
    }
}

impl MovingAverage {
    /// The seven days up to the newest value.
    pub const WEEK: Self = Self { days: WEEK };

    /// The mean of so many days, 1 to 366.
    pub(super) fn of(days: usize) -> Result<Self, ModelError> {
        within("days", days as f64, 1.0, MAX_DAYS as f64)?;
        Ok(Self { days })
    }

    fn of_days(self, history: &[Option<f64>]) -> Option<f64> {
        let end = history.iter().rposition(Option::is_some)? + 1;
        mean(&history[end.saturating_sub(self.days)..end])
    }
}

impl SeriesForecaster for MovingAverage {
    fn name(&self) -> &'static str {
        "moving_average"
    }

    fn forecast(&self, history: &[Option<f64>], _: usize) -> Option<f64> {
        self.of_days(history)
    }
}

impl SeriesKind for MovingAverage {
    fn sum(
        &self,
        history: &[Option<f64>],
        _: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let value = self.of_days(history);
        Ok(value.map(|value| Sum::of([(SeriesPart::DaysToNewest(self.days), value)])))
    }

    fn parameter_count(&self) -> usize {
        0
    }

    fn base_in_graph(&self) -> Option<BaseInGraph> {
        Some(BaseInGraph::DaysToNewest(self.days))
    }
}

impl ExponentialSmoothing {
    /// With a factor above 0 to 1. Without one, with that (0.01 to 1 in hundredths) which forecasts the
    /// observed history best one value ahead; 0.3 for fewer than three values.
    pub(super) fn fit(history: &[Option<f64>], alpha: Option<f64>) -> Result<Self, ModelError> {
        if let Some(alpha) = alpha {
            within("alpha", alpha, f64::MIN_POSITIVE, 1.0)?;
            return Ok(Self { alpha });
        }
        let values: Vec<f64> = history.iter().flatten().copied().collect();
        if values.len() < 3 {
            return Ok(Self {
                alpha: DEFAULT_ALPHA,
            });
        }
        let squared_error = |alpha: f64| {
            let mut level = values[0];
            values[1..]
                .iter()
                .map(|value| {
                    let error = value - level;
                    level += alpha * error;
                    error * error
                })
                .sum::<f64>()
        };
        let alpha = (1..=100)
            .map(|hundredths| f64::from(hundredths) / 100.0)
            .min_by(|left, right| squared_error(*left).total_cmp(&squared_error(*right)))
            .unwrap_or(DEFAULT_ALPHA);
        Ok(Self { alpha })
    }

    /// The level after smoothing from the oldest value on.
    fn level(self, history: &[Option<f64>]) -> Option<f64> {
        let after = |level, value: &Option<f64>| self.level_after(level, *value);
        history.iter().fold(None, after)
    }

    /// The level after one more day: the forecast of the days that follow it.
    pub fn level_after(self, level: Option<f64>, value: Option<f64>) -> Option<f64> {
        match (level, value) {
            (Some(level), Some(value)) => Some(level + self.alpha * (value - level)),
            (level, value) => level.or(value),
        }
    }
}

impl SeriesForecaster for ExponentialSmoothing {
    fn name(&self) -> &'static str {
        "exponential_smoothing"
    }

    fn forecast(&self, history: &[Option<f64>], _: usize) -> Option<f64> {
        self.level(history)
    }
}

impl SeriesKind for ExponentialSmoothing {
    fn sum(
        &self,
        history: &[Option<f64>],
        _: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let level = self.level(history);
        Ok(level.map(|level| Sum::of([(SeriesPart::Level, level)])))
    }

    fn parameter_count(&self) -> usize {
        1
    }

    fn base_in_graph(&self) -> Option<BaseInGraph> {
        Some(BaseInGraph::Smoothed { alpha: self.alpha })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn naive_skips_missing_days() {
        let history = [Some(1.0), Some(2.0), None];
        assert_eq!(SeriesModel::naive().forecast(&history, 3), Some(2.0));
    }

    #[test]
    fn seasonal_naive_takes_the_targets_weekday() {
        // Fourteen days, value = day number; the day after is 14, its weekday before is 7.
        let mut history: Vec<Option<f64>> = (0..14).map(|day| Some(f64::from(day))).collect();
        let seasonal = SeriesModel::seasonal_naive();
        assert_eq!(seasonal.forecast(&history, 1), Some(7.0));
        assert_eq!(seasonal.forecast(&history, 7), Some(13.0));
        assert_eq!(seasonal.forecast(&history, 8), Some(7.0));
        history[7] = None;
        assert_eq!(seasonal.forecast(&history, 1), Some(0.0));
        assert_eq!(seasonal.forecast(&history[11..], 1), Some(13.0));
    }

    #[test]
    fn moving_average_is_over_observed_days_of_a_week() {
        let mut history = vec![
            Some(100.0),
            Some(1.0),
            None,
            None,
            None,
            None,
            None,
            Some(3.0),
        ];
        let week = SeriesModel::moving_average();
        assert_eq!(week.forecast(&history, 1), Some(2.0));
        history.extend([None, None]);
        assert_eq!(week.forecast(&history, 1), Some(2.0));
        history.extend([Some(5.0)]);
        assert_eq!(week.forecast(&history, 1), Some(4.0));
    }

    #[test]
    fn after_a_gap_the_mean_of_days_was_the_last_reading() {
        let mut history: Vec<Option<f64>> = (0..40).map(|day| Some(f64::from(day % 2))).collect();
        for days in [7, 30] {
            let mean = MovingAverage { days };
            let before = mean.forecast(&history, 1).unwrap();
            assert!((before - 0.5).abs() < 0.1, "{before}");
            history.extend([None; 45]);
            assert_eq!(mean.forecast(&history, 1), Some(before));
            history.truncate(40);
        }
    }

    #[test]
    fn smoothing_starts_from_the_oldest_value() {
        let history = [Some(10.0), None, Some(20.0)];
        assert_eq!(
            SeriesModel::exponential_smoothing().forecast(&history, 1),
            Some(13.0)
        );
    }

    #[test]
    fn a_fitted_factor_follows_a_random_walk_and_averages_noise() {
        let walk: Vec<Option<f64>> = (0..40).map(|day| Some(f64::from(day * day))).collect();
        let fitted = ExponentialSmoothing::fit(&walk, None).unwrap();
        assert_eq!(fitted.alpha, 1.0);
        let noise: Vec<Option<f64>> = (0..40)
            .map(|day| Some(if day % 2 == 0 { 1.0 } else { -1.0 }))
            .collect();
        let fitted = ExponentialSmoothing::fit(&noise, None).unwrap();
        assert!(fitted.alpha < 0.2, "{fitted:?}");
    }

    #[test]
    fn nothing_observed_gives_nothing() {
        for kind in SeriesModel::simple() {
            assert_eq!(kind.forecast(&[None, None], 1), None, "{}", kind.name());
            assert_eq!(kind.forecast(&[], 1), None, "{}", kind.name());
            assert_eq!(SeriesModel::from_name(kind.name()), Some(kind));
        }
    }
}
