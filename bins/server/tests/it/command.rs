//! The command: its configuration, its exit codes.

use crate::kills::Process;
use crate::support::Service;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn run(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vitalcast-server"))
        .args(arguments)
        .envs(settings.iter().copied())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A configuration file with that text.
fn written(folder: &Path, text: &str) -> String {
    let file = folder.join("server.toml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn what_cannot_be_used_is_named_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for (text, named) in [
        ("limits.bodybytes = 5", "bodybytes"),
        ("listen = 8001", "listen"),
        ("log.level = \"loud\"", "log.level"),
        ("tls.key_file = \"/nowhere/key.pem\"", "certificate_file"),
        (
            "tls = { certificate_file = \"/nowhere/c.pem\", key_file = \"/nowhere/k.pem\" }",
            "tls.certificate_file /nowhere/c.pem",
        ),
        (
            "cache.redis_url_file = \"/nowhere/redis\"",
            "cache.redis_url_file /nowhere/redis",
        ),
        ("cache.redis_url = \"memcached://x\"", "redis://host:6379/0"),
        (
            "cache.prediction_seconds = 90000",
            "cache.prediction_seconds",
        ),
        ("cors_origins = [\"*\"]", "cors_origins"),
        ("cors_origins = [\"https://app.example/\"]", "cors_origins"),
        ("cors_origins = [\"app.example\"]", "cors_origins"),
        ("jobs.parallel = 0", "jobs.parallel"),
        ("jobs.max_waiting = 0", "jobs.max_waiting"),
        ("jobs.max_seconds = nan", "jobs.max_seconds"),
        ("limits.body_bytes = 0", "limits.body_bytes"),
        ("data_dir = \"\"", "data_dir"),
        (
            "listen = \"127.0.0.1:8002\"",
            "listen and admin_listen are both",
        ),
        (
            "auth.jwt = { issuer = \"i\", audience = \"a\", algorithm = \"none\", public_key_file = \"/dev/null\" }",
            "auth.jwt.algorithm",
        ),
        ("[[[", "server.toml"),
    ] {
        let file = written(folder.path(), text);
        let checked = run(&["config", "check", "--config", &file], &[]);
        assert_eq!(checked.status.code(), Some(2), "{text}");
        let said = stderr(&checked);
        assert!(said.contains(named), "{text}: {said}");
    }
    let missing = run(&["config", "check", "--config", "/nowhere.toml"], &[]);
    assert_eq!(missing.status.code(), Some(2));
    let usage = run(&["--no-such-flag"], &[]);
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(
        folder.path(),
        "listen = \"127.0.0.1:7001\"\nenvironment = \"file\"\n[limits]\nrate_per_second = 1\nrate_burst = 2\n",
    );
    let shown = run(
        &[
            "config",
            "show",
            "--config",
            &file,
            "--listen",
            "127.0.0.1:7003",
        ],
        &[
            ("VITALCAST_SERVER_LISTEN", "127.0.0.1:7002"),
            ("VITALCAST_SERVER_LIMITS__RATE_PER_SECOND", "3"),
            ("VITALCAST_SERVER_CACHE__REDIS_URL", "redis://:pass@host/0"),
            ("VITALCAST_SERVER_ADMIN_LISTEN", ""),
        ],
    );
    let shown_text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(!shown_text.contains("pass"), "{shown_text}");
    let shown = stdout(&shown);
    assert_eq!(shown["listen"], "127.0.0.1:7003");
    assert_eq!(shown["admin_listen"], "");
    assert_eq!(shown["environment"], "file");
    assert_eq!(shown["limits"]["rate_per_second"], 3);
    assert_eq!(shown["limits"]["rate_burst"], 2);
}

#[test]
fn the_environment_can_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "environment = \"staging\"");
    let settings = [("VITALCAST_SERVER_CONFIG_FILE", file.as_str())];
    let shown = run(&["config", "show"], &settings);
    assert!(shown.status.success(), "{}", stderr(&shown));
    assert_eq!(stdout(&shown)["environment"], "staging");
}

#[test]
fn the_printed_document_is_the_one_that_is_served() {
    let service = Service::new();
    for (arguments, url) in [
        (&["openapi"][..], service.url("/openapi.json")),
        (&["openapi", "--admin"], service.admin_url("/openapi.json")),
    ] {
        let served = service.call_with(None, "GET", &url, None).ok();
        assert_eq!(stdout(&run(arguments, &[])), served);
    }
}

#[test]
fn a_folder_or_an_address_in_use_and_an_open_door_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let nowhere = ["--admin-listen", "", "--listen"];
    let second = run(
        &[&nowhere[..], &["127.0.0.1:0", "--data-dir", data]].concat(),
        &[],
    );
    assert_eq!(second.status.code(), Some(6), "{}", stderr(&second));
    let other = tempfile::tempdir().unwrap();
    let other = other.path().to_str().unwrap();
    let taken = run(
        &[&nowhere[..], &[process.address(), "--data-dir", other]].concat(),
        &[],
    );
    assert_eq!(taken.status.code(), Some(1));
    assert!(stderr(&taken).contains("is it in use?"));
    let open = run(
        &[&nowhere[..], &["0.0.0.0:0", "--data-dir", other]].concat(),
        &[],
    );
    assert_eq!(open.status.code(), Some(1));
    assert!(stderr(&open).contains("vitalcast keys create"));
    process.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn more_connections_than_open_files_end_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -n 200 && exec \"$0\" \"$@\""])
        .arg(env!("CARGO_BIN_EXE_vitalcast-server"));
    let mut process = Process::of(command, folder.path());
    let held: Vec<_> = (0..300)
        .filter_map(|_| std::net::TcpStream::connect(process.address()).ok())
        .collect();
    // The database is opened with files that connections did not take.
    let body = serde_json::json!([{"recorded_at": "2026-11-20T06:00:00Z", "metric_type": "STEPS", "value": 7}]);
    let post = |url: String| {
        let request = reqwest::Client::new().post(url).json(&body).send();
        crate::support::runtime().block_on(request)
    };
    let admin = process.admin("/metrics");
    let metrics = crate::support::runtime().block_on(reqwest::get(admin));
    assert_eq!(metrics.unwrap().status(), 200);
    drop(held);
    crate::support::eventually("there is room again", || {
        let answer = post(process.url("/api/users/anna/health-metrics"));
        answer.ok().filter(|answer| answer.status() == 200)
    });
    let log = process.stop();
    assert!(log.contains("limits.connections"), "{log}");
}

#[test]
fn whoever_has_read_enough_is_no_error() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vitalcast-server"))
        .arg("openapi")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{}", stderr(&done));
    assert_eq!(stderr(&done), "");
}

#[test]
fn made_up_methods_are_one_row_of_the_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let metrics = crate::support::runtime().block_on(async {
        let http = reqwest::Client::new();
        for number in 0..20 {
            let method = format!("M{number}-anna").parse().unwrap();
            let answer = http.request(method, process.url("/api/users/anna")).send();
            assert_eq!(answer.await.unwrap().status(), 405);
        }
        let answer = http.get(process.admin("/metrics")).send().await.unwrap();
        answer.text().await.unwrap()
    });
    assert!(metrics.contains("method=\"OTHER\""), "{metrics}");
    assert!(!metrics.contains("anna"), "{metrics}");
    assert!(!process.stop().contains("anna"));
}
