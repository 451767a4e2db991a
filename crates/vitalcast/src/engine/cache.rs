//! Caches of computed results that are still valid.
//!
//! Keys contain the [`Generation`] of the person: new records, a changed profile or another model
//! change the key, so an old result is never found again. A result also expires when time brings new
//! data: when a record becomes known, or at the end of the day.

use super::Engine;
use super::person_days::KeptDays;
use crate::error::EngineError;
use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache as Memory;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::sync::Arc;
use vitalcast_artifact::Manifest;
use vitalcast_domain::UserId;
use vitalcast_features::PersonData;
use vitalcast_inference::FittedModel;
use vitalcast_store::{ChangeMark, Generation, RegisteredModel, Store, UnreadableModel};

/// Sizes and lifetimes of the caches, and the shared cache.
#[derive(Debug, Clone)]
pub struct CacheOptions {
    /// Maximum bytes of forecasts and features in this process.
    pub answer_bytes: u64,
    /// Maximum bytes of people's days in this process, from which forecasts are computed.
    pub day_bytes: u64,
    /// Maximum bytes of loaded models in this process.
    pub model_bytes: u64,
    /// Maximum lifetime of a forecast.
    pub forecast_life: TimeDelta,
    /// Maximum lifetime of features.
    pub feature_life: TimeDelta,
}

impl Default for CacheOptions {
    /// 64 MiB of results, 32 MiB of people's days, 256 MiB of models; lifetimes of one day and one hour, as in the reference
    /// contract.
    fn default() -> Self {
        Self {
            answer_bytes: 64 << 20,
            day_bytes: 32 << 20,
            model_bytes: 256 << 20,
            forecast_life: TimeDelta::hours(24),
            feature_life: TimeDelta::hours(1),
        }
    }
}

/// Cache statistics: hits, and number and size of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CacheStatistics {
    /// Number of results in this process.
    pub answers: u64,
    /// Size in bytes.
    pub answer_bytes: u64,
    /// Number of people whose days are in this process.
    pub people: u64,
    /// Size in bytes.
    pub day_bytes: u64,
    /// Number of models in this process.
    pub models: u64,
    /// Size in bytes.
    pub model_bytes: u64,
}

/// A computed result with its expiry time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    /// Generation of the person's data.
    generation: [i64; 3],
    until: DateTime<Utc>,
    /// As JSON text: as values it takes ten times the memory, in a hundred pieces.
    answer: Box<RawValue>,
}

impl Kept {
    fn new<T: Serialize>(answer: &T, generation: Generation, until: DateTime<Utc>) -> Self {
        Self {
            generation: numbers(generation),
            until,
            answer: to_raw_value(answer).expect("answers are plain values"),
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_str(self.answer.get()).ok()
    }

    /// Memory that it takes, bytes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.answer.get().len()
    }
}

/// A loaded model.
pub(super) struct ReadyModel {
    pub(super) model: FittedModel,
    pub(super) manifest: Manifest,
    file_bytes: u64,
}

/// The models of a person.
pub(super) struct ModelsOf {
    generation: Generation,
    /// Without their summaries, which no forecast reads.
    pub(super) models: Vec<RegisteredModel>,
    /// Those that this release cannot read.
    pub(super) unreadable: Vec<UnreadableModel>,
    /// The active models of many people of the folder, one for each metric at most.
    pub(super) of_many_people: Vec<RegisteredModel>,
}

/// A cache shared with other processes. Its failures cost time, but never a response.
pub trait SharedCache: Send + Sync + std::fmt::Debug {
    /// Gets the value of a key.
    fn get(&self, key: &str) -> Option<Vec<u8>>;
    /// Sets the value of a key for a number of seconds.
    fn set(&self, key: &str, value: &[u8], seconds: u64);
    /// Deletes all keys with a prefix. Returns their number, or `None` if the cache cannot be reached.
    fn remove(&self, prefix: &str) -> Option<u64>;
    /// Whether the cache responds.
    fn ping(&self) -> bool;
}

