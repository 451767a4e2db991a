//! What the parts of a forecast are called.

use vitalcast_domain::{ExplainedFeature, FeatureCategory, MetricType, PredictionMetric};
use vitalcast_features::Feature;
use vitalcast_models::SeriesPart;

/// The metric's own days in models that read features beside them.
pub(crate) const OWN_HISTORY: &str = "health_own_history";

/// A model input for people. Its value is that of the last day that the model reads.
pub(crate) fn label_of(feature: &Feature) -> String {
    let label = match feature.field {
        "calories_daily" => "energy eaten",
        "protein_daily" => "protein eaten",
        "carbs_daily" => "carbohydrate eaten",
        "fat_daily" => "fat eaten",
        "fiber_daily" => "fibre eaten",
        "calories_7d_avg" => "the week's mean energy eaten",
        "protein_7d_avg" => "the week's mean protein",
        "carbs_7d_avg" => "the week's mean carbohydrate",
        "fat_7d_avg" => "the week's mean fat",
        "protein_ratio" => "the share of energy from protein",
        "carbs_ratio" => "the share of energy from carbohydrate",
        "fat_ratio" => "the share of energy from fat",
        "last_meal_time" => "the time of the last meal",
        "eating_window" => "the time from first to last meal",
        "late_night_calories" => "energy eaten after 20:00",
        "meal_regularity" => "the regularity of first meals",
        "steps_daily" => "steps",
        "active_minutes_daily" => "minutes of exercise",
        "calories_burned_daily" => "energy burned",
        "steps_7d_avg" => "the week's mean steps",
        "active_minutes_7d_avg" => "the week's mean minutes of exercise",
        "workout_count_daily" => "the number of workouts",
        "workout_intensity_avg" => "the intensity of workouts",
        "high_intensity_minutes" => "minutes of hard exercise",
        "recovery_time" => "the time since the last hard workout",
        "days_since_rest" => "days with a workout in a row",
        "cardio_minutes_7d" => "the week's endurance sport",
        "strength_minutes_7d" => "the week's strength training",
        "rhr_yesterday" => "the resting heart rate of the day before",
        "rhr_7d_avg" => "the week's mean resting heart rate",
        "rhr_trend" => "the week's trend of the resting heart rate",
        "rhr_deviation" => "the resting heart rate against its month",
        "hrv_yesterday" => "the HRV of the day before",
        "hrv_7d_avg" => "the week's mean HRV",
        "hrv_trend" => "the week's trend of the HRV",
        "hrv_deviation" => "the HRV against its month",
        "sleep_duration_last" => "last night's sleep",
        "sleep_quality_last" => "last night's sleep quality",
        "sleep_duration_7d_avg" => "the week's mean sleep",
        "recovery_score_yesterday" => "the recovery score of the day before",
        "day_of_week" => "the day of the week",
        "is_weekend" => "the weekend",
        "week_of_year" => "the week of the year",
        "month" => "the month",
        "menstrual_cycle_day" => "the day of the cycle",
        "protein_per_kg" => "protein per kilogram of weight",
        "calories_per_kg" => "energy per kilogram of weight",
        "carbs_per_active_minute" => "carbohydrate per minute of exercise",
        "protein_per_workout" => "the day's protein per workout",
        "protein_to_recovery" => "protein per hour since the last hard workout",
        "carbs_to_intensity" => "carbohydrate per intensity of workouts",
        other => return other.replace('_', " "),
    };
    label.to_owned()
}

/// A feature of the catalogue.
pub(crate) fn of_feature(feature: &Feature, value: Option<f64>) -> ExplainedFeature {
    let unit = match feature.unit {
        "0-1" | "0/1" | "0-6" | "1-12" | "1-53" | "1-4" | "share" | "count" | "0-100" => "",
        unit => unit,
    };
    ExplainedFeature {
        name: feature.name.to_owned(),
        label: label_of(feature),
        category: feature.category,
        unit: unit.to_owned(),
        value,
    }
}

/// The metric's own days.
pub(crate) fn of_own_history(metric: PredictionMetric, last: Option<f64>) -> ExplainedFeature {
    ExplainedFeature {
        name: OWN_HISTORY.to_owned(),
        label: "your recent readings, the last one".to_owned(),
        category: FeatureCategory::Health,
        unit: metric.unit_label().to_owned(),
        value: last,
    }
}

