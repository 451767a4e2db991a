//! A single forecast: known data, model output, and comparison with the recent past.

use crate::error::InferenceError;
use crate::interval::{Interval, distribution, interval, lead_of};
use crate::layout::DayLayout;
use crate::many_people::{expected_of_many_people, expected_of_simple, of_many_people, of_simple};
use crate::model::FittedModel;
use crate::rungs::RECENT_DAYS;
use crate::words;
use chrono::{DateTime, Days, NaiveDate, Utc};
use vitalcast_artifact::Manifest;
use vitalcast_domain::{
    AsOf, ForecastChoice, IntervalMethod, MAX_HORIZON_DAYS, ModelId, NormalBand, PredictResponse,
    PredictionMetric, PredictionResult, RangeVerdict,
};
use vitalcast_evaluation::{Distribution, NormalRange, Verdict, beyond_rounding, mean};
use vitalcast_features::PersonData;
use vitalcast_models::{SeriesForecaster, SeriesModel};
use vitalcast_windows::WindowEnd;

/// Days of the average, the range and the percentile.
pub const COMPARISON_DAYS: usize = 30;
/// Days of the normal range, and how often, nominally, an ordinary day lies outside it: less than once in a
/// quarter of a year (91 days), which people's own errors in a random order kept, too (decision 0008).
const NORMAL_DAYS: usize = 28;
const FALSE_ALARM_RATE: f64 = 0.0075;

/// A forecast request.
#[derive(Debug, Clone)]
pub struct ForecastQuery {
    /// The local day to forecast.
    pub target_date: NaiveDate,
    /// Method for the interval.
    pub interval_method: IntervalMethod,
    /// Nominal coverage of the interval; the result has a lower one if the residuals of the model
    /// support no more.
    pub interval_level: f64,
    /// The current time.
    pub now: DateTime<Utc>,
    /// Id of the model in the registry.
    pub model_id: ModelId,
    /// Version of the model in the registry.
    pub model_version: String,
    /// Whether a simple forecast is served in place of a model of many people where it erred less on the
    /// person's own days, beyond chance. False where this very model was asked for.
    pub is_gated: bool,
}

impl ForecastQuery {
    /// A query for the value of this very model alone: whatever the interval, it is the same.
    pub fn new(
        target_date: NaiveDate,
        now: DateTime<Utc>,
        model_id: ModelId,
        model_version: String,
    ) -> Self {
        Self {
            target_date,
            interval_method: IntervalMethod::ResidualQuantiles,
            interval_level: 0.95,
            now,
            model_id,
            model_version,
            is_gated: false,
        }
    }
}

/// A forecast with the data for the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The response of the contract.
    pub response: PredictResponse,
    /// Days from the last reading to the target day.
    pub lead: usize,
}

/// Forecasts one day with the data known now; a past day with those known on the evening before.
///
/// Only days before the target are read. A day that is not over has no totals.
///
/// # Errors
///
/// [`InferenceError::NothingKnown`], [`InferenceError::TooFarAhead`],
/// [`InferenceError::NoRecentReading`] when there is nothing to go by, and what the features or the
/// model refuse.
pub fn forecast<'a>(
    model: &FittedModel,
    manifest: &Manifest,
    person: impl Into<PersonData<'a>>,
    query: &ForecastQuery,
) -> Result<Forecast, InferenceError> {
    let asked = Asked::new(person.into(), query)?;
    let outlook = match model.of_many_people() {
        Some(pooled) => of_many_people(model.metric, pooled, &asked)?,
        None if model.is_simple() => of_simple(model.metric, &asked)?,
        None => of_windows(model, manifest, &asked)?,
    };
    answer(model, manifest, &asked, outlook)
}

/// What a model says of one day, without comparisons and words: the same distribution as that of
/// [`forecast`], for those who ask for many.
///
/// # Errors
///
/// Those of [`forecast`].
pub fn expected<'a>(
    model: &FittedModel,
    manifest: &Manifest,
    person: impl Into<PersonData<'a>>,
    query: &ForecastQuery,
) -> Result<Distribution, InferenceError> {
    let asked = Asked::new(person.into(), query)?;
    match model.of_many_people() {
        Some(pooled) => expected_of_many_people(model.metric, pooled, &asked),
        None if model.is_simple() => expected_of_simple(model.metric, &asked),
        None => Ok(of_windows(model, manifest, &asked)?.distribution),
    }
}

