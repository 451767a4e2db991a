//! What would change a forecast: what-if, counterfactual, trajectory.

use super::{ARCHITECTURE, LARGEST_SEED, METRIC, MODEL_VERSION, USER_ID};
use crate::access::{Caller, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::Json;
use crate::shape::{Field, Kind, default, deserialised, optional, required, shaped};
use axum::extract::State;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use vitalcast::{
    CounterfactualRequest, CounterfactualResponse, CounterfactualTarget, FeatureChange, FieldError,
    MAX_CHANGES, MAX_SCENARIOS, ModelArchitecture, PredictionMetric, Scope, TrajectoryChange,
    TrajectoryRequest, TrajectoryResponse, UserId, WhatIfRequest, WhatIfResponse, WhatIfScenario,
};

/// Longest name of a feature or scenario, and longest description.
const NAME: Kind = Kind::Text(1, 100);
const DESCRIPTION: Kind = Kind::Text(0, 500);
/// No total of a day comes near it; what a day can hold of each is checked with its name.
const MOST: f64 = 1e9;
const NUMBER: Kind = Kind::Float(-MOST, MOST);

const TARGET_DATE: Field = required(
    "target_date",
    Kind::Date,
    "The local day to forecast, at most tomorrow; the day before it is the one that changes",
);

const CHANGE: Kind = Kind::Object(&[
    required(
        "feature_name",
        NAME,
        "A total or reading of the day before the target: a feature with its category, for example \
         nutrition_protein_daily, or a metric type, for example STEPS",
    ),
    optional(
        "current_value",
        NUMBER,
        "The value that the day is believed to have; the answer says when it has another one",
    ),
    required("new_value", NUMBER, "The new value"),
    default(
        "change_description",
        DESCRIPTION,
        "\"\"",
        "The change in words",
    ),
]);

const SCENARIO: Kind = Kind::Object(&[
    required("scenario_name", NAME, "Name of the scenario"),
    required(
        "changes",
        Kind::List {
            item: &CHANGE,
            least: 1,
            most: MAX_CHANGES,
            unique: false,
        },
        "Changes that are made together",
    ),
]);

/// A request for what-if scenarios.
#[derive(Debug)]
pub(super) struct WhatIfBody(WhatIfRequest);

impl OfUser for WhatIfBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    WhatIfBody,
    "WhatIfRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        TARGET_DATE,
        required(
            "scenarios",
            Kind::List {
                item: &SCENARIO,
                least: 1,
                most: MAX_SCENARIOS,
                unique: false,
            },
            "The scenarios to compare, with names that differ"
        ),
        default(
            "include_baseline",
            Kind::Bool,
            "true",
            "Compare with the day as it is in the summary"
        ),
        MODEL_VERSION,
        ARCHITECTURE,
    ],
    build_what_if
);

fn build_what_if(fields: Map<String, Value>) -> Result<WhatIfBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Scenario {
        scenario_name: String,
        changes: Vec<FeatureChange>,
    }
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        metric: PredictionMetric,
        target_date: NaiveDate,
        scenarios: Vec<Scenario>,
        include_baseline: bool,
        model_version: Option<String>,
        architecture: Option<ModelArchitecture>,
    }
    let fields: Fields = deserialised(fields)?;
    let scenarios = fields.scenarios.into_iter().map(|of| WhatIfScenario {
        scenario_name: of.scenario_name,
        changes: of.changes,
        added: Vec::new(),
    });
    let request = WhatIfRequest {
        include_baseline: fields.include_baseline,
        model_version: fields.model_version,
        architecture: fields.architecture,
        ..WhatIfRequest::new(
            fields.user_id,
            fields.metric,
            fields.target_date,
            scenarios.collect(),
        )
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(WhatIfBody(request))
}

/// Forecast a day again after changes of the day before it.
///
/// A change is made on the records of the day, and everything that is computed from them moves with it:
/// means of seven days, ratios, late calories. The day is seen as it ends, with what is known now. Which
/// scenario is best follows from what is better for the metric. A feature that follows from others, an
/// unknown one, a value that no day can have and changes that contradict each other are refused.
#[utoipa::path(post, operation_id = "what_if", path = "/api/interpretability/what-if", tag = "interpretability",
    request_body = WhatIfBody,
    responses((status = 200, description = "A forecast for each scenario", body = WhatIfResponse)),
    security(("key" = ["read"])))]
pub(super) async fn what_if(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<WhatIfBody>,
) -> Result<axum::Json<WhatIfResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    app.compute(move |engine| engine.what_if(&request, now))
        .await
        .map(axum::Json)
}

/// A request for a counterfactual.
#[derive(Debug)]
pub(super) struct CounterfactualBody(CounterfactualRequest);

impl OfUser for CounterfactualBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    CounterfactualBody,
    "CounterfactualRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric to forecast"),
        TARGET_DATE,
        default(
            "target_type",
            Kind::Word(CounterfactualTarget::WORDS),
            "\"improve\"",
            "What is to be reached: a noticeable improvement, a value, or either with the smallest change"
        ),
        optional(
            "target_value",
            NUMBER,
            "The value to reach, in the metric's unit; required for target_value"
        ),
        default(
            "max_changes",
            Kind::LaxInt(1, MAX_CHANGES as i64),
            "3",
            "Most changes of one answer"
        ),
        optional(
            "allowed_features",
            Kind::List {
                item: &NAME,
                least: 1,
                most: 50,
                unique: false,
            },
            "Features and metric types that may change; all that a person can do when not given"
        ),
        MODEL_VERSION,
        ARCHITECTURE,
    ],
    build_counterfactual
);

