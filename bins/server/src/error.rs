//! Error responses: the format of FastAPI with a stable code, or RFC 9457 on request. They contain no
//! internal data, and no data of a person except those of the request.

use crate::shape::{Fault, faults_of};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use vitalcast::{EngineError, ErrorKind, InvalidRequest, JobError, JobId, UploadError};

/// Seconds to wait after a failure of storage or of the token issuer.
const RETRY_DEPENDENCY: u64 = 5;

/// An error answer.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// A stable code for programs.
    pub(crate) code: String,
    pub(crate) detail: Detail,
    /// Seconds to wait before the next attempt.
    retry_after: Option<u64>,
    job_id: Option<JobId>,
    /// Number of bytes of an upload that have arrived.
    upload_offset: Option<u64>,
}

/// The error: a sentence, or a list of invalid fields.
#[derive(Debug, Clone)]
pub(crate) enum Detail {
    Text(String),
    Faults(Vec<Fault>),
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: Detail::Text(detail.into()),
            retry_after: None,
            job_id: None,
            upload_offset: None,
        }
    }

    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        Self {
            detail: Detail::Faults(faults),
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "INVALID_REQUEST", "")
        }
    }

    pub(crate) fn not_found(code: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, detail)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "UNAUTHORIZED",
            "Not authenticated: send a valid key as `Authorization: Bearer …`",
        )
    }

    pub(crate) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", detail)
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "OVERLOADED",
            "The service is overloaded: try again later",
        )
        .retry_after(1)
    }

    pub(crate) fn too_many(seconds: u64) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "RATE_LIMITED",
            "Too many requests with this key: try again later",
        )
        .retry_after(seconds.max(1))
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL",
            "Internal server error",
        )
    }

    pub(crate) fn too_large(limit: u64) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "TOO_LARGE",
            format!("The request body is larger than the limit of {limit} bytes"),
        )
    }

    pub(crate) fn broken_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "BROKEN_BODY",
            "The request body is incomplete",
        )
    }

    pub(crate) fn timed_out() -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "TIMED_OUT",
            "The request took too long to arrive",
        )
    }

    fn storage(code: &str) -> Self {
        tracing::error!(code, "storage is unavailable");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "Storage is unavailable: try again later",
        )
        .retry_after(RETRY_DEPENDENCY)
    }

    pub(crate) fn no_issuer() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "UNAVAILABLE",
            "Cannot read the public keys of the token issuer: try again later",
        )
        .retry_after(RETRY_DEPENDENCY)
    }

    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The error response to a request that waited for a failed job.
    pub(crate) fn of_job(error: &JobError, job_id: &JobId) -> Self {
        let status = match error.code.as_str() {
            "NOT_ENOUGH_DATA" | "INVALID_REQUEST" | "INVALID_DATA" | "TOO_COSTLY"
            | "TOOK_TOO_LONG" => StatusCode::UNPROCESSABLE_ENTITY,
            "UNKNOWN_USER" | "NOT_FOUND" => StatusCode::NOT_FOUND,
            "BUSY" | "JOB_CANCELLED" => StatusCode::CONFLICT,
            "UNAVAILABLE" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_DEPENDENCY);
        Self {
            job_id: Some(job_id.clone()),
            retry_after,
            ..Self::new(status, &error.code, error.detail.clone())
        }
    }

    /// The body FastAPI would send, with the code.
    fn body(&self) -> Value {
        let mut fields = Map::new();
        fields.insert(
            "detail".to_owned(),
            match &self.detail {
                Detail::Text(text) => json!(text),
                Detail::Faults(faults) => json!(faults),
            },
        );
        fields.insert("code".to_owned(), json!(self.code));
        if let Some(job_id) = &self.job_id {
            fields.insert("job_id".to_owned(), json!(job_id));
        }
        Value::Object(fields)
    }

    /// The body of RFC 9457.
    pub(crate) fn problem(&self, request_id: &str) -> Value {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let (detail, errors) = match &self.detail {
            Detail::Text(text) => (text.clone(), None),
            Detail::Faults(faults) => (
                match faults.len() {
                    1 => "1 value of the request is not valid".to_owned(),
                    count => format!("{count} values of the request are not valid"),
                },
                Some(faults),
            ),
        };
        let mut problem = json!({
            "type": "about:blank", "title": title, "status": self.status.as_u16(),
            "detail": detail, "code": self.code, "request_id": request_id,
        });
        if let Some(errors) = errors {
            problem["errors"] = json!(errors);
        }
        if let Some(job_id) = &self.job_id {
            problem["job_id"] = json!(job_id);
        }
        problem
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(received) = self.upload_offset {
            headers.insert("upload-offset", HeaderValue::from(received));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // For those who asked for the other form, see `middleware::problem_details`.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<InvalidRequest> for ApiError {
    fn from(error: InvalidRequest) -> Self {
        Self::invalid(faults_of("body", error.0, &Map::new()))
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        match &error {
            EngineError::UnknownUser { user, .. } => {
                return Self::not_found("UNKNOWN_USER", format!("User not found: {user}"));
            }
            EngineError::UnknownModel(id) => {
                return Self::not_found("UNKNOWN_MODEL", format!("Model not found: {id}"));
            }
            EngineError::UnknownJob(id) => {
                return Self::not_found("UNKNOWN_JOB", format!("Job not found: {id}"));
            }
            EngineError::UnknownKey(id) => {
                return Self::not_found("UNKNOWN_KEY", format!("Key not found: {id}"));
            }
            EngineError::NoModel {
                user,
                metric,
                wanted,
            } => {
                return Self::not_found(
                    "NO_MODEL",
                    format!("No trained model{wanted} found for user {user} and metric {metric}"),
                );
            }
            EngineError::Upload(UploadError::WrongOffset { received, .. }) => {
                return Self {
                    upload_offset: Some(*received),
                    ..Self::new(StatusCode::CONFLICT, error.code(), error.to_string())
                };
            }
            EngineError::Request(faults) => return Self::from(faults.clone()),
            EngineError::QueueFull { .. } => {
                return Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    error.code(),
                    error.to_string(),
                )
                .retry_after(10);
            }
            EngineError::JobEnded(_)
            | EngineError::BeingErased(_)
            | EngineError::NothingBefore(_)
            | EngineError::TooCostly { .. }
            | EngineError::TookTooLong(_)
            | EngineError::FolderInUse(_)
            | EngineError::NothingOnDay { .. }
            | EngineError::NothingUsable(_)
            | EngineError::ForeignArtifact { .. }
            | EngineError::Io { .. }
            | EngineError::InvalidSetting(_)
            | EngineError::NoAttention(_)
            | EngineError::NotByDay(_)
            | EngineError::Damaged(_)
            | EngineError::Interrupted
            | EngineError::Experiment(_)
            | EngineError::Upload(_)
            | EngineError::Domain(_)
            | EngineError::Store(_)
            | EngineError::Import(_)
            | EngineError::Features(_)
            | EngineError::Artifact(_)
            | EngineError::Training(_)
            | EngineError::Inference(_)
            | EngineError::Evaluation(_) => {}
        }
        if error.names_files() {
            return match error.kind() {
                ErrorKind::Busy | ErrorKind::Unavailable => Self::storage(error.code()),
                ErrorKind::NotFound
                | ErrorKind::InvalidRequest
                | ErrorKind::InvalidData
                | ErrorKind::Damaged
                | ErrorKind::NotEnoughData
                | ErrorKind::Interrupted
                | ErrorKind::Internal => {
                    tracing::error!(code = error.code(), "an internal error");
                    Self::internal()
                }
            };
        }
        match error.kind() {
            ErrorKind::NotFound => Self::not_found(error.code(), error.to_string()),
            ErrorKind::InvalidRequest | ErrorKind::NotEnoughData => {
                Self::new(unprocessable, error.code(), error.to_string())
            }
            ErrorKind::Busy => Self::new(StatusCode::CONFLICT, error.code(), error.to_string()),
            ErrorKind::Unavailable => Self::storage(error.code()),
            // What is stored is damaged, or we are: the text may name files.
            ErrorKind::InvalidData
            | ErrorKind::Damaged
            | ErrorKind::Interrupted
            | ErrorKind::Internal => {
                tracing::error!(code = error.code(), "an internal error");
                Self::internal()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast::StoreError;

    #[test]
    fn no_answer_names_a_file_of_this_machine() {
        let path: std::path::PathBuf = "/var/lib/somewhere/vitalcast.db".into();
        let io = |kind: std::io::ErrorKind| EngineError::Io {
            doing: "read",
            path: path.clone(),
            source: kind.into(),
        };
        for (error, status) in [
            (
                EngineError::from(StoreError::Busy { path: path.clone() }),
                503,
            ),
            (io(std::io::ErrorKind::PermissionDenied), 503),
            (io(std::io::ErrorKind::NotFound), 500),
            (EngineError::from(StoreError::NoSuchUser), 404),
            (EngineError::Damaged("the request of job 7".to_owned()), 500),
        ] {
            let answer = ApiError::from(error);
            assert_eq!(answer.status.as_u16(), status);
            let told = answer.problem("id").to_string();
            assert!(!told.contains("somewhere"), "{told}");
            assert_eq!(answer.retry_after.is_some(), status == 503);
        }
    }
}
