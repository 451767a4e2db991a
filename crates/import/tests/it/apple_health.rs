//! `export.xml` of Apple Health.

mod elements;

use crate::folder::{Folder, Read, day, instant, mine, options, profile_in, read_with};
use std::path::Path;
use vitalcast_domain::{MetricType as M, Profile, ReadingKind, Record};
use vitalcast_import::{Format, ImportOptions, ImportReport, RejectReason as R, SkipReason};

fn of_me() -> ImportOptions {
    ImportOptions {
        owner: Some("me".parse().unwrap()),
        ..options()
    }
}

fn xml(elements: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!-- HealthKit Export \
         Version: 13 -->\n<!ELEMENT HealthData (ExportDate,Me,(Record|Workout)*)>\n<!ATTLIST Record\n  \
         type CDATA #REQUIRED\n]>\n<HealthData locale=\"en_US\">\n <ExportDate value=\"2025-10-25 \
         10:00:00 +0200\"/>\n{elements}</HealthData>\n"
    )
}

fn read_as(elements: &str, options: &ImportOptions) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.write("apple_health_export/export.xml", xml(elements));
    read_with(&path, options).unwrap()
}

fn read(elements: &str) -> (ImportReport, Read) {
    read_as(elements, &mine("Europe/Berlin"))
}

/// A record without its prefix, its value, unit, source, start and end.
fn record(word: &str, value: &str, unit: &str, source: &str, start: &str, end: &str) -> String {
    format!(
        " <Record type=\"HK{word}\" sourceName=\"{source}\" sourceVersion=\"10.2\" \
         device=\"&lt;&lt;HKDevice: 0x30&gt;, name:x&gt;\" unit=\"{unit}\" creationDate=\"{end}\" \
         startDate=\"{start}\" endDate=\"{end}\" value=\"{value}\"/>\n"
    )
}

fn quantity(word: &str, value: &str, unit: &str, source: &str, start: &str) -> String {
    record(
        &format!("QuantityTypeIdentifier{word}"),
        value,
        unit,
        source,
        start,
        start,
    )
}

fn sleep(stage: &str, source: &str, start: &str, end: &str, zone: Option<&str>) -> String {
    let zone = zone.map_or(String::new(), |zone| {
        format!("<MetadataEntry key=\"HKTimeZone\" value=\"{zone}\"/>")
    });
    format!(
        " <Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" sourceName=\"{source}\" \
         creationDate=\"{end}\" startDate=\"{start}\" endDate=\"{end}\" \
         value=\"HKCategoryValueSleepAnalysis{stage}\">{zone}</Record>\n"
    )
}

fn profile_of(elements: &str) -> Profile {
    let folder = Folder::new();
    let path = folder.write("export.xml", xml(elements));
    let profile = profile_in(&path, &of_me());
    profile.validate().unwrap();
    profile
}

#[test]
fn phone_and_watch_are_two_sources_and_their_samples_are_totals_of_a_day() {
    let steps = |value, source, start| quantity("StepCount", value, "count", source, start);
    let (report, read) = read(
        &[
            steps(
                "100",
                "Anna’s Apple\u{a0}Watch",
                "2025-05-01 08:00:00 +0200",
            ),
            steps(
                "250",
                "Anna’s Apple\u{a0}Watch",
                "2025-05-01 20:00:00 +0200",
            ),
            steps("300", "iPhone von Anna", "2025-05-01 20:00:00 +0200"),
            // An old watch was renamed: it is not another one, and of two the larger counts.
            steps("40", "Apple Watch", "2025-05-01 21:00:00 +0200"),
            steps("70", "Pedometer++", "2025-05-02 21:00:00 +0200"),
            steps("-5", "Pedometer++", "2025-05-02 22:00:00 +0200"),
            steps("x", "Pedometer++", "2025-05-02 22:00:00 +0200"),
        ]
        .concat(),
    );
    assert_eq!(report.formats[0].format.as_str(), "apple-health");
    assert_eq!(
        read.by_source(M::Steps),
        [
            ("apple-health/Apple Watch", "2025-05-01".to_owned(), 350.0),
            ("apple-health/Pedometer++", "2025-05-02".to_owned(), 70.0),
            ("apple-health/iPhone", "2025-05-01".to_owned(), 300.0),
        ]
    );
    assert_eq!(report.rows_read, 7);
    let reasons: Vec<R> = read.rejects.iter().map(|reject| reject.reason).collect();
    assert_eq!(reasons, [R::OutOfRange, R::BadNumber]);
}

