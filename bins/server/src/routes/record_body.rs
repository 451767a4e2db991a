//! Records in request bodies: their schemas, and the conversion to stored records.

use crate::shape::{
    Field, Input, Kind, SOURCE_NAME, default, fields_of, optional, read_back, required, shaped,
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Deserialize;
use vitalcast::{
    Activity, ActivityType, FieldError, HealthMetric, Intensity, Meal, MealType, MetricType,
    Moment, Provenance, ReadingKind, Record, Tag, Told, Unit, bounds,
};

/// The earliest year of a record.
const OLDEST: i32 = 1990;

// Fields every record has.
const SOURCE: Field = default(
    "source",
    SOURCE_NAME,
    "\"api\"",
    "Vendor or app that the record comes from",
);
const SOURCE_ID: Field = optional(
    "source_id",
    SOURCE_NAME,
    "Id of the record within the source. When not given, it is made from the time (or the date, if \
     no time is known) and the name of a meal or a tag or the type of an activity; for a meal without a name, \
     from its time and nutrients. Writing the same id with other content corrects the record; another \
     meal of the same time without a name is another food",
);
const DAY: Field = optional(
    "day",
    Kind::Date,
    "Local day of the record, if it differs from the day of its time in the person's time zone",
);
const UPDATED_AT: Field = optional(
    "updated_at",
    Kind::Instant,
    "Time of the last change in the source: an older version never replaces a newer one",
);
const KNOWN_AT: Field = optional(
    "known_at",
    Kind::Instant,
    "Time when the record became known; when not given, the time of the record itself",
);

const ORIGIN: [Field; 5] = [SOURCE, SOURCE_ID, DAY, KNOWN_AT, UPDATED_AT];

// As they read back.
const SOURCE_ID_READ: Field = required(
    "source_id",
    SOURCE_ID.kind,
    "Id of the record within the source",
);
const DAY_READ: Field = required("day", Kind::Date, "Local day of the record");
const KNOWN_AT_READ: Field = required(
    "known_at",
    Kind::Instant,
    "Time when the record became known; replays of earlier days do not use the record",
);

/// The fields that every record has: source, id, day and time when it became known.
#[derive(Debug, Deserialize)]
struct Origin {
    source: String,
    source_id: Option<String>,
    day: Option<NaiveDate>,
    known_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
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
    &fields_of::<{ Meal::FIELDS.len() + ORIGIN.len() }>(Meal::FIELDS, &ORIGIN)
);

read_back!(
    MealRecord,
    "MealRecord",
    MealBody,
    &[
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
    ended_at: Option<String>,
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
    &fields_of::<{ Activity::FIELDS.len() + ORIGIN.len() }>(Activity::FIELDS, &ORIGIN)
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
    ended_at: Option<String>,
    kind: Option<ReadingKind>,
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
    &fields_of::<{ HealthMetric::FIELDS.len() + ORIGIN.len() }>(HealthMetric::FIELDS, &ORIGIN)
);

read_back!(
    HealthMetricRecord,
    "HealthMetricRecord",
    HealthMetricBody,
    &[
        required(
            "unit",
            Kind::text(bounds::UNIT_LENGTH),
            "Unit of the metric"
        ),
        required(
            "partial",
            Kind::Bool,
            "Whether the reading is incomplete (covers only a part of the day)"
        ),
        SOURCE_ID_READ,
        DAY_READ,
        KNOWN_AT_READ,
    ]
);

/// Something that a person noted of a day.
#[derive(Debug, Deserialize)]
pub(super) struct TagBody {
    noted_at: String,
    name: String,
    applies: Option<bool>,
    note: Option<String>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    TagBody,
    "Tag",
    ClosedBody,
    &fields_of::<{ Tag::FIELDS.len() + ORIGIN.len() }>(Tag::FIELDS, &ORIGIN)
);

read_back!(
    TagRecord,
    "TagRecord",
    TagBody,
    &[
        required("applies", Kind::Bool, "Whether it was so"),
        SOURCE_ID_READ,
        DAY_READ,
        KNOWN_AT_READ,
    ]
);

/// A record in a request body that can be converted to a stored record; `None` for a reading that says
/// "not measured".
pub(super) trait Wire: Input {
    fn into_record(self, now: DateTime<Utc>) -> Result<Option<Record>, FieldError>;
}

fn field(field: &'static str, message: impl Into<String>) -> FieldError {
    FieldError {
        field,
        message: message.into(),
    }
}

/// Parses a checked time or date.
fn moment(name: &'static str, text: &str, now: DateTime<Utc>) -> Result<Moment, FieldError> {
    use chrono::Datelike;
    let moment = match text.parse() {
        // In many programs an offset of zero only means UTC: it says nothing about the person's clock.
        Ok(Moment::Instant {
            at,
            offset_seconds: Some(0),
        }) => Moment::instant(at),
        Ok(moment) => moment,
        Err(_) => return Err(field(name, "is not a time")),
    };
    let day = match moment {
        Moment::Instant { at, .. } => at.date_naive(),
        Moment::Clock(local) => local.date(),
        Moment::Date(day) => day,
    };
    let is_later = match moment {
        Moment::Instant { at, .. } => at > now + TimeDelta::days(1),
        Moment::Clock(_) | Moment::Date(_) => day > (now + TimeDelta::days(1)).date_naive(),
    };
    if is_later {
        return Err(field(name, "is in the future"));
    }
    if day.year() < OLDEST {
        return Err(field(name, format!("is before {OLDEST}")));
    }
    Ok(moment)
}

impl Origin {
    fn provenance(
        self,
        at: Moment,
        ended_at: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Provenance, FieldError> {
        let until = ended_at
            .map(|text| moment("ended_at", text, now))
            .transpose()?;
        if self
            .known_at
            .is_some_and(|known_at| known_at > now + TimeDelta::days(1))
        {
            return Err(field("known_at", "is in the future"));
        }
        let told = Told {
            at,
            until,
            day: self.day,
            known_at: self.known_at,
            updated_at: self.updated_at,
        };
        if let Err(error) = told.validate() {
            let named = if self.day.is_some() {
                "day"
            } else {
                "ended_at"
            };
            return Err(field(named, error.to_string()));
        }
        // One without an id gets one from its time; see `Coincident`.
        let source_id = self.source_id.unwrap_or_default();
        Ok(Provenance::told(self.source, source_id, told))
    }
}

impl Wire for MealBody {
    fn into_record(self, now: DateTime<Utc>) -> Result<Option<Record>, FieldError> {
        let consumed_at = moment("consumed_at", &self.consumed_at, now)?;
        Ok(Some(Record::Meal(Meal {
            provenance: self.origin.provenance(consumed_at, None, now)?,
            name: self.name,
            meal_type: self.meal_type,
            energy_kcal: self.calories,
            protein_g: self.protein,
            carbs_g: self.carbs,
            fat_g: self.fat,
            fiber_g: self.fiber,
            sugar_g: self.sugar,
        })))
    }
}

impl Wire for ActivityBody {
    fn into_record(self, now: DateTime<Utc>) -> Result<Option<Record>, FieldError> {
        let started_at = moment("started_at", &self.started_at, now)?;
        let ended_at = self.ended_at.as_deref();
        Ok(Some(Record::Activity(Activity {
            provenance: self.origin.provenance(started_at, ended_at, now)?,
            activity_type: self.activity_type,
            intensity: self.intensity,
            duration_minutes: self.duration,
            energy_kcal: self.calories_burned,
            average_heart_rate: self.average_heart_rate,
            max_heart_rate: self.max_heart_rate,
            distance_m: self.distance,
            steps: self.steps,
        })))
    }
}

impl Wire for HealthMetricBody {
    fn into_record(self, now: DateTime<Utc>) -> Result<Option<Record>, FieldError> {
        let recorded_at = moment("recorded_at", &self.recorded_at, now)?;
        let unit = match &self.unit {
            None => self.metric_type.unit(),
            Some(text) => Unit::parse(text).map_err(|error| field("unit", error.to_string()))?,
        };
        let value = self
            .metric_type
            .measured(self.value, unit)
            .map_err(|error| field("value", error.to_string()))?;
        let provenance = self
            .origin
            .provenance(recorded_at, self.ended_at.as_deref(), now)?;
        Ok(value.map(|value| {
            Record::HealthMetric(HealthMetric {
                kind: self.kind,
                ..HealthMetric::new(provenance, self.metric_type, value)
            })
        }))
    }
}

impl Wire for TagBody {
    fn into_record(self, now: DateTime<Utc>) -> Result<Option<Record>, FieldError> {
        let noted_at = moment("noted_at", &self.noted_at, now)?;
        Ok(Some(Record::Tag(Tag {
            provenance: self.origin.provenance(noted_at, None, now)?,
            name: self.name,
            applies: self.applies.unwrap_or(true),
            note: self.note,
        })))
    }
}
