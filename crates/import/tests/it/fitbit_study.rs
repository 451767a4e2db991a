//! A study of several people's Fitbit exports, of several ages and in several layouts: every day of resting
//! heart rate and every night of the files comes out, once. What the files hold is counted by another way of
//! reading them.

use crate::folder::{Folder, mine, read_with};
use chrono::{Days, NaiveDate, NaiveDateTime};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use vitalcast_domain::{MetricType as M, Record};

/// How an export writes its dates.
#[derive(Clone, Copy)]
struct Style {
    time: &'static str,
    date: &'static str,
    /// The key that says whether a sleep is the main one.
    main: &'static str,
}

const RESEARCH: Style = Style {
    time: "%Y-%m-%d 00:00:00",
    date: "%m/%d/%y",
    main: "mainSleep",
};
const TAKEOUT: Style = Style {
    time: "%m/%d/%y 00:00:00",
    ..RESEARCH
};
const NEWER: Style = Style {
    time: "%Y-%m-%dT00:00:00.000",
    date: "%Y-%m-%d",
    main: "isMainSleep",
};

/// Resting heart rates of some days. Of every seventh there is none, in one of two ways.
fn resting(days: &[NaiveDate], style: Style) -> Value {
    let row = |(number, day): (usize, &NaiveDate)| {
        let date = day.format(style.date).to_string();
        let value = match number % 14 {
            6 => json!({"date": null, "value": 0.0, "error": 0.0}),
            13 => json!({"date": date, "value": 0.0, "error": 0.0}),
            _ => json!({"date": date, "value": 50.0 + (number % 9) as f64 * 1.25, "error": 6.78}),
        };
        json!({"dateTime": day.format(style.time).to_string(), "value": value})
    };
    days.iter().enumerate().map(row).collect()
}

/// A night of most days, with stages or without, and a nap now and then.
fn sleep(days: &[NaiveDate], style: Style, person: usize) -> Vec<Value> {
    let mut logs = Vec::new();
    let mut log = |number: usize,
                   day: NaiveDate,
                   from: NaiveDateTime,
                   hours: i64,
                   is_main: bool| {
        let minutes = hours * 60;
        let asleep = minutes - 40;
        let has_stages = is_main && !number.is_multiple_of(3);
        let summary = if has_stages {
            json!({"deep": {"count": 3, "minutes": 60}, "light": {"count": 9, "minutes": asleep - 150},
                   "rem": {"count": 4, "minutes": 90}, "wake": {"count": 9, "minutes": 40}})
        } else {
            json!({"asleep": {"count": 0, "minutes": asleep}, "restless": {"count": 3, "minutes": 38},
                   "awake": {"count": 1, "minutes": 2}})
        };
        let written = |time: NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S.000").to_string();
        logs.push(json!({
            "logId": 24_000_000_000_u64 + (person * 100_000 + logs.len()) as u64,
            "dateOfSleep": day.to_string(), "startTime": written(from),
            "endTime": written(from + chrono::TimeDelta::hours(hours)),
            "duration": minutes * 60_000, "minutesToFallAsleep": 0, "minutesAsleep": asleep,
            "minutesAwake": 40, "minutesAfterWakeup": 0, "timeInBed": minutes, "efficiency": 93,
            "type": if has_stages { "stages" } else { "classic" }, "infoCode": 0, style.main: is_main,
            "levels": {"summary": summary, "data": []},
        }));
    };
    for (number, day) in days.iter().enumerate() {
        let at = |hour, minute| day.and_hms_opt(hour, minute, 30).unwrap();
        // Some fall asleep after midnight.
        match number % 8 {
            3 => {}
            5 => log(number, *day, at(0, 50), 7, true),
            _ => log(number, *day, at(23, 10) - Days::new(1), 8, true),
        }
        if number % 10 == 4 {
            log(number, *day, at(14, 0), 1, false);
        }
    }
    logs
}

