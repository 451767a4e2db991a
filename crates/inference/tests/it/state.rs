//! What artifacts of format 1 hold beside the weights opens for ever: for every kind of model the
//! bytes, and beside them, as JSON, what they say.

use std::path::PathBuf;
use vitalcast_artifact::{decode_state, encode_state};
use vitalcast_domain::ModelArchitecture;
use vitalcast_inference::ModelState;
use vitalcast_models::SeriesModel;

/// The golden files of an architecture: all networks keep the same, others have files of their name.
fn file_of(architecture: ModelArchitecture) -> &'static str {
    if architecture.is_network() {
        "network"
    } else {
        architecture.as_str()
    }
}

/// The numbers with which the bytes of a state begin. A new variant gets the next one.
fn numbers_of(state: &ModelState) -> Vec<u32> {
    let series = match state {
        ModelState::Network { .. } => return vec![0],
        ModelState::Average(_) => return vec![2],
        ModelState::Pooled(_) => return vec![3],
        ModelState::Deviation { .. } => return vec![4],
        ModelState::Series(series) => series,
    };
    let number = match series {
        SeriesModel::Naive => 0,
        SeriesModel::SeasonalNaive => 1,
        SeriesModel::MovingAverage { .. } => 2,
        SeriesModel::ExponentialSmoothing { .. } => 3,
        SeriesModel::Ets(_) => 4,
        SeriesModel::Theta(_) => 5,
        SeriesModel::Ridge(_) => 6,
        SeriesModel::Trees(_) => 7,
    };
    vec![1, number]
}

fn golden(name: &str, ending: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/state")
        .join(format!("{name}.{ending}"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn golden_the_state_of_every_kind_says_what_it_said_when_it_was_written() {
    // Of a release's own model the whole file is kept, see `population.rs`.
    let of_architectures = ModelArchitecture::ALL
        .iter()
        .filter(|architecture| **architecture != ModelArchitecture::Pooled)
        .map(|architecture| file_of(*architecture));
    for name in of_architectures.chain(["deviation"]) {
        let bytes = golden(name, "bin");
        let said: ModelState = serde_json::from_slice(&golden(name, "json")).unwrap();
        let state: ModelState = decode_state(&bytes).unwrap_or_else(|error| {
            panic!("{name}: {error}: was a variant or a field put before others?")
        });
        assert_eq!(state, said, "{name}");
        // The number of a kind never changes.
        let numbers: Vec<u8> = numbers_of(&said)
            .into_iter()
            .flat_map(u32::to_le_bytes)
            .collect();
        assert!(bytes.starts_with(&numbers), "{name}");
        assert_eq!(encode_state(&said).unwrap(), bytes, "{name}");
    }
}
