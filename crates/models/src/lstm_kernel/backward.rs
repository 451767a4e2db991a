//! From gradients of the states to those of the sequence and the weights.

use super::activation::tanh;
use super::pack::pack_turned;
use super::product::add_product;
use super::{CHUNK, GATES, Saved, Shape, lanes};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

mod weights;

use weights::WeightGradients;

/// Rows whose accumulators are in registers at once.
const ROWS: usize = 4;

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

/// The backward pass: `[days, batch, hidden]` gradients of the output to those of everything else.
pub(crate) fn backward(
    shape: Shape,
    sequence: &[f32],
    weights: (&[f32], &[f32]),
    mut saved: Vec<Saved>,
    reverse: bool,
    output: &[f32],
    wants_sequence: bool,
) -> Gradients {
    let lanes = lanes();
    let width = GATES * lanes;
    let depth = shape.panels(lanes) * width;
    let blocks = |rows: usize| rows.div_ceil(width);
    let mut turned_hidden = vec![0.0; blocks(shape.hidden) * width * depth];
    pack_turned(
        weights.1,
        shape.hidden,
        shape.hidden,
        lanes,
        &mut turned_hidden,
    );
    let turned_input = wants_sequence.then(|| {
        let mut turned = vec![0.0; blocks(shape.input) * width * depth];
        pack_turned(weights.0, shape.input, shape.hidden, lanes, &mut turned);
        turned
    });
    let parts: Vec<Vec<f32>> = saved
        .par_iter_mut()
        .enumerate()
        .map(|(chunk, saved)| {
            Arch::new().dispatch(Backward {
                shape,
                chunk,
                saved,
                reverse,
                output,
                turned_hidden: &turned_hidden,
                turned_input: turned_input.as_deref(),
            })
        })
        .collect();
    let panels: Vec<Vec<f32>> = (0..shape.panels(lanes))
        .into_par_iter()
        .map(|panel| {
            Arch::new().dispatch(WeightGradients {
                shape,
                panel,
                sequence,
                saved: &saved,
                reverse,
            })
        })
        .collect();
    let (input, rest) = (shape.input, shape.hidden);
    let unpack = |first: usize, rows: usize| {
        let mut to = vec![0.0; rows * GATES * shape.hidden];
        for (row, to) in to.chunks_exact_mut(GATES * shape.hidden).enumerate() {
            for (panel, from) in panels.iter().enumerate() {
                let from = &from[(first + row) * width..][..width];
                let unit = panel * lanes;
                let units = lanes.min(shape.hidden - unit);
                for (gate, from) in from.chunks_exact(lanes).enumerate() {
                    to[gate * shape.hidden + unit..][..units].copy_from_slice(&from[..units]);
                }
            }
        }
        to
    };
    Gradients {
        input: unpack(0, input),
        hidden: unpack(input, rest),
        bias: unpack(input + rest, 1),
        sequence: wants_sequence.then(|| {
            let mut gradient = vec![0.0; shape.days * shape.batch * shape.input];
            for (day, gradient) in gradient
                .chunks_exact_mut(shape.batch * shape.input)
                .enumerate()
            {
                for (chunk, gradient) in gradient.chunks_mut(CHUNK * shape.input).enumerate() {
                    let size = shape.rows_of(chunk) * shape.input;
                    gradient.copy_from_slice(&parts[chunk][day * size..(day + 1) * size]);
                }
            }
            gradient
        }),
    }
}

struct Backward<'a> {
    shape: Shape,
    chunk: usize,
    saved: &'a mut Saved,
    reverse: bool,
    output: &'a [f32],
    turned_hidden: &'a [f32],
    turned_input: Option<&'a [f32]>,
}

