//! Zip files: their contents are unpacked into a temporary folder and read like a folder, zip files in
//! them too. What an archive says about itself is not believed: names stay inside the folder, links are
//! left out, and sizes are counted while unpacking. A damaged or excessive file in an archive is left
//! out; the others are read.

use crate::detect::all_files;
use crate::error::ImportError;
use crate::report::Unread;
use crate::work_folder::WorkFolder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bytes at the beginning of a zip file.
const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Bytes that are unpacked between two looks at the limits.
const AT_ONCE: usize = 1 << 18;

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Most files.
    files: usize,
    /// Most bytes of all files together.
    bytes: u64,
    /// Most bytes per packed byte of one file, for files of more than `small` bytes.
    ratio: u64,
    small: u64,
    /// How many archives may stand within each other.
    depth: usize,
}

/// Limits of an import: a person's whole export is smaller.
pub(crate) const LIMITS: Limits = Limits {
    files: 500_000,
    bytes: 24 << 30,
    ratio: 200,
    small: 64 << 20,
    depth: 3,
};

/// Files and folders that can be read, with what they are called for the person.
#[derive(Debug, Default)]
pub(crate) struct Opened {
    /// Files and folders.
    pub(crate) paths: Vec<PathBuf>,
    /// What was left out of archives, by why.
    pub(crate) left_out: BTreeMap<String, Unread>,
    /// Folders of unpacked archives, each with the archive.
    unpacked: Vec<(PathBuf, PathBuf)>,
    /// They are removed when the import is over.
    folders: Vec<WorkFolder>,
}

/// Whether a file is a zip file, by its content.
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut head = [0; 4];
    path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok_and(|()| head == *SIGNATURE)
}

/// Unpacks the archives among some paths into folders in a place.
///
/// # Errors
///
/// [`ImportError::Read`] for a path that cannot be read or a disk that is full,
/// [`ImportError::Unrecognised`] for a path that is no whole archive or holds too much.
pub(crate) fn open(
    paths: &[PathBuf],
    place: &Path,
    limits: &Limits,
    progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Opened, ImportError> {
    let mut opened = Opened::default();
    let mut archives = Vec::new();
    for path in paths {
        if is_zip(path) {
            archives.push(path.clone());
        } else {
            if path.is_dir() {
                archives.extend(all_files(path)?.into_iter().filter(|file| is_zip(file)));
            }
            opened.paths.push(path.clone());
        }
    }
    let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |data| data.len());
    let mut unpacking = Unpacking {
        limits: *limits,
        files: limits.files,
        bytes: limits.bytes,
        done: 0,
        total: archives.iter().map(size).sum(),
        progress,
    };
    for archive in archives {
        let folder = WorkFolder::new_in(place).map_err(|source| ImportError::Read {
            path: place.to_owned(),
            source,
        })?;
        let is_named = paths.contains(&archive);
        opened
            .unpacked
            .push((folder.path().to_owned(), archive.clone()));
        let unpacked = unpacking.archive(&archive, folder.path(), 1, &mut opened);
        match unpacked {
            Ok(()) => opened.paths.push(folder.path().to_owned()),
            // One of several in a folder.
            Err(ImportError::Unrecognised { what, .. }) if !is_named => {
                opened.left_out.entry(what).or_default().add(archive);
            }
            Err(error) => return Err(opened.named(error)),
        }
        opened.folders.push(folder);
    }
    Ok(opened)
}

impl Opened {
    /// Whether a path is the folder of an archive.
    pub(crate) fn is_archive(&self, path: &Path) -> bool {
        self.unpacked.iter().any(|(folder, _)| folder == path)
    }

    /// A file by its place in its archive, not in the folder it was unpacked to.
    pub(crate) fn name(&self, file: &Path) -> PathBuf {
        for (folder, archive) in &self.unpacked {
            match file.strip_prefix(folder) {
                Ok(within) if within.as_os_str().is_empty() => return archive.clone(),
                Ok(within) => return archive.join(within),
                Err(_) => {}
            }
        }
        file.to_owned()
    }

    /// An error with such names.
    pub(crate) fn named(&self, mut error: ImportError) -> ImportError {
        match &mut error {
            ImportError::Read { path, .. }
            | ImportError::Unrecognised { path, .. }
            | ImportError::OwnTable { path, .. }
            | ImportError::MissingColumn { path, .. }
            | ImportError::WithoutUser { path } => *path = self.name(path),
            ImportError::Interrupted | ImportError::Sink(_) => {}
        }
        error
    }
}

