//! Experiments on the command line.

use crate::support::{Folder, NOW};
use chrono::{Days, NaiveDate};
use serde_json::Value;

/// A folder with 90 days of resting heart rate of `ada`, up to yesterday.
fn folder() -> Folder {
    let folder = Folder::new();
    let today: NaiveDate = NOW[..10].parse().unwrap();
    let mut table = "userId,recordedAt,metricType,value\n".to_owned();
    for back in 1..=90_u64 {
        let value = 58.0 + ((back * 7) % 9) as f64 / 2.0;
        let day = today - Days::new(back);
        table.push_str(&format!("ada,{day}T07:00:00Z,RESTING_HEART_RATE,{value}\n"));
    }
    folder.json(["import", &folder.file("ada.csv", table)]);
    folder
}

const PLAN: [&str; 9] = [
    "experiment",
    "plan",
    "--user",
    "ada",
    "--metric",
    "rhr",
    "--a",
    "no food after 20:00",
    "--effect=2",
];

fn text(folder: &Folder, args: &[&str]) -> String {
    let assert = folder.run(args.iter().copied()).success();
    String::from_utf8(assert.get_output().stdout.clone()).unwrap()
}

#[test]
fn an_experiment_is_planned_recorded_shown_and_deleted() {
    let folder = folder();
    let rehearsed = text(&folder, &[&PLAN[..], &["--dry-run"]].concat());
    for words in [
        "A: no food after 20:00",
        "B: as usual",
        "probability of",
        "smallest difference found",
    ] {
        assert!(rehearsed.contains(words), "{words}: {rehearsed}");
    }
    assert_eq!(
        folder.json(["experiment", "list", "--user", "ada"]),
        Value::Array(Vec::new())
    );
    let planned = folder.json([&PLAN[..], &["--start", "2026-11-23"]].concat());
    assert_eq!(planned["is_stored"], true);
    let id = planned["experiment"]["experiment_id"].as_str().unwrap();
    assert_eq!(id, "rhr-20261123");
    let of = ["--user", "ada"];
    let today = text(&folder, &[&["experiment", "today"][..], &of].concat());
    assert!(
        today.contains("2026-11-23") && today.contains("Pair 1 of"),
        "{today}"
    );
    let record = [
        "experiment",
        "record",
        id,
        "--followed",
        "no",
        "--note",
        "a birthday",
    ];
    let recorded = folder.json([&record[..], &of].concat());
    assert_eq!(
        (&recorded["said"], &recorded["note"]),
        (&false.into(), &"a birthday".into())
    );
    let (chart, page) = (folder.file("chart.svg", ""), folder.file("page.html", ""));
    let files = ["--chart", &chart, "--report", &page];
    let shown = text(
        &folder,
        &[&["experiment", "show", id][..], &of, &files].concat(),
    );
    assert!(
        shown.contains("a birthday") && shown.contains("first look"),
        "{shown}"
    );
    assert!(std::fs::read_to_string(chart).unwrap().starts_with("<svg"));
    assert!(
        std::fs::read_to_string(page)
            .unwrap()
            .contains("not a medical device")
    );
    let analysis = folder.json([&["experiment", "analyse", id][..], &of].concat());
    assert_eq!(analysis["code"], "BEFORE_THE_END");
    let stopped = folder.json([&["experiment", "stop", id][..], &of].concat());
    assert_eq!(stopped["state"], "stopped");
    let deleted = folder.json([&["experiment", "delete", id][..], &of].concat());
    assert_eq!(deleted["deleted"], true);
}

#[test]
fn mistakes_are_told_with_what_was_expected() {
    let folder = folder();
    let check = |args: &[&str], code: i32, words: &str| {
        let (found, message) = folder.failure(args.iter().copied());
        assert_eq!(found, code, "{args:?}: {message}");
        assert!(
            message.contains(words),
            "{args:?}: {words:?} is not in {message:?}"
        );
    };
    let plan = |more: &[&'static str]| [&PLAN[..], more].concat();
    check(&plan(&["--measure", "mood"]), 2, "no_food_after=HH:MM");
    check(
        &plan(&["--washout", "3"]),
        2,
        "washout_days must be less than block_days",
    );
    check(&plan(&["--b", "no food after 20:00"]), 2, "must differ");
    check(&plan(&["--start", "2026-11-01"]), 2, "must be from today");
    check(&plan(&["--power", "0.3"]), 2, "power must be between");
    check(
        &["experiment", "show", "x", "--user", "ada"],
        3,
        "unknown experiment x",
    );
    check(
        &["experiment", "list", "--user", "nobody"],
        3,
        "unknown user nobody",
    );
    let sleep = [
        "experiment",
        "plan",
        "--user",
        "ada",
        "--metric",
        "sleep",
        "--a",
        "a",
    ];
    check(&sleep, 4, "not enough data: 0 days with SLEEP_DURATION");
    folder.json(plan(&[]));
    check(&plan(&[]), 6, "has days in common");
    let record = [
        "experiment",
        "record",
        "rhr-20261124",
        "--user",
        "ada",
        "--followed",
        "yes",
    ];
    check(&record, 2, "is not a day of the experiment");
}
