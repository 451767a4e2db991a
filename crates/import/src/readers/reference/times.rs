//! What a row says about its time.

use super::cells::{Cells, Column};
use super::{Kind, Reader};
use crate::numbers::is_not_measured;
use crate::report::RejectReason;
use crate::table::Fault;
use crate::time::{NoTime, Stamp, read as read_time};
use chrono::{DateTime, Utc};
use vitalcast_domain::{Moment, Told};

impl Reader {
    /// What the row says about its time.
    pub(super) fn told(&mut self, cells: &impl Cells) -> Result<Told, Fault> {
        let at = self.moment(cells, self.kind.moment())?;
        let known = |reader: &mut Self, column, is_trusted| {
            let at = reader.optional_instant(cells, column)?;
            Some(at).filter(|_| is_trusted)
        };
        let created = known(self, Column::CREATED_AT, self.trust_created);
        let updated_at = self.optional_instant(cells, Column::UPDATED_AT);
        // A row that was changed later was known as it is now only then.
        let updated = updated_at.filter(|_| self.trust_created && self.rules.trust_updated);
        let until = match self.kind {
            Kind::Meals => None,
            Kind::Activities | Kind::HealthMetrics => self.optional_moment(cells, Column::ENDED_AT),
        };
        Ok(Told {
            at,
            until,
            day: match self.optional_moment(cells, Column::DAY) {
                Some(Moment::Date(day)) => Some(day),
                Some(Moment::Clock(local)) => Some(local.date()),
                Some(Moment::Instant { .. }) | None => None,
            },
            known_at: created.max(updated),
            updated_at,
        })
    }

    /// A time that may be missing; one that cannot be read is told and left out.
    fn optional_moment(&mut self, cells: &impl Cells, column: Column) -> Option<Moment> {
        if cells.cell(column).is_empty() || is_not_measured(cells.cell(column)) {
            return None;
        }
        match self.moment(cells, column) {
            Ok(moment) => Some(moment),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        }
    }

    /// The same as an instant; a time without an offset is in the zone of the import.
    fn optional_instant(&mut self, cells: &impl Cells, column: Column) -> Option<DateTime<Utc>> {
        Some(match self.optional_moment(cells, column)? {
            Moment::Instant { at, .. } => at,
            Moment::Clock(local) => self.zone.instant_of(local),
            Moment::Date(day) => self.zone.evening_of(day),
        })
    }

    /// Parses a time or a date.
    fn moment(&self, cells: &impl Cells, column: Column) -> Result<Moment, Fault> {
        let text = cells.cell(column);
        if text.is_empty() {
            return Err((RejectReason::Empty, format!("{} is empty", column.name())));
        }
        match read_time(text, self.rules.order) {
            Ok(Stamp::Instant(at, offset_seconds)) => Ok(Moment::Instant { at, offset_seconds }),
            Ok(Stamp::Wall(local)) => Ok(Moment::Clock(local)),
            Ok(Stamp::Day(day)) => Ok(Moment::Date(day)),
            Err(NoTime::Bad) => Err((
                RejectReason::BadTime,
                format!(
                    "{} is not a time, expected for example 2024-01-31T07:00:00Z",
                    column.name()
                ),
            )),
            Err(NoTime::Ambiguous) => Err((
                RejectReason::BadTime,
                format!(
                    "{} is a date of which nothing in the file says whether the day or the month \
                     comes first, expected for example 2024-01-31",
                    column.name()
                ),
            )),
        }
    }
}
