//! Tail probabilities.
//!
//! They are read off the regularised incomplete beta function, whose small values keep their
//! precision; one minus a distribution function would not.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::{beta_reg, ln_beta};
use statrs::function::erf::erfc;
use statrs::function::gamma::ln_gamma;

/// Probability that a correlation of unrelated series lies as far from 0 as `r`, either way, with
/// so many degrees of freedom: Student's t of `r · √(df / (1 − r²))`.
pub(crate) fn of_correlation(r: f64, degrees: f64) -> f64 {
    let rest = (1.0 - r) * (1.0 + r);
    if degrees <= 0.0 {
        return 1.0;
    }
    beta_reg(degrees / 2.0, 0.5, rest.clamp(0.0, 1.0))
}

/// Probability that Student's t lies as far from 0 as `t`, either way.
pub(crate) fn of_t(t: f64, degrees: f64) -> f64 {
    if degrees <= 0.0 {
        return 1.0;
    }
    beta_reg(degrees / 2.0, 0.5, degrees / (degrees + t * t))
}

/// Probability that Fisher's F is at least `f`.
pub(crate) fn of_f(f: f64, numerator: f64, denominator: f64) -> f64 {
    if f <= 0.0 {
        return 1.0;
    }
    beta_reg(
        denominator / 2.0,
        numerator / 2.0,
        denominator / (denominator + numerator * f),
    )
}

/// The noncentrality at which Fisher's F stays below `f` with so large a probability; 0 when it does
/// so less often without any.
///
/// F's distribution is that of a Poisson mixture of beta distributions (Johnson, Kotz and
/// Balakrishnan 1995, chapter 30).
pub(crate) fn noncentrality(f: f64, numerator: f64, denominator: f64, probability: f64) -> f64 {
    /// Halvings of the interval that holds it.
    const HALVINGS: usize = 40;
    let mut below = Noncentral::new(f, numerator, denominator);
    if f <= 0.0 || below.probability(0.0) <= probability {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 8.0 + 2.0 * numerator * f);
    while below.probability(high) > probability && high < 1e7 {
        (low, high) = (high, 2.0 * high);
    }
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if below.probability(middle) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// Probability that a noncentral F stays below a value.
pub(crate) fn noncentral_below(
    f: f64,
    numerator: f64,
    denominator: f64,
    noncentrality: f64,
) -> f64 {
    Noncentral::new(f, numerator, denominator).probability(noncentrality)
}

/// The probability that a noncentral F stays below a value.
struct Noncentral {
    /// Of beta distributions with one more in the first parameter each.
    shares: Vec<f64>,
    /// How much the next is smaller.
    step: f64,
    first: f64,
    second: f64,
    x: f64,
}

impl Noncentral {
    fn new(f: f64, numerator: f64, denominator: f64) -> Self {
        let (first, second) = (numerator / 2.0, denominator / 2.0);
        let x = numerator * f / (numerator * f + denominator);
        let step = first * x.ln() + second * (-x).ln_1p() - first.ln() - ln_beta(first, second);
        Self {
            shares: vec![beta_reg(first, second, x)],
            step: step.exp(),
            first,
            second,
            x,
        }
    }

    /// The share of the `place`th beta distribution.
    fn share(&mut self, place: usize) -> f64 {
        while self.shares.len() <= place {
            let done = self.shares.len() as f64 - 1.0;
            let last = self.shares[self.shares.len() - 1];
            self.shares.push((last - self.step).max(0.0));
            let a = self.first + done;
            self.step *= self.x * (a + self.second) / (a + 1.0);
        }
        self.shares[place]
    }

    fn probability(&mut self, noncentrality: f64) -> f64 {
        /// Standard deviations of the Poisson distribution that matter.
        const REACH: f64 = 9.0;
        let mean = noncentrality / 2.0;
        let spread = REACH * mean.sqrt() + REACH;
        let from = (mean - spread).max(0.0).floor();
        let log_weight = if mean > 0.0 {
            from * mean.ln() - mean - ln_gamma(from + 1.0)
        } else {
            0.0
        };
        let (mut weight, mut sum) = (log_weight.exp(), 0.0);
        let last = (mean + spread).ceil() as usize;
        for place in from as usize..=last {
            sum += weight * self.share(place);
            weight *= mean / (place as f64 + 1.0);
        }
        sum
    }
}

/// Probability that a standard normal value lies as far from 0 as `z`, either way.
pub(crate) fn of_z(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// How far from 0 a standard normal value has to be for so small a two-sided probability.
pub(crate) fn z_of(probability: f64) -> f64 {
    let normal = Normal::standard();
    // Of the lower tail, because values near 1 have no digits left.
    -normal.inverse_cdf((probability / 2.0).clamp(f64::MIN_POSITIVE, 0.5))
}

/// How far from 0 Student's t has to be for so small a two-sided probability.
pub(crate) fn t_of(probability: f64, degrees: f64) -> f64 {
    let share = statrs::function::beta::inv_beta_reg(degrees / 2.0, 0.5, probability);
    (degrees * (1.0 - share) / share).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_scipy() {
        // scipy.stats 1.17: 2·t.sf(5, 7.5), f.sf(300, 2, 40), 2·norm.sf(9), norm.isf(0.025),
        // t.isf(0.025, 4.2).
        let close = |ours: f64, theirs: f64| {
            assert!(((ours - theirs) / theirs).abs() < 1e-9, "{ours} {theirs}");
        };
        close(of_t(5.0, 7.5), 0.001_276_222_803_516_981_5);
        close(of_f(300.0, 2.0, 40.0), 8.271_806_125_530_277e-25);
        close(of_z(9.0), 2.257_176_811_907_664_7e-19);
        close(z_of(0.05), 1.959_963_984_540_054);
        close(t_of(0.05, 4.2), 2.725_072_722_592_375);
    }

    #[test]
    fn noncentralities_are_those_of_scipy() {
        // scipy.stats 1.17: where ncf.cdf(f, numerator, denominator, nc) is the probability.
        for (f, numerator, denominator, probability, theirs) in [
            (4.0, 3.0, 80.0, 0.025, 27.611_623_748_779),
            (4.0, 3.0, 80.0, 0.975, 0.712_637_039_0),
            (300.0, 2.0, 40.0, 0.025, 909.011_859_068),
            (1.5, 1.0, 20.0, 0.025, 10.277_513_132_6),
            (1_000.0, 3.0, 170.0, 0.004, 3_984.656_291_736),
        ] {
            let ours = noncentrality(f, numerator, denominator, probability);
            assert!(((ours - theirs) / theirs).abs() < 1e-7, "{ours} {theirs}");
        }
        assert_eq!(noncentrality(0.2, 3.0, 80.0, 0.975), 0.0);
    }
}
