//! The OpenAPI side of a shape.

use super::time::{DAY_SECONDS, UNIX_LAST_MILLISECOND, UNIX_SECONDS, UNIX_TEXT};
use super::{Field, Kind, Part, Presence, Shape};
use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema,
    SchemaFormat, Type,
};
use utoipa::openapi::{RefOr, Required};

/// What an id looks like.
pub(super) fn id_pattern(longest: usize) -> String {
    format!("^[A-Za-z0-9_-]{{1,{longest}}}$")
}

impl Shape {
    /// As a body.
    pub(crate) fn schema(&self) -> RefOr<Schema> {
        let mut object = ObjectBuilder::new().schema_type(Type::Object);
        for field in self.fields {
            object = object.property(field.name, field.schema());
            if matches!(field.presence, Presence::Required) {
                object = object.required(field.name);
            }
        }
        if self.part == Part::ClosedBody {
            object =
                object.additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
        }
        object.into()
    }

    /// As it reads in an answer: every field is there, null where nothing is known, and without the
    /// bounds of writing, which imported files do not have. `instead` tells fields that read otherwise
    /// than they are written, and those that are only read.
    pub(crate) fn answer_schema(&self, instead: &[Field]) -> RefOr<Schema> {
        let written = self.fields.iter().filter(|field| {
            let is_other = instead.iter().any(|other| other.name == field.name);
            !is_other
        });
        let mut object = ObjectBuilder::new().schema_type(Type::Object);
        for field in written.chain(instead) {
            object = object
                .property(field.name, field.answer_schema())
                .required(field.name);
        }
        object.into()
    }

    /// As parameters of a path or query.
    pub(crate) fn parameters(&self) -> Vec<Parameter> {
        self.fields
            .iter()
            .map(|field| {
                let (place, required) = match (self.part, field.presence) {
                    (Part::Path, _) => (ParameterIn::Path, Required::True),
                    (_, Presence::Required) => (ParameterIn::Query, Required::True),
                    (_, Presence::Optional | Presence::Default(_)) => {
                        (ParameterIn::Query, Required::False)
                    }
                };
                ParameterBuilder::new()
                    .name(field.name)
                    .parameter_in(place)
                    .required(required)
                    .description(Some(field.meaning))
                    .schema(Some(field.kind.parameter_schema(field.default_value())))
                    .build()
            })
            .collect()
    }
}

impl Field {
    fn default_value(&self) -> Option<Value> {
        match self.presence {
            Presence::Default(json) => Some(serde_json::from_str(json).expect("defaults are JSON")),
            Presence::Required | Presence::Optional => None,
        }
    }

    fn schema(&self) -> RefOr<Schema> {
        let mut forms = self.kind.forms();
        if matches!(self.presence, Presence::Optional) {
            forms.push(ObjectBuilder::new().schema_type(Type::Null).into());
        }
        united(forms, Some(self.meaning), self.default_value())
    }

    fn answer_schema(&self) -> RefOr<Schema> {
        let mut forms = match self.kind {
            Kind::Float(..) => vec![of_type(Type::Number).into()],
            Kind::Text(..) => vec![of_type(Type::String).into()],
            Kind::Id(_)
            | Kind::Word(_)
            | Kind::Int(..)
            | Kind::OneOf(_)
            | Kind::LaxInt(..)
            | Kind::LaxFloat(..)
            | Kind::Between(..)
            | Kind::Bool
            | Kind::LaxBool
            | Kind::Date
            | Kind::Instant
            | Kind::InstantOrDate
            | Kind::Zone
            | Kind::List { .. }
            | Kind::Object(_)
            | Kind::Map { .. } => self.kind.forms(),
        };
        // Of the forms of writing, only these are written here.
        forms.truncate(if matches!(self.kind, Kind::InstantOrDate) {
            3
        } else {
            1
        });
        if matches!(self.presence, Presence::Optional) {
            forms.push(of_type(Type::Null).into());
        }
        united(forms, Some(self.meaning), None)
    }
}

