//! Batch normalisation (Ioffe and Szegedy 2015) in training, as PyTorch's `BatchNorm1d`: statistics of
//! the batch; running variance unbiased, momentum 0.1.

use crate::layout::NormPart;
use crate::plain::EPSILON;

/// How far running statistics move to those of a batch.
const MOMENTUM: f32 = 0.1;

/// A batch norm and what its last forward pass left for the backward pass.
#[derive(Debug)]
pub(super) struct BatchNorm {
    part: NormPart,
    width: usize,
    /// `[rows, width]`: centred and divided by the batch's standard deviation.
    normalised: Vec<f32>,
    /// Of each column, 1 by the standard deviation.
    inverse: Vec<f32>,
    mean: Vec<f32>,
    /// Unbiased.
    variance: Vec<f32>,
}

impl BatchNorm {
    pub(super) fn new(part: NormPart, width: usize) -> Self {
        Self {
            part,
            width,
            normalised: Vec::new(),
            inverse: Vec::new(),
            mean: Vec::new(),
            variance: Vec::new(),
        }
    }

    /// `[rows, width]` in place, with the statistics of these at least two rows.
    pub(super) fn forward(&mut self, weights: &[f32], values: &mut [f32]) {
        let rows = (values.len() / self.width) as f64;
        let mean = column_means(values, values, self.width, |value, _| value);
        self.normalised.clear();
        for row in values.chunks_exact(self.width) {
            let row = row
                .iter()
                .zip(&mean)
                .map(|(value, mean)| (f64::from(*value) - mean) as f32);
            self.normalised.extend(row);
        }
        let centred = &self.normalised;
        let variance = column_means(centred, centred, self.width, |a, b| a * b);
        let inverse = |variance: &f64| (1.0 / (variance + EPSILON).sqrt()) as f32;
        self.inverse = variance.iter().map(inverse).collect();
        self.mean = mean.iter().map(|mean| *mean as f32).collect();
        let unbiased = rows / (rows - 1.0);
        self.variance = variance
            .iter()
            .map(|variance| (variance * unbiased) as f32)
            .collect();
        let (scale, shift) = (self.part.weight.of(weights), self.part.bias.of(weights));
        for (row, values) in self
            .normalised
            .chunks_exact_mut(self.width)
            .zip(values.chunks_exact_mut(self.width))
        {
            for (column, (normalised, value)) in row.iter_mut().zip(values).enumerate() {
                *normalised *= self.inverse[column];
                *value = *normalised * scale[column] + shift[column];
            }
        }
    }

    /// Gradients of the output to those of the input, in place; those of the weights are set.
    pub(super) fn backward(&self, weights: &[f32], gradients: &mut [f32], gradient: &mut [f32]) {
        let rows = (gradient.len() / self.width) as f64;
        let shift = column_means(gradient, gradient, self.width, |gradient, _| gradient);
        let normalised = &self.normalised;
        let scale = column_means(gradient, normalised, self.width, |a, b| a * b);
        for (to, mean) in self.part.bias.of_mut(gradients).iter_mut().zip(&shift) {
            *to = (mean * rows) as f32;
        }
        for (to, mean) in self.part.weight.of_mut(gradients).iter_mut().zip(&scale) {
            *to = (mean * rows) as f32;
        }
        let weight = self.part.weight.of(weights);
        for (row, gradient) in self
            .normalised
            .chunks_exact(self.width)
            .zip(gradient.chunks_exact_mut(self.width))
        {
            for (column, (normalised, gradient)) in row.iter().zip(gradient).enumerate() {
                let through =
                    f64::from(*gradient) - shift[column] - f64::from(*normalised) * scale[column];
                let factor = f64::from(weight[column]) * f64::from(self.inverse[column]);
                *gradient = (through * factor) as f32;
            }
        }
    }

    /// Moves the running statistics a tenth of the way to those of the last batch.
    pub(super) fn absorb(&self, weights: &mut [f32]) {
        absorb(&self.part, &self.mean, &self.variance, weights);
    }
}

/// Moves running statistics a tenth of the way to those of a batch.
pub(crate) fn absorb(part: &NormPart, mean: &[f32], variance: &[f32], weights: &mut [f32]) {
    for (place, batch) in [(part.mean, mean), (part.variance, variance)] {
        for (running, batch) in place.of_mut(weights).iter_mut().zip(batch) {
            *running = *running * (1.0 - MOMENTUM) + batch * MOMENTUM;
        }
    }
}

/// The mean over rows of something made of two numbers in one place.
fn column_means(
    left: &[f32],
    right: &[f32],
    width: usize,
    of: impl Fn(f64, f64) -> f64,
) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for (left, right) in left.chunks_exact(width).zip(right.chunks_exact(width)) {
        for (sum, (left, right)) in sums.iter_mut().zip(left.iter().zip(right)) {
            *sum += of(f64::from(*left), f64::from(*right));
        }
    }
    let rows = (left.len() / width) as f64;
    for sum in &mut sums {
        *sum /= rows;
    }
    sums
}
