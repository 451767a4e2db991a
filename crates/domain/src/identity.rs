//! Identities of records of one moment that have no id of their own.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

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
pub struct Coincident(HashMap<u64, Contents>);

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

fn hash(value: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
