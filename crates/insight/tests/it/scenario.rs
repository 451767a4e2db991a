//! Changes of a day's records, seen in the features that are computed of them.

use chrono::{DateTime, Days, NaiveDate, Utc};
use proptest::prelude::*;
use vitalcast_domain::{
    Activity, ActivityType, HealthMetric, History, Intensity, Meal, MetricType, Moment, Profile,
    Provenance, Record, Told, UserId,
};
use vitalcast_features::{FeatureId, FeatureTable, catalogue, feature_table};
use vitalcast_insight::scenario::{Change, Day, Lever, ScenarioError, ShownBy};

fn day() -> NaiveDate {
    "2026-05-20".parse().unwrap()
}

fn told(day: NaiveDate, hour: u32) -> Told {
    Told::at(Moment::Clock(day.and_hms_opt(hour, 0, 0).unwrap()))
}

fn meal(source: &str, day: NaiveDate, hour: u32, carbs: f64) -> Record {
    Record::Meal(Meal {
        provenance: Provenance::told(source, format!("{day} {hour}"), told(day, hour)),
        name: None,
        meal_type: None,
        energy_kcal: Some(4.0 * carbs + 4.0 * 25.0 + 9.0 * 15.0),
        protein_g: Some(25.0),
        carbs_g: Some(carbs),
        fat_g: Some(15.0),
        fiber_g: Some(5.0),
        sugar_g: None,
    })
}

fn reading(source: &str, day: NaiveDate, metric: MetricType, value: f64) -> Record {
    let provenance = Provenance::told(source, format!("{metric} {day}"), Told::at(day.into()));
    Record::HealthMetric(HealthMetric::new(provenance, metric, value))
}

fn workout(day: NaiveDate, minutes: f64, intensity: Intensity) -> Record {
    Record::Activity(Activity {
        provenance: Provenance::told("watch", format!("run {day}"), told(day, 17)),
        activity_type: ActivityType::Running,
        intensity: Some(intensity),
        duration_minutes: Some(minutes),
        energy_kcal: Some(8.0 * minutes),
        average_heart_rate: None,
        max_heart_rate: None,
        distance_m: None,
        steps: None,
    })
}

/// Forty days of two meals, a walk every third day, steps of a watch and a phone, nights and heart rates.
fn someone(begins: u32) -> History {
    let profile = Profile {
        day_begins_hour: begins,
        weight_kg: Some(70.0),
        ..Profile::default()
    };
    let mut history = History::new(UserId::new("p").unwrap(), profile);
    for back in 0..40 {
        let on = day() - Days::new(back);
        let more = (back % 5) as f64;
        history.records.extend([
            meal("diary", on, 8, 60.0 + more),
            meal("diary", on, 19, 80.0 - more),
            reading("watch", on, MetricType::Steps, 8_000.0 + 100.0 * more),
            reading("phone", on, MetricType::Steps, 6_000.0),
            reading("watch", on, MetricType::RestingHeartRate, 58.0 + more / 4.0),
            reading("watch", on, MetricType::SleepDuration, 7.0 + more / 10.0),
            reading("watch", on, MetricType::SleepScore, 80.0),
        ]);
        if back % 3 == 1 {
            history.records.push(workout(on, 40.0, Intensity::High));
        }
    }
    history.place();
    history
}

fn evening(history: &History) -> DateTime<Utc> {
    history.profile.evening_of(day())
}

fn row(history: &History) -> FeatureTable {
    feature_table(history, day(), day(), evening(history)).unwrap()
}

fn changed(history: &History, changes: &[Change]) -> Result<History, ScenarioError> {
    let of_day = Day::new(history, day(), evening(history))?;
    Ok(of_day.change(changes)?.apply(history))
}

fn at(table: &FeatureTable, feature: FeatureId) -> f64 {
    table.value_at(0, feature).unwrap()
}

#[test]
fn a_meal_that_is_added_moves_means_ratios_late_calories_and_the_eating_window() {
    let history = someone(0);
    let (before, extra) = (row(&history), meal("by hand", day(), 21, 100.0));
    let after = row(&changed(&history, &[Change::Add(Box::new(extra))]).unwrap());
    let moved = |feature: FeatureId| at(&after, feature) - at(&before, feature);
    assert!((moved(FeatureId::CarbsDaily) - 100.0).abs() < 1e-9);
    assert!((moved(FeatureId::Carbs7dAvg) - 100.0 / 7.0).abs() < 1e-9);
    assert!((moved(FeatureId::LateNightCalories) - 635.0).abs() < 1e-9);
    assert!((moved(FeatureId::EatingWindow) - 2.0).abs() < 1e-9);
    assert!(moved(FeatureId::CarbsRatio) > 0.0);
    assert!(moved(FeatureId::CaloriesPerKg) > 9.0);
    assert_eq!(moved(FeatureId::StepsDaily), 0.0);
}

