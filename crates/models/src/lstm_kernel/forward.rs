//! From a sequence to the state after each day.

use super::activation::{sigmoid, tanh};
use super::product::{
    Tiled, add_product, add_products_of_one, group, in_tiles, load, most_rows, multiply_add,
    side_by_side, store, vectors, vectors_mut,
};
use super::{Chunks, GATES, Packed, Shape, TOGETHER, lanes};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// What the backward pass needs of a chunk. Its memory can be used again for another pass.
#[derive(Debug, Clone, Default)]
pub(crate) struct Saved {
    /// `[panel][day][row][gate][lane]`: gates after their activation; later their gradients.
    pub(super) gates: Vec<f32>,
    /// `[day][row][padded hidden]`
    pub(super) cells: Vec<f32>,
    /// `[day][row][padded hidden]`
    pub(super) states: Vec<f32>,
    /// `[day][row][padded input]`: gradients of the input, made by the backward pass.
    pub(super) inputs: Vec<f32>,
}

impl Saved {
    /// With room for so many numbers. They are not cleared: all are written before they are read.
    fn with_room(mut self, gates: usize, cells: usize, states: usize) -> Self {
        self.gates.resize(gates, 0.0);
        self.cells.resize(cells, 0.0);
        self.states.resize(states, 0.0);
        self
    }
}

/// Where a layer stands after the days that it has read: states and cells of its rows, nothing before the
/// first day.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reached {
    /// `[row][padded hidden]`
    states: Vec<f32>,
    /// `[row][padded hidden]`
    cells: Vec<f32>,
}

/// Runs a layer over the next `[days, batch, input]` of a sequence, on the calling thread:
/// `[days, batch, hidden]`. Pieces of any length give the bits of the whole.
pub(crate) fn forward_on(
    shape: Shape,
    piece: &[f32],
    packed: &Packed,
    reached: &mut Reached,
) -> Vec<f32> {
    assert_eq!(piece.len(), shape.days * shape.batch * shape.input);
    let chunks = Chunks {
        batch: shape.batch,
        count: 1,
    };
    let mut saved = Saved::default();
    packed.set.dispatch(Forward {
        shape,
        rows: chunks.rows(0),
        sequence: piece,
        packed,
        reverse: false,
        saving: false,
        reached,
        saved: &mut saved,
    });
    let mut output = Vec::new();
    gather(shape, chunks, &[saved], lanes(packed.set), &mut output);
    output
}

/// Runs a layer over `[days, batch, input]`: `[days, batch, hidden]`, the state after each day.
pub(crate) fn forward(shape: Shape, sequence: &[f32], packed: &Packed, reverse: bool) -> Vec<f32> {
    let (mut saved, mut output) = (Vec::new(), Vec::new());
    run(
        shape,
        sequence,
        packed,
        reverse,
        false,
        &mut saved,
        &mut output,
    );
    output
}

/// The same into `output`, and what the backward pass needs into `saved`, one entry a chunk. What they
/// held before is overwritten, and their memory used again.
pub(crate) fn forward_and_save(
    shape: Shape,
    sequence: &[f32],
    packed: &Packed,
    reverse: bool,
    saved: &mut Vec<Saved>,
    output: &mut Vec<f32>,
) {
    run(shape, sequence, packed, reverse, true, saved, output);
}

fn run(
    shape: Shape,
    sequence: &[f32],
    packed: &Packed,
    reverse: bool,
    saving: bool,
    saved: &mut Vec<Saved>,
    output: &mut Vec<f32>,
) {
    assert_eq!(sequence.len(), shape.days * shape.batch * shape.input);
    let chunks = Chunks::new(shape.batch, rayon::current_num_threads());
    saved.resize_with(chunks.count, Saved::default);
    saved.par_iter_mut().enumerate().for_each(|(chunk, saved)| {
        packed.set.dispatch(Forward {
            shape,
            rows: chunks.rows(chunk),
            sequence,
            packed,
            reverse,
            saving,
            reached: &mut Reached::default(),
            saved,
        });
    });
    gather(shape, chunks, saved, lanes(packed.set), output);
}

