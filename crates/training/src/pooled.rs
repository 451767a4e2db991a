//! Models of many people: fitted to all of them, or the one that is served scored on one person.

use crate::cohort::{CohortPerson, lay_out};
use crate::error::TrainingError;
use crate::pipeline::{Trained, settings};
use crate::replayed::{Computed, SeriesOfPerson};
use chrono::NaiveDate;
use rayon::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use vitalcast_artifact::{
    Artifact, Calibration, Deviation, Gate, LeadCalibration, Manifest, ReportedMetrics,
    WindowCounts,
};
use vitalcast_domain::{
    AsOf, DEFAULT_SEED, History, MAX_HORIZON_DAYS, ModelArchitecture, PredictionMetric,
    TrainModelRequest,
};
use vitalcast_evaluation::{
    Accuracy, Comparison, PairedDay, ProductionReadiness, SIGNIFICANT, diebold_mariano, mean,
    replay_days, skill,
};
use vitalcast_inference::{FittedModel, PooledRecipe, population};
use vitalcast_models::{ComputeDevice, SeriesForecaster, SeriesModel};
use vitalcast_pooled::{Corrected, Learner, PooledError, PooledModel};

/// Parts into which people are divided; the errors of each are those of a model of the others.
const FOLDS: usize = 5;
/// Readings of a person before the errors of the forecasts are reported.
const LEAST_READINGS: usize = 7;
/// Days with a reading that a model can be scored on.
const LEAST_SCORED: usize = 3;

/// Fits one model to many people's days as known at `as_of`. `card` says what the data are; it becomes part
/// of the artifact.
///
/// The reported errors are those of people that a fit has not seen, in five parts.
///
/// # Errors
///
/// [`TrainingError::Pooled`] for too few people; what the features refuse.
pub fn fit_pooled(
    histories: &[&History],
    metric: PredictionMetric,
    as_of: AsOf,
    card: Value,
) -> Result<Trained, TrainingError> {
    fit(
        lay_out(histories, metric, as_of)?,
        metric,
        as_of,
        card,
        None,
    )
}

/// People whose days one model is to be fitted to. Histories are laid out one by one, and only their daily
/// series stay in memory: some 0.2 MB for a year.
#[derive(Debug)]
pub struct PooledTraining {
    metric: PredictionMetric,
    as_of: AsOf,
    pub(crate) people: Vec<CohortPerson>,
}

impl PooledTraining {
    /// Nobody's days yet; later ones will be added as known at `as_of`.
    pub fn new(metric: PredictionMetric, as_of: AsOf) -> Self {
        Self {
            metric,
            as_of,
            people: Vec::new(),
        }
    }

    /// Adds a person's days; `false` for a person without a reading of the metric, who is left out.
    ///
    /// # Errors
    ///
    /// What the features refuse.
    pub fn add(&mut self, history: &History) -> Result<bool, TrainingError> {
        let mut laid_out = lay_out(&[history], self.metric, self.as_of)?;
        let found = !laid_out.is_empty();
        self.people.append(&mut laid_out);
        Ok(found)
    }

    /// Number of people with a reading of the metric.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// Number of days with a reading, of all people.
    pub fn days(&self) -> usize {
        let of = |person: &CohortPerson| person.observed.iter().flatten().count();
        self.people.iter().map(of).sum()
    }

    /// Fits the model, and compares it with `rival`, the model that is served otherwise, on people that a
    /// fit has not seen. `card` says what the data are; it becomes part of the artifact.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Pooled`] for too few people.
    pub fn fit(self, card: Value, rival: Option<&PooledModel>) -> Result<Trained, TrainingError> {
        fit(self.people, self.metric, self.as_of, card, rival)
    }
}

