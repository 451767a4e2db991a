//! The arithmetic of one LSTM layer over a whole sequence, forward and backward, on plain slices.
//!
//! # Layout
//!
//! With L lanes to a vector, hidden units are taken in *panels* of L; the last one is filled up with
//! units whose weights are zero, which stay at zero. A panel of a weight matrix holds, for each input
//! k, the weights of its L units for gate i, then f, g and o: 4·L numbers in a row. So the four
//! accumulators of a product are the four gates of the same units, and the activations follow in
//! registers.
//!
//! # Threads
//!
//! The batch is cut into chunks of [`CHUNK`] rows. A chunk runs through all days by itself, and
//! chunks are spread over the threads of the current rayon pool; weight gradients are spread by
//! panels. Every number that comes out is one chain of additions in one order, so how many threads
//! there are changes no bit. Another instruction set does (other lanes, and a product and a sum
//! rounded once or twice).

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

pub(crate) use backward::backward;
pub(crate) use forward::{Saved, forward, forward_and_save};
pub(crate) use pack::Packed;

use pulp::{Arch, Simd, WithSimd};

/// Rows of a batch that one thread takes through the days together.
const CHUNK: usize = 8;
/// Gates of a unit.
const GATES: usize = 4;

/// Sizes of a layer and its input.
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
    /// Chunks of the batch.
    fn chunks(self) -> usize {
        self.batch.div_ceil(CHUNK)
    }

    /// Rows of a chunk: the last one may have fewer.
    fn rows_of(self, chunk: usize) -> usize {
        (self.batch - chunk * CHUNK).min(CHUNK)
    }

    /// Panels of hidden units.
    fn panels(self, lanes: usize) -> usize {
        self.hidden.div_ceil(lanes)
    }

    /// The day that is read at a step.
    fn day(self, step: usize, reverse: bool) -> usize {
        if reverse { self.days - 1 - step } else { step }
    }
}

/// Numbers of a vector on this machine.
fn lanes() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes)
}