#[test]
fn the_written_offset_moves_no_day_when_a_zone_is_known() {
    // Exported in summer: New Year's Eve 23:30 in Berlin is written as 00:30 of New Year's Day.
    let steps = quantity(
        "StepCount",
        "100",
        "count",
        "iPhone",
        "2025-01-01 00:30:00 +0200",
    );
    let (_, berlin) = read(&steps);
    assert_eq!(berlin.series(M::Steps), [day("2024-12-31", 100.0)]);
    // Without any zone the written offset counts, and a note says so.
    let (report, unknown) = read_as(&steps, &of_me());
    assert_eq!(unknown.series(M::Steps), [day("2025-01-01", 100.0)]);
    assert!(
        report.notes[0].contains("names no time zone"),
        "{:?}",
        report.notes
    );
}

#[test]
fn without_a_zone_heart_rates_and_nights_have_the_written_clock_too() {
    let rates: String = ["01:00:00", "01:10:00", "01:20:00"]
        .iter()
        .map(|clock| {
            let start = format!("2025-01-02 {clock} +1000");
            quantity("HeartRate", "60", "count/min", "Apple Watch", &start)
        })
        .collect();
    let night = sleep(
        "Asleep",
        "Apple Watch",
        "2025-01-01 23:00:00 +1000",
        "2025-01-02 06:00:00 +1000",
        None,
    );
    let (_, read) = read_as(&(rates + &night), &of_me());
    assert_eq!(read.series(M::AverageHeartRate), [day("2025-01-02", 60.0)]);
    assert_eq!(read.series(M::LowestHeartRate), [day("2025-01-02", 60.0)]);
    assert_eq!(read.series(M::SleepDuration), [day("2025-01-02", 7.0)]);
    assert_eq!(read.series(M::Bedtime), [day("2025-01-02", -1.0)]);
}

#[test]
fn the_zones_of_the_export_become_those_of_a_new_person() {
    let night = |date: &str, zone| {
        let (start, end) = (
            format!("{date} 01:00:00 +0000"),
            format!("{date} 05:00:00 +0000"),
        );
        sleep("AsleepCore", "Apple Watch", &start, &end, Some(zone))
    };
    let profile = profile_of(
        &[
            // Not in the order of time; a stop of one day is no stay.
            night("2025-03-10", "America/New_York"),
            night("2025-03-11", "America/New_York"),
            night("2025-03-01", "Europe/Berlin"),
            night("2025-03-02", "Europe/Berlin"),
            night("2025-03-05", "Asia/Tokyo"),
            night("2025-03-06", "Europe/Berlin"),
            night("2025-03-07", "Mars/Olympus"),
            quantity(
                "BodyMass",
                "150",
                "lb",
                "Scale",
                "2025-03-02 07:00:00 +0000",
            ),
            quantity("BodyMass", "80", "kg", "Scale", "2025-03-01 07:00:00 +0000"),
            quantity("Height", "5.9", "ft", "Health", "2020-03-01 07:00:00 +0000"),
        ]
        .concat(),
    );
    assert_eq!(profile.zone.name(), "Europe/Berlin");
    let moves: Vec<(String, &str)> = profile
        .moves
        .iter()
        .map(|stay| (stay.from.to_string(), stay.zone.name()))
        .collect();
    // 01:00 in UTC is the evening before in New York.
    assert_eq!(moves, [("2025-03-09".to_owned(), "America/New_York")]);
    assert!((profile.weight_kg.unwrap() - 68.038_855_5).abs() < 1e-9);
    assert!((profile.height_cm.unwrap() - 179.832).abs() < 1e-9);
}

#[test]
fn cycles_begin_on_the_local_day_of_their_first_entry() {
    let flow = |start: &str, first: u8| {
        format!(
            "<Record type=\"HKCategoryTypeIdentifierMenstrualFlow\" sourceName=\"Health\" \
             creationDate=\"{start}\" startDate=\"{start}\" endDate=\"{start}\" \
             value=\"HKCategoryValueMenstrualFlowMedium\">\n  <MetadataEntry \
             key=\"HKMenstrualCycleStart\" value=\"{first}\"/>\n </Record>\n"
        )
    };
    let profile = profile_of(
        &[
            flow("2025-04-02 23:30:00 +0200", 1),
            flow("2025-04-03 12:00:00 +0200", 0),
            flow("2025-03-05 12:00:00 +0200", 1),
        ]
        .concat(),
    );
    let starts: Vec<String> = profile
        .cycle_starts
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(starts, ["2025-03-05", "2025-04-02"]);
}

