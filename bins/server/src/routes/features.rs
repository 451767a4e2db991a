//! Features computed from the records of a person.

use super::{USER_ID, UserPath};
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Json, Path, Query};
use crate::shape::{Field, Kind, default, deserialised, optional, required, shaped};
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{DayFeatures, DayFeaturesQuery, FeatureCategory, FieldError, Scope, UserId};

/// The feature categories, and a word for all of them.
const CATEGORY: Kind = Kind::Word(&[
    "nutrition",
    "activity",
    "health",
    "temporal",
    "interaction",
    "all",
]);
const CATEGORIES: Field = default(
    "categories",
    Kind::List {
        item: &CATEGORY,
        least: 0,
        most: 20,
        unique: false,
    },
    "[\"all\"]",
    "Categories of features to return",
);
const LOOKBACK: Field = default(
    "lookback_days",
    Kind::LaxInt(7, 90),
    "30",
    "Use only records of this many days up to the given day",
);
const FORCE: Field = default(
    "force_recompute",
    Kind::LaxBool,
    "false",
    "Compute the response anew, without the cache",
);
const AS_OF: Field = optional(
    "as_of",
    Kind::Instant,
    "The day as known at this time; as known now if absent",
);
const DAY: Field = required("target_date", Kind::Date, "The local day");

/// The categories of features, and the days of records to use.
#[derive(Deserialize)]
pub(super) struct Options {
    categories: Vec<String>,
    lookback_days: u32,
    force_recompute: bool,
    as_of: Option<DateTime<Utc>>,
}

impl Options {
    fn query(self, user: UserId, day: NaiveDate) -> DayFeaturesQuery {
        let all = self.categories.iter().any(|word| word == "all");
        let categories = FeatureCategory::ALL
            .iter()
            .copied()
            .filter(|category| all || self.categories.iter().any(|word| word == category.as_str()))
            .collect();
        DayFeaturesQuery {
            user,
            day,
            categories,
            lookback_days: self.lookback_days,
            as_of: self.as_of,
            force_recompute: self.force_recompute,
        }
    }
}

/// A request for the features of one day, as a body.
#[derive(Debug)]
pub(super) struct EngineerBody(DayFeaturesQuery);

impl OfUser for EngineerBody {
    fn user(&self) -> &UserId {
        &self.0.user
    }
}

shaped!(
    EngineerBody,
    "EngineerFeaturesRequest",
    Body,
    &[
        required("user_id", USER_ID, "Id of the person"),
        DAY,
        CATEGORIES,
        LOOKBACK,
        FORCE,
        AS_OF
    ],
    build_engineer
);

fn build_engineer(fields: Map<String, Value>) -> Result<EngineerBody, Vec<FieldError>> {
    let options: Options = deserialised(fields.clone())?;
    let of: DayPath = deserialised(fields)?;
    Ok(EngineerBody(options.query(of.user_id, of.target_date)))
}

/// A person and a day in a path.
#[derive(Debug, Deserialize)]
pub(super) struct DayPath {
    user_id: UserId,
    target_date: NaiveDate,
}

impl OfUser for DayPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    DayPath,
    "DayPath",
    Path,
    &[required("user_id", USER_ID, "Id of the person"), DAY]
);

impl Impersonal for Options {}

shaped!(
    Options,
    "FeatureOptions",
    Query,
    &[CATEGORIES, LOOKBACK, FORCE, AS_OF]
);

async fn answer(app: &App, query: DayFeaturesQuery) -> Result<DayFeatures, ApiError> {
    let now = app.now();
    if let Some(features) = app.engine.day_features_at_once(&query, now) {
        return Ok(features);
    }
    app.compute(move |engine| engine.day_features(&query, now))
        .await
}

/// Compute the features of one day from the data known now, or at `as_of`. For an unknown person, every field that
/// needs a record is null.
#[utoipa::path(post, operation_id = "engineer_features", path = "/api/features/engineer", tag = "features", request_body = EngineerBody,
    responses((status = 200, description = "Values by category and field", body = DayFeatures)),
    security(("key" = ["read"])))]
pub(super) async fn engineer(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(body): Json<EngineerBody>,
) -> Result<axum::Json<DayFeatures>, ApiError> {
    let query = caller.open(body, Scope::Read)?.0;
    answer(&app, query).await.map(axum::Json)
}

/// Compute the features of one day, with the parameters in the path.
#[utoipa::path(get, operation_id = "get_features", path = "/api/features/{user_id}/{target_date}", tag = "features",
    params(DayPath, Options),
    responses((status = 200, description = "Values by category and field", body = DayFeatures)),
    security(("key" = ["read"])))]
pub(super) async fn of_day(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<DayPath>,
    Query(options): Query<Options>,
) -> Result<axum::Json<DayFeatures>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let query = options.take().query(path.user_id, path.target_date);
    answer(&app, query).await.map(axum::Json)
}

/// Count the known features of one day.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeatureSummary {
    user_id: UserId,
    target_date: NaiveDate,
    /// Number of features.
    feature_count: usize,
    /// Number of features that are null.
    missing_features: usize,
    /// Share of features that are not null, 0 to 1.
    data_quality_score: f64,
    /// Number of categories.
    categories_available: Vec<FeatureCategory>,
    /// Whether the response came from a cache.
    cached: bool,
}

/// Count the known features of one day.
#[utoipa::path(get, operation_id = "features_summary", path = "/api/features/{user_id}/{target_date}/summary", tag = "features",
    params(DayPath), responses((status = 200, description = "Counts", body = FeatureSummary)),
    security(("key" = ["read"])))]
pub(super) async fn summary(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<DayPath>,
) -> Result<axum::Json<FeatureSummary>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let options = Options {
        categories: vec!["all".to_owned()],
        lookback_days: 30,
        force_recompute: false,
        as_of: None,
    };
    let features = answer(&app, options.query(path.user_id, path.target_date)).await?;
    Ok(axum::Json(FeatureSummary {
        categories_available: features.categories(),
        user_id: features.user_id,
        target_date: features.target_date,
        feature_count: features.feature_count,
        missing_features: features.missing_features,
        data_quality_score: features.data_quality_score,
        cached: features.cached,
    }))
}

/// The number of cache entries that were removed.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_field_names, reason = "names of the contract")]
pub(super) struct Invalidated {
    user_id: UserId,
    invalidated: bool,
    /// Number of removed features and forecasts, in this process and in Redis.
    keys_deleted: u64,
    message: &'static str,
}

/// Remove the features and forecasts of a person from the cache.
///
/// New records and models invalidate the cache automatically; this request only frees memory.
#[utoipa::path(delete, operation_id = "drop_cache", path = "/api/features/{user_id}/cache", tag = "features", params(UserPath),
    responses((status = 200, description = "Removed from the cache", body = Invalidated)),
    security(("key" = ["read"])))]
pub(super) async fn drop_cache(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
) -> Result<axum::Json<Invalidated>, ApiError> {
    let user_id = caller.open(path, Scope::Read)?.user_id;
    let user = user_id.clone();
    let (here, shared) = app
        .quick(move |engine| Ok(engine.forget_answers(&user)))
        .await?;
    Ok(axum::Json(Invalidated {
        user_id,
        invalidated: true,
        keys_deleted: here + shared.unwrap_or(0),
        message: "Feature cache cleared successfully",
    }))
}
