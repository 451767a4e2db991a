//! The range that a person's values usually stay in, and whether a new value is outside.
//!
//! The range is median ± t · spread over the last 28 days. The spread is the larger of two estimates of
//! the standard deviation: 1.4826 times the median absolute deviation, and √(π/2) times the mean
//! absolute deviation (both from the median). Odd days move
//! the first little; the second is above 0 even when most of the rounded values are the same.
//!
//! Neither the median nor the spread of so few days is known well, so the normal quantile would raise
//! far more false alarms than it says. Student's t takes its place, with n / 5 + 3.6 degrees of freedom
//! for n observed days: found by simulation of independent days. At a nominal 1 % the realised rate is
//! about 0.4 % of days with normal noise, and 1.1 to 1.4 % with heavier tails (Student's t of 6 degrees,
//! logistic). With the tails of a Laplace distribution it is 2 to 2.5 %.
//!
//! A reading of a device that gives whole numbers stands for all values that round to it. So where all values
//! are whole numbers, the range is half a unit wider on each side. Of normal values with a standard deviation
//! of 0.7 that were rounded, 1.35 % were outside at a nominal 1 %; now 0.3 %.
//!
//! The rate is that of days without a trend and without memory. Days that drift, or that are like the
//! day before, are outside more often.

use crate::error::{EvaluationError, check_finite, check_level};
use crate::mean::{ROUNDING, mean};
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Days, observed or not, that the range is taken from.
const RANGE_DAYS: usize = 28;
/// Observed days among them without which there is no range.
const LEAST_OBSERVED: usize = 14;
/// The standard deviation of normal values in median absolute deviations.
const MEDIAN_DEVIATIONS: f64 = 1.4826;
/// The standard deviation of normal values in mean absolute deviations: √(π/2).
const MEAN_DEVIATIONS: f64 = 1.253_314_137_315_500_3;
/// Degrees of freedom of no days.
const FIRST_DEGREES: f64 = 3.6;
/// Days for one more degree of freedom.
const DAYS_A_DEGREE: f64 = 5.0;
/// How far a whole number may lie from the value that was rounded to it.
const HALF_A_UNIT: f64 = 0.5;

/// A person's normal range, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NormalRange {
    /// The usual value: the median.
    pub median: f64,
    /// The robust standard deviation.
    pub spread: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Number of observed days that the range was taken from.
    pub observed: usize,
}

/// Where a value is, seen from a normal range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Inside, ends included.
    Inside,
    /// Above the upper end.
    Above,
    /// Below the lower end.
    Below,
}

impl NormalRange {
    /// The range from the last 28 of `days`, oldest first; `None` is a day without a value. The day that
    /// is judged is not among them.
    ///
    /// `false_alarm_rate` is the nominal probability, above 0 and below 1, that a normal day is outside:
    /// 0.01 for one day in a hundred, on either side.
    ///
    /// `None` with fewer than 14 observed days, and when all of them are the same: how far values vary is
    /// not known then.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::NotFinite`] for a value, [`EvaluationError::Level`] for a rate that is not above
    /// 0 and below 1.
    ///
    /// ```
    /// use vitalcast_evaluation::{NormalRange, Verdict};
    ///
    /// let days: Vec<Option<f64>> = (0..28).map(|day| Some(60.0 + f64::from(day % 5))).collect();
    /// let range = NormalRange::of(&days, 0.01)?.expect("28 days are observed");
    /// assert_eq!(range.verdict(61.0), Verdict::Inside);
    /// assert_eq!(range.verdict(75.0), Verdict::Above);
    /// # Ok::<(), vitalcast_evaluation::EvaluationError>(())
    /// ```
    pub fn of(
        days: &[Option<f64>],
        false_alarm_rate: f64,
    ) -> Result<Option<Self>, EvaluationError> {
        check_level(false_alarm_rate)?;
        let recent = &days[days.len().saturating_sub(RANGE_DAYS)..];
        let mut values: Vec<f64> = recent.iter().copied().flatten().collect();
        check_finite("observed value", &values)?;
        if values.len() < LEAST_OBSERVED {
            return Ok(None);
        }
        let middle = median(&mut values);
        let mut deviations: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        let by_mean = MEAN_DEVIATIONS * mean(deviations.iter().copied()).unwrap_or(0.0);
        let spread = by_mean.max(MEDIAN_DEVIATIONS * median(&mut deviations));
        if spread <= ROUNDING * middle.abs() {
            return Ok(None);
        }
        let are_whole = values.iter().all(|value| value.fract() == 0.0);
        let rounding = if are_whole { HALF_A_UNIT } else { 0.0 };
        let half = multiplier(values.len(), false_alarm_rate) * spread + rounding;
        Ok(Some(Self {
            median: middle,
            spread,
            lower: middle - half,
            upper: middle + half,
            observed: values.len(),
        }))
    }

