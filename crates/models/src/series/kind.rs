//! What every kind of model of one series says of itself, beside its forecasts.

use super::{SeriesForecaster, SeriesPart, TreeGame};
use crate::error::ModelError;
use crate::onnx::BaseInGraph;

/// A kind of model of one series: what a variant of [`super::SeriesModel`] holds.
pub(crate) trait SeriesKind: SeriesForecaster {
    /// What the forecast of the day `lead` (at least 1) days after the history is made of. The parts add
    /// up to the forecast: the part of the level is the level itself. `None` when the history holds
    /// nothing to go by.
    ///
    /// # Errors
    ///
    /// [`ModelError::Trees`] for trees that cannot be explained.
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        game: TreeGame,
    ) -> Result<Option<Sum>, ModelError>;

    /// How many numbers were fitted; of trees, how many nodes.
    fn parameter_count(&self) -> usize;

    /// How it stands in the graph of a network that adds to it, if it can.
    fn base_in_graph(&self) -> Option<BaseInGraph> {
        None
    }

    /// The model as an ONNX file, one day ahead, if there is such a file of it.
    fn graph(&self) -> Option<Vec<u8>> {
        None
    }
}

/// The parts of a forecast before they are put in order.
#[derive(Debug)]
pub(crate) struct Sum {
    pub(super) parts: Vec<(SeriesPart, f64)>,
    /// How boosted trees were taken apart, if there are any.
    pub(super) trees: Option<TreeGame>,
}

impl Sum {
    /// A sum without boosted trees.
    pub(super) fn of<const N: usize>(parts: [(SeriesPart, f64); N]) -> Self {
        Self {
            parts: parts.to_vec(),
            trees: None,
        }
    }
}
