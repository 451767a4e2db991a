//! Inference on the CPU: a network's weights laid out once as the arithmetic reads them, and no tensors.
//!
//! Each window is computed by itself, in one order of additions, so that what it forecasts does not
//! depend on what else is forecast beside it.

mod pipeline;

use crate::instruction_set::InstructionSet;
use crate::layout::{DensePart, HeadPart, Layout, LstmPart, NormPart, Structure};
use crate::lstm_kernel::{Packed, Shape, forward};
use crate::products::add_product;
use pipeline::Layer;

/// What batch norm adds to a variance.
pub(crate) const EPSILON: f64 = 1e-5;

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
    hidden: usize,
    /// Levels from the input up; of each the directions.
    levels: Vec<Vec<Layer>>,
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
    /// Of weights that lie as in the layout.
    pub(crate) fn new(layout: &Layout, weights: &[f32]) -> Self {
        match layout.structure() {
            Structure::Lstm {
                levels,
                attention,
                head,
            } => Self::Lstm(Box::new(PlainLstm {
                hidden: levels[0][0].hidden,
                levels: levels
                    .iter()
                    .map(|level| level.iter().map(|layer| packed(layer, weights)).collect())
                    .collect(),
                attention: attention
                    .map(|dense| dense.map(|dense| PlainDense::new(&dense, weights))),
                head: PlainHead::new(head, weights),
            })),
            Structure::Linear(dense) => Self::Linear(PlainDense::new(dense, weights)),
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

/// A layer's weights ready for the forward pass.
fn packed(layer: &LstmPart, weights: &[f32]) -> Layer {
    let shape = Shape {
        days: 1,
        batch: 1,
        input: layer.input,
        hidden: layer.hidden,
    };
    let from_input = layer.from_input.of(weights);
    let from_hidden = layer.from_hidden.of(weights);
    let set = InstructionSet::of_networks();
    let packed = Packed::new(set, shape, from_input, from_hidden, &layer.bias(weights));
    Layer {
        input: layer.input,
        hidden: layer.hidden,
        packed: packed.into(),
    }
}

impl PlainLstm {
    fn forward(&self, windows: &[f32], count: usize, days: usize) -> Said {
        let sequence = self.run(by_day(windows, count, days), count, days);
        let (read, attention) = self.read_out(&sequence, count, days);
        Said {
            values: self.head.forward(&read, count),
            attention,
        }
    }

    /// `[days, count, input]` to what the top level says, `[days, count, width]`.
    fn run(&self, mut sequence: Vec<f32>, count: usize, days: usize) -> Vec<f32> {
        if let Some(top) = pipeline::run(&self.levels, &sequence, count, days) {
            return top;
        }
        for directions in &self.levels {
            let run = |place: usize| {
                let layer = &directions[place];
                let shape = layer.shape(days, count);
                forward(shape, &sequence, &layer.packed, place == 1)
            };
            sequence = if directions.len() == 2 {
                beside(&run(0), &run(1), self.hidden)
            } else {
                run(0)
            };
        }
        sequence
    }

    /// `[days, count, width]` to `[count, width]`, and with attention the weights `[count, days]`.
    fn read_out(
        &self,
        sequence: &[f32],
        count: usize,
        days: usize,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let width = self.hidden * self.levels[0].len();
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
    fn new(head: &HeadPart, weights: &[f32]) -> Self {
        match head {
            HeadPart::Joint { dense, norms } => Self::Joint([
                PlainDense::normalised(&dense[0], &norms[0], weights),
                PlainDense::normalised(&dense[1], &norms[1], weights),
                PlainDense::new(&dense[2], weights),
            ]),
            HeadPart::PerOutput { shared, tasks } => Self::PerOutput {
                shared: PlainDense::new(shared, weights),
                tasks: tasks
                    .iter()
                    .map(|task| task.map(|dense| PlainDense::new(&dense, weights)))
                    .collect(),
            },
        }
    }

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
    fn new(dense: &DensePart, weights: &[f32]) -> Self {
        Self {
            weight: dense.weight.of(weights).to_vec(),
            bias: dense.bias.of(weights).to_vec(),
        }
    }

    /// With the batch norm behind it taken in, by its running statistics.
    fn normalised(dense: &DensePart, norm: &NormPart, weights: &[f32]) -> Self {
        let mut plain = Self::new(dense, weights);
        let [scale, shift, mean, variance] =
            [norm.weight, norm.bias, norm.mean, norm.variance].map(|place| place.of(weights));
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
        let input = self.weight.len() / self.bias.len();
        let mut sums = self.bias.repeat(rows.len() / input);
        add_product(rows, &self.weight, input, &mut sums);
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
pub(crate) fn softmax(scores: impl Iterator<Item = f32> + Clone, weights: &mut [f32]) {
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
pub(crate) fn beside(left: &[f32], right: &[f32], hidden: usize) -> Vec<f32> {
    let mut both = Vec::with_capacity(left.len() + right.len());
    for (left, right) in left.chunks_exact(hidden).zip(right.chunks_exact(hidden)) {
        both.extend_from_slice(left);
        both.extend_from_slice(right);
    }
    both
}

/// `[count, days, features]` to `[count, features]`.
pub(crate) fn mean_over_days(windows: &[f32], count: usize, days: usize) -> Vec<f32> {
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
