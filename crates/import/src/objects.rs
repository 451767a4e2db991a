//! Rows of JSON as vendors write them: fields that may be missing, numbers that may be text.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::Columns;
use crate::json::Rows;
use crate::readings::Place;
use crate::report::RejectReason;
use crate::table::Fault;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;
/// Bytes of a document that are read at most.
const LONGEST_DOCUMENT: u64 = 1 << 26;

/// Reads the objects of a file one by one. A row that cannot be read is rejected, and so is one for which
/// the function gives a fault.
pub(crate) fn each_object(
    importer: &mut Importer<'_>,
    path: &Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    read: impl FnMut(&mut Importer<'_>, Place<'_>, &[u8]) -> Result<Result<(), Fault>, ImportError>,
) -> Result<(), ImportError> {
    let (rows, _) = Rows::open(path, known)?;
    each_row(importer, path, rows, read)
}

/// The same, for rows that are open.
pub(crate) fn each_row(
    importer: &mut Importer<'_>,
    path: &Path,
    mut rows: Rows<'_>,
    mut read: impl FnMut(&mut Importer<'_>, Place<'_>, &[u8]) -> Result<Result<(), Fault>, ImportError>,
) -> Result<(), ImportError> {
    let mut count: u64 = 0;
    while let Some(found) = rows.next()? {
        count += 1;
        if count.is_multiple_of(PROGRESS_ROWS) {
            importer.progress(path, rows.position())?;
        }
        importer.report.rows_read += 1;
        let place = Place {
            file: path,
            line: found.line,
        };
        let outcome = match found.fault {
            Some(fault) => Err(fault),
            None => read(importer, place, rows.row())?,
        };
        if let Err(fault) = outcome {
            importer.reject(place.reject(fault))?;
        }
    }
    importer.progress(path, rows.position())
}

/// A row of JSON with its type.
pub(crate) fn parsed<T: DeserializeOwned>(row: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(row).map_err(|error| {
        let message = format!(
            "not an object with the expected fields (line {}, column {} of the object)",
            error.line(),
            error.column()
        );
        (RejectReason::NotJson, message)
    })
}

/// The document of a file that is one object, however long: what has no field is passed over while it is
/// read. `None` if it was rejected.
pub(crate) fn document<T: DeserializeOwned>(
    importer: &mut Importer<'_>,
    path: &Path,
) -> Result<Option<T>, ImportError> {
    let failed = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    importer.report.rows_read += 1;
    let parsed = serde_json::from_reader(BufReader::new(file.take(LONGEST_DOCUMENT)));
    importer.progress(path, length)?;
    match parsed {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            let place = Place {
                file: path,
                line: error.line() as u64,
            };
            let message = format!("not an object as expected (column {})", error.column());
            importer.reject(place.reject((RejectReason::NotJson, message)))?;
            Ok(None)
        }
    }
}

/// A number or a text; anything else is passed over.
enum Scalar {
    Number(f64),
    Text(String),
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        struct Scalars;

        impl<'de> Visitor<'de> for Scalars {
            type Value = Scalar;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_unit<E>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }

            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value as f64))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value as f64))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
                Ok(Scalar::Number(value))
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.trim().to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Scalar, A::Error> {
                while parts.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Scalar, A::Error> {
                while parts.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }

        source.deserialize_any(Scalars)
    }
}

/// Reads a number, also one that is written as text; anything else is none.
pub(crate) fn number<'de, D: Deserializer<'de>>(source: D) -> Result<Option<f64>, D::Error> {
    let value = match Scalar::deserialize(source)? {
        Scalar::Number(value) => Some(value),
        Scalar::Text(text) => text.parse().ok(),
        Scalar::Other => None,
    };
    Ok(value.filter(|value: &f64| value.is_finite()))
}

/// Reads a text, also one that is written as a number; anything else is none.
pub(crate) fn text<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    let text = match Scalar::deserialize(source)? {
        Scalar::Text(text) => Some(text),
        Scalar::Number(value) => Some(value.to_string()),
        Scalar::Other => None,
    };
    Ok(text.filter(|text| !text.is_empty()))
}

/// Reads a part of another type as if it were missing.
pub(crate) fn or_nothing<'de, T, D>(source: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(source)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
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
        let fields: serde_json::Map<String, Value> = parsed(row)?;
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
        self.0
            .iter()
            .any(|(found, _)| crate::format::same(found, name))
    }

    /// A field, empty if it is missing. `None` and `null` are missing.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self
            .0
            .iter()
            .find(|(found, _)| crate::format::same(found, name));
        let text = found.map_or("", |(_, text)| text.as_str());
        if crate::numbers::is_not_measured(text) {
            ""
        } else {
            text
        }
    }

    /// A number, `None` if it is missing.
    pub(crate) fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        crate::numbers::number(self.text(name), name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Part {
        #[serde(deserialize_with = "number")]
        value: Option<f64>,
    }

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Row {
        #[serde(deserialize_with = "number")]
        count: Option<f64>,
        #[serde(deserialize_with = "text")]
        name: Option<String>,
        #[serde(deserialize_with = "or_nothing")]
        part: Part,
    }

    #[test]
    fn fields_of_another_type_are_missing() {
        let row: Row = parsed(br#"{"count": "7", "name": 5, "part": {"value": 2}}"#).unwrap();
        assert_eq!(
            (row.count, row.name.as_deref(), row.part.value),
            (Some(7.0), Some("5"), Some(2.0))
        );
        let row: Row = parsed(br#"{"count": [1], "name": "", "part": 3}"#).unwrap();
        assert_eq!((row.count, row.name, row.part.value), (None, None, None));
        assert!(parsed::<Row>(b"[").is_err());
    }
}
