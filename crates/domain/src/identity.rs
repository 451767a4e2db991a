//! Identities of records of one moment that have no id of their own.

use crate::record::Record;
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
    /// meal with the name, for an activity with the type. Only different contents under one such id are
    /// told apart by a number. Also says whether the record repeats an earlier one, wherever it stands.
    pub fn identify(&mut self, owner: impl Hash, mut record: Record) -> (Record, bool) {
        let provenance = record.provenance();
        let moment = provenance.told.at.id();
        let (id, metric) = match &record {
            Record::HealthMetric(reading) => (moment, Some(reading.metric)),
            Record::Meal(meal) => match &meal.name {
                Some(name) => (format!("{moment} {}", shortened(name)), None),
                None => (moment, None),
            },
            Record::Activity(activity) => (format!("{moment} {}", activity.activity_type), None),
        };
        let key = (owner, record.kind(), metric, &provenance.source, &id);
        let (place, is_repeated) = match self.place(key, content(&record)) {
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

/// A name that is not too long for an id; what is cut off is told apart by its hash.
fn shortened(name: &str) -> std::borrow::Cow<'_, str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    // FNV-1a: the same number in every version of this program.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let cut = name.floor_char_boundary(MAX_NAME);
    format!("{}~{hash:016x}", &name[..cut]).into()
}

/// A hash of what a record says, apart from its time and name.
fn content(record: &Record) -> u64 {
    let mut hasher = DefaultHasher::new();
    let bits = |number: Option<f64>| number.map(f64::to_bits);
    record.provenance().told.until.hash(&mut hasher);
    match record {
        Record::HealthMetric(reading) => reading.value.to_bits().hash(&mut hasher),
        Record::Meal(meal) => {
            meal.meal_type.hash(&mut hasher);
            let numbers = [
                meal.energy_kcal,
                meal.protein_g,
                meal.carbs_g,
                meal.fat_g,
                meal.fiber_g,
                meal.sugar_g,
            ];
            numbers.map(bits).hash(&mut hasher);
        }
        Record::Activity(activity) => {
            activity.intensity.hash(&mut hasher);
            let numbers = [
                activity.duration_minutes,
                activity.energy_kcal,
                activity.average_heart_rate,
                activity.max_heart_rate,
                activity.distance_m,
                activity.steps,
            ];
            numbers.map(bits).hash(&mut hasher);
        }
    }
    hasher.finish()
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
