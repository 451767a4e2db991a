//! Reading a request: path, query and body, checked against their shapes.
//!
//! What belongs to a person comes out as [`Claimed`] and opens only for a caller who may have it.

use crate::access::Claimed;
use crate::app::App;
use crate::error::ApiError;
use crate::shape::{Fault, Input, Place, faults_of, parse};
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A body of JSON.
pub(crate) struct Json<T>(pub(crate) Claimed<T>);

/// The parameters of the path.
pub(crate) struct Path<T>(pub(crate) Claimed<T>);

/// The parameters behind the question mark.
pub(crate) struct Query<T>(pub(crate) Claimed<T>);

impl<T: Input> FromRequest<Arc<App>> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, ApiError> {
        let is_json = is_json(&request);
        let bytes = read_body(request.into_body(), app.config.limits.body_bytes, app).await?;
        let at = [Place::from("body")];
        if bytes.is_empty() {
            let fault = Fault::new("missing", &at, "Field required", &Value::Null);
            return Err(ApiError::invalid(vec![fault]));
        }
        let _room = app.room_to_parse(bytes.len()).await?;
        let value = if is_json {
            parse(&bytes).map_err(|fault| ApiError::invalid(vec![fault]))?
        } else {
            Value::String(String::from_utf8_lossy(&bytes).into_owned())
        };
        if value.is_null() {
            let fault = Fault::new("missing", &at, "Field required", &Value::Null);
            return Err(ApiError::invalid(vec![fault]));
        }
        input("body", &value).map(Self)
    }
}

impl<T: Input> FromRequestParts<Arc<App>> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        // Decoded once, by the router; what is not UTF-8 after that is no id.
        let Ok(raw) = RawPathParams::from_request_parts(parts, app).await else {
            return Err(ApiError::not_found("NOT_FOUND", "Not Found"));
        };
        let fields: Map<String, Value> = raw
            .iter()
            .map(|(name, text)| (name.to_owned(), Value::from(text)))
            .collect();
        input("path", &Value::Object(fields)).map(Self)
    }
}

impl<T: Input> FromRequestParts<Arc<App>> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = axum::extract::Query::try_from_uri(&parts.uri)
            .map_or_else(|_| Vec::new(), |query| query.0);
        input("query", &from_query(T::shape(), pairs)).map(Self)
    }
}

/// Texts of a query as the values they stand for; a text that stands for none stays text and is
/// found to be wrong by its shape.
fn from_query(shape: &crate::shape::Shape, pairs: Vec<(String, String)>) -> Value {
    use crate::shape::Kind;
    let scalar = |kind: &Kind, text: String| match kind {
        Kind::Int(..) | Kind::OneOf(_) | Kind::Float(..) | Kind::Between(..) | Kind::LaxInt(..) => {
            text.parse::<i64>()
                .map(Value::from)
                .or_else(|_| text.parse::<f64>().map(Value::from))
                .unwrap_or(Value::String(text))
        }
        Kind::Bool => match text.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::String(text),
        },
        Kind::Id(_)
        | Kind::Word(_)
        | Kind::LaxFloat(..)
        | Kind::LaxBool
        | Kind::Date
        | Kind::Instant
        | Kind::InstantOrDate
        | Kind::Text(..)
        | Kind::Zone
        | Kind::List { .. }
        | Kind::Object(_)
        | Kind::Map { .. } => Value::String(text),
    };
    let mut fields = Map::new();
    for (name, text) in pairs {
        let kind = shape
            .fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| field.kind);
        match kind {
            Some(Kind::List { item, .. }) => {
                let list = fields
                    .entry(name)
                    .or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(scalar(item, text));
                }
            }
            Some(kind) => {
                fields.insert(name, scalar(&kind, text));
            }
            None => {
                fields.insert(name, Value::String(text));
            }
        }
    }
    Value::Object(fields)
}

/// Checks a value and makes the request of it.
pub(crate) fn input<T: Input>(part: &str, value: &Value) -> Result<Claimed<T>, ApiError> {
    let fields = T::shape()
        .check(value, &[part.into()])
        .map_err(ApiError::invalid)?;
    let built = T::build(fields.clone())
        .map_err(|errors| ApiError::invalid(faults_of(part, errors, &fields)))?;
    Ok(Claimed::new(built))
}

/// Whether the body says it is JSON. One that says nothing is taken for it.
fn is_json(request: &Request) -> bool {
    media_type(request).is_none_or(|kind| {
        kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
    })
}

/// The media type of a body without its parameters, in lower case.
pub(crate) fn media_type(request: &Request) -> Option<String> {
    let text = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    let kind = text.split(';').next()?.trim().to_ascii_lowercase();
    (!kind.is_empty()).then_some(kind)
}

/// A body that was read, and its share of the room there is for all of them.
pub(crate) struct ReadBody {
    bytes: Vec<u8>,
    /// Held, not used.
    room: Option<OwnedSemaphorePermit>,
}

/// The text of the body, without the byte order mark that some editors and languages put before it
/// (RFC 8259, 8.1).
impl std::ops::Deref for ReadBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let bytes = self.bytes.as_slice();
        bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
    }
}

/// A whole body, within a size and a time, and while there is room for it beside others.
pub(crate) async fn read_body(body: Body, limit: u64, app: &App) -> Result<ReadBody, ApiError> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let reading = async {
        let mut body = Limited::new(body, most);
        let mut read = ReadBody {
            bytes: Vec::new(),
            room: None,
        };
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    return ApiError::too_large(limit);
                }
                ApiError::new(
                    axum::http::StatusCode::BAD_REQUEST,
                    "BROKEN_BODY",
                    "The request body is incomplete",
                )
            })?;
            if let Some(data) = frame.data_ref() {
                // One that grows: a body may come in as many pieces as it has bytes.
                let more = app.room_for_bytes(read.bytes.len(), data.len())?;
                match (&mut read.room, more) {
                    (Some(room), Some(more)) => room.merge(more),
                    (room @ None, more) => *room = more,
                    (Some(_), None) => {}
                }
                read.bytes.extend_from_slice(data);
            }
        }
        Ok(read)
    };
    let patience = std::time::Duration::from_secs(app.config.limits.body_seconds);
    tokio::time::timeout(patience, reading)
        .await
        .unwrap_or_else(|_| Err(ApiError::timed_out()))
}
