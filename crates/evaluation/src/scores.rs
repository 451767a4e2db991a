//! How good the forecasts of many people's days are.
//!
//! All days count the same, so people with more scored days count for more. MAE, RMSE and MAPE have the
//! formulas of [`Accuracy`]. R² and MASE differ on purpose: pooled people differ from one another far
//! more than their days do, so R² is taken around each person's own mean, and MASE is scaled by each
//! person's own changes before the scored days.

use crate::accuracy::{Accuracy, determination, variation};
use crate::distribution::Distribution;
use crate::error::{EvaluationError, check_finite};
use crate::interval::{coverage, mean_width};
use crate::mean::{ROUNDING, mean};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Scored days of a person from which their own coverage is judged.
const LEAST_DAYS: usize = 8;
/// How far a person's own coverage may be from the nominal one.
const NEAR: f64 = 0.1;

/// A day that was forecast and then observed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoredDay<'a> {
    /// Whose day it is: any number, the same for all days of a person.
    pub person: usize,
    /// The observed value.
    pub observed: f64,
    /// The forecast, in the same unit.
    pub distribution: &'a Distribution,
    /// The person's mean absolute day-to-day change before the scored days, in the same unit, for
    /// [`Report::mase`]. `None` if it is not known.
    pub scale: Option<f64>,
}

/// How good forecasts are, in the unit of the values unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Number of days.
    pub count: usize,
    /// Number of people.
    pub people: usize,
    /// Mean absolute error of the central values.
    pub mae: f64,
    /// Root mean squared error of the central values.
    pub rmse: f64,
    /// Mean absolute percentage error, per cent; `None` when an observed value is 0.
    pub mape: Option<f64>,
    /// Mean absolute scaled error: the mean over days of |error| / scale (after Hyndman and Koehler
    /// 2006); 1 is as good as "same as the day before" was. Days without a scale above 0 are left out;
    /// `None` if that leaves none.
    pub mase: Option<f64>,
    /// 1 − Σ error² / Σ (observed − mean of that person's scored days)²: the share of the variation
    /// within people that is forecast. `None` when nobody's values vary.
    pub within_person_r2: Option<f64>,
    /// Mean of [`Distribution::pinball`].
    pub pinball: f64,
    /// Mean of [`Distribution::crps`].
    pub crps: f64,
    /// Each level that a forecast keeps, ascending.
    pub levels: Vec<LevelScore>,
}

/// How good the intervals of one level are, over the days whose forecast keeps this level.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LevelScore {
    /// Nominal coverage.
    pub nominal: f64,
    /// Number of days with an interval of this level.
    pub count: usize,
    /// Share of them inside their interval; both ends are inside.
    pub coverage: f64,
    /// Mean width of the intervals, in the unit of the values.
    pub mean_width: f64,
    /// Share of people whose own coverage is within 10 points of the nominal one, among those with at
    /// least 8 days; `None` if nobody has as many.
    pub people_near: Option<f64>,
}

impl Report {
    /// Scores days in any order.
    ///
    /// # Errors
    ///
    /// [`EvaluationError::Empty`] without days; [`EvaluationError::NotFinite`] for an observed value or a
    /// scale; [`EvaluationError::Negative`] for a scale below 0.
    pub fn of(days: &[ScoredDay<'_>]) -> Result<Self, EvaluationError> {
        if days.is_empty() {
            return Err(EvaluationError::Empty("scored days"));
        }
        let observed: Vec<f64> = days.iter().map(|day| day.observed).collect();
        let scales: Vec<f64> = days.iter().filter_map(|day| day.scale).collect();
        check_finite("observed value", &observed)?;
        check_finite("scale", &scales)?;
        if scales.iter().any(|scale| *scale < 0.0) {
            return Err(EvaluationError::Negative("scale"));
        }
        let forecasts: Vec<f64> = days.iter().map(|day| day.distribution.value()).collect();
        let pooled = Accuracy::of(&observed, &forecasts)?;
        let mut people: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for day in days {
            people.entry(day.person).or_default().push(day.observed);
        }
        let within: f64 = people.values().map(|values| variation(values)).sum();
        let squares: f64 = days.iter().map(|day| day.error().powi(2)).sum();
        let average = |score: fn(&ScoredDay<'_>) -> f64| {
            mean(days.iter().map(score)).expect("there is a day to score")
        };
        Ok(Self {
            count: days.len(),
            people: people.len(),
            mae: pooled.mae,
            rmse: pooled.rmse,
            mape: pooled.mape,
            mase: mean(days.iter().filter_map(ScoredDay::scaled_error)),
            within_person_r2: determination(squares, within),
            pinball: average(|day| day.distribution.pinball(day.observed)),
            crps: average(|day| day.distribution.crps(day.observed)),
            levels: levels_of(days),
        })
    }
}

impl ScoredDay<'_> {
    fn error(&self) -> f64 {
        self.observed - self.distribution.value()
    }

