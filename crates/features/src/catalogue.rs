//! The feature catalogue: one table that names every feature once, with its formula. Ids, columns, the
//! answers of the API, the days that a feature looks back on and the tests derive from it.

use crate::error::UnknownFeature;
use crate::field::{Field, Fields};
use crate::formula::{
    ACTIVE_MINUTES, CARBS, ENERGY, ENERGY_BURNED, FAT, FIBER, FIRST_MEAL,
    Formula::{
        self, BelowGoal, CycleDay, CyclePhase, Day, DayBefore, DayOfWeek, DaysSinceRest,
        EatingWindow, EnergyShare, FromMean, IsWeekend, MealRegularity, Mean, Minutes, Month,
        Ratio, RecoveryTime, SleepQuality, Slope, Spread, WeekOfTotals, WeekOfYear, Weight,
        WorkoutCount,
    },
    HRV, INTENSITY, LAST_MEAL, LATE_CARBS, LATE_ENERGY, MEALS, MONTH, PROTEIN, RECOVERY, RHR,
    SLEEP, STEPS, WEEK,
};
use vitalcast_domain::{FeatureCategory, MetricType};

/// One feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// Its id.
    pub id: FeatureId,
    /// Name in matrices, with its category: `nutrition_protein_daily`.
    pub name: &'static str,
    /// Name within its category: `protein_daily`.
    pub field: &'static str,
    /// Its category.
    pub category: FeatureCategory,
    /// Its unit.
    pub unit: &'static str,
    /// Whether the feature can be missing.
    pub nullable: bool,
    /// Whether it is a model input.
    pub model_input: bool,
    /// Description in one line.
    pub meaning: &'static str,
    /// How it is computed.
    pub(crate) formula: Formula,
}

/// What a feature is computed from. The calendar and the profile are no records, and not listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FeatureSource {
    /// Meals.
    Meals,
    /// Workouts.
    Workouts,
    /// Readings of a metric type.
    Readings(MetricType),
}

impl Feature {
    /// The number of days that the feature of a day reads, that day included: 1 for a total of the day, 7
    /// for a mean of the week, 0 for the calendar. It follows from the formula.
    pub const fn look_back_days(&self) -> usize {
        self.formula.days()
    }

    /// What the feature is computed from. It follows from the formula.
    pub fn sources(&self) -> impl Iterator<Item = FeatureSource> {
        let fields = self.formula.fields();
        let meals = fields.has_meals().then_some(FeatureSource::Meals);
        let workouts = fields.has_workouts().then_some(FeatureSource::Workouts);
        let readings = MetricType::ALL
            .iter()
            .filter(move |metric| fields.has_readings_of(**metric))
            .map(|metric| FeatureSource::Readings(*metric));
        meals.into_iter().chain(workouts).chain(readings)
    }

    /// Whether readings of a metric go into the feature: its value on some day is that of the metric,
    /// computed from it, or a vendor's score of it. Such a feature explains the metric by itself.
    pub fn is_made_of(&self, metric: MetricType) -> bool {
        use MetricType as M;
        let fields = self.formula.fields();
        let reads = |metric| fields.has_readings_of(metric);
        if reads(metric) {
            return true;
        }
        // Two measures of the same beats.
        (metric == M::HeartRateVariabilitySdnn && reads(M::HeartRateVariabilityRmssd))
            // Vendors compute the score of a night from its length,
            || (metric == M::SleepDuration && reads(M::SleepScore))
            // and recovery from the night's heart rate, its variability and the sleep.
            || (reads(M::RecoveryScore)
                && [
                    M::RestingHeartRate,
                    M::HeartRateVariabilityRmssd,
                    M::HeartRateVariabilitySdnn,
                    M::SleepDuration,
                    M::SleepScore,
                ]
                .contains(&metric))
    }

    /// Whether the value of a day is a reading of the day before.
    pub fn is_of_the_day_before(&self) -> bool {
        matches!(self.formula, Formula::DayBefore(_))
    }

