//! The cache in Redis: shared while it works, and never the reason for a wrong answer or an error.

use crate::kills::Process;
use crate::support::{Service, eventually, runtime};
use crate::tls::file;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a value.
type Spoiler = Box<dyn Fn(&[u8]) -> Vec<u8>>;

/// What Redis keeps: values and for how many seconds.
type Kept = BTreeMap<String, (Vec<u8>, u64)>;

/// As much of Redis as the service uses, in the wire format of Redis, so that a test can look into
/// it, spoil it, slow it down and stop it.
struct SmallRedis {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    delay_milliseconds: Arc<AtomicU64>,
    stopped: Arc<AtomicBool>,
    listening: Option<std::thread::JoinHandle<()>>,
}

impl SmallRedis {
    fn new() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), Arc::default())
    }

    fn at(address: SocketAddr, kept: Arc<Mutex<Kept>>) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let mut redis = Self {
            address: listener.local_addr().unwrap(),
            kept,
            delay_milliseconds: Arc::default(),
            stopped: Arc::default(),
            listening: None,
        };
        let kept = Arc::clone(&redis.kept);
        let delay = Arc::clone(&redis.delay_milliseconds);
        let stopped = Arc::clone(&redis.stopped);
        redis.listening = Some(std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (kept, delay) = (Arc::clone(&kept), Arc::clone(&delay));
                let stopped = Arc::clone(&stopped);
                std::thread::spawn(move || talk(&stream, &kept, &delay, &stopped));
            }
        }));
        redis
    }

    fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    fn keys(&self) -> Vec<String> {
        self.kept.lock().unwrap().keys().cloned().collect()
    }

    /// Puts something else under every key.
    fn spoil(&self, with: impl Fn(&[u8]) -> Vec<u8>) {
        for (value, _) in self.kept.lock().unwrap().values_mut() {
            *value = with(value);
        }
    }

    /// Stops listening and answering; what it keeps is there for the next.
    fn stop(mut self) -> (SocketAddr, Arc<Mutex<Kept>>) {
        self.end();
        (self.address, Arc::clone(&self.kept))
    }

    fn end(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the one that listens.
        let _ = TcpStream::connect(self.address);
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

impl Drop for SmallRedis {
    fn drop(&mut self) {
        self.end();
    }
}

/// One command: its words.
fn command(reader: &mut BufReader<&TcpStream>) -> Option<Vec<Vec<u8>>> {
    let number = |reader: &mut BufReader<&TcpStream>, mark: char| {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        line.trim().strip_prefix(mark)?.parse::<usize>().ok()
    };
    let count = number(reader, '*')?;
    let mut words = Vec::new();
    for _ in 0..count {
        let length = number(reader, '$')?;
        let mut word = vec![0; length + 2];
        reader.read_exact(&mut word).ok()?;
        word.truncate(length);
        words.push(word);
    }
    Some(words)
}

fn talk(stream: &TcpStream, kept: &Mutex<Kept>, delay: &AtomicU64, stopped: &AtomicBool) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    while let Some(words) = command(&mut reader) {
        std::thread::sleep(Duration::from_millis(delay.load(Ordering::SeqCst)));
        if stopped.load(Ordering::SeqCst) {
            return;
        }
        let text = |at: usize| String::from_utf8(words[at].clone()).unwrap();
        let bulk = |bytes: &[u8]| {
            let mut answer = format!("${}\r\n", bytes.len()).into_bytes();
            answer.extend(bytes);
            answer.extend(b"\r\n");
            answer
        };
        let mut kept = kept.lock().unwrap();
        let answer = match text(0).to_uppercase().as_str() {
            "PING" => b"+PONG\r\n".to_vec(),
            "CLIENT" | "SELECT" => b"+OK\r\n".to_vec(),
            "GET" => match kept.get(&text(1)) {
                Some((value, _)) => bulk(value),
                None => b"$-1\r\n".to_vec(),
            },
            "SET" => {
                assert_eq!(text(3), "EX", "everything is kept for a time");
                kept.insert(text(1), (words[2].clone(), text(4).parse().unwrap()));
                b"+OK\r\n".to_vec()
            }
            "SCAN" => {
                let prefix = text(3);
                let prefix = prefix.strip_suffix('*').unwrap();
                let found: Vec<&String> =
                    kept.keys().filter(|key| key.starts_with(prefix)).collect();
                let mut answer = format!("*2\r\n$1\r\n0\r\n*{}\r\n", found.len()).into_bytes();
                for key in found {
                    answer.extend(bulk(key.as_bytes()));
                }
                answer
            }
            "DEL" => {
                let gone = (1..words.len()).filter(|at| kept.remove(&text(*at)).is_some());
                format!(":{}\r\n", gone.count()).into_bytes()
            }
            _ => b"-ERR unknown command\r\n".to_vec(),
        };
        drop(kept);
        if writer.write_all(&answer).is_err() {
            return;
        }
    }
}

