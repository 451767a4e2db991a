//! The rows of a JSON file: one object per line, objects one after another, a list of objects, or lists
//! within an object. The content decides which, not the name of the file.
//!
//! Objects are cut out of the text one by one; a file is never in memory as a whole. An object that
//! is broken costs one row: reading goes on with the next line that begins with an object.

use crate::error::ImportError;
use crate::format::Columns;
use crate::report::RejectReason;
use crate::table::Fault;
use crate::text::{MAX_LINE, Next, Text};
use memchr::{memchr, memchr_iter};
use serde_json::{Map, Value};
use std::path::Path;

/// Number of rows and of bytes that are read to find out how a file is made.
const TRIED_ROWS: usize = 20;
const TRIED_BYTES: u64 = 1 << 20;

/// How rows are laid out in a JSON file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// One object per line.
    Lines,
    /// Objects of the outermost list.
    Lists,
    /// Objects one after another, each on any number of lines.
    Objects,
}

/// The rows of a JSON file.
pub(crate) struct Rows<'p> {
    text: Text<'p>,
    layout: Layout,
    /// The row that was found last.
    row: Vec<u8>,
    scan: Scan,
}

/// A row that was found.
pub(crate) struct Found {
    /// The line on which it begins.
    pub(crate) line: u64,
    /// What is wrong, if it is no whole object.
    pub(crate) fault: Option<Fault>,
}

impl Found {
    fn whole(line: u64) -> Self {
        Self { line, fault: None }
    }

    fn broken(line: u64, fault: Fault) -> Self {
        Self {
            line,
            fault: Some(fault),
        }
    }
}

/// Whether a text can be JSON: the first byte that is not blank opens an object or a list.
pub(crate) fn is_json(head: &[u8]) -> bool {
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
}

