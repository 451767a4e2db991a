//! Inference on the CPU: a network's weights laid out once as the arithmetic reads them, and no tensors.
//!
//! Each window is computed by itself, in one order of additions, so that what it forecasts does not
//! depend on what else is forecast beside it.

use crate::batch_norm::{BatchNorm, EPSILON};
use crate::config::{LstmConfig, NetworkConfig};
use crate::dense::Dense;
use crate::head::HeadModule;
use crate::instruction_set::InstructionSet;
use crate::lstm::LstmForecaster;
use crate::lstm_kernel::{Packed, Shape, forward};
use crate::network::NetworkModule;
use burn::tensor::Tensor;

/// What a network says of some windows.
pub(crate) struct Said {
    /// `[windows × outputs]`
    pub(crate) values: Vec<f32>,
    /// `[windows × days]`, with attention.
    pub(crate) attention: Option<Vec<f32>>,
}

/// A network ready to forecast.
#[derive(Debug)]
pub(crate) enum PlainNetwork {
    Lstm(Box<PlainLstm>),
    Linear(PlainDense),
}

#[derive(Debug)]
pub(crate) struct PlainLstm {
    config: LstmConfig,
    /// Layers from the input up, directions alternating, each with the width of what it reads.
    layers: Vec<(usize, Packed)>,
    attention: Option<[PlainDense; 2]>,
    head: PlainHead,
}

#[derive(Debug)]
enum PlainHead {
    Joint([PlainDense; 3]),
    PerOutput {
        shared: PlainDense,
        tasks: Vec<[PlainDense; 2]>,
    },
}

impl PlainNetwork {
    /// From a module that records no gradients.
    pub(crate) fn new(module: &NetworkModule, config: &NetworkConfig) -> Self {
        match (module, config) {
            (NetworkModule::Lstm(network), NetworkConfig::Lstm(config)) => {
                Self::Lstm(Box::new(PlainLstm::new(network, config)))
            }
            (NetworkModule::Linear(network), _) => Self::Linear(PlainDense::new(&network.dense)),
            (NetworkModule::Lstm(_), NetworkConfig::Linear(_)) => {
                unreachable!("module and configuration are made together")
            }
        }
    }

    /// Forecasts `count` windows of `days` days, `[count, days, features]`.
    pub(crate) fn forward(&self, windows: &[f32], count: usize, days: usize) -> Said {
        match self {
            Self::Lstm(network) => network.forward(windows, count, days),
            Self::Linear(dense) => Said {
                values: dense.forward(&mean_over_days(windows, count, days)),
                attention: None,
            },
        }
    }
}

impl PlainLstm {
    fn new(network: &LstmForecaster, config: &LstmConfig) -> Self {
        let layers = network.layers.iter().map(|layer| {
            let [input, _] = layer.weight_input.val().dims();
            let shape = Shape {
                days: 1,
                batch: 1,
                input,
                hidden: config.hidden_width,
            };
            let bias = numbers(layer.bias_input.val() + layer.bias_hidden.val());
            let from_input = numbers(layer.weight_input.val());
            let from_hidden = numbers(layer.weight_hidden.val());
            let set = InstructionSet::of_networks();
            let packed = Packed::new(set, shape, &from_input, &from_hidden, &bias);
            (input, packed)
        });
        let head = match &network.head {
            HeadModule::Joint(head) => PlainHead::Joint([
                PlainDense::normalised(&head.dense_1, &head.norm_1),
                PlainDense::normalised(&head.dense_2, &head.norm_2),
                PlainDense::new(&head.dense_out),
            ]),
            HeadModule::PerOutput(head) => PlainHead::PerOutput {
                shared: PlainDense::new(&head.shared),
                tasks: head
                    .tasks
                    .iter()
                    .map(|task| [&task.dense, &task.out].map(PlainDense::new))
                    .collect(),
            },
        };
        Self {
            config: config.clone(),
            layers: layers.collect(),
            attention: network
                .attention
                .as_ref()
                .map(|attention| [&attention.dense, &attention.score].map(PlainDense::new)),
            head,
        }
    }

    fn forward(&self, windows: &[f32], count: usize, days: usize) -> Said {
        let mut sequence = by_day(windows, count, days);
        for directions in self.layers.chunks(self.config.directions()) {
            let run = |place: usize| {
                let (input, packed) = &directions[place];
                let shape = Shape {
                    days,
                    batch: count,
                    input: *input,
                    hidden: self.config.hidden_width,
                };
                forward(shape, &sequence, packed, place == 1)
            };
            sequence = if directions.len() == 2 {
                beside(&run(0), &run(1), self.config.hidden_width)
            } else {
                run(0)
            };
        }
        let (read, attention) = self.read_out(&sequence, count, days);
        Said {
            values: self.head.forward(&read, count),
            attention,
        }
    }

