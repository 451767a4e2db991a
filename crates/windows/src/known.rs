//! One value a day, with what became of it later.
//!
//! Values that never change are kept once. Later values are few: a series of which nothing was late
//! has none, and reading it costs nothing.

use crate::error::WindowError;
use std::borrow::Cow;
use std::iter::Peekable;
use std::ops::Range;
use std::vec::IntoIter;

/// A later value of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaterValue {
    /// The day.
    pub day: usize,
    /// The first day on whose evening this value is known.
    pub from: usize,
    /// The value; `None` when there is none any more.
    pub value: Option<f64>,
}

/// Daily values as known on any evening.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KnownSeries {
    first: Vec<Option<f64>>,
    /// By day and then by evening.
    later: Vec<LaterValue>,
}

/// A series of which nothing was late.
impl From<Vec<Option<f64>>> for KnownSeries {
    fn from(first: Vec<Option<f64>>) -> Self {
        Self {
            first,
            later: Vec::new(),
        }
    }
}

impl KnownSeries {
    /// Each day as known on its own evening, and later values by day and then by evening.
    ///
    /// # Errors
    ///
    /// [`WindowError::NotLater`] for a later value that is out of order, of no day, or not later than
    /// its day.
    pub fn new(first: Vec<Option<f64>>, later: Vec<LaterValue>) -> Result<Self, WindowError> {
        let mut before = None;
        for value in &later {
            let at = (value.day, value.from);
            if value.day >= first.len() || value.from <= value.day || before >= Some(at) {
                return Err(WindowError::NotLater {
                    row: value.day,
                    from: value.from,
                });
            }
            before = Some(at);
        }
        Ok(Self { first, later })
    }

    /// The days from one on, which becomes day 0.
    ///
    /// # Panics
    ///
    /// When the series has fewer days.
    #[must_use]
    pub fn from_day(&self, first: usize) -> Self {
        let later = self.later_of(first..self.days()).iter();
        Self {
            first: self.first[first..].to_vec(),
            later: later
                .map(|value| LaterValue {
                    day: value.day - first,
                    from: value.from - first,
                    value: value.value,
                })
                .collect(),
        }
    }

    /// The series of a function of the values of two series of the same days.
    ///
    /// # Panics
    ///
    /// When one has fewer days than the other.
    #[must_use]
    pub fn with(&self, other: &Self, of: impl Fn(Option<f64>, Option<f64>) -> Option<f64>) -> Self {
        assert_eq!(self.days(), other.days(), "two series of the same days");
        let first = self.first.iter().zip(&other.first);
        let mut changes: Vec<(usize, usize)> = self
            .later
            .iter()
            .chain(&other.later)
            .map(|later| (later.day, later.from))
            .collect();
        changes.sort_unstable();
        changes.dedup();
        Self {
            first: first.map(|(left, right)| of(*left, *right)).collect(),
            later: changes
                .into_iter()
                .map(|(day, from)| LaterValue {
                    day,
                    from,
                    value: of(self.value(day, from), other.value(day, from)),
                })
                .collect(),
        }
    }

    /// Number of days.
    pub fn days(&self) -> usize {
        self.first.len()
    }

    /// The later values, by day and then by evening.
    pub fn later(&self) -> &[LaterValue] {
        &self.later
    }

    /// The later values of some days.
    pub(crate) fn later_of(&self, days: Range<usize>) -> &[LaterValue] {
        let start = self.later.partition_point(|value| value.day < days.start);
        let end = self.later.partition_point(|value| value.day < days.end);
        &self.later[start..end.max(start)]
    }

    /// The value of a day as known on the evening of `origin`. On an earlier evening than the day's
    /// own, it is the value known on its own.
    ///
    /// # Panics
    ///
    /// When the day is outside the series.
    pub fn value(&self, day: usize, origin: usize) -> Option<f64> {
        let next = self
            .later
            .partition_point(|value| (value.day, value.from) <= (day, origin));
        match next.checked_sub(1).map(|place| self.later[place]) {
            Some(later) if later.day == day => later.value,
            Some(_) | None => self.first[day],
        }
    }

