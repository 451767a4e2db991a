//! A search for settings of a training, on days that no report uses.
//!
//! Each person's last observed days are set aside. The days before them make up folds: a fold is a replay
//! that scores some days with models that were fitted to the days before those. Trials are taken in brackets
//! of nine (successive halving, Jamieson and Talwalkar 2016): all of a bracket are replayed on the newest
//! fold, the best three on two folds, the best one on all three. Settings are proposed by densities of what
//! was tried, or at random.
//!
//! At the end, the best settings and the defaults are fitted to all days before those set aside, and compared
//! on them: days that no trial has seen.
//!
//! A search is a function of its request and the data. It can be stopped between two replays, and goes on
//! from the replays that are recorded.

mod matter;
mod propose;
mod report;

pub use matter::Matter;
pub use report::{OnUnseenDays, TuningAnswer};

use crate::error::TrainingError;
use crate::replay::{NoRecord, ReplayModel, ReplayRequest, replay_people};
use crate::settings::{Setting, Settings};
use propose::Tried;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vitalcast_domain::{
    AsOf, DEFAULT_SEED, History, ModelArchitecture, PredictionMetric, TrainModelRequest, UserId,
};
use vitalcast_evaluation::mean;

/// Folds, and the share of a person's observed days that each scores.
const FOLDS: usize = 3;
const FOLD_SHARE: f64 = 0.1;
/// Trials of a bracket, and how many of them are replayed on two folds and on all.
const BRACKET: [usize; FOLDS] = [9, 3, 1];
/// Most trials of a search.
const MOST_TRIALS: usize = 10_000;
/// Mixed into the seed of what is proposed, so that it is not that of a training.
const PROPOSALS: u64 = 0x7475_6e65;

/// How settings are proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// By tree-structured Parzen estimators.
    Tpe,
    /// At random.
    Random,
}

/// A search for settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TuningRequest {
    /// The metric.
    pub metric: PredictionMetric,
    /// The architecture whose settings are searched.
    pub architecture: ModelArchitecture,
    /// Settings that are tried, at least 1, the defaults not counted.
    pub trials: usize,
    /// How they are proposed.
    pub search: Search,
    /// Share of each person's observed days that are set aside for the comparison, above 0 to 0.5.
    pub test_fraction: f64,
    /// Observed days that a person has at least.
    pub min_days: usize,
    /// Random seed.
    pub seed: u64,
}

impl TuningRequest {
    /// Fifty trials; the last 30 % of the days are set aside.
    pub fn new(metric: PredictionMetric, architecture: ModelArchitecture) -> Self {
        Self {
            metric,
            architecture,
            trials: 50,
            search: Search::Tpe,
            test_fraction: 0.3,
            min_days: 60,
            seed: DEFAULT_SEED,
        }
    }

    /// Checks the request.
    ///
    /// # Errors
    ///
    /// [`TrainingError::Setting`] for a value outside its bounds, and for an architecture without settings.
    pub fn validate(&self) -> Result<(), TrainingError> {
        self.settings().map(drop)
    }

    fn settings(&self) -> Result<&'static [Setting], TrainingError> {
        let refuse = |what: String| Err(TrainingError::Setting(what));
        if !(1..=MOST_TRIALS).contains(&self.trials) {
            return refuse(format!(
                "the number of trials must be between 1 and {MOST_TRIALS}, but is {}",
                self.trials
            ));
        }
        if !(self.test_fraction > 0.0 && self.test_fraction <= 0.5) {
            return refuse(format!(
                "the share of days set aside must be above 0 and at most 0.5, but is {}",
                self.test_fraction
            ));
        }
        let settings = Setting::of(self.architecture);
        if settings.is_empty() {
            let with: Vec<&str> = ModelArchitecture::ALL
                .iter()
                .filter(|architecture| !Setting::of(**architecture).is_empty())
                .map(|architecture| architecture.as_str())
                .collect();
            return refuse(format!(
                "{} has no settings to search: expected one of {}",
                self.architecture,
                with.join(", ")
            ));
        }
        Ok(settings)
    }
}

/// What a replay of a trial gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Number of the trial; 0 for the defaults.
    pub trial: usize,
    /// The settings.
    pub settings: Settings,
    /// The fold, 0 for the newest.
    pub fold: usize,
    /// Scored days.
    pub days: usize,
    /// Mean absolute error on them, in the metric's unit.
    pub mae: f64,
}

/// Settings that were tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trial {
    /// Its number; 0 for the defaults.
    pub number: usize,
    /// The settings.
    pub settings: Settings,
    /// Number of folds it was replayed on; 3 for those that were never given up.
    pub folds: usize,
    /// Mean absolute error over the days of these folds, in the metric's unit.
    pub mae: f64,
}

