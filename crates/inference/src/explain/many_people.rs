//! The parts of a forecast of a model of many people.
//!
//! The model is linear in its own scale. In the unit of the metric, each part gets its share by Aumann and
//! Shapley (1974), the Shapley value of many small steps from the base to the forecast: for a sum in the
//! scale of the model, part × (g(z) − g(b)) / (z − b), where g is the way back from that scale. Rounding to
//! whole numbers is a part of its own. Where a simple forecast is served in its place, that one is taken
//! apart.

use super::{Explaining, ForecastSum, limits, names, sum_of, whole_numbers};
use crate::error::InferenceError;
use crate::forecast::{Asked, COMPARISON_DAYS, last};
use crate::many_people::{WholeRead, distribution_of, plausible, simple_of};
use crate::rungs::SIMPLE_RUNGS;
use crate::words;
use vitalcast_domain::{
    ExplainedFeature, ExplanationComputation, FeatureCategory, MetricType, PredictionMetric,
};
use vitalcast_models::TreeGame;
use vitalcast_pooled::{CORRECTION, Corrected, PooledModel};

pub(super) fn explaining(
    metric: PredictionMetric,
    model: Corrected<'_>,
    asked: &Asked<'_>,
    trees: TreeGame,
) -> Result<Explaining, InferenceError> {
    let read = WholeRead::new(metric, Some(model), asked)?;
    let (person, end, ahead) = (&read.person, read.end, asked.ahead);
    let failed = || InferenceError::NotFinite(asked.query.target_date);
    let forecasts = read.forecasts(model, asked)?;
    let value = distribution_of(metric, &forecasts, asked)?.value();
    let all = read.days.person.series.known(0..read.count, read.count);
    let days = last(&all, COMPARISON_DAYS).to_vec();
    if let Some((rung, _)) = simple_of(&forecasts, asked) {
        let parts = rung.model.parts(&read.known, ahead, trees)?;
        let meaning = format!(
            "the mean of your readings of {} days; what is served is {}, which has erred less here than \
             any model",
            read.known.len(),
            words::baseline_words(rung.name)
        );
        let sum = sum_of(
            metric,
            parts.ok_or_else(failed)?,
            &read.known,
            value,
            meaning,
        );
        return Ok(Explaining {
            value,
            as_of: asked.as_of,
            days,
            sum: Some(sum),
        });
    }
    let (from, contributions) = model.explain(person, end, ahead).ok_or_else(failed)?;
    let transform = model.model.design().transform;
    let to = from + contributions.iter().map(|part| part.amount).sum::<f64>();
    let (base, exact) = (transform.invert(from), transform.invert(to));
    // The slope of the way back on average; at a single place the limit is the slope there.
    let slope = if (to - from).abs() > f64::EPSILON * from.abs() {
        (exact - base) / (to - from)
    } else {
        let step = 1e-6 * from.abs().max(1.0);
        (transform.invert(from + step) - transform.invert(from - step)) / (2.0 * step)
    };
    let own = names::of_own_history(metric, read.known.iter().rev().find_map(|reading| *reading));
    let mut parts: Vec<(ExplainedFeature, f64)> = Vec::new();
    for part in contributions {
        let feature = match group_of(&part.name) {
            Group::Own => own.clone(),
            Group::Weekday => names::of_other(
                "temporal_weekday",
                "the day of the week",
                FeatureCategory::Temporal,
            ),
            Group::Gap => names::of_other(
                "health_gap",
                "days since the last reading",
                FeatureCategory::Health,
            ),
            Group::Correction => names::of_other(
                "health_network",
                "what a network sees in your last weeks",
                FeatureCategory::Health,
            ),
            Group::Series(series) => {
                names::of_series(series, last_value(model.model, &read, series))
            }
        };
        let amount = part.amount * slope;
        match parts.iter_mut().find(|(other, _)| *other == feature) {
            Some((_, sum)) => *sum += amount,
            None => parts.push((feature, amount)),
        }
    }
    let measured = forecasts.of_model.distribution.value();
    let rounding = measured - exact;
    // Whole numbers only; the rest is the last digits of sums.
    if rounding.abs() > 1e-9 {
        parts.push((whole_numbers(), rounding));
    }
    if value != measured {
        parts.push((limits(), value - measured));
    }
    let base_meaning = if model.model.starts_from_last_reading(person) {
        "your last reading"
    } else {
        "your level: a mean of your readings in which later ones count more"
    };
    Ok(Explaining {
        value,
        as_of: asked.as_of,
        days,
        sum: Some(ForecastSum {
            base,
            base_meaning: base_meaning.to_owned(),
            parts,
            computation: ExplanationComputation::AumannShapley,
            members: Vec::new(),
        }),
    })
}

/// The parts of the simple forecast that does best on the person's own past.
pub(super) fn explaining_simple(
    metric: PredictionMetric,
    asked: &Asked<'_>,
    trees: TreeGame,
) -> Result<Explaining, InferenceError> {
    let read = WholeRead::new(metric, None, asked)?;
    let forecast = read.simple(metric, asked)?;
    let value = plausible(metric, &forecast.distribution)?.value();
    let rung = &SIMPLE_RUNGS[forecast.place];
    let parts = rung.model.parts(&read.known, asked.ahead, trees)?;
    let parts = parts.ok_or(InferenceError::NotFinite(asked.query.target_date))?;
    let meaning = format!(
        "the mean of your readings of {} days; what is served is {}",
        read.known.len(),
        words::baseline_words(rung.name)
    );
    let all = read.days.person.series.known(0..read.count, read.count);
    Ok(Explaining {
        value,
        as_of: asked.as_of,
        days: last(&all, COMPARISON_DAYS).to_vec(),
        sum: Some(sum_of(metric, parts, &read.known, value, meaning)),
    })
}

/// What a feature of the model belongs to.
enum Group {
    Own,
    Weekday,
    Gap,
    Correction,
    Series(MetricType),
}

fn group_of(name: &str) -> Group {
    // How far a series lies above the metric is told by that series.
    let series = name.split(" - ").next().unwrap_or(name);
    match name {
        _ if series.parse::<MetricType>().is_ok() => {
            series.parse().map_or(Group::Own, Group::Series)
        }
        "weekday's own mean" | "Mon" | "Tue" | "Wed" | "Thu" | "Fri" | "Sat" | "Sun" => {
            Group::Weekday
        }
        "gap" => Group::Gap,
        CORRECTION => Group::Correction,
        _ => Group::Own,
    }
}

/// The last value of a series.
fn last_value(model: &PooledModel, read: &WholeRead, series: MetricType) -> Option<f64> {
    let covariates = &model.design().covariates;
    let place = covariates
        .iter()
        .position(|covariate| covariate.name == series.as_str())?;
    let known = read.person.covariates.get(place)?.as_ref()?;
    let days = known.days();
    known
        .known(0..days, days)
        .iter()
        .rev()
        .find_map(|value| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_the_model_fall_into_groups() {
        let own = [
            "intercept",
            "last",
            "median of 7 readings",
            "3 days before",
            "population",
        ];
        assert!(own.iter().all(|name| matches!(group_of(name), Group::Own)));
        assert!(matches!(group_of("Sat"), Group::Weekday));
        assert!(matches!(group_of("gap"), Group::Gap));
        assert!(matches!(group_of(CORRECTION), Group::Correction));
        for name in [
            "SLEEPING_HEART_RATE",
            "SLEEPING_HEART_RATE - RESTING_HEART_RATE",
        ] {
            let group = group_of(name);
            assert!(matches!(
                group,
                Group::Series(MetricType::SleepingHeartRate)
            ));
        }
    }
}
