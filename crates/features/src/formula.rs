//! What the features are made of: each feature of the catalogue names its formula, and the days and
//! fields that it reads follow from that. `row.rs` computes them.

use crate::field::{Field, Fields, of_metric};
use vitalcast_domain::MetricType;

/// Days of a week.
pub(crate) const WEEK: usize = 7;
/// Days of a month.
pub(crate) const MONTH: usize = 30;

/// Something of which a day has one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// A field of the daily table.
    Field(usize),
    /// The first of several fields that has anything in the last month, so that one day is not measured
    /// by one source and the next by another.
    FirstRecorded(Choice),
}

/// What several fields tell of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Steps,
    ActiveMinutes,
    EnergyBurned,
}

impl Choice {
    /// Number of choices.
    pub(crate) const COUNT: usize = Self::EnergyBurned as usize + 1;

    /// The fields, the preferred one first.
    pub(crate) const fn fields(self) -> &'static [usize] {
        match self {
            Self::Steps => const { &[of_metric(MetricType::Steps), Field::WorkoutSteps as usize] },
            Self::ActiveMinutes => {
                const {
                    &[
                        of_metric(MetricType::ExerciseMinutes),
                        Field::WorkoutMinutes as usize,
                    ]
                }
            }
            Self::EnergyBurned => {
                const {
                    &[
                        of_metric(MetricType::ActiveCalories),
                        of_metric(MetricType::TotalCalories),
                        Field::WorkoutEnergy as usize,
                    ]
                }
            }
        }
    }
}

/// How a feature of a day is computed from the days up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Formula {
    /// The value of the day.
    Day(Amount),
    /// The value of the day before.
    DayBefore(Amount),
    /// Mean of the observed days of the last so many days.
    Mean(Amount, usize),
    /// Mean of the finished ones of the last week's days: of what runs until midnight.
    WeekOfTotals(Amount),
    /// Population standard deviation over the last days.
    Spread(Amount, usize),
    /// Least-squares slope over the last days.
    Slope(Amount, usize),
    /// The day before minus the mean of the last days.
    FromMean(Amount, usize),
    /// Share of the energy eaten, at most 1.
    EnergyShare {
        /// What gives the energy, g.
        of: Amount,
        /// Energy of a gram.
        kcal_per_gram: u8,
    },
    /// Hours from the first meal to the last.
    EatingWindow,
    /// How alike the hours of the week's first meals are.
    MealRegularity,
    /// The energy goal minus an amount of energy.
    BelowGoal(&'static Formula),
    /// Workouts of the day; 0 where workouts are recorded at all.
    WorkoutCount,
    /// Minutes of some kind of workouts over the last days.
    Minutes {
        /// The kind.
        of: Field,
        /// The days.
        days: usize,
    },
    /// Hours since the last hard workout.
    RecoveryTime,
    /// Days in a row with a workout.
    DaysSinceRest,
    /// Score of the night, else its efficiency.
    SleepQuality,
    /// 0 for Monday.
    DayOfWeek,
    /// 1 for Saturday and Sunday.
    IsWeekend,
    /// ISO week.
    WeekOfYear,
    /// 1 to 12.
    Month,
    /// Day of the menstrual cycle.
    CycleDay,
    /// Phase of the menstrual cycle.
    CyclePhase,
    /// Body weight of the profile, kg.
    Weight,
    /// A ratio; missing where the divisor is 0.
    Ratio(&'static Formula, &'static Formula),
}

pub(crate) const ENERGY: Amount = Amount::Field(Field::Energy as usize);
pub(crate) const PROTEIN: Amount = Amount::Field(Field::Protein as usize);
pub(crate) const CARBS: Amount = Amount::Field(Field::Carbs as usize);
pub(crate) const FAT: Amount = Amount::Field(Field::Fat as usize);
pub(crate) const FIBER: Amount = Amount::Field(Field::Fiber as usize);
pub(crate) const MEALS: Amount = Amount::Field(Field::Meals as usize);
pub(crate) const FIRST_MEAL: Amount = Amount::Field(Field::FirstMeal as usize);
pub(crate) const LAST_MEAL: Amount = Amount::Field(Field::LastMeal as usize);
pub(crate) const LATE_CARBS: Amount = Amount::Field(Field::LateCarbs as usize);
pub(crate) const LATE_ENERGY: Amount = Amount::Field(Field::LateEnergy as usize);
pub(crate) const INTENSITY: Amount = Amount::Field(Field::Intensity as usize);
pub(crate) const STEPS: Amount = Amount::FirstRecorded(Choice::Steps);
pub(crate) const ACTIVE_MINUTES: Amount = Amount::FirstRecorded(Choice::ActiveMinutes);
pub(crate) const ENERGY_BURNED: Amount = Amount::FirstRecorded(Choice::EnergyBurned);
pub(crate) const RHR: Amount = Amount::Field(of_metric(MetricType::RestingHeartRate));
pub(crate) const HRV: Amount = Amount::Field(of_metric(MetricType::HeartRateVariabilityRmssd));
pub(crate) const SLEEP: Amount = Amount::Field(of_metric(MetricType::SleepDuration));
pub(crate) const RECOVERY: Amount = Amount::Field(of_metric(MetricType::RecoveryScore));

