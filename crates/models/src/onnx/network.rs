//! Networks as ONNX graphs.

use super::baseline::simple_baseline;
use super::graph::{Axis, Builder, float, int, ints, text};
use crate::batch_norm::{BatchNorm, EPSILON};
use crate::config::{LstmConfig, NetworkConfig, ReadOut};
use crate::dense::Dense;
use crate::error::{ModelError, within};
use crate::head::HeadModule;
use crate::lstm::LstmForecaster;
use crate::lstm_sequence::LstmLayer;
use crate::network::{Network, NetworkModule};
use crate::plain::numbers;
use crate::series::SeriesModel;
use burn::module::{Module, Param};
use burn::tensor::Tensor;

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
        match (&self.module().valid(), self.config()) {
            (NetworkModule::Lstm(network), NetworkConfig::Lstm(config)) => {
                lstm(&mut graph, network, config, &read, said);
            }
            (NetworkModule::Linear(network), _) => {
                let axes = graph.ints("linear.axes", &[1]);
                let keep = vec![int("keepdims", 0)];
                let mean = graph.node("ReduceMean", &[&read, &axes], "linear.mean", keep);
                dense(&mut graph, &network.dense, "linear", &mean, said);
            }
            (NetworkModule::Lstm(_), NetworkConfig::Linear(_)) => {
                unreachable!("module and configuration are made together")
            }
        }
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

fn lstm(
    graph: &mut Builder,
    network: &LstmForecaster,
    config: &LstmConfig,
    windows: &str,
    output: &str,
) {
    let by_day = vec![ints("perm", vec![1, 0, 2])];
    let mut sequence = graph.node("Transpose", &[windows], "days", by_day);
    let joined = graph.ints("joined.shape", &[0, 0, -1]);
    for (level, layers) in network.layers.chunks(config.directions()).enumerate() {
        let name = format!("lstm.{level}");
        let all = layer(graph, layers, config.hidden_width, &name, &sequence);
        let perm = vec![ints("perm", vec![0, 2, 1, 3])];
        let turned = graph.node("Transpose", &[&all], &format!("{name}.turned"), perm);
        sequence = graph.node(
            "Reshape",
            &[&turned, &joined],
            &format!("{name}.out"),
            vec![],
        );
    }
    let read = read_out(graph, network, &sequence);
    match &network.head {
        HeadModule::Joint(head) => {
            let first = dense(graph, &head.dense_1, "head.fc1", &read, "head.fc1");
            let first = norm(graph, &head.norm_1, "head.bn1", &first);
            let first = graph.node("Relu", &[&first], "head.relu1", vec![]);
            let second = dense(graph, &head.dense_2, "head.fc2", &first, "head.fc2");
            let second = norm(graph, &head.norm_2, "head.bn2", &second);
            let second = graph.node("Relu", &[&second], "head.relu2", vec![]);
            dense(graph, &head.dense_out, "head.fc_out", &second, output);
        }
        HeadModule::PerOutput(head) => {
            let shared = dense(graph, &head.shared, "shared_fc", &read, "shared_fc");
            let shared = graph.node("Relu", &[&shared], "shared_fc.relu", vec![]);
            let outputs: Vec<String> = head
                .tasks
                .iter()
                .enumerate()
                .map(|(index, task)| {
                    let name = format!("task_heads.{index}");
                    let hidden = format!("{name}.0");
                    let hidden = dense(graph, &task.dense, &hidden, &shared, &hidden);
                    let hidden = graph.node("Relu", &[&hidden], &format!("{name}.1"), vec![]);
                    let out = format!("{name}.2");
                    dense(graph, &task.out, &out, &hidden, &out)
                })
                .collect();
            let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
            graph.node("Concat", &outputs, output, vec![int("axis", 1)]);
        }
    }
}

