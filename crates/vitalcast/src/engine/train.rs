//! Training and registration of a model.

use super::Engine;
use super::many_people::may_teach;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::time::Instant;
use vitalcast_artifact::{FILE_EXTENSION, content_hash, write_atomically};
use vitalcast_domain::{
    AsOf, History, ModelArchitecture, ModelId, ModelInfo, PredictionMetric, Record,
    TrainModelRequest, TrainModelResponse, UserId,
};
use vitalcast_models::ComputeDevice;
use vitalcast_store::{NewModel, RegisteredModel, Store, StoreError};
use vitalcast_training::{
    EpochReport, ManyPeople, PooledTraining, Trained, TrainingError, train_among,
};

/// A model to be written and registered.
pub(super) struct Publication<'a> {
    pub(super) id: ModelId,
    /// `None` for a model of many people.
    pub(super) user: Option<&'a UserId>,
    pub(super) metric: PredictionMetric,
    pub(super) architecture: ModelArchitecture,
    pub(super) trained: &'a Trained,
    /// See [`TRAINING_KEY`].
    pub(super) key: Option<&'a str>,
    pub(super) now: DateTime<Utc>,
    pub(super) seconds: f64,
}

impl Engine {
    /// Trains a model on the data known at `as_of`, and activates it unless the model of many people is as
    /// good on the test days.
    ///
    /// If a model comes from the same history, request and release, it is returned without a
    /// training, unless `force_retrain` is set.
    ///
    /// A model that learns from many people, too ([`ModelArchitecture::PooledLstm`]), learns from those of
    /// the folder who agreed ([`Profile::allows_pooling`]).
    ///
    /// [`Profile::allows_pooling`]: vitalcast_domain::Profile::allows_pooling
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::Training`] with too little data;
    /// [`EngineError::Interrupted`] if `on_epoch` breaks; then nothing is stored.
    pub fn train(
        &self,
        request: &TrainModelRequest,
        as_of: AsOf,
        now: DateTime<Utc>,
        on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<TrainModelResponse, EngineError> {
        self.train_among(request, false, as_of, now, on_epoch)
    }

    /// [`Engine::train`]; with `include_unasked` a model that learns from many people learns from those who
    /// were not asked, too. Who refused is never among them.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::train`].
    pub fn train_among(
        &self,
        request: &TrainModelRequest,
        include_unasked: bool,
        as_of: AsOf,
        now: DateTime<Utc>,
        on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<TrainModelResponse, EngineError> {
        request.validate()?;
        let history = self.load(&request.user_id)?;
        let teachers = if request.architecture == ModelArchitecture::PooledLstm {
            self.teachers(&request.user_id, include_unasked)?
        } else {
            Teachers::default()
        };
        let champion = self.champion(request.metric)?;
        let served = champion.as_ref().and_then(|champion| {
            Some(ManyPeople {
                model: champion.ready.model.as_pooled()?,
                card: &champion.ready.manifest.config,
            })
        });
        let rival = champion.as_ref().map(|of| of.registered.file_hash.as_str());
        let compared = (rival, teachers.state.as_str());
        let key = training_key(&history, request, as_of, self.device, compared);
        if !request.force_retrain
            && let Some(model) = self.model_of(request, &key)?
        {
            return answer(request, &model);
        }
        let started = Instant::now();
        let device = self.device;
        let mut others = PooledTraining::new(request.metric, as_of);
        for user in &teachers.users {
            others.add(&self.load(user)?)?;
        }
        let beside = (served.as_ref(), &others);
        let trained =
            train_among(&history, request, as_of, device, beside, on_epoch).map_err(cancelled)?;
        let registered = self.publish(Publication {
            id: model_id(request, now)?,
            user: Some(&request.user_id),
            metric: request.metric,
            architecture: request.architecture,
            trained: &trained,
            key: Some(&key),
            now,
            seconds: started.elapsed().as_secs_f64(),
        })?;
        answer(request, &registered)
    }

    /// The people of the folder beside one whose days a model may learn from.
    fn teachers(&self, user: &UserId, include_unasked: bool) -> Result<Teachers, EngineError> {
        let mut found = Teachers::default();
        for other in self.wait(self.store.users())? {
            let other = other.user_id;
            if other == *user || !may_teach(&self.profile(&other)?, include_unasked) {
                continue;
            }
            // Before the records: what is written meanwhile makes another training.
            let generation = self
                .generation(&other)?
                .ok_or_else(|| self.unknown(&other))?;
            let (incarnation, data) = (generation.incarnation, generation.data);
            found
                .state
                .push_str(&format!("{other} {incarnation} {data}\n"));
            found.users.push(other);
        }
        Ok(found)
    }

    /// The newest model that was trained with this key and whose artifact exists and is not damaged, if it
    /// is the active one or was not good enough to become it.
    fn model_of(
        &self,
        request: &TrainModelRequest,
        key: &str,
    ) -> Result<Option<RegisteredModel>, EngineError> {
        let list = self.registry(Some(&request.user_id), Some(request.metric))?;
        let of_key = |model: &RegisteredModel| {
            model.summary.get(TRAINING_KEY).and_then(|key| key.as_str()) == Some(key)
        };
        let is_served = |model: &RegisteredModel| {
            super::models::manifest(model)
                .is_ok_and(|manifest| manifest.gate.is_none_or(|gate| gate.served))
        };
        Ok(list.models.into_iter().find(|model| {
            of_key(model)
                && (model.is_active || !is_served(model))
                && self.open_artifact(model).is_ok()
        }))
    }

    /// Writes the artifact, then registers it: readers see a complete model or none.
    pub(super) fn publish(&self, new: Publication<'_>) -> Result<RegisteredModel, EngineError> {
        let Publication { trained, now, .. } = new;
        let bytes = trained.artifact.to_bytes()?;
        let hash = content_hash(&bytes);
        // The name comes from the content: equal models share a file, and no id is in it.
        let file_name = format!("{}.{FILE_EXTENSION}", &hash[..32]);
        let _publishing = self.publishing()?;
        write_atomically(self.model_path(&file_name), &bytes)?;
        let mut summary = serde_json::to_value(trained.artifact.manifest()).unwrap_or_default();
        if let Some(key) = new.key {
            summary[TRAINING_KEY] = key.into();
        }
        let registered = self.register(NewModel {
            model_id: new.id,
            user_id: new.user.cloned(),
            metric: new.metric,
            architecture: new.architecture,
            trained_at: now,
            file_name: file_name.clone(),
            file_hash: hash,
            size_bytes: bytes.len() as u64,
            training_seconds: new.seconds,
            summary,
            activate: trained
                .artifact
                .manifest()
                .gate
                .as_ref()
                .is_none_or(|gate| gate.served),
        });
        let registered = match registered {
            Ok(registered) => registered,
            Err(error) => {
                // Not registered, most likely because the person was erased meanwhile: then nothing
                // of theirs may stay. An equal model of someone else's keeps the file.
                let list = self.wait(self.store.models(None, None))?;
                if list.file_names().all(|other| other != file_name) {
                    self.remove_model_file(&file_name)?;
                }
                return Err(error);
            }
        };
        tracing::info!("model published");
        Ok(registered)
    }

    /// Registers a model under its id, or under the next free id: several trainings can end in the same
    /// second, also in several processes.
    fn register(&self, mut model: NewModel) -> Result<RegisteredModel, EngineError> {
        let first = model.model_id.clone();
        let mut number = 1;
        loop {
            match self.wait(self.store.register_model(model.clone())) {
                Err(StoreError::ModelExists(_)) => {
                    number += 1;
                    model.model_id = ModelId::new(format!("{first}_{number}"))?;
                }
                registered => return Ok(registered?),
            }
        }
    }
}

