//! Checking values against what they may be.

use super::fault::{Fault, Place};
use super::time::{clock_time, date, instant, is_date};
use super::{Field, Kind, Part, Presence, Shape};
use serde_json::{Map, Value, json};
use vitalcast::Zone;

/// Most faults of one object that are told, however many fields it makes up.
pub(crate) const MAX_FAULTS: usize = 100;

impl Shape {
    /// The fields of a request, checked, converted, and with defaults filled in; or every fault.
    pub(crate) fn check(
        &self,
        value: &Value,
        at: &[Place],
    ) -> Result<Map<String, Value>, Vec<Fault>> {
        let Value::Object(given) = value else {
            return Err(vec![Fault::new(
                "model_attributes_type",
                at,
                "Input should be a valid dictionary or object to extract fields from",
                value,
            )]);
        };
        let mut faults = Vec::new();
        let mut fields = Map::new();
        for field in self.fields {
            let mut loc = at.to_vec();
            loc.push(field.name.into());
            match field.check(given.get(field.name), value, &loc) {
                Ok(checked) => {
                    fields.insert(field.name.to_owned(), checked);
                }
                Err(found) => faults.extend(found),
            }
        }
        if matches!(self.part, Part::ClosedBody | Part::ClosedQuery) {
            for (name, extra) in given {
                if faults.len() >= MAX_FAULTS {
                    break;
                }
                if self.fields.iter().all(|field| field.name != name) {
                    let mut loc = at.to_vec();
                    loc.push(name.as_str().into());
                    faults.push(Fault::new(
                        "extra_forbidden",
                        &loc,
                        "Extra inputs are not permitted",
                        extra,
                    ));
                }
            }
        }
        if faults.is_empty() {
            Ok(fields)
        } else {
            Err(faults)
        }
    }
}

impl Field {
    fn check(
        &self,
        given: Option<&Value>,
        whole: &Value,
        loc: &[Place],
    ) -> Result<Value, Vec<Fault>> {
        match (given, self.presence) {
            (None, Presence::Required) => {
                Err(vec![Fault::new("missing", loc, "Field required", whole)])
            }
            (None | Some(Value::Null), Presence::Optional) => Ok(Value::Null),
            (None, Presence::Default(json)) => {
                Ok(serde_json::from_str(json).expect("defaults are JSON"))
            }
            (Some(value), _) => self.kind.check(value, loc),
        }
    }
}

pub(super) type Checked = Result<Value, Vec<Fault>>;

pub(super) fn one(
    kind: &'static str,
    loc: &[Place],
    msg: impl Into<String>,
    input: &Value,
) -> Checked {
    Err(vec![Fault::new(kind, loc, msg, input)])
}

impl Kind {
    pub(super) fn check(&self, value: &Value, loc: &[Place]) -> Checked {
        match *self {
            Self::Id(longest) => id(value, longest, loc),
            Self::Word(words) => word(value, words, loc),
            Self::Int(low, high) => int(value, low, high, false, loc),
            Self::OneOf(numbers) => one_of(value, numbers, loc),
            Self::LaxInt(low, high) => int(value, low, high, true, loc),
            Self::Float(low, high) => within(float(value, false, loc)?, low, high, value, loc),
            Self::LaxFloat(low, high, _) => within(float(value, true, loc)?, low, high, value, loc),
            Self::Between(low, high) => {
                let number = float(value, false, loc)?;
                if number <= low {
                    let msg = format!("Input should be greater than {low}");
                    return Err(vec![
                        Fault::new("greater_than", loc, msg, value).with(json!({"gt": low})),
                    ]);
                }
                if number >= high {
                    let msg = format!("Input should be less than {high}");
                    return Err(vec![
                        Fault::new("less_than", loc, msg, value).with(json!({"lt": high})),
                    ]);
                }
                Ok(json!(number))
            }
            Self::Bool if value.is_boolean() => Ok(value.clone()),
            Self::Bool => one("bool_type", loc, "Input should be a valid boolean", value),
            Self::LaxBool => lax_bool(value, loc),
            Self::Date => date(value, loc).map(|day| json!(day)),
            Self::Instant => instant(value, loc),
            Self::InstantOrDate if value.as_str().is_some_and(is_date) => {
                date(value, loc).map(|day| json!(day))
            }
            Self::InstantOrDate => match value.as_str().and_then(clock_time) {
                Some(local) => Ok(json!(local)),
                None => instant(value, loc),
            },
            Self::Text(least, most) => text(value, least, most, loc),
            Self::Zone => {
                let name = string(value, loc)?;
                match name.parse::<Zone>() {
                    Ok(zone) => Ok(json!(zone)),
                    Err(error) => Err(vec![Fault::value(loc, &error.to_string(), value)]),
                }
            }
            Self::List {
                item,
                least,
                most,
                unique,
            } => list(value, item, (least, most), unique, loc),
            Self::Object(fields) => {
                let shape = Shape {
                    part: Part::ClosedBody,
                    fields,
                };
                shape.check(value, loc).map(Value::Object)
            }
            Self::Map { names, item } => map(value, names, item, loc),
        }
    }
}

