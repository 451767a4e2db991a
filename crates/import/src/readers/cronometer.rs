//! Cronometer's CSV export: `servings.csv` (a food per row), `dailysummary.csv` (a day per row, also
//! "Daily Nutrition"), `exercises.csv` and `biometrics.csv` (a measurement per row).
//!
//! Foods of one meal (`Day`, `Group` and, in paid accounts, `Time`) are added up. Days that have foods are
//! not read from the summary again. An empty cell is an unknown nutrient, not 0; which nutrients there are
//! differs from account to account. The unit of energy is in the name of its column. Dates are ISO, times
//! are those of the person's clock, with `AM` and `PM`.

use crate::batch::Importer;
use crate::dates;
use crate::diary::{Meals, Nutrients, Sitting, meal};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::readings::{Place, Reading, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{DateOrder, Stamp, iso};
use crate::words::letters;
use crate::workouts::bare_workout;
use chrono::{NaiveDate, NaiveTime};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use vitalcast_domain::{
    ActivityType, MetricType, Moment, Provenance, Record, SUM_OF_DAY, Told, Unit, UserId,
};

const SOURCE: &str = "cronometer";
/// Weights that a profile accepts, kg.
const WEIGHTS: std::ops::RangeInclusive<f64> = 2.0..=700.0;

/// The export of Cronometer.
pub(crate) static READER: FormatReader = FormatReader {
    word: "cronometer",
    title: "Cronometer",
    export: "On the site: Account, Export Data. Take servings, daily nutrition, exercises and biometrics (CSV \
             files).",
    gives: &[
        Gives {
            what: "meals",
            from: "`servings.csv`: `Day`, `Time`, `Group`, nutrients",
            unit: "kcal or kJ as in the header, g",
            note: "foods are added up by meal; a time only in paid accounts",
        },
        Gives {
            what: "meals",
            from: "`dailysummary.csv`",
            unit: "kcal or kJ as in the header, g",
            note: "one meal a day without a time, for days that have no foods in the same import",
        },
        Gives {
            what: "activities",
            from: "`exercises.csv`: `Exercise`, `Minutes`, `Calories Burned`",
            unit: "min, kcal",
            note: "rows without minutes are left out",
        },
        Gives {
            what: "RESTING_HEART_RATE, HEART_RATE_VARIABILITY_RMSSD, HEART_RATE_VARIABILITY_SDNN, \
                   SLEEP_DURATION, BODY_FAT_PERCENTAGE, BLOOD_GLUCOSE, blood pressure and others",
            from: "`biometrics.csv`: `Metric`, `Unit`, `Amount`",
            unit: "column `Unit`",
            note: "HRV only if the device in brackets says of which kind it is; the last weight goes into a \
                   new profile",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(|columns| kind(columns).is_some())),
    read: Read::Together(read),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Servings,
    Summary,
    Exercises,
    Biometrics,
}

/// Kinds in the order in which they are read: foods before days.
const KINDS: [Kind; 4] = [
    Kind::Servings,
    Kind::Summary,
    Kind::Exercises,
    Kind::Biometrics,
];

impl Kind {
    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Servings => &["Day", "Food Name", "Amount"],
            Self::Summary => &["Date", "Completed"],
            Self::Exercises => &["Day", "Exercise", "Minutes", "Calories Burned"],
            Self::Biometrics => &["Day", "Metric", "Unit", "Amount"],
        }
    }
}

fn kind(columns: &Columns<'_>) -> Option<Kind> {
    // Which nutrients there are differs from account to account.
    let has_energy = ["Energy (kcal)", "Energy (kJ)", "Protein (g)", "Carbs (g)"]
        .iter()
        .any(|name| columns.has(name));
    KINDS
        .into_iter()
        .find(|kind| columns.has_all(kind.columns()) && (*kind != Kind::Summary || has_energy))
}

