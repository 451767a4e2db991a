//! What is SQLite's own: files, processes beside one another, damage.

use crate::samples::{forecast, meal, model, now, reading, user};
use sqlx::ConnectOptions;
use std::path::Path;
use vitalcast_domain::{KeyId, KeyInfo, PredictionMetric, Profile, Record, Scope};
use vitalcast_store::{Keys, SqliteStore, Store, StoreError};

pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

#[test]
fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let record = reading("1", "2024-05-01", 60.0);
    wait(async {
        let store = open(&path).await;
        store
            .write_records(&user("a"), std::slice::from_ref(&record), now())
            .await
            .unwrap();
    });
    let history = wait(async { open(&path).await.history(&user("a"), None).await });
    assert_eq!(history.unwrap().unwrap().records, [record]);
}

#[test]
fn two_stores_on_one_file_see_each_others_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    wait(async {
        let (one, other) = (open(&path).await, open(&path).await);
        one.write_records(&user("a"), &[reading("1", "2024-05-01", 60.0)], now())
            .await
            .unwrap();
        let report = other
            .write_records(&user("a"), &[reading("1", "2024-05-01", 61.0)], now())
            .await
            .unwrap();
        assert_eq!(report.corrected, 1);
        let seen = one.history(&user("a"), None).await.unwrap().unwrap();
        assert_eq!(seen.records.len(), 2);
    });
}

#[test]
fn writers_beside_one_another_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let path = path.clone();
            std::thread::spawn(move || {
                wait(async {
                    let store = open(&path).await;
                    for number in 0..25 {
                        let id = format!("{writer}-{number}");
                        let record = reading(&id, "2024-05-01", 60.0);
                        store
                            .write_records(&user("a"), &[record], now())
                            .await
                            .unwrap();
                    }
                });
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let history = wait(async { open(&path).await.history(&user("a"), None).await });
    assert_eq!(history.unwrap().unwrap().records.len(), 100);
}

/// A meal in the evening, by UTC: in Tokyo on the next day.
fn dinner(id: &str, day: &str) -> Record {
    meal(id, &format!("{day}T20:00:00Z"), "dinner")
}

fn in_zone(zone: &str) -> Profile {
    Profile {
        zone: zone.parse().unwrap(),
        ..Profile::default()
    }
}

#[test]
fn setting_a_zone_moves_more_records_than_go_into_one_statement() {
    wait(async {
        let store = SqliteStore::open_in_memory().await.unwrap();
        let meals: Vec<Record> = (0..2_345)
            .map(|number| dinner(&number.to_string(), "2024-05-01"))
            .collect();
        store
            .write_records(&user("a"), &meals, now())
            .await
            .unwrap();
        let before = store.history(&user("a"), None).await.unwrap().unwrap();
        for (zone, day) in [("Asia/Tokyo", "2024-05-02"), ("UTC", "2024-05-01")] {
            let moved = store.set_profile(&user("a"), &in_zone(zone)).await;
            assert_eq!(moved.unwrap(), 2_345);
            let history = store.history(&user("a"), None).await.unwrap().unwrap();
            let mut records = history.records.iter();
            assert!(records.all(|record| record.provenance().day.to_string() == day));
        }
        let after = store.history(&user("a"), None).await.unwrap().unwrap();
        assert_eq!(after.records, before.records);
    });
}

#[test]
fn what_is_written_while_a_zone_is_set_lies_on_the_days_of_that_zone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let path = path.clone();
            std::thread::spawn(move || {
                wait(async {
                    let store = open(&path).await;
                    for number in 0..40 {
                        let id = format!("{writer}-{number}");
                        store
                            .write_records(&user("a"), &[dinner(&id, "2024-05-01")], now())
                            .await
                            .unwrap();
                    }
                });
            })
        })
        .collect();
    wait(async {
        let store = open(&path).await;
        for zone in ["Asia/Tokyo", "UTC"].into_iter().cycle().take(20) {
            store.set_profile(&user("a"), &in_zone(zone)).await.unwrap();
        }
        store
            .set_profile(&user("a"), &in_zone("Asia/Tokyo"))
            .await
            .unwrap();
    });
    for writer in writers {
        writer.join().unwrap();
    }
    let history = wait(async { open(&path).await.history(&user("a"), None).await });
    let records = history.unwrap().unwrap().records;
    assert_eq!(records.len(), 80);
    let mut days = records.iter().map(|record| record.provenance().day);
    assert!(days.all(|day| day.to_string() == "2024-05-02"));
}

