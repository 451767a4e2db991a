//! Intervals from the errors on people that the model has not seen.

use crate::design::{Design, Transform};
use crate::error::PooledError;
use crate::learn::{Learned, Learner, Source, WithCurvatures};
use crate::own::WEEKDAY_MEAN;
use crate::person::{State, walk, width};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vitalcast_evaluation::{Calibration, GapFactors, Step, mean};

/// Parts into which people are divided; each is forecast by a model of the others.
pub(crate) const FOLDS: usize = 5;
/// Nominal levels of the intervals.
pub const LEVELS: [f64; 7] = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// Readings of a person before the scores count.
pub(crate) const LEAST_READINGS: usize = 8;

/// The intervals of one lead.
///
/// What intervals learn from is the error over the factor of the gap before it, and bounds are as many
/// times as far from the forecast. (Were only the scale larger, as the prior of a person's spread, then
/// the person's own errors without a gap would hold intervals back: they are 10 of 25 parts of it.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LeadCalibration {
    pub(crate) gaps: GapFactors,
    pub(crate) intervals: Calibration,
}

impl LeadCalibration {
    fn fit(
        people: &[&[Forecast]],
        lead: usize,
        expected: &GapFactors,
        symmetric: bool,
    ) -> Result<Self, PooledError> {
        let forecasts = people.iter().flat_map(|forecasts| forecasts.iter());
        let gaps = expected.learn(forecasts.map(|of| (of.gap as usize, of.error())))?;
        let steps: Vec<Vec<Step>> = people
            .iter()
            .map(|forecasts| {
                let step = |of: &Forecast| {
                    let origin = of.origin as usize;
                    let step = Step {
                        origin,
                        target: origin + lead - 1,
                        forecast: of.value,
                        observed: of.observed,
                        scale: of.scale,
                        counts: of.counts,
                    };
                    without_gap(step, gaps.after(of.gap as usize))
                };
                forecasts.iter().map(step).collect()
            })
            .collect();
        Ok(Self {
            gaps,
            intervals: Calibration::fit(&steps, &LEVELS, symmetric)?,
        })
    }
}

/// The step as it would have been without a gap, after which errors are `factor` times as large.
pub(crate) fn without_gap(step: Step, factor: f64) -> Step {
    Step {
        observed: step.forecast + (step.observed - step.forecast) / factor,
        ..step
    }
}

/// A forecast of a day that is known, of a person whom the model has not seen. There are millions.
struct Forecast {
    value: f64,
    observed: f64,
    scale: f64,
    origin: u32,
    gap: u16,
    counts: bool,
}

impl Forecast {
    /// The size of the error in the person's scale.
    fn error(&self) -> f64 {
        (self.observed - self.value).abs() / self.scale
    }
}

/// The usual size of errors without a gap, in people's scale: the mean.
fn size(people: &[&[Forecast]]) -> f64 {
    let forecasts = people.iter().flat_map(|forecasts| forecasts.iter());
    let without_gap = forecasts.filter(|of| of.gap == 0);
    mean(without_gap.map(Forecast::error)).unwrap_or(0.0)
}

