//! Networks in training: the CPU against burn's autodiff, threads, memory that is used again.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use std::collections::BTreeMap;
use vitalcast_models::{
    ComputeDevice, Head, Learner, LinearConfig, LstmConfig, ModelError, Network, NetworkConfig,
    ReadOut, Windows,
};

const DAYS: usize = 5;
const INPUTS: usize = 6;
const OUTPUTS: usize = 3;

/// Every kind of network, with and without dropout.
fn configs() -> Vec<NetworkConfig> {
    let mut all = vec![NetworkConfig::Linear(LinearConfig {
        input_width: INPUTS,
        outputs: OUTPUTS,
    })];
    for (layers, bidirectional) in [(1, false), (2, false), (2, true), (3, false)] {
        for read_out in [ReadOut::LastDay, ReadOut::Attention] {
            for head in [Head::Joint, Head::PerOutput] {
                for dropout in [0.0, 0.3] {
                    all.push(NetworkConfig::Lstm(LstmConfig {
                        dropout,
                        bidirectional,
                        outputs: OUTPUTS,
                        read_out,
                        head,
                        ..LstmConfig::new(INPUTS, 20, layers)
                    }));
                }
            }
        }
    }
    all
}

fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count)
        .map(|_| random.random_range(-1.5_f32..1.5))
        .collect()
}

fn windows(count: usize) -> Windows {
    let values = numbers(count * DAYS * INPUTS, count as u64);
    Windows::new(count, DAYS, INPUTS, values).unwrap()
}

/// The output and the gradients of two steps one after the other, the second with other weights and other
/// masks.
fn two_steps(config: &NetworkConfig, batch: usize, device: ComputeDevice) -> Vec<Vec<f32>> {
    let network = Network::new(config, 7).unwrap();
    let mut learner = Learner::new(&network, 3, device).unwrap();
    let windows = windows(batch + 1);
    let indices: Vec<usize> = (1..=batch).rev().collect();
    let of_output = numbers(batch * OUTPUTS, 9);
    let mut found = Vec::new();
    for _ in 0..2 {
        found.push(learner.forward(&windows, &indices).unwrap().to_vec());
        found.push(learner.backward(&of_output).to_vec());
        learner.update(|weights, gradients| {
            for (weight, gradient) in weights.iter_mut().zip(gradients) {
                *weight -= 0.01 * *gradient;
            }
        });
    }
    found.push(learner.network().weights().to_vec());
    found
}

/// By the name of the weight.
fn by_name(network: &Network, values: &[f32]) -> BTreeMap<String, Vec<f32>> {
    let bytes = network
        .with_weights(values.to_vec())
        .unwrap()
        .to_safetensors()
        .unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let named = tensors.tensors().into_iter();
    named
        .map(|(name, view)| (name, crate::golden::floats(view.data())))
        .collect()
}

#[cfg(feature = "burn")]
fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// What differs by more than rounding between two lists: of the worst place, both numbers.
#[cfg(feature = "burn")]
fn difference(ours: &[f32], theirs: &[f32], tolerance: f32) -> Option<String> {
    assert_eq!(ours.len(), theirs.len());
    let far = |(ours, theirs): (f32, f32)| (ours - theirs).abs();
    let pairs = ours.iter().copied().zip(theirs.iter().copied());
    let worst = pairs.max_by(|a, b| far(*a).total_cmp(&far(*b)))?;
    let is_far = far(worst) > tolerance;
    is_far.then(|| format!("{} {}, tolerance {tolerance}", worst.0, worst.1))
}

/// How far a list may be from burn's, relative to its largest number.
#[cfg(feature = "burn")]
fn tolerance(config: &NetworkConfig, batch: usize, is_first_step: bool) -> f32 {
    let normalises = matches!(config, NetworkConfig::Lstm(config) if config.head == Head::Joint);
    match (normalises, is_first_step) {
        (false, true) => 1e-5,
        // A batch norm divides rounding by the spread of the batch.
        (true, true) if batch > 3 => 5e-5,
        // Of two or three rows, or with weights that differ by rounding already, it is more.
        (true, true) | (false, false) => 2e-4,
        (true, false) if batch > 3 => 2e-4,
        // Of two rows a batch norm leaves little but the sign: its gradient is what rounding left of a
        // difference, and each instruction set rounds in its own way.
        (true, false) => 2e-3,
    }
}

