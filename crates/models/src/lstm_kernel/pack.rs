//! Weights in the order in which products read them.
//!
//! On the calling thread: waking another takes longer than it would save.

use super::{GATES, Shape, group, lanes};
use crate::instruction_set::InstructionSet;

/// A layer's weights ready for the forward pass.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(super) set: InstructionSet,
    pub(super) input: Vec<f32>,
    pub(super) hidden: Vec<f32>,
    /// `[panel][gate][lane]`
    pub(super) bias: Vec<f32>,
}

impl Packed {
    /// For an instruction set, from `[input, 4 × hidden]`, `[hidden, 4 × hidden]` and `[4 × hidden]`,
    /// gates in the order i, f, g, o.
    pub(crate) fn new(
        set: InstructionSet,
        shape: Shape,
        input: &[f32],
        hidden: &[f32],
        bias: &[f32],
    ) -> Self {
        let mut packed = Self {
            set,
            input: Vec::new(),
            hidden: Vec::new(),
            bias: Vec::new(),
        };
        packed.renew(shape, input, hidden, bias);
        packed
    }

    /// Other weights of the same shape in the same memory.
    pub(crate) fn renew(&mut self, shape: Shape, input: &[f32], hidden: &[f32], bias: &[f32]) {
        let (lanes, group) = (lanes(self.set), group(self.set));
        let pack = |weights, rows, to| pack(weights, rows, shape.hidden, lanes, group, to);
        pack(input, shape.input, &mut self.input);
        pack(hidden, shape.hidden, &mut self.hidden);
        pack(bias, 1, &mut self.bias);
    }
}

/// Weights `[rows, 4 × hidden]` in panels: `[panel][group of gates][row][gate of the group][lane]`.
/// What fills panels up is zero, and stays so where a list is used again.
fn pack(
    weights: &[f32],
    rows: usize,
    hidden: usize,
    lanes: usize,
    group: usize,
    packed: &mut Vec<f32>,
) {
    let part = group * lanes;
    packed.resize(rows * hidden.div_ceil(lanes) * GATES * lanes, 0.0);
    for (place, packed) in packed.chunks_exact_mut(rows * part).enumerate() {
        let (panel, first_gate) = (place * group / GATES, place * group % GATES);
        let first = panel * lanes;
        let units = lanes.min(hidden - first);
        for (from, to) in weights
            .chunks_exact(GATES * hidden)
            .zip(packed.chunks_exact_mut(part))
        {
            for (gate, to) in to.chunks_exact_mut(lanes).enumerate() {
                let from = &from[(first_gate + gate) * hidden + first..][..units];
                to[..units].copy_from_slice(from);
            }
        }
    }
}

/// Weights `[rows, 4 × hidden]` turned round, for products with gate gradients:
/// `[block of group × lanes rows][panel][gate][lane][row of the block]`.
pub(super) fn pack_turned(
    set: InstructionSet,
    weights: &[f32],
    rows: usize,
    hidden: usize,
    packed: &mut Vec<f32>,
) {
    let lanes = lanes(set);
    let part = group(set) * lanes;
    let depth = hidden.div_ceil(lanes) * GATES * lanes;
    packed.resize(rows.div_ceil(part) * depth * part, 0.0);
    for (packed, weights) in packed
        .chunks_exact_mut(depth * part)
        .zip(weights.chunks(part * GATES * hidden))
    {
        for (row, from) in weights.chunks_exact(GATES * hidden).enumerate() {
            for (gate, from) in from.chunks_exact(hidden).enumerate() {
                for (panel, from) in from.chunks(lanes).enumerate() {
                    let to = &mut packed[(panel * GATES + gate) * lanes * part..];
                    for (to, value) in to.chunks_exact_mut(part).zip(from) {
                        to[row] = *value;
                    }
                }
            }
        }
    }
}
