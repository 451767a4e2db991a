//! The champion of each person, chosen on the days before the scored ones.

use super::series::series;
use super::{Forecasts, ReplayModel, Work};
use crate::error::TrainingError;
use crate::replayed::Computed;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use vitalcast_domain::{ModelArchitecture, UserId};
use vitalcast_evaluation::{Replayed, diebold_mariano, mean, replay_days};
use vitalcast_inference::population;
use vitalcast_pooled::PooledModel;

/// Readings before the days of a choice: the first days say little.
const LEAST_READINGS: usize = 7;
/// Days on which two models are compared at least.
const LEAST_COMPARED: usize = 20;
/// The largest p value of a promotion.
const SIGNIFICANT: f64 = 0.01;

/// The champion of a person, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The person.
    pub user_id: UserId,
    /// The champion.
    pub model: &'static str,
    /// Days on which it was chosen.
    pub days: usize,
    /// Mean absolute error of each candidate on these days.
    pub errors: BTreeMap<&'static str, f64>,
    /// Why, in a sentence.
    pub reason: String,
}

impl Work<'_> {
    /// The forecasts of each person's champion.
    pub(super) fn champions(&mut self) -> Result<(Forecasts, Vec<Choice>), TrainingError> {
        let longest = *self.request.horizon.end();
        let first = self.default_model(longest)?;
        let until = self.cohort.until(longest);
        // Candidates learn from the first half of these days and are compared on the second.
        let halves: Vec<usize> = self
            .cohort
            .people
            .iter()
            .zip(&until)
            .map(|(person, until)| {
                let observed = person.observed_days();
                let before = observed.partition_point(|day| day < until);
                observed.get(before / 2).copied().unwrap_or(*until)
            })
            .collect();
        let mut candidates = Vec::new();
        for model in ReplayModel::ladder() {
            if let Some(models) = series(model, self.cohort, &halves, self.request)? {
                candidates.push((model, models));
            }
        }
        let mut choices = Vec::new();
        let mut champions = BTreeMap::new();
        for (index, person) in self.cohort.people.iter().enumerate() {
            if self.cohort.scored[index].is_empty() {
                continue;
            }
            let observed = person.observed_days();
            let start = observed
                .get(LEAST_READINGS)
                .copied()
                .unwrap_or(until[index]);
            let days = halves[index].max(start)..until[index];
            let own = self.errors_of_default(first, index, days.clone())?;
            let mut errors = BTreeMap::new();
            let of_own = mean(own.iter().flatten().copied());
            if let Some(error) = of_own {
                errors.insert(first.name(), error);
            }
            let mut best: Option<(ReplayModel, f64, f64)> = None;
            for (model, models) in &candidates {
                let theirs = errors_of(models, index, days.clone(), &person.observed);
                let pairs: Vec<(f64, f64)> = theirs
                    .iter()
                    .zip(&own)
                    .filter_map(|(a, b)| Some(((*a)?, (*b)?)))
                    .collect();
                let Some(error) = mean(theirs.iter().flatten().copied()) else {
                    continue;
                };
                errors.insert(model.name(), error);
                if pairs.len() < LEAST_COMPARED || pairs.len() < own.iter().flatten().count() {
                    continue;
                }
                let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
                let Some(test) = diebold_mariano(&a, &b, 1)? else {
                    continue;
                };
                if test.p < SIGNIFICANT && best.is_none_or(|(_, least, _)| error < least) {
                    best = Some((*model, error, test.p));
                }
            }
            let days = own.iter().flatten().count();
            let champion = best.map_or(first, |(model, ..)| model);
            let reason = match best {
                Some((model, _, p)) => format!(
                    "On {days} earlier days {model} erred less than {first} (paired test, p = {p:.3})."
                ),
                None => format!(
                    "On {days} earlier days no other model erred significantly less than {first}."
                ),
            };
            champions.insert(index, champion);
            choices.push(Choice {
                user_id: person.user.clone(),
                model: champion.name(),
                days,
                errors,
                reason,
            });
        }
        let mut found = Vec::new();
        for (index, champion) in champions {
            let of_person = self.kept[&champion]
                .iter()
                .filter(|scored| scored.person == index);
            found.extend(of_person.cloned());
        }
        Ok((found, choices))
    }

    /// What is served while nothing has been shown to be better: of the model of the release and the one
    /// fitted here, the one that has learned from more days; where people to learn from were named, the
    /// one fitted here.
    fn default_model(&mut self, longest: usize) -> Result<ReplayModel, TrainingError> {
        let of_release =
            population(self.cohort.metric)?.and_then(|release| release.model.as_pooled());
        let is_named = self.cohort.learns_from_others;
        let own = self.pooled(longest)?.map(PooledModel::rows);
        Ok(match (own, of_release) {
            (Some(_), _) if is_named => ReplayModel::Of(ModelArchitecture::Pooled),
            (Some(own), Some(release)) if own < release.rows() => ReplayModel::Population,
            (Some(_), _) => ReplayModel::Of(ModelArchitecture::Pooled),
            (None, Some(_)) => ReplayModel::Population,
            (None, None) => ReplayModel::Of(ModelArchitecture::ExponentialSmoothing),
        })
    }

    /// The errors of the default model on some days of a person.
    fn errors_of_default(
        &mut self,
        model: ReplayModel,
        index: usize,
        days: Range<usize>,
    ) -> Result<Vec<Option<f64>>, TrainingError> {
        let longest = *self.request.horizon.end();
        let cohort = self.cohort;
        let person = &cohort.people[index];
        let pooled = match model {
            ReplayModel::Population => {
                population(cohort.metric)?.and_then(|model| model.model.as_pooled())
            }
            ReplayModel::Auto | ReplayModel::Mean30 => None,
            ReplayModel::Of(ModelArchitecture::Pooled) => self.pooled(longest)?,
            ReplayModel::Of(_) => None,
        };
        let Some(pooled) = pooled else {
            let until = vec![days.start; cohort.people.len()];
            let models = series(model, cohort, &until, self.request)?;
            return Ok(models.map_or_else(Vec::new, |models| {
                errors_of(&models, index, days, &person.observed)
            }));
        };
        let computed = Computed::of_pooled(pooled, person, days.clone(), 1);
        Ok(errors_of(&computed, index, days, &person.observed))
    }
}

fn errors_of(
    models: &dyn Replayed,
    index: usize,
    days: Range<usize>,
    observed: &[Option<f64>],
) -> Vec<Option<f64>> {
    let mut found = vec![None; days.len()];
    for day in replay_days(models, index, observed, days.clone(), 1) {
        found[day.target - days.start] = Some(day.residual().abs());
    }
    found
}
