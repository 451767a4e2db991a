//! Every kind of bad input has a message that helps and an exit code of its own.

use crate::support::{Folder, fixtures};

#[track_caller]
fn check(folder: &Folder, args: &[&str], code: i32, words: &[&str]) {
    let (found, message) = folder.failure(args.iter().copied());
    assert_eq!(found, code, "{args:?}: {message}");
    for word in words {
        assert!(
            message.contains(word),
            "{args:?}: {word:?} is not in {message:?}"
        );
    }
}

#[test]
fn usage_errors_are_2() {
    let folder = Folder::new();
    check(
        &folder,
        &["predict", "--user", "../x", "--metric", "rhr"],
        2,
        &["user id"],
    );
    check(
        &folder,
        &["train", "--user", "a", "--metric", "mood"],
        2,
        &["RESTING_HEART_RATE"],
    );
    check(
        &folder,
        &["predict", "--user", "a", "--date", "tomorrow"],
        2,
        &["tomorrow"],
    );
    check(
        &folder,
        &["import", "x", "--zone", "Mars/Base"],
        2,
        &["Mars/Base", "IANA"],
    );
    check(
        &folder,
        &[
            "history",
            "--user",
            "a",
            "--metric",
            "rhr",
            "--as-of",
            "2026-03-01",
        ],
        2,
        &["2026-03-01", "2026-03-01T21:00:00Z"],
    );
    check(&folder, &["frobnicate"], 2, &["frobnicate"]);
    for level in ["0", "1", "100", "-5", "nan"] {
        let predict = ["predict", "--user", "a", "--interval-level", level];
        check(&folder, &predict, 2, &[level, "above 0 % and below 100 %"]);
        let backtest = ["backtest", "--metric", "rhr", "--levels", level];
        check(&folder, &backtest, 2, &[level]);
    }
    for horizon in ["0", "8", "0..3", "1..8"] {
        let backtest = ["backtest", "--metric", "rhr", "--horizon", horizon];
        check(&folder, &backtest, 2, &[horizon, "1 to 7"]);
    }
}

#[test]
fn what_is_not_there_is_3() {
    let folder = Folder::new();
    check(
        &folder,
        &["predict", "--user", "nobody", "--metric", "rhr"],
        3,
        &["nobody"],
    );
    check(
        &folder,
        &["import", "no-such-file.csv"],
        3,
        &["no-such-file.csv"],
    );
    check(&folder, &["models", "show", "nothing"], 3, &["nothing"]);
}

#[test]
fn no_model_says_how_to_train_one() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    check(
        &folder,
        &[
            "predict",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--architecture",
            "lstm",
        ],
        3,
        &["vitalcast train"],
    );
}

/// Readings of resting heart rate on the first days of October, and steps on later days.
fn readings(count: u32, steps: &str) -> String {
    let mut table = "userId,recordedAt,metricType,value\n".to_owned();
    for day in 1..=count {
        let value = 55 + day % 3;
        table.push_str(&format!(
            "ada,2025-10-{day:02}T07:00:00Z,RESTING_HEART_RATE,{value}.5\n"
        ));
    }
    table + steps
}

#[test]
fn six_readings_say_what_is_missing_and_seven_are_enough() {
    let folder = Folder::new();
    folder.json(["import", &folder.file("six.csv", readings(6, ""))]);
    let predict = ["predict", "--user", "ada", "--metric", "rhr"];
    let words = ["measured on 6 days", "needs 7: 1 more", "bpm are usual"];
    check(&folder, &predict, 4, &words);
    folder.json(["import", &folder.file("seven.csv", readings(7, ""))]);
    let answer = folder.json(predict);
    assert_eq!(answer["prediction"]["architecture"], "pooled");
    let value = answer["prediction"]["predicted_value"].as_f64().unwrap();
    assert!((54.0..59.0).contains(&value), "{value}");
}

#[test]
fn three_months_without_a_reading_are_no_ground_for_a_forecast() {
    let folder = Folder::new();
    let steps = "ada,2026-01-20T20:00:00Z,STEPS,9000\n";
    folder.json(["import", &folder.file("gap.csv", readings(20, steps))]);
    let predict = ["predict", "--user", "ada", "--metric", "rhr"];
    check(
        &folder,
        &predict,
        4,
        &["no reading of RESTING_HEART_RATE between"],
    );
}

