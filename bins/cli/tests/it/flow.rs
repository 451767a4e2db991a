//! The main job: import, train, predict, history, backtest on real people.

use crate::support::{Folder, NOW, binary, fixtures};
use serde_json::Value;

#[test]
fn a_second_import_adds_nothing() {
    let folder = Folder::new();
    for set in ["t1d-uom", "lifesnaps"] {
        let path = fixtures().join(set);
        let path = path.to_str().unwrap();
        let first = folder.json(["import", path]);
        assert!(first["added"].as_u64().unwrap() > 100, "{first}");
        let second = folder.json(["import", path]);
        assert_eq!(second["added"], 0, "{second}");
        assert_eq!(second["corrected"], 0, "{second}");
        assert_eq!(second["already_there"], second["records"]);
    }
}

#[test]
fn users_is_a_list_with_first_and_last_day() {
    let folder = Folder::with_people();
    let users = folder.json(["users"]);
    for user in users.as_array().unwrap() {
        for field in ["user_id", "first_day", "last_day"] {
            assert!(user[field].is_string(), "{user}");
        }
    }
}

#[test]
fn predict_prints_the_contracts_answer_with_values_that_belong_together() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    folder.train(&user, "linear");
    let answer = folder.json([
        "predict",
        "--user",
        &user,
        "--metric",
        "RESTING_HEART_RATE",
        "--architecture",
        "linear",
    ]);
    for field in [
        "user_id",
        "features_used",
        "sequence_length",
        "data_quality_score",
        "interpretation",
        "cached",
    ] {
        assert!(!answer[field].is_null(), "{field} in {answer}");
    }
    assert_eq!(answer["features_used"], 51);
    let prediction = &answer["prediction"];
    let number = |field: &str| prediction[field].as_f64().unwrap();
    let value = number("predicted_value");
    assert!((30.0..120.0).contains(&value), "{prediction}");
    assert!(number("confidence_interval_lower") < value);
    assert!(number("confidence_interval_upper") > value);
    let deviation = value - number("historical_average");
    assert!((number("deviation_from_average") - deviation).abs() < 1e-9);
    assert!((0.0..=100.0).contains(&number("percentile")));
    assert!((0.0..=1.0).contains(&number("confidence_score")));
    assert!(prediction["baseline_value"].is_number());
}

#[test]
fn a_wider_interval_is_wider_and_the_reference_one_is_selectable() {
    let folder = Folder::with_people();
    let (_, user) = folder.people();
    folder.json([
        "train",
        "--user",
        &user,
        "--metric",
        "sleep",
        "--architecture",
        "moving_average",
    ]);
    let width = |extra: &[&str]| {
        let mut args = vec!["predict", "--user", &user, "--metric", "sleep"];
        args.extend(extra);
        let answer = folder.json(args);
        let prediction = answer["prediction"].clone();
        let width = prediction["confidence_interval_upper"].as_f64().unwrap()
            - prediction["confidence_interval_lower"].as_f64().unwrap();
        (width, prediction["interval_method"].clone())
    };
    let (narrow, _) = width(&["--interval-level", "0.5"]);
    let (wide, method) = width(&["--interval-level", "0.95"]);
    assert!(narrow < wide, "{narrow} {wide}");
    assert_eq!(method, "residual_quantiles");
    let (_, method) = width(&["--interval-method", "reference_mae"]);
    assert_eq!(method, "reference_mae");
}

#[test]
fn a_past_day_is_a_replay_and_its_outcome_stands_in_the_history() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let training = folder.train(&user, "naive");
    let last: chrono::NaiveDate = training["last_day"].as_str().unwrap().parse().unwrap();
    for back in 0..5 {
        let date = (last - chrono::Days::new(back)).to_string();
        let answer = folder.json([
            "predict", "--user", &user, "--metric", "rhr", "--date", &date,
        ]);
        let as_of: chrono::DateTime<chrono::Utc> = answer["prediction"]["as_of"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap();
        let day = as_of.date_naive().to_string();
        assert!(day <= date, "known on {day} for {date}");
    }
    let history = folder.json(["history", "--user", &user, "--metric", "rhr"]);
    let settled: Vec<&Value> = history["days"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|day| day["forecast"]["actual"].is_number())
        .collect();
    assert!(!settled.is_empty(), "{history}");
    for day in settled {
        assert_eq!(day["forecast"]["actual"], day["actual"]);
    }
    assert!(history["mae"].is_number());
}

#[test]
fn a_forecast_without_training_is_the_backtests_number() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let backtest = folder.json([
        "backtest",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--models",
        "population",
        "--min-days",
        "20",
    ]);
    let rows = backtest["rows"].as_array().unwrap();
    assert!(rows.len() > 5, "{backtest}");
    for row in rows.iter().rev().take(3) {
        let date = row["target_date"].as_str().unwrap();
        let answer = folder.json([
            "predict", "--user", &user, "--metric", "rhr", "--date", date,
        ]);
        assert_eq!(
            answer["prediction"]["predicted_value"], row["forecast"],
            "{date}"
        );
        assert_eq!(answer["prediction"]["architecture"], "pooled");
    }
}

