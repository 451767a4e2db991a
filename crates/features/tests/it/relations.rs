//! Which features are made of which metric, hindsight, and hours before sleep.

use crate::people::{day, instant, known, meal, much_later, person, reading, workout};
use chrono::Days;
use vitalcast_domain::{ActivityType, HealthMetric, MetricType, Profile, Provenance, Record};
use vitalcast_features::{
    DayView, FeatureId, amounts_before_sleep, catalogue, coverage, daily_values, day_view,
    feature_table, hindsight_table,
};

const ZONE: &str = "Europe/London";
/// Days of readings; the last one is looked at.
const DAYS: u64 = 40;

fn last() -> chrono::NaiveDate {
    day("2025-06-30")
}

/// One reading a day of a metric, within what a body can show.
fn series(metric: MetricType, shift: f64) -> Vec<Record> {
    let (low, high) = metric.plausible_range();
    (0..DAYS)
        .map(|back| {
            let on = (last() - Days::new(back)).to_string();
            let share = 0.3 + 0.01 * (back * 7 % 11) as f64 + shift;
            reading(ZONE, &on, &on, metric, low + share * (high - low))
        })
        .collect()
}

#[test]
fn a_feature_that_moves_with_a_metric_is_known_to_be_made_of_it() {
    for &metric in MetricType::ALL {
        // Preferences among sources are settled by what there is; the shift must not change that.
        let table = |shift| {
            let history = person(ZONE, series(metric, shift));
            feature_table(&history, last(), last(), much_later()).unwrap()
        };
        let (before, after) = (table(0.0), table(0.05));
        let varied = person(ZONE, {
            let mut records = series(metric, 0.0);
            if let Record::HealthMetric(yesterday) = &mut records[1] {
                yesterday.value *= 1.01;
            }
            records
        });
        let varied = feature_table(&varied, last(), last(), much_later()).unwrap();
        for feature in catalogue() {
            let at = |table: &vitalcast_features::FeatureTable| table.value_at(0, feature.id);
            if at(&before) != at(&after) || at(&before) != at(&varied) {
                assert!(
                    feature.is_made_of(metric),
                    "{} moves with {metric}",
                    feature.name
                );
            }
        }
    }
}

#[test]
fn hindsight_sees_what_came_late_and_an_evening_does_not() {
    let on = last();
    let late = known(
        meal(ZONE, "1", &format!("{on}T12:00:00"), 500.0, 50.0),
        "2025-09-01T00:00:00Z",
    );
    let history = person(ZONE, vec![late]);
    let feature = FeatureId::CaloriesDaily;
    let evening = feature_table(&history, on, on, much_later()).unwrap();
    let hindsight = hindsight_table(&history, on, on, much_later()).unwrap();
    assert_eq!(evening.value_at(0, feature), None);
    assert_eq!(hindsight.value_at(0, feature), Some(500.0));
    // But never what was not known by the moment asked for.
    let before = hindsight_table(&history, on, on, instant("2025-08-01T00:00:00Z")).unwrap();
    assert_eq!(before.value_at(0, feature), None);
}

/// A night of so many hours that ended at 7:00.
fn night(on: &str, hours: f64) -> Record {
    let zone = Profile::default().zone;
    let woken = zone.instant_of(format!("{on}T07:00:00").parse().unwrap());
    Record::HealthMetric(HealthMetric::new(
        Provenance::at("watch", on, woken, zone),
        MetricType::SleepDuration,
        hours,
    ))
}

#[test]
fn amounts_are_counted_back_from_falling_asleep() {
    let zone = Profile::default().zone.name();
    let history = person(
        zone,
        vec![
            // Asleep at 23:00.
            night("2025-06-30", 8.0),
            meal(zone, "late", "2025-06-29T22:00:00", 200.0, 30.0),
            meal(zone, "dinner", "2025-06-29T19:30:00", 800.0, 90.0),
            // A day without a diary.
            night("2025-06-27", 8.0),
        ],
    );
    let carbs = FeatureId::CarbsDaily;
    let windows = [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0)];
    let found = amounts_before_sleep(
        &history,
        carbs,
        &windows,
        day("2025-06-27"),
        day("2025-06-30"),
        much_later(),
    )
    .unwrap()
    .unwrap();
    let of_last: Vec<Option<f64>> = found.iter().map(|window| window[3]).collect();
    assert_eq!(of_last, [Some(30.0), Some(90.0), Some(0.0)]);
    // No diary and no night: not known, which is not nothing.
    assert_eq!(found[0][0], None);
    assert_eq!(found[0][1], None);
}

