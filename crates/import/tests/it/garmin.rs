//! Garmin's account export.

use crate::folder::{Folder, options, read, read_bytes, read_with};
use vitalcast_domain::{ActivityType, MetricType as M};
use vitalcast_import::{RejectReason as R, SkipReason as S};

const EVENING: &str = "2024-05-03T00:00:00Z";
const NOON: &str = "2024-05-02T12:00:00Z";

#[test]
fn a_day_has_movement_stress_and_the_resting_heart_rate_that_garmin_shows() {
    let day = r#"[{"userProfilePK":1,"calendarDate":"2024-05-02","totalSteps":9876,
        "totalKilocalories":2650.0,"activeKilocalories":510.0,"restingHeartRate":52,
        "currentDayRestingHeartRate":57,"minHeartRate":44,"maxHeartRate":161,
        "moderateIntensityMinutes":30,"vigorousIntensityMinutes":10,
        "allDayStress":{"aggregatorList":[{"type":"AWAKE","averageStressLevel":40},
        {"type":"TOTAL","averageStressLevel":31}]},
        "bodyBattery":{"chargedValue":60,"bodyBatteryStatList":[]}},
        {"calendarDate":"2024-05-03","totalSteps":0,"totalKilocalories":1700.0,"activeKilocalories":0.0,
        "allDayStress":{"aggregatorList":[{"type":"TOTAL","averageStressLevel":-1}]}}]"#;
    let (report, read) = read_bytes("DI_CONNECT/UDSFile_2024-05-01_2024-08-09.json", day);
    assert_eq!(report.formats[0].format.as_str(), "garmin");
    for (metric, value) in [
        (M::RestingHeartRate, 52.0),
        (M::Steps, 9_876.0),
        (M::TotalCalories, 2_650.0),
        (M::ActiveCalories, 510.0),
        (M::ModerateActivityMinutes, 30.0),
        (M::VigorousActivityMinutes, 10.0),
        (M::ExerciseMinutes, 40.0),
        (M::StressLevel, 31.0),
    ] {
        read.check(metric, "2024-05-02", value, EVENING);
    }
    // The watch was not worn on the second day, and its stress was not measured.
    assert_eq!(
        (report.skipped[&S::NotWorn], report.skipped[&S::Missing]),
        (1, 1)
    );
}

#[test]
fn older_exports_write_dates_in_words() {
    let day = r#"[{"calendarDate":{"date":"May 2, 2019 12:00:00 AM"},"totalSteps":"5000","restingHeartRate":55}]"#;
    let (_, read) = read_bytes("UDSFile_old.json", day);
    assert_eq!(read.series(M::Steps), [("2019-05-02".to_owned(), 5_000.0)]);
}

const NIGHT: &str = r#"{"calendarDate":"2024-05-02","sleepStartTimestampGMT":"2024-05-01T21:30:00.0",
    "sleepEndTimestampGMT":"2024-05-02T05:00:00.0","deepSleepSeconds":4800,"lightSleepSeconds":14400,
    "remSleepSeconds":6000,"awakeSleepSeconds":1800,
    "sleepWindowConfirmationType":"ENHANCED_CONFIRMED_FINAL","sleepScores":{"overallScore":82}}"#;

#[test]
fn a_night_is_deep_light_and_rem_and_belongs_to_the_day_of_waking() {
    let folder = Folder::new();
    let off = NIGHT.replace("ENHANCED_CONFIRMED_FINAL", "OFF_WRIST");
    let bare = r#"{"calendarDate":"2024-05-04","sleepStartTimestampGMT":"2024-05-03T21:30:00.0",
        "sleepEndTimestampGMT":"2024-05-04T05:00:00.0","sleepWindowConfirmationType":"UNCONFIRMED"}"#;
    let path = folder.write("2024_sleepData.json", format!("[{NIGHT},{off},{bare}]"));
    let options = vitalcast_import::ImportOptions {
        zone: Some("Europe/Berlin".parse().unwrap()),
        ..options()
    };
    let (report, read) = read_with(&path, &options).unwrap();
    let waking = "2024-05-02T05:00:00Z";
    for (metric, value) in [
        (M::SleepDuration, 7.0),
        (M::DeepSleepDuration, 80.0 / 60.0),
        (M::RemSleepDuration, 100.0 / 60.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.5),
        (M::SleepScore, 82.0),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.0),
    ] {
        read.check(metric, "2024-05-02", value, waking);
    }
    assert_eq!(report.skipped[&S::Missing], 2);
}

