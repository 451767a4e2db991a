//! From an export to a forecast, as a new user goes.

use crate::support::{Folder, fixtures};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

fn whoop() -> String {
    let path = fixtures().join("whoop/physiological_cycles.csv");
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_export_becomes_a_forecast_in_two_commands() {
    let folder = Folder::new();
    let shown = folder.run(["import", &whoop()]).success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    assert!(shown.contains("person me (WHOOP)"), "{shown}");
    // The export is two years old at the time of the tests: a day behind it is named.
    let next = shown.lines().last().unwrap();
    assert_eq!(next, "Next: vitalcast predict --user me --date 2024-11-22");
    let words: Vec<&str> = next.split(' ').skip(2).collect();
    let forecast = folder.json(words);
    assert!(
        forecast.to_string().contains("RESTING_HEART_RATE"),
        "{forecast}"
    );
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let folder = Folder::new();
    let summary = folder.json(["import", "--dry-run", &whoop()]);
    assert_eq!(summary["dry_run"], true);
    assert_eq!(summary["formats"][0]["format"], "whoop");
    assert!(summary["added"].as_u64().unwrap() > 100, "{summary}");
    let ready = &summary["coverage"]["forecasts"][0];
    assert_eq!(ready["metric"], "RESTING_HEART_RATE");
    assert_eq!(ready["is_ready"], true);
    let shown = folder.run(["import", "--dry-run", &whoop()]).success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    let row = shown.lines().find(|line| line.contains("RECOVERY_SCORE"));
    assert!(row.unwrap().contains("whoop"), "{shown}");
    assert!(shown.contains("Nothing was written"), "{shown}");
    assert_eq!(folder.json(["users"]), serde_json::json!([]));
}

#[test]
fn coverage_is_a_table_a_picture_and_a_page() {
    let folder = Folder::new();
    folder.run(["import", &whoop()]).success();
    let coverage = folder.json(["data", "coverage", "--user", "me"]);
    let of = |name: &str| {
        let metrics = coverage["metrics"].as_array().unwrap();
        let found = metrics.iter().find(|metric| metric["metric"] == name);
        found.unwrap().clone()
    };
    let rates = of("RESTING_HEART_RATE");
    assert_eq!(rates["last"], "2024-11-21");
    assert_eq!(rates["sources"][0]["counts_on"], rates["days"]);
    for (option, name) in [("--chart", "days.svg"), ("--report", "days.html")] {
        let path = folder.dir.path().join(name);
        let path = path.to_str().unwrap();
        folder
            .run(["data", "coverage", "--user", "me", option, path])
            .success();
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains("RESTING_HEART_RATE"), "{name}");
    }
    let (code, said) = folder.failure(["data", "coverage", "--user", "nobody"]);
    assert_eq!(code, 3, "{said}");
}

#[test]
fn several_paths_are_one_import_and_what_is_not_read_is_told() {
    let folder = Folder::new();
    let letter = folder.file("letter.txt", "Dear Sir\n");
    let (code, said) = folder.failure(["import", &letter]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains("letter.txt is text or a table that no reader knows"));
    let summary = folder.json(["import", &whoop(), &letter]);
    assert_eq!(summary["not_read"][0]["files"], 1);
    let inner = folder.dir.path().join("exports");
    std::fs::create_dir(&inner).unwrap();
    std::fs::copy(whoop(), inner.join("cycles.csv")).unwrap();
    std::fs::copy(&letter, inner.join("letter.txt")).unwrap();
    let summary = folder.json(["import", inner.to_str().unwrap()]);
    assert_eq!(
        summary["not_read"][0]["what"],
        "text or a table that no reader knows"
    );
    assert_eq!(summary["not_read"][0]["files"], 1);
}

#[test]
fn a_table_of_ones_own_is_read_by_a_map_that_is_remembered() {
    let folder = Folder::new();
    let table = "Datum;Ruhepuls;Schlaf (h)\n01.03.2026;52;7,5\n02.03.2026;53;6,8\n";
    let path = folder.file("meine.csv", table);
    let (code, said) = folder.failure(["import", &path]);
    assert_eq!(code, 4, "{said}");
    let map = "date=Datum,rhr=Ruhepuls:bpm,sleep=Schlaf (h):h";
    assert!(said.contains(&format!("--map '{map}'")), "{said}");
    let summary = folder.json(["import", "--map", map, &path]);
    assert_eq!(summary["added"], 4, "{summary}");
    let later = folder.file("neu.csv", table.replace(".03.", ".04."));
    assert_eq!(folder.json(["import", &later])["added"], 4);
    let (code, said) = folder.failure(["import", "--map", "date=Datum,foo=Ruhepuls", &path]);
    assert_eq!(code, 2, "{said}");
}

