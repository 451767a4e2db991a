//! What a file looks like from its first bytes: what readers recognise it by.

use crate::error::ImportError;
use crate::format::Columns;
use crate::json::is_json;
use crate::sqlite;
use crate::table::header_of;
use crate::text::Text;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes of a file whose keys are looked at.
const LOOKED_AT: usize = 1 << 18;
/// Most distinct keys that are remembered, and the longest of them, bytes.
const MOST_KEYS: usize = 500;
const LONGEST_KEY: usize = 80;
/// Beginning of a SQLite database.
const SQLITE: &[u8] = b"SQLite format 3\0";
/// Beginning of a compressed file.
pub(crate) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// What a table is that nobody knows.
pub(crate) const OTHER_TABLE: &str = "text or a table that no reader knows";

/// How sure a reader is that a file is of its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Confidence {
    /// It is not.
    No,
    /// Others may have files like it.
    Likely,
    /// Nobody else writes this.
    Certain,
}

impl Confidence {
    /// [`Confidence::Certain`] if something is so.
    pub(crate) fn certain_if(is_so: bool) -> Self {
        if is_so { Self::Certain } else { Self::No }
    }

    /// [`Confidence::Likely`] if something is so.
    pub(crate) fn likely_if(is_so: bool) -> Self {
        if is_so { Self::Likely } else { Self::No }
    }
}

/// A file, by its name and its beginning.
pub(crate) struct Sample<'a> {
    pub(crate) path: &'a Path,
    pub(crate) content: Content<'a>,
}

/// The beginning of a file.
pub(crate) enum Content<'a> {
    /// A table of text with these columns.
    Table(Columns<'a>),
    /// A JSON text with these keys.
    Json(&'a Keys),
    /// An XML text with this root element.
    Xml(&'a str),
    /// A SQLite database with these tables.
    Sqlite(&'a [String]),
    /// A FIT file.
    Fit,
}

impl Sample<'_> {
    /// Name of the file, without its folders.
    pub(crate) fn file_name(&self) -> &str {
        file_name(self.path)
    }

    /// Whether it is a table whose columns pass a check.
    pub(crate) fn is_table(&self, check: impl FnOnce(&Columns<'_>) -> bool) -> bool {
        matches!(&self.content, Content::Table(columns) if check(columns))
    }

    /// Whether it is JSON whose keys pass a check.
    pub(crate) fn is_json(&self, check: impl FnOnce(&Keys) -> bool) -> bool {
        matches!(&self.content, Content::Json(keys) if check(keys))
    }

    /// Whether it is XML with this root element.
    pub(crate) fn is_xml(&self, root: &str) -> bool {
        matches!(&self.content, Content::Xml(found) if *found == root)
    }

    /// Whether it is a database with a table of this name; case is ignored.
    pub(crate) fn has_sqlite_table(&self, name: &str) -> bool {
        let same = |table: &String| table.eq_ignore_ascii_case(name);
        matches!(&self.content, Content::Sqlite(tables) if tables.iter().any(same))
    }

    /// Whether it is a FIT file.
    pub(crate) fn is_fit(&self) -> bool {
        matches!(self.content, Content::Fit)
    }
}

/// Name of a file, without its folders.
pub(crate) fn file_name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("")
}

/// The keys of a JSON text, with their depths: 1 for those of an outermost object, 2 for those of the
/// objects of an outermost list.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    found: Vec<(usize, String)>,
}

impl Keys {
    /// The keys in the beginning of a text.
    pub(crate) fn of(head: &[u8]) -> Self {
        let mut keys = Self::default();
        let (mut depth, mut place) = (0_usize, 0);
        while let Some(byte) = head.get(place) {
            place += 1;
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                b'"' => {
                    let begun = place;
                    while let Some(byte) = head.get(place).filter(|byte| **byte != b'"') {
                        place += if *byte == b'\\' { 2 } else { 1 };
                    }
                    let text = head.get(begun..place).unwrap_or_default();
                    place += 1;
                    let rest = head.get(place..).unwrap_or_default();
                    if rest.trim_ascii_start().first() == Some(&b':') {
                        keys.add(depth, text);
                    }
                }
                _ => {}
            }
        }
        keys
    }

    fn add(&mut self, depth: usize, key: &[u8]) {
        if self.found.len() >= MOST_KEYS || key.len() > LONGEST_KEY {
            return;
        }
        let Ok(key) = std::str::from_utf8(key) else {
            return;
        };
        let known = |found: &(usize, String)| found.0 == depth && found.1 == key;
        if !self.found.iter().any(known) {
            self.found.push((depth, key.to_owned()));
        }
    }

    /// Whether this key is somewhere.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.found.iter().any(|(_, found)| found == key)
    }

    /// Whether all of these keys are somewhere.
    pub(crate) fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|key| self.has(key))
    }

    /// Whether this key is at this depth.
    pub(crate) fn has_at(&self, depth: usize, key: &str) -> bool {
        self.found
            .iter()
            .any(|(found_depth, found)| *found_depth == depth && found == key)
    }

    /// All of them as columns.
    pub(crate) fn pass(&self, check: impl FnOnce(&Columns<'_>) -> bool) -> bool {
        let names: Vec<&str> = self.found.iter().map(|(_, key)| key.as_str()).collect();
        check(&Columns(&names))
    }
}

