//! From a sequence to the state after each day.

use super::activation::{sigmoid, tanh};
use super::product::add_product;
use super::{CHUNK, GATES, Packed, Shape, lanes};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows whose accumulators are in registers at once.
const ROWS: usize = 4;

/// What the backward pass needs of a chunk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    /// `[panel][day][row][gate][lane]`: gates after their activation; later their gradients.
    pub(super) gates: Vec<f32>,
    /// `[day][row][padded hidden]`
    pub(super) cells: Vec<f32>,
    /// `[day][row][padded hidden]`
    pub(super) states: Vec<f32>,
}

/// Runs a layer over `[days, batch, input]`: `[days, batch, hidden]`, the state after each day.
pub(crate) fn forward(shape: Shape, sequence: &[f32], packed: &Packed, reverse: bool) -> Vec<f32> {
    let saved = run(shape, sequence, packed, reverse, false);
    gather(shape, &saved)
}

/// The same, and what the backward pass needs, one entry a chunk.
pub(crate) fn forward_and_save(
    shape: Shape,
    sequence: &[f32],
    packed: &Packed,
    reverse: bool,
) -> (Vec<f32>, Vec<Saved>) {
    let saved = run(shape, sequence, packed, reverse, true);
    (gather(shape, &saved), saved)
}

fn run(shape: Shape, sequence: &[f32], packed: &Packed, reverse: bool, saving: bool) -> Vec<Saved> {
    assert_eq!(sequence.len(), shape.days * shape.batch * shape.input);
    (0..shape.chunks())
        .into_par_iter()
        .map(|chunk| {
            Arch::new().dispatch(Forward {
                shape,
                chunk,
                sequence,
                packed,
                reverse,
                saving,
            })
        })
        .collect()
}

/// Numbers from which on it pays to copy with more than one thread.
const MANY: usize = 1 << 18;

/// The states of all chunks beside one another, without the padding.
fn gather(shape: Shape, saved: &[Saved]) -> Vec<f32> {
    let lanes = lanes();
    let padded = shape.panels(lanes) * lanes;
    let day = shape.batch * shape.hidden;
    let of_day = |(day, output): (usize, &mut [f32])| {
        for (row, output) in output.chunks_exact_mut(shape.hidden).enumerate() {
            let (chunk, row) = (row / CHUNK, row % CHUNK);
            let at = (day * shape.rows_of(chunk) + row) * padded;
            output.copy_from_slice(&saved[chunk].states[at..at + shape.hidden]);
        }
    };
    let mut output = vec![0.0; shape.days * day];
    if output.len() < MANY {
        output.chunks_exact_mut(day).enumerate().for_each(of_day);
    } else {
        output
            .par_chunks_exact_mut(day)
            .enumerate()
            .for_each(of_day);
    }
    output
}

struct Forward<'a> {
    shape: Shape,
    chunk: usize,
    sequence: &'a [f32],
    packed: &'a Packed,
    reverse: bool,
    /// Whether gates and cells of every day are kept.
    saving: bool,
}

