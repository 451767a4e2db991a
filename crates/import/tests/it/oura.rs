//! Oura's exports.

use crate::folder::{Folder, options, read, read_bytes, read_with};
use vitalcast_domain::{ActivityType, HealthMetric, Intensity, MetricType as M, ReadingKind as K};
use vitalcast_import::{RejectReason as R, SkipReason as S};

const SLEEP: &str = "id;average_breath;average_heart_rate;average_hrv;awake_time;bedtime_end;bedtime_start;day;\
                     deep_sleep_duration;efficiency;latency;light_sleep_duration;lowest_heart_rate;\
                     rem_sleep_duration;time_in_bed;total_sleep_duration;type\n";
const LONG: &str = "a1;14.5;54.25;62;1800;2024-05-02T07:00:00+02:00;2024-05-01T23:30:00+02:00;2024-05-02;4800;93;\
                    300;14400;48;6000;27000;25200;long_sleep\n";
const WAKING: &str = "2024-05-02T05:00:00Z";

#[test]
fn the_newest_export_has_semicolons_and_seconds() {
    let (report, read) = read_bytes("sleepmodel.csv", format!("{SLEEP}{LONG}"));
    assert_eq!(report.formats[0].format.as_str(), "oura");
    for (metric, value) in [
        (M::RestingHeartRate, 48.0),
        (M::HeartRateVariabilityRmssd, 62.0),
        (M::RespiratoryRate, 14.5),
        (M::SleepDuration, 7.0),
        (M::DeepSleepDuration, 80.0 / 60.0),
        (M::RemSleepDuration, 100.0 / 60.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.5),
        (M::SleepEfficiency, 93.0),
        (M::SleepingHeartRate, 54.25),
        (M::Bedtime, -0.5),
        (M::WakeTime, 7.0),
    ] {
        read.check(metric, "2024-05-02", value, WAKING);
    }
    assert!(
        report
            .notes
            .iter()
            .any(|note| note.contains("lowest heart rate"))
    );
}

#[test]
fn naps_have_no_resting_heart_rate_and_removed_sleeps_are_none() {
    let nap = LONG
        .replace("long_sleep", "late_nap")
        .replace("2024-05-01T23:30", "2024-05-02T14:00")
        .replace("02T07:00", "02T14:40")
        .replace("25200", "2100");
    let removed = nap.replace("late_nap", "deleted");
    let rest = nap.replace("late_nap", "rest");
    let (report, read) = read_bytes(
        "sleepmodel.csv",
        format!("{SLEEP}{LONG}{nap}{removed}{rest}"),
    );
    let hours: Vec<f64> = read
        .known(M::SleepDuration)
        .iter()
        .map(|night| night.1)
        .collect();
    assert_eq!(hours, [7.0, 35.0 / 60.0]);
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
    assert_eq!(report.skipped[&S::Missing], 2);
}

#[test]
fn contributors_are_scores_and_no_heart_rates() {
    let folder = Folder::new();
    folder.write(
        "App Data/dailyreadiness.csv",
        "id;contributors;day;score;temperature_deviation;temperature_trend_deviation;timestamp\n\
         r1;\"{\"\"hrv_balance\"\": 85, \"\"resting_heart_rate\"\": \
         95}\";2024-05-02;81;-0.1;0.2;2024-05-02T00:00:00+00:00\nr2;;2024-05-03;;;;\n",
    );
    folder.write(
        "App Data/dailysleep.csv",
        "id;contributors;day;score;timestamp\ns1;{\"deep_sleep\": 90, \"total_sleep\": \
         77};2024-05-02;84;2024-05-02T00:00:00+00:00\n",
    );
    let (report, read) = read(folder.path());
    read.check(M::RecoveryScore, "2024-05-02", 81.0, "2024-05-02T12:00:00Z");
    read.check(M::SleepScore, "2024-05-02", 84.0, "2024-05-02T12:00:00Z");
    assert_eq!(report.records, 2);
    assert_eq!(report.skipped[&S::Missing], 1);
}

