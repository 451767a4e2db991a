//! What was seen before in a file: rows that stand in it twice.

use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};

/// Most things that are kept, in some 70 MB. A thing that comes later is always new.
const MOST: usize = 4_000_000;

/// Things that were seen, kept as hashes of 64 bits: for a million things the chance that two different ones
/// are taken for one is below one in ten million.
#[derive(Debug)]
pub(crate) struct Repeats {
    state: foldhash::quality::RandomState,
    hashes: HashSet<u64, RandomState>,
    most: usize,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            state: foldhash::quality::RandomState::default(),
            hashes: HashSet::default(),
            most: MOST,
        }
    }
}

impl Repeats {
    /// Whether a thing was not seen before.
    pub(crate) fn is_new(&mut self, thing: &impl Hash) -> bool {
        self.is_new_hash(self.state.hash_one(thing))
    }

    fn is_new_hash(&mut self, hash: u64) -> bool {
        if self.hashes.len() < self.most {
            self.hashes.insert(hash)
        } else {
            !self.hashes.contains(&hash)
        }
    }
}

/// Things that were seen more than once, among all that were seen.
#[derive(Debug, Default)]
pub(crate) struct Repeated {
    seen: Repeats,
    again: HashSet<u64, RandomState>,
}

impl Repeated {
    /// Sees a thing; whether it was seen before.
    pub(crate) fn see(&mut self, thing: &impl Hash) -> bool {
        let hash = self.seen.state.hash_one(thing);
        let is_repeat = !self.seen.is_new_hash(hash);
        if is_repeat {
            self.again.insert(hash);
        }
        is_repeat
    }

    /// Whether a thing was seen more than once.
    pub(crate) fn has(&self, thing: &impl Hash) -> bool {
        !self.again.is_empty() && self.again.contains(&self.seen.state.hash_one(thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_new_once_and_parts_are_kept_apart() {
        let mut repeats = Repeats::default();
        assert!(repeats.is_new(&("ab", "c")));
        assert!(repeats.is_new(&("a", "bc")));
        assert!(!repeats.is_new(&("ab", "c")));
        let new = (0..100_000_u32).filter(|number| repeats.is_new(number));
        assert_eq!(new.count(), 100_000);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut repeats = Repeats {
            most: 2,
            ..Repeats::default()
        };
        let new = [1, 2, 3, 3, 2].map(|number| repeats.is_new(&number));
        assert_eq!(new, [true, true, true, true, false]);
        assert_eq!(repeats.hashes.len(), 2);
    }

    #[test]
    fn only_what_is_seen_twice_is_repeated() {
        let mut repeated = Repeated::default();
        let seen = ["a", "b", "a", "c", "a"].map(|word| repeated.see(&word));
        assert_eq!(seen, [false, false, true, false, true]);
        let again = ["a", "b", "c", "d"].map(|word| repeated.has(&word));
        assert_eq!(again, [true, false, false, false]);
    }
}