#[test]
fn predict_answers_for_every_measured_metric_without_any_training() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let answer = folder.json(["predict", "--user", &user]);
    assert_eq!(answer["all_predictions_successful"], true, "{answer}");
    let predictions = answer["predictions"].as_object().unwrap();
    assert!(predictions.contains_key("RESTING_HEART_RATE"));
    assert!(predictions.contains_key("SLEEP_DURATION"));
    let range = &predictions["SLEEP_DURATION"]["normal_range"];
    assert!(range["low"].as_f64().unwrap() < range["high"].as_f64().unwrap());
}

#[test]
fn predict_says_whether_the_last_forecast_held() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let predict = ["predict", "--user", &user, "--metric", "rhr"];
    let text = |arguments: &[&str]| {
        let run = folder.run([&predict[..], arguments].concat()).success();
        String::from_utf8_lossy(&run.get_output().stdout).into_owned()
    };
    let first = text(&[]);
    assert!(!first.contains("The last forecast"), "{first}");
    let next = folder.json(predict);
    let last = next["prediction"]["last_observed_day"].as_str().unwrap();
    let before = folder.json([&predict[..], &["--date", last]].concat());
    let after = text(&[]);
    let line = after
        .lines()
        .find(|line| line.starts_with("The last forecast"));
    let line = line.unwrap_or_else(|| panic!("{after}"));
    assert!(line.contains(&format!(" for {last}, ")), "{line}");
    let history = folder.json(["history", "--user", &user, "--metric", "rhr"]);
    let days = history["days"].as_array().unwrap();
    let day = days.iter().find(|day| day["date"] == last).unwrap();
    let bound = |name: &str| before["prediction"][name].as_f64().unwrap();
    let is_inside = (bound("confidence_interval_lower")..=bound("confidence_interval_upper"))
        .contains(&day["actual"].as_f64().unwrap());
    assert_eq!(line.contains(", held: "), is_inside, "{line}");
    assert_eq!(line.contains(", did not hold: "), !is_inside, "{line}");
}

#[test]
fn a_backtest_writes_a_row_for_each_forecast_and_a_page() {
    let folder = Folder::with_people();
    let (_, user) = folder.people();
    let table = folder.dir.path().join("rows.csv");
    let page = folder.dir.path().join("page.html");
    let answer = folder.json([
        "backtest",
        "--users",
        &user,
        "--metric",
        "sleep",
        "--models",
        "auto,naive",
        "--min-days",
        "20",
        "--horizon",
        "1..2",
        "--levels",
        "80,97.5",
        "--output",
        table.to_str().unwrap(),
        "--report",
        page.to_str().unwrap(),
    ]);
    let text = std::fs::read_to_string(&table).unwrap();
    let mut lines = text.lines();
    assert_eq!(
        lines.next().unwrap(),
        "user_id,target_date,horizon,model,observed,forecast,lower_80,upper_80,lower_97.5,upper_97.5,\
         origin"
    );
    assert_eq!(lines.count(), answer["rows"].as_array().unwrap().len());
    let reports = answer["reports"].as_array().unwrap();
    assert_eq!(reports.len(), 4, "{answer}");
    assert!(reports.iter().all(|report| report["mae"].is_number()));
    assert!(answer["choices"][0]["reason"].is_string());
    assert!(std::fs::read_to_string(&page).unwrap().contains("<svg"));
    let wrong = ["backtest", "--metric", "sleep", "--output", "rows.xlsx"];
    folder.run(wrong).failure().code(2);
}

#[test]
fn several_metrics_at_once_report_those_that_fail() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    folder.train(&user, "naive");
    let answer = folder.json(["predict", "--user", &user, "--metric", "rhr,recovery"]);
    assert_eq!(answer["all_predictions_successful"], false);
    assert_eq!(answer["failed_metrics"][0], "RECOVERY_SCORE");
    let reason = answer["failure_reasons"]["RECOVERY_SCORE"]
        .as_str()
        .unwrap();
    assert!(reason.contains("measured on 0 days"), "{reason}");
}

#[test]
fn what_was_trained_before_a_metric_failed_is_told() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let train = |metrics: &str| {
        let args = [
            "train",
            "--user",
            &user,
            "--architecture",
            "naive",
            "--json",
        ];
        folder
            .run(args.into_iter().chain(["--metric", metrics]))
            .code(4)
    };
    let trained: Value =
        serde_json::from_slice(&train("rhr,recovery").get_output().stdout).unwrap();
    assert_eq!(trained[0]["metric"], "RESTING_HEART_RATE", "{trained}");
    assert_eq!(trained.as_array().unwrap().len(), 1);
    // A single metric that fails has no answer.
    assert!(train("recovery").get_output().stdout.is_empty());
}

