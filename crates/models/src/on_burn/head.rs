//! What makes values of what was read out of the LSTM.

use super::batch_norm::{BatchNorm, BatchStatistics};
use super::dense::Dense;
use crate::config::LstmConfig;
use crate::random::DropoutMasks;
use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// dropout → dense hidden/2 → batch norm → ReLU → dropout → dense hidden/4 → batch norm → ReLU →
/// dropout → dense outputs.
#[derive(Module, Debug)]
pub(crate) struct JointHead {
    pub(crate) dense_1: Dense,
    pub(crate) norm_1: BatchNorm,
    pub(crate) dense_2: Dense,
    pub(crate) norm_2: BatchNorm,
    pub(crate) dense_out: Dense,
}

impl JointHead {
    pub(crate) fn new(config: &LstmConfig, width: usize, device: &Device) -> Self {
        let hidden = config.hidden_width;
        Self {
            dense_1: Dense::new(width, hidden / 2, device),
            norm_1: BatchNorm::new(hidden / 2, device),
            dense_2: Dense::new(hidden / 2, hidden / 4, device),
            norm_2: BatchNorm::new(hidden / 4, device),
            dense_out: Dense::new(hidden / 4, config.outputs, device),
        }
    }

    pub(crate) fn forward(&self, read: Tensor<2>) -> Tensor<2> {
        let first = relu(self.norm_1.forward(self.dense_1.forward(read)));
        let second = relu(self.norm_2.forward(self.dense_2.forward(first)));
        self.dense_out.forward(second)
    }

    pub(crate) fn forward_training(
        &self,
        read: Tensor<2>,
        dropout: &mut DropoutMasks,
    ) -> (Tensor<2>, Vec<BatchStatistics>) {
        let first = self.dense_1.forward(dropout.apply_to(read));
        let (first, statistics_1) = self.norm_1.forward_training(first);
        let second = self.dense_2.forward(dropout.apply_to(relu(first)));
        let (second, statistics_2) = self.norm_2.forward_training(second);
        let output = self.dense_out.forward(dropout.apply_to(relu(second)));
        (output, vec![statistics_1, statistics_2])
    }

    pub(crate) fn absorb(mut self, statistics: Vec<BatchStatistics>) -> Self {
        let mut statistics = statistics.into_iter();
        if let (Some(first), Some(second)) = (statistics.next(), statistics.next()) {
            self.norm_1 = self.norm_1.absorb(first);
            self.norm_2 = self.norm_2.absorb(second);
        }
        self
    }
}

/// dropout → dense hidden/2 → ReLU → dropout, shared; then for each output dense hidden/4 → ReLU →
/// dropout → dense 1.
#[derive(Module, Debug)]
pub(crate) struct PerOutputHead {
    pub(crate) shared: Dense,
    pub(crate) tasks: Vec<Task>,
}

/// The layers of one output.
#[derive(Module, Debug)]
pub(crate) struct Task {
    pub(crate) dense: Dense,
    pub(crate) out: Dense,
}

impl PerOutputHead {
    pub(crate) fn new(config: &LstmConfig, width: usize, device: &Device) -> Self {
        let hidden = config.hidden_width;
        Self {
            shared: Dense::new(width, hidden / 2, device),
            tasks: (0..config.outputs)
                .map(|_| Task {
                    dense: Dense::new(hidden / 2, hidden / 4, device),
                    out: Dense::new(hidden / 4, 1, device),
                })
                .collect(),
        }
    }

    pub(crate) fn forward(&self, read: Tensor<2>) -> Tensor<2> {
        let shared = relu(self.shared.forward(read));
        let of = |task: &Task| {
            let hidden = relu(task.dense.forward(shared.clone()));
            task.out.forward(hidden)
        };
        Tensor::cat(self.tasks.iter().map(of).collect(), 1)
    }

    pub(crate) fn forward_training(
        &self,
        read: Tensor<2>,
        dropout: &mut DropoutMasks,
    ) -> Tensor<2> {
        let shared = relu(self.shared.forward(dropout.apply_to(read)));
        let shared = dropout.apply_to(shared);
        let mut of = |task: &Task| {
            let hidden = relu(task.dense.forward(shared.clone()));
            task.out.forward(dropout.apply_to(hidden))
        };
        Tensor::cat(self.tasks.iter().map(&mut of).collect(), 1)
    }
}

/// Either head.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "one per model, never in bulk")]
pub(crate) enum HeadModule {
    Joint(JointHead),
    PerOutput(PerOutputHead),
}
