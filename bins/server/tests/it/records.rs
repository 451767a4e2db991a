//! Writing, reading and deleting records.

use crate::support::{Service, eventually, fixtures};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const READINGS: &str = "/api/users/anna/health-metrics";

fn reading(moment: &str, value: f64) -> Value {
    json!({"recorded_at": moment, "metric_type": "RESTING_HEART_RATE", "value": value})
}

#[test]
fn the_same_again_changes_nothing_and_other_content_corrects() {
    let service = Service::new();
    let first = json!([
        reading("2026-11-20T06:00:00Z", 60.0),
        reading("2026-11-21T06:00:00Z", 61.0)
    ]);
    let written = service.post(READINGS, &first).ok();
    assert_eq!(
        (
            &written["added"],
            &written["unchanged"],
            &written["corrected"]
        ),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!(service.post(READINGS, &first).ok()["unchanged"], 2);
    let corrected = json!([reading("2026-11-20T06:00:00Z", 62.0)]);
    assert_eq!(service.post(READINGS, &corrected).ok()["corrected"], 1);
    let page = service.get(READINGS).ok();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["items"][0]["value"], 62.0);
    let overview = service.get("/api/users/anna").ok();
    assert_eq!(overview["first_day"], "2026-11-20");
    assert_eq!(overview["last_day"], "2026-11-21");
    assert_eq!(overview["metric_days"]["RESTING_HEART_RATE"], 2);
}

#[test]
fn a_reading_that_was_not_measured_does_not_refuse_the_others() {
    let service = Service::new();
    let of = |metric: &str, value: f64| json!({"recorded_at": "2026-11-20T06:00:00Z", "metric_type": metric, "value": value});
    let body = json!([
        of("RESTING_HEART_RATE", 0.0),
        of("HEART_RATE_VARIABILITY_SDNN", 65_535.0),
        of("OXYGEN_SATURATION", -1.0),
        of("RESPIRATORY_RATE", 14.0),
        of("STEPS", 0.0),
    ]);
    let written = service.post(READINGS, &body).ok();
    assert_eq!(
        (&written["added"], &written["not_measured"]),
        (&json!(2), &json!(3))
    );
    // What no device writes for "nothing" is refused.
    let refused = service.post(READINGS, &json!([of("RESTING_HEART_RATE", 3.0)]));
    assert_eq!(refused.status, 422);
}

#[test]
fn a_time_without_an_offset_is_one_of_the_persons_clock() {
    let service = Service::new();
    let zone = json!({"zone": "America/New_York"});
    let profile = "/api/users/anna/profile";
    service.call("PUT", profile, Some(&zone)).ok();
    let meals = "/api/users/anna/meals";
    let body = json!([
        {"consumed_at": "2026-11-20T22:30:00", "name": "pasta", "calories": 800},
        {"consumed_at": "2026-11-20 12:30", "name": "soup", "calories": 300},
    ]);
    assert_eq!(service.post(meals, &body).ok()["added"], 2);
    let page = service.get(meals).ok();
    let dinner = &page["items"][1];
    assert_eq!(dinner["consumed_at"], "2026-11-20T22:30:00-05:00");
    assert_eq!(dinner["day"], "2026-11-20");
}

#[test]
fn lines_of_json_are_an_array() {
    let service = Service::new();
    let lines = format!(
        "{}\n\n{}\n",
        reading("2026-11-20T06:00:00Z", 60.0),
        reading("2026-11-21T06:00:00Z", 61.0)
    );
    let send = |body: String| {
        let request = service.request("POST", &service.url(READINGS));
        service.send(
            request
                .header("content-type", "application/x-ndjson")
                .body(body),
        )
    };
    assert_eq!(send(lines.clone()).ok()["added"], 2);
    for end in ["\r", "\r\n"] {
        assert_eq!(send(lines.replace('\n', end)).ok()["unchanged"], 2);
    }
    let refused = send(format!("{lines}{{\"metric_type\": \n"));
    assert_eq!(refused.status, 422);
    let loc = &refused.json()["detail"][0]["loc"];
    assert_eq!((&loc[0], &loc[1]), (&json!("body"), &json!(2)));
}

