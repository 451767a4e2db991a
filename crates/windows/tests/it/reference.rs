use serde_json::Value;
use std::path::PathBuf;
use vitalcast_windows::{DayMatrix, StandardScaler, TargetScaler};

/// `VITALCAST_GOLDEN_DIR` when it is set, so that anyone can check against fresh values.
fn golden_folder() -> PathBuf {
    std::env::var_os("VITALCAST_GOLDEN_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden"),
        PathBuf::from,
    )
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() <= 1e-6 * expected.abs(),
        "{found} is not within 1e-6 of {expected}"
    );
}

#[test]
fn golden_standard_scaler_is_reproduced() {
    let text = std::fs::read_to_string(golden_folder().join("metrics.json")).unwrap();
    let golden: Value = serde_json::from_str(&text).unwrap();
    let values: Vec<f64> = serde_json::from_value(golden["y_true"].clone()).unwrap();
    let mean = golden["standard_scaler"]["mean"].as_f64().unwrap();
    let scale = golden["standard_scaler"]["scale"].as_f64().unwrap();

    let target = TargetScaler::fit(&values).unwrap();
    near(target.mean(), mean);
    near(target.scale(), scale);

    // The same numbers as a column, with missing days among them.
    let days: Vec<Option<f64>> = values
        .iter()
        .flat_map(|value| [Some(*value), None])
        .collect();
    let rows = days.len();
    let matrix = DayMatrix::new(0, vec!["value".to_owned()], days).unwrap();
    let columns = StandardScaler::fit(&matrix, 0..rows).unwrap();
    near(columns.inverse(0, 0.0), mean);
    near(columns.inverse(0, 1.0) - columns.inverse(0, 0.0), scale);
}
