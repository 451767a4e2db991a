//! Jobs: uploads of files to import, and the state of trainings and imports.

use super::{JobPath, UserPath};
use crate::access::{Caller, Impersonal};
use crate::app::App;
use crate::document::File;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::shape::{Fault, Field, Kind, default, optional, shaped};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use http_body_util::BodyExt;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;
use vitalcast::{
    EngineError, Format, ImportUpload, JobEvent, JobId, JobInfo, JobKind, JobList, JobWatch, Scope,
    UserId, Zone,
};

/// A file that is being uploaded; it is deleted on drop unless a job takes it over.
struct Upload(PathBuf);

impl Drop for Upload {
    fn drop(&mut self) {
        // Moved away by then, or not wanted.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The format of a file.
pub(super) const FORMAT: Field = optional(
    "format",
    Kind::Word(Format::WORDS),
    "Format of the file; detected from the content when not given",
);

/// The time zone of a file.
pub(super) const ZONE: Field = optional(
    "zone",
    Kind::Zone,
    "IANA time zone of the times in the file; each format has a default",
);

/// The format with a name, if one was given.
pub(super) fn format_named(name: Option<&str>) -> Result<Option<Format>, ApiError> {
    let format = name.map(str::parse).transpose();
    format.map_err(|error| ApiError::from(EngineError::from(error)))
}

/// Options for reading a file.
#[derive(Debug, Deserialize)]
pub(super) struct ImportQuery {
    name: String,
    format: Option<String>,
    zone: Option<Zone>,
}

impl Impersonal for ImportQuery {}

shaped!(
    ImportQuery,
    "ImportQuery",
    ClosedQuery,
    &[
        default(
            "name",
            Kind::Text(1, 200),
            "\"export.csv\"",
            "Name of the file; its extension decides between CSV and JSON lines"
        ),
        FORMAT,
        ZONE,
    ]
);

/// Options for reading what an app posts.
#[derive(Debug, Deserialize)]
pub(super) struct PostQuery {
    zone: Option<Zone>,
}

impl Impersonal for PostQuery {}

shaped!(PostQuery, "PostQuery", ClosedQuery, &[ZONE]);

/// Import a file of records.
///
/// The body is the file itself. The response is sent when the upload is complete; the job shows the
/// progress and the number of imported and rejected rows. Importing a file again changes nothing.
#[utoipa::path(post, operation_id = "import_file", path = "/api/users/{user_id}/imports", tag = "jobs",
    params(UserPath, ImportQuery),
    request_body(content = File, content_type = "application/octet-stream", description = "The file"),
    responses((status = 202, description = "Accepted", body = JobInfo,
        headers(("Location" = String, description = "URL of the job")))),
    security(("key" = ["ingest"])))]
pub(super) async fn import(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let user_id = caller.open(path, Scope::Ingest)?.user_id;
    let query = query.take();
    let format = format_named(query.format.as_deref())?;
    let id = JobId::from_random(super::predictions::random()?);
    let upload = receive(&app, request.into_body(), &id).await?;
    let names = (query.name, format, query.zone);
    queue(&app, user_id, upload, names, false, id).await
}

/// Import what the app Health Auto Export posts.
///
/// Set this address in the app as the URL of a REST API automation, with an `Authorization` header. The body
/// is what the app sends; the job shows the number of imported and rejected rows. Hours that the app sends
/// again replace those that it sent before.
#[utoipa::path(post, operation_id = "ingest_health_auto_export",
    path = "/api/users/{user_id}/ingest/health-auto-export", tag = "jobs",
    params(UserPath, PostQuery),
    request_body(content = File, content_type = "application/octet-stream", description = "The app's JSON"),
    responses((status = 202, description = "Accepted", body = JobInfo,
        headers(("Location" = String, description = "URL of the job")))),
    security(("key" = ["ingest"])))]
