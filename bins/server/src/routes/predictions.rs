//! Training and forecasts.

use super::{ARCHITECTURE, LARGEST_SEED, METRIC, MODEL_VERSION, USER_ID};
use crate::access::{Caller, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::shape::{Kind, default, deserialised, required, shaped};
use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use vitalcast::bounds;
use vitalcast::{
    BatchPredictRequest, BatchPredictResponse, EngineError, ErrorKind, FieldError, IntervalMethod,
    InvalidRequest, JobError, JobId, JobInfo, JobState, ModelArchitecture, PredictRequest,
    PredictResponse, PredictionMetric, Scope, TrainModelRequest, TrainModelResponse, UserId,
};

/// A training request, and how long to wait for the result.
#[derive(Debug)]
pub(super) struct TrainBody {
    request: TrainModelRequest,
    wait_seconds: u64,
}

impl OfUser for TrainBody {
    fn user(&self) -> &UserId {
        &self.request.user_id
    }
}

shaped!(
    TrainBody,
    "TrainModelRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        default(
            "architecture",
            Kind::Word(ModelArchitecture::WORDS),
            "\"lstm\"",
            ModelArchitecture::LIST
        ),
        default(
            "lookback_days",
            Kind::lax_int(bounds::LOOKBACK_DAYS),
            "90",
            "Days of history used for training"
        ),
        default(
            "sequence_length",
            Kind::lax_int(bounds::SEQUENCE_LENGTH),
            "30",
            "Days of input for one forecast; at least 28 for xgboost and ridge, and 20 for ets, theta and average"
        ),
        default(
            "epochs",
            Kind::lax_int(bounds::EPOCHS),
            "50",
            "Maximum number of epochs (for xgboost, two trees per epoch); networks and xgboost only"
        ),
        default(
            "batch_size",
            Kind::lax_int(bounds::BATCH_SIZE),
            "32",
            "Batch size in windows; networks only"
        ),
        default(
            "learning_rate",
            Kind::lax_float(bounds::LEARNING_RATE, r"^0?\.0[1-9][0-9]{0,6}$"),
            "0.001",
            "Learning rate of Adam; networks only"
        ),
        default(
            "validation_split",
            Kind::lax_float(bounds::VALIDATION_SPLIT, r"^0?\.[12][0-9]{0,6}$"),
            "0.2",
            "Share of windows for validation (early stopping); the test set has the same size"
        ),
        default(
            "hidden_dim",
            Kind::lax_int(bounds::HIDDEN_DIM),
            "128",
            "Hidden size; LSTM networks only"
        ),
        default(
            "num_layers",
            Kind::lax_int(bounds::NUM_LAYERS),
            "2",
            "Number of stacked LSTM layers; LSTM networks only"
        ),
        default(
            "dropout",
            Kind::lax_float(bounds::DROPOUT, r"^0{1,9}(\.[0-4][0-9]{0,6})?$"),
            "0.2",
            "Dropout rate; LSTM networks only"
        ),
        default(
            "force_retrain",
            Kind::LaxBool,
            "false",
            "Train even if the same model of the same data exists already"
        ),
        default(
            "bidirectional",
            Kind::Bool,
            "false",
            "Use a bidirectional LSTM; LSTM networks only"
        ),
        default(
            "tree_depth",
            Kind::int(bounds::TREE_DEPTH),
            "3",
            "Splits from the root of a tree to a leaf; xgboost only"
        ),
        default(
            "tree_shrinkage",
            Kind::float(bounds::TREE_SHRINKAGE),
            "0.05",
            "What each tree counts; xgboost only"
        ),
        default(
            "tree_leaf_rows",
            Kind::int(bounds::TREE_LEAF_ROWS),
            "5",
            "Fewest days in a leaf of a tree; xgboost only"
        ),
        default(
            "tree_row_share",
            Kind::float(bounds::TREE_ROW_SHARE),
            "1.0",
            "Share of the days each tree is grown on; xgboost only"
        ),
        default("seed", Kind::Int(0, LARGEST_SEED), "42", "Random seed"),
        default(
            "wait_seconds",
            Kind::Int(0, 300),
            "60",
            "Seconds to wait for the result; after that the response is 202 with the job"
        ),
    ],
    build_train
);

