//! Apple Health: `export.xml` of the Health app.
//!
//! One file, often of more than a gigabyte: a document type, `HealthData`, and in it `ExportDate`, `Me`,
//! and in any order `Record`, `Correlation`, `Workout` and `ActivitySummary`. It is read twice: once for the
//! few entries that say where the person was ([`look`]), then element by element. Nothing of it is kept
//! but values of days, sleep stages and meals.
//!
//! Times look like `2024-01-01 01:01:36 +0200`. The offset is that of the phone at the time of export,
//! for all records of all years. The instant is right; the clock is not. Sleep and workouts name the
//! person's zone (`HKTimeZone`): it places that record, and the zones of all of them give a new person's
//! profile its zones, which place the others. The written offset counts only if no zone is known: a zone that is merely assumed
//! must have it at the time of the export.
//!
//! - Units are written beside each value and differ between phones. A `%` may be a fraction.
//! - Phone, watch and apps write the same steps: each is a source of its own. `Anna’s Apple Watch` and
//!   other names of watches are `Apple Watch`; of two on one day the larger amount counts.
//! - Records of a `Correlation` stand again outside of it: food and blood pressure count once.
//! - The resting heart rate of a day is revised during the day: the last one counts.

mod days;
mod elements;
mod kinds;
mod look;
mod meals;
mod records;
mod sources;
mod workouts;

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading};
use crate::report::{Reject, RejectReason};
use crate::sample::Confidence;
use elements::{Elements, Next};
use look::Look;
use records::Export;
use std::path::{Path, PathBuf};

/// Elements between two progress reports.
const PROGRESS_ELEMENTS: u64 = 4_000;

/// `export.xml` of Apple Health.
pub(crate) static READER: FormatReader = FormatReader {
    word: "apple-health",
    title: "Apple Health",
    export: "Health app on the iPhone: picture of the profile, *Export All Health Data*. The zip file \
             with `export.xml` is read as it is.",
    gives: &[
        Gives {
            what: "`RESTING_HEART_RATE`",
            from: "`RestingHeartRate`",
            unit: "`count/min`",
            note: "the watch revises it during the day: the last value of the day counts",
        },
        Gives {
            what: "`HEART_RATE_VARIABILITY_SDNN`, `HEART_RATE_VARIABILITY_RMSSD`",
            from: "`HeartRateVariabilitySDNN`, `HeartRateVariabilityRMSSD`",
            unit: "`ms`",
            note: "samples; RMSSD since iOS 27",
        },
        Gives {
            what: "`STEPS`, `ACTIVE_CALORIES`, `EXERCISE_MINUTES`, `STANDING_HOURS`",
            from: "`StepCount`, `ActiveEnergyBurned`, `AppleExerciseTime`, `AppleStandHour`; \
                   `ActivitySummary` for days without samples",
            unit: "`count`; `kcal`, `Cal` or `kJ`; `min`; hours",
            note: "totals of a local day by source; phone and watch are not added up",
        },
        Gives {
            what: "`TOTAL_CALORIES`",
            from: "`BasalEnergyBurned` and `ActiveEnergyBurned`",
            unit: "`kcal`, `Cal` or `kJ`",
            note: "on days on which one source has both",
        },
        Gives {
            what: "`AVERAGE_HEART_RATE`, `LOWEST_HEART_RATE`",
            from: "`HeartRate`",
            unit: "`count/min` or `count/s`",
            note: "mean of the day, and lowest mean of half an hour",
        },
        Gives {
            what: "`RESPIRATORY_RATE`, `OXYGEN_SATURATION`, `BLOOD_GLUCOSE`",
            from: "`RespiratoryRate`, `OxygenSaturation`, `BloodGlucose`",
            unit: "`count/min`; `%`, from 0 to 1 or to 100; `mg/dL` or `mmol/L`",
            note: "mean of the samples of a local day",
        },
        Gives {
            what: "`VO2_MAX`, `BODY_FAT_PERCENTAGE`, `BLOOD_PRESSURE_SYSTOLIC`, \
                   `BLOOD_PRESSURE_DIASTOLIC`, `SKIN_TEMPERATURE`",
            from: "`VO2Max`, `BodyFatPercentage`, `BloodPressureSystolic`, \
                   `BloodPressureDiastolic`, `AppleSleepingWristTemperature`",
            unit: "`mL/min·kg`; `%`; `mmHg`; `degC` or `degF`",
            note: "the wrist temperature of a night belongs to the day of waking",
        },
        Gives {
            what: "`SLEEP_DURATION`, `DEEP_SLEEP_DURATION`, `REM_SLEEP_DURATION`, `AWAKE_DURATION`, \
                   `TIME_IN_BED`, `BEDTIME`, `WAKE_TIME`",
            from: "`SleepAnalysis`",
            unit: "stages with start and end",
            note: "by source; stages that overlap count once; time in bed alone is no night",
        },
        Gives {
            what: "activities",
            from: "`Workout`, `WorkoutStatistics`",
            unit: "`min`, `km` or `mi`, `kcal` or `kJ`",
            note: "active energy; parts of a workout of several sports are not activities of their own",
        },
        Gives {
            what: "meals",
            from: "`DietaryEnergyConsumed`, `DietaryProtein`, `DietaryCarbohydrates`, `DietaryFatTotal`, \
                   `DietaryFiber`, `DietarySugar`",
            unit: "`kcal` or `kJ`, `g`",
            note: "foods of one source and time are one meal; the name is `HKFoodType`",
        },
        Gives {
            what: "profile of a new person",
            from: "`HKTimeZone`, `BodyMass`, `Height`, `HKMenstrualCycleStart`",
            unit: "IANA zones; `kg` or `lb`; `cm`, `m`, `ft`, `in`",
            note: "zones of at least two days; latest weight and height",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_xml("HealthData")),
    read: Reading::Together(read_all),
};

/// Reads exports in the order in which they were made: what the newer one says of a day counts.
fn read_all(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let mut files = files.to_vec();
    files.sort_by_cached_key(|file| elements::made_at(file));
    importer.each(&files, read)
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let look = Look::at(path)?;
    let mut elements = Elements::open(path)?;
    let user = importer.owner_like(path, |profile| look.describe(profile))?;
    let mut export = Export::new(importer, path, user, &look);
    let mut count: u64 = 0;
    loop {
        count += 1;
        if count.is_multiple_of(PROGRESS_ELEMENTS) {
            export.importer.progress(path, elements.position())?;
        }
        let (next, depth) = elements.next();
        match next {
            Next::Start(element) => export.begin(&element, depth, false)?,
            Next::Empty(element) => export.begin(&element, depth, true)?,
            Next::End(kind) => export.end(kind)?,
            Next::Other => {}
            Next::NotUtf8 => {
                export.importer.report.rows_read += 1;
                let line = export.importer.report.rows_read;
                export.importer.reject(Reject {
                    file: path.to_owned(),
                    line,
                    reason: RejectReason::NotUtf8,
                    message: "the element is not UTF-8 text".to_owned(),
                })?;
            }
            Next::Damaged(what) => export.damaged(what)?,
            Next::EndOfFile => break,
            Next::Damage(what) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let note = format!("{name}: {what}; what comes before it is read, the rest is not");
                export.importer.note(note);
                break;
            }
        }
        if export.is_full() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let note = format!(
                "{name}: more sleep stages, foods and days than a life has; the rest is not read"
            );
            export.importer.note(note);
            break;
        }
    }
    export.finish()?;
    importer.progress(path, elements.position())
}
