//! Records: meals, activities, health metrics.

use super::UserPath;
use crate::access::{Caller, Impersonal};
use crate::app::App;
use crate::error::ApiError;
use crate::extract::{Path, Query, faults_of, media_type, read_body};
use crate::shape::{Fault, Field, Input, Kind, Place, default, optional, parse, required, shaped};
use axum::extract::{Request, State};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;
use vitalcast::{
    Activity, ActivityType, EngineError, FieldError, HealthMetric, Intensity, Meal, MealType,
    MetricType, Provenance, Record, RecordFilter, RecordKind, Scope, Unit, UserId, WriteReport,
    Zone, all_days, record_json,
};

/// Records of one body.
const MAX_RECORDS: usize = 50_000;
/// Nothing a watch or diary wrote is older.
const OLDEST: i32 = 1990;

// Fields every record has.
const SOURCE: Field = default(
    "source",
    Kind::Text(1, 200),
    "\"api\"",
    "The vendor or app it comes from",
);
const SOURCE_ID: Field = optional(
    "source_id",
    Kind::Text(1, 200),
    "Its identity within the source; when not given, its moment, or its date where no time is known, and its place among the meals or activities of that moment in the body. Writing an identity again with other content corrects it",
);
const DAY: Field = optional(
    "day",
    Kind::Date,
    "The local day it belongs to, when that is not the day of its moment in the person's zone",
);
const KNOWN_AT: Field = optional(
    "known_at",
    Kind::Instant,
    "When it became known; when it happened if not given",
);

/// What every record says of its origin.
#[derive(Debug, Deserialize)]
struct Origin {
    source: String,
    source_id: Option<String>,
    day: Option<NaiveDate>,
    known_at: Option<DateTime<Utc>>,
}

