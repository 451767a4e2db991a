//! The supported formats, each with its reader.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readers::READERS;
use crate::sample::{Confidence, Sample};
use std::path::{Path, PathBuf};
use vitalcast_domain::DomainError;

/// The detection and the reader of a format.
#[derive(Debug)]
pub(crate) struct FormatReader {
    /// Name of the format on the command line and in the API.
    pub(crate) word: &'static str,
    /// Its name in sentences.
    pub(crate) title: &'static str,
    /// Where a person gets it, and what it looks like.
    pub(crate) export: &'static str,
    /// What is read, for the guide.
    pub(crate) gives: &'static [Gives],
    /// How sure the reader is that a file has this format.
    pub(crate) recognises: fn(&Sample<'_>) -> Confidence,
    /// How files are read.
    pub(crate) read: Reading,
}

/// How the files of a format are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading {
    /// Each by itself.
    Each(fn(&mut Importer<'_>, &Path) -> Result<(), ImportError>),
    /// All of an import together, because they complete each other.
    Together(fn(&mut Importer<'_>, &[PathBuf]) -> Result<(), ImportError>),
}

/// A line of the guide: what a format gives.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gives {
    /// Metric types or kinds of records, as words of the contract.
    pub(crate) what: &'static str,
    /// File and field.
    pub(crate) from: &'static str,
    /// Unit in the file.
    pub(crate) unit: &'static str,
    /// What to know about it.
    pub(crate) note: &'static str,
}

/// A supported format.
#[derive(Debug, Clone, Copy)]
pub struct Format(&'static FormatReader);

impl Format {
    /// An export of this program.
    pub(crate) const OWN_EXPORT: Self = Self(&crate::readers::own::READER);
    /// The tables `meals`, `activities` and `health_metrics` of the reference service.
    pub const REFERENCE_TABLES: Self = Self(&crate::readers::reference::READER);
    /// The daily table of LifeSnaps.
    pub const LIFESNAPS: Self = Self(&crate::readers::lifesnaps::READER);
    /// The folders of T1D-UOM.
    pub const T1D_UOM: Self = Self(&crate::readers::t1d_uom::READER);
    /// Any table, read by a [`ColumnMap`](crate::ColumnMap).
    pub(crate) const TABLE: Self = Self(&crate::readers::mapped::READER);
    /// The JSON and CSV files of the app Health Auto Export.
    pub const HEALTH_AUTO_EXPORT: Self = Self(&crate::readers::health_auto_export::READER);

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

    /// All formats, in the order in which they are read.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        READERS.iter().copied().map(Self)
    }

    /// The name of the format.
    pub fn as_str(self) -> &'static str {
        self.0.word
    }

    /// The name of the format in sentences.
    pub fn title(self) -> &'static str {
        self.0.title
    }

    /// The format of a file, if a reader recognises it.
    pub(crate) fn of(sample: &Sample<'_>) -> Option<Self> {
        let mut best: Option<(Confidence, &'static FormatReader)> = None;
        for reader in READERS {
            let sure = (reader.recognises)(sample);
            if sure > best.map_or(Confidence::No, |best| best.0) {
                best = Some((sure, reader));
            }
        }
        best.map(|(_, reader)| Self(reader))
    }

    /// Whether its reader recognises a file.
    pub(crate) fn recognises(self, sample: &Sample<'_>) -> bool {
        (self.0.recognises)(sample) > Confidence::No
    }

    /// Reads files into the importer.
    pub(crate) fn read(
        self,
        importer: &mut Importer<'_>,
        files: &[PathBuf],
    ) -> Result<(), ImportError> {
        match self.0.read {
            Reading::Each(read) => importer.each(files, |importer, file| {
                let before = importer.counts();
                read(importer, file)?;
                importer.tell_of_nothing(file, before);
                Ok(())
            }),
            Reading::Together(read) => read(importer, files),
        }
    }

    /// The table of the guide: what each format gives, in Markdown.
    pub fn guide() -> String {
        let mut text = String::new();
        for reader in READERS {
            text += &format!(
                "### {} (`--format {}`)\n\n{}\n\n| what | from | unit in the file | note |\n| --- | --- \
                 | --- | --- |\n",
                reader.title, reader.word, reader.export
            );
            for gives in reader.gives {
                text += &format!(
                    "| {} | {} | {} | {} |\n",
                    gives.what, gives.from, gives.unit, gives.note
                );
            }
            text.push('\n');
        }
        text
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
