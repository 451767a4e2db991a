//! A table of text, row by row: columns by name, cells as text, lines counted.
//!
//! Cells are separated by commas, semicolons, tabs or bars, as in the line with the names of the columns.
//! That line may come after others: a title, comments, a line about the export. A row may have line
//! breaks in quotes. If a quote is never closed, one row is lost and reading goes on with the next line.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, same};
use crate::report::{Reject, RejectReason};
use crate::sample::{Confidence, Content, Sample};
use crate::text::{MAX_LINE, Next, Text};
use memchr::{memchr, memchr_iter};
use std::path::Path;

/// Maximum length of a row with line breaks in quotes; a longer one has a quote that is not closed.
const MAX_QUOTED: usize = 1 << 16;
/// Maximum number of columns.
const MAX_COLUMNS: usize = 10_000;
/// Number of lines among which the names of the columns are.
const HEADER_LINES: usize = 40;
/// Number of rows that show which separator they have.
const FIRST_ROWS: usize = 5;
/// Separators of cells, in the order in which they are tried.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;

/// A table and its header.
pub(crate) struct Table<'p> {
    text: Text<'p>,
    delimiter: u8,
    header: Vec<String>,
    /// Number of cells up to the last required column.
    least: usize,
    cells: Cells,
    /// Bytes and lines of the last row, which is consumed with the next one.
    taken: (usize, u64),
    told: u64,
}

impl<'p> Table<'p> {
    pub(crate) fn open(path: &'p Path, format: &FormatReader) -> Result<Self, ImportError> {
        Self::open_with(path, &|columns| {
            let sample = Sample {
                path,
                content: Content::Table(Columns(columns.0)),
            };
            (format.recognises)(&sample) > Confidence::No
        })
    }

    /// Opens a table whose header is the first line with known columns, else its first line.
    pub(crate) fn open_with(
        path: &'p Path,
        known: &dyn Fn(&Columns<'_>) -> bool,
    ) -> Result<Self, ImportError> {
        let mut text = Text::open(path)?;
        let unrecognised = |what: String| ImportError::Unrecognised {
            path: path.to_owned(),
            what,
        };
        if text.chunk()?.is_empty() {
            return Err(unrecognised("an empty file".to_owned()));
        }
        let found = header_of(&mut text, known)?;
        let Some(header) = found.header else {
            let long = format!(
                "a table whose first line is longer than {} MiB",
                MAX_LINE >> 20
            );
            return Err(unrecognised(long));
        };
        if header.names.len() > MAX_COLUMNS {
            let count = header.names.len();
            return Err(unrecognised(format!(
                "a table with too many columns ({count})"
            )));
        }
        text.consume(header.next, header.lines);
        Ok(Self {
            text,
            delimiter: header.delimiter,
            header: header.names,
            least: 0,
            cells: Cells::default(),
            taken: (0, 0),
            told: 0,
        })
    }

    /// The names of the columns.
    pub(crate) fn names(&self) -> &[String] {
        &self.header
    }

    /// The error of a column that is missing.
    pub(crate) fn missing(&self, column: String) -> ImportError {
        ImportError::MissingColumn {
            path: self.text.path().to_owned(),
            column,
            found: shown(&self.header),
        }
    }

    /// Index of the first column with one of these names.
    pub(crate) fn column(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.header.iter().position(|found| same(found, name)))
    }

    /// Index of the last column with one of these names.
    pub(crate) fn last_column(&self, names: &[&str]) -> Option<usize> {
        let found = |name: &String| names.iter().any(|wanted| same(name, wanted));
        self.header.iter().rposition(found)
    }

    /// Index of a required column.
    pub(crate) fn required(&mut self, names: &[&str]) -> Result<usize, ImportError> {
        let column = self
            .column(names)
            .ok_or_else(|| self.missing(names.join(" or ")))?;
        self.least = self.least.max(column + 1);
        Ok(column)
    }