impl<'p> Rows<'p> {
    /// Opens a file and finds out how its rows are laid out: as it gives rows with known columns.
    /// The second value says whether there was such a row.
    pub(crate) fn open(
        path: &'p Path,
        known: &dyn Fn(&Columns<'_>) -> bool,
    ) -> Result<(Self, bool), ImportError> {
        let text = Text::open(path)?;
        let list = text.unread().trim_ascii_start().starts_with(b"[");
        let layouts: &[Layout] = if list {
            &[Layout::Lists]
        } else {
            &[Layout::Lines, Layout::Lists, Layout::Objects]
        };
        // The first layout without a broken row wins, else the one with the most good rows. Objects over
        // several lines come last: to them a broken line is no fault.
        let mut best: Option<(usize, Layout)> = None;
        for layout in layouts {
            if *layout == Layout::Objects && best.is_some() {
                break;
            }
            let (good, broken) = Self::try_out(path, *layout, known)?;
            if good > 0 && best.is_none_or(|best| good >= best.0) {
                best = Some((good, *layout));
            }
            if good > 0 && broken == 0 {
                break;
            }
        }
        let otherwise = if list { Layout::Lists } else { Layout::Lines };
        let layout = best.map_or(otherwise, |(_, layout)| layout);
        Ok((Self::with(text, layout), best.is_some()))
    }

    /// Among the first rows of a layout, the number of those with known columns and of broken ones.
    fn try_out(
        path: &Path,
        layout: Layout,
        known: &dyn Fn(&Columns<'_>) -> bool,
    ) -> Result<(usize, usize), ImportError> {
        let mut rows = Rows::with(Text::open(path)?, layout);
        let (mut good, mut broken) = (0, 0);
        for _ in 0..TRIED_ROWS {
            let Some(found) = rows.next_within(TRIED_BYTES)? else {
                break;
            };
            let fields = serde_json::from_slice::<Map<String, Value>>(&rows.row);
            let (None, Ok(fields)) = (found.fault, fields) else {
                broken += 1;
                continue;
            };
            let names: Vec<&str> = fields.keys().map(String::as_str).collect();
            good += usize::from(known(&Columns(&names)));
        }
        Ok((good, broken))
    }

    /// Opens a file whose rows are in lists within the objects of the outermost list:
    /// `[{"name": [row, row]}]`.
    pub(crate) fn of_inner_lists(path: &'p Path) -> Result<Self, ImportError> {
        let mut rows = Self::with(Text::open(path)?, Layout::Lists);
        rows.scan.lists = 2;
        Ok(rows)
    }

    fn with(text: Text<'p>, layout: Layout) -> Self {
        Self {
            text,
            layout,
            row: Vec::new(),
            scan: Scan::new(layout == Layout::Objects),
        }
    }

    /// Number of bytes of the file read so far.
    pub(crate) fn position(&self) -> u64 {
        self.text.position()
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Found>, ImportError> {
        self.next_within(u64::MAX)
    }

    /// The text of the row that was found last.
    pub(crate) fn row(&self) -> &[u8] {
        &self.row
    }

    fn next_within(&mut self, bytes: u64) -> Result<Option<Found>, ImportError> {
        match self.layout {
            Layout::Lines => self.next_line(),
            Layout::Lists | Layout::Objects => self.next_object(bytes),
        }
    }

    fn next_line(&mut self) -> Result<Option<Found>, ImportError> {
        loop {
            let number = self.text.line_number();
            let line = match self.text.line_at(0)? {
                Next::End => return Ok(None),
                Next::TooLong => return Ok(Some(Found::broken(number, too_long()))),
                Next::Line(line) => line,
            };
            let bytes = self.text.unread()[..line.end].trim_ascii();
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            // Lines cut out of a list end with its commas.
            let bytes = bytes.strip_suffix(b",").unwrap_or(bytes).trim_ascii();
            self.row.clear();
            self.row.extend_from_slice(bytes);
            self.text.consume(line.next, u64::from(line.ended));
            if !self.row.is_empty() {
                return Ok(Some(Found::whole(number)));
            }
        }
    }

    fn next_object(&mut self, most: u64) -> Result<Option<Found>, ImportError> {
        self.row.clear();
        let mut looked_at = 0;
        loop {
            let (mut line, chunk) = (self.text.line_number(), self.text.chunk()?);
            if chunk.is_empty() || looked_at > most {
                let open = self.scan.at_end();
                let fault = || broken("the object is never closed");
                return Ok(open.map(|line| Found::broken(line, fault())));
            }
            let before = line;
            let mut used = 0;
            let mut found = None;
            while let Some(byte) = chunk.get(used) {
                used += 1;
                let step = self.scan.step(*byte, line);
                line += u64::from(*byte == b'\n');
                match step {
                    Step::Outside => {}
                    Step::Row => self.row.push(*byte),
                    Step::Begins => {
                        self.row.clear();
                        // Nearly all objects are whole: they are cut out at once.
                        if let Some(object) = whole_object(&chunk[used - 1..]) {
                            self.row.extend_from_slice(object);
                            used += object.len() - 1;
                            line += line_breaks(object);
                            self.scan.skipped_row();
                            found = Some(Ok(()));
                            break;
                        }
                        self.row.push(*byte);
                    }
                    Step::Ends => {
                        self.row.push(*byte);
                        found = Some(Ok(()));
                        break;
                    }
                    Step::Broken { again } => {
                        if again {
                            used -= 1;
                            line -= u64::from(*byte == b'\n');
                        }
                        found = Some(Err(broken("an object or text in it is never closed")));
                        break;
                    }
                    Step::NoObject => {
                        found = Some(Err(broken("an element of the list is not an object")));
                        break;
                    }
                }
                if self.row.len() > MAX_LINE {
                    self.scan.give_up();
                    found = Some(Err(too_long()));
                    break;
                }
            }
            looked_at += used as u64;
            self.text.consume(used, line - before);
            match found {
                None => {}
                Some(Ok(())) => return Ok(Some(Found::whole(self.scan.begun))),
                Some(Err(fault)) => return Ok(Some(Found::broken(self.scan.begun, fault))),
            }
        }
    }
}

/// The number of line breaks in an object. Most are so short that a call of memchr takes longer.
fn line_breaks(object: &[u8]) -> u64 {
    let count = |some: &[u8]| some.iter().map(|byte| u8::from(*byte == b'\n')).sum::<u8>();
    object.chunks(255).map(|some| u64::from(count(some))).sum()
}

fn too_long() -> Fault {
    broken("an object is longer than 1 MiB")
}

fn broken(what: &str) -> Fault {
    (RejectReason::NotJson, format!("not JSON: {what}"))
}

/// Bytes that mean something outside of texts, and those that do in them.
const OUTSIDE: u8 = 1;
const IN_TEXT: u8 = 2;
static MEANS: [u8; 256] = {
    let mut means = [0; 256];
    means[b'"' as usize] = OUTSIDE | IN_TEXT;
    means[b'\\' as usize] = IN_TEXT;
    means[b'\n' as usize] = IN_TEXT;
    means[b'{' as usize] = OUTSIDE;
    means[b'[' as usize] = OUTSIDE;
    means[b'}' as usize] = OUTSIDE;
    means[b']' as usize] = OUTSIDE;
    means
};
/// Most objects and lists within each other that are cut out at once.
const DEEPEST: u32 = 64;

/// The object at the beginning of a text, if it is there to its end and nothing in it may be damage. What
/// this passes over, [`Scan`] finds byte by byte.
fn whole_object(text: &[u8]) -> Option<&[u8]> {
    let skip = |from: usize, kind: u8| {
        let rest = text.get(from..)?;
        let place = rest
            .iter()
            .position(|byte| MEANS[usize::from(*byte)] & kind != 0);
        Some(from + place?)
    };
    // A bit for each open part: 1 is a list.
    let mut open: u64 = 0;
    let mut depth: u32 = 0;
    let mut place = 0;
    loop {
        match text[place] {
            b'"' => loop {
                place = skip(place + 1, IN_TEXT)?;
                match text[place] {
                    b'"' => break,
                    b'\\' if *text.get(place + 1)? != b'\n' => place += 1,
                    // A line break: the quote was never closed.
                    _ => return None,
                }
            },
            b'{' | b'[' if depth == DEEPEST => return None,
            b'[' => {
                open = (open << 1) | 1;
                depth += 1;
            }
            b'{' => {
                if depth > 0 && !may_begin(&text[..place], open & 1 == 1) {
                    return None;
                }
                open <<= 1;
                depth += 1;
            }
            _ => {
                open >>= 1;
                depth -= 1;
                if depth == 0 {
                    return text.get(..=place).filter(|object| object.len() <= MAX_LINE);
                }
            }
        }
        place = skip(place + 1, OUTSIDE)?;
    }
}

/// Whether an object may begin after a text: on a line of its own only where a value may stand, since
/// otherwise what is before was never closed.
fn may_begin(before: &[u8], in_list: bool) -> bool {
    let last = before.iter().rposition(|byte| !byte.is_ascii_whitespace());
    let Some(last) = last else {
        return false;
    };
    if memchr(b'\n', &before[last..]).is_none() {
        return true;
    }
    match before[last] {
        b':' => !in_list,
        b'[' | b',' => in_list,
        _ => false,
    }
}

/// What a byte is.
enum Step {
    /// Not part of a row.
    Outside,
    /// The first byte of a row.
    Begins,
    /// Part of a row.
    Row,
    /// The last byte of a row.
    Ends,
    /// A row ends here without being whole; `again`: the byte begins the next one.
    Broken { again: bool },
    /// An element of a list that is not an object begins.
    NoObject,
}

/// Finds objects in a text, byte by byte.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the last bytes"
)]
struct Scan {
    /// Whether objects outside any list are rows.
    outside_lists: bool,
    /// Number of lists around the rows, one within the other.
    lists: usize,
    /// Open objects and lists around the rows, and those within the row.
    around: Vec<u8>,
    within: Vec<u8>,
    in_text: bool,
    escaped: bool,
    /// The last byte that is not blank, outside of texts.
    last: u8,
    /// Whether only blanks have come since the line began.
    fresh: bool,
    /// Whether the rest of a broken row is skipped.
    lost: bool,
    /// The line on which the row begins.
    begun: u64,
}

impl Scan {
    fn new(outside_lists: bool) -> Self {
        Self {
            outside_lists,
            lists: 1,
            around: Vec::new(),
            within: Vec::new(),
            in_text: false,
            escaped: false,
            last: 0,
            fresh: true,
            lost: false,
            begun: 1,
        }
    }

