//! The best split of a node, from its sums.
//!
//! A split is worth what it adds to Σ gradient² / (weight + l2) over the leaves (Chen and Guestrin
//! 2016, equation 7). Missing values go to the side where they are worth more.

#![expect(
    clippy::inline_always,
    clippy::needless_bitwise_bool,
    reason = "what is not inlined loses the instruction set it was called for; a branch would keep \
              vectors away"
)]

use super::bins::{Binned, Column, LANES};
use super::histogram::{BINS, Cell, Histogram, Lanes, Scale, Sums};
use super::options::{Monotone, TreeOptions};
use pulp::Arch;
use rayon::prelude::*;

/// From this many columns on, threads pay.
const PARALLEL_COLUMNS: usize = 512;
/// Candidates that are looked at together.
const WIDTH: usize = 8;
/// The prefix sums of a column, and places to fill the last vector.
type Line = [f64; BINS + WIDTH];

/// What a split needs to be found.
pub(super) struct Finder<'a> {
    pub(super) binned: &'a Binned,
    pub(super) options: &'a TreeOptions,
    pub(super) scale: Scale,
    /// For each column whether this tree may split on it; empty for all.
    pub(super) allowed: &'a [bool],
}

/// A way to split a node.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    /// What it adds.
    pub(super) gain: f64,
    /// Of the binned table.
    pub(super) column: usize,
    /// Bins 1 to this go left.
    pub(super) bin: usize,
    /// Whether missing values do.
    pub(super) missing_left: bool,
    pub(super) left: Sums,
    pub(super) right: Sums,
}

/// Between what the values of a node must stay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Bounds {
    pub(super) const NONE: Self = Self {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };

    /// Bounds of the two sides of a split by a rule. The middle of both values parts them, so that no
    /// later split on either side can cross it.
    pub(super) fn of_children(self, rule: Monotone, left: f64, right: f64) -> [Self; 2] {
        let middle = 0.5 * (left + right);
        let below = Self {
            high: middle,
            ..self
        };
        let above = Self {
            low: middle,
            ..self
        };
        match rule {
            Monotone::Free => [self, self],
            Monotone::Rising => [below, above],
            Monotone::Falling => [above, below],
        }
    }
}

/// The best value of a leaf.
pub(super) fn value(sums: Sums, l2: f64, bounds: Bounds) -> f64 {
    let weight = sums.weight + l2;
    if weight > 0.0 {
        (-sums.gradient / weight).clamp(bounds.low, bounds.high)
    } else {
        0.0
    }
}

/// How much less is lost with a value than with zero, twice.
fn worth(sums: Sums, l2: f64, value: f64) -> f64 {
    -value * (2.0 * sums.gradient + (sums.weight + l2) * value)
}

impl Sums {
    fn plus(self, other: Self) -> Self {
        Self {
            gradient: self.gradient + other.gradient,
            weight: self.weight + other.weight,
            rows: self.rows + other.rows,
        }
    }

    fn less(self, other: Self) -> Self {
        Self {
            gradient: self.gradient - other.gradient,
            weight: self.weight - other.weight,
            rows: self.rows - other.rows,
        }
    }
}

