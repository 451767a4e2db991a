//! Networks: creation from a seed or from weights, forecasts, and export.

use crate::config::NetworkConfig;
use crate::error::{ModelError, within};
use crate::instruction_set::InstructionSet;
use crate::layout::Layout;
use crate::plain::PlainNetwork;
use crate::weights;
use crate::windows::Windows;
use std::sync::{Arc, OnceLock};

/// Windows forecast at once: bounds the memory of a large prediction.
pub(crate) const BATCH: usize = 256;

/// The output of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `[windows × outputs]`: the outputs of the first window, of the second, and so on.
    pub values: Vec<f32>,
    /// `[windows × days]`, with [`crate::ReadOut::Attention`]: how much each day counted; positive, and
    /// adding up to 1 for each window.
    pub attention: Option<Vec<f32>>,
}

/// A network: its configuration and its weights. It forecasts on the CPU.
#[derive(Debug, Clone)]
pub struct Network {
    config: NetworkConfig,
    layout: Arc<Layout>,
    weights: Arc<[f32]>,
    /// What forecasts, made when it is first needed.
    plain: Arc<OnceLock<PlainNetwork>>,
}

impl Network {
    /// A network with initial weights drawn from a seed.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming the field, and what [`InstructionSet::chosen`] refuses.
    pub fn new(config: &NetworkConfig, seed: u64) -> Result<Self, ModelError> {
        let layout = checked(config)?;
        let weights = layout.initial(seed);
        Ok(Self::of_parts(config.clone(), Arc::new(layout), weights))
    }

    /// A network with weights from safetensors bytes in PyTorch's names and layout.
    ///
    /// # Errors
    ///
    /// [`ModelError`] for bytes that are no safetensors file, weights that are missing, unknown,
    /// of another shape, or not finite.
    pub fn from_safetensors(config: &NetworkConfig, bytes: &[u8]) -> Result<Self, ModelError> {
        let layout = checked(config)?;
        let weights = weights::load(&layout, bytes)?;
        Ok(Self::of_parts(config.clone(), Arc::new(layout), weights))
    }

    /// Weights of this configuration, in the order of its layout.
    pub(crate) fn of_parts(config: NetworkConfig, layout: Arc<Layout>, weights: Vec<f32>) -> Self {
        assert_eq!(weights.len(), layout.size(), "a number for each weight");
        Self {
            config,
            layout,
            weights: weights.into(),
            plain: Arc::default(),
        }
    }

    /// The weights as safetensors bytes in PyTorch's names and layout.
    ///
    /// # Errors
    ///
    /// [`ModelError::WeightNotFinite`] for a network that has gone wrong.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, ModelError> {
        weights::save(&self.layout, &self.weights)
    }

    /// The configuration of the network.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Names, shapes and places of the weights.
    pub(crate) fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// Every trainable value and running statistic, one weight after the other.
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The same network with other weights, in the order of [`Network::weights`].
    ///
    /// # Errors
    ///
    /// [`ModelError::WeightCount`] for another number of them.
    pub fn with_weights(&self, weights: Vec<f32>) -> Result<Self, ModelError> {
        if weights.len() != self.layout.size() {
            return Err(ModelError::WeightCount {
                expected: self.layout.size(),
                found: weights.len(),
            });
        }
        let layout = Arc::clone(&self.layout);
        Ok(Self::of_parts(self.config.clone(), layout, weights))
    }

    /// The same network with one output multiplied by a factor and then shifted, in the last layer. With
    /// 0 and 0 it says 0 until it learns.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] for an output that it does not have.
    pub fn with_output_scaled(
        &self,
        output: usize,
        factor: f32,
        shift: f32,
    ) -> Result<Self, ModelError> {
        let last = self.config.outputs() as f64 - 1.0;
        within("output", output as f64, 0.0, last)?;
        let (dense, column) = self.layout.last_layer(output);
        let mut weights = self.weights.to_vec();
        let of_output = dense.weight.of_mut(&mut weights)[column..].iter_mut();
        for value in of_output.step_by(dense.output) {
            *value *= factor;
        }
        let bias = &mut dense.bias.of_mut(&mut weights)[column];
        *bias = factor * *bias + shift;
        self.with_weights(weights)
    }

    /// Number of trainable values and running statistics.
    pub fn parameter_count(&self) -> usize {
        self.layout.size()
    }

    /// Forecasts every window: `[windows × outputs]`, the outputs of the first window, of the
    /// second, and so on. A window forecasts the same alone and among others, bit for bit.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for windows of another width.
    pub fn predict(&self, windows: &Windows) -> Result<Vec<f32>, ModelError> {
        Ok(self.explain(windows)?.values)
    }

    /// The same, with what the network tells beside: the weights of days, with attention.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for windows of another width.
    pub fn explain(&self, windows: &Windows) -> Result<Prediction, ModelError> {
        self.check_width(windows)?;
        let plain = self
            .plain
            .get_or_init(|| PlainNetwork::new(&self.layout, &self.weights));
        let indices: Vec<usize> = (0..windows.count()).collect();
        let mut values = Vec::with_capacity(windows.count() * self.config.outputs());
        let mut attention: Option<Vec<f32>> = None;
        for batch in indices.chunks(BATCH) {
            let said = plain.forward(&windows.gather(batch), batch.len(), windows.lookback());
            values.extend(said.values);
            if let Some(weights) = said.attention {
                attention.get_or_insert_default().extend(weights);
            }
        }
        Ok(Prediction { values, attention })
    }

    /// Refuses windows of another width than the network reads.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`].
    pub fn check_width(&self, windows: &Windows) -> Result<(), ModelError> {
        let expected = self.config.input_width();
        if windows.features() == expected {
            Ok(())
        } else {
            Err(ModelError::Width {
                expected,
                found: windows.features(),
            })
        }
    }
}

/// The layout of a configuration that this machine can compute.
fn checked(config: &NetworkConfig) -> Result<Layout, ModelError> {
    config.validate()?;
    InstructionSet::chosen()?;
    Ok(Layout::new(config))
}
