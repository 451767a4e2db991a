//! Blocks, pairs of blocks, and their random order.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Pairs of blocks of days. The days are counted from the first day of the experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockDesign {
    /// Days of a block, those of the washout included.
    pub block_days: usize,
    /// First days of each block that are not counted, because the block before still shows.
    pub washout_days: usize,
    /// Pairs of blocks, one block of each condition.
    pub pairs: usize,
}

/// The place of a day in the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayPlace {
    /// Its pair, counted from 0.
    pub pair: usize,
    /// Whether it lies in the second block of the pair.
    pub is_second: bool,
    /// Whether it is one of the first days of its block, which are not counted.
    pub is_washout: bool,
}

impl BlockDesign {
    /// Days of the whole experiment.
    pub fn days(&self) -> usize {
        2 * self.block_days * self.pairs
    }

    /// Days of a block that are counted.
    pub fn counted_days(&self) -> usize {
        self.block_days.saturating_sub(self.washout_days)
    }

    /// Days of a block that need a value for the block to count: half of those counted, rounded up.
    pub fn least_days(&self) -> usize {
        self.counted_days().div_ceil(2).max(1)
    }

    /// Where a day lies; `None` after the end.
    pub fn place(&self, day: usize) -> Option<DayPlace> {
        (day < self.days()).then(|| {
            let block = day / self.block_days;
            DayPlace {
                pair: block / 2,
                is_second: block % 2 == 1,
                is_washout: day % self.block_days < self.washout_days,
            }
        })
    }

    /// Pairs whose last day is among the first `days`.
    pub fn pairs_over(&self, days: usize) -> usize {
        (days / (2 * self.block_days)).min(self.pairs)
    }
}

/// For each pair whether condition B comes first: a coin for each, the same for the same seed.
pub fn random_order(pairs: usize, seed: u64) -> Vec<bool> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..pairs).map(|_| random.random::<bool>()).collect()
}

/// What a pair of blocks has shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairDifference {
    /// The pair, counted from 0.
    pub pair: usize,
    /// Mean of the counted days under condition A.
    pub a: f64,
    /// The same under condition B.
    pub b: f64,
    /// Days with a value under A.
    pub a_days: usize,
    /// Days with a value under B.
    pub b_days: usize,
}

impl PairDifference {
    /// A less B.
    pub fn difference(&self) -> f64 {
        self.a - self.b
    }
}

/// The differences of the pairs that can be used, in time order. `values` are those of the days of the
/// design, from its first; days after the last value are missing.
///
/// A block counts if at least [`BlockDesign::least_days`] of its days have a value. That does not depend
/// on which condition it had.
pub fn pair_differences(
    values: &[Option<f64>],
    b_first: &[bool],
    design: &BlockDesign,
) -> Vec<PairDifference> {
    let block = |number: usize| {
        let first = number * design.block_days + design.washout_days;
        let last = (number + 1) * design.block_days;
        let days = values.get(first.min(values.len())..last.min(values.len()));
        let known = days.unwrap_or(&[]).iter().copied().flatten();
        let count = known.clone().count();
        let mean = vitalcast_evaluation::mean(known)?;
        (count >= design.least_days()).then_some((mean, count))
    };
    let pairs = design.pairs.min(b_first.len());
    (0..pairs)
        .filter_map(|pair| {
            let (first, second) = (block(2 * pair)?, block(2 * pair + 1)?);
            let (a, b) = if b_first[pair] {
                (second, first)
            } else {
                (first, second)
            };
            Some(PairDifference {
                pair,
                a: a.0,
                b: b.0,
                a_days: a.1,
                b_days: b.1,
            })
        })
        .collect()
}

/// The largest number of pairs, at most `most`, with which a design ends within so many days.
pub fn pairs_within(block_days: usize, days: usize, most: usize) -> usize {
    (days / (2 * block_days.max(1))).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESIGN: BlockDesign = BlockDesign {
        block_days: 3,
        washout_days: 1,
        pairs: 2,
    };

    #[test]
    fn days_lie_where_a_person_would_count_them() {
        assert_eq!(DESIGN.days(), 12);
        let place = |day| DESIGN.place(day).unwrap();
        assert!(place(0).is_washout && !place(0).is_second && place(0).pair == 0);
        assert!(!place(2).is_washout);
        assert!(place(3).is_washout && place(3).is_second);
        assert_eq!(place(6).pair, 1);
        assert_eq!(DESIGN.place(12), None);
        assert_eq!(DESIGN.pairs_over(11), 1);
        assert_eq!(DESIGN.pairs_over(400), 2);
    }

    #[test]
    fn differences_by_hand() {
        // Washout days hold 99, which must not show.
        let values = [
            99.0, 60.0, 62.0, 99.0, 57.0, 57.0, 99.0, 58.0, 60.0, 99.0, 61.0, 63.0,
        ];
        let values: Vec<Option<f64>> = values.into_iter().map(Some).collect();
        let found = pair_differences(&values, &[false, true], &DESIGN);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].a, found[0].b), (61.0, 57.0));
        // In the second pair B came first.
        assert_eq!((found[1].a, found[1].b), (62.0, 59.0));
        assert_eq!(found[1].difference(), 3.0);
    }

    #[test]
    fn a_block_without_half_of_its_days_takes_its_pair_away() {
        let design = BlockDesign {
            block_days: 4,
            washout_days: 0,
            pairs: 1,
        };
        let mut values = vec![Some(60.0); 8];
        values[4] = None;
        values[5] = None;
        assert_eq!(pair_differences(&values, &[false], &design).len(), 1);
        values[6] = None;
        assert!(pair_differences(&values, &[false], &design).is_empty());
        assert!(pair_differences(&values[..4], &[false], &design).is_empty());
    }

    #[test]
    fn the_same_seed_gives_the_same_order_and_both_orders_come_up() {
        assert_eq!(random_order(40, 7), random_order(40, 7));
        assert_ne!(random_order(40, 7), random_order(40, 8));
        let first = random_order(2_000, 1).into_iter().filter(|b| *b).count();
        assert!((900..1_100).contains(&first), "{first}");
    }
}
