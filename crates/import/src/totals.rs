//! What vendors give by the day: totals, and nights without their times.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Night, Place, Reading};
use chrono::{DateTime, NaiveDate, Utc};
use vitalcast_domain::{MetricType, ReadingKind, Unit, UserId};

impl Importer<'_> {
    /// What the total of a local day is: on a day that is not over it is the total so far.
    pub(crate) fn kind_of_total(&self, user: &UserId, day: NaiveDate) -> ReadingKind {
        if day < self.profile_of(user).day_of(self.options.now) {
            ReadingKind::DayTotal
        } else {
            ReadingKind::RunningTotal
        }
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

    /// Adds the total of a local day if there is one.
    pub(crate) fn day_total(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        day: NaiveDate,
        (metric, value, unit): (MetricType, Option<f64>, Unit),
    ) -> Result<(), ImportError> {
        let Some(value) = value else {
            return Ok(());
        };
        let kind = self.kind_of_total(user, day);
        let reading = Reading::of_day(metric, value, unit, day).kind(kind);
        self.reading(user, source, place, reading)
    }
}

impl Importer<'_> {
    /// Adds a night of which only the day is known: known at noon.
    pub(crate) fn dated_night(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        day: NaiveDate,
        night: &Night,
    ) -> Result<(), ImportError> {
        use MetricType as M;
        for (name, metric, value, unit) in [
            ("sleep", M::SleepDuration, night.asleep, Unit::Minutes),
            ("deep", M::DeepSleepDuration, night.deep, Unit::Minutes),
            ("rem", M::RemSleepDuration, night.rem, Unit::Minutes),
            ("awake", M::AwakeDuration, night.awake, Unit::Minutes),
            ("in-bed", M::TimeInBed, night.in_bed, Unit::Minutes),
            (
                "efficiency",
                M::SleepEfficiency,
                night.efficiency,
                Unit::Percent,
            ),
            ("score", M::SleepScore, night.score, Unit::Score),
            (
                "heart-rate",
                M::SleepingHeartRate,
                night.heart_rate,
                Unit::PerMinute,
            ),
        ] {
            if let Some(value) = value {
                let reading = Reading::of_morning(metric, value, unit, day)
                    .id(format!("{name}-{}", night.id))
                    .updated(night.updated_at);
                self.reading(user, source, place, reading)?;
            }
        }
        Ok(())
    }
}