    /// The days evening by evening, from the first on: as a whole much less work than [`Self::known`] on each.
    pub fn evenings(&self) -> Evenings<'_> {
        let mut changes: Vec<&LaterValue> = self.later.iter().collect();
        changes.sort_by_key(|value| value.from);
        Evenings {
            series: self,
            changes: changes.into_iter().peekable(),
            known: Vec::with_capacity(self.days()),
        }
    }

    /// The values of some days as known on the evening of `origin`.
    ///
    /// # Panics
    ///
    /// When a day is outside the series.
    pub fn known(&self, days: Range<usize>, origin: usize) -> Cow<'_, [Option<f64>]> {
        let first = &self.first[days.clone()];
        let later = self.later_of(days.clone());
        if later.iter().all(|value| value.from > origin) {
            return Cow::Borrowed(first);
        }
        let mut values = first.to_vec();
        for value in later.iter().filter(|value| value.from <= origin) {
            values[value.day - days.start] = value.value;
        }
        Cow::Owned(values)
    }
}

/// The days of a series up to an evening, as known on it, which goes on to the next evening.
#[derive(Debug, Clone)]
pub struct Evenings<'a> {
    series: &'a KnownSeries,
    /// The later values that are not known yet, by evening.
    changes: Peekable<IntoIter<&'a LaterValue>>,
    known: Vec<Option<f64>>,
}

impl Evenings<'_> {
    /// The days that are over, as known on the evening of the last of them. None in the beginning.
    pub fn known(&self) -> &[Option<f64>] {
        &self.known
    }

    /// Goes on to the evening of the next day. Returns the first day that is new or another one than
    /// before; `None` after the last day of the series.
    pub fn go_on(&mut self) -> Option<usize> {
        let evening = self.known.len();
        self.known.push(*self.series.first.get(evening)?);
        let mut changed = evening;
        while let Some(later) = self.changes.next_if(|later| later.from <= evening) {
            self.known[later.day] = later.value;
            changed = changed.min(later.day);
        }
        Some(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(day: usize, from: usize, value: Option<f64>) -> LaterValue {
        LaterValue { day, from, value }
    }

    #[test]
    fn a_late_value_counts_from_the_evening_it_was_known() {
        let first = vec![Some(1.0), None, Some(3.0)];
        let late = vec![
            later(1, 2, Some(2.0)),
            later(1, 4, None),
            later(2, 3, Some(3.5)),
        ];
        let series = KnownSeries::new(first, late).unwrap();
        let on = |origin| series.known(0..3, origin).into_owned();
        assert_eq!(on(1), [Some(1.0), None, Some(3.0)]);
        assert_eq!(on(2), [Some(1.0), Some(2.0), Some(3.0)]);
        assert_eq!(on(3), [Some(1.0), Some(2.0), Some(3.5)]);
        assert_eq!(on(4), [Some(1.0), None, Some(3.5)]);
        for origin in 0..6 {
            let known = series.known(1..3, origin);
            for day in 1..3 {
                assert_eq!(series.value(day, origin), known[day - 1]);
            }
        }
    }

    #[test]
    fn the_days_of_each_evening_are_those_known_on_it() {
        let first = vec![Some(1.0), None, Some(3.0), Some(4.0), None];
        let late = vec![
            later(0, 2, None),
            later(1, 2, Some(2.0)),
            later(1, 4, None),
            later(2, 3, Some(3.5)),
            later(3, 9, Some(4.5)),
        ];
        let series = KnownSeries::new(first, late).unwrap();
        let mut evenings = series.evenings();
        assert!(evenings.known().is_empty());
        let mut changed = Vec::new();
        while let Some(day) = evenings.go_on() {
            changed.push(day);
            let days = changed.len();
            assert_eq!(evenings.known(), &*series.known(0..days, days - 1));
        }
        assert_eq!(changed, [0, 1, 0, 2, 1]);
        assert_eq!(evenings.go_on(), None);
        assert_eq!(evenings.known().len(), series.days());
    }

    #[test]
    fn what_was_not_late_is_not_copied() {
        let series = KnownSeries::new(vec![Some(1.0), None], vec![later(1, 3, Some(2.0))]).unwrap();
        assert!(matches!(series.known(0..2, 2), Cow::Borrowed(_)));
        assert!(matches!(series.known(0..1, 3), Cow::Borrowed(_)));
        assert!(matches!(series.known(0..2, 3), Cow::Owned(_)));
        assert!(series.known(2..2, 3).is_empty());
    }

    #[test]
    fn a_later_value_that_is_not_later_is_refused() {
        for wrong in [
            vec![later(2, 3, None)],
            vec![later(0, 0, None)],
            vec![later(1, 2, None), later(0, 1, None)],
            vec![later(0, 1, None), later(0, 1, None)],
        ] {
            assert!(KnownSeries::new(vec![None, None], wrong).is_err());
        }
    }
}
