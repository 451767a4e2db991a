//! FHIR R4 resources.

use crate::folder::read_files;
use vitalcast_domain::{MetricType as M, ReadingKind};
use vitalcast_import::{RejectReason as R, SkipReason as S};

/// An observation with a code, a value with a unit, and more fields.
fn observation(code: &str, value: &str, unit: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","subject":{{"reference":"Patient/1"}},"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}"}}]}},"valueQuantity":{{"value":{value},"system":"http://unitsofmeasure.org","code":"{unit}"}},{more}}}"#
    )
}

fn lines(observations: &[String]) -> String {
    observations.join("\n") + "\n"
}

#[test]
fn bulk_data_is_read_by_codes_and_units() {
    let sleep = r#""effectivePeriod":{"start":"2025-03-29T23:30:00+01:00","end":"2025-03-30T07:00:00+02:00"},"id":"n1""#;
    let text = lines(&[
        r#"{"resourceType":"Patient","id":"1"}"#.to_owned(),
        observation(
            "40443-4",
            "52",
            "/min",
            r#""effectiveDateTime":"2025-03-30""#,
        ),
        observation(
            "80404-7",
            "61.5",
            "ms",
            r#""effectiveDateTime":"2025-03-30T07:00:00+02:00""#,
        ),
        observation("93832-4", "390", "min", sleep),
        observation("93831-6", "1.5", "h", sleep),
        observation(
            "41950-7",
            "9214",
            "{steps}/d",
            r#""effectiveDateTime":"2025-03-30""#,
        ),
        observation(
            "55423-8",
            "1200",
            "1",
            r#""effectivePeriod":{"start":"2025-03-30T10:00:00+02:00","end":"2025-03-30T10:30:00+02:00"}"#,
        ),
        observation(
            "41979-6",
            "9623.2",
            "kJ",
            r#""effectiveDateTime":"2025-03-30""#,
        ),
        observation(
            "8867-4",
            "77",
            "/min",
            r#""effectiveDateTime":"2025-03-30T07:00:00+02:00""#,
        ),
    ]);
    let (report, read) = read_files("Europe/Berlin", &[("Observation.ndjson", &text)]);
    let day = "2025-03-30";
    read.check_days(M::RestingHeartRate, &[(day, 52.0)]);
    read.check_days(M::HeartRateVariabilitySdnn, &[(day, 61.5)]);
    // The clocks went forward: 23:30 to 07:00 are six hours and a half.
    read.check_days(M::SleepDuration, &[(day, 6.5)]);
    read.check_days(M::DeepSleepDuration, &[(day, 1.5)]);
    read.check_days(M::TotalCalories, &[(day, 2_300.0)]);
    let steps: Vec<_> = read
        .readings(M::Steps)
        .map(|steps| (steps.value, steps.kind()))
        .collect();
    assert_eq!(
        steps,
        [
            (9_214.0, ReadingKind::DayTotal),
            (1_200.0, ReadingKind::Sample)
        ]
    );
    assert_eq!(
        report.skipped[&S::NotRead],
        1,
        "any heart rate is none at rest"
    );
    assert!(report.notes.iter().any(|note| note.contains("80404-7")));
    assert_eq!(
        read.source_ids(),
        read_files("Asia/Tokyo", &[("a.ndjson", &text)])
            .1
            .source_ids()
    );
}

#[test]
fn rmssd_under_the_code_of_sdnn_is_believed() {
    for more in [
        r#""method":{"text":"RMSSD"}"#,
        r#""device":{"display":"Oura Ring"}"#,
    ] {
        let more = format!(r#""effectiveDateTime":"2025-03-30",{more}"#);
        let text = observation("80404-7", "61.5", "ms", &more);
        let (_, read) = read_files("UTC", &[("a.json", &text)]);
        read.check_days(M::HeartRateVariabilityRmssd, &[("2025-03-30", 61.5)]);
    }
}

#[test]
fn what_is_wrong_or_of_a_week_or_of_a_month_is_no_value() {
    let time = r#""effectiveDateTime":"2025-03-30""#;
    let text = lines(&[
        observation("40443-4", "52", "/min", time).replace("final", "entered-in-error"),
        observation(
            "40443-4",
            "53",
            "/min",
            r#""effectivePeriod":{"start":"2025-03-24","end":"2025-03-30"}"#,
        ),
        observation("40443-4", "54", "/min", r#""effectiveDateTime":"2025-03""#),
        observation("40443-4", "55", "furlong", time),
        observation("40443-4", "\"x\"", "/min", time),
        "{\"resourceType\":\"Observation\",".to_owned(),
        observation("40443-4", "56", "/min", time).replace("Patient/1", "Patient/2"),
    ]);
    let (report, read) = read_files("UTC", &[("a.ndjson", &text)]);
    assert!(read.records.is_empty(), "{:?}", read.records);
    assert_eq!(
        read.faults(),
        [
            (3, R::BadTime),
            (4, R::WrongUnit),
            (5, R::BadNumber),
            (6, R::NotJson)
        ]
    );
    assert_eq!(
        (report.skipped[&S::NotRead], report.skipped[&S::OtherUser]),
        (2, 1)
    );
}

#[test]
fn a_bundle_gives_an_observation_once_and_its_corrected_version() {
    let time = r#""id":"o1","effectiveDateTime":"2025-03-30T07:00:00Z""#;
    let first = observation("40443-4", "52", "/min", time);
    let corrected = observation("40443-4", "50", "/min", time).replace("final", "amended");
    let report = format!(
        r#"{{"resourceType":"DiagnosticReport","contained":[{}]}}"#,
        first.replace("\"o1\"", "\"#c\"")
    );
    let pressure = r#"{"resourceType":"Observation","status":"final","effectiveDateTime":"2025-03-30T07:00:00Z","code":{"coding":[{"code":"85354-9"}]},
      "component":[{"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":118,"code":"mm[Hg]"}},
                   {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":76,"unit":"mmHg"}}]}"#;
    for text in [
        format!(
            "{{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"link\":[{{\"relation\":\"next\",\"url\":\"x\"}}],\n\"entry\":[{{\"resource\":{first}}},\n{{\"resource\":{report}}},{{\"resource\":{pressure}}}]}}"
        ),
        format!(
            "{{\"resourceType\":\"Bundle\",\"entry\":[{{\"resource\":{first}}},{{\"resource\":{report}}},{{\"resource\":{}}}]}}",
            pressure.replace('\n', "")
        ),
    ] {
        let (report, read) = read_files("UTC", &[("bundle.json", &text)]);
        read.check_days(M::RestingHeartRate, &[("2025-03-30", 52.0)]);
        read.check_days(M::BloodPressureSystolic, &[("2025-03-30", 118.0)]);
        read.check_days(M::BloodPressureDiastolic, &[("2025-03-30", 76.0)]);
        assert_eq!(
            report.skipped[&S::Repeated],
            1,
            "contained and an entry: once"
        );
    }
    let text = lines(&[corrected, first]);
    let (_, read) = read_files("UTC", &[("a.ndjson", &text)]);
    read.check_days(M::RestingHeartRate, &[("2025-03-30", 50.0)]);
}
