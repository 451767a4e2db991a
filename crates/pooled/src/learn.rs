//! Fitting to many people: what they have in common by source, and the coefficients of each lead.

use crate::design::{Design, Part as OfRecipe};
use crate::own::{Base, LEAST_READINGS, OWN, Population, Smoothed, WEEKDAY_MEAN};
use crate::person::{Person, State, walk, width};
use crate::robust::{self, Curvature, Fit, Rows, standardisation, standardised};
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
/// What is left of the prior of the coefficients in a recipe without it.
const WEAK_PRIOR: f64 = 1e-3;

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

/// A fit without its calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Regression {
    pub(crate) means: Vec<f64>,
    pub(crate) spreads: Vec<f64>,
    /// One for each lead, from one day ahead.
    pub(crate) leads: Vec<Fit>,
}

/// Something learned and what saves time in learning from nearly the same people: the curvatures of each
/// regression and lead.
pub(crate) type WithCurvatures = (Learned, Vec<Vec<Curvature>>);

impl Regression {
    /// Puts features into the form that coefficients are for.
    pub(crate) fn standardise(&self, features: &mut [f64]) {
        let scales = self.means.iter().zip(&self.spreads);
        for (value, (mean, spread)) in features.iter_mut().zip(scales) {
            *value = standardised(*value, *mean, *spread);
        }
    }

    /// The same for one feature that depends on the lead.
    pub(crate) fn standardise_one(&self, place: usize, value: f64) -> f64 {
        standardised(value, self.means[place], self.spreads[place])
    }

