//! The cache: an answer is used again while everything it rests on is as it was, and never after.

use crate::support::Service;
use chrono::TimeDelta;
use serde_json::json;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn value(answer: &serde_json::Value) -> f64 {
    answer["prediction"]["predicted_value"].as_f64().unwrap()
}

#[test]
fn a_forecast_is_kept_until_data_model_profile_or_day_change() {
    let service = Service::new();
    service.person("anna", 60);
    assert_eq!(service.forecast("anna").ok()["cached"], false);
    let first = service.forecast("anna").ok();
    assert_eq!(first["cached"], true);
    // Somebody else's data change nothing.
    service.readings("berta", 3);
    assert_eq!(service.forecast("anna").ok()["cached"], true);
    // New data.
    let reading = json!([{"recorded_at": "2026-11-23T06:30:00Z", "metric_type": "RESTING_HEART_RATE", "value": 65}]);
    service
        .post("/api/users/anna/health-metrics", &reading)
        .ok();
    let second = service.forecast("anna").ok();
    assert_eq!(second["cached"], false);
    assert!(value(&second) > value(&first));
    // The same again is no new data.
    service
        .post("/api/users/anna/health-metrics", &reading)
        .ok();
    assert_eq!(service.forecast("anna").ok()["cached"], true);
    // A new model.
    service.train("anna", "naive");
    let third = service.forecast("anna").ok();
    assert_eq!(third["cached"], false);
    assert_eq!(third["prediction"]["architecture"], "naive");
    assert!((value(&third) - 65.0).abs() < 1e-9);
    // Back to the model before.
    service
        .post(
            "/api/users/anna/models/RESTING_HEART_RATE/rollback",
            &json!({}),
        )
        .ok();
    let fourth = service.forecast("anna").ok();
    assert_eq!(fourth["prediction"]["architecture"], "moving_average");
    assert_eq!(fourth["cached"], false);
    // Another zone.
    let profile = json!({"zone": "Pacific/Auckland"});
    service
        .call("PUT", "/api/users/anna/profile", Some(&profile))
        .ok();
    assert_eq!(service.forecast("anna").ok()["cached"], false);
    assert_eq!(service.forecast("anna").ok()["cached"], true);
    // Another question.
    let other = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-24",
                       "interval_level": 0.8});
    assert_eq!(
        service.post("/api/predictions/predict", &other).ok()["cached"],
        false
    );
    // Asked to compute.
    let forced = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-24",
                        "force_recompute_features": true});
    assert_eq!(
        service.post("/api/predictions/predict", &forced).ok()["cached"],
        false
    );
    // The next day knows more, or less.
    service.pass(TimeDelta::hours(24));
    assert_eq!(service.forecast("anna").ok()["cached"], false);
    // Told to forget.
    let dropped = service
        .call("DELETE", "/api/features/anna/cache", None)
        .ok();
    assert!(dropped["keys_deleted"].as_u64().unwrap() >= 1);
    assert_eq!(service.forecast("anna").ok()["cached"], false);
}

#[test]
fn another_process_on_the_same_folder_is_noticed_at_once() {
    let service = Service::new();
    service.person("anna", 60);
    service.forecast("anna").ok();
    assert_eq!(service.forecast("anna").ok()["cached"], true);
    let engine = vitalcast::Engine::open(&service.data()).unwrap();
    let now = "2026-11-23T14:21:00Z".parse().unwrap();
    let provenance = vitalcast::Provenance::at(
        "watch",
        "1",
        "2026-11-23T07:00:00Z".parse().unwrap(),
        vitalcast::Zone::UTC,
    );
    let metric = vitalcast::MetricType::RestingHeartRate;
    let record =
        vitalcast::Record::HealthMetric(vitalcast::HealthMetric::new(provenance, metric, 80.0));
    let user = "anna".parse().unwrap();
    engine.write_records(&user, vec![record], now).unwrap();
    assert_eq!(service.forecast("anna").ok()["cached"], false);
    // Erasing is the server's own while it runs: the lock says so. Deleting a model is not.
    let refused = engine.lock_folder().unwrap_err();
    assert_eq!(refused.code(), "FOLDER_IN_USE");
    for model in engine.models(Some(&user), None).unwrap() {
        engine.delete_model(&model.model_id).unwrap();
    }
    // The model of many people answers instead.
    let instead = service.forecast("anna").ok();
    assert_eq!(instead["prediction"]["architecture"], "pooled");
    assert_eq!(instead["cached"], false);
}

