//! Samsung Health: the folder of "Download personal data", with one table per type of data, such as
//! `com.samsung.shealth.sleep.20241202.csv`, and JSON files with fine detail below `jsons`.
//!
//! The first line of a table names its type, the second its columns, and every line ends with a comma.
//! Names of columns have a prefix in some tables (`com.samsung.health.sleep.start_time`). Times such as
//! `2024-12-02 22:38:00.000`, in older files milliseconds since 1970, are in UTC; `time_offset`
//! (`UTC+0100`) is added for the clock of the person. `day_time` is a local day, written as a midnight in
//! UTC. Of two exports in one folder, the table with the newer stamp is read.
//!
//! `sleep_duration` is the time in bed. Sleep is what the stages say; without stages it is the time in
//! bed. A row without `sleep_duration` is a goal. Phone and watch can both have a night: the one with
//! stages, else the longer one, is taken. Samsung keeps no resting heart rate: it is the lowest heart rate
//! of the night here. 2,147,483,647 and 3.4e38 were not measured.

mod cells;
mod collect;

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::report::SkipReason;
use crate::sample::{Confidence, Content, Sample, file_name, look};
use collect::Export;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

const SOURCE: &str = "samsung-health";
/// Most bytes of the name of a type.
const LONGEST_TYPE: u64 = 256;

/// Samsung Health's personal data.
pub(crate) static READER: FormatReader = FormatReader {
    word: "samsung-health",
    title: "Samsung Health",
    export: "Samsung Health, Settings, \"Download personal data\": a folder `samsunghealth_…` with files such as \
             `com.samsung.shealth.sleep.….csv`.",
    gives: &[
        Gives {
            what: "STEPS",
            from: "`step_daily_trend` (`source_type` −2), else `tracker.pedometer_day_summary`",
            unit: "count",
            note: "all devices merged by Samsung; else the largest of a day",
        },
        Gives {
            what: "TOTAL_CALORIES, ACTIVE_CALORIES",
            from: "`calories_burned.details`",
            unit: "kcal",
            note: "`rest_calorie` and `active_calorie`",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION, TIME_IN_BED, \
                   SLEEP_EFFICIENCY, SLEEP_SCORE, BEDTIME, WAKE_TIME",
            from: "`sleep`, `sleep_stage`",
            unit: "UTC times with an offset, minutes",
            note: "without stages the time in bed counts as sleep",
        },
        Gives {
            what: "RESTING_HEART_RATE, AVERAGE_HEART_RATE",
            from: "`tracker.heart_rate`",
            unit: "beats per minute",
            note: "derived: the lowest heart rate during a night",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_SDNN, HEART_RATE_VARIABILITY_RMSSD",
            from: "`jsons/com.samsung.health.hrv`",
            unit: "ms",
            note: "mean of the windows of a night; the vitality score's value is of an unknown kind and left out",
        },
        Gives {
            what: "OXYGEN_SATURATION, RESPIRATORY_RATE, SKIN_TEMPERATURE",
            from: "`oxygen_saturation` (`spo2`), `respiratory_rate` (`average`), `skin_temperature` \
                   (`temperature`)",
            unit: "per cent, per minute, °C",
            note: "samples",
        },
        Gives {
            what: "BODY_FAT_PERCENTAGE, weight of the profile",
            from: "`weight`",
            unit: "per cent, kg",
            note: "the latest weight, for a new person",
        },
        Gives {
            what: "activities",
            from: "`exercise`",
            unit: "ms, kcal, m",
            note: "with heart rates",
        },
        Gives {
            what: "meals",
            from: "`nutrition`, `food_intake`",
            unit: "kcal, g",
            note: "single foods only of days without the nutrients of meals",
        },
    ],
    recognises: |sample| {
        if is_hrv(sample) {
            let named = sample.path.to_string_lossy().contains("com.samsung.");
            return if named {
                Confidence::Certain
            } else {
                Confidence::Likely
            };
        }
        Confidence::certain_if(kind_of_table(sample).is_some())
    },
    read: Read::Together(read),
};

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Sleep,
    Stages,
    StepTrend,
    Pedometer,
    Calories,
    HeartRate,
    Weight,
    Exercise,
    Nutrition,
    Food,
    Saturation,
    Breathing,
    Temperature,
    Hrv,
}

/// Names of types, and columns by which their tables are known.
const KINDS: [(&str, Kind, &[&str]); 14] = [
    ("sleep", Kind::Sleep, &["start_time", "end_time"]),
    (
        "sleep_stage",
        Kind::Stages,
        &["start_time", "sleep_id", "stage"],
    ),
    ("step_daily_trend", Kind::StepTrend, &["day_time", "count"]),
    (
        "tracker.pedometer_day_summary",
        Kind::Pedometer,
        &["day_time", "step_count"],
    ),
    (
        "calories_burned.details",
        Kind::Calories,
        &["day_time", "rest_calorie"],
    ),
    (
        "tracker.heart_rate",
        Kind::HeartRate,
        &["start_time", "heart_rate"],
    ),
    ("weight", Kind::Weight, &["start_time", "weight"]),
    ("exercise", Kind::Exercise, &["start_time", "exercise_type"]),
    ("nutrition", Kind::Nutrition, &["start_time", "calorie"]),
    ("food_intake", Kind::Food, &["start_time", "calorie"]),
    (
        "oxygen_saturation",
        Kind::Saturation,
        &["start_time", "spo2"],
    ),
    (
        "tracker.oxygen_saturation",
        Kind::Saturation,
        &["start_time", "spo2"],
    ),
    (
        "respiratory_rate",
        Kind::Breathing,
        &["start_time", "average"],
    ),
    (
        "skin_temperature",
        Kind::Temperature,
        &["start_time", "temperature"],
    ),
];

