//! Fitting to many people: what they have in common by source, and the coefficients of each lead.

use crate::design::Design;
use crate::own::{Base, LEAST_READINGS, OWN, Population, Smoothed, WEEKDAY_MEAN};
use crate::person::{Person, State, walk, width};
use crate::robust::{self, Rows, standardisation, standardised};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// People of one source from which on they have a scale, or a model, of their own.
pub(crate) const LEAST_PEOPLE: usize = 5;
/// Readings of a person from which on the person counts.
pub(crate) const LEAST_OF_A_PERSON: usize = 7;
/// Rows that a fit reads at most; of more, every n-th is read.
const MOST_ROWS: usize = 60_000;
/// The variance between people is at least this share of that within them.
const LEAST_BETWEEN: f64 = 0.05;

/// A person to learn from.
#[derive(Debug, Clone)]
pub struct Learner<'a> {
    /// The days.
    pub person: &'a Person,
    /// The days that may be targets. Features read days before them, as known at the time; nothing after
    /// the last of them is read.
    pub targets: Range<usize>,
}

impl Learner<'_> {
    /// The series as known on the evening after the last target.
    fn labels(&self) -> impl Iterator<Item = Option<f64>> {
        let series = &self.person.series;
        (0..self.targets.end).map(move |day| series.value(day, self.targets.end))
    }

    /// How many readings there are to learn from.
    pub(crate) fn readings(&self) -> usize {
        self.labels().flatten().count()
    }
}

/// The coefficients of one lead, of standardised features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lead {
    pub(crate) intercept: f64,
    pub(crate) coefficients: Vec<f64>,
}

/// A fit without its calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Regression {
    pub(crate) means: Vec<f64>,
    pub(crate) spreads: Vec<f64>,
    /// One for each lead, from one day ahead.
    pub(crate) leads: Vec<Lead>,
}

impl Regression {
    /// The deviation from the base, in the person's spread.
    pub(crate) fn deviation(&self, lead: usize, features: &[f64]) -> f64 {
        let Lead {
            intercept,
            coefficients,
        } = &self.leads[lead - 1];
        features
            .iter()
            .zip(self.means.iter().zip(&self.spreads))
            .zip(coefficients)
            .map(|((value, (mean, spread)), coefficient)| {
                coefficient * standardised(*value, *mean, *spread)
            })
            .sum::<f64>()
            + intercept
    }
}

/// What people of a source have in common, and which regression forecasts them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) population: Population,
    pub(crate) regression: usize,
}

/// What was learned, without its calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Learned {
    pub(crate) sources: Vec<Source>,
    /// For people of other sources.
    pub(crate) any: Source,
    pub(crate) regressions: Vec<Regression>,
    pub(crate) rows: usize,
}

impl Learned {
    pub(crate) fn source(&self, name: &str) -> &Source {
        self.sources
            .iter()
            .find(|source| source.name == name)
            .unwrap_or(&self.any)
    }

