//! The words of the types of records.

use crate::healthkit::{Amount, Nutrient, Type};
use crate::sleep::Stage;
use vitalcast_domain::MetricType;

impl Type {
    /// The type of a record by its word in the export.
    pub(super) fn of(word: &str) -> Self {
        use MetricType as M;
        let Some(word) = word.strip_prefix("HK") else {
            return Self::Unused;
        };
        if let Some(word) = word.strip_prefix("QuantityTypeIdentifier") {
            return match word {
                "HeartRate" => Self::HeartRate,
                "StepCount" => Self::Amount(Amount::Of(M::Steps)),
                "ActiveEnergyBurned" => Self::Amount(Amount::Of(M::ActiveCalories)),
                "BasalEnergyBurned" => Self::Amount(Amount::Basal),
                "AppleExerciseTime" => Self::Amount(Amount::Of(M::ExerciseMinutes)),
                "RestingHeartRate" => Self::Latest(M::RestingHeartRate),
                "HeartRateVariabilitySDNN" => Self::Sample(M::HeartRateVariabilitySdnn),
                "HeartRateVariabilityRMSSD" => Self::Sample(M::HeartRateVariabilityRmssd),
                "RespiratoryRate" => Self::Mean(M::RespiratoryRate),
                "OxygenSaturation" => Self::Mean(M::OxygenSaturation),
                "BloodGlucose" => Self::Mean(M::BloodGlucose),
                "VO2Max" => Self::Sample(M::Vo2Max),
                "BodyFatPercentage" => Self::Sample(M::BodyFatPercentage),
                "BloodPressureSystolic" => Self::Sample(M::BloodPressureSystolic),
                "BloodPressureDiastolic" => Self::Sample(M::BloodPressureDiastolic),
                "AppleSleepingWristTemperature" => Self::Night(M::SkinTemperature),
                "DietaryEnergyConsumed" => Self::Food(Nutrient::Energy),
                "DietaryProtein" => Self::Food(Nutrient::Protein),
                "DietaryCarbohydrates" => Self::Food(Nutrient::Carbohydrate),
                "DietaryFatTotal" => Self::Food(Nutrient::Fat),
                "DietaryFiber" => Self::Food(Nutrient::Fibre),
                "DietarySugar" => Self::Food(Nutrient::Sugar),
                "BodyMass" | "Height" => Self::OfThePerson,
                _ => Self::Unused,
            };
        }
        match word.strip_prefix("CategoryTypeIdentifier") {
            Some("SleepAnalysis") => Self::Sleep,
            Some("AppleStandHour") => Self::Stand,
            Some("MenstrualFlow") => Self::OfThePerson,
            Some(_) | None => Self::Unused,
        }
    }
}

/// The stage that a word of the export means.
pub(super) fn stage(word: &str) -> Option<Stage> {
    Some(match word.strip_prefix("HKCategoryValueSleepAnalysis")? {
        "InBed" => Stage::InBed,
        "Awake" => Stage::Awake,
        "Asleep" | "AsleepUnspecified" => Stage::Asleep,
        "AsleepCore" => Stage::Light,
        "AsleepDeep" => Stage::Deep,
        "AsleepREM" => Stage::Rem,
        _ => return None,
    })
}
