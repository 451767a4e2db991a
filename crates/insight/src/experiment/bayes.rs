//! What to believe of an effect, with a prior.

use statrs::distribution::{ContinuousCDF, Normal};

/// Pairs that the spread expected by the plan is worth beside that of the observed pairs.
const PAIRS_OF_THE_PLAN: f64 = 4.0;

/// A normal posterior of the effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Belief {
    /// Mean of the posterior.
    pub mean: f64,
    /// Its standard deviation.
    pub standard_deviation: f64,
    /// Interval with a probability of 95 %.
    pub interval: (f64, f64),
}

impl Belief {
    /// Probability that the effect is above a number.
    pub fn above(&self, number: f64) -> f64 {
        let normal = Normal::standard();
        normal.sf((number - self.mean) / self.standard_deviation)
    }

    /// Probability that the effect is below a number.
    pub fn below(&self, number: f64) -> f64 {
        let normal = Normal::standard();
        normal.cdf((number - self.mean) / self.standard_deviation)
    }
}

/// The posterior of the effect after some pair differences; `None` without any, or without a spread.
///
/// The prior is normal around no effect, as wide as the person's days spread: an effect larger than the
/// difference between any two days is unlikely. The variance of a pair difference is that of the plan,
/// which the autocorrelation of the days has entered, and that of the observed pairs, the plan counting as
/// four pairs; it is taken as known (A. Gelman et al. 2013, Bayesian Data Analysis, section 2.5).
pub fn belief(differences: &[f64], planned_spread: f64, day_spread: f64) -> Option<Belief> {
    let count = differences.len() as f64;
    let mean = vitalcast_evaluation::mean(differences.iter().copied())?;
    let variance = variance_of_a_pair(differences, planned_spread);
    let (information, prior) = (count / variance, day_spread.powi(-2));
    let precision = information + prior;
    if !precision.is_finite() || precision <= 0.0 {
        return None;
    }
    let posterior = mean * information / precision;
    let standard_deviation = precision.powf(-0.5);
    let reach = crate::distribution::z_of(1.0 - super::LEVEL) * standard_deviation;
    Some(Belief {
        mean: posterior,
        standard_deviation,
        interval: (posterior - reach, posterior + reach),
    })
}

/// Variance of a pair difference: that of the pairs, together with that of the plan.
pub(super) fn variance_of_a_pair(differences: &[f64], planned_spread: f64) -> f64 {
    let count = differences.len() as f64;
    let mean = vitalcast_evaluation::mean(differences.iter().copied()).unwrap_or(0.0);
    let squares: f64 = differences.iter().map(|one| (one - mean).powi(2)).sum();
    let freedom = PAIRS_OF_THE_PLAN + (count - 1.0).max(0.0);
    (PAIRS_OF_THE_PLAN * planned_spread.powi(2) + squares) / freedom
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posterior_by_hand() {
        // Variance (4·4 + 2) / (4 + 1) = 3.6; information 2 / 3.6; prior 1/9.
        let found = belief(&[1.0, 3.0], 2.0, 3.0).unwrap();
        let (information, prior) = (2.0 / 3.6, 1.0 / 9.0);
        assert!((found.mean - 2.0 * information / (information + prior)).abs() < 1e-12);
        let expected: f64 = 1.0 / (information + prior);
        assert!((found.standard_deviation - expected.sqrt()).abs() < 1e-12);
        assert!((found.above(0.0) + found.below(0.0) - 1.0).abs() < 1e-12);
        assert!((found.above(found.interval.1) - 0.025).abs() < 1e-9);
    }

    #[test]
    fn without_pairs_or_spread_there_is_no_belief() {
        assert_eq!(belief(&[], 1.0, 1.0), None);
        assert_eq!(belief(&[1.0, 1.0], 0.0, 1.0), None);
        assert_eq!(belief(&[1.0, 2.0], 1.0, 0.0), None);
    }
}
