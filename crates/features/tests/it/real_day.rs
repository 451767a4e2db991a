//! One day of a real person (T1D-UOM, person 2306, 5 December 2023), computed by hand from the
//! rows of the published files. The rows that matter:
//!
//! ```text
//! meals      29/11 08:38 11:..   first meals of the week 08:38 08:07 08:22 08:46 11:46 09:49 10:26
//!            05/12 10:26 carbs 30 protein 11.8 fat 11.1 fibre 4.9
//!            05/12 14:31 carbs 50 protein 21.7 fat  4.8 fibre 8.3
//!            05/12 20:24 carbs 50 protein 35.8 fat 12.3 fibre 9.2
//! steps      29/11..05/12  14788 6893 14371 10301 5604 4670 6898
//! energy                     555  244   537   630  281  189  184
//! resting heart rate         56   55    55    56   57   57   57   (midnight rows close the day)
//! seconds asleep           29100 26880 27360 24960 26400 34140 31740
//! ```

use crate::people::{day, instant, much_later};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast_domain::{History, Profile, Record, UserId};
use vitalcast_features::{FeatureId, FeatureTable, daily_values, feature_table};
use vitalcast_import::{ImportOptions, Reject, Sink, SinkError, import};

#[derive(Default)]
struct Kept {
    profile: Option<Profile>,
    records: Vec<Record>,
}

impl Sink for Kept {
    fn person(&mut self, _: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        self.profile = Some(profile.clone());
        Ok(profile.clone())
    }

    fn records(&mut self, _: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        self.records.extend(records);
        Ok(())
    }