#[derive(Deserialize)]
struct Waiting {
    wait_seconds: u64,
}

fn build_train(fields: Map<String, Value>) -> Result<TrainBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Settings {
        user_id: UserId,
        metric: PredictionMetric,
        architecture: ModelArchitecture,
        lookback_days: usize,
        sequence_length: usize,
        epochs: usize,
        batch_size: usize,
        learning_rate: f64,
        validation_split: f64,
        hidden_dim: usize,
        num_layers: usize,
        dropout: f64,
        force_retrain: bool,
        bidirectional: bool,
        tree_depth: usize,
        tree_shrinkage: f64,
        tree_leaf_rows: usize,
        tree_row_share: f64,
        seed: u64,
    }
    let Waiting { wait_seconds } = deserialised(fields.clone())?;
    let settings: Settings = deserialised(fields)?;
    let request = TrainModelRequest {
        user_id: settings.user_id,
        metric: settings.metric,
        architecture: settings.architecture,
        lookback_days: settings.lookback_days,
        sequence_length: settings.sequence_length,
        epochs: settings.epochs,
        batch_size: settings.batch_size,
        learning_rate: settings.learning_rate,
        validation_split: settings.validation_split,
        hidden_dim: settings.hidden_dim,
        num_layers: settings.num_layers,
        dropout: settings.dropout,
        force_retrain: settings.force_retrain,
        bidirectional: settings.bidirectional,
        tree_depth: settings.tree_depth,
        tree_shrinkage: settings.tree_shrinkage,
        tree_leaf_rows: settings.tree_leaf_rows,
        tree_row_share: settings.tree_row_share,
        seed: settings.seed,
    };
    request
        .validate()
        .map_err(|InvalidRequest(faults)| faults)?;
    Ok(TrainBody {
        request,
        wait_seconds,
    })
}

/// Train a model.
///
/// Responds with the result if the training ends within `wait_seconds`, otherwise with 202 and the job.
/// If the same training is queued or running already, the request joins that job.
#[utoipa::path(post, operation_id = "train", path = "/api/predictions/train", tag = "predictions", request_body = TrainBody,
    responses(
        (status = 200, description = "Trained", body = TrainModelResponse),
        (status = 202, description = "The training is not finished; poll the job", body = JobInfo,
            headers(("Location" = String, description = "URL of the job"))),
    ),
    security(("key" = ["train"])))]
pub(super) async fn train(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<TrainBody>,
) -> Result<Response, ApiError> {
    let TrainBody {
        request,
        wait_seconds,
    } = caller.open(body, Scope::Train)?;
    let id = JobId::from_random(random()?);
    let mut job = app.with_jobs(move |jobs| jobs.train(&request, id)).await?;
    if !job.state.is_final()
        && wait_seconds > 0
        && let Some(mut watch) = app.jobs.watch(&job.job_id)
    {
        // A client that goes away meanwhile leaves the training going on, and a service that stops
        // answers with the job as it is: the next one goes on with it.
        let patience = Duration::from_secs(wait_seconds);
        let mut draining = app.draining.subscribe();
        tokio::select! {
            ended = tokio::time::timeout(patience, watch.end()) => {
                if let Ok(last) = ended {
                    job = last;
                }
            }
            _ = draining.wait_for(|draining| *draining) => {}
        }
    }
    match (job.state, &job.result, &job.error) {
        (JobState::Succeeded, Some(result), _) => Ok(axum::Json(result.clone()).into_response()),
        (JobState::Failed, _, Some(error)) => Err(ApiError::of_job(error, &job.job_id)),
        (JobState::Cancelled, ..) => {
            let error = JobError {
                code: "JOB_CANCELLED".to_owned(),
                detail: format!("Job {} was cancelled", job.job_id),
            };
            Err(ApiError::of_job(&error, &job.job_id))
        }
        (JobState::Queued | JobState::Running | JobState::Succeeded | JobState::Failed, ..) => {
            Ok(accepted(job))
        }
    }
}

