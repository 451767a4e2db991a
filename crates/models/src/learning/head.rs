//! Heads in training: what makes values of what was read out of the LSTM.

use super::stage::Stage;
use crate::layout::HeadPart;
use crate::random::{DropoutMasks, masked};

/// Either head, with what its last forward pass left for the backward pass.
#[derive(Debug)]
pub(super) enum Head {
    Joint(Box<[Stage; 3]>),
    PerOutput(Box<PerOutput>),
}

#[derive(Debug)]
pub(super) struct PerOutput {
    shared: Stage,
    /// What all outputs read, after dropout.
    dropped: Vec<f32>,
    mask: Vec<f32>,
    tasks: Vec<[Stage; 2]>,
    /// `[batch, outputs]`
    output: Vec<f32>,
}

impl Head {
    pub(super) fn new(part: &HeadPart) -> Self {
        match part {
            HeadPart::Joint { dense, norms } => Self::Joint(Box::new([
                Stage::normalised(dense[0], norms[0]),
                Stage::normalised(dense[1], norms[1]),
                Stage::linear(dense[2]),
            ])),
            HeadPart::PerOutput { shared, tasks } => Self::PerOutput(Box::new(PerOutput {
                shared: Stage::rectified(*shared),
                dropped: Vec::new(),
                mask: Vec::new(),
                tasks: tasks
                    .iter()
                    .map(|[dense, out]| {
                        let dense = Stage::rectified(*dense).without_dropout();
                        [dense, Stage::linear(*out)]
                    })
                    .collect(),
                output: Vec::new(),
            })),
        }
    }

    /// `[batch, width]` to `[batch, outputs]`.
    pub(super) fn forward(
        &mut self,
        weights: &[f32],
        read: &[f32],
        dropout: &mut DropoutMasks,
    ) -> &[f32] {
        match self {
            Self::Joint(stages) => {
                let [first, second, out] = &mut **stages;
                let first = first.forward(weights, read, dropout);
                let second = second.forward(weights, first, dropout);
                out.forward(weights, second, dropout)
            }
            Self::PerOutput(head) => head.forward(weights, read, dropout),
        }
    }

    /// What [`Head::forward`] gave.
    pub(super) fn output(&self) -> &[f32] {
        match self {
            Self::Joint(stages) => stages[2].output(),
            Self::PerOutput(head) => &head.output,
        }
    }

    /// Gradients of the output added to those of what was read, `to`; those of the weights are set.
    pub(super) fn backward(
        &mut self,
        weights: &[f32],
        gradients: &mut [f32],
        output: &[f32],
        to: &mut [f32],
    ) {
        match self {
            Self::Joint(stages) => {
                let [first, second, out] = &mut **stages;
                let mut of_second = vec![0.0; second.output().len()];
                out.backward(weights, gradients, output, &mut of_second);
                let mut of_first = vec![0.0; first.output().len()];
                second.backward(weights, gradients, &of_second, &mut of_first);
                first.backward(weights, gradients, &of_first, to);
            }
            Self::PerOutput(head) => head.backward(weights, gradients, output, to),
        }
    }

    /// Takes the statistics of the last batch into the running ones.
    pub(super) fn absorb(&self, weights: &mut [f32]) {
        match self {
            Self::Joint(stages) => {
                for stage in stages.iter() {
                    stage.absorb(weights);
                }
            }
            Self::PerOutput(_) => {}
        }
    }
}

impl PerOutput {
    fn forward(&mut self, weights: &[f32], read: &[f32], dropout: &mut DropoutMasks) -> &[f32] {
        let outputs = self.tasks.len();
        let shared = self.shared.forward(weights, read, dropout);
        self.dropped.clear();
        self.dropped.extend_from_slice(shared);
        dropout.apply(&mut self.dropped, &mut self.mask);
        for (place, [dense, out]) in self.tasks.iter_mut().enumerate() {
            let hidden = dense.forward(weights, &self.dropped, dropout);
            let values = out.forward(weights, hidden, dropout);
            self.output.resize(values.len() * outputs, 0.0);
            let column = self.output[place..].iter_mut().step_by(outputs);
            for (to, value) in column.zip(values) {
                *to = *value;
            }
        }
        &self.output
    }

    fn backward(&mut self, weights: &[f32], gradients: &mut [f32], output: &[f32], to: &mut [f32]) {
        let outputs = self.tasks.len();
        let mut of_shared = vec![0.0; self.dropped.len()];
        for (place, [dense, out]) in self.tasks.iter_mut().enumerate() {
            let column: Vec<f32> = output[place..].iter().step_by(outputs).copied().collect();
            let mut of_hidden = vec![0.0; dense.output().len()];
            out.backward(weights, gradients, &column, &mut of_hidden);
            dense.backward(weights, gradients, &of_hidden, &mut of_shared);
        }
        masked(&mut of_shared, &self.mask);
        self.shared.backward(weights, gradients, &of_shared, to);
    }
}
