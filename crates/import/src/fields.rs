//! Fields by name of JSON objects that have many shapes.

use crate::format::same;
use crate::numbers::{Marks, cell, is_not_measured};
use crate::table::{Fault, Row};
use serde_json::{Map, Value};

/// A JSON object with any fields.
pub(crate) type Object = Map<String, Value>;

/// A number, also one in a text; `None` for `null` and words such as `n/a`.
///
/// # Errors
///
/// A fault for everything else: it was measured, and cannot be read.
pub(crate) fn number(value: &Value, name: &str) -> Result<Option<f64>, Fault> {
    match value {
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) => crate::numbers::number(text.trim(), name),
        Value::Null => Ok(None),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(crate::numbers::bad(name)),
    }
}

/// The text of a field; empty if there is none.
pub(crate) fn text<'v>(object: &'v Object, key: &str) -> &'v str {
    object
        .get(key)
        .and_then(Value::as_str)
        .map_or("", str::trim)
}

/// The number of a field; `None` if there is none.
///
/// # Errors
///
/// As [`number`].
pub(crate) fn amount(object: &Object, key: &str) -> Result<Option<f64>, Fault> {
    object.get(key).map_or(Ok(None), |value| number(value, key))
}

/// The fields of a row by name, from a table or from JSON alike: a cell may hold JSON, and an object may be
/// a field.
pub(crate) struct Fields(Vec<Field>);

struct Field {
    name: String,
    text: String,
    /// What dots and commas mean in it.
    marks: Marks,
}

impl Fields {
    /// The fields of a row of a table with these columns.
    pub(crate) fn of_row(row: &Row<'_>, names: &[String]) -> Self {
        let field = |(column, name): (usize, &String)| Field {
            name: name.clone(),
            text: row.text(Some(column)).to_owned(),
            marks: row.marks(column),
        };
        Self(names.iter().enumerate().map(field).collect())
    }

    /// The fields of the text of an object.
    pub(crate) fn of(row: &[u8]) -> Result<Self, Fault> {
        Ok(Self::of_object(&crate::objects::parsed(row)?))
    }

    /// The fields of an object.
    pub(crate) fn of_object(object: &Object) -> Self {
        let field = |(name, value): (&String, &Value)| Field {
            name: name.clone(),
            text: match value {
                Value::Null => String::new(),
                Value::String(text) => text.trim().to_owned(),
                other
                @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                    other.to_string()
                }
            },
            marks: Marks::default(),
        };
        Self(object.iter().map(field).collect())
    }

    fn find(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| same(&field.name, name))
    }

    /// Whether there is a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// A field, empty if it is missing. `None` and `null` are missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        let text = self.find(name).map_or("", |field| field.text.as_str());
        if is_not_measured(text) { "" } else { text }
    }

    /// A number, `None` if it is missing.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        match self.find(name) {
            Some(field) => cell(&field.text, name, field.marks)?.number(name),
            None => Ok(None),
        }
    }
}