/// One form as it is, several as any of them.
fn united(mut forms: Vec<Schema>, meaning: Option<&str>, default: Option<Value>) -> RefOr<Schema> {
    if forms.len() == 1
        && let Some(form) = forms.pop()
    {
        #[expect(clippy::wildcard_enum_match_arm, reason = "utoipa's enum")]
        return match form {
            Schema::Object(mut object) => {
                object.description = meaning.map(str::to_owned);
                object.default = default;
                Schema::Object(object).into()
            }
            Schema::Array(mut array) => {
                array.description = meaning.map(str::to_owned);
                array.default = default;
                Schema::Array(array).into()
            }
            other => other.into(),
        };
    }
    let mut any = AnyOfBuilder::new().description(meaning).default(default);
    for form in forms {
        any = any.item(form);
    }
    Schema::AnyOf(any.build()).into()
}

fn of_type(kind: Type) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind)
}

impl Kind {
    /// In a query or path everything is text, and the plain form says what the text stands for.
    fn parameter_schema(&self, default: Option<Value>) -> RefOr<Schema> {
        let mut forms = self.forms();
        forms.truncate(1);
        united(forms, None, default)
    }

    /// Every form a value may have, the plain one first.
    fn forms(&self) -> Vec<Schema> {
        match *self {
            Self::Id(longest) => {
                vec![of_type(Type::String).pattern(Some(id_pattern(longest))).into()]
            }
            Self::Word(words) => vec![
                of_type(Type::String)
                    .enum_values(Some(words.iter().copied()))
                    .into(),
            ],
            Self::Int(low, high) => vec![whole(low, high)],
            Self::OneOf(numbers) => vec![
                of_type(Type::Integer)
                    .enum_values(Some(numbers.iter().copied()))
                    .into(),
            ],
            Self::LaxInt(low, high) => vec![
                whole(low, high),
                of_type(Type::String)
                    .pattern(Some(format!("^({})$", range_pattern(low, high))))
                    .into(),
            ],
            Self::Float(low, high) => vec![number(low, high)],
            Self::LaxFloat(low, high, pattern) => vec![
                number(low, high),
                of_type(Type::String).pattern(Some(pattern)).into(),
            ],
            Self::Between(low, high) => vec![
                of_type(Type::Number)
                    .exclusive_minimum(Some(low))
                    .exclusive_maximum(Some(high))
                    .into(),
            ],
            Self::Bool => vec![of_type(Type::Boolean).into()],
            Self::LaxBool => vec![
                of_type(Type::Boolean).into(),
                of_type(Type::Integer).enum_values(Some([0, 1])).into(),
                of_type(Type::String)
                    .pattern(Some(
                        "^([01]|[oO][nN]|[oO][fF][fF]|[tTfFyYnN]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO])$",
                    ))
                    .into(),
            ],
            Self::Date => [vec![date()], unix_midnights()].concat(),
            Self::Instant => [vec![moment()], unix_times()].concat(),
            Self::InstantOrDate => [vec![moment(), clock_time(), date()], unix_times()].concat(),
            Self::Text(least, most) => vec![
                of_type(Type::String)
                    .min_length(Some(least))
                    .max_length(Some(most))
                    .into(),
            ],
            Self::Zone => vec![
                of_type(Type::String)
                    .pattern(Some("^[A-Za-z]+(/[A-Za-z0-9_+-]+)*$"))
                    .examples(["Europe/Athens"])
                    .into(),
            ],
            Self::List {
                item,
                least,
                most,
                unique,
            } => vec![
                ArrayBuilder::new()
                    .items(united(item.forms(), None, None))
                    .min_items(Some(least))
                    .max_items(Some(most))
                    .unique_items(unique)
                    .into(),
            ],
            Self::Object(fields) => {
                let shape = Shape {
                    part: Part::ClosedBody,
                    fields,
                };
                match shape.schema() {
                    RefOr::T(schema) => vec![schema],
                    RefOr::Ref(_) => Vec::new(),
                }
            }
            Self::Map { names, item } => {
                let names = of_type(Type::String).enum_values(Some(names.iter().copied()));
                let values = united(item.forms(), None, None);
                vec![
                    of_type(Type::Object)
                        .property_names(Some(Schema::from(names)))
                        .additional_properties(Some(AdditionalProperties::RefOr(values)))
                        .into(),
                ]
            }
        }
    }
}

fn whole(low: i64, high: i64) -> Schema {
    of_type(Type::Integer)
        .minimum(Some(low as f64))
        .maximum(Some(high as f64))
        .into()
}

