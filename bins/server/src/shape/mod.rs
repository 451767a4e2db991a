//! Schemas of requests: one table gives the checks, the error messages (those of pydantic 2, which
//! existing clients parse), and the OpenAPI schema.

mod check;
mod fault;
mod json;
mod schema;
mod time;

pub(crate) use check::MAX_FAULTS;
pub(crate) use fault::{Fault, Place, faults_of};
pub(crate) use json::{Listed, parse, parse_list};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use vitalcast::bounds::{self, Bounds};
use vitalcast::{FieldContent, FieldError, RecordField};

/// The kind of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// An id of at most so many letters, digits, `-` or `_`.
    Id(usize),
    /// One of some words.
    Word(&'static [&'static str]),
    /// A whole number between two, both included.
    Int(i64, i64),
    /// One of some whole numbers.
    OneOf(&'static [i64]),
    /// A whole number between two, also as text, as the reference service takes it.
    LaxInt(i64, i64),
    /// A number between two, both included.
    Float(f64, f64),
    /// The same, also as text; the pattern tells texts that are taken.
    LaxFloat(f64, f64, &'static str),
    /// A number strictly between two.
    Between(f64, f64),
    /// True or false.
    Bool,
    /// The same, also as 0 and 1 and the usual words.
    LaxBool,
    /// A calendar date, also as the Unix time of its midnight in UTC.
    Date,
    /// A moment with its offset from UTC, also as Unix time.
    Instant,
    /// A moment, a time on the person's clock, or a date where the time is not known.
    InstantOrDate,
    /// Text of some length, in characters.
    Text(usize, usize),
    /// An IANA time zone.
    Zone,
    /// A list of so many, none twice when that is said.
    List {
        item: &'static Kind,
        least: usize,
        most: usize,
        unique: bool,
    },
    /// An object of these fields and no others.
    Object(&'static [Field]),
    /// An object with some of these words as names, and values of one kind.
    Map {
        names: &'static [&'static str],
        item: &'static Kind,
    },
}

impl Kind {
    /// A whole number within bounds, also as text.
    pub(crate) const fn lax_int(bounds: Bounds<i64>) -> Self {
        Self::LaxInt(bounds.low, bounds.high)
    }

    /// A whole number within bounds.
    pub(crate) const fn int(bounds: Bounds<i64>) -> Self {
        Self::Int(bounds.low, bounds.high)
    }

    /// A number within bounds.
    pub(crate) const fn float(bounds: Bounds<f64>) -> Self {
        Self::Float(bounds.low, bounds.high)
    }

    /// Text of a length within bounds, in characters.
    pub(crate) const fn text(bounds: Bounds<i64>) -> Self {
        Self::Text(bounds.low as usize, bounds.high as usize)
    }

    /// A number within bounds, also as text of this pattern.
    pub(crate) const fn lax_float(bounds: Bounds<f64>, pattern: &'static str) -> Self {
        Self::LaxFloat(bounds.low, bounds.high, pattern)
    }
}

/// The name of a source, or of a record within it.
pub(crate) const SOURCE_NAME: Kind = Kind::text(bounds::SOURCE_LENGTH);

/// The value of a missing field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Presence {
    /// The field is required.
    Required,
    /// The field can be missing or null.
    Optional,
    /// It is this, written as JSON.
    Default(&'static str),
}

/// A field of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) presence: Presence,
    pub(crate) meaning: &'static str,
}

/// A required field.
pub(crate) const fn required(name: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        name,
        kind,
        presence: Presence::Required,
        meaning,
    }
}

/// An optional field.
pub(crate) const fn optional(name: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        name,
        kind,
        presence: Presence::Optional,
        meaning,
    }
}

/// A field of a record or a number of a profile, as the domain describes it.
pub(crate) const fn field_of(field: &RecordField) -> Field {
    let kind = match field.content {
        FieldContent::Moment => Kind::InstantOrDate,
        FieldContent::Text(length) => Kind::text(length),
        FieldContent::Word(words) => Kind::Word(words),
        FieldContent::Bool => Kind::Bool,
        FieldContent::Number(bounds) => Kind::float(bounds),
    };
    if field.required {
        required(field.name, kind, field.meaning)
    } else {
        optional(field.name, kind, field.meaning)
    }
}