fn fit(
    people: Vec<CohortPerson>,
    metric: PredictionMetric,
    as_of: AsOf,
    card: Value,
    rival: Option<&PooledModel>,
) -> Result<Trained, TrainingError> {
    let recipe = PooledRecipe::of(metric);
    let design = recipe.design();
    let learner = |person| whole(person);
    let fit =
        |people: Vec<Learner<'_>>| PooledModel::fit(&design, &people, recipe.is_one_for_all());
    let model = fit(people.iter().map(learner).collect()).map_err(|error| one_more(error, 0))?;
    // Of few people each one is left out once.
    let folds = if people.len() < 2 * FOLDS {
        people.len()
    } else {
        FOLDS
    };
    let parts: Vec<(Errors, Vec<PairedDay>)> = (0..folds)
        .into_par_iter()
        .map(|fold| {
            let (seen, unseen): (Vec<_>, Vec<_>) = people
                .iter()
                .enumerate()
                .partition(|(place, _)| place % folds != fold);
            let model = fit(seen
                .into_iter()
                .map(|(_, person)| learner(person))
                .collect())
            .map_err(|error| one_more(error, 1))?;
            let mut errors = Errors::default();
            let mut pairs = Vec::new();
            for (place, person) in unseen {
                let first = first_scored(person);
                errors.add((&model).into(), person, first);
                if let Some(rival) = rival {
                    pairs.extend(paired(&model, rival, place, person, first));
                }
            }
            Ok::<_, TrainingError>((errors, pairs))
        })
        .collect::<Result<_, _>>()?;
    let (errors, pairs): (Vec<Errors>, Vec<Vec<PairedDay>>) = parts.into_iter().unzip();
    let errors = errors.into_iter().fold(Errors::default(), Errors::with);
    let gate = gate_of_people(&pairs.concat())?;
    let first_day = people.iter().map(|person| person.days.first_day).min();
    let last_day = people
        .iter()
        .map(|person| person.days.date(person.days.person.days() - 1))
        .max();
    let (Some(first_day), Some(last_day)) = (first_day, last_day) else {
        return Err(TrainingError::NothingKnown(as_of));
    };
    let facts = Facts {
        metric,
        card,
        request: Value::Null,
        first_day,
        last_day,
        train: model.rows(),
        seed: DEFAULT_SEED,
        architecture: ModelArchitecture::Pooled,
        deviation: None,
    };
    trained(FittedModel::pooled(metric, model), facts, &errors, gate)
}

/// A fit whose errors are those of people left out needs one person more, of whom so many were left out.
fn one_more(error: PooledError, left_out: usize) -> PooledError {
    match error {
        PooledError::TooFewPeople {
            needed,
            found,
            days,
        } => PooledError::TooFewPeople {
            needed: needed + 1,
            found: found + left_out,
            days,
        },
        other @ (PooledError::Covariates { .. }
        | PooledError::Days { .. }
        | PooledError::Penalty
        | PooledError::OutOfBounds { .. }
        | PooledError::Evaluation(_)
        | PooledError::Unusable(_)) => other,
    }
}

/// The errors of two models on a person's days from `first` on, one day ahead.
fn paired(
    model: &PooledModel,
    rival: &PooledModel,
    place: usize,
    person: &CohortPerson,
    first: usize,
) -> Vec<PairedDay> {
    let theirs = residuals(rival.into(), person, first);
    residuals(model.into(), person, first)
        .into_iter()
        .filter_map(|(day, a)| {
            let b = *theirs.get(&day)?;
            Some(PairedDay {
                person: place,
                a,
                b,
            })
        })
        .collect()
}

/// The residuals of a model on a person's days from `first` on, one day ahead.
pub(crate) fn residuals(
    model: Corrected<'_>,
    person: &CohortPerson,
    first: usize,
) -> BTreeMap<usize, f64> {
    let targets = first..person.observed.len();
    let computed = Computed::of_pooled(model, person, targets.clone(), 1);
    replay_days(&computed, 0, &person.observed, targets, 1)
        .map(|day| (day.target, day.residual()))
        .collect()
}

/// Whether a model of many people is served in place of the one that is served otherwise. People are the
/// sample: days of one person are alike.
fn gate_of_people(pairs: &[PairedDay]) -> Result<Option<Gate>, TrainingError> {
    if pairs.is_empty() {
        return Ok(None);
    }
    let comparison = Comparison::of(pairs, DEFAULT_SEED)?;
    let p = comparison.p_better;
    Ok(Some(Gate {
        days: comparison.count,
        mae: comparison.mae_a,
        rival_mae: comparison.mae_b,
        p,
        baseline_p: None,
        served: comparison.mae_a < comparison.mae_b && p.is_some_and(|p| p < SIGNIFICANT),
    }))
}

/// The model of many people that is served otherwise, as a model of one person: nothing is learned
/// from the person, and its errors on the person's last days are reported.
pub(crate) fn of_many_people(
    history: &History,
    request: &TrainModelRequest,
    as_of: AsOf,
    served: Option<&ManyPeople<'_>>,
) -> Result<Trained, TrainingError> {
    let metric = request.metric;
    let ManyPeople { model, card } = match served {
        Some(served) => served.clone(),
        None => of_release(metric)?.ok_or(TrainingError::NoPopulation(metric))?,
    };
    let people = lay_out(&[history], metric, as_of)?;
    let person = people.first().ok_or(TrainingError::NothingKnown(as_of))?;
    let first = first_scored_of(person, request)?;
    let mut errors = Errors::default();
    errors.add(model.into(), person, first);
    let facts = Facts {
        metric,
        card: card.clone(),
        request: settings(request, ComputeDevice::default()),
        first_day: person.days.first_day,
        last_day: person.days.date(person.days.person.days() - 1),
        train: 0,
        seed: request.seed,
        architecture: ModelArchitecture::Pooled,
        deviation: None,
    };
    // It is what is served without training.
    trained(
        FittedModel::pooled(metric, model.clone()),
        facts,
        &errors,
        None,
    )
}

