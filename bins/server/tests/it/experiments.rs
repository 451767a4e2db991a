//! Experiments over HTTP: planned, recorded, read, stopped, and what is refused.

use crate::support::{Service, runtime};
use chrono::TimeDelta;
use serde_json::{Value, json};
use vitalcast_client::{Client, ClientError};
use vitalcast_domain::{ExperimentRequest, PredictionMetric, UserId};

const EXPERIMENTS: &str = "/api/users/anna/experiments";

fn plan() -> Value {
    json!({"question": "Does late food matter?", "metric": "RESTING_HEART_RATE",
           "condition_a": "no food after 20:00", "measure": "no_food_after=20:00", "pairs": 6})
}

#[test]
fn an_experiment_goes_its_way() {
    let service = Service::new();
    service.readings("anna", 90);
    let mut rehearsed = plan();
    rehearsed["dry_run"] = json!(true);
    let rehearsed = service.post(EXPERIMENTS, &rehearsed);
    assert_eq!(rehearsed.status, 200);
    assert_eq!(rehearsed.json()["is_stored"], false);
    let planned = service.post(EXPERIMENTS, &plan());
    assert_eq!(planned.status, 201, "{}", planned.text);
    let planned = planned.json();
    assert_eq!(planned["experiment"], rehearsed.json()["experiment"]);
    assert_eq!(planned["experiment"]["plan"]["condition_b"], "as usual");
    assert_eq!(planned["days"], 36);
    let again = service.post(EXPERIMENTS, &plan());
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "EXPERIMENT_OVERLAP")
    );
    let one = format!("{EXPERIMENTS}/rhr-20261124");
    let before = service.get(&one).ok();
    assert_eq!(
        (&before["state"], &before["today"]),
        (&json!("planned"), &Value::Null)
    );
    service.pass(TimeDelta::days(1));
    let list = service.get(EXPERIMENTS).ok();
    assert_eq!(list["experiments"][0]["state"], "running");
    let day = service.get(&one).ok()["today"]["day"].clone();
    assert_eq!(day, "2026-11-24");
    let said = json!({"followed": false, "note": "a birthday"});
    let day = service.call("PUT", &format!("{one}/days/2026-11-24"), Some(&said));
    assert_eq!(day.ok()["said"], false);
    assert_eq!(service.get(&one).ok()["days"][0]["note"], "a birthday");
    let analysis = service.get(&format!("{one}/analysis")).ok();
    assert_eq!(analysis["code"], "BEFORE_THE_END");
    assert_eq!(
        (&analysis["verdict"], &analysis["final_test"]),
        (&json!("undecided"), &Value::Null)
    );
    let page = service.get(&format!("{one}/page"));
    assert_eq!(page.status, 200);
    assert!(
        page.headers["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html")
    );
    for word in [
        "Does late food matter?",
        "<svg",
        "a birthday",
        "not a medical device",
    ] {
        assert!(page.text.contains(word), "{word}");
    }
    let stop = format!("{one}/stop");
    assert_eq!(service.call("POST", &stop, None).ok()["state"], "stopped");
    let again = service.call("POST", &stop, None);
    assert_eq!(
        (again.status, again.code().as_str()),
        (409, "EXPERIMENT_ENDED")
    );
    service.call("DELETE", &one, None).ok();
    let gone = service.get(&one);
    assert_eq!(
        (gone.status, gone.code().as_str()),
        (404, "UNKNOWN_EXPERIMENT")
    );
}