#[test]
fn a_night_counts_each_minute_once_by_source_on_the_clock_of_its_zone() {
    let watch =
        |stage, start, end| sleep(stage, "Apple Watch", start, end, Some("America/New_York"));
    // In New York, written by a phone that is back in Berlin: 23:00 to 06:00 is 04:00 to 11:00 UTC.
    let (_, read) = read(
        &[
            sleep(
                "InBed",
                "iPhone",
                "2025-01-11 04:30:00 +0100",
                "2025-01-11 12:30:00 +0100",
                None,
            ),
            watch(
                "AsleepCore",
                "2025-01-11 05:00:00 +0100",
                "2025-01-11 08:00:00 +0100",
            ),
            watch(
                "AsleepCore",
                "2025-01-11 05:00:00 +0100",
                "2025-01-11 08:00:00 +0100",
            ),
            watch(
                "Awake",
                "2025-01-11 08:00:00 +0100",
                "2025-01-11 08:30:00 +0100",
            ),
            watch(
                "AsleepDeep",
                "2025-01-11 08:30:00 +0100",
                "2025-01-11 10:00:00 +0100",
            ),
            watch(
                "AsleepREM",
                "2025-01-11 10:00:00 +0100",
                "2025-01-11 12:00:00 +0100",
            ),
            watch(
                "Dreaming",
                "2025-01-11 10:00:00 +0100",
                "2025-01-11 12:00:00 +0100",
            ),
        ]
        .concat(),
    );
    for (metric, value) in [
        (M::SleepDuration, 6.5),
        (M::DeepSleepDuration, 1.5),
        (M::RemSleepDuration, 2.0),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 7.0),
        (M::Bedtime, -1.0),
        (M::WakeTime, 6.0),
    ] {
        assert_eq!(read.series(metric), [day("2025-01-11", value)], "{metric}");
    }
    assert_eq!(read.rejects.len(), 1);
    assert_eq!(read.rejects[0].reason, R::UnknownWord);
}

#[test]
fn a_night_in_which_clocks_change_has_its_true_length() {
    // Berlin, 30 March 2025: 23:00 to 07:00 by the clock is seven hours.
    let night = |zone| {
        sleep(
            "Asleep",
            "AutoSleep",
            "2025-03-29 23:00:00 +0100",
            "2025-03-30 06:00:00 +0100",
            zone,
        )
    };
    for zone in [None, Some("Europe/Berlin")] {
        let (_, read) = read(&night(zone));
        assert_eq!(read.series(M::SleepDuration), [day("2025-03-30", 7.0)]);
        assert_eq!(read.series(M::Bedtime), [day("2025-03-30", -1.0)]);
        assert_eq!(read.series(M::WakeTime), [day("2025-03-30", 7.0)]);
    }
}

#[test]
fn the_last_resting_heart_rate_of_a_day_counts() {
    let resting = |value: &str, end: &str, created: &str| {
        format!(
            "<Record type=\"HKQuantityTypeIdentifierRestingHeartRate\" sourceName=\"Apple Watch\" \
             unit=\"count/min\" creationDate=\"{created}\" startDate=\"2025-05-01 00:05:00 +0200\" \
             endDate=\"{end}\" value=\"{value}\"/>\n"
        )
    };
    let (report, read) = read(
        &[
            resting(
                "58",
                "2025-05-01 22:00:00 +0200",
                "2025-05-01 22:00:00 +0200",
            ),
            resting(
                "61",
                "2025-05-01 09:00:00 +0200",
                "2025-05-01 09:00:00 +0200",
            ),
            resting(
                "57",
                "2025-05-01 22:00:00 +0200",
                "2025-05-01 23:00:00 +0200",
            ),
            resting(
                "0",
                "2025-05-01 23:30:00 +0200",
                "2025-05-01 23:30:00 +0200",
            ),
        ]
        .concat(),
    );
    assert_eq!(read.series(M::RestingHeartRate), [day("2025-05-01", 57.0)]);
    assert_eq!(report.skipped[&SkipReason::Missing], 1);
    let provenance = read.only().provenance();
    assert_eq!(provenance.source_id, "resting_heart_rate-2025-05-01");
    // It may be revised until midnight.
    assert_eq!(provenance.known_at, instant("2025-05-01T22:00:00Z"));
}

