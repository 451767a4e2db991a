//! How wide an interval must be, and whether it kept its word.

use crate::error::{EvaluationError, check_level, check_series};

/// Half the width of an interval that holds with the given probability, from residuals on days the
/// model did not learn from: split conformal prediction with absolute residuals (Vovk et al. 2005;
/// Lei et al. 2018). The k-th smallest absolute residual, k = ⌈(n + 1) · level⌉; the largest when
/// there are too few residuals for that level.
///
/// # Errors
///
/// [`EvaluationError`] without residuals, for one that is not finite, or a level that is no share.
pub fn conformal_half_width(residuals: &[f64], level: f64) -> Result<f64, EvaluationError> {
    check_series("residual", residuals)?;
    check_level(level)?;
    let mut sizes: Vec<f64> = residuals.iter().map(|residual| residual.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let rank = ((sizes.len() + 1) as f64 * level).ceil() as usize;
    Ok(sizes[rank.clamp(1, sizes.len()) - 1])
}

/// Share of truths that fell inside their interval; `None` without any.
///
/// Each entry is (actual, lower, upper).
pub fn coverage(intervals: &[(f64, f64, f64)]) -> Option<f64> {
    let inside = intervals
        .iter()
        .filter(|(actual, lower, upper)| (lower..=upper).contains(&actual))
        .count();
    (!intervals.is_empty()).then(|| inside as f64 / intervals.len() as f64)
}

/// Mean width of intervals; `None` without any.
pub fn mean_width(intervals: &[(f64, f64, f64)]) -> Option<f64> {
    let sum: f64 = intervals
        .iter()
        .map(|(_, lower, upper)| upper - lower)
        .sum();
    (!intervals.is_empty()).then(|| sum / intervals.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rank_has_the_finite_sample_correction() {
        let residuals: Vec<f64> = (1..=9).map(f64::from).collect();
        assert_eq!(conformal_half_width(&residuals, 0.8).unwrap(), 8.0);
        assert_eq!(conformal_half_width(&residuals, 0.9).unwrap(), 9.0);
        // 0.95 of 10 would be the tenth of nine: the largest is the best there is.
        assert_eq!(conformal_half_width(&residuals, 0.95).unwrap(), 9.0);
        assert_eq!(conformal_half_width(&residuals, 0.01).unwrap(), 1.0);
    }

    #[test]
    fn coverage_counts_both_ends_as_inside() {
        let intervals = [
            (1.0, 1.0, 2.0),
            (2.0, 1.0, 2.0),
            (3.0, 1.0, 2.0),
            (1.5, 1.0, 2.0),
        ];
        assert_eq!(coverage(&intervals), Some(0.75));
        assert_eq!(mean_width(&intervals), Some(1.0));
        assert_eq!(coverage(&[]), None);
    }

    proptest! {
        #[test]
        fn a_higher_level_is_never_narrower(
            residuals in prop::collection::vec(-1e3_f64..1e3, 1..80),
            low in 0.01_f64..0.99, high in 0.01_f64..0.99,
        ) {
            let (low, high) = (low.min(high), low.max(high));
            prop_assert!(
                conformal_half_width(&residuals, low).unwrap()
                    <= conformal_half_width(&residuals, high).unwrap()
            );
        }

        #[test]
        fn at_least_the_promised_share_of_the_residuals_fits(
            residuals in prop::collection::vec(-1e3_f64..1e3, 20..80), level in 0.05_f64..0.95,
        ) {
            let half = conformal_half_width(&residuals, level).unwrap();
            let inside = residuals.iter().filter(|residual| residual.abs() <= half).count();
            prop_assert!(inside as f64 >= level * residuals.len() as f64);
        }
    }
}
