//! Records of meals, activities and measurements, each with the time when it happened and the time when
//! it became known.
//!
//! The identity of a record is (user, kind, source, source id). A record with the same identity and
//! other content is a *correction*: a new version that becomes known later. At any time, the current
//! version is the one with the latest `known_at` not after that time; older versions stay for replays.

use crate::day::Zone;
use crate::error::DomainError;
use crate::id::UserId;
use crate::metric::{MetricType, word_enum};
use crate::profile::Profile;
use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// Meal of the day.
    MealType, "meal type" {
        /// First meal.
        Breakfast = "breakfast",
        /// Midday meal.
        Lunch = "lunch",
        /// Evening meal.
        Dinner = "dinner",
        /// Anything between meals.
        Snack = "snack",
    }
}

word_enum! {
    /// The 21 activity types of the contract.
    ActivityType, "activity type" {
        /// Running.
        Running = "RUNNING",
        /// Cycling.
        Cycling = "CYCLING",
        /// Swimming.
        Swimming = "SWIMMING",
        /// Walking.
        Walking = "WALKING",
        /// Hiking.
        Hiking = "HIKING",
        /// Rowing.
        Rowing = "ROWING",
        /// Elliptical trainer.
        Elliptical = "ELLIPTICAL",
        /// Weight training.
        WeightTraining = "WEIGHT_TRAINING",
        /// Exercises with one's own weight.
        Bodyweight = "BODYWEIGHT",
        /// Mixed high-intensity training.
        Crossfit = "CROSSFIT",
        /// Powerlifting.
        Powerlifting = "POWERLIFTING",
        /// Basketball.
        Basketball = "BASKETBALL",
        /// Football (soccer).
        Soccer = "SOCCER",
        /// Tennis.
        Tennis = "TENNIS",
        /// Golf.
        Golf = "GOLF",
        /// Yoga.
        Yoga = "YOGA",
        /// Pilates.
        Pilates = "PILATES",
        /// Stretching.
        Stretching = "STRETCHING",
        /// Martial arts.
        MartialArts = "MARTIAL_ARTS",
        /// Dance.
        Dance = "DANCE",
        /// Anything else.
        Other = "OTHER",
    }
}

word_enum! {
    /// Intensity of an activity.
    Intensity, "intensity" {
        /// Easy.
        Low = "LOW",
        /// Breathing faster.
        Moderate = "MODERATE",
        /// Hard.
        High = "HIGH",
        /// Maximum effort.
        Maximum = "MAXIMUM",
    }
}

word_enum! {
    /// The kind of a record.
    RecordKind, "record kind" {
        /// Food or drink.
        Meal = "meal",
        /// A workout or walk.
        Activity = "activity",
        /// One reading of one metric.
        HealthMetric = "health_metric",
    }
}

/// Source of a record, the time when it happened, and the time when it became known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The vendor or app, for example `fitbit`.
    pub source: String,
    /// Id within the source; the importer derives an id if the source has none.
    pub source_id: String,
    /// Time when it happened (start of a period; for a night, the time of waking).
    pub observed_at: DateTime<Utc>,
    /// Local time minus UTC at that moment, seconds.
    pub utc_offset_seconds: i32,
    /// The person's local day it belongs to. A night belongs to the day of waking.
    pub day: NaiveDate,
    /// Time when it became known to the person or app; never before the start of the day of
    /// `observed_at`.
    pub known_at: DateTime<Utc>,
}

impl Provenance {
    /// Provenance of a record that was known at the time when it happened; its day is in the person's
    /// time zone.
    pub fn at(
        source: impl Into<String>,
        source_id: impl Into<String>,
        observed_at: DateTime<Utc>,
        zone: Zone,
    ) -> Self {
        Self {
            source: source.into(),
            source_id: source_id.into(),
            observed_at,
            utc_offset_seconds: zone.offset_seconds(observed_at),
            day: zone.day_of(observed_at),
            known_at: observed_at,
        }
    }

    /// Provenance of a daily value that the vendor publishes at the end of the day: observed and known
    /// on that evening.
    pub fn of_day(
        source: impl Into<String>,
        source_id: impl Into<String>,
        day: NaiveDate,
        zone: Zone,
    ) -> Self {
        let evening = zone.evening_of(day);
        Self {
            source: source.into(),
            source_id: source_id.into(),
            observed_at: evening - TimeDelta::seconds(1),
            utc_offset_seconds: zone.offset_seconds(evening - TimeDelta::seconds(1)),
            day,
            known_at: evening,
        }
    }

