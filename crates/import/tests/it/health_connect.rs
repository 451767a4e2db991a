//! Health Connect: the database of its export.

use crate::folder::{Folder, Read, instant, mine, read_with};
use vitalcast_domain::{ActivityType, MealType, MetricType as M, Record};
use vitalcast_import::{ImportReport, SkipReason};

const TABLES: &str = "
CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, package_name TEXT, app_name TEXT);
INSERT INTO application_info_table VALUES (1, 'com.watch', 'Watch'), (2, 'com.phone', 'Phone');
CREATE TABLE steps_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, last_modified_time INTEGER,
    start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, local_date INTEGER, app_info_id INTEGER,
    count INTEGER);
CREATE TABLE total_calories_burned_record_table (row_id INTEGER PRIMARY KEY, start_time INTEGER,
    end_time INTEGER, start_zone_offset INTEGER, app_info_id INTEGER, energy REAL);
CREATE TABLE resting_heart_rate_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, time INTEGER,
    zone_offset INTEGER, app_info_id INTEGER, beats_per_minute INTEGER);
CREATE TABLE heart_rate_variability_rmssd_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, time INTEGER,
    zone_offset INTEGER, app_info_id INTEGER, heart_rate_variability_millis REAL);
CREATE TABLE sleep_session_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, start_time INTEGER,
    end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, app_info_id INTEGER);
CREATE TABLE sleep_stages_table (parent_key INTEGER, stage_start_time INTEGER, stage_end_time INTEGER,
    stage_type INTEGER);
CREATE TABLE exercise_session_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, start_time INTEGER,
    end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER, app_info_id INTEGER,
    exercise_type INTEGER);
CREATE TABLE nutrition_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, start_time INTEGER,
    start_zone_offset INTEGER, app_info_id INTEGER, meal_type INTEGER, meal_name TEXT, energy REAL,
    protein REAL, total_carbohydrate REAL, total_fat REAL, dietary_fiber REAL, sugar REAL);
CREATE TABLE weight_record_table (row_id INTEGER PRIMARY KEY, time INTEGER, weight REAL);
";

/// Milliseconds since 1970.
fn at(text: &str) -> i64 {
    instant(text).timestamp_millis()
}

/// The bytes of a database with a reading and a night.
pub(crate) fn small_database() -> Vec<u8> {
    let folder = Folder::new();
    let begin = at("2024-03-01T22:00:00Z");
    let rows = format!(
        "INSERT INTO resting_heart_rate_record_table (time, zone_offset, app_info_id, beats_per_minute) VALUES \
         ({begin}, 3600, 1, 55); INSERT INTO sleep_session_record_table (start_time, end_time, \
         start_zone_offset, end_zone_offset, app_info_id) VALUES ({begin}, {}, 3600, 3600, 1);",
        begin + 28_800_000
    );
    let path = folder.database("a.db", &format!("{TABLES}{rows}"));
    std::fs::read(path).unwrap()
}

fn export(zone: &str, statements: &str) -> (ImportReport, Read) {
    let folder = Folder::new();
    let name = "health_connect_export.db";
    let path = folder.database(name, &format!("{TABLES}{statements}"));
    let (report, read) = read_with(&path, &mine(zone)).unwrap();
    assert_eq!(report.formats[0].format.as_str(), "health-connect");
    (report, read)
}

#[test]
fn steps_are_added_up_by_app_and_local_day() {
    let row = |app: i64, start: &str, offset: &str, count: i64| {
        let start = at(start);
        format!(
            "INSERT INTO steps_record_table (start_time, end_time, start_zone_offset, app_info_id, count) \
             VALUES ({start}, {}, {offset}, {app}, {count});",
            start + 60_000
        )
    };
    let rows = [
        row(1, "2024-03-01T23:30:00Z", "7200", 100),
        row(1, "2024-03-02T10:00:00Z", "7200", 50),
        row(2, "2024-03-02T10:00:00Z", "7200", 40),
        // Without an offset the person's zone counts: still the first of March in New York.
        row(2, "2024-03-02T03:00:00Z", "NULL", 7),
    ];
    let (_, read) = export("America/New_York", &rows.concat());
    let of = |day: &str, app: &str, steps| (day.to_owned(), format!("health-connect/{app}"), steps);
    assert_eq!(
        read.sourced(M::Steps),
        [
            of("2024-03-01", "com.phone", 7.0),
            of("2024-03-02", "com.phone", 40.0),
            of("2024-03-02", "com.watch", 150.0),
        ]
    );
}

