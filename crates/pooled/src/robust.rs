//! Robust ridge regression: the pseudo-Huber loss with a prior on every coefficient.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Where the loss turns from squared to absolute.
const DELTA: f64 = 0.5;
/// Farthest value of a standardised feature.
pub(crate) const FARTHEST: f64 = 4.0;
/// Steps at most, and the change at which they stop.
const ROUNDS: usize = 100;
const TOLERANCE: f64 = 1e-7;
/// The longest first step with a curvature of another fit.
const FIRST_LIMIT: f64 = 0.1;
/// How often a step is halved at most.
const HALVINGS: usize = 60;
/// Share of the loss that is rounding.
const LOSS_ROUNDING: f64 = 1e-13;
/// Share of a diagonal element below which what is left of it is rounding.
const LEAST_PIVOT: f64 = 1e-12;
/// Rows added up at a time; the order of sums does not depend on the number of threads.
const BLOCK: usize = 1024;
/// Rows added to the equations at once, so that each equation is read and written once for all of them.
const TOGETHER: usize = 4;

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

/// Intercept and coefficients, of standardised features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fit {
    pub(crate) intercept: f64,
    pub(crate) coefficients: Vec<f64>,
}

/// A similar fit, and how the loss bends there: a start that saves rounds and changes nothing else.
pub(crate) type Start<'a> = (&'a Fit, &'a Curvature);

/// Intercept and coefficients that minimise Σ √(r² + δ²) + ½ Σ λ b². A row counts where its target is a
/// number.
///
/// Each round is a step of Newton's. The gradient is cheap; the curvature is not, so that of a similar fit
/// or of an earlier round serves as long as each step is at most half as long as the last and leads down.
/// A step with its own curvature is halved until it leads down.
pub(crate) fn fit(
    rows: &Rows,
    targets: &[f32],
    penalties: &[f64],
    start: Option<Start<'_>>,
) -> (Fit, Curvature) {
    let (mut fit, mut curvature) = match start {
        Some((fit, curvature)) => (fit.clone(), curvature.clone()),
        None => {
            let fit = at_median(rows.width, targets);
            let curvature = Curvature::of(rows, targets, penalties, &fit);
            (fit, curvature)
        }
    };
    let mut slope = Slope::of(rows, targets, penalties, &fit);
    let mut limit = FIRST_LIMIT;
    for _ in 0..ROUNDS {
        let mut step = curvature.solve(&slope.down);
        let mut length = longest(&step);
        let mut moved = fit.moved(&step);
        let mut next = (length <= limit)
            .then(|| Slope::of(rows, targets, penalties, &moved))
            .filter(|next| next.is_not_above(&slope));
        if next.is_none() {
            curvature = Curvature::of(rows, targets, penalties, &fit);
            step = curvature.solve(&slope.down);
            for _ in 0..HALVINGS {
                length = longest(&step);
                moved = fit.moved(&step);
                let there = Slope::of(rows, targets, penalties, &moved);
                if there.is_not_above(&slope) {
                    next = Some(there);
                    break;
                }
                for part in &mut step {
                    *part /= 2.0;
                }
            }
        }
        let Some(next) = next else {
            break;
        };
        (fit, slope, limit) = (moved, next, length / 2.0);
        if length < TOLERANCE {
            break;
        }
    }
    (fit, curvature)
}

impl Fit {
    fn moved(&self, step: &[f64]) -> Self {
        let (intercept, coefficients) = step.split_last().unwrap_or((&0.0, &[]));
        let moved = self.coefficients.iter().zip(coefficients);
        Self {
            intercept: self.intercept + intercept,
            coefficients: moved.map(|(value, step)| value + step).collect(),
        }
    }
}

fn at_median(width: usize, targets: &[f32]) -> Fit {
    let mut known: Vec<f64> = targets
        .iter()
        .filter(|target| target.is_finite())
        .map(|target| f64::from(*target))
        .collect();
    Fit {
        intercept: if known.is_empty() {
            0.0
        } else {
            crate::own::median(&mut known)
        },
        coefficients: vec![0.0; width],
    }
}

fn longest(step: &[f64]) -> f64 {
    step.iter().map(|part| part.abs()).fold(0.0, f64::max)
}

