//! Forecasts from days that are kept in memory: the same as from the records, whatever happens to them.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use vitalcast::{
    Deletion, Engine, HealthMetric, Meal, MetricType, ModelArchitecture, Moment, PredictRequest,
    PredictionMetric, Profile, Provenance, Record, RecordFilter, RecordKind, Told,
    TrainModelRequest, UserId, all_days,
};

const FIRST: &str = "2026-03-20";
const DAYS: u64 = 24;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % limit
    }

    fn share(&mut self) -> f64 {
        self.below(1_000) as f64 / 1_000.0
    }
}

fn user() -> UserId {
    UserId::new("p").unwrap()
}

fn day(place: u64) -> NaiveDate {
    FIRST.parse::<NaiveDate>().unwrap() + Days::new(place)
}

fn at(place: u64, hour: u64) -> DateTime<Utc> {
    day(place).and_hms_opt(0, 0, 0).unwrap().and_utc() + TimeDelta::hours(hour as i64)
}

/// A record of one of few ids, so that many are corrections; some are known late, some only later than now.
fn record(numbers: &mut Numbers) -> Record {
    let place = numbers.below(DAYS);
    let hour = numbers.below(24);
    let source = if numbers.below(4) == 0 {
        "ring"
    } else {
        "watch"
    };
    let id = format!("{place}-{}", numbers.below(2));
    let told = |at: Moment, numbers: &mut Numbers| Told {
        known_at: (numbers.below(4) == 0)
            .then(|| self::at(place, hour) + TimeDelta::hours(numbers.below(120) as i64)),
        ..Told::at(at)
    };
    let (metric, low, high) = match numbers.below(6) {
        0 => {
            let told = told(Moment::instant(at(place, hour)), numbers);
            return Record::Meal(Meal {
                provenance: Provenance::told("diary", id, told),
                name: None,
                meal_type: None,
                energy_kcal: Some(300.0 + 500.0 * numbers.share()),
                protein_g: None,
                carbs_g: None,
                fat_g: None,
                fiber_g: None,
                sugar_g: None,
            });
        }
        1 => (MetricType::SleepDuration, 2.0, 9.0),
        2 => (MetricType::Steps, 0.0, 15_000.0),
        3 => (MetricType::HeartRateVariabilityRmssd, 20.0, 90.0),
        _ => (MetricType::RestingHeartRate, 50.0, 70.0),
    };
    let mut told = if numbers.below(3) == 0 {
        told(Moment::Date(day(place)), numbers)
    } else {
        told(Moment::instant(at(place, hour)), numbers)
    };
    if metric == MetricType::SleepDuration && told.at.has_time() {
        told.until = Some(Moment::instant(at(place, hour + 7)));
    }
    let value = low + (high - low) * numbers.share();
    let provenance = Provenance::told(source, id, told);
    Record::HealthMetric(HealthMetric::new(provenance, metric, value))
}

/// What is forecast, as text; errors too.
fn forecasts(engine: &Engine, now: DateTime<Utc>) -> Vec<String> {
    let today = now.date_naive();
    let mut all = Vec::new();
    for (metric, architecture, target) in [
        (
            PredictionMetric::RestingHeartRate,
            None,
            today + Days::new(1),
        ),
        (
            PredictionMetric::RestingHeartRate,
            None,
            today - Days::new(3),
        ),
        (PredictionMetric::SleepDuration, None, today),
        (
            PredictionMetric::RestingHeartRate,
            Some(ModelArchitecture::Naive),
            today + Days::new(1),
        ),
    ] {
        let request = PredictRequest {
            architecture,
            force_recompute_features: true,
            ..PredictRequest::new(user(), metric, target)
        };
        all.push(match engine.predict(&request, now) {
            Ok(answer) => serde_json::to_string(&answer).unwrap(),
            Err(error) => error.to_string(),
        });
    }
    all
}