#[test]
fn one_wrong_value_keeps_the_whole_body_out_and_every_fault_is_told() {
    let service = Service::new();
    let body = json!([
        reading("2026-11-20T06:00:00Z", 60.0),
        reading("2026-11-21T06:00:00Z", 4.0),
        {"recorded_at": "tomorrow", "metric_type": "PULSE", "value": "x", "colour": "blue"},
        reading("2030-01-01T06:00:00Z", 60.0),
        {"recorded_at": "2026-11-21T06:00:00Z", "metric_type": "STEPS", "value": 1, "unit": "kg"},
    ]);
    let answer = service.post(READINGS, &body);
    assert_eq!(answer.status, 422);
    let places: Vec<String> = answer.json()["detail"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["loc"].to_string())
        .collect();
    assert_eq!(
        places,
        [
            "[\"body\",1,\"value\"]",
            "[\"body\",2,\"recorded_at\"]",
            "[\"body\",2,\"metric_type\"]",
            "[\"body\",2,\"value\"]",
            "[\"body\",2,\"colour\"]",
            "[\"body\",3,\"recorded_at\"]",
            "[\"body\",4,\"value\"]"
        ],
        "{}",
        answer.text
    );
    assert_eq!(
        service.get("/api/users/anna").status,
        404,
        "nothing was kept"
    );
}

#[test]
fn pages_hold_everything_once_and_ranges_what_they_say() {
    let service = Service::new();
    service.readings("anna", 57);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = service.get(&format!("{READINGS}?limit=10{cursor}")).ok();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["day"].clone()),
        );
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 57);
    assert!(seen.is_sorted_by(|a, b| a.as_str() < b.as_str()));
    let range = service
        .get(&format!("{READINGS}?from=2026-11-01&to=2026-11-05"))
        .ok();
    assert_eq!(range["items"].as_array().unwrap().len(), 5);
    let gone = service
        .call(
            "DELETE",
            &format!("{READINGS}?from=2026-11-01&to=2026-11-05"),
            None,
        )
        .ok();
    assert_eq!(gone["deleted"], 5);
    assert_eq!(service.get("/api/users/anna").ok()["days"], 52);
    let one = service
        .call(
            "DELETE",
            &format!(
                "{READINGS}?from=2026-01-01&to=2026-12-31&source_id=2026-11-10T06:30:00%2B00:00"
            ),
            None,
        )
        .ok();
    assert_eq!(one["deleted"], 1);
    assert_eq!(
        service
            .get(&format!("{READINGS}?cursor=bm9uc2Vuc2U"))
            .code(),
        "UNKNOWN_CURSOR"
    );
}

#[test]
fn every_kind_of_record_comes_back_as_it_was_written() {
    let service = Service::new();
    service
        .call(
            "PUT",
            "/api/users/anna/profile",
            Some(&json!({"zone": "Europe/Athens"})),
        )
        .ok();
    let meals = json!([
        {"consumed_at": "2026-11-20T22:30:00Z", "name": "souvlaki", "meal_type": "dinner", "calories": 800.5, "protein": 40, "source": "diary", "source_id": "7"},
        {"consumed_at": "2026-11-19", "calories": 100}
    ]);
    service.post("/api/users/anna/meals", &meals).ok();
    let kept = service.get("/api/users/anna/meals").ok();
    // Half past midnight in Athens.
    assert_eq!(kept["items"][1]["day"], "2026-11-21");
    assert_eq!(kept["items"][1]["calories"], 800.5);
    assert_eq!(kept["items"][1]["source_id"], "7");
    assert_eq!(kept["items"][0]["time_known"], false);
    let activities = json!([{"started_at": "2026-11-20T08:00:00+02:00", "activity_type": "RUNNING", "intensity": "MAXIMUM", "duration": 45}]);
    service.post("/api/users/anna/activities", &activities).ok();
    let kept = service.get("/api/users/anna/activities").ok();
    assert_eq!(kept["items"][0]["started_at"], "2026-11-20T08:00:00+02:00");
    assert_eq!(kept["items"][0]["intensity"], "MAXIMUM");
    let night = json!([{"recorded_at": "2026-11-20T06:00:00Z", "metric_type": "SLEEP_DURATION", "value": 420, "unit": "min"}]);
    service.post(READINGS, &night).ok();
    assert_eq!(service.get(READINGS).ok()["items"][0]["value"], 7.0);
}

