//! Answers over TLS.

use crate::kills::Process;
use crate::support::{Service, runtime};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/it/tls")
        .join(name)
}

#[test]
fn with_a_certificate_both_listeners_answer_over_tls_and_nothing_else() {
    let service = Service::with(|config| {
        config.tls.certificate_file = Some(file("certificate.pem"));
        config.tls.key_file = Some(file("key.pem"));
    });
    let certificate = std::fs::read(file("certificate.pem")).unwrap();
    let certificate = reqwest::Certificate::from_pem(&certificate).unwrap();
    let knows = reqwest::Client::builder()
        .tls_certs_only([certificate])
        .build()
        .unwrap();
    let get = |client: &reqwest::Client, url: String| runtime().block_on(client.get(url).send());
    let answer = get(&knows, format!("https://{}/ready", service.handle.address)).unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["strict-transport-security"],
        "max-age=31536000"
    );
    let admin = service.handle.admin_address.unwrap();
    assert_eq!(
        get(&knows, format!("https://{admin}/metrics"))
            .unwrap()
            .status(),
        200
    );
    // Who does not know the certificate does not trust it, and nothing is said in the clear.
    let stranger = reqwest::Client::new();
    assert!(
        get(
            &stranger,
            format!("https://{}/ready", service.handle.address)
        )
        .is_err()
    );
    assert!(get(&knows, service.url("/ready")).is_err());
}

#[test]
fn the_health_check_knows_the_certificate_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (file("certificate.pem"), file("key.pem"));
    let tls = [
        (
            "VITALCAST_SERVER_TLS__CERTIFICATE_FILE",
            certificate.to_str().unwrap(),
        ),
        ("VITALCAST_SERVER_TLS__KEY_FILE", key.to_str().unwrap()),
    ];
    let mut process = Process::with(folder.path(), &tls);
    let check = |settings: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vitalcast-server"));
        command.envs(settings.iter().copied());
        let output = command.args(["--listen", process.address(), "healthcheck"]);
        output.output().unwrap()
    };
    let healthy = check(&tls);
    assert!(healthy.status.success(), "{healthy:?}");
    assert!(!check(&[]).status.success(), "it does not answer plainly");
    process.stop();
}

#[test]
fn the_health_check_tells_ready_from_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start(folder.path());
    let address = process.address().to_owned();
    let check = || {
        Command::new(env!("CARGO_BIN_EXE_vitalcast-server"))
            .args(["--listen", &address, "healthcheck"])
            .output()
            .unwrap()
    };
    assert!(check().status.success());
    process.stop();
    let gone = check();
    assert_eq!(gone.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("no service is listening"));
}
