//! Attention over days in training: dense, tanh, dense, softmax; the days' outputs added up by these
//! weights.

use super::stage::Dense;
use crate::instruction_set::InstructionSet;
use crate::layout::DensePart;
use crate::lstm_kernel::squash;
use crate::plain::softmax;

/// Both layers and what the forward pass left for the backward pass.
#[derive(Debug)]
pub(super) struct Attention {
    dense: Dense,
    score: Dense,
    /// `[days, batch, width / 2]`, after tanh.
    inner: Vec<f32>,
    /// `[days, batch]`
    scores: Vec<f32>,
    /// `[batch, days]`
    weights: Vec<f32>,
    /// Gradients of `inner`.
    gradient: Vec<f32>,
}

impl Attention {
    pub(super) fn new([dense, score]: [DensePart; 2]) -> Self {
        Self {
            dense: Dense::new(dense),
            score: Dense::new(score),
            inner: Vec::new(),
            scores: Vec::new(),
            weights: Vec::new(),
            gradient: Vec::new(),
        }
    }

    /// `[days, batch, width]` to the weighted mean `[batch, width]`.
    pub(super) fn forward(
        &mut self,
        network: &[f32],
        sequence: &[f32],
        [days, batch, width]: [usize; 3],
        mean: &mut Vec<f32>,
    ) {
        self.dense.forward(network, sequence, &mut self.inner);
        squash(InstructionSet::of_networks(), &mut self.inner);
        self.score.forward(network, &self.inner, &mut self.scores);
        self.weights.resize(batch * days, 0.0);
        mean.clear();
        mean.resize(batch * width, 0.0);
        for (row, weights) in self.weights.chunks_exact_mut(days).enumerate() {
            softmax((0..days).map(|day| self.scores[day * batch + row]), weights);
        }
        for (day, outputs) in sequence.chunks_exact(batch * width).enumerate() {
            for (row, (mean, outputs)) in mean
                .chunks_exact_mut(width)
                .zip(outputs.chunks_exact(width))
                .enumerate()
            {
                let weight = self.weights[row * days + day];
                for (mean, output) in mean.iter_mut().zip(outputs) {
                    *mean += weight * output;
                }
            }
        }
    }

    /// Gradients of the mean to those of the sequence, `to`; those of the weights are set.
    pub(super) fn backward(
        &mut self,
        network: &[f32],
        gradients: &mut [f32],
        sequence: &[f32],
        [days, batch, width]: [usize; 3],
        mean: &[f32],
        to: &mut [f32],
    ) {
        // The scores are no longer needed: first the gradients of the weights take their place.
        for (day, outputs) in sequence.chunks_exact(batch * width).enumerate() {
            let to = &mut to[day * batch * width..][..batch * width];
            for (row, ((mean, outputs), to)) in mean
                .chunks_exact(width)
                .zip(outputs.chunks_exact(width))
                .zip(to.chunks_exact_mut(width))
                .enumerate()
            {
                let weight = self.weights[row * days + day];
                self.scores[day * batch + row] = dot(mean, outputs);
                for (to, mean) in to.iter_mut().zip(mean) {
                    *to = weight * mean;
                }
            }
        }
        for (row, weights) in self.weights.chunks_exact(days).enumerate() {
            let at = |day: usize| day * batch + row;
            let common: f32 = weights
                .iter()
                .enumerate()
                .map(|(day, weight)| weight * self.scores[at(day)])
                .sum();
            for (day, weight) in weights.iter().enumerate() {
                self.scores[at(day)] = weight * (self.scores[at(day)] - common);
            }
        }
        self.score
            .weight_gradients(gradients, &self.inner, &self.scores);
        self.gradient.clear();
        self.gradient.resize(self.inner.len(), 0.0);
        self.score
            .add_input_gradients(network, &self.scores, &mut self.gradient);
        for (gradient, value) in self.gradient.iter_mut().zip(&self.inner) {
            *gradient *= 1.0 - value * value;
        }
        self.dense
            .weight_gradients(gradients, sequence, &self.gradient);
        self.dense.add_input_gradients(network, &self.gradient, to);
    }
}

/// The sum of products, in eight sums side by side.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for (left, right) in left.iter().zip(right) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
