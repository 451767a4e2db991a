//! Local days: calendar dates in a person's time zone, with daylight saving time.
//!
//! A day starts at the first instant with its local date. So a day has 23 or 25 hours when clocks
//! change, and it starts after midnight if midnight itself is skipped.

use crate::error::{DomainError, shortened};
use chrono::{
    DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Utc,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// An IANA time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(Tz);

/// The cut-off time of the data: data that became known later must not be used.
pub type AsOf = DateTime<Utc>;

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// The local calendar date of an instant.
    pub fn day_of(self, instant: DateTime<Utc>) -> NaiveDate {
        self.day_and_offset(instant).0
    }

    /// Seconds to add to UTC to get local time at an instant.
    pub fn offset_seconds(self, instant: DateTime<Utc>) -> i32 {
        self.day_and_offset(instant).1
    }

    /// [`Zone::day_of`] and [`Zone::offset_seconds`] of an instant together.
    pub(crate) fn day_and_offset(self, instant: DateTime<Utc>) -> (NaiveDate, i32) {
        if self == Self::UTC {
            return (instant.date_naive(), 0);
        }
        let local = instant.with_timezone(&self.0);
        (local.date_naive(), local.offset().fix().local_minus_utc())
    }

    /// The instant of a local time. If there are two (autumn), the earlier one; if there is none
    /// (spring), the instant when the clock skipped it.
    pub fn instant_of(self, local: NaiveDateTime) -> DateTime<Utc> {
        if let Some(instant) = self.0.from_local_datetime(&local).earliest() {
            return instant.with_timezone(&Utc);
        }
        // Inside a gap: the offset before the gap maps it to just after the jump. No gap in the
        // database is longer than a day.
        let before = local - TimeDelta::days(1);
        let offset = self.0.offset_from_local_datetime(&before).earliest();
        let seconds = offset.map_or(0, |offset| offset.fix().local_minus_utc());
        (local - TimeDelta::seconds(i64::from(seconds))).and_utc()
    }

    /// The first instant of a local day.
    pub fn start_of_day(self, day: NaiveDate) -> DateTime<Utc> {
        self.instant_of(day.and_time(NaiveTime::MIN))
    }

    /// The evening of a day: the instant when it ends and the next day starts. Data known at exactly
    /// that instant count as known on that evening.
    pub fn evening_of(self, day: NaiveDate) -> AsOf {
        self.start_of_day(day.checked_add_days(Days::new(1)).unwrap_or(day))
    }
}

impl utoipa::PartialSchema for Zone {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("An IANA time zone"))
            .examples([serde_json::json!("Europe/Athens")])
            .into()
    }
}

impl utoipa::ToSchema for Zone {}

impl std::str::FromStr for Zone {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        text.parse()
            .map(Self)
            .map_err(|_| DomainError::UnknownZone(shortened(text)))
    }
}

impl TryFrom<String> for Zone {
    type Error = DomainError;

    fn try_from(text: String) -> Result<Self, DomainError> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn days_are_23_and_25_hours_long_when_clocks_change() {
        let athens = zone("Europe/Athens");
        for (day, hours) in [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)] {
            let day = date(day);
            let length = athens.evening_of(day) - athens.start_of_day(day);
            assert_eq!(length, TimeDelta::hours(hours), "{day}");
        }
    }

    #[test]
    fn a_day_whose_midnight_is_skipped_starts_after_the_jump() {
        // Lebanon moves its clocks at midnight.
        let beirut = zone("Asia/Beirut");
        let start = beirut.start_of_day(date("2022-03-27"));
        assert_eq!(
            start,
            "2022-03-26T22:00:00Z".parse::<DateTime<Utc>>().unwrap()
        );
        assert_eq!(beirut.day_of(start), date("2022-03-27"));
    }

    #[test]
    fn an_unknown_zone_is_named() {
        let error = "Mars/Olympus".parse::<Zone>().unwrap_err();
        assert!(error.to_string().contains("Mars/Olympus"));
    }

    proptest! {
        #[test]
        fn every_instant_lies_within_its_own_day(
            seconds in 0_i64..4_000_000_000,
            name in prop::sample::select(vec![
                "UTC", "Europe/London", "America/Sao_Paulo", "Asia/Beirut", "Australia/Lord_Howe",
                "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu",
            ]),
        ) {
            let zone = zone(name);
            let instant = DateTime::from_timestamp(seconds, 0).unwrap();
            let day = zone.day_of(instant);
            prop_assert!(zone.start_of_day(day) <= instant);
            prop_assert!(instant < zone.evening_of(day));
        }
    }
}
