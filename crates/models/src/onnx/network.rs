//! Networks as ONNX graphs.

use super::baseline::simple_baseline;
use super::graph::{Axis, Builder, float, int, ints, text};
use crate::config::{NetworkConfig, ReadOut};
use crate::error::{ModelError, within};
use crate::layout::{DensePart, HeadPart, LstmPart, NormPart, Place, Structure};
use crate::network::Network;
use crate::plain::EPSILON;
use crate::series::SeriesModel;

/// How a column of the data becomes an input, or an output a number in the data's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ColumnScaling {
    /// What is zero to the network, in the unit of the data.
    pub mean: f64,
    /// What is one to the network; above zero. Infinite for an input that never varied and is zero
    /// whatever it shows.
    pub scale: f64,
    /// Whether the network learned to read the column; one that was never observed counts as
    /// missing.
    pub is_read: bool,
}

/// What stands between the data and a network that reads scaled values, and behind them for each
/// whether it was observed.
#[derive(Debug, Clone, PartialEq)]
pub struct Scaling {
    /// Of each column of the data; the network's input is twice as wide.
    pub inputs: Vec<ColumnScaling>,
    /// How far from zero an input can be; one farther counts as that far.
    pub farthest: f64,
    /// Of each output.
    pub outputs: Vec<ColumnScaling>,
    /// The simple baseline of the last column to which the first output is added.
    pub base: Option<SeriesModel>,
}

impl Network {
    /// The network as an ONNX file (operator set 18).
    ///
    /// The input is `windows`: `[batch, days, columns]`, any batch and number of days. Without a
    /// scaling it is what the network reads, and the output what it says; with one it is the data
    /// itself, NaN where a value is missing, and the output is in the data's unit. Outputs:
    /// `forecast` `[batch, outputs]` and, of a network with attention, `attention` `[batch, days]`.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] or [`ModelError::OutOfBounds`] for a scaling that does not fit,
    /// [`ModelError::WeightNotFinite`] for a network that has gone wrong.
    pub fn to_onnx(&self, scaling: Option<&Scaling>) -> Result<Vec<u8>, ModelError> {
        if let Some(scaling) = scaling {
            self.check_scaling(scaling)?;
        }
        // Says which weight is not finite, if one is.
        self.to_safetensors()?;
        let mut graph = Builder::default();
        let columns = scaling.map_or(self.config().input_width(), |scaling| scaling.inputs.len());
        let any = [Axis::Any("batch"), Axis::Any("days"), Axis::Fixed(columns)];
        graph.input("windows", &any);
        let read = match scaling {
            Some(scaling) => scaled(&mut graph, scaling),
            None => "windows".to_owned(),
        };
        let said = if scaling.is_some() {
            "said"
        } else {
            "forecast"
        };
        let mut writing = Writing {
            graph: &mut graph,
            weights: self.weights(),
        };
        writing.network(self.layout().structure(), &read, said);
        let outputs = self.config().outputs();
        if let Some(scaling) = scaling {
            let part = |of: fn(&ColumnScaling) -> f64| -> Vec<f32> {
                scaling
                    .outputs
                    .iter()
                    .map(|column| of(column) as f32)
                    .collect()
            };
            let scale = graph.floats("output.scale", &[outputs], &part(|column| column.scale));
            let mean = graph.floats("output.mean", &[outputs], &part(|column| column.mean));
            let sized = graph.node("Mul", &[said, &scale], "output.sized", vec![]);
            match &scaling.base {
                None => {
                    graph.node("Add", &[&sized, &mean], "forecast", vec![]);
                }
                Some(base) => {
                    let deviation = graph.node("Add", &[&sized, &mean], "output.deviation", vec![]);
                    let base = simple_baseline(&mut graph, base, columns)?;
                    let first: Vec<f32> = (0..outputs)
                        .map(|output| f32::from(u8::from(output == 0)))
                        .collect();
                    let first = graph.floats("output.first", &[1, outputs], &first);
                    // Not a product: 0 times a missing base is missing.
                    let zero = graph.floats("output.zero", &[1], &[0.0]);
                    let half = graph.floats("output.half", &[1], &[0.5]);
                    let is_first =
                        graph.node("Greater", &[&first, &half], "output.is_first", vec![]);
                    let base =
                        graph.node("Where", &[&is_first, &base, &zero], "output.base", vec![]);
                    graph.node("Add", &[&deviation, &base], "forecast", vec![]);
                }
            }
        }
        graph.output("forecast", &[Axis::Any("batch"), Axis::Fixed(outputs)]);
        let attends = |config: &NetworkConfig| matches!(config, NetworkConfig::Lstm(config) if config.read_out == ReadOut::Attention);
        if attends(self.config()) {
            graph.output("attention", &[Axis::Any("batch"), Axis::Any("days")]);
        }
        Ok(graph.finish("vitalcast network"))
    }

