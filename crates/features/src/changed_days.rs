//! The days of a person after a change of some of their records, without reading the others again.

use crate::daily::daily_table;
use crate::daily_history::{DailyHistory, Day, Readings, View, readings};
use crate::error::FeaturesError;
use crate::field::of_metric;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use vitalcast_domain::{AsOf, History, MetricType, Record};

impl DailyHistory {
    /// These days after the records of a few of them have changed, as they are known at `as_of`.
    ///
    /// `days` are the days whose records change, the day before the first of them and the day after the
    /// last: an evening may be the first part of the next day's night. For the same reason `before` and
    /// `after` hold the records of `days` and of a day more on each side, with all versions of each; they may
    /// hold those of more days. The result is what [`DailyHistory::new`] makes of all records, and is meant
    /// for `as_of` alone.
    ///
    /// # Errors
    ///
    /// [`FeaturesError::OtherMoment`] when these days do not hold at `as_of` and `as_of` is no evening that
    /// is over; [`FeaturesError::EndOfCalendar`].
    pub fn with_changed_days(
        &self,
        before: &History,
        after: &History,
        days: RangeInclusive<NaiveDate>,
        as_of: AsOf,
    ) -> Result<Self, FeaturesError> {
        if !self.holds_at(as_of) && self.evening_at(as_of).is_none() {
            return Err(FeaturesError::OtherMoment(as_of));
        }
        let (first, last) = (*days.start(), *days.end());
        let reach = self.profile.day_of(as_of).max(last);
        if first.pred_opt().is_none() || reach.checked_add_days(Days::new(2)).is_none() {
            return Err(FeaturesError::EndOfCalendar(first));
        }
        let count = usize::try_from((reach - first).num_days() + 1).unwrap_or(0);
        let known = || {
            let records = after.records.iter().map(Record::provenance);
            records.map(|provenance| provenance.known_at)
        };
        let table = daily_table(after, first, count, as_of);
        let mut changed = Self {
            user: self.user.clone(),
            profile: self.profile.clone(),
            made_at: self.made_at.max(as_of),
            last_known: self.last_known.max(known().filter(|at| *at <= as_of).max()),
            next_known: match (self.next_known, known().filter(|at| *at > as_of).min()) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            days: Vec::with_capacity(self.days.len() + 2),
            views: Vec::with_capacity(self.views.len() + 8),
            fields: Vec::with_capacity(self.fields.len() + 64),
            values: Vec::with_capacity(self.values.len() + 64),
            readings: self.readings_after(before, after),
        };
        let from = self.days.partition_point(|day| day.date < first);
        let until = self.days.partition_point(|day| day.date <= last);
        changed.add_days_of(self, 0..from);
        for (date, first_known) in first_known_of(after, &days) {
            let place = usize::try_from((date - first).num_days()).expect("a day of the range");
            changed.add_views(first, place, &table);
            changed.days.push(Day {
                date,
                first_known,
                end: changed.views.len(),
            });
        }
        changed.add_days_of(self, until..self.days.len());
        Ok(changed)
    }

    /// Adds days of others with their views as they are.
    fn add_days_of(&mut self, other: &Self, days: std::ops::Range<usize>) {
        for place in days {
            let views = other.views_of(place);
            for view in views {
                let cells = other.cells_of(view);
                self.fields.extend_from_slice(&other.fields[cells.clone()]);
                self.values.extend_from_slice(&other.values[cells]);
                self.views.push(View {
                    evening: other.views[view].evening,
                    end: self.values.len(),
                });
            }
            self.days.push(Day {
                end: self.views.len(),
                ..other.days[place]
            });
        }
    }

    /// Number of versions by metric and source, after the change.
    fn readings_after(&self, before: &History, after: &History) -> Vec<Readings> {
        let mut counts: BTreeMap<(_, &str), i64> = BTreeMap::new();
        let (before, after) = (readings(before), readings(after));
        for (list, sign) in [(&self.readings, 1), (&before, -1), (&after, 1)] {
            for of in list {
                let versions = i64::try_from(of.versions).unwrap_or(i64::MAX);
                *counts.entry((of.metric, &of.source)).or_default() += sign * versions;
            }
        }
        let counts = counts.into_iter();
        counts
            .filter_map(|((metric, source), versions)| {
                let versions = usize::try_from(versions).ok().filter(|some| *some > 0)?;
                Some(Readings {
                    metric,
                    source: source.to_owned(),
                    versions,
                })
            })
            .collect()
    }
}

