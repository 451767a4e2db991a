//! Shapley values of forecasts (Lundberg et al. 2020): what each feature adds, exactly.
//!
//! A leaf is reached where every column on its path is within some interval. Its value is a game of
//! these columns, and a tree's Shapley values are the sums over its leaves. In the path-dependent game
//! a column that is not known passes with the share of the training rows that passed; in the
//! interventional one it takes the value of a background row.
//!
//! With passing 0 or 1 for known columns (`o`) and a share for unknown ones (`z`), a column's value in
//! the path-dependent game is
//! `leaf · (oᵢ − zᵢ) · ∫₀¹ ∏ⱼ≠ᵢ (oⱼ·t + zⱼ·(1 − t)) dt`,
//! because `∫ tᵃ (1 − t)ᵇ dt = a! b! / (a + b + 1)!`, the Shapley weight. The integrand is a polynomial,
//! for which a Gauss–Legendre rule of half as many points as columns is exact; it is a product of
//! numbers above zero, so nothing cancels.

use super::{BoostedTrees, Node};
use crate::error::ModelError;
use crate::trees::table::Table;
use rayon::prelude::*;

/// Most columns on the way to a leaf.
const MAX_PATH: usize = 64;
/// Rows that a thread explains at once, at least.
const FEWEST_ROWS: usize = 16;
/// Most entries about a background.
const MAX_ENTRIES: usize = 1 << 26;

/// What each feature adds to a forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeExplanation {
    /// The forecast when nothing is known.
    pub base: f64,
    /// One number for each column, in the unit of the targets; with the base they add up to the
    /// forecast. A column that no tree splits on has 0.
    pub contributions: Vec<f64>,
}

/// Explains forecasts of one set of trees.
#[derive(Debug, Clone)]
pub struct TreeExplainer {
    columns: usize,
    base: f64,
    paths: Vec<Path>,
    /// Of all paths, one after the other.
    parts: Vec<Part>,
    game: Game,
}

/// The way to a leaf.
#[derive(Debug, Clone)]
struct Path {
    value: f64,
    parts: std::ops::Range<usize>,
}

/// What a path asks of one column.
#[derive(Debug, Clone, Copy)]
struct Part {
    column: u32,
    /// From here.
    low: f32,
    /// To below here.
    high: f32,
    missing_passes: bool,
    /// Of the rows that came to this column's splits, how many went on.
    share: f64,
}

impl Part {
    fn passes(&self, row: &[f32]) -> bool {
        let value = row.get(self.column as usize).copied().unwrap_or(f32::NAN);
        if value.is_nan() {
            self.missing_passes
        } else {
            self.low <= value && value < self.high
        }
    }
}

#[derive(Debug, Clone)]
enum Game {
    PathDependent {
        /// Points and weights on 0 to 1 of the rules of 1, 2, … points.
        rules: Vec<Vec<(f64, f64)>>,
    },
    Interventional {
        /// For each path, which of its parts the background rows pass, and the share of the rows.
        passed: Vec<Vec<(u64, f64)>>,
        /// `a! b! / (a + b + 1)!` at `a · 64 + b`.
        weights: Vec<f64>,
    },
}

impl BoostedTrees {
    /// Explains with path-dependent Shapley values: what is not known is as in the training rows that
    /// came the same way.
    ///
    /// # Errors
    ///
    /// [`ModelError::Trees`] for trees of the first release, which do not say how many rows each leaf
    /// was learned from, and for paths over more than 64 columns.
    pub fn explainer(&self) -> Result<TreeExplainer, ModelError> {
        let leaves = self.nodes.iter().filter(|node| node.is_leaf());
        if leaves.into_iter().any(|leaf| leaf.cover().is_none()) {
            return Err(ModelError::Trees(
                "they do not say how many rows each leaf was learned from; explain them against a \
                 background"
                    .to_owned(),
            ));
        }
        let (paths, parts) = self.paths()?;
        let longest = paths.iter().map(|path| path.parts.len()).max().unwrap_or(0);
        let reached = paths.iter().map(|path| {
            let shares = parts[path.parts.clone()].iter().map(|part| part.share);
            path.value * shares.product::<f64>()
        });
        Ok(TreeExplainer {
            columns: self.columns(),
            base: self.base + reached.sum::<f64>(),
            game: Game::PathDependent {
                rules: (1..=longest.div_ceil(2)).map(gauss_legendre).collect(),
            },
            paths,
            parts,
        })
    }

