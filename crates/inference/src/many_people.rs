//! Forecasts of a model that has learned from many people: it reads the person's whole history, and needs
//! no training on the person.

use crate::error::{InferenceError, UsualValues};
use crate::forecast::{Asked, COMPARISON_DAYS, ForecastQuery, Outlook, last};
use crate::interval::{Interval, REFERENCE_FACTOR};
use crate::ladder::{SimpleForecast, simple_forecast};
use crate::panel::{PersonDays, PooledRecipe};
use crate::rungs::{
    LEAST_READINGS, Lack, RECENT_DAYS, SIMPLE_RUNGS, SimpleRung, is_whole, newest_reading,
    replay_served,
};
use crate::words;
use chrono::NaiveDate;
use vitalcast_domain::{
    ForecastChoice, IntervalMethod, MetricType, ModelArchitecture, PredictionMetric,
};
use vitalcast_evaluation::{Bounds, Distribution, skill};
use vitalcast_models::SeriesForecaster;
use vitalcast_pooled::{Compared, Corrected, GatedForecast, Person, PooledForecast, rounded};

/// Readings without which nothing is said about skill.
const LEAST_COMPARED: usize = 7;

/// A person's whole history, as a forecast reads it.
pub(crate) struct WholeRead {
    pub(crate) days: PersonDays,
    /// Days laid out.
    pub(crate) count: usize,
    /// The day after the origin.
    pub(crate) end: usize,
    /// What is known of the days before.
    pub(crate) person: Person,
    /// The metric's days of these.
    pub(crate) known: Vec<Option<f64>>,
    /// The last of them with a reading.
    pub(crate) newest: usize,
}

impl WholeRead {
    /// With what is usual among people, to say it where there are too few readings.
    pub(crate) fn new(
        metric: PredictionMetric,
        model: Option<Corrected<'_>>,
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
        let known = person.series.known(0..end, end).into_owned();
        let newest = newest_reading(&known, count).map_err(|lack| match lack {
            Lack::Readings(found) => {
                let usual = model.map(|model| {
                    let (low, high) = model.model.usual_range();
                    let unit = metric.unit_label();
                    UsualValues { low, high, unit }
                });
                InferenceError::TooFewReadings {
                    metric,
                    target,
                    found,
                    needed: LEAST_READINGS,
                    missing: LEAST_READINGS - found,
                    usual,
                }
            }
            Lack::Recent => InferenceError::NoRecentReading {
                metric,
                first: days.date(count.saturating_sub(RECENT_DAYS)),
                last: last_day,
                lookback: RECENT_DAYS,
            },
        })?;
        Ok(Self {
            days,
            count,
            end,
            person,
            known,
            newest,
        })
    }

    /// The simple forecast that does best on the person's own past.
    pub(crate) fn simple(
        &self,
        metric: PredictionMetric,
        asked: &Asked<'_>,
    ) -> Result<SimpleForecast, InferenceError> {
        let series = &self.person.series;
        simple_forecast(metric, series, self.end, asked.ahead)?.map_err(|missing| {
            let found = self.known.iter().flatten().count();
            InferenceError::TooFewReadings {
                metric,
                target: asked.query.target_date,
                found,
                needed: found + missing,
                missing,
                usual: None,
            }
        })
    }

    /// What the model and simple forecasts say of the target.
    pub(crate) fn forecasts(
        &self,
        model: Corrected<'_>,
        asked: &Asked<'_>,
    ) -> Result<GatedForecast, InferenceError> {
        let mut forecast = None;
        let evening = self.end..=self.end;
        replay_served(model, &self.person, evening, asked.ahead, |_, of_day| {
            forecast = of_day;
        });
        forecast.ok_or(InferenceError::NotFinite(asked.query.target_date))
    }
}

/// The simple forecast that is served, if one is, and what it says.
pub(crate) fn simple_of<'f>(
    forecasts: &'f GatedForecast,
    asked: &Asked<'_>,
) -> Option<(&'static SimpleRung, &'f PooledForecast)> {
    let simple = forecasts.simple.as_ref();
    let (place, forecast) = simple.filter(|_| asked.query.is_gated)?;
    Some((&SIMPLE_RUNGS[*place], forecast))
}

