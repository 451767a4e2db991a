//! WHOOP's export: `physiological_cycles.csv`, `sleeps.csv`, `workouts.csv` and `journal_entries.csv`. Names of files and columns follow the language of the account; English, German, Spanish,
//! French, Portuguese and Italian are known.
//!
//! Times are local in the row's own `Cycle timezone` (`UTC-04:00`, `UTCZ`). A cycle runs from falling asleep to
//! falling asleep again: recovery, resting heart rate, HRV and sleep are of the morning at its beginning and
//! are known on waking; strain and energy are of the day after it and are known when that day is over, both on
//! the clock of the cycle and in the zone of the profile. The day of a cycle is the date of waking, or, without
//! sleep, that of its middle. The newest cycle has no end: what it says about its day is not final and is left
//! out. If two cycles belong to one day, the morning is that of the longer sleep, their energy is added, and the
//! higher strain counts.
//!
//! Durations are minutes, `Energy burned (cal)` is kilocalories, the HRV is RMSSD, the day strain goes to 21.
//! The main sleeps are in both the cycles and the sleeps; each counts once.
//!
//! The journal asks after a sleep what the day before was like and keeps each answer with the cycle of that
//! day. It becomes a tag of the day of the cycle, with the question as its name; the answer no is kept, too. Where
//! the cycles are not in the same import, that is the day in the middle of the cycle.

mod columns;

