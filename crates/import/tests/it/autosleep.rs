//! The history of AutoSleep.

use crate::folder::{Folder, Read, day, instant, mine, read_with};
use vitalcast_domain::MetricType as M;
use vitalcast_import::{ImportReport, RejectReason as R, SkipReason};

const HEADER: &str = "ISO8601,fromDate,toDate,bedtime,waketime,inBed,awake,fellAsleepIn,sessions,asleep,\
                      asleepAvg7,efficiency,efficiencyAvg7,deep,deepAvg7,sleepBPM,dayBPM,wakingBPM,hrv,\
                      hrvAvg7,sleepHRV,SpO2Avg,respAvg,tags,notes\n";

fn read(rows: &str) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.write("AutoSleep-20260317.csv", format!("{HEADER}{rows}"));
    read_with(&path, &mine("Europe/Berlin")).unwrap()
}

const NIGHT: &str = "2025-03-18T23:59:59+01:00,\"Monday, Mar 17, 2025\",\"Tuesday, Mar 18, 2025\",2025-03-17 \
                     22:45:00,2025-03-18 06:45:00,08:00:00,00:30:00,00:00:00,1,07:30:00,06:59:00,93.75,90,\
                     01:45:00,01:30:00,51.5,70,55,48,45,52,96.5,14.5,,\"a, b\"\n";

#[test]
fn a_row_is_the_night_before_its_second_date() {
    let (report, read) = read(NIGHT);
    assert_eq!(report.formats[0].format.as_str(), "autosleep");
    for (metric, value) in [
        (M::SleepDuration, 7.5),
        (M::DeepSleepDuration, 1.75),
        (M::AwakeDuration, 0.5),
        (M::TimeInBed, 8.0),
        (M::SleepEfficiency, 93.75),
        (M::SleepingHeartRate, 51.5),
        (M::Bedtime, -1.25),
        (M::WakeTime, 6.75),
        (M::HeartRateVariabilitySdnn, 48.0),
        (M::OxygenSaturation, 96.5),
        (M::RespiratoryRate, 14.5),
    ] {
        assert_eq!(read.series(metric), [day("2025-03-18", value)], "{metric}");
    }
    // A pulse at waking is no resting heart rate.
    assert_eq!(read.series(M::RestingHeartRate), []);
    let known = read
        .records
        .iter()
        .map(|(_, record)| record.provenance().known_at);
    let known: std::collections::BTreeSet<_> = known.collect();
    let (waking, noon) = (
        instant("2025-03-18T05:45:00Z"),
        instant("2025-03-18T11:00:00Z"),
    );
    assert_eq!(known.into_iter().collect::<Vec<_>>(), [waking, noon]);
    assert!(
        read.records
            .iter()
            .all(|(_, record)| record.provenance().source == "autosleep")
    );
}

#[test]
fn a_date_in_another_language_is_taken_from_the_time_of_waking() {
    let text = NIGHT
        .replace("Tuesday, Mar 18, 2025", "Dienstag, 18. März 2025")
        .replace("Monday, Mar 17, 2025", "Montag, 17. März 2025");
    let (_, translated) = read(&text);
    assert_eq!(
        translated.series(M::SleepDuration),
        [day("2025-03-18", 7.5)]
    );
    // Clock times without a date.
    let text = text
        .replace("2025-03-17 22:45:00", "22:45:00")
        .replace("2025-03-18 06:45:00", "06:45:00");
    let (_, clocks) = read(&text);
    assert_eq!(clocks.series(M::Bedtime), [day("2025-03-18", -1.25)]);
    // The same night has the same ids.
    assert_eq!(clocks, translated);
}

#[test]
fn what_is_empty_or_zero_is_missing_and_a_bad_cell_is_told() {
    let row = |asleep: &str, hrv: &str| {
        format!(
            "2025-03-19T23:59:59+01:00,x,\"Wednesday, Mar 19, 2025\",,,,,,0,{asleep},,,,,,,,,{hrv},,,,,,\n"
        )
    };
    let (report, read) = read(
        &[
            row("00:00:00", "0"),
            row("", ""),
            row("seven", "40"),
            ",,someday,,,,,,,07:00:00,,,,,,,,,,,,,,,\n".to_owned(),
        ]
        .concat(),
    );
    assert_eq!(report.skipped[&SkipReason::Missing], 2);
    assert_eq!(read.series(M::SleepDuration), []);
    assert_eq!(
        read.series(M::HeartRateVariabilitySdnn),
        [day("2025-03-19", 40.0)]
    );
    assert_eq!(read.faults(), [(4, R::BadNumber), (5, R::BadTime)]);
}

#[test]
fn a_night_in_which_clocks_change_keeps_its_clock_times() {
    let text = NIGHT
        .replace("Mar 18, 2025", "Mar 30, 2025")
        .replace("2025-03-17 22", "2025-03-29 22")
        .replace("2025-03-18 06", "2025-03-30 06");
    let (_, read) = read(&text);
    assert_eq!(read.series(M::Bedtime), [day("2025-03-30", -1.25)]);
    assert_eq!(read.series(M::WakeTime), [day("2025-03-30", 6.75)]);
    let night = read.records[0].1.provenance().span.unwrap();
    assert_eq!((night.hours() * 100.0).round() / 100.0, 7.0);
}
