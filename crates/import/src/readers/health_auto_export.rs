//! Health Auto Export, an app for iOS that writes data of Apple Health as JSON or CSV.
//!
//! - JSON: `{"data": {"metrics": [{"name", "units", "data": [{"date", "qty", "source"}]}], "workouts": []}}`.
//!   The units under one name differ between phones, so they are read each time. Dates are on the
//!   phone's clock with its offset, `2026-05-29 00:08:57 +0200` or `12:08:57 AM +0200`: the day is the one that
//!   is written. Points of one file may come again in another, revised.
//! - `source` has several names with `|` between them where the app has put devices together. Amounts
//!   of devices that it has not put together are not added up.
//! - Sleep has three shapes: stages, and two kinds of nights that are added up. In the newer one, `asleep` is
//!   only sleep without a stage.
//! - CSV: a row a day or hour, `Date/Time` or `Date`, then names with units in brackets and parts in square
//!   ones: `Sleep Analysis [Deep] (hr)`. Times have no zone: they are those of the person's clock.
//! - Values at midnight only are values of days.

mod body;
mod collected;
mod csv;
mod points;

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading};
use crate::healthkit::{Amount, Nutrient, Type};
use crate::readings::Place;
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Content, Sample, file_name, look};
use body::Item;
use collected::Collected;
use points::Fields;
use std::path::{Path, PathBuf};
use vitalcast_domain::MetricType;

/// Items between two progress reports.
const PROGRESS_ITEMS: u64 = 4_000;

/// JSON and CSV of Health Auto Export.
pub(crate) static READER: FormatReader = FormatReader {
    word: "health-auto-export",
    title: "Health Auto Export",
    export: "The app Health Auto Export: a manual export or the files of an automation, as JSON or CSV. Files \
             of one automation complete each other: import them together.",
    gives: &[
        Gives {
            what: "`RESTING_HEART_RATE`",
            from: "`resting_heart_rate`; `Resting Heart Rate`",
            unit: "`count/min` or `bpm`",
            note: "the last one of the written day",
        },
        Gives {
            what: "`HEART_RATE_VARIABILITY_SDNN`",
            from: "`heart_rate_variability`; `Heart Rate Variability`",
            unit: "`ms`",
            note: "samples, or the value of a day",
        },
        Gives {
            what: "`STEPS`, `ACTIVE_CALORIES`, `EXERCISE_MINUTES`, `STANDING_HOURS`",
            from: "`step_count`, `active_energy`, `apple_exercise_time`, `apple_stand_hour`",
            unit: "`count` or `steps`; `kcal` or `kJ`; `min`; `count`",
            note: "totals of the written day; devices are added up only where the app has put them together",
        },
        Gives {
            what: "`TOTAL_CALORIES`",
            from: "`basal_energy_burned` and `active_energy`",
            unit: "`kcal` or `kJ`",
            note: "on days on which one source has both",
        },
        Gives {
            what: "`AVERAGE_HEART_RATE`, `LOWEST_HEART_RATE`",
            from: "`heart_rate`: `Avg`; `Heart Rate [Avg]`",
            unit: "`count/min` or `bpm`",
            note: "the lowest mean of half an hour only if points are that close",
        },
        Gives {
            what: "`RESPIRATORY_RATE`, `OXYGEN_SATURATION`, `BLOOD_GLUCOSE`",
            from: "`respiratory_rate`, `blood_oxygen_saturation`, `blood_glucose`",
            unit: "`count/min`; `%`; `mg/dL` or `mmol/L`",
            note: "mean of the written day",
        },
        Gives {
            what: "`VO2_MAX`, `BODY_FAT_PERCENTAGE`, `BLOOD_PRESSURE_SYSTOLIC`, \
                   `BLOOD_PRESSURE_DIASTOLIC`, `SKIN_TEMPERATURE`",
            from: "`vo2_max`, `body_fat_percentage`, `blood_pressure`, `apple_sleeping_wrist_temperature`",
            unit: "`ml/(kg·min)`; `%`; `mmHg`; `degC` or `degF`",
            note: "a temperature of an evening belongs to the day of waking",
        },
        Gives {
            what: "`SLEEP_DURATION`, `DEEP_SLEEP_DURATION`, `REM_SLEEP_DURATION`, `AWAKE_DURATION`, \
                   `TIME_IN_BED`, `BEDTIME`, `WAKE_TIME`",
            from: "`sleep_analysis`, all three shapes; `Sleep Analysis [Total]` and its other parts",
            unit: "`hr` or `min`",
            note: "the day is that of `sleepEnd`; in CSV, nights have no times",
        },
        Gives {
            what: "activities",
            from: "`workouts`",
            unit: "`kcal` or `kJ`; `km` or `mi`; `s`",
            note: "JSON only",
        },
        Gives {
            what: "meals",
            from: "`dietary_energy`, `protein`, `carbohydrates`, `total_fat`, `fiber`, `dietary_sugar`",
            unit: "`kcal` or `kJ`, `g`",
            note: "nutrients of one source and time are one meal; those of a day have no time",
        },
        Gives {
            what: "profile of a new person",
            from: "`weight_body_mass`, `height`",
            unit: "`kg` or `lb`; `cm`, `m`, `ft`, `in`",
            note: "the latest",
        },
    ],
    recognises: |sample| match &sample.content {
        Content::Json(keys) => {
            // Names and units may stand after thousands of points.
            let has_metrics = keys.has_at(2, "metrics")
                && ["name", "units", "data"]
                    .iter()
                    .any(|key| keys.has_at(4, key));
            let has_workouts = keys.has_at(2, "workouts") && keys.has_all(&["start", "end"]);
            if !keys.has_at(1, "data") {
                Confidence::No
            } else if has_metrics {
                Confidence::Certain
            } else {
                Confidence::likely_if(has_workouts)
            }
        }
        Content::Table(columns) => csv::recognises(columns),
        Content::Xml(_) | Content::Sqlite(_) | Content::Fit => Confidence::No,
    },
    read: Reading::Together(read),
};

