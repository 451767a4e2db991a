//! Forecasts.

use super::Engine;
use super::cache::{ReadyModel, Sort, holds_until};
use super::many_people::Champion;
use super::models::version_text;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use vitalcast_artifact::Manifest;
use vitalcast_domain::{
    BatchPredictResponse, History, ModelArchitecture, ModelId, PredictRequest, PredictResponse,
    PredictionMetric, UserId,
};
use vitalcast_features::LOOK_BACK_DAYS;
use vitalcast_inference::{FittedModel, Forecast, ForecastQuery, Population, forecast, population};
use vitalcast_store::{NewForecast, RegisteredModel, Store};

/// As many days as any calendar has.
const ALL_DAYS: u64 = 100_000_000;

/// The last days of a person, as many as a forecast needs.
struct Recent {
    days: u64,
    history: History,
}

/// Forecasts of several metrics, and the errors of the failed ones.
#[derive(Debug)]
pub struct BatchForecast {
    /// Id of the person.
    pub user_id: UserId,
    /// The day that was forecast.
    pub target_date: NaiveDate,
    /// Time of the computation.
    pub predicted_at: DateTime<Utc>,
    /// The successful forecasts.
    pub answers: Vec<PredictResponse>,
    /// The errors of the failed metrics.
    pub failures: BTreeMap<PredictionMetric, EngineError>,
}

impl BatchForecast {
    /// Converts it to the response of the contract.
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
    /// Forecasts one metric for one day and stores the forecast, to compare it later with the measured
    /// value. The same request with unchanged data and models is answered from the cache, with `cached`
    /// set.
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
        self.predict_from(&mut None, request, now)
    }

    /// The response to a forecast request, if it is cached: never waits, never computes.
    pub fn predict_at_once(
        &self,
        request: &PredictRequest,
        now: DateTime<Utc>,
    ) -> Option<PredictResponse> {
        if request.force_recompute_features || request.validate().is_err() {
            return None;
        }
        let generation = self.generation_at_once(&request.user_id)??;
        let kept: Option<PredictResponse> = self.kept_here(&forecast_key(request), generation, now);
        kept.map(|response| PredictResponse {
            cached: true,
            ..response
        })
    }

    /// Forecasts several metrics of one person and day; if one fails, the others are still computed.
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
        self.profile(&first.user_id)?;
        let mut recent = None;
        let mut batch = BatchForecast {
            user_id: first.user_id.clone(),
            target_date: first.target_date,
            predicted_at: now,
            answers: Vec::new(),
            failures: BTreeMap::new(),
        };
        for request in requests {
            request.validate()?;
            match self.predict_from(&mut recent, request, now) {
                Ok(answer) => batch.answers.push(answer),
                Err(error) => {
                    batch.failures.insert(request.metric, error);
                }
            }
        }
        Ok(batch)
    }

    /// Forecasts from the cache, or from the needed days, which are loaded once.
    fn predict_from(
        &self,
        recent: &mut Option<Recent>,
        request: &PredictRequest,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        let user = &request.user_id;
        let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let key = forecast_key(request);
        let mut compute = || {
            let served = self.served(request)?;
            // A month to compare with, whatever the model reads; a model of many people reads all.
            let days = if served.model().as_pooled().is_some() {
                u64::MAX
            } else {
                (served.model().lookback.max(LOOK_BACK_DAYS) + LOOK_BACK_DAYS) as u64
            };
            if recent.as_ref().is_none_or(|recent| recent.days < days) {
                let history = self.recent(user, request.target_date, days)?;
                *recent = Some(Recent { days, history });
            }
            let history = &recent.as_ref().expect("it was just loaded").history;
            match self.compute(history, request, now, &served) {
                Ok(response) => Ok((response, holds_until(history, now))),
                // What there is instead, only the whole history tells.
                Err(EngineError::Inference(_)) => {
                    let history = self.load(user)?;
                    let response = self.compute(&history, request, now, &served)?;
                    Ok((response, holds_until(&history, now)))
                }
                Err(error) => Err(error),
            }
        };
        let (mut response, cached) = if request.force_recompute_features {
            let (response, until) = compute()?;
            self.keep(Sort::Forecast, &key, generation, now, (&response, until));
            (response, false)
        } else {
            self.kept_or(Sort::Forecast, &key, generation, now, compute)?
        };
        response.cached = cached;
        // Erased while this was computed: then nothing of it may stay.
        if !cached && self.generation(user)?.is_none() {
            self.forget_person(user);
        }
        Ok(response)
    }

    /// The model of a forecast: the one that was asked for, else the person's active model, else the active
    /// model of many people of this folder, else that of the release.
    fn served(&self, request: &PredictRequest) -> Result<Served, EngineError> {
        let chosen = self.choose(
            &request.user_id,
            request.metric,
            request.architecture,
            request.model_version.as_deref(),
        );
        match chosen {
            Ok(registered) => {
                let ready = self.ready_model(&registered)?;
                Ok(Served::Registered(registered, ready))
            }
            Err(none @ EngineError::NoModel { .. }) if is_content_with_many_people(request) => {
                if let Some(Champion { registered, ready }) = self.champion(request.metric)? {
                    return Ok(Served::Registered(registered, ready));
                }
                population(request.metric)?
                    .map(Served::OfRelease)
                    .ok_or(none)
            }
            Err(error) => Err(error),
        }
    }

    /// Loads the days that a forecast of a day can depend on. Loading a long history completely would
    /// take most of the time of a forecast.
    fn recent(&self, user: &UserId, target: NaiveDate, days: u64) -> Result<History, EngineError> {
        let Some(first) = target.checked_sub_days(Days::new(days.min(ALL_DAYS))) else {
            return self.load(user);
        };
        let history = self.wait(self.store.history(user, Some(first..=target)))?;
        history.ok_or_else(|| self.unknown(user))
    }

    fn compute(
        &self,
        history: &History,
        request: &PredictRequest,
        now: DateTime<Utc>,
        served: &Served,
    ) -> Result<PredictResponse, EngineError> {
        let query = ForecastQuery {
            target_date: request.target_date,
            interval_method: request.interval_method,
            interval_level: request.interval_level,
            now,
            model_id: served.id()?,
            model_version: served.version(),
        };
        let model_id = query.model_id.clone();
        let Forecast { response, lead } =
            forecast(served.model(), served.manifest(), history, &query)?;
        let prediction = &response.prediction;
        self.keep_forecast(NewForecast {
            user_id: request.user_id.clone(),
            metric: request.metric,
            target_date: request.target_date,
            as_of: prediction.as_of,
            model_id,
            lead_days: lead as u32,
            value: prediction.predicted_value,
            lower: prediction.confidence_interval_lower,
            upper: prediction.confidence_interval_upper,
            level: prediction.interval_level,
            predicted_at: now,
            confidence: Some(prediction.confidence_score),
            baseline_name: prediction.baseline_name.clone(),
            baseline_value: prediction.baseline_value,
        })?;
        Ok(response)
    }
}

