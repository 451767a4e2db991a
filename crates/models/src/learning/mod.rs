//! Networks in training: a forward pass with batch statistics and dropout, and the way back from
//! gradients of the output to those of every weight.
//!
//! Gradients lie as the weights do, so an optimizer goes over two lists. Memory is used again from step
//! to step. Every sum has one order, whatever the number of threads.

mod attention;
mod batch_norm;
mod encoder;
mod head;
mod stage;

#[cfg(feature = "burn")]
pub(crate) use batch_norm::absorb;

use crate::config::NetworkConfig;
use crate::device::ComputeDevice;
use crate::error::ModelError;
use crate::layout::{Layout, Structure};
use crate::network::Network;
#[cfg(feature = "burn")]
use crate::on_burn::BurnPass;
use crate::plain::mean_over_days;
use crate::random::DropoutMasks;
use crate::windows::Windows;
use encoder::Encoder;
use head::Head;
use stage::Stage;
use std::sync::Arc;

/// A network in training. It computes gradients; what to do with them is up to an optimizer.
///
/// A step is [`Learner::forward`], [`Learner::backward`], [`Learner::update`].
#[derive(Debug)]
pub struct Learner {
    config: NetworkConfig,
    layout: Arc<Layout>,
    weights: Vec<f32>,
    gradients: Vec<f32>,
    dropout: DropoutMasks,
    pass: Pass,
}

/// What computes.
#[derive(Debug)]
enum Pass {
    Cpu(CpuPass),
    #[cfg(feature = "burn")]
    Burn(Box<BurnPass>),
}

impl Learner {
    /// Begins with the weights of a network. Dropout masks are drawn from the seed.
    ///
    /// # Errors
    ///
    /// [`ModelError::NoDevice`] for a device that this build or this machine does not have.
    pub fn new(network: &Network, seed: u64, device: ComputeDevice) -> Result<Self, ModelError> {
        device.check()?;
        let pass = match device {
            ComputeDevice::Cpu => Pass::Cpu(CpuPass::new(network.layout())),
            #[cfg(feature = "burn")]
            ComputeDevice::Flex | ComputeDevice::NdArray | ComputeDevice::Wgpu => {
                Pass::Burn(Box::new(BurnPass::new(network, &device.open()?)))
            }
            #[cfg(not(feature = "burn"))]
            ComputeDevice::Flex | ComputeDevice::NdArray | ComputeDevice::Wgpu => {
                unreachable!("no such device passes the check")
            }
        };
        let probability = match network.config() {
            NetworkConfig::Lstm(config) => config.dropout,
            NetworkConfig::Linear(_) => 0.0,
        };
        Ok(Self {
            config: network.config().clone(),
            layout: Arc::clone(network.layout()),
            weights: network.weights().to_vec(),
            gradients: vec![0.0; network.weights().len()],
            dropout: DropoutMasks::new(seed, probability),
            pass,
        })
    }

    /// Runs some windows: `[batch, outputs]`, with the statistics of the batch and with dropout.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for windows of another width, [`ModelError::Batch`] for fewer than two
    /// of them, which have no variance.
    ///
    /// # Panics
    ///
    /// For an index that is no window.
    pub fn forward(&mut self, windows: &Windows, indices: &[usize]) -> Result<&[f32], ModelError> {
        let expected = self.config.input_width();
        if windows.features() != expected {
            return Err(ModelError::Width {
                expected,
                found: windows.features(),
            });
        }
        if indices.len() < 2 {
            return Err(ModelError::Batch(indices.len()));
        }
        Ok(match &mut self.pass {
            Pass::Cpu(pass) => pass.forward(&self.weights, windows, indices, &mut self.dropout),
            #[cfg(feature = "burn")]
            Pass::Burn(pass) => pass.forward(&self.weights, windows, indices, &mut self.dropout),
        })
    }

