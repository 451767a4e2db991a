//! The recorded calls of the reference service, replayed: equal shape and status, or the rule of the
//! contract's part A that changes it.

use crate::support::{Service, fixtures};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

const PERSON: &str = "bench-user-001";
const TODAY: &str = "2026-11-23";

fn folder() -> PathBuf {
    match std::env::var_os("VITALCAST_CONTRACT_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => fixtures().join("contract"),
    }
}

/// The rows of a table of the history, by column.
fn rows(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("history").join(name)).unwrap();
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    lines
        .map(|line| {
            let cells = line.split(',').map(|cell| {
                cell.parse::<f64>()
                    .map_or_else(|_| json!(cell), |number| json!(number))
            });
            let fields = names.iter().copied().map(str::to_owned).zip(cells);
            Value::Object(fields.filter(|(_, cell)| *cell != json!("")).collect())
        })
        .collect()
}

/// `2026-06-27 07:00:00`, which is UTC.
fn moment(row: &Value, column: &str) -> String {
    format!("{}Z", row[column].as_str().unwrap().replace(' ', "T"))
}

/// Puts the history, or its last days, into the service for someone.
fn tell(service: &Service, folder: &Path, user: &str, days: i64, meals: bool) {
    let today: NaiveDate = TODAY.parse().unwrap();
    let recent = |moment: &str| {
        let day: NaiveDate = moment[..10].parse().unwrap();
        (today - day).num_days() < days
    };
    let readings: Vec<Value> = rows(folder, "health_metrics.csv")
        .iter()
        .map(|row| {
            json!({"recorded_at": moment(row, "recordedAt"), "metric_type": row["metricType"],
                   "value": row["value"], "source": row["source"], "source_id": row["id"]})
        })
        .filter(|row| recent(row["recorded_at"].as_str().unwrap()))
        .collect();
    service
        .post(
            &format!("/api/users/{user}/health-metrics"),
            &json!(readings),
        )
        .ok();
    let activities: Vec<Value> = rows(folder, "activities.csv")
        .iter()
        .map(|row| {
            json!({"started_at": moment(row, "startedAt"), "activity_type": row["activityType"],
                   "intensity": row["intensity"], "duration": row["duration"],
                   "calories_burned": row["caloriesBurned"], "steps": row["steps"],
                   "source": row["source"], "source_id": row["id"]})
        })
        .filter(|row| recent(row["started_at"].as_str().unwrap()))
        .collect();
    service
        .post(&format!("/api/users/{user}/activities"), &json!(activities))
        .ok();
    if meals {
        let meals: Vec<Value> = rows(folder, "meals.csv")
            .iter()
            .map(|row| {
                json!({"consumed_at": moment(row, "consumedAt"), "name": row["name"],
                       "meal_type": row["mealType"], "calories": row["calories"],
                       "protein": row["protein"], "carbs": row["carbs"], "fat": row["fat"],
                       "fiber": row["fiber"], "sugar": row["sugar"], "source_id": row["id"]})
            })
            .filter(|row| recent(row["consumed_at"].as_str().unwrap()))
            .collect();
        service
            .post(&format!("/api/users/{user}/meals"), &json!(meals))
            .ok();
    }
    let profile = json!({"weight_kg": 74.5, "height_cm": 178.0, "goal_energy_kcal": 2300.0,
                         "activity_level": "moderate"});
    service
        .call("PUT", &format!("/api/users/{user}/profile"), Some(&profile))
        .ok();
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Where an answer lacks a field, or has another type, than the one recorded. Null for something and
/// something for null are told as `null:`, and nothing for a list of something as `empty:`, since
/// values differ.
fn differences(at: &str, old: &Value, new: &Value, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in old {
                // Ids of models stand in fields, metrics as names of fields.
                match new.get(name) {
                    Some(other) => differences(&format!("{at}.{name}"), value, other, found),
                    None => found.push(format!("{at}.{name} is missing")),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) => match (old.first(), new.first()) {
            (Some(old), Some(new)) => differences(&format!("{at}[0]"), old, new, found),
            (Some(_), None) => found.push(format!("empty: {at}")),
            (None, _) => {}
        },
        (old, new) if kind(old) == kind(new) => {}
        (Value::Null, _) | (_, Value::Null) => found.push(format!("null: {at}")),
        (old, new) => found.push(format!("{at} is {} instead of {}", kind(new), kind(old))),
    }
}

/// Faults of a request must be equal to the letter, apart from links to pydantic's pages.
fn same_faults(old: &Value, new: &Value) -> bool {
    let strip = |fault: &Value| {
        let mut fault = fault.clone();
        if let Some(fields) = fault.as_object_mut() {
            fields.remove("url");
        }
        fault
    };
    let list = |answer: &Value| {
        answer["detail"]
            .as_array()
            .map(|faults| faults.iter().map(strip).collect::<Vec<_>>())
    };
    list(old).is_some() && list(old) == list(new)
}

/// The rule that makes our answer another one, if there is one.
fn rule(
    path: &str,
    status: u64,
    old: &Value,
    answer: (u16, &Value),
    nulls: bool,
) -> Option<&'static str> {
    let (ours, new) = answer;
    let code = new["code"].as_str().unwrap_or("");
    if let Some(rule) = rule_of_changes(path, status, answer, nulls) {
        return Some(rule);
    }
    match (status, ours, code) {
        (400, 422, "NOT_ENOUGH_DATA") => Some("422 NOT_ENOUGH_DATA with counts"),
        (400, 404, "NO_MODEL") => Some("404 NO_MODEL"),
        (400, 404, "UNKNOWN_MODEL") => Some("404 unknown model"),
        (400, 422, "TOO_FAR_AHEAD") => Some("422 beyond the horizon"),
        (400, 200, _) if path.ends_with("/predict") => Some("target_date: any date"),
        (400, 200, _) if path.ends_with("/explain") => {
            Some("the model of many people forecasts without a training")
        }
        (400, 200, _) if path.ends_with("/train") => {
            Some("D.2: days without meals are masked, not refused")
        }
        (200, 404, "NO_MODEL") if path.ends_with("/predict") => {
            Some("architecture and model_version are honoured")
        }
        (500, 422, _) if path.ends_with("/batch-predict") => Some("an empty list is 422"),
        (500, 200, _)
            if old["detail"]
                .as_str()
                .is_some_and(|text| text.contains("active.txt")) =>
        {
            Some("D.1: a good model breaks nothing")
        }
        (500, 422, _) if path.starts_with("/api/correlations") => {
            Some("bounds are checked before work starts")
        }
        // Every feature was tested, and features that are left out are not significant.
        (200, 200, _)
            if nulls
                && path.starts_with("/api/correlations")
                && (new["tests"].as_u64() > Some(0) || new["summary"].is_string()) =>
        {
            Some("D.2: corrected p values; what keeps an answer short is said")
        }
        (200, 200, _) if nulls && path.ends_with("/lag-analysis") => {
            let is_known = new["optimal_lag_hours"] == old["optimal_lag_hours"];
            let is_said = new["code"].is_string() || new["optimal_lag_hours"].is_null();
            (is_known || is_said)
                .then_some("D.2: corrected p values; what keeps an answer short is said")
        }
        (200, 200, _) if nulls => Some("missing is null, never an invented number"),
        (404, 404, _) => Some("errors carry a code"),
        _ => None,
    }
}

