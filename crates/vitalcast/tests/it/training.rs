//! Training through the engine: what is kept, and when nothing has to be done.

use crate::real::{Data, RHR, day, now, person, training};
use std::ops::ControlFlow;
use vitalcast::{
    EngineError, EpochReport, HealthMetric, MetricType, ModelArchitecture, Provenance, Record,
    TrainModelRequest,
};

#[test]
fn an_equal_training_is_answered_without_one() {
    let data = Data::new();
    let request = training(ModelArchitecture::Linear);
    let mut epochs = 0;
    let mut train = |request: &TrainModelRequest| {
        epochs = 0;
        let mut count = |_: &EpochReport| {
            epochs += 1;
            ControlFlow::Continue(())
        };
        let answer = data
            .engine
            .train(request, now(), now(), &mut count)
            .unwrap();
        (answer, epochs)
    };
    let (first, trained) = train(&request);
    assert!(trained > 0);
    let (again, trained) = train(&request);
    assert_eq!(trained, 0, "nothing was trained");
    assert_eq!(again, first);
    // Another setting, another model.
    let other = TrainModelRequest {
        seed: 7,
        ..request.clone()
    };
    let (second, trained) = train(&other);
    assert!(trained > 0);
    assert_ne!(second.model_id, first.model_id);
    // Neither is better than the model of many people, so neither is active, and both are known.
    assert!(!first.is_active && !second.is_active);
    assert!(first.population_mae.is_some());
    let (third, trained) = train(&request);
    assert_eq!(trained, 0);
    assert_eq!(third.model_id, first.model_id);
    // And whoever forces it gets another of the same bytes.
    let forced = TrainModelRequest {
        force_retrain: true,
        ..request
    };
    let (fourth, trained) = train(&forced);
    assert!(trained > 0);
    assert_ne!(fourth.model_id, third.model_id);
    assert_eq!(
        fourth.model_path, third.model_path,
        "equal models share a file"
    );
}

#[test]
fn a_new_record_or_another_zone_is_another_training() {
    let data = Data::new();
    let request = training(ModelArchitecture::Naive);
    let first = data.train(&request);
    assert_eq!(data.train(&request).model_id, first.model_id);
    let zone = data.engine.profile(&person()).unwrap().zone;
    let reading = Record::HealthMetric(HealthMetric {
        provenance: Provenance::of_day("hand", "one-more", day("2024-01-12"), zone),
        metric: MetricType::RestingHeartRate,
        value: 61.0,
        kind: None,
    });
    data.engine
        .write_records(&person(), vec![reading], now())
        .unwrap();
    let second = data.train(&request);
    assert_ne!(second.model_id, first.model_id);
    let mut profile = data.engine.profile(&person()).unwrap();
    profile.zone = "Europe/Lisbon".parse().unwrap();
    data.engine.set_profile(&person(), &profile).unwrap();
    assert_ne!(data.train(&request).model_id, second.model_id);
}

#[test]
fn a_model_whose_file_is_gone_is_trained_again() {
    let data = Data::new();
    let request = training(ModelArchitecture::Naive);
    let first = data.train(&request);
    let file = data.engine.folder().join("models").join(&first.model_path);
    std::fs::remove_file(&file).unwrap();
    let second = data.train(&request);
    assert_ne!(second.model_id, first.model_id);
    assert!(file.exists());
}

#[test]
fn what_became_known_later_does_not_change_a_training_of_the_past() {
    let data = Data::new();
    let request = training(ModelArchitecture::MovingAverage);
    let then = "2023-12-20T00:00:00Z".parse().unwrap();
    let mut go_on = |_: &EpochReport| ControlFlow::Continue(());
    let first = data
        .engine
        .train(&request, then, now(), &mut go_on)
        .unwrap();
    assert!(first.last_day < day("2023-12-20"));
    let zone = data.engine.profile(&person()).unwrap().zone;
    let later = Record::HealthMetric(HealthMetric {
        provenance: Provenance::of_day("hand", "later", day("2023-12-25"), zone),
        metric: MetricType::RestingHeartRate,
        value: 90.0,
        kind: None,
    });
    data.engine
        .write_records(&person(), vec![later], now())
        .unwrap();
    let again = data
        .engine
        .train(&request, then, now(), &mut go_on)
        .unwrap();
    assert_eq!(again, first);
}

#[test]
fn a_cancelled_training_keeps_nothing() {
    let data = Data::new();
    let request = training(ModelArchitecture::Linear);
    let mut stop = |_: &EpochReport| ControlFlow::Break(());
    let cancelled = data.engine.train(&request, now(), now(), &mut stop);
    assert!(
        matches!(cancelled, Err(EngineError::Interrupted)),
        "{cancelled:?}"
    );
    assert!(data.engine.models(None, None).unwrap().is_empty());
    let files = std::fs::read_dir(data.engine.folder().join("models")).unwrap();
    assert_eq!(files.count(), 0);
}

#[test]
fn equal_models_keep_their_file_until_the_last_is_deleted() {
    let data = Data::new();
    let request = training(ModelArchitecture::Naive);
    let first = data.train(&request);
    let forced = TrainModelRequest {
        force_retrain: true,
        ..request
    };
    let second = data.train(&forced);
    let file = data.engine.folder().join("models").join(&first.model_path);
    data.engine.delete_model(&first.model_id).unwrap();
    assert!(file.exists());
    data.engine.model_manifest(&second.model_id).unwrap();
    data.engine.delete_model(&second.model_id).unwrap();
    assert!(!file.exists());
}

#[test]
fn what_is_reported_was_measured_on_days_the_model_did_not_see() {
    let data = Data::new();
    let answer = data.train(&training(ModelArchitecture::MovingAverage));
    let manifest = data.engine.model_manifest(&answer.model_id).unwrap();
    let windows = manifest.windows;
    assert_eq!(answer.total_samples, windows.total());
    assert!(windows.test > 0 && windows.validation > 0 && windows.train > windows.test);
    // The mean absolute error of the test days, once more by hand: the last days with a reading.
    let values = vitalcast::feature_table(
        &data.history(),
        manifest.first_day,
        manifest.last_day,
        now(),
    )
    .unwrap();
    let series = values.own_history(RHR).to_vec();
    let observed: Vec<usize> = (0..series.len())
        .filter(|row| series[*row].is_some())
        .collect();
    let tested = &observed[observed.len() - windows.test..];
    let errors: Vec<f64> = tested
        .iter()
        .map(|row| {
            let week: Vec<f64> = series[row - 7..*row].iter().flatten().copied().collect();
            let forecast = week.iter().sum::<f64>() / week.len() as f64;
            (series[*row].unwrap() - forecast).abs()
        })
        .collect();
    let by_hand = errors.iter().sum::<f64>() / errors.len() as f64;
    let mae = answer.training_metrics.mae.unwrap();
    assert!((mae - by_hand).abs() < 1e-12, "{mae} {by_hand}");
}
