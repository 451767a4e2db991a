//! The formulas of the features of a day (reference contract C.1, with the corrections of its part D.2).

use crate::catalogue::{catalogue, place_of};
use crate::daily::DailyTable;
use crate::field::{FIELDS, Field, of_metric};
use crate::table::LOOK_BACK_DAYS;
use crate::window::Series;
use chrono::{Datelike, NaiveDate};
use vitalcast_domain::{MetricType, Profile};
use vitalcast_evaluation::beyond_rounding;

const WEEK: usize = 7;
const MONTH: usize = LOOK_BACK_DAYS;
/// Hours of recovery when no workout of the last month was hard.
const RESTED_HOURS: f64 = 72.0;
/// A cycle that began longer ago says nothing about today.
const LONGEST_CYCLE_DAYS: i64 = 60;

/// The place of a feature, known when the program is built.
macro_rules! at {
    ($name:literal) => {
        const { place_of($name) }
    };
}

/// Some fields of the daily table, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields(u128);

const _: () = assert!(FIELDS <= u128::BITS as usize, "a bit for each field");

impl Fields {
    pub(crate) fn of(fields: impl IntoIterator<Item = usize>) -> Self {
        Self(fields.into_iter().fold(0, |bits, field| bits | 1 << field))
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn of_metrics<const N: usize>(metrics: [MetricType; N]) -> Self {
        Self::of(metrics.map(of_metric))
    }

    fn of_food() -> Self {
        use Field as F;
        Self::of(
            [
                F::Energy,
                F::Protein,
                F::Carbs,
                F::Fat,
                F::Fiber,
                F::Meals,
                F::FirstMeal,
                F::LastMeal,
                F::LateCarbs,
                F::LateEnergy,
            ]
            .map(Field::index),
        )
    }

    /// All that the features of activity read, over a month.
    fn of_movement() -> Self {
        use Field as F;
        let mut fields = Self::of(
            [
                F::Workouts,
                F::WorkoutMinutes,
                F::WorkoutEnergy,
                F::WorkoutSteps,
                F::Intensity,
                F::HighMinutes,
                F::Hard,
                F::CardioMinutes,
                F::StrengthMinutes,
                F::FlexibilityMinutes,
            ]
            .map(Field::index),
        );
        fields.add(Self::of_metrics([
            MetricType::Steps,
            MetricType::ExerciseMinutes,
            MetricType::ActiveCalories,
            MetricType::TotalCalories,
        ]));
        fields
    }
}

/// The fields that look different than before, on any day of the last week and of the last month.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Changed {
    week: Fields,
    month: Fields,
}

impl Changed {
    /// Adds what changed on the day `back` days before the row's.
    pub(crate) fn add(&mut self, back: usize, fields: Fields) {
        if back < WEEK {
            self.week.add(fields);
        }
        if back < MONTH {
            self.month.add(fields);
        }
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
}

/// A metric read over a month, and the places of its features.
#[derive(Clone, Copy)]
struct Readings {
    metric: MetricType,
    yesterday: usize,
    week: usize,
    spread: usize,
    trend: usize,
    baseline: usize,
    deviation: usize,
}

const READINGS: [Readings; 2] = [
    Readings {
        metric: MetricType::RestingHeartRate,
        yesterday: at!("health_rhr_yesterday"),
        week: at!("health_rhr_7d_avg"),
        spread: at!("health_rhr_7d_std"),
        trend: at!("health_rhr_trend"),
        baseline: at!("health_rhr_baseline"),
        deviation: at!("health_rhr_deviation"),
    },
    Readings {
        metric: MetricType::HeartRateVariabilityRmssd,
        yesterday: at!("health_hrv_yesterday"),
        week: at!("health_hrv_7d_avg"),
        spread: at!("health_hrv_7d_std"),
        trend: at!("health_hrv_trend"),
        baseline: at!("health_hrv_baseline"),
        deviation: at!("health_hrv_deviation"),
    },
];

/// Writes values by the place of their feature.
struct Writer<'a>(&'a mut [Option<f64>]);