/// A request with what follows from it.
pub(crate) struct Asked<'a> {
    pub(crate) person: PersonData<'a>,
    pub(crate) query: &'a ForecastQuery,
    pub(crate) as_of: AsOf,
    /// The day before the target.
    pub(crate) last_day: NaiveDate,
    /// Days from the origin to the target: see [`origin`].
    pub(crate) ahead: usize,
}

/// The last day that a forecast of the day after `last_day` knows: one that is over at `as_of`, with records
/// or without, or an unfinished one with a record. `None` while nothing is known.
///
/// That a day went by without a record is known on its evening. It is a gap, as it is in a replay, and no day
/// that is still to come.
fn origin(person: PersonData<'_>, last_day: NaiveDate, as_of: AsOf) -> Option<NaiveDate> {
    let with_record = person.last_known_day(last_day, as_of)?;
    let over = person.profile().day_of(as_of).pred_opt();
    Some(over.map_or(with_record, |over| over.clamp(with_record, last_day)))
}

impl<'a> Asked<'a> {
    pub(crate) fn new(
        person: PersonData<'a>,
        query: &'a ForecastQuery,
    ) -> Result<Self, InferenceError> {
        let target = query.target_date;
        let profile = person.profile();
        let as_of: AsOf = if target < profile.day_of(query.now) {
            profile.start_of_day(target)
        } else {
            query.now
        };
        let last_day = target - Days::new(1);
        let origin =
            origin(person, last_day, as_of).ok_or_else(|| InferenceError::NothingKnown {
                target,
                first_day: person
                    .span()
                    .map_or_else(|| "none".to_owned(), |(first, _)| first.to_string()),
            })?;
        let ahead = (target - origin).num_days();
        if ahead > MAX_HORIZON_DAYS as i64 {
            return Err(InferenceError::TooFarAhead {
                target,
                origin,
                ahead,
                limit: MAX_HORIZON_DAYS,
                last_possible: origin + Days::new(MAX_HORIZON_DAYS as u64),
            });
        }
        Ok(Self {
            person,
            query,
            as_of,
            last_day,
            ahead: usize::try_from(ahead).expect("the target lies after the origin"),
        })
    }
}

/// What a model says of a day, and what it is compared with.
pub(crate) struct Outlook {
    pub(crate) distribution: Distribution,
    pub(crate) interval: Interval,
    /// The metric's days before the target that models read, the last one the day before it.
    pub(crate) days: Vec<Option<f64>>,
    /// Days from the last reading to the target.
    pub(crate) lead: usize,
    pub(crate) quality: f64,
    pub(crate) skill: Option<f64>,
    pub(crate) baseline_name: Option<String>,
    pub(crate) baseline_value: Option<f64>,
    pub(crate) last_measured: Option<NaiveDate>,
    pub(crate) unusual_days: Vec<NaiveDate>,
    pub(crate) series_read: usize,
    pub(crate) days_read: usize,
    /// Which forecast it is, where a simple one may stand in.
    pub(crate) choice: Option<ForecastChoice>,
    /// Sentences of the model itself.
    pub(crate) remarks: Vec<String>,
}

/// The window that a forecast reads.
pub(crate) struct WindowRead {
    pub(crate) layout: DayLayout,
    pub(crate) window: WindowEnd,
    /// Days after the last one known are hidden altogether, exactly as they were when the interval
    /// of this lead was calibrated.
    pub(crate) hidden_days: usize,
    /// Days laid out.
    pub(crate) days: usize,
    /// Last day with a value that models read.
    pub(crate) last_observed: NaiveDate,
}

impl WindowRead {
    pub(crate) fn new(model: &FittedModel, asked: &Asked<'_>) -> Result<Self, InferenceError> {
        let Asked {
            person,
            query,
            as_of,
            last_day,
            ahead,
        } = *asked;
        let (metric, lookback) = (model.metric, model.lookback);
        let days = lookback.max(COMPARISON_DAYS);
        let first_day = query.target_date - Days::new(days as u64);
        let layout = DayLayout::new(person, metric, first_day, last_day, lookback, as_of)?;
        let (layout, read) = if model.reads_whole_history() {
            (
                layout.with_whole_series(person, metric, as_of)?,
                RECENT_DAYS,
            )
        } else {
            (layout, lookback)
        };
        let window = layout.last_window();
        let newest = layout
            .known_before(days, window.origin)
            .iter()
            .rev()
            .take(read)
            .position(Option::is_some);
        let Some(newest) = newest else {
            return Err(InferenceError::NoRecentReading {
                metric,
                first: query.target_date - Days::new(read as u64),
                last: last_day,
                lookback: read,
            });
        };
        let last_observed = last_day - Days::new(newest as u64);
        Ok(Self {
            layout,
            window,
            hidden_days: ahead - 1,
            days,
            last_observed,
        })
    }
}

