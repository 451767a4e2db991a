//! Correlations between features and metrics of a person.

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
use vitalcast::bounds;
use vitalcast::{
    CorrelationMethod, CorrelationRequest, CorrelationResponse, CorrelationSummary, FieldError,
    HealthMetricTarget, LagRequest, LagResolution, LagResponse, Pairing, Scope, TAG_PREFIX, UserId,
};

const TARGET: Field = required(
    "target_metric",
    Kind::Word(HealthMetricTarget::WORDS),
    "The metric to correlate features with",
);
const METHOD: Kind = Kind::Word(CorrelationMethod::WORDS);
const LOOKBACK: Field = default(
    "lookback_days",
    Kind::lax_int(bounds::CORRELATION_DAYS),
    "30",
    "Number of days of the metric",
);
const LAST_DAY: Field = optional(
    "last_day",
    Kind::Date,
    "Last day of the metric; today when not given",
);
const SIGNIFICANCE: Field = default(
    "significance_threshold",
    Kind::lax_float(bounds::SIGNIFICANCE, r"^0?\.0[1-9][0-9]{0,6}$"),
    "0.05",
    "Significance level",
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
        required("user_id", USER_ID, "Id of the person"),
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
            "Correlation methods; duplicates are ignored"
        ),
        LOOKBACK,
        SIGNIFICANCE,
        default(
            "min_correlation",
            Kind::lax_float(bounds::MIN_CORRELATION, r"^0?\.[0-9]{1,7}$"),
            "0.3",
            "Smallest absolute correlation to list"
        ),
        default(
            "top_k",
            Kind::LaxInt(1, 50),
            "10",
            "Maximum number of correlations to list"
        ),
        default(
            "pairing",
            Kind::Word(Pairing::WORDS),
            "\"next_day\"",
            "Correlate the features of a day with the metric of the next day or of the same day"
        ),
        LAST_DAY,
        default(
            "include_insignificant",
            Kind::Bool,
            "false",
            "Also list correlations that are not significant, however weak"
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
        required("user_id", USER_ID, "Id of the person"),
        TARGET,
        required(
            "feature_name",
            Kind::Text(0, TAG_PREFIX.len() + bounds::TAG_NAME_LENGTH.high as usize),
            "Name of a feature with its category, for example nutrition_late_night_carbs; or tag: with the \
             name of a tag"
        ),
        default(
            "max_lag_hours",
            Kind::lax_int(bounds::MAX_LAG_HOURS),
            "72",
            "Maximum lag, hours"
        ),
        default(
            "lag_step_hours",
            Kind::lax_int(bounds::LAG_STEP_HOURS),
            "6",
            "Step between lags, hours; with daily data, each whole day is a lag"
        ),
        LOOKBACK,
        default("method", METHOD, "\"pearson\"", "Correlation method"),
        default(
            "resolution",
            Kind::Word(LagResolution::WORDS),
            "\"day\"",
            "Unit of lags: whole days, or hours before falling asleep (needs records with times)"
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
    &[required("user_id", USER_ID, "Id of the person"), TARGET]
);

/// The period of a summary.
#[derive(Debug, Deserialize)]
pub(super) struct SummaryQuery {
    lookback_days: usize,
}

impl Impersonal for SummaryQuery {}

shaped!(SummaryQuery, "CorrelationSummaryQuery", Query, &[LOOKBACK]);

/// Correlate all features with a metric.
///
/// The features of a day are compared with the metric of the next day, or on request of the same day.
/// `p_value` and `is_significant` are corrected for autocorrelation and for the number of tests;
/// `raw_p_value` is not. Features that are computed from the metric itself are left out. Too little
/// data is not an error: the list is empty, and `warning` and `code` give the reason.
#[utoipa::path(post, operation_id = "analyze_correlations", path = "/api/correlations/analyze", tag = "correlations", request_body = AnalyzeBody,
    responses((status = 200, description = "Significant correlations", body = CorrelationResponse)),
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

/// Correlate a feature with a metric at several lags.
///
/// Features are daily, so lags are whole days, given in hours. With `resolution` `hour`, lags are hours
/// before falling asleep, from the times of meals, workouts and waking. For an unknown feature, or one
/// computed from the metric, the list is empty and `code` gives the reason.
#[utoipa::path(post, operation_id = "analyze_lags", path = "/api/correlations/lag-analysis", tag = "correlations", request_body = LagBody,
    responses((status = 200, description = "All lags with enough days", body = LagResponse)),
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

/// A short list of the strongest Pearson correlations.
#[utoipa::path(get, operation_id = "correlation_summary", path = "/api/correlations/{user_id}/{target_metric}/summary", tag = "correlations",
    params(TargetPath, SummaryQuery),
    responses((status = 200, description = "Up to five positive and five negative correlations", body = CorrelationSummary)),
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
