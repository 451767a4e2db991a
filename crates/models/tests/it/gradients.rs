//! Gradients of whole networks, name by name, as PyTorch computes them.

use crate::golden::{Entry, devices, entries, floats, read};
use safetensors::SafeTensors;
use vitalcast_models::{ComputeDevice, Learner, Network};

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
    let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
    let mut learner = Learner::new(&network, 0, device).unwrap();
    let everything: Vec<usize> = (0..golden.windows.count()).collect();
    let output = learner.forward(&golden.windows, &everything).unwrap();
    assert_eq!(output.len(), golden.train_output.len(), "{name_of_case}");
    for (found, expected) in output.iter().zip(&golden.train_output) {
        assert!(
            (found - expected).abs() < 1e-4,
            "{name_of_case}: {found} {expected}"
        );
    }
    // Of the mean of squared errors.
    let of_output: Vec<f32> = output
        .iter()
        .zip(&golden.target)
        .map(|(output, target)| 2.0 * (output - target) / golden.target.len() as f32)
        .collect();
    let gradients = learner.backward(&of_output).to_vec();
    // In the place of the weights, so that the writer gives them PyTorch's names and layout.
    let written = network.with_weights(gradients).unwrap();
    let written = written.to_safetensors().unwrap();
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
