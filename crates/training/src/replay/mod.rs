//! Replays of many people: what each model would have said on every evening, and how good that was.
//!
//! The scored days of a person are the last of the observed ones. Models learn from the days before them,
//! and from the whole history of people who are there to learn from. Nothing of a scored day, and nothing
//! that became known after an origin, is used for its forecast.

mod choice;
mod kind;
mod record;
mod report;
mod series;

pub use choice::Choice;
pub use kind::ReplayModel;
pub use record::{FinishedPerson, NoRecord, ReplayRecord};
pub use report::{AgainstBaseline, ModelReport};

use crate::cohort::{CohortPerson, lay_out};
use crate::error::TrainingError;
use crate::kinds::Fitting;
use crate::network::EpochReport;
use crate::pooled_lstm::PooledLstm;
use crate::settings::Settings;
use chrono::NaiveDate;
use rayon::prelude::*;
use record::Finished;
use serde::Serialize;
use series::{networks, settings_of};
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range, RangeInclusive};
use vitalcast_domain::{
    AsOf, DEFAULT_SEED, History, MAX_HORIZON_DAYS, ModelArchitecture, PredictionMetric, UserId,
};
use vitalcast_evaluation::{Distribution, Replayed, ReplayedPerson, Scored, replay};
use vitalcast_inference::{NetworkCorrection, PooledRecipe, population, replay_of_many_people};
use vitalcast_pooled::{Corrected, Correction, LEVELS, Learner, PooledError, PooledModel};

/// The settings of a replay.
#[derive(Debug, Clone)]
pub struct ReplayRequest {
    /// The metric.
    pub metric: PredictionMetric,
    /// The models, in the order of the tables.
    pub models: Vec<ReplayModel>,
    /// Share of a person's observed days that are scored, the last ones: above 0, below 1.
    pub test_fraction: f64,
    /// Share of a person's observed days, the last ones, that no model reads and none is scored on: at
    /// least 0. With the scored share it is below 1.
    pub hold_out: f64,
    /// Observed days that a scored person has at least.
    pub min_days: usize,
    /// Days ahead, 1 to 7.
    pub horizon: RangeInclusive<usize>,
    /// Nominal coverages, each above 0 and below 1.
    pub levels: Vec<f64>,
    /// Settings of the models that are fitted; where nothing is said, the defaults of a training. The
    /// seed is that of the replay.
    pub settings: Settings,
    /// Random seed.
    pub seed: u64,
}

impl ReplayRequest {
    /// One day ahead, the last 40 % of the days, intervals of 80, 90 and 95 %.
    pub fn new(metric: PredictionMetric) -> Self {
        Self {
            metric,
            models: vec![ReplayModel::Auto],
            test_fraction: 0.4,
            hold_out: 0.0,
            min_days: 30,
            horizon: 1..=1,
            levels: vec![0.8, 0.9, 0.95],
            settings: Settings::default(),
            seed: DEFAULT_SEED,
        }
    }

    fn validate(&self) -> Result<(), TrainingError> {
        let refuse = |what: String| Err(TrainingError::Setting(what));
        if !(self.test_fraction > 0.0 && self.test_fraction < 1.0) {
            return refuse(format!(
                "the share of scored days must be above 0 and below 1, but is {}",
                self.test_fraction
            ));
        }
        if !(self.hold_out >= 0.0 && self.hold_out + self.test_fraction < 1.0) {
            return refuse(format!(
                "the share of days left out must be at least 0, and below 1 with the scored days, but is {}",
                self.hold_out
            ));
        }
        let (first, last) = (*self.horizon.start(), *self.horizon.end());
        if first < 1 || last > MAX_HORIZON_DAYS || first > last {
            return refuse(format!(
                "the horizon must be between 1 and {MAX_HORIZON_DAYS} days, but is {first} to {last}"
            ));
        }
        if let Some(level) = self
            .levels
            .iter()
            .find(|level| !(**level > 0.0 && **level < 1.0))
        {
            return refuse(format!(
                "a level must be above 0 % and below 100 %, but is {} %",
                level * 100.0
            ));
        }
        if self.models.is_empty() {
            return refuse("no model was named".to_owned());
        }
        Ok(())
    }
}

