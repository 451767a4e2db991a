//! Explanations over HTTP.

use crate::support::{Service, runtime};
use serde_json::{Value, json};
use vitalcast_client::Client;
use vitalcast_domain::{ExplainRequest, GlobalImportanceRequest, PredictionMetric};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

fn body(more: Value) -> Value {
    let mut body = json!({"user_id": "anna", "metric": "RESTING_HEART_RATE",
                          "target_date": "2026-11-24"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[test]
fn an_explanation_adds_up_to_the_forecast_of_the_same_request() {
    let service = Service::new();
    service.person("anna", 90);
    for architecture in ["theta", "xgboost", "average"] {
        service.train("anna", architecture);
        let ask = body(json!({"architecture": architecture}));
        let answer = service.post("/api/interpretability/explain", &ask).ok();
        let forecast = service.post("/api/predictions/predict", &ask).ok();
        assert_eq!(
            answer["predicted_value"],
            forecast["prediction"]["predicted_value"]
        );
        let of = |name: &str| answer[name].as_f64().unwrap();
        let listed = answer["feature_importances"].as_array().unwrap();
        let sum: f64 = listed
            .iter()
            .map(|one| one["shap_value"].as_f64().unwrap())
            .sum();
        let total = of("baseline_value") + sum + of("other_contributions");
        assert!((total - of("predicted_value")).abs() < 1e-5, "{answer}");
    }
}

#[test]
fn what_cannot_be_explained_is_told_with_status_and_code() {
    let service = Service::new();
    service.person("anna", 90);
    let explain = |more: Value| service.post("/api/interpretability/explain", &body(more));
    let global = |body: &Value| service.post("/api/interpretability/global-importance", body);
    let nobody = explain(json!({"user_id": "nobody"}));
    assert_eq!((nobody.status, nobody.code()), (404, "NO_MODEL".to_owned()));
    let untrained = explain(json!({"architecture": "lstm"}));
    assert_eq!(
        (untrained.status, untrained.code()),
        (404, "NO_MODEL".to_owned())
    );
    let top = explain(json!({"top_k": 52}));
    assert_eq!(top.status, 422);
    assert_eq!(top.json()["detail"][0]["loc"], json!(["body", "top_k"]));
    let attention = explain(json!({"method": "attention"}));
    assert_eq!(
        (attention.status, attention.code()),
        (422, "NO_ATTENTION".to_owned())
    );
    let early = explain(json!({"target_date": "2001-01-01"}));
    assert_eq!(
        (early.status, early.code()),
        (422, "NOT_ENOUGH_DATA".to_owned())
    );
    let unknown = global(&json!({"model_id": "no-such-model"}));
    assert_eq!(
        (unknown.status, unknown.code()),
        (404, "UNKNOWN_MODEL".to_owned())
    );
    let path = global(&json!({"model_id": "../../etc"}));
    assert_eq!(path.status, 422);
}

#[test]
fn a_model_of_many_people_is_explained_only_to_those_who_may_see_all() {
    let mut service = Service::new();
    service.readings("anna", 90);
    service.readings("berta", 60);
    let forecast = service
        .post("/api/predictions/predict", &body(json!({})))
        .ok();
    let id = forecast["prediction"]["model_id"].clone();
    let ask = json!({"model_id": id});
    let answer = service
        .post("/api/interpretability/global-importance", &ask)
        .ok();
    assert_eq!(answer["people"], 2);
    assert_eq!(answer["first_day"], Value::Null);
    let shares: f64 = ["nutrition", "activity", "health", "temporal", "interaction"]
        .iter()
        .map(|name| answer[format!("{name}_importance")].as_f64().unwrap())
        .sum();
    assert!((shares - 1.0).abs() < 1e-9, "{answer}");
    let admin = service.make_key(None, &["admin"]);
    service.key = Some(admin.clone());
    let one = service.make_key(Some(&["anna"]), &["read"]);
    let all = service.make_key(None, &["read"]);
    let url = service.url("/api/interpretability/global-importance");
    let status = |key: &str| {
        service
            .call_with(Some(key), "POST", &url, Some(&ask))
            .status
    };
    assert_eq!((status(&one), status(&all)), (404, 200));
}

#[test]
fn the_client_asks_for_explanations() {
    let service = Service::new();
    service.person("anna", 90);
    let model = service.train("anna", "ets");
    let client = Client::new(&service.url("")).unwrap();
    let anna = "anna".parse().unwrap();
    runtime().block_on(async {
        let request = ExplainRequest::new(anna, RHR, "2026-11-24".parse().unwrap());
        let answer = client.explain(&request).await.unwrap();
        assert_eq!(answer.association, vitalcast_domain::ASSOCIATION);
        let id = model["model_id"].as_str().unwrap().parse().unwrap();
        let request = GlobalImportanceRequest::new(id);
        let answer = client.global_importance(&request).await.unwrap();
        assert_eq!((answer.people, answer.on_test_days), (1, true));
        let unknown = GlobalImportanceRequest::new("nothing".parse().unwrap());
        let error = client.global_importance(&unknown).await.unwrap_err();
        assert_eq!(error.code(), Some("UNKNOWN_MODEL"));
    });
}
