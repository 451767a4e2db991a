//! The words of vendors for metrics and meals.

use crate::translated::bare;
use vitalcast_domain::{DomainError, MealType, MetricType};

/// Metrics with further names that mean nothing else, in English, German, French, Spanish, Italian, Portuguese
/// and Dutch: lower case, letters and digits only, without accents.
const METRICS: &[(MetricType, &[&str])] = &[
    (
        MetricType::RestingHeartRate,
        &[
            "rhr",
            "restinghr",
            "restingpulse",
            "restingheartratebpm",
            "ruhepuls",
            "ruheherzfrequenz",
            "ruhehf",
            "frequencecardiaqueaurepos",
            "fcrepos",
            "fcaurepos",
            "poulsaurepos",
            "frecuenciacardiacaenreposo",
            "pulsoenreposo",
            "fcenreposo",
            "frequenzacardiacaariposo",
            "battitoariposo",
            "fcariposo",
            "frequenciacardiacaemrepouso",
            "fcrepouso",
            "pulsoemrepouso",
            "rusthartslag",
            "hartslaginrust",
            "rustpols",
        ],
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
        &[
            "respirationrate",
            "breathingrate",
            "atemfrequenz",
            "frequencerespiratoire",
            "frecuenciarespiratoria",
            "frequenzarespiratoria",
            "frequenciarespiratoria",
            "ademhalingsfrequentie",
        ],
    ),
    (
        MetricType::OxygenSaturation,
        &[
            "spo2",
            "bloodoxygen",
            "bloodoxygensaturation",
            "sauerstoffsattigung",
            "saturationenoxygene",
            "saturaciondeoxigeno",
        ],
    ),
    (
        MetricType::SleepDuration,
        &[
            "timeasleep",
            "hoursasleep",
            "hoursslept",
            "sleephours",
            "totalsleep",
            "schlafdauer",
            "schlafzeit",
            "dureedusommeil",
            "tempsdesommeil",
            "duraciondelsueno",
            "horasdesueno",
            "duratadelsonno",
            "oredisonno",
            "duracaodosono",
            "horasdesono",
            "slaapduur",
            "slaaptijd",
        ],
    ),
    (
        MetricType::Steps,
        &[
            "stepcount",
            "dailysteps",
            "schritte",
            "pas",
            "nombredepas",
            "pasos",
            "passi",
            "passos",
            "stappen",
        ],
    ),
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
    let letters = bare(word);
    let letters = letters
        .strip_prefix("hkquantitytypeidentifier")
        .unwrap_or(&letters);
    let known = |metric: &MetricType| bare(metric.as_str()) == letters;
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
    let word = bare(word);
    let found = MEALS
        .iter()
        .find(|(_, words)| words.iter().any(|known| word.contains(known)));
    found.map(|(meal, _)| *meal)
}

/// Parts of names of meals in English, German, French, Spanish, Italian, Portuguese and Dutch, without accents
/// and blanks; the first that is found counts.
const MEALS: &[(MealType, &[&str])] = &[
    (
        MealType::Snack,
        &[
            "snack",
            "zwischenmahlzeit",
            "collation",
            "gouter",
            "merienda",
            "spuntino",
            "lanche",
            "tussendoor",
        ],
    ),
    (
        MealType::Breakfast,
        &[
            "breakfast",
            "brunch",
            "fruhstuck",
            "petitdejeuner",
            "desayuno",
            "colazione",
            "cafedamanha",
            "pequenoalmoco",
            "ontbijt",
        ],
    ),
    (
        MealType::Lunch,
        &[
            "lunch", "mittag", "dejeuner", "almuerzo", "comida", "pranzo", "almoco",
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
            "diner",
            "jantar",
            "avondeten",
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
            ("Nachmittagssnack", Some(MealType::Snack)),
            ("Goûter", Some(MealType::Snack)),
            ("petit dejeuner", Some(MealType::Breakfast)),
            ("Comida", Some(MealType::Lunch)),
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
            ("Ruhepuls", MetricType::RestingHeartRate),
            ("Fréquence cardiaque au repos", MetricType::RestingHeartRate),
            ("Schritte", MetricType::Steps),
            ("total_sleep", MetricType::SleepDuration),
        ] {
            assert_eq!(metric(word), Ok(expected), "{word}");
        }
        for word in ["hrv", "heart rate", "calories", "57", ""] {
            assert!(metric(word).is_err(), "{word}");
        }
    }
}
