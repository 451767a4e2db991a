//! Sleep as Android's export.

use crate::folder::{read_files, read_fixture};
use vitalcast_domain::MetricType as M;
use vitalcast_import::{RejectReason as R, SkipReason as S};

const HEADER: &str = "Id,Tz,From,To,Sched,Hours,Rating,Comment,Framerate,Snore,Noise,Cycles,DeepSleep,LenAdjust,Geo,\"23:00\",\"Event\",\"Event\"";

/// A record with its header: start in UTC, hours, share of deep sleep and the adjustment.
fn record(start: &str, zone: &str, hours: &str, deep: &str, adjust: &str) -> String {
    let start: chrono::DateTime<chrono::Utc> = start.parse().unwrap();
    let id = start.timestamp_millis();
    format!(
        "{HEADER}\n\"{id}\",\"{zone}\",\"26. 10. 2024 23:00\",\"27. 10. 2024 7:00\",\"\",\"{hours}\",\"0.0\",\"said \"\"hm, yes\"\" #dream\",\"10007\",\"-1\",\"-1.0\",\"3\",\"{deep}\",\"{adjust}\",\"\",\"1.0\",\"DHA-{id}\",\"LUX-{id}-1\"\n,,,,,,,,,,,,,,,\"0.1\"\n"
    )
}

#[test]
fn records_have_headers_of_their_own_and_times_by_their_zone() {
    // Clocks went back in Berlin: nine hours from 23:00 to 07:00.
    let text = record(
        "2024-10-26T21:00:00Z",
        "Europe/Berlin",
        "9.000",
        "0.25",
        "-60",
    ) + &record(
        "2024-10-28T04:00:00Z",
        "America/New_York",
        "7.000",
        "-1.0",
        "-1.0",
    );
    let (_, read) = read_files("UTC", &[("sleep-export.csv", &text)]);
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    let [berlin, york] = ["2024-10-27", "2024-10-28"];
    read.check_days(M::SleepDuration, &[(berlin, 8.0), (york, 7.0)]);
    read.check_days(M::DeepSleepDuration, &[(berlin, 2.0)]);
    read.check_days(M::TimeInBed, &[(berlin, 9.0), (york, 7.0)]);
    read.check_days(M::Bedtime, &[(berlin, -1.0), (york, 0.0)]);
    read.check_days(M::WakeTime, &[(berlin, 7.0), (york, 7.0)]);
    assert_eq!(
        read.people,
        [("me".to_owned(), "America/New_York".to_owned())]
    );
    // Asleep at 23:00 and at midnight: both tags are of the evening before.
    let tags = read.tags();
    let said: Vec<(String, &str)> = tags
        .iter()
        .map(|tag| (tag.provenance.day.to_string(), tag.name.as_str()))
        .collect();
    let of = |day: &str| (day.to_owned(), "dream");
    assert_eq!(said, [of("2024-10-26"), of("2024-10-27")]);
}

#[test]
fn tags_are_words_of_the_comment_without_their_counts() {
    let text = record("2024-10-26T21:00:00Z", "Europe/Berlin", "8.0", "0.2", "0").replace(
        "#dream",
        "#alcohol_3x #late_meal # #alcohol mail#not (#sauna) #tea,#nap, #end. #: #a #b",
    );
    let (_, read) = read_files("UTC", &[("sleep-export.csv", &text)]);
    let names: Vec<&str> = read.tags().iter().map(|tag| tag.name.as_str()).collect();
    let expected = [
        "a",
        "alcohol",
        "b",
        "end",
        "late_meal",
        "nap",
        "sauna",
        "tea",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_exports_of_the_app_are_read() {
    let (report, read) = read_fixture("sleep-as-android");
    let day = "2020-11-27";
    let nights: Vec<(String, f64)> = read.series(M::SleepDuration);
    // An entry by hand in both exports; of the recordings only two are longer than six minutes.
    assert!(nights.contains(&(day.to_owned(), 11.0)), "{nights:?}");
    assert!(
        nights
            .iter()
            .any(|night| night.0 == day && (night.1 - 6.51).abs() < 1e-9)
    );
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    assert!(report.skipped[&S::NotRead] >= 6);
    let by_hand = read.readings(M::SleepDuration).collect::<Vec<_>>();
    assert!(
        by_hand
            .iter()
            .any(|night| night.provenance.source_id == "sleep-1606420800000")
    );
    read.check_days(M::DeepSleepDuration, &[("2020-11-30", 0.0)]);
}

#[test]
fn bad_records_cost_only_themselves_and_ids_stay() {
    let good = record("2024-10-26T21:00:00Z", "Europe/Berlin", "8.0", "0.25", "0");
    let text = good.replace("8.0", "80.0") + &good.replace("\"8.0\"", "\"x\"") + &good;
    let (_, read) = read_files("UTC", &[("sleep-export.csv", &text)]);
    assert_eq!(read.faults(), [(2, R::OutOfRange), (5, R::BadNumber)]);
    assert_eq!(
        read.source_ids(),
        read_files("Asia/Tokyo", &[("a.csv", &good)]).1.source_ids()
    );
}