/// A scored forecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayRow {
    /// The person.
    pub user_id: UserId,
    /// The day that was forecast.
    pub target_date: NaiveDate,
    /// Days from the origin to it.
    pub horizon: usize,
    /// The model.
    pub model: &'static str,
    /// What was observed.
    pub observed: f64,
    /// The forecast.
    pub forecast: f64,
    /// Lower and upper bound at each level that was asked for; `None` where the errors support no such
    /// level.
    pub intervals: Vec<Option<(f64, f64)>>,
    /// The last day that was known.
    pub origin: NaiveDate,
}

/// The result of a replay.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReplayAnswer {
    /// The metric.
    pub metric: PredictionMetric,
    /// Unit of every value.
    pub unit: &'static str,
    /// Number of scored people.
    pub people: usize,
    /// Number of people the pooled models learned from; scored people count with their earlier days.
    pub fit_people: usize,
    /// Whether a score is one of the model of the release.
    pub uses_population: bool,
    /// Nominal coverages of the intervals.
    pub levels: Vec<f64>,
    /// The simple baseline that was best on the days before the scored ones.
    pub baseline: Option<&'static str>,
    /// How good each model was, by model and horizon.
    pub reports: Vec<ModelReport>,
    /// What was served of each person, where `auto` was asked for.
    pub choices: Vec<Choice>,
    /// Scored people that were left out, and why.
    pub left_out: BTreeMap<UserId, String>,
    /// Models that were asked for and have forecast no scored day, and why.
    pub unanswered: BTreeMap<&'static str, String>,
    /// The scored forecasts, by model, person, horizon and day.
    pub rows: Vec<ReplayRow>,
}

/// The people of a replay.
pub(super) struct Cohort<'a> {
    metric: PredictionMetric,
    as_of: AsOf,
    histories: &'a [&'a History],
    people: Vec<CohortPerson>,
    /// The scored targets of each person; empty for people to learn from.
    scored: Vec<Range<usize>>,
    /// Whether people to learn from were named.
    learns_from_others: bool,
}

impl Cohort<'_> {
    fn history_of(&self, user: &UserId) -> Option<&History> {
        self.histories
            .iter()
            .find(|history| history.user == *user)
            .copied()
    }

    /// The days of each person that models may learn from: those before the first origin of a scored
    /// day, or all.
    fn until(&self, longest: usize) -> Vec<usize> {
        self.people
            .iter()
            .zip(&self.scored)
            .map(|(person, scored)| {
                if scored.is_empty() {
                    person.days.person.days()
                } else {
                    (scored.start + 1).saturating_sub(longest)
                }
            })
            .collect()
    }

    fn replayed<'a>(&'a self, calibrated: &'a [Range<usize>]) -> Vec<ReplayedPerson<'a>> {
        self.people
            .iter()
            .zip(&self.scored)
            .zip(calibrated)
            .map(|((person, scored), calibrated)| ReplayedPerson {
                observed: &person.observed,
                calibrated: calibrated.clone(),
                scored: scored.clone(),
            })
            .collect()
    }

    /// The people with the days that models may learn from.
    fn learners(&self, longest: usize) -> Vec<Learner<'_>> {
        let people = self.people.iter().zip(self.until(longest));
        people
            .map(|(person, until)| Learner {
                person: &person.days.person,
                targets: 0..until,
            })
            .collect()
    }

    /// The forecasts of a model of many people, as it is for each person.
    fn of_pooled<'m>(
        &self,
        model: impl Fn(usize) -> Corrected<'m> + Sync,
        lead: usize,
    ) -> Vec<Scored> {
        let of_person = |(index, (person, scored)): (usize, (&CohortPerson, &Range<usize>))| {
            let mut found = Vec::new();
            if scored.is_empty() || scored.end < lead {
                return found;
            }
            let start = (scored.start + 1).saturating_sub(lead);
            replay_of_many_people(
                model(index),
                &person.days.person,
                start..=scored.end - lead,
                lead,
                |origin, forecast| {
                    let target = origin + lead - 1;
                    if let (Some(observed), Some(forecast)) = (person.observed[target], forecast) {
                        found.push(Scored {
                            person: index,
                            target,
                            lead,
                            observed,
                            distribution: forecast.distribution,
                        });
                    }
                },
            );
            found
        };
        let people: Vec<_> = self.people.iter().zip(&self.scored).enumerate().collect();
        people.into_par_iter().flat_map_iter(of_person).collect()
    }
}

