//! The service under load: starts it on a fresh folder, asks it from this process, and prints what
//! it took as JSON. `cargo xtask bench-server` runs it and draws the table.
//!
//! The load comes from the same machine, so both share its processors.

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const NOW: &str = "2026-11-23T14:20:00Z";
/// People with data and a model.
const PEOPLE: usize = 200;
/// Days of each.
const DAYS: i64 = 150;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The server as a process of its own.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(binary: &Path, folder: &Path, settings: &[(&str, &str)]) -> Outcome<(Self, f64)> {
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .args([
                "--listen",
                "127.0.0.1:0",
                "--admin-listen",
                "",
                "--now",
                NOW,
            ])
            .arg("--data-dir")
            .arg(folder)
            // As a service manager would run it: every request is logged.
            .env("VITALCAST_SERVER_LOG__LEVEL", "info")
            .envs(settings.iter().copied())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no log")?);
        let event: Value = loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Err("the service ended at once".into());
            }
            let event: Value = serde_json::from_str(&line)?;
            if event["message"] == "ready" {
                break event;
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        let address = event["address"].as_str().ok_or("no address")?.to_owned();
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        Ok((Self { child, address }, seconds))
    }

    /// Resident memory, MB.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        status
            .ok()
            .and_then(|text| {
                let line = text
                    .lines()
                    .find(|line| line.starts_with("VmRSS"))?
                    .to_owned();
                line.split_whitespace().nth(1)?.parse::<f64>().ok()
            })
            .map_or(f64::NAN, |kilobytes| kilobytes / 1e3)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn connect(address: &str) -> Outcome<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn ask(
    connection: &mut SendRequest<Full<Bytes>>,
    method: &str,
    path: &str,
    body: Bytes,
) -> Outcome<(StatusCode, Bytes)> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Full::new(body))?;
    connection.ready().await?;
    let answer = connection.send_request(request).await?;
    let status = answer.status();
    Ok((status, answer.into_body().collect().await?.to_bytes()))
}

async fn json_of(address: &str, method: &str, path: &str, body: &Value) -> Outcome<Value> {
    let mut connection = connect(address).await?;
    let (status, bytes) = ask(&mut connection, method, path, body.to_string().into()).await?;
    if !status.is_success() {
        return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
    }
    Ok(serde_json::from_slice(&bytes)?)
}

/// Latencies and counts of one scenario.
#[derive(Default)]
struct Measured {
    /// Of answers that were what was wanted, seconds.
    latencies: Vec<f64>,
    /// Of refusals (429, 503), seconds.
    refusals: Vec<f64>,
    other: u64,
    seconds: f64,
}

