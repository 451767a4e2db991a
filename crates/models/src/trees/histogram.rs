//! Sums of gradients by bin.
//!
//! Gradients are summed as integers, scaled by a power of two so that no sum can overflow. Integer
//! sums are the same in every order: threads may take any share of the rows, and a child's sums may
//! come from its rows or from its parent's less its sibling's.

use super::bins::{Binned, LANES};
use rayon::prelude::*;

/// Bins of a column.
pub(super) const BINS: usize = 256;
/// Rows whose words stay in the cache while all groups read them.
const BLOCK: usize = 1024;
/// Groups that are gathered together: a line of the cache.
const TOGETHER: usize = 8;
/// From this many additions on, threads pay.
const PARALLEL_ADDITIONS: usize = 1 << 18;

/// The sums of eight columns.
pub(super) type Lanes<C> = [[C; BINS]; LANES];
/// The sums of all columns.
pub(super) type Histogram<C> = Vec<Lanes<C>>;

/// Sums of some rows: their gradients, their weights and their number.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    pub(super) gradient: f64,
    pub(super) weight: f64,
    pub(super) rows: f64,
}

/// What gradients and weights were multiplied with before they were rounded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Bits that a number of rows takes.
    bits: u32,
    gradient: f64,
    weight: f64,
    /// What takes both back; exact, for powers of two.
    gradient_back: f64,
    weight_back: f64,
}

impl Scale {
    fn new(bits: u32, gradient: f64, weight: f64) -> Self {
        Self {
            bits,
            gradient,
            weight,
            gradient_back: 1.0 / gradient,
            weight_back: 1.0 / weight,
        }
    }
}

/// One row's part of a sum, or the sum.
pub(super) trait Cell: Copy + Send + Sync + 'static {
    const ZERO: Self;
    fn add(&mut self, other: Self);
    fn subtract(&mut self, other: Self);
    /// Factors for gradients and weights of at most these sizes.
    fn scale(rows: usize, gradient: f64, weight: f64) -> Scale;
    fn of(gradient: f64, weight: f64, scale: &Scale) -> Self;
    fn sums(self, scale: &Scale) -> Sums;
    /// Whether no row is in the sum.
    fn is_empty(self) -> bool;
}

/// Rows that all have weight 1: the sum of gradients in the upper bits, their number in the lower.
impl Cell for i64 {
    const ZERO: Self = 0;

    #[inline]
    fn add(&mut self, other: Self) {
        *self = self.wrapping_add(other);
    }

    #[inline]
    fn subtract(&mut self, other: Self) {
        *self = self.wrapping_sub(other);
    }

    fn scale(rows: usize, gradient: f64, _: f64) -> Scale {
        let bits = rows.ilog2() + 1;
        Scale::new(bits, factor(gradient, 62 - 2 * bits as i32), 1.0)
    }

    #[inline]
    fn of(gradient: f64, _: f64, scale: &Scale) -> Self {
        (round(gradient * scale.gradient) << scale.bits) + 1
    }

    #[inline]
    fn sums(self, scale: &Scale) -> Sums {
        let rows = (self & ((1 << scale.bits) - 1)) as f64;
        Sums {
            gradient: (self >> scale.bits) as f64 * scale.gradient_back,
            weight: rows,
            rows,
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        self == 0
    }
}

/// The most rows whose gradients keep twenty bits in one word.
pub(super) const MAX_PACKED_ROWS: usize = (1 << 21) - 1;

/// Gradient, weight and number of rows.
impl Cell for [i64; 3] {
    const ZERO: Self = [0; 3];

    #[inline]
    fn add(&mut self, other: Self) {
        for (sum, part) in self.iter_mut().zip(other) {
            *sum = sum.wrapping_add(part);
        }
    }

    #[inline]
    fn subtract(&mut self, other: Self) {
        for (sum, part) in self.iter_mut().zip(other) {
            *sum = sum.wrapping_sub(part);
        }
    }