/// Something eaten or drunk.
#[derive(Debug, Deserialize)]
struct MealBody {
    consumed_at: String,
    name: Option<String>,
    meal_type: Option<MealType>,
    calories: Option<f64>,
    protein: Option<f64>,
    carbs: Option<f64>,
    fat: Option<f64>,
    fiber: Option<f64>,
    sugar: Option<f64>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    MealBody,
    "Meal",
    ClosedBody,
    &[
        required(
            "consumed_at",
            Kind::InstantOrDate,
            "When; a date alone when the time is not known"
        ),
        optional("name", Kind::Text(1, 500), "What it was called"),
        optional("meal_type", Kind::Word(MealType::WORDS), "Which meal"),
        optional("calories", Kind::Float(0.0, 20_000.0), "Energy, kcal"),
        optional("protein", Kind::Float(0.0, 2_000.0), "Protein, g"),
        optional("carbs", Kind::Float(0.0, 3_000.0), "Carbohydrate, g"),
        optional("fat", Kind::Float(0.0, 2_000.0), "Fat, g"),
        optional("fiber", Kind::Float(0.0, 500.0), "Fibre, g"),
        optional("sugar", Kind::Float(0.0, 3_000.0), "Sugar, g"),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

/// A workout, a walk, a match.
#[derive(Debug, Deserialize)]
struct ActivityBody {
    started_at: String,
    activity_type: ActivityType,
    intensity: Option<Intensity>,
    duration: Option<f64>,
    calories_burned: Option<f64>,
    average_heart_rate: Option<f64>,
    max_heart_rate: Option<f64>,
    distance: Option<f64>,
    steps: Option<f64>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    ActivityBody,
    "Activity",
    ClosedBody,
    &[
        required("started_at", Kind::Instant, "When it began"),
        required(
            "activity_type",
            Kind::Word(ActivityType::WORDS),
            "What was done"
        ),
        optional("intensity", Kind::Word(Intensity::WORDS), "How hard"),
        optional("duration", Kind::Float(0.0, 2_880.0), "How long, minutes"),
        optional(
            "calories_burned",
            Kind::Float(0.0, 30_000.0),
            "Energy above rest, kcal"
        ),
        optional(
            "average_heart_rate",
            Kind::Float(20.0, 260.0),
            "Mean heart rate, beats per minute"
        ),
        optional(
            "max_heart_rate",
            Kind::Float(20.0, 260.0),
            "Highest heart rate, beats per minute"
        ),
        optional("distance", Kind::Float(0.0, 1_000_000.0), "Distance, m"),
        optional("steps", Kind::Float(0.0, 200_000.0), "Steps"),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

/// One reading of one metric.
#[derive(Debug, Deserialize)]
struct HealthMetricBody {
    recorded_at: String,
    metric_type: MetricType,
    value: f64,
    unit: Option<String>,
    #[serde(flatten)]
    origin: Origin,
}

shaped!(
    HealthMetricBody,
    "HealthMetric",
    ClosedBody,
    &[
        required(
            "recorded_at",
            Kind::Instant,
            "When; for a night, the waking"
        ),
        required(
            "metric_type",
            Kind::Word(MetricType::WORDS),
            "What was measured"
        ),
        required(
            "value",
            Kind::Float(0.0, 1_000_000.0),
            "The value; it must be one a body can show, in its unit"
        ),
        optional(
            "unit",
            Kind::Text(1, 20),
            "Its unit, such as bpm, ms, h, min; the metric's own when not given"
        ),
        SOURCE,
        SOURCE_ID,
        DAY,
        KNOWN_AT,
    ]
);

/// A record of the wire that becomes one of the store.
trait Wire: Input {
    /// Whether several at one moment are several, told apart by their order. Of a reading there is one.
    const MAY_COINCIDE: bool;

    /// Whether the record has an identity of its own.
    fn has_identity(&self) -> bool;

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError>;
}

fn field(field: &'static str, message: impl Into<String>) -> FieldError {
    FieldError {
        field,
        message: message.into(),
    }
}

/// The moment of a text that was checked; a date alone is the start of that local day.
fn moment(
    name: &'static str,
    text: &str,
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<(DateTime<Utc>, bool), FieldError> {
    use chrono::Datelike;
    let (instant, time_known) = match DateTime::parse_from_rfc3339(text) {
        Ok(instant) => (instant.to_utc(), true),
        Err(_) => match text.parse::<NaiveDate>() {
            Ok(day) => (zone.start_of_day(day), false),
            Err(_) => return Err(field(name, "is not a time")),
        },
    };
    if instant > now + TimeDelta::days(1) {
        return Err(field(name, "lies in the future"));
    }
    if instant.year() < OLDEST {
        return Err(field(name, format!("is before {OLDEST}")));
    }
    Ok((instant, time_known))
}

impl Origin {
    fn provenance(
        self,
        observed_at: DateTime<Utc>,
        time_known: bool,
        zone: Zone,
        now: DateTime<Utc>,
    ) -> Result<Provenance, FieldError> {
        let source_id = match self.source_id {
            Some(id) => id,
            None if time_known => observed_at.to_rfc3339(),
            // The same date in whatever zone.
            None => zone.day_of(observed_at).to_string(),
        };
        let mut provenance = Provenance::at(self.source, source_id, observed_at, zone);
        if let Some(day) = self.day {
            if (day - provenance.day).num_days().abs() > 1 {
                return Err(field(
                    "day",
                    "is more than a day away from the record's moment",
                ));
            }
            provenance.day = day;
        }
        let happened = if time_known {
            observed_at
        } else {
            // Somewhere in that day: known when it is over.
            zone.evening_of(provenance.day)
        };
        provenance.known_at = match self.known_at {
            Some(known_at) if known_at > now + TimeDelta::days(1) => {
                return Err(field("known_at", "lies in the future"));
            }
            Some(known_at) => known_at.max(happened),
            None => happened,
        };
        Ok(provenance)
    }
}

impl Wire for MealBody {
    const MAY_COINCIDE: bool = true;

    fn has_identity(&self) -> bool {
        self.origin.source_id.is_some()
    }

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (consumed_at, time_known) = moment("consumed_at", &self.consumed_at, zone, now)?;
        Ok(Record::Meal(Meal {
            provenance: self.origin.provenance(consumed_at, time_known, zone, now)?,
            name: self.name,
            meal_type: self.meal_type,
            energy_kcal: self.calories,
            protein_g: self.protein,
            carbs_g: self.carbs,
            fat_g: self.fat,
            fiber_g: self.fiber,
            sugar_g: self.sugar,
            time_known,
        }))
    }
}

impl Wire for ActivityBody {
    const MAY_COINCIDE: bool = true;

    fn has_identity(&self) -> bool {
        self.origin.source_id.is_some()
    }

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (started_at, _) = moment("started_at", &self.started_at, zone, now)?;
        Ok(Record::Activity(Activity {
            provenance: self.origin.provenance(started_at, true, zone, now)?,
            activity_type: self.activity_type,
            intensity: self.intensity,
            duration_minutes: self.duration,
            energy_kcal: self.calories_burned,
            average_heart_rate: self.average_heart_rate,
            max_heart_rate: self.max_heart_rate,
            distance_m: self.distance,
            steps: self.steps,
        }))
    }
}

impl Wire for HealthMetricBody {
    const MAY_COINCIDE: bool = false;

    fn has_identity(&self) -> bool {
        self.origin.source_id.is_some()
    }

    fn into_record(self, zone: Zone, now: DateTime<Utc>) -> Result<Record, FieldError> {
        let (recorded_at, _) = moment("recorded_at", &self.recorded_at, zone, now)?;
        let unit = match &self.unit {
            None => self.metric_type.unit(),
            Some(text) => Unit::parse(text).map_err(|error| field("unit", error.to_string()))?,
        };
        let value = self
            .metric_type
            .to_canonical(self.value, unit)
            .map_err(|error| field("value", error.to_string()))?;
        let provenance = self.origin.provenance(recorded_at, true, zone, now)?;
        Ok(Record::HealthMetric(HealthMetric::new(
            provenance,
            self.metric_type,
            value,
        )))
    }
}

/// The values of a body: a JSON array, or one JSON object a line.
fn values(bytes: &[u8], is_lines: bool) -> Result<Vec<Value>, ApiError> {
    let at = [Place::from("body")];
    let invalid = |fault| ApiError::invalid(vec![fault]);
    let values = if is_lines {
        let mut values = Vec::new();
        for line in bytes.split(|byte| *byte == b'\n') {
            if line.trim_ascii().is_empty() {
                continue;
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
        match parse(bytes).map_err(invalid)? {
            Value::Array(values) => values,
            other => {
                let msg = "Input should be a valid list";
                return Err(invalid(Fault::new("list_type", &at, msg, &other)));
            }
        }
    };
    let count = values.len();
    if count > MAX_RECORDS {
        let msg =
            format!("List should have at most {MAX_RECORDS} items after validation, not {count}");
        return Err(invalid(Fault::new("too_long", &at, msg, &Value::Null)));
    }
    Ok(values)
}

/// Meals and activities of one source and moment in one body, which have no identity of their own.
#[derive(Default)]
struct Order(HashMap<(String, String), Vec<Record>>);

impl Order {
    /// The record with its place among those: of two the second is another, not a correction of the
    /// first. What is the same to the letter is the same.
    fn told_apart(&mut self, mut record: Record) -> Record {
        let provenance = record.provenance();
        let key = (provenance.source.clone(), provenance.source_id.clone());
        let others = self.0.entry(key).or_default();
        let place = others.iter().position(|other| *other == record);
        let place = place.unwrap_or_else(|| {
            others.push(record.clone());
            others.len() - 1
        });
        if place > 0 {
            let (Record::Meal(Meal { provenance, .. })
            | Record::Activity(Activity { provenance, .. })
            | Record::HealthMetric(HealthMetric { provenance, .. })) = &mut record;
            provenance.source_id = format!("{} #{}", provenance.source_id, place + 1);
        }
        record
    }
}

/// Most faults that are listed.
const MAX_FAULTS: usize = 100;

/// The records of a body; every fault is found, the first hundred are told.
fn records<W: Wire>(
    values: &[Value],
    zone: Zone,
    now: DateTime<Utc>,
) -> Result<Vec<Record>, ApiError> {
    let mut records = Vec::with_capacity(values.len());
    let mut order = Order::default();
    let mut faults: Vec<Fault> = Vec::new();
    for (index, value) in values.iter().enumerate() {
        if faults.len() >= MAX_FAULTS {
            break;
        }
        let at = [Place::from("body"), Place::from(index)];
        match W::shape().check(value, &at) {
            Err(found) => faults.extend(found),
            Ok(fields) => {
                let record = W::build(fields.clone()).and_then(|body| {
                    let by_order = W::MAY_COINCIDE && !body.has_identity();
                    let record = body.into_record(zone, now).map_err(|fault| vec![fault])?;
                    Ok(if by_order {
                        order.told_apart(record)
                    } else {
                        record
                    })
                });
                match record {
                    Ok(record) => records.push(record),
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
        Ok(records)
    } else {
        faults.truncate(MAX_FAULTS);
        Err(ApiError::invalid(faults))
    }
}

/// What became of the records of a body.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Written {
    user_id: UserId,
    /// Records that were new.
    added: u64,
    /// Records that were there already with the same content.
    unchanged: u64,
    /// Records whose content differs from the one kept: a new version; replays still see the old.
    corrected: u64,
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
    let bytes = read_body(request.into_body(), app.config.limits.ingest_bytes, app).await?;
    let now = app.now();
    let user = user_id.clone();
    // Reading a large body takes a while, so it is done where blocking is allowed.
    let report: Result<WriteReport, ApiError> = app
        .write(move |engine| {
            let zone = match engine.profile(&user) {
                Ok(profile) => profile.zone,
                Err(EngineError::UnknownUser { .. }) => Zone::UTC,
                Err(error) => return Err(error),
            };
            let records =
                values(&bytes, is_lines).and_then(|values| records::<W>(&values, zone, now));
            match records {
                Err(refused) => Ok(Err(refused)),
                Ok(records) if records.is_empty() => Ok(Ok(WriteReport::default())),
                Ok(records) => engine.write_records(&user, records, now).map(Ok),
            }
        })
        .await?;
    let report = report?;
    metrics::counter!("vitalcast_records_total", "outcome" => "added").increment(report.added);
    Ok(axum::Json(Written {
        user_id,
        added: report.added,
        unchanged: report.unchanged,
        corrected: report.corrected,
    }))
}

/// Which records, and which page of them.
#[derive(Debug, Deserialize)]
pub(super) struct PageQuery {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    limit: u32,
    cursor: Option<String>,
}

impl Impersonal for PageQuery {}

shaped!(
    PageQuery,
    "PageQuery",
    ClosedQuery,
    &[
        optional("from", Kind::Date, "First local day"),
        optional("to", Kind::Date, "Last local day"),
        default("limit", Kind::Int(1, 1_000), "100", "At most so many"),
        optional(
            "cursor",
            Kind::Text(1, 2_000),
            "Where the page before ended: its `next`"
        ),
    ]
);

/// A page of records.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page {
    user_id: UserId,
    /// The records in their current version, in the order of days and moments.
    #[schema(value_type = Vec<Object>)]
    items: Vec<Value>,
    /// The cursor of the next page; null on the last.
    next: Option<String>,
}

async fn get(
    app: &Arc<App>,
    user_id: UserId,
    kind: RecordKind,
    query: PageQuery,
) -> Result<axum::Json<Page>, ApiError> {
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
        kind,
        days: days(query.from, query.to),
        source: None,
        source_id: None,
    };
    let user = user_id.clone();
    let (items, next) = app
        .quick(move |engine| {
            let (records, next) = engine.records(&user, &filter, cursor.as_deref(), query.limit)?;
            let items: Vec<Value> = records.iter().map(record_json).collect();
            Ok((items, next))
        })
        .await
        .map_err(|error| match error.code.as_str() {
            "UNKNOWN_PLACE" => unknown_cursor(),
            _ => error,
        })?;
    Ok(axum::Json(Page {
        user_id,
        items,
        next: next.map(|place| BASE64_URL_SAFE_NO_PAD.encode(place)),
    }))
}

fn unknown_cursor() -> ApiError {
    ApiError::not_found(
        "UNKNOWN_CURSOR",
        "No page ended there: a cursor is the `next` of a page",
    )
}

fn days(from: Option<NaiveDate>, to: Option<NaiveDate>) -> std::ops::RangeInclusive<NaiveDate> {
    let all = all_days();
    from.unwrap_or(*all.start())..=to.unwrap_or(*all.end())
}

/// Which records to delete.
#[derive(Debug, Deserialize)]
pub(super) struct DeleteQuery {
    from: NaiveDate,
    to: NaiveDate,
    source: Option<String>,
    source_id: Option<String>,
}

impl Impersonal for DeleteQuery {}

shaped!(
    DeleteQuery,
    "DeleteQuery",
    ClosedQuery,
    &[
        required("from", Kind::Date, "First local day"),
        required("to", Kind::Date, "Last local day"),
        optional("source", Kind::Text(1, 200), "Only records of this source"),
        optional(
            "source_id",
            Kind::Text(1, 200),
            "Only records of this identity within their source"
        ),
    ]
);

/// How many records were deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Gone {
    user_id: UserId,
    /// Records, each with all its versions.
    deleted: u64,
}

async fn delete(
    app: &Arc<App>,
    user_id: UserId,
    kind: RecordKind,
    query: DeleteQuery,
) -> Result<axum::Json<Gone>, ApiError> {
    let filter = RecordFilter {
        kind,
        days: query.from..=query.to,
        source: query.source,
        source_id: query.source_id,
    };
    let user = user_id.clone();
    let deleted = app
        .write(move |engine| engine.delete_records(&user, &filter))
        .await?;
    Ok(axum::Json(Gone { user_id, deleted }))
}

/// The three routes of a kind of record.
macro_rules! routes_of {
    ($path:literal, $kind:ident, $body:ty, $what:literal, $post:ident, $get:ident, $delete:ident) => {
        #[doc = concat!("Write ", $what, ", a JSON array or one JSON object a line (NDJSON).")]
        ///
        /// The body is a JSON array, or one JSON object a line with the media type
        /// `application/x-ndjson`. All or nothing: an answer of 200 means that every record of it is
        /// durable. Writing the same again changes nothing.
        #[utoipa::path(post, operation_id = stringify!($post), summary = concat!("Write ", $what), path = $path, tag = "users", params(UserPath),
            request_body(content((Vec<$body> = "application/json"))),
            responses((status = 200, description = "Kept", body = Written)),
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

        #[doc = concat!("A page of a person's ", $what, " in their current version.")]
        #[utoipa::path(get, operation_id = stringify!($get), summary = concat!("A page of ", $what), path = $path, tag = "users", params(UserPath, PageQuery),
            responses((status = 200, description = "A page", body = Page)),
            security(("key" = ["read"])))]
        pub(super) async fn $get(
            State(app): State<Arc<App>>,
            caller: Caller,
            Path(path): Path<UserPath>,
            Query(query): Query<PageQuery>,
        ) -> Result<axum::Json<Page>, ApiError> {
            let user = caller.open(path, Scope::Read)?.user_id;
            get(&app, user, RecordKind::$kind, query.take()).await
        }

        #[doc = concat!("Delete ", $what, " of some days with all their versions, for good.")]
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
    "meals",
    post_meals,
    get_meals,
    delete_meals
);
routes_of!(
    "/api/users/{user_id}/activities",
    Activity,
    ActivityBody,
    "activities",
    post_activities,
    get_activities,
    delete_activities
);
routes_of!(
    "/api/users/{user_id}/health-metrics",
    HealthMetric,
    HealthMetricBody,
    "readings",
    post_health_metrics,
    get_health_metrics,
    delete_health_metrics
);
