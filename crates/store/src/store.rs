//! The interface of every store, and the plain values that go in and out.

use crate::error::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use vitalcast_domain::{
    AsOf, History, ModelArchitecture, ModelId, PredictionMetric, Profile, Record, RecordKind,
    UserId,
};

/// What became of a batch of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriteReport {
    /// Records that were new.
    pub added: u64,
    /// Records that were there already with the same content.
    pub unchanged: u64,
    /// Records whose content differs from the one kept: a new version.
    pub corrected: u64,
}

/// Numbers that change with everything a forecast of a person depends on. Equal ones mean equal
/// histories of changes, also in two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Generation {
    /// Another one for whoever comes back after an erasure.
    pub incarnation: i64,
    /// Another one with every change of records or profile.
    pub data: i64,
    /// Another one with every model made, chosen or deleted.
    pub models: i64,
}

/// Which records: of a kind, on some days, or from one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of which kind.
    pub kind: RecordKind,
    /// On which local days, in their current version.
    pub days: RangeInclusive<NaiveDate>,
    /// Only those of this source.
    pub source: Option<String>,
    /// Only those of this identity within their source.
    pub source_id: Option<String>,
}

/// A person in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserSummary {
    /// Who.
    pub user_id: UserId,
    /// First local day with a record.
    pub first_day: Option<NaiveDate>,
    /// Last local day with a record.
    pub last_day: Option<NaiveDate>,
    /// Days with at least one record.
    pub days: u64,
    /// Meals, in their current version.
    pub meals: u64,
    /// Activities.
    pub activities: u64,
    /// Readings.
    pub health_metrics: u64,
    /// Days with a reading of each metric that can be forecast, partial nights not counted.
    pub metrics: BTreeMap<PredictionMetric, u64>,
}

impl UserSummary {
    /// Days with a reading of a metric.
    pub fn metric_days(&self, metric: PredictionMetric) -> u64 {
        self.metrics.get(&metric).copied().unwrap_or(0)
    }
}

/// A model to register.
#[derive(Debug, Clone, PartialEq)]
pub struct NewModel {
    /// Its id.
    pub model_id: ModelId,
    /// Whose.
    pub user_id: UserId,
    /// What it forecasts.
    pub metric: PredictionMetric,
    /// What it is.
    pub architecture: ModelArchitecture,
    /// When it was trained.
    pub trained_at: DateTime<Utc>,
    /// Name of the artifact's file.
    pub file_name: String,
    /// Hash of the artifact.
    pub file_hash: String,
    /// Size of the artifact.
    pub size_bytes: u64,
    /// Wall time of the training.
    pub training_seconds: f64,
    /// What the registry answers without opening the artifact.
    pub summary: serde_json::Value,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredModel {
    /// Its id.
    pub model_id: ModelId,
    /// Whose.
    pub user_id: UserId,
    /// What it forecasts.
    pub metric: PredictionMetric,
    /// What it is.
    pub architecture: ModelArchitecture,
    /// 1 for the first model of a person and metric, then 2, 3, …; never given twice.
    pub version: i64,
    /// When it was trained.
    pub trained_at: DateTime<Utc>,
    /// Name of the artifact's file.
    pub file_name: String,
    /// Hash of the artifact.
    pub file_hash: String,
    /// Size of the artifact.
    pub size_bytes: u64,
    /// Wall time of the training.
    pub training_seconds: f64,
    /// What the registry answers without opening the artifact.
    pub summary: serde_json::Value,
    /// Whether forecasts use it unless told otherwise.
    pub is_active: bool,
}

/// A forecast to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewForecast {
    /// For whom.
    pub user_id: UserId,
    /// What.
    pub metric: PredictionMetric,
    /// For which local day.
    pub target_date: NaiveDate,
    /// The moment of knowledge.
    pub as_of: AsOf,
    /// By which model.
    pub model_id: ModelId,
    /// Days from the last reading to the target day.
    pub lead_days: u32,
    /// The forecast.
    pub value: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage.
    pub level: f64,
    /// When it was computed.
    pub predicted_at: DateTime<Utc>,
    /// How sure the forecast was of itself, 0 to 1.
    pub confidence: Option<f64>,
    /// The baseline beside it.
    pub baseline_name: Option<String>,
    /// What that baseline said.
    pub baseline_value: Option<f64>,
}

/// A forecast that was kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredForecast {
    /// Its number in the store.
    pub id: i64,
    /// What.
    pub metric: PredictionMetric,
    /// For which local day.
    pub target_date: NaiveDate,
    /// The moment of knowledge.
    pub as_of: AsOf,
    /// By which model.
    pub model_id: ModelId,
    /// The forecast.
    pub value: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage.
    pub level: f64,
    /// When it was computed.
    pub predicted_at: DateTime<Utc>,
    /// How sure it was of itself, 0 to 1; `None` for forecasts of before this was kept.
    pub confidence: Option<f64>,
    /// What came true, once it is known.
    pub actual: Option<f64>,
}

