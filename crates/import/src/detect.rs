//! Detection of formats by content.

use crate::error::ImportError;
use crate::format::{Columns, Format};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Number of bytes of a file that are read for detection.
const HEAD: usize = 64 * 1024;
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
            ["csv", "jsonl", "ndjson"]
                .iter()
                .any(|known| ending.eq_ignore_ascii_case(known))
        })
}

/// The format of a file, or a description of another content.
fn of_file(path: &Path) -> Result<Result<Format, String>, ImportError> {
    let failed = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD as u64).read_to_end(&mut head))
        .map_err(failed)?;
    Ok(of_head(&head))
}

fn of_head(head: &[u8]) -> Result<Format, String> {
    if head.is_empty() {
        return Err("an empty file".to_owned());
    }
    if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
        return Err("UTF-16 text: save it as UTF-8".to_owned());
    }
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    let Ok(line) = std::str::from_utf8(line) else {
        return Err("not UTF-8 text".to_owned());
    };
    if line.contains('\0') {
        return Err("not text".to_owned());
    }
    let line = line.trim();
    if line.starts_with('{') {
        return match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(line) {
            Ok(fields) => {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                of_columns(&names)
            }
            Err(_) => Err("not JSON lines: the first line is not a JSON object".to_owned()),
        };
    }
    let names: Vec<&str> = line
        .split(',')
        .map(|name| name.trim().trim_matches('"'))
        .collect();
    of_columns(&names)
}

fn of_columns(names: &[&str]) -> Result<Format, String> {
    Format::of(&Columns(names)).ok_or_else(|| "a table with other columns".to_owned())
}
