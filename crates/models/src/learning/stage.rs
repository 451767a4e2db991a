//! One stage of a head: dropout, a dense layer, and perhaps batch norm and ReLU.

use super::batch_norm::BatchNorm;
use crate::layout::{DensePart, NormPart};
use crate::products::{add_column_sums, add_product, transpose_into};
use crate::random::{DropoutMasks, masked};

/// A dense layer with memory for its gradients.
#[derive(Debug)]
pub(super) struct Dense {
    part: DensePart,
    turned: Vec<f32>,
}

impl Dense {
    pub(super) fn new(part: DensePart) -> Self {
        Self {
            part,
            turned: Vec::new(),
        }
    }

    /// `[rows, input]` to `[rows, output]`.
    pub(super) fn forward(&self, weights: &[f32], rows: &[f32], to: &mut Vec<f32>) {
        let DensePart { input, output, .. } = self.part;
        to.resize(rows.len() / input * output, 0.0);
        let bias = self.part.bias.of(weights);
        for to in to.chunks_exact_mut(output) {
            to.copy_from_slice(bias);
        }
        add_product(rows, self.part.weight.of(weights), input, to);
    }

    /// Gradients of the output to those of the weights, from what was read.
    pub(super) fn weight_gradients(&mut self, gradients: &mut [f32], rows: &[f32], output: &[f32]) {
        transpose_into(rows, self.part.input, &mut self.turned);
        let count = rows.len() / self.part.input;
        let weight = self.part.weight.of_mut(gradients);
        add_product(&self.turned, output, count, weight);
        add_column_sums(output, self.part.bias.of_mut(gradients));
    }

    /// Gradients of the output added to those of what was read.
    pub(super) fn add_input_gradients(&mut self, weights: &[f32], output: &[f32], to: &mut [f32]) {
        let weight = self.part.weight.of(weights);
        transpose_into(weight, self.part.output, &mut self.turned);
        add_product(output, &self.turned, self.part.output, to);
    }
}

/// See the module's header.
#[derive(Debug)]
pub(super) struct Stage {
    drops: bool,
    dense: Dense,
    norm: Option<BatchNorm>,
    rectifies: bool,
    mask: Vec<f32>,
    /// What the dense layer read.
    input: Vec<f32>,
    output: Vec<f32>,
    /// Gradients on their way back.
    gradient: Vec<f32>,
}

impl Stage {
    /// Dropout, dense, batch norm, ReLU.
    pub(super) fn normalised(dense: DensePart, norm: NormPart) -> Self {
        Self {
            norm: Some(BatchNorm::new(norm, dense.output)),
            ..Self::rectified(dense)
        }
    }

    /// Dropout, dense, ReLU.
    pub(super) fn rectified(dense: DensePart) -> Self {
        Self {
            rectifies: true,
            ..Self::linear(dense)
        }
    }

    /// Dropout, dense.
    pub(super) fn linear(dense: DensePart) -> Self {
        Self {
            drops: true,
            dense: Dense::new(dense),
            norm: None,
            rectifies: false,
            mask: Vec::new(),
            input: Vec::new(),
            output: Vec::new(),
            gradient: Vec::new(),
        }
    }

    /// The same without dropout.
    pub(super) fn without_dropout(self) -> Self {
        Self {
            drops: false,
            ..self
        }
    }

    /// `[rows, input]` to `[rows, output]`.
    pub(super) fn forward(
        &mut self,
        weights: &[f32],
        rows: &[f32],
        dropout: &mut DropoutMasks,
    ) -> &[f32] {
        self.input.clear();
        self.input.extend_from_slice(rows);
        if self.drops {
            dropout.apply(&mut self.input, &mut self.mask);
        }
        self.dense.forward(weights, &self.input, &mut self.output);
        if let Some(norm) = &mut self.norm {
            norm.forward(weights, &mut self.output);
        }
        if self.rectifies {
            for value in &mut self.output {
                *value = value.max(0.0);
            }
        }
        &self.output
    }

    /// What [`Stage::forward`] gave.
    pub(super) fn output(&self) -> &[f32] {
        &self.output
    }

    /// Gradients of the output added to those of what was read, `to`; those of the weights are set.
    pub(super) fn backward(
        &mut self,
        weights: &[f32],
        gradients: &mut [f32],
        output: &[f32],
        to: &mut [f32],
    ) {
        let mut gradient = std::mem::take(&mut self.gradient);
        gradient.clear();
        gradient.extend_from_slice(output);
        if self.rectifies {
            for (gradient, value) in gradient.iter_mut().zip(&self.output) {
                if *value <= 0.0 {
                    *gradient = 0.0;
                }
            }
        }
        if let Some(norm) = &mut self.norm {
            norm.backward(weights, gradients, &mut gradient);
        }
        self.dense
            .weight_gradients(gradients, &self.input, &gradient);
        if self.mask.is_empty() {
            self.dense.add_input_gradients(weights, &gradient, to);
        } else {
            // The input is no longer needed: its memory takes the gradient before the mask.
            self.input.fill(0.0);
            let input = &mut self.input;
            self.dense.add_input_gradients(weights, &gradient, input);
            masked(input, &self.mask);
            for (to, value) in to.iter_mut().zip(input) {
                *to += *value;
            }
        }
        self.gradient = gradient;
    }

    /// Takes the statistics of the last batch into the running ones.
    pub(super) fn absorb(&self, weights: &mut [f32]) {
        if let Some(norm) = &self.norm {
            norm.absorb(weights);
        }
    }
}
