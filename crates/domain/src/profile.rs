//! The profile of a person; all fields except the time zone are optional.

use crate::bounds::{DAY_BEGINS_HOUR, LISTED};
use crate::day::{AsOf, Zone};
use crate::error::{FieldError, InvalidRequest};
use crate::metric::{MetricType, word_enum};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

word_enum! {
    /// Self-reported activity level of an ordinary day.
    ActivityLevel, "activity level" {
        /// Sitting for most of the day.
        Sedentary = "sedentary",
        /// Some walking.
        Light = "light",
        /// The reference level.
        Moderate = "moderate",
        /// Training most days.
        Active = "active",
        /// Hard training or physical work.
        VeryActive = "very_active",
    }
}

impl ActivityLevel {
    /// Factor on the energy goal (reference service, `CONTRACT.md` C.1).
    pub fn energy_factor(self) -> f64 {
        match self {
            Self::Sedentary => 0.9,
            Self::Light => 0.95,
            Self::Moderate => 1.0,
            Self::Active => 1.05,
            Self::VeryActive => 1.1,
        }
    }
}

/// A time zone, from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ZoneFrom {
    /// First local day in this zone.
    pub from: NaiveDate,
    /// IANA time zone.
    pub zone: Zone,
}

/// A person's profile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Profile {
    /// IANA time zone in which the person's days begin and end, before the first of `moves`.
    pub zone: Zone,
    /// Time zones of later periods (moves and travel), in time order.
    pub moves: Vec<ZoneFrom>,
    /// Local hour at which a day begins, 0 to 23: 0 is midnight. A later hour is for people who work at
    /// night; what happens before it belongs to the day before.
    pub day_begins_hour: u32,
    /// Sources in the order of preference, by metric type: the first one with a value on a day counts.
    pub preferred_sources: BTreeMap<MetricType, Vec<String>>,
    /// Body weight, kg.
    pub weight_kg: Option<f64>,
    /// Height, cm.
    pub height_cm: Option<f64>,
    /// Weight goal, kg.
    pub goal_weight_kg: Option<f64>,
    /// Energy goal per day, kcal.
    pub goal_energy_kcal: Option<f64>,
    /// Protein goal per day, g.
    pub goal_protein_g: Option<f64>,
    /// Carbohydrate goal per day, g.
    pub goal_carbs_g: Option<f64>,
    /// Fat goal per day, g.
    pub goal_fat_g: Option<f64>,
    /// Self-reported activity level.
    pub activity_level: Option<ActivityLevel>,
    /// First days of menstrual cycles, if tracked, in time order.
    pub cycle_starts: Vec<NaiveDate>,
    /// Whether the person's days may be used to fit models of many people: `true` for consent, `false`
    /// for a refusal, `null` if not asked. A refusal is always respected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allows_pooling: Option<bool>,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            zone: Zone::UTC,
            moves: Vec::new(),
            day_begins_hour: 0,
            preferred_sources: BTreeMap::new(),
            weight_kg: None,
            height_cm: None,
            goal_weight_kg: None,
            goal_energy_kcal: None,
            goal_protein_g: None,
            goal_carbs_g: None,
            goal_fat_g: None,
            activity_level: None,
            cycle_starts: Vec::new(),
            allows_pooling: None,
        }
    }
}

impl Profile {
    /// The zone at an instant, and the last day before the next zone begins.
    fn zone_at(&self, instant: DateTime<Utc>) -> (Zone, Option<NaiveDate>) {
        let mut zone = self.zone;
        for next in &self.moves {
            if instant < self.begin_in(next.zone, next.from) {
                return (zone, next.from.pred_opt());
            }
            zone = next.zone;
        }
        (zone, None)
    }

    /// The zone in which a local day begins.
    pub fn zone_on(&self, day: NaiveDate) -> Zone {
        let later = self.moves.partition_point(|next| next.from <= day);
        match later.checked_sub(1) {
            Some(last) => self.moves[last].zone,
            None => self.zone,
        }
    }

    fn begin_in(&self, zone: Zone, day: NaiveDate) -> DateTime<Utc> {
        match NaiveTime::from_hms_opt(self.day_begins_hour, 0, 0) {
            Some(begin) if self.day_begins_hour > 0 => zone.instant_of(day.and_time(begin)),
            _ => zone.start_of_day(day),
        }
    }

