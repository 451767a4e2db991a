use serde::Deserialize;
use std::path::PathBuf;
use vitalcast_evaluation::Accuracy;

#[derive(Deserialize)]
struct Golden {
    y_true: Vec<f64>,
    y_pred: Vec<f64>,
    mae: f64,
    rmse: f64,
    r2_score: f64,
    mape_percent: f64,
    mase_lag1: f64,
}

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
fn golden_metrics_are_reproduced() {
    let text = std::fs::read_to_string(golden_folder().join("metrics.json")).unwrap();
    let golden: Golden = serde_json::from_str(&text).unwrap();
    let accuracy = Accuracy::of(&golden.y_true, &golden.y_pred).unwrap();
    near(accuracy.mae, golden.mae);
    near(accuracy.rmse, golden.rmse);
    near(accuracy.r2.unwrap(), golden.r2_score);
    near(accuracy.mape.unwrap(), golden.mape_percent);
    near(accuracy.mase.unwrap(), golden.mase_lag1);
}