    /// The deviation from the base, in the person's spread, of standardised features.
    pub(crate) fn deviation(&self, lead: usize, standardised: &[f64]) -> f64 {
        let fit = &self.leads[lead - 1];
        robust::dot(&fit.coefficients, standardised) + fit.intercept
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

    pub(crate) fn regression(&self, source: &Source) -> &Regression {
        &self.regressions[source.regression]
    }

    /// Learns from people. What was learned from nearly the same people is a start that saves time.
    pub(crate) fn of(
        design: &Design,
        people: &[&Learner<'_>],
        one_for_all: bool,
        start: Option<&WithCurvatures>,
    ) -> WithCurvatures {
        let mut curvatures = Vec::new();
        let start_of = |source: fn(&Self, &str) -> usize, name: &str| {
            start.map(|(learned, curvatures)| {
                let regression = source(learned, name);
                (
                    &learned.regressions[regression],
                    curvatures[regression].as_slice(),
                )
            })
        };
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
            let population = if is_one {
                learned.any.population
            } else {
                population(design, group)
            };
            let regression = if one_for_all {
                0
            } else {
                learned.regressions.len()
            };
            if !one_for_all {
                let start = start_of(|start, name| start.source(name).regression, name);
                let (rows, fitted, bends) = regress(design, group, |_| &population, start);
                learned.regressions.push(fitted);
                curvatures.push(bends);
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
            let population = |learner: &Learner<'_>| {
                let own = sources
                    .iter()
                    .find(|source| one_for_all && source.name == learner.person.source);
                own.map_or(&any, |source| &source.population)
            };
            let start = start_of(|start, _| start.any.regression, "");
            let (rows, fitted, bends) = regress(design, people, population, start);
            learned.any.regression = learned.regressions.len();
            learned.regressions.push(fitted);
            curvatures.push(bends);
            learned.rows = learned.rows.max(rows);
        } else {
            learned.any = Source {
                name: String::new(),
                ..learned.sources[0].clone()
            };
        }
        (learned, curvatures)
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
    let all: Vec<Readings> = people
        .par_iter()
        .map(of)
        .filter(|of| of.count > 1.0)
        .collect();
    let from_last = || all.iter().flat_map(|of| &of.from_last).copied();
    let from_level = || all.iter().flat_map(|of| &of.from_level).copied();
    let wanders = from_last().sum::<f64>() < from_level().sum::<f64>();
    let base = if wanders && !design.lacks(OfRecipe::LastReading) {
        Base::Last
    } else {
        Base::Level
    };
    let mut deviations: Vec<f64> = match base {
        Base::Last => from_last().collect(),
        Base::Level => from_level().collect(),
    };
    let variance = Population::variance_of(&mut deviations);
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
        within,
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
    start: Option<(&Regression, &[Curvature])>,
) -> (usize, Regression, Vec<Curvature>) {
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
                let of_lead = |ahead: usize| state.weekday_mean(ahead + 1, next, spread) as f32;
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
    let weaker = if design.lacks(OfRecipe::Shrinkage) {
        WEAK_PRIOR
    } else {
        1.0
    };
    let penalties: Vec<f64> = std::iter::repeat_n(design.own_penalty, OWN)
        .chain(
            design
                .covariates
                .iter()
                .flat_map(|covariate| [covariate.penalty; 2]),
        )
        .map(|penalty| weaker * penalty)
        .collect();
    let (mut leads, mut curvatures) = (Vec::<Fit>::new(), Vec::<Curvature>::new());
    for ahead in 0..horizon {
        let of_lead: Vec<f32> = targets
            .iter()
            .skip(ahead)
            .step_by(horizon)
            .copied()
            .collect();
        let own_means = weekday_means.iter().skip(ahead).step_by(horizon);
        for (row, mean) in rows.values.chunks_exact_mut(width).zip(own_means) {
            let place = WEEKDAY_MEAN;
            row[place] = standardised(f64::from(*mean), means[place], spreads[place]) as f32;
        }
        let start = match start {
            Some((regression, curvatures)) => {
                regression.leads.get(ahead).zip(curvatures.get(ahead))
            }
            None => leads.last().zip(curvatures.last()),
        };
        let (fit, curvature) = if design.lacks(OfRecipe::RobustLoss) {
            squared(&rows, &of_lead, &penalties)
        } else {
            robust::fit(&rows, &of_lead, &penalties, start)
        };
        leads.push(fit);
        curvatures.push(curvature);
    }
    // A feature that never changed is 0 in every row, and so is its coefficient, whatever its spread.
    let spreads = spreads
        .into_iter()
        .map(|spread| if spread.is_finite() { spread } else { 1.0 })
        .collect();
    (
        rows.count(),
        Regression {
            means,
            spreads,
            leads,
        },
        curvatures,
    )
}

/// A fit to squared errors, which the robust loss is for errors that are small enough. Near 0 both losses
/// bend alike.
fn squared(rows: &Rows, targets: &[f32], penalties: &[f64]) -> (Fit, Curvature) {
    const SMALL: f32 = 1e-3;
    let targets: Vec<f32> = targets.iter().map(|target| SMALL * target).collect();
    let (mut fit, curvature) = robust::fit(rows, &targets, penalties, None);
    let back = 1.0 / f64::from(SMALL);
    fit.intercept *= back;
    for coefficient in &mut fit.coefficients {
        *coefficient *= back;
    }
    (fit, curvature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::design::Transform;
    use vitalcast_windows::{KnownSeries, LaterValue};

    fn person(values: Vec<Option<f64>>) -> Person {
        Person {
            first_weekday: 0,
            source: "watch".to_owned(),
            series: KnownSeries::from(values),
            covariates: Vec::new(),
        }
    }

    fn of(people: &[Person]) -> Population {
        let learners: Vec<Learner<'_>> = people
            .iter()
            .map(|person| Learner {
                person,
                targets: 0..person.days(),
            })
            .collect();
        let design = Design {
            transform: Transform::Identity,
            own_penalty: 100.0,
            covariates: Vec::new(),
            horizon: 1,
            without: None,
        };
        population(&design, &learners.iter().collect::<Vec<_>>())
    }

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-9,
            "{found}, expected {expected}"
        );
    }

    #[test]
    fn what_two_people_have_in_common_by_hand() {
        // Means 12 and 20, sums of squares 8 and 2, freedoms 2 and 1.
        let people = [
            person(vec![Some(10.0), None, Some(12.0), Some(14.0)]),
            person(vec![Some(19.0), Some(21.0)]),
            // One reading has no variance and does not count.
            person(vec![Some(1_000.0)]),
        ];
        let found = of(&people);
        let within = 10.0 / 3.0;
        // One deviation, of 14: from the last reading 2, from the level a little more.
        assert_eq!(found.base, Base::Last);
        close(found.variance, VARIANCE * 4.0);
        close(found.mean, 16.0);
        let between = 32.0 - within * (1.0 / 3.0 + 1.0 / 2.0) / 2.0;
        close(found.prior_readings, within / between);
    }

    /// From a squared median of deviations to a variance.
    const VARIANCE: f64 = 2.2;

    #[test]
    fn a_series_that_returns_is_measured_from_its_level() {
        let zigzag: Vec<Option<f64>> = (0..20).map(|day| Some(60.0 + f64::from(day % 2))).collect();
        assert_eq!(of(&[person(zigzag)]).base, Base::Level);
        let climb: Vec<Option<f64>> = (0..20).map(|day| Some(60.0 + f64::from(day))).collect();
        assert_eq!(of(&[person(climb)]).base, Base::Last);
    }

    #[test]
    fn people_who_are_alike_are_worth_at_most_twenty_readings() {
        let zigzag: Vec<Option<f64>> = (0..20).map(|day| Some(60.0 + f64::from(day % 2))).collect();
        let alike = vec![person(zigzag); 5];
        close(of(&alike).prior_readings, 20.0);
    }

    #[test]
    fn nobody_and_constant_series_have_a_spread() {
        let nobody = of(&[]);
        assert!(nobody.variance > 0.0);
        assert_eq!((nobody.mean, nobody.prior_readings), (0.0, 1.0));
        let constant = of(&[person(vec![Some(60.0); 9])]);
        assert!(constant.variance > 0.0);
        assert_eq!(constant.prior_readings, 1.0);
    }

    #[test]
    fn labels_are_those_known_the_evening_after_the_last_target() {
        let later = [(0, 3), (1, 4)].map(|(day, from)| LaterValue {
            day,
            from,
            value: Some(99.0),
        });
        let series = KnownSeries::new(vec![Some(1.0), Some(2.0), None, Some(4.0)], later.to_vec());
        let person = Person {
            series: series.unwrap(),
            ..person(Vec::new())
        };
        let learner = Learner {
            person: &person,
            targets: 1..3,
        };
        let labels: Vec<Option<f64>> = learner.labels().collect();
        assert_eq!(labels, [Some(99.0), Some(2.0), None]);
        assert_eq!(learner.readings(), 2);
    }
}
