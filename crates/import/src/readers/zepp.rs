//! Zepp (Amazfit) and Mi Fit: the account's CSV files.
//!
//! - `SLEEP_….csv`: a row per night, in minutes; time asleep is deep, shallow and REM together. `start` and
//!   `stop` are UTC, `date` is the day of waking. A night of zeros is a placeholder.
//! - `ACTIVITY_….csv`: steps and energy of a day; a day of zeros was not worn.
//! - `HEARTRATE_AUTO_….csv`: heart rates on the person's clock.
//! - `SPORT_….csv`: workouts, `startTime` in UTC, -1 where nothing was measured. Sports are numbers.
//!
//! The tables by the minute say the same in smaller pieces and are not read.

use crate::amounts::HeartRates;
use crate::batch::Importer;
use crate::dates::{local_day, minutes_of};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Files};
use crate::readings::{Night, Place};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, file_name};
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use crate::workouts::Workout;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, Moment, Unit, UserId};

const SOURCE: &str = "zepp";

/// Zepp and Mi Fit.
pub(crate) static READER: FormatReader = FormatReader {
    word: "zepp",
    title: "Zepp (Amazfit) and Mi Fit",
    export: "In the app: Profile, Settings, Account, Exercising user rights, Export data. The zip file has a \
             password; unpack it first.",
    gives: &[
        Gives {
            what: "SLEEP_DURATION and its parts, BEDTIME, WAKE_TIME",
            from: "`SLEEP_….csv`",
            unit: "min",
            note: "times are UTC: set the person's time zone; naps are not read",
        },
        Gives {
            what: "STEPS, ACTIVE_CALORIES",
            from: "`ACTIVITY_….csv`: `steps`, `calories`",
            unit: "count, kcal",
            note: "the energy is taken for that of movement alone; a day of zeros was not worn",
        },
        Gives {
            what: "AVERAGE_HEART_RATE, LOWEST_HEART_RATE",
            from: "`HEARTRATE_AUTO_….csv`",
            unit: "bpm",
            note: "there is no resting heart rate, HRV or readiness in this export",
        },
        Gives {
            what: "activity",
            from: "`SPORT_….csv`",
            unit: "s, m, kcal",
            note: "sports are numbers: the type is OTHER; weights of `BODY_….csv` are not read",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_table(|columns| kind(sample.path, columns).is_some()))
    },
    read: Files::Each(read),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sleep,
    Activity,
    HeartRates,
    Sport,
}

/// Which table it is: by its columns, and where those say too little by its name.
fn kind(path: &Path, columns: &Columns<'_>) -> Option<Kind> {
    if columns.has_all(&["date", "deepSleepTime", "shallowSleepTime", "start", "stop"]) {
        Some(Kind::Sleep)
    } else if columns.has_all(&["date", "steps", "runDistance", "calories"]) {
        Some(Kind::Activity)
    } else if columns.has_all(&["date", "time", "heartRate"])
        && file_name(path).starts_with("HEARTRATE_AUTO")
    {
        Some(Kind::HeartRates)
    } else if columns.has_all(&["startTime", "sportTime(s)"]) {
        Some(Kind::Sport)
    } else {
        None
    }
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let table = Table::open(path, &READER)?;
    let names: Vec<&str> = table.names().iter().map(String::as_str).collect();
    match kind(path, &Columns(&names)) {
        Some(Kind::Sleep) => nights(importer, &user, table),
        Some(Kind::Activity) => activity(importer, &user, table),
        Some(Kind::HeartRates) => heart_rates(importer, &user, path, table),
        Some(Kind::Sport) => sports(importer, &user, table),
        None => Ok(()),
    }
}

fn day(row: &Row<'_>, column: usize) -> Result<NaiveDate, Fault> {
    local_day(row.text(Some(column)), "date")
}

/// A time in UTC: with an offset, or in seconds since 1970.
fn instant(row: &Row<'_>, column: usize, name: &str) -> Result<DateTime<Utc>, Fault> {
    match iso(row.text(Some(column))) {
        Some(Stamp::Instant(at, _)) => Ok(at),
        Some(Stamp::Wall(_) | Stamp::Day(_)) | None => Err((
            RejectReason::BadTime,
            format!("{name} is not a time, expected for example 2024-05-01 06:30:00+0000"),
        )),
    }
}

