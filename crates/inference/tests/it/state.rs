//! What artifacts of format 1 hold beside the weights opens for ever: for every kind of model the
//! bytes, and beside them, as JSON, what they say.

use std::path::PathBuf;
use vitalcast_artifact::{decode_state, encode_state};
use vitalcast_domain::ModelArchitecture;
use vitalcast_inference::ModelState;
use vitalcast_models::SeriesModel;

/// The golden files of an architecture.
fn file_of(architecture: ModelArchitecture) -> &'static str {
    match architecture {
        ModelArchitecture::Lstm
        | ModelArchitecture::LstmAttention
        | ModelArchitecture::MultiTask
        | ModelArchitecture::Linear => "network",
        ModelArchitecture::Xgboost => "trees",
        ModelArchitecture::Naive => "naive",
        ModelArchitecture::SeasonalNaive => "seasonal_naive",
        ModelArchitecture::MovingAverage => "moving_average",
        ModelArchitecture::ExponentialSmoothing => "exponential_smoothing",
        ModelArchitecture::Ets => "ets",
        ModelArchitecture::Theta => "theta",
        ModelArchitecture::Ridge => "ridge",
        ModelArchitecture::Average => "average",
    }
}

/// The golden files of a state. A new variant gets a name, and with it files.
fn file_of_state(state: &ModelState) -> &'static str {
    match state {
        ModelState::Network { .. } => "network",
        ModelState::Average(_) => "average",
        ModelState::Series(series) => match series {
            SeriesModel::Naive => "naive",
            SeriesModel::SeasonalNaive => "seasonal_naive",
            SeriesModel::MovingAverage { .. } => "moving_average",
            SeriesModel::ExponentialSmoothing { .. } => "exponential_smoothing",
            SeriesModel::Ets(_) => "ets",
            SeriesModel::Theta(_) => "theta",
            SeriesModel::Ridge(_) => "ridge",
            SeriesModel::Trees(_) => "trees",
        },
    }
}

fn golden(name: &str, ending: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/state")
        .join(format!("{name}.{ending}"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn golden_the_state_of_every_kind_says_what_it_said_when_it_was_written() {
    for &architecture in ModelArchitecture::ALL {
        let name = file_of(architecture);
        let bytes = golden(name, "bin");
        let said: ModelState = serde_json::from_slice(&golden(name, "json")).unwrap();
        let state: ModelState = decode_state(&bytes).unwrap_or_else(|error| {
            panic!("{name}: {error}: was a variant or a field put before others?")
        });
        assert_eq!(state, said, "{name}");
        assert_eq!(file_of_state(&state), name);
        assert_eq!(encode_state(&said).unwrap(), bytes, "{name}");
    }
}

#[test]
fn golden_the_number_of_a_kind_never_changes() {
    let begins = |name: &str, numbers: &[u32]| {
        let bytes: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
        let state = golden(name, "bin");
        assert_eq!(state[..bytes.len()], bytes, "{name}");
    };
    begins("network", &[0]);
    begins("average", &[2]);
    let series = [
        "naive",
        "seasonal_naive",
        "moving_average",
        "exponential_smoothing",
        "ets",
        "theta",
        "ridge",
        "trees",
    ];
    for (number, name) in series.into_iter().enumerate() {
        begins(name, &[1, number as u32]);
    }
}