/// What is left of the limits while archives are unpacked.
struct Unpacking<'p> {
    limits: Limits,
    files: usize,
    bytes: u64,
    done: u64,
    total: u64,
    progress: &'p mut dyn FnMut(u64, u64) -> ControlFlow<()>,
}

impl Unpacking<'_> {
    fn archive(
        &mut self,
        path: &Path,
        folder: &Path,
        depth: usize,
        opened: &mut Opened,
    ) -> Result<(), ImportError> {
        let read = |source: std::io::Error| ImportError::Read {
            path: path.to_owned(),
            source,
        };
        let unrecognised = |what: String| ImportError::Unrecognised {
            path: path.to_owned(),
            what,
        };
        let file = File::open(path).map_err(read)?;
        let mut archive = zip::ZipArchive::new(file)
            .map_err(|_| unrecognised("a damaged zip file".to_owned()))?;
        if archive.len() > self.files {
            return Err(unrecognised(format!(
                "a zip file with {} files, expected at most {}",
                archive.len(),
                self.limits.files
            )));
        }
        self.files -= archive.len();
        let mut nested = Vec::new();
        let mut faults = 0;
        let count = archive.len();
        for index in 0..count {
            let (target, packed, outcome) = match archive.by_index(index) {
                Ok(mut entry) => {
                    let Some(name) = entry
                        .enclosed_name()
                        .filter(|_| entry.is_file() && !entry.is_symlink())
                    else {
                        continue;
                    };
                    let target = folder.join(name);
                    if let Some(parent) = target.parent()
                        && std::fs::create_dir_all(parent).is_err()
                    {
                        // A file and a folder of the same name.
                        faults += 1;
                        continue;
                    }
                    let packed = entry.compressed_size();
                    let outcome = self.entry(&mut entry, packed, &target).map_err(read)?;
                    (target, packed, outcome)
                }
                Err(_) => (
                    folder.to_owned(),
                    0,
                    Err("damaged or encrypted in its zip file"),
                ),
            };
            if depth == 1 {
                self.done += packed;
            }
            if (self.progress)(self.done.min(self.total), self.total).is_break() {
                return Err(ImportError::Interrupted);
            }
            if self.bytes == 0 {
                return Err(unrecognised(format!(
                    "a zip file that unpacks to more than {} GiB",
                    self.limits.bytes >> 30
                )));
            }
            match outcome {
                Ok(()) if is_zip(&target) => nested.push(target),
                Ok(()) => {}
                Err(what) => {
                    faults += 1;
                    opened
                        .left_out
                        .entry(what.to_owned())
                        .or_default()
                        .add(target);
                }
            }
        }
        if faults > 0 && faults == count {
            return Err(unrecognised("a damaged or encrypted zip file".to_owned()));
        }
        for inner in nested {
            let within = inner.with_extension("zip.unpacked");
            let unpacked = if depth < self.limits.depth {
                std::fs::create_dir_all(&within).map_err(read)?;
                self.archive(&inner, &within, depth + 1, opened)
            } else {
                Err(unrecognised("a zip file within too many others".to_owned()))
            };
            match unpacked {
                Ok(()) => std::fs::remove_file(&inner).map_err(read)?,
                Err(ImportError::Unrecognised { what, .. }) if self.bytes > 0 => {
                    std::fs::remove_file(&inner).map_err(read)?;
                    opened.left_out.entry(what).or_default().add(inner);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Unpacks one file. The inner error says why it is left out; the outer one is of the disk.
    fn entry(
        &mut self,
        entry: &mut dyn Read,
        packed: u64,
        target: &Path,
    ) -> std::io::Result<Result<(), &'static str>> {
        let mut output = File::create(target)?;
        let mut buffer = vec![0; AT_ONCE];
        let mut written: u64 = 0;
        let left_out = loop {
            let read = match entry.read(&mut buffer) {
                Ok(0) => return Ok(Ok(())),
                Ok(read) => read,
                // What the archive does wrong; anything else is the disk's.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::InvalidData
                            | ErrorKind::InvalidInput
                            | ErrorKind::UnexpectedEof
                            | ErrorKind::Other
                            | ErrorKind::Unsupported
                    ) =>
                {
                    break "damaged in its zip file";
                }
                Err(error) => return Err(error),
            };
            written += read as u64;
            let ratio = written / packed.max(1);
            if written > self.limits.small && ratio > self.limits.ratio {
                break "far larger than its zip file makes believe";
            }
            self.bytes = self.bytes.saturating_sub(read as u64);
            if self.bytes == 0 {
                break "larger than an import may be";
            }
            output.write_all(&buffer[..read])?;
        };
        drop(output);
        std::fs::remove_file(target)?;
        Ok(Err(left_out))
    }
}
