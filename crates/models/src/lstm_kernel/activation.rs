//! The squashing functions, a vector at a time.

use super::product::multiply_add;
use crate::instruction_set::InstructionSet;
use pulp::{Simd, WithSimd};

/// Replaces numbers by their tanh, as the layers compute it.
pub(crate) fn squash(set: InstructionSet, values: &mut [f32]) {
    struct Squash<'a>(&'a mut [f32]);
    impl WithSimd for Squash<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (whole, rest) = S::as_mut_simd_f32s(self.0);
            for values in whole {
                *values = tanh(simd, *values);
            }
            if !rest.is_empty() {
                let values = tanh(simd, simd.partial_load_f32s(rest));
                simd.partial_store_f32s(rest, values);
            }
        }
    }
    set.dispatch(Squash(values));
}

/// Rational approximation of tanh, within 3.5e-7: a minimax quotient of an odd polynomial of degree 13
/// and an even one of degree 6, as Eigen computes it.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const LIMIT: f32 = 7.905_311;
    let splat = |value: f32| simd.splat_f32s(value);
    let x = simd.max_f32s(simd.min_f32s(x, splat(LIMIT)), splat(-LIMIT));
    let square = simd.mul_f32s(x, x);
    let mut over = splat(-2.760_768_5e-16);
    for coefficient in [
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ] {
        over = multiply_add(simd, over, square, splat(coefficient));
    }
    let mut under = splat(1.198_258_4e-6);
    for coefficient in [1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3] {
        under = multiply_add(simd, under, square, splat(coefficient));
    }
    simd.div_f32s(simd.mul_f32s(x, over), under)
}

/// 1 / (1 + exp(-x)) through tanh(x / 2).
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    multiply_add(simd, half, tanh(simd, simd.mul_f32s(half, x)), half)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Of<'a>(&'a mut [f32], &'a mut [f32]);

    impl WithSimd for Of<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for value in S::as_mut_simd_f32s(self.0).0 {
                *value = tanh(simd, *value);
            }
            for value in S::as_mut_simd_f32s(self.1).0 {
                *value = sigmoid(simd, *value);
            }
        }
    }

    #[test]
    fn both_are_within_35e_8_of_the_exact_value_and_saturate() {
        let inputs: Vec<f32> = (0..64_000)
            .map(|place| (place as f32 - 32_000.0) / 1_600.0)
            .chain((0..64).map(|power| 1e38 * if power % 2 == 0 { 1.0 } else { -1.0 }))
            .collect();
        for set in InstructionSet::available() {
            let (mut squashed, mut gated) = (inputs.clone(), inputs.clone());
            set.dispatch(Of(&mut squashed, &mut gated));
            for ((input, squashed), gated) in inputs.iter().zip(squashed).zip(gated) {
                let exact = f64::from(*input).tanh();
                let error = (f64::from(squashed) - exact).abs();
                assert!(error < 3.5e-7, "{set}: tanh {input}");
                let exact = 1.0 / (1.0 + (-f64::from(*input)).exp());
                assert!(
                    (f64::from(gated) - exact).abs() < 3.5e-7,
                    "{set}: sigmoid {input}"
                );
                assert!((0.0..=1.0).contains(&gated));
            }
        }
    }
}