#[test]
fn an_evening_without_a_diary_is_not_an_empty_one() {
    let zone = Profile::default().zone.name();
    let carbs = FeatureId::CarbsDaily;
    // Asleep at half past midnight.
    let of = |meals: Vec<Record>| {
        let mut all = vec![night("2025-06-30", 6.5)];
        all.extend(meals);
        let on = day("2025-06-30");
        let windows = [(0.0, 6.0), (6.0, 12.0)];
        amounts_before_sleep(&person(zone, all), carbs, &windows, on, on, much_later())
            .unwrap()
            .unwrap()
            .into_iter()
            .map(|window| window[0])
            .collect::<Vec<_>>()
    };
    let lunch = |on: &str| meal(zone, on, &format!("{on}T13:00:00"), 500.0, 50.0);
    // Only the day that had just begun was written down.
    assert_eq!(of(vec![lunch("2025-06-30")]), [None, None]);
    // Only the evening was, whose last half hour belongs to the other day.
    assert_eq!(of(vec![lunch("2025-06-29")]), [None, Some(50.0)]);
    let both = vec![lunch("2025-06-29"), lunch("2025-06-30")];
    assert_eq!(of(both), [Some(0.0), Some(50.0)]);
}

#[test]
fn late_amounts_before_sleep_are_late() {
    let zone = Profile::default().zone.name();
    let late = FeatureId::LateNightCarbs;
    let on = day("2025-06-30");
    // Asleep at 23:00.
    let history = person(
        zone,
        vec![
            night("2025-06-30", 8.0),
            meal(zone, "snack", "2025-06-29T21:30:00", 200.0, 30.0),
            meal(zone, "dinner", "2025-06-29T19:30:00", 800.0, 90.0),
        ],
    );
    let windows = [(0.0, 2.0), (2.0, 4.0)];
    let found = amounts_before_sleep(&history, late, &windows, on, on, much_later());
    let found = found.unwrap().unwrap();
    assert_eq!((found[0][0], found[1][0]), (Some(30.0), Some(0.0)));
}

#[test]
fn without_times_there_are_no_hours() {
    let carbs = FeatureId::CarbsDaily;
    let on = last();
    // A night stamped with the evening tells no waking.
    let history = person(
        ZONE,
        vec![
            reading(ZONE, "n", &on.to_string(), MetricType::SleepDuration, 7.0),
            meal(ZONE, "1", &format!("{on}T12:00:00"), 500.0, 50.0),
        ],
    );
    let found = amounts_before_sleep(&history, carbs, &[(0.0, 6.0)], on, on, much_later());
    assert_eq!(found.unwrap(), None);
    let ratio = FeatureId::ProteinRatio;
    let found = amounts_before_sleep(&history, ratio, &[(0.0, 6.0)], on, on, much_later());
    assert_eq!(found.unwrap(), None);
}

#[test]
fn beside_zeros_a_mean_heart_rate_does_not_show_that_the_watch_was_worn() {
    use MetricType as M;
    let of = |on: &str, metric, value| reading(ZONE, &format!("{on}-{metric}"), on, metric, value);
    let records = vec![
        of("2025-03-01", M::Steps, 0.0),
        of("2025-03-01", M::LightActivityMinutes, 0.0),
        of("2025-03-01", M::AverageHeartRate, 71.0),
        of("2025-03-02", M::Steps, 0.0),
        of("2025-03-02", M::RestingHeartRate, 60.0),
        of("2025-03-03", M::SedentaryMinutes, 900.0),
        of("2025-03-03", M::LightActivityMinutes, 0.0),
    ];
    let history = person(ZONE, records);
    let (first, last) = (day("2025-03-01"), day("2025-03-03"));
    let values = |metric| daily_values(&history, metric, first, last, much_later()).unwrap();
    assert_eq!(values(M::Steps), [None, Some(0.0), None]);
    assert_eq!(values(M::AverageHeartRate), [Some(71.0), None, None]);
    // Alone, they do.
    assert_eq!(values(M::LightActivityMinutes), [None, None, Some(0.0)]);
    let view = day_view(&history, first, much_later()).unwrap();
    assert!(view.is_not_worn);
    let counted = |view: &DayView| -> Vec<M> {
        let counted = view.values.iter().filter(|value| value.counted.is_some());
        counted.map(|value| value.metric).collect()
    };
    assert_eq!(counted(&view), [M::AverageHeartRate]);
}

