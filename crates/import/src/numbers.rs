//! Numbers in cells: decimal signs, grouped thousands, units behind the number, and the words that mean
//! "not measured".
//!
//! `1.234,5` and `1,234.5` say what they mean. `9.214` does not: it may be nine and a bit, or nine
//! thousand. The whole column decides (see [`crate::survey`]); while it is undecided such a number is
//! refused, never guessed.

use crate::report::RejectReason;
use crate::table::Fault;
use vitalcast_domain::Unit;

/// The content of a cell that should hold a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// Nothing.
    Empty,
    /// A word that means "not measured".
    NotMeasured,
    /// A number, and the unit behind it, if there is one.
    Value(f64, Option<Unit>),
}

/// What a dot or comma means that stands before exactly three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A decimal sign.
    Decimal,
    /// It groups thousands.
    Grouping,
    /// Unknown: such a number is refused.
    Unclear,
}

/// The meanings of dot and comma in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) dot: Mark,
    pub(crate) comma: Mark,
}

impl Default for Marks {
    fn default() -> Self {
        Self {
            dot: Mark::Decimal,
            comma: Mark::Unclear,
        }
    }
}

/// The shape of a number that is written with a separator.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// No separator.
    Whole(f64),
    /// The dot (`true`) or comma can only be a decimal sign.
    Decimal(bool, f64),
    /// The separators can only group thousands, or both kinds are there.
    Clear(f64),
    /// The dot (`true`) or comma may be either: the number with a decimal sign, and grouped.
    Either(bool, f64, f64),
}

impl Cell {
    /// The number of a cell without a unit.
    pub(crate) fn number(self, name: &str) -> Result<Option<f64>, Fault> {
        match self {
            Self::Empty | Self::NotMeasured => Ok(None),
            Self::Value(value, None) => Ok(Some(value)),
            Self::Value(_, Some(_)) => Err(bad(name)),
        }
    }
}

/// Parses the number of a cell without a unit, where no column says how it is written: in JSON, or in the
/// numbers that a program writes.
pub(crate) fn number(text: &str, name: &str) -> Result<Option<f64>, Fault> {
    cell(text, name, Marks::default())?.number(name)
}

/// Whether a text is a number that only its column explains: with a dot or comma before three digits.
pub(crate) fn depends_on_column(text: &str) -> bool {
    plain(text).is_none()
        && split_unit(text)
            .is_some_and(|(digits, _)| matches!(shape(digits), Some(Shape::Either(..))))
}

/// Parses the number of a cell.
pub(crate) fn cell(text: &str, name: &str, marks: Marks) -> Result<Cell, Fault> {
    cell_with(text, name, || marks)
}

/// The same; what dots and commas mean is asked only for a number that needs it.
pub(crate) fn cell_with(
    text: &str,
    name: &str,
    marks: impl FnOnce() -> Marks,
) -> Result<Cell, Fault> {
    if text.is_empty() {
        return Ok(Cell::Empty);
    }
    if let Some(value) = plain(text) {
        return Ok(Cell::Value(value, None));
    }
    if is_not_measured(text) {
        return Ok(Cell::NotMeasured);
    }
    let (digits, unit) = split_unit(text).ok_or_else(|| bad(name))?;
    let (value, unclear) = match shape(digits) {
        None => match digits.parse::<f64>() {
            Ok(value) => (value, false),
            Err(_) => return Err(bad(name)),
        },
        Some(Shape::Whole(value) | Shape::Clear(value) | Shape::Decimal(_, value)) => {
            (value, false)
        }
        Some(Shape::Either(dot, decimal, grouped)) => {
            let marks = marks();
            match if dot { marks.dot } else { marks.comma } {
                Mark::Decimal => (decimal, false),
                Mark::Grouping => (grouped, false),
                Mark::Unclear => (decimal, true),
            }
        }
    };
    if unclear {
        return Err((
            RejectReason::BadNumber,
            format!(
                "{name} has a dot or comma before three digits, which may be a decimal sign or group \
                 thousands; the column does not say which: write the numbers without grouping"
            ),
        ));
    }
    if !value.is_finite() {
        return Err((
            RejectReason::NotFinite,
            format!("{name} is not a finite number"),
        ));
    }
    Ok(Cell::Value(value, unit))
}

