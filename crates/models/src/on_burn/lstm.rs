//! The stacked LSTM: layers in one or both directions, what is read out of them, and a head.

use super::attention::Attention;
use super::batch_norm::BatchStatistics;
use super::head::{HeadModule, JointHead, PerOutputHead};
use super::lstm_sequence::LstmLayer;
use crate::config::{Head, LstmConfig, ReadOut};
use crate::random::DropoutMasks;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// See the module's header; made by [`crate::BurnNetwork`].
#[derive(Module, Debug)]
pub struct LstmForecaster {
    /// Layers from the input up; with two directions forward and backward alternate.
    pub(crate) layers: Vec<LstmLayer>,
    pub(crate) attention: Option<Attention>,
    pub(crate) head: HeadModule,
}

/// What was read out of the top layer.
struct Read {
    /// `[batch, directions × hidden]`
    values: Tensor<2>,
    /// `[batch, days]`, with attention.
    weights: Option<Tensor<2>>,
}

impl LstmForecaster {
    pub(crate) fn new(config: &LstmConfig, device: &Device) -> Self {
        let directions = config.directions();
        let hidden = config.hidden_width;
        let top = hidden * directions;
        let layers = (0..config.layers)
            .flat_map(|layer| {
                let input = if layer == 0 { config.input_width } else { top };
                std::iter::repeat_n(input, directions)
            })
            .map(|input| LstmLayer::new(input, hidden, device))
            .collect();
        let attention = match config.read_out {
            ReadOut::LastDay => None,
            ReadOut::Attention => Some(Attention::new(top, device)),
        };
        let head = match config.head {
            Head::Joint => HeadModule::Joint(JointHead::new(config, top, device)),
            Head::PerOutput => HeadModule::PerOutput(PerOutputHead::new(config, top, device)),
        };
        Self {
            layers,
            attention,
            head,
        }
    }

    /// Runs `[batch, days, features]` windows through the layers and reads the top one out.
    fn encode(
        &self,
        config: &LstmConfig,
        windows: Tensor<3>,
        mut dropout: Option<&mut DropoutMasks>,
    ) -> Read {
        let mut sequence = windows.swap_dims(0, 1);
        for (level, layer) in self.layers.chunks(config.directions()).enumerate() {
            if level > 0
                && let Some(dropout) = dropout.as_deref_mut()
            {
                sequence = dropout.apply_to(sequence);
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
        let [days, batch, width] = sequence.dims();
        match &self.attention {
            Some(attention) => {
                let (values, weights) = attention.forward(sequence);
                Read {
                    values,
                    weights: Some(weights),
                }
            }
            None => Read {
                values: sequence.narrow(0, days - 1, 1).reshape([batch, width]),
                weights: None,
            },
        }
    }

    /// Forecasts with running statistics and without dropout: `[batch, days, features]` to
    /// `[batch, outputs]`, and with attention the weights `[batch, days]`.
    pub(crate) fn forward(
        &self,
        config: &LstmConfig,
        windows: Tensor<3>,
    ) -> (Tensor<2>, Option<Tensor<2>>) {
        let read = self.encode(config, windows, None);
        let output = match &self.head {
            HeadModule::Joint(head) => head.forward(read.values),
            HeadModule::PerOutput(head) => head.forward(read.values),
        };
        (output, read.weights)
    }

    /// The same with batch statistics and dropout.
    pub(crate) fn forward_training(
        &self,
        config: &LstmConfig,
        windows: Tensor<3>,
        dropout: &mut DropoutMasks,
    ) -> (Tensor<2>, Vec<BatchStatistics>) {
        let read = self.encode(config, windows, Some(dropout)).values;
        match &self.head {
            HeadModule::Joint(head) => head.forward_training(read, dropout),
            HeadModule::PerOutput(head) => (head.forward_training(read, dropout), Vec::new()),
        }
    }

    /// Takes the statistics of a batch into the running ones.
    pub(crate) fn absorb(self, statistics: Vec<BatchStatistics>) -> Self {
        Self {
            head: match self.head {
                HeadModule::Joint(head) => HeadModule::Joint(head.absorb(statistics)),
                other @ HeadModule::PerOutput(_) => other,
            },
            ..self
        }
    }
}
