//! Why a forecast is what it is, and which features matter in a model.

use super::{ARCHITECTURE, LARGEST_SEED, METRIC, MODEL_ID, MODEL_VERSION, USER_ID};
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::shape::{Field, Kind, default, deserialised, required, shaped};
use axum::extract::State;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use vitalcast::bounds;
use vitalcast::{
    EngineError, ExplainRequest, ExplainResponse, ExplanationGrouping, FieldError,
    GlobalImportanceRequest, GlobalImportanceResponse, ImportanceMethod, ModelArchitecture,
    ModelId, PredictionMetric, Scope, TreeBackground, UserId,
};

const METHOD: Field = default(
    "method",
    Kind::Word(ImportanceMethod::WORDS),
    "\"shap\"",
    "How importances are computed: Shapley values, a linear model around the forecast (LIME), exchange with \
     the values of other days, or the weights of days of a network with attention",
);
const SEED: Field = default(
    "seed",
    Kind::Int(0, LARGEST_SEED),
    "42",
    "Random seed: the same seed, data and model give the same answer",
);

/// A request to explain a forecast.
#[derive(Debug)]
pub(super) struct ExplainBody(ExplainRequest);

impl OfUser for ExplainBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    ExplainBody,
    "ExplainRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric that is forecast"),
        required(
            "target_date",
            Kind::Date,
            "The local day that is forecast; for a past day, only data known on the evening before \
             are used"
        ),
        METHOD,
        default(
            "top_k",
            Kind::lax_int(bounds::TOP_FEATURES),
            "10",
            "Maximum number of features to list"
        ),
        MODEL_VERSION,
        ARCHITECTURE,
        default(
            "grouping",
            Kind::Word(ExplanationGrouping::WORDS),
            "\"feature\"",
            "Also explain by day, or by feature and days"
        ),
        default(
            "tree_background",
            Kind::Word(TreeBackground::WORDS),
            "\"path_dependent\"",
            "What boosted trees are explained against"
        ),
        default(
            "evaluations",
            Kind::lax_int(bounds::EVALUATIONS),
            "2048",
            "Forecasts that may be computed; more make the amounts surer"
        ),
        SEED,
        default(
            "check",
            Kind::Bool,
            "false",
            "Also compute integrated gradients, as a check on the Shapley values of a network"
        ),
    ],
    build_explain
);

fn build_explain(fields: Map<String, Value>) -> Result<ExplainBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        metric: PredictionMetric,
        target_date: NaiveDate,
        method: ImportanceMethod,
        top_k: usize,
        model_version: Option<String>,
        architecture: Option<ModelArchitecture>,
        grouping: ExplanationGrouping,
        tree_background: TreeBackground,
        evaluations: usize,
        seed: u64,
        check: bool,
    }
    let fields: Fields = deserialised(fields)?;
    let request = ExplainRequest {
        user_id: fields.user_id,
        metric: fields.metric,
        target_date: fields.target_date,
        method: fields.method,
        top_k: fields.top_k,
        model_version: fields.model_version,
        architecture: fields.architecture,
        grouping: fields.grouping,
        tree_background: fields.tree_background,
        evaluations: fields.evaluations,
        seed: fields.seed,
        check: fields.check,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(ExplainBody(request))
}

/// A request to explain a model. The registry knows its owner.
#[derive(Debug)]
pub(super) struct GlobalBody(GlobalImportanceRequest);

impl Impersonal for GlobalBody {}

shaped!(
    GlobalBody,
    "GlobalImportanceRequest",
    Body,
    &[
        required("model_id", MODEL_ID, "Id of the model"),
        METHOD,
        default(
            "top_k",
            Kind::lax_int(bounds::TOP_FEATURES),
            "20",
            "Maximum number of features to list"
        ),
        default(
            "evaluations",
            Kind::lax_int(bounds::EVALUATIONS_OF_DAY),
            "512",
            "Forecasts that may be computed for each day"
        ),
        SEED,
    ],
    build_global
);

fn build_global(fields: Map<String, Value>) -> Result<GlobalBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        model_id: ModelId,
        method: ImportanceMethod,
        top_k: usize,
        evaluations: usize,
        seed: u64,
    }
    let fields: Fields = deserialised(fields)?;
    let request = GlobalImportanceRequest {
        model_id: fields.model_id,
        method: fields.method,
        top_k: fields.top_k,
        evaluations: fields.evaluations,
        seed: fields.seed,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(GlobalBody(request))
}

/// Explain a forecast.
///
/// The contributions of all features add up to `predicted_value` minus `baseline_value`; those that are not
/// listed are summed in `other_contributions`. `computation` and `standard_error` say how exact they are.
/// None of this tells a cause.
#[utoipa::path(post, operation_id = "explain", path = "/api/interpretability/explain", tag = "interpretability",
    request_body = ExplainBody,
    responses((status = 200, description = "The explanation", body = ExplainResponse)),
    security(("key" = ["read"])))]
pub(super) async fn explain(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<ExplainBody>,
) -> Result<axum::Json<ExplainResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    let (user, metric) = (request.user_id.clone(), request.metric);
    let answer = app
        .compute(move |engine| engine.explain(&request, now))
        .await
        .map_err(|error| super::predictions::without_model(error, &user, metric))?;
    Ok(axum::Json(answer))
}

/// Explain a model.
///
/// Over the last test days of the person that it was trained on, at most twenty. A model of many people is
/// explained over people, only for keys that may see all people.
#[utoipa::path(post, operation_id = "global_importance", path = "/api/interpretability/global-importance", tag = "interpretability",
    request_body = GlobalBody,
    responses((status = 200, description = "The importances", body = GlobalImportanceResponse)),
    security(("key" = ["read"])))]
pub(super) async fn global_importance(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<GlobalBody>,
) -> Result<axum::Json<GlobalImportanceResponse>, ApiError> {
    caller.check_scope(Scope::Read)?;
    let request = body.take().0;
    let asked = request.model_id.clone();
    let owner = app
        .quick(move |engine| engine.owner_of_model(&asked))
        .await?;
    let may_see = match owner {
        Some(owner) => caller.reaches(&owner),
        None => caller.reaches_everybody(),
    };
    if !may_see {
        // The same as for a model that does not exist.
        return Err(EngineError::UnknownModel(request.model_id).into());
    }
    let now = app.now();
    app.compute(move |engine| engine.global_importance(&request, now))
        .await
        .map(axum::Json)
}