/// Response 202 with a job and its URL.
pub(super) fn accepted(job: JobInfo) -> Response {
    let location = format!("/api/jobs/{}", job.job_id);
    let headers: [(HeaderName, String); 1] = [(header::LOCATION, location)];
    (StatusCode::ACCEPTED, headers, axum::Json(job)).into_response()
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ApiError::internal())?;
    Ok(bytes)
}

/// A forecast.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct PredictBody(PredictRequest);

impl OfUser for PredictBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    PredictBody,
    "PredictRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        required(
            "target_date",
            Kind::Date,
            "The local day to forecast; for a past day, only data known on the evening before are \
             used"
        ),
        MODEL_VERSION,
        ARCHITECTURE,
        default(
            "force_recompute_features",
            Kind::LaxBool,
            "false",
            "Do not answer from a cache"
        ),
        default(
            "interval_method",
            Kind::Word(IntervalMethod::WORDS),
            "\"residual_quantiles\"",
            "Method for the interval"
        ),
        default(
            "interval_level",
            Kind::Between(0.0, 1.0),
            "0.95",
            "Nominal coverage of the interval"
        ),
    ]
);

/// A person without data gets the same response as a person without a model: there is no model.
pub(super) fn without_model(error: ApiError, user: &UserId, metric: PredictionMetric) -> ApiError {
    if error.code == "UNKNOWN_USER" {
        return ApiError::not_found(
            "NO_MODEL",
            format!("No trained model found for user {user} and metric {metric}"),
        );
    }
    error
}

async fn forecast(app: &App, request: PredictRequest) -> Result<PredictResponse, ApiError> {
    let now = app.now();
    if let Some(answer) = app.engine.predict_at_once(&request, now) {
        count_forecast(true);
        return Ok(answer);
    }
    let (user, metric) = (request.user_id.clone(), request.metric);
    let answer = app
        .compute(move |engine| engine.predict(&request, now))
        .await
        .map_err(|error| without_model(error, &user, metric))?;
    count_forecast(answer.cached);
    Ok(answer)
}

fn count_forecast(was_cached: bool) {
    let cached = if was_cached { "true" } else { "false" };
    metrics::counter!("vitalcast_forecasts_total", "cached" => cached).increment(1);
}

/// Forecast one metric for one day.
#[utoipa::path(post, operation_id = "predict", path = "/api/predictions/predict", tag = "predictions",
    request_body = PredictBody,
    responses((status = 200, description = "The forecast", body = PredictResponse)),
    security(("key" = ["read"])))]
pub(super) async fn predict(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<PredictBody>,
) -> Result<axum::Json<PredictResponse>, ApiError> {
    let PredictBody(request) = caller.open(body, Scope::Read)?;
    forecast(&app, request).await.map(axum::Json)
}

/// A forecast in a path.
#[derive(Debug, Deserialize)]
pub(super) struct PredictPath {
    user_id: UserId,
    metric: PredictionMetric,
    target_date: NaiveDate,
}

impl OfUser for PredictPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    PredictPath,
    "PredictPath",
    Path,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        required("target_date", Kind::Date, "The local day to forecast"),
    ]
);

/// Forecast one metric for one day, with defaults.
#[utoipa::path(get, operation_id = "predict_by_path", path = "/api/predictions/predict/{user_id}/{metric}/{target_date}",
    tag = "predictions", params(PredictPath),
    responses((status = 200, description = "The forecast", body = PredictResponse)),
    security(("key" = ["read"])))]
pub(super) async fn predict_get(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<PredictPath>,
) -> Result<axum::Json<PredictResponse>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let request = PredictRequest::new(path.user_id, path.metric, path.target_date);
    forecast(&app, request).await.map(axum::Json)
}

/// A request for several forecasts.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct BatchPredictBody(BatchPredictRequest);

impl OfUser for BatchPredictBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    BatchPredictBody,
    "BatchPredictRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required(
            "metrics",
            Kind::List {
                item: &METRIC,
                least: 1,
                most: PredictionMetric::WORDS.len(),
                unique: true,
            },
            "The metric to forecast"
        ),
        required("target_date", Kind::Date, "The local day to forecast"),
        MODEL_VERSION,
        default(
            "force_recompute_features",
            Kind::LaxBool,
            "false",
            "Do not answer from a cache"
        ),
    ]
);

