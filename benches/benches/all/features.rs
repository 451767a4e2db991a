//! Features from records in memory: one person's training matrix, one row to serve, a cohort; and the
//! same where every value is a day late and one in twenty is corrected two days after that.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use criterion::Criterion;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::cell::LazyCell;
use std::hint::black_box;
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, History, Intensity, Meal, MetricType, Profile,
    Provenance, Record, UserId, Zone,
};
use vitalcast_features::{FeaturesError, KnownTable, feature_table, known_table};

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

/// The same person, whose devices tell everything a day late and correct one value in twenty.
fn late(mut history: History) -> History {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let zone = history.profile.zone;
    let mut corrections = Vec::new();
    for record in &mut history.records {
        let evening = zone.evening_of(record.provenance().day);
        record.provenance_mut().known_at = evening + TimeDelta::hours(23);
        if random.random_bool(0.05) {
            let mut corrected = record.clone();
            corrected.provenance_mut().known_at = evening + TimeDelta::hours(71);
            match &mut corrected {
                Record::Meal(meal) => meal.energy_kcal = Some(500.0),
                Record::Activity(activity) => activity.duration_minutes = Some(33.0),
                Record::HealthMetric(reading) => reading.value *= 1.01,
                Record::Tag(tag) => tag.applies = !tag.applies,
            }
            corrections.push(corrected);
        }
    }
    history.records.extend(corrections);
    history
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let at = |day: u64| first().checked_add_days(Days::new(day)).unwrap();
    let mut group = criterion.benchmark_group("features");
    let people = if crate::is_quick() { 5 } else { 1_000 };
    for (what, told) in [
        ("", (|history| history) as fn(History) -> History),
        (", late", late),
    ] {
        let one = told(person(1, 120));
        group.sample_size(100);
        // Rows as known on their own evenings, then rows as windows of thirty days read them.
        group.bench_function(format!("one person, 90 days{what}"), |bencher| {
            bencher.iter(|| black_box(feature_table(&one, at(30), at(119), later()).unwrap()));
        });
        group.bench_function(format!("one person, one day{what}"), |bencher| {
            bencher.iter(|| black_box(feature_table(&one, at(119), at(119), later()).unwrap()));
        });
        group.bench_function(format!("one person, windows of 90 days{what}"), |bencher| {
            bencher.iter(|| black_box(known(&one, at(30), at(119)).unwrap()));
        });
        group.sample_size(10);
        let many = LazyCell::new(|| -> Vec<History> {
            (0..people)
                .map(|number| told(person(number, 365)))
                .collect()
        });
        group.bench_function(
            format!("1,000 people, windows of 365 days{what}"),
            |bencher| {
                let all = || {
                    many.iter()
                        .map(|person| known(person, at(0), at(364)))
                        .collect::<Result<Vec<KnownTable>, FeaturesError>>()
                };
                bencher.iter(|| black_box(all().unwrap()));
            },
        );
    }
}

fn known(history: &History, from: NaiveDate, to: NaiveDate) -> Result<KnownTable, FeaturesError> {
    known_table(history, MetricType::RestingHeartRate, from, to, 30, later())
}
