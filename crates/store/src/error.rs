//! Errors of the store.

use crate::store::UnreadableModel;
use std::path::{Path, PathBuf};
use vitalcast_domain::{DomainError, ModelId};

/// The error of the database, as the source of an error.
pub(crate) type DatabaseFault = Box<dyn std::error::Error + Send + Sync>;

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or created.
    #[error("cannot open {}: check that the folder exists and can be written", path.display())]
    CannotOpen {
        /// The database file.
        path: PathBuf,
        /// The error of the database.
        source: DatabaseFault,
    },
    /// The file is not a Vitalcast database.
    #[error("{} is not a Vitalcast database; it was not changed", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer release.
    #[error(
        "{} has schema version {found}, which this release cannot read: use a newer release", path.display()
    )]
    SchemaTooNew {
        /// The database file.
        path: PathBuf,
        /// Its schema version.
        found: i64,
    },
    /// The database cannot be written.
    #[error("{} is read-only, expected a folder that can be written", path.display())]
    ReadOnly {
        /// The database file.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was written to {}", path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The disk fails to read or write.
    #[error("{} cannot be read or written: check the disk and its quota", path.display())]
    Io {
        /// The database file.
        path: PathBuf,
        /// The error of the database.
        source: DatabaseFault,
    },
    /// Another process locks the database for too long.
    #[error("{} is locked by another process: try again", path.display())]
    Busy {
        /// The database file.
        path: PathBuf,
    },
    /// The database is damaged.
    #[error("{} is damaged: restore it from a backup", path.display())]
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// The error of the database.
        source: DatabaseFault,
    },
    /// A record with an invalid value.
    #[error("record {index} of the batch: {source}; no record of the batch was stored")]
    InvalidRecord {
        /// Index of the record in the batch, counted from 0.
        index: usize,
        /// The problem.
        source: DomainError,
    },
    /// A stored row that cannot be read.
    #[error("a row of table {table} cannot be read: {what}")]
    BadRow {
        /// The table.
        table: &'static str,
        /// The problem, without the values.
        what: String,
    },
    /// A model whose row in the registry cannot be read.
    #[error("model {} cannot be read: {}", .0.model_id, .0.what)]
    UnreadableModel(Box<UnreadableModel>),
    /// A model or forecast of a person who does not exist.
    #[error("the person does not exist: store a record or a profile first")]
    NoSuchUser,
    /// A model id that exists already.
    #[error("model {0} exists already")]
    ModelExists(ModelId),
    /// A model that does not exist.
    #[error("model {0} does not exist")]
    NoSuchModel(ModelId),
    /// An invalid cursor.
    #[error("the cursor is not valid, expected one from an earlier page")]
    BadPlace,
    /// Any other error of the database.
    #[error("the database reported an error")]
    Database(#[source] DatabaseFault),
}

/// SQLITE_CONSTRAINT_FOREIGNKEY; all foreign keys of the schema refer to a person.
const FOREIGN_KEY: i32 = 787;

impl StoreError {
    /// Whether writing fails until an operator frees space or repairs the disk.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::ReadOnly { .. } | Self::Io { .. }
        )
    }

    /// Classifies an error of the database.
    pub(crate) fn of(path: &Path, error: sqlx::Error) -> Self {
        let path = path.to_owned();
        let code = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .and_then(|code| code.parse::<i32>().ok());
        if code == Some(FOREIGN_KEY) {
            return Self::NoSuchUser;
        }
        // The low byte is the primary result code: https://sqlite.org/rescode.html
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => Self::Busy { path },
            Some(8) => Self::ReadOnly { path },
            Some(10) => Self::Io {
                path,
                source: error.into(),
            },
            Some(11) => Self::Corrupt {
                path,
                source: error.into(),
            },
            Some(13) => Self::Full { path },
            Some(14) => Self::CannotOpen {
                path,
                source: error.into(),
            },
            Some(26) => Self::NotADatabase { path },
            #[expect(clippy::wildcard_enum_match_arm, reason = "sqlx's enum")]
            _ => match error {
                sqlx::Error::PoolTimedOut => Self::Busy { path },
                sqlx::Error::Io(_) => Self::Io {
                    path,
                    source: error.into(),
                },
                other => Self::Database(other.into()),
            },
        }
    }
}