    /// The next valid row: its cells are text and match the header; other rows are rejected. `None` at
    /// the end of the file.
    pub(crate) fn next(
        &mut self,
        importer: &mut Importer<'_>,
    ) -> Result<Option<Row<'_>>, ImportError> {
        loop {
            let found = self.advance()?;
            self.told += 1;
            if matches!(found, Found::End) || self.told.is_multiple_of(PROGRESS_ROWS) {
                importer.progress(self.text.path(), self.text.position())?;
            }
            match found {
                Found::End => return Ok(None),
                Found::Row => {
                    importer.report.rows_read += 1;
                    break;
                }
                Found::Fault(line, (reason, message)) => {
                    importer.report.rows_read += 1;
                    importer.reject(Reject {
                        file: self.text.path().to_owned(),
                        line,
                        reason,
                        message,
                    })?;
                }
            }
        }
        Ok(Some(self.row()))
    }

    /// The next row of a first look at the table: what is wrong is not told.
    pub(crate) fn peek(&mut self) -> Result<Option<Row<'_>>, ImportError> {
        loop {
            match self.advance()? {
                Found::End => return Ok(None),
                Found::Row => return Ok(Some(self.row())),
                Found::Fault(..) => {}
            }
        }
    }

    /// Number of bytes of the file read so far.
    pub(crate) fn position(&self) -> u64 {
        self.text.position()
    }

    /// Whether the table has been read to its end.
    pub(crate) fn at_end(&self) -> bool {
        self.text.is_whole() && self.text.unread().len() <= self.taken.0
    }

    fn row(&self) -> Row<'_> {
        let bytes = self.cells.bytes(&self.text);
        Row {
            table: self,
            // Rows that are not UTF-8 do not come this far.
            text: std::str::from_utf8(bytes).unwrap_or(""),
        }
    }

    /// Finds the cells of the next row.
    fn advance(&mut self) -> Result<Found, ImportError> {
        loop {
            let (bytes, lines) = std::mem::take(&mut self.taken);
            self.text.consume(bytes, lines);
            let number = self.text.line_number();
            let line = match self.text.line_at(0)? {
                Next::End => return Ok(Found::End),
                Next::TooLong => {
                    let message = "the line is longer than 1 MiB".to_owned();
                    return Ok(Found::Fault(number, (RejectReason::WrongLength, message)));
                }
                Next::Line(line) => line,
            };
            self.taken = (line.next, u64::from(line.ended));
            let bytes = &self.text.unread()[..line.end];
            if self.is_blank(bytes) {
                continue;
            }
            let mut ended = line.ended;
            if memchr(b'"', bytes).is_none() {
                self.cells.split(bytes, self.delimiter);
            } else if let Some((next, lines, whole)) = self.quoted(line.end, line.next)? {
                self.taken = (next, lines + u64::from(whole));
                ended = whole;
                if lines > 0 && self.cells.ranges.len() != self.header.len() {
                    // The quote was closed by the opening one of another row.
                    self.taken = (line.next, 1);
                    return Ok(Found::Fault(number, never_closed()));
                }
            } else {
                return Ok(Found::Fault(number, never_closed()));
            }
            return Ok(match self.fault(ended) {
                Some(fault) => Found::Fault(number, fault),
                None => Found::Row,
            });
        }
    }

    /// Whether a line says nothing: blanks and separators only.
    fn is_blank(&self, line: &[u8]) -> bool {
        line.first().is_none_or(|first| {
            (first.is_ascii_whitespace() || *first == self.delimiter)
                && line
                    .iter()
                    .all(|byte| byte.is_ascii_whitespace() || *byte == self.delimiter)
        })
    }

    /// Reads a row with quotes from its first line, which ends at `end`: the beginning of the next row,
    /// the number of line breaks in the row, and whether the row has an end. `None` if a quote is not closed.
    fn quoted(
        &mut self,
        end: usize,
        next: usize,
    ) -> Result<Option<(usize, u64, bool)>, ImportError> {
        let mut state = State::Start;
        self.cells.begin_copy();
        let (mut from, mut end, mut next, mut lines) = (0, end, next, 0);
        loop {
            let line = &self.text.unread()[from..end];
            match self.cells.copy(line, self.delimiter, state, lines > 0) {
                None => return Ok(None),
                Some(State::Quoted) => {}
                Some(State::Start | State::Plain | State::Closed) => {
                    return Ok(Some((next, lines, next > end)));
                }
            }
            if next > MAX_QUOTED {
                return Ok(None);
            }
            let Next::Line(line) = self.text.line_at(next)? else {
                return Ok(None);
            };
            let line_break = &self.text.unread()[end..next];
            self.cells.copied.extend_from_slice(line_break);
            (from, end, next) = (next, line.end, line.next);
            (state, lines) = (State::Quoted, lines + 1);
        }
    }

    /// What is wrong with the cells of the row, if anything.
    fn fault(&mut self, ended: bool) -> Option<Fault> {
        self.cells.join_json(self.header.len(), &self.text);
        let (found, expected) = (self.cells.ranges.len(), self.header.len());
        let bytes = self.cells.bytes(&self.text);
        if found != expected {
            let is_empty = |range: &(u32, u32)| {
                bytes[range.0 as usize..range.1 as usize]
                    .trim_ascii()
                    .is_empty()
            };
            let fits = if found > expected {
                // Cells without a column say nothing if they are empty.
                self.cells.ranges[expected..].iter().all(is_empty)
            } else {
                // Spreadsheets leave out empty cells at the end. Half a line at the end of a file is
                // something else.
                let unnamed = self.header[found..].iter().all(String::is_empty);
                unnamed || (ended && found >= self.least && found > 1)
            };
            if !fits {
                return Some((
                    RejectReason::WrongLength,
                    format!("the number of cells is {found}, expected {expected} as in the header"),
                ));
            }
        }
        if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() {
            let message = "the row is not UTF-8 text".to_owned();
            return Some((RejectReason::NotUtf8, message));
        }
        None
    }
}