fn with_redis(url: &str) -> Service {
    Service::with(|config| config.cache.redis_url = Some(url.to_owned()))
}

/// A door in front of it that speaks TLS, as our test certificate.
fn behind_tls(redis: &SmallRedis) -> String {
    let chain = CertificateDer::pem_file_iter(file("certificate.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let inside = redis.address;
    runtime().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(mut outside) = acceptor.accept(stream).await {
                        let mut inside = tokio::net::TcpStream::connect(inside).await.unwrap();
                        let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
                    }
                });
            }
        });
        format!("rediss://{address}/0")
    })
}

/// The same folder in a new process, which remembers nothing itself.
fn again(mut service: Service, url: &str) -> Service {
    let folder = Arc::clone(&service.folder);
    service.stop();
    drop(service);
    Service::on(folder, |config| {
        config.cache.redis_url = Some(url.to_owned());
    })
}

/// A forecast without what says when and whence it came.
fn value(answer: &Value) -> Value {
    answer["prediction"]["predicted_value"].clone()
}

#[test]
fn what_was_computed_is_found_by_the_next_process() {
    let redis = SmallRedis::new();
    let service = with_redis(&redis.url());
    service.person("anna", 60);
    let first = service.forecast("anna").ok();
    assert_eq!(first["cached"], false);
    service.get("/api/features/anna/2026-11-20").ok();
    assert_eq!(service.get("/health").ok()["status"], "healthy");
    let keys = redis.keys();
    assert!(
        keys.iter()
            .any(|key| key.starts_with("prediction:anna:RESTING_HEART_RATE:2026-11-24")),
        "{keys:?}"
    );
    assert!(
        keys.iter()
            .any(|key| key.starts_with("features:anna:2026-11-20")),
        "{keys:?}"
    );
    assert!(
        redis
            .kept
            .lock()
            .unwrap()
            .values()
            .all(|(_, seconds)| *seconds <= 86_400)
    );
    let service = again(service, &redis.url());
    let second = service.forecast("anna").ok();
    assert_eq!(second["cached"], true);
    assert_eq!(value(&second), value(&first));
    // New data: what is kept there holds no more.
    let reading = json!([{"recorded_at": "2026-11-23T06:30:00Z", "metric_type": "RESTING_HEART_RATE", "value": 63}]);
    service
        .post("/api/users/anna/health-metrics", &reading)
        .ok();
    let service = again(service, &redis.url());
    let third = service.forecast("anna").ok();
    assert_eq!(third["cached"], false);
    assert_ne!(value(&third), value(&first));
}

#[test]
fn another_database_behind_the_same_redis_gets_nothing_of_ours() {
    let redis = SmallRedis::new();
    let here = with_redis(&redis.url());
    here.person("anna", 60);
    let ours = here.forecast("anna").ok();
    let there = with_redis(&redis.url());
    // Somebody else of that name, after as many changes.
    there.person("anna", 59);
    let theirs = there.forecast("anna").ok();
    assert_eq!(theirs["cached"], false);
    assert_ne!(theirs["features_used"], Value::Null);
    assert_eq!(here.forecast("anna").ok()["cached"], true);
    assert_eq!(value(&here.forecast("anna").ok()), value(&ours));
}

