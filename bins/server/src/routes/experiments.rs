//! Experiments of people on themselves.

use super::UserPath;
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::shape::{Field, Kind, default, deserialised, optional, required, shaped};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Html;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::bounds;
use vitalcast::{
    ExperimentAnalysis, ExperimentDay, ExperimentId, ExperimentList, ExperimentPreview,
    ExperimentRequest, ExperimentView, FieldError, Measure, PredictionMetric, Scope, StopRule,
    UserId, experiment_report,
};

const EXPERIMENT_ID: Kind = Kind::Id(ExperimentId::MAX_LENGTH);

/// A person and an experiment in a path.
#[derive(Debug, Deserialize)]
pub(super) struct ExperimentPath {
    user_id: UserId,
    experiment_id: ExperimentId,
}

impl OfUser for ExperimentPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    ExperimentPath,
    "ExperimentPath",
    Path,
    &[
        required("user_id", super::USER_ID, "Id of the person"),
        required("experiment_id", EXPERIMENT_ID, "Id of the experiment"),
    ]
);

/// A day of an experiment in a path.
#[derive(Debug, Deserialize)]
pub(super) struct ExperimentDayPath {
    user_id: UserId,
    experiment_id: ExperimentId,
    day: NaiveDate,
}

impl OfUser for ExperimentDayPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    ExperimentDayPath,
    "ExperimentDayPath",
    Path,
    &[
        required("user_id", super::USER_ID, "Id of the person"),
        required("experiment_id", EXPERIMENT_ID, "Id of the experiment"),
        required("day", Kind::Date, "The local day"),
    ]
);

/// A request for an experiment.
#[derive(Debug)]
pub(super) struct PlanBody {
    request: ExperimentRequest,
    dry_run: bool,
}

impl Impersonal for PlanBody {}

const LABEL: Kind = Kind::Text(1, bounds::EXPERIMENT_LABEL);
const PLAN: &[Field] = &[
    required(
        "question",
        Kind::Text(1, bounds::EXPERIMENT_QUESTION),
        "What the person wants to know",
    ),
    required("metric", super::METRIC, "The metric that is looked at"),
    required("condition_a", LABEL, "What is done on days of condition A"),
    default(
        "condition_b",
        LABEL,
        "\"as usual\"",
        "What is done on days of condition B",
    ),
    optional(
        "measure",
        Kind::Text(1, 40),
        "What of the records tells whether a day was one of condition A: no_food_after=HH:MM, \
         bedtime_before=HH:MM, steps_at_least=N, workout or no_workout",
    ),
    optional(
        "smallest_effect",
        Kind::Between(0.0, bounds::EXPERIMENT_EFFECT),
        "Smallest difference of interest, in the metric's unit; a noticeable one when not given",
    ),
    default(
        "power",
        Kind::Float(bounds::EXPERIMENT_POWER.low, bounds::EXPERIMENT_POWER.high),
        "0.8",
        "Probability to find it",
    ),
    default(
        "block_days",
        Kind::Int(bounds::BLOCK_DAYS.low, bounds::BLOCK_DAYS.high),
        "3",
        "Days of a block",
    ),
    default(
        "washout_days",
        Kind::Int(0, bounds::BLOCK_DAYS.high - 1),
        "1",
        "First days of each block that are not counted; fewer than block_days",
    ),
    optional(
        "pairs",
        Kind::Int(bounds::PAIRS.low, bounds::PAIRS.high),
        "Pairs of blocks; as many as the power needs when not given",
    ),
    optional("start", Kind::Date, "First day; tomorrow when not given"),
    default(
        "outcome_lag_days",
        Kind::Int(bounds::OUTCOME_LAG.low, bounds::OUTCOME_LAG.high),
        "1",
        "Days from what is done to the value that shows it",
    ),
    default(
        "stop_rule",
        Kind::Word(StopRule::WORDS),
        "\"none\"",
        "When the experiment may end before its planned end",
    ),
    optional(
        "seed",
        Kind::Int(0, u32::MAX as i64),
        "Random seed of the order of the blocks",
    ),
    default(
        "allow_overlap",
        Kind::Bool,
        "false",
        "Plan it although another experiment has days in common",
    ),
    default("dry_run", Kind::Bool, "false", "Plan it, and store nothing"),
];

