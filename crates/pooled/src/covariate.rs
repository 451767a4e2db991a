//! Another series of the person, day by day: yesterday and the last days against their level.

use crate::design::Transform;
use crate::own::Smoothed;

/// Features of a covariate.
pub(crate) const OF_COVARIATE: usize = 2;
/// Deviations from the level before there is a spread.
const LEAST_DEVIATIONS: usize = 3;
/// Days of the mean, and how many of them must be known.
const DAYS: usize = 3;
const LEAST_DAYS: usize = 2;
/// Farthest from the level, in spreads.
pub(crate) const FARTHEST: f64 = 4.0;

/// A covariate up to some day.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CovariateHistory {
    level: Smoothed,
    squares: f64,
    deviations: usize,
    /// The newest last.
    days: [Option<f64>; DAYS],
}

impl CovariateHistory {
    /// Adds the next day.
    pub(crate) fn push(&mut self, value: Option<f64>, transform: Transform) {
        let value = value.and_then(|value| transform.apply(value));
        self.days.rotate_left(1);
        self.days[DAYS - 1] = value;
        let Some(value) = value else {
            return;
        };
        let level = self.level.mean();
        if !level.is_nan() {
            self.squares += (value - level).powi(2);
            self.deviations += 1;
        }
        self.level.add_to_level(value);
    }

    /// The level and the person's own spread around it; `None` while there is no spread.
    pub(crate) fn scale(&self) -> Option<(f64, f64)> {
        if self.deviations < LEAST_DEVIATIONS {
            return None;
        }
        let level = self.level.mean();
        let spread = (self.squares / self.deviations as f64).sqrt();
        (spread > vitalcast_evaluation::ROUNDING * level.abs()).then_some((level, spread))
    }

    /// Yesterday and the mean of the last days against the level, in the person's own spread; `NaN`
    /// where there is none.
    pub(crate) fn features(&self) -> [f64; OF_COVARIATE] {
        let Some((level, spread)) = self.scale() else {
            return [f64::NAN; OF_COVARIATE];
        };
        let relative = |value: f64| ((value - level) / spread).clamp(-FARTHEST, FARTHEST);
        let known: Vec<f64> = self.days.iter().flatten().copied().collect();
        let mean = known.iter().sum::<f64>() / known.len() as f64;
        [
            self.days[DAYS - 1].map_or(f64::NAN, relative),
            if known.len() < LEAST_DAYS {
                f64::NAN
            } else {
                relative(mean)
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(values: &[Option<f64>]) -> [f64; OF_COVARIATE] {
        let mut history = CovariateHistory::default();
        for value in values {
            history.push(*value, Transform::Identity);
        }
        history.features()
    }

    #[test]
    fn yesterday_and_three_days_are_in_spreads_from_the_level() {
        // Levels before each value after the first: 10, (10·0.93 + 14) / 1.93, and so on.
        let values = [10.0, 14.0, 11.0, 13.0];
        let (mut sum, mut weight, mut squares) = (0.0, 0.0, 0.0);
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                squares += (value - sum / weight) * (value - sum / weight);
            }
            sum = sum * 0.93 + value;
            weight = weight * 0.93 + 1.0;
        }
        let (level, spread) = (sum / weight, f64::sqrt(squares / 3.0));
        let [yesterday, days] = after(&[Some(10.0), Some(14.0), None, Some(11.0), Some(13.0)]);
        assert!((yesterday - (13.0 - level) / spread).abs() < 1e-12);
        assert!((days - (12.0 - level) / spread).abs() < 1e-12);
    }

    #[test]
    fn what_is_missing_is_missing() {
        let known = [10.0, 14.0, 11.0, 13.0].map(Some);
        let [yesterday, days] = after(&[&known[..], &[None]].concat());
        assert!(yesterday.is_nan() && days.is_finite());
        let [yesterday, days] = after(&[&known[..], &[None, None]].concat());
        assert!(yesterday.is_nan() && days.is_nan());
    }

    #[test]
    fn three_deviations_are_needed_and_some_spread() {
        assert!(after(&[Some(10.0), Some(14.0), Some(11.0)])[0].is_nan());
        assert!(after(&[Some(7.1); 50])[0].is_nan());
        assert!(after(&[])[0].is_nan());
    }

    #[test]
    fn nothing_is_farther_than_four_spreads() {
        let mut values = [Some(10.0), Some(11.0)].repeat(20);
        values.push(Some(900.0));
        values.extend([Some(10.0); 3]);
        values.push(Some(1e9));
        assert_eq!(after(&values)[0], FARTHEST);
    }

    #[test]
    fn a_value_without_a_logarithm_is_missing() {
        let mut history = CovariateHistory::default();
        for value in [1.0, 2.0, 3.0, 4.0, 0.0] {
            history.push(Some(value), Transform::LN);
        }
        let [yesterday, days] = history.features();
        assert!(yesterday.is_nan() && days.is_finite());
    }
}
