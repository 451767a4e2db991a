//! AutoSleep, an app for the Apple Watch: its history as CSV.
//!
//! A row is a night: `ISO8601,fromDate,toDate,bedtime,waketime,inBed,awake,…`. Durations are `HH:MM:SS`. `toDate` is
//! the day of waking, in the language of the phone (`Tuesday, Mar 17, 2026`); where it cannot be read, the time
//! of waking or `ISO8601` names the day. Times have no zone: they are those of the person's clock.
//!
//! Columns that end in `Avg7` are means of seven days and are not read. `wakingBPM` is a pulse at
//! waking, not a resting heart rate. The app reads Apple Health, so an export of that has the same nights.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading};
use crate::numbers::{Span, is_not_measured, span};
use crate::readings::{Night, Reading as Measured};
use crate::report::RejectReason;
use crate::sample::Confidence;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use std::path::Path;
use vitalcast_domain::{MetricType, Moment, Unit};

const SOURCE: &str = "autosleep";

/// The history of AutoSleep.
pub(crate) static READER: FormatReader = FormatReader {
    word: "autosleep",
    title: "AutoSleep",
    export: "The app AutoSleep: *Settings, Export, History*.",
    gives: &[
        Gives {
            what: "`SLEEP_DURATION`, `DEEP_SLEEP_DURATION`, `AWAKE_DURATION`, `TIME_IN_BED`, `SLEEP_EFFICIENCY`, \
                   `SLEEPING_HEART_RATE`, `BEDTIME`, `WAKE_TIME`",
            from: "`asleep`, `deep`, `awake`, `inBed`, `efficiency`, `sleepBPM`, `bedtime`, `waketime`",
            unit: "`HH:MM:SS`; `%`; `bpm`",
            note: "the night belongs to `toDate`; means of seven days are not read",
        },
        Gives {
            what: "`HEART_RATE_VARIABILITY_SDNN`",
            from: "`hrv`, or `sleepHRV` in a table without it",
            unit: "`ms`",
            note: "SDNN, as Apple Health has it",
        },
        Gives {
            what: "`OXYGEN_SATURATION`, `RESPIRATORY_RATE`",
            from: "`SpO2Avg`, `respAvg`",
            unit: "`%`; breaths a minute",
            note: "means of the night; `wakingBPM` is no resting heart rate and is not read",
        },
    ],
    recognises: |sample| {
        let names = [
            "ISO8601", "fromDate", "toDate", "bedtime", "waketime", "inBed",
        ];
        Confidence::certain_if(sample.is_table(|columns| columns.has_all(&names)))
    },
    read: Reading::Each(read),
};

struct Columns {
    iso: Option<usize>,
    to: Option<usize>,
    bedtime: Option<usize>,
    waking: Option<usize>,
    asleep: usize,
    deep: Option<usize>,
    awake: Option<usize>,
    in_bed: Option<usize>,
    efficiency: Option<usize>,
    rate: Option<usize>,
    /// Metrics of the night with their units.
    others: [(MetricType, Unit, Option<usize>); 3],
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let columns = Columns {
        asleep: table.required(&["asleep"])?,
        iso: table.column(&["ISO8601"]),
        to: table.column(&["toDate"]),
        bedtime: table.column(&["bedtime"]),
        waking: table.column(&["waketime"]),
        deep: table.column(&["deep"]),
        awake: table.column(&["awake"]),
        in_bed: table.column(&["inBed"]),
        efficiency: table.column(&["efficiency"]),
        rate: table.column(&["sleepBPM"]),
        others: [
            (
                MetricType::HeartRateVariabilitySdnn,
                Unit::Milliseconds,
                table.column(&["hrv", "sleepHRV"]),
            ),
            (
                MetricType::OxygenSaturation,
                Unit::Percent,
                table.column(&["SpO2Avg"]),
            ),
            (
                MetricType::RespiratoryRate,
                Unit::PerMinute,
                table.column(&["respAvg"]),
            ),
        ],
    };
    let user = importer.owner(path)?;
    while let Some(row) = table.next(importer)? {
        let place = row.place();
        let day = match day_of(&row, &columns) {
            Ok(day) => day,
            Err(fault) => {
                importer.reject(place.reject(fault))?;
                continue;
            }
        };
        match night(&row, &columns, day) {
            Ok(night) => importer.night(&user, SOURCE, place, &night)?,
            Err(fault) => importer.reject(place.reject(fault))?,
        }
        for (metric, unit, column) in columns.others {
            match row.number(column, metric.as_str()) {
                Ok(None) => {}
                Ok(Some(value)) => {
                    let (value, unit) = crate::healthkit::percent(value, unit);
                    let reading = Measured::of_morning(metric, value, unit, day);
                    importer.reading(&user, SOURCE, place, reading)?;
                }
                Err(fault) => importer.reject(place.reject(fault))?,
            }
        }
    }
    Ok(())
}

