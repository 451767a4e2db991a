//! Weights in and out as safetensors with PyTorch's names and layout: matrices are
//! `[output, input]` there and `[input, output]` here.

use crate::batch_norm::BatchNorm;
use crate::config::NetworkConfig;
use crate::dense::Dense;
use crate::error::ModelError;
use crate::head::HeadModule;
use crate::lstm_sequence::LstmLayer;
use crate::network::NetworkModule;
use burn::module::Param;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

/// What is done at every named weight.
trait WeightVisitor {
    fn matrix(&mut self, name: String, weight: &mut Param<Tensor<2>>) -> Result<(), ModelError>;
    fn vector(&mut self, name: String, weight: &mut Param<Tensor<1>>) -> Result<(), ModelError>;
}

/// Names every weight once; reading and writing both go through here.
fn visit(
    module: &mut NetworkModule,
    config: &NetworkConfig,
    visitor: &mut dyn WeightVisitor,
) -> Result<(), ModelError> {
    match (module, config) {
        (NetworkModule::Lstm(network), NetworkConfig::Lstm(config)) => {
            let directions = config.directions();
            for (index, layer) in network.layers.iter_mut().enumerate() {
                let suffix = if index % directions == 1 {
                    "_reverse"
                } else {
                    ""
                };
                visit_layer(layer, &format!("l{}{suffix}", index / directions), visitor)?;
            }
            if let Some(attention) = &mut network.attention {
                visit_dense(&mut attention.dense, "attention.0", visitor)?;
                visit_dense(&mut attention.score, "attention.2", visitor)?;
            }
            match &mut network.head {
                HeadModule::Joint(head) => {
                    visit_dense(&mut head.dense_1, "head.fc1", visitor)?;
                    visit_norm(&mut head.norm_1, "head.bn1", visitor)?;
                    visit_dense(&mut head.dense_2, "head.fc2", visitor)?;
                    visit_norm(&mut head.norm_2, "head.bn2", visitor)?;
                    visit_dense(&mut head.dense_out, "head.fc_out", visitor)
                }
                HeadModule::PerOutput(head) => {
                    visit_dense(&mut head.shared, "shared_fc", visitor)?;
                    for (index, task) in head.tasks.iter_mut().enumerate() {
                        let name = format!("task_heads.{index}");
                        visit_dense(&mut task.dense, &format!("{name}.0"), visitor)?;
                        visit_dense(&mut task.out, &format!("{name}.2"), visitor)?;
                    }
                    Ok(())
                }
            }
        }
        (NetworkModule::Linear(network), _) => visit_dense(&mut network.dense, "linear", visitor),
        (NetworkModule::Lstm(_), NetworkConfig::Linear(_)) => {
            unreachable!("module and configuration are made together")
        }
    }
}

fn visit_layer(
    layer: &mut LstmLayer,
    suffix: &str,
    visitor: &mut dyn WeightVisitor,
) -> Result<(), ModelError> {
    visitor.matrix(format!("lstm.weight_ih_{suffix}"), &mut layer.weight_input)?;
    visitor.matrix(format!("lstm.weight_hh_{suffix}"), &mut layer.weight_hidden)?;
    visitor.vector(format!("lstm.bias_ih_{suffix}"), &mut layer.bias_input)?;
    visitor.vector(format!("lstm.bias_hh_{suffix}"), &mut layer.bias_hidden)
}

fn visit_dense(
    dense: &mut Dense,
    name: &str,
    visitor: &mut dyn WeightVisitor,
) -> Result<(), ModelError> {
    visitor.matrix(format!("{name}.weight"), &mut dense.weight)?;
    visitor.vector(format!("{name}.bias"), &mut dense.bias)
}

fn visit_norm(
    norm: &mut BatchNorm,
    name: &str,
    visitor: &mut dyn WeightVisitor,
) -> Result<(), ModelError> {
    visitor.vector(format!("{name}.weight"), &mut norm.weight)?;
    visitor.vector(format!("{name}.bias"), &mut norm.bias)?;
    visitor.vector(format!("{name}.running_mean"), &mut norm.running_mean)?;
    visitor.vector(format!("{name}.running_var"), &mut norm.running_variance)
}

/// PyTorch also counts the batches a batch norm has seen; nothing depends on it here.
pub(crate) fn counts_batches(name: &str) -> bool {
    name.ends_with(".num_batches_tracked")
}

/// Weights under the names used here. The reference service has the layers of its head at the top
/// (`fc1`, `bn1`, …), and a dropout between those of a task, which moves the second from 2 to 3.
pub(crate) fn by_our_names<T>(
    tensors: impl IntoIterator<Item = (String, T)>,
) -> BTreeMap<String, T> {
    let renamed = |name: String| {
        let first = name.split('.').next().unwrap_or_default();
        if ["fc1", "bn1", "fc2", "bn2", "fc_out"].contains(&first) {
            return format!("head.{name}");
        }
        match name.split('.').collect::<Vec<_>>()[..] {
            ["task_heads", task, "3", part] => format!("task_heads.{task}.2.{part}"),
            _ => name,
        }
    };
    tensors
        .into_iter()
        .filter(|(name, _)| !counts_batches(name))
        .map(|(name, tensor)| (renamed(name), tensor))
        .collect()
}

