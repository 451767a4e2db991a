//! Gradients of whole networks, name by name, as PyTorch computes them.

use crate::golden::{Entry, devices, entries, floats, read};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use safetensors::SafeTensors;
use vitalcast_models::{ComputeDevice, DropoutSource, Network};

/// Puts its gradient in the place of every weight, so that the writer gives it PyTorch's name and
/// layout.
struct ToGradients<'a>(&'a Gradients);

impl ModuleMapper for ToGradients<'_> {
    fn map_float<const D: usize>(&mut self, weight: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match weight.val().grad(self.0) {
            Some(gradient) => Param::from_tensor(gradient),
            None => weight,
        }
    }
}

#[test]
fn golden_networks_have_pytorchs_gradients() {
    for entry in entries() {
        for device in devices() {
            compare(&entry, device);
        }
    }
}

fn compare(entry: &Entry, device: ComputeDevice) {
    let golden = read(entry);
    let name_of_case = format!("{} on {device}", entry.name);
    let device = device.open().unwrap().autodiff();
    let network = Network::from_safetensors_on(&golden.config, &golden.weights, &device).unwrap();
    let everything: Vec<usize> = (0..golden.windows.count()).collect();
    let inputs = golden.windows.tensor(&everything, &device);
    let pass = network.forward_training(inputs, &mut DropoutSource::new(0, 0.0));
    let output: Vec<f32> = pass.output.clone().into_data().try_to_vec().unwrap();
    assert_eq!(output.len(), golden.train_output.len(), "{name_of_case}");
    for (found, expected) in output.iter().zip(&golden.train_output) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{name_of_case}: {found} {expected}"
        );
    }
    let shape = pass.output.dims();
    let target = Tensor::<2>::from_data(TensorData::new(golden.target.clone(), shape), &device);
    let gradients = (pass.output - target).square().mean().backward();
    let module = network.module().clone().map(&mut ToGradients(&gradients));
    let written = network.with_module(module).to_safetensors().unwrap();
    let written = SafeTensors::deserialize(&written).unwrap();
    assert!(golden.gradients.len() >= 14, "{name_of_case}");
    let largest_of = |values: &[f32]| {
        values
            .iter()
            .fold(0.0_f32, |most, value| most.max(value.abs()))
    };
    let overall = golden
        .gradients
        .values()
        .fold(0.0_f32, |most, values| most.max(largest_of(values)));
    for (name, expected) in &golden.gradients {
        let found = floats(written.tensor(name).unwrap().data());
        assert_eq!(found.len(), expected.len(), "{name}");
        // A bias before a batch norm or a softmax changes nothing and has no gradient: what stands
        // there, here and in PyTorch, is rounding of the gradients it is a sum of.
        if ["head.fc1.bias", "head.fc2.bias", "attention.2.bias"].contains(&name.as_str()) {
            let most = 1e-3 * overall.max(1.0);
            assert!(
                largest_of(&found) <= most,
                "{name_of_case} {name}: {found:?}"
            );
            assert!(
                largest_of(expected) <= most,
                "{name_of_case} {name}: {expected:?}"
            );
            continue;
        }
        // Relative to the largest of the tensor.
        let largest = largest_of(expected);
        let tolerance = 1e-4 * largest.max(1e-3 * overall.max(1.0));
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= tolerance,
                "{name_of_case} {name}: {found} {expected}, largest {largest}"
            );
        }
    }
}
