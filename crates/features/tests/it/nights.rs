//! Nights that begin on the evening before their day, and days on which nothing was measured: each test is
//! named after what went wrong.

use crate::people::{day, instant, much_later, person};
use vitalcast_domain::{HealthMetric, History, MetricType as M, Profile, Provenance, Record, Told};
use vitalcast_features::{FeatureId, daily_values, day_view, feature_table, hindsight_table};

/// A reading with an end, in UTC, placed on its day.
fn ended(metric: M, from: &str, until: &str, value: f64) -> Record {
    let told = Told {
        until: Some(until.parse().unwrap()),
        ..Told::at(from.parse().unwrap())
    };
    let provenance = Provenance::told("watch", format!("{metric} {until}"), told);
    let reading = HealthMetric::new(provenance, metric, value);
    Record::HealthMetric(reading).placed(&Profile::default())
}

/// A reading at a moment.
fn at(metric: M, moment: &str, value: f64) -> Record {
    let provenance = Provenance::told("watch", moment, Told::at(moment.parse().unwrap()));
    let reading = HealthMetric::new(provenance, metric, value);
    Record::HealthMetric(reading).placed(&Profile::default())
}

fn values(history: &History, metric: M) -> Vec<Option<f64>> {
    let (first, last) = (day("2025-08-19"), day("2025-08-21"));
    daily_values(history, metric, first, last, much_later()).unwrap()
}

/// A night from 20:30 to 05:20 with an hour awake before midnight, and an ordinary one after it.
fn broken_night() -> History {
    let (first, second) = (
        ("2025-08-19T20:30:00Z", "2025-08-19T23:40:00Z"),
        ("2025-08-20T00:40:00Z", "2025-08-20T05:20:00Z"),
    );
    let ordinary = ("2025-08-20T22:30:00Z", "2025-08-21T06:00:00Z");
    person(
        "UTC",
        vec![
            ended(M::SleepDuration, first.0, first.1, 3.0),
            ended(M::DeepSleepDuration, first.0, first.1, 0.75),
            ended(M::SleepScore, first.0, first.1, 60.0),
            ended(M::SleepDuration, second.0, second.1, 4.5),
            ended(M::DeepSleepDuration, second.0, second.1, 0.5),
            ended(M::SleepScore, second.0, second.1, 70.0),
            ended(M::SleepDuration, ordinary.0, ordinary.1, 7.0),
        ],
    )
}

#[test]
fn the_evening_part_of_a_night_is_no_night_of_the_day_before() {
    let history = broken_night();
    assert_eq!(
        values(&history, M::SleepDuration),
        [None, Some(7.5), Some(7.0)]
    );
    let view = day_view(&history, day("2025-08-19"), much_later()).unwrap();
    assert!(view.sleeps.is_empty());
    assert!(view.values.iter().all(|value| value.counted.is_none()));
    // Its seven-day mean is of two nights, not of three.
    let last = day("2025-08-21");
    let mean =
        |table: vitalcast_features::FeatureTable| table.value_at(0, FeatureId::SleepDuration7dAvg);
    let hindsight = hindsight_table(&history, last, last, much_later()).unwrap();
    assert_eq!(mean(hindsight), Some(7.25));
    let known = feature_table(&history, last, last, much_later()).unwrap();
    assert_eq!(mean(known), Some(7.25));
}

#[test]
fn on_its_own_evening_nobody_knows_that_a_sleep_goes_on() {
    let history = broken_night();
    let on = day("2025-08-19");
    let known = |as_of| {
        let table = vitalcast_features::KnownDays::new(&history, on, on, as_of).unwrap();
        let values = table.of(M::SleepDuration).unwrap();
        (
            values.first.clone(),
            values.later.first().map(|later| (later.from, later.value)),
        )
    };
    assert_eq!(
        known(instant("2025-08-20T00:00:00Z")),
        (vec![Some(3.0)], None)
    );
    assert_eq!(known(much_later()), (vec![Some(3.0)], Some((1, None))));
}

#[test]
fn deep_sleep_before_midnight_is_of_the_night_it_belongs_to() {
    let history = broken_night();
    assert_eq!(
        values(&history, M::DeepSleepDuration),
        [None, Some(1.25), None]
    );
    assert_eq!(values(&history, M::SleepScore), [None, Some(70.0), None]);
}

#[test]
fn the_score_of_yesterday_is_not_that_of_a_day_without_a_night() {
    let of_day = |metric, on: &str, value| {
        let provenance = Provenance::of_day("watch", on, day(on), Profile::default().zone);
        Record::HealthMetric(HealthMetric::new(provenance, metric, value))
    };
    let history = person(
        "UTC",
        vec![
            of_day(M::SleepScore, "2025-08-19", 70.0),
            at(M::DeepSleepDuration, "2025-08-19T23:50:00Z", 0.5),
            at(M::SleepDuration, "2025-08-21T07:00:00Z", 7.0),
        ],
    );
    assert_eq!(values(&history, M::SleepScore), [Some(70.0), None, None]);
    assert_eq!(
        values(&history, M::DeepSleepDuration),
        [Some(0.5), None, None]
    );
}

#[test]
fn a_nap_without_a_night_gives_no_score_of_the_night() {
    let nap = "2025-08-19T14:50:00Z";
    let history = person(
        "UTC",
        vec![at(M::SleepDuration, nap, 0.8), at(M::SleepScore, nap, 34.0)],
    );
    assert_eq!(values(&history, M::SleepDuration), [None; 3]);
    assert_eq!(values(&history, M::SleepScore), [None; 3]);
}

#[test]
fn zeros_of_stress_strain_and_deep_sleep_do_not_show_that_the_watch_was_worn() {
    let (morning, evening) = ("2025-08-19T07:00:00Z", "2025-08-19T21:00:00Z");
    let history = person(
        "UTC",
        vec![
            at(M::DeepSleepDuration, morning, 0.0),
            at(M::StressLevel, morning, 0.0),
            at(M::StrainScore, morning, 0.0),
            at(M::Steps, evening, 0.0),
            at(M::SedentaryMinutes, evening, 1_440.0),
            at(M::Steps, "2025-08-20T21:00:00Z", 0.0),
            at(M::StressLevel, "2025-08-20T21:00:00Z", 31.0),
            at(M::DeepSleepDuration, "2025-08-20T07:00:00Z", 0.0),
            at(M::SleepDuration, "2025-08-21T07:00:00Z", 7.0),
            at(M::DeepSleepDuration, "2025-08-21T07:00:00Z", 0.0),
        ],
    );
    assert_eq!(values(&history, M::Steps), [None, Some(0.0), None]);
    assert_eq!(values(&history, M::StressLevel), [None, Some(31.0), None]);
    // Without a night nobody slept deeply for 0 minutes; with one they may have.
    assert_eq!(
        values(&history, M::DeepSleepDuration),
        [None, None, Some(0.0)]
    );
    let view = day_view(&history, day("2025-08-19"), much_later()).unwrap();
    assert!(view.is_not_worn);
    assert!(view.values.iter().all(|value| value.counted.is_none()));
}
