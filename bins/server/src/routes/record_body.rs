//! Records as they come in bodies: their shapes, and what becomes of one.

use crate::shape::{Field, Input, Kind, default, optional, read_back, required, shaped};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::HashMap;
use vitalcast::{
    Activity, ActivityType, FieldError, HealthMetric, Intensity, Meal, MealType, MetricType,
    Provenance, Record, Unit, Zone, record_json,
};

/// Nothing a watch or diary wrote is older.
const OLDEST: i32 = 1990;

// Fields every record has.
const SOURCE: Field = default(
    "source",
    Kind::Text(1, 200),
    "\"api\"",
    "The vendor or app it comes from",
);
const SOURCE_ID: Field = optional(
    "source_id",
    Kind::Text(1, 200),
    "Its identity within the source; when not given, its moment, or its date where no time is known, and its place among the meals or activities of that moment in the body. Writing an identity again with other content corrects it",
);
const DAY: Field = optional(
    "day",
    Kind::Date,
    "The local day it belongs to, when that is not the day of its moment in the person's zone",
);
const KNOWN_AT: Field = optional(
    "known_at",
    Kind::Instant,
    "When it became known; when it happened if not given",
);

// As they read back.
const SOURCE_ID_READ: Field = required(
    "source_id",
    SOURCE_ID.kind,
    "Its identity within the source",
);
const DAY_READ: Field = required("day", Kind::Date, "The local day it belongs to");
const KNOWN_AT_READ: Field = required(
    "known_at",
    Kind::Instant,
    "When it became known; replays of earlier days do not see it",
);

/// What every record says of its origin.
#[derive(Debug, Deserialize)]
struct Origin {
    source: String,
    source_id: Option<String>,
    day: Option<NaiveDate>,
    known_at: Option<DateTime<Utc>>,
}

