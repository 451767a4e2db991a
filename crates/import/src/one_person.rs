//! Exports that may hold several people: only the first of them is the owner of the import.

use crate::batch::Importer;
use crate::report::SkipReason;

/// The id that the first record with one had.
#[derive(Debug, Default)]
pub(crate) struct OnePerson {
    id: Option<String>,
}

impl OnePerson {
    /// Whether a record is of the owner; one without an id is. Others are counted.
    pub(crate) fn is_owner(&mut self, importer: &mut Importer<'_>, id: &str) -> bool {
        if id.is_empty() || self.id.get_or_insert_with(|| id.to_owned()) == id {
            return true;
        }
        importer.skip(SkipReason::OtherUser);
        importer.note("the export holds several people: only the first of them is read".to_owned());
        false
    }
}