    /// `[days, count, width]` to `[count, width]`, and with attention the weights `[count, days]`.
    fn read_out(
        &self,
        sequence: &[f32],
        count: usize,
        days: usize,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let hidden = self.config.hidden_width;
        let width = hidden * self.config.directions();
        let day = |day: usize| &sequence[day * count * width..][..count * width];
        if let Some([dense, score]) = &self.attention {
            let mut inner = dense.forward(sequence);
            for value in &mut inner {
                *value = value.tanh();
            }
            let scores = score.forward(&inner);
            let mut means = vec![0.0; count * width];
            let mut weights = vec![0.0; count * days];
            for (row, (mean, weights)) in means
                .chunks_exact_mut(width)
                .zip(weights.chunks_exact_mut(days))
                .enumerate()
            {
                softmax((0..days).map(|day| scores[day * count + row]), weights);
                for (at, weight) in weights.iter().enumerate() {
                    for (mean, output) in mean.iter_mut().zip(&day(at)[row * width..]) {
                        *mean += weight * output;
                    }
                }
            }
            return (means, Some(weights));
        }
        (day(days - 1).to_vec(), None)
    }
}

impl PlainHead {
    /// `[count, width]` to `[count × outputs]`.
    fn forward(&self, read: &[f32], count: usize) -> Vec<f32> {
        match self {
            Self::Joint([first, second, out]) => {
                let first = rectified(first.forward(read));
                out.forward(&rectified(second.forward(&first)))
            }
            Self::PerOutput { shared, tasks } => {
                let shared = rectified(shared.forward(read));
                let mut values = vec![0.0; count * tasks.len()];
                for (place, [dense, out]) in tasks.iter().enumerate() {
                    let task = out.forward(&rectified(dense.forward(&shared)));
                    for (to, from) in values[place..].iter_mut().step_by(tasks.len()).zip(task) {
                        *to = from;
                    }
                }
                values
            }
        }
    }
}

/// A dense layer: `[input, output]` weights, row by row.
#[derive(Debug)]
pub(crate) struct PlainDense {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl PlainDense {
    fn new(dense: &Dense) -> Self {
        Self {
            weight: numbers(dense.weight.val()),
            bias: numbers(dense.bias.val()),
        }
    }

    /// With the batch norm behind it taken in, by its running statistics.
    fn normalised(dense: &Dense, norm: &BatchNorm) -> Self {
        let mut plain = Self::new(dense);
        let [scale, shift, mean, variance] = [
            &norm.weight,
            &norm.bias,
            &norm.running_mean,
            &norm.running_variance,
        ]
        .map(|values| numbers(values.val()));
        for column in 0..plain.bias.len() {
            let factor = f64::from(scale[column]) / (f64::from(variance[column]) + EPSILON).sqrt();
            for weight in plain.weight[column..].iter_mut().step_by(shift.len()) {
                *weight = (f64::from(*weight) * factor) as f32;
            }
            let centred = f64::from(plain.bias[column]) - f64::from(mean[column]);
            plain.bias[column] = (centred * factor + f64::from(shift[column])) as f32;
        }
        plain
    }

    /// `[rows × input]` to `[rows × output]`; products and sums are rounded one by one.
    fn forward(&self, rows: &[f32]) -> Vec<f32> {
        let output = self.bias.len();
        let input = self.weight.len() / output;
        let mut sums = self.bias.repeat(rows.len() / input);
        InstructionSet::of_networks().dispatch(|| {
            for (row, sums) in rows.chunks_exact(input).zip(sums.chunks_exact_mut(output)) {
                for (value, weights) in row.iter().zip(self.weight.chunks_exact(output)) {
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum += value * weight;
                    }
                }
            }
        });
        sums
    }
}

fn rectified(mut values: Vec<f32>) -> Vec<f32> {
    for value in &mut values {
        *value = value.max(0.0);
    }
    values
}

/// Weights that are positive and add up to one.
fn softmax(scores: impl Iterator<Item = f32> + Clone, weights: &mut [f32]) {
    let highest = scores.clone().fold(f32::NEG_INFINITY, f32::max);
    for (weight, score) in weights.iter_mut().zip(scores) {
        *weight = (score - highest).exp();
    }
    let sum: f32 = weights.iter().sum();
    for weight in weights {
        *weight /= sum;
    }
}

/// `[count, days, features]` to `[days, count, features]`.
fn by_day(windows: &[f32], count: usize, days: usize) -> Vec<f32> {
    let features = windows.len() / (count * days);
    let mut turned = Vec::with_capacity(windows.len());
    for day in 0..days {
        for window in windows.chunks_exact(days * features) {
            turned.extend_from_slice(&window[day * features..][..features]);
        }
    }
    turned
}

/// Two `[days, count, hidden]` as one `[days, count, 2 × hidden]`.
fn beside(left: &[f32], right: &[f32], hidden: usize) -> Vec<f32> {
    let mut both = Vec::with_capacity(left.len() + right.len());
    for (left, right) in left.chunks_exact(hidden).zip(right.chunks_exact(hidden)) {
        both.extend_from_slice(left);
        both.extend_from_slice(right);
    }
    both
}

fn mean_over_days(windows: &[f32], count: usize, days: usize) -> Vec<f32> {
    let features = windows.len() / (count * days);
    let mut means = vec![0.0; count * features];
    for (mean, window) in means
        .chunks_exact_mut(features)
        .zip(windows.chunks_exact(days * features))
    {
        for day in window.chunks_exact(features) {
            for (mean, value) in mean.iter_mut().zip(day) {
                *mean += value;
            }
        }
        for mean in mean {
            *mean /= days as f32;
        }
    }
    means
}

/// The numbers of a tensor, row by row.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_to_vec().expect("networks compute in f32")
}
