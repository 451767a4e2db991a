//! `what-if`, `counterfactual` and `trajectory` on real people.

use crate::support::Folder;

#[test]
fn a_what_if_compares_scenarios_and_draws_them() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let path = |name: &str| folder.dir.path().join(name).to_str().unwrap().to_owned();
    let (picture, page) = (path("scenarios.svg"), path("scenarios.html"));
    let args = [
        "what-if",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--set",
        "activity_steps_daily=12000",
        "--meal",
        "21:00 carbs=80,protein=20",
        "--scenario",
        "sleep:health_sleep_duration_last=8.5",
    ];
    let answer = folder.json(args);
    assert_eq!(answer["scenarios"].as_array().unwrap().len(), 2);
    assert_eq!(answer["scenarios"][0]["changes"][1]["feature_name"], "meal");
    let files = ["--chart", &picture, "--report", &page];
    let shown = folder.run([&args[..], &files[..]].concat()).success();
    let text = String::from_utf8(shown.get_output().stdout.clone()).unwrap();
    assert!(
        text.contains("as it is") && text.contains("does not show a cause"),
        "{text}"
    );
    assert!(std::fs::read_to_string(picture).unwrap().contains("<svg"));
    assert!(
        std::fs::read_to_string(page)
            .unwrap()
            .contains("does not show a cause")
    );
}

#[test]
fn a_counterfactual_and_a_trajectory_are_told() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let asked = ["--user", &user, "--metric", "rhr"];
    let answer = folder.json([&["counterfactual"], &asked[..]].concat());
    assert!(answer["counterfactual"]["summary"].as_str().unwrap().len() > 40);
    let args = ["--change", "activity_steps_daily=+3000", "--paths", "10"];
    let answer = folder.json([&["trajectory"], &asked[..], &args[..]].concat());
    assert_eq!(
        answer["trajectories"][0]["trajectory"]
            .as_array()
            .unwrap()
            .len(),
        8
    );
}

#[test]
fn what_cannot_be_asked_is_wrong_usage_and_what_cannot_be_changed_is_said() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let asked = |rest: &[&'static str]| {
        let mut args = vec!["what-if", "--user", &user, "--metric", "rhr"];
        args.extend(rest);
        folder.failure(args)
    };
    for (rest, code, told) in [
        (&[][..], 2, "nothing to change"),
        (&["--set", "steps"], 2, "FEATURE=VALUE"),
        (&["--set", "activity_steps_daily=many"], 2, "not a number"),
        (&["--meal", "late carbs=1"], 2, "time of day"),
        (&["--meal", "21:00 sweets=1"], 2, "unknown amount"),
        (&["--workout", "18:00 FLYING 30"], 2, "FLYING"),
        (&["--set", "no_such=1"], 2, "no feature"),
        (
            &["--set", "nutrition_carbs_ratio=0.4"],
            2,
            "nutrition_carbs_daily",
        ),
        (
            &["--date", "1950-01-01", "--set", "STEPS=1"],
            4,
            "nothing is recorded",
        ),
    ] {
        let (exit, text) = asked(rest);
        assert_eq!(exit, code, "{text}");
        assert!(text.contains(told), "{text}");
    }
}
