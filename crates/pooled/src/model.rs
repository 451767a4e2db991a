//! The pooled model: fitting, forecasting, and what a forecast is made of.

use crate::calibrate::{LEAST_READINGS, LeadCalibration, calibrate};
use crate::corrected::Corrected;
use crate::design::{Design, Transform};
use crate::error::PooledError;
use crate::followed::{Expected, Followed};
use crate::learn::{LEAST_OF_A_PERSON, LEAST_PEOPLE, Learned, Learner, Source};
use crate::own::{Base, Population};
use crate::person::{Follower, Person, State, width};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;
use vitalcast_evaluation::{Distribution, GapFactors};

/// Longest horizon, days.
pub(crate) const LONGEST_HORIZON: usize = 28;

/// One shrunk, robust, linear model of many people's days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PooledModel {
    pub(crate) design: Design,
    pub(crate) learned: Learned,
    /// Of each regression and lead.
    pub(crate) calibrations: Vec<Vec<LeadCalibration>>,
    pub(crate) people: usize,
}

/// A forecast of one day.
#[derive(Debug, Clone, PartialEq)]
pub struct PooledForecast {
    /// The value with its intervals, in the unit of the series.
    pub distribution: Distribution,
    /// Readings of the person that it rests on.
    pub readings: usize,
    /// The person's day-to-day spread, in the scale of the model.
    pub spread: f64,
}

/// What a part of the input contributes to a forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The feature: of the own history, or the name of a covariate.
    pub name: String,
    /// How much it moves the forecast away from the base, in the scale of the model.
    pub amount: f64,
}

impl PooledModel {
    /// Fits to people. With `one_for_all` people of all sources share the coefficients; otherwise each
    /// source with enough people has its own, because vendors smooth differently.
    ///
    /// The intervals come from the errors on people that a fit has not seen.
    ///
    /// # Errors
    ///
    /// [`PooledError`] for too few people, people that do not fit the design, and a horizon outside its
    /// bounds.
    pub fn fit(
        design: &Design,
        people: &[Learner<'_>],
        one_for_all: bool,
    ) -> Result<Self, PooledError> {
        if !(1..=LONGEST_HORIZON).contains(&design.horizon) {
            return Err(PooledError::OutOfBounds {
                field: "horizon",
                low: 1,
                high: LONGEST_HORIZON,
            });
        }
        if !design.has_penalties() {
            return Err(PooledError::Penalty);
        }
        for (place, learner) in people.iter().enumerate() {
            let (expected, found) = (design.covariates.len(), learner.person.covariates.len());
            if expected != found {
                return Err(PooledError::Covariates {
                    person: place,
                    expected,
                    found,
                });
            }
            let days = learner.person.days();
            let of_others = learner.person.covariates.iter().flatten();
            if learner.targets.end > days || of_others.into_iter().any(|of| of.days() != days) {
                return Err(PooledError::Days {
                    person: place,
                    days,
                });
            }
        }
        let people: Vec<Learner<'_>> = people
            .iter()
            .filter(|learner| learner.readings() >= LEAST_OF_A_PERSON)
            .cloned()
            .collect();
        if people.len() < LEAST_PEOPLE {
            return Err(PooledError::TooFewPeople {
                needed: LEAST_PEOPLE,
                found: people.len(),
                days: LEAST_OF_A_PERSON,
            });
        }
        let all: Vec<&Learner<'_>> = people.iter().collect();
        let learned = Learned::of(design, &all, one_for_all, None);
        let calibrations = calibrate(design, &people, &learned, one_for_all)?;
        Ok(Self {
            design: design.clone(),
            learned: learned.0,
            calibrations,
            people: people.len(),
        })
    }

    /// What it reads.
    pub fn design(&self) -> &Design {
        &self.design
    }

    /// How many people it was fitted to.
    pub fn people(&self) -> usize {
        self.people
    }

    /// How many days of them.
    pub fn rows(&self) -> usize {
        self.learned.rows
    }

    /// Where the values of four people in five lie, in the unit of the series.
    pub fn usual_range(&self) -> (f64, f64) {
        /// Standard deviations to either side that contain 80 % of a normal distribution.
        const FOUR_IN_FIVE: f64 = 1.2816;
        let Population {
            within,
            mean,
            prior_readings,
            ..
        } = self.learned.any.population;
        let between = if prior_readings > 0.0 {
            within / prior_readings
        } else {
            0.0
        };
        let half = FOUR_IN_FIVE * (within + between).sqrt();
        let of = |value| self.design.transform.invert(value);
        (of(mean - half), of(mean + half))
    }

    /// Sources that have coefficients or a scale of their own.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.learned
            .sources
            .iter()
            .map(|source| source.name.as_str())
    }

    /// Replays a person: for each of some days, the forecast of the day `lead - 1` days later with what
    /// was known on the evening before. `None` for a forecast of a person with fewer than two readings.
    ///
    /// # Panics
    ///
    /// For days beyond the day after the person's last.
    pub fn replay(
        &self,
        person: &Person,
        days: RangeInclusive<usize>,
        lead: usize,
        visit: impl FnMut(usize, Option<PooledForecast>),
    ) {
        Corrected::from(self).replay(person, days, lead, visit);
    }

    /// Whether forecasts of a person start from the last reading; else from the person's level.
    pub fn starts_from_last_reading(&self, person: &Person) -> bool {
        self.learned.source(&person.source).population.base == Base::Last
    }

    /// The intervals of a person's forecasts.
    pub(crate) fn calibration(&self, person: &Person, lead: usize) -> &LeadCalibration {
        &self.calibrations[self.learned.source(&person.source).regression][lead - 1]
    }

