//! Parsing of times in exports.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// A parsed time of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// An instant, and local time minus UTC in seconds if the text says so. `Z`, `UTC`, `+00:00` and
    /// numbers of seconds say nothing about the person's clock.
    Instant(DateTime<Utc>, Option<i32>),
    /// A local time without a zone.
    Wall(NaiveDateTime),
    /// A date without a time.
    Day(NaiveDate),
}

/// The order of day and month in dates such as `03/04/2024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DateOrder {
    /// Nothing says which comes first.
    #[default]
    Unknown,
    /// The day.
    DayFirst,
    /// The month.
    MonthFirst,
}

/// Why a text is not read as a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoTime {
    /// It is no time.
    Bad,
    /// Day and month may be exchanged.
    Ambiguous,
}

/// First and last whole second, since 1970, that a number can mean: 1990 to 2100.
const SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;
/// Longest text of a time, bytes: JavaScript writes the name of the zone behind it.
const LONGEST: usize = 100;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Reads the times that programs write: ISO 8601 with `T` or a blank, with or without an offset;
/// clocks of 12 hours; seconds, milli-, micro- and nanoseconds since 1970; `2024/01/31`,
/// `31.01.2024`, `31 Jan 2024`, and `31/01/2024` in the order given.
pub(crate) fn read(text: &str, order: DateOrder) -> Result<Stamp, NoTime> {
    if let Some(stamp) = usual(text.as_bytes()) {
        return Ok(stamp);
    }
    let spaced;
    let text = if text.is_ascii() {
        text.trim()
    } else {
        // Phones write a narrow no-break space before am and pm.
        spaced = text.replace(['\u{202f}', '\u{a0}', '\u{2009}'], " ");
        spaced.trim()
    };
    if text.len() > LONGEST {
        return Err(NoTime::Bad);
    }
    if let Some(instant) = since_1970(text) {
        return Ok(Stamp::Instant(instant, None));
    }
    let (day, rest) = date(text, order)?;
    let rest = match rest.strip_prefix(['T', 't', ' ', ',']) {
        Some(rest) => {
            let rest = rest.trim_start();
            // `Feb 2, 2026 at 6:30 PM`.
            rest.strip_prefix("at ").unwrap_or(rest).trim_start()
        }
        None if rest.is_empty() => return Ok(Stamp::Day(day)),
        None => return Err(NoTime::Bad),
    };
    clock_and_zone(day, rest).ok_or(NoTime::Bad)
}

/// [`read`] for dates whose order is not known.
pub(crate) fn iso(text: &str) -> Option<Stamp> {
    read(text, DateOrder::Unknown).ok()
}

