use crate::golden::{entries, read};
use safetensors::tensor::{Dtype, TensorView};
use std::collections::BTreeMap;
use vitalcast_models::{ModelError, Network};

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// Loads the smallest golden network after `change` has been at its weights.
fn load(change: impl FnOnce(&mut Tensors)) -> Result<Network, ModelError> {
    let golden = read(&entries()[0]);
    let parsed = safetensors::SafeTensors::deserialize(&golden.weights).unwrap();
    let mut tensors: Tensors = parsed
        .tensors()
        .into_iter()
        .map(|(name, view)| {
            (
                name,
                (view.dtype(), view.shape().to_vec(), view.data().to_vec()),
            )
        })
        .collect();
    change(&mut tensors);
    let views: Vec<_> = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| {
            (name, TensorView::new(*dtype, shape.clone(), data).unwrap())
        })
        .collect();
    Network::from_safetensors(
        &golden.config,
        &safetensors::serialize(views, None).unwrap(),
    )
}

#[test]
fn a_missing_weight_is_named() {
    let error = load(|tensors| {
        tensors.remove("head.fc1.bias");
    })
    .unwrap_err();
    assert_eq!(error, ModelError::MissingWeight("head.fc1.bias".to_owned()));
}

#[test]
fn a_weight_without_a_place_is_named() {
    let error = load(|tensors| {
        let copy = tensors["head.fc1.bias"].clone();
        tensors.insert("head.fc9.bias".to_owned(), copy);
    })
    .unwrap_err();
    assert_eq!(error, ModelError::UnknownWeight("head.fc9.bias".to_owned()));
}

#[test]
fn a_weight_of_another_shape_or_type_is_named() {
    let error = load(|tensors| {
        let weight = tensors.get_mut("head.fc1.weight").unwrap();
        weight.1.reverse();
    })
    .unwrap_err();
    assert!(matches!(error, ModelError::WeightShape { .. }), "{error}");
    let error = load(|tensors| {
        tensors.get_mut("head.fc1.bias").unwrap().0 = Dtype::I32;
    })
    .unwrap_err();
    assert!(matches!(error, ModelError::WeightShape { .. }), "{error}");
}

#[test]
fn a_weight_that_is_not_finite_is_named() {
    let error = load(|tensors| {
        let weight = tensors.get_mut("head.fc1.bias").unwrap();
        weight.2[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    })
    .unwrap_err();
    assert_eq!(
        error,
        ModelError::WeightNotFinite("head.fc1.bias".to_owned())
    );
}

#[test]
fn bytes_that_are_no_weights_are_refused() {
    let config = read(&entries()[0]).config;
    for bytes in [
        &b""[..],
        b"{}",
        &[0xff; 64],
        b"\x08\0\0\0\0\0\0\0{\"a\":1}}",
    ] {
        let error = Network::from_safetensors(&config, bytes).unwrap_err();
        assert!(matches!(error, ModelError::NotSafetensors(_)), "{error}");
    }
}
