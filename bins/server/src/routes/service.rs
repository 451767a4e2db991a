//! Name, version, health and readiness of the service.

use crate::app::App;
use crate::log::LogWriter;
use crate::tokens::{KeysTrouble, TokenVerifier};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::sync::Arc;
use std::time::Instant;
use utoipa::ToSchema;
use vitalcast::Engine;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const HEALTHY: &str = "healthy";
const DISABLED: &str = "disabled";

/// Name and version of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Root {
    service: &'static str,
    version: &'static str,
    environment: String,
    status: &'static str,
    docs: &'static str,
}

/// Name and version of the service.
#[utoipa::path(get, operation_id = "root", path = "/", tag = "service", responses((status = 200, description = "\
                                                                                                                Name \
                                                                                                                and \
                                                                                                                version \
                                                                                                                of \
                                                                                                                the \
                                                                                                                service", body = Root)))]
pub(super) async fn root(State(app): State<Arc<App>>) -> axum::Json<Root> {
    axum::Json(Root {
        service: "Vitalcast",
        version: VERSION,
        environment: app.config.environment.clone(),
        status: "running",
        docs: "/docs",
    })
}

/// Whether the process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Live {
    status: &'static str,
}

/// Check that the process responds; nothing else is checked.
#[utoipa::path(get, operation_id = "live", path = "/health/live", tag = "service", responses((status = 200, description = "Alive", body = Live)))]
pub(super) async fn live() -> axum::Json<Live> {
    axum::Json(Live { status: "ok" })
}

/// The result of one check.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// `healthy`, `unhealthy`, `unavailable`, `stale` (the last value read stays in use), or `disabled`
    /// if it is not configured.
    status: &'static str,
    /// Response time of the check, milliseconds, if a request was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    /// The problem, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Whether the log can be written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogCheck {
    /// `healthy`, or `unavailable` while lines are lost.
    status: &'static str,
    /// Number of log lines lost since the start.
    lost_lines: u64,
}

/// The results of all checks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checks {
    database: Check,
    /// Whether data can be written.
    storage: Check,
    redis: Check,
    /// The keys that verify tokens.
    issuer_keys: Check,
    log: LogCheck,
}

impl Checks {
    async fn of(app: &App) -> Self {
        Self {
            database: database(app).await,
            storage: storage(app).await,
            redis: redis(app).await,
            issuer_keys: issuer_keys(app),
            log: log(app),
        }
    }

    /// Whether all parts work that requests depend on.
    fn is_up(&self) -> bool {
        self.database.error.is_none()
    }

    /// Whether all parts work.
    fn is_well(&self) -> bool {
        self.is_up()
            && self.storage.error.is_none()
            && self.redis.error.is_none()
            && self.issuer_keys.error.is_none()
            && self.log.status == HEALTHY
    }
}

/// The health of the service.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy`, `degraded` (it responds, but some part does not work) or `unhealthy`.
    status: &'static str,
    version: &'static str,
    timestamp: DateTime<Utc>,
    checks: Checks,
}

async fn database(app: &App) -> Check {
    let begun = Instant::now();
    let answered = app.look(Engine::check).await;
    Check {
        status: if answered.is_ok() {
            HEALTHY
        } else {
            "unhealthy"
        },
        latency_ms: Some(begun.elapsed().as_secs_f64() * 1e3),
        error: answered.is_err().then_some("the database does not respond"),
    }
}

async fn storage(app: &App) -> Check {
    let writable = app.look(Engine::check_writable).await;
    let (status, error) = match writable {
        Ok(()) => (HEALTHY, None),
        Err(_) => (
            "unavailable",
            Some("data cannot be written: the disk is full, read-only or failing"),
        ),
    };
    Check {
        status,
        latency_ms: None,
        error,
    }
}

async fn redis(app: &App) -> Check {
    let begun = Instant::now();
    let answers = app
        .look(|engine| Ok(engine.shared_cache_answers()))
        .await
        .unwrap_or(Some(false));
    let (status, error) = match answers {
        Some(true) => (HEALTHY, None),
        Some(false) => ("unavailable", Some("Redis does not respond")),
        None => (DISABLED, None),
    };
    Check {
        status,
        latency_ms: Some(begun.elapsed().as_secs_f64() * 1e3),
        error,
    }
}

fn issuer_keys(app: &App) -> Check {
    let trouble = app.tokens.as_ref().map(TokenVerifier::trouble);
    let (status, error) = match trouble {
        None => (DISABLED, None),
        Some(None) => (HEALTHY, None),
        Some(Some(KeysTrouble::Stale)) => (
            "stale",
            Some("cannot update the keys of the token issuer: the previous keys stay in use"),
        ),
        Some(Some(KeysTrouble::Missing)) => (
            "unavailable",
            Some("cannot read the keys of the token issuer"),
        ),
    };
    Check {
        status,
        latency_ms: None,
        error,
    }
}

fn log(app: &App) -> LogCheck {
    let log = app.telemetry.log.as_ref();
    let is_losing = log.is_some_and(LogWriter::is_losing_lines);
    LogCheck {
        status: if is_losing { "unavailable" } else { HEALTHY },
        lost_lines: log.map_or(0, LogWriter::lost_lines),
    }
}

/// Check the health of the service and of the parts it depends on.
#[utoipa::path(get, operation_id = "health", path = "/health", tag = "service", responses(
    (status = 200, description = "Healthy, or degraded: Redis unavailable, log not written, old \
                                  keys of the token issuer, or storage not writable", body = Health),
    (status = 503, description = "Unhealthy: the database does not respond", body = Health)
))]
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    let checks = Checks::of(&app).await;
    let (status, code) = match (checks.is_up(), checks.is_well()) {
        (false, _) => ("unhealthy", StatusCode::SERVICE_UNAVAILABLE),
        (true, false) => ("degraded", StatusCode::OK),
        (true, true) => (HEALTHY, StatusCode::OK),
    };
    let health = Health {
        status,
        version: VERSION,
        timestamp: app.now(),
        checks,
    };
    (code, axum::Json(health)).into_response()
}

/// Readiness for requests.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// `ready` or `not ready`.
    status: &'static str,
    /// `ok`, or `degraded` while data cannot be written; forecasts still work.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    /// `ok`, `degraded` (it does not respond), or `disabled` if it is not configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Check readiness for requests: the database responds, and the service is not stopping.
#[utoipa::path(get, operation_id = "ready", path = "/ready", tag = "service", responses(
    (status = 200, description = "Ready", body = Ready),
    (status = 503, description = "Not ready, with the reason", body = Ready)
))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let refuse = |reason| {
        let ready = Ready {
            status: "not ready",
            database: None,
            redis: None,
            reason: Some(reason),
        };
        (StatusCode::SERVICE_UNAVAILABLE, axum::Json(ready)).into_response()
    };
    if *app.draining.borrow() {
        return refuse("the service is stopping");
    }
    if database(&app).await.error.is_some() {
        return refuse("the database does not respond");
    }
    let ready = Ready {
        status: "ready",
        database: Some(if storage(&app).await.error.is_none() {
            "ok"
        } else {
            "degraded"
        }),
        redis: Some(match redis(&app).await {
            Check { error: Some(_), .. } => "degraded",
            Check {
                status: DISABLED, ..
            } => DISABLED,
            Check { .. } => "ok",
        }),
        reason: None,
    };
    axum::Json(ready).into_response()
}
