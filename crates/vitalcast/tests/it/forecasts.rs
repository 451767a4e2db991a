//! Forecasts of real days.

use crate::real::{Data, RHR, day, now, person, training};
use vitalcast::{
    Deletion, EngineError, Forecaster, HealthMetric, IntervalMethod, MetricType, ModelArchitecture,
    PredictRequest, PredictResponse, PredictionMetric, Provenance, Record, RecordFilter,
    RecordKind, TrainModelRequest,
};

fn request(target: &str) -> PredictRequest {
    PredictRequest::new(person(), RHR, day(target))
}

fn predict(data: &Data, request: &PredictRequest) -> PredictResponse {
    data.engine.predict(request, now()).unwrap()
}

#[test]
fn a_forecast_carries_all_it_promises() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::ExponentialSmoothing));
    let answer = predict(&data, &request("2024-01-10"));
    let prediction = &answer.prediction;
    assert!(prediction.confidence_interval_lower < prediction.predicted_value);
    assert!(prediction.predicted_value < prediction.confidence_interval_upper);
    assert!((0.0..=1.0).contains(&prediction.confidence_score));
    assert!((0.0..=1.0).contains(&answer.data_quality_score));
    assert!((0.0..=100.0).contains(&prediction.percentile.unwrap()));
    let average = prediction.historical_average.unwrap();
    let deviation = prediction.deviation_from_average.unwrap();
    assert!((prediction.predicted_value - average - deviation).abs() < 1e-9);
    assert!(prediction.baseline_name.is_some() && prediction.baseline_value.is_some());
    assert!(answer.interpretation.contains("bpm"));
}

#[test]
fn a_past_day_is_forecast_from_what_was_known_the_evening_before() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    let before = predict(&data, &request("2023-12-20"));
    assert_eq!(
        before.prediction.as_of,
        "2023-12-20T00:00:00Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    );
    let history = data.history();
    let eve = history.records.iter().find_map(|record| match record {
        Record::HealthMetric(reading)
            if reading.metric == MetricType::RestingHeartRate
                && reading.provenance.day == day("2023-12-19") =>
        {
            Some(reading.value)
        }
        Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
    });
    assert_eq!(Some(before.prediction.predicted_value), eve);
    // A correction of the eve that is known only now does not reach back.
    let zone = history.profile.zone;
    let corrected = Record::HealthMetric(HealthMetric {
        provenance: Provenance::of_day(
            "garmin",
            "resting-heart-rate-2023-12-19",
            day("2023-12-19"),
            zone,
        ),
        metric: MetricType::RestingHeartRate,
        value: 99.0,
        kind: None,
    });
    let report = data
        .engine
        .write_records(&person(), vec![corrected], now())
        .unwrap();
    assert_eq!(report.corrected, 1);
    let after = predict(&data, &request("2023-12-20"));
    assert_eq!(
        after.prediction.predicted_value,
        before.prediction.predicted_value
    );
}

#[test]
fn the_in_memory_path_gives_the_same_forecast() {
    let data = Data::new();
    let training = training(ModelArchitecture::Lstm);
    data.train(&training);
    let kept = PredictRequest {
        architecture: Some(ModelArchitecture::Lstm),
        ..request("2024-01-10")
    };
    let kept = predict(&data, &kept).prediction;
    let history = data.history();
    let forecaster = Forecaster::fit(&history, &training, now()).unwrap();
    let other = forecaster
        .forecast(&history, day("2024-01-10"), now())
        .unwrap()
        .prediction;
    assert_eq!(
        other.predicted_value.to_bits(),
        kept.predicted_value.to_bits()
    );
    assert_eq!(
        other.confidence_interval_lower,
        kept.confidence_interval_lower
    );
    assert_eq!(other.percentile, kept.percentile);
}

