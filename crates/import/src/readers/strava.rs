//! Strava: `activities.csv` of the bulk export.
//!
//! A row is an activity. `Elapsed Time`, `Distance` and `Max Heart Rate` stand twice: first as they are shown
//! (kilometres or miles, by account), then exactly (seconds, metres). The last column of a name is read.
//! `Activity Date` is UTC without a mark, so the person's zone decides on the day. Names and dates follow
//! the language of the account: English and German are read.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading};
use crate::numbers::{Cell, Mark, Marks, cell};
use crate::readings::shortened;
use crate::report::RejectReason;
use crate::sample::Confidence;
use crate::sports::sport;
use crate::table::{Fault, Row, Table};
use crate::time::{Stamp, iso};
use chrono::{NaiveTime, TimeDelta};
use std::path::Path;
use vitalcast_domain::{Activity, ActivityType, Moment, Provenance, Record, Told, Zone};

const SOURCE: &str = "strava";
/// Marks in exact numbers.
const EXACT: Marks = Marks {
    dot: Mark::Decimal,
    comma: Mark::Decimal,
};

/// Names of columns, English and German. Letters that are not ASCII do not count.
const ID: &[&str] = &["Activity ID", "Aktivitäts-ID"];
const DATE: &[&str] = &["Activity Date", "Datum der Aktivität", "Aktivitätsdatum"];
const TYPE: &[&str] = &["Activity Type", "Aktivitätsart", "Aktivitätstyp"];
const ELAPSED: &[&str] = &["Elapsed Time", "Verstrichene Zeit"];
const MOVING: &[&str] = &["Moving Time", "Bewegungszeit"];
const DISTANCE: &[&str] = &["Distance", "Distanz"];
const HIGHEST: &[&str] = &["Max Heart Rate", "Max. Herzfrequenz"];
const AVERAGE: &[&str] = &["Average Heart Rate", "Durchschnittliche Herzfrequenz"];
const CALORIES: &[&str] = &["Calories", "Kalorien"];
const STEPS: &[&str] = &["Total Steps", "Gesamtschritte"];

/// `activities.csv` of Strava.
pub(crate) static READER: FormatReader = FormatReader {
    word: "strava",
    title: "Strava",
    export: "strava.com: *Settings, My Account, Download or Delete Your Account, Request Your Archive*. Of the \
             zip file, `activities.csv` is read.",
    gives: &[Gives {
        what: "activities",
        from: "`activities.csv`",
        unit: "the last columns of each name: `s`, `m`, `kcal`, `bpm`",
        note: "times are UTC; the duration is the moving time, else the elapsed time; `Relative Effort` is not read",
    }],
    recognises: |sample| {
        let has =
            |names: &[&str]| sample.is_table(|columns| names.iter().any(|name| columns.has(name)));
        Confidence::certain_if(has(ID) && has(DATE) && has(TYPE))
            .max(Confidence::likely_if(has(ID) && (has(DATE) || has(TYPE))))
    },
    read: Reading::Each(read),
};

struct Columns {
    id: Option<usize>,
    date: usize,
    kind: Option<usize>,
    elapsed: Option<usize>,
    moving: Option<usize>,
    distance: Option<usize>,
    highest: Option<usize>,
    average: Option<usize>,
    calories: Option<usize>,
    steps: Option<usize>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let columns = Columns {
        date: table.required(DATE)?,
        id: table.column(ID),
        kind: table.column(TYPE),
        elapsed: table.last_column(ELAPSED),
        moving: table.last_column(MOVING),
        // One column alone is in kilometres or miles.
        distance: table
            .last_column(DISTANCE)
            .filter(|last| table.column(DISTANCE) != Some(*last)),
        highest: table.last_column(HIGHEST),
        average: table.last_column(AVERAGE),
        calories: table.last_column(CALORIES),
        steps: table.last_column(STEPS),
    };
    let user = importer.owner(path)?;
    while let Some(row) = table.next(importer)? {
        match activity(&row, &columns) {
            Ok(activity) => {
                let place = row.place();
                importer.checked(&user, place, Record::Activity(activity))?;
            }
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
        }
    }
    if importer.zone_of(&user) == Some(Zone::UTC) {
        importer.note("times of Strava are UTC: set the person's time zone with --zone".to_owned());
    }
    Ok(())
}

fn activity(row: &Row<'_>, columns: &Columns) -> Result<Activity, Fault> {
    let at = match iso(row.text(Some(columns.date))) {
        Some(Stamp::Instant(at, _)) => at,
        Some(Stamp::Wall(utc)) => utc.and_utc(),
        Some(Stamp::Day(day)) => day.and_time(NaiveTime::MIN).and_utc(),
        None => {
            let message = "the activity has no date that can be read".to_owned();
            return Err((RejectReason::BadTime, message));
        }
    };
    // A total of 0 was not measured.
    let value = |column: Option<usize>, name: &str| -> Result<Option<f64>, Fault> {
        Ok(row.number(column, name)?.filter(|value| *value > 0.0))
    };
    let elapsed = value(columns.elapsed, "Elapsed Time")?;
    let moving = value(columns.moving, "Moving Time")?;
    let until = elapsed
        .filter(|seconds| *seconds <= 36.0 * 3_600.0)
        .and_then(|seconds| at.checked_add_signed(TimeDelta::milliseconds((seconds * 1e3) as i64)));
    let told = Told {
        until: until.map(Moment::instant),
        ..Told::at(Moment::instant(at))
    };
    let id = match row.text(columns.id) {
        "" => format!("activity-{}", told.at.id()),
        id => shortened(&format!("activity-{id}")),
    };
    Ok(Activity {
        provenance: Provenance::told(SOURCE, id, told),
        activity_type: sport(row.text(columns.kind)).unwrap_or(ActivityType::Other),
        intensity: None,
        duration_minutes: moving.or(elapsed).map(|seconds| seconds / 60.0),
        energy_kcal: value(columns.calories, "Calories")?,
        average_heart_rate: value(columns.average, "Average Heart Rate")?,
        max_heart_rate: value(columns.highest, "Max Heart Rate")?,
        // Exact numbers are not grouped: a comma is a decimal sign.
        distance_m: match cell(row.text(columns.distance), "Distance", EXACT)? {
            Cell::Value(metres, None) => Some(metres).filter(|metres| *metres > 0.0),
            Cell::Value(_, Some(_)) | Cell::Empty | Cell::NotMeasured => None,
        },
        steps: value(columns.steps, "Total Steps")?,
    })
}
