//! Erasing: afterwards nothing of the person is in any table, file or answer.

use crate::support::{Service, files};
use serde_json::json;
use std::io::Cursor;

/// Something no other data hold: a name, and a number in a value.
const WHO: &str = "zz-planted-person";
const SOURCE: &str = "planted-watch-7731";
const MEAL: &str = "planted marzipan 4242";

fn planted() -> Service {
    let service = Service::new();
    service.person(WHO, 60);
    // Other data, or the two would share a file.
    service.person("berta", 50);
    // Corrected once.
    for name in ["first thoughts", MEAL] {
        let meals = json!([{"consumed_at": "2026-11-20T08:00:00Z", "name": name, "calories": 321.125, "source": SOURCE}]);
        service
            .post(&format!("/api/users/{WHO}/meals"), &meals)
            .ok();
    }
    service.forecast(WHO).ok();
    service.get(&format!("/api/features/{WHO}/2026-11-20")).ok();
    service
        .get(&format!("/api/users/{WHO}/forecasts/RESTING_HEART_RATE"))
        .ok();
    service
}

fn leftovers(service: &Service) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(&service.data()) {
        let bytes = std::fs::read(&path).unwrap();
        let name = path.display().to_string();
        for needle in [WHO, SOURCE, MEAL, "321.125"] {
            let holds = bytes
                .windows(needle.len())
                .any(|window| window == needle.as_bytes());
            if holds || name.contains(needle) {
                found.push(format!("{needle} in {name}"));
            }
        }
    }
    found
}

#[test]
fn nothing_of_an_erased_person_is_left_anywhere() {
    let mut service = planted();
    let own = service.make_key(Some(&[WHO]), &["read", "erase"]);
    let admin = {
        service.key = None;
        // Keys are asked for now, so the first admin key comes from the folder itself.
        let engine = vitalcast::Engine::open(&service.data()).unwrap();
        let key = vitalcast::NewKey {
            name: "admin".to_owned(),
            users: None,
            scopes: vec![vitalcast::Scope::Admin],
            expires_at: None,
        };
        let now = crate::support::NOW.parse().unwrap();
        engine.create_key(key, &[7; 70], now).unwrap().1
    };
    assert!(
        !leftovers(&service).is_empty(),
        "the search finds what is there"
    );
    let models = |service: &Service| {
        std::fs::read_dir(service.data().join("models"))
            .unwrap()
            .count()
    };
    let before = models(&service);
    service.key = Some(own.clone());
    let erased = service
        .call("DELETE", &format!("/api/users/{WHO}"), None)
        .ok();
    assert_eq!(erased["erased"], true);
    assert_eq!(leftovers(&service), Vec::<String>::new());
    assert_eq!(models(&service), before - 1);
    // Their key opens nothing, and everything about them is gone for everyone else too.
    assert_eq!(service.get(&format!("/api/users/{WHO}")).status, 401);
    service.key = Some(admin);
    for path in ["", "/profile", "/export", "/forecasts/RESTING_HEART_RATE"] {
        let answer = service.get(&format!("/api/users/{WHO}{path}"));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "UNKNOWN_USER"),
            "{path}"
        );
    }
    assert_eq!(service.forecast(WHO).code(), "NO_MODEL");
    assert_eq!(
        service.get(&format!("/api/users/{WHO}/meals")).ok()["items"],
        json!([])
    );
    assert_eq!(
        service.get(&format!("/api/predictions/models/{WHO}")).ok()["total_models"],
        0
    );
    assert_eq!(
        service.get(&format!("/api/users/{WHO}/jobs")).ok()["jobs"],
        json!([])
    );
    let again = service.call("DELETE", &format!("/api/users/{WHO}"), None);
    assert_eq!(again.status, 404);
    // Others are as they were.
    assert_eq!(service.forecast("berta").status, 200);
    // Somebody new under the old name begins with nothing of the old.
    service.readings(WHO, 40);
    let answer = service.forecast(WHO).ok();
    assert_eq!(answer["prediction"]["architecture"], "pooled");
    service.train(WHO, "moving_average");
    assert_eq!(service.forecast(WHO).ok()["cached"], false);
    // And nothing comes back with the next start.
    service
        .call("DELETE", &format!("/api/users/{WHO}"), None)
        .ok();
    service.stop();
    assert_eq!(leftovers(&service), Vec::<String>::new());
}