/// The calibrations of each regression and lead.
pub(crate) fn calibrate(
    design: &Design,
    people: &[Learner<'_>],
    of_all: &WithCurvatures,
    one_for_all: bool,
) -> Result<Vec<Vec<LeadCalibration>>, PooledError> {
    let symmetric = design.transform == Transform::Identity;
    let (learned, _) = of_all;
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
            Learned::of(design, &others, one_for_all, Some(of_all)).0
        })
        .collect();
    // Forecasts by each regression, person and lead.
    let of_person = |(learner, fold): (&Learner<'_>, &usize)| -> Vec<(usize, Vec<Vec<Forecast>>)> {
        let unseen = &by_fold[*fold];
        let name = &learner.person.source;
        let own = learned.source(name);
        let mut found = vec![(
            own.regression,
            forecasts(design, unseen, unseen.source(name), learner),
        )];
        if own.regression != learned.any.regression {
            found.push((
                learned.any.regression,
                forecasts(design, unseen, &unseen.any, learner),
            ));
        }
        found
    };
    let all: Vec<Vec<(usize, Vec<Vec<Forecast>>)>> =
        people.par_iter().zip(&folds).map(of_person).collect();
    (0..learned.regressions.len())
        .map(|regression| {
            let of_lead = |ahead: usize| -> Vec<&[Forecast]> {
                all.iter()
                    .flatten()
                    .filter(|(of, _)| *of == regression)
                    .map(|(_, leads)| leads[ahead].as_slice())
                    .collect()
            };
            let leads = (0..design.horizon).into_par_iter();
            let sizes: Vec<f64> = leads.map(|ahead| size(&of_lead(ahead))).collect();
            (0..design.horizon)
                .into_par_iter()
                .map(|ahead| {
                    let expected = GapFactors::of_leads(&sizes, ahead + 1)?;
                    LeadCalibration::fit(&of_lead(ahead), ahead + 1, &expected, symmetric)
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
fn forecasts(
    design: &Design,
    learned: &Learned,
    source: &Source,
    learner: &Learner<'_>,
) -> Vec<Vec<Forecast>> {
    let mut found: Vec<Vec<Forecast>> = (0..design.horizon).map(|_| Vec::new()).collect();
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
            let observed = |target: usize| {
                let known = (target < end).then(|| person.series.value(target, end));
                known
                    .flatten()
                    .and_then(|value| design.transform.apply(value))
            };
            if (day..end.min(day + design.horizon)).all(|target| observed(target).is_none()) {
                return;
            }
            let Some((base, spread)) = state.location() else {
                return;
            };
            let next = person.weekday(day);
            if state.features(1, next, &mut features).is_none() {
                return;
            }
            regression.standardise(&mut features);
            for (ahead, found) in found.iter_mut().enumerate() {
                let target = day + ahead;
                let Some(observed) = observed(target) else {
                    continue;
                };
                let own_mean = state.weekday_mean(ahead + 1, next, spread);
                features[WEEKDAY_MEAN] = regression.standardise_one(WEEKDAY_MEAN, own_mean);
                found.push(Forecast {
                    origin: day as u32,
                    gap: state.own.gap().min(usize::from(u16::MAX)) as u16,
                    value: base + spread * regression.deviation(ahead + 1, &features),
                    observed,
                    scale: spread,
                    counts: state.own.readings() >= LEAST_READINGS,
                });
            }
        },
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(observed: f64, forecast: f64) -> Step {
        Step {
            origin: 1,
            target: 1,
            forecast,
            observed,
            scale: 1.0,
            counts: true,
        }
    }

    #[test]
    fn an_error_after_a_gap_counts_as_one_without() {
        assert_eq!(without_gap(step(66.0, 60.0), 2.0).observed, 63.0);
        assert_eq!(without_gap(step(54.0, 60.0), 3.0).observed, 58.0);
        assert_eq!(without_gap(step(54.0, 60.0), 1.0), step(54.0, 60.0));
    }

    #[test]
    fn each_source_is_spread_over_the_folds() {
        let people: Vec<crate::person::Person> = (0..13)
            .map(|number| crate::person::Person {
                first_weekday: 0,
                source: if number % 3 == 0 { "a" } else { "b" }.to_owned(),
                series: Vec::new().into(),
                covariates: Vec::new(),
            })
            .collect();
        let learners: Vec<Learner<'_>> = people
            .iter()
            .map(|person| Learner {
                person,
                targets: 0..0,
            })
            .collect();
        // Numbers 0, 3, 6, 9 and 12 first, then the others in turn.
        assert_eq!(folds(&learners), [0, 0, 1, 1, 2, 3, 2, 4, 0, 3, 1, 2, 4]);
    }
}
