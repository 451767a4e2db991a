#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
mod detect;
mod error;
mod format;
mod lifesnaps;
mod options;
mod reference;
mod report;
mod t1d_uom;
mod table;
mod time;

pub use detect::detect;
pub use error::{ImportError, SinkError};
pub use format::Format;
pub use options::{ImportOptions, KnownAt, Sink};
pub use report::{ImportReport, Reject, RejectReason, SkipReason};

use batch::Importer;
use std::path::Path;

/// Reads a file or folder and passes its records to `sink` in batches.
///
/// # Errors
///
/// [`ImportError`] if the path does not exist, its format is unknown, a column is missing, or the sink
/// fails or stops. An invalid row is not an error: see [`Sink::reject`].
pub fn import(
    path: &Path,
    options: &ImportOptions,
    sink: &mut dyn Sink,
) -> Result<ImportReport, ImportError> {
    let format = match options.format {
        Some(format) => format,
        None => detect(path)?,
    };
    let files = detect::files(path, format)?;
    let mut importer = Importer::new(format, &files, options, sink)?;
    for file in &files {
        importer.report.files += 1;
        format.read(&mut importer, file)?;
    }
    importer.finish()
}