pub(super) async fn health_auto_export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<PostQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let user_id = caller.open(path, Scope::Ingest)?.user_id;
    let zone = query.take().zone;
    let id = JobId::from_random(super::predictions::random()?);
    let upload = receive(&app, request.into_body(), &id).await?;
    let name = "health-auto-export.json".to_owned();
    let format = Some(Format::HEALTH_AUTO_EXPORT);
    queue(&app, user_id, upload, (name, format, zone), true, id).await
}

/// Queues the import of an upload.
async fn queue(
    app: &Arc<App>,
    user_id: UserId,
    upload: Upload,
    (name, format, zone): (String, Option<Format>, Option<Zone>),
    is_one_of_many: bool,
    id: JobId,
) -> Result<Response, ApiError> {
    let job = app
        .with_jobs(move |jobs| {
            let upload = ImportUpload {
                user_id,
                file: upload.0.clone(),
                name,
                format,
                zone,
                is_one_of_many,
            };
            jobs.import(upload, id)
        })
        .await?;
    Ok(super::predictions::accepted(job))
}

/// Writes a body to a file in the data folder, within the limits of size and time.
async fn receive(app: &App, mut body: Body, id: &JobId) -> Result<Upload, ApiError> {
    let limits = &app.config.limits;
    let path = app.engine.uploads().join(format!("{id}.part"));
    let failed = |source| {
        ApiError::from(EngineError::Io {
            doing: "keep an upload in",
            path: app.engine.uploads(),
            source,
        })
    };
    let upload = Upload(path);
    let mut file = tokio::fs::File::create(&upload.0).await.map_err(failed)?;
    let mut length = 0;
    let receiving = async {
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::broken_body())?;
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            length += bytes.len() as u64;
            if length > limits.upload_bytes {
                return Err(ApiError::too_large(limits.upload_bytes));
            }
            file.write_all(&bytes).await.map_err(failed)?;
        }
        file.sync_all().await.map_err(failed)
    };
    let patience = Duration::from_secs(limits.upload_seconds);
    tokio::time::timeout(patience, receiving)
        .await
        .map_err(|_| ApiError::timed_out())??;
    if length == 0 {
        let fault = Fault::new("missing", &["body".into()], "Field required", &Value::Null);
        return Err(ApiError::invalid(vec![fault]));
    }
    Ok(upload)
}

/// The number of jobs to list.
#[derive(Debug, Deserialize)]
pub(super) struct JobsQuery {
    limit: u32,
}

impl Impersonal for JobsQuery {}

shaped!(
    JobsQuery,
    "JobsQuery",
    ClosedQuery,
    &[default(
        "limit",
        Kind::Int(1, 1_000),
        "50",
        "Maximum number of jobs, newest first"
    )]
);

/// List the newest jobs of a person: imports and trainings.
#[utoipa::path(get, operation_id = "list_jobs", path = "/api/users/{user_id}/jobs", tag = "jobs", params(UserPath, JobsQuery),
    responses((status = 200, description = "The jobs", body = JobList)),
    security(("key" = ["read"])))]
pub(super) async fn of_user(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<JobsQuery>,
) -> Result<axum::Json<JobList>, ApiError> {
    let user_id = caller.open(path, Scope::Read)?.user_id;
    let limit = query.take().limit;
    let jobs = app.with_jobs(move |jobs| jobs.jobs_of(&user_id, limit));
    Ok(axum::Json(jobs.await?))
}

/// A job, if the caller has access to the data of its owner.
async fn reachable(
    app: &Arc<App>,
    caller: &Caller,
    id: JobId,
    scope: impl Fn(JobKind) -> Scope,
) -> Result<JobInfo, ApiError> {
    let asked = id.clone();
    let job = app.with_jobs(move |jobs| jobs.job(&asked)).await?;
    if !caller.reaches(&job.user_id) {
        return Err(EngineError::UnknownJob(id).into());
    }
    caller.check_scope(scope(job.kind))?;
    Ok(job)
}

/// Get the state and progress of a job.
#[utoipa::path(get, operation_id = "get_job", path = "/api/jobs/{job_id}", tag = "jobs", params(JobPath),
    responses((status = 200, description = "The job", body = JobInfo)),
    security(("key" = ["read"])))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<JobPath>,
) -> Result<axum::Json<JobInfo>, ApiError> {
    let id = path.take().job_id;
    reachable(&app, &caller, id, |_| Scope::Read)
        .await
        .map(axum::Json)
}

