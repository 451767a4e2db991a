//! What clients of FastAPI and browsers are used to.

use crate::support::Service;
use serde_json::{Value, json};

/// Requests that go where they are sent, and no further.
fn without_redirects() -> reqwest::Client {
    let policy = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(policy).build().unwrap()
}

#[test]
fn a_slash_at_the_end_of_a_path_leads_to_the_path_without_it() {
    let service = Service::new();
    service.person("anna", 60);
    let http = without_redirects();
    let ask = |method: &str, url: String| {
        let answer = service.send(http.request(method.parse().unwrap(), url));
        let location = answer.headers.get("location").cloned();
        let location = location.map(|target| target.to_str().unwrap().to_owned());
        (answer.status, location)
    };
    // Every route there is, on both listeners, whatever the method.
    let (public, admin) = vitalcast_server::documents();
    for (document, base) in [(public, service.url("")), (admin, service.admin_url(""))] {
        for path in document.paths.paths.keys().filter(|path| *path != "/") {
            let path = path
                .replace("{metric}", "RESTING_HEART_RATE")
                .replace("{target_date}", "2026-11-24")
                .replace(['{', '}'], "");
            for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
                for slashes in ["/", "//"] {
                    let (status, location) =
                        ask(method, format!("{base}{path}{slashes}?limit=3&from=%20"));
                    assert_eq!(status, 307, "{method} {path}");
                    assert_eq!(location, Some(format!("{path}?limit=3&from=%20")));
                }
            }
        }
    }
    for path in ["/openapi.json", "/redoc"] {
        let found = ask("GET", service.url(&format!("{path}/")));
        assert_eq!(found, (307, Some(path.to_owned())));
    }
    // Nothing else leads anywhere, least of all to another host.
    for path in [
        "/nowhere/",
        "//",
        "//evil.example/",
        "//evil.example/api/jobs/x/",
        "/api/",
        "/api/users//",
        "/api/predictions/train/x/",
    ] {
        let found = ask("GET", service.url(path));
        assert_eq!(found, (404, None), "{path}");
    }
    // The body goes along.
    let body = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "architecture": "naive"});
    service.post("/api/predictions/train/", &body).ok();
}

#[test]
fn dates_are_taken_as_unix_time() {
    let service = Service::new();
    service.person("anna", 60);
    service.train("anna", "naive");
    let seconds = 1_795_478_400_i64; // 2026-11-24
    let predict = |date: Value| {
        let body = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": date});
        service.post("/api/predictions/predict", &body)
    };
    for date in [
        json!(seconds),
        json!(seconds.to_string()),
        json!(seconds * 1_000),
        json!(seconds as f64),
    ] {
        let forecast = predict(date).ok();
        assert_eq!(forecast["prediction"]["target_date"], "2026-11-24");
    }
    let inexact = predict(json!(seconds + 1));
    assert_eq!(inexact.status, 422);
    let fault = &inexact.json()["detail"][0];
    assert_eq!(fault["type"], "date_from_datetime_inexact");
    assert_eq!(fault["loc"], json!(["body", "target_date"]));
    // In paths and queries.
    let path = format!("/api/predictions/predict/anna/RESTING_HEART_RATE/{seconds}");
    let forecast = service.get(&path).ok();
    assert_eq!(forecast["prediction"]["target_date"], "2026-11-24");
    service.get(&format!("/api/features/anna/{seconds}")).ok();
    let page = format!(
        "/api/users/anna/health-metrics?from={}",
        seconds - 86_400 * 10
    );
    let page = service.get(&page).ok();
    assert!(page.to_string().contains("2026-11-20"), "{page}");
    assert!(!page.to_string().contains("2026-11-10"), "{page}");
    // Moments of records.
    let reading = json!([{"recorded_at": 1_795_415_400, "metric_type": "STEPS", "value": 12}]);
    service
        .post("/api/users/berta/health-metrics", &reading)
        .ok();
    let kept = service.get("/api/users/berta/health-metrics").ok();
    assert!(kept.to_string().contains("2026-11-23T06:30:00Z"), "{kept}");
}

