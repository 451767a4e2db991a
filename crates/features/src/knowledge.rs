//! Knowledge over time: the evenings on which a version of a record counts.
//!
//! A version counts from the first evening at which it was known until a later version of the same
//! record is known. The day a record belongs to is seen differently from different evenings only
//! when something about it was late or corrected; each such evening starts a new *view* of the day.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::collections::HashMap;
use vitalcast_domain::{AsOf, History, MetricType, NIGHT_GAP_MINUTES, Record, RecordKind, Span};

/// The evenings of a span of days, looked up many times.
pub(crate) struct Calendar {
    pub(crate) first_day: NaiveDate,
    evenings: Vec<DateTime<Utc>>,
}

impl Calendar {
    pub(crate) fn new(history: &History, first_day: NaiveDate, days: usize) -> Self {
        Self {
            first_day,
            evenings: first_day
                .iter_days()
                .take(days)
                .map(|day| history.profile.evening_of(day))
                .collect(),
        }
    }

    /// Place of a day in the span.
    pub(crate) fn place(&self, day: NaiveDate) -> Option<usize> {
        let place = usize::try_from((day - self.first_day).num_days()).ok()?;
        (place < self.evenings.len()).then_some(place)
    }

    /// First evening of the span, not before `day`, by which an instant has come.
    fn first_evening(&self, day: usize, known_at: DateTime<Utc>) -> Option<usize> {
        let evenings = &self.evenings[day..];
        if evenings.first().is_some_and(|evening| known_at <= *evening) {
            return Some(day);
        }
        let place = day + evenings.partition_point(|evening| *evening < known_at);
        (place < self.evenings.len()).then_some(place)
    }
}

/// A version of a record with the evenings from which it is seen.
pub(crate) struct Visible<'a> {
    pub(crate) record: &'a Record,
    /// Place of its day.
    pub(crate) day: usize,
    /// First evening it is seen.
    pub(crate) from: usize,
    /// First evening it is no longer seen; the end of the span for the last version.
    pub(crate) until: usize,
}

/// The identity of a record: records with the same identity are versions of each other.
type Identity<'a> = (RecordKind, Option<MetricType>, &'a str, &'a str);

fn identity(record: &Record) -> Identity<'_> {
    let metric = match record {
        Record::HealthMetric(reading) => Some(reading.metric),
        Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => None,
    };
    let provenance = record.provenance();
    (
        record.kind(),
        metric,
        &provenance.source,
        &provenance.source_id,
    )
}

/// The versions that are seen at all from the span's evenings with what was known at `as_of`, in an
/// order that does not depend on that of the history.
pub(crate) fn visible<'a>(
    history: &'a History,
    calendar: &Calendar,
    as_of: AsOf,
) -> Vec<Visible<'a>> {
    let end = calendar.evenings.len();
    let mut versions: Vec<(Identity<'_>, usize, &Record)> = history
        .records
        .iter()
        .enumerate()
        .filter(|(_, record)| record.provenance().known_at <= as_of)
        .map(|(place, record)| (identity(record), place, record))
        .collect();
    // A correction may move a record to another day, so versions are put together before days are
    // looked at. Versions known at one moment count in the order they were written.
    versions.sort_by(|left, right| {
        let moment = |entry: &(_, usize, &Record)| (entry.2.provenance().known_at, entry.1);
        left.0
            .cmp(&right.0)
            .then_with(|| moment(left).cmp(&moment(right)))
    });
    let mut seen = Vec::with_capacity(versions.len());
    for (index, (identity, _, record)) in versions.iter().enumerate() {
        let next = versions.get(index + 1).filter(|next| next.0 == *identity);
        let Some(day) = calendar.place(record.provenance().day) else {
            continue;
        };
        let Some(from) = calendar.first_evening(day, record.provenance().known_at) else {
            continue;
        };
        let until = next
            .map_or(Some(end), |(.., next)| {
                calendar
                    .first_evening(0, next.provenance().known_at)
                    .or(Some(end))
            })
            .unwrap_or(end);
        if from < until {
            seen.push(Visible {
                record,
                day,
                from,
                until,
            });
        }
    }
    seen.sort_by(|left, right| {
        let moment = |visible: &Visible<'_>| {
            let provenance = visible.record.provenance();
            (visible.day, provenance.observed_at)
        };
        moment(left)
            .cmp(&moment(right))
            .then_with(|| identity(left.record).cmp(&identity(right.record)))
            .then_with(|| left.from.cmp(&right.from))
    });
    seen
}