    fn check_scaling(&self, scaling: &Scaling) -> Result<(), ModelError> {
        for (expected, found) in [
            (self.config().input_width(), 2 * scaling.inputs.len()),
            (self.config().outputs(), scaling.outputs.len()),
        ] {
            if expected != found {
                return Err(ModelError::Width { expected, found });
            }
        }
        let most = f64::from(f32::MAX);
        let least = f64::from(f32::MIN_POSITIVE);
        for (columns, most_scale) in [(&scaling.inputs, f64::INFINITY), (&scaling.outputs, most)] {
            for column in columns {
                within("mean of a column", column.mean, -most, most)?;
                within("scale of a column", column.scale, least, most_scale)?;
            }
        }
        within("farthest", scaling.farthest, least, most)?;
        Ok(())
    }
}

/// Data to what the network reads: scaled, zero where missing, then one where observed.
fn scaled(graph: &mut Builder, scaling: &Scaling) -> String {
    let columns = &scaling.inputs;
    let width = columns.len();
    let part = |of: fn(&ColumnScaling) -> f64| -> Vec<f32> {
        columns.iter().map(|column| of(column) as f32).collect()
    };
    let mean = graph.floats("input.mean", &[width], &part(|column| column.mean));
    let scale = graph.floats("input.scale", &[width], &part(|column| column.scale));
    let read = graph.floats(
        "input.is_read",
        &[width],
        &part(|column| f64::from(u8::from(column.is_read))),
    );
    let zero = graph.floats("input.zero", &[1], &[0.0]);
    let missing = graph.node("IsNaN", &["windows"], "input.missing", vec![]);
    let observed = graph.node("Not", &[&missing], "input.observed", vec![]);
    let mask = graph.node(
        "Cast",
        &[&observed],
        "input.observed_mask",
        vec![int("to", 1)],
    );
    let mask = graph.node("Mul", &[&mask, &read], "input.mask", vec![]);
    let centred = graph.node("Sub", &["windows", &mean], "input.centred", vec![]);
    let sized = graph.node("Div", &[&centred, &scale], "input.sized", vec![]);
    let farthest = scaling.farthest as f32;
    let least = graph.floats("input.least", &[], &[-farthest]);
    let most = graph.floats("input.most", &[], &[farthest]);
    let within = graph.node("Clip", &[&sized, &least, &most], "input.within", vec![]);
    let filled = graph.node("Where", &[&missing, &zero, &within], "input.filled", vec![]);
    let values = graph.node("Mul", &[&filled, &read], "input.values", vec![]);
    graph.node(
        "Concat",
        &[&values, &mask],
        "input.both",
        vec![int("axis", 2)],
    )
}

/// A graph, and the weights of the network that goes into it.
struct Writing<'a> {
    graph: &'a mut Builder,
    weights: &'a [f32],
}

