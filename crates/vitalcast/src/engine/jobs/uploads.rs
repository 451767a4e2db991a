//! Files that arrive in parts: an upload is begun, gets its bytes in any number of requests, and becomes an
//! import once the last byte is there. What has arrived stays when a connection is cut or the process ends.
//!
//! An upload is a folder below `uploads/unfinished`, named by its id, with `about.json` and `data`. The length
//! of `data` is the number of bytes that have arrived. The import has the id of the upload, and takes `data`
//! away: an upload without it is complete. One that gets nothing for a while is removed.
//!
//! Of two that write to the same upload, the later one goes on: the connection of the earlier one is mostly
//! one that was cut without this end having heard of it.

use super::{ImportUpload, JobRunner, UPLOADS, locked, remove, remove_upload};
use crate::engine::Engine;
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind as Io, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use vitalcast_domain::{JobId, JobInfo, UserId, Zone};
use vitalcast_import::Format;

/// The folder of uploads that are not complete, in the folder of uploads.
pub(super) const UNFINISHED: &str = "unfinished";
const ABOUT: &str = "about.json";
const DATA: &str = "data";
/// Most uploads of a person at the same time.
const MOST: usize = 10;

/// Why a part of an upload is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// No upload of the person with this id: it never was, was cancelled, or has expired.
    #[error("unknown upload {0}: it was cancelled, or got nothing for too long; begin a new one")]
    Unknown(JobId),
    /// Another number of bytes has arrived.
    #[error(
        "{received} bytes of the upload have arrived, so the next part begins there, not at {given}"
    )]
    WrongOffset {
        /// The first byte of the part.
        given: u64,
        /// Number of bytes that have arrived.
        received: u64,
    },
    /// More bytes than were announced.
    #[error("the upload was announced with {length} bytes, and more came")]
    TooLong {
        /// Announced number of bytes.
        length: u64,
    },
    /// Another request goes on with it.
    #[error("another request goes on with this upload")]
    TakenOver,
    /// Too many uploads of the person.
    #[error("there are {limit} unfinished uploads already: finish or cancel one of them")]
    TooMany {
        /// Most at the same time.
        limit: usize,
    },
    /// Not all bytes are there.
    #[error("{received} of {length} bytes of the upload have arrived")]
    Incomplete {
        /// Number of bytes that have arrived.
        received: u64,
        /// Announced number of bytes.
        length: u64,
    },
}

impl UploadError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) => ErrorKind::NotFound,
            Self::TooLong { .. } => ErrorKind::InvalidRequest,
            Self::WrongOffset { .. }
            | Self::TakenOver
            | Self::TooMany { .. }
            | Self::Incomplete { .. } => ErrorKind::Busy,
        }
    }

    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "UNKNOWN_UPLOAD",
            Self::WrongOffset { .. } => "WRONG_OFFSET",
            Self::TooLong { .. } => "TOO_LONG",
            Self::TakenOver => "TAKEN_OVER",
            Self::TooMany { .. } => "TOO_MANY_UPLOADS",
            Self::Incomplete { .. } => "INCOMPLETE",
        }
    }
}

/// A file that will arrive in parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewUpload {
    /// Id of the person.
    pub user_id: UserId,
    /// Original file name; its extension decides between CSV and JSON lines.
    pub name: String,
    /// Format of the file; detected from the content when not given.
    #[serde(with = "format_word")]
    pub format: Option<Format>,
    /// IANA time zone of the person.
    pub zone: Option<Zone>,
    /// Number of bytes of the whole file.
    pub length: u64,
}