/// What a metric is, by the letters of its name.
fn kind_of(letters: &str) -> Type {
    use MetricType as M;
    match letters {
        "restingheartrate" => Type::Latest(M::RestingHeartRate),
        "heartratevariability" | "heartratevariabilitysdnn" => {
            Type::Sample(M::HeartRateVariabilitySdnn)
        }
        "heartratevariabilityrmssd" => Type::Sample(M::HeartRateVariabilityRmssd),
        "stepcount" => Type::Amount(Amount::Of(M::Steps)),
        "activeenergy" => Type::Amount(Amount::Of(M::ActiveCalories)),
        "basalenergyburned" | "restingenergy" => Type::Amount(Amount::Basal),
        "appleexercisetime" => Type::Amount(Amount::Of(M::ExerciseMinutes)),
        "applestandhour" => Type::Stand,
        "heartrate" => Type::HeartRate,
        "respiratoryrate" => Type::Mean(M::RespiratoryRate),
        "bloodoxygensaturation" => Type::Mean(M::OxygenSaturation),
        "bloodglucose" => Type::Mean(M::BloodGlucose),
        "vo2max" => Type::Sample(M::Vo2Max),
        "bodyfatpercentage" => Type::Sample(M::BodyFatPercentage),
        "bloodpressure" => Type::Sample(M::BloodPressureSystolic),
        "applesleepingwristtemperature" => Type::Night(M::SkinTemperature),
        "sleepanalysis" => Type::Sleep,
        "dietaryenergy" => Type::Food(Nutrient::Energy),
        "protein" => Type::Food(Nutrient::Protein),
        "carbohydrates" => Type::Food(Nutrient::Carbohydrate),
        "totalfat" => Type::Food(Nutrient::Fat),
        "fiber" => Type::Food(Nutrient::Fibre),
        "dietarysugar" => Type::Food(Nutrient::Sugar),
        "weightbodymass" | "bodymass" | "weight" | "height" => Type::OfThePerson,
        _ => Type::Unused,
    }
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let mut collected = Collected::default();
    // Names have dates: of two values for one time, that of the later file counts.
    let mut files = files.to_vec();
    files.sort();
    for path in &files {
        let before = importer.counts();
        importer.attempt(|importer| read_file(importer, path, &mut collected))?;
        // Records are made of all files together, at the end.
        if importer.counts().0 == before.0 {
            importer.tell_of_nothing(path, before);
        }
    }
    let user = importer.owner_like(first, |profile| collected.describe(profile))?;
    let place = Place {
        file: first,
        line: importer.report.rows_read,
    };
    collected.finish(importer, &user, place)
}