#[test]
fn only_the_days_that_matter_are_read_and_the_forecast_is_the_same() {
    for architecture in [ModelArchitecture::Linear, ModelArchitecture::Ets] {
        let data = Data::new();
        // The longest a model can read, and its first day's features look back a month more.
        let training = TrainModelRequest {
            sequence_length: 60,
            lookback_days: 100,
            ..training(architecture)
        };
        data.train(&training);
        let history = data.history();
        let forecaster = Forecaster::fit(&history, &training, now()).unwrap();
        for target in ["2024-01-10", "2024-01-12", "2024-01-15"] {
            let kept = PredictRequest {
                architecture: Some(architecture),
                ..request(target)
            };
            let kept = predict(&data, &kept);
            let whole = forecaster.forecast(&history, day(target), now()).unwrap();
            assert_eq!(
                kept.prediction.predicted_value.to_bits(),
                whole.prediction.predicted_value.to_bits(),
                "{architecture} {target}"
            );
            assert_eq!(kept.prediction.percentile, whole.prediction.percentile);
            assert_eq!(kept.data_quality_score, whole.data_quality_score);
        }
    }
}

#[test]
fn a_higher_level_is_never_narrower_and_the_reference_interval_is_there_by_choice() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::MovingAverage));
    let width = |level: f64, method| {
        let request = PredictRequest {
            interval_level: level,
            interval_method: method,
            ..request("2024-01-10")
        };
        let prediction = predict(&data, &request).prediction;
        prediction.confidence_interval_upper - prediction.confidence_interval_lower
    };
    let quantiles = IntervalMethod::ResidualQuantiles;
    let widths: Vec<f64> = [0.5, 0.8, 0.9, 0.95]
        .map(|level| width(level, quantiles))
        .to_vec();
    assert!(widths.is_sorted(), "{widths:?}");
    assert!(widths[0] < widths[3]);
    let reference = IntervalMethod::ReferenceMae;
    assert_eq!(width(0.5, reference), width(0.95, reference));
}

#[test]
fn a_gap_before_the_target_widens_the_interval() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    let last = data.engine.users().unwrap()[0].last_day.unwrap();
    let widths = |architecture| -> Vec<f64> {
        let width = |ahead: u64| {
            let request = PredictRequest {
                architecture,
                ..PredictRequest::new(person(), RHR, last + chrono::Days::new(ahead))
            };
            let prediction = predict(&data, &request).prediction;
            prediction.confidence_interval_upper - prediction.confidence_interval_lower
        };
        (1..=6).map(width).collect()
    };
    let trained = widths(Some(ModelArchitecture::Naive));
    assert!(trained.is_sorted(), "{trained:?}");
    assert!(trained[5] > trained[0], "{trained:?}");
    // What is served without it has bounds of whole numbers, which round to one reading more or less.
    let served = widths(None);
    let falls = |pair: &[f64]| pair[1] < pair[0] - 1.0;
    assert!(!served.windows(2).any(falls), "{served:?}");
    assert!(served[5] > served[0], "{served:?}");
}

#[test]
fn a_forecast_and_what_came_true_stand_side_by_side() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    for target in ["2023-12-06", "2023-12-07"] {
        predict(&data, &request(target));
    }
    let view = data
        .engine
        .history(&person(), RHR, Some(day("2023-12-07")), 3, None, now())
        .unwrap();
    let settled: Vec<_> = view
        .days
        .iter()
        .filter_map(|day| Some((day.date, day.forecast.as_ref()?.actual)))
        .collect();
    assert_eq!(
        settled,
        [
            (day("2023-12-06"), Some(57.0)),
            (day("2023-12-07"), Some(58.0))
        ]
    );
}

#[test]
fn a_history_can_be_looked_at_as_it_was_known_then() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    predict(&data, &request("2023-12-07"));
    let as_of = |as_of: Option<&str>| {
        let as_of = as_of.map(|text| text.parse().unwrap());
        data.engine
            .history(&person(), RHR, Some(day("2023-12-07")), 7, as_of, now())
            .unwrap()
    };
    let known_now = as_of(None);
    assert_eq!(known_now.as_of, now());
    assert_eq!(known_now.days[6].actual, Some(58.0));
    assert!(known_now.days[6].forecast.is_some());
    // On the day before neither its reading nor the forecast that was made later was known.
    let before = as_of(Some("2023-12-06T21:00:00Z"));
    assert_eq!(before.as_of.to_rfc3339(), "2023-12-06T21:00:00+00:00");
    assert_eq!(before.days.len(), 7);
    assert_eq!(
        (before.days[6].actual, &before.days[6].forecast),
        (None, &None)
    );
    assert_eq!(before.days[4].actual, known_now.days[4].actual);
    // A moment to come knows what is known now.
    assert_eq!(as_of(Some("2999-01-01T00:00:00Z")), known_now);
}

