//! Backtests: forecasts of past days as they would have been made, compared with simple baselines.

use super::Engine;
use super::history::{chart_unit, percent};
use super::train::cancelled;
use crate::error::EngineError;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use vitalcast_charts::{ForecastPoint, HistoryChart, SkillBar, SkillChart};
use vitalcast_domain::{History, UserId};
use vitalcast_store::Store;
use vitalcast_training::{ReplayAnswer, ReplayRequest, ReplayRow, replay_people};

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
        let users = if people.users.is_empty() {
            let all = self.wait(self.store.users())?;
            let all = all.into_iter().map(|user| user.user_id);
            all.filter(|user| !people.fit_users.contains(user))
                .collect()
        } else {
            people.users.clone()
        };
        let load = |users: &[UserId]| -> Result<Vec<History>, EngineError> {
            users.iter().map(|user| self.load(user)).collect()
        };
        let scored = load(&users)?;
        let fit_only = load(&people.fit_users)?;
        backtest(&scored, &fit_only, request, now, check)
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
    replay_people(&scored, &fit_only, request, now, check).map_err(cancelled)
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
