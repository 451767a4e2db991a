//! Gadgetbridge: the database of the app.

use crate::folder::{Folder, Read, day, instant, mine, read_with};
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{ImportReport, SkipReason};

const DEVICES: &str = "CREATE TABLE DEVICE (_id INTEGER PRIMARY KEY, NAME TEXT, MODEL TEXT);
    INSERT INTO DEVICE VALUES (1, 'Band', 'X'), (2, 'Watch', 'Y');";

fn export(zone: &str, statements: &str) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.database("Gadgetbridge.db", &format!("{DEVICES}{statements}"));
    let (report, read) = read_with(&path, &mine(zone)).unwrap();
    assert_eq!(report.formats[0].format.as_str(), "gadgetbridge");
    (report, read)
}

fn seconds(text: &str) -> i64 {
    instant(text).timestamp()
}

fn millis(text: &str) -> i64 {
    instant(text).timestamp_millis()
}

#[test]
fn minutes_of_two_devices_are_not_added_up() {
    let at = seconds("2024-03-01T23:30:00Z");
    let (_, read) = export(
        "Europe/Berlin",
        &format!(
            "CREATE TABLE HUAMI_EXTENDED_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE, RAW_KIND, SLEEP);
             INSERT INTO HUAMI_EXTENDED_ACTIVITY_SAMPLE VALUES ({at}, 1, 100, 60, 1, 0), ({}, 1, 20, 255, 1, 0),
                ({}, 1, -1, 70, 1, 0), ({}, 1, 5, 0, 1, 0);
             CREATE TABLE MI_BAND_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE, RAW_KIND);
             INSERT INTO MI_BAND_ACTIVITY_SAMPLE VALUES ({at}, 2, 90, -1, 1);",
            at + 60,
            at + 120,
            at - 4 * 3_600
        ),
    );
    // Half past eleven in UTC is half past midnight in Berlin.
    let of =
        |on: &str, device: &str, steps| (on.to_owned(), format!("gadgetbridge/{device}"), steps);
    assert_eq!(
        read.sourced(M::Steps),
        [
            of("2024-03-01", "Band", 5.0),
            of("2024-03-02", "Band", 120.0),
            of("2024-03-02", "Watch", 90.0)
        ]
    );
    assert_eq!(read.series(M::AverageHeartRate), [day("2024-03-02", 65.0)]);
}

#[test]
fn twins_and_overflown_pulses_of_huawei_are_known() {
    let at = seconds("2024-03-02T10:00:00Z");
    let later = at + 60;
    let (report, read) = export(
        "UTC",
        &format!(
            "CREATE TABLE HUAWEI_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, OTHER_TIMESTAMP, STEPS, CALORIES, HEART_RATE,
                RESTING_HEART_RATE);
             INSERT INTO HUAWEI_ACTIVITY_SAMPLE VALUES ({at}, 2, {later}, 30, 9999, -116, 0), ({later}, 2, {at}, -1, -1, -1, -1),
                ({later}, 2, {}, 12, 1, 60, 55);
             CREATE TABLE HUAWEI_SLEEP_STAGE_SAMPLE (TIMESTAMP, DEVICE_ID, STAGE);
             INSERT INTO HUAWEI_SLEEP_STAGE_SAMPLE VALUES ({}, 2, 1), ({}, 2, 3), ({}, 2, 2), ({}, 2, 4), ({}, 2, 1);",
            later + 60,
            millis("2024-03-01T22:00:00Z"),
            millis("2024-03-01T23:00:00Z"),
            millis("2024-03-02T00:30:00Z"),
            millis("2024-03-02T02:00:00Z"),
            millis("2024-03-02T02:30:00Z"),
        ),
    );
    assert_eq!(read.series(M::Steps), [day("2024-03-02", 42.0)]);
    // 256 - 116 is 140; with 60 the mean is 100.
    assert_eq!(read.series(M::AverageHeartRate), [day("2024-03-02", 100.0)]);
    assert_eq!(read.series(M::RestingHeartRate), [day("2024-03-02", 55.0)]);
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    assert_eq!(read.series(M::DeepSleepDuration), [day("2024-03-02", 1.5)]);
    assert_eq!(read.series(M::RemSleepDuration), [day("2024-03-02", 1.5)]);
    assert_eq!(read.series(M::AwakeDuration), [day("2024-03-02", 0.5)]);
    assert_eq!(
        read.series(M::SleepDuration),
        [day("2024-03-02", 4.0 + 1.0 / 60.0)]
    );
}

