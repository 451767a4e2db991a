//! Detection of formats by content.

use crate::error::ImportError;
use crate::format::{Columns, Format};
use crate::json::{Rows, is_json};
use crate::table::header_of;
use crate::text::Text;
use std::path::{Path, PathBuf};

/// Maximum depth of folders.
const MAX_DEPTH: usize = 4;

/// Detects the format of a file or folder.
///
/// # Errors
///
/// [`ImportError::Read`] if the path does not exist, [`ImportError::Unrecognised`] if no reader accepts
/// it.
pub fn detect(path: &Path) -> Result<Format, ImportError> {
    let mut what = "an empty folder".to_owned();
    let mut found: Option<Format> = None;
    for file in all_files(path)? {
        match of_file(&file)? {
            // A folder may hold tables that others read too: the first reader of the list counts.
            Ok(format) if found.is_none_or(|other| format.comes_before(other)) => {
                found = Some(format);
            }
            Ok(_) => {}
            Err(other) => what = other,
        }
    }
    if let Some(format) = found {
        return Ok(format);
    }
    if path.is_dir() && what != "an empty folder" {
        "a folder without a known export".clone_into(&mut what);
    }
    Err(ImportError::Unrecognised {
        path: path.to_owned(),
        what,
    })
}

/// The files of a path for the reader of a format, in the order of their names.
pub(crate) fn files(path: &Path, format: Format) -> Result<Vec<PathBuf>, ImportError> {
    let files = all_files(path)?;
    if path.is_file() {
        return Ok(files);
    }
    let mut wanted = Vec::new();
    for file in files {
        if of_file(&file)?.is_ok_and(|found| found == format) {
            wanted.push(file);
        }
    }
    if wanted.is_empty() {
        return Err(ImportError::Unrecognised {
            path: path.to_owned(),
            what: format!("a folder without any file of format {format}"),
        });
    }
    Ok(wanted)
}

fn all_files(path: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ImportError::Read { path, source }
    };
    let kind = std::fs::metadata(path).map_err(failed(path))?;
    if kind.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(path.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(failed(&folder))? {
            let entry = entry.map_err(failed(&folder))?.path();
            if entry.is_dir() && depth < MAX_DEPTH {
                folders.push((entry, depth + 1));
            } else if entry.is_file() && is_table(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn is_table(path: &Path) -> bool {
    path.extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| {
            ["csv", "json", "jsonl", "ndjson", "tsv", "txt"]
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
}

/// The format of a file, or a description of another content.
fn of_file(path: &Path) -> Result<Result<Format, String>, ImportError> {
    let mut text = Text::open(path)?;
    if text.chunk()?.is_empty() {
        return Ok(Err("an empty file".to_owned()));
    }
    if is_json(text.unread()) {
        for format in [Format::OWN_EXPORT, Format::REFERENCE_TABLES] {
            let (_, known) = Rows::open(path, &|columns| Format::of(columns) == Some(format))?;
            if known {
                return Ok(Ok(format));
            }
        }
        return Ok(Err(
            "JSON without objects that have known columns".to_owned()
        ));
    }
    let mut format = None;
    let found = header_of(&mut text, &|columns| Format::of(columns).is_some())?;
    if let (Some(header), true) = (&found.header, found.known) {
        let names: Vec<&str> = header.names.iter().map(String::as_str).collect();
        format = Format::of(&Columns(&names));
    }
    Ok(format.ok_or_else(|| {
        let head = text.unread();
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
        let what = if std::str::from_utf8(line).is_err() {
            "not UTF-8 text"
        } else if line.contains(&0) {
            "not text"
        } else {
            "a table with other columns"
        };
        what.to_owned()
    }))
}
