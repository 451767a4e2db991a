//! The words of vendors for sports and intensities, in one table.

use vitalcast_domain::{ActivityType, Intensity};

/// Sports with the words that vendors use for them: lower case, letters and digits only.
const SPORTS: &[(ActivityType, &[&str])] = &[
    (
        ActivityType::Running,
        &[
            "run",
            "running",
            "outdoorrun",
            "indoorrun",
            "jog",
            "jogging",
            "treadmill",
            "treadmillrun",
            "treadmillrunning",
            "trailrun",
            "trailrunning",
            "trackrun",
            "trackrunning",
            "virtualrun",
        ],
    ),
    (
        ActivityType::Cycling,
        &[
            "bike",
            "biking",
            "cycle",
            "cycling",
            "ride",
            "outdoorbike",
            "outdoorcycle",
            "outdoorcycling",
            "indoorbike",
            "indoorcycle",
            "indoorcycling",
            "roadbiking",
            "roadcycling",
            "mountainbike",
            "mountainbiking",
            "gravelcycling",
            "stationarybike",
            "stationarybiking",
            "spin",
            "spinning",
            "virtualride",
            "ebikeride",
            "handcycling",
        ],
    ),
    (
        ActivityType::Swimming,
        &[
            "swim",
            "swimming",
            "poolswim",
            "poolswimming",
            "lapswimming",
            "openwaterswim",
            "openwaterswimming",
            "swimmingpool",
            "swimmingopenwater",
        ],
    ),
    (
        ActivityType::Walking,
        &[
            "walk",
            "walking",
            "outdoorwalk",
            "indoorwalk",
            "treadmillwalk",
            "treadmillwalking",
            "nordicwalking",
            "powerwalking",
            "casualwalking",
            "speedwalking",
        ],
    ),
    (
        ActivityType::Hiking,
        &["hike", "hiking", "trekking", "rucking"],
    ),
    (
        ActivityType::Rowing,
        &[
            "row",
            "rowing",
            "rower",
            "rowingmachine",
            "indoorrowing",
            "indoorrower",
        ],
    ),
    (
        ActivityType::Elliptical,
        &[
            "elliptical",
            "ellipticaltrainer",
            "crosstrainer",
            "crosstraining",
        ],
    ),
    (
        ActivityType::WeightTraining,
        &[
            "weight",
            "weights",
            "weighttraining",
            "weightlifting",
            "weightliftingtraining",
            "lifting",
            "freeweights",
            "strength",
            "strengthtraining",
            "traditionalstrengthtraining",
            "functionalstrengthtraining",
            "gym",
            "resistancetraining",
        ],
    ),
    (
        ActivityType::Bodyweight,
        &[
            "bodyweight",
            "bodyweighttraining",
            "calisthenics",
            "bootcamp",
            "circuittraining",
            "intervalworkout",
            "pushups",
            "coretraining",
        ],
    ),
    (
        ActivityType::Crossfit,
        &[
            "crossfit",
            "hiit",
            "highintensityintervaltraining",
            "intervaltraining",
            "functionalfitness",
        ],
    ),
    (
        ActivityType::Powerlifting,
        &["powerlifting", "olympiclifting"],
    ),
    (ActivityType::Basketball, &["basketball"]),
    (
        ActivityType::Soccer,
        &["soccer", "football", "footballsoccer", "futsal"],
    ),
    (ActivityType::Tennis, &["tennis"]),
    (ActivityType::Golf, &["golf", "golfing"]),
    (
        ActivityType::Yoga,
        &["yoga", "hotyoga", "poweryoga", "vinyasayoga", "hathayoga"],
    ),
    (ActivityType::Pilates, &["pilates", "barre"]),
    (
        ActivityType::Stretching,
        &[
            "stretching",
            "stretch",
            "flexibility",
            "mobility",
            "cooldown",
        ],
    ),
    (
        ActivityType::MartialArts,
        &[
            "martialarts",
            "mixedmartialarts",
            "boxing",
            "kickboxing",
            "judo",
            "karate",
            "taekwondo",
            "jiujitsu",
            "aikido",
            "wrestling",
        ],
    ),
    (
        ActivityType::Dance,
        &[
            "dance",
            "dancing",
            "zumba",
            "cardiodance",
            "socialdance",
            "ballet",
        ],
    ),
    (ActivityType::Other, &["other", "workout", "sport"]),
];

/// Intensities with the words that vendors use for them.
const INTENSITIES: &[(Intensity, &[&str])] = &[
    (
        Intensity::Low,
        &[
            "low",
            "light",
            "lightlyactive",
            "easy",
            "gentle",
            "lowintensity",
        ],
    ),
    (
        Intensity::Moderate,
        &["moderate", "medium", "moderateintensity", "fairlyactive"],
    ),
    (
        Intensity::High,
        &[
            "high",
            "hard",
            "vigorous",
            "intense",
            "veryactive",
            "highintensity",
        ],
    ),
    (
        Intensity::Maximum,
        &["maximum", "max", "maximal", "peak", "allout", "veryhard"],
    ),
];

/// The sport that a word means; `None` for an unknown word.
pub(crate) fn sport(word: &str) -> Option<ActivityType> {
    if let Ok(sport) = word.parse() {
        return Some(sport);
    }
    let letters = crate::words::letters(word);
    let letters = letters
        .strip_prefix("hkworkoutactivitytype")
        .unwrap_or(&letters);
    let known = |sport: &ActivityType| crate::words::letters(sport.as_str()) == letters;
    SPORTS
        .iter()
        .find(|(_, words)| words.contains(&letters))
        .map(|(sport, _)| *sport)
        .or_else(|| ActivityType::ALL.iter().copied().find(known))
}

/// The intensity that a word means; `None` for an unknown word.
pub(crate) fn intensity(word: &str) -> Option<Intensity> {
    if let Ok(intensity) = word.parse() {
        return Some(intensity);
    }
    let letters = crate::words::letters(word);
    INTENSITIES
        .iter()
        .find(|(_, words)| words.contains(&letters.as_str()))
        .map(|(intensity, _)| *intensity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_vendors_are_known() {
        for (word, expected) in [
            ("WEIGHT_TRAINING", ActivityType::WeightTraining),
            ("Weight Training", ActivityType::WeightTraining),
            ("Strength training", ActivityType::WeightTraining),
            ("HKWorkoutActivityTypeRunning", ActivityType::Running),
            ("Outdoor Run", ActivityType::Running),
            ("Indoor cycling", ActivityType::Cycling),
            ("HIIT", ActivityType::Crossfit),
            ("martial_arts", ActivityType::MartialArts),
        ] {
            assert_eq!(sport(word), Some(expected), "{word}");
        }
        assert_eq!(sport("Flying"), None);
        assert_eq!(intensity("Peak"), Some(Intensity::Maximum));
        assert_eq!(intensity("vigorous"), Some(Intensity::High));
        assert_eq!(intensity("7"), None);
    }
}