fn read_file(
    importer: &mut Importer<'_>,
    path: &Path,
    collected: &mut Collected,
) -> Result<(), ImportError> {
    if !starts_as_json(path)? {
        return csv::read(importer, path, collected);
    }
    let mut stopped = None;
    let mut current = Type::Unused;
    let mut count: u64 = 0;
    let outcome = body::read(path, &mut |item, position| {
        count += 1;
        let told = if count.is_multiple_of(PROGRESS_ITEMS) {
            importer.progress(path, position)
        } else {
            Ok(())
        };
        let taken = told.and_then(|()| take(importer, path, collected, item, &mut current));
        taken.map_err(|error| stopped = Some(error))
    });
    if let Some(error) = stopped {
        return Err(error);
    }
    let outcome = outcome.map_err(|source| ImportError::Read {
        path: path.to_owned(),
        source,
    })?;
    if let Err(what) = outcome {
        collected.end(current);
        let name = file_name(path);
        importer.note(format!(
            "{name}: {what}; what comes before it is read, the rest is not"
        ));
    }
    let is_own = |sample: &Sample<'_>| match &sample.content {
        Content::Json(keys) => keys.has_at(1, "data").then_some(()),
        Content::Table(_) | Content::Xml(_) | Content::Sqlite(_) | Content::Fit => None,
    };
    if count == 0 && look(path, &is_own)?.is_err() {
        return Err(ImportError::Unrecognised {
            path: path.to_owned(),
            what: "JSON without \"data\", which Health Auto Export writes".to_owned(),
        });
    }
    let size = std::fs::metadata(path).map_or(0, |data| data.len());
    importer.progress(path, size)
}

fn take(
    importer: &mut Importer<'_>,
    path: &Path,
    collected: &mut Collected,
    item: Item<'_>,
    current: &mut Type,
) -> Result<(), ImportError> {
    let no_object = || {
        let message = "an element of the list is not an object".to_owned();
        Err((RejectReason::NotJson, message))
    };
    if !matches!(item, Item::End) {
        importer.report.rows_read += 1;
    }
    let outcome = match item {
        Item::End => {
            collected.end(*current);
            *current = Type::Unused;
            Ok(())
        }
        Item::Point(metric, Some(fields)) => {
            *current = kind_of(&crate::words::letters(&metric.name));
            if collected.is_full() {
                importer.skip(SkipReason::NotRead);
                importer.note("more points than can be kept: some are not read".to_owned());
                return Ok(());
            }
            points::point(
                &Fields(&fields),
                &metric.name,
                &metric.units,
                collected,
                importer,
            )
        }
        Item::Workout(Some(fields)) => points::workout(&Fields(&fields), collected),
        Item::Point(_, None) | Item::Workout(None) => no_object(),
        Item::Other => {
            importer.skip(SkipReason::NotRead);
            Ok(())
        }
    };
    match outcome {
        Ok(()) => Ok(()),
        Err(fault) => {
            let place = Place {
                file: path,
                line: importer.report.rows_read,
            };
            importer.reject(place.reject(fault))
        }
    }
}

/// Whether a file is JSON.
fn starts_as_json(path: &Path) -> Result<bool, ImportError> {
    let mut text = crate::text::Text::open(path)?;
    Ok(crate::json::is_json(text.chunk()?))
}
