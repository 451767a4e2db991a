//! Opening a database: telling whether it is one, one process at a time, and bringing its schema up
//! to date.

use super::SqliteStore;
use super::mark::MarkReader;
use crate::error::StoreError;
use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How every SQLite database begins: <https://sqlite.org/fileformat.html#magic_header_string>.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// The versions of the schema, in order. A released one is never changed: its hash stands in every
/// database it was applied to. (`migrate!` would read the folder by itself, and make every build
/// compile SQLite and the whole of sqlx a second time, for the macro.)
const MIGRATIONS: [(&str, &str); 3] = [
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

/// How long a writer waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How often a database that another process is just making is tried again, and after how long.
const OPENING_TRIES: u32 = 200;
const OPENING_PAUSE: Duration = Duration::from_millis(25);

impl SqliteStore {
    /// Opens a database file and makes it if it is not there.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotADatabase`], [`StoreError::SchemaTooNew`], [`StoreError::ReadOnly`],
    /// [`StoreError::CannotOpen`], [`StoreError::Corrupt`], [`StoreError::Busy`].
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        // SQLite takes any file of a few bytes for an empty database and would write over it.
        if !Self::may_be_a_database(path) {
            return Err(StoreError::NotADatabase {
                path: path.to_owned(),
            });
        }
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .busy_timeout(BUSY_TIMEOUT);
        // One process at a time looks at the schema and brings it up to date. Where no lock file can
        // be made, nothing can be written either, and opening says why.
        let lock = File::create(path.with_extension("lock"));
        if let Ok(lock) = &lock
            && let Err(source) = lock.lock()
        {
            return Err(StoreError::of(path, sqlx::Error::Io(source)));
        }
        make_private(path);
        // Two processes that make one database at the same moment: SQLite answers the switch to
        // write-ahead mode with "busy" at once, without waiting, so we wait here.
        let mut opened = Self::connect(path, options.clone(), 4).await;
        for _ in 0..OPENING_TRIES {
            if !matches!(opened, Err(StoreError::Busy { .. })) {
                break;
            }
            tokio::time::sleep(OPENING_PAUSE).await;
            opened = Self::connect(path, options.clone(), 4).await;
        }
        drop(lock);
        opened
    }

    /// Whether a path is free, an empty file, or begins as databases begin. What cannot be read is
    /// left to the database to complain of.
    fn may_be_a_database(path: &Path) -> bool {
        let mut head = Vec::new();
        let read =
            File::open(path).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
        read.is_err() || head.is_empty() || head == MAGIC
    }

    /// A store that is gone when it is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::Database`].
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        // Every connection to memory is a database of its own, so there is one.
        Self::connect(
            Path::new(":memory:"),
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
            // All are opened now and stay open, and with them the index of the log that `mark` reads.
            // Each has a thread, which keeps the priority of the one that opened it: that should not
            // be a training's.
            .min_connections(connections)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(|error| StoreError::of(path, error))?;
        migrator().run(&pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(found) => StoreError::SchemaTooNew {
                path: path.to_owned(),
                found,
            },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                StoreError::of(path, error)
            }
            other => StoreError::Database(sqlx::Error::Migrate(Box::new(other))),
        })?;
        Ok(Self {
            pool,
            path: path.to_owned(),
            marks: Arc::new(MarkReader::of(path)),
        })
    }
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
    use super::*;
    use crate::store::Store;
    use chrono::DateTime;
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
                [0x30, 0xa3, 0xba, 0xda]
            ]
        );
    }

    fn reading(number: usize) -> Record {
        let day = "2024-05-01".parse().unwrap();
        Record::HealthMetric(HealthMetric {
            provenance: Provenance::of_day("watch", number.to_string(), day, Zone::UTC),
            metric: MetricType::RestingHeartRate,
            value: 60.0,
            partial: false,
        })
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    fn options(path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
    }

    /// A store with one reading of one person.
    async fn store_with_one(path: &Path, options: SqliteConnectOptions) -> (SqliteStore, UserId) {
        let store = SqliteStore::connect(path, options, 4).await.unwrap();
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
}
