//! A person made by chance, of whom it is known what raises their resting heart rate, and a network that has
//! read their days.

use crate::numbers::chance;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::ops::ControlFlow;
use vitalcast::{
    Engine, HealthMetric, Meal, MetricType, ModelArchitecture, PredictionMetric, Provenance,
    Record, TrainModelRequest, UserId, Zone,
};

pub(crate) const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;
/// Days of a person.
const DAYS: u64 = 320;
/// What late carbohydrates add to the next day's resting heart rate, bpm.
pub(crate) const EFFECT: f64 = 2.0;

pub(crate) fn now() -> DateTime<Utc> {
    "2026-11-28T00:00:01Z".parse().unwrap()
}

fn last_day() -> NaiveDate {
    "2026-11-27".parse().unwrap()
}

pub(crate) fn someone() -> UserId {
    UserId::new("someone").unwrap()
}

/// A person who eats 90 g of carbohydrate at 21:30 on two evenings of five, and on which days.
fn person(effect: f64, seed: usize) -> (Vec<Record>, Vec<(NaiveDate, bool)>) {
    let mut drawn = seed * 1_000_000;
    let mut draw = || {
        drawn += 1;
        chance(drawn)
    };
    let mut records = Vec::new();
    let mut evenings = Vec::new();
    let mut was_late = false;
    for back in (0..DAYS).rev() {
        let day = last_day() - Days::new(back);
        // Twelve draws add up to nearly a normal distribution of variance 1.
        let noise: f64 = (0..12).map(|_| draw() - 0.5).sum();
        let value = 58.0 + 0.4 * noise + if was_late { effect } else { 0.0 };
        records.push(Record::HealthMetric(HealthMetric {
            provenance: Provenance::of_day("watch", format!("rhr-{day}"), day, Zone::UTC),
            metric: MetricType::RestingHeartRate,
            value,
            kind: None,
        }));
        was_late = draw() < 0.4;
        // Late, there is nothing but carbohydrate: fat and protein tell nothing.
        let mut meal = |hour: &str, carbs: f64, others: Option<f64>| {
            let at = Zone::UTC.instant_of(format!("{day}T{hour}:00").parse().unwrap());
            records.push(Record::Meal(Meal {
                provenance: Provenance::at("diary", format!("{day} {hour}"), at, Zone::UTC),
                name: None,
                meal_type: None,
                energy_kcal: Some(4.0 * carbs + 13.0 * others.unwrap_or(0.0)),
                protein_g: others,
                carbs_g: Some(carbs),
                fat_g: others,
                fiber_g: None,
                sugar_g: None,
            }));
        };
        for hour in ["08:00", "13:00", "18:30"] {
            meal(hour, 50.0 + 40.0 * draw(), Some(20.0));
        }
        if was_late {
            meal("21:30", 90.0, None);
        }
        evenings.push((day, was_late));
    }
    (records, evenings)
}

/// The person's data folder with a trained network, and on which evenings they ate late.
pub(crate) struct Learned {
    pub(crate) engine: Engine,
    pub(crate) evenings: Vec<(NaiveDate, bool)>,
    pub(crate) _folder: tempfile::TempDir,
}

/// The person, for whom late food has this effect, and a network that has read most of their days.
pub(crate) fn learned(effect: f64) -> Learned {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let (records, evenings) = person(effect, 11);
    engine.write_records(&someone(), records, now()).unwrap();
    let training = TrainModelRequest {
        architecture: ModelArchitecture::Lstm,
        lookback_days: DAYS as usize,
        sequence_length: 7,
        epochs: 40,
        hidden_dim: 32,
        num_layers: 1,
        batch_size: 16,
        learning_rate: 0.003,
        dropout: 0.0,
        ..TrainModelRequest::new(someone(), RHR)
    };
    let mut go_on = |_: &vitalcast::EpochReport| ControlFlow::Continue(());
    let model = engine.train(&training, now(), now(), &mut go_on).unwrap();
    assert!(model.learned_share.is_some());
    Learned {
        engine,
        evenings,
        _folder: folder,
    }
}
