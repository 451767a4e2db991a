//! A data folder with the real people of `fixtures/`.

use chrono::{DateTime, NaiveDate, Utc};
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast::{
    Engine, History, ImportSettings, ModelArchitecture, PredictionMetric, TrainModelRequest, UserId,
};

pub(crate) const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

pub(crate) fn now() -> DateTime<Utc> {
    "2026-01-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The person of T1D-UOM: meals, activity, nights, resting heart rate.
pub(crate) fn person() -> UserId {
    UserId::new("2306").unwrap()
}

pub(crate) struct Data {
    pub(crate) engine: Engine,
    _folder: tempfile::TempDir,
}

impl Data {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Engine::open(folder.path()).unwrap();
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/t1d-uom");
        let settings = ImportSettings::default();
        let mut go_on = |_, _| ControlFlow::Continue(());
        engine
            .import(&[fixture], &settings, now(), &mut go_on)
            .unwrap();
        Self {
            engine,
            _folder: folder,
        }
    }

    /// Everything known of the person, as the engine sees it.
    pub(crate) fn history(&self) -> History {
        self.engine.load(&person()).unwrap()
    }

    pub(crate) fn train(&self, request: &TrainModelRequest) -> vitalcast::TrainModelResponse {
        let mut go_on = |_: &vitalcast::EpochReport| ControlFlow::Continue(());
        self.engine
            .train(request, now(), now(), &mut go_on)
            .unwrap()
    }
}

/// A small and quick training.
pub(crate) fn training(architecture: ModelArchitecture) -> TrainModelRequest {
    let mut request = TrainModelRequest {
        architecture,
        sequence_length: 14,
        ..TrainModelRequest::new(person(), RHR)
    };
    if architecture.is_network() {
        request.epochs = 10;
    }
    if architecture.is_lstm() {
        request.hidden_dim = 32;
        request.num_layers = 1;
    }
    request
}
