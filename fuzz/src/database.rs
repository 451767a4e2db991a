//! Databases as text: for each table a line `%name` with its columns, then its rows, cells separated by tabs.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags, params_from_iter};
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The first line.
pub(crate) const MARK: &[u8] = b"%tables\n";
/// Beginning of a SQLite database.
const SQLITE: [u8; 16] = *b"SQLite format 3\0";
/// Most tables and rows: a case is read thousands of times in a second.
const MOST_TABLES: usize = 20;
const MOST_ROWS: usize = 200;

/// The text of a database; `None` if the file is none.
pub(crate) fn told(path: &Path) -> Option<Vec<u8>> {
    let mut head = [0; SQLITE.len()];
    File::open(path).ok()?.read_exact(&mut head).ok()?;
    if head != SQLITE {
        return None;
    }
    text_of(path).ok()
}

fn text_of(path: &Path) -> rusqlite::Result<Vec<u8>> {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut text = String::from_utf8_lossy(MARK).into_owned();
    let mut names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
    let names = names.query_map([], |row| row.get(0))?;
    for name in names.collect::<rusqlite::Result<Vec<String>>>()? {
        let mut rows = database.prepare(&format!("SELECT * FROM {}", quoted(&name)))?;
        let columns: Vec<String> = rows.column_names().into_iter().map(one_line).collect();
        let _ = writeln!(text, "%{}\t{}", one_line(&name), columns.join("\t"));
        let count = columns.len();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let cells = (0..count).map(|column| row.get_ref(column).map(cell));
            let cells = cells.collect::<rusqlite::Result<Vec<String>>>()?;
            let _ = writeln!(text, "{}", cells.join("\t"));
        }
    }
    Ok(text.into_bytes())
}

/// Makes a database of a text, as far as it can be made.
///
/// # Errors
///
/// What SQLite says if there can be no database at all.
pub(crate) fn build(text: &[u8], path: &Path) -> rusqlite::Result<()> {
    let _ = std::fs::remove_file(path);
    let mut database = Connection::open(path)?;
    database.pragma_update(None, "journal_mode", "OFF")?;
    database.pragma_update(None, "synchronous", "OFF")?;
    let all = database.transaction()?;
    // So that there is a file, whatever tables can be made.
    all.pragma_update(None, "user_version", 1)?;
    let text = String::from_utf8_lossy(text.strip_prefix(MARK).unwrap_or(text));
    let (mut tables, mut rows) = (0, 0);
    let mut insert = None;
    for line in text.lines() {
        if let Some(head) = line.strip_prefix('%') {
            tables += 1;
            rows = 0;
            insert = None;
            let mut names = head.split('\t').map(quoted);
            let name = names.next().unwrap_or_default();
            let columns: Vec<String> = names.collect();
            let make = format!("CREATE TABLE {name} ({})", columns.join(", "));
            if tables <= MOST_TABLES && all.execute(&make, []).is_ok() {
                let marks = vec!["?"; columns.len()].join(", ");
                let add = format!("INSERT INTO {name} VALUES ({marks})");
                insert = all.prepare(&add).ok().map(|add| (add, columns.len()));
            }
        } else if let Some((insert, columns)) = &mut insert
            && rows < MOST_ROWS
        {
            rows += 1;
            let cells = line.split('\t').map(value);
            let cells = cells.chain(std::iter::repeat(Value::Null)).take(*columns);
            let _ = insert.execute(params_from_iter(cells));
        }
    }
    drop(insert);
    all.commit()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn one_line(text: &str) -> String {
    text.replace(['\t', '\n', '\r'], " ")
}

/// A cell as text: numbers as they are, texts behind an apostrophe, bytes as hexadecimal digits.
fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => format!("'{}", one_line(&String::from_utf8_lossy(text))),
        ValueRef::Blob(bytes) => {
            let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{}'", digits.concat())
        }
    }
}

fn value(cell: &str) -> Value {
    if cell.is_empty() {
        return Value::Null;
    }
    if let Some(text) = cell.strip_prefix('\'') {
        return Value::Text(text.to_owned());
    }
    if let Some(bytes) = bytes(cell) {
        return Value::Blob(bytes);
    }
    let real = || cell.parse().ok().map(Value::Real);
    let number = cell.parse().ok().map(Value::Integer).or_else(real);
    number.unwrap_or_else(|| Value::Text(cell.to_owned()))
}

/// The bytes of `x'00ff'`.
fn bytes(cell: &str) -> Option<Vec<u8>> {
    let digits = cell.strip_prefix("x'")?.strip_suffix('\'')?;
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}
