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
        Self::default().learn(errors)
    }

    /// How errors are expected to grow with a gap, from their size by days ahead, one day ahead first: a forecast
    /// `lead` days ahead after a gap knows as much as one of so many days farther ahead did. Beyond the last size,
    /// they grow no more.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotFinite`] for a size; without one of that lead, or where it is 0, nothing grows.
    pub fn of_leads(sizes: &[f64], lead: usize) -> Result<Self, EvaluationError> {
        check_finite("size of errors", sizes)?;
        let mut factors = Self::default();
        let of = |lead: usize| sizes.get(lead.clamp(1, sizes.len().max(1)) - 1);
        let Some(usual) = of(lead).filter(|size| **size > 0.0) else {
            return Ok(factors);
        };
        for (class, from) in FROM.iter().enumerate().skip(1) {
            let ratio = of(lead + from).map_or(1.0, |size| size / usual);
            factors.0[class] = ratio.max(factors.0[class - 1]);
        }
        Ok(factors)
    }

    /// The factors of errors where these ones are expected: as [`Self::fit`], but a class is shrunk to what is expected
    /// of it if that is larger than the factor of the class before. If errors after gaps are smaller than expected,
    /// less is expected of all classes: by their ratio, shrunk to 1 as if by 20 errors.
    ///
    /// # Errors
    ///
    /// Those of [`Self::fit`].
    pub fn learn(
        &self,
        errors: impl IntoIterator<Item = (usize, f64)>,
    ) -> Result<Self, EvaluationError> {
        let mut by_class: [Vec<f64>; FROM.len()] = Default::default();
        let mut after_gaps = Vec::new();
        for (gap, error) in errors {
            let class = class(gap);
            by_class[class].push(error);
            if class > 0 {
                after_gaps.push(error / self.0[class]);
            }
        }
        check_finite("error after a gap", &after_gaps)?;
        let usual = median(&mut by_class[0]).filter(|size| *size > 0.0);
        let count = after_gaps.len() as f64;
        let share = match (median(&mut after_gaps), usual) {
            (Some(found), Some(usual)) => (count * found / usual + PRIOR) / (count + PRIOR),
            (_, _) => 1.0,
        };
        let expected = self.0.map(|factor| (factor * share.min(1.0)).max(1.0));
        let mut factors = Self::default();
        for (class, errors) in by_class.iter_mut().enumerate() {
            check_finite("error after a gap", errors)?;
            if class == 0 {
                continue;
            }
            let before = factors.0[class - 1];
            let prior = before.max(expected[class]);
            // Without usual errors, or where they are 0, there is nothing to compare with.
            let ratio = median(errors).zip(usual).map(|(size, usual)| size / usual);
            let count = errors.len() as f64;
            let factor = (count * ratio.unwrap_or(prior) + PRIOR * prior) / (count + PRIOR);
            factors.0[class] = factor.max(before);
        }
        Ok(factors)
    }

    /// The factor after `gap` days without a reading.
    pub fn after(&self, gap: usize) -> f64 {
        self.0[class(gap)]
    }
}

/// The middle one; the upper of two.
fn median(errors: &mut [f64]) -> Option<f64> {
    let middle = errors.len() / 2;
    (!errors.is_empty()).then(|| *errors.select_nth_unstable_by(middle, f64::total_cmp).1)
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
    fn a_gap_is_expected_to_do_what_as_many_days_ahead_do() {
        let sizes = [2.0, 3.0, 4.0, 4.0, 3.0, 5.0, 6.0];
        let of = |lead| GapFactors::of_leads(&sizes, lead).unwrap().0;
        // One, two, four and seven days farther ahead; never less than before.
        assert_eq!(of(1), [1.0, 1.5, 2.0, 2.0, 3.0]);
        assert_eq!(of(6), [1.0, 1.2, 1.2, 1.2, 1.2]);
        assert_eq!(of(7), [1.0; 5]);
        assert_eq!(GapFactors::of_leads(&[], 1).unwrap(), GapFactors::default());
        assert_eq!(
            GapFactors::of_leads(&[0.0, 1.0], 1).unwrap(),
            GapFactors::default()
        );
        assert!(GapFactors::of_leads(&[1.0, f64::NAN], 1).is_err());
    }

    #[test]
    fn what_is_expected_holds_until_there_are_gaps_to_learn_from() {
        let expected = GapFactors([1.0, 1.5, 2.0, 2.0, 3.0]);
        assert_eq!(expected.learn(errors(0, 2.0, 50)).unwrap(), expected);
        // As large as expected, or larger: that is a matter of the class.
        let own = errors(0, 2.0, 101).chain(errors(1, 4.0, 20));
        let learned = expected.learn(own).unwrap();
        assert_eq!(learned, GapFactors([1.0, 1.75, 2.0, 2.0, 3.0]));
        // Where a gap does nothing, less is expected of longer ones, too: 60 errors of two thirds and 20 of 1.
        let own = errors(0, 2.0, 101).chain(errors(1, 2.0, 60));
        let learned = expected.learn(own).unwrap();
        assert!((learned.after(1) - (60.0 + 20.0 * 1.125) / 80.0).abs() < 1e-12);
        assert!((learned.after(9) - 0.75 * 3.0).abs() < 1e-12);
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