/// The fast way: ASCII digits with at most one dot that cannot group thousands.
fn plain(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > 15 {
        return None;
    }
    let mut dot = None;
    let mut digits: u64 = 0;
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits = digits * 10 + u64::from(byte - b'0'),
            b'.' if dot.is_none() => dot = Some(place),
            _ => return None,
        }
    }
    let decimals = match dot {
        None => return Some(digits as f64),
        Some(place) => bytes.len() - place - 1,
    };
    if bytes.len() == 1 || (decimals == 3 && may_group(&bytes[..bytes.len() - 4])) {
        return None;
    }
    // Exact: both numbers are below 2^53, and one correctly rounded division of them is the nearest.
    Some(digits as f64 / TENS[decimals])
}

const TENS: [f64; 16] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// Whether digits can be the first group of a grouped number.
fn may_group(first: &[u8]) -> bool {
    (1..=3).contains(&first.len()) && first[0] != b'0'
}

/// Whether a word means "not measured".
pub(crate) fn is_not_measured(text: &str) -> bool {
    // Of people, of databases and programs that write tables, and of spreadsheets.
    const WORDS: [&str; 37] = [
        "na",
        "n/a",
        "n.a.",
        "n.d.",
        "n.v.",
        "k.a.",
        "nan",
        "nat",
        "<na>",
        "null",
        "(null)",
        "\\n",
        "none",
        "(none)",
        "nil",
        "undefined",
        "unknown",
        "missing",
        "no data",
        "not available",
        "not measured",
        "?",
        "??",
        "-",
        "--",
        "---",
        "--:--",
        "–",
        "—",
        ".",
        "..",
        "…",
        "#n/a",
        "#div/0!",
        "#value!",
        "#ref!",
        "#num!",
    ];
    text.len() <= 13 && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The number of a text, and the unit behind it.
fn split_unit(text: &str) -> Option<(&str, Option<Unit>)> {
    let after = text
        .rfind(|letter: char| letter.is_ascii_digit() || letter == '.')
        .map_or(0, |place| place + 1);
    let (digits, word) = text.split_at(after);
    let word = word.trim();
    // `1e308` and `inf` are numbers to the last letter; a unit such as `m2` is none that is read.
    if word.is_empty() || digits.is_empty() {
        return Some((text.trim(), None));
    }
    let unit = Unit::parse(word).ok()?;
    Some((digits.trim(), Some(unit)))
}

/// The shape of a number; `None` if its separators make no sense, or it is no number.
pub(crate) fn shape(text: &str) -> Option<Shape> {
    let (sign, digits) = match text.strip_prefix(['-', '−']) {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_group_mark = |letter: char| {
        matches!(
            letter,
            ' ' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}'
        )
    };
    let mut joined = String::new();
    let (mut dots, mut commas, mut marks, mut last) = (0, 0, 0, None);
    for letter in digits.chars() {
        match letter {
            '0'..='9' => {}
            '.' => (dots, last) = (dots + 1, Some('.')),
            ',' => (commas, last) = (commas + 1, Some(',')),
            letter if is_group_mark(letter) => marks += 1,
            _ => return None,
        }
        joined.push(letter);
    }
    let parse = |text: &str| text.parse::<f64>().ok().map(|value| sign * value);
    let Some(last) = last else {
        if marks == 0 {
            return parse(&joined).map(Shape::Whole);
        }
        return ungrouped(&joined, &is_group_mark).and_then(|text| parse(&text).map(Shape::Clear));
    };
    let dot = last == '.';
    let (these, others) = if dot { (dots, commas) } else { (commas, dots) };
    if others == 0 && marks == 0 && these == 1 {
        let (whole, decimals) = joined.split_once(last)?;
        let decimal = parse(&format!("{whole}.{decimals}"))?;
        if decimals.len() == 3 && may_group(whole.as_bytes()) {
            let grouped = parse(&format!("{whole}{decimals}"))?;
            return Some(Shape::Either(dot, decimal, grouped));
        }
        return Some(Shape::Decimal(dot, decimal));
    }
    if others == 0 && marks == 0 {
        let text = ungrouped(&joined, &|letter| letter == last)?;
        return parse(&text).map(Shape::Clear);
    }
    // Two kinds of separators: the last is the decimal sign and stands there once.
    if these != 1 {
        return None;
    }
    let (whole, decimals) = joined.split_once(last)?;
    let other = if dot { ',' } else { '.' };
    let whole = ungrouped(whole, &|letter| letter == other || is_group_mark(letter))?;
    parse(&format!("{whole}.{decimals}")).map(Shape::Clear)
}

/// The digits of a whole number whose groups are separated by one kind of mark.
fn ungrouped(text: &str, is_mark: &dyn Fn(char) -> bool) -> Option<String> {
    let groups: Vec<&str> = text.split(is_mark).collect();
    let mut kinds = text.chars().filter(|letter| is_mark(*letter));
    let kind = kinds.next();
    let fits = kinds.all(|other| Some(other) == kind)
        && (1..=3).contains(&groups.first()?.len())
        && groups[1..].iter().all(|group| group.len() == 3);
    fits.then(|| groups.concat())
}

/// What is said of a cell or field that should be a number and is none.
pub(crate) fn bad(name: &str) -> Fault {
    (
        RejectReason::BadNumber,
        format!("{name} is not a number, expected for example 12 or 12.5"),
    )
}

/// A span of time that is written in parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Span {
    /// Seconds: `7h 12m`, `PT7H12M`, `7:12:30`.
    Seconds(f64),
    /// `7:12`, which may be hours and minutes or minutes and seconds.
    Pair(f64, f64),
}

