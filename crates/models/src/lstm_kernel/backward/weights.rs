//! Gradients of weights: one product over all days and rows, panel by panel.

use super::super::product::{
    Tiled, group, in_tiles, load, multiply_add, store, vectors, vectors_mut,
};
use super::super::{Chunks, GATES, Saved, Shape};
use pulp::{Simd, WithSimd};

/// Rows of the batch on several days whose gradients and values are in the first cache at once.
const TOGETHER: usize = 32;

/// Most rows of a weight matrix whose sums are in registers at once.
const ROWS: usize = 6;

/// A panel's part of the gradients of all weights.
pub(super) struct WeightGradients<'a> {
    pub(super) shape: Shape,
    pub(super) chunks: Chunks,
    pub(super) panel: usize,
    pub(super) sequence: &'a [f32],
    pub(super) saved: &'a [Saved],
    pub(super) reverse: bool,
    /// `[input + hidden + 1][gate][lane]`: of the input's weights, the state's, and the bias.
    pub(super) gradients: &'a mut Vec<f32>,
}

impl WithSimd for WeightGradients<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if const { group::<S>() == GATES } {
            self.run::<S, GATES>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl WeightGradients<'_> {
    #[inline(always)]
    fn run<S: Simd, const G: usize>(self, simd: S) {
        let shape = self.shape;
        let width = GATES * S::F32_LANES;
        let padded = shape.panels(S::F32_LANES) * S::F32_LANES;
        let gradients = self.gradients;
        gradients.clear();
        gradients.resize((shape.input + shape.hidden + 1) * width, 0.0);
        let (input, rest) = gradients.split_at_mut(shape.input * width);
        let (hidden, bias) = rest.split_at_mut(shape.hidden * width);
        let bias = vectors_mut::<S, GATES>(bias);
        // Day by day and row by row, whatever the chunks are: the order of additions is the same.
        let places: Vec<(usize, usize)> = (0..shape.days)
            .flat_map(|step| (0..self.chunks.count).map(move |chunk| (step, chunk)))
            .collect();
        let most = shape.batch.div_ceil(self.chunks.count);
        for places in places.chunks((TOGETHER / most).max(1)) {
            let of_places = |from: usize| {
                places
                    .iter()
                    .filter(move |(step, _)| *step >= from)
                    .map(|(step, chunk)| {
                        let day = shape.day(*step, self.reverse);
                        let rows = self.chunks.rows(*chunk);
                        let size = rows.len() * width;
                        let at = (self.panel * shape.days + day) * size;
                        let gates = &self.saved[*chunk].gates[at..at + size];
                        (day, *chunk, rows, gates)
                    })
            };
            let inputs: Vec<Segment<'_>> = of_places(0)
                .map(|(day, _, rows, gates)| {
                    let from = (day * shape.batch + rows.start) * shape.input;
                    let values = &self.sequence[from..][..rows.len() * shape.input];
                    Segment { gates, values }
                })
                .collect();
            add_products::<S, G>(simd, &inputs, shape.input, input);
            let states: Vec<Segment<'_>> = of_places(1)
                .map(|(day, chunk, rows, gates)| {
                    let before = if self.reverse { day + 1 } else { day - 1 };
                    let size = rows.len() * padded;
                    let values = &self.saved[chunk].states[before * size..][..size];
                    Segment { gates, values }
                })
                .collect();
            add_products::<S, G>(simd, &states, padded, hidden);
            for segment in &inputs {
                for gates in segment.gates.chunks_exact(width) {
                    let gates = vectors::<S, GATES>(gates);
                    for (sum, gate) in bias.iter_mut().zip(gates) {
                        *sum = simd.add_f32s(*sum, *gate);
                    }
                }
            }
        }
    }
}

/// Rows of a chunk on one day.
struct Segment<'a> {
    /// `[row][gate][lane]`
    gates: &'a [f32],
    /// What the weights were multiplied with.
    values: &'a [f32],
}

/// Adds to gradients `[row of the weights][gate][lane]` what some segments, with values in rows of
/// `stride` numbers, come to.
#[inline(always)]
fn add_products<S: Simd, const G: usize>(
    simd: S,
    segments: &[Segment<'_>],
    stride: usize,
    gradients: &mut [f32],
) {
    let rows = gradients.len() / (GATES * S::F32_LANES);
    let mut product = OfBlock {
        segments,
        stride,
        gradients,
    };
    in_tiles::<S, G>(simd, rows, ROWS, &mut product);
}

struct OfBlock<'a> {
    segments: &'a [Segment<'a>],
    stride: usize,
    gradients: &'a mut [f32],
}

impl<S: Simd, const G: usize> Tiled<S, G> for OfBlock<'_> {
    #[inline(always)]
    fn tile<const R: usize>(&mut self, simd: S, first: usize) {
        let width = GATES * S::F32_LANES;
        let mut group = 0;
        while group < GATES {
            let at = first * width + group * S::F32_LANES;
            let mut sums = load::<S, R, G>(simd, &self.gradients[at..], width);
            for segment in self.segments {
                for (gates, values) in segment
                    .gates
                    .chunks_exact(width)
                    .zip(segment.values.chunks_exact(self.stride))
                {
                    let gates = vectors::<S, G>(&gates[group * S::F32_LANES..]);
                    let values: &[f32; R] = values[first..]
                        .first_chunk()
                        .expect("a row has a value for each row of the weights");
                    for r in 0..R {
                        let value = simd.splat_f32s(values[r]);
                        for g in 0..G {
                            sums[r][g] = multiply_add(simd, value, gates[g], sums[r][g]);
                        }
                    }
                }
            }
            store::<S, R, G>(sums, &mut self.gradients[at..], width);
            group += G;
        }
    }
}
