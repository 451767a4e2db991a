//! Records in the format of services and exports: the columns of the reference tables in snake_case.

use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use vitalcast_domain::{Activity, Meal, Moment, NumberField, Provenance, Record};

/// The fields of a record, in a fixed order for each kind; null if not known.
pub(super) fn record_fields(record: &Record) -> Vec<(&'static str, Value)> {
    let provenance = record.provenance();
    let moment = written(provenance);
    let mut fields: Vec<(&'static str, Value)> = match record {
        Record::Meal(meal) => {
            let mut fields = vec![
                ("consumed_at", moment),
                ("time_known", json!(meal.time_known())),
                ("name", json!(meal.name)),
                ("meal_type", json!(meal.meal_type)),
            ];
            fields.extend(numbers(meal, Meal::NUMBERS));
            fields
        }
        Record::Activity(activity) => {
            let mut fields = vec![
                ("started_at", moment),
                ("ended_at", json!(provenance.told.until)),
                ("activity_type", json!(activity.activity_type)),
                ("intensity", json!(activity.intensity)),
            ];
            fields.extend(numbers(activity, Activity::NUMBERS));
            fields
        }
        Record::HealthMetric(reading) => vec![
            ("recorded_at", moment),
            ("ended_at", json!(provenance.told.until)),
            ("kind", json!(reading.kind)),
            ("metric_type", json!(reading.metric)),
            ("value", json!(reading.value)),
            ("unit", json!(reading.metric.unit().symbol())),
            ("partial", json!(reading.is_partial())),
        ],
        Record::Tag(tag) => vec![
            ("noted_at", moment),
            ("name", json!(tag.name)),
            ("applies", json!(tag.applies)),
            ("note", json!(tag.note)),
        ],
    };
    fields.extend([
        ("source", json!(provenance.source)),
        ("source_id", json!(provenance.source_id)),
        ("day", json!(provenance.day)),
        ("known_at", json!(provenance.known_at)),
        ("updated_at", json!(provenance.told.updated_at)),
    ]);
    fields
}

fn numbers<T>(of: &T, fields: &[NumberField<T>]) -> impl Iterator<Item = (&'static str, Value)> {
    fields.iter().map(|field| (field.name, json!(field.of(of))))
}

/// The time of a record as it was written; a clock time with the offset that the person had then.
fn written(provenance: &Provenance) -> Value {
    match provenance.told.at {
        at @ (Moment::Instant { .. } | Moment::Date(_)) => json!(at),
        Moment::Clock(local) => {
            let offset = TimeDelta::seconds(i64::from(provenance.utc_offset_seconds));
            json!(Moment::Instant {
                at: (local - offset).and_utc(),
                offset_seconds: Some(provenance.utc_offset_seconds),
            })
        }
    }
}

/// The fields of a record as a JSON object.
pub fn record_json(record: &Record) -> Value {
    let fields = record_fields(record).into_iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}
