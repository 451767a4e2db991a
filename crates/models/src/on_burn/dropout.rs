//! Dropout of tensors, with the masks that the CPU draws.

use crate::random::DropoutMasks;
use burn::tensor::{Tensor, TensorData};

/// Draws dropout masks; one per training, so that the same seed gives the same masks in order.
#[derive(Debug)]
pub struct DropoutSource(DropoutMasks);

impl DropoutSource {
    /// Masks that drop with this probability (0 to below 1).
    pub fn new(seed: u64, probability: f64) -> Self {
        Self(DropoutMasks::new(seed, probability))
    }

    pub(super) fn masks(&mut self) -> &mut DropoutMasks {
        &mut self.0
    }
}

impl DropoutMasks {
    /// As [`DropoutMasks::apply`].
    pub(super) fn apply_to<const D: usize>(&mut self, values: Tensor<D>) -> Tensor<D> {
        let shape = values.dims();
        let (mut ones, mut mask) = (vec![1.0; shape.iter().product()], Vec::new());
        self.apply(&mut ones, &mut mask);
        if mask.is_empty() {
            return values;
        }
        let mask = TensorData::new(mask, shape);
        let device = values.device();
        values * Tensor::from_data(mask, &device)
    }
}