/// Forecasts of all leads.
type Forecasts = Vec<Scored>;

/// Replays models over people. `fit_only` are people whose whole history models may learn from; of the
/// scored people, only the days before each one's first scored day.
///
/// `record` keeps the forecasts of finished people and gives back those of an earlier run of the same replay.
/// `check` is called between the parts of the work and can stop it.
///
/// # Errors
///
/// [`TrainingError::Setting`] for a setting outside its bounds, [`TrainingError::NothingScored`] when no
/// person has enough days, [`TrainingError::Cancelled`]; what the parts refuse.
pub fn replay_people(
    scored: &[&History],
    fit_only: &[&History],
    request: &ReplayRequest,
    as_of: AsOf,
    record: &mut dyn ReplayRecord,
    check: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<ReplayAnswer, TrainingError> {
    request.validate()?;
    // What is named twice counts once.
    let request = &ReplayRequest {
        models: once(&request.models),
        levels: once(&request.levels),
        ..request.clone()
    };
    let metric = request.metric;
    let is_scored = |user: &UserId| scored.iter().any(|history| history.user == *user);
    let fit_only: Vec<&History> = fit_only
        .iter()
        .filter(|history| !is_scored(&history.user))
        .copied()
        .collect();
    let histories: Vec<&History> = scored.iter().chain(&fit_only).copied().collect();
    let mut left_out: BTreeMap<UserId, String> = BTreeMap::new();
    let mut people = lay_out(&histories, metric, as_of)?;
    for history in scored {
        if people.iter().all(|person| person.user != history.user) {
            left_out.insert(history.user.clone(), format!("no reading of {metric}"));
        }
    }
    let mut ranges = Vec::new();
    people.retain(|person| {
        if !is_scored(&person.user) {
            ranges.push(0..0);
            return true;
        }
        let observed = person.observed_days();
        if observed.len() < request.min_days {
            let needed = request.min_days;
            let why = format!(
                "{} days with {metric}, expected at least {needed}",
                observed.len()
            );
            left_out.insert(person.user.clone(), why);
            // Its days may still teach others, as those of people who are not scored.
            ranges.push(0..0);
            return true;
        }
        let share = |share: f64| (observed.len() as f64 * share - 1e-9).ceil() as usize;
        let held_out = share(request.hold_out).min(observed.len() - 1);
        let left = observed.len() - held_out;
        let first = observed[left - share(request.test_fraction).clamp(1, left)];
        let end = observed.get(left).copied();
        ranges.push(first..end.unwrap_or(person.observed.len()));
        true
    });
    let cohort = Cohort {
        metric,
        as_of,
        histories: &histories,
        people,
        scored: ranges,
        learns_from_others: !fit_only.is_empty(),
    };
    let count = cohort
        .scored
        .iter()
        .filter(|scored| !scored.is_empty())
        .count();
    if count == 0 {
        return Err(TrainingError::NothingScored {
            metric,
            needed: request.min_days,
        });
    }
    let mut work = Work {
        request,
        cohort: &cohort,
        kept: BTreeMap::new(),
        pooled: Pooled::NotAskedFor,
        record,
    };
    let mut proceed = |what: &str| match check(what) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TrainingError::Cancelled),
    };
    let mut choices = Vec::new();
    for model in request.models.iter().copied().chain(simple()) {
        proceed(model.name())?;
        if model == ReplayModel::Auto {
            for rung in simple() {
                work.run(rung, &mut || check_of(&mut proceed, rung))?;
            }
            let (forecasts, chosen) = work.champions()?;
            choices = chosen;
            work.kept.insert(ReplayModel::Auto, forecasts);
        } else {
            work.run(model, &mut || check_of(&mut proceed, model))?;
        }
    }
    let baseline = work.best_simple()?;
    let (reports, rows) = work.reports(baseline)?;
    let has_rows = |model: &ReplayModel| rows.iter().any(|row| row.model == model.name());
    let unanswered = request.models.iter().filter(|model| !has_rows(model));
    let unanswered = unanswered.map(|model| (model.name(), work.why_not(*model)));
    let unanswered = unanswered.collect();
    let of_release = ReplayModel::Population;
    let uses_population = request.models.contains(&of_release)
        || choices
            .iter()
            .any(|choice: &Choice| choice.served.contains_key(of_release.name()));
    Ok(ReplayAnswer {
        metric,
        unit: metric.unit_label(),
        people: count,
        fit_people: work.pooled.model().map_or(0, PooledModel::people),
        uses_population,
        levels: request.levels.clone(),
        baseline: baseline.map(ReplayModel::name),
        reports,
        choices,
        left_out,
        unanswered,
        rows,
    })
}