/// The first of a person's last days that are scored: so large a share of the days with a reading.
pub(crate) fn first_scored_of(
    person: &CohortPerson,
    request: &TrainModelRequest,
) -> Result<usize, TrainingError> {
    let observed = person.observed_days();
    let needed = LEAST_READINGS + LEAST_SCORED;
    if observed.len() < needed {
        return Err(TrainingError::NotEnoughDays {
            metric: request.metric,
            found: observed.len(),
            needed,
            missing: needed - observed.len(),
            first: person.days.first_day,
            last: person.days.date(person.days.person.days() - 1),
        });
    }
    let scored = (observed.len() as f64 * request.validation_split).ceil() as usize;
    let scored = scored.clamp(LEAST_SCORED, observed.len() - LEAST_READINGS);
    Ok(observed[observed.len() - scored])
}

/// A model of many people, and what it says of its data.
#[derive(Debug, Clone)]
pub struct ManyPeople<'a> {
    /// The model.
    pub model: &'a PooledModel,
    /// Its card.
    pub card: &'a Value,
}

/// The model of many people that is part of this release.
fn of_release(metric: PredictionMetric) -> Result<Option<ManyPeople<'static>>, TrainingError> {
    Ok(population(metric)?.and_then(|population| {
        Some(ManyPeople {
            model: population.model.as_pooled()?,
            card: &population.manifest.config,
        })
    }))
}

/// Compares a model's errors on test days with those of the model of many people that is served otherwise,
/// on the same days.
pub(crate) fn gate(
    history: &History,
    metric: PredictionMetric,
    errors: &[(NaiveDate, f64)],
    as_of: AsOf,
    served: Option<&ManyPeople<'_>>,
) -> Result<Option<Gate>, TrainingError> {
    let served = match served {
        Some(served) => Some(served.clone()),
        None => of_release(metric)?,
    };
    let Some(ManyPeople { model: rival, .. }) = served else {
        return Ok(None);
    };
    let people = lay_out(&[history], metric, as_of)?;
    let (Some(person), Some((first, _))) = (people.first(), errors.first()) else {
        return Ok(None);
    };
    let place = |day: NaiveDate| usize::try_from((day - person.days.first_day).num_days()).ok();
    let Some(start) = place(*first) else {
        return Ok(None);
    };
    let theirs = residuals(rival.into(), person, start);
    let (own, rivals): (Vec<f64>, Vec<f64>) = errors
        .iter()
        .filter_map(|(day, error)| Some((*error, *theirs.get(&place(*day)?)?)))
        .unzip();
    let of = |errors: &[f64]| mean(errors.iter().map(|error| error.abs()));
    let (Some(mae), Some(rival_mae)) = (of(&own), of(&rivals)) else {
        return Ok(None);
    };
    let p = diebold_mariano(&own, &rivals, 1)?.map(|test| test.p);
    let served = mae < rival_mae && p.is_some_and(|p| p < SIGNIFICANT);
    Ok(Some(Gate {
        days: own.len(),
        mae,
        rival_mae,
        p,
        baseline_p: None,
        served,
    }))
}

/// All days of a person.
pub(crate) fn whole(person: &CohortPerson) -> Learner<'_> {
    Learner {
        person: &person.days.person,
        targets: 0..person.days.person.days(),
    }
}

fn first_scored(person: &CohortPerson) -> usize {
    let observed = person.observed_days();
    observed
        .get(LEAST_READINGS)
        .copied()
        .unwrap_or(person.observed.len())
}

/// What the artifact says of the data.
pub(crate) struct Facts {
    pub(crate) metric: PredictionMetric,
    pub(crate) card: Value,
    pub(crate) request: Value,
    pub(crate) first_day: NaiveDate,
    pub(crate) last_day: NaiveDate,
    pub(crate) train: usize,
    pub(crate) seed: u64,
    pub(crate) architecture: ModelArchitecture,
    pub(crate) deviation: Option<Deviation>,
}

/// Forecasts and values of scored days.
#[derive(Default)]
pub(crate) struct Errors {
    actual: Vec<f64>,
    forecast: Vec<f64>,
    /// Errors of the simple baselines, on the days before the scored ones and on these; of whole numbers where those
    /// of the model are.
    baselines: Vec<(Vec<f64>, Vec<f64>)>,
    /// Value minus forecast by lead.
    residuals: Vec<Vec<f64>>,
}

