//! A dense layer.

use crate::plain::numbers;
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

    /// The same layer with one output multiplied by a factor, and then shifted.
    pub(crate) fn with_output_scaled(&self, output: usize, factor: f32, shift: f32) -> Self {
        let [input, outputs] = self.weight.val().dims();
        let device = self.weight.val().device();
        let mut weight = numbers(self.weight.val());
        let mut bias = numbers(self.bias.val());
        for value in weight.iter_mut().skip(output).step_by(outputs) {
            *value *= factor;
        }
        bias[output] = factor * bias[output] + shift;
        let weight = TensorData::new(weight, [input, outputs]);
        let bias = TensorData::new(bias, [outputs]);
        Self {
            weight: Param::from_tensor(Tensor::from_data(weight, &device)),
            bias: Param::from_tensor(Tensor::from_data(bias, &device)),
        }
    }

    pub(crate) fn forward(&self, values: Tensor<2>) -> Tensor<2> {
        values.matmul(self.weight.val()) + self.bias.val().unsqueeze::<2>()
    }
}
