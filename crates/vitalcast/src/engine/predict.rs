//! Forecasts.

use super::Engine;
use super::models::version_text;
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use std::collections::BTreeMap;
use vitalcast_domain::{
    BatchPredictResponse, History, PredictRequest, PredictResponse, PredictionMetric, UserId,
};
use vitalcast_inference::{FittedModel, Forecast, ForecastQuery, forecast};
use vitalcast_store::{NewForecast, Store};

/// Forecasts of several metrics, and why others failed.
#[derive(Debug)]
pub struct BatchForecast {
    /// For whom.
    pub user_id: UserId,
    /// For which day.
    pub target_date: NaiveDate,
    /// When.
    pub predicted_at: DateTime<Utc>,
    /// Those that succeeded.
    pub answers: Vec<PredictResponse>,
    /// Those that failed.
    pub failures: BTreeMap<PredictionMetric, EngineError>,
}

impl BatchForecast {
    /// The answer of the contract.
    pub fn response(&self) -> BatchPredictResponse {
        let count = self.answers.len();
        let quality: f64 = self
            .answers
            .iter()
            .map(|answer| answer.data_quality_score)
            .sum();
        BatchPredictResponse {
            user_id: self.user_id.clone(),
            target_date: self.target_date,
            predicted_at: self.predicted_at,
            predictions: self
                .answers
                .iter()
                .map(|answer| (answer.prediction.metric, answer.prediction.clone()))
                .collect(),
            overall_data_quality: if count == 0 {
                0.0
            } else {
                quality / count as f64
            },
            all_predictions_successful: self.failures.is_empty(),
            failed_metrics: self.failures.keys().copied().collect(),
            failure_reasons: self
                .failures
                .iter()
                .map(|(metric, error)| (*metric, error.to_string()))
                .collect(),
        }
    }
}

impl Engine {
    /// Forecasts one metric for one day and keeps the forecast, so that the reading can be put
    /// beside it when it arrives.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::NoModel`], [`EngineError::Inference`],
    /// [`EngineError::ForeignArtifact`] or [`EngineError::Artifact`] for a damaged model.
    pub fn predict(
        &self,
        request: &PredictRequest,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        request.validate()?;
        let history = self.load(&request.user_id)?;
        self.predict_from(&history, request, now)
    }

    /// Forecasts several metrics of one person and day; one that fails does not stop the others.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], an empty list, or a request outside its bounds.
    pub fn predict_batch(
        &self,
        requests: &[PredictRequest],
        now: DateTime<Utc>,
    ) -> Result<BatchForecast, EngineError> {
        let Some(first) = requests.first() else {
            return Err(EngineError::InvalidSetting(
                "no metric was named".to_owned(),
            ));
        };
        let history = self.load(&first.user_id)?;
        let mut batch = BatchForecast {
            user_id: first.user_id.clone(),
            target_date: first.target_date,
            predicted_at: now,
            answers: Vec::new(),
            failures: BTreeMap::new(),
        };
        for request in requests {
            request.validate()?;
            match self.predict_from(&history, request, now) {
                Ok(answer) => batch.answers.push(answer),
                Err(error) => {
                    batch.failures.insert(request.metric, error);
                }
            }
        }
        Ok(batch)
    }

    fn predict_from(
        &self,
        history: &History,
        request: &PredictRequest,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        let registered = self.choose(
            &request.user_id,
            request.metric,
            request.architecture,
            request.model_version.as_deref(),
        )?;
        let artifact = self.open_artifact(&registered)?;
        let model = FittedModel::from_artifact(&artifact)?;
        let query = ForecastQuery {
            target_date: request.target_date,
            interval_method: request.interval_method,
            interval_level: request.interval_level,
            now,
            model_id: registered.model_id.clone(),
            model_version: version_text(registered.version),
        };
        let Forecast { response, lead } = forecast(&model, artifact.manifest(), history, &query)?;
        let prediction = &response.prediction;
        self.wait(self.store.save_forecast(&NewForecast {
            user_id: request.user_id.clone(),
            metric: request.metric,
            target_date: request.target_date,
            as_of: prediction.as_of,
            model_id: registered.model_id,
            lead_days: lead as u32,
            value: prediction.predicted_value,
            lower: prediction.confidence_interval_lower,
            upper: prediction.confidence_interval_upper,
            level: prediction.interval_level,
            predicted_at: now,
            baseline_name: prediction.baseline_name.clone(),
            baseline_value: prediction.baseline_value,
        }))?;
        Ok(response)
    }
}
