//! Dates and moments, in the forms that pydantic takes: text, and Unix time as a number or as text.
//!
//! Unix time is seconds since 1970, or milliseconds where the number is above 20,000,000,000 or below
//! its negative. A date is the Unix time of its midnight in UTC.

use super::check::{Checked, one};
use super::fault::{Fault, Place};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use serde_json::{Value, json};

/// Seconds of a day.
pub(super) const DAY_SECONDS: i64 = 86_400;
/// The first second that is taken (the year 1600), and the last number that is read as seconds.
pub(super) const UNIX_SECONDS: (i64, i64) = (-11_676_096_000, 20_000_000_000);
/// The last millisecond that is taken, that of the year 9999.
pub(super) const UNIX_LAST_MILLISECOND: i64 = 253_402_300_799_999;
/// Texts that are read as Unix time. Shorter ones, which would lie within a day of 1970, are not.
pub(super) const UNIX_TEXT: &str = r"^-?[1-9][0-9]{4,14}(\.[0-9]+)?$";

/// Why a number is no moment, in pydantic's words.
const TOO_SMALL: &str = "dates before 1600 are not supported as unix timestamps";
const TOO_LARGE: &str = "dates after 9999 are not supported as unix timestamps";

/// Whether a text can only be a date, not a moment.
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && unix_text(text).is_none()
}

/// The number that a value is, or that its text is.
fn unix_number(value: &Value) -> Option<f64> {
    let text = || value.as_str().and_then(unix_text);
    value.as_f64().or_else(text)
}

/// Whether the number has no fraction.
fn is_whole(value: &Value) -> bool {
    unix_number(value).is_none_or(|number| number.fract() == 0.0)
}

/// Unix time in microseconds; `None` for a value that is not a number.
fn unix_time(value: &Value) -> Option<Result<DateTime<Utc>, &'static str>> {
    let number = unix_number(value)?;
    let is_seconds = number.abs() <= UNIX_SECONDS.1 as f64;
    let seconds = if is_seconds { number } else { number / 1e3 };
    if seconds < UNIX_SECONDS.0 as f64 {
        return Some(Err(TOO_SMALL));
    }
    if number > UNIX_LAST_MILLISECOND as f64 {
        return Some(Err(TOO_LARGE));
    }
    let microseconds: i64 = if is_seconds { 1_000_000 } else { 1_000 };
    // Apart, because both together have more digits than a float keeps.
    let fraction = (number.fract() * microseconds as f64).round() as i64;
    let whole = number.trunc() as i64 * microseconds;
    Some(DateTime::from_timestamp_micros(whole + fraction).ok_or(TOO_LARGE))
}

/// The number of a text that matches [`UNIX_TEXT`].
fn unix_text(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_unix = (5..=15).contains(&whole.len())
        && all_digits(whole)
        && !whole.starts_with('0')
        && fraction.is_none_or(|fraction| !fraction.is_empty() && all_digits(fraction));
    is_unix.then(|| text.parse().ok()).flatten()
}

pub(super) fn date(value: &Value, loc: &[Place]) -> Result<NaiveDate, Vec<Fault>> {
    let wrong = |error: &str| {
        let msg = format!("Input should be a valid date or datetime, {error}");
        Err(vec![
            Fault::new("date_from_datetime_parsing", loc, msg, value).with(json!({"error": error})),
        ])
    };
    let inexact = || {
        Err(vec![Fault::new(
            "date_from_datetime_inexact",
            loc,
            "Datetimes provided to dates should have zero time - e.g. be exact dates",
            value,
        )])
    };
    let exact = |day, time| {
        if time == NaiveTime::MIN {
            Ok(day)
        } else {
            inexact()
        }
    };
    match unix_time(value) {
        // Also a fraction of less than a microsecond makes it another moment than midnight.
        Some(Ok(_)) if !is_whole(value) => return inexact(),
        Some(Ok(moment)) => return exact(moment.date_naive(), moment.time()),
        Some(Err(error)) => return wrong(error),
        None => {}
    }
    let Value::String(text) = value else {
        return Err(vec![Fault::new(
            "date_type",
            loc,
            "Input should be a valid date",
            value,
        )]);
    };
    let bytes = text.as_bytes();
    if bytes.len() < 10 {
        return wrong("input is too short");
    }
    for (range, what) in [(0..4, "year"), (5..7, "month"), (8..10, "day")] {
        if !bytes[range].iter().all(u8::is_ascii_digit) {
            return wrong(&format!("invalid character in {what}"));
        }
    }
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return wrong("invalid date separator, expected `-`");
    }
    let number = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(0);
    if number(0, 4) == 0 {
        return wrong("year 0 is out of range");
    }
    if !(1..=12).contains(&number(5, 7)) {
        return wrong("month value is outside expected range of 1-12");
    }
    let day = NaiveDate::from_ymd_opt(number(0, 4) as i32, number(5, 7), number(8, 10));
    let Some(day) = day else {
        return wrong("day value is outside expected range");
    };
    if bytes.len() == 10 {
        return Ok(day);
    }
    let time = match DateTime::parse_from_rfc3339(text) {
        Ok(moment) => Some(moment.time()),
        Err(_) => NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f")
            .ok()
            .map(|moment| moment.time()),
    };
    match time {
        Some(time) => exact(day, time),
        None => wrong("unexpected extra characters at the end of the input"),
    }
}