/// Parses a span of time that is written in parts; `None` for anything else, plain numbers too.
pub(crate) fn span(text: &str) -> Option<Span> {
    if text.contains(':') {
        let parts: Vec<&str> = text.split(':').collect();
        let whole = |part: &str, most: usize| -> Option<f64> {
            let digits =
                (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten()
        };
        let below_60 = |part: &str| whole(part, 2).filter(|value| *value < 60.0);
        return match parts.as_slice() {
            [first, second] => Some(Span::Pair(whole(first, 4)?, below_60(second)?)),
            [hours, minutes, seconds] => {
                let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
                let fraction: f64 = format!("0.{}", whole(fraction, 9).map(|_| fraction)?)
                    .parse()
                    .ok()?;
                Some(Span::Seconds(
                    whole(hours, 3)? * 3600.0
                        + below_60(minutes)? * 60.0
                        + below_60(seconds)?
                        + fraction,
                ))
            }
            _ => None,
        };
    }
    let lower = text.to_ascii_lowercase();
    let mut rest = lower.strip_prefix("pt").unwrap_or(&lower).trim();
    let mut seconds = 0.0;
    let mut last = f64::INFINITY;
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
            .unwrap_or(rest.len());
        let value: f64 = rest[..digits].parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|letter: char| !letter.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        let size = match &rest[..letters] {
            "h" | "hr" | "hrs" | "hour" | "hours" | "std" | "stunde" | "stunden" => 3_600.0,
            "m" | "min" | "mins" | "minute" | "minutes" | "minuten" => 60.0,
            "s" | "sec" | "secs" | "second" | "seconds" | "sek" | "sekunden" => 1.0,
            // `7h12`.
            "" if last == 3_600.0 && rest.is_empty() && digits <= 2 => 60.0,
            _ => return None,
        };
        // Larger parts come first, each once.
        if size >= last {
            return None;
        }
        (last, seconds) = (size, seconds + value * size);
        rest = rest[letters..].trim_start_matches([' ', ',', '.']);
    }
    last.is_finite().then_some(Span::Seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, marks: Marks) -> Option<f64> {
        match cell(text, "value", marks) {
            Ok(Cell::Value(value, None)) => Some(value),
            Ok(Cell::Value(..) | Cell::Empty | Cell::NotMeasured) | Err(_) => None,
        }
    }

    #[test]
    fn separators_that_say_what_they_mean_are_read() {
        for (text, expected) in [
            ("57", 57.0),
            ("57.5", 57.5),
            ("57,5", 57.5),
            ("0.214", 0.214),
            ("0,214", 0.214),
            (".5", 0.5),
            ("-1", -1.0),
            ("−1,5", -1.5),
            ("1.234,5", 1_234.5),
            ("1,234.5", 1_234.5),
            ("1.234.567", 1_234_567.0),
            ("1,234,567.25", 1_234_567.25),
            ("9 214", 9_214.0),
            ("9\u{202f}214,5", 9_214.5),
            ("9'214", 9_214.0),
            ("9214.000", 9_214.0),
            ("1e3", 1_000.0),
            ("89.603417", 89.603_417),
        ] {
            assert_eq!(value(text, Marks::default()), Some(expected), "{text}");
        }
        for wrong in [
            "1.23.4",
            "1,2,3",
            "1.234,567.8",
            "9 21",
            "1..2",
            "x",
            "1 x",
            "12 34",
        ] {
            assert_eq!(value(wrong, Marks::default()), None, "{wrong}");
        }
    }

    #[test]
    fn a_mark_before_three_digits_means_what_its_column_says() {
        let marks = |mark| Marks {
            dot: mark,
            comma: mark,
        };
        for text in ["9.214", "9,214"] {
            assert_eq!(value(text, marks(Mark::Decimal)), Some(9.214));
            assert_eq!(value(text, marks(Mark::Grouping)), Some(9_214.0));
            assert_eq!(value(text, marks(Mark::Unclear)), None);
        }
    }

    #[test]
    fn fast_numbers_are_the_nearest_ones() {
        for text in [
            "62.08",
            "0.1",
            "512.4",
            "2351.59",
            "123456789.123",
            "7.",
            "0.3000000000000",
        ] {
            assert_eq!(plain(text), text.parse().ok(), "{text}");
        }
        for text in ["", ".", "1.5e3", "9.214", "-1", "1.2.3"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn words_for_not_measured_and_units_behind_numbers_are_read() {
        for word in [
            "NA",
            "n/a",
            "NaN",
            "null",
            "None",
            "-",
            "--",
            "–",
            ".",
            "?",
            "<NA>",
            "\\N",
            "#DIV/0!",
            "not measured",
        ] {
            assert_eq!(cell(word, "x", Marks::default()), Ok(Cell::NotMeasured));
        }
        assert_eq!(
            cell("350 kcal", "x", Marks::default()),
            Ok(Cell::Value(350.0, Some(Unit::Kilocalories)))
        );
        assert_eq!(
            cell("1464kJ", "x", Marks::default()),
            Ok(Cell::Value(1_464.0, Some(Unit::Kilojoules)))
        );
        assert_eq!(
            cell("97 %", "x", Marks::default()),
            Ok(Cell::Value(97.0, Some(Unit::Percent)))
        );
    }

    #[test]
    fn spans_of_time_are_read() {
        for (text, seconds) in [
            ("7h 12m", 25_920.0),
            ("7 hr 12 min", 25_920.0),
            ("7 hours, 12 minutes", 25_920.0),
            ("7 Std. 12 Min.", 25_920.0),
            ("7h12", 25_920.0),
            ("PT7H12M", 25_920.0),
            ("PT45M30S", 2_730.0),
            ("7:12:30", 25_950.0),
            ("45 min", 2_700.0),
        ] {
            assert_eq!(span(text), Some(Span::Seconds(seconds)), "{text}");
        }
        assert_eq!(span("7:12"), Some(Span::Pair(7.0, 12.0)));
        for wrong in [
            "", "7", "7:60", "7:1:2:3", "12m 7h", "h", "PT", "7:x", "7 x", "7h120", "7m12",
        ] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
