//! Validation errors of requests, in the format of pydantic.

use serde::Serialize;
use serde_json::{Map, Value, json};
use vitalcast::FieldError;

/// A step on the way to a value: a name, or a place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Place {
    Name(String),
    Index(usize),
}

impl From<&str> for Place {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<usize> for Place {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A validation error.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Fault {
    /// A stable word.
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    /// Where: `body`, `query` or `path`, then names and places in lists.
    pub(crate) loc: Vec<Place>,
    /// What was expected.
    pub(crate) msg: String,
    /// What was given. It goes to the one who gave it and nowhere else.
    pub(crate) input: Value,
    /// The numbers and words of the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ctx: Option<Value>,
}

impl Fault {
    pub(crate) fn new(
        kind: &'static str,
        loc: &[Place],
        msg: impl Into<String>,
        input: &Value,
    ) -> Self {
        Self {
            kind,
            loc: loc.to_vec(),
            msg: msg.into(),
            input: shortened(input),
            ctx: None,
        }
    }

    pub(crate) fn with(mut self, ctx: Value) -> Self {
        self.ctx = Some(ctx);
        self
    }

    /// A value that fits by itself, but not what it is for.
    pub(crate) fn value(loc: &[Place], message: &str, input: &Value) -> Self {
        Self::new("value_error", loc, format!("Value error, {message}"), input)
            .with(json!({"error": message}))
    }
}

/// Fields that fit by themselves, but not together.
pub(crate) fn faults_of(
    part: &str,
    errors: Vec<FieldError>,
    fields: &Map<String, Value>,
) -> Vec<Fault> {
    errors
        .into_iter()
        .map(|error| {
            let mut loc = vec![Place::from(part)];
            if !error.field.is_empty() {
                loc.push(error.field.into());
            }
            let given = fields.get(error.field).unwrap_or(&Value::Null);
            let message = if error.field.is_empty() {
                error.message
            } else {
                format!("{} {}", error.field, error.message)
            };
            Fault::value(&loc, &message, given)
        })
        .collect()
}

/// Longest text and list that is given back.
const MAX_ECHO: usize = 1_000;

/// What was given, cut where it is long, so that an answer is never much larger than a page.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > MAX_ECHO => {
            Value::String(text.chars().take(MAX_ECHO).chain(['…']).collect())
        }
        Value::Array(_) | Value::Object(_) if value.to_string().len() > 10 * MAX_ECHO => {
            json!("… (too long to repeat here)")
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => value.clone(),
    }
}
