//! Forecasts of a metric that no model of many people knows: the simple forecasts of [`SIMPLE_RUNGS`], chosen
//! and calibrated on the person's own past.
//!
//! Exponential smoothing is served unless another one erred less on the last 60 readings, beyond chance. The
//! interval comes from the errors of the served forecast at the same lead, each made with what was known on
//! its evening, in the scale of the metric's recipe (logarithms of HRV). It follows the last errors
//! (`vitalcast_evaluation::Calibration`), is wider after days without a reading, and has no level that so few
//! errors do not support.

use crate::error::InferenceError;
use crate::panel::PooledRecipe;
use crate::rungs::{SIMPLE_RUNGS, newest_reading, whole_numbers};
use std::ops::RangeInclusive;
use vitalcast_domain::PredictionMetric;
use vitalcast_evaluation::{
    Bounds, Calibration, Distribution, GapFactors, SIGNIFICANT, Step, diebold_mariano, mean,
};
use vitalcast_models::SeriesForecaster;
use vitalcast_pooled::{LEVELS, Transform};
use vitalcast_windows::KnownSeries;

/// The place of exponential smoothing.
const USUAL: usize = SIMPLE_RUNGS.len() - 1;
/// The last readings on which the simple forecasts are compared.
const COMPARED: usize = 60;
/// Readings on which two of them are tested.
const LEAST_TESTED: usize = 20;
/// Errors without which there is no interval: they support 80 %.
const LEAST_ERRORS: usize = 4;

/// A simple forecast that is served, and how it did.
#[derive(Debug, Clone, PartialEq)]
pub struct SimpleForecast {
    /// Its place in [`SIMPLE_RUNGS`].
    pub place: usize,
    /// The value with its intervals, in the unit of the metric.
    pub distribution: Distribution,
    /// Readings on which the simple forecasts were compared, one day ahead.
    pub days: usize,
    /// Its mean absolute error on these; `None` without a reading.
    pub mae: Option<f64>,
    /// Mean absolute error of exponential smoothing on these.
    pub usual_mae: Option<f64>,
    /// p value that it errs no less than exponential smoothing, times the number of other forecasts
    /// (Bonferroni); `None` for smoothing itself.
    pub p: Option<f64>,
}

/// Replays a person with the simple forecast that is served on each evening. There is none before the seventh
/// reading, nor three months after the last one, nor while too few errors of that lead are known.
///
/// # Errors
///
/// [`InferenceError::Evaluation`] for values that are not finite.
///
/// # Panics
///
/// For days beyond the day after the person's last.
pub fn replay_simple(
    metric: PredictionMetric,
    series: &KnownSeries,
    days: RangeInclusive<usize>,
    lead: usize,
    mut visit: impl FnMut(usize, Option<SimpleForecast>),
) -> Result<(), InferenceError> {
    let lead = lead.max(1);
    let said = Said::new(series, *days.end(), lead);
    let transform = PooledRecipe::of(metric).design().transform;
    for origin in days {
        let known = series.known(0..origin, origin.saturating_sub(1));
        let forecast = match newest_reading(&known, (origin + lead).saturating_sub(1)) {
            Ok(_) => said.of(&known, transform)?.ok(),
            Err(_) => None,
        };
        visit(origin, forecast);
    }
    Ok(())
}

/// The simple forecast of one evening.
///
/// # Errors
///
/// Those of [`replay_simple`]. `Ok(Err(missing))` while so many errors of that lead are missing.
pub(crate) fn simple_forecast(
    metric: PredictionMetric,
    series: &KnownSeries,
    origin: usize,
    lead: usize,
) -> Result<Result<SimpleForecast, usize>, InferenceError> {
    let known = series.known(0..origin, origin.saturating_sub(1));
    let transform = PooledRecipe::of(metric).design().transform;
    Said::new(series, origin, lead).of(&known, transform)
}

/// What each simple forecast said on each evening, with what was known then.
struct Said {
    lead: usize,
    /// By place and origin: of the next day.
    next: Vec<Vec<Option<f64>>>,
    /// The same `lead` days ahead.
    ahead: Vec<Vec<Option<f64>>>,
}

/// What a simple forecast said on each evening up to that before a day, `lead` days ahead.
pub(crate) fn said_of(
    series: &KnownSeries,
    last: usize,
    lead: usize,
    place: usize,
) -> Vec<Option<f64>> {
    let said = |origin: usize| {
        let known = series.known(0..origin, origin.saturating_sub(1));
        SIMPLE_RUNGS[place].model.forecast(&known, lead)
    };
    (0..=last).map(said).collect()
}

impl Said {
    fn new(series: &KnownSeries, last: usize, lead: usize) -> Self {
        let of = |lead: usize| {
            let rung = |place: usize| said_of(series, last, lead, place);
            (0..SIMPLE_RUNGS.len()).map(rung).collect::<Vec<_>>()
        };
        Self {
            lead,
            next: of(1),
            ahead: of(lead),
        }
    }

