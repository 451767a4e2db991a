//! One day of a person, and restoring what was deleted.

use super::UserPath;
use super::records::{SELECTION, Selection};
use crate::access::{Caller, Impersonal, OfUser};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Path, Query};
use crate::shape::{Kind, joined, optional, required, shaped};
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{DataCoverage, DayOfPerson, RecordKind, Scope, UserId};

/// A person and a day in a path.
#[derive(Debug, Deserialize)]
pub(super) struct UserDayPath {
    user_id: UserId,
    day: NaiveDate,
}

impl OfUser for UserDayPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    UserDayPath,
    "UserDayPath",
    Path,
    &[
        required("user_id", super::USER_ID, "Id of the person"),
        required("day", Kind::Date, "The local day"),
    ]
);

/// The time of knowledge.
#[derive(Debug, Deserialize)]
pub(super) struct AsOfQuery {
    as_of: Option<DateTime<Utc>>,
}

impl Impersonal for AsOfQuery {}

shaped!(
    AsOfQuery,
    "AsOfQuery",
    ClosedQuery,
    &[optional(
        "as_of",
        Kind::Instant,
        "Use only data known at this time; now when not given"
    )]
);

/// Get the values of one day with their sources.
///
/// For each metric: the daily value, the source that counts, the rule, and the value of every other
/// source. Nights and naps are listed too.
#[utoipa::path(get, operation_id = "get_day", path = "/api/users/{user_id}/days/{day}", tag = "users",
    params(UserDayPath, AsOfQuery),
    responses((status = 200, description = "The day", body = DayOfPerson)),
    security(("key" = ["read"])))]
pub(super) async fn day(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserDayPath>,
    Query(query): Query<AsOfQuery>,
) -> Result<axum::Json<DayOfPerson>, ApiError> {
    let path = caller.open(path, Scope::Read)?;
    let as_of = query.take().as_of;
    let now = app.now();
    let day = app
        .compute(move |engine| engine.day(&path.user_id, path.day, as_of, now))
        .await?;
    Ok(axum::Json(day))
}

/// Get the days with data, by metric and source.
///
/// For each metric: the number of days with a daily value, the first and the last, and the same for every
/// source, with the number of days on which it counts. `forecasts` says what can be forecast, and how many
/// days are needed.
#[utoipa::path(get, operation_id = "get_coverage", path = "/api/users/{user_id}/coverage", tag = "users",
    params(UserPath, AsOfQuery),
    responses((status = 200, description = "The days with data", body = DataCoverage)),
    security(("key" = ["read"])))]
pub(super) async fn coverage(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<AsOfQuery>,
) -> Result<axum::Json<DataCoverage>, ApiError> {
    let user_id = caller.open(path, Scope::Read)?.user_id;
    let as_of = query.take().as_of;
    let now = app.now();
    let coverage = app
        .compute(move |engine| engine.coverage(&user_id, as_of, now))
        .await?;
    Ok(axum::Json(coverage))
}

/// A filter for the records to restore.
#[derive(Debug, Deserialize)]
pub(super) struct RestoreQuery {
    kind: RecordKind,
    #[serde(flatten)]
    selection: Selection,
}

impl Impersonal for RestoreQuery {}

shaped!(
    RestoreQuery,
    "RestoreQuery",
    ClosedQuery,
    &joined::<{ 1 + SELECTION.len() }>(
        &[required(
            "kind",
            Kind::Word(RecordKind::WORDS),
            "Kind of the records"
        )],
        &SELECTION
    )
);

/// The number of restored records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restored {
    user_id: UserId,
    /// Number of restored records.
    restored: u64,
}

/// Restore records that were deleted with `restorable`.
#[utoipa::path(post, operation_id = "restore_records", path = "/api/users/{user_id}/restore", tag = "users",
    params(UserPath, RestoreQuery),
    responses((status = 200, description = "Restored", body = Restored)),
    security(("key" = ["ingest"])))]
pub(super) async fn restore(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(path): Path<UserPath>,
    Query(query): Query<RestoreQuery>,
) -> Result<axum::Json<Restored>, ApiError> {
    let user_id = caller.open(path, Scope::Ingest)?.user_id;
    let query = query.take();
    let filter = query.selection.of(query.kind);
    let user = user_id.clone();
    let restored = app
        .write(move |engine| engine.restore_records(&user, &filter))
        .await?;
    Ok(axum::Json(Restored { user_id, restored }))
}
