//! Every architecture there is a name for, from training to forecast, on a real person's days.

use crate::real::{Data, RHR, day, now, person, training};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use vitalcast::{
    ComputeDevice, Engine, EngineError, ErrorKind, Forecaster, Manifest, ModelArchitecture,
    PredictRequest, TrainModelRequest,
};
use vitalcast_artifact::Artifact;
use vitalcast_inference::ModelState;
use vitalcast_models::SeriesModel;

fn request(architecture: ModelArchitecture) -> TrainModelRequest {
    TrainModelRequest {
        sequence_length: 14.max(architecture.least_days_read()),
        ..training(architecture)
    }
}

/// Those that need no other people: the LSTM of many people's days is tested with some, in
/// `pooled_lstm.rs`.
pub(crate) fn of_one_person() -> impl Iterator<Item = ModelArchitecture> {
    let all = ModelArchitecture::ALL.iter().copied();
    all.filter(|architecture| *architecture != ModelArchitecture::PooledLstm)
}

#[test]
fn every_architecture_trains_forecasts_and_says_what_it_is() {
    let data = Data::new();
    let mut said = BTreeSet::new();
    for architecture in of_one_person() {
        let answer = data.train(&request(architecture));
        assert_eq!(answer.architecture, architecture);
        let manifest = data.engine.model_manifest(&answer.model_id).unwrap();
        assert_eq!(manifest.architecture, architecture);
        // Wider with each day ahead, and made of errors on days that count.
        let half = |lead| {
            let lead = manifest.calibration.lead(lead).unwrap();
            let interval = lead.interval(0.9).unwrap();
            interval.upper - interval.lower
        };
        assert!(half(7) >= half(1) && half(1) > 0.0, "{architecture}");
        // The error reported is that of the forecasts served for the same days.
        let days = test_days(&data, &manifest);
        let errors: Vec<f64> = days
            .iter()
            .map(|&(day, actual)| {
                let query = PredictRequest {
                    architecture: Some(architecture),
                    ..PredictRequest::new(person(), RHR, day)
                };
                let forecast = data.engine.predict(&query, now()).unwrap().prediction;
                assert_eq!(forecast.architecture, architecture);
                (forecast.predicted_value - actual).abs()
            })
            .collect();
        let served = errors.iter().sum::<f64>() / errors.len() as f64;
        let mae = answer.training_metrics.mae.unwrap();
        assert!(
            (mae - served).abs() < 1e-9,
            "{architecture}: {mae} {served}"
        );
        let bits: Vec<u64> = errors.iter().map(|error| error.to_bits()).collect();
        // Different methods, different numbers: none stands in for another. Of this person the
        // smoothing that fits best takes the last value alone, as naive does, and a network that has
        // learned nothing is its base and says so.
        let smoothing = architecture == ModelArchitecture::ExponentialSmoothing;
        let is_base = answer.learned_share == Some(0.0)
            && manifest
                .deviation
                .is_some_and(|of| Some(of.base) == manifest.baseline_name)
            && answer.training_metrics.mae == answer.baseline_mae;
        let is_new = is_base || said.insert(bits);
        assert_eq!(answer.learned_share.is_some(), architecture.is_network());
        assert!(
            is_new || smoothing,
            "{architecture} forecasts what another does"
        );
    }
}

/// The days of the test part, which are the last ones with a reading, and their values.
fn test_days(data: &Data, manifest: &Manifest) -> Vec<(NaiveDate, f64)> {
    let (first, last) = (manifest.first_day, manifest.last_day);
    let table = vitalcast::feature_table(&data.history(), first, last, now()).unwrap();
    let observed: Vec<(NaiveDate, f64)> = first
        .iter_days()
        .zip(table.own_history(RHR))
        .filter_map(|(day, value)| Some((day, (*value)?)))
        .collect();
    assert!(manifest.windows.test >= 5, "{:?}", manifest.windows);
    observed[observed.len() - manifest.windows.test..].to_vec()
}

#[test]
fn a_file_that_holds_another_kind_of_model_than_it_names_is_refused() {
    let fitted = |architecture| {
        Forecaster::fit(&Data::new().history(), &request(architecture), now()).unwrap()
    };
    let naive = fitted(ModelArchitecture::Naive);
    let manifest = Manifest {
        architecture: ModelArchitecture::Ets,
        ..naive.manifest().clone()
    };
    let state = ModelState::Series(SeriesModel::Naive);
    let file = Artifact::new(manifest, None, &state)
        .unwrap()
        .to_bytes()
        .unwrap();
    let error = Forecaster::from_bytes(&file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Damaged);
    assert!(
        error.to_string().contains("its architecture is ets"),
        "{error}"
    );
}

