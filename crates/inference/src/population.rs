//! The models of many people that are part of this release.

use crate::error::InferenceError;
use crate::model::FittedModel;
use std::sync::OnceLock;
use vitalcast_artifact::{Artifact, Manifest, content_hash};
use vitalcast_domain::PredictionMetric;

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