/// Numbers from which on it pays to copy with more than one thread.
const MANY: usize = 1 << 18;

/// The states of all chunks beside one another, without the padding.
fn gather(shape: Shape, chunks: Chunks, saved: &[Saved], lanes: usize, output: &mut Vec<f32>) {
    let padded = shape.panels(lanes) * lanes;
    let of_day = |(day, output): (usize, &mut [f32])| {
        for (chunk, saved) in saved.iter().enumerate() {
            let rows = chunks.rows(chunk);
            let size = rows.len() * padded;
            let output = &mut output[rows.start * shape.hidden..rows.end * shape.hidden];
            for (to, from) in output
                .chunks_exact_mut(shape.hidden)
                .zip(saved.states[day * size..].chunks_exact(padded))
            {
                to.copy_from_slice(&from[..shape.hidden]);
            }
        }
    };
    let day = shape.batch * shape.hidden;
    output.resize(shape.days * day, 0.0);
    if output.len() < MANY {
        output.chunks_exact_mut(day).enumerate().for_each(of_day);
    } else {
        output
            .par_chunks_exact_mut(day)
            .enumerate()
            .for_each(of_day);
    }
}

/// A chunk's way through the days.
struct Forward<'a> {
    shape: Shape,
    rows: Range<usize>,
    sequence: &'a [f32],
    packed: &'a Packed,
    reverse: bool,
    /// Whether gates and cells of every day are kept.
    saving: bool,
    /// Where the layer stands before and after.
    reached: &'a mut Reached,
    saved: &'a mut Saved,
}

impl WithSimd for Forward<'_> {
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

impl Forward<'_> {
    #[inline(always)]
    fn run<S: Simd, const G: usize>(self, simd: S) {
        let (shape, rows) = (self.shape, self.rows.len());
        let panels = shape.panels(S::F32_LANES);
        let padded = panels * S::F32_LANES;
        let size = rows * GATES * S::F32_LANES;
        let together = (TOGETHER / rows).clamp(1, shape.days);
        let kept = if self.saving { shape.days } else { together };
        let days_of_cells = if self.saving { shape.days } else { 1 };
        let saved = std::mem::take(self.saved);
        let mut saved = saved.with_room(
            panels * kept * size,
            days_of_cells * rows * padded,
            shape.days * rows * padded,
        );
        let Reached {
            states: states_before,
            cells: mut cell_before,
        } = std::mem::take(self.reached);
        cell_before.resize(rows * padded, 0.0);
        let mut beside = vec![0.0; rows * shape.hidden];
        for first in (0..shape.days).step_by(together) {
            let steps = first..shape.days.min(first + together);
            let days = if self.reverse {
                shape.days - steps.end..shape.days - steps.start
            } else {
                steps.clone()
            };
            let from_slot = if self.saving { days.start } else { 0 };
            let plane = kept * size;
            let slot = from_slot * size;
            self.project::<S, G>(simd, days.clone(), &mut saved.gates[slot..], plane);
            for step in steps {
                let day = shape.day(step, self.reverse);
                let slot = (from_slot + day - days.start) * size;
                let cell_slot = if self.saving { day } else { 0 };
                let cells = &mut saved.cells[cell_slot * rows * padded..][..rows * padded];
                let at = day * rows * padded;
                let (mut before, states) =
                    neighbours(&mut saved.states, at, rows * padded, step, self.reverse);
                if step == 0 {
                    before = &states_before;
                }
                if rows > 1 && !before.is_empty() {
                    let row = |row: usize, _| &before[row * padded..];
                    side_by_side(rows, most_rows(G), 1, shape.hidden, row, &mut beside);
                }
                let mut step = Step::<S, G> {
                    simd,
                    shape,
                    weights: S::as_simd_f32s(&self.packed.hidden).0,
                    before,
                    beside: &beside,
                    gates: &mut saved.gates[slot..],
                    plane,
                };
                if rows == 1 && !before.is_empty() {
                    step.of_one_row();
                }
                for panel in 0..panels {
                    if rows > 1 && !before.is_empty() {
                        step.of_panel(panel, rows);
                    }
                    let gates = &mut step.gates[panel * plane..][..size];
                    activate(simd, panel, padded, gates, &cell_before, cells, states);
                }
                cell_before.copy_from_slice(cells);
            }
        }
        let last = shape.day(shape.days - 1, self.reverse) * rows * padded;
        *self.reached = Reached {
            states: saved.states[last..][..rows * padded].to_vec(),
            cells: cell_before,
        };
        *self.saved = saved;
    }

    /// What the bias and the inputs of some days add to the gates, in `gates`.
    #[inline(always)]
    fn project<S: Simd, const G: usize>(
        &self,
        simd: S,
        days: Range<usize>,
        gates: &mut [f32],
        plane: usize,
    ) {
        let (input, part) = (self.shape.input, G * S::F32_LANES);
        let inputs: Vec<&[f32]> = days
            .flat_map(|day| {
                let of_day = &self.sequence[day * self.shape.batch * input..];
                of_day[self.rows.start * input..self.rows.end * input].chunks_exact(input)
            })
            .collect();
        let mut beside = vec![0.0; inputs.len() * input];
        let row = |row: usize, _| inputs[row];
        side_by_side(inputs.len(), most_rows(G), 1, input, row, &mut beside);
        for (place, bias) in self.packed.bias.chunks_exact(part).enumerate() {
            let (panel, group) = (place * G / GATES, place * G % GATES);
            let weights = &self.packed.input[place * input * part..][..input * part];
            let mut projection = Projection::<S, G> {
                bias: *vectors::<S, G>(bias),
                weights: S::as_simd_f32s(weights).0,
                inputs: &beside,
                depth: input,
                gates: &mut gates[panel * plane + group * S::F32_LANES..],
            };
            in_tiles(simd, inputs.len(), most_rows(G), &mut projection);
        }
    }
}