/// Reads every weight of the network from safetensors bytes.
pub(crate) fn load(
    mut module: NetworkModule,
    config: &NetworkConfig,
    bytes: &[u8],
) -> Result<NetworkModule, ModelError> {
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|error| ModelError::NotSafetensors(error.to_string()))?;
    let mut loader = Loader {
        left: by_our_names(tensors.tensors()),
    };
    visit(&mut module, config, &mut loader)?;
    match loader.left.into_keys().next() {
        Some(name) => Err(ModelError::UnknownWeight(name)),
        None => Ok(module),
    }
}

struct Loader<'a> {
    left: BTreeMap<String, TensorView<'a>>,
}

impl Loader<'_> {
    fn take(&mut self, name: String, expected: &[usize]) -> Result<Vec<f32>, ModelError> {
        let view = self
            .left
            .remove(&name)
            .ok_or_else(|| ModelError::MissingWeight(name.clone()))?;
        if view.dtype() != Dtype::F32 || view.shape() != expected {
            return Err(ModelError::WeightShape {
                name,
                expected: expected.to_vec(),
                found: format!("{:?} of shape {:?}", view.dtype(), view.shape()),
            });
        }
        let values: Vec<f32> = view
            .data()
            .as_chunks::<4>()
            .0
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect();
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err(ModelError::WeightNotFinite(name))
        }
    }
}

impl WeightVisitor for Loader<'_> {
    fn matrix(&mut self, name: String, weight: &mut Param<Tensor<2>>) -> Result<(), ModelError> {
        let [input, output] = weight.val().dims();
        let values = self.take(name, &[output, input])?;
        // Turned round here and not as a view: weights read back lie in memory as weights that were
        // just trained do, so that products add up in the same order and forecasts are the same bits.
        let turned: Vec<f32> = (0..input)
            .flat_map(|column| values.iter().skip(column).step_by(input).copied())
            .collect();
        replace(weight, |device| {
            Tensor::<2>::from_data(TensorData::new(turned, [input, output]), device)
        });
        Ok(())
    }

    fn vector(&mut self, name: String, weight: &mut Param<Tensor<1>>) -> Result<(), ModelError> {
        let [width] = weight.val().dims();
        let values = self.take(name, &[width])?;
        replace(weight, |device| {
            Tensor::<1>::from_data(TensorData::new(values, [width]), device)
        });
        Ok(())
    }
}

fn replace<const D: usize>(
    weight: &mut Param<Tensor<D>>,
    make: impl FnOnce(&burn::tensor::Device) -> Tensor<D>,
) {
    let old = weight.val();
    let value = make(&old.device());
    let replaced = weight.clone().map(|_| value);
    // A new value does not know by itself whether it is trained.
    *weight = if old.is_require_grad() {
        replaced.set_require_grad(true)
    } else {
        replaced
    };
}

/// Writes every weight of the network as safetensors bytes.
pub(crate) fn save(module: &NetworkModule, config: &NetworkConfig) -> Result<Vec<u8>, ModelError> {
    let mut writer = Writer {
        tensors: BTreeMap::new(),
    };
    visit(&mut module.clone(), config, &mut writer)?;
    let views = writer
        .tensors
        .iter()
        .map(|(name, (shape, bytes))| {
            TensorView::new(Dtype::F32, shape.clone(), bytes)
                .map(|view| (name.as_str(), view))
                .map_err(|error| ModelError::NotSafetensors(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, None)
        .map_err(|error| ModelError::NotSafetensors(error.to_string()))
}

struct Writer {
    tensors: BTreeMap<String, (Vec<usize>, Vec<u8>)>,
}

impl Writer {
    fn put<const D: usize>(&mut self, name: String, value: Tensor<D>) -> Result<(), ModelError> {
        let shape = value.dims().to_vec();
        let values: Vec<f32> = value
            .into_data()
            .try_to_vec()
            .expect("networks compute in f32");
        if !values.iter().all(|value| value.is_finite()) {
            return Err(ModelError::WeightNotFinite(name));
        }
        let bytes = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        self.tensors.insert(name, (shape, bytes));
        Ok(())
    }
}

impl WeightVisitor for Writer {
    fn matrix(&mut self, name: String, weight: &mut Param<Tensor<2>>) -> Result<(), ModelError> {
        self.put(name, weight.val().without_autodiff().transpose())
    }

    fn vector(&mut self, name: String, weight: &mut Param<Tensor<1>>) -> Result<(), ModelError> {
        self.put(name, weight.val().without_autodiff())
    }
}