#[test]
fn a_day_that_is_not_over_is_shown_but_in_no_average_and_no_error() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    predict(&data, &request("2023-12-07"));
    let target = day("2023-12-07");
    let profile = data.engine.profile(&person()).unwrap();
    let end = profile.evening_of(target);
    let view = |as_of| {
        data.engine
            .history(&person(), RHR, Some(target), 1, Some(as_of), now())
            .unwrap()
    };
    // A first reading of the day.
    let noon = profile.start_of_day(target) + chrono::TimeDelta::hours(12);
    let reading = HealthMetric::new(
        Provenance::at("garmin", "at-noon", noon, profile.zone),
        MetricType::RestingHeartRate,
        66.0,
    );
    data.engine
        .write_records(&person(), vec![Record::HealthMetric(reading)], now())
        .unwrap();
    let during = view(noon);
    assert_eq!(during.days[0].actual, Some(66.0));
    assert_eq!(
        (during.average, during.mae, during.coverage),
        (None, None, None)
    );
    let after = view(end);
    assert_eq!(after.average, after.days[0].actual);
}

#[test]
fn an_outcome_changes_with_the_readings_it_comes_from() {
    let data = Data::new();
    data.train(&training(ModelArchitecture::Naive));
    predict(&data, &request("2023-12-07"));
    let known = || {
        let view = data
            .engine
            .history(&person(), RHR, Some(day("2023-12-07")), 1, None, now())
            .unwrap();
        (view.days[0].forecast.as_ref().unwrap().actual, view.mae)
    };
    let (before, error) = known();
    assert_eq!(before, Some(58.0));
    // The watch gives a later value for the day, which counts. (One sample of another watch would not.)
    let zone = data.engine.profile(&person()).unwrap().zone;
    let target = day("2023-12-07");
    let later = zone.evening_of(target) + chrono::TimeDelta::hours(3);
    let reading = HealthMetric::new(
        Provenance::of_day("garmin", "second-value", target, zone).known(later),
        MetricType::RestingHeartRate,
        70.0,
    );
    let records = vec![Record::HealthMetric(reading)];
    data.engine
        .write_records(&person(), records, now())
        .unwrap();
    let (after, other_error) = known();
    assert_eq!(after, Some(70.0));
    assert_ne!(other_error, error);
    // And deleted for good.
    let days = day("2023-12-07")..=day("2023-12-07");
    let filter = RecordFilter::all(RecordKind::HealthMetric, days);
    assert!(
        data.engine
            .delete_records(&person(), &filter, Deletion::Permanent)
            .unwrap()
            > 0
    );
    assert_eq!(known(), (None, None));
}

#[test]
fn no_model_no_user_and_no_recent_data_are_told_apart() {
    let data = Data::new();
    let refused = |request: &PredictRequest| data.engine.predict(request, now()).unwrap_err();
    // No model of many people knows this metric. Without a reading there is no simple forecast either.
    let sdnn = PredictRequest {
        metric: PredictionMetric::HeartRateVariabilitySdnn,
        ..request("2024-01-10")
    };
    let few = refused(&sdnn);
    assert!(few.is_too_little_data(), "{few:?}");
    let of_many_people = PredictRequest {
        architecture: Some(ModelArchitecture::Pooled),
        ..sdnn
    };
    assert!(matches!(
        refused(&of_many_people),
        EngineError::NoModel { .. }
    ));
    let of_lstm = PredictRequest {
        architecture: Some(ModelArchitecture::Lstm),
        ..request("2024-01-10")
    };
    assert!(matches!(refused(&of_lstm), EngineError::NoModel { .. }));
    let stranger = PredictRequest {
        user_id: vitalcast::UserId::new("nobody").unwrap(),
        ..request("2024-01-10")
    };
    assert!(matches!(
        refused(&stranger),
        EngineError::UnknownUser { .. }
    ));
    data.train(&training(ModelArchitecture::Naive));
    let far = refused(&request("2025-06-01"));
    assert!(matches!(far, EngineError::Inference(_)), "{far:?}");
}
