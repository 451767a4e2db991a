//! Files to which finished parts of a long computation are appended, one JSON value a line, so that it goes
//! on from there after a kill.

use crate::error::EngineError;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of finished parts. It is made when the first part is appended.
pub(super) struct Recorded {
    path: PathBuf,
    doing: &'static str,
    file: Option<File>,
    /// What is written before the next part: the end of a line that was cut off by a kill.
    end: &'static [u8],
}

impl Recorded {
    /// The file and its lines; none if there is no file yet.
    pub(super) fn open(
        path: &Path,
        doing: &'static str,
    ) -> Result<(Self, Vec<String>), EngineError> {
        let mut recorded = Self {
            path: path.to_owned(),
            doing,
            file: None,
            end: b"",
        };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(recorded.failed(error)),
        };
        if bytes.last().is_some_and(|last| *last != b'\n') {
            recorded.end = b"\n";
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok((recorded, text.lines().map(str::to_owned).collect()))
    }

    /// Takes out all that is in the file, if there is one.
    pub(super) fn clear(&mut self) -> Result<(), EngineError> {
        self.end = b"";
        self.file = None;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    /// Appends a part.
    pub(super) fn append(&mut self, part: &impl Serialize) -> Result<(), EngineError> {
        let mut line = std::mem::take(&mut self.end).to_vec();
        serde_json::to_writer(&mut line, part).expect("parts are plain values");
        line.push(b'\n');
        let written = match &mut self.file {
            Some(file) => file.write_all(&line),
            None => OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.path)
                .and_then(|file| self.file.insert(file).write_all(&line)),
        };
        written.map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> EngineError {
        EngineError::Io {
            doing: self.doing,
            path: self.path.clone(),
            source,
        }
    }
}
