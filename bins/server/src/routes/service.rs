//! The service itself: what it is, whether it is well.

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

/// What this is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Root {
    service: &'static str,
    version: &'static str,
    environment: String,
    status: &'static str,
    docs: &'static str,
}

/// What this is.
#[utoipa::path(get, operation_id = "root", path = "/", tag = "service", responses((status = 200, description = "What this is", body = Root)))]
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

/// Whether the process answers; nothing else is looked at.
#[utoipa::path(get, operation_id = "live", path = "/health/live", tag = "service", responses((status = 200, description = "Alive", body = Live)))]
pub(super) async fn live() -> axum::Json<Live> {
    axum::Json(Live { status: "ok" })
}

/// One thing that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Check {
    /// `healthy`, `unhealthy`, `unavailable`, `stale` (what was read last is used), or `disabled` where
    /// nothing of the kind is configured.
    status: &'static str,
    /// How long it took to answer, milliseconds, where it was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// Whether the log is written.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LogCheck {
    /// `healthy`, or `unavailable` while lines are lost.
    status: &'static str,
    /// Lines lost since the start.
    lost_lines: u64,
}

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checks {
    database: Check,
    /// Whether data can be written.
    storage: Check,
    redis: Check,
    /// The keys that tokens are checked with.
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

    /// Whether everything works that requests cannot do without.
    fn is_up(&self) -> bool {
        self.database.error.is_none()
    }

    /// Whether everything works.
    fn is_well(&self) -> bool {
        self.is_up()
            && self.storage.error.is_none()
            && self.redis.error.is_none()
            && self.issuer_keys.error.is_none()
            && self.log.status == HEALTHY
    }
}

/// How well the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy`, `degraded` (it answers, and something is not as it should be) or `unhealthy`.
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
        error: answered.is_err().then_some("the database does not answer"),
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
        Some(false) => ("unavailable", Some("Redis does not answer")),
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
            Some("the issuer's keys cannot be read again: the last ones are used"),
        ),
        Some(Some(KeysTrouble::Missing)) => {
            ("unavailable", Some("the issuer's keys cannot be read"))
        }
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

/// How well the service and what it needs are.
#[utoipa::path(get, operation_id = "health", path = "/health", tag = "service", responses(
    (status = 200, description = "Healthy, or degraded: without Redis, without a log, with the issuer's last keys, or without writing", body = Health),
    (status = 503, description = "Unhealthy: the database does not answer", body = Health)
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

/// Whether requests should be sent here.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// `ready` or `not ready`.
    status: &'static str,
    /// `ok`, or `degraded` while data cannot be written; forecasts are answered then, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
    /// `ok`, `degraded` (it does not answer), or `disabled` where none is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    redis: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// Whether requests should be sent here: the database answers, and the service is not stopping.
#[utoipa::path(get, operation_id = "ready", path = "/ready", tag = "service", responses(
    (status = 200, description = "Ready", body = Ready),
    (status = 503, description = "Not ready, and why", body = Ready)
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
        return refuse("the database does not answer");
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