/// Formats by their names.
mod format_word {
    use super::Format;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    pub(super) fn serialize<S: Serializer>(
        format: &Option<Format>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match format {
            Some(format) => serializer.serialize_some(format.as_str()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<Format>, D::Error> {
        let word: Option<String> = Option::deserialize(source)?;
        word.map(|word| word.parse().map_err(D::Error::custom))
            .transpose()
    }
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UploadInfo {
    /// Id of the upload; the job of the import will have the same.
    pub upload_id: JobId,
    /// Id of the person.
    pub user_id: UserId,
    /// Name of the file.
    pub name: String,
    /// Number of bytes that have arrived: where the next part begins.
    pub received: u64,
    /// Number of bytes of the whole file.
    pub length: u64,
    /// Whether all have arrived and the import is a job.
    pub is_complete: bool,
    /// The time at which it is removed, if nothing more comes.
    pub expires_at: DateTime<Utc>,
}

/// What is stored of an upload beside its bytes.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    #[serde(flatten)]
    new: NewUpload,
    /// The last time that something came.
    touched_at: DateTime<Utc>,
}

/// Whose turn it is to write to an upload: the number of the latest writer.
type Turn = Arc<Mutex<u64>>;
pub(super) type Turns = Mutex<HashMap<JobId, Turn>>;

/// The writer of a part.
#[derive(Debug)]
pub struct UploadPart {
    /// `None` if all bytes are there and the import has them.
    file: Option<File>,
    path: PathBuf,
    left: u64,
    length: u64,
    turn: Turn,
    number: u64,
}

impl UploadPart {
    /// Appends bytes. Blocks.
    ///
    /// # Errors
    ///
    /// [`UploadError::TakenOver`], [`UploadError::TooLong`], [`EngineError::Io`], for a full disk for example.
    /// What was written before stays.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), EngineError> {
        // Nobody else can begin to write in between.
        let turn = locked(&self.turn);
        if *turn != self.number {
            return Err(UploadError::TakenOver.into());
        }
        if bytes.len() as u64 > self.left {
            let length = self.length;
            return Err(UploadError::TooLong { length }.into());
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes).map_err(failed(&self.path))?;
        }
        self.left -= bytes.len() as u64;
        Ok(())
    }

    /// Makes sure that what was written is on the disk. Blocks.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`].
    pub fn flush(&self) -> Result<(), EngineError> {
        match &self.file {
            Some(file) => file.sync_data().map_err(failed(&self.path)),
            None => Ok(()),
        }
    }
}

impl JobRunner {
    /// Begins an upload. Those that have expired are removed.
    ///
    /// # Errors
    ///
    /// [`UploadError::TooMany`], [`EngineError::BeingErased`], [`EngineError::Io`].
    pub fn begin_upload(&self, new: NewUpload, id: &JobId) -> Result<UploadInfo, EngineError> {
        self.remove_expired_uploads();
        let engine = &self.0.engine;
        if locked(&self.0.state).leaving.contains(&new.user_id) {
            return Err(EngineError::BeingErased(new.user_id));
        }
        let open = engine.unfinished_uploads();
        let theirs = open.filter(|(folder, about)| {
            about.new.user_id == new.user_id && folder.join(DATA).exists()
        });
        if theirs.count() >= MOST {
            return Err(UploadError::TooMany { limit: MOST }.into());
        }
        let folder = engine.unfinished().join(id.as_str());
        std::fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let data = folder.join(DATA);
        File::create(&data).map_err(failed(&data))?;
        let touched_at = (self.0.clock)();
        let about = About { new, touched_at };
        store(&folder, &about)?;
        self.upload(&about.new.user_id, id)
    }

    /// How far an upload of a person is.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unknown`], [`EngineError::Io`].
    pub fn upload(&self, user: &UserId, id: &JobId) -> Result<UploadInfo, EngineError> {
        let (folder, about) = self.found(user, id)?;
        let received = received(&folder)?;
        if received.is_none() && self.job(id).is_err() {
            // Its import was lost before it became a job.
            return Err(UploadError::Unknown(id.clone()).into());
        }
        Ok(UploadInfo {
            upload_id: id.clone(),
            user_id: about.new.user_id,
            name: about.new.name,
            received: received.unwrap_or(about.new.length),
            length: about.new.length,
            is_complete: received.is_none(),
            expires_at: about.touched_at + self.0.options.keep_uploads,
        })
    }

    /// Goes on with an upload at a byte. Whoever was writing to it is stopped.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unknown`], [`UploadError::WrongOffset`], [`EngineError::Io`].
    pub fn append_to_upload(
        &self,
        user: &UserId,
        id: &JobId,
        offset: u64,
    ) -> Result<UploadPart, EngineError> {
        let (folder, about) = self.found(user, id)?;
        let turn = Arc::clone(locked(&self.0.turns).entry(id.clone()).or_default());
        let number = {
            let mut turn = locked(&turn);
            *turn += 1;
            *turn
        };
        let length = about.new.length;
        let arrived = received(&folder)?;
        let received = arrived.unwrap_or(length);
        if received != offset {
            let given = offset;
            return Err(UploadError::WrongOffset { given, received }.into());
        }
        let path = folder.join(DATA);
        let file = match arrived {
            Some(_) => {
                let opened = OpenOptions::new().append(true).open(&path);
                Some(opened.map_err(failed(&path))?)
            }
            None => None,
        };
        Ok(UploadPart {
            file,
            path,
            left: length.saturating_sub(received),
            length,
            turn,
            number,
        })
    }

