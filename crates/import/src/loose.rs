//! Typed fields of JSON objects that are numbers in some exports and texts in others.
//!
//! A field of another kind counts as missing. A text that should be a number and is none was measured and
//! cannot be read: its object is refused. Use with `#[serde(default, deserialize_with = "…")]`.

use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt::Formatter;

/// What an error says of a text that should be a number.
const NO_NUMBER: &str = "a text that is no number";

/// Whether an object could not be read for a text in the place of a number.
pub(crate) fn is_no_number(error: &serde_json::Error) -> bool {
    error.is_data() && error.to_string().starts_with(NO_NUMBER)
}

/// A number, also as a text.
pub(crate) fn number<'de, D: Deserializer<'de>>(field: D) -> Result<Option<f64>, D::Error> {
    let number = field.deserialize_any(Told(|told: Scalar<'_>| match told {
        Scalar::None | Scalar::Bool(_) => Ok(None),
        Scalar::Whole(number) => Ok(Some(number as f64)),
        Scalar::Number(number) => Ok(Some(number)),
        Scalar::Text(text) => crate::numbers::number(text.trim(), ""),
    }))?;
    let number = number.map_err(|_| D::Error::custom(NO_NUMBER))?;
    Ok(number.filter(|number| number.is_finite()))
}

/// A text, also of a number or a word such as `true`.
pub(crate) fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    read(field, |text| {
        Some(text.to_owned()).filter(|text| !text.is_empty())
    })
}

/// What a function makes of such a text.
pub(crate) fn read<'de, T, D: Deserializer<'de>>(
    field: D,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, D::Error> {
    field.deserialize_any(Told(|told: Scalar<'_>| match told {
        Scalar::None => None,
        Scalar::Bool(word) => read(if word { "true" } else { "false" }),
        Scalar::Whole(number) => read(&number.to_string()),
        Scalar::Number(number) => read(&number.to_string()),
        Scalar::Text(text) => read(text.trim()),
    }))
}

/// Reads a part of another type as if it were missing. An unreadable number in it is not.
pub(crate) fn or_nothing<'de, T, D>(source: D) -> Result<T, D::Error>
where
    T: DeserializeOwned + Default,
    D: Deserializer<'de>,
{
    let value = Value::deserialize(source)?;
    match serde_json::from_value(value) {
        Ok(part) => Ok(part),
        Err(error) if is_no_number(&error) => Err(D::Error::custom(NO_NUMBER)),
        Err(_) => Ok(T::default()),
    }
}

enum Scalar<'a> {
    None,
    Bool(bool),
    Whole(i128),
    Number(f64),
    Text(&'a str),
}

/// Passes a field on to a function, whatever it is.
struct Told<F>(F);

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> Visitor<'de> for Told<F> {
    type Value = T;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok((self.0)(Scalar::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok((self.0)(Scalar::Whole(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok((self.0)(Scalar::Whole(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        Ok((self.0)(Scalar::Number(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok((self.0)(Scalar::Text(value)))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok((self.0)(Scalar::None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<T, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::None))
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

    #[test]
    fn a_text_that_is_no_number_is_not_taken_for_not_measured() {
        for (json, is_read) in [
            (r#"{"count": "viel"}"#, false),
            (r#"{"part": {"value": "viel"}}"#, false),
            (r#"{"part": {"value": "n/a"}, "count": "--"}"#, true),
            (r#"{"part": {"value": {"x": "viel"}}, "count": ""}"#, true),
        ] {
            let row = serde_json::from_str::<Outer>(json);
            assert_eq!(row.is_ok(), is_read, "{json}");
            assert!(row.err().as_ref().is_none_or(is_no_number), "{json}");
        }
        let error = serde_json::from_str::<Outer>("{\"count\": 1").err();
        assert!(!error.as_ref().is_none_or(is_no_number));
    }
}