#[test]
fn of_two_models_registered_at_once_each_gets_its_own_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    wait(async {
        open(&path)
            .await
            .set_profile(&user("a"), &Profile::default())
            .await
    })
    .unwrap();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let path = path.clone();
            std::thread::spawn(move || {
                wait(async {
                    let new = model(
                        &format!("m{number}"),
                        "a",
                        PredictionMetric::RestingHeartRate,
                    );
                    open(&path).await.register_model(new).await.unwrap().version
                })
            })
        })
        .collect();
    let mut versions: Vec<i64> = threads.into_iter().map(|one| one.join().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, [1, 2, 3, 4]);
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [
        ("text.db", "a,b,c\n1,2,3\n".repeat(500).into_bytes()),
        ("byte.db", b"x".to_vec()),
        ("two.db", b"xy".to_vec()),
        ("head.db", b"SQLite format 3\0".to_vec()),
        ("zeros.db", vec![0_u8; 8_192]),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let refused = wait(SqliteStore::open(&path));
        assert!(
            matches!(
                refused,
                Err(StoreError::NotADatabase { .. } | StoreError::Corrupt { .. })
            ),
            "{name}: {refused:?}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
}

/// A database with enough in it to have many pages, closed and all in one file.
fn full_file(path: &Path) {
    wait(async {
        let store = open(path).await;
        let records: Vec<_> = (0..2_000)
            .map(|number| meal(&number.to_string(), "2024-05-01T12:00:00Z", "rice"))
            .collect();
        store
            .write_records(&user("a"), &records, now())
            .await
            .unwrap();
        store.finish_erasure(&user("nobody")).await.unwrap();
    });
}

#[test]
fn a_file_cut_short_is_damaged_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    full_file(&path);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let outcome = wait(async {
        let store = SqliteStore::open(&path).await?;
        store.history(&user("a"), None).await
    });
    assert!(
        matches!(outcome, Err(StoreError::Corrupt { .. })),
        "{outcome:?}"
    );
}

#[test]
fn garbage_in_the_middle_is_an_error_or_whole_data_and_never_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    full_file(&path);
    let whole = std::fs::read(&path).unwrap();
    for start in (4_096..whole.len() - 600).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        for (place, byte) in damaged[start..start + 600].iter_mut().enumerate() {
            *byte = (place * 37 % 251) as u8;
        }
        std::fs::write(&path, &damaged).unwrap();
        let _ = std::fs::remove_file(path.with_extension("db-wal"));
        let outcome = wait(async {
            let store = SqliteStore::open(&path).await?;
            store.history(&user("a"), None).await
        });
        if let Ok(Some(history)) = outcome {
            for record in &history.records {
                record.validate().unwrap();
            }
        }
    }
}

#[test]
fn a_database_of_a_newer_release_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    full_file(&path);
    newer(&path);
    let refused = wait(SqliteStore::open(&path));
    assert!(
        matches!(refused, Err(StoreError::SchemaTooNew { found: 999, .. })),
        "{refused:?}"
    );
}

