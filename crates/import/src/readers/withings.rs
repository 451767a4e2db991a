//! Withings' account export, a folder of CSV files.
//!
//! - `sleep.csv`: a row per sleep, naps too, in seconds; time asleep is light, deep and REM together. The first
//!   seven names of columns follow the language of the account. REM or a heart rate of 0 was not measured.
//! - `aggregates_steps.csv`, `aggregates_calories_earned.csv` (active energy), `aggregates_calories_passive.csv`
//!   (energy at rest): a value per local day. The energy of a day is both together.
//! - `weight.csv`: masses in kilograms or pounds as the header says; fat and water become per cent of the
//!   weight. Times are on the person's clock. Its names follow the language too; so do those of the next two.
//! - `bp.csv`: blood pressure. `height.csv`: metres. `manual_spo2.csv`: oxygen saturation.
//! - `raw_….csv`: `start`, and lists in brackets of durations (s) and values: heart rates, and RMSSD where the
//!   watch measures it, whose mean over a day is taken.

mod measured;

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{minutes_between, time};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Files};
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Sample, file_name};
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use crate::translated::place_of;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use measured::{
    Body, HeightColumns, PressureColumns, is_body, measurements, newest_height, newest_weight,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{Moment, Profile, Unit, UserId};

const SOURCE: &str = "withings";
/// Most samples of a row of lists.
const MOST_SAMPLES: usize = 100_000;

/// Withings.
pub(crate) static READER: FormatReader = FormatReader {
    word: "withings",
    title: "Withings",
    export: "In the app or on the account page: Download your data. The zip file comes by mail; give it as it is.",
    gives: &[
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEPING_HEART_RATE, BEDTIME, WAKE_TIME",
            from: "`sleep.csv`",
            unit: "s, bpm",
            note: "naps are sessions of their own",
        },
        Gives {
            what: "STEPS, ACTIVE_CALORIES, TOTAL_CALORIES",
            from: "`aggregates_steps.csv`, `aggregates_calories_earned.csv`, `aggregates_calories_passive.csv`",
            unit: "count, kcal",
            note: "the total is earned and passive energy; without both there is none",
        },
        Gives {
            what: "BODY_FAT_PERCENTAGE, WATER_PERCENTAGE, MUSCLE_MASS, BONE_MASS",
            from: "`weight.csv`",
            unit: "kg or lb",
            note: "fat and water are masses there; the newest weight goes into a new profile",
        },
        Gives {
            what: "BLOOD_PRESSURE_SYSTOLIC, BLOOD_PRESSURE_DIASTOLIC",
            from: "`bp.csv`",
            unit: "mmHg",
            note: "names of columns in any language of the account, here and in `weight.csv`",
        },
        Gives {
            what: "OXYGEN_SATURATION, height of the profile",
            from: "`manual_spo2.csv`, `height.csv`",
            unit: "%, m",
            note: "as typed in; the newest height goes into a new profile",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD",
            from: "`raw_hr_HR RMS SD.csv`",
            unit: "ms",
            note: "the mean of a day's values",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`raw_tracker_hr.csv`, `raw_hr_hr.csv`",
            unit: "bpm",
            note: "there is no resting heart rate and no recovery score; other `raw_….csv` are not read",
        },
    ],
    recognises,
    read: Files::Together(read),
};

/// The tables that are read, and one that is known and not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sleep,
    Steps,
    Earned,
    Passive,
    Body,
    Pressure,
    Saturation,
    Height,
    HeartRates,
    Variability,
    NotRead,
}

fn recognises(sample: &Sample<'_>) -> Confidence {
    Confidence::certain_if(sample.is_table(|columns| kind(sample.path, columns).is_some()))
}

/// Which table it is: by its columns, and where those say too little by its name.
fn kind(path: &Path, columns: &Columns<'_>) -> Option<Kind> {
    let name = file_name(path).to_ascii_lowercase();
    let starts = |start: &str| name.starts_with(start);
    if columns.has("Duration to sleep (s)") {
        Some(Kind::Sleep)
    } else if is_body(columns.0, starts("weight")) {
        Some(Kind::Body)
    } else if starts("height") && HeightColumns::of(columns.0).is_some() {
        Some(Kind::Height)
    } else if columns.has_all(&["date", "value"]) && starts("manual_spo2") {
        Some(Kind::Saturation)
    } else if columns.has_all(&["date", "value"]) && starts("aggregates_") {
        Some(if starts("aggregates_steps") {
            Kind::Steps
        } else if starts("aggregates_calories_earned") {
            Kind::Earned
        } else if starts("aggregates_calories_passive") {
            Kind::Passive
        } else {
            Kind::NotRead
        })
    } else if columns.has_all(&["start", "duration", "value"]) && starts("raw_") {
        Some(if name.contains("rms sd") || name.contains("rmssd") {
            Kind::Variability
        } else if starts("raw_tracker_hr.") || starts("raw_hr_hr.") {
            Kind::HeartRates
        } else {
            Kind::NotRead
        })
    } else if PressureColumns::of(columns.0).is_some() && starts("bp") {
        Some(Kind::Pressure)
    } else {
        None
    }
}

