//! Tidepool's export (JSON): a list of events of many types. Food, the carbohydrates of bolus calculators,
//! and physical activity are read.
//!
//! `time` is UTC, `deviceTime` the person's clock, `timezoneOffset` minutes between them. The calculator
//! (`wizard`) and an entry of food tell of the same meal: of those within a quarter of an hour, the food
//! counts. Carbohydrates alone are no energy: none is derived.

use crate::batch::Importer;
use crate::dates;
use crate::diary::{Eaten, meal};
use crate::error::ImportError;
use crate::fields::{self, Object};
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::healthkit::metres;
use crate::objects::each_object;
use crate::readings::{Place, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::sports::{intensity, sport};
use crate::table::Fault;
use crate::time::DateOrder;
use crate::workouts::bare_workout;
use chrono::{NaiveDateTime, TimeDelta};
use serde_json::{Map, Value};
use std::path::Path;
use vitalcast_domain::{Activity, ActivityType, Moment, Provenance, Record, Told, Unit, UserId};

const SOURCE: &str = "tidepool";
/// Minutes within which food and calculator tell of one meal.
const SAME_MEAL_MINUTES: i64 = 15;

/// The export of Tidepool.
pub(crate) static READER: FormatReader = FormatReader {
    word: "tidepool",
    title: "Tidepool",
    export: "On the site: the profile of a person, Export my data, as JSON.",
    gives: &[
        Gives {
            what: "meals",
            from: "`food`: `nutrition`; `wizard`: `carbInput`",
            unit: "g, kcal or kJ as named",
            note: "a calculator near an entry of food is the same meal",
        },
        Gives {
            what: "activities",
            from: "`physicalActivity`: `activityType`, `duration`, `distance`, `energy`",
            unit: "as named beside the value",
            note: "",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_json(|keys| {
            keys.has_all(&["type", "time"])
                && (keys.has("uploadId") || keys.has("deviceId"))
                && (keys.has("deviceTime") || keys.has("timezoneOffset"))
        }))
    },
    read: Read::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["type", "time"])
}

