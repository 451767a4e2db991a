//! How the errors of a simple forecast grow with the days without a reading before it.
//!
//! A simple forecast after a gap of g days is the one that was made g days before, of a day g days farther ahead.
//! So a person's own past tells what a gap does to its errors, also a past without any gap: the errors of the
//! forecasts made g days earlier, next to those of the last evening.

use vitalcast_evaluation::{GapFactors, mean};

/// Days without a reading for which errors are measured; straight lines lie between them.
const KNOTS: [usize; 7] = [1, 2, 4, 8, 16, 32, 64];
/// Errors as which the factor of fewer days counts.
const PRIOR: f64 = 5.0;
/// Errors as which these factors count where there are errors after the person's own gaps.
const OWN_PRIOR: f64 = 20.0;
/// The period of a forecast by the weekday.
const WEEK: usize = 7;

/// The size of errors by the days without a reading before the origin of the forecast, in that without such days:
/// at least 1, and never less after more days.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GapGrowth([f64; KNOTS.len()]);

/// An error of a forecast, with the days without a reading before its origin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AfterGap {
    pub(crate) origin: usize,
    pub(crate) gap: usize,
    pub(crate) size: f64,
}

impl Default for GapGrowth {
    fn default() -> Self {
        Self([1.0; KNOTS.len()])
    }
}

impl GapGrowth {
    /// How many evenings before an error a forecast is asked for at most.
    pub(crate) const LONGEST: usize = KNOTS[KNOTS.len() - 1] + WEEK;

    /// From the errors of a forecast, and the size of the error on the day of an origin if the forecast of an earlier
    /// one had been kept (`None` where it, or the reading, is missing). By the weekday, the forecast of whole weeks
    /// before is the one that is kept.
    ///
    /// A factor is the ratio of the mean of such errors to that of the usual ones, shrunk, as if by five errors, to the
    /// larger of the factor of fewer days and that of other people's forecasts; where it is less than that of fewer
    /// days, both are their mean (isotonic regression). Then all factors are multiplied by how the errors after the
    /// person's own gaps were to that, shrunk to 1 as if by 20.
    pub(crate) fn fit(
        is_by_weekday: bool,
        lead: usize,
        errors: &[AfterGap],
        of_many: &GapFactors,
        if_kept: impl Fn(usize, usize) -> Option<f64>,
    ) -> Self {
        let usual = errors.iter().filter(|error| error.gap == 0);
        let Some(usual) = mean(usual.map(|error| error.size)).filter(|size| *size > 0.0) else {
            return Self(KNOTS.map(|gap| of_many.after(gap)));
        };
        let mut before = 1.0_f64;
        let mut growth = Self(KNOTS.map(|gap| {
            let earlier = if is_by_weekday {
                WEEK * ((gap + lead - 1) / WEEK - (lead - 1) / WEEK)
            } else {
                gap
            };
            let sizes = errors.iter().filter_map(|error| {
                let from = error.origin.checked_sub(earlier)?;
                if_kept(from, error.origin)
            });
            let sizes: Vec<f64> = sizes.collect();
            before = before.max(of_many.after(gap));
            before = shrunk(&sizes, usual, before, PRIOR);
            before
        }));
        rise(&mut growth.0);
        let of_own = errors.iter().filter(|error| error.gap > 0);
        let of_own: Vec<f64> = of_own
            .map(|error| error.size / growth.after(error.gap))
            .collect();
        let share = shrunk(&of_own, usual, 1.0, OWN_PRIOR);
        growth.0 = growth.0.map(|factor| (factor * share).max(1.0));
        growth
    }

    /// The factor after `gap` days without a reading.
    pub(crate) fn after(&self, gap: usize) -> f64 {
        let (mut from, mut below) = (0, 1.0);
        for (knot, factor) in KNOTS.into_iter().zip(self.0) {
            if gap <= knot {
                let share = (gap - from) as f64 / (knot - from) as f64;
                return below + share * (factor - below);
            }
            (from, below) = (knot, factor);
        }
        below
    }
}

/// The mean of errors in usual ones, shrunk.
fn shrunk(sizes: &[f64], usual: f64, prior: f64, weight: f64) -> f64 {
    let count = sizes.len() as f64;
    let ratio = mean(sizes.iter().copied()).map_or(prior, |size| size / usual);
    (count * ratio + weight * prior) / (count + weight)
}

