//! The linear baseline: a dense layer on the window's mean over days.

use super::dense::Dense;
use crate::config::LinearConfig;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

/// See the module's header; made by [`crate::BurnNetwork`].
#[derive(Module, Debug)]
pub struct LinearForecaster {
    pub(crate) dense: Dense,
}

impl LinearForecaster {
    pub(crate) fn new(config: &LinearConfig, device: &Device) -> Self {
        Self {
            dense: Dense::new(config.input_width, config.outputs, device),
        }
    }

    /// `[batch, days, features]` to `[batch, outputs]`.
    pub(crate) fn forward(&self, windows: Tensor<3>) -> Tensor<2> {
        self.dense.forward(windows.mean_dim(1).squeeze_dim::<2>(1))
    }
}
