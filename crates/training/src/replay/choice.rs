//! What is served of each person's day: the model of many people, or a simple forecast that had erred less
//! on the person's last readings. It is the choice of a forecast that is served
//! (`vitalcast_inference::replay_served`), evening by evening, with what was known then.

use super::{Cohort, Forecasts, ReplayModel, Work};
use crate::cohort::CohortPerson;
use crate::error::TrainingError;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use vitalcast_domain::{ModelArchitecture, PredictionMetric, UserId};
use vitalcast_evaluation::Scored;
use vitalcast_inference::{SIMPLE_RUNGS, SimpleForecast, population, replay_served, replay_simple};
use vitalcast_pooled::{Compared, PooledModel};

/// What was served of a person, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    /// The person.
    pub user_id: UserId,
    /// What was served on most of the scored days.
    pub model: &'static str,
    /// Scored forecasts by what was served.
    pub served: BTreeMap<&'static str, usize>,
    /// Readings on which the model and the best simple forecast were compared before the last scored day.
    pub days: usize,
    /// Mean absolute error of both on these.
    pub errors: BTreeMap<&'static str, f64>,
    /// Why, in a sentence.
    pub reason: String,
}

impl Work<'_> {
    /// The forecasts of what is served of each person.
    pub(super) fn champions(&mut self) -> Result<(Forecasts, Vec<Choice>), TrainingError> {
        let longest = *self.request.horizon.end();
        let first = self.default_model(longest)?;
        let leads = self.leads();
        let cohort = self.cohort;
        let pooled = match first {
            Some(ReplayModel::Population) => {
                population(cohort.metric)?.and_then(|model| model.model.as_pooled())
            }
            Some(ReplayModel::Of(ModelArchitecture::Pooled)) => self.pooled(longest)?,
            Some(ReplayModel::Auto | ReplayModel::Mean30 | ReplayModel::Of(_)) | None => None,
        };
        let (Some(first), Some(pooled)) = (first, pooled) else {
            return self.simple(&leads);
        };
        let of_person = |(index, (person, scored)): (usize, (&CohortPerson, &Range<usize>))| {
            (!scored.is_empty()).then(|| of_person(pooled, first, index, person, scored, &leads))
        };
        let people: Vec<_> = cohort
            .people
            .iter()
            .zip(&cohort.scored)
            .enumerate()
            .collect();
        let found: Vec<Option<(Forecasts, Choice)>> =
            people.into_par_iter().map(of_person).collect();
        let (forecasts, choices): (Vec<Forecasts>, Vec<Choice>) =
            found.into_iter().flatten().unzip();
        Ok((in_order(forecasts), choices))
    }

    /// There is no model of many people: of each person the simple forecast that does best on the own past.
    fn simple(&self, leads: &[usize]) -> Result<(Forecasts, Vec<Choice>), TrainingError> {
        let Cohort {
            metric,
            people,
            scored,
            ..
        } = self.cohort;
        let people: Vec<_> = people.iter().zip(scored).enumerate().collect();
        let found: Vec<(Forecasts, Choice)> = people
            .into_par_iter()
            .filter(|(_, (_, scored))| !scored.is_empty())
            .map(|(index, (person, scored))| {
                simple_of_person(*metric, index, person, scored, leads)
            })
            .collect::<Result<_, _>>()?;
        let (forecasts, choices): (Vec<Forecasts>, Vec<Choice>) = found.into_iter().unzip();
        Ok((in_order(forecasts), choices))
    }

    /// What is served unless a simple forecast is better: of the model of the release and the one fitted
    /// here, the one that has learned from more days; where people to learn from were named, the one fitted
    /// here. `None` where there is neither.
    fn default_model(&mut self, longest: usize) -> Result<Option<ReplayModel>, TrainingError> {
        let of_release =
            population(self.cohort.metric)?.and_then(|release| release.model.as_pooled());
        let is_named = self.cohort.learns_from_others;
        let own = self.pooled(longest)?.map(PooledModel::rows);
        Ok(match (own, of_release) {
            (Some(_), _) if is_named => Some(ReplayModel::Of(ModelArchitecture::Pooled)),
            (Some(own), Some(release)) if own < release.rows() => Some(ReplayModel::Population),
            (Some(_), _) => Some(ReplayModel::Of(ModelArchitecture::Pooled)),
            (None, Some(_)) => Some(ReplayModel::Population),
            (None, None) => None,
        })
    }
}

/// By lead, then by person and day, as those of other models.
fn in_order(forecasts: Vec<Forecasts>) -> Forecasts {
    let mut forecasts: Forecasts = forecasts.into_iter().flatten().collect();
    forecasts.sort_by_key(|scored| (scored.lead, scored.person, scored.target));
    forecasts
}