/// A piece of a series model's sum.
pub(crate) fn of_series_part(
    part: SeriesPart,
    metric: PredictionMetric,
    history: &[Option<f64>],
) -> ExplainedFeature {
    let day = |back: usize| {
        let place = history.len().checked_sub(back)?;
        history[place]
    };
    let last = history.iter().rev().find_map(|value| *value);
    let (name, label, value) = match part {
        SeriesPart::Level => (
            "health_level".to_owned(),
            "your present level".to_owned(),
            None,
        ),
        SeriesPart::LastValue => (
            "health_last_reading".to_owned(),
            "your last reading".to_owned(),
            last,
        ),
        SeriesPart::LastDays(days) => (
            format!("health_last_{days}_days"),
            format!("the mean of the last {days} days"),
            None,
        ),
        SeriesPart::Trend => ("health_trend".to_owned(), "the trend".to_owned(), None),
        SeriesPart::Weekday => (
            "temporal_weekday".to_owned(),
            "the day of the week".to_owned(),
            None,
        ),
        SeriesPart::Lag(1) => (
            "health_lag_1".to_owned(),
            "the last day's reading".to_owned(),
            day(1),
        ),
        SeriesPart::Lag(back) => (
            format!("health_lag_{back}"),
            format!("the reading {} earlier", days(back - 1)),
            day(back),
        ),
        SeriesPart::WeekChange => (
            "health_week_change".to_owned(),
            "the last week against the week before".to_owned(),
            None,
        ),
        SeriesPart::Spread => (
            "health_spread".to_owned(),
            "how much your days differ".to_owned(),
            None,
        ),
        SeriesPart::Gaps => (
            "health_gaps".to_owned(),
            "days without a reading".to_owned(),
            None,
        ),
        SeriesPart::Constant => (
            "health_every_day".to_owned(),
            "what the model adds every day".to_owned(),
            None,
        ),
    };
    let category = match part {
        SeriesPart::Weekday => FeatureCategory::Temporal,
        SeriesPart::Level
        | SeriesPart::LastValue
        | SeriesPart::LastDays(_)
        | SeriesPart::Trend
        | SeriesPart::Lag(_)
        | SeriesPart::WeekChange
        | SeriesPart::Spread
        | SeriesPart::Gaps
        | SeriesPart::Constant => FeatureCategory::Health,
    };
    ExplainedFeature {
        name,
        label,
        category,
        unit: metric.unit_label().to_owned(),
        value,
    }
}

/// Another daily series of the person.
pub(crate) fn of_series(series: MetricType, value: Option<f64>) -> ExplainedFeature {
    let category = category_of(series);
    ExplainedFeature {
        name: format!("{category}_{}", series.as_str().to_lowercase()),
        label: series
            .as_str()
            .to_lowercase()
            .replace('_', " ")
            .replace("rmssd", "(RMSSD)")
            .replace("sdnn", "(SDNN)")
            .replace("rem ", "REM "),
        category,
        unit: series.unit().symbol().to_owned(),
        value,
    }
}

/// A part without a value of its own.
pub(crate) fn of_other(name: &str, label: &str, category: FeatureCategory) -> ExplainedFeature {
    ExplainedFeature {
        name: name.to_owned(),
        label: label.to_owned(),
        category,
        unit: String::new(),
        value: None,
    }
}

/// `1 day`, `2 days`.
fn days(count: usize) -> String {
    match count {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    }
}

/// Movement, or a reading of the body.
fn category_of(series: MetricType) -> FeatureCategory {
    use MetricType as M;
    match series {
        M::Steps
        | M::ActiveCalories
        | M::TotalCalories
        | M::ExerciseMinutes
        | M::StandingHours
        | M::StrainScore
        | M::LightActivityMinutes
        | M::ModerateActivityMinutes
        | M::VigorousActivityMinutes
        | M::SedentaryMinutes
        | M::HeartRateBelowZone1Minutes
        | M::HeartRateZone1Minutes
        | M::HeartRateZone2Minutes
        | M::HeartRateZone3Minutes => FeatureCategory::Activity,
        M::RestingHeartRate
        | M::HeartRateVariabilitySdnn
        | M::HeartRateVariabilityRmssd
        | M::BloodPressureSystolic
        | M::BloodPressureDiastolic
        | M::RespiratoryRate
        | M::OxygenSaturation
        | M::Vo2Max
        | M::SleepDuration
        | M::DeepSleepDuration
        | M::RemSleepDuration
        | M::SleepEfficiency
        | M::SleepScore
        | M::RecoveryScore
        | M::ReadinessScore
        | M::BodyFatPercentage
        | M::MuscleMass
        | M::BoneMass
        | M::WaterPercentage
        | M::SkinTemperature
        | M::BloodGlucose
        | M::StressLevel
        | M::AverageHeartRate
        | M::SleepingHeartRate
        | M::LowestHeartRate
        | M::AwakeDuration
        | M::TimeInBed
        | M::Bedtime
        | M::WakeTime
        | M::RecoverySleepPart
        | M::RecoveryExertionPart
        | M::RecoveryResponsivenessPart
        | M::EveningStressLevel => FeatureCategory::Health,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_features::model_inputs;

    #[test]
    fn every_model_input_has_a_name_for_people() {
        for feature in model_inputs() {
            let label = label_of(feature);
            assert!(
                label == "steps" || label != feature.field.replace('_', " "),
                "{label}"
            );
        }
    }

    #[test]
    fn names_carry_their_category() {
        let rhr = PredictionMetric::RestingHeartRate;
        let parts = [
            of_own_history(rhr, None),
            of_series(MetricType::Steps, Some(1.0)),
            of_series(MetricType::SleepDuration, None),
            of_series_part(SeriesPart::Weekday, rhr, &[]),
            of_series_part(SeriesPart::Lag(3), rhr, &[None]),
        ];
        for part in parts {
            assert!(part.name.starts_with(part.category.as_str()), "{part:?}");
        }
    }
}