#[test]
fn units_are_those_that_are_written_beside_the_value() {
    let at = "2025-05-01 08:00:00 +0200";
    let (report, read) = read(
        &[
            quantity("ActiveEnergyBurned", "418.4", "kJ", "Apple Watch", at),
            quantity("ActiveEnergyBurned", "50", "Cal", "Apple Watch", at),
            quantity("BasalEnergyBurned", "1500", "kcal", "Apple Watch", at),
            quantity("BasalEnergyBurned", "1400", "kcal", "iPhone", at),
            quantity("OxygenSaturation", "0.97", "%", "Apple Watch", at),
            quantity("OxygenSaturation", "95", "%", "Oximeter", at),
            quantity("BodyFatPercentage", "0.184", "%", "Scale", at),
            quantity(
                "BloodGlucose",
                "5",
                "mmol&lt;180.1558800000541&gt;/L",
                "CGM",
                at,
            ),
            quantity("BloodGlucose", "110", "mg/dL", "Meter", at),
            quantity("VO2Max", "41.5", "mL/min·kg", "Apple Watch", at),
            quantity("RespiratoryRate", "14", "count/min", "Apple Watch", at),
            quantity("RespiratoryRate", "0.25", "count/s", "Apple Watch", at),
            quantity("HeartRateVariabilitySDNN", "42.5", "ms", "Apple Watch", at),
            quantity("HeartRateVariabilityRMSSD", "0", "ms", "Apple Watch", at),
            quantity("RestingHeartRate", "55", "furlong", "Apple Watch", at),
            record(
                "QuantityTypeIdentifierAppleSleepingWristTemperature",
                "95.0",
                "degF",
                "Apple Watch",
                "2025-04-30 23:00:00 +0200",
                "2025-05-01 07:00:00 +0200",
            ),
        ]
        .concat(),
    );
    // 418.4 kJ are 100 kcal; the phone has no active energy, so it has no total.
    assert_eq!(read.series(M::ActiveCalories), [day("2025-05-01", 150.0)]);
    assert_eq!(read.series(M::TotalCalories), [day("2025-05-01", 1650.0)]);
    let spo2: Vec<f64> = read
        .by_source(M::OxygenSaturation)
        .iter()
        .map(|found| found.2)
        .collect();
    assert_eq!(spo2, [97.0, 95.0]);
    assert!((read.series(M::BodyFatPercentage)[0].1 - 18.4).abs() < 1e-9);
    let glucose: Vec<f64> = read
        .by_source(M::BloodGlucose)
        .iter()
        .map(|found| found.2)
        .collect();
    assert_eq!(glucose, [90.078, 110.0]);
    assert_eq!(read.series(M::Vo2Max), [day("2025-05-01", 41.5)]);
    // 14 and 15 breaths a minute.
    assert_eq!(read.series(M::RespiratoryRate), [day("2025-05-01", 14.5)]);
    assert_eq!(
        read.series(M::HeartRateVariabilitySdnn),
        [day("2025-05-01", 42.5)]
    );
    assert_eq!(read.series(M::HeartRateVariabilityRmssd), []);
    assert_eq!(report.skipped[&SkipReason::Missing], 1);
    assert_eq!(read.series(M::SkinTemperature), [day("2025-05-01", 35.0)]);
    assert_eq!(read.faults(), [(15, R::UnknownWord)]);
}

#[test]
fn summaries_of_the_rings_fill_days_without_samples() {
    let ring = |date: &str, energy: &str, minutes: &str, hours: &str| {
        format!(
            "<ActivitySummary dateComponents=\"{date}\" activeEnergyBurned=\"{energy}\" \
             activeEnergyBurnedGoal=\"630\" activeEnergyBurnedUnit=\"kJ\" appleMoveTime=\"0\" \
             appleExerciseTime=\"{minutes}\" appleStandHours=\"{hours}\"/>\n"
        )
    };
    let stand = |value: &str, start: &str| {
        let word = "CategoryTypeIdentifierAppleStandHour";
        record(
            word,
            &format!("HKCategoryValueAppleStandHour{value}"),
            "",
            "Apple Watch",
            start,
            start,
        )
    };
    let (report, read) = read(
        &[
            ring("1969-12-30", "0", "0", "0"),
            ring("2025-05-01", "2092", "30", "12"),
            ring("2025-05-02", "418.4", "20", "9"),
            stand("Stood", "2025-05-01 08:00:00 +0200"),
            stand("Stood", "2025-05-01 09:00:00 +0200"),
            stand("Idle", "2025-05-01 10:00:00 +0200"),
            quantity(
                "AppleExerciseTime",
                "1",
                "min",
                "Apple Watch",
                "2025-05-02 09:00:00 +0200",
            ),
        ]
        .concat(),
    );
    let (watch, summary) = ("apple-health/Apple Watch", "apple-health/summary");
    let (first, second) = ("2025-05-01".to_owned(), "2025-05-02".to_owned());
    assert_eq!(
        read.by_source(M::ActiveCalories),
        [
            (summary, first.clone(), 500.0),
            (summary, second.clone(), 100.0),
        ]
    );
    assert_eq!(
        read.by_source(M::ExerciseMinutes),
        [(watch, second.clone(), 1.0), (summary, first.clone(), 30.0),]
    );
    assert_eq!(
        read.by_source(M::StandingHours),
        [(watch, first, 2.0), (summary, second, 9.0)]
    );
    assert_eq!(report.skipped[&SkipReason::NotWorn], 1);
}

