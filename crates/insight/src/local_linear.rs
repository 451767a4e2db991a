//! A linear model around one forecast (LIME; Ribeiro, Singh and Guestrin 2016): random players get the
//! values of a random background, and a ridge regression on who kept its own values is fitted to what the
//! model says, with more weight for forecasts in which most players kept theirs.

use crate::shapley::{Effort, Mix, in_batches, random_subset};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Width of the kernel, in shares of players that were exchanged.
const WIDTH: f64 = 0.5;
/// Penalty of the ridge regression, as a share of the sum of weights: small, it only makes the solution
/// unique.
const PENALTY: f64 = 1e-3;

/// A linear model around one forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalLinear {
    /// What it says where nobody keeps its own values.
    pub base: f64,
    /// What the model itself says of the forecast.
    pub value: f64,
    /// What each player that keeps its own values adds. They need not add up to the value.
    pub amounts: Vec<f64>,
    /// Weighted R² on the forecasts it was fitted to; `None` where these are all the same.
    pub fit: Option<f64>,
    /// Questions asked.
    pub evaluations: usize,
}

/// Fits a linear model around a forecast; the arguments are those of [`crate::shapley()`]. `None` without a
/// background.
///
/// # Errors
///
/// Those of `ask`.
pub fn local_linear<E>(
    differs: &[Vec<bool>],
    effort: Effort,
    mut ask: impl FnMut(&[Mix]) -> Result<Vec<f64>, E>,
) -> Result<Option<LocalLinear>, E> {
    let Some(players) = differs.first().map(Vec::len) else {
        return Ok(None);
    };
    let mut random = ChaCha8Rng::seed_from_u64(effort.seed);
    // Who never differs cannot be exchanged.
    let free: Vec<usize> = (0..players)
        .filter(|player| differs.iter().any(|differs| differs[*player]))
        .collect();
    let mut mixes = vec![Mix {
        present: vec![true; players],
        background: 0,
    }];
    for _ in 1..effort.evaluations.max(2) {
        let mut present = vec![true; players];
        for (player, is_present) in free.iter().zip(random_subset(&mut random, free.len())) {
            present[*player] = is_present;
        }
        mixes.push(Mix {
            present,
            background: random.random_range(0..differs.len()),
        });
    }
    let said = in_batches(&mixes, &mut ask)?;
    let rows: Vec<Vec<f64>> = mixes
        .iter()
        .map(|mix| {
            let of = |player: &usize| f64::from(u8::from(mix.present[*player]));
            free.iter().map(of).collect()
        })
        .collect();
    let weights: Vec<f64> = rows
        .iter()
        .map(|row| {
            let absent = 1.0 - row.iter().sum::<f64>() / row.len().max(1) as f64;
            (-(absent / WIDTH).powi(2)).exp()
        })
        .collect();
    let fitted = ridge(&rows, &said, &weights);
    let mut amounts = vec![0.0; players];
    for (player, amount) in free.iter().zip(&fitted.coefficients) {
        amounts[*player] = *amount;
    }
    Ok(Some(LocalLinear {
        base: fitted.intercept,
        value: said[0],
        amounts,
        fit: fitted.fit,
        evaluations: mixes.len(),
    }))
}

struct Ridge {
    intercept: f64,
    coefficients: Vec<f64>,
    fit: Option<f64>,
}

/// Weighted ridge regression with an intercept that is not penalised.
fn ridge(rows: &[Vec<f64>], said: &[f64], weights: &[f64]) -> Ridge {
    let width = rows.first().map_or(0, Vec::len);
    let total: f64 = weights.iter().sum();
    let weighted_mean = |of: &dyn Fn(usize) -> f64| {
        let sum: f64 = weights.iter().enumerate().map(|(row, w)| w * of(row)).sum();
        sum / total
    };
    let centre: Vec<f64> = (0..width)
        .map(|column| weighted_mean(&|row| rows[row][column]))
        .collect();
    let middle = weighted_mean(&|row| said[row]);
    let mut matrix = vec![0.0; width * width];
    let mut right = vec![0.0; width];
    for ((row, said), weight) in rows.iter().zip(said).zip(weights) {
        let centred: Vec<f64> = row.iter().zip(&centre).map(|(a, b)| a - b).collect();
        for (i, left) in centred.iter().enumerate() {
            right[i] += weight * left * (said - middle);
            for (j, other) in centred[..=i].iter().enumerate() {
                matrix[i * width + j] += weight * left * other;
            }
        }
    }
    for diagonal in 0..width {
        matrix[diagonal * width + diagonal] += PENALTY * total;
    }
    let coefficients = solve(matrix, right);
    let at = |row: &[f64]| {
        let terms = row.iter().zip(&centre).zip(&coefficients);
        middle + terms.map(|((a, b), of)| (a - b) * of).sum::<f64>()
    };
    let (mut left, mut all) = (0.0, 0.0);
    for ((row, said), weight) in rows.iter().zip(said).zip(weights) {
        left += weight * (said - at(row)).powi(2);
        all += weight * (said - middle).powi(2);
    }
    // No more than the rounding of numbers of this size.
    let least = total * (1e-6 * middle).powi(2);
    Ridge {
        intercept: at(&vec![0.0; width]),
        fit: (all > least).then(|| 1.0 - left / all),
        coefficients,
    }
}