impl Errors {
    fn with(mut self, other: Self) -> Self {
        self.actual.extend(other.actual);
        self.forecast.extend(other.forecast);
        self.baselines.resize(
            self.baselines.len().max(other.baselines.len()),
            Default::default(),
        );
        for (own, (before, scored)) in self.baselines.iter_mut().zip(other.baselines) {
            own.0.extend(before);
            own.1.extend(scored);
        }
        self.residuals
            .resize(self.residuals.len().max(other.residuals.len()), Vec::new());
        for (own, residuals) in self.residuals.iter_mut().zip(other.residuals) {
            own.extend(residuals);
        }
        self
    }

    /// Adds the days of a person from `first` on.
    pub(crate) fn add(&mut self, model: Corrected<'_>, person: &CohortPerson, first: usize) {
        let days = person.observed.len();
        if first >= days {
            return;
        }
        self.residuals.resize(MAX_HORIZON_DAYS, Vec::new());
        let observed = &person.observed;
        for (of_lead, lead) in self.residuals.iter_mut().zip(1..) {
            let computed = Computed::of_pooled(model, person, first..days, lead);
            for day in replay_days(&computed, 0, observed, first..days, lead) {
                of_lead.push(day.residual());
                if lead == 1 {
                    self.actual.push(day.observed);
                    self.forecast.push(day.forecast);
                }
            }
        }
        let simple = SeriesModel::simple();
        self.baselines.resize(simple.len(), Default::default());
        for (model, (before, scored)) in simple.iter().zip(&mut self.baselines) {
            let baseline = SeriesOfPerson { model, person };
            for day in replay_days(&baseline, 0, observed, 1..days, 1) {
                let errors = if day.target < first {
                    &mut *before
                } else {
                    &mut *scored
                };
                errors.push(day.residual().abs());
            }
        }
    }

    /// The simple baseline that was best before the scored days, with its error on these.
    pub(crate) fn baseline(&self) -> Option<(SeriesModel, f64)> {
        let of = |errors: &[f64]| mean(errors.iter().copied());
        SeriesModel::simple()
            .into_iter()
            .zip(&self.baselines)
            .filter_map(|(baseline, (before, scored))| Some((of(before)?, of(scored)?, baseline)))
            .min_by(|left, right| left.0.total_cmp(&right.0))
            .map(|(_, scored, baseline)| (baseline, scored))
    }
}

pub(crate) fn trained(
    model: FittedModel,
    facts: Facts,
    errors: &Errors,
    gate: Option<Gate>,
) -> Result<Trained, TrainingError> {
    let accuracy = Accuracy::of(&errors.actual, &errors.forecast)?;
    let baseline = errors.baseline();
    let readiness = ProductionReadiness::assess(accuracy.r2, accuracy.mape);
    let leads = errors
        .residuals
        .iter()
        .zip(1..)
        .filter(|(residuals, _)| !residuals.is_empty());
    let leads = leads
        .map(|(residuals, lead)| LeadCalibration::from_residuals(lead, residuals))
        .collect::<Result<_, _>>()?;
    let manifest = Manifest {
        metric: facts.metric,
        architecture: facts.architecture,
        config: facts.card,
        feature_names: Vec::new(),
        lookback_days: model.lookback,
        horizon_days: MAX_HORIZON_DAYS,
        history_days: ((facts.last_day - facts.first_day).num_days() + 1) as usize,
        first_day: facts.first_day,
        last_day: facts.last_day,
        windows: WindowCounts {
            train: facts.train,
            test: accuracy.count,
            ..WindowCounts::default()
        },
        calibration: Calibration::widening(leads)?,
        metrics: ReportedMetrics {
            train_loss: None,
            val_loss: None,
            best_val_loss: None,
            mae: accuracy.mae,
            rmse: accuracy.rmse,
            r2_score: accuracy.r2,
            mape: accuracy.mape,
            mase: accuracy.mase,
            epochs_trained: 0,
            early_stopped: false,
        },
        skill: match &baseline {
            Some((_, mae)) => skill(accuracy.mae, *mae)?,
            None => None,
        },
        baseline_name: baseline
            .as_ref()
            .map(|(baseline, _)| baseline.name().to_owned()),
        baseline_mae: baseline.as_ref().map(|(_, mae)| *mae),
        gate,
        deviation: facts.deviation,
        is_production_ready: readiness.is_ready,
        quality_issues: readiness.reasons,
        request: facts.request,
        seed: facts.seed,
        threads: 1,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let artifact = Artifact::new(manifest, model.weights()?, &model.state())?;
    Ok(Trained {
        model,
        artifact,
        epochs_trained: 0,
        early_stopped: false,
    })
}