/// The views of every day: evenings at which the day starts to look different, the first of them
/// the day's own.
#[derive(Default)]
pub(crate) struct Views {
    /// First view of each day; one more entry at the end.
    starts: Vec<usize>,
    /// Evening from which each view holds, ascending within a day.
    evenings: Vec<usize>,
}

impl Views {
    pub(crate) fn new(days: usize, visible: &[Visible<'_>]) -> Self {
        let mut changes: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut change = |day: usize, evening: usize| {
            if evening > day && evening < days {
                changes.entry(day).or_default().push(evening);
            }
        };
        // The sleeps of the day and of the day before.
        let (mut of_day, mut of_day_before) = (Sleeps::default(), Sleeps::default());
        for version in visible {
            let evenings = [version.from, version.until];
            // What is of a night may be its first part, in the evening of the day before.
            let last_day = version.day + usize::from(is_of_a_night(version.record));
            for evening in evenings {
                for day in version.day..=last_day {
                    change(day, evening);
                }
            }
            let Some((source, span)) = sleep(version.record) else {
                continue;
            };
            if of_day.day != version.day {
                let is_next = of_day.day + 1 == version.day;
                of_day_before = if is_next { of_day } else { Sleeps::default() };
                of_day = Sleeps {
                    day: version.day,
                    spans: Vec::new(),
                };
            }
            // A sleep that goes on after the end of a day is no night of that day.
            if of_day_before.spans.iter().any(|(other, before)| {
                *other == source && span.start - before.end < TimeDelta::minutes(NIGHT_GAP_MINUTES)
            }) {
                for evening in evenings {
                    change(of_day_before.day, evening);
                }
            }
            of_day.spans.push((source, span));
        }
        let mut views = Self::default();
        for day in 0..days {
            views.begin_day();
            views.push(day);
            if let Some(mut later) = changes.remove(&day) {
                later.sort_unstable();
                later.dedup();
                views.evenings.extend(later);
            }
        }
        views.end();
        views
    }

    /// Begins the views of the next day.
    pub(crate) fn begin_day(&mut self) {
        self.starts.push(self.evenings.len());
    }

    /// Adds a view, in the order of their evenings.
    pub(crate) fn push(&mut self, evening: usize) {
        self.evenings.push(evening);
    }

    /// Ends the views of the last day.
    pub(crate) fn end(&mut self) {
        self.starts.push(self.evenings.len());
    }

    /// Number of views of all days.
    pub(crate) fn count(&self) -> usize {
        self.evenings.len()
    }

    /// The views of a day after the first, each with the evening from which it holds.
    pub(crate) fn later(&self, day: usize) -> impl Iterator<Item = (usize, usize)> {
        (self.starts[day] + 1..self.starts[day + 1]).map(|view| (view, self.evenings[view]))
    }

    /// All views of a day, each with the evening from which it holds.
    pub(crate) fn views_of(&self, day: usize) -> impl Iterator<Item = (usize, usize)> {
        (self.starts[day]..self.starts[day + 1]).map(|view| (view, self.evenings[view]))
    }

    /// The view of a day from an evening that is not before it.
    pub(crate) fn seen(&self, day: usize, evening: usize) -> usize {
        // Views are few, and most evenings come after the last of them.
        let (start, mut view) = (self.starts[day], self.starts[day + 1] - 1);
        while view > start && self.evenings[view] > evening {
            view -= 1;
        }
        view
    }

    /// The evenings at which the views of a day begin.
    pub(crate) fn evenings_of(&self, day: usize) -> impl Iterator<Item = usize> {
        let range = self.starts[day]..self.starts[day + 1];
        self.evenings[range].iter().copied()
    }
}

/// The sleeps of one day: source and span.
#[derive(Default)]
struct Sleeps<'a> {
    day: usize,
    spans: Vec<(&'a str, Span)>,
}

fn is_of_a_night(record: &Record) -> bool {
    match record {
        Record::HealthMetric(reading) => reading.metric.is_of_the_night(),
        Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => false,
    }
}

/// Source and span of a sleep session.
fn sleep(record: &Record) -> Option<(&str, Span)> {
    match record {
        Record::HealthMetric(reading) => Some((&reading.provenance.source, reading.session()?)),
        Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => None,
    }
}
