//! Ultrahuman's daily CSV.

use crate::folder::{Folder, options, read_bytes, read_with};
use vitalcast_domain::MetricType as M;
use vitalcast_import::{RejectReason as R, SkipReason as S};

const HEADER: &str = "Date,Sleep Score,Recovery Score,Movement Score,Total Steps,Total Calories,Total Sleep,Sleep Awake \
                      Time,Deep Sleep,REM Sleep,Light Sleep,Sleep Efficiency,Average Temperature,Average \
                      RHR,Average HRV\n";
const DAY: &str = "2024-05-02,84,71,66,9876,2450,420,30,80,100,240,93,35.9,52,61\n";

#[test]
fn a_row_is_a_day_with_its_night() {
    let (report, read) = read_bytes("ultrahuman.csv", format!("{HEADER}{DAY}"));
    assert_eq!(report.formats[0].format.as_str(), "ultrahuman");
    let (noon, evening) = ("2024-05-02T12:00:00Z", "2024-05-03T00:00:00Z");
    for (metric, value, known) in [
        (M::RecoveryScore, 71.0, noon),
        (M::SleepScore, 84.0, noon),
        (M::SleepDuration, 7.0, noon),
        (M::DeepSleepDuration, 80.0 / 60.0, noon),
        (M::RemSleepDuration, 100.0 / 60.0, noon),
        (M::AwakeDuration, 0.5, noon),
        (M::SleepEfficiency, 93.0, noon),
        (M::RestingHeartRate, 52.0, evening),
        (M::HeartRateVariabilityRmssd, 61.0, evening),
        (M::Steps, 9_876.0, evening),
        (M::TotalCalories, 2_450.0, evening),
    ] {
        read.check(metric, "2024-05-02", value, known);
    }
    assert!(read.series(M::SkinTemperature).is_empty());
}

#[test]
fn zeros_and_empty_cells_are_missing_and_a_bad_row_is_told() {
    let (report, read) = read_bytes(
        "ultrahuman.csv",
        format!(
            "{HEADER}2024-05-03,0,0,0,0,1500,0,0,0,0,0,0,0,0,0\n2024-05-04,,,,,,,,,,,,,51,\n\
             today,84,71,66,1,1,1,1,1,1,1,1,1,1,1\n2024-05-05,,x,,,,,,,,,,,,\n{DAY}"
        ),
    );
    assert_eq!(read.faults(), [(4, R::BadTime), (5, R::BadNumber)]);
    assert_eq!(read.series(M::RestingHeartRate).len(), 2);
    assert_eq!(read.series(M::RecoveryScore).len(), 1);
    assert_eq!(read.series(M::TotalCalories).len(), 1);
    assert_eq!(report.skipped[&S::NotWorn], 2);
}

#[test]
fn days_and_ids_do_not_depend_on_the_zone() {
    let folder = Folder::new();
    let path = folder.write("ultrahuman.csv", format!("{HEADER}{DAY}"));
    let of = |zone: &str| {
        let zone = Some(zone.parse().unwrap());
        let options = vitalcast_import::ImportOptions { zone, ..options() };
        let (_, read) = read_with(&path, &options).unwrap();
        (
            read.ids(),
            read.series(M::SleepDuration),
            read.series(M::Steps),
        )
    };
    assert_eq!(of("Asia/Tokyo"), of("America/Los_Angeles"));
}
