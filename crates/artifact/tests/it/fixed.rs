//! The values of the golden file. They never change: the file made from them is kept for ever.

use safetensors::Dtype;
use safetensors::tensor::{TensorView, serialize};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vitalcast_artifact::{
    Artifact, Calibration, LeadCalibration, Manifest, ReportedMetrics, ResidualQuantile,
    WindowCounts,
};
use vitalcast_domain::{ModelArchitecture, PredictionMetric};

/// One of each kind of value bincode writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FixedState {
    pub(crate) scaler: FixedScaler,
    pub(crate) levels: BTreeMap<String, f64>,
    pub(crate) last_value: Option<f32>,
    pub(crate) season: Option<u8>,
    pub(crate) counts: Vec<usize>,
    pub(crate) signed: i32,
    pub(crate) fitted: bool,
    pub(crate) pair: (u16, char),
}

/// Two variants, so that the variant's number is in the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum FixedScaler {
    Identity,
    Standard { means: Vec<f64>, scales: Vec<f64> },
}

pub(crate) fn state() -> FixedState {
    FixedState {
        scaler: FixedScaler::Standard {
            means: vec![58.25, 0.1, -3.0],
            scales: vec![2.5, 1.0, 0.3],
        },
        levels: BTreeMap::from([("alpha".to_owned(), 0.3), ("level".to_owned(), 57.9)]),
        last_value: Some(59.5),
        season: None,
        counts: vec![0, 7, 300],
        signed: -5,
        fitted: true,
        pair: (513, 'ü'),
    }
}

pub(crate) fn weights() -> Vec<u8> {
    let bytes = |values: &[f32]| -> Vec<u8> {
        values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    };
    let (weight, bias) = (
        bytes(&[0.5, -0.25, 1e-3, 3.0, -0.0, 0.1]),
        bytes(&[0.75, -1.5]),
    );
    let view = |shape: &[usize], bytes| TensorView::new(Dtype::F32, shape.to_vec(), bytes);
    let tensors = [
        ("head.weight", view(&[2, 3], &weight).expect("six values")),
        ("head.bias", view(&[2], &bias).expect("two values")),
    ];
    serialize(tensors, None).expect("two well-formed tensors")
}

pub(crate) fn manifest() -> Manifest {
    let lead = |lead_days: usize, spread: f64| LeadCalibration {
        lead_days,
        residual_count: 41,
        mae: 1.05 * spread,
        quantiles: [(0.8, 1.5), (0.9, 2.0), (0.95, 2.625)]
            .map(|(level, bound)| ResidualQuantile {
                level,
                lower: -bound * spread,
                upper: (bound + 0.125) * spread,
            })
            .to_vec(),
    };
    Manifest {
        metric: PredictionMetric::RestingHeartRate,
        architecture: ModelArchitecture::Lstm,
        config: serde_json::json!({
            "bidirectional": false,
            "dropout": 0.2,
            "hidden_dim": 32,
            "layers": [{ "input": 3, "output": 2 }],
        }),
        feature_names: ["nutrition_protein_daily", "activity_steps_daily"]
            .map(str::to_owned)
            .to_vec(),
        lookback_days: 30,
        horizon_days: 1,
        history_days: 90,
        calibration: Calibration {
            leads: vec![lead(1, 1.0), lead(2, 1.25), lead(7, 2.0)],
        },
        first_day: "2024-02-01".parse().expect("a date"),
        last_day: "2024-04-30".parse().expect("a date"),
        windows: WindowCounts {
            train: 36,
            validation: 8,
            calibration: 8,
            test: 8,
        },
        metrics: ReportedMetrics {
            train_loss: Some(0.41),
            val_loss: Some(0.52),
            best_val_loss: Some(0.5),
            mae: 1.1,
            rmse: 1.4,
            r2_score: Some(-0.03),
            mape: Some(1.9),
            mase: None,
            epochs_trained: 23,
            early_stopped: true,
        },
        skill: Some(-0.0475),
        baseline_name: Some("naive".to_owned()),
        baseline_mae: Some(1.05),
        gate: None,
        deviation: None,
        is_production_ready: false,
        quality_issues: vec!["R² is -0.03, below 0.5".to_owned()],
        request: serde_json::json!({ "epochs": 50, "lookback_days": 90, "user_id": "person-7" }),
        seed: 42,
        threads: 2,
        code_version: "0.1.0".to_owned(),
    }
}

pub(crate) fn artifact() -> Artifact {
    Artifact::new(manifest(), Some(weights()), &state()).expect("the fixed values are valid")
}
