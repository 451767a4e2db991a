//! Records in the format of the service.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use vitalcast_domain::{
    ActivityType, Intensity, MealType, MetricType, Moment, ReadingKind, UserId,
};

/// Something eaten or drunk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Meal {
    /// Time of the meal, or a date if the time is not known.
    pub consumed_at: Moment,
    /// Name of the meal.
    pub name: Option<String>,
    /// Meal of the day.
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
    /// Vendor or app that the record comes from.
    pub source: String,
    /// Id of the record within the source; made from its time when not given.
    pub source_id: Option<String>,
    /// Local day of the record, if it differs from the day of its time in the person's time zone.
    pub day: Option<NaiveDate>,
    /// Time when the record became known; when not given, the time of the record itself.
    pub known_at: Option<DateTime<Utc>>,
    /// Time of the last change in the source: an older version never replaces a newer one.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Meal {
    /// A meal with only its time.
    pub fn new(consumed_at: impl Into<Moment>, source: impl Into<String>) -> Self {
        Self {
            consumed_at: consumed_at.into(),
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
            updated_at: None,
        }
    }
}

/// A workout, a walk or a match.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Activity {
    /// Start time, or a date if the time is not known.
    pub started_at: Moment,
    /// End time.
    pub ended_at: Option<Moment>,
    /// Type of activity.
    pub activity_type: ActivityType,
    /// Intensity.
    pub intensity: Option<Intensity>,
    /// Duration, minutes.
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
    /// Vendor or app that the record comes from.
    pub source: String,
    /// Id of the record within the source; made from its time when not given.
    pub source_id: Option<String>,
    /// Local day of the record, if it differs from the day of its time in the person's time zone.
    pub day: Option<NaiveDate>,
    /// Time when the record became known; when not given, the time of the record itself.
    pub known_at: Option<DateTime<Utc>>,
    /// Time of the last change in the source: an older version never replaces a newer one.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Activity {
    /// An activity with only its start and type.
    pub fn new(
        started_at: impl Into<Moment>,
        activity_type: ActivityType,
        source: impl Into<String>,
    ) -> Self {
        Self {
            started_at: started_at.into(),
            ended_at: None,
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
            updated_at: None,
        }
    }
}

/// One reading of one metric, in the metric's unit.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HealthMetric {
    /// Time of the reading, start of its span, or a date for a value of that day; for a night without an
    /// end, the time of waking.
    pub recorded_at: Moment,
    /// End of its span.
    pub ended_at: Option<Moment>,
    /// What it is a measurement of; when not given, it follows from metric and time.
    pub kind: Option<ReadingKind>,
    /// The metric.
    pub metric_type: MetricType,
    /// The value.
    pub value: f64,
    /// Vendor or app that the record comes from.
    pub source: String,
    /// Id of the record within the source; made from its time when not given.
    pub source_id: Option<String>,
    /// Local day of the record, if it differs from the day of its time in the person's time zone.
    pub day: Option<NaiveDate>,
    /// Time when the record became known; when not given, the time of the record itself.
    pub known_at: Option<DateTime<Utc>>,
    /// Time of the last change in the source: an older version never replaces a newer one.
    pub updated_at: Option<DateTime<Utc>>,
}

impl HealthMetric {
    /// A reading in the metric's unit.
    pub fn new(
        recorded_at: impl Into<Moment>,
        metric_type: MetricType,
        value: f64,
        source: impl Into<String>,
    ) -> Self {
        Self {
            recorded_at: recorded_at.into(),
            ended_at: None,
            kind: None,
            metric_type,
            value,
            source: source.into(),
            source_id: None,
            day: None,
            known_at: None,
            updated_at: None,
        }
    }
}

/// Something that a person noted of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Time that the tag is about, or a date for a whole day.
    pub noted_at: Moment,
    /// The label, or the question of a journal.
    pub name: String,
    /// Whether it was so; `false` for an answer of no.
    pub applies: bool,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// Vendor or app that the record comes from.
    pub source: String,
    /// Id of the record within the source; made from its time and name when not given.
    pub source_id: Option<String>,
    /// Local day of the record, if it differs from the day of its time in the person's time zone.
    pub day: Option<NaiveDate>,
    /// Time when the record became known; when not given, the time of the record itself.
    pub known_at: Option<DateTime<Utc>>,
    /// Time of the last change in the source: an older version never replaces a newer one.
    pub updated_at: Option<DateTime<Utc>>,
}

