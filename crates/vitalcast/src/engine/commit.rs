//! Group commit: one durable commit for all writes that wait.
//!
//! Each commit costs a flush to disk, whatever its size. Writers that arrive during a commit add their
//! records to a queue, and the next writer commits the whole queue.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitalcast_domain::{Record, UserId};
use vitalcast_store::{NewForecast, Store, StoreError, WriteReport};

/// Maximum number of records in one commit; a longer queue needs several commits.
const MAX_RECORDS: usize = 20_000;
/// Number of waiting forecasts after which the next writer commits them.
const MAX_FORECASTS: usize = 1_000;
/// Maximum number of waiting forecasts while nothing can be written; the oldest are dropped.
const MOST_FORECASTS: usize = 10 * MAX_FORECASTS;

type Outcome = Result<WriteReport, StoreError>;

/// The queue for the next commit.
#[derive(Debug, Default)]
pub(super) struct Commits {
    records: Mutex<Vec<Waiting>>,
    forecasts: Mutex<Vec<NewForecast>>,
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Waiting {
    batch: (UserId, Vec<Record>),
    outcome: Arc<Mutex<Option<Outcome>>>,
}

/// The state stays consistent after a panic: each change is a single push or take.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine {
    /// Writes a batch together with the batches of other threads. The batch is durable when the call
    /// returns.
    pub(super) fn commit_records(
        &self,
        user: &UserId,
        records: Vec<Record>,
        now: DateTime<Utc>,
    ) -> Result<WriteReport, EngineError> {
        let outcome = Arc::new(Mutex::new(None));
        locked(&self.commits.records).push(Waiting {
            batch: (user.clone(), records),
            outcome: Arc::clone(&outcome),
        });
        loop {
            let _turn = locked(&self.commits.turn);
            if let Some(outcome) = locked(&outcome).take() {
                return Ok(outcome?);
            }
            self.commit_waiting(now);
        }
    }

    fn commit_waiting(&self, now: DateTime<Utc>) {
        let group = {
            let mut waiting = locked(&self.commits.records);
            let mut count = 0;
            let taken = waiting
                .iter()
                .take_while(|next| {
                    let first = count == 0;
                    count += next.batch.1.len().max(1);
                    first || count <= MAX_RECORDS
                })
                .count();
            waiting.drain(..taken).collect::<Vec<_>>()
        };
        let (batches, outcomes): (Vec<_>, Vec<_>) = group
            .into_iter()
            .map(|waiting| (waiting.batch, waiting.outcome))
            .unzip();
        match self.wait(self.store.write_batches(&batches, now)) {
            Ok(reports) => {
                for (outcome, report) in outcomes.iter().zip(reports) {
                    *locked(outcome) = Some(Ok(report));
                }
            }
            // Whose fault it was, each one by itself tells.
            Err(_) => {
                for (outcome, (user, records)) in outcomes.iter().zip(&batches) {
                    let alone = self.wait(self.store.write_records(user, records, now));
                    *locked(outcome) = Some(alone);
                }
            }
        }
    }

    /// Stores a forecast: immediately, or with the next [`Engine::flush_forecasts`].
    pub(super) fn keep_forecast(&self, forecast: NewForecast) -> Result<(), EngineError> {
        if !self.defer_forecasts {
            return Ok(self.wait(self.store.save_forecast(&forecast))?);
        }
        let many = {
            let mut waiting = locked(&self.commits.forecasts);
            waiting.push(forecast);
            waiting.len() == MAX_FORECASTS
        };
        if many && let Err(error) = self.flush_forecasts() {
            // They are answered all the same, and written when there is room again.
            tracing::warn!(code = error.code(), "cannot store forecasts yet");
        }
        Ok(())
    }

    /// Writes the forecasts made since the last call, in one commit.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`]; then the last 10,000 forecasts wait for the next call.
    pub fn flush_forecasts(&self) -> Result<(), EngineError> {
        let _turn = locked(&self.commits.turn);
        let mut forecasts = std::mem::take(&mut *locked(&self.commits.forecasts));
        if forecasts.is_empty() {
            return Ok(());
        }
        let saved = self.wait(self.store.save_forecasts(&forecasts));
        if saved.is_err() {
            let mut waiting = locked(&self.commits.forecasts);
            forecasts.append(&mut waiting);
            let given_up = forecasts.len().saturating_sub(MOST_FORECASTS);
            forecasts.drain(..given_up);
            *waiting = forecasts;
        }
        Ok(saved?)
    }

    /// Drops the forecasts of a person that are not written yet.
    pub(super) fn forget_forecasts(&self, user: &UserId) {
        locked(&self.commits.forecasts).retain(|forecast| forecast.user_id != *user);
    }
}