/// The local time of a text, whatever offset stands behind it.
fn local(text: &str) -> Option<NaiveDateTime> {
    match iso(text)? {
        Stamp::Instant(at, offset) => {
            Some(at.naive_utc() + TimeDelta::seconds(i64::from(offset.unwrap_or(0))))
        }
        Stamp::Wall(local) => Some(local),
        Stamp::Day(day) => Some(day.and_time(NaiveTime::MIN)),
    }
}

/// The day of waking.
fn day_of(row: &Row<'_>, columns: &Columns) -> Result<NaiveDate, Fault> {
    [columns.to, columns.waking, columns.iso]
        .into_iter()
        .find_map(|column| local(row.text(column)))
        .map(|local| local.date())
        .ok_or_else(|| {
            let message = "the night has no date that can be read".to_owned();
            (RejectReason::BadTime, message)
        })
}

fn night(row: &Row<'_>, columns: &Columns, day: NaiveDate) -> Result<Night, Fault> {
    let times = times_of(row.text(columns.bedtime), row.text(columns.waking), day);
    let (at, until) = match times {
        Some((bedtime, waking)) => (Moment::Clock(bedtime), Some(Moment::Clock(waking))),
        None => (Moment::Date(day), None),
    };
    let minutes = |column, name| minutes(row.text(column), name);
    Ok(Night {
        day: Some(day),
        asleep: minutes(Some(columns.asleep), "asleep")?,
        deep: minutes(columns.deep, "deep")?,
        awake: minutes(columns.awake, "awake")?,
        in_bed: minutes(columns.in_bed, "inBed")?,
        efficiency: row.number(columns.efficiency, "efficiency")?,
        heart_rate: row.number(columns.rate, "sleepBPM")?,
        ..Night::new(day.to_string(), at, until)
    })
}

/// Bedtime and waking: with a date, or clock times of the night before the day.
fn times_of(bedtime: &str, waking: &str, day: NaiveDate) -> Option<(NaiveDateTime, NaiveDateTime)> {
    let clock = |text: &str| match local(&format!("{day} {text}")) {
        Some(local) if !text.is_empty() => Some(local),
        Some(_) | None => None,
    };
    let waking = local(waking).or_else(|| clock(waking))?;
    let bedtime = local(bedtime).or_else(|| {
        let bedtime = clock(bedtime)?;
        if bedtime < waking {
            Some(bedtime)
        } else {
            bedtime.checked_sub_signed(TimeDelta::days(1))
        }
    })?;
    let length = waking - bedtime;
    (length > TimeDelta::zero() && length <= TimeDelta::hours(24)).then_some((bedtime, waking))
}

fn minutes(text: &str, name: &str) -> Result<Option<f64>, Fault> {
    if text.is_empty() || is_not_measured(text) {
        return Ok(None);
    }
    match span(text) {
        Some(Span::Seconds(seconds)) => Ok(Some(seconds / 60.0)),
        Some(Span::Pair(hours, minutes)) => Ok(Some(hours * 60.0 + minutes)),
        None => {
            let message = format!("{name} is not a duration such as 07:30:00");
            Err((RejectReason::BadNumber, message))
        }
    }
}
