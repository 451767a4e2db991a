//! The formulas of the features of a day (reference contract C.1, with the corrections of its part D.2).

use crate::catalogue::{LOOK_BACK_DAYS, READS, catalogue};
use crate::daily::DailyTable;
use crate::field::{Field, Fields, of_metric};
use crate::formula::{Amount, Choice, ENERGY, FIRST_MEAL, Formula, LAST_MEAL, MONTH, WEEK};
use crate::window::Series;
use chrono::{Datelike, NaiveDate};
use std::cell::{Cell, OnceCell};
use vitalcast_domain::{MetricType, Profile};
use vitalcast_evaluation::beyond_rounding;

/// Hours of recovery when no workout of the last month was hard.
const RESTED_HOURS: f64 = 72.0;
/// A cycle that began longer ago says nothing about today.
const LONGEST_CYCLE_DAYS: i64 = 60;

/// The fields that look different than before on any of the last days, by their number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    /// Within one day at the first place, two at the second.
    within: [Fields; LOOK_BACK_DAYS],
}

impl Default for Changed {
    fn default() -> Self {
        Self {
            within: [Fields::default(); LOOK_BACK_DAYS],
        }
    }
}

impl Changed {
    /// Adds what changed on the day `back` days before the row's.
    pub(crate) fn add(&mut self, back: usize, fields: Fields) {
        for within in self.within.iter_mut().skip(back) {
            *within = within.and(fields);
        }
    }

    /// Whether any of the fields changed on any of the last days.
    fn meets(&self, days: usize, fields: Fields) -> bool {
        let place = days.checked_sub(1);
        place.is_some_and(|place| self.within[place].meets(fields))
    }
}

/// The input of a row: the daily table as seen from one evening.
pub(crate) struct Evening<'a> {
    pub(crate) table: &'a DailyTable,
    /// Place of the day in the table.
    pub(crate) place: usize,
    /// Place of the evening by which what counts was known.
    pub(crate) seen_from: usize,
    pub(crate) day: NaiveDate,
    /// Whether the day was not over by then: its totals still run.
    pub(crate) is_unfinished: bool,
    pub(crate) profile: &'a Profile,
    pub(crate) kept: Kept,
}

/// What several formulas of a row ask of its month, kept once it is known.
#[derive(Default)]
pub(crate) struct Kept {
    chosen: [OnceCell<usize>; Choice::COUNT],
    records_workouts: OnceCell<bool>,
    /// The amount whose month was averaged last, with its mean.
    mean: Cell<Option<(Amount, Option<f64>)>>,
}

