//! Uploads in parts: cut connections, restarts, two writers, a full disk, other people, and expiry.

use crate::support::{Answer, Service, eventually, files, runtime};
use chrono::TimeDelta;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;
use vitalcast_client::Client;
use vitalcast_domain::UserId;

/// A table with a reading a day.
fn table(days: usize) -> Vec<u8> {
    let mut text = "userId,recordedAt,metricType,value\n".to_owned();
    let first: chrono::NaiveDate = "2025-01-01".parse().unwrap();
    for day in first.iter_days().take(days) {
        writeln!(text, "anna,{day}T06:00:00Z,RESTING_HEART_RATE,60").unwrap();
    }
    text.into_bytes()
}

/// Begins an upload; its path.
fn begin(service: &Service, user: &str, length: usize) -> String {
    let path = format!("/api/users/{user}/uploads?name=health_metrics.csv&length={length}");
    let begun = service.call("POST", &path, None);
    assert_eq!(begun.status, 201, "{}", begun.text);
    assert_eq!(begun.headers["upload-offset"], "0");
    begun.headers["location"].to_str().unwrap().to_owned()
}

fn send(service: &Service, path: &str, offset: usize, part: &[u8]) -> Answer {
    let request = service.request("PATCH", &service.url(path));
    let request = request.header("upload-offset", offset);
    service.send(request.body(part.to_vec()))
}

fn received(service: &Service, path: &str) -> u64 {
    service.get(path).ok()["received"].as_u64().unwrap()
}

/// Waits for the end of an import.
fn ended(service: &Service, job: &Value) -> Value {
    let path = format!("/api/jobs/{}", job["job_id"].as_str().unwrap());
    eventually("the import ends", || {
        let job = service.get(&path).ok();
        job["finished_at"].is_string().then_some(job)
    })
}

/// Waits for an import; its result.
fn imported(service: &Service, job: &Value) -> Value {
    let job = ended(service, job);
    assert_eq!(job["state"], "succeeded", "{job}");
    job["result"].clone()
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (status, code),
        "{}",
        answer.text
    );
}

/// A connection on which a part has begun: so many bytes are announced, and some have been sent.
fn half_a_part(
    service: &Service,
    path: &str,
    offset: usize,
    announced: usize,
    sent: &[u8],
) -> TcpStream {
    let mut stream = TcpStream::connect(service.handle.address).unwrap();
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: localhost\r\nUpload-Offset: {offset}\r\nContent-Length: \
         {announced}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(sent).unwrap();
    stream
}

#[test]
fn a_file_arrives_in_parts_and_becomes_an_import() {
    let service = Service::new();
    let whole = table(40);
    let path = begin(&service, "anna", whole.len());
    let first = send(&service, &path, 0, &whole[..100]);
    assert_eq!(
        (first.status, first.json()["received"].as_u64()),
        (200, Some(100))
    );
    // Neither a gap nor an overlap.
    for offset in [0, 99, 101, whole.len()] {
        let wrong = send(&service, &path, offset, &whole[100..]);
        refused(&wrong, 409, "WRONG_OFFSET");
        assert_eq!(wrong.headers["upload-offset"], "100");
    }
    let request = service.request("PATCH", &service.url(&path));
    refused(&service.send(request.body("x")), 422, "INVALID_REQUEST");
    let head = service.call("HEAD", &path, None);
    assert_eq!(
        (head.status, &head.headers["upload-offset"]),
        (200, &"100".parse().unwrap())
    );
    assert_eq!(head.headers["upload-length"], whole.len().to_string());
    assert_eq!(send(&service, &path, 100, &whole[100..200]).status, 200);
    let last = send(&service, &path, 200, &whole[200..]);
    assert_eq!(last.status, 202, "{}", last.text);
    let job = last.json();
    assert_eq!(
        last.headers["location"],
        format!("/api/jobs/{}", job["job_id"].as_str().unwrap())
    );
    assert!(path.ends_with(job["job_id"].as_str().unwrap()));
    assert_eq!(imported(&service, &job)["added"], 40);
    // Whoever has not heard the answer asks again, and gets the same job.
    let state = service.get(&path).ok();
    assert_eq!(
        (&state["is_complete"], state["received"].as_u64()),
        (&json!(true), Some(whole.len() as u64))
    );
    let again = send(&service, &path, whole.len(), b"");
    assert_eq!(
        (again.status, &again.json()["job_id"]),
        (202, &job["job_id"])
    );
    refused(&send(&service, &path, whole.len(), b"x"), 422, "TOO_LONG");
}

