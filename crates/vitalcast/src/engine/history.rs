//! History: forecasts and measured values.

use super::{Engine, all_days};
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use vitalcast_charts::{AverageLine, ForecastPoint, HistoryChart, Unit};
use vitalcast_domain::{History, ModelId, PredictionMetric, PredictionResult, Record, UserId};
use vitalcast_evaluation::mean;
use vitalcast_features::daily_values;
use vitalcast_store::{Store, StoredForecast};

/// A day with its measured value and the last forecast for it.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryDay {
    /// The local day.
    pub date: NaiveDate,
    /// The measured daily value, if there is one.
    pub actual: Option<f64>,
    /// The forecast, if there is one.
    pub forecast: Option<ForecastRecord>,
}

/// A stored forecast and its measured value.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ForecastRecord {
    /// The day that was forecast.
    pub target_date: NaiveDate,
    /// Cut-off time of the data of the forecast.
    pub as_of: DateTime<Utc>,
    /// Id of the model.
    pub model_id: ModelId,
    /// The forecast.
    pub value: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Nominal coverage of the interval.
    pub level: f64,
    /// The measured value, once it is known.
    pub actual: Option<f64>,
}

impl ForecastRecord {
    /// Whether the measured value is inside the interval; `None` while it is not known.
    pub fn inside(&self) -> Option<bool> {
        self.actual
            .map(|actual| (self.lower..=self.upper).contains(&actual))
    }
}

/// A period of one person and metric.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HistoryView {
    /// Id of the person.
    pub user_id: UserId,
    /// The metric.
    pub metric: PredictionMetric,
    /// Unit of every value.
    pub unit: &'static str,
    /// The time as of which the measured values were known.
    pub as_of: DateTime<Utc>,
    /// Mean of the measured values of these days, without one that was not over.
    pub average: Option<f64>,
    /// The days, in order.
    pub days: Vec<HistoryDay>,
    /// Mean absolute error of the forecasts of days that were over and have a measured value.
    pub mae: Option<f64>,
    /// Share of them whose measured value is inside the interval.
    pub coverage: Option<f64>,
}

impl Engine {
    /// The `days` days up to `last_day` (default: the last day with data or a forecast), with forecasts
    /// and measured values, as known now or at another time: then with the values that were known and the
    /// forecasts that had been made.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`].
    pub fn history(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        last_day: Option<NaiveDate>,
        days: usize,
        as_of: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<HistoryView, EngineError> {
        let history = self.load(user)?;
        self.flush_forecasts()?;
        let mut forecasts = self.settled_forecasts(&history, metric, now)?;
        if let Some(as_of) = as_of {
            forecasts.retain(|forecast| forecast.predicted_at <= as_of);
        }
        let last_day = last_day
            .or_else(|| {
                let provenances = history.records.iter().map(Record::provenance);
                let known = provenances.filter(|of| as_of.is_none_or(|as_of| of.known_at <= as_of));
                let forecast = forecasts.iter().map(|forecast| forecast.target_date).max();
                known.map(|of| of.day).max().max(forecast)
            })
            .unwrap_or_else(|| history.profile.day_of(now));
        let as_of = as_of.map_or(now, |as_of| as_of.min(now));
        let today = history.profile.day_of(as_of);
        // Years before the first have no dates that others could read.
        let beginning = *all_days().start();
        let first_day = last_day
            .checked_sub_days(Days::new(days.saturating_sub(1) as u64))
            .map_or(beginning, |day| day.max(beginning));
        // Several models or moments may have forecast one day: the one that knew most counts.
        let mut by_day = BTreeMap::new();
        for forecast in forecasts {
            by_day
                .entry(forecast.target_date)
                .and_modify(|kept: &mut StoredForecast| {
                    if (forecast.as_of, forecast.predicted_at) > (kept.as_of, kept.predicted_at) {
                        *kept = forecast.clone();
                    }
                })
                .or_insert(forecast);
        }
        let actual = daily_values(&history, metric.metric_type(), first_day, last_day, as_of)?;
        let days: Vec<HistoryDay> = first_day
            .iter_days()
            .zip(actual)
            .map(|(date, actual)| HistoryDay {
                date,
                actual,
                forecast: by_day.get(&date).map(|forecast| ForecastRecord {
                    target_date: date,
                    as_of: forecast.as_of,
                    model_id: forecast.model_id.clone(),
                    value: forecast.value,
                    lower: forecast.lower,
                    upper: forecast.upper,
                    level: forecast.level,
                    actual: actual.filter(|_| date <= today),
                }),
            })
            .collect();
        Ok(view(user.clone(), metric, days, as_of, today))
    }

    /// The forecasts of a metric with the measured values known now. The value of a day can still
    /// change while the day is not over, or by a correction.
    pub(super) fn settled_forecasts(
        &self,
        history: &History,
        metric: PredictionMetric,
        now: DateTime<Utc>,
    ) -> Result<Vec<StoredForecast>, EngineError> {
        let mut forecasts = self.wait(self.store.forecasts(&history.user, metric, None))?;
        let today = history.profile.day_of(now);
        let due = || {
            let days = forecasts.iter().map(|forecast| forecast.target_date);
            days.filter(|day| *day <= today)
        };
        let (Some(first), Some(last)) = (due().min(), due().max()) else {
            return Ok(forecasts);
        };
        let actual: HashMap<NaiveDate, Option<f64>> = first
            .iter_days()
            .zip(daily_values(
                history,
                metric.metric_type(),
                first,
                last,
                now,
            )?)
            .collect();
        let mut outcomes = Vec::new();
        for forecast in &mut forecasts {
            let known = actual.get(&forecast.target_date).copied().flatten();
            if known != forecast.actual {
                forecast.actual = known;
                outcomes.push((forecast.id, known, now));
            }
        }
        if !outcomes.is_empty() {
            self.wait(self.store.fill_outcomes(&outcomes))?;
        }
        Ok(forecasts)
    }
}

fn view(
    user_id: UserId,
    metric: PredictionMetric,
    days: Vec<HistoryDay>,
    as_of: DateTime<Utc>,
    today: NaiveDate,
) -> HistoryView {
    // What is measured of a day that is not over can still change.
    let over = || days.iter().filter(|day| day.date < today);
    let actual: Vec<f64> = over().filter_map(|day| day.actual).collect();
    let settled = || over().filter_map(|day| day.forecast.as_ref());
    let errors: Vec<f64> = settled()
        .filter_map(|forecast| Some((forecast.actual? - forecast.value).abs()))
        .collect();
    let inside: Vec<f64> = settled()
        .filter_map(ForecastRecord::inside)
        .map(|inside| if inside { 1.0 } else { 0.0 })
        .collect();
    HistoryView {
        user_id,
        metric,
        unit: metric.unit_label(),
        as_of,
        average: mean(actual),
        mae: mean(errors),
        coverage: mean(inside),
        days,
    }
}

impl HistoryView {
    /// The forecasts, in the order of their days.
    pub fn forecasts(&self) -> impl Iterator<Item = &ForecastRecord> {
        self.days.iter().filter_map(|day| day.forecast.as_ref())
    }