fn nights(
    importer: &mut Importer<'_>,
    user: &UserId,
    mut table: Table<'_>,
) -> Result<(), ImportError> {
    let date = table.required(&["date"])?;
    let start = table.required(&["start"])?;
    let stop = table.required(&["stop"])?;
    let deep = table.column(&["deepSleepTime"]);
    let shallow = table.column(&["shallowSleepTime"]);
    let rem = table.column(&["REMTime"]);
    let awake = table.column(&["wakeTime"]);
    while let Some(row) = table.next(importer)? {
        let night = (|| {
            let deep = row.number(deep, "deepSleepTime")?;
            let rem = row.number(rem, "REMTime")?;
            let shallow = row.number(shallow, "shallowSleepTime")?;
            let asleep: f64 = [deep, shallow, rem].iter().flatten().sum();
            if asleep <= 0.0 {
                return Ok(None);
            }
            let (start, stop) = (instant(&row, start, "start")?, instant(&row, stop, "stop")?);
            let day = day(&row, date)?;
            let night = Night {
                day: Some(day),
                asleep: Some(asleep),
                deep,
                rem,
                awake: row.number(awake, "wakeTime")?,
                in_bed: Some(minutes_of(stop - start)),
                ..Night::new(
                    Moment::instant(start).id(),
                    Moment::instant(start),
                    Some(Moment::instant(stop)),
                )
            };
            Ok(Some((night, day, stop)))
        })();
        match night {
            Ok(Some((night, day, stop))) => {
                importer.compare_waking(user, "Zepp", day, stop);
                importer.night(user, SOURCE, row.place(), &night)?;
            }
            Ok(None) => importer.skip(SkipReason::Missing),
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    Ok(())
}

fn activity(
    importer: &mut Importer<'_>,
    user: &UserId,
    mut table: Table<'_>,
) -> Result<(), ImportError> {
    let date = table.required(&["date"])?;
    let steps = table.required(&["steps"])?;
    let energy = table.column(&["calories"]);
    while let Some(row) = table.next(importer)? {
        let values = (|| {
            let steps = row.number(Some(steps), "steps")?;
            Ok((day(&row, date)?, steps, row.number(energy, "calories")?))
        })();
        match values {
            Ok((_, steps, energy)) if [steps, energy].iter().flatten().sum::<f64>() <= 0.0 => {
                importer.skip(SkipReason::NotWorn);
            }
            Ok((day, steps, energy)) => {
                for value in [
                    (M::Steps, steps, Unit::Count),
                    (M::ActiveCalories, energy, Unit::Kilocalories),
                ] {
                    importer.day_total(user, SOURCE, row.place(), day, value)?;
                }
            }
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    Ok(())
}

fn heart_rates(
    importer: &mut Importer<'_>,
    user: &UserId,
    path: &Path,
    mut table: Table<'_>,
) -> Result<(), ImportError> {
    let date = table.required(&["date"])?;
    let time = table.required(&["time"])?;
    let rate = table.required(&["heartRate"])?;
    let profile = importer.profile_of(user);
    let mut rates = HeartRates::default();
    while let Some(row) = table.next(importer)? {
        let sample = (|| {
            let text = format!("{} {}", row.text(Some(date)), row.text(Some(time)));
            let Some(Stamp::Wall(local)) = iso(&text) else {
                let message =
                    "date and time are no time, expected for example 2024-05-01 and 06:30";
                return Err((RejectReason::BadTime, message.to_owned()));
            };
            importer.check_day(local.date())?;
            Ok((local, row.number(Some(rate), "heartRate")?))
        })();
        match sample {
            Ok((local, Some(rate))) => rates.add(profile.instant_of(local), rate),
            Ok((_, None)) => importer.skip(SkipReason::Missing),
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    let place = Place {
        file: path,
        line: 1,
    };
    rates.finish(importer, user, SOURCE, place)
}

fn sports(
    importer: &mut Importer<'_>,
    user: &UserId,
    mut table: Table<'_>,
) -> Result<(), ImportError> {
    let start = table.required(&["startTime"])?;
    let length = table.required(&["sportTime(s)"])?;
    let kind = table.column(&["type"]);
    let distance = table.column(&["distance(m)", "distance"]);
    let energy = table.column(&["calories(kcal)", "calories"]);
    while let Some(row) = table.next(importer)? {
        let workout = (|| {
            let at = instant(&row, start, "startTime")?;
            let seconds = row.number(Some(length), "sportTime(s)")?;
            let seconds = seconds.filter(|seconds| (0.0..=172_800.0).contains(seconds));
            let length = seconds.map(|seconds| TimeDelta::milliseconds((seconds * 1e3) as i64));
            let until = length.and_then(|length| at.checked_add_signed(length));
            let sport = sport(row.text(kind)).unwrap_or(ActivityType::Other);
            let at = Moment::instant(at);
            Ok(Workout {
                until: until.map(Moment::instant),
                minutes: seconds.map(|seconds| seconds / 60.0),
                kilocalories: row.number(energy, "calories")?,
                meters: row.number(distance, "distance")?,
                ..Workout::new(format!("workout-{}", at.id()), sport, at)
            })
        })();
        match workout {
            Ok(workout) => importer.workout(user, SOURCE, row.place(), workout)?,
            Err(fault) => importer.reject(row.place().reject(fault))?,
        }
    }
    Ok(())
}
