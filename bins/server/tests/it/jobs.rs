//! Trainings in the background: joined, watched, cancelled, fair, and still present after a restart.

use crate::support::{Service, eventually, runtime};
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use vitalcast_client::Client;
use vitalcast_domain::JobState;

/// A training that lasts until it is cancelled.
fn long(user: &str) -> Value {
    json!({"user_id": user, "metric": "RESTING_HEART_RATE", "epochs": 200, "hidden_dim": 256, "num_layers": 3,
           "lookback_days": 190, "wait_seconds": 0})
}

fn cancel(service: &Service, job: &Value) {
    let id = job["job_id"].as_str().unwrap();
    service.call("DELETE", &format!("/api/jobs/{id}"), None);
}

fn state(service: &Service, job: &Value) -> String {
    let id = job["job_id"].as_str().unwrap();
    service.get(&format!("/api/jobs/{id}")).ok()["state"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn an_equal_request_joins_and_another_waits_its_turn() {
    let service = Service::new();
    service.readings("anna", 200);
    let first = service.post("/api/predictions/train", &long("anna"));
    assert_eq!(first.status, 202);
    let location = first.headers["location"].to_str().unwrap().to_owned();
    let first = first.json();
    assert_eq!(
        location,
        format!("/api/jobs/{}", first["job_id"].as_str().unwrap())
    );
    assert!(first["estimated_seconds"].as_f64().unwrap() > 1.0);
    let second = service.post("/api/predictions/train", &long("anna")).ok();
    assert_eq!(first["job_id"], second["job_id"]);
    let mut other = long("anna");
    other["seed"] = json!(7);
    let other = service.post("/api/predictions/train", &other).ok();
    assert_ne!(other["job_id"], first["job_id"]);
    eventually("the first begins", || {
        (state(&service, &first) == "running").then_some(())
    });
    assert_eq!(
        state(&service, &other),
        "queued",
        "one at a time for a person and metric"
    );
    // Somebody else's does not wait behind.
    service.readings("berta", 60);
    assert!(service.train("berta", "naive")["model_id"].is_string());
    cancel(&service, &other);
    assert_eq!(state(&service, &other), "cancelled");
    cancel(&service, &first);
    eventually("the first ends", || {
        (state(&service, &first) == "cancelled").then_some(())
    });
    let again = service.call("DELETE", &location, None);
    assert_eq!((again.status, again.code().as_str()), (409, "JOB_ENDED"));
    assert_eq!(
        service.get("/api/predictions/models/anna").ok()["total_models"],
        0
    );
}

#[test]
fn a_training_is_followed_epoch_by_epoch() {
    let service = Service::new();
    service.readings("anna", 120);
    let body = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "epochs": 10, "hidden_dim": 32,
                      "wait_seconds": 0});
    let job = service.post("/api/predictions/train", &body).ok();
    let id: vitalcast_domain::JobId = job["job_id"].as_str().unwrap().parse().unwrap();
    let client = Client::new(&service.url("")).unwrap();
    let seen = runtime().block_on(async {
        let events = client.follow(&id).await.unwrap();
        events.map(Result::unwrap).collect::<Vec<_>>().await
    });
    let last = seen.last().unwrap();
    assert_eq!(last.state, JobState::Succeeded);
    assert!(last.model_id.is_some());
    let epochs: Vec<u64> = seen
        .iter()
        .filter(|job| job.state == JobState::Running)
        .filter_map(|job| job.progress.map(|progress| progress.done))
        .collect();
    assert_eq!(epochs, (1..=10).collect::<Vec<_>>());
    // Whoever comes back goes on behind what was seen.
    let url = service.url(&format!("/api/jobs/{id}/events"));
    let rest = service.send(service.request("GET", &url).header("last-event-id", "5"));
    assert!(
        rest.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/event-stream")
    );
    let numbers: Vec<u64> = rest
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|number| number.parse().unwrap())
        .collect();
    assert_eq!(numbers, (6..=seen.len() as u64).collect::<Vec<_>>());
}

#[test]
fn a_training_that_is_too_costly_is_refused_before_it_waits() {
    let service = Service::with(|config| config.jobs.max_estimated_seconds = 1.0);
    service.readings("anna", 200);
    let refused = service.post("/api/predictions/train", &long("anna"));
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (422, "TOO_COSTLY")
    );
    assert!(service.train("anna", "naive")["model_id"].is_string());
}

#[test]
fn a_training_is_stopped_at_its_limit() {
    let service = Service::with(|config| config.jobs.max_seconds = 0.01);
    service.readings("anna", 200);
    let mut body = long("anna");
    body["wait_seconds"] = json!(60);
    let stopped = service.post("/api/predictions/train", &body);
    assert_eq!(
        (stopped.status, stopped.code().as_str()),
        (422, "TOOK_TOO_LONG")
    );
}

