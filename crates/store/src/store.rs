//! The interface of stores, with its input and output types.

use crate::error::StoreError;
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use vitalcast_domain::{
    AsOf, History, MetricType, ModelArchitecture, ModelId, PredictionMetric, Profile, Record,
    RecordKind, UserId,
};

/// The number of new, unchanged and corrected records of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WriteReport {
    /// Number of new records.
    pub added: u64,
    /// Number of records that were stored before with the same content.
    pub unchanged: u64,
    /// Number of corrected records: their content differs from the stored one, so they become a new
    /// version.
    pub corrected: u64,
    /// Number of records left out because the stored version is newer in its source.
    pub outdated: u64,
    /// Number of records left out because they were deleted here; they can be restored.
    pub deleted: u64,
}

impl WriteReport {
    /// Adds the counts of another batch.
    pub fn add(&mut self, other: &Self) {
        self.added += other.added;
        self.unchanged += other.unchanged;
        self.corrected += other.corrected;
        self.outdated += other.outdated;
        self.deleted += other.deleted;
    }
}

/// How records are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// With all their versions, for ever.
    Permanent,
    /// They are not used any more, and can be restored until the person is erased.
    Restorable {
        /// Time of the deletion.
        at: DateTime<Utc>,
    },
}

/// Numbers that change with all data that a forecast of a person depends on. Equal numbers mean equal
/// histories of changes, also in two stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Generation {
    /// Changes when the person returns after an erasure.
    pub incarnation: i64,
    /// Changes with each change of records or profile.
    pub data: i64,
    /// Changes when a model is registered, activated or deleted.
    pub models: i64,
}

/// A filter for records: by kind, days and source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordFilter {
    /// Kind of the records.
    pub kind: RecordKind,
    /// Local days of the current versions.
    pub days: RangeInclusive<NaiveDate>,
    /// Only records of this source.
    pub source: Option<String>,
    /// Only the record with this id within its source.
    pub source_id: Option<String>,
    /// Only readings of this metric type.
    pub metric: Option<MetricType>,
    /// Records that were deleted and can be restored, instead of the others.
    pub deleted: bool,
}

impl RecordFilter {
    /// All records of a kind.
    pub fn all(kind: RecordKind, days: RangeInclusive<NaiveDate>) -> Self {
        Self {
            kind,
            days,
            source: None,
            source_id: None,
            metric: None,
            deleted: false,
        }
    }
}

/// An overview of a person in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserSummary {
    /// Id of the person.
    pub user_id: UserId,
    /// First local day with a meal, an activity or a reading.
    pub first_day: Option<NaiveDate>,
    /// Last local day with one.
    pub last_day: Option<NaiveDate>,
    /// Number of days with at least one.
    pub days: u64,
    /// Number of meals, in their current version.
    pub meals: u64,
    /// Number of activities.
    pub activities: u64,
    /// Number of readings.
    pub health_metrics: u64,
    /// Number of tags.
    pub tags: u64,
    /// Number of days with a reading, for each metric that can be forecast; partial nights do not count.
    pub metrics: BTreeMap<PredictionMetric, u64>,
}

impl UserSummary {
    /// Number of days with a reading of a metric.
    pub fn metric_days(&self, metric: PredictionMetric) -> u64 {
        self.metrics.get(&metric).copied().unwrap_or(0)
    }
}

/// A model to register.
#[derive(Debug, Clone, PartialEq)]
pub struct NewModel {
    /// Id of the model.
    pub model_id: ModelId,
    /// Id of the person; `None` for a model of many people.
    pub user_id: Option<UserId>,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Time of the training.
    pub trained_at: DateTime<Utc>,
    /// File name of the artifact.
    pub file_name: String,
    /// Hash of the artifact.
    pub file_hash: String,
    /// Size of the artifact.
    pub size_bytes: u64,
    /// Wall time of the training.
    pub training_seconds: f64,
    /// Summary of the model, to list it without opening the artifact.
    pub summary: serde_json::Value,
    /// Whether it becomes the active one; else the active one stays as it is.
    pub activate: bool,
}

/// A registered model.
#[derive(Debug, Clone, PartialEq)]
pub struct RegisteredModel {
    /// Id of the model.
    pub model_id: ModelId,
    /// Id of the person; `None` for a model of many people.
    pub user_id: Option<UserId>,
    /// The metric that the model forecasts.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// Version: 1 for the first model of a person and metric, then 2, 3, …; never reused.
    pub version: i64,
    /// Time of the training.
    pub trained_at: DateTime<Utc>,
    /// File name of the artifact.
    pub file_name: String,
    /// Hash of the artifact.
    pub file_hash: String,
    /// Size of the artifact.
    pub size_bytes: u64,
    /// Wall time of the training.
    pub training_seconds: f64,
    /// Summary of the model, to list it without opening the artifact.
    pub summary: serde_json::Value,
    /// Whether forecasts use this model by default.
    pub is_active: bool,
}