    /// Local time at `observed_at`.
    pub fn local_time(&self) -> NaiveDateTime {
        (self.observed_at + TimeDelta::seconds(i64::from(self.utc_offset_seconds))).naive_utc()
    }
}

/// Something eaten or drunk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Meal {
    /// Origin and times.
    pub provenance: Provenance,
    /// Name of the meal.
    pub name: Option<String>,
    /// Meal of the day.
    pub meal_type: Option<MealType>,
    /// Energy, kcal.
    pub energy_kcal: Option<f64>,
    /// Protein, g.
    pub protein_g: Option<f64>,
    /// Carbohydrate, g.
    pub carbs_g: Option<f64>,
    /// Fat, g.
    pub fat_g: Option<f64>,
    /// Fibre, g.
    pub fiber_g: Option<f64>,
    /// Sugar, g.
    pub sugar_g: Option<f64>,
    /// Whether the time of day is known; if not, only the day counts.
    pub time_known: bool,
}

/// A workout, a walk or a match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Origin and times; `observed_at` is the start.
    pub provenance: Provenance,
    /// Type of activity.
    pub activity_type: ActivityType,
    /// Intensity, if given.
    pub intensity: Option<Intensity>,
    /// Duration in minutes, if known. A list of workout names has no durations.
    pub duration_minutes: Option<f64>,
    /// Energy above rest, kcal.
    pub energy_kcal: Option<f64>,
    /// Mean heart rate, bpm.
    pub average_heart_rate: Option<f64>,
    /// Highest heart rate, bpm.
    pub max_heart_rate: Option<f64>,
    /// Distance, m.
    pub distance_m: Option<f64>,
    /// Steps.
    pub steps: Option<f64>,
}

/// One reading of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthMetric {
    /// Origin and times.
    pub provenance: Provenance,
    /// The metric.
    pub metric: MetricType,
    /// The value in [`MetricType::unit`].
    pub value: f64,
    /// Whether the measurement is incomplete (a night under two hours): it is stored and shown, but not
    /// used as target or input.
    pub partial: bool,
}

/// Nights shorter than this number of hours are partial.
const PARTIAL_NIGHT: f64 = 2.0;

impl HealthMetric {
    /// A reading in [`MetricType::unit`]; a night of under two hours is marked as partial.
    pub fn new(provenance: Provenance, metric: MetricType, value: f64) -> Self {
        Self {
            provenance,
            metric,
            value,
            partial: metric == MetricType::SleepDuration && value < PARTIAL_NIGHT,
        }
    }
}

/// A record of any kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Record {
    /// Food or drink.
    Meal(Meal),
    /// A workout or walk.
    Activity(Activity),
    /// One reading.
    HealthMetric(HealthMetric),
}

/// Longest accepted `source` and `source_id`, in bytes.
const MAX_SOURCE: usize = 200;

impl Record {
    /// The provenance of the record.
    pub fn provenance(&self) -> &Provenance {
        match self {
            Self::Meal(meal) => &meal.provenance,
            Self::Activity(activity) => &activity.provenance,
            Self::HealthMetric(reading) => &reading.provenance,
        }
    }

    /// The provenance of the record, mutable.
    pub fn provenance_mut(&mut self) -> &mut Provenance {
        match self {
            Self::Meal(meal) => &mut meal.provenance,
            Self::Activity(activity) => &mut activity.provenance,
            Self::HealthMetric(reading) => &mut reading.provenance,
        }
    }

    /// The kind of the record.
    pub fn kind(&self) -> RecordKind {
        match self {
            Self::Meal(_) => RecordKind::Meal,
            Self::Activity(_) => RecordKind::Activity,
            Self::HealthMetric(_) => RecordKind::HealthMetric,
        }
    }