/// The forecast that is served, within what a body can show.
pub(crate) fn distribution_of(
    metric: PredictionMetric,
    forecasts: &GatedForecast,
    asked: &Asked<'_>,
) -> Result<Distribution, InferenceError> {
    let served = simple_of(forecasts, asked).map_or(&forecasts.of_model, |(_, simple)| simple);
    plausible(metric, &served.distribution)
}

/// What is served of a day, and nothing beside.
pub(crate) fn expected_of_many_people(
    metric: PredictionMetric,
    model: Corrected<'_>,
    asked: &Asked<'_>,
) -> Result<Distribution, InferenceError> {
    let read = WholeRead::new(metric, Some(model), asked)?;
    distribution_of(metric, &read.forecasts(model, asked)?, asked)
}

pub(crate) fn of_many_people(
    metric: PredictionMetric,
    model: Corrected<'_>,
    asked: &Asked<'_>,
) -> Result<Outlook, InferenceError> {
    let Asked { query, ahead, .. } = *asked;
    let read = WholeRead::new(metric, Some(model), asked)?;
    let forecasts = read.forecasts(model, asked)?;
    let distribution = distribution_of(metric, &forecasts, asked)?;
    let simple = simple_of(&forecasts, asked).map(|(rung, _)| rung);
    let WholeRead {
        days,
        count,
        person,
        known,
        newest,
        ..
    } = read;
    let past = Past::of(&forecasts.compared, simple);
    let (named, remark) = match model.correction {
        None => (ModelArchitecture::Pooled, OF_MANY_PEOPLE),
        Some(_) => (ModelArchitecture::PooledLstm, OF_MANY_PEOPLE_AND_YOU),
    };
    let series = days.person.series.known(0..count, count).into_owned();
    let interval = interval_of(
        &distribution,
        query,
        past.served_mae,
        forecasts.compared.days,
    )?;
    let baseline = past.baseline;
    let is_whole = known.iter().copied().all(is_whole);
    let baseline_value = baseline
        .and_then(|baseline| baseline.model.forecast(&known, ahead))
        .map(|value| rounded(is_whole, value));
    let month = last(&series, COMPARISON_DAYS);
    Ok(Outlook {
        interval,
        lead: (count - newest).clamp(1, vitalcast_domain::MAX_HORIZON_DAYS),
        quality: month.iter().flatten().count() as f64 / month.len().max(1) as f64,
        skill: past.skill,
        baseline_name: baseline.map(|baseline| baseline.name.to_owned()),
        baseline_value,
        last_measured: measured(&days, count).map(|day| days.date(day)),
        unusual_days: unusual_days(&days, count),
        series_read: match simple {
            Some(_) => 1,
            None => person.covariates.iter().flatten().count() + 1,
        },
        days_read: count,
        choice: Some(past.choice(metric, named, &forecasts.compared, simple)),
        remarks: match simple {
            Some(_) => Vec::new(),
            None => vec![remark.to_owned()],
        },
        days: series,
        distribution,
    })
}

/// The outlook of the simple forecast that does best on the person's own past.
pub(crate) fn of_simple(
    metric: PredictionMetric,
    asked: &Asked<'_>,
) -> Result<Outlook, InferenceError> {
    let read = WholeRead::new(metric, None, asked)?;
    let forecast = read.simple(metric, asked)?;
    let distribution = plausible(metric, &forecast.distribution)?;
    let interval = interval_of(&distribution, asked.query, forecast.mae, forecast.days)?;
    let WholeRead {
        days,
        count,
        newest,
        ..
    } = read;
    let series = days.person.series.known(0..count, count).into_owned();
    let month = last(&series, COMPARISON_DAYS);
    let rung = &SIMPLE_RUNGS[forecast.place];
    let is_compared = forecast.days >= LEAST_COMPARED;
    let mut choice = ForecastChoice {
        served: rung.name.to_owned(),
        reason: String::new(),
        days: forecast.days,
        model_mae: None,
        baseline: is_compared.then(|| rung.name.to_owned()),
        baseline_mae: forecast.mae.filter(|_| is_compared),
        p: forecast.p,
    };
    choice.reason = words::of_simple_choice(metric, &choice);
    Ok(Outlook {
        interval,
        lead: (count - newest).clamp(1, vitalcast_domain::MAX_HORIZON_DAYS),
        quality: month.iter().flatten().count() as f64 / month.len().max(1) as f64,
        skill: None,
        baseline_name: Some(rung.name.to_owned()),
        baseline_value: Some(distribution.value()),
        last_measured: measured(&days, count).map(|day| days.date(day)),
        unusual_days: unusual_days(&days, count),
        series_read: 1,
        days_read: count,
        choice: Some(choice),
        remarks: Vec::new(),
        days: series,
        distribution,
    })
}