impl Writer<'_> {
    fn put(&mut self, place: usize, value: Option<f64>) {
        self.0[place] = value.filter(|value| value.is_finite());
    }
}

impl Evening<'_> {
    /// All features of the day, in the order of the catalogue.
    pub(crate) fn row(&self) -> Vec<Option<f64>> {
        let mut values = vec![None; catalogue().len()];
        let mut writer = Writer(&mut values);
        self.nutrition(&mut writer);
        self.activity(&mut writer);
        for readings in READINGS {
            self.readings(readings, &mut writer);
        }
        self.sleep(&mut writer);
        self.recovery(&mut writer);
        self.temporal(&mut writer);
        self.interaction(&mut writer);
        values
    }

    /// The features that read a field that changed, computed again. The others stay as they are.
    pub(crate) fn update(&self, values: &mut [Option<f64>], changed: Changed) {
        let mut writer = Writer(values);
        let food = changed.week.meets(Fields::of_food());
        let movement = changed.month.meets(Fields::of_movement());
        if food {
            self.nutrition(&mut writer);
        }
        if movement {
            self.activity(&mut writer);
        }
        for readings in READINGS {
            if changed.month.meets(Fields::of_metrics([readings.metric])) {
                self.readings(readings, &mut writer);
            }
        }
        if changed.week.meets(Fields::of_metrics([
            MetricType::SleepDuration,
            MetricType::SleepScore,
            MetricType::SleepEfficiency,
        ])) {
            self.sleep(&mut writer);
        }
        if changed
            .week
            .meets(Fields::of_metrics([MetricType::RecoveryScore]))
        {
            self.recovery(&mut writer);
        }
        if food || movement {
            self.interaction(&mut writer);
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

    fn metric(&self, metric: MetricType) -> Series<'_> {
        self.series(of_metric(metric))
    }

    fn today(&self, field: Field) -> Option<f64> {
        self.field(field).back(0)
    }

    fn nutrition(&self, writer: &mut Writer<'_>) {
        let energy = self.today(Field::Energy);
        for (daily, average, field) in [
            (
                at!("nutrition_calories_daily"),
                at!("nutrition_calories_7d_avg"),
                Field::Energy,
            ),
            (
                at!("nutrition_protein_daily"),
                at!("nutrition_protein_7d_avg"),
                Field::Protein,
            ),
            (
                at!("nutrition_carbs_daily"),
                at!("nutrition_carbs_7d_avg"),
                Field::Carbs,
            ),
            (
                at!("nutrition_fat_daily"),
                at!("nutrition_fat_7d_avg"),
                Field::Fat,
            ),
        ] {
            writer.put(daily, self.today(field));
            writer.put(average, self.week_of_totals(self.field(field)));
        }
        writer.put(at!("nutrition_fiber_daily"), self.today(Field::Fiber));
        for (name, field, energy_per_gram) in [
            (at!("nutrition_protein_ratio"), Field::Protein, 4.0),
            (at!("nutrition_carbs_ratio"), Field::Carbs, 4.0),
            (at!("nutrition_fat_ratio"), Field::Fat, 9.0),
        ] {
            let share = ratio(
                self.today(field).map(|grams| grams * energy_per_gram),
                energy,
            );
            writer.put(name, share.map(|share| share.min(1.0)));
        }
        let (first, last) = (self.today(Field::FirstMeal), self.today(Field::LastMeal));
        writer.put(at!("nutrition_first_meal_time"), first);
        writer.put(at!("nutrition_last_meal_time"), last);
        writer.put(
            at!("nutrition_eating_window"),
            last.zip(first).map(|(last, first)| last - first),
        );
        writer.put(at!("nutrition_meal_count"), self.today(Field::Meals));
        writer.put(
            at!("nutrition_late_night_carbs"),
            self.today(Field::LateCarbs),
        );
        writer.put(
            at!("nutrition_late_night_calories"),
            self.today(Field::LateEnergy),
        );
        let first_meals = self.field(Field::FirstMeal);
        // One first meal cannot be irregular.
        let spread = first_meals
            .deviation(WEEK)
            .or_else(|| first_meals.any(WEEK).then_some(0.0));
        writer.put(
            at!("nutrition_meal_regularity"),
            spread.map(|hours| (1.0 - hours / 3.0).max(0.0)),
        );
        let goal = self.profile.goal_energy_kcal.map(|goal| {
            goal * self
                .profile
                .activity_level
                .map_or(1.0, vitalcast_domain::ActivityLevel::energy_factor)
        });
        writer.put(
            at!("nutrition_calorie_deficit"),
            goal.zip(energy)
                .map(|(goal, energy)| beyond_rounding(goal - energy, goal)),
        );
        let mean_energy = self.week_of_totals(self.field(Field::Energy));
        writer.put(
            at!("nutrition_calorie_deficit_7d"),
            goal.zip(mean_energy)
                .map(|(goal, energy)| beyond_rounding(goal - energy, goal)),
        );
    }

    /// The first of several sources that has anything in the last month, so that one person-day is
    /// not measured by one source and the next by another.
    fn preferred(&self, sources: [usize; 3]) -> Series<'_> {
        let observed = |field: &usize| self.series(*field).any(MONTH);
        self.series(
            *sources
                .iter()
                .find(|field| observed(field))
                .unwrap_or(&sources[0]),
        )
    }

    fn steps(&self) -> Series<'_> {
        let workouts = Field::WorkoutSteps.index();
        self.preferred([of_metric(MetricType::Steps), workouts, workouts])
    }

    fn active_minutes(&self) -> Series<'_> {
        let workouts = Field::WorkoutMinutes.index();
        self.preferred([of_metric(MetricType::ExerciseMinutes), workouts, workouts])
    }

    fn energy_burned(&self) -> Series<'_> {
        self.preferred([
            of_metric(MetricType::ActiveCalories),
            of_metric(MetricType::TotalCalories),
            Field::WorkoutEnergy.index(),
        ])
    }

    /// Whether workouts are recorded at all: without any in the last month, "no workout today" is
    /// not known.
    fn records_workouts(&self) -> bool {
        self.field(Field::Workouts).any(MONTH)
    }

    fn workouts(&self) -> Option<f64> {
        self.today(Field::Workouts)
            .or_else(|| self.records_workouts().then_some(0.0))
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

    fn activity(&self, writer: &mut Writer<'_>) {
        for (daily, average, series) in [
            (
                at!("activity_steps_daily"),
                at!("activity_steps_7d_avg"),
                self.steps(),
            ),
            (
                at!("activity_active_minutes_daily"),
                at!("activity_active_minutes_7d_avg"),
                self.active_minutes(),
            ),
            (
                at!("activity_calories_burned_daily"),
                at!("activity_calories_burned_7d_avg"),
                self.energy_burned(),
            ),
        ] {
            writer.put(daily, series.back(0));
            writer.put(average, self.week_of_totals(series));
        }
        writer.put(at!("activity_workout_count_daily"), self.workouts());
        writer.put(
            at!("activity_workout_intensity_avg"),
            self.today(Field::Intensity),
        );
        writer.put(
            at!("activity_high_intensity_minutes"),
            self.minutes(Field::HighMinutes, 1),
        );
        writer.put(at!("activity_recovery_time"), self.recovery_hours());
        let workouts = self.field(Field::Workouts);
        let in_a_row = (0..MONTH)
            .take_while(|back| workouts.back(*back).is_some())
            .count();
        writer.put(
            at!("activity_days_since_rest"),
            self.records_workouts().then_some(in_a_row as f64),
        );
        for (name, field) in [
            (at!("activity_cardio_minutes_7d"), Field::CardioMinutes),
            (at!("activity_strength_minutes_7d"), Field::StrengthMinutes),
            (
                at!("activity_flexibility_minutes_7d"),
                Field::FlexibilityMinutes,
            ),
        ] {
            writer.put(name, self.minutes(field, WEEK));
        }
    }

    fn readings(&self, readings: Readings, writer: &mut Writer<'_>) {
        let series = self.metric(readings.metric);
        let yesterday = series.back(1);
        let baseline = series.mean(MONTH);
        let deviation = yesterday
            .zip(baseline)
            .map(|(yesterday, baseline)| beyond_rounding(yesterday - baseline, baseline));
        writer.put(readings.yesterday, yesterday);
        writer.put(readings.week, series.mean(WEEK));
        writer.put(readings.spread, series.deviation(WEEK));
        writer.put(readings.trend, series.slope(WEEK));
        writer.put(readings.baseline, baseline);
        writer.put(readings.deviation, deviation);
    }

    fn sleep(&self, writer: &mut Writer<'_>) {
        let sleep = self.metric(MetricType::SleepDuration);
        writer.put(at!("health_sleep_duration_last"), sleep.back(0));
        let quality = self
            .metric(MetricType::SleepScore)
            .back(0)
            .or_else(|| self.metric(MetricType::SleepEfficiency).back(0));
        writer.put(at!("health_sleep_quality_last"), quality);
        writer.put(at!("health_sleep_duration_7d_avg"), sleep.mean(WEEK));
    }

    fn recovery(&self, writer: &mut Writer<'_>) {
        let recovery = self.metric(MetricType::RecoveryScore);
        writer.put(at!("health_recovery_score_yesterday"), recovery.back(1));
        writer.put(at!("health_recovery_score_7d_avg"), recovery.mean(WEEK));
    }

    fn temporal(&self, writer: &mut Writer<'_>) {
        let weekday = self.day.weekday().num_days_from_monday();
        writer.put(at!("temporal_day_of_week"), Some(f64::from(weekday)));
        writer.put(
            at!("temporal_is_weekend"),
            Some(if weekday >= 5 { 1.0 } else { 0.0 }),
        );
        writer.put(
            at!("temporal_week_of_year"),
            Some(f64::from(self.day.iso_week().week())),
        );
        writer.put(at!("temporal_month"), Some(f64::from(self.day.month())));
        let cycle_day = self
            .profile
            .cycle_starts
            .iter()
            .filter(|start| **start <= self.day)
            .max()
            .map(|start| (self.day - *start).num_days() + 1)
            .filter(|day| *day <= LONGEST_CYCLE_DAYS);
        writer.put(
            at!("temporal_menstrual_cycle_day"),
            cycle_day.map(|day| day as f64),
        );
        let phase = cycle_day.map(|day| match day {
            ..=5 => 1.0,
            6..=13 => 2.0,
            14..=16 => 3.0,
            _ => 4.0,
        });
        writer.put(at!("temporal_menstrual_cycle_phase"), phase);
    }

    fn interaction(&self, writer: &mut Writer<'_>) {
        let protein = self.today(Field::Protein);
        let carbs = self.today(Field::Carbs);
        let weight = self.profile.weight_kg;
        for (name, dividend, divisor) in [
            (at!("interaction_protein_per_kg"), protein, weight),
            (
                at!("interaction_calories_per_kg"),
                self.today(Field::Energy),
                weight,
            ),
            (
                at!("interaction_carbs_per_active_minute"),
                carbs,
                self.active_minutes().back(0),
            ),
            (
                at!("interaction_protein_per_workout"),
                protein,
                self.workouts(),
            ),
            (
                at!("interaction_protein_to_recovery"),
                protein,
                self.recovery_hours(),
            ),
            (
                at!("interaction_carbs_to_intensity"),
                carbs,
                self.today(Field::Intensity),
            ),
        ] {
            writer.put(name, ratio(dividend, divisor));
        }
    }
}

/// A ratio; missing when either is or the divisor is 0.
fn ratio(dividend: Option<f64>, divisor: Option<f64>) -> Option<f64> {
    match (dividend, divisor) {
        (Some(dividend), Some(divisor)) if divisor != 0.0 => Some(dividend / divisor),
        _ => None,
    }
}