/// What is left to do after a person was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedUser {
    /// Names of artifact files that are now nobody's, to be deleted too.
    pub orphaned_files: Vec<String>,
}

/// What every store can do. Every method is one transaction: done and durable, or not at all.
///
/// All of them fail with [`StoreError`] when the database cannot be read or written; what else can
/// go wrong is said with each.
pub trait Store: Send + Sync {
    /// A person's profile, or `None` for a stranger.
    fn profile(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Profile>, StoreError>> + Send;

    /// Sets a person's profile; makes the person if they are not there.
    fn set_profile(
        &self,
        user: &UserId,
        profile: &Profile,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Everyone, in the order of their ids.
    fn users(&self) -> impl Future<Output = Result<Vec<UserSummary>, StoreError>> + Send;

    /// Keeps records. The same identity (kind, metric, source, source id) with the same content
    /// changes nothing; with other content it becomes a new version, known at `now` unless the
    /// record itself says it became known later than the version before. Makes the person, with a
    /// default profile, if they are not there.
    ///
    /// Fails with [`StoreError::InvalidRecord`], before anything is written, for a record no body
    /// can have.
    fn write_records(
        &self,
        user: &UserId,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<WriteReport, StoreError>> + Send;

    /// Keeps several batches, each of one person, in one transaction: all of them are durable when
    /// it returns, or none is. See [`Store::write_records`].
    ///
    /// Fails with [`StoreError::InvalidRecord`] if any batch holds a record no body can have.
    fn write_batches(
        &self,
        batches: &[(UserId, Vec<Record>)],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<WriteReport>, StoreError>> + Send;

    /// Records in their current version, in the order of days, moments and identities, from the
    /// place `after` on; with the place of the last one if there may be more.
    fn records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<Record>, Option<String>), StoreError>> + Send;

    /// Deletes records with all their versions; how many there were.
    fn delete_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// What one person has; `None` for a stranger.
    fn user(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<UserSummary>, StoreError>> + Send;

    /// How many people there are.
    fn count_users(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Everything known of a person, every version, in the order of days and moments. `None` for a
    /// stranger. With `days`, every version of the records that were on one of them in any version.
    fn history(
        &self,
        user: &UserId,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> impl Future<Output = Result<Option<History>, StoreError>> + Send;

    /// Numbers that change with everything a forecast depends on; `None` for a stranger.
    fn generation(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Generation>, StoreError>> + Send;

    /// Deletes a person and everything of theirs, and notes that files of theirs are still to go, until
    /// [`Store::finish_erasure`].
    fn erase_user(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<ErasedUser, StoreError>> + Send;

    /// Forgets that someone is being erased. Whether the write-ahead log, which held what was deleted,
    /// is empty then; it is not while another process keeps reading.
    fn finish_erasure(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// People whose erasure was begun and not finished.
    fn pending_erasures(&self) -> impl Future<Output = Result<Vec<UserId>, StoreError>> + Send;

    /// Registers a model as the next version of its person and metric and makes it the active one.
    /// Fails with [`StoreError::ModelExists`].
    fn register_model(
        &self,
        model: NewModel,
    ) -> impl Future<Output = Result<RegisteredModel, StoreError>> + Send;

    /// Models, newest first.
    fn models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> impl Future<Output = Result<Vec<RegisteredModel>, StoreError>> + Send;

    /// A model by its id.
    fn model(
        &self,
        id: &ModelId,
    ) -> impl Future<Output = Result<Option<RegisteredModel>, StoreError>> + Send;

    /// The active model of a person and metric; with an architecture or a version, the newest that
    /// fits, the active one first.
    fn active_model(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> impl Future<Output = Result<Option<RegisteredModel>, StoreError>> + Send;

    /// Makes a model the active one. Fails with [`StoreError::NoSuchModel`].
    fn activate(&self, id: &ModelId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes a model; was it active, the newest one left becomes so. Fails with
    /// [`StoreError::NoSuchModel`].
    fn delete_model(&self, id: &ModelId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps a forecast; the same again changes nothing. It takes the place of those that the same model
    /// made for the day from what was known within the hour before.
    fn save_forecast(
        &self,
        forecast: &NewForecast,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Keeps several forecasts in one transaction; those of people who are gone are left out.
    fn save_forecasts(
        &self,
        forecasts: &[NewForecast],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Fills in what came true, or that it is not known any more: (number of the forecast, value, when).
    /// Deleting readings of a day takes the outcomes of that day away.
    fn fill_outcomes(
        &self,
        outcomes: &[(i64, Option<f64>, DateTime<Utc>)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Forecasts of a person and metric, in the order of their days.
    fn forecasts(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> impl Future<Output = Result<Vec<StoredForecast>, StoreError>> + Send;
}