fn map(value: &Value, names: &[&str], item: &Kind, loc: &[Place]) -> Checked {
    let Value::Object(given) = value else {
        return one(
            "dict_type",
            loc,
            "Input should be a valid dictionary",
            value,
        );
    };
    let mut checked = Map::new();
    let mut faults = Vec::new();
    for (name, each) in given {
        let mut loc = loc.to_vec();
        loc.push(name.as_str().into());
        let found = word(&json!(name), names, &loc).and_then(|_| item.check(each, &loc));
        match found {
            Ok(each) => {
                checked.insert(name.clone(), each);
            }
            Err(found) => faults.extend(found),
        }
        if faults.len() >= MAX_FAULTS {
            break;
        }
    }
    if faults.is_empty() {
        Ok(Value::Object(checked))
    } else {
        Err(faults)
    }
}

fn string<'v>(value: &'v Value, loc: &[Place]) -> Result<&'v str, Vec<Fault>> {
    value.as_str().ok_or_else(|| {
        vec![Fault::new(
            "string_type",
            loc,
            "Input should be a valid string",
            value,
        )]
    })
}

fn id(value: &Value, longest: usize, loc: &[Place]) -> Checked {
    let text = string(value, loc)?;
    let safe = (1..=longest).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if safe {
        return Ok(value.clone());
    }
    let pattern = super::schema::id_pattern(longest);
    let msg = format!("String should match pattern '{pattern}'");
    Err(vec![
        Fault::new("string_pattern_mismatch", loc, msg, value).with(json!({"pattern": pattern})),
    ])
}

fn word(value: &Value, words: &[&str], loc: &[Place]) -> Checked {
    if value.as_str().is_some_and(|text| words.contains(&text)) {
        return Ok(value.clone());
    }
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    Err(not_one_of(value, &quoted, loc))
}

fn one_of(value: &Value, numbers: &[i64], loc: &[Place]) -> Checked {
    let whole = match value.as_f64() {
        Some(float) if float.fract() == 0.0 => value.as_i64().or(Some(float as i64)),
        Some(_) | None => None,
    };
    if let Some(whole) = whole.filter(|whole| numbers.contains(whole)) {
        return Ok(json!(whole));
    }
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Err(not_one_of(value, &numbers, loc))
}

fn not_one_of(value: &Value, accepted: &[String], loc: &[Place]) -> Vec<Fault> {
    let expected = match accepted {
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
        [] => String::new(),
    };
    vec![
        Fault::new("enum", loc, format!("Input should be {expected}"), value)
            .with(json!({"expected": expected})),
    ]
}

