//! Networks: creation from a seed or from weights, forecasts, and export.

use crate::batch_norm::BatchStatistics;
use crate::config::NetworkConfig;
use crate::device::is_cpu;
use crate::error::{ModelError, within};
use crate::head::HeadModule;
use crate::instruction_set::InstructionSet;
use crate::linear::LinearForecaster;
use crate::lstm::LstmForecaster;
use crate::plain::{PlainNetwork, Said, numbers};
use crate::random::DropoutSource;
use crate::weights;
use crate::windows::Windows;
use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use std::sync::{Arc, OnceLock};

/// Windows forecast at once: bounds the memory of a large prediction.
const BATCH: usize = 256;

/// The trainable part of a network.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one per model, never in bulk")]
pub enum NetworkModule {
    /// See [`LstmForecaster`].
    Lstm(LstmForecaster),
    /// See [`LinearForecaster`].
    Linear(LinearForecaster),
}

/// What a forward pass in training gives.
#[derive(Debug)]
pub struct TrainingPass {
    /// `[batch, outputs]`
    pub output: Tensor<2>,
    /// Of each batch norm; for [`Network::absorb`] after the step.
    pub statistics: Vec<BatchStatistics>,
}

/// The output of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// `[windows × outputs]`: the outputs of the first window, of the second, and so on.
    pub values: Vec<f32>,
    /// `[windows × days]`, with [`crate::ReadOut::Attention`]: how much each day counted; positive, and
    /// adding up to 1 for each window.
    pub attention: Option<Vec<f32>>,
}

/// A network: its configuration and its weights.
#[derive(Debug, Clone)]
pub struct Network {
    config: NetworkConfig,
    module: NetworkModule,
    device: Device,
    /// On a CPU, what forecasts, made when it is first needed.
    plain: Arc<OnceLock<PlainNetwork>>,
}

impl Network {
    /// A network with initial weights drawn from a seed.
    ///
    /// # Errors
    ///
    /// [`ModelError::OutOfBounds`] naming the field, and what [`InstructionSet::chosen`] refuses.
    pub fn new(config: &NetworkConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        config.validate()?;
        InstructionSet::chosen()?;
        let module = match config {
            NetworkConfig::Lstm(config) => {
                NetworkModule::Lstm(LstmForecaster::new(config, seed, device))
            }
            NetworkConfig::Linear(config) => {
                NetworkModule::Linear(LinearForecaster::new(config, seed, device))
            }
        };
        Ok(Self {
            config: config.clone(),
            module,
            device: device.clone(),
            plain: Arc::default(),
        })
    }

    /// A network with weights from safetensors bytes in PyTorch's names and layout, on
    /// [`ComputeDevice::Flex`](crate::ComputeDevice::Flex).
    ///
    /// # Errors
    ///
    /// [`ModelError`] for bytes that are no safetensors file, weights that are missing, unknown,
    /// of another shape, or not finite.
    pub fn from_safetensors(config: &NetworkConfig, bytes: &[u8]) -> Result<Self, ModelError> {
        Self::from_safetensors_on(config, bytes, &Device::flex())
    }

    /// The same on a device of one's choice.
    ///
    /// # Errors
    ///
    /// As [`Network::from_safetensors`].
    pub fn from_safetensors_on(
        config: &NetworkConfig,
        bytes: &[u8],
        device: &Device,
    ) -> Result<Self, ModelError> {
        let network = Self::new(config, 0, device)?;
        let module = weights::load(network.module, config, bytes)?;
        Ok(Self {
            config: config.clone(),
            module,
            device: device.clone(),
            plain: Arc::default(),
        })
    }

    /// The weights as safetensors bytes in PyTorch's names and layout.
    ///
    /// # Errors
    ///
    /// [`ModelError::WeightNotFinite`] for a network that has gone wrong.
    pub fn to_safetensors(&self) -> Result<Vec<u8>, ModelError> {
        weights::save(&self.module, &self.config)
    }

    /// The configuration of the network.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// The device of the network.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The trainable part.
    pub fn module(&self) -> &NetworkModule {
        &self.module
    }

