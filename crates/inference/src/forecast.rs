//! A single forecast: known data, model output, and comparison with the recent past.

use crate::error::InferenceError;
use crate::interval::{interval, lead_of};
use crate::layout::DayLayout;
use crate::model::FittedModel;
use crate::words;
use chrono::{DateTime, Days, NaiveDate, Utc};
use vitalcast_artifact::Manifest;
use vitalcast_domain::{
    AsOf, History, IntervalMethod, MAX_HORIZON_DAYS, ModelId, PredictResponse, PredictionResult,
};
use vitalcast_evaluation::{beyond_rounding, mean};
use vitalcast_models::{SeriesForecaster, SeriesModel};

/// Days of the average, the range and the percentile.
const COMPARISON_DAYS: usize = 30;
/// Weights of the confidence score: the model's R², whether the value lies within the last month's
/// range, and how much of the input was observed (reference contract, C.3, with the real quality).
const R2_WEIGHT: f64 = 0.5;
const RANGE_WEIGHT: f64 = 0.3;
const QUALITY_WEIGHT: f64 = 0.2;
/// What a value outside the last month's range counts for.
const OUT_OF_RANGE: f64 = 0.7;

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
pub fn forecast(
    model: &FittedModel,
    manifest: &Manifest,
    history: &History,
    query: &ForecastQuery,
) -> Result<Forecast, InferenceError> {
    let metric = model.metric;
    let target = query.target_date;
    let profile = &history.profile;
    let as_of: AsOf = if target < profile.day_of(query.now) {
        profile.start_of_day(target)
    } else {
        query.now
    };
    let last_day = target - Days::new(1);
    let origin =
        last_known_day(history, last_day, as_of).ok_or_else(|| InferenceError::NothingKnown {
            target,
            first_day: history
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
    let lookback = model.lookback;
    let days = lookback.max(COMPARISON_DAYS);
    let first_day = target - Days::new(days as u64);
    let layout = DayLayout::new(history, metric, first_day, last_day, lookback, as_of)?;
    let window = layout.last_window();
    let last_observed =
        layout
            .last_observed(window, lookback)
            .ok_or_else(|| InferenceError::NoRecentReading {
                metric,
                first: layout.day(days - lookback),
                last: last_day,
                lookback,
            })?;
    // Days after the last one known are hidden altogether, exactly as they were when the interval
    // of this lead was calibrated.
    let hidden_days = usize::try_from(ahead - 1).expect("the target lies after the origin");
    let value = model
        .forecast_rows(&layout, &[window], hidden_days)?
        .pop()
        .flatten()
        .ok_or(InferenceError::NotFinite(target))?;

    let lead = lead_of(target, Some(last_observed));
    let interval = interval(
        &manifest.calibration,
        metric,
        query.interval_method,
        value,
        query.interval_level,
        lead,
    )
    .ok_or_else(|| {
        InferenceError::UnusableModel("it has no residuals to make an interval".into())
    })?;

    let month: Vec<f64> = layout
        .known(days - COMPARISON_DAYS..days, window.origin)
        .iter()
        .flatten()
        .copied()
        .collect();
    let average = mean(month.iter().copied());
    let quality = model.observed_share(&layout, window);
    let baseline_value = manifest
        .baseline_name
        .as_deref()
        .and_then(SeriesModel::from_name)
        .and_then(|baseline| {
            let known = layout.known(days - lookback..days - hidden_days, window.origin);
            baseline.forecast(&known, hidden_days + 1)
        });
    let prediction = PredictionResult {
        metric,
        target_date: target,
        predicted_at: query.now,
        predicted_value: value,
        confidence_interval_lower: interval.lower,
        confidence_interval_upper: interval.upper,
        confidence_score: confidence(manifest.metrics.r2_score, &month, value, quality),
        historical_average: average,
        deviation_from_average: average.map(|average| beyond_rounding(value - average, average)),
        percentile: percentile(&month, value),
        model_id: query.model_id.clone(),
        model_version: query.model_version.clone(),
        architecture: manifest.architecture,
        interval_level: interval.level,
        interval_method: query.interval_method,
        skill_vs_naive: manifest.skill,
        baseline_name: manifest.baseline_name.clone(),
        baseline_value,
        as_of,
        last_observed_day: layout.last_measured(window, lookback),
        unusual_days: (days - lookback..days)
            .filter(|row| layout.is_unusual(*row))
            .map(|row| layout.day(row))
            .collect(),
    };
    let mut interpretation = words::interpretation(&prediction);
    for sentence in [
        words::of_moment(&history.profile, target, as_of),
        words::of_unusual(&prediction.unusual_days),
        words::of_level(query.interval_level, query.interval_method, &interval),
    ]
    .into_iter()
    .flatten()
    {
        interpretation.push(' ');
        interpretation.push_str(&sentence);
    }
    let recommendation = words::recommendation(metric, prediction.deviation_from_average);
    Ok(Forecast {
        response: PredictResponse {
            user_id: history.user.clone(),
            prediction,
            features_used: manifest.feature_names.len(),
            sequence_length: lookback,
            data_quality_score: quality,
            interpretation,
            recommendation,
            cached: false,
        },
        lead,
    })
}

/// Last day up to `last_day` with a record that was known at `as_of`.
fn last_known_day(history: &History, last_day: NaiveDate, as_of: AsOf) -> Option<NaiveDate> {
    history
        .records
        .iter()
        .map(vitalcast_domain::Record::provenance)
        .filter(|provenance| provenance.known_at <= as_of && provenance.day <= last_day)
        .map(|provenance| provenance.day)
        .max()
}

/// Share of the values at or below `value`, 0 to 100.
fn percentile(values: &[f64], value: f64) -> Option<f64> {
    (!values.is_empty()).then(|| {
        let below = values.iter().filter(|&&other| other <= value).count();
        100.0 * below as f64 / values.len() as f64
    })
}

fn confidence(r2: Option<f64>, month: &[f64], value: f64, quality: f64) -> f64 {
    let lowest = month.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = month.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let inside = (lowest..=highest).contains(&value);
    R2_WEIGHT * r2.unwrap_or(0.0).clamp(0.0, 1.0)
        + RANGE_WEIGHT * if inside { 1.0 } else { OUT_OF_RANGE }
        + QUALITY_WEIGHT * quality.clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_of_no_history_is_null() {
        assert_eq!(percentile(&[], 60.0), None);
    }

    #[test]
    fn percentile_counts_values_at_or_below() {
        assert_eq!(percentile(&[50.0, 60.0, 70.0, 80.0], 60.0), Some(50.0));
    }

    #[test]
    fn confidence_follows_the_contract_with_the_real_quality() {
        let month = [58.0, 62.0];
        let inside = confidence(Some(0.73), &month, 60.0, 0.9);
        assert!((inside - (0.365 + 0.3 + 0.18)).abs() < 1e-12);
        let outside = confidence(None, &month, 70.0, 0.0);
        assert!((outside - 0.21).abs() < 1e-12);
    }
}