/// Some gates of a panel for rows of several days.
struct Projection<'a, S: Simd, const G: usize> {
    bias: [S::f32s; G],
    weights: &'a [S::f32s],
    /// Rows side by side, of `depth` numbers each.
    inputs: &'a [f32],
    depth: usize,
    /// From the first of these gates of the first row on.
    gates: &'a mut [f32],
}

impl<S: Simd, const G: usize> Tiled<S, G> for Projection<'_, S, G> {
    #[inline(always)]
    fn tile<const R: usize>(&mut self, simd: S, first: usize) {
        let width = GATES * S::F32_LANES;
        let rows = &self.inputs[first * self.depth..][..R * self.depth];
        let mut sums = [self.bias; R];
        add_product(simd, &mut sums, rows, self.weights);
        store::<S, R, G>(sums, &mut self.gates[first * width..], width);
    }
}

/// What the states of the day before add to the gates of a day.
struct Step<'a, S: Simd, const G: usize> {
    simd: S,
    shape: Shape,
    weights: &'a [S::f32s],
    before: &'a [f32],
    /// The same rows side by side, if there are several.
    beside: &'a [f32],
    /// From the first row of the first panel on.
    gates: &'a mut [f32],
    plane: usize,
}

impl<S: Simd, const G: usize> Step<'_, S, G> {
    #[inline(always)]
    fn of_panel(&mut self, panel: usize, rows: usize) {
        let mut group = 0;
        while group < GATES {
            let size = self.shape.hidden * G;
            let mut carried = Carried::<S, G> {
                hidden: self.shape.hidden,
                weights: &self.weights[(panel * GATES + group) * self.shape.hidden..][..size],
                before: self.beside,
                gates: &mut self.gates[panel * self.plane + group * S::F32_LANES..],
            };
            in_tiles(self.simd, rows, most_rows(G), &mut carried);
            group += G;
        }
    }

    /// With one row, the sums of one tile would wait for one another: several tiles go side by side.
    #[inline(always)]
    fn of_one_row(&mut self) {
        const SIDE_BY_SIDE: usize = 4;
        let size = self.shape.hidden * G;
        let row = &self.before[..self.shape.hidden];
        let at = |place: usize| place * G / GATES * self.plane + place * G % GATES * S::F32_LANES;
        let places = self.weights.len() / size;
        let mut place = 0;
        while place + SIDE_BY_SIDE <= places {
            let weights = &self.weights[place * size..][..SIDE_BY_SIDE * size];
            let mut sums = [[self.simd.splat_f32s(0.0); G]; SIDE_BY_SIDE];
            for (side, sums) in sums.iter_mut().enumerate() {
                *sums = *vectors::<S, G>(&self.gates[at(place + side)..]);
            }
            add_products_of_one(self.simd, &mut sums, row, weights);
            for (side, sums) in sums.iter().enumerate() {
                *vectors_mut::<S, G>(&mut self.gates[at(place + side)..]) = *sums;
            }
            place += SIDE_BY_SIDE;
        }
        while place < places {
            let weights = &self.weights[place * size..][..size];
            let mut sums = [*vectors::<S, G>(&self.gates[at(place)..])];
            add_product(self.simd, &mut sums, row, weights);
            *vectors_mut::<S, G>(&mut self.gates[at(place)..]) = sums[0];
            place += 1;
        }
    }
}

