//! A person's own history of the series, day by day.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Days of a week.
pub(crate) const WEEK: usize = 7;
/// Weights of the newest reading in the exponentially weighted means, quickest last.
const WEIGHTS: [f64; 5] = [0.03, 0.07, 0.15, 0.3, 0.5];
/// The one of them that is the person's level.
const LEVEL: usize = 1;
/// Readings of the two medians.
const MEDIANS: [usize; 2] = [7, 28];
/// Calendar days before the target.
const LAGS: [usize; 8] = [1, 2, 3, 4, 5, 6, 7, 14];
/// Readings before there is a level to deviate from.
pub(crate) const LEAST_READINGS: usize = 2;
/// How many weeks' worth of zeros the mean deviation of a weekday is shrunk by.
const WEEKDAY_PRIOR: f64 = 6.0;
/// Longest gap that is told apart, days.
const LONGEST_GAP: usize = 14;
/// Prior number of deviations in a person's spread.
const SPREAD_PRIOR: f64 = 8.0;
/// Squared deviations count up to this multiple of the prior.
const SPREAD_CAP: f64 = 25.0;
/// From the squared median of absolute deviations to a variance (2.2 ≈ 1.4826²).
const VARIANCE_OF_MEDIAN: f64 = 2.2;
/// From the squared mean of absolute deviations to a variance.
const VARIANCE_OF_MEAN: f64 = std::f64::consts::FRAC_PI_2;

/// Number of features of the own history.
pub(crate) const OWN: usize = 4 + WEIGHTS.len() + LAGS.len() + 3 + WEEK;
/// Place of the pull towards the mean of people.
pub(crate) const POPULATION_MEAN: usize = OWN - WEEK - 3;
/// Place of the gap.
pub(crate) const GAP: usize = OWN - WEEK - 1;
/// Place of the one feature that depends on the target's weekday. (The weekdays themselves are those of
/// the day after the origin: the coefficients of each lead count from there.)
pub(crate) const WEEKDAY_MEAN: usize = OWN - WEEK - 2;

/// What the deviations of a person are measured from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Base {
    /// The last reading: of series that wander, such as those a vendor smooths.
    Last,
    /// The exponentially weighted mean: of series that return to a level.
    Level,
}

/// What people of one source have in common.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Population {
    /// What deviations are measured from.
    pub(crate) base: Base,
    /// Prior variance of deviations.
    pub(crate) variance: f64,
    /// Variance within people.
    pub(crate) within: f64,
    /// Mean of people's means.
    pub(crate) mean: f64,
    /// Variance within people over variance between their means: how many readings say as much as the
    /// population does.
    pub(crate) prior_readings: f64,
}

impl Population {
    /// The prior variance of absolute deviations, by their median; by their mean where the median is 0, as
    /// in a series of whole numbers of which every other day repeats the last (Iglewicz and Hoaglin 1993).
    /// Both are those of a normal distribution.
    pub(crate) fn variance_of(deviations: &mut [f64]) -> f64 {
        let middle = median(deviations);
        if middle == 0.0 {
            let mean = deviations.iter().sum::<f64>() / deviations.len() as f64;
            return VARIANCE_OF_MEAN * mean * mean;
        }
        VARIANCE_OF_MEDIAN * middle * middle
    }
}

/// An exponentially weighted mean over readings, in which gaps do not count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Smoothed {
    sum: f64,
    weight: f64,
}

impl Smoothed {
    pub(crate) fn add(&mut self, value: f64, newest: f64) {
        self.sum = self.sum * (1.0 - newest) + value;
        self.weight = self.weight * (1.0 - newest) + 1.0;
    }

    /// `NaN` before the first reading.
    pub(crate) fn mean(self) -> f64 {
        self.sum / self.weight
    }

    /// With the weight that makes it the person's level.
    pub(crate) fn add_to_level(&mut self, value: f64) {
        self.add(value, WEIGHTS[LEVEL]);
    }
}

