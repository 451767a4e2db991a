//! From gradients of the states to those of the sequence and the weights.

use super::activation::tanh;
use super::pack::pack_turned;
use super::product::{
    Tiled, add_product, group, in_tiles, most_rows, side_by_side, store, vectors, vectors_mut,
};
use super::{Chunks, GATES, Saved, Shape, TOGETHER, lanes};
use crate::instruction_set::InstructionSet;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

mod weights;

use weights::WeightGradients;

/// Where the gradients of a layer go.
pub(crate) struct Gradients<'a> {
    /// `[days, batch, input]`, if asked for.
    pub(crate) sequence: Option<&'a mut [f32]>,
    /// `[input, 4 × hidden]`
    pub(crate) input: &'a mut [f32],
    /// `[hidden, 4 × hidden]`
    pub(crate) hidden: &'a mut [f32],
    /// `[4 × hidden]`
    pub(crate) bias: &'a mut [f32],
}

/// Memory of a backward pass, to be used again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    turned_hidden: Vec<f32>,
    turned_input: Vec<f32>,
    /// Gradients of the weights, panel by panel.
    panels: Vec<Vec<f32>>,
}

/// The backward pass, with the instruction set of the forward pass: `[days, batch, hidden]` gradients
/// of the output to those of everything else. What was saved is used up.
#[expect(clippy::too_many_arguments, reason = "what a backward pass needs")]
pub(crate) fn backward(
    set: InstructionSet,
    shape: Shape,
    sequence: &[f32],
    weights: (&[f32], &[f32]),
    saved: &mut [Saved],
    reverse: bool,
    output: &[f32],
    scratch: &mut Scratch,
    gradients: Gradients<'_>,
) {
    let Scratch {
        turned_hidden,
        turned_input,
        panels,
    } = scratch;
    let chunks = Chunks {
        batch: shape.batch,
        count: saved.len(),
    };
    let wants_sequence = gradients.sequence.is_some();
    pack_turned(set, weights.1, shape.hidden, shape.hidden, turned_hidden);
    if wants_sequence {
        pack_turned(set, weights.0, shape.input, shape.hidden, turned_input);
    }
    saved.par_iter_mut().enumerate().for_each(|(chunk, saved)| {
        set.dispatch(Backward {
            shape,
            rows: chunks.rows(chunk),
            saved,
            reverse,
            output,
            turned_hidden,
            turned_input: wants_sequence.then_some(turned_input),
        });
    });
    let lanes = lanes(set);
    panels.resize_with(shape.panels(lanes), Vec::new);
    let saved = &*saved;
    panels
        .par_iter_mut()
        .enumerate()
        .for_each(|(panel, gradients)| {
            set.dispatch(WeightGradients {
                shape,
                chunks,
                panel,
                sequence,
                saved,
                reverse,
                gradients,
            });
        });
    let (input, hidden) = (shape.input, shape.hidden);
    unpack(panels, hidden, lanes, 0, gradients.input);
    unpack(panels, hidden, lanes, input, gradients.hidden);
    unpack(panels, hidden, lanes, input + hidden, gradients.bias);
    if let Some(to) = gradients.sequence {
        gather(shape, chunks, saved, to);
    }
}

/// Rows of `[row][gate][lane]` of every panel, from the first on, as `[rows, 4 × hidden]`.
fn unpack(panels: &[Vec<f32>], hidden: usize, lanes: usize, first: usize, to: &mut [f32]) {
    let width = GATES * lanes;
    for (row, to) in to.chunks_exact_mut(GATES * hidden).enumerate() {
        for (panel, from) in panels.iter().enumerate() {
            let unit = panel * lanes;
            let units = lanes.min(hidden - unit);
            let from = &from[(first + row) * width..][..width];
            for (gate, from) in from.chunks_exact(lanes).enumerate() {
                to[gate * hidden + unit..][..units].copy_from_slice(&from[..units]);
            }
        }
    }
}

/// The inputs' gradients of all chunks beside one another, without the padding.
fn gather(shape: Shape, chunks: Chunks, saved: &[Saved], gradient: &mut [f32]) {
    for (day, gradient) in gradient
        .chunks_exact_mut(shape.batch * shape.input)
        .enumerate()
    {
        for (chunk, saved) in saved.iter().enumerate() {
            let part = &saved.inputs;
            let rows = chunks.rows(chunk);
            let size = part.len() / shape.days;
            let from = part[day * size..][..size].chunks_exact(size / rows.len());
            for (to, from) in gradient[rows.start * shape.input..]
                .chunks_exact_mut(shape.input)
                .zip(from)
            {
                to.copy_from_slice(&from[..shape.input]);
            }
        }
    }
}

/// A chunk's way back through the days.
struct Backward<'a> {
    shape: Shape,
    rows: Range<usize>,
    saved: &'a mut Saved,
    reverse: bool,
    output: &'a [f32],
    turned_hidden: &'a [f32],
    turned_input: Option<&'a [f32]>,
}

impl WithSimd for Backward<'_> {
    /// Gradients of the gates, and of the input if asked for, are in `saved`.
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