    /// The gradients of a loss by every weight, from those by the output of the last forward pass,
    /// `[batch, outputs]`. Running statistics have the gradient 0.
    ///
    /// # Panics
    ///
    /// Without a forward pass since the last backward pass, or for gradients of another shape.
    pub fn backward(&mut self, output: &[f32]) -> &[f32] {
        self.gradients.fill(0.0);
        match &mut self.pass {
            Pass::Cpu(pass) => pass.backward(&self.weights, &mut self.gradients, output),
            #[cfg(feature = "burn")]
            Pass::Burn(pass) => pass.backward(&mut self.gradients, output),
        }
        &self.gradients
    }

    /// Changes the weights by their gradients, both in the order of [`Network::weights`], and then takes
    /// the statistics of the batch into the running ones.
    pub fn update(&mut self, change: impl FnOnce(&mut [f32], &mut [f32])) {
        change(&mut self.weights, &mut self.gradients);
        match &self.pass {
            Pass::Cpu(pass) => pass.absorb(&mut self.weights),
            #[cfg(feature = "burn")]
            Pass::Burn(pass) => pass.absorb(&self.layout, &mut self.weights),
        }
    }

    /// The network as it is now.
    pub fn network(&self) -> Network {
        let layout = Arc::clone(&self.layout);
        Network::of_parts(self.config.clone(), layout, self.weights.clone())
    }
}

/// Forward and backward passes on the CPU.
#[derive(Debug)]
struct CpuPass {
    layers: Layers,
    /// What the layers read in the last forward pass.
    input: Vec<f32>,
    /// Its days and windows, until the backward pass.
    sizes: Option<[usize; 2]>,
    /// Gradients of what the head reads.
    read: Vec<f32>,
}

#[derive(Debug)]
enum Layers {
    Lstm(Box<(Encoder, Head)>),
    Linear(Box<Stage>),
}

impl CpuPass {
    fn new(layout: &Layout) -> Self {
        let layers = match layout.structure() {
            Structure::Lstm {
                levels,
                attention,
                head,
            } => Layers::Lstm(Box::new((
                Encoder::new(levels, *attention),
                Head::new(head),
            ))),
            Structure::Linear(dense) => {
                Layers::Linear(Box::new(Stage::linear(*dense).without_dropout()))
            }
        };
        Self {
            layers,
            input: Vec::new(),
            sizes: None,
            read: Vec::new(),
        }
    }

    fn forward(
        &mut self,
        weights: &[f32],
        windows: &Windows,
        indices: &[usize],
        dropout: &mut DropoutMasks,
    ) -> &[f32] {
        let sizes = [windows.lookback(), indices.len()];
        self.sizes = Some(sizes);
        match &mut self.layers {
            Layers::Lstm(layers) => {
                let (encoder, head) = &mut **layers;
                windows.gather_by_day(indices, &mut self.input);
                let read = encoder.forward(weights, &self.input, sizes, dropout);
                head.forward(weights, read, dropout)
            }
            Layers::Linear(stage) => {
                let windows_of_batch = windows.gather(indices);
                self.input = mean_over_days(&windows_of_batch, sizes[1], sizes[0]);
                stage.forward(weights, &self.input, dropout)
            }
        }
    }

    fn backward(&mut self, weights: &[f32], gradients: &mut [f32], output: &[f32]) {
        let sizes = self.sizes.take().expect("a forward pass goes before");
        match &mut self.layers {
            Layers::Lstm(layers) => {
                let (encoder, head) = &mut **layers;
                assert_eq!(output.len(), head.output().len(), "one gradient an output");
                self.read.clear();
                self.read.resize(sizes[1] * encoder.width(), 0.0);
                head.backward(weights, gradients, output, &mut self.read);
                encoder.backward(weights, gradients, &self.input, sizes, &self.read);
            }
            Layers::Linear(stage) => {
                assert_eq!(output.len(), stage.output().len(), "one gradient an output");
                self.read.resize(self.input.len(), 0.0);
                stage.backward(weights, gradients, output, &mut self.read);
            }
        }
    }

    fn absorb(&self, weights: &mut [f32]) {
        match &self.layers {
            Layers::Lstm(layers) => layers.1.absorb(weights),
            Layers::Linear(_) => {}
        }
    }
}
