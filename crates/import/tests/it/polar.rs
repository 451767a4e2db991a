//! Polar's exports.

use crate::folder::{Folder, read, read_bytes};
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason as S};

const NIGHTS: &str = r#"[{"night":"2024-05-02","evaluation":{"sleepType":"SLEEP_PLUS_STAGES","sleepSpan":"PT7H30M",
    "asleepDuration":"PT7H","age":40,"analysis":{"efficiencyPercent":93.3},
    "interruptions":{"totalDuration":"PT30M"},
    "phaseDurations":{"wake":"PT30M","rem":"PT1H40M","light":"PT4H","deep":"PT1H20M"}},
    "sleepResult":{"hypnogram":{"sleepStart":"2024-05-01T23:30:00.000+02:00",
    "sleepEnd":"2024-05-02T07:00:00.000+02:00","birthday":"1985-01-01",
    "sleepStateChanges":[{"offsetFromStart":"PT0S","state":"NONREM2"},
    {"offsetFromStart":"PT8H","state":"WAKE"}]}}},
    {"night":"2024-05-03","evaluation":{"asleepDuration":"PT6H30M"}}]"#;

#[test]
fn a_night_has_polars_durations_and_its_own_clock() {
    let (report, read) = read_bytes("sleep_result_1.json", NIGHTS);
    assert_eq!(report.formats[0].format.as_str(), "polar");
    let first = |metric| read.known(metric)[0].clone();
    for (metric, value) in [
        (M::SleepDuration, 7.0),
        (M::DeepSleepDuration, 80.0 / 60.0),
        (M::RemSleepDuration, 100.0 / 60.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.5),
        (M::SleepEfficiency, 93.3),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.0),
    ] {
        let known = "2024-05-02T05:00:00+00:00".to_owned();
        assert_eq!(
            first(metric),
            ("2024-05-02".to_owned(), value, known),
            "{metric}"
        );
    }
    // A night without stages and times is that of its day.
    assert_eq!(
        read.series(M::SleepDuration)[1],
        ("2024-05-03".to_owned(), 6.5)
    );
    assert_eq!(read.series(M::DeepSleepDuration).len(), 1);
}

#[test]
fn scores_of_nights_are_read_and_recovery_from_1_to_6_is_none() {
    let folder = Folder::new();
    folder.write(
        "sleep_score_1.json",
        r#"[{"night":"2024-05-02","sleepScoreBaselines":{"sleepTimeAverageMinutes":450},
        "sleepScoreResult":{"sleepScore":82,"scoreRate":4}}]"#,
    );
    folder.write(
        "nightly_recovery_1.json",
        r#"[{"night":"2024-05-02","meanNightlyRecoveryRmssd":48,"meanNightlyRecoveryRri":1200,
        "meanNightlyRecoveryRespirationInterval":4000,"ansStatus":2.5,"ansRate":4,"recoveryIndicator":5},
        {"night":"2024-05-03","meanNightlyRecoveryRri":0}]"#,
    );
    let (report, read) = read(folder.path());
    let noon = "2024-05-02T12:00:00Z";
    read.check(M::SleepScore, "2024-05-02", 82.0, noon);
    read.check(M::HeartRateVariabilityRmssd, "2024-05-02", 48.0, noon);
    read.check(M::RestingHeartRate, "2024-05-02", 50.0, noon);
    read.check(M::RespiratoryRate, "2024-05-02", 15.0, noon);
    assert!(read.series(M::RecoveryScore).is_empty());
    assert_eq!((report.records, report.skipped[&S::Missing]), (4, 1));
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("mean heart rate"))
    );
}

#[test]
fn a_day_without_a_summary_has_the_steps_of_its_samples_or_none() {
    let folder = Folder::new();
    folder.write(
        "activity-2024-05-02-a.json",
        r#"{"exportVersion":"1.5","date":"2024-05-02","summary":{"stepCount":9876,"calories":2650,
        "sleepDuration":"PT0S"},"samples":{"mets":[{"value":1.5}],"steps":[{"value":10}]},
        "physicalInformation":{"weight, kg":71.5,"restingHeartRate":55}}"#,
    );
    folder.write(
        "activity-2024-05-03-b.json",
        "{\n \"date\": \"2024-05-03\",\n \"samples\": {\"steps\": [\n{\"localTime\":\"10:00:00\",\"value\":120},\
         {\"value\":80}]}\n}",
    );
    folder.write("activity-2024-05-04-c.json", r#"{"date":"2024-05-04"}"#);
    let (report, read) = read(folder.path());
    assert_eq!(
        read.series(M::Steps),
        [
            ("2024-05-02".to_owned(), 9_876.0),
            ("2024-05-03".to_owned(), 200.0)
        ]
    );
    read.check(
        M::TotalCalories,
        "2024-05-02",
        2_650.0,
        "2024-05-03T00:00:00Z",
    );
    assert!(read.series(M::RestingHeartRate).is_empty(), "a setting");
    assert_eq!(report.skipped[&S::NotWorn], 1);
}