/// A meal with its time on the clock, or in UTC where the clock is not known.
struct Found {
    told: Told,
    clock: NaiveDateTime,
    is_food: bool,
    eaten: Eaten,
    name: String,
    meal: String,
    id: String,
    line: u64,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut meals: Vec<Found> = Vec::new();
    each_object::<Object>(importer, path, &is_known, |importer, place, object| {
        let outcome = match fields::text(&object, "type") {
            "food" => food(&object, place.line),
            "wizard" => calculator(&object, place.line),
            "physicalActivity" => return activity(importer, &user, place, &object),
            _ => {
                importer.skip(SkipReason::NotRead);
                return Ok(());
            }
        };
        match outcome {
            Ok(Some(found)) => meals.push(found),
            Ok(None) => importer.skip(SkipReason::NothingEaten),
            Err(fault) => importer.reject(place.reject(fault))?,
        }
        Ok(())
    })?;
    meals.sort_by(|left, right| (left.clock, &left.id).cmp(&(right.clock, &right.id)));
    let foods: Vec<NaiveDateTime> = meals
        .iter()
        .filter(|found| found.is_food)
        .map(|found| found.clock)
        .collect();
    let near = TimeDelta::minutes(SAME_MEAL_MINUTES);
    let mut last = None;
    for found in meals {
        let next = foods.partition_point(|food| *food < found.clock);
        let around = foods[next.saturating_sub(1)..].iter().take(2);
        let has_food = around
            .map(|food| *food - found.clock)
            .any(|by| by.abs() <= near);
        if (!found.is_food && has_food) || last.as_ref() == Some(&found.id) {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        last = Some(found.id.clone());
        let provenance = Provenance::told(SOURCE, shortened(&found.id), found.told);
        let mut record = meal(provenance, Some(found.name), &found.eaten);
        record.meal_type = crate::words::meal(&found.meal).or(record.meal_type);
        let place = Place {
            file: path,
            line: found.line,
        };
        importer.checked(&user, place, Record::Meal(record))?;
    }
    Ok(())
}

/// Time and id of an event.
fn told_of(object: &Map<String, Value>) -> Result<(Told, NaiveDateTime, String), Fault> {
    let time = dates::moment(fields::text(object, "time"), DateOrder::Unknown, "time");
    let clock = dates::moment(
        fields::text(object, "deviceTime"),
        DateOrder::Unknown,
        "deviceTime",
    );
    let minutes = fields::amount(object, "timezoneOffset").ok().flatten();
    let minutes = minutes.filter(|minutes| minutes.abs() <= 15.0 * 60.0);
    // The clock of the device is the person's; `timezoneOffset` may leave out how far it was set wrong.
    let minutes = match (&time, &clock) {
        (Ok(Moment::Instant { at, .. }), Ok(Moment::Clock(clock))) => {
            let ahead = (*clock - at.naive_utc()).as_seconds_f64() / 60.0;
            Some(ahead.round()).filter(|minutes| minutes.abs() <= 15.0 * 60.0)
        }
        (_, _) => minutes,
    };
    let (at, clock) = match (time, clock, minutes) {
        (Ok(Moment::Instant { at, .. }), _, Some(minutes)) => {
            let seconds = (minutes * 60.0) as i32;
            let clock = at
                .naive_utc()
                .checked_add_signed(TimeDelta::seconds(i64::from(seconds)));
            let moment = Moment::Instant {
                at,
                offset_seconds: Some(seconds),
            };
            (moment, clock.unwrap_or(at.naive_utc()))
        }
        (_, Ok(Moment::Clock(clock)), _) => (Moment::Clock(clock), clock),
        (Ok(Moment::Instant { at, .. }), _, None) => (Moment::instant(at), at.naive_utc()),
        (Err(fault), _, _) => return Err(fault),
        (Ok(Moment::Clock(_) | Moment::Date(_)), _, _) => {
            let message = "time is not a time in UTC, expected for example 2024-01-31T07:00:00Z";
            return Err((RejectReason::BadTime, message.to_owned()));
        }
    };
    let id = fields::text(object, "id");
    let id = if id.is_empty() {
        format!("{}-{}", fields::text(object, "type"), at.id())
    } else {
        id.to_owned()
    };
    Ok((Told::at(at), clock, id))
}

fn found(object: &Map<String, Value>, eaten: Eaten, line: u64) -> Result<Option<Found>, Fault> {
    if eaten.is_nothing() {
        return Ok(None);
    }
    let (told, clock, id) = told_of(object)?;
    Ok(Some(Found {
        told,
        clock,
        is_food: fields::text(object, "type") == "food",
        eaten,
        name: fields::text(object, "name").to_owned(),
        meal: fields::text(object, "meal").to_owned(),
        id,
        line,
    }))
}

fn food(object: &Map<String, Value>, line: u64) -> Result<Option<Found>, Fault> {
    let Some(nutrition) = object.get("nutrition") else {
        return Ok(None);
    };
    let amount = |path: &str| {
        let value = nutrition.pointer(path);
        value.map_or(Ok(None), |value| fields::number(value, &path[1..]))
    };
    let carbs = amount("/carbohydrate/net")?.or(amount("/carbohydrate/total")?);
    let energy = nutrition.get("energy").and_then(Value::as_object);
    let eaten = Eaten {
        energy_kcal: quantity(energy, Unit::Kilocalories)?,
        grams: [
            amount("/protein/total")?,
            carbs,
            amount("/fat/total")?,
            amount("/carbohydrate/dietaryFiber")?,
            amount("/carbohydrate/sugars")?,
        ],
    };
    found(object, eaten, line)
}

fn calculator(object: &Map<String, Value>, line: u64) -> Result<Option<Found>, Fault> {
    let unit = fields::text(object, "carbUnits");
    if unit.eq_ignore_ascii_case("exchanges") {
        let message = "carbInput is in exchanges, expected grams".to_owned();
        return Err((RejectReason::WrongUnit, message));
    }
    let mut eaten = Eaten::default();
    eaten.grams[1] = fields::amount(object, "carbInput")?;
    found(object, eaten, line)
}

/// A quantity in a unit.
fn quantity(object: Option<&Map<String, Value>>, target: Unit) -> Result<Option<f64>, Fault> {
    let Some(object) = object else {
        return Ok(None);
    };
    let value = fields::amount(object, "value")?;
    let unit = Unit::parse(fields::text(object, "units")).ok();
    Ok(unit
        .zip(value)
        .and_then(|(unit, value)| unit.convert(value, target)))
}

fn activity(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    object: &Map<String, Value>,
) -> Result<(), ImportError> {
    match activity_of(object) {
        Ok(activity) => importer.checked(user, place, Record::Activity(activity)),
        Err(fault) => importer.reject(place.reject(fault)),
    }
}

fn activity_of(object: &Map<String, Value>) -> Result<Activity, Fault> {
    let (told, _, id) = told_of(object)?;
    let part = |key: &str| object.get(key).and_then(Value::as_object);
    let kind = [
        fields::text(object, "activityType"),
        fields::text(object, "name"),
    ]
    .into_iter()
    .find_map(sport);
    let distance = part("distance");
    let metres = distance.and_then(|distance| metres(fields::text(distance, "units")));
    let length = match distance {
        Some(distance) => fields::amount(distance, "value")?,
        None => None,
    };
    Ok(Activity {
        intensity: intensity(fields::text(object, "reportedIntensity")),
        duration_minutes: quantity(part("duration"), Unit::Minutes)?,
        energy_kcal: quantity(part("energy"), Unit::Kilocalories)?,
        distance_m: length.zip(metres).map(|(length, metres)| length * metres),
        ..bare_workout(
            Provenance::told(SOURCE, shortened(&id), told),
            kind.unwrap_or(ActivityType::Other),
        )
    })
}
