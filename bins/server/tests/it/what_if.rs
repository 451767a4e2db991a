//! What-if, counterfactual and trajectory over HTTP: what is refused, and what an answer always says.

use crate::support::Service;
use serde_json::{Value, json};

const WHAT_IF: &str = "/api/interpretability/what-if";
const COUNTERFACTUAL: &str = "/api/interpretability/counterfactual";
const TRAJECTORY: &str = "/api/interpretability/trajectory";

fn what_if(changes: &Value) -> Value {
    json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-23",
           "scenarios": [{"scenario_name": "x", "changes": changes}]})
}

/// An answer holds no number that JSON does not know, and says that it is no cause.
fn has_only_numbers(answer: &Value) {
    let text = answer.to_string();
    assert!(text.contains("does not show a cause"), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
}

#[test]
fn scenarios_are_compared_and_what_cannot_be_changed_is_refused() {
    let service = Service::new();
    service.person("anna", 60);
    let asked = what_if(&json!([{"feature_name": "activity_steps_daily", "new_value": 9000}]));
    let answer = service.post(WHAT_IF, &asked).ok();
    has_only_numbers(&answer);
    assert_eq!(answer["best_scenario"], "x");
    assert_eq!(answer["changed_day"], "2026-11-22");
    for (changes, told) in [
        (
            json!([{"feature_name": "no_such", "new_value": 1}]),
            "no feature",
        ),
        (
            json!([{"feature_name": "activity_steps_7d_avg", "new_value": 1}]),
            "activity_steps_daily",
        ),
        (
            json!([{"feature_name": "activity_steps_daily", "new_value": 1e6}]),
            "between 0 and 200000",
        ),
    ] {
        let refused = service.post(WHAT_IF, &what_if(&changes));
        assert_eq!(refused.status, 422, "{}", refused.text);
        assert_eq!(refused.code(), "INVALID_REQUEST");
        assert!(refused.text.contains(told), "{}", refused.text);
    }
    let mut later = asked.clone();
    later["target_date"] = json!("2026-11-26");
    let refused = service.post(WHAT_IF, &later);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (422, "INVALID_REQUEST")
    );
    let mut nobody = asked.clone();
    nobody["user_id"] = json!("nobody");
    let refused = service.post(WHAT_IF, &nobody);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (404, "UNKNOWN_USER")
    );
    let mut other = asked;
    other["architecture"] = json!("lstm");
    let refused = service.post(WHAT_IF, &other);
    assert_eq!((refused.status, refused.code().as_str()), (404, "NO_MODEL"));
}

#[test]
fn a_counterfactual_says_what_it_reached_and_refuses_a_target_it_cannot_use() {
    let service = Service::new();
    service.person("anna", 60);
    let asked =
        json!({"user_id": "anna", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-23"});
    let answer = service.post(COUNTERFACTUAL, &asked).ok();
    has_only_numbers(&answer);
    assert!(answer["counterfactual"]["is_reached"].is_boolean());
    for (field, value) in [
        ("target_type", json!("target_value")),
        ("target_value", json!(56)),
        ("max_changes", json!(11)),
        ("max_changes", json!(0)),
        ("allowed_features", json!([])),
        ("allowed_features", json!(["no_such"])),
        ("allowed_features", json!(["nutrition_protein_ratio"])),
    ] {
        let mut asked = asked.clone();
        asked[field] = value;
        let refused = service.post(COUNTERFACTUAL, &asked);
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
    }
}

#[test]
fn a_trajectory_has_all_its_days_and_refuses_other_lengths() {
    let service = Service::new();
    service.person("anna", 60);
    let asked = json!({"user_id": "anna", "metrics_to_predict": ["RESTING_HEART_RATE", "RECOVERY_SCORE"],
                       "duration_days": 7, "paths": 8});
    let answer = service.post(TRAJECTORY, &asked).ok();
    has_only_numbers(&answer);
    assert_eq!(answer["start_date"], "2026-11-23");
    assert_eq!(answer["end_date"], "2026-11-30");
    let days = answer["trajectories"][0]["trajectory"].as_array().unwrap();
    assert_eq!(days.len(), 8);
    assert_eq!(answer["skipped_metrics"][0]["metric"], "RECOVERY_SCORE");
    for (field, value) in [
        ("duration_days", json!(10)),
        ("metrics_to_predict", json!([])),
        ("start_date", json!("2026-11-24")),
        ("paths", json!(0)),
    ] {
        let mut asked = asked.clone();
        asked[field] = value;
        let refused = service.post(TRAJECTORY, &asked);
        assert_eq!(refused.status, 422, "{field}: {}", refused.text);
    }
}
