//! Open mHealth and IEEE 1752.1: data points (`header`, `body`) or bodies alone, in any JSON layout.
//!
//! What a body measures, its keys say, in every version of the schemas. Its time frame is an instant, an
//! interval with two of start, end and duration, or a date with a part of the day. `Z` says nothing about
//! the person's clock. A heart rate counts as resting only at rest or on waking. Of aggregates only means
//! are read. Weight, body temperature and energy without an activity are left out.

use crate::batch::Importer;
use crate::dates::{self, minutes_between};
use crate::error::ImportError;
use crate::fields::{self, Object};
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::objects::each_object;
use crate::one_person::OnePerson;
use crate::readings::{Night, Place, Reading, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Keys};
use crate::sports::{intensity, sport};
use crate::table::Fault;
use crate::time::DateOrder;
use crate::workouts::bare_workout;
use chrono::TimeDelta;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use vitalcast_domain::{
    Activity, ActivityType, MetricType as M, Moment, Provenance, Record, Told, Unit, UserId,
};

const SOURCE: &str = "open-mhealth";
const FRAME: &str = "effective_time_frame";
/// Minutes by which a sleep may be longer than its time frame.
const TOLERANCE: f64 = 1.0;

/// Data points of Open mHealth.
pub(crate) static READER: FormatReader = FormatReader {
    word: "open-mhealth",
    title: "Open mHealth, IEEE 1752.1",
    export: "JSON data points of a program that follows the schemas `omh` or `ieee`.",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`heart_rate` with `at rest` or `on waking`",
            unit: "as named beside the value",
            note: "other heart rates are left out",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION, AWAKE_DURATION",
            from: "`total_sleep_time`, `sleep_duration`, and beside them `wake_after_sleep_onset`",
            unit: "as named beside the value",
            note: "the day is that of the end on the person's clock",
        },
        Gives {
            what: "STEPS, OXYGEN_SATURATION, RESPIRATORY_RATE, BODY_FAT_PERCENTAGE, BLOOD_GLUCOSE, blood pressure",
            from: "`step_count`, `oxygen_saturation`, `respiratory_rate`, …",
            unit: "as named beside the value",
            note: "`descriptive_statistic` only if it is a mean",
        },
        Gives {
            what: "activities",
            from: "`activity_name` with `duration`, `distance`, `kcal_burned`",
            unit: "as named beside the value",
            note: "energy without an activity is left out",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_json(is_export)),
    read: Read::Together(read),
};

fn is_export(keys: &Keys) -> bool {
    keys.has(FRAME)
        && (keys.has_all(&["header", "body", "schema_id"])
            || keys.has_at(1, FRAME)
            || keys.has_at(2, FRAME))
}

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["header", "body"]) || columns.has(FRAME)
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    let person = RefCell::new(OnePerson::default());
    importer.each(files, |importer, path| read_file(importer, path, &person))
}

fn read_file(
    importer: &mut Importer<'_>,
    path: &Path,
    person: &RefCell<OnePerson>,
) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    each_object::<Object>(importer, path, &is_known, |importer, place, object| {
        let header = object.get("header").and_then(Value::as_object);
        let body = object.get("body").and_then(Value::as_object);
        let empty = Map::new();
        let (header, body) = match (header, body) {
            (Some(header), Some(body)) => (header, body),
            _ => (&empty, &object),
        };
        if !person
            .borrow_mut()
            .is_owner(importer, fields::text(header, "user_id"))
        {
            return Ok(());
        }
        point(importer, &user, place, header, body)
    })
}

/// The time frame of a body.
#[derive(Debug, Clone, Copy)]
struct Frame {
    at: Moment,
    until: Option<Moment>,
}

impl Frame {
    fn of(body: &Map<String, Value>) -> Result<Self, Fault> {
        let missing = || {
            let message = format!("{FRAME} is missing or has no time that is known");
            (RejectReason::Empty, message)
        };
        let outer = body
            .get(FRAME)
            .and_then(Value::as_object)
            .ok_or_else(missing)?;
        let moment = |text: &str| dates::moment(text, DateOrder::Unknown, FRAME);
        let date_time = fields::text(outer, "date_time");
        if !date_time.is_empty() {
            let at = moment(date_time)?;
            return Ok(Self { at, until: None });
        }
        let interval = outer
            .get("time_interval")
            .and_then(Value::as_object)
            .unwrap_or(outer);
        let [start, end, date] =
            ["start_date_time", "end_date_time", "date"].map(|key| fields::text(interval, key));
        let duration = seconds_of(interval.get("duration"))?;
        let (at, until) = match (start, end, duration) {
            ("", "", _) if date.is_empty() => return Err(missing()),
            ("", "", _) => (moment(date)?, None),
            ("", end, None) => (moment(end)?, None),
            ("", end, Some(seconds)) => {
                let end = moment(end)?;
                (moved(end, -seconds).ok_or_else(missing)?, Some(end))
            }
            (start, "", None) => (moment(start)?, None),
            (start, "", Some(seconds)) => {
                let start = moment(start)?;
                (start, Some(moved(start, seconds).ok_or_else(missing)?))
            }
            (start, end, _) => (moment(start)?, Some(moment(end)?)),
        };
        Ok(Self { at, until })
    }

