//! Small symmetric systems.

/// Solves (A + ridge) x = b for a symmetric positive definite matrix by Cholesky's method.
///
/// `matrix` is `[n × n]`, row by row, of which the lower triangle is read. `None` when it is not
/// positive definite.
pub(super) fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let factor = Cholesky::new(matrix, right.len())?;
    Some(factor.solve(right))
}

/// A = L Lᵀ.
pub(super) struct Cholesky {
    size: usize,
    lower: Vec<f64>,
}

impl Cholesky {
    pub(super) fn new(matrix: &[f64], size: usize) -> Option<Self> {
        let mut lower = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let dot: f64 = (0..column)
                    .map(|k| lower[row * size + k] * lower[column * size + k])
                    .sum();
                let rest = matrix[row * size + column] - dot;
                lower[row * size + column] = if row == column {
                    if rest.is_nan() || rest <= 0.0 {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / lower[column * size + column]
                };
            }
        }
        Some(Self { size, lower })
    }

    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let Self { size, lower } = self;
        let size = *size;
        let mut x = right.to_vec();
        for row in 0..size {
            let dot: f64 = (0..row).map(|k| lower[row * size + k] * x[k]).sum();
            x[row] = (x[row] - dot) / lower[row * size + row];
        }
        for row in (0..size).rev() {
            let dot: f64 = (row + 1..size).map(|k| lower[k * size + row] * x[k]).sum();
            x[row] = (x[row] - dot) / lower[row * size + row];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved_and_a_singular_one_refused() {
        let matrix = [4.0, 2.0, 0.6, 2.0, 3.0, 0.4, 0.6, 0.4, 2.0];
        let x = solve(&matrix, &[1.0, -2.0, 3.0]).unwrap();
        for (row, expected) in [1.0, -2.0, 3.0].into_iter().enumerate() {
            let found: f64 = (0..3).map(|k| matrix[row * 3 + k] * x[k]).sum();
            assert!((found - expected).abs() < 1e-12, "{x:?}");
        }
        assert_eq!(solve(&[1.0, 1.0, 1.0, 1.0], &[1.0, 1.0]), None);
        assert_eq!(solve(&[f64::NAN], &[1.0]), None);
    }
}
