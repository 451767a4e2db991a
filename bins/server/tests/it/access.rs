//! Who may do what. The matrix is made of the OpenAPI documents: an operation without a row fails.

use crate::support::{Service, runtime};
use serde_json::{Value, json};
use std::fmt::Write;

const DAY: &str = "2026-11-20";

/// One operation, asked about the person `anna`.
struct Row {
    method: &'static str,
    path: &'static str,
    /// What is asked, with ids filled in; `{model}` and `{job}` are Anna's.
    url: &'static str,
    body: Option<Value>,
    /// The scope that is needed; `None` where none is.
    scope: Option<&'static str>,
    /// What a stranger's key is answered: things found by their own id do not tell that they exist.
    stranger: u16,
}

fn row(
    method: &'static str,
    path: &'static str,
    url: &'static str,
    scope: &'static str,
    body: Option<Value>,
) -> Row {
    let by_own_id = url.contains("{model}") || url.contains("{job}");
    Row {
        method,
        path,
        url,
        body,
        scope: (!scope.is_empty()).then_some(scope),
        stranger: if by_own_id { 404 } else { 403 },
    }
}

/// An experiment that begins today.
fn experiment() -> Value {
    json!({"question": "Does late food matter?", "metric": "RESTING_HEART_RATE",
           "condition_a": "no food after 20:00", "start": "2026-11-23", "pairs": 6})
}

