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
const FARTHEST: f64 = 4.0;

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

    /// Yesterday and the mean of the last days against the level, in the person's own spread; `NaN`
    /// where there is none.
    pub(crate) fn features(&self) -> [f64; OF_COVARIATE] {
        if self.deviations < LEAST_DEVIATIONS {
            return [f64::NAN; OF_COVARIATE];
        }
        let level = self.level.mean();
        let spread = (self.squares / self.deviations as f64).sqrt();
        if spread <= vitalcast_evaluation::ROUNDING * level.abs() {
            return [f64::NAN; OF_COVARIATE];
        }
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
