//! What was seen before in a file: rows that stand in it twice.

use foldhash::fast::RandomState;
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash};

/// Things that were seen, kept as hashes of 64 bits: for a million things the chance that two different ones
/// are taken for one is below one in ten million.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    state: foldhash::quality::RandomState,
    hashes: HashSet<u64, RandomState>,
}

impl Repeats {
    /// Whether a thing was not seen before.
    pub(crate) fn is_new(&mut self, thing: &impl Hash) -> bool {
        self.hashes.insert(self.state.hash_one(thing))
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
}
