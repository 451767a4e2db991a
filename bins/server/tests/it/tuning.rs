//! Searches for settings as jobs.

use crate::support::{Service, eventually};
use serde_json::{Value, json};

fn search(user: &str) -> Value {
    json!({"user_id": user, "metric": "RESTING_HEART_RATE", "trials": 3})
}

fn job(service: &Service, job: &Value) -> Value {
    let id = job["job_id"].as_str().unwrap();
    service.get(&format!("/api/jobs/{id}")).ok()
}

#[test]
fn a_search_is_a_job_whose_result_compares_with_the_defaults() {
    let service = Service::new();
    service.readings("anna", 100);
    let asked = service.post("/api/predictions/tune", &search("anna"));
    assert_eq!(asked.status, 202);
    let asked = asked.json();
    assert_eq!(asked["kind"], "tune");
    let ended = eventually("the search ends", || {
        let now = job(&service, &asked);
        (now["state"] == "succeeded").then_some(now)
    });
    assert_eq!(ended["progress"]["total"], 3);
    let result = &ended["result"];
    assert_eq!(result["tried"], 3);
    assert_eq!(result["trials"].as_array().unwrap().len(), 4);
    assert!(result["on_unseen_days"]["mae_b"].is_number(), "{result}");
    assert!(result["summary"].as_str().unwrap().contains("unseen days"));
    // Nothing was trained.
    let models = service.get("/api/predictions/models/anna").ok();
    assert_eq!(models["total_models"], 0);
}

#[test]
fn a_search_that_cannot_be_made_is_refused() {
    let service = Service::new();
    service.readings("anna", 100);
    let refused = |body: Value| {
        let answer = service.post("/api/predictions/tune", &body);
        (answer.status, answer.json()["code"].clone())
    };
    assert_eq!(refused(search("nobody")), (404, json!("UNKNOWN_USER")));
    let mut ets = search("anna");
    ets["architecture"] = json!("ets");
    assert_eq!(refused(ets), (422, json!("INVALID_REQUEST")));
    let mut none = search("anna");
    none["trials"] = json!(0);
    assert_eq!(refused(none), (422, json!("INVALID_REQUEST")));
    // Too few days: the job says so.
    service.readings("berta", 30);
    let asked = service
        .post("/api/predictions/tune", &search("berta"))
        .json();
    let ended = eventually("the search ends", || {
        let now = job(&service, &asked);
        (now["state"] == "failed").then_some(now)
    });
    assert_eq!(ended["error"]["code"], "NOT_ENOUGH_DATA");
}