#[test]
fn features_answer_what_was_asked_for_and_nothing_kept_for_another_question() {
    let service = Service::new();
    service.readings("anna", 60);
    let ask = |body: serde_json::Value| service.post("/api/features/engineer", &body).ok();
    let only =
        ask(json!({"user_id": "anna", "target_date": "2026-11-20", "categories": ["nutrition"]}));
    assert!(only["health"].is_null());
    let all = ask(json!({"user_id": "anna", "target_date": "2026-11-20"}));
    assert_eq!(all["feature_count"], 64);
    assert_eq!(all["cached"], false);
    let short = ask(json!({"user_id": "anna", "target_date": "2026-11-20", "lookback_days": 7}));
    assert_ne!(
        short["health"]["rhr_baseline"],
        all["health"]["rhr_baseline"]
    );
    let by_path = service
        .get("/api/features/anna/2026-11-20?categories=health&categories=temporal&lookback_days=14")
        .ok();
    assert!(by_path["nutrition"].is_null() && by_path["temporal"].is_object());
    assert_eq!(by_path["temporal"]["is_weekend"], false);
    assert_eq!(by_path["temporal"]["day_of_week"], 4);
    assert_eq!(
        service.get("/api/features/anna/2026-11-20/summary").ok()["cached"],
        true
    );
    service.pass(TimeDelta::minutes(61));
    assert_eq!(
        service.get("/api/features/anna/2026-11-20/summary").ok()["cached"],
        false
    );
}

#[test]
fn many_who_ask_at_once_let_it_be_computed_once() {
    let service = Service::new();
    service.person("anna", 60);
    let cached = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                if service.forecast("anna").ok()["cached"] == true {
                    cached.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(cached.load(Ordering::SeqCst), 15);
}

/// Something that listens where Redis should.
struct FakeRedis {
    address: String,
    stopped: Arc<AtomicBool>,
}

impl FakeRedis {
    /// `answer` gets a connection for each that comes.
    fn new(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("redis://{}/0", listener.local_addr().unwrap());
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || answer(stream));
            }
        });
        Self { address, stopped }
    }
}

impl Drop for FakeRedis {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

/// The service with such a Redis answers everything, and within a limit.
fn survives(redis: &str) {
    let service = Service::with(|config| config.cache.redis_url = Some(redis.to_owned()));
    service.person("anna", 60);
    for round in 0..4 {
        let begun = Instant::now();
        let answer = service.forecast("anna");
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(answer.json()["cached"], round > 0);
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
    assert_eq!(service.get("/api/features/anna/2026-11-20").status, 200);
    assert_eq!(
        service
            .call("DELETE", "/api/features/anna/cache", None)
            .status,
        200
    );
    let health = service.get("/health");
    assert_eq!(health.status, 200);
    assert_eq!(health.json()["status"], "degraded", "{}", health.text);
    assert_eq!(service.get("/ready").json()["redis"], "degraded");
    let erased = service.call("DELETE", "/api/users/anna", None).ok();
    assert_eq!(erased["shared_cache_cleared"], false);
}

#[test]
fn a_redis_that_is_not_there_costs_no_answer() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    survives(&format!("redis://{free}/0"));
}

#[test]
fn a_redis_that_never_answers_costs_no_answer() {
    let redis = FakeRedis::new(|mut stream| {
        let mut bytes = [0; 1024];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
    survives(&redis.address);
}

#[test]
fn a_redis_that_talks_rubbish_costs_no_answer() {
    let redis = FakeRedis::new(|mut stream| {
        let mut bytes = [0; 1024];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
            if stream.write_all(b"$-7\r\n\xff\xfe??%!\r\n").is_err() {
                return;
            }
        }
    });
    survives(&redis.address);
}

#[test]
fn a_redis_that_is_not_configured_is_not_said_to_be_well() {
    let service = Service::new();
    let ready = service.get("/ready").ok();
    assert_eq!(ready["redis"], "disabled", "{ready}");
    assert_eq!(ready["database"], "ok");
    let health = service.get("/health").ok();
    assert_eq!(health["status"], "healthy");
    for name in ["redis", "issuer_keys"] {
        assert_eq!(health["checks"][name]["status"], "disabled", "{name}");
    }
    assert_eq!(health["checks"]["log"]["lost_lines"], 0);
}