/// The outlook of a model that reads windows of days.
fn of_windows(
    model: &FittedModel,
    manifest: &Manifest,
    asked: &Asked<'_>,
) -> Result<Outlook, InferenceError> {
    let metric = model.metric;
    let query = asked.query;
    let target = query.target_date;
    let lookback = model.lookback;
    let WindowRead {
        layout,
        window,
        hidden_days,
        days,
        last_observed,
    } = WindowRead::new(model, asked)?;
    let value = model
        .forecast_rows(&layout, &[window], hidden_days)?
        .pop()
        .flatten()
        .ok_or(InferenceError::NotFinite(target))?;
    let lead = lead_of(target, Some(last_observed));
    let calibration = &manifest.calibration;
    let (method, level) = (query.interval_method, query.interval_level);
    let interval = interval(calibration, metric, method, value, level, lead).ok_or_else(|| {
        InferenceError::UnusableModel("it has no residuals to make an interval".into())
    })?;
    let baseline = manifest
        .baseline_name
        .as_deref()
        .and_then(SeriesModel::from_name);
    Ok(Outlook {
        distribution: distribution(calibration, metric, value, lead)?,
        interval,
        days: layout
            .known(days - COMPARISON_DAYS..days, window.origin)
            .into_owned(),
        lead,
        quality: model.observed_share(&layout, window),
        skill: manifest.skill,
        baseline_name: manifest.baseline_name.clone(),
        baseline_value: baseline.and_then(|baseline| {
            let known = if model.reads_whole_history() {
                layout.known_before(days - hidden_days, window.origin)
            } else {
                layout.known(days - lookback..days - hidden_days, window.origin)
            };
            baseline.forecast(&known, hidden_days + 1)
        }),
        last_measured: layout.last_measured(window, lookback),
        unusual_days: (days - lookback..days)
            .filter(|row| layout.is_unusual(*row))
            .map(|row| layout.day(row))
            .collect(),
        series_read: manifest.feature_names.len(),
        days_read: lookback,
        choice: None,
        remarks: words::of_deviation(manifest.deviation.as_ref())
            .into_iter()
            .collect(),
    })
}

/// Puts an outlook into words.
fn answer(
    model: &FittedModel,
    manifest: &Manifest,
    asked: &Asked<'_>,
    outlook: Outlook,
) -> Result<Forecast, InferenceError> {
    let metric = model.metric;
    let Asked {
        person,
        query,
        as_of,
        ..
    } = *asked;
    let target = query.target_date;
    let value = outlook.distribution.value();
    let interval = &outlook.interval;
    let month: Vec<f64> = last(&outlook.days, COMPARISON_DAYS)
        .iter()
        .flatten()
        .copied()
        .collect();
    let average = mean(month.iter().copied());
    let prediction = PredictionResult {
        metric,
        target_date: target,
        predicted_at: query.now,
        predicted_value: value,
        confidence_interval_lower: interval.lower,
        confidence_interval_upper: interval.upper,
        confidence_score: confidence(metric, &outlook.distribution),
        historical_average: average,
        deviation_from_average: average.map(|average| beyond_rounding(value - average, average)),
        percentile: percentile(&month, value),
        model_id: query.model_id.clone(),
        model_version: query.model_version.clone(),
        architecture: manifest.architecture,
        interval_level: interval.level,
        interval_method: query.interval_method,
        skill_vs_naive: outlook.skill,
        baseline_name: outlook.baseline_name.clone(),
        baseline_value: outlook.baseline_value,
        as_of,
        last_observed_day: outlook.last_measured,
        unusual_days: outlook.unusual_days.clone(),
        normal_range: normal_range(metric, &outlook)?,
        choice: outlook.choice.clone(),
    };
    let mut interpretation = words::interpretation(&prediction);
    let sentences = outlook
        .remarks
        .iter()
        .cloned()
        .chain(words::of_normal_range(&prediction))
        .chain(words::of_moment(person.profile(), target, as_of))
        .chain(words::of_unusual(&prediction.unusual_days))
        .chain(words::of_level(
            query.interval_level,
            query.interval_method,
            interval,
        ));
    for sentence in sentences {
        interpretation.push(' ');
        interpretation.push_str(&sentence);
    }
    let recommendation = words::recommendation(metric, prediction.deviation_from_average);
    Ok(Forecast {
        response: PredictResponse {
            user_id: person.user().clone(),
            prediction,
            features_used: outlook.series_read,
            sequence_length: outlook.days_read,
            data_quality_score: outlook.quality,
            interpretation,
            recommendation,
            cached: false,
        },
        lead: outlook.lead,
    })
}

