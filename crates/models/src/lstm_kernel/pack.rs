//! Weights in the order in which products read them.
//!
//! On the calling thread: waking another takes longer than it would save.

use super::{GATES, Shape, lanes};
/// A layer's weights ready for the forward pass.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(super) input: Vec<f32>,
    pub(super) hidden: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

impl Packed {
    /// From `[input, 4 × hidden]`, `[hidden, 4 × hidden]` and `[4 × hidden]`, gates in the order
    /// i, f, g, o.
    pub(crate) fn new(shape: Shape, input: &[f32], hidden: &[f32], bias: &[f32]) -> Self {
        let lanes = lanes();
        let width = shape.panels(lanes) * GATES * lanes;
        let mut packed = Self {
            input: vec![0.0; shape.input * width],
            hidden: vec![0.0; shape.hidden * width],
            bias: vec![0.0; width],
        };
        pack(input, shape.input, shape.hidden, lanes, &mut packed.input);
        pack(
            hidden,
            shape.hidden,
            shape.hidden,
            lanes,
            &mut packed.hidden,
        );
        pack(bias, 1, shape.hidden, lanes, &mut packed.bias);
        packed
    }
}

/// Weights `[rows, 4 × hidden]` in panels: `[panel][row][gate][lane]`.
fn pack(weights: &[f32], rows: usize, hidden: usize, lanes: usize, packed: &mut [f32]) {
    let width = GATES * lanes;
    packed
        .chunks_exact_mut(rows * width)
        .enumerate()
        .for_each(|(panel, packed)| {
            let first = panel * lanes;
            let units = lanes.min(hidden - first);
            for (from, to) in weights
                .chunks_exact(GATES * hidden)
                .zip(packed.chunks_exact_mut(width))
            {
                for (gate, to) in to.chunks_exact_mut(lanes).enumerate() {
                    let from = &from[gate * hidden + first..][..units];
                    to[..units].copy_from_slice(from);
                    to[units..].fill(0.0);
                }
            }
        });
}

/// Weights `[rows, 4 × hidden]` turned round, for products with gate gradients:
/// `[block of 4 × lanes rows][panel][gate][lane][row of the block]`.
pub(super) fn pack_turned(
    weights: &[f32],
    rows: usize,
    hidden: usize,
    lanes: usize,
    packed: &mut [f32],
) {
    let width = GATES * lanes;
    let depth = hidden.div_ceil(lanes) * width;
    packed
        .chunks_exact_mut(depth * width)
        .enumerate()
        .for_each(|(block, packed)| {
            let first = block * width;
            let count = width.min(rows - first);
            if count < width || !hidden.is_multiple_of(lanes) {
                packed.fill(0.0);
            }
            for (row, from) in weights[first * GATES * hidden..]
                .chunks_exact(GATES * hidden)
                .take(count)
                .enumerate()
            {
                for (gate, from) in from.chunks_exact(hidden).enumerate() {
                    for (panel, from) in from.chunks(lanes).enumerate() {
                        let to = &mut packed[(panel * GATES + gate) * lanes * width..];
                        for (to, value) in to.chunks_exact_mut(width).zip(from) {
                            to[row] = *value;
                        }
                    }
                }
            }
        });
}
