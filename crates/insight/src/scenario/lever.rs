//! What can be set: the totals of a day and its readings, each with its rule.

use super::error::ScenarioError;
use vitalcast_domain::{FeatureCategory, Meal, MetricType, NumberField, SHORTEST_NIGHT_HOURS};
use vitalcast_features::FeatureId;

/// Something of a day that can be set. Its name on the wire is that of the feature which shows it, or
/// of a metric type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lever {
    /// Energy eaten.
    Energy,
    /// Protein eaten.
    Protein,
    /// Carbohydrate eaten.
    Carbs,
    /// Fat eaten.
    Fat,
    /// Fibre eaten.
    Fiber,
    /// Hour of the last meal.
    LastMeal,
    /// Carbohydrate eaten from 20:00 on.
    LateCarbs,
    /// Energy eaten from 20:00 on.
    LateEnergy,
    /// Steps.
    Steps,
    /// Minutes of exercise.
    ActiveMinutes,
    /// Energy burned.
    EnergyBurned,
    /// Number of workouts.
    Workouts,
    /// Minutes of hard workouts.
    HardMinutes,
    /// Minutes of endurance sports in the last week.
    CardioMinutes,
    /// Minutes of strength training in the last week.
    StrengthMinutes,
    /// Minutes of yoga, stretching and Pilates in the last week.
    FlexibilityMinutes,
    /// Time asleep in the night that ended on the day.
    Sleep,
    /// Sleep score of that night, else its efficiency.
    SleepQuality,
    /// Resting heart rate of the day before.
    RestingHeartRateBefore,
    /// HRV (RMSSD) of the day before.
    HrvBefore,
    /// Recovery score of the day before.
    RecoveryBefore,
    /// The day's value of a metric type.
    Reading(MetricType),
}

/// Where the value of a lever is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownBy {
    /// In a feature of the day.
    Feature(FeatureId),
    /// In the day's value of a metric type.
    Metric(MetricType),
}

impl Lever {
    /// All that features show, in the order of the catalogue.
    pub const FEATURES: [Self; 21] = [
        Self::Energy,
        Self::Protein,
        Self::Carbs,
        Self::Fat,
        Self::Fiber,
        Self::LastMeal,
        Self::LateCarbs,
        Self::LateEnergy,
        Self::Steps,
        Self::ActiveMinutes,
        Self::EnergyBurned,
        Self::Workouts,
        Self::HardMinutes,
        Self::CardioMinutes,
        Self::StrengthMinutes,
        Self::FlexibilityMinutes,
        Self::Sleep,
        Self::SleepQuality,
        Self::RestingHeartRateBefore,
        Self::HrvBefore,
        Self::RecoveryBefore,
    ];

    /// What a person does: the levers of a search.
    pub const BEHAVIOUR: [Self; 19] = [
        Self::Energy,
        Self::Protein,
        Self::Carbs,
        Self::Fat,
        Self::Fiber,
        Self::LastMeal,
        Self::LateCarbs,
        Self::LateEnergy,
        Self::Steps,
        Self::ActiveMinutes,
        Self::EnergyBurned,
        Self::Workouts,
        Self::HardMinutes,
        Self::CardioMinutes,
        Self::StrengthMinutes,
        Self::FlexibilityMinutes,
        Self::Sleep,
        Self::Reading(MetricType::VigorousActivityMinutes),
        Self::Reading(MetricType::SedentaryMinutes),
    ];

