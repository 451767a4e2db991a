//! What the process holds when nobody asks anything of it.

use crate::kills::Process;
use crate::support::{NOW, eventually, runtime};
use chrono::{Days, NaiveDate};
use serde_json::{Value, json};

/// Anonymous memory of a process, MB: what it has allocated and not given back.
fn memory(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1_000
}

#[test]
fn what_a_training_took_is_given_back_though_nobody_asks_for_anything() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let http = reqwest::Client::new();
    let send = |method: &str, path: &str, body: Option<Value>| -> Value {
        let mut request = http.request(method.parse().unwrap(), process.url(path));
        if let Some(body) = body {
            request = request.json(&body);
        }
        runtime().block_on(async { request.send().await.unwrap().json().await.unwrap() })
    };
    let last: NaiveDate = NOW[..10].parse().unwrap();
    let readings: Vec<Value> = (1..=150_u64)
        .map(|back| {
            let day = last - Days::new(back);
            json!({"recorded_at": format!("{day}T06:30:00Z"), "metric_type": "RESTING_HEART_RATE",
                   "value": 55 + back % 7})
        })
        .collect();
    send(
        "POST",
        "/api/users/anna/health-metrics",
        Some(json!(readings)),
    );
    let before = memory(&process);
    let large = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "lookback_days": 140,
                       "epochs": 200, "hidden_dim": 512, "num_layers": 4, "wait_seconds": 0});
    let job = send("POST", "/api/predictions/train", Some(large));
    let path = format!("/api/jobs/{}", job["job_id"].as_str().unwrap());
    eventually("the training takes memory", || {
        (memory(&process) > before + 100).then_some(())
    });
    send("DELETE", &path, None);
    eventually("the training has ended", || {
        (send("GET", &path, None)["state"] == "cancelled").then_some(())
    });
    eventually("its memory is given back", || {
        (memory(&process) < before + 40).then_some(())
    });
    process.stop();
}