    /// Learns from people.
    pub(crate) fn of(design: &Design, people: &[&Learner<'_>], one_for_all: bool) -> Self {
        let mut by_source: BTreeMap<&str, Vec<&Learner<'_>>> = BTreeMap::new();
        for learner in people {
            by_source
                .entry(&learner.person.source)
                .or_default()
                .push(learner);
        }
        by_source.retain(|_, people| people.len() >= LEAST_PEOPLE);
        let mut learned = Self {
            sources: Vec::new(),
            any: Source {
                name: String::new(),
                population: population(design, people),
                regression: 0,
            },
            regressions: Vec::new(),
            rows: 0,
        };
        let is_one =
            by_source.len() == 1 && by_source.values().all(|group| group.len() == people.len());
        for (name, group) in &by_source {
            let population = population(design, group);
            let regression = if one_for_all {
                0
            } else {
                learned.regressions.len()
            };
            if !one_for_all {
                let (rows, fitted) = regress(design, group, |_| &population);
                learned.regressions.push(fitted);
                learned.rows += rows;
            }
            learned.sources.push(Source {
                name: (*name).to_owned(),
                population,
                regression,
            });
        }
        if one_for_all || !is_one {
            let any = learned.any.population;
            let sources = &learned.sources;
            let (rows, fitted) = regress(design, people, |learner| {
                let own = sources
                    .iter()
                    .find(|source| one_for_all && source.name == learner.person.source);
                own.map_or(&any, |source| &source.population)
            });
            learned.any.regression = learned.regressions.len();
            learned.regressions.push(fitted);
            learned.rows = learned.rows.max(rows);
        } else {
            learned.any = Source {
                name: String::new(),
                ..learned.sources[0].clone()
            };
        }
        learned
    }
}

/// What people have in common.
fn population(design: &Design, people: &[&Learner<'_>]) -> Population {
    struct Readings {
        count: f64,
        mean: f64,
        variance: f64,
        from_last: Vec<f64>,
        from_level: Vec<f64>,
    }
    let of = |learner: &&Learner<'_>| {
        let mut of = Readings {
            count: 0.0,
            mean: 0.0,
            variance: 0.0,
            from_last: Vec::new(),
            from_level: Vec::new(),
        };
        let mut level = Smoothed::default();
        let mut last = f64::NAN;
        let mut squares = 0.0;
        let values = learner.labels().flatten();
        for value in values.filter_map(|value| design.transform.apply(value)) {
            if of.count >= LEAST_READINGS as f64 {
                of.from_last.push((value - last).abs());
                of.from_level.push((value - level.mean()).abs());
            }
            of.count += 1.0;
            let step = value - of.mean;
            of.mean += step / of.count;
            squares += step * (value - of.mean);
            level.add_to_level(value);
            last = value;
        }
        of.variance = if of.count > 1.0 {
            squares / (of.count - 1.0)
        } else {
            0.0
        };
        of
    };
    let all: Vec<Readings> = people.iter().map(of).filter(|of| of.count > 1.0).collect();
    let mut from_last: Vec<f64> = all.iter().flat_map(|of| &of.from_last).copied().collect();
    let mut from_level: Vec<f64> = all.iter().flat_map(|of| &of.from_level).copied().collect();
    let base = if from_last.iter().sum::<f64>() < from_level.iter().sum::<f64>() {
        Base::Last
    } else {
        Base::Level
    };
    let variance = Population::variance_of(match base {
        Base::Last => &mut from_last,
        Base::Level => &mut from_level,
    });
    let freedom: f64 = all.iter().map(|of| of.count - 1.0).sum();
    let within = all
        .iter()
        .map(|of| (of.count - 1.0) * of.variance)
        .sum::<f64>()
        / freedom.max(1.0);
    let people = all.len() as f64;
    let mean = all.iter().map(|of| of.mean).sum::<f64>() / people.max(1.0);
    let spread =
        all.iter().map(|of| (of.mean - mean).powi(2)).sum::<f64>() / (people - 1.0).max(1.0);
    let noise = all.iter().map(|of| within / of.count).sum::<f64>() / people.max(1.0);
    let between = (spread - noise).max(LEAST_BETWEEN * within);
    Population {
        base,
        // A series that never changes has a spread, too, so that nothing is divided by 0.
        variance: variance.max(within * 1e-3).max(1e-12 * (1.0 + mean * mean)),
        mean,
        prior_readings: if between > 0.0 { within / between } else { 1.0 },
    }
}

/// The rows of one person.
#[derive(Default)]
struct Part {
    features: Vec<f32>,
    /// One for each lead.
    targets: Vec<f32>,
    weekday_means: Vec<f32>,
}

/// Fits each lead to the days of people.
fn regress<'a>(
    design: &'a Design,
    people: &[&Learner<'_>],
    population: impl Fn(&Learner<'_>) -> &'a Population + Sync,
) -> (usize, Regression) {
    let width = width(design);
    let horizon = design.horizon;
    let total: usize = people.iter().map(|learner| learner.targets.len()).sum();
    let every = total.div_ceil(MOST_ROWS).max(1);
    // Per person, so that the order does not depend on the number of threads.
    let parts: Vec<Part> = people
        .par_iter()
        .enumerate()
        .map(|(index, learner)| {
            let person = learner.person;
            let state = State::new(design, population(learner));
            let mut part = Part::default();
            let mut row = vec![0.0; width];
            let Range { start, end } = learner.targets.clone();
            let last = end.saturating_sub(1);
            if start > last {
                return part;
            }
            walk(person, state, start..=last, |day, state| {
                if (day + index) % every != 0 {
                    return;
                }
                let Some((base, spread)) = state.location() else {
                    return;
                };
                let label = |ahead: usize| {
                    let target = day + ahead;
                    (target < end)
                        .then(|| person.series.value(target, end))
                        .flatten()
                        .and_then(|value| design.transform.apply(value))
                        .map_or(f32::NAN, |value| ((value - base) / spread) as f32)
                };
                let labels: Vec<f32> = (0..horizon).map(label).collect();
                if labels.iter().all(|label| label.is_nan()) {
                    return;
                }
                let next = person.weekday(day);
                if state.features(1, next, &mut row).is_none() {
                    return;
                }
                part.features.extend(row.iter().map(|value| *value as f32));
                let of_lead =
                    |ahead: usize| (state.own.weekday_mean(next, ahead + 1) / spread) as f32;
                part.weekday_means.extend((0..horizon).map(of_lead));
                part.targets.extend(labels);
            });
            part
        })
        .collect();
    let mut rows = Rows {
        width,
        values: Vec::new(),
    };
    let (mut targets, mut weekday_means) = (Vec::new(), Vec::new());
    for part in parts {
        rows.values.extend(part.features);
        targets.extend(part.targets);
        weekday_means.extend(part.weekday_means);
    }
    let (means, spreads) = standardisation(&rows);
    for row in rows.values.chunks_exact_mut(width) {
        for (value, (mean, spread)) in row.iter_mut().zip(means.iter().zip(&spreads)) {
            *value = standardised(f64::from(*value), *mean, *spread) as f32;
        }
    }
    let penalties: Vec<f64> = std::iter::repeat_n(design.own_penalty, OWN)
        .chain(
            design
                .covariates
                .iter()
                .flat_map(|covariate| [covariate.penalty; 2]),
        )
        .collect();
    let leads = (0..horizon)
        .map(|ahead| {
            let of_lead: Vec<f32> = targets
                .iter()
                .skip(ahead)
                .step_by(horizon)
                .copied()
                .collect();
            for (row, mean) in weekday_means
                .iter()
                .skip(ahead)
                .step_by(horizon)
                .enumerate()
            {
                let place = WEEKDAY_MEAN;
                rows.values[row * width + place] =
                    standardised(f64::from(*mean), means[place], spreads[place]) as f32;
            }
            let counts: Vec<bool> = of_lead.iter().map(|target| !target.is_nan()).collect();
            let (intercept, coefficients) = robust::fit(&rows, &of_lead, &counts, &penalties);
            Lead {
                intercept,
                coefficients,
            }
        })
        .collect();
    (
        rows.count(),
        Regression {
            means,
            spreads,
            leads,
        },
    )
}