#[test]
fn what_has_arrived_stays_when_a_connection_is_cut_or_the_service_restarts() {
    let mut service = Service::new();
    let whole = table(40);
    let path = begin(&service, "anna", whole.len());
    let stream = half_a_part(&service, &path, 0, whole.len(), &whole[..400]);
    stream.shutdown(Shutdown::Both).unwrap();
    drop(stream);
    eventually("what was sent arrives", || {
        (received(&service, &path) == 400).then_some(())
    });
    assert_eq!(send(&service, &path, 400, &whole[400..500]).status, 200);
    let folder = Arc::clone(&service.folder);
    service.stop();
    drop(service);
    let service = Service::on(folder, |_| {});
    assert_eq!(received(&service, &path), 500);
    let last = send(&service, &path, 500, &whole[500..]);
    assert_eq!(imported(&service, &last.ok())["added"], 40);
}

#[test]
fn of_two_writers_the_later_one_goes_on() {
    let service = Service::new();
    let whole = table(40);
    let path = begin(&service, "anna", whole.len());
    // The first connection hangs: it has announced everything and sent some bytes.
    let mut first = half_a_part(&service, &path, 0, whole.len(), &whole[..1]);
    let part = &whole[..300];
    let offset = eventually("the second may write", || {
        // The byte of the first may arrive before or after.
        let offset = received(&service, &path) as usize;
        (send(&service, &path, offset, &part[offset..]).status == 200).then_some(offset)
    });
    assert!(offset <= 1);
    // The first wakes up, with bytes that are there already.
    first
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let _ = first.write_all(&whole[1..]);
    let mut answer = String::new();
    let _ = first.read_to_string(&mut answer);
    assert!(answer.contains("TAKEN_OVER"), "{answer}");
    assert_eq!(received(&service, &path), 300);
    let last = send(&service, &path, 300, &whole[300..]);
    assert_eq!(imported(&service, &last.ok())["added"], 40);
}

#[test]
fn no_more_comes_than_was_announced_and_allowed() {
    let service = Service::with(|config| config.limits.upload_bytes = 1_000);
    let too_large = service.call("POST", "/api/users/anna/uploads?length=1001", None);
    refused(&too_large, 413, "TOO_LARGE");
    let nothing = service.call("POST", "/api/users/anna/uploads?length=0", None);
    refused(&nothing, 422, "INVALID_REQUEST");
    let path = begin(&service, "anna", 10);
    refused(&send(&service, &path, 0, b"eleven byte"), 422, "TOO_LONG");
    for _ in 1..10 {
        begin(&service, "anna", 10);
    }
    let another = service.call("POST", "/api/users/anna/uploads?length=10", None);
    refused(&another, 409, "TOO_MANY_UPLOADS");
    begin(&service, "berta", 10);
    assert_eq!(service.call("DELETE", &path, None).status, 204);
    refused(&service.get(&path), 404, "UNKNOWN_UPLOAD");
    begin(&service, "anna", 10);
}

