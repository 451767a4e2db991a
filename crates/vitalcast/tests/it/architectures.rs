//! Every architecture there is a name for, from training to forecast, on a real person's days.

use crate::real::{Data, RHR, day, now, person, training};
use std::collections::BTreeSet;
use vitalcast::{
    ComputeDevice, Engine, EngineError, ErrorKind, ModelArchitecture, PredictRequest,
    TrainModelRequest,
};

fn request(architecture: ModelArchitecture) -> TrainModelRequest {
    TrainModelRequest {
        sequence_length: 14.max(architecture.least_days_read()),
        ..training(architecture)
    }
}

#[test]
fn every_architecture_trains_forecasts_and_says_what_it_is() {
    let data = Data::new();
    let mut values = BTreeSet::new();
    for &architecture in ModelArchitecture::ALL {
        let answer = data.train(&request(architecture));
        assert_eq!(answer.architecture, architecture);
        let mae = answer.training_metrics.mae.unwrap();
        assert!((0.1..6.0).contains(&mae), "{architecture}: {mae}");
        let manifest = data.engine.model_manifest(&answer.model_id).unwrap();
        assert_eq!(manifest.architecture, architecture);
        // Wider with each day ahead, and made of errors on days that count.
        let half = |lead| {
            let (below, above) = manifest
                .calibration
                .lead(lead)
                .unwrap()
                .half_widths(0.9)
                .unwrap();
            below + above
        };
        assert!(half(7) >= half(1) && half(1) > 0.0, "{architecture}");
        let query = PredictRequest::new(person(), RHR, day("2024-01-12"));
        let forecast = data.engine.predict(&query, now()).unwrap().prediction;
        assert_eq!(forecast.architecture, architecture);
        assert!(
            (45.0..75.0).contains(&forecast.predicted_value),
            "{architecture}"
        );
        values.insert(forecast.predicted_value.to_bits());
    }
    // Different methods, different numbers: none stands in for another.
    assert!(
        values.len() >= ModelArchitecture::ALL.len() - 1,
        "{}",
        values.len()
    );
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
        error.to_string().contains("theta model, which is no graph"),
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
        assert_eq!(named.unwrap_or("flex"), device.name());
        let query = PredictRequest::new(person(), RHR, day("2024-01-12"));
        let forecast = data.engine.predict(&query, now()).unwrap();
        forecasts.push(forecast.prediction.predicted_value);
    }
    for forecast in &forecasts {
        assert!((forecast - forecasts[0]).abs() < 0.01, "{forecasts:?}");
    }
}
