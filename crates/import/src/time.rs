//! Parsing of times in exports.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};

/// A parsed time of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// With a zone or offset: an instant, and local time minus UTC in seconds.
    Instant(DateTime<Utc>, i32),
    /// A local time without a zone.
    Wall(NaiveDateTime),
    /// A date without a time.
    Day(NaiveDate),
}

/// Reads ISO times: `2024-01-31T07:00:00Z`, `2024-01-31 07:00:00.123`, `2024-01-31T07:00+02:00`,
/// `2024-01-31`.
pub(crate) fn iso(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let day = iso_day(text.get(..10)?)?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(Stamp::Day(day));
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let zone_at = rest.find(['Z', 'z', '+', '-']);
    let (clock, zone) = rest.split_at(zone_at.unwrap_or(rest.len()));
    let wall = day.and_time(clock_time(clock.trim_end())?);
    if zone.is_empty() {
        return Some(Stamp::Wall(wall));
    }
    let offset = offset_seconds(zone)?;
    let utc = wall.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(offset)))?;
    Some(Stamp::Instant(utc.and_utc(), offset))
}

/// Reads `DD/MM/YYYY`, with or without ` HH:MM[:SS]`.
pub(crate) fn british(text: &str) -> Option<Stamp> {
    let text = text.trim();
    let (date, clock) = match text.split_once(' ') {
        Some((date, clock)) => (date, Some(clock.trim())),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '/');
    let day = number(parts.next()?, 2)?;
    let month = number(parts.next()?, 2)?;
    let year = number(parts.next()?, 4)?;
    let day = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    match clock {
        Some(clock) => Some(Stamp::Wall(day.and_time(clock_time(clock)?))),
        None => Some(Stamp::Day(day)),
    }
}

/// Reads `YYYY-MM-DD`.
pub(crate) fn iso_day(text: &str) -> Option<NaiveDate> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let year = number(text.get(..4)?, 4)?;
    let month = number(text.get(5..7)?, 2)?;
    let day = number(text.get(8..)?, 2)?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`.
fn clock_time(text: &str) -> Option<NaiveTime> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = whole.splitn(3, ':');
    let hour = number(parts.next()?, 2)?;
    let minute = number(parts.next()?, 2)?;
    let second = match parts.next() {
        Some(second) => number(second, 2)?,
        None => 0,
    };
    let mut micros = 0;
    for place in 0..6 {
        let digit = match fraction.as_bytes().get(place) {
            Some(digit @ b'0'..=b'9') => u32::from(digit - b'0'),
            Some(_) => return None,
            None => 0,
        };
        micros = micros * 10 + digit;
    }
    NaiveTime::from_hms_micro_opt(hour, minute, second, micros)
}

/// Reads `Z`, `+02:00`, `+0200` or `+02`.
fn offset_seconds(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text[1..].chars().filter(|letter| *letter != ':').collect();
    let hours = number(digits.get(..2)?, 2)?;
    let minutes = match digits.get(2..)? {
        "" => 0,
        minutes => number(minutes, 2)?,
    };
    (hours < 24 && minutes < 60)
        .then(|| sign * i32::try_from(hours * 3600 + minutes * 60).unwrap_or(0))
}

/// Digits only, at least one and at most `most`.
fn number(text: &str, most: usize) -> Option<u32> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(text: &str) -> Stamp {
        Stamp::Wall(text.parse().unwrap())
    }

    #[test]
    fn iso_times_are_read_with_and_without_zone() {
        let utc = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert_eq!(
            iso("2024-01-31T07:00:00Z"),
            Some(Stamp::Instant(utc("2024-01-31T07:00:00Z"), 0))
        );
        assert_eq!(
            iso("2024-01-31 07:00+02:00"),
            Some(Stamp::Instant(utc("2024-01-31T05:00:00Z"), 7200))
        );
        assert_eq!(
            iso("2024-01-31 07:00:00.250"),
            Some(wall("2024-01-31T07:00:00.250"))
        );
        assert_eq!(
            iso("2024-01-31"),
            Some(Stamp::Day("2024-01-31".parse().unwrap()))
        );
        for wrong in [
            "",
            "31.01.2024",
            "2024-13-01",
            "2024-01-31T25:00",
            "2024-01-31Tx",
            "2024-01-3",
            "2024-01-31T07:00:00+2",
            "2024-01-3é",
        ] {
            assert_eq!(iso(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn british_days_come_first() {
        assert_eq!(
            british(" 08/10/2023 15:00"),
            Some(wall("2023-10-08T15:00:00"))
        );
        assert_eq!(
            british("08/10/2023"),
            Some(Stamp::Day("2023-10-08".parse().unwrap()))
        );
        for wrong in ["10/31/2023", "08/10/23 x", "", "8"] {
            assert_eq!(british(wrong), None, "{wrong}");
        }
    }
}