    /// What shows it in a table or a day view.
    pub fn shown_by(self) -> ShownBy {
        match self {
            Self::Energy => ShownBy::Feature(FeatureId::CaloriesDaily),
            Self::Protein => ShownBy::Feature(FeatureId::ProteinDaily),
            Self::Carbs => ShownBy::Feature(FeatureId::CarbsDaily),
            Self::Fat => ShownBy::Feature(FeatureId::FatDaily),
            Self::Fiber => ShownBy::Feature(FeatureId::FiberDaily),
            Self::LastMeal => ShownBy::Feature(FeatureId::LastMealTime),
            Self::LateCarbs => ShownBy::Feature(FeatureId::LateNightCarbs),
            Self::LateEnergy => ShownBy::Feature(FeatureId::LateNightCalories),
            Self::Steps => ShownBy::Feature(FeatureId::StepsDaily),
            Self::ActiveMinutes => ShownBy::Feature(FeatureId::ActiveMinutesDaily),
            Self::EnergyBurned => ShownBy::Feature(FeatureId::CaloriesBurnedDaily),
            Self::Workouts => ShownBy::Feature(FeatureId::WorkoutCountDaily),
            Self::HardMinutes => ShownBy::Feature(FeatureId::HighIntensityMinutes),
            Self::CardioMinutes => ShownBy::Feature(FeatureId::CardioMinutes7d),
            Self::StrengthMinutes => ShownBy::Feature(FeatureId::StrengthMinutes7d),
            Self::FlexibilityMinutes => ShownBy::Feature(FeatureId::FlexibilityMinutes7d),
            Self::Sleep => ShownBy::Feature(FeatureId::SleepDurationLast),
            Self::SleepQuality => ShownBy::Feature(FeatureId::SleepQualityLast),
            Self::RestingHeartRateBefore => ShownBy::Feature(FeatureId::RhrYesterday),
            Self::HrvBefore => ShownBy::Feature(FeatureId::HrvYesterday),
            Self::RecoveryBefore => ShownBy::Feature(FeatureId::RecoveryScoreYesterday),
            Self::Reading(metric) => ShownBy::Metric(metric),
        }
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self.shown_by() {
            ShownBy::Feature(feature) => feature.name(),
            ShownBy::Metric(metric) => metric.as_str(),
        }
    }

