//! Tables of the store that are read alike, and its codes of exercises.

use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, MetricType, Unit};

/// Small calories of a kilocalorie.
pub(super) const SMALL_CALORIES: f64 = 1_000.0;

/// Amounts over times: table, column, metric, and how many of the column's units make one of the metric.
pub(super) const AMOUNTS: [(&str, &str, MetricType, f64); 3] = [
    ("steps_record_table", "count", M::Steps, 1.0),
    (
        "active_calories_burned_record_table",
        "energy",
        M::ActiveCalories,
        SMALL_CALORIES,
    ),
    (
        "total_calories_burned_record_table",
        "energy",
        M::TotalCalories,
        SMALL_CALORIES,
    ),
];

/// Measurements: table, column, metric, unit.
pub(super) const MEASUREMENTS: [(&str, &str, MetricType, Unit); 8] = [
    (
        "resting_heart_rate_record_table",
        "beats_per_minute",
        M::RestingHeartRate,
        Unit::PerMinute,
    ),
    (
        "heart_rate_variability_rmssd_record_table",
        "heart_rate_variability_millis",
        M::HeartRateVariabilityRmssd,
        Unit::Milliseconds,
    ),
    (
        "oxygen_saturation_record_table",
        "percentage",
        M::OxygenSaturation,
        Unit::Percent,
    ),
    (
        "respiratory_rate_record_table",
        "rate",
        M::RespiratoryRate,
        Unit::PerMinute,
    ),
    (
        "vo2_max_record_table",
        "vo2_milliliters_per_minute_kilogram",
        M::Vo2Max,
        Unit::MillilitresPerKilogramMinute,
    ),
    (
        "body_fat_record_table",
        "percentage",
        M::BodyFatPercentage,
        Unit::Percent,
    ),
    (
        "blood_pressure_record_table",
        "systolic",
        M::BloodPressureSystolic,
        Unit::MillimetresOfMercury,
    ),
    (
        "blood_pressure_record_table",
        "diastolic",
        M::BloodPressureDiastolic,
        Unit::MillimetresOfMercury,
    ),
];

/// The exercise types of Android's store.
pub(super) fn exercise(code: Option<i64>) -> ActivityType {
    match code {
        Some(3) => ActivityType::Basketball,
        Some(4 | 5) => ActivityType::Cycling,
        Some(6 | 8) => ActivityType::Bodyweight,
        Some(7 | 24) => ActivityType::MartialArts,
        Some(10) => ActivityType::Dance,
        Some(16) => ActivityType::Golf,
        Some(20) => ActivityType::Crossfit,
        Some(21) => ActivityType::Hiking,
        Some(26) => ActivityType::Pilates,
        Some(31 | 61) => ActivityType::Rowing,
        Some(33 | 34) => ActivityType::Running,
        Some(41) => ActivityType::Soccer,
        Some(45 | 55) => ActivityType::WeightTraining,
        Some(46) => ActivityType::Stretching,
        Some(48 | 49) => ActivityType::Swimming,
        Some(51) => ActivityType::Tennis,
        Some(53) => ActivityType::Walking,
        Some(57) => ActivityType::Yoga,
        Some(60) => ActivityType::Elliptical,
        Some(_) | None => ActivityType::Other,
    }
}
