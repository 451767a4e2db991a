//! Forecasts of a model that has learned from many people: it reads the person's whole history, and needs
//! no training on the person.

use crate::error::InferenceError;
use crate::forecast::{Asked, COMPARISON_DAYS, Outlook, last};
use crate::interval::{Interval, REFERENCE_FACTOR};
use crate::panel::{PersonDays, PooledRecipe};
use vitalcast_domain::{IntervalMethod, MetricType, PredictionMetric};
use vitalcast_evaluation::{Bounds, Distribution, mean, skill};
use vitalcast_models::{SeriesForecaster, SeriesModel};
use vitalcast_pooled::{Person, PooledModel};

/// Readings from which on a person gets a forecast of a model of many people.
pub const LEAST_READINGS: usize = 7;
/// The last days on which the model and simple baselines are compared.
const COMPARED_DAYS: usize = 60;
/// Forecasts of these without which nothing is said about skill.
const LEAST_COMPARED: usize = 7;

/// A person's whole history, as a forecast reads it.
pub(crate) struct WholeRead {
    pub(crate) days: PersonDays,
    /// Days laid out.
    pub(crate) count: usize,
    /// The day after the last one with any record.
    pub(crate) end: usize,
    /// What is known of the days before.
    pub(crate) person: Person,
    /// The metric's days of these.
    pub(crate) known: Vec<Option<f64>>,
    /// The last of them with a reading.
    pub(crate) newest: usize,
}

impl WholeRead {
    pub(crate) fn new(
        metric: PredictionMetric,
        model: &PooledModel,
        asked: &Asked<'_>,
    ) -> Result<Self, InferenceError> {
        let Asked {
            person: data,
            query,
            as_of,
            last_day,
            ahead,
        } = *asked;
        let target = query.target_date;
        let first_day = data
            .span()
            .map_or(last_day, |(first, _)| first.min(last_day));
        let days = PooledRecipe::of(metric).lay_out(data, first_day, last_day, as_of)?;
        let count = days.person.days();
        let end = count + 1 - ahead;
        let person = days.person.as_known(count, end);
        let found = person.series.known(0..end, end).iter().flatten().count();
        if found < LEAST_READINGS {
            let (low, high) = model.usual_range();
            return Err(InferenceError::TooFewReadings {
                metric,
                target,
                found,
                needed: LEAST_READINGS,
                missing: LEAST_READINGS - found,
                low,
                high,
                unit: metric.unit_label(),
            });
        }
        let known = person.series.known(0..end, end).into_owned();
        let newest = known.iter().rposition(Option::is_some);
        let Some(newest) = newest.filter(|newest| newest + COMPARISON_DAYS >= count) else {
            return Err(InferenceError::NoRecentReading {
                metric,
                first: days.date(count.saturating_sub(COMPARISON_DAYS)),
                last: last_day,
                lookback: COMPARISON_DAYS,
            });
        };
        Ok(Self {
            days,
            count,
            end,
            person,
            known,
            newest,
        })
    }

    /// What the model says of the target.
    fn distribution(
        &self,
        metric: PredictionMetric,
        model: &PooledModel,
        asked: &Asked<'_>,
    ) -> Result<Distribution, InferenceError> {
        let mut forecast = None;
        let evening = self.end..=self.end;
        model.replay(&self.person, evening, asked.ahead, |_, of_day| {
            forecast = of_day;
        });
        let forecast = forecast.ok_or(InferenceError::NotFinite(asked.query.target_date))?;
        plausible(metric, &forecast.distribution)
    }
}

/// What the model says of a day, and nothing beside.
pub(crate) fn expected_of_many_people(
    metric: PredictionMetric,
    model: &PooledModel,
    asked: &Asked<'_>,
) -> Result<Distribution, InferenceError> {
    WholeRead::new(metric, model, asked)?.distribution(metric, model, asked)
}

pub(crate) fn of_many_people(
    metric: PredictionMetric,
    model: &PooledModel,
    asked: &Asked<'_>,
) -> Result<Outlook, InferenceError> {
    let Asked { query, ahead, .. } = *asked;
    let read = WholeRead::new(metric, model, asked)?;
    let distribution = read.distribution(metric, model, asked)?;
    let WholeRead {
        days,
        count,
        end,
        person,
        known,
        newest,
    } = read;
    let past = Past::of(model, &person, end);
    let series = days.person.series.known(0..count, count).into_owned();
    let interval = match query.interval_method {
        IntervalMethod::ResidualQuantiles => quantiles(&distribution, query.interval_level),
        IntervalMethod::ReferenceMae => past
            .mae
            .map(|mae| around(&distribution, REFERENCE_FACTOR * mae)),
    };
    let interval = interval
        .map(|bounds| Interval {
            lower: bounds.lower,
            upper: bounds.upper,
            level: bounds.level,
            residual_count: past.days.max(1),
        })
        .ok_or_else(|| {
            InferenceError::UnusableModel("it has no errors to make an interval".into())
        })?;
    let baseline = past.baseline.as_ref();
    let month = last(&series, COMPARISON_DAYS);
    Ok(Outlook {
        interval,
        lead: (count - newest).clamp(1, vitalcast_domain::MAX_HORIZON_DAYS),
        quality: month.iter().flatten().count() as f64 / month.len().max(1) as f64,
        skill: past.skill,
        baseline_name: baseline.map(|(baseline, _)| baseline.name().to_owned()),
        baseline_value: baseline.and_then(|(baseline, _)| baseline.forecast(&known, ahead)),
        last_measured: measured(&days, count).map(|day| days.date(day)),
        unusual_days: (count.saturating_sub(COMPARISON_DAYS)..count)
            .filter(|day| {
                days.measured.value(*day, count).is_some()
                    && days.person.series.value(*day, count).is_none()
            })
            .map(|day| days.date(day))
            .collect(),
        series_read: person.covariates.iter().flatten().count() + 1,
        days_read: count,
        remarks: past.remarks(),
        days: series,
        distribution,
    })
}

