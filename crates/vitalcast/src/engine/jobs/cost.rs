//! How long a training will take.

use vitalcast_domain::{ModelArchitecture, ModelFamily, TrainModelRequest};

/// Assumed speed for estimates, floating-point operations per second.
const ASSUMED_SPEED: f64 = 1e11;
/// Assumed time for everything except the fitting, seconds.
const OVERHEAD_SECONDS: f64 = 0.3;
/// Assumed time of an LSTM of many people's windows, which reads a bounded number of them, seconds.
const LSTM_OF_MANY_SECONDS: f64 = 60.0;

/// Estimates the run time of a training from its settings: multiplications and additions of the network
/// for each day of each window and epoch, forward and backward, at a speed that any machine reaches.
pub fn estimated_seconds(request: &TrainModelRequest) -> f64 {
    match request.architecture.family() {
        ModelFamily::Lstm => {}
        ModelFamily::Linear => return OVERHEAD_SECONDS + request.epochs as f64 * 1e-3,
        ModelFamily::Pooled if request.architecture == ModelArchitecture::PooledLstm => {
            return LSTM_OF_MANY_SECONDS;
        }
        ModelFamily::Trees | ModelFamily::Ridge | ModelFamily::Series | ModelFamily::Pooled => {
            return OVERHEAD_SECONDS;
        }
    }
    // 51 features, the metric itself, and a mask for each.
    let inputs = 104.0;
    let hidden = request.hidden_dim as f64;
    let directions = if request.bidirectional { 2.0 } else { 1.0 };
    let layers = request.num_layers as f64;
    let first = 4.0 * hidden * (inputs + hidden);
    let further = (layers - 1.0) * 4.0 * hidden * (directions * hidden + hidden);
    let weights = directions * (first + further);
    let windows = request
        .lookback_days
        .saturating_sub(request.sequence_length)
        .max(10) as f64;
    let steps = windows * request.sequence_length as f64 * request.epochs as f64;
    OVERHEAD_SECONDS + 6.0 * weights * steps / ASSUMED_SPEED
}
