//! Models of many people of a data folder.

mod fits;

pub use fits::{PooledFit, PooledFits};

use super::Engine;
use super::cache::ReadyModel;
use super::models::{manifest, version_text};
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::error::Error as _;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use vitalcast_domain::{
    AsOf, ModelArchitecture, ModelId, ModelInfo, PredictionMetric, Profile, TrainPooledRequest,
    TrainPooledResponse, UnreadableModelInfo, UserId,
};
use vitalcast_inference::{FittedModel, population};
use vitalcast_store::{RegisteredModel, Store};
use vitalcast_training::PooledTraining;

/// The model of many people that a data folder serves in place of that of the release.
pub(super) struct Champion {
    pub(super) registered: RegisteredModel,
    pub(super) ready: Arc<ReadyModel>,
}

impl Engine {
    /// Fits one model to the days of many people, as known at `as_of`, and activates it if it errs less than
    /// the one that is served otherwise, on people that a fit had not seen, beyond chance (p < 0.05 with
    /// people as the sample). An active one is served to everybody without a better model of their own.
    ///
    /// People who refused are left out ([`Profile::allows_pooling`]). The model contains no person's data
    /// and no id; a person who is erased is out of the next fit. `check` is called before each person and before the
    /// fit, with how many people are done and how many there are, and can stop the work.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`] for a person who was named; [`EngineError::Training`] for too few people;
    /// [`EngineError::Interrupted`].
    pub fn train_pooled(
        &self,
        request: &TrainPooledRequest,
        as_of: AsOf,
        now: DateTime<Utc>,
        check: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
    ) -> Result<TrainPooledResponse, EngineError> {
        let started = Instant::now();
        let metric = request.metric;
        let users: Vec<UserId> = if request.users.is_empty() {
            let all = self.wait(self.store.users())?;
            all.into_iter().map(|user| user.user_id).collect()
        } else {
            let mut named = request.users.clone();
            named.sort();
            named.dedup();
            named
        };
        let mut training = PooledTraining::new(metric, as_of);
        let (mut without_consent, mut without_readings) = (0, 0);
        for (done, user) in users.iter().enumerate() {
            if check(done, users.len()).is_break() {
                return Err(EngineError::Interrupted);
            }
            if !may_teach(&self.profile(user)?, request.include_unasked) {
                without_consent += 1;
                continue;
            }
            if !training.add(&self.load(user)?)? {
                without_readings += 1;
            }
        }
        if check(users.len(), users.len()).is_break() {
            return Err(EngineError::Interrupted);
        }
        let (people, days) = (training.people(), training.days());
        let champion = self.champion(metric)?;
        let served = match &champion {
            Some(champion) => Some(&champion.ready.model),
            None => population(metric)?.map(|population| &population.model),
        };
        let served = served.and_then(FittedModel::as_pooled);
        let card = json!({
            "kind": "one linear model of many people's days",
            "people": people,
            "errors": "on people that a fit had not seen, in five parts",
        });
        let trained = training.fit(card, served)?;
        let seconds = started.elapsed().as_secs_f64();
        let id = format!("pooled_{metric}_{}", now.format("%Y%m%d_%H%M%S"));
        let registered = self.publish(super::train::Publication {
            id: ModelId::new(id)?,
            user: None,
            metric,
            architecture: ModelArchitecture::Pooled,
            trained: &trained,
            key: None,
            now,
            seconds,
        })?;
        let manifest = manifest(&registered)?;
        Ok(TrainPooledResponse {
            model_id: registered.model_id,
            metric,
            model_version: version_text(registered.version),
            trained_at: registered.trained_at,
            people,
            days,
            people_without_consent: without_consent,
            people_without_readings: without_readings,
            mae: manifest.metrics.mae,
            baseline_name: manifest.baseline_name,
            baseline_mae: manifest.baseline_mae,
            skill_vs_naive: manifest.skill,
            rival_mae: manifest.gate.as_ref().map(|gate| gate.rival_mae),
            p: manifest.gate.as_ref().and_then(|gate| gate.p),
            is_active: registered.is_active,
        })
    }

    /// The models of many people of this folder, newest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn models_of_many_people(&self) -> Result<Vec<ModelInfo>, EngineError> {
        let list = self.registry_of_many_people(None)?;
        list.models.iter().map(super::models::info).collect()
    }

    /// Models of many people that this release cannot read, see [`Engine::unreadable_models`].
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn unreadable_models_of_many_people(
        &self,
    ) -> Result<Vec<UnreadableModelInfo>, EngineError> {
        let list = self.registry_of_many_people(None)?;
        let unreadable = list.unreadable.iter();
        Ok(unreadable.map(super::models::unreadable_info).collect())
    }

    /// Checks that a model is one of many people.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownModel`] for any other.
    pub fn check_is_of_many_people(&self, id: &ModelId) -> Result<(), EngineError> {
        match self.entry(id)?.user_id {
            None => Ok(()),
            Some(_) => Err(EngineError::UnknownModel(id.clone())),
        }
    }

    /// The active model of many people of this folder.
    pub(super) fn champion(
        &self,
        metric: PredictionMetric,
    ) -> Result<Option<Champion>, EngineError> {
        let list = self.registry_of_many_people(Some(metric))?;
        let Some(registered) = list.models.into_iter().find(|model| model.is_active) else {
            return Ok(None);
        };
        let ready = self.ready_champion(&registered)?;
        Ok(ready.map(|ready| Champion { registered, ready }))
    }

    /// The model of many people of this folder, ready to forecast; `None`, with a warning in the log, if its
    /// file cannot be used. Everybody depends on it: the model of the release then takes its place, and
    /// the next fit replaces it.
    pub(super) fn ready_champion(
        &self,
        registered: &RegisteredModel,
    ) -> Result<Option<Arc<ReadyModel>>, EngineError> {
        match self.ready_model(registered) {
            Ok(ready) => Ok(Some(ready)),
            Err(
                error @ (EngineError::Artifact(_)
                | EngineError::ForeignArtifact { .. }
                | EngineError::Inference(_)
                | EngineError::UnknownModel(_)),
            ) => {
                let model = &registered.model_id;
                // The sentence alone names the model and its file.
                let why = error.source().map(ToString::to_string).unwrap_or_default();
                let code = error.code();
                tracing::warn!(%model, code, why, "a model of many people cannot be used");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a person's days may be used to fit models of many people.
pub(super) fn may_teach(profile: &Profile, include_unasked: bool) -> bool {
    profile.allows_pooling.unwrap_or(include_unasked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refused_teaches_nobody() {
        let of = |allows_pooling| Profile {
            allows_pooling,
            ..Profile::default()
        };
        for include_unasked in [false, true] {
            assert!(!may_teach(&of(Some(false)), include_unasked));
            assert!(may_teach(&of(Some(true)), include_unasked));
            assert_eq!(may_teach(&of(None), include_unasked), include_unasked);
        }
    }
}