    /// What is served on the evening on which these days are known.
    fn of(
        &self,
        known: &[Option<f64>],
        transform: Transform,
    ) -> Result<Result<SimpleForecast, usize>, InferenceError> {
        let origin = known.len();
        let (place, days, p) = self.best(known)?;
        let errors = |place: usize| last(self.errors(known, place), days);
        let mae = |place: usize| mean(errors(place).into_iter().map(f64::abs));
        let Some(value) = self.ahead[place][origin] else {
            return Ok(Err(LEAST_ERRORS));
        };
        let distribution =
            match with_bounds(&self.ahead[place], known, (value, self.lead), transform)? {
                Ok(distribution) => distribution,
                Err(missing) => return Ok(Err(missing)),
            };
        Ok(Ok(SimpleForecast {
            place,
            distribution: whole_numbers(known, &distribution).unwrap_or(distribution),
            days,
            mae: mae(place),
            usual_mae: mae(USUAL),
            p,
        }))
    }

    /// The errors of a simple forecast of the next day so far.
    fn errors(&self, known: &[Option<f64>], place: usize) -> Vec<f64> {
        let said = self.next[place].iter().zip(known);
        said.filter_map(|(said, measured)| Some((*measured)? - (*said)?))
            .collect()
    }

    /// Which one is served, on how many readings they were compared, and its p value against smoothing.
    fn best(&self, known: &[Option<f64>]) -> Result<(usize, usize, Option<f64>), InferenceError> {
        // All of them answer from the second reading on.
        let usual = last(self.errors(known, USUAL), COMPARED);
        let days = usual.len();
        let size = |errors: &[f64]| mean(errors.iter().map(|error| error.abs()));
        let mut best: Option<(usize, f64, Vec<f64>)> = None;
        for place in (0..SIMPLE_RUNGS.len()).filter(|place| *place != USUAL) {
            let errors = last(self.errors(known, place), days);
            if let Some(mae) = size(&errors).filter(|_| errors.len() == days)
                && best.as_ref().is_none_or(|(_, least, _)| mae < *least)
            {
                best = Some((place, mae, errors));
            }
        }
        if days >= LEAST_TESTED
            && let Some((place, mae, errors)) = best
            && size(&usual).is_some_and(|usual| mae < usual)
            && let Some(test) = diebold_mariano(&errors, &usual, 1)?
        {
            let p = (test.p * USUAL as f64).min(1.0);
            if p < SIGNIFICANT {
                return Ok((place, days, Some(p)));
            }
        }
        Ok((USUAL, days, None))
    }
}

/// A forecast of so many days ahead with the intervals of its own errors at that lead, where these days are known
/// and `said` is what the same forecast said on each evening; else how many errors are missing.
pub(crate) fn with_bounds(
    said: &[Option<f64>],
    known: &[Option<f64>],
    (value, lead): (f64, usize),
    transform: Transform,
) -> Result<Result<Distribution, usize>, InferenceError> {
    let mut gap = 0;
    let mut steps: Vec<(Step, usize)> = Vec::new();
    for origin in 0..known.len() {
        let target = origin + lead - 1;
        let measured = known.get(target).copied().flatten();
        let both = measured.zip(said[origin]);
        if let Some((observed, forecast)) = both
            .and_then(|(measured, said)| Some((transform.apply(measured)?, transform.apply(said)?)))
        {
            let step = Step {
                origin,
                target,
                forecast,
                observed,
                scale: 1.0,
                counts: true,
            };
            steps.push((step, gap));
        }
        gap = if known[origin].is_some() { 0 } else { gap + 1 };
    }
    if steps.len() < LEAST_ERRORS {
        return Ok(Err(LEAST_ERRORS - steps.len()));
    }
    let sizes = steps
        .iter()
        .map(|(step, gap)| (*gap, (step.observed - step.forecast).abs()));
    let gaps = GapFactors::fit(sizes)?;
    // What intervals learn from is the error as it would have been without a gap.
    let steps: Vec<Step> = steps
        .into_iter()
        .map(|(step, gap)| Step {
            observed: step.forecast + (step.observed - step.forecast) / gaps.after(gap),
            ..step
        })
        .collect();
    let calibration = Calibration::fit(&[&steps], &LEVELS, true)?;
    let mut intervals = calibration.follow()?;
    for step in steps {
        intervals.push(step);
    }
    intervals.learn_until(known.len());
    let factor = gaps.after(gap);
    let middle = transform.apply(value).unwrap_or(f64::NAN);
    let bounds = intervals
        .bounds(middle, 1.0)
        .into_iter()
        .map(|(level, lower, upper)| Bounds {
            level,
            lower: transform
                .invert(middle + (lower - middle) * factor)
                .min(value),
            upper: transform
                .invert(middle + (upper - middle) * factor)
                .max(value),
        });
    Ok(Ok(Distribution::new(value, bounds.collect())?))
}

/// The last values of a list.
fn last(mut values: Vec<f64>, count: usize) -> Vec<f64> {
    values.split_off(values.len().saturating_sub(count))
}
