//! The OpenAPI document: the routes, with the errors and security schemes that all of them share.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, openapi};

/// The bytes of a file.
pub(crate) struct File;

impl PartialSchema for File {
    fn schema() -> RefOr<openapi::schema::Schema> {
        openapi::schema::ObjectBuilder::new()
            .schema_type(openapi::schema::Type::String)
            .format(Some(openapi::SchemaFormat::KnownFormat(
                openapi::KnownFormat::Binary,
            )))
            .min_length(Some(1))
            .into()
    }
}

impl ToSchema for File {}

/// An error as a sentence.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Error {
    /// What is wrong and what was expected.
    detail: String,
    /// A stable code for programs.
    code: String,
    /// Id of the failed job, if there is one.
    #[schema(required = false)]
    job_id: Option<String>,
}

/// An error in one value.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ValidationFault {
    /// A stable error type, as in pydantic.
    #[serde(rename = "type")]
    kind: String,
    /// Location: `body`, `query` or `path`, then field names and list indexes.
    #[schema(value_type = Vec<Value>)]
    loc: Vec<serde_json::Value>,
    /// What was expected.
    msg: String,
    /// The given value.
    #[schema(value_type = Value)]
    input: serde_json::Value,
    /// Parameters of the message.
    #[schema(required = false, value_type = Object)]
    ctx: Option<serde_json::Value>,
}

/// A validation error: one entry for each invalid value.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ValidationError {
    /// The errors.
    detail: Vec<ValidationFault>,
    /// A stable code for programs.
    code: String,
}

/// An error in the format of RFC 9457, on request.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    status: u16,
    detail: String,
    code: String,
    request_id: String,
    #[schema(required = false)]
    errors: Option<Vec<ValidationFault>>,
    #[schema(required = false)]
    job_id: Option<String>,
}

/// Adds the errors that any route can return and the security scheme to a document.
pub(crate) fn complete(mut document: OpenApi) -> OpenApi {
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let components = document
        .components
        .take()
        .unwrap_or_else(|| ComponentsBuilder::new().build());
    document.components = Some(
        ComponentsBuilder::from(components)
            .schema("Error", Error::schema())
            .schema("ValidationFault", ValidationFault::schema())
            .schema("ValidationError", ValidationError::schema())
            .schema("Problem", Problem::schema())
            .security_scheme(
                "key",
                SecurityScheme::Http(
                    HttpBuilder::new()
                        .scheme(HttpAuthScheme::Bearer)
                        .description(Some(
                            "An API key (`vc_…`) or a token of the configured issuer",
                        ))
                        .build(),
                ),
            )
            .build(),
    );
    for (path, item) in &mut document.paths.paths {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            complete_operation(path, operation);
        }
    }
    document
}

fn complete_operation(path: &str, operation: &mut Operation) {
    let is_open = operation.security.is_none();
    let has_body = operation.request_body.is_some();
    let has_input = has_body
        || operation
            .parameters
            .as_ref()
            .is_some_and(|all| !all.is_empty());
    let mut add = |status: &str, description: &str, schemas: &[&str]| {
        let responses = &mut operation.responses.responses;
        if !responses.contains_key(status) {
            let response = error_response(status, description, schemas);
            responses.insert(status.to_owned(), RefOr::T(response));
        }
    };
    if !is_open {
        add("401", "No valid key", &["Error"]);
        add("403", "The key has no access to this resource", &["Error"]);
        add(
            "429",
            "Too many requests, or too many jobs waiting",
            &["Error"],
        );
    }
    if has_input {
        add(
            "422",
            "Invalid values, or too little data",
            &["ValidationError", "Error"],
        );
    }
    if path.ends_with("/uploads") {
        add("413", "File too large", &["Error"]);
    }
    // An empty part asks for the job once more, and has no body.
    if path.ends_with("/uploads/{upload_id}")
        && let Some(RefOr::T(body)) = &mut operation.request_body
    {
        body.required = Some(openapi::Required::False);
    }
    if has_body {
        add("400", "Incomplete or invalid body", &["Error"]);
        add("408", "Timeout while the body was received", &["Error"]);
        add("413", "Body too large", &["Error"]);
        add("415", "Compressed body", &["Error"]);
    }
    // What a path or a body names may not be there.
    let names_something = path.contains('{')
        || ["predictions", "interpretability", "pooled-models"]
            .iter()
            .any(|word| path.contains(word));
    if names_something {
        add("404", "Not found, or the caller has no access", &["Error"]);
        add("409", "Conflict with the current state", &["Error"]);
    }
    if path != "/health/live" {
        add("500", "Internal error", &["Error"]);
        add("503", "Overloaded, or storage unavailable", &["Error"]);
    }
}

fn error_response(status: &str, description: &str, schemas: &[&str]) -> openapi::Response {
    let reference = |name: &str| RefOr::Ref(Ref::from_schema_name(name));
    let schema = match schemas {
        [only] => reference(only),
        several => {
            let mut any = openapi::schema::AnyOfBuilder::new();
            for name in several {
                any = any.item(reference(name));
            }
            RefOr::T(openapi::schema::Schema::AnyOf(any.build()))
        }
    };
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(
            "application/json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(reference("Problem")))
                .build(),
        );
    if matches!(status, "429" | "503") {
        response = response.header(
            "Retry-After",
            HeaderBuilder::new()
                .description(Some("Seconds to wait before the next attempt"))
                .schema(Some(u64::schema()))
                .build(),
        );
    }
    response.build()
}
