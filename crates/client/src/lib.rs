#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod error;
mod experiments;
mod explanations;
mod records;
mod uploads;

pub use error::{ClientError, Fault, Place};
pub use records::{
    Activity, ActivityRecord, HealthMetric, HealthMetricRecord, Meal, MealRecord, Origin, Page,
    Tag, TagRecord, Written,
};
pub use uploads::{PartSent, Upload};

use futures_util::{Stream, StreamExt, stream};
use reqwest::{Method, RequestBuilder, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Duration;
use vitalcast_domain::{
    BatchPredictRequest, BatchPredictResponse, CorrelationRequest, CorrelationResponse,
    CorrelationSummary, CounterfactualRequest, CounterfactualResponse, HealthMetricTarget, JobId,
    JobInfo, LagRequest, LagResponse, ListModelsResponse, ModelId, ModelInfo, PredictRequest,
    PredictResponse, PredictionMetric, Profile, TrainModelRequest, TrainModelResponse,
    TrajectoryRequest, TrajectoryResponse, UserId, WhatIfRequest, WhatIfResponse,
};

/// Timeout of a request; the service responds to a training with a job before that.
const PATIENCE: Duration = Duration::from_secs(330);

/// The response to a training request.
#[derive(Debug, Clone, PartialEq)]
pub enum Trained {
    /// The training is finished.
    Done(Box<TrainModelResponse>),
    /// The training is still running: poll the job.
    Running(Box<JobInfo>),
}

/// Maximum time without data while a job is followed; the service sends a keep-alive every few seconds.
const LONGEST_JOB: Duration = Duration::from_hours(24);

/// A client of a service. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
}