/// The same for some gates of a panel.
struct Carried<'a, S: Simd, const G: usize> {
    hidden: usize,
    weights: &'a [S::f32s],
    /// Rows side by side.
    before: &'a [f32],
    /// From the first of these gates of the first row on.
    gates: &'a mut [f32],
}

impl<S: Simd, const G: usize> Tiled<S, G> for Carried<'_, S, G> {
    #[inline(always)]
    fn tile<const R: usize>(&mut self, simd: S, first: usize) {
        let width = GATES * S::F32_LANES;
        let rows = &self.before[first * self.hidden..][..R * self.hidden];
        let gates = &mut self.gates[first * width..];
        let mut sums = load::<S, R, G>(simd, gates, width);
        add_product(simd, &mut sums, rows, self.weights);
        store::<S, R, G>(sums, gates, width);
    }
}

/// The states of the day before (in reading order; none on the first step) and the place for those of this
/// day.
#[inline(always)]
fn neighbours(
    states: &mut [f32],
    at: usize,
    size: usize,
    step: usize,
    reverse: bool,
) -> (&[f32], &mut [f32]) {
    if step == 0 {
        return (&[], &mut states[at..at + size]);
    }
    if reverse {
        let (left, right) = states.split_at_mut(at + size);
        (&right[..size], &mut left[at..])
    } else {
        let (left, right) = states.split_at_mut(at);
        (&left[at - size..], &mut right[..size])
    }
}

/// From the sums of a panel on one day to the gates, the cells and the states.
#[inline(always)]
fn activate<S: Simd>(
    simd: S,
    panel: usize,
    padded: usize,
    gates: &mut [f32],
    cells_before: &[f32],
    cells: &mut [f32],
    states: &mut [f32],
) {
    let (gates, _) = S::as_mut_simd_f32s(gates);
    let (gates, _) = gates.as_chunks_mut::<GATES>();
    for (row, gates) in gates.iter_mut().enumerate() {
        let at = row * padded + panel * S::F32_LANES;
        let [before] = *vectors::<S, 1>(&cells_before[at..]);
        let i = sigmoid(simd, gates[0]);
        let f = sigmoid(simd, gates[1]);
        let g = tanh(simd, gates[2]);
        let o = sigmoid(simd, gates[3]);
        let c = multiply_add(simd, f, before, simd.mul_f32s(i, g));
        let h = simd.mul_f32s(o, tanh(simd, c));
        *vectors_mut::<S, 1>(&mut cells[at..]) = [c];
        *vectors_mut::<S, 1>(&mut states[at..]) = [h];
        *gates = [i, f, g, o];
    }
}