#[test]
fn energy_moves_with_the_macros_and_the_macros_with_the_energy() {
    let history = someone(0);
    let before = row(&history);
    let of = |lever, value| row(&changed(&history, &[Change::Set(lever, value)]).unwrap());
    let protein = of(Lever::Protein, at(&before, FeatureId::ProteinDaily) + 30.0);
    let energy = |table: &FeatureTable| at(table, FeatureId::CaloriesDaily);
    assert!((energy(&protein) - energy(&before) - 120.0).abs() < 1e-9);
    let half = of(Lever::Energy, energy(&before) / 2.0);
    for name in [
        FeatureId::CarbsDaily,
        FeatureId::FatDaily,
        FeatureId::ProteinDaily,
    ] {
        assert!(
            (at(&half, name) * 2.0 - at(&before, name)).abs() < 1e-9,
            "{name}"
        );
    }
}

#[test]
fn a_lower_total_counts_although_another_source_counted_more() {
    let history = someone(0);
    let after = row(&changed(&history, &[Change::Set(Lever::Steps, 3_000.0)]).unwrap());
    assert_eq!(at(&after, FeatureId::StepsDaily), 3_000.0);
}

#[test]
fn food_that_is_left_out_leaves_no_late_meal_behind() {
    let mut history = someone(0);
    history
        .records
        .push(meal("diary", day(), 22, 90.0).placed(&Profile::default()));
    assert_eq!(at(&row(&history), FeatureId::LastMealTime), 22.0);
    let after = changed(&history, &[Change::Set(Lever::LateCarbs, 0.0)]).unwrap();
    let after = row(&after);
    assert_eq!(at(&after, FeatureId::LastMealTime), 19.0);
    assert_eq!(at(&after, FeatureId::LateNightCalories), 0.0);
}

#[test]
fn a_day_without_meals_gets_one() {
    let mut history = someone(0);
    let is_meal = |record: &Record| matches!(record, Record::Meal(_));
    history
        .records
        .retain(|record| !(is_meal(record) && record.provenance().day == day()));
    let after = row(&changed(&history, &[Change::Set(Lever::Energy, 600.0)]).unwrap());
    assert!((at(&after, FeatureId::CaloriesDaily) - 600.0).abs() < 1e-9);
    assert!(at(&after, FeatureId::ProteinDaily) > 0.0);
    let none = changed(&history, &[Change::Set(Lever::LastMeal, 18.0)]).unwrap_err();
    assert!(matches!(none, ScenarioError::Impossible { .. }), "{none}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_change_gives_finite_features_that_show_it_or_a_clear_error(
        levers in prop::collection::vec((0..Lever::FEATURES.len(), 0.0..1.0_f64), 1..4),
        metric in prop::option::of((prop::sample::select(MetricType::ALL.to_vec()), 0.0..1.0_f64)),
        begins in prop::sample::select(vec![0, 4]),
    ) {
        let history = someone(begins);
        let mut changes: Vec<Change> = levers
            .into_iter()
            .map(|(place, share)| {
                let lever = Lever::FEATURES[place];
                let (low, high) = lever.range();
                // Most of the range is far beyond what anybody does.
                Change::Set(lever, low + (high - low) * share * share * share)
            })
            .collect();
        changes.extend(metric.map(|(metric, share)| {
            let (low, high) = metric.plausible_range();
            Change::Set(Lever::Reading(metric), low + (high - low) * share)
        }));
        match changed(&history, &changes) {
            Err(error) => prop_assert!(!error.to_string().is_empty()),
            Ok(after) => {
                let table = row(&after);
                for (feature, value) in catalogue().iter().zip(table.row(0).unwrap()) {
                    prop_assert!(value.is_none_or(f64::is_finite), "{}", feature.name);
                }
                if let [Change::Set(lever, value)] = changes.as_slice()
                    && let ShownBy::Feature(feature) = lever.shown_by()
                    && !matches!(lever, Lever::Workouts | Lever::LastMeal)
                {
                    let shown = table.value_at(0, feature).unwrap_or(0.0);
                    let is_near = (shown - value).abs() <= 1e-6 * value.abs().max(1.0);
                    prop_assert!(is_near, "{}: {value} {shown}", lever.name());
                }
            }
        }
    }
}