#[test]
fn an_upload_is_only_that_of_its_person() {
    let mut service = Service::new();
    let admin = service.make_key(None, &["admin"]);
    service.key = Some(admin);
    let path = begin(&service, "anna", 10);
    service.key = Some(service.make_key(Some(&["berta"]), &["ingest", "read", "erase"]));
    let theirs = path.replace("/anna/", "/berta/");
    for (path, status, code) in [(&path, 403, "FORBIDDEN"), (&theirs, 404, "UNKNOWN_UPLOAD")] {
        refused(&service.get(path), status, code);
        refused(&send(&service, path, 0, b"0123456789"), status, code);
        refused(&service.call("DELETE", path, None), status, code);
    }
}

#[test]
fn what_gets_nothing_for_a_day_is_removed() {
    let mut service = Service::new();
    let path = begin(&service, "anna", 10);
    service.pass(TimeDelta::hours(23));
    assert_eq!(send(&service, &path, 0, b"01234").status, 200);
    service.pass(TimeDelta::hours(23));
    assert_eq!(received(&service, &path), 5);
    service.pass(TimeDelta::hours(1));
    refused(&service.get(&path), 404, "UNKNOWN_UPLOAD");
    refused(&send(&service, &path, 5, b"56789"), 404, "UNKNOWN_UPLOAD");
    let unfinished = service.data().join("uploads/unfinished");
    assert_eq!(files(&unfinished).len(), 2);
    let other = begin(&service, "berta", 10);
    assert_eq!(files(&unfinished).len(), 2, "only the new one is left");
    // One that was cut off while it was begun goes with the next start, and one of somebody erased at once.
    std::fs::create_dir(unfinished.join("half")).unwrap();
    let folder = Arc::clone(&service.folder);
    service.stop();
    drop(service);
    let service = Service::on(folder, |_| {});
    assert!(!unfinished.join("half").exists());
    assert_eq!(received(&service, &other), 0);
    service.readings("berta", 3);
    service.call("DELETE", "/api/users/berta", None).ok();
    assert_eq!(files(&unfinished).len(), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_costs_a_part_and_not_the_upload() {
    let service = Service::new();
    let whole = table(40);
    let path = begin(&service, "anna", whole.len());
    let id = path.rsplit('/').next().unwrap();
    let data = service
        .data()
        .join("uploads/unfinished")
        .join(id)
        .join("data");
    std::fs::remove_file(&data).unwrap();
    std::os::unix::fs::symlink("/dev/full", &data).unwrap();
    let full = send(&service, &path, 0, &whole);
    refused(&full, 503, "UNAVAILABLE");
    assert!(full.headers.contains_key("retry-after"));
    std::fs::remove_file(&data).unwrap();
    std::fs::write(&data, b"").unwrap();
    let last = send(&service, &path, 0, &whole);
    assert_eq!(imported(&service, &last.ok())["added"], 40);
}

#[test]
fn a_full_queue_costs_no_byte() {
    let service = Service::with(|config| {
        config.jobs.parallel = 1;
        config.jobs.max_waiting_per_user = 1;
    });
    service.readings("anna", 200);
    let long = |seed: u32| {
        json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "epochs": 200, "hidden_dim": 256,
               "num_layers": 3, "lookback_days": 190, "wait_seconds": 0, "seed": seed})
    };
    let running = service.post("/api/predictions/train", &long(1)).ok();
    let id = |job: &Value| format!("/api/jobs/{}", job["job_id"].as_str().unwrap());
    eventually("the first begins", || {
        (service.get(&id(&running)).ok()["state"] == "running").then_some(())
    });
    let waiting = service.post("/api/predictions/train", &long(2)).ok();
    let whole = table(40);
    let path = begin(&service, "anna", whole.len());
    refused(&send(&service, &path, 0, &whole), 429, "QUEUE_FULL");
    assert_eq!(received(&service, &path), whole.len() as u64);
    for job in [&waiting, &running] {
        service.call("DELETE", &id(job), None).ok();
    }
    let job = send(&service, &path, whole.len(), b"").ok();
    assert_eq!(imported(&service, &job)["rows_read"], 40);
}