#[test]
fn a_night_that_ends_on_another_day_than_garmin_says_tells_of_the_zone() {
    // Waking at 06:00 in Tokyo is the evening before in UTC.
    let night = NIGHT
        .replace("2024-05-01T21:30", "2024-05-01T13:30")
        .replace("2024-05-02T05:00", "2024-05-01T21:00");
    let folder = Folder::new();
    let path = folder.write("1_sleepData.json", format!("[{night}]"));
    let told = |zone: &str| {
        let zone = Some(zone.parse().unwrap());
        let options = vitalcast_import::ImportOptions { zone, ..options() };
        let (report, read) = read_with(&path, &options).unwrap();
        let day = read.series(M::SleepDuration).remove(0).0;
        (day, report.notes.iter().any(|note| note.contains("--zone")))
    };
    assert_eq!(told("Asia/Tokyo"), ("2024-05-02".to_owned(), false));
    assert_eq!(told("UTC"), ("2024-05-01".to_owned(), true));
}

#[test]
fn a_score_of_sleep_is_found_where_it_may_be() {
    for score in [
        r#""overallSleepScore":82"#,
        r#""sleepScores":{"overall":{"value":82,"qualifierKey":"GOOD"}}"#,
    ] {
        let night = NIGHT.replace(r#""sleepScores":{"overallScore":82}"#, score);
        let (_, read) = read_bytes("sleepData.json", format!("[{night}]"));
        assert_eq!(
            read.series(M::SleepScore),
            [("2024-05-02".to_owned(), 82.0)],
            "{score}"
        );
    }
}

#[test]
fn the_hrv_is_that_of_the_night_and_never_of_the_week() {
    let status = r#"[{"calendarDate":"2024-05-02","metrics":[
        {"type":"HRV","value":61.0,"baselineLowerLimit":50,"baselineUpperLimit":70,"status":"IN_RANGE"},
        {"type":"HR","value":50.0},{"type":"SPO2","value":95.0},{"type":"RESPIRATION","value":14.2},
        {"type":"SKIN_TEMP_C","value":0.3}]},
        {"calendarDate":"2024-05-03","metrics":[{"type":"HRV","status":"NONE"}]}]"#;
    let (report, read) = read_bytes("2024_healthStatusData.json", status);
    read.check(M::HeartRateVariabilityRmssd, "2024-05-02", 61.0, NOON);
    read.check(M::OxygenSaturation, "2024-05-02", 95.0, NOON);
    read.check(M::RespiratoryRate, "2024-05-02", 14.2, NOON);
    assert_eq!((report.records, report.skipped[&S::Missing]), (3, 1));
    let summary = r#"{"hrvSummaries":[{"calendarDate":"2024-05-02","weeklyAvg":58,"lastNightAvg":61,
        "lastNight5MinHigh":90,"status":"BALANCED"},
        {"calendarDate":"2024-05-03","weeklyAvg":511,"lastNightAvg":null,"status":"NONE"}]}"#;
    let (_, summaries) = read_bytes("hrv.json", summary);
    summaries.check(M::HeartRateVariabilityRmssd, "2024-05-02", 61.0, NOON);
    assert!(
        read.ids().contains(&summaries.ids()[0]),
        "one night, one record"
    );
}

