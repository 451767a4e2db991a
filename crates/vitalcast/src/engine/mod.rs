//! The engine on a data folder: one SQLite file and a folder of model artifacts.

mod backtest;
mod cache;
mod commit;
mod correlation_pictures;
mod correlations;
mod features;
mod history;
mod import;
mod jobs;
mod keys;
mod models;
mod performance;
mod predict;
mod records;
mod train;
mod wire;

pub(crate) use backtest::backtest_history;
pub use backtest::{BacktestAnswer, BacktestDay, BacktestRequest};
pub use cache::{CacheOptions, CacheStatistics, SharedCache};
pub use correlation_pictures::{heat_map, lag_chart, significance_sentence};
pub use features::{DayFeatures, DayFeaturesQuery, FeatureMatrix, FeatureQuery};
pub use history::{ForecastRecord, HistoryDay, HistoryView};
pub use import::{ImportSettings, ImportSummary};
pub use jobs::{
    Clock, FolderLock, ImportUpload, JobEvent, JobOptions, JobRunner, JobWatch, estimated_seconds,
};
pub use keys::{KeyRandomness, NewKey};
pub use performance::{ActualVsPredicted, ModelPerformance};
pub use predict::BatchForecast;
pub use records::{Erasure, all_days};
pub(crate) use train::cancelled;
pub use wire::record_json;

use crate::error::EngineError;
use cache::Caches;
use chrono::{DateTime, Days, NaiveDate, Utc};
use commit::Commits;
use keys::Access;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};
use vitalcast_domain::{History, Profile, Record, UserId};
use vitalcast_models::ComputeDevice;
use vitalcast_store::{ChangeMark, SqliteStore, Store, UserSummary, WriteReport};

const DATABASE: &str = "vitalcast.db";
const MODELS: &str = "models";

/// Makes a folder and those above it, for the owner only; what is there stays as it is.
fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Waits for the database, on whatever thread asks.
#[derive(Debug)]
struct Waiter(Option<tokio::runtime::Runtime>);

impl Waiter {
    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        let runtime = self.0.as_ref().expect("it is there until it is dropped");
        runtime.block_on(future)
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // The last owner of an engine may be an asynchronous task, where waiting for a runtime to
        // end is a panic.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Use cases on one data folder. Several engines, also in several processes, may share a folder.
///
/// Every method blocks; an asynchronous caller runs it on a thread that may block.
#[derive(Debug)]
pub struct Engine {
    folder: PathBuf,
    store: SqliteStore,
    runtime: Waiter,
    device: ComputeDevice,
    caches: Caches,
    commits: Commits,
    access: OnceLock<Access>,
    keys_seen: Mutex<Option<(ChangeMark, bool)>>,
    /// See [`Engine::publishing`].
    publishing: Mutex<()>,
    defer_forecasts: bool,
}

impl Engine {
    /// Opens a data folder and makes it if it is not there; a new one is open to its owner only.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the folder cannot be made, [`EngineError::Store`] when its database
    /// cannot be opened: read-only, of a newer release, or no database at all.
    pub fn open(folder: &Path) -> Result<Self, EngineError> {
        let models = folder.join(MODELS);
        make_private_folder(&models).map_err(|source| EngineError::Io {
            doing: "create the data folder",
            path: models.clone(),
            source,
        })?;
        // What a killed process left half-written was never registered.
        vitalcast_artifact::remove_leftovers(&models)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|source| EngineError::Io {
                doing: "start the runtime for",
                path: folder.to_owned(),
                source,
            })?;
        let runtime = Waiter(Some(runtime));
        let store = runtime.wait(SqliteStore::open(&folder.join(DATABASE)))?;
        Ok(Self {
            folder: folder.to_owned(),
            store,
            runtime,
            device: ComputeDevice::default(),
            caches: Caches::new(CacheOptions::default()),
            commits: Commits::default(),
            access: OnceLock::new(),
            keys_seen: Mutex::new(None),
            publishing: Mutex::default(),
            defer_forecasts: false,
        })
    }

    /// Forecasts are answered before they are written down; [`Engine::flush_forecasts`], called
    /// again and again, writes them. What a killed process had not written yet is lost; it would be
    /// forecast again the same.
    #[must_use]
    pub fn with_deferred_forecasts(self) -> Self {
        Self {
            defer_forecasts: true,
            ..self
        }
    }

    /// The same engine, fitting networks on another device. Forecasts are made on the CPU.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidSetting`] for a device that this build or this machine does not have.
    pub fn with_device(self, device: ComputeDevice) -> Result<Self, EngineError> {
        device
            .open()
            .map_err(|error| EngineError::InvalidSetting(error.to_string()))?;
        Ok(Self { device, ..self })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everyone with data, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn users(&self) -> Result<Vec<UserSummary>, EngineError> {
        Ok(self.wait(self.store.users())?)
    }

    /// A person's profile.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn profile(&self, user: &UserId) -> Result<Profile, EngineError> {
        match self.wait(self.store.profile(user))? {
            Some(profile) => Ok(profile),
            None => Err(self.unknown(user)),
        }
    }

    /// Sets a person's profile; makes the person if they are not there.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`] for a number no person has, [`EngineError::Store`].
    pub fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), EngineError> {
        profile.validate()?;
        Ok(self.wait(self.store.set_profile(user, profile))?)
    }

    /// The day after the last finished day with data, or tomorrow if data reach to the present.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn next_day(&self, user: &UserId, now: DateTime<Utc>) -> Result<NaiveDate, EngineError> {
        let zone = self.profile(user)?.zone;
        let today = zone.day_of(now);
        let last = self
            .user(user)?
            .and_then(|summary| summary.last_day)
            .unwrap_or(today);
        Ok(last.min(today) + Days::new(1))
    }

    /// Keeps records of a person; makes the person, with a default profile, if they are not there.
    /// Writers on several threads share a commit.
    ///
    /// Writing the same thing twice changes nothing, and a record with other content than the one
    /// kept becomes a new version, known from `now` on.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`], with nothing of the batch kept: for a record no body can have, or a
    /// database that cannot be written.
    pub fn write_records(
        &self,
        user: &UserId,
        records: Vec<Record>,
        now: DateTime<Utc>,
    ) -> Result<WriteReport, EngineError> {
        self.commit_records(user, records, now)
    }

    /// Everything known about a person: profile and every version of every record.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn load(&self, user: &UserId) -> Result<History, EngineError> {
        match self.wait(self.store.history(user, None))? {
            Some(history) => Ok(history),
            None => Err(self.unknown(user)),
        }
    }

    fn unknown(&self, user: &UserId) -> EngineError {
        EngineError::UnknownUser {
            user: user.clone(),
            known: self
                .wait(self.store.count_users())
                .map_or(0, |count| count as usize),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn check(&self) -> Result<(), EngineError> {
        self.wait(self.store.count_users())?;
        Ok(())
    }

    /// Whether data can be written. Costs nothing while writing succeeds; once the disk was full or
    /// failed, it tries.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`], with what stands in the way.
    pub fn check_writable(&self) -> Result<(), EngineError> {
        Ok(self.wait(self.store.check_writable())?)
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.wait(future)
    }

    fn model_path(&self, file_name: &str) -> PathBuf {
        self.folder.join(MODELS).join(file_name)
    }
}