fn build_counterfactual(fields: Map<String, Value>) -> Result<CounterfactualBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        metric: PredictionMetric,
        target_date: NaiveDate,
        target_type: CounterfactualTarget,
        target_value: Option<f64>,
        max_changes: usize,
        allowed_features: Option<Vec<String>>,
        model_version: Option<String>,
        architecture: Option<ModelArchitecture>,
    }
    let fields: Fields = deserialised(fields)?;
    let request = CounterfactualRequest {
        user_id: fields.user_id,
        metric: fields.metric,
        target_date: fields.target_date,
        target_type: fields.target_type,
        target_value: fields.target_value,
        max_changes: fields.max_changes,
        allowed_features: fields.allowed_features,
        model_version: fields.model_version,
        architecture: fields.architecture,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(CounterfactualBody(request))
}

/// Search few changes of a day that bring the forecast of the next to a target.
///
/// Only what a person can do changes, within what they did in the last 90 days, and on a day that is not
/// over only what can still be done. The forecast that is achieved is that of the changed records: a what-if
/// of the same changes gives the same number. A target that is met already needs no changes; where a target
/// cannot be reached, the nearest that was found is given, and `is_reached` is false.
#[utoipa::path(post, operation_id = "counterfactual", path = "/api/interpretability/counterfactual", tag = "interpretability",
    request_body = CounterfactualBody,
    responses((status = 200, description = "Changes, and up to three other answers", body = CounterfactualResponse)),
    security(("key" = ["read"])))]
pub(super) async fn counterfactual(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<CounterfactualBody>,
) -> Result<axum::Json<CounterfactualResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    app.compute(move |engine| engine.counterfactual(&request, now))
        .await
        .map(axum::Json)
}

/// More paths than these keep a processor busy for longer than anybody waits; programs and the command line
/// take more.
const MOST_PATHS: i64 = 200;

const DAILY_CHANGE: Kind = Kind::Object(&[
    required(
        "feature_name",
        NAME,
        "What changes every day: a feature with its category, or a metric type that is an amount",
    ),
    required(
        "delta",
        NUMBER,
        "How much more of it on each day, in its unit; negative for less",
    ),
    default(
        "change_description",
        DESCRIPTION,
        "\"\"",
        "The change in words",
    ),
]);

/// A request for trajectories.
#[derive(Debug)]
pub(super) struct TrajectoryBody(TrajectoryRequest);

impl OfUser for TrajectoryBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    TrajectoryBody,
    "TrajectoryRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        default(
            "nutrition_changes",
            Kind::List {
                item: &DAILY_CHANGE,
                least: 0,
                most: MAX_CHANGES,
                unique: false,
            },
            "[]",
            "Changes on every day, of food or anything else that a person does"
        ),
        default(
            "duration_days",
            Kind::OneOf(&[7, 14, 30]),
            "7",
            "Number of days: 7, 14 or 30"
        ),
        required(
            "metrics_to_predict",
            Kind::List {
                item: &METRIC,
                least: 1,
                most: 3,
                unique: true,
            },
            "The metrics, at most three"
        ),
        optional(
            "start_date",
            Kind::Date,
            "The first day, today or earlier; today when not given"
        ),
        default(
            "include_no_change_baseline",
            Kind::Bool,
            "true",
            "Also give the same days without the changes"
        ),
        default(
            "paths",
            Kind::Int(1, MOST_PATHS),
            "100",
            "Number of simulated paths"
        ),
        default(
            "seed",
            Kind::Int(0, LARGEST_SEED),
            "42",
            "Random seed: the same seed and data give the same answer"
        ),
    ],
    build_trajectory
);

fn build_trajectory(fields: Map<String, Value>) -> Result<TrajectoryBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        nutrition_changes: Vec<TrajectoryChange>,
        duration_days: usize,
        metrics_to_predict: Vec<PredictionMetric>,
        start_date: Option<NaiveDate>,
        include_no_change_baseline: bool,
        paths: usize,
        seed: u64,
    }
    let fields: Fields = deserialised(fields)?;
    let request = TrajectoryRequest {
        user_id: fields.user_id,
        nutrition_changes: fields.nutrition_changes,
        duration_days: fields.duration_days,
        metrics_to_predict: fields.metrics_to_predict,
        start_date: fields.start_date,
        include_no_change_baseline: fields.include_no_change_baseline,
        paths: fields.paths,
        seed: fields.seed,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(TrajectoryBody(request))
}

/// Simulate how metrics go on for 7, 14 or 30 days, with changes on every day and without.
///
/// Each forecast is fed back as the reading of its day, drawn from the model's own distribution, and
/// everything else of the day is that of one of the person's past days. Intervals are those of the simulated
/// paths. A change above the limit of its feature is made smaller, an unknown feature is left out, and both are
/// told in `data_quality_warning`. A metric that cannot be forecast is left out with its reason.
#[utoipa::path(post, operation_id = "trajectory", path = "/api/interpretability/trajectory", tag = "interpretability",
    request_body = TrajectoryBody,
    responses((status = 200, description = "A trajectory for each metric", body = TrajectoryResponse)),
    security(("key" = ["read"])))]
pub(super) async fn trajectory(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<TrajectoryBody>,
) -> Result<axum::Json<TrajectoryResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    app.compute(move |engine| engine.trajectory(&request, now))
        .await
        .map(axum::Json)
}