fn train(engine: &Engine, now: DateTime<Utc>) {
    let request = TrainModelRequest {
        architecture: ModelArchitecture::Naive,
        sequence_length: 7,
        ..TrainModelRequest::new(user(), PredictionMetric::RestingHeartRate)
    };
    // With too few days there is none, which is the same for all.
    let _ = engine.train(&request, now, now, &mut |_| {
        std::ops::ControlFlow::Continue(())
    });
}

/// Changes what is stored of the person, in one of all ways.
fn change(engine: &Engine, numbers: &mut Numbers, now: DateTime<Utc>) {
    let kind = [RecordKind::HealthMetric, RecordKind::Meal][numbers.below(2) as usize];
    let first = numbers.below(DAYS);
    let few = RecordFilter::all(kind, day(first)..=day(first + 2));
    match numbers.below(12) {
        0..=4 => {
            let records = (0..=numbers.below(3)).map(|_| record(numbers)).collect();
            engine.write_records(&user(), records, now).unwrap();
        }
        5 | 6 => {
            engine
                .delete_records(&user(), &few, Deletion::Restorable { at: now })
                .unwrap();
        }
        7 => {
            let deleted = RecordFilter {
                deleted: true,
                ..RecordFilter::all(kind, all_days())
            };
            engine.restore_records(&user(), &deleted).unwrap();
        }
        8 => {
            engine
                .delete_records(&user(), &few, Deletion::Permanent)
                .unwrap();
        }
        9 | 10 => {
            let zones = ["UTC", "Asia/Tokyo", "America/Sao_Paulo"];
            let profile = Profile {
                zone: zones[numbers.below(3) as usize].parse().unwrap(),
                day_begins_hour: numbers.below(6) as u32,
                ..Profile::default()
            };
            engine.set_profile(&user(), &profile).unwrap();
        }
        _ => {
            if engine.user(&user()).unwrap().is_some() {
                let alone = engine.lock_folder().unwrap();
                engine.erase_user(&user(), &alone).unwrap();
                assert_eq!(engine.cache_statistics().people, 0);
            }
            let records = (0..120).map(|_| record(numbers)).collect();
            engine.write_records(&user(), records, now).unwrap();
            train(engine, now);
        }
    }
}

#[test]
fn a_forecast_from_kept_days_is_that_of_a_fresh_engine_after_any_change() {
    let mut answered = 0;
    for seed in 0..4 {
        let mut numbers = Numbers(seed);
        let folder = tempfile::tempdir().unwrap();
        let warm = Engine::open(folder.path()).unwrap();
        let other = Engine::open(folder.path()).unwrap();
        let mut now = at(DAYS - 2, 5);
        let records = (0..150).map(|_| record(&mut numbers)).collect();
        warm.write_records(&user(), records, now).unwrap();
        train(&warm, now);
        for _ in 0..16 {
            // By this process or another one; or nothing but time goes on.
            match numbers.below(5) {
                0 => now += TimeDelta::hours(numbers.below(20) as i64),
                1 => change(&other, &mut numbers, now),
                _ => change(&warm, &mut numbers, now),
            }
            let fresh = Engine::open(folder.path()).unwrap();
            let expected = forecasts(&fresh, now);
            assert_eq!(forecasts(&warm, now), expected);
            // Once more, from what is kept now.
            assert_eq!(forecasts(&warm, now), expected);
            answered += expected.iter().filter(|text| text.starts_with('{')).count();
        }
    }
    assert!(answered > 100, "{answered} forecasts");
}

#[test]
fn days_that_find_no_room_change_no_forecast() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(7);
    let now = at(DAYS, 5);
    let engine = Engine::open(folder.path()).unwrap();
    let records = (0..150).map(|_| record(&mut numbers)).collect();
    engine.write_records(&user(), records, now).unwrap();
    let expected = forecasts(&engine, now);
    let none = vitalcast::CacheOptions {
        day_bytes: 0,
        ..vitalcast::CacheOptions::default()
    };
    let small = Engine::open(folder.path()).unwrap().with_cache(none);
    assert_eq!(forecasts(&small, now), expected);
    assert_eq!(small.cache_statistics().day_bytes, 0);
}