#[test]
fn a_byte_order_mark_before_a_body_is_not_read() {
    let service = Service::new();
    let send = |path: &str, kind: &str, body: String| {
        let request = service
            .request("POST", &service.url(path))
            .header("content-type", kind)
            .body(format!("\u{feff}{body}"));
        service.send(request)
    };
    let reading =
        json!({"recorded_at": "2026-11-22T06:00:00Z", "metric_type": "STEPS", "value": 5});
    let path = "/api/users/anna/health-metrics";
    let list = send(path, "application/json", json!([reading]).to_string());
    assert_eq!(list.ok()["added"], 1);
    let lines = send(
        path,
        "application/x-ndjson",
        format!("{reading}\n{reading}\n"),
    );
    assert_eq!(lines.ok()["unchanged"], 2);
    let ask = json!({"user_id": "anna", "target_date": "2026-11-23"});
    send(
        "/api/features/engineer",
        "application/json",
        ask.to_string(),
    )
    .ok();
    // Where it stops being JSON is counted without it, as Python does.
    let broken = send("/api/features/engineer", "application/json", "{".to_owned());
    assert_eq!(broken.json()["detail"][0]["loc"], json!(["body", 1]));
    // One alone is no body.
    let empty = send("/api/features/engineer", "application/json", String::new());
    assert_eq!(empty.status, 422);
}

#[test]
fn a_page_of_an_allowed_origin_may_send_what_the_guide_names_and_read_what_answers_carry() {
    let origin = "https://app.example";
    let service = Service::with(|config| config.cors_origins = vec![origin.to_owned()]);
    let names = |answer: &crate::support::Answer, header: &str| -> Vec<String> {
        let text = answer.headers[header]
            .to_str()
            .unwrap()
            .to_ascii_lowercase();
        text.split(',').map(|name| name.trim().to_owned()).collect()
    };
    let asked = [
        "authorization",
        "content-type",
        "accept",
        "last-event-id",
        "x-request-id",
    ];
    let preflight = service
        .request("OPTIONS", &service.url("/api/predictions/predict"))
        .header("origin", origin)
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", asked.join(","));
    let preflight = service.send(preflight);
    let allowed = names(&preflight, "access-control-allow-headers");
    for name in asked {
        assert!(allowed.iter().any(|allowed| allowed == name), "{name}");
    }
    // Whatever an answer carries that a browser does not show by itself.
    let key = service.make_key(None, &["admin"]);
    let by_itself = [
        "cache-control",
        "content-length",
        "content-type",
        // For the browser, not for the page.
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "connection",
        "content-encoding",
        "content-security-policy",
        "date",
        "permissions-policy",
        "referrer-policy",
        "transfer-encoding",
        "vary",
        "x-content-type-options",
        "x-frame-options",
    ];
    let reading =
        json!([{"recorded_at": "2026-11-22T06:00:00Z", "metric_type": "STEPS", "value": 5}]);
    let train = json!({"user_id": "anna", "metric": "SLEEP_DURATION", "wait_seconds": 0});
    for (key, method, path, body) in [
        (
            Some(&key),
            "POST",
            "/api/users/anna/health-metrics",
            Some(&reading),
        ),
        (None, "GET", "/api/users/anna", None),
        (Some(&key), "PUT", "/api/users/anna", None),
        (Some(&key), "GET", "/api/users/anna/export", None),
        (Some(&key), "GET", "/api/users/anna/", None),
        (Some(&key), "POST", "/api/predictions/train", Some(&train)),
    ] {
        let mut request = without_redirects()
            .request(method.parse().unwrap(), service.url(path))
            .header("origin", origin)
            .header("x-request-id", "mine-1");
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = service.send(request);
        assert_eq!(answer.headers["x-request-id"], "mine-1");
        let exposed = names(&answer, "access-control-expose-headers");
        for name in answer
            .headers
            .keys()
            .map(reqwest::header::HeaderName::as_str)
        {
            assert!(
                by_itself.contains(&name) || exposed.iter().any(|exposed| exposed == name),
                "{name} of {method} {path}"
            );
        }
    }
}
