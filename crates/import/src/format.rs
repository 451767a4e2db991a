//! The supported formats, each with its reader.

use crate::batch::Importer;
use crate::error::ImportError;
use std::path::Path;
use vitalcast_domain::DomainError;

/// The detection and the reader of a format.
#[derive(Debug)]
pub(crate) struct FormatReader {
    /// Name of the format on the command line and in the API.
    pub(crate) word: &'static str,
    /// Whether a table with these columns has this format.
    pub(crate) recognises: fn(&Columns<'_>) -> bool,
    /// Reads one file into the importer.
    pub(crate) read: fn(&mut Importer<'_>, &Path) -> Result<(), ImportError>,
}

/// All readers, in the order of detection. A new format is a module and a line here.
static READERS: &[&FormatReader] = &[
    &crate::own::READER,
    &crate::lifesnaps::READER,
    &crate::t1d_uom::READER,
    &crate::reference::READER,
];

/// A supported format.
#[derive(Debug, Clone, Copy)]
pub struct Format(&'static FormatReader);

impl Format {
    /// An export of this program.
    pub const OWN_EXPORT: Self = Self(&crate::own::READER);
    /// The tables `meals`, `activities` and `health_metrics` of the reference service.
    pub const REFERENCE_TABLES: Self = Self(&crate::reference::READER);
    /// The daily table of LifeSnaps.
    pub const LIFESNAPS: Self = Self(&crate::lifesnaps::READER);
    /// The folders of T1D-UOM.
    pub const T1D_UOM: Self = Self(&crate::t1d_uom::READER);

    /// The names of all formats.
    pub const WORDS: &'static [&'static str] = &{
        let mut words = [""; READERS.len()];
        let mut number = 0;
        while number < READERS.len() {
            words[number] = READERS[number].word;
            number += 1;
        }
        words
    };

    /// The name of the format.
    pub fn as_str(self) -> &'static str {
        self.0.word
    }

    /// Whether its reader stands before that of another in the list.
    pub(crate) fn comes_before(self, other: Self) -> bool {
        let place = |format: Self| Self::WORDS.iter().position(|word| *word == format.as_str());
        place(self) < place(other)
    }

    /// The format of a table with these columns.
    pub(crate) fn of(columns: &Columns<'_>) -> Option<Self> {
        READERS
            .iter()
            .copied()
            .find(|reader| (reader.recognises)(columns))
            .map(Self)
    }

    /// Reads one file into the importer.
    pub(crate) fn read(self, importer: &mut Importer<'_>, file: &Path) -> Result<(), ImportError> {
        (self.0.read)(importer, file)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Format {}

impl std::fmt::Display for Format {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl std::str::FromStr for Format {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        let named = READERS.iter().copied().find(|reader| reader.word == text);
        named.map(Self).ok_or_else(|| DomainError::UnknownWord {
            what: "format",
            got: text.chars().take(80).collect(),
            expected: Self::WORDS.join(", "),
        })
    }
}

/// The names of the columns of a table.
pub(crate) struct Columns<'a>(pub(crate) &'a [&'a str]);

impl Columns<'_> {
    /// Whether a column with this name exists; case, underscores and spaces are ignored.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|found| same(found, name))
    }

    /// Whether columns with all of these names exist.
    pub(crate) fn has_all(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.has(name))
    }
}

/// Whether two column names are equal; case, underscores and spaces are ignored.
pub(crate) fn same(left: &str, right: &str) -> bool {
    let mut left = left.bytes().filter(u8::is_ascii_alphanumeric);
    let mut right = right.bytes().filter(u8::is_ascii_alphanumeric);
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) if one.eq_ignore_ascii_case(&other) => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}