/// Adds up what blocks of rows give, in their order. A row is its features, then 1 for the intercept;
/// its residual comes with it.
fn sum_of_blocks(
    rows: &Rows,
    targets: &[f32],
    fit: &Fit,
    length: usize,
    add: impl Fn(&mut Block<'_>) + Sync,
) -> Vec<f64> {
    let width = rows.width;
    let blocks: Vec<Vec<f64>> = rows
        .values
        .par_chunks(BLOCK * width.max(1))
        .zip(targets.par_chunks(BLOCK))
        .map(|(rows, targets)| {
            let mut sum = vec![0.0; length];
            // The same arithmetic on every machine, on as many numbers at once as it can.
            pulp::Arch::new().dispatch(|| {
                add(&mut Block {
                    rows,
                    targets,
                    fit,
                    sum: &mut sum,
                });
            });
            sum
        })
        .collect();
    let mut sum = vec![0.0; length];
    for block in blocks {
        for (sum, part) in sum.iter_mut().zip(block) {
            *sum += part;
        }
    }
    sum
}

struct Block<'a> {
    rows: &'a [f32],
    targets: &'a [f32],
    fit: &'a Fit,
    sum: &'a mut [f64],
}

impl Block<'_> {
    /// Shows each row that counts, with 1 for the intercept, and its residual.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "else it is not compiled for the machine at hand"
    )]
    fn each(&mut self, mut visit: impl FnMut(&mut [f64], &[f64], f64)) {
        let width = self.fit.coefficients.len();
        let mut row = vec![1.0; width + 1];
        for (values, target) in self.rows.chunks_exact(width).zip(self.targets) {
            if !target.is_finite() {
                continue;
            }
            for (into, value) in row.iter_mut().zip(values) {
                *into = f64::from(*value);
            }
            let forecast = dot(&row[..width], &self.fit.coefficients) + self.fit.intercept;
            visit(self.sum, &row, f64::from(*target) - forecast);
        }
    }
}

/// The loss, and the way down from there: minus its gradient, the intercept last.
struct Slope {
    loss: f64,
    down: Vec<f64>,
}

impl Slope {
    fn of(rows: &Rows, targets: &[f32], penalties: &[f64], fit: &Fit) -> Self {
        let mut down = sum_of_blocks(rows, targets, fit, rows.width + 2, |block| {
            block.each(|sum, row, residual| {
                let size = (residual * residual + DELTA * DELTA).sqrt();
                let slope = residual / size;
                for (sum, value) in sum.iter_mut().zip(row) {
                    *sum += slope * value;
                }
                sum[row.len()] += size;
            });
        });
        let mut loss = down.pop().unwrap_or(0.0);
        let each = penalties.iter().zip(&fit.coefficients);
        for (down, (penalty, coefficient)) in down.iter_mut().zip(each) {
            *down -= penalty * coefficient;
            loss += penalty * coefficient * coefficient / 2.0;
        }
        Self { loss, down }
    }

    /// Up to rounding, which at the minimum is all there is.
    fn is_not_above(&self, other: &Self) -> bool {
        self.loss <= other.loss * (1.0 + LOSS_ROUNDING)
    }
}

/// How the loss bends, decomposed (Cholesky): the lower half; the last row is that of the intercept.
#[derive(Debug, Clone)]
pub(crate) struct Curvature {
    size: usize,
    matrix: Vec<f64>,
}

impl Curvature {
    fn of(rows: &Rows, targets: &[f32], penalties: &[f64], fit: &Fit) -> Self {
        let size = rows.width + 1;
        let matrix = sum_of_blocks(rows, targets, fit, size * size, |block| {
            let mut plain = vec![0.0; TOGETHER * size];
            let mut weighted = plain.clone();
            let mut filled = 0;
            block.each(|sum, row, residual| {
                let square = residual * residual + DELTA * DELTA;
                let weight = DELTA * DELTA / (square * square.sqrt());
                plain[filled * size..][..size].copy_from_slice(row);
                for (into, value) in weighted[filled * size..][..size].iter_mut().zip(row) {
                    *into = weight * value;
                }
                filled += 1;
                if filled == TOGETHER {
                    add_products(sum, size, &plain, &weighted);
                    filled = 0;
                }
            });
            weighted[filled * size..].fill(0.0);
            add_products(block.sum, size, &plain, &weighted);
        });
        Self { size, matrix }.decompose(penalties)
    }

    /// What the rows and the penalties leave open stays as it is.
    fn decompose(mut self, penalties: &[f64]) -> Self {
        let size = self.size;
        for (place, penalty) in penalties.iter().enumerate() {
            self.matrix[place * size + place] += penalty;
        }
        for row in 0..size {
            let (above, this) = self.matrix.split_at_mut(row * size);
            for column in 0..row {
                let other = &above[column * size..];
                let sum = this[column] - dot(&this[..column], &other[..column]);
                this[column] = sum / other[column];
            }
            let pivot = this[row] - dot(&this[..row], &this[..row]);
            // Divided by infinity, all that follows from this row is 0.
            this[row] = if pivot > LEAST_PIVOT * this[row] {
                pivot.sqrt()
            } else {
                f64::INFINITY
            };
        }
        self
    }

