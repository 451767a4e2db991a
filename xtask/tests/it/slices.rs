//! The data slices hold what demo and tests build on, and are small.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::{printed, root};

/// Files of the slices, below `fixtures/`.
const FILES: [&str; 7] = [
    "t1d-uom/LICENSE.md",
    "t1d-uom/CITATION.cff",
    "t1d-uom/Nutrition Data/UoMNutrition2306.csv",
    "t1d-uom/Activity Data/UoMActivity2306.csv",
    "t1d-uom/Sleep Data/UoM2306sleeptime.csv",
    "t1d-uom/Sleep Data/UoMsleep2306.csv",
    "lifesnaps/daily_fitbit_sema_df_unprocessed.csv",
];

/// A table as rows of cells, and where a column stands.
fn table(path: &str) -> (csv::StringRecord, Vec<csv::StringRecord>) {
    let mut reader = csv::Reader::from_path(root().join("fixtures").join(path)).unwrap();
    let header = reader.headers().unwrap().clone();
    (header, reader.records().map(Result::unwrap).collect())
}

fn column(header: &csv::StringRecord, name: &str) -> usize {
    header.iter().position(|cell| cell == name).unwrap()
}

/// The distinct first ten characters, the day, of a column, over the rows that `keep` accepts.
fn days(path: &str, name: &str, keep: impl Fn(&csv::StringRecord) -> bool) -> BTreeSet<String> {
    let (header, rows) = table(path);
    let at = column(&header, name);
    rows.iter()
        .filter(|row| keep(row))
        .map(|row| row[at][..10].to_owned())
        .collect()
}

#[test]
fn cutting_a_slice_again_gives_the_same_bytes() {
    let to = tempfile::tempdir().unwrap();
    let fixtures = root().join("fixtures");
    let arguments: [&Path; 5] = [
        Path::new("fixtures"),
        Path::new("--from"),
        &fixtures,
        Path::new("--to"),
        to.path(),
    ];
    printed(Command::new(env!("CARGO_BIN_EXE_xtask")).args(arguments));
    for file in FILES {
        let same =
            fs::read(fixtures.join(file)).unwrap() == fs::read(to.path().join(file)).unwrap();
        assert!(same, "{file} is not what `cargo xtask fixtures` writes");
    }
}

#[test]
fn all_slices_together_stay_under_a_megabyte_and_a_half() {
    let bytes: u64 = FILES
        .iter()
        .map(|file| {
            fs::metadata(root().join("fixtures").join(file))
                .unwrap()
                .len()
        })
        .sum();
    assert!(bytes < 1_500_000, "{bytes} bytes");
}

#[test]
fn the_person_of_t1d_uom_has_eighty_days_with_everything() {
    let [nutrition, activity, nights, heart] = [FILES[2], FILES[3], FILES[4], FILES[5]];
    let (header, _) = table(heart);
    let at = column(&header, "resting_heart_rate");
    let meals = days(nutrition, "meal_ts", |_| true);
    let active = days(activity, "activity_ts", |_| true);
    let slept = days(nights, "calendar_date", |_| true);
    let heart_rate = days(heart, "sleep_ts", |row| &row[at] != "0");
    let everything = meals
        .iter()
        .filter(|day| active.contains(*day) && slept.contains(*day) && heart_rate.contains(*day));
    assert_eq!(everything.count(), 80);
    assert_eq!(
        [meals.len(), active.len(), slept.len(), heart_rate.len()],
        [102, 86, 83, 82]
    );
}

#[test]
fn each_person_of_lifesnaps_has_seventy_five_days_with_all_four_series() {
    let (header, rows) = table(FILES[6]);
    let id = column(&header, "id");
    let series =
        ["resting_hr", "rmssd", "minutesAsleep", "stress_score"].map(|name| column(&header, name));
    let people: BTreeSet<&str> = rows.iter().map(|row| &row[id]).collect();
    assert_eq!(people.len(), 4);
    for person in people {
        let complete = rows.iter().filter(|row| {
            &row[id] == person
                && series
                    .iter()
                    .all(|&at| row[at].parse::<f64>().is_ok_and(|value| value > 0.0))
        });
        let complete = complete.count();
        assert!(complete >= 75, "{person} has {complete}");
    }
}

#[test]
fn every_slice_is_attributed() {
    let text = fs::read_to_string(root().join("fixtures/README.md")).unwrap();
    for needed in [
        "10.5281/zenodo.15169263",
        "10.5281/zenodo.7229547",
        "CC BY 4.0",
        "golden/",
    ] {
        assert!(
            text.contains(needed),
            "fixtures/README.md does not mention {needed}"
        );
    }
}
