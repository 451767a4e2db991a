//! T1D-UOM's folders.

use crate::folder::{Folder, Read, day, instant, read};
use std::path::Path;
use vitalcast_domain::{MealType, MetricType as M, Record};
use vitalcast_import::{Format, RejectReason as R, SkipReason};

const MEALS: &str = "\u{feff}meal_ts,meal_type,meal_tag,carbs_g,prot_g,fat_g,fibre_g\n";
pub(crate) const RATES: &str = "sleep_ts,step_count,heart_rate,current_activity_type_intensity,\
                     stress_level_value,sleep_level,resting_heart_rate\n";
pub(crate) const NIGHTS: &str = "calendar_date,duration_in_sec,start_date_ts,start_time_offset_s,deep_sleep_s,rem_sleep_s,awake_s,validation\n";
const EPOCHS: &str =
    "activity_ts,activity_type,active_Kcal,step_count,start_time_s,start_time_offset_s\n";

pub(crate) fn one(name: &str, header: &str, rows: &str) -> (vitalcast_import::ImportReport, Read) {
    let folder = Folder::new();
    folder.write(name, format!("{header}{rows}"));
    read(folder.path())
}

fn rates(rows: &str) -> Vec<(String, f64)> {
    let rows: Vec<String> = rows
        .lines()
        .map(|row| {
            let (at, rate) = row.trim().split_once(',').unwrap();
            format!("{at},10,60,0,-1,0,{rate}")
        })
        .collect();
    let rows = rows.join("\n");
    one("Sleep Data/UoMsleep2399.csv", RATES, &rows)
        .1
        .series(M::RestingHeartRate)
}

#[test]
fn the_midnight_rate_closes_the_day_that_has_ended_in_winter_and_summer() {
    // Midnight in London is 00:00 UTC in January and 23:00 UTC in July.
    assert_eq!(rates("29/12/2023 00:00,58"), [day("2023-12-28", 58.0)]);
    assert_eq!(rates("14/07/2024 23:00,57"), [day("2024-07-14", 57.0)]);
}

#[test]
fn the_midnight_rate_counts_before_any_other_and_else_the_last() {
    assert_eq!(
        rates(
            "03/12/2023 03:45,59
             03/12/2023 22:10,61
             04/12/2023 00:00,57
             04/12/2023 07:00,0
             04/12/2023 09:00,62
             04/12/2023 21:00,60"
        ),
        [day("2023-12-03", 57.0), day("2023-12-04", 60.0)]
    );
}

#[test]
fn days_come_before_months_and_zeros_are_no_readings() {
    assert_eq!(
        rates("08/10/2023 12:00,61\n09/10/2023 12:00,0"),
        [day("2023-10-08", 61.0)]
    );
}

#[test]
fn whoever_lives_elsewhere_has_days_of_their_own() {
    let folder = Folder::new();
    let night = "02/01/2024,28800,01/01/2024 15:00,28800,3600,3600,60,ENHANCED_FINAL\n";
    folder.write(
        "Sleep Data/UoM2303sleeptime.csv",
        format!("{NIGHTS}{night}"),
    );
    folder.write(
        "Sleep Data/UoMsleep2303.csv",
        format!("{RATES}01/01/2024 16:00,1,60,0,-1,0,55\n"),
    );
    let (report, read) = read(folder.path());
    assert_eq!(read.people, [("2303".to_owned(), "Etc/GMT-8".to_owned())]);
    // 16:00 UTC is midnight at UTC+8, and closes the first of January.
    assert_eq!(read.series(M::RestingHeartRate), [day("2024-01-01", 55.0)]);
    assert!(report.notes.iter().any(|note| note.contains("2303")));
}