fn int(value: &Value, low: i64, high: i64, lax: bool, loc: &[Place]) -> Checked {
    let number = match value {
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole,
            // Beyond 64 bits: at the end of the range on its side.
            (None, Some(float)) if float.fract() == 0.0 => float as i64,
            _ => {
                return one(
                    "int_from_float",
                    loc,
                    "Input should be a valid integer, got a number with a fractional part",
                    value,
                );
            }
        },
        Value::String(text) if lax => {
            let text = text.trim();
            let whole = text.split_once('.').map_or(text, |(whole, rest)| {
                if rest.bytes().all(|digit| digit == b'0') {
                    whole
                } else {
                    text
                }
            });
            match whole.parse() {
                Ok(number) => number,
                Err(_) => {
                    return one(
                        "int_parsing",
                        loc,
                        "Input should be a valid integer, unable to parse string as an integer",
                        value,
                    );
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            return one("int_type", loc, "Input should be a valid integer", value);
        }
    };
    if number < low {
        let msg = format!("Input should be greater than or equal to {low}");
        return Err(vec![
            Fault::new("greater_than_equal", loc, msg, value).with(json!({"ge": low})),
        ]);
    }
    if number > high {
        let msg = format!("Input should be less than or equal to {high}");
        return Err(vec![
            Fault::new("less_than_equal", loc, msg, value).with(json!({"le": high})),
        ]);
    }
    Ok(json!(number))
}

fn float(value: &Value, lax: bool, loc: &[Place]) -> Result<f64, Vec<Fault>> {
    let refused = |kind, msg: &str| Err(vec![Fault::new(kind, loc, msg, value)]);
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if lax => match text.trim().parse::<f64>() {
            Ok(number) => Some(number),
            Err(_) => {
                return refused(
                    "float_parsing",
                    "Input should be a valid number, unable to parse string as a number",
                );
            }
        },
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            return refused("float_type", "Input should be a valid number");
        }
    };
    match number.filter(|number| number.is_finite()) {
        Some(number) => Ok(number),
        None => refused("finite_number", "Input should be a finite number"),
    }
}

fn within(number: f64, low: f64, high: f64, value: &Value, loc: &[Place]) -> Checked {
    if number < low {
        let msg = format!("Input should be greater than or equal to {low}");
        return Err(vec![
            Fault::new("greater_than_equal", loc, msg, value).with(json!({"ge": low})),
        ]);
    }
    if number > high {
        let msg = format!("Input should be less than or equal to {high}");
        return Err(vec![
            Fault::new("less_than_equal", loc, msg, value).with(json!({"le": high})),
        ]);
    }
    Ok(json!(number))
}

fn lax_bool(value: &Value, loc: &[Place]) -> Checked {
    let truth = match value {
        Value::Bool(truth) => Some(*truth),
        Value::Number(number) => match number.as_f64() {
            Some(0.0) => Some(false),
            Some(1.0) => Some(true),
            _ => None,
        },
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "0" | "off" | "f" | "false" | "n" | "no" => Some(false),
            "1" | "on" | "t" | "true" | "y" | "yes" => Some(true),
            _ => None,
        },
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return one("bool_type", loc, "Input should be a valid boolean", value);
        }
    };
    match truth {
        Some(truth) => Ok(json!(truth)),
        None => one(
            "bool_parsing",
            loc,
            "Input should be a valid boolean, unable to interpret input",
            value,
        ),
    }
}

fn text(value: &Value, least: usize, most: usize, loc: &[Place]) -> Checked {
    let length = string(value, loc)?.chars().count();
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    if length < least {
        let msg = format!(
            "String should have at least {least} character{}",
            plural(least)
        );
        return Err(vec![
            Fault::new("string_too_short", loc, msg, value).with(json!({"min_length": least})),
        ]);
    }
    if length > most {
        let msg = format!(
            "String should have at most {most} character{}",
            plural(most)
        );
        return Err(vec![
            Fault::new("string_too_long", loc, msg, value).with(json!({"max_length": most})),
        ]);
    }
    Ok(value.clone())
}