#[test]
fn training_bounds_are_those_of_the_contract() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    for (flag, value, field) in [
        ("--lookback-days", "29", "lookback_days"),
        ("--epochs", "9", "epochs"),
        ("--dropout", "0.9", "dropout"),
        ("--hidden-dim", "100000", "hidden_dim"),
    ] {
        check(
            &folder,
            &["train", "--user", &user, "--metric", "rhr", flag, value],
            2,
            &[field],
        );
    }
    check(
        &folder,
        &[
            "train",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--architecture",
            "xgboost",
            "--sequence-length",
            "14",
        ],
        2,
        &["sequence_length", "at least 28 for xgboost", "14"],
    );
}

#[test]
fn too_little_history_says_how_much_there_is_and_where() {
    let folder = Folder::new();
    let mut csv = String::from("id,userId,recordedAt,metricType,value,unit,source\n");
    for day in 1..=9 {
        csv.push_str(&format!(
            "{day},me,2024-01-0{day}T07:00:00Z,RESTING_HEART_RATE,60,bpm,watch\n"
        ));
    }
    let path = folder.file("health_metrics.csv", csv);
    folder.run(["import", &path]).success();
    check(
        &folder,
        &["train", "--user", "me", "--metric", "rhr"],
        4,
        &["found 9", "21 too few", "2024-01-01", "2024-01-09"],
    );
}

#[test]
fn files_that_are_no_exports_are_4_and_say_what_would_be() {
    let folder = Folder::new();
    for (name, content) in [
        ("empty.csv", &b""[..]),
        ("other.csv", b"colour,shape\nred,round\n"),
        ("utf16.csv", b"\xff\xfei\0d\0,\0"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ] {
        let path = folder.file(name, content);
        check(&folder, &["import", &path], 4, &[name]);
    }
}

#[test]
fn bad_rows_are_listed_with_their_lines_and_the_rest_is_kept() {
    let folder = Folder::new();
    let csv = "\u{feff}id,userId,recordedAt,metricType,value,unit,source\n\
               1,me,2024-01-01T07:00:00Z,RESTING_HEART_RATE,60,bpm,watch\n\
               2,me,2024-01-02T07:00:00Z,RESTING_HEART_RATE,6000,bpm,watch\n\
               3,me,2024-01-03T07:00:00Z,MOOD,60,bpm,watch\n\
               4,me,2999-01-04T07:00:00Z,RESTING_HEART_RATE,60,bpm,watch\n\
               5,me,2024-01-05T07:00:00Z,RESTING_HEART_RATE,nan,bpm,watch\n\
               6,me,2024-01-06T07:00:00Z,RESTING_HEART_RATE,61,bpm,watch\n\
               7,me,2024-01-07T07:00";
    let path = folder.file("health_metrics.csv", csv);
    let summary = folder.json(["import", &path]);
    assert_eq!(summary["added"], 2, "{summary}");
    let rejects = std::fs::read_to_string(summary["rejects_file"].as_str().unwrap()).unwrap();
    assert_eq!(summary["skipped"]["not_measured"], 1, "{summary}");
    for line in [3, 4, 5, 8] {
        assert!(
            rejects.contains(&format!(",{line},")),
            "line {line}: {rejects}"
        );
    }
    assert!(
        !rejects.contains("6000"),
        "a health value is in the rejects file: {rejects}"
    );
}

#[test]
fn a_file_of_which_no_row_could_be_used_is_4_and_its_summary_is_printed() {
    let folder = Folder::new();
    let header = "userId,recordedAt,metricType,value\n";
    for (name, rows, said) in [
        (
            "bad.csv",
            "me,soon,STEPS,1\nme,later,STEPS,2\n",
            "none of its 2 rows",
        ),
        ("none.csv", "", "the file has no rows"),
    ] {
        let path = folder.file(name, format!("{header}{rows}"));
        let output = folder
            .run(["import", "--json", &path])
            .code(4)
            .get_output()
            .clone();
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            summary["notes"][0].as_str().unwrap().contains(said),
            "{summary}"
        );
        let count = rows.lines().count();
        assert_eq!(summary["rows_read"], count, "{summary}");
        assert_eq!(summary["rejects_file"].is_string(), count > 0, "{summary}");
        check(&folder, &["import", &path], 4, &["no row of", name]);
    }
    // What was understood and left out is no fault.
    let path = folder.file(
        "zero.csv",
        format!("{header}me,2024-01-01T07:00:00Z,RESTING_HEART_RATE,0\n"),
    );
    folder.run(["import", &path]).success();
}

