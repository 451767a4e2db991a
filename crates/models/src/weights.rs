//! Weights in and out as safetensors with PyTorch's names and layout: matrices are
//! `[output, input]` there and `[input, output]` here.

use crate::error::ModelError;
use crate::layout::{Form, Layout, Part};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::BTreeMap;

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

/// Reads every weight of a network from safetensors bytes, in the order of its layout.
pub(crate) fn load(layout: &Layout, bytes: &[u8]) -> Result<Vec<f32>, ModelError> {
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|error| ModelError::NotSafetensors(error.to_string()))?;
    let mut left = by_our_names(tensors.tensors());
    let mut values = vec![0.0; layout.size()];
    for part in layout.parts() {
        let view = left
            .remove(&part.name)
            .ok_or_else(|| ModelError::MissingWeight(part.name.clone()))?;
        let read = read(part, &view)?;
        part.place.of_mut(&mut values).copy_from_slice(&read);
    }
    match left.into_keys().next() {
        Some(name) => Err(ModelError::UnknownWeight(name)),
        None => Ok(values),
    }
}

fn read(part: &Part, view: &TensorView<'_>) -> Result<Vec<f32>, ModelError> {
    let expected = shape(part.form);
    if view.dtype() != Dtype::F32 || view.shape() != expected {
        return Err(ModelError::WeightShape {
            name: part.name.clone(),
            expected,
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
    if !values.iter().all(|value| value.is_finite()) {
        return Err(ModelError::WeightNotFinite(part.name.clone()));
    }
    Ok(match part.form {
        Form::Matrix { input, output } => transposed(&values, output, input),
        Form::Vector { .. } => values,
    })
}

/// Writes every weight of a network as safetensors bytes.
pub(crate) fn save(layout: &Layout, values: &[f32]) -> Result<Vec<u8>, ModelError> {
    let mut tensors = Vec::new();
    for part in layout.parts() {
        let values = part.place.of(values);
        if !values.iter().all(|value| value.is_finite()) {
            return Err(ModelError::WeightNotFinite(part.name.clone()));
        }
        let bytes = |values: &[f32]| -> Vec<u8> {
            let bytes = values.iter().flat_map(|value| value.to_le_bytes());
            bytes.collect()
        };
        let bytes = match part.form {
            Form::Matrix { input, output } => bytes(&transposed(values, input, output)),
            Form::Vector { .. } => bytes(values),
        };
        tensors.push((&part.name, shape(part.form), bytes));
    }
    let views = tensors
        .iter()
        .map(|(name, shape, bytes)| {
            TensorView::new(Dtype::F32, shape.clone(), bytes)
                .map(|view| (name.as_str(), view))
                .map_err(|error| ModelError::NotSafetensors(error.to_string()))
        })
        .collect::<Result<Vec<_>, _>>()?;
    safetensors::serialize(views, None)
        .map_err(|error| ModelError::NotSafetensors(error.to_string()))
}

/// PyTorch's shape of a weight.
fn shape(form: Form) -> Vec<usize> {
    match form {
        Form::Matrix { input, output } => vec![output, input],
        Form::Vector { width } => vec![width],
    }
}

/// `[rows, columns]` as `[columns, rows]`.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    assert_eq!(values.len(), rows * columns);
    (0..columns)
        .flat_map(|column| values[column..].iter().step_by(columns).copied())
        .collect()
}