use crate::batch::Importer;
use crate::dates::minutes_between;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Files};
use crate::numbers::is_not_measured;
use crate::readings::{Night, Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::tags::{Noted, answer};
use crate::workouts::Workout;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{ActivityType, Moment, ReadingKind, Unit, UserId};

use self::columns::{
    ACTIVITY, ANSWER, ASLEEP, AWAKE, BREATHS, CYCLE_END, CYCLE_START, Columns, DEEP, DISTANCE,
    EFFICIENCY, ENERGY, HIGHEST_RATE, HRV, IN_BED, Kind, MEAN_RATE, NOTES, ONSET, OXYGEN,
    PERFORMANCE, QUESTION, RECOVERY, REM, RESTING, SKIN_CELSIUS, SKIN_FAHRENHEIT, STRAIN, WAKING,
    WORKOUT_END, WORKOUT_START, kind,
};

const SOURCE: &str = "whoop";
/// From the beginning of a cycle that has no end yet to its middle.
const HALF_A_DAY: TimeDelta = TimeDelta::hours(12);

/// WHOOP.
pub(crate) static READER: FormatReader = FormatReader {
    word: "whoop",
    title: "WHOOP",
    export: "In the app: More, App Settings, Data Export. The zip file comes by mail; give it as it is.",
    gives: &[
        Gives {
            what: "RECOVERY_SCORE, RESTING_HEART_RATE",
            from: "`physiological_cycles.csv`: `Recovery score %`, `Resting heart rate (bpm)`",
            unit: "%, bpm",
            note: "of the morning at the beginning of the cycle",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD",
            from: "`Heart rate variability (ms)`",
            unit: "ms",
            note: "of the night",
        },
        Gives {
            what: "RESPIRATORY_RATE, OXYGEN_SATURATION, SKIN_TEMPERATURE",
            from: "`Respiratory rate (rpm)`, `Blood oxygen %`, `Skin temp (celsius)` or `(F)`",
            unit: "rpm, %, °C or °F",
            note: "of the night",
        },
        Gives {
            what: "SLEEP_DURATION and its parts, SLEEP_EFFICIENCY, SLEEP_SCORE, BEDTIME, WAKE_TIME",
            from: "sleep columns of `physiological_cycles.csv` and `sleeps.csv`",
            unit: "min, %",
            note: "the score is the sleep performance; naps are sessions of their own",
        },
        Gives {
            what: "STRAIN_SCORE, TOTAL_CALORIES, AVERAGE_HEART_RATE",
            from: "`Day Strain`, `Energy burned (cal)`, `Average HR (bpm)`",
            unit: "0 to 21, kcal, bpm",
            note: "of the day after the morning; not of the cycle that has no end yet",
        },
        Gives {
            what: "activity",
            from: "`workouts.csv`",
            unit: "min, kcal, bpm, m",
            note: "",
        },
        Gives {
            what: "tag",
            from: "`journal_entries.csv`: `Question text`, `Answered yes`, `Notes`",
            unit: "yes, no",
            note: "of the day of the cycle",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_table(|columns| kind(columns.0).is_some()))
    },
    read: Files::Together(read),
};

/// What is collected over all files.
#[derive(Default)]
struct Seen {
    nights: HashSet<String>,
    /// The days of the finished cycles, by the beginning of the cycle.
    loads: BTreeMap<String, Load>,
    /// What the cycles say about mornings.
    mornings: BTreeMap<NaiveDate, Morning>,
    /// The day of waking of each cycle, by its beginning.
    wakings: HashMap<String, NaiveDate>,
}

/// What a cycle says about its morning.
struct Morning {
    /// The beginning of the cycle.
    id: String,
    /// Minutes asleep.
    asleep: f64,
    is_over: bool,
    file: PathBuf,
    line: u64,
    readings: Vec<Reading>,
}

impl Seen {
    /// Keeps a morning. Of two cycles of one morning, that with the longer sleep counts; of the same cycle in
    /// two exports, the finished one. Whether one is left out.
    fn keep(&mut self, day: NaiveDate, new: Morning) -> bool {
        let Some(held) = self.mornings.get_mut(&day) else {
            self.mornings.insert(day, new);
            return false;
        };
        let is_better = if held.id == new.id {
            new.is_over || !held.is_over
        } else {
            new.asleep > held.asleep
        };
        if is_better {
            *held = new;
        }
        true
    }
}

/// What a cycle says about the day after its morning.
#[derive(Clone, Copy)]
struct Load {
    day: NaiveDate,
    length: TimeDelta,
    strain: Option<f64>,
    energy: Option<f64>,
    rate: Option<f64>,
    /// When the day is over on the clock of the cycle.
    over: Option<DateTime<Utc>>,
    line: u64,
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let Some(first) = files.first() else {
        return Ok(());
    };
    let user = importer.owner(first)?;
    let seen = RefCell::new(Seen::default());
    // The journal last: the cycles say which day each one is.
    let (journals, others): (Vec<PathBuf>, Vec<PathBuf>) =
        files.iter().cloned().partition(|path| is_journal(path));
    for files in [others, journals] {
        importer.each(&files, |importer, path| {
            read_file(importer, path, &user, &mut seen.borrow_mut())
        })?;
    }
    let seen = seen.into_inner();
    for morning in seen.mornings.into_values() {
        let place = Place {
            file: &morning.file,
            line: morning.line,
        };
        for reading in morning.readings {
            importer.reading(&user, SOURCE, place, reading)?;
        }
    }
    days(importer, &user, first, seen.loads)
}

/// Whether a file is the journal.
fn is_journal(path: &Path) -> bool {
    let table = Table::open(path, &READER);
    table.is_ok_and(|table| kind(table.names()) == Some(Kind::Journal))
}

fn read_file(
    importer: &mut Importer<'_>,
    path: &Path,
    user: &UserId,
    seen: &mut Seen,
) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let columns = Columns::of(table.names());
    let kind = kind(table.names());
    let missing = columns.missing();
    if kind == Some(Kind::Cycles) && !missing.is_empty() {
        importer.note(format!(
            "WHOOP: no column is known for {}: export it again with the app in English",
            missing.join(", ")
        ));
    }
    while let Some(row) = table.next(importer)? {
        let outcome = match kind {
            Some(Kind::Cycles) => cycle(importer, &row, &columns, user, seen),
            Some(Kind::Sleeps) => sleep(importer, &row, &columns, user, seen),
            Some(Kind::Workouts) => workout(importer, &row, &columns, user),
            Some(Kind::Journal) => journal(importer, &row, &columns, user, &seen.wakings),
            None => {
                importer.skip(SkipReason::OtherFile);
                Ok(Ok(()))
            }
        };
        if let Err(fault) = outcome? {
            importer.reject(row.place().reject(fault))?;
        }
    }
    Ok(())
}

type Outcome = Result<Result<(), Fault>, ImportError>;