fn list(
    value: &Value,
    item: &Kind,
    (least, most): (usize, usize),
    unique: bool,
    loc: &[Place],
) -> Checked {
    let Value::Array(items) = value else {
        return one("list_type", loc, "Input should be a valid list", value);
    };
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let count = items.len();
    if count < least {
        let msg = format!(
            "List should have at least {least} item{} after validation, not {count}",
            plural(least)
        );
        return Err(vec![Fault::new("too_short", loc, msg, value).with(
            json!({"field_type": "List", "min_length": least, "actual_length": count}),
        )]);
    }
    if count > most {
        let msg = format!(
            "List should have at most {most} item{} after validation, not {count}",
            plural(most)
        );
        return Err(vec![Fault::new("too_long", loc, msg, value).with(
            json!({"field_type": "List", "max_length": most, "actual_length": count}),
        )]);
    }
    let mut checked = Vec::with_capacity(count);
    let mut faults = Vec::new();
    for (index, each) in items.iter().enumerate() {
        let mut loc = loc.to_vec();
        loc.push(index.into());
        match item.check(each, &loc) {
            Ok(each) => {
                if unique && checked.contains(&each) {
                    faults.push(Fault::new(
                        "unique_list",
                        &loc,
                        "List items should be unique",
                        &each,
                    ));
                }
                checked.push(each);
            }
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        Ok(Value::Array(checked))
    } else {
        Err(faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(kind: Kind, value: Value) -> (&'static str, String) {
        let faults = kind.check(&value, &["body".into()]).unwrap_err();
        (faults[0].kind, faults[0].msg.clone())
    }

    #[test]
    fn values_that_the_reference_service_takes_are_taken() {
        let lax = Kind::LaxInt(10, 200);
        for value in [
            json!(10),
            json!("10"),
            json!(10.0),
            json!(" 200 "),
            json!("10.0"),
        ] {
            assert!(lax.check(&value, &[]).is_ok(), "{value}");
        }
        for value in [json!(true), json!(1), json!("YES"), json!("on")] {
            assert_eq!(Kind::LaxBool.check(&value, &[]).unwrap(), json!(true));
        }
        let midnight = json!("2026-11-22T00:00:00");
        assert_eq!(
            Kind::Date.check(&midnight, &[]).unwrap(),
            json!("2026-11-22")
        );
    }

    #[test]
    fn what_is_wrong_is_said_in_the_words_of_pydantic() {
        let lax = Kind::LaxInt(10, 200);
        for (kind, value, expected) in [
            (lax, json!("ten"), "int_parsing"),
            (lax, json!("1e400"), "int_parsing"),
            (lax, json!([]), "int_type"),
            (lax, Value::Null, "int_type"),
            (lax, json!(10.5), "int_from_float"),
            (lax, json!(1e300), "less_than_equal"),
            (lax, json!(9), "greater_than_equal"),
            (Kind::Float(0.0, 0.5), json!("0.1"), "float_type"),
            (Kind::LaxFloat(0.0, 0.5, ""), json!("nan"), "finite_number"),
            (Kind::LaxFloat(0.0, 0.5, ""), json!("x"), "float_parsing"),
            (Kind::LaxBool, json!("maybe"), "bool_parsing"),
            (Kind::LaxBool, json!({}), "bool_type"),
            (Kind::Between(0.0, 1.0), json!(1.0), "less_than"),
            (Kind::Between(0.0, 1.0), json!(0), "greater_than"),
            (Kind::Id(64), json!("../etc"), "string_pattern_mismatch"),
            (Kind::Id(64), json!("a\u{0}"), "string_pattern_mismatch"),
            (Kind::Id(64), json!(5), "string_type"),
            (Kind::Date, json!(true), "date_type"),
            (Kind::Date, json!("2026-1-1"), "date_from_datetime_parsing"),
            (
                Kind::Date,
                json!("2026-13-01"),
                "date_from_datetime_parsing",
            ),
            (
                Kind::Date,
                json!("2026-02-30"),
                "date_from_datetime_parsing",
            ),
            (
                Kind::Date,
                json!("2026-02-11é"),
                "date_from_datetime_parsing",
            ),
            (
                Kind::Instant,
                json!("2026-02-11T10:00:00"),
                "timezone_aware",
            ),
            (
                Kind::Instant,
                json!("yesterday"),
                "datetime_from_date_parsing",
            ),
            (Kind::Text(1, 3), json!(""), "string_too_short"),
            (Kind::Text(1, 3), json!("four"), "string_too_long"),
        ] {
            assert_eq!(fault(kind, value.clone()).0, expected, "{kind:?} {value}");
        }
        assert_eq!(
            fault(Kind::Word(&["a", "b", "c"]), json!("d")).1,
            "Input should be 'a', 'b' or 'c'"
        );
    }

    #[test]
    fn every_fault_of_a_list_is_found() {
        let metrics = Kind::List {
            item: &Kind::Word(&["a", "b"]),
            least: 1,
            most: 2,
            unique: true,
        };
        assert_eq!(fault(metrics, json!([])).0, "too_short");
        assert_eq!(fault(metrics, json!(["a", "b", "a"])).0, "too_long");
        assert_eq!(fault(metrics, json!(["a", "a"])).0, "unique_list");
        let faults = metrics.check(&json!(["x", "y"]), &[]).unwrap_err();
        assert_eq!(faults.len(), 2);
        assert_eq!(faults[1].loc, [Place::Index(1)]);
    }
}
