//! Tokens of an issuer: what they say, who signed them, and keys that change while the service runs.

use crate::support::{Answer, Service, eventually, runtime};
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use vitalcast_server::{Config, JwtConfig};

// Made for these tests with `openssl genpkey -algorithm ed25519`; they open nothing else.
const FIRST: &str = "MC4CAQAwBQYDK2VwBCIEIKx5uxKXXNh0P6UNGw7fHiT0V3qYuRbSvxP8dScVNGDa";
const SECOND: &str = "MC4CAQAwBQYDK2VwBCIEICCIOBfi6aHJ3f+mLgToFP37OqKDp7tHcbGlQOcLp16N";
const THIRD: &str = "MC4CAQAwBQYDK2VwBCIEIMNoRmpyFAoT18CpP6aK9vocqY9nlqKQmMWzkwwcn7Rf";

/// The moment the tests stand at, 2026-11-23T14:20:00Z.
const PRESENT: i64 = 1_795_443_600;

fn key(secret: &str) -> EncodingKey {
    EncodingKey::from_ed_der(&BASE64_STANDARD.decode(secret).unwrap())
}

/// The public half as an entry of a key set.
fn public(secret: &str, kid: Option<&str>) -> Value {
    let jwk = Jwk::from_encoding_key(&key(secret), Algorithm::EdDSA).unwrap();
    let mut jwk = serde_json::to_value(jwk).unwrap();
    if let Some(kid) = kid {
        jwk["kid"] = json!(kid);
    }
    jwk
}

/// The same in PEM form: the prefix of Ed25519 (RFC 8410), then the key.
fn public_pem(secret: &str) -> String {
    let x = public(secret, None)["x"].as_str().unwrap().to_owned();
    let mut der = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00".to_vec();
    der.extend(BASE64_URL_SAFE_NO_PAD.decode(x).unwrap());
    let text = BASE64_STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn signed(secret: &str, header: &Header, claims: &Value) -> String {
    encode(header, claims, &key(secret)).unwrap()
}

fn named(kid: Option<&str>) -> Header {
    Header {
        kid: kid.map(str::to_owned),
        ..Header::new(Algorithm::EdDSA)
    }
}

fn claims() -> Value {
    json!({"sub": "anna", "scope": "read ingest admin", "exp": PRESENT + 600,
           "iss": "https://issuer.example", "aud": "vitalcast"})
}

fn trusting(config: &mut Config, place: impl FnOnce(&mut JwtConfig)) {
    let mut jwt = JwtConfig {
        issuer: "https://issuer.example".to_owned(),
        audience: "vitalcast".to_owned(),
        algorithm: "EdDSA".to_owned(),
        ..JwtConfig::default()
    };
    place(&mut jwt);
    config.auth.jwt = Some(jwt);
}

/// A service that reads the issuer's keys from a file, which is there too.
fn with_file(
    name: &str,
    text: &str,
    place: impl FnOnce(&mut JwtConfig, PathBuf),
) -> (Service, PathBuf) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let service = Service::on(folder, |config| {
        trusting(config, |jwt| place(jwt, file.clone()));
    });
    (service, file)
}

/// What the jobs of a person are answered: 200 for those who may look, with anything there or not.
fn look(service: &Service, token: &str) -> Answer {
    service.call_with(
        Some(token),
        "GET",
        &service.url("/api/users/anna/jobs"),
        None,
    )
}