    /// Whether a vendor's score goes into the metric of the same day: the feature is a part of what
    /// the metric is computed from.
    pub fn is_part_of(&self, metric: MetricType) -> bool {
        let fields = self.formula.fields();
        let reads = |metric| fields.has_readings_of(metric);
        let in_sleep = reads(MetricType::SleepDuration) || reads(MetricType::SleepScore);
        match metric {
            MetricType::RecoveryScore | MetricType::ReadinessScore => {
                in_sleep
                    || reads(MetricType::RestingHeartRate)
                    || reads(MetricType::HeartRateVariabilityRmssd)
            }
            MetricType::SleepScore => in_sleep,
            MetricType::RestingHeartRate
            | MetricType::HeartRateVariabilitySdnn
            | MetricType::HeartRateVariabilityRmssd
            | MetricType::BloodPressureSystolic
            | MetricType::BloodPressureDiastolic
            | MetricType::RespiratoryRate
            | MetricType::OxygenSaturation
            | MetricType::Vo2Max
            | MetricType::SleepDuration
            | MetricType::DeepSleepDuration
            | MetricType::RemSleepDuration
            | MetricType::SleepEfficiency
            | MetricType::Steps
            | MetricType::ActiveCalories
            | MetricType::TotalCalories
            | MetricType::ExerciseMinutes
            | MetricType::StandingHours
            | MetricType::StrainScore
            | MetricType::BodyFatPercentage
            | MetricType::MuscleMass
            | MetricType::BoneMass
            | MetricType::WaterPercentage
            | MetricType::SkinTemperature
            | MetricType::BloodGlucose
            | MetricType::StressLevel
            | MetricType::AverageHeartRate
            | MetricType::SleepingHeartRate
            | MetricType::LowestHeartRate
            | MetricType::LightActivityMinutes
            | MetricType::ModerateActivityMinutes
            | MetricType::VigorousActivityMinutes
            | MetricType::SedentaryMinutes
            | MetricType::HeartRateBelowZone1Minutes
            | MetricType::HeartRateZone1Minutes
            | MetricType::HeartRateZone2Minutes
            | MetricType::HeartRateZone3Minutes
            | MetricType::AwakeDuration
            | MetricType::TimeInBed
            | MetricType::Bedtime
            | MetricType::WakeTime
            | MetricType::RecoverySleepPart
            | MetricType::RecoveryExertionPart
            | MetricType::RecoveryResponsivenessPart
            | MetricType::EveningStressLevel => false,
        }
    }
}

