//! Fitbit: Google Takeout of all ages, and the table of the website.

use crate::folder::{Folder, Read, day, instant, mine, read_files, read_with};
use vitalcast_domain::{ActivityType, MetricType as M, ReadingKind, Record};
use vitalcast_import::{Format, ImportReport, RejectReason, SkipReason};

/// An export of files, of a person who lives in a zone.
fn export(zone: &str, files: &[(&str, &str)]) -> (ImportReport, Read) {
    let (report, read) = read_files(zone, files);
    assert!(
        report
            .formats
            .iter()
            .all(|found| found.format.as_str() == "fitbit")
    );
    (report, read)
}

fn known(read: &Read, wanted: M) -> chrono::DateTime<chrono::Utc> {
    let known = |(_, record): &(String, Record)| match record {
        Record::HealthMetric(reading) if reading.metric == wanted => {
            Some(reading.provenance.known_at)
        }
        Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
    };
    read.records.iter().find_map(known).unwrap()
}

const NIGHT: &str = r#"{
  "logId": 25100000001, "dateOfSleep": "2021-03-28", "startTime": "2021-03-27T23:30:00.000",
  "endTime": "2021-03-28T07:30:00.000", "duration": 28800000, "minutesToFallAsleep": 0,
  "minutesAsleep": 370, "minutesAwake": 50, "minutesAfterWakeup": 0, "timeInBed": 420,
  "efficiency": 88, "type": "stages", "infoCode": 0, "mainSleep": true,
  "levels": {"summary": {"deep": {"count": 3, "minutes": 70, "thirtyDayAvgMinutes": 60},
    "wake": {"count": 9, "minutes": 50}, "light": {"count": 9, "minutes": 200},
    "rem": {"count": 5, "minutes": 100}},
    "data": [{"dateTime": "2021-03-27T23:30:00.000", "level": "wake", "seconds": 300}]}}"#;
const NAP: &str = r#"{
  "logId": 25100000002, "dateOfSleep": "2021-03-28", "startTime": "2021-03-28T14:00:00.000",
  "endTime": "2021-03-28T15:00:00.000", "duration": 3600000, "minutesAsleep": 52,
  "minutesAwake": 8, "timeInBed": 60, "efficiency": 87, "type": "classic", "mainSleep": false,
  "levels": {"summary": {"restless": {"count": 2, "minutes": 7}, "awake": {"count": 1, "minutes": 1},
    "asleep": {"count": 0, "minutes": 52}}}}"#;

#[test]
fn a_resting_heart_rate_is_of_its_day_in_all_texts_of_dates() {
    let (report, read) = export(
        "Europe/Berlin",
        &[(
            "Fitbit/Global Export Data/resting_heart_rate-2024-01-01.json",
            r#"[{"dateTime": "03/01/24 00:00:00", "value": {"date": "03/01/24", "value": 61.5, "error": 6.7}},
            {"dateTime": "2024-03-02 00:00:00", "value": {"date": "2024-03-02", "value": 60.25, "error": 6}},
            {"dateTime": "2024-03-03T00:00:00.000", "value": {"value": 59, "error": 6}},
            {"dateTime": "03/04/24 00:00:00", "value": {"date": null, "value": 0.0, "error": 0.0}},
            {"dateTime": "03/05/24 00:00:00", "value": {"date": "03/05/24", "value": 0, "error": 0.0}}]"#,
        )],
    );
    assert_eq!(
        read.series(M::RestingHeartRate),
        [
            day("2024-03-01", 61.5),
            day("2024-03-02", 60.25),
            day("2024-03-03", 59.0)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::Missing], 2);
    // The first of March is over at 23:00 UTC.
    assert_eq!(
        known(&read, M::RestingHeartRate),
        instant("2024-03-01T23:00:00Z")
    );
}

