//! Least squares by an orthonormal basis of the explanatory columns.

use crate::coefficient::dot;

/// A column this much shorter than it was, once the others are taken out of it, is one of theirs.
const NEGLIGIBLE: f64 = 1e-10;

/// An orthonormal basis of what some columns span (Gram–Schmidt, each column twice, which is as
/// accurate as Householder's way: Giraud, Langou and Rozložník 2005).
#[derive(Debug, Clone, Default)]
pub(crate) struct Basis {
    vectors: Vec<Vec<f64>>,
}

impl Basis {
    /// Adds a column; whether it brought anything that was not there.
    pub(crate) fn add(&mut self, column: &[f64]) -> bool {
        let before = dot(column, column).sqrt();
        let mut rest = self.residual(column);
        let length = dot(&rest, &rest).sqrt();
        if length.is_nan() || length <= NEGLIGIBLE * before {
            return false;
        }
        for value in &mut rest {
            *value /= length;
        }
        self.vectors.push(rest);
        true
    }

    /// What the columns leave unexplained of a series.
    pub(crate) fn residual(&self, series: &[f64]) -> Vec<f64> {
        let mut rest = series.to_vec();
        for _ in 0..2 {
            for vector in &self.vectors {
                let share = dot(vector, &rest);
                for (value, direction) in rest.iter_mut().zip(vector) {
                    *value -= share * direction;
                }
            }
        }
        rest
    }

    /// Columns that brought something.
    pub(crate) fn rank(&self) -> usize {
        self.vectors.len()
    }
}

/// Whether what is left of a series is more than rounding.
pub(crate) fn is_left(residual: &[f64], series: &[f64]) -> bool {
    dot(residual, residual).sqrt() > NEGLIGIBLE * dot(series, series).sqrt()
}

/// Sum of squares of a series up to which what is left of it is rounding.
pub(crate) fn rounding_of(series: &[f64]) -> f64 {
    NEGLIGIBLE * NEGLIGIBLE * dot(series, series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_residual_is_what_a_line_leaves() {
        let mut basis = Basis::default();
        assert!(basis.add(&[1.0; 4]));
        assert!(basis.add(&[0.0, 1.0, 2.0, 3.0]));
        // y = 1 + 2x + (1, −1, −1, 1), which is orthogonal to both.
        let rest = basis.residual(&[2.0, 2.0, 4.0, 8.0]);
        for (ours, by_hand) in rest.iter().zip([1.0, -1.0, -1.0, 1.0]) {
            assert!((ours - by_hand).abs() < 1e-12, "{rest:?}");
        }
    }

    #[test]
    fn a_column_made_of_the_others_brings_nothing() {
        let mut basis = Basis::default();
        basis.add(&[1.0, 1.0, 1.0]);
        basis.add(&[1.0, 2.0, 4.0]);
        assert!(!basis.add(&[3.0, 5.0, 9.0]));
        assert!(!basis.add(&[0.0; 3]));
        assert_eq!(basis.rank(), 2);
    }
}