/// Without the key, because debug output can end up in a log.
impl std::fmt::Debug for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Client")
            .field("base", &self.base.as_str())
            .field("has_key", &self.key.is_some())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Creates a client for a service URL, for example `https://forecasts.example`.
    ///
    /// # Errors
    ///
    /// [`ClientError::Address`] for an invalid URL.
    pub fn new(base: &str) -> Result<Self, ClientError> {
        let base: Url = base
            .parse()
            .map_err(|_| ClientError::Address(base.to_owned()))?;
        if base.cannot_be_a_base() {
            return Err(ClientError::Address(base.to_string()));
        }
        Ok(Self {
            http: reqwest::Client::builder().timeout(PATIENCE).build()?,
            base,
            key: None,
        })
    }

    /// Sets the API key.
    #[must_use]
    pub fn with_key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }

    /// Trains a model and waits for the default time of the service.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `NOT_ENOUGH_DATA`, `TOO_COSTLY`, …; as for every method
    /// also [`ClientError::Transport`] and [`ClientError::Answer`].
    pub async fn train(&self, request: &TrainModelRequest) -> Result<Trained, ClientError> {
        self.train_waiting(request, Duration::from_mins(1)).await
    }

    /// Trains a model and waits for at most the given time, in whole seconds up to 300.
    ///
    /// # Errors
    ///
    /// The errors of [`Client::train`].
    pub async fn train_waiting(
        &self,
        request: &TrainModelRequest,
        patience: Duration,
    ) -> Result<Trained, ClientError> {
        let mut body = serde_json::to_value(request)?;
        body["wait_seconds"] = json!(patience.as_secs().min(300));
        let call = self.call(Method::POST, &["api", "predictions", "train"])?;
        let response = accepted(call.json(&body).send().await?).await?;
        if response.status() == reqwest::StatusCode::ACCEPTED {
            return Ok(Trained::Running(Box::new(response.json().await?)));
        }
        Ok(Trained::Done(Box::new(response.json().await?)))
    }

    /// Searches settings of a person's model, with the fields of the route, `user_id` and `metric` among
    /// them. The result is that of the job: follow it with [`Client::follow`].
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `TOO_COSTLY`, `QUEUE_FULL`, …
    pub async fn tune(&self, request: &serde_json::Value) -> Result<JobInfo, ClientError> {
        self.post(&["api", "predictions", "tune"], request).await
    }

    /// Forecasts one metric for one day.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `NO_MODEL`, `NOT_ENOUGH_DATA`, `TOO_FAR_AHEAD`, …
    pub async fn predict(&self, request: &PredictRequest) -> Result<PredictResponse, ClientError> {
        self.post(&["api", "predictions", "predict"], request).await
    }

    /// Forecasts several metrics for one day.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`]; errors of single metrics are in the response.
    pub async fn predict_batch(
        &self,
        request: &BatchPredictRequest,
    ) -> Result<BatchPredictResponse, ClientError> {
        self.post(&["api", "predictions", "batch-predict"], request)
            .await
    }

    /// Lists the models of a person, newest first.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn models(
        &self,
        user: &UserId,
        metric: Option<PredictionMetric>,
    ) -> Result<ListModelsResponse, ClientError> {
        let mut call = self.call(
            Method::GET,
            &["api", "predictions", "models", user.as_str()],
        )?;
        if let Some(metric) = metric {
            call = call.query(&[("metric", metric.as_str())]);
        }
        read(call).await
    }

    /// Activates a model: forecasts use it from now on.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_MODEL`.
    pub async fn activate(&self, model: &ModelId) -> Result<ModelInfo, ClientError> {
        let path = ["api", "predictions", "models", model.as_str(), "active"];
        read(self.call(Method::PUT, &path)?).await
    }

    /// Activates the version before the active one.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `NO_MODEL` or `NOTHING_BEFORE`.
    pub async fn roll_back(
        &self,
        user: &UserId,
        metric: PredictionMetric,
    ) -> Result<ModelInfo, ClientError> {
        let (user, metric) = (user.as_str(), metric.as_str());
        let path = ["api", "users", user, "models", metric, "rollback"];
        read(self.call(Method::POST, &path)?).await
    }

    /// Correlates all features with a metric.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`]; too little data is not an error.
    pub async fn correlate(
        &self,
        request: &CorrelationRequest,
    ) -> Result<CorrelationResponse, ClientError> {
        self.post(&["api", "correlations", "analyze"], request)
            .await
    }

    /// Correlates a feature with a metric at several lags.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`]; too little data is not an error.
    pub async fn lags(&self, request: &LagRequest) -> Result<LagResponse, ClientError> {
        self.post(&["api", "correlations", "lag-analysis"], request)
            .await
    }

    /// Lists the strongest positive and negative correlations.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`]; too little data is not an error.
    pub async fn correlation_summary(
        &self,
        user: &UserId,
        target: HealthMetricTarget,
    ) -> Result<CorrelationSummary, ClientError> {
        let (user, target) = (user.as_str(), target.as_str());
        let path = ["api", "correlations", user, target, "summary"];
        read(self.call(Method::GET, &path)?).await
    }

    /// Forecasts a day again after changes of the day before it. Records that a scenario adds are not sent:
    /// the service takes changes of values only.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`], with code `INVALID_REQUEST` for a change that cannot be made.
    pub async fn what_if(&self, request: &WhatIfRequest) -> Result<WhatIfResponse, ClientError> {
        let mut body = json!(request);
        for scenario in body["scenarios"].as_array_mut().into_iter().flatten() {
            if let Some(scenario) = scenario.as_object_mut() {
                scenario.remove("added");
            }
        }
        self.post(&["api", "interpretability", "what-if"], &body)
            .await
    }

    /// Searches few changes of a day that bring the forecast of the next to a target.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`], with code `INVALID_REQUEST` for a feature that cannot be changed.
    pub async fn counterfactual(
        &self,
        request: &CounterfactualRequest,
    ) -> Result<CounterfactualResponse, ClientError> {
        self.post(&["api", "interpretability", "counterfactual"], request)
            .await
    }

    /// Simulates how metrics go on, with changes on every day and without.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`]; a metric that cannot be forecast is not an error.
    pub async fn trajectory(
        &self,
        request: &TrajectoryRequest,
    ) -> Result<TrajectoryResponse, ClientError> {
        self.post(&["api", "interpretability", "trajectory"], request)
            .await
    }

    /// Deletes a model.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_MODEL`.
    pub async fn delete_model(&self, model: &ModelId) -> Result<(), ClientError> {
        let path = ["api", "predictions", "models", model.as_str()];
        let _: Value = read(self.call(Method::DELETE, &path)?).await?;
        Ok(())
    }

    /// Gets the profile of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_USER`.
    pub async fn profile(&self, user: &UserId) -> Result<Profile, ClientError> {
        read(self.call(Method::GET, &["api", "users", user.as_str(), "profile"])?).await
    }

    /// Sets the profile of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn set_profile(
        &self,
        user: &UserId,
        profile: &Profile,
    ) -> Result<Profile, ClientError> {
        let call = self.call(Method::PUT, &["api", "users", user.as_str(), "profile"])?;
        read(call.json(profile)).await
    }

    /// Writes meals; they are durable when the call returns.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with all invalid values; then nothing is stored.
    pub async fn write_meals(&self, user: &UserId, meals: &[Meal]) -> Result<Written, ClientError> {
        self.post(&["api", "users", user.as_str(), "meals"], meals)
            .await
    }

    /// Writes activities; they are durable when the call returns.
    ///
    /// # Errors
    ///
    /// The errors of [`Client::write_meals`].
    pub async fn write_activities(
        &self,
        user: &UserId,
        activities: &[Activity],
    ) -> Result<Written, ClientError> {
        self.post(&["api", "users", user.as_str(), "activities"], activities)
            .await
    }

    /// Writes readings; they are durable when the call returns.
    ///
    /// # Errors
    ///
    /// The errors of [`Client::write_meals`].
    pub async fn write_health_metrics(
        &self,
        user: &UserId,
        readings: &[HealthMetric],
    ) -> Result<Written, ClientError> {
        self.post(&["api", "users", user.as_str(), "health-metrics"], readings)
            .await
    }

    /// Writes tags; they are durable when the call returns.
    ///
    /// # Errors
    ///
    /// The errors of [`Client::write_meals`].
    pub async fn write_tags(&self, user: &UserId, tags: &[Tag]) -> Result<Written, ClientError> {
        self.post(&["api", "users", user.as_str(), "tags"], tags)
            .await
    }

    /// Gets a page of the meals of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn meals(
        &self,
        user: &UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<MealRecord>, ClientError> {
        self.page(user, "meals", limit, cursor).await
    }

    /// Gets a page of the activities of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn activities(
        &self,
        user: &UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<ActivityRecord>, ClientError> {
        self.page(user, "activities", limit, cursor).await
    }

    /// Gets a page of the readings of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn health_metrics(
        &self,
        user: &UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<HealthMetricRecord>, ClientError> {
        self.page(user, "health-metrics", limit, cursor).await
    }

    /// Gets a page of the tags of a person.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn tags(
        &self,
        user: &UserId,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<TagRecord>, ClientError> {
        self.page(user, "tags", limit, cursor).await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        user: &UserId,
        kind: &str,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<T>, ClientError> {
        let mut call = self
            .call(Method::GET, &["api", "users", user.as_str(), kind])?
            .query(&[("limit", limit)]);
        if let Some(cursor) = cursor {
            call = call.query(&[("cursor", cursor)]);
        }
        read(call).await
    }

    /// Imports a file of records; the extension of `name` decides between CSV and JSON lines.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn import(
        &self,
        user: &UserId,
        name: &str,
        content: impl Into<reqwest::Body>,
    ) -> Result<JobInfo, ClientError> {
        let call = self
            .call(Method::POST, &["api", "users", user.as_str(), "imports"])?
            .query(&[("name", name)])
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .body(content);
        read(call).await
    }

    /// Gets the current state of a job.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_JOB`.
    pub async fn job(&self, job: &JobId) -> Result<JobInfo, ClientError> {
        read(self.call(Method::GET, &["api", "jobs", job.as_str()])?).await
    }

    /// Cancels a job.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_JOB` or `JOB_ENDED`.
    pub async fn cancel(&self, job: &JobId) -> Result<JobInfo, ClientError> {
        read(self.call(Method::DELETE, &["api", "jobs", job.as_str()])?).await
    }

    /// Follows a job until it ends: each item is the state of the job at its time.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_JOB`; an item is an error if the connection breaks.
    pub async fn follow(
        &self,
        job: &JobId,
    ) -> Result<impl Stream<Item = Result<JobInfo, ClientError>> + use<>, ClientError> {
        let call = self
            .call(Method::GET, &["api", "jobs", job.as_str(), "events"])?
            .timeout(LONGEST_JOB);
        let response = accepted(call.send().await?).await?;
        let bytes = response.bytes_stream().boxed();
        Ok(stream::unfold(
            (bytes, Vec::new()),
            |(mut bytes, mut text)| async move {
                loop {
                    // An event ends with an empty line.
                    if let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                        let event: Vec<u8> = text.drain(..end + 2).collect();
                        if let Some(job) = job_of(&event) {
                            return Some((job, (bytes, text)));
                        }
                        continue;
                    }
                    match bytes.next().await? {
                        Ok(more) => text.extend_from_slice(&more),
                        Err(error) => return Some((Err(error.into()), (bytes, text))),
                    }
                }
            },
        ))
    }

    /// Exports all data of a person as a zip file.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_USER`.
    pub async fn export(&self, user: &UserId) -> Result<Vec<u8>, ClientError> {
        let call = self.call(Method::GET, &["api", "users", user.as_str(), "export"])?;
        let response = accepted(call.send().await?).await?;
        Ok(response.bytes().await?.to_vec())
    }

    /// Erases a person with all of their data.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`] with code `UNKNOWN_USER`.
    pub async fn erase(&self, user: &UserId) -> Result<(), ClientError> {
        let _: Value = read(self.call(Method::DELETE, &["api", "users", user.as_str()])?).await?;
        Ok(())
    }

    /// Calls a route that has no method here, with JSON as input and output.
    ///
    /// # Errors
    ///
    /// [`ClientError::Service`].
    pub async fn raw(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> Result<Value, ClientError> {
        let mut call = self.call(method, path)?;
        if let Some(body) = body {
            call = call.json(body);
        }
        read(call).await
    }

    async fn post<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, ClientError> {
        read(self.call(Method::POST, path)?.json(body)).await
    }

    fn call(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, ClientError> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| ClientError::Address(self.base.to_string()))?
            .pop_if_empty()
            .extend(path);
        let call = self.http.request(method, url);
        Ok(match &self.key {
            Some(key) => call.bearer_auth(key),
            None => call,
        })
    }
}

async fn read<T: DeserializeOwned>(call: RequestBuilder) -> Result<T, ClientError> {
    Ok(accepted(call.send().await?).await?.json().await?)
}

/// The response, unless it is an error.
async fn accepted(response: Response) -> Result<Response, ClientError> {
    if response.status().is_success() {
        return Ok(response);
    }
    Err(error::of(response).await)
}

/// The job of an event; `None` for a keep-alive.
fn job_of(event: &[u8]) -> Option<Result<JobInfo, ClientError>> {
    let text = String::from_utf8_lossy(event);
    let data = text.lines().find_map(|line| line.strip_prefix("data:"))?;
    Some(serde_json::from_str(data.trim_start()).map_err(ClientError::from))
}
