//! Adam (Kingma and Ba 2015) with bias correction, and clipping of gradients by their common norm
//! (Pascanu et al. 2013), as PyTorch's `Adam` and `clip_grad_norm_` with their defaults.

use rayon::prelude::*;
use vitalcast_models::InstructionSet;

/// How fast the mean of gradients follows.
const BETA_1: f32 = 0.9;
/// How fast the mean of their squares follows.
const BETA_2: f32 = 0.999;
/// Added to the root of the mean square.
const EPSILON: f32 = 1e-8;
/// Added to a norm before dividing by it.
const NORM_EPSILON: f64 = 1e-6;
/// Weights that one thread takes at once: enough that waking it costs little.
const SHARE: usize = 1 << 15;

/// The state of the optimizer: of each weight, the mean of its gradients and of their squares.
#[derive(Debug)]
pub(super) struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Adam {
    pub(super) fn new(weights: usize) -> Self {
        Self {
            first: vec![0.0; weights],
            second: vec![0.0; weights],
            steps: 0,
        }
    }

    /// One step. A weight whose gradient has always been 0 does not change.
    pub(super) fn step(&mut self, learning_rate: f64, weights: &mut [f32], gradients: &[f32]) {
        self.steps = self.steps.saturating_add(1);
        let unbiased = |beta: f32| 1.0 - f64::from(beta).powi(self.steps);
        let rate = (learning_rate / unbiased(BETA_1)) as f32;
        let root = unbiased(BETA_2).sqrt() as f32;
        self.first
            .par_chunks_mut(SHARE)
            .zip(self.second.par_chunks_mut(SHARE))
            .zip(weights.par_chunks_mut(SHARE))
            .zip(gradients.par_chunks(SHARE))
            .for_each(|(((first, second), weights), gradients)| {
                InstructionSet::vectorized(|| {
                    let moments = first.iter_mut().zip(second);
                    let values = weights.iter_mut().zip(gradients);
                    for ((first, second), (weight, gradient)) in moments.zip(values) {
                        *first = BETA_1 * *first + (1.0 - BETA_1) * gradient;
                        *second = BETA_2 * *second + (1.0 - BETA_2) * gradient * gradient;
                        *weight -= rate * *first / (second.sqrt() / root + EPSILON);
                    }
                });
            });
    }
}

/// Scales all gradients down together when their common norm is above `limit`.
pub(super) fn clip_by_norm(gradients: &mut [f32], limit: f64) {
    let norm = sum_of_squares(gradients).sqrt();
    if norm > limit {
        let factor = (limit / (norm + NORM_EPSILON)) as f32;
        for gradient in gradients {
            *gradient *= factor;
        }
    }
}

/// In eight sums side by side, whatever the instruction set.
fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; 8];
    let (whole, rest) = values.as_chunks::<8>();
    for values in whole {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f64::from(*value) * f64::from(*value);
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += f64::from(*value) * f64::from(*value);
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_that_of_the_formula_in_f64() {
        let (beta_1, beta_2) = (0.9_f64, 0.999_f64);
        let gradients = [[0.5, -2.0, 1e-6], [0.25, 2.0, -3e-6], [-1.0, 0.0, 2e-6]];
        let mut weights = [1.0_f32, -1.0, 0.5];
        let mut exact = weights.map(f64::from);
        let (mut first, mut second) = ([0.0; 3], [0.0; 3]);
        let mut adam = Adam::new(3);
        for (place, gradient) in gradients.iter().enumerate() {
            adam.step(0.01, &mut weights, &gradient.map(|value| value as f32));
            let steps = i32::try_from(place + 1).unwrap();
            for weight in 0..3 {
                first[weight] = beta_1 * first[weight] + (1.0 - beta_1) * gradient[weight];
                second[weight] =
                    beta_2 * second[weight] + (1.0 - beta_2) * gradient[weight].powi(2);
                let mean: f64 = first[weight] / (1.0 - beta_1.powi(steps));
                let square: f64 = second[weight] / (1.0 - beta_2.powi(steps));
                exact[weight] -= 0.01 * mean / (square.sqrt() + 1e-8);
            }
        }
        for (found, expected) in weights.iter().zip(exact) {
            assert!(
                (f64::from(*found) - expected).abs() < 1e-6,
                "{found} {expected}"
            );
        }
    }

    #[test]
    fn without_a_gradient_a_weight_stays_and_threads_change_no_bit() {
        let count = 3 * SHARE + 5;
        let gradients: Vec<f32> = (0..count)
            .map(|place| {
                if place == 7 {
                    0.0
                } else {
                    (place % 13) as f32 - 6.5
                }
            })
            .collect();
        let after = |threads: usize| {
            let mut weights = vec![0.25; count];
            let mut adam = Adam::new(count);
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                for _ in 0..3 {
                    adam.step(0.1, &mut weights, &gradients);
                }
            });
            weights
        };
        let one = after(1);
        assert_eq!(one[7], 0.25);
        assert!(one[8] != 0.25);
        assert!(one == after(2) && one == after(3));
    }

    #[test]
    fn gradients_above_the_limit_are_scaled_to_it_and_others_stay() {
        let long: Vec<f32> = (0..21).map(|place| place as f32 - 10.0).collect();
        let norm = long.iter().map(|value| value * value).sum::<f32>().sqrt();
        let mut clipped = long.clone();
        clip_by_norm(&mut clipped, 2.0);
        for (found, before) in clipped.iter().zip(&long) {
            assert!((found - before * 2.0 / norm).abs() < 1e-6);
        }
        let mut short = long.clone();
        clip_by_norm(&mut short, f64::from(norm) + 1.0);
        assert_eq!(short, long);
    }
}
