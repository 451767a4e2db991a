//! A person's days in place of their records: all that forecasts read, without what they do not.
//!
//! The daily values of a few months take some ten kilobytes, and nothing of them needs parsing; the
//! records that they are made of take half a megabyte. From the same records both give the same tables,
//! bit for bit.
//!
//! They are made at a moment, and hold until the next record becomes known; for an earlier evening they
//! hold at any time.

use crate::daily::{DailyTable, daily_table};
use crate::error::FeaturesError;
use crate::field::FIELDS;
use crate::knowledge::Views;
use crate::table::MAX_DAYS;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::ops::Range;
use vitalcast_domain::{AsOf, History, MetricType, Profile, Record, UserId};

/// The daily values of one person with their versions.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyHistory {
    pub(crate) user: UserId,
    pub(crate) profile: Profile,
    /// The moment as of which they were made.
    pub(crate) made_at: DateTime<Utc>,
    /// Times when the last record that counts became known, and when the next one does.
    pub(crate) last_known: Option<DateTime<Utc>>,
    pub(crate) next_known: Option<DateTime<Utc>>,
    /// Days with a record, in order.
    pub(crate) days: Vec<Day>,
    pub(crate) views: Vec<View>,
    /// Fields of the views, and their values.
    pub(crate) fields: Vec<u8>,
    pub(crate) values: Vec<f64>,
    pub(crate) readings: Vec<Readings>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Day {
    pub(crate) date: NaiveDate,
    /// Time when the first version of a record of this day became known.
    pub(crate) first_known: DateTime<Utc>,
    /// End of its views.
    pub(crate) end: usize,
}

/// How a day looks from an evening on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    pub(crate) evening: NaiveDate,
    /// End of its fields.
    pub(crate) end: usize,
}

/// Number of versions of the readings of one metric and source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Readings {
    pub(crate) metric: MetricType,
    pub(crate) source: String,
    pub(crate) versions: usize,
}

const _: () = assert!(FIELDS <= u8::MAX as usize, "a byte for each field");

impl DailyHistory {
    /// The days of a person with the versions that are known at `now`.
    ///
    /// # Errors
    ///
    /// [`FeaturesError::TooManyDays`], [`FeaturesError::EndOfCalendar`].
    pub fn new(history: &History, now: DateTime<Utc>) -> Result<Self, FeaturesError> {
        let known = || {
            history
                .records
                .iter()
                .map(|record| record.provenance().known_at)
        };
        let mut made = Self {
            user: history.user.clone(),
            profile: history.profile.clone(),
            made_at: now,
            last_known: known().filter(|known_at| *known_at <= now).max(),
            next_known: known().filter(|known_at| *known_at > now).min(),
            days: Vec::new(),
            views: Vec::new(),
            fields: Vec::new(),
            values: Vec::new(),
            readings: readings(history),
        };
        let Some((first, last)) = history.span() else {
            return Ok(made);
        };
        let last = last.max(history.profile.day_of(now));
        let count = (last - first).num_days() + 1;
        if count > MAX_DAYS {
            return Err(FeaturesError::TooManyDays {
                days: count,
                limit: MAX_DAYS,
            });
        }
        let count = usize::try_from(count).expect("the last day is not before the first");
        let mut first_known: BTreeMap<NaiveDate, DateTime<Utc>> = BTreeMap::new();
        for provenance in history.records.iter().map(Record::provenance) {
            let known_at = first_known
                .entry(provenance.day)
                .or_insert(provenance.known_at);
            *known_at = provenance.known_at.min(*known_at);
        }
        let table = daily_table(history, first, count, now);
        for (date, first_known) in first_known {
            let place = usize::try_from((date - first).num_days()).expect("a day of the span");
            made.add_views(first, place, &table);
            made.days.push(Day {
                date,
                first_known,
                end: made.views.len(),
            });
        }
        // They stay for long.
        made.days.shrink_to_fit();
        made.views.shrink_to_fit();
        made.fields.shrink_to_fit();
        made.values.shrink_to_fit();
        Ok(made)
    }