#[test]
fn energy_is_in_small_calories_and_of_a_whole_day() {
    let row = |day: &str, energy: f64| {
        let start = at(&format!("{day}T00:00:00Z"));
        format!(
            "INSERT INTO total_calories_burned_record_table (start_time, end_time, start_zone_offset, \
             app_info_id, energy) VALUES ({start}, {}, 0, 1, {energy});",
            start + 86_399_000
        )
    };
    let rows = [
        row("2024-03-01", 2_100_000.0),
        row("2024-03-02", 90_000.0),
        row("2024-03-03", 1_900_000.0),
    ];
    let (report, read) = export("UTC", &rows.concat());
    assert_eq!(
        read.series(M::TotalCalories),
        [
            ("2024-03-01".to_owned(), 2_100.0),
            ("2024-03-03".to_owned(), 1_900.0)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::Missing], 1);
}

#[test]
fn a_session_has_its_stages_and_the_offsets_of_the_clock() {
    // Clocks went forward: the night begins at +01:00 and ends at +02:00.
    let stage = |from: &str, to: &str, kind: i64| {
        let (from, to) = (
            at(&format!("2024-03-{from}:00Z")),
            at(&format!("2024-03-{to}:00Z")),
        );
        format!("INSERT INTO sleep_stages_table VALUES (1, {from}, {to}, {kind});")
    };
    let session = format!(
        "INSERT INTO sleep_session_record_table VALUES (1, x'0a0b', {}, {}, 3600, 7200, 1), \
         (2, x'0c', {}, {}, 7200, 7200, 2);",
        at("2024-03-30T22:00:00Z"),
        at("2024-03-31T05:00:00Z"),
        at("2024-03-31T12:00:00Z"),
        at("2024-03-31T12:30:00Z"),
    );
    let rows = [
        session,
        stage("30T22:00", "30T23:00", 4),
        stage("30T23:00", "31T00:00", 5),
        stage("31T00:00", "31T00:30", 1),
        stage("31T00:30", "31T01:30", 6),
        stage("31T01:30", "31T05:00", 4),
    ];
    let (_, read) = export("Asia/Tokyo", &rows.concat());
    let day = |value| ("2024-03-31".to_owned(), value);
    assert_eq!(read.series(M::SleepDuration), [day(6.5), day(0.5)]);
    assert_eq!(read.series(M::DeepSleepDuration), [day(1.0)]);
    assert_eq!(read.series(M::RemSleepDuration), [day(1.0)]);
    assert_eq!(read.series(M::AwakeDuration), [day(0.5)]);
    assert_eq!(read.series(M::Bedtime)[0], day(-1.0));
    assert_eq!(read.series(M::WakeTime)[0], day(7.0));
}

#[test]
fn measurements_meals_and_workouts_are_read() {
    let time = at("2024-03-02T06:00:00Z");
    let statements = format!(
        "INSERT INTO resting_heart_rate_record_table VALUES (1, x'01', {time}, 3600, 1, 61), (2, x'02', {time}, 3600, 2, 0);
         INSERT INTO heart_rate_variability_rmssd_record_table VALUES (1, x'03', {time}, 3600, 1, 41.5);
         INSERT INTO exercise_session_record_table VALUES (1, x'04', {time}, {}, 3600, 3600, 1, 33);
         INSERT INTO nutrition_record_table VALUES (1, x'05', {time}, 3600, 2, 1, 'Porridge', 350000, 12, 60, 5e-324, 5e-324, 5e-324),
            (2, x'06', {time}, 3600, 2, 0, 'Water', 5e-324, 0, 0, 0, 0, 0);
         INSERT INTO weight_record_table VALUES (1, 1, 71500);",
        time + 1_800_000
    );
    let (report, read) = export("UTC", &statements);
    let day = "2024-03-02".to_owned();
    assert_eq!(read.series(M::RestingHeartRate), [(day.clone(), 61.0)]);
    assert_eq!(read.series(M::HeartRateVariabilityRmssd), [(day, 41.5)]);
    let run = &read.workouts()[0];
    assert_eq!(
        (run.activity_type, run.duration_minutes),
        (ActivityType::Running, Some(30.0))
    );
    let meals: Vec<_> = read
        .records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Meal(meal) => Some(meal),
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        })
        .collect();
    assert_eq!(meals.len(), 1);
    assert_eq!(meals[0].meal_type, Some(MealType::Breakfast));
    assert_eq!((meals[0].energy_kcal, meals[0].fat_g), (Some(350.0), None));
    assert_eq!(report.skipped[&SkipReason::NothingEaten], 1);
    assert_eq!(report.skipped[&SkipReason::Missing], 1);
    let (_, again) = export("Asia/Tokyo", &statements);
    assert_eq!(read.ids(), again.ids());
}