/// A row of the registry that this release cannot read: it is damaged, or of a newer release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadableModel {
    /// Id of the model.
    pub model_id: ModelId,
    /// Id of the person; `None` for a model of many people.
    pub user_id: Option<UserId>,
    /// The metric that the model forecasts, if this release knows it.
    pub metric: Option<PredictionMetric>,
    /// Model architecture, if this release knows it.
    pub architecture: Option<ModelArchitecture>,
    /// Version, see [`RegisteredModel::version`].
    pub version: i64,
    /// File name of the artifact.
    pub file_name: String,
    /// Hash of the artifact.
    pub file_hash: String,
    /// Whether it is registered as the active one. Forecasts go on without it.
    pub is_active: bool,
    /// What cannot be read, without the values.
    pub what: String,
}

/// A row that this release cannot read: it is damaged, or of a newer release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable<I> {
    /// Its id.
    pub id: I,
    /// What cannot be read, without the values.
    pub what: String,
    /// What is stored, for an export of all data.
    pub content: String,
}

/// The rows of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<T, I> {
    /// Those that this release can read, in the order of the list.
    pub rows: Vec<T>,
    /// The others, in the order of the list.
    pub unreadable: Vec<Unreadable<I>>,
}

/// Models of the registry.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelList {
    /// The models, newest first.
    pub models: Vec<RegisteredModel>,
    /// Those that this release cannot read, newest first.
    pub unreadable: Vec<UnreadableModel>,
}

impl ModelList {
    /// The names of all files that belong to these models.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        let unreadable = self.unreadable.iter().map(|model| model.file_name.as_str());
        let models = self.models.iter().map(|model| model.file_name.as_str());
        models.chain(unreadable)
    }
}

impl UnreadableModel {
    /// Whether a request for a metric and for an architecture or a version names this model; as
    /// [`RegisteredModel::chosen`] without either, whether it would be the active one.
    pub fn is_asked_for(
        &self,
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> bool {
        let any = architecture.is_none() && version.is_none();
        self.metric == Some(metric)
            && architecture.is_none_or(|wanted| self.architecture == Some(wanted))
            && version.is_none_or(|wanted| self.version == wanted)
            && (!any || self.is_active)
    }
}

impl RegisteredModel {
    /// Of some models the one that forecasts a metric: the active one; with an architecture or a version,
    /// the newest match, the active one first.
    pub fn chosen(
        models: &[Self],
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> Option<&Self> {
        let any = architecture.is_none() && version.is_none();
        let fitting = models.iter().filter(|model| {
            model.metric == metric
                && architecture.is_none_or(|wanted| model.architecture == wanted)
                && version.is_none_or(|wanted| model.version == wanted)
                && (!any || model.is_active)
        });
        fitting.max_by_key(|model| (model.is_active, model.version))
    }
}

/// A forecast to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewForecast {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// Local day that is forecast.
    pub target_date: NaiveDate,
    /// Cut-off time of the data.
    pub as_of: AsOf,
    /// Id of the model.
    pub model_id: ModelId,
    /// Days from the last reading to the target day.
    pub lead_days: u32,
    /// The forecast.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Nominal coverage of the interval.
    pub level: f64,
    /// Time of the computation.
    pub predicted_at: DateTime<Utc>,
    /// Confidence score of the forecast, 0 to 1.
    pub confidence: Option<f64>,
    /// Name of the baseline.
    pub baseline_name: Option<String>,
    /// Forecast of the baseline.
    pub baseline_value: Option<f64>,
}

/// A stored forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredForecast {
    /// Number of the forecast in the store.
    pub id: i64,
    /// The metric.
    pub metric: PredictionMetric,
    /// Local day that is forecast.
    pub target_date: NaiveDate,
    /// Cut-off time of the data.
    pub as_of: AsOf,
    /// Id of the model.
    pub model_id: ModelId,
    /// The forecast.
    pub value: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Nominal coverage of the interval.
    pub level: f64,
    /// Time of the computation.
    pub predicted_at: DateTime<Utc>,
    /// Confidence score, 0 to 1; `None` for forecasts from releases that did not store it.
    pub confidence: Option<f64>,
    /// The measured value, once it is known.
    pub actual: Option<f64>,
}

/// Remaining work after the deletion of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasedUser {
    /// Names of artifact files that belong to no model any more and must be deleted.
    pub orphaned_files: Vec<String>,
}

