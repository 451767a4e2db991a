//! The in-memory path: history in, fitted forecaster out, no files and no database.

use crate::engine::{BacktestAnswer, BacktestRequest, backtest_history, cancelled};
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

/// Id and version of a model that is in no registry.
const UNREGISTERED: &str = "in-memory";
const UNREGISTERED_VERSION: &str = "v1.0.0";

/// A fitted model in memory. See the crate's front page for an example.
#[derive(Debug)]
pub struct Forecaster {
    model: FittedModel,
    artifact: Artifact,
}

impl Forecaster {
    /// Trains on everything known in `history` at `now`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Training`] with counts, shortfall and date range when there is too little;
    /// [`EngineError::Request`] for a setting outside its bounds.
    pub fn fit(
        history: &History,
        request: &TrainModelRequest,
        now: DateTime<Utc>,
    ) -> Result<Self, EngineError> {
        Self::fit_with_progress(history, request, now, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, telling of every epoch; `on_epoch` may stop it.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::fit`], and [`EngineError::Interrupted`].
    pub fn fit_with_progress(
        history: &History,
        request: &TrainModelRequest,
        now: DateTime<Utc>,
        on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<Self, EngineError> {
        let device = ComputeDevice::default();
        let trained = train(history, request, now, device, on_epoch).map_err(cancelled)?;
        Ok(Self {
            model: trained.model,
            artifact: trained.artifact,
        })
    }

    /// Forecasts one day with what was known in `history` on the evening before it, or at `now` if
    /// that is earlier.
    ///
    /// # Errors
    ///
    /// [`EngineError::Inference`] when nothing recent is known or the day is too far ahead.
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

    /// The same with an interval of one's choice.
    ///
    /// # Errors
    ///
    /// As [`Forecaster::forecast`].
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
        };
        Ok(forecast(&self.model, self.artifact.manifest(), history, &query)?.response)
    }

    /// What the model is, learned from, and achieved on its test days.
    pub fn manifest(&self) -> &Manifest {
        self.artifact.manifest()
    }

    /// The model as the bytes of an artifact, the same a data folder holds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] when the model is larger than an artifact may be.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EngineError> {
        Ok(self.artifact.to_bytes()?)
    }

    /// Reads a model from the bytes of an artifact.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] for bytes that are damaged, truncated, of a newer release or no
    /// artifact at all; [`EngineError::Inference`] for a model that does not fit this release.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EngineError> {
        let artifact = Artifact::from_bytes(bytes)?;
        Ok(Self {
            model: FittedModel::from_artifact(&artifact)?,
            artifact,
        })
    }
}

/// Replays the last days of a history in memory; see [`crate::Engine::backtest`].
///
/// # Errors
///
/// [`EngineError::Training`] when too little is left to train on.
pub fn backtest(
    history: &History,
    request: &BacktestRequest,
    now: DateTime<Utc>,
) -> Result<BacktestAnswer, EngineError> {
    backtest_history(history, request, now, &mut |_| ControlFlow::Continue(()))
}
