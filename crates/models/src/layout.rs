//! The weights of a network: their names, their shapes, and where they lie in one list of numbers.
//!
//! A network is a configuration and that list. Whatever goes over all weights (drawing initial ones,
//! files, gradients, an optimizer) goes over the list, or over [`Layout::parts`]; whatever computes
//! with them finds them by [`Layout::structure`].

use crate::config::{Head, LstmConfig, NetworkConfig, ReadOut};
use crate::random::WeightSource;

/// Numbers of the list that lie one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    first: usize,
    size: usize,
}

impl Place {
    /// These numbers.
    pub(crate) fn of(self, values: &[f32]) -> &[f32] {
        &values[self.first..self.first + self.size]
    }

    /// The same, to be changed.
    pub(crate) fn of_mut(self, values: &mut [f32]) -> &mut [f32] {
        &mut values[self.first..self.first + self.size]
    }
}

/// The shape of a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `[input, output]`, row by row.
    Matrix { input: usize, output: usize },
    /// `[width]`
    Vector { width: usize },
}

/// What a weight is before training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// Drawn as [`WeightSource::xavier`] does.
    Xavier,
    Zeros,
    Ones,
}

/// One weight.
#[derive(Debug)]
pub(crate) struct Part {
    /// PyTorch's name.
    pub(crate) name: String,
    pub(crate) form: Form,
    pub(crate) place: Place,
    beginning: Beginning,
}

/// A dense layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DensePart {
    /// `[input, output]`
    pub(crate) weight: Place,
    /// `[output]`
    pub(crate) bias: Place,
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// A batch norm; each of its places holds one number a column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NormPart {
    pub(crate) weight: Place,
    pub(crate) bias: Place,
    pub(crate) mean: Place,
    pub(crate) variance: Place,
}

/// One LSTM layer in one direction. Gates lie side by side in the order i, f, g, o.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LstmPart {
    /// `[input, 4 × hidden]`
    pub(crate) from_input: Place,
    /// `[hidden, 4 × hidden]`
    pub(crate) from_hidden: Place,
    /// `[4 × hidden]`; PyTorch keeps two biases, and so do we, for interchange.
    pub(crate) bias_input: Place,
    /// `[4 × hidden]`
    pub(crate) bias_hidden: Place,
    pub(crate) input: usize,
    pub(crate) hidden: usize,
}

impl LstmPart {
    /// What is added to the gates: the sum of both biases.
    pub(crate) fn bias(&self, values: &[f32]) -> Vec<f32> {
        let (input, hidden) = (self.bias_input.of(values), self.bias_hidden.of(values));
        input.iter().zip(hidden).map(|(a, b)| a + b).collect()
    }

    /// The numbers of both matrices and of the first bias, which lie one after the other, to be changed.
    pub(crate) fn apart<'a>(&self, values: &'a mut [f32]) -> [&'a mut [f32]; 3] {
        let values = &mut values[self.from_input.first..];
        let (from_input, rest) = values.split_at_mut(self.from_input.size);
        let (from_hidden, rest) = rest.split_at_mut(self.from_hidden.size);
        [from_input, from_hidden, &mut rest[..self.bias_input.size]]
    }
}

/// The layers from the read-out to the outputs.
#[derive(Debug)]
pub(crate) enum HeadPart {
    /// dropout → dense hidden/2 → batch norm → ReLU → dropout → dense hidden/4 → batch norm → ReLU →
    /// dropout → dense outputs.
    Joint {
        dense: [DensePart; 3],
        norms: [NormPart; 2],
    },
    /// dropout → dense hidden/2 → ReLU → dropout, shared; then for each output dense hidden/4 → ReLU →
    /// dropout → dense 1.
    PerOutput {
        shared: DensePart,
        tasks: Vec<[DensePart; 2]>,
    },
}

