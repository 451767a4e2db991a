//! How the readings of a day become one daily value: one rule per metric type.

use crate::metric::{MetricType, word_enum};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What a reading is a measurement of.
    ReadingKind, "kind of reading" {
        /// One measurement, or the amount of a part of the day.
        Sample = "sample",
        /// The amount of the whole day.
        DayTotal = "day_total",
        /// The amount of the day so far, which grows until the day ends.
        RunningTotal = "running_total",
        /// The one value of a day.
        DayValue = "day_value",
        /// A sleep session.
        Session = "session",
    }
}

/// How the readings of one source become the value of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayRule {
    /// The latest value of the day, else the mean of the samples.
    Level,
    /// The latest value.
    Latest,
    /// The latest total of the day, else the largest running total, else the sum of the samples, in
    /// which spans that overlap count once. A reading at a moment is of the given kind when its source
    /// does not say.
    Amount(ReadingKind),
    /// The time asleep in the main night: sessions less than 90 minutes apart are one night.
    Night,
    /// The sum over the sessions of the main night.
    PartOfNight,
    /// The latest value that belongs to the main night, not to a nap.
    ScoreOfNight,
}

/// Sessions that are less than this apart are one night, minutes.
pub const NIGHT_GAP_MINUTES: i64 = 90;
/// A night of less than this number of hours is incomplete: it is shown, but it is neither a target nor
/// an input.
pub const SHORTEST_NIGHT_HOURS: f64 = 2.0;

impl DayRule {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Level => "the value of the day, else the mean of the samples",
            Self::Latest => "the latest value",
            Self::Amount(ReadingKind::RunningTotal) => {
                "the latest total of the day, else the largest total so far"
            }
            Self::Amount(
                ReadingKind::Sample
                | ReadingKind::DayTotal
                | ReadingKind::DayValue
                | ReadingKind::Session,
            ) => {
                "the latest total of the day, else the largest total so far, else the sum of the \
                 samples; spans that overlap count once"
            }
            Self::Night => {
                "time asleep in the main night; sessions less than 90 minutes apart are one night, a \
                 nap is not the night"
            }
            Self::PartOfNight => "the sum over the sessions of the main night",
            Self::ScoreOfNight => "the latest value that belongs to the main night",
        }
    }
}

impl MetricType {
    /// The rule for the daily value.
    pub fn day_rule(self) -> DayRule {
        use MetricType as M;
        match self {
            M::Steps
            | M::ActiveCalories
            | M::ExerciseMinutes
            | M::StandingHours
            | M::LightActivityMinutes
            | M::ModerateActivityMinutes
            | M::VigorousActivityMinutes
            | M::SedentaryMinutes
            | M::HeartRateBelowZone1Minutes
            | M::HeartRateZone1Minutes
            | M::HeartRateZone2Minutes
            | M::HeartRateZone3Minutes => DayRule::Amount(ReadingKind::Sample),
            M::TotalCalories => DayRule::Amount(ReadingKind::RunningTotal),
            M::SleepDuration => DayRule::Night,
            M::DeepSleepDuration | M::RemSleepDuration | M::AwakeDuration | M::TimeInBed => {
                DayRule::PartOfNight
            }
            M::SleepScore
            | M::SleepEfficiency
            | M::SleepingHeartRate
            | M::Bedtime
            | M::WakeTime => DayRule::ScoreOfNight,
            M::RecoveryScore
            | M::ReadinessScore
            | M::StrainScore
            | M::RecoverySleepPart
            | M::RecoveryExertionPart
            | M::RecoveryResponsivenessPart => DayRule::Latest,
            M::RestingHeartRate
            | M::HeartRateVariabilitySdnn
            | M::HeartRateVariabilityRmssd
            | M::BloodPressureSystolic
            | M::BloodPressureDiastolic
            | M::RespiratoryRate
            | M::OxygenSaturation
            | M::Vo2Max
            | M::BodyFatPercentage
            | M::MuscleMass
            | M::BoneMass
            | M::WaterPercentage
            | M::SkinTemperature
            | M::BloodGlucose
            | M::StressLevel
            | M::AverageHeartRate
            | M::LowestHeartRate
            | M::EveningStressLevel => DayRule::Level,
        }
    }

    /// Whether it is the amount of a day.
    pub fn is_amount(self) -> bool {
        matches!(self.day_rule(), DayRule::Amount(_))
    }

    /// Whether a watch, a ring or a band measures it. What a scale, a cuff or a glucose meter measures, or
    /// a person writes down, does not show that one of these was worn.
    pub fn is_of_a_wearable(self) -> bool {
        use MetricType as M;
        match self {
            M::BloodPressureSystolic
            | M::BloodPressureDiastolic
            | M::BodyFatPercentage
            | M::MuscleMass
            | M::BoneMass
            | M::WaterPercentage
            | M::BloodGlucose => false,
            M::RestingHeartRate
            | M::HeartRateVariabilitySdnn
            | M::HeartRateVariabilityRmssd
            | M::RespiratoryRate
            | M::OxygenSaturation
            | M::Vo2Max
            | M::SleepDuration
            | M::DeepSleepDuration
            | M::RemSleepDuration
            | M::SleepEfficiency
            | M::SleepScore
            | M::Steps
            | M::ActiveCalories
            | M::TotalCalories
            | M::ExerciseMinutes
            | M::StandingHours
            | M::RecoveryScore
            | M::StrainScore
            | M::ReadinessScore
            | M::SkinTemperature
            | M::StressLevel
            | M::AverageHeartRate
            | M::SleepingHeartRate
            | M::LowestHeartRate
            | M::LightActivityMinutes
            | M::ModerateActivityMinutes
            | M::VigorousActivityMinutes
            | M::SedentaryMinutes
            | M::HeartRateBelowZone1Minutes
            | M::HeartRateZone1Minutes
            | M::HeartRateZone2Minutes
            | M::HeartRateZone3Minutes
            | M::AwakeDuration
            | M::TimeInBed
            | M::Bedtime
            | M::WakeTime
            | M::RecoverySleepPart
            | M::RecoveryExertionPart
            | M::RecoveryResponsivenessPart
            | M::EveningStressLevel => true,
        }
    }

    /// Whether a reading is about a night, which belongs to the day of waking.
    pub fn is_of_the_night(self) -> bool {
        match self.day_rule() {
            DayRule::Night | DayRule::PartOfNight | DayRule::ScoreOfNight => true,
            DayRule::Level | DayRule::Latest | DayRule::Amount(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules as a table in Markdown: one row for the metrics of each rule.
    fn table() -> String {
        let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
        for metric in MetricType::ALL {
            let words = metric.day_rule().words();
            match rows.iter_mut().find(|(rule, _)| *rule == words) {
                Some((_, metrics)) => metrics.push(metric.as_str()),
                None => rows.push((words, vec![metric.as_str()])),
            }
        }
        let rows: Vec<String> = rows
            .iter()
            .map(|(rule, metrics)| format!("| {} | {rule} |\n", metrics.join(", ")))
            .collect();
        let rows = rows.concat();
        format!("| metric types | daily value of a source |\n| --- | --- |\n{rows}")
    }

    #[test]
    fn the_guide_shows_the_rules_enforced_here() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/days.md");
        let guide = std::fs::read_to_string(path).unwrap();
        let table = table();
        assert!(
            guide.contains(&table),
            "docs/days.md lacks this table:\n{table}"
        );
    }
}