    /// How much larger the errors of people like this one are after days without a reading, `lead` days
    /// ahead.
    pub fn gap_factors(&self, person: &Person, lead: usize) -> GapFactors {
        let lead = lead.clamp(1, self.design.horizon);
        self.calibration(person, lead).gaps
    }

    /// What the forecast of the day `lead - 1` days after `day` is made of, largest first, and the base
    /// that it starts from, in the scale of the model.
    pub fn explain(
        &self,
        person: &Person,
        day: usize,
        lead: usize,
    ) -> Option<(f64, Vec<Contribution>)> {
        Corrected::from(self).explain(person, day, lead)
    }
}

/// A person's state with the errors of the forecasts made so far.
#[derive(Debug, Clone)]
pub(crate) struct Replay<'a> {
    of: Corrected<'a>,
    source: &'a Source,
    pub(crate) state: State<'a>,
    pub(crate) lead: usize,
    followed: Followed<'a>,
    /// What was forecast before the last day became known.
    pub(crate) said: Option<f64>,
    features: Vec<f64>,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(of: Corrected<'a>, person: &Person, lead: usize) -> Option<Self> {
        let model = of.model;
        let source = model.learned.source(&person.source);
        Some(Self {
            of,
            source,
            state: State::new(&model.design, &source.population),
            lead,
            followed: Followed::new(model.calibration(person, lead))?,
            said: None,
            features: vec![0.0; width(&model.design)],
        })
    }

    /// The value and the spread, in the scale of the model, of a day as an evening tells.
    fn location(
        &self,
        person: &Person,
        (day, evening): (usize, usize),
        features: &mut [f64],
    ) -> Option<(f64, f64)> {
        let (state, lead) = (&self.state, self.lead);
        let (base, spread) = state.location()?;
        state.features(lead, person.weekday(day), features)?;
        let regression = self.of.model.learned.regression(self.source);
        regression.standardise(features);
        let said = regression.deviation(lead, features);
        let deviation = self
            .of
            .deviation(state, person, (day, evening), lead, said)?;
        Some((base + spread * deviation, spread))
    }

    pub(crate) fn forecast(
        &self,
        day: usize,
        person: &Person,
        features: &mut [f64],
    ) -> Option<PooledForecast> {
        let evening = day.saturating_sub(1);
        let (forecast, spread) = self.location(person, (day, evening), features)?;
        let transform = self.of.model.design.transform;
        let bounds = self.followed.bounds(forecast, spread, self.state.own.gap());
        let is_whole = self.state.is_whole();
        Some(PooledForecast {
            distribution: distribution(transform, is_whole, forecast, &bounds)?,
            readings: self.state.own.readings(),
            spread,
        })
    }
}

/// A value of the scale of the model in the unit of the series.
pub(crate) fn in_unit(transform: Transform, is_whole: bool, value: f64) -> f64 {
    rounded(is_whole, transform.invert(value))
}

/// A forecast as it is served: a whole number where all readings are.
pub fn rounded(is_whole: bool, value: f64) -> f64 {
    if is_whole { value.round() } else { value }
}

/// The forecast in the unit of the series. Where all readings are whole numbers, so are the forecast and
/// its bounds, which then contain the same readings as before.
fn distribution(
    transform: Transform,
    is_whole: bool,
    forecast: f64,
    bounds: &[(f64, f64, f64)],
) -> Option<Distribution> {
    let value = in_unit(transform, is_whole, forecast);
    let bounds = bounds.iter().map(|(level, lower, upper)| {
        let (lower, upper) = (transform.invert(*lower), transform.invert(*upper));
        let (lower, upper) = if is_whole {
            (lower.ceil(), upper.floor())
        } else {
            (lower, upper)
        };
        vitalcast_evaluation::Bounds {
            level: *level,
            lower: lower.min(value),
            upper: upper.max(value),
        }
    });
    Distribution::new(value, bounds.collect()).ok()
}

impl Follower for Replay<'_> {
    fn push(&mut self, person: &Person, day: usize, evening: usize) {
        // What is forecast for this day and those after it, before it is known.
        let mut features = std::mem::take(&mut self.features);
        let location = self.location(person, (day, evening), &mut features);
        self.features = features;
        self.said = location.map(|(value, _)| value);
        if let Some((value, spread)) = location {
            self.followed.expect(Expected {
                origin: day,
                lead: self.lead,
                value,
                spread,
                gap: self.state.own.gap(),
                counts: self.state.own.readings() >= LEAST_READINGS,
            });
        }
        let transform = self.of.model.design.transform;
        self.followed.arrive(person, day, evening, transform);
        self.state.push(person, day, evening);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_bounds_contain_the_same_readings() {
        for (forecast, lower, upper) in [(60.4, 58.2, 63.9), (60.0, 59.0, 61.0), (59.5, 59.4, 59.6)]
        {
            let of =
                distribution(Transform::Identity, true, forecast, &[(0.9, lower, upper)]).unwrap();
            let bounds = of.intervals()[0];
            for reading in 50..70 {
                let reading = f64::from(reading);
                let before = (lower..=upper).contains(&reading) || reading == of.value();
                let after = (bounds.lower..=bounds.upper).contains(&reading);
                assert_eq!(before, after, "{reading} in {lower} to {upper}");
            }
        }
    }

    #[test]
    fn bounds_come_back_from_the_scale_of_the_model() {
        let bounds = [(0.8, 3.0, 4.5)];
        let of = distribution(Transform::Log { plus: 2.0 }, false, 4.0, &bounds).unwrap();
        assert!((of.value() - (4.0_f64.exp() - 2.0)).abs() < 1e-12);
        assert!((of.intervals()[0].lower - (3.0_f64.exp() - 2.0)).abs() < 1e-12);
        assert!(distribution(Transform::LN, false, 1e4, &[]).is_none());
    }
}
