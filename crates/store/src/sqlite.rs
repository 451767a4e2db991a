//! The store in one SQLite file.

mod erasure;
mod experiments;
mod forecasts;
mod generation;
mod jobs;
mod keys;
mod mark;
mod models;
mod open;
mod people;
mod placing;
mod records;
mod upgrade;

pub use mark::ChangeMark;

use crate::error::StoreError;
use crate::store::{
    Deletion, ErasedUser, Generation, ModelList, NewForecast, NewModel, RecordFilter,
    RegisteredModel, Store, StoredForecast, UserSummary, WriteReport,
};
use chrono::{DateTime, NaiveDate, Utc};
use models::Owner;
use records::Writing;
use sqlx::sqlite::SqlitePool;
use sqlx::{Sqlite, Transaction};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vitalcast_domain::{
    History, ModelArchitecture, ModelId, PredictionMetric, Profile, Record, UserId,
};

/// Free bytes below which a disk counts as full: a request's records may need as much.
const LEAST_ROOM: u64 = 1 << 20;

/// A store in one SQLite file, in write-ahead mode with full synchronisation.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
    marks: Arc<mark::MarkReader>,
    /// Whether the last write succeeded.
    disk_takes: Arc<AtomicBool>,
}

impl SqliteStore {
    fn failed(&self, error: sqlx::Error) -> StoreError {
        let error = StoreError::of(&self.path, error);
        if error.is_of_the_disk() {
            self.disk_takes.store(false, Ordering::Relaxed);
        }
        error
    }

    /// Checks that the database can be written: the disk has at least one mebibyte left, and the last
    /// write succeeded. If the last write failed, this tries a small one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Io`], [`StoreError::Busy`].
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        if room_beside(&self.path).is_some_and(|room| room < LEAST_ROOM) {
            return Err(StoreError::Full {
                path: self.path.clone(),
            });
        }
        if self.disk_takes.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        // Changes no value and is written all the same.
        sqlx::query("UPDATE erasures SET count = count")
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.commit(transaction).await
    }

    /// A mark of the database state. Two equal marks mean that no process has written in between;
    /// `None` means that a query is needed. Takes a few microseconds.
    pub fn change_mark(&self) -> Option<ChangeMark> {
        self.marks.read()
    }

    /// A transaction with a write lock from its start, so that two writers wait for each other instead
    /// of failing later.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.failed(error))
    }

    async fn commit(&self, transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
        transaction
            .commit()
            .await
            .map_err(|error| self.failed(error))?;
        self.disk_takes.store(true, Ordering::Relaxed);
        Ok(())
    }
}

/// Free bytes on the disk of a file; `None` if the system does not tell.
fn room_beside(file: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(file).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
    }
}

impl Store for SqliteStore {
    async fn users(&self) -> Result<Vec<UserSummary>, StoreError> {
        self.summaries(None).await
    }

    async fn user(&self, user: &UserId) -> Result<Option<UserSummary>, StoreError> {
        Ok(self.summaries(Some(user)).await?.pop())
    }

    async fn last_day(&self, user: &UserId) -> Result<Option<NaiveDate>, StoreError> {
        self.last_day_of(user).await
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        self.number_of_people().await
    }

    async fn profile(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        self.profile_of(user).await
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<u64, StoreError> {
        self.replace_profile(user, profile).await
    }

    async fn write_records(
        &self,
        user: &UserId,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> Result<WriteReport, StoreError> {
        let batches = [(user, records)];
        Ok(self
            .write_all(&batches, Writing::Records, now)
            .await?
            .remove(0))
    }

    async fn write_versions(
        &self,
        user: &UserId,
        versions: &[Record],
        now: DateTime<Utc>,
    ) -> Result<WriteReport, StoreError> {
        let batches = [(user, versions)];
        Ok(self
            .write_all(&batches, Writing::Versions, now)
            .await?
            .remove(0))
    }

    async fn write_batches(
        &self,
        batches: &[(UserId, Vec<Record>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<WriteReport>, StoreError> {
        let batches: Vec<(&UserId, &[Record])> = batches
            .iter()
            .map(|(user, records)| (user, records.as_slice()))
            .collect();
        self.write_all(&batches, Writing::Records, now).await
    }

    async fn records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Record>, Option<String>), StoreError> {
        self.page(user, filter, after, limit).await
    }

    async fn delete_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        deletion: Deletion,
    ) -> Result<u64, StoreError> {
        self.delete(user, filter, deletion).await
    }

    async fn restore_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> Result<u64, StoreError> {
        self.restore(user, filter).await
    }

    async fn history(
        &self,
        user: &UserId,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> Result<Option<History>, StoreError> {
        let Some(profile) = self.profile_of(user).await? else {
            return Ok(None);
        };
        let mut history = History::new(user.clone(), profile);
        history.extend(match days {
            Some(days) => self.versions_of_days(user, &days).await?,
            None => self.all_versions(user).await?,
        });
        Ok(Some(history))
    }

    async fn generation(&self, user: &UserId) -> Result<Option<Generation>, StoreError> {
        self.generation_of(user).await
    }

    async fn erase_user(&self, user: &UserId) -> Result<ErasedUser, StoreError> {
        self.erase(user).await
    }

    async fn finish_erasure(&self, user: &UserId) -> Result<bool, StoreError> {
        self.finish(user).await
    }

    async fn pending_erasures(&self) -> Result<Vec<UserId>, StoreError> {
        self.pending().await
    }

    async fn register_model(&self, model: NewModel) -> Result<RegisteredModel, StoreError> {
        self.register(model).await
    }

    async fn models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> Result<ModelList, StoreError> {
        let owner = user.map_or(Owner::Any, Owner::Person);
        self.models_where(owner, metric, None).await
    }

    async fn models_of_many_people(
        &self,
        metric: Option<PredictionMetric>,
    ) -> Result<ModelList, StoreError> {
        self.models_where(Owner::Nobody, metric, None).await
    }

    async fn model(&self, id: &ModelId) -> Result<Option<RegisteredModel>, StoreError> {
        let mut list = self.models_where(Owner::Any, None, Some(id)).await?;
        match list.unreadable.pop() {
            Some(unreadable) => Err(StoreError::UnreadableModel(Box::new(unreadable))),
            None => Ok(list.models.pop()),
        }
    }

    async fn active_model(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> Result<Option<RegisteredModel>, StoreError> {
        let list = self
            .models_where(Owner::Person(user), Some(metric), None)
            .await?;
        Ok(RegisteredModel::chosen(&list.models, metric, architecture, version).cloned())
    }

    async fn activate(&self, id: &ModelId) -> Result<(), StoreError> {
        self.make_active(id).await
    }

    async fn delete_model(&self, id: &ModelId) -> Result<(), StoreError> {
        self.remove_model(id).await
    }

    async fn save_forecast(&self, forecast: &NewForecast) -> Result<(), StoreError> {
        self.save_one(forecast).await
    }

    async fn save_forecasts(&self, forecasts: &[NewForecast]) -> Result<(), StoreError> {
        self.save_many(forecasts).await
    }

    async fn fill_outcomes(
        &self,
        outcomes: &[(i64, Option<f64>, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        self.settle(outcomes).await
    }

    async fn forecasts(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> Result<Vec<StoredForecast>, StoreError> {
        self.forecasts_where(user, metric, days).await
    }
}

#[cfg(test)]
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
