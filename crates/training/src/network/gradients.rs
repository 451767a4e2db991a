//! Gradients of a whole network: their norm, and clipping by it (Pascanu et al. 2013) as PyTorch's
//! `clip_grad_norm_`.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use burn_optim::GradientsParams;

/// Added to the norm before dividing by it, as PyTorch does.
const EPSILON: f64 = 1e-6;

struct SumOfSquares<'a> {
    gradients: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for SumOfSquares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.sum += f64::from(gradient.square().sum().into_scalar::<f32>());
        }
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}

/// Scales all gradients down together when their common norm is above `limit`.
pub(crate) fn clip_by_norm<M: Module>(module: &M, gradients: &mut GradientsParams, limit: f64) {
    let mut squares = SumOfSquares {
        gradients,
        sum: 0.0,
    };
    module.visit(&mut squares);
    let norm = squares.sum.sqrt();
    if norm > limit {
        module.visit(&mut Scale {
            gradients,
            factor: limit / (norm + EPSILON),
        });
    }
}
