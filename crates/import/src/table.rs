//! One CSV file, row by row: columns by name, cells as text, lines counted.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::same;
use crate::report::{Reject, RejectReason};
use csv::{ByteRecord, Terminator};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Maximum length of a row, bytes. An unclosed quote makes a single row of the rest of the file.
const MAX_ROW: u64 = 1 << 20;
/// Number of bytes per read.
const AT_ONCE: usize = 1 << 18;
/// Maximum number of columns.
const MAX_COLUMNS: usize = 10_000;

/// A reader that stops when a row is too long, before it fills the memory.
struct Bounded {
    file: File,
    /// Number of bytes read since the end of the last row, including bytes read ahead.
    since: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since.load(Ordering::Relaxed) > MAX_ROW + AT_ONCE as u64 {
            return Err(too_long());
        }
        let read = self.file.read(buffer)?;
        self.since.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

fn too_long() -> std::io::Error {
    std::io::Error::new(
        std::io::ErrorKind::InvalidData,
        "a row is longer than 1 MiB, or a quote in it is never closed",
    )
}

/// A CSV file and its header.
pub(crate) struct Table<'p> {
    path: &'p Path,
    reader: csv::Reader<Bounded>,
    since: Arc<AtomicU64>,
    header: Vec<String>,
    record: ByteRecord,
    told: u64,
    /// End of the file, if its last line has no line break.
    open_end: Option<u64>,
}

/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;

impl<'p> Table<'p> {
    pub(crate) fn open(path: &'p Path) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let open_end = open_end(&mut file).map_err(failed)?;
        let since = Arc::new(AtomicU64::new(0));
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            // A carriage return before a line feed is a blank like others; the reader's own handling
            // of the pair loses count of lines.
            .terminator(Terminator::Any(b'\n'))
            .buffer_capacity(AT_ONCE)
            .from_reader(Bounded {
                file,
                since: Arc::clone(&since),
            });
        let mut record = ByteRecord::new();
        let there = reader
            .read_byte_record(&mut record)
            .map_err(|error| csv_error(path, error))?;
        if !there {
            return Err(ImportError::Unrecognised {
                path: path.to_owned(),
                what: "an empty file".to_owned(),
            });
        }
        since.store(0, Ordering::Relaxed);
        if record.len() > MAX_COLUMNS {
            return Err(ImportError::Unrecognised {
                path: path.to_owned(),
                what: format!("a table with too many columns ({})", record.len()),
            });
        }
        let header = record
            .iter()
            .enumerate()
            .map(|(index, cell)| {
                let cell = if index == 0 {
                    cell.strip_prefix(b"\xef\xbb\xbf").unwrap_or(cell)
                } else {
                    cell
                };
                String::from_utf8_lossy(cell).trim().to_owned()
            })
            .collect();
        Ok(Self {
            path,
            reader,
            since,
            header,
            record,
            told: 0,
            open_end,
        })
    }

    /// Index of the first column with one of these names.
    pub(crate) fn column(&self, names: &[&str]) -> Option<usize> {
        names
            .iter()
            .find_map(|name| self.header.iter().position(|found| same(found, name)))
    }

    /// Index of a required column.
    pub(crate) fn required(&self, names: &[&str]) -> Result<usize, ImportError> {
        self.column(names)
            .ok_or_else(|| ImportError::MissingColumn {
                path: self.path.to_owned(),
                column: names.join(" or "),
                found: shown(&self.header),
            })
    }