/// Each value once, where it stands first.
fn once<T: PartialEq + Copy>(values: &[T]) -> Vec<T> {
    let mut found = Vec::with_capacity(values.len());
    for value in values {
        if !found.contains(value) {
            found.push(*value);
        }
    }
    found
}

fn check_of(
    proceed: &mut dyn FnMut(&str) -> Result<(), TrainingError>,
    model: ReplayModel,
) -> ControlFlow<()> {
    match proceed(model.name()) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    }
}

/// What everything is compared with.
fn simple() -> impl Iterator<Item = ReplayModel> {
    ReplayModel::SIMPLE.into_iter()
}

/// The model of many people, fitted once it is asked for.
enum Pooled {
    NotAskedFor,
    TooFewPeople(PooledError),
    Fitted(Box<PooledModel>),
}

impl Pooled {
    fn model(&self) -> Option<&PooledModel> {
        match self {
            Self::NotAskedFor | Self::TooFewPeople(_) => None,
            Self::Fitted(model) => Some(model),
        }
    }
}

/// The forecasts made so far.
struct Work<'a> {
    request: &'a ReplayRequest,
    cohort: &'a Cohort<'a>,
    kept: BTreeMap<ReplayModel, Forecasts>,
    /// The model of many people.
    pooled: Pooled,
    record: &'a mut dyn ReplayRecord,
}