/// `[days, batch, width]` to `[batch, width]`.
fn read_out(graph: &mut Builder, network: &LstmForecaster, sequence: &str) -> String {
    let first_axis = vec![int("axis", 0)];
    let at = |graph: &mut Builder, day: i64, name: &str| {
        let place = graph.ints(&format!("{name}.place"), &[day]);
        let day = graph.node(
            "Gather",
            &[sequence, &place],
            &format!("{name}.day"),
            first_axis.clone(),
        );
        let axes = graph.ints(&format!("{name}.axes"), &[0]);
        graph.node("Squeeze", &[&day, &axes], name, vec![])
    };
    if let Some(attention) = &network.attention {
        let hidden = product(graph, &attention.dense, "attention.0", sequence);
        let hidden = graph.node("Tanh", &[&hidden], "attention.1", vec![]);
        let scores = product(graph, &attention.score, "attention.2", &hidden);
        let weights = graph.node(
            "Softmax",
            &[&scores],
            "attention.weights",
            first_axis.clone(),
        );
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
    at(graph, -1, "last_day")
}

/// One layer in one or both directions: `[days, batch, input]` to `[days, directions, batch, hidden]`.
fn layer(
    graph: &mut Builder,
    layers: &[LstmLayer],
    hidden: usize,
    name: &str,
    sequence: &str,
) -> String {
    let directions = layers.len();
    let input = layers[0].weight_input.val().dims()[0];
    // ONNX: rows of gates i, o, f, g; here columns of gates i, f, g, o.
    let of_matrix = |weight: &Param<Tensor<2>>, inputs: usize| -> Vec<f32> {
        let values = numbers(weight.val());
        let mut turned = Vec::with_capacity(values.len());
        for gate in [0, 3, 1, 2] {
            for unit in 0..hidden {
                let column = gate * hidden + unit;
                turned.extend((0..inputs).map(|row| values[row * 4 * hidden + column]));
            }
        }
        turned
    };
    let of_vector = |bias: &Param<Tensor<1>>| -> Vec<f32> {
        let values = numbers(bias.val());
        [0, 3, 1, 2]
            .into_iter()
            .flat_map(|gate| values[gate * hidden..(gate + 1) * hidden].to_vec())
            .collect()
    };
    let mut from_input = Vec::new();
    let mut from_hidden = Vec::new();
    let mut bias = Vec::new();
    for layer in layers {
        from_input.extend(of_matrix(&layer.weight_input, input));
        from_hidden.extend(of_matrix(&layer.weight_hidden, hidden));
        bias.extend(of_vector(&layer.bias_input));
        bias.extend(of_vector(&layer.bias_hidden));
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
fn dense(graph: &mut Builder, dense: &Dense, name: &str, input: &str, output: &str) -> String {
    let (weight, bias) = weights(graph, dense, name);
    graph.node("Gemm", &[input, &weight, &bias], output, vec![])
}

/// A dense layer on `[days, batch, input]`.
fn product(graph: &mut Builder, dense: &Dense, name: &str, input: &str) -> String {
    let (weight, bias) = weights(graph, dense, name);
    let product = graph.node(
        "MatMul",
        &[input, &weight],
        &format!("{name}.product"),
        vec![],
    );
    graph.node("Add", &[&product, &bias], name, vec![])
}

fn weights(graph: &mut Builder, dense: &Dense, name: &str) -> (String, String) {
    let weight = dense.weight.val();
    let shape = weight.dims();
    let weight = graph.floats(&format!("{name}.weight"), &shape, &numbers(weight));
    let bias = numbers(dense.bias.val());
    let bias = graph.floats(&format!("{name}.bias"), &[bias.len()], &bias);
    (weight, bias)
}

fn norm(graph: &mut Builder, norm: &BatchNorm, name: &str, input: &str) -> String {
    let parts = [
        ("weight", &norm.weight),
        ("bias", &norm.bias),
        ("running_mean", &norm.running_mean),
        ("running_var", &norm.running_variance),
    ]
    .map(|(part, values)| {
        let values = numbers(values.val());
        graph.floats(&format!("{name}.{part}"), &[values.len()], &values)
    });
    let [weight, bias, mean, variance] = &parts;
    let inputs = [input, weight, bias, mean, variance];
    let epsilon = vec![float("epsilon", EPSILON as f32)];
    graph.node("BatchNormalization", &inputs, name, epsilon)
}
