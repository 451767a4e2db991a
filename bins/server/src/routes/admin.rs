//! The admin listener: keys, models of many people, and metrics.

use super::models::Deleted;
use super::{METRIC, USER_ID};
use crate::access::{Caller, Impersonal};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::log::LogWriter;
use crate::shape::{Fault, Kind, default, deserialised, optional, required, shaped};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitalcast::{
    FieldError, KeyId, KeyInfo, ModelId, ModelInfo, NewKey, PooledFit, Scope, TrainPooledRequest,
    UnreadableModelInfo, UserId,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vitalcast admin",
        description = "API keys, models of many people and metrics, on a separate listener.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags((name = "admin", description = "API keys, models of many people and metrics"))
)]
struct Document;

/// Every route of the admin listener.
pub(crate) fn private() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(pooled_models, fit_pooled_model))
        .routes(routes!(activate_pooled_model, delete_pooled_model))
        .routes(routes!(metrics_text))
}

/// All keys.
#[derive(Debug, Serialize, ToSchema)]
struct Keys {
    /// All keys, oldest first, including revoked ones.
    keys: Vec<KeyInfo>,
}

/// List all keys, without their secrets.
#[utoipa::path(get, operation_id = "list_keys", path = "/admin/keys", tag = "admin",
    responses((status = 200, description = "The keys", body = Keys)),
    security(("key" = ["admin"])))]
async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<axum::Json<Keys>, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let keys = app.quick(vitalcast::Engine::keys).await?;
    Ok(axum::Json(Keys { keys }))
}

/// A request to create a key.
#[derive(Debug, Deserialize)]
struct KeyBody {
    name: String,
    users: Option<Vec<UserId>>,
    scopes: Vec<Scope>,
    expires_at: Option<DateTime<Utc>>,
}

impl Impersonal for KeyBody {}

shaped!(
    KeyBody,
    "NewKey",
    ClosedBody,
    &[
        required(
            "name",
            Kind::Text(1, 100),
            "Name of the key, for example the app that uses it"
        ),
        optional(
            "users",
            Kind::List {
                item: &USER_ID,
                least: 1,
                most: 1_000,
                unique: true,
            },
            "Ids of the people whose data the key gives access to; all people when not given"
        ),
        required(
            "scopes",
            Kind::List {
                item: &Kind::Word(Scope::WORDS),
                least: 1,
                most: Scope::WORDS.len(),
                unique: true,
            },
            "Scopes of the key"
        ),
        optional("expires_at", Kind::Instant, "Time when the key expires"),
    ],
    build_key
);

fn build_key(fields: Map<String, Value>) -> Result<KeyBody, Vec<FieldError>> {
    let mut body: KeyBody = deserialised(fields)?;
    body.name = body.name.trim().to_owned();
    let fault = |field, message: &str| {
        Err(vec![FieldError {
            field,
            message: message.to_owned(),
        }])
    };
    if body.name.is_empty() || body.name.contains(char::is_control) {
        return fault(
            "name",
            "must contain visible text and no control characters",
        );
    }
    if body.users.is_some() && body.scopes.contains(&Scope::Admin) {
        return fault(
            "users",
            "must be omitted with the scope admin, which applies to all people",
        );
    }
    Ok(body)
}

/// A new key with its secret, which is shown only once.
#[derive(Debug, Serialize, ToSchema)]
struct CreatedKey {
    /// The secret: send it as `Authorization: Bearer …`. It cannot be shown again.
    token: String,
    key: KeyInfo,
}

/// Create a key. Its secret is only in this response.
#[utoipa::path(post, operation_id = "create_key", path = "/admin/keys", tag = "admin", request_body = KeyBody,
    responses((status = 201, description = "Created", body = CreatedKey)),
    security(("key" = ["admin"])))]
async fn create(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<KeyBody>,
) -> Result<Response, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let body = body.take();
    let random = super::predictions::random()?;
    let now = app.now();
    if let Some(end) = body.expires_at
        && end <= now
    {
        let loc = ["body".into(), "expires_at".into()];
        let fault = Fault::value(
            &loc,
            "expires_at must be in the future",
            &end.to_rfc3339().into(),
        );
        return Err(ApiError::invalid(vec![fault]));
    }
    let (key, token) = app
        .write(move |engine| {
            let key = NewKey {
                name: body.name,
                users: body.users,
                scopes: body.scopes,
                expires_at: body.expires_at,
            };
            engine.create_key(key, &random, now)
        })
        .await?;
    tracing::info!(key = %key.key_id, "a key was made");
    Ok((StatusCode::CREATED, axum::Json(CreatedKey { token, key })).into_response())
}

/// A key in a path.
#[derive(Debug, Deserialize)]
struct KeyPath {
    key_id: KeyId,
}

impl Impersonal for KeyPath {}

shaped!(
    KeyPath,
    "KeyPath",
    Path,
    &[required(
        "key_id",
        Kind::Id(KeyId::MAX_LENGTH),
        "Id of the key"
    )]
);

/// Revoke a key; it stops working immediately.
#[utoipa::path(delete, operation_id = "revoke_key", path = "/admin/keys/{key_id}", tag = "admin", params(KeyPath),
    responses((status = 200, description = "Revoked", body = KeyInfo)),
    security(("key" = ["admin"])))]
async fn revoke(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<KeyPath>,
) -> Result<axum::Json<KeyInfo>, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let id = path.take().key_id;
    let now = app.now();
    let key = app.write(move |engine| engine.revoke_key(&id, now)).await?;
    tracing::info!(key = %key.key_id, "a key was revoked");
    Ok(axum::Json(key))
}