    fn reject(&mut self, _: &Reject) -> Result<(), SinkError> {
        Ok(())
    }

    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn person() -> History {
    let mut kept = Kept::default();
    let options = ImportOptions::at(instant("2026-01-01T00:00:00Z"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/t1d-uom");
    import(&[path], &options, &mut kept).unwrap();
    let mut history = History::new(UserId::new("2306").unwrap(), kept.profile.unwrap());
    history.records = kept.records;
    history
}

fn the_day(as_of: DateTime<Utc>) -> FeatureTable {
    let day = day("2023-12-05");
    feature_table(&person(), day, day, as_of).unwrap()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Population standard deviation.
fn spread(values: &[f64]) -> f64 {
    let mean = mean(values);
    mean_of_squares(values, mean).sqrt()
}

fn mean_of_squares(values: &[f64], mean: f64) -> f64 {
    values
        .iter()
        .map(|value| (value - mean).powi(2))
        .sum::<f64>()
        / values.len() as f64
}

#[test]
fn the_inputs_of_a_real_day_are_those_computed_by_hand() {
    let table = the_day(much_later());
    let energy = 4.0 * 130.0 + 4.0 * 69.3 + 9.0 * 28.2;
    let rhr = [56.0, 55.0, 55.0, 56.0, 57.0, 57.0, 57.0];
    let asleep = [
        29_100., 26_880., 27_360., 24_960., 26_400., 34_140., 31_740.,
    ];
    let clock = |hour: f64, minute: f64| hour + minute / 60.0;
    let first_meals = [
        clock(8., 38.),
        clock(8., 7.),
        clock(8., 22.),
        clock(8., 46.),
        clock(11., 46.),
        clock(9., 49.),
        clock(10., 26.),
    ];
    let expected = [
        (FeatureId::CaloriesDaily, Some(energy)),
        (FeatureId::ProteinDaily, Some(69.3)),
        (FeatureId::CarbsDaily, Some(130.0)),
        (FeatureId::FatDaily, Some(28.2)),
        (FeatureId::FiberDaily, Some(22.4)),
        // Carbohydrate by day: 134, 134, 123, 118, 107, 117, 130.
        (FeatureId::Carbs7dAvg, Some(863.0 / 7.0)),
        (FeatureId::ProteinRatio, Some(4.0 * 69.3 / energy)),
        (FeatureId::CarbsRatio, Some(4.0 * 130.0 / energy)),
        (FeatureId::FatRatio, Some(9.0 * 28.2 / energy)),
        (FeatureId::LastMealTime, Some(clock(20., 24.))),
        (
            FeatureId::EatingWindow,
            Some(clock(20., 24.) - clock(10., 26.)),
        ),
        (
            FeatureId::LateNightCalories,
            Some(4.0 * 50.0 + 4.0 * 35.8 + 9.0 * 12.3),
        ),
        (
            FeatureId::MealRegularity,
            Some(1.0 - spread(&first_meals) / 3.0),
        ),
        (FeatureId::StepsDaily, Some(6_898.0)),
        (FeatureId::Steps7dAvg, Some(63_525.0 / 7.0)),
        (FeatureId::CaloriesBurnedDaily, Some(184.0)),
        // No workout was ever recorded, so nothing is known of workouts.
        (FeatureId::WorkoutCountDaily, None),
        (FeatureId::WorkoutIntensityAvg, None),
        (FeatureId::RecoveryTime, None),
        (FeatureId::CardioMinutes7d, None),
        (FeatureId::RhrYesterday, Some(57.0)),
        (FeatureId::Rhr7dAvg, Some(mean(&rhr))),
        // Least squares over the days -3..=3: (-168 - 110 - 55 + 57 + 114 + 171) / 28.
        (FeatureId::RhrTrend, Some(9.0 / 28.0)),
        (FeatureId::HrvYesterday, None),
        (FeatureId::SleepDurationLast, Some(31_740.0 / 3_600.0)),
        (FeatureId::SleepDuration7dAvg, Some(mean(&asleep) / 3_600.0)),
        (FeatureId::DayOfWeek, Some(1.0)),
        (FeatureId::IsWeekend, Some(0.0)),
        (FeatureId::WeekOfYear, Some(49.0)),
        (FeatureId::Month, Some(12.0)),
        (FeatureId::MenstrualCycleDay, None),
        // No weight in the profile.
        (FeatureId::ProteinPerKg, None),
    ];
    for (name, expected) in expected {
        assert!(name.feature().model_input, "{name} is no model input");
        let value = table.value_at(0, name);
        match (value, expected) {
            (Some(value), Some(expected)) => assert!(
                (value - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{name}: {value}, by hand {expected}"
            ),
            _ => assert_eq!(value, expected, "{name}"),
        }
    }
    // Not an input, but of the catalogue.
    let first = table.value_at(0, FeatureId::FirstMealTime).unwrap();
    assert!((first - clock(10., 26.)).abs() < 1e-12);
    let deviation = table.value_at(0, FeatureId::Rhr7dStd).unwrap();
    assert!((deviation - spread(&rhr)).abs() < 1e-12);
}

#[test]
fn at_noon_the_dinner_and_the_days_resting_heart_rate_are_not_known() {
    let table = the_day(instant("2023-12-05T12:00:00Z"));
    assert_eq!(table.value_at(0, FeatureId::CarbsDaily), Some(30.0));
    assert_eq!(table.value_at(0, FeatureId::LateNightCalories), Some(0.0));
    assert_eq!(table.value_at(0, FeatureId::StepsDaily), None);
    assert_eq!(
        table.value_at(0, FeatureId::SleepDurationLast),
        Some(31_740.0 / 3_600.0)
    );
    let six_days = [56.0, 55.0, 55.0, 56.0, 57.0, 57.0];
    assert_eq!(
        table.value_at(0, FeatureId::Rhr7dAvg),
        Some(mean(&six_days))
    );
}

#[test]
fn the_outcome_of_a_day_is_its_midnight_reading() {
    let days = (day("2023-12-02"), day("2023-12-08"));
    let metric = vitalcast_domain::MetricType::RestingHeartRate;
    let values = daily_values(&person(), metric, days.0, days.1, much_later()).unwrap();
    let expected = [56.0, 57.0, 57.0, 57.0, 57.0, 58.0, 59.0].map(Some);
    assert_eq!(values, expected);
}
