//! Made-up people whose features can be told without a computer.

use crate::people::{day, instant, known, meal, much_later, person, reading, workout};
use vitalcast_domain::{ActivityType, History, Intensity, MetricType};
use vitalcast_features::{FeatureId, FeatureTable, daily_values, feature_table};

const UTC: &str = "UTC";
const RHR: MetricType = MetricType::RestingHeartRate;

fn table(history: &History, first: &str, last: &str) -> FeatureTable {
    feature_table(history, day(first), day(last), much_later()).unwrap()
}

#[test]
fn nothing_known_is_missing_and_never_zero() {
    let table = table(&person(UTC, Vec::new()), "2024-05-01", "2024-05-01");
    let known: Vec<FeatureId> = FeatureId::ALL
        .iter()
        .copied()
        .filter(|feature| table.value_at(0, *feature).is_some())
        .collect();
    assert_eq!(
        known,
        [
            FeatureId::DayOfWeek,
            FeatureId::IsWeekend,
            FeatureId::WeekOfYear,
            FeatureId::Month
        ]
    );
}

#[test]
fn a_day_without_a_workout_is_zero_only_when_workouts_are_recorded() {
    let run = |local: &str| {
        workout(
            UTC,
            "1",
            local,
            ActivityType::Running,
            Some(Intensity::High),
            Some(40.0),
        )
    };
    let history = person(UTC, vec![run("2024-05-01T18:00:00")]);
    let table = table(&history, "2024-04-30", "2024-06-05");
    let at = |row: usize, feature: FeatureId| table.value_at(row, feature);
    assert_eq!(at(0, FeatureId::WorkoutCountDaily), None, "not yet");
    assert_eq!(at(1, FeatureId::WorkoutCountDaily), Some(1.0));
    assert_eq!(at(1, FeatureId::WorkoutIntensityAvg), Some(1.0));
    assert_eq!(at(1, FeatureId::HighIntensityMinutes), Some(40.0));
    assert_eq!(at(1, FeatureId::RecoveryTime), Some(0.0));
    assert_eq!(at(1, FeatureId::DaysSinceRest), Some(1.0));
    assert_eq!(at(3, FeatureId::WorkoutCountDaily), Some(0.0));
    assert_eq!(at(3, FeatureId::RecoveryTime), Some(48.0));
    assert_eq!(at(3, FeatureId::CardioMinutes7d), Some(40.0));
    assert_eq!(at(3, FeatureId::StrengthMinutes7d), Some(0.0));
    assert_eq!(at(3, FeatureId::DaysSinceRest), Some(0.0));
    assert_eq!(
        at(8, FeatureId::CardioMinutes7d),
        Some(0.0),
        "8 May: a week without"
    );
    assert_eq!(
        at(36, FeatureId::WorkoutCountDaily),
        None,
        "a month without any"
    );
}

#[test]
fn a_workout_of_unknown_length_has_no_minutes() {
    let history = person(
        UTC,
        vec![workout(
            UTC,
            "1",
            "2024-05-01T18:00:00",
            ActivityType::Yoga,
            None,
            None,
        )],
    );
    let table = table(&history, "2024-05-01", "2024-05-01");
    assert_eq!(table.value_at(0, FeatureId::WorkoutCountDaily), Some(1.0));
    assert_eq!(table.value_at(0, FeatureId::FlexibilityMinutes7d), None);
    assert_eq!(table.value_at(0, FeatureId::RecoveryTime), None);
}

#[test]
fn local_days_decide_also_when_clocks_change() {
    let zone = "Europe/Athens";
    // 26 October 2025 is 25 hours long in Athens; 23:30 local is 21:30 UTC.
    let history = person(
        zone,
        vec![
            meal(zone, "1", "2025-10-25T23:30:00", 500.0, 60.0),
            meal(zone, "2", "2025-10-26T23:30:00", 700.0, 80.0),
            meal(zone, "3", "2025-10-27T00:10:00", 300.0, 30.0),
        ],
    );
    let table = table(&history, "2025-10-25", "2025-10-27");
    for (row, energy) in [500.0, 700.0, 300.0].into_iter().enumerate() {
        assert_eq!(table.value_at(row, FeatureId::CaloriesDaily), Some(energy));
    }
    assert_eq!(table.value_at(1, FeatureId::LastMealTime), Some(23.5));
    assert_eq!(table.value_at(1, FeatureId::LateNightCarbs), Some(80.0));
    // 30 March 2025 is 23 hours long; its evening comes an hour earlier.
    let history = person(zone, vec![reading(zone, "r", "2025-03-30", RHR, 60.0)]);
    let known_at = history.records[0].provenance().known_at;
    assert_eq!(known_at, instant("2025-03-30T21:00:00Z"));
    let on_the_day = |as_of| {
        let day = day("2025-03-30");
        let table = feature_table(&history, day, day, as_of).unwrap();
        table.value_at(0, FeatureId::Rhr7dAvg)
    };
    assert_eq!(on_the_day(known_at), Some(60.0));
    assert_eq!(on_the_day(known_at - chrono::TimeDelta::seconds(1)), None);
}