#[test]
fn a_token_of_the_issuer_opens_its_person_and_scopes_and_no_other_token_anything() {
    let (service, file) = with_file("issuer.pem", include_str!("issuer.pem"), |jwt, file| {
        jwt.public_key_file = Some(file);
    });
    let now = PRESENT;
    let good = claims();
    let eddsa = Header::new(Algorithm::EdDSA);
    let token = |claims: &Value, header: &Header| signed(FIRST, header, claims);
    let ask = |token: &str, method: &str, path: &str, body: Option<&Value>| {
        service
            .call_with(Some(token), method, &service.url(path), body)
            .status
    };
    let valid = token(&good, &eddsa);
    let profile = json!({"zone": "Europe/Athens"});
    assert_eq!(
        ask(&valid, "PUT", "/api/users/anna/profile", Some(&profile)),
        200
    );
    assert_eq!(ask(&valid, "GET", "/api/users/anna", None), 200);
    assert_eq!(ask(&valid, "GET", "/api/users/berta", None), 403);
    assert_eq!(ask(&valid, "DELETE", "/api/users/anna", None), 403);
    let keys = service.admin_url("/admin/keys");
    assert_eq!(
        service.call_with(Some(&valid), "GET", &keys, None).status,
        403
    );
    for (name, change) in [
        ("expired", json!({"exp": now - 30})),
        ("another issuer", json!({"iss": "https://other.example"})),
        ("another audience", json!({"aud": "other"})),
        ("not yet", json!({"nbf": now + 31})),
        ("a hostile person", json!({"sub": "../anna"})),
    ] {
        let mut claims = good.clone();
        for (field, value) in change.as_object().unwrap() {
            claims[field] = value.clone();
        }
        let refused = ask(&token(&claims, &eddsa), "GET", "/api/users/anna", None);
        assert_eq!(refused, 401, "{name}");
    }
    // Clocks differ a little.
    for change in [
        json!({"exp": now - 29}),
        json!({"nbf": now + 30}),
        json!({"exp": now as f64 + 0.5}),
    ] {
        let mut claims = good.clone();
        for (field, value) in change.as_object().unwrap() {
            claims[field] = value.clone();
        }
        assert_eq!(
            ask(&token(&claims, &eddsa), "GET", "/api/users/anna", None),
            200,
            "{change}"
        );
    }
    for field in ["exp", "iss", "aud", "sub"] {
        let mut claims = good.clone();
        claims.as_object_mut().unwrap().remove(field);
        let refused = ask(&token(&claims, &eddsa), "GET", "/api/users/anna", None);
        assert_eq!(refused, 401, "without {field}");
    }
    // The algorithm is not the token's to choose: none, and the public key as a shared secret.
    let parts: Vec<&str> = valid.split('.').collect();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    assert_eq!(ask(&none, "GET", "/api/users/anna", None), 401);
    let hs = encode(
        &Header::new(Algorithm::HS256),
        &good,
        &EncodingKey::from_secret(include_bytes!("issuer.pem")),
    );
    assert_eq!(ask(&hs.unwrap(), "GET", "/api/users/anna", None), 401);
    let tampered = format!("{}.{}.{}", parts[0], parts[1], parts[2].replace('A', "B"));
    assert_ne!(tampered, valid);
    assert_eq!(ask(&tampered, "GET", "/api/users/anna", None), 401);
    // What must be understood and is not.
    let critical = Header {
        crit: Some(vec!["exp".to_owned()]),
        ..eddsa.clone()
    };
    assert_eq!(
        ask(&token(&good, &critical), "GET", "/api/users/anna", None),
        401
    );
    // Another key is taken without a restart, and the one before no longer.
    std::fs::write(&file, public_pem(SECOND)).unwrap();
    let other = signed(SECOND, &eddsa, &good);
    eventually("the key of the file is another one", || {
        (ask(&other, "GET", "/api/users/anna", None) == 200).then_some(())
    });
    assert_eq!(ask(&valid, "GET", "/api/users/anna", None), 401);
}

#[test]
fn scopes_come_as_text_or_list_in_scope_or_scp() {
    let (service, _) = with_file("issuer.pem", include_str!("issuer.pem"), |jwt, file| {
        jwt.public_key_file = Some(file);
    });
    let of = |change: Value| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove("scope");
        for (field, value) in change.as_object().unwrap() {
            claims[field] = value.clone();
        }
        look(&service, &signed(FIRST, &named(None), &claims)).status
    };
    for enough in [
        json!({"scope": "ingest read"}),
        json!({"scope": ["ingest", "read"]}),
        json!({"scp": "read"}),
        json!({"scp": ["read"]}),
        json!({"scp": ["read"], "scope": "openid profile"}),
        json!({"scp": null, "scope": ["read"]}),
    ] {
        assert_eq!(of(enough.clone()), 200, "{enough}");
    }
    for too_little in [
        json!({}),
        json!({"scope": null}),
        json!({"scope": "ingest"}),
        json!({"scope": ["ingest"]}),
        json!({"scp": []}),
        json!({"scp": "readable"}),
        // A list holds words, not texts of several.
        json!({"scp": ["openid read"]}),
        json!({"scp": ["admin"]}),
    ] {
        assert_eq!(of(too_little.clone()), 403, "{too_little}");
    }
    for unreadable in [json!({"scope": 5}), json!({"scp": [1]}), json!({"scp": {}})] {
        assert_eq!(of(unreadable.clone()), 401, "{unreadable}");
    }
}