fn number(low: f64, high: f64) -> Schema {
    of_type(Type::Number)
        .minimum(Some(low))
        .maximum(Some(high))
        .into()
}

fn date() -> Schema {
    of_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .into()
}

/// A time on the person's clock.
fn clock_time() -> Schema {
    of_type(Type::String)
        .description(Some("Time on the person's clock, without an offset"))
        .pattern(Some(concat!(
            "^[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|",
            "02-(0[1-9]|[12][0-9]))[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?$",
        )))
        .examples(["2026-01-31T07:00:00"])
        .into()
}

fn moment() -> Schema {
    of_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .into()
}

/// Unix times of midnights: seconds, or milliseconds where the number is too large for those.
fn unix_midnights() -> Vec<Schema> {
    let (first, last) = UNIX_SECONDS;
    let second = of_type(Type::Integer)
        .description(Some("Unix time of its midnight in UTC, seconds"))
        .minimum(Some(first as f64))
        .maximum(Some(last as f64))
        .multiple_of(Some(DAY_SECONDS as f64));
    let millisecond = of_type(Type::Integer)
        .description(Some("Unix time of its midnight in UTC, milliseconds"))
        .exclusive_minimum(Some(last as f64))
        .maximum(Some(UNIX_LAST_MILLISECOND as f64))
        .multiple_of(Some((1_000 * DAY_SECONDS) as f64));
    vec![second.into(), millisecond.into()]
}

/// Unix times.
fn unix_times() -> Vec<Schema> {
    let (first, last) = UNIX_SECONDS;
    let number = of_type(Type::Number)
        .description(Some(format!(
            "Unix time: seconds, or milliseconds above {last}"
        )))
        .minimum(Some(first as f64))
        .maximum(Some(UNIX_LAST_MILLISECOND as f64));
    let text = of_type(Type::String)
        .description(Some("Unix time as text"))
        .pattern(Some(UNIX_TEXT));
    vec![number.into(), text.into()]
}

/// A regular expression of the whole numbers between two, neither of them negative.
fn range_pattern(low: i64, high: i64) -> String {
    let mut parts = Vec::new();
    let mut from = low;
    while from <= high {
        // The largest block of numbers that begin alike and end in any digits.
        let mut size = 1;
        while from % (size * 10) == 0 && from + size * 10 - 1 <= high && from > 0 {
            size *= 10;
        }
        // As many such blocks as differ in one digit only.
        let digit = (from / size) % 10;
        let room = (high - from + 1) / size;
        let count = room.min(10 - digit);
        let head = from / size / 10;
        let head = if head == 0 {
            String::new()
        } else {
            head.to_string()
        };
        let tail = size.ilog10() as usize;
        let last = digit + count - 1;
        let class = if count == 1 {
            digit.to_string()
        } else {
            format!("[{digit}-{last}]")
        };
        parts.push(format!("{head}{class}{}", "[0-9]".repeat(tail)));
        from += count * size;
    }
    parts.join("|")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A matcher for what `range_pattern` writes: digits and classes of digits.
    fn matches(pattern: &str, text: &str) -> bool {
        pattern.split('|').any(|part| {
            let mut rest = part;
            let mut digits = text.chars();
            while !rest.is_empty() {
                let Some(digit) = digits.next() else {
                    return false;
                };
                if let Some(class) = rest.strip_prefix('[') {
                    let (low, high) = (class.as_bytes()[0], class.as_bytes()[2]);
                    if !(low..=high).contains(&(digit as u8)) {
                        return false;
                    }
                    rest = &class[4..];
                } else {
                    if !rest.starts_with(digit) {
                        return false;
                    }
                    rest = &rest[1..];
                }
            }
            digits.next().is_none()
        })
    }

    #[test]
    fn a_range_pattern_takes_exactly_its_numbers() {
        for (low, high) in [
            (30, 365),
            (7, 60),
            (10, 200),
            (8, 128),
            (32, 512),
            (1, 4),
            (0, 300),
            (7, 90),
        ] {
            let pattern = range_pattern(low, high);
            for number in 0..1_200 {
                let expected = (low..=high).contains(&number);
                assert_eq!(
                    matches(&pattern, &number.to_string()),
                    expected,
                    "{number} {pattern}"
                );
            }
        }
    }
}