    /// Notes that a part has arrived, and requests the import if it was the last. Asked again, it gives the
    /// same job.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unknown`], [`EngineError::QueueFull`] (the bytes stay), [`EngineError::Io`],
    /// [`EngineError::Store`].
    pub fn end_of_part(
        &self,
        user: &UserId,
        id: &JobId,
    ) -> Result<(UploadInfo, Option<JobInfo>), EngineError> {
        let turn = Arc::clone(locked(&self.0.turns).entry(id.clone()).or_default());
        // Two that have brought the last part ask for one import.
        let _alone = locked(&turn);
        let (folder, mut about) = self.found(user, id)?;
        about.touched_at = (self.0.clock)();
        store(&folder, &about)?;
        let info = self.upload(user, id)?;
        if info.is_complete {
            return Ok((info, Some(self.job(id)?)));
        }
        if info.received < info.length {
            return Ok((info, None));
        }
        let upload = ImportUpload {
            user_id: user.clone(),
            file: folder.join(DATA),
            name: about.new.name,
            format: about.new.format,
            zone: about.new.zone,
            is_one_of_many: false,
        };
        let job = self.import(upload, id.clone())?;
        let info = UploadInfo {
            is_complete: true,
            ..info
        };
        Ok((info, Some(job)))
    }

    /// Cancels an upload and removes what has arrived. A complete one is a job, which can be cancelled.
    ///
    /// # Errors
    ///
    /// [`UploadError::Unknown`].
    pub fn cancel_upload(&self, user: &UserId, id: &JobId) -> Result<(), EngineError> {
        let (folder, _) = self.found(user, id)?;
        self.forget_upload(id);
        remove(&folder);
        Ok(())
    }

    /// Removes uploads that got nothing for too long.
    pub(super) fn remove_expired_uploads(&self) {
        let now = (self.0.clock)();
        let engine = &self.0.engine;
        for (folder, about) in engine.unfinished_uploads() {
            if about.touched_at + self.0.options.keep_uploads <= now {
                if let Some(id) = folder.file_name().and_then(|name| name.to_str())
                    && let Ok(id) = id.parse()
                {
                    self.forget_upload(&id);
                }
                remove(&folder);
            }
        }
    }

    /// Stops whoever writes to an upload.
    fn forget_upload(&self, id: &JobId) {
        let turn = locked(&self.0.turns).remove(id);
        if let Some(turn) = turn {
            *locked(&turn) += 1;
        }
    }

    fn found(&self, user: &UserId, id: &JobId) -> Result<(PathBuf, About), EngineError> {
        let folder = self.0.engine.unfinished().join(id.as_str());
        let about = about(&folder).filter(|about| {
            let expires_at = about.touched_at + self.0.options.keep_uploads;
            about.new.user_id == *user && (self.0.clock)() < expires_at
        });
        about
            .map(|about| (folder, about))
            .ok_or_else(|| UploadError::Unknown(id.clone()).into())
    }
}

impl Engine {
    fn unfinished(&self) -> PathBuf {
        self.folder().join(UPLOADS).join(UNFINISHED)
    }

    /// The folders of uploads, and what is known of them. One about which nothing is known was cut off while
    /// it was begun, or while it was removed.
    fn unfinished_uploads(&self) -> impl Iterator<Item = (PathBuf, About)> {
        let entries = std::fs::read_dir(self.unfinished()).into_iter();
        let folders = entries.flatten().flatten().map(|entry| entry.path());
        folders.filter_map(|folder| about(&folder).map(|about| (folder, about)))
    }

    /// Removes what nobody can go on with: nothing runs yet.
    pub(super) fn remove_broken_uploads(&self) {
        let entries = std::fs::read_dir(self.unfinished()).into_iter();
        for entry in entries.flatten().flatten() {
            if about(&entry.path()).is_none() {
                remove(&entry.path());
            }
        }
    }

    /// Removes the unfinished uploads of a person, and those of their jobs.
    pub(in crate::engine) fn remove_uploads_of(&self, user: &UserId, jobs: &[JobId]) {
        for id in jobs {
            remove_upload(&self.uploads(), id);
        }
        for (folder, about) in self.unfinished_uploads() {
            if about.new.user_id == *user {
                remove(&folder);
            }
        }
    }
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> EngineError {
    move |source| EngineError::Io {
        doing: "keep an upload in",
        path: path.to_owned(),
        source,
    }
}

fn about(folder: &Path) -> Option<About> {
    let text = std::fs::read(folder.join(ABOUT)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// Stores what is known of an upload; the old text or the new one is there at any time.
fn store(folder: &Path, about: &About) -> Result<(), EngineError> {
    let text = serde_json::to_vec(about).expect("what is known is plain values");
    let (new, path) = (folder.join("about.new"), folder.join(ABOUT));
    std::fs::write(&new, text).map_err(failed(&new))?;
    std::fs::rename(&new, &path).map_err(failed(&path))
}

/// Number of bytes that have arrived; `None` once the import has taken them.
fn received(folder: &Path) -> Result<Option<u64>, EngineError> {
    let path = folder.join(DATA);
    match std::fs::metadata(&path) {
        Ok(data) => Ok(Some(data.len())),
        Err(error) if error.kind() == Io::NotFound => Ok(None),
        Err(error) => Err(failed(&path)(error)),
    }
}