#[test]
fn a_forecast_needs_no_more_days_than_are_loaded_for_it() {
    let data = Data::new();
    // Reads all features of each day, on the first of which a month is looked back on.
    let request = request(ModelArchitecture::Linear);
    let forecaster = Forecaster::fit(&data.history(), &request, now()).unwrap();
    data.train(&request);
    let mut compared = 0;
    for target in day("2023-12-20").iter_days().take(20) {
        let query = PredictRequest {
            architecture: Some(ModelArchitecture::Linear),
            ..PredictRequest::new(person(), RHR, target)
        };
        let of_all_days = forecaster.forecast(&data.history(), target, now());
        let (Ok(loaded), Ok(of_all_days)) = (data.engine.predict(&query, now()), of_all_days)
        else {
            continue;
        };
        assert_eq!(
            loaded.prediction.predicted_value, of_all_days.prediction.predicted_value,
            "{target}"
        );
        compared += 1;
    }
    assert!(compared >= 15, "{compared}");
}

#[test]
fn a_graph_is_exported_where_the_model_is_one() {
    let data = Data::new();
    let file = data.engine.folder().join("model.onnx");
    for (architecture, input) in [
        (ModelArchitecture::LstmAttention, "windows"),
        (ModelArchitecture::MultiTask, "windows"),
        (ModelArchitecture::Linear, "windows"),
        (ModelArchitecture::Xgboost, "history"),
    ] {
        let model = data.train(&request(architecture)).model_id;
        data.engine.export_model(&model, &file).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let holds = |text: &str| {
            bytes
                .windows(text.len())
                .any(|found| found == text.as_bytes())
        };
        assert!(holds(input) && holds("forecast"), "{architecture}");
        // An export names nobody.
        assert!(!holds(person().as_str()), "{architecture}");
    }
    let model = data.train(&request(ModelArchitecture::Theta)).model_id;
    let error = data.engine.export_model(&model, &file).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("theta model, which cannot be exported as ONNX"),
        "{error}"
    );
}

#[test]
fn a_setting_that_an_architecture_cannot_use_is_refused() {
    let data = Data::new();
    let mut go_on = |_: &vitalcast::EpochReport| std::ops::ControlFlow::Continue(());
    let mut refused = |request: &TrainModelRequest| -> String {
        let error = data
            .engine
            .train(request, now(), now(), &mut go_on)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        error.to_string()
    };
    let short = training(ModelArchitecture::Ridge);
    assert!(refused(&short).contains("sequence_length must be at least 28 for ridge"));
    let both_ways = TrainModelRequest {
        bidirectional: true,
        ..training(ModelArchitecture::Ets)
    };
    assert!(refused(&both_ways).contains("bidirectional cannot be used by ets"));
}

#[test]
fn networks_are_fitted_on_every_device_of_this_build_and_forecast_on_the_cpu() {
    let request = TrainModelRequest {
        dropout: 0.0,
        ..training(ModelArchitecture::Lstm)
    };
    let mut forecasts = Vec::new();
    for device in ComputeDevice::ALL {
        let data = Data::new();
        let folder = data.engine.folder().to_owned();
        let engine = Engine::open(&folder).unwrap().with_device(device);
        if !device.is_built_in() {
            let error = engine.unwrap_err();
            assert!(matches!(error, EngineError::InvalidSetting(_)), "{error}");
            continue;
        }
        let mut go_on = |_: &vitalcast::EpochReport| std::ops::ControlFlow::Continue(());
        let answer = engine
            .unwrap()
            .train(&request, now(), now(), &mut go_on)
            .unwrap();
        let manifest = data.engine.model_manifest(&answer.model_id).unwrap();
        let named = manifest
            .request
            .get("device")
            .and_then(|device| device.as_str());
        assert_eq!(named.unwrap_or("cpu"), device.name());
        let query = PredictRequest::new(person(), RHR, day("2024-01-12"));
        let forecast = data.engine.predict(&query, now()).unwrap();
        forecasts.push(forecast.prediction.predicted_value);
    }
    for forecast in &forecasts {
        assert!((forecast - forecasts[0]).abs() < 0.01, "{forecasts:?}");
    }
}