    /// Its length in minutes.
    fn minutes(self) -> Option<f64> {
        minutes_between(self.at, self.until?)
    }
}

/// A time some seconds later.
fn moved(moment: Moment, seconds: f64) -> Option<Moment> {
    let millis = seconds * 1_000.0;
    let by = TimeDelta::try_milliseconds((millis.abs() < 1e15).then_some(millis as i64)?)?;
    Some(match moment {
        Moment::Instant { at, offset_seconds } => Moment::Instant {
            at: at.checked_add_signed(by)?,
            offset_seconds,
        },
        Moment::Clock(local) => Moment::Clock(local.checked_add_signed(by)?),
        Moment::Date(_) => return None,
    })
}

/// Value and unit of a quantity; `None` if it has no value.
fn quantity(value: Option<&Value>) -> Result<Option<(f64, &str)>, Fault> {
    let Some(quantity) = value.and_then(Value::as_object) else {
        return Ok(None);
    };
    let amount = fields::amount(quantity, "value")?;
    Ok(amount.map(|amount| (amount, fields::text(quantity, "unit"))))
}

/// A duration in seconds; `None` without a unit that is known.
fn seconds_of(value: Option<&Value>) -> Result<Option<f64>, Fault> {
    let size = |unit: &str| {
        Some(match unit {
            "d" | "day" => 86_400.0,
            "wk" => 604_800.0,
            unit => Unit::parse(unit).ok()?.convert(1.0, Unit::Seconds)?,
        })
    };
    Ok(quantity(value)?.and_then(|(amount, unit)| Some(amount * size(unit)?)))
}

/// A duration in minutes, likewise.
fn minutes_of(value: Option<&Value>) -> Result<Option<f64>, Fault> {
    Ok(seconds_of(value)?.map(|seconds| seconds / 60.0))
}

/// A distance in metres, likewise.
fn metres_of(value: Option<&Value>) -> Result<Option<f64>, Fault> {
    let quantity = quantity(value)?;
    Ok(quantity.and_then(|(amount, unit)| Unit::parse(unit).ok()?.convert(amount, Unit::Metres)))
}

/// Keys of bodies with the metrics that they hold.
const VALUES: [(&str, M); 8] = [
    ("step_count", M::Steps),
    ("oxygen_saturation", M::OxygenSaturation),
    ("respiratory_rate", M::RespiratoryRate),
    ("body_fat_percentage", M::BodyFatPercentage),
    ("blood_glucose", M::BloodGlucose),
    ("systolic_blood_pressure", M::BloodPressureSystolic),
    ("diastolic_blood_pressure", M::BloodPressureDiastolic),
    ("minutes_moderate_activity", M::ModerateActivityMinutes),
];

fn point(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    header: &Map<String, Value>,
    body: &Map<String, Value>,
) -> Result<(), ImportError> {
    let by = header
        .get("acquisition_provenance")
        .and_then(Value::as_object);
    let by = by.map_or("", |by| fields::text(by, "source_name"));
    let source = if by.is_empty() {
        SOURCE.to_owned()
    } else {
        format!("{SOURCE}/{by}")
    };
    let id = [fields::text(header, "id"), fields::text(header, "uuid")];
    let id = id.into_iter().find(|id| !id.is_empty());
    let statistic = fields::text(body, "descriptive_statistic");
    if !matches!(statistic, "" | "average" | "mean" | "median") {
        importer.skip(SkipReason::NotRead);
        return Ok(());
    }
    let is_resting = fields::text(body, "temporal_relationship_to_physical_activity") == "at rest"
        || fields::text(body, "temporal_relationship_to_sleep") == "on waking";
    let rate = body.get("heart_rate").filter(|_| is_resting);
    let values = VALUES.iter().map(|(key, metric)| (body.get(*key), *metric));
    let values: Vec<(&Value, M)> = values
        .chain([(rate, M::RestingHeartRate)])
        .filter_map(|(value, metric)| Some((value?, metric)))
        .collect();
    let asleep = body
        .get("total_sleep_time")
        .or_else(|| body.get("sleep_duration"));
    let activity = fields::text(body, "activity_name");
    if values.is_empty() && asleep.is_none() && activity.is_empty() {
        importer.skip(SkipReason::NotRead);
        return Ok(());
    }
    let frame = match Frame::of(body) {
        Ok(frame) => frame,
        Err(fault) => return importer.reject(place.reject(fault)),
    };
    for (value, metric) in values {
        let read = quantity(Some(value)).and_then(|found| {
            let known = found.and_then(|(value, unit)| Some((value, unit_of(unit, metric)?)));
            let message = || format!("{metric} has no number, or none of its units");
            known.ok_or_else(|| (RejectReason::WrongUnit, message()))
        });
        let (value, unit) = match read {
            Ok(read) => read,
            Err(fault) => {
                importer.reject(place.reject(fault))?;
                continue;
            }
        };
        let mut reading = match frame.at {
            Moment::Date(day) => Reading::of_day(metric, value, unit, day),
            at @ (Moment::Instant { .. } | Moment::Clock(_)) => {
                Reading::at(metric, value, unit, at)
            }
        };
        if let Some(until) = frame.until {
            reading = reading.until(until);
        }
        if let Some(id) = id {
            reading = reading.id(format!("{}-{id}", metric.as_str().to_ascii_lowercase()));
        }
        importer.reading(user, &source, place, reading)?;
    }
    if let Some(asleep) = asleep {
        sleep(importer, user, &source, place, id, body, asleep, frame)?;
    }
    if !activity.is_empty() {
        match activity_of(body, activity, &source, id, frame) {
            Ok(activity) => importer.checked(user, place, Record::Activity(activity))?,
            Err(fault) => importer.reject(place.reject(fault))?,
        }
    }
    Ok(())
}

