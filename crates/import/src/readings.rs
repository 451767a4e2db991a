//! What readers of vendors' exports share: readings, nights, workouts and meals become records. A number
//! that says "not measured" is left out and counted; a value that cannot be is rejected with its place.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::report::{Reject, SkipReason};
use crate::table::{Fault, Row};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::path::Path;
use vitalcast_domain::{
    HealthMetric, MetricType, Moment, Profile, Provenance, ReadingKind, Record, Told, Unit, UserId,
};

/// Hour at which a value of the night that has no time becomes known.
const MORNING: i64 = 12;
/// Longest `source` and id, bytes.
const LONGEST: usize = 200;

/// A place in a file, for rejected rows: the line, or the number of the row or element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    pub(crate) file: &'p Path,
    pub(crate) line: u64,
}

impl Place<'_> {
    pub(crate) fn reject(self, (reason, message): Fault) -> Reject {
        Reject {
            file: self.file.to_owned(),
            line: self.line,
            reason,
            message,
        }
    }
}

impl<'t> Row<'t> {
    /// Its place in the file.
    pub(crate) fn place(&self) -> Place<'t> {
        Place {
            file: self.file(),
            line: self.line(),
        }
    }
}

/// A value of a metric as its vendor gives it.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    metric: MetricType,
    value: f64,
    unit: Unit,
    told: Told,
    kind: Option<ReadingKind>,
    id: Option<String>,
}

impl Reading {
    /// The value or total of a local day, known when the day is over.
    pub(crate) fn of_day(metric: MetricType, value: f64, unit: Unit, day: NaiveDate) -> Self {
        Self::new(metric, value, unit, Told::at(Moment::Date(day)), None)
    }

    /// The value of the night before the morning of a day, known at noon.
    pub(crate) fn of_morning(metric: MetricType, value: f64, unit: Unit, day: NaiveDate) -> Self {
        let noon = day.and_time(NaiveTime::MIN) + TimeDelta::hours(MORNING);
        let told = Told {
            day: Some(day),
            ..Told::at(Moment::Clock(noon))
        };
        Self::new(metric, value, unit, told, Some(ReadingKind::DayValue))
    }

    /// A measurement at a time.
    pub(crate) fn at(metric: MetricType, value: f64, unit: Unit, at: Moment) -> Self {
        Self::new(metric, value, unit, Told::at(at), None)
    }

    fn new(
        metric: MetricType,
        value: f64,
        unit: Unit,
        told: Told,
        kind: Option<ReadingKind>,
    ) -> Self {
        Self {
            metric,
            value,
            unit,
            told,
            kind,
            id: None,
        }
    }

    /// The same, with the id that its vendor gives it; without one, metric and time identify it.
    #[must_use]
    pub(crate) fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The same, of this local day.
    #[must_use]
    pub(crate) fn day(mut self, day: NaiveDate) -> Self {
        self.told.day = Some(day);
        self
    }

    /// The same, over a time that ends then.
    #[must_use]
    pub(crate) fn until(mut self, until: Moment) -> Self {
        self.told.until = Some(until);
        self
    }

    /// The same, of this kind.
    #[must_use]
    pub(crate) fn kind(mut self, kind: ReadingKind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// The same, known from a time on, and not before it is over.
    #[must_use]
    pub(crate) fn known(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.told.known_at = at;
        self
    }

    /// The same, changed last at a time in its source: of two versions the later one counts.
    #[must_use]
    pub(crate) fn updated(mut self, at: Option<DateTime<Utc>>) -> Self {
        self.told.updated_at = at;
        self
    }
}

/// A sleep session. Durations in minutes; those that the vendor does not give are `None`.
#[derive(Debug, Clone)]
pub(crate) struct Night {
    /// Falling asleep or going to bed.
    pub(crate) at: Moment,
    /// Waking; `None` if only the day is known, which `at` then is.
    pub(crate) until: Option<Moment>,
    /// Day of waking, if the vendor says it.
    pub(crate) day: Option<NaiveDate>,
    pub(crate) asleep: Option<f64>,
    pub(crate) deep: Option<f64>,
    pub(crate) rem: Option<f64>,
    pub(crate) awake: Option<f64>,
    pub(crate) in_bed: Option<f64>,
    /// Per cent.
    pub(crate) efficiency: Option<f64>,
    /// The vendor's score, 0 to 100.
    pub(crate) score: Option<f64>,
    /// Mean heart rate asleep, beats per minute.
    pub(crate) heart_rate: Option<f64>,
    /// Identifies it within the source.
    pub(crate) id: String,
    pub(crate) updated_at: Option<DateTime<Utc>>,
}

impl Night {
    /// A session of which only the times are known.
    pub(crate) fn new(id: impl Into<String>, at: Moment, until: Option<Moment>) -> Self {
        Self {
            at,
            until,
            day: None,
            asleep: None,
            deep: None,
            rem: None,
            awake: None,
            in_bed: None,
            efficiency: None,
            score: None,
            heart_rate: None,
            id: id.into(),
            updated_at: None,
        }
    }

