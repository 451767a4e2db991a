//! What a wrong forecast costs, and what follows from it: the first forecast, gradients, leaf values.

use crate::error::{ModelError, within};
use serde::{Deserialize, Serialize};

/// What a wrong forecast costs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum TreeLoss {
    /// Half the square of the error: forecasts are means.
    #[default]
    Squared,
    /// The error without its sign: forecasts are medians.
    Absolute,
    /// Half the square of a small error, the absolute value of a large one (Huber 1964).
    Huber {
        /// Where large errors begin, in the unit of the targets; above 0.
        delta: f64,
    },
    /// The pinball loss: forecasts are quantiles (Koenker and Bassett 1978).
    Quantile {
        /// Share of the targets that lie below the forecast, above 0 to below 1.
        level: f64,
    },
}

impl TreeLoss {
    pub(super) fn check(self) -> Result<(), ModelError> {
        match self {
            Self::Squared | Self::Absolute => Ok(()),
            Self::Huber { delta } => within("delta", delta, 1e-30, 1e30),
            Self::Quantile { level } => within("level", level, 1e-6, 1.0 - 1e-6),
        }
    }

    /// The loss of one forecast.
    pub fn of(self, forecast: f64, target: f64) -> f64 {
        let error = forecast - target;
        match self {
            Self::Squared => 0.5 * error * error,
            Self::Absolute => error.abs(),
            Self::Huber { delta } => {
                if error.abs() <= delta {
                    0.5 * error * error
                } else {
                    delta * (error.abs() - 0.5 * delta)
                }
            }
            Self::Quantile { level } => (level * -error).max((1.0 - level) * error),
        }
    }

    /// Its derivative by the forecast. The second derivative counts as 1 for every loss.
    #[inline]
    pub(super) fn gradient(self, forecast: f64, target: f64) -> f64 {
        let error = forecast - target;
        match self {
            Self::Squared => error,
            Self::Absolute => sign(error),
            Self::Huber { delta } => error.clamp(-delta, delta),
            Self::Quantile { level } => {
                if error >= 0.0 {
                    1.0 - level
                } else {
                    -level
                }
            }
        }
    }

    /// Of the rows in a leaf the level whose quantile is the best value, where the gradient alone says
    /// too little.
    pub(super) fn renewed_level(self) -> Option<f64> {
        match self {
            Self::Squared | Self::Huber { .. } => None,
            Self::Absolute => Some(0.5),
            Self::Quantile { level } => Some(level),
        }
    }

    /// The constant to begin with.
    pub(super) fn base(self, targets: &[f64], weights: Option<&[f64]>) -> f64 {
        if let Some(level) = self.renewed_level() {
            let mut weighted: Vec<(f64, f64)> = targets
                .iter()
                .enumerate()
                .map(|(row, target)| (*target, weights.map_or(1.0, |weights| weights[row])))
                .collect();
            return quantile(&mut weighted, level);
        }
        let (sum, count) = match weights {
            None => (targets.iter().sum(), targets.len() as f64),
            Some(weights) => (
                targets.iter().zip(weights).map(|(t, w)| t * w).sum::<f64>(),
                weights.iter().sum(),
            ),
        };
        let mean = sum / count;
        // A mean can lie outside by a rounding; then a constant would not be forecast as it is.
        let low = targets.iter().copied().fold(f64::INFINITY, f64::min);
        let high = targets.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        mean.clamp(low, high)
    }
}

fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// A quantile of values with weights: the smallest value up to which the weights reach `level` of
/// their sum; where they reach it exactly, the mean of this and the next value. A value of weight 2
/// counts as the value twice.
pub(super) fn quantile(weighted: &mut [(f64, f64)], level: f64) -> f64 {
    weighted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let wanted = level * weighted.iter().map(|(_, weight)| weight).sum::<f64>();
    let slack = 1e-12 * wanted;
    let mut sum = 0.0;
    let mut rest = weighted.iter();
    while let Some(&(value, weight)) = rest.next() {
        sum += weight;
        if sum > wanted + slack {
            return value;
        }
        if sum >= wanted - slack {
            return rest.next().map_or(value, |next| 0.5 * (value + next.0));
        }
    }
    weighted.last().map_or(0.0, |last| last.0)
}

/// The quantile of values that all count the same; the same number as [`quantile`] with weights of 1,
/// without sorting.
pub(super) fn quantile_of_equals(values: &mut [f64], level: f64) -> f64 {
    let count = values.len();
    if count == 0 {
        return 0.0;
    }
    let wanted = level * count as f64;
    let near = wanted.round();
    let exact = (wanted - near).abs() <= 1e-12 * wanted && near >= 1.0;
    let place = if exact { near - 1.0 } else { wanted.floor() };
    let place = (place as usize).min(count - 1);
    let (_, &mut value, above) = values.select_nth_unstable_by(place, f64::total_cmp);
    let next = above.iter().copied().min_by(f64::total_cmp);
    match next {
        Some(next) if exact => 0.5 * (value + next),
        Some(_) | None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_two_counts_as_the_value_twice() {
        for level in [0.1, 0.25, 0.5, 0.75, 0.9] {
            let mut weighted = [(3.0, 1.0), (1.0, 2.0), (7.0, 1.0), (5.0, 1.0)];
            let mut twice = [(3.0, 1.0), (1.0, 1.0), (1.0, 1.0), (7.0, 1.0), (5.0, 1.0)];
            let mut plain = [3.0, 1.0, 1.0, 7.0, 5.0];
            let expected = quantile(&mut weighted, level);
            assert_eq!(quantile(&mut twice, level), expected);
            assert_eq!(quantile_of_equals(&mut plain, level), expected);
        }
    }

    #[test]
    fn the_median_of_four_lies_between_the_middle_two() {
        assert_eq!(quantile_of_equals(&mut [4.0, 1.0, 2.0, 8.0], 0.5), 3.0);
        assert_eq!(quantile_of_equals(&mut [4.0, 1.0, 2.0], 0.5), 2.0);
    }

    #[test]
    fn gradients_are_the_slopes_of_the_losses() {
        for loss in [
            TreeLoss::Squared,
            TreeLoss::Absolute,
            TreeLoss::Huber { delta: 0.7 },
            TreeLoss::Quantile { level: 0.2 },
        ] {
            for forecast in [-2.0, -0.3, 0.4, 3.0] {
                let step = 1e-6;
                let slope =
                    (loss.of(forecast + step, 0.1) - loss.of(forecast - step, 0.1)) / (2.0 * step);
                assert!(
                    (slope - loss.gradient(forecast, 0.1)).abs() < 1e-6,
                    "{loss:?}"
                );
            }
        }
    }
}