/// What is collected over all files.
#[derive(Default)]
struct Collected {
    earned: BTreeMap<NaiveDate, f64>,
    passive: BTreeMap<NaiveDate, f64>,
    rates: HeartRates,
    /// Sums and numbers of values of the HRV.
    variability: BTreeMap<NaiveDate, (f64, u32)>,
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let newest = |of: fn(&Path) -> Option<(Moment, f64)>| {
        let values = files.iter().filter_map(|file| of(file));
        let newest = values.max_by_key(|value| value.0.written_local_time());
        newest.map(|(_, value)| value)
    };
    let (weight, height) = (newest(newest_weight), newest(newest_height));
    let user = importer.owner_like(first, |profile: &mut Profile| {
        profile.weight_kg = weight;
        profile.height_cm = height;
    })?;
    let collected = RefCell::new(Collected::default());
    importer.each(files, |importer, path| {
        read_file(importer, path, &user, &mut collected.borrow_mut())
    })?;
    let collected = collected.into_inner();
    let place = Place {
        file: first,
        line: 1,
    };
    for (day, earned) in &collected.earned {
        // Who did not move at all did not wear it.
        let total = collected.passive.get(day).filter(|_| *earned > 0.0);
        let total = total.map(|passive| passive + earned);
        importer.day_total(
            &user,
            SOURCE,
            place,
            *day,
            (M::TotalCalories, total, Unit::Kilocalories),
        )?;
    }
    for (day, (sum, count)) in collected.variability {
        let mean = sum / f64::from(count);
        let metric = M::HeartRateVariabilityRmssd;
        let reading = Reading::of_day(metric, mean, Unit::Milliseconds, day);
        importer.reading(&user, SOURCE, place, reading)?;
    }
    collected.rates.finish(importer, &user, SOURCE, place)
}

fn read_file(
    importer: &mut Importer<'_>,
    path: &Path,
    user: &UserId,
    collected: &mut Collected,
) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let names: Vec<&str> = table.names().iter().map(String::as_str).collect();
    let Some(kind) = kind(path, &Columns(&names)) else {
        return Ok(());
    };
    let sleep = Sleep::of(table.names());
    let body = Body::of(table.names());
    let of_day = DayColumns {
        date: table.column(&["date"]),
        value: table.column(&["value"]),
    };
    let raw = RawColumns {
        start: table.column(&["start"]),
        duration: table.column(&["duration"]),
        value: table.column(&["value"]),
    };
    let pressure = PressureColumns::of(table.names());
    let profile = importer.profile_of(user);
    while let Some(row) = table.next(importer)? {
        let outcome = match kind {
            Kind::Sleep => sleep.read(importer, &row, user)?,
            Kind::Steps => match of_day.read(&row) {
                Ok((day, steps)) => {
                    let value = (M::Steps, steps, Unit::Count);
                    importer.day_total(user, SOURCE, row.place(), day, value)?;
                    Ok(())
                }
                Err(fault) => Err(fault),
            },
            Kind::Earned => match of_day.read(&row) {
                Ok((day, energy)) => {
                    let value = (M::ActiveCalories, energy, Unit::Kilocalories);
                    importer.day_total(user, SOURCE, row.place(), day, value)?;
                    keep(&mut collected.earned, day, energy);
                    Ok(())
                }
                Err(fault) => Err(fault),
            },
            Kind::Passive => of_day
                .read(&row)
                .map(|(day, energy)| keep(&mut collected.passive, day, energy)),
            Kind::Body => match &body {
                Some(body) => body.read(importer, &row, user)?,
                None => Ok(()),
            },
            Kind::Pressure => match &pressure {
                Some(pressure) => pressure.read(importer, &row, user)?,
                None => Ok(()),
            },
            Kind::Saturation => {
                let columns = [(M::OxygenSaturation, of_day.value)];
                measurements(importer, &row, user, of_day.date, &columns)?
            }
            // Read in the first look.
            Kind::Height => Ok(()),
            Kind::HeartRates => raw.read(&row, &profile).map(|samples| {
                for (at, rate) in samples {
                    collected.rates.add(at, rate);
                }
            }),
            Kind::Variability => raw.read(&row, &profile).map(|samples| {
                // Times are on the clock of the row, if it says so.
                let own = match iso(row.text(raw.start)) {
                    Some(Stamp::Instant(_, offset)) => offset,
                    Some(Stamp::Wall(_) | Stamp::Day(_)) | None => None,
                };
                for (at, value) in samples.into_iter().filter(|sample| sample.1 > 0.0) {
                    let day = match own {
                        Some(offset) => profile
                            .day_of_local(at.naive_utc() + TimeDelta::seconds(i64::from(offset))),
                        None => profile.day_of(at),
                    };
                    let day = collected.variability.entry(day).or_default();
                    day.0 += value;
                    day.1 += 1;
                }
            }),
            Kind::NotRead => {
                importer.skip(SkipReason::OtherFile);
                Ok(())
            }
        };
        if let Err(fault) = outcome {
            importer.reject(row.place().reject(fault))?;
        }
    }
    Ok(())
}

