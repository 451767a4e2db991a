//! Errors of imports.

use crate::format::Format;
use crate::map::ColumnMap;
use std::path::PathBuf;

/// The error of a sink.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Errors of imports.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The path does not exist or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// No reader accepts the content.
    #[error("{} is {what}; expected an export of one of the {} formats", path.display(), Format::WORDS.len())]
    Unrecognised {
        /// The path.
        path: PathBuf,
        /// Description of the content.
        what: String,
    },
    /// A table that no reader knows, whose names and values suggest what its columns are.
    #[error(
        "{} is a table that no reader knows; if its columns are these, import it with --map '{map}'", path.display()
    )]
    OwnTable {
        /// The path.
        path: PathBuf,
        /// The map that is suggested.
        map: ColumnMap,
    },
    /// A table without a required column.
    #[error(
        "{} has no column {column:?}; it has: {found}", path.display()
    )]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column, or alternatives separated by "or".
        column: String,
        /// The columns found.
        found: String,
    },
    /// An export that does not say whose data it is.
    #[error("{} does not say whose data it is, expected the id of a person", path.display())]
    WithoutUser {
        /// The file.
        path: PathBuf,
    },
    /// The sink stopped the import.
    #[error("the import was interrupted; the records imported so far are kept")]
    Interrupted,
    /// The sink failed.
    #[error("cannot store the records")]
    Sink(#[source] SinkError),
}