/// The person's normal range, and how the forecast and the last reading lie to it.
fn normal_range(
    metric: PredictionMetric,
    outlook: &Outlook,
) -> Result<Option<NormalBand>, InferenceError> {
    let range = |days: &[Option<f64>]| NormalRange::of(last(days, NORMAL_DAYS), FALSE_ALARM_RATE);
    let Some(normal) = range(&outlook.days)? else {
        return Ok(None);
    };
    let newest = outlook.days.iter().rposition(Option::is_some);
    let last_reading = match newest.and_then(|day| Some((day, outlook.days[day]?))) {
        Some((day, value)) => {
            range(&outlook.days[..day])?.map(|before| match before.verdict(value) {
                Verdict::Inside => RangeVerdict::Inside,
                Verdict::Above => RangeVerdict::Above,
                Verdict::Below => RangeVerdict::Below,
            })
        }
        None => None,
    };
    // The range is symmetric, and may reach beyond what the metric can be: a score above 100.
    let (lowest, highest) = metric.metric_type().plausible_range();
    Ok(Some(NormalBand {
        low: normal.lower.clamp(lowest, highest),
        high: normal.upper.clamp(lowest, highest),
        probability_outside: outlook
            .distribution
            .expected_outside(normal.lower, normal.upper),
        false_alarm_rate: FALSE_ALARM_RATE,
        last_reading,
    }))
}

/// The last values of a list.
pub(crate) fn last<T>(values: &[T], count: usize) -> &[T] {
    &values[values.len().saturating_sub(count)..]
}

/// Share of the values at or below `value`, 0 to 100.
fn percentile(values: &[f64], value: f64) -> Option<f64> {
    (!values.is_empty()).then(|| {
        let below = values.iter().filter(|&&other| other <= value).count();
        100.0 * below as f64 / values.len() as f64
    })
}

/// The probability that the value is within the metric's margin of the forecast.
fn confidence(metric: PredictionMetric, distribution: &Distribution) -> f64 {
    let (value, margin) = (distribution.value(), metric.margin());
    (1.0 - distribution.probability_outside(value - margin, value + margin)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_evaluation::Bounds;

    #[test]
    fn the_percentile_of_no_history_is_null() {
        assert_eq!(percentile(&[], 60.0), None);
    }

    #[test]
    fn percentile_counts_values_at_or_below() {
        assert_eq!(percentile(&[50.0, 60.0, 70.0, 80.0], 60.0), Some(50.0));
    }

    #[test]
    fn confidence_falls_as_the_expected_error_grows() {
        let of = |half: f64| {
            let bounds = [(0.5, half), (0.8, 2.0 * half), (0.95, 3.0 * half)];
            let bounds = bounds.map(|(level, half)| Bounds {
                level,
                lower: 60.0 - half,
                upper: 60.0 + half,
            });
            let distribution = Distribution::new(60.0, bounds.to_vec()).unwrap();
            confidence(PredictionMetric::RestingHeartRate, &distribution)
        };
        // Within 3 bpm: at least as sure as the highest level that is kept, and halfway to 50 %.
        assert!((of(1.0) - 0.95).abs() < 1e-12, "{}", of(1.0));
        assert!((of(3.0) - 0.5).abs() < 1e-12);
        assert!((of(6.0) - 0.25).abs() < 1e-12);
        let mut before = 1.0;
        for half in 1..40 {
            let now = of(f64::from(half) / 2.0);
            assert!(now <= before);
            before = now;
        }
    }
}