impl Measured {
    fn add(&mut self, status: StatusCode, seconds: f64) {
        match status.as_u16() {
            200 => self.latencies.push(seconds),
            429 | 503 => self.refusals.push(seconds),
            _ => self.other += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.refusals.extend(other.refusals);
        self.other += other.other;
    }

    fn quantile(values: &mut [f64], share: f64) -> f64 {
        values.sort_by(f64::total_cmp);
        let place = (share * values.len() as f64) as usize;
        values
            .get(place.min(values.len().saturating_sub(1)))
            .map_or(f64::NAN, |seconds| seconds * 1e3)
    }

    fn row(mut self, name: &str) -> Value {
        let count = self.latencies.len();
        json!({
            "name": name,
            "per_second": count as f64 / self.seconds,
            "p50_ms": Self::quantile(&mut self.latencies, 0.5),
            "p99_ms": Self::quantile(&mut self.latencies, 0.99),
            "answered": count,
            "refused": self.refusals.len(),
            "refused_p99_ms": Self::quantile(&mut self.refusals, 0.99),
            "other": self.other,
        })
    }
}

/// What the `number`th request asks: method, path, body.
type Asking = Arc<dyn Fn(u64) -> (&'static str, String, Bytes) + Send + Sync>;

/// As fast as so many connections can, each asking again as soon as it is answered.
async fn closed(
    address: &str,
    connections: usize,
    length: Duration,
    asking: Asking,
) -> Outcome<Measured> {
    let number = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let mut workers = Vec::new();
    for _ in 0..connections {
        let mut connection = connect(address).await?;
        let (asking, number) = (Arc::clone(&asking), Arc::clone(&number));
        workers.push(tokio::spawn(async move {
            let mut measured = Measured::default();
            while begun.elapsed() < length {
                let (method, path, body) = asking(number.fetch_add(1, Ordering::Relaxed));
                let asked = Instant::now();
                let (status, _) = ask(&mut connection, method, &path, body).await?;
                measured.add(status, asked.elapsed().as_secs_f64());
            }
            Outcome::Ok(measured)
        }));
    }
    let mut all = Measured::default();
    for worker in workers {
        all.merge(worker.await??);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    Ok(all)
}

/// So many a second, whether answered or not; the wait for a free connection counts.
async fn open(
    address: &str,
    rate: f64,
    connections: usize,
    length: Duration,
    asking: Asking,
) -> Outcome<Measured> {
    let begun = Instant::now();
    let number = Arc::new(AtomicU64::new(0));
    let mut workers = Vec::new();
    for _ in 0..connections {
        let mut connection = connect(address).await?;
        let (asking, number) = (Arc::clone(&asking), Arc::clone(&number));
        workers.push(tokio::spawn(async move {
            let mut measured = Measured::default();
            loop {
                let place = number.fetch_add(1, Ordering::Relaxed);
                let due = begun + Duration::from_secs_f64(place as f64 / rate);
                if due - begun > length {
                    return Outcome::Ok(measured);
                }
                // A timer wakes up to a millisecond late, which is not the service's.
                let asked = if due > Instant::now() {
                    tokio::time::sleep_until(due.into()).await;
                    Instant::now()
                } else {
                    due
                };
                let (method, path, body) = asking(place);
                let (status, _) = ask(&mut connection, method, &path, body).await?;
                measured.add(status, asked.elapsed().as_secs_f64());
            }
        }));
    }
    let mut all = Measured::default();
    for worker in workers {
        all.merge(worker.await??);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    Ok(all)
}

fn person(number: usize) -> String {
    format!("person-{number}")
}

/// People with readings, meals and workouts, made up by arithmetic.
async fn prepare(address: &str) -> Outcome<()> {
    let today: chrono::NaiveDate = NOW[..10].parse()?;
    for number in 0..PEOPLE {
        let (mut readings, mut meals) = (Vec::new(), Vec::new());
        for back in 1..=DAYS {
            let day = today - chrono::Days::new(back.unsigned_abs());
            let wave = ((back * 7 + number as i64) % 11) as f64;
            for (metric, value) in [
                ("RESTING_HEART_RATE", 55.0 + wave / 2.0),
                ("HEART_RATE_VARIABILITY_RMSSD", 40.0 + wave),
                ("SLEEP_DURATION", 6.5 + wave / 8.0),
                ("STEPS", 6_000.0 + 300.0 * wave),
            ] {
                readings.push(json!({"recorded_at": format!("{day}T06:30:00Z"), "metric_type": metric, "value": value}));
            }
            for (hour, kcal) in [(8, 450.0), (13, 700.0), (19, 800.0)] {
                meals.push(json!({"consumed_at": format!("{day}T{hour:02}:00:00Z"), "calories": kcal + 10.0 * wave,
                                  "protein": 30.0, "carbs": 70.0, "fat": 20.0}));
            }
        }
        let user = person(number);
        json_of(
            address,
            "POST",
            &format!("/api/users/{user}/health-metrics"),
            &json!(readings),
        )
        .await?;
        json_of(
            address,
            "POST",
            &format!("/api/users/{user}/meals"),
            &json!(meals),
        )
        .await?;
        // One network for the heaviest forecasts, the rest quick to train.
        let architecture = if number == 0 { "lstm" } else { "ridge" };
        let body =
            json!({"user_id": user, "metric": "RESTING_HEART_RATE", "architecture": architecture});
        json_of(address, "POST", "/api/predictions/train", &body).await?;
    }
    Ok(())
}

fn cached() -> Asking {
    Arc::new(|number| {
        let user = person(number as usize % PEOPLE);
        (
            "GET",
            format!("/api/predictions/predict/{user}/RESTING_HEART_RATE/2026-11-24"),
            Bytes::new(),
        )
    })
}

fn uncached() -> Asking {
    Arc::new(|number| {
        let body = json!({"user_id": person(number as usize % PEOPLE), "metric": "RESTING_HEART_RATE",
                          "target_date": "2026-11-24", "force_recompute_features": true});
        (
            "POST",
            "/api/predictions/predict".to_owned(),
            body.to_string().into(),
        )
    })
}

/// Records that nobody has yet, from the `first` one on.
fn one_record(first: i64) -> Asking {
    Arc::new(move |number| {
        let moment = 1_000_000_000 + (first + number as i64) * 60;
        let moment = chrono::DateTime::from_timestamp(moment, 0).unwrap_or_default();
        let body = json!([{"recorded_at": moment, "metric_type": "STEPS", "value": 12.0}]);
        let user = format!("writer-{}", number % 50);
        (
            "POST",
            format!("/api/users/{user}/health-metrics"),
            body.to_string().into(),
        )
    })
}

async fn ten_thousand(address: &str) -> Outcome<Value> {
    let mut seconds = Vec::new();
    for round in 0..3 {
        let records: Vec<Value> = (0..10_000)
            .map(|number| {
                let moment = chrono::DateTime::from_timestamp(1_400_000_000 + number * 60, 0);
                json!({"recorded_at": moment, "metric_type": "STEPS", "value": 12.0})
            })
            .collect();
        let begun = Instant::now();
        json_of(
            address,
            "POST",
            &format!("/api/users/bulk-{round}/health-metrics"),
            &json!(records),
        )
        .await?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(json!({"name": "ingest_10000", "seconds": seconds[1]}))
}

/// Forecasts for 64 clients before, during and after two trainings.
async fn beside_trainings(address: &str) -> Outcome<Vec<Value>> {
    let length = Duration::from_secs(6);
    let rate = 200.0;
    let mut rows = Vec::new();
    // What was written just now is brought in order first.
    tokio::time::sleep(Duration::from_secs(2)).await;
    closed(address, 8, Duration::from_secs(1), uncached()).await?;
    rows.push(
        open(address, rate, 64, length, uncached())
            .await?
            .row("forecasts_before_trainings"),
    );
    let mut jobs = Vec::new();
    for number in 1..=2 {
        let body = json!({"user_id": person(number), "metric": "RESTING_HEART_RATE", "lookback_days": 140,
                          "epochs": 200, "hidden_dim": 512, "num_layers": 4, "wait_seconds": 0});
        jobs.push(json_of(address, "POST", "/api/predictions/train", &body).await?);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    rows.push(
        open(address, rate, 64, length, uncached())
            .await?
            .row("forecasts_during_trainings"),
    );
    for job in &jobs {
        let path = format!("/api/jobs/{}", job["job_id"].as_str().unwrap_or_default());
        let state = json_of(address, "GET", &path, &Value::Null).await?;
        if state["state"] != "running" {
            return Err("a training was over too soon to measure beside it".into());
        }
        json_of(address, "DELETE", &path, &Value::Null).await?;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    rows.push(
        open(address, rate, 64, length, uncached())
            .await?
            .row("forecasts_after_trainings"),
    );
    Ok(rows)
}

async fn idle_connections(server: &Server) -> Outcome<Value> {
    let before = server.memory();
    let mut held = Vec::new();
    for _ in 0..10_000 {
        held.push(TcpStream::connect(&server.address).await?);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let memory = server.memory();
    // It still answers.
    json_of(&server.address, "GET", "/ready", &Value::Null).await?;
    Ok(
        json!({"name": "idle_10000", "memory_mb": memory, "memory_before_mb": before, "connections": held.len()}),
    )
}

/// Measures the rows that are asked for; without names, all.
async fn measure(binary: &Path, folder: &Path, names: &[String]) -> Outcome<Vec<Value>> {
    let wants = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let free = [
        ("VITALCAST_SERVER_LIMITS__RATE_PER_SECOND", "0"),
        ("VITALCAST_SERVER_LIMITS__HEADER_SECONDS", "60"),
    ];
    let (server, _) = Server::start(binary, folder, &free)?;
    let address = server.address.clone();
    prepare(&address).await?;
    drop(server);
    let mut rows = Vec::new();
    if wants("start_to_ready") {
        let mut starts = Vec::new();
        for _ in 0..5 {
            starts.push(Server::start(binary, folder, &free)?.1);
        }
        starts.sort_by(f64::total_cmp);
        rows.push(json!({"name": "start_to_ready", "seconds": starts[2]}));
    }
    let (server, _) = Server::start(binary, folder, &free)?;
    let address = server.address.clone();
    let length = Duration::from_secs(8);
    if wants("cached_64_connections") {
        closed(&address, 64, Duration::from_secs(2), cached()).await?;
        let all = closed(&address, 64, length, cached()).await?;
        rows.push(all.row("cached_64_connections"));
    }
    // Everybody's model is read once.
    closed(&address, 8, Duration::from_secs(2), uncached()).await?;
    if wants("uncached_200_per_second") {
        let all = open(&address, 200.0, 32, length, uncached()).await?;
        rows.push(all.row("uncached_200_per_second"));
    }
    let peak = closed(&address, 8, length, uncached()).await?;
    let peak_rate = peak.latencies.len() as f64 / peak.seconds;
    rows.push(peak.row("uncached_peak"));
    if wants("ingest_1_at_1000_per_second") {
        let all = open(&address, 1_000.0, 64, length, one_record(0)).await?;
        rows.push(all.row("ingest_1_at_1000_per_second"));
    }
    if wants("ingest_1_peak") {
        let all = closed(&address, 64, length, one_record(1_000_000)).await?;
        rows.push(all.row("ingest_1_peak"));
    }
    if wants("ingest_10000") {
        rows.push(ten_thousand(&address).await?);
    }
    let beside = ["before", "during", "after"].map(|when| format!("forecasts_{when}_trainings"));
    if beside.iter().any(|name| wants(name)) {
        rows.extend(beside_trainings(&address).await?);
    }
    if wants("overload_5x") {
        // Five times as many as it can: enough connections that none waits for another here.
        let all = open(&address, 5.0 * peak_rate, 1_000, length, uncached()).await?;
        rows.push(all.row("overload_5x"));
    }
    rows.push(json!({"name": "memory_at_the_end", "memory_mb": server.memory()}));
    drop(server);
    if wants("idle_10000") {
        // Of connections alone: what trainings took is not theirs.
        let (server, _) = Server::start(binary, folder, &free)?;
        rows.push(idle_connections(&server).await?);
    }
    Ok(rows)
}

// What was asked for.
#[allow(clippy::print_stdout)]
fn main() -> Outcome<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(binary), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: server_load SERVER FOLDER [ROW…]".into());
    };
    let names: Vec<String> = arguments
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let rows = runtime.block_on(measure(&binary, &folder, &names))?;
    println!("{}", Value::from(rows));
    Ok(())
}