#[test]
fn models_are_listed_shown_activated_exported_and_deleted() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let train = |architecture: &str| {
        let args = [
            "train",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--architecture",
            architecture,
        ];
        folder.json(args)["model_id"].as_str().unwrap().to_owned()
    };
    let first = train("naive");
    let second = train("linear");
    assert_ne!(first, second);
    let list = folder.json(["models", "list", "--user", &user]);
    assert_eq!(list["total_models"], 2);
    let entry = |list: &Value, id: &str| {
        let models = list["models"].as_array().unwrap().clone();
        models
            .into_iter()
            .find(|model| model["model_id"] == id)
            .unwrap()
    };
    assert_eq!(entry(&list, &first)["version"], "v1.0.0");
    assert_eq!(entry(&list, &second)["version"], "v1.0.1");
    // Neither is better than the model of many people, so forecasts go on without them.
    assert_eq!(entry(&list, &first)["is_active"], false);
    assert_eq!(entry(&list, &second)["is_active"], false);
    let answer = folder.json(["predict", "--user", &user, "--metric", "rhr"]);
    assert_eq!(answer["prediction"]["architecture"], "pooled");

    folder.json(["models", "activate", &first]);
    let answer = folder.json(["predict", "--user", &user, "--metric", "rhr"]);
    assert_eq!(answer["prediction"]["model_id"], first.as_str());
    let by_version = folder.json([
        "predict",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--model-version",
        "v1.0.1",
    ]);
    assert_eq!(by_version["prediction"]["model_id"], second.as_str());

    let manifest = folder.json(["models", "show", &second]);
    assert_eq!(manifest["feature_names"].as_array().unwrap().len(), 51);
    let weights = folder.dir.path().join("weights.safetensors");
    folder.json(["models", "export", &second, weights.to_str().unwrap()]);
    assert!(weights.metadata().unwrap().len() > 100);

    folder.json(["models", "delete", &first]);
    let list = folder.json(["models", "list", "--user", &user]);
    assert_eq!(list["total_models"], 1);
    assert_eq!(entry(&list, &second)["is_active"], false);
}

#[test]
fn features_of_a_day_are_the_contracts_answer_and_a_matrix_is_csv() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let answer = folder.json(["features", "--user", &user, "--inputs"]);
    assert_eq!(answer["feature_count"], 51);
    assert!(
        answer["nutrition"]
            .as_object()
            .unwrap()
            .contains_key("protein_daily")
    );
    let assert = folder
        .run(["features", "--user", &user, "--inputs", "--days", "3"])
        .success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    let header = text.lines().next().unwrap();
    assert_eq!(header.split(',').count(), 52);
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn a_chart_file_is_drawn_by_its_ending() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    folder.train(&user, "naive");
    let draw = |name: &str| {
        let path = folder.dir.path().join(name);
        folder
            .run([
                "predict",
                "--user",
                &user,
                "--metric",
                "rhr",
                "--chart",
                path.to_str().unwrap(),
            ])
            .success();
        std::fs::read(path).unwrap()
    };
    assert!(draw("a.svg").starts_with(b"<svg"));
    assert!(draw("a.png").starts_with(b"\x89PNG"));
    let (code, message) = folder.failure([
        "predict", "--user", &user, "--metric", "rhr", "--chart", "a.gif",
    ]);
    assert_eq!(code, 2, "{message}");
}

#[test]
fn trainings_that_end_in_the_same_second_are_all_kept() {
    let folder = Folder::with_people();
    let (_, user) = folder.people();
    // Six processes at one moment: the time is given, and stands still.
    let children: Vec<_> = (0..6)
        .map(|_| {
            std::process::Command::new(binary())
                .env("VITALCAST_DATA_DIR", folder.data())
                .env("VITALCAST_NOW", NOW)
                .args(["--quiet", "train", "--user", &user, "--metric", "rhr"])
                .args(["--architecture", "ets", "--force"])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let models = folder.json(["models", "list"]);
    let mut kept: Vec<(&str, &str)> = models
        .as_array()
        .unwrap()
        .iter()
        .map(|model| {
            let text = |field: &str| model[field].as_str().unwrap();
            (text("version"), text("model_id"))
        })
        .collect();
    kept.sort_unstable();
    let versions: Vec<&str> = kept.iter().map(|(version, _)| *version).collect();
    assert_eq!(
        versions,
        ["v1.0.0", "v1.0.1", "v1.0.2", "v1.0.3", "v1.0.4", "v1.0.5"]
    );
    let first = format!("{user}_RESTING_HEART_RATE_20261123_120000");
    for (number, (_, id)) in (1..).zip(&kept) {
        let expected = match number {
            1 => first.clone(),
            _ => format!("{first}_{number}"),
        };
        assert_eq!(*id, expected);
        // Its file is there, though equal models share one.
        folder.run(["models", "show", id]).success();
    }
}
