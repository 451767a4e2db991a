//! What artifacts of format 1 hold beside the weights opens for ever: for every kind of model the
//! bytes, and beside them, as JSON, what they say.

use std::path::PathBuf;
use vitalcast_artifact::{decode_state, encode_state};
use vitalcast_domain::{ModelArchitecture, ModelFamily};
use vitalcast_inference::ModelState;

/// The golden files of an architecture: all networks keep the same, others have files of their name.
fn file_of(architecture: ModelArchitecture) -> &'static str {
    if architecture.is_network() {
        "network"
    } else {
        architecture.as_str()
    }
}

/// The numbers with which the bytes of a state begin, as released. They never change.
const NUMBERS: [(&str, &[u32]); 11] = [
    ("network", &[0]),
    ("naive", &[1, 0]),
    ("seasonal_naive", &[1, 1]),
    ("moving_average", &[1, 2]),
    ("exponential_smoothing", &[1, 3]),
    ("ets", &[1, 4]),
    ("theta", &[1, 5]),
    ("ridge", &[1, 6]),
    ("xgboost", &[1, 7]),
    ("average", &[2]),
    ("deviation", &[4]),
];

fn golden(name: &str, ending: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/state")
        .join(format!("{name}.{ending}"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn golden_the_state_of_every_kind_says_what_it_said_when_it_was_written() {
    // Of a release's own model the whole file is kept, see `population.rs`; that of many people's LSTM has
    // the same state.
    let of_architectures = ModelArchitecture::ALL
        .iter()
        .filter(|architecture| architecture.family() != ModelFamily::Pooled)
        .map(|architecture| file_of(*architecture));
    for name in of_architectures.chain(["deviation"]) {
        let bytes = golden(name, "bin");
        let said: ModelState = serde_json::from_slice(&golden(name, "json")).unwrap();
        let state: ModelState = decode_state(&bytes).unwrap_or_else(|error| {
            panic!("{name}: {error}: was a variant or a field put before others?")
        });
        assert_eq!(state, said, "{name}");
        assert_eq!(encode_state(&said).unwrap(), bytes, "{name}");
    }
    for (name, numbers) in NUMBERS {
        let numbers: Vec<u8> = numbers
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        assert!(golden(name, "bin").starts_with(&numbers), "{name}");
    }
}
