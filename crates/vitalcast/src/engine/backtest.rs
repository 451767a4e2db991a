//! Replaying past days: the model against simple baselines, with what was known at the time.

use super::Engine;
use super::history::{chart_unit, percent};
use super::train::cancelled;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vitalcast_charts::{ForecastPoint, HistoryChart, SkillBar, SkillChart};
use vitalcast_domain::{
    History, IntervalMethod, ModelArchitecture, PredictionMetric, Record, TrainModelRequest, UserId,
};
use vitalcast_evaluation::{Accuracy, coverage, mean, mean_width, skill};
use vitalcast_features::daily_values;
use vitalcast_inference::{DayLayout, interval, lead_of};
use vitalcast_models::{ComputeDevice, SeriesForecaster, SeriesModel};
use vitalcast_training::{EpochReport, Trained, TrainingError, train};

/// What to replay.
#[derive(Debug, Clone)]
pub struct BacktestRequest {
    /// How each model is trained.
    pub training: TrainModelRequest,
    /// Last days of the history that are forecast.
    pub days: usize,
    /// Train again after this many days; 0 trains once, on what was known before the first.
    pub refit_every: usize,
    /// Nominal coverage of the interval; it holds less where a model's residuals support no more.
    pub interval_level: f64,
}

/// One replayed day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestDay {
    /// The day.
    pub date: NaiveDate,
    /// What the model said the evening before.
    pub forecast: f64,
    /// Lower end of its interval; `None` when the model has no residuals to take one from.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Nominal coverage that it holds.
    pub level: Option<f64>,
    /// The measured value.
    pub actual: f64,
    /// What "same as the last reading" said.
    pub naive: Option<f64>,
    /// What the best simple baseline said.
    pub baseline: Option<f64>,
}

/// How a replay went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestAnswer {
    /// Whose days.
    pub user_id: UserId,
    /// Which metric.
    pub metric: PredictionMetric,
    /// Which model.
    pub architecture: ModelArchitecture,
    /// First and last day replayed.
    pub first_day: NaiveDate,
    /// Last day replayed.
    pub last_day: NaiveDate,
    /// Days that were forecast and have a reading.
    pub days: usize,
    /// How often a model was trained.
    pub fits: usize,
    /// Mean absolute error.
    pub mae: Option<f64>,
    /// Root mean squared error.
    pub rmse: Option<f64>,
    /// Mean absolute percentage error, per cent.
    pub mape: Option<f64>,
    /// Mean absolute error of "same as the last reading".
    pub naive_mae: Option<f64>,
    /// The simple baseline that was best before the first replayed day.
    pub baseline_name: Option<String>,
    /// Its mean absolute error on the replayed days.
    pub baseline_mae: Option<f64>,
    /// 1 − MAE / MAE of that baseline, both on the days it had a forecast for.
    pub skill_vs_naive: Option<f64>,
    /// Mean absolute error of every simple baseline on the days it had a forecast for, by name.
    pub baseline_errors: BTreeMap<String, f64>,
    /// 1 − MAE / MAE of every simple baseline, both on the days it had a forecast for, by name.
    pub skill_vs: BTreeMap<String, f64>,
    /// Nominal coverage that was asked for.
    pub interval_level: f64,
    /// Mean nominal coverage of the intervals, which is what `coverage` has to be compared with: lower
    /// than what was asked for where a model's residuals support no more.
    pub nominal_coverage: Option<f64>,
    /// Share of days with an interval whose truth fell inside.
    pub coverage: Option<f64>,
    /// Mean width of the interval.
    pub mean_width: Option<f64>,
    /// Seed of everything random.
    pub seed: u64,
    /// Day by day.
    pub rows: Vec<BacktestDay>,
}

impl Engine {
    /// Replays the last days of a person's history: trains on what was known before the first of
    /// them, then forecasts each with what was known the evening before.
    ///
    /// Nothing is kept: no model is registered, no forecast stored.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::Training`] when too little is left to train on;
    /// [`EngineError::Interrupted`].
    pub fn backtest(
        &self,
        request: &BacktestRequest,
        now: DateTime<Utc>,
        on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
    ) -> Result<BacktestAnswer, EngineError> {
        let history = self.load(&request.training.user_id)?;
        backtest_history(&history, request, now, on_epoch)
    }
}