/// A cycle: the values of its morning, its main sleep, and, when it is over, the load of its day.
fn cycle(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
    user: &UserId,
    seen: &mut Seen,
) -> Outcome {
    let times = (|| {
        let start = columns.time(row, CYCLE_START)?;
        let start = start.ok_or_else(|| empty("the beginning of the cycle"))?;
        Ok((
            start,
            columns.time(row, CYCLE_END)?,
            columns.time(row, WAKING)?,
        ))
    })();
    let (start, end, waking) = match times {
        Ok(times) => times,
        Err(fault) => return Ok(Err(fault)),
    };
    let id = start.id();
    if let Some(waking) = waking {
        let skin = if columns.text(row, SKIN_CELSIUS).is_empty() {
            (SKIN_FAHRENHEIT, Unit::Fahrenheit)
        } else {
            (SKIN_CELSIUS, Unit::Celsius)
        };
        let mut readings = Vec::new();
        for (name, column, metric, unit) in [
            ("recovery", RECOVERY, M::RecoveryScore, Unit::Score),
            (
                "resting-heart-rate",
                RESTING,
                M::RestingHeartRate,
                Unit::PerMinute,
            ),
            ("hrv", HRV, M::HeartRateVariabilityRmssd, Unit::Milliseconds),
            (
                "respiratory-rate",
                BREATHS,
                M::RespiratoryRate,
                Unit::PerMinute,
            ),
            ("oxygen", OXYGEN, M::OxygenSaturation, Unit::Percent),
            ("skin-temperature", skin.0, M::SkinTemperature, skin.1),
        ] {
            match columns.number(row, column) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let reading = Reading::at(metric, value, unit, waking)
                        .kind(ReadingKind::DayValue)
                        .id(format!("{name}-{id}"));
                    readings.push(reading);
                }
                Err(fault) => importer.reject(row.place().reject(fault))?,
            }
        }
        let morning = Morning {
            id: id.clone(),
            asleep: columns.number(row, ASLEEP).ok().flatten().unwrap_or(0.0),
            is_over: end.is_some(),
            file: row.file().to_owned(),
            line: row.line(),
            readings,
        };
        let day = waking.written_local_time().map(|local| local.date());
        if let Some(day) = day {
            seen.wakings.insert(id.clone(), day);
            if seen.keep(day, morning) {
                importer.skip(SkipReason::Repeated);
            }
        }
        if let Err(fault) = sleep(importer, row, columns, user, seen)? {
            importer.reject(row.place().reject(fault))?;
        }
    } else {
        importer.skip(SkipReason::NotWorn);
    }
    let Some(end) = end else {
        importer.skip(SkipReason::Missing);
        return Ok(Ok(()));
    };
    let load = (|| {
        let (from, to) = (local(start)?, local(end)?);
        let middle = from + (to - from) / 2;
        let day = waking
            .and_then(Moment::written_local_time)
            .unwrap_or(middle);
        let day = day.date();
        Ok(Load {
            day,
            length: to - from,
            strain: columns.number(row, STRAIN)?,
            energy: columns.number(row, ENERGY)?,
            rate: columns.number(row, MEAN_RATE)?,
            over: over(day, end),
            line: row.line(),
        })
    })();
    Ok(load.map(|load| {
        seen.loads.insert(id, load);
    }))
}

/// When a day is over on the clock that a time was written with.
fn over(day: NaiveDate, written: Moment) -> Option<DateTime<Utc>> {
    let Moment::Instant { offset_seconds, .. } = written else {
        return None;
    };
    let midnight = day.succ_opt()?.and_time(NaiveTime::MIN);
    let utc = midnight.checked_sub_signed(TimeDelta::seconds(i64::from(offset_seconds?)))?;
    Some(utc.and_utc())
}

fn empty(what: &str) -> Fault {
    (RejectReason::Empty, format!("{what} is empty"))
}

/// The time on the person's clock; each time of the table has one.
fn local(moment: Moment) -> Result<chrono::NaiveDateTime, Fault> {
    moment
        .written_local_time()
        .ok_or_else(|| (RejectReason::BadTime, "a time without a zone".to_owned()))
}

/// The sleep of a row.
fn sleep(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
    user: &UserId,
    seen: &mut Seen,
) -> Outcome {
    let night = (|| {
        let onset = columns.time(row, ONSET)?;
        let onset = onset.ok_or_else(|| empty("the beginning of the sleep"))?;
        let waking = columns.time(row, WAKING)?;
        let waking = waking.ok_or_else(|| empty("the end of the sleep"))?;
        Ok(Night {
            asleep: columns.number(row, ASLEEP)?,
            deep: columns.number(row, DEEP)?,
            rem: columns.number(row, REM)?,
            awake: columns.number(row, AWAKE)?,
            in_bed: columns.number(row, IN_BED)?,
            efficiency: columns.number(row, EFFICIENCY)?,
            score: columns.number(row, PERFORMANCE)?,
            ..Night::new(onset.id(), onset, Some(waking))
        })
    })();
    match night {
        Err(fault) => Ok(Err(fault)),
        Ok(night) => {
            if seen.nights.insert(night.id.clone()) {
                importer.night(user, SOURCE, row.place(), &night)?;
            } else {
                importer.skip(SkipReason::Repeated);
            }
            Ok(Ok(()))
        }
    }
}