#[test]
fn of_several_scores_of_readiness_that_after_waking_counts() {
    let scores = r#"[{"calendarDate":"2024-05-02","score":40,"inputContext":"UPDATE_REALTIME_VARIABLES"},
        {"calendarDate":"2024-05-02","score":78,"inputContext":"AFTER_WAKEUP_RESET"},
        {"calendarDate":"2024-05-02","score":22,"inputContext":"AFTER_POST_EXERCISE_RESET"}]"#;
    let (report, read) = read_bytes("TrainingReadinessDTO_1.json", scores);
    read.check(M::RecoveryScore, "2024-05-02", 78.0, NOON);
    assert_eq!(report.skipped[&S::Repeated], 2);
}

#[test]
fn workouts_are_in_centimetres_and_milliseconds_with_a_false_epoch() {
    // 2024-05-02 16:00 UTC, 18:00 on the clock.
    let (utc, local) = (1_714_665_600_000_i64, 1_714_672_800_000_i64);
    let run = format!(
        r#"{{"activityId":77,"name":"Run","activityType":"street_running","startTimeGmt":{utc}.0,
        "startTimeLocal":{local}.0,"duration":2700000.0,"distance":840050.0,"avgHr":151.0,"maxHr":178.0,
        "calories":2177.0,"splits":[{{"x":[1]}}]}}"#
    );
    let gym = format!(
        r#"{{"activityId":78,"activityType":"strength_training","startTimeLocal":{local}}}"#
    );
    let bad = r#"{"activityId":79,"activityType":"running","startTimeLocal":"soon"}"#;
    let (_, read) = read_bytes(
        "x_summarizedActivities.json",
        format!(r#"[{{"summarizedActivitiesExport":[{run},{gym},{bad}]}}]"#),
    );
    let workouts = read.workouts();
    let [run, gym] = workouts.as_slice() else {
        panic!("{workouts:?} {:?}", read.rejects);
    };
    assert_eq!(
        (run.activity_type, run.duration_minutes),
        (ActivityType::Running, Some(45.0))
    );
    assert_eq!((run.distance_m, run.energy_kcal), (Some(8_400.5), None));
    assert_eq!(
        (run.average_heart_rate, run.max_heart_rate),
        (Some(151.0), Some(178.0))
    );
    assert_eq!(
        run.provenance.told.at.to_string(),
        "2024-05-02T18:00:00+02:00"
    );
    assert_eq!(gym.activity_type, ActivityType::WeightTraining);
    assert_eq!(gym.provenance.told.at.to_string(), "2024-05-02T18:00:00");
    assert_eq!(read.faults(), [(3, R::BadTime)]);
}

#[test]
fn a_list_of_workouts_may_be_longer_than_a_row() {
    let row =
        r#"{"activityId":ID,"activityType":"running","startTimeLocal":1714672800000,"note":""#;
    let rows: Vec<String> = (0..2_000)
        .map(|id| {
            format!(
                "{}{}\"}}",
                row.replace("ID", &id.to_string()),
                "x".repeat(1_000)
            )
        })
        .collect();
    let text = format!("[{{\"summarizedActivitiesExport\":[{}]}}]", rows.join(","));
    let (report, read) = read_bytes("x_summarizedActivities.json", text);
    assert_eq!((report.rows_read, read.workouts().len()), (2_000, 2_000));
}

#[test]
fn a_second_import_gives_the_same_and_a_broken_file_spoils_no_other() {
    let folder = Folder::new();
    folder.write(
        "DI_CONNECT/DI-Connect-Wellness/1_sleepData.json",
        format!("[{NIGHT}]"),
    );
    folder.write(
        "DI_CONNECT/DI-Connect-Aggregator/UDSFile_1.json",
        r#"[{"calendarDate":"2024-05-02","totalSteps":5000},{"calendarDate":"yesterday","totalSteps":1},"#,
    );
    let first = read(folder.path()).1;
    assert_eq!(read(folder.path()).1, first);
    assert_eq!(first.faults().len(), 1);
    assert_eq!(
        (
            first.series(M::Steps).len(),
            first.series(M::SleepDuration).len()
        ),
        (1, 1)
    );
}
