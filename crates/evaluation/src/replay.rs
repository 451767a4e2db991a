//! Replays of past days: what a model would have forecast, with intervals as they would have been.
//!
//! A model gives values. This module asks for them origin by origin ([`replay_days`]), calibrates on the
//! days that are given for it, and follows each person through the scored days ([`replay`]). Everything that
//! says how good a model is goes through here.

use crate::calibration::{Calibration, Step};
use crate::distribution::{Bounds, Distribution};
use crate::error::EvaluationError;
use std::ops::Range;

/// Readings of a person before the scores of the forecasts count.
const LEAST_READINGS: usize = 8;
/// Changes from day to day that a person's own are weighed against.
const PRIOR_CHANGES: f64 = 5.0;

/// What can be replayed.
pub trait Replayed: Sync {
    /// The value of a person's day `lead - 1` days after `origin`, the first day after those that are
    /// known. `None` when there is nothing to go by.
    fn forecast(&self, person: usize, origin: usize, lead: usize) -> Option<f64>;
}

/// An observed day and what was forecast of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReplayedDay {
    /// The day that was forecast.
    pub target: usize,
    /// The first day that was not known.
    pub origin: usize,
    /// What was observed.
    pub observed: f64,
    /// The forecast.
    pub forecast: f64,
}

impl ReplayedDay {
    /// What was observed, minus the forecast.
    pub fn residual(self) -> f64 {
        self.observed - self.forecast
    }
}

/// What a model would have forecast of a person's days, `lead` days ahead: those of the targets that were
/// observed, in their order. Days of which the model has nothing to say are left out.
pub fn replay_days<'a>(
    model: &'a dyn Replayed,
    person: usize,
    observed: &'a [Option<f64>],
    targets: impl IntoIterator<Item = usize> + 'a,
    lead: usize,
) -> impl Iterator<Item = ReplayedDay> + 'a {
    targets.into_iter().filter_map(move |target| {
        let origin = (target + 1).checked_sub(lead)?;
        let observed = observed.get(target).copied().flatten()?;
        let forecast = model
            .forecast(person, origin, lead)
            .filter(|value| value.is_finite())?;
        Some(ReplayedDay {
            target,
            origin,
            observed,
            forecast,
        })
    })
}

/// The days of one person.
#[derive(Debug, Clone)]
pub struct ReplayedPerson<'a> {
    /// Each day, as it is known in the end.
    pub observed: &'a [Option<f64>],
    /// Targets that the intervals are calibrated on: the model has not been fitted closely to them.
    pub calibrated: Range<usize>,
    /// Targets that are scored. Empty for people who are there to calibrate only.
    pub scored: Range<usize>,
}

/// A scored forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Place of the person in the list.
    pub person: usize,
    /// The day that was forecast.
    pub target: usize,
    /// Days from the last known day to it.
    pub lead: usize,
    /// What was observed.
    pub observed: f64,
    /// The forecast.
    pub distribution: Distribution,
}

/// Replays a model over people, for one lead. The result is in the order of people and days.
///
/// # Errors
///
/// [`EvaluationError`] for forecasts and levels that are no numbers.
pub fn replay(
    model: &dyn Replayed,
    people: &[ReplayedPerson<'_>],
    lead: usize,
    levels: &[f64],
) -> Result<Vec<Scored>, EvaluationError> {
    let usual = usual_change(people);
    let calibrating: Vec<Vec<Step>> = people
        .iter()
        .enumerate()
        .map(|(index, person)| steps(model, index, person, &person.calibrated, lead, usual))
        .collect();
    let calibration = Calibration::fit(&calibrating, levels, true)?;
    let mut found = Vec::new();
    for (index, (person, before)) in people.iter().zip(calibrating).enumerate() {
        let mut intervals = calibration.follow()?;
        for step in before {
            if step.target < person.scored.start {
                intervals.push(step);
            }
        }
        for step in steps(model, index, person, &person.scored, lead, usual) {
            intervals.learn_until(step.origin);
            let bounds = intervals.bounds(step.forecast, step.scale);
            let bounds = bounds
                .into_iter()
                .map(|(level, lower, upper)| Bounds {
                    level,
                    lower,
                    upper,
                })
                .collect();
            found.push(Scored {
                person: index,
                target: step.target,
                lead,
                observed: step.observed,
                distribution: Distribution::new(step.forecast, bounds)?,
            });
            intervals.push(step);
        }
    }
    Ok(found)
}

/// The forecasts of a person's days that were observed.
fn steps(
    model: &dyn Replayed,
    index: usize,
    person: &ReplayedPerson<'_>,
    targets: &Range<usize>,
    lead: usize,
    usual: f64,
) -> Vec<Step> {
    let mut changes = Changes::default();
    let mut known = 0;
    replay_days(model, index, person.observed, targets.clone(), lead)
        .map(|day| {
            while known < day.origin {
                changes.push(person.observed[known]);
                known += 1;
            }
            Step {
                origin: day.origin,
                target: day.target,
                forecast: day.forecast,
                observed: day.observed,
                scale: changes.mean(usual),
                counts: changes.readings >= LEAST_READINGS,
            }
        })
        .collect()
}

/// The mean change of all people from reading to reading; above 0.
fn usual_change(people: &[ReplayedPerson<'_>]) -> f64 {
    let mut sizes: Vec<f64> = Vec::new();
    for person in people {
        let mut changes = Changes::default();
        let end = person.calibrated.end.min(person.observed.len());
        for value in &person.observed[..end] {
            changes.push(*value);
        }
        if changes.readings > 1 {
            sizes.push(changes.sum / (changes.readings - 1) as f64);
        }
    }
    crate::mean::mean(sizes)
        .filter(|mean| *mean > 0.0)
        .unwrap_or(1.0)
}

/// The changes of a person from reading to reading so far.
#[derive(Default)]
struct Changes {
    last: Option<f64>,
    sum: f64,
    readings: usize,
}

impl Changes {
    fn push(&mut self, value: Option<f64>) {
        let Some(value) = value else {
            return;
        };
        if let Some(last) = self.last {
            self.sum += (value - last).abs();
        }
        self.last = Some(value);
        self.readings += 1;
    }

    fn mean(&self, usual: f64) -> f64 {
        let count = self.readings.saturating_sub(1) as f64;
        (self.sum + PRIOR_CHANGES * usual) / (count + PRIOR_CHANGES)
    }
}