#[test]
fn days_and_nights_of_xiaomi_are_read_from_their_summaries() {
    let (report, read) = export(
        "America/New_York",
        &format!(
            "CREATE TABLE XIAOMI_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE, RAW_KIND);
             INSERT INTO XIAOMI_ACTIVITY_SAMPLE VALUES ({}, 1, 100, 60, 0);
             CREATE TABLE XIAOMI_DAILY_SUMMARY_SAMPLE (TIMESTAMP, DEVICE_ID, TIMEZONE, STEPS, HR_RESTING, CALORIES, SPO2_AVG);
             INSERT INTO XIAOMI_DAILY_SUMMARY_SAMPLE VALUES ({}, 1, 8, 7000, 58, 400, 97), ({}, 1, 8, 6000, 0, 400, -1);
             CREATE TABLE XIAOMI_SLEEP_TIME_SAMPLE (TIMESTAMP, DEVICE_ID, WAKEUP_TIME, TOTAL_DURATION, DEEP_SLEEP_DURATION,
                LIGHT_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION);
             INSERT INTO XIAOMI_SLEEP_TIME_SAMPLE VALUES ({}, 1, {}, 480, 90, 260, 100, 30);
             CREATE TABLE XIAOMI_SLEEP_STAGE_SAMPLE (TIMESTAMP, DEVICE_ID, STAGE);
             INSERT INTO XIAOMI_SLEEP_STAGE_SAMPLE VALUES ({}, 1, 2), ({}, 1, 5);",
            seconds("2024-03-02T12:00:00Z"),
            // The beginning of the day at two hours from UTC.
            millis("2024-03-01T22:00:00Z"),
            millis("2024-03-02T22:00:00Z"),
            millis("2024-03-02T03:00:00Z"),
            millis("2024-03-02T11:00:00Z"),
            millis("2024-03-02T03:00:00Z"),
            millis("2024-03-02T04:00:00Z"),
        ),
    );
    assert_eq!(
        read.series(M::Steps),
        [day("2024-03-02", 7_000.0), day("2024-03-03", 6_000.0)]
    );
    assert_eq!(read.series(M::RestingHeartRate), [day("2024-03-02", 58.0)]);
    assert_eq!(read.series(M::OxygenSaturation), [day("2024-03-02", 97.0)]);
    assert_eq!(read.series(M::SleepDuration), [day("2024-03-02", 7.5)]);
    assert_eq!(read.series(M::DeepSleepDuration), [day("2024-03-02", 1.5)]);
    assert_eq!(read.series(M::TimeInBed), [day("2024-03-02", 8.0)]);
    assert_eq!(
        report.skipped[&SkipReason::Repeated],
        1,
        "the stages of the same night"
    );
}