fn rows() -> Vec<Row> {
    let anna = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": DAY});
    let train = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "architecture": "naive"});
    let batch = json!({"user_id": "anna", "metrics": ["RESTING_HEART_RATE"], "target_date": DAY});
    let meals = json!([{"consumed_at": "2026-11-20T08:00:00Z", "calories": 400}]);
    let activities = json!([{"started_at": "2026-11-20T08:00:00Z", "activity_type": "YOGA"}]);
    let tags = json!([{"noted_at": "2026-11-20", "name": "alcohol"}]);
    let readings =
        json!([{"recorded_at": "2026-11-20T08:00:00Z", "metric_type": "STEPS", "value": 5000}]);
    let range = "?from=2020-01-01&to=2020-01-02";
    let users = "/api/users/{user_id}";
    let mut rows = vec![
        row("get", "/", "/", "", None),
        row("get", "/health", "/health", "", None),
        row("get", "/health/live", "/health/live", "", None),
        row("get", "/ready", "/ready", "", None),
        row(
            "post",
            "/api/predictions/train",
            "/api/predictions/train",
            "train",
            Some(train),
        ),
        row(
            "post",
            "/api/predictions/predict",
            "/api/predictions/predict",
            "read",
            Some(anna.clone()),
        ),
        row(
            "get",
            "/api/predictions/predict/{user_id}/{metric}/{target_date}",
            "/api/predictions/predict/anna/RESTING_HEART_RATE/2026-11-20",
            "read",
            None,
        ),
        row(
            "post",
            "/api/predictions/batch-predict",
            "/api/predictions/batch-predict",
            "read",
            Some(batch),
        ),
        row(
            "post",
            "/api/predictions/tune",
            "/api/predictions/tune",
            "train",
            Some(json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "trials": 1})),
        ),
        row(
            "get",
            "/api/predictions/models/{id}",
            "/api/predictions/models/anna",
            "read",
            None,
        ),
        row(
            "get",
            "/api/predictions/models/{id}/performance",
            "/api/predictions/models/{model}/performance",
            "read",
            None,
        ),
        Row {
            // Found by its own id, which stands in the body.
            stranger: 404,
            ..row(
                "post",
                "/api/interpretability/global-importance",
                "/api/interpretability/global-importance",
                "read",
                Some(json!({"model_id": "{model}"})),
            )
        },
        row(
            "put",
            "/api/predictions/models/{id}/active",
            "/api/predictions/models/{model}/active",
            "train",
            None,
        ),
        row(
            "post",
            "/api/users/{user_id}/models/{metric}/rollback",
            "/api/users/anna/models/RESTING_HEART_RATE/rollback",
            "train",
            None,
        ),
        row(
            "delete",
            "/api/predictions/models/{id}",
            "/api/predictions/models/{model}",
            "train",
            None,
        ),
        row(
            "post",
            "/api/interpretability/what-if",
            "/api/interpretability/what-if",
            "read",
            Some(json!({
                "user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": DAY,
                "scenarios": [{"scenario_name": "walk", "changes": [
                    {"feature_name": "activity_steps_daily", "new_value": 9000}]}]
            })),
        ),
        row(
            "post",
            "/api/interpretability/counterfactual",
            "/api/interpretability/counterfactual",
            "read",
            Some(anna.clone()),
        ),
        row(
            "post",
            "/api/interpretability/trajectory",
            "/api/interpretability/trajectory",
            "read",
            Some(
                json!({"user_id": "anna", "metrics_to_predict": ["RESTING_HEART_RATE"], "paths": 2}),
            ),
        ),
        row(
            "post",
            "/api/features/engineer",
            "/api/features/engineer",
            "read",
            Some(json!({"user_id": "anna", "target_date": DAY})),
        ),
        row(
            "get",
            "/api/features/{user_id}/{target_date}",
            "/api/features/anna/2026-11-20",
            "read",
            None,
        ),
        row(
            "get",
            "/api/features/{user_id}/{target_date}/summary",
            "/api/features/anna/2026-11-20/summary",
            "read",
            None,
        ),
        row(
            "delete",
            "/api/features/{user_id}/cache",
            "/api/features/anna/cache",
            "read",
            None,
        ),
        row(
            "post",
            "/api/correlations/analyze",
            "/api/correlations/analyze",
            "read",
            Some(json!({"user_id": "anna", "target_metric": "RESTING_HEART_RATE"})),
        ),
        row(
            "post",
            "/api/correlations/lag-analysis",
            "/api/correlations/lag-analysis",
            "read",
            Some(
                json!({"user_id": "anna", "target_metric": "RESTING_HEART_RATE",
                        "feature_name": "nutrition_carbs_daily"}),
            ),
        ),
        row(
            "get",
            "/api/correlations/{user_id}/{target_metric}/summary",
            "/api/correlations/anna/RESTING_HEART_RATE/summary",
            "read",
            None,
        ),
        row(
            "post",
            "/api/interpretability/explain",
            "/api/interpretability/explain",
            "read",
            Some(anna.clone()),
        ),
        row("get", users, "/api/users/anna", "read", None),
        row(
            "get",
            "/api/users/{user_id}/profile",
            "/api/users/anna/profile",
            "read",
            None,
        ),
        row(
            "put",
            "/api/users/{user_id}/profile",
            "/api/users/anna/profile",
            "ingest",
            Some(json!({})),
        ),
        row(
            "get",
            "/api/users/{user_id}/forecasts/{metric}",
            "/api/users/anna/forecasts/RESTING_HEART_RATE",
            "read",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/export",
            "/api/users/anna/export",
            "erase",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/days/{day}",
            "/api/users/anna/days/2026-11-20",
            "read",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/coverage",
            "/api/users/anna/coverage",
            "read",
            None,
        ),
        row(
            "post",
            "/api/users/{user_id}/ingest/health-auto-export",
            "/api/users/anna/ingest/health-auto-export",
            "ingest",
            Some(json!({"data": {"metrics": []}})),
        ),
        row(
            "post",
            "/api/users/{user_id}/restore",
            "/api/users/anna/restore?kind=meal&from=2026-11-20&to=2026-11-20",
            "ingest",
            None,
        ),
        row(
            "post",
            "/api/users/{user_id}/imports",
            "/api/users/anna/imports",
            "ingest",
            Some(json!({"recordedAt": "2026-11-20T08:00:00Z"})),
        ),
        row(
            "post",
            "/api/users/{user_id}/uploads",
            "/api/users/anna/uploads?length=1000",
            "ingest",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/uploads/{upload_id}",
            "/api/users/anna/uploads/{upload}",
            "ingest",
            None,
        ),
        row(
            "patch",
            "/api/users/{user_id}/uploads/{upload_id}",
            "/api/users/anna/uploads/{upload}",
            "ingest",
            Some(json!("the first part")),
        ),
        row(
            "delete",
            "/api/users/{user_id}/uploads/{upload_id}",
            "/api/users/anna/uploads/{upload}",
            "ingest",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/jobs",
            "/api/users/anna/jobs",
            "read",
            None,
        ),
        row("get", "/api/jobs/{job_id}", "/api/jobs/{job}", "read", None),
        row(
            "get",
            "/api/jobs/{job_id}/events",
            "/api/jobs/{job}/events",
            "read",
            None,
        ),
        row(
            "delete",
            "/api/jobs/{job_id}",
            "/api/jobs/{job}",
            "train",
            None,
        ),
        row("get", "/admin/keys", "/admin/keys", "admin", None),
        row(
            "post",
            "/admin/keys",
            "/admin/keys",
            "admin",
            Some(json!({"name": "x", "scopes": ["read"]})),
        ),
        row(
            "delete",
            "/admin/keys/{key_id}",
            "/admin/keys/{key}",
            "admin",
            None,
        ),
        row(
            "get",
            "/admin/pooled-models",
            "/admin/pooled-models",
            "admin",
            None,
        ),
        row(
            "post",
            "/admin/pooled-models",
            "/admin/pooled-models",
            "admin",
            Some(json!({"metric": "RESTING_HEART_RATE"})),
        ),
        row(
            "put",
            "/admin/pooled-models/{model_id}",
            "/admin/pooled-models/{pooled}",
            "admin",
            None,
        ),
        row(
            "delete",
            "/admin/pooled-models/{model_id}",
            "/admin/pooled-models/{pooled}",
            "admin",
            None,
        ),
        row("get", "/metrics", "/metrics", "", None),
        row(
            "post",
            "/api/users/{user_id}/experiments",
            "/api/users/anna/experiments",
            "ingest",
            Some(experiment()),
        ),
        row(
            "get",
            "/api/users/{user_id}/experiments",
            "/api/users/anna/experiments",
            "read",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/experiments/{experiment_id}",
            "/api/users/anna/experiments/rhr-20261123",
            "read",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/experiments/{experiment_id}/analysis",
            "/api/users/anna/experiments/rhr-20261123/analysis",
            "read",
            None,
        ),
        row(
            "get",
            "/api/users/{user_id}/experiments/{experiment_id}/page",
            "/api/users/anna/experiments/rhr-20261123/page",
            "read",
            None,
        ),
        row(
            "put",
            "/api/users/{user_id}/experiments/{experiment_id}/days/{day}",
            "/api/users/anna/experiments/rhr-20261123/days/2026-11-23",
            "ingest",
            Some(json!({"followed": true})),
        ),
        row(
            "post",
            "/api/users/{user_id}/experiments/{experiment_id}/stop",
            "/api/users/anna/experiments/rhr-20261123/stop",
            "ingest",
            None,
        ),
        row(
            "delete",
            "/api/users/{user_id}/experiments/{experiment_id}",
            "/api/users/anna/experiments/rhr-20261123",
            "ingest",
            None,
        ),
        // Last: it ends what the others ask about.
        row("delete", users, "/api/users/anna", "erase", None),
    ];
    let kinds: [(&str, &str, Value); 4] = [
        ("/api/users/{user_id}/meals", "/api/users/anna/meals", meals),
        (
            "/api/users/{user_id}/activities",
            "/api/users/anna/activities",
            activities,
        ),
        (
            "/api/users/{user_id}/health-metrics",
            "/api/users/anna/health-metrics",
            readings,
        ),
        ("/api/users/{user_id}/tags", "/api/users/anna/tags", tags),
    ];
    let last = rows.pop().unwrap();
    for (path, url, body) in kinds {
        rows.push(row("post", path, url, "ingest", Some(body)));
        rows.push(row("get", path, url, "read", None));
        let url: &'static str = Box::leak(format!("{url}{range}").into_boxed_str());
        rows.push(row("delete", path, url, "ingest", None));
    }
    rows.push(last);
    rows
}

