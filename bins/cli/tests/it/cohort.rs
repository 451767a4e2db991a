//! Tables of all people.

use crate::support::Folder;

#[test]
fn all_people_are_one_table_in_both_formats() {
    let folder = Folder::with_people();
    let people = folder.json(["users"]).as_array().unwrap().len();
    let mut rows = Vec::new();
    for name in ["cohort.parquet", "cohort.arrow", "cohort.feather"] {
        let path = folder.dir.path().join(name);
        let path = path.to_str().unwrap();
        let answer = folder.json(["features", "--all", "--output", path]);
        assert_eq!(answer["people"], people);
        assert_eq!(answer["file"], path);
        let first = std::fs::read(path).unwrap();
        folder
            .run(["features", "--all", "--output", path])
            .success();
        assert!(
            std::fs::read(path).unwrap() == first,
            "{name} has other bytes"
        );
        rows.push(answer["rows"].as_u64().unwrap());
    }
    assert!(rows[0] > 75 * people as u64 && rows.iter().all(|other| *other == rows[0]));

    let path = folder.dir.path().join("week.parquet");
    let path = path.to_str().unwrap();
    let week = ["--from", "2021-05-24", "--to", "2021-05-30"];
    let known = "--as-known-each-evening";
    let answer = folder.json([&["features", "--all", known, "--output", path], &week[..]].concat());
    let rows = answer["rows"].as_u64().unwrap();
    assert_eq!(rows, 7 * answer["people"].as_u64().unwrap());
    assert_eq!(answer["as_known_each_evening"], true);
}

#[test]
fn a_table_that_cannot_be_written_says_why() {
    let folder = Folder::new();
    let path = |name: &str| folder.dir.path().join(name).to_str().unwrap().to_owned();
    let failure = |args: &[&str]| folder.failure([&["features", "--all"], args].concat());

    let (code, text) = failure(&["--output", &path("cohort.csv")]);
    assert_eq!(code, 2, "{text}");
    assert!(
        text.contains(".parquet, or in .arrow or .feather"),
        "{text}"
    );
    let (code, text) = failure(&["--output", &path("missing/cohort.parquet")]);
    assert_eq!(code, 3, "{text}");
    let (code, text) = failure(&["--output", &path("cohort.parquet")]);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("contains no people"), "{text}");
    assert!(text.contains("vitalcast import"), "{text}");

    let export = super::support::fixtures().join("lifesnaps");
    folder.run(["import", export.to_str().unwrap()]).success();
    let output = path("cohort.arrow");
    let early = ["--output", &output, "--to", "1999-12-31"];
    let (code, text) = failure(&early);
    assert_eq!(code, 4, "{text}");
    let reversed = [
        "--output",
        &output,
        "--from",
        "2021-06-02",
        "--to",
        "2021-06-01",
    ];
    let (code, _) = failure(&reversed);
    assert_eq!(code, 2);
    let (code, _) = failure(&["--output", &output, "--user", "1"]);
    assert_eq!(code, 2);
    let (code, _) = failure(&[]);
    assert_eq!(code, 2);
    assert!(!folder.dir.path().join("cohort.arrow").exists());
}
