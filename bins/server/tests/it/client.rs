//! The typed client says and understands what the service understands and says.

use crate::support::{NOW, Service, runtime};
use chrono::{DateTime, Utc};
use vitalcast_client::{Activity, Client, ClientError, HealthMetric, Meal, Trained};
use vitalcast_domain::{
    ActivityType, BatchPredictRequest, CorrelationRequest, HealthMetricTarget, LagRequest,
    MetricType, PredictRequest, PredictionMetric, TrainModelRequest, UserId,
};

const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

fn anna() -> UserId {
    "anna".parse().unwrap()
}

#[test]
fn records_come_back_with_every_field() {
    let service = Service::new();
    let client = Client::new(&service.url("")).unwrap();
    let at: DateTime<Utc> = "2026-11-22T17:00:00Z".parse().unwrap();
    let meal = Meal {
        calories: Some(640.5),
        ..Meal::new(at, "diary")
    };
    let run = Activity {
        distance: Some(8_000.0),
        average_heart_rate: Some(140.0),
        source_id: Some("run-7".to_owned()),
        ..Activity::new(at, ActivityType::Running, "watch")
    };
    let reading = HealthMetric {
        day: Some("2026-11-23".parse().unwrap()),
        ..HealthMetric::new(at, MetricType::Steps, 9_000.0, "watch")
    };
    runtime().block_on(async {
        let written = client.write_meals(&anna(), &[meal]).await.unwrap();
        assert_eq!((written.added, written.unchanged), (1, 0));
        let run = [run];
        client.write_activities(&anna(), &run).await.unwrap();
        let written = client.write_activities(&anna(), &run).await.unwrap();
        assert_eq!((written.added, written.unchanged), (0, 1));
        let written = client.write_health_metrics(&anna(), &[reading]).await;
        assert_eq!(written.unwrap().added, 1);

        let meals = client.meals(&anna(), 10, None).await.unwrap();
        assert_eq!(meals.items[0].consumed_at, at.into());
        assert_eq!(meals.items[0].calories, Some(640.5));
        assert_eq!(meals.items[0].protein, None);
        assert!(meals.items[0].time_known && meals.next.is_none());
        let runs = client.activities(&anna(), 10, None).await.unwrap();
        assert_eq!(runs.items[0].distance, Some(8_000.0));
        assert_eq!(runs.items[0].average_heart_rate, Some(140.0));
        assert_eq!(runs.items[0].origin.source_id, "run-7");
        let readings = client.health_metrics(&anna(), 10, None).await.unwrap();
        assert_eq!(readings.items[0].value, 9_000.0);
        assert_eq!(readings.items[0].origin.day.to_string(), "2026-11-23");
        // A value of a day that is named is known from the beginning of that day on at the earliest.
        let begin: DateTime<Utc> = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(readings.items[0].origin.known_at, begin);

        let wrong = [HealthMetric::new(
            at,
            MetricType::RestingHeartRate,
            900.0,
            "watch",
        )];
        let Err(ClientError::Service { code, faults, .. }) =
            client.write_health_metrics(&anna(), &wrong).await
        else {
            panic!("900 beats a minute were taken");
        };
        assert_eq!((code.as_str(), faults.len()), ("INVALID_REQUEST", 1));

        client.erase(&anna()).await.unwrap();
        let gone = client.erase(&anna()).await.unwrap_err();
        assert_eq!(gone.code(), Some("UNKNOWN_USER"));
    });
}

#[test]
fn models_are_trained_asked_chosen_and_deleted() {
    let service = Service::new();
    service.readings("anna", 90);
    let client = Client::new(&service.url("")).unwrap();
    runtime().block_on(async {
        let mut request = TrainModelRequest::new(anna(), RHR);
        let mut ids = Vec::new();
        for architecture in ["naive", "moving_average"] {
            request.architecture = architecture.parse().unwrap();
            let Trained::Done(model) = client.train(&request).await.unwrap() else {
                panic!("{architecture} takes more than a minute");
            };
            // Whether or not it is better than the model of many people.
            client.activate(&model.model_id).await.unwrap();
            ids.push(model.model_id);
        }
        let tomorrow = "2026-11-24".parse().unwrap();
        let ask = PredictRequest::new(anna(), RHR, tomorrow);
        let answer = client.predict(&ask).await.unwrap();
        assert_eq!(answer.prediction.model_id, ids[1]);
        let all = BatchPredictRequest::new(anna(), vec![RHR], tomorrow);
        let answers = client.predict_batch(&all).await.unwrap();
        assert!(answers.all_predictions_successful);
        let back = client.roll_back(&anna(), RHR).await.unwrap();
        assert_eq!(back.model_id, ids[0]);
        assert!(client.activate(&ids[1]).await.unwrap().is_active);
        client.delete_model(&ids[0]).await.unwrap();
        let left = client.models(&anna(), Some(RHR)).await.unwrap();
        assert_eq!(left.total_models, 1);
        let refused = client.roll_back(&anna(), RHR).await.unwrap_err();
        assert_eq!(refused.code(), Some("NOTHING_BEFORE"));
        let zip = client.export(&anna()).await.unwrap();
        assert!(zip.starts_with(b"PK"));
    });
}

#[test]
fn correlations_are_asked_for_and_read() {
    let service = Service::new();
    service.readings("anna", 60);
    let client = Client::new(&service.url("")).unwrap();
    let target = HealthMetricTarget::RestingHeartRate;
    runtime().block_on(async {
        let request = CorrelationRequest {
            last_day: Some(NOW[..10].parse().unwrap()),
            include_insignificant: true,
            ..CorrelationRequest::new(anna(), target)
        };
        let found = client.correlate(&request).await.unwrap();
        assert!(found.total_features_analyzed > 0);
        let feature = "temporal_day_of_week".to_owned();
        let lags = client.lags(&LagRequest::new(anna(), target, feature)).await;
        assert!(!lags.unwrap().lag_results.is_empty());
        let summary = client.correlation_summary(&anna(), target).await.unwrap();
        assert_eq!(summary.lookback_days, 30);
    });
}

#[test]
fn a_key_is_not_in_what_is_printed() {
    let client = Client::new("http://127.0.0.1:1")
        .unwrap()
        .with_key("vc_secret");
    let printed = format!("{client:?}");
    assert!(printed.contains("127.0.0.1"), "{printed}");
    assert!(!printed.contains("vc_secret"), "{printed}");
}