/// The fast way: `2024-01-31T07:00:00`, with a fraction of a second, and with `Z`, ` +0200` or neither.
fn usual(text: &[u8]) -> Option<Stamp> {
    let (date, clock) = text.split_at_checked(10)?;
    let [separator, clock @ ..] = clock else {
        return None;
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = clock else {
        return None;
    };
    let [y1, y2, y3, y4, b'-', o1, o2, b'-', d1, d2] = date else {
        return None;
    };
    if !matches!(separator, b'T' | b' ') {
        return None;
    }
    let year = two_digits(*y1, *y2)? * 100 + two_digits(*y3, *y4)?;
    let day = NaiveDate::from_ymd_opt(year as i32, two_digits(*o1, *o2)?, two_digits(*d1, *d2)?)?;
    let (mut nanos, mut rest) = (0, rest);
    if let [b'.', after @ ..] = rest {
        let digits = after
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        for place in 0..9 {
            let digit = after.get(place).filter(|_| place < digits);
            nanos = nanos * 10 + digit.map_or(0, |digit| u32::from(digit - b'0'));
        }
        rest = &after[digits..];
    }
    // As finely as records keep it.
    let nanos = nanos / 1_000 * 1_000;
    let time = NaiveTime::from_hms_nano_opt(
        two_digits(*h1, *h2)?,
        two_digits(*m1, *m2)?,
        two_digits(*s1, *s2)?,
        nanos,
    )?;
    let wall = day.and_time(time);
    match rest {
        [] => Some(Stamp::Wall(wall)),
        b"Z" => Some(Stamp::Instant(wall.and_utc(), None)),
        [b' ', sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let (hours, minutes) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
            if hours > 18 || minutes > 59 {
                return None;
            }
            let ahead = (hours * 3_600 + minutes * 60) as i32;
            let offset = if *sign == b'+' { ahead } else { -ahead };
            let utc = wall.checked_sub_signed(TimeDelta::seconds(i64::from(offset)))?;
            Some(Stamp::Instant(
                utc.and_utc(),
                (offset != 0).then_some(offset),
            ))
        }
        _ => None,
    }
}

/// The number of two digits.
pub(crate) fn two_digits(tens: u8, ones: u8) -> Option<u32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970; which, the size says.
fn since_1970(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(9..=19).contains(&whole.len()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    [1, 1_000, 1_000_000, 1_000_000_000]
        .into_iter()
        .find(|scale| SECONDS.contains(&(number / scale)))
        .and_then(|scale| {
            let micros = i128::from(number) * 1_000_000 / i128::from(scale);
            let more = match (scale, fraction.get(..6.min(fraction.len()))) {
                (1, Some(digits)) if !digits.is_empty() => {
                    digits.parse::<i128>().ok()? * 10_i128.pow(6 - digits.len() as u32)
                }
                _ => 0,
            };
            DateTime::from_timestamp_micros(i64::try_from(micros + more).ok()?)
        })
}

/// A date at the beginning of a text, and what comes after it.
fn date(text: &str, order: DateOrder) -> Result<(NaiveDate, &str), NoTime> {
    if text.starts_with(|letter: char| letter.is_ascii_alphabetic()) || has_month(text) {
        return named_month(text).ok_or(NoTime::Bad);
    }
    let end = text.find(['T', 't', ' ', ',']).unwrap_or(text.len());
    let (date, rest) = text.split_at(end);
    let made = |year: u32, month: u32, day: u32| {
        NaiveDate::from_ymd_opt(year as i32, month, day).ok_or(NoTime::Bad)
    };
    if date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |from: usize, to: usize| number(&date[from..to], 4).ok_or(NoTime::Bad);
        return Ok((made(part(0, 4)?, part(4, 6)?, part(6, 8)?)?, rest));
    }
    let mark = date.find(['-', '/', '.']).ok_or(NoTime::Bad)?;
    let separator = char::from(date.as_bytes()[mark]);
    let parts: Vec<&str> = date.split(separator).collect();
    let [first, second, third] = parts.as_slice() else {
        return Err(NoTime::Bad);
    };
    let value = |part: &str, most: usize| number(part, most).ok_or(NoTime::Bad);
    if first.len() == 4 {
        // With dashes it is ISO, in which `2024-01-3` is half a date.
        if separator == '-' && (second.len() != 2 || third.len() != 2) {
            return Err(NoTime::Bad);
        }
        return Ok((
            made(value(first, 4)?, value(second, 2)?, value(third, 2)?)?,
            rest,
        ));
    }
    if third.len() != 4 {
        return Err(NoTime::Bad);
    }
    let (first, second, year) = (value(first, 2)?, value(second, 2)?, value(third, 4)?);
    let (day, month) = match (separator, order) {
        ('.', _) | (_, DateOrder::DayFirst) => (first, second),
        (_, DateOrder::MonthFirst) => (second, first),
        (_, DateOrder::Unknown) if first == second => (first, second),
        (_, DateOrder::Unknown) => {
            made(year, first.min(second), first.max(second))?;
            return Err(NoTime::Ambiguous);
        }
    };
    Ok((made(year, month, day)?, rest))
}

/// What a slashed date says about the order of dates in its column.
pub(crate) fn order_of(text: &str) -> DateOrder {
    let text = text.trim_start();
    let end = text.find(['T', ' ', ',']).unwrap_or(text.len());
    let mut parts = text[..end].split(['/', '-']);
    let (Some(first), Some(second), Some(third)) = (parts.next(), parts.next(), parts.next())
    else {
        return DateOrder::Unknown;
    };
    match (number(first, 2), number(second, 2)) {
        (Some(13..=31), Some(1..=12)) if third.len() == 4 => DateOrder::DayFirst,
        (Some(1..=12), Some(13..=31)) if third.len() == 4 => DateOrder::MonthFirst,
        _ => DateOrder::Unknown,
    }
}

/// Whether the second part of a date is the name of a month: `31 Jan 2024`, `31-Jan-2024`.
fn has_month(text: &str) -> bool {
    text.as_bytes().iter().take(6).any(u8::is_ascii_alphabetic)
        && text.split([' ', '-']).nth(1).and_then(month).is_some()
}

fn month(name: &str) -> Option<u32> {
    let name = name.trim_end_matches(['.', ',']).to_ascii_lowercase();
    let start = name.get(..3)?;
    let place = MONTHS.iter().position(|month| *month == start)?;
    name.bytes()
        .all(|byte| byte.is_ascii_lowercase())
        .then_some(place as u32 + 1)
}

/// Reads `31 Jan 2024`, `31-Jan-2024`, `Jan 31, 2024`, also after a day of the week.
fn named_month(text: &str) -> Option<(NaiveDate, &str)> {
    let mut rest = text;
    let mut next = || -> Option<&str> {
        rest = rest.trim_start_matches([' ', '-', ',']);
        let end = rest.find([' ', '-', ',']).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some(part).filter(|part| !part.is_empty())
    };
    let mut first = next()?;
    if month(first).is_none() && first.starts_with(|letter: char| letter.is_ascii_alphabetic()) {
        first = next()?;
    }
    let second = next()?;
    let year = number(next()?, 4).filter(|year| *year >= 1_000)?;
    let (day, month) = match month(first) {
        Some(month) => (number(second, 2)?, month),
        None => (number(first, 2)?, month(second)?),
    };
    Some((NaiveDate::from_ymd_opt(year as i32, month, day)?, rest))
}

/// A clock time as French and German diaries write it, with colons: `12h30`, `12 h`, `12.30`, `12:30 Uhr`. `None`
/// for any other.
fn written_otherwise(text: &str) -> Option<String> {
    let is_number = |part: &str, length: std::ops::RangeInclusive<usize>| {
        length.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    let lower = text.to_ascii_lowercase();
    let (clock, is_german) = match lower.strip_suffix("uhr") {
        Some(clock) => (clock.trim_end(), true),
        None => (lower.as_str(), false),
    };
    let parts: Vec<&str> = clock.split(['h', '.']).map(str::trim).collect();
    match parts.as_slice() {
        [hour, minute] if is_number(hour, 1..=2) && is_number(minute, 2..=2) => {
            Some(format!("{hour}:{minute}"))
        }
        [hour, minute, second]
            if is_number(hour, 1..=2) && is_number(minute, 2..=2) && is_number(second, 2..=2) =>
        {
            Some(format!("{hour}:{minute}:{second}"))
        }
        [hour, ""] if is_number(hour, 1..=2) && clock.ends_with('h') => Some(format!("{hour}:00")),
        [hour] if is_german && is_number(hour, 1..=2) => Some(format!("{hour}:00")),
        [_] if is_german => Some(clock.to_owned()),
        _ => None,
    }
}

/// Reads a clock time, `am` or `pm`, and a zone after it.
fn clock_and_zone(day: NaiveDate, text: &str) -> Option<Stamp> {
    let other = written_otherwise(text);
    let text = other.as_deref().unwrap_or(text);
    let end = text
        .find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.' | ','))
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let (half, zone) = half_of_day(rest);
    let wall = local(day, clock, half)?;
    let zone = match zone.find(['[', '(']) {
        // Java and JavaScript write the zone's name after the offset.
        Some(bracket) if bracket > 0 && zone.ends_with([']', ')']) => &zone[..bracket],
        Some(_) | None => zone,
    };
    if zone.is_empty() {
        return Some(Stamp::Wall(wall));
    }
    let offset = offset_seconds(zone.trim())?;
    let utc = wall.checked_sub_signed(TimeDelta::seconds(i64::from(offset)))?;
    Some(Stamp::Instant(
        utc.and_utc(),
        (offset != 0).then_some(offset),
    ))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Morning,
    Afternoon,
}

/// `am` or `pm` at the beginning of a text, and what comes after it.
fn half_of_day(text: &str) -> (Option<Half>, &str) {
    /// In English, Spanish and Greek.
    const WORDS: [(&[&str], Half); 2] = [
        (&["a.m.", "a. m.", "am", "π.μ.", "πμ"], Half::Morning),
        (&["p.m.", "p. m.", "pm", "μ.μ.", "μμ"], Half::Afternoon),
    ];
    for (words, half) in WORDS {
        for word in words {
            if let (Some(start), Some(rest)) = (text.get(..word.len()), text.get(word.len()..))
                && start.eq_ignore_ascii_case(word)
                && !rest.starts_with(|letter: char| letter.is_ascii_alphanumeric())
            {
                return (Some(half), rest.trim_start());
            }
        }
    }
    (None, text)
}

/// The local time of a day and a clock: `24:00` is the next day's beginning, second 60 of a leap second
/// the instant after it.
fn local(day: NaiveDate, clock: &str, half: Option<Half>) -> Option<NaiveDateTime> {
    let (whole, fraction) = match clock.find(['.', ',']) {
        Some(place) => (&clock[..place], &clock[place + 1..]),
        None => (clock, "0"),
    };
    if !(1..=9).contains(&fraction.len()) {
        return None;
    }
    let micros = number(fraction, 9)? as u64 * 10_u64.pow(9 - fraction.len() as u32) / 1_000;
    let spaced;
    let whole = match (whole.contains(':'), whole.len()) {
        // ISO 8601 without marks: `0630`, `063000`.
        (false, 4 | 6) if whole.is_ascii() => {
            let (hour, rest) = whole.split_at(2);
            let (minute, second) = rest.split_at(2);
            spaced = format!(
                "{hour}:{minute}:{}",
                if second.is_empty() { "00" } else { second }
            );
            spaced.as_str()
        }
        (true | false, _) => whole,
    };
    let mut parts = whole.split(':');
    let mut hour = number(parts.next()?, 2)?;
    let minute = match (parts.next(), half) {
        (Some(minute), _) => number(minute, 2).filter(|minute| *minute < 60)?,
        (None, Some(_)) => 0,
        (None, None) => return None,
    };
    let second = match parts.next() {
        Some(second) => number(second, 2).filter(|second| *second <= 60)?,
        None => 0,
    };
    if parts.next().is_some() {
        return None;
    }
    if let Some(half) = half {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half == Half::Afternoon { 12 } else { 0 };
    }
    if hour > 24 || (hour == 24 && (minute, second, micros) != (0, 0, 0)) {
        return None;
    }
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    let micros = if second == 60 { 0 } else { micros as i64 };
    day.and_time(NaiveTime::MIN)
        .checked_add_signed(TimeDelta::seconds(seconds) + TimeDelta::microseconds(micros))
}

/// Reads `Z`, `UTC`, `+02:00`, `+0200`, `+02`, `GMT+2`.
pub(crate) fn offset_seconds(text: &str) -> Option<i32> {
    let named = ["utc", "gmt", "ut", "z"].into_iter().find(|name| {
        text.get(..name.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(name))
    });
    let rest = named.map_or(text, |name| text[name.len()..].trim_start());
    if rest.is_empty() {
        return named.map(|_| 0);
    }
    let sign = match rest.chars().next()? {
        '+' => 1,
        '-' | '−' => -1,
        _ => return None,
    };
    let digits = rest.trim_start_matches(['+', '-', '−']);
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (hours, minutes),
        None if digits.len() > 2 => (digits.get(..2)?, digits.get(2..)?),
        None => (digits, "00"),
    };
    let single = named.is_some() && hours.len() == 1;
    if (hours.len() != 2 && !single) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours <= 18 && minutes < 60)
        .then(|| sign * i32::try_from(hours * 3600 + minutes * 60).unwrap_or(0))
}

