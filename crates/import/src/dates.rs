//! Days and times of cells and fields, with what is wrong with those that are none, and the minutes between
//! them. `time.rs` reads their texts.

use crate::report::RejectReason;
use crate::table::Fault;
use crate::time::{DateOrder, NoTime, Stamp, iso, read};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
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

/// The day of a text that holds no instant, whose day would depend on a zone.
pub(crate) fn local_day(text: &str, name: &str) -> Result<NaiveDate, Fault> {
    match iso(text) {
        Some(Stamp::Day(day)) => Ok(day),
        Some(Stamp::Wall(local)) => Ok(local.date()),
        Some(Stamp::Instant(..)) | None => Err((
            RejectReason::BadTime,
            format!("{name} is not a day, expected for example 2024-05-01"),
        )),
    }
}

/// The time of a text, with an offset or on the person's clock; a day alone is none.
pub(crate) fn time(text: &str, name: &str) -> Result<Moment, Fault> {
    match iso(text) {
        Some(Stamp::Instant(at, offset_seconds)) => Ok(Moment::Instant { at, offset_seconds }),
        Some(Stamp::Wall(local)) => Ok(Moment::Clock(local)),
        Some(Stamp::Day(_)) | None => Err((
            RejectReason::BadTime,
            format!("{name} is not a time, expected for example 2024-05-01T06:30:00+02:00"),
        )),
    }
}

/// The instant of a text; without an offset it is in UTC.
pub(crate) fn utc(text: &str) -> Option<DateTime<Utc>> {
    match iso(text)? {
        Stamp::Instant(at, _) => Some(at),
        Stamp::Wall(wall) => Some(wall.and_utc()),
        Stamp::Day(_) => None,
    }
}

/// Minutes of a length of time.
pub(crate) fn minutes_of(length: TimeDelta) -> f64 {
    length.as_seconds_f64() / 60.0
}

/// Minutes between two times of the same kind; `None` if they cannot be compared.
pub(crate) fn minutes_between(from: Moment, to: Moment) -> Option<f64> {
    let length = match (from, to) {
        (Moment::Instant { at, .. }, Moment::Instant { at: end, .. }) => end - at,
        (Moment::Clock(local), Moment::Clock(end)) => end - local,
        (Moment::Instant { .. } | Moment::Clock(_) | Moment::Date(_), _) => return None,
    };
    Some(minutes_of(length))
}
