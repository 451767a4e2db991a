//! Features from records in memory: one person's training matrix, one row to serve, a cohort.

#![allow(clippy::unwrap_used, missing_docs)]

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use criterion::{Criterion, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::hint::black_box;
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, History, Intensity, Meal, MetricType, Profile,
    Provenance, Record, UserId, Zone,
};
use vitalcast_features::{FeatureTable, FeaturesError, feature_table};

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ZONE: &str = "Europe/London";

fn first() -> NaiveDate {
    "2024-01-01".parse().unwrap()
}

fn later() -> DateTime<Utc> {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

/// Three meals, a workout and six readings a day.
fn person(number: u64, days: u64) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(number);
    let zone: Zone = ZONE.parse().unwrap();
    let profile = Profile {
        zone,
        weight_kg: Some(70.0),
        ..Profile::default()
    };
    let mut history = History::new(UserId::new(format!("p{number}")).unwrap(), profile);
    for day in first().iter_days().take(days as usize) {
        let start = zone.start_of_day(day);
        for (place, hour) in [8, 13, 19].into_iter().enumerate() {
            let at = start + TimeDelta::minutes(hour * 60 + random.random_range(-40..40));
            history.records.push(Record::Meal(Meal {
                provenance: Provenance::at("diary", format!("{day}-{place}"), at, zone),
                name: None,
                meal_type: None,
                energy_kcal: Some(random.random_range(300.0..900.0)),
                protein_g: Some(random.random_range(5.0..60.0)),
                carbs_g: Some(random.random_range(20.0..120.0)),
                fat_g: Some(random.random_range(5.0..40.0)),
                fiber_g: Some(random.random_range(1.0..12.0)),
                sugar_g: None,
            }));
        }
        history.records.push(Record::Activity(Activity {
            provenance: Provenance::at(
                "watch",
                day.to_string(),
                start + TimeDelta::hours(18),
                zone,
            ),
            activity_type: ActivityType::Running,
            intensity: Some(Intensity::Moderate),
            duration_minutes: Some(random.random_range(20.0..90.0)),
            energy_kcal: None,
            average_heart_rate: None,
            max_heart_rate: None,
            distance_m: None,
            steps: None,
        }));
        for (metric, low, high) in [
            (MetricType::RestingHeartRate, 50.0, 70.0),
            (MetricType::HeartRateVariabilityRmssd, 20.0, 80.0),
            (MetricType::SleepDuration, 5.0, 9.0),
            (MetricType::RecoveryScore, 20.0, 95.0),
            (MetricType::Steps, 1_000.0, 15_000.0),
            (MetricType::ActiveCalories, 100.0, 900.0),
        ] {
            history.records.push(Record::HealthMetric(HealthMetric {
                provenance: Provenance::of_day("watch", day.to_string(), day, zone),
                metric,
                value: random.random_range(low..high),
                kind: None,
            }));
        }
    }
    history
}

fn benches(criterion: &mut Criterion) {
    let at = |day: u64| first().checked_add_days(Days::new(day)).unwrap();
    let one = person(1, 120);
    let mut group = criterion.benchmark_group("features");
    group.bench_function("one person, 90 days", |bencher| {
        bencher.iter(|| black_box(feature_table(&one, at(30), at(119), later()).unwrap()));
    });
    group.bench_function("one person, one day", |bencher| {
        bencher.iter(|| black_box(feature_table(&one, at(119), at(119), later()).unwrap()));
    });
    group.sample_size(10);
    // `cargo test` runs every bench once, unoptimised; a handful of people will do there.
    let people = if std::env::args().any(|word| word == "--bench") {
        1_000
    } else {
        5
    };
    let many: Vec<History> = (0..people).map(|number| person(number, 365)).collect();
    group.bench_function("1,000 people, 365 days", |bencher| {
        let table = |person| feature_table(person, at(0), at(364), later());
        let all = || {
            many.iter()
                .map(table)
                .collect::<Result<Vec<FeatureTable>, FeaturesError>>()
        };
        bencher.iter(|| black_box(all().unwrap()));
    });
}

criterion_group!(group, benches);
criterion_main!(group);