/// The unit of a value; the schemas write some in words of their own.
fn unit_of(unit: &str, metric: M) -> Option<Unit> {
    match unit {
        "" | "1" => (metric.unit() == Unit::Count).then_some(Unit::Count),
        unit => Unit::parse(unit).ok(),
    }
}

#[expect(clippy::too_many_arguments, reason = "each is a part of a data point")]
fn sleep(
    importer: &mut Importer<'_>,
    user: &UserId,
    source: &str,
    place: Place<'_>,
    id: Option<&str>,
    body: &Map<String, Value>,
    asleep: &Value,
    frame: Frame,
) -> Result<(), ImportError> {
    let part = |key: &str| minutes_of(body.get(key));
    let durations = (|| {
        let asleep = minutes_of(Some(asleep))?.ok_or_else(|| {
            let message = "the sleep has no duration with a unit".to_owned();
            (RejectReason::WrongUnit, message)
        })?;
        let parts = (part("deep_sleep_duration")?, part("rem_sleep_duration")?);
        Ok((asleep, parts, part("wake_after_sleep_onset")?))
    })();
    let (asleep, (deep, rem), awake) = match durations {
        Ok(durations) => durations,
        Err(fault) => return importer.reject(place.reject(fault)),
    };
    if frame
        .minutes()
        .is_some_and(|length| asleep > length + TOLERANCE)
    {
        let message = "the sleep is longer than its time frame".to_owned();
        return importer.reject(place.reject((RejectReason::Contradiction, message)));
    }
    let id = id.map_or_else(|| frame.at.id(), str::to_owned);
    if let Moment::Date(day) = frame.at {
        let reading = Reading::of_morning(M::SleepDuration, asleep, Unit::Minutes, day);
        return importer.reading(user, source, place, reading.id(format!("sleep-{id}")));
    }
    let night = Night {
        asleep: Some(asleep),
        deep,
        rem,
        awake,
        ..Night::new(id, frame.at, frame.until)
    };
    importer.night(user, source, place, &night)
}

fn activity_of(
    body: &Map<String, Value>,
    name: &str,
    source: &str,
    id: Option<&str>,
    frame: Frame,
) -> Result<Activity, Fault> {
    let told = Told {
        until: frame.until,
        ..Told::at(frame.at)
    };
    let id = id.map_or_else(
        || format!("activity-{}-{}", frame.at.id(), crate::words::letters(name)),
        |id| format!("activity-{id}"),
    );
    let provenance = Provenance::told(shortened(source), shortened(&id), told);
    let duration = minutes_of(body.get("duration"))?;
    let energy = quantity(body.get("kcal_burned"))?;
    let moved = quantity(body.get("base_movement_quantity"))?;
    Ok(Activity {
        intensity: intensity(fields::text(body, "reported_activity_intensity")),
        duration_minutes: duration.or_else(|| frame.minutes()),
        energy_kcal: energy
            .and_then(|(energy, unit)| Unit::parse(unit).ok()?.convert(energy, Unit::Kilocalories)),
        distance_m: metres_of(body.get("distance"))?,
        steps: moved.and_then(|(count, unit)| (unit == "steps").then_some(count)),
        ..bare_workout(provenance, sport(name).unwrap_or(ActivityType::Other))
    })
}
