//! What forecasts without a training: the models of many people that are part of this release, and simple
//! forecasts of the metric that none of them knows.

use crate::error::InferenceError;
use crate::forecast::COMPARISON_DAYS;
use crate::model::FittedModel;
use chrono::NaiveDate;
use serde_json::Value;
use std::sync::OnceLock;
use vitalcast_artifact::{
    Artifact, Calibration, Manifest, ReportedMetrics, WindowCounts, content_hash,
};
use vitalcast_domain::{MAX_HORIZON_DAYS, ModelArchitecture, PredictionMetric};

/// A model that is part of this release.
#[derive(Debug)]
pub struct Population {
    /// The model, ready to forecast.
    pub model: FittedModel,
    /// Its card: what it was fitted to, how well it does.
    pub manifest: Manifest,
    /// Hash of its file.
    pub hash: String,
}

/// The model of a metric that is part of this release; `None` for a metric without one.
///
/// # Errors
///
/// An error of the file, which a test rules out for a release.
pub fn population(metric: PredictionMetric) -> Result<Option<&'static Population>, InferenceError> {
    static MODELS: [OnceLock<Population>; 4] = [const { OnceLock::new() }; 4];
    let (place, bytes): (usize, &[u8]) = match metric {
        PredictionMetric::RestingHeartRate => {
            (0, include_bytes!("../population/RESTING_HEART_RATE.vcm"))
        }
        PredictionMetric::HeartRateVariabilityRmssd => (
            1,
            include_bytes!("../population/HEART_RATE_VARIABILITY_RMSSD.vcm"),
        ),
        PredictionMetric::SleepDuration => (2, include_bytes!("../population/SLEEP_DURATION.vcm")),
        PredictionMetric::RecoveryScore => (3, include_bytes!("../population/RECOVERY_SCORE.vcm")),
        PredictionMetric::HeartRateVariabilitySdnn => return Ok(None),
    };
    if let Some(ready) = MODELS[place].get() {
        return Ok(Some(ready));
    }
    let artifact = Artifact::from_bytes(bytes)?;
    let ready = Population {
        model: FittedModel::from_artifact(&artifact)?,
        manifest: artifact.manifest().clone(),
        hash: content_hash(bytes),
    };
    Ok(Some(MODELS[place].get_or_init(|| ready)))
}

/// What forecasts a metric for who has trained nothing: the model of many people that is part of this release,
/// else the simple forecast that does best on the person's own past.
///
/// # Errors
///
/// Those of [`population`].
pub fn without_training(metric: PredictionMetric) -> Result<&'static Population, InferenceError> {
    static SIMPLE: OnceLock<Population> = OnceLock::new();
    if let Some(release) = population(metric)? {
        return Ok(release);
    }
    // One metric is without a model; a test says so.
    Ok(SIMPLE.get_or_init(|| Population {
        model: FittedModel::simple(metric),
        manifest: nothing_learned(metric),
        hash: content_hash(b"simple forecasts"),
    }))
}

/// The manifest of simple forecasts: nothing was fitted, so there are no days, errors and settings.
fn nothing_learned(metric: PredictionMetric) -> Manifest {
    Manifest {
        metric,
        architecture: ModelArchitecture::ExponentialSmoothing,
        config: Value::Null,
        feature_names: Vec::new(),
        lookback_days: COMPARISON_DAYS,
        horizon_days: MAX_HORIZON_DAYS,
        history_days: 0,
        first_day: NaiveDate::default(),
        last_day: NaiveDate::default(),
        windows: WindowCounts::default(),
        calibration: Calibration::default(),
        metrics: ReportedMetrics {
            train_loss: None,
            val_loss: None,
            best_val_loss: None,
            mae: f64::NAN,
            rmse: f64::NAN,
            r2_score: None,
            mape: None,
            mase: None,
            epochs_trained: 0,
            early_stopped: false,
        },
        skill: None,
        baseline_name: None,
        baseline_mae: None,
        is_production_ready: false,
        quality_issues: Vec::new(),
        gate: None,
        deviation: None,
        request: Value::Null,
        seed: 0,
        threads: 1,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
