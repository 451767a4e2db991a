//! Files: reading with a size limit, and atomic writing.
//!
//! A writer that is killed leaves a temporary file behind and never half an artifact. Temporary
//! files are called `.vitalcast-*.tmp`, so that [`remove_leftovers`] can tell them from anything
//! else, and are locked while their writer lives, so that it can tell them from a write in
//! progress. They are readable by their owner alone, and so is what they become.

use crate::error::ArtifactError;
use crate::layout::MAX_ARTIFACT_BYTES;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

const TEMPORARY_PREFIX: &str = ".vitalcast-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// Writes a file so that, whatever happens, the path holds either what it held before or all of
/// `bytes`: temporary file in the same folder, flush to the disk, rename, flush the folder.
///
/// # Errors
///
/// [`ArtifactError::Write`] with the path and what the operating system said: the folder does not
/// exist or is read-only, the disk is full, the path is a folder.
pub fn write_atomically(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), ArtifactError> {
    let path = path.as_ref();
    replace(path, bytes).map_err(|source| ArtifactError::Write {
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(TEMPORARY_PREFIX)
        .suffix(TEMPORARY_SUFFIX)
        .tempfile_in(folder)?;
    // Only marks the file as being written. On a file system without locks nothing is marked, and
    // removing leftovers during a write makes that write fail, not lose anything.
    let _ = temporary.as_file().try_lock();
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|refused| refused.error)?;
    sync_folder(folder)
}

/// Makes a rename durable. Only Unix can open a folder for that; elsewhere the file system's
/// journal has to do.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes temporary files that killed writers left in a folder, and returns how many. Files being
/// written at this moment and files of any other name stay. A folder that does not exist has none.
///
/// # Errors
///
/// [`ArtifactError::Read`] when the folder cannot be listed, [`ArtifactError::Write`] when a file
/// cannot be removed.
pub fn remove_leftovers(folder: impl AsRef<Path>) -> Result<usize, ArtifactError> {
    let folder = folder.as_ref();
    let unreadable = |source| ArtifactError::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(unreadable(error)),
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let is_temporary = entry.file_name().to_str().is_some_and(|name| {
            name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX)
        });
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_temporary || !is_file || is_being_written(&entry.path()) {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => removed += 1,
            // Someone else was faster, or its writer has just finished.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => {
                return Err(ArtifactError::Write {
                    path: entry.path(),
                    source,
                });
            }
        }
    }
    Ok(removed)
}

fn is_being_written(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Reads a file of at most the size of an artifact, counting what is read rather than trusting
/// what the file system says.
pub(crate) fn read_limited(path: &Path) -> Result<Vec<u8>, ArtifactError> {
    let unreadable = |source| ArtifactError::Read {
        path: path.to_owned(),
        source,
    };
    let too_large = |length| ArtifactError::TooLarge {
        length,
        limit: MAX_ARTIFACT_BYTES,
    };
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length > MAX_ARTIFACT_BYTES {
        return Err(too_large(length));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MAX_ARTIFACT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > MAX_ARTIFACT_BYTES {
        return Err(too_large(bytes.len() as u64));
    }
    Ok(bytes)
}
