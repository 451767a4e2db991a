//! Robust ridge regression: the pseudo-Huber loss with a prior on every coefficient, by iteratively
//! reweighted least squares.

use rayon::prelude::*;

/// Where the loss turns from squared to absolute.
const DELTA: f64 = 0.5;
/// Farthest value of a standardised feature.
pub(crate) const FARTHEST: f64 = 4.0;
/// Rounds of reweighting, and the change at which they stop.
const ROUNDS: usize = 50;
const TOLERANCE: f64 = 1e-6;
/// Sweeps over the coefficients within a round.
const SWEEPS: usize = 200;
/// Rows added up at a time; the order of sums does not depend on the number of threads.
const BLOCK: usize = 1024;

/// Rows of features, standardised, 0 where a feature is missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) width: usize,
    pub(crate) values: Vec<f32>,
}

impl Rows {
    pub(crate) fn count(&self) -> usize {
        self.values.len() / self.width.max(1)
    }
}

/// Mean and standard deviation of each feature over the rows that have it.
pub(crate) fn standardisation(rows: &Rows) -> (Vec<f64>, Vec<f64>) {
    let mut counts = vec![0.0_f64; rows.width];
    let mut sums = vec![0.0_f64; rows.width];
    let mut squares = vec![0.0_f64; rows.width];
    for row in rows.values.chunks_exact(rows.width) {
        for (place, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
            counts[place] += 1.0;
            sums[place] += f64::from(*value);
            squares[place] += f64::from(*value).powi(2);
        }
    }
    (0..rows.width)
        .map(|place| {
            let count = counts[place].max(1.0);
            let mean = sums[place] / count;
            let variance = squares[place] / count - mean * mean;
            // A feature that never changes has nothing to say.
            let spread = if variance > 1e-12 * (1.0 + mean * mean) {
                variance.sqrt()
            } else {
                f64::INFINITY
            };
            (mean, spread)
        })
        .unzip()
}

/// A feature as the regression reads it.
pub(crate) fn standardised(value: f64, mean: f64, spread: f64) -> f64 {
    if value.is_nan() {
        return 0.0;
    }
    ((value - mean) / spread).clamp(-FARTHEST, FARTHEST)
}

/// Intercept and coefficients that minimise Σ √(r² + δ²) + ½ Σ λ b². A row counts where it is asked for.
pub(crate) fn fit(
    rows: &Rows,
    targets: &[f32],
    counts: &[bool],
    penalties: &[f64],
) -> (f64, Vec<f64>) {
    let width = rows.width;
    let mut kept: Vec<f64> = targets
        .iter()
        .zip(counts)
        .filter_map(|(target, counts)| counts.then_some(f64::from(*target)))
        .collect();
    let mut intercept = if kept.is_empty() {
        0.0
    } else {
        crate::own::median(&mut kept)
    };
    let mut coefficients = vec![0.0; width];
    for _ in 0..ROUNDS {
        let system = System::new(rows, targets, counts, intercept, &coefficients);
        let before = (intercept, coefficients.clone());
        system.solve(penalties, &mut intercept, &mut coefficients);
        let change = coefficients
            .iter()
            .zip(&before.1)
            .map(|(now, then)| (now - then).abs())
            .fold((intercept - before.0).abs(), f64::max);
        if change < TOLERANCE {
            break;
        }
    }
    (intercept, coefficients)
}

/// Weighted normal equations; the last row and column are those of the intercept.
struct System {
    size: usize,
    matrix: Vec<f64>,
    right: Vec<f64>,
}

impl System {
    fn new(
        rows: &Rows,
        targets: &[f32],
        counts: &[bool],
        intercept: f64,
        coefficients: &[f64],
    ) -> Self {
        let width = rows.width;
        let blocks: Vec<Self> = rows
            .values
            .par_chunks(BLOCK * width)
            .zip(targets.par_chunks(BLOCK))
            .zip(counts.par_chunks(BLOCK))
            .map(|((rows, targets), counts)| {
                let mut system = Self::empty(width + 1);
                let mut filled: Vec<(usize, f64)> = Vec::with_capacity(width + 1);
                for ((row, target), counts) in rows.chunks_exact(width).zip(targets).zip(counts) {
                    if !counts {
                        continue;
                    }
                    filled.clear();
                    filled.extend(
                        row.iter()
                            .enumerate()
                            .filter(|(_, value)| **value != 0.0)
                            .map(|(place, value)| (place, f64::from(*value))),
                    );
                    let forecast: f64 = intercept
                        + filled
                            .iter()
                            .map(|(place, value)| coefficients[*place] * value)
                            .sum::<f64>();
                    let target = f64::from(*target);
                    let weight = 1.0 / (target - forecast).hypot(DELTA);
                    filled.push((width, 1.0));
                    system.add(&filled, target, weight);
                }
                system
            })
            .collect();
        let mut sum = Self::empty(width + 1);
        for block in blocks {
            for (sum, part) in sum.matrix.iter_mut().zip(block.matrix) {
                *sum += part;
            }
            for (sum, part) in sum.right.iter_mut().zip(block.right) {
                *sum += part;
            }
        }
        sum
    }

    fn empty(size: usize) -> Self {
        Self {
            size,
            matrix: vec![0.0; size * size],
            right: vec![0.0; size],
        }
    }

    fn add(&mut self, filled: &[(usize, f64)], target: f64, weight: f64) {
        for (index, (place, value)) in filled.iter().enumerate() {
            let weighted = weight * value;
            self.right[*place] += weighted * target;
            let row = &mut self.matrix[place * self.size..];
            for (other, value) in &filled[..=index] {
                row[*other] += weighted * value;
            }
        }
    }

    /// Gauss and Seidel's sweeps from where the coefficients are: the penalties make them converge.
    fn solve(&self, penalties: &[f64], intercept: &mut f64, coefficients: &mut [f64]) {
        let size = self.size;
        let at = |row: usize, column: usize| self.matrix[row.max(column) * size + row.min(column)];
        let mut all: Vec<f64> = coefficients.to_vec();
        all.push(*intercept);
        for _ in 0..SWEEPS {
            let mut change = 0.0_f64;
            for row in (0..size).rev() {
                let penalty = penalties.get(row).copied().unwrap_or(0.0);
                let diagonal = at(row, row) + penalty;
                if diagonal <= 0.0 {
                    continue;
                }
                let others: f64 = (0..size)
                    .filter(|column| *column != row)
                    .map(|column| at(row, column) * all[column])
                    .sum();
                let value = (self.right[row] - others) / diagonal;
                change = change.max((value - all[row]).abs());
                all[row] = value;
            }
            if change < TOLERANCE / 10.0 {
                break;
            }
        }
        *intercept = all[size - 1];
        coefficients.copy_from_slice(&all[..size - 1]);
    }
}
