//! The account export of Mi Fitness.

use crate::folder::{Folder, options, read_bytes, read_with};
use vitalcast_domain::{MetricType as M, ReadingKind as K};
use vitalcast_import::{ImportOptions, RejectReason as R, SkipReason as S};

const HEADER: &str = "Uid,Sid,Tag,Key,Time,Value,UpdateTime\n";
// The midnight that begins 2 May 2024 in Shanghai, and a later time.
const MIDNIGHT: i64 = 1_714_579_200;
const LATER: i64 = 1_714_700_000;

fn row(tag: &str, key: &str, time: i64, value: &str, updated: i64) -> String {
    let value = value.replace('"', "\"\"");
    format!("77,default,{tag},{key},{time},\"{value}\",{updated}\n")
}

#[test]
fn the_apps_own_totals_are_read_and_raw_rows_are_not() {
    let rows = [
        row(
            "daily_report",
            "steps",
            MIDNIGHT,
            r#"{"distance":7000,"steps":9876,"calories":400}"#,
            LATER,
        ),
        row(
            "daily_report",
            "calories",
            MIDNIGHT,
            r#"{"calories":510}"#,
            LATER,
        ),
        row(
            "daily_report",
            "heart_rate",
            MIDNIGHT,
            r#"{"avg_hr":70,"avg_rhr":52,"max_hr":{"bpm":150}}"#,
            LATER,
        ),
        row(
            "daily_report",
            "spo2",
            MIDNIGHT,
            r#"{"avg_spo2":97}"#,
            LATER,
        ),
        row(
            "daily_report",
            "stress",
            MIDNIGHT,
            r#"{"avg_stress":31}"#,
            LATER,
        ),
        row(
            "daily_report",
            "sleep",
            MIDNIGHT,
            r#"{"total_duration":450,"sleep_deep_duration":80,"sleep_light_duration":240,
            "sleep_rem_duration":100,"sleep_awake_duration":30}"#,
            LATER,
        ),
        row("hourly", "steps", MIDNIGHT, r#"{"steps":500}"#, LATER),
        row(
            "daily_report",
            "weight",
            MIDNIGHT,
            r#"{"weight":70}"#,
            LATER,
        ),
    ];
    let name = "20240601_77_MiFitness_hlth_center_aggregated_fitness_data.csv";
    let (report, read) = read_bytes(name, format!("{HEADER}{}", rows.concat()));
    assert_eq!(report.formats[0].format.as_str(), "mi-fitness");
    let (noon, evening) = ("2024-05-02T12:00:00Z", "2024-05-03T00:00:00Z");
    for (metric, value, known) in [
        (M::Steps, 9_876.0, evening),
        (M::ActiveCalories, 510.0, evening),
        (M::RestingHeartRate, 52.0, evening),
        (M::OxygenSaturation, 97.0, evening),
        (M::StressLevel, 31.0, evening),
        (M::SleepDuration, 7.0, noon),
        (M::DeepSleepDuration, 80.0 / 60.0, noon),
        (M::RemSleepDuration, 100.0 / 60.0, noon),
        (M::AwakeDuration, 0.5, noon),
    ] {
        read.check(metric, "2024-05-02", value, known);
    }
    assert_eq!(report.skipped[&S::OtherFile], 2);
    assert!(
        read.readings(M::Steps)
            .all(|steps| steps.kind() == K::DayTotal)
    );
}

#[test]
fn the_day_is_that_of_the_clock_wherever_the_person_is() {
    // Midnights of 2 May 2024 in Shanghai, in UTC, in New York and in Los Angeles.
    for time in [MIDNIGHT, 1_714_608_000, 1_714_622_400, 1_714_633_200] {
        let text = row("daily_report", "steps", time, r#"{"steps":5000}"#, LATER);
        let folder = Folder::new();
        let path = folder.write("x.csv", format!("{HEADER}{text}"));
        for zone in ["UTC", "Asia/Shanghai", "America/New_York"] {
            let options = ImportOptions {
                zone: Some(zone.parse().unwrap()),
                ..options()
            };
            let (_, read) = read_with(&path, &options).unwrap();
            assert_eq!(
                read.series(M::Steps),
                [("2024-05-02".to_owned(), 5_000.0)],
                "{time} {zone}"
            );
            assert_eq!(read.ids(), ["mi-fitness steps-2024-05-02"]);
        }
    }
}

#[test]
fn zeros_were_not_measured_and_the_later_update_counts() {
    let rows = [
        row(
            "daily_report",
            "heart_rate",
            MIDNIGHT,
            r#"{"avg_rhr":0}"#,
            LATER,
        ),
        row(
            "daily_report",
            "sleep",
            MIDNIGHT,
            r#"{"total_duration":0}"#,
            LATER,
        ),
        row(
            "daily_report",
            "sleep",
            MIDNIGHT + 86_400,
            r#"{"total_duration":400}"#,
            LATER,
        ),
        row(
            "daily_report",
            "steps",
            MIDNIGHT,
            r#"{"steps":5000}"#,
            LATER,
        ),
        row(
            "daily_report",
            "steps",
            MIDNIGHT,
            r#"{"steps":"5200"}"#,
            LATER + 60,
        ),
        row("daily_report", "steps", MIDNIGHT, "steps", LATER),
        row("daily_report", "steps", 5, r#"{"steps":5000}"#, LATER),
    ];
    let (report, read) = read_bytes("x.csv", format!("{HEADER}{}", rows.concat()));
    assert_eq!(report.skipped[&S::Missing], 2);
    assert_eq!(read.faults(), [(7, R::NotJson), (8, R::BadTime)]);
    assert_eq!(
        read.series(M::SleepDuration),
        [("2024-05-03".to_owned(), 400.0 / 60.0)]
    );
    let told: Vec<_> = read
        .readings(M::Steps)
        .map(|steps| {
            (
                steps.value,
                steps.provenance.told.updated_at.unwrap().timestamp(),
            )
        })
        .collect();
    assert_eq!(told, [(5_000.0, LATER), (5_200.0, LATER + 60)]);
}

#[test]
fn tables_of_raw_values_and_workouts_are_counted() {
    let (report, read) = read_bytes(
        "x_hlth_center_fitness_data.csv",
        format!(
            "Uid,Sid,Key,Time,Value,UpdateTime\n77,1,steps,{MIDNIGHT},\"{{\"\"steps\"\":5}}\",{LATER}\n"
        ),
    );
    assert_eq!((read.records.len(), report.skipped[&S::OtherFile]), (0, 1));
}