#[test]
fn a_night_is_in_utc_and_belongs_to_its_day_of_waking() {
    let (_, read) = one(
        "Sleep Data/UoM2399sleeptime.csv",
        NIGHTS,
        "19/10/2023,27360,18/10/2023 21:25,3600,4500,4500,240,ENHANCED_FINAL\n",
    );
    assert_eq!(read.series(M::SleepDuration), [day("2023-10-19", 7.6)]);
    assert_eq!(read.series(M::DeepSleepDuration), [day("2023-10-19", 1.25)]);
    // In bed from 22:25 to 06:05 on the local clock, of which four minutes awake.
    assert_eq!(
        read.series(M::AwakeDuration),
        [day("2023-10-19", 4.0 / 60.0)]
    );
    assert_eq!(
        read.series(M::TimeInBed),
        [day("2023-10-19", 27_600.0 / 3_600.0)]
    );
    assert_eq!(read.series(M::Bedtime), [day("2023-10-19", -(95.0 / 60.0))]);
    assert_eq!(read.series(M::WakeTime), [day("2023-10-19", 365.0 / 60.0)]);
    let night = &read.records[0].1;
    // Awake time is not in the duration but is before waking: 21:25 + 7:36 + 0:04.
    assert_eq!(
        night.provenance().observed_at,
        instant("2023-10-19T05:05:00Z")
    );
    assert_eq!(night.provenance().known_at, instant("2023-10-19T05:05:00Z"));
    assert_eq!(
        night.provenance().local_time().to_string(),
        "2023-10-19 06:05:00"
    );
}

#[test]
fn a_night_whose_day_is_far_from_its_times_is_rejected_and_no_record() {
    let (_, read) = one(
        "Sleep Data/UoM2399sleeptime.csv",
        NIGHTS,
        "09/10/2023,27360,18/10/2023 21:25,3600,4500,4500,240,ENHANCED_FINAL\n",
    );
    assert_eq!(read.faults(), [(2, R::Contradiction)]);
    assert!(read.records.is_empty());
}

#[test]
fn two_rows_of_a_night_are_both_kept_and_the_same_row_once() {
    let (report, read) = one(
        "Sleep Data/UoM2399sleeptime.csv",
        NIGHTS,
        "19/10/2023,27360,18/10/2023 21:25,3600,,,240,ENHANCED_TENTATIVE\n\
         19/10/2023,27360,18/10/2023 21:25,3600,,,240,ENHANCED_TENTATIVE\n\
         19/10/2023,20000,18/10/2023 23:25,3600,,,0,ENHANCED_FINAL\n\
         20/10/2023,-5,19/10/2023 23:25,3600,,,0,ENHANCED_FINAL\n\
         21/10/2023,,20/10/2023 23:25,3600,,,0,ENHANCED_FINAL\n",
    );
    assert_eq!(read.series(M::SleepDuration).len(), 2);
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    assert_eq!(read.faults(), [(5, R::OutOfRange), (6, R::Empty)]);
}