#[test]
fn a_key_set_in_a_file_is_used_by_name_and_read_again() {
    let set = json!({"keys": [
        public(FIRST, Some("first")),
        public(SECOND, None),
        // None of these can have signed anything here.
        {"kty": "oct", "k": public(FIRST, None)["x"], "kid": "shared"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa", "alg": "RS256"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "curve"},
        {"kty": "of tomorrow", "kid": "new"},
    ]});
    let (service, file) = with_file("keys.json", &set.to_string(), |jwt, file| {
        jwt.jwks_file = Some(file);
    });
    let ask = |secret, kid| look(&service, &signed(secret, &named(kid), &claims())).status;
    assert_eq!(ask(FIRST, Some("first")), 200);
    assert_eq!(ask(FIRST, None), 200);
    // A key without a name has signed tokens of whatever name.
    assert_eq!(ask(SECOND, None), 200);
    assert_eq!(ask(SECOND, Some("forgotten")), 200);
    assert_eq!(ask(SECOND, Some("first")), 200);
    assert_eq!(ask(FIRST, Some("other")), 401);
    assert_eq!(ask(THIRD, Some("first")), 401);
    assert_eq!(ask(THIRD, None), 401);
    // A public key, or a secret of the set, as a shared secret.
    let x = public(FIRST, None)["x"].as_str().unwrap().to_owned();
    for secret in [x.as_bytes(), &BASE64_URL_SAFE_NO_PAD.decode(&x).unwrap()] {
        for kid in ["first", "shared"] {
            let header = Header {
                kid: Some(kid.to_owned()),
                ..Header::new(Algorithm::HS256)
            };
            let forged = encode(&header, &claims(), &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(look(&service, &forged).status, 401);
        }
    }
    // A file that cannot be read changes nothing, and health tells.
    std::fs::write(&file, "{").unwrap();
    eventually("health tells of it", || {
        let health = service.get("/health");
        (health.json()["checks"]["issuer_keys"]["status"] == "stale").then(|| {
            assert_eq!(health.status, 200);
            assert_eq!(health.json()["status"], "degraded");
        })
    });
    assert_eq!(ask(FIRST, Some("first")), 200);
    let rotated = json!({"keys": [public(THIRD, Some("third"))]});
    std::fs::write(&file, rotated.to_string()).unwrap();
    eventually("the new key is taken", || {
        (ask(THIRD, Some("third")) == 200).then_some(())
    });
    assert_eq!(ask(FIRST, Some("first")), 401);
    assert_eq!(service.get("/health").json()["status"], "healthy");
}

/// An issuer that answers what it is told to, and counts.
struct Issuer {
    url: String,
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    fn start(status: StatusCode, set: &Value) -> Self {
        let answer = Arc::new(Mutex::new((status, set.to_string())));
        let asked = Arc::new(AtomicUsize::new(0));
        let (shown, counted) = (Arc::clone(&answer), Arc::clone(&asked));
        let router = Router::new().route(
            "/keys",
            get(move || {
                counted.fetch_add(1, Ordering::SeqCst);
                let answer = shown.lock().unwrap().clone();
                async move { answer }
            }),
        );
        let address = runtime().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move { axum::serve(listener, router).await });
            address
        });
        Self {
            url: format!("http://{address}/keys"),
            answer,
            asked,
        }
    }

    fn set(&self, status: StatusCode, set: &Value) {
        *self.answer.lock().unwrap() = (status, set.to_string());
    }
}