    fn solve(&self, right: &[f64]) -> Vec<f64> {
        let size = self.size;
        let at = |row: usize, column: usize| self.matrix[row * size + column];
        let mut solved = right.to_vec();
        for row in 0..size {
            let before = dot(&self.matrix[row * size..][..row], &solved[..row]);
            solved[row] = (solved[row] - before) / at(row, row);
        }
        for row in (0..size).rev() {
            let after: f64 = (row + 1..size)
                .map(|below| at(below, row) * solved[below])
                .sum();
            solved[row] = (solved[row] - after) / at(row, row);
        }
        solved
    }
}

/// Adds the products of [`TOGETHER`] rows to the lower half of a matrix.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "else it is not compiled for the machine at hand"
)]
fn add_products(matrix: &mut [f64], size: usize, plain: &[f64], weighted: &[f64]) {
    let (zeroth, rest) = plain.split_at(size);
    let (first, rest) = rest.split_at(size);
    let (second, third) = rest.split_at(size);
    for (place, row) in matrix.chunks_exact_mut(size).enumerate() {
        let of = |together: usize| weighted[together * size + place];
        let (a, b, c, d) = (of(0), of(1), of(2), of(3));
        for ((((sum, w), x), y), z) in row[..=place]
            .iter_mut()
            .zip(zeroth)
            .zip(first)
            .zip(second)
            .zip(third)
        {
            *sum += (a * w + b * x) + (c * y + d * z);
        }
    }
}

/// Lanes of a sum, which a compiler can add side by side.
const LANES: usize = 4;

