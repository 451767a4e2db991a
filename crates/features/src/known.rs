//! Rows as windows read them: each as known on the evening of its day, and the later versions of it.
//!
//! A window that is read on some evening sees every day as known on that evening, so late values and
//! corrections count from the evening by which they had arrived. Most rows never change. Those that
//! do have versions, and a version is computed from the one before: only what reads a changed field
//! is computed again.

use crate::catalogue::{LOOK_BACK_DAYS, catalogue};
use crate::daily::DailyTable;
use crate::daily_history::PersonData;
use crate::error::FeaturesError;
use crate::field::{FIELDS, Fields, of_metric};
use crate::row::{Changed, Evening, Kept};
use crate::table::{FeatureTable, Span};
use chrono::{Days, NaiveDate};
use vitalcast_domain::{AsOf, MetricType, Profile};

/// A later version of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct LaterRow {
    /// The row.
    pub row: usize,
    /// The row of the first evening that sees this version; always after `row`.
    pub from: usize,
    /// All features, in the order of the catalogue.
    pub values: Vec<Option<f64>>,
}

/// A later value of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaterValue {
    /// Place of the day.
    pub day: usize,
    /// Place of the first evening that sees this value; always after `day`.
    pub from: usize,
    /// The value from that evening on; `None` when it was withdrawn.
    pub value: Option<f64>,
}

/// The daily values of one metric with what became of them later.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnHistory {
    /// Days before the first row of the table. Places count from the first of them.
    pub days_before: usize,
    /// Each day as known on its own evening.
    pub first: Vec<Option<f64>>,
    /// Later values, by day and evening.
    pub later: Vec<LaterValue>,
}

/// Rows of consecutive days with their versions.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownTable {
    evenings: FeatureTable,
    later: Vec<LaterRow>,
    own_history: OwnHistory,
}

impl KnownTable {
    /// Each row as known on the evening of its day.
    pub fn evenings(&self) -> &FeatureTable {
        &self.evenings
    }

    /// The later versions of rows, by row and evening. Nothing late, no versions.
    pub fn later(&self) -> &[LaterRow] {
        &self.later
    }

    /// The metric's daily values.
    pub fn own_history(&self) -> &OwnHistory {
        &self.own_history
    }
}

/// The features of `first_day ..= last_day` and the daily values of `metric`, as known on every
/// evening from which windows of `lookback_days` read them, and never later than `as_of`.
///
/// The last such evening is that of the day after `last_day`: a forecast made during a day reads the
/// days before it, with what became known since midnight.
///
/// # Errors
///
/// The errors of [`crate::feature_table`]; [`FeaturesError::OtherMoment`] for days that do not hold at
/// `as_of`.
pub fn known_table<'a>(
    person: impl Into<PersonData<'a>>,
    metric: MetricType,
    first_day: NaiveDate,
    last_day: NaiveDate,
    lookback_days: usize,
    as_of: AsOf,
) -> Result<KnownTable, FeaturesError> {
    let span = Span::new(first_day, last_day)?;
    let person = person.into();
    let daily = person.table(span.looked_at, span.total, as_of)?;
    let evenings = span.features(person, &daily, as_of, |evening| evening);
    let changes = Changes::new(&daily, span.total);
    let mut later = Vec::new();
    if !changes.0.is_empty() {
        for row in 0..span.days {
            let versions = RowVersions {
                profile: person.profile(),
                span: &span,
                daily: &daily,
                changes: &changes,
                row,
                as_of,
            };
            versions.put_into(&mut later, &evenings, lookback_days);
        }
    }
    Ok(KnownTable {
        evenings,
        later,
        own_history: own_history(&daily, &span, metric),
    })
}

fn own_history(daily: &DailyTable, span: &Span, metric: MetricType) -> OwnHistory {
    let field = of_metric(metric);
    let first: Vec<Option<f64>> = (0..span.total)
        .map(|day| daily.value(field, day, day))
        .collect();
    let mut later = Vec::new();
    for (day, mut before) in first.iter().copied().enumerate() {
        for (from, ..) in daily.later(day) {
            let value = daily.value(field, day, from);
            if !is_same(value, before) {
                later.push(LaterValue { day, from, value });
                before = value;
            }
        }
    }
    OwnHistory {
        days_before: span.before,
        first,
        later,
    }
}

/// The fields that change on a later evening, by day and evening.
struct Changes(Vec<(usize, usize, Fields)>);

impl Changes {
    fn new(daily: &DailyTable, days: usize) -> Self {
        let mut changes = Vec::new();
        for day in 0..days {
            for (evening, before, from_then) in daily.later(day) {
                let fields = (0..FIELDS)
                    .filter(|&field| before[field].to_bits() != from_then[field].to_bits())
                    .fold(Fields::default(), |all, field| {
                        all.and(Fields::of(&[field]))
                    });
                if !fields.is_empty() {
                    changes.push((day, evening, fields));
                }
            }
        }
        Self(changes)
    }

    /// Those of some days.
    fn of(&self, days: std::ops::RangeInclusive<usize>) -> &[(usize, usize, Fields)] {
        let start = self.0.partition_point(|(day, ..)| day < days.start());
        let end = self.0.partition_point(|(day, ..)| day <= days.end());
        &self.0[start..end]
    }
}

/// The input of the later versions of one row.
struct RowVersions<'a> {
    profile: &'a Profile,
    span: &'a Span,
    daily: &'a DailyTable,
    changes: &'a Changes,
    row: usize,
    as_of: AsOf,
}

impl RowVersions<'_> {
    fn put_into(&self, later: &mut Vec<LaterRow>, first: &FeatureTable, lookback_days: usize) {
        let place = self.span.before + self.row;
        // No window reads the row on a later evening.
        let last = place + lookback_days;
        let read = place + 1 - LOOK_BACK_DAYS..=place;
        let mut changes: Vec<(usize, usize, Fields)> = self
            .changes
            .of(read)
            .iter()
            .filter(|(_, evening, _)| (place + 1..=last).contains(evening))
            .map(|&(day, evening, fields)| (evening, place - day, fields))
            .collect();
        if changes.is_empty() {
            return;
        }
        changes.sort_unstable_by_key(|(evening, back, _)| (*evening, *back));
        let day = self.span.first_day + Days::new(self.row as u64);
        let profile = self.profile;
        let mut values = first
            .row(self.row)
            .expect("the table has this row")
            .to_vec();
        for of_evening in changes.chunk_by(|left, right| left.0 == right.0) {
            let mut changed = Changed::default();
            for (_, back, fields) in of_evening {
                changed.add(*back, *fields);
            }
            let seen_from = of_evening[0].0;
            let evening = Evening {
                table: self.daily,
                place,
                seen_from,
                day,
                is_unfinished: self.as_of < profile.evening_of(day),
                profile,
                kept: Kept::default(),
            };
            let before = values.clone();
            evening.update(&mut values, &changed);
            let is_new = values
                .iter()
                .zip(&before)
                .any(|(value, before)| !is_same(*value, *before));
            if is_new {
                later.push(LaterRow {
                    row: self.row,
                    from: seen_from - self.span.before,
                    values: values.clone(),
                });
            }
        }
        debug_assert_eq!(values.len(), catalogue().len());
    }
}

/// Bit for bit.
pub(crate) fn is_same(left: Option<f64>, right: Option<f64>) -> bool {
    left.map(f64::to_bits) == right.map(f64::to_bits)
}
