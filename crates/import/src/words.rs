//! The words of vendors for metrics and meals.

use vitalcast_domain::{DomainError, MealType, MetricType};

/// Metrics with further names that mean nothing else: lower case, letters and digits only.
const METRICS: &[(MetricType, &[&str])] = &[
    (
        MetricType::RestingHeartRate,
        &["restinghr", "restingpulse", "restingheartratebpm"],
    ),
    (
        MetricType::HeartRateVariabilitySdnn,
        &["sdnn", "hrvsdnn", "heartratevariabilitysdnnms"],
    ),
    (
        MetricType::HeartRateVariabilityRmssd,
        &["rmssd", "hrvrmssd", "heartratevariabilityrmssdms"],
    ),
    (
        MetricType::BloodPressureSystolic,
        &["systolicbloodpressure", "systolic"],
    ),
    (
        MetricType::BloodPressureDiastolic,
        &["diastolicbloodpressure", "diastolic"],
    ),
    (
        MetricType::RespiratoryRate,
        &["respirationrate", "breathingrate"],
    ),
    (
        MetricType::OxygenSaturation,
        &["spo2", "bloodoxygen", "bloodoxygensaturation"],
    ),
    (MetricType::SleepDuration, &["timeasleep", "hoursasleep"]),
    (MetricType::Steps, &["stepcount", "dailysteps"]),
    (
        MetricType::ActiveCalories,
        &["activeenergy", "activeenergyburned"],
    ),
    (
        MetricType::TotalCalories,
        &["totalenergy", "totalenergyburned"],
    ),
    (
        MetricType::ExerciseMinutes,
        &["exercisetime", "appleexercisetime"],
    ),
    (MetricType::BodyFatPercentage, &["bodyfat"]),
    (MetricType::BloodGlucose, &["bloodsugar"]),
];

/// A word without case, blanks and marks.
pub(crate) fn letters(word: &str) -> String {
    word.chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The metric that a name means: the name of the contract in any spelling, that of HealthKit, or one
/// of the table.
pub(crate) fn metric(word: &str) -> Result<MetricType, DomainError> {
    let unknown = match word.parse() {
        Ok(metric) => return Ok(metric),
        Err(error) => error,
    };
    let letters = letters(word);
    let letters = letters
        .strip_prefix("hkquantitytypeidentifier")
        .unwrap_or(&letters);
    let known = |metric: &MetricType| self::letters(metric.as_str()) == letters;
    MetricType::ALL
        .iter()
        .copied()
        .find(known)
        .or_else(|| {
            let found = METRICS.iter().find(|(_, words)| words.contains(&letters));
            found.map(|(metric, _)| *metric)
        })
        .ok_or(unknown)
}

/// The meal of the day that a word means; others (`Correction`, `Drinks`) have none.
pub(crate) fn meal(word: &str) -> Option<MealType> {
    if let Ok(meal) = word.parse() {
        return Some(meal);
    }
    let word = word.to_lowercase();
    let found = MEALS
        .iter()
        .find(|(_, words)| words.iter().any(|known| word.contains(known)));
    found.map(|(meal, _)| *meal)
}

/// Parts of names of meals in English, German, French, Spanish, Italian, Portuguese and Dutch; the first that
/// is found counts.
const MEALS: &[(MealType, &[&str])] = &[
    (
        MealType::Breakfast,
        &[
            "breakfast",
            "brunch",
            "frühstück",
            "petit déjeuner",
            "petit-déjeuner",
            "desayuno",
            "colazione",
            "café da manhã",
            "pequeno-almoço",
            "pequeno almoço",
            "ontbijt",
        ],
    ),
    (
        MealType::Lunch,
        &[
            "lunch",
            "mittag",
            "déjeuner",
            "almuerzo",
            "pranzo",
            "almoço",
        ],
    ),
    (
        MealType::Dinner,
        &[
            "dinner",
            "supper",
            "cena",
            "abendessen",
            "abendbrot",
            "dîner",
            "jantar",
            "avondeten",
        ],
    ),
    (
        MealType::Snack,
        &[
            "snack",
            "zwischenmahlzeit",
            "collation",
            "merienda",
            "spuntino",
            "lanche",
            "tussendoor",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meals_are_known_in_several_languages() {
        for (word, expected) in [
            ("Second Breakfast", Some(MealType::Breakfast)),
            ("Frühstück", Some(MealType::Breakfast)),
            ("Petit-déjeuner", Some(MealType::Breakfast)),
            ("Déjeuner", Some(MealType::Lunch)),
            ("Pequeno-almoço", Some(MealType::Breakfast)),
            ("Abendessen", Some(MealType::Dinner)),
            ("Snacks/Other", Some(MealType::Snack)),
            ("Meal 4", None),
        ] {
            assert_eq!(meal(word), expected, "{word}");
        }
    }

    #[test]
    fn clear_names_of_metrics_are_known() {
        for (word, expected) in [
            ("steps", MetricType::Steps),
            ("resting heart rate", MetricType::RestingHeartRate),
            ("RestingHeartRate", MetricType::RestingHeartRate),
            (
                "HKQuantityTypeIdentifierHeartRateVariabilitySDNN",
                MetricType::HeartRateVariabilitySdnn,
            ),
            ("VO2Max", MetricType::Vo2Max),
            ("SpO2", MetricType::OxygenSaturation),
        ] {
            assert_eq!(metric(word), Ok(expected), "{word}");
        }
        for word in ["hrv", "heart rate", "calories", "57", ""] {
            assert!(metric(word).is_err(), "{word}");
        }
    }
}