fn never_closed() -> Fault {
    (
        RejectReason::OpenQuote,
        "a quote in the row is never closed".to_owned(),
    )
}

/// What comes next in a table.
enum Found {
    Row,
    /// A row that cannot be read: its line, and why.
    Fault(u64, Fault),
    End,
}

/// The cells of a row.
#[derive(Default)]
struct Cells {
    /// Beginning and end of each cell.
    ranges: Vec<(u32, u32)>,
    /// The text of a row with quotes, without them. Other rows are read where they stand.
    copied: Vec<u8>,
    is_copy: bool,
    /// Beginning of the cell that is being copied.
    begun: usize,
}

/// Where in a row with quotes reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a cell.
    Start,
    /// In a cell without quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// After the closing quote.
    Closed,
}

impl Cells {
    /// Splits a row without quotes.
    fn split(&mut self, line: &[u8], delimiter: u8) {
        self.is_copy = false;
        self.ranges.clear();
        let mut begun = 0;
        for end in memchr_iter(delimiter, line) {
            self.ranges.push((begun, end as u32));
            begun = end as u32 + 1;
        }
        self.ranges.push((begun, line.len() as u32));
    }

    fn begin_copy(&mut self) {
        self.is_copy = true;
        self.ranges.clear();
        self.copied.clear();
        self.begun = 0;
    }

    fn end_cell(&mut self) {
        let range = (self.begun as u32, self.copied.len() as u32);
        self.ranges.push(range);
        self.begun = self.copied.len();
    }

    /// Copies the cells of a line without their quotes; the state at the end of the line. `None` if a cell
    /// with line breaks does not end after its closing quote.
    fn copy(
        &mut self,
        line: &[u8],
        delimiter: u8,
        mut state: State,
        several_lines: bool,
    ) -> Option<State> {
        // Only the first cell of a later line has line breaks.
        let mut broken = several_lines;
        let mut place = 0;
        while place < line.len() {
            let rest = &line[place..];
            match state {
                State::Start => {
                    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
                    if rest.get(blanks) == Some(&b'"') {
                        place += blanks + 1;
                        state = State::Quoted;
                    } else {
                        state = State::Plain;
                    }
                }
                State::Plain | State::Closed => {
                    let end = memchr(delimiter, rest).unwrap_or(rest.len());
                    if state == State::Plain || !rest[..end].trim_ascii().is_empty() {
                        if broken {
                            return None;
                        }
                        self.copied.extend_from_slice(&rest[..end]);
                    }
                    place += end;
                    if place == line.len() {
                        break;
                    }
                    self.end_cell();
                    (state, broken) = (State::Start, false);
                    place += 1;
                    if place == line.len() {
                        break;
                    }
                }
                State::Quoted => {
                    let Some(end) = memchr(b'"', rest) else {
                        self.copied.extend_from_slice(rest);
                        return Some(State::Quoted);
                    };
                    self.copied.extend_from_slice(&rest[..end]);
                    place += end + 1;
                    if line.get(place) == Some(&b'"') {
                        self.copied.push(b'"');
                        place += 1;
                    } else {
                        state = State::Closed;
                    }
                }
            }
        }
        if state != State::Quoted {
            self.end_cell();
        }
        Some(state)
    }