#[cfg(unix)]
#[test]
fn a_watched_folder_is_imported_when_a_file_appears() {
    let folder = Folder::new();
    let inner = folder.dir.path().join("synced");
    std::fs::create_dir(&inner).unwrap();
    let mut process = Command::new(crate::support::binary())
        .args(["import", "--watch", "--every", "1", "--json"])
        .arg(&inner)
        .env("VITALCAST_DATA_DIR", folder.data())
        .env("VITALCAST_NOW", crate::support::NOW)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::fs::copy(whoop(), inner.join("cycles.csv")).unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut text = String::new();
    while !text.ends_with("}\n") || serde_json::from_str::<serde_json::Value>(&text).is_err() {
        text += &lines.next().unwrap().unwrap();
        text.push('\n');
    }
    let summary: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(summary["added"].as_u64().unwrap() > 100, "{summary}");
    let pressed = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status();
    assert!(pressed.unwrap().success());
    assert!(process.wait().unwrap().success());
}

#[test]
fn an_import_of_several_people_says_how_many_days_each_has() {
    let folder = Folder::new();
    let mut table = String::from("userId,recordedAt,metricType,value,unit,source\n");
    for (user, days) in [("p01", 9), ("p02", 4)] {
        for day in 1..=days {
            table += &format!("{user},2024-03-0{day},RESTING_HEART_RATE,5{day},bpm,watch\n");
        }
    }
    table += "p02,2024-03-05,SLEEP_DURATION,7.5,h,watch\n";
    let table = folder.file("study.csv", &table);
    let shown = folder.run(["import", "--dry-run", &table]).success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    let row = |user: &str| -> Vec<String> {
        let line = shown.lines().find(|line| line.trim().starts_with(user));
        let words = line.unwrap_or_else(|| panic!("{shown}")).split_whitespace();
        words.map(str::to_owned).collect()
    };
    // Resting heart rate, HRV of both kinds, sleep, recovery, and the last day.
    assert_eq!(row("p01"), ["p01", "9", "0", "0", "0", "0", "2024-03-09"]);
    assert_eq!(row("p02"), ["p02", "4", "0", "0", "1", "0", "2024-03-05"]);
    let summary = folder.json(["import", &table]);
    let second = &summary["days_by_person"][1];
    assert_eq!(second["user_id"], "p02");
    assert_eq!(second["forecasts"][0]["days"], 4);
    assert_eq!(summary["coverage"], serde_json::Value::Null);
}

#[test]
fn a_metric_that_no_model_of_many_people_knows_had_no_forecast() {
    let folder = Folder::new();
    let mut table = String::from("userId,recordedAt,metricType,value,unit,source\n");
    for day in 10..60 {
        let date = format!("2024-0{}-{:02}", 1 + day / 28, 1 + day % 28);
        table += &format!(
            "eli,{date},HEART_RATE_VARIABILITY_SDNN,{},ms,watch\n",
            40 + day * 7 % 11
        );
    }
    let table = folder.file("sdnn.csv", &table);
    let shown = folder.run(["import", &table]).success();
    let shown = String::from_utf8_lossy(&shown.get_output().stdout).into_owned();
    let sdnn = shown.lines().find(|line| line.contains("(SDNN)"));
    assert!(sdnn.unwrap().contains("the last of 50 days"), "{shown}");
    assert!(shown.contains("Next: vitalcast predict"), "{shown}");
    // What is said of predicting, and of replays.
    let said = folder.run(["predict", "--user", "eli"]).success();
    let said = String::from_utf8_lossy(&said.get_output().stdout).into_owned();
    assert!(
        said.contains("No model of many people knows this metric"),
        "{said}"
    );
    let replay = [
        "backtest",
        "--user",
        "eli",
        "--metric",
        "sdnn",
        "--models",
        "auto,pooled",
    ];
    let replayed = folder.run(replay).success();
    let output = replayed.get_output();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        shown.contains("auto: simple forecasts, because no model of many people knows"),
        "{shown}"
    );
    let noted = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        noted.contains("No forecast by pooled: a pooled model needs at least"),
        "{noted}"
    );
}
