//! What goes with what in a person's days.

use super::USER_ID;
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::shape::{Field, Kind, default, deserialised, optional, required, shaped};
use axum::extract::State;
use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use vitalcast::{
    CorrelationMethod, CorrelationRequest, CorrelationResponse, CorrelationSummary, FieldError,
    HealthMetricTarget, LagRequest, LagResolution, LagResponse, Pairing, Scope, UserId,
};

const TARGET: Field = required(
    "target_metric",
    Kind::Word(HealthMetricTarget::WORDS),
    "What features are compared with",
);
const METHOD: Kind = Kind::Word(CorrelationMethod::WORDS);
const LOOKBACK: Field = default(
    "lookback_days",
    Kind::LaxInt(14, 180),
    "30",
    "Days of the target",
);
const LAST_DAY: Field = optional(
    "last_day",
    Kind::Date,
    "Last day of the target; today when not given",
);
const SIGNIFICANCE: Field = default(
    "significance_threshold",
    Kind::LaxFloat(0.001, 0.1, r"^0?\.0[1-9][0-9]{0,6}$"),
    "0.05",
    "Level at which something stands out",
);

/// A request for correlations.
#[derive(Debug)]
pub(super) struct AnalyzeBody(CorrelationRequest);

impl OfUser for AnalyzeBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    AnalyzeBody,
    "CorrelationRequest",
    Body,
    &[
        required("user_id", USER_ID, "Whose"),
        TARGET,
        default(
            "methods",
            Kind::List {
                item: &METHOD,
                least: 0,
                most: 20,
                unique: false,
            },
            "[\"pearson\",\"spearman\"]",
            "How to compare; one named twice counts once"
        ),
        LOOKBACK,
        SIGNIFICANCE,
        default(
            "min_correlation",
            Kind::LaxFloat(0.0, 1.0, r"^0?\.[0-9]{1,7}$"),
            "0.3",
            "Weaker correlations are not listed"
        ),
        default(
            "top_k",
            Kind::LaxInt(1, 50),
            "10",
            "Most correlations listed"
        ),
        default(
            "pairing",
            Kind::Word(Pairing::WORDS),
            "\"next_day\"",
            "A day's features with the next day's target, or with the same day's"
        ),
        LAST_DAY,
        default(
            "include_insignificant",
            Kind::Bool,
            "false",
            "List what does not stand out too, however weak"
        ),
    ],
    build_analyze
);

fn build_analyze(fields: Map<String, Value>) -> Result<AnalyzeBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        target_metric: HealthMetricTarget,
        methods: Vec<CorrelationMethod>,
        lookback_days: usize,
        significance_threshold: f64,
        min_correlation: f64,
        top_k: usize,
        pairing: Pairing,
        last_day: Option<NaiveDate>,
        include_insignificant: bool,
    }
    let fields: Fields = deserialised(fields)?;
    let request = CorrelationRequest {
        user_id: fields.user_id,
        target_metric: fields.target_metric,
        methods: fields.methods,
        lookback_days: fields.lookback_days,
        significance_threshold: fields.significance_threshold,
        min_correlation: fields.min_correlation,
        top_k: fields.top_k,
        pairing: fields.pairing,
        last_day: fields.last_day,
        include_insignificant: fields.include_insignificant,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(AnalyzeBody(request))
}

/// A request for lags.
#[derive(Debug)]
pub(super) struct LagBody(LagRequest);

impl OfUser for LagBody {
    fn user(&self) -> &UserId {
        &self.0.user_id
    }
}

shaped!(
    LagBody,
    "LagAnalysisRequest",
    Body,
    &[
        required("user_id", USER_ID, "Whose"),
        TARGET,
        required(
            "feature_name",
            Kind::Text(0, 100),
            "Name of a feature with its category, such as nutrition_late_night_carbs"
        ),
        default(
            "max_lag_hours",
            Kind::LaxInt(6, 168),
            "72",
            "Longest lag, hours"
        ),
        default(
            "lag_step_hours",
            Kind::LaxInt(1, 24),
            "6",
            "Hours from one lag to the next; of daily data every whole day is a lag"
        ),
        LOOKBACK,
        default("method", METHOD, "\"pearson\"", "How to compare"),
        default(
            "resolution",
            Kind::Word(LagResolution::WORDS),
            "\"day\"",
            "Whole days, or hours before falling asleep where records have their times"
        ),
        SIGNIFICANCE,
        LAST_DAY,
    ],
    build_lag
);

