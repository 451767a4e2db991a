//! What forecasts read of people, kept in this process: their days instead of their records.
//!
//! They are kept with the [`Generation`] of the data that they were made of, so that new records, a changed
//! profile and an erasure make them useless, also when another process wrote. They are made again when
//! a record becomes known at its time.

use super::{Engine, all_days};
use crate::error::EngineError;
use chrono::{DateTime, NaiveDate, Utc};
use std::sync::Arc;
use vitalcast_domain::{History, UserId};
use vitalcast_features::DailyHistory;
use vitalcast_inference::InferenceError;
use vitalcast_store::{Generation, Store};

/// The days of a person from some day on.
pub(super) struct KeptDays {
    generation: Generation,
    /// Records before this day may be missing.
    from: NaiveDate,
    pub(super) days: DailyHistory,
}

impl KeptDays {
    /// Memory that they take, bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.days.bytes()
    }

    fn serves(&self, generation: Generation, from: NaiveDate, now: DateTime<Utc>) -> bool {
        let of_the_data = |of: Generation| (of.incarnation, of.data);
        of_the_data(self.generation) == of_the_data(generation)
            && self.from <= from
            && self.days.holds_at(now)
    }
}

impl Engine {
    /// The days of a person from a day on, as they are known at `now`; [`NaiveDate::MIN`] for all.
    pub(super) fn days_of(
        &self,
        user: &UserId,
        generation: Generation,
        from: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeptDays>, EngineError> {
        if let Some(kept) = self.caches.days.get(user)
            && kept.serves(generation, from, now)
        {
            return Ok(kept);
        }
        let history = self.load_from(user, from)?;
        let kept = Arc::new(KeptDays {
            generation,
            from,
            days: DailyHistory::new(&history, now).map_err(InferenceError::from)?,
        });
        drop(history);
        self.caches.days.insert(user.clone(), Arc::clone(&kept));
        // Written or erased meanwhile: then they may be those of another generation, or of nobody.
        if self.generation(user)? != Some(generation) {
            self.forget_days(user);
        }
        Ok(kept)
    }

    /// Removes the days of a person from memory.
    pub(super) fn forget_days(&self, user: &UserId) {
        self.caches.days.invalidate(user);
        // Removes it now, not with some later entry.
        self.caches.days.run_pending_tasks();
    }

    /// All data of a person, or those of the days from one on.
    fn load_from(&self, user: &UserId, from: NaiveDate) -> Result<History, EngineError> {
        if from == NaiveDate::MIN {
            return self.load(user);
        }
        let days = from..=*all_days().end();
        let history = self.wait(self.store.history(user, Some(days)))?;
        history.ok_or_else(|| self.unknown(user))
    }
}
