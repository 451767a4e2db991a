//! Forecasts of a model that has learned from many people: it reads the person's whole history, and needs
//! no training on the person.

use crate::error::InferenceError;
use crate::forecast::{Asked, COMPARISON_DAYS, Outlook, last};
use crate::interval::{Interval, REFERENCE_FACTOR};
use crate::panel::{PersonDays, PooledRecipe};
use crate::rungs::{SIMPLE_RUNGS, SimpleRung, replay_served};
use crate::words;
use vitalcast_domain::{
    ForecastChoice, IntervalMethod, MetricType, ModelArchitecture, PredictionMetric,
};
use vitalcast_evaluation::{Bounds, Distribution, skill};
use vitalcast_models::SeriesForecaster;
use vitalcast_pooled::{Compared, Corrected, GatedForecast, Person, PooledForecast};

/// Readings from which on a person gets a forecast of a model of many people.
pub const LEAST_READINGS: usize = 7;
/// Readings without which nothing is said about skill.
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
        model: Corrected<'_>,
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
            let (low, high) = model.model.usual_range();
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
    let read = WholeRead::new(metric, model, asked)?;
    distribution_of(metric, &read.forecasts(model, asked)?, asked)
}

pub(crate) fn of_many_people(
    metric: PredictionMetric,
    model: Corrected<'_>,
    asked: &Asked<'_>,
) -> Result<Outlook, InferenceError> {
    let Asked { query, ahead, .. } = *asked;
    let read = WholeRead::new(metric, model, asked)?;
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
    let interval = match query.interval_method {
        IntervalMethod::ResidualQuantiles => quantiles(&distribution, query.interval_level),
        IntervalMethod::ReferenceMae => past
            .served_mae
            .map(|mae| around(&distribution, REFERENCE_FACTOR * mae)),
    };
    let interval = interval
        .map(|bounds| Interval {
            lower: bounds.lower,
            upper: bounds.upper,
            level: bounds.level,
            residual_count: forecasts.compared.days.max(1),
        })
        .ok_or_else(|| {
            InferenceError::UnusableModel("it has no errors to make an interval".into())
        })?;
    let baseline = past.baseline;
    let baseline_value = baseline.and_then(|baseline| baseline.model.forecast(&known, ahead));
    let month = last(&series, COMPARISON_DAYS);
    Ok(Outlook {
        interval,
        lead: (count - newest).clamp(1, vitalcast_domain::MAX_HORIZON_DAYS),
        quality: month.iter().flatten().count() as f64 / month.len().max(1) as f64,
        skill: past.skill,
        baseline_name: baseline.map(|baseline| baseline.name.to_owned()),
        baseline_value,
        last_measured: measured(&days, count).map(|day| days.date(day)),
        unusual_days: (count.saturating_sub(COMPARISON_DAYS)..count)
            .filter(|day| {
                days.measured.value(*day, count).is_some()
                    && days.person.series.value(*day, count).is_none()
            })
            .map(|day| days.date(day))
            .collect(),
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