#[test]
fn a_sleep_log_counts_once_and_has_its_local_times() {
    let first = format!("[{NIGHT}, {NAP}]");
    let second = format!("[{NIGHT}]");
    let (report, read) = export(
        "Europe/Berlin",
        &[
            ("sleep-2021-02-27.json", first.as_str()),
            ("sleep-2021-03-28.json", second.as_str()),
            (
                "Sleep Score/sleep_score.csv",
                "sleep_log_entry_id,timestamp,overall_score,composition_score,revitalization_score,\
                 duration_score,deep_sleep_in_minutes,resting_heart_rate,restlessness\n\
                 25100000001,2021-03-28T07:30:00Z,81,20,21,40,70,60,0.05\n\
                 25100000009,2021-03-30T07:30:00Z,77,20,21,36,60,60,0.05\n",
            ),
        ],
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
    let on = "2021-03-28";
    assert_eq!(
        read.series(M::SleepDuration),
        [day(on, 370.0 / 60.0), day(on, 52.0 / 60.0)]
    );
    assert_eq!(read.series(M::DeepSleepDuration), [day(on, 70.0 / 60.0)]);
    assert_eq!(read.series(M::RemSleepDuration), [day(on, 100.0 / 60.0)]);
    assert_eq!(read.series(M::AwakeDuration)[0], day(on, 50.0 / 60.0));
    assert_eq!(read.series(M::TimeInBed)[0], day(on, 7.0));
    assert_eq!(read.series(M::SleepEfficiency)[0], day(on, 88.0));
    assert_eq!(read.series(M::Bedtime)[0], day(on, -0.5));
    assert_eq!(read.series(M::WakeTime)[0], day(on, 7.5));
    assert_eq!(
        read.series(M::SleepScore),
        [day(on, 81.0), day("2021-03-30", 77.0)]
    );
    // Clocks went forward that night: half past seven is half past five in UTC.
    assert_eq!(
        known(&read, M::SleepDuration),
        instant("2021-03-28T05:30:00Z")
    );
}

#[test]
fn minutes_are_in_utc_and_count_once() {
    let (report, read) = export(
        "America/New_York",
        &[
            (
                "steps-2024-03-01.json",
                r#"[{"dateTime": "03/02/24 04:59:00", "value": "10"}, {"dateTime": "03/02/24 05:00:00", "value": "7"},
                {"dateTime": "03/03/24 12:00:00", "value": "1"}]"#,
            ),
            (
                "steps-2024-03-02.json",
                r#"[{"dateTime": "03/02/24 05:00:00", "value": "7"}, {"dateTime": "03/02/24 05:01:00", "value": "5"}]"#,
            ),
        ],
    );
    // New York is five hours behind.
    assert_eq!(
        read.series(M::Steps),
        [
            day("2024-03-01", 10.0),
            day("2024-03-02", 12.0),
            day("2024-03-03", 1.0)
        ]
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 1);
}

#[test]
fn heart_rates_become_means_of_days() {
    let rows: Vec<String> = (0..60)
        .map(|minute| {
            let bpm = if minute < 30 { 50 } else { 80 };
            format!(
                "{{\"dateTime\": \"03/02/24 10:{minute:02}:00\", \"value\": {{\"bpm\": {bpm}, \"confidence\": 3}}}}"
            )
        })
        .collect();
    let text = format!("[{}]", rows.join(","));
    let (_, read) = export("UTC", &[("heart_rate-2024-03-02.json", &text)]);
    assert_eq!(read.series(M::AverageHeartRate), [day("2024-03-02", 65.0)]);
    assert_eq!(read.series(M::LowestHeartRate), [day("2024-03-02", 50.0)]);
}

