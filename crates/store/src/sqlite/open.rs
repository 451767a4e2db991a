//! Opens a database: checks that it is one, allows one process at a time, and migrates its schema.

use super::SqliteStore;
use super::mark::MarkReader;
use crate::error::StoreError;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlSafeStr};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The versions of the schema, in order. A released one is never changed: its hash stands in every
/// database it was applied to. (`migrate!` would read the folder by itself, and make every build
/// compile SQLite and the whole of sqlx a second time, for the macro.)
const MIGRATIONS: [(&str, &str); 6] = [
    (
        "initial",
        include_str!("../../migrations/sqlite/0001_initial.sql"),
    ),
    (
        "service",
        include_str!("../../migrations/sqlite/0002_service.sql"),
    ),
    (
        "erasure and cancellation",
        include_str!("../../migrations/sqlite/0003_erasure_and_cancellation.sql"),
    ),
    (
        "deleted records",
        include_str!("../../migrations/sqlite/0004_deleted_records.sql"),
    ),
    (
        "models of many people",
        include_str!("../../migrations/sqlite/0005_models_of_many_people.sql"),
    ),
    (
        "experiments",
        include_str!("../../migrations/sqlite/0006_experiments.sql"),
    ),
];

fn migrator() -> Migrator {
    let migrations = (1..).zip(MIGRATIONS).map(|(version, (description, text))| {
        Migration::new(
            version,
            description.into(),
            MigrationType::Simple,
            text.into_sql_str(),
            false,
        )
    });
    Migrator::with_migrations(migrations.collect())
}

/// The SQLite name of a database in memory.
const MEMORY: &str = ":memory:";
/// Maximum time that a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// Number of retries, and the delay, while another process creates the database.
const OPENING_TRIES: u32 = 200;
const OPENING_PAUSE: Duration = Duration::from_millis(25);

impl SqliteStore {
    /// Opens a database file, and creates it if necessary.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotADatabase`], [`StoreError::SchemaTooNew`], [`StoreError::ReadOnly`],
    /// [`StoreError::CannotOpen`], [`StoreError::Corrupt`], [`StoreError::Busy`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite refuses what is no database, but takes one byte for an empty one.
        if path.metadata().is_ok_and(|file| file.len() == 1) {
            return Err(StoreError::NotADatabase {
                path: path.to_owned(),
            });
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT)
            // A statement that is slow on a busy machine is nothing to show on a person's terminal.
            .disable_statement_logging();
        // One process at a time looks at the schema and brings it up to date. Where no lock file can
        // be made, nothing can be written either, and opening says why.
        let lock = File::create(path.with_extension("lock"));
        if let Ok(lock) = &lock
            && let Err(source) = lock.lock()
        {
            return Err(StoreError::of(path, sqlx::Error::Io(source)));
        }
        make_private(path);
        let opened = Self::connect_when_free(path, options, 4).await;
        drop(lock);
        opened
    }

    /// Connects; tries again while another connection is just making the database. SQLite answers the
    /// switch to write-ahead mode with "busy" at once, without waiting, so we wait here.
    async fn connect_when_free(
        path: &Path,
        options: SqliteConnectOptions,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let mut opened = Self::connect(path, options.clone(), connections).await;
        for _ in 0..OPENING_TRIES {
            if !matches!(opened, Err(StoreError::Busy { .. })) {
                break;
            }
            tokio::time::sleep(OPENING_PAUSE).await;
            opened = Self::connect(path, options.clone(), connections).await;
        }
        opened
    }

    /// Creates a store in memory, which is lost when it is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        // Every connection to memory is a database of its own, so there is one.
        Self::connect(
            Path::new(MEMORY),
            SqliteConnectOptions::new().in_memory(true),
            1,
        )
        .await
    }

    async fn connect(
        path: &Path,
        options: SqliteConnectOptions,
        connections: u32,
    ) -> Result<Self, StoreError> {
        let options = options
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // What is erased is overwritten, not only unlinked.
            .pragma("secure_delete", "ON")
            // Rows come from another thread; with few at a time both keep waking each other.
            .row_buffer_size(1_024);
        let pool = SqlitePoolOptions::new()
            .max_connections(connections)
            // All are opened now and stay open. Each has a thread, which keeps the priority of the one that opened it: that should not
            // be a training's.
            .min_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY_TIMEOUT)
            .before_acquire(|connection, _| Box::pin(settle(connection)))
            .connect_with(options)
            .await
            .map_err(|error| StoreError::of(path, error))?;
        #[expect(clippy::wildcard_enum_match_arm, reason = "sqlx's enum")]
        migrator().run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => StoreError::SchemaTooNew {
                path: path.to_owned(),
                found,
            },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::of(path, error)
            }
            other => StoreError::Database(other.into()),
        })?;
        let marks = if path == Path::new(MEMORY) {
            MarkReader::of_memory()
        } else {
            MarkReader::of(path).map_err(|error| StoreError::CannotOpen {
                path: path.to_owned(),
                source: error.into(),
            })?
        };
        let store = Self {
            pool,
            path: path.to_owned(),
            marks: Arc::new(marks),
            disk_takes: Arc::new(AtomicBool::new(true)),
        };
        store.upgrade().await?;
        Ok(store)
    }
}

