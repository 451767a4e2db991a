//! The models of a data folder.

use super::Engine;
use crate::error::{EngineError, ModelFileError};
use std::collections::HashSet;
use std::fs::File;
use std::path::Path;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;
use vitalcast_artifact::{Artifact, FILE_EXTENSION, Manifest, write_atomically};
use vitalcast_domain::{
    ModelArchitecture, ModelId, ModelInfo, PredictionMetric, UnreadableModelInfo, UserId,
};
use vitalcast_inference::FittedModel;
use vitalcast_store::{ModelList, RegisteredModel, Store, StoreError, UnreadableModel};

const BYTES_PER_MB: f64 = 1_000_000.0;
/// The lock file, see [`Engine::publishing`].
const PUBLISHING: &str = "models.lock";

/// Exclusive access to the files of models, until it is dropped.
pub(super) struct Publishing<'a> {
    _file: File,
    _turn: MutexGuard<'a, ()>,
}

impl Engine {
    /// All models, or those of a person or metric, newest first. Those that this release cannot read are
    /// left out, see [`Engine::unreadable_models`].
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> Result<Vec<ModelInfo>, EngineError> {
        if let Some(user) = user {
            self.profile(user)?;
        }
        let list = self.registry(user, metric)?;
        list.models.iter().map(info).collect()
    }

