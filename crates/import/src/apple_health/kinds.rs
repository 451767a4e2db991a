//! The types of records that are read.

use crate::sleep::Stage;
use vitalcast_domain::{MetricType, Unit};

/// A nutrient of a meal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nutrient {
    Energy,
    Protein,
    Carbohydrate,
    Fat,
    Fibre,
    Sugar,
}

/// Number of nutrients.
pub(super) const NUTRIENTS: usize = 6;

/// An amount of which a day has a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Amount {
    Of(MetricType),
    /// Energy at rest: part of the total, not a metric.
    Basal,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    /// A measurement that is kept.
    Sample(MetricType),
    /// A measurement of the night that ends with it.
    Night(MetricType),
    /// One of many measurements, of which the day has a mean.
    Mean(MetricType),
    /// A value of the day that may be revised.
    Latest(MetricType),
    Amount(Amount),
    HeartRate,
    /// Whether the person stood in an hour.
    Stand,
    Sleep,
    Food(Nutrient),
    /// Read in the first look.
    OfThePerson,
    Unused,
}

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

/// The unit of a metric in a value of a word; a per cent that is at most 1 is a fraction, as HealthKit
/// writes it.
pub(super) fn percent(value: f64, unit: Unit) -> (f64, Unit) {
    if unit == Unit::Percent && (0.0..=1.0).contains(&value) {
        (value, Unit::Fraction)
    } else {
        (value, unit)
    }
}

/// Metres in a unit of length.
pub(super) fn metres(unit: &str) -> Option<f64> {
    Some(match unit {
        "m" => 1.0,
        "km" => 1_000.0,
        "mi" => 1_609.344,
        "yd" => 0.914_4,
        "ft" => 0.304_8,
        _ => return None,
    })
}

/// Grams of a nutrient.
pub(super) fn grams(value: f64, unit: &str) -> Option<f64> {
    match unit {
        "mg" => Some(value / 1_000.0),
        "mcg" => Some(value / 1_000_000.0),
        "oz" => Some(value * 28.349_523_125),
        unit => Unit::parse(unit).ok()?.convert(value, Unit::Grams),
    }
}