    /// The local day of an instant.
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        self.day_and_offset(instant).0
    }

    /// [`Profile::day_of`] and [`Profile::offset_seconds`] of an instant together.
    pub(crate) fn day_and_offset(&self, instant: DateTime<Utc>) -> (NaiveDate, i32) {
        if self.moves.is_empty() && self.day_begins_hour == 0 {
            return self.zone.day_and_offset(instant);
        }
        let (zone, last) = self.zone_at(instant);
        let (day, offset) = zone.day_and_offset(instant);
        let day = if instant < self.begin_in(zone, day) {
            day.pred_opt().unwrap_or(day)
        } else {
            day
        };
        (last.map_or(day, |last| day.min(last)), offset)
    }

    /// The day of a time on the person's clock.
    pub fn day_of_local(&self, local: NaiveDateTime) -> NaiveDate {
        let begin = TimeDelta::hours(i64::from(self.day_begins_hour));
        local
            .checked_sub_signed(begin)
            .map_or(local.date(), |shifted| shifted.date())
    }

    /// The instant of a time on the person's clock.
    pub fn instant_of(&self, local: NaiveDateTime) -> DateTime<Utc> {
        self.zone_on(local.date()).instant_of(local)
    }

    /// The first instant of a local day.
    pub fn start_of_day(&self, day: NaiveDate) -> DateTime<Utc> {
        self.begin_in(self.zone_on(day), day)
    }

    /// The evening of a day: the instant when it ends and the next day begins. Data known at exactly
    /// that instant count as known on that evening.
    pub fn evening_of(&self, day: NaiveDate) -> AsOf {
        self.start_of_day(day.succ_opt().unwrap_or(day))
    }

    /// Seconds to add to UTC to get the person's local time at an instant.
    pub fn offset_seconds(&self, instant: DateTime<Utc>) -> i32 {
        self.zone_at(instant).0.offset_seconds(instant)
    }

    /// Whether two profiles place records on the same days.
    pub fn has_the_days_of(&self, other: &Self) -> bool {
        self.zone == other.zone
            && self.moves == other.moves
            && self.day_begins_hour == other.day_begins_hour
    }

    /// Checks that every number is plausible for a person.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest`] with all invalid fields.
    pub fn validate(&self) -> Result<(), InvalidRequest> {
        let mut faults: Vec<FieldError> = Self::NUMBERS
            .iter()
            .filter(|field| field.check(self).is_err())
            .map(|field| FieldError {
                field: field.name,
                message: format!(
                    "must be between {} and {}",
                    field.bounds.low, field.bounds.high
                ),
            })
            .collect();
        DAY_BEGINS_HOUR.check(
            &mut faults,
            "day_begins_hour",
            self.day_begins_hour as usize,
        );
        if !self.moves.is_sorted_by(|one, next| one.from < next.from) {
            faults.push(FieldError {
                field: "moves",
                message: "must be in time order, with one zone a day".to_owned(),
            });
        }
        if self.moves.len() > LISTED {
            faults.push(FieldError {
                field: "moves",
                message: format!("must have at most {LISTED} zones"),
            });
        }
        let named = |sources: &Vec<String>| {
            sources.len() <= LISTED && sources.iter().all(|source| !source.is_empty())
        };
        if !self.preferred_sources.values().all(named) {
            faults.push(FieldError {
                field: "preferred_sources",
                message: format!("must have at most {LISTED} sources, each with a name"),
            });
        }
        if !self.cycle_starts.is_sorted() {
            faults.push(FieldError {
                field: "cycle_starts",
                message: "must be in time order".to_owned(),
            });
        }
        if faults.is_empty() {
            Ok(())
        } else {
            Err(InvalidRequest(faults))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn moved() -> Profile {
        let to = |from: &str, zone: &str| ZoneFrom {
            from: day(from),
            zone: zone.parse().unwrap(),
        };
        Profile {
            zone: "Europe/Berlin".parse().unwrap(),
            moves: vec![
                to("2026-03-10", "America/New_York"),
                to("2026-04-01", "Asia/Tokyo"),
            ],
            ..Profile::default()
        }
    }

    #[test]
    fn a_person_who_moves_has_days_without_gap_or_overlap() {
        let profile = moved();
        // The last day in Berlin lasts until the first one in New York begins, 5 hours longer.
        let length = |text: &str| profile.evening_of(day(text)) - profile.start_of_day(day(text));
        assert_eq!(length("2026-03-08"), TimeDelta::hours(24));
        assert_eq!(length("2026-03-09"), TimeDelta::hours(29));
        assert_eq!(length("2026-03-31"), TimeDelta::hours(11));
        assert_eq!(profile.zone_on(day("2026-03-09")).name(), "Europe/Berlin");
        assert_eq!(profile.zone_on(day("2026-04-01")).name(), "Asia/Tokyo");
    }

    #[test]
    fn what_a_night_worker_does_before_the_day_begins_belongs_to_the_day_before() {
        let profile = Profile {
            zone: "Europe/Berlin".parse().unwrap(),
            day_begins_hour: 12,
            ..Profile::default()
        };
        let at = |text: &str| profile.day_of(text.parse().unwrap());
        assert_eq!(at("2026-05-02T09:30:00Z"), day("2026-05-01"));
        assert_eq!(at("2026-05-02T10:00:00Z"), day("2026-05-02"));
        let local = "2026-05-02T11:59:00".parse().unwrap();
        assert_eq!(profile.day_of_local(local), day("2026-05-01"));
    }

    #[test]
    fn contradictory_settings_are_named() {
        let mut profile = moved();
        profile.moves.reverse();
        profile.day_begins_hour = 24;
        profile
            .preferred_sources
            .insert(MetricType::Steps, vec![String::new()]);
        let faults = profile.validate().unwrap_err().0;
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field).collect();
        assert_eq!(fields, ["day_begins_hour", "moves", "preferred_sources"]);
    }

    proptest! {
        #[test]
        fn every_instant_lies_within_its_own_day_wherever_the_person_is(
            hours in 0_i64..24 * 120, begins in 0_u32..24,
        ) {
            let profile = Profile { day_begins_hour: begins, ..moved() };
            let instant = "2026-02-01T00:17:00Z".parse::<DateTime<Utc>>().unwrap()
                + TimeDelta::hours(hours);
            let day = profile.day_of(instant);
            prop_assert!(profile.start_of_day(day) <= instant);
            prop_assert!(instant < profile.evening_of(day));
        }
    }
}