    fn scale(rows: usize, gradient: f64, weight: f64) -> Scale {
        let bits = rows.ilog2() + 1;
        let most = 62 - bits as i32;
        Scale::new(bits, factor(gradient, most), factor(weight, most))
    }

    #[inline]
    fn of(gradient: f64, weight: f64, scale: &Scale) -> Self {
        [
            round(gradient * scale.gradient),
            round(weight * scale.weight),
            1,
        ]
    }

    #[inline]
    fn sums(self, scale: &Scale) -> Sums {
        let [gradient, weight, rows] = self;
        Sums {
            gradient: gradient as f64 * scale.gradient_back,
            weight: weight as f64 * scale.weight_back,
            rows: rows as f64,
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        self[2] == 0
    }
}

/// The power of two that takes numbers up to `largest` to at most `bits` bits; no more bits than a
/// float has.
fn factor(largest: f64, bits: i32) -> f64 {
    if largest <= 0.0 {
        return 1.0;
    }
    let exponent = largest.log2().floor() as i32 + 1;
    // Kept where both the factor and what it divides are normal numbers.
    2.0_f64.powi((bits.min(50) - exponent).clamp(-900, 900))
}

/// To the nearest whole number, of numbers below 2⁵¹: behind 1.5 · 2⁵² a float has no room for a
/// fraction, and its bits count.
#[inline]
fn round(value: f64) -> i64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    (value + SHIFT).to_bits() as i64 - SHIFT.to_bits() as i64
}

/// Rows of a node.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    All,
    Some(&'a [u32]),
}

/// Adds up the rows of a node into sums that are zero.
pub(super) fn fill<C: Cell>(
    binned: &Binned,
    rows: Rows<'_>,
    cells: &[C],
    histogram: &mut Histogram<C>,
) {
    let count = match rows {
        Rows::All => binned.rows,
        Rows::Some(rows) => rows.len(),
    };
    let threads = rayon::current_num_threads();
    if threads == 1 || count * binned.groups * LANES < PARALLEL_ADDITIONS {
        return add_rows(binned, rows, 0, cells, 0, histogram);
    }
    if count < 32 * BLOCK {
        // Few rows and many columns: a thread takes groups.
        histogram
            .par_chunks_mut(1)
            .enumerate()
            .for_each(|(group, lanes)| add_rows(binned, rows, 0, cells, group, lanes));
        return;
    }
    let share = count.div_ceil(2 * threads).next_multiple_of(BLOCK);
    let part = |first: usize| {
        let last = count.min(first + share);
        let mut sums: Histogram<C> = vec![[[C::ZERO; BINS]; LANES]; binned.groups];
        match rows {
            Rows::All => add_rows(binned, Rows::All, first, &cells[first..last], 0, &mut sums),
            Rows::Some(rows) => {
                add_rows(
                    binned,
                    Rows::Some(&rows[first..last]),
                    0,
                    cells,
                    0,
                    &mut sums,
                );
            }
        }
        sums
    };
    let starts: Vec<usize> = (0..count).step_by(share).collect();
    let sum = starts.into_par_iter().map(part).reduce_with(|mut a, b| {
        for (a, b) in a.as_flattened_mut().iter_mut().zip(b.as_flattened()) {
            for (a, b) in a.iter_mut().zip(b) {
                a.add(*b);
            }
        }
        a
    });
    if let Some(sum) = sum {
        *histogram = sum;
    }
}

/// Adds rows to the sums of some groups. Of all rows, `cells` begins at row `first`; of some, it is
/// for the whole table.
fn add_rows<C: Cell>(
    binned: &Binned,
    rows: Rows<'_>,
    first: usize,
    cells: &[C],
    first_group: usize,
    histogram: &mut [Lanes<C>],
) {
    let groups = binned.groups;
    let columns = |group: usize| (binned.columns.len() - group * LANES).min(LANES);
    match rows {
        Rows::All => {
            for (block, cells) in cells.chunks(BLOCK).enumerate() {
                let words = &binned.words[(first + block * BLOCK) * groups..];
                for (group, lanes) in (first_group..).zip(histogram.iter_mut()) {
                    let words = words[group..].iter().step_by(groups);
                    add(columns(group), words, cells, lanes);
                }
            }
        }
        Rows::Some(rows) => {
            // Words are gathered first: many reads are then under way at once.
            let mut gathered = vec![[0_u64; BLOCK]; histogram.len().min(TOGETHER)];
            let mut own = [C::ZERO; BLOCK];
            for rows in rows.chunks(BLOCK) {
                for (own, row) in own.iter_mut().zip(rows) {
                    *own = cells[*row as usize];
                }
                let groups_now = (first_group..).step_by(TOGETHER);
                for (first, lanes) in groups_now.zip(histogram.chunks_mut(TOGETHER)) {
                    let count = lanes.len();
                    for (place, row) in rows.iter().enumerate() {
                        let words = &binned.words[*row as usize * groups + first..][..count];
                        for (line, word) in gathered.iter_mut().zip(words) {
                            line[place] = *word;
                        }
                    }
                    for ((group, lanes), line) in (first..).zip(lanes).zip(&gathered) {
                        add(columns(group), line.iter(), &own[..rows.len()], lanes);
                    }
                }
            }
        }
    }
}

/// Adds one group's words to its sums.
fn add<'a, C: Cell>(
    columns: usize,
    words: impl Iterator<Item = &'a u64>,
    cells: &[C],
    lanes: &mut Lanes<C>,
) {
    match columns {
        1 => add_columns::<C, 1>(words, cells, lanes),
        2 => add_columns::<C, 2>(words, cells, lanes),
        3 => add_columns::<C, 3>(words, cells, lanes),
        4 => add_columns::<C, 4>(words, cells, lanes),
        5 => add_columns::<C, 5>(words, cells, lanes),
        6 => add_columns::<C, 6>(words, cells, lanes),
        7 => add_columns::<C, 7>(words, cells, lanes),
        _ => add_columns::<C, 8>(words, cells, lanes),
    }
}

