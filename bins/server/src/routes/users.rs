//! People: overview of their data, profile, forecasts, export and erasure.

use super::{UserMetricPath, UserPath};
use crate::access::{Caller, Impersonal};
use crate::app::App;
use crate::document::File;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::shape::{Kind, SOURCE_NAME, default, field_of, optional, required, shaped};
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{
    ActivityLevel, EngineError, Erasure, FieldError, HistoryView, MetricType, PredictionMetric,
    Profile, Scope, UserId, bounds,
};

/// An overview of the data of a person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Overview {
    user_id: UserId,
    /// First local day with a meal, an activity or a reading.
    first_day: Option<NaiveDate>,
    /// Last local day with one.
    last_day: Option<NaiveDate>,
    /// Days with one.
    days: u64,
    meals: u64,
    activities: u64,
    health_metrics: u64,
    tags: u64,
    /// Days with a reading of each metric that can be forecast.
    metric_days: BTreeMap<PredictionMetric, u64>,
    profile: Profile,
}

/// An overview of the data of a person.
#[utoipa::path(get, operation_id = "get_user", path = "/api/users/{user_id}", tag = "users", params(UserPath),
    responses((status = 200, description = "Counts, first and last day, profile", body = Overview)),
    security(("key" = ["read"])))]
pub(super) async fn overview(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<axum::Json<Overview>, ApiError> {
    let user = caller.open(path, Scope::Read)?.user_id;
    let overview = app
        .quick(move |engine| {
            let profile = engine.profile(&user)?;
            let summary = engine
                .user(&user)?
                .ok_or(EngineError::UnknownUser { user, known: 0 })?;
            Ok(Overview {
                user_id: summary.user_id,
                first_day: summary.first_day,
                last_day: summary.last_day,
                days: summary.days,
                meals: summary.meals,
                activities: summary.activities,
                health_metrics: summary.health_metrics,
                tags: summary.tags,
                metric_days: summary.metrics,
                profile,
            })
        })
        .await?;
    Ok(axum::Json(overview))
}

/// Erase a person: records, profile, models, forecasts, jobs, and keys that are only for this person.
///
/// After the response, no data of the person can be read any more.
#[utoipa::path(delete, operation_id = "erase_user", path = "/api/users/{user_id}", tag = "users", params(UserPath),
    responses((status = 200, description = "Erased", body = Erasure)),
    security(("key" = ["erase"])))]
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<axum::Json<Erasure>, ApiError> {
    let user = caller.open(path, Scope::Erase)?.user_id;
    let erased = app.with_jobs(move |jobs| jobs.erase_user(&user)).await?;
    tracing::info!("a person was erased");
    Ok(axum::Json(erased))
}

/// Get the profile of a person.
#[utoipa::path(get, operation_id = "get_profile", path = "/api/users/{user_id}/profile", tag = "users", params(UserPath),
    responses((status = 200, description = "The profile", body = Profile)),
    security(("key" = ["read"])))]
