//! The stacked LSTM with its dense head: LSTM → last day → dropout → dense hidden/2 → batch norm →
//! ReLU → dropout → dense hidden/4 → batch norm → ReLU → dropout → dense outputs.

use crate::batch_norm::{BatchNorm, BatchStatistics};
use crate::config::LstmConfig;
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
        let first = relu(self.norm_1.forward(self.dense_1.forward(encoded)));
        let second = relu(self.norm_2.forward(self.dense_2.forward(first)));
        self.dense_out.forward(second)
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