#[cfg(feature = "burn")]
#[test]
fn outputs_and_gradients_are_those_of_burns_autodiff() {
    let mut differences = Vec::new();
    for (config, batch) in configs()
        .into_iter()
        .flat_map(|config| [2, 3, 33].map(|batch| (config.clone(), batch)))
    {
        let network = Network::new(&config, 7).unwrap();
        let ours = two_steps(&config, batch, ComputeDevice::Cpu);
        let theirs = two_steps(&config, batch, ComputeDevice::Flex);
        for (place, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let tolerance = tolerance(&config, batch, place < 2);
            let mut check = |name: &str, ours: &[f32], theirs: &[f32], scale: f32| {
                if let Some(found) = difference(ours, theirs, scale * tolerance) {
                    differences.push(format!(
                        "{config:?}, batch {batch}, {place} {name}: {found}"
                    ));
                }
            };
            if ours.len() == batch * OUTPUTS {
                check("output", ours, theirs, largest(theirs).max(1.0));
                continue;
            }
            let overall = largest(theirs);
            let (ours, theirs) = (by_name(&network, ours), by_name(&network, theirs));
            for (name, theirs) in theirs {
                // A bias before a batch norm or a softmax changes nothing: what stands there is rounding
                // of other gradients.
                let none = ["head.fc1.bias", "head.fc2.bias", "attention.2.bias"];
                let scale = if none.contains(&name.as_str()) {
                    overall
                } else {
                    largest(&theirs).max(0.1 * overall)
                };
                check(&name, &ours[&name], &theirs, scale);
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_number_of_threads_changes_no_bit_of_a_step() {
    for config in configs() {
        let with = |threads: usize| -> Vec<Vec<u32>> {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let found = pool
                .unwrap()
                .install(|| two_steps(&config, 33, ComputeDevice::Cpu));
            let bits = |values: &Vec<f32>| values.iter().map(|value| value.to_bits()).collect();
            found.iter().map(bits).collect()
        };
        let one = with(1);
        for threads in [2, 3] {
            assert_eq!(one, with(threads), "{config:?}, {threads} threads");
        }
    }
}

#[test]
fn a_learner_after_other_batches_is_as_one_that_begins() {
    let config = NetworkConfig::Lstm(LstmConfig {
        bidirectional: true,
        read_out: ReadOut::Attention,
        outputs: OUTPUTS,
        ..LstmConfig::new(INPUTS, 12, 2)
    });
    let network = Network::new(&config, 1).unwrap();
    let windows = windows(40);
    let mut used = Learner::new(&network, 0, ComputeDevice::Cpu).unwrap();
    for batch in [40, 2, 7, 33] {
        let indices: Vec<usize> = (0..batch).collect();
        let of_output = numbers(batch * OUTPUTS, 5);
        let mut fresh = Learner::new(&network, 0, ComputeDevice::Cpu).unwrap();
        let expected = fresh.forward(&windows, &indices).unwrap().to_vec();
        assert_eq!(used.forward(&windows, &indices).unwrap(), expected);
        let expected = fresh.backward(&of_output).to_vec();
        assert_eq!(used.backward(&of_output), expected, "batch {batch}");
    }
}

#[test]
fn running_statistics_move_a_tenth_of_the_way() {
    let config = NetworkConfig::Lstm(LstmConfig::new(INPUTS, 8, 1));
    let network = Network::new(&config, 1).unwrap();
    let mut learner = Learner::new(&network, 0, ComputeDevice::Cpu).unwrap();
    learner.forward(&windows(4), &[0, 1, 2, 3]).unwrap();
    learner.update(|_, _| {});
    let after = by_name(&network, learner.network().weights());
    let before = by_name(&network, network.weights());
    for (name, before) in before {
        let moved = after[&name] != before;
        assert_eq!(moved, name.contains("running"), "{name}");
    }
    // Variances began at one and the batch has next to none.
    let variance = &after["head.bn1.running_var"];
    assert!(
        variance.iter().all(|value| (0.9..1.0).contains(value)),
        "{variance:?}"
    );
}

#[test]
fn batches_that_cannot_be_learned_from_are_refused() {
    let network = Network::new(&configs()[0], 1).unwrap();
    let mut learner = Learner::new(&network, 0, ComputeDevice::Cpu).unwrap();
    let one = learner.forward(&windows(3), &[1]).unwrap_err();
    assert_eq!(
        one.to_string(),
        "the number of windows of a batch is 1, expected at least 2"
    );
    let wide = Windows::new(2, 1, INPUTS + 1, vec![0.0; 2 * (INPUTS + 1)]).unwrap();
    let error = learner.forward(&wide, &[0, 1]).unwrap_err();
    assert!(matches!(error, ModelError::Width { .. }), "{error}");
    assert_eq!(
        network.with_weights(vec![0.0; 2]).unwrap_err().to_string(),
        "there are 2 weights, expected 21"
    );
}

#[test]
fn a_device_that_is_not_built_in_is_refused_and_every_name_is_read() {
    let network = Network::new(&configs()[0], 1).unwrap();
    for device in ComputeDevice::ALL {
        assert_eq!(device.name().parse(), Ok(device));
        assert_eq!(serde_json::to_value(device).unwrap(), device.name());
        let learner = Learner::new(&network, 0, device);
        assert_eq!(learner.is_ok(), device.is_built_in(), "{device}");
    }
    assert_eq!(ComputeDevice::default(), ComputeDevice::Cpu);
    let error = "gpu".parse::<ComputeDevice>().unwrap_err();
    assert!(error.contains("cpu, flex, ndarray or wgpu"), "{error}");
}
