//! Records: meals, activities, health metrics, tags.

use super::UserPath;
use super::record_body::{
    ActivityBody, ActivityRecord, HealthMetricBody, HealthMetricRecord, MealBody, MealRecord,
    TagBody, TagRecord, Wire,
};
use crate::access::{Caller, Impersonal};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Path, Query, media_type, read_body};
use crate::shape::{
    Fault, Field, Kind, Listed, MAX_FAULTS, Place, SOURCE_NAME, default, faults_of, joined,
    optional, parse, parse_list, required, shaped,
};
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{
    Coincident, Deletion, MetricType, Record, RecordFilter, RecordKind, Scope, UserId, WriteReport,
    all_days, record_json,
};

const SOURCE: Field = optional("source", SOURCE_NAME, "Only records of this source");
const METRIC_TYPE: Field = optional(
    "metric_type",
    Kind::Word(MetricType::WORDS),
    "Only readings of this metric type",
);

/// Records of one body.
const MAX_RECORDS: usize = 50_000;

/// The values of a body: a JSON array, or one JSON object per line.
fn values(bytes: &[u8], is_lines: bool) -> Result<Vec<Value>, ApiError> {
    let at = [Place::from("body")];
    let invalid = |fault| ApiError::invalid(vec![fault]);
    let values = if is_lines {
        let mut values = Vec::new();
        // Within JSON text, both ends of lines are escaped.
        for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            if values.len() == MAX_RECORDS {
                return Err(too_long());
            }
            values.push(parse(line).map_err(|mut fault| {
                fault.loc.insert(1, values.len().into());
                invalid(fault)
            })?);
        }
        values
    } else {
        if bytes.is_empty() {
            return Err(invalid(Fault::new(
                "missing",
                &at,
                "Field required",
                &Value::Null,
            )));
        }
        match parse_list(bytes, MAX_RECORDS).map_err(invalid)? {
            Listed::List(values) => values,
            Listed::TooLong => return Err(too_long()),
            Listed::Other(other) => {
                let msg = "Input should be a valid list";
                return Err(invalid(Fault::new("list_type", &at, msg, &other)));
            }
        }
    };
    Ok(values)
}

fn too_long() -> ApiError {
    let msg = format!("List should have at most {MAX_RECORDS} items after validation, not more");
    let at = [Place::from("body")];
    ApiError::invalid(vec![Fault::new("too_long", &at, msg, &Value::Null)])
}

/// Parses the records of a body, and counts the readings that say "not measured"; all records are checked,
/// and the first hundred errors are returned.
fn records<W: Wire>(
    values: Vec<Value>,
    now: DateTime<Utc>,
) -> Result<(Vec<Record>, u64), ApiError> {
    let mut records = Vec::with_capacity(values.len());
    let mut not_measured = 0;
    let mut coincident = Coincident::default();
    let mut faults: Vec<Fault> = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let at = [Place::from("body"), Place::from(index)];
        match W::shape().check(&value, &at) {
            Err(found) => faults.extend(found),
            Ok(fields) => {
                let record = W::build(fields.clone())
                    .and_then(|body| body.into_record(now).map_err(|fault| vec![fault]))
                    .map(|record| {
                        record.map(|record| {
                            if record.provenance().source_id.is_empty() {
                                coincident.identify((), record).0
                            } else {
                                record
                            }
                        })
                    });
                match record {
                    Ok(Some(record)) => records.push(record),
                    Ok(None) => not_measured += 1,
                    Err(errors) => {
                        for mut fault in faults_of("body", errors, &fields) {
                            fault.loc.insert(1, index.into());
                            faults.push(fault);
                        }
                    }
                }
            }
        }
    }
    if faults.is_empty() {
        Ok((records, not_measured))
    } else {
        faults.truncate(MAX_FAULTS);
        Err(ApiError::invalid(faults))
    }
}

/// The number of written, unchanged and corrected records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Written {
    user_id: UserId,
    /// Number of new records.
    added: u64,
    /// Number of records that were stored before with the same content.
    unchanged: u64,
    /// Number of corrected records: their content differs from the stored one. Replays of earlier days
    /// still use the old version.
    corrected: u64,
    /// Number of records left out because the stored version is newer in its source.
    outdated: u64,
    /// Number of records left out because they were deleted; they can be restored.
    deleted: u64,
    /// Number of readings left out because their number says "not measured", such as a resting heart rate
    /// of 0.
    not_measured: u64,
}

