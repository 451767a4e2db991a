//! kill -9 at random moments: no torn model, no lost acknowledged row.

use crate::support::{Folder, binary, fixtures};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How often each is killed: a thousand times by `cargo xtask soak`.
fn rounds() -> u64 {
    if std::env::var_os("VITALCAST_SOAK").is_some() {
        1_000
    } else {
        12
    }
}

/// Kills a run of `args` after `delay` and reports whether it was still running then.
fn kill_after(folder: &Folder, args: &[&str], delay: Duration) -> bool {
    let mut process = Command::new(binary())
        .args(args)
        .env("VITALCAST_DATA_DIR", folder.data())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(delay);
    let running = process.try_wait().unwrap().is_none();
    // SIGKILL on Unix.
    let _ = process.kill();
    process.wait().unwrap();
    running
}

#[test]
fn kills_during_import_lose_nothing_that_was_acknowledged() {
    let folder = Folder::new();
    let path = fixtures().join("t1d-uom");
    let path = path.to_str().unwrap();
    let mut kept = 0;
    let mut killed = 0;
    for round in 0..rounds() {
        // Spread over the whole run, which takes some tenths of a second.
        let delay = Duration::from_millis(5 + (round * 37) % 400);
        killed += u32::from(kill_after(&folder, &["import", path], delay));
        let users = folder.json(["users"]);
        let now: u64 = users
            .as_array()
            .unwrap()
            .iter()
            .map(|user| {
                ["meals", "activities", "health_metrics"]
                    .iter()
                    .map(|kind| user[kind].as_u64().unwrap())
                    .sum::<u64>()
            })
            .sum();
        assert!(now >= kept, "round {round}: {kept} records became {now}");
        kept = now;
    }
    assert!(killed > 0, "every run was over before it was killed");
    let last = folder.json(["import", path]);
    assert_eq!(
        last["already_there"].as_u64().unwrap() + last["added"].as_u64().unwrap(),
        last["records"].as_u64().unwrap()
    );
    assert_eq!(last["corrected"], 0, "{last}");
}

#[test]
fn kills_during_training_leave_whole_models_only() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let train = [
        "train",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--architecture",
        "linear",
        "--epochs",
        "10",
        "--force",
    ];
    let mut killed = 0;
    for round in 0..rounds() {
        let delay = Duration::from_millis(5 + (round * 53) % 350);
        killed += u32::from(kill_after(&folder, &train, delay));
    }
    assert!(killed > 0, "every run was over before it was killed");
    folder.json(train);
    let list = folder.json(["models", "list", "--user", &user]);
    let models = list["models"].as_array().unwrap();
    let active = models
        .iter()
        .filter(|model| model["is_active"] == true)
        .count();
    // None where the model of many people is as good.
    assert!(active <= 1, "{active}");
    assert!(!models.is_empty());
    for model in models {
        // Opens the artifact and checks its hash against the registry.
        folder.json(["models", "show", model["model_id"].as_str().unwrap()]);
    }
    let leftovers: Vec<_> = std::fs::read_dir(folder.data().join("models"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| !name.to_string_lossy().ends_with(".vcm"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}
