#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod amounts;
mod archive;
mod batch;
mod dates;
mod detect;
mod diary;
mod error;
mod fields;
mod format;
mod healthkit;
mod json;
mod loose;
mod map;
mod numbers;
mod objects;
mod one_person;
mod options;
mod people;
mod readers;
mod readings;
mod repeats;
mod report;
mod sample;
mod sleep;
mod sports;
mod sqlite;
mod suggest;
mod survey;
mod table;
mod tags;
mod text;
mod time;
mod translated;
mod words;
mod work_folder;
mod workouts;
mod zones;

pub use error::{ImportError, SinkError};
pub use format::Format;
pub use map::{ColumnMap, MapError};
pub use options::{ImportOptions, KnownAt, Sink};
pub use report::{FormatReport, ImportReport, Reject, RejectReason, SkipReason, Unread};
pub use suggest::suggest;
pub use work_folder::WorkFolder;

use archive::Opened;
use batch::Importer;
use people::People;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{Profile, Record, UserId};

/// Reads files, folders and zip files and passes their records to `sink` in batches. What each file is
/// follows from its content.
///
/// # Errors
///
/// [`ImportError`] if a path does not exist or holds nothing that a reader knows, if nothing of it can be
/// read, or if the sink fails or stops. An invalid row is not an error: see [`Sink::reject`]. A file among
/// others that cannot be read is none either: see [`ImportReport::unread`].
pub fn import<P: AsRef<Path>>(
    paths: &[P],
    options: &ImportOptions,
    sink: &mut dyn Sink,
) -> Result<ImportReport, ImportError> {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let mut progress = |done, total| sink.progress(done, total);
    let place = options.unpack_in.clone().unwrap_or_else(std::env::temp_dir);
    let mut opened = archive::open(&paths, &place, &archive::LIMITS, &mut progress)?;
    let mut unread = std::mem::take(&mut opened.left_out);
    let imported = import_opened(&opened, options, sink);
    let mut report = imported.map_err(|error| opened.named(error))?;
    for (what, more) in std::mem::take(&mut report.unread) {
        let known = unread.entry(what).or_default();
        known.files += more.files;
        known.examples.extend(more.examples);
    }
    for files in unread.values_mut() {
        for example in &mut files.examples {
            *example = opened.name(example);
        }
    }
    report.unread = unread;
    Ok(report)
}

/// Reads what archives were unpacked to, and files and folders that are none.
fn import_opened(
    opened: &Opened,
    options: &ImportOptions,
    sink: &mut dyn Sink,
) -> Result<ImportReport, ImportError> {
    let is_archive = |path: &Path| opened.is_archive(path);
    let mut survey = detect::survey(&opened.paths, options, &is_archive)?;
    let mut shown = Shown { opened, sink };
    let mut importer = Importer::new(survey.all(), options, &mut shown)?;
    importer.report.unread = std::mem::take(&mut survey.unread);
    let name = |file: &Path| opened.name(file);
    let people = People::of(survey.all().map(|file| opened.name(file)));
    for format in Format::all() {
        let groups = people.groups(survey.of(format), &name);
        if !groups.is_empty() {
            importer.read(format, &groups)?;
        }
    }
    importer.finish()
}

/// Names files by their place in the archive, not in the folder they were unpacked to.
struct Shown<'s> {
    opened: &'s Opened,
    sink: &'s mut dyn Sink,
}

impl Sink for Shown<'_> {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
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
            file: self.opened.name(&reject.file),
            ..reject.clone()
        };
        self.sink.reject(&reject)
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        self.sink.progress(done, total)
    }
}