impl Amount {
    const fn fields(self) -> Fields {
        match self {
            Self::Field(field) => Fields::of(&[field]),
            Self::FirstRecorded(choice) => Fields::of(choice.fields()),
        }
    }

    /// Number of days that are read where a formula reads some.
    const fn days(self, days: usize) -> usize {
        match self {
            Self::Field(_) => days,
            Self::FirstRecorded(_) => longer(days, MONTH),
        }
    }
}

impl Formula {
    /// Number of days that the formula reads, the row's own day included; 0 for one that reads none.
    pub(crate) const fn days(&self) -> usize {
        match self {
            Self::Day(of) => of.days(1),
            Self::DayBefore(of) => of.days(2),
            Self::Mean(of, days) | Self::Spread(of, days) | Self::Slope(of, days) => of.days(*days),
            Self::FromMean(of, days) => of.days(longer(2, *days)),
            Self::WeekOfTotals(of) => of.days(WEEK),
            Self::EnergyShare { of, .. } => longer(of.days(1), ENERGY.days(1)),
            Self::EatingWindow | Self::SleepQuality => 1,
            Self::MealRegularity => WEEK,
            Self::BelowGoal(of) => of.days(),
            // Whether workouts are recorded at all is a question to the month.
            Self::WorkoutCount | Self::RecoveryTime | Self::DaysSinceRest => MONTH,
            Self::Minutes { days, .. } => longer(*days, MONTH),
            Self::DayOfWeek
            | Self::IsWeekend
            | Self::WeekOfYear
            | Self::Month
            | Self::CycleDay
            | Self::CyclePhase
            | Self::Weight => 0,
            Self::Ratio(dividend, divisor) => longer(dividend.days(), divisor.days()),
        }
    }

    /// The fields of the daily table that the formula reads.
    pub(crate) const fn fields(&self) -> Fields {
        match self {
            Self::Day(of)
            | Self::DayBefore(of)
            | Self::Mean(of, _)
            | Self::Spread(of, _)
            | Self::Slope(of, _)
            | Self::FromMean(of, _)
            | Self::WeekOfTotals(of) => of.fields(),
            Self::EnergyShare { of, .. } => of.fields().and(ENERGY.fields()),
            Self::EatingWindow => FIRST_MEAL.fields().and(LAST_MEAL.fields()),
            Self::MealRegularity => FIRST_MEAL.fields(),
            Self::BelowGoal(of) => of.fields(),
            Self::WorkoutCount | Self::DaysSinceRest => Fields::of(&[Field::Workouts as usize]),
            Self::RecoveryTime => Fields::of(&[Field::Hard as usize]),
            Self::Minutes { of, .. } => Fields::of(&[*of as usize, Field::Workouts as usize]),
            Self::SleepQuality => Fields::of(&[
                of_metric(MetricType::SleepScore),
                of_metric(MetricType::SleepEfficiency),
            ]),
            Self::DayOfWeek
            | Self::IsWeekend
            | Self::WeekOfYear
            | Self::Month
            | Self::CycleDay
            | Self::CyclePhase
            | Self::Weight => Fields::of(&[]),
            Self::Ratio(dividend, divisor) => dividend.fields().and(divisor.fields()),
        }
    }

    /// Whether the feature can be missing: only the calendar is always known.
    pub(crate) const fn can_be_missing(&self) -> bool {
        !matches!(
            self,
            Self::DayOfWeek | Self::IsWeekend | Self::WeekOfYear | Self::Month
        )
    }
}

const fn longer(left: usize, right: usize) -> usize {
    if left > right { left } else { right }
}
