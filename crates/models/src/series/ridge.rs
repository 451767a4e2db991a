//! Ridge regression (Hoerl and Kennard 1970) on lags, of what is left when the last value's persistence
//! is taken off, with the penalty that forecasts left-out days best (the closed form of leaving one
//! out, Allen 1974).

use super::lags::{Known, WIDTH, examples, persistence};
use super::linear_algebra::Cholesky;
use super::parts::of_lag;
use super::{SeriesForecaster, SeriesKind, SeriesPart, Sum, TreeGame, finite};
use crate::error::ModelError;
use serde::{Deserialize, Serialize};

/// Penalties tried, relative to the number of examples.
const PENALTIES: [f64; 8] = [1e-4, 1e-3, 1e-2, 0.03, 0.1, 0.3, 1.0, 10.0];
/// Inputs: each value known, and whether it is missing.
const INPUTS: usize = 2 * WIDTH;
/// Fewest examples worth fitting to.
const FEWEST: usize = 10;

/// Ridge regressions, one for each lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RidgeModel {
    leads: Vec<Regression>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Regression {
    /// See [`persistence`].
    persistence: f64,
    means: Vec<f64>,
    weights: Vec<f64>,
    intercept: f64,
}

impl RidgeModel {
    /// Fits leads 1 to `horizon` to one or more histories; a longer lead is forecast as the longest.
    pub(super) fn fit(histories: &[&[Option<f64>]], horizon: usize) -> Result<Self, ModelError> {
        let leads = (1..=horizon.max(1))
            .map(|lead| Regression::fit(histories, lead))
            .collect::<Result<_, _>>()?;
        Ok(Self { leads })
    }
}

impl SeriesForecaster for RidgeModel {
    fn name(&self) -> &'static str {
        "ridge"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let lead = lead.clamp(1, self.leads.len().max(1));
        let regression = self.leads.get(lead - 1)?;
        let known = Known::at(history, lead)?;
        let inputs = inputs(&known.values);
        let change: f64 = inputs
            .iter()
            .zip(&regression.means)
            .zip(&regression.weights)
            .map(|((input, mean), weight)| (input - mean) * weight)
            .sum();
        let kept = regression.persistence * Known::last(&known.values);
        finite(known.level + kept + regression.intercept + change, history)
    }
}

impl SeriesKind for RidgeModel {
    /// The level, the persistence of the last value, the intercept, and weight × input of each lag, a value
    /// and whether it is missing together.
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        _: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let lead = lead.clamp(1, self.leads.len().max(1));
        let (Some(regression), Some(known)) = (self.leads.get(lead - 1), Known::at(history, lead))
        else {
            return Ok(None);
        };
        let kept = regression.persistence * Known::last(&known.values);
        let mut parts = vec![
            (SeriesPart::Level, known.level),
            (SeriesPart::LastValue, kept),
            (SeriesPart::Constant, regression.intercept),
        ];
        let weighted = regression.means.iter().zip(&regression.weights);
        let inputs = inputs(&known.values).into_iter().zip(weighted);
        parts.extend(inputs.enumerate().map(|(place, (input, (mean, weight)))| {
            (of_lag(place % WIDTH), (input - mean) * weight)
        }));
        Ok(Some(Sum { parts, trees: None }))
    }

    /// Weights, intercepts and persistences of all leads.
    fn parameter_count(&self) -> usize {
        self.leads.iter().map(|lead| lead.weights.len() + 2).sum()
    }
}

/// A missing value is zero, which is the series' level, and told by an input of its own.
fn inputs(values: &[f32; WIDTH]) -> [f64; INPUTS] {
    let mut inputs = [0.0; INPUTS];
    for (place, value) in values.iter().enumerate() {
        if value.is_nan() {
            inputs[WIDTH + place] = 1.0;
        } else {
            inputs[place] = f64::from(*value);
        }
    }
    inputs
}

impl Regression {
    fn fit(histories: &[&[Option<f64>]], lead: usize) -> Result<Self, ModelError> {
        let (known, mut targets) = examples(histories, lead);
        if known.len() < FEWEST {
            return Err(ModelError::TooShort {
                what: "examples for ridge regression on lags",
                needed: FEWEST,
                found: known.len(),
            });
        }
        let persistence = persistence(&known, &targets);
        for (target, known) in targets.iter_mut().zip(&known) {
            *target -= persistence * Known::last(known);
        }
        let count = known.len() as f64;
        let mut rows: Vec<[f64; INPUTS]> = known.iter().map(inputs).collect();
        let mut means = vec![0.0; INPUTS];
        for row in &rows {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += value / count;
            }
        }
        let mut scales = vec![0.0; INPUTS];
        for row in &mut rows {
            for ((value, mean), scale) in row.iter_mut().zip(&means).zip(&mut scales) {
                *value -= mean;
                *scale += value.powi(2) / count;
            }
        }
        for scale in &mut scales {
            // An input that never changes has nothing to say.
            *scale = if *scale > 1e-12 {
                1.0 / scale.sqrt()
            } else {
                0.0
            };
        }
        for row in &mut rows {
            for (value, scale) in row.iter_mut().zip(&scales) {
                *value *= scale;
            }
        }
        let intercept = targets.iter().sum::<f64>() / count;
        let mut matrix = vec![0.0; INPUTS * INPUTS];
        let mut right = vec![0.0; INPUTS];
        for (row, target) in rows.iter().zip(&targets) {
            for i in 0..INPUTS {
                right[i] += row[i] * (target - intercept);
                for j in 0..=i {
                    matrix[i * INPUTS + j] += row[i] * row[j];
                }
            }
        }
        let fitted = |penalty: f64| {
            let mut matrix = matrix.clone();
            for i in 0..INPUTS {
                matrix[i * INPUTS + i] += penalty * count;
            }
            let factor = Cholesky::new(&matrix, INPUTS)?;
            let weights = factor.solve(&right);
            let left_out: f64 = rows
                .iter()
                .zip(&targets)
                .map(|(row, target)| {
                    let leverage = dot(row, &factor.solve(row)) + 1.0 / count;
                    ((target - intercept - dot(row, &weights)) / (1.0 - leverage).max(1e-6)).powi(2)
                })
                .sum();
            Some((left_out, weights))
        };
        let (_, weights) = PENALTIES
            .into_iter()
            .filter_map(fitted)
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .unwrap_or((0.0, vec![0.0; INPUTS]));
        Ok(Self {
            persistence,
            weights: weights.iter().zip(&scales).map(|(w, s)| w * s).collect(),
            means,
            intercept,
        })
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}
