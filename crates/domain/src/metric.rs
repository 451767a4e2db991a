//! Enumerations of the wire format: metric types and forecast metrics.

use crate::error::{DomainError, shortened};
use crate::unit::Unit;
use serde::{Deserialize, Serialize};

/// Declares an enumeration together with its words in the wire format.
macro_rules! word_enum {
    ($(#[$meta:meta])* $name:ident, $what:literal { $($(#[$variant_meta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All values, in the order of the contract.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// All words, in the same order.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the wire format.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .enum_values(Some(Self::WORDS.iter().copied()))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::str::FromStr for $name {
            type Err = $crate::error::DomainError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::error::DomainError::UnknownWord {
                        what: $what,
                        got: $crate::error::shortened(text),
                        expected: [$($word),+].join(", "),
                    }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}
pub(crate) use word_enum;

word_enum! {
    /// The 28 metric types of the contract, then those of our own.
    MetricType, "metric type" {
        /// Resting heart rate, beats per minute.
        RestingHeartRate = "RESTING_HEART_RATE",
        /// Standard deviation of normal-to-normal intervals, ms.
        HeartRateVariabilitySdnn = "HEART_RATE_VARIABILITY_SDNN",
        /// Root mean square of successive differences, ms.
        HeartRateVariabilityRmssd = "HEART_RATE_VARIABILITY_RMSSD",
        /// Systolic blood pressure, mmHg.
        BloodPressureSystolic = "BLOOD_PRESSURE_SYSTOLIC",
        /// Diastolic blood pressure, mmHg.
        BloodPressureDiastolic = "BLOOD_PRESSURE_DIASTOLIC",
        /// Breaths per minute.
        RespiratoryRate = "RESPIRATORY_RATE",
        /// Blood oxygen, per cent.
        OxygenSaturation = "OXYGEN_SATURATION",
        /// Maximal oxygen uptake, mL/kg/min.
        Vo2Max = "VO2_MAX",
        /// Time asleep, hours.
        SleepDuration = "SLEEP_DURATION",
        /// Time in deep sleep, hours.
        DeepSleepDuration = "DEEP_SLEEP_DURATION",
        /// Time in REM sleep, hours.
        RemSleepDuration = "REM_SLEEP_DURATION",
        /// Time asleep over time in bed, per cent.
        SleepEfficiency = "SLEEP_EFFICIENCY",
        /// Sleep score, 0 to 100.
        SleepScore = "SLEEP_SCORE",
        /// Steps in the day.
        Steps = "STEPS",
        /// Energy above rest, kcal.
        ActiveCalories = "ACTIVE_CALORIES",
        /// Energy including rest, kcal.
        TotalCalories = "TOTAL_CALORIES",
        /// Minutes of moderate or harder exercise.
        ExerciseMinutes = "EXERCISE_MINUTES",
        /// Hours with some standing.
        StandingHours = "STANDING_HOURS",
        /// Recovery score, 0 to 100.
        RecoveryScore = "RECOVERY_SCORE",
        /// Strain score, 0 to 100 (WHOOP: 0 to 21).
        StrainScore = "STRAIN_SCORE",
        /// Readiness score, 0 to 100.
        ReadinessScore = "READINESS_SCORE",
        /// Body fat, per cent.
        BodyFatPercentage = "BODY_FAT_PERCENTAGE",
        /// Muscle mass, kg.
        MuscleMass = "MUSCLE_MASS",
        /// Bone mass, kg.
        BoneMass = "BONE_MASS",
        /// Body water, per cent.
        WaterPercentage = "WATER_PERCENTAGE",
        /// Skin temperature, °C.
        SkinTemperature = "SKIN_TEMPERATURE",
        /// Blood glucose, mg/dL.
        BloodGlucose = "BLOOD_GLUCOSE",
        /// Stress level, 0 to 100.
        StressLevel = "STRESS_LEVEL",
        /// Mean heart rate of the day, beats per minute.
        AverageHeartRate = "AVERAGE_HEART_RATE",
        /// Mean heart rate asleep, beats per minute.
        SleepingHeartRate = "SLEEPING_HEART_RATE",
        /// Lowest mean heart rate of half an hour of the day, beats per minute.
        LowestHeartRate = "LOWEST_HEART_RATE",
        /// Minutes of light activity.
        LightActivityMinutes = "LIGHT_ACTIVITY_MINUTES",
        /// Minutes of moderate activity.
        ModerateActivityMinutes = "MODERATE_ACTIVITY_MINUTES",
        /// Minutes of vigorous activity.
        VigorousActivityMinutes = "VIGOROUS_ACTIVITY_MINUTES",
        /// Minutes without activity.
        SedentaryMinutes = "SEDENTARY_MINUTES",
        /// Minutes with a heart rate below the first zone of exercise.
        HeartRateBelowZone1Minutes = "HEART_RATE_BELOW_ZONE_1_MINUTES",
        /// Minutes in the first heart-rate zone, the easiest one.
        HeartRateZone1Minutes = "HEART_RATE_ZONE_1_MINUTES",
        /// Minutes in the second heart-rate zone.
        HeartRateZone2Minutes = "HEART_RATE_ZONE_2_MINUTES",
        /// Minutes in the third heart-rate zone.
        HeartRateZone3Minutes = "HEART_RATE_ZONE_3_MINUTES",
        /// Time awake within the night, hours.
        AwakeDuration = "AWAKE_DURATION",
        /// Time from the beginning of the night to its end, hours.
        TimeInBed = "TIME_IN_BED",
        /// Beginning of the night, hours after the midnight that begins the day of waking; negative
        /// before that midnight.
        Bedtime = "BEDTIME",
        /// Waking, hours after the midnight that begins the day of waking.
        WakeTime = "WAKE_TIME",
        /// Sleep's part of a recovery score, per cent of its maximum.
        RecoverySleepPart = "RECOVERY_SLEEP_PART",
        /// Exertion's part of a recovery score, per cent of its maximum.
        RecoveryExertionPart = "RECOVERY_EXERTION_PART",
        /// The part of a recovery score that the heart's responsiveness has, per cent of its maximum.
        RecoveryResponsivenessPart = "RECOVERY_RESPONSIVENESS_PART",
        /// Mean stress level after 20:00, 0 to 100.
        EveningStressLevel = "EVENING_STRESS_LEVEL",
    }
}

word_enum! {
    /// A metric that can be forecast.
    PredictionMetric, "metric" {
        /// Resting heart rate, beats per minute.
        RestingHeartRate = "RESTING_HEART_RATE",
        /// HRV as SDNN, ms.
        HeartRateVariabilitySdnn = "HEART_RATE_VARIABILITY_SDNN",
        /// HRV as RMSSD, ms.
        HeartRateVariabilityRmssd = "HEART_RATE_VARIABILITY_RMSSD",
        /// Time asleep, hours.
        SleepDuration = "SLEEP_DURATION",
        /// Recovery score, 0 to 100.
        RecoveryScore = "RECOVERY_SCORE",
    }
}

word_enum! {
    /// A group of features.
    FeatureCategory, "feature category" {
        /// Food and drink.
        Nutrition = "nutrition",
        /// Movement and load.
        Activity = "activity",
        /// Readings of the body.
        Health = "health",
        /// The calendar.
        Temporal = "temporal",
        /// Products and ratios over categories.
        Interaction = "interaction",
    }
}

/// Numbers below 0 that devices write for a missing reading.
const NOT_MEASURED_BELOW_ZERO: [f64; 6] = [-1.0, -2.0, -99.0, -999.0, -9_999.0, -32_768.0];
/// Largest numbers of signed and unsigned bytes, words and double words, which devices write for a
/// missing reading, and the nines of tables; 2,047 is the "not a number" of Bluetooth's short floats.
const NOT_MEASURED_LARGEST: [f64; 10] = [
    127.0,
    254.0,
    255.0,
    999.0,
    2_047.0,
    9_999.0,
    32_767.0,
    65_535.0,
    2_147_483_647.0,
    4_294_967_295.0,
];

impl MetricType {
    /// Whether the contract names it; the types of our own come after those.
    pub fn is_of_the_contract(self) -> bool {
        self <= Self::StressLevel
    }

    /// The unit in which values are stored.
    pub fn unit(self) -> Unit {
        use MetricType as M;
        match self {
            M::RestingHeartRate
            | M::RespiratoryRate
            | M::AverageHeartRate
            | M::SleepingHeartRate
            | M::LowestHeartRate => Unit::PerMinute,
            M::HeartRateVariabilitySdnn | M::HeartRateVariabilityRmssd => Unit::Milliseconds,
            M::BloodPressureSystolic | M::BloodPressureDiastolic => Unit::MillimetresOfMercury,
            M::OxygenSaturation
            | M::SleepEfficiency
            | M::BodyFatPercentage
            | M::WaterPercentage
            | M::RecoverySleepPart
            | M::RecoveryExertionPart
            | M::RecoveryResponsivenessPart => Unit::Percent,
            M::Vo2Max => Unit::MillilitresPerKilogramMinute,
            M::SleepDuration
            | M::DeepSleepDuration
            | M::RemSleepDuration
            | M::StandingHours
            | M::AwakeDuration
            | M::TimeInBed
            | M::Bedtime
            | M::WakeTime => Unit::Hours,
            M::SleepScore
            | M::RecoveryScore
            | M::StrainScore
            | M::ReadinessScore
            | M::StressLevel
            | M::EveningStressLevel => Unit::Score,
            M::Steps => Unit::Count,
            M::ActiveCalories | M::TotalCalories => Unit::Kilocalories,
            M::ExerciseMinutes
            | M::LightActivityMinutes
            | M::ModerateActivityMinutes
            | M::VigorousActivityMinutes
            | M::SedentaryMinutes
            | M::HeartRateBelowZone1Minutes
            | M::HeartRateZone1Minutes
            | M::HeartRateZone2Minutes
            | M::HeartRateZone3Minutes => Unit::Minutes,
            M::MuscleMass | M::BoneMass => Unit::Kilograms,
            M::SkinTemperature => Unit::Celsius,
            M::BloodGlucose => Unit::MilligramsPerDecilitre,
        }
    }

    /// Lowest and highest plausible value, in [`MetricType::unit`].
    ///
    /// The range is wide on purpose: a value outside of it comes from a wrong unit or a damaged file,
    /// not from a living body.
    pub fn plausible_range(self) -> (f64, f64) {
        use MetricType as M;
        match self {
            M::RestingHeartRate
            | M::AverageHeartRate
            | M::SleepingHeartRate
            | M::LowestHeartRate => (20.0, 250.0),
            M::HeartRateVariabilitySdnn | M::HeartRateVariabilityRmssd => (0.5, 500.0),
            M::BloodPressureSystolic => (40.0, 300.0),
            M::BloodPressureDiastolic => (20.0, 200.0),
            M::RespiratoryRate => (2.0, 80.0),
            M::OxygenSaturation => (50.0, 100.0),
            M::Vo2Max => (5.0, 100.0),
            M::SleepDuration
            | M::DeepSleepDuration
            | M::RemSleepDuration
            | M::StandingHours
            | M::AwakeDuration
            | M::TimeInBed => (0.0, 24.0),
            M::Bedtime => (-12.0, 24.0),
            // Where a day begins later than at midnight, its last hours are those after 24:00.
            M::WakeTime => (0.0, 30.0),
            M::SleepEfficiency
            | M::SleepScore
            | M::RecoveryScore
            | M::StrainScore
            | M::ReadinessScore
            | M::StressLevel
            | M::RecoverySleepPart
            | M::RecoveryExertionPart
            | M::RecoveryResponsivenessPart
            | M::EveningStressLevel => (0.0, 100.0),
            M::Steps => (0.0, 200_000.0),
            M::ActiveCalories => (0.0, 20_000.0),
            M::TotalCalories => (0.0, 25_000.0),
            M::ExerciseMinutes
            | M::LightActivityMinutes
            | M::ModerateActivityMinutes
            | M::VigorousActivityMinutes
            | M::SedentaryMinutes
            | M::HeartRateBelowZone1Minutes
            | M::HeartRateZone1Minutes
            | M::HeartRateZone2Minutes
            | M::HeartRateZone3Minutes => (0.0, 1_440.0),
            M::BodyFatPercentage => (1.0, 80.0),
            M::MuscleMass => (5.0, 150.0),
            M::BoneMass => (0.3, 15.0),
            M::WaterPercentage => (10.0, 90.0),
            M::SkinTemperature => (15.0, 45.0),
            M::BloodGlucose => (10.0, 1_000.0),
        }
    }

    /// Whether a number, in [`MetricType::unit`], says "not measured" instead of a value.
    ///
    /// Devices and apps write 0 for what a living person cannot have as 0, -1 or -2 for a missing
    /// reading, and the largest number of a byte or word. Such a number is left out; it is no fault
    /// of the file. What a body can have is a value, also when it is unusual: 0 steps, an RMSSD of
    /// 255 ms.
    pub fn not_measured(self, value: f64) -> bool {
        use MetricType as M;
        if value == 0.0 {
            return match self {
                M::RestingHeartRate
                | M::HeartRateVariabilitySdnn
                | M::HeartRateVariabilityRmssd
                | M::BloodPressureSystolic
                | M::BloodPressureDiastolic
                | M::RespiratoryRate
                | M::OxygenSaturation
                | M::Vo2Max
                | M::SleepDuration
                | M::SleepEfficiency
                | M::SleepScore
                | M::TotalCalories
                | M::RecoveryScore
                | M::ReadinessScore
                | M::BodyFatPercentage
                | M::MuscleMass
                | M::BoneMass
                | M::WaterPercentage
                | M::SkinTemperature
                | M::BloodGlucose
                | M::AverageHeartRate
                | M::SleepingHeartRate
                | M::LowestHeartRate
                | M::TimeInBed
                | M::RecoverySleepPart
                | M::RecoveryExertionPart
                | M::RecoveryResponsivenessPart => true,
                M::DeepSleepDuration
                | M::RemSleepDuration
                | M::Steps
                | M::ActiveCalories
                | M::ExerciseMinutes
                | M::StandingHours
                | M::StrainScore
                | M::StressLevel
                | M::LightActivityMinutes
                | M::ModerateActivityMinutes
                | M::VigorousActivityMinutes
                | M::SedentaryMinutes
                | M::HeartRateBelowZone1Minutes
                | M::HeartRateZone1Minutes
                | M::HeartRateZone2Minutes
                | M::HeartRateZone3Minutes
                | M::AwakeDuration
                | M::Bedtime
                | M::WakeTime
                | M::EveningStressLevel => false,
            };
        }
        let (low, high) = self.plausible_range();
        if value < 0.0 {
            // A temperature below 0 may be meant as a difference; that is refused, not left out. A
            // bedtime before midnight is a value.
            return self != M::SkinTemperature
                && value < low
                && NOT_MEASURED_BELOW_ZERO.contains(&value);
        }
        value > high && NOT_MEASURED_LARGEST.contains(&value)
    }

    /// Converts a reading to the canonical unit and checks that it is plausible.
    ///
    /// # Errors
    ///
    /// [`DomainError::NotFinite`], [`DomainError::WrongUnit`], [`DomainError::OutOfRange`].
    pub fn to_canonical(self, value: f64, unit: Unit) -> Result<f64, DomainError> {
        let canonical = self.unit();
        let converted = unit
            .convert(value, canonical)
            .ok_or(DomainError::WrongUnit {
                metric: self.as_str(),
                unit: unit.symbol(),
                expected: canonical.symbol(),
            })?;
        self.check(converted)?;
        Ok(converted)
    }

    /// A reading in the canonical unit; `None` if the number says "not measured".
    ///
    /// # Errors
    ///
    /// Those of [`MetricType::to_canonical`].
    pub fn measured(self, value: f64, unit: Unit) -> Result<Option<f64>, DomainError> {
        match self.to_canonical(value, unit) {
            Ok(value) if self.not_measured(value) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(error) => {
                let is_range = matches!(error, DomainError::OutOfRange { .. });
                // 0 and the largest number of a word are that number in whatever unit.
                let converted = unit.convert(value, self.unit());
                let is_missing = converted.is_some_and(|value| self.not_measured(value));
                if is_range && (is_missing || self.not_measured(value)) {
                    return Ok(None);
                }
                Err(error)
            }
        }
    }

    /// Checks a value that is in the canonical unit.
    ///
    /// # Errors
    ///
    /// [`DomainError::NotFinite`], [`DomainError::OutOfRange`].
    pub fn check(self, value: f64) -> Result<(), DomainError> {
        if !value.is_finite() {
            return Err(DomainError::NotFinite {
                what: self.as_str(),
            });
        }
        let (low, high) = self.plausible_range();
        if (low..=high).contains(&value) {
            Ok(())
        } else {
            Err(DomainError::OutOfRange {
                what: self.as_str(),
                low,
                high,
                unit: self.unit().symbol(),
            })
        }
    }
}

/// Which direction of a metric is good for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Lower values.
    Lower,
    /// Higher values.
    Higher,
}

impl Better {
    /// 1 where higher is better, −1 where lower is: the sign of an improvement.
    pub fn sign(self) -> f64 {
        match self {
            Self::Lower => -1.0,
            Self::Higher => 1.0,
        }
    }
}

impl PredictionMetric {
    /// The metric type that is forecast.
    pub fn metric_type(self) -> MetricType {
        match self {
            Self::RestingHeartRate => MetricType::RestingHeartRate,
            Self::HeartRateVariabilitySdnn => MetricType::HeartRateVariabilitySdnn,
            Self::HeartRateVariabilityRmssd => MetricType::HeartRateVariabilityRmssd,
            Self::SleepDuration => MetricType::SleepDuration,
            Self::RecoveryScore => MetricType::RecoveryScore,
        }
    }

    /// The name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::RestingHeartRate => "Resting Heart Rate",
            Self::HeartRateVariabilitySdnn => "Heart Rate Variability (SDNN)",
            Self::HeartRateVariabilityRmssd => "Heart Rate Variability (RMSSD)",
            Self::SleepDuration => "Sleep Duration",
            Self::RecoveryScore => "Recovery Score",
        }
    }

    /// The short name that [`Self::parse_loose`] knows.
    pub fn short_name(self) -> &'static str {
        match self {
            Self::RestingHeartRate => "rhr",
            Self::HeartRateVariabilitySdnn => "sdnn",
            Self::HeartRateVariabilityRmssd => "rmssd",
            Self::SleepDuration => "sleep",
            Self::RecoveryScore => "recovery",
        }
    }

    /// The unit as it is shown after a number.
    pub fn unit_label(self) -> &'static str {
        match self {
            Self::RestingHeartRate => "bpm",
            Self::HeartRateVariabilitySdnn | Self::HeartRateVariabilityRmssd => "ms",
            Self::SleepDuration => "h",
            Self::RecoveryScore => "points",
        }
    }

    /// A difference that a person would notice, in the metric's unit. Confidence is the probability that
    /// a forecast errs by no more.
    pub fn margin(self) -> f64 {
        match self {
            Self::RestingHeartRate => 3.0,
            Self::HeartRateVariabilitySdnn | Self::HeartRateVariabilityRmssd => 10.0,
            Self::SleepDuration => 1.0,
            Self::RecoveryScore => 10.0,
        }
    }

    /// Which direction is good for a person.
    pub fn better(self) -> Better {
        match self {
            Self::RestingHeartRate => Better::Lower,
            Self::HeartRateVariabilitySdnn
            | Self::HeartRateVariabilityRmssd
            | Self::SleepDuration
            | Self::RecoveryScore => Better::Higher,
        }
    }

    /// Finds a metric by its wire word or by a short name (`rhr`, `sdnn`, `rmssd`, `hrv`, `sleep`,
    /// `recovery`), in any case and with `-` or `_`.
    ///
    /// # Errors
    ///
    /// [`DomainError::UnknownWord`] with every accepted word.
    pub fn parse_loose(text: &str) -> Result<Self, DomainError> {
        match text.to_ascii_lowercase().replace('-', "_").as_str() {
            "rhr" | "resting_heart_rate" => Ok(Self::RestingHeartRate),
            "sdnn" | "heart_rate_variability_sdnn" => Ok(Self::HeartRateVariabilitySdnn),
            "rmssd" | "hrv" | "heart_rate_variability_rmssd" => Ok(Self::HeartRateVariabilityRmssd),
            "sleep" | "sleep_duration" => Ok(Self::SleepDuration),
            "recovery" | "recovery_score" => Ok(Self::RecoveryScore),
            _ => Err(DomainError::UnknownWord {
                what: "metric",
                got: shortened(text),
                expected: "RESTING_HEART_RATE (rhr), HEART_RATE_VARIABILITY_SDNN (sdnn), \
                           HEART_RATE_VARIABILITY_RMSSD (rmssd), SLEEP_DURATION (sleep), \
                           RECOVERY_SCORE (recovery)"
                    .to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_names_28_metric_types_which_come_first_and_5_forecasts() {
        let (contract, own) = MetricType::ALL.split_at(28);
        assert!(contract.iter().all(|metric| metric.is_of_the_contract()));
        assert!(own.iter().all(|metric| !metric.is_of_the_contract()));
        assert_eq!(own.len(), 19);
        assert_eq!(PredictionMetric::ALL.len(), 5);
    }

    #[test]
    fn words_round_trip_through_json_and_text() {
        for &metric in MetricType::ALL {
            assert_eq!(metric.as_str().parse::<MetricType>().unwrap(), metric);
            let json = serde_json::to_string(&metric).unwrap();
            assert_eq!(json, format!("\"{metric}\""));
            assert_eq!(serde_json::from_str::<MetricType>(&json).unwrap(), metric);
        }
    }

    #[test]
    fn a_wrong_unit_and_an_impossible_value_are_told_apart() {
        let rhr = MetricType::RestingHeartRate;
        assert!(matches!(
            rhr.to_canonical(60.0, Unit::Hours),
            Err(DomainError::WrongUnit { .. })
        ));
        assert!(matches!(
            rhr.to_canonical(600.0, Unit::PerMinute),
            Err(DomainError::OutOfRange { .. })
        ));
        assert!(matches!(
            rhr.to_canonical(f64::NAN, Unit::PerMinute),
            Err(DomainError::NotFinite { .. })
        ));
    }

    #[test]
    fn zeros_and_sentinels_mean_not_measured_where_no_body_has_them() {
        use MetricType as M;
        for (metric, values) in [
            (M::RestingHeartRate, [0.0, -1.0, 255.0, 65_535.0]),
            (M::OxygenSaturation, [0.0, -2.0, 127.0, 255.0]),
            (M::SleepScore, [0.0, -1.0, 255.0, 32_767.0]),
            (M::SleepDuration, [0.0, -1.0, 255.0, 65_535.0]),
            (M::SleepingHeartRate, [0.0, -1.0, 255.0, 65_535.0]),
            (M::RecoveryScore, [999.0, -999.0, 9_999.0, -9_999.0]),
        ] {
            for value in values {
                assert!(metric.not_measured(value), "{metric}");
            }
        }
        for (metric, value) in [
            (M::Steps, 0.0),
            (M::Steps, 9_999.0),
            (M::Steps, 32_767.0),
            (M::ActiveCalories, 0.0),
            (M::StressLevel, 0.0),
            (M::StrainScore, 0.0),
            (M::DeepSleepDuration, 0.0),
            (M::HeartRateVariabilityRmssd, 255.0),
            (M::BloodPressureSystolic, 255.0),
            (M::SkinTemperature, -1.0),
            (M::VigorousActivityMinutes, 0.0),
            (M::Bedtime, 0.0),
            (M::Bedtime, -1.0),
            (M::RestingHeartRate, 254.5),
            (M::RestingHeartRate, 127.0),
            (M::RestingHeartRate, 600.0),
            (M::RestingHeartRate, f64::NAN),
        ] {
            assert!(!metric.not_measured(value), "{metric}");
        }
    }

    #[test]
    fn an_error_never_repeats_the_health_value() {
        let text = MetricType::RestingHeartRate
            .check(731.5)
            .unwrap_err()
            .to_string();
        assert!(!text.contains("731"), "{text}");
    }
}
