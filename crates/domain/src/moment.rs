//! Times as a source wrote them: with or without an offset, a clock time, or only a date.

use crate::error::{DomainError, shortened};
use chrono::{
    DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, SecondsFormat, TimeDelta, Timelike,
    Utc,
};
use serde::{Deserialize, Serialize};

/// A time as it was written. What was not written (an offset, a time of day) is not invented here:
/// the person's profile adds it when a record is placed on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Moment {
    /// An instant. The offset is that of the person's clock, if one was written; `Z` says nothing about
    /// it.
    Instant {
        /// The instant.
        at: DateTime<Utc>,
        /// Local time minus UTC, seconds.
        offset_seconds: Option<i32>,
    },
    /// A time on the person's clock, without an offset.
    Clock(NaiveDateTime),
    /// A local date; the time of day is not known.
    Date(NaiveDate),
}

impl Moment {
    /// An instant without an offset.
    pub fn instant(at: DateTime<Utc>) -> Self {
        Self::Instant {
            at,
            offset_seconds: None,
        }
    }

    /// Whether a time of day was written.
    pub fn has_time(self) -> bool {
        match self {
            Self::Instant { .. } | Self::Clock(_) => true,
            Self::Date(_) => false,
        }
    }

    /// The local time, if it was written: a clock time, or an instant with its offset.
    pub fn written_local_time(self) -> Option<NaiveDateTime> {
        match self {
            Self::Instant { at, offset_seconds } => {
                let offset = TimeDelta::seconds(i64::from(offset_seconds?));
                Some(at.naive_utc() + offset)
            }
            Self::Clock(local) => Some(local),
            Self::Date(_) => None,
        }
    }

    /// Text that identifies the time within a source. It does not depend on the person's time zone:
    /// instants are in UTC, clock times are written like those, a date is a date.
    pub fn id(self) -> String {
        match self {
            Self::Instant { at, .. } => rfc_3339(at),
            Self::Clock(local) => rfc_3339(local.and_utc()),
            Self::Date(day) => day.to_string(),
        }
    }
}

/// The text of [`DateTime::to_rfc3339`], without its machinery for whole seconds of four-digit years.
fn rfc_3339(moment: DateTime<Utc>) -> String {
    if moment.timestamp_subsec_nanos() != 0 || !(1_000..10_000).contains(&moment.year()) {
        return moment.to_rfc3339();
    }
    let (day, time) = (moment.date_naive(), moment.time());
    let mut text = *b"0000-00-00T00:00:00+00:00";
    let mut write = |place: usize, value: u32| {
        text[place] = b'0' + (value / 10 % 10) as u8;
        text[place + 1] = b'0' + (value % 10) as u8;
    };
    let year = day.year() as u32;
    write(0, year / 100);
    write(2, year % 100);
    write(5, day.month());
    write(8, day.day());
    write(11, time.hour());
    write(14, time.minute());
    write(17, time.second());
    String::from_utf8_lossy(&text).into_owned()
}

impl std::fmt::Display for Moment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Instant { at, offset_seconds } => {
                match offset_seconds.and_then(FixedOffset::east_opt) {
                    Some(offset) => formatter.write_str(
                        &at.with_timezone(&offset)
                            .to_rfc3339_opts(SecondsFormat::AutoSi, false),
                    ),
                    None => formatter.write_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
                }
            }
            Self::Clock(local) => write!(formatter, "{}", local.format("%Y-%m-%dT%H:%M:%S%.f")),
            Self::Date(day) => write!(formatter, "{day}"),
        }
    }
}

impl std::str::FromStr for Moment {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            let is_utc = text.ends_with(['Z', 'z']);
            return Ok(Self::Instant {
                at: instant.to_utc(),
                offset_seconds: (!is_utc).then(|| instant.offset().local_minus_utc()),
            });
        }
        if let Ok(local) = text.parse() {
            return Ok(Self::Clock(local));
        }
        text.parse()
            .map(Self::Date)
            .map_err(|_| DomainError::UnknownWord {
                what: "time",
                got: shortened(text),
                expected: "a time such as 2024-01-31T07:00:00+01:00, or a date such as 2024-01-31"
                    .to_owned(),
            })
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(at: DateTime<Utc>) -> Self {
        Self::instant(at)
    }
}

impl From<NaiveDate> for Moment {
    fn from(day: NaiveDate) -> Self {
        Self::Date(day)
    }
}

impl TryFrom<String> for Moment {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_written_is_not_invented() {
        for text in [
            "2026-06-08T16:30:00Z",
            "2026-06-08T12:30:00-04:00",
            "2026-06-08T12:30:00+00:00",
            "2026-06-08T12:30:00.250",
            "2026-06-08",
        ] {
            assert_eq!(text.parse::<Moment>().unwrap().to_string(), text);
        }
        assert!("tomorrow".parse::<Moment>().is_err());
    }

    #[test]
    fn the_id_of_an_instant_does_not_depend_on_its_offset() {
        let id = |text: &str| text.parse::<Moment>().unwrap().id();
        assert_eq!(id("2026-06-08T16:30:00Z"), id("2026-06-08T12:30:00-04:00"));
        assert_eq!(id("2026-06-08"), "2026-06-08");
    }

    proptest! {
        #[test]
        fn every_moment_reads_back(
            micros in 0_i64..4_000_000_000_000_000,
            minutes in prop::option::of(-14 * 60_i32..14 * 60),
            of in 0..3_u8,
        ) {
            let at = DateTime::from_timestamp_micros(micros).unwrap();
            let moment = match of {
                0 => Moment::Instant { at, offset_seconds: minutes.map(|minutes| minutes * 60) },
                1 => Moment::Clock(at.naive_utc()),
                _ => Moment::Date(at.date_naive()),
            };
            prop_assert_eq!(moment.to_string().parse::<Moment>().unwrap(), moment);
            let whole = DateTime::from_timestamp(micros / 1_000_000, 0).unwrap();
            prop_assert_eq!(Moment::instant(whole).id(), whole.to_rfc3339());
        }
    }
}