/// What the caller wants after a part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proceed {
    /// Go on.
    Continue,
    /// Try nothing more, and compare what was found: the time is used up.
    Finish,
    /// Stop, without an answer.
    Stop,
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq)]
pub struct TuningProgress<'a> {
    /// Trials that have begun.
    pub trials: usize,
    /// Trials that were asked for.
    pub of: usize,
    /// Smallest error of a trial on all folds so far, and that of the defaults.
    pub best: Option<(f64, f64)>,
    /// A replay that has just been computed; `None` between replays.
    pub new: Option<&'a Evaluation>,
}

/// Searches. `recorded` are replays of an earlier run of the same search on the same data; each is used in
/// place of computing it again. `on_progress` hears of every new replay, and is asked between the parts of
/// the work whether to go on.
///
/// # Errors
///
/// [`TrainingError::Setting`] for a request outside its bounds or an architecture without settings,
/// [`TrainingError::NothingScored`] when no person has enough days, [`TrainingError::Cancelled`].
pub fn tune(
    people: &[&History],
    request: &TuningRequest,
    as_of: AsOf,
    recorded: &[Evaluation],
    on_progress: &mut dyn FnMut(&TuningProgress<'_>) -> Proceed,
) -> Result<TuningAnswer, TrainingError> {
    let settings = request.settings()?;
    let recorded = recorded
        .iter()
        .map(|evaluation| ((evaluation.trial, evaluation.fold), evaluation.clone()))
        .collect();
    let mut search = SearchRun {
        people,
        request,
        settings,
        as_of,
        recorded,
        trials: Vec::new(),
        state: Proceed::Continue,
        on_progress,
    };
    search.run()?;
    search.answer()
}

/// A trial while the search runs.
struct Running {
    settings: Settings,
    /// Of the folds so far.
    evaluations: Vec<Evaluation>,
}

impl Running {
    /// The error over the first folds, each day with the same weight; `None` before they are replayed.
    fn mae(&self, folds: usize) -> Option<f64> {
        let of = self.evaluations.get(..folds).filter(|of| !of.is_empty())?;
        let days: usize = of.iter().map(|of| of.days).sum();
        let sum: f64 = of.iter().map(|of| of.mae * of.days as f64).sum();
        (days > 0).then(|| sum / days as f64)
    }
}

struct SearchRun<'a> {
    people: &'a [&'a History],
    request: &'a TuningRequest,
    settings: &'static [Setting],
    as_of: AsOf,
    recorded: BTreeMap<(usize, usize), Evaluation>,
    /// The first one has the defaults.
    trials: Vec<Running>,
    state: Proceed,
    on_progress: &'a mut dyn FnMut(&TuningProgress<'_>) -> Proceed,
}

