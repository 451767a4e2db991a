//! Whether an experiment can still find what it was planned for.

use super::LEVEL;
use super::bayes::variance_of_a_pair;
use crate::distribution::t_of;
use statrs::distribution::{ContinuousCDF, Normal};

/// Probability that the test at the planned end finds a difference, given the pairs so far, if the rest
/// shows an effect of this size; of both directions the likelier one. 0 without a pair.
///
/// This is conditional power (K. K. G. Lan, R. Simon and M. Halperin 1982, Communications in Statistics C 1,
/// 207). Stopping because it is small never makes a false finding more likely, as nothing is found then.
pub fn conditional_power(
    differences: &[f64],
    planned_spread: f64,
    pairs_left: usize,
    effect: f64,
) -> f64 {
    let (done, left) = (differences.len() as f64, pairs_left as f64);
    let Some(mean) = vitalcast_evaluation::mean(differences.iter().copied()) else {
        return 0.0;
    };
    let all = done + left;
    let variance = variance_of_a_pair(differences, planned_spread);
    if all < 2.0 || variance <= 0.0 {
        return 0.0;
    }
    let limit = t_of(1.0 - LEVEL, all - 1.0) * (variance / all).sqrt();
    if pairs_left == 0 {
        return f64::from(u8::from(mean.abs() >= limit));
    }
    let normal = Normal::standard();
    let spread = (left * variance).sqrt() / all;
    let found = |effect: f64| {
        let expected = (done * mean + left * effect) / all;
        normal.cdf((expected - limit) / spread) + normal.cdf((-expected - limit) / spread)
    };
    found(effect).max(found(-effect)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halfway_without_a_difference_little_hope_is_left() {
        let nothing = [0.4, -0.5, 0.2, -0.3, 0.1, -0.1, 0.3, -0.2, 0.0, 0.1];
        let much = [2.4, 1.5, 2.2, 1.7, 2.1, 1.9, 2.3, 1.8, 2.0, 2.1];
        assert!(conditional_power(&nothing, 3.0, 2, 1.0) < 0.1);
        assert!(conditional_power(&much, 3.0, 2, 1.0) > 0.95);
        assert!(
            conditional_power(&nothing, 3.0, 2, 1.0) < conditional_power(&nothing, 3.0, 40, 1.0)
        );
        assert_eq!(conditional_power(&much, 3.0, 0, 1.0), 1.0);
        assert_eq!(conditional_power(&[], 3.0, 5, 1.0), 0.0);
    }

    #[test]
    fn other_signs_leave_the_same_hope() {
        let some = [1.0, -0.5, 2.0, 0.3];
        let turned: Vec<f64> = some.iter().map(|one| -one).collect();
        let (one, two) = (
            conditional_power(&some, 1.5, 6, 1.0),
            conditional_power(&turned, 1.5, 6, 1.0),
        );
        assert!((one - two).abs() < 1e-12 && one > 0.0 && one < 1.0);
    }
}
