//! The engine on a data folder: one SQLite file and a folder of model artifacts.

mod backtest;
mod cache;
mod commit;
mod correlation_pictures;
mod correlations;
mod coverage;
mod days;
mod experiments;
mod explain;
mod explanation_pictures;
mod features;
mod history;
mod import;
mod jobs;
mod keys;
mod many_people;
mod models;
mod performance;
mod person_days;
mod predict;
mod recorded;
mod records;
mod rejects;
mod train;
mod tune;
mod what_if;
mod wire;

pub use backtest::{BacktestPeople, backtest, replay_chart, replay_skill_chart};
pub use cache::{CacheOptions, CacheStatistics, SharedCache};
pub use correlation_pictures::{heat_map, lag_chart, significance_sentence};
pub use coverage::{DataCoverage, DayCount, ForecastReadiness, MetricDays, SourceDays};
pub use days::{DayOfPerson, MetricOfDay, SleepOfDay, TagOfDay, ValueOfSource};
pub use experiments::{ExperimentError, experiment_chart, experiment_report};
pub use explanation_pictures::{
    attention_chart, day_importance_chart, dependence_charts, global_importance_chart,
    importance_chart, waterfall_chart,
};
pub use features::{DayFeatures, DayFeaturesQuery, FeatureMatrix, FeatureQuery};
pub use history::{ForecastRecord, HistoryDay, HistoryView};
pub use import::{
    FilesNotRead, FormatSummary, ImportSettings, ImportSummary, MOST_PEOPLE_SHOWN, PersonDays,
};
pub use jobs::{
    Clock, FolderLock, ImportUpload, JobEvent, JobOptions, JobRunner, JobWatch, NewUpload,
    UploadError, UploadInfo, UploadPart, estimated_seconds,
};
pub use keys::{KeyRandomness, NewKey};
pub use many_people::{PooledFit, PooledFits};
pub use performance::{ActualVsPredicted, ModelPerformance};
pub use predict::BatchForecast;
pub use records::{Erasure, all_days};
pub(crate) use train::cancelled;
pub use tune::matter_chart;
pub use what_if::{counterfactual_chart, trajectory_chart, what_if_chart};
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

/// Creates a folder and its parents, accessible only for the owner; existing folders are not changed.
fn make_private_folder(path: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Blocks the current thread until the database responds.
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

/// The use cases on a data folder. Several engines can share a folder, also in several processes.
///
/// All methods block: asynchronous code must call them on a blocking thread.
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
    /// Opens a data folder, and creates it if necessary; a new one is accessible only for its owner.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] if the folder cannot be created, [`EngineError::Store`] if its database
    /// cannot be opened: read-only, from a newer release, or not a database.
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

    /// Returns forecasts before they are stored; the caller must call [`Engine::flush_forecasts`]
    /// regularly to store them. If the process is killed, forecasts that are not stored yet are lost;
    /// the same request gives the same forecast again.
    #[must_use]
    pub fn with_deferred_forecasts(self) -> Self {
        Self {
            defer_forecasts: true,
            ..self
        }
    }

    /// Trains networks on another device. Forecasts are computed on the CPU.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidSetting`] for a device that this build or this machine does not support.
    pub fn with_device(self, device: ComputeDevice) -> Result<Self, EngineError> {
        device
            .check()
            .map_err(|error| EngineError::InvalidSetting(error.to_string()))?;
        Ok(Self { device, ..self })
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All people with data, in the order of their ids.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn users(&self) -> Result<Vec<UserSummary>, EngineError> {
        Ok(self.wait(self.store.users())?)
    }

    /// The profile of a person.
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

    /// Sets the profile of a person; creates the person if necessary. With other zones than before, the
    /// person's records move to their new days; returns how many have another day now.
    ///
    /// # Errors
    ///
    /// [`EngineError::Request`] for an implausible number, [`EngineError::Store`].
    pub fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<u64, EngineError> {
        profile.validate()?;
        Ok(self.wait(self.store.set_profile(user, profile))?)
    }

    /// The day after the last day with data, at most tomorrow.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn next_day(&self, user: &UserId, now: DateTime<Utc>) -> Result<NaiveDate, EngineError> {
        let today = self.profile(user)?.day_of(now);
        let last = self.wait(self.store.last_day(user))?.unwrap_or(today);
        Ok(last.min(today) + Days::new(1))
    }

    /// Stores records of a person; creates the person with a default profile if necessary. Writers on
    /// several threads share a commit.
    ///
    /// Writing the same records again changes nothing. A record with other content than the stored one
    /// becomes a new version, known from `now` on.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] for an implausible record or a database that cannot be written; then no
    /// record of the batch is stored.
    pub fn write_records(
        &self,
        user: &UserId,
        records: Vec<Record>,
        now: DateTime<Utc>,
    ) -> Result<WriteReport, EngineError> {
        self.commit_records(user, records, now)
    }

    /// All data of a person: profile and all versions of all records.
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

    /// Checks that the database responds.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn check(&self) -> Result<(), EngineError> {
        self.wait(self.store.count_users())?;
        Ok(())
    }

    /// Checks that data can be written. This is free while writing succeeds; after a disk failure it
    /// tries a small write.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] with the reason.
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
