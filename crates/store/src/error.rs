//! Why something could not be kept or found.

use std::path::{Path, PathBuf};
use vitalcast_domain::{DomainError, ModelId};

/// What the database itself said, for a chain of causes.
pub(crate) type DatabaseFault = Box<dyn std::error::Error + Send + Sync>;

/// Why something could not be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error("cannot open {}: check that the folder exists and can be written", path.display())]
    CannotOpen {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        source: DatabaseFault,
    },
    /// The file is something else.
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
    /// No room is left.
    #[error("the disk is full: nothing was written to {}", path.display())]
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// The disk does not take or give what it should.
    #[error("{} cannot be read or written: check the disk and its quota", path.display())]
    Io {
        /// The database file.
        path: PathBuf,
        /// What the database said.
        source: DatabaseFault,
    },
    /// Another process holds the database for longer than we wait.
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
        /// What the database said.
        source: DatabaseFault,
    },
    /// A record with a value no record can have.
    #[error("record {index} of the batch: {source}; no record of the batch was stored")]
    InvalidRecord {
        /// Its place in the batch, counted from 0.
        index: usize,
        /// What is wrong.
        source: DomainError,
    },
    /// A stored row that cannot be read.
    #[error("a row of table {table} cannot be read: {what}")]
    BadRow {
        /// Which table.
        table: &'static str,
        /// What is wrong, without the values.
        what: String,
    },
    /// A model or forecast of someone who is not there.
    #[error("the person does not exist: store a record or a profile first")]
    NoSuchUser,
    /// A model id that is taken.
    #[error("model {0} exists already")]
    ModelExists(ModelId),
    /// A model that is not there.
    #[error("model {0} does not exist")]
    NoSuchModel(ModelId),
    /// A place in a list of records that none ever had.
    #[error("the cursor is not valid, expected one from an earlier page")]
    BadPlace,
    /// Anything else the database said.
    #[error("the database reported an error")]
    Database(#[source] DatabaseFault),
}

/// SQLITE_CONSTRAINT_FOREIGNKEY; every foreign key of the schema is a person.
const FOREIGN_KEY: i32 = 787;

impl StoreError {
    /// Whether nothing can be written until somebody makes room or mends the disk.
    pub(crate) fn is_of_the_disk(&self) -> bool {
        matches!(
            self,
            Self::Full { .. } | Self::ReadOnly { .. } | Self::Io { .. }
        )
    }

    /// Sorts what the database said.
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