    /// The errors of the forecasts in a sentence; `None` while no measured value is known.
    pub fn summary(&self) -> Option<String> {
        let settled = self
            .forecasts()
            .filter(|forecast| forecast.actual.is_some())
            .count();
        Some(format!(
            "Forecasts with a measured value: {settled}. Mean absolute error {:.2} {}, {:.0} % \
             inside the interval.",
            self.mae?,
            self.unit,
            self.coverage? * 100.0
        ))
    }

    /// A chart of these days, with `next` as the forecast of the coming day.
    pub fn chart(&self, next: Option<&PredictionResult>) -> HistoryChart {
        let mut forecasts: Vec<ForecastPoint> = self
            .forecasts()
            .filter(|forecast| next.is_none_or(|next| next.target_date != forecast.target_date))
            .map(|forecast| ForecastPoint {
                date: forecast.target_date,
                value: forecast.value,
                lower: forecast.lower,
                upper: forecast.upper,
                actual: forecast.actual,
            })
            .collect();
        if let Some(next) = next {
            let actual = self
                .days
                .iter()
                .find(|day| day.date == next.target_date)
                .and_then(|day| day.actual);
            forecasts.push(ForecastPoint {
                date: next.target_date,
                value: next.predicted_value,
                lower: next.confidence_interval_lower,
                upper: next.confidence_interval_upper,
                actual,
            });
        }
        let level = next
            .map(|next| next.interval_level)
            .or_else(|| self.forecasts().last().map(|forecast| forecast.level));
        HistoryChart {
            title: self.metric.title().to_owned(),
            subtitle: format!("person {}", self.user_id),
            unit: chart_unit(self.metric),
            history: self.days.iter().map(|day| (day.date, day.actual)).collect(),
            average: self.average.map(|value| AverageLine {
                label: "average".to_owned(),
                value,
            }),
            interval_percent: level.map(percent),
            forecasts,
        }
    }
}

/// The unit of a metric in charts.
pub(crate) fn chart_unit(metric: PredictionMetric) -> Unit {
    match metric {
        PredictionMetric::RestingHeartRate => Unit::beats_per_minute().with_decimals(1),
        PredictionMetric::HeartRateVariabilitySdnn
        | PredictionMetric::HeartRateVariabilityRmssd => Unit::milliseconds(),
        PredictionMetric::SleepDuration => Unit::hours(),
        PredictionMetric::RecoveryScore => Unit::new("points", 0),
    }
}

/// A level between 0 and 1 in whole per cent, rounded down.
pub(crate) fn percent(level: f64) -> u8 {
    // The small term keeps 0.57 from being shown as 56.
    (level * 100.0 + 1e-6).floor().clamp(1.0, 99.0) as u8
}
