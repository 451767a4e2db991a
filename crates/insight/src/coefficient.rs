//! Pearson and Spearman correlation.

use crate::distribution;
use crate::error::{InsightError, check_pairs};
use crate::rank::midranks;
use vitalcast_evaluation::{ROUNDING, mean};

/// A correlation and the probability of one as strong between unrelated, independent pairs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coefficient {
    /// −1 to 1.
    pub value: f64,
    /// Two-sided.
    pub p_value: f64,
}

/// Pearson's correlation of pairs; the p value is that of Student's t with n − 2 degrees of freedom
/// (SciPy's `pearsonr`). Two pairs always lie on a line, so theirs is 1.
///
/// # Errors
///
/// [`InsightError::Unpaired`], [`InsightError::TooFew`] below two pairs, [`InsightError::NotFinite`],
/// [`InsightError::Constant`].
pub fn pearson(x: &[f64], y: &[f64]) -> Result<Coefficient, InsightError> {
    check_pairs(x, y, 2)?;
    let value = product_moment(x, y).ok_or(InsightError::Constant)?;
    Ok(Coefficient {
        value,
        p_value: distribution::of_correlation(value, x.len() as f64 - 2.0),
    })
}

/// Spearman's rank correlation: Pearson's of the midranks, with its p value (SciPy's `spearmanr`).
///
/// # Errors
///
/// The errors of [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> Result<Coefficient, InsightError> {
    check_pairs(x, y, 2)?;
    pearson(&midranks(x), &midranks(y))
}

/// Values less their mean.
pub(crate) fn centred(values: &[f64]) -> Vec<f64> {
    let middle = mean(values.iter().copied()).unwrap_or(0.0);
    let once: Vec<f64> = values.iter().map(|value| value - middle).collect();
    // Rounding leaves a rest of the mean, which counts where values are large and close together.
    let rest = once.iter().sum::<f64>() / once.len() as f64;
    once.into_iter().map(|value| value - rest).collect()
}

/// Sum of products of two series of the same length, in eight sums that need not wait for one
/// another. Their order is fixed.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    const SUMS: usize = 8;
    let (x_parts, x_rest) = x.as_chunks::<SUMS>();
    let (y_parts, y_rest) = y.as_chunks::<SUMS>();
    let mut sums = [0.0; SUMS];
    for (x, y) in x_parts.iter().zip(y_parts) {
        for ((sum, x), y) in sums.iter_mut().zip(x).zip(y) {
            *sum += x * y;
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(x, y)| x * y).sum();
    sums.into_iter().sum::<f64>() + rest
}

/// Whether values that were centred vary by more than the rounding of what they were.
pub(crate) fn varies(centred: &[f64], values: &[f64]) -> bool {
    let largest = |values: &[f64]| {
        values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()))
    };
    largest(centred) > ROUNDING * largest(values)
}

/// Pearson's correlation; nothing where a side never varies.
pub(crate) fn product_moment(x: &[f64], y: &[f64]) -> Option<f64> {
    let (x_centred, y_centred) = (centred(x), centred(y));
    if !varies(&x_centred, x) || !varies(&y_centred, y) {
        return None;
    }
    let scale = dot(&x_centred, &x_centred).sqrt() * dot(&y_centred, &y_centred).sqrt();
    let value = dot(&x_centred, &y_centred) / scale;
    value.is_finite().then(|| value.clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_correlation_says_why() {
        assert_eq!(
            pearson(&[1.0], &[1.0]).unwrap_err().to_string(),
            "expected at least 2 values, found 1"
        );
        assert_eq!(
            pearson(&[1.0, 2.0], &[1.0]),
            Err(InsightError::Unpaired { left: 2, right: 1 })
        );
        assert_eq!(
            pearson(&[1.0, f64::NAN, 3.0], &[1.0; 3]),
            Err(InsightError::NotFinite(1))
        );
        assert_eq!(
            pearson(&[0.1; 9], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]),
            Err(InsightError::Constant)
        );
        assert_eq!(
            spearman(&[1.0, 2.0, 3.0], &[7.0; 3]),
            Err(InsightError::Constant)
        );
    }

    #[test]
    fn two_pairs_prove_nothing() {
        let both = pearson(&[1.0, 2.0], &[5.0, 3.0]).unwrap();
        assert!((both.value + 1.0).abs() < 1e-12);
        assert_eq!(both.p_value, 1.0);
    }

    #[test]
    fn a_large_offset_changes_nothing() {
        let x = [1.0, 2.0, 4.0, 3.0, 5.0];
        let y = [2.0, 1.0, 3.0, 5.0, 4.0];
        let far: Vec<f64> = x.iter().map(|value| value + 1e9).collect();
        let near = pearson(&x, &y).unwrap();
        assert!((near.value - pearson(&far, &y).unwrap().value).abs() < 1e-12);
    }
}
