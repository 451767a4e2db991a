//! Checkpoints as `torch.save` writes them: `fixtures/pytorch`.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vitalcast_models::{ModelError, Network, NetworkConfig, Windows, pytorch_weights};

#[derive(Deserialize)]
struct Case {
    input: Vec<f32>,
    shape: [usize; 3],
    output: Vec<f32>,
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pytorch")
}

#[test]
fn a_checkpoint_forecasts_what_pytorch_forecasts() {
    let text = std::fs::read_to_string(folder().join("expected.json")).unwrap();
    let cases: BTreeMap<String, Case> = serde_json::from_str(&text).unwrap();
    assert_eq!(cases.len(), 4);
    for (name, case) in cases {
        let weights = pytorch_weights(&folder().join(format!("{name}.pt"))).unwrap();
        let config = NetworkConfig::of_weights(&weights).unwrap();
        let network = Network::from_safetensors(&config, &weights).unwrap();
        let [count, lookback, features] = case.shape;
        let windows = Windows::new(count, lookback, features, case.input).unwrap();
        let found = network.predict(&windows).unwrap();
        assert_eq!(found.len(), case.output.len(), "{name}");
        for (found, expected) in found.iter().zip(&case.output) {
            assert!(
                (found - expected).abs() < 1e-5,
                "{name}: {found} {expected}"
            );
        }
        // What is written uses our names and is the same network.
        let ours = network.to_safetensors().unwrap();
        assert_eq!(NetworkConfig::of_weights(&ours).unwrap(), config);
    }
}

#[test]
fn a_file_that_is_no_checkpoint_is_refused() {
    let scratch = std::env::temp_dir().join(format!("vitalcast-pt-{}", std::process::id()));
    let whole = std::fs::read(folder().join("single.pt")).unwrap();
    let mut changed = whole.clone();
    for byte in changed.iter_mut().skip(200).step_by(97) {
        *byte ^= 0x5a;
    }
    for bytes in [
        &b""[..],
        b"not a checkpoint",
        &whole[..whole.len() / 2],
        &changed,
    ] {
        std::fs::write(&scratch, bytes).unwrap();
        let error = pytorch_weights(&scratch).unwrap_err();
        assert!(
            matches!(
                error,
                ModelError::NotPytorch(_) | ModelError::WeightShape { .. }
            ),
            "{error}"
        );
    }
    std::fs::remove_file(&scratch).unwrap();
    let error = pytorch_weights(&scratch).unwrap_err();
    assert!(matches!(error, ModelError::NotPytorch(_)), "{error}");
}

#[test]
fn weights_of_no_network_are_refused_by_the_first_that_is_missing() {
    let none: [(&str, safetensors::tensor::TensorView<'_>); 0] = [];
    let bytes = safetensors::serialize(none, None).unwrap();
    assert_eq!(
        NetworkConfig::of_weights(&bytes).unwrap_err(),
        ModelError::MissingWeight("lstm.weight_ih_l0".to_owned())
    );
}