/// Makes a connection usable again whose transaction SQLite has rolled back by itself, as it does when
/// the disk is full (<https://sqlite.org/lang_transaction.html>, "Response To Errors Within A
/// Transaction"). The pool's rollback fails then, as there is nothing to roll back, and the connection
/// would stay counted as inside a transaction and refuse every other. `false` gives the connection up.
async fn settle(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if connection.is_in_transaction() {
        // With a transaction to roll back, the rollback of a refused one succeeds, which ends the count.
        let _ = sqlx::query("BEGIN").execute(&mut *connection).await;
        let refused = connection.begin_with("BEGIN").await;
        drop(refused);
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// Makes the file of a new database, which SQLite takes for an empty one, readable for its owner only;
/// SQLite gives its log the same permissions. One that is there stays as it is, and what cannot be
/// made here is left to SQLite to complain of.
fn make_private(path: &Path) {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

#[cfg(test)]
mod tests {
    use super::super::wait;
    use super::*;
    use crate::store::Store;
    use chrono::DateTime;
    use std::sync::atomic::Ordering;
    use vitalcast_domain::{HealthMetric, MetricType, Provenance, Record, UserId, Zone};

    #[test]
    fn every_file_of_the_migrations_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let migrator = migrator();
        let listed: Vec<String> = migrator
            .iter()
            .map(|one| {
                format!(
                    "{:04}_{}.sql",
                    one.version,
                    one.description.replace(' ', "_")
                )
            })
            .collect();
        assert_eq!(listed, files);
    }

    #[test]
    fn a_released_version_of_the_schema_is_never_changed() {
        let migrator = migrator();
        let hashes: Vec<[u8; 4]> = migrator
            .iter()
            .map(|one| one.checksum[..4].try_into().unwrap())
            .collect();
        // SHA-384, as it stands in databases since these versions were released. Add, never change.
        assert_eq!(
            hashes,
            [
                [0x93, 0x72, 0xa3, 0xf6],
                [0x4b, 0x3d, 0x85, 0xcd],
                [0x30, 0xa3, 0xba, 0xda],
                [0xbd, 0x87, 0xca, 0x9b],
                [0x4f, 0xbf, 0xab, 0xd4],
                [0x88, 0x0a, 0xe9, 0x39]
            ]
        );
    }

    fn reading(number: usize) -> Record {
        let day = "2024-05-01".parse().unwrap();
        Record::HealthMetric(HealthMetric {
            provenance: Provenance::of_day("watch", number.to_string(), day, Zone::UTC),
            metric: MetricType::RestingHeartRate,
            value: 60.0,
            kind: None,
        })
    }

    fn options(path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
    }

    /// A store with one reading of one person.
    async fn store_with_one(path: &Path, options: SqliteConnectOptions) -> (SqliteStore, UserId) {
        let store = SqliteStore::connect_when_free(path, options, 4)
            .await
            .unwrap();
        let user = UserId::new("a").unwrap();
        let written = store
            .write_records(&user, &[reading(0)], DateTime::UNIX_EPOCH)
            .await;
        assert_eq!(written.unwrap().added, 1);
        (store, user)
    }

    #[test]
    fn a_reader_that_keeps_the_log_from_being_emptied_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        let hasty = options(&path).busy_timeout(Duration::from_millis(20));
        wait(async {
            let (store, user) = store_with_one(&path, hasty).await;
            let mut reader = store.pool.begin().await.unwrap();
            let seen = sqlx::query("SELECT * FROM records")
                .fetch_all(&mut *reader)
                .await;
            assert_eq!(seen.unwrap().len(), 1);
            store.erase_user(&user).await.unwrap();
            assert!(!store.finish_erasure(&user).await.unwrap());
            reader.rollback().await.unwrap();
            assert!(store.finish_erasure(&user).await.unwrap());
        });
    }

    #[test]
    fn statements_of_batches_of_every_size_do_not_stay_in_memory() {
        wait(async {
            let store = SqliteStore::open_in_memory().await.unwrap();
            let user = UserId::new("a").unwrap();
            let mut kept = Vec::new();
            let mut from = 0;
            for size in [1, 100, 2, 3, 50, 99, 101, 250] {
                let batch: Vec<Record> = (from..from + size).map(reading).collect();
                from += size;
                let written = store
                    .write_records(&user, &batch, DateTime::UNIX_EPOCH)
                    .await;
                assert_eq!(written.unwrap().added, size as u64);
                let connection = store.pool.acquire().await.unwrap();
                kept.push(connection.cached_statements_size());
            }
            // Those of one row and of a full INSERT.
            assert_eq!(kept[1], kept[0] + 1);
            assert!(kept[1..].iter().all(|count| *count == kept[1]), "{kept:?}");
        });
    }

    #[cfg(unix)]
    #[test]
    fn a_new_database_is_for_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        wait(async {
            let _store = SqliteStore::open(&path).await.unwrap();
            for ending in ["", "-wal", "-shm"] {
                let file = folder.path().join(format!("v.db{ending}"));
                let mode = std::fs::metadata(&file).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{}", file.display());
            }
        });
    }

    #[test]
    fn a_batch_for_which_there_is_no_room_is_kept_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        // A database that may grow to so many pages is a disk that is full soon.
        let small = options(&path).pragma("max_page_count", "60");
        wait(async {
            let (store, user) = store_with_one(&path, small).await;
            let now = DateTime::UNIX_EPOCH;
            let many: Vec<Record> = (1..5_000).map(reading).collect();
            let error = store.write_records(&user, &many, now).await.unwrap_err();
            assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
            // What was acknowledged is there, nothing of the rest is, and the store goes on.
            let kept = store.history(&user, None).await.unwrap().unwrap();
            assert_eq!(kept.records, [reading(0)]);
            let report = store.write_records(&user, &[reading(1)], now).await;
            assert_eq!(report.unwrap().added, 1);
        });
    }

    /// Lets the database grow to so many pages, on every connection of the pool.
    async fn give_room(store: &SqliteStore, pages: u32) {
        let mut all = Vec::new();
        for _ in 0..4 {
            all.push(store.pool.acquire().await.unwrap());
        }
        for connection in &mut all {
            let statement = format!("PRAGMA max_page_count = {pages}");
            sqlx::query(sqlx::AssertSqlSafe(statement))
                .execute(&mut **connection)
                .await
                .unwrap();
        }
    }

    #[test]
    fn a_disk_that_was_full_once_is_written_again_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        let small = options(&path).pragma("max_page_count", "60");
        wait(async {
            let (store, user) = store_with_one(&path, small).await;
            let now = DateTime::UNIX_EPOCH;
            store.check_writable().await.unwrap();
            // A statement of one row that finds no room rolls back the whole transaction.
            let mut number = 0;
            let error = loop {
                number += 1;
                if let Err(error) = store.write_records(&user, &[reading(number)], now).await {
                    break error;
                }
            };
            assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
            // It says so whichever of the four connections is asked. (One row or another still finds a
            // gap.)
            let mut refused = 0;
            for number in 10_000..10_040 {
                match store.write_records(&user, &[reading(number)], now).await {
                    Ok(_) => {}
                    Err(StoreError::Full { .. }) => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            assert!(refused >= 8, "{refused}");
            give_room(&store, 10_000).await;
            for number in 20_000..20_020 {
                let report = store.write_records(&user, &[reading(number)], now).await;
                assert_eq!(report.unwrap().added, 1);
            }
            store.erase_user(&user).await.unwrap();
        });
    }

    #[test]
    fn whether_a_full_disk_takes_writes_again_is_found_out_by_trying() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        wait(async {
            let (store, _) = store_with_one(&path, options(&path)).await;
            // As a failing disk leaves it.
            store.failed(sqlx::Error::Io(std::io::ErrorKind::StorageFull.into()));
            assert!(!store.disk_takes.load(Ordering::Relaxed));
            let mut other = store.begin().await.unwrap();
            store.check_writable().await.unwrap_err();
            sqlx::query("SELECT 1").execute(&mut *other).await.unwrap();
            other.rollback().await.unwrap();
            store.check_writable().await.unwrap();
            assert!(store.disk_takes.load(Ordering::Relaxed));
        });
    }

    #[test]
    fn a_transaction_that_sqlite_ended_by_itself_stops_no_later_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        wait(async {
            let (store, user) = store_with_one(&path, options(&path)).await;
            let mut all = Vec::new();
            for _ in 0..4 {
                all.push(store.pool.begin().await.unwrap());
            }
            for transaction in &mut all {
                sqlx::query("ROLLBACK")
                    .execute(&mut **transaction)
                    .await
                    .unwrap();
            }
            drop(all);
            for number in 1..=8 {
                let now = DateTime::UNIX_EPOCH;
                let report = store.write_records(&user, &[reading(number)], now).await;
                assert_eq!(report.unwrap().added, 1);
            }
        });
    }

    #[test]
    fn a_commit_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        wait(async {
            let (store, user) = store_with_one(&path, options(&path)).await;
            sqlx::query(
                "CREATE TABLE late (user_id TEXT REFERENCES users DEFERRABLE INITIALLY DEFERRED)",
            )
            .execute(&store.pool)
            .await
            .unwrap();
            for _ in 0..8 {
                let mut transaction = store.begin().await.unwrap();
                sqlx::query("INSERT INTO late VALUES ('nobody')")
                    .execute(&mut *transaction)
                    .await
                    .unwrap();
                store.commit(transaction).await.unwrap_err();
            }
            for number in 1..=8 {
                let now = DateTime::UNIX_EPOCH;
                let report = store.write_records(&user, &[reading(number)], now).await;
                assert_eq!(report.unwrap().added, 1);
            }
        });
    }

    /// Tells the child process of the test below which database to write to.
    const WRITE_TO: &str = "VITALCAST_TEST_WRITE_TO";
    /// How it ends when it could write, and when it could not.
    const WRITTEN: i32 = 10;
    const REFUSED: i32 = 11;

    #[test]
    fn a_second_store_of_a_process_takes_no_locks_away_from_the_first() {
        if let Some(path) = std::env::var_os(WRITE_TO) {
            // Another process: what happens when it writes is its answer.
            let hasty = options(Path::new(&path)).busy_timeout(Duration::from_millis(50));
            let outcome = wait(async {
                let store = SqliteStore::connect(Path::new(&path), hasty, 1).await?;
                let user = UserId::new("b").unwrap();
                store
                    .write_records(&user, &[reading(0)], DateTime::UNIX_EPOCH)
                    .await
            });
            #[expect(clippy::exit, reason = "how a process ends is all its parent sees")]
            std::process::exit(if outcome.is_ok() { WRITTEN } else { REFUSED });
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        let another_process_writes = || {
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .arg("--exact")
                .arg("sqlite::open::tests::a_second_store_of_a_process_takes_no_locks_away_from_the_first")
                .env(WRITE_TO, &path)
                .stdout(std::process::Stdio::null())
                .status()
                .unwrap();
            let code = child.code().unwrap();
            assert!([WRITTEN, REFUSED].contains(&code), "{code}");
            code == WRITTEN
        };
        wait(async {
            let (first, _) = store_with_one(&path, options(&path)).await;
            let transaction = first.begin().await.unwrap();
            assert!(!another_process_writes(), "the first store holds the lock");
            // Opened, asked and closed, in the same process.
            let second = SqliteStore::open(&path).await.unwrap();
            assert!(second.change_mark().is_some());
            assert_eq!(second.users().await.unwrap().len(), 1);
            second.pool.close().await;
            drop(second);
            assert!(!another_process_writes(), "the first store holds it still");
            transaction.rollback().await.unwrap();
            assert!(another_process_writes(), "nobody holds it");
        });
    }
}
