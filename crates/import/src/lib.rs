#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod archive;
mod batch;
mod detect;
mod error;
mod format;
mod json;
mod lifesnaps;
mod numbers;
mod options;
mod own;
mod reference;
mod report;
mod sports;
mod survey;
mod t1d_uom;
mod table;
mod text;
mod time;
mod words;

pub use detect::detect;
pub use error::{ImportError, SinkError};
pub use format::Format;
pub use options::{ImportOptions, KnownAt, Sink};
pub use report::{ImportReport, Reject, RejectReason, SkipReason};

use batch::Importer;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{Profile, Record, UserId};

/// Reads a file, a folder or a zip file and passes its records to `sink` in batches.
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
    if archive::is_zip(path) {
        let folder = archive::unpack(path)?;
        let mut shown = Shown {
            folder: folder.path(),
            archive: path,
            sink,
        };
        return import_from(folder.path(), options, &mut shown).map_err(|error| shown.named(error));
    }
    import_from(path, options, sink)
}

/// Reads a file or a folder that is no archive.
fn import_from(
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
        let before = importer.counts();
        format.read(&mut importer, file)?;
        importer.tell_of_nothing(file, before);
    }
    importer.finish()
}

/// Names files by their place in the archive, not in the folder they were unpacked to.
struct Shown<'s> {
    folder: &'s Path,
    archive: &'s Path,
    sink: &'s mut dyn Sink,
}

impl Shown<'_> {
    fn name(&self, file: &Path) -> PathBuf {
        match file.strip_prefix(self.folder) {
            Ok(within) if within.as_os_str().is_empty() => self.archive.to_owned(),
            Ok(within) => self.archive.join(within),
            Err(_) => file.to_owned(),
        }
    }

    fn named(&self, error: ImportError) -> ImportError {
        match error {
            ImportError::Read { path, source } => ImportError::Read {
                path: self.name(&path),
                source,
            },
            ImportError::Unrecognised { path, what } => ImportError::Unrecognised {
                path: self.name(&path),
                what,
            },
            ImportError::MissingColumn {
                path,
                column,
                found,
            } => ImportError::MissingColumn {
                path: self.name(&path),
                column,
                found,
            },
            ImportError::WithoutUser { path } => ImportError::WithoutUser {
                path: self.name(&path),
            },
            ImportError::Interrupted => ImportError::Interrupted,
            ImportError::Sink(error) => ImportError::Sink(error),
        }
    }
}

impl Sink for Shown<'_> {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<(), SinkError> {
        self.sink.person(user, profile)
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        self.sink.records(user, records)
    }

    fn versions(&mut self, user: &UserId, versions: Vec<Record>) -> Result<(), SinkError> {
        self.sink.versions(user, versions)
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        let reject = Reject {
            file: self.name(&reject.file),
            ..reject.clone()
        };
        self.sink.reject(&reject)
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        self.sink.progress(done, total)
    }
}
