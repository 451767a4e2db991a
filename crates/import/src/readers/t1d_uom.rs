//! T1D-UOM's folders (Alsuhaymi et al. 2025): meals, activity, nights and what the watch measured every
//! five minutes, one file per person and kind; the person is the number in the file name.
//!
//! The files have two clocks. Meals and activity are local; nights and the five minutes are UTC. Days
//! come first (DD/MM/YYYY). Activity has a row per quarter of an hour and kind of movement: steps,
//! energy and minutes are summed by local day. Of active minutes, those that the watch calls highly
//! active are vigorous, others from 3 metabolic equivalents on moderate, and the rest light. A day
//! without steps and energy has no minutes: the watch was not worn. Meals have no energy; it follows
//! from the macronutrients (4, 4 and 9 kcal/g) that were entered. A meal at 00:00 or without a time is
//! known by its day only.
//!
//! People live in the United Kingdom unless the offsets in their files say otherwise.

mod watch;

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading};
use crate::repeats::Repeats;
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::{Fault, Table};
use crate::time::{Stamp, british};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use vitalcast_domain::{
    HealthMetric, Meal, MetricType, Moment, Provenance, Record, Told, Unit, UserId, Zone,
};

const SOURCE: &str = "garmin";
const DIARY: &str = "food-diary";
const PROTEIN_KCAL: f64 = 4.0;
const CARBS_KCAL: f64 = 4.0;
const FAT_KCAL: f64 = 9.0;
/// Offsets of the United Kingdom in winter and summer; up to two hours also occur on journeys.
const BRITISH_OFFSETS: std::ops::RangeInclusive<i64> = -3_600..=7_200;

