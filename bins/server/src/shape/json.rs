//! Reading a JSON body, and saying where it stops being one.

use super::fault::{Fault, Place};
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, SeqAccess, Visitor};
use serde_json::{Value, json};

/// What came instead of a list, or in it.
pub(crate) enum Listed {
    /// A list of at most as many as are allowed.
    List(Vec<Value>),
    /// A longer one; the rest of it was not read.
    TooLong,
    /// Something else.
    Other(Value),
}

/// Reads a body that should be a list of at most so many.
#[allow(clippy::result_large_err, reason = "an error ends the request")]
pub(crate) fn parse_list(bytes: &[u8], most: usize) -> Result<Listed, Fault> {
    /// Something else is told back if it is no longer.
    const TOLD_BACK: usize = 10_000;
    if !bytes.trim_ascii_start().starts_with(b"[") {
        if bytes.len() <= TOLD_BACK {
            return parse(bytes).map(Listed::Other);
        }
        let is_json = serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
        return if is_json {
            Ok(Listed::Other(Value::Null))
        } else {
            Err(broken(bytes, None))
        };
    }
    let mut is_too_long = false;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let list = Bounded {
        most,
        is_too_long: &mut is_too_long,
    };
    let read = list.deserialize(&mut reader);
    if is_too_long {
        return Ok(Listed::TooLong);
    }
    match read.and_then(|list| reader.end().map(|()| list)) {
        Ok(list) => Ok(Listed::List(list)),
        Err(error) => Err(broken(bytes, Some(&error))),
    }
}

/// A list that is given up once it is too long, before it fills the memory.
struct Bounded<'a> {
    most: usize,
    is_too_long: &'a mut bool,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Vec<Value>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            if values.len() == self.most {
                *self.is_too_long = true;
                return Err(serde::de::Error::custom("too long"));
            }
            values.push(value);
        }
        Ok(values)
    }
}

/// Reads a body. Nesting is limited by the parser, sizes by whoever read the bytes.
#[allow(clippy::result_large_err, reason = "an error ends the request")]
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(bytes).map_err(|error| broken(bytes, Some(&error)))
}

/// Where a body stops being JSON.
fn broken(bytes: &[u8], error: Option<&serde_json::Error>) -> Fault {
    let text = String::from_utf8_lossy(bytes);
    let (place, what) = first_error(&text).unwrap_or_else(|| {
        // What only this parser refuses: nesting and numbers without end.
        let what = match error {
            Some(error) if error.is_data() => "Unexpected value",
            Some(error) if error.to_string().contains("recursion") => "Nested too deeply",
            _ => "Number out of range or text that is not valid Unicode",
        };
        (error.map_or(0, serde_json::Error::column), what)
    });
    let loc = [Place::from("body"), Place::Index(place)];
    Fault::new("json_invalid", &loc, "JSON decode error", &json!({})).with(json!({"error": what}))
}

/// Where a text stops being JSON, counted in characters, and what was expected there, as Python's
/// `json` module says it.
fn first_error(text: &str) -> Option<(usize, &'static str)> {
    let mut scan = Scan {
        text: text.chars().collect(),
        at: 0,
    };
    scan.space();
    if let Err(found) = scan.value(0) {
        return Some(found);
    }
    scan.space();
    (scan.at < scan.text.len()).then_some((scan.at, "Extra data"))
}

struct Scan {
    text: Vec<char>,
    at: usize,
}

