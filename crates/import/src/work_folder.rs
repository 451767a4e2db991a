//! Folders for what exists only while a process works: unpacked archives, rehearsals.
//!
//! Such a folder is removed when it is dropped. A process that is killed leaves it behind: the next one that
//! makes a folder in the same place removes it. Beside each folder is a file with its name and `.lock`, which
//! its process holds locked as long as it lives.

use std::fs::{File, TryLockError};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Beginning of the names of folders, and what the names of their locks have at the end.
const NAME: &str = "vitalcast-";
const LOCK: &str = "lock";
/// Attempts to make a folder: another process may take a lock for that of a dead one before it is locked.
const ATTEMPTS: usize = 20;

/// A folder that is removed when it is dropped, or after the death of its process by the next one.
#[derive(Debug)]
pub struct WorkFolder {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl WorkFolder {
    /// Makes a folder in a place, which is created if it is not there, and removes those that dead processes
    /// have left there.
    ///
    /// # Errors
    ///
    /// What the operating system says if nothing can be created or locked there.
    pub fn new_in(place: &Path) -> Result<Self> {
        std::fs::create_dir_all(place)?;
        remove_left_behind(place);
        for _ in 0..ATTEMPTS {
            let file = tempfile::Builder::new()
                .prefix(NAME)
                .suffix(".lock")
                .tempfile_in(place)?;
            let (held, lock) = file.keep().map_err(|error| error.error)?;
            match held.try_lock() {
                Err(TryLockError::WouldBlock) => continue,
                Err(TryLockError::Error(error)) => {
                    let _ = std::fs::remove_file(&lock);
                    return Err(error);
                }
                // It is removed only by who holds it.
                Ok(()) if !lock.exists() => continue,
                Ok(()) => {}
            }
            let folder = lock.with_extension("");
            if let Err(error) = std::fs::create_dir(&folder) {
                let _ = std::fs::remove_file(&lock);
                return Err(error);
            }
            return Ok(Self {
                folder,
                lock,
                _held: held,
            });
        }
        Err(Error::other("no temporary folder can be locked"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What cannot be removed now is found again by its lock.
        if std::fs::remove_dir_all(&self.folder).is_ok() {
            let _ = std::fs::remove_file(&self.lock);
        }
    }
}

/// Removes the folders of dead processes: those whose locks nobody holds.
fn remove_left_behind(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let name = entry.file_name();
        let is_ours = name.to_string_lossy().starts_with(NAME);
        let lock = entry.path();
        if !is_file || !is_ours || lock.extension().is_none_or(|ending| ending != LOCK) {
            continue;
        }
        let Ok(held) = File::open(&lock) else {
            continue;
        };
        if held.try_lock().is_err() {
            continue;
        }
        let folder = lock.with_extension("");
        let is_gone = std::fs::remove_dir_all(&folder).is_ok() || !folder.exists();
        if is_gone {
            let _ = std::fs::remove_file(&lock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(place: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(place).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_the_dead_have_left_is_removed_and_what_the_living_use_is_not() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path();
        let living = WorkFolder::new_in(place).unwrap();
        std::fs::write(living.path().join("a"), "a").unwrap();
        // As a killed process leaves it.
        std::fs::create_dir(place.join("vitalcast-dead")).unwrap();
        std::fs::write(place.join("vitalcast-dead/a"), "a").unwrap();
        std::fs::write(place.join("vitalcast-dead.lock"), "").unwrap();
        // Something of somebody else.
        std::fs::create_dir(place.join("vitalcast-other")).unwrap();
        std::fs::write(place.join("other.lock"), "").unwrap();
        let second = WorkFolder::new_in(place).unwrap();
        assert!(living.path().join("a").exists() && second.path().exists());
        assert!(!place.join("vitalcast-dead").exists());
        assert_eq!(names(place).len(), 2 + 4);
        drop((living, second));
        assert_eq!(names(place), ["other.lock", "vitalcast-other"]);
    }

    #[test]
    fn a_link_is_removed_and_not_followed() {
        let (place, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("kept"), "").unwrap();
        let link = place.path().join("vitalcast-dead");
        #[cfg(unix)]
        std::os::unix::fs::symlink(other.path(), &link).unwrap();
        std::fs::write(link.with_extension("lock"), "").unwrap();
        WorkFolder::new_in(place.path()).unwrap();
        assert!(other.path().join("kept").exists());
    }
}
