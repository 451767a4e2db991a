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

/// Gradients of a layer.
pub(crate) struct Gradients {
    /// `[days, batch, input]`, if asked for.
    pub(crate) sequence: Option<Vec<f32>>,
    /// `[input, 4 × hidden]`
    pub(crate) input: Vec<f32>,
    /// `[hidden, 4 × hidden]`
    pub(crate) hidden: Vec<f32>,
    /// `[4 × hidden]`
    pub(crate) bias: Vec<f32>,
}

/// The backward pass, with the instruction set of the forward pass: `[days, batch, hidden]` gradients
/// of the output to those of everything else.
#[expect(clippy::too_many_arguments, reason = "what a backward pass needs")]
pub(crate) fn backward(
    set: InstructionSet,
    shape: Shape,
    sequence: &[f32],
    weights: (&[f32], &[f32]),
    mut saved: Vec<Saved>,
    reverse: bool,
    output: &[f32],
    wants_sequence: bool,
) -> Gradients {
    let chunks = Chunks {
        batch: shape.batch,
        count: saved.len(),
    };
    let turned_hidden = pack_turned(set, weights.1, shape.hidden, shape.hidden);
    let turned_input =
        wants_sequence.then(|| pack_turned(set, weights.0, shape.input, shape.hidden));
    let parts: Vec<Vec<f32>> = saved
        .par_iter_mut()
        .enumerate()
        .map(|(chunk, saved)| {
            set.dispatch(Backward {
                shape,
                rows: chunks.rows(chunk),
                saved,
                reverse,
                output,
                turned_hidden: &turned_hidden,
                turned_input: turned_input.as_deref(),
            })
        })
        .collect();
    let lanes = lanes(set);
    let panels: Vec<Vec<f32>> = (0..shape.panels(lanes))
        .into_par_iter()
        .map(|panel| {
            set.dispatch(WeightGradients {
                shape,
                chunks,
                panel,
                sequence,
                saved: &saved,
                reverse,
            })
        })
        .collect();
    let (input, rest) = (shape.input, shape.hidden);
    let unpack =
        |first: usize, rows: usize| unpack(&panels, shape.hidden, lanes, first..first + rows);
    Gradients {
        input: unpack(0, input),
        hidden: unpack(input, rest),
        bias: unpack(input + rest, 1),
        sequence: wants_sequence.then(|| gather(shape, chunks, &parts)),
    }
}

/// Some rows of `[row][gate][lane]` of every panel as `[rows, 4 × hidden]`.
fn unpack(panels: &[Vec<f32>], hidden: usize, lanes: usize, rows: Range<usize>) -> Vec<f32> {
    let width = GATES * lanes;
    let mut to = vec![0.0; rows.len() * GATES * hidden];
    for (row, to) in rows.zip(to.chunks_exact_mut(GATES * hidden)) {
        for (panel, from) in panels.iter().enumerate() {
            let unit = panel * lanes;
            let units = lanes.min(hidden - unit);
            for (gate, from) in from[row * width..][..width].chunks_exact(lanes).enumerate() {
                to[gate * hidden + unit..][..units].copy_from_slice(&from[..units]);
            }
        }
    }
    to
}

/// The inputs' gradients of all chunks beside one another, without the padding.
fn gather(shape: Shape, chunks: Chunks, parts: &[Vec<f32>]) -> Vec<f32> {
    let mut gradient = vec![0.0; shape.days * shape.batch * shape.input];
    for (day, gradient) in gradient
        .chunks_exact_mut(shape.batch * shape.input)
        .enumerate()
    {
        for (chunk, part) in parts.iter().enumerate() {
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
    gradient
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
    /// `[day][row][padded input]` gradients of the chunk's input; empty when not asked for.
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        if const { group::<S>() == GATES } {
            self.run::<S, GATES>(simd)
        } else {
            self.run::<S, 2>(simd)
        }
    }
}

impl Backward<'_> {
    #[inline(always)]
    fn run<S: Simd, const G: usize>(self, simd: S) -> Vec<f32> {
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
            return Vec::new();
        };
        let stride = shape.input.next_multiple_of(G * lanes);
        let mut gradient = vec![0.0; shape.days * rows * stride];
        for (block, gradient) in gradient.chunks_mut(together * rows * stride).enumerate() {
            let gates = &saved.gates[block * together * size..];
            times_turned::<S, G>(simd, gates, plane, turned, &mut beside, gradient, stride);
        }
        gradient
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
