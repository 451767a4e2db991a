//! The feature catalogue: one table that names every feature once. The matrix, the answers of the
//! API, the documentation and the tests derive from it.

use vitalcast_domain::{FeatureCategory, MetricType};

/// One feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
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
}

impl Feature {
    /// Whether readings of a metric go into the feature: its value on some day is that of the metric,
    /// computed from it, or a vendor's score of it. Such a feature explains the metric by itself.
    pub fn is_made_of(&self, metric: MetricType) -> bool {
        use MetricType as M;
        let made_of: &[MetricType] = match self.name {
            name if name.starts_with("health_rhr_") => &[M::RestingHeartRate],
            // Two measures of the same beats.
            name if name.starts_with("health_hrv_") => {
                &[M::HeartRateVariabilityRmssd, M::HeartRateVariabilitySdnn]
            }
            name if name.starts_with("health_sleep_duration_") => &[M::SleepDuration],
            name if name.starts_with("health_sleep_quality_") => {
                &[M::SleepScore, M::SleepEfficiency, M::SleepDuration]
            }
            // Vendors compute it from the night's heart rate, its variability and the sleep.
            name if name.starts_with("health_recovery_score_") => &[
                M::RecoveryScore,
                M::RestingHeartRate,
                M::HeartRateVariabilityRmssd,
                M::HeartRateVariabilitySdnn,
                M::SleepDuration,
                M::SleepScore,
            ],
            name if name.starts_with("activity_steps_") => &[M::Steps],
            name if name.starts_with("activity_active_minutes_") => &[M::ExerciseMinutes],
            name if name.starts_with("activity_calories_burned_") => {
                &[M::ActiveCalories, M::TotalCalories]
            }
            "interaction_carbs_per_active_minute" => &[M::ExerciseMinutes],
            _ => &[],
        };
        made_of.contains(&metric)
    }

    /// Whether the value of a day is a reading of the day before.
    pub fn is_of_the_day_before(&self) -> bool {
        self.field.ends_with("_yesterday")
    }