#[test]
fn a_watch_in_the_drawer_measures_no_movement() {
    let row = |day: &str, value: &str| {
        format!(r#"{{"dateTime": "03/{day}/24 00:00:00", "value": "{value}"}}"#)
    };
    let file = |values: [&str; 2]| format!("[{}, {}]", row("01", values[0]), row("02", values[1]));
    let zones = r#"[{"dateTime": "03/01/24 00:00:00", "value": {"valuesInZones": {
        "IN_DEFAULT_ZONE_3": 1.0, "IN_DEFAULT_ZONE_1": 90.0, "IN_DEFAULT_ZONE_2": 7.0,
        "BELOW_DEFAULT_ZONE_1": 1200.0}}}]"#;
    let calories = r#"[{"dateTime": "03/01/24 10:00:00", "value": "1.5"}, {"dateTime": "03/02/24 10:00:00", "value": "1.1"}]"#;
    let (report, read) = export(
        "UTC",
        &[
            (
                "sedentary_minutes-2024-03-01.json",
                file(["700", "1440"]).as_str(),
            ),
            (
                "lightly_active_minutes-2024-03-01.json",
                &file(["200", "0"]),
            ),
            (
                "moderately_active_minutes-2024-03-01.json",
                &file(["24", "0"]),
            ),
            ("very_active_minutes-2024-03-01.json", &file(["33", "0"])),
            ("time_in_heart_rate_zones-2024-03-01.json", zones),
            ("calories-2024-03-01.json", calories),
        ],
    );
    for (metric, minutes) in [
        (M::SedentaryMinutes, 700.0),
        (M::LightActivityMinutes, 200.0),
        (M::ModerateActivityMinutes, 24.0),
        (M::VigorousActivityMinutes, 33.0),
        (M::ExerciseMinutes, 57.0),
        (M::HeartRateBelowZone1Minutes, 1_200.0),
        (M::HeartRateZone1Minutes, 90.0),
        (M::HeartRateZone2Minutes, 7.0),
        (M::HeartRateZone3Minutes, 1.0),
        (M::TotalCalories, 1.5),
    ] {
        assert_eq!(
            read.series(metric),
            [day("2024-03-01", minutes)],
            "{metric}"
        );
    }
    assert_eq!(report.skipped[&SkipReason::NotWorn], 6);
}

#[test]
fn values_of_the_night_are_known_in_the_morning() {
    let (_, read) = export(
        "Europe/Athens",
        &[
            (
                "Daily Heart Rate Variability Summary - 2021-05-(24).csv",
                "timestamp,rmssd,nremhr,entropy\n2021-05-24T00:00:00,89.603,57.432,2.641\n2021-05-25T00:00:00,0.0,nan,0\n",
            ),
            (
                "Respiratory Rate Summary - 2021-05-01.csv",
                "timestamp,full_sleep_breathing_rate,deep_sleep_breathing_rate\n2021-05-24T07:04:00,14.8,-1.0\n2021-05-25T07:04:00,-1.0,-1.0\n",
            ),
            (
                "Daily SpO2 - 2021-05-01-2021-06-01.csv",
                "timestamp,average_value,lower_bound,upper_bound\n2021-05-24T00:00:00Z,96.2,94,98\n2021-05-25T00:00:00Z,50.0,50,50\n",
            ),
            (
                "Computed Temperature - 2021-05-01.csv",
                "type,sleep_start,sleep_end,temperature_samples,nightly_temperature\nSKIN,2021-05-23T23:50,2021-05-24T07:04,430,34.13\n",
            ),
            (
                "Stress Score.csv",
                "DATE,UPDATED_AT,STRESS_SCORE,SLEEP_POINTS,MAX_SLEEP_POINTS,RESPONSIVENESS_POINTS,\
                 MAX_RESPONSIVENESS_POINTS,EXERTION_POINTS,MAX_EXERTION_POINTS,STATUS,CALCULATION_FAILED\n\
                 2021-05-24T00:00:00,2021-05-24T07:20:01.5,78,18,30,24,30,36,40,READY,false\n\
                 2021-05-25T00:00:00,2021-05-25T07:20:01.5,0,0,0,0,0,0,0,NO_DATA,false\n\
                 2021-05-26T00:00:00,2021-05-26T07:20:01.5,70,18,30,24,30,36,40,READY,true\n",
            ),
            (
                "Daily Readiness Score - 2021-05-24.csv",
                "date,readiness_score_value,readiness_state,activity_subcomponent\n2021-05-24,64,MEDIUM,60\n",
            ),
            (
                "demographic_vo2_max-2021-05-01.json",
                r#"[{"dateTime": "05/24/21 00:00:00", "value": {"demographicVO2Max": 41.0, "demographicVO2MaxError": 3.0,
                "filteredDemographicVO2Max": 42.5, "filteredDemographicVO2MaxError": 2.9}}]"#,
            ),
        ],
    );
    let on = "2021-05-24";
    for (metric, value) in [
        (M::HeartRateVariabilityRmssd, 89.603),
        (M::SleepingHeartRate, 57.432),
        (M::RespiratoryRate, 14.8),
        (M::OxygenSaturation, 96.2),
        (M::SkinTemperature, 34.13),
        (M::RecoverySleepPart, 60.0),
        (M::RecoveryResponsivenessPart, 80.0),
        (M::RecoveryExertionPart, 90.0),
        (M::Vo2Max, 42.5),
    ] {
        assert_eq!(read.series(metric), [day(on, value)], "{metric}");
        let time = if metric == M::Vo2Max {
            "21:00"
        } else {
            "09:00"
        };
        let expected = instant(&format!("{on}T{time}:00Z"));
        assert_eq!(known(&read, metric), expected, "{metric}");
    }
    assert_eq!(
        read.sourced(M::RecoveryScore),
        [
            (on.to_owned(), "fitbit".to_owned(), 78.0),
            (on.to_owned(), "fitbit/readiness".to_owned(), 64.0),
        ]
    );
}

