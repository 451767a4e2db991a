//! The stacked LSTM with its dense head: LSTM → last day → dropout → dense hidden/2 → batch norm →
//! ReLU → dropout → dense hidden/4 → batch norm → ReLU → dropout → dense outputs.

use crate::batch_norm::{BatchNorm, BatchStatistics};
use crate::config::LstmConfig;
use crate::lstm_operation;
use crate::lstm_sequence::LstmLayer;
use crate::random::{DropoutSource, WeightSource};
use burn::module::{Module, Param};
use burn::tensor::activation::relu;
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
        if device.is_autodiff() || !lstm_operation::is_available(&device) {
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

/// See the module's header; made by [`crate::Network`].
#[derive(Module, Debug)]
pub struct LstmForecaster {
    /// Layers from the input up; with two directions forward and backward alternate.
    pub(crate) layers: Vec<LstmLayer>,
    pub(crate) dense_1: Dense,
    pub(crate) norm_1: BatchNorm,
    pub(crate) dense_2: Dense,
    pub(crate) norm_2: BatchNorm,
    pub(crate) dense_out: Dense,
}

impl LstmForecaster {
    pub(crate) fn new(config: &LstmConfig, seed: u64, device: &Device) -> Self {
        let mut random = WeightSource::new(seed);
        let directions = config.directions();
        let hidden = config.hidden_width;
        let top = hidden * directions;
        let layers = (0..config.layers)
            .flat_map(|layer| {
                let input = if layer == 0 { config.input_width } else { top };
                std::iter::repeat_n(input, directions)
            })
            .map(|input| LstmLayer::new(input, hidden, &mut random, device))
            .collect();
        Self {
            layers,
            dense_1: Dense::new(top, hidden / 2, &mut random, device),
            norm_1: BatchNorm::new(hidden / 2, device),
            dense_2: Dense::new(hidden / 2, hidden / 4, &mut random, device),
            norm_2: BatchNorm::new(hidden / 4, device),
            dense_out: Dense::new(hidden / 4, config.outputs, &mut random, device),
        }
    }

    /// The top layer's output of the last day.
    ///
    /// # Shapes
    ///
    /// - `windows`: `[batch, days, features]`
    /// - returned: `[batch, directions × hidden]`
    fn encode(
        &self,
        config: &LstmConfig,
        windows: Tensor<3>,
        mut dropout: Option<&mut DropoutSource>,
    ) -> Tensor<2> {
        let [batch, days, _] = windows.dims();
        let mut sequence = windows.swap_dims(0, 1);
        for (level, layer) in self.layers.chunks(config.directions()).enumerate() {
            if level > 0
                && let Some(dropout) = dropout.as_deref_mut()
            {
                sequence = dropout.apply(sequence);
            }
            sequence = match layer {
                [forward, backward] => Tensor::cat(
                    vec![
                        forward.forward(sequence.clone(), false),
                        backward.forward(sequence, true),
                    ],
                    2,
                ),
                one => one[0].forward(sequence, false),
            };
        }
        let width = sequence.dims()[2];
        sequence.narrow(0, days - 1, 1).reshape([batch, width])
    }

    /// Forecasts with running statistics and without dropout: `[batch, days, features]` to
    /// `[batch, outputs]`.
    pub(crate) fn forward(&self, config: &LstmConfig, windows: Tensor<3>) -> Tensor<2> {
        let encoded = self.encode(config, windows, None);
        let first = relu(self.norm_1.forward(self.dense_1.forward_by_row(encoded)));
        let second = relu(self.norm_2.forward(self.dense_2.forward_by_row(first)));
        self.dense_out.forward_by_row(second)
    }

    /// The same with batch statistics and dropout.
    pub(crate) fn forward_training(
        &self,
        config: &LstmConfig,
        windows: Tensor<3>,
        dropout: &mut DropoutSource,
    ) -> (Tensor<2>, Vec<BatchStatistics>) {
        let encoded = self.encode(config, windows, Some(dropout));
        let first = self.dense_1.forward(dropout.apply(encoded));
        let (first, statistics_1) = self.norm_1.forward_training(first);
        let second = self.dense_2.forward(dropout.apply(relu(first)));
        let (second, statistics_2) = self.norm_2.forward_training(second);
        let output = self.dense_out.forward(dropout.apply(relu(second)));
        (output, vec![statistics_1, statistics_2])
    }

    /// Takes the statistics of a batch into the running ones.
    pub(crate) fn absorb(mut self, statistics: Vec<BatchStatistics>) -> Self {
        let mut statistics = statistics.into_iter();
        if let (Some(first), Some(second)) = (statistics.next(), statistics.next()) {
            self.norm_1 = self.norm_1.absorb(first);
            self.norm_2 = self.norm_2.absorb(second);
        }
        self
    }
}
