//! Records as the service reads and writes them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use vitalcast_domain::{ActivityType, Intensity, MealType, MetricType, UserId};

/// Something eaten or drunk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Meal {
    /// When.
    pub consumed_at: DateTime<Utc>,
    /// What it was called.
    pub name: Option<String>,
    /// Which meal.
    pub meal_type: Option<MealType>,
    /// Energy, kcal.
    pub calories: Option<f64>,
    /// Protein, g.
    pub protein: Option<f64>,
    /// Carbohydrate, g.
    pub carbs: Option<f64>,
    /// Fat, g.
    pub fat: Option<f64>,
    /// Fibre, g.
    pub fiber: Option<f64>,
    /// Sugar, g.
    pub sugar: Option<f64>,
    /// The vendor or app it comes from.
    pub source: String,
    /// Its identity there; made of its moment when not given.
    pub source_id: Option<String>,
    /// The local day it belongs to, when that is not the day of its moment in the person's zone.
    pub day: Option<NaiveDate>,
    /// When it became known; when it happened if not given.
    pub known_at: Option<DateTime<Utc>>,
}

impl Meal {
    /// A meal of which only the moment is known.
    pub fn new(consumed_at: DateTime<Utc>, source: impl Into<String>) -> Self {
        Self {
            consumed_at,
            name: None,
            meal_type: None,
            calories: None,
            protein: None,
            carbs: None,
            fat: None,
            fiber: None,
            sugar: None,
            source: source.into(),
            source_id: None,
            day: None,
            known_at: None,
        }
    }
}

/// A workout, a walk, a match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What was done.
    pub activity_type: ActivityType,
    /// How hard.
    pub intensity: Option<Intensity>,
    /// How long, minutes.
    pub duration: Option<f64>,
    /// Energy above rest, kcal.
    pub calories_burned: Option<f64>,
    /// Mean heart rate, beats per minute.
    pub average_heart_rate: Option<f64>,
    /// Highest heart rate, beats per minute.
    pub max_heart_rate: Option<f64>,
    /// Distance, m.
    pub distance: Option<f64>,
    /// Steps.
    pub steps: Option<f64>,
    /// The vendor or app it comes from.
    pub source: String,
    /// Its identity there; made of its moment when not given.
    pub source_id: Option<String>,
    /// The local day it belongs to, when that is not the day of its moment in the person's zone.
    pub day: Option<NaiveDate>,
    /// When it became known; when it happened if not given.
    pub known_at: Option<DateTime<Utc>>,
}

impl Activity {
    /// An activity of which only begin and kind are known.
    pub fn new(
        started_at: DateTime<Utc>,
        activity_type: ActivityType,
        source: impl Into<String>,
    ) -> Self {
        Self {
            started_at,
            activity_type,
            intensity: None,
            duration: None,
            calories_burned: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance: None,
            steps: None,
            source: source.into(),
            source_id: None,
            day: None,
            known_at: None,
        }
    }
}

/// One reading of one metric, in the metric's unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthMetric {
    /// When; for a night, the waking.
    pub recorded_at: DateTime<Utc>,
    /// What was measured.
    pub metric_type: MetricType,
    /// The value.
    pub value: f64,
    /// The vendor or app it comes from.
    pub source: String,
    /// Its identity there; made of its moment when not given.
    pub source_id: Option<String>,
    /// The local day it belongs to, when that is not the day of its moment in the person's zone.
    pub day: Option<NaiveDate>,
    /// When it became known; when it happened if not given.
    pub known_at: Option<DateTime<Utc>>,
}

impl HealthMetric {
    /// A reading in the metric's unit.
    pub fn new(
        recorded_at: DateTime<Utc>,
        metric_type: MetricType,
        value: f64,
        source: impl Into<String>,
    ) -> Self {
        Self {
            recorded_at,
            metric_type,
            value,
            source: source.into(),
            source_id: None,
            day: None,
            known_at: None,
        }
    }
}

/// What became of records that were written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// Whose.
    pub user_id: UserId,
    /// Those that were new.
    pub added: u64,
    /// Those that were there already.
    pub unchanged: u64,
    /// Those that correct what was there.
    pub corrected: u64,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Page<T> {
    /// Whose.
    pub user_id: UserId,
    /// The records in their current version, in the order of days and moments.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}

/// A meal that is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MealRecord {
    /// When; the start of the local day when the time is not known.
    pub consumed_at: DateTime<Utc>,
    /// Whether the time of day is known.
    pub time_known: bool,
    /// What it was called.
    pub name: Option<String>,
    /// Which meal.
    pub meal_type: Option<MealType>,
    /// Energy, kcal.
    pub calories: Option<f64>,
    /// Protein, g.
    pub protein: Option<f64>,
    /// Carbohydrate, g.
    pub carbs: Option<f64>,
    /// Fat, g.
    pub fat: Option<f64>,
    /// Fibre, g.
    pub fiber: Option<f64>,
    /// Sugar, g.
    pub sugar: Option<f64>,
    /// Where it comes from, and since when it is known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// An activity that is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ActivityRecord {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// What was done.
    pub activity_type: ActivityType,
    /// How hard.
    pub intensity: Option<Intensity>,
    /// How long, minutes.
    pub duration: Option<f64>,
    /// Energy above rest, kcal.
    pub calories_burned: Option<f64>,
    /// Mean heart rate, beats per minute.
    pub average_heart_rate: Option<f64>,
    /// Highest heart rate, beats per minute.
    pub max_heart_rate: Option<f64>,
    /// Distance, m.
    pub distance: Option<f64>,
    /// Steps.
    pub steps: Option<f64>,
    /// Where it comes from, and since when it is known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A reading that is kept.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HealthMetricRecord {
    /// When; for a night, the waking.
    pub recorded_at: DateTime<Utc>,
    /// What was measured.
    pub metric_type: MetricType,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// Whether it is of a part of the day only.
    pub partial: bool,
    /// Where it comes from, and since when it is known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// What every record that is kept says of its origin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Origin {
    /// The vendor or app it comes from.
    pub source: String,
    /// Its identity there.
    pub source_id: String,
    /// The local day it belongs to.
    pub day: NaiveDate,
    /// When it became known.
    pub known_at: DateTime<Utc>,
}
