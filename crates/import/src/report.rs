//! What became of the rows.

use crate::format::Format;
use std::collections::BTreeMap;
use std::path::PathBuf;

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
    /// Why a row cannot be used; the words are stable.
    RejectReason {
        /// Bytes that are not UTF-8.
        NotUtf8 = "not_utf8",
        /// More or fewer cells than the header, or half a line.
        WrongLength = "wrong_number_of_cells",
        /// A line that is not JSON.
        NotJson = "not_json",
        /// A cell that must not be empty is.
        Empty = "required_cell_empty",
        /// A user id that is not safe.
        BadUser = "bad_user_id",
        /// A time that cannot be read.
        BadTime = "bad_time",
        /// A number that cannot be read.
        BadNumber = "bad_number",
        /// A number that is infinite or not one.
        NotFinite = "not_finite",
        /// A number outside of what is plausible.
        OutOfRange = "out_of_range",
        /// A word that is in no enumeration.
        UnknownWord = "unknown_word",
        /// A unit that does not measure this.
        WrongUnit = "wrong_unit",
        /// A time in the future.
        Future = "date_in_the_future",
        /// A time long before anyone wore a watch.
        TooOld = "date_before_1990",
        /// An end before its beginning.
        Reversed = "ends_before_it_begins",
    }
}

reasons! {
    /// Why something was left out that is not wrong.
    SkipReason {
        /// The same row as before.
        Repeated = "repeated_row",
        /// A zero or an empty cell that means "not measured".
        Missing = "not_measured",
        /// A day on which the watch was not worn.
        NotWorn = "not_worn",
        /// A meal without any nutrient.
        NothingEaten = "meal_without_nutrients",
        /// Someone else's row.
        OtherUser = "other_user",
        /// A file of the folder that holds nothing that is read.
        OtherFile = "other_file",
    }
}

/// A row that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Which file.
    pub file: PathBuf,
    /// Which line, counted from 1.
    pub line: u64,
    /// Why.
    pub reason: RejectReason,
    /// What is wrong and what was expected; never the health value itself.
    pub message: String,
}

/// What became of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportReport {
    /// What it was.
    pub format: Format,
    /// Files read.
    pub files: u64,
    /// Rows read, headers not counted.
    pub rows_read: u64,
    /// Records handed on.
    pub records: u64,
    /// What was left out without being wrong.
    pub skipped: BTreeMap<SkipReason, u64>,
    /// What cannot be used.
    pub rejected: BTreeMap<RejectReason, u64>,
    /// People found.
    pub people: u64,
    /// What a reader of the result should know.
    pub notes: Vec<String>,
}
