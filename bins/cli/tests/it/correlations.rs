//! `correlate` and `lags` on real people.

use crate::support::Folder;

#[test]
fn correlate_tells_all_it_tested_and_nothing_that_is_the_target() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let answer = folder.json([
        "correlate",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--days",
        "60",
        "--all",
        "--top",
        "500",
        "--method",
        "pearson,spearman,kendall,granger",
    ]);
    let listed = answer["correlations"].as_array().unwrap();
    assert_eq!(listed.len() as u64, answer["tests"].as_u64().unwrap());
    assert!(listed.len() > 20, "{answer}");
    for one in listed {
        let name = one["feature_name"].as_str().unwrap();
        assert!(!name.starts_with("health_rhr"), "{name}");
        assert!(one["p_value"].as_f64().unwrap() >= one["raw_p_value"].as_f64().unwrap() - 1e-12);
    }
    assert!(answer["summary"].as_str().unwrap().len() > 40);
}

#[test]
fn pictures_and_a_page_are_written() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let path = |name: &str| folder.dir.path().join(name).to_str().unwrap().to_owned();
    folder
        .run([
            "correlate",
            "--user",
            &user,
            "--metric",
            "rhr,sleep",
            "--days",
            "60",
            "--report",
            &path("page.html"),
        ])
        .success();
    let page = std::fs::read_to_string(path("page.html")).unwrap();
    assert!(page.contains("Resting Heart Rate") && page.contains("Sleep Duration"));
    assert!(
        page.contains("after correction for autocorrelation"),
        "before and after correction"
    );
    folder
        .run([
            "lags",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--feature",
            "nutrition_carbs_daily",
            "--days",
            "60",
            "--chart",
            &path("lags.svg"),
            "--report",
            &path("lags.html"),
        ])
        .success();
    let page = std::fs::read_to_string(path("lags.html")).unwrap();
    assert!(page.contains("<svg") && page.contains("All tested lags"));
    assert!(
        std::fs::read_to_string(path("lags.svg"))
            .unwrap()
            .contains("<svg")
    );
}

#[test]
fn wrong_input_says_what_was_expected() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let check = |args: &[&str], code: i32, words: &str| {
        let (found, message) = folder.failure(args.iter().copied());
        assert_eq!(found, code, "{message}");
        assert!(message.contains(words), "{message}");
    };
    check(
        &["correlate", "--user", &user, "--metric", "mood"],
        2,
        "SLEEP_SCORE",
    );
    check(
        &[
            "correlate",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--method",
            "magic",
        ],
        2,
        "kendall",
    );
    check(
        &["correlate", "--user", "nobody", "--metric", "rhr"],
        3,
        "nobody",
    );
    check(
        &[
            "correlate",
            "--user",
            &user,
            "--metric",
            "rhr",
            "--days",
            "9",
        ],
        2,
        "lookback_days must be between 14 and 180",
    );
    let unknown = folder.json([
        "lags",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--feature",
        "nutrition_magic",
    ]);
    assert_eq!(unknown["code"], "UNKNOWN_FEATURE");
    // When someone fell asleep is known by how long they slept.
    for metric in ["sleep", "recovery"] {
        let circular = folder.json([
            "lags",
            "--user",
            &user,
            "--metric",
            metric,
            "--feature",
            "nutrition_carbs_daily",
            "--hours",
        ]);
        assert_eq!(circular["code"], "FEATURE_IS_TARGET");
    }
}