/// The type in the name of a table, and its stamp: `sleep` and `20241202` of
/// `com.samsung.shealth.sleep.20241202.csv`.
fn parts_of(name: &str) -> Option<(&str, &str)> {
    let name = name.strip_suffix(".csv")?;
    let rest = name
        .strip_prefix("com.samsung.shealth.")
        .or_else(|| name.strip_prefix("com.samsung.health."))?;
    match rest.rsplit_once('.') {
        Some((kind, stamp)) if stamp.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some((kind, stamp))
        }
        Some(_) | None => Some((rest, "")),
    }
}

fn kind_of_name(name: &str) -> Option<Kind> {
    let (found, _) = parts_of(name)?;
    KINDS
        .iter()
        .find(|(name, ..)| *name == found)
        .map(|kind| kind.1)
}

/// The type of a table: that of its name, else that of its first line.
fn kind_of_table(sample: &Sample<'_>) -> Option<Kind> {
    let Content::Table(columns) = &sample.content else {
        return None;
    };
    if !["start_time", "day_time"]
        .iter()
        .any(|time| has(columns, time))
    {
        return None;
    }
    let kind = kind_of_name(sample.file_name())
        .or_else(|| kind_of_name(&format!("{}.csv", first_cell(sample.path)?)));
    kind.filter(|kind| has_columns(*kind, columns))
}

/// The first cell of a file.
fn first_cell(path: &Path) -> Option<String> {
    let mut head = Vec::new();
    let file = File::open(path).ok()?;
    file.take(LONGEST_TYPE).read_to_end(&mut head).ok()?;
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let end = head
        .iter()
        .position(|byte| matches!(byte, b',' | b'\r' | b'\n'))?;
    let cell = std::str::from_utf8(&head[..end]).ok()?;
    Some(cell.trim_matches(['"', ' ']).to_owned())
}

/// Prefixes that columns of a table may have.
const PREFIXES: [&str; 6] = [
    "com.samsung.health.sleep.",
    "com.samsung.shealth.calories_burned.",
    "com.samsung.health.heart_rate.",
    "com.samsung.health.exercise.",
    "com.samsung.health.oxygen_saturation.",
    "com.samsung.health.hrv.",
];

/// The names that a column may have.
fn names(name: &str) -> Vec<String> {
    let prefixed = PREFIXES.iter().map(|prefix| format!("{prefix}{name}"));
    std::iter::once(name.to_owned()).chain(prefixed).collect()
}

/// Whether a column exists, with or without a prefix.
fn has(columns: &Columns<'_>, name: &str) -> bool {
    names(name).iter().any(|name| columns.has(name))
}

fn has_columns(kind: Kind, columns: &Columns<'_>) -> bool {
    let has = |name: &&str| has(columns, name);
    let needs = KINDS.iter().filter(|(_, found, _)| *found == kind);
    needs.into_iter().any(|(.., needs)| needs.iter().all(has))
}

/// Whether a file has windows of heart-rate variability.
fn is_hrv(sample: &Sample<'_>) -> bool {
    sample.is_json(|keys| keys.has_all(&["start_time", "end_time", "sdnn", "rmssd"]))
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let mut kinds: Vec<(&Path, Kind)> = Vec::new();
    for file in files {
        importer.attempt(|_| {
            let asked = look(file, &|sample| match &sample.content {
                Content::Json(_) => is_hrv(sample).then_some(Kind::Hrv),
                Content::Table(_) => kind_of_table(sample),
                Content::Xml(_) | Content::Sqlite(_) | Content::Fit => None,
            })?;
            if let Ok(kind) = asked {
                kinds.push((file.as_path(), kind));
            }
            Ok(())
        })?;
    }
    // Of two exports, the tables with the newer stamp have what the others have.
    let mut newest: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, stamp) in kinds
        .iter()
        .filter_map(|(file, _)| parts_of(file_name(file)))
    {
        let best = newest.entry(name).or_default();
        *best = (*best).max(stamp);
    }
    kinds.retain(|(file, _)| {
        let kept = parts_of(file_name(file))
            .is_none_or(|(name, stamp)| newest.get(name).is_none_or(|best| *best == stamp));
        if !kept {
            importer.skip(SkipReason::Repeated);
        }
        kept
    });
    kinds.sort_by_key(|(_, kind)| *kind);
    let mut export = Export::default();
    for (file, kind) in &kinds {
        importer.attempt(|importer| export.read(importer, file, *kind))?;
    }
    let weight = export.weight();
    let user = importer.owner_like(first, |profile| profile.weight_kg = weight)?;
    export.finish(importer, &user)
}