/// What the simple forecast that does best on the person's own past says of a day, and nothing beside.
pub(crate) fn expected_of_simple(
    metric: PredictionMetric,
    asked: &Asked<'_>,
) -> Result<Distribution, InferenceError> {
    let read = WholeRead::new(metric, None, asked)?;
    plausible(metric, &read.simple(metric, asked)?.distribution)
}

/// The interval of a forecast of which so many errors are known.
fn interval_of(
    distribution: &Distribution,
    query: &ForecastQuery,
    mae: Option<f64>,
    errors: usize,
) -> Result<Interval, InferenceError> {
    let bounds = match query.interval_method {
        IntervalMethod::ResidualQuantiles => quantiles(distribution, query.interval_level),
        IntervalMethod::ReferenceMae => mae.map(|mae| around(distribution, REFERENCE_FACTOR * mae)),
    };
    let bounds = bounds.ok_or_else(|| {
        InferenceError::UnusableModel("it has no errors to make an interval".into())
    })?;
    Ok(Interval {
        lower: bounds.lower,
        upper: bounds.upper,
        level: bounds.level,
        residual_count: errors.max(1),
    })
}

/// The days of the last month with a reading that models do not read.
fn unusual_days(days: &PersonDays, count: usize) -> Vec<NaiveDate> {
    (count.saturating_sub(COMPARISON_DAYS)..count)
        .filter(|day| {
            days.measured.value(*day, count).is_some()
                && days.person.series.value(*day, count).is_none()
        })
        .map(|day| days.date(day))
        .collect()
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

/// Whose experience a forecast of the model rests on.
const OF_MANY_PEOPLE: &str = "It comes from the days of other people and from your own last days, without a \
                              training on yours.";

/// The same of a model that a network corrects.
const OF_MANY_PEOPLE_AND_YOU: &str = "It comes from the days of other people and from your own: a network of \
                                      many people's days, fine-tuned on yours as far as that helps.";

/// How the model and the best simple forecast did on the person's last readings.
struct Past {
    /// The best simple forecast, once there are enough readings to say so.
    baseline: Option<&'static SimpleRung>,
    /// Mean absolute error of what is served.
    served_mae: Option<f64>,
    /// Skill of what is served against the best simple forecast.
    skill: Option<f64>,
}

impl Past {
    fn of(compared: &Compared, simple: Option<&'static SimpleRung>) -> Self {
        let best = compared.best.filter(|_| compared.days >= LEAST_COMPARED);
        let served_mae = match (simple, best) {
            (Some(_), Some(best)) => Some(best.mae),
            (Some(_) | None, _) => compared.mae,
        };
        Self {
            baseline: best.map(|best| &SIMPLE_RUNGS[best.place]),
            served_mae,
            skill: served_mae
                .zip(best)
                .and_then(|(mae, best)| skill(mae, best.mae).ok().flatten()),
        }
    }

    fn choice(
        &self,
        metric: PredictionMetric,
        named: ModelArchitecture,
        compared: &Compared,
        simple: Option<&'static SimpleRung>,
    ) -> ForecastChoice {
        let best = compared.best.filter(|_| self.baseline.is_some());
        let mut choice = ForecastChoice {
            served: simple.map_or(named.as_str(), |rung| rung.name).to_owned(),
            reason: String::new(),
            days: compared.days,
            model_mae: compared.mae,
            baseline: self.baseline.map(|baseline| baseline.name.to_owned()),
            baseline_mae: best.map(|best| best.mae),
            p: best.and_then(|best| best.p),
        };
        choice.reason = words::of_choice(metric, &choice);
        choice
    }
}
