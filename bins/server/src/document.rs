//! The OpenAPI document: what the routes say, completed by what holds for all of them.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
};
use utoipa::{PartialSchema, openapi};

/// Bytes of a file.
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

/// An error in a sentence.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Error {
    /// What is wrong and what would be right.
    detail: String,
    /// A stable word for programs.
    code: String,
    /// The job that failed, where there is one.
    #[schema(required = false)]
    job_id: Option<String>,
}

/// One value that is wrong.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ValidationFault {
    /// A stable word, as pydantic's.
    #[serde(rename = "type")]
    kind: String,
    /// Where: `body`, `query` or `path`, then names and places in lists.
    #[schema(value_type = Vec<Value>)]
    loc: Vec<serde_json::Value>,
    /// What would be right.
    msg: String,
    /// What was given.
    #[schema(value_type = Value)]
    input: serde_json::Value,
    /// The numbers and words of the message.
    #[schema(required = false, value_type = Object)]
    ctx: Option<serde_json::Value>,
}

/// A request that cannot be used, value by value.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct ValidationError {
    /// What is wrong.
    detail: Vec<ValidationFault>,
    /// A stable word for programs.
    code: String,
}

/// An error in the form of RFC 9457, for those who ask for it.
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

/// Completes a document: errors that any route may answer, and how keys are sent.
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
        add("403", "The key does not open this", &["Error"]);
        add(
            "429",
            "Too many requests, or too many jobs waiting",
            &["Error"],
        );
    }
    if has_input {
        add(
            "422",
            "Values that cannot be used, or too little data",
            &["ValidationError", "Error"],
        );
    }
    if has_body {
        add("400", "A body that broke off", &["Error"]);
        add("408", "A body that took too long to arrive", &["Error"]);
        add("413", "A body that is too large", &["Error"]);
        add("415", "A body that is compressed", &["Error"]);
    }
    if path.contains('{') || path.contains("predictions") {
        add("404", "Not there, or not the caller's", &["Error"]);
        add("409", "Does not fit the state it meets", &["Error"]);
    }
    if path != "/health/live" {
        add("500", "A fault of the service", &["Error"]);
        add("503", "Overloaded, or storage is unavailable", &["Error"]);
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
                .description(Some("Seconds after which trying again makes sense"))
                .schema(Some(u64::schema()))
                .build(),
        );
    }
    response.build()
}
