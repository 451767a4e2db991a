//! Identities of records of one moment that have no id of their own.

use crate::moment::Moment;
use crate::record::{Intensity, MealType, Record};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// Tells records apart that share a key (for a meal: person, source, moment and name) and have no id
/// of their own.
///
/// Each different content under a key has a place, counted from 1 in the order of first sight. The
/// same content has the same place wherever it comes again, so that a diary that was pasted twice
/// counts once. It keeps hashes only.
///
/// ```
/// use vitalcast_domain::{Coincident, Place};
///
/// let mut diary = Coincident::default();
/// assert_eq!(diary.place("12:30 bread", 220), Place::New(1));
/// assert_eq!(diary.place("12:30 soup", 180), Place::New(1));
/// assert_eq!(diary.place("12:30 bread", 220), Place::Known(1));
/// assert_eq!(diary.place("12:30 bread", 110), Place::New(2));
/// ```
#[derive(Debug, Default)]
pub struct Coincident(HashMap<u64, Contents, BuildHasherDefault<Hashed>>);

/// Place of a content among the different contents of its key, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The content was not there before.
    New(usize),
    /// The content was there before, at this place.
    Known(usize),
}

/// Hashes of the contents of one key; nearly always there is one.
#[derive(Debug)]
struct Contents {
    first: u64,
    others: Vec<u64>,
}

impl Coincident {
    /// The place of a content under a key.
    pub fn place(&mut self, key: impl Hash, content: impl Hash) -> Place {
        let (key, content) = (hash(key), hash(content));
        let contents = match self.0.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Contents {
                    first: content,
                    others: Vec::new(),
                });
                return Place::New(1);
            }
            Entry::Occupied(contents) => contents.into_mut(),
        };
        if contents.first == content {
            return Place::Known(1);
        }
        match contents.others.iter().position(|known| *known == content) {
            Some(index) => Place::Known(index + 2),
            None => {
                contents.others.push(content);
                Place::New(contents.others.len() + 1)
            }
        }
    }
}

impl Coincident {
    /// Gives a record that has no id of its own a reproducible one: its time as it was written, for a
    /// meal and a tag with the name, for an activity with the type. Only different contents under one such id are
    /// told apart by a number. A meal without a name is what it consists of: another one of the same time
    /// is another food, wherever it comes, and no correction. Also says whether the record repeats an
    /// earlier one, wherever it stands.
    pub fn identify(&mut self, owner: impl Hash, mut record: Record) -> (Record, bool) {
        let content = content(&record);
        let provenance = record.provenance();
        let moment = provenance.told.at.id();
        let (id, metric) = match &record {
            Record::HealthMetric(reading) => (moment, Some(reading.metric)),
            Record::Meal(meal) => match meal.name.as_deref() {
                Some(name) if !name.is_empty() => (format!("{moment} {}", short_name(name)), None),
                Some(_) | None => (format!("{moment} ~{content:016x}"), None),
            },
            Record::Activity(activity) => (format!("{moment} {}", activity.activity_type), None),
            Record::Tag(tag) => (format!("{moment} {}", short_name(&tag.name)), None),
        };
        let key = (owner, record.kind(), metric, &provenance.source, &id);
        let (place, is_repeated) = match self.place(key, content) {
            Place::New(place) => (place, false),
            Place::Known(place) => (place, true),
        };
        record.provenance_mut().source_id = match place {
            1 => id,
            more => format!("{id}#{more}"),
        };
        (record, is_repeated)
    }
}

/// Longest name that is part of an id, in bytes.
const MAX_NAME: usize = 100;

/// A name that is not too long for an id: of more than 100 bytes, what is cut off is told apart by its hash.
pub fn short_name(name: &str) -> std::borrow::Cow<'_, str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let mut hash = Lasting::default();
    hash.write(name.as_bytes());
    let cut = name.floor_char_boundary(MAX_NAME);
    format!("{}~{:016x}", &name[..cut], hash.finish()).into()
}