/// Models of many people, and their fits.
#[derive(Debug, Serialize, ToSchema)]
struct PooledModels {
    /// The models, newest first.
    models: Vec<ModelInfo>,
    /// Registered ones that this release cannot read.
    unreadable_models: Vec<UnreadableModelInfo>,
    /// The last fit of each metric since the start of the service.
    fits: Vec<PooledFit>,
}

/// List the models of many people, and the fits.
#[utoipa::path(get, operation_id = "list_pooled_models", path = "/admin/pooled-models", tag = "admin",
    responses((status = 200, description = "Models and fits", body = PooledModels)),
    security(("key" = ["admin"])))]
async fn pooled_models(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<axum::Json<PooledModels>, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let (models, unreadable_models) = app
        .quick(|engine| {
            let unreadable = engine.unreadable_models_of_many_people()?;
            Ok((engine.models_of_many_people()?, unreadable))
        })
        .await?;
    Ok(axum::Json(PooledModels {
        models,
        unreadable_models,
        fits: app.pooled_fits.all(),
    }))
}

/// A request to fit a model of many people.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct PooledBody(TrainPooledRequest);

impl Impersonal for PooledBody {}

shaped!(
    PooledBody,
    "TrainPooledRequest",
    ClosedBody,
    &[
        required("metric", METRIC, "The metric to forecast"),
        default(
            "users",
            Kind::List {
                item: &USER_ID,
                least: 0,
                most: 1_000,
                unique: true,
            },
            "[]",
            "People whose days are used; all people when empty. People who refused are left out"
        ),
        default(
            "include_unasked",
            Kind::Bool,
            "false",
            "Also use the days of people whose profile does not say whether they allow it"
        ),
    ]
);

/// Fit a model to the days of many people.
///
/// The fit runs beside the service; the list shows its progress and its result. The model becomes active
/// if it errs less than the one that is served otherwise, beyond chance. A running fit of the same metric is
/// answered instead of a second one.
#[utoipa::path(post, operation_id = "fit_pooled_model", path = "/admin/pooled-models", tag = "admin",
    request_body = PooledBody,
    responses((status = 202, description = "Accepted", body = PooledFit)),
    security(("key" = ["admin"])))]
async fn fit_pooled_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<PooledBody>,
) -> Result<Response, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let request = body.take().0;
    let fits = app.pooled_fits.clone();
    let fit = app.quick(move |_| fits.start(request)).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(fit)).into_response())
}

/// A model of many people in a path.
#[derive(Debug, Deserialize)]
struct PooledModelPath {
    model_id: ModelId,
}

impl Impersonal for PooledModelPath {}

shaped!(
    PooledModelPath,
    "PooledModelPath",
    Path,
    &[required(
        "model_id",
        Kind::Id(ModelId::MAX_LENGTH),
        "Id of the model"
    )]
);

/// Activate a model of many people.
#[utoipa::path(put, operation_id = "activate_pooled_model", path = "/admin/pooled-models/{model_id}", tag = "admin",
    params(PooledModelPath),
    responses((status = 200, description = "The model, now active", body = ModelInfo)),
    security(("key" = ["admin"])))]
async fn activate_pooled_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<PooledModelPath>,
) -> Result<axum::Json<ModelInfo>, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let id = path.take().model_id;
    let model = app
        .quick(move |engine| {
            engine.check_is_of_many_people(&id)?;
            engine.activate_model(&id)
        })
        .await?;
    Ok(axum::Json(model))
}

/// Delete a model of many people. Was it the active one, the newest one that was good enough becomes so; with
/// none left, the model of the release is served.
#[utoipa::path(delete, operation_id = "delete_pooled_model", path = "/admin/pooled-models/{model_id}", tag = "admin",
    params(PooledModelPath),
    responses((status = 200, description = "Deleted", body = Deleted)),
    security(("key" = ["admin"])))]
async fn delete_pooled_model(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<PooledModelPath>,
) -> Result<axum::Json<Deleted>, ApiError> {
    caller.check_scope(Scope::Admin)?;
    let model_id = path.take().model_id;
    let id = model_id.clone();
    app.quick(move |engine| {
        engine.check_is_of_many_people(&id)?;
        engine.delete_model(&id)
    })
    .await?;
    Ok(axum::Json(Deleted::of(model_id)))
}

/// Metrics for Prometheus. They contain no personal data.
#[utoipa::path(get, operation_id = "metrics", path = "/metrics", tag = "admin",
    responses((status = 200, description = "Metrics in the Prometheus text format", body = String, content_type = "text/plain")))]
async fn metrics_text(State(app): State<Arc<App>>) -> Response {
    let kept = app.engine.cache_statistics();
    let jobs = app.jobs.clone();
    // The queue may be busy with the database for a moment.
    if let Ok((running, waiting)) = app.look(move |_| Ok(jobs.load())).await {
        metrics::gauge!("vitalcast_jobs_running").set(running as f64);
        metrics::gauge!("vitalcast_jobs_waiting").set(waiting as f64);
    }
    for (name, value) in [
        ("vitalcast_cached_answers", kept.answers as f64),
        ("vitalcast_cached_answer_bytes", kept.answer_bytes as f64),
        ("vitalcast_cached_people", kept.people as f64),
        ("vitalcast_cached_day_bytes", kept.day_bytes as f64),
        ("vitalcast_cached_models", kept.models as f64),
        ("vitalcast_cached_model_bytes", kept.model_bytes as f64),
    ] {
        metrics::gauge!(name).set(value);
    }
    let lost = app.telemetry.log.as_ref().map_or(0, LogWriter::lost_lines);
    metrics::counter!("vitalcast_log_lines_lost_total").absolute(lost);
    let text = app.telemetry.metrics.as_ref().map(|handle| {
        handle.run_upkeep();
        handle.render()
    });
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (headers, text.unwrap_or_default()).into_response()
}