#[test]
fn missing_columns_and_tables_are_no_error() {
    let folder = Folder::new();
    let path = folder.database(
        "x.db",
        "CREATE TABLE steps_record_table (count INTEGER); INSERT INTO steps_record_table VALUES (7);
         CREATE TABLE sleep_session_record_table (start_time, end_time);
         INSERT INTO sleep_session_record_table VALUES ('x', 9223372036854775807), (9223372036854775807, -1);",
    );
    let (report, read) = read_with(&path, &mine("UTC")).unwrap();
    assert_eq!((report.records, read.faults().len()), (0, 3));
}

#[test]
fn apps_without_names_are_not_mixed() {
    let start = at("2024-03-02T10:00:00Z");
    let row = |app: i64, count: i64| {
        format!(
            "INSERT INTO steps_record_table (start_time, end_time, start_zone_offset, app_info_id, count) \
             VALUES ({start}, {}, 0, {app}, {count});",
            start + 60_000
        )
    };
    let (_, read) = export("UTC", &[row(8, 100), row(9, 40)].concat());
    let of = |app: &str, steps| {
        (
            "2024-03-02".to_owned(),
            format!("health-connect/{app}"),
            steps,
        )
    };
    assert_eq!(
        read.sourced(M::Steps),
        [of("app 8", 100.0), of("app 9", 40.0)]
    );
}

#[test]
fn a_damaged_table_does_not_lose_the_others() {
    let folder = Folder::new();
    let mut rows = String::from("PRAGMA page_size = 4096; BEGIN;");
    for minute in 0..5_000 {
        let start = at("2024-03-02T10:00:00Z") + minute * 60_000;
        rows += &format!(
            "INSERT INTO steps_record_table (start_time, end_time, start_zone_offset, app_info_id, count, uuid) \
             VALUES ({start}, {start}, 0, 1, 1, zeroblob(100));"
        );
    }
    rows += "COMMIT;";
    let heart = format!(
        "INSERT INTO resting_heart_rate_record_table (time, zone_offset, app_info_id, beats_per_minute)
         VALUES ({}, 0, 1, 58);",
        at("2024-03-02T07:00:00Z")
    );
    let path = folder.database(
        "health_connect_export.db",
        &format!("{TABLES}{heart}{rows}"),
    );
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 4_096].fill(0xff);
    std::fs::write(&path, bytes).unwrap();
    let (report, read) = read_with(&path, &mine("UTC")).unwrap();
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
    assert!(
        report.notes.iter().any(|note| note.contains("is damaged")),
        "{:?}",
        report.notes
    );
}

#[test]
fn views_without_end_and_triggers_of_a_database_are_not_run() {
    let time = at("2024-03-01T07:00:00Z");
    // A view that never ends stands where the sleep sessions should be.
    let statements = format!(
        "DROP TABLE sleep_session_record_table;
         CREATE VIEW sleep_session_record_table AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
             SELECT x AS row_id, x AS start_time, x + 3600000 AS end_time FROM n;
         CREATE TRIGGER more AFTER INSERT ON resting_heart_rate_record_table BEGIN
             UPDATE resting_heart_rate_record_table SET beats_per_minute = 99 WHERE row_id < NEW.row_id;
         END;
         INSERT INTO resting_heart_rate_record_table (time, zone_offset, app_info_id, beats_per_minute)
             VALUES ({time}, 0, 1, 52);"
    );
    let (_, read) = export("UTC", &statements);
    assert_eq!(
        read.series(M::RestingHeartRate),
        [("2024-03-01".to_owned(), 52.0)]
    );
    assert!(read.series(M::SleepDuration).is_empty());
}

#[test]
fn a_database_is_not_changed_by_reading_it() {
    let folder = Folder::new();
    let path = folder.database("health_connect_export.db", TABLES);
    let before = std::fs::read(&path).unwrap();
    let _ = read_with(&path, &mine("UTC")).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let files = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(files, 1, "nothing is made beside it");
}