#[test]
fn movement_is_of_the_day_and_a_ring_in_the_drawer_moves_not() {
    let header = "id;active_calories;day;equivalent_walking_distance;high_activity_time;low_activity_time;\
                  medium_activity_time;sedentary_time;steps;total_calories\n";
    let (report, read) = read_bytes(
        "dailyactivity.csv",
        format!(
            "{header}x;510;2024-05-02;9000;600;9000;1800;30000;9876;2650\n\
             y;0;2024-05-03;0;0;0;0;0;0;1700\n\
             z;120;2026-01-01;900;0;600;0;1000;1500;400\n"
        ),
    );
    let evening = "2024-05-03T00:00:00Z";
    for (metric, value) in [
        (M::Steps, 9_876.0),
        (M::ActiveCalories, 510.0),
        (M::TotalCalories, 2_650.0),
        (M::ExerciseMinutes, 40.0),
        (M::LightActivityMinutes, 150.0),
        (M::ModerateActivityMinutes, 30.0),
        (M::VigorousActivityMinutes, 10.0),
        (M::SedentaryMinutes, 500.0),
    ] {
        let first = &read.known(metric)[0];
        assert_eq!(
            (first.0.as_str(), first.1),
            ("2024-05-02", value),
            "{metric}"
        );
        assert_eq!(first.2, evening.replace('Z', "+00:00"), "{metric}");
        assert_eq!(read.known(metric).len(), 2, "{metric}");
    }
    assert_eq!(report.skipped[&S::NotWorn], 1);
    let kinds: Vec<_> = read.readings(M::Steps).map(HealthMetric::kind).collect();
    assert_eq!(
        kinds,
        [K::DayTotal, K::RunningTotal],
        "the last day is not over"
    );
}

#[test]
fn json_of_the_account_and_of_the_api_give_the_same() {
    let period = r#"{"id":"a1","day":"2024-05-02","type":"long_sleep","average_breath":14.5,
        "bedtime_start":"2024-05-01T23:30:00+02:00","bedtime_end":"2024-05-02T07:00:00.000+02:00",
        "average_heart_rate":54.25,"average_hrv":62,"lowest_heart_rate":48,"awake_time":1800,
        "deep_sleep_duration":4800,"rem_sleep_duration":6000,"light_sleep_duration":14400,
        "total_sleep_duration":25200,"time_in_bed":27000,"efficiency":93,
        "heart_rate":{"interval":300.0,"items":[50,null],"timestamp":"2024-05-01T23:30:00.000+02:00"}}"#;
    let readiness = r#"{"id":"r1","contributors":{"hrv_balance":85,"resting_heart_rate":95},
        "day":"2024-05-02","score":81,"temperature_deviation":-0.1}"#;
    let oxygen = r#"{"id":"o1","day":"2024-05-02","spo2_percentage":{"average":97.1}}"#;
    let pulse = r#"{"bpm":60,"source":"awake","timestamp":"2024-05-02T10:00:00+00:00"}"#;
    let tag = r#"{"id":"t1","day":"2024-05-02","text":"late"}"#;
    let whole = format!(
        r#"{{"sleep":[{period}],"daily_readiness":[{readiness}],"daily_spo2":[{oxygen}],"heartrate":[{pulse}],"tag":[{tag}]}}"#
    );
    let (report, account) = read_bytes("oura.json", whole);
    account.check(M::RestingHeartRate, "2024-05-02", 48.0, WAKING);
    account.check(M::RecoveryScore, "2024-05-02", 81.0, "2024-05-02T12:00:00Z");
    account.check(
        M::OxygenSaturation,
        "2024-05-02",
        97.1,
        "2024-05-02T12:00:00Z",
    );
    account.check(
        M::AverageHeartRate,
        "2024-05-02",
        60.0,
        "2024-05-03T00:00:00Z",
    );
    assert_eq!(report.skipped[&S::OtherFile], 1);
    let api = format!(r#"{{"data":[{period}],"next_token":null}}"#);
    let (_, api) = read_bytes("sleep.json", api);
    let (_, table) = read_bytes("sleepmodel.csv", format!("{SLEEP}{LONG}"));
    assert_eq!(api.records, table.records, "no matter which export");
}