    /// A row was read to its end without this.
    fn skipped_row(&mut self) {
        self.within.clear();
        (self.last, self.fresh) = (b'}', false);
    }

    /// At the end of the file: the line of a row that is not closed.
    fn at_end(&mut self) -> Option<u64> {
        let open = !self.within.is_empty();
        self.within.clear();
        open.then_some(self.begun)
    }

    /// Skips the rest of the row.
    fn give_up(&mut self) {
        self.within.clear();
        (self.in_text, self.lost, self.fresh) = (false, true, false);
    }

    fn step(&mut self, byte: u8, line: u64) -> Step {
        if byte == b'\n' {
            self.fresh = true;
            if self.in_text {
                // A text in JSON has no line break: its quote was never closed.
                let lost = !self.within.is_empty();
                self.in_text = false;
                if lost {
                    self.give_up();
                    self.fresh = true;
                    return Step::Broken { again: false };
                }
            }
            return self.inside();
        }
        if self.in_text {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.in_text = false;
            }
            return self.inside();
        }
        if byte.is_ascii_whitespace() {
            return self.inside();
        }
        let fresh = std::mem::replace(&mut self.fresh, false);
        if self.lost {
            match byte {
                b'{' if fresh => self.lost = false,
                b',' => {
                    self.fresh = fresh;
                    return Step::Outside;
                }
                _ => return Step::Outside,
            }
        }
        let last = std::mem::replace(&mut self.last, byte);
        if self.within.is_empty() {
            return self.around(byte, last, line);
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' => {
                let allowed = match self.within.last() {
                    Some(b'{') => last == b':',
                    _ => matches!(last, b'[' | b','),
                };
                if fresh && !allowed {
                    // The row before was never closed, and this is the next one.
                    self.within.clear();
                    self.fresh = true;
                    self.last = b',';
                    return Step::Broken { again: true };
                }
                self.within.push(byte);
            }
            b'[' => self.within.push(byte),
            b'}' | b']' => {
                self.within.pop();
                if self.within.is_empty() {
                    return Step::Ends;
                }
            }
            _ => {}
        }
        Step::Row
    }

    fn inside(&self) -> Step {
        if self.within.is_empty() {
            Step::Outside
        } else {
            Step::Row
        }
    }

    /// A byte outside of rows.
    fn around(&mut self, byte: u8, last: u8, line: u64) -> Step {
        // In the list of rows, not in one around or beside it.
        let lists = || memchr_iter(b'[', &self.around).count();
        let in_list = self.around.last() == Some(&b'[') && lists() == self.lists;
        match byte {
            b'{' if in_list || (self.outside_lists && self.around.is_empty()) => {
                self.begun = line;
                self.within.push(byte);
                return Step::Begins;
            }
            b'{' | b'[' => self.around.push(byte),
            b'}' | b']' => {
                self.around.pop();
            }
            b'"' => self.in_text = true,
            _ => {}
        }
        // The first byte of an element; the others of a number or word come right after it.
        let begins = matches!(last, b'[' | b',');
        let is_element = matches!(byte, b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
        if in_list && self.around.len() == 1 && begins && is_element {
            self.begun = line;
            return Step::NoObject;
        }
        Step::Outside
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Length of the object at the beginning of a text, found byte by byte.
    fn slowly(text: &[u8]) -> Option<usize> {
        let mut scan = Scan::new(true);
        for (place, byte) in text.iter().enumerate() {
            match scan.step(*byte, 1) {
                Step::Begins | Step::Row => {}
                Step::Ends => return Some(place + 1),
                Step::Outside | Step::Broken { .. } | Step::NoObject => return None,
            }
        }
        None
    }

    fn objects() -> impl Strategy<Value = Vec<Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i32>().prop_map(Value::from),
            "\\PC{0,6}|[\"\\\\\n{}\\[\\],:]{0,6}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c\"{]{1,3}", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        });
        let object = prop::collection::btree_map("[a-c]{1,2}", value, 0..4);
        let object = object.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop::collection::vec(object, 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_object_is_cut_out_at_once_exactly_where_it_is_byte_by_byte(
            parts in prop::collection::vec(
                prop::sample::select(vec![
                    "{", "}", "}", "[", "]", "\"", "\\", "\n", ",", ":", " ", "a", "\"k\":",
                    "\"k\": {", "\n{", ",\n{", "[\n", "é",
                ]),
                0..24,
            ),
        ) {
            let text = format!("{{{}", parts.concat());
            let length = whole_object(text.as_bytes()).map(<[u8]>::len);
            prop_assert_eq!(length, slowly(text.as_bytes()), "{}", text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn the_objects_of_a_list_are_its_rows(objects in objects(), is_pretty in any::<bool>()) {
            let list = Value::from(objects.clone());
            let text = if is_pretty {
                serde_json::to_vec_pretty(&list).unwrap()
            } else {
                serde_json::to_vec(&list).unwrap()
            };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.json");
            std::fs::write(&path, text).unwrap();
            let mut rows = Rows::with(Text::open(&path).unwrap(), Layout::Lists);
            let mut found = Vec::new();
            while let Some(row) = rows.next().unwrap() {
                prop_assert!(row.fault.is_none());
                found.push(serde_json::from_slice::<Value>(rows.row()).unwrap());
            }
            prop_assert_eq!(found, objects);
        }
    }
}
