//! The LSTM layers in training, from windows to what the head reads.

use super::attention::Attention;
use crate::instruction_set::InstructionSet;
use crate::layout::{DensePart, LstmPart};
use crate::lstm_kernel::{Gradients, Packed, Saved, Scratch, Shape, backward, forward_and_save};
use crate::plain::beside;
use crate::random::{DropoutMasks, masked};

/// All levels, and what their last forward pass left for the backward pass.
#[derive(Debug)]
pub(super) struct Encoder {
    levels: Vec<Level>,
    attention: Option<Attention>,
    /// `[batch, width]`: what was read out.
    read: Vec<f32>,
    /// Gradients of a level's output on their way back, and of its input.
    gradients: [Vec<f32>; 2],
    scratch: Scratch,
}

/// The directions of one level.
#[derive(Debug)]
struct Level {
    layers: Vec<Layer>,
    /// `[days, batch, directions × hidden]`, after the dropout before the next level.
    output: Vec<f32>,
    /// Of that dropout.
    mask: Vec<f32>,
}

#[derive(Debug)]
struct Layer {
    part: LstmPart,
    packed: Option<Packed>,
    saved: Vec<Saved>,
    /// `[days, batch, hidden]`, where there are two directions.
    output: Vec<f32>,
}

impl Layer {
    fn shape(&self, [days, batch]: [usize; 2]) -> Shape {
        Shape {
            days,
            batch,
            input: self.part.input,
            hidden: self.part.hidden,
        }
    }

    /// `[days, batch, input]` to `[days, batch, hidden]`.
    fn forward(
        &mut self,
        weights: &[f32],
        sizes: [usize; 2],
        sequence: &[f32],
        reverse: bool,
        output: &mut Vec<f32>,
    ) {
        let shape = self.shape(sizes);
        let from_input = self.part.from_input.of(weights);
        let from_hidden = self.part.from_hidden.of(weights);
        let bias = self.part.bias(weights);
        let packed = match &mut self.packed {
            Some(packed) => {
                packed.renew(shape, from_input, from_hidden, &bias);
                packed
            }
            none => none.insert(Packed::new(
                InstructionSet::of_networks(),
                shape,
                from_input,
                from_hidden,
                &bias,
            )),
        };
        forward_and_save(shape, sequence, packed, reverse, &mut self.saved, output);
    }

    /// Gradients of the output to those of the weights, and of the sequence if asked for.
    #[expect(clippy::too_many_arguments, reason = "what a backward pass needs")]
    fn backward(
        &mut self,
        weights: &[f32],
        gradients: &mut [f32],
        sizes: [usize; 2],
        sequence: &[f32],
        reverse: bool,
        output: &[f32],
        scratch: &mut Scratch,
        to: Option<&mut [f32]>,
    ) {
        let shape = self.shape(sizes);
        let part = self.part;
        let [input, hidden, bias] = part.apart(gradients);
        backward(
            InstructionSet::of_networks(),
            shape,
            sequence,
            (part.from_input.of(weights), part.from_hidden.of(weights)),
            &mut self.saved,
            reverse,
            output,
            scratch,
            Gradients {
                sequence: to,
                input,
                hidden,
                bias,
            },
        );
        // Both biases are added up, so both have the same gradient.
        let bias = part.bias_input.of(gradients).to_vec();
        part.bias_hidden.of_mut(gradients).copy_from_slice(&bias);
    }
}

impl Encoder {
    pub(super) fn new(levels: &[Vec<LstmPart>], attention: Option<[DensePart; 2]>) -> Self {
        let layer = |part: &LstmPart| Layer {
            part: *part,
            packed: None,
            saved: Vec::new(),
            output: Vec::new(),
        };
        Self {
            levels: levels
                .iter()
                .map(|level| Level {
                    layers: level.iter().map(layer).collect(),
                    output: Vec::new(),
                    mask: Vec::new(),
                })
                .collect(),
            attention: attention.map(Attention::new),
            read: Vec::new(),
            gradients: [Vec::new(), Vec::new()],
            scratch: Scratch::default(),
        }
    }

    /// Width of what is read out.
    pub(super) fn width(&self) -> usize {
        let layers = &self.levels[0].layers;
        layers.len() * layers[0].part.hidden
    }

