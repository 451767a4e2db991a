//! Records as the service reads and writes them.

use chrono::{DateTime, Utc};
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
    /// The vendor or app it comes from.
    pub source: String,
    /// Its identity there; made of its moment when not given.
    pub source_id: Option<String>,
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
pub struct Page {
    /// Whose.
    pub user_id: UserId,
    /// The records.
    pub items: Vec<serde_json::Value>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<String>,
}