/// The folders of T1D-UOM.
pub(crate) static READER: FormatReader = FormatReader {
    word: "t1d-uom",
    title: "T1D-UOM",
    export: "The folders of the published data set (`Nutrition Data`, `Activity Data`, `Sleep Data`).",
    gives: &[
        Gives {
            what: "meals",
            from: "`Nutrition Data`",
            unit: "g",
            note: "energy follows from the macronutrients",
        },
        Gives {
            what: "steps, energy, minutes by effort, nights, heart rate, stress",
            from: "`Activity Data`, `Sleep Data`",
            unit: "as named by the columns",
            note: "meals and activity in local time, nights in UTC",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(is_known)),
    read: Reading::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has("meal_ts")
        || columns.has_all(&["activity_ts", "step_count"])
        || columns.has_all(&["calendar_date", "duration_in_sec"])
        || columns.has_all(&["sleep_ts", "resting_heart_rate"])
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = user_of(path)?;
    if !importer.wants(&user) {
        importer.skip(SkipReason::OtherUser);
        return Ok(());
    }
    let zone = match (importer.options.zone, importer.zone_of(&user)) {
        (Some(zone), _) | (None, Some(zone)) => zone,
        (None, None) => zone_of(path),
    };
    if zone.name() != "Europe/London" && importer.options.zone.is_none() {
        importer.note(format!(
            "the UTC offset of person {user} is not that of the United Kingdom: days are computed \
             in {zone}"
        ));
    }
    let table = Table::open(path, &READER)?;
    importer.person(&user, zone)?;
    if table.column(&["meal_ts"]).is_some() {
        meals(importer, table, &user)
    } else if table.column(&["activity_ts"]).is_some() {
        activity(importer, table, &user, zone)
    } else if table.column(&["calendar_date"]).is_some() {
        nights(importer, table, &user, zone)
    } else {
        watch::watch(importer, table, &user, zone)
    }
}

/// The person is the run of digits in the file's name.
fn user_of(path: &Path) -> Result<UserId, ImportError> {
    let name = path
        .file_stem()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let digits: String = name
        .chars()
        .skip_while(|letter| !letter.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    UserId::new(digits).map_err(|_| ImportError::Unrecognised {
        path: path.to_owned(),
        what: "a T1D-UOM table without the number of a person in its name".to_owned(),
    })
}

/// The time zone from the UTC offsets of a person. The files of a person are in sibling folders, and
/// only some contain offsets, so all files of the person are read.
fn zone_of(path: &Path) -> Zone {
    let london = || "Europe/London".parse().unwrap_or(Zone::UTC);
    let Ok(user) = user_of(path) else {
        return london();
    };
    let mut counts: HashMap<i64, u32> = HashMap::new();
    let folder = path.parent();
    let siblings = folder.and_then(Path::parent).into_iter().chain(folder);
    for root in siblings {
        for file in near(root) {
            if user_of(&file).is_ok_and(|found| found == user) {
                offsets(&file, &mut counts);
            }
        }
        if !counts.is_empty() {
            break;
        }
    }
    let usual = counts
        .into_iter()
        .max_by_key(|(offset, count)| (*count, -offset))
        .map(|(offset, _)| offset);
    match usual {
        Some(offset) if !BRITISH_OFFSETS.contains(&offset) && offset % 3_600 == 0 => {
            let fixed = i32::try_from(offset).ok().and_then(crate::zones::fixed);
            fixed.unwrap_or_else(london)
        }
        _ => london(),
    }
}

/// Tables in a folder and in the folders directly below it.
fn near(root: &Path) -> Vec<std::path::PathBuf> {
    let list = |folder: &Path| -> Vec<std::path::PathBuf> {
        std::fs::read_dir(folder)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default()
    };
    let mut files = Vec::new();
    for entry in list(root) {
        if entry.is_dir() {
            files.extend(list(&entry));
        } else {
            files.push(entry);
        }
    }
    files.retain(|file| {
        file.extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
    });
    files.sort();
    files
}

/// Counts the offsets in the first rows of a file.
fn offsets(path: &Path, counts: &mut HashMap<i64, u32>) {
    let Ok(mut table) = Table::open(path, &READER) else {
        return;
    };
    let Some(column) = table.column(&["start_time_offset_s"]) else {
        return;
    };
    for _ in 0..2_000 {
        let Ok(Some(row)) = table.peek() else {
            return;
        };
        if let Ok(offset) = row.text(Some(column)).parse::<i64>() {
            *counts.entry(offset).or_default() += 1;
        }
    }
}

fn bad_time(name: &str) -> Fault {
    (
        RejectReason::BadTime,
        format!("{name} is not a time, expected for example 08/10/2023 15:00"),
    )
}

fn meals(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
) -> Result<(), ImportError> {
    let time = table.required(&["meal_ts"])?;
    let kind = table.column(&["meal_type"]);
    let tag = table.column(&["meal_tag"]);
    let macros =
        ["carbs_g", "prot_g", "fat_g", "fibre_g"].map(|name| (name, table.column(&[name])));
    let mut seen = Repeats::default();
    let mut ordinals: HashMap<String, u32> = HashMap::new();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let stamp = british(row.text(Some(time))).ok_or_else(|| bad_time("meal_ts"))?;
            let (wall, time_known) = match stamp {
                Stamp::Wall(wall) => (wall, wall.time() != NaiveTime::MIN),
                Stamp::Day(day) => (day.and_time(NaiveTime::MIN), false),
                Stamp::Instant(..) => return Err(bad_time("meal_ts")),
            };
            importer.check_day(wall.date())?;
            let mut grams = [None; 4];
            for (gram, (name, column)) in grams.iter_mut().zip(macros) {
                *gram = row.number(column, name)?;
            }
            Ok((wall, time_known, grams))
        })();
        let (wall, time_known, [carbs_g, protein_g, fat_g, fiber_g]) = match outcome {
            Ok(read) => read,
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
                continue;
            }
        };
        if !seen.is_new(&row) {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        let energies = [
            carbs_g.map(|grams| grams * CARBS_KCAL),
            protein_g.map(|grams| grams * PROTEIN_KCAL),
            fat_g.map(|grams| grams * FAT_KCAL),
        ];
        if energies.iter().all(Option::is_none) && fiber_g.is_none() {
            importer.skip(SkipReason::NothingEaten);
            continue;
        }
        let energy_kcal = energies
            .iter()
            .flatten()
            .fold(None, |sum: Option<f64>, energy| {
                Some(sum.unwrap_or(0.0) + energy)
            });
        // Two different meals of one minute are told apart by a number.
        let minute = wall.format("%Y-%m-%dT%H:%M").to_string();
        let ordinal = ordinals.entry(minute.clone()).or_default();
        *ordinal += 1;
        let moment = if time_known {
            Moment::Clock(wall)
        } else {
            Moment::Date(wall.date())
        };
        let id = format!("meal-{minute}-{ordinal}");
        let provenance = Provenance::told(DIARY, id, Told::at(moment));
        let text = |column| Some(row.text(column).to_owned()).filter(|text| !text.is_empty());
        let meal_type = text(kind).and_then(|word| crate::words::meal(&word));
        let record = Record::Meal(Meal {
            provenance,
            name: text(tag).map(|name| name.replace('_', " ")),
            meal_type,
            energy_kcal,
            protein_g,
            carbs_g,
            fat_g,
            fiber_g,
            sugar_g: None,
        });
        if let Err(error) = record.validate() {
            let reject = row.reject(fault(&error));
            importer.reject(reject)?;
            continue;
        }
        importer.record(user, record)?;
    }
    Ok(())
}

