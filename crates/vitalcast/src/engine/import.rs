//! Reading an export into the store.

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

/// How the name of a list of refused rows begins and ends.
const REJECTS: &str = "rejects-";
const CSV: &str = ".csv";

/// How an export is read.
#[derive(Debug, Clone, Default)]
pub struct ImportSettings {
    /// What it is; recognised by content when not given.
    pub format: Option<Format>,
    /// Zone of the people in it; each format has its own default.
    pub zone: Option<Zone>,
    /// Only this person, or whose a table without a user column is.
    pub user: Option<UserId>,
    /// When rows count as known.
    pub known_at: KnownAt,
    /// Where refused rows are listed; in the data folder when not given.
    pub rejects_file: Option<PathBuf>,
}

/// What became of an export's rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ImportSummary {
    /// What it was.
    pub format: String,
    /// Files read.
    pub files: u64,
    /// Rows read.
    pub rows_read: u64,
    /// Records found in them.
    pub records: u64,
    /// Records that were new.
    pub added: u64,
    /// Records that were there already, unchanged.
    pub already_there: u64,
    /// Records whose value differs from the one kept: a new version, the old one stays for replays.
    pub corrected: u64,
    /// Rows and cells left out without being wrong, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Rows refused, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Where refused rows are listed, if there are any.
    pub rejects_file: Option<PathBuf>,
    /// Who was in it.
    pub people: Vec<UserId>,
    /// What a reader of the result should know.
    pub notes: Vec<String>,
}

impl Engine {
    /// Reads a file or folder into the store. Doing it again adds nothing.
    ///
    /// `progress` hears of bytes done and in all, and may stop the import; what was acknowledged
    /// until then stays, and reading the same again completes it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Import`] when the path is not there or nothing in it can be read,
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
    /// Removes the lists of refused rows that imports left in the folder.
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

/// The engine's own errors travel through the importer and come out as themselves.
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

/// The rejects file, made with the first refused row.
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
