//! Experiments of a person on themselves: planning, what is due, what was done, what was seen.
//!
//! The numbers are those of `vitalcast_insight::experiment`. What stands here is which days and values
//! enter them: those of the schedule only, as known now, and only whole pairs of blocks.

mod analysis;
mod error;
mod pictures;
mod plan;
mod view;
mod words;

pub use error::ExperimentError;
pub use pictures::{experiment_chart, experiment_report};

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use vitalcast_domain::bounds::EXPERIMENT_QUESTION;
use vitalcast_domain::{
    Adherence, Experiment, ExperimentAnalysis, ExperimentDay, ExperimentId, ExperimentList,
    ExperimentState, ExperimentSummary, ExperimentView, FieldError, InvalidRequest,
    UnreadableExperimentInfo, UserId,
};
use vitalcast_store::{Experiments, StoredExperiment};

/// Attempts to change an experiment that others change too.
const ATTEMPTS: usize = 20;

impl Engine {
    /// The experiments of a person, in the order of their first days.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn experiments(
        &self,
        user: &UserId,
        now: DateTime<Utc>,
    ) -> Result<ExperimentList, EngineError> {
        let today = self.profile(user)?.day_of(now);
        let stored = self.wait(self.store.experiments(user))?;
        let all = stored.rows.iter();
        let unreadable = stored.unreadable.into_iter();
        Ok(ExperimentList {
            user_id: user.clone(),
            experiments: all.map(|one| summary_of(one, today)).collect(),
            unreadable_experiments: unreadable
                .map(|one| UnreadableExperimentInfo {
                    experiment_id: one.id,
                    reason: one.what,
                })
                .collect(),
        })
    }

    /// An experiment with its days, and what was seen so far.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`ExperimentError::Unknown`], [`EngineError::Store`].
    pub fn experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
        now: DateTime<Utc>,
    ) -> Result<ExperimentView, EngineError> {
        let stored = self.stored_experiment(user, id)?;
        self.view(stored.experiment, now)
    }

    /// What an experiment has shown so far; see [`ExperimentAnalysis`].
    ///
    /// # Errors
    ///
    /// The errors of [`Engine::experiment`].
    pub fn analyse_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
        now: DateTime<Utc>,
    ) -> Result<ExperimentAnalysis, EngineError> {
        Ok(self.experiment(user, id, now)?.analysis)
    }

    /// What is due today in each running experiment of a person.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn due_today(
        &self,
        user: &UserId,
        now: DateTime<Utc>,
    ) -> Result<Vec<(Experiment, ExperimentDay)>, EngineError> {
        let today = self.profile(user)?.day_of(now);
        let mut due = Vec::new();
        for experiment in self.wait(self.store.experiments(user))?.rows {
            if is_due_on(&experiment, today) {
                let view = self.view(experiment, now)?;
                due.extend(view.today.map(|day| (view.experiment, day)));
            }
        }
        Ok(due)
    }

    /// Records whether the person did what was due on a day. A later word replaces an earlier one.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::DayOutside`], [`ExperimentError::DayNotYet`], [`EngineError::Request`] for a remark
    /// that is too long; the errors of [`Engine::experiment`].
    pub fn record_adherence(
        &self,
        user: &UserId,
        id: &ExperimentId,
        day: NaiveDate,
        followed: bool,
        note: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<ExperimentView, EngineError> {
        if note.as_ref().is_some_and(|note| {
            note.chars().count() > EXPERIMENT_QUESTION || note.chars().any(char::is_control)
        }) {
            return Err(refused(
                "note",
                format!("must be one line of at most {EXPERIMENT_QUESTION} characters"),
            ));
        }
        let today = self.profile(user)?.day_of(now);
        let changed = self.change(user, id, |experiment| {
            let (first, last) = (experiment.plan.start, experiment.last_day());
            if day < first || day > last {
                return Err(ExperimentError::DayOutside { day, first, last }.into());
            }
            if day > today {
                return Err(ExperimentError::DayNotYet { day, today }.into());
            }
            let said = Adherence {
                followed,
                note: note.clone(),
                said_at: now,
            };
            experiment.adherence.insert(day, said);
            Ok(())
        })?;
        self.view(changed, now)
    }

    /// Stops an experiment: the days up to yesterday stay, the others are free for another one.
    ///
    /// # Errors
    ///
    /// [`ExperimentError::Ended`] if it has ended; the errors of [`Engine::experiment`].
    pub fn stop_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
        now: DateTime<Utc>,
    ) -> Result<ExperimentView, EngineError> {
        let today = self.profile(user)?.day_of(now);
        let changed = self.change(user, id, |experiment| match experiment.state(today) {
            ExperimentState::Planned | ExperimentState::Running => {
                let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
                experiment.stopped_at = Some(now);
                experiment.stopped_after = Some(yesterday);
                Ok(())
            }
            ExperimentState::Finished | ExperimentState::Stopped => {
                Err(ExperimentError::Ended(id.clone()).into())
            }
        })?;
        self.view(changed, now)
    }

    /// Deletes an experiment with all that was said of its days. The person's records stay.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`ExperimentError::Unknown`], [`EngineError::Store`].
    pub fn delete_experiment(&self, user: &UserId, id: &ExperimentId) -> Result<(), EngineError> {
        self.profile(user)?;
        if self.wait(self.store.delete_experiment(user, id))? {
            Ok(())
        } else {
            Err(ExperimentError::Unknown(id.clone()).into())
        }
    }

    fn stored_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<StoredExperiment, EngineError> {
        match self.wait(self.store.experiment(user, id))? {
            Some(stored) => Ok(stored),
            None => {
                self.profile(user)?;
                Err(ExperimentError::Unknown(id.clone()).into())
            }
        }
    }

    /// Changes an experiment; again if another writer was faster.
    fn change(
        &self,
        user: &UserId,
        id: &ExperimentId,
        mut change: impl FnMut(&mut Experiment) -> Result<(), EngineError>,
    ) -> Result<Experiment, EngineError> {
        for _ in 0..ATTEMPTS {
            let mut stored = self.stored_experiment(user, id)?;
            change(&mut stored.experiment)?;
            if self.wait(self.store.change_experiment(&stored))? {
                return Ok(stored.experiment);
            }
        }
        Err(ExperimentError::ChangedMeanwhile(id.clone()).into())
    }
}

fn refused(field: &'static str, message: String) -> EngineError {
    InvalidRequest(vec![FieldError { field, message }]).into()
}

/// Whether something is due on a day.
fn is_due_on(experiment: &Experiment, day: NaiveDate) -> bool {
    experiment.stopped_at.is_none() && experiment.plan.number_of(day).is_some()
}

fn summary_of(experiment: &Experiment, today: NaiveDate) -> ExperimentSummary {
    let plan = &experiment.plan;
    let due = plan.number_of(today).and_then(|number| plan.due(number));
    ExperimentSummary {
        experiment_id: experiment.experiment_id.clone(),
        question: plan.question.clone(),
        metric: plan.metric,
        state: experiment.state(today),
        first_day: plan.start,
        last_day: experiment.last_day(),
        today: due
            .filter(|_| is_due_on(experiment, today))
            .map(|(condition, _)| plan.label(condition).to_owned()),
    }
}