#[test]
fn the_trends_have_a_row_per_day() {
    let header = "date,Sleep Score,Sleep Timing,Total Bedtime,Total Sleep Time,Awake Time,REM Sleep \
                  Time,Light Sleep Time,Deep Sleep Time,Sleep Timing,Bedtime Start,Bedtime End,Average Resting \
                  Heart Rate,Lowest Resting Heart Rate,Average HRV,Temperature Deviation (°C),Respiratory \
                  Rate,Activity Score,Activity Burn,Total Burn,Steps,Readiness Score\n";
    let (_, trends) = read_bytes(
        "oura_trends.csv",
        format!(
            "{header}2024-05-02,84,90,27000,25200,1800,6000,14400,4800,80,2024-05-01T23:30:00+02:00,\
             2024-05-02T07:00:00+02:00,54.25,48,62,-0.1,14.5,77,510,2650,9876,81\n\
             2024-05-03,None,,,,,,,,,,,,,,,,,,,,\n"
        ),
    );
    for (metric, value) in [
        (M::RestingHeartRate, 48.0),
        (M::HeartRateVariabilityRmssd, 62.0),
        (M::SleepDuration, 7.0),
        (M::RecoveryScore, 81.0),
        (M::SleepScore, 84.0),
        (M::Steps, 9_876.0),
        (M::TotalCalories, 2_650.0),
    ] {
        assert_eq!(
            trends.series(metric),
            [("2024-05-02".to_owned(), value)],
            "{metric}"
        );
    }
    let (_, account) = read_bytes("sleepmodel.csv", format!("{SLEEP}{LONG}"));
    let ids = trends.ids();
    for id in account.ids() {
        assert!(ids.contains(&id) || id.contains("efficiency"), "{id}");
    }
}

#[test]
fn the_night_of_the_clock_change_keeps_its_hours_and_travel_its_days() {
    let autumn = "b;14;50;60;600;2024-10-27T07:40:00+01:00;2024-10-27T00:10:00+02:00;2024-10-27;3600;95;60;18000;\
                  45;7200;30600;30000;long_sleep\n";
    let tokyo = "c;14;50;60;600;2024-11-02T06:30:00+09:00;2024-11-01T23:00:00+09:00;2024-11-02;3600;95;60;18000;\
                 46;7200;27000;26400;long_sleep\n";
    let (_, read) = read_bytes("sleepmodel.csv", format!("{SLEEP}{autumn}{tokyo}"));
    let days: Vec<String> = read
        .series(M::RestingHeartRate)
        .into_iter()
        .map(|day| day.0)
        .collect();
    assert_eq!(days, ["2024-10-27", "2024-11-02"]);
    let nights = read.series(M::SleepDuration);
    assert_eq!(nights[0], ("2024-10-27".to_owned(), 30_000.0 / 3_600.0));
    assert_eq!(nights[1].0, "2024-11-02");
    let clocks: Vec<f64> = read
        .series(M::WakeTime)
        .into_iter()
        .map(|clock| clock.1)
        .collect();
    assert!(
        (clocks[0] - 7.0 - 40.0 / 60.0).abs() < 1e-9 && clocks[1] == 6.5,
        "{clocks:?}"
    );
    assert_eq!(read.series(M::Bedtime)[1].1, -1.0);
    // Whatever the profile says.
    let elsewhere = vitalcast_import::ImportOptions {
        zone: Some("America/New_York".parse().unwrap()),
        ..options()
    };
    let folder = Folder::new();
    let path = folder.write("sleepmodel.csv", format!("{SLEEP}{autumn}{tokyo}"));
    let (_, there) = read_with(&path, &elsewhere).unwrap();
    assert_eq!(
        (there.ids(), there.series(M::SleepDuration)),
        (read.ids(), nights)
    );
}

#[test]
fn workouts_and_rows_that_cannot_be() {
    let (_, read) = read_bytes(
        "workout.csv",
        "id;activity;calories;day;distance;end_datetime;intensity;label;source;start_datetime\n\
         w1;running;412.5;2024-05-02;7100;2024-05-02T18:40:00+02:00;hard;;confirmed;2024-05-02T18:00:00+02:00\n\
         w2;walking;;2024-05-02;;;easy;;;yesterday\n",
    );
    let workouts = read.workouts();
    let [run] = workouts.as_slice() else {
        panic!("{workouts:?}");
    };
    assert_eq!(
        (run.activity_type, run.intensity),
        (ActivityType::Running, Some(Intensity::High))
    );
    assert_eq!(
        (run.duration_minutes, run.energy_kcal),
        (Some(40.0), Some(412.5))
    );
    assert_eq!(run.provenance.source_id, "workout-w1");
    assert_eq!(read.faults(), [(3, R::BadTime)]);
    let wrong = LONG.replace(";48;", ";480;").replace("2024-05-02;", "May;");
    let (_, read) = read_bytes("sleepmodel.csv", format!("{SLEEP}{wrong}{LONG}"));
    assert_eq!(read.faults(), [(2, R::BadTime)]);
    assert_eq!(read.series(M::RestingHeartRate).len(), 1);
}