impl Tag {
    /// A tag that applies.
    pub fn new(
        noted_at: impl Into<Moment>,
        name: impl Into<String>,
        source: impl Into<String>,
    ) -> Self {
        Self {
            noted_at: noted_at.into(),
            name: name.into(),
            applies: true,
            note: None,
            source: source.into(),
            source_id: None,
            day: None,
            known_at: None,
            updated_at: None,
        }
    }
}

/// The result of writing records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Written {
    /// Id of the person.
    pub user_id: UserId,
    /// Number of new records.
    pub added: u64,
    /// Number of records that were stored before.
    pub unchanged: u64,
    /// Number of corrected records.
    pub corrected: u64,
    /// Number of records left out because the stored version is newer in its source.
    pub outdated: u64,
    /// Number of records left out because they were deleted; they can be restored.
    pub deleted: u64,
    /// Number of readings left out because their number says "not measured".
    #[serde(default)]
    pub not_measured: u64,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Page<T> {
    /// Id of the person.
    pub user_id: UserId,
    /// The records in their current version, ordered by day and time.
    pub items: Vec<T>,
    /// Cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A stored meal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MealRecord {
    /// Time of the meal, or a date if the time is not known.
    pub consumed_at: Moment,
    /// Whether the time of day is known.
    pub time_known: bool,
    /// Name of the meal.
    pub name: Option<String>,
    /// Meal of the day.
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
    /// Source of the record, and the time when it became known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A stored activity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ActivityRecord {
    /// Start time, or a date if the time is not known.
    pub started_at: Moment,
    /// End time, as it was written.
    pub ended_at: Option<Moment>,
    /// Type of activity.
    pub activity_type: ActivityType,
    /// Intensity.
    pub intensity: Option<Intensity>,
    /// Duration, minutes.
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
    /// Source of the record, and the time when it became known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A stored reading.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct HealthMetricRecord {
    /// Time of the reading, start of its span, or a date for a value of that day.
    pub recorded_at: Moment,
    /// End of its span, as it was written.
    pub ended_at: Option<Moment>,
    /// What it is a measurement of, if the source said so.
    pub kind: Option<ReadingKind>,
    /// The metric.
    pub metric_type: MetricType,
    /// The value.
    pub value: f64,
    /// Unit of the value.
    pub unit: String,
    /// Whether the reading is incomplete (covers only a part of the day).
    pub partial: bool,
    /// Source of the record, and the time when it became known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// A stored tag.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TagRecord {
    /// Time that the tag is about, or a date for a whole day.
    pub noted_at: Moment,
    /// The label, or the question of a journal.
    pub name: String,
    /// Whether it was so.
    pub applies: bool,
    /// What the person wrote beside it.
    pub note: Option<String>,
    /// Source of the record, and the time when it became known.
    #[serde(flatten)]
    pub origin: Origin,
}

/// The source fields of a stored record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Origin {
    /// Vendor or app that the record comes from.
    pub source: String,
    /// Id of the record within the source.
    pub source_id: String,
    /// Local day of the record.
    pub day: NaiveDate,
    /// Time when the record became known.
    pub known_at: DateTime<Utc>,
    /// Time of the last change in the source.
    pub updated_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_domain::RecordField;

    fn assert_fields(record: &impl Serialize, fields: &[RecordField], not_sent: &[&str]) {
        let serde_json::Value::Object(sent) = serde_json::to_value(record).unwrap() else {
            panic!("a record is an object");
        };
        let mut names: Vec<&str> = sent.keys().map(String::as_str).collect();
        names.sort_unstable();
        let origin = ["source", "source_id", "day", "known_at", "updated_at"];
        let mut expected: Vec<&str> = fields
            .iter()
            .map(|field| field.name)
            .chain(origin)
            .collect();
        expected.retain(|name| !not_sent.contains(name));
        expected.sort_unstable();
        assert_eq!(names, expected);
    }

    #[test]
    fn records_are_sent_with_the_fields_of_the_domain() {
        use vitalcast_domain::{Activity as A, HealthMetric as H, Meal as M, Tag as T};
        let at: Moment = "2026-11-22T12:15:00Z".parse().unwrap();
        assert_fields(&Meal::new(at, "diary"), M::FIELDS, &[]);
        assert_fields(&Tag::new(at, "alcohol", "journal"), T::FIELDS, &[]);
        assert_fields(
            &Activity::new(at, ActivityType::Running, "watch"),
            A::FIELDS,
            &[],
        );
        // Always in the metric's unit.
        assert_fields(
            &HealthMetric::new(at, MetricType::Steps, 9.0, "watch"),
            H::FIELDS,
            &["unit"],
        );
    }
}
