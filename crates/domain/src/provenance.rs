//! Where a record comes from and when: what the source said, and what follows from it for a person.

use crate::day::Zone;
use crate::error::DomainError;
use crate::moment::Moment;
use crate::profile::Profile;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Timelike, Utc};
use serde::{Deserialize, Serialize};

/// What a source said about the time of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Time when it happened, or when its span began.
    pub at: Moment,
    /// End of its span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// The local day that it was said to be of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// Time when it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_at: Option<DateTime<Utc>>,
    /// Time of the last change in the source: the later one of two versions counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<DateTime<Utc>>,
}

/// Longest accepted session, hours.
const LONGEST_SESSION_HOURS: i64 = 36;

impl Told {
    /// Checks that the times do not contradict each other.
    ///
    /// # Errors
    ///
    /// [`DomainError::Times`].
    pub fn validate(&self) -> Result<(), DomainError> {
        // Times on a clock and dates are compared as if they were in UTC: a day of tolerance is enough for
        // any zone.
        let rough = |moment: Moment| match moment {
            Moment::Instant { at, .. } => at.naive_utc(),
            Moment::Clock(local) => local,
            Moment::Date(day) => day.and_time(chrono::NaiveTime::MIN),
        };
        let local = |moment: Moment| {
            moment
                .written_local_time()
                .unwrap_or_else(|| rough(moment))
                .date()
        };
        if let Some(until) = self.until {
            let comparable = std::mem::discriminant(&until) == std::mem::discriminant(&self.at);
            let length = rough(until) - rough(self.at);
            if comparable && length < TimeDelta::zero() {
                return Err(DomainError::Times("the end is before the start"));
            }
            if length > TimeDelta::hours(LONGEST_SESSION_HOURS) {
                return Err(DomainError::Times(
                    "the end is more than 36 hours after the start",
                ));
            }
        }
        if let Some(day) = self.day {
            let near = |moment: Moment| (local(moment) - day).num_days().abs() <= 1;
            if !near(self.at) && !self.until.is_some_and(near) {
                return Err(DomainError::Times(
                    "the day is more than one day away from the time",
                ));
            }
        }
        Ok(())
    }

    /// A time and nothing else.
    pub fn at(moment: Moment) -> Self {
        Self {
            at: moment,
            until: None,
            day: None,
            known_at: None,
            updated_at: None,
        }
    }
}

/// Source of a record, the time when it happened, and the time when it became known.
///
/// What the source said is in `told`. The other times follow from it and from the person's profile
/// ([`Record::place`](crate::Record::place)), so that setting a time zone right moves records to their right days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredProvenance")]
pub struct Provenance {
    /// The vendor, app or device, for example `fitbit`.
    pub source: String,
    /// Id within the source; the importer derives an id if the source has none.
    pub source_id: String,
    /// What the source said about its time.
    pub told: Told,
    /// Time when it happened (start of a period; for a night, the time of waking).
    pub observed_at: DateTime<Utc>,
    /// Start and end of its span, if the source gave both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Local time minus UTC at that moment, seconds.
    pub utc_offset_seconds: i32,
    /// The person's local day it belongs to. A night belongs to the day of waking.
    pub day: NaiveDate,
    /// Time when it became known to the person or app; never before it was over.
    pub known_at: DateTime<Utc>,
}

/// Start and end of a session, a workout, or the time over which an amount was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Its start.
    pub start: DateTime<Utc>,
    /// Its end, not before the start.
    pub end: DateTime<Utc>,
}

impl Span {
    /// Its length, hours.
    pub fn hours(self) -> f64 {
        (self.end - self.start).as_seconds_f64() / 3_600.0
    }
}

/// As written by this and by earlier releases; those kept no `told`.
#[derive(Deserialize)]
struct StoredProvenance {
    source: String,
    source_id: String,
    told: Option<Told>,
    observed_at: DateTime<Utc>,
    #[serde(default)]
    span: Option<Span>,
    utc_offset_seconds: i32,
    day: NaiveDate,
    known_at: DateTime<Utc>,
}

impl From<StoredProvenance> for Provenance {
    fn from(stored: StoredProvenance) -> Self {
        let offset = TimeDelta::seconds(i64::from(stored.utc_offset_seconds));
        let local = (stored.observed_at + offset).naive_utc();
        let told = stored.told.unwrap_or_else(|| {
            let from_midnight = local.time().num_seconds_from_midnight();
            // Earlier releases wrote a value by date at the start or the end of its day.
            if local.date() == stored.day && [0, 24 * 3_600 - 1].contains(&from_midnight) {
                Told::at(Moment::Date(stored.day))
            } else {
                Told {
                    day: (local.date() != stored.day).then_some(stored.day),
                    ..Told::at(Moment::instant(stored.observed_at))
                }
            }
        });
        Self {
            source: stored.source,
            source_id: stored.source_id,
            told,
            observed_at: stored.observed_at,
            span: stored.span,
            utc_offset_seconds: stored.utc_offset_seconds,
            day: stored.day,
            known_at: stored.known_at,
        }
    }
}