/// The own history up to some day.
#[derive(Debug, Clone)]
pub(crate) struct OwnHistory {
    readings: usize,
    sum: f64,
    smoothed: [Smoothed; WEIGHTS.len()],
    /// The newest last.
    recent: VecDeque<f64>,
    /// Calendar days, the newest last.
    days: VecDeque<f64>,
    days_since: usize,
    weekdays: [(f64, usize); WEEK],
    squares: f64,
    deviations: usize,
    /// Whether the person's own deviations count in the spread.
    has_own_spread: bool,
    all_whole: bool,
}

impl OwnHistory {
    pub(crate) fn new(has_own_spread: bool) -> Self {
        Self {
            readings: 0,
            sum: 0.0,
            smoothed: [Smoothed::default(); WEIGHTS.len()],
            recent: VecDeque::with_capacity(MEDIANS[1]),
            days: VecDeque::with_capacity(LAGS[LAGS.len() - 1]),
            days_since: 0,
            weekdays: [(0.0, 0); WEEK],
            squares: 0.0,
            deviations: 0,
            has_own_spread,
            all_whole: true,
        }
    }

    pub(crate) fn readings(&self) -> usize {
        self.readings
    }

    /// Days without a reading since the last one.
    pub(crate) fn gap(&self) -> usize {
        self.days_since
    }

    /// Mean of all readings; `NaN` before the first.
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.readings as f64
    }

    /// Whether all readings were whole numbers: then forecasts are.
    pub(crate) fn is_whole(&self) -> bool {
        self.all_whole && self.readings > 0
    }

    /// What deviations are measured from; `None` while there are too few readings.
    pub(crate) fn base(&self, base: Base) -> Option<f64> {
        (self.readings >= LEAST_READINGS).then(|| match base {
            Base::Last => self.recent[self.recent.len() - 1],
            Base::Level => self.smoothed[LEVEL].mean(),
        })
    }

    /// The person's day-to-day spread: the root of the mean squared deviation, with a prior.
    pub(crate) fn spread(&self, population: &Population) -> f64 {
        let prior = SPREAD_PRIOR * population.variance;
        ((prior + self.squares) / (SPREAD_PRIOR + self.deviations as f64)).sqrt()
    }

    /// Adds the next day: the value in the scale of the model, and as it was measured.
    pub(crate) fn push(
        &mut self,
        value: Option<f64>,
        measured: Option<f64>,
        weekday: usize,
        population: &Population,
    ) {
        if self.days.len() == LAGS[LAGS.len() - 1] {
            self.days.pop_front();
        }
        self.days.push_back(value.unwrap_or(f64::NAN));
        let Some(value) = value else {
            self.days_since += 1;
            return;
        };
        if let Some(base) = self.base(population.base) {
            if self.has_own_spread {
                let square = (value - base).powi(2);
                self.squares += square.min(SPREAD_CAP * population.variance);
                self.deviations += 1;
            }
            let (sum, count) = &mut self.weekdays[weekday];
            *sum += value - self.smoothed[LEVEL].mean();
            *count += 1;
        }
        self.all_whole &= measured.is_some_and(|measured| measured.fract() == 0.0);
        self.readings += 1;
        self.sum += value;
        for (smoothed, weight) in self.smoothed.iter_mut().zip(WEIGHTS) {
            smoothed.add(value, weight);
        }
        if self.recent.len() == MEDIANS[1] {
            self.recent.pop_front();
        }
        self.recent.push_back(value);
        self.days_since = 0;
    }

    /// The mean deviation from the level on the weekday of the day `lead` days ahead, where the next day
    /// is a `next` (0 for Monday), shrunk to 0.
    pub(crate) fn weekday_mean(&self, next: usize, lead: usize) -> f64 {
        let (sum, count) = self.weekdays[(next + lead - 1) % WEEK];
        sum / (count as f64 + WEEKDAY_PRIOR)
    }

    /// Writes the features of a target `lead` days ahead, where the next day is a `next` (0 for Monday):
    /// [`OWN`] of them, `NaN` where there is none. `None` while there is no base.
    pub(crate) fn features(
        &self,
        lead: usize,
        next: usize,
        population: &Population,
        into: &mut [f64],
    ) -> Option<()> {
        let base = self.base(population.base)?;
        let spread = self.spread(population);
        let mut place = into.iter_mut();
        let mut put = |value: f64| {
            if let Some(place) = place.next() {
                *place = value;
            }
        };
        let relative = |value: f64| (value - base) / spread;
        put(relative(self.recent[self.recent.len() - 1]));
        put(relative(self.mean()));
        for count in MEDIANS {
            let start = self.recent.len().saturating_sub(count);
            let mut last: Vec<f64> = self.recent.iter().skip(start).copied().collect();
            put(relative(median(&mut last)));
        }
        for smoothed in self.smoothed {
            put(relative(smoothed.mean()));
        }
        for lag in LAGS {
            let day = self.days.len().checked_sub(lag).map(|day| self.days[day]);
            put(relative(day.unwrap_or(f64::NAN)));
        }
        let prior = population.prior_readings;
        let shrunk = prior * (population.mean - self.mean()) / (self.readings as f64 + prior);
        put(shrunk / spread);
        put(self.weekday_mean(next, lead) / spread);
        put(((self.days_since + 1).min(LONGEST_GAP) as f64).ln());
        for weekday in 0..WEEK {
            put(f64::from(u8::from(weekday == next)));
        }
        Some(())
    }
}

