//! Attention over days: dense, tanh, dense, softmax; the days' outputs added up by these weights.

use super::dense::Dense;
use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};

/// Weighs the days of a window, by `[width, width / 2]` and `[width / 2, 1]` weights.
#[derive(Module, Debug)]
pub(crate) struct Attention {
    pub(crate) dense: Dense,
    pub(crate) score: Dense,
}

impl Attention {
    pub(crate) fn new(width: usize, device: &Device) -> Self {
        Self {
            dense: Dense::new(width, width / 2, device),
            score: Dense::new(width / 2, 1, device),
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
        let scores = self.score.forward(self.dense.forward(rows).tanh());
        let scores = scores.reshape([days, batch]);
        let weights = softmax(scores.transpose(), 1);
        let by_day = weights.clone().transpose().reshape([days, batch, 1]);
        let mean = (sequence * by_day).sum_dim(0).reshape([batch, width]);
        (mean, weights)
    }
}