const GOOGLE: &str = "Google Health/Physical Activity_GoogleData";

#[test]
fn a_day_of_google_health_is_a_label_and_no_instant() {
    let (report, read) = export(
        "America/Los_Angeles",
        &[
            (
                &format!("{GOOGLE}/daily_resting_heart_rate.csv"),
                "timestamp,beats per minute,data source\n2025-06-10T00:00:00Z,61.4,Charge 6\n\
                 2025-06-11T03:00:00Z,60,Some App\n2025-06-12T00:00:00Z,55,Apple Health Health Kit\n",
            ),
            (
                "Global Export Data/resting_heart_rate-2025-01-01.json",
                r#"[{"dateTime": "06/10/25 00:00:00", "value": {"date": "06/10/25", "value": 61.9, "error": 6.7}},
                {"dateTime": "06/09/25 00:00:00", "value": {"date": "06/09/25", "value": 62.9, "error": 6.7}}]"#,
            ),
            (
                &format!("{GOOGLE}/daily_heart_rate_variability.csv"),
                "timestamp,average heart rate variability milliseconds,non rem heart rate beats per minute,\
                 entropy,deep sleep root mean square of successive differences milliseconds,data source\n\
                 2025-06-10T00:00:00Z,34.5,57,2.6,30,Charge 6\n2025-06-11T00:00:00Z,nan,0,2.6,30,Charge 6\n",
            ),
            (
                &format!("{GOOGLE}/daily_sleep_temperature_derivations.csv"),
                "timestamp,nightly temperature celsius,baseline temperature celsius,data source\n\
                 2025-06-10T00:00:00Z,33.1,33.4,Charge 6\n",
            ),
            (
                &format!("{GOOGLE}/daily_readiness.csv"),
                "timestamp,score,type,readiness level,data source\n2025-06-10T00:00:00Z,71,X,HIGH,Charge 6\n",
            ),
        ],
    );
    // The second value has a time: the evening before in Los Angeles. It is another app's.
    assert_eq!(
        read.series(M::RestingHeartRate),
        [day("2025-06-09", 62.9), day("2025-06-10", 61.4)]
    );
    assert_eq!(
        read.series(M::HeartRateVariabilityRmssd),
        [day("2025-06-10", 34.5)]
    );
    assert_eq!(read.series(M::SleepingHeartRate), [day("2025-06-10", 57.0)]);
    assert_eq!(read.series(M::SkinTemperature), [day("2025-06-10", 33.1)]);
    assert_eq!(read.series(M::RecoveryScore), [day("2025-06-10", 71.0)]);
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("Apple Health")),
        "{:?}",
        report.notes
    );
}