/// Forecast several metrics for one day.
///
/// If one forecast fails, the others are still returned; the response lists the failed metric with the
/// reason.
#[utoipa::path(post, operation_id = "batch_predict", path = "/api/predictions/batch-predict", tag = "predictions",
    request_body = BatchPredictBody,
    responses((status = 200, description = "The forecasts", body = BatchPredictResponse)),
    security(("key" = ["read"])))]
pub(super) async fn batch_predict(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<BatchPredictBody>,
) -> Result<axum::Json<BatchPredictResponse>, ApiError> {
    let BatchPredictBody(batch) = caller.open(body, Scope::Read)?;
    let now = app.now();
    let requests: Vec<PredictRequest> = batch
        .metrics
        .iter()
        .map(|&metric| PredictRequest {
            model_version: batch.model_version.clone(),
            force_recompute_features: batch.force_recompute_features,
            ..PredictRequest::new(batch.user_id.clone(), metric, batch.target_date)
        })
        .collect();
    let answer = app
        .compute(move |engine| match engine.predict_batch(&requests, now) {
            Ok(forecasts) => {
                for forecast in &forecasts.answers {
                    count_forecast(forecast.cached);
                }
                let mut answer = forecasts.response();
                answer.failure_reasons = reasons(&forecasts.failures, &batch.user_id);
                Ok(answer)
            }
            Err(EngineError::UnknownUser { .. }) => Ok(nothing(
                &batch.user_id,
                batch.target_date,
                &batch.metrics,
                now,
            )),
            Err(error) => Err(error),
        })
        .await?;
    Ok(axum::Json(answer))
}

/// Why metrics failed, in sentences without file paths of this machine.
fn reasons(
    failures: &BTreeMap<PredictionMetric, EngineError>,
    user: &UserId,
) -> BTreeMap<PredictionMetric, String> {
    failures
        .iter()
        .map(|(metric, error)| {
            let reason = match error.kind() {
                ErrorKind::NotFound => no_model(user, *metric),
                ErrorKind::InvalidRequest | ErrorKind::NotEnoughData => error.to_string(),
                ErrorKind::InvalidData
                | ErrorKind::Damaged
                | ErrorKind::Busy
                | ErrorKind::Unavailable
                | ErrorKind::Interrupted
                | ErrorKind::Internal => "The forecast could not be made".to_owned(),
            };
            (*metric, reason)
        })
        .collect()
}

fn no_model(user: &UserId, metric: PredictionMetric) -> String {
    format!("No trained model found for user {user} and metric {metric}")
}

/// The response to a batch request for a person without data.
fn nothing(
    user: &UserId,
    target_date: NaiveDate,
    metrics: &[PredictionMetric],
    now: chrono::DateTime<chrono::Utc>,
) -> BatchPredictResponse {
    BatchPredictResponse {
        user_id: user.clone(),
        target_date,
        predicted_at: now,
        predictions: BTreeMap::new(),
        overall_data_quality: 0.0,
        all_predictions_successful: false,
        failed_metrics: metrics.to_vec(),
        failure_reasons: metrics
            .iter()
            .map(|metric| (*metric, no_model(user, *metric)))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Input;

    #[test]
    fn the_days_that_a_model_needs_are_told() {
        let guide = include_str!("../../../../docs/service.md");
        let fields = TrainBody::shape().fields;
        let days = fields.iter().find(|field| field.name == "sequence_length");
        let meaning = days.unwrap().meaning;
        for architecture in ModelArchitecture::ALL {
            let least = architecture.least_days_read();
            if least as i64 <= bounds::SEQUENCE_LENGTH.low {
                continue;
            }
            // "at least 20 for ets, theta and average", "`ets` and `average`: at least 20"
            let said = |text: &str, what: &str| {
                let clauses = text
                    .split([';', '\n'])
                    .flat_map(|part| part.split(", and "));
                let of_days = clauses.filter(|clause| clause.contains(&least.to_string()));
                of_days.into_iter().any(|clause| clause.contains(what))
            };
            assert!(said(meaning, architecture.as_str()), "{architecture}");
            assert!(said(guide, &format!("`{architecture}`")), "{architecture}");
        }
    }
}