/// The operations of a store. Each method is one transaction: durable, or without effect.
///
/// All methods fail with [`StoreError`] if the database cannot be read or written; other errors are
/// documented per method.
pub trait Store: Send + Sync {
    /// The profile of a person; `None` for an unknown person.
    fn profile(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Profile>, StoreError>> + Send;

    /// Sets the profile of a person; creates the person if necessary. With other zones than before, it
    /// also places the person's records on their new days; returns how many have another day now.
    fn set_profile(
        &self,
        user: &UserId,
        profile: &Profile,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// All people, in the order of their ids.
    fn users(&self) -> impl Future<Output = Result<Vec<UserSummary>, StoreError>> + Send;

    /// Stores records, each on its day by the person's profile. The same identity (kind, metric, source,
    /// source id) with the same content changes nothing; with other content it becomes a new version,
    /// known at `now` unless the record itself says that it became known later than the version before.
    /// A version that is older in its source than the stored one is left out, and so is a record that
    /// was deleted here. Creates the person with a default profile if necessary.
    ///
    /// Fails with [`StoreError::InvalidRecord`] for an implausible record; then nothing is written.
    fn write_records(
        &self,
        user: &UserId,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<WriteReport, StoreError>> + Send;

    /// Stores versions of an export of all versions, oldest first. Unlike [`Store::write_records`], a
    /// version that is stored already changes nothing, also when a newer one replaced it.
    ///
    /// Fails with [`StoreError::InvalidRecord`] for an implausible record; then nothing is written.
    fn write_versions(
        &self,
        user: &UserId,
        versions: &[Record],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<WriteReport, StoreError>> + Send;

    /// Stores several batches, each of one person, in one transaction: all of them are durable, or
    /// none. See [`Store::write_records`].
    ///
    /// Fails with [`StoreError::InvalidRecord`] if a batch contains an implausible record.
    fn write_batches(
        &self,
        batches: &[(UserId, Vec<Record>)],
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<WriteReport>, StoreError>> + Send;

    /// Records in their current version, ordered by day, time and identity, after the cursor `after`;
    /// with a cursor if there may be more.
    fn records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<(Vec<Record>, Option<String>), StoreError>> + Send;

    /// Deletes records with all their versions; returns their number.
    fn delete_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        deletion: Deletion,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Restores records that were deleted with [`Deletion::Restorable`]; returns their number.
    fn restore_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// An overview of one person; `None` for an unknown person.
    fn user(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<UserSummary>, StoreError>> + Send;

    /// The last day with a record of one person; `None` for an unknown person.
    fn last_day(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<NaiveDate>, StoreError>> + Send;

    /// The number of people.
    fn count_users(&self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// All data of a person with all versions, ordered by day and time; `None` for an unknown person.
    /// With `days`, all versions of the records that have a version on one of these days.
    fn history(
        &self,
        user: &UserId,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> impl Future<Output = Result<Option<History>, StoreError>> + Send;

    /// Numbers that change with all data that a forecast depends on; `None` for an unknown person.
    fn generation(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Generation>, StoreError>> + Send;

    /// Deletes all data of a person, and records that their files must still be deleted, until
    /// [`Store::finish_erasure`].
    fn erase_user(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<ErasedUser, StoreError>> + Send;

    /// Marks an erasure as completed. Returns whether the write-ahead log, which contained the deleted
    /// data, is empty; it is not while another process reads.
    fn finish_erasure(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// People whose erasure was started and not completed.
    fn pending_erasures(&self) -> impl Future<Output = Result<Vec<UserId>, StoreError>> + Send;

    /// Registers a model as the next version of its person and metric, and activates it. Fails with
    /// [`StoreError::ModelExists`].
    fn register_model(
        &self,
        model: NewModel,
    ) -> impl Future<Output = Result<RegisteredModel, StoreError>> + Send;

    /// Models, newest first. A row that this release cannot read is listed apart.
    fn models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> impl Future<Output = Result<ModelList, StoreError>> + Send;

    /// The models of many people, newest first.
    fn models_of_many_people(
        &self,
        metric: Option<PredictionMetric>,
    ) -> impl Future<Output = Result<ModelList, StoreError>> + Send;

    /// A model by its id. Fails with [`StoreError::UnreadableModel`] if this release cannot read its row.
    fn model(
        &self,
        id: &ModelId,
    ) -> impl Future<Output = Result<Option<RegisteredModel>, StoreError>> + Send;

    /// The active model of a person and metric; with an architecture or a version, the newest match,
    /// the active one first.
    fn active_model(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> impl Future<Output = Result<Option<RegisteredModel>, StoreError>> + Send;

    /// Activates a model. Fails with [`StoreError::NoSuchModel`], [`StoreError::UnreadableModel`].
    fn activate(&self, id: &ModelId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Deletes a model; if it was active, the newest remaining one becomes active. Fails with
    /// [`StoreError::NoSuchModel`].
    fn delete_model(&self, id: &ModelId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores a forecast; storing it again changes nothing. It replaces forecasts of the same model for
    /// the same day whose data are from the hour before.
    fn save_forecast(
        &self,
        forecast: &NewForecast,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Stores several forecasts in one transaction; forecasts of erased people are left out.
    fn save_forecasts(
        &self,
        forecasts: &[NewForecast],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Sets or clears the measured values of forecasts: (number of the forecast, value, time). Deleting
    /// readings of a day also clears the measured values of that day.
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