    /// The same network with other weights.
    #[must_use]
    pub fn with_module(&self, module: NetworkModule) -> Self {
        Self {
            config: self.config.clone(),
            module,
            device: self.device.clone(),
            plain: Arc::default(),
        }
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
        let module = match self.module.clone() {
            NetworkModule::Lstm(mut network) => {
                match &mut network.head {
                    HeadModule::Joint(head) => {
                        head.dense_out = head.dense_out.with_output_scaled(output, factor, shift);
                    }
                    HeadModule::PerOutput(head) => {
                        let task = &mut head.tasks[output];
                        task.out = task.out.with_output_scaled(0, factor, shift);
                    }
                }
                NetworkModule::Lstm(network)
            }
            NetworkModule::Linear(mut network) => {
                network.dense = network.dense.with_output_scaled(output, factor, shift);
                NetworkModule::Linear(network)
            }
        };
        Ok(self.with_module(module))
    }

    /// Number of trainable values and running statistics.
    pub fn parameter_count(&self) -> usize {
        self.module.num_params()
    }

    /// Forecasts every window: `[windows × outputs]`, the outputs of the first window, of the
    /// second, and so on. On a CPU a window forecasts the same alone and among others, bit for bit.
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
        let indices: Vec<usize> = (0..windows.count()).collect();
        let mut values = Vec::with_capacity(windows.count() * self.config.outputs());
        let mut attention: Option<Vec<f32>> = None;
        for batch in indices.chunks(BATCH) {
            let said = if is_cpu(&self.device) {
                let plain = self
                    .plain
                    .get_or_init(|| PlainNetwork::new(&self.module.valid(), &self.config));
                plain.forward(&windows.gather(batch), batch.len(), windows.lookback())
            } else {
                let device = self.device.clone().without_autodiff();
                let inputs = tensor(windows, batch, &device);
                let (output, weights) = self.run(&self.module.valid(), inputs);
                Said {
                    values: numbers(output),
                    attention: weights.map(numbers),
                }
            };
            values.extend(said.values);
            if let Some(weights) = said.attention {
                attention.get_or_insert_default().extend(weights);
            }
        }
        Ok(Prediction { values, attention })
    }

    /// A forward pass with running statistics: `[batch, days, features]` to `[batch, outputs]`.
    pub fn forward(&self, windows: Tensor<3>) -> Tensor<2> {
        self.run(&self.module, windows).0
    }

    fn run(&self, module: &NetworkModule, windows: Tensor<3>) -> (Tensor<2>, Option<Tensor<2>>) {
        match (module, &self.config) {
            (NetworkModule::Lstm(network), NetworkConfig::Lstm(config)) => {
                network.forward(config, windows)
            }
            (NetworkModule::Linear(network), _) => (network.forward(windows), None),
            (NetworkModule::Lstm(_), NetworkConfig::Linear(_)) => {
                unreachable!("module and configuration are made together")
            }
        }
    }

    /// A forward pass with batch statistics and dropout; the batch needs at least two rows.
    pub fn forward_training(
        &self,
        windows: Tensor<3>,
        dropout: &mut DropoutSource,
    ) -> TrainingPass {
        match (&self.module, &self.config) {
            (NetworkModule::Lstm(network), NetworkConfig::Lstm(config)) => {
                let (output, statistics) = network.forward_training(config, windows, dropout);
                TrainingPass { output, statistics }
            }
            (NetworkModule::Linear(_), _) | (NetworkModule::Lstm(_), NetworkConfig::Linear(_)) => {
                TrainingPass {
                    output: self.forward(windows),
                    statistics: Vec::new(),
                }
            }
        }
    }

    /// Takes the statistics of a batch into the running ones.
    #[must_use]
    pub fn absorb(self, statistics: Vec<BatchStatistics>) -> Self {
        let module = match self.module {
            NetworkModule::Lstm(network) => NetworkModule::Lstm(network.absorb(statistics)),
            linear @ NetworkModule::Linear(_) => linear,
        };
        Self {
            module,
            plain: Arc::default(),
            ..self
        }
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

/// Some windows as a tensor `[batch, days, features]`.
fn tensor(windows: &Windows, indices: &[usize], device: &Device) -> Tensor<3> {
    let shape = [indices.len(), windows.lookback(), windows.features()];
    Tensor::from_data(TensorData::new(windows.gather(indices), shape), device)
}

impl Windows {
    /// Some windows as a tensor `[batch, days, features]` on a device.
    pub fn tensor(&self, indices: &[usize], device: &Device) -> Tensor<3> {
        tensor(self, indices, device)
    }
}