#[test]
fn a_rotated_key_is_taken_at_once_and_made_up_names_do_not_hammer_the_issuer() {
    let issuer = Issuer::start(StatusCode::OK, &json!({"keys": [public(FIRST, Some("1"))]}));
    let service = Service::with(|config| {
        trusting(config, |jwt| jwt.jwks_url = Some(issuer.url.clone()));
    });
    let ask = |secret: &str, kid: &str| {
        look(&service, &signed(secret, &named(Some(kid)), &claims())).status
    };
    assert_eq!(ask(FIRST, "1"), 200);
    let both = json!({"keys": [public(FIRST, Some("1")), public(SECOND, Some("2"))]});
    issuer.set(StatusCode::OK, &both);
    eventually("the new key is taken", || {
        (ask(SECOND, "2") == 200).then_some(())
    });
    assert_eq!(ask(FIRST, "1"), 200);
    // Made-up names: at most one question in some seconds.
    let (before, begun) = (
        issuer.asked.load(Ordering::SeqCst),
        std::time::Instant::now(),
    );
    for number in 0..200 {
        assert_eq!(ask(THIRD, &format!("made-up-{number}")), 401);
    }
    let asked = issuer.asked.load(Ordering::SeqCst) - before;
    let most = begun.elapsed().as_secs() / 5 + 1;
    assert!(asked as u64 <= most, "{asked} of at most {most}");
    // An issuer that fails leaves the keys there were.
    issuer.set(StatusCode::INTERNAL_SERVER_ERROR, &json!({}));
    eventually("health tells of it", || {
        assert_eq!(ask(THIRD, "3"), 401);
        let health = service.get("/health").json();
        (health["checks"]["issuer_keys"]["status"] == "stale").then_some(())
    });
    assert_eq!(ask(FIRST, "1"), 200);
    assert_eq!(service.get("/ready").status, 200);
    // It answers again, without the first key.
    issuer.set(StatusCode::OK, &json!({"keys": [public(THIRD, Some("3"))]}));
    eventually("the issuer is asked again", || {
        (ask(THIRD, "3") == 200).then_some(())
    });
    assert_eq!(ask(FIRST, "1"), 401);
}

#[test]
fn an_issuer_that_is_down_keeps_no_service_from_starting() {
    let issuer = Issuer::start(StatusCode::BAD_GATEWAY, &json!({}));
    let service = Service::with(|config| {
        trusting(config, |jwt| jwt.jwks_url = Some(issuer.url.clone()));
    });
    let token = signed(FIRST, &named(None), &claims());
    let refused = look(&service, &token);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "UNAVAILABLE")
    );
    assert!(refused.headers.contains_key("retry-after"));
    let health = service.get("/health").json();
    assert_eq!(health["checks"]["issuer_keys"]["status"], "unavailable");
    // Too much is as good as nothing.
    let much = json!({"keys": [], "more": "x".repeat(2 << 20)});
    issuer.set(StatusCode::OK, &much);
    assert_eq!(look(&service, &token).status, 503);
    issuer.set(StatusCode::OK, &json!({"keys": [public(FIRST, None)]}));
    eventually("the issuer is up", || {
        (look(&service, &token).status == 200).then_some(())
    });
}

#[test]
fn keys_come_from_one_place_that_nobody_on_the_way_can_stand_in_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let check = |places: &str| {
        let text = format!(
            "[auth.jwt]\nissuer = \"i\"\naudience = \"a\"\nalgorithm = \"ES256\"\n{places}"
        );
        std::fs::write(&file, text).unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_vitalcast-server"))
            .args(["config", "check", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    for url in [
        "https://login.example/keys",
        "http://127.0.0.1:9/keys",
        "http://[::1]:9/keys",
        "http://localhost:9/keys",
    ] {
        assert_eq!(check(&format!("jwks_url = \"{url}\"")).0, Some(0), "{url}");
    }
    let set = folder.path().join("keys.json");
    std::fs::write(&set, json!({"keys": [public(FIRST, None)]}).to_string()).unwrap();
    let set = set.to_str().unwrap();
    for (places, named) in [
        (
            String::new(),
            "one of public_key_file, jwks_file and jwks_url",
        ),
        (
            format!("jwks_file = \"{set}\"\njwks_url = \"https://login.example\""),
            "one of public_key_file",
        ),
        (format!("jwks_file = \"{set}\""), "no public key for ES256"),
        (
            "jwks_file = \"/nowhere/keys\"".to_owned(),
            "auth.jwt.jwks_file /nowhere/keys",
        ),
        (
            "jwks_url = \"http://login.example/\"".to_owned(),
            "expected https://",
        ),
        (
            "jwks_url = \"http://localhost.evil.example/\"".to_owned(),
            "expected https://",
        ),
        (
            "jwks_url = \"file:///etc/passwd\"".to_owned(),
            "expected https://",
        ),
        ("jwks_url = \"login\"".to_owned(), "auth.jwt.jwks_url"),
        (
            "jwks_url = \"https://me:secret@login.example/\"".to_owned(),
            "auth.jwt.jwks_url",
        ),
    ] {
        let (code, said) = check(&places);
        assert_eq!(code, Some(2), "{places}");
        assert!(said.contains(named), "{places}: {said}");
        assert!(!said.contains("secret"), "{said}");
    }
}
