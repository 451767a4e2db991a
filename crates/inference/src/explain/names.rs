//! What the parts of a forecast are called.

use vitalcast_domain::{ExplainedFeature, FeatureCategory, MetricType, PredictionMetric};
use vitalcast_features::{Feature, FeatureId};
use vitalcast_models::SeriesPart;

/// The metric's own days in models that read features beside them.
pub(crate) const OWN_HISTORY: &str = "health_own_history";

/// A model input for people. Its value is that of the last day that the model reads.
pub(crate) fn label_of(feature: &Feature) -> String {
    use FeatureId as F;
    let label = match feature.id {
        F::CaloriesDaily => "energy eaten",
        F::ProteinDaily => "protein eaten",
        F::CarbsDaily => "carbohydrate eaten",
        F::FatDaily => "fat eaten",
        F::FiberDaily => "fibre eaten",
        F::Calories7dAvg => "the week's mean energy eaten",
        F::Protein7dAvg => "the week's mean protein",
        F::Carbs7dAvg => "the week's mean carbohydrate",
        F::Fat7dAvg => "the week's mean fat",
        F::ProteinRatio => "the share of energy from protein",
        F::CarbsRatio => "the share of energy from carbohydrate",
        F::FatRatio => "the share of energy from fat",
        F::LastMealTime => "the time of the last meal",
        F::EatingWindow => "the time from first to last meal",
        F::LateNightCalories => "energy eaten after 20:00",
        F::MealRegularity => "the regularity of first meals",
        F::StepsDaily => "steps",
        F::ActiveMinutesDaily => "minutes of exercise",
        F::CaloriesBurnedDaily => "energy burned",
        F::Steps7dAvg => "the week's mean steps",
        F::ActiveMinutes7dAvg => "the week's mean minutes of exercise",
        F::WorkoutCountDaily => "the number of workouts",
        F::WorkoutIntensityAvg => "the intensity of workouts",
        F::HighIntensityMinutes => "minutes of hard exercise",
        F::RecoveryTime => "the time since the last hard workout",
        F::DaysSinceRest => "days with a workout in a row",
        F::CardioMinutes7d => "the week's endurance sport",
        F::StrengthMinutes7d => "the week's strength training",
        F::RhrYesterday => "the resting heart rate of the day before",
        F::Rhr7dAvg => "the week's mean resting heart rate",
        F::RhrTrend => "the week's trend of the resting heart rate",
        F::RhrDeviation => "the resting heart rate against its month",
        F::HrvYesterday => "the HRV of the day before",
        F::Hrv7dAvg => "the week's mean HRV",
        F::HrvTrend => "the week's trend of the HRV",
        F::HrvDeviation => "the HRV against its month",
        F::SleepDurationLast => "last night's sleep",
        F::SleepQualityLast => "last night's sleep quality",
        F::SleepDuration7dAvg => "the week's mean sleep",
        F::RecoveryScoreYesterday => "the recovery score of the day before",
        F::DayOfWeek => "the day of the week",
        F::IsWeekend => "the weekend",
        F::WeekOfYear => "the week of the year",
        F::Month => "the month",
        F::MenstrualCycleDay => "the day of the cycle",
        F::ProteinPerKg => "protein per kilogram of weight",
        F::CaloriesPerKg => "energy per kilogram of weight",
        F::CarbsPerActiveMinute => "carbohydrate per minute of exercise",
        F::ProteinPerWorkout => "the day's protein per workout",
        F::ProteinToRecovery => "protein per hour since the last hard workout",
        F::CarbsToIntensity => "carbohydrate per intensity of workouts",
        // No model reads them.
        F::FirstMealTime
        | F::MealCount
        | F::LateNightCarbs
        | F::CalorieDeficit
        | F::CalorieDeficit7d
        | F::CaloriesBurned7dAvg
        | F::FlexibilityMinutes7d
        | F::Rhr7dStd
        | F::RhrBaseline
        | F::Hrv7dStd
        | F::HrvBaseline
        | F::RecoveryScore7dAvg
        | F::MenstrualCyclePhase => return feature.field.replace('_', " "),
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
        SeriesPart::DaysToNewest(days) => (
            format!("health_last_{days}_days"),
            format!("the mean of the {days} days up to your last reading"),
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
        | SeriesPart::DaysToNewest(_)
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
pub(crate) fn days(count: usize) -> String {
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
