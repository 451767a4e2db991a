//! Uploads in parts, for files of several gigabytes: what has arrived stays when a connection is cut.

use super::jobs::{FORMAT, ZONE, format_named};
use super::{JOB_ID, USER_ID, UserPath};
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::document::File;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::shape::{Fault, Kind, default, required, shaped};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use vitalcast::{
    EngineError, JobId, JobInfo, NewUpload, Scope, UploadInfo, UploadPart, UserId, Zone,
};

/// Number of bytes that have arrived.
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
/// Number of bytes of the whole file.
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
/// Bytes that are written at once.
const AT_ONCE: usize = 1 << 20;

/// An upload of a person in a path.
#[derive(Debug, Deserialize)]
pub(super) struct UploadPath {
    user_id: UserId,
    upload_id: JobId,
}

impl OfUser for UploadPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    UploadPath,
    "UploadPath",
    Path,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("upload_id", JOB_ID, "Id of the upload"),
    ]
);

/// A file that will come.
#[derive(Debug, Deserialize)]
pub(super) struct UploadQuery {
    name: String,
    length: u64,
    format: Option<String>,
    zone: Option<Zone>,
}

impl Impersonal for UploadQuery {}

shaped!(
    UploadQuery,
    "UploadQuery",
    ClosedQuery,
    &[
        required(
            "length",
            Kind::Int(1, 1 << 50),
            "Number of bytes of the whole file"
        ),
        default(
            "name",
            Kind::Text(1, 200),
            "\"export.zip\"",
            "Name of the file; its extension decides between CSV and JSON lines"
        ),
        FORMAT,
        ZONE,
    ]
);

/// Begin an upload in parts.
///
/// The file comes in any number of requests to the address in `Location`. When its last byte is there, the
/// import begins, as a job with the id of the upload.
#[utoipa::path(post, operation_id = "begin_upload", path = "/api/users/{user_id}/uploads", tag = "jobs",
    params(UserPath, UploadQuery),
    responses((status = 201, description = "Begun", body = UploadInfo,
        headers(("Location" = String, description = "URL of the upload"),
                ("Upload-Offset" = u64, description = "Where the first part begins: 0")))),
    security(("key" = ["ingest"])))]
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<UploadQuery>,
) -> Result<Response, ApiError> {
    let user_id = caller.open(path, Scope::Ingest)?.user_id;
    let query = query.take();
    let limit = app.config.limits.upload_bytes;
    if query.length > limit {
        return Err(ApiError::too_large(limit));
    }
    let format = format_named(query.format.as_deref())?;
    let new = NewUpload {
        user_id,
        name: query.name,
        format,
        zone: query.zone,
        length: query.length,
    };
    let id = JobId::from_random(super::predictions::random()?);
    let begun = app
        .with_jobs(move |jobs| jobs.begin_upload(new, &id))
        .await?;
    let location = format!("/api/users/{}/uploads/{}", begun.user_id, begun.upload_id);
    let location = [(header::LOCATION, location)];
    Ok((StatusCode::CREATED, location, answer(begun)).into_response())
}

/// Get how far an upload is: where the next part begins. `HEAD` gives the same in the header `Upload-Offset`.
#[utoipa::path(get, operation_id = "get_upload", path = "/api/users/{user_id}/uploads/{upload_id}", tag = "jobs",
    params(UploadPath),
    responses((status = 200, description = "The upload", body = UploadInfo,
        headers(("Upload-Offset" = u64, description = "Where the next part begins")))),
    security(("key" = ["ingest"])))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UploadPath>,
) -> Result<Response, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    let info = app
        .with_jobs(move |jobs| jobs.upload(&path.user_id, &path.upload_id))
        .await?;
    Ok(answer(info))
}