    /// Adds the views of a day of a table that begins with `first`.
    pub(crate) fn add_views(&mut self, first: NaiveDate, place: usize, table: &DailyTable) {
        let mut before: Option<&[f64]> = None;
        for (evening, cells) in table.views_of(place) {
            if before.is_none_or(|before| !has_same_bits(before, cells)) {
                for (field, value) in cells.iter().enumerate() {
                    if !value.is_nan() {
                        self.fields.push(field as u8);
                        self.values.push(*value);
                    }
                }
                self.views.push(View {
                    evening: first + Days::new(evening as u64),
                    end: self.values.len(),
                });
            }
            before = Some(cells);
        }
    }

    /// Whether these days are those that the records show at a moment.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.last_known.is_none_or(|last| last <= now)
            && self.next_known.is_none_or(|next| now < next)
    }

    /// Memory that they take, bytes.
    pub fn bytes(&self) -> usize {
        let preferred = self.profile.preferred_sources.values().flatten();
        let sources = preferred.chain(self.readings.iter().map(|of| &of.source));
        size_of_val(self.days.as_slice())
            + size_of_val(self.views.as_slice())
            + self.fields.len()
            + size_of_val(self.values.as_slice())
            + size_of_val(self.readings.as_slice())
            + size_of_val(self.profile.moves.as_slice())
            + size_of_val(self.profile.cycle_starts.as_slice())
            + sources
                .map(|name| size_of_val(name) + name.len())
                .sum::<usize>()
            + size_of::<Self>()
    }

    /// First and last day with a record.
    pub(crate) fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        Some((self.days.first()?.date, self.days.last()?.date))
    }

    pub(crate) fn last_known_day(&self, last_day: NaiveDate, as_of: AsOf) -> Option<NaiveDate> {
        let days = self.days.iter().rev();
        days.filter(|day| day.date <= last_day)
            .find(|day| day.first_known <= as_of)
            .map(|day| day.date)
    }

    /// The table of some days, seen up to the evening of the day after the last of them.
    pub(crate) fn table(
        &self,
        first_day: NaiveDate,
        days: usize,
        as_of: AsOf,
    ) -> Result<DailyTable, FeaturesError> {
        let last_day = first_day + Days::new(days as u64) - Days::new(1);
        let last_evening = if self.holds_at(as_of) {
            NaiveDate::MAX
        } else {
            self.evening_at(as_of)
                .filter(|evening| last_day <= *evening)
                .ok_or(FeaturesError::OtherMoment(as_of))?
        };
        let mut views = Views::default();
        let mut values = Vec::with_capacity((days + 1) * FIELDS);
        let mut next = self.days.partition_point(|day| day.date < first_day);
        for (place, date) in first_day.iter_days().take(days + 1).enumerate() {
            views.begin_day();
            views.push(place);
            values.resize(values.len() + FIELDS, f64::NAN);
            if self.days.get(next).is_none_or(|day| day.date != date) {
                continue;
            }
            for view in self.views_of(next) {
                let evening = self.views[view].evening;
                let from = usize::try_from((evening - first_day).num_days()).unwrap_or(0);
                if from > place {
                    if from > days || evening > last_evening {
                        break;
                    }
                    views.push(from);
                    values.resize(values.len() + FIELDS, f64::NAN);
                }
                let row = values.len() - FIELDS;
                for cell in self.cells_of(view) {
                    values[row + usize::from(self.fields[cell])] = self.values[cell];
                }
            }
            next += 1;
        }
        views.end();
        Ok(DailyTable::new(views, values))
    }

    /// The day whose evening is at a moment that is over.
    pub(crate) fn evening_at(&self, as_of: AsOf) -> Option<NaiveDate> {
        let day = self.profile.day_of(as_of).pred_opt()?;
        (as_of <= self.made_at && self.profile.evening_of(day) == as_of).then_some(day)
    }

    pub(crate) fn views_of(&self, day: usize) -> Range<usize> {
        let start = day.checked_sub(1).map_or(0, |before| self.days[before].end);
        start..self.days[day].end
    }

    pub(crate) fn cells_of(&self, view: usize) -> Range<usize> {
        let start = view
            .checked_sub(1)
            .map_or(0, |before| self.views[before].end);
        start..self.views[view].end
    }
}