impl Evening<'_> {
    /// All features of the day, in the order of the catalogue.
    pub(crate) fn row(&self) -> Vec<Option<f64>> {
        catalogue()
            .iter()
            .map(|feature| self.value(&feature.formula))
            .collect()
    }

    /// The features that read a field that changed, computed again. The others stay as they are.
    pub(crate) fn update(&self, values: &mut [Option<f64>], changed: &Changed) {
        for ((value, feature), reads) in values.iter_mut().zip(catalogue()).zip(&READS) {
            if changed.meets(reads.days, reads.fields) {
                *value = self.value(&feature.formula);
            }
        }
    }

    /// The value of a feature; never infinite.
    fn value(&self, formula: &Formula) -> Option<f64> {
        self.compute(formula).filter(|value| value.is_finite())
    }

    fn compute(&self, formula: &Formula) -> Option<f64> {
        match formula {
            Formula::Day(of) => self.of(*of).back(0),
            Formula::DayBefore(of) => self.of(*of).back(1),
            Formula::Mean(of, days) => self.mean(*of, *days),
            Formula::WeekOfTotals(of) => self.week_of_totals(self.of(*of)),
            Formula::Spread(of, days) => self.of(*of).deviation(*days),
            Formula::Slope(of, days) => self.of(*of).slope(*days),
            Formula::FromMean(of, days) => {
                let (yesterday, mean) = (self.of(*of).back(1)?, self.mean(*of, *days)?);
                Some(beyond_rounding(yesterday - mean, mean))
            }
            Formula::EnergyShare { of, kcal_per_gram } => {
                let grams = self.of(*of).back(0);
                let energy = grams.map(|grams| grams * f64::from(*kcal_per_gram));
                ratio(energy, self.of(ENERGY).back(0)).map(|share| share.min(1.0))
            }
            Formula::EatingWindow => {
                Some(self.of(LAST_MEAL).back(0)? - self.of(FIRST_MEAL).back(0)?)
            }
            Formula::MealRegularity => self.meal_regularity(),
            Formula::BelowGoal(of) => {
                let (goal, energy) = (self.energy_goal()?, self.compute(of)?);
                Some(beyond_rounding(goal - energy, goal))
            }
            Formula::WorkoutCount => self
                .field(Field::Workouts)
                .back(0)
                .or_else(|| self.records_workouts().then_some(0.0)),
            Formula::Minutes { of, days } => self.minutes(*of, *days),
            Formula::RecoveryTime => self.recovery_hours(),
            Formula::DaysSinceRest => self.days_since_rest(),
            Formula::SleepQuality => [MetricType::SleepScore, MetricType::SleepEfficiency]
                .into_iter()
                .find_map(|metric| self.series(of_metric(metric)).back(0)),
            Formula::DayOfWeek => Some(self.weekday()),
            Formula::IsWeekend => Some(if self.weekday() >= 5.0 { 1.0 } else { 0.0 }),
            Formula::WeekOfYear => Some(f64::from(self.day.iso_week().week())),
            Formula::Month => Some(f64::from(self.day.month())),
            Formula::CycleDay => self.cycle_day().map(|day| day as f64),
            Formula::CyclePhase => self.cycle_day().map(|day| match day {
                ..=5 => 1.0,
                6..=13 => 2.0,
                14..=16 => 3.0,
                _ => 4.0,
            }),
            Formula::Weight => self.profile.weight_kg,
            Formula::Ratio(dividend, divisor) => {
                ratio(self.compute(dividend), self.compute(divisor))
            }
        }
    }

    fn series(&self, field: usize) -> Series<'_> {
        Series {
            table: self.table,
            field,
            day: self.place,
            seen_from: self.seen_from,
        }
    }

    fn field(&self, field: Field) -> Series<'_> {
        self.series(field.index())
    }

    fn of(&self, amount: Amount) -> Series<'_> {
        match amount {
            Amount::Field(field) => self.series(field),
            Amount::FirstRecorded(choice) => {
                let chosen = self.kept.chosen[choice as usize].get_or_init(|| {
                    let fields = choice.fields();
                    let recorded = |field: &&usize| self.series(**field).any(MONTH);
                    *fields.iter().find(recorded).unwrap_or(&fields[0])
                });
                self.series(*chosen)
            }
        }
    }

    fn mean(&self, of: Amount, days: usize) -> Option<f64> {
        if days != MONTH {
            return self.of(of).mean(days);
        }
        match self.kept.mean.get() {
            Some((kept, mean)) if kept == of => mean,
            Some(_) | None => {
                let mean = self.of(of).mean(days);
                self.kept.mean.set(Some((of, mean)));
                mean
            }
        }
    }

    /// Mean over the finished days of the last week: what runs until midnight is no value of a day.
    fn week_of_totals(&self, series: Series<'_>) -> Option<f64> {
        if self.is_unfinished {
            series.day_before().mean(WEEK - 1)
        } else {
            series.mean(WEEK)
        }
    }

    fn meal_regularity(&self) -> Option<f64> {
        let first_meals = self.of(FIRST_MEAL);
        // One first meal cannot be irregular.
        let spread = first_meals
            .deviation(WEEK)
            .or_else(|| first_meals.any(WEEK).then_some(0.0));
        spread.map(|hours| (1.0 - hours / 3.0).max(0.0))
    }

    fn energy_goal(&self) -> Option<f64> {
        let factor = self.profile.activity_level;
        let factor = factor.map_or(1.0, vitalcast_domain::ActivityLevel::energy_factor);
        self.profile.goal_energy_kcal.map(|goal| goal * factor)
    }

    /// Whether workouts are recorded at all: without any in the last month, "no workout today" is
    /// not known.
    fn records_workouts(&self) -> bool {
        let found = || self.field(Field::Workouts).any(MONTH);
        *self.kept.records_workouts.get_or_init(found)
    }

    /// Minutes of some kind over the last days: what is known of them; 0 when the days had no
    /// workout; missing when they had workouts of unknown length or intensity only.
    fn minutes(&self, field: Field, days: usize) -> Option<f64> {
        self.field(field).sum(days).or_else(|| {
            let unknown = self.field(Field::Workouts).any(days);
            (self.records_workouts() && !unknown).then_some(0.0)
        })
    }

    fn recovery_hours(&self) -> Option<f64> {
        let hard = self.field(Field::Hard);
        match (0..MONTH).find(|back| hard.back(*back) == Some(1.0)) {
            Some(days) => Some(24.0 * days as f64),
            None => hard.any(MONTH).then_some(RESTED_HOURS),
        }
    }

    fn days_since_rest(&self) -> Option<f64> {
        let workouts = self.field(Field::Workouts);
        let in_a_row = (0..MONTH)
            .take_while(|back| workouts.back(*back).is_some())
            .count();
        self.records_workouts().then_some(in_a_row as f64)
    }

    fn weekday(&self) -> f64 {
        f64::from(self.day.weekday().num_days_from_monday())
    }

    fn cycle_day(&self) -> Option<i64> {
        self.profile
            .cycle_starts
            .iter()
            .filter(|start| **start <= self.day)
            .max()
            .map(|start| (self.day - *start).num_days() + 1)
            .filter(|day| *day <= LONGEST_CYCLE_DAYS)
    }
}

/// A ratio; missing when either is or the divisor is 0.
fn ratio(dividend: Option<f64>, divisor: Option<f64>) -> Option<f64> {
    match (dividend, divisor) {
        (Some(dividend), Some(divisor)) if divisor != 0.0 => Some(dividend / divisor),
        _ => None,
    }
}
