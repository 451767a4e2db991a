//! Options of an import, and the sink for its results.

use crate::error::SinkError;
use crate::format::Format;
use crate::map::ColumnMap;
use crate::report::Reject;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::path::PathBuf;
use vitalcast_domain::{DomainError, Profile, Record, UserId, Zone};

/// The time from which a row of the reference tables counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KnownAt {
    /// The time of creation, unless more than half of the first rows were created more than a week
    /// after they happened: then the table comes from a bulk import, and the time when it happened
    /// counts.
    #[default]
    Auto,
    /// The time when it happened.
    Observed,
    /// The time of creation.
    Created,
}

impl std::str::FromStr for KnownAt {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        match text {
            "auto" => Ok(Self::Auto),
            "observed" => Ok(Self::Observed),
            "created" => Ok(Self::Created),
            _ => Err(DomainError::UnknownWord {
                what: "rule for when rows are known",
                got: text.chars().take(80).collect(),
                expected: "auto, observed, created".to_owned(),
            }),
        }
    }
}

/// Options of an import.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The format; detected from the content when not given.
    pub format: Option<Format>,
    /// IANA time zone of the people; each format has a default.
    pub zone: Option<Zone>,
    /// Zone of a new person whose export does not say where they live; UTC when not given.
    pub assumed_zone: Option<Zone>,
    /// Import only this person; for an export that does not say whose it is, the person it belongs to.
    pub user: Option<UserId>,
    /// The person to whom an export belongs that does not say whose it is, unless `user` is given.
    pub owner: Option<UserId>,
    /// The current time: rows dated more than a day later are rejected.
    pub now: DateTime<Utc>,
    /// Rule for the time from which rows of the reference tables count as known.
    pub known_at: KnownAt,
    /// What the columns of a table mean: with it, tables that have its columns are read by it, whatever else
    /// they are.
    pub map: Option<ColumnMap>,
    /// Maps of earlier imports: a table that no reader knows is read by the first that has its columns.
    pub remembered: Vec<ColumnMap>,
    /// The folder in which archives are unpacked while they are read; that of the system for temporary files
    /// when not given. What killed processes have left there is removed.
    pub unpack_in: Option<PathBuf>,
}

impl ImportOptions {
    /// Options that leave everything to the export.
    pub fn at(now: DateTime<Utc>) -> Self {
        Self {
            format: None,
            zone: None,
            assumed_zone: None,
            user: None,
            owner: None,
            now,
            known_at: KnownAt::Auto,
            map: None,
            remembered: Vec::new(),
            unpack_in: None,
        }
    }
}

/// The receiver of records.
pub trait Sink {
    /// Receives a person, before the first of their records, with what the export says about them. The
    /// zone of the profile is that of [`ImportOptions::zone`], else that of the export, else the one that
    /// the format assumes. Returns the profile that counts: days are formed by its zones.
    ///
    /// # Errors
    ///
    /// Any error of the sink; it ends the import.
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError>;

    /// Receives records of one person.
    ///
    /// # Errors
    ///
    /// Any error of the sink; it ends the import.
    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError>;

    /// Receives versions of records of one person, oldest first, from an export of all versions.
    ///
    /// # Errors
    ///
    /// Any error of the sink; it ends the import.
    fn versions(&mut self, user: &UserId, versions: Vec<Record>) -> Result<(), SinkError> {
        self.records(user, versions)
    }

    /// Receives a rejected row.
    ///
    /// # Errors
    ///
    /// Any error of the sink; it ends the import.
    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError>;

    /// Receives the progress in bytes; can stop the import.
    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()>;
}