/// Makes a database look as if a newer release had migrated it.
/// A key with a word of a newer release made the list of all keys unreadable, and itself unusable.
#[test]
fn a_scope_of_a_newer_release_gives_no_rights() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    wait(async {
        let store = open(&path).await;
        let key = KeyInfo {
            key_id: KeyId::from_random([1; 6]),
            name: "app".to_owned(),
            users: None,
            scopes: vec![Scope::Read],
            created_at: now(),
            expires_at: None,
            revoked_at: None,
        };
        store.add_key(&key, "hash").await.unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
        let mut beside = options.connect().await.unwrap();
        let change = r#"UPDATE api_keys SET scopes = '["of_tomorrow","read"]'"#;
        sqlx::query(change).execute(&mut beside).await.unwrap();
        assert_eq!(store.keys().await.unwrap(), std::slice::from_ref(&key));
        assert_eq!(store.key_by_hash("hash").await.unwrap(), Some(key));
    });
}

fn newer(path: &Path) {
    use sqlx::ConnectOptions;
    wait(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations VALUES (999, 'newer', '2030-01-01', 1, x'00', 1)",
        )
        .execute(&mut connection)
        .await
        .unwrap();
    });
}

#[test]
fn what_is_erased_is_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.db");
    let secret = "zanzibar-stew-of-an-erased-person";
    wait(async {
        let store = open(&path).await;
        let records: Vec<_> = (0..300)
            .map(|number| meal(&number.to_string(), "2024-05-01T12:00:00Z", secret))
            .collect();
        for of in ["to-be-erased", "other"] {
            let meals = if of == "other" {
                &records[..0]
            } else {
                &records[..]
            };
            store.write_records(&user(of), meals, now()).await.unwrap();
            store
                .write_records(&user(of), &[reading("r", "2024-05-01", 60.0)], now())
                .await
                .unwrap();
        }
        let metric = PredictionMetric::RestingHeartRate;
        store
            .register_model(model("m_to-be-erased", "to-be-erased", metric))
            .await
            .unwrap();
        let forecast = forecast("to-be-erased", "m_to-be-erased", "2024-06-02");
        store.save_forecast(&forecast).await.unwrap();
        assert!(
            found(folder.path(), secret),
            "the test looks in the right place"
        );
        store.erase_user(&user("to-be-erased")).await.unwrap();
        store.finish_erasure(&user("to-be-erased")).await.unwrap();
        for trace in [secret, "to-be-erased"] {
            assert!(!found(folder.path(), trace), "{trace}");
        }
        assert!(found(folder.path(), "other"));
    });
}

/// Whether a text stands anywhere in the files of a folder.
fn found(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_not_there_is_named() {
    let refused = wait(SqliteStore::open(Path::new("/nowhere/at/all/v.db")));
    let error = refused.unwrap_err();
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    assert!(error.to_string().contains("/nowhere/at/all/v.db"));
}

#[test]
fn a_copy_that_goes_its_own_way_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (here, copy) = (folder.path().join("v.db"), folder.path().join("copy.db"));
    wait(async {
        let write = async |path: &Path, value: f64| {
            let store = open(path).await;
            let record = reading("1", "2024-05-01", value);
            store
                .write_records(&user("a"), &[record], now())
                .await
                .unwrap();
            store.generation(&user("a")).await.unwrap().unwrap()
        };
        let first = write(&here, 60.0).await;
        // A backup is put back, and other things happen than the first time.
        write(&copy, 60.0).await;
        let went_on = write(&here, 61.0).await;
        let went_elsewhere = write(&copy, 62.0).await;
        assert_ne!(went_on, first);
        assert_ne!(went_on, went_elsewhere);
    });
}

#[test]
fn equal_histories_of_changes_have_equal_numbers() {
    let folder = tempfile::tempdir().unwrap();
    wait(async {
        let mut seen = Vec::new();
        for name in ["one.db", "other.db"] {
            let store = open(&folder.path().join(name)).await;
            for value in [60.0, 61.0] {
                let record = reading("1", "2024-05-01", value);
                store
                    .write_records(&user("a"), &[record], now())
                    .await
                    .unwrap();
            }
            seen.push(store.generation(&user("a")).await.unwrap());
        }
        assert_eq!(seen[0], seen[1]);
    });
}