/// Declares the ids and the catalogue: id, name in its category, unit, whether models read it (`input`)
/// or only tables and analyses (`column`), formula, meaning.
macro_rules! features {
    ($($category:ident $prefix:literal {
        $($id:ident $field:literal, $unit:literal, $use:ident, $formula:expr, $meaning:literal;)+
    })+) => {
        /// A feature of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FeatureId {
            $($(#[doc = $meaning] $id,)+)+
        }

        /// The fields of the reference contract (B.4), in its order: a feature stands at the place of
        /// its id.
        static CATALOGUE: [Feature; FeatureId::ALL.len()] = [
            $($(Feature {
                id: FeatureId::$id,
                name: concat!($prefix, "_", $field),
                field: $field,
                category: FeatureCategory::$category,
                unit: $unit,
                nullable: { const FORMULA: Formula = $formula; FORMULA.can_be_missing() },
                model_input: is_input!($use),
                meaning: $meaning,
                formula: $formula,
            },)+)+
        ];

        impl FeatureId {
            /// All of them, in the order of the reference contract.
            pub const ALL: &'static [Self] = &[$($(Self::$id,)+)+];
        }
    };
}

macro_rules! is_input {
    (input) => {
        true
    };
    (column) => {
        false
    };
}

#[rustfmt::skip]
features! {
    Nutrition "nutrition" {
        CaloriesDaily "calories_daily", "kcal", input, Day(ENERGY), "Energy eaten in the day";
        ProteinDaily "protein_daily", "g", input, Day(PROTEIN), "Protein eaten in the day";
        CarbsDaily "carbs_daily", "g", input, Day(CARBS), "Carbohydrate eaten in the day";
        FatDaily "fat_daily", "g", input, Day(FAT), "Fat eaten in the day";
        FiberDaily "fiber_daily", "g", input, Day(FIBER), "Fibre eaten in the day";
        Calories7dAvg "calories_7d_avg", "kcal", input, WeekOfTotals(ENERGY), "Mean energy of the observed days of the last week";
        Protein7dAvg "protein_7d_avg", "g", input, WeekOfTotals(PROTEIN), "Mean protein of the observed days of the last week";
        Carbs7dAvg "carbs_7d_avg", "g", input, WeekOfTotals(CARBS), "Mean carbohydrate of the observed days of the last week";
        Fat7dAvg "fat_7d_avg", "g", input, WeekOfTotals(FAT), "Mean fat of the observed days of the last week";
        ProteinRatio "protein_ratio", "share", input, EnergyShare { of: PROTEIN, kcal_per_gram: 4 }, "Share of the energy that came from protein (4 kcal/g), at most 1";
        CarbsRatio "carbs_ratio", "share", input, EnergyShare { of: CARBS, kcal_per_gram: 4 }, "Share of the energy that came from carbohydrate (4 kcal/g), at most 1";
        FatRatio "fat_ratio", "share", input, EnergyShare { of: FAT, kcal_per_gram: 9 }, "Share of the energy that came from fat (9 kcal/g), at most 1";
        FirstMealTime "first_meal_time", "h", column, Day(FIRST_MEAL), "Local hour of the first meal";
        LastMealTime "last_meal_time", "h", input, Day(LAST_MEAL), "Local hour of the last meal";
        EatingWindow "eating_window", "h", input, EatingWindow, "Hours from the first meal to the last";
        MealCount "meal_count", "count", column, Day(MEALS), "Meals of a day with any meal";
        LateNightCarbs "late_night_carbs", "g", column, Day(LATE_CARBS), "Carbohydrate eaten from 20:00 on";
        LateNightCalories "late_night_calories", "kcal", input, Day(LATE_ENERGY), "Energy eaten from 20:00 on";
        MealRegularity "meal_regularity", "0-1", input, MealRegularity, "1 minus a third of the standard deviation of the week's first meals in hours, at least 0";
        CalorieDeficit "calorie_deficit", "kcal", column, BelowGoal(&Day(ENERGY)), "Energy goal, scaled by activity level, minus energy eaten";
        CalorieDeficit7d "calorie_deficit_7d", "kcal", column, BelowGoal(&WeekOfTotals(ENERGY)), "Mean of that over the observed days of the last week";
    }
    Activity "activity" {
        StepsDaily "steps_daily", "count", input, Day(STEPS), "Steps of the day";
        ActiveMinutesDaily "active_minutes_daily", "min", input, Day(ACTIVE_MINUTES), "Minutes of exercise, as the watch counts them or else from workouts";
        CaloriesBurnedDaily "calories_burned_daily", "kcal", input, Day(ENERGY_BURNED), "Active energy, else total energy, else that of workouts";
        Steps7dAvg "steps_7d_avg", "count", input, WeekOfTotals(STEPS), "Mean steps of the observed days of the last week";
        ActiveMinutes7dAvg "active_minutes_7d_avg", "min", input, WeekOfTotals(ACTIVE_MINUTES), "Mean exercise minutes of the observed days of the last week";
        CaloriesBurned7dAvg "calories_burned_7d_avg", "kcal", column, WeekOfTotals(ENERGY_BURNED), "Mean energy burned of the observed days of the last week";
        WorkoutCountDaily "workout_count_daily", "count", input, WorkoutCount, "Workouts of the day; 0 only when workouts were recorded in the last 30 days";
        WorkoutIntensityAvg "workout_intensity_avg", "0-1", input, Day(INTENSITY), "Mean intensity of the day's workouts: low 0.33, moderate 0.66, high and maximum 1";
        HighIntensityMinutes "high_intensity_minutes", "min", input, Minutes { of: Field::HighMinutes, days: 1 }, "Minutes of high or maximum intensity";
        RecoveryTime "recovery_time", "h", input, RecoveryTime, "24 times the days since the last hard workout of the last 30 days; 72 when none of the known ones was hard";
        DaysSinceRest "days_since_rest", "days", input, DaysSinceRest, "Days in a row with a workout, up to this one, at most 30";
        CardioMinutes7d "cardio_minutes_7d", "min", input, Minutes { of: Field::CardioMinutes, days: WEEK }, "Minutes of endurance sports in the last week";
        StrengthMinutes7d "strength_minutes_7d", "min", input, Minutes { of: Field::StrengthMinutes, days: WEEK }, "Minutes of strength training in the last week";
        FlexibilityMinutes7d "flexibility_minutes_7d", "min", column, Minutes { of: Field::FlexibilityMinutes, days: WEEK }, "Minutes of yoga, stretching and Pilates in the last week";
    }
    Health "health" {
        RhrYesterday "rhr_yesterday", "bpm", input, DayBefore(RHR), "Resting heart rate of the day before";
        Rhr7dAvg "rhr_7d_avg", "bpm", input, Mean(RHR, WEEK), "Mean resting heart rate of the last week";
        Rhr7dStd "rhr_7d_std", "bpm", column, Spread(RHR, WEEK), "Population standard deviation of the last week's resting heart rate";
        RhrTrend "rhr_trend", "bpm/day", input, Slope(RHR, WEEK), "Least-squares slope of the last week's resting heart rate";
        RhrBaseline "rhr_baseline", "bpm", column, Mean(RHR, MONTH), "Mean resting heart rate of the last 30 days";
        RhrDeviation "rhr_deviation", "bpm", input, FromMean(RHR, MONTH), "Resting heart rate of the day before minus that mean";
        HrvYesterday "hrv_yesterday", "ms", input, DayBefore(HRV), "HRV (RMSSD) of the day before";
        Hrv7dAvg "hrv_7d_avg", "ms", input, Mean(HRV, WEEK), "Mean HRV (RMSSD) of the last week";
        Hrv7dStd "hrv_7d_std", "ms", column, Spread(HRV, WEEK), "Population standard deviation of the last week's HRV";
        HrvTrend "hrv_trend", "ms/day", input, Slope(HRV, WEEK), "Least-squares slope of the last week's HRV";
        HrvBaseline "hrv_baseline", "ms", column, Mean(HRV, MONTH), "Mean HRV of the last 30 days";
        HrvDeviation "hrv_deviation", "ms", input, FromMean(HRV, MONTH), "HRV of the day before minus that mean";
        SleepDurationLast "sleep_duration_last", "h", input, Day(SLEEP), "Time asleep in the night that ended on this day";
        SleepQualityLast "sleep_quality_last", "0-100", input, SleepQuality, "Sleep score of that night, else its efficiency";
        SleepDuration7dAvg "sleep_duration_7d_avg", "h", input, Mean(SLEEP, WEEK), "Mean time asleep of the last week's nights";
        RecoveryScoreYesterday "recovery_score_yesterday", "0-100", input, DayBefore(RECOVERY), "Recovery score of the day before";
        RecoveryScore7dAvg "recovery_score_7d_avg", "0-100", column, Mean(RECOVERY, WEEK), "Mean recovery score of the last week";
    }
    Temporal "temporal" {
        DayOfWeek "day_of_week", "0-6", input, DayOfWeek, "0 is Monday";
        IsWeekend "is_weekend", "0/1", input, IsWeekend, "Saturday or Sunday";
        WeekOfYear "week_of_year", "1-53", input, WeekOfYear, "ISO week";
        Month "month", "1-12", input, Month, "Month";
        MenstrualCycleDay "menstrual_cycle_day", "days", input, CycleDay, "Day of the cycle, 1 on its first day, if cycles are tracked";
        MenstrualCyclePhase "menstrual_cycle_phase", "1-4", column, CyclePhase, "1 menstrual (days 1-5), 2 follicular (6-13), 3 ovulatory (14-16), 4 luteal (17 on)";
    }
    Interaction "interaction" {
        ProteinPerKg "protein_per_kg", "g/kg", input, Ratio(&Day(PROTEIN), &Weight), "Protein of the day per kilogram of body weight";
        CaloriesPerKg "calories_per_kg", "kcal/kg", input, Ratio(&Day(ENERGY), &Weight), "Energy of the day per kilogram of body weight";
        CarbsPerActiveMinute "carbs_per_active_minute", "g/min", input, Ratio(&Day(CARBS), &Day(ACTIVE_MINUTES)), "Carbohydrate of the day per minute of exercise";
        ProteinPerWorkout "protein_per_workout", "g", input, Ratio(&Day(PROTEIN), &WorkoutCount), "Protein of the day per workout";
        ProteinToRecovery "protein_to_recovery", "g/h", input, Ratio(&Day(PROTEIN), &RecoveryTime), "Protein of the day per hour of recovery time";
        CarbsToIntensity "carbs_to_intensity", "g", input, Ratio(&Day(CARBS), &Day(INTENSITY)), "Carbohydrate of the day per unit of workout intensity";
    }
}

impl FeatureId {
    /// The feature.
    pub fn feature(self) -> &'static Feature {
        &CATALOGUE[self as usize]
    }

    /// Its name in matrices, with its category: `nutrition_protein_daily`.
    pub fn name(self) -> &'static str {
        self.feature().name
    }
}