#[test]
fn trends_that_a_spreadsheet_saved_with_grouped_thousands_are_thousands() {
    let header = "date;Sleep Score;Total Sleep Time;Average HRV;Activity Burn;Total Burn;Steps;Readiness Score\n";
    let rows = "2024-05-02;84;25.200;62,5;510;2.650;9.876;81\n2024-05-03;80;24.300;58;1.020;2.900;11.046;79\n";
    let (_, read) = read_bytes("oura_trends.csv", format!("{header}{rows}"));
    assert_eq!(read.rejects, []);
    for (metric, first, second) in [
        (M::Steps, 9_876.0, 11_046.0),
        (M::ActiveCalories, 510.0, 1_020.0),
        (M::TotalCalories, 2_650.0, 2_900.0),
        (M::SleepDuration, 7.0, 6.75),
        (M::HeartRateVariabilityRmssd, 62.5, 58.0),
    ] {
        read.check_days(metric, &[("2024-05-02", first), ("2024-05-03", second)]);
    }
}

#[test]
fn heart_rates_of_a_day_become_its_mean_and_lowest_half_hour() {
    let rows = "2024-05-02T08:00:00+02:00;60;awake\n2024-05-02T08:10:00+02:00;70;awake\n\
                2024-05-02T06:20:00Z;80;awake\n2024-05-02T09:00:00+02:00;50;rest\n\
                2024-05-02T09:05:00+02:00;;rest\n";
    let table = format!("timestamp;bpm;source\n{rows}yesterday;60;rest\n");
    let (report, read) = read_bytes("heartrate.csv", table);
    assert_eq!(report.formats[0].format.as_str(), "oura");
    // Half an hour with 60, 70 and 80, and one with a single 50.
    let evening = "2024-05-03T00:00:00Z";
    read.check(M::AverageHeartRate, "2024-05-02", 60.0, evening);
    read.check(M::LowestHeartRate, "2024-05-02", 70.0, evening);
    assert_eq!(report.skipped[&S::Missing], 1);
    assert_eq!(read.faults(), [(7, R::BadTime)]);
    let json =
        r#"{"heartrate":[{"bpm":60,"source":"awake","timestamp":"2024-05-02T06:00:00+00:00"}]}"#;
    let (_, read) = read_bytes("heartrate.json", json);
    read.check(M::AverageHeartRate, "2024-05-02", 60.0, evening);
}

#[test]
fn tags_are_of_the_day_on_which_they_begin() {
    let rows = "id;tag_type_code;start_time;end_time;start_day;end_day;comment;custom_name\n\
                a1;tag_generic_late_meal;2024-05-01T22:10:00+02:00;;2024-05-01;;\"pizza; two\";\n\
                a2;custom;2024-05-02T08:00:00+02:00;;2024-05-02;;;Cold plunge\n\
                a3;;2024-05-02T08:00:00+02:00;;2024-05-02;;;\n\
                a4;tag_generic_sauna;2024-05-03T00:30:00+02:00;;;;;\n";
    let json = r#"{"enhanced_tag": [
        {"id": "a1", "tag_type_code": "tag_generic_late_meal", "start_time": "2024-05-01T22:10:00+02:00",
         "end_time": null, "start_day": "2024-05-01", "end_day": null, "comment": "pizza; two", "custom_name": null},
        {"id": "a2", "tag_type_code": "custom", "start_time": "2024-05-02T08:00:00+02:00", "end_time": null,
         "start_day": "2024-05-02", "end_day": null, "comment": null, "custom_name": "Cold plunge"},
        {"id": "a3", "tag_type_code": "", "start_time": "2024-05-02T08:00:00+02:00", "end_time": null,
         "start_day": "2024-05-02", "end_day": null, "comment": null, "custom_name": null},
        {"id": "a4", "tag_type_code": "tag_generic_sauna", "start_time": "2024-05-03T00:30:00+02:00", "end_time": null,
         "start_day": null, "end_day": null, "comment": null, "custom_name": null}]}"#;
    for (name, text) in [("enhancedtag.csv", rows), ("oura.json", json)] {
        let (report, read) = read_bytes(name, text);
        assert_eq!(report.formats[0].format.as_str(), "oura", "{name}");
        assert_eq!(report.skipped[&S::Missing], 1, "{name}");
        let said: Vec<_> = read
            .tags()
            .into_iter()
            .map(|tag| {
                let day = tag.provenance.day.to_string();
                (day, tag.name.as_str(), tag.note.as_deref())
            })
            .collect();
        assert_eq!(
            said,
            [
                ("2024-05-01".to_owned(), "late meal", Some("pizza; two")),
                ("2024-05-02".to_owned(), "Cold plunge", None),
                ("2024-05-03".to_owned(), "sauna", None),
            ],
            "{name}"
        );
    }
}
