//! How much larger errors are after days without a reading.
//!
//! A series that wanders has wandered on during a gap: its forecasts are less certain than the person's
//! day-to-day spread says. [`GapFactors`] says by how much, from the errors of other people's forecasts.

use crate::error::{EvaluationError, check_finite};
use serde::{Deserialize, Serialize};

/// The first number of missed days of each class.
const FROM: [usize; 5] = [0, 1, 2, 4, 7];
/// Errors as which the factor of the class before counts.
const PRIOR: f64 = 20.0;

/// The size of errors by the days without a reading before the origin of the forecast, in that without
/// such days: at least 1, and never less after more days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "[f64; 5]", into = "[f64; 5]")]
pub struct GapFactors([f64; FROM.len()]);

impl Default for GapFactors {
    fn default() -> Self {
        Self([1.0; FROM.len()])
    }
}

impl TryFrom<[f64; FROM.len()]> for GapFactors {
    type Error = EvaluationError;

    fn try_from(factors: [f64; FROM.len()]) -> Result<Self, EvaluationError> {
        check_finite("factor of a gap", &factors)?;
        if factors[0] != 1.0 || factors.windows(2).any(|pair| pair[1] < pair[0]) {
            return Err(EvaluationError::GapOrder);
        }
        Ok(Self(factors))
    }
}

impl From<GapFactors> for [f64; FROM.len()] {
    fn from(factors: GapFactors) -> Self {
        factors.0
    }
}

impl GapFactors {
    /// From pairs of the days without a reading (0, 1, 2 to 3, 4 to 6, 7 and more are one class each) and
    /// the size of the error in the person's scale.
    ///
    /// The factor of a class is the ratio of the median of its errors to that without a gap, shrunk to the
    /// factor of the class before as if by 20 errors.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotFinite`] for an error.
    pub fn fit(errors: impl IntoIterator<Item = (usize, f64)>) -> Result<Self, EvaluationError> {
        let mut by_class: [Vec<f64>; FROM.len()] = Default::default();
        for (gap, error) in errors {
            by_class[class(gap)].push(error);
        }
        let mut factors = Self::default();
        let mut usual = f64::NAN;
        for (class, errors) in by_class.iter_mut().enumerate() {
            check_finite("error after a gap", errors)?;
            let before = factors.0[class.saturating_sub(1)];
            let middle = errors.len() / 2;
            if errors.is_empty() {
                factors.0[class] = before;
                continue;
            }
            let (_, median, _) = errors.select_nth_unstable_by(middle, f64::total_cmp);
            if class == 0 {
                usual = *median;
                continue;
            }
            // Without usual errors, or where they are 0, there is nothing to compare with.
            let ratio = if usual > 0.0 { *median / usual } else { before };
            let count = errors.len() as f64;
            let factor = (count * ratio + PRIOR * before) / (count + PRIOR);
            factors.0[class] = factor.max(before);
        }
        Ok(factors)
    }

    /// The factor after `gap` days without a reading.
    pub fn after(&self, gap: usize) -> f64 {
        self.0[class(gap)]
    }
}

fn class(gap: usize) -> usize {
    FROM.iter().rposition(|from| *from <= gap).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(gap: usize, size: f64, count: usize) -> impl Iterator<Item = (usize, f64)> {
        std::iter::repeat_n((gap, size), count)
    }

    #[test]
    fn factors_are_ratios_of_medians_shrunk_to_the_class_before() {
        let all = errors(0, 2.0, 101)
            .chain(errors(1, 3.0, 20))
            .chain(errors(2, 4.0, 10))
            .chain(errors(3, 4.0, 10))
            .chain(errors(9, 8.0, 60));
        let factors = GapFactors::fit(all).unwrap();
        // 20 errors of ratio 1.5 and 20 of ratio 1; 20 of 2 and 20 of 1.25; none; 60 of 4 and 20 of 1.625.
        let expected = [1.0, 1.25, 1.625, 1.625, (60.0 * 4.0 + 20.0 * 1.625) / 80.0];
        for (gap, class) in [0, 1, 2, 2, 3, 3, 3, 4, 4].into_iter().enumerate() {
            assert!(
                (factors.after(gap) - expected[class]).abs() < 1e-12,
                "{gap}"
            );
        }
    }

    #[test]
    fn factors_never_fall() {
        let all = errors(0, 2.0, 100)
            .chain(errors(1, 4.0, 100))
            .chain(errors(5, 0.1, 100));
        let factors = GapFactors::fit(all).unwrap();
        assert!(factors.after(1) > 1.6);
        assert_eq!(factors.after(5), factors.after(1));
    }

    #[test]
    fn without_usual_errors_nothing_is_said() {
        assert_eq!(GapFactors::fit([]).unwrap(), GapFactors::default());
        assert_eq!(
            GapFactors::fit(errors(3, 2.0, 50)).unwrap(),
            GapFactors::default()
        );
        let exact = errors(0, 0.0, 50).chain(errors(3, 2.0, 50));
        assert_eq!(GapFactors::fit(exact).unwrap(), GapFactors::default());
    }

    #[test]
    fn wrong_numbers_are_refused() {
        assert!(GapFactors::fit([(0, f64::NAN)]).is_err());
        for wrong in [
            "[1.0,1.0,1.0,1.0,0.9]",
            "[1.0,2.0,1.5,2.0,2.0]",
            "[2.0,2.0,2.0,2.0,2.0]",
            "[1.0,1.0]",
            "[1.0,1.0,1.0,1.0,null]",
        ] {
            assert!(
                serde_json::from_str::<GapFactors>(wrong).is_err(),
                "{wrong}"
            );
        }
        let factors = GapFactors([1.0, 1.0, 1.5, 2.0, 3.0]);
        let text = serde_json::to_string(&factors).unwrap();
        assert_eq!(serde_json::from_str::<GapFactors>(&text).unwrap(), factors);
    }
}
