//! Cronometer's export.

use crate::folder::{read_files, read_fixture};
use vitalcast_domain::{ActivityType, MealType, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason as S};

const SERVINGS: &str = "Day,Time,Group,Food Name,Amount,Energy (kcal),Fiber (g),Carbs (g),Fat (g),Protein (g),Category\n\
    2025-03-06,9:00 AM,Breakfast,Oats,\"1.00 cup, dry\",300.00,8.0,54.0,5.0,10.0,Cereals\n\
    2025-03-06,9:00 AM,Breakfast,Milk,200.00 g,100.00,,10.0,4.0,7.0,Dairy\n\
    2025-03-06,12:30 PM,Lunch,Soup,1.00 bowl,250.50,2.0,30.0,8.0,12.0,Meals\n\
    2025-03-07,,Uncategorized,Water,250.00 g,0.00,0.0,0.0,0.0,0.0,Beverages\n";
const SUMMARY: &str = "Date,Energy (kJ),Carbs (g),Fiber (g),Sugars (g),Net Carbs (g),Fat (g),Protein (g),Completed\n\
    2025-03-05,8368,250,30,,220,70,100,true\n\
    2025-03-06,2721.7,94,10,40,84,17,29,false\n\
    2025-03-08,4184,120,10,40,110,40,50,false\n";

#[test]
fn foods_are_added_up_to_meals() {
    let (report, read) = read_files("Europe/Berlin", &[("servings.csv", SERVINGS)]);
    let meals = read.meals();
    assert_eq!(meals.len(), 2);
    assert_eq!(meals[0].energy_kcal, Some(400.0));
    assert_eq!(meals[0].meal_type, Some(MealType::Breakfast));
    assert_eq!(
        (
            meals[0].protein_g,
            meals[0].carbs_g,
            meals[0].fat_g,
            meals[0].fiber_g,
            meals[0].sugar_g
        ),
        (Some(17.0), Some(64.0), Some(9.0), Some(8.0), None),
        "an empty cell is unknown, not 0"
    );
    // Nine o'clock in Berlin is eight in UTC.
    assert_eq!(
        meals[0].provenance.observed_at,
        "2025-03-06T08:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    );
    assert_eq!(
        meals[1].provenance.told.at.to_string(),
        "2025-03-06T12:30:00"
    );
    assert_eq!(report.skipped[&S::NothingEaten], 1);
}

#[test]
fn a_day_with_foods_is_not_read_from_the_summary_again() {
    let files = [("dailysummary.csv", SUMMARY), ("servings.csv", SERVINGS)];
    let (report, read) = read_files("UTC", &files);
    let days: Vec<_> = read
        .meals()
        .iter()
        .filter(|meal| meal.name.is_none())
        .map(|meal| {
            (
                meal.provenance.day.to_string(),
                meal.energy_kcal.unwrap().round(),
            )
        })
        .collect();
    // 8,368 kJ are 2,000 kcal.
    assert_eq!(
        days,
        [
            ("2025-03-05".to_owned(), 2_000.0),
            ("2025-03-08".to_owned(), 1_000.0)
        ]
    );
    assert_eq!(report.skipped[&S::Repeated], 1);
    assert!(
        report.notes[0].starts_with("days of the diary that are not marked"),
        "{:?}",
        report.notes
    );
    assert_eq!(
        read.source_ids(),
        read_files("Asia/Tokyo", &files).1.source_ids()
    );
}

#[test]
fn a_day_without_foods_columns_in_another_order_is_the_sample_of_the_vendor() {
    let (_, read) = read_fixture("cronometer/dailysummary.csv");
    let meals = read.meals();
    assert_eq!(meals.len(), 1);
    assert_eq!(
        (
            meals[0].energy_kcal,
            meals[0].carbs_g,
            meals[0].sugar_g,
            meals[0].protein_g
        ),
        (Some(1_477.23), Some(145.47), Some(52.26), Some(102.79))
    );
    assert_eq!(meals[0].provenance.day.to_string(), "2025-03-06");
    assert!(!meals[0].time_known());
}

#[test]
fn exercises_and_biometrics_are_read_by_their_units() {
    let exercises = "Day,Time,Exercise,Minutes,Calories Burned,Group\n\
        2025-03-06,6:15 PM,\"Running, 8 km/h\",45.00,-420.00,Cardio\n\
        2025-03-06,,Daily Activity,,500,\n\
        2025-03-07,,Walking,20,80,\n\
        2025-03-07,,Walking,30,120,\n";
    let biometrics = "Day,Time,Metric,Unit,Amount\n\
        2025-03-06,7:00 AM,Resting Heart Rate,bpm,56.00\n\
        2025-03-06,7:00 AM,Heart Rate Variability (Oura),ms,48\n\
        2025-03-06,7:00 AM,Heart Rate Variability (Apple Health),ms,61\n\
        2025-03-06,7:00 AM,Heart Rate Variability,ms,50\n\
        2025-03-06,7:05 AM,Sleep (Oura),hours,7.25\n\
        2025-03-06,7:10 AM,Blood Pressure,mmHg,118/76\n\
        2025-03-06,7:15 AM,Body Fat,%,18.5\n\
        2025-03-06,7:15 AM,Weight,lbs,150\n\
        2025-03-06,7:20 AM,Resting Heart Rate,furlongs,56\n\
        2025-03-06,25:00 AM,Resting Heart Rate,bpm,56\n";
    let files = [("exercises.csv", exercises), ("biometrics.csv", biometrics)];
    let (report, read) = read_files("UTC", &files);
    let runs = read.workouts();
    assert_eq!(runs.len(), 3, "two walks of a day are two");
    assert_eq!(runs[0].activity_type, ActivityType::Running);
    assert_eq!(
        (runs[0].duration_minutes, runs[0].energy_kcal),
        (Some(45.0), Some(420.0))
    );
    let day = "2025-03-06";
    read.check_days(M::RestingHeartRate, &[(day, 56.0)]);
    read.check_days(M::HeartRateVariabilityRmssd, &[(day, 48.0)]);
    read.check_days(M::HeartRateVariabilitySdnn, &[(day, 61.0)]);
    read.check_days(M::SleepDuration, &[(day, 7.25)]);
    read.check_days(M::BloodPressureSystolic, &[(day, 118.0)]);
    read.check_days(M::BloodPressureDiastolic, &[(day, 76.0)]);
    read.check_days(M::BodyFatPercentage, &[(day, 18.5)]);
    assert_eq!(read.faults(), [(10, R::UnknownWord), (11, R::BadTime)]);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.starts_with("HRV that does not say"))
    );
}