impl std::fmt::Display for FeatureId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

impl std::str::FromStr for FeatureId {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = CATALOGUE.iter().find(|feature| feature.name == name);
        found
            .map(|feature| feature.id)
            .ok_or_else(|| UnknownFeature::new(name))
    }
}

/// All features, in the order of the reference contract.
pub fn catalogue() -> &'static [Feature] {
    &CATALOGUE
}

/// The model inputs, in order.
pub fn model_inputs() -> impl Iterator<Item = &'static Feature> {
    CATALOGUE.iter().filter(|feature| feature.model_input)
}

/// The number of days that features read at most, the day of the row included. The features of a period
/// need the records of as many days before it: a night may begin on the evening before the first day that
/// is read.
pub const LOOK_BACK_DAYS: usize = {
    let mut longest = 0;
    let mut at = 0;
    while at < CATALOGUE.len() {
        if CATALOGUE[at].look_back_days() > longest {
            longest = CATALOGUE[at].look_back_days();
        }
        at += 1;
    }
    longest
};

/// What a feature reads: fields of the daily table, and how many days.
#[derive(Clone, Copy)]
pub(crate) struct Reads {
    pub(crate) fields: Fields,
    pub(crate) days: usize,
}

/// What each feature reads, in the order of the catalogue.
pub(crate) static READS: [Reads; FeatureId::ALL.len()] = {
    let mut reads = [Reads {
        fields: Fields::of(&[]),
        days: 0,
    }; FeatureId::ALL.len()];
    let mut at = 0;
    while at < reads.len() {
        reads[at] = Reads {
            fields: CATALOGUE[at].formula.fields(),
            days: CATALOGUE[at].formula.days(),
        };
        at += 1;
    }
    reads
};

