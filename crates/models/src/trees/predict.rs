//! Forecasts of many rows at once.
//!
//! A tree of few leaves is read all at once (Lucchese et al. 2015, QuickScorer): each split clears the
//! leaves that a row which fails it cannot reach, and the first leaf that stays is the row's. That is
//! the same work for every row, so a vector of rows does it together.

#![expect(
    clippy::inline_always,
    reason = "what is not inlined loses the instruction set it was called for"
)]

use super::{BoostedTrees, Node, leaf_value};
use crate::trees::table::Table;
use pulp::Arch;
use rayon::prelude::*;

/// Rows that are read together.
const BLOCK: usize = 128;
/// Most leaves of a tree that is read all at once.
const MAX_LEAVES: usize = 32;
/// Below this many rows, getting ready takes longer than walking down.
const FEW_ROWS: usize = 16;
/// From this many trees read for a row on, threads pay.
const PARALLEL_LEAVES: usize = 400_000;

/// Trees made ready for many rows.
struct Ready<'a> {
    /// Columns that are compared.
    columns: Vec<u32>,
    trees: Vec<ReadyTree<'a>>,
}

enum ReadyTree<'a> {
    Small {
        tests: Vec<Test>,
        /// From left to right.
        leaves: Box<[f64; MAX_LEAVES]>,
    },
    /// One with more leaves, walked down.
    Large(&'a [Node], u32),
}

/// A split.
#[derive(Clone, Copy)]
struct Test {
    /// In the columns that are compared.
    slot: usize,
    below: f32,
    missing_passes: bool,
    /// Without the leaves on its left.
    failed: u32,
}

impl BoostedTrees {
    /// Adds what the trees say to what each row begins with.
    pub(super) fn add_rows(&self, table: &Table, sums: &mut [f64]) {
        if sums.len() < FEW_ROWS {
            for (row, sum) in sums.iter_mut().enumerate() {
                for (first, nodes) in self.trees() {
                    *sum += leaf_value(nodes, first, table.row(row));
                }
            }
            return;
        }
        let ready = Ready::new(self);
        let work = |(sums, values): (&mut [f64], &[f32])| {
            Arch::new().dispatch(
                #[inline(always)]
                || ready.add(values, table.columns(), sums),
            );
        };
        let values = table.values();
        let width = BLOCK * table.columns();
        if sums.len() * self.roots.len() >= PARALLEL_LEAVES {
            let blocks = sums.par_chunks_mut(BLOCK).zip(values.par_chunks(width));
            blocks.for_each(work);
        } else {
            let blocks = sums.chunks_mut(BLOCK).zip(values.chunks(width));
            blocks.for_each(work);
        }
    }
}

impl<'a> Ready<'a> {
    fn new(trees: &'a BoostedTrees) -> Self {
        let splits = trees.nodes.iter().filter(|node| !node.is_leaf());
        let mut columns: Vec<u32> = splits.map(|node| node.column).collect();
        columns.sort_unstable();
        columns.dedup();
        let slot = |column: u32| columns.partition_point(|other| *other < column);
        let trees = trees
            .trees()
            .map(|(first, nodes)| {
                ReadyTree::new(first, nodes, &slot).unwrap_or(ReadyTree::Large(nodes, first))
            })
            .collect();
        Self { columns, trees }
    }

    /// Of at most [`BLOCK`] rows.
    #[inline(always)]
    fn add(&self, values: &[f32], width: usize, sums: &mut [f64]) {
        let mut columns = vec![[0.0_f32; BLOCK]; self.columns.len()];
        for (place, column) in self.columns.iter().zip(&mut columns) {
            let from = values[*place as usize..].iter().step_by(width);
            for (value, from) in column.iter_mut().zip(from) {
                *value = *from;
            }
        }
        for tree in &self.trees {
            match tree {
                ReadyTree::Small { tests, leaves } => {
                    let mut open = [u32::MAX; BLOCK];
                    for test in tests {
                        test.close(&columns[test.slot], &mut open);
                    }
                    for (sum, open) in sums.iter_mut().zip(open) {
                        *sum += leaves[open.trailing_zeros() as usize % MAX_LEAVES];
                    }
                }
                ReadyTree::Large(nodes, first) => {
                    for (sum, row) in sums.iter_mut().zip(values.chunks_exact(width)) {
                        *sum += leaf_value(nodes, *first, row);
                    }
                }
            }
        }
    }
}

impl Test {
    #[inline(always)]
    fn close(&self, values: &[f32; BLOCK], open: &mut [u32; BLOCK]) {
        let (below, failed) = (self.below, self.failed);
        if self.missing_passes {
            for (open, value) in open.iter_mut().zip(values) {
                let passes = (*value < below) | value.is_nan();
                *open &= if passes { u32::MAX } else { failed };
            }
        } else {
            for (open, value) in open.iter_mut().zip(values) {
                *open &= if *value < below { u32::MAX } else { failed };
            }
        }
    }
}

impl ReadyTree<'_> {
    /// `None` for a tree with too many leaves, or one where missing values have a branch of their own.
    fn new(first: u32, nodes: &[Node], slot: &impl Fn(u32) -> usize) -> Option<Self> {
        if nodes.len() >= 2 * MAX_LEAVES {
            return None;
        }
        let mut tests = Vec::with_capacity(nodes.len() / 2);
        let mut leaves = Box::new([0.0; MAX_LEAVES]);
        let mut seen = 0;
        // Left to right: a split comes back when its left side is done, and is then known by its place.
        let mut ahead = vec![Step::Enter(first)];
        while let Some(step) = ahead.pop() {
            match step {
                Step::Enter(place) => {
                    let node = nodes.get((place - first) as usize)?;
                    if node.is_leaf() {
                        *leaves.get_mut(seen)? = f64::from(node.value);
                        seen += 1;
                        continue;
                    }
                    let one_of_both = node.missing == node.left || node.missing == node.right;
                    if !one_of_both || ahead.len() > nodes.len() {
                        return None;
                    }
                    ahead.extend([
                        Step::Enter(node.right),
                        Step::LeftDone(place, seen),
                        Step::Enter(node.left),
                    ]);
                }
                Step::LeftDone(place, before) => {
                    let node = &nodes[(place - first) as usize];
                    let left = ((1_u64 << seen) - (1_u64 << before)) as u32;
                    tests.push(Test {
                        slot: slot(node.column),
                        below: node.value,
                        missing_passes: node.missing == node.left,
                        failed: !left,
                    });
                }
            }
        }
        Some(Self::Small { tests, leaves })
    }
}

enum Step {
    Enter(u32),
    LeftDone(u32, usize),
}
