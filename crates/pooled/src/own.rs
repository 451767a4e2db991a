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

/// Number of features of the own history.
pub(crate) const OWN: usize = 4 + WEIGHTS.len() + LAGS.len() + 3 + WEEK;
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
    /// Mean of people's means.
    pub(crate) mean: f64,
    /// Variance within people over variance between their means: how many readings say as much as the
    /// population does.
    pub(crate) prior_readings: f64,
}

impl Population {
    /// The prior variance of absolute deviations.
    pub(crate) fn variance_of(deviations: &mut [f64]) -> f64 {
        let middle = median(deviations);
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
    all_whole: bool,
}

impl OwnHistory {
    pub(crate) fn new() -> Self {
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
            all_whole: true,
        }
    }

    pub(crate) fn readings(&self) -> usize {
        self.readings
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
            let square = (value - base).powi(2);
            self.squares += square.min(SPREAD_CAP * population.variance);
            self.deviations += 1;
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