#[test]
fn a_corrupt_or_foreign_artifact_is_refused() {
    let folder = Folder::with_people();
    let (user, other) = folder.people();
    folder.train(&user, "linear");
    let models = folder.data().join("models");
    let file = std::fs::read_dir(&models)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let bytes = std::fs::read(&file).unwrap();
    let predict = [
        "predict",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--architecture",
        "linear",
    ];

    // The model and its file are named, whatever is wrong.
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let model = format!("{user}_RESTING_HEART_RATE_");
    let refused = |words: &[&str]| {
        check(&folder, &predict, 4, &[words, &[&model, &name]].concat());
    };
    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 1;
    std::fs::write(&file, flipped).unwrap();
    refused(&["damaged"]);
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    refused(&["truncated"]);
    std::fs::write(&file, b"not an artifact").unwrap();
    refused(&["signature"]);
    let mut newer = bytes.clone();
    newer[8] = 2;
    std::fs::write(&file, newer).unwrap();
    refused(&["format 2", "use a newer release"]);

    // A whole artifact, but another one.
    folder.json([
        "train",
        "--user",
        &other,
        "--metric",
        "sleep",
        "--architecture",
        "linear",
    ]);
    let foreign = std::fs::read_dir(&models)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| *path != file)
        .unwrap();
    std::fs::copy(foreign, &file).unwrap();
    check(&folder, &predict, 4, &["was replaced"]);

    std::fs::write(&file, bytes).unwrap();
    folder.run(predict).success();
}

#[test]
fn one_model_of_a_newer_release_made_all_models_of_a_person_unreadable() {
    // A kind that this release does not know, and a manifest without fields that it needs (a page of the
    // database can end within one of their names).
    for words in [
        &["linear"][..],
        &["feature_names", "history_days", "calibration"],
    ] {
        let folder = Folder::with_people();
        let (user, _) = folder.people();
        let id = |answer: &serde_json::Value| answer["model_id"].as_str().unwrap().to_owned();
        let unreadable = id(&folder.train(&user, "linear"));
        folder.json(["models", "activate", &unreadable]);
        let database = folder.data().join("vitalcast.db");
        // A command can end before its changes are in the file itself; a later one puts them there.
        let log = folder.data().join("vitalcast.db-wal");
        for _ in 0..100 {
            if log.exists() {
                folder.json(["users"]);
            }
        }
        assert!(!log.exists());
        let mut bytes = std::fs::read(&database).unwrap();
        for word in words {
            capitalise(&mut bytes, word.as_bytes());
        }
        std::fs::write(&database, bytes).unwrap();
        let other = id(&folder.train(&user, "naive"));

        let list = folder.json(["models", "list", "--user", &user]);
        assert_eq!(list["models"][0]["model_id"], other.as_str(), "{list}");
        assert_eq!(list["total_models"], 1);
        let entry = &list["unreadable_models"][0];
        assert_eq!(entry["model_id"], unreadable.as_str(), "{list}");
        assert_eq!(
            (&entry["is_active"], &entry["version"]),
            (&true.into(), &"v1.0.0".into())
        );
        let reason = entry["reason"].as_str().unwrap();
        assert!(reason.contains("newer release"), "{reason}");
        let everybodys = folder.json(["models", "list"]);
        assert_eq!(everybodys[1], *entry, "{everybodys}");
        let table = folder.run(["models", "list"]).success();
        let table = String::from_utf8_lossy(&table.get_output().stdout).into_owned();
        let told = format!("{unreadable} cannot be used: {reason}");
        assert!(table.contains(&told), "{table}");

        // By its id or version it is refused; else the forecast goes on without it and says so once.
        let why = [unreadable.as_str(), "cannot be used", "model"];
        check(&folder, &["models", "show", &unreadable], 4, &why);
        check(&folder, &["models", "activate", &unreadable], 4, &why);
        let predict = ["predict", "--user", &user, "--metric", "rhr"];
        let by_version = [&predict[..], &["--model-version", "v1.0.0"]].concat();
        check(&folder, &by_version, 4, &why);
        let answer = folder.json(predict);
        let text = answer["interpretation"].as_str().unwrap();
        assert_eq!(text.matches(&unreadable).count(), 1, "{text}");
        assert_ne!(answer["prediction"]["model_id"], unreadable.as_str());
        let of_other = [&predict[..], &["--architecture", "naive"]].concat();
        let answer = folder.json(of_other);
        assert_eq!(answer["prediction"]["model_id"], other.as_str());
        let text = answer["interpretation"].as_str().unwrap();
        assert!(!text.contains(&unreadable), "{text}");

        folder.json(["models", "delete", &unreadable]);
        let list = folder.json(["models", "list", "--user", &user]);
        assert_eq!(list["unreadable_models"], serde_json::json!([]));
        let files = std::fs::read_dir(folder.data().join("models")).unwrap();
        assert_eq!(files.count(), 1, "its file went with it");
    }
}