#[cfg(test)]
mod tests {
    use super::*;

    fn count(category: FeatureCategory, inputs_only: bool) -> usize {
        catalogue()
            .iter()
            .filter(|feature| feature.category == category)
            .filter(|feature| feature.model_input || !inputs_only)
            .count()
    }

    #[test]
    fn categories_have_the_sizes_of_the_contract() {
        use FeatureCategory as C;
        let sizes = |inputs_only| {
            [
                C::Nutrition,
                C::Activity,
                C::Health,
                C::Temporal,
                C::Interaction,
            ]
            .map(|category| count(category, inputs_only))
        };
        assert_eq!(sizes(false), [21, 14, 17, 6, 6]);
        assert_eq!(sizes(true), [16, 12, 12, 5, 6]);
    }

    #[test]
    fn a_feature_stands_at_the_place_of_its_id_and_is_found_by_its_name() {
        for (place, feature) in catalogue().iter().enumerate() {
            assert_eq!(feature.id as usize, place);
            assert_eq!(feature.id.feature(), feature);
            assert_eq!(feature.name.parse::<FeatureId>().unwrap(), feature.id);
        }
        let unknown = "nutrition_magic".parse::<FeatureId>().unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "\"nutrition_magic\" is no feature: expected one of the catalogue, for example \
             nutrition_protein_daily"
        );
    }

    #[test]
    fn look_backs_and_sources_follow_from_the_formulas() {
        use FeatureSource::{Meals, Readings, Workouts};
        let of = |id: FeatureId| {
            let sources: Vec<FeatureSource> = id.feature().sources().collect();
            (id.feature().look_back_days(), sources)
        };
        assert_eq!(of(FeatureId::CaloriesDaily), (1, vec![Meals]));
        assert_eq!(of(FeatureId::CalorieDeficit7d), (7, vec![Meals]));
        assert_eq!(
            of(FeatureId::RhrYesterday),
            (2, vec![Readings(MetricType::RestingHeartRate)])
        );
        // Which source of steps counts is a question to the month.
        assert_eq!(
            of(FeatureId::StepsDaily),
            (30, vec![Workouts, Readings(MetricType::Steps)])
        );
        assert_eq!(
            of(FeatureId::ProteinToRecovery),
            (30, vec![Meals, Workouts])
        );
        assert_eq!(of(FeatureId::DayOfWeek), (0, vec![]));
        assert_eq!(LOOK_BACK_DAYS, 30);
    }

    #[test]
    fn names_are_unique_and_carry_their_category() {
        let mut names: Vec<&str> = catalogue().iter().map(|feature| feature.name).collect();
        for feature in catalogue() {
            assert_eq!(
                feature.name,
                format!("{}_{}", feature.category, feature.field)
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 64);
    }
}
