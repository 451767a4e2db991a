//! Ctrl-C in the middle, and a disk that is full.

use crate::support::{Folder, binary, fixtures};
use std::fmt::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Starts a command, presses Ctrl-C once `ready`, and waits for its end.
fn interrupted(folder: &Folder, args: &[&str], ready: impl Fn() -> bool) -> Output {
    let process = Command::new(binary())
        .args(args)
        .env("VITALCAST_DATA_DIR", folder.data())
        .env("VITALCAST_NOW", crate::support::NOW)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !ready() && begun.elapsed() < Duration::from_mins(1) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let pressed = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status();
    assert!(pressed.unwrap().success(), "it was over before");
    process.wait_with_output().unwrap()
}

fn check(output: &Output) {
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("interrupted"), "{said}");
}

#[test]
fn an_interrupted_import_keeps_what_it_acknowledged_and_goes_on_next_time() {
    let mut csv = String::from("id,userId,recordedAt,metricType,value\n");
    for row in 0..60_000_u32 {
        let (day, minute) = (row / 1_440 % 28 + 1, row % 1_440);
        writeln!(
            csv,
            "r{row},u{},2024-{:02}-{day:02}T{:02}:{:02}:00Z,RESTING_HEART_RATE,{}",
            row % 7,
            row / 40_320 + 1,
            minute / 60,
            minute % 60,
            60 + row % 30
        )
        .unwrap();
    }
    let folder = Folder::new();
    let path = folder.file("health_metrics.csv", csv);
    let database = folder.data().join("vitalcast.db-wal");
    let some_kept = || std::fs::metadata(&database).is_ok_and(|file| file.len() > 300_000);
    check(&interrupted(&folder, &["import", &path], some_kept));
    let last = folder.json(["import", &path]);
    let count = |name: &str| last[name].as_u64().unwrap();
    assert!(count("already_there") > 0 && count("added") > 0, "{last}");
    assert_eq!(count("already_there") + count("added"), 60_000);
    assert_eq!(count("corrected"), 0);
}

#[test]
fn an_interrupted_training_leaves_no_model() {
    let folder = Folder::new();
    let path = fixtures().join("t1d-uom");
    folder.run(["import", path.to_str().unwrap()]).success();
    let train = [
        "train",
        "--user",
        "2306",
        "--metric",
        "rhr",
        "--epochs",
        "200",
        "--hidden-dim",
        "512",
        "--num-layers",
        "4",
        "--learning-rate",
        "0.0001",
    ];
    let begun = Instant::now();
    let on_its_way = || begun.elapsed() > Duration::from_millis(700);
    check(&interrupted(&folder, &train, on_its_way));
    assert_eq!(folder.json(["models", "list"]), serde_json::json!([]));
    let files = std::fs::read_dir(folder.data().join("models")).unwrap();
    assert_eq!(files.count(), 0, "nothing half-written");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_an_output_file_is_7() {
    let folder = Folder::with_people();
    let (code, said) = folder.failure(["features", "--user", "2306", "--csv", "/dev/full"]);
    assert_eq!(code, 7, "{said}");
    assert!(
        said.contains("/dev/full") && said.contains("No space left"),
        "{said}"
    );
}
