//! Backtests: forecasts of past days as they would have been made, compared with simple baselines.
//!
//! One that takes long can keep the people that are finished in a file, and goes on from there. The first
//! line of the file says what the backtest reads: its settings and the state of each person's data.

use super::Engine;
use super::history::{chart_unit, percent};
use super::recorded::Recorded;
use super::train::cancelled;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast_artifact::content_hash;
use vitalcast_charts::{ForecastPoint, HistoryChart, SkillBar, SkillChart};
use vitalcast_domain::{History, UserId};
use vitalcast_store::Store;
use vitalcast_training::{
    FinishedPerson, NoRecord, ReplayAnswer, ReplayModel, ReplayRecord, ReplayRequest, ReplayRow,
    TrainingError, replay_people,
};

/// The people of a backtest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BacktestPeople {
    /// People whose last days are scored; all people of the data folder when there are none.
    pub users: Vec<UserId>,
    /// People whose whole history pooled models may learn from.
    pub fit_users: Vec<UserId>,
}

impl Engine {
    /// Replays the last days of people: each model learns from the days before them, and forecasts each day
    /// with what was known on the evening before.
    ///
    /// Nothing is stored: no model is registered and no forecast is saved. `check` is called between parts
    /// of the work, with the name of the next one, and can stop it.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::Training`] if nobody has enough data, and for a setting
    /// outside its bounds; [`EngineError::Interrupted`].
    pub fn backtest(
        &self,
        people: &BacktestPeople,
        request: &ReplayRequest,
        now: DateTime<Utc>,
        check: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ReplayAnswer, EngineError> {
        let cohort = self.cohort(people, request, now)?;
        replay(&cohort, request, now, &mut NoRecord, check).map_err(cancelled)
    }

    /// [`Engine::backtest`], which appends the forecasts of each finished person to a file and goes on from
    /// those in it. The answer is the same as without the file. A file of another backtest, or of other
    /// data, is begun anew. It holds people's ids and forecasts; the caller deletes it in the end.
    ///
    /// # Errors
    ///
    /// Those of [`Engine::backtest`]; [`EngineError::Io`] for a file that cannot be read or written.
    pub fn backtest_with_file(
        &self,
        people: &BacktestPeople,
        request: &ReplayRequest,
        file: &Path,
        now: DateTime<Utc>,
        check: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ReplayAnswer, EngineError> {
        let cohort = self.cohort(people, request, now)?;
        let mut unfinished = Unfinished::open(file, &cohort.reads)?;
        let answer = replay(&cohort, request, now, &mut unfinished, check);
        match unfinished.fault {
            Some(fault) => Err(fault),
            None => answer.map_err(cancelled),
        }
    }

    /// The histories of a backtest.
    fn cohort(
        &self,
        people: &BacktestPeople,
        request: &ReplayRequest,
        now: DateTime<Utc>,
    ) -> Result<Cohort, EngineError> {
        let users = if people.users.is_empty() {
            let all = self.wait(self.store.users())?;
            let all = all.into_iter().map(|user| user.user_id);
            all.filter(|user| !people.fit_users.contains(user))
                .collect()
        } else {
            people.users.clone()
        };
        // Forecasts depend neither on the other models nor on the levels.
        let settings = ReplayRequest {
            models: Vec::new(),
            levels: Vec::new(),
            ..request.clone()
        };
        let mut reads = format!("{settings:?} {}", env!("CARGO_PKG_VERSION"));
        let mut load = |users: &[UserId], what: &str| -> Result<Vec<History>, EngineError> {
            users
                .iter()
                .map(|user| {
                    // Before the records: what is written meanwhile makes another backtest.
                    let generation = self.generation(user)?.ok_or_else(|| self.unknown(user))?;
                    let history = self.load(user)?;
                    reads.push_str(&format!(
                        "\n{what} {user} {} {} {}",
                        generation.incarnation,
                        generation.data,
                        history.profile.day_of(now)
                    ));
                    Ok(history)
                })
                .collect()
        };
        let scored = load(&users, "scored")?;
        let fit_only = load(&people.fit_users, "fit")?;
        Ok(Cohort {
            scored,
            fit_only,
            reads: content_hash(reads.as_bytes()),
        })
    }
}

/// The histories of a backtest, and a hash of all that it reads.
struct Cohort {
    scored: Vec<History>,
    fit_only: Vec<History>,
    reads: String,
}

fn replay(
    cohort: &Cohort,
    request: &ReplayRequest,
    now: DateTime<Utc>,
    record: &mut dyn ReplayRecord,
    check: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<ReplayAnswer, TrainingError> {
    let scored: Vec<&History> = cohort.scored.iter().collect();
    let fit_only: Vec<&History> = cohort.fit_only.iter().collect();
    replay_people(&scored, &fit_only, request, now, record, check)
}

/// The people of a backtest that are finished.
struct Unfinished {
    file: Recorded,
    /// The first line, while it is not written.
    first: Option<String>,
    finished: HashMap<(String, UserId), FinishedPerson>,
    fault: Option<EngineError>,
}

impl Unfinished {
    /// Opens the file of the backtest that reads this.
    fn open(path: &Path, reads: &str) -> Result<Self, EngineError> {
        let (mut file, lines) = Recorded::open(path, "record a backtest in")?;
        let mut lines = lines.iter();
        let first: Option<String> = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok());
        let goes_on = first.as_deref() == Some(reads);
        let mut finished = HashMap::new();
        if goes_on {
            for line in lines {
                // A line that was cut off is computed again.
                if let Ok(person) = serde_json::from_str::<FinishedPerson>(line) {
                    finished.insert((person.model.clone(), person.user_id.clone()), person);
                }
            }
        } else {
            file.clear()?;
        }
        Ok(Self {
            file,
            first: (!goes_on).then(|| reads.to_owned()),
            finished,
            fault: None,
        })
    }
}

impl ReplayRecord for Unfinished {
    fn finished(&self, model: ReplayModel, user: &UserId) -> Option<FinishedPerson> {
        let key = (model.name().to_owned(), user.clone());
        self.finished.get(&key).cloned()
    }

    fn keep(&mut self, person: FinishedPerson) -> ControlFlow<()> {
        let first = self.first.take();
        let kept = first.map_or(Ok(()), |first| self.file.append(&first));
        match kept.and_then(|()| self.file.append(&person)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(fault) => {
                self.fault = Some(fault);
                ControlFlow::Break(())
            }
        }
    }
}

/// [`Engine::backtest`] with histories in memory.
///
/// # Errors
///
/// [`EngineError::Training`], [`EngineError::Interrupted`].
pub fn backtest(
    scored: &[History],
    fit_only: &[History],
    request: &ReplayRequest,
    now: DateTime<Utc>,
    check: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> Result<ReplayAnswer, EngineError> {
    let scored: Vec<&History> = scored.iter().collect();
    let fit_only: Vec<&History> = fit_only.iter().collect();
    replay_people(&scored, &fit_only, request, now, &mut NoRecord, check).map_err(cancelled)
}

/// A chart of the replayed days of one person and model, one horizon: forecasts with the interval of the
/// highest level, and the measured values. `None` without such days.
pub fn replay_chart(
    answer: &ReplayAnswer,
    user: &UserId,
    model: &str,
    horizon: usize,
) -> Option<HistoryChart> {
    let rows: Vec<&ReplayRow> = answer
        .rows
        .iter()
        .filter(|row| row.user_id == *user && row.model == model && row.horizon == horizon)
        .collect();
    rows.first()?;
    let widest = answer
        .levels
        .iter()
        .enumerate()
        .max_by(|left, right| left.1.total_cmp(right.1));
    let place = widest.map(|(place, _)| place);
    Some(HistoryChart {
        title: format!("{}, replayed", answer.metric.title()),
        subtitle: format!("person {user}, {model}"),
        unit: chart_unit(answer.metric),
        history: rows
            .iter()
            .map(|row| (row.target_date, Some(row.observed)))
            .collect(),
        average: None,
        interval_percent: widest.map(|(_, level)| percent(*level)),
        forecasts: rows
            .iter()
            .map(|row| {
                let interval = place.and_then(|place| row.intervals[place]);
                let (lower, upper) = interval.unwrap_or((row.forecast, row.forecast));
                ForecastPoint {
                    date: row.target_date,
                    value: row.forecast,
                    lower,
                    upper,
                    actual: Some(row.observed),
                }
            })
            .collect(),
    })
}

/// A chart of the mean absolute error of each model one day ahead, or at the shortest horizon there is.
pub fn replay_skill_chart(answer: &ReplayAnswer) -> Option<SkillChart> {
    let horizon = answer.reports.iter().map(|report| report.horizon).min()?;
    let mut of_horizon = answer
        .reports
        .iter()
        .filter(|report| report.horizon == horizon);
    let bar = |name: &str, mae: f64| SkillBar {
        label: name.replace('_', " "),
        mean_absolute_error: Some(mae),
    };
    let first = of_horizon.next()?;
    Some(SkillChart {
        title: format!("{}: error of each model", answer.metric.title()),
        subtitle: format!(
            "mean absolute error over {} days of {} people",
            first.scores.count, first.scores.people
        ),
        unit: chart_unit(answer.metric).with_decimals(2),
        model: bar(first.model, first.scores.mae),
        baselines: of_horizon
            .map(|report| bar(report.model, report.scores.mae))
            .collect(),
    })
}
