//! Hostile and broken requests: a clear refusal, never a 5xx, and the service goes on.

use crate::support::Service;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Sends bytes as they are and reads what comes back.
fn raw(service: &Service, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.handle.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // The service may answer and close before all was sent.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer
        .split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

#[test]
fn hostile_ids_name_nobody_and_no_file() {
    let service = Service::new();
    service.person("user_1", 60);
    service.person("user_1_x", 60);
    for id in [
        "..",
        "%2e%2e",
        "%252e%252e",
        "..%2f..%2fetc%2fpasswd",
        "a%00b",
        "%00",
        "*",
        "user_*",
        "user%5f1%2f",
        "a%5cb",
        "%ef%bc%8e%ef%bc%8e",
        "%c3%28",
        "a%20b",
        "%0d%0aX:y",
        "'%20OR%201=1",
    ] {
        for (method, path) in [
            ("GET", format!("/api/users/{id}")),
            ("DELETE", format!("/api/users/{id}")),
            ("GET", format!("/api/users/{id}/export")),
            ("GET", format!("/api/predictions/models/{id}")),
            ("DELETE", format!("/api/predictions/models/{id}")),
            (
                "GET",
                format!("/api/predictions/predict/{id}/RESTING_HEART_RATE/2026-11-24"),
            ),
            ("DELETE", format!("/api/features/{id}/cache")),
            ("GET", format!("/api/jobs/{id}")),
        ] {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
            let answer = raw(&service, request.as_bytes());
            let got = status(&answer);
            assert!(
                [400, 404, 405, 422].contains(&got),
                "{method} {path}: {answer}"
            );
        }
        let body =
            json!({"user_id": id, "metric": "RESTING_HEART_RATE", "target_date": "2026-11-24"});
        assert_eq!(
            service.post("/api/predictions/predict", &body).status,
            422,
            "{id}"
        );
    }
    assert_eq!(
        service.get("/api/predictions/models/user_1").ok()["total_models"],
        1
    );
    // Clearing one cache leaves that of a longer name.
    service.forecast("user_1_x").ok();
    service
        .call("DELETE", "/api/features/user_1/cache", None)
        .ok();
    assert_eq!(service.forecast("user_1_x").ok()["cached"], true);
}

#[test]
fn bodies_that_are_no_json_are_refused() {
    let service = Service::new();
    let send = |body: Vec<u8>| {
        let request = service.request("POST", &service.url("/api/predictions/predict"));
        service.send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
    };
    let deep = format!("{}1{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_field = format!("{{\"user_id\": {deep}}}");
    for body in [
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"\"text\"".to_vec(),
        b"{\"user_id\": 1e400}".to_vec(),
        b"{\"user_id\": NaN}".to_vec(),
        b"{\"user_id\": \"\\ud800\"}".to_vec(),
        b"\xff\xfe\x00".to_vec(),
        b"{\"a\":1}{\"b\":2}".to_vec(),
        deep.into_bytes(),
        deep_field.into_bytes(),
    ] {
        let answer = send(body.clone());
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        assert_eq!(answer.status, 422, "{shown}: {}", answer.text);
        assert!(answer.json()["detail"].is_array(), "{shown}");
        assert!(answer.text.len() < 30_000, "{shown}");
    }
    // The last of two equal names counts, for everything that looks at it.
    let twice = b"{\"user_id\": \"a\", \"user_id\": \"..\", \"metric\": \"RESTING_HEART_RATE\", \"target_date\": \"2026-11-24\"}";
    assert_eq!(send(twice.to_vec()).status, 422);
}

#[test]
fn bodies_that_are_too_large_or_slow_are_cut_off() {
    let service = Service::with(|config| {
        config.limits.body_bytes = 1_000;
        config.limits.ingest_bytes = 2_000;
        config.limits.upload_bytes = 3_000;
        config.limits.body_seconds = 1;
        config.limits.header_seconds = 1;
    });
    for (path, size) in [
        ("/api/predictions/predict", 1_001),
        ("/api/users/anna/meals", 2_001),
        ("/api/users/anna/imports", 3_001),
    ] {
        let request = service.request("POST", &service.url(path));
        let answer = service.send(
            request
                .header("content-type", "application/json")
                .body("x".repeat(size)),
        );
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (413, "TOO_LARGE"),
            "{path}"
        );
    }
    let begun = Instant::now();
    let head = "POST /api/predictions/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\nConnection: close\r\n\r\n{";
    let answer = raw(&service, head.as_bytes());
    assert_eq!(status(&answer), 408, "{answer}");
    // Headers that never end.
    let answer = raw(&service, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    assert!([0, 408].contains(&status(&answer)), "{answer}");
    // Nothing at all.
    assert_eq!(raw(&service, b""), "");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // Headers without end.
    let mut endless = b"GET / HTTP/1.1\r\nHost: localhost\r\n".to_vec();
    for number in 0..5_000 {
        endless.extend(format!("X-{number}: {}\r\n", "y".repeat(100)).into_bytes());
    }
    endless.extend(b"\r\n");
    let answer = raw(&service, &endless);
    assert!([0, 431].contains(&status(&answer)), "{answer}");
    assert_eq!(service.get("/ready").status, 200);
    let uploads = std::fs::read_dir(service.data().join("uploads"))
        .unwrap()
        .count();
    assert_eq!(uploads, 0);
}

#[test]
fn a_body_of_many_small_values_is_given_up_before_it_fills_the_memory() {
    let service = Service::new();
    let send = |method: &str, path: &str, body: String| {
        let request = service.request(method, &service.url(path));
        service.send(
            request
                .header("content-type", "application/json")
                .body(body),
        )
    };
    let body = format!("[{}{{}}]", "{\"\":1},".repeat(2_000_000));
    // More than there is room for at once: what one held is given back.
    for _ in 0..20 {
        let answer = send("POST", "/api/users/anna/meals", body.clone());
        assert_eq!(answer.status, 422);
        assert_eq!(answer.json()["detail"][0]["type"], "too_long");
    }
    // As many made-up fields as fit are told by the hundred.
    let fields: Vec<String> = (0..80_000).map(|place| format!("\"f{place}\":1")).collect();
    let body = format!("{{{}}}", fields.join(","));
    let answer = send("PUT", "/api/users/anna/profile", body.clone());
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["detail"].as_array().unwrap().len(), 100);
    let answer = send("POST", "/api/users/anna/meals", format!("[{body}]"));
    assert_eq!(answer.json()["detail"].as_array().unwrap().len(), 100);
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let service = Service::new();
    let body = json!([{"recorded_at": "2026-11-20T06:00:00Z", "metric_type": "STEPS", "value": 5}])
        .to_string();
    let head = format!(
        "POST /api/users/anna/health-metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len() + 10
    );
    let mut stream = TcpStream::connect(service.handle.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(service.get("/api/users/anna").status, 404);
}

#[test]
fn a_key_that_asks_too_often_waits() {
    let mut service = Service::with(|config| {
        config.limits.rate_per_second = 2;
        config.limits.rate_burst = 5;
    });
    service.readings("anna", 3);
    let key = service.make_key(Some(&["anna"]), &["read"]);
    service.key = Some(key);
    let answers: Vec<_> = (0..12).map(|_| service.get("/api/users/anna")).collect();
    let refused = answers.iter().find(|answer| answer.status == 429).unwrap();
    assert_eq!(refused.code(), "RATE_LIMITED");
    assert!(
        refused.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
            >= 1
    );
    assert!(answers.iter().filter(|answer| answer.status == 200).count() >= 5);
    assert_eq!(answers[0].headers["ratelimit-policy"], r#""key";q=5;w=3"#);
    assert_eq!(answers[0].headers["ratelimit"], r#""key";r=4;t=1"#);
    assert_eq!(refused.headers["ratelimit"], r#""key";r=0;t=1"#);
    // What asks for no key counts for none.
    assert!(
        !service
            .get("/health/live")
            .headers
            .contains_key("ratelimit")
    );
}

#[test]
fn errors_have_the_form_that_was_asked_for() {
    let service = Service::new();
    let ask = |accept: &str, path: &str| {
        let request = service.request("GET", &service.url(path));
        service.send(
            request
                .header("accept", accept)
                .header("x-request-id", "mine-1"),
        )
    };
    let plain = ask("*/*", "/api/jobs/none");
    assert_eq!(
        plain.json(),
        json!({"detail": "Job not found: none", "code": "UNKNOWN_JOB"})
    );
    assert_eq!(plain.headers["x-request-id"], "mine-1");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(plain.headers[name], value);
    }
    let problem = ask("application/problem+json", "/api/jobs/none");
    assert_eq!(problem.headers["content-type"], "application/problem+json");
    assert_eq!(problem.json()["detail"], "Job not found: none");
    assert_eq!(problem.json()["status"], 404);
    assert_eq!(problem.json()["request_id"], "mine-1");
    let faults = ask("application/problem+json", "/api/jobs/n%20o");
    assert!(faults.json()["errors"].is_array() && faults.json()["detail"].is_string());
    let wrong_method = service.call("PATCH", "/api/predictions/train", None);
    assert_eq!(wrong_method.json()["detail"], "Method Not Allowed");
    assert!(
        wrong_method.headers["allow"]
            .to_str()
            .unwrap()
            .contains("POST")
    );
}

#[test]
fn the_pages_work_without_any_other_server() {
    let service = Service::new();
    let page = service.get("/docs/");
    assert_eq!(page.status, 200);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(!page.text.contains("https://"), "{}", page.text);
    assert_eq!(service.get("/docs").status, 200, "after a redirect");
    let document: Value = service.get("/openapi.json").ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn stopping_answers_who_is_waiting_and_refuses_who_comes() {
    let mut service = Service::new();
    service.person("anna", 60);
    // Half a request: its headers are there, and the service waits for the body.
    let body = json!([{"recorded_at": "2026-11-22T06:00:00Z", "metric_type": "STEPS", "value": 5}])
        .to_string();
    let head = format!(
        "POST /api/users/anna/health-metrics HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut waiting = TcpStream::connect(service.handle.address).unwrap();
    waiting.write_all(head.as_bytes()).unwrap();
    let mut ready = [0; 25];
    waiting.read_exact(&mut ready).unwrap();
    assert!(ready.starts_with(b"HTTP/1.1 100"), "{ready:?}");
    service.handle.stop();
    crate::support::eventually("nobody else comes in", || {
        TcpStream::connect(service.handle.address).err()
    });
    waiting.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200, "{answer}");
    service.stop();
}

#[test]
fn there_are_only_so_many_connections() {
    let service = Service::with(|config| config.limits.connections = 3);
    let taken = || -> Vec<TcpStream> {
        (0..3)
            .map(|_| TcpStream::connect(service.handle.address).unwrap())
            .collect()
    };
    // Once all three were taken in, who comes is closed without an answer. On a busy machine they may be
    // given up for their silence before anybody asks, so each attempt has three of its own.
    crate::support::eventually("there is no more room", || {
        let held = taken();
        let refused = raw(
            &service,
            b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        drop(held);
        (status(&refused) == 0).then_some(())
    });
    crate::support::eventually("room", || {
        let answer = raw(
            &service,
            b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        );
        (status(&answer) == 200).then_some(())
    });
}

#[test]
fn without_keys_a_page_of_another_site_gets_nothing() {
    let service = Service::with(|config| {
        config.cors_origins = vec!["http://localhost:5173".to_owned()];
    });
    service.person("anna", 60);
    let ask = |host: &str, more: &str| {
        let request = format!(
            "GET /api/users/anna HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n\r\n"
        );
        status(&raw(&service, request.as_bytes()))
    };
    for host in [
        "localhost",
        "LOCALHOST:8001",
        "127.0.0.1:8001",
        "[::1]:8001",
    ] {
        assert_eq!(ask(host, ""), 200, "{host}");
    }
    // A name that somebody else made lead here.
    for host in [
        "evil.example",
        "localhost.evil.example",
        "192.168.1.7:8001",
        "",
    ] {
        assert_eq!(ask(host, ""), 403, "{host}");
    }
    // A page that was loaded from elsewhere.
    for origin in ["https://evil.example", "null", "http://localhost:9999"] {
        let more = format!("Origin: {origin}\r\n");
        assert_eq!(ask("localhost", &more), 403, "{origin}");
    }
    // Our own pages, and those the configuration allows.
    for origin in ["http://localhost:8001", "http://localhost:5173"] {
        let more = format!("Origin: {origin}\r\n");
        assert_eq!(ask("localhost:8001", &more), 200, "{origin}");
    }
    // With a key it is the key that counts.
    let key = service.make_key(None, &["admin"]);
    let more = format!("Authorization: Bearer {key}\r\n");
    assert_eq!(ask("vitalcast.example", &more), 200);
}

#[test]
fn a_reader_that_takes_nothing_does_not_hold_its_connection() {
    let service = Service::with(|config| config.limits.stall_seconds = 1);
    // Far more than the system keeps for a reader.
    let page = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let length = service.get("/docs/swagger-ui-bundle.js").text.len();
    let mut stream = TcpStream::connect(service.handle.address).unwrap();
    stream.write_all(page.repeat(40).as_bytes()).unwrap();
    // Not a byte is read until the service has hung up: then writing fails.
    crate::support::eventually("the service hangs up", || {
        (&stream).write_all(b"\r\n").err()
    });
    let mut taken = Vec::new();
    // Ends with what the system had kept, and then the connection is gone.
    let _ = stream.read_to_end(&mut taken);
    assert!(taken.len() < 40 * length, "{} of {length}", taken.len());
    assert_eq!(service.get("/ready").status, 200);
}