impl Backward<'_> {
    #[inline(always)]
    fn run<S: Simd, const G: usize>(self, simd: S) {
        let Self {
            shape,
            rows,
            saved,
            reverse,
            output,
            turned_hidden,
            turned_input,
        } = self;
        let first_row = rows.start;
        let rows = rows.len();
        let lanes = S::F32_LANES;
        let panels = shape.panels(lanes);
        let padded = panels * lanes;
        let size = rows * GATES * lanes;
        let plane = shape.days * size;
        let stride = shape.hidden.next_multiple_of(G * lanes);
        let mut states = vec![0.0; rows * stride];
        let together = (TOGETHER / rows).clamp(1, shape.days);
        let mut beside = vec![0.0; together * panels * size];
        let mut cells_after = vec![0.0; rows * padded];
        let zeros = vec![0.0; rows * padded];
        for step in (0..shape.days).rev() {
            let day = shape.day(step, reverse);
            // Gradient of this day's state: from above, and from the day after through the weights.
            if step + 1 < shape.days {
                let after = shape.day(step + 1, reverse);
                let gates = &saved.gates[after * size..];
                times_turned::<S, G>(
                    simd,
                    gates,
                    plane,
                    turned_hidden,
                    &mut beside,
                    &mut states,
                    stride,
                );
            }
            let above = &output[(day * shape.batch + first_row) * shape.hidden..];
            for (states, above) in states
                .chunks_exact_mut(stride)
                .zip(above.chunks_exact(shape.hidden))
            {
                for (state, above) in states.iter_mut().zip(above) {
                    *state += above;
                }
            }
            let before = if step == 0 {
                &zeros
            } else {
                let before = shape.day(step - 1, reverse);
                &saved.cells[before * rows * padded..][..rows * padded]
            };
            let cells = &saved.cells[day * rows * padded..][..rows * padded];
            for panel in 0..panels {
                let gates = &mut saved.gates[panel * plane + day * size..][..size];
                let (gates, _) = S::as_mut_simd_f32s(gates);
                let (gates, _) = gates.as_chunks_mut::<GATES>();
                for (row, gates) in gates.iter_mut().enumerate() {
                    let at = row * padded + panel * lanes;
                    let [state] = *vectors::<S, 1>(&states[row * stride + panel * lanes..]);
                    let [before] = *vectors::<S, 1>(&before[at..]);
                    let [cell] = *vectors::<S, 1>(&cells[at..]);
                    let [carried] = vectors_mut::<S, 1>(&mut cells_after[at..]);
                    gate_gradients(simd, gates, carried, state, before, cell);
                }
            }
        }
        let Some(turned) = turned_input else {
            return;
        };
        let stride = shape.input.next_multiple_of(G * lanes);
        let Saved { gates, inputs, .. } = saved;
        inputs.resize(shape.days * rows * stride, 0.0);
        for (block, gradient) in inputs.chunks_mut(together * rows * stride).enumerate() {
            let gates = &gates[block * together * size..];
            times_turned::<S, G>(simd, gates, plane, turned, &mut beside, gradient, stride);
        }
    }
}

/// Gate gradients of some rows (from the first panel's on, panels `plane` apart) times turned weights,
/// into rows of `stride` numbers; `beside` has room for these gradients side by side.
#[inline(always)]
fn times_turned<S: Simd, const G: usize>(
    simd: S,
    gates: &[f32],
    plane: usize,
    turned: &[f32],
    beside: &mut [f32],
    to: &mut [f32],
    stride: usize,
) {
    let part = G * S::F32_LANES;
    let rows = to.len() / stride;
    let block_size = turned.len() / (stride / part);
    let (depth, width) = (block_size / part, GATES * S::F32_LANES);
    let of_panel = |row: usize, panel: usize| &gates[panel * plane + row * width..];
    side_by_side(rows, most_rows(G), depth / width, width, of_panel, beside);
    for (block, turned) in turned.chunks_exact(block_size).enumerate() {
        let mut product = Turned::<S, G> {
            gates: &*beside,
            depth,
            weights: S::as_simd_f32s(turned).0,
            to: &mut to[block * part..],
            stride,
        };
        in_tiles(simd, rows, most_rows(G), &mut product);
    }
}

/// A block of columns of such a product.
struct Turned<'a, S: Simd, const G: usize> {
    /// Rows side by side, of `depth` numbers each.
    gates: &'a [f32],
    depth: usize,
    weights: &'a [S::f32s],
    to: &'a mut [f32],
    stride: usize,
}

impl<S: Simd, const G: usize> Tiled<S, G> for Turned<'_, S, G> {
    #[inline(always)]
    fn tile<const R: usize>(&mut self, simd: S, first: usize) {
        let mut sums = [[simd.splat_f32s(0.0); G]; R];
        let rows = &self.gates[first * self.depth..][..R * self.depth];
        add_product(simd, &mut sums, rows, self.weights);
        store::<S, R, G>(sums, &mut self.to[first * self.stride..], self.stride);
    }
}

/// Replaces activated gates by their gradients before activation, and the gradient carried by the
/// cell from the day after by that for the day before.
#[inline(always)]
fn gate_gradients<S: Simd>(
    simd: S,
    gates: &mut [S::f32s; GATES],
    carried: &mut S::f32s,
    state: S::f32s,
    before: S::f32s,
    c: S::f32s,
) {
    let one = simd.splat_f32s(1.0);
    let (mul, sub) = (|a, b| simd.mul_f32s(a, b), |a, b| simd.sub_f32s(a, b));
    let [i, f, g, o] = *gates;
    let squashed = tanh(simd, c);
    let through = mul(mul(state, o), sub(one, mul(squashed, squashed)));
    let cell = simd.add_f32s(*carried, through);
    *gates = [
        mul(mul(cell, g), mul(i, sub(one, i))),
        mul(mul(cell, before), mul(f, sub(one, f))),
        mul(mul(cell, i), sub(one, mul(g, g))),
        mul(mul(state, squashed), mul(o, sub(one, o))),
    ];
    *carried = mul(cell, f);
}