    /// The lever with a name.
    ///
    /// # Errors
    ///
    /// [`ScenarioError::Follows`] for a feature that follows from others,
    /// [`ScenarioError::UnknownFeature`] for what is neither a feature nor a metric type.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        if let Ok(metric) = name.parse::<MetricType>() {
            return Ok(Self::Reading(metric));
        }
        let feature: FeatureId = name.parse().map_err(|_| ScenarioError::UnknownFeature {
            name: name.chars().take(80).collect(),
        })?;
        of_feature(feature).map_err(|instead| ScenarioError::Follows {
            feature: feature.name(),
            instead,
        })
    }

    /// The unit of its value.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Energy | Self::LateEnergy | Self::EnergyBurned => "kcal",
            Self::Protein | Self::Carbs | Self::Fat | Self::Fiber | Self::LateCarbs => "g",
            Self::LastMeal | Self::Sleep => "h",
            Self::Steps => "steps",
            Self::Workouts => "workouts",
            Self::ActiveMinutes
            | Self::HardMinutes
            | Self::CardioMinutes
            | Self::StrengthMinutes
            | Self::FlexibilityMinutes => "min",
            Self::SleepQuality | Self::RecoveryBefore => "points",
            Self::RestingHeartRateBefore => "bpm",
            Self::HrvBefore => "ms",
            Self::Reading(metric) => metric.unit().symbol(),
        }
    }

    /// What it is called in a sentence.
    pub fn words(self) -> String {
        let words = match self {
            Self::Energy => "energy eaten",
            Self::Protein => "protein",
            Self::Carbs => "carbohydrate",
            Self::Fat => "fat",
            Self::Fiber => "fibre",
            Self::LastMeal => "last meal",
            Self::LateCarbs => "carbohydrate after 20:00",
            Self::LateEnergy => "energy eaten after 20:00",
            Self::Steps => "steps",
            Self::ActiveMinutes => "exercise",
            Self::EnergyBurned => "energy burned",
            Self::Workouts => "workouts",
            Self::HardMinutes => "hard exercise",
            Self::CardioMinutes => "endurance sports in 7 days",
            Self::StrengthMinutes => "strength training in 7 days",
            Self::FlexibilityMinutes => "yoga and stretching in 7 days",
            Self::Sleep => "last night's sleep",
            Self::SleepQuality => "last night's sleep score",
            Self::RestingHeartRateBefore => "resting heart rate of the day before",
            Self::HrvBefore => "HRV of the day before",
            Self::RecoveryBefore => "recovery score of the day before",
            Self::Reading(metric) => {
                return metric.as_str().to_ascii_lowercase().replace('_', " ");
            }
        };
        words.to_owned()
    }

    /// The group it belongs to.
    pub fn category(self) -> FeatureCategory {
        match self {
            Self::Energy
            | Self::Protein
            | Self::Carbs
            | Self::Fat
            | Self::Fiber
            | Self::LastMeal
            | Self::LateCarbs
            | Self::LateEnergy => FeatureCategory::Nutrition,
            Self::Steps
            | Self::ActiveMinutes
            | Self::EnergyBurned
            | Self::Workouts
            | Self::HardMinutes
            | Self::CardioMinutes
            | Self::StrengthMinutes
            | Self::FlexibilityMinutes => FeatureCategory::Activity,
            Self::Sleep
            | Self::SleepQuality
            | Self::RestingHeartRateBefore
            | Self::HrvBefore
            | Self::RecoveryBefore => FeatureCategory::Health,
            Self::Reading(metric) if metric.is_amount() => FeatureCategory::Activity,
            Self::Reading(_) => FeatureCategory::Health,
        }
    }

    /// Lowest and highest value that can be set, in its unit: what a day can hold at all.
    pub fn range(self) -> (f64, f64) {
        let of = |field: NumberField<Meal>| (field.bounds.low, field.bounds.high);
        match self {
            Self::Energy | Self::LateEnergy => of(Meal::ENERGY),
            Self::Protein => of(Meal::PROTEIN),
            Self::Carbs | Self::LateCarbs => of(Meal::CARBS),
            Self::Fat => of(Meal::FAT),
            Self::Fiber => of(Meal::FIBER),
            Self::LastMeal => (0.0, 23.99),
            Self::Steps => MetricType::Steps.plausible_range(),
            Self::EnergyBurned => MetricType::ActiveCalories.plausible_range(),
            Self::Workouts => (0.0, 10.0),
            Self::ActiveMinutes | Self::HardMinutes => (0.0, 1_440.0),
            Self::CardioMinutes | Self::StrengthMinutes | Self::FlexibilityMinutes => {
                (0.0, 7.0 * 1_440.0)
            }
            Self::Sleep | Self::Reading(MetricType::SleepDuration) => (SHORTEST_NIGHT_HOURS, 24.0),
            Self::SleepQuality => MetricType::SleepScore.plausible_range(),
            Self::RestingHeartRateBefore => MetricType::RestingHeartRate.plausible_range(),
            Self::HrvBefore => MetricType::HeartRateVariabilityRmssd.plausible_range(),
            Self::RecoveryBefore => MetricType::RecoveryScore.plausible_range(),
            Self::Reading(metric) => metric.plausible_range(),
        }
    }

    /// The largest change of every day that a trajectory simulates (reference contract C.5); `None` where
    /// there is no limit.
    pub fn largest_daily_change(self) -> Option<f64> {
        match self {
            Self::Energy => Some(1_000.0),
            Self::Protein | Self::LateCarbs => Some(100.0),
            Self::Carbs => Some(200.0),
            Self::Fat => Some(80.0),
            Self::Fiber => Some(30.0),
            Self::LateEnergy => Some(500.0),
            Self::LastMeal
            | Self::Steps
            | Self::ActiveMinutes
            | Self::EnergyBurned
            | Self::Workouts
            | Self::HardMinutes
            | Self::CardioMinutes
            | Self::StrengthMinutes
            | Self::FlexibilityMinutes
            | Self::Sleep
            | Self::SleepQuality
            | Self::RestingHeartRateBefore
            | Self::HrvBefore
            | Self::RecoveryBefore
            | Self::Reading(_) => None,
        }
    }

    /// The rule by which records change, in words.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Energy => "all amounts of the day's meals are multiplied, or a meal is added",
            Self::Protein | Self::Carbs => {
                "the amount in the day's meals is multiplied, or a meal is added; energy moves with it, \
                 4 kcal/g"
            }
            Self::Fat => {
                "the amount in the day's meals is multiplied, or a meal is added; energy moves with it, \
                 9 kcal/g"
            }
            Self::Fiber => "the amount in the day's meals is multiplied, or a meal is added",
            Self::LastMeal => "the last meal moves, and with it every meal that would be after it",
            Self::LateCarbs | Self::LateEnergy => {
                "food from 20:00 on is multiplied, left out for 0, or added at 21:00"
            }
            Self::Steps | Self::ActiveMinutes | Self::EnergyBurned => {
                "the day's total of the source that counts; where it comes from workouts, they are \
                 multiplied"
            }
            Self::Workouts => "workouts of the usual kind are added, or the last ones left out",
            Self::HardMinutes => {
                "hard workouts of the day are made longer or shorter, left out for 0, or one is added"
            }
            Self::CardioMinutes | Self::StrengthMinutes | Self::FlexibilityMinutes => {
                "workouts of this kind on the day are made longer or shorter, left out, or one is added; \
                 the other six days stay"
            }
            Self::Sleep => "the sessions of the night are multiplied, or a night is added",
            Self::SleepQuality => "the score of the night is set; the efficiency without a score",
            Self::RestingHeartRateBefore | Self::HrvBefore | Self::RecoveryBefore => {
                "the reading of the day before is set"
            }
            Self::Reading(_) => "the day's value of the metric type is set for each of its sources",
        }
    }

    /// Whether the value is a whole number.
    pub fn is_whole(self) -> bool {
        match self {
            Self::Steps | Self::Workouts | Self::Reading(MetricType::Steps) => true,
            Self::Energy
            | Self::Protein
            | Self::Carbs
            | Self::Fat
            | Self::Fiber
            | Self::LastMeal
            | Self::LateCarbs
            | Self::LateEnergy
            | Self::ActiveMinutes
            | Self::EnergyBurned
            | Self::HardMinutes
            | Self::CardioMinutes
            | Self::StrengthMinutes
            | Self::FlexibilityMinutes
            | Self::Sleep
            | Self::SleepQuality
            | Self::RestingHeartRateBefore
            | Self::HrvBefore
            | Self::RecoveryBefore
            | Self::Reading(_) => false,
        }
    }

    /// What a day that is not over still allows.
    pub fn today(self) -> Today {
        match self {
            Self::Energy
            | Self::Protein
            | Self::Carbs
            | Self::Fat
            | Self::Fiber
            | Self::LastMeal
            | Self::Steps
            | Self::ActiveMinutes
            | Self::EnergyBurned
            | Self::Workouts
            | Self::HardMinutes
            | Self::CardioMinutes
            | Self::StrengthMinutes
            | Self::FlexibilityMinutes => Today::OnlyMore,
            Self::LateCarbs | Self::LateEnergy => Today::UntilLate,
            Self::Sleep
            | Self::SleepQuality
            | Self::RestingHeartRateBefore
            | Self::HrvBefore
            | Self::RecoveryBefore => Today::Over,
            Self::Reading(metric) if metric.is_amount() => Today::OnlyMore,
            Self::Reading(_) => Today::Over,
        }
    }

    /// A value with its unit, for a sentence.
    pub fn show(self, value: f64) -> String {
        if self == Self::LastMeal {
            let minutes = (value * 60.0).round() as i64;
            return format!("{:02}:{:02}", minutes / 60, minutes % 60);
        }
        let size = usize::from(self.unit() == "h");
        format!("{value:.size$} {}", self.unit())
    }
}

