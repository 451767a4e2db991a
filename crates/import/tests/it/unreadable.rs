//! A text in the place of a number was measured and cannot be read; it does not say "not measured".

use crate::folder::read_files;
use vitalcast_import::RejectReason as R;

/// Files with `@` in the place of a number, and a number that may stand there.
const FILES: [(&str, &str, &str); 16] = [
    (
        "HealthAutoExport-2025.json",
        r#"{"data":{"metrics":[{"name":"resting_heart_rate","units":"bpm","data":[
            {"date":"2025-05-29 07:00:00 -0700","qty":@,"source":"Watch"}]}]}}"#,
        "55",
    ),
    (
        "HealthAutoExport-2025.json",
        r#"{"data":{"metrics":[{"name":"blood_pressure","units":"mmHg","data":[
            {"date":"2025-05-29 07:00:00 -0700","systolic":@,"diastolic":80,"source":"Cuff"}]}]}}"#,
        "121",
    ),
    (
        "HealthAutoExport-2025.json",
        r#"{"data":{"metrics":[{"name":"sleep_analysis","units":"hr","data":[
            {"sleepStart":"2025-05-28 23:00:00 -0700","sleepEnd":"2025-05-29 07:00:00 -0700","totalSleep":7,
             "deep":@,"source":"Watch"}]}]}}"#,
        "1.5",
    ),
    (
        "HealthAutoExport-2025.json",
        r#"{"data":{"metrics":[],"workouts":[{"name":"Running","start":"2025-05-28 18:00:00 -0700",
            "end":"2025-05-28 19:00:00 -0700","activeEnergyBurned":{"qty":@,"units":"kcal"}}]}}"#,
        "400",
    ),
    (
        "steps-2024-03-01.json",
        r#"[{"dateTime":"03/01/24 12:00:00","value":@}]"#,
        "\"55\"",
    ),
    (
        "resting_heart_rate-2024-01-01.json",
        r#"[{"dateTime":"03/01/24 00:00:00","value":{"date":"03/01/24","value":@,"error":6.7}}]"#,
        "55.5",
    ),
    (
        "UDSFile_2024-05-01_2024-08-09.json",
        r#"[{"calendarDate":"2024-05-02","totalSteps":9876,"restingHeartRate":@}]"#,
        "52",
    ),
    (
        "UDSFile_2024-05-01_2024-08-09.json",
        r#"[{"calendarDate":"2024-05-02","totalSteps":9876,"allDayStress":{"aggregatorList":[
            {"type":"TOTAL","averageStressLevel":@}]}}]"#,
        "31",
    ),
    (
        "sleep_result_1.json",
        r#"[{"night":"2024-05-03","evaluation":{"asleepDuration":"PT6H30M","analysis":{"efficiencyPercent":@}}}]"#,
        "93.5",
    ),
    (
        "suunto.json",
        r#"[{"timestamp":"2024-05-02T10:00:00+00:00","entryData":{"StepCount":@}}]"#,
        "55",
    ),
    (
        "raw_heart_rate.json",
        r#"{"Data Source":"derived:com.google.heart_rate.bpm:x","Data Points":[{"fitValue":[{"value":{"fpVal":@}}],
            "originDataSourceId":"","endTimeNanos":1714640400000000000,
            "dataTypeName":"com.google.heart_rate.bpm","startTimeNanos":1714640400000000000}]}"#,
        "61.5",
    ),
    (
        "treatments.json",
        r#"[{"_id":"c","eventType":"Snack Bolus","created_at":"2025-03-05T15:00:00Z","carbs":20,"protein":@}]"#,
        "5",
    ),
    (
        "tidepool.json",
        r#"[{"type":"food","id":"f1","deviceId":"d","time":"2025-03-05T14:30:00Z","timezoneOffset":600,"uploadId":"u",
            "nutrition":{"carbohydrate":{"net":80,"units":"grams"},"protein":{"total":@}}}]"#,
        "20",
    ),
    (
        "points.json",
        r#"[{"header":{"uuid":"a","schema_id":{"namespace":"omh","name":"x","version":"1.0"}},
            "body":{"total_sleep_time":{"value":7,"unit":"h"},"wake_after_sleep_onset":{"value":@,"unit":"min"},
            "effective_time_frame":{"time_interval":{"start_date_time":"2025-03-29T23:00:00Z",
            "end_date_time":"2025-03-30T07:00:00Z"}}}}]"#,
        "20",
    ),
    (
        "wellness.json",
        r#"[{"id":"2024-05-02","restingHR":50,"hrv":@,"sleepSecs":25200,"ctl":1,"atl":1}]"#,
        "61",
    ),
    (
        "daily_spo2.json",
        r#"[{"id":"o1","day":"2024-05-02","spo2_percentage":{"average":@}}]"#,
        "97.5",
    ),
];

#[test]
fn a_text_in_the_place_of_a_number_is_rejected_in_every_json_format() {
    for (name, text, number) in FILES {
        let read = |value: &str| {
            let (report, read) = read_files("Europe/Berlin", &[(name, text.replace('@', value))]);
            (report.records, read.faults())
        };
        let (whole, faults) = read(number);
        assert!(
            whole > 0 && faults.is_empty(),
            "{text}: {whole}, {faults:?}"
        );
        for missing in ["null", "\"\"", "\"n/a\"", "\" -- \""] {
            let (found, faults) = read(missing);
            assert!(found < whole || whole == 1, "{text}: {missing}");
            assert!(faults.is_empty(), "{text}: {missing}: {faults:?}");
        }
        let (_, faults) = read("\"viel\"");
        let reasons: Vec<R> = faults.iter().map(|(_, reason)| *reason).collect();
        assert_eq!(reasons, [R::BadNumber], "{text}");
    }
}

#[test]
fn the_message_names_the_field_or_its_place_and_no_value() {
    for (name, text, words) in [
        (FILES[0].0, FILES[0].1, "qty is not a number"),
        (FILES[11].0, FILES[11].1, "protein is not a number"),
        (
            FILES[5].0,
            FILES[5].1,
            "a field is a text that is not a number (line 1, column 73 of the object)",
        ),
    ] {
        let (_, read) = read_files("UTC", &[(name, text.replace('@', "\"viel\""))]);
        let message = &read.rejects[0].message;
        assert!(
            message.contains(words) && !message.contains("viel"),
            "{message}"
        );
    }
}