#[test]
fn garmin_has_codes_of_its_own_and_other_families_too() {
    let statements = format!(
        "CREATE TABLE GARMIN_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE);
         CREATE TABLE GARMIN_SLEEP_STAGE_SAMPLE (TIMESTAMP, DEVICE_ID, STAGE);
         INSERT INTO GARMIN_SLEEP_STAGE_SAMPLE VALUES ({}, 2, 2), ({}, 2, 3), ({}, 2, 4), ({}, 2, 1);
         CREATE TABLE GARMIN_HEART_RATE_RESTING_SAMPLE (TIMESTAMP, DEVICE_ID, HEART_RATE);
         INSERT INTO GARMIN_HEART_RATE_RESTING_SAMPLE VALUES ({}, 2, 52), ({}, 2, -1);
         CREATE TABLE GARMIN_HRV_SUMMARY_SAMPLE (TIMESTAMP, DEVICE_ID, LAST_NIGHT_AVERAGE);
         INSERT INTO GARMIN_HRV_SUMMARY_SAMPLE VALUES ({}, 2, 47);
         CREATE TABLE HUAMI_SLEEP_RESPIRATORY_RATE_SAMPLE (TIMESTAMP, DEVICE_ID, RATE);
         INSERT INTO HUAMI_SLEEP_RESPIRATORY_RATE_SAMPLE VALUES ({}, 1, 14), ({}, 1, 16), ({}, 1, 0);
         CREATE TABLE BASE_ACTIVITY_SUMMARY (START_TIME, END_TIME, DEVICE_ID, ACTIVITY_KIND, NAME);
         INSERT INTO BASE_ACTIVITY_SUMMARY VALUES ({}, {}, 2, 16, NULL);",
        millis("2024-03-01T22:00:00Z"),
        millis("2024-03-01T23:00:00Z"),
        millis("2024-03-02T00:00:00Z"),
        millis("2024-03-02T02:00:00Z"),
        millis("2024-03-02T06:00:00Z"),
        millis("2024-03-03T06:00:00Z"),
        millis("2024-03-02T06:00:00Z"),
        millis("2024-03-01T23:00:00Z"),
        millis("2024-03-02T02:00:00Z"),
        millis("2024-03-02T03:00:00Z"),
        millis("2024-03-02T10:00:00Z"),
        millis("2024-03-02T10:45:00Z"),
    );
    let (_, read) = export("UTC", &statements);
    let on = "2024-03-02";
    for (metric, value) in [
        (M::SleepDuration, 4.0),
        (M::DeepSleepDuration, 1.0),
        (M::RemSleepDuration, 2.0),
        (M::RestingHeartRate, 52.0),
        (M::HeartRateVariabilityRmssd, 47.0),
        (M::RespiratoryRate, 15.0),
    ] {
        assert_eq!(read.series(metric), [day(on, value)], "{metric}");
    }
    let run = &read.workouts()[0];
    assert_eq!(
        (run.activity_type, run.duration_minutes),
        (ActivityType::Running, Some(45.0))
    );
    let again = export("UTC", &statements).1;
    assert_eq!(read.ids(), again.ids());
}

#[test]
fn kinds_of_minutes_of_a_first_band_are_stages() {
    let at = seconds("2024-03-02T01:00:00Z");
    let rows: Vec<String> = (0..120)
        .map(|minute| {
            let kind = if minute < 60 { 4 } else { 5 };
            format!("({}, 1, 0, -1, {kind})", at + 60 * minute)
        })
        .collect();
    let (_, read) = export(
        "UTC",
        &format!(
            "CREATE TABLE MI_BAND_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE, RAW_KIND);
             INSERT INTO MI_BAND_ACTIVITY_SAMPLE VALUES {};",
            rows.join(",")
        ),
    );
    assert_eq!(read.series(M::SleepDuration), [day("2024-03-02", 2.0)]);
    assert_eq!(read.series(M::DeepSleepDuration), [day("2024-03-02", 1.0)]);
}

#[test]
fn a_band_that_was_paired_again_is_not_added_to_itself() {
    let at = seconds("2024-03-02T10:00:00Z");
    let (_, read) = export(
        "UTC",
        &format!(
            "INSERT INTO DEVICE VALUES (3, 'Band', 'X');
             CREATE TABLE MI_BAND_ACTIVITY_SAMPLE (TIMESTAMP, DEVICE_ID, STEPS, HEART_RATE, RAW_KIND);
             INSERT INTO MI_BAND_ACTIVITY_SAMPLE VALUES ({at}, 1, 90, -1, 1), ({at}, 3, 20, -1, 1);"
        ),
    );
    let of = |device: &str, steps| {
        (
            "2024-03-02".to_owned(),
            format!("gadgetbridge/{device}"),
            steps,
        )
    };
    assert_eq!(
        read.sourced(M::Steps),
        [of("3 Band", 20.0), of("Band", 90.0)]
    );
}
