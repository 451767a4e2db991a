//! Why a request was not answered as hoped.

use reqwest::Response;
use serde::Deserialize;
use serde_json::Value;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request was not answered as hoped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No address of a service.
    #[error("{0:?} is not a URL, expected for example https://forecasts.example")]
    Address(String),
    /// The service could not be reached, or broke off.
    #[error("cannot reach the service")]
    Transport(#[source] Cause),
    /// The service refused.
    #[error("{status}: {detail} ({code})")]
    Service {
        /// The HTTP status.
        status: u16,
        /// A stable word for programs.
        code: String,
        /// What is wrong, in a sentence.
        detail: String,
        /// What is wrong, value by value; empty unless values were.
        faults: Vec<Fault>,
        /// Seconds after which trying again makes sense.
        retry_after: Option<u64>,
    },
    /// An answer that is not what the service promises.
    #[error("cannot read the response")]
    Answer(#[source] Cause),
}

/// A value that was refused.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Fault {
    /// A stable word, as pydantic's.
    #[serde(rename = "type")]
    pub kind: String,
    /// Where: `body`, `query` or `path`, then names and places in lists.
    pub loc: Vec<Place>,
    /// What was expected.
    pub msg: String,
}

/// A step on the way to a value: the name of a field, or a place in a list.
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
    /// The stable word of a refusal.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service { code, .. } => Some(code),
            Self::Address(_) | Self::Transport(_) | Self::Answer(_) => None,
        }
    }
}

/// The error in an answer that is one.
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