/// The nearest numbers that never fall, by least squares: those that do are averaged.
fn rise(factors: &mut [f64]) {
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for factor in factors.iter() {
        let mut last = (*factor, 1);
        while let Some((value, count)) = blocks.pop_if(|(value, _)| *value > last.0) {
            let both = count + last.1;
            last.0 = (value * count as f64 + last.0 * last.1 as f64) / both as f64;
            last.1 = both;
        }
        blocks.push(last);
    }
    let values = blocks
        .into_iter()
        .flat_map(|(value, count)| std::iter::repeat_n(value, count));
    for (factor, value) in factors.iter_mut().zip(values) {
        *factor = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(gaps: impl Iterator<Item = (usize, f64)>) -> Vec<AfterGap> {
        let errors = gaps.enumerate();
        errors
            .map(|(origin, (gap, size))| AfterGap { origin, gap, size })
            .collect()
    }

    fn none() -> GapFactors {
        GapFactors::default()
    }

    #[test]
    fn factors_are_ratios_of_means_shrunk_to_fewer_days_and_lines_lie_between() {
        let usual = errors((0..95).map(|_| (0, 2.0)));
        let kept = |from: usize, origin: usize| (origin - from <= 4).then_some(6.0);
        let growth = GapGrowth::fit(false, 1, &usual, &none(), kept);
        let one = (94.0 * 3.0 + 5.0) / 99.0;
        let two = (93.0 * 3.0 + 5.0 * one) / 98.0;
        for (gap, expected) in [(0, 1.0), (1, one), (2, two)] {
            assert!((growth.after(gap) - expected).abs() < 1e-12, "{gap}");
        }
        assert_eq!(
            growth.after(3),
            f64::midpoint(growth.after(2), growth.after(4))
        );
        // Nothing is known of more days, and less is never said of them.
        assert_eq!(growth.after(4), growth.after(80));
    }

    #[test]
    fn factors_that_fall_are_averaged_and_none_is_below_one() {
        let mut factors = [1.0, 3.0, 2.0, 1.0, 4.0, 4.0, 3.0];
        rise(&mut factors);
        let last = 11.0 / 3.0;
        assert_eq!(factors, [1.0, 2.0, 2.0, 2.0, last, last, last]);
        let usual = errors((0..95).map(|_| (0, 2.0)));
        let growth = GapGrowth::fit(false, 1, &usual, &none(), |_, _| Some(1.0));
        assert_eq!(growth, GapGrowth::default());
    }

    #[test]
    fn what_happened_after_gaps_of_ones_own_counts() {
        let days =
            |after: f64| (0..120).map(move |day| if day < 100 { (0, 2.0) } else { (7, after) });
        let of = |after: f64| {
            let errors = errors(days(after));
            GapGrowth::fit(false, 1, &errors, &none(), |_, _| None).after(7)
        };
        assert_eq!(of(2.0), 1.0);
        // 20 errors of ratio 2, and as many of 1.
        assert!((of(4.0) - 1.5).abs() < 1e-12);
    }

    #[test]
    fn by_the_weekday_a_gap_of_days_within_a_week_changes_nothing() {
        let usual = errors((0..95).map(|_| (0, 2.0)));
        let kept = |from: usize, origin: usize| Some(2.0 + (origin - from) as f64);
        let growth = GapGrowth::fit(true, 1, &usual, &none(), kept);
        assert_eq!(growth.after(4), 1.0);
        assert!(growth.after(8) > 3.0, "the forecast of a week before");
        // Two days ahead, six days are enough for that.
        let growth = GapGrowth::fit(true, 7, &usual, &none(), kept);
        assert!(growth.after(1) > 3.0);
    }

    #[test]
    fn without_usual_errors_others_tell() {
        let of_many = GapFactors::fit([(0, 1.0), (3, 8.0), (3, 8.0)]).unwrap();
        let exact = errors((0..50).map(|_| (0, 0.0)));
        let growth = GapGrowth::fit(false, 1, &exact, &of_many, |_, _| Some(1.0));
        assert_eq!(growth.after(4), of_many.after(4));
        assert!(growth.after(4) > 1.0);
    }
}