/// The origins from which a person's scored days are forecast; `None` where there are too few days.
fn origins(scored: &Range<usize>, lead: usize) -> Option<RangeInclusive<usize>> {
    let last = scored.end.checked_sub(lead)?;
    Some((scored.start + 1).saturating_sub(lead)..=last)
}

/// The scored forecasts of a person where only simple ones are served.
fn simple_of_person(
    metric: PredictionMetric,
    index: usize,
    person: &CohortPerson,
    scored: &Range<usize>,
    leads: &[usize],
) -> Result<(Forecasts, Choice), TrainingError> {
    let mut found = Vec::new();
    let mut served: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut latest: Option<SimpleForecast> = None;
    for &lead in leads {
        let Some(origins) = origins(scored, lead) else {
            continue;
        };
        let series = &person.days.person.series;
        replay_simple(metric, series, origins, lead, |origin, forecast| {
            let target = origin + lead - 1;
            let (Some(observed), Some(forecast)) = (person.observed[target], forecast) else {
                return;
            };
            *served.entry(SIMPLE_RUNGS[forecast.place].name).or_default() += 1;
            found.push(Scored {
                person: index,
                target,
                lead,
                observed,
                distribution: forecast.distribution.clone(),
            });
            latest = Some(forecast);
        })?;
    }
    let usual = ReplayModel::Of(ModelArchitecture::ExponentialSmoothing).name();
    let most = served.iter().max_by_key(|(_, count)| **count);
    let model = most.map_or(usual, |(name, _)| *name);
    let mut errors = BTreeMap::new();
    let (mut days, mut reason) = (0, "No scored day has a forecast.".to_owned());
    if let Some(latest) = latest {
        days = latest.days;
        let name = SIMPLE_RUNGS[latest.place].name;
        errors.extend(latest.usual_mae.map(|mae| (usual, mae)));
        errors.extend(latest.mae.map(|mae| (name, mae)));
        reason = match latest.p {
            Some(p) => format!(
                "There is no model of many people. On the last {days} readings {name} erred less than {usual} \
                 (paired test, p = {p:.3})."
            ),
            None => format!(
                "There is no model of many people. On the last {days} readings no simple forecast erred \
                 significantly less than {usual}."
            ),
        };
    }
    let choice = Choice {
        user_id: person.user.clone(),
        model,
        served,
        days,
        errors,
        reason,
    };
    Ok((found, choice))
}

/// The scored forecasts of a person as they are served.
fn of_person(
    model: &PooledModel,
    named: ReplayModel,
    index: usize,
    person: &CohortPerson,
    scored: &Range<usize>,
    leads: &[usize],
) -> (Forecasts, Choice) {
    let mut found = Vec::new();
    let mut served: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut latest: Option<(&'static str, Compared)> = None;
    for &lead in leads {
        let Some(origins) = origins(scored, lead) else {
            continue;
        };
        replay_served(
            model.into(),
            &person.days.person,
            origins,
            lead,
            |origin, forecast| {
                let target = origin + lead - 1;
                let (Some(observed), Some(forecast)) = (person.observed[target], forecast) else {
                    return;
                };
                let name = match &forecast.simple {
                    Some((place, _)) => SIMPLE_RUNGS[*place].name,
                    None => named.name(),
                };
                *served.entry(name).or_default() += 1;
                latest = Some((name, forecast.compared));
                found.push(Scored {
                    person: index,
                    target,
                    lead,
                    observed,
                    distribution: forecast.served().distribution.clone(),
                });
            },
        );
    }
    let most = served.iter().max_by_key(|(_, count)| **count);
    let mut errors = BTreeMap::new();
    let (mut days, mut reason) = (0, "No scored day has a forecast.".to_owned());
    if let Some((name, compared)) = latest {
        days = compared.days;
        errors.extend(compared.mae.map(|mae| (named.name(), mae)));
        errors.extend(
            compared
                .best
                .map(|best| (SIMPLE_RUNGS[best.place].name, best.mae)),
        );
        let p = compared.best.and_then(|best| best.p);
        let test = p.map_or_else(String::new, |p| format!(" (paired test, p = {p:.3})"));
        reason = if name == named.name() {
            format!(
                "On the last {days} readings no simple forecast erred significantly less than {name}."
            )
        } else {
            format!("On the last {days} readings {name} erred less than {named}{test}.")
        };
    }
    let choice = Choice {
        user_id: person.user.clone(),
        model: most.map_or(named.name(), |(name, _)| *name),
        served,
        days,
        errors,
        reason,
    };
    (found, choice)
}