#[test]
fn erasing_ends_what_is_under_way() {
    let service = Service::new();
    service.readings(WHO, 200);
    let long = json!({"user_id": WHO, "metric": "RESTING_HEART_RATE", "epochs": 200, "hidden_dim": 256,
                      "lookback_days": 190, "wait_seconds": 0});
    let job = service.post("/api/predictions/train", &long);
    assert_eq!(job.status, 202, "{}", job.text);
    service
        .call("DELETE", &format!("/api/users/{WHO}"), None)
        .ok();
    assert_eq!(leftovers(&service), Vec::<String>::new());
    let id = job.json()["job_id"].as_str().unwrap().to_owned();
    assert_eq!(service.get(&format!("/api/jobs/{id}")).status, 404);
    assert_eq!(
        std::fs::read_dir(service.data().join("models"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn an_export_holds_everything_and_can_be_read_again() {
    let service = planted();
    let answer = crate::support::runtime().block_on(async {
        let url = service.url(&format!("/api/users/{WHO}/export"));
        let response = service.http.get(url).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/zip");
        response.bytes().await.unwrap()
    });
    let mut zip = zip::ZipArchive::new(Cursor::new(answer)).unwrap();
    let mut read = |name: &str| {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut zip.by_name(name).unwrap(), &mut text).unwrap();
        text
    };
    assert!(read("records/meal.csv").contains(MEAL));
    let lines = read("records/health_metric.ndjson");
    assert_eq!(lines.lines().count(), 60);
    assert!(read("models.json").contains("moving_average"));
    assert!(read("forecasts.json").contains("2026-11-24"));
    assert!(read("jobs.json").contains("succeeded"));
    assert!(read("profile.json").contains("UTC"));
    let versions = read("versions.ndjson");
    assert!(versions.contains("first thoughts") && versions.contains(MEAL));
    // What was taken out can be put in again, and is the same.
    let back: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| {
            let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
            record.as_object_mut().unwrap().remove("partial");
            record
        })
        .collect();
    let written = service
        .post(&format!("/api/users/{WHO}/health-metrics"), &json!(back))
        .ok();
    assert_eq!(written["unchanged"], 60);
}

/// An app that goes on sending while its person is erased does not bring a job of theirs through.
#[test]
fn nothing_is_taken_on_for_someone_who_is_being_erased() {
    let service = Service::new();
    service.readings(WHO, 200);
    let long = json!({"user_id": WHO, "metric": "RESTING_HEART_RATE", "epochs": 200, "hidden_dim": 256,
                      "num_layers": 3, "lookback_days": 190, "wait_seconds": 0});
    let running = service.post("/api/predictions/train", &long).json();
    let mut taken = vec![running["job_id"].as_str().unwrap().to_owned()];
    std::thread::scope(|scope| {
        let erasing = scope.spawn(|| service.call("DELETE", &format!("/api/users/{WHO}"), None));
        let mut seed = 0;
        while !erasing.is_finished() {
            seed += 1;
            let mut another = long.clone();
            another["seed"] = json!(seed);
            let answer = service.post("/api/predictions/train", &another);
            match answer.status {
                202 => taken.push(answer.json()["job_id"].as_str().unwrap().to_owned()),
                409 => assert_eq!(answer.code(), "BEING_ERASED"),
                // Full, or gone already.
                429 | 404 | 422 => {}
                _ => panic!("{} {}", answer.status, answer.text),
            }
        }
        assert_eq!(erasing.join().unwrap().status, 200);
    });
    for id in taken {
        assert_eq!(service.get(&format!("/api/jobs/{id}")).status, 404, "{id}");
    }
    assert_eq!(service.get(&format!("/api/users/{WHO}")).status, 404);
}
