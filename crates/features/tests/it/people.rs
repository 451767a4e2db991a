//! People made for tests.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, History, Intensity, Meal, MetricType, Profile,
    Provenance, Record, UserId, Zone,
};

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The end of the calendar as far as tests go: everything is known by then.
pub(crate) fn much_later() -> DateTime<Utc> {
    instant("2100-01-01T00:00:00Z")
}

pub(crate) fn person(zone: &str, records: Vec<Record>) -> History {
    let mut profile = Profile {
        zone: zone.parse().unwrap(),
        ..Profile::default()
    };
    profile.weight_kg = Some(70.0);
    let mut history = History::new(UserId::new("p").unwrap(), profile);
    history.records = records;
    history
}

pub(crate) fn meal(zone: &str, id: &str, local: &str, energy: f64, carbs: f64) -> Record {
    let zone: Zone = zone.parse().unwrap();
    Record::Meal(Meal {
        provenance: Provenance::at("diary", id, zone.instant_of(local.parse().unwrap()), zone),
        name: None,
        meal_type: None,
        energy_kcal: Some(energy),
        protein_g: Some(20.0),
        carbs_g: Some(carbs),
        fat_g: None,
        fiber_g: None,
        sugar_g: None,
    })
}

pub(crate) fn workout(
    zone: &str,
    id: &str,
    local: &str,
    kind: ActivityType,
    intensity: Option<Intensity>,
    minutes: Option<f64>,
) -> Record {
    let zone: Zone = zone.parse().unwrap();
    Record::Activity(Activity {
        provenance: Provenance::at("watch", id, zone.instant_of(local.parse().unwrap()), zone),
        activity_type: kind,
        intensity,
        duration_minutes: minutes,
        energy_kcal: None,
        average_heart_rate: None,
        max_heart_rate: None,
        distance_m: None,
        steps: None,
    })
}

pub(crate) fn reading(zone: &str, id: &str, of: &str, metric: MetricType, value: f64) -> Record {
    Record::HealthMetric(HealthMetric {
        provenance: Provenance::of_day("watch", id, day(of), zone.parse().unwrap()),
        metric,
        value,
        kind: None,
    })
}

/// The same record, known later.
pub(crate) fn known(mut record: Record, at: &str) -> Record {
    record.provenance_mut().known_at = instant(at);
    record
}

/// The same record, known that much after it happened.
pub(crate) fn delayed(mut record: Record, by: TimeDelta) -> Record {
    let provenance = record.provenance_mut();
    provenance.known_at = provenance.observed_at + by;
    record
}