    /// Explains with interventional Shapley values: what is not known is as in the rows of a
    /// background, each as likely as any other.
    ///
    /// # Errors
    ///
    /// [`ModelError::Width`] for a background of another width, [`ModelError::OutOfBounds`] for one with
    /// too many rows for so many leaves, [`ModelError::Trees`] for paths over more than 64 columns.
    pub fn explainer_against(&self, background: &Table) -> Result<TreeExplainer, ModelError> {
        self.fits(background)?;
        let (paths, parts) = self.paths()?;
        let rows = background.rows();
        let entries = paths.iter().map(|path| {
            let masks = 1_usize
                .checked_shl(path.parts.len() as u32)
                .unwrap_or(usize::MAX);
            masks.min(rows)
        });
        let entries = entries.fold(0_usize, usize::saturating_add);
        let (low, high) = (0.0, MAX_ENTRIES as f64);
        crate::error::within("leaves × rows of the background", entries as f64, low, high)?;
        let mut base = self.base;
        let mut masks = Vec::with_capacity(rows);
        let mut passed = Vec::with_capacity(paths.len());
        for path in &paths {
            let parts = &parts[path.parts.clone()];
            masks.clear();
            masks.extend((0..rows).map(|row| mask(parts, background.row(row))));
            masks.sort_unstable();
            let groups = masks.chunk_by(|a, b| a == b);
            let groups: Vec<(u64, f64)> = groups
                .map(|group| (group[0], group.len() as f64 / rows as f64))
                .collect();
            let all = groups.iter().filter(|group| group.0 == full(parts.len()));
            base += path.value * all.map(|group| group.1).sum::<f64>();
            passed.push(groups);
        }
        Ok(TreeExplainer {
            columns: self.columns(),
            base,
            paths,
            parts,
            game: Game::Interventional {
                passed,
                weights: shapley_weights(),
            },
        })
    }

    /// All ways to leaves.
    fn paths(&self) -> Result<(Vec<Path>, Vec<Part>), ModelError> {
        let mut paths = Vec::new();
        let mut all = Vec::new();
        for (first, nodes) in self.trees() {
            // Children lie after their parents, so the last node comes first.
            let mut covers = vec![0.0_f64; nodes.len()];
            for (place, node) in nodes.iter().enumerate().rev() {
                let children = [node.left, node.right, node.missing];
                covers[place] = if node.is_leaf() {
                    f64::from(node.cover().unwrap_or(1.0))
                } else {
                    let both = [0, 1].map(|side| covers[(children[side] - first) as usize]);
                    let own = node.missing != node.left && node.missing != node.right;
                    let third = if own {
                        covers[(node.missing - first) as usize]
                    } else {
                        0.0
                    };
                    both[0] + both[1] + third
                };
            }
            let mut ahead: Vec<(u32, Vec<Part>)> = vec![(first, Vec::new())];
            while let Some((place, parts)) = ahead.pop() {
                let node = &nodes[(place - first) as usize];
                if node.is_leaf() {
                    let begin = all.len();
                    all.extend(parts);
                    paths.push(Path {
                        value: f64::from(node.value),
                        parts: begin..all.len(),
                    });
                    continue;
                }
                let cover = covers[(place - first) as usize];
                let mut children = vec![node.left, node.right];
                if !children.contains(&node.missing) {
                    children.push(node.missing);
                }
                for child in children {
                    let share = covers[(child - first) as usize] / cover;
                    ahead.push((child, narrowed(&parts, node, child, share)?));
                }
            }
        }
        Ok((paths, all))
    }
}

/// A path one split longer.
fn narrowed(parts: &[Part], node: &Node, child: u32, share: f64) -> Result<Vec<Part>, ModelError> {
    let mut parts = parts.to_vec();
    let known = parts.iter().position(|part| part.column == node.column);
    let place = known.unwrap_or(parts.len());
    if known.is_none() {
        if parts.len() == MAX_PATH {
            return Err(ModelError::Trees(format!(
                "the way to a leaf has more than {MAX_PATH} columns"
            )));
        }
        parts.push(Part {
            column: node.column,
            low: f32::NEG_INFINITY,
            high: f32::INFINITY,
            missing_passes: true,
            share: 1.0,
        });
    }
    let part = &mut parts[place];
    part.share *= share;
    part.missing_passes &= child == node.missing;
    if child == node.left {
        part.high = part.high.min(node.value);
    } else if child == node.right {
        part.low = part.low.max(node.value);
    } else {
        // A branch for missing values alone.
        (part.low, part.high) = (f32::INFINITY, f32::NEG_INFINITY);
    }
    Ok(parts)
}