#[inline]
fn add_columns<'a, C: Cell, const COLUMNS: usize>(
    words: impl Iterator<Item = &'a u64>,
    cells: &[C],
    lanes: &mut Lanes<C>,
) {
    for (cell, word) in cells.iter().zip(words) {
        // A byte cannot be past the last bin, so no place is checked.
        let bins = word.to_le_bytes();
        for column in 0..COLUMNS {
            lanes[column][usize::from(bins[column])].add(*cell);
        }
    }
}

/// Takes a child's sums from its parent's, which leaves the other child's.
pub(super) fn subtract<C: Cell>(binned: &Binned, parent: &mut Histogram<C>, child: &Histogram<C>) {
    let columns = binned.columns.iter();
    let parents = parent.as_flattened_mut().iter_mut();
    for ((column, parent), child) in columns.zip(parents).zip(child.as_flattened()) {
        let used = ..=column.last_bin();
        for (parent, child) in parent[used].iter_mut().zip(&child[used]) {
            parent.subtract(*child);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_the_largest_gradients_do_not_overflow() {
        for rows in [1, 7, 365, MAX_PACKED_ROWS] {
            for largest in [1e-20, 0.75, 1.0, 3e25] {
                let scale = i64::scale(rows, largest, 1.0);
                for sign in [-1.0, 1.0] {
                    let cell = i64::of(sign * largest, 1.0, &scale);
                    let sums = cell.wrapping_mul(rows as i64).sums(&scale);
                    let expected = sign * largest * rows as f64;
                    assert!(
                        (sums.gradient / expected - 1.0).abs() < 1e-5,
                        "{rows} {largest}"
                    );
                    assert_eq!(sums.rows, rows as f64);
                }
            }
        }
    }

    #[test]
    fn a_gradient_keeps_twenty_bits() {
        let scale = i64::scale(MAX_PACKED_ROWS, 1.0, 1.0);
        let error = i64::of(0.123_456_789, 1.0, &scale).sums(&scale).gradient - 0.123_456_789;
        assert!(error.abs() < 1.0 / f64::from(1 << 19), "{error}");
    }
}
