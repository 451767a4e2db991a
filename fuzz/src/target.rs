//! What reads a case, and what must hold of whatever it reads.

use std::fs;
use std::io::{Cursor, Result, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tempfile::TempDir;
use vitalcast_domain::{Profile, Record, UserId};
use vitalcast_import::{Format, ImportOptions, Reject, Sink, SinkError, import, suggest};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::case::Case;

/// Names of the targets that are no reader.
const RECOGNITION: &str = "recognition";
const ARCHIVES: &str = "archives";
/// Beginning of a zip file.
const ZIP: &[u8] = b"PK\x03\x04";
/// The reader of tables with a map of their columns, and the file that is the map.
const TABLE: &str = "table";
const MAP: &str = "map";
/// Most archives within each other that are made.
const MOST_NESTED: usize = 5;
/// A folder in memory, where there is one.
const IN_MEMORY: &str = "/dev/shm";
/// The present of all cases.
const NOW: &str = "2026-01-01T00:00:00Z";

/// What reads a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One reader, which reads every file, whatever it looks like.
    Reader(Format),
    /// Whatever recognises a file; a map is suggested for each.
    Recognition,
    /// The unpacking of a zip file: of the bytes themselves if they look like one, else of one that is made
    /// of the files, with their names as they are. A file named `.zip` is an archive of what it says.
    Archives,
}

impl Target {
    /// Every target: the readers in their order, and the two others.
    pub fn all() -> Vec<Self> {
        let readers = Format::WORDS.iter().filter_map(|word| word.parse().ok());
        let others = [Self::Recognition, Self::Archives];
        readers.map(Self::Reader).chain(others).collect()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader(format) => format.as_str(),
            Self::Recognition => RECOGNITION,
            Self::Archives => ARCHIVES,
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(name: &str) -> std::result::Result<Self, String> {
        let all = Self::all();
        let known = all.iter().copied().find(|target| target.name() == name);
        known.ok_or_else(|| {
            let names: Vec<&str> = all.into_iter().map(Self::name).collect();
            format!("{name:?} is no target; targets: {}", names.join(", "))
        })
    }
}

/// The place at which cases are read, one after another.
#[derive(Debug)]
pub struct Bench {
    folder: TempDir,
    options: ImportOptions,
}

impl Bench {
    /// Makes a place, in memory where that is possible.
    ///
    /// # Errors
    ///
    /// What the operating system says if no folder can be made.
    pub fn new() -> Result<Self> {
        let in_memory = Path::new(IN_MEMORY);
        let place = if in_memory.is_dir() {
            in_memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::tempdir_in(place)?;
        let options = ImportOptions {
            owner: UserId::new("me").ok(),
            assumed_zone: "Europe/Berlin".parse().ok(),
            unpack_in: Some(folder.path().join("unpacked")),
            ..ImportOptions::at(NOW.parse().expect("the constant is a time"))
        };
        Ok(Self { folder, options })
    }

    /// Reads a case.
    ///
    /// # Panics
    ///
    /// If a reader panics, gives a record that cannot be, or counts wrongly.
    pub fn read(&self, target: Target, bytes: &[u8]) {
        let mut case = Case::decode(bytes);
        let files = self.folder.path().join("files");
        let _ = fs::remove_dir_all(&files);
        fs::create_dir(&files).expect("the folder was removed just before");
        let mut options = self.options.clone();
        let paths: Vec<PathBuf> = match target {
            Target::Reader(format) => {
                options.format = Some(format);
                let map = case.files.iter().position(|(name, _)| name == MAP);
                if let Some(place) = map.filter(|_| format.as_str() == TABLE) {
                    let (_, map) = case.files.remove(place);
                    options.map = String::from_utf8_lossy(&map).parse().ok();
                }
                case.write(&files)
            }
            Target::Recognition => {
                for file in case.write(&files) {
                    let _ = suggest(&file);
                }
                vec![files]
            }
            Target::Archives => {
                let archive = files.join("export.zip");
                let raw = case.files.first().filter(|(_, raw)| raw.starts_with(ZIP));
                let written = match raw {
                    Some((_, raw)) => fs::write(&archive, raw),
                    None => fs::write(&archive, zipped(&case, MOST_NESTED)),
                };
                written.expect("the folder is writable");
                vec![archive]
            }
        };
        let mut sink = Checking::default();
        // What cannot be read at all is an error, and that is well.
        if let Ok(report) = import(&paths, &options, &mut sink) {
            let rejected: u64 = report.rejected.values().sum();
            assert_eq!(report.records, sink.records, "records of the report");
            assert_eq!(rejected, sink.rejects, "rejected rows of the report");
        }
    }
}

/// A zip file of the files of a case, with their names as they are.
fn zipped(case: &Case, depth: usize) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in &case.files {
        let stored =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        // Two of one name are refused.
        if archive.start_file(name.as_str(), stored).is_err() {
            continue;
        }
        let is_archive = Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "zip");
        let inner = (depth > 0 && is_archive).then(|| zipped(&Case::decode(content), depth - 1));
        let _ = archive.write_all(inner.as_ref().unwrap_or(content));
    }
    archive.finish().map(Cursor::into_inner).unwrap_or_default()
}

/// Counts what it gets, and checks it.
#[derive(Debug, Default)]
struct Checking {
    records: u64,
    rejects: u64,
}

impl Sink for Checking {
    fn person(&mut self, _: &UserId, profile: &Profile) -> std::result::Result<Profile, SinkError> {
        Ok(profile.clone())
    }

    fn records(&mut self, _: &UserId, records: Vec<Record>) -> std::result::Result<(), SinkError> {
        for record in &records {
            let checked = record.validate();
            assert!(checked.is_ok(), "{checked:?}");
        }
        self.records += records.len() as u64;
        Ok(())
    }

    fn reject(&mut self, _: &Reject) -> std::result::Result<(), SinkError> {
        self.rejects += 1;
        Ok(())
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        assert!(done <= total, "{done} of {total} bytes");
        ControlFlow::Continue(())
    }
}