#[test]
fn phone_and_watch_are_not_added_up() {
    let (report, read) = export(
        "UTC",
        &[
            (
                &format!("{GOOGLE}/steps_2025-06-01.csv"),
                "timestamp,steps,data source\n2025-06-10T10:00:00Z,100,Charge 6\n2025-06-10T10:00:00Z,90,Phone\n\
                 2025-06-10T11:00:00Z,50,Charge 6\n2025-06-10T11:00:00Z,50,Google Health Connect\n\
                 2025-06-11T11:00:00Z,1,Charge 6\n",
            ),
            (
                "Global Export Data/steps-2025-06-01.json",
                r#"[{"dateTime": "06/10/25 10:00:00", "value": "100"}, {"dateTime": "06/09/25 10:00:00", "value": "40"}]"#,
            ),
        ],
    );
    let of = |on: &str, source: &str, steps| (on.to_owned(), source.to_owned(), steps);
    assert_eq!(
        read.sourced(M::Steps),
        [
            of("2025-06-09", "fitbit", 40.0),
            of("2025-06-10", "fitbit/Charge 6", 150.0),
            of("2025-06-10", "fitbit/Phone", 90.0),
            of("2025-06-11", "fitbit/Charge 6", 1.0),
        ]
    );
    assert_eq!(report.skipped[&SkipReason::Repeated], 2);
}

#[test]
fn sleep_of_google_health_has_its_offset_and_replaces_the_json() {
    let night = format!("[{NIGHT}]");
    let (_, read) = export(
        "Asia/Tokyo",
        &[
            ("Global Export Data/sleep-2021-02-27.json", night.as_str()),
            (
                "Health Fitness Data_GoogleData/UserSleeps_2021-03-01.csv",
                "sleep_id,sleep_type,minutes_in_sleep_period,minutes_after_wake_up,minutes_to_fall_asleep,\
                 minutes_asleep,minutes_awake,start_utc_offset,sleep_start,end_utc_offset,sleep_end,data_source,\
                 sleep_created,sleep_last_updated\n\
                 777,STAGES,421,0,0,371,50,+01:00,2021-03-27T22:30:00Z,+02:00,2021-03-28T05:30:00Z,DERIVED,\
                 2021-03-28T05:40:00Z,2021-03-28T05:41:00Z\n",
            ),
            (
                "Health Fitness Data_GoogleData/UserSleepStages_2021-03-01.csv",
                "sleep_id,sleep_stage_id,sleep_stage_type,start_utc_offset,sleep_stage_start,end_utc_offset,\
                 sleep_stage_end,data_source,sleep_stage_created,sleep_stage_last_updated\n\
                 777,1,DEEP,+01:00,2021-03-27T22:40:00Z,+01:00,2021-03-27T23:40:00Z,DERIVED,,\n\
                 777,2,LIGHT,+01:00,2021-03-27T23:40:00Z,+01:00,2021-03-28T00:40:00Z,DERIVED,,\n\
                 777,3,REM,+01:00,2021-03-28T00:40:00Z,+01:00,2021-03-28T01:10:00Z,DERIVED,,\n",
            ),
        ],
    );
    let on = "2021-03-28";
    assert_eq!(read.series(M::SleepDuration), [day(on, 371.0 / 60.0)]);
    assert_eq!(read.series(M::DeepSleepDuration), [day(on, 1.0)]);
    assert_eq!(read.series(M::RemSleepDuration), [day(on, 0.5)]);
    assert_eq!(read.series(M::SleepEfficiency), [day(on, 88.0)]);
    assert_eq!(read.series(M::Bedtime), [day(on, -0.5)]);
    assert_eq!(read.series(M::WakeTime), [day(on, 7.5)]);
}

