//! Batch normalisation (Ioffe and Szegedy 2015) as PyTorch's `BatchNorm1d`: batch statistics in
//! training, running statistics otherwise; running variance unbiased, momentum 0.1.

use super::network::numbers;
use crate::plain::EPSILON;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

const MOMENTUM: f64 = 0.1;

/// Mean and variance of a batch, to be taken into the running statistics after the step.
#[derive(Debug, Clone)]
pub struct BatchStatistics {
    mean: Tensor<1>,
    variance: Tensor<1>,
}

impl BatchStatistics {
    /// Mean and unbiased variance.
    pub(super) fn numbers(&self) -> [Vec<f32>; 2] {
        [&self.mean, &self.variance].map(|values| numbers(values.clone()))
    }
}

/// Scale, shift and running statistics, each `[width]`.
#[derive(Module, Debug)]
pub(crate) struct BatchNorm {
    pub(crate) weight: Param<Tensor<1>>,
    pub(crate) bias: Param<Tensor<1>>,
    pub(crate) running_mean: Param<Tensor<1>>,
    pub(crate) running_variance: Param<Tensor<1>>,
}

impl BatchNorm {
    pub(crate) fn new(width: usize, device: &Device) -> Self {
        let fixed = |values| Param::from_tensor(values).set_require_grad(false);
        Self {
            weight: Param::from_tensor(Tensor::ones([width], device)),
            bias: Param::from_tensor(Tensor::zeros([width], device)),
            running_mean: fixed(Tensor::zeros([width], device)),
            running_variance: fixed(Tensor::ones([width], device)),
        }
    }

    /// With running statistics; `[batch, width]` in and out.
    pub(crate) fn forward(&self, values: Tensor<2>) -> Tensor<2> {
        let mean = self.running_mean.val().unsqueeze::<2>();
        let variance = self.running_variance.val().unsqueeze::<2>();
        self.scaled((values - mean) / (variance + EPSILON).sqrt())
    }

    /// With the statistics of a batch of at least two rows.
    pub(crate) fn forward_training(&self, values: Tensor<2>) -> (Tensor<2>, BatchStatistics) {
        let [rows, _] = values.dims();
        let mean = values.clone().mean_dim(0);
        let centred = values - mean.clone();
        let variance = centred.clone().square().mean_dim(0);
        let unbiased = rows as f64 / (rows as f64 - 1.0);
        let statistics = BatchStatistics {
            mean: mean.detach().without_autodiff().squeeze_dim::<1>(0),
            variance: (variance.clone().detach().without_autodiff() * unbiased).squeeze_dim::<1>(0),
        };
        let output = self.scaled(centred / (variance + EPSILON).sqrt());
        (output, statistics)
    }

    fn scaled(&self, normalised: Tensor<2>) -> Tensor<2> {
        normalised * self.weight.val().unsqueeze::<2>() + self.bias.val().unsqueeze::<2>()
    }

    /// Moves the running statistics a tenth of the way to those of the batch.
    pub(crate) fn absorb(mut self, statistics: BatchStatistics) -> Self {
        let moved = |running: Tensor<1>, batch: Tensor<1>| {
            let is_autodiff = running.device().is_autodiff();
            let running = running.without_autodiff();
            let value = running * (1.0 - MOMENTUM) + batch * MOMENTUM;
            if is_autodiff { value.autodiff() } else { value }
        };
        self.running_mean = self
            .running_mean
            .map(|running| moved(running, statistics.mean))
            .set_require_grad(false);
        self.running_variance = self
            .running_variance
            .map(|running| moved(running, statistics.variance))
            .set_require_grad(false);
        self
    }
}