/// Cancel a job. A queued job ends immediately, a running job at its next safe point. A cancelled
/// training stores nothing; a cancelled import keeps the records imported so far. For an import, the
/// scope `ingest` is needed instead.
#[utoipa::path(delete, operation_id = "cancel_job", path = "/api/jobs/{job_id}", tag = "jobs", params(JobPath),
    responses((status = 200, description = "The job", body = JobInfo)),
    security(("key" = ["train"])))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<JobPath>,
) -> Result<axum::Json<JobInfo>, ApiError> {
    let id = path.take().job_id;
    let scope = |kind| match kind {
        JobKind::Train | JobKind::Tune => Scope::Train,
        JobKind::Import => Scope::Ingest,
    };
    reachable(&app, &caller, id.clone(), scope).await?;
    let job = app.with_jobs(move |jobs| jobs.cancel(&id)).await?;
    Ok(axum::Json(job))
}

/// An event of the stream.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct JobEventText {
    /// Number of the event, counted from 1.
    id: String,
    /// Always `job`.
    event: String,
    /// State of the job at the time of the event, as JSON.
    data: String,
}

/// Follow a job as server-sent events.
///
/// Each event contains the state of the job at its time. `id` numbers the events, and `Last-Event-ID`
/// continues after the given event. The stream ends with the job, or when the service stops. A request
/// with the id of the last event of a finished job gets 204, which tells an `EventSource` to stop
/// reconnecting.
#[utoipa::path(get, operation_id = "job_events", path = "/api/jobs/{job_id}/events", tag = "jobs", params(JobPath),
    responses(
        (status = 200, description = "Events named `job`",
            body = JobEventText, content_type = "text/event-stream"),
        (status = 204, description = "The job has ended, and `Last-Event-ID` is its last event"),
    ),
    security(("key" = ["read"])))]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<JobPath>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id = path.take().job_id;
    let job = reachable(&app, &caller, id.clone(), |_| Scope::Read).await?;
    let seen = headers
        .get("last-event-id")
        .and_then(|text| text.to_str().ok())
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let mut watch = app.jobs.watch(&id);
    if job.state.is_final() {
        let is_over = match &mut watch {
            // All that comes is there already.
            Some(watch) => watch.after(seen).await.is_empty(),
            None => seen == END,
        };
        if is_over {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
    }
    // A service that stops does not wait for the job; whoever watches comes back with the last id.
    let mut draining = app.draining.subscribe();
    let stops = async move {
        let _ = draining.wait_for(|draining| *draining).await;
    };
    let events = follow(watch, job, seen).take_until(stops);
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

/// The event id of the end of a job whose earlier events are no longer in memory: the largest safe
/// integer of JavaScript.
const END: u64 = (1 << 53) - 1;

enum Following {
    Live(JobWatch, u64, Vec<JobEvent>),
    /// Only the end of the job is known.
    Ended(Box<JobInfo>),
    Done,
}

fn follow(
    watch: Option<JobWatch>,
    job: JobInfo,
    seen: u64,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let begin = match watch {
        Some(watch) => Following::Live(watch, seen, Vec::new()),
        None => Following::Ended(Box::new(job)),
    };
    stream::unfold(begin, |state| async {
        match state {
            Following::Done => None,
            Following::Ended(job) => {
                let event = event(END, &job);
                Some((Ok(event), Following::Done))
            }
            Following::Live(mut watch, seen, mut ready) => {
                if ready.is_empty() {
                    ready = watch.after(seen).await;
                    ready.reverse();
                }
                let next = ready.pop()?;
                let event = event(next.number, &next.job);
                Some((Ok(event), Following::Live(watch, next.number, ready)))
            }
        }
    })
}

fn event(number: u64, job: &JobInfo) -> Event {
    let data = serde_json::to_string(job).expect("jobs are plain values");
    Event::default()
        .event("job")
        .id(number.to_string())
        .data(data)
}