#[test]
fn the_day_of_the_export_has_a_total_so_far() {
    let (_, read) = read(
        &[
            quantity(
                "StepCount",
                "10",
                "count",
                "iPhone",
                "2025-10-24 09:00:00 +0200",
            ),
            quantity(
                "StepCount",
                "20",
                "count",
                "iPhone",
                "2025-10-25 08:00:00 +0200",
            ),
        ]
        .concat(),
    );
    let kinds: Vec<ReadingKind> = read
        .records
        .iter()
        .map(|(_, record)| match record {
            Record::HealthMetric(reading) => reading.kind(),
            Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => panic!("steps only"),
        })
        .collect();
    assert_eq!(kinds, [ReadingKind::DayTotal, ReadingKind::RunningTotal]);
}

#[test]
fn the_published_samples_are_read() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/apple-health");
    let (report, read) = read_with(&samples.join("export_2024_style.xml"), &of_me()).unwrap();
    assert_eq!(
        report.formats[0].format,
        "apple-health".parse::<Format>().unwrap()
    );
    assert_eq!(
        read.people,
        [("me".to_owned(), "Europe/Amsterdam".to_owned())]
    );
    // Written as 01:02 and 01:52 of summer time, it is 00:02 and 00:52 in winter.
    let energy = [day("2024-01-01", 0.12), day("2024-01-02", 0.08)];
    assert_eq!(read.series(M::ActiveCalories), energy);
    assert_eq!(read.series(M::ExerciseMinutes), [day("2024-01-01", 1.0)]);
    assert_eq!(read.series(M::AverageHeartRate), [day("2024-01-01", 74.5)]);
    // 03:27:53 to 03:40:23.
    let minutes = read.series(M::SleepDuration)[0].1 * 60.0;
    assert!((minutes - 12.5).abs() < 1e-9);
    let (_, read) = read_with(&samples.join("export_2019_style.xml"), &of_me()).unwrap();
    assert_eq!(read.people[0].1, "America/Los_Angeles");
    let [run] = read.workouts()[..] else {
        panic!("{:?}", read.records);
    };
    assert_eq!(run.provenance.day.to_string(), "2016-11-14");
    assert!((run.distance_m.unwrap() - 800.13).abs() < 0.01);
    let stand = [day("2016-11-15", 13.0), day("2016-11-16", 9.0)];
    assert_eq!(read.series(M::StandingHours), stand);
}

#[test]
fn the_zone_of_the_computer_counts_only_with_the_offset_that_the_phone_wrote() {
    // Half past eleven at night on a phone at UTC+2, read on a computer somewhere else.
    let steps = quantity(
        "StepCount",
        "10",
        "count",
        "iPhone",
        "2025-05-01 23:30:00 +0200",
    );
    for (computer, zone) in [
        ("UTC", "Etc/GMT-2"),
        ("Asia/Tokyo", "Etc/GMT-2"),
        ("Europe/Berlin", "Europe/Berlin"),
    ] {
        let (_, read) = read_as(&steps, &mine(computer));
        assert_eq!(read.people[0].1, zone, "{computer}");
        assert_eq!(
            read.series(M::Steps),
            [day("2025-05-01", 10.0)],
            "{computer}"
        );
    }
    // A zone that was named counts, whatever the phone wrote.
    let options = ImportOptions {
        zone: Some("Asia/Tokyo".parse().unwrap()),
        ..mine("UTC")
    };
    let (_, read) = read_as(&steps, &options);
    assert_eq!(read.series(M::Steps), [day("2025-05-02", 10.0)]);
}