#[test]
fn workouts_begin_in_utc() {
    let (_, read) = export(
        "America/New_York",
        &[
            (
                "exercise-0.json",
                r#"[{"logId": 31, "activityName": "Run", "calories": 345, "steps": 5000, "averageHeartRate": 150,
                "distance": 3.0, "distanceUnit": "Mile", "duration": 1900000, "activeDuration": 1800000,
                "startTime": "03/02/24 03:15:00", "logType": "auto_detected"},
                {"logId": 32, "activityName": "Curling", "startTime": "03/03/24 03:15:00", "duration": 600000},
                {"logId": 33, "activityName": "Walk", "startTime": "yesterday"}]"#,
            ),
            (
                "UserExercises_2024-03-01.csv",
                "exercise_id,exercise_start,exercise_end,utc_offset,activity_name,tracker_total_calories,\
                 tracker_total_steps,tracker_total_distance_mm,tracker_avg_heart_rate,tracker_peak_heart_rate\n\
                 99,2024-03-03T03:15:05Z,2024-03-03T03:25:05Z,-05:00,Outdoor Walk,50,1000,800000,99,120\n",
            ),
        ],
    );
    let workouts = read.workouts();
    assert_eq!(workouts.len(), 2);
    let (walk, run) = (&workouts[0], &workouts[1]);
    assert_eq!(run.activity_type, ActivityType::Running);
    assert_eq!(run.provenance.day.to_string(), "2024-03-01");
    assert_eq!(run.duration_minutes, Some(30.0));
    assert_eq!(run.distance_m, Some(3.0 * 1_609.344));
    assert_eq!(walk.activity_type, ActivityType::Walking);
    assert_eq!(walk.distance_m, Some(800.0));
    assert_eq!(walk.provenance.day.to_string(), "2024-03-02");
    assert_eq!(read.faults(), [(5, RejectReason::BadTime)]);
}

#[test]
fn the_profile_has_the_zone_and_the_weight() {
    let folder = Folder::new();
    folder.write(
        "Your Profile/Profile.csv",
        "id,full_name,timezone,locale,member_since,height,weight,stride_length_walking,weight_unit,height_unit\n\
         X,Y,Europe/Rome,it_IT,2019-01-01,180.0,80,75,en_US,METRIC\n",
    );
    folder.write(
        "weight-2024-03-01.json",
        r#"[{"logId": 1709337599000, "weight": 176.4, "bmi": 24.7, "fat": 21.5, "date": "03/01/24", "time": "23:59:59", "source": "API"}]"#,
    );
    let (_, read) = read_with(folder.path(), &mine("UTC")).unwrap();
    assert_eq!(read.people, [("me".to_owned(), "Europe/Rome".to_owned())]);
    assert_eq!(read.series(M::BodyFatPercentage), [day("2024-03-01", 21.5)]);
}

#[test]
fn the_table_of_the_website_has_sections() {
    let (report, read) = export(
        "UTC",
        &[(
            "fitbit_export_20101101.csv",
            "Body\nDate,Weight,BMI,Fat\n\"25-10-2010\",\"80\",\"24\",\"20.5\"\n\nActivities\n\
             Date,Calories Burned,Steps,Distance,Floors,Minutes Sedentary,Minutes Lightly Active,\
             Minutes Fairly Active,Minutes Very Active,Activity Calories\n\
             \"25-10-2010\",\"2,345\",\"10,001\",\"7.1\",\"N/A\",\"700\",\"200\",\"20\",\"30\",\"1,000\"\n\nSleep\n\
             Start Time,End Time,Minutes Asleep,Minutes Awake,Number of Awakenings,Time in Bed,\
             Minutes REM Sleep,Minutes Light Sleep,Minutes Deep Sleep\n\
             \"11-10-2010 9:10 pm\",\"12-10-2010 6:10 AM\",\"500\",\"40\",\"3\",\"540\",\"N/A\",\"N/A\",\"N/A\"\n",
        )],
    );
    assert_eq!(report.rejected.len(), 0, "{:?}", read.rejects);
    assert_eq!(read.series(M::Steps), [day("2010-10-25", 10_001.0)]);
    assert_eq!(read.series(M::TotalCalories), [day("2010-10-25", 2_345.0)]);
    assert_eq!(read.series(M::ExerciseMinutes), [day("2010-10-25", 50.0)]);
    assert_eq!(
        read.series(M::SleepDuration),
        [day("2010-10-12", 500.0 / 60.0)]
    );
    assert_eq!(read.series(M::BodyFatPercentage), [day("2010-10-25", 20.5)]);
    let (_, iso) = export(
        "UTC",
        &[(
            "sleep.csv",
            "Sleep\nStart Time,End Time,Minutes Asleep,Minutes Awake,Number of Awakenings,Time in Bed\n\
             \"2010-10-13 11:12PM\",\"2010-10-14 7:12AM\",\"440\",\"40\",\"3\",\"480\"\n",
        )],
    );
    assert_eq!(iso.series(M::Bedtime), [day("2010-10-14", -0.8)]);
}

