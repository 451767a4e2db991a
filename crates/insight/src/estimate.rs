//! Intervals, effects and detectable correlations.

use crate::coefficient::{centred, dot};
use crate::distribution;
use crate::granger::GrangerTest;
use vitalcast_domain::CorrelationMethod;

/// Level of every interval.
const ERROR: f64 = 0.05;

/// The 95 % interval of a correlation, by Fisher's z of so many independent pairs. The variances of
/// Spearman's and Kendall's are those of E. C. Fieller, H. O. Hartley and E. S. Pearson 1957. Too
/// few pairs leave everything open: −1 to 1.
pub(crate) fn interval(method: CorrelationMethod, value: f64, pairs: f64) -> (f64, f64) {
    interval_at(method, value, pairs, ERROR)
}

fn interval_at(method: CorrelationMethod, value: f64, pairs: f64, error: f64) -> (f64, f64) {
    let variance = match method {
        CorrelationMethod::Pearson | CorrelationMethod::Granger => 1.0 / (pairs - 3.0),
        CorrelationMethod::Spearman => 1.06 / (pairs - 3.0),
        CorrelationMethod::Kendall => 0.437 / (pairs - 4.0),
    };
    if !variance.is_finite() || variance <= 0.0 {
        return (-1.0, 1.0);
    }
    let reach = distribution::z_of(error) * variance.sqrt();
    // At ±1 itself z is infinite, and so is its interval.
    let z = value.clamp(-1.0 + 1e-15, 1.0 - 1e-15).atanh();
    ((z - reach).tanh(), (z + reach).tanh())
}

/// The 95 % interval of the multiple partial correlation behind Granger's tests, of which the best
/// of so many counts: the noncentralities that leave an F as extreme with half of what is left of 5 %
/// on either side, λ = n ρ² / (1 − ρ²) (J. Cohen 1988, chapter 9). A size has no sign, so an interval
/// that reaches down to 0 goes as far on its other side.
///
/// So near to ±1 that the noncentralities would be huge, Fisher's z is as good.
pub(crate) fn granger_interval(test: &GrangerTest, tried: usize) -> (f64, f64) {
    /// Largest F times its degrees of freedom, which is about the noncentrality.
    const LARGEST: f64 = 1e4;
    let (numerator, denominator) = (test.df_numerator as f64, test.df_denominator as f64);
    let count = numerator + denominator + 1.0;
    if numerator * test.f > LARGEST {
        let error = ERROR / tried as f64;
        return interval_at(CorrelationMethod::Granger, test.partial, count, error);
    }
    let tail = ERROR / tried as f64 / 2.0;
    let size = |probability: f64| {
        let lambda = distribution::noncentrality(test.f, numerator, denominator, probability);
        (lambda / (lambda + count)).sqrt()
    };
    let (low, high) = (size(1.0 - tail), size(tail).max(test.partial.abs()));
    if low <= 0.0 {
        (-high, high)
    } else if test.partial < 0.0 {
        (-high, -low)
    } else {
        (low, high)
    }
}

/// The smallest correlation that 4 of 5 analyses of so many independent pairs would have noticed at
/// a level, where weaker ones than `least` are not told, by Fisher's z.
pub(crate) fn detectable(level: f64, pairs: f64, least: f64) -> Option<f64> {
    /// Four of five.
    const POWER: f64 = 0.8;
    (pairs > 4.0).then(|| {
        let error = 1.0 / (pairs - 3.0).sqrt();
        let noticed = (distribution::z_of(level) * error).max(least.atanh());
        (noticed + distribution::z_of(2.0 * (1.0 - POWER)) * error).tanh()
    })
}

/// The middle one, or the upper of the two in the middle.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// How much the target differs between low and high values of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// The feature's 10th percentile, in its unit; the lower value of one that has only two.
    pub feature_low: f64,
    /// Its 90th; the higher of the two.
    pub feature_high: f64,
    /// Least-squares difference of the target from the one to the other, in the target's unit.
    pub change: f64,
    /// Lower end of its 95 % interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// The effect by least squares of `y` on `x`, its interval by Student's t of so many independent
/// pairs. Nothing when the feature does not vary between its percentiles, or too little is known.
pub(crate) fn effect(x: &[f64], y: &[f64], pairs: f64) -> Option<Effect> {
    let degrees = pairs - 2.0;
    // Between percentiles, a yes of one day in twenty would be no difference at all.
    let (feature_low, feature_high) =
        only_two(x).unwrap_or_else(|| (percentile(x, 0.1), percentile(x, 0.9)));
    if degrees <= 0.0 || feature_high <= feature_low {
        return None;
    }
    let (x, y) = (centred(x), centred(y));
    let (xx, xy, yy) = (dot(&x, &x), dot(&x, &y), dot(&y, &y));
    let slope = xy / xx;
    let error = ((yy - slope * xy).max(0.0) / xx / degrees).sqrt();
    let reach = distribution::t_of(ERROR, degrees) * error;
    let step = feature_high - feature_low;
    Some(Effect {
        feature_low,
        feature_high,
        change: slope * step,
        lower: (slope - reach) * step,
        upper: (slope + reach) * step,
    })
    .filter(|effect| effect.lower.is_finite() && effect.upper.is_finite())
}

/// The lower and the higher one of values of which there are only two.
fn only_two(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let is_one = |value: &f64| *value == low || *value == high;
    values.iter().all(is_one).then_some((low, high))
}

/// Linear between order statistics, as NumPy's default.
fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_by_hand() {
        // tanh(atanh(0.5) ± 1.96 / √25)
        let (lower, upper) = interval(CorrelationMethod::Pearson, 0.5, 28.0);
        assert!((lower - 0.156_028_363).abs() < 1e-6, "{lower}");
        assert!((upper - 0.735_818_479).abs() < 1e-6, "{upper}");
        assert_eq!(interval(CorrelationMethod::Pearson, 0.9, 3.0), (-1.0, 1.0));
    }

    #[test]
    fn an_effect_is_told_in_the_units_of_both() {
        let x: Vec<f64> = (0..11).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| 60.0 - 0.5 * x).collect();
        let effect = effect(&x, &y, 11.0).unwrap();
        assert!((effect.feature_low - 1.0).abs() < 1e-12);
        assert!((effect.feature_high - 9.0).abs() < 1e-12);
        assert!((effect.change + 4.0).abs() < 1e-9);
    }

    #[test]
    fn a_yes_of_two_days_in_forty_has_an_effect() {
        let x: Vec<f64> = (0..40).map(|day| f64::from(u8::from(day < 2))).collect();
        let y: Vec<f64> = (0..40)
            .map(|day| f64::from(day % 3) + if day < 2 { 5.0 } else { 0.0 })
            .collect();
        let effect = effect(&x, &y, 40.0).unwrap();
        assert_eq!((effect.feature_low, effect.feature_high), (0.0, 1.0));
        // Means of the two groups: 5.5 and 38.0 / 38.
        assert!((effect.change - 4.5).abs() < 0.1, "{}", effect.change);
    }

    #[test]
    fn more_days_show_smaller_effects() {
        let few = detectable(0.05, 30.0, 0.0).unwrap();
        let many = detectable(0.05, 180.0, 0.0).unwrap();
        assert!(few > many && many > 0.15, "{few} {many}");
        assert_eq!(detectable(0.05, 4.0, 0.0), None);
    }
}