    /// Checks all numbers and names.
    ///
    /// # Errors
    ///
    /// [`DomainError`] for the first number that is not finite or not plausible, and for a source
    /// that is empty or longer than 200 bytes.
    pub fn validate(&self) -> Result<(), DomainError> {
        let provenance = self.provenance();
        for (what, text) in [
            ("source", &provenance.source),
            ("source_id", &provenance.source_id),
        ] {
            if text.is_empty() || text.len() > MAX_SOURCE {
                return Err(DomainError::OutOfRange {
                    what,
                    low: 1.0,
                    high: MAX_SOURCE as f64,
                    unit: "bytes",
                });
            }
        }
        let numbers: &[(&'static str, Option<f64>, f64, f64, &'static str)] = match self {
            Self::Meal(meal) => &[
                ("calories", meal.energy_kcal, 0.0, 20_000.0, "kcal"),
                ("protein", meal.protein_g, 0.0, 2_000.0, "g"),
                ("carbs", meal.carbs_g, 0.0, 3_000.0, "g"),
                ("fat", meal.fat_g, 0.0, 2_000.0, "g"),
                ("fiber", meal.fiber_g, 0.0, 500.0, "g"),
                ("sugar", meal.sugar_g, 0.0, 3_000.0, "g"),
            ],
            Self::Activity(activity) => &[
                ("duration", activity.duration_minutes, 0.0, 2_880.0, "min"),
                (
                    "calories burned",
                    activity.energy_kcal,
                    0.0,
                    30_000.0,
                    "kcal",
                ),
                (
                    "average heart rate",
                    activity.average_heart_rate,
                    20.0,
                    260.0,
                    "/min",
                ),
                (
                    "max heart rate",
                    activity.max_heart_rate,
                    20.0,
                    260.0,
                    "/min",
                ),
                ("distance", activity.distance_m, 0.0, 1_000_000.0, "m"),
                ("steps", activity.steps, 0.0, 200_000.0, ""),
            ],
            Self::HealthMetric(reading) => return reading.metric.check(reading.value),
        };
        for &(what, value, low, high, unit) in numbers {
            let Some(value) = value else { continue };
            if !value.is_finite() {
                return Err(DomainError::NotFinite { what });
            }
            if !(low..=high).contains(&value) {
                return Err(DomainError::OutOfRange {
                    what,
                    low,
                    high,
                    unit,
                });
            }
        }
        Ok(())
    }
}

/// All data of one person: the input of features, training and forecasts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// Id of the person.
    pub user: UserId,
    /// Profile of the person.
    pub profile: Profile,
    /// All versions of all records. Later versions of an identity come after earlier ones.
    pub records: Vec<Record>,
}

impl History {
    /// A person without records.
    pub fn new(user: UserId, profile: Profile) -> Self {
        Self {
            user,
            profile,
            records: Vec::new(),
        }
    }

    /// First and last local day with a record.
    pub fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        let days = || self.records.iter().map(|record| record.provenance().day);
        Some((days().min()?, days().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_names_21_activity_types_and_4_intensities() {
        assert_eq!(ActivityType::ALL.len(), 21);
        assert_eq!(Intensity::ALL.len(), 4);
    }

    #[test]
    fn a_daily_value_is_known_in_the_evening_of_its_own_day() {
        let zone: Zone = "Europe/London".parse().unwrap();
        let day = "2024-03-31".parse().unwrap();
        let provenance = Provenance::of_day("garmin", "x", day, zone);
        assert_eq!(zone.day_of(provenance.observed_at), day);
        assert_eq!(provenance.known_at, zone.evening_of(day));
        assert_eq!(provenance.local_time().to_string(), "2024-03-31 23:59:59");
    }

    #[test]
    fn a_record_round_trips_through_json() {
        let record = Record::HealthMetric(HealthMetric {
            provenance: Provenance::at("a", "b", DateTime::UNIX_EPOCH, Zone::UTC),
            metric: MetricType::SleepDuration,
            value: 7.25,
            partial: false,
        });
        let json = serde_json::to_string(&record).unwrap();
        assert!(json.contains("\"kind\":\"health_metric\""));
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }

    #[test]
    fn a_meal_of_infinite_energy_is_refused() {
        let mut meal = Meal {
            provenance: Provenance::at("a", "b", DateTime::UNIX_EPOCH, Zone::UTC),
            name: None,
            meal_type: None,
            energy_kcal: Some(f64::INFINITY),
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
            time_known: true,
        };
        assert!(matches!(
            Record::Meal(meal.clone()).validate(),
            Err(DomainError::NotFinite { what: "calories" })
        ));
        meal.energy_kcal = Some(-1.0);
        assert!(matches!(
            Record::Meal(meal).validate(),
            Err(DomainError::OutOfRange { .. })
        ));
    }
}