fn text(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

/// Days from a first one.
fn days(first: &str, count: u64) -> Vec<NaiveDate> {
    let first: NaiveDate = first.parse().unwrap();
    (0..count).map(|number| first + Days::new(number)).collect()
}

/// A folder of a research project: a file for each stream, and files of other tools beside them.
fn write_research(folder: &Folder, person: &str, number: usize) {
    let days = days("2019-11-01", 152);
    let mut logs = sleep(&days, RESEARCH, number);
    // The same logs stand in the file again.
    logs.extend_from_within(5..9);
    let files = [
        (
            "fitbit/resting_heart_rate.json",
            text(&resting(&days, RESEARCH)),
        ),
        ("fitbit/sleep.json", text(&logs.into())),
        (
            "fitbit/steps.json",
            r#"[{"dateTime": "2019-11-01 00:00:00", "value": "7"}]"#.to_owned(),
        ),
        (
            "fitbit/distance.json",
            r#"[{"dateTime": "2019-11-01 00:00:00", "value": "70"}]"#.to_owned(),
        ),
        (
            "pmsys/wellness.csv",
            "effective_time_frame,fatigue,mood,readiness,sleep_duration_h,sleep_quality,soreness,\
             soreness_area,stress\n2019-11-01T08:31:41.575Z,2,3,6,6,2,2,[],3\n"
                .to_owned(),
        ),
        (
            "googledocs/reporting.csv",
            "date,timestamp,meals,weight,glasses_of_fluid,alcohol_consumed\n01/11/2019,01/11/2019 \
             20:10:11,\"Breakfast, Lunch\",70,6,No\n"
                .to_owned(),
        ),
    ];
    for (name, text) in files {
        folder.write(&format!("study/{person}/{name}"), text);
    }
}

/// A vendor's export: a file for each year, and sleep by the month, whose files overlap by a day.
fn write_export(folder: &Folder, (place, first): (&str, &str), style: Style, number: usize) {
    let days = days(first, 800);
    let years: BTreeSet<String> = days
        .iter()
        .map(|day| day.format("%Y").to_string())
        .collect();
    for year in years {
        let of_year: Vec<NaiveDate> = days
            .iter()
            .copied()
            .filter(|day| day.format("%Y").to_string() == year)
            .collect();
        let name = format!("study/{place}/resting_heart_rate-{year}-01-01.json");
        folder.write(&name, text(&resting(&of_year, style)));
    }
    let logs = sleep(&days, style, number);
    for month in days.chunks(30) {
        let last = month[month.len() - 1] + Days::new(1);
        let is_of_month = |log: &&Value| {
            let day: NaiveDate = log["dateOfSleep"].as_str().unwrap().parse().unwrap();
            (month[0]..=last).contains(&day)
        };
        let logs: Vec<Value> = logs.iter().rev().filter(is_of_month).cloned().collect();
        let name = format!("study/{place}/sleep-{}.json", month[0]);
        folder.write(&name, text(&logs.into()));
    }
}

/// What a person's files hold, or what was read of them.
#[derive(Debug, Default, PartialEq)]
struct Held {
    resting: BTreeMap<String, f64>,
    nights: BTreeSet<String>,
    logs: usize,
    minutes_asleep: f64,
}

/// Counts the files of a folder.
fn count(folder: &Path, held: &mut Held, seen: &mut BTreeSet<u64>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            count(&path, held, seen);
            continue;
        }
        if !name.starts_with("resting_heart_rate") && !name.starts_with("sleep") {
            continue;
        }
        let rows: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for row in rows {
            if name.starts_with("sleep") {
                if seen.insert(row["logId"].as_u64().unwrap()) {
                    held.nights
                        .insert(row["dateOfSleep"].as_str().unwrap().to_owned());
                    held.logs += 1;
                    held.minutes_asleep += row["minutesAsleep"].as_f64().unwrap();
                }
            } else if let (Some(date), Some(value)) = (
                row["value"]["date"].as_str(),
                row["value"]["value"].as_f64(),
            ) && value > 0.0
            {
                let style = if date.contains('/') {
                    "%m/%d/%y"
                } else {
                    "%Y-%m-%d"
                };
                let day = NaiveDate::parse_from_str(date, style).unwrap();
                held.resting.insert(day.to_string(), value);
            }
        }
    }
}

#[test]
fn every_day_and_night_of_every_person_comes_out_once() {
    let folder = Folder::new();
    for (number, person) in ["p01", "p02", "p16"].into_iter().enumerate() {
        write_research(&folder, person, number);
    }
    for (number, (place, style)) in [
        (
            ("p03/Takeout/Fitbit/Global Export Data", "2018-02-01"),
            TAKEOUT,
        ),
        (
            ("p04/MyFitbitData/Name/user-site-export", "2016-01-01"),
            TAKEOUT,
        ),
        (
            ("p05/Takeout/Google Health/Global Export Data", "2022-06-01"),
            NEWER,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        write_export(&folder, place, style, 10 + number);
    }
    folder.write("study/participant-overview.txt", "sixteen people\n");
    let (_, read) = read_with(folder.path(), &mine("Europe/Oslo")).unwrap();
    assert!(read.rejects.is_empty(), "{:?}", read.rejects);
    for person in ["p01", "p02", "p03", "p04", "p05", "p16"] {
        let mut held = Held::default();
        count(
            &folder.path().join("study").join(person),
            &mut held,
            &mut BTreeSet::new(),
        );
        let mut found = Held::default();
        let of = |metric| {
            read.records
                .iter()
                .filter_map(move |(user, record)| match record {
                    Record::HealthMetric(reading) if reading.metric == metric && user == person => {
                        Some((reading.provenance.day.to_string(), reading.value))
                    }
                    Record::Meal(_)
                    | Record::Activity(_)
                    | Record::HealthMetric(_)
                    | Record::Tag(_) => None,
                })
        };
        for (day, value) in of(M::RestingHeartRate) {
            assert!(found.resting.insert(day, value).is_none(), "a day twice");
        }
        for (day, hours) in of(M::SleepDuration) {
            found.nights.insert(day);
            found.logs += 1;
            found.minutes_asleep += hours * 60.0;
        }
        found.minutes_asleep = found.minutes_asleep.round();
        assert!(held.resting.len() > 100 && held.nights.len() > 100);
        assert_eq!(found, held, "{person}");
    }
}
