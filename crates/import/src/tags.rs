//! What people note beside their readings: answers of a journal, labels of a day.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, shortened};
use vitalcast_domain::bounds::{NOTE_LENGTH, TAG_NAME_LENGTH};
use vitalcast_domain::{Moment, Provenance, Record, Tag, Told, UserId};

/// A tag as its source writes it.
pub(crate) struct Noted<'t> {
    /// What its id begins with, the same in every export; the name follows.
    pub(crate) id: String,
    /// The day that it is about, or its time.
    pub(crate) at: Moment,
    /// The label or the question.
    pub(crate) name: &'t str,
    /// Whether it was so.
    pub(crate) applies: bool,
    /// What the person wrote beside it.
    pub(crate) note: &'t str,
}

impl Importer<'_> {
    /// Adds a tag.
    pub(crate) fn tag(
        &mut self,
        user: &UserId,
        source: &str,
        place: Place<'_>,
        noted: &Noted<'_>,
    ) -> Result<(), ImportError> {
        let name = self.cut(noted.name, TAG_NAME_LENGTH.high);
        let note = self.cut(noted.note, NOTE_LENGTH.high);
        let id = format!("{} {name}", noted.id);
        let tag = Tag {
            provenance: Provenance::told(shortened(source), shortened(&id), Told::at(noted.at)),
            name,
            applies: noted.applies,
            note: (!note.is_empty()).then_some(note),
        };
        self.checked(user, place, Record::Tag(tag))
    }

    /// A text without space around it, of so many characters at most; says so once when some are left out.
    fn cut(&mut self, text: &str, longest: i64) -> String {
        let text = text.trim();
        let most = usize::try_from(longest).unwrap_or(usize::MAX);
        match text.char_indices().nth(most) {
            None => text.to_owned(),
            Some((end, _)) => {
                self.note(format!("texts of more than {most} characters are cut"));
                text[..end].to_owned()
            }
        }
    }
}

/// Words and marks of yes, in the languages of tables.
const YES: [&str; 15] = [
    "true", "yes", "1", "y", "t", "x", "ja", "j", "oui", "sí", "si", "sì", "sim", "✓", "✔",
];
/// Words of no.
const NO: [&str; 11] = [
    "false", "no", "0", "n", "f", "nein", "non", "não", "nao", "nee", "✗",
];

/// An answer of a journal; `None` if it is neither yes nor no.
pub(crate) fn answer(text: &str) -> Option<bool> {
    let word = text.trim().to_lowercase();
    if YES.contains(&word.as_str()) {
        Some(true)
    } else {
        NO.contains(&word.as_str()).then_some(false)
    }
}
