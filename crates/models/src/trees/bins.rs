//! Values as bins: each column cut at quantiles, each value one byte.
//!
//! Bin 0 is for missing values; bin `b` holds the values from cut `b - 2` up to below cut `b - 1`.
//! The bytes are kept twice: row by row, eight columns to a word, which is what sums over rows read;
//! and column by column within blocks of rows, which is what parting rows by one column reads.

use super::options::TreeOptions;
use super::table::Table;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::ops::Range;

/// Columns in a word.
pub(super) const LANES: usize = 8;
/// Rows that cuts are found from in a larger table.
const SAMPLE: usize = 200_000;
/// Columns whose values are read at once: a line of the cache.
const BATCH: usize = 16;
/// Rows in a block, as a power of two.
const BLOCK_BITS: u32 = 10;
/// From this many values on, threads pay.
pub(super) const PARALLEL_VALUES: usize = 100_000;

/// One column that can be split on.
#[derive(Debug)]
pub(super) struct Column {
    /// Its place in the table.
    pub(super) place: usize,
    /// Where bins end, in order.
    pub(super) cuts: Vec<f32>,
    /// Whether everything observed is below the largest f32, so that it can be told from missing.
    pub(super) below_all: bool,
}

impl Column {
    /// The last bin of observed values, at least 1.
    pub(super) fn last_bin(&self) -> usize {
        self.cuts.len() + 1
    }

    /// What the values of bins 1 to `bin` are below, and those of later bins are not.
    pub(super) fn threshold(&self, bin: usize) -> f32 {
        self.cuts.get(bin - 1).copied().unwrap_or(f32::MAX)
    }
}

/// A table in bins.
#[derive(Debug)]
pub(super) struct Binned {
    pub(super) rows: usize,
    pub(super) columns: Vec<Column>,
    /// Words of a row.
    pub(super) groups: usize,
    /// Row by row; a column's byte is at `column % 8` of word `column / 8`.
    pub(super) words: Vec<u64>,
    /// Blocks of `1 << block_bits` rows, in each column by column.
    bytes: Vec<u8>,
    block_bits: u32,
}

impl Binned {
    /// Cuts and bins every column on which rows differ.
    pub(super) fn new(table: &Table, options: &TreeOptions) -> Self {
        let parallel = table.values().len() >= PARALLEL_VALUES;
        let sample = sample(table.rows(), options.seed);
        let largest = |value: &f32| *value == f32::MAX;
        let below_all = if parallel {
            !table.values().par_iter().with_min_len(1 << 16).any(largest)
        } else {
            !table.values().iter().any(largest)
        };
        let found = |batch: usize| {
            let first = batch * BATCH;
            let last = table.columns().min(first + BATCH);
            Self::cut(table, first..last, sample.as_deref(), options, below_all)
        };
        let batches = table.columns().div_ceil(BATCH);
        let columns: Vec<Vec<Column>> = if parallel {
            (0..batches).into_par_iter().map(found).collect()
        } else {
            (0..batches).map(found).collect()
        };
        let columns: Vec<Column> = columns.into_iter().flatten().collect();
        let rows = table.rows();
        let groups = columns.len().div_ceil(LANES);
        let block_bits = rows.next_power_of_two().ilog2().min(BLOCK_BITS);
        let block = 1_usize << block_bits;
        let mut binned = Self {
            rows,
            groups,
            words: vec![0; rows * groups],
            bytes: vec![0; rows.div_ceil(block) * block * columns.len()],
            columns,
            block_bits,
        };
        if groups > 0 {
            binned.fill(table, parallel);
        }
        binned
    }

    /// Cuts neighbouring columns, whose values lie together.
    fn cut(
        table: &Table,
        places: Range<usize>,
        sample: Option<&[u32]>,
        options: &TreeOptions,
        below_all: bool,
    ) -> Vec<Column> {
        let taken = sample.map_or(table.rows(), <[u32]>::len);
        let mut observed: Vec<Vec<f32>> =
            places.clone().map(|_| Vec::with_capacity(taken)).collect();
        let mut take = |row: &[f32]| {
            for (observed, value) in observed.iter_mut().zip(&row[places.clone()]) {
                if !value.is_nan() {
                    observed.push(*value);
                }
            }
        };
        let bin_rows = match sample {
            None => {
                for row in 0..table.rows() {
                    take(table.row(row));
                }
                options.bin_rows
            }
            Some(rows) => {
                for row in rows {
                    take(table.row(*row as usize));
                }
                options.bin_rows.saturating_mul(taken) / table.rows()
            }
        };
        let mut columns = Vec::with_capacity(observed.len());
        for (place, mut observed) in places.zip(observed) {
            sort(&mut observed);
            let cuts = cuts(&observed, options.bins, bin_rows.max(1));
            let every = || table.values()[place..].iter().step_by(table.columns());
            let differs = !cuts.is_empty()
                || (every().any(|value| value.is_nan()) && every().any(|value| !value.is_nan()));
            if differs {
                columns.push(Column {
                    place,
                    cuts,
                    below_all: below_all || !every().any(|value| *value == f32::MAX),
                });
            }
        }
        columns
    }