async fn post<W: Wire>(
    app: &Arc<App>,
    user_id: UserId,
    request: Request,
) -> Result<axum::Json<Written>, ApiError> {
    let is_lines = media_type(&request).is_some_and(|kind| {
        matches!(
            kind.as_str(),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl"
        )
    });
    let body = read_body(request.into_body(), app.config.limits.ingest_bytes, app).await?;
    let now = app.now();
    let user = user_id.clone();
    // Values take many times the room of their text.
    let _room = app.room_to_parse(body.len()).await?;
    // Reading a large body takes a while, so it is done where blocking is allowed.
    let written: Result<(WriteReport, u64), ApiError> = app
        .write(move |engine| {
            let values = values(&body, is_lines);
            drop(body);
            let records = values.and_then(|values| records::<W>(values, now));
            match records {
                Err(refused) => Ok(Err(refused)),
                Ok((records, not_measured)) if records.is_empty() => {
                    Ok(Ok((WriteReport::default(), not_measured)))
                }
                Ok((records, not_measured)) => engine
                    .write_records(&user, records, now)
                    .map(|report| Ok((report, not_measured))),
            }
        })
        .await?;
    let (report, not_measured) = written?;
    metrics::counter!("vitalcast_records_total", "outcome" => "added").increment(report.added);
    Ok(axum::Json(Written {
        user_id,
        added: report.added,
        unchanged: report.unchanged,
        corrected: report.corrected,
        outdated: report.outdated,
        deleted: report.deleted,
        not_measured,
    }))
}

/// A filter for records, and a page.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    limit: u32,
    cursor: Option<String>,
    source: Option<String>,
    metric_type: Option<MetricType>,
    deleted: bool,
}

impl Impersonal for PageQuery {}

shaped!(
    PageQuery,
    "PageQuery",
    ClosedQuery,
    &[
        optional("from", Kind::Date, "First local day"),
        optional("to", Kind::Date, "Last local day"),
        default(
            "limit",
            Kind::Int(1, 1_000),
            "100",
            "Maximum number of records in the page"
        ),
        optional(
            "cursor",
            Kind::Text(1, 2_000),
            "Cursor: the value of `next` of the previous page"
        ),
        SOURCE,
        METRIC_TYPE,
        default(
            "deleted",
            Kind::Bool,
            "false",
            "The deleted records that can be restored, instead of the others"
        ),
    ]
);

/// Reads the records of a page, and the cursor of the next page.
async fn get(
    app: &Arc<App>,
    user_id: UserId,
    kind: RecordKind,
    query: PageQuery,
) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let cursor = match &query.cursor {
        None => None,
        Some(text) => {
            let place = BASE64_URL_SAFE_NO_PAD
                .decode(text)
                .ok()
                .and_then(|bytes| String::from_utf8(bytes).ok());
            Some(place.ok_or_else(unknown_cursor)?)
        }
    };
    let filter = RecordFilter {
        source: query.source,
        metric: query.metric_type,
        deleted: query.deleted,
        ..RecordFilter::all(kind, days(query.from, query.to))
    };
    let (items, next) = app
        .quick(move |engine| {
            let (records, next) =
                engine.records(&user_id, &filter, cursor.as_deref(), query.limit)?;
            let items: Vec<Value> = records.iter().map(record_json).collect();
            Ok((items, next))
        })
        .await
        .map_err(|error| match error.code.as_str() {
            "UNKNOWN_PLACE" => unknown_cursor(),
            _ => error,
        })?;
    let next = next.map(|place| BASE64_URL_SAFE_NO_PAD.encode(place));
    Ok((items, next))
}

fn unknown_cursor() -> ApiError {
    ApiError::not_found(
        "UNKNOWN_CURSOR",
        "The cursor is not valid: use the value of `next` of an earlier page",
    )
}

fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> std::ops::RangeInclusive<NaiveDate> {
    let all = all_days();
    from.unwrap_or(*all.start())..=to.unwrap_or(*all.end())
}

/// The records that are deleted or restored.
#[derive(Debug, Deserialize)]
pub(super) struct Selection {
    from: NaiveDate,
    to: NaiveDate,
    source: Option<String>,
    source_id: Option<String>,
    metric_type: Option<MetricType>,
}

/// Its fields.
pub(super) const SELECTION: [Field; 5] = [
    required("from", Kind::Date, "First local day"),
    required("to", Kind::Date, "Last local day"),
    SOURCE,
    optional(
        "source_id",
        SOURCE_NAME,
        "Only the record with this id within its source",
    ),
    METRIC_TYPE,
];

impl Selection {
    /// The filter for records of a kind.
    pub(super) fn of(self, kind: RecordKind) -> RecordFilter {
        RecordFilter {
            source: self.source,
            source_id: self.source_id,
            metric: self.metric_type,
            ..RecordFilter::all(kind, self.from..=self.to)
        }
    }
}

/// A filter for the records to delete.
#[derive(Debug, Deserialize)]
pub(super) struct DeleteQuery {
    #[serde(flatten)]
    selection: Selection,
    restorable: bool,
}

impl Impersonal for DeleteQuery {}