#[test]
fn a_correction_counts_from_the_evening_it_was_known() {
    let first = reading(UTC, "r", "2024-05-01", RHR, 60.0);
    let corrected = known(
        reading(UTC, "r", "2024-05-01", RHR, 50.0),
        "2024-05-03T09:00:00Z",
    );
    let history = person(UTC, vec![corrected, first]);
    let table = table(&history, "2024-05-01", "2024-05-04");
    let seen: Vec<_> = (0..4)
        .map(|row| table.value_at(row, FeatureId::Rhr7dAvg))
        .collect();
    assert_eq!(seen, [Some(60.0), Some(60.0), Some(50.0), Some(50.0)]);
    let outcome = |as_of: &str| {
        let day = day("2024-05-01");
        daily_values(&history, RHR, day, day, instant(as_of)).unwrap()[0]
    };
    assert_eq!(outcome("2024-05-03T08:59:59Z"), Some(60.0));
    assert_eq!(outcome("2024-05-03T09:00:00Z"), Some(50.0));
}

#[test]
fn a_correction_that_moves_a_meal_takes_it_from_its_old_day() {
    let moved = known(
        meal(UTC, "m", "2024-05-02T12:00:00", 400.0, 10.0),
        "2024-05-03T09:00:00Z",
    );
    let history = person(
        UTC,
        vec![meal(UTC, "m", "2024-05-01T12:00:00", 400.0, 10.0), moved],
    );
    let days = |last: &str| {
        // The week's mean on an evening tells what each evening sees.
        table(&history, last, last).value_at(0, FeatureId::Calories7dAvg)
    };
    assert_eq!(days("2024-05-02"), Some(400.0));
    assert_eq!(
        days("2024-05-08"),
        Some(400.0),
        "8 May: the week begins on the 2nd"
    );
    assert_eq!(days("2024-05-09"), None);
    let table = table(&history, "2024-05-01", "2024-05-03");
    assert_eq!(
        table.value_at(0, FeatureId::MealCount),
        Some(1.0),
        "seen that evening"
    );
    assert_eq!(
        table.value_at(1, FeatureId::MealCount),
        None,
        "not yet moved"
    );
}

#[test]
fn a_late_reading_is_not_there_before_it_is_known() {
    let late = known(
        reading(UTC, "r", "2024-05-01", RHR, 60.0),
        "2024-05-05T10:00:00Z",
    );
    let table = table(&person(UTC, vec![late]), "2024-05-01", "2024-05-06");
    let seen: Vec<bool> = (0..6)
        .map(|row| table.value_at(row, FeatureId::Rhr7dAvg).is_some())
        .collect();
    assert_eq!(seen, [false, false, false, false, true, true]);
}

#[test]
fn a_partial_night_is_neither_feature_nor_outcome() {
    let metric = MetricType::SleepDuration;
    let night = reading(UTC, "n", "2024-05-01", metric, 1.5);
    let history = person(UTC, vec![night]);
    let day = day("2024-05-01");
    assert_eq!(
        daily_values(&history, metric, day, day, much_later()).unwrap(),
        [None]
    );
    let table = feature_table(&history, day, day, much_later()).unwrap();
    assert_eq!(table.value_at(0, FeatureId::SleepDurationLast), None);
}

#[test]
fn the_profile_gives_weight_goal_and_cycle() {
    let mut history = person(
        UTC,
        vec![meal(UTC, "m", "2024-05-10T12:00:00", 1_800.0, 210.0)],
    );
    history.profile.goal_energy_kcal = Some(2_000.0);
    history.profile.activity_level = Some(vitalcast_domain::ActivityLevel::Active);
    history.profile.cycle_starts = vec![day("2024-04-01"), day("2024-04-27")];
    let table = table(&history, "2024-05-10", "2024-05-10");
    let at = |feature: FeatureId| table.value_at(0, feature);
    assert_eq!(at(FeatureId::CalorieDeficit), Some(300.0));
    assert_eq!(at(FeatureId::CaloriesPerKg), Some(1_800.0 / 70.0));
    assert_eq!(at(FeatureId::ProteinPerKg), Some(20.0 / 70.0));
    assert_eq!(at(FeatureId::MenstrualCycleDay), Some(14.0));
    assert_eq!(at(FeatureId::MenstrualCyclePhase), Some(3.0));
}

#[test]
fn ranges_that_cannot_be_are_refused() {
    let history = person(UTC, Vec::new());
    let error = |first: &str, last: &str| {
        feature_table(&history, day(first), day(last), much_later())
            .unwrap_err()
            .to_string()
    };
    assert!(error("2024-05-02", "2024-05-01").contains("before its first day 2024-05-02"));
    assert!(error("1900-01-01", "2024-05-01").contains("at most 20000"));
}