/// Send the next part of an upload.
///
/// The body is the part, of any size; `Upload-Offset` is the number of bytes before it. If the connection is
/// cut, what has arrived stays: ask how far the upload is and go on there. The last part is answered with the
/// job of the import, and so is an empty one after it. Of two that send parts, the later one goes on.
#[utoipa::path(patch, operation_id = "append_to_upload", path = "/api/users/{user_id}/uploads/{upload_id}",
    tag = "jobs",
    params(UploadPath, ("Upload-Offset" = u64, Header, description = "Number of bytes before this part")),
    request_body(content = File, content_type = "application/octet-stream", description = "The part"),
    responses(
        (status = 200, description = "The part has arrived, and more are to come", body = UploadInfo,
            headers(("Upload-Offset" = u64, description = "Where the next part begins"))),
        (status = 202, description = "All parts have arrived: the job of the import", body = JobInfo,
            headers(("Location" = String, description = "URL of the job")))),
    security(("key" = ["ingest"])))]
pub(super) async fn append(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UploadPath>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    let (user, id) = (path.user_id, path.upload_id);
    let offset = offset_in(&headers)?;
    let (of, which) = (user.clone(), id.clone());
    let part = app
        .with_jobs(move |jobs| jobs.append_to_upload(&of, &which, offset))
        .await?;
    // A task of its own goes on when the connection is cut and this is dropped: what has arrived counts,
    // however the part ends.
    let ending = Arc::clone(&app);
    let task = tokio::spawn(async move {
        let patience = Duration::from_secs(ending.config.limits.upload_seconds);
        let receiving = tokio::time::timeout(patience, receive(part, request.into_body()));
        let received = receiving
            .await
            .unwrap_or_else(|_| Err(ApiError::timed_out()));
        let ended = ending.with_jobs(move |jobs| jobs.end_of_part(&user, &id));
        let ended = ended.await;
        received.and(ended)
    });
    Ok(match task.await.map_err(|_| ApiError::internal())?? {
        (_, Some(job)) => super::predictions::accepted(job),
        (info, None) => answer(info),
    })
}

/// Cancel an upload. What has arrived is removed. A complete upload is a job, which can be cancelled.
#[utoipa::path(delete, operation_id = "cancel_upload", path = "/api/users/{user_id}/uploads/{upload_id}",
    tag = "jobs", params(UploadPath),
    responses((status = 204, description = "Cancelled")),
    security(("key" = ["ingest"])))]
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UploadPath>,
) -> Result<StatusCode, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    app.with_jobs(move |jobs| jobs.cancel_upload(&path.user_id, &path.upload_id))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How far an upload is, as a body and in headers.
fn answer(info: UploadInfo) -> Response {
    let headers = [
        (OFFSET, HeaderValue::from(info.received)),
        (LENGTH, HeaderValue::from(info.length)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, axum::Json(info)).into_response()
}

fn offset_in(headers: &HeaderMap) -> Result<u64, ApiError> {
    let given = headers.get(OFFSET).and_then(|value| value.to_str().ok());
    given.and_then(|text| text.parse().ok()).ok_or_else(|| {
        let expected = "Input should be the number of bytes before this part";
        let given = given.map_or(Value::Null, Value::from);
        ApiError::invalid(vec![Fault::new(
            "int_parsing",
            &["header".into(), "Upload-Offset".into()],
            expected,
            &given,
        )])
    })
}

/// Writes what arrives; what has been read before the connection breaks is written too.
async fn receive(mut part: UploadPart, mut body: Body) -> Result<(), ApiError> {
    let mut waiting: Vec<u8> = Vec::new();
    loop {
        let frame = body.frame().await;
        let broken = matches!(frame, Some(Err(_)));
        let is_over = frame.is_none() || broken;
        if let Some(Ok(frame)) = frame
            && let Ok(bytes) = frame.into_data()
        {
            waiting.extend_from_slice(&bytes);
        }
        if waiting.len() >= AT_ONCE || is_over {
            let bytes = std::mem::take(&mut waiting);
            part = written(part, bytes, is_over).await?;
        }
        if broken {
            return Err(ApiError::broken_body());
        }
        if is_over {
            return Ok(());
        }
    }
}

/// Writes bytes on a thread that may block.
async fn written(
    mut part: UploadPart,
    bytes: Vec<u8>,
    is_last: bool,
) -> Result<UploadPart, ApiError> {
    let writing = tokio::task::spawn_blocking(move || {
        part.write(&bytes)?;
        if is_last {
            part.flush()?;
        }
        Ok::<_, EngineError>(part)
    });
    let done = writing.await.map_err(|_| ApiError::internal())?;
    done.map_err(ApiError::from)
}