/// Number of versions by metric and source.
pub(crate) fn readings(history: &History) -> Vec<Readings> {
    let mut counts: BTreeMap<(MetricType, &str), usize> = BTreeMap::new();
    for record in &history.records {
        if let Record::HealthMetric(reading) = record {
            let source = reading.provenance.source.as_str();
            *counts.entry((reading.metric, source)).or_default() += 1;
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|((metric, source), versions)| Readings {
            metric,
            source: source.to_owned(),
            versions,
        })
        .collect()
}

fn has_same_bits(left: &[f64], right: &[f64]) -> bool {
    let mut pairs = left.iter().zip(right);
    pairs.all(|(left, right)| left.to_bits() == right.to_bits())
}

/// What is read of a person: records, or the days made of them.
#[derive(Debug, Clone, Copy)]
pub enum PersonData<'a> {
    /// All versions of all records.
    Records(&'a History),
    /// The days that were made of them.
    Days(&'a DailyHistory),
}

impl<'a> From<&'a History> for PersonData<'a> {
    fn from(history: &'a History) -> Self {
        Self::Records(history)
    }
}

impl<'a> From<&'a DailyHistory> for PersonData<'a> {
    fn from(days: &'a DailyHistory) -> Self {
        Self::Days(days)
    }
}

impl<'a> PersonData<'a> {
    /// Id of the person.
    pub fn user(self) -> &'a UserId {
        match self {
            Self::Records(history) => &history.user,
            Self::Days(days) => &days.user,
        }
    }

    /// Profile of the person.
    pub fn profile(self) -> &'a Profile {
        match self {
            Self::Records(history) => &history.profile,
            Self::Days(days) => &days.profile,
        }
    }

    /// First and last day with a record.
    pub fn span(self) -> Option<(NaiveDate, NaiveDate)> {
        match self {
            Self::Records(history) => history.span(),
            Self::Days(days) => days.span(),
        }
    }

    /// Last day up to `last_day` with a record that was known at `as_of`.
    pub fn last_known_day(self, last_day: NaiveDate, as_of: AsOf) -> Option<NaiveDate> {
        match self {
            Self::Records(history) => history
                .records
                .iter()
                .map(Record::provenance)
                .filter(|provenance| provenance.known_at <= as_of && provenance.day <= last_day)
                .map(|provenance| provenance.day)
                .max(),
            Self::Days(days) => days.last_known_day(last_day, as_of),
        }
    }

    /// Time after `now` when the next record becomes known.
    pub fn next_known(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Records(history) => {
                let known = history
                    .records
                    .iter()
                    .map(|record| record.provenance().known_at);
                known.filter(|known_at| *known_at > now).min()
            }
            Self::Days(days) => days.next_known.filter(|next| *next > now),
        }
    }

    /// The source of most readings of a metric; of equal ones the last by name.
    pub fn main_source(self, metric: MetricType) -> Option<&'a str> {
        match self {
            Self::Records(history) => {
                let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
                for record in &history.records {
                    if let Record::HealthMetric(reading) = record
                        && reading.metric == metric
                    {
                        let source = reading.provenance.source.as_str();
                        *counts.entry(source).or_default() += 1;
                    }
                }
                let most = counts.into_iter().max_by_key(|(_, versions)| *versions);
                most.map(|(source, _)| source)
            }
            Self::Days(days) => {
                let of_metric = days.readings.iter().filter(|of| of.metric == metric);
                let most = of_metric.max_by_key(|of| of.versions);
                most.map(|of| of.source.as_str())
            }
        }
    }

    /// The table of some days, seen up to the evening of the day after the last of them.
    pub(crate) fn table(
        self,
        first_day: NaiveDate,
        days: usize,
        as_of: AsOf,
    ) -> Result<DailyTable, FeaturesError> {
        match self {
            Self::Records(history) => Ok(daily_table(history, first_day, days + 1, as_of)),
            Self::Days(made) => made.table(first_day, days, as_of),
        }
    }
}