impl Work<'_> {
    fn leads(&self) -> Vec<usize> {
        self.request.horizon.clone().collect()
    }

    /// Replays a model, once.
    fn run(
        &mut self,
        model: ReplayModel,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<(), TrainingError> {
        if !self.kept.contains_key(&model) {
            let forecasts = self.forecasts(model, check)?;
            self.kept.insert(model, forecasts);
        }
        Ok(())
    }

    fn forecasts(
        &mut self,
        model: ReplayModel,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Forecasts, TrainingError> {
        let cohort = self.cohort;
        let architecture = match model {
            ReplayModel::Auto => return Ok(Vec::new()),
            ReplayModel::Population => {
                let of_release = population(cohort.metric)?;
                let model = of_release.and_then(|model| model.model.as_pooled());
                return Ok(self.of_pooled(model));
            }
            ReplayModel::Mean30 => return self.of_series(model, check),
            ReplayModel::Of(architecture) => architecture,
        };
        let user = cohort.people[0].user.clone();
        match Fitting::of(&settings_of(architecture, user, self.request)?) {
            Fitting::OfManyPeople => {
                let longest = *self.request.horizon.end();
                self.pooled(longest)?;
                Ok(self.of_pooled(self.pooled.model()))
            }
            Fitting::LstmOfManyPeople => self.of_pooled_lstm(check),
            Fitting::Network(_) => {
                let leads = self.leads();
                let mut finished = Finished::kept(model, cohort, self.record);
                networks(
                    &mut finished,
                    architecture,
                    cohort,
                    &leads,
                    self.request,
                    self.record,
                    check,
                )?;
                self.calibrated(&finished, &finished.calibrated)
            }
            Fitting::Series { .. } | Fitting::Average { .. } => self.of_series(model, check),
        }
    }

    /// Why a model has forecast no scored day.
    fn why_not(&self, model: ReplayModel) -> String {
        match (model, &self.pooled) {
            (
                ReplayModel::Of(ModelArchitecture::Pooled | ModelArchitecture::PooledLstm),
                Pooled::TooFewPeople(error),
            ) => format!("{error}, before the scored days"),
            (ReplayModel::Population, _) => {
                "no model of this metric comes with the release".to_owned()
            }
            (ReplayModel::Auto | ReplayModel::Mean30 | ReplayModel::Of(_), _) => {
                "too few days lie before the scored ones".to_owned()
            }
        }
    }

    fn of_pooled(&self, model: Option<&PooledModel>) -> Forecasts {
        let leads = self.leads().into_iter();
        model.map_or_else(Vec::new, |model| {
            leads
                .flat_map(|lead| self.cohort.of_pooled(|_| model.into(), lead))
                .collect()
        })
    }

    /// Replays the LSTM of many people's windows, fine-tuned on each person's days before the scored ones.
    fn of_pooled_lstm(
        &mut self,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Forecasts, TrainingError> {
        let (cohort, leads, seed) = (self.cohort, self.leads(), self.request.seed);
        let longest = *self.request.horizon.end();
        let Some(model) = self.pooled(longest)? else {
            return Ok(Vec::new());
        };
        let learners = cohort.learners(longest);
        let mut on_epoch = |_: &EpochReport| check();
        let Some(lstm) = PooledLstm::fit(model, &learners, seed, &mut on_epoch)? else {
            return Ok(Vec::new());
        };
        let networks: Vec<Option<NetworkCorrection>> = learners
            .iter()
            .zip(&cohort.scored)
            .map(|(learner, scored)| {
                let is_scored = !scored.is_empty();
                is_scored.then(|| lstm.of_person(learner)).transpose()
            })
            .collect::<Result<_, _>>()?;
        let of_person = |index: usize| Corrected {
            model,
            correction: networks[index].as_ref().map(|of| of as &dyn Correction),
        };
        let forecasts = leads.into_iter();
        Ok(forecasts
            .flat_map(|lead| cohort.of_pooled(of_person, lead))
            .collect())
    }

    fn of_series(
        &mut self,
        model: ReplayModel,
        check: &mut dyn FnMut() -> ControlFlow<()>,
    ) -> Result<Forecasts, TrainingError> {
        let cohort = self.cohort;
        let leads = self.leads();
        let until = cohort.until(*self.request.horizon.end());
        let calibrated: Vec<Range<usize>> = until
            .iter()
            .zip(&cohort.scored)
            .map(|(until, scored)| if scored.is_empty() { 0..0 } else { 1..*until })
            .collect();
        let mut finished = Finished::kept(model, cohort, self.record);
        if !finished.missing().is_empty()
            && let Some(models) = series::series(model, cohort, &until, self.request)?
        {
            finished.complete(&models, &calibrated, &leads, self.record, check)?;
        }
        self.calibrated(&finished, &calibrated)
    }

    /// Replays a model that gives one value a day, with intervals calibrated on some targets.
    fn calibrated(
        &self,
        model: &dyn Replayed,
        calibrated: &[Range<usize>],
    ) -> Result<Forecasts, TrainingError> {
        let mut levels: Vec<f64> = LEVELS.iter().chain(&self.request.levels).copied().collect();
        levels.sort_by(f64::total_cmp);
        levels.dedup();
        let people = self.cohort.replayed(calibrated);
        let mut found = Vec::new();
        for lead in self.leads() {
            found.extend(replay(model, &people, lead, &levels)?);
        }
        Ok(found)
    }

    /// The model of many people, fitted to the days that it may learn from.
    fn pooled(&mut self, longest: usize) -> Result<Option<&PooledModel>, TrainingError> {
        if matches!(self.pooled, Pooled::NotAskedFor) {
            let recipe = PooledRecipe::of(self.cohort.metric);
            let learners = self.cohort.learners(longest);
            // As the one that is served: what a gap does to errors, all leads tell.
            let fitted = PooledModel::fit(&recipe.design(), &learners, recipe.is_one_for_all());
            self.pooled = match fitted {
                Ok(model) => Pooled::Fitted(Box::new(model)),
                Err(error @ PooledError::TooFewPeople { .. }) => Pooled::TooFewPeople(error),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self.pooled.model())
    }

    fn rows(&self, model: ReplayModel) -> Vec<ReplayRow> {
        let levels = &self.request.levels;
        let interval = |distribution: &Distribution, level: f64| {
            distribution
                .interval(level)
                .map(|bounds| (bounds.lower, bounds.upper))
        };
        self.kept[&model]
            .iter()
            .map(|scored| {
                let person = &self.cohort.people[scored.person];
                ReplayRow {
                    user_id: person.user.clone(),
                    target_date: person.days.date(scored.target),
                    horizon: scored.lead,
                    model: model.name(),
                    observed: scored.observed,
                    forecast: scored.distribution.value(),
                    intervals: levels
                        .iter()
                        .map(|level| interval(&scored.distribution, *level))
                        .collect(),
                    origin: person.days.date(scored.target) - chrono::Days::new(scored.lead as u64),
                }
            })
            .collect()
    }
}
