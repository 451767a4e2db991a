//! The people of a pooled fit or a replay, laid out day by day.

use crate::error::TrainingError;
use rayon::prelude::*;
use vitalcast_domain::{AsOf, History, PredictionMetric, UserId};
use vitalcast_inference::{PersonDays, PooledRecipe};

/// A person with a history of the metric.
#[derive(Debug, Clone)]
pub(crate) struct CohortPerson {
    pub(crate) user: UserId,
    pub(crate) days: PersonDays,
    /// The metric's days as they are known in the end, unusual readings included: what forecasts are
    /// compared with.
    pub(crate) observed: Vec<Option<f64>>,
}

impl CohortPerson {
    /// The days with a reading.
    pub(crate) fn observed_days(&self) -> Vec<usize> {
        (0..self.observed.len())
            .filter(|day| self.observed[*day].is_some())
            .collect()
    }

    /// The days that models read, as known on the evening before `origin`.
    pub(crate) fn known(&self, origin: usize) -> std::borrow::Cow<'_, [Option<f64>]> {
        self.days
            .person
            .series
            .known(0..origin, origin.saturating_sub(1))
    }
}

/// Lays out the finished days of people; those without any reading of the metric are left out.
pub(crate) fn lay_out(
    histories: &[&History],
    metric: PredictionMetric,
    as_of: AsOf,
) -> Result<Vec<CohortPerson>, TrainingError> {
    let recipe = PooledRecipe::of(metric);
    let people: Vec<Option<CohortPerson>> = histories
        .par_iter()
        .map(|history| of_person(history, &recipe, as_of))
        .collect::<Result<_, _>>()?;
    Ok(people.into_iter().flatten().collect())
}

fn of_person(
    history: &History,
    recipe: &PooledRecipe,
    as_of: AsOf,
) -> Result<Option<CohortPerson>, TrainingError> {
    let profile = &history.profile;
    let known = || {
        let provenances = history
            .records
            .iter()
            .map(vitalcast_domain::Record::provenance);
        provenances
            .filter(|provenance| provenance.known_at <= as_of)
            .map(|provenance| provenance.day)
            .filter(|day| profile.evening_of(*day) <= as_of)
    };
    let (Some(first), Some(last)) = (known().min(), known().max()) else {
        return Ok(None);
    };
    let days = recipe.lay_out(history, first, last, as_of)?;
    let count = days.person.days();
    let observed = days.measured.known(0..count, count).into_owned();
    if observed.iter().all(Option::is_none) {
        return Ok(None);
    }
    Ok(Some(CohortPerson {
        user: history.user.clone(),
        days,
        observed,
    }))
}
