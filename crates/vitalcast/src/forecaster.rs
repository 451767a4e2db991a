//! Training and forecasts in memory, without files or a database.

use crate::engine::cancelled;
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use std::ops::ControlFlow;
use vitalcast_artifact::{Artifact, Manifest};
use vitalcast_domain::{
    History, IntervalMethod, ModelId, PredictRequest, PredictResponse, TrainModelRequest,
};
use vitalcast_inference::{FittedModel, ForecastQuery, forecast};
use vitalcast_models::ComputeDevice;
use vitalcast_training::{EpochReport, train};

/// Id and version of a model that is not registered.
const UNREGISTERED: &str = "in-memory";
const UNREGISTERED_VERSION: &str = "v1.0.0";

/// A fitted model in memory. See the crate's front page for an example.
#[derive(Debug)]
pub struct Forecaster {
    model: FittedModel,
    artifact: Artifact,
}

impl Forecaster {
    /// Trains on all data in `history` that are known at `now`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Training`] with counts and period if there is too little data;
    /// [`EngineError::Request`] for an invalid setting.
    pub fn fit(
        history: &History,
        request: &TrainModelRequest,
        now: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        Self::fit_with_progress(history, request, now, &mut |_| ControlFlow::Continue(()))
    }

    /// Like [`Forecaster::fit`], and calls `on_epoch` after each epoch, which can stop the training.
    ///
    /// # Errors
    ///
    /// The errors of [`Forecaster::fit`], and [`EngineError::Interrupted`].
    pub fn fit_with_progress(
        history: &History,
        request: &TrainModelRequest,
        now: DateTime<Utc>,
        on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<Self, EngineError> {
        let device = ComputeDevice::default();
        let trained = train(history, request, now, device, None, on_epoch).map_err(cancelled)?;
        Ok(Self {
            model: trained.model,
            artifact: trained.artifact,
        })
    }

    /// Forecasts one day with the data in `history` known at `now`; a past day with those known on the
    /// evening before it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Inference`] if there are no recent data or the day is too far ahead.
    pub fn forecast(
        &self,
        history: &History,
        target_date: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        let request = PredictRequest::new(history.user.clone(), self.model.metric, target_date);
        self.forecast_with(
            history,
            request.interval_method,
            request.interval_level,
            target_date,
            now,
        )
    }

    /// Like [`Forecaster::forecast`], with a chosen interval.
    ///
    /// # Errors
    ///
    /// The errors of [`Forecaster::forecast`].
    pub fn forecast_with(
        &self,
        history: &History,
        interval_method: IntervalMethod,
        interval_level: f64,
        target_date: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        let query = ForecastQuery {
            target_date,
            interval_method,
            interval_level,
            now,
            model_id: ModelId::new(UNREGISTERED)?,
            model_version: UNREGISTERED_VERSION.to_owned(),
            is_gated: false,
        };
        Ok(forecast(&self.model, self.artifact.manifest(), history, &query)?.response)
    }

    /// The manifest of the model: settings, training data and errors on the test days.
    pub fn manifest(&self) -> &Manifest {
        self.artifact.manifest()
    }

    /// The model as the bytes of an artifact, in the format of a data folder.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] if the model is too large for an artifact.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        Ok(self.artifact.to_bytes()?)
    }

    /// Reads a model from the bytes of an artifact.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] for bytes that are damaged, truncated, from a newer release or not an
    /// artifact; [`EngineError::Inference`] for a model that does not match this release.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let artifact = Artifact::from_bytes(bytes)?;
        Ok(Self {
            model: FittedModel::from_artifact(&artifact)?,
            artifact,
        })
    }
}