    /// Where a value is. One that is not a number is inside: nothing is known of it.
    pub fn verdict(&self, value: f64) -> Verdict {
        if value > self.upper {
            Verdict::Above
        } else if value < self.lower {
            Verdict::Below
        } else {
            Verdict::Inside
        }
    }
}

/// How many spreads from the median a range of so many days ends.
fn multiplier(observed: usize, false_alarm_rate: f64) -> f64 {
    let degrees = FIRST_DEGREES + observed as f64 / DAYS_A_DEGREE;
    let student = StudentsT::new(0.0, 1.0, degrees).expect("the degrees are above 0");
    // Of the lower tail, because probabilities near 1 have no digits left.
    -student.inverse_cdf(false_alarm_rate / 2.0)
}

/// The median of at least one value, which are put in order.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SplitMix64;
    use proptest::prelude::*;

    /// Share of days outside a range of so many observed days, per cent.
    fn outside(observed: usize, rate: f64, mut noise: impl FnMut() -> f64) -> f64 {
        /// Days that are judged by one range.
        const NEW_DAYS: usize = 4;
        let runs = 4_000;
        let mut alarms = 0;
        for _ in 0..runs {
            let days: Vec<Option<f64>> = (0..RANGE_DAYS)
                .map(|day| (day < observed).then(|| 60.0 + 3.0 * noise()))
                .collect();
            let range = NormalRange::of(&days, rate).unwrap().unwrap();
            alarms += (0..NEW_DAYS)
                .filter(|_| range.verdict(60.0 + 3.0 * noise()) != Verdict::Inside)
                .count();
        }
        100.0 * alarms as f64 / (runs * NEW_DAYS) as f64
    }

    /// Student's t of 6 degrees of freedom.
    fn heavier(random: &mut SplitMix64) -> f64 {
        let squares: f64 = (0..6).map(|_| random.normal().powi(2)).sum();
        random.normal() / (squares / 6.0).sqrt()
    }

    #[test]
    fn one_day_in_a_hundred_is_a_false_alarm() {
        let mut random = SplitMix64::new(21);
        for observed in [14, 20, 28] {
            let normal = outside(observed, 0.01, || random.normal());
            let heavy = outside(observed, 0.01, || heavier(&mut random));
            let logistic = outside(observed, 0.01, || {
                let share = random.uniform();
                (share / (1.0 - share)).ln()
            });
            for rate in [normal, heavy, logistic] {
                assert!((0.25..=1.6).contains(&rate), "{observed} days: {rate} %");
            }
        }
    }

    /// At 1 %, whole beats of a quiet person were outside on 1.35 % of days, one and a half times as many as
    /// heavy tails cause.
    #[test]
    fn whole_numbers_raise_no_more_false_alarms() {
        for sd in [0.7, 1.0, 2.0] {
            let mut random = SplitMix64::new(23);
            // The noise of `outside` is three times as large.
            let whole = outside(28, 0.01, || (sd * random.normal()).round() / 3.0);
            assert!((0.05..=0.5).contains(&whole), "{sd}: {whole} %");
        }
    }

    #[test]
    fn other_rates_are_of_the_right_order() {
        let mut random = SplitMix64::new(22);
        for rate in [0.02, 0.05, 0.1] {
            for found in [
                outside(28, rate, || random.normal()),
                outside(28, rate, || heavier(&mut random)),
            ] {
                assert!(
                    (40.0 * rate..=160.0 * rate).contains(&found),
                    "{rate}: {found} %"
                );
            }
        }
    }

    fn days(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn hand_computed_range() {
        // Median 15.5; deviations 0.5, 0.5, 1.5, … 13.5: their median and their mean are 7.
        let values: Vec<f64> = (2..30).map(f64::from).collect();
        let range = NormalRange::of(&days(&values), 0.01).unwrap().unwrap();
        assert_eq!((range.median, range.observed), (15.5, 28));
        assert!((range.spread - MEDIAN_DEVIATIONS * 7.0).abs() < 1e-12);
        // They are whole numbers: half a unit more.
        let half = multiplier(28, 0.01) * range.spread + 0.5;
        assert!((range.upper - 15.5 - half).abs() < 1e-9);
        assert!((15.5 - range.lower - half).abs() < 1e-9);
        assert_eq!(range.verdict(range.upper), Verdict::Inside);
        assert_eq!(range.verdict(range.upper + 0.1), Verdict::Above);
        assert_eq!(range.verdict(range.lower - 0.1), Verdict::Below);
    }

    #[test]
    fn the_multiplier_is_the_tail_of_students_t() {
        // 22 days have 8 degrees: t(0.005, 8) = 3.355387.
        assert!((multiplier(22, 0.01) - 3.355_387_331_333_395).abs() < 1e-6);
    }

    #[test]
    fn only_the_last_28_days_count() {
        let mut values = days(&[500.0; 40]);
        values.extend((0..28).map(|day| Some(60.0 + f64::from(day % 4))));
        let all = NormalRange::of(&values, 0.01).unwrap();
        assert_eq!(all, NormalRange::of(&values[40..], 0.01).unwrap());
        assert!(all.is_some_and(|range| range.upper < 80.0));
    }

    #[test]
    fn too_few_days_and_days_that_never_vary_give_no_range() {
        let mut values = days(&[1.0; 13]);
        values[0] = Some(2.0);
        values.extend([None; 10]);
        assert_eq!(NormalRange::of(&values, 0.01).unwrap(), None);
        assert_eq!(NormalRange::of(&[], 0.01).unwrap(), None);
        assert_eq!(NormalRange::of(&days(&[60.1; 28]), 0.01).unwrap(), None);
    }

    #[test]
    fn days_that_are_mostly_the_same_have_a_spread() {
        let mut values = [60.0; 28];
        values[..8].fill(61.0);
        let range = NormalRange::of(&days(&values), 0.01).unwrap().unwrap();
        assert!((range.spread - MEAN_DEVIATIONS * 8.0 / 28.0).abs() < 1e-12);
        assert_eq!(range.verdict(61.0), Verdict::Inside);
    }

    #[test]
    fn wrong_numbers_are_refused() {
        for rate in [0.0, 1.0, f64::NAN] {
            assert!(matches!(
                NormalRange::of(&days(&[1.0; 28]), rate),
                Err(EvaluationError::Level(_))
            ));
        }
        assert!(NormalRange::of(&[Some(f64::NAN)], 0.01).is_err());
    }

    proptest! {
        #[test]
        fn a_range_moves_and_grows_with_the_values(
            values in prop::collection::vec(prop::option::of(-10.0_f64..10.0), 0..40),
            shift in -50.0_f64..50.0, factor in 0.5_f64..4.0,
        ) {
            let moved: Vec<Option<f64>> =
                values.iter().map(|value| value.map(|value| shift + factor * value)).collect();
            let one = NormalRange::of(&values, 0.05).unwrap();
            let other = NormalRange::of(&moved, 0.05).unwrap();
            prop_assert_eq!(one.is_some(), other.is_some());
            if let (Some(one), Some(other)) = (one, other) {
                prop_assert!((other.upper - (shift + factor * one.upper)).abs() < 1e-6);
                prop_assert!((other.lower - (shift + factor * one.lower)).abs() < 1e-6);
                prop_assert_eq!(one.verdict(one.median), Verdict::Inside);
            }
        }

        #[test]
        fn fewer_false_alarms_need_a_wider_range(
            observed in LEAST_OBSERVED..=RANGE_DAYS, one in 0.001_f64..0.5, other in 0.001_f64..0.5,
        ) {
            let (rare, often) = (one.min(other), one.max(other));
            prop_assert!(multiplier(observed, rare) >= multiplier(observed, often));
        }
    }
}
