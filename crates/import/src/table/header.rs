//! The line with the names of the columns, and what separates the cells.

use super::{Cells, MAX_QUOTED, State};
use crate::error::ImportError;
use crate::format::Columns;
use crate::text::{Next, Text, windows_1252};
use memchr::memchr_iter;
use std::borrow::Cow;

/// Number of lines among which the names of the columns are.
const HEADER_LINES: usize = 100;
/// Number of rows that show which separator they have.
const FIRST_ROWS: usize = 5;
/// Separators of cells, in the order in which they are tried.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The line with the names of the columns.
pub(crate) struct Header {
    pub(crate) names: Vec<String>,
    /// Separator of the cells of the rows.
    pub(super) delimiter: u8,
    /// Bytes and lines up to the first row.
    pub(super) next: usize,
    pub(super) lines: u64,
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
        .map(|name| text_of(name).trim().to_owned())
        .collect()
}

/// A name as it was written: in UTF-8, else in Windows-1252 like the rows.
fn text_of(name: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(name) {
        Ok(text) => text.into(),
        Err(_) => windows_1252(name).map_or_else(|| String::from_utf8_lossy(name), Cow::Owned),
    }
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
pub(super) fn shown(header: &[String]) -> String {
    const MOST: usize = 40;
    if !header.iter().all(|name| is_name(name)) {
        return "a first line that is no list of names".to_owned();
    }
    let name = |name: &String| name.chars().take(60).collect::<String>();
    let mut names: Vec<String> = header.iter().take(MOST).map(name).collect();
    if header.len() > MOST {
        names.push(format!("… ({} in all)", header.len()));
    }
    names.join(", ")
}

/// Whether a word may be the name of a column, and no health value in its place.
pub(crate) fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    letters
        .next()
        .is_none_or(|first| first.is_alphabetic() || matches!(first, '_' | '#'))
        && !letters.any(|letter| matches!(letter, '{' | '}' | '[' | ']' | '"' | ':' | '='))
}