fn workout(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
    user: &UserId,
) -> Outcome {
    let workout = (|| {
        let at = columns.time(row, WORKOUT_START)?;
        let at = at.ok_or_else(|| empty("the beginning of the workout"))?;
        let until = columns.time(row, WORKOUT_END)?;
        let minutes = until.and_then(|until| minutes_between(at, until));
        let sport = sport(columns.text(row, ACTIVITY)).unwrap_or(ActivityType::Other);
        Ok(Workout {
            until,
            minutes,
            kilocalories: columns.number(row, ENERGY)?,
            mean_rate: columns.number(row, MEAN_RATE)?,
            highest_rate: columns.number(row, HIGHEST_RATE)?,
            meters: columns.number(row, DISTANCE)?,
            ..Workout::new(format!("workout-{}", at.id()), sport, at)
        })
    })();
    match workout {
        Err(fault) => Ok(Err(fault)),
        Ok(workout) => importer.workout(user, SOURCE, row.place(), workout).map(Ok),
    }
}

/// An answer of the journal.
fn journal(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    columns: &Columns,
    user: &UserId,
    wakings: &HashMap<String, NaiveDate>,
) -> Outcome {
    let times = (|| {
        let start = columns.time(row, CYCLE_START)?;
        let start = start.ok_or_else(|| empty("the beginning of the cycle"))?;
        let from = local(start)?;
        let end = columns.time(row, CYCLE_END)?.map(local).transpose()?;
        if end.is_some_and(|end| end < from) {
            let message = "the cycle ends before it begins".to_owned();
            return Err((RejectReason::Contradiction, message));
        }
        let half = end.map_or(HALF_A_DAY, |end| (end - from) / 2);
        let id = start.id();
        let day = wakings.get(&id).copied();
        Ok((id, day.unwrap_or_else(|| (from + half).date())))
    })();
    let (cycle, day) = match times {
        Ok(times) => times,
        Err(fault) => return Ok(Err(fault)),
    };
    let text = columns.text(row, ANSWER);
    if text.is_empty() || is_not_measured(text) {
        importer.skip(SkipReason::Missing);
        return Ok(Ok(()));
    }
    let Some(applies) = answer(text) else {
        let message = "the answer is neither true nor false".to_owned();
        return Ok(Err((RejectReason::UnknownWord, message)));
    };
    let name = columns.text(row, QUESTION);
    if name.is_empty() {
        return Ok(Err(empty("the question")));
    }
    let noted = Noted {
        id: format!("journal-{cycle}"),
        at: Moment::Date(day),
        name,
        applies,
        note: columns.text(row, NOTES),
    };
    importer.tag(user, SOURCE, row.place(), &noted).map(Ok)
}

/// The loads of the days: energy is added over the cycles of a day, the highest strain counts, and the mean
/// heart rate is that of the longest cycle.
fn days(
    importer: &mut Importer<'_>,
    user: &UserId,
    file: &Path,
    loads: BTreeMap<String, Load>,
) -> Result<(), ImportError> {
    let mut days: BTreeMap<NaiveDate, Load> = BTreeMap::new();
    for load in loads.into_values() {
        let Some(day) = days.get_mut(&load.day) else {
            days.insert(load.day, load);
            continue;
        };
        day.energy = match (day.energy, load.energy) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        day.strain = match (day.strain, load.strain) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        day.over = day.over.max(load.over);
        if load.length > day.length {
            (day.length, day.rate) = (load.length, load.rate.or(day.rate));
        }
    }
    for (day, load) in days {
        let place = Place {
            file,
            line: load.line,
        };
        for (metric, value, unit) in [
            (M::StrainScore, load.strain, Unit::Score),
            (M::TotalCalories, load.energy, Unit::Kilocalories),
            (M::AverageHeartRate, load.rate, Unit::PerMinute),
        ] {
            if let Some(value) = value {
                let reading = Reading::of_day(metric, value, unit, day).known(load.over);
                importer.reading(user, SOURCE, place, reading)?;
            }
        }
    }
    Ok(())
}
