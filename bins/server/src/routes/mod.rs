//! The routes. Each says what it takes and gives; the document at `/openapi.json` is made of that.

pub(crate) mod admin;
mod correlations;
mod days;
mod experiments;
mod explanations;
mod features;
mod jobs;
mod models;
mod predictions;
mod record_body;
mod records;
mod service;
mod tuning;
mod uploads;
mod users;
mod what_if;

use crate::access::{Impersonal, OfUser};
use crate::app::App;
use crate::shape::{Field, Kind, optional, required, shaped};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitalcast::{JobId, ModelArchitecture, ModelId, PredictionMetric, UserId};

/// Longest ids.
pub(crate) const USER_ID: Kind = Kind::Id(UserId::MAX_LENGTH);
const MODEL_ID: Kind = Kind::Id(ModelId::MAX_LENGTH);
/// Largest random seed: a number that JavaScript keeps exactly.
const LARGEST_SEED: i64 = 9_007_199_254_740_991;
const JOB_ID: Kind = Kind::Id(JobId::MAX_LENGTH);
/// The metrics that can be forecast.
const METRIC: Kind = Kind::Word(PredictionMetric::WORDS);

/// The version of a model that is asked for.
const MODEL_VERSION: Field = optional(
    "model_version",
    Kind::Text(1, 40),
    "Model version, for example v1.0.2; the active one when not given",
);
/// The architecture of a model that is asked for.
const ARCHITECTURE: Field = optional(
    "architecture",
    Kind::Word(ModelArchitecture::WORDS),
    "Use only models of this architecture",
);

/// A person in a path.
#[derive(Debug, Deserialize)]
struct UserPath {
    user_id: UserId,
}

impl OfUser for UserPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    UserPath,
    "UserPath",
    Path,
    &[required("user_id", USER_ID, "Id of the person")]
);

/// A person and a metric in a path.
#[derive(Debug, Deserialize)]
struct UserMetricPath {
    user_id: UserId,
    metric: PredictionMetric,
}

impl OfUser for UserMetricPath {
    fn user(&self) -> &UserId {
        &self.user_id
    }
}

shaped!(
    UserMetricPath,
    "UserMetricPath",
    Path,
    &[
        required("user_id", USER_ID, "Id of the person"),
        required("metric", METRIC, "The metric"),
    ]
);

/// A job in a path. The queue knows its owner.
#[derive(Debug, Deserialize)]
struct JobPath {
    job_id: JobId,
}

impl Impersonal for JobPath {}

shaped!(
    JobPath,
    "JobPath",
    Path,
    &[required("job_id", JOB_ID, "Id of the job")]
);

/// The OpenAPI document without its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vitalcast",
        description = "Forecasts of tomorrow's resting heart rate, HRV, sleep and recovery, with \
                       calibrated intervals. Not a medical device.\n\n\
                       Errors have the format of FastAPI (`detail`: a sentence, or a list with an \
                       error for each invalid field) and a stable `code`. With `Accept: \
                       application/problem+json` they have the format of RFC 9457.\n\n\
                       A path with a trailing slash is redirected (307) to the path without it. \
                       Dates and times can also be Unix times, in queries and paths too: seconds, \
                       or milliseconds above 20,000,000,000. The Unix time of a date is its \
                       midnight in UTC. A byte order mark before a body is ignored.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "predictions", description = "Training, forecasts and models"),
        (name = "correlations", description = "Correlations of features with metrics"),
        (name = "interpretability", description = "Why a forecast is what it is, and what would change it"),
        (name = "experiments", description = "A person's experiments on themselves, with randomised blocks"),
        (name = "features", description = "Features computed from the records of a person"),
        (name = "users", description = "People and their records"),
        (name = "jobs", description = "Trainings and imports as background jobs"),
        (name = "service", description = "Version and health of the service")
    )
)]
struct Document;

/// Every route of the public listener.
pub(crate) fn public() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(service::root))
        .routes(routes!(service::live))
        .routes(routes!(service::health))
        .routes(routes!(service::ready))
        .routes(routes!(predictions::train))
        .routes(routes!(predictions::predict))
        .routes(routes!(predictions::predict_get))
        .routes(routes!(predictions::batch_predict))
        .routes(routes!(tuning::tune))
        .routes(routes!(models::list, models::delete))
        .routes(routes!(models::performance))
        .routes(routes!(models::activate))
        .routes(routes!(models::roll_back))
        .routes(routes!(features::engineer))
        .routes(routes!(features::of_day))
        .routes(routes!(features::summary))
        .routes(routes!(features::drop_cache))
        .routes(routes!(correlations::analyze))
        .routes(routes!(correlations::lag_analysis))
        .routes(routes!(correlations::summary))
        .routes(routes!(explanations::explain))
        .routes(routes!(explanations::global_importance))
        .routes(routes!(what_if::what_if))
        .routes(routes!(what_if::counterfactual))
        .routes(routes!(what_if::trajectory))
        .routes(routes!(users::overview, users::erase))
        .routes(routes!(users::profile, users::set_profile))
        .routes(routes!(users::forecasts))
        .routes(routes!(users::export))
        .routes(routes!(
            records::post_meals,
            records::get_meals,
            records::delete_meals
        ))
        .routes(routes!(
            records::post_activities,
            records::get_activities,
            records::delete_activities
        ))
        .routes(routes!(
            records::post_health_metrics,
            records::get_health_metrics,
            records::delete_health_metrics
        ))
        .routes(routes!(
            records::post_tags,
            records::get_tags,
            records::delete_tags
        ))
        .routes(routes!(days::day))
        .routes(routes!(days::coverage))
        .routes(routes!(days::restore))
        .routes(routes!(experiments::plan, experiments::list))
        .routes(routes!(experiments::one, experiments::delete))
        .routes(routes!(experiments::record))
        .routes(routes!(experiments::analysis))
        .routes(routes!(experiments::stop))
        .routes(routes!(experiments::page))
        .routes(routes!(jobs::import))
        .routes(routes!(uploads::begin))
        .routes(routes!(uploads::one, uploads::append, uploads::cancel))
        .routes(routes!(jobs::health_auto_export))
        .routes(routes!(jobs::of_user))
        .routes(routes!(jobs::one, jobs::cancel))
        .routes(routes!(jobs::events))
}