    /// What the vendor gives of it: with the name of its id, the metric and the unit.
    fn values(&self) -> Vec<(&'static str, MetricType, f64, Unit)> {
        use MetricType as M;
        let values = [
            ("sleep", M::SleepDuration, self.asleep, Unit::Minutes),
            ("deep", M::DeepSleepDuration, self.deep, Unit::Minutes),
            ("rem", M::RemSleepDuration, self.rem, Unit::Minutes),
            ("awake", M::AwakeDuration, self.awake, Unit::Minutes),
            ("in-bed", M::TimeInBed, self.in_bed, Unit::Minutes),
            (
                "efficiency",
                M::SleepEfficiency,
                self.efficiency,
                Unit::Percent,
            ),
            ("score", M::SleepScore, self.score, Unit::Score),
            (
                "heart-rate",
                M::SleepingHeartRate,
                self.heart_rate,
                Unit::PerMinute,
            ),
        ];
        let given = values.into_iter();
        given
            .filter_map(|(name, metric, value, unit)| Some((name, metric, value?, unit)))
            .collect()
    }
}

impl Importer<'_> {
    /// Adds a reading of a source.
    pub(crate) fn reading(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        reading: Reading,
    ) -> Result<(), ImportError> {
        let value = match reading.metric.measured(reading.value, reading.unit) {
            Ok(Some(value)) => value,
            Ok(None) => {
                self.skip(SkipReason::Missing);
                return Ok(());
            }
            Err(error) => return self.reject(place.reject(fault(&error))),
        };
        let id = reading.id.unwrap_or_else(|| {
            let name = reading.metric.as_str().to_ascii_lowercase();
            format!("{name}-{}", reading.told.at.id())
        });
        let provenance = Provenance::told(shortened(source), shortened(&id), reading.told);
        let record = HealthMetric {
            kind: reading.kind,
            ..HealthMetric::new(provenance, reading.metric, value)
        };
        self.checked(user, place, Record::HealthMetric(record))
    }

    /// Adds a sleep session of a source: time asleep and its parts, and, if its times are known, bedtime
    /// and waking on the person's clock.
    pub(crate) fn night(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        night: &Night,
    ) -> Result<(), ImportError> {
        let told = Told {
            at: night.at,
            until: night.until,
            day: night.day,
            known_at: None,
            updated_at: night.updated_at,
        };
        let mut values = night.values();
        if night.asleep.is_some_and(|asleep| asleep > 0.0)
            && let Some((bedtime, waking)) = clock_of(&self.profile_of(user), told)
        {
            values.push(("bedtime", MetricType::Bedtime, bedtime, Unit::Hours));
            values.push(("waking", MetricType::WakeTime, waking, Unit::Hours));
        }
        for (name, metric, value, unit) in values {
            let reading = Reading {
                metric,
                value,
                unit,
                told,
                kind: Some(if told.at.has_time() {
                    ReadingKind::Session
                } else {
                    ReadingKind::DayValue
                }),
                id: Some(format!("{name}-{}", night.id)),
            };
            self.reading(user, source, place, reading)?;
        }
        Ok(())
    }

    /// Adds a night of which only the day is known: known at noon.
    pub(crate) fn dated_night(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        day: NaiveDate,
        night: &Night,
    ) -> Result<(), ImportError> {
        for (name, metric, value, unit) in night.values() {
            let reading = Reading::of_morning(metric, value, unit, day)
                .id(format!("{name}-{}", night.id))
                .updated(night.updated_at);
            self.reading(user, source, place, reading)?;
        }
        Ok(())
    }

    /// Says once that the person's time zone may be wrong, if a night does not end on the day of waking
    /// that its vendor names.
    pub(crate) fn compare_waking(
        &mut self,
        user: &UserId,
        vendor: &str,
        day: NaiveDate,
        waking: DateTime<Utc>,
    ) {
        let profile = self.profile_of(user);
        if profile.day_of(waking) != day {
            self.note(format!(
                "{vendor}: nights end on another day than the export says; the time zone {} may not be \
                 the person's (set it with --zone)",
                profile.zone
            ));
        }
    }

    /// Adds a record if it can be one.
    pub(crate) fn checked(
        &mut self,
        user: &UserId,
        place: Place<'_>,
        record: Record,
    ) -> Result<(), ImportError> {
        let told = record.provenance().told;
        let in_time = |moment: Moment| match moment {
            Moment::Instant { at, .. } => self.check_time(at),
            Moment::Clock(local) => self.check_day(local.date()),
            Moment::Date(day) => self.check_day(day),
        };
        let times = in_time(told.at).and_then(|()| told.until.map_or(Ok(()), in_time));
        let checked = times.and_then(|()| record.validate().map_err(|error| fault(&error)));
        match checked {
            Ok(()) => self.record(user, record),
            Err(fault) => self.reject(place.reject(fault)),
        }
    }
}

/// Bedtime and waking, hours after the midnight that begins the day of waking.
fn clock_of(profile: &Profile, told: Told) -> Option<(f64, f64)> {
    let local = |moment: Moment| {
        moment.written_local_time().or(match moment {
            Moment::Instant { at, .. } => {
                let offset = TimeDelta::seconds(i64::from(profile.offset_seconds(at)));
                Some(at.naive_utc() + offset)
            }
            Moment::Clock(_) | Moment::Date(_) => None,
        })
    };
    let (at, until) = (local(told.at)?, local(told.until?)?);
    let midnight = profile.day_of_local(until).and_time(NaiveTime::MIN);
    let hours = |time: chrono::NaiveDateTime| (time - midnight).as_seconds_f64() / 3_600.0;
    (at < until).then(|| (hours(at), hours(until)))
}

/// A text of at most 200 bytes.
pub(crate) fn shortened(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
