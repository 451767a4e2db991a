//! Zip files: their contents are unpacked into a temporary folder and read like a folder.

use crate::error::ImportError;
use std::fs::File;
use std::io::{ErrorKind, Read, copy};
use std::path::Path;
use tempfile::TempDir;

/// Bytes at the beginning of a zip file.
const SIGNATURE: &[u8] = b"PK\x03\x04";
/// Most files of an archive, and most bytes of them together.
const MOST_FILES: usize = 200_000;
const MOST_BYTES: u64 = 4 << 30;

/// Whether a file is a zip file, by its content.
pub(crate) fn is_zip(path: &Path) -> bool {
    let mut head = [0; 4];
    path.is_file()
        && File::open(path)
            .and_then(|mut file| file.read_exact(&mut head))
            .is_ok_and(|()| head == *SIGNATURE)
}

/// Unpacks a zip file into a temporary folder. Names that would leave the folder are left out.
pub(crate) fn unpack(path: &Path) -> Result<TempDir, ImportError> {
    let read = |source: std::io::Error| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let unrecognised = |what: String| ImportError::Unrecognised {
        path: path.to_owned(),
        what,
    };
    let file = File::open(path).map_err(read)?;
    let mut archive =
        zip::ZipArchive::new(file).map_err(|_| unrecognised("a damaged zip file".to_owned()))?;
    if archive.len() > MOST_FILES {
        return Err(unrecognised(format!(
            "a zip file with {} files, expected at most {MOST_FILES}",
            archive.len()
        )));
    }
    let folder = TempDir::new().map_err(read)?;
    let mut left = MOST_BYTES;
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|_| unrecognised("a damaged or encrypted zip file".to_owned()))?;
        let Some(name) = entry.enclosed_name().filter(|_| entry.is_file()) else {
            continue;
        };
        let target = folder.path().join(name);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent).map_err(read)?;
        }
        let mut output = File::create(&target).map_err(read)?;
        // What an entry says about its size may be wrong.
        let written = match copy(&mut entry.by_ref().take(left), &mut output) {
            Ok(written) => written,
            // What the archive does wrong; anything else is the disk's.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
                ) =>
            {
                return Err(unrecognised("a damaged zip file".to_owned()));
            }
            Err(error) => return Err(read(error)),
        };
        left -= written;
        if left == 0 {
            return Err(unrecognised(format!(
                "a zip file that unpacks to more than {} GiB",
                MOST_BYTES >> 30
            )));
        }
    }
    Ok(folder)
}
