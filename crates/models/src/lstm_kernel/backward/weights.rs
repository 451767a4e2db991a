//! Gradients of weights: one product over all days and rows, panel by panel.

use super::super::{CHUNK, GATES, Saved, Shape};
use pulp::{Simd, WithSimd};

/// Rows of a weight matrix whose accumulators are in registers at once.
const ROWS: usize = 6;

/// A panel's part of the gradients of all weights.
pub(super) struct WeightGradients<'a> {
    pub(super) shape: Shape,
    pub(super) panel: usize,
    pub(super) sequence: &'a [f32],
    pub(super) saved: &'a [Saved],
    pub(super) reverse: bool,
}

impl WithSimd for WeightGradients<'_> {
    /// `[input + hidden + 1][gate][lane]`: of the input's weights, the state's, and the bias.
    type Output = Vec<f32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
        let shape = self.shape;
        let width = GATES * S::F32_LANES;
        let mut gradients = vec![0.0; (shape.input + shape.hidden + 1) * width];
        let (input, rest) = gradients.split_at_mut(shape.input * width);
        let (hidden, bias) = rest.split_at_mut(shape.hidden * width);
        self.of_rows(
            simd,
            input,
            shape.input,
            |day, chunk, rows| {
                let at = (day * shape.batch + chunk * CHUNK) * shape.input;
                &self.sequence[at..at + rows * shape.input]
            },
            shape.input,
            0,
        );
        let padded = shape.panels(S::F32_LANES) * S::F32_LANES;
        self.of_rows(
            simd,
            hidden,
            shape.hidden,
            |day, chunk, rows| {
                let before = if self.reverse { day + 1 } else { day - 1 };
                &self.saved[chunk].states[before * rows * padded..][..rows * padded]
            },
            padded,
            1,
        );
        let mut sums = [simd.splat_f32s(0.0); GATES];
        for (chunk, saved) in self.saved.iter().enumerate() {
            let size = shape.days * shape.rows_of(chunk) * width;
            for gates in S::as_simd_f32s(&saved.gates[self.panel * size..][..size])
                .0
                .chunks_exact(GATES)
            {
                for (sum, gate) in sums.iter_mut().zip(gates) {
                    *sum = simd.add_f32s(*sum, *gate);
                }
            }
        }
        S::as_mut_simd_f32s(bias).0.copy_from_slice(&sums);
        gradients
    }
}

impl<'a> WeightGradients<'a> {
    /// Gradients of weights that read what `values` gives of a day and chunk, leaving out the first
    /// `skip` days in reading order.
    #[inline(always)]
    fn of_rows<S: Simd>(
        &self,
        simd: S,
        gradients: &mut [f32],
        count: usize,
        values: impl Fn(usize, usize, usize) -> &'a [f32] + Copy,
        stride: usize,
        skip: usize,
    ) {
        let width = GATES * S::F32_LANES;
        let mut first = 0;
        while first < count {
            let tile = (count - first).min(ROWS);
            let to = &mut gradients[first * width..(first + tile) * width];
            match tile {
                6 => self.tile::<S, 6>(simd, to, first, values, stride, skip),
                5 => self.tile::<S, 5>(simd, to, first, values, stride, skip),
                4 => self.tile::<S, 4>(simd, to, first, values, stride, skip),
                3 => self.tile::<S, 3>(simd, to, first, values, stride, skip),
                2 => self.tile::<S, 2>(simd, to, first, values, stride, skip),
                _ => self.tile::<S, 1>(simd, to, first, values, stride, skip),
            }
            first += tile;
        }
    }

    #[inline(always)]
    fn tile<S: Simd, const R: usize>(
        &self,
        simd: S,
        to: &mut [f32],
        first: usize,
        values: impl Fn(usize, usize, usize) -> &'a [f32],
        stride: usize,
        skip: usize,
    ) {
        let shape = self.shape;
        let width = GATES * S::F32_LANES;
        let mut sums = [[simd.splat_f32s(0.0); GATES]; R];
        for (chunk, saved) in self.saved.iter().enumerate() {
            let rows = shape.rows_of(chunk);
            for step in skip..shape.days {
                let day = shape.day(step, self.reverse);
                let gates =
                    &saved.gates[(self.panel * shape.days + day) * rows * width..][..rows * width];
                let gates = S::as_simd_f32s(gates).0;
                let values = values(day, chunk, rows);
                for (gates, values) in gates.chunks_exact(GATES).zip(values.chunks_exact(stride)) {
                    let values = &values[first..first + R];
                    for r in 0..R {
                        let value = simd.splat_f32s(values[r]);
                        for gate in 0..GATES {
                            sums[r][gate] = simd.mul_add_f32s(value, gates[gate], sums[r][gate]);
                        }
                    }
                }
            }
        }
        for (to, sums) in to.chunks_exact_mut(width).zip(&sums) {
            S::as_mut_simd_f32s(to).0.copy_from_slice(sums);
        }
    }
}
