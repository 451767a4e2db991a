//! A dense layer.

use crate::device::is_cpu;
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

    /// The same with each row by itself: a library's product adds up in another order for one row
    /// than for many, and a forecast must not depend on what else is forecast beside it.
    ///
    /// On a device that records gradients, or is no CPU, it is [`Dense::forward`].
    pub(crate) fn forward_by_row(&self, values: Tensor<2>) -> Tensor<2> {
        let device = values.device();
        if device.is_autodiff() || !is_cpu(&device) {
            return self.forward(values);
        }
        let [rows, input] = values.dims();
        let numbers =
            |data: TensorData| -> Vec<f32> { data.try_to_vec().expect("networks compute in f32") };
        let values = numbers(values.into_data());
        let weight = numbers(self.weight.val().into_data());
        let bias = numbers(self.bias.val().into_data());
        let output = bias.len();
        let mut sums = bias.repeat(rows);
        // Compiled for the vectors this machine has; products and sums are rounded one by one.
        pulp::Arch::new().dispatch(|| {
            for (row, sums) in values
                .chunks_exact(input)
                .zip(sums.chunks_exact_mut(output))
            {
                for (value, weights) in row.iter().zip(weight.chunks_exact(output)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        });
        Tensor::from_data(TensorData::new(sums, [rows, output]), &device)
    }
}