/// See [`Engine::backtest`]; from a history in memory.
pub(crate) fn backtest_history(
    history: &History,
    request: &BacktestRequest,
    now: DateTime<Utc>,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<BacktestAnswer, EngineError> {
    let metric = request.training.metric;
    let zone = history.profile.zone;
    let lookback = request.training.sequence_length;
    let (last_day, first_day) = replayed_span(history, request, now)?;
    let laid_out_from = first_day - Days::new((request.training.lookback_days + lookback) as u64);
    let layout = DayLayout::new(history, metric, laid_out_from, last_day, now)?;
    let actual = daily_values(history, metric.metric_type(), laid_out_from, last_day, now)?;

    let mut trained: Option<Trained> = None;
    let mut fits = 0;
    let mut baseline: Option<SeriesModel> = None;
    let mut rows = Vec::new();
    let mut duels: Vec<Duel> = SeriesModel::simple()
        .into_iter()
        .map(|kind| Duel {
            kind,
            model: Vec::new(),
            baseline: Vec::new(),
        })
        .collect();
    for (index, date) in first_day
        .iter_days()
        .take_while(|day| *day <= last_day)
        .enumerate()
    {
        let refit = request.refit_every > 0 && index % request.refit_every == 0;
        let known = zone.start_of_day(date);
        let current = match trained.take() {
            Some(current) if !refit => current,
            _ => {
                fits += 1;
                train(
                    history,
                    &request.training,
                    known,
                    ComputeDevice::default(),
                    on_epoch,
                )
                .map_err(cancelled)?
            }
        };
        let manifest = current.artifact.manifest();
        if baseline.is_none() {
            baseline = manifest
                .baseline_name
                .as_deref()
                .and_then(SeriesModel::from_name);
        }
        let row = layout.row(date).expect("the replayed days are laid out");
        let past = &layout.own_history()[row - lookback..row];
        let forecast = current
            .model
            .forecast_rows(&layout, &[row - 1], 0)?
            .pop()
            .flatten();
        if let (Some(truth), Some(forecast)) = (actual[row], forecast)
            && past.iter().any(Option::is_some)
        {
            let lead = lead_of(date, layout.last_observed(date - Days::new(1)));
            let found = interval(
                &manifest.calibration,
                metric,
                IntervalMethod::ResidualQuantiles,
                forecast,
                request.interval_level,
                lead,
            );
            for duel in &mut duels {
                if let Some(value) = duel.kind.forecast(past, 1) {
                    duel.model.push((forecast - truth).abs());
                    duel.baseline.push((value - truth).abs());
                }
            }
            rows.push(BacktestDay {
                date,
                forecast,
                lower: found.map(|interval| interval.lower),
                upper: found.map(|interval| interval.upper),
                level: found.map(|interval| interval.level),
                actual: truth,
                naive: SeriesModel::naive().forecast(past, 1),
                baseline: baseline.as_ref().and_then(|kind| kind.forecast(past, 1)),
            });
        }
        trained = Some(current);
    }
    answer(
        history,
        request,
        (first_day, last_day),
        fits,
        baseline.as_ref(),
        &duels,
        rows,
    )
}

/// The absolute errors of the model and of a simple baseline, on the days both had a forecast for.
struct Duel {
    kind: SeriesModel,
    model: Vec<f64>,
    baseline: Vec<f64>,
}

impl Duel {
    fn name(&self) -> String {
        self.kind.name().to_owned()
    }

    fn baseline_mae(&self) -> Option<f64> {
        mean(self.baseline.iter().copied())
    }

    fn skill(&self) -> Option<f64> {
        skill(mean(self.model.iter().copied())?, self.baseline_mae()?).ok()?
    }
}

/// Last and first day of the replay: the last finished days with a reading of the metric.
fn replayed_span(
    history: &History,
    request: &BacktestRequest,
    now: DateTime<Utc>,
) -> Result<(NaiveDate, NaiveDate), EngineError> {
    let zone = history.profile.zone;
    let metric_type = request.training.metric.metric_type();
    let last = history
        .records
        .iter()
        .filter_map(|record| match record {
            Record::HealthMetric(reading) if reading.metric == metric_type && !reading.partial => {
                Some(reading.provenance.day)
            }
            Record::HealthMetric(_) | Record::Meal(_) | Record::Activity(_) => None,
        })
        .filter(|day| zone.evening_of(*day) <= now)
        .max()
        .ok_or(TrainingError::NothingKnown(now))?;
    Ok((last, last - Days::new(request.days.max(1) as u64 - 1)))
}

fn answer(
    history: &History,
    request: &BacktestRequest,
    (first_day, last_day): (NaiveDate, NaiveDate),
    fits: usize,
    baseline: Option<&SeriesModel>,
    duels: &[Duel],
    rows: Vec<BacktestDay>,
) -> Result<BacktestAnswer, EngineError> {
    let actual: Vec<f64> = rows.iter().map(|row| row.actual).collect();
    let forecasts: Vec<f64> = rows.iter().map(|row| row.forecast).collect();
    let accuracy = if rows.is_empty() {
        None
    } else {
        Some(Accuracy::of(&actual, &forecasts)?)
    };
    let duel_of = |name: &str| duels.iter().find(|duel| duel.kind.name() == name);
    let baseline_duel = baseline.and_then(|kind| duel_of(kind.name()));
    let intervals: Vec<(f64, f64, f64)> = rows
        .iter()
        .filter_map(|row| Some((row.actual, row.lower?, row.upper?)))
        .collect();
    let levels: Vec<f64> = rows.iter().filter_map(|row| row.level).collect();
    Ok(BacktestAnswer {
        user_id: history.user.clone(),
        metric: request.training.metric,
        architecture: request.training.architecture,
        first_day,
        last_day,
        days: rows.len(),
        fits,
        mae: accuracy.as_ref().map(|accuracy| accuracy.mae),
        rmse: accuracy.as_ref().map(|accuracy| accuracy.rmse),
        mape: accuracy.as_ref().and_then(|accuracy| accuracy.mape),
        naive_mae: duel_of("naive").and_then(Duel::baseline_mae),
        baseline_name: baseline.map(|kind| kind.name().to_owned()),
        baseline_mae: baseline_duel.and_then(Duel::baseline_mae),
        skill_vs_naive: baseline_duel.and_then(Duel::skill),
        baseline_errors: duels
            .iter()
            .filter_map(|duel| Some((duel.name(), duel.baseline_mae()?)))
            .collect(),
        skill_vs: duels
            .iter()
            .filter_map(|duel| Some((duel.name(), duel.skill()?)))
            .collect(),
        interval_level: request.interval_level,
        nominal_coverage: mean(levels),
        coverage: coverage(&intervals),
        mean_width: mean_width(&intervals),
        seed: request.training.seed,
        rows,
    })
}

impl BacktestAnswer {
    /// A chart of the replayed days: forecasts with their intervals, and the measured values.
    pub fn chart(&self) -> HistoryChart {
        HistoryChart {
            title: format!("{}, replayed", self.metric.title()),
            subtitle: format!("person {}, {}", self.user_id, self.architecture),
            unit: chart_unit(self.metric),
            history: self
                .rows
                .iter()
                .map(|row| (row.date, Some(row.actual)))
                .collect(),
            average: None,
            interval_percent: self.nominal_coverage.map(percent),
            forecasts: self
                .rows
                .iter()
                .map(|row| ForecastPoint {
                    date: row.date,
                    value: row.forecast,
                    lower: row.lower.unwrap_or(row.forecast),
                    upper: row.upper.unwrap_or(row.forecast),
                    actual: Some(row.actual),
                })
                .collect(),
        }
    }

    /// The model's error beside that of every simple baseline.
    pub fn skill_chart(&self) -> SkillChart {
        SkillChart {
            title: format!(
                "{}: error of the model and of simple baselines",
                self.metric.title()
            ),
            subtitle: format!(
                "mean absolute error over {} replayed {}",
                self.days,
                if self.days == 1 { "day" } else { "days" }
            ),
            unit: chart_unit(self.metric).with_decimals(2),
            model: SkillBar {
                label: self.architecture.to_string(),
                mean_absolute_error: self.mae,
            },
            baselines: self
                .baseline_errors
                .iter()
                .map(|(name, mae)| SkillBar {
                    label: name.replace('_', " "),
                    mean_absolute_error: Some(*mae),
                })
                .collect(),
        }
    }
}