    /// Registered models that this release cannot read, newest first: they are damaged, or of a newer release.
    /// Forecasts go on without them; they can be deleted.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn unreadable_models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> Result<Vec<UnreadableModelInfo>, EngineError> {
        let list = self.registry(user, metric)?;
        Ok(list.unreadable.iter().map(unreadable_info).collect())
    }

    /// The models of a person, or of everybody, and those of them that this release cannot read.
    pub(super) fn registry(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> Result<ModelList, EngineError> {
        Ok(with_manifests(self.wait(self.store.models(user, metric))?))
    }

    /// The same of the models of many people.
    pub(super) fn registry_of_many_people(
        &self,
        metric: Option<PredictionMetric>,
    ) -> Result<ModelList, EngineError> {
        let list = self.wait(self.store.models_of_many_people(metric))?;
        Ok(with_manifests(list))
    }

    /// The metrics that can be forecast for a person: those with a model, and those with a reading.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::NoModel`] if there is no metric of either kind.
    pub fn forecast_metrics(&self, user: &UserId) -> Result<Vec<PredictionMetric>, EngineError> {
        let models = self.models(Some(user), None)?;
        let summary = self.wait(self.store.user(user))?;
        let days = |metric| summary.as_ref().map_or(0, |of| of.metric_days(metric));
        let mut metrics = Vec::new();
        for &metric in PredictionMetric::ALL {
            let is_own = models.iter().any(|model| model.metric == metric);
            if is_own || days(metric) > 0 {
                metrics.push(metric);
            }
        }
        if metrics.is_empty() {
            // The one for which a model can be trained best.
            let most = PredictionMetric::ALL.iter().copied();
            let most = most.rev().max_by_key(|metric| days(*metric));
            return Err(EngineError::NoModel {
                user: user.clone(),
                metric: most.unwrap_or(PredictionMetric::RestingHeartRate),
                wanted: " or any other metric".to_owned(),
            });
        }
        Ok(metrics)
    }

    /// The manifest of a model: settings, training data and errors.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`]; an error for an artifact that is damaged or was replaced.
    pub fn model_manifest(&self, id: &ModelId) -> Result<Manifest, EngineError> {
        let model = self.registered(id)?;
        Ok(self.open_artifact(&model)?.manifest().clone())
    }

    /// Activates a model: forecasts use it from now on.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`], [`EngineError::Store`].
    pub fn activate_model(&self, id: &ModelId) -> Result<ModelInfo, EngineError> {
        // One that cannot be read would be active and serve nothing.
        self.registered(id)?;
        self.wait(self.store.activate(id))?;
        info(&self.registered(id)?)
    }

    /// Deletes a model; if it was active, the newest remaining one becomes active.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`], [`EngineError::Store`], [`EngineError::Io`].
    pub fn delete_model(&self, id: &ModelId) -> Result<(), EngineError> {
        let model = self.entry(id)?;
        let _publishing = self.publishing()?;
        self.wait(self.store.delete_model(id))?;
        self.forget_model(&model.file_hash);
        // Equal models share a file: it goes with the last of them.
        let left = self.wait(self.store.models(None, None))?;
        if left.file_names().any(|other| other == model.file_name) {
            return Ok(());
        }
        self.remove_model_file(&model.file_name)
    }

    /// Deletes the file of a model if no model uses it any more.
    pub(super) fn remove_model_file(&self, file_name: &str) -> Result<(), EngineError> {
        let path = self.model_path(file_name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(EngineError::Io {
                doing: "delete the artifact",
                path,
                source: error,
            }),
            _ => Ok(()),
        }
    }

    /// The lock for model files: held from writing a file until its registration, and from checking
    /// that a file is unused until its deletion, across processes.
    pub(super) fn publishing(&self) -> Result<Publishing<'_>, EngineError> {
        let turn = self.publishing.lock();
        let turn = turn.unwrap_or_else(PoisonError::into_inner);
        let path = self.folder.join(PUBLISHING);
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        let file = locked.map_err(|source| EngineError::Io {
            doing: "lock the models with",
            path,
            source,
        })?;
        Ok(Publishing {
            _turn: turn,
            _file: file,
        })
    }

    /// Deletes artifacts that belong to no model and are older than the given age; returns their number.
    pub(super) fn remove_unregistered_files(&self, since: Duration) -> Result<usize, EngineError> {
        let _publishing = self.publishing()?;
        let used: HashSet<String> = self
            .wait(self.store.models(None, None))?
            .file_names()
            .map(str::to_owned)
            .collect();
        let folder = self.folder().join(super::MODELS);
        let failed = |source| EngineError::Io {
            doing: "list the artifacts in",
            path: folder.clone(),
            source,
        };
        let mut removed = 0;
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let age = entry.metadata().and_then(|data| data.modified());
            let age = age.ok().and_then(|written| written.elapsed().ok());
            let is_artifact = Path::new(&name)
                .extension()
                .is_some_and(|end| end == FILE_EXTENSION);
            if is_artifact && !used.contains(&name) && age.unwrap_or_default() >= since {
                self.remove_model_file(&name)?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// The owner of a model; `None` for an unknown model, and for one of many people.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn owner_of_model(&self, id: &ModelId) -> Result<Option<UserId>, EngineError> {
        match self.entry(id) {
            Ok(entry) => Ok(entry.user_id),
            Err(EngineError::UnknownModel(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Exports a model: the whole artifact to a `.vcm` file, only the weights to a `.safetensors` file,
    /// the network with its scaling to an `.onnx` file, see
    /// [`vitalcast_inference::FittedModel::to_onnx`].
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`], [`EngineError::InvalidSetting`] for another file extension or a
    /// model without weights, an error for a damaged artifact or a file that cannot be written.
    pub fn export_model(&self, id: &ModelId, to: &Path) -> Result<(), EngineError> {
        let model = self.registered(id)?;
        let artifact = self.open_artifact(&model)?;
        let bytes = match to.extension().and_then(|ending| ending.to_str()) {
            Some(FILE_EXTENSION) => artifact.to_bytes()?,
            Some("safetensors") => artifact
                .weights()
                .ok_or_else(|| {
                    EngineError::InvalidSetting(format!(
                        "{id} is a {} model and has no weights: export it as .vcm",
                        model.architecture
                    ))
                })?
                .to_vec(),
            Some("onnx") => self.fitted(&model, &artifact)?.to_onnx()?.ok_or_else(|| {
                EngineError::InvalidSetting(format!(
                    "{id} is a {} model, which cannot be exported as ONNX: export it as .vcm",
                    model.architecture
                ))
            })?,
            _ => {
                return Err(EngineError::InvalidSetting(format!(
                    "cannot export to {}: the name must end in .vcm, .safetensors or .onnx",
                    to.display()
                )));
            }
        };
        Ok(write_atomically(to, &bytes)?)
    }

    pub(crate) fn registered(&self, id: &ModelId) -> Result<RegisteredModel, EngineError> {
        match self.wait(self.store.model(id)) {
            Ok(Some(model)) => with_manifest(model).map_err(|model| self.unreadable(&model)),
            Ok(None) => Err(EngineError::UnknownModel(id.clone())),
            Err(StoreError::UnreadableModel(model)) => Err(self.unreadable(&model)),
            Err(error) => Err(error.into()),
        }
    }

    /// What is known of any registered model, also of one that this release cannot read.
    pub(super) fn entry(&self, id: &ModelId) -> Result<Entry, EngineError> {
        match self.wait(self.store.model(id)) {
            Ok(Some(model)) => Ok(Entry {
                user_id: model.user_id,
                file_name: model.file_name,
                file_hash: model.file_hash,
            }),
            Ok(None) => Err(EngineError::UnknownModel(id.clone())),
            Err(StoreError::UnreadableModel(model)) => Ok(Entry {
                user_id: model.user_id,
                file_name: model.file_name,
                file_hash: model.file_hash,
            }),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens the artifact of a model and checks that it is the registered one.
    pub(crate) fn open_artifact(&self, model: &RegisteredModel) -> Result<Artifact, EngineError> {
        let path = self.model_path(&model.file_name);
        let (artifact, hash) = match Artifact::open_hashed(&path) {
            Ok(opened) => opened,
            // Deleted since it was looked up.
            Err(_) if self.wait(self.store.model(&model.model_id))?.is_none() => {
                return Err(EngineError::UnknownModel(model.model_id.clone()));
            }
            Err(error) => {
                return Err(self.unusable(&model.model_id, &model.file_name, error.into()));
            }
        };
        if hash == model.file_hash {
            Ok(artifact)
        } else {
            Err(EngineError::ForeignArtifact {
                model: model.model_id.clone(),
                path,
            })
        }
    }

    /// The model of a registered artifact.
    pub(super) fn fitted(
        &self,
        model: &RegisteredModel,
        artifact: &Artifact,
    ) -> Result<FittedModel, EngineError> {
        FittedModel::from_artifact(artifact)
            .map_err(|error| self.unusable(&model.model_id, &model.file_name, error.into()))
    }

    /// The error of a request for a model that this release cannot read. Its file tells more than its row.
    pub(super) fn unreadable(&self, model: &UnreadableModel) -> EngineError {
        let why = match Artifact::open(self.model_path(&model.file_name)) {
            Ok(_) => StoreError::UnreadableModel(Box::new(model.clone())).into(),
            Err(error) => error.into(),
        };
        self.unusable(&model.model_id, &model.file_name, why)
    }

    /// Why the file of a model cannot be used, with the model and the file.
    fn unusable(&self, model: &ModelId, file_name: &str, why: EngineError) -> EngineError {
        EngineError::Artifact(ModelFileError::OfModel {
            model: model.clone(),
            path: self.model_path(file_name),
            source: Box::new(why),
        })
    }
}

/// What is known of any registered model.
pub(super) struct Entry {
    /// Whose it is; `None` for a model of many people.
    pub(super) user_id: Option<UserId>,
    file_name: String,
    file_hash: String,
}

/// The models whose manifest this release can read; the others join those that it cannot read.
fn with_manifests(list: ModelList) -> ModelList {
    let mut readable = ModelList {
        models: Vec::with_capacity(list.models.len()),
        unreadable: list.unreadable,
    };
    for model in list.models {
        match with_manifest(model) {
            Ok(model) => readable.models.push(model),
            Err(unreadable) => readable.unreadable.push(*unreadable),
        }
    }
    readable
}

/// A model whose manifest this release can read.
fn with_manifest(model: RegisteredModel) -> Result<RegisteredModel, Box<UnreadableModel>> {
    if manifest(&model).is_ok() {
        return Ok(model);
    }
    Err(Box::new(UnreadableModel {
        model_id: model.model_id,
        user_id: model.user_id,
        metric: Some(model.metric),
        architecture: Some(model.architecture),
        version: model.version,
        file_name: model.file_name,
        file_hash: model.file_hash,
        is_active: model.is_active,
        what: "its manifest has values that this release does not know: it is damaged, or of a newer release"
            .to_owned(),
    }))
}

/// Of a person's models the one for a forecast: the active one, or the newest one that matches the
/// request.
pub(crate) fn choose(
    models: &[RegisteredModel],
    user: &UserId,
    metric: PredictionMetric,
    architecture: Option<ModelArchitecture>,
    version: Option<&str>,
) -> Result<RegisteredModel, EngineError> {
    let none = || {
        let mut wanted = String::new();
        if let Some(version) = version {
            wanted.push_str(&format!(" of version {version}"));
        }
        if let Some(architecture) = architecture {
            wanted.push_str(&format!(" of architecture {architecture}"));
        }
        EngineError::NoModel {
            user: user.clone(),
            metric,
            wanted,
        }
    };
    let number = match version {
        None => None,
        Some(text) => Some(parse_version(text).ok_or_else(none)?),
    };
    RegisteredModel::chosen(models, metric, architecture, number)
        .cloned()
        .ok_or_else(none)
}

/// Converts a version number: 1, 2, 3 … in the registry is `v1.0.0`, `v1.0.1` … in the API.
pub(crate) fn version_text(version: i64) -> String {
    format!("v1.0.{}", version - 1)
}

pub(super) fn parse_version(text: &str) -> Option<i64> {
    let patch: i64 = text.strip_prefix("v1.0.")?.parse().ok()?;
    (0..i64::MAX).contains(&patch).then(|| patch + 1)
}

/// The manifest stored in the registry, so that the artifact need not be opened.
pub(crate) fn manifest(model: &RegisteredModel) -> Result<Manifest, EngineError> {
    serde_json::from_value(model.summary.clone()).map_err(|_| {
        EngineError::Damaged(format!("the registry's entry of model {}", model.model_id))
    })
}

/// Converts a model that this release cannot read to the response format.
pub(super) fn unreadable_info(model: &UnreadableModel) -> UnreadableModelInfo {
    UnreadableModelInfo {
        model_id: model.model_id.clone(),
        user_id: model.user_id.clone(),
        metric: model.metric,
        architecture: model.architecture,
        version: version_text(model.version),
        is_active: model.is_active,
        reason: model.what.clone(),
    }
}

/// Converts a registered model to the response format.
pub(crate) fn info(model: &RegisteredModel) -> Result<ModelInfo, EngineError> {
    let manifest = manifest(model)?;
    Ok(ModelInfo {
        model_id: model.model_id.clone(),
        user_id: model.user_id.clone(),
        metric: model.metric,
        architecture: model.architecture,
        version: version_text(model.version),
        trained_at: model.trained_at,
        training_metrics: manifest.metrics.with_time(model.training_seconds),
        sequence_length: manifest.lookback_days,
        num_features: manifest.feature_names.len(),
        model_size_mb: model.size_bytes as f64 / BYTES_PER_MB,
        is_active: model.is_active,
        is_production_ready: manifest.is_production_ready,
        skill_vs_naive: manifest.skill,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_wire_start_at_patch_zero() {
        assert_eq!(version_text(1), "v1.0.0");
        assert_eq!(parse_version("v1.0.0"), Some(1));
        assert_eq!(parse_version("v1.0.12"), Some(13));
        for wrong in ["1.0.0", "v1.0.", "v1.0.-1", "v2.0.0", "v1.0.x"] {
            assert_eq!(parse_version(wrong), None, "{wrong}");
        }
    }
}