/// Every operation of both documents, as method and path.
fn operations(service: &Service) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for url in [
        service.url("/openapi.json"),
        service.admin_url("/openapi.json"),
    ] {
        let document = service.call_with(None, "GET", &url, None).ok();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                if ["get", "put", "post", "delete", "patch"].contains(&method.as_str()) {
                    found.push((method.clone(), path.clone()));
                }
            }
        }
    }
    found
}

#[test]
fn every_operation_opens_only_for_those_it_is_for() {
    let mut service = Service::new();
    service.person("anna", 60);
    service.train("anna", "naive");
    service.person("berta", 40);
    let job = service.get("/api/users/anna/jobs").ok()["jobs"][0]["job_id"].clone();
    let job = job.as_str().unwrap().to_owned();
    let models = service.get("/api/predictions/models/anna").ok();
    let model = models["models"][0]["model_id"].as_str().unwrap().to_owned();
    let pooled = service.model_of_many_people();
    let upload = service
        .call("POST", "/api/users/anna/uploads?length=1000", None)
        .ok();
    let upload = upload["upload_id"].as_str().unwrap().to_owned();
    let admin = service.make_key(None, &["admin"]);
    service.key = Some(admin.clone());
    let every = ["read", "ingest", "train", "erase"];
    let revoked = service.make_key(Some(&["anna"]), &every);
    let id = revoked.split('_').nth(1).unwrap();
    service
        .call_with(
            Some(&admin),
            "DELETE",
            &service.admin_url(&format!("/admin/keys/{id}")),
            None,
        )
        .ok();
    let stranger = service.make_key(Some(&["berta"]), &every);
    let rows = rows();
    let mut missing: Vec<_> = operations(&service);
    missing.retain(|(method, path)| {
        !rows
            .iter()
            .any(|row| row.method == method && row.path == path)
    });
    assert!(missing.is_empty(), "operations without a row: {missing:?}");
    let mut table = String::new();
    let mut wrong = Vec::new();
    for row in &rows {
        let is_admin = row.path.starts_with("/admin") || row.path == "/metrics";
        let victim = service.make_key(Some(&["carla"]), &["read"]);
        let url = row
            .url
            .replace("{model}", &model)
            .replace("{job}", &job)
            .replace("{pooled}", &pooled)
            .replace("{upload}", &upload)
            .replace("{key}", victim.split('_').nth(1).unwrap());
        let url = if is_admin {
            service.admin_url(&url)
        } else {
            service.url(&url)
        };
        let method = row.method.to_uppercase();
        let body = row.body.as_ref().map(|body| {
            let filled = body.to_string().replace("{model}", &model);
            serde_json::from_str::<Value>(&filled).unwrap()
        });
        let ask = |key: Option<&str>| {
            let request = service.request_with(key, &method, &url, body.as_ref());
            // Only parts of an upload ask for it.
            service.send(request.header("upload-offset", "0")).status
        };
        let Some(scope) = row.scope else {
            let open = ask(None);
            writeln!(table, "{method:<7}{:<62} open {open}", row.path).unwrap();
            if open != 200 {
                wrong.push(format!("{method} {url}: {open} without a key"));
            }
            continue;
        };
        let others: Vec<&str> = every.into_iter().filter(|other| *other != scope).collect();
        let without = service.make_key(Some(&["anna"]), &others);
        let right = service.make_key((scope != "admin").then_some(&["anna"][..]), &[scope]);
        let expected_stranger = if scope == "admin" { 403 } else { row.stranger };
        let answers = [
            ("no key", ask(None), vec![401]),
            ("unknown key", ask(Some("vc_000000000000_AAAA")), vec![401]),
            ("no token", ask(Some("nonsense")), vec![401]),
            ("revoked", ask(Some(&revoked)), vec![401]),
            ("other user", ask(Some(&stranger)), vec![expected_stranger]),
            ("no scope", ask(Some(&without)), vec![403]),
        ];
        for (who, status, allowed) in &answers {
            if !allowed.contains(status) {
                wrong.push(format!("{method} {url}: {who} is answered {status}"));
            }
        }
        // What deletes would take away what the admin asks for, so the admin asks first where that
        // changes nothing.
        let deletes = row.method == "delete"
            && ["models/", "experiments/", "uploads/"]
                .iter()
                .any(|part| url.contains(part))
            || row.path == "/api/users/{user_id}";
        let by_right = ask(Some(&right));
        let by_admin = if deletes { by_right } else { ask(Some(&admin)) };
        for (who, status) in [("right", by_right), ("admin", by_admin)] {
            // Found, understood and allowed; 409 is a state that does not fit.
            if ![200, 201, 202, 204, 409].contains(&status) {
                wrong.push(format!("{method} {url}: {who} is answered {status}"));
            }
        }
        let statuses: Vec<String> = answers
            .iter()
            .map(|(who, status, _)| format!("{who} {status}"))
            .collect();
        writeln!(
            table,
            "{method:<7}{:<62} {}, right {by_right}, admin {by_admin}",
            row.path,
            statuses.join(", ")
        )
        .unwrap();
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_key_is_asked_for_as_soon_as_there_is_one_and_stays_asked_for() {
    let mut service = Service::new();
    service.person("anna", 40);
    assert_eq!(service.forecast("anna").status, 200);
    let admin = service.make_key(None, &["admin"]);
    let refused = service.forecast("anna");
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "UNAUTHORIZED")
    );
    assert_eq!(refused.headers["www-authenticate"], "Bearer");
    service.key = Some(admin);
    let own = service.make_key(Some(&["anna"]), &["read", "erase"]);
    assert_eq!(service.forecast("anna").status, 200);
    // Revoked at once, also where it was just used.
    let url = service.url("/api/users/anna");
    assert_eq!(service.call_with(Some(&own), "GET", &url, None).status, 200);
    let id = own.split('_').nth(1).unwrap().to_owned();
    let path = service.admin_url(&format!("/admin/keys/{id}"));
    service.send(service.request("DELETE", &path)).ok();
    assert_eq!(service.call_with(Some(&own), "GET", &url, None).status, 401);
    // The only key of somebody erased opens nothing, and does not leave the door open either.
    let keys = service
        .send(service.request("GET", &service.admin_url("/admin/keys")))
        .ok();
    assert!(keys["keys"].as_array().unwrap().len() == 2);
    assert!(!keys.to_string().contains(&own), "a secret is shown again");
    service.key = None;
    assert_eq!(service.forecast("anna").status, 401);
}

