//! The simple baselines: what a forecast has to beat.

use super::{SeriesModel, WEEK, last, mean};

const MOVING_AVERAGE_DAYS: usize = 7;
/// Smoothing factor where none is fitted.
const DEFAULT_ALPHA: f64 = 0.3;

impl SeriesModel {
    /// The last value seen.
    pub fn naive() -> Self {
        Self::Naive
    }

    /// The latest value of the same weekday.
    pub fn seasonal_naive() -> Self {
        Self::SeasonalNaive
    }

    /// Mean of the last seven days.
    pub fn moving_average() -> Self {
        Self::MovingAverage {
            days: MOVING_AVERAGE_DAYS,
        }
    }

    /// Exponential smoothing with factor 0.3.
    pub fn exponential_smoothing() -> Self {
        Self::ExponentialSmoothing {
            alpha: DEFAULT_ALPHA,
        }
    }

    /// Exponential smoothing with the factor (0.01 to 1 in hundredths) that forecasts the observed
    /// history best one value ahead; 0.3 for fewer than three values.
    pub fn fit_exponential_smoothing(history: &[Option<f64>]) -> Self {
        let values: Vec<f64> = history.iter().flatten().copied().collect();
        if values.len() < 3 {
            return Self::exponential_smoothing();
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
        Self::ExponentialSmoothing { alpha }
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
        use super::SeriesForecaster;
        Self::simple()
            .into_iter()
            .find(|model| model.name() == name)
    }
}

/// The latest value seen on the target's weekday; on any day while there is none.
pub(super) fn seasonal_naive(history: &[Option<f64>], lead: usize) -> Option<f64> {
    // Days back from the end of the history to the target's weekday: 1 is the last day.
    let back = WEEK - (lead.max(1) - 1) % WEEK;
    (back..=history.len())
        .step_by(WEEK)
        .find_map(|back| history[history.len() - back])
        .or_else(|| last(history))
}

/// Mean of the values seen in the last `days` days; the last value seen while there is none.
pub(super) fn moving_average(history: &[Option<f64>], days: usize) -> Option<f64> {
    mean(&history[history.len().saturating_sub(days)..]).or_else(|| last(history))
}

/// The level after smoothing from the oldest value on.
pub(super) fn smoothed(history: &[Option<f64>], alpha: f64) -> Option<f64> {
    let mut values = history.iter().flatten();
    let first = *values.next()?;
    Some(values.fold(first, |level, value| level + alpha * (value - level)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::SeriesForecaster;

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
    fn moving_average_is_over_observed_days_of_the_last_week() {
        let history = [
            Some(100.0),
            Some(1.0),
            None,
            Some(3.0),
            None,
            None,
            None,
            None,
        ];
        assert_eq!(
            SeriesModel::moving_average().forecast(&history, 1),
            Some(2.0)
        );
        let long_ago = [Some(5.0), None, None, None, None, None, None, None];
        assert_eq!(
            SeriesModel::moving_average().forecast(&long_ago, 1),
            Some(5.0)
        );
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
        let SeriesModel::ExponentialSmoothing { alpha } =
            SeriesModel::fit_exponential_smoothing(&walk)
        else {
            panic!("smoothing is what was fitted");
        };
        assert_eq!(alpha, 1.0);
        let noise: Vec<Option<f64>> = (0..40)
            .map(|day| Some(if day % 2 == 0 { 1.0 } else { -1.0 }))
            .collect();
        let SeriesModel::ExponentialSmoothing { alpha } =
            SeriesModel::fit_exponential_smoothing(&noise)
        else {
            panic!("smoothing is what was fitted");
        };
        assert!(alpha < 0.2, "{alpha}");
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