shaped!(PlanBody, "ExperimentRequest", ClosedBody, PLAN, build_plan);

fn build_plan(fields: Map<String, Value>) -> Result<PlanBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        question: String,
        metric: PredictionMetric,
        condition_a: String,
        condition_b: String,
        measure: Option<String>,
        smallest_effect: Option<f64>,
        power: f64,
        block_days: usize,
        washout_days: usize,
        pairs: Option<usize>,
        start: Option<NaiveDate>,
        outcome_lag_days: usize,
        stop_rule: StopRule,
        seed: Option<u64>,
        allow_overlap: bool,
        dry_run: bool,
    }
    let fields: Fields = deserialised(fields)?;
    let measure = fields.measure.map(|text| text.parse::<Measure>());
    let measure = measure.transpose().map_err(|error| {
        vec![FieldError {
            field: "measure",
            message: format!("is not valid: {error}"),
        }]
    })?;
    let request = ExperimentRequest {
        question: fields.question,
        metric: fields.metric,
        condition_a: fields.condition_a,
        condition_b: fields.condition_b,
        measure,
        smallest_effect: fields.smallest_effect,
        power: fields.power,
        block_days: fields.block_days,
        washout_days: fields.washout_days,
        pairs: fields.pairs,
        start: fields.start,
        outcome_lag_days: fields.outcome_lag_days,
        stop_rule: fields.stop_rule,
        seed: fields.seed,
        allow_overlap: fields.allow_overlap,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(PlanBody {
        request,
        dry_run: fields.dry_run,
    })
}

/// What a person says of a day.
#[derive(Debug, Deserialize)]
pub(super) struct AdherenceBody {
    followed: bool,
    note: Option<String>,
}

impl Impersonal for AdherenceBody {}

shaped!(
    AdherenceBody,
    "AdherenceRequest",
    ClosedBody,
    &[
        required(
            "followed",
            Kind::Bool,
            "Whether the person did what was due"
        ),
        optional(
            "note",
            Kind::Text(0, bounds::EXPERIMENT_QUESTION),
            "A remark, in one line"
        ),
    ]
);

/// A deleted experiment.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeletedExperiment {
    experiment_id: ExperimentId,
    /// Always true.
    deleted: bool,
}

/// Plan an experiment.
///
/// The length follows from the person's own days of the metric: their spread, the correlation of a day with
/// the next, missing days. The order of the blocks is random and drawn now. With `dry_run` nothing is stored.
#[utoipa::path(post, operation_id = "plan_experiment", path = "/api/users/{user_id}/experiments", tag = "experiments",
    params(UserPath), request_body = PlanBody,
    responses(
        (status = 200, description = "The plan, not stored (`dry_run`)", body = ExperimentPreview),
        (status = 201, description = "The plan, stored", body = ExperimentPreview)),
    security(("key" = ["ingest"])))]
pub(super) async fn plan(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Json(body): Json<PlanBody>,
) -> Result<(StatusCode, axum::Json<ExperimentPreview>), ApiError> {
    let user = caller.open(path, Scope::Ingest)?.user_id;
    let PlanBody { request, dry_run } = body.take();
    let now = app.now();
    let preview = app
        .compute(move |engine| engine.plan_experiment(&user, &request, dry_run, now))
        .await?;
    let status = if preview.is_stored {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, axum::Json(preview)))
}

/// List the experiments of a person.
#[utoipa::path(get, operation_id = "list_experiments", path = "/api/users/{user_id}/experiments", tag = "experiments",
    params(UserPath),
    responses((status = 200, description = "All experiments, with what is due today", body = ExperimentList)),
    security(("key" = ["read"])))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<axum::Json<ExperimentList>, ApiError> {
    let user = caller.open(path, Scope::Read)?.user_id;
    let now = app.now();
    let list = app.quick(move |engine| engine.experiments(&user, now));
    Ok(axum::Json(list.await?))
}