fn build_lag(fields: Map<String, Value>) -> Result<LagBody, Vec<FieldError>> {
    #[derive(Deserialize)]
    struct Fields {
        user_id: UserId,
        target_metric: HealthMetricTarget,
        feature_name: String,
        max_lag_hours: usize,
        lag_step_hours: usize,
        lookback_days: usize,
        method: CorrelationMethod,
        resolution: LagResolution,
        significance_threshold: f64,
        last_day: Option<NaiveDate>,
    }
    let fields: Fields = deserialised(fields)?;
    let request = LagRequest {
        user_id: fields.user_id,
        target_metric: fields.target_metric,
        feature_name: fields.feature_name,
        max_lag_hours: fields.max_lag_hours,
        lag_step_hours: fields.lag_step_hours,
        lookback_days: fields.lookback_days,
        method: fields.method,
        resolution: fields.resolution,
        significance_threshold: fields.significance_threshold,
        last_day: fields.last_day,
    };
    request.validate().map_err(|faults| faults.0)?;
    Ok(LagBody(request))
}

/// A person and a target in a path.
#[derive(Debug, Deserialize)]
pub(super) struct TargetPath {
    user_id: UserId,
    target_metric: HealthMetricTarget,
}

impl OfUser for TargetPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    TargetPath,
    "TargetPath",
    Path,
    &[required("user_id", USER_ID, "Whose"), TARGET]
);

/// How far a summary looks back.
#[derive(Debug, Deserialize)]
pub(super) struct SummaryQuery {
    lookback_days: usize,
}

impl Impersonal for SummaryQuery {}

shaped!(SummaryQuery, "CorrelationSummaryQuery", Query, &[LOOKBACK]);

/// Which features go with a metric.
///
/// A day's features are compared with the next day's metric, or on request with the same day's.
/// `p_value` and `is_significant` are corrected for days that resemble their neighbours and for the
/// number of tests; `raw_p_value` is not. Features made of the metric itself are left out. Too
/// little data is no error: the list is empty, and `warning` and `code` say why.
#[utoipa::path(post, operation_id = "analyze_correlations", path = "/api/correlations/analyze", tag = "correlations", request_body = AnalyzeBody,
    responses((status = 200, description = "What stands out", body = CorrelationResponse)),
    security(("key" = ["read"])))]
pub(super) async fn analyze(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<AnalyzeBody>,
) -> Result<axum::Json<CorrelationResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    app.compute(move |engine| engine.correlate(&request, now))
        .await
        .map(axum::Json)
}

/// How long after a feature a metric answers.
///
/// Features are daily, so lags are whole days, told in hours; with `resolution` `hour` they are
/// hours before falling asleep, from the times of meals, workouts and waking. A feature that is not
/// known, or is made of the metric, gets an empty list and a `code`.
#[utoipa::path(post, operation_id = "analyze_lags", path = "/api/correlations/lag-analysis", tag = "correlations", request_body = LagBody,
    responses((status = 200, description = "Every lag with enough days", body = LagResponse)),
    security(("key" = ["read"])))]
pub(super) async fn lag_analysis(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<LagBody>,
) -> Result<axum::Json<LagResponse>, ApiError> {
    let request = caller.open(body, Scope::Read)?.0;
    let now = app.now();
    app.compute(move |engine| engine.lag_analysis(&request, now))
        .await
        .map(axum::Json)
}

/// The strongest correlations in short, by Pearson's method.
#[utoipa::path(get, operation_id = "correlation_summary", path = "/api/correlations/{user_id}/{target_metric}/summary", tag = "correlations",
    params(TargetPath, SummaryQuery),
    responses((status = 200, description = "Up to five in each direction", body = CorrelationSummary)),
    security(("key" = ["read"])))]
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<TargetPath>,
    Query(query): Query<SummaryQuery>,
) -> Result<axum::Json<CorrelationSummary>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let days = query.take().lookback_days;
    let now = app.now();
    app.compute(move |engine| {
        engine.correlation_summary(&path.user_id, path.target_metric, days, now)
    })
    .await
    .map(axum::Json)
}
