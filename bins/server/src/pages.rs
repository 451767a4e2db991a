//! The pages at `/docs`: Swagger UI, read from the archive in which it is published.

use crate::error::ApiError;
use axum::Router;
use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::io::{Cursor, Read};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED;
use zip::ZipArchive;

/// The files of Swagger UI that the page needs, with their media types.
const FILES: [(&str, &str); 7] = [
    ("index.html", "text/html"),
    ("index.css", "text/css"),
    ("swagger-ui.css", "text/css"),
    ("swagger-ui-bundle.js", "text/javascript"),
    ("swagger-ui-standalone-preset.js", "text/javascript"),
    ("favicon-16x16.png", "image/png"),
    ("favicon-32x32.png", "image/png"),
];

/// Shows the document of the service, instead of the example in the archive.
const INITIALIZER: (&str, &str) = (
    "swagger-initializer.js",
    r##"window.onload = function() {
  window.ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#swagger-ui",
    deepLinking: true,
    presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
    plugins: [SwaggerUIBundle.plugins.DownloadUrl],
    layout: "StandaloneLayout"
  });
};
"##,
);

/// The routes of the pages.
pub(crate) fn pages<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let to_index = || async { Redirect::to("/docs/") };
    Router::new()
        .route("/docs", get(to_index))
        .route("/docs/", get(|| file("index.html".to_owned())))
        .route("/docs/{*name}", get(|Path(name): Path<String>| file(name)))
        .route("/redoc", get(|| async { Redirect::permanent("/docs/") }))
}

async fn file(name: String) -> Result<Response, ApiError> {
    if name == INITIALIZER.0 {
        return Ok(answer("text/javascript", INITIALIZER.1.into()));
    }
    let known = FILES.into_iter().find(|(known, _)| *known == name);
    let Some((name, media_type)) = known else {
        return Err(ApiError::not_found("NOT_FOUND", "Not Found"));
    };
    // The largest has 1.5 MB: other requests should not wait for it.
    let bytes = tokio::task::spawn_blocking(move || read(name)).await;
    match bytes {
        Ok(Some(bytes)) => Ok(answer(media_type, bytes)),
        Ok(None) | Err(_) => Err(ApiError::internal()),
    }
}

fn answer(media_type: &'static str, bytes: Vec<u8>) -> Response {
    (
        [(CONTENT_TYPE, HeaderValue::from_static(media_type))],
        bytes,
    )
        .into_response()
}

/// A file of Swagger UI. Its folder in the archive contains the version.
fn read(name: &str) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(SWAGGER_UI_VENDORED)).ok()?;
    let path = archive.file_names().flatten().find(|path| {
        let inner = path.split_once('/').map(|(_, inner)| inner);
        inner.and_then(|inner| inner.strip_prefix("dist/")) == Some(name)
    })?;
    let path = path.into_owned();
    let mut file = archive.by_name(&path).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_page_names_is_there() {
        let page = String::from_utf8(read("index.html").unwrap()).unwrap();
        let mut named: Vec<&str> = page
            .split('"')
            .filter(|text| {
                [".js", ".css", ".png"]
                    .iter()
                    .any(|end| text.ends_with(end))
            })
            .map(|text| text.trim_start_matches("./"))
            .chain(["index.html"])
            .collect();
        named.sort_unstable();
        let mut served: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        served.push(INITIALIZER.0);
        served.sort_unstable();
        assert_eq!(named, served);
        for (name, _) in FILES {
            assert!(read(name).is_some_and(|bytes| bytes.len() > 100), "{name}");
        }
    }
}