impl WithSimd for Forward<'_> {
    type Output = Saved;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Saved {
        let Self {
            shape,
            chunk,
            sequence,
            packed,
            reverse,
            saving,
        } = self;
        let lanes = S::F32_LANES;
        let panels = shape.panels(lanes);
        let padded = panels * lanes;
        let rows = shape.rows_of(chunk);
        let kept = if saving { shape.days } else { 1 };
        let mut saved = Saved {
            gates: vec![0.0; panels * kept * rows * GATES * lanes],
            cells: vec![0.0; kept * rows * padded],
            states: vec![0.0; shape.days * rows * padded],
        };
        let zeros = vec![0.0; rows * padded];
        let projected = (rows < ROWS).then(|| self.project(simd, rows));
        let mut cell_before = zeros.clone();
        for step in 0..shape.days {
            let day = shape.day(step, reverse);
            let slot = if saving { day } else { 0 };
            let inputs = &sequence[(day * shape.batch + chunk * CHUNK) * shape.input..]
                [..rows * shape.input];
            let at = day * rows * padded;
            let (before, state) =
                neighbours(&mut saved.states, at, rows * padded, step, reverse, &zeros);
            let cell = &mut saved.cells[slot * rows * padded..][..rows * padded];
            let size = rows * GATES * lanes;
            let gates_at = |panel: usize| (panel * kept + slot) * size;
            let tile = |panel: usize| Tile {
                simd,
                projected: projected
                    .as_ref()
                    .map(|all| &all[(panel * shape.days + day) * size..][..size]),
                shape,
                padded,
                panel,
                inputs,
                before,
                cell_before: &cell_before,
                packed,
            };
            for panel in 0..panels {
                let tile = tile(panel);
                let gates = &mut saved.gates[gates_at(panel)..][..size];
                let mut row = 0;
                while row < rows {
                    let count = (rows - row).min(ROWS);
                    match count {
                        4 => tile.run::<4>(row, gates, cell, state),
                        3 => tile.run::<3>(row, gates, cell, state),
                        2 => tile.run::<2>(row, gates, cell, state),
                        _ => tile.run::<1>(row, gates, cell, state),
                    }
                    row += count;
                }
            }
            cell_before.copy_from_slice(cell);
        }
        saved
    }
}

impl Forward<'_> {
    /// What the inputs of every day come to: `[panel][day][row][gate][lane]`. With few rows a day, the
    /// weights of the inputs are read once for several days instead of for each; the additions are
    /// the same, in the same order.
    #[inline(always)]
    fn project<S: Simd>(&self, simd: S, rows: usize) -> Vec<f32> {
        let shape = self.shape;
        let width = GATES * S::F32_LANES;
        let (input, pairs) = (shape.input, shape.days * rows);
        // A row of a day, counted through.
        let of = |pair: usize| {
            let place = (pair / rows) * shape.batch + self.chunk * CHUNK + pair % rows;
            &self.sequence[place * input..][..input]
        };
        let mut projected = vec![0.0; shape.panels(S::F32_LANES) * pairs * width];
        for (panel, projected) in projected.chunks_exact_mut(pairs * width).enumerate() {
            for (tile, sums) in projected.chunks_mut(ROWS * width).enumerate() {
                let first = tile * ROWS;
                if sums.len() == ROWS * width {
                    let rows: [&[f32]; ROWS] = std::array::from_fn(|r| of(first + r));
                    let tile = projection(simd, self.packed, input, panel, rows);
                    for (to, from) in sums.chunks_exact_mut(width).zip(tile) {
                        S::as_mut_simd_f32s(to).0.copy_from_slice(&from);
                    }
                } else {
                    for (r, to) in sums.chunks_exact_mut(width).enumerate() {
                        let [from] = projection(simd, self.packed, input, panel, [of(first + r)]);
                        S::as_mut_simd_f32s(to).0.copy_from_slice(&from);
                    }
                }
            }
        }
        projected
    }
}

/// The bias, and what the inputs of some rows add to it.
#[inline(always)]
fn projection<S: Simd, const R: usize>(
    simd: S,
    packed: &Packed,
    input: usize,
    panel: usize,
    rows: [&[f32]; R],
) -> [[S::f32s; GATES]; R] {
    let width = GATES * S::F32_LANES;
    let bias = S::as_simd_f32s(&packed.bias[panel * width..][..width]).0;
    let mut sums = [[bias[0], bias[1], bias[2], bias[3]]; R];
    let weights = &packed.input[panel * input * width..][..input * width];
    add_product(simd, &mut sums, rows, S::as_simd_f32s(weights).0);
    sums
}