pub(super) struct Caches {
    options: CacheOptions,
    answers: Memory<String, Arc<Kept>>,
    pub(super) days: Memory<UserId, Arc<KeptDays>>,
    models: Memory<String, Arc<ReadyModel>>,
    registered: Memory<UserId, Arc<ModelsOf>>,
    generations: Memory<UserId, (ChangeMark, Option<Generation>)>,
    shared: Option<Box<dyn SharedCache>>,
}

impl std::fmt::Debug for Caches {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Caches")
            .field("options", &self.options)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// Maximum number of people whose generation is cached.
const REMEMBERED_PEOPLE: u64 = 100_000;
/// Maximum bytes of lists of models, and about how many one of them takes.
const LISTED_BYTES: u64 = 8 << 20;
const LISTED_MODEL: usize = 500;

impl Caches {
    pub(super) fn new(options: CacheOptions) -> Self {
        let life = options.forecast_life.max(options.feature_life);
        Self {
            answers: Memory::builder()
                .max_capacity(options.answer_bytes)
                .weigher(|key: &String, kept: &Arc<Kept>| {
                    let size = key.len() + kept.bytes() + 100;
                    u32::try_from(size).unwrap_or(u32::MAX)
                })
                .time_to_live(life.to_std().unwrap_or_default())
                .build(),
            days: Memory::builder()
                .max_capacity(options.day_bytes)
                .weigher(|user: &UserId, kept: &Arc<KeptDays>| {
                    let size = user.as_str().len() + kept.bytes() + 100;
                    u32::try_from(size).unwrap_or(u32::MAX)
                })
                .time_to_live(life.to_std().unwrap_or_default())
                .build(),
            models: Memory::builder()
                .max_capacity(options.model_bytes)
                .weigher(|_, ready: &Arc<ReadyModel>| {
                    // The weights as tensors and laid out for forecasting.
                    u32::try_from(ready.file_bytes.saturating_mul(2) + 4_096).unwrap_or(u32::MAX)
                })
                .build(),
            registered: Memory::builder()
                .max_capacity(LISTED_BYTES)
                .weigher(|_, list: &Arc<ModelsOf>| {
                    let count =
                        list.models.len() + list.unreadable.len() + list.of_many_people.len();
                    let size = 100 + count * LISTED_MODEL;
                    u32::try_from(size).unwrap_or(u32::MAX)
                })
                .build(),
            generations: Memory::builder().max_capacity(REMEMBERED_PEOPLE).build(),
            shared: None,
            options,
        }
    }
}

/// The computation failed; the thread that computed has the reason.
struct Failed;

/// The cache options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Forecast,
    Features,
}

impl Engine {
    /// Replaces the caches with empty ones.
    #[must_use]
    pub fn with_cache(mut self, options: CacheOptions) -> Self {
        self.caches = Caches::new(options);
        self
    }

    /// Sets the cache that is shared with other processes.
    #[must_use]
    pub fn with_shared_cache(mut self, shared: Box<dyn SharedCache>) -> Self {
        self.caches.shared = Some(shared);
        self
    }

    /// Whether the shared cache responds; `None` if none is configured.
    pub fn shared_cache_answers(&self) -> Option<bool> {
        self.caches.shared.as_ref().map(|shared| shared.ping())
    }

    /// Statistics of the caches in this process.
    pub fn cache_statistics(&self) -> CacheStatistics {
        CacheStatistics {
            answers: self.caches.answers.entry_count(),
            answer_bytes: self.caches.answers.weighted_size(),
            people: self.caches.days.entry_count(),
            day_bytes: self.caches.days.weighted_size(),
            models: self.caches.models.entry_count(),
            model_bytes: self.caches.models.weighted_size(),
        }
    }

