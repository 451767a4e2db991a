//! kill -9 in the middle of writing, training, publishing and erasing: whatever was acknowledged is
//! there at the next start, and nothing is torn.

use crate::support::runtime;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The server as a process of its own.
pub(crate) struct Process {
    child: Child,
    log: Option<std::thread::JoinHandle<String>>,
    address: String,
    admin_address: String,
}

impl Process {
    pub(crate) fn start(folder: &Path) -> Self {
        Self::with(folder, &[])
    }

    /// With settings from the environment.
    pub(crate) fn with(folder: &Path, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitalcast-server"));
        command.envs(settings.iter().copied());
        Self::of(command, folder)
    }

    /// Started by a command of its own.
    pub(crate) fn of(mut command: Command, folder: &Path) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"])
            .args(["--now", crate::support::NOW])
            .arg("--data-dir")
            .arg(folder.join("data"))
            .env("VITALCAST_SERVER_LIMITS__RATE_PER_SECOND", "0")
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut log = String::new();
        let ready = loop {
            let mut line = String::new();
            assert!(
                lines.read_line(&mut line).unwrap() > 0,
                "it ended at once: {log}"
            );
            log.push_str(&line);
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            if event["message"] == "ready" {
                break event;
            }
        };
        let admin_address = ready["admin_address"].as_str().unwrap().to_owned();
        let address = ready["address"].as_str().unwrap().to_owned();
        let log = std::thread::spawn(move || {
            let _ = lines.read_to_string(&mut log);
            log
        });
        Self {
            child,
            log: Some(log),
            address,
            admin_address,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn admin(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin_address)
    }

    /// Stops as a service manager would, and gives the log.
    pub(crate) fn stop(&mut self) -> String {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
        self.log.take().unwrap().join().unwrap()
    }

    fn kill(mut self) {
        // SIGKILL on Unix.
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn send(
    http: &reqwest::Client,
    method: &str,
    url: String,
    body: Option<Value>,
) -> Option<(u16, Value)> {
    let request = http.request(method.parse().unwrap(), url);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.json().await.ok()?))
}

/// What the other side knows to be durable.
#[derive(Default)]
struct Acknowledged {
    /// Readings of the steady writer.
    readings: u64,
    /// Models of the steady writer.
    models: Vec<String>,
}

/// One life of the server: writers, a trainer and an eraser at it, then killed.
async fn live(process: &Process, round: u64, known: &mut Acknowledged) {
    let http = reqwest::Client::new();
    let delay = Duration::from_millis(20 + (round * 37) % 260);
    let write = async {
        let mut acknowledged = 0;
        for number in 0.. {
            let minute = (round * 1_000 + number) % 500_000;
            let moment =
                chrono::DateTime::from_timestamp(1_600_000_000 + minute as i64 * 60, 0).unwrap();
            let body = json!([{"recorded_at": moment, "metric_type": "STEPS", "value": 7.0}]);
            let url = process.url("/api/users/steady/health-metrics");
            match send(&http, "POST", url, Some(body)).await {
                Some((200, answer)) => acknowledged += answer["added"].as_u64().unwrap(),
                _ => break,
            }
        }
        acknowledged
    };
    let train = async {
        let mut models = Vec::new();
        for seed in 0.. {
            let body = json!({"user_id": "steady", "metric": "RESTING_HEART_RATE", "seed": round * 100 + seed,
                              "architecture": "moving_average", "force_retrain": true});
            match send(
                &http,
                "POST",
                process.url("/api/predictions/train"),
                Some(body),
            )
            .await
            {
                Some((200, answer)) => models.push(answer["model_id"].as_str().unwrap().to_owned()),
                _ => break,
            }
        }
        models
    };
    let erase = async {
        loop {
            let body = json!([{"recorded_at": "2026-11-20T06:00:00Z", "metric_type": "STEPS", "value": 7.0}]);
            let url = process.url("/api/users/fleeting/health-metrics");
            if send(&http, "POST", url, Some(body)).await.is_none() {
                break;
            }
            if send(&http, "DELETE", process.url("/api/users/fleeting"), None)
                .await
                .is_none()
            {
                break;
            }
        }
    };
    let kill = async {
        tokio::time::sleep(delay).await;
        let id = process.child.id().to_string();
        let _ = Command::new("kill").args(["-KILL", &id]).status();
    };
    let (acknowledged, models, (), ()) = tokio::join!(write, train, erase, kill);
    known.readings += acknowledged;
    known.models.extend(models);
}

/// What was acknowledged is there, whole, and works.
async fn check(process: &Process, known: &Acknowledged) {
    let http = reqwest::Client::new();
    let get = async |path: &str| send(&http, "GET", process.url(path), None).await.unwrap();
    let (status, overview) = get("/api/users/steady").await;
    assert_eq!(status, 200);
    let kept = overview["health_metrics"].as_u64().unwrap();
    assert!(
        kept >= known.readings,
        "{kept} of {} readings",
        known.readings
    );
    let (_, models) = get("/api/predictions/models/steady").await;
    let listed = models["models"].to_string();
    for model in &known.models {
        assert!(listed.contains(model), "{model} is lost");
    }
    if !known.models.is_empty() {
        let (status, forecast) =
            get("/api/predictions/predict/steady/RESTING_HEART_RATE/2026-11-24").await;
        assert_eq!(status, 200, "{forecast}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let rounds = if std::env::var_os("VITALCAST_SOAK").is_some() {
        1_000
    } else {
        25
    };
    let folder = tempfile::tempdir().unwrap();
    let mut known = Acknowledged::default();
    let mut slowest = Duration::ZERO;
    for round in 0..rounds {
        let begun = Instant::now();
        let process = Process::start(folder.path());
        slowest = slowest.max(begun.elapsed());
        if round == 0 {
            let readings: Vec<Value> = (1..=60)
                .map(|back| {
                    let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap() - chrono::Days::new(back);
                    json!({"recorded_at": format!("{day}T06:00:00Z"), "metric_type": "RESTING_HEART_RATE",
                           "value": 60.0 + back as f64 / 10.0})
                })
                .collect();
            let http = reqwest::Client::new();
            let url = process.url("/api/users/steady/health-metrics");
            let written = runtime().block_on(send(&http, "POST", url, Some(json!(readings))));
            assert_eq!(written.unwrap().0, 200);
            known.readings = 60;
            // Trained before the storm, however busy the machine is: every later start has a model to find.
            let url = process.url("/api/predictions/train");
            let body = json!({"user_id": "steady", "metric": "RESTING_HEART_RATE",
                              "architecture": "moving_average", "wait_seconds": 300});
            let trained = runtime().block_on(send(&http, "POST", url, Some(body)));
            let (status, answer) = trained.unwrap();
            assert_eq!(status, 200, "{answer}");
            known
                .models
                .push(answer["model_id"].as_str().unwrap().to_owned());
        } else {
            runtime().block_on(check(&process, &known));
        }
        runtime().block_on(live(&process, round, &mut known));
        process.kill();
    }
    println!(
        "{rounds} kills: {} readings and {} models acknowledged, slowest start {slowest:?}",
        known.readings,
        known.models.len()
    );
    assert!(known.readings > 60 + rounds, "the writer wrote");
}