/// The fields of a record, as the domain describes them, with `more` behind them.
pub(crate) const fn fields_of<const N: usize>(
    fields: &[RecordField],
    more: &[Field],
) -> [Field; N] {
    assert!(fields.len() + more.len() == N, "a place for each field");
    let mut all = [more[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < fields.len() {
            field_of(&fields[at])
        } else {
            more[at - fields.len()]
        };
        at += 1;
    }
    all
}

/// Some fields and others behind them.
pub(crate) const fn joined<const N: usize>(fields: &[Field], more: &[Field]) -> [Field; N] {
    assert!(fields.len() + more.len() == N, "a place for each field");
    let mut all = [fields[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < fields.len() {
            fields[at]
        } else {
            more[at - fields.len()]
        };
        at += 1;
    }
    all
}

/// A field with a default, written as JSON.
pub(crate) const fn default(
    name: &'static str,
    kind: Kind,
    json: &'static str,
    meaning: &'static str,
) -> Field {
    Field {
        name,
        kind,
        presence: Presence::Default(json),
        meaning,
    }
}

/// The location of the fields of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// In a body of the reference contract, which ignores fields it does not know.
    Body,
    /// In a body of our own, which refuses them.
    ClosedBody,
    /// In the path.
    Path,
    /// Behind the question mark, of the reference contract, which ignores what it does not know.
    Query,
    /// Behind the question mark of a route of our own, which refuses it.
    ClosedQuery,
}

/// Some fields of a request.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) part: Part,
    pub(crate) fields: &'static [Field],
}

/// A request that has a shape.
pub(crate) trait Input: Sized {
    /// What it may look like.
    fn shape() -> &'static Shape;

    /// Made of fields that fit the shape, with every default filled in.
    ///
    /// # Errors
    ///
    /// Fields that fit by themselves but not together.
    fn build(fields: Map<String, Value>) -> Result<Self, Vec<FieldError>>;
}

/// The value made of fields that fit its shape. For types whose shape says all there is to check.
pub(crate) fn deserialised<T: DeserializeOwned>(
    fields: Map<String, Value>,
) -> Result<T, Vec<FieldError>> {
    serde_json::from_value(Value::Object(fields)).map_err(|error| {
        vec![FieldError {
            field: "",
            message: error.to_string(),
        }]
    })
}

/// Declares the shape of a type: an [`Input`] that is also known to the OpenAPI document, as a body
/// and as parameters.
macro_rules! shaped {
    ($type:ty, $name:literal, $part:ident, $fields:expr) => {
        $crate::shape::shaped!($type, $name, $part, $fields, $crate::shape::deserialised);
    };
    ($type:ty, $name:literal, $part:ident, $fields:expr, $build:expr) => {
        impl $crate::shape::Input for $type {
            fn shape() -> &'static $crate::shape::Shape {
                static SHAPE: $crate::shape::Shape = $crate::shape::Shape {
                    part: $crate::shape::Part::$part,
                    fields: $fields,
                };
                &SHAPE
            }

            fn build(
                fields: serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, Vec<vitalcast::FieldError>> {
                $build(fields)
            }
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <$type as $crate::shape::Input>::shape().schema()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($name)
            }
        }

        impl utoipa::IntoParams for $type {
            fn into_params(
                _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
            ) -> Vec<utoipa::openapi::path::Parameter> {
                <$type as $crate::shape::Input>::shape().parameters()
            }
        }
    };
}
pub(crate) use shaped;

/// Declares how what was written with a shape reads in answers, for the OpenAPI document; see
/// [`Shape::answer_schema`].
macro_rules! read_back {
    ($type:ident, $name:literal, $written:ty, $instead:expr) => {
        #[derive(Debug)]
        pub(super) struct $type;

        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                <$written as $crate::shape::Input>::shape().answer_schema($instead)
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed($name)
            }
        }
    };
}
pub(crate) use read_back;
