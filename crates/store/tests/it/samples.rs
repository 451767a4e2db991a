//! What goes into stores in tests.

use chrono::{DateTime, NaiveDate, Utc};
use vitalcast_domain::{
    HealthMetric, Meal, MetricType, ModelArchitecture, ModelId, PredictionMetric, Provenance,
    Record, UserId, Zone,
};
use vitalcast_store::{NewForecast, NewModel};

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn now() -> DateTime<Utc> {
    instant("2024-06-01T12:00:00Z")
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::new(id).unwrap()
}

pub(crate) fn reading(id: &str, of: &str, value: f64) -> Record {
    let provenance = Provenance::of_day("watch", id, day(of), Zone::UTC);
    Record::HealthMetric(HealthMetric::new(
        provenance,
        MetricType::RestingHeartRate,
        value,
    ))
}

pub(crate) fn night(id: &str, of: &str, hours: f64) -> Record {
    let provenance = Provenance::of_day("watch", id, day(of), Zone::UTC);
    Record::HealthMetric(HealthMetric::new(
        provenance,
        MetricType::SleepDuration,
        hours,
    ))
}

pub(crate) fn meal(id: &str, at: &str, name: &str) -> Record {
    Record::Meal(Meal {
        provenance: Provenance::at("diary", id, instant(at), Zone::UTC),
        name: Some(name.to_owned()),
        meal_type: None,
        energy_kcal: Some(512.25),
        protein_g: None,
        carbs_g: Some(0.1 + 0.2),
        fat_g: None,
        fiber_g: None,
        sugar_g: None,
    })
}

pub(crate) fn model(id: &str, of: &str, metric: PredictionMetric) -> NewModel {
    NewModel {
        model_id: ModelId::new(id).unwrap(),
        user_id: Some(user(of)),
        metric,
        architecture: ModelArchitecture::Linear,
        trained_at: now(),
        file_name: format!("{id}.vcast"),
        file_hash: "ab".repeat(32),
        size_bytes: 1_234,
        training_seconds: 0.75,
        summary: serde_json::json!({"mae": 1.5}),
        activate: true,
    }
}

pub(crate) fn forecast(of: &str, model: &str, target: &str) -> NewForecast {
    NewForecast {
        user_id: user(of),
        metric: PredictionMetric::RestingHeartRate,
        target_date: day(target),
        as_of: now(),
        model_id: ModelId::new(model).unwrap(),
        lead_days: 1,
        value: 61.5,
        lower: 58.0,
        upper: 65.0,
        level: 0.95,
        predicted_at: now(),
        confidence: Some(0.5),
        baseline_name: Some("naive".to_owned()),
        baseline_value: Some(61.0),
    }
}