    /// JSON without quotes in the last column has commas of its own: its pieces are one cell.
    fn join_json(&mut self, expected: usize, text: &Text<'_>) {
        let Some(first) = expected
            .checked_sub(1)
            .filter(|_| self.ranges.len() > expected)
        else {
            return;
        };
        let bytes = self.bytes(text);
        let cell = |range: &(u32, u32)| bytes.get(range.0 as usize..range.1 as usize);
        let begins = self
            .ranges
            .get(first)
            .and_then(cell)
            .map(<[u8]>::trim_ascii);
        let ends = self.ranges.last().and_then(cell).map(<[u8]>::trim_ascii);
        let is_json = begins.is_some_and(|cell| cell.starts_with(b"[") || cell.starts_with(b"{"))
            && ends.is_some_and(|cell| cell.ends_with(b"]") || cell.ends_with(b"}"));
        if let (true, Some(last)) = (is_json, self.ranges.last().copied()) {
            self.ranges.truncate(expected);
            if let Some(cell) = self.ranges.last_mut() {
                cell.1 = last.1;
            }
        }
    }

    fn bytes<'a>(&'a self, text: &'a Text<'_>) -> &'a [u8] {
        if self.is_copy {
            return &self.copied;
        }
        let end = self.ranges.last().map_or(0, |range| range.1 as usize);
        text.unread().get(..end).unwrap_or_default()
    }
}

/// The line with the names of the columns.
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    /// Separator of the cells of the rows.
    delimiter: u8,
    /// Bytes and lines up to the first row.
    next: usize,
    lines: u64,
}

/// The header that was found.
pub(crate) struct FoundHeader {
    /// `None` if the first line is too long.
    pub(crate) header: Option<Header>,
    /// Whether its columns are known; if not, it is just the first line.
    pub(crate) known: bool,
}