    /// The generation of a person, if it is known without a database query.
    #[allow(
        clippy::option_option,
        reason = "not known, and known to be nobody, are two things"
    )]
    pub(super) fn generation_at_once(&self, user: &UserId) -> Option<Option<Generation>> {
        let mark = self.store.change_mark()?;
        let (seen, generation) = self.caches.generations.get(user)?;
        (seen == mark).then_some(generation)
    }

    /// The generation of a person; `None` for an unknown person.
    pub(super) fn generation(&self, user: &UserId) -> Result<Option<Generation>, EngineError> {
        if let Some(generation) = self.generation_at_once(user) {
            return Ok(generation);
        }
        // The mark first: what is written meanwhile makes another one.
        let mark = self.store.change_mark();
        let generation = self.wait(self.store.generation(user))?;
        if generation.is_none() {
            self.forget_days(user);
        }
        if let Some(mark) = mark {
            self.caches
                .generations
                .insert(user.clone(), (mark, generation));
        }
        Ok(generation)
    }

    /// A cached result of this process, if it is still valid.
    pub(super) fn kept_here<T: DeserializeOwned>(
        &self,
        key: &str,
        generation: Generation,
        now: DateTime<Utc>,
    ) -> Option<T> {
        let kept = self.caches.answers.get(&full_key(key, generation))?;
        (now < kept.until).then(|| kept.read()).flatten()
    }

    /// Gets the cached result of a key, or computes and caches it. If several threads ask at once, only
    /// one computes. `compute` also returns the expiry time. The flag tells whether the result came
    /// from the cache. A failure is not cached: each waiting thread then computes by itself.
    pub(super) fn kept_or<T: Serialize + DeserializeOwned>(
        &self,
        sort: Sort,
        key: &str,
        generation: Generation,
        now: DateTime<Utc>,
        compute: impl FnOnce() -> Result<(T, DateTime<Utc>), EngineError>,
    ) -> Result<(T, bool), EngineError> {
        let full = full_key(key, generation);
        if let Some(kept) = self.caches.answers.get(&full)
            && now >= kept.until
        {
            self.caches.answers.invalidate(&full);
        }
        let life = match sort {
            Sort::Forecast => self.caches.options.forecast_life,
            Sort::Features => self.caches.options.feature_life,
        };
        let mut compute = Some(compute);
        let mut fresh = None;
        let mut failure = None;
        let kept = self.caches.answers.try_get_with(full, || {
            if let Some(kept) = self.shared_answer::<T>(key, generation, now) {
                return Ok(Arc::new(kept));
            }
            let (answer, until) = match compute.take().expect("it is begun once")() {
                Ok(computed) => computed,
                Err(error) => {
                    failure = Some(error);
                    return Err(Failed);
                }
            };
            let kept = Kept::new(&answer, generation, until.min(now + life));
            self.share(key, &kept, now);
            fresh = Some(answer);
            Ok(Arc::new(kept))
        });
        let Ok(kept) = kept else {
            if let Some(error) = failure {
                return Err(error);
            }
            // Somebody else's computation failed.
            let compute = compute.expect("what was begun here ends above");
            return compute().map(|(answer, _)| (answer, false));
        };
        if let Some(answer) = fresh {
            return Ok((answer, false));
        }
        let answer = kept
            .read()
            .ok_or_else(|| EngineError::Damaged("an answer in the cache".to_owned()))?;
        Ok((answer, true))
    }

    /// Replaces a cached result with a new one.
    pub(super) fn keep<T: Serialize>(
        &self,
        sort: Sort,
        key: &str,
        generation: Generation,
        now: DateTime<Utc>,
        (answer, until): (&T, DateTime<Utc>),
    ) {
        let life = match sort {
            Sort::Forecast => self.caches.options.forecast_life,
            Sort::Features => self.caches.options.feature_life,
        };
        let kept = Kept::new(answer, generation, until.min(now + life));
        self.share(key, &kept, now);
        self.caches
            .answers
            .insert(full_key(key, generation), Arc::new(kept));
    }

    /// The value in the shared cache, if it is valid and has the requested type.
    fn shared_answer<T: DeserializeOwned>(
        &self,
        key: &str,
        generation: Generation,
        now: DateTime<Utc>,
    ) -> Option<Kept> {
        let bytes = self.caches.shared.as_ref()?.get(key)?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        let holds = kept.generation == numbers(generation) && now < kept.until;
        (holds && kept.read::<T>().is_some()).then_some(kept)
    }

    fn share(&self, key: &str, kept: &Kept, now: DateTime<Utc>) {
        let Some(shared) = &self.caches.shared else {
            return;
        };
        let seconds = (kept.until - now).num_seconds();
        if seconds > 0
            && let Ok(bytes) = serde_json::to_vec(kept)
        {
            shared.set(key, &bytes, seconds.unsigned_abs());
        }
    }

    /// Removes all cached results of a person. Returns their number in this process and in the shared
    /// cache; `None` instead of the second number if the shared cache cannot be reached.
    ///
    /// Old results are not used after the data have changed; this call only frees memory and makes sure
    /// that nothing is left.
    pub fn forget_answers(&self, user: &UserId) -> (u64, Option<u64>) {
        let prefixes = [format!("features:{user}:"), format!("prediction:{user}:")];
        let mut here = 0;
        for (key, _) in &self.caches.answers {
            if prefixes.iter().any(|prefix| key.starts_with(prefix)) {
                self.caches.answers.invalidate(key.as_str());
                here += 1;
            }
        }
        let shared = match &self.caches.shared {
            None => Some(0),
            Some(shared) => prefixes
                .iter()
                .map(|prefix| shared.remove(prefix))
                .sum::<Option<u64>>(),
        };
        (here, shared)
    }

    /// Removes all data of a person from the caches of this process.
    pub(super) fn forget_person(&self, user: &UserId) -> Option<u64> {
        self.caches.generations.invalidate(user);
        self.caches.registered.invalidate(user);
        self.forget_days(user);
        self.forget_answers(user).1
    }

    /// The models of a person, as they are in a generation.
    pub(super) fn models_of(
        &self,
        user: &UserId,
        generation: Generation,
    ) -> Result<Arc<ModelsOf>, EngineError> {
        let of_models = |of: Generation| (of.incarnation, of.models);
        if let Some(list) = self.caches.registered.get(user)
            && of_models(list.generation) == of_models(generation)
        {
            return Ok(list);
        }
        let own = self.registry(Some(user), None)?;
        let mut models = own.models;
        let mut of_many_people = self.registry_of_many_people(None)?.models;
        of_many_people.retain(|model| model.is_active);
        for model in models.iter_mut().chain(&mut of_many_people) {
            model.summary = serde_json::Value::Null;
        }
        let list = Arc::new(ModelsOf {
            generation,
            models,
            unreadable: own.unreadable,
            of_many_people,
        });
        self.caches
            .registered
            .insert(user.clone(), Arc::clone(&list));
        // Changed or erased meanwhile.
        if self.generation(user)? != Some(generation) {
            self.caches.registered.invalidate(user);
        }
        Ok(list)
    }

    /// Loads a model; each model is read and checked only once.
    pub(super) fn ready_model(
        &self,
        registered: &RegisteredModel,
    ) -> Result<Arc<ReadyModel>, EngineError> {
        let open = || {
            let artifact = self.open_artifact(registered)?;
            Ok::<_, EngineError>(Arc::new(ReadyModel {
                model: self.fitted(registered, &artifact)?,
                manifest: artifact.manifest().clone(),
                file_bytes: registered.size_bytes,
            }))
        };
        let mut failure = None;
        let ready = self
            .caches
            .models
            .try_get_with(registered.file_hash.clone(), || {
                open().map_err(|error| {
                    failure = Some(error);
                    Failed
                })
            });
        match (ready, failure) {
            (Ok(ready), _) => Ok(ready),
            (Err(_), Some(error)) => Err(error),
            // Somebody else could not open it and was told why.
            (Err(_), None) => open(),
        }
    }

    /// Removes a deleted model from the cache.
    pub(super) fn forget_model(&self, file_hash: &str) {
        self.caches.models.invalidate(file_hash);
    }
}

fn full_key(key: &str, generation: Generation) -> String {
    let [incarnation, data, models] = numbers(generation);
    format!("{key}@{incarnation}.{data}.{models}")
}

fn numbers(generation: Generation) -> [i64; 3] {
    [generation.incarnation, generation.data, generation.models]
}

/// The time until which the known data stay the same: until the next record becomes known, or the day
/// ends.
pub(super) fn holds_until<'a>(
    person: impl Into<PersonData<'a>>,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let person = person.into();
    let profile = person.profile();
    let evening = profile.evening_of(profile.day_of(now));
    person
        .next_known(now)
        .map_or(evening, |next| next.min(evening))
}
