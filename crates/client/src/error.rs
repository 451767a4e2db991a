//! Errors of the client.

use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;
use std::path::PathBuf;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Errors of the client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// An invalid URL of the service.
    #[error("{0:?} is not a URL, expected for example https://forecasts.example")]
    Address(String),
    /// The service cannot be reached, or the connection broke.
    #[error("cannot reach the service")]
    Transport(#[source] Cause),
    /// The service returned an error.
    #[error("{status}: {detail} ({code})")]
    Service {
        /// The HTTP status.
        status: u16,
        /// A stable code for programs.
        code: String,
        /// The error in a sentence.
        detail: String,
        /// The invalid values; empty for other errors.
        faults: Vec<Fault>,
        /// Seconds to wait before the next attempt.
        retry_after: Option<u64>,
    },
    /// A file to upload cannot be read.
    #[error("cannot read {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// An unexpected response.
    #[error("cannot read the response")]
    Answer(#[source] Cause),
}

/// An invalid value.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Fault {
    /// A stable error type, as in pydantic.
    #[serde(rename = "type")]
    pub kind: String,
    /// Location: `body`, `query` or `path`, then field names and list indexes.
    pub loc: Vec<Place>,
    /// What was expected.
    pub msg: String,
}

/// A part of a location: a field name or a list index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Place {
    /// The name of a field.
    Name(String),
    /// A place in a list, from 0.
    Index(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => formatter.write_str(name),
            Self::Index(index) => index.fmt(formatter),
        }
    }
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(Box::new(error))
    }
}

impl From<serde_json::Error> for ClientError {
    fn from(error: serde_json::Error) -> Self {
        Self::Answer(Box::new(error))
    }
}

impl ClientError {
    /// The code of an error response.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service { code, .. } => Some(code),
            Self::Address(_) | Self::Transport(_) | Self::Answer(_) | Self::File { .. } => None,
        }
    }
}

/// Parses the error of an error response.
pub(crate) async fn of(response: Response) -> ClientError {
    #[derive(Deserialize)]
    struct Body {
        detail: Value,
        #[serde(default)]
        code: String,
    }
    let status = response.status();
    let retry_after = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|text| text.to_str().ok())
        .and_then(|text| text.parse().ok());
    let body: Body = match response.json().await {
        Ok(body) => body,
        // Something in between answered.
        Err(_) => Body {
            detail: Value::from(status.canonical_reason().unwrap_or("error")),
            code: String::new(),
        },
    };
    let faults: Vec<Fault> = body
        .detail
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|item| Fault::deserialize(item).ok())
        .collect();
    let detail = match body.detail.as_str() {
        Some(text) => text.to_owned(),
        None => faults
            .iter()
            .map(|fault| {
                let loc: Vec<String> = fault.loc.iter().map(Place::to_string).collect();
                format!("{}: {}", loc.join("."), fault.msg)
            })
            .collect::<Vec<_>>()
            .join("; "),
    };
    ClientError::Service {
        status: status.as_u16(),
        code: body.code,
        detail,
        faults,
        retry_after,
    }
}