impl Finder<'_> {
    /// The best split, `None` where none is worth anything. Of equals the first column, the first bin.
    pub(super) fn best<C: Cell>(
        &self,
        histogram: &Histogram<C>,
        total: Sums,
        bounds: Bounds,
    ) -> Option<Split> {
        let of_groups = |first: usize, lanes: &[Lanes<C>]| {
            Arch::new().dispatch(
                #[inline(always)]
                || self.best_of_groups(first, lanes, total, bounds),
            )
        };
        if self.binned.columns.len() < PARALLEL_COLUMNS {
            return of_groups(0, histogram);
        }
        let better = |first: Option<Split>, second: Option<Split>| match (first, second) {
            (Some(first), Some(second)) if second.gain > first.gain => Some(second),
            (Some(first), _) => Some(first),
            (None, second) => second,
        };
        let share = PARALLEL_COLUMNS / LANES / 8;
        let groups = histogram.par_chunks(share).enumerate();
        groups
            .map(|(part, lanes)| of_groups(part * share, lanes))
            .reduce(|| None, better)
    }

    #[inline(always)]
    fn best_of_groups<C: Cell>(
        &self,
        first_group: usize,
        histogram: &[Lanes<C>],
        total: Sums,
        bounds: Bounds,
    ) -> Option<Split> {
        let l2 = f64::from(self.options.l2);
        let before = worth(total, l2, value(total, l2, bounds));
        let mut best: Option<Split> = None;
        let mut line = PrefixSums::new();
        let columns = self.binned.columns.iter().enumerate();
        let columns = columns.skip(first_group * LANES);
        for ((index, column), cells) in columns.zip(histogram.as_flattened()) {
            if self.allowed.get(index) == Some(&false) {
                continue;
            }
            line.fill(cells, column, &self.scale);
            let rule = self.options.rule(column.place);
            let found = if rule == Monotone::Free && bounds == Bounds::NONE {
                line.best(total, self.options)
            } else {
                line.best_within(total, self.options, rule, bounds)
            };
            let Some((after, at, missing_left)) = found else {
                continue;
            };
            let gain = after - before;
            // Less is what rounding makes of nothing.
            let least = best.map_or(1e-12 * after, |best| best.gain);
            if gain > least {
                let missing = if missing_left {
                    line.missing
                } else {
                    Sums::default()
                };
                let left = line.observed(at).plus(missing);
                best = Some(Split {
                    gain,
                    column: index,
                    bin: line.bin(at),
                    missing_left,
                    left,
                    right: total.less(left),
                });
            }
        }
        best
    }
}

/// Sums of what lies in bins 1 to each bin of a column that is not empty.
struct PrefixSums {
    missing: Sums,
    gradient: Line,
    weight: Line,
    /// NaN behind the last candidate.
    rows: Line,
    /// Which bins these are.
    bins: [u8; BINS],
    count: usize,
    last_bin: usize,
    candidates: usize,
    scores: Line,
}

impl PrefixSums {
    fn new() -> Self {
        let line = [0.0; BINS + WIDTH];
        Self {
            missing: Sums::default(),
            gradient: line,
            weight: line,
            rows: line,
            bins: [0; BINS],
            count: 0,
            last_bin: 0,
            candidates: 0,
            scores: line,
        }
    }

    #[inline(always)]
    fn fill<C: Cell>(&mut self, cells: &[C; BINS], column: &Column, scale: &Scale) {
        self.missing = cells[0].sums(scale);
        let mut sum = C::ZERO;
        let mut count = 0;
        for (cell, bin) in cells[1..=column.last_bin()].iter().zip(1..=u8::MAX) {
            sum.add(*cell);
            let sums = sum.sums(scale);
            // What an empty bin writes is written over: no branch that must be guessed.
            let at = count % BINS;
            self.gradient[at] = sums.gradient;
            self.weight[at] = sums.weight;
            self.rows[at] = sums.rows;
            self.bins[at] = bin;
            count += usize::from(!cell.is_empty());
        }
        self.count = count;
        self.last_bin = column.last_bin();
        // All observed values against the missing ones is a split too, where it can be written down.
        let all = self.missing.rows > 0.0 && column.below_all;
        self.candidates = count.saturating_sub(usize::from(!all));
        self.rows[self.candidates..][..WIDTH].fill(f64::NAN);
    }

    /// The bin that ends on the left: in the middle of those that would do.
    fn bin(&self, at: usize) -> usize {
        if at + 1 < self.count {
            (usize::from(self.bins[at]) + usize::from(self.bins[at + 1]) - 1) / 2
        } else {
            self.last_bin
        }
    }

    /// Of the bins up to a candidate's.
    fn observed(&self, at: usize) -> Sums {
        Sums {
            gradient: self.gradient[at],
            weight: self.weight[at],
            rows: self.rows[at],
        }
    }