impl Writing<'_> {
    fn network(&mut self, structure: &Structure, windows: &str, output: &str) {
        match structure {
            Structure::Lstm {
                levels,
                attention,
                head,
            } => {
                let by_day = vec![ints("perm", vec![1, 0, 2])];
                let days = self.graph.node("Transpose", &[windows], "days", by_day);
                let sequence = self.levels(levels, days);
                let read = self.read_out(attention.as_ref(), &sequence);
                self.head(head, &read, output);
            }
            Structure::Linear(dense) => {
                let axes = self.graph.ints("linear.axes", &[1]);
                let keep = vec![int("keepdims", 0)];
                let inputs = [windows, &axes];
                let mean = self.graph.node("ReduceMean", &inputs, "linear.mean", keep);
                self.dense(dense, "linear", &mean, output);
            }
        }
    }

    /// `[days, batch, input]` to `[days, batch, width]`.
    fn levels(&mut self, levels: &[Vec<LstmPart>], mut sequence: String) -> String {
        let joined = self.graph.ints("joined.shape", &[0, 0, -1]);
        for (level, layers) in levels.iter().enumerate() {
            let name = format!("lstm.{level}");
            let all = self.layer(layers, &name, &sequence);
            let perm = vec![ints("perm", vec![0, 2, 1, 3])];
            let turned = format!("{name}.turned");
            let turned = self.graph.node("Transpose", &[&all], &turned, perm);
            let out = format!("{name}.out");
            sequence = self
                .graph
                .node("Reshape", &[&turned, &joined], &out, vec![]);
        }
        sequence
    }

    fn head(&mut self, head: &HeadPart, read: &str, output: &str) {
        match head {
            HeadPart::Joint { dense, norms } => {
                let first = self.dense(&dense[0], "head.fc1", read, "head.fc1");
                let first = self.norm(&norms[0], "head.bn1", &first);
                let first = self.rectified(&first, "head.relu1");
                let second = self.dense(&dense[1], "head.fc2", &first, "head.fc2");
                let second = self.norm(&norms[1], "head.bn2", &second);
                let second = self.rectified(&second, "head.relu2");
                self.dense(&dense[2], "head.fc_out", &second, output);
            }
            HeadPart::PerOutput { shared, tasks } => {
                let shared = self.dense(shared, "shared_fc", read, "shared_fc");
                let shared = self.rectified(&shared, "shared_fc.relu");
                let mut outputs = Vec::with_capacity(tasks.len());
                for (index, [dense, out]) in tasks.iter().enumerate() {
                    let name = format!("task_heads.{index}");
                    let hidden = format!("{name}.0");
                    let hidden = self.dense(dense, &hidden, &shared, &hidden);
                    let hidden = self.rectified(&hidden, &format!("{name}.1"));
                    let last = format!("{name}.2");
                    outputs.push(self.dense(out, &last, &hidden, &last));
                }
                let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
                let axis = vec![int("axis", 1)];
                self.graph.node("Concat", &outputs, output, axis);
            }
        }
    }

    fn rectified(&mut self, input: &str, name: &str) -> String {
        self.graph.node("Relu", &[input], name, vec![])
    }

    /// `[days, batch, width]` to `[batch, width]`.
    fn read_out(&mut self, attention: Option<&[DensePart; 2]>, sequence: &str) -> String {
        let first_axis = vec![int("axis", 0)];
        if let Some([dense, score]) = attention {
            let hidden = self.product(dense, "attention.0", sequence);
            let hidden = self.graph.node("Tanh", &[&hidden], "attention.1", vec![]);
            let scores = self.product(score, "attention.2", &hidden);
            let graph = &mut *self.graph;
            let weights = graph.node("Softmax", &[&scores], "attention.weights", first_axis);
            let weighted = graph.node("Mul", &[sequence, &weights], "attention.weighted", vec![]);
            let days = graph.ints("attention.days", &[0]);
            let last = graph.ints("attention.last", &[2]);
            let flat = graph.node("Squeeze", &[&weights, &last], "attention.by_day", vec![]);
            graph.node(
                "Transpose",
                &[&flat],
                "attention",
                vec![ints("perm", vec![1, 0])],
            );
            let keep = vec![int("keepdims", 0)];
            return graph.node("ReduceSum", &[&weighted, &days], "attention.mean", keep);
        }
        let place = self.graph.ints("last_day.place", &[-1]);
        let inputs = [sequence, place.as_str()];
        let day = self
            .graph
            .node("Gather", &inputs, "last_day.day", first_axis);
        let axes = self.graph.ints("last_day.axes", &[0]);
        self.graph
            .node("Squeeze", &[&day, &axes], "last_day", vec![])
    }

    /// One layer in one or both directions: `[days, batch, input]` to `[days, directions, batch, hidden]`.
    fn layer(&mut self, layers: &[LstmPart], name: &str, sequence: &str) -> String {
        let directions = layers.len();
        let LstmPart { input, hidden, .. } = layers[0];
        let (graph, weights) = (&mut *self.graph, self.weights);
        // ONNX: rows of gates i, o, f, g; here columns of gates i, f, g, o.
        let of_matrix = |place: Place, inputs: usize| -> Vec<f32> {
            let values = place.of(weights);
            let mut turned = Vec::with_capacity(values.len());
            for gate in [0, 3, 1, 2] {
                for unit in 0..hidden {
                    let column = gate * hidden + unit;
                    turned.extend((0..inputs).map(|row| values[row * 4 * hidden + column]));
                }
            }
            turned
        };
        let of_vector = |place: Place| -> Vec<f32> {
            let values = place.of(weights);
            [0, 3, 1, 2]
                .into_iter()
                .flat_map(|gate| values[gate * hidden..(gate + 1) * hidden].to_vec())
                .collect()
        };
        let mut from_input = Vec::new();
        let mut from_hidden = Vec::new();
        let mut bias = Vec::new();
        for layer in layers {
            from_input.extend(of_matrix(layer.from_input, input));
            from_hidden.extend(of_matrix(layer.from_hidden, hidden));
            bias.extend(of_vector(layer.bias_input));
            bias.extend(of_vector(layer.bias_hidden));
        }
        let gates = 4 * hidden;
        let from_input = graph.floats(
            &format!("{name}.W"),
            &[directions, gates, input],
            &from_input,
        );
        let from_hidden = graph.floats(
            &format!("{name}.R"),
            &[directions, gates, hidden],
            &from_hidden,
        );
        let bias = graph.floats(&format!("{name}.B"), &[directions, 2 * gates], &bias);
        let direction = if directions == 2 {
            "bidirectional"
        } else {
            "forward"
        };
        let attributes = vec![
            text("direction", direction),
            int("hidden_size", hidden as i64),
        ];
        let inputs = [sequence, &from_input, &from_hidden, &bias];
        graph.node("LSTM", &inputs, &format!("{name}.all"), attributes)
    }

    /// A dense layer on `[batch, input]`.
    fn dense(&mut self, dense: &DensePart, name: &str, input: &str, output: &str) -> String {
        let (weight, bias) = self.of_dense(dense, name);
        self.graph
            .node("Gemm", &[input, &weight, &bias], output, vec![])
    }

    /// A dense layer on `[days, batch, input]`.
    fn product(&mut self, dense: &DensePart, name: &str, input: &str) -> String {
        let (weight, bias) = self.of_dense(dense, name);
        let product = format!("{name}.product");
        let product = self
            .graph
            .node("MatMul", &[input, &weight], &product, vec![]);
        self.graph.node("Add", &[&product, &bias], name, vec![])
    }

    fn of_dense(&mut self, dense: &DensePart, name: &str) -> (String, String) {
        let shape = [dense.input, dense.output];
        let weight = dense.weight.of(self.weights);
        let weight = self.graph.floats(&format!("{name}.weight"), &shape, weight);
        let bias = dense.bias.of(self.weights);
        let bias = self
            .graph
            .floats(&format!("{name}.bias"), &[bias.len()], bias);
        (weight, bias)
    }

    fn norm(&mut self, norm: &NormPart, name: &str, input: &str) -> String {
        let parts = [
            ("weight", norm.weight),
            ("bias", norm.bias),
            ("running_mean", norm.mean),
            ("running_var", norm.variance),
        ]
        .map(|(part, place)| {
            let values = place.of(self.weights);
            self.graph
                .floats(&format!("{name}.{part}"), &[values.len()], values)
        });
        let [weight, bias, mean, variance] = &parts;
        let inputs = [input, weight, bias, mean, variance];
        let epsilon = vec![float("epsilon", EPSILON as f32)];
        self.graph
            .node("BatchNormalization", &inputs, name, epsilon)
    }
}