pub(super) async fn profile(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<axum::Json<Profile>, ApiError> {
    let user = caller.open(path, Scope::Read)?.user_id;
    let profile = app.quick(move |engine| engine.profile(&user)).await?;
    Ok(axum::Json(profile))
}

/// A request to set a profile.
#[derive(Debug)]
pub(super) struct ProfileBody(Profile);

impl Impersonal for ProfileBody {}

shaped!(
    ProfileBody,
    "ProfileRequest",
    ClosedBody,
    &[
        default(
            "zone",
            Kind::Zone,
            "\"UTC\"",
            "IANA time zone in which the person's days begin and end"
        ),
        default(
            "moves",
            Kind::List {
                item: &Kind::Object(&[
                    required("from", Kind::Date, "First local day in this zone"),
                    required("zone", Kind::Zone, "IANA time zone"),
                ]),
                least: 0,
                most: bounds::LISTED,
                unique: true,
            },
            "[]",
            "Time zones of later periods (moves and travel), in time order"
        ),
        default(
            "day_begins_hour",
            Kind::int(bounds::DAY_BEGINS_HOUR),
            "0",
            "Local hour at which a day begins; 0 is midnight"
        ),
        default(
            "preferred_sources",
            Kind::Map {
                names: MetricType::WORDS,
                item: &Kind::List {
                    item: &SOURCE_NAME,
                    least: 0,
                    most: bounds::LISTED,
                    unique: true,
                },
            },
            "{}",
            "Sources in the order of preference, by metric type"
        ),
        field_of(&Profile::WEIGHT.field()),
        field_of(&Profile::HEIGHT.field()),
        field_of(&Profile::GOAL_WEIGHT.field()),
        field_of(&Profile::GOAL_ENERGY.field()),
        field_of(&Profile::GOAL_PROTEIN.field()),
        field_of(&Profile::GOAL_CARBS.field()),
        field_of(&Profile::GOAL_FAT.field()),
        optional(
            "activity_level",
            Kind::Word(ActivityLevel::WORDS),
            "Activity level of an ordinary day"
        ),
        default(
            "cycle_starts",
            Kind::List {
                item: &Kind::Date,
                least: 0,
                most: bounds::LISTED,
                unique: true,
            },
            "[]",
            "First days of menstrual cycles, if tracked"
        ),
        optional(
            "allows_pooling",
            Kind::Bool,
            "Whether the person's days may be used to fit models of many people; not asked when not given"
        ),
    ],
    build_profile
);

fn build_profile(fields: Map<String, Value>) -> Result<ProfileBody, Vec<FieldError>> {
    let mut profile: Profile = crate::shape::deserialised(fields)?;
    profile.cycle_starts.sort_unstable();
    match profile.validate() {
        Ok(()) => Ok(ProfileBody(profile)),
        Err(faults) => Err(faults.0),
    }
}

/// Replace the profile of a person; creates the person if necessary.
#[utoipa::path(put, operation_id = "set_profile", path = "/api/users/{user_id}/profile", tag = "users", params(UserPath),
    request_body = ProfileBody,
    responses((status = 200, description = "The stored profile", body = Profile)),
    security(("key" = ["ingest"])))]
pub(super) async fn set_profile(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Json(body): Json<ProfileBody>,
) -> Result<axum::Json<Profile>, ApiError> {
    let user = caller.open(path, Scope::Ingest)?.user_id;
    let profile = body.take().0;
    let kept = app
        .write(move |engine| {
            engine.set_profile(&user, &profile)?;
            engine.profile(&user)
        })
        .await?;
    Ok(axum::Json(kept))
}

/// The period of a history.
#[derive(Debug, Deserialize)]
pub(super) struct SpanQuery {
    days: usize,
    last_day: Option<NaiveDate>,
    as_of: Option<DateTime<Utc>>,
}

impl Impersonal for SpanQuery {}

shaped!(
    SpanQuery,
    "SpanQuery",
    ClosedQuery,
    &[
        default("days", Kind::Int(1, 3_660), "30", "Number of days"),
        optional(
            "last_day",
            Kind::Date,
            "Last day; the last day with data or a forecast when not given"
        ),
        optional(
            "as_of",
            Kind::Instant,
            "Use only what was known at this time, and the forecasts made by then; now when not given"
        ),
    ]
);

/// Compare past forecasts with the measured values.
#[utoipa::path(get, operation_id = "list_forecasts", path = "/api/users/{user_id}/forecasts/{metric}", tag = "users",
    params(UserMetricPath, SpanQuery),
    responses((status = 200, description = "Forecasts and measured values per day, with errors and \
                                            coverage", body = HistoryView)),
    security(("key" = ["read"])))]
pub(super) async fn forecasts(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserMetricPath>,
    Query(query): Query<SpanQuery>,
) -> Result<axum::Json<HistoryView>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let span = query.take();
    let now = app.now();
    let view = app
        .compute(move |engine| {
            engine.history(
                &path.user_id,
                path.metric,
                span.last_day,
                span.days,
                span.as_of,
                now,
            )
        })
        .await?;
    Ok(axum::Json(view))
}

/// Export all data of a person as a zip file: profile, records, models, forecasts, jobs.
#[utoipa::path(get, operation_id = "export_user", path = "/api/users/{user_id}/export", tag = "users", params(UserPath),
    responses((status = 200, description = "A zip file", body = File, content_type = "application/zip")),
    security(("key" = ["erase"])))]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<Response, ApiError> {
    let user = caller.open(path, Scope::Erase)?.user_id;
    let name = format!("attachment; filename=\"vitalcast-{user}.zip\"");
    let now = app.now();
    let bytes = app
        .compute(move |engine| {
            let file = engine.export_user(&user, now, std::io::Cursor::new(Vec::new()))?;
            Ok(file.into_inner())
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from(bytes)).into_response())
}