#[test]
fn foods_of_one_moment_in_separate_bodies_are_several_foods_and_no_corrections() {
    const MEALS: &str = "/api/users/anna/meals";
    let service = Service::new();
    let post = |meal: Value| service.post(MEALS, &json!([meal])).ok();
    let at = |calories: u32| json!({"consumed_at": "2026-11-20T12:30:00", "calories": calories});
    for (calories, added, unchanged) in [(220, 1, 0), (180, 1, 0), (90, 1, 0), (220, 0, 1)] {
        let written = post(at(calories));
        assert_eq!(
            (&written["added"], &written["unchanged"]),
            (&json!(added), &json!(unchanged))
        );
        assert_eq!(written["corrected"], 0, "{written}");
    }
    let kept = service.get(MEALS).ok();
    let energies: f64 = kept["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|meal| meal["calories"].as_f64().unwrap())
        .sum();
    assert_eq!(energies, 490.0, "{kept}");
    // By name, and by the id that was given, a food is corrected.
    for change in [
        json!({"name": "tea"}),
        json!({"source_id": kept["items"][0]["source_id"]}),
    ] {
        let mut meal = at(50);
        meal.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        post(meal.clone());
        meal["calories"] = json!(55);
        assert_eq!(post(meal)["corrected"], 1);
    }
    assert_eq!(
        service.get(MEALS).ok()["items"].as_array().unwrap().len(),
        4
    );
    // The same foods in a file are the same foods.
    let file = "userId,consumedAt,calories,source\nanna,2026-11-20T12:30:00,180,api\n";
    let url = service.url("/api/users/anna/imports?name=meals.csv");
    let job = service.send(service.request("POST", &url).body(file)).ok();
    let path = format!("/api/jobs/{}", job["job_id"].as_str().unwrap());
    let job = eventually("the import", || {
        let job = service.get(&path).ok();
        job["finished_at"].is_string().then_some(job)
    });
    assert_eq!(job["result"]["already_there"], 1, "{job}");
}

#[test]
fn a_file_is_imported_with_progress_and_adds_nothing_the_second_time() {
    let service = Service::new();
    let file = std::fs::read(fixtures().join("contract/history/health_metrics.csv")).unwrap();
    let import = || {
        let url = service.url("/api/users/bench-user-001/imports?name=health_metrics.csv");
        let answer = service.send(service.request("POST", &url).body(file.clone()));
        assert_eq!(answer.status, 202, "{}", answer.text);
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        eventually("the import", || {
            let job = service.get(&location).ok();
            (job["state"] == "succeeded").then_some(job)
        })
    };
    let first = import();
    assert_eq!(first["result"]["added"], 1_200);
    assert_eq!(first["progress"]["done"], first["progress"]["total"]);
    assert_eq!(import()["result"]["already_there"], 1_200);
    // Another's rows in the file are not taken.
    let url = service.url("/api/users/anna/imports?name=health_metrics.csv");
    let answer = service.send(service.request("POST", &url).body(file.clone()));
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let job = eventually("the import", || {
        let job = service.get(&location).ok();
        (job["finished_at"].is_string()).then_some(job)
    });
    assert_eq!(job["result"]["added"], 0, "{job}");
    let uploads = std::fs::read_dir(service.data().join("uploads"))
        .unwrap()
        .count();
    assert_eq!(uploads, 0, "uploads are gone when they were read");
    // A file that is nothing we read.
    let answer = service.send(service.request("POST", &url).body("a,b\n1,2\n"));
    let location = answer.headers["location"].to_str().unwrap().to_owned();
    let job = eventually("the refusal", || {
        let job = service.get(&location).ok();
        (job["state"] == "failed").then_some(job)
    });
    assert_eq!(job["error"]["code"], "INVALID_DATA");
    let detail = job["error"]["detail"].as_str().unwrap();
    assert!(!detail.contains("/data/"), "{detail}");
}

#[test]
fn the_first_days_of_the_calendar_are_dates_like_others() {
    let service = Service::new();
    service.readings("anna", 3);
    let view = service
        .get("/api/users/anna/forecasts/RESTING_HEART_RATE?last_day=0001-01-03&days=3000")
        .ok();
    let days = view["days"].as_array().unwrap();
    assert_eq!((days.len(), &days[0]["date"]), (3, &json!("0001-01-01")));
}

#[test]
fn two_at_one_moment_are_two_and_a_date_is_the_same_in_every_zone() {
    let service = Service::new();
    let run =
        json!({"started_at": "2026-11-22T17:00:00Z", "activity_type": "RUNNING", "duration": 40.0});
    let stretch = json!({"started_at": "2026-11-22T17:00:00Z", "activity_type": "STRETCHING", "duration": 10.0});
    let both = json!([run, stretch, run]);
    let path = "/api/users/anna/activities";
    let written = service.post(path, &both).ok();
    assert_eq!(
        (&written["added"], &written["unchanged"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(service.post(path, &both).ok()["unchanged"], 3);
    let meals = json!([
        {"consumed_at": "2026-11-20", "calories": 400.0},
        {"consumed_at": "2026-11-20", "calories": 600.0},
        {"consumed_at": "2026-11-20", "calories": 800.0},
    ]);
    let path = "/api/users/anna/meals";
    assert_eq!(service.post(path, &meals).ok()["added"], 3);
    let profile = json!({"zone": "Europe/Athens"});
    service
        .call("PUT", "/api/users/anna/profile", Some(&profile))
        .ok();
    let again = service.post(path, &meals).ok();
    assert_eq!(again["added"], 0, "{again}");
    assert_eq!(service.get(path).ok()["items"].as_array().unwrap().len(), 3);
}

#[test]
fn a_food_of_the_same_moment_in_a_later_body_replaces_none() {
    let service = Service::new();
    let path = "/api/users/anna/meals";
    let at = "2026-07-06T12:30:00Z";
    let first = json!([
        {"consumed_at": at, "name": "bread", "calories": 220},
        {"consumed_at": at, "name": "soup", "calories": 180},
    ]);
    assert_eq!(service.post(path, &first).ok()["added"], 2);
    let apple = json!([{"consumed_at": at, "name": "apple", "calories": 90}]);
    assert_eq!(service.post(path, &apple).ok()["added"], 1);
    // The amount of one of them is corrected.
    let more = json!([{"consumed_at": at, "name": "soup", "calories": 200}]);
    assert_eq!(service.post(path, &more).ok()["corrected"], 1);
    let day = service.get("/api/users/anna/days/2026-07-06").ok();
    assert_eq!(day["meals"], 3);
    let features = service.get("/api/features/anna/2026-07-06").ok();
    assert_eq!(features["nutrition"]["calories_daily"], 510.0);
}

#[test]
fn a_daily_value_needs_no_time() {
    let service = Service::new();
    let path = "/api/users/anna/health-metrics";
    let reading = json!([{"recorded_at": "2026-06-08", "metric_type": "RESTING_HEART_RATE",
                          "value": 57, "source": "watch"}]);
    assert_eq!(service.post(path, &reading).ok()["added"], 1);
    let kept = service.get(path).ok();
    assert_eq!(kept["items"][0]["recorded_at"], "2026-06-08");
    assert_eq!(kept["items"][0]["known_at"], "2026-06-09T00:00:00Z");
    // What was read can be written again, and is the same.
    assert_eq!(
        service.post(path, &kept["items"]).status,
        422,
        "partial is only read"
    );
    let mut back = kept["items"].clone();
    back[0].as_object_mut().unwrap().remove("partial");
    assert_eq!(service.post(path, &back).ok()["unchanged"], 1);
    // It is deleted so that it can be restored, and found among the deleted ones.
    let span = "from=2026-06-08&to=2026-06-08&metric_type=RESTING_HEART_RATE";
    let gone = service.call("DELETE", &format!("{path}?{span}&restorable=true"), None);
    assert_eq!(gone.ok()["deleted"], 1);
    let listed = service.get(&format!("{path}?deleted=true")).ok();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    let restore = format!("/api/users/anna/restore?kind=health_metric&{span}");
    assert_eq!(service.call("POST", &restore, None).ok()["restored"], 1);
    let day = service.get("/api/users/anna/days/2026-06-08").ok();
    assert_eq!(day["values"][0]["value"], 57.0);
    assert_eq!(day["values"][0]["source"], "watch");
}

#[test]
fn a_day_far_from_its_time_and_a_session_of_forty_hours_are_refused() {
    let service = Service::new();
    let path = "/api/users/anna/health-metrics";
    let refused = |body: serde_json::Value| {
        let answer = service.post(path, &json!([body]));
        assert_eq!(answer.status, 422, "{}", answer.text);
        answer.text
    };
    let at = "2026-06-08T06:00:00Z";
    let far = refused(
        json!({"recorded_at": at, "metric_type": "STEPS", "value": 9000,
                             "day": "2026-06-11"}),
    );
    assert!(far.contains("more than one day away"), "{far}");
    let long = refused(
        json!({"recorded_at": at, "ended_at": "2026-06-09T22:00:00Z",
                              "metric_type": "SLEEP_DURATION", "value": 8}),
    );
    assert!(long.contains("36 hours"), "{long}");
    let reversed = refused(
        json!({"recorded_at": at, "ended_at": "2026-06-08T02:00:00Z",
                                  "metric_type": "SLEEP_DURATION", "value": 8}),
    );
    assert!(reversed.contains("before the start"), "{reversed}");
}

#[test]
fn a_profile_keeps_moves_and_preferences_as_they_are_read() {
    let service = Service::new();
    let path = "/api/users/anna/profile";
    let profile = json!({
        "zone": "Europe/Berlin",
        "moves": [{"from": "2026-03-10", "zone": "America/New_York"}],
        "day_begins_hour": 4,
        "preferred_sources": {"STEPS": ["watch", "phone"]},
    });
    service.call("PUT", path, Some(&profile)).ok();
    let kept = service.get(path).ok();
    for field in ["zone", "moves", "day_begins_hour", "preferred_sources"] {
        assert_eq!(kept[field], profile[field], "{field}");
    }
    service.call("PUT", path, Some(&kept)).ok();
    for wrong in [
        json!({"moves": [{"from": "2026-03-10", "zone": "Mars/Olympus"}]}),
        json!({"moves": [{"from": "2026-03-10", "zone": "UTC"}, {"from": "2026-03-01", "zone": "UTC"}]}),
        json!({"preferred_sources": {"PACES": ["watch"]}}),
        json!({"day_begins_hour": 24}),
    ] {
        assert_eq!(
            service.call("PUT", path, Some(&wrong)).status,
            422,
            "{wrong}"
        );
    }
}

#[test]
fn a_misspelt_filter_deletes_nothing() {
    let service = Service::new();
    service.readings("anna", 5);
    let path = "/api/users/anna/health-metrics?from=2026-11-01&to=2026-11-30&sourceid=watch";
    let refused = service.call("DELETE", path, None);
    assert_eq!(refused.status, 422, "{}", refused.text);
    assert!(refused.text.contains("sourceid"), "{}", refused.text);
    let left = service.get("/api/users/anna/health-metrics").ok();
    assert_eq!(left["items"].as_array().unwrap().len(), 5);
}

#[test]
fn a_file_whose_name_says_whose_it_is_can_be_uploaded() {
    let service = Service::new();
    let (person, name) = ("2306", "UoMNutrition2306.csv");
    let file = fixtures().join("t1d-uom/Nutrition Data").join(name);
    let import = |user: &str| {
        let url = service.url(&format!("/api/users/{user}/imports?name={name}"));
        let body = std::fs::read(&file).unwrap();
        let job = service.send(service.request("POST", &url).body(body)).ok();
        let path = format!("/api/jobs/{}", job["job_id"].as_str().unwrap());
        eventually("it ends", || {
            let job = service.get(&path).ok();
            (job["state"] == "succeeded").then_some(job)
        })
    };
    let own = import(person);
    assert!(own["result"]["records"].as_u64().unwrap() > 10, "{own}");
    let others = import("somebody");
    assert_eq!(others["result"]["records"], 0);
    assert!(
        others["result"]["notes"]
            .to_string()
            .contains("of other people only, not of somebody"),
        "{others}"
    );
    let uploads = service.data().join("uploads");
    assert_eq!(std::fs::read_dir(uploads).unwrap().count(), 0);
}

#[test]
fn a_compressed_body_is_refused_as_such() {
    let service = Service::new();
    let request = service
        .request("POST", &service.url("/api/users/anna/meals"))
        .header("content-encoding", "gzip")
        .body("[]");
    let refused = service.send(request);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (415, "UNSUPPORTED_ENCODING")
    );
}

/// Clients are generated from the document, so it has to tell every field there is, and no other.
#[test]
fn the_document_tells_the_fields_that_are_read_back() {
    let service = Service::new();
    let when = "2026-11-22T12:15:00Z";
    for (kind, record) in [
        ("meals", json!([{"consumed_at": when}])),
        (
            "activities",
            json!([{"started_at": when, "activity_type": "RUNNING"}]),
        ),
        (
            "health-metrics",
            json!([{"recorded_at": when, "metric_type": "STEPS", "value": 9}]),
        ),
        ("tags", json!([{"noted_at": when, "name": "alcohol"}])),
    ] {
        service
            .post(&format!("/api/users/anna/{kind}"), &record)
            .ok();
    }
    let document = service.get("/openapi.json").ok();
    let told = |schema: &str| names(&document["components"]["schemas"][schema]["properties"]);
    for (kind, schema) in [
        ("meals", "MealRecord"),
        ("activities", "ActivityRecord"),
        ("health-metrics", "HealthMetricRecord"),
        ("tags", "TagRecord"),
    ] {
        let page = service.get(&format!("/api/users/anna/{kind}")).ok();
        assert_eq!(told(schema), names(&page["items"][0]), "{kind}");
    }
    let features = service.get("/api/features/anna/2026-11-22").ok();
    let mut count = 0;
    for (category, schema) in [
        ("nutrition", "NutritionFeatures"),
        ("activity", "ActivityFeatures"),
        ("health", "HealthFeatures"),
        ("temporal", "TemporalFeatures"),
        ("interaction", "InteractionFeatures"),
    ] {
        assert_eq!(told(schema), names(&features[category]), "{category}");
        count += told(schema).len();
    }
    assert_eq!(count, 64);
}

#[test]
fn the_document_and_the_check_of_bodies_have_the_bounds_of_the_domain() {
    use vitalcast::{Activity, FieldContent, HealthMetric, Meal, RecordField, Tag};
    let service = Service::new();
    let document = service.get("/openapi.json").ok();
    let schema = |name: &str| document["components"]["schemas"][name].clone();
    // A field that can be missing has several forms.
    let form = |property: &Value, kind: &str| -> Value {
        let forms = property["anyOf"].as_array().cloned();
        let forms = forms.unwrap_or_else(|| vec![property.clone()]);
        forms
            .into_iter()
            .find(|form| form["type"] == kind)
            .unwrap_or_else(|| panic!("{property} has no form of {kind}"))
    };
    let when = "2026-11-22T12:15:00Z";
    for (name, path, base, fields) in [
        ("Meal", "meals", json!({"consumed_at": when}), Meal::FIELDS),
        (
            "Activity",
            "activities",
            json!({"started_at": when, "activity_type": "RUNNING"}),
            Activity::FIELDS,
        ),
        (
            "HealthMetric",
            "health-metrics",
            json!({"recorded_at": when, "metric_type": "STEPS", "value": 9}),
            HealthMetric::FIELDS,
        ),
        (
            "Tag",
            "tags",
            json!({"noted_at": when, "name": "alcohol"}),
            Tag::FIELDS,
        ),
    ] {
        let schema = schema(name);
        let required: Vec<&str> = fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name)
            .collect();
        let told: Vec<&str> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap())
            .collect();
        assert_eq!(told, required, "{name}");
        for RecordField {
            name,
            content,
            meaning,
            ..
        } in fields
        {
            let property = &schema["properties"][name];
            assert_eq!(property["description"], *meaning, "{name}");
            let mut refused = base.clone();
            match content {
                FieldContent::Number(bounds) => {
                    let form = form(property, "number");
                    assert_eq!(form["minimum"].as_f64(), Some(bounds.low), "{name}");
                    assert_eq!(form["maximum"].as_f64(), Some(bounds.high), "{name}");
                    refused[name] = json!(bounds.high + 1.0);
                }
                FieldContent::Text(length) => {
                    let form = form(property, "string");
                    assert_eq!(form["minLength"].as_i64(), Some(length.low), "{name}");
                    assert_eq!(form["maxLength"].as_i64(), Some(length.high), "{name}");
                    refused[name] = json!("x".repeat(length.high as usize + 1));
                }
                FieldContent::Word(words) => {
                    assert_eq!(form(property, "string")["enum"], json!(words), "{name}");
                    refused[name] = json!("no such word");
                }
                FieldContent::Moment => refused[name] = json!("no time"),
                FieldContent::Bool => {
                    form(property, "boolean");
                    refused[name] = json!("perhaps");
                }
            }
            let answer = service.post(&format!("/api/users/anna/{path}"), &json!([refused]));
            assert_eq!(answer.status, 422, "{name}");
            assert_eq!(answer.json()["detail"][0]["loc"][2], *name, "{name}");
        }
    }
}

fn names(object: &Value) -> BTreeSet<&str> {
    let fields = object.as_object().unwrap();
    fields.keys().map(String::as_str).collect()
}