/// The sum of products of two slices of one length.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "else it is not compiled for the machine at hand"
)]
pub(crate) fn dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [0.0; LANES];
    let (lefts, rights) = (left.chunks_exact(LANES), right.chunks_exact(LANES));
    let rest: f64 = lefts
        .remainder()
        .iter()
        .zip(rights.remainder())
        .map(|(left, right)| left * right)
        .sum();
    for (left, right) in lefts.zip(rights) {
        for (lane, (left, right)) in lanes.iter_mut().zip(left.iter().zip(right)) {
            *lane += left * right;
        }
    }
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(width: usize, values: Vec<f32>) -> Rows {
        Rows { width, values }
    }

    /// The gradient of Σ √(r² + δ²) + ½ Σ λ b², row by row.
    fn slopes(rows: &Rows, targets: &[f32], penalties: &[f64], fit: &Fit) -> Vec<f64> {
        let mut slopes: Vec<f64> = penalties
            .iter()
            .zip(&fit.coefficients)
            .map(|(penalty, coefficient)| penalty * coefficient)
            .chain([0.0])
            .collect();
        for (row, target) in rows.values.chunks_exact(rows.width).zip(targets) {
            if target.is_nan() {
                continue;
            }
            let products = row.iter().zip(&fit.coefficients);
            let forecast: f64 = products.map(|(value, of)| f64::from(*value) * of).sum();
            let residual = f64::from(*target) - forecast - fit.intercept;
            let outer = -residual / residual.hypot(DELTA);
            for (slope, value) in slopes.iter_mut().zip(row.iter().chain(&[1.0])) {
                *slope += outer * f64::from(*value);
            }
        }
        slopes
    }

    #[test]
    fn without_features_the_intercept_lies_where_slopes_cancel() {
        // Symmetric around 3, so the median and the minimum are 3, however far the outermost are.
        let targets = [-1e6_f32, 2.0, 3.0, 4.0, 1e6 + 6.0];
        let (fit, _) = fit(&rows(1, vec![0.0; 5]), &targets, &[100.0], None);
        assert!((fit.intercept - 3.0).abs() < 1e-4, "{fit:?}");
        assert_eq!(fit.coefficients, [0.0]);
    }

    #[test]
    fn one_feature_with_a_prior_is_where_a_search_finds_it() {
        let values = [-1.0_f32, -0.5, 0.5, 1.0, 0.0, 0.3];
        let targets: Vec<f32> = values.iter().map(|value| 2.0 * value).collect();
        let (found, _) = fit(&rows(1, values.to_vec()), &targets, &[1.5], None);
        let loss = |slope: f64, intercept: f64| {
            let each = values.iter().zip(&targets).map(|(value, target)| {
                (f64::from(*target) - slope * f64::from(*value) - intercept).hypot(DELTA)
            });
            each.sum::<f64>() + 0.75 * slope * slope
        };
        let least = loss(found.coefficients[0], found.intercept);
        for step in [-1e-3, 1e-3] {
            assert!(loss(found.coefficients[0] + step, found.intercept) > least);
            assert!(loss(found.coefficients[0], found.intercept + step) > least);
        }
        assert!((0.5..1.9).contains(&found.coefficients[0]), "{found:?}");
    }

    #[test]
    fn no_rows_say_nothing() {
        let (fit, curvature) = fit(&rows(2, Vec::new()), &[], &[1.0, 1.0], None);
        assert_eq!(
            fit,
            Fit {
                intercept: 0.0,
                coefficients: vec![0.0; 2]
            }
        );
        assert_eq!(curvature.solve(&[0.0; 3]), [0.0; 3]);
        let missing = rows(1, vec![1.0, 2.0]);
        let (fit, _) = super::fit(&missing, &[f32::NAN; 2], &[1.0], None);
        assert_eq!(fit.intercept, 0.0);
    }

    #[test]
    fn a_feature_that_never_changes_gets_0() {
        let mut all = rows(2, Vec::new());
        for row in 0..50_u8 {
            all.values.extend([7.5, f32::from(row % 9)]);
        }
        let (means, spreads) = standardisation(&all);
        assert_eq!((means[0], spreads[0]), (7.5, f64::INFINITY));
        for row in all.values.chunks_exact_mut(2) {
            for place in 0..2 {
                row[place] =
                    standardised(f64::from(row[place]), means[place], spreads[place]) as f32;
            }
        }
        let targets: Vec<f32> = all.values.chunks_exact(2).map(|row| row[1] + 1.0).collect();
        // Without a prior, too, where nothing else decides.
        for penalty in [100.0, 0.0] {
            let (fit, _) = fit(&all, &targets, &[penalty, 1.0], None);
            assert_eq!(fit.coefficients[0], 0.0);
            assert!(fit.coefficients[1] > 0.5, "{fit:?}");
        }
    }

    #[test]
    fn missing_features_count_neither_in_the_mean_nor_in_the_spread() {
        let all = rows(1, vec![1.0, f32::NAN, 3.0, f32::NAN]);
        assert_eq!(standardisation(&all), (vec![2.0], vec![1.0]));
        assert_eq!(standardised(f64::NAN, 2.0, 1.0), 0.0);
        assert_eq!(standardised(99.0, 2.0, 1.0), FARTHEST);
        assert_eq!(standardised(-99.0, 2.0, 1.0), -FARTHEST);
    }

    prop_compose! {
        fn problem()(width in 1_usize..6, count in 1_usize..60)(
            values in prop::collection::vec(-4.0_f32..4.0, width * count),
            targets in prop::collection::vec(
                prop_oneof![8 => -5.0_f32..5.0, 1 => -90.0_f32..90.0, 1 => Just(f32::NAN)], count,
            ),
            penalties in prop::collection::vec(0.5_f64..200.0, width),
            width in Just(width),
        ) -> (Rows, Vec<f32>, Vec<f64>) {
            (rows(width, values), targets, penalties)
        }
    }

    proptest! {
        #[test]
        fn at_the_solution_no_coefficient_has_a_slope((rows, targets, penalties) in problem()) {
            let (fit, _) = fit(&rows, &targets, &penalties, None);
            for slope in slopes(&rows, &targets, &penalties, &fit) {
                prop_assert!(slope.abs() < 1e-4, "{slope}");
            }
            // The same, as the fit itself adds it up.
            for down in Slope::of(&rows, &targets, &penalties, &fit).down {
                prop_assert!(down.abs() < 1e-4, "{down}");
            }
        }

        #[test]
        fn a_start_changes_nothing_but_the_time(
            (rows, targets, penalties) in problem(), other in prop::collection::vec(-9.0_f32..9.0, 60),
        ) {
            let (cold, _) = fit(&rows, &targets, &penalties, None);
            let (elsewhere, curvature) = fit(&rows, &other[..targets.len()], &penalties, None);
            let (warm, _) = fit(&rows, &targets, &penalties, Some((&elsewhere, &curvature)));
            for (left, right) in warm.coefficients.iter().zip(&cold.coefficients) {
                prop_assert!((left - right).abs() < 1e-5, "{left} {right}");
            }
        }
    }
}
