//! What concerns one person as a whole, and the keys to the service.

use crate::support::Folder;
use std::io::Read;

#[test]
fn a_key_is_shown_once_listed_without_its_secret_and_revoked() {
    let folder = Folder::new();
    assert_eq!(folder.json(["keys", "list"])["keys"], serde_json::json!([]));
    let made = folder.json([
        "keys", "create", "--name", "phone", "--user", "anna", "--user", "berta", "--scope",
        "read", "--scope", "ingest",
    ]);
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("vc_"), "{token}");
    assert_eq!(made["key"]["users"], serde_json::json!(["anna", "berta"]));
    // Alone on standard output, so that a script can take it.
    let other = folder
        .run(["keys", "create", "--name", "office", "--scope", "admin"])
        .success();
    let other = String::from_utf8(other.get_output().stdout.clone()).unwrap();
    assert_eq!(other.lines().count(), 1);
    let listed = folder.json(["keys", "list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(token));
    let id = made["key"]["key_id"].as_str().unwrap();
    let revoked = folder.json(["keys", "revoke", id]);
    assert!(revoked["revoked_at"].is_string());
    let table = folder.run(["keys", "list"]).success();
    let table = String::from_utf8(table.get_output().stdout.clone()).unwrap();
    assert!(table.contains("anna, berta") && table.contains("revoked 2026-11-23"));
    assert!(table.contains("office") && table.contains("everyone"));
    // Neither the secret nor what opens it lies in the database.
    let database = std::fs::read(folder.data().join("vitalcast.db")).unwrap();
    // Not what follows the last `_`: the secret may have one itself, and then a rest of one or two characters
    // would be found anywhere.
    let secret = token.splitn(3, '_').nth(2).unwrap().as_bytes();
    assert_eq!(secret.len(), 43);
    assert!(
        !database
            .windows(secret.len())
            .any(|window| window == secret)
    );
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    for (arguments, code) in [
        (&["--name", "x"][..], 2),
        (&["--name", "x", "--scope", "everything"], 2),
        (&["--name", " ", "--scope", "read"], 2),
        (&["--name", "x", "--scope", "admin", "--user", "anna"], 2),
        (&["--name", "x", "--scope", "read", "--user", "../x"], 2),
        (
            &[
                "--name",
                "x",
                "--scope",
                "read",
                "--expires",
                "2020-01-01T00:00:00Z",
            ],
            2,
        ),
    ] {
        let all = ["keys", "create"].iter().chain(arguments).copied();
        let (found, text) = folder.failure(all);
        assert_eq!(found, code, "{arguments:?}: {text}");
    }
    assert_eq!(folder.failure(["keys", "revoke", "0123456789ab"]).0, 3);
}

#[test]
fn a_profile_is_shown_changed_field_by_field_and_checked() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let before = folder.json(["profile", "--user", &user]);
    assert_eq!(before["zone"], "Europe/London");
    folder.json(["profile", "--user", &user, "--weight", "71.5"]);
    let after = folder.json(["profile", "--user", &user, "--zone", "Europe/Athens"]);
    assert_eq!(after["weight_kg"], 71.5);
    assert_eq!(after["zone"], "Europe/Athens");
    assert_eq!(folder.failure(["profile", "--user", "nobody"]).0, 3);
    assert_eq!(
        folder
            .failure(["profile", "--user", &user, "--weight", "7000"])
            .0,
        2
    );
    assert_eq!(
        folder
            .failure(["profile", "--user", &user, "--zone", "Europe/Atlantis"])
            .0,
        2
    );
}

#[test]
fn a_person_is_taken_out_and_erased() {
    let folder = Folder::with_people();
    let (user, other) = folder.people();
    let file = folder.dir.path().join("all.zip");
    folder.json(["export", "--user", &user, file.to_str().unwrap()]);
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&file).unwrap()).unwrap();
    let mut meals = String::new();
    zip.by_name("records/meal.ndjson")
        .unwrap()
        .read_to_string(&mut meals)
        .unwrap();
    assert!(meals.lines().count() > 10);
    // Nobody can be asked here.
    let (code, text) = folder.failure(["erase", "--user", &user]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("--yes"), "{text}");
    assert_eq!(
        folder.json(["profile", "--user", &user])["zone"],
        "Europe/London"
    );
    // A running server has to do it itself.
    let engine = vitalcast::Engine::open(&folder.data()).unwrap();
    let lock = engine.lock_folder().unwrap();
    let (code, text) = folder.failure(["erase", "--user", &user, "--yes"]);
    assert_eq!(code, 6, "{text}");
    assert!(
        text.contains(&format!("DELETE /api/users/{user}")),
        "{text}"
    );
    drop(lock);
    // Lists of refused rows do not say whose they are.
    let rejects = folder.data().join("rejects-20261123T120000Z.csv");
    std::fs::write(&rejects, "file,line,reason,message\n").unwrap();
    let erased = folder.json(["erase", "--user", &user, "--yes"]);
    assert_eq!(erased["erased"], true);
    assert_eq!(erased["log_emptied"], true);
    assert!(!rejects.exists());
    assert_eq!(folder.failure(["profile", "--user", &user]).0, 3);
    assert_eq!(folder.failure(["erase", "--user", &user, "--yes"]).0, 3);
    folder.json(["profile", "--user", &other]);
}

#[test]
fn a_models_forecasts_are_looked_back_on_and_the_version_before_comes_back() {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    let train = |architecture: &str| {
        folder.train(&user, architecture)["model_id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let first = train("naive");
    let second = train("moving_average");
    // Whether or not it is better than the model of many people.
    folder.json(["models", "activate", &second]);
    folder.json(["predict", "--user", &user, "--metric", "rhr"]);
    let fared = folder.json(["models", "performance", &second]);
    assert_eq!(fared["model_id"], second.as_str());
    assert_eq!(fared["predictions_made"], 1);
    let back = folder.json(["models", "rollback", "--user", &user, "--metric", "rhr"]);
    assert_eq!(back["model_id"], first.as_str());
    assert_eq!(back["is_active"], true);
    let (code, _) = folder.failure(["models", "rollback", "--user", &user, "--metric", "rhr"]);
    assert_eq!(code, 6, "nothing stands before it");
}
