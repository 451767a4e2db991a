//! The words of an export that come again and again: names of sources, and units.

use super::elements::text_of;
use crate::healthkit::source;
use crate::readings::shortened;
use crate::report::RejectReason;
use crate::table::Fault;
use quick_xml::events::attributes::Attribute;
use std::collections::HashMap;
use vitalcast_domain::Unit;

/// The vendor, and what comes before the name of a device or app.
const VENDOR: &str = "apple-health";
/// Most names of sources; more are one.
const MOST_SOURCES: usize = 200;
/// Bytes of a name that count.
const LONGEST_NAME: usize = 200;
/// Most units that are remembered, and the longest of them, bytes.
const MOST_UNITS: usize = 64;
const LONGEST_UNIT: usize = 80;

/// The names of sources and the units that were met.
#[derive(Debug, Default)]
pub(super) struct Sources {
    names: HashMap<String, usize>,
    /// The source of each name.
    pub(super) of_names: Vec<usize>,
    pub(super) known: Vec<String>,
    units: Vec<(String, Option<Unit>)>,
}

impl Sources {
    /// The source of a name.
    pub(super) fn of(&self, name: usize) -> &str {
        let source = self.of_names.get(name).and_then(|of| self.known.get(*of));
        source.map_or(VENDOR, String::as_str)
    }

    /// Number of a name of a source, as it is written.
    pub(super) fn named(&mut self, name: &str) -> usize {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        if name.len() > LONGEST_NAME {
            return self.named(&shortened(name));
        }
        let source = if self.names.len() < MOST_SOURCES {
            source_of(name)
        } else {
            VENDOR.to_owned()
        };
        let found = self.known.iter().position(|known| *known == source);
        let place = found.unwrap_or_else(|| {
            self.known.push(source);
            self.known.len() - 1
        });
        if self.names.len() >= MOST_SOURCES {
            let other = self.of_names.iter().position(|known| *known == place);
            if let Some(other) = other {
                return other;
            }
        } else {
            self.names.insert(name.to_owned(), self.of_names.len());
        }
        self.of_names.push(place);
        self.of_names.len() - 1
    }

    /// The unit that a word means.
    pub(super) fn unit(&mut self, attribute: Option<&Attribute<'_>>) -> Result<Unit, Fault> {
        let unknown = || (RejectReason::UnknownWord, "an unknown unit".to_owned());
        let attribute = attribute.ok_or_else(unknown)?;
        let word = &*attribute.value;
        if let Some((_, unit)) = self.units.iter().find(|(known, _)| known == word) {
            return unit.ok_or_else(unknown);
        }
        let unit = Unit::parse(&text_of(attribute)).ok();
        if self.units.len() < MOST_UNITS && word.len() <= LONGEST_UNIT {
            self.units.push((word.to_owned(), unit));
        }
        unit.ok_or_else(unknown)
    }
}

/// The source that a name means, as it is written in XML.
fn source_of(written: &str) -> String {
    match quick_xml::escape::unescape(written) {
        Ok(name) => source(VENDOR, &name),
        Err(_) => source(VENDOR, written),
    }
}