    fn scaled_error(&self) -> Option<f64> {
        let scale = self.scale?;
        (scale > ROUNDING * self.observed.abs()).then(|| self.error().abs() / scale)
    }
}

/// An observed value, the lower and the upper bound.
type Interval = (f64, f64, f64);

fn levels_of(days: &[ScoredDay<'_>]) -> Vec<LevelScore> {
    // A level is a finite number above 0, and the bits of such numbers are in their order.
    let mut levels: BTreeMap<u64, BTreeMap<usize, Vec<Interval>>> = BTreeMap::new();
    for day in days {
        for bounds in day.distribution.intervals() {
            let people = levels.entry(bounds.level.to_bits()).or_default();
            let interval = (day.observed, bounds.lower, bounds.upper);
            people.entry(day.person).or_default().push(interval);
        }
    }
    levels
        .into_iter()
        .filter_map(|(bits, people)| {
            let nominal = f64::from_bits(bits);
            let near = people
                .values()
                .filter(|intervals| intervals.len() >= LEAST_DAYS)
                .filter_map(|intervals| coverage(intervals))
                // The small term keeps 0.8 − 0.7 within 0.1.
                .map(|own| f64::from((own - nominal).abs() <= NEAR + 1e-9));
            let people_near = mean(near);
            let all: Vec<Interval> = people.into_values().flatten().collect();
            Some(LevelScore {
                nominal,
                count: all.len(),
                coverage: coverage(&all)?,
                mean_width: mean_width(&all)?,
                people_near,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Bounds;
    use proptest::prelude::*;

    fn around(value: f64, half: f64) -> Distribution {
        let bounds = [(0.8, half), (0.95, 2.0 * half)].map(|(level, half)| Bounds {
            level,
            lower: value - half,
            upper: value + half,
        });
        Distribution::new(value, bounds.to_vec()).unwrap()
    }

    fn day(person: usize, observed: f64, distribution: &Distribution) -> ScoredDay<'_> {
        ScoredDay {
            person,
            observed,
            distribution,
            scale: None,
        }
    }

    #[test]
    fn hand_computed_values() {
        let (quiet, restless) = (around(50.0, 1.0), around(70.0, 2.0));
        let mut days = [
            day(1, 49.0, &quiet),
            day(1, 52.0, &quiet),
            day(2, 73.0, &restless),
            day(2, 70.0, &restless),
        ];
        for (day, scale) in days.iter_mut().zip([2.0, 2.0, 4.0, 0.0]) {
            day.scale = Some(scale);
        }
        let report = Report::of(&days).unwrap();
        assert_eq!((report.count, report.people, report.mae), (4, 2, 1.5));
        assert!((report.rmse - 3.5_f64.sqrt()).abs() < 1e-12);
        let mape = 100.0 * (1.0 / 49.0 + 2.0 / 52.0 + 3.0 / 73.0) / 4.0;
        assert!((report.mape.unwrap() - mape).abs() < 1e-9);
        // The last day has no scale.
        assert!((report.mase.unwrap() - (0.5 + 1.0 + 0.75) / 3.0).abs() < 1e-12);
        // Around 50.5 and 71.5: 2 · 2.25 each.
        assert!((report.within_person_r2.unwrap() - (1.0 - 14.0 / 9.0)).abs() < 1e-12);
        let mean_crps: f64 = days
            .iter()
            .map(|day| day.distribution.crps(day.observed) / 4.0)
            .sum();
        assert!((report.crps - mean_crps).abs() < 1e-12);
        let eighty = report.levels[0];
        assert_eq!((eighty.nominal, eighty.count), (0.8, 4));
        assert_eq!((eighty.coverage, eighty.mean_width), (0.5, 3.0));
        assert_eq!(eighty.people_near, None);
        assert_eq!(report.levels[1].coverage, 1.0);
    }

    #[test]
    fn people_far_apart_do_not_raise_the_r2() {
        let (low, high) = (around(50.0, 1.0), around(90.0, 1.0));
        let days = [
            day(1, 49.0, &low),
            day(1, 51.0, &low),
            day(2, 89.0, &high),
            day(2, 91.0, &high),
        ];
        assert_eq!(Report::of(&days).unwrap().within_person_r2, Some(0.0));
    }

    #[test]
    fn coverage_is_judged_for_people_with_eight_days() {
        let forecast = around(50.0, 1.0);
        let mut days = Vec::new();
        // Person 1: 7 of 10 days inside, person 2: 6 of 10, person 3: too few days.
        for (person, inside, count) in [(1, 7, 10), (2, 6, 10), (3, 7, 7)] {
            for place in 0..count {
                let observed = if place < inside { 50.5 } else { 60.0 };
                days.push(day(person, observed, &forecast));
            }
        }
        assert_eq!(Report::of(&days).unwrap().levels[0].people_near, Some(0.5));
    }

    #[test]
    fn a_level_counts_the_days_that_keep_it() {
        let (with, without) = (
            around(50.0, 1.0),
            Distribution::new(50.0, Vec::new()).unwrap(),
        );
        let report = Report::of(&[day(1, 50.0, &with), day(1, 50.0, &without)]).unwrap();
        assert_eq!((report.count, report.levels[0].count), (2, 1));
    }

    #[test]
    fn what_cannot_be_computed_is_none() {
        let forecast = Distribution::new(1.0, Vec::new()).unwrap();
        let report = Report::of(&[day(1, 0.0, &forecast)]).unwrap();
        assert_eq!(
            (report.mape, report.mase, report.within_person_r2),
            (None, None, None)
        );
        assert_eq!(report.levels, []);
    }

    #[test]
    fn wrong_days_are_refused() {
        let forecast = around(50.0, 1.0);
        assert_eq!(Report::of(&[]), Err(EvaluationError::Empty("scored days")));
        assert!(Report::of(&[day(1, f64::NAN, &forecast)]).is_err());
        for scale in [f64::NAN, -1.0] {
            let day = ScoredDay {
                scale: Some(scale),
                ..day(1, 50.0, &forecast)
            };
            assert!(Report::of(&[day]).is_err());
        }
    }

    proptest! {
        #[test]
        fn the_order_of_days_does_not_matter(
            values in prop::collection::vec((0_usize..4, 40.0_f64..60.0), 2..40),
        ) {
            let forecast = around(50.0, 3.0);
            let mut days: Vec<ScoredDay<'_>> =
                values.iter().map(|&(person, value)| day(person, value, &forecast)).collect();
            let forwards = Report::of(&days).unwrap();
            days.reverse();
            let backwards = Report::of(&days).unwrap();
            prop_assert!((forwards.mae - backwards.mae).abs() < 1e-9);
            prop_assert!((forwards.crps - backwards.crps).abs() < 1e-9);
            for (one, other) in forwards.levels.iter().zip(&backwards.levels) {
                prop_assert_eq!(one.coverage, other.coverage);
                prop_assert_eq!(one.people_near, other.people_near);
            }
        }
    }
}