shaped!(
    DeleteQuery,
    "DeleteQuery",
    ClosedQuery,
    &joined::<{ SELECTION.len() + 1 }>(
        &SELECTION,
        &[default(
            "restorable",
            Kind::Bool,
            "false",
            "Whether the records can be restored; otherwise they are deleted for ever"
        )]
    )
);

/// The number of deleted records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gone {
    user_id: UserId,
    /// Number of deleted records; all their versions were deleted.
    deleted: u64,
}

async fn delete(
    app: &Arc<App>,
    user_id: UserId,
    kind: RecordKind,
    query: DeleteQuery,
) -> Result<axum::Json<Gone>, ApiError> {
    let filter = query.selection.of(kind);
    let deletion = if query.restorable {
        Deletion::Restorable { at: app.now() }
    } else {
        Deletion::Permanent
    };
    let user = user_id.clone();
    let deleted = app
        .write(move |engine| engine.delete_records(&user, &filter, deletion))
        .await?;
    Ok(axum::Json(Gone { user_id, deleted }))
}

/// Defines the three routes of a kind of record.
macro_rules! routes_of {
    ($path:literal, $kind:ident, $body:ty, $record:ty, $page:ident, $what:literal, $post:ident, $get:ident, $delete:ident) => {
        #[doc = concat!("Write ", $what, ", a JSON array or one JSON object per line (NDJSON).")]
        ///
        /// The body is a JSON array, or one JSON object per line with the media type
        /// `application/x-ndjson`. Either all records are stored or none: a response of 200 means that
        /// every record is durable. Writing the same records again changes nothing.
        #[utoipa::path(post, operation_id = stringify!($post), summary = concat!("Write ", $what), path = $path, tag = "users", params(UserPath),
            request_body(content((Vec<$body> = "application/json"))),
            responses((status = 200, description = "Stored", body = Written)),
            security(("key" = ["ingest"])))]
        pub(super) async fn $post(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(path): Path<UserPath>,
            request: Request,
        ) -> Result<axum::Json<Written>, ApiError> {
            let user = caller.open(path, Scope::Ingest)?.user_id;
            post::<$body>(&app, user, request).await
        }

        #[doc = concat!("A page of a person's ", $what, ".")]
        #[derive(Debug, Serialize, ToSchema)]
        pub(super) struct $page {
            user_id: UserId,
            /// Records in their current version, ordered by day and time.
            #[schema(value_type = Vec<$record>)]
            items: Vec<Value>,
            /// Cursor of the next page; null on the last page.
            next: Option<String>,
        }

        #[doc = concat!("A page of a person's ", $what, " in their current version.")]
        #[utoipa::path(get, operation_id = stringify!($get), summary = concat!("A page of ", $what), path = $path, tag = "users", params(UserPath, PageQuery),
            responses((status = 200, description = "A page", body = $page)),
            security(("key" = ["read"])))]
        pub(super) async fn $get(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(path): Path<UserPath>,
            Query(query): Query<PageQuery>,
        ) -> Result<axum::Json<$page>, ApiError> {
            let user_id = caller.open(path, Scope::Read)?.user_id;
            let user = user_id.clone();
            let (items, next) = get(&app, user, RecordKind::$kind, query.take()).await?;
            Ok(axum::Json($page {
                user_id,
                items,
                next,
            }))
        }

        #[doc = concat!("Delete ", $what, " of a period with all their versions, permanently.")]
        #[utoipa::path(delete, operation_id = stringify!($delete), summary = concat!("Delete ", $what), path = $path, tag = "users", params(UserPath, DeleteQuery),
            responses((status = 200, description = "Deleted", body = Gone)),
            security(("key" = ["ingest"])))]
        pub(super) async fn $delete(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(path): Path<UserPath>,
            Query(query): Query<DeleteQuery>,
        ) -> Result<axum::Json<Gone>, ApiError> {
            let user = caller.open(path, Scope::Ingest)?.user_id;
            delete(&app, user, RecordKind::$kind, query.take()).await
        }
    };
}

routes_of!(
    "/api/users/{user_id}/meals",
    Meal,
    MealBody,
    MealRecord,
    MealPage,
    "meals",
    post_meals,
    get_meals,
    delete_meals
);
routes_of!(
    "/api/users/{user_id}/activities",
    Activity,
    ActivityBody,
    ActivityRecord,
    ActivityPage,
    "activities",
    post_activities,
    get_activities,
    delete_activities
);
routes_of!(
    "/api/users/{user_id}/health-metrics",
    HealthMetric,
    HealthMetricBody,
    HealthMetricRecord,
    HealthMetricPage,
    "readings",
    post_health_metrics,
    get_health_metrics,
    delete_health_metrics
);
routes_of!(
    "/api/users/{user_id}/tags",
    Tag,
    TagBody,
    TagRecord,
    TagPage,
    "tags",
    post_tags,
    get_tags,
    delete_tags
);