#[test]
fn the_table_of_the_website_groups_thousands_as_the_language_of_the_account_does() {
    let rows = |steps: &str, energy: &str, distance: &str, sedentary: &str| {
        let table = format!(
            "Activities\nDate,Calories Burned,Steps,Distance,Floors,Minutes Sedentary,Minutes Lightly Active,\
             Minutes Fairly Active,Minutes Very Active,Activity Calories\n\
             \"25-10-2010\",\"{energy}\",\"{steps}\",\"{distance}\",\"3\",\"{sedentary}\",\"200\",\"20\",\"30\",\"900\"\n"
        );
        export("UTC", &[("fitbit_export_20101101.csv", table.as_str())]).1
    };
    for read in [
        rows("7.200", "2.386", "6,66", "1.016"),
        rows("7,200", "2,386", "6.66", "1,016"),
    ] {
        assert_eq!(read.rejects, []);
        assert_eq!(read.series(M::Steps), [day("2010-10-25", 7_200.0)]);
        assert_eq!(read.series(M::TotalCalories), [day("2010-10-25", 2_386.0)]);
        assert_eq!(
            read.series(M::SedentaryMinutes),
            [day("2010-10-25", 1_016.0)]
        );
    }
}

#[test]
fn a_second_import_gives_the_same_ids_in_any_zone() {
    let night = format!("[{NIGHT}]");
    let rates = r#"[{"dateTime": "03/01/24 00:00:00", "value": {"date": "03/01/24", "value": 61.5, "error": 6.7}}]"#;
    let steps = r#"[{"dateTime": "03/02/24 12:00:00", "value": "10"}]"#;
    let files = [
        ("sleep-2021-02-27.json", night.as_str()),
        ("resting_heart_rate-2024-01-01.json", rates),
        ("steps-2024-03-01.json", steps),
    ];
    let (report, first) = export("Europe/Berlin", &files);
    let (_, second) = export("America/Denver", &files);
    assert_eq!(first.ids(), second.ids());
    assert_eq!(
        report.formats[0].format,
        "fitbit".parse::<Format>().unwrap()
    );
}

#[test]
fn files_of_a_study_have_plain_names_and_iso_times() {
    let (_, read) = export(
        "Europe/Oslo",
        &[
            (
                "p01/fitbit/resting_heart_rate.json",
                r#"[{"dateTime": "2019-11-01 00:00:00", "value": {"date": "11/01/19", "value": 53.74, "error": 6.8}},
                {"dateTime": "2019-11-02 00:00:00", "value": {"date": null, "value": 0.0, "error": 0.0}}]"#,
            ),
            (
                "p01/fitbit/steps.json",
                r#"[{"dateTime": "2019-11-01 22:59:00", "value": "5"}, {"dateTime": "2019-11-01 23:00:00", "value": "9"}]"#,
            ),
            (
                "p01/fitbit/very_active_minutes.json",
                r#"[{"dateTime": "2019-11-01 00:00:00", "value": "0"}]"#,
            ),
        ],
    );
    assert_eq!(read.series(M::RestingHeartRate), [day("2019-11-01", 53.74)]);
    assert_eq!(
        read.series(M::Steps),
        [day("2019-11-01", 5.0), day("2019-11-02", 9.0)]
    );
    assert_eq!(
        read.series(M::VigorousActivityMinutes),
        [day("2019-11-01", 0.0)]
    );
}