/// Whether the request asks for no model of the person's own.
fn is_content_with_many_people(request: &PredictRequest) -> bool {
    request.model_version.is_none()
        && request
            .architecture
            .is_none_or(|architecture| architecture == ModelArchitecture::Pooled)
}

/// The model of a forecast.
enum Served {
    Registered(RegisteredModel, Arc<ReadyModel>),
    OfRelease(&'static Population),
}

impl Served {
    fn model(&self) -> &FittedModel {
        match self {
            Self::Registered(_, ready) => &ready.model,
            Self::OfRelease(population) => &population.model,
        }
    }

    fn manifest(&self) -> &Manifest {
        match self {
            Self::Registered(_, ready) => &ready.manifest,
            Self::OfRelease(population) => &population.manifest,
        }
    }

    /// `population_{METRIC}_{hash}` for the model of the release.
    fn id(&self) -> Result<ModelId, EngineError> {
        match self {
            Self::Registered(registered, _) => Ok(registered.model_id.clone()),
            Self::OfRelease(population) => {
                let (metric, hash) = (population.model.metric, &population.hash[..8]);
                Ok(ModelId::new(format!("population_{metric}_{hash}"))?)
            }
        }
    }

    fn version(&self) -> String {
        match self {
            Self::Registered(registered, _) => version_text(registered.version),
            Self::OfRelease(_) => version_text(1),
        }
    }
}

/// `prediction:{user}:{METRIC}:{date}`, followed by the other settings of the request.
fn forecast_key(request: &PredictRequest) -> String {
    format!(
        "prediction:{}:{}:{}:{}:{}:{}:{}",
        request.user_id,
        request.metric,
        request.target_date,
        request.model_version.as_deref().unwrap_or(""),
        request
            .architecture
            .map_or("", |architecture| architecture.as_str()),
        request.interval_method,
        request.interval_level,
    )
}
