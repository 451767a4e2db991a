//! The words of vendors for sports and intensities, in one table.

use crate::translated::bare;
use vitalcast_domain::{ActivityType, Intensity};

/// Sports with the words that vendors use for them, in English, German, French, Spanish, Italian, Portuguese and
/// Dutch: lower case, letters and digits only, without accents.
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
            "indoorrunning",
            "streetrunning",
            "runningtreadmill",
            "ultrarun",
            "ultrarunning",
            "parkrun",
            "fartlek",
            "sprinting",
            "lauf",
            "laufen",
            "joggen",
            "laufband",
            "traillauf",
            "course",
            "courseapied",
            "footing",
            "correr",
            "carrera",
            "trote",
            "corsa",
            "correre",
            "corrida",
            "hardlopen",
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
            "ebike",
            "gravelride",
            "mountainbikeride",
            "emountainbikeride",
            "bikingstationary",
            "stationarycycling",
            "cyclingstationary",
            "cyclingindoor",
            "exercisebike",
            "spinclass",
            "cyclocross",
            "bmx",
            "rad",
            "radfahren",
            "radfahrt",
            "fahrrad",
            "fahrradfahren",
            "radsport",
            "rennrad",
            "mountainbiken",
            "mountainbikefahrt",
            "virtuelleradfahrt",
            "velo",
            "cyclisme",
            "vtt",
            "ciclismo",
            "bicicleta",
            "bici",
            "bicicletta",
            "fietsen",
            "wielrennen",
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
            "schwimmen",
            "natation",
            "natacion",
            "nadar",
            "nuoto",
            "natacao",
            "zwemmen",
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
            "walkingtreadmill",
            "strolling",
            "gehen",
            "walken",
            "spaziergang",
            "spazieren",
            "spazierengehen",
            "marche",
            "caminata",
            "caminar",
            "camminata",
            "caminhada",
            "wandelen",
        ],
    ),
    (
        ActivityType::Hiking,
        &[
            "hike",
            "hiking",
            "trekking",
            "rucking",
            "wandern",
            "wanderung",
            "bergwandern",
            "randonnee",
            "senderismo",
            "escursionismo",
        ],
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
            "rowergometer",
            "rudern",
            "rudergerat",
            "aviron",
            "rameur",
            "remo",
            "canottaggio",
            "roeien",
        ],
    ),
    (
        ActivityType::Elliptical,
        &[
            "elliptical",
            "ellipticaltrainer",
            "crosstrainer",
            "crosstraining",
            "ellipsentrainer",
            "elliptique",
            "veloelliptique",
            "eliptica",
            "ellittica",
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
            "freeweight",
            "kettlebell",
            "weightmachines",
            "strengthconditioning",
            "strengthandconditioning",
            "krafttraining",
            "gewichtstraining",
            "kraftsport",
            "hanteltraining",
            "musculation",
            "renforcementmusculaire",
            "pesas",
            "musculacion",
            "entrenamientodefuerza",
            "pesi",
            "sollevamentopesi",
            "musculacao",
            "krachttraining",
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
    (
        ActivityType::Basketball,
        &[
            "basketball",
            "basket",
            "baloncesto",
            "pallacanestro",
            "basquete",
            "basquetebol",
            "basketbal",
        ],
    ),
    (
        ActivityType::Soccer,
        &[
            "soccer",
            "football",
            "footballsoccer",
            "futsal",
            "fussball",
            "futbol",
            "calcio",
            "futebol",
            "voetbal",
        ],
    ),
    (ActivityType::Tennis, &["tennis", "tenis"]),
    (ActivityType::Golf, &["golf", "golfing"]),
    (
        ActivityType::Yoga,
        &[
            "yoga",
            "hotyoga",
            "poweryoga",
            "vinyasayoga",
            "hathayoga",
            "yinyoga",
            "flowyoga",
        ],
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
            "dehnen",
            "etirements",
            "estiramientos",
            "alongamento",
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
            "kampfsport",
            "boxen",
            "boxe",
            "boxeo",
            "artesmarciales",
            "artimarziali",
            "artsmartiaux",
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
            "tanzen",
            "tanz",
            "danse",
            "baile",
            "danza",
            "ballo",
            "danca",
            "dansen",
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
    let letters = bare(word);
    let named = |letters: &str| {
        let known = |sport: &ActivityType| bare(sport.as_str()) == letters;
        SPORTS
            .iter()
            .find(|(_, words)| words.contains(&letters))
            .map(|(sport, _)| *sport)
            .or_else(|| ActivityType::ALL.iter().copied().find(known))
    };
    named(&letters).or_else(|| {
        let mut prefixes = PREFIXES.iter();
        prefixes.find_map(|prefix| named(letters.strip_prefix(prefix)?))
    })
}

/// What stands before the words: names of types, and the time of day in titles of apps.
const PREFIXES: [&str; 7] = [
    "hkworkoutactivitytype",
    "exercisetype",
    "morning",
    "lunch",
    "afternoon",
    "evening",
    "night",
];

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
            ("EXERCISE_TYPE_RUNNING_TREADMILL", ActivityType::Running),
            ("Evening Ride", ActivityType::Cycling),
            ("Krafttraining", ActivityType::WeightTraining),
            ("Fußball", ActivityType::Soccer),
            ("Course à pied", ActivityType::Running),
            ("Natación", ActivityType::Swimming),
            ("Fietsen", ActivityType::Cycling),
        ] {
            assert_eq!(sport(word), Some(expected), "{word}");
        }
        assert_eq!(sport("Flying"), None);
        assert_eq!(intensity("Peak"), Some(Intensity::Maximum));
        assert_eq!(intensity("vigorous"), Some(Intensity::High));
        assert_eq!(intensity("7"), None);
    }
}
