//! Weights that PyTorch saved: `torch.save(model.state_dict(), "model.pt")`.

use crate::config::{Head, LinearConfig, LstmConfig, NetworkConfig, ReadOut};
use crate::error::ModelError;
use crate::weights;
use pytorch_reader::{DType, PytorchReader};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;
use std::path::Path;

/// Most values of a weight: no network within the bounds of [`NetworkConfig`] has a larger one.
const MAX_VALUES: usize = 1 << 26;
/// Keys under which checkpoints nest their weights.
const NESTED: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Reads a PyTorch checkpoint and gives its weights as safetensors bytes, in `f32` and under PyTorch's
/// names: what [`crate::Network::from_safetensors`] reads. Nothing in the file is executed. A
/// checkpoint may hold the `state_dict` itself or nest it under `state_dict`, `model_state_dict` or
/// `model`; what counts batches is left out.
///
/// # Errors
///
/// [`ModelError::NotPytorch`] for a file that cannot be read, is no checkpoint or holds no weights,
/// [`ModelError::WeightShape`] for a weight of whole numbers or of absurd size.
pub fn pytorch_weights(file: &Path) -> Result<Vec<u8>, ModelError> {
    let unreadable = |error: &dyn std::fmt::Display| ModelError::NotPytorch(error.to_string());
    let mut tensors = PytorchReader::new(file)
        .map_err(|error| unreadable(&error))?
        .into_tensors();
    let prefix = NESTED
        .iter()
        .map(|key| format!("{key}."))
        .find(|prefix| tensors.keys().any(|name| name.starts_with(prefix)));
    if let Some(prefix) = prefix {
        tensors = tensors
            .into_iter()
            .filter_map(|(name, tensor)| Some((name.strip_prefix(&prefix)?.to_owned(), tensor)))
            .collect();
    }
    let mut weights: BTreeMap<String, (Vec<usize>, Vec<u8>)> = BTreeMap::new();
    for (name, tensor) in tensors {
        if weights::counts_batches(&name) {
            continue;
        }
        let size = tensor
            .shape()
            .iter()
            .try_fold(1_usize, |size, axis| size.checked_mul(*axis));
        if size.is_none_or(|size| size > MAX_VALUES) {
            return Err(ModelError::WeightShape {
                name,
                expected: vec![MAX_VALUES],
                found: format!("{:?} of shape {:?}", tensor.dtype(), tensor.shape()),
            });
        }
        let read = || tensor.read().map_err(|error| unreadable(&error));
        #[expect(clippy::wildcard_enum_match_arm, reason = "burn's enum")]
        let bytes: Vec<u8> = match tensor.dtype() {
            DType::F32 => read()?
                .as_chunks::<4>()
                .0
                .iter()
                .flat_map(|bytes| f32::from_ne_bytes(*bytes).to_le_bytes())
                .collect(),
            DType::F64 => read()?
                .as_chunks::<8>()
                .0
                .iter()
                .flat_map(|bytes| (f64::from_ne_bytes(*bytes) as f32).to_le_bytes())
                .collect(),
            other => {
                return Err(ModelError::WeightShape {
                    name,
                    expected: tensor.shape().to_vec(),
                    found: format!("{other:?}"),
                });
            }
        };
        weights.insert(name, (tensor.shape().to_vec(), bytes));
    }
    if weights.is_empty() {
        return Err(ModelError::NotPytorch("it holds no weights".to_owned()));
    }
    let views = weights
        .iter()
        .map(|(name, (shape, bytes))| {
            TensorView::new(Dtype::F32, shape.clone(), bytes)
                .map(|view| (name.as_str(), view))
                .map_err(|error| unreadable(&error))
        })
        .collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, None).map_err(|error| unreadable(&error))
}

impl NetworkConfig {
    /// What a network is made of, told by the names and shapes of its weights. Dropout leaves no
    /// weight and is 0; a bidirectional network is taken to read out the last day.
    ///
    /// # Errors
    ///
    /// [`ModelError::NotSafetensors`], [`ModelError::MissingWeight`] naming the first weight that every
    /// network has and this one does not, [`ModelError::OutOfBounds`].
    pub fn of_weights(safetensors: &[u8]) -> Result<Self, ModelError> {
        let tensors = SafeTensors::deserialize(safetensors)
            .map_err(|error| ModelError::NotSafetensors(error.to_string()))?;
        let shapes: BTreeMap<String, Vec<usize>> = weights::by_our_names(tensors.tensors())
            .into_iter()
            .map(|(name, view)| (name, view.shape().to_vec()))
            .collect();
        let shape = |name: &str| -> Result<[usize; 2], ModelError> {
            shapes
                .get(name)
                .and_then(|shape| shape.as_slice().try_into().ok())
                .ok_or_else(|| ModelError::MissingWeight(name.to_owned()))
        };
        if shapes.contains_key("linear.weight") {
            let [outputs, input_width] = shape("linear.weight")?;
            let config = Self::Linear(LinearConfig {
                input_width,
                outputs,
            });
            config.validate()?;
            return Ok(config);
        }
        let [_, input_width] = shape("lstm.weight_ih_l0")?;
        let [_, hidden_width] = shape("lstm.weight_hh_l0")?;
        let has = |name: &str| shapes.contains_key(name);
        let layers = (0..=shapes.len())
            .take_while(|layer| has(&format!("lstm.weight_ih_l{layer}")))
            .count();
        let heads = (0..=shapes.len())
            .take_while(|head| has(&format!("task_heads.{head}.0.weight")))
            .count();
        let (head, outputs) = if heads > 0 {
            (Head::PerOutput, heads)
        } else {
            (Head::Joint, shape("head.fc_out.weight")?[0])
        };
        let config = Self::Lstm(LstmConfig {
            bidirectional: has("lstm.weight_ih_l0_reverse"),
            outputs,
            read_out: if has("attention.0.weight") {
                ReadOut::Attention
            } else {
                ReadOut::LastDay
            },
            head,
            ..LstmConfig::new(input_width, hidden_width, layers)
        });
        config.validate()?;
        Ok(config)
    }
}
