//! Imports of uploaded files.

use super::{JobRunner, UPLOAD, locked, remove_upload};
use crate::error::EngineError;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use vitalcast_domain::{JobId, JobInfo, JobKind, Profile, UserId, Zone};
use vitalcast_import::Format;
use vitalcast_store::{NewJob, Store};

/// Assumed speed of an import, bytes per second.
const ASSUMED_READING: f64 = 5e6;

/// An uploaded file to import for one person.
#[derive(Debug, Clone)]
pub struct ImportUpload {
    /// Id of the person.
    pub user_id: UserId,
    /// Path of the file; it is moved, and deleted at the end of the import.
    pub file: PathBuf,
    /// Original file name; its extension decides between CSV and JSON lines.
    pub name: String,
    /// Format of the file; detected from the content when not given.
    pub format: Option<Format>,
    /// IANA time zone of the person.
    pub zone: Option<Zone>,
    /// Whether it is one of many small ones: its job does not say what there is of the person afterwards,
    /// which reads the whole history.
    pub is_one_of_many: bool,
}

/// An import in the queue.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ImportRequest {
    pub(super) file: String,
    pub(super) format: Option<String>,
    pub(super) zone: Option<Zone>,
    bytes: u64,
    #[serde(default)]
    pub(super) is_one_of_many: bool,
}

impl JobRunner {
    /// Requests an import. The file is moved into the data folder; on errors it stays where it is.
    ///
    /// # Errors
    ///
    /// [`EngineError::QueueFull`], [`EngineError::Io`], [`EngineError::Store`].
    pub fn import(&self, upload: ImportUpload, id: JobId) -> Result<JobInfo, EngineError> {
        let engine = &self.0.engine;
        // A folder of its own: some formats tell by a file's name whose it is.
        let file = format!("{id}/{UPLOAD}/{}", plain_name(&upload.name));
        let path = engine.uploads().join(&file);
        let failed = |source| EngineError::Io {
            doing: "keep the upload",
            path: path.clone(),
            source,
        };
        let bytes = std::fs::metadata(&upload.file).map_err(failed)?.len();
        std::fs::create_dir_all(path.parent().unwrap_or(&path)).map_err(failed)?;
        std::fs::rename(&upload.file, &path).map_err(failed)?;
        let give_back = || {
            // Nobody will read it here; whoever brought it may try again.
            let _ = std::fs::rename(&path, &upload.file);
            remove_upload(&engine.uploads(), &id);
        };
        let made = self.make_person(&upload.user_id, upload.zone);
        if made.is_err() {
            give_back();
            made?;
        }
        let request = ImportRequest {
            file,
            format: upload.format.map(|format| format.to_string()),
            zone: upload.zone,
            bytes,
            is_one_of_many: upload.is_one_of_many,
        };
        let submitted = self.submit(NewJob {
            job_id: id.clone(),
            user_id: upload.user_id.clone(),
            kind: JobKind::Import,
            metric: None,
            request: serde_json::to_value(request).expect("requests are plain values"),
            cost_seconds: bytes as f64 / ASSUMED_READING,
            created_at: (self.0.clock)(),
        });
        if submitted.is_err() {
            give_back();
        }
        submitted
    }

    /// Creates the person before the import, for an upload with their first records.
    fn make_person(&self, user: &UserId, zone: Option<Zone>) -> Result<(), EngineError> {
        let engine = &self.0.engine;
        let state = locked(&self.0.state);
        if state.leaving.contains(user) {
            return Err(EngineError::BeingErased(user.clone()));
        }
        if engine.wait(engine.store.profile(user))?.is_none() {
            let profile = Profile {
                zone: zone.unwrap_or(Zone::UTC),
                ..Profile::default()
            };
            engine.set_profile(user, &profile)?;
        }
        drop(state);
        Ok(())
    }
}

/// A file name that is valid on any system, with the extension that decides between CSV and JSON lines.
fn plain_name(name: &str) -> String {
    const LONGEST: usize = 100;
    let plain: Vec<char> = name
        .chars()
        .map(|letter| match letter {
            '.' | '-' | '_' => letter,
            letter if letter.is_ascii_alphanumeric() => letter,
            _ => '_',
        })
        .collect();
    let kept: String = plain[plain.len().saturating_sub(LONGEST)..]
        .iter()
        .collect();
    let kept = kept.trim_start_matches('.');
    match Path::new(kept).extension() {
        Some(_) => kept.to_owned(),
        None if kept.is_empty() => "upload.csv".to_owned(),
        None => format!("{kept}.csv"),
    }
}
