//! intervals.icu's wellness data.

use crate::folder::{Folder, mine, profile_in, read_files};
use vitalcast_domain::MetricType as M;
use vitalcast_import::SkipReason as S;

const JSON: &str = r#"[
  {"id":"2025-03-05","ctl":40.1,"atl":50.2,"updated":"2025-03-06T08:00:00.000+00:00","weight":70.5,"restingHR":52,
   "hrv":61.5,"hrvSDNN":null,"kcalConsumed":2100,"carbohydrates":250.5,"protein":110.0,"fatTotal":70.2,"sleepSecs":27000,
   "sleepScore":82.0,"sleepQuality":2,"avgSleepingHR":54.5,"readiness":71.0,"steps":9214,"spO2":97.0,"respiration":14.2,
   "menstrualPhase":"PERIOD","menstrualPhasePredicted":"PERIOD","tempRestingHR":false,"tempWeight":false},
  {"id":"2025-03-06","restingHR":52,"tempRestingHR":true,"hrv":0,"sleepSecs":0,"kcalConsumed":0,"menstrualPhase":"PERIOD"},
  {"id":"2025-03","restingHR":52,"sleepSecs":1,"hrv":1}
]"#;

const CSV: &str = "date,weight,restingHR,hrv,hrvSDNN,sleepSecs,sleepScore,avgSleepingHR,readiness,steps,ctl,tempRestingHR,kcalConsumed\n\
    2025-03-05,70.5,52,61.5,,27000,82,54.5,71,9214,40.1,false,2100\n";

#[test]
fn a_day_gives_its_values_in_json_and_in_csv() {
    for (name, text) in [("wellness.json", JSON), ("wellness.csv", CSV)] {
        let (_, read) = read_files("Australia/Sydney", &[(name, text)]);
        let day = "2025-03-05";
        read.check_days(M::RestingHeartRate, &[(day, 52.0)]);
        read.check_days(M::HeartRateVariabilityRmssd, &[(day, 61.5)]);
        read.check_days(M::HeartRateVariabilitySdnn, &[]);
        read.check_days(M::SleepDuration, &[(day, 7.5)]);
        read.check_days(M::SleepScore, &[(day, 82.0)]);
        read.check_days(M::SleepingHeartRate, &[(day, 54.5)]);
        read.check_days(M::RecoveryScore, &[(day, 71.0)]);
        read.check_days(M::Steps, &[(day, 9_214.0)]);
        let meals = read.meals();
        assert_eq!(meals.len(), 1);
        assert_eq!(meals[0].energy_kcal, Some(2_100.0));
    }
}

#[test]
fn stand_ins_and_zeros_are_no_values_and_half_dates_are_faults() {
    let (report, read) = read_files("UTC", &[("wellness.json", JSON)]);
    assert_eq!(
        report.skipped[&S::Missing],
        3,
        "a stand-in, an HRV and a night of 0"
    );
    assert_eq!(read.rejects.len(), 1);
    assert!(
        read.readings(M::RestingHeartRate).collect::<Vec<_>>()[0]
            .provenance
            .told
            .updated_at
            .is_some(),
        "the later version of a day counts"
    );
}

#[test]
fn a_readiness_of_a_small_scale_is_no_recovery_score() {
    let (report, read) = read_files("UTC", &[("w.csv", &CSV.replace(",71,", ",7.1,"))]);
    read.check_days(M::RecoveryScore, &[]);
    assert!(report.notes[0].starts_with("readiness is left out"));
}

#[test]
fn csv_and_json_have_the_same_ids() {
    let json = read_files("UTC", &[("w.json", JSON)]).1.source_ids();
    let csv = read_files("UTC", &[("w.csv", CSV)]).1.source_ids();
    assert!(csv.iter().all(|id| json.contains(id)), "{csv:?} {json:?}");
}

#[test]
fn weight_and_the_start_of_a_period_go_into_a_new_profile() {
    let folder = Folder::new();
    let path = folder.write("w.json", JSON);
    let profile = profile_in(&path, &mine("UTC"));
    assert_eq!(profile.weight_kg, Some(70.5));
    assert_eq!(profile.cycle_starts, ["2025-03-05".parse().unwrap()]);
}

#[test]
fn a_table_that_a_spreadsheet_saved_with_grouped_thousands_has_thousands() {
    let table = CSV.replace("9214", "9.214").replace("2100", "2.100");
    let table = table
        .replace(',', ";")
        .replace("70.5", "70,5")
        .replace("61.5", "61,5");
    let (_, read) = read_files(
        "UTC",
        &[(
            "wellness.csv",
            &table.replace("40.1", "40,1").replace("54.5", "54,5"),
        )],
    );
    assert_eq!(read.rejects, []);
    let day = "2025-03-05";
    read.check_days(M::Steps, &[(day, 9_214.0)]);
    read.check_days(M::HeartRateVariabilityRmssd, &[(day, 61.5)]);
    assert_eq!(read.meals()[0].energy_kcal, Some(2_100.0));
}