/// Something eaten or drunk.
#[derive(Debug, Deserialize)]
pub(super) struct MealBody {
    consumed_at: String,
    name: Option<String>,
    meal_type: Option<MealType>,
    calories: Option<f64>,
    protein: Option<f64>,
    carbs: Option<f64>,
    fat: Option<f64>,
    fiber: Option<f64>,
    sugar: Option<f64>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    MealBody,
    "Meal",
    ClosedBody,
    &[
        required(
            "consumed_at",
            Kind::InstantOrDate,
            "When; a date alone when the time is not known"
        ),
        optional("name", Kind::Text(1, 500), "What it was called"),
        optional("meal_type", Kind::Word(MealType::WORDS), "Which meal"),
        optional("calories", Kind::Float(0.0, 20_000.0), "Energy, kcal"),
        optional("protein", Kind::Float(0.0, 2_000.0), "Protein, g"),
        optional("carbs", Kind::Float(0.0, 3_000.0), "Carbohydrate, g"),
        optional("fat", Kind::Float(0.0, 2_000.0), "Fat, g"),
        optional("fiber", Kind::Float(0.0, 500.0), "Fibre, g"),
        optional("sugar", Kind::Float(0.0, 3_000.0), "Sugar, g"),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

read_back!(
    MealRecord,
    "MealRecord",
    MealBody,
    &[
        required(
            "consumed_at",
            Kind::Instant,
            "When; the start of the local day when the time is not known"
        ),
        required("time_known", Kind::Bool, "Whether the time of day is known"),
        SOURCE_ID_READ,
        DAY_READ,
        KNOWN_AT_READ,
    ]
);

/// A workout, a walk, a match.
#[derive(Debug, Deserialize)]
pub(super) struct ActivityBody {
    started_at: String,
    activity_type: ActivityType,
    intensity: Option<Intensity>,
    duration: Option<f64>,
    calories_burned: Option<f64>,
    average_heart_rate: Option<f64>,
    max_heart_rate: Option<f64>,
    distance: Option<f64>,
    steps: Option<f64>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    ActivityBody,
    "Activity",
    ClosedBody,
    &[
        required("started_at", Kind::Instant, "When it began"),
        required(
            "activity_type",
            Kind::Word(ActivityType::WORDS),
            "What was done"
        ),
        optional("intensity", Kind::Word(Intensity::WORDS), "How hard"),
        optional("duration", Kind::Float(0.0, 2_880.0), "How long, minutes"),
        optional(
            "calories_burned",
            Kind::Float(0.0, 30_000.0),
            "Energy above rest, kcal"
        ),
        optional(
            "average_heart_rate",
            Kind::Float(20.0, 260.0),
            "Mean heart rate, beats per minute"
        ),
        optional(
            "max_heart_rate",
            Kind::Float(20.0, 260.0),
            "Highest heart rate, beats per minute"
        ),
        optional("distance", Kind::Float(0.0, 1_000_000.0), "Distance, m"),
        optional("steps", Kind::Float(0.0, 200_000.0), "Steps"),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

read_back!(
    ActivityRecord,
    "ActivityRecord",
    ActivityBody,
    &[SOURCE_ID_READ, DAY_READ, KNOWN_AT_READ]
);

/// One reading of one metric.
#[derive(Debug, Deserialize)]
pub(super) struct HealthMetricBody {
    recorded_at: String,
    metric_type: MetricType,
    value: f64,
    unit: Option<String>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    HealthMetricBody,
    "HealthMetric",
    ClosedBody,
    &[
        required(
            "recorded_at",
            Kind::Instant,
            "When; for a night, the waking"
        ),
        required(
            "metric_type",
            Kind::Word(MetricType::WORDS),
            "What was measured"
        ),
        required(
            "value",
            Kind::Float(0.0, 1_000_000.0),
            "The value; it must be one a body can show, in its unit"
        ),
        optional(
            "unit",
            Kind::Text(1, 20),
            "Its unit, such as bpm, ms, h, min; the metric's own when not given"
        ),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

read_back!(
    HealthMetricRecord,
    "HealthMetricRecord",
    HealthMetricBody,
    &[
        required("unit", Kind::Text(1, 20), "The unit of its metric"),
        required(
            "partial",
            Kind::Bool,
            "Whether it is of a part of the day only"
        ),
        SOURCE_ID_READ,
        DAY_READ,
        KNOWN_AT_READ,
    ]
);

/// A record of the wire that becomes one of the store.
pub(super) trait Wire: Input {
    /// Whether several at one moment are several, told apart by their order. Of a reading there is one.
    const MAY_COINCIDE: bool;

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError>;
}

fn field(field: &'static str, message: impl Into<String>) -> FieldError {
    FieldError {
        field,
        message: message.into(),
    }
}

/// The moment of a text that was checked; a date alone is the start of that local day.
fn moment(
    name: &'static str,
    text: &str,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, bool), FieldError> {
    use chrono::Datelike;
    let (instant, time_known) = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => (instant.to_utc(), true),
        Err(_) => match text.parse::<NaiveDate>() {
            Ok(day) => (zone.start_of_day(day), false),
            Err(_) => return Err(field(name, "is not a time")),
        },
    };
    if instant > now + TimeDelta::days(1) {
        return Err(field(name, "lies in the future"));
    }
    if instant.year() < OLDEST {
        return Err(field(name, format!("is before {OLDEST}")));
    }
    Ok((instant, time_known))
}

impl Origin {
    fn provenance(
        self,
        observed_at: DateTime<Utc>,
        time_known: bool,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Result<Provenance, FieldError> {
        let source_id = match self.source_id {
            Some(id) => id,
            None if time_known => observed_at.to_rfc3339(),
            // The same date in whatever zone.
            None => zone.day_of(observed_at).to_string(),
        };
        let mut provenance = Provenance::at(self.source, source_id, observed_at, zone);
        if let Some(day) = self.day {
            if (day - provenance.day).num_days().abs() > 1 {
                return Err(field(
                    "day",
                    "is more than a day away from the record's moment",
                ));
            }
            provenance.day = day;
        }
        let happened = if time_known {
            observed_at
        } else {
            // Somewhere in that day: known when it is over.
            zone.evening_of(provenance.day)
        };
        provenance.known_at = match self.known_at {
            Some(known_at) if known_at > now + TimeDelta::days(1) => {
                return Err(field("known_at", "lies in the future"));
            }
            Some(known_at) => known_at.max(happened),
            None => happened,
        };
        Ok(provenance)
    }
}

impl Wire for MealBody {
    const MAY_COINCIDE: bool = true;

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (consumed_at, time_known) = moment("consumed_at", &self.consumed_at, zone, now)?;
        Ok(Record::Meal(Meal {
            provenance: self.origin.provenance(consumed_at, time_known, zone, now)?,
            name: self.name,
            meal_type: self.meal_type,
            energy_kcal: self.calories,
            protein_g: self.protein,
            carbs_g: self.carbs,
            fat_g: self.fat,
            fiber_g: self.fiber,
            sugar_g: self.sugar,
            time_known,
        }))
    }
}

impl Wire for ActivityBody {
    const MAY_COINCIDE: bool = true;

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (started_at, _) = moment("started_at", &self.started_at, zone, now)?;
        Ok(Record::Activity(Activity {
            provenance: self.origin.provenance(started_at, true, zone, now)?,
            activity_type: self.activity_type,
            intensity: self.intensity,
            duration_minutes: self.duration,
            energy_kcal: self.calories_burned,
            average_heart_rate: self.average_heart_rate,
            max_heart_rate: self.max_heart_rate,
            distance_m: self.distance,
            steps: self.steps,
        }))
    }
}

impl Wire for HealthMetricBody {
    const MAY_COINCIDE: bool = false;

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (recorded_at, _) = moment("recorded_at", &self.recorded_at, zone, now)?;
        let unit = match &self.unit {
            None => self.metric_type.unit(),
            Some(text) => Unit::parse(text).map_err(|error| field("unit", error.to_string()))?,
        };
        let value = self
            .metric_type
            .to_canonical(self.value, unit)
            .map_err(|error| field("value", error.to_string()))?;
        let provenance = self.origin.provenance(recorded_at, true, zone, now)?;
        Ok(Record::HealthMetric(HealthMetric::new(
            provenance,
            self.metric_type,
            value,
        )))
    }
}

/// Meals and activities of one source and moment in one body, which have no identity of their own: by
/// source and moment the place of each content.
#[derive(Default)]
pub(super) struct Order(HashMap<(String, String), HashMap<String, usize>>);

impl Order {
    /// The record with its place among those: of two the second is another, not a correction of the
    /// first. What is the same to the letter is the same.
    pub(super) fn told_apart(&mut self, mut record: Record) -> Record {
        let content = record_json(&record).to_string();
        let provenance = record.provenance_mut();
        let key = (provenance.source.clone(), provenance.source_id.clone());
        let others = self.0.entry(key).or_default();
        let next = others.len() + 1;
        let place = *others.entry(content).or_insert(next);
        if place > 1 {
            provenance.source_id = format!("{} #{place}", provenance.source_id);
        }
        record
    }
}