/// The rules of what-if, counterfactual and trajectory.
fn rule_of_changes(
    path: &str,
    status: u64,
    (ours, new): (u16, &Value),
    nulls: bool,
) -> Option<&'static str> {
    let is_of_it = ["/what-if", "/counterfactual", "/trajectory"]
        .iter()
        .any(|end| path.ends_with(end));
    let told = new["detail"].to_string();
    match (status, ours) {
        (200, 422) if is_of_it && told.contains("cannot be made") => {
            Some("what cannot be changed is refused, not ignored")
        }
        (200, 422) if is_of_it && told.contains("target_value") => {
            Some("a target without a value is refused")
        }
        (200, 200) if is_of_it && nulls => Some("missing is null, never an invented number"),
        _ => None,
    }
}

#[test]
fn every_recorded_call_is_answered_alike_or_by_a_rule() {
    let folder = folder();
    let service = Service::new();
    tell(&service, &folder, PERSON, 1_000, true);
    tell(&service, &folder, "bench-user-short", 14, true);
    tell(&service, &folder, "bench-user-mid", 35, true);
    tell(&service, &folder, "bench-user-nomeals", 59, false);
    let mut answers: Vec<(u32, PathBuf)> = std::fs::read_dir(folder.join("answers"))
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name.split('-').next().unwrap().parse().unwrap(), path)
        })
        .collect();
    answers.sort();
    assert!(!answers.is_empty());
    let mut table = String::new();
    let mut unexplained = Vec::new();
    for (_, file) in &answers {
        let name = file.file_stem().unwrap().to_string_lossy();
        let recorded: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let request = &recorded["request"];
        let path = request["path"].as_str().unwrap();
        let method = request["method"].as_str().unwrap();
        let mut call = service.request(method, &service.url(path));
        if let Some(raw) = request["raw"].as_str() {
            let kind = request["content_type"]
                .as_str()
                .unwrap_or("application/json");
            call = call.header("content-type", kind).body(raw.to_owned());
        } else if !request["body"].is_null() {
            let mut body = request["body"].clone();
            if path.ends_with("/global-importance") && recorded["status"] == 200 {
                // Ids of models are our own.
                let metric = &recorded["response"]["metric"];
                let models = format!(
                    "/api/predictions/models/{PERSON}?metric={}",
                    metric.as_str().unwrap()
                );
                body["model_id"] = service.get(&models).ok()["models"][0]["model_id"].clone();
            }
            call = call.json(&body);
        }
        let answer = service.send(call);
        let status = recorded["status"].as_u64().unwrap();
        let (old, new) = (&recorded["response"], answer.json());
        let mut found = Vec::new();
        if status == 422 {
            if !same_faults(old, &new) {
                found.push("the faults differ".to_owned());
            }
        } else {
            differences("", old, &new, &mut found);
        }
        let is_a_value =
            |place: &String| place.starts_with("null: ") || place.starts_with("empty: ");
        let nulls = !found.is_empty() && found.iter().all(is_a_value);
        if name == "45-lag-24h-steps-90d" {
            // The one finding of all recorded answers that no correction takes away.
            assert_eq!(new["optimal_lag_hours"], old["optimal_lag_hours"]);
            let of = |answer: &Value| answer["optimal_correlation"].as_f64().unwrap();
            assert!((of(&new) - of(old)).abs() < 0.01, "{new}");
        }
        let equal = found.is_empty() && u64::from(answer.status) == status;
        let bare_path = path.split('?').next().unwrap();
        let verdict = if equal {
            "equal"
        } else if let Some(rule) = rule(bare_path, status, old, (answer.status, &new), nulls) {
            rule
        } else {
            unexplained.push(format!(
                "{name}: {status} {}\n  {found:?}\n  {}",
                answer.status, answer.text
            ));
            "UNEXPLAINED"
        };
        writeln!(table, "{name:<45} {status} {} {verdict}", answer.status).unwrap();
    }
    println!("{table}");
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
}

