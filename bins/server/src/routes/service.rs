//! The service itself: what it is, whether it is well.

use crate::app::App;
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
    /// `healthy`, `unhealthy`, `unavailable` or `disabled`.
    status: &'static str,
    /// How long it took to answer, milliseconds.
    latency_ms: f64,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checks {
    database: Check,
    redis: Check,
}

/// How well the service is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// `healthy`, `degraded` (slower than it could be) or `unhealthy`.
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
            "healthy"
        } else {
            "unhealthy"
        },
        latency_ms: begun.elapsed().as_secs_f64() * 1e3,
        error: answered.is_err().then_some("the database does not answer"),
    }
}

async fn redis(app: &App) -> Check {
    let begun = Instant::now();
    let answers = app
        .look(|engine| Ok(engine.shared_cache_answers()))
        .await
        .unwrap_or(Some(false));
    let (status, error) = match answers {
        Some(true) => ("healthy", None),
        Some(false) => ("unavailable", Some("Redis does not answer")),
        None => ("disabled", None),
    };
    Check {
        status,
        latency_ms: begun.elapsed().as_secs_f64() * 1e3,
        error,
    }
}

/// How well the service and what it needs are.
#[utoipa::path(get, operation_id = "health", path = "/health", tag = "service", responses(
    (status = 200, description = "Healthy, or degraded: slower without Redis", body = Health),
    (status = 503, description = "Unhealthy: the database does not answer", body = Health)
))]
pub(super) async fn health(State(app): State<Arc<App>>) -> Response {
    let checks = Checks {
        database: database(&app).await,
        redis: redis(&app).await,
    };
    let is_up = checks.database.error.is_none();
    let status = match (is_up, checks.redis.error) {
        (false, _) => "unhealthy",
        (true, Some(_)) => "degraded",
        (true, None) => "healthy",
    };
    let code = if is_up {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
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
    #[serde(skip_serializing_if = "Option::is_none")]
    database: Option<&'static str>,
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
        database: Some("ok"),
        redis: Some(match redis(&app).await.error {
            None => "ok",
            Some(_) => "degraded",
        }),
        reason: None,
    };
    axum::Json(ready).into_response()
}
