//! The routes of both listeners, with what happens to every request.

use crate::app::App;
use crate::pages::pages;
use crate::{document, middleware, routes};
use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get};
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::openapi::OpenApi;

/// Where each listener has its document.
const DOCUMENT: &str = "/openapi.json";

/// The documents of the public and of the admin listener.
pub fn documents() -> (OpenApi, OpenApi) {
    let public = routes::public().split_for_parts().1;
    let admin = routes::admin::private().split_for_parts().1;
    (document::complete(public), document::complete(admin))
}

/// The pages need scripts and styles of their own.
async fn page_policy(mut response: Response) -> Response {
    response.headers_mut().insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static(
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
             img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-ancestors 'none'",
        ),
    );
    response
}

pub(crate) fn public_router(app: Arc<App>) -> Router {
    let (router, document) = routes::public().split_for_parts();
    let document = document::complete(document);
    let known = known_paths(&document).route("/redoc", get(|| async {}));
    let pages = pages()
        .route(DOCUMENT, document_route(&document))
        .layer(map_response(page_policy));
    finish(router.merge(pages), known, app)
}

pub(crate) fn admin_router(app: Arc<App>) -> Router {
    let (router, document) = routes::admin::private().split_for_parts();
    let document = document::complete(document);
    let known = known_paths(&document);
    let router = router.route(DOCUMENT, document_route(&document));
    finish(router, known, app)
}

/// Answers with the document. Its text is kept: as values it takes 8 MB.
fn document_route(document: &OpenApi) -> MethodRouter<Arc<App>> {
    let text = serde_json::to_vec(document).expect("a document is plain values");
    let text = Bytes::from(text);
    get(move || async move { ([(CONTENT_TYPE, "application/json")], text) })
}

/// The paths of a document, and its own.
fn known_paths(document: &OpenApi) -> Router {
    let paths = document.paths.paths.keys().map(String::as_str);
    middleware::known_paths(paths.chain([DOCUMENT]))
}

fn finish(router: Router<Arc<App>>, known: Router, app: Arc<App>) -> Router {
    let mut router = router
        .fallback(move |request| middleware::not_found(known.clone(), request))
        .method_not_allowed_fallback(middleware::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(&app), middleware::time_limit))
        .layer(from_fn(middleware::plain_bodies))
        .layer(CatchPanicLayer::custom(middleware::panicked))
        .layer(CompressionLayer::new());
    if !app.config.cors_origins.is_empty() {
        let origins = app
            .config
            .cors_origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin).ok());
        router = router.layer(
            CorsLayer::new()
                .allow_origin(AllowOrigin::list(origins))
                .allow_methods([
                    Method::GET,
                    Method::POST,
                    Method::PUT,
                    Method::PATCH,
                    Method::DELETE,
                ])
                .allow_headers(middleware::ACCEPTED_HEADERS)
                .expose_headers(middleware::EXPOSED_HEADERS),
        );
    }
    router
        .layer(from_fn_with_state(Arc::clone(&app), middleware::observe))
        .with_state(app)
}
