//! The fields of the daily table: the values that a record adds to its day, and their aggregation.

use vitalcast_domain::{Activity, ActivityType, Intensity, Meal, MetricType, Record};

/// A field of the daily table that is not a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Field {
    Energy,
    Protein,
    Carbs,
    Fat,
    Fiber,
    Meals,
    /// Hour of the first meal whose time is known.
    FirstMeal,
    LastMeal,
    LateCarbs,
    LateEnergy,
    Workouts,
    WorkoutMinutes,
    WorkoutEnergy,
    WorkoutSteps,
    /// 0 to 1, of workouts whose intensity is known.
    Intensity,
    HighMinutes,
    /// 1 on a day with a hard workout, 0 on a day whose workouts are known not to be.
    Hard,
    CardioMinutes,
    StrengthMinutes,
    FlexibilityMinutes,
}

/// Fields before the readings.
const PLAIN: usize = Field::FlexibilityMinutes as usize + 1;
/// All fields of a day.
pub(crate) const FIELDS: usize = PLAIN + MetricType::ALL.len();

/// Local hour from which a meal counts as late.
pub const LATE_HOUR: f64 = 20.0;

impl Field {
    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// The field of a reading.
pub(crate) const fn of_metric(metric: MetricType) -> usize {
    PLAIN + metric as usize
}

/// Some fields of the daily table, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fields(u128);

const _: () = assert!(FIELDS <= u128::BITS as usize, "a bit for each field");

impl Fields {
    pub(crate) const fn of(fields: &[usize]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < fields.len() {
            bits |= 1 << fields[at];
            at += 1;
        }
        Self(bits)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether a meal can change any of them.
    pub(crate) const fn has_meals(self) -> bool {
        self.0 & ((1 << Field::Workouts as usize) - 1) != 0
    }

    /// Whether a workout can change any of them.
    pub(crate) const fn has_workouts(self) -> bool {
        self.0 & ((1 << PLAIN) - (1 << Field::Workouts as usize)) != 0
    }

    pub(crate) const fn has_readings_of(self, metric: MetricType) -> bool {
        self.meets(Self::of(&[of_metric(metric)]))
    }
}

/// The aggregation of what meals and activities add to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reduction {
    Sum,
    Mean,
    Smallest,
    Largest,
}

/// The aggregation of every field that is not a reading.
pub(crate) fn reduction(field: usize) -> Reduction {
    if field == Field::FirstMeal.index() {
        Reduction::Smallest
    } else if field == Field::LastMeal.index() || field == Field::Hard.index() {
        Reduction::Largest
    } else if field == Field::Intensity.index() {
        Reduction::Mean
    } else {
        Reduction::Sum
    }
}

/// Calls `put` with every field a meal or an activity adds to its day.
pub(crate) fn contribute(record: &Record, put: &mut impl FnMut(usize, f64)) {
    match record {
        Record::Meal(meal) => of_meal(meal, put),
        Record::Activity(activity) => of_activity(activity, put),
        Record::HealthMetric(_) | Record::Tag(_) => {}
    }
}

fn of_meal(meal: &Meal, put: &mut impl FnMut(usize, f64)) {
    put(Field::Meals.index(), 1.0);
    for (field, value) in [
        (Field::Energy, meal.energy_kcal),
        (Field::Protein, meal.protein_g),
        (Field::Carbs, meal.carbs_g),
        (Field::Fat, meal.fat_g),
        (Field::Fiber, meal.fiber_g),
    ] {
        if let Some(value) = value {
            put(field.index(), value);
        }
    }
    if !meal.time_known() {
        return;
    }
    let hour = hour_of(meal);
    put(Field::FirstMeal.index(), hour);
    put(Field::LastMeal.index(), hour);
    if let Some(carbs) = meal.carbs_g {
        put(Field::LateCarbs.index(), late(meal, carbs));
    }
    if let Some(energy) = meal.energy_kcal {
        put(Field::LateEnergy.index(), late(meal, energy));
    }
}

/// What of a meal was late: all of its amount, or nothing of it, which is not the same as not known.
pub(crate) fn late(meal: &Meal, amount: f64) -> f64 {
    if hour_of(meal) >= LATE_HOUR {
        amount
    } else {
        0.0
    }
}

/// Local hour and fraction of an hour.
fn hour_of(meal: &Meal) -> f64 {
    use chrono::Timelike;
    let time = meal.provenance.local_time().time();
    f64::from(time.num_seconds_from_midnight()) / 3600.0
}

fn of_activity(activity: &Activity, put: &mut impl FnMut(usize, f64)) {
    put(Field::Workouts.index(), 1.0);
    for (field, value) in [
        (Field::WorkoutMinutes, activity.duration_minutes),
        (Field::WorkoutEnergy, activity.energy_kcal),
        (Field::WorkoutSteps, activity.steps),
    ] {
        if let Some(value) = value {
            put(field.index(), value);
        }
    }
    let hard = activity
        .intensity
        .map(|intensity| matches!(intensity, Intensity::High | Intensity::Maximum));
    if let (Some(intensity), Some(hard)) = (activity.intensity, hard) {
        put(Field::Intensity.index(), share_of(intensity));
        put(Field::Hard.index(), if hard { 1.0 } else { 0.0 });
    }
    if let Some(minutes) = activity.duration_minutes {
        if let Some(hard) = hard {
            put(Field::HighMinutes.index(), if hard { minutes } else { 0.0 });
        }
        let class = sport_class(activity.activity_type);
        for (field, of_class) in [
            (Field::CardioMinutes, SportClass::Cardio),
            (Field::StrengthMinutes, SportClass::Strength),
            (Field::FlexibilityMinutes, SportClass::Flexibility),
        ] {
            let counts = class == Some(of_class);
            put(field.index(), if counts { minutes } else { 0.0 });
        }
    }
}

/// Reference contract C.1, with MAXIMUM counting as HIGH.
fn share_of(intensity: Intensity) -> f64 {
    match intensity {
        Intensity::Low => 0.33,
        Intensity::Moderate => 0.66,
        Intensity::High | Intensity::Maximum => 1.0,
    }
}

/// A class of sports whose minutes are a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SportClass {
    /// Endurance sports.
    Cardio,
    /// Strength training.
    Strength,
    /// Yoga, stretching and Pilates.
    Flexibility,
}

/// The class of a sport, if it has one.
pub fn sport_class(activity: ActivityType) -> Option<SportClass> {
    use ActivityType as A;
    match activity {
        A::Running
        | A::Cycling
        | A::Swimming
        | A::Walking
        | A::Hiking
        | A::Rowing
        | A::Elliptical
        | A::Basketball
        | A::Soccer
        | A::Tennis
        | A::Dance
        | A::MartialArts => Some(SportClass::Cardio),
        A::WeightTraining | A::Bodyweight | A::Crossfit | A::Powerlifting => {
            Some(SportClass::Strength)
        }
        A::Yoga | A::Stretching | A::Pilates => Some(SportClass::Flexibility),
        A::Golf | A::Other => None,
    }
}
