//! Gradient-boosted trees on lags, of what is left when the last value's persistence is taken off: one
//! set of trees for each lead.

use super::lags::{Known, WIDTH, examples, persistence};
use super::parts::of_lag;
use super::{SeriesForecaster, SeriesKind, SeriesPart, Sum, TreeGame, WEEK, finite};
use crate::error::ModelError;
use crate::trees::{BoostedTrees, Table, TreeOptions};
use serde::{Deserialize, Serialize};

/// Fewest examples worth fitting to.
const FEWEST: usize = 20;

/// Boosted trees for each lead, on what is known at the end of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TreesOnLags {
    leads: Vec<Lead>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lead {
    /// See [`persistence`].
    persistence: f64,
    trees: BoostedTrees,
}

impl TreesOnLags {
    /// Fits leads 1 to `horizon` to one or more histories; a longer lead is forecast as the longest.
    pub(super) fn fit(
        histories: &[&[Option<f64>]],
        horizon: usize,
        options: &TreeOptions,
    ) -> Result<Self, ModelError> {
        let leads = (1..=horizon.max(1))
            .map(|lead| {
                let (rows, mut targets) = examples(histories, lead);
                if rows.len() < FEWEST {
                    return Err(ModelError::TooShort {
                        what: "examples for boosted trees on lags",
                        needed: FEWEST,
                        found: rows.len(),
                    });
                }
                let persistence = persistence(&rows, &targets);
                for (target, known) in targets.iter_mut().zip(&rows) {
                    *target -= persistence * Known::last(known);
                }
                let table = Table::new(rows.len(), WIDTH, rows.into_flattened())?;
                let trees = BoostedTrees::fit(&table, &targets, options)?;
                Ok(Lead { persistence, trees })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { leads })
    }

    /// The trees of a lead, from 1.
    pub fn lead(&self, lead: usize) -> Option<&BoostedTrees> {
        Some(&self.leads.get(lead.checked_sub(1)?)?.trees)
    }

    /// The lead whose trees forecast a lead.
    pub(super) fn nearest(&self, lead: usize) -> usize {
        lead.clamp(1, self.leads.len().max(1))
    }

    /// How much of the last value's difference from the level is kept at a lead, from 1: 0 to 1.
    pub(crate) fn persistence(&self, lead: usize) -> Option<f64> {
        Some(self.leads.get(lead.checked_sub(1)?)?.persistence)
    }
}

impl SeriesForecaster for TreesOnLags {
    fn name(&self) -> &'static str {
        "xgboost"
    }

    fn forecast(&self, history: &[Option<f64>], lead: usize) -> Option<f64> {
        let lead = self.nearest(lead);
        let known = Known::at(history, lead)?;
        let kept = self.persistence(lead)? * Known::last(&known.values);
        let change = self.lead(lead)?.predict_row(&known.values);
        finite(known.level + kept + change, history)
    }
}

impl SeriesKind for TreesOnLags {
    /// The level, the persistence of the last value, what the trees say without knowing anything, and what
    /// each lag adds.
    fn sum(
        &self,
        history: &[Option<f64>],
        lead: usize,
        game: TreeGame,
    ) -> Result<Option<Sum>, ModelError> {
        let lead = self.nearest(lead);
        let (Some(known), Some(persistence), Some(trees)) = (
            Known::at(history, lead),
            self.persistence(lead),
            self.lead(lead),
        ) else {
            return Ok(None);
        };
        let path_dependent = match game {
            TreeGame::PathDependent => trees.explainer().ok(),
            TreeGame::Interventional => None,
        };
        let (explainer, used) = match path_dependent {
            Some(explainer) => (explainer, TreeGame::PathDependent),
            None => (
                trees.explainer_against(&background(history, lead)?)?,
                TreeGame::Interventional,
            ),
        };
        let explained = explainer.explain(&known.values);
        let mut parts = vec![
            (SeriesPart::Level, known.level),
            (
                SeriesPart::LastValue,
                persistence * Known::last(&known.values),
            ),
            (SeriesPart::Constant, explained.base),
        ];
        let of_lags = explained.contributions.iter().enumerate();
        parts.extend(of_lags.map(|(place, amount)| (of_lag(place), *amount)));
        Ok(Some(Sum {
            parts,
            trees: Some(used),
        }))
    }

    fn parameter_count(&self) -> usize {
        let trees = self.leads.iter().map(|lead| &lead.trees);
        trees.map(BoostedTrees::node_count).sum()
    }

    fn graph(&self) -> Option<Vec<u8>> {
        self.to_onnx(1)
    }
}

/// What was known on each day of a history that has a week before it; on its last day where none has.
fn background(history: &[Option<f64>], lead: usize) -> Result<Table, ModelError> {
    let mut rows: Vec<[f32; WIDTH]> = (WEEK..history.len())
        .filter_map(|end| Known::at(&history[..end], lead))
        .map(|known| known.values)
        .collect();
    if rows.is_empty() {
        rows.extend(Known::at(history, lead).map(|known| known.values));
    }
    Table::new(rows.len(), WIDTH, rows.into_flattened())
}
