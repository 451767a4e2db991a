//! Erasure of a person while jobs run.

use super::{JobRunner, Shared, State, locked};
use crate::engine::Erasure;
use crate::error::EngineError;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;
use vitalcast_domain::{JobId, UserId};

/// Marks a person as being erased, until it is dropped.
struct Leaving<'a> {
    shared: &'a Shared,
    user: &'a UserId,
}

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        locked(&self.shared.state).leaving.remove(self.user);
        self.shared.wake.notify_all();
    }
}

impl Shared {
    /// Waits briefly for a change.
    fn pause<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let waited = self.wake.wait_timeout(state, Duration::from_millis(50));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl JobRunner {
    /// Erases a person with all of their data, after cancelling their jobs.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`], [`EngineError::Io`].
    pub fn erase_user(&self, user: &UserId) -> Result<Erasure, EngineError> {
        let shared = &self.0;
        let mut state = locked(&shared.state);
        while !state.leaving.insert(user.clone()) {
            state = shared.pause(state);
        }
        drop(state);
        // Also when this fails or panics.
        let _leaving = Leaving { shared, user };
        let theirs: Vec<JobId> = locked(&shared.state)
            .live
            .values()
            .filter(|live| live.job.user_id == *user)
            .map(|live| live.job.job_id.clone())
            .collect();
        for id in &theirs {
            match self.cancel(id) {
                Ok(_) | Err(EngineError::JobEnded(_) | EngineError::UnknownJob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut state = locked(&shared.state);
        while state.busy.iter().any(|(busy, ..)| busy == user) {
            state = shared.pause(state);
        }
        for id in &theirs {
            state.live.remove(id);
        }
        drop(state);
        shared.engine.erase(user)
    }
}
