//! Totals of days as vendors give them.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, Reading};
use chrono::NaiveDate;
use vitalcast_domain::{MetricType, ReadingKind, Unit, UserId};

impl Importer<'_> {
    /// Adds the total of a local day if there is one. On a day that is not over it is the total so far.
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
        let kind = if day < self.profile_of(user).day_of(self.options.now) {
            ReadingKind::DayTotal
        } else {
            ReadingKind::RunningTotal
        };
        let reading = Reading::of_day(metric, value, unit, day).kind(kind);
        self.reading(user, source, place, reading)
    }
}