#[test]
fn the_example_calls_of_the_write_up_have_every_field_shown_there() {
    let folder = fixtures().join("contract");
    let service = Service::new();
    tell(&service, &folder, "user_123", 1_000, true);
    let has = |answer: &Value, fields: &[&str]| {
        for field in fields {
            assert!(
                answer.pointer(field).is_some_and(|value| !value.is_null()),
                "{field} of {answer}"
            );
        }
    };
    let train = json!({
        "user_id": "user_123", "metric": "RESTING_HEART_RATE", "architecture": "lstm",
        "lookback_days": 90, "sequence_length": 30, "epochs": 50, "batch_size": 32,
        "learning_rate": 0.001, "hidden_dim": 128, "num_layers": 2, "dropout": 0.2,
        // Not in the write-up: a busy machine may take longer than is waited for by default.
        "wait_seconds": 300
    });
    let trained = service.post("/api/predictions/train", &train).ok();
    has(
        &trained,
        &[
            "/user_id",
            "/metric",
            "/architecture",
            "/model_id",
            "/model_version",
            "/trained_at",
            "/training_metrics/train_loss",
            "/training_metrics/val_loss",
            "/training_metrics/best_val_loss",
            "/training_metrics/mae",
            "/training_metrics/rmse",
            "/training_metrics/r2_score",
            "/training_metrics/mape",
            "/training_metrics/epochs_trained",
            "/training_metrics/early_stopped",
            "/training_metrics/training_time_seconds",
            "/total_samples",
            "/sequence_length",
            "/num_features",
            "/model_path",
            "/model_size_mb",
            "/is_production_ready",
            "/quality_issues",
        ],
    );
    assert_eq!(trained["num_features"], 51);
    assert_eq!(trained["model_version"], "v1.0.0");
    let predict = json!({
        "user_id": "user_123", "metric": "RESTING_HEART_RATE", "target_date": "2026-11-24"
    });
    let forecast = service.post("/api/predictions/predict", &predict).ok();
    has(
        &forecast,
        &[
            "/user_id",
            "/prediction/metric",
            "/prediction/target_date",
            "/prediction/predicted_at",
            "/prediction/predicted_value",
            "/prediction/confidence_interval_lower",
            "/prediction/confidence_interval_upper",
            "/prediction/confidence_score",
            "/prediction/historical_average",
            "/prediction/deviation_from_average",
            "/prediction/percentile",
            "/prediction/model_id",
            "/prediction/model_version",
            "/prediction/architecture",
            "/features_used",
            "/sequence_length",
            "/data_quality_score",
            "/interpretation",
            "/cached",
        ],
    );
    let of = |field: &str| forecast["prediction"][field].as_f64().unwrap();
    assert!(of("confidence_interval_lower") <= of("predicted_value"));
    assert!(of("predicted_value") <= of("confidence_interval_upper"));
    let deviation = of("predicted_value") - of("historical_average");
    assert!((deviation - of("deviation_from_average")).abs() < 1e-9);
    let batch = json!({
        "user_id": "user_123", "target_date": "2026-11-24",
        "metrics": ["RESTING_HEART_RATE", "HEART_RATE_VARIABILITY_SDNN", "SLEEP_DURATION"]
    });
    let batch = service.post("/api/predictions/batch-predict", &batch).ok();
    has(
        &batch,
        &[
            "/user_id",
            "/target_date",
            "/predicted_at",
            "/predictions/RESTING_HEART_RATE",
            "/overall_data_quality",
            "/all_predictions_successful",
            "/failed_metrics",
            "/predictions/HEART_RATE_VARIABILITY_SDNN/choice/served",
            "/failure_reasons",
        ],
    );
    let models = service
        .get("/api/predictions/models/user_123?metric=RESTING_HEART_RATE")
        .ok();
    has(
        &models,
        &[
            "/user_id",
            "/total_models",
            "/models/0/model_id",
            "/models/0/version",
            "/models/0/trained_at",
            "/models/0/training_metrics/mae",
            "/models/0/is_active",
            "/models/0/is_production_ready",
            "/models/0/model_size_mb",
        ],
    );
    let features = service
        .post(
            "/api/features/engineer",
            &json!({"user_id": "user_123", "target_date": "2026-11-22"}),
        )
        .ok();
    assert_eq!(features["feature_count"], 64);
    let id = trained["model_id"].as_str().unwrap();
    let deleted = service.call("DELETE", &format!("/api/predictions/models/{id}"), None);
    assert_eq!(deleted.ok()["model_id"], id);
}
