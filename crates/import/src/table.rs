//! A table of text, row by row: columns by name, cells as text, lines counted.
//!
//! Cells are separated by commas, semicolons, tabs or bars, as in the line with the names of the columns.
//! That line may come after others: a title, comments, a line about the export. A row may have line
//! breaks in quotes. If a quote is never closed, one row is lost and reading goes on with the next line.
//!
//! What a dot or comma before three digits means, the whole column says ([`marks`]).

mod header;
mod marks;

pub(crate) use header::{header_of, is_name};

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, same};
use crate::numbers::{Cell, Marks, cell_with, depends_on_column};
use crate::report::{Reject, RejectReason};
use crate::sample::{Confidence, Content, Sample};
use crate::survey::{Quantity, quantity_of};
use crate::text::{MAX_LINE, Next, Text, windows_1252};
use header::shown;
use marks::ColumnMarks;
use memchr::{memchr, memchr_iter};
use std::hash::{Hash, Hasher};
use std::path::Path;

/// Maximum length of a row with line breaks in quotes; a longer one has a quote that is not closed.
const MAX_QUOTED: usize = 1 << 16;
/// Maximum number of columns.
const MAX_COLUMNS: usize = 10_000;
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
    /// Number of rows that were read as Windows-1252.
    decoded: u64,
    /// Bytes and lines of the file before the first row.
    before_rows: (usize, u64),
    /// What the numbers of each column are, as its name says.
    quantities: Vec<Quantity>,
    marks: ColumnMarks,
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
            before_rows: (header.next, header.lines),
            ..Self::from(text, header.delimiter, header.names)
        })
    }

    /// A table whose first row is next in a text.
    fn from(text: Text<'p>, delimiter: u8, header: Vec<String>) -> Self {
        Self {
            quantities: header.iter().map(|name| quantity_of(name)).collect(),
            text,
            delimiter,
            header,
            least: 0,
            cells: Cells::default(),
            taken: (0, 0),
            told: 0,
            decoded: 0,
            before_rows: (0, 0),
            marks: ColumnMarks::default(),
        }
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
        self.require(column);
        Ok(column)
    }

    /// Says that every row must reach to a column.
    pub(crate) fn require(&mut self, column: usize) {
        self.least = self.least.max(column + 1);
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
                Found::End => {
                    self.tell(importer);
                    return Ok(None);
                }
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

    /// Says how the table was read, where one row alone would not tell.
    fn tell(&self, importer: &mut Importer<'_>) {
        let file = self.text.path().file_name().unwrap_or_default();
        let file = file.to_string_lossy();
        if self.decoded > 0 {
            importer.note(format!(
                "{file}: {} rows are not UTF-8 text; they are read as Windows-1252",
                self.decoded
            ));
        }
        importer.tell_grouped(&file, &self.grouped());
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
            if self.is_header_again() {
                continue;
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

    /// Whether the row has the names of the columns again: two tables were put after one another.
    fn is_header_again(&self) -> bool {
        let bytes = self.cells.bytes(&self.text);
        let is_name = |(range, name): (&(u32, u32), &String)| {
            bytes[range.0 as usize..range.1 as usize].trim_ascii() == name.as_bytes()
        };
        self.cells.ranges.len() == self.header.len()
            && self.cells.ranges.iter().zip(&self.header).all(is_name)
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
                let message =
                    format!("the number of cells is {found}, expected {expected} as in the header");
                return Some((RejectReason::WrongLength, message));
            }
        }
        if !bytes.is_ascii() && std::str::from_utf8(bytes).is_err() {
            if !self.cells.decode(&self.text) {
                let message = "the row is not UTF-8 text".to_owned();
                return Some((RejectReason::NotUtf8, message));
            }
            self.decoded += 1;
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

    /// Reads the cells as Windows-1252, as spreadsheets in Western Europe write them; whether they can be.
    fn decode(&mut self, text: &Text<'_>) -> bool {
        let bytes = self.bytes(text);
        let cell = |range: &(u32, u32)| windows_1252(&bytes[range.0 as usize..range.1 as usize]);
        let Some(cells) = self.ranges.iter().map(cell).collect::<Option<Vec<_>>>() else {
            return false;
        };
        self.begin_copy();
        for cell in cells {
            self.copied.extend_from_slice(cell.as_bytes());
            self.end_cell();
        }
        true
    }

    fn bytes<'a>(&'a self, text: &'a Text<'_>) -> &'a [u8] {
        if self.is_copy {
            return &self.copied;
        }
        let end = self.ranges.last().map_or(0, |range| range.1 as usize);
        text.unread().get(..end).unwrap_or_default()
    }
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

    /// The content of a cell that should hold a number, as its whole column is written.
    pub(crate) fn cell(&self, column: Option<usize>, name: &str) -> Result<Cell, Fault> {
        let Some(place) = column else {
            return Ok(Cell::Empty);
        };
        let found = cell_with(self.text(column), name, || self.table.marks(place))?;
        self.table.check_cut(place, &found, name)?;
        Ok(found)
    }

    /// A number without a unit, or `None` for an empty cell.
    pub(crate) fn number(&self, column: Option<usize>, name: &str) -> Result<Option<f64>, Fault> {
        self.cell(column, name)?.number(name)
    }

    /// What dots and commas mean in a cell that is read elsewhere.
    pub(crate) fn marks(&self, column: usize) -> Marks {
        if depends_on_column(self.text(Some(column))) {
            self.table.marks(column)
        } else {
            Marks::default()
        }
    }

    /// The file that it is in.
    pub(crate) fn file(&self) -> &'t Path {
        self.table.text.path()
    }

    /// Its line in the file.
    pub(crate) fn line(&self) -> u64 {
        self.table.text.line_number()
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

/// What its cells say, whatever their quotes.
impl Hash for Row<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for cell in 0..self.table.cells.ranges.len() {
            self.text(Some(cell)).hash(state);
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
