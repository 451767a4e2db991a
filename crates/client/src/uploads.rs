//! Uploads of large files in parts, which go on where they were cut off.

use crate::{Client, ClientError, accepted, read};
use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;
use vitalcast_domain::{JobId, JobInfo, UserId};

/// Bytes of a part.
const PART: u64 = 16 << 20;
/// How often a part without a single byte of progress is tried, and the longest wait between two attempts.
const ATTEMPTS: u32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Upload {
    /// Id of the upload; the job of the import will have the same.
    pub upload_id: JobId,
    /// Id of the person.
    pub user_id: UserId,
    /// Number of bytes that have arrived: where the next part begins.
    pub received: u64,
    /// Number of bytes of the whole file.
    pub length: u64,
    /// Whether all have arrived and the import is a job.
    pub is_complete: bool,
    /// The time at which it is removed, if nothing more comes.
    pub expires_at: DateTime<Utc>,
}

/// The answer to a part.
#[derive(Debug, Clone, PartialEq)]
pub enum PartSent {
    /// More parts are to come.
    More(Upload),
    /// All parts have arrived: the job of the import.
    Done(Box<JobInfo>),
}

impl Client {
    /// Uploads a file in parts and requests its import. After a cut connection or a restart of the service it
    /// goes on by itself; it gives up when nothing arrives for several minutes.
    ///
    /// Needs a runtime of tokio. An upload that was given up can be gone on with by [`Client::resume_upload`],
    /// for which [`Client::begin_upload`] gives the id.
    ///
    /// # Errors
    ///
    /// [`ClientError::File`] if the file cannot be read, [`ClientError::Service`] with code `TOO_LARGE`,
    /// `TOO_MANY_UPLOADS`, `UNKNOWN_UPLOAD`, …
    pub async fn upload(&self, user: &UserId, file: &Path) -> Result<JobInfo, ClientError> {
        let unreadable = |source| ClientError::File {
            path: file.to_owned(),
            source,
        };
        let length = std::fs::metadata(file).map_err(unreadable)?.len();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let upload = self.begin_upload(user, &name, length).await?;
        self.resume_upload(user, &upload.upload_id, file).await
    }

    /// Begins an upload of a file with so many bytes.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `TOO_LARGE` or `TOO_MANY_UPLOADS`.
    pub async fn begin_upload(
        &self,
        user: &UserId,
        name: &str,
        length: u64,
    ) -> Result<Upload, ClientError> {
        let call = self.call(Method::POST, &["api", "users", user.as_str(), "uploads"])?;
        let call = call.query(&[("name", name)]);
        read(call.query(&[("length", length)])).await
    }

    /// Gets how far an upload is.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_UPLOAD`.
    pub async fn upload_state(&self, user: &UserId, id: &JobId) -> Result<Upload, ClientError> {
        read(self.call(Method::GET, &path_of(user, id))?).await
    }

    /// Sends a part that begins at a byte.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `WRONG_OFFSET`, `TAKEN_OVER`, `TOO_LONG` or `UNKNOWN_UPLOAD`.
    pub async fn send_part(
        &self,
        user: &UserId,
        id: &JobId,
        offset: u64,
        part: impl Into<reqwest::Body>,
    ) -> Result<PartSent, ClientError> {
        let call = self.call(Method::PATCH, &path_of(user, id))?;
        let call = call.header("upload-offset", offset);
        let call = call.header(reqwest::header::CONTENT_TYPE, "application/octet-stream");
        let response = accepted(call.body(part).send().await?).await?;
        Ok(if response.status() == StatusCode::ACCEPTED {
            PartSent::Done(Box::new(response.json().await?))
        } else {
            PartSent::More(response.json().await?)
        })
    }

    /// Goes on with an upload of a file where it was cut off, to its end.
    ///
    /// # Errors
    ///
    /// Those of [`Client::upload`].
    pub async fn resume_upload(
        &self,
        user: &UserId,
        id: &JobId,
        file: &Path,
    ) -> Result<JobInfo, ClientError> {
        let (mut failures, mut furthest) = (0, 0);
        loop {
            let sent = match self.upload_state(user, id).await {
                Ok(upload) => {
                    self.send_rest(user, id, upload, file, &mut furthest, &mut failures)
                        .await
                }
                Err(error) => Err(error),
            };
            let error = match sent {
                Ok(job) => return Ok(job),
                Err(error) => error,
            };
            failures += 1;
            let Some(wait) = worth_waiting(&error).filter(|_| failures < ATTEMPTS) else {
                return Err(error);
            };
            let growing = Duration::from_secs(1 << failures.min(5)) / 2;
            tokio::time::sleep(wait.max(growing).min(LONGEST_WAIT)).await;
        }
    }

    /// Sends parts until the last one or until one fails.
    async fn send_rest(
        &self,
        user: &UserId,
        id: &JobId,
        mut upload: Upload,
        file: &Path,
        furthest: &mut u64,
        failures: &mut u32,
    ) -> Result<JobInfo, ClientError> {
        loop {
            if upload.received > *furthest {
                (*furthest, *failures) = (upload.received, 0);
            }
            let part = part_of(file, upload.received, upload.length).await?;
            match self.send_part(user, id, upload.received, part).await? {
                PartSent::Done(job) => return Ok(*job),
                PartSent::More(more) => upload = more,
            }
        }
    }

    /// Cancels an upload.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_UPLOAD`.
    pub async fn cancel_upload(&self, user: &UserId, id: &JobId) -> Result<(), ClientError> {
        let call = self.call(Method::DELETE, &path_of(user, id))?;
        accepted(call.send().await?).await?;
        Ok(())
    }
}

fn path_of<'a>(user: &'a UserId, id: &'a JobId) -> [&'a str; 5] {
    ["api", "users", user.as_str(), "uploads", id.as_str()]
}

/// The bytes of a part; none where the file ends.
async fn part_of(file: &Path, from: u64, length: u64) -> Result<Vec<u8>, ClientError> {
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let wanted = PART.min(length.saturating_sub(from));
        let mut part = Vec::new();
        file.take(wanted).read_to_end(&mut part)?;
        if (part.len() as u64) < wanted {
            let what = "the file is shorter than it was";
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what));
        }
        Ok(part)
    });
    let read = reading.await.map_err(std::io::Error::other).flatten();
    read.map_err(|source| ClientError::File {
        path: file.to_owned(),
        source,
    })
}

/// How long to wait at least before another attempt; `None` if it would fail too.
fn worth_waiting(error: &ClientError) -> Option<Duration> {
    match error {
        ClientError::Transport(_) => Some(Duration::ZERO),
        ClientError::Service {
            status,
            code,
            retry_after,
            ..
        } => {
            let passes = matches!(*status, 408 | 429 | 500..) || code == "WRONG_OFFSET";
            let wait = Duration::from_secs(retry_after.unwrap_or(0));
            (passes || code == "BROKEN_BODY").then_some(wait)
        }
        ClientError::Address(_) | ClientError::Answer(_) | ClientError::File { .. } => None,
    }
}
