//! What to read, how, and where to.

use crate::error::SinkError;
use crate::format::Format;
use crate::report::Reject;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use vitalcast_domain::{DomainError, Record, UserId, Zone};

/// When a row of the reference tables counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KnownAt {
    /// When it was created, unless more than half of the first rows were created over a week after
    /// they happened: then the table was loaded in bulk, and the time it happened counts.
    #[default]
    Auto,
    /// When it happened.
    Observed,
    /// When it was created.
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

/// How to read.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The format; recognised by content when not given.
    pub format: Option<Format>,
    /// Zone of the people; each format has a default of its own.
    pub zone: Option<Zone>,
    /// Only this person; for a table without a user column, whose it is.
    pub user: Option<UserId>,
    /// The present moment: what is dated more than a day later is refused.
    pub now: DateTime<Utc>,
    /// When rows of the reference tables count as known.
    pub known_at: KnownAt,
}

/// Where records go.
pub trait Sink {
    /// A person, before the first of their records.
    ///
    /// # Errors
    ///
    /// Whatever the sink cannot do; it ends the import.
    fn person(&mut self, user: &UserId, zone: Zone) -> Result<(), SinkError>;

    /// Some records of one person.
    ///
    /// # Errors
    ///
    /// Whatever the sink cannot do; it ends the import.
    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError>;

    /// A row that cannot be used.
    ///
    /// # Errors
    ///
    /// Whatever the sink cannot do; it ends the import.
    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError>;

    /// How far the import has come, in bytes; may stop it.
    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()>;
}