/// Writes a word with capitals wherever it is.
fn capitalise(bytes: &mut [u8], word: &[u8]) {
    for start in 0..bytes.len() - word.len() {
        let found = &mut bytes[start..start + word.len()];
        if found == word {
            found.make_ascii_uppercase();
        }
    }
}

#[test]
fn one_person_where_many_were_asked_for_was_an_empty_table() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let few = ["at least", "people with 7 readings each, found 1"];
    let backtest = [
        "backtest", "--user", &user, "--metric", "rhr", "--models", "pooled",
    ];
    check(
        &folder,
        &backtest,
        4,
        &[&few[..], &["no model made a forecast"]].concat(),
    );
    let train = ["train", "--pooled", "--users", &user, "--metric", "rhr"];
    check(&folder, &train, 4, &few);
}

#[test]
fn a_day_too_far_ahead_says_how_far_it_goes() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    folder.train(&user, "naive");
    check(
        &folder,
        &[
            "predict",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--date",
            "2026-12-24",
        ],
        2,
        &["at most 7 days"],
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_7() {
    let folder = Folder::new();
    // A file where the folder should be cannot be written into by anyone, root included.
    let blocked = folder.file("blocked", "");
    let inside = format!("{blocked}/data");
    let output = folder
        .command()
        .args(["users", "--data-dir", &inside])
        .assert()
        .failure();
    assert_eq!(output.get_output().status.code(), Some(7), "{output}");
}

#[test]
fn a_database_that_is_none_is_4_and_left_as_it_is() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.data()).unwrap();
    let database = folder.data().join("vitalcast.db");
    std::fs::write(
        &database,
        "a diary, not a database, and long enough to be looked at twice",
    )
    .unwrap();
    check(&folder, &["users"], 4, &["vitalcast.db"]);
    assert!(
        std::fs::read_to_string(database)
            .unwrap()
            .starts_with("a diary")
    );
}

#[test]
fn errors_are_json_for_programs() {
    let folder = Folder::new();
    let (code, message) =
        folder.failure(["predict", "--user", "nobody", "--metric", "rhr", "--json"]);
    assert_eq!(code, 3);
    let body: serde_json::Value = serde_json::from_str(&message).unwrap();
    assert_eq!(body["code"], "UNKNOWN_USER");
    assert!(body["detail"].as_str().unwrap().contains("nobody"));
}

#[test]
fn two_processes_share_a_data_folder() {
    let folder = Folder::new();
    let start = |set: &str| {
        std::process::Command::new(crate::support::binary())
            .args(["import", fixtures().join(set).to_str().unwrap(), "--json"])
            .env("VITALCAST_DATA_DIR", folder.data())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut both = [start("t1d-uom"), start("lifesnaps")];
    for process in &mut both {
        assert!(process.wait().unwrap().success());
    }
    let again = folder.json(["import", fixtures().join("t1d-uom").to_str().unwrap()]);
    assert_eq!(again["added"], 0, "{again}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let mut process = std::process::Command::new(crate::support::binary())
        .args(["features", "--user", &user, "--days", "3000"])
        .env("VITALCAST_DATA_DIR", folder.data())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stdout.take());
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_that_cannot_be_written_is_no_error() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let features = || {
        let mut command = std::process::Command::new(crate::support::binary());
        command
            .args(["features", "--user", &user, "--days", "3", "-vvv"])
            .env("VITALCAST_DATA_DIR", folder.data())
            .stdout(std::process::Stdio::piped());
        command
    };
    let full = std::fs::File::create("/dev/full").unwrap();
    let output = features().stderr(full).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!output.stdout.is_empty());
    let mut process = features()
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(process.stderr.take());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(!output.stdout.is_empty());
}