/// The last day with a reading of any kind.
fn measured(days: &PersonDays, count: usize) -> Option<usize> {
    (0..count)
        .rev()
        .find(|day| days.measured.value(*day, count).is_some())
}

/// The interval of a level, or of the highest one that there is.
fn quantiles(distribution: &Distribution, level: f64) -> Option<Bounds> {
    distribution
        .interval(level)
        .or_else(|| distribution.intervals().last().copied())
}

/// An interval of a given half width, with its level.
fn around(distribution: &Distribution, half: f64) -> Bounds {
    /// A level is above 0; this is as good as nothing.
    const LEAST_LEVEL: f64 = 0.01;
    let value = distribution.value();
    let (lower, upper) = (value - half, value + half);
    let level = 1.0 - distribution.probability_outside(lower, upper);
    Bounds {
        level: level.max(LEAST_LEVEL),
        lower,
        upper,
    }
}

/// The forecast within what a body can show.
pub(crate) fn plausible(
    metric: PredictionMetric,
    distribution: &Distribution,
) -> Result<Distribution, InferenceError> {
    let metric_type: MetricType = metric.metric_type();
    let (low, high) = metric_type.plausible_range();
    let bounds = distribution.intervals().iter().map(|bounds| Bounds {
        level: bounds.level,
        lower: bounds.lower.clamp(low, high),
        upper: bounds.upper.clamp(low, high),
    });
    Ok(Distribution::new(
        distribution.value().clamp(low, high),
        bounds.collect(),
    )?)
}

/// The model on the person's last days, none of which it has learned from, compared with the best simple
/// baseline before them.
struct Past {
    days: usize,
    mae: Option<f64>,
    baseline: Option<(SeriesModel, f64)>,
    skill: Option<f64>,
}

impl Past {
    fn of(model: &PooledModel, person: &Person, end: usize) -> Self {
        let series = person.series.known(0..end, end);
        let observed: Vec<usize> = (0..end).filter(|day| series[*day].is_some()).collect();
        let compared = last(
            &observed,
            COMPARED_DAYS.min(observed.len().saturating_sub(LEAST_READINGS)),
        );
        let first = compared.first().copied().unwrap_or(end);
        let mut errors = Vec::new();
        if first < end {
            model.replay(person, first..=end - 1, 1, |day, forecast| {
                if let (Some(value), Some(forecast)) = (series[day], forecast) {
                    errors.push((value - forecast.distribution.value()).abs());
                }
            });
        }
        let error_of = |baseline: &SeriesModel, days: &[usize]| {
            mean(days.iter().filter_map(|day| {
                Some((series[*day]? - baseline.forecast(&series[..*day], 1)?).abs())
            }))
        };
        // Chosen where there are days before the compared ones, else on them: never in the model's favour.
        let before = &observed[1.min(observed.len())..observed.len() - compared.len()];
        let before = last(before, COMPARED_DAYS);
        let chosen_on = if before.len() >= LEAST_COMPARED {
            before
        } else {
            compared
        };
        let baseline = SeriesModel::simple()
            .into_iter()
            .filter_map(|baseline| Some((error_of(&baseline, chosen_on)?, baseline)))
            .min_by(|(left, _), (right, _)| left.total_cmp(right))
            .and_then(|(_, baseline)| Some((error_of(&baseline, compared)?, baseline)))
            .map(|(mae, baseline)| (baseline, mae));
        let mae = mean(errors.iter().copied());
        let enough = errors.len() >= LEAST_COMPARED;
        let skill = mae
            .zip(baseline.as_ref())
            .filter(|_| enough)
            .and_then(|(mae, (_, baseline))| skill(mae, *baseline).ok().flatten());
        Self {
            days: errors.len(),
            mae,
            baseline: baseline.filter(|_| enough),
            skill,
        }
    }

    /// Whose experience the forecast rests on.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = vec![
            "It comes from the days of other people and from your own last days, without a training on \
             yours."
                .to_owned(),
        ];
        if self.baseline.is_none() {
            remarks.push(
                "There are too few days yet to say whether it is better than \"same as usual\"."
                    .to_owned(),
            );
        }
        remarks
    }
}