/// Reads `DD/MM/YYYY`, with or without ` HH:MM[:SS]`.
pub(crate) fn british(text: &str) -> Option<Stamp> {
    let text = text.trim();
    if let Some(wall) = british_minute(text.as_bytes()) {
        return Some(Stamp::Wall(wall));
    }
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

/// Reads `DD/MM/YYYY HH:MM` with all its digits, as nearly all times of those tables are.
fn british_minute(text: &[u8]) -> Option<NaiveDateTime> {
    if text.len() != 16 || [text[2], text[5], text[10], text[13]] != *b"// :" {
        return None;
    }
    let two = |place: usize| {
        let digits = &text[place..place + 2];
        let number =
            u32::from(digits[0].wrapping_sub(b'0')) * 10 + u32::from(digits[1].wrapping_sub(b'0'));
        digits.iter().all(u8::is_ascii_digit).then_some(number)
    };
    let year = i32::try_from(two(6)? * 100 + two(8)?).ok()?;
    NaiveDate::from_ymd_opt(year, two(3)?, two(0)?)?.and_hms_opt(two(11)?, two(14)?, 0)
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
            Some(Stamp::Instant(utc("2024-01-31T07:00:00Z"), None))
        );
        assert_eq!(
            iso("2024-01-31 07:00+02:00"),
            Some(Stamp::Instant(utc("2024-01-31T05:00:00Z"), Some(7200)))
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

    #[test]
    fn times_are_read_as_programs_write_them() {
        let instant = |text: &str, offset| Some(Stamp::Instant(text.parse().unwrap(), offset));
        for (text, expected) in [
            (
                "2026-02-02 6:30:00\u{202f}am +0100",
                instant("2026-02-02T05:30:00Z", Some(3600)),
            ),
            (
                "2026-02-02 6:30:00 PM GMT+1",
                instant("2026-02-02T17:30:00Z", Some(3600)),
            ),
            (
                "2026-02-02, 12:05 a.m. UTC",
                instant("2026-02-02T00:05:00Z", None),
            ),
            ("2026-02-02 12 pm", Some(wall("2026-02-02T12:00:00"))),
            (
                "2026-02-02 6:30 p.\u{a0}m. +0100",
                instant("2026-02-02T17:30:00Z", Some(3600)),
            ),
            ("2026-02-02 6:30 μ.μ.", Some(wall("2026-02-02T18:30:00"))),
            (
                "Feb 2, 2026 at 6:30:00\u{202f}PM",
                Some(wall("2026-02-02T18:30:00")),
            ),
            (
                "Mon Feb 02 2026 06:30:00 GMT+0100 (CET)",
                instant("2026-02-02T05:30:00Z", Some(3600)),
            ),
            ("20260202T063000Z", instant("2026-02-02T06:30:00Z", None)),
            ("2026-02-02T0630", Some(wall("2026-02-02T06:30:00"))),
            (
                "2026-02-02T07:00:00+00:00",
                instant("2026-02-02T07:00:00Z", None),
            ),
            (
                "2026-02-02T07:00:00.123456789Z",
                instant("2026-02-02T07:00:00.123456Z", None),
            ),
            (
                "2026-02-02T07:00:00,5 -03:30",
                instant("2026-02-02T10:30:00.5Z", Some(-12600)),
            ),
            (
                "2026-02-02T07:00:00+01:00[Europe/Berlin]",
                instant("2026-02-02T06:00:00Z", Some(3600)),
            ),
            ("1770015600", instant("2026-02-02T07:00:00Z", None)),
            ("1770015600.25", instant("2026-02-02T07:00:00.25Z", None)),
            ("1770015600000", instant("2026-02-02T07:00:00Z", None)),
            ("1770015600000000", instant("2026-02-02T07:00:00Z", None)),
            ("1770015600000000000", instant("2026-02-02T07:00:00Z", None)),
            (
                "2024-02-28T24:00:00Z",
                instant("2024-02-29T00:00:00Z", None),
            ),
            (
                "2016-12-31T23:59:60Z",
                instant("2017-01-01T00:00:00Z", None),
            ),
            ("2024-03-15 7:05", Some(wall("2024-03-15T07:05:00"))),
            ("2024/3/5", Some(Stamp::Day("2024-03-05".parse().unwrap()))),
            ("05.03.2024 7:05", Some(wall("2024-03-05T07:05:00"))),
            ("20240305", Some(Stamp::Day("2024-03-05".parse().unwrap()))),
            (
                "05/05/2024",
                Some(Stamp::Day("2024-05-05".parse().unwrap())),
            ),
            (
                "5 Mar 2024",
                Some(Stamp::Day("2024-03-05".parse().unwrap())),
            ),
            ("Mar 5, 2024 7:05 am", Some(wall("2024-03-05T07:05:00"))),
            (
                "Tue, 05 Mar 2024 07:05:00 GMT",
                instant("2024-03-05T07:05:00Z", None),
            ),
            (
                "Tue Mar 05 2024 07:05:00 GMT+0200 (Central European Summer Time)",
                instant("2024-03-05T05:05:00Z", Some(7_200)),
            ),
            ("2024-03-05 7h05", Some(wall("2024-03-05T07:05:00"))),
            ("2024-03-05 19 h", Some(wall("2024-03-05T19:00:00"))),
            ("05.03.2024 19.05 Uhr", Some(wall("2024-03-05T19:05:00"))),
            ("05.03.2024 19:05:30 Uhr", Some(wall("2024-03-05T19:05:30"))),
        ] {
            assert_eq!(iso(text), expected, "{text}");
        }
        for wrong in [
            "2024-02-28T24:01",
            "2024-02-28T23:59:61",
            "2023-02-29T07:05",
            "2024-03-15 13:00 pm",
            "2024-03-15 0:30 am",
            "2024-03-15 7",
            "57",
            "123456789",
            "99999999999",
            "05/13/24",
            "2024-03-15T07:00:00+25:00",
            "2024-03-15T07:00:00 CET",
            "2024-03-15T07:00:00.",
            "2024-03-15T",
            "2024-03-15 7.5",
            "2024-03-15 25h00",
            "2024-03-15 7h5",
            "2024-03-15T07:00:00.1234567890",
            "32.01.2024",
            "Foo 5, 2024",
        ] {
            assert_eq!(iso(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn slashed_dates_are_read_in_the_order_given_and_in_no_other() {
        let day = |text: &str| Ok(Stamp::Day(text.parse().unwrap()));
        assert_eq!(read("03/04/2024", DateOrder::DayFirst), day("2024-04-03"));
        assert_eq!(read("03/04/2024", DateOrder::MonthFirst), day("2024-03-04"));
        assert_eq!(
            read("03/04/2024", DateOrder::Unknown),
            Err(NoTime::Ambiguous)
        );
        assert_eq!(read("03/14/2024", DateOrder::DayFirst), Err(NoTime::Bad));
        assert_eq!(order_of("03/14/2024 07:05"), DateOrder::MonthFirst);
        assert_eq!(order_of("14/03/2024"), DateOrder::DayFirst);
        assert_eq!(order_of("03/04/2024"), DateOrder::Unknown);
        assert_eq!(order_of("2024-03-14"), DateOrder::Unknown);
    }
}
