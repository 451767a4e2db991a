//! Imports of exports into the store.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{Record, UserId, Zone};
use vitalcast_import::{
    Format, ImportError, ImportOptions, KnownAt, Reject, Sink, SinkError, SkipReason,
};
use vitalcast_store::Store;

/// Start and end of the file name of a list of rejected rows.
const REJECTS: &str = "rejects-";
const CSV: &str = ".csv";

/// Settings of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportSettings {
    /// Format of the file; detected from the content when not given.
    pub format: Option<Format>,
    /// IANA time zone of the people in the export; each format has a default.
    pub zone: Option<Zone>,
    /// Import only this person; for tables without a user column, the person they belong to.
    pub user: Option<UserId>,
    /// Rule for the time from which rows count as known.
    pub known_at: KnownAt,
    /// File for the list of rejected rows; default: a file in the data folder.
    pub rejects_file: Option<PathBuf>,
}

/// The result of an import: counts of rows and records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSummary {
    /// Format of the export.
    pub format: String,
    /// Number of files read.
    pub files: u64,
    /// Number of rows read.
    pub rows_read: u64,
    /// Number of records in the rows.
    pub records: u64,
    /// Number of new records.
    pub added: u64,
    /// Number of records that were stored before, unchanged.
    pub already_there: u64,
    /// Number of corrected records: their value differs from the stored one. Replays of earlier days
    /// use the old version.
    pub corrected: u64,
    /// Number of rows and cells left out that are not errors, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Number of rejected rows, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// File with the list of rejected rows, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// Ids of the people in the export.
    pub people: Vec<UserId>,
    /// Notes about the result.
    pub notes: Vec<String>,
}

impl Engine {
    /// Imports a file or folder. Importing it again changes nothing.
    ///
    /// `progress` gets the number of bytes read and the total, and can stop the import. Records
    /// imported until then stay; importing the same again completes it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Import`] if the path does not exist or nothing in it can be read,
    /// [`EngineError::Store`], [`EngineError::Interrupted`].
    pub fn import(
        &self,
        path: &Path,
        settings: &ImportSettings,
        now: DateTime<Utc>,
        progress: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<ImportSummary, EngineError> {
        let rejects_path = settings.rejects_file.clone().unwrap_or_else(|| {
            let moment = now.format("%Y%m%dT%H%M%SZ");
            self.folder().join(format!("{REJECTS}{moment}{CSV}"))
        });
        let mut sink = StoreSink {
            engine: self,
            now,
            progress,
            people: BTreeSet::new(),
            added: 0,
            already_there: 0,
            corrected: 0,
            rejects: Rejects {
                path: rejects_path,
                file: None,
            },
        };
        let options = ImportOptions {
            format: settings.format,
            zone: settings.zone,
            user: settings.user.clone(),
            now,
            known_at: settings.known_at,
        };
        let report = vitalcast_import::import(path, &options, &mut sink).map_err(unwrap_sink)?;
        sink.rejects.finish()?;
        let mut notes = report.notes;
        if let Some(user) = &settings.user
            && report.records == 0
            && report.skipped.contains_key(&SkipReason::OtherUser)
        {
            notes.push(format!(
                "it contains data of other people only, not of {user}"
            ));
        }
        Ok(ImportSummary {
            format: report.format.to_string(),
            files: report.files,
            rows_read: report.rows_read,
            records: report.records,
            added: sink.added,
            already_there: sink.already_there,
            corrected: sink.corrected,
            skipped: words(&report.skipped),
            rejected: words(&report.rejected),
            rejects_file: sink.rejects.file.is_some().then_some(sink.rejects.path),
            people: sink.people.into_iter().collect(),
            notes,
        })
    }
}

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

fn words<K: ToString>(counts: &BTreeMap<K, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(reason, count)| (reason.to_string(), *count))
        .collect()
}

/// Unwraps errors of the engine that were passed through the importer.
fn unwrap_sink(error: ImportError) -> EngineError {
    if matches!(error, ImportError::Interrupted) {
        return EngineError::Interrupted;
    }
    let ImportError::Sink(inner) = error else {
        return error.into();
    };
    match inner.downcast::<EngineError>() {
        Ok(error) => *error,
        Err(inner) => ImportError::Sink(inner).into(),
    }
}

struct StoreSink<'a> {
    engine: &'a Engine,
    now: DateTime<Utc>,
    progress: &'a mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    people: BTreeSet<UserId>,
    added: u64,
    already_there: u64,
    corrected: u64,
    rejects: Rejects,
}

impl Sink for StoreSink<'_> {
    fn person(&mut self, user: &UserId, zone: Zone) -> Result<(), SinkError> {
        if !self.people.insert(user.clone()) {
            return Ok(());
        }
        // Whoever is known already keeps the profile they have.
        let store = &self.engine.store;
        let known = self
            .engine
            .wait(store.profile(user))
            .map_err(EngineError::from)?;
        if known.is_none() {
            let profile = vitalcast_domain::Profile {
                zone,
                ..vitalcast_domain::Profile::default()
            };
            self.engine.set_profile(user, &profile)?;
        }
        Ok(())
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        let store = &self.engine.store;
        let report = self
            .engine
            .wait(store.write_records(user, &records, self.now))
            .map_err(EngineError::from)?;
        self.added += report.added;
        self.already_there += report.unchanged;
        self.corrected += report.corrected;
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        Ok(self.rejects.write(reject)?)
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        (self.progress)(done, total)
    }
}

/// The file of rejected rows; it is created with the first rejected row.
struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejects {
    fn write(&mut self, reject: &Reject) -> Result<(), EngineError> {
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

    fn finish(&mut self) -> Result<(), EngineError> {
        match &mut self.file {
            Some(file) => file.flush().map_err(|source| EngineError::Io {
                doing: "write the list of rejected rows",
                path: self.path.clone(),
                source,
            }),
            None => Ok(()),
        }
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