fn activity(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
    zone: Zone,
) -> Result<(), ImportError> {
    let time = table.required(&["activity_ts"])?;
    let steps = table.required(&["step_count"])?;
    let energy = table.column(&["active_Kcal"]);
    let start = table.column(&["start_time_s"]);
    let kind = table.column(&["activity_type"]);
    let active = table.column(&["active_time_s"]);
    let intensity = table.column(&["intensity"]);
    let equivalents = table.column(&["met"]);
    let mut days: BTreeMap<NaiveDate, Movement> = BTreeMap::new();
    // The same quarter of an hour and kind of movement twice is a repeated row.
    let mut seen = Repeats::default();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let Some(Stamp::Wall(wall)) = british(row.text(Some(time))) else {
                return Err(bad_time("activity_ts"));
            };
            importer.check_day(wall.date())?;
            let steps = row.number(Some(steps), "step_count")?.unwrap_or(0.0);
            let energy = row.number(energy, "active_Kcal")?.unwrap_or(0.0);
            if steps < 0.0 || energy < 0.0 {
                return Err((
                    RejectReason::OutOfRange,
                    "step_count and active_Kcal must not be below 0".to_owned(),
                ));
            }
            let seconds = row.number(active, "active_time_s")?.unwrap_or(0.0);
            if seconds < 0.0 {
                return Err((
                    RejectReason::OutOfRange,
                    "active_time_s must not be below 0".to_owned(),
                ));
            }
            let equivalents = row.number(equivalents, "met")?;
            let effort = effort(row.text(intensity), equivalents);
            Ok((wall, steps, energy, effort.map(|effort| (effort, seconds))))
        })();
        match outcome {
            Ok((wall, steps, energy, effort)) => {
                if !seen.is_new(&(wall, row.text(start), row.text(kind))) {
                    importer.skip(SkipReason::Repeated);
                    continue;
                }
                let day = days.entry(wall.date()).or_default();
                day.steps += steps;
                day.energy += energy;
                if let Some((effort, seconds)) = effort {
                    *day.seconds.entry(effort).or_default() += seconds;
                }
            }
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
        }
    }
    for (day, movement) in days {
        for (name, metric, value) in [
            ("steps", MetricType::Steps, movement.steps),
            ("active-energy", MetricType::ActiveCalories, movement.energy),
        ] {
            let provenance = Provenance::of_day(SOURCE, format!("{name}-{day}"), day, zone);
            daily(importer, user, provenance, metric, value, metric.unit())?;
        }
        if movement.steps == 0.0 && movement.energy == 0.0 {
            continue;
        }
        // A worn day that has minutes of one kind has none, which is a number, of the others.
        let efforts = if movement.seconds.is_empty() {
            &[]
        } else {
            EFFORTS
        };
        for (name, metric) in efforts {
            let seconds = movement.seconds.get(metric).copied().unwrap_or(0.0);
            let provenance = Provenance::of_day(SOURCE, format!("{name}-{day}"), day, zone);
            daily(importer, user, provenance, *metric, seconds, Unit::Seconds)?;
        }
    }
    Ok(())
}

/// The movement of a day.
#[derive(Default)]
struct Movement {
    steps: f64,
    energy: f64,
    /// Active time by its metric type.
    seconds: BTreeMap<MetricType, f64>,
}

/// Minutes of a day, by how hard they were.
const EFFORTS: &[(&str, MetricType)] = &[
    ("sedentary-minutes", MetricType::SedentaryMinutes),
    ("light-minutes", MetricType::LightActivityMinutes),
    ("moderate-minutes", MetricType::ModerateActivityMinutes),
    ("vigorous-minutes", MetricType::VigorousActivityMinutes),
];
/// Metabolic equivalents from which on an activity is moderate.
const MODERATE: f64 = 3.0;

/// What the active time of a row counts as; `None` if the row does not say how hard it was.
fn effort(intensity: &str, equivalents: Option<f64>) -> Option<MetricType> {
    match intensity {
        "SEDENTARY" => Some(MetricType::SedentaryMinutes),
        "ACTIVE" if equivalents.is_some_and(|met| met >= MODERATE) => {
            Some(MetricType::ModerateActivityMinutes)
        }
        "ACTIVE" => Some(MetricType::LightActivityMinutes),
        "HIGHLY_ACTIVE" => Some(MetricType::VigorousActivityMinutes),
        _ => None,
    }
}

