//! What a replay has computed of finished people, so that one that was cut goes on from there.
//!
//! Only forecasts are kept, by model and person: they are what takes time. Intervals, scores and the model
//! of many people follow from them and from the data, and are computed again. So a replay that goes on gives
//! the same bytes as one that was not cut.

use super::{Cohort, ReplayModel};
use crate::error::TrainingError;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use vitalcast_domain::UserId;
use vitalcast_evaluation::Replayed;

/// People whose forecasts are computed at once: then they are kept.
const AT_ONCE: usize = 16;

/// The forecasts of a model for a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FinishedPerson {
    /// Name of the model.
    pub model: String,
    /// The person.
    pub user_id: UserId,
    /// Targets that the intervals are calibrated on.
    pub calibrated: Range<usize>,
    /// First day after the origin, days ahead, and forecast.
    pub forecasts: Vec<(usize, usize, f64)>,
}

/// Where finished people are kept.
pub trait ReplayRecord {
    /// What an earlier run of the same replay on the same data has kept.
    fn finished(&self, model: ReplayModel, user: &UserId) -> Option<FinishedPerson>;

    /// Keeps a person; `Break` stops the replay.
    fn keep(&mut self, person: FinishedPerson) -> ControlFlow<()>;
}

/// A replay that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRecord;

impl ReplayRecord for NoRecord {
    fn finished(&self, _: ReplayModel, _: &UserId) -> Option<FinishedPerson> {
        None
    }

    fn keep(&mut self, _: FinishedPerson) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Forecasts of people, computed beforehand.
pub(super) struct Finished<'a> {
    model: ReplayModel,
    cohort: &'a Cohort<'a>,
    /// By person; those without scored days need none.
    forecasts: Vec<Option<HashMap<(usize, usize), f64>>>,
    /// The targets that the intervals of each person are calibrated on.
    pub(super) calibrated: Vec<Range<usize>>,
}

impl<'a> Finished<'a> {
    /// The forecasts of a model that are kept.
    pub(super) fn kept(
        model: ReplayModel,
        cohort: &'a Cohort<'a>,
        record: &dyn ReplayRecord,
    ) -> Self {
        let mut finished = Self {
            model,
            cohort,
            forecasts: vec![None; cohort.people.len()],
            calibrated: vec![0..0; cohort.people.len()],
        };
        for (index, (person, scored)) in cohort.people.iter().zip(&cohort.scored).enumerate() {
            if scored.is_empty() {
                finished.forecasts[index] = Some(HashMap::new());
            } else if let Some(person) = record.finished(model, &person.user) {
                finished.put(index, &person);
            }
        }
        finished
    }

    /// The people whose forecasts are not there yet.
    pub(super) fn missing(&self) -> Vec<usize> {
        let places = self.forecasts.iter().enumerate();
        places
            .filter(|(_, forecasts)| forecasts.is_none())
            .map(|(index, _)| index)
            .collect()
    }

    /// Adds and keeps a person's forecasts.
    pub(super) fn add(
        &mut self,
        index: usize,
        calibrated: Range<usize>,
        forecasts: Vec<(usize, usize, f64)>,
        record: &mut dyn ReplayRecord,
    ) -> Result<(), TrainingError> {
        let person = FinishedPerson {
            model: self.model.name().to_owned(),
            user_id: self.cohort.people[index].user.clone(),
            calibrated,
            forecasts,
        };
        self.put(index, &person);
        match record.keep(person) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(TrainingError::Cancelled),
        }
    }

    fn put(&mut self, index: usize, person: &FinishedPerson) {
        let forecasts = person.forecasts.iter();
        let forecasts = forecasts.map(|(origin, lead, value)| ((*origin, *lead), *value));
        self.forecasts[index] = Some(forecasts.collect());
        self.calibrated[index] = person.calibrated.clone();
    }

    /// Computes the missing forecasts of a model, so many people at once.
    pub(super) fn complete(
        &mut self,
        models: &dyn Replayed,
        calibrated: &[Range<usize>],
        leads: &[usize],
        record: &mut dyn ReplayRecord,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), TrainingError> {
        let cohort = self.cohort;
        for people in self.missing().chunks(AT_ONCE) {
            if check().is_break() {
                return Err(TrainingError::Cancelled);
            }
            let found: Vec<Vec<(usize, usize, f64)>> = people
                .par_iter()
                .map(|&index| {
                    let observed = &cohort.people[index].observed;
                    let targets = calibrated[index]
                        .clone()
                        .chain(cohort.scored[index].clone());
                    let mut forecasts = Vec::new();
                    for target in targets.filter(|target| observed[*target].is_some()) {
                        for &lead in leads {
                            let Some(origin) = (target + 1).checked_sub(lead) else {
                                continue;
                            };
                            let value = models.forecast(index, origin, lead);
                            forecasts.extend(
                                value
                                    .filter(|value| value.is_finite())
                                    .map(|value| (origin, lead, value)),
                            );
                        }
                    }
                    forecasts
                })
                .collect();
            for (&index, forecasts) in people.iter().zip(found) {
                self.add(index, calibrated[index].clone(), forecasts, record)?;
            }
        }
        Ok(())
    }
}

impl Replayed for Finished<'_> {
    fn forecast(&self, person: usize, origin: usize, lead: usize) -> Option<f64> {
        let forecasts = self.forecasts[person].as_ref()?;
        forecasts.get(&(origin, lead)).copied()
    }
}
