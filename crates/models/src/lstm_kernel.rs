//! The arithmetic of one LSTM layer over a whole sequence, forward and backward, on plain slices.
//!
//! # Layout
//!
//! With L lanes to a vector, hidden units are taken in *panels* of L; the last one is filled up with
//! units whose weights are zero, which stay at zero. What is kept of a row of a panel is 4·L numbers:
//! gate i of its L units, then f, g and o.
//!
//! # Tiles
//!
//! All time goes into products of rows with weights. A tile of R rows and G vectors of weights keeps
//! its R·G sums in registers, beside the G vectors and one number of a row; each element of the rows
//! costs R + G loads for R·G multiplications. AVX-512 and NEON have 32 registers: G is all four gates,
//! and R four. AVX2 and SSE have sixteen: G is two gates, and R up to six. (With four gates the sums
//! alone would fill them.) Weights lie in the order in which tiles read them: of a panel, for G gates,
//! for each element of a row G vectors.
//!
//! Rows are days too where no day waits for another: for the part that inputs have in the sums, for
//! gradients of the inputs and of the weights. There a few days are taken together ([`TOGETHER`]), so
//! that weights are read once for all of them.
//!
//! # Threads
//!
//! The batch is cut into [`Chunks`], as many as there are threads in the current rayon pool or a
//! multiple of that. A chunk runs through all days by itself; weight gradients are spread by panels.
//! Every number that comes out is one chain of additions in one order, so how many threads there are
//! changes no bit. A few rows are one chunk: there `plain::pipeline` gives each layer a thread. Another instruction set does (other lanes, and a product and a sum rounded once or
//! twice).

#![expect(
    clippy::inline_always,
    reason = "what is computed on vectors must be inlined into the function compiled for them"
)]
#![expect(
    clippy::many_single_char_names,
    reason = "i, f, g, o, c and h are the names that every text on LSTMs gives them"
)]

mod activation;
mod backward;
mod forward;
mod pack;
mod product;
#[cfg(test)]
mod tests;

pub(crate) use activation::squash;
pub(crate) use backward::{Gradients, Scratch, backward};
pub(crate) use forward::{Reached, Saved, forward, forward_and_save, forward_on};
pub(crate) use pack::Packed;

use crate::instruction_set::InstructionSet;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Gates of a unit.
const GATES: usize = 4;
/// Rows of several days that are multiplied with the same weights one after the other: enough that
/// reading the weights costs little, few enough that they and their sums stay in the second cache.
const TOGETHER: usize = 48;

/// Sizes of a layer and its input, each at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Days of the sequence.
    pub(crate) days: usize,
    /// Rows of the batch.
    pub(crate) batch: usize,
    /// Width of the input.
    pub(crate) input: usize,
    /// Hidden units.
    pub(crate) hidden: usize,
}

impl Shape {
    /// Panels of hidden units.
    fn panels(self, lanes: usize) -> usize {
        self.hidden.div_ceil(lanes)
    }

    /// The day that is read at a step.
    fn day(self, step: usize, reverse: bool) -> usize {
        if reverse { self.days - 1 - step } else { step }
    }
}

/// A batch cut into parts of nearly as many rows each, which one thread takes through the days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chunks {
    batch: usize,
    count: usize,
}

impl Chunks {
    /// Fewest rows of a chunk, if there are as many: with fewer, reading weights takes the time.
    const FEWEST: usize = 4;
    /// Most rows of a chunk: its states and sums of a day stay in the first cache.
    const MOST: usize = 24;

    /// As many chunks for each thread.
    fn new(batch: usize, threads: usize) -> Self {
        let rounds = batch.div_ceil(threads * Self::MOST);
        let count = (threads * rounds).min(batch / Self::FEWEST).max(1);
        Self { batch, count }
    }

    /// Rows of a chunk.
    fn rows(self, chunk: usize) -> Range<usize> {
        let first = |chunk| chunk * self.batch / self.count;
        first(chunk)..first(chunk + 1)
    }
}

/// Whether a batch is one chunk, however many threads there are.
pub(crate) fn is_one_chunk(batch: usize) -> bool {
    batch < 2 * Chunks::FEWEST
}

/// Numbers of a vector.
fn lanes(set: InstructionSet) -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    set.dispatch(Lanes)
}

/// Vectors of weights that a tile multiplies at once.
fn group(set: InstructionSet) -> usize {
    struct Group;
    impl WithSimd for Group {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            product::group::<S>()
        }
    }
    set.dispatch(Group)
}