#[test]
fn a_session_is_read_as_a_whole_and_with_its_offset_if_it_has_one() {
    let folder = Folder::new();
    let session = |id: &str, start: &str, stop: &str, offset: &str| {
        format!(
            r#"{{"identifier":{{"id":"{id}"}},"created":"2024-05-02T17:00:00.000","modified":"2024-05-02T17:05:00.000",
            "startTime":"{start}","stopTime":"{stop}",{offset}"durationMillis":2640000,
            "distanceMeters":8400.5,"calories":520,"hrAvg":151,"hrMax":178,"sport":{{"id":"1"}},
            "exercises":[{{"startTime":"{start}","calories":520,"samples":{{"samples":[{}]}}}}]}}"#,
            vec!["{\"values\":[1,\"NaN\"]}"; 60_000].join(",")
        )
    };
    folder.write(
        "training-session_a.json",
        session(
            "a",
            "2024-05-02T18:00:00",
            "2024-05-02T18:45:00",
            "\"timezoneOffsetMinutes\":120,",
        ),
    );
    folder.write(
        "training-session_b.json",
        session("b", "2024-05-03T18:00:00", "2024-05-03T18:45:00", ""),
    );
    let (_, read) = read(folder.path());
    let workouts = read.workouts();
    let [first, second] = workouts.as_slice() else {
        panic!("{workouts:?} {:?}", read.rejects);
    };
    assert_eq!(
        first.provenance.told.at.to_string(),
        "2024-05-02T18:00:00+02:00"
    );
    assert_eq!(second.provenance.told.at.to_string(), "2024-05-03T18:00:00");
    assert_eq!(
        (first.duration_minutes, first.distance_m),
        (Some(44.0), Some(8_400.5))
    );
    assert_eq!(
        (first.energy_kcal, first.average_heart_rate),
        (Some(520.0), Some(151.0))
    );
    let updated = first.provenance.told.updated_at.map(|at| at.to_rfc3339());
    assert_eq!(updated.as_deref(), Some("2024-05-02T17:05:00+00:00"));
    assert_eq!(
        first.activity_type,
        ActivityType::Other,
        "sports are numbers"
    );
}

const CSV: &str = "Name,Sport,Date,Start time,Duration,Total distance (km),Average heart rate (bpm),Average speed \
                   (km/h),Calories,HR max\nAnna,RUNNING,02-05-2024,18:00:00,00:44:00,8.40,151,11.4,520,190\n\
                   Sample rate,Time,HR (bpm),Speed (km/h)\n1,00:00:00,90,\n,00:00:01,91,\n";

#[test]
fn the_csv_of_a_session_is_its_first_row() {
    let (report, read) = read_bytes("Anna_2024-05-02_18-00-00.CSV", CSV);
    let workouts = read.workouts();
    let [run] = workouts.as_slice() else {
        panic!("{workouts:?} {:?}", read.rejects);
    };
    assert_eq!((report.rows_read, read.rejects.len()), (1, 0));
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(run.provenance.told.at.to_string(), "2024-05-02T18:00:00");
    assert_eq!(
        (run.duration_minutes, run.distance_m),
        (Some(44.0), Some(8_400.0))
    );
    assert_eq!((run.energy_kcal, run.max_heart_rate), (Some(520.0), None));
    assert_eq!(run.provenance.source_id, "workout-2024-05-02T18:00:00");
    let miles = CSV.replace("distance (km)", "distance (mi)");
    let (_, read) = read_bytes("x.csv", miles);
    let length = read.workouts()[0].distance_m.unwrap();
    assert!((length - 8.4 * 1_609.344).abs() < 1e-6, "{length}");
    let (_, read) = read_bytes("x.csv", CSV.replace("02-05-2024", "02/05/2024"));
    assert_eq!(read.faults(), [(2, R::BadTime)]);
}

#[test]
fn a_broken_file_spoils_no_other_and_a_second_import_is_the_same() {
    let folder = Folder::new();
    folder.write(
        "activity-2024-05-02-a.json",
        r#"{"date":"2024-05-02","summary":{"stepCount":9876"#,
    );
    folder.write(
        "activity-2024-05-03-b.json",
        r#"{"date":"May","summary":{"stepCount":9876}}"#,
    );
    folder.write("sleep_result_1.json", NIGHTS);
    let (_, first) = read(folder.path());
    let faults: Vec<R> = first.faults().into_iter().map(|fault| fault.1).collect();
    assert_eq!(faults, [R::NotJson, R::BadTime]);
    assert_eq!(first.series(M::SleepDuration).len(), 2);
    assert_eq!(read(folder.path()).1, first);
}

#[test]
fn heart_rates_of_the_day_are_on_the_persons_clock() {
    let text = r#"{"exportVersion":"1.0","deviceDays":[{"userId":1,"deviceId":"a","date":"2024-05-02","samples":[
        {"heartRate":60,"secondsFromDayStart":0,"source":"INTERVAL_MEASUREMENT"},
        {"heartRate":70,"secondsFromDayStart":600,"source":"INTERVAL_MEASUREMENT"},
        {"heartRate":80,"secondsFromDayStart":1200,"source":"INTERVAL_MEASUREMENT"},
        {"heartRate":90,"secondsFromDayStart":86399,"source":"INTERVAL_MEASUREMENT"},
        {"heartRate":90,"secondsFromDayStart":86400}]},
        {"date":"soon","samples":[]}]}"#;
    let (report, read) = read_bytes("247ohr_0_2024_05-1.json", text);
    assert_eq!(report.formats[0].format.as_str(), "polar");
    let evening = "2024-05-03T00:00:00Z";
    read.check(M::AverageHeartRate, "2024-05-02", 80.0, evening);
    read.check(M::LowestHeartRate, "2024-05-02", 70.0, evening);
    assert_eq!(report.skipped[&S::Missing], 1);
    assert_eq!(read.faults(), [(1, R::BadTime)]);
}