/// Get an experiment with its days, what is due today, and what was seen so far.
#[utoipa::path(get, operation_id = "get_experiment", path = "/api/users/{user_id}/experiments/{experiment_id}", tag = "experiments",
    params(ExperimentPath),
    responses((status = 200, description = "The experiment", body = ExperimentView)),
    security(("key" = ["read"])))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentPath>,
) -> Result<axum::Json<ExperimentView>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let now = app.now();
    app.compute(move |engine| engine.experiment(&path.user_id, &path.experiment_id, now))
        .await
        .map(axum::Json)
}

/// Delete an experiment with all that was said of its days. The person's records stay.
#[utoipa::path(delete, operation_id = "delete_experiment", path = "/api/users/{user_id}/experiments/{experiment_id}", tag = "experiments",
    params(ExperimentPath),
    responses((status = 200, description = "Deleted", body = DeletedExperiment)),
    security(("key" = ["ingest"])))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentPath>,
) -> Result<axum::Json<DeletedExperiment>, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    let experiment_id = path.experiment_id.clone();
    app.write(move |engine| engine.delete_experiment(&path.user_id, &path.experiment_id))
        .await?;
    Ok(axum::Json(DeletedExperiment {
        experiment_id,
        deleted: true,
    }))
}

/// Record whether the person did what was due on a day.
///
/// A later word replaces an earlier one. What the records show is kept beside it; the word counts.
#[utoipa::path(put, operation_id = "record_adherence", path = "/api/users/{user_id}/experiments/{experiment_id}/days/{day}", tag = "experiments",
    params(ExperimentDayPath), request_body = AdherenceBody,
    responses((status = 200, description = "The day", body = ExperimentDay)),
    security(("key" = ["ingest"])))]
pub(super) async fn record(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentDayPath>,
    Json(body): Json<AdherenceBody>,
) -> Result<axum::Json<ExperimentDay>, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    let AdherenceBody { followed, note } = body.take();
    let (day, now) = (path.day, app.now());
    let view = app
        .write(move |engine| {
            let (user, id) = (&path.user_id, &path.experiment_id);
            engine.record_adherence(user, id, day, followed, note, now)
        })
        .await?;
    let recorded = view.days.into_iter().find(|one| one.day == day);
    recorded.map(axum::Json).ok_or_else(ApiError::internal)
}

/// Analyse an experiment.
///
/// Before the planned end `code` is `BEFORE_THE_END`, and there is only an interval that holds at every look.
/// `verdict` says whether condition A is better for the person.
#[utoipa::path(get, operation_id = "analyse_experiment", path = "/api/users/{user_id}/experiments/{experiment_id}/analysis", tag = "experiments",
    params(ExperimentPath),
    responses((status = 200, description = "What was seen", body = ExperimentAnalysis)),
    security(("key" = ["read"])))]
pub(super) async fn analysis(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentPath>,
) -> Result<axum::Json<ExperimentAnalysis>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let now = app.now();
    app.compute(move |engine| engine.analyse_experiment(&path.user_id, &path.experiment_id, now))
        .await
        .map(axum::Json)
}

/// Stop an experiment. Its days up to yesterday stay.
#[utoipa::path(post, operation_id = "stop_experiment", path = "/api/users/{user_id}/experiments/{experiment_id}/stop", tag = "experiments",
    params(ExperimentPath),
    responses((status = 200, description = "The stopped experiment", body = ExperimentView)),
    security(("key" = ["ingest"])))]
pub(super) async fn stop(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentPath>,
) -> Result<axum::Json<ExperimentView>, ApiError> {
    let path = caller.open(path, Scope::Ingest)?;
    let now = app.now();
    app.write(move |engine| engine.stop_experiment(&path.user_id, &path.experiment_id, now))
        .await
        .map(axum::Json)
}

/// Get a page about an experiment: what was seen, the timeline, the days. It needs no network.
#[utoipa::path(get, operation_id = "experiment_page", path = "/api/users/{user_id}/experiments/{experiment_id}/page", tag = "experiments",
    params(ExperimentPath),
    responses((status = 200, description = "An HTML page", body = String, content_type = "text/html")),
    security(("key" = ["read"])))]
pub(super) async fn page(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ExperimentPath>,
) -> Result<Html<String>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let now = app.now();
    let view = app
        .compute(move |engine| engine.experiment(&path.user_id, &path.experiment_id, now))
        .await?;
    experiment_report(&view)
        .render()
        .map(Html)
        .map_err(|_| ApiError::internal())
}
