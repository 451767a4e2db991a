//! Errors of refused values: an enum for single values, a list for whole requests.

use serde::Serialize;

/// An invalid value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DomainError {
    /// An id with characters or a length that are not safe in a path, a key or a log.
    #[error(
        "{what} must be 1 to {max} characters, each a letter, digit, '-' or '_', but got {got:?}"
    )]
    UnsafeId {
        /// The kind of id.
        what: &'static str,
        /// The longest allowed.
        max: usize,
        /// The text, cut to 80 characters.
        got: String,
    },
    /// A word that is not in an enumeration.
    #[error("unknown {what} {got:?}, expected one of: {expected}")]
    UnknownWord {
        /// The enumeration.
        what: &'static str,
        /// What was given, cut to 80 characters.
        got: String,
        /// Every accepted word.
        expected: String,
    },
    /// A name that is not in the IANA time zone database.
    #[error("unknown time zone {0:?}, expected an IANA name such as \"Europe/Athens\" or \"UTC\"")]
    UnknownZone(String),
    /// A unit that does not measure this quantity.
    #[error("{metric} cannot be given in {unit}, expected {expected} or a unit of the same kind")]
    WrongUnit {
        /// The metric.
        metric: &'static str,
        /// The unit given.
        unit: &'static str,
        /// The canonical unit.
        expected: &'static str,
    },
    /// A number that is infinite or not a number.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// The field.
        what: &'static str,
    },
    /// Times of one record that contradict each other.
    #[error("the times of the record contradict each other: {0}")]
    Times(&'static str),
    /// A number outside the plausible range, usually because of a wrong unit. The text does not contain
    /// the number, because errors are written to logs.
    #[error("{what} is outside the plausible range {low} to {high} {unit}")]
    OutOfRange {
        /// The field.
        what: &'static str,
        /// Lowest plausible value.
        low: f64,
        /// Highest plausible value.
        high: f64,
        /// Unit of both.
        unit: &'static str,
    },
}

/// An invalid field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Name of the field on the wire.
    pub field: &'static str,
    /// What was expected, for example `must be between 30 and 365`.
    pub message: String,
}

/// A request with invalid fields, all of them listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct InvalidRequest(pub Vec<FieldError>);

impl std::fmt::Display for InvalidRequest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(formatter, "{separator}{} {}", fault.field, fault.message)?;
        }
        Ok(())
    }
}

/// Cuts untrusted text so that an error message stays short.
pub(crate) fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
