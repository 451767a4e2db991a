use safetensors::SafeTensors;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitalcast_models::{LstmConfig, Network, NetworkConfig, Windows};

#[derive(Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    model: String,
    input_dim: usize,
    hidden_dim: usize,
    num_layers: usize,
    bidirectional: bool,
    batch: usize,
    sequence_length: usize,
}

/// `VITALCAST_GOLDEN_DIR` when it is set, so that anyone can check against fresh values.
fn golden_folder() -> PathBuf {
    std::env::var_os("VITALCAST_GOLDEN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
        PathBuf::from,
    )
}

pub(crate) struct Golden {
    pub(crate) config: NetworkConfig,
    pub(crate) weights: Vec<u8>,
    pub(crate) windows: Windows,
    eval_output: Vec<f32>,
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

pub(crate) fn singles() -> Vec<Entry> {
    let text = std::fs::read_to_string(golden_folder().join("lstm_index.json")).unwrap();
    let index: Vec<Entry> = serde_json::from_str(&text).unwrap();
    index
        .into_iter()
        .filter(|entry| entry.model == "single")
        .collect()
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
            input_width: entry.input_dim,
            hidden_width: entry.hidden_dim,
            layers: entry.num_layers,
            dropout: 0.0,
            bidirectional: entry.bidirectional,
            outputs: 1,
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

#[test]
fn golden_single_networks_give_pytorchs_eval_output() {
    let singles = singles();
    assert_eq!(singles.len(), 4);
    for entry in singles {
        let golden = read(&entry);
        let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
        let found = network.predict(&golden.windows).unwrap();
        assert_eq!(found.len(), golden.eval_output.len());
        for (found, expected) in found.iter().zip(&golden.eval_output) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{}: {found} {expected}",
                entry.name
            );
        }
    }
}

#[test]
fn a_window_forecasts_the_same_alone_and_among_others() {
    for entry in singles() {
        let golden = read(&entry);
        let network = Network::from_safetensors(&golden.config, &golden.weights).unwrap();
        let together = network.predict(&golden.windows).unwrap();
        for (index, expected) in together.iter().enumerate() {
            let alone = Windows::new(
                1,
                entry.sequence_length,
                entry.input_dim,
                golden.windows.gather(&[index]),
            )
            .unwrap();
            let found = network.predict(&alone).unwrap()[0];
            assert_eq!(found.to_bits(), expected.to_bits(), "{found} {expected}");
        }
    }
}

#[test]
fn weights_written_and_read_again_are_the_same_network() {
    for entry in singles() {
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
