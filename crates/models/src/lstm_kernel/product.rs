//! The inner product that everything but the weight gradients is made of.

use super::GATES;
use pulp::Simd;

/// Adds to R × 4 accumulators the product of R rows with weights that have four vectors to each
/// element of a row.
#[inline(always)]
pub(super) fn add_product<S: Simd, const R: usize>(
    simd: S,
    sums: &mut [[S::f32s; GATES]; R],
    rows: [&[f32]; R],
    weights: &[S::f32s],
) {
    let depth = weights.len() / GATES;
    let rows = rows.map(|row| &row[..depth]);
    let mut local = *sums;
    for (k, weights) in weights.chunks_exact(GATES).enumerate() {
        for r in 0..R {
            let value = simd.splat_f32s(rows[r][k]);
            for gate in 0..GATES {
                local[r][gate] = simd.mul_add_f32s(value, weights[gate], local[r][gate]);
            }
        }
    }
    *sums = local;
}