    /// `[days, batch, features]` to what was read out, `[batch, width]`.
    pub(super) fn forward(
        &mut self,
        weights: &[f32],
        windows: &[f32],
        sizes: [usize; 2],
        dropout: &mut DropoutMasks,
    ) -> &[f32] {
        let [days, batch] = sizes;
        let count = self.levels.len();
        for place in 0..count {
            let (below, rest) = self.levels.split_at_mut(place);
            let sequence = below.last().map_or(windows, |level| &level.output[..]);
            let Level {
                layers,
                output,
                mask,
            } = &mut rest[0];
            match &mut layers[..] {
                [forward, back] => {
                    let mut states = std::mem::take(&mut forward.output);
                    forward.forward(weights, sizes, sequence, false, &mut states);
                    forward.output = states;
                    let mut states = std::mem::take(&mut back.output);
                    back.forward(weights, sizes, sequence, true, &mut states);
                    back.output = states;
                    *output = beside(&forward.output, &back.output, forward.part.hidden);
                }
                one => one[0].forward(weights, sizes, sequence, false, output),
            }
            if place + 1 < count {
                dropout.apply(output, mask);
            }
        }
        let width = self.width();
        let sequence = &self.levels[count - 1].output;
        if let Some(attention) = &mut self.attention {
            attention.forward(weights, sequence, [days, batch, width], &mut self.read);
        } else {
            self.read.clear();
            let last_day = &sequence[(days - 1) * batch * width..];
            self.read.extend_from_slice(last_day);
        }
        &self.read
    }

    /// Gradients of what was read out to those of the weights, which are set.
    pub(super) fn backward(
        &mut self,
        weights: &[f32],
        gradients: &mut [f32],
        windows: &[f32],
        sizes: [usize; 2],
        read: &[f32],
    ) {
        let [days, batch] = sizes;
        let width = self.width();
        let count = self.levels.len();
        let [mut above, mut below] = std::mem::take(&mut self.gradients);
        above.clear();
        above.resize(days * batch * width, 0.0);
        let sequence = &self.levels[count - 1].output;
        if let Some(attention) = &mut self.attention {
            let sizes = [days, batch, width];
            attention.backward(weights, gradients, sequence, sizes, read, &mut above);
        } else {
            above[(days - 1) * batch * width..].copy_from_slice(read);
        }
        for place in (0..count).rev() {
            let (lower, rest) = self.levels.split_at_mut(place);
            let sequence = lower.last().map_or(windows, |level| &level.output[..]);
            let layers = &mut rest[0].layers;
            let wants_sequence = place > 0;
            below.resize(if wants_sequence { sequence.len() } else { 0 }, 0.0);
            let scratch = &mut self.scratch;
            let mut run = |layer: &mut Layer, reverse, output: &[f32], to: Option<&mut [f32]>| {
                layer.backward(
                    weights, gradients, sizes, sequence, reverse, output, scratch, to,
                );
            };
            match &mut layers[..] {
                [forward, back] => {
                    let hidden = forward.part.hidden;
                    apart(&above, hidden, &mut forward.output, &mut back.output);
                    let output = std::mem::take(&mut forward.output);
                    run(
                        forward,
                        false,
                        &output,
                        wants_sequence.then_some(&mut below),
                    );
                    forward.output = output;
                    let mut second = vec![0.0; below.len()];
                    let output = std::mem::take(&mut back.output);
                    run(back, true, &output, wants_sequence.then_some(&mut second));
                    back.output = output;
                    for (to, value) in below.iter_mut().zip(second) {
                        *to += value;
                    }
                }
                one => run(
                    &mut one[0],
                    false,
                    &above,
                    wants_sequence.then_some(&mut below),
                ),
            }
            if let Some(level) = lower.last() {
                masked(&mut below, &level.mask);
            }
            std::mem::swap(&mut above, &mut below);
        }
        self.gradients = [above, below];
    }
}

/// `[rows, 2 × hidden]` as two `[rows, hidden]`.
fn apart(both: &[f32], hidden: usize, left: &mut [f32], right: &mut [f32]) {
    for ((both, left), right) in both
        .chunks_exact(2 * hidden)
        .zip(left.chunks_exact_mut(hidden))
        .zip(right.chunks_exact_mut(hidden))
    {
        left.copy_from_slice(&both[..hidden]);
        right.copy_from_slice(&both[hidden..]);
    }
}
