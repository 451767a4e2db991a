use safetensors::SafeTensors;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitalcast_models::{
    ComputeDevice, Head, LstmConfig, Network, NetworkConfig, Prediction, ReadOut, Windows,
};

#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    model: String,
    input_dim: usize,
    hidden_dim: usize,
    num_layers: usize,
    bidirectional: bool,
    tasks: usize,
    batch: usize,
    sequence_length: usize,
}

/// `VITALCAST_GOLDEN_DIR` when it is set, so that anyone can check against fresh values.
pub(crate) fn golden_folder() -> PathBuf {
    std::env::var_os("VITALCAST_GOLDEN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
        PathBuf::from,
    )
}

pub(crate) struct Golden {
    pub(crate) config: NetworkConfig,
    pub(crate) weights: Vec<u8>,
    pub(crate) windows: Windows,
    pub(crate) eval_output: Vec<f32>,
    eval_attention: Option<Vec<f32>>,
    pub(crate) train_output: Vec<f32>,
    pub(crate) target: Vec<f32>,
    /// By PyTorch's name of the weight.
    pub(crate) gradients: BTreeMap<String, Vec<f32>>,
}

pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect()
}

/// The seven networks.
pub(crate) fn entries() -> Vec<Entry> {
    let text = std::fs::read_to_string(golden_folder().join("lstm_index.json")).unwrap();
    let entries: Vec<Entry> = serde_json::from_str(&text).unwrap();
    assert_eq!(entries.len(), 7);
    entries
}

/// Every device of this build. One that cannot be opened fails the test: what is built in is tested.
pub(crate) fn devices() -> Vec<ComputeDevice> {
    let built_in = |device: &ComputeDevice| device.is_built_in();
    ComputeDevice::ALL.into_iter().filter(built_in).collect()
}

pub(crate) fn read(entry: &Entry) -> Golden {
    let file = golden_folder().join(format!("lstm_{}.safetensors", entry.name));
    let bytes = std::fs::read(file).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let weights: Vec<_> = tensors
        .tensors()
        .into_iter()
        .filter_map(|(name, view)| Some((name.strip_prefix("weight.")?.to_owned(), view)))
        .collect();
    Golden {
        config: NetworkConfig::Lstm(LstmConfig {
            bidirectional: entry.bidirectional,
            outputs: entry.tasks,
            read_out: match entry.model.as_str() {
                "attention" => ReadOut::Attention,
                _ => ReadOut::LastDay,
            },
            head: match entry.model.as_str() {
                "multi" => Head::PerOutput,
                _ => Head::Joint,
            },
            ..LstmConfig::new(entry.input_dim, entry.hidden_dim, entry.num_layers)
        }),
        weights: safetensors::serialize(weights, None).unwrap(),
        windows: Windows::new(
            entry.batch,
            entry.sequence_length,
            entry.input_dim,
            floats(tensors.tensor("input").unwrap().data()),
        )
        .unwrap(),
        eval_output: floats(tensors.tensor("eval_output").unwrap().data()),
        eval_attention: tensors
            .tensor("eval_attention")
            .ok()
            .map(|view| floats(view.data())),
        train_output: floats(tensors.tensor("train_output").unwrap().data()),
        target: floats(tensors.tensor("target").unwrap().data()),
        gradients: tensors
            .tensors()
            .into_iter()
            .filter_map(|(name, view)| {
                Some((name.strip_prefix("grad.")?.to_owned(), floats(view.data())))
            })
            .collect(),
    }
}

#[track_caller]
fn assert_near(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() < tolerance,
            "{what}: {found} {expected}"
        );
    }
}

#[test]
fn golden_networks_give_pytorchs_eval_output() {
    for entry in entries() {
        let golden = read(&entry);
        let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
        check(
            &entry,
            &golden,
            "cpu",
            &network.explain(&golden.windows).unwrap(),
        );
        #[cfg(feature = "burn")]
        for device in devices() {
            if device == ComputeDevice::Cpu {
                continue;
            }
            let on_device = device.open().unwrap();
            let network = vitalcast_models::BurnNetwork::new(&network, &on_device);
            let found = network.explain(&golden.windows).unwrap();
            check(&entry, &golden, device.name(), &found);
        }
    }
}

fn check(entry: &Entry, golden: &Golden, device: &str, found: &Prediction) {
    let what = format!("{} on {device}", entry.name);
    assert_near(&found.values, &golden.eval_output, 1e-5, &what);
    assert_eq!(
        found.attention.is_some(),
        golden.eval_attention.is_some(),
        "{what}"
    );
    if let (Some(found), Some(expected)) = (&found.attention, &golden.eval_attention) {
        assert_near(found, expected, 1e-6, &what);
        for weights in found.chunks(entry.sequence_length) {
            assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{what}");
        }
    }
}

#[test]
fn a_window_forecasts_the_same_alone_and_among_others() {
    for entry in entries() {
        let golden = read(&entry);
        let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
        let together = network.predict(&golden.windows).unwrap();
        for (index, expected) in together.chunks(entry.tasks).enumerate() {
            let alone = Windows::new(
                1,
                entry.sequence_length,
                entry.input_dim,
                golden.windows.gather(&[index]),
            )
            .unwrap();
            let found = network.predict(&alone).unwrap();
            let bits = |values: &[f32]| -> Vec<u32> {
                values.iter().map(|value| value.to_bits()).collect()
            };
            assert_eq!(bits(&found), bits(expected), "{} {found:?}", entry.name);
        }
    }
}

#[test]
fn weights_written_and_read_again_are_the_same_network() {
    for entry in entries() {
        let golden = read(&entry);
        let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
        let written = network.to_safetensors().unwrap();
        let again = Network::from_safetensors(&golden.config, &written).unwrap();
        assert_eq!(
            network.predict(&golden.windows).unwrap(),
            again.predict(&golden.windows).unwrap()
        );
        assert!(written == again.to_safetensors().unwrap());
    }
}