    /// Whether a vendor's score goes into the metric of the same day: the feature is a part of what
    /// the metric is computed from.
    pub fn is_part_of(&self, metric: MetricType) -> bool {
        let in_sleep = self.name.starts_with("health_sleep_");
        match metric {
            MetricType::RecoveryScore | MetricType::ReadinessScore => {
                in_sleep
                    || self.name.starts_with("health_rhr_")
                    || self.name.starts_with("health_hrv_")
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

macro_rules! feature {
    ($category:ident, $prefix:literal, $field:literal, $unit:literal, $nullable:literal,
     $model_input:literal, $meaning:literal) => {
        Feature {
            name: concat!($prefix, "_", $field),
            field: $field,
            category: FeatureCategory::$category,
            unit: $unit,
            nullable: $nullable,
            model_input: $model_input,
            meaning: $meaning,
        }
    };
}

/// The fields of the reference contract (B.4), in its order.
#[rustfmt::skip]
const FEATURES: [Feature; 64] = [
    feature!(Nutrition, "nutrition", "calories_daily", "kcal", true, true, "Energy eaten in the day"),
    feature!(Nutrition, "nutrition", "protein_daily", "g", true, true, "Protein eaten in the day"),
    feature!(Nutrition, "nutrition", "carbs_daily", "g", true, true, "Carbohydrate eaten in the day"),
    feature!(Nutrition, "nutrition", "fat_daily", "g", true, true, "Fat eaten in the day"),
    feature!(Nutrition, "nutrition", "fiber_daily", "g", true, true, "Fibre eaten in the day"),
    feature!(Nutrition, "nutrition", "calories_7d_avg", "kcal", true, true, "Mean energy of the observed days of the last week"),
    feature!(Nutrition, "nutrition", "protein_7d_avg", "g", true, true, "Mean protein of the observed days of the last week"),
    feature!(Nutrition, "nutrition", "carbs_7d_avg", "g", true, true, "Mean carbohydrate of the observed days of the last week"),
    feature!(Nutrition, "nutrition", "fat_7d_avg", "g", true, true, "Mean fat of the observed days of the last week"),
    feature!(Nutrition, "nutrition", "protein_ratio", "share", true, true, "Share of the energy that came from protein (4 kcal/g), at most 1"),
    feature!(Nutrition, "nutrition", "carbs_ratio", "share", true, true, "Share of the energy that came from carbohydrate (4 kcal/g), at most 1"),
    feature!(Nutrition, "nutrition", "fat_ratio", "share", true, true, "Share of the energy that came from fat (9 kcal/g), at most 1"),
    feature!(Nutrition, "nutrition", "first_meal_time", "h", true, false, "Local hour of the first meal"),
    feature!(Nutrition, "nutrition", "last_meal_time", "h", true, true, "Local hour of the last meal"),
    feature!(Nutrition, "nutrition", "eating_window", "h", true, true, "Hours from the first meal to the last"),
    feature!(Nutrition, "nutrition", "meal_count", "count", true, false, "Meals of a day with any meal"),
    feature!(Nutrition, "nutrition", "late_night_carbs", "g", true, false, "Carbohydrate eaten from 20:00 on"),
    feature!(Nutrition, "nutrition", "late_night_calories", "kcal", true, true, "Energy eaten from 20:00 on"),
    feature!(Nutrition, "nutrition", "meal_regularity", "0-1", true, true, "1 minus a third of the standard deviation of the week's first meals in hours, at least 0"),
    feature!(Nutrition, "nutrition", "calorie_deficit", "kcal", true, false, "Energy goal, scaled by activity level, minus energy eaten"),
    feature!(Nutrition, "nutrition", "calorie_deficit_7d", "kcal", true, false, "Mean of that over the observed days of the last week"),
    feature!(Activity, "activity", "steps_daily", "count", true, true, "Steps of the day"),
    feature!(Activity, "activity", "active_minutes_daily", "min", true, true, "Minutes of exercise, as the watch counts them or else from workouts"),
    feature!(Activity, "activity", "calories_burned_daily", "kcal", true, true, "Active energy, else total energy, else that of workouts"),
    feature!(Activity, "activity", "steps_7d_avg", "count", true, true, "Mean steps of the observed days of the last week"),
    feature!(Activity, "activity", "active_minutes_7d_avg", "min", true, true, "Mean exercise minutes of the observed days of the last week"),
    feature!(Activity, "activity", "calories_burned_7d_avg", "kcal", true, false, "Mean energy burned of the observed days of the last week"),
    feature!(Activity, "activity", "workout_count_daily", "count", true, true, "Workouts of the day; 0 only when workouts were recorded in the last 30 days"),
    feature!(Activity, "activity", "workout_intensity_avg", "0-1", true, true, "Mean intensity of the day's workouts: low 0.33, moderate 0.66, high and maximum 1"),
    feature!(Activity, "activity", "high_intensity_minutes", "min", true, true, "Minutes of high or maximum intensity"),
    feature!(Activity, "activity", "recovery_time", "h", true, true, "24 times the days since the last hard workout of the last 30 days; 72 when none of the known ones was hard"),
    feature!(Activity, "activity", "days_since_rest", "days", true, true, "Days in a row with a workout, up to this one, at most 30"),
    feature!(Activity, "activity", "cardio_minutes_7d", "min", true, true, "Minutes of endurance sports in the last week"),
    feature!(Activity, "activity", "strength_minutes_7d", "min", true, true, "Minutes of strength training in the last week"),
    feature!(Activity, "activity", "flexibility_minutes_7d", "min", true, false, "Minutes of yoga, stretching and Pilates in the last week"),
    feature!(Health, "health", "rhr_yesterday", "bpm", true, true, "Resting heart rate of the day before"),
    feature!(Health, "health", "rhr_7d_avg", "bpm", true, true, "Mean resting heart rate of the last week"),
    feature!(Health, "health", "rhr_7d_std", "bpm", true, false, "Population standard deviation of the last week's resting heart rate"),
    feature!(Health, "health", "rhr_trend", "bpm/day", true, true, "Least-squares slope of the last week's resting heart rate"),
    feature!(Health, "health", "rhr_baseline", "bpm", true, false, "Mean resting heart rate of the last 30 days"),
    feature!(Health, "health", "rhr_deviation", "bpm", true, true, "Resting heart rate of the day before minus that mean"),
    feature!(Health, "health", "hrv_yesterday", "ms", true, true, "HRV (RMSSD) of the day before"),
    feature!(Health, "health", "hrv_7d_avg", "ms", true, true, "Mean HRV (RMSSD) of the last week"),
    feature!(Health, "health", "hrv_7d_std", "ms", true, false, "Population standard deviation of the last week's HRV"),
    feature!(Health, "health", "hrv_trend", "ms/day", true, true, "Least-squares slope of the last week's HRV"),
    feature!(Health, "health", "hrv_baseline", "ms", true, false, "Mean HRV of the last 30 days"),
    feature!(Health, "health", "hrv_deviation", "ms", true, true, "HRV of the day before minus that mean"),
    feature!(Health, "health", "sleep_duration_last", "h", true, true, "Time asleep in the night that ended on this day"),
    feature!(Health, "health", "sleep_quality_last", "0-100", true, true, "Sleep score of that night, else its efficiency"),
    feature!(Health, "health", "sleep_duration_7d_avg", "h", true, true, "Mean time asleep of the last week's nights"),
    feature!(Health, "health", "recovery_score_yesterday", "0-100", true, true, "Recovery score of the day before"),
    feature!(Health, "health", "recovery_score_7d_avg", "0-100", true, false, "Mean recovery score of the last week"),
    feature!(Temporal, "temporal", "day_of_week", "0-6", false, true, "0 is Monday"),
    feature!(Temporal, "temporal", "is_weekend", "0/1", false, true, "Saturday or Sunday"),
    feature!(Temporal, "temporal", "week_of_year", "1-53", false, true, "ISO week"),
    feature!(Temporal, "temporal", "month", "1-12", false, true, "Month"),
    feature!(Temporal, "temporal", "menstrual_cycle_day", "days", true, true, "Day of the cycle, 1 on its first day, if cycles are tracked"),
    feature!(Temporal, "temporal", "menstrual_cycle_phase", "1-4", true, false, "1 menstrual (days 1-5), 2 follicular (6-13), 3 ovulatory (14-16), 4 luteal (17 on)"),
    feature!(Interaction, "interaction", "protein_per_kg", "g/kg", true, true, "Protein of the day per kilogram of body weight"),
    feature!(Interaction, "interaction", "calories_per_kg", "kcal/kg", true, true, "Energy of the day per kilogram of body weight"),
    feature!(Interaction, "interaction", "carbs_per_active_minute", "g/min", true, true, "Carbohydrate of the day per minute of exercise"),
    feature!(Interaction, "interaction", "protein_per_workout", "g", true, true, "Protein of the day per workout"),
    feature!(Interaction, "interaction", "protein_to_recovery", "g/h", true, true, "Protein of the day per hour of recovery time"),
    feature!(Interaction, "interaction", "carbs_to_intensity", "g", true, true, "Carbohydrate of the day per unit of workout intensity"),
];

static CATALOGUE: [Feature; 64] = FEATURES;

/// All features, in the order of the reference contract.
pub fn catalogue() -> &'static [Feature] {
    &CATALOGUE
}

/// The model inputs, in order.
pub fn model_inputs() -> impl Iterator<Item = &'static Feature> {
    CATALOGUE.iter().filter(|feature| feature.model_input)
}

/// The feature with a name, if there is one.
pub fn feature_named(name: &str) -> Option<&'static Feature> {
    CATALOGUE.iter().find(|feature| feature.name == name)
}

/// Index of a feature in the catalogue.
pub(crate) fn place(name: &str) -> Option<usize> {
    CATALOGUE.iter().position(|feature| feature.name == name)
}

/// Index of a feature that formulas name: looked up when the program is built.
pub(crate) const fn place_of(name: &str) -> usize {
    let name = name.as_bytes();
    let mut place = 0;
    while place < FEATURES.len() {
        let other = FEATURES[place].name.as_bytes();
        let mut same = other.len() == name.len();
        let mut at = 0;
        while same && at < name.len() {
            same = other[at] == name[at];
            at += 1;
        }
        if same {
            return place;
        }
        place += 1;
    }
    panic!("formulas name features of the catalogue")
}

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
