//! Coverage and width of intervals.

/// Share of measured values inside their interval; `None` if there are none.
///
/// Each entry is (actual, lower, upper).
pub fn coverage(intervals: &[(f64, f64, f64)]) -> Option<f64> {
    let inside = intervals
        .iter()
        .filter(|(actual, lower, upper)| (lower..=upper).contains(&actual))
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
}
