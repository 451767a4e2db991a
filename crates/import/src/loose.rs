//! Typed fields of JSON objects that are numbers in some exports and texts in others.
//!
//! A field of another kind counts as missing. Use with `#[serde(default, deserialize_with = "…")]`.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt::Formatter;

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
        Scalar::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
    })
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
            (r#"{"value": " 7.5 ", "id": " a "}"#, Some(7.5), Some("a")),
            (r#"{"value": null, "id": {"x": [1]}}"#, None, None),
            (r#"{"value": "NaN", "id": true}"#, None, Some("true")),
            (r"{}", None, None),
        ] {
            let row: Row = serde_json::from_str(json).unwrap();
            assert_eq!((row.value, row.id.as_deref()), (value, id), "{json}");
        }
    }

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Part {
        #[serde(deserialize_with = "number")]
        value: Option<f64>,
    }

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Outer {
        #[serde(deserialize_with = "number")]
        count: Option<f64>,
        #[serde(deserialize_with = "text")]
        name: Option<String>,
        #[serde(deserialize_with = "or_nothing")]
        part: Part,
    }

    #[test]
    fn fields_of_another_type_are_missing() {
        let row: Outer =
            serde_json::from_slice(br#"{"count": "7", "name": 5, "part": {"value": 2}}"#).unwrap();
        assert_eq!(
            (row.count, row.name.as_deref(), row.part.value),
            (Some(7.0), Some("5"), Some(2.0))
        );
        let row: Outer =
            serde_json::from_slice(br#"{"count": [1], "name": "", "part": 3}"#).unwrap();
        assert_eq!((row.count, row.name, row.part.value), (None, None, None));
    }
}