/// The days of a range with a record, and when the first version of one became known.
fn first_known_of(
    history: &History,
    days: &RangeInclusive<NaiveDate>,
) -> BTreeMap<NaiveDate, DateTime<Utc>> {
    let mut first_known: BTreeMap<NaiveDate, DateTime<Utc>> = BTreeMap::new();
    for provenance in history.records.iter().map(Record::provenance) {
        if days.contains(&provenance.day) {
            let known_at = first_known
                .entry(provenance.day)
                .or_insert(provenance.known_at);
            *known_at = provenance.known_at.min(*known_at);
        }
    }
    first_known
}

/// The values of one day without its person and date: what days to come are put together from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DayCells {
    fields: Vec<u8>,
    values: Vec<f64>,
}

impl DayCells {
    /// The value of a metric type.
    pub fn value(&self, metric: MetricType) -> Option<f64> {
        let field = of_metric(metric) as u8;
        let place = self.fields.iter().position(|held| *held == field)?;
        Some(self.values[place])
    }

    /// Gives a metric type another value; none for no value.
    pub fn set(&mut self, metric: MetricType, value: Option<f64>) {
        let field = of_metric(metric) as u8;
        let place = self.fields.partition_point(|held| *held < field);
        let is_held = self.fields.get(place) == Some(&field);
        match (is_held, value) {
            (true, Some(value)) => self.values[place] = value,
            (true, None) => {
                self.fields.remove(place);
                self.values.remove(place);
            }
            (false, Some(value)) => {
                self.fields.insert(place, field);
                self.values.insert(place, value);
            }
            (false, None) => {}
        }
    }
}

impl DailyHistory {
    /// The values of a day as it looks last; `None` for a day without records.
    pub fn cells_of_day(&self, date: NaiveDate) -> Option<DayCells> {
        let place = self.days.binary_search_by_key(&date, |day| day.date).ok()?;
        let view = self.views_of(place).next_back()?;
        let cells = self.cells_of(view);
        Some(DayCells {
            fields: self.fields[cells.clone()].to_vec(),
            values: self.values[cells].to_vec(),
        })
    }

    /// The days up to one, as they are known at `as_of`: now, or an evening that is over.
    ///
    /// # Errors
    ///
    /// [`FeaturesError::OtherMoment`] for another moment.
    pub fn until(&self, last: NaiveDate, as_of: AsOf) -> Result<Self, FeaturesError> {
        let last_evening = match self.evening_at(as_of) {
            Some(evening) => evening,
            None if self.holds_at(as_of) => self.profile.day_of(as_of),
            None => return Err(FeaturesError::OtherMoment(as_of)),
        };
        let mut some = Self {
            made_at: as_of,
            last_known: self.last_known.map(|last| last.min(as_of)),
            next_known: None,
            days: Vec::new(),
            views: Vec::new(),
            fields: Vec::new(),
            values: Vec::new(),
            readings: self.readings.clone(),
            user: self.user.clone(),
            profile: self.profile.clone(),
        };
        for (place, day) in self.days.iter().enumerate() {
            if day.date > last || day.first_known > as_of {
                continue;
            }
            let views = self.views_of(place);
            for view in views.filter(|view| self.views[*view].evening <= last_evening) {
                let cells = self.cells_of(view);
                some.fields.extend_from_slice(&self.fields[cells.clone()]);
                some.values.extend_from_slice(&self.values[cells]);
                some.views.push(View {
                    evening: self.views[view].evening,
                    end: some.values.len(),
                });
            }
            some.days.push(Day {
                end: some.views.len(),
                ..*day
            });
        }
        Ok(some)
    }

    /// Adds the day after the last one, known when it is over; these days hold at that evening then.
    ///
    /// # Panics
    ///
    /// For a day that is not after the last one.
    pub fn push_day(&mut self, date: NaiveDate, cells: &DayCells) {
        let is_after = self.days.last().is_none_or(|last| last.date < date);
        assert!(is_after, "days are added in their order");
        let evening = self.profile.evening_of(date);
        self.fields.extend_from_slice(&cells.fields);
        self.values.extend_from_slice(&cells.values);
        self.views.push(View {
            evening: date,
            end: self.values.len(),
        });
        self.days.push(Day {
            date,
            first_known: evening,
            end: self.views.len(),
        });
        (self.made_at, self.last_known, self.next_known) = (evening, Some(evening), None);
    }
}