    /// The next valid row: its cells are text and match the header; other rows are rejected. `None` at
    /// the end of the file.
    pub(crate) fn next(
        &mut self,
        importer: &mut Importer<'_>,
    ) -> Result<Option<Row<'_>>, ImportError> {
        loop {
            let there = self
                .reader
                .read_byte_record(&mut self.record)
                .map_err(|error| csv_error(self.path, error))?;
            self.since.store(0, Ordering::Relaxed);
            let position = self.reader.position().byte();
            if !there {
                importer.progress(self.path, position)?;
                return Ok(None);
            }
            self.told += 1;
            if self.told.is_multiple_of(PROGRESS_ROWS) {
                importer.progress(self.path, position)?;
            }
            if self.record.len() == 1 && self.record[0].trim_ascii().is_empty() {
                continue;
            }
            importer.report.rows_read += 1;
            let problem = if self.record.len() != self.header.len() {
                Some((
                    RejectReason::WrongLength,
                    format!(
                        "the number of cells is {}, expected {} as in the header",
                        self.record.len(),
                        self.header.len()
                    ),
                ))
            } else if !self.record.as_slice().is_ascii()
                && self
                    .record
                    .iter()
                    .any(|cell| std::str::from_utf8(cell).is_err())
            {
                Some((
                    RejectReason::NotUtf8,
                    "the row is not UTF-8 text".to_owned(),
                ))
            } else {
                None
            };
            match problem {
                None => break,
                Some((reason, message)) => importer.reject(Reject {
                    file: self.path.to_owned(),
                    line: self.line(),
                    reason,
                    message,
                })?,
            }
        }
        Ok(Some(Row { table: self }))
    }

    /// The line number of the start of the last row, counted from 1.
    ///
    /// The reader tells how many lines it has taken in; of these, the row's own line breaks (within
    /// quotes) and the one at its end, if it has one, come after its beginning.
    fn line(&self) -> u64 {
        let within = self.record.as_slice().iter().filter(|byte| **byte == b'\n');
        let position = self.reader.position();
        let ended = self.open_end.is_none_or(|end| position.byte() < end);
        position
            .line()
            .saturating_sub(within.count() as u64 + u64::from(ended))
    }
}

/// The length of a file that does not end with a line feed; the file is read from its beginning
/// afterwards.
fn open_end(file: &mut File) -> std::io::Result<Option<u64>> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(None);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    file.rewind()?;
    Ok((last != *b"\n").then_some(length))
}

/// The first columns of the header, for messages.
fn shown(header: &[String]) -> String {
    const MOST: usize = 40;
    let name = |name: &String| name.chars().take(60).collect::<String>();
    let mut names: Vec<String> = header.iter().take(MOST).map(name).collect();
    if header.len() > MOST {
        names.push(format!("… ({} in all)", header.len()));
    }
    names.join(", ")
}

fn csv_error(path: &Path, error: csv::Error) -> ImportError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum of the csv crate")]
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        other => std::io::Error::other(format!("{other:?}")),
    };
    ImportError::Read {
        path: path.to_owned(),
        source,
    }
}

/// A row with its line number.
pub(crate) struct Row<'t> {
    table: &'t Table<'t>,
}

/// The reason of a rejected row.
pub(crate) type Fault = (RejectReason, String);

impl Row<'_> {
    /// A cell without surrounding spaces; empty if there is no such column.
    pub(crate) fn text(&self, column: Option<usize>) -> &str {
        let cell = column
            .and_then(|column| self.table.record.get(column))
            .unwrap_or(b"");
        // Rows that are not UTF-8 do not come this far.
        std::str::from_utf8(cell).unwrap_or("").trim()
    }

    /// A number, or `None` for an empty cell.
    pub(crate) fn number(&self, column: Option<usize>, name: &str) -> Result<Option<f64>, Fault> {
        number(self.text(column), name)
    }

    /// The whole row as bytes, to detect repeated rows.
    pub(crate) fn fingerprint(&self) -> Vec<u8> {
        self.table.record.iter().collect::<Vec<_>>().join(&0x1f)
    }

    pub(crate) fn reject(&self, (reason, message): Fault) -> Reject {
        Reject {
            file: self.table.path.to_owned(),
            line: self.table.line(),
            reason,
            message,
        }
    }
}

/// Parses a number; an empty text, `NULL` and `None` are missing values.
pub(crate) fn number(text: &str, name: &str) -> Result<Option<f64>, Fault> {
    if text.is_empty() || text.eq_ignore_ascii_case("null") || text.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        Ok(_) => Err((
            RejectReason::NotFinite,
            format!("{name} is not a finite number"),
        )),
        Err(_) => Err((
            RejectReason::BadNumber,
            format!("{name} is not a number, expected for example 12 or 12.5"),
        )),
    }
}
