//! Nights: sleep sessions that belong together.

use chrono::{DateTime, TimeDelta, Utc};
use std::cmp::Ordering;
use vitalcast_domain::{HealthMetric, NIGHT_GAP_MINUTES, Span};

/// Sessions of one source that are less than [`NIGHT_GAP_MINUTES`] apart: a night, or a nap.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Night<'a> {
    pub(crate) source: &'a str,
    pub(crate) start: DateTime<Utc>,
    pub(crate) end: DateTime<Utc>,
    /// Time asleep; the time awake between two sessions does not count.
    pub(crate) hours: f64,
    /// The last of its sessions.
    pub(crate) last: &'a HealthMetric,
    /// Span and time asleep of that session.
    latest: (Span, f64),
}

impl<'a> Night<'a> {
    fn of(session: &'a HealthMetric, span: Span) -> Self {
        Self {
            source: &session.provenance.source,
            start: span.start,
            end: span.end,
            hours: session.value,
            last: session,
            latest: (span, session.value),
        }
    }

    /// Adds a session that does not start before the last one.
    fn join(&mut self, session: &'a HealthMetric, span: Span) {
        let (before, asleep) = self.latest;
        let overlap = before.end.min(span.end) - span.start;
        let shorter = (before.end - before.start).min(span.end - span.start);
        if overlap <= TimeDelta::zero() {
            self.hours += session.value;
        } else if overlap * 2 >= shorter {
            // The same sleep in two versions: the one with more of it counts.
            if session.value <= asleep {
                return;
            }
            self.hours += session.value - asleep;
        } else {
            let twice = overlap.as_seconds_f64() / 3_600.0;
            self.hours += (session.value - twice).max(0.0);
        }
        self.latest = (span, session.value);
        if span.end >= self.end {
            self.end = span.end;
            self.last = session;
        }
    }

    /// How far a time is from the night; zero within it.
    pub(crate) fn distance(&self, at: DateTime<Utc>) -> TimeDelta {
        (self.start - at).max(at - self.end).max(TimeDelta::zero())
    }

    /// The longer sleep is the greater one; of two equal ones the earlier.
    pub(crate) fn by_length(&self, other: &Self) -> Ordering {
        self.hours
            .total_cmp(&other.hours)
            .then_with(|| other.start.cmp(&self.start))
    }
}

/// The nights and naps that sessions form, by source, in time order.
pub(crate) fn nights<'a>(sessions: impl Iterator<Item = &'a HealthMetric>) -> Vec<Night<'a>> {
    let mut sessions: Vec<(&HealthMetric, Span)> = sessions
        .filter_map(|session| Some((session, session.session()?)))
        .collect();
    sessions.sort_by(|(left, at), (right, other)| {
        let sources = left.provenance.source.cmp(&right.provenance.source);
        sources
            .then_with(|| (at.start, at.end).cmp(&(other.start, other.end)))
            .then_with(|| left.value.total_cmp(&right.value))
    });
    let mut nights: Vec<Night<'a>> = Vec::with_capacity(sessions.len());
    for (session, span) in sessions {
        match nights.last_mut() {
            Some(night)
                if night.source == session.provenance.source
                    && span.start - night.end < TimeDelta::minutes(NIGHT_GAP_MINUTES) =>
            {
                night.join(session, span);
            }
            _ => nights.push(Night::of(session, span)),
        }
    }
    nights
}