/// Keeps the largest of the values of a day: exports overlap.
fn keep(days: &mut BTreeMap<NaiveDate, f64>, day: NaiveDate, value: Option<f64>) {
    if let Some(value) = value {
        let kept = days.entry(day).or_insert(value);
        *kept = kept.max(value);
    }
}

struct DayColumns {
    date: Option<usize>,
    value: Option<usize>,
}

impl DayColumns {
    fn read(&self, row: &Row<'_>) -> Result<(NaiveDate, Option<f64>), Fault> {
        let day = match iso(row.text(self.date)) {
            Some(Stamp::Day(day)) => day,
            Some(Stamp::Wall(local)) => local.date(),
            Some(Stamp::Instant(..)) | None => {
                let message = "date is not a day, expected for example 2024-05-01".to_owned();
                return Err((RejectReason::BadTime, message));
            }
        };
        Ok((day, row.number(self.value, "value")?))
    }
}

/// The columns of `sleep.csv`: by their names, or, in another language, by their order.
struct Sleep {
    from: usize,
    to: usize,
    light: usize,
    deep: usize,
    rem: usize,
    awake: usize,
    rate: Option<usize>,
}

impl Sleep {
    fn of(names: &[String]) -> Self {
        let column = |words: &[&str], place: usize| place_of(names, words).unwrap_or(place);
        Self {
            from: column(&["from", "von", "de"], 0),
            to: column(&["to", "bis", "a"], 1),
            light: column(&["lights", "leichts", "ligeros"], 2),
            deep: column(&["deeps", "tiefs", "profundos"], 3),
            rem: column(&["rems"], 4),
            awake: column(&["awakes", "wachs", "despiertos"], 5),
            rate: place_of(names, &["averageheartrate"]),
        }
    }

    fn read(
        &self,
        importer: &mut Importer<'_>,
        row: &Row<'_>,
        user: &UserId,
    ) -> Result<Result<(), Fault>, ImportError> {
        let night = (|| {
            let from = time(row.text(Some(self.from)), "from")?;
            let to = time(row.text(Some(self.to)), "to")?;
            let seconds = |column: usize, name| row.number(Some(column), name);
            let light = seconds(self.light, "light (s)")?;
            let deep = seconds(self.deep, "deep (s)")?;
            let rem = seconds(self.rem, "rem (s)")?.filter(|rem| *rem > 0.0);
            let asleep: f64 = [light, deep, rem].iter().flatten().sum();
            let minutes = |seconds: Option<f64>| seconds.map(|seconds| seconds / 60.0);
            Ok(Night {
                asleep: Some(asleep / 60.0),
                deep: minutes(deep),
                rem: minutes(rem),
                awake: minutes(seconds(self.awake, "awake (s)")?),
                in_bed: minutes_between(from, to),
                heart_rate: row.number(self.rate, "Average heart rate")?,
                ..Night::new(from.id(), from, Some(to))
            })
        })();
        Ok(match night {
            Err(fault) => Err(fault),
            Ok(night) if night.asleep.is_none_or(|asleep| asleep <= 0.0) => {
                importer.skip(SkipReason::Missing);
                Ok(())
            }
            Ok(night) => {
                importer.night(user, SOURCE, row.place(), &night)?;
                Ok(())
            }
        })
    }
}

struct RawColumns {
    start: Option<usize>,
    duration: Option<usize>,
    value: Option<usize>,
}

impl RawColumns {
    /// The samples of a row with their times.
    fn read(&self, row: &Row<'_>, profile: &Profile) -> Result<Vec<(DateTime<Utc>, f64)>, Fault> {
        let start = match time(row.text(self.start), "start")? {
            Moment::Instant { at, .. } => at,
            // Older files may have the time of the person's clock.
            Moment::Clock(local) => profile.instant_of(local),
            Moment::Date(day) => profile.instant_of(day.and_time(NaiveTime::MIN)),
        };
        let durations = list(row.text(self.duration), "duration")?;
        let values = list(row.text(self.value), "value")?;
        let mut samples = Vec::with_capacity(values.len());
        let mut at = start;
        for (place, value) in values.into_iter().enumerate() {
            samples.push((at, value));
            let seconds = durations
                .get(place)
                .copied()
                .unwrap_or(0.0)
                .clamp(0.0, 86_400.0);
            let Some(next) = at.checked_add_signed(TimeDelta::milliseconds((seconds * 1e3) as i64))
            else {
                break;
            };
            at = next;
        }
        Ok(samples)
    }
}

/// A list of numbers in brackets.
fn list(text: &str, name: &str) -> Result<Vec<f64>, Fault> {
    let inner = text.trim_start_matches('[').trim_end_matches(']').trim();
    if inner.is_empty() {
        return Ok(Vec::new());
    }
    let number = |part: &str| {
        let number: f64 = part.trim().parse().ok()?;
        number.is_finite().then_some(number)
    };
    inner
        .split(',')
        .take(MOST_SAMPLES)
        .map(|part| {
            number(part).ok_or_else(|| {
                let message =
                    format!("{name} is not a list of numbers, expected for example [60,60]");
                (RejectReason::BadNumber, message)
            })
        })
        .collect()
}
