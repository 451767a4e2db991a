//! Intervals from the errors on people that the model has not seen.

use crate::design::{Design, Transform};
use crate::error::PooledError;
use crate::learn::{Learned, Learner, Source};
use crate::person::{State, walk, width};
use rayon::prelude::*;
use vitalcast_evaluation::{Calibration, Step};

/// Parts into which people are divided; each is forecast by a model of the others.
pub(crate) const FOLDS: usize = 5;
/// Nominal levels of the intervals.
pub const LEVELS: [f64; 7] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// Readings of a person before the scores count.
pub(crate) const LEAST_READINGS: usize = 8;

/// The calibrations of each regression and lead.
pub(crate) fn calibrate(
    design: &Design,
    people: &[Learner<'_>],
    learned: &Learned,
    one_for_all: bool,
) -> Result<Vec<Vec<Calibration>>, PooledError> {
    let symmetric = design.transform == Transform::Identity;
    let folds = folds(people);
    let by_fold: Vec<Learned> = (0..FOLDS)
        .into_par_iter()
        .map(|fold| {
            let others: Vec<&Learner<'_>> = people
                .iter()
                .zip(&folds)
                .filter(|(_, of)| **of != fold)
                .map(|(learner, _)| learner)
                .collect();
            Learned::of(design, &others, one_for_all)
        })
        .collect();
    // Steps of each regression, person and lead.
    let of_person = |(learner, fold): (&Learner<'_>, &usize)| -> Vec<(usize, Vec<Vec<Step>>)> {
        let unseen = &by_fold[*fold];
        let name = &learner.person.source;
        let own = learned.source(name);
        let mut found = vec![(
            own.regression,
            steps(design, unseen, unseen.source(name), learner),
        )];
        if own.regression != learned.any.regression {
            found.push((
                learned.any.regression,
                steps(design, unseen, &unseen.any, learner),
            ));
        }
        found
    };
    let all: Vec<Vec<(usize, Vec<Vec<Step>>)>> =
        people.par_iter().zip(&folds).map(of_person).collect();
    (0..learned.regressions.len())
        .map(|regression| {
            (0..design.horizon)
                .map(|ahead| {
                    let steps: Vec<&[Step]> = all
                        .iter()
                        .flatten()
                        .filter(|(of, _)| *of == regression)
                        .map(|(_, leads)| leads[ahead].as_slice())
                        .collect();
                    Ok(Calibration::fit(&steps, &LEVELS, symmetric)?)
                })
                .collect()
        })
        .collect()
}

/// Which fold each person belongs to: in turn, source by source.
fn folds(people: &[Learner<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..people.len()).collect();
    order.sort_by_key(|index| &people[*index].person.source);
    let mut folds = vec![0; people.len()];
    for (turn, index) in order.into_iter().enumerate() {
        folds[index] = turn % FOLDS;
    }
    folds
}

/// The forecasts of a person the model has not seen, by lead.
fn steps(
    design: &Design,
    learned: &Learned,
    source: &Source,
    learner: &Learner<'_>,
) -> Vec<Vec<Step>> {
    let mut found = vec![Vec::new(); design.horizon];
    let person = learner.person;
    let end = learner.targets.end;
    if learner.targets.is_empty() {
        return found;
    }
    let regression = &learned.regressions[source.regression];
    let mut features = vec![0.0; width(design)];
    let state = State::new(design, &source.population);
    walk(
        person,
        state,
        learner.targets.start..=end - 1,
        |day, state| {
            let Some((base, spread)) = state.location() else {
                return;
            };
            for (ahead, found) in found.iter_mut().enumerate() {
                let target = day + ahead;
                let known = (target < end)
                    .then(|| person.series.value(target, end))
                    .flatten();
                let Some(value) = known.and_then(|value| design.transform.apply(value)) else {
                    continue;
                };
                if state
                    .features(ahead + 1, person.weekday(day), &mut features)
                    .is_none()
                {
                    continue;
                }
                found.push(Step {
                    origin: day,
                    target,
                    forecast: base + spread * regression.deviation(ahead + 1, &features),
                    observed: value,
                    scale: spread,
                    counts: state.own.readings() >= LEAST_READINGS,
                });
            }
        },
    );
    found
}