#[test]
fn the_queue_has_an_end_and_one_person_cannot_fill_it() {
    let service = Service::with(|config| {
        config.jobs.parallel = 1;
        config.jobs.max_waiting_per_user = 2;
    });
    service.readings("anna", 200);
    service.readings("berta", 60);
    let mut jobs = Vec::new();
    let mut refused = None;
    for seed in 0..5 {
        let mut body = long("anna");
        body["seed"] = json!(seed);
        let answer = service.post("/api/predictions/train", &body);
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        jobs.push(answer.ok());
        let first = &jobs[0];
        eventually("the first begins", || {
            (state(&service, first) == "running").then_some(())
        });
    }
    let refused = refused.unwrap();
    assert_eq!(refused.code(), "QUEUE_FULL");
    assert!(refused.headers.contains_key("retry-after"));
    assert_eq!(jobs.len(), 3);
    // Berta's turn comes before Anna's second.
    let body = json!({"user_id": "berta", "metric": "RESTING_HEART_RATE", "architecture": "naive", "wait_seconds": 0});
    let hers = service.post("/api/predictions/train", &body).ok();
    cancel(&service, &jobs[0]);
    eventually("Anna's next begins", || {
        (state(&service, &jobs[1]) == "running").then_some(())
    });
    cancel(&service, &jobs[1]);
    eventually("Berta's ends", || {
        (state(&service, &hers) == "succeeded").then_some(())
    });
    cancel(&service, &jobs[2]);
}

#[test]
fn jobs_survive_a_restart() {
    let mut service = Service::new();
    service.readings("anna", 200);
    let running = service.post("/api/predictions/train", &long("anna")).ok();
    eventually("it begins", || {
        (state(&service, &running) == "running").then_some(())
    });
    let folder = Arc::clone(&service.folder);
    service.stop();
    drop(service);
    let service = Service::on(folder, |_| {});
    eventually("it begins again", || {
        (state(&service, &running) == "running").then_some(())
    });
    cancel(&service, &running);
    eventually("it ends", || {
        (state(&service, &running) == "cancelled").then_some(())
    });
}

#[test]
fn stopping_counts_against_no_job() {
    let mut service = Service::new();
    service.readings("anna", 200);
    let job = service.post("/api/predictions/train", &long("anna")).ok();
    // More often than a job is begun again that was cut off.
    for _ in 0..4 {
        eventually("it begins", || {
            (state(&service, &job) == "running").then_some(())
        });
        let folder = Arc::clone(&service.folder);
        service.stop();
        drop(service);
        service = Service::on(folder, |_| {});
    }
    eventually("it begins once more", || {
        (state(&service, &job) == "running").then_some(())
    });
    cancel(&service, &job);
    eventually("it ends", || {
        (state(&service, &job) == "cancelled").then_some(())
    });
    // Numbers of events begin anew with each process.
    let url = service.url(&format!(
        "/api/jobs/{}/events",
        job["job_id"].as_str().unwrap()
    ));
    let rest = service.send(service.request("GET", &url).header("last-event-id", "5000"));
    assert!(rest.text.contains("cancelled"), "{}", rest.text);
    // Of one that ended before this process there is the end, once.
    let folder = Arc::clone(&service.folder);
    service.stop();
    drop(service);
    let service = Service::on(folder, |_| {});
    let url = service.url(&format!(
        "/api/jobs/{}/events",
        job["job_id"].as_str().unwrap()
    ));
    let end = service.send(service.request("GET", &url).header("last-event-id", "5000"));
    assert!(end.text.contains("cancelled"), "{}", end.text);
    let number = end.text.lines().find_map(|line| line.strip_prefix("id: "));
    let rest = service.send(
        service
            .request("GET", &url)
            .header("last-event-id", number.unwrap()),
    );
    assert_eq!((rest.status, rest.text.as_str()), (204, ""));
}

