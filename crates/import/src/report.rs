//! The result of an import: counts of rows and records.

use crate::format::Format;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitalcast_domain::UserId;

macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant),+ }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(match self { $(Self::$variant => $word),+ })
            }
        }
    };
}

reasons! {
    /// Reason of a rejected row; the words are stable.
    RejectReason {
        /// Bytes that are not UTF-8.
        NotUtf8 = "not_utf8",
        /// More or fewer cells than the header, or half a line.
        WrongLength = "wrong_number_of_cells",
        /// A quote that is never closed.
        OpenQuote = "quote_never_closed",
        /// A line that is not JSON.
        NotJson = "not_json",
        /// A required cell is empty.
        Empty = "required_cell_empty",
        /// An invalid user id.
        BadUser = "bad_user_id",
        /// A time that cannot be read.
        BadTime = "bad_time",
        /// A number that cannot be read.
        BadNumber = "bad_number",
        /// A number that is infinite or NaN.
        NotFinite = "not_finite",
        /// A number outside the plausible range.
        OutOfRange = "out_of_range",
        /// An unknown word.
        UnknownWord = "unknown_word",
        /// A unit that does not match the metric.
        WrongUnit = "wrong_unit",
        /// A time in the future.
        Future = "date_in_the_future",
        /// A time before the earliest year.
        TooOld = "date_before_1990",
        /// Cells of one row that contradict each other.
        Contradiction = "cells_contradict_each_other",
        /// An end before its start.
        Reversed = "ends_before_it_begins",
    }
}

reasons! {
    /// Reason for leaving out a row or cell that is not an error.
    SkipReason {
        /// The same row as before.
        Repeated = "repeated_row",
        /// A zero or an empty cell that means "not measured".
        Missing = "not_measured",
        /// A day on which the watch was not worn.
        NotWorn = "not_worn",
        /// A meal without any nutrient.
        NothingEaten = "meal_without_nutrients",
        /// A row of another person.
        OtherUser = "other_user",
        /// A file of the folder with no data to import.
        OtherFile = "other_file",
        /// A row of a kind that is not read, or that its source has deleted.
        NotRead = "kind_not_read",
    }
}

/// Receives a rejected row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The file.
    pub file: PathBuf,
    /// Line number, counted from 1.
    pub line: u64,
    /// The reason.
    pub reason: RejectReason,
    /// What is wrong and what was expected; never the health value itself.
    pub message: String,
}

/// What was read of one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatReport {
    /// The format.
    pub format: Format,
    /// Number of files read.
    pub files: u64,
    /// Number of records passed to the sink.
    pub records: u64,
}

/// Files that were not read for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unread {
    /// Their number.
    pub files: u64,
    /// The first of them.
    pub examples: Vec<PathBuf>,
}

impl Unread {
    /// Number of files that are named.
    const EXAMPLES: usize = 3;

    pub(crate) fn add(&mut self, file: PathBuf) {
        self.files += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push(file);
        }
    }
}

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Formats that were found, in the order in which they were read.
    pub formats: Vec<FormatReport>,
    /// Files that were not read, by what they are.
    pub unread: BTreeMap<String, Unread>,
    /// Number of files read.
    pub files: u64,
    /// Number of rows read, without headers.
    pub rows_read: u64,
    /// Number of records passed to the sink.
    pub records: u64,
    /// Number of rows and cells left out that are not errors, by reason.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// Number of rejected rows, by reason.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// People in the export.
    pub people: u64,
    /// The owner of the options, if it was needed: an export did not say whose it is.
    pub owner: Option<UserId>,
    /// Notes about the result.
    pub notes: Vec<String>,
}
