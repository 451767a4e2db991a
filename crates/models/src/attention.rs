//! Attention over days: dense, tanh, dense, softmax; the days' outputs added up by these weights.

use crate::dense::Dense;
use crate::device::is_cpu;
use crate::random::WeightSource;
use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// Weighs the days of a window, by `[width, width / 2]` and `[width / 2, 1]` weights.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    pub(crate) dense: Dense,
    pub(crate) score: Dense,
}

impl Attention {
    pub(crate) fn new(width: usize, random: &mut WeightSource, device: &Device) -> Self {
        Self {
            dense: Dense::new(width, width / 2, random, device),
            score: Dense::new(width / 2, 1, random, device),
        }
    }

    /// # Shapes
    ///
    /// - `sequence`: `[days, batch, width]`
    /// - returned: the weighted mean `[batch, width]` and the weights `[batch, days]`, which are
    ///   positive and add up to 1 for each window
    pub(crate) fn forward(&self, sequence: Tensor<3>) -> (Tensor<2>, Tensor<2>) {
        let [days, batch, width] = sequence.dims();
        let rows = sequence.clone().reshape([days * batch, width]);
        let device = sequence.device();
        if is_cpu(&device) && !device.is_autodiff() {
            return self.forward_by_row(numbers(rows), [days, batch, width], &device);
        }
        let scores = self.score.forward(self.dense.forward(rows).tanh());
        let scores = scores.reshape([days, batch]);
        let weights = softmax(scores.transpose(), 1);
        let by_day = weights.clone().transpose().reshape([days, batch, 1]);
        let mean = (sequence * by_day).sum_dim(0).reshape([batch, width]);
        (mean, weights)
    }

    /// The same with each window by itself: a library's softmax takes the last few numbers of a
    /// tensor another way than the rest, and a forecast must not depend on what else is forecast
    /// beside it.
    fn forward_by_row(
        &self,
        sequence: Vec<f32>,
        [days, batch, width]: [usize; 3],
        device: &Device,
    ) -> (Tensor<2>, Tensor<2>) {
        let tensor = |values, shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(values, shape), device)
        };
        let rows = tensor(sequence.clone(), [days * batch, width]);
        let mut hidden = numbers(self.dense.forward_by_row(rows));
        for value in &mut hidden {
            *value = value.tanh();
        }
        let hidden = tensor(hidden, [days * batch, width / 2]);
        let scores = numbers(self.score.forward_by_row(hidden));
        let mut means = vec![0.0; batch * width];
        let mut weights = vec![0.0; batch * days];
        for (row, (mean, weights)) in means
            .chunks_exact_mut(width)
            .zip(weights.chunks_exact_mut(days))
            .enumerate()
        {
            let score = |day: usize| scores[day * batch + row];
            let highest = (0..days).map(score).fold(f32::NEG_INFINITY, f32::max);
            for (day, weight) in weights.iter_mut().enumerate() {
                *weight = (score(day) - highest).exp();
            }
            let sum: f32 = weights.iter().sum();
            for (day, weight) in weights.iter_mut().enumerate() {
                *weight /= sum;
                let output = &sequence[(day * batch + row) * width..][..width];
                for (mean, output) in mean.iter_mut().zip(output) {
                    *mean += *weight * output;
                }
            }
        }
        (
            tensor(means, [batch, width]),
            tensor(weights, [batch, days]),
        )
    }
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_to_vec().expect("networks compute in f32")
}