    fn fill(&mut self, table: &Table, parallel: bool) {
        let block = 1_usize << self.block_bits;
        let searches: Vec<Search> = self.columns.iter().map(Search::new).collect();
        let groups = self.groups;
        let width = table.columns();
        let work = |((words, bytes), values): ((&mut [u64], &mut [u8]), &[f32])| {
            for (index, (search, bytes)) in searches.iter().zip(bytes.chunks_mut(block)).enumerate()
            {
                let shift = 8 * (index % LANES);
                let column = values[search.place..].iter().step_by(width);
                let words = words.chunks_exact_mut(groups);
                for ((value, byte), words) in column.zip(bytes).zip(words) {
                    *byte = search.bin(*value);
                    words[index / LANES] |= u64::from(*byte) << shift;
                }
            }
        };
        let words = block * groups;
        let bytes = block * self.columns.len();
        let values = block * width;
        if parallel {
            let parts = self
                .words
                .par_chunks_mut(words)
                .zip(self.bytes.par_chunks_mut(bytes))
                .zip(table.values().par_chunks(values));
            parts.for_each(work);
        } else {
            let parts = self
                .words
                .chunks_mut(words)
                .zip(self.bytes.chunks_mut(bytes))
                .zip(table.values().chunks(values));
            parts.for_each(work);
        }
    }

    /// A reader of one column's bins.
    pub(super) fn bytes_of(&self, column: usize) -> ColumnBytes<'_> {
        ColumnBytes {
            bytes: &self.bytes[column << self.block_bits..],
            block_bits: self.block_bits,
            stride: self.columns.len() << self.block_bits,
        }
    }
}

/// The bins of one column.
#[derive(Clone, Copy)]
pub(super) struct ColumnBytes<'a> {
    bytes: &'a [u8],
    block_bits: u32,
    stride: usize,
}

impl ColumnBytes<'_> {
    #[inline]
    pub(super) fn bin(&self, row: u32) -> u8 {
        let block = (row >> self.block_bits) as usize;
        let within = row & ((1 << self.block_bits) - 1);
        self.bytes[block * self.stride + within as usize]
    }
}

/// Finds the bin of a value.
struct Search {
    place: usize,
    /// Padded with infinity.
    cuts: [f32; 256],
    first_step: usize,
}

impl Search {
    fn new(column: &Column) -> Self {
        let mut cuts = [f32::INFINITY; 256];
        cuts[..column.cuts.len()].copy_from_slice(&column.cuts);
        Self {
            place: column.place,
            cuts,
            first_step: (column.cuts.len() + 1).next_power_of_two() / 2,
        }
    }

    /// By halves, without a branch that a processor must guess.
    #[inline]
    fn bin(&self, value: f32) -> u8 {
        let mut below = 0;
        let mut step = self.first_step;
        while step > 0 {
            let cut = self.cuts[(below + step - 1) & 255];
            below += step * usize::from(cut <= value);
            step /= 2;
        }
        if value.is_nan() { 0 } else { below as u8 + 1 }
    }
}

/// One row of each of [`SAMPLE`] stretches of equal length, so that no rhythm of the rows is met;
/// `None` for all rows.
fn sample(rows: usize, seed: u64) -> Option<Vec<u32>> {
    if rows <= SAMPLE {
        return None;
    }
    let mut random = ChaCha8Rng::seed_from_u64(seed ^ 0x51ab_97c4_2f6d_803e);
    let picked = (0..SAMPLE).map(|part| {
        let first = part * rows / SAMPLE;
        let length = (part + 1) * rows / SAMPLE - first;
        let drawn = (u64::from(random.next_u32()) * length as u64) >> 32;
        first as u32 + drawn as u32
    });
    Some(picked.collect())
}

