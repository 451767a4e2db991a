//! Google Fit: the folder "Fit" of Google Takeout.

use crate::folder::{Folder, Read, day, instant, mine, read_files, read_with};
use vitalcast_domain::{ActivityType, MetricType as M, ReadingKind};
use vitalcast_import::{ImportReport, SkipReason};

fn export(zone: &str, files: &[(&str, &str)]) -> (ImportReport, Read) {
    let (report, read) = read_files(zone, files);
    assert_eq!(report.formats[0].format.as_str(), "google-fit");
    (report, read)
}

const SUMMARY: &str = "Date,Move Minutes count,Calories (kcal),Distance (m),Average heart rate (bpm),\
    Min heart rate (bpm),Step count,Average weight (kg),Sleep duration (ms)\n\
    2024-05-01,33,2100.5,4000,71.5,48,8000,70.5,27000000\n2024-05-02,,1900,,,,,,\n";
const QUARTERS: &str = "Start time,End time,Move Minutes count,Calories (kcal),Average heart rate (bpm),Step count\n\
    00:00:00.000+05:30,00:15:00.000+05:30,,20,60,\n07:15:00.000+05:30,07:30:00.000+05:30,3,30,80,400\n";

/// A sample of a type between two times.
fn point(name: &str, from: &str, to: &str, value: &str) -> String {
    let nanos = |text: &str| instant(text).timestamp() * 1_000_000_000;
    format!(
        r#"{{"fitValue": [{{"value": {{{value}}}}}], "originDataSourceId": "", "endTimeNanos": {},
        "dataTypeName": "com.google.{name}", "startTimeNanos": {}, "rawTimestampNanos": 0}}"#,
        nanos(to),
        nanos(from)
    )
}

fn points(points: &[String]) -> String {
    format!(
        r#"{{"Data Source": "derived:x", "Data Points": [{}]}}"#,
        points.join(",")
    )
}

#[test]
fn the_summary_counts_and_quarter_hours_fill_its_gaps() {
    let (report, read) = export(
        "UTC",
        &[
            ("Daily activity metrics/Daily activity metrics.csv", SUMMARY),
            ("Daily activity metrics/2024-05-01.csv", QUARTERS),
            ("Daily activity metrics/2024-05-03.csv", QUARTERS),
        ],
    );
    assert_eq!(
        read.series(M::Steps),
        [day("2024-05-01", 8_000.0), day("2024-05-03", 400.0)]
    );
    assert_eq!(
        read.series(M::TotalCalories),
        [
            day("2024-05-01", 2_100.5),
            day("2024-05-02", 1_900.0),
            day("2024-05-03", 50.0)
        ]
    );
    assert_eq!(
        read.series(M::AverageHeartRate),
        [day("2024-05-01", 71.5), day("2024-05-03", 70.0)]
    );
    assert!(read.series(M::RestingHeartRate).is_empty());
    assert_eq!(read.series(M::SleepDuration), [day("2024-05-01", 7.5)]);
    assert_eq!(
        report.skipped[&SkipReason::Repeated],
        1,
        "a day of the summary"
    );
}

#[test]
fn merged_samples_repeat_the_raw_ones() {
    let segments = points(&[
        point(
            "sleep.segment",
            "2024-05-01T21:00:00Z",
            "2024-05-01T23:00:00Z",
            "\"intVal\": 4",
        ),
        point(
            "sleep.segment",
            "2024-05-01T23:00:00Z",
            "2024-05-02T00:00:00Z",
            "\"intVal\": 5",
        ),
        point(
            "sleep.segment",
            "2024-05-02T00:00:00Z",
            "2024-05-02T00:30:00Z",
            "\"intVal\": 1",
        ),
        point(
            "sleep.segment",
            "2024-05-02T00:30:00Z",
            "2024-05-02T04:00:00Z",
            "\"intVal\": 6",
        ),
    ]);
    let session = r#"{
      "fitnessActivity": "sleep",
      "startTime": "2024-05-01T21:00:00Z",
      "endTime": "2024-05-02T04:00:00Z",
      "duration": "25200s",
      "segment": [{"fitnessActivity": "sleep", "startTime": "2024-05-01T21:00:00Z", "endTime": "2024-05-02T04:00:00Z"}]
    }"#;
    let other = session.replace("2024-05-0", "2024-06-0");
    let fat = points(&[point(
        "body.fat.percentage",
        "2024-05-01T06:00:00Z",
        "2024-05-01T06:00:00Z",
        "\"fpVal\": 21.5",
    )]);
    let (report, read) = export(
        "Europe/Berlin",
        &[
            (
                "All Data/derived_com.google.sleep.segment_com.google.android.gms_merged.json",
                &segments,
            ),
            (
                "All Data/raw_com.google.sleep.segment_some.app.json",
                &segments,
            ),
            (
                "All Data/raw_com.google.body.fat.percentage_scale.json",
                &fat,
            ),
            ("All Sessions/2024-05-01T21_00_00Z_SLEEP.json", session),
            ("All Sessions/2024-06-01T21_00_00Z_SLEEP.json", &other),
        ],
    );
    assert_eq!(
        read.series(M::SleepDuration),
        [day("2024-05-02", 6.5), day("2024-06-02", 7.0)]
    );
    assert_eq!(read.series(M::DeepSleepDuration), [day("2024-05-02", 1.0)]);
    assert_eq!(read.series(M::RemSleepDuration), [day("2024-05-02", 3.5)]);
    // Berlin is two hours ahead.
    assert_eq!(read.series(M::Bedtime)[0], day("2024-05-02", -1.0));
    assert_eq!(read.series(M::BodyFatPercentage), [day("2024-05-01", 21.5)]);
    assert_eq!(
        report.skipped[&SkipReason::Repeated],
        2,
        "the raw file and the session"
    );
}

#[test]
fn a_session_is_a_workout() {
    let files = [(
        "All Sessions/2024-05-01T23_00_00Z_RUNNING.json",
        r#"{"fitnessActivity": "running", "startTime": "2024-05-01T23:00:00Z", "endTime": "2024-05-01T23:30:00Z",
        "duration": "1800s", "aggregate": [{"metricName": "com.google.step_count.delta", "intValue": 4000},
        {"metricName": "com.google.calories.expended", "floatValue": 301.5}]}"#,
    )];
    let (_, read) = export("Europe/Berlin", &files);
    let run = &read.workouts()[0];
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(
        (run.duration_minutes, run.steps),
        (Some(30.0), Some(4_000.0))
    );
    assert_eq!(run.energy_kcal, Some(301.5));
    assert_eq!(run.provenance.day.to_string(), "2024-05-02");
    assert_eq!(read.ids(), export("UTC", &files).1.ids());
}

#[test]
fn the_last_day_of_a_summary_may_not_be_over() {
    let folder = Folder::new();
    let path = folder.write(
        "Takeout/Fit/Daily activity metrics/Daily activity metrics.csv",
        "Date,Move Minutes count,Calories (kcal),Step count\n2024-05-01,80,2100,9000\n2024-05-02,10,700,900\n",
    );
    let (_, read) = read_with(&path, &mine("Europe/Berlin")).unwrap();
    let kinds: Vec<_> = read
        .readings(M::Steps)
        .map(|reading| reading.kind)
        .collect();
    assert_eq!(
        kinds,
        [Some(ReadingKind::DayTotal), Some(ReadingKind::RunningTotal)]
    );
}