/// A time on a person's clock, written without an offset, as ISO 8601 with seconds.
pub(super) fn clock_time(text: &str) -> Option<String> {
    let forms = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ];
    let mut read = forms
        .iter()
        .map(|form| NaiveDateTime::parse_from_str(text, form));
    let local = read.find_map(Result::ok)?;
    Some(local.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
}

pub(super) fn instant(value: &Value, loc: &[Place]) -> Checked {
    let wrong = |kind, what, error: &str| {
        let msg = format!("Input should be a valid {what}, {error}");
        Err(vec![
            Fault::new(kind, loc, msg, value).with(json!({"error": error})),
        ])
    };
    match unix_time(value) {
        Some(Ok(moment)) => return Ok(json!(moment)),
        Some(Err(error)) => return wrong("datetime_parsing", "datetime", error),
        None => {}
    }
    let Value::String(text) = value else {
        return one(
            "datetime_type",
            loc,
            "Input should be a valid datetime",
            value,
        );
    };
    if DateTime::parse_from_rfc3339(text).is_ok() {
        return Ok(value.clone());
    }
    if NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok() {
        return one(
            "timezone_aware",
            loc,
            "Input should have timezone info, such as 2026-01-31T07:00:00Z",
            value,
        );
    }
    wrong(
        "datetime_from_date_parsing",
        "datetime or date",
        "expected RFC 3339, such as 2026-01-31T07:00:00Z",
    )
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    #[test]
    fn dates_and_moments_come_as_unix_time_too() {
        // pydantic 2.5, FastAPI 0.109
        for value in [
            json!(1_795_824_000),
            json!(1_795_824_000.0),
            json!("1795824000"),
            json!(1_795_824_000_000_i64),
            json!("1795824000000"),
            json!("1795824000.0"),
        ] {
            assert_eq!(
                Kind::Date.check(&value, &[]).unwrap(),
                json!("2026-11-28"),
                "{value}"
            );
            for kind in [Kind::Instant, Kind::InstantOrDate] {
                assert_eq!(
                    kind.check(&value, &[]).unwrap(),
                    json!("2026-11-28T00:00:00Z"),
                    "{value}"
                );
            }
        }
        for (value, day) in [
            (json!(0), "1970-01-01"),
            (json!(-86_400), "1969-12-31"),
            (json!("-86400"), "1969-12-31"),
            (json!(20_000_000_000_i64 / 86_400 * 86_400), "2603-10-11"),
            (json!(20_044_800_000_i64), "1970-08-21"),
            (json!(UNIX_SECONDS.0), "1600-01-01"),
            (json!(253_402_214_400_000_i64), "9999-12-31"),
        ] {
            assert_eq!(
                Kind::Date.check(&value, &[]).unwrap(),
                json!(day),
                "{value}"
            );
        }
        let moment = Kind::Instant.check(&json!(1_795_824_000.25), &[]).unwrap();
        assert_eq!(moment, json!("2026-11-28T00:00:00.250Z"));
        let last = Kind::Instant.check(&json!(UNIX_LAST_MILLISECOND), &[]);
        assert_eq!(last.unwrap(), json!("9999-12-31T23:59:59.999Z"));
    }

    #[test]
    fn a_number_that_is_no_date_is_told_in_the_words_of_pydantic() {
        for (kind, value, expected) in [
            (Kind::Date, json!(1), "date_from_datetime_inexact"),
            (Kind::Date, json!(86_400.5), "date_from_datetime_inexact"),
            (Kind::Date, json!(2.589e-42), "date_from_datetime_inexact"),
            (Kind::Date, json!("86401"), "date_from_datetime_inexact"),
            (Kind::Date, json!(1e300), "date_from_datetime_parsing"),
            (Kind::Date, json!(u64::MAX), "date_from_datetime_parsing"),
            (
                Kind::Date,
                json!(UNIX_SECONDS.0 - DAY_SECONDS),
                "date_from_datetime_parsing",
            ),
            (Kind::Date, json!("0"), "date_from_datetime_parsing"),
            (Kind::Date, json!("86400.x"), "date_from_datetime_parsing"),
            (Kind::Date, json!(true), "date_type"),
            (Kind::Instant, json!(true), "datetime_type"),
            (Kind::Instant, json!(-1e300), "datetime_parsing"),
            (
                Kind::Instant,
                json!(UNIX_LAST_MILLISECOND + 1),
                "datetime_parsing",
            ),
            (Kind::Instant, json!("12"), "datetime_from_date_parsing"),
        ] {
            let faults = kind.check(&value, &["body".into()]).unwrap_err();
            assert_eq!(faults[0].kind, expected, "{kind:?} {value}");
        }
    }
}
