//! A dense layer.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

/// A dense layer, `[input, output]` weights.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    pub(crate) weight: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl Dense {
    /// All weights zero.
    pub(crate) fn new(input: usize, output: usize, device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([input, output], device)),
            bias: Param::from_tensor(Tensor::zeros([output], device)),
        }
    }

    pub(crate) fn forward(&self, values: Tensor<2>) -> Tensor<2> {
        values.matmul(self.weight.val()) + self.bias.val().unsqueeze::<2>()
    }
}
