//! What happens to every request and answer.

use crate::app::App;
use crate::error::ApiError;
use crate::rate::{RATE_LIMIT, RATE_LIMIT_POLICY, StandingOfRequest};
use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tower::ServiceExt as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request, in its log line and its answer. Ids that came with the request are kept if they
/// are short and plain; others get one of ours.
fn request_id(headers: &HeaderMap) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let given = headers
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|text| {
            (1..=64).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        });
    match given {
        Some(text) => text.to_owned(),
        None => format!(
            "{:x}-{:x}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        ),
    }
}

/// A method for logs and metrics. Whoever calls may make up others, and each would be a row for ever.
fn method_word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// The outermost layer: id, one log line, metrics, headers that keep browsers careful. The path is
/// logged as the route it matched, never with what stands in it.
pub(crate) async fn observe(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let method = method_word(request.method());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    let wants_problem = request
        .headers()
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/problem+json"));
    let has_tls = app.config.tls.certificate_file.is_some();
    let standing = StandingOfRequest::default();
    request.extensions_mut().insert(Arc::clone(&standing));
    let mut response = next.run(request).await;
    if wants_problem {
        response = problem_details(response, &id);
    }
    let status = response.status().as_u16();
    let seconds = begun.elapsed().as_secs_f64();
    let labels = [
        ("method", method.to_owned()),
        ("route", route.clone()),
        ("status", status.to_string()),
    ];
    metrics::counter!("vitalcast_http_requests_total", &labels).increment(1);
    metrics::histogram!("vitalcast_http_request_seconds", "method" => method, "route" => route.clone())
        .record(seconds);
    tracing::info!(
        request_id = %id,
        method,
        route = %route,
        status,
        milliseconds = seconds * 1e3,
        "request"
    );
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(standing) = standing.get() {
        standing.write(headers);
    }
    set_careful_headers(headers, has_tls);
    response
}

fn set_careful_headers(headers: &mut HeaderMap, has_tls: bool) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        (
            "permissions-policy",
            "camera=(), geolocation=(), microphone=()",
        ),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ] {
        let name = HeaderName::from_static(name);
        // Pages of our own say what they need.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if has_tls {
        headers.insert(
            HeaderName::from_static("strict-transport-security"),
            HeaderValue::from_static("max-age=31536000"),
        );
    }
}

/// The same error in the form of RFC 9457.
fn problem_details(response: Response, request_id: &str) -> Response {
    let Some(error) = response.extensions().get::<ApiError>().cloned() else {
        return response;
    };
    let mut problem = axum::Json(error.problem(request_id)).into_response();
    *problem.status_mut() = response.status();
    for (name, value) in response.headers() {
        if name != CONTENT_TYPE && name != "content-length" {
            problem.headers_mut().insert(name.clone(), value.clone());
        }
    }
    problem.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    problem
}

/// Bodies that are compressed are refused: they would be read as if they were not.
pub(crate) async fn plain_bodies(request: Request, next: Next) -> Response {
    let encoding = request.headers().get(CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| encoding != "identity") {
        return ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_ENCODING",
            "Compressed bodies are not supported: send the body without Content-Encoding",
        )
        .into_response();
    }
    next.run(request).await
}

/// Longest time for an answer. Waiting for a training and long transfers have limits of their own.
pub(crate) async fn time_limit(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let own_limit = route.is_some_and(|route| {
        let route = route.as_str();
        route.ends_with("/train")
            || route.ends_with("/imports")
            || route.ends_with("/uploads/{upload_id}")
            || route.ends_with("/events")
            || route.ends_with("/export")
    });
    if own_limit {
        return next.run(request).await;
    }
    let limits = &app.config.limits;
    let patience = Duration::from_secs(limits.request_seconds + limits.body_seconds);
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "TIMED_OUT",
            "The request took too long",
        )
        .retry_after(1)
        .into_response(),
    }
}

/// A handler that panicked answers 500, in the form of every other error.
pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a handler panicked");
    ApiError::internal().into_response()
}

/// A router that knows paths and nothing else.
pub(crate) fn known_paths<'p>(paths: impl IntoIterator<Item = &'p str>) -> Router {
    paths.into_iter().fold(Router::new(), |known, path| {
        known.route(path, any(known_path))
    })
}

async fn known_path() {}

/// No such path. Where it would be one without the slash at its end, that is where to go, with the
/// same method and body, as FastAPI has it.
pub(crate) async fn not_found(known: Router, request: Request) -> Response {
    let path = request.uri().path();
    let shorter = path.trim_end_matches('/');
    if shorter.len() < path.len() && !shorter.is_empty() {
        let probe = Request::builder().uri(shorter).body(Body::empty());
        if let Ok(probe) = probe
            && let Ok(found) = known.oneshot(probe).await
            && found.status() == StatusCode::OK
        {
            let query = request.uri().query();
            let target =
                query.map_or_else(|| shorter.to_owned(), |query| format!("{shorter}?{query}"));
            return Redirect::temporary(&target).into_response();
        }
    }
    ApiError::not_found("NOT_FOUND", "Not Found").into_response()
}

/// A path that is there, with another method: the router says which in `Allow`.
pub(crate) async fn method_not_allowed(_: Method) -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "METHOD_NOT_ALLOWED",
        "Method Not Allowed",
    )
}

/// Headers that a page of an allowed origin may send.
pub(crate) const ACCEPTED_HEADERS: [HeaderName; 6] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    ACCEPT,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("upload-offset"),
    REQUEST_ID,
];

/// Headers of answers that such a page may read, beside those that any page may.
pub(crate) const EXPOSED_HEADERS: [HeaderName; 10] = [
    REQUEST_ID,
    ALLOW,
    CONTENT_DISPOSITION,
    LOCATION,
    RETRY_AFTER,
    WWW_AUTHENTICATE,
    RATE_LIMIT,
    RATE_LIMIT_POLICY,
    HeaderName::from_static("upload-offset"),
    HeaderName::from_static("upload-length"),
];
