//! `explain` on real people.

use crate::support::Folder;

#[test]
fn a_forecast_is_explained_in_words_pictures_and_numbers() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let path = |name: &str| folder.dir.path().join(name).to_str().unwrap().to_owned();
    // Nothing is trained: the model of many people forecasts.
    let args = ["explain", "--user", &user, "--metric", "rhr"];
    let answer = folder.json(args);
    let number = |name: &str| answer[name].as_f64().unwrap();
    let listed: f64 = answer["feature_importances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["contribution"].as_f64().unwrap())
        .sum();
    let sum = number("baseline_value") + listed + number("other_contributions");
    assert!((sum - number("predicted_value")).abs() < 1e-6);
    assert_eq!(answer["computation"], "aumann_shapley");
    let forecast = folder.json(["predict", "--user", &user, "--metric", "rhr"]);
    assert_eq!(
        forecast["prediction"]["predicted_value"],
        answer["predicted_value"]
    );
    let assert = folder.run(args).success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for words in [
        "Expected",
        "What goes with it most",
        "does not show a cause",
    ] {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("because"), "{text}");
    for (option, name) in [
        ("--chart", "why.svg"),
        ("--chart", "why.png"),
        ("--report", "why.html"),
    ] {
        folder
            .run([&args[..], &[option, &path(name)]].concat())
            .success();
        assert!(
            std::fs::metadata(path(name)).unwrap().len() > 2_000,
            "{name}"
        );
    }
    let page = std::fs::read_to_string(path("why.html")).unwrap();
    assert!(page.contains("Why this forecast") && page.contains("does not show a cause"));
}

#[test]
fn days_a_check_and_a_whole_model_are_explained() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let model = folder.train(&user, "linear");
    let id = model["model_id"].as_str().unwrap();
    let args = ["explain", "--user", &user, "--metric", "rhr"];
    let of = |more: &[&str]| {
        let linear = ["--architecture", "linear", "--samples", "200"];
        folder.json([&args[..], &linear, more].concat())
    };
    let days = of(&["--by", "day", "--check"]);
    assert_eq!(days["by_day"].as_array().unwrap().len(), 30);
    // What a linear layer adds is what its gradients say; its base is not linear in days alone.
    assert!(
        days["check"]["largest_gap"].as_f64().unwrap() < 0.5,
        "{days}"
    );
    let both = of(&["--by", "both", "--seed", "7"]);
    assert_eq!(both["grouping"], "both");
    let lime = of(&["--method", "lime"]);
    assert!(lime["local_fit"].is_number() || lime["local_fit"].is_null());
    let whole = folder.json([
        "explain",
        "--model",
        id,
        "--method",
        "permutation",
        "--top",
        "5",
    ]);
    assert_eq!(whole["model_id"], id);
    assert!(whole["feature_importances"].as_array().unwrap().len() <= 5);
    let text = folder.run(["explain", "--model", id]).success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("Shares: health"), "{text}");
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_reason() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let args = ["explain", "--user", &user, "--metric", "rhr"];
    let refused = |more: &[&str]| folder.failure([&args[..], more].concat());
    let (code, text) = refused(&["--top", "52"]);
    assert_eq!(code, 2, "{text}");
    let (code, text) = refused(&["--method", "attention"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("lstm_attention"), "{text}");
    let (code, text) = refused(&["--by", "day"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("whole history"), "{text}");
    let (code, text) = refused(&["--date", "2001-01-01"]);
    assert_eq!(code, 4, "{text}");
    let (code, _) = refused(&["--architecture", "lstm"]);
    assert_eq!(code, 3);
    let (code, text) = folder.failure(["explain", "--model", "no-such-model"]);
    assert_eq!(code, 3, "{text}");
    let (code, text) = folder.failure(["explain"]);
    assert_eq!(code, 2, "{text}");
    let (code, text) = refused(&["--chart", "why.gif"]);
    assert_eq!(code, 2, "{text}");
}
