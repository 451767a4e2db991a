//! Fields by name of JSON objects that have many shapes.

use crate::format::same;
use crate::numbers::is_not_measured;
use crate::table::Fault;
use serde_json::{Map, Value};

/// A JSON object with any fields.
pub(crate) type Object = Map<String, Value>;

/// A number, also one in a text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => crate::numbers::number(text.trim(), "").ok().flatten(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a field; empty if there is none.
pub(crate) fn text<'v>(object: &'v Object, key: &str) -> &'v str {
    object
        .get(key)
        .and_then(Value::as_str)
        .map_or("", str::trim)
}

/// The number of a field.
pub(crate) fn amount(object: &Object, key: &str) -> Option<f64> {
    object.get(key).and_then(number)
}

/// The fields of a row by name, from a table or from JSON alike: a cell may hold JSON, and an object may be
/// a field.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn new(fields: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(fields.into_iter().collect())
    }

    /// The fields of an object.
    pub(crate) fn of(row: &[u8]) -> Result<Self, Fault> {
        let fields: Object = crate::objects::parsed(row)?;
        Ok(Self::new(fields.into_iter().map(|(name, value)| {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => text.trim().to_owned(),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    other.to_string()
                }
            };
            (name, text)
        })))
    }

    /// Whether there is a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| same(found, name))
    }

    /// A field, empty if it is missing. `None` and `null` are missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(found, _)| same(found, name));
        let text = found.map_or("", |(_, text)| text.as_str());
        if is_not_measured(text) { "" } else { text }
    }

    /// A number, `None` if it is missing.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        crate::numbers::number(self.text(name), name)
    }
}