/// Solves a symmetric positive definite system, of which the lower half is given (Cholesky).
fn solve(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j)
                .map(|k| matrix[i * size + k] * matrix[j * size + k])
                .sum();
            let rest = matrix[i * size + j] - known;
            matrix[i * size + j] = if i == j {
                rest.max(f64::MIN_POSITIVE).sqrt()
            } else {
                rest / matrix[j * size + j]
            };
        }
        let known: f64 = (0..i).map(|k| matrix[i * size + k] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i * size + i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| matrix[k * size + i] * right[k]).sum();
        right[i] = (right[i] - known) / matrix[i * size + i];
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn effort(evaluations: usize, seed: u64) -> Effort {
        Effort { evaluations, seed }
    }

    fn linear(mix: &Mix) -> f64 {
        let kept = |player: usize| f64::from(u8::from(mix.present[player]));
        60.0 + 2.0 * kept(0) - 0.5 * kept(1) + 0.0 * kept(2)
    }

    #[test]
    fn a_linear_forecast_is_fitted_wholly() {
        let differs = vec![vec![true; 3]; 2];
        let found = local_linear(&differs, effort(800, 1), |mixes| {
            Ok::<_, Infallible>(mixes.iter().map(linear).collect())
        });
        let found = found.unwrap().unwrap();
        // The ridge takes a little of each.
        for (amount, expected) in found.amounts.iter().zip([2.0, -0.5, 0.0]) {
            assert!((amount - expected).abs() < 0.02, "{found:?}");
        }
        assert!((found.base - 60.0).abs() < 0.03);
        assert!(found.fit.unwrap() > 0.999);
        assert_eq!((found.value, found.evaluations), (61.5, 800));
    }

    #[test]
    fn a_forecast_that_is_not_linear_says_so() {
        let differs = vec![vec![true; 6]];
        let parity =
            |mix: &Mix| f64::from(mix.present.iter().filter(|kept| **kept).count() as u32 % 2);
        let found = local_linear(&differs, effort(600, 1), |mixes| {
            Ok::<_, Infallible>(mixes.iter().map(parity).collect())
        });
        assert!(found.unwrap().unwrap().fit.unwrap() < 0.3);
    }

    #[test]
    fn a_forecast_that_never_changes_has_no_fit_and_no_amounts() {
        let differs = vec![vec![true; 3]];
        let found = local_linear(&differs, effort(100, 1), |mixes| {
            Ok::<_, Infallible>(vec![60.1; mixes.len()])
        });
        let found = found.unwrap().unwrap();
        assert_eq!(found.fit, None);
        assert!(found.amounts.iter().all(|amount| amount.abs() < 1e-9));
    }

    #[test]
    fn who_cannot_be_exchanged_gets_nothing_and_the_seed_decides() {
        let differs = vec![vec![true, true, false]];
        let run = |seed| {
            let found = local_linear(&differs, effort(70, seed), |mixes| {
                assert!(mixes.iter().all(|mix| mix.present[2]));
                Ok::<_, Infallible>(mixes.iter().map(linear).collect())
            });
            found.unwrap().unwrap()
        };
        assert_eq!(run(1).amounts[2], 0.0);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let nothing = local_linear(&[], effort(70, 1), |_| Ok::<_, Infallible>(vec![]));
        assert_eq!(nothing.unwrap(), None);
    }
}