/// The layers of a network.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per model, never in bulk")]
pub(crate) enum Structure {
    Lstm {
        /// From the input up; of each level the forward direction and, if there is one, the backward.
        levels: Vec<Vec<LstmPart>>,
        /// Dense layers to `width / 2` and from there to 1, with tanh between.
        attention: Option<[DensePart; 2]>,
        head: HeadPart,
    },
    /// A dense layer on the window's mean over days.
    Linear(DensePart),
}

/// See the module's header.
#[derive(Debug)]
pub(crate) struct Layout {
    parts: Vec<Part>,
    structure: Structure,
    size: usize,
}

impl Layout {
    /// Of a configuration within its bounds.
    pub(crate) fn new(config: &NetworkConfig) -> Self {
        let mut parts = Parts::default();
        let structure = match config {
            NetworkConfig::Lstm(config) => lstm(&mut parts, config),
            NetworkConfig::Linear(config) => {
                Structure::Linear(parts.dense("linear", config.input_width, config.outputs))
            }
        };
        Self {
            parts: parts.list,
            structure,
            size: parts.size,
        }
    }

    /// Every weight and running statistic, in the order in which they lie in the list.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What the network is made of.
    pub(crate) fn structure(&self) -> &Structure {
        &self.structure
    }

    /// Numbers of the list.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Initial weights: matrices drawn one after the other, biases zero, batch norms that change nothing.
    pub(crate) fn initial(&self, seed: u64) -> Vec<f32> {
        let mut random = WeightSource::new(seed);
        let mut values = vec![0.0; self.size];
        for part in &self.parts {
            let to = part.place.of_mut(&mut values);
            match (part.beginning, part.form) {
                (Beginning::Xavier, Form::Matrix { input, output }) => {
                    to.copy_from_slice(&random.xavier(input * output, input, output));
                }
                (Beginning::Ones, _) => to.fill(1.0),
                (Beginning::Zeros, _) | (Beginning::Xavier, Form::Vector { .. }) => to.fill(0.0),
            }
        }
        values
    }

    /// The last layer before an output, and which of its columns is that output.
    pub(crate) fn last_layer(&self, output: usize) -> (DensePart, usize) {
        match &self.structure {
            Structure::Linear(dense) => (*dense, output),
            Structure::Lstm { head, .. } => match head {
                HeadPart::Joint { dense, .. } => (dense[2], output),
                HeadPart::PerOutput { tasks, .. } => (tasks[output][1], 0),
            },
        }
    }
}

fn lstm(parts: &mut Parts, config: &LstmConfig) -> Structure {
    let hidden = config.hidden_width;
    let top = hidden * config.directions();
    let levels = (0..config.layers)
        .map(|level| {
            let input = if level == 0 { config.input_width } else { top };
            ["", "_reverse"]
                .into_iter()
                .take(config.directions())
                .map(|suffix| parts.lstm(&format!("l{level}{suffix}"), input, hidden))
                .collect()
        })
        .collect();
    let attention = match config.read_out {
        ReadOut::LastDay => None,
        ReadOut::Attention => Some([
            parts.dense("attention.0", top, top / 2),
            parts.dense("attention.2", top / 2, 1),
        ]),
    };
    let (half, quarter) = (hidden / 2, hidden / 4);
    let head = match config.head {
        Head::Joint => {
            let first = parts.dense("head.fc1", top, half);
            let norm_1 = parts.norm("head.bn1", half);
            let second = parts.dense("head.fc2", half, quarter);
            let norm_2 = parts.norm("head.bn2", quarter);
            let out = parts.dense("head.fc_out", quarter, config.outputs);
            HeadPart::Joint {
                dense: [first, second, out],
                norms: [norm_1, norm_2],
            }
        }
        Head::PerOutput => HeadPart::PerOutput {
            shared: parts.dense("shared_fc", top, half),
            tasks: (0..config.outputs)
                .map(|task| {
                    let name = format!("task_heads.{task}");
                    [
                        parts.dense(&format!("{name}.0"), half, quarter),
                        parts.dense(&format!("{name}.2"), quarter, 1),
                    ]
                })
                .collect(),
        },
    };
    Structure::Lstm {
        levels,
        attention,
        head,
    }
}

