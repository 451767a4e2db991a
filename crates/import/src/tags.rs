//! What people note beside their readings: answers of a journal, labels of a day.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::{Place, shortened};
use vitalcast_domain::bounds::{NOTE_LENGTH, TAG_NAME_LENGTH};
use vitalcast_domain::{Moment, Provenance, Record, Tag, Told, UserId, short_name};

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
        let name = self.cut(&one_line(noted.name), TAG_NAME_LENGTH.high);
        let note = self.cut(noted.note, NOTE_LENGTH.high);
        // Two long questions may begin alike, so what the id has no room for is in its hash.
        let id = format!("{} {}", noted.id, short_name(&name));
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

/// Words and marks of yes, in the languages of tables; among them what spreadsheets write for "true".
const YES: [&str; 25] = [
    "true",
    "yes",
    "1",
    "y",
    "t",
    "x",
    "ja",
    "j",
    "oui",
    "o",
    "sí",
    "si",
    "sì",
    "s",
    "sim",
    "wahr",
    "vrai",
    "verdadero",
    "vero",
    "verdadeiro",
    "waar",
    "✓",
    "✔",
    "✅",
    "☑",
];
/// Words and marks of no.
const NO: [&str; 18] = [
    "false", "no", "0", "n", "f", "nein", "non", "não", "nao", "nee", "falsch", "faux", "falso",
    "onwaar", "✗", "✘", "❌", "☐",
];

/// An answer of a journal; `None` if it is neither yes nor no.
pub(crate) fn answer(text: &str) -> Option<bool> {
    // A mark may be followed by the wish to be drawn in colour.
    let word = text.trim().trim_end_matches('\u{fe0f}').to_lowercase();
    if YES.contains(&word.as_str()) {
        Some(true)
    } else {
        NO.contains(&word.as_str()).then_some(false)
    }
}

/// A name on one line, without what controls how text is shown.
fn one_line(name: &str) -> String {
    let is_shown = |letter: &char| {
        let turns = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        !turns && (letter.is_whitespace() || !letter.is_control())
    };
    let shown: String = name.chars().filter(is_shown).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}
