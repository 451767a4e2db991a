//! The objects of a JSON file as typed rows, with fields that are numbers in some exports and texts in
//! others.
//!
//! A field of another kind counts as missing. Use with `#[serde(default, deserialize_with = "…")]`.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::Columns;
use crate::json::Rows;
use crate::readings::Place;
use crate::report::RejectReason;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt::Formatter;
use std::path::Path;

/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;

/// Passes each object of a file on. One that does not fit is rejected, and reading goes on.
pub(crate) fn each_object<'p, T: DeserializeOwned>(
    importer: &mut Importer<'_>,
    path: &'p Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    mut take: impl FnMut(&mut Importer<'_>, Place<'p>, T) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let (mut rows, _) = Rows::open(path, known)?;
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
        let parsed = match found.fault {
            Some(fault) => Err(fault),
            None => serde_json::from_slice(rows.row()).map_err(|error| {
                let message = format!("not a row of this export (column {})", error.column());
                (RejectReason::NotJson, message)
            }),
        };
        match parsed {
            Ok(row) => take(importer, place, row)?,
            Err(fault) => importer.reject(place.reject(fault))?,
        }
    }
    importer.progress(path, rows.position())
}

/// A number, also as a text.
pub(crate) fn number<'de, D: Deserializer<'de>>(field: D) -> Result<Option<f64>, D::Error> {
    Ok(match field.deserialize_any(Any)? {
        Scalar::None => None,
        Scalar::Whole(number) => Some(number as f64),
        Scalar::Number(number) => Some(number),
        Scalar::Text(text) => text.trim().parse().ok(),
    }
    .filter(|number: &f64| number.is_finite()))
}

/// A text, also of a number or a word such as `true`.
pub(crate) fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    Ok(match field.deserialize_any(Any)? {
        Scalar::None => None,
        Scalar::Whole(number) => Some(number.to_string()),
        Scalar::Number(number) => Some(number.to_string()),
        Scalar::Text(text) => Some(text).filter(|text| !text.trim().is_empty()),
    })
}

enum Scalar {
    None,
    Whole(i128),
    Number(f64),
    Text(String),
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Scalar;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "number")]
        value: Option<f64>,
        #[serde(default, deserialize_with = "text")]
        id: Option<String>,
    }

    #[test]
    fn numbers_and_texts_are_both_read() {
        for (json, value, id) in [
            (
                r#"{"value": 7, "id": 26589710670}"#,
                Some(7.0),
                Some("26589710670"),
            ),
            (r#"{"value": " 7.5 ", "id": "a"}"#, Some(7.5), Some("a")),
            (r#"{"value": null, "id": {"x": [1]}}"#, None, None),
            (r#"{"value": "NaN", "id": true}"#, None, Some("true")),
            (r"{}", None, None),
        ] {
            let row: Row = serde_json::from_str(json).unwrap();
            assert_eq!((row.value, row.id.as_deref()), (value, id), "{json}");
        }
    }
}
