//! A network as a module of burn: from and to plain weights, and its forward passes.

use super::batch_norm::BatchStatistics;
use super::dropout::DropoutSource;
use super::linear::LinearForecaster;
use super::lstm::LstmForecaster;
use crate::config::NetworkConfig;
use crate::error::ModelError;
use crate::network::{BATCH, Network, Prediction};
use crate::random::DropoutMasks;
use crate::windows::Windows;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor, TensorData};

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
    /// Of each batch norm; for [`BurnNetwork::absorb`] after the step.
    pub statistics: Vec<BatchStatistics>,
}

/// A [`Network`] as a module of burn, on one of its devices.
#[derive(Debug, Clone)]
pub struct BurnNetwork {
    /// What it was made of: the configuration, and the names of the weights.
    network: Network,
    module: NetworkModule,
    device: Device,
}

impl BurnNetwork {
    /// The module with a network's weights. Gradients are recorded on a device with
    /// [`Device::autodiff`].
    pub fn new(network: &Network, device: &Device) -> Self {
        let module = match network.config() {
            NetworkConfig::Lstm(config) => NetworkModule::Lstm(LstmForecaster::new(config, device)),
            NetworkConfig::Linear(config) => {
                NetworkModule::Linear(LinearForecaster::new(config, device))
            }
        };
        Self {
            network: network.clone(),
            module: loaded(module, network.weights(), device),
            device: device.clone(),
        }
    }

    /// The network with the module's weights.
    pub fn to_network(&self) -> Network {
        let mut values = Vec::with_capacity(self.network.weights().len());
        self.module.visit(&mut Collect(&mut values));
        self.network
            .with_weights(values)
            .expect("a module has the weights of its configuration")
    }

    /// The trainable part.
    pub fn module(&self) -> &NetworkModule {
        &self.module
    }

    /// The same network with another module of the same configuration, such as one after a step.
    #[must_use]
    pub fn with_module(&self, module: NetworkModule) -> Self {
        Self {
            module,
            ..self.clone()
        }
    }

    /// The same module with other weights, in the order of [`Network::weights`].
    pub(super) fn load(&mut self, weights: &[f32]) {
        self.module = loaded(self.module.clone(), weights, &self.device);
    }

    /// Forecasts every window on the device, as [`Network::explain`] does on the CPU.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for windows of another width.
    pub fn explain(&self, windows: &Windows) -> Result<Prediction, ModelError> {
        self.network.check_width(windows)?;
        let device = self.device.clone().without_autodiff();
        let module = self.module.valid();
        let indices: Vec<usize> = (0..windows.count()).collect();
        let mut values = Vec::new();
        let mut attention: Option<Vec<f32>> = None;
        for batch in indices.chunks(BATCH) {
            let (output, weights) = self.run(&module, windows.tensor(batch, &device));
            values.extend(numbers(output));
            if let Some(weights) = weights {
                attention.get_or_insert_default().extend(numbers(weights));
            }
        }
        Ok(Prediction { values, attention })
    }

    /// A forward pass with running statistics: `[batch, days, features]` to `[batch, outputs]`.
    pub fn forward(&self, windows: Tensor<3>) -> Tensor<2> {
        self.run(&self.module, windows).0
    }

    fn run(&self, module: &NetworkModule, windows: Tensor<3>) -> (Tensor<2>, Option<Tensor<2>>) {
        match (module, self.network.config()) {
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
        self.learn(windows, dropout.masks())
    }

    pub(super) fn learn(&self, windows: Tensor<3>, dropout: &mut DropoutMasks) -> TrainingPass {
        match (&self.module, self.network.config()) {
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
        Self { module, ..self }
    }
}

/// A module with weights that lie one after the other as its fields do. They go to the device at once.
fn loaded(module: NetworkModule, weights: &[f32], device: &Device) -> NetworkModule {
    let size = weights.len();
    let weights = Tensor::<1>::from_data(
        TensorData::new(weights.to_vec(), [size]),
        &device.clone().without_autodiff(),
    );
    module.map(&mut Load { weights, next: 0 })
}

struct Load {
    weights: Tensor<1>,
    next: usize,
}

impl ModuleMapper for Load {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let old = param.val();
        let (shape, size) = (old.shape(), old.shape().num_elements());
        let value = self.weights.clone().narrow(0, self.next, size);
        let value = value.reshape::<D, _>(shape);
        self.next += size;
        let is_autodiff = old.device().is_autodiff();
        let value = if is_autodiff { value.autodiff() } else { value };
        let replaced = param.map(|_| value);
        // A new value does not know by itself whether it is trained.
        if old.is_require_grad() {
            replaced.set_require_grad(true)
        } else {
            replaced
        }
    }
}

struct Collect<'a>(&'a mut Vec<f32>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.extend(numbers(param.val().without_autodiff()));
    }
}

impl Windows {
    /// Some windows as a tensor `[batch, days, features]` on a device of burn.
    pub fn tensor(&self, indices: &[usize], device: &Device) -> Tensor<3> {
        let shape = [indices.len(), self.lookback(), self.features()];
        Tensor::from_data(TensorData::new(self.gather(indices), shape), device)
    }
}

/// The numbers of a tensor, row by row.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_to_vec().expect("networks compute in f32")
}