#[test]
fn a_key_ends_when_it_was_said_to() {
    let mut service = Service::new();
    service.person("anna", 40);
    let body = json!({"name": "short", "users": ["anna"], "scopes": ["read"],
                      "expires_at": "2026-11-23T15:20:00Z"});
    let made = service.send(
        service
            .request("POST", &service.admin_url("/admin/keys"))
            .json(&body),
    );
    assert_eq!(made.status, 201);
    service.key = Some(made.json()["token"].as_str().unwrap().to_owned());
    assert_eq!(service.forecast("anna").status, 200);
    service.pass(chrono::TimeDelta::minutes(61));
    assert_eq!(service.forecast("anna").status, 401);
}

#[test]
fn keys_that_make_no_sense_are_refused() {
    let service = Service::new();
    for body in [
        json!({"name": "", "scopes": ["read"]}),
        json!({"name": " ", "scopes": ["read"]}),
        json!({"name": "x", "scopes": []}),
        json!({"name": "x", "scopes": ["everything"]}),
        json!({"name": "x", "scopes": ["read"], "users": []}),
        json!({"name": "x", "scopes": ["read"], "users": ["../x"]}),
        json!({"name": "x", "scopes": ["admin"], "users": ["anna"]}),
        json!({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}),
        json!({"name": "x", "scopes": ["read"], "colour": "blue"}),
    ] {
        let url = service.admin_url("/admin/keys");
        let answer = service.send(service.request("POST", &url).json(&body));
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
        assert!(answer.json()["detail"].is_array(), "{}", answer.text);
    }
}

#[test]
fn nobody_else_is_let_in_before_there_is_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let config = vitalcast_server::Config {
        data_dir: folder.path().join("data"),
        listen: "0.0.0.0:0".parse().unwrap(),
        admin_listen: None,
        ..vitalcast_server::Config::default()
    };
    let clock = std::sync::Arc::new(chrono::Utc::now);
    let refused = runtime().block_on(vitalcast_server::Server::open(
        config,
        clock,
        vitalcast_server::Telemetry::default(),
    ));
    let text = refused.err().unwrap().to_string();
    assert!(text.contains("vitalcast keys create"), "{text}");
}
