//! Days and times of cells, with what is wrong with those that are none.

use crate::report::RejectReason;
use crate::table::Fault;
use crate::time::{DateOrder, NoTime, Stamp, read};
use chrono::{NaiveDate, TimeDelta};
use vitalcast_domain::Moment;

/// The day that a cell names: the date as it is written, whatever zone stands behind it.
pub(crate) fn day(text: &str, order: DateOrder, name: &str) -> Result<NaiveDate, Fault> {
    Ok(match stamp(text, order, name)? {
        Stamp::Day(day) => day,
        Stamp::Wall(wall) => wall.date(),
        Stamp::Instant(at, offset) => {
            let offset = TimeDelta::seconds(i64::from(offset.unwrap_or(0)));
            let local = at.naive_utc().checked_add_signed(offset);
            local.ok_or_else(|| bad(name))?.date()
        }
    })
}

/// The time that a cell gives.
pub(crate) fn moment(text: &str, order: DateOrder, name: &str) -> Result<Moment, Fault> {
    Ok(match stamp(text, order, name)? {
        Stamp::Day(day) => Moment::Date(day),
        Stamp::Wall(wall) => Moment::Clock(wall),
        Stamp::Instant(at, offset_seconds) => Moment::Instant { at, offset_seconds },
    })
}

fn stamp(text: &str, order: DateOrder, name: &str) -> Result<Stamp, Fault> {
    if text.is_empty() {
        return Err((RejectReason::Empty, format!("{name} is empty")));
    }
    read(text, order).map_err(|error| match error {
        NoTime::Bad => bad(name),
        NoTime::Ambiguous => (
            RejectReason::BadTime,
            format!(
                "{name} may have day and month exchanged, and no other date of the table says so"
            ),
        ),
    })
}

fn bad(name: &str) -> Fault {
    (
        RejectReason::BadTime,
        format!("{name} is not a date or time, expected for example 2024-01-31"),
    )
}

/// The fault of a row without a time.
pub(crate) fn no_time() -> Fault {
    (RejectReason::BadTime, "the row has no time".to_owned())
}