/// A hash of what a record says, apart from its time and name. It stands in ids: what goes into it, and in
/// which order, never changes.
fn content(record: &Record) -> u64 {
    let mut hash = Lasting::default();
    let until = record.provenance().told.until;
    hash.text(until.map(Moment::id).as_deref());
    let numbers = match record {
        Record::HealthMetric(reading) => vec![Some(reading.value)],
        Record::Meal(meal) => {
            hash.text(meal.meal_type.map(MealType::as_str));
            vec![
                meal.energy_kcal,
                meal.protein_g,
                meal.carbs_g,
                meal.fat_g,
                meal.fiber_g,
                meal.sugar_g,
            ]
        }
        Record::Activity(activity) => {
            hash.text(activity.intensity.map(Intensity::as_str));
            vec![
                activity.duration_minutes,
                activity.energy_kcal,
                activity.average_heart_rate,
                activity.max_heart_rate,
                activity.distance_m,
                activity.steps,
            ]
        }
        Record::Tag(tag) => {
            hash.text(tag.note.as_deref());
            vec![Some(f64::from(u8::from(tag.applies)))]
        }
    };
    for number in numbers {
        // 0 and -0 are one number.
        let bits = number.map(|number| (number + 0.0).to_bits().to_le_bytes());
        hash.part(bits.as_ref().map(<[u8; 8]>::as_slice));
    }
    hash.finish()
}

/// FNV-1a: the same number in every version of this program.
struct Lasting(u64);

impl Default for Lasting {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Lasting {
    /// Adds a part that may be missing, with its length, so that no two lists of parts are the same bytes.
    fn part(&mut self, part: Option<&[u8]>) {
        match part {
            None => self.write(&u64::MAX.to_le_bytes()),
            Some(bytes) => {
                self.write(&(bytes.len() as u64).to_le_bytes());
                self.write(bytes);
            }
        }
    }

    fn text(&mut self, text: Option<&str>) {
        self.part(text.map(str::as_bytes));
    }
}

impl Hasher for Lasting {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Takes the hash of a key as it is.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provenance::{Provenance, Told};
    use crate::record::Meal;

    fn food(name: Option<&str>, energy_kcal: f64) -> Record {
        let told = Told::at("2026-06-08T12:30:00".parse().unwrap());
        Record::Meal(Meal {
            provenance: Provenance::told("api", "", told),
            name: name.map(str::to_owned),
            meal_type: None,
            energy_kcal: Some(energy_kcal),
            protein_g: None,
            carbs_g: None,
            fat_g: None,
            fiber_g: None,
            sugar_g: None,
        })
    }

    /// The ids of foods that come one by one, each for itself.
    fn ids(foods: &[(Option<&str>, f64)]) -> Vec<String> {
        let id = |(name, energy): &(Option<&str>, f64)| {
            let (record, _) = Coincident::default().identify((), food(*name, *energy));
            record.provenance().source_id.clone()
        };
        foods.iter().map(id).collect()
    }

    #[test]
    fn foods_of_one_moment_without_names_are_no_corrections_of_each_other() {
        let [bread, soup, again, unnamed] = &ids(&[
            (None, 220.0),
            (None, 180.0),
            (None, 220.0),
            (Some(""), 220.0),
        ])[..] else {
            panic!()
        };
        assert_ne!(bread, soup);
        assert_eq!(bread, again, "the same food comes again");
        assert_eq!(bread, unnamed, "an empty name is none");
        // An id that stands in databases.
        assert_eq!(bread, "2026-06-08T12:30:00+00:00 ~61f60ec41338a3c6");
    }

    #[test]
    fn a_food_with_a_name_is_corrected_by_the_name() {
        let of_one_name = ids(&[(Some("bread"), 220.0), (Some("bread"), 110.0)]);
        assert_eq!(of_one_name, ["2026-06-08T12:30:00+00:00 bread"; 2]);
    }
}