/// Sorts numbers by integers that are in the same order.
fn sort(values: &mut [f32]) {
    let mut keys: Vec<u32> = values
        .iter()
        .map(|value| {
            // Zero has one key, with or without its sign.
            let bits = (value + 0.0).to_bits();
            if bits >> 31 == 1 {
                !bits
            } else {
                bits | 1 << 31
            }
        })
        .collect();
    keys.sort_unstable();
    for (value, key) in values.iter_mut().zip(keys) {
        let bits = if key >> 31 == 1 {
            key & !(1 << 31)
        } else {
            !key
        };
        *value = f32::from_bits(bits);
    }
}

/// Cuts of sorted values into at most `bins` bins of about as many rows each and at least `bin_rows`.
/// A value that alone fills a bin gets one of its own.
fn cuts(sorted: &[f32], bins: usize, bin_rows: usize) -> Vec<f32> {
    // Each value that occurs, with how often.
    let mut values: Vec<(f32, usize)> = Vec::new();
    for &value in sorted {
        match values.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            Some(_) | None => values.push((value, 1)),
        }
    }
    let few = values.len() <= bins;
    let full = if few {
        usize::MAX
    } else {
        (sorted.len() / bins).max(bin_rows)
    };
    let mut light_rows: usize = values.iter().map(|v| v.1).filter(|n| *n < full).sum();
    let heavy = values.iter().filter(|value| value.1 >= full).count();
    let mut light_bins = bins.saturating_sub(heavy).max(1);
    let mut enough = if few {
        bin_rows
    } else {
        light_rows.div_ceil(light_bins).max(bin_rows)
    };
    let mut cuts = Vec::new();
    let mut count = 0;
    for pair in values.windows(2) {
        let [(value, rows), (next, next_rows)] = [pair[0], pair[1]];
        if cuts.len() + 1 == bins {
            break;
        }
        count += rows;
        let alone = rows >= full;
        if !alone {
            light_rows -= rows;
        }
        let before_heavy = next_rows >= full && count >= bin_rows.max(enough / 2);
        if !(alone || count >= enough || before_heavy) {
            continue;
        }
        cuts.push(between(value, next));
        count = 0;
        if !alone && !few {
            light_bins = (light_bins - 1).max(1);
            enough = light_rows.div_ceil(light_bins).max(bin_rows);
        }
    }
    cuts
}

/// A number above one and not above the other.
fn between(low: f32, high: f32) -> f32 {
    let middle = (0.5 * (f64::from(low) + f64::from(high))) as f32;
    if middle > low { middle } else { high }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(count: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut values: Vec<f32> = (0..count).map(value).collect();
        sort(&mut values);
        values
    }

    #[test]
    fn few_values_get_a_bin_each() {
        let values = sorted(30, |row| (row % 3) as f32);
        assert_eq!(cuts(&values, 255, 3), [0.5, 1.5]);
        assert_eq!(cuts(&values, 2, 3), [1.5]);
        assert_eq!(cuts(&values[..10], 255, 3), Vec::<f32>::new());
    }

    #[test]
    fn many_values_get_bins_of_equal_size() {
        let values = sorted(10_000, |row| row as f32);
        let cuts = cuts(&values, 100, 3);
        assert_eq!(cuts.len(), 99);
        for (index, cut) in cuts.iter().enumerate() {
            assert!(
                (cut - 100.0 * (index + 1) as f32).abs() < 2.0,
                "{index} {cut}"
            );
        }
    }

    #[test]
    fn a_value_of_half_the_rows_is_alone() {
        let values = sorted(1_000, |row| if row < 500 { 0.0 } else { row as f32 });
        let cuts = cuts(&values, 11, 3);
        assert_eq!(cuts[0], 250.0);
        assert_eq!(cuts.len(), 10);
    }

    #[test]
    fn signed_numbers_keep_their_order() {
        let values = sorted(5, |row| [0.0, -1.5, f32::MAX, -0.0, f32::MIN][row]);
        assert_eq!(values, [f32::MIN, -1.5, 0.0, 0.0, f32::MAX]);
    }

    #[test]
    fn a_value_is_in_the_bin_whose_cuts_it_lies_between() {
        let column = Column {
            place: 0,
            cuts: vec![-1.0, 0.5, 2.0],
            below_all: true,
        };
        let search = Search::new(&column);
        for (value, bin) in [
            (f32::NAN, 0),
            (-5.0, 1),
            (-1.0, 2),
            (0.4, 2),
            (0.5, 3),
            (2.0, 4),
            (f32::MAX, 4),
        ] {
            assert_eq!(search.bin(value), bin, "{value}");
        }
    }

    #[test]
    fn neighbours_have_a_cut_between_them() {
        let value = 1.0_f32;
        assert_eq!(between(value, value.next_up()), value.next_up());
        assert_eq!(between(f32::MIN, f32::MAX), 0.0);
    }
}
