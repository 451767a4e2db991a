//! The model of one person: the network of many people, fine-tuned on the person, as an artifact.

use super::{OnEpoch, PooledLstm};
use crate::cohort::{CohortPerson, lay_out};
use crate::error::TrainingError;
use crate::pipeline::{Trained, settings};
use crate::pooled::{
    Errors, Facts, ManyPeople, PooledTraining, first_scored_of, gate, residuals, trained, whole,
};
use crate::replayed::SeriesOfPerson;
use serde_json::Value;
use std::collections::BTreeMap;
use vitalcast_artifact::{Deviation, Gate};
use vitalcast_domain::{AsOf, History, ModelArchitecture, TrainModelRequest};
use vitalcast_evaluation::{SIGNIFICANT, diebold_mariano, replay_days};
use vitalcast_inference::{FittedModel, PooledRecipe};
use vitalcast_models::{ComputeDevice, SeriesModel};
use vitalcast_pooled::{Corrected, Learner, PooledModel};

/// Trains a person's model on the days of others, and on the person's own before the last ones, on which
/// its errors are reported and compared with those of `served`.
pub(crate) fn of_person(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
    others: &PooledTraining,
    served: Option<&ManyPeople<'_>>,
    on_epoch: OnEpoch<'_>,
) -> Result<Trained, TrainingError> {
    let metric = request.metric;
    let own = lay_out(&[history], metric, as_of)?;
    let own = own.first().ok_or(TrainingError::NothingKnown(as_of))?;
    let first = first_scored_of(own, request)?;
    let others = others.people.iter();
    let others = others.filter(|person| person.user != own.user).map(whole);
    let before = Learner {
        person: &own.days.person,
        targets: 0..first,
    };
    let learners: Vec<Learner<'_>> = std::iter::once(before).chain(others).collect();
    let recipe = PooledRecipe::of(metric);
    let model = PooledModel::fit(&recipe.design(), &learners, recipe.is_one_for_all())?;
    let lstm = PooledLstm::fit(&model, &learners, request.seed, on_epoch)?
        .ok_or(TrainingError::TooFewExamples(model.people()))?;
    let correction = lstm.of_person(&learners[0])?;
    let deviation = Deviation {
        base: ModelArchitecture::Pooled.as_str().to_owned(),
        share: lstm.share,
    };
    let corrected = Corrected {
        model: &model,
        correction: Some(&correction),
    };
    let mut errors = Errors::default();
    errors.add(corrected, own, first);
    let residuals = residuals(corrected, own, first);
    let dated: Vec<_> = residuals
        .iter()
        .map(|(day, error)| (own.days.date(*day), *error))
        .collect();
    let mut gate = gate(history, metric, &dated, as_of, served)?;
    if let (Some(gate), Some((baseline, _))) = (&mut gate, errors.baseline()) {
        against_baseline(gate, &baseline, own, &residuals)?;
    }
    let train = model.rows();
    let fitted = FittedModel::corrected(metric, model.clone(), correction.clone());
    let facts = Facts {
        metric,
        card: serde_json::to_value(fitted.network_config()).unwrap_or(Value::Null),
        request: settings(request, ComputeDevice::default()),
        first_day: own.days.first_day,
        last_day: own.days.date(own.days.person.days() - 1),
        train,
        seed: request.seed,
        architecture: ModelArchitecture::PooledLstm,
        deviation: Some(deviation),
    };
    trained(fitted, facts, &errors, gate)
}

/// It is served only where it errs less than a simple baseline, too.
fn against_baseline(
    gate: &mut Gate,
    baseline: &SeriesModel,
    person: &CohortPerson,
    residuals: &BTreeMap<usize, f64>,
) -> Result<(), TrainingError> {
    let simple = SeriesOfPerson {
        model: baseline,
        person,
    };
    let days = residuals.keys().copied();
    let (simple, own): (Vec<f64>, Vec<f64>) = replay_days(&simple, 0, &person.observed, days, 1)
        .map(|day| (day.residual(), residuals[&day.target]))
        .unzip();
    gate.baseline_p = diebold_mariano(&own, &simple, 1)?.map(|test| test.p);
    gate.served &= gate.baseline_p.is_some_and(|p| p < SIGNIFICANT);
    Ok(())
}
