//! A service of its own for each test, on a fresh folder and a clock that stands still.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tempfile::TempDir;
use vitalcast_server::{Config, Server, ServerHandle, Telemetry};

/// The present of every test, unless it moves it.
pub(crate) const NOW: &str = "2026-11-23T14:20:00Z";

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

/// One runtime for all tests.
pub(crate) fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap()
    })
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self.json()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or("").to_owned()
    }
}

pub(crate) struct Service {
    pub(crate) folder: Arc<TempDir>,
    pub(crate) handle: ServerHandle,
    pub(crate) http: reqwest::Client,
    pub(crate) key: Option<String>,
    running: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
    moved: Arc<AtomicI64>,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Arc::new(tempfile::tempdir().unwrap()), change)
    }

    /// On a folder that is there already.
    pub(crate) fn on(folder: Arc<TempDir>, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            data_dir: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            admin_listen: Some("127.0.0.1:0".parse().unwrap()),
            ..Config::default()
        };
        change(&mut config);
        let moved = Arc::new(AtomicI64::new(0));
        let seconds = Arc::clone(&moved);
        let begin: DateTime<Utc> = NOW.parse().unwrap();
        let clock = Arc::new(move || begin + TimeDelta::seconds(seconds.load(Ordering::SeqCst)));
        let (handle, running) = runtime().block_on(async {
            let server = Server::open(config, clock, Telemetry::default())
                .await
                .unwrap();
            let handle = server.handle().unwrap();
            let stopping = handle.clone();
            let running = tokio::spawn(async move { server.run(&stopping).await });
            (handle, running)
        });
        Self {
            folder,
            handle,
            http: reqwest::Client::new(),
            key: None,
            running: Some(running),
            moved,
        }
    }

    /// Lets the clock go on.
    pub(crate) fn pass(&self, time: TimeDelta) {
        self.moved.fetch_add(time.num_seconds(), Ordering::SeqCst);
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.handle.address)
    }

    pub(crate) fn admin_url(&self, path: &str) -> String {
        format!("http://{}{path}", self.handle.admin_address.unwrap())
    }

    #[allow(clippy::unused_self, reason = "it is this service that is asked")]
    pub(crate) fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        runtime().block_on(async {
            let response = request.send().await.unwrap();
            Answer {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                text: response.text().await.unwrap_or_default(),
            }
        })
    }

    pub(crate) fn request(&self, method: &str, url: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method.parse().unwrap(), url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub(crate) fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = self.request(method, &self.url(path));
        if let Some(body) = body {
            request = request.json(body);
        }
        self.send(request)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, Some(body))
    }

    /// Makes a key by the admin API.
    pub(crate) fn make_key(&self, users: Option<&[&str]>, scopes: &[&str]) -> String {
        let body = json!({"name": "test", "users": users, "scopes": scopes});
        let request = self.request("POST", &self.admin_url("/admin/keys"));
        let made = self.send(request.json(&body)).ok();
        made["token"].as_str().unwrap().to_owned()
    }

    /// The same service, asked with another key.
    pub(crate) fn call_with(
        &self,
        key: Option<&str>,
        method: &str,
        url: &str,
        body: Option<&Value>,
    ) -> Answer {
        self.send(self.request_with(key, method, url, body))
    }

    /// Such a request, not sent.
    pub(crate) fn request_with(
        &self,
        key: Option<&str>,
        method: &str,
        url: &str,
        body: Option<&Value>,
    ) -> reqwest::RequestBuilder {
        let mut request = self.http.request(method.parse().unwrap(), url);
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request
    }

    /// Days of resting heart rate up to yesterday, and a model of them.
    pub(crate) fn person(&self, user: &str, days: u64) {
        self.readings(user, days);
        self.train(user, "moving_average");
    }

    pub(crate) fn readings(&self, user: &str, days: u64) {
        let last: NaiveDate = NOW[..10].parse().unwrap();
        let readings: Vec<Value> = (1..=days)
            .map(|back| {
                let day = last - Days::new(back);
                let value = 55.0 + ((back * 7) % 9) as f64 / 2.0;
                json!({"recorded_at": format!("{day}T06:30:00Z"), "metric_type": "RESTING_HEART_RATE", "value": value})
            })
            .collect();
        self.post(
            &format!("/api/users/{user}/health-metrics"),
            &json!(readings),
        )
        .ok();
    }

    pub(crate) fn train(&self, user: &str, architecture: &str) -> Value {
        let body =
            json!({"user_id": user, "metric": "RESTING_HEART_RATE", "architecture": architecture});
        let trained = self.post("/api/predictions/train", &body).ok();
        // The model of many people may be better; these tests are about the trained one.
        if let Some(model) = trained["model_id"].as_str() {
            let path = format!("/api/predictions/models/{model}/active");
            self.call("PUT", &path, None).ok();
        }
        trained
    }

    /// Fits a model of many people to those of `many-0` to `many-7`, and returns its id.
    pub(crate) fn model_of_many_people(&self) -> String {
        for number in 0..8 {
            self.readings(&format!("many-{number}"), 60);
        }
        let url = self.admin_url("/admin/pooled-models");
        let body = json!({"metric": "RESTING_HEART_RATE", "include_unasked": true});
        let begun = self.call_with(self.key.as_deref(), "POST", &url, Some(&body));
        assert_eq!(begun.status, 202, "{}", begun.text);
        let fit = eventually("the fit ends", || {
            let list = self.call_with(self.key.as_deref(), "GET", &url, None).ok();
            let fit = list["fits"][0].clone();
            (fit["state"] != "running").then_some(fit)
        });
        assert_eq!(fit["state"], "succeeded", "{fit}");
        fit["result"]["model_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn forecast(&self, user: &str) -> Answer {
        self.get(&format!(
            "/api/predictions/predict/{user}/RESTING_HEART_RATE/2026-11-24"
        ))
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Stops, as a signal would, and waits until the folder is free.
    pub(crate) fn stop(&mut self) {
        self.handle.stop();
        if let Some(running) = self.running.take() {
            runtime().block_on(running).unwrap().unwrap();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.handle.stop_now();
        if let Some(running) = self.running.take() {
            let _ = runtime().block_on(running);
        }
    }
}

/// Tries something until it holds; a limit far beyond what it takes.
pub(crate) fn eventually<T>(what: &str, attempt: impl Fn() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(done) = attempt() {
            return done;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not happen within five minutes");
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
