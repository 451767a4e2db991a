//! A dense layer.

use crate::random::WeightSource;
use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// A dense layer, `[input, output]` weights.
#[derive(Module, Debug)]
pub(crate) struct Dense {
    pub(crate) weight: Param<Tensor<2>>,
    pub(crate) bias: Param<Tensor<1>>,
}

impl Dense {
    pub(crate) fn new(
        input: usize,
        output: usize,
        random: &mut WeightSource,
        device: &Device,
    ) -> Self {
        let values = random.xavier(input * output, input, output);
        Self {
            weight: Param::from_tensor(Tensor::from_data(
                TensorData::new(values, [input, output]),
                device,
            )),
            bias: Param::from_tensor(Tensor::zeros([output], device)),
        }
    }

    pub(crate) fn forward(&self, values: Tensor<2>) -> Tensor<2> {
        values.matmul(self.weight.val()) + self.bias.val().unsqueeze::<2>()
    }
}