/// Parts while they are named, one after the other.
#[derive(Default)]
struct Parts {
    list: Vec<Part>,
    size: usize,
}

impl Parts {
    fn put(&mut self, name: String, form: Form, beginning: Beginning) -> Place {
        let size = match form {
            Form::Matrix { input, output } => input * output,
            Form::Vector { width } => width,
        };
        let place = Place {
            first: self.size,
            size,
        };
        self.size += size;
        self.list.push(Part {
            name,
            form,
            place,
            beginning,
        });
        place
    }

    fn matrix(&mut self, name: String, input: usize, output: usize) -> Place {
        self.put(name, Form::Matrix { input, output }, Beginning::Xavier)
    }

    fn vector(&mut self, name: String, width: usize, beginning: Beginning) -> Place {
        self.put(name, Form::Vector { width }, beginning)
    }

    fn dense(&mut self, name: &str, input: usize, output: usize) -> DensePart {
        DensePart {
            weight: self.matrix(format!("{name}.weight"), input, output),
            bias: self.vector(format!("{name}.bias"), output, Beginning::Zeros),
            input,
            output,
        }
    }

    fn norm(&mut self, name: &str, width: usize) -> NormPart {
        let mut vector = |part, beginning| self.vector(format!("{name}.{part}"), width, beginning);
        NormPart {
            weight: vector("weight", Beginning::Ones),
            bias: vector("bias", Beginning::Zeros),
            mean: vector("running_mean", Beginning::Zeros),
            variance: vector("running_var", Beginning::Ones),
        }
    }

    fn lstm(&mut self, suffix: &str, input: usize, hidden: usize) -> LstmPart {
        let gates = 4 * hidden;
        let zeros = Beginning::Zeros;
        LstmPart {
            from_input: self.matrix(format!("lstm.weight_ih_{suffix}"), input, gates),
            from_hidden: self.matrix(format!("lstm.weight_hh_{suffix}"), hidden, gates),
            bias_input: self.vector(format!("lstm.bias_ih_{suffix}"), gates, zeros),
            bias_hidden: self.vector(format!("lstm.bias_hh_{suffix}"), gates, zeros),
            input,
            hidden,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::LinearConfig;

    #[test]
    fn matrices_are_drawn_one_after_the_other_and_everything_else_is_fixed() {
        let config = LstmConfig {
            read_out: ReadOut::Attention,
            bidirectional: true,
            ..LstmConfig::new(3, 8, 2)
        };
        let layout = Layout::new(&NetworkConfig::Lstm(config));
        let values = layout.initial(5);
        let mut random = WeightSource::new(5);
        let mut next = 0;
        for part in layout.parts() {
            assert_eq!(part.place.first, next, "{}", part.name);
            next += part.place.size;
            let found = part.place.of(&values);
            match part.form {
                Form::Matrix { input, output } => {
                    assert_eq!(found, random.xavier(input * output, input, output));
                }
                Form::Vector { width } => {
                    let norm = part.name.contains("bn");
                    let one = norm && part.name.ends_with("weight") || part.name.ends_with("var");
                    let expected = f32::from(u8::from(one));
                    assert_eq!(found, vec![expected; width], "{}", part.name);
                }
            }
        }
        assert_eq!(next, layout.size());
    }

    #[test]
    fn the_last_layer_of_an_output_is_found_in_every_head() {
        let linear = NetworkConfig::Linear(LinearConfig {
            input_width: 3,
            outputs: 2,
        });
        let (dense, column) = Layout::new(&linear).last_layer(1);
        assert_eq!((dense.input, dense.output, column), (3, 2, 1));
        for (head, expected) in [(Head::Joint, (2, 4, 3)), (Head::PerOutput, (2, 1, 0))] {
            let config = LstmConfig {
                outputs: 4,
                head,
                ..LstmConfig::new(3, 8, 1)
            };
            let (dense, column) = Layout::new(&NetworkConfig::Lstm(config)).last_layer(3);
            assert_eq!((dense.input, dense.output, column), expected);
        }
    }
}
