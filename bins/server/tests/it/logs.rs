//! What the server's log says: routes, never people; moments, never values.

use crate::kills::Process;
#[cfg(unix)]
use crate::support::{eventually, runtime};
use serde_json::json;
#[cfg(unix)]
use std::net::TcpListener;
#[cfg(unix)]
use std::process::{Child, Command, Stdio};
#[cfg(unix)]
use tempfile::TempDir;

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

/// A server whose log goes where it cannot be read from, so that its address is chosen here.
#[cfg(unix)]
struct Mute {
    child: Child,
    address: String,
    admin_address: String,
    _folder: TempDir,
}

#[cfg(unix)]
impl Mute {
    fn start(log: Stdio) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (public, admin) = (free(), free());
        let address = public.local_addr().unwrap().to_string();
        let admin_address = admin.local_addr().unwrap().to_string();
        drop((public, admin));
        let folder = tempfile::tempdir().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_vitalcast-server"))
            .args(["--listen", &address, "--admin-listen", &admin_address])
            .arg("--data-dir")
            .arg(folder.path().join("data"))
            .stderr(log)
            .spawn()
            .unwrap();
        let mute = Self {
            child,
            address,
            admin_address,
            _folder: folder,
        };
        eventually("it answers", || (mute.get("/ready") == 200).then_some(()));
        mute
    }

    /// The status, 0 where none came.
    fn get(&self, path: &str) -> u16 {
        let answer = runtime().block_on(::reqwest::get(format!("http://{}{path}", self.address)));
        answer.map_or(0, |answer| answer.status().as_u16())
    }

    fn lost_lines(&self) -> u64 {
        let url = format!("http://{}/metrics", self.admin_address);
        let metrics = runtime().block_on(async {
            let answer = ::reqwest::get(url).await.unwrap();
            answer.text().await.unwrap()
        });
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("vitalcast_log_lines_lost_total "));
        line.unwrap().parse().unwrap()
    }

    /// Asks it to stop as a service manager would; whether it ended well.
    fn stop(mut self) -> bool {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.child.wait().unwrap().success()
    }
}

#[cfg(unix)]
impl Drop for Mute {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_under_the_log_loses_log_lines_and_nothing_else() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let service = Mute::start(full.into());
    for _ in 0..5 {
        assert_eq!(service.get("/health/live"), 200);
    }
    assert!(service.lost_lines() >= 5);
    let health = runtime().block_on(async {
        let url = format!("http://{}/health", service.address);
        let answer = ::reqwest::get(url).await.unwrap();
        answer.json::<serde_json::Value>().await.unwrap()
    });
    assert_eq!(health["status"], "degraded", "{health}");
    assert_eq!(health["checks"]["log"]["status"], "unavailable");
    assert!(health["checks"]["log"]["lost_lines"].as_u64() >= Some(5));
    assert!(service.stop());
}

#[cfg(unix)]
#[test]
fn a_log_without_a_reader_loses_log_lines_and_nothing_else() {
    let mut service = Mute::start(Stdio::piped());
    drop(service.child.stderr.take());
    for _ in 0..5 {
        assert_eq!(service.get("/health/live"), 200);
    }
    eventually("lines are lost", || {
        (service.lost_lines() > 0).then_some(())
    });
    assert!(service.stop());
}

#[cfg(unix)]
#[test]
fn a_log_whose_reader_is_stuck_loses_log_lines_and_nothing_else() {
    // The pipe is there until the end of the test, and nobody reads it.
    let service = Mute::start(Stdio::piped());
    let ask = async || {
        let client = ::reqwest::Client::new();
        for _ in 0..2_000 {
            let url = format!("http://{}/health/live", service.address);
            assert_eq!(client.get(url).send().await.unwrap().status(), 200);
        }
    };
    eventually("the pipe and the queue are full", || {
        runtime().block_on(ask());
        (service.lost_lines() > 0).then_some(())
    });
    assert_eq!(service.get("/health/live"), 200);
    assert!(service.stop());
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
