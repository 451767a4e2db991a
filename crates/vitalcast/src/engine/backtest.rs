//! Backtests: forecasts of past days with the data known at the time, compared with simple baselines.

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
use vitalcast_windows::WindowEnd;

/// The settings of a backtest.
#[derive(Debug, Clone)]
pub struct BacktestRequest {
    /// Settings of each training.
    pub training: TrainModelRequest,
    /// Number of days to replay, the last ones of the history.
    pub days: usize,
    /// Train again after this number of days; 0 trains once, on the data known before the first
    /// replayed day.
    pub refit_every: usize,
    /// Nominal coverage of the interval; it is lower if the residuals of a model support no more.
    pub interval_level: f64,
}

/// One replayed day.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestDay {
    /// The day.
    pub date: NaiveDate,
    /// Forecast of the model on the evening before.
    pub forecast: f64,
    /// Lower end of the interval; `None` if the model has no residuals for an interval.
    pub lower: Option<f64>,
    /// Upper end.
    pub upper: Option<f64>,
    /// Nominal coverage of the interval.
    pub level: Option<f64>,
    /// The measured value.
    pub actual: f64,
    /// Forecast of the baseline "same as the last reading".
    pub naive: Option<f64>,
    /// Forecast of the best simple baseline.
    pub baseline: Option<f64>,
}

/// The result of a backtest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BacktestAnswer {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// Model architecture.
    pub architecture: ModelArchitecture,
    /// First day replayed.
    pub first_day: NaiveDate,
    /// Last day replayed.
    pub last_day: NaiveDate,
    /// Number of forecast days with a reading.
    pub days: usize,
    /// Number of trainings.
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
    /// Mean absolute error of this baseline on the replayed days.
    pub baseline_mae: Option<f64>,
    /// 1 − MAE / MAE of this baseline, both on the days for which the baseline had a forecast.
    pub skill_vs_naive: Option<f64>,
    /// Mean absolute error of each simple baseline on the days for which it had a forecast, by name.
    pub baseline_errors: BTreeMap<String, f64>,
    /// 1 − MAE / MAE of each simple baseline, both on the days for which it had a forecast, by name.
    pub skill_vs: BTreeMap<String, f64>,
    /// The requested nominal coverage.
    pub interval_level: f64,
    /// Mean nominal coverage of the intervals, to compare with `coverage`: lower than the requested one
    /// if the residuals of a model support no more.
    pub nominal_coverage: Option<f64>,
    /// Share of days with an interval whose measured value was inside it.
    pub coverage: Option<f64>,
    /// Mean width of the interval.
    pub mean_width: Option<f64>,
    /// Random seed.
    pub seed: u64,
    /// The days, in order.
    pub rows: Vec<BacktestDay>,
}

impl Engine {
    /// Replays the last days of a person's history: trains on the data known before the first of them,
    /// then forecasts each day with the data known on the evening before.
    ///
    /// Nothing is stored: no model is registered and no forecast is saved.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; [`EngineError::Training`] if too little data are left for
    /// training; [`EngineError::Interrupted`].
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

/// [`Engine::backtest`] with a history in memory.
pub(crate) fn backtest_history(
    history: &History,
    request: &BacktestRequest,
    now: DateTime<Utc>,
    on_epoch: &mut dyn FnMut(&EpochReport) -> ControlFlow<()>,
) -> Result<BacktestAnswer, EngineError> {
    let metric = request.training.metric;
    let profile = &history.profile;
    let lookback = request.training.sequence_length;
    let (last_day, first_day) = replayed_span(history, request, now)?;
    let laid_out_from = first_day - Days::new((request.training.lookback_days + lookback) as u64);
    let layout = DayLayout::new(history, metric, laid_out_from, last_day, lookback, now)?;
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
        let known = profile.start_of_day(date);
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
        // On the evening before, as if nothing had become known since.
        let window = WindowEnd::on_evening(row - 1, 0);
        let past = layout.known(row - lookback..row, window.origin);
        let forecast = current
            .model
            .forecast_rows(&layout, &[window], 0)?
            .pop()
            .flatten();
        if let (Some(truth), Some(forecast)) = (actual[row], forecast)
            && past.iter().any(Option::is_some)
        {
            let lead = lead_of(date, layout.last_observed(window, lookback));
            let found = interval(
                &manifest.calibration,
                metric,
                IntervalMethod::ResidualQuantiles,
                forecast,
                request.interval_level,
                lead,
            );
            for duel in &mut duels {
                if let Some(value) = duel.kind.forecast(&past, 1) {
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
                naive: SeriesModel::naive().forecast(&past, 1),
                baseline: baseline.as_ref().and_then(|kind| kind.forecast(&past, 1)),
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

/// The absolute errors of the model and of a simple baseline, on the days for which both had a forecast.
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

/// The days of the replay: the last complete days with a reading of the metric.
fn replayed_span(
    history: &History,
    request: &BacktestRequest,
    now: DateTime<Utc>,
) -> Result<(NaiveDate, NaiveDate), EngineError> {
    let profile = &history.profile;
    let metric_type = request.training.metric.metric_type();
    let last = history
        .records
        .iter()
        .filter_map(|record| match record {
            Record::HealthMetric(reading) if reading.metric == metric_type => {
                Some(reading.provenance.day)
            }
            Record::HealthMetric(_) | Record::Meal(_) | Record::Activity(_) => None,
        })
        .filter(|day| profile.evening_of(*day) <= now)
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

    /// A chart of the error of the model and of each simple baseline.
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
