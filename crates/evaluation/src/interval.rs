//! Coverage and width of intervals.

use crate::mean::beyond_rounding;

/// Share of measured values inside their interval; `None` if there are none.
///
/// Each entry is (actual, lower, upper). A value beyond a bound by no more than rounding is inside.
pub fn coverage(intervals: &[(f64, f64, f64)]) -> Option<f64> {
    let inside = intervals
        .iter()
        .filter(|(actual, lower, upper)| {
            beyond_rounding(actual - lower, *actual) >= 0.0
                && beyond_rounding(upper - actual, *actual) >= 0.0
        })
        .count();
    (!intervals.is_empty()).then(|| inside as f64 / intervals.len() as f64)
}

/// Mean width of intervals; `None` if there are none.
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

    #[test]
    fn a_constant_day_was_outside_its_interval_by_rounding() {
        // A model of 60, 60, 60 … that adds up in another order.
        let said = 60.0 + 7e-15;
        assert_eq!(
            coverage(&[(60.0, said, said), (60.0, 60.0, said)]),
            Some(1.0)
        );
        assert_eq!(
            coverage(&[(60.0, 60.001, 61.0), (f64::NAN, 1.0, 2.0)]),
            Some(0.0)
        );
    }
}