/// A reading that was aggregated from many rows.
fn daily(
    importer: &mut Importer<'_>,
    user: &UserId,
    provenance: Provenance,
    metric: MetricType,
    value: f64,
    unit: Unit,
) -> Result<(), ImportError> {
    match metric.to_canonical(value, unit) {
        Ok(value) => importer.record(
            user,
            Record::HealthMetric(HealthMetric::new(provenance, metric, value)),
        ),
        Err(error) => {
            importer.note(format!(
                "person {user}, {}: {error}; left out",
                provenance.day
            ));
            Ok(())
        }
    }
}

fn nights(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
    zone: Zone,
) -> Result<(), ImportError> {
    let date = table.required(&["calendar_date"])?;
    let asleep = table.required(&["duration_in_sec"])?;
    let start = table.required(&["start_date_ts"])?;
    let offset = table.column(&["start_time_offset_s"]);
    let awake = table.column(&["awake_s"]);
    let parts = [
        (
            "deep_sleep_s",
            MetricType::DeepSleepDuration,
            table.column(&["deep_sleep_s"]),
        ),
        (
            "rem_sleep_s",
            MetricType::RemSleepDuration,
            table.column(&["rem_sleep_s"]),
        ),
    ];
    let mut seen = Repeats::default();
    let mut ordinals: HashMap<NaiveDateTime, u32> = HashMap::new();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let day = match british(row.text(Some(date))) {
                Some(Stamp::Day(day)) => day,
                Some(Stamp::Wall(wall)) => wall.date(),
                Some(Stamp::Instant(..)) | None => return Err(bad_time("calendar_date")),
            };
            importer.check_day(day)?;
            let Some(Stamp::Wall(begun)) = british(row.text(Some(start))) else {
                return Err(bad_time("start_date_ts"));
            };
            let asleep = row
                .number(Some(asleep), "duration_in_sec")?
                .ok_or_else(|| (RejectReason::Empty, "duration_in_sec is empty".to_owned()))?;
            if !(0.0..=86_400.0).contains(&asleep) {
                return Err((
                    RejectReason::OutOfRange,
                    "duration_in_sec must lie between 0 and a day".to_owned(),
                ));
            }
            let told_awake = row.number(awake, "awake_s")?;
            let awake = told_awake.unwrap_or(0.0).clamp(0.0, 86_400.0);
            let offset = row.number(offset, "start_time_offset_s")?;
            let mut values = vec![("duration", MetricType::SleepDuration, asleep)];
            for (name, metric, column) in parts {
                if let Some(seconds) = row.number(column, name)? {
                    values.push((name, metric, seconds));
                }
            }
            if told_awake.is_some() {
                values.push(("awake", MetricType::AwakeDuration, awake));
            }
            if asleep > 0.0 {
                let local =
                    offset.unwrap_or_else(|| f64::from(zone.offset_seconds(begun.and_utc())));
                let midnight = day.and_time(NaiveTime::MIN);
                let bedtime = (begun - midnight).num_seconds() as f64 + local;
                let in_bed = asleep + awake;
                values.push(("time-in-bed", MetricType::TimeInBed, in_bed));
                values.push(("bedtime", MetricType::Bedtime, bedtime));
                values.push(("wake-time", MetricType::WakeTime, bedtime + in_bed));
            }
            let told = Told {
                // A night belongs to its day of waking, which the watch says.
                day: Some(day),
                ..Told::at(Moment::Instant {
                    at: begun.and_utc() + TimeDelta::seconds((asleep + awake) as i64),
                    offset_seconds: offset.map(|offset| offset as i32),
                })
            };
            told.validate().map_err(|error| fault(&error))?;
            Ok((begun, told, values))
        })();
        let (begun, told, values) = match outcome {
            Ok(read) => read,
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
                continue;
            }
        };
        if !seen.is_new(&row) {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        // Two different rows of one beginning are both kept; the longer one counts as the night.
        let ordinal = ordinals.entry(begun).or_default();
        *ordinal += 1;
        for (name, metric, seconds) in values {
            // Time awake and in bed would be added up; a night has its times once.
            if *ordinal > 1 && !metric.is_of_the_contract() {
                continue;
            }
            let id = format!("{name}-{begun}-{ordinal}");
            let provenance = Provenance::told(SOURCE, id, told);
            match metric.to_canonical(seconds, Unit::Seconds) {
                Ok(value) => importer.record(
                    user,
                    Record::HealthMetric(HealthMetric::new(provenance, metric, value)),
                )?,
                Err(error) => {
                    let reject = row.reject(fault(&error));
                    importer.reject(reject)?;
                }
            }
        }
    }
    Ok(())
}
