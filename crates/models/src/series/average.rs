//! The mean of several models (Bates and Granger 1969): often better than the best of them.

use super::{SeriesForecaster, SeriesModel};
use serde::{Deserialize, Serialize};

/// The plain mean of what its members forecast; one that has nothing to go by is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AverageModel {
    /// The members; fitted by [`super::SeriesMethod::fit_average`].
    pub members: Vec<SeriesModel>,
}

impl SeriesForecaster for AverageModel {
    fn name(&self) -> &'static str {
        "average"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let forecasts: Vec<Option<f64>> = self
            .members
            .iter()
            .map(|member| member.forecast(history, lead))
            .collect();
        super::mean(&forecasts)
    }
}