/// Finds the line with the names of the columns: the first whose columns are known.
pub(crate) fn header_of(
    text: &mut Text<'_>,
    known: &dyn Fn(&Columns<'_>) -> bool,
) -> Result<FoundHeader, ImportError> {
    let (mut offset, mut lines) = (0, 0);
    let mut first = None;
    for _ in 0..HEADER_LINES {
        let Next::Line(mut line) = text.line_at(offset)? else {
            break;
        };
        lines += u64::from(line.ended);
        // A name may have a line break in quotes.
        while memchr_iter(b'"', &text.unread()[offset..line.end]).count() % 2 == 1
            && line.end - offset < MAX_QUOTED / 16
            && let Next::Line(more) = text.line_at(line.next)?
        {
            line = more;
            lines += u64::from(line.ended);
        }
        let bytes = &text.unread()[offset..line.end];
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if !bytes.trim_ascii().is_empty() {
            for delimiter in DELIMITERS {
                let names = names(bytes, delimiter);
                let (next, lines) = (line.next, lines);
                let words: Vec<&str> = names.iter().map(String::as_str).collect();
                let is_known = known(&Columns(&words));
                let header = Header {
                    names,
                    delimiter,
                    next,
                    lines,
                };
                if is_known {
                    let delimiter = delimiter_of_rows(text, &header)?;
                    return Ok(FoundHeader {
                        header: Some(Header {
                            delimiter,
                            ..header
                        }),
                        known: true,
                    });
                }
                // Without known columns: the first line, cut where it has the most cells.
                let most = first.as_ref().map(|header: &Header| header.names.len());
                let is_first = first.as_ref().is_none_or(|header| header.lines == lines);
                if is_first && most.is_none_or(|most| header.names.len() > most) {
                    first = Some(header);
                }
            }
        }
        offset = line.next;
    }
    Ok(FoundHeader {
        header: first,
        known: false,
    })
}

fn names(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut cells = Cells::default();
    cells.begin_copy();
    if cells.copy(line, delimiter, State::Start, false) == Some(State::Quoted) {
        cells.end_cell();
    }
    cells
        .ranges
        .iter()
        .map(|range| &cells.copied[range.0 as usize..range.1 as usize])
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect()
}

/// The separator of the first rows: that of the header, unless none of them is as wide as the header with
/// it and all are with another.
fn delimiter_of_rows(text: &mut Text<'_>, header: &Header) -> Result<u8, ImportError> {
    let mut rows: Vec<Vec<u8>> = Vec::new();
    let mut offset = header.next;
    while rows.len() < FIRST_ROWS {
        let Next::Line(line) = text.line_at(offset)? else {
            break;
        };
        let bytes = &text.unread()[offset..line.end];
        if !bytes.trim_ascii().is_empty() {
            rows.push(bytes.to_vec());
        }
        offset = line.next;
    }
    let width = header.names.len();
    let is_wide = |row: &Vec<u8>, delimiter: u8| names(row, delimiter).len() == width;
    if rows.is_empty() || width < 2 || rows.iter().any(|row| is_wide(row, header.delimiter)) {
        return Ok(header.delimiter);
    }
    let other = DELIMITERS
        .into_iter()
        .find(|other| rows.iter().all(|row| is_wide(row, *other)));
    Ok(other.unwrap_or(header.delimiter))
}

/// The columns of the header, for messages. A line that is not made of names is not shown: it may be a
/// row with health values.
fn shown(header: &[String]) -> String {
    const MOST: usize = 40;
    let is_name = |name: &String| {
        let mut letters = name.chars();
        letters
            .next()
            .is_none_or(|first| first.is_alphabetic() || matches!(first, '_' | '#'))
            && !letters.any(|letter| matches!(letter, '{' | '}' | '[' | ']' | '"' | ':' | '='))
    };
    if !header.iter().all(is_name) {
        return "a first line that is no list of names".to_owned();
    }
    let name = |name: &String| name.chars().take(60).collect::<String>();
    let mut names: Vec<String> = header.iter().take(MOST).map(name).collect();
    if header.len() > MOST {
        names.push(format!("… ({} in all)", header.len()));
    }
    names.join(", ")
}

/// A row with its line number.
pub(crate) struct Row<'t> {
    table: &'t Table<'t>,
    text: &'t str,
}

/// The reason of a rejected row.
pub(crate) type Fault = (RejectReason, String);

impl<'t> Row<'t> {
    /// A cell without surrounding spaces; empty if there is no such column.
    pub(crate) fn text(&self, column: Option<usize>) -> &'t str {
        let Some(range) = column.and_then(|column| self.table.cells.ranges.get(column)) else {
            return "";
        };
        let cell = self.text.get(range.0 as usize..range.1 as usize);
        trimmed(cell.unwrap_or(""))
    }

    /// A number, or `None` for an empty cell.
    pub(crate) fn number(&self, column: Option<usize>, name: &str) -> Result<Option<f64>, Fault> {
        crate::numbers::number(self.text(column), name)
    }

    /// The file that it is in.
    pub(crate) fn file(&self) -> &'t Path {
        self.table.text.path()
    }

    /// Its line in the file.
    pub(crate) fn line(&self) -> u64 {
        self.table.text.line_number()
    }

    /// The whole row as bytes, to detect repeated rows.
    pub(crate) fn fingerprint(&self) -> Vec<u8> {
        let ranges = self.table.cells.ranges.iter();
        ranges
            .map(|range| &self.text.as_bytes()[range.0 as usize..range.1 as usize])
            .collect::<Vec<_>>()
            .join(&0x1f)
    }

    pub(crate) fn reject(&self, (reason, message): Fault) -> Reject {
        Reject {
            file: self.table.text.path().to_owned(),
            line: self.table.text.line_number(),
            reason,
            message,
        }
    }
}

/// A text without surrounding blanks; nearly always it has none.
fn trimmed(text: &str) -> &str {
    let bytes = text.as_bytes();
    match (bytes.first(), bytes.last()) {
        (Some(0x21..=0x7e), Some(0x21..=0x7e)) => text,
        _ => text.trim(),
    }
}
