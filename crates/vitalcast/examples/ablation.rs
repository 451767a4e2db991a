//! What each part of the recipe of the model of many people is worth: its error with one part left out at a
//! time.
//!
//! Argument: the folder with the data sets `lifesnaps` and `t1d-uom`. The last 40 % of the readings of
//! everyone with at least 30 are scored, one day ahead, in five folds of people: a model learns from all days
//! of the people of other folds and from the earlier days of the scored ones.
//!
//! ```text
//! cargo run --release -p vitalcast --example ablation -- DIR
//! ```

#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

mod development;

use chrono::{DateTime, Utc};
use development::{DATA_SETS, FOLDS, SERIES, read};
use rayon::prelude::*;
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use vitalcast::{History, PredictionMetric};
use vitalcast_inference::{PersonDays, PooledRecipe};
use vitalcast_pooled::{Design, Learner, Part, PooledModel};

const LEAST_READINGS: usize = 30;
const SCORED_SHARE: f64 = 0.4;

struct OfPerson {
    data_set: usize,
    fold: usize,
    days: PersonDays,
    /// Each day as it is known in the end.
    observed: Vec<Option<f64>>,
    /// Empty for people with too few readings, who only teach.
    scored: Range<usize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("expected a folder")?;
    let now: DateTime<Utc> = "2026-01-01T00:00:00Z".parse()?;
    let mut histories = Vec::new();
    for (place, data_set) in DATA_SETS.iter().enumerate() {
        for history in read(&Path::new(&folder).join(data_set), now)? {
            histories.push((place, history));
        }
    }
    let variants: Vec<Option<Part>> = std::iter::once(None)
        .chain(Part::ALL.into_iter().map(Some))
        .collect();
    let mut errors = vec![Vec::new(); variants.len()];
    for &metric in PredictionMetric::ALL {
        let series: Vec<usize> = (0..SERIES.len())
            .filter(|place| SERIES[*place].1 == metric)
            .collect();
        if series.is_empty() {
            continue;
        }
        let people = people(&histories, metric, now)?;
        let found: Vec<Vec<f64>> = variants
            .par_iter()
            .map(|without| errors_without(&people, metric, *without))
            .collect::<Result<_, _>>()?;
        for (errors, found) in errors.iter_mut().zip(found) {
            for &place in &series {
                errors.push((place, found[SERIES[place].0]));
            }
        }
    }
    println!("MAE of {SERIES:?}");
    for (variant, errors) in variants.iter().zip(&mut errors) {
        errors.sort_by_key(|(place, _)| *place);
        let name = variant.map_or_else(|| "whole".to_owned(), |part| format!("without {part:?}"));
        let numbers: Vec<String> = errors.iter().map(|(_, mae)| format!("{mae:.3}")).collect();
        println!("| {name} | {} |", numbers.join(" | "));
    }
    Ok(())
}

/// The days of people with a reading of a metric.
fn people(
    histories: &[(usize, History)],
    metric: PredictionMetric,
    now: DateTime<Utc>,
) -> Result<Vec<OfPerson>, Box<dyn Error>> {
    let recipe = PooledRecipe::of(metric);
    let mut people: Vec<OfPerson> = Vec::new();
    for (data_set, history) in histories {
        let Some((first, last)) = history.span() else {
            continue;
        };
        let days = recipe.lay_out(history, first, last, now)?;
        let count = days.person.days();
        let observed = days.measured.known(0..count, count).into_owned();
        let readings: Vec<usize> = (0..count).filter(|day| observed[*day].is_some()).collect();
        let scored = if readings.len() < LEAST_READINGS {
            0..0
        } else {
            let share = (readings.len() as f64 * SCORED_SHARE - 1e-9).ceil() as usize;
            readings[readings.len() - share]..count
        };
        people.push(OfPerson {
            data_set: *data_set,
            fold: people.len() % FOLDS,
            days,
            observed,
            scored,
        });
    }
    Ok(people)
}

/// The mean absolute error of the recipe in each data set.
fn errors_without(
    people: &[OfPerson],
    metric: PredictionMetric,
    without: Option<Part>,
) -> Result<Vec<f64>, vitalcast_pooled::PooledError> {
    let recipe = PooledRecipe::of(metric);
    let design = Design {
        horizon: 1,
        without,
        ..recipe.design()
    };
    let mut sums = vec![(0.0, 0.0); DATA_SETS.len()];
    for fold in 0..FOLDS {
        let learners: Vec<Learner<'_>> = people
            .iter()
            .map(|person| {
                let is_scored = person.fold == fold && !person.scored.is_empty();
                let end = if is_scored {
                    person.scored.start
                } else {
                    person.days.person.days()
                };
                Learner {
                    person: &person.days.person,
                    targets: 0..end,
                }
            })
            .collect();
        let model = PooledModel::fit(&design, &learners, recipe.is_one_for_all())?;
        for person in people {
            if person.fold != fold || person.scored.is_empty() {
                continue;
            }
            let (sum, count) = &mut sums[person.data_set];
            let days = person.scored.start..=person.scored.end - 1;
            model.replay(&person.days.person, days, 1, |day, forecast| {
                if let (Some(value), Some(forecast)) = (person.observed[day], forecast) {
                    *sum += (value - forecast.distribution.value()).abs();
                    *count += 1.0;
                }
            });
        }
    }
    Ok(sums.into_iter().map(|(sum, count)| sum / count).collect())
}