impl TreeExplainer {
    /// What each feature adds to the forecast of a row, NaN where one is missing; features left out at
    /// the end count as missing.
    pub fn explain(&self, row: &[f32]) -> TreeExplanation {
        let mut contributions = vec![0.0; self.columns];
        match &self.game {
            Game::PathDependent { rules } => {
                for path in &self.paths {
                    let parts = &self.parts[path.parts.clone()];
                    if let Some(rule) = parts.len().div_ceil(2).checked_sub(1) {
                        along(path.value, parts, row, &rules[rule], &mut contributions);
                    }
                }
            }
            Game::Interventional { passed, weights } => {
                for (path, passed) in self.paths.iter().zip(passed) {
                    let parts = &self.parts[path.parts.clone()];
                    against(path.value, parts, row, passed, weights, &mut contributions);
                }
            }
        }
        TreeExplanation {
            base: self.base,
            contributions,
        }
    }

    /// The same of every row of a table, in its order.
    pub fn explain_rows(&self, table: &Table) -> Vec<TreeExplanation> {
        let rows = table.values().par_chunks(table.columns().max(1));
        let explained = rows.with_min_len(FEWEST_ROWS).map(|row| self.explain(row));
        explained.collect()
    }
}

/// Adds one leaf's path-dependent values.
fn along(value: f64, parts: &[Part], row: &[f32], rule: &[(f64, f64)], contributions: &mut [f64]) {
    let mut passed = [0.0; MAX_PATH];
    let mut integrals = [0.0; MAX_PATH];
    for (passed, part) in passed.iter_mut().zip(parts) {
        *passed = f64::from(u8::from(part.passes(row)));
    }
    for &(t, weight) in rule {
        let factor = |passed: f64, part: &Part| passed * t + part.share * (1.0 - t);
        let known = passed.iter().zip(parts);
        let product: f64 = known.map(|(passed, part)| factor(*passed, part)).product();
        for ((integral, passed), part) in integrals.iter_mut().zip(passed).zip(parts) {
            *integral += weight * product / factor(passed, part);
        }
    }
    for ((integral, passed), part) in integrals.iter().zip(passed).zip(parts) {
        contributions[part.column as usize] += value * (passed - part.share) * integral;
    }
}

/// Adds one leaf's interventional values.
fn against(
    value: f64,
    parts: &[Part],
    row: &[f32],
    passed: &[(u64, f64)],
    weights: &[f64],
    contributions: &mut [f64],
) {
    let own = mask(parts, row);
    let all = full(parts.len());
    for &(theirs, share) in passed {
        let (only_own, only_theirs) = (own & !theirs, theirs & !own);
        // Reached by some mix of both rows, and not by every one.
        if own | theirs != all || only_own | only_theirs == 0 {
            continue;
        }
        let [a, b] = [only_own, only_theirs].map(|mask| mask.count_ones() as usize);
        for (mut mask, sign) in [(only_own, 1.0), (only_theirs, -1.0)] {
            let weight = match sign {
                1.0 if a > 0 => weights[(a - 1) * MAX_PATH + b],
                _ if b > 0 => weights[a * MAX_PATH + b - 1],
                _ => 0.0,
            };
            while mask != 0 {
                let part = &parts[mask.trailing_zeros() as usize];
                contributions[part.column as usize] += sign * value * share * weight;
                mask &= mask - 1;
            }
        }
    }
}

fn mask(parts: &[Part], row: &[f32]) -> u64 {
    let bits = parts.iter().enumerate();
    bits.fold(0, |mask, (bit, part)| {
        mask | u64::from(part.passes(row)) << bit
    })
}

fn full(parts: usize) -> u64 {
    u64::MAX.checked_shr((MAX_PATH - parts) as u32).unwrap_or(0)
}

/// `a! b! / (a + b + 1)!` for both below 64.
fn shapley_weights() -> Vec<f64> {
    let mut weights = vec![0.0; MAX_PATH * MAX_PATH];
    for a in 0..MAX_PATH {
        let mut weight = 1.0 / (a + 1) as f64;
        for b in 0..MAX_PATH {
            weights[a * MAX_PATH + b] = weight;
            weight *= (b + 1) as f64 / (a + b + 2) as f64;
        }
    }
    weights
}

/// Points and weights on 0 to 1 that integrate polynomials of a degree below twice their number, by
/// Newton's method on the Legendre polynomial.
fn gauss_legendre(points: usize) -> Vec<(f64, f64)> {
    let n = points as f64;
    let rule = (1..=points).map(|index| {
        let mut x = (std::f64::consts::PI * (index as f64 - 0.25) / (n + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..20 {
            let (mut before, mut here) = (1.0, x);
            for degree in 2..=points {
                let degree = degree as f64;
                let next = ((2.0 * degree - 1.0) * x * here - (degree - 1.0) * before) / degree;
                (before, here) = (here, next);
            }
            slope = n * (x * here - before) / (x * x - 1.0);
            x -= here / slope;
        }
        (0.5 * (1.0 + x), 1.0 / ((1.0 - x * x) * slope * slope))
    });
    rule.collect()
}