/// A reading of another source than `watch`.
fn of_source(source: &str, metric: MetricType, value: f64) -> Record {
    let on = "2025-03-02";
    let mut record = reading(ZONE, &format!("{source}-{metric}"), on, metric, value);
    source.clone_into(&mut record.provenance_mut().source);
    record
}

#[test]
fn a_watch_that_nobody_wore_measured_no_steps_whatever_other_devices_have() {
    use MetricType as M;
    let of_others = [
        vec![of_source("meter", M::BloodGlucose, 104.0)],
        // Written down in the app of the watch, but measured by something else.
        vec![
            of_source("watch", M::BloodGlucose, 104.0),
            of_source("watch", M::BloodPressureSystolic, 118.0),
            of_source("watch", M::BodyFatPercentage, 21.0),
        ],
        vec![of_source("ring", M::RestingHeartRate, 55.0)],
        vec![meal(ZONE, "lunch", "2025-03-02T12:00:00", 700.0, 80.0)],
    ];
    for others in of_others {
        let mut records = vec![
            of_source("watch", M::Steps, 0.0),
            of_source("watch", M::SedentaryMinutes, 1_440.0),
            of_source("watch", M::StressLevel, 0.0),
        ];
        let has_ring = (others.iter()).any(|record| record.provenance().source == "ring");
        records.extend(others.iter().cloned());
        let history = person(ZONE, records);
        let on = day("2025-03-02");
        let value = |metric| daily_values(&history, metric, on, on, much_later()).unwrap()[0];
        for metric in [M::Steps, M::SedentaryMinutes, M::StressLevel] {
            assert_eq!(value(metric), None, "{metric} beside {others:?}");
        }
        for record in &others {
            if let Record::HealthMetric(reading) = record {
                assert_eq!(value(reading.metric), Some(reading.value));
            }
        }
        let view = day_view(&history, on, much_later()).unwrap();
        assert_eq!(view.is_not_worn, !has_ring, "{others:?}");
        let steps = (view.values.iter())
            .find(|of| of.metric == M::Steps)
            .unwrap();
        assert_eq!((&steps.counted, steps.readings), (&None, 1));
        let coverage = coverage(&history, much_later()).unwrap().unwrap();
        assert!(coverage.metrics.iter().all(|of| of.metric != M::Steps));
    }
}

#[test]
fn the_zeros_of_a_watch_at_home_do_not_hide_the_steps_of_a_phone() {
    use MetricType as M;
    let mut history = person(
        ZONE,
        vec![
            of_source("watch", M::Steps, 0.0),
            of_source("watch", M::ActiveCalories, 0.0),
            of_source("phone", M::Steps, 5_200.0),
        ],
    );
    // The watch counts where it has a value.
    let order = vec!["watch".to_owned(), "phone".to_owned()];
    history.profile.preferred_sources.insert(M::Steps, order);
    let on = day("2025-03-02");
    let value = |metric| daily_values(&history, metric, on, on, much_later()).unwrap()[0];
    assert_eq!(
        (value(M::Steps), value(M::ActiveCalories)),
        (Some(5_200.0), None)
    );
    let view = day_view(&history, on, much_later()).unwrap();
    assert!(!view.is_not_worn);
    assert_eq!(view.values[0].counted.as_ref().unwrap().source, "phone");
}

#[test]
fn a_workout_shows_that_the_watch_that_recorded_it_was_worn() {
    use MetricType as M;
    let swim = |source: &str| {
        let mut record = workout(
            ZONE,
            "swim",
            "2025-03-02T09:00:00",
            ActivityType::Swimming,
            None,
            Some(40.0),
        );
        source.clone_into(&mut record.provenance_mut().source);
        record
    };
    let on = day("2025-03-02");
    for (source, steps) in [("watch", Some(0.0)), ("diary", None)] {
        let history = person(ZONE, vec![of_source("watch", M::Steps, 0.0), swim(source)]);
        let values = daily_values(&history, M::Steps, on, on, much_later()).unwrap();
        assert_eq!(values, [steps], "{source}");
    }
}