/// The names of the features of the own history, in their order.
pub(crate) fn own_names() -> Vec<String> {
    let mut names = vec!["last".to_owned(), "mean".to_owned()];
    names.extend(MEDIANS.map(|count| format!("median of {count} readings")));
    names.extend(WEIGHTS.map(|weight| format!("smoothed, {weight}")));
    names.extend(LAGS.map(|lag| format!("{lag} days before")));
    names.extend(["population", "weekday's own mean", "gap"].map(str::to_owned));
    names.extend(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].map(str::to_owned));
    names
}

/// The median; `NaN` of nothing.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, value, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return *value;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POPULATION: Population = Population {
        base: Base::Level,
        variance: 4.0,
        within: 4.0,
        mean: 70.0,
        prior_readings: 2.0,
    };

    /// Day 0 is a Monday.
    fn after(values: &[Option<f64>], population: &Population) -> OwnHistory {
        let mut history = OwnHistory::new(true);
        for (day, value) in values.iter().enumerate() {
            history.push(*value, *value, day % WEEK, population);
        }
        history
    }

    fn features(history: &OwnHistory, lead: usize, next: usize, of: &Population) -> Vec<f64> {
        let mut into = vec![0.0; OWN];
        history.features(lead, next, of, &mut into).unwrap();
        into
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found}, expected {expected}"
        );
    }

    #[test]
    fn there_is_no_base_before_two_readings() {
        let history = after(&[None, Some(60.0), None], &POPULATION);
        assert_eq!(history.base(Base::Last), None);
        assert_eq!(history.features(1, 3, &POPULATION, &mut [0.0; OWN]), None);
        assert_eq!((history.readings(), history.gap()), (1, 1));
    }

    #[test]
    fn features_of_four_readings_with_gaps_by_hand() {
        // Monday 60, Wednesday 64, Thursday 62, next Monday 66; the next day is a Wednesday.
        let values = [
            Some(60.0),
            None,
            Some(64.0),
            Some(62.0),
            None,
            None,
            None,
            Some(66.0),
            None,
        ];
        let history = after(&values, &POPULATION);
        let smoothed = |weight: f64| {
            let keep = 1.0 - weight;
            let sum = 60.0 * keep.powi(3) + 64.0 * keep.powi(2) + 62.0 * keep + 66.0;
            sum / (keep.powi(3) + keep.powi(2) + keep + 1.0)
        };
        let base = smoothed(0.07);
        close(history.base(Base::Level).unwrap(), base);
        assert_eq!(history.base(Base::Last), Some(66.0));
        // Two readings came after there was a base, at that time of two and of three readings.
        let of_two = (60.0 * 0.93 + 64.0) / 1.93;
        let of_three = (60.0 * 0.93 * 0.93 + 64.0 * 0.93 + 62.0) / (0.93 * 0.93 + 1.93);
        let squares = (62.0_f64 - of_two).powi(2) + (66.0_f64 - of_three).powi(2);
        let spread = f64::sqrt((8.0 * 4.0 + squares) / 10.0);
        close(history.spread(&POPULATION), spread);
        let found = features(&history, 1, 2, &POPULATION);
        let relative = |value: f64| (value - base) / spread;
        let expected = [66.0, 63.0, 63.0, 63.0].map(relative);
        for (found, expected) in found.iter().zip(expected) {
            close(*found, expected);
        }
        for (found, weight) in found[4..9].iter().zip(WEIGHTS) {
            close(*found, relative(smoothed(weight)));
        }
        // 1 to 7 and 14 days before.
        let lags = [
            None,
            Some(66.0),
            None,
            None,
            None,
            Some(62.0),
            Some(64.0),
            None,
        ];
        for (found, lag) in found[9..17].iter().zip(lags) {
            match lag {
                Some(value) => close(*found, relative(value)),
                None => assert!(found.is_nan()),
            }
        }
        close(found[17], 2.0 * (70.0 - 63.0) / (4.0 + 2.0) / spread);
        // No Wednesday came after there was a base; a Thursday did, and a Monday.
        assert_eq!(found[WEEKDAY_MEAN], 0.0);
        let thursday = features(&history, 2, 2, &POPULATION)[WEEKDAY_MEAN];
        close(thursday, (62.0 - of_two) / 7.0 / spread);
        let monday = features(&history, 6, 2, &POPULATION)[WEEKDAY_MEAN];
        close(monday, (66.0 - of_three) / 7.0 / spread);
        close(found[19], 2.0_f64.ln());
        assert_eq!(found[20..], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(own_names().len(), OWN);
        assert_eq!(own_names()[WEEKDAY_MEAN], "weekday's own mean");
    }

    #[test]
    fn a_wandering_series_is_measured_from_its_last_reading() {
        let population = Population {
            base: Base::Last,
            ..POPULATION
        };
        let history = after(&[Some(60.0), Some(61.0), Some(63.0), None], &population);
        close(history.spread(&population), f64::sqrt((32.0 + 4.0) / 9.0));
        let found = features(&history, 1, 4, &population);
        assert_eq!(found[0], 0.0);
        close(found[10], 0.0);
    }

    #[test]
    fn one_odd_day_counts_as_five_spreads() {
        let population = Population {
            base: Base::Last,
            ..POPULATION
        };
        let history = after(&[Some(60.0), Some(60.0), Some(9_999.0)], &population);
        close(history.spread(&population), f64::sqrt((32.0 + 100.0) / 9.0));
    }

    #[test]
    fn gaps_are_told_apart_up_to_two_weeks() {
        let mut values = vec![Some(60.0), Some(61.0)];
        values.extend([None; 40]);
        let history = after(&values, &POPULATION);
        assert_eq!(history.gap(), 40);
        close(features(&history, 1, 0, &POPULATION)[19], 14.0_f64.ln());
    }

    #[test]
    fn one_reading_with_a_fraction_ends_whole_numbers() {
        assert!(after(&[Some(60.0), None, Some(61.0)], &POPULATION).is_whole());
        assert!(!after(&[Some(60.0), Some(61.5)], &POPULATION).is_whole());
        assert!(!after(&[None], &POPULATION).is_whole());
    }

    #[test]
    fn deviations_of_which_most_are_zero_have_a_variance() {
        let variance = Population::variance_of(&mut [0.0, 1.0, 0.0, 0.0, 2.0]);
        close(variance, std::f64::consts::FRAC_PI_2 * 0.6 * 0.6);
        close(Population::variance_of(&mut [0.0, 1.0, 3.0]), 2.2);
        assert_eq!(Population::variance_of(&mut [0.0, 0.0]), 0.0);
        assert!(Population::variance_of(&mut []).is_nan());
    }

    #[test]
    fn medians_by_hand() {
        assert!(median(&mut []).is_nan());
        assert_eq!(median(&mut [3.0]), 3.0);
        assert_eq!(median(&mut [9.0, 1.0]), 5.0);
        assert_eq!(median(&mut [9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&mut [9.0, 1.0, 2.0, 4.0]), 3.0);
    }
}
