//! What is fitted on which device.

use std::ops::ControlFlow;
use vitalcast_domain::{
    History, ModelArchitecture, PredictionMetric, Profile, TrainModelRequest, UserId,
};
use vitalcast_models::ComputeDevice;
use vitalcast_training::train;

#[test]
fn a_device_was_accepted_and_ignored_by_what_is_no_network() {
    let history = History::new(UserId::new("someone").unwrap(), Profile::default());
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    for architecture in [
        ModelArchitecture::Naive,
        ModelArchitecture::Xgboost,
        ModelArchitecture::Pooled,
        ModelArchitecture::PooledLstm,
    ] {
        let request = TrainModelRequest {
            architecture,
            ..TrainModelRequest::new(history.user.clone(), PredictionMetric::RestingHeartRate)
        };
        let mut go_on = |_: &_| ControlFlow::Continue(());
        let device = ComputeDevice::Flex;
        let refused = train(&history, &request, now, device, None, &mut go_on);
        let refused = refused.unwrap_err().to_string();
        assert!(
            refused.contains("flex") && refused.contains(architecture.as_str()),
            "{refused}"
        );
    }
}
