//! What a search found, and whether it helps.

use super::matter::{Matter, matter};
use super::{FOLDS, SearchRun, Trial, TuningRequest};
use crate::error::TrainingError;
use crate::settings::Settings;
use serde::Serialize;
use vitalcast_evaluation::{Comparison, PairedDay, SIGNIFICANT, diebold_mariano};

/// The best settings against the defaults, on days that no trial has seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnUnseenDays {
    /// The comparison; `a` has the best settings, `b` the defaults.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// p value that the best settings err no less: over people, or over the days of a single person.
    /// `None` for two to five people, and for errors that are all the same.
    pub p: Option<f64>,
    /// Whether the best settings err less, with p below 0.05.
    pub helps: bool,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TuningAnswer {
    /// What was asked.
    pub request: TuningRequest,
    /// Unit of every error.
    pub unit: &'static str,
    /// Settings that were tried, the defaults not counted.
    pub tried: usize,
    /// Replays of a trial on a fold.
    pub replays: usize,
    /// The trials, best first: those on all folds before those on fewer.
    pub trials: Vec<Trial>,
    /// The best settings.
    pub best: Settings,
    /// Whether these are the defaults.
    pub best_is_default: bool,
    /// How much each setting mattered, most first.
    pub mattered: Vec<Matter>,
    /// The best settings against the defaults.
    pub on_unseen_days: OnUnseenDays,
    /// The same in words.
    pub summary: String,
}

impl SearchRun<'_> {
    pub(super) fn answer(&mut self) -> Result<TuningAnswer, TrainingError> {
        let best = self.best();
        let set_aside = self.request.test_fraction;
        let default = self.trials[0].settings.clone();
        let chosen = self.trials[best].settings.clone();
        let of_default = self.errors(&default, set_aside, 0.0)?;
        let of_chosen = if chosen == default {
            of_default.clone()
        } else {
            self.errors(&chosen, set_aside, 0.0)?
        };
        let mut users: Vec<_> = of_default.keys().map(|(user, _)| user).collect();
        users.dedup();
        let days: Vec<PairedDay> = of_default
            .iter()
            .filter_map(|(day, b)| {
                Some(PairedDay {
                    person: users.binary_search(&&day.0).ok()?,
                    a: *of_chosen.get(day)?,
                    b: *b,
                })
            })
            .collect();
        let on_unseen_days = compared(&days, self.request.seed)?;
        let mut trials: Vec<Trial> = self
            .trials
            .iter()
            .enumerate()
            .filter_map(|(number, trial)| {
                let folds = trial.evaluations.len();
                Some(Trial {
                    number,
                    settings: trial.settings.clone(),
                    folds,
                    mae: trial.mae(folds)?,
                })
            })
            .collect();
        trials.sort_by(|left, right| {
            right
                .folds
                .cmp(&left.folds)
                .then(left.mae.total_cmp(&right.mae))
        });
        let unit = self.request.metric.unit_label();
        Ok(TuningAnswer {
            request: self.request.clone(),
            unit,
            tried: self.trials.len() - 1,
            replays: self.trials.iter().map(|of| of.evaluations.len()).sum(),
            trials,
            best_is_default: chosen == default,
            best: chosen,
            mattered: matter(self.settings, &self.tried(), self.request.seed)?,
            summary: summary(&on_unseen_days, best == 0, unit),
            on_unseen_days,
        })
    }
}

fn compared(days: &[PairedDay], seed: u64) -> Result<OnUnseenDays, TrainingError> {
    let comparison = Comparison::of(days, seed)?;
    let p = if comparison.people == 1 {
        let of = |error: fn(&PairedDay) -> f64| days.iter().map(error).collect::<Vec<f64>>();
        diebold_mariano(&of(|day| day.a), &of(|day| day.b), 1)?.map(|test| test.p)
    } else {
        comparison.p_better
    };
    Ok(OnUnseenDays {
        helps: comparison.difference < 0.0 && p.is_some_and(|p| p < SIGNIFICANT),
        p,
        comparison,
    })
}

/// Whether the search helps, in words.
fn summary(found: &OnUnseenDays, is_default: bool, unit: &str) -> String {
    let Comparison {
        count,
        people,
        mae_a,
        mae_b,
        difference,
        difference_interval,
        ..
    } = &found.comparison;
    let who = if *people == 1 {
        "one person".to_owned()
    } else {
        format!("{people} people")
    };
    if is_default {
        return format!(
            "No settings were better than the defaults on all {FOLDS} folds: keep the defaults. On the \
             {count} unseen days of {who} they err by {mae_b:.3} {unit}."
        );
    }
    let interval = difference_interval.map_or_else(String::new, |bounds| {
        format!(
            " (95 % interval {:+.3} to {:+.3})",
            bounds.lower, bounds.upper
        )
    });
    let verdict = if found.helps {
        "The search found better settings"
    } else {
        "The search did not beat the defaults: keep them"
    };
    format!(
        "{verdict}. On the {count} unseen days of {who}, the settings found err by {mae_a:.3} {unit} and the \
         defaults by {mae_b:.3} {unit}: a difference of {difference:+.3} {unit}{interval}."
    )
}