#[test]
fn whoever_has_seen_the_end_of_a_job_is_told_to_stop_asking() {
    let service = Service::new();
    service.person("anna", 60);
    let job = service
        .post(
            "/api/predictions/train",
            &json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "architecture": "naive", "wait_seconds": 0}),
        )
        .ok();
    let url = service.url(&format!(
        "/api/jobs/{}/events",
        job["job_id"].as_str().unwrap()
    ));
    let follow = |last: Option<&str>| {
        let request = service.request("GET", &url);
        service.send(match last {
            Some(last) => request.header("last-event-id", last),
            None => request,
        })
    };
    let whole = follow(None);
    assert_eq!(whole.status, 200);
    let ids: Vec<u64> = whole
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect();
    let last = *ids.last().unwrap();
    // An EventSource that is answered 200 asks again every few seconds for ever.
    let over = follow(Some(&last.to_string()));
    assert_eq!((over.status, over.text.as_str()), (204, ""));
    assert!(!over.headers.contains_key("content-type"));
    // Whoever has not seen it, or saw another process's numbers, still gets it.
    let rest = follow(Some(&(last - 1).to_string()));
    assert_eq!(rest.status, 200);
    assert_eq!(rest.text.matches("event: job").count(), 1);
    for unknown in [None, Some("0"), Some("many"), Some("4000")] {
        let again = follow(unknown);
        assert_eq!(
            (again.status, &again.text),
            (200, &whole.text),
            "{unknown:?}"
        );
    }
    let nowhere = service.url("/api/jobs/nobody-knows/events");
    let nobody = service
        .request("GET", &nowhere)
        .header("last-event-id", last.to_string());
    assert_eq!(service.send(nobody).status, 404);
}

#[test]
fn whoever_waits_for_a_training_is_answered_when_the_service_stops() {
    let mut service = Service::with(|config| config.shutdown_seconds = 3_600);
    service.readings("anna", 200);
    let mut body = long("anna");
    body["wait_seconds"] = json!(300);
    let request = service
        .request("POST", &service.url("/api/predictions/train"))
        .json(&body);
    let waiting = runtime().spawn(request.send());
    eventually("it begins", || {
        let jobs = service.get("/api/users/anna/jobs").ok();
        (jobs["jobs"][0]["state"] == "running").then_some(())
    });
    service.stop();
    let answer = runtime().block_on(waiting).unwrap().unwrap();
    assert_eq!(answer.status(), 202);
    assert!(answer.headers().contains_key("location"));
}

#[test]
fn event_streams_end_when_the_service_stops() {
    let mut service = Service::with(|config| config.shutdown_seconds = 3_600);
    service.readings("anna", 200);
    let job = service.post("/api/predictions/train", &long("anna")).ok();
    let url = service.url(&format!(
        "/api/jobs/{}/events",
        job["job_id"].as_str().unwrap()
    ));
    let mut watching = runtime()
        .block_on(service.http.get(url).send())
        .unwrap()
        .bytes_stream();
    runtime().block_on(async {
        watching.next().await.unwrap().unwrap();
        service.handle.stop();
        let rest = watching.map(Result::unwrap).collect::<Vec<_>>();
        tokio::time::timeout(Duration::from_mins(1), rest)
            .await
            .unwrap();
    });
    service.stop();
}

#[test]
fn one_server_works_on_a_folder() {
    let service = Service::new();
    let config = vitalcast_server::Config {
        data_dir: service.data(),
        listen: "127.0.0.1:0".parse().unwrap(),
        admin_listen: None,
        ..vitalcast_server::Config::default()
    };
    let clock = Arc::new(chrono::Utc::now);
    let refused = runtime().block_on(vitalcast_server::Server::open(
        config,
        clock,
        vitalcast_server::Telemetry::default(),
    ));
    let text = refused.err().unwrap().to_string();
    assert!(text.contains("another server is using"), "{text}");
}

/// Trainings make way for requests, and no connection to the database has caught their low priority.
#[cfg(target_os = "linux")]
#[test]
fn trainings_make_way_and_connections_do_not() {
    let service = Service::with(|config| config.jobs.threads_per_job = 2);
    service.readings("anna", 200);
    let job = service.post("/api/predictions/train", &long("anna")).json();
    eventually("the training runs", || {
        (state(&service, &job) == "running").then_some(())
    });
    let (mut low, mut usual) = (Vec::new(), Vec::new());
    for thread in std::fs::read_dir("/proc/self/task").unwrap() {
        // Threads of other tests may end meanwhile.
        let Ok(stat) = std::fs::read_to_string(thread.unwrap().path().join("stat")) else {
            continue;
        };
        let (name, fields) = stat.rsplit_once(')').unwrap();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // Counted from the third, as proc(5) does: the 19th is nice, the 41st the policy.
        let (nice, policy) = (fields[19 - 3], fields[41 - 3]);
        let name = name.split_once('(').unwrap().1.to_owned();
        // SCHED_IDLE, or, where that is forbidden, the next best.
        if policy == "5" || nice == "19" {
            low.push(name);
        } else {
            usual.push(name);
        }
    }
    cancel(&service, &job);
    let trains = |name: &String| name.starts_with("job-") && name.matches('-').count() == 2;
    assert!(low.iter().any(trains), "{low:?}");
    assert!(!usual.iter().any(trains), "{usual:?}");
    // A connection that a job needed first would keep its priority for every request after it.
    let connects = |name: &String| name.starts_with("sqlx");
    assert!(usual.iter().any(connects), "{usual:?}");
    assert!(!low.iter().any(connects), "{low:?}");
}
