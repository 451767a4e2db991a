//! Lists of rejected rows.

use super::Engine;
use crate::error::EngineError;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use vitalcast_import::Reject;

/// Start and end of the file name of a list of rejected rows.
const REJECTS: &str = "rejects-";
const CSV: &str = ".csv";

impl Engine {
    /// Removes the lists of rejected rows from the data folder.
    pub(super) fn remove_rejects(&self) -> Result<(), EngineError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| EngineError::Io {
                doing: "remove a list of rejected rows from",
                path,
                source,
            }
        };
        for entry in std::fs::read_dir(self.folder()).map_err(failed(self.folder()))? {
            let entry = entry.map_err(failed(self.folder()))?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(REJECTS) && name.ends_with(CSV) {
                std::fs::remove_file(entry.path()).map_err(failed(&entry.path()))?;
            }
        }
        Ok(())
    }
}

/// The file of rejected rows; it is created with the first rejected row.
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

/// Name of the list of an import that began at a moment, as it stands in file names.
pub(super) fn file_name(moment: impl Display) -> String {
    format!("{REJECTS}{moment}{CSV}")
}

impl Rejects {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    pub(super) fn write(&mut self, reject: &Reject) -> Result<(), EngineError> {
        let failed = |source| EngineError::Io {
            doing: "write the list of rejected rows",
            path: self.path.clone(),
            source,
        };
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let mut file = BufWriter::new(File::create(&self.path).map_err(failed)?);
                writeln!(file, "file,line,reason,message").map_err(failed)?;
                self.file.insert(file)
            }
        };
        writeln!(
            file,
            "{},{},{},{}",
            quoted(&reject.file.display().to_string()),
            reject.line,
            reject.reason,
            quoted(&reject.message)
        )
        .map_err(failed)
    }

    pub(super) fn finish(&mut self) -> Result<(), EngineError> {
        match &mut self.file {
            Some(file) => file.flush().map_err(|source| EngineError::Io {
                doing: "write the list of rejected rows",
                path: self.path.clone(),
                source,
            }),
            None => Ok(()),
        }
    }

    /// The file, if there is one.
    pub(super) fn into_path(self) -> Option<PathBuf> {
        self.file.map(|_| self.path)
    }
}

/// A CSV cell, quoted where RFC 4180 asks for it.
pub(super) fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
