//! A case: the files of one import as one sequence of bytes.

use std::fs;
use std::io::Result;
use std::path::{Path, PathBuf};

use crate::database;

/// Between two files. A file with these bytes is not made a case of.
const SEPARATOR: &[u8] = b"\x1e\x1e\x1e";
/// Most files, most folders around a file with itself, and longest name of each, bytes.
const MOST_FILES: usize = 12;
const MOST_PARTS: usize = 5;
const LONGEST_PART: usize = 100;

/// The files of one import, with their names below one folder.
///
/// As bytes, a file is its name, a line feed, and what is in it. Databases are told by their tables as text,
/// since changed bytes of a database would mostly test SQLite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Names, as they are told, and contents.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Case {
    /// The case that any bytes are.
    pub fn decode(bytes: &[u8]) -> Self {
        let mut files = Vec::new();
        let mut rest = Some(bytes);
        while let Some(text) = rest.filter(|_| files.len() < MOST_FILES) {
            let next = text
                .windows(SEPARATOR.len())
                .position(|part| part == SEPARATOR);
            let file = &text[..next.unwrap_or(text.len())];
            rest = next.map(|place| &text[place + SEPARATOR.len()..]);
            let end = file.iter().position(|byte| *byte == b'\n');
            let name = String::from_utf8_lossy(&file[..end.unwrap_or(file.len())]);
            let content = end.map_or(&[][..], |end| &file[end + 1..]);
            files.push((name.into_owned(), content.to_vec()));
        }
        Self { files }
    }

    /// The bytes of a case; `None` if it cannot be told as bytes.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let files = self.files.iter();
        let files: Vec<Vec<u8>> = files
            .map(|(name, content)| [name.as_bytes(), b"\n", content].concat())
            .collect();
        let bytes = files.join(SEPARATOR);
        (Self::decode(&bytes) == *self).then_some(bytes)
    }

    /// The case of a file or of the files below a folder.
    ///
    /// # Errors
    ///
    /// What the operating system says if something cannot be read.
    pub fn of(path: &Path) -> Result<Self> {
        let folder = if path.is_dir() {
            path
        } else {
            path.parent().unwrap_or(path)
        };
        let mut found = Vec::new();
        let mut left = vec![path.to_owned()];
        while let Some(next) = left.pop() {
            if next.is_dir() {
                for entry in fs::read_dir(&next)? {
                    left.push(entry?.path());
                }
            } else {
                found.push(next);
            }
        }
        found.sort();
        let mut files = Vec::new();
        for file in found {
            let name = file.strip_prefix(folder).unwrap_or(&file);
            let content = database::told(&file).map_or_else(|| fs::read(&file), Ok)?;
            files.push((name.to_string_lossy().into_owned(), content));
        }
        Ok(Self { files })
    }

    /// Writes the files below a folder, wherever their names try to lead; their paths. One that cannot be
    /// written, such as a second one of the same name as a folder, is left out.
    pub fn write(&self, folder: &Path) -> Vec<PathBuf> {
        let written = self.files.iter().filter_map(|(name, content)| {
            let path = folder.join(inside(name));
            fs::create_dir_all(path.parent()?).ok()?;
            if path.is_dir() {
                return None;
            }
            if content.starts_with(database::MARK) {
                database::build(content, &path).ok()?;
            } else {
                fs::write(&path, content).ok()?;
            }
            Some(path)
        });
        let mut written: Vec<PathBuf> = written.collect();
        written.sort();
        written.dedup();
        written
    }
}

/// A name as a path that stays inside.
fn inside(name: &str) -> PathBuf {
    let parts = name.split('/').map(|part| {
        let letters = part.chars().filter(|letter| *letter != '\0');
        let mut short = String::new();
        for letter in letters {
            if short.len() + letter.len_utf8() > LONGEST_PART {
                break;
            }
            short.push(letter);
        }
        short
    });
    let parts = parts.filter(|part| !matches!(part.as_str(), "" | "." | ".."));
    let path: PathBuf = parts.take(MOST_PARTS).collect();
    if path.as_os_str().is_empty() {
        PathBuf::from("file")
    } else {
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(files: &[(&str, &[u8])]) -> Case {
        let files = files.iter();
        Case {
            files: files
                .map(|(name, content)| ((*name).to_owned(), content.to_vec()))
                .collect(),
        }
    }

    #[test]
    fn files_are_found_again_in_the_bytes() {
        let case = case(&[
            ("a/steps.json", b"[]\n"),
            ("b.csv", b""),
            ("c", b"\xff\n\n"),
        ]);
        let bytes = case.encode().unwrap();
        assert_eq!(
            bytes,
            b"a/steps.json\n[]\n\x1e\x1e\x1eb.csv\n\x1e\x1e\x1ec\n\xff\n\n"
        );
        assert_eq!(Case::decode(&bytes), case);
    }

    #[test]
    fn what_bytes_cannot_tell_is_no_case() {
        assert_eq!(case(&[("a", b"\x1e\x1e\x1e")]).encode(), None);
        assert_eq!(case(&[("a\nb", b"")]).encode(), None);
        assert_eq!(case(&[]).encode(), None);
    }

    #[test]
    fn names_stay_inside() {
        for (name, path) in [
            ("../../a", "a"),
            ("/etc/a", "etc/a"),
            ("..", "file"),
            ("a\0/./b", "a/b"),
        ] {
            assert_eq!(inside(name), Path::new(path), "{name}");
        }
        assert_eq!(inside(&"é".repeat(80)).as_os_str().len(), LONGEST_PART);
    }

    #[test]
    fn a_database_comes_back_from_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let text = b"%tables\n%a\tx\ty z\n1\t-2.5\n\t'1\nx'00ff'\t'%a\n%b\tc\n";
        let written = case(&[("in/a.db", text)]).write(folder.path());
        assert_eq!(written, [folder.path().join("in/a.db")]);
        assert!(
            fs::read(&written[0])
                .unwrap()
                .starts_with(b"SQLite format 3")
        );
        let read = Case::of(folder.path()).unwrap();
        assert_eq!(read, case(&[("in/a.db", text)]));
    }
}