impl WithSimd for Backward<'_> {
    /// `[day][row][input]` gradients of the chunk's input; empty when not asked for.
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let Self {
            shape,
            chunk,
            saved,
            reverse,
            output,
            turned_hidden,
            turned_input,
        } = self;
        let lanes = S::F32_LANES;
        let width = GATES * lanes;
        let panels = shape.panels(lanes);
        let padded = panels * lanes;
        let rows = shape.rows_of(chunk);
        let plane = shape.days * rows * width;
        let mut state = vec![0.0; rows * shape.hidden.next_multiple_of(width)];
        let mut cell = vec![0.0; rows * padded];
        let zeros = vec![0.0; rows * padded];
        let stride = state.len() / rows;
        for step in (0..shape.days).rev() {
            let day = shape.day(step, reverse);
            // Gradient of this day's state: from above, and from the day after through the weights.
            if step + 1 < shape.days {
                let after = shape.day(step + 1, reverse);
                let from = Gathered {
                    gates: &saved.gates[after * rows * width..],
                    plane,
                    panels,
                    width,
                };
                times_turned(simd, from, rows, turned_hidden, &mut state, stride);
            }
            for (row, state) in state.chunks_exact_mut(stride).enumerate() {
                let above = &output[(day * shape.batch + chunk * CHUNK + row) * shape.hidden..];
                for (state, above) in state.iter_mut().zip(&above[..shape.hidden]) {
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
                let gates = &mut saved.gates[panel * plane + day * rows * width..][..rows * width];
                for (row, gates) in gates.chunks_exact_mut(width).enumerate() {
                    let at = row * padded + panel * lanes;
                    let gates = S::as_mut_simd_f32s(gates).0;
                    let carried = &mut S::as_mut_simd_f32s(&mut cell[at..at + lanes]).0[0];
                    let state =
                        S::as_simd_f32s(&state[row * stride + panel * lanes..][..lanes]).0[0];
                    let before = S::as_simd_f32s(&before[at..at + lanes]).0[0];
                    let c = S::as_simd_f32s(&cells[at..at + lanes]).0[0];
                    gate_gradients(simd, gates, carried, state, before, c);
                }
            }
            state.fill(0.0);
        }
        let Some(turned) = turned_input else {
            return Vec::new();
        };
        let stride = shape.input.next_multiple_of(width);
        let mut padded = vec![0.0; rows * stride];
        let mut gradient = vec![0.0; shape.days * rows * shape.input];
        for (day, gradient) in gradient.chunks_exact_mut(rows * shape.input).enumerate() {
            let from = Gathered {
                gates: &saved.gates[day * rows * width..],
                plane,
                panels,
                width,
            };
            padded.fill(0.0);
            times_turned(simd, from, rows, turned, &mut padded, stride);
            for (to, from) in gradient
                .chunks_exact_mut(shape.input)
                .zip(padded.chunks_exact(stride))
            {
                to.copy_from_slice(&from[..shape.input]);
            }
        }
        gradient
    }
}

/// Gate gradients of one day, panel by panel.
#[derive(Clone, Copy)]
struct Gathered<'a> {
    /// From the first panel's rows on.
    gates: &'a [f32],
    plane: usize,
    panels: usize,
    width: usize,
}

/// Gate gradients times turned weights, into rows of `stride` numbers.
#[inline(always)]
fn times_turned<S: Simd>(
    simd: S,
    from: Gathered<'_>,
    rows: usize,
    turned: &[f32],
    to: &mut [f32],
    stride: usize,
) {
    let size = from.panels * from.width * from.width;
    for (block, turned) in turned.chunks_exact(size).enumerate() {
        let mut row = 0;
        while row < rows {
            let count = (rows - row).min(ROWS);
            let at = row * stride + block * from.width;
            match count {
                4 => turned_tile::<S, 4>(simd, from, row, turned, &mut to[at..], stride),
                3 => turned_tile::<S, 3>(simd, from, row, turned, &mut to[at..], stride),
                2 => turned_tile::<S, 2>(simd, from, row, turned, &mut to[at..], stride),
                _ => turned_tile::<S, 1>(simd, from, row, turned, &mut to[at..], stride),
            }
            row += count;
        }
    }
}

#[inline(always)]
fn turned_tile<S: Simd, const R: usize>(
    simd: S,
    from: Gathered<'_>,
    row: usize,
    turned: &[f32],
    to: &mut [f32],
    stride: usize,
) {
    let width = from.width;
    let mut sums = [[simd.splat_f32s(0.0); GATES]; R];
    for (panel, turned) in turned.chunks_exact(width * width).enumerate() {
        let gates = &from.gates[panel * from.plane..];
        let rows: [&[f32]; R] = std::array::from_fn(|r| &gates[(row + r) * width..][..width]);
        add_product(simd, &mut sums, rows, S::as_simd_f32s(turned).0);
    }
    for (r, sums) in sums.iter().enumerate() {
        S::as_mut_simd_f32s(&mut to[r * stride..][..width])
            .0
            .copy_from_slice(sums);
    }
}

/// Replaces activated gates by their gradients before activation, and the gradient carried by the
/// cell from the day after by that for the day before.
#[inline(always)]
fn gate_gradients<S: Simd>(
    simd: S,
    gates: &mut [S::f32s],
    carried: &mut S::f32s,
    state: S::f32s,
    before: S::f32s,
    c: S::f32s,
) {
    let one = simd.splat_f32s(1.0);
    let (mul, sub) = (|a, b| simd.mul_f32s(a, b), |a, b| simd.sub_f32s(a, b));
    let [i, f, g, o] = [gates[0], gates[1], gates[2], gates[3]];
    let squashed = tanh(simd, c);
    let through = mul(mul(state, o), sub(one, mul(squashed, squashed)));
    let cell = simd.add_f32s(*carried, through);
    gates[0] = mul(mul(cell, g), mul(i, sub(one, i)));
    gates[1] = mul(mul(cell, before), mul(f, sub(one, f)));
    gates[2] = mul(mul(cell, i), sub(one, mul(g, g)));
    gates[3] = mul(mul(state, squashed), mul(o, sub(one, o)));
    *carried = mul(cell, f);
}