/// Passes connections on to a service, and cuts each of the first after so many bytes.
fn cutting(to: SocketAddr, bytes: u64, times: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().enumerate() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(to)) else {
                return;
            };
            let limit = if number < times { bytes } else { u64::MAX };
            let (mut answers, mut to_client) =
                (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || {
                let _ = std::io::copy(&mut answers, &mut to_client);
                let _ = to_client.shutdown(Shutdown::Both);
            });
            std::thread::spawn(move || {
                let (mut client, mut server) = (client, server);
                let _ = std::io::copy(&mut (&mut client).take(limit), &mut server);
                let _ = client.shutdown(Shutdown::Both);
                let _ = server.shutdown(Shutdown::Both);
            });
        }
    });
    address
}

#[test]
fn the_client_goes_on_by_itself_where_it_was_cut_off() {
    let service = Service::new();
    let whole = table(600);
    let file = service.folder.path().join("health_metrics.csv");
    std::fs::write(&file, &whole).unwrap();
    let address = cutting(service.handle.address, whole.len() as u64 / 2, 2);
    let client = Client::new(&format!("http://{address}")).unwrap();
    let user = UserId::new("anna").unwrap();
    let job = runtime().block_on(client.upload(&user, &file)).unwrap();
    let job = json!({"job_id": job.job_id});
    assert_eq!(imported(&service, &job)["added"], 600);
}

#[test]
fn a_post_of_health_auto_export_ignored_the_zone_in_its_address() {
    let service = Service::new();
    let path = "/api/users/anna/ingest/health-auto-export";
    for (query, place) in [("zone=Mars/One", "zone"), ("zona=Europe/Athens", "zona")] {
        let answer = service.post(&format!("{path}?{query}"), &json!({}));
        refused(&answer, 422, "INVALID_REQUEST");
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["query", place]));
    }
    let body = json!({"data": {"metrics": [{"name": "resting_heart_rate", "units": "bpm",
        "data": [{"date": "2025-05-28 07:00:00 +0300", "qty": 53.5, "source": "watch"}]}]}});
    let answer = service.post(&format!("{path}?zone=Europe/Athens"), &body);
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(imported(&service, &answer.json())["added"], 1);
    let zone = &service.get("/api/users/anna").ok()["profile"]["zone"];
    assert_eq!(zone, "Europe/Athens");
}

#[test]
fn an_upload_of_which_no_row_could_be_used_has_failed() {
    let service = Service::new();
    let header = "userId,recordedAt,metricType,value\n";
    for (rows, expected) in [
        ("", "it has no rows"),
        (
            "anna,soon,STEPS,7200\nanna,2026-11-20,STEPS,x\n",
            "2 rows read; 1 rejected as bad_number; 1 rejected as bad_time; the first in line 2: recordedAt is not a \
             time, expected for example 2024-01-31T07:00:00Z",
        ),
    ] {
        let file = format!("{header}{rows}").into_bytes();
        let path = begin(&service, "anna", file.len());
        let in_parts = send(&service, &path, 0, &file).ok();
        let url = service.url("/api/users/anna/imports?name=health_metrics.csv");
        let at_once = service.send(service.request("POST", &url).body(file)).ok();
        for job in [in_parts, at_once] {
            let job = ended(&service, &job);
            assert_eq!(job["state"], "failed", "{job}");
            assert_eq!(job["error"]["code"], "NOTHING_USABLE");
            let detail = format!("no row of the upload could be used: {expected}");
            assert_eq!(job["error"]["detail"], detail.as_str());
        }
    }
    // An app that posts by itself often has nothing new.
    let url = service.url("/api/users/anna/ingest/health-auto-export");
    let idle = service.send(
        service
            .request("POST", &url)
            .body(r#"{"data":{"metrics":[]}}"#),
    );
    imported(&service, &idle.ok());
    let wrong = service.send(service.request("POST", &url).body(r#"{"metrics":1}"#));
    let wrong = ended(&service, &wrong.ok());
    assert_eq!(wrong["state"], "failed", "{wrong}");
}