type Found = (usize, &'static str);

/// Deeper than any body that is read.
const MAX_DEPTH: usize = 200;

impl Scan {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), Found> {
        const EXPECTED: &str = "Expecting value";
        if depth > MAX_DEPTH {
            return Err((self.at, "Nested too deeply"));
        }
        match self.peek() {
            Some('{') => self.object(depth),
            Some('[') => self.array(depth),
            Some('"') => self.string(),
            Some('-' | '0'..='9') => self.number(),
            _ => {
                for word in ["true", "false", "null"] {
                    let end = self.at + word.len();
                    if self
                        .text
                        .get(self.at..end)
                        .is_some_and(|found| found.iter().copied().eq(word.chars()))
                    {
                        self.at = end;
                        return Ok(());
                    }
                }
                Err((self.at, EXPECTED))
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Found> {
        const NAME: &str = "Expecting property name enclosed in double quotes";
        self.at += 1;
        self.space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return Err((self.at, NAME));
            }
            self.string()?;
            self.space();
            if self.peek() != Some(':') {
                return Err((self.at, "Expecting ':' delimiter"));
            }
            self.at += 1;
            self.space();
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some('}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err((self.at, "Expecting ',' delimiter")),
            }
            self.space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Found> {
        self.at += 1;
        self.space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            self.space();
            match self.peek() {
                Some(',') => self.at += 1,
                Some(']') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err((self.at, "Expecting ',' delimiter")),
            }
            self.space();
        }
    }

    fn string(&mut self) -> Result<(), Found> {
        let begin = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err((begin, "Unterminated string starting at")),
                Some('"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some('\\') => {
                    let escaped = self.text.get(self.at + 1);
                    match escaped {
                        Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 2,
                        Some('u') => {
                            let digits = self.text.get(self.at + 2..self.at + 6);
                            if !digits.is_some_and(|d| d.iter().all(char::is_ascii_hexdigit)) {
                                return Err((self.at + 1, "Invalid \\uXXXX escape"));
                            }
                            self.at += 6;
                        }
                        None => return Err((begin, "Unterminated string starting at")),
                        Some(_) => return Err((self.at, "Invalid \\escape")),
                    }
                }
                Some(character) if character < ' ' => {
                    return Err((self.at, "Invalid control character at"));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while matches!(self.peek(), Some('0'..='9')) {
            self.at += 1;
        }
        self.at - begin
    }

    fn number(&mut self) -> Result<(), Found> {
        let begin = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        if self.peek() == Some('0') {
            self.at += 1;
        } else if self.digits() == 0 {
            return Err((begin, "Expecting value"));
        }
        // What does not go on as a number ends it: the rest is somebody else's error.
        let whole = self.at;
        if self.peek() == Some('.') {
            self.at += 1;
            if self.digits() == 0 {
                self.at = whole;
                return Ok(());
            }
        }
        let before = self.at;
        if matches!(self.peek(), Some('e' | 'E')) {
            self.at += 1;
            if matches!(self.peek(), Some('+' | '-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                self.at = before;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn errors_stand_where_python_puts_them() {
        // Python 3.11: json.loads(text)
        for (text, place, what) in [
            (
                "{\"user_id\": \"x\", ",
                17,
                "Expecting property name enclosed in double quotes",
            ),
            ("{", 1, "Expecting property name enclosed in double quotes"),
            ("", 0, "Expecting value"),
            ("[1,]", 3, "Expecting value"),
            ("{\"a\" 1}", 5, "Expecting ':' delimiter"),
            ("{\"a\": 1 \"b\"}", 8, "Expecting ',' delimiter"),
            ("{\"a\": tru}", 6, "Expecting value"),
            ("\"abc", 0, "Unterminated string starting at"),
            ("{} {}", 3, "Extra data"),
            ("01", 1, "Extra data"),
            ("\"a\\x\"", 2, "Invalid \\escape"),
        ] {
            assert_eq!(first_error(text), Some((place, what)), "{text}");
        }
        assert_eq!(first_error(" [1, {\"a\": [true, null, -1.5e3]}] "), None);
    }

    #[test]
    fn a_list_is_given_up_once_it_is_too_long() {
        let list = |text: &str| parse_list(text.as_bytes(), 3).map_err(|fault| fault.kind);
        assert!(matches!(list("[1, {}, []]"), Ok(Listed::List(values)) if values.len() == 3));
        // What comes after is not looked at.
        assert!(matches!(list("[1, 2, 3, 4, nonsense"), Ok(Listed::TooLong)));
        assert!(matches!(
            list(" {\"a\": 1}"),
            Ok(Listed::Other(Value::Object(_)))
        ));
        let long = format!("\"{}\"", "x".repeat(20_000));
        assert!(matches!(list(&long), Ok(Listed::Other(Value::Null))));
        for broken in ["[1, 2", "[1] 2", "[1,]", "", &long[..19_000]] {
            assert_eq!(list(broken).err(), Some("json_invalid"), "{broken:.20}");
        }
    }

    #[test]
    fn deep_nesting_and_endless_numbers_are_refused() {
        for text in [
            "[".repeat(100_000),
            "1e400".to_owned(),
            "{\"a\":".repeat(5_000),
        ] {
            let fault = parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault.kind, "json_invalid");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn it_finds_an_error_exactly_where_there_is_one(text in r#"[\[\]{}",:0-9a-z\\ .-]{0,24}"#) {
            let is_json = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert_eq!(first_error(&text).is_none(), is_json, "{}", text);
        }
    }
}