#[test]
fn steps_and_energy_are_summed_by_local_day_over_every_kind_of_movement() {
    let (report, read) = one(
        "Activity Data/UoMActivity2399.csv",
        EPOCHS,
        "18/10/2023 23:45,WALKING,10,300,1697669100,3600\n\
         18/10/2023 23:45,SEDENTARY,1,0,1697669100,3600\n\
         18/10/2023 23:45,WALKING,10,300,1697669100,3600\n\
         19/10/2023 00:00,RUNNING,40.5,900,1697670000,3600\n\
         19/10/2023 00:15,RUNNING,40,-3,1697670900,3600\n",
    );
    assert_eq!(
        read.series(M::Steps),
        [day("2023-10-18", 300.0), day("2023-10-19", 900.0)]
    );
    assert_eq!(
        read.series(M::ActiveCalories),
        [day("2023-10-18", 11.0), day("2023-10-19", 40.5)]
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    assert_eq!(read.faults(), [(6, R::OutOfRange)]);
    // Known when the local day is over: 23:00 UTC in October.
    let steps = &read.records[0].1;
    assert_eq!(steps.provenance().known_at, instant("2023-10-18T23:00:00Z"));
}

fn meals(rows: &str) -> (vitalcast_import::ImportReport, Read) {
    one("Nutrition Data/UoMNutrition2399.csv", MEALS, rows)
}

#[test]
fn the_energy_of_a_meal_follows_from_what_was_counted() {
    let (_, read) = meals(
        "05/12/2023 10:26,Breakfast,porridge,30,11.8,11.1,4.9\n\
         05/12/2023 16:00,Snack,unsalted-peanuts,42,,,\n",
    );
    let meals: Vec<_> = read
        .records
        .iter()
        .map(|(_, record)| match record {
            Record::Meal(meal) => meal,
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => panic!(),
        })
        .collect();
    let energy = 4.0 * 30.0 + 4.0 * 11.8 + 9.0 * 11.1;
    assert!((meals[0].energy_kcal.unwrap() - energy).abs() < 1e-9);
    assert_eq!(meals[0].fiber_g, Some(4.9));
    assert_eq!(
        (meals[1].energy_kcal, meals[1].protein_g),
        (Some(168.0), None)
    );
    assert_eq!(meals[0].meal_type, Some(MealType::Breakfast));
    // London in December is UTC.
    assert_eq!(
        meals[0].provenance.observed_at,
        instant("2023-12-05T10:26:00Z")
    );
}

#[test]
fn meals_are_local_also_in_summer() {
    let (_, read) = meals("05/07/2024 00:30,Snack,toast,20,,,\n");
    let provenance = read.only().provenance();
    assert_eq!(provenance.observed_at, instant("2024-07-04T23:30:00Z"));
    assert_eq!(provenance.day.to_string(), "2024-07-05");
}

#[test]
fn midnight_and_no_time_mean_some_time_that_day() {
    for stamp in ["05/12/2023 00:00", "05/12/2023", "  05/12/2023 00:00 "] {
        let (_, read) = meals(&format!("{stamp},Lunch,soup,20,,,\n"));
        let Record::Meal(meal) = read.only() else {
            panic!()
        };
        assert!(!meal.time_known(), "{stamp:?}");
        assert_eq!(meal.provenance.day.to_string(), "2023-12-05");
        assert_eq!(meal.provenance.known_at, instant("2023-12-06T00:00:00Z"));
    }
}

#[test]
fn years_that_cannot_be_are_refused_and_odd_words_are_not() {
    let (report, read) = meals(
        "05/12/2204 12:00,Lunch,soup,20,,,\n\
         05/12/2033 12:00,Lunch,soup,20,,,\n\
         31/02/2023 12:00,Lunch,soup,20,,,\n\
         05/12/2023 12:00,Lunch,soup,,,,\n\
         05/12/2023 13:00,Correction,juice,15,,,\n\
         05/12/2023 14:00,Brunch,eggs,15,,,\n\
         05/12/2023 14:00,Supper,more eggs,15,,,\n\
         05/12/2023 14:00,Supper,more eggs,15,,,\n\
         05/12/2023 15:00,,,lots,,,\n",
    );
    assert_eq!(
        read.faults(),
        [
            (2, R::Future),
            (3, R::Future),
            (4, R::BadTime),
            (10, R::BadNumber)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::NothingEaten], 1);
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let types: Vec<_> = read
        .records
        .iter()
        .map(|(_, record)| match record {
            Record::Meal(meal) => meal.meal_type,
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => panic!(),
        })
        .collect();
    assert_eq!(
        types,
        [None, Some(MealType::Breakfast), Some(MealType::Dinner)]
    );
}

#[test]
fn the_person_is_in_the_files_name() {
    let folder = Folder::new();
    let path = folder.write(
        "Nutrition Data/meals.csv",
        format!("{MEALS}05/12/2023 12:00,,,5,,,\n"),
    );
    let error = crate::folder::read_with(&path, &crate::folder::options()).unwrap_err();
    assert!(
        error.to_string().contains("without the number of a person"),
        "{error}"
    );
}

#[test]
fn the_published_slice_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/t1d-uom");
    let (report, read) = read(&path);
    assert_eq!(
        (report.formats[0].format, report.people),
        (Format::T1D_UOM, 1)
    );
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    assert_eq!(
        read.people,
        [("2306".to_owned(), "Europe/London".to_owned())]
    );
    let meals = read
        .records
        .iter()
        .filter(|(_, record)| matches!(record, Record::Meal(_)));
    assert_eq!(meals.count(), 367);
}