/// What can still be changed of something on a day that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Today {
    /// What was done is done: it can only grow.
    OnlyMore,
    /// Free until the evening, then it can only grow.
    UntilLate,
    /// Nothing.
    Over,
}

/// The lever that a feature shows; of one that follows from others, what to change in its place.
fn of_feature(feature: FeatureId) -> Result<Lever, &'static str> {
    use FeatureId as F;
    Err(match feature {
        F::CaloriesDaily => return Ok(Lever::Energy),
        F::ProteinDaily => return Ok(Lever::Protein),
        F::CarbsDaily => return Ok(Lever::Carbs),
        F::FatDaily => return Ok(Lever::Fat),
        F::FiberDaily => return Ok(Lever::Fiber),
        F::LastMealTime => return Ok(Lever::LastMeal),
        F::LateNightCarbs => return Ok(Lever::LateCarbs),
        F::LateNightCalories => return Ok(Lever::LateEnergy),
        F::StepsDaily => return Ok(Lever::Steps),
        F::ActiveMinutesDaily => return Ok(Lever::ActiveMinutes),
        F::CaloriesBurnedDaily => return Ok(Lever::EnergyBurned),
        F::WorkoutCountDaily => return Ok(Lever::Workouts),
        F::HighIntensityMinutes => return Ok(Lever::HardMinutes),
        F::CardioMinutes7d => return Ok(Lever::CardioMinutes),
        F::StrengthMinutes7d => return Ok(Lever::StrengthMinutes),
        F::FlexibilityMinutes7d => return Ok(Lever::FlexibilityMinutes),
        F::SleepDurationLast => return Ok(Lever::Sleep),
        F::SleepQualityLast => return Ok(Lever::SleepQuality),
        F::RhrYesterday => return Ok(Lever::RestingHeartRateBefore),
        F::HrvYesterday => return Ok(Lever::HrvBefore),
        F::RecoveryScoreYesterday => return Ok(Lever::RecoveryBefore),
        F::Calories7dAvg | F::CalorieDeficit | F::CalorieDeficit7d | F::CaloriesPerKg => {
            "change nutrition_calories_daily"
        }
        F::Protein7dAvg
        | F::ProteinRatio
        | F::ProteinPerKg
        | F::ProteinPerWorkout
        | F::ProteinToRecovery => "change nutrition_protein_daily",
        F::Carbs7dAvg | F::CarbsRatio | F::CarbsPerActiveMinute | F::CarbsToIntensity => {
            "change nutrition_carbs_daily"
        }
        F::Fat7dAvg | F::FatRatio => "change nutrition_fat_daily",
        F::FirstMealTime | F::EatingWindow | F::MealCount | F::MealRegularity => {
            "change nutrition_last_meal_time, or add a meal"
        }
        F::Steps7dAvg => "change activity_steps_daily",
        F::ActiveMinutes7dAvg => "change activity_active_minutes_daily",
        F::CaloriesBurned7dAvg => "change activity_calories_burned_daily",
        F::WorkoutIntensityAvg | F::RecoveryTime | F::DaysSinceRest => {
            "change activity_high_intensity_minutes or activity_workout_count_daily"
        }
        F::Rhr7dAvg | F::Rhr7dStd | F::RhrTrend | F::RhrBaseline | F::RhrDeviation => {
            "change RESTING_HEART_RATE or health_rhr_yesterday"
        }
        F::Hrv7dAvg | F::Hrv7dStd | F::HrvTrend | F::HrvBaseline | F::HrvDeviation => {
            "change HEART_RATE_VARIABILITY_RMSSD or health_hrv_yesterday"
        }
        F::SleepDuration7dAvg => "change health_sleep_duration_last",
        F::RecoveryScore7dAvg => "change health_recovery_score_yesterday",
        F::DayOfWeek
        | F::IsWeekend
        | F::WeekOfYear
        | F::Month
        | F::MenstrualCycleDay
        | F::MenstrualCyclePhase => "the calendar cannot be changed",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitalcast_features::catalogue;

    #[test]
    fn every_feature_can_be_set_or_says_what_to_change() {
        for feature in catalogue() {
            match Lever::named(feature.name) {
                Ok(lever) => assert_eq!(lever.name(), feature.name),
                Err(ScenarioError::Follows { instead, .. }) => {
                    let is_of_the_calendar = instead.starts_with("the calendar");
                    assert_eq!(
                        is_of_the_calendar,
                        feature.category == FeatureCategory::Temporal,
                        "{}",
                        feature.name
                    );
                    // What it names can be set.
                    for name in instead.split([' ', ',']).filter(|word| word.contains('_')) {
                        assert!(Lever::named(name).is_ok(), "{name}");
                    }
                }
                Err(other) => panic!("{}: {other}", feature.name),
            }
        }
        let unknown = Lever::named("no_such").unwrap_err();
        assert!(matches!(unknown, ScenarioError::UnknownFeature { .. }));
    }

    #[test]
    fn the_guide_shows_the_rules_enforced_here() {
        let mut table = "| what can be set | unit | what happens to the records |\n\
                         | --- | --- | --- |\n"
            .to_owned();
        for lever in Lever::FEATURES {
            let row = format!(
                "| `{}` | {} | {} |\n",
                lever.name(),
                lever.unit(),
                lever.rule()
            );
            table.push_str(&row);
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/what-if.md");
        let guide = std::fs::read_to_string(path).unwrap();
        assert!(
            guide.contains(&table),
            "docs/what-if.md lacks this table:\n{table}"
        );
    }
}