#[test]
fn what_is_flushed_or_rubbish_is_computed_again() {
    let redis = SmallRedis::new();
    let mut service = with_redis(&redis.url());
    service.person("anna", 60);
    let right = value(&service.forecast("anna").ok());
    let spoilers: [(&str, Spoiler); 5] = [
        ("no JSON", Box::new(|_| b"\xff\xfe{{{".to_vec())),
        ("empty", Box::new(|_| Vec::new())),
        ("another shape", Box::new(|_| b"{\"answer\": 7}".to_vec())),
        (
            "cut off",
            Box::new(|value: &[u8]| value[..value.len() / 2].to_vec()),
        ),
        (
            "an answer that is none",
            Box::new(|value: &[u8]| {
                let mut kept: Value = serde_json::from_slice(value).unwrap();
                kept["answer"] = json!("rubbish");
                kept.to_string().into_bytes()
            }),
        ),
    ];
    for (what, spoil) in spoilers {
        redis.spoil(spoil);
        service = again(service, &redis.url());
        let answer = service.forecast("anna");
        assert_eq!(answer.status, 200, "{what}: {}", answer.text);
        assert_eq!(answer.json()["cached"], false, "{what}");
        assert_eq!(value(&answer.json()), right, "{what}");
        assert_eq!(
            service.get("/health").ok()["status"],
            "healthy",
            "Redis itself is well"
        );
    }
    redis.kept.lock().unwrap().clear();
    service = again(service, &redis.url());
    assert_eq!(service.forecast("anna").ok()["cached"], false);
    assert!(!redis.keys().is_empty(), "and kept again");
}

#[test]
fn a_redis_that_stops_slows_down_and_comes_back_costs_no_answer() {
    let redis = SmallRedis::new();
    let url = redis.url();
    let service = with_redis(&url);
    service.person("anna", 60);
    let is = |status: &str| (service.get("/health").ok()["status"] == status).then_some(());
    let day = |day: &str| {
        let path = format!("/api/predictions/predict/anna/RESTING_HEART_RATE/{day}");
        assert_eq!(service.get(&path).status, 200, "{day}");
    };
    day("2026-11-24");
    assert!(is("healthy").is_some());
    redis.delay_milliseconds.store(500, Ordering::SeqCst);
    day("2026-11-20");
    assert!(is("degraded").is_some());
    redis.delay_milliseconds.store(0, Ordering::SeqCst);
    eventually("it is used again", || is("healthy"));
    let (address, kept) = redis.stop();
    day("2026-11-19");
    assert!(is("degraded").is_some());
    assert_eq!(service.get("/ready").ok()["redis"], "degraded");
    let redis = SmallRedis::at(address, kept);
    eventually("it is found again", || is("healthy"));
    day("2026-11-18");
    assert!(redis.keys().iter().any(|key| key.contains("2026-11-18")));
}

#[test]
fn erasing_takes_what_is_in_redis_too() {
    let redis = SmallRedis::new();
    let service = with_redis(&redis.url());
    service.person("anna", 60);
    service.person("anna-2", 60);
    for user in ["anna", "anna-2"] {
        service.forecast(user).ok();
        service
            .get(&format!("/api/features/{user}/2026-11-20"))
            .ok();
    }
    let erased = service.call("DELETE", "/api/users/anna", None).ok();
    assert_eq!(erased["shared_cache_cleared"], true);
    let left = redis.keys();
    assert!(
        left.iter().all(|key| key.contains(":anna-2:")) && !left.is_empty(),
        "{left:?}"
    );
    let dropped = service
        .call("DELETE", "/api/features/anna-2/cache", None)
        .ok();
    assert!(dropped["keys_deleted"].as_u64().unwrap() >= 2);
    assert!(redis.keys().is_empty());
}

#[test]
fn over_tls_only_a_redis_with_a_trusted_certificate_is_asked() {
    let redis = SmallRedis::new();
    let url = behind_tls(&redis);
    let folder = tempfile::tempdir().unwrap();
    let certificate = file("certificate.pem");
    let address = ("VITALCAST_SERVER_CACHE__REDIS_URL", url.as_str());
    let status = |process: &Process| {
        let answer = runtime().block_on(async {
            let answer = reqwest::get(process.url("/health")).await.unwrap();
            answer.json::<Value>().await.unwrap()
        });
        answer["checks"]["redis"]["status"].clone()
    };
    let trusted = ("SSL_CERT_FILE", certificate.to_str().unwrap());
    let mut process = Process::with(folder.path(), &[address, trusted]);
    eventually("it is trusted", || {
        (status(&process) == "healthy").then_some(())
    });
    process.stop();
    // The certificates of this machine know nothing of that one.
    let mut process = Process::with(folder.path(), &[address]);
    assert_eq!(status(&process), "unavailable");
    process.stop();
}