#[test]
fn one_broken_file_or_row_costs_only_itself() {
    let (report, read) = export(
        "UTC",
        &[
            (
                "resting_heart_rate-2024-01-01.json",
                "[{\"dateTime\": \"03/01/24 00:00:00\", \"value\": {\"date\": \"03/01/24\", \"value\": 61.5, \"error\": 1}},\n\
                 {\"dateTime\": \"03/02/24 00:00:00\", \"value\": {\"date\": \"03/32/24\", \"value\": 61.5, \"error\": 1}},\n\
                 {\"dateTime\": \"03/03/24 00:00:00\", \"value\": \"seven\"},\n\
                 {\"dateTime\": \"03/04/24 00:00:00\", \"value\": {\"date\": \"03/04/24\", \"value\": 961.5, \"error\": 1}}]",
            ),
            ("sleep_score.csv", "sleep_log_entry_id,overall_score\n"),
        ],
    );
    assert_eq!(read.series(M::RestingHeartRate), [day("2024-03-01", 61.5)]);
    let faults: Vec<RejectReason> = read.faults().iter().map(|fault| fault.1).collect();
    assert_eq!(
        faults,
        [
            RejectReason::BadTime,
            RejectReason::NotJson,
            RejectReason::OutOfRange
        ]
    );
    assert_eq!(report.files, 2);
}

#[test]
fn the_order_of_day_and_month_follows_from_the_night() {
    let (_, read) = export(
        "Europe/London",
        &[(
            "fitbit_export.csv",
            "Sleep\nStart Time,End Time,Minutes Asleep,Minutes Awake,Number of Awakenings,Time in Bed,\
             Minutes REM Sleep,Minutes Light Sleep,Minutes Deep Sleep\n\
             \"11-10-2010 9:10 pm\",\"12-10-2010 6:40 am\",\"540\",\"30\",\"2\",\"570\",\"N/A\",\"N/A\",\"N/A\"\n",
        )],
    );
    assert_eq!(read.series(M::SleepDuration), [day("2010-10-12", 9.0)]);
}

#[test]
fn a_value_of_another_app_does_not_replace_that_of_the_day() {
    let (_, read) = export(
        "America/Los_Angeles",
        &[(
            "daily_resting_heart_rate.csv",
            "timestamp,beats per minute,data source\n2025-06-10T00:00:00Z,62,Charge 6\n\
             2025-06-11T05:00:00Z,63,Scale\n2025-06-12T05:00:00Z,64,Scale\n",
        )],
    );
    // Five o'clock in UTC is the evening before in Los Angeles.
    assert_eq!(
        read.series(M::RestingHeartRate),
        [day("2025-06-10", 62.0), day("2025-06-11", 64.0)]
    );
}

#[test]
fn a_day_without_the_watch_has_no_steps_in_the_table_of_the_website() {
    let (_, read) = export(
        "Europe/London",
        &[(
            "fitbit_export.csv",
            "Activities\nDate,Calories Burned,Steps,Distance,Floors,Minutes Sedentary,Minutes Lightly Active,\
             Minutes Fairly Active,Minutes Very Active,Activity Calories\n\
             \"2010-10-13\",\"2,100\",\"1,000\",\"0.7\",\"3\",\"900\",\"100\",\"10\",\"5\",\"500\"\n\
             \"2010-10-14\",\"1,700\",\"0\",\"0\",\"0\",\"1,440\",\"0\",\"0\",\"0\",\"0\"\n",
        )],
    );
    assert_eq!(read.series(M::Steps), [day("2010-10-13", 1_000.0)]);
    assert_eq!(read.series(M::TotalCalories), [day("2010-10-13", 2_100.0)]);
}

#[test]
fn a_time_in_the_future_does_not_end_the_last_day() {
    let (_, read) = export(
        "UTC",
        &[(
            "steps-2024-03-01.json",
            r#"[{"dateTime": "03/02/24 05:00:00", "value": "7"}, {"dateTime": "03/02/80 05:00:00", "value": "7"}]"#,
        )],
    );
    let kinds: Vec<_> = read
        .readings(M::Steps)
        .map(|reading| reading.kind)
        .collect();
    assert_eq!(kinds, [Some(ReadingKind::RunningTotal)]);
    assert_eq!(read.faults(), [(1, RejectReason::Future)]);
}
