//! Tail probabilities.
//!
//! They are read off the regularised incomplete beta function, whose small values keep their
//! precision; one minus a distribution function would not.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

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
}