/// Looks at a file and asks about it; `None` if it has no content that anything could recognise, with
/// the words for that.
pub(crate) fn look<T>(
    path: &Path,
    ask: &dyn Fn(&Sample<'_>) -> Option<T>,
) -> Result<Result<T, &'static str>, ImportError> {
    let about = |content: Content<'_>| ask(&Sample { path, content });
    let mut head = [0; 16];
    let failed = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..]).map_err(failed)? {
            0 => break,
            read => length += read,
        }
    }
    let head = &head[..length];
    if head.is_empty() {
        return Ok(Err("an empty file"));
    }
    if head == SQLITE {
        return Ok(match sqlite::tables(path) {
            Ok(tables) => about(Content::Sqlite(&tables)).ok_or("a database of another program"),
            Err(_) => Err("a damaged database"),
        });
    }
    let is_fit = |head: &[u8]| head.get(8..12) == Some(b".FIT");
    if is_fit(head) || (head.starts_with(&GZIP) && is_fit(&unpacked(path))) {
        return Ok(about(Content::Fit).ok_or("a FIT file"));
    }
    let mut text = Text::open(path)?;
    text.chunk()?;
    let start = text.unread().trim_ascii_start();
    if start.starts_with(b"<") {
        let root = root_of(start);
        return Ok(root
            .and_then(|root| about(Content::Xml(root)))
            .ok_or("XML or HTML of another program"));
    }
    if is_json(start) {
        let keys = Keys::of(&start[..start.len().min(LOOKED_AT)]);
        return Ok(
            about(Content::Json(&keys)).ok_or("JSON without objects that have known columns")
        );
    }
    let is_known = |columns: &Columns<'_>| about(Content::Table(Columns(columns.0))).is_some();
    let found = header_of(&mut text, &is_known)?;
    if let (Some(header), true) = (&found.header, found.known) {
        let names: Vec<&str> = header.names.iter().map(String::as_str).collect();
        if let Some(answer) = about(Content::Table(Columns(&names))) {
            return Ok(Ok(answer));
        }
    }
    let head = text.unread();
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or(head);
    Ok(Err(if std::str::from_utf8(line).is_err() {
        "not UTF-8 text"
    } else if line.contains(&0) {
        "not text"
    } else {
        OTHER_TABLE
    }))
}

/// The first bytes of a compressed file; none if it is damaged.
fn unpacked(path: &Path) -> Vec<u8> {
    let mut head = Vec::new();
    if let Ok(file) = File::open(path) {
        let start = flate2::read::GzDecoder::new(file).take(16);
        let _ = std::io::BufReader::new(start).read_to_end(&mut head);
    }
    head
}

/// Name of the root element of an XML text, past its declarations and comments.
fn root_of(text: &[u8]) -> Option<&str> {
    let mut rest = text;
    loop {
        let open = memchr::memchr(b'<', rest)?;
        rest = &rest[open + 1..];
        match rest.first()? {
            b'?' => {}
            b'!' if rest.starts_with(b"!--") => {
                let end = memchr::memmem::find(rest, b"-->")?;
                rest = &rest[end..];
            }
            // The internal part of a document type stands in brackets.
            b'!' if rest.starts_with(b"!DOCTYPE") => {
                let (open, close) = (memchr::memchr(b'[', rest), memchr::memchr(b'>', rest)?);
                // Where its end is missing, its declarations are passed over one by one.
                if open.is_some_and(|open| open < close)
                    && let Some(end) = memchr::memmem::find(rest, b"]>")
                {
                    rest = &rest[end..];
                }
            }
            b'!' => {}
            _ => {
                let end = rest
                    .iter()
                    .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))?;
                return std::str::from_utf8(&rest[..end]).ok();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_their_depth() {
        let keys = Keys::of(br#"{"data": {"metrics": [{"name": "a:b", "units": "x\"y"}]}, "z": 1"#);
        assert!(keys.has_at(1, "data") && keys.has_at(2, "metrics") && keys.has_at(4, "units"));
        assert!(keys.has_at(1, "z") && !keys.has("a:b") && !keys.has_at(1, "name"));
    }

    #[test]
    fn the_root_is_found_behind_a_document_type() {
        let text = b"<?xml version='1.0'?>\n<!-- <a> -->\n<!DOCTYPE HealthData [\n<!ELEMENT \
                     HealthData (a)>\n]>\n<HealthData locale=\"de\">";
        assert_eq!(root_of(text), Some("HealthData"));
        assert_eq!(root_of(b"<!DOCTYPE html><html>"), Some("html"));
        assert_eq!(root_of(b"<!DOCTYPE a ["), None);
        // Some versions of iOS write document types that are broken.
        let broken = b"<!DOCTYPE HealthData [\n<!ELEMENT Me EMPTY\n<!ATTLIST Me a CDATA>\n]\n>\n<HealthData>";
        assert_eq!(root_of(broken), Some("HealthData"));
    }
}
