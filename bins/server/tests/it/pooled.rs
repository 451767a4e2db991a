//! Models of many people: fitted beside the service, listed, activated, deleted; consent is respected.

use crate::support::{Service, eventually};
use serde_json::{Value, json};

fn list(service: &Service) -> Value {
    let url = service.admin_url("/admin/pooled-models");
    service.call_with(None, "GET", &url, None).ok()
}

#[test]
fn a_model_of_many_people_can_be_activated_is_served_and_can_be_taken_back() {
    let service = Service::new();
    let id = service.model_of_many_people();
    let models = list(&service);
    assert_eq!(models["models"][0]["model_id"], json!(id));
    assert_eq!(models["models"][0]["user_id"], Value::Null);
    let one = service.admin_url(&format!("/admin/pooled-models/{id}"));
    let active = service.call_with(None, "PUT", &one, None).ok();
    assert_eq!(active["is_active"], true);
    let served = service.forecast("many-3").ok();
    assert_eq!(served["prediction"]["model_id"], json!(id));
    // It is nobody's: the routes of people's models do not know it.
    let path = format!("/api/predictions/models/{id}");
    assert_eq!(service.call("DELETE", &path, None).status, 404);
    assert_eq!(service.call_with(None, "DELETE", &one, None).status, 200);
    assert_eq!(service.call_with(None, "DELETE", &one, None).status, 404);
    let served = service.forecast("many-3").ok();
    assert_ne!(served["prediction"]["model_id"], json!(id));
}

#[test]
fn the_routes_of_many_peoples_models_do_not_touch_a_persons() {
    let service = Service::new();
    service.readings("anna", 60);
    let trained = service.train("anna", "naive");
    let own = trained["model_id"].as_str().unwrap();
    for method in ["PUT", "DELETE"] {
        let url = service.admin_url(&format!("/admin/pooled-models/{own}"));
        assert_eq!(service.call_with(None, method, &url, None).status, 404);
    }
}

#[test]
fn nobody_who_was_not_asked_teaches_a_service_and_the_reason_is_told() {
    let service = Service::new();
    for number in 0..7 {
        service.readings(&format!("p{number}"), 40);
    }
    let url = service.admin_url("/admin/pooled-models");
    let body = json!({"metric": "RESTING_HEART_RATE"});
    let fit = || {
        assert_eq!(
            service.call_with(None, "POST", &url, Some(&body)).status,
            202
        );
        eventually("the fit ends", || {
            let fit = list(&service)["fits"][0].clone();
            (fit["state"] != "running").then_some(fit)
        })
    };
    let failed = fit();
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "NOT_ENOUGH_DATA");
    for number in 0..7 {
        let path = format!("/api/users/p{number}/profile");
        let profile = json!({"allows_pooling": number != 0});
        service.call("PUT", &path, Some(&profile)).ok();
    }
    let fitted = fit();
    assert_eq!(fitted["state"], "succeeded", "{fitted}");
    assert_eq!(fitted["result"]["people"], 6);
    assert_eq!(fitted["result"]["people_without_consent"], 1);
    // A person who is not there, and a metric that is none.
    let stranger = json!({"metric": "RESTING_HEART_RATE", "users": ["nobody"]});
    assert_eq!(
        service
            .call_with(None, "POST", &url, Some(&stranger))
            .status,
        404
    );
    let wrong = json!({"metric": "MOOD"});
    assert_eq!(
        service.call_with(None, "POST", &url, Some(&wrong)).status,
        422
    );
}
