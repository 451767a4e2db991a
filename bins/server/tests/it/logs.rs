//! What the server's log says: routes, never people; moments, never values.

use crate::kills::Process;
use serde_json::json;

#[test]
fn the_log_names_no_person_and_no_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let client = reqwest::blocking_client();
    let planted = [
        "zz-secret-person",
        "61.98765",
        "marzipan-4711",
        "planted-watch",
        "vc_",
    ];
    let readings: Vec<_> = (1..=60)
        .map(|back| {
            let day =
                chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() - chrono::Days::new(back);
            json!({"recorded_at": format!("{day}T06:00:00Z"), "metric_type": "RESTING_HEART_RATE",
                   "value": 61.98765, "source": "planted-watch"})
        })
        .collect();
    let user = "/api/users/zz-secret-person";
    let key = client.key(&process);
    let call = |method: &str, path: &str, body: Option<serde_json::Value>| {
        client.call(&process, &key, method, path, body)
    };
    assert_eq!(
        call(
            "POST",
            &format!("{user}/health-metrics"),
            Some(json!(readings))
        ),
        200
    );
    let meal = json!([{"consumed_at": "2026-11-20T08:00:00Z", "name": "marzipan-4711", "calories": 61.98765}]);
    assert_eq!(call("POST", &format!("{user}/meals"), Some(meal)), 200);
    let train = json!({"user_id": "zz-secret-person", "metric": "RESTING_HEART_RATE", "architecture": "naive"});
    assert_eq!(call("POST", "/api/predictions/train", Some(train)), 200);
    let predict = json!({"user_id": "zz-secret-person", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-24"});
    assert_eq!(call("POST", "/api/predictions/predict", Some(predict)), 200);
    let wrong =
        json!([{"recorded_at": "marzipan-4711", "metric_type": "STEPS", "value": "61.98765"}]);
    assert_eq!(
        call("POST", &format!("{user}/health-metrics"), Some(wrong)),
        422
    );
    assert_eq!(call("GET", &format!("{user}/export"), None), 200);
    assert_eq!(
        call("GET", "/api/nowhere/zz-secret-person?q=marzipan-4711", None),
        404
    );
    assert_eq!(call("DELETE", user, None), 200);
    let metrics = client.text(&process.admin("/metrics"));
    let log = process.stop();
    assert!(
        log.contains("\"route\":\"/api/predictions/train\""),
        "{log}"
    );
    assert!(
        metrics.contains("vitalcast_http_requests_total"),
        "{metrics}"
    );
    for text in [&log, &metrics] {
        for needle in planted {
            assert!(!text.contains(needle), "{needle} in: {text}");
        }
    }
}

/// Requests to another process.
mod reqwest {
    use crate::kills::Process;
    use crate::support::runtime;
    use serde_json::{Value, json};

    pub(super) struct Client(::reqwest::Client);

    pub(super) fn blocking_client() -> Client {
        Client(::reqwest::Client::new())
    }

    impl Client {
        pub(super) fn key(&self, process: &Process) -> String {
            let body = json!({"name": "test", "scopes": ["admin"]});
            runtime().block_on(async {
                let answer = self
                    .0
                    .post(process.admin("/admin/keys"))
                    .json(&body)
                    .send()
                    .await;
                let made: Value = answer.unwrap().json().await.unwrap();
                made["token"].as_str().unwrap().to_owned()
            })
        }

        pub(super) fn call(
            &self,
            process: &Process,
            key: &str,
            method: &str,
            path: &str,
            body: Option<Value>,
        ) -> u16 {
            let request = self
                .0
                .request(method.parse().unwrap(), process.url(path))
                .bearer_auth(key);
            let request = match body {
                Some(body) => request.json(&body),
                None => request,
            };
            runtime().block_on(async { request.send().await.unwrap().status().as_u16() })
        }

        pub(super) fn text(&self, url: &str) -> String {
            runtime()
                .block_on(async { self.0.get(url).send().await.unwrap().text().await.unwrap() })
        }
    }
}
