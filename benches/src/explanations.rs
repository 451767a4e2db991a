//! Explanations and the test of an experiment, for the criterion benches and for the peers' table.

#![allow(clippy::unwrap_used)]

use std::convert::Infallible;
use std::hint::black_box;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use vitalcast_insight::counterfactual::{Chosen, Goal, Range, search};
use vitalcast_insight::{Effort, Mix, experiment::sign_flip_test, shapley};
use vitalcast_models::{BoostedTrees, Network, Windows};

use crate::rows::{DAYS, INPUTS, SMALL, cells, config};

/// Earlier windows that a network's forecast is compared with.
const BACKGROUNDS: usize = 30;
/// Rows that trees are compared with in the interventional game.
const BACKGROUND_ROWS: usize = 100;

/// What is not known when a forecast of trees is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It is as in the training rows that came the same way.
    AsOnTheWay,
    /// It is as in each of 100 rows.
    AsInOtherRows,
}

/// Shapley values of forecasts of the small trees: 100 of depth 4, 20 columns.
pub fn trees(unknown: Unknown, forecasts: usize) -> Box<dyn Fn()> {
    let (learned, targets) = SMALL.table();
    let trees = BoostedTrees::fit(&learned, &targets, &SMALL.options()).unwrap();
    let explainer = match unknown {
        Unknown::AsOnTheWay => trees.explainer().unwrap(),
        Unknown::AsInOtherRows => {
            let (background, _) = SMALL.with_rows(BACKGROUND_ROWS).table();
            trees.explainer_against(&background).unwrap()
        }
    };
    let (rows, _) = SMALL.with_rows(forecasts).table();
    Box::new(move || {
        black_box(explainer.explain_rows(black_box(&rows)));
    })
}

/// Makes what explains the small trees against 100 rows.
pub fn explainer_of_trees() -> Box<dyn Fn()> {
    let (learned, targets) = SMALL.table();
    let trees = BoostedTrees::fit(&learned, &targets, &SMALL.options()).unwrap();
    let (background, _) = SMALL.with_rows(BACKGROUND_ROWS).table();
    Box::new(move || {
        black_box(trees.explainer_against(&background).unwrap());
    })
}

/// Shapley values of the features of one window of the default network, against 30 others.
pub fn network(evaluations: usize) -> Box<dyn Fn()> {
    let network = Network::new(&config(), 1).unwrap();
    let values = cells(1 + BACKGROUNDS);
    let effort = Effort {
        evaluations,
        seed: 11,
    };
    let differs = vec![vec![true; INPUTS]; BACKGROUNDS];
    Box::new(move || {
        let (own, others) = values.split_at(DAYS * INPUTS);
        let ask = |mixes: &[Mix]| -> Result<Vec<f64>, Infallible> {
            let mut mixed = Vec::with_capacity(mixes.len() * own.len());
            for mix in mixes {
                let other = &others[mix.background * own.len()..][..own.len()];
                let cells = own.iter().zip(other).enumerate();
                mixed.extend(cells.map(|(cell, (own, other))| {
                    if mix.present[cell % INPUTS] {
                        *own
                    } else {
                        *other
                    }
                }));
            }
            let mixed = Windows::new(mixes.len(), DAYS, INPUTS, mixed).unwrap();
            let said = network.predict(&mixed).unwrap();
            Ok(said.into_iter().map(f64::from).collect())
        };
        black_box(shapley(&differs, effort, ask).unwrap());
    })
}

/// Four counterfactuals of a forecast of the small trees: at most three of 20 columns change, within the 5 %
/// and 95 % quantiles of the columns, for a forecast that is higher by 1.5.
pub fn counterfactual() -> Box<dyn Fn()> {
    let (learned, targets) = SMALL.table();
    let trees = BoostedTrees::fit(&learned, &targets, &SMALL.options()).unwrap();
    let mut row = vec![0.0_f32; SMALL.columns];
    (row[0], row[1]) = (0.5, -0.5);
    let ranges: Vec<Range> = row
        .iter()
        .map(|value| Range {
            current: Some(f64::from(*value)),
            values: vec![-0.9, -0.5, 0.0, 0.5, 0.9],
            spread: 0.58,
            step: 0.01,
        })
        .collect();
    let base = trees.predict_row(&row);
    let goal = Goal {
        base,
        target: base + 1.5,
        most_changes: 3,
        smallest: false,
    };
    Box::new(move || {
        let mut evaluate = |changes: &[Chosen]| -> Result<Option<f64>, Infallible> {
            let mut row = row.clone();
            for (column, value) in changes {
                row[*column] = *value as f32;
            }
            Ok(Some(trees.predict_row(&row)))
        };
        black_box(search(&ranges, goal, &mut evaluate).unwrap());
    })
}

/// The randomisation test of an experiment of 20 pairs, with 10,000 draws.
pub fn randomisation() -> Box<dyn Fn()> {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let differences: Vec<f64> = (0..20)
        .map(|_| 0.5 + random.random_range(-2.0..2.0))
        .collect();
    Box::new(move || {
        black_box(sign_flip_test(black_box(&differences), 0.95, 1).unwrap());
    })
}