    /// The most that a split of the column leaves, which candidate it is, and whether missing values go
    /// left.
    #[inline(always)]
    fn best(&mut self, total: Sums, options: &TreeOptions) -> Option<(f64, usize, bool)> {
        let right = self.best_side(total, Sums::default(), options);
        if self.missing.rows == 0.0 {
            // Nothing is known about missing values: they go where most rows go.
            return right.map(|(worth, at)| (worth, at, 2.0 * self.rows[at] > total.rows));
        }
        let left = self.best_side(total, self.missing, options);
        match (right, left) {
            (Some(right), Some(left)) if left.0 > right.0 => Some((left.0, left.1, true)),
            (Some(right), _) => Some((right.0, right.1, false)),
            (None, Some(left)) => Some((left.0, left.1, true)),
            (None, None) => None,
        }
    }

    /// With `more` on the left side of every candidate.
    #[inline(always)]
    fn best_side(
        &mut self,
        total: Sums,
        more: Sums,
        options: &TreeOptions,
    ) -> Option<(f64, usize)> {
        let l2 = f64::from(options.l2);
        let fewest = options.leaf_rows as f64;
        let mut top = [f64::NEG_INFINITY; WIDTH];
        let lines = self.gradient.as_chunks::<WIDTH>().0.iter();
        let lines = lines.zip(self.weight.as_chunks::<WIDTH>().0);
        let lines = lines.zip(self.rows.as_chunks::<WIDTH>().0);
        let lines = lines.zip(self.scores.as_chunks_mut::<WIDTH>().0);
        let vectors = self.candidates.div_ceil(WIDTH);
        for (((gradient, weight), rows), scores) in lines.take(vectors) {
            for lane in 0..WIDTH {
                let gradient_left = gradient[lane] + more.gradient;
                let gradient_right = total.gradient - gradient_left;
                let weight_left = weight[lane] + more.weight;
                let weight_right = total.weight - weight_left + l2;
                let weight_left = weight_left + l2;
                let rows_left = rows[lane] + more.rows;
                let rows_right = total.rows - rows_left;
                // Both quotients with one division.
                let score = (gradient_left * gradient_left * weight_right
                    + gradient_right * gradient_right * weight_left)
                    / (weight_left * weight_right);
                let enough = (rows_left >= fewest) & (rows_right >= fewest);
                let score = if enough { score } else { f64::NEG_INFINITY };
                scores[lane] = score;
                top[lane] = if score > top[lane] { score } else { top[lane] };
            }
        }
        let top = top.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if top == f64::NEG_INFINITY {
            return None;
        }
        let mut scores = self.scores[..self.candidates].iter();
        Some((top, scores.position(|score| *score == top)?))
    }

    /// One by one, with values inside bounds and by a rule.
    fn best_within(
        &self,
        total: Sums,
        options: &TreeOptions,
        rule: Monotone,
        bounds: Bounds,
    ) -> Option<(f64, usize, bool)> {
        let l2 = f64::from(options.l2);
        let fewest = options.leaf_rows as f64;
        let mut best = None;
        let mut most = f64::NEG_INFINITY;
        let sides: &[bool] = if self.missing.rows == 0.0 {
            &[false]
        } else {
            &[false, true]
        };
        for &missing_left in sides {
            for at in 0..self.candidates {
                let mut left = self.observed(at);
                if missing_left {
                    left = left.plus(self.missing);
                }
                let right = total.less(left);
                if left.rows < fewest || right.rows < fewest {
                    continue;
                }
                let [below, above] = [left, right].map(|sums| value(sums, l2, bounds));
                let kept = match rule {
                    Monotone::Free => true,
                    Monotone::Rising => below <= above,
                    Monotone::Falling => below >= above,
                };
                let found = worth(left, l2, below) + worth(right, l2, above);
                if kept && found > most {
                    most = found;
                    let majority = 2.0 * left.rows > total.rows;
                    let missing_left = missing_left || (sides.len() == 1 && majority);
                    best = Some((found, at, missing_left));
                }
            }
        }
        best
    }
}
