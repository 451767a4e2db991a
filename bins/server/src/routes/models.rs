//! Trained models: listing, choosing, deleting, and how they fared.

use super::{METRIC, MODEL_ID, USER_ID, UserMetricPath};
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::shape::{optional, required, shaped};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{
    EngineError, ListModelsResponse, ModelId, ModelInfo, ModelPerformance, PredictionMetric, Scope,
    UserId,
};

/// Which models.
#[derive(Debug, Deserialize)]
pub(super) struct ListQuery {
    metric: Option<PredictionMetric>,
}

impl Impersonal for ListQuery {}

shaped!(
    ListQuery,
    "ListQuery",
    Query,
    &[optional("metric", METRIC, "Only models of this metric")]
);

/// List the models of a person, newest first. For an unknown person the list is empty.
#[utoipa::path(get, operation_id = "list_models", path = "/api/predictions/models/{id}", tag = "predictions",
    params(OwnerPath, ListQuery),
    responses((status = 200, description = "The models", body = ListModelsResponse)),
    security(("key" = ["read"])))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<OwnerPath>,
    Query(query): Query<ListQuery>,
) -> Result<axum::Json<ListModelsResponse>, ApiError> {
    let user = caller.open(path, Scope::Read)?.id;
    let metric = query.take().metric;
    let answer = app
        .quick(move |engine| {
            let models = match engine.models(Some(&user), metric) {
                Err(EngineError::UnknownUser { .. }) => Vec::new(),
                other => other?,
            };
            Ok(ListModelsResponse {
                unreadable_models: engine.unreadable_models(Some(&user), metric)?,
                user_id: user,
                total_models: models.len(),
                models,
            })
        })
        .await?;
    Ok(axum::Json(answer))
}

/// What was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deleted {
    message: String,
    model_id: ModelId,
}

impl Deleted {
    pub(super) fn of(model_id: ModelId) -> Self {
        Self {
            message: "Model deleted successfully".to_owned(),
            model_id,
        }
    }
}

/// Delete a model. Was it the active one, the newest one left becomes so.
#[utoipa::path(delete, operation_id = "delete_model", path = "/api/predictions/models/{id}", tag = "predictions",
    params(ModelPath),
    responses((status = 200, description = "Deleted", body = Deleted)),
    security(("key" = ["train"])))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ModelPath>,
) -> Result<axum::Json<Deleted>, ApiError> {
    let model_id = path.take().id;
    may_reach(&app, &caller, &model_id, Scope::Train).await?;
    let id = model_id.clone();
    app.quick(move |engine| engine.delete_model(&id)).await?;
    Ok(axum::Json(Deleted::of(model_id)))
}

/// Gives the same error for a model that does not exist and for a model of another person.
async fn may_reach(
    app: &Arc<App>,
    caller: &Caller,
    id: &ModelId,
    scope: Scope,
) -> Result<(), ApiError> {
    caller.check_scope(scope)?;
    let asked = id.clone();
    let owner = app
        .quick(move |engine| engine.owner_of_model(&asked))
        .await?;
    if owner.is_some_and(|owner| caller.reaches(&owner)) {
        return Ok(());
    }
    Err(EngineError::UnknownModel(id.clone()).into())
}

/// Compare the forecasts of a model with the measured values, and check for drift.
#[utoipa::path(get, operation_id = "model_performance", path = "/api/predictions/models/{id}/performance", tag = "predictions",
    params(ModelPath), responses((status = 200, description = "Errors and coverage, per day and \
                                                               overall", body = ModelPerformance)),
    security(("key" = ["read"])))]
pub(super) async fn performance(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ModelPath>,
) -> Result<axum::Json<ModelPerformance>, ApiError> {
    let id = path.take().id;
    may_reach(&app, &caller, &id, Scope::Read).await?;
    let now = app.now();
    let answer = app
        .compute(move |engine| engine.model_performance(&id, now))
        .await?;
    Ok(axum::Json(answer))
}

/// Activate a model: forecasts use it from now on.
#[utoipa::path(put, operation_id = "activate_model", path = "/api/predictions/models/{id}/active", tag = "predictions",
    params(ModelPath), responses((status = 200, description = "The model, now active", body = ModelInfo)),
    security(("key" = ["train"])))]
pub(super) async fn activate(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<ModelPath>,
) -> Result<axum::Json<ModelInfo>, ApiError> {
    let id = path.take().id;
    may_reach(&app, &caller, &id, Scope::Train).await?;
    let model = app.quick(move |engine| engine.activate_model(&id)).await?;
    Ok(axum::Json(model))
}

/// Activate the version before the active one.
#[utoipa::path(post, operation_id = "roll_back_model", path = "/api/users/{user_id}/models/{metric}/rollback", tag = "predictions",
    params(UserMetricPath), responses((status = 200, description = "The model, now active", body = ModelInfo)),
    security(("key" = ["train"])))]
pub(super) async fn roll_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserMetricPath>,
) -> Result<axum::Json<ModelInfo>, ApiError> {
    let path = caller.open(path, Scope::Train)?;
    let model = app
        .quick(move |engine| engine.roll_back(&path.user_id, path.metric))
        .await?;
    Ok(axum::Json(model))
}

/// A person id in a path position that the reference contract also uses for models.
#[derive(Debug, Deserialize)]
pub(super) struct OwnerPath {
    id: UserId,
}

impl OfUser for OwnerPath {
    fn user(&self) -> &UserId {
        &self.id
    }
}

shaped!(
    OwnerPath,
    "OwnerPath",
    Path,
    &[required("id", USER_ID, "Id of the person (user_id)")]
);

/// A model in a path. The registry knows its owner.
#[derive(Debug, Deserialize)]
pub(super) struct ModelPath {
    id: ModelId,
}

impl Impersonal for ModelPath {}

shaped!(
    ModelPath,
    "ModelPath",
    Path,
    &[required("id", MODEL_ID, "Id of the model (model_id)")]
);