#[test]
fn what_makes_no_experiment_is_refused_with_a_code() {
    let service = Service::new();
    service.readings("anna", 90);
    service.readings("berta", 9);
    let with = |field: &str, value: Value| {
        let mut body = plan();
        body[field] = value;
        body
    };
    for (field, value) in [
        ("question", json!("")),
        ("question", json!("  ")),
        ("metric", json!("MOOD")),
        ("condition_b", json!("no food after 20:00")),
        ("measure", json!("mood")),
        ("smallest_effect", json!(0)),
        ("power", json!(1.5)),
        ("block_days", json!(0)),
        ("washout_days", json!(3)),
        ("pairs", json!(61)),
        ("start", json!("2026-11-01")),
        ("start", json!("9999-12-31")),
        ("outcome_lag_days", json!(-1)),
        ("stop_rule", json!("when I like")),
        ("seed", json!(1.5)),
        ("colour", json!("blue")),
    ] {
        let answer = service.post(EXPERIMENTS, &with(field, value.clone()));
        assert_eq!(answer.status, 422, "{field} {value}: {}", answer.text);
        let detail = answer.json()["detail"].clone();
        let loc = detail[0]["loc"].to_string();
        assert!(loc.contains(field), "{field} {value}: {detail}");
    }
    let code = |path: &str, body: &Value| {
        let answer = service.post(path, body);
        (answer.status, answer.code())
    };
    let tiny = with("smallest_effect", json!(0.001));
    let tiny = {
        let mut tiny = tiny;
        tiny["pairs"] = Value::Null;
        tiny
    };
    assert_eq!(
        code(EXPERIMENTS, &tiny),
        (422, "EFFECT_TOO_SMALL".to_owned())
    );
    let berta = "/api/users/berta/experiments";
    assert_eq!(code(berta, &plan()), (422, "NOT_ENOUGH_DATA".to_owned()));
    let nobody = "/api/users/nobody/experiments";
    assert_eq!(code(nobody, &plan()), (404, "UNKNOWN_USER".to_owned()));
    service.post(EXPERIMENTS, &plan()).json();
    let said = json!({"followed": true});
    for (day, expected) in [
        ("2026-11-23", "DAY_OUTSIDE_EXPERIMENT"),
        ("2026-11-25", "DAY_NOT_YET"),
    ] {
        let path = format!("{EXPERIMENTS}/rhr-20261124/days/{day}");
        let answer = service.call("PUT", &path, Some(&said));
        assert_eq!((answer.status, answer.code().as_str()), (422, expected));
    }
}

#[test]
fn the_client_knows_every_route() {
    let service = Service::new();
    service.readings("anna", 90);
    let client = Client::new(&service.url("")).unwrap();
    let anna: UserId = "anna".parse().unwrap();
    let metric = PredictionMetric::RestingHeartRate;
    let request = ExperimentRequest {
        start: Some("2026-11-23".parse().unwrap()),
        ..ExperimentRequest::new("Walk?", metric, "a walk", "no walk")
    };
    runtime().block_on(async {
        let rehearsed = client.plan_experiment(&anna, &request, true).await.unwrap();
        let planned = client
            .plan_experiment(&anna, &request, false)
            .await
            .unwrap();
        assert_eq!(rehearsed.experiment, planned.experiment);
        let id = &planned.experiment.experiment_id;
        let list = client.experiments(&anna).await.unwrap();
        assert_eq!((&list.user_id, list.experiments.len()), (&anna, 1));
        let today = planned.experiment.plan.start;
        let day = client.record_adherence(&anna, id, today, true, Some("7 km"));
        assert_eq!(day.await.unwrap().said, Some(true));
        let view = client.experiment(&anna, id).await.unwrap();
        assert_eq!(view.today.unwrap().note.as_deref(), Some("7 km"));
        let analysis = client.analyse_experiment(&anna, id).await.unwrap();
        assert_eq!(analysis, view.analysis);
        assert!(
            client
                .experiment_page(&anna, id)
                .await
                .unwrap()
                .contains("Walk?")
        );
        client.stop_experiment(&anna, id).await.unwrap();
        client.delete_experiment(&anna, id).await.unwrap();
        let gone = client.experiment(&anna, id).await.unwrap_err();
        let ClientError::Service { code, .. } = gone else {
            panic!("{gone}");
        };
        assert_eq!(code, "UNKNOWN_EXPERIMENT");
    });
}