/// The states of the day before (in reading order) and the place for those of this day.
#[inline(always)]
fn neighbours<'a>(
    states: &'a mut [f32],
    at: usize,
    size: usize,
    step: usize,
    reverse: bool,
    zeros: &'a [f32],
) -> (&'a [f32], &'a mut [f32]) {
    if step == 0 {
        return (zeros, &mut states[at..at + size]);
    }
    if reverse {
        let (left, right) = states.split_at_mut(at + size);
        (&right[..size], &mut left[at..])
    } else {
        let (left, right) = states.split_at_mut(at);
        (&left[at - size..], &mut right[..size])
    }
}

/// A panel of units of some rows of a chunk on one day.
#[derive(Clone, Copy)]
struct Tile<'a, S> {
    simd: S,
    /// What the inputs come to, where that was computed before.
    projected: Option<&'a [f32]>,
    shape: Shape,
    padded: usize,
    panel: usize,
    inputs: &'a [f32],
    before: &'a [f32],
    cell_before: &'a [f32],
    packed: &'a Packed,
}

impl<S: Simd> Tile<'_, S> {
    #[inline(always)]
    fn run<const R: usize>(
        &self,
        row: usize,
        gates: &mut [f32],
        cell: &mut [f32],
        state: &mut [f32],
    ) {
        let width = GATES * S::F32_LANES;
        let mut sums = self.start::<R>(row);
        let rows: [&[f32]; R] = std::array::from_fn(|r| self.state_before(row + r));
        add_product(self.simd, &mut sums, rows, self.hidden_weights());
        for (r, sums) in sums.iter().enumerate() {
            let gates = &mut gates[(row + r) * width..][..width];
            self.finish(row + r, sums, gates, cell, state);
        }
    }

    /// The bias and what the inputs add to it.
    #[inline(always)]
    fn start<const R: usize>(&self, row: usize) -> [[S::f32s; GATES]; R] {
        let width = GATES * S::F32_LANES;
        match self.projected {
            Some(projected) => std::array::from_fn(|r| {
                let sums = S::as_simd_f32s(&projected[(row + r) * width..][..width]).0;
                [sums[0], sums[1], sums[2], sums[3]]
            }),
            None => {
                let input = self.shape.input;
                let rows: [&[f32]; R] =
                    std::array::from_fn(|r| &self.inputs[(row + r) * input..][..input]);
                projection(self.simd, self.packed, input, self.panel, rows)
            }
        }
    }

    #[inline(always)]
    fn state_before(&self, row: usize) -> &[f32] {
        &self.before[row * self.padded..][..self.shape.hidden]
    }

    #[inline(always)]
    fn hidden_weights(&self) -> &[S::f32s] {
        let size = self.shape.hidden * GATES * S::F32_LANES;
        S::as_simd_f32s(&self.packed.hidden[self.panel * size..][..size]).0
    }

    /// From the sums to the gates, the cell and the state of a row.
    #[inline(always)]
    fn finish(
        &self,
        row: usize,
        sums: &[S::f32s; GATES],
        gates: &mut [f32],
        cell: &mut [f32],
        state: &mut [f32],
    ) {
        let simd = self.simd;
        let lanes = S::F32_LANES;
        let at = row * self.padded + self.panel * lanes;
        let before = S::as_simd_f32s(&self.cell_before[at..at + lanes]).0[0];
        let i = sigmoid(simd, sums[0]);
        let f = sigmoid(simd, sums[1]);
        let g = tanh(simd, sums[2]);
        let o = sigmoid(simd, sums[3]);
        let c = simd.mul_add_f32s(f, before, simd.mul_f32s(i, g));
        let h = simd.mul_f32s(o, tanh(simd, c));
        S::as_mut_simd_f32s(&mut cell[at..at + lanes]).0[0] = c;
        S::as_mut_simd_f32s(&mut state[at..at + lanes]).0[0] = h;
        let gates = S::as_mut_simd_f32s(gates).0;
        gates.copy_from_slice(&[i, f, g, o]);
    }
}
