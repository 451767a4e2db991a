//! Nightscout's `treatments` (JSON): carbohydrates as meals.
//!
//! `created_at` is UTC, or `date` is seconds or milliseconds since 1970; `utcOffset` are minutes of the
//! person's clock, where 0 is what servers write. Pump, loop and phone write the same meal: the same grams
//! within some minutes are one, the earliest. A `Carb Correction` treats low sugar and is no meal. Deleted
//! treatments (`isValid` false) are left out. Carbohydrates alone are no energy: none is derived.

use crate::batch::Importer;
use crate::diary::{Eaten, meal};
use crate::error::ImportError;
use crate::fields::{self, Object};
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::objects::each_object;
use crate::readings::{Place, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::Fault;
use crate::time::{Stamp, iso};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;
use vitalcast_domain::{Moment, Provenance, Record, Told};

const SOURCE: &str = "nightscout";
/// Minutes within which the same grams are the same meal.
const SAME_MEAL_MINUTES: i64 = 10;

/// The treatments of Nightscout.
pub(crate) static READER: FormatReader = FormatReader {
    word: "nightscout",
    title: "Nightscout",
    export: "The answer of `/api/v1/treatments.json?count=…` or `/api/v3/treatments`, or the collection `treatments` \
             of its database as JSON.",
    gives: &[Gives {
        what: "meals",
        from: "`created_at` or `date`, `carbs`, `protein`, `fat`",
        unit: "g",
        note: "without energy; corrections of low sugar and repeated entries are left out",
    }],
    recognises: |sample| Confidence::certain_if(sample.is_json(|keys| keys.pass(is_known))),
    read: Read::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    // Version 3 of the API may give `date` alone.
    let has_id = ["identifier", "_id", "utcOffset", "enteredBy"]
        .iter()
        .any(|name| columns.has(name));
    columns.has("eventType") && (columns.has("created_at") || (columns.has("date") && has_id))
}

/// A meal before repeated ones are left out.
struct Found {
    eaten: Eaten,
    name: String,
    id: String,
    offset_seconds: Option<i32>,
    line: u64,
    updated: Option<DateTime<Utc>>,
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut meals: BTreeMap<(DateTime<Utc>, String), Found> = BTreeMap::new();
    each_object::<Object>(
        importer,
        path,
        &is_known,
        |importer, place, object| match treatment(&object, place.line) {
            Ok(Some((at, found))) => {
                if meals.insert((at, found.id.clone()), found).is_some() {
                    importer.skip(SkipReason::Repeated);
                }
                Ok(())
            }
            Ok(None) => {
                importer.skip(SkipReason::NothingEaten);
                Ok(())
            }
            Err(fault) => importer.reject(place.reject(fault)),
        },
    )?;
    let mut last: BTreeMap<u64, DateTime<Utc>> = BTreeMap::new();
    for ((at, id), found) in meals {
        let key = found.eaten.grams[1].unwrap_or(0.0).to_bits();
        let is_same = last
            .get(&key)
            .is_some_and(|last| at - *last <= TimeDelta::minutes(SAME_MEAL_MINUTES));
        if is_same {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        last.insert(key, at);
        let told = Told {
            updated_at: found.updated,
            ..Told::at(Moment::Instant {
                at,
                offset_seconds: found.offset_seconds,
            })
        };
        let id = if id.is_empty() {
            format!("meal-{}", Moment::instant(at).id())
        } else {
            id
        };
        let provenance = Provenance::told(SOURCE, shortened(&id), told);
        let record = Record::Meal(meal(provenance, Some(found.name), &found.eaten));
        let place = Place {
            file: path,
            line: found.line,
        };
        importer.checked(&user, place, record)?;
    }
    Ok(())
}

/// The meal of a treatment; `None` if it is none.
fn treatment(
    object: &Map<String, Value>,
    line: u64,
) -> Result<Option<(DateTime<Utc>, Found)>, Fault> {
    let amount = |key: &str| fields::amount(object, key);
    let eaten = Eaten {
        energy_kcal: None,
        grams: [
            amount("protein")?,
            amount("carbs")?,
            amount("fat")?,
            None,
            None,
        ],
    };
    let is_deleted = object.get("isValid") == Some(&Value::Bool(false));
    let event = fields::text(object, "eventType");
    if eaten.is_nothing() || is_deleted || event.eq_ignore_ascii_case("carb correction") {
        return Ok(None);
    }
    let date = match object.get("date") {
        Some(Value::Number(date)) => date.to_string(),
        Some(Value::String(date)) => date.clone(),
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
            String::new()
        }
    };
    let created = fields::text(object, "created_at");
    let (at, written) = [created, date.as_str()]
        .into_iter()
        .find_map(|text| match iso(text) {
            Some(Stamp::Instant(at, offset)) => Some((at, offset)),
            // Without a zone it is UTC, as the server writes it.
            Some(Stamp::Wall(wall)) => Some((wall.and_utc(), None)),
            Some(Stamp::Day(_)) | None => None,
        })
        .ok_or_else(|| {
            let message = "created_at is not a time, expected for example 2024-01-31T07:00:00Z";
            (RejectReason::BadTime, message.to_owned())
        })?;
    let said = |key: &str| amount(key).ok().flatten();
    let minutes = said("utcOffset").filter(|minutes| minutes.abs() <= 15.0 * 60.0);
    let offset = minutes.map(|minutes| (minutes * 60.0) as i32);
    let updated =
        said("srvModified").and_then(|millis| DateTime::from_timestamp_millis(millis as i64));
    let id = [
        fields::text(object, "identifier"),
        fields::text(object, "_id"),
    ];
    let id = id.into_iter().find(|id| !id.is_empty()).unwrap_or("");
    Ok(Some((
        at,
        Found {
            eaten,
            name: fields::text(object, "foodType").to_owned(),
            id: id.to_owned(),
            offset_seconds: written.or(offset).filter(|offset| *offset != 0),
            line,
            updated,
        },
    )))
}
