//! How good each model was.

use super::{ReplayModel, ReplayRow, Work, simple};
use crate::error::TrainingError;
use serde::Serialize;
use std::collections::BTreeMap;
use vitalcast_evaluation::{Comparison, PairedDay, Report, Scored, ScoredDay, mean, replay_days};

/// How good a model was at one horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelReport {
    /// The model.
    pub model: &'static str,
    /// Days ahead.
    pub horizon: usize,
    /// Share of the scored days that it answered, 0 to 1.
    pub answered: f64,
    /// Its scores.
    #[serde(flatten)]
    pub scores: Report,
    /// Against the best simple baseline, on the days that both answered.
    pub against_baseline: Option<AgainstBaseline>,
}

/// A model compared with a simple baseline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AgainstBaseline {
    /// The baseline.
    pub baseline: &'static str,
    /// The comparison; `a` is the model.
    #[serde(flatten)]
    pub comparison: Comparison,
}

impl Work<'_> {
    /// The simple baseline with the smallest error on the days before the scored ones.
    pub(super) fn best_simple(&self) -> Result<Option<ReplayModel>, TrainingError> {
        let longest = *self.request.horizon.end();
        let until = self.cohort.until(longest);
        let mut best: Option<(ReplayModel, f64)> = None;
        for model in simple() {
            let of_people = super::series::series(model, self.cohort, &until, self.request)?;
            let Some(models) = of_people else {
                continue;
            };
            let errors = self
                .cohort
                .people
                .iter()
                .enumerate()
                .flat_map(|(index, person)| {
                    let models = &models;
                    let end = if self.cohort.scored[index].is_empty() {
                        0
                    } else {
                        until[index]
                    };
                    replay_days(models, index, &person.observed, 1..end, 1)
                        .map(|day| day.residual().abs())
                });
            if let Some(error) = mean(errors)
                && best.is_none_or(|(_, least)| error < least)
            {
                best = Some((model, error));
            }
        }
        Ok(best.map(|(model, _)| model))
    }

    /// The reports and rows of the models that were asked for.
    pub(super) fn reports(
        &self,
        baseline: Option<ReplayModel>,
    ) -> Result<(Vec<ModelReport>, Vec<ReplayRow>), TrainingError> {
        let scales: Vec<Option<f64>> = (0..self.cohort.people.len())
            .map(|index| self.change(index))
            .collect();
        let mut reports = Vec::new();
        let mut rows = Vec::new();
        for &model in &self.request.models {
            rows.extend(self.rows(model));
            for lead in self.leads() {
                let of_lead = |model: ReplayModel| -> Vec<&Scored> {
                    self.kept[&model]
                        .iter()
                        .filter(|scored| scored.lead == lead)
                        .collect()
                };
                let scored = of_lead(model);
                if scored.is_empty() {
                    continue;
                }
                let days: Vec<ScoredDay<'_>> = scored
                    .iter()
                    .map(|scored| ScoredDay {
                        person: scored.person,
                        observed: scored.observed,
                        distribution: &scored.distribution,
                        scale: scales[scored.person],
                    })
                    .collect();
                let against_baseline =
                    match baseline.filter(|baseline| *baseline != model) {
                        None => None,
                        Some(baseline) => compare(&scored, &of_lead(baseline), self.request.seed)?
                            .map(|comparison| AgainstBaseline {
                                baseline: baseline.name(),
                                comparison,
                            }),
                    };
                reports.push(ModelReport {
                    model: model.name(),
                    horizon: lead,
                    answered: scored.len() as f64 / self.scored_days().max(1) as f64,
                    scores: self.asked_levels(Report::of(&days)?),
                    against_baseline,
                });
            }
        }
        Ok((reports, rows))
    }

    /// Only the levels that were asked for.
    fn asked_levels(&self, mut report: Report) -> Report {
        report
            .levels
            .retain(|level| self.request.levels.contains(&level.nominal));
        report
    }

    fn scored_days(&self) -> usize {
        let people = self.cohort.people.iter().zip(&self.cohort.scored);
        people
            .map(|(person, scored)| person.observed[scored.clone()].iter().flatten().count())
            .sum()
    }

    /// The person's mean change from reading to reading before the scored days.
    fn change(&self, index: usize) -> Option<f64> {
        let person = &self.cohort.people[index];
        let before = &person.observed[..self.cohort.scored[index].start];
        let readings: Vec<f64> = before.iter().flatten().copied().collect();
        mean(readings.windows(2).map(|pair| (pair[1] - pair[0]).abs()))
            .filter(|change| *change > 0.0)
    }
}

fn compare(
    model: &[&Scored],
    baseline: &[&Scored],
    seed: u64,
) -> Result<Option<Comparison>, TrainingError> {
    let error = |scored: &Scored| scored.observed - scored.distribution.value();
    let theirs: BTreeMap<(usize, usize), f64> = baseline
        .iter()
        .map(|scored| ((scored.person, scored.target), error(scored)))
        .collect();
    let pairs: Vec<PairedDay> = model
        .iter()
        .filter_map(|scored| {
            Some(PairedDay {
                person: scored.person,
                a: error(scored),
                b: *theirs.get(&(scored.person, scored.target))?,
            })
        })
        .collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    Ok(Some(Comparison::of(&pairs, seed)?))
}