/// `{user}_{METRIC}_{YYYYMMDD}_{HHMMSS}`.
fn model_id(request: &TrainModelRequest, now: DateTime<Utc>) -> Result<ModelId, EngineError> {
    let moment = now.format("%Y%m%d_%H%M%S");
    let id = format!("{}_{}_{moment}", request.user_id, request.metric);
    Ok(ModelId::new(id)?)
}

/// People whose days a model of another one may learn from.
#[derive(Debug, Default)]
struct Teachers {
    users: Vec<UserId>,
    /// The state of each one's data.
    state: String,
}

/// Converts a cancelled training to [`EngineError::Interrupted`].
pub(crate) fn cancelled(error: TrainingError) -> EngineError {
    if matches!(error, TrainingError::Cancelled) {
        EngineError::Interrupted
    } else {
        error.into()
    }
}

/// The registry field for the training key of a model, next to its manifest.
const TRAINING_KEY: &str = "training_key";

/// A hash of all inputs of a training: the settings, the profile, the known data, the last day, the
/// device, the release, the model it is compared with, and the state of other people's data it learns from.
fn training_key(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
    device: ComputeDevice,
    (rival, others): (Option<&str>, &str),
) -> String {
    let known: Vec<&Record> = history
        .records
        .iter()
        .filter(|record| record.provenance().known_at <= as_of)
        .collect();
    let today = history.profile.day_of(as_of);
    let settings = TrainModelRequest {
        force_retrain: false,
        ..request.clone()
    };
    let release = env!("CARGO_PKG_VERSION");
    let everything = (
        (release, settings, device, rival),
        (&history.profile, today, known),
        others,
    );
    content_hash(&serde_json::to_vec(&everything).expect("records hold plain values"))
}

fn answer(
    request: &TrainModelRequest,
    model: &RegisteredModel,
) -> Result<TrainModelResponse, EngineError> {
    let manifest = super::models::manifest(model)?;
    let info: ModelInfo = super::models::info(model)?;
    Ok(TrainModelResponse {
        user_id: request.user_id.clone(),
        metric: request.metric,
        architecture: request.architecture,
        model_id: info.model_id,
        model_version: info.version,
        trained_at: info.trained_at,
        training_metrics: info.training_metrics,
        total_samples: manifest.windows.total(),
        sequence_length: manifest.lookback_days,
        num_features: manifest.feature_names.len(),
        model_path: model.file_name.clone(),
        model_size_mb: info.model_size_mb,
        is_production_ready: manifest.is_production_ready,
        quality_issues: manifest.quality_issues,
        skill_vs_naive: manifest.skill,
        baseline_name: manifest.baseline_name,
        baseline_mae: manifest.baseline_mae,
        is_active: info.is_active,
        learned_share: manifest.deviation.map(|deviation| deviation.share),
        population_mae: manifest.gate.as_ref().map(|gate| gate.rival_mae),
        first_day: manifest.first_day,
        last_day: manifest.last_day,
        seed: manifest.seed,
    })
}
