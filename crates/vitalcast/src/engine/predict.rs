//! Forecasts.

use super::Engine;
use super::cache::{ReadyModel, Sort, holds_until};
use super::models::{choose, parse_version, version_text};
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use vitalcast_artifact::Manifest;
use vitalcast_domain::{
    BatchPredictResponse, ModelArchitecture, ModelId, PredictRequest, PredictResponse,
    PredictionMetric, UserId,
};
use vitalcast_features::{LOOK_BACK_DAYS, PersonData};
use vitalcast_inference::{
    FittedModel, Forecast, ForecastQuery, InferenceError, Population, forecast, without_training,
};
use vitalcast_store::{Generation, NewForecast, RegisteredModel};

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
        self.predict_from(request, now)
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
        let user = &first.user_id;
        self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let mut batch = BatchForecast {
            user_id: first.user_id.clone(),
            target_date: first.target_date,
            predicted_at: now,
            answers: Vec::new(),
            failures: BTreeMap::new(),
        };
        for request in requests {
            request.validate()?;
            match self.predict_from(request, now) {
                Ok(answer) => batch.answers.push(answer),
                Err(error) => {
                    batch.failures.insert(request.metric, error);
                }
            }
        }
        Ok(batch)
    }

    /// Forecasts from the cache, or from the person's days.
    fn predict_from(
        &self,
        request: &PredictRequest,
        now: DateTime<Utc>,
    ) -> Result<PredictResponse, EngineError> {
        let user = &request.user_id;
        let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
        let key = forecast_key(request);
        let compute = || {
            let served = self.served(request, generation)?;
            // A month to compare with, whatever a network reads; other models read all.
            let days = (served.model().lookback.max(LOOK_BACK_DAYS) + LOOK_BACK_DAYS + 1) as u64;
            let needed = if served.model().reads_whole_history() {
                None
            } else {
                request.target_date.checked_sub_days(Days::new(days))
            };
            let from = needed.unwrap_or(NaiveDate::MIN);
            let computed = match self.compute_from_days(request, generation, from, now, &served) {
                // What there is instead, only all days tell.
                Err(EngineError::Inference(error))
                    if !matches!(error, InferenceError::Features(_)) && from > NaiveDate::MIN =>
                {
                    self.compute_from_days(request, generation, NaiveDate::MIN, now, &served)
                }
                // Days of longer than a life, or a moment that they do not hold for.
                Err(EngineError::Inference(InferenceError::Features(_))) => {
                    let history = self.load(user)?;
                    self.compute((&history).into(), request, now, &served)
                }
                outcome => outcome,
            };
            let (mut response, until) = computed?;
            if let Some(model) = self.left_out(request, generation)? {
                response.interpretation.push_str(&format!(
                    " Your active model {model} was left out: this release cannot read it."
                ));
            }
            Ok((response, until))
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
    /// model of many people of this folder, else that of the release, else simple forecasts.
    pub(super) fn served(
        &self,
        request: &PredictRequest,
        generation: Generation,
    ) -> Result<Served, EngineError> {
        let list = self.models_of(&request.user_id, generation)?;
        let chosen = choose(
            &list.models,
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
                let of_many = &list.of_many_people;
                if let Some(registered) = of_many.iter().find(|of| of.metric == request.metric)
                    && let Some(ready) = self.ready_champion(registered)?
                {
                    return Ok(Served::Registered(registered.clone(), ready));
                }
                let release = without_training(request.metric)?;
                // Who asks for a model of many people gets no other.
                if release.model.is_simple() && request.architecture.is_some() {
                    return Err(none);
                }
                Ok(Served::OfRelease(release))
            }
            Err(none @ EngineError::NoModel { .. }) => {
                let version = request.model_version.as_deref().and_then(parse_version);
                let unreadable = list.unreadable.iter().find(|model| {
                    model.is_asked_for(request.metric, request.architecture, version)
                });
                Err(unreadable.map_or(none, |model| self.unreadable(model)))
            }
            Err(error) => Err(error),
        }
    }

    /// The person's active model, if this release cannot read it and the request would have been answered by it.
    fn left_out(
        &self,
        request: &PredictRequest,
        generation: Generation,
    ) -> Result<Option<ModelId>, EngineError> {
        if !is_gated(request) {
            return Ok(None);
        }
        let list = self.models_of(&request.user_id, generation)?;
        let mut unreadable = list.unreadable.iter();
        let active = unreadable.find(|model| model.is_asked_for(request.metric, None, None));
        Ok(active.map(|model| model.model_id.clone()))
    }

    /// Forecasts from the person's days from one on.
    fn compute_from_days(
        &self,
        request: &PredictRequest,
        generation: Generation,
        from: NaiveDate,
        now: DateTime<Utc>,
        served: &Served,
    ) -> Result<(PredictResponse, DateTime<Utc>), EngineError> {
        let kept = self.days_of(&request.user_id, generation, from, now)?;
        self.compute((&kept.days).into(), request, now, served)
    }

    /// Forecasts, and tells until when the answer holds.
    fn compute(
        &self,
        person: PersonData<'_>,
        request: &PredictRequest,
        now: DateTime<Utc>,
        served: &Served,
    ) -> Result<(PredictResponse, DateTime<Utc>), EngineError> {
        let query = ForecastQuery {
            target_date: request.target_date,
            interval_method: request.interval_method,
            interval_level: request.interval_level,
            now,
            model_id: served.id()?,
            model_version: served.version(),
            is_gated: is_gated(request),
        };
        let model_id = query.model_id.clone();
        let Forecast { response, lead } =
            forecast(served.model(), served.manifest(), person, &query)?;
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
        Ok((response, holds_until(person, now)))
    }
}

/// Whether the request names no model: then a simple forecast is served where it is better than a model of
/// many people.
pub(super) fn is_gated(request: &PredictRequest) -> bool {
    request.model_version.is_none() && request.architecture.is_none()
}

/// Whether the request asks for no model of the person's own.
fn is_content_with_many_people(request: &PredictRequest) -> bool {
    request.model_version.is_none()
        && request
            .architecture
            .is_none_or(|architecture| architecture == ModelArchitecture::Pooled)
}

/// The model of a forecast.
pub(super) enum Served {
    Registered(RegisteredModel, Arc<ReadyModel>),
    OfRelease(&'static Population),
}

impl Served {
    pub(super) fn model(&self) -> &FittedModel {
        match self {
            Self::Registered(_, ready) => &ready.model,
            Self::OfRelease(population) => &population.model,
        }
    }

    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            Self::Registered(_, ready) => &ready.manifest,
            Self::OfRelease(population) => &population.manifest,
        }
    }

    /// `population_{METRIC}_{hash}` for the model of the release, `simple_{METRIC}` for simple forecasts.
    pub(super) fn id(&self) -> Result<ModelId, EngineError> {
        match self {
            Self::Registered(registered, _) => Ok(registered.model_id.clone()),
            Self::OfRelease(population) => {
                let (metric, hash) = (population.model.metric, &population.hash[..8]);
                if population.model.is_simple() {
                    return Ok(ModelId::new(format!("simple_{metric}"))?);
                }
                Ok(ModelId::new(format!("population_{metric}_{hash}"))?)
            }
        }
    }

    /// Whose it is; nobody's if it was fitted to many people.
    pub(super) fn owner(&self) -> Option<UserId> {
        match self {
            Self::Registered(registered, _) => registered.user_id.clone(),
            Self::OfRelease(_) => None,
        }
    }

    pub(super) fn version(&self) -> String {
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
