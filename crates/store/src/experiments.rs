//! The interface of stores of experiments.

use crate::error::StoreError;
use crate::store::Listed;
use vitalcast_domain::{Experiment, ExperimentId, UserId};

/// A stored experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredExperiment {
    /// The experiment.
    pub experiment: Experiment,
    /// Grows with each change, so that no change is lost between two writers.
    pub revision: i64,
}

/// What became of a new experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AddedExperiment {
    /// It is stored.
    Stored,
    /// Nothing is stored: the person has one with this id.
    IdTaken,
    /// Nothing is stored: another one has days in common with it.
    Overlaps(ExperimentId),
}

/// Experiments of people. Every method is one transaction; all fail with [`StoreError`] when the database
/// cannot be read or written. No forecast depends on an experiment, so that none of these changes a
/// [`Generation`](crate::Generation).
pub trait Experiments: Send + Sync {
    /// Stores a new experiment; with `allow_overlap` also if another one has days in common with it. Fails
    /// with [`StoreError::NoSuchUser`].
    fn add_experiment(
        &self,
        experiment: &Experiment,
        allow_overlap: bool,
    ) -> impl Future<Output = Result<AddedExperiment, StoreError>> + Send;

    /// An experiment of a person.
    fn experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> impl Future<Output = Result<Option<StoredExperiment>, StoreError>> + Send;

    /// All experiments of a person, in the order of their first days.
    fn experiments(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Listed<Experiment, ExperimentId>, StoreError>> + Send;

    /// Replaces an experiment that still has the revision with which it was read. `false` if it has
    /// another one, or is gone.
    fn change_experiment(
        &self,
        changed: &StoredExperiment,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Deletes an experiment. `false` if there is none.
    fn delete_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}