impl Provenance {
    /// Provenance of a record with the times that its source gave. Its day and instants are those in
    /// UTC until [`Record::place`](crate::Record::place) takes the person's profile.
    pub fn told(source: impl Into<String>, source_id: impl Into<String>, told: Told) -> Self {
        let mut provenance = Self {
            source: source.into(),
            source_id: source_id.into(),
            told,
            observed_at: DateTime::UNIX_EPOCH,
            span: None,
            utc_offset_seconds: 0,
            day: NaiveDate::default(),
            known_at: DateTime::UNIX_EPOCH,
        };
        provenance.place(&Profile::default(), Placing::Event);
        provenance
    }

    /// Provenance of a record that was known at the time when it happened; its day is in the person's
    /// time zone.
    pub fn at(
        source: impl Into<String>,
        source_id: impl Into<String>,
        observed_at: DateTime<Utc>,
        zone: Zone,
    ) -> Self {
        Self {
            source: source.into(),
            source_id: source_id.into(),
            told: Told::at(Moment::instant(observed_at)),
            observed_at,
            span: None,
            utc_offset_seconds: zone.offset_seconds(observed_at),
            day: zone.day_of(observed_at),
            known_at: observed_at,
        }
    }

    /// Provenance of a daily value that the vendor publishes at the end of the day: observed and known
    /// on that evening.
    pub fn of_day(
        source: impl Into<String>,
        source_id: impl Into<String>,
        day: NaiveDate,
        zone: Zone,
    ) -> Self {
        let evening = zone.evening_of(day);
        let observed_at = evening - TimeDelta::seconds(1);
        Self {
            source: source.into(),
            source_id: source_id.into(),
            told: Told::at(Moment::Date(day)),
            observed_at,
            span: None,
            utc_offset_seconds: zone.offset_seconds(observed_at),
            day,
            known_at: evening,
        }
    }

    /// The same record, said to have become known at a time.
    #[must_use]
    pub fn known(mut self, at: DateTime<Utc>) -> Self {
        self.told.known_at = Some(at);
        self.known_at = at.max(self.known_at);
        self
    }

    /// Local time at `observed_at`.
    pub fn local_time(&self) -> NaiveDateTime {
        (self.observed_at + TimeDelta::seconds(i64::from(self.utc_offset_seconds))).naive_utc()
    }

    /// Derives day and instants from what the source said.
    pub(crate) fn place(&mut self, profile: &Profile, placing: Placing) {
        let told = self.told;
        let instant = |moment: Moment| match moment {
            Moment::Instant { at, .. } => at,
            Moment::Clock(local) => profile.instant_of(local),
            Moment::Date(day) => profile.start_of_day(day),
        };
        // The day, and where the zone was asked for it, the instant and the offset then.
        let day_of = |moment: Moment| match (moment, moment.written_local_time()) {
            (Moment::Date(day), _) => (day, None),
            (_, Some(local)) => (profile.day_of_local(local), None),
            (moment, None) => {
                let at = instant(moment);
                let (day, offset) = profile.day_and_offset(at);
                (day, Some((at, offset)))
            }
        };
        let start = instant(told.at);
        let waking = told.until.filter(|until| instant(*until) >= start);
        self.span = waking
            .filter(|until| told.at.has_time() && until.has_time())
            .map(|until| Span {
                start,
                end: instant(until),
            });
        // Whatever day the source dates it by, a night belongs to the day of waking.
        let (day, offset) = match (placing, waking) {
            (Placing::Night, Some(until)) => day_of(until),
            (Placing::Night | Placing::Reading | Placing::Event, _) => {
                told.day.map_or_else(|| day_of(told.at), |day| (day, None))
            }
        };
        self.day = day;
        let (moment, observed_at) = match (placing, told.at, self.span) {
            (Placing::Night, _, Some(span)) => (told.until.unwrap_or(told.at), span.end),
            (Placing::Night | Placing::Reading, Moment::Date(_), _) => (
                told.at,
                profile.evening_of(self.day) - TimeDelta::seconds(1),
            ),
            (Placing::Night | Placing::Reading | Placing::Event, _, _) => (told.at, start),
        };
        self.observed_at = observed_at;
        self.utc_offset_seconds = match moment {
            Moment::Instant {
                offset_seconds: Some(offset),
                ..
            } => offset,
            Moment::Instant { .. } | Moment::Clock(_) | Moment::Date(_) => offset
                .filter(|(at, _)| *at == observed_at)
                .map_or_else(|| profile.offset_seconds(observed_at), |(_, offset)| offset),
        };
        let over = if told.at.has_time() {
            let end = self.span.map_or(observed_at, |span| span.end);
            match told.day {
                // A value that is said to be of a day is known when that day is over.
                Some(day) => end.clamp(profile.start_of_day(day), profile.evening_of(day)),
                None => end,
            }
        } else {
            profile.evening_of(self.day)
        };
        self.known_at = told.known_at.map_or(over, |known_at| known_at.max(over));
    }
}

/// How a record is placed on its day.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Placing {
    /// A meal, an activity or a tag: at its start.
    Event,
    /// A reading: a value of a date is observed at the end of that day.
    Reading,
    /// A reading of a night, which belongs to the day of waking.
    Night,
}
