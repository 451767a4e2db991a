//! Training passes on a device of burn: weights go there before each, gradients come back.

use super::network::{BurnNetwork, TrainingPass, numbers};
use crate::layout::{HeadPart, Layout, Structure};
use crate::learning::absorb;
use crate::network::Network;
use crate::random::DropoutMasks;
use crate::windows::Windows;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

/// See the module's header.
#[derive(Debug)]
pub(crate) struct BurnPass {
    network: BurnNetwork,
    device: Device,
    last: Option<TrainingPass>,
    output: Vec<f32>,
    /// Mean and unbiased variance of each batch norm.
    statistics: Vec<[Vec<f32>; 2]>,
}

impl BurnPass {
    pub(crate) fn new(network: &Network, device: &Device) -> Self {
        let device = device.clone().autodiff();
        Self {
            network: BurnNetwork::new(network, &device),
            device,
            last: None,
            output: Vec::new(),
            statistics: Vec::new(),
        }
    }

    pub(crate) fn forward(
        &mut self,
        weights: &[f32],
        windows: &Windows,
        indices: &[usize],
        dropout: &mut DropoutMasks,
    ) -> &[f32] {
        self.network.load(weights);
        let inputs = windows.tensor(indices, &self.device);
        let pass = self.network.learn(inputs, dropout);
        self.output = numbers(pass.output.clone());
        self.statistics = pass
            .statistics
            .iter()
            .map(super::batch_norm::BatchStatistics::numbers)
            .collect();
        self.last = Some(pass);
        &self.output
    }

    pub(crate) fn backward(&mut self, gradients: &mut [f32], output: &[f32]) {
        let pass = self.last.take().expect("a forward pass goes before");
        let shape = pass.output.dims();
        let output = Tensor::<2>::from_data(TensorData::new(output.to_vec(), shape), &self.device);
        // Its gradients by the output are the given ones.
        let found = (pass.output * output).sum().backward();
        let mut collect = Collect {
            found: &found,
            all: Vec::new(),
        };
        self.network.module().visit(&mut collect);
        // One tensor comes back from the device instead of one for each weight.
        gradients.copy_from_slice(&numbers(Tensor::cat(collect.all, 0)));
    }

    pub(crate) fn absorb(&self, layout: &Layout, weights: &mut [f32]) {
        let Structure::Lstm { head, .. } = layout.structure() else {
            return;
        };
        if let HeadPart::Joint { norms, .. } = head {
            for (norm, [mean, variance]) in norms.iter().zip(&self.statistics) {
                absorb(norm, mean, variance, weights);
            }
        }
    }
}

/// Gradients of every weight, zero where there is none.
struct Collect<'a> {
    found: &'a Gradients,
    all: Vec<Tensor<1>>,
}

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let size = value.shape().num_elements();
        self.all.push(match value.grad(self.found) {
            Some(gradient) => gradient.reshape([size]),
            None => Tensor::zeros([size], &value.device().without_autodiff()),
        });
    }
}