impl SearchRun<'_> {
    fn run(&mut self) -> Result<(), TrainingError> {
        let default = Settings::defaults(&self.default_request());
        self.trials.push(Running {
            settings: default,
            evaluations: Vec::new(),
        });
        for _ in 0..FOLDS {
            self.evaluate(0)?;
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.request.seed ^ PROPOSALS);
        while self.trials.len() <= self.request.trials && self.state == Proceed::Continue {
            let first = self.trials.len();
            let count = BRACKET[0].min(self.request.trials + 1 - first);
            for _ in 0..count {
                let point = match self.request.search {
                    Search::Tpe => propose::next(self.settings.len(), &self.tried(), &mut random),
                    Search::Random => propose::anywhere(self.settings.len(), &mut random),
                };
                let values = self.settings.iter().zip(point);
                self.trials.push(Running {
                    settings: Settings(
                        values
                            .map(|(setting, place)| (*setting, setting.range().value(place)))
                            .collect(),
                    ),
                    evaluations: Vec::new(),
                });
                self.evaluate(self.trials.len() - 1)?;
                if self.state != Proceed::Continue {
                    break;
                }
            }
            let mut left: Vec<usize> = (first..self.trials.len()).collect();
            for folds in 1..FOLDS {
                // Of a bracket that is not full, the same share.
                let kept = (left.len() * BRACKET[folds]).div_ceil(BRACKET[folds - 1]);
                left.sort_by(|left, right| {
                    let mae = |trial: usize| self.trials[trial].mae(folds).unwrap_or(f64::MAX);
                    mae(*left).total_cmp(&mae(*right)).then(left.cmp(right))
                });
                left.truncate(kept);
                for &trial in &left {
                    if self.state == Proceed::Continue {
                        self.evaluate(trial)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn default_request(&self) -> TrainModelRequest {
        let user = self.people.first().map(|history| history.user.clone());
        let nobody = || UserId::new("nobody").expect("it is an id");
        TrainModelRequest {
            architecture: self.request.architecture,
            seed: self.request.seed,
            ..TrainModelRequest::new(user.unwrap_or_else(nobody), self.request.metric)
        }
    }

    /// The points tried so far, with their errors on the newest fold: the only one that all have.
    fn tried(&self) -> Vec<Tried> {
        let of = |trial: &Running| {
            Some(Tried {
                point: self.point(&trial.settings),
                error: trial.mae(1)?,
            })
        };
        self.trials.iter().filter_map(of).collect()
    }

    fn point(&self, settings: &Settings) -> Vec<f64> {
        let place = |setting: &Setting| {
            let value = settings.0.get(setting).copied();
            value.map_or(0.5, |value| setting.range().place(value))
        };
        self.settings.iter().map(place).collect()
    }

    /// Replays a trial on its next fold.
    fn evaluate(&mut self, trial: usize) -> Result<(), TrainingError> {
        let fold = self.trials[trial].evaluations.len();
        let settings = self.trials[trial].settings.clone();
        let known = self.recorded.remove(&(trial, fold));
        let known = known.filter(|known| known.settings == settings);
        let is_new = known.is_none();
        let evaluation = match known {
            Some(known) => known,
            None => {
                // From the newest to the oldest.
                let hold_out = self.request.test_fraction + fold as f64 * FOLD_SHARE;
                let errors = self.errors(&settings, FOLD_SHARE, hold_out)?;
                Evaluation {
                    trial,
                    settings,
                    fold,
                    days: errors.len(),
                    mae: mean(errors.values().map(|error| error.abs())).unwrap_or(f64::MAX),
                }
            }
        };
        self.trials[trial].evaluations.push(evaluation);
        let best = self.best();
        let [default, best] =
            [0, best].map(|trial| self.trials.get(trial).and_then(|trial| trial.mae(FOLDS)));
        let evaluations = &self.trials[trial].evaluations;
        let state = (self.on_progress)(&TuningProgress {
            trials: self.trials.len() - 1,
            of: self.request.trials,
            best: best.zip(default),
            new: evaluations.last().filter(|_| is_new),
        });
        self.note(state)
    }

    fn note(&mut self, state: Proceed) -> Result<(), TrainingError> {
        match state {
            Proceed::Continue => Ok(()),
            Proceed::Finish => {
                self.state = Proceed::Finish;
                Ok(())
            }
            Proceed::Stop => Err(TrainingError::Cancelled),
        }
    }

    /// The trial with the smallest error on all folds.
    fn best(&self) -> usize {
        let error = |trial: &usize| self.trials[*trial].mae(FOLDS).unwrap_or(f64::MAX);
        (0..self.trials.len())
            .min_by(|left, right| error(left).total_cmp(&error(right)))
            .unwrap_or(0)
    }

    /// The error of each scored day, by person and day. Where the model gives no forecast, that of the last
    /// reading takes its place, so that a model gains nothing by staying silent on hard days.
    fn errors(
        &mut self,
        settings: &Settings,
        scored: f64,
        hold_out: f64,
    ) -> Result<BTreeMap<(UserId, chrono::NaiveDate), f64>, TrainingError> {
        let model = ReplayModel::Of(self.request.architecture);
        let instead = ReplayModel::Of(ModelArchitecture::Naive);
        let request = ReplayRequest {
            models: vec![instead, model],
            test_fraction: scored,
            hold_out,
            min_days: self.request.min_days,
            settings: settings.clone(),
            seed: self.request.seed,
            ..ReplayRequest::new(self.request.metric)
        };
        let progress = TuningProgress {
            trials: self.trials.len() - 1,
            of: self.request.trials,
            best: None,
            new: None,
        };
        let mut state = Proceed::Continue;
        let on_progress = &mut self.on_progress;
        let mut check = |_: &str| match on_progress(&progress) {
            Proceed::Stop => ControlFlow::Break(()),
            // What has begun is ended, so that a trial is replayed on whole folds.
            Proceed::Finish => {
                state = Proceed::Finish;
                ControlFlow::Continue(())
            }
            Proceed::Continue => ControlFlow::Continue(()),
        };
        let answer = replay_people(
            self.people,
            &[],
            &request,
            self.as_of,
            &mut NoRecord,
            &mut check,
        )?;
        self.note(state)?;
        let mut errors = BTreeMap::new();
        // The model comes after what stands in for it.
        for row in answer.rows {
            errors.insert((row.user_id, row.target_date), row.observed - row.forecast);
        }
        Ok(errors)
    }
}