fn kind_of(path: &Path) -> Option<Kind> {
    let table = Table::open(path, &READER).ok()?;
    let names: Vec<&str> = table.names().iter().map(String::as_str).collect();
    kind(&Columns(&names))
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    // The first file's kind is what an error of opening it is told with.
    let kinds: Vec<Kind> = files
        .iter()
        .map(|file| kind_of(file).unwrap_or(Kind::Servings))
        .collect();
    let of = |wanted: Kind| -> Vec<PathBuf> {
        let files = files.iter().zip(&kinds);
        files
            .filter(|(_, kind)| **kind == wanted)
            .map(|(file, _)| file.clone())
            .collect()
    };
    let weight = of(Kind::Biometrics)
        .iter()
        .rev()
        .find_map(|file| weight(file));
    let days = RefCell::new(BTreeSet::new());
    for kind in KINDS {
        importer.each(&of(kind), |importer, path| {
            let user = importer.owner_like(path, |profile| profile.weight_kg = weight)?;
            let table = Table::open(path, &READER)?;
            match kind {
                Kind::Servings => days
                    .borrow_mut()
                    .extend(servings(importer, table, path, &user)?),
                Kind::Summary => summary(importer, table, &user, &days.borrow())?,
                Kind::Exercises => exercises(importer, table, &user)?,
                Kind::Biometrics => biometrics(importer, table, &user)?,
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn day_of(row: &Row<'_>, column: usize) -> Result<NaiveDate, Fault> {
    dates::day(row.text(Some(column)), DateOrder::Unknown, "the day")
}

/// The time of a row, if there is one.
fn time_of(
    row: &Row<'_>,
    day: NaiveDate,
    column: Option<usize>,
) -> Result<Option<NaiveTime>, Fault> {
    let text = row.text(column);
    if text.is_empty() {
        return Ok(None);
    }
    match iso(&format!("{day} {text}")) {
        Some(Stamp::Wall(wall)) if wall.date() == day => Ok(Some(wall.time())),
        Some(Stamp::Wall(_) | Stamp::Instant(..) | Stamp::Day(_)) | None => Err((
            RejectReason::BadTime,
            "Time is not a time of day, expected for example 9:00 AM".to_owned(),
        )),
    }
}

/// Meals from foods; the days that have any.
fn servings(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    path: &Path,
    user: &UserId,
) -> Result<BTreeSet<NaiveDate>, ImportError> {
    let date = table.required(&["Day"])?;
    let (time, group) = (table.column(&["Time"]), table.column(&["Group"]));
    let nutrients = Nutrients::of(&table);
    let mut meals = Meals::default();
    let mut days = BTreeSet::new();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let day = day_of(&row, date)?;
            Ok((day, time_of(&row, day, time)?, nutrients.read(&row)?))
        })();
        match outcome {
            Ok((day, time, eaten)) => {
                let name = row.text(group).to_owned();
                if !eaten.is_nothing() {
                    days.insert(day);
                }
                meals.add(Sitting { day, time, name }, &eaten, row.line());
            }
            Err(fault) => importer.reject(row.reject(fault))?,
        }
    }
    let place = Place {
        file: path,
        line: 0,
    };
    meals.finish(importer, user, SOURCE, place)?;
    Ok(days)
}

fn summary(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
    with_foods: &BTreeSet<NaiveDate>,
) -> Result<(), ImportError> {
    let date = table.required(&["Date"])?;
    let completed = table.column(&["Completed"]);
    let nutrients = Nutrients::of(&table);
    let mut unfinished = 0_u64;
    while let Some(row) = table.next(importer)? {
        let read = day_of(&row, date).and_then(|day| Ok((day, nutrients.read(&row)?)));
        let (day, eaten) = match read {
            Ok(read) => read,
            Err(fault) => {
                importer.reject(row.reject(fault))?;
                continue;
            }
        };
        if with_foods.contains(&day) {
            importer.skip(SkipReason::Repeated);
        } else if eaten.is_nothing() {
            importer.skip(SkipReason::NothingEaten);
        } else {
            unfinished += u64::from(row.text(completed).eq_ignore_ascii_case("false"));
            let told = Told::at(Moment::Date(day));
            let provenance =
                Provenance::told(format!("{SOURCE}{SUM_OF_DAY}"), format!("day-{day}"), told);
            importer.checked(
                user,
                row.place(),
                Record::Meal(meal(provenance, None, &eaten)),
            )?;
        }
    }
    if unfinished > 0 {
        importer.note(format!(
            "days of the diary that are not marked as completed, and may lack meals: {unfinished}"
        ));
    }
    Ok(())
}

fn exercises(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
) -> Result<(), ImportError> {
    let date = table.required(&["Day"])?;
    let time = table.column(&["Time"]);
    let name = table.required(&["Exercise"])?;
    let minutes = table.required(&["Minutes"])?;
    let energy = table.column(&["Calories Burned"]);
    // The same exercise of a day twice is told apart by a number.
    let mut ordinals: HashMap<String, u32> = HashMap::new();
    while let Some(row) = table.next(importer)? {
        let outcome = (|| {
            let day = day_of(&row, date)?;
            let minutes = row.number(Some(minutes), "Minutes")?;
            // What was burned is below 0 in some exports: it is the other side of what was eaten.
            let energy = row.number(energy, "Calories Burned")?.map(f64::abs);
            Ok((day, time_of(&row, day, time)?, minutes, energy))
        })();
        let (day, time, minutes, energy) = match outcome {
            Ok(read) => read,
            Err(fault) => {
                importer.reject(row.reject(fault))?;
                continue;
            }
        };
        let Some(minutes) = minutes.filter(|minutes| *minutes > 0.0) else {
            importer.skip(SkipReason::Missing);
            continue;
        };
        let name = row.text(Some(name));
        let at = time.map_or(Moment::Date(day), |time| Moment::Clock(day.and_time(time)));
        let id = shortened(&format!("exercise-{}-{}", at.id(), letters(name)));
        let ordinal = ordinals.entry(id.clone()).or_default();
        *ordinal += 1;
        let id = if *ordinal > 1 {
            format!("{id}-{ordinal}")
        } else {
            id
        };
        let record = Record::Activity(vitalcast_domain::Activity {
            duration_minutes: Some(minutes),
            energy_kcal: energy,
            ..bare_workout(
                Provenance::told(SOURCE, id, Told::at(at)),
                named_sport(name).unwrap_or(ActivityType::Other),
            )
        });
        importer.checked(user, row.place(), record)?;
    }
    Ok(())
}

/// The sport of an exercise such as `Running, 8 km/h` or `Walking (brisk)`.
fn named_sport(name: &str) -> Option<ActivityType> {
    let first = name.split([',', '(', '-', ':']).next().unwrap_or(name);
    sport(name).or_else(|| sport(first))
}

fn biometrics(
    importer: &mut Importer<'_>,
    mut table: Table<'_>,
    user: &UserId,
) -> Result<(), ImportError> {
    let date = table.required(&["Day"])?;
    let time = table.column(&["Time"]);
    let name = table.required(&["Metric"])?;
    let unit = table.required(&["Unit"])?;
    let amount = table.required(&["Amount"])?;
    while let Some(row) = table.next(importer)? {
        let name = row.text(Some(name));
        let (plain, device) = device_of(name);
        let source =
            device.map_or_else(|| SOURCE.to_owned(), |device| format!("{SOURCE}/{device}"));
        let Some(measured) = measured_by(plain, device) else {
            if letters(plain) == "heartratevariability" || letters(plain) == "hrv" {
                importer.note(
                    "HRV that does not say which kind it is (RMSSD or SDNN) is left out".to_owned(),
                );
            }
            importer.skip(SkipReason::NotRead);
            continue;
        };
        let outcome = (|| {
            let day = day_of(&row, date)?;
            let time = time_of(&row, day, time)?;
            let values = match measured {
                Measured::One(metric) => {
                    let unit = Unit::parse(row.text(Some(unit)))
                        .map_err(|error| crate::batch::fault(&error))?;
                    let value = row.number(Some(amount), "Amount")?;
                    value
                        .map(|value| (metric, value, unit))
                        .into_iter()
                        .collect()
                }
                Measured::Pressure => pressures(row.text(Some(amount)))?,
            };
            Ok((day, time, values))
        })();
        match outcome {
            Err(fault) => importer.reject(row.reject(fault))?,
            Ok((_, _, values)) if values.is_empty() => importer.skip(SkipReason::Missing),
            Ok((day, time, values)) => {
                for (metric, value, unit) in values {
                    let reading = match time {
                        // What is entered for a night has the time of entering it.
                        Some(_) | None if metric.is_of_the_night() => {
                            Reading::of_morning(metric, value, unit, day)
                        }
                        Some(time) => {
                            Reading::at(metric, value, unit, Moment::Clock(day.and_time(time)))
                        }
                        None => Reading::of_day(metric, value, unit, day),
                    };
                    importer.reading(user, &source, row.place(), reading)?;
                }
            }
        }
    }
    Ok(())
}

/// What a row of `biometrics.csv` measures.
#[derive(Debug, Clone, Copy)]
enum Measured {
    One(MetricType),
    /// Systolic over diastolic.
    Pressure,
}

/// The name of a metric, and the device in brackets behind it.
fn device_of(name: &str) -> (&str, Option<&str>) {
    match name.split_once('(') {
        Some((plain, device)) => {
            let device = device.trim().trim_end_matches(')').trim();
            (
                plain.trim(),
                Some(device).filter(|device| !device.is_empty()),
            )
        }
        None => (name, None),
    }
}

fn measured_by(name: &str, device: Option<&str>) -> Option<Measured> {
    use MetricType as M;
    Some(Measured::One(match letters(name).as_str() {
        "bloodpressure" => return Some(Measured::Pressure),
        "heartratevariability" | "hrv" => {
            let device = letters(device?);
            if device.contains("apple") || device.contains("sdnn") {
                M::HeartRateVariabilitySdnn
            } else if ["oura", "whoop", "fitbit", "garmin", "polar", "rmssd"]
                .iter()
                .any(|vendor| device.contains(vendor))
            {
                M::HeartRateVariabilityRmssd
            } else {
                return None;
            }
        }
        "sleep" | "sleepduration" | "timeasleep" => M::SleepDuration,
        "deepsleep" => M::DeepSleepDuration,
        "remsleep" => M::RemSleepDuration,
        _ => return crate::words::metric(name).ok().map(Measured::One),
    }))
}

/// `120/80`.
fn pressures(text: &str) -> Result<Vec<(MetricType, f64, Unit)>, Fault> {
    let Some((high, low)) = text.split_once('/') else {
        return Err((
            RejectReason::BadNumber,
            "Amount is not a blood pressure, expected for example 120/80".to_owned(),
        ));
    };
    let unit = Unit::MillimetresOfMercury;
    let mut values = Vec::new();
    for (metric, text) in [
        (MetricType::BloodPressureSystolic, high),
        (MetricType::BloodPressureDiastolic, low),
    ] {
        let value = crate::numbers::number(text.trim(), "Amount")?;
        values.extend(value.map(|value| (metric, value, unit)));
    }
    Ok(values)
}

/// The last weight of `biometrics.csv`, kg.
fn weight(path: &Path) -> Option<f64> {
    let mut table = Table::open(path, &READER).ok()?;
    let columns = ["Day", "Metric", "Unit", "Amount"].map(|name| table.column(&[name]));
    let mut last: Option<(NaiveDate, f64)> = None;
    while let Ok(Some(row)) = table.peek() {
        let [day, metric, unit, amount] = columns.map(|column| row.text(column));
        if letters(device_of(metric).0) == "weight"
            && let Ok(day) = dates::day(day, DateOrder::Unknown, "")
            && let Ok(Some(value)) = crate::numbers::number(amount, "")
            && let Some(kilograms) = Unit::parse(unit)
                .ok()
                .and_then(|unit| unit.convert(value, Unit::Kilograms))
            && WEIGHTS.contains(&kilograms)
            && last.is_none_or(|last| day >= last.0)
        {
            last = Some((day, kilograms));
        }
    }
    last.map(|(_, weight)| weight)
}
