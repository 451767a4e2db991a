//! FHIR R4: bundles, single resources, and bulk data (NDJSON, a resource per line). Observations are read.
//!
//! What an observation measures, its LOINC code says; its unit is the UCUM code of the quantity. Values of
//! panels are in `component`. Observations with the status `entered-in-error` or `cancelled` are left out, with
//! all their versions; of the same observation, a corrected version counts. Times may be an instant, a period, or a date; a month
//! or a year alone is no day.
//!
//! LOINC 80404-7 is SDNN, but several programs write RMSSD with it: that is believed if the method, the
//! text or the device says so. A resting heart rate over a period of days is a mean of a week and left out.
//! Any heart rate (8867-4), energy of an unspecified time, weight and body temperature are left out.

mod codes;

use crate::batch::Importer;
use crate::dates;
use crate::error::ImportError;
use crate::fields::{self, Object};
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::objects::each_object;
use crate::one_person::OnePerson;
use crate::readings::{Place, Reading};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::Fault;
use crate::time::{DateOrder, Stamp, iso};
use chrono::{DateTime, TimeDelta, Utc};
use codes::{Code, code_of, unit_of};
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use vitalcast_domain::{MetricType, Moment, ReadingKind, Unit, UserId};

const SOURCE: &str = "fhir";
/// Longest period of a value of a day or a session, hours.
const LONGEST_HOURS: i64 = 36;
/// Kilocalories of a day that nobody has: such a number is in calories.
const NO_KILOCALORIES: f64 = 25_000.0;

/// Resources of FHIR R4.
pub(crate) static READER: FormatReader = FormatReader {
    word: "fhir",
    title: "FHIR R4",
    export: "A bundle (JSON) or bulk data (`.ndjson`) of a health record or an app.",
    gives: &[
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`Observation`, LOINC 40443-4",
            unit: "UCUM code",
            note: "not over a period of several days",
        },
        Gives {
            what: "HEART_RATE_VARIABILITY_SDNN, HEART_RATE_VARIABILITY_RMSSD",
            from: "LOINC 80404-7",
            unit: "UCUM code",
            note: "RMSSD if method, text or device says so, else SDNN",
        },
        Gives {
            what: "SLEEP_DURATION, DEEP_SLEEP_DURATION, REM_SLEEP_DURATION",
            from: "LOINC 93832-4, 93831-6, 93829-0",
            unit: "UCUM code (`h`, `min`)",
            note: "a time without a period is that of waking",
        },
        Gives {
            what: "STEPS, TOTAL_CALORIES, EXERCISE_MINUTES",
            from: "LOINC 41950-7 and 55423-8, 41979-6, 55411-3",
            unit: "UCUM code",
            note: "steps of 24 hours are totals and are not added to those of an unspecified time",
        },
        Gives {
            what: "OXYGEN_SATURATION, RESPIRATORY_RATE, BODY_FAT_PERCENTAGE, blood pressure",
            from: "LOINC 59408-5 and 2708-6, 9279-1, 41982-0, 8480-6, 8462-4",
            unit: "UCUM code",
            note: "also as components of a panel",
        },
    ],
    recognises: |sample| {
        Confidence::certain_if(sample.is_json(|keys| {
            keys.has("resourceType")
                && (keys.has_at(1, "resourceType")
                    || keys.has_at(2, "resourceType")
                    || keys.has("resource"))
        }))
    },
    read: Read::Together(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has("resource") || (columns.has("resourceType") && !columns.has("entry"))
}

fn read(importer: &mut Importer<'_>, files: &[PathBuf]) -> Result<(), ImportError> {
    // Of a paged answer, each page is a file.
    let person = RefCell::new(OnePerson::default());
    let seen = RefCell::new(Seen {
        withdrawn: withdrawn(files),
        ..Seen::default()
    });
    importer.each(files, |importer, path| {
        read_file(importer, path, &person, &mut seen.borrow_mut())
    })
}

/// What was read of all files.
#[derive(Default)]
struct Seen {
    /// Hashes of metric, time and value: the same observation may be contained in another resource.
    values: HashSet<u64>,
    /// Hashes of ids that had a corrected version.
    corrected: HashSet<u64>,
    /// Ids of observations that a later version withdraws.
    withdrawn: HashSet<String>,
}

/// The ids of observations of which a version says that they were entered in error. What cannot be read is
/// told when it is read.
fn withdrawn(files: &[PathBuf]) -> HashSet<String> {
    let mut ids = HashSet::new();
    for path in files {
        let _ = crate::objects::first_look(path, &is_known, |_, object| {
            let inner = object.get("resource").and_then(Value::as_object);
            let resource = inner.unwrap_or(object);
            if is_withdrawn(resource) {
                ids.insert(id_of(resource));
            }
            Ok(())
        });
    }
    ids.remove("");
    ids
}

fn is_withdrawn(observation: &Map<String, Value>) -> bool {
    let status = fields::text(observation, "status");
    matches!(status, "entered-in-error" | "cancelled")
}

fn read_file(
    importer: &mut Importer<'_>,
    path: &Path,
    person: &RefCell<OnePerson>,
    seen: &mut Seen,
) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    each_object::<Object>(importer, path, &is_known, |importer, place, mut object| {
        if fields::text(&object, "relation") == "next" {
            importer.note(
                "a bundle is one page of several: the others must be fetched and imported too"
                    .to_owned(),
            );
            return Ok(());
        }
        let resource = match object.remove("resource") {
            Some(Value::Object(resource)) => resource,
            Some(_) | None => object,
        };
        resource_of(importer, &user, place, &resource, person, seen, 0)
    })
}

/// Most levels of bundles and contained resources.
const MOST_LEVELS: u32 = 4;

fn resource_of(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    resource: &Map<String, Value>,
    person: &RefCell<OnePerson>,
    seen: &mut Seen,
    level: u32,
) -> Result<(), ImportError> {
    if level > MOST_LEVELS {
        return Ok(());
    }
    if fields::text(resource, "resourceType") == "Observation" {
        let subject = string_at(resource, &["subject", "reference"]);
        if person.borrow_mut().is_owner(importer, subject) {
            observation(importer, user, place, resource, seen)?;
        }
    }
    let list = |key: &str| {
        resource
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let entries = list("entry").filter_map(|entry| entry.get("resource"));
    for inner in entries.chain(list("contained")) {
        if let Value::Object(inner) = inner {
            resource_of(importer, user, place, inner, person, seen, level + 1)?;
        }
    }
    Ok(())
}

/// The text at the end of a path of keys; empty if there is none.
fn string_at<'v>(object: &'v Map<String, Value>, keys: &[&str]) -> &'v str {
    let Some((first, rest)) = keys.split_first() else {
        return "";
    };
    let found = rest
        .iter()
        .try_fold(object.get(*first), |value, key| Some(value?.get(*key)))
        .flatten();
    found.and_then(Value::as_str).map_or("", str::trim)
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn observation(
    importer: &mut Importer<'_>,
    user: &UserId,
    place: Place<'_>,
    observation: &Map<String, Value>,
    seen: &mut Seen,
) -> Result<(), ImportError> {
    let status = fields::text(observation, "status");
    if is_withdrawn(observation) || seen.withdrawn.contains(&id_of(observation)) {
        importer.skip(SkipReason::NotRead);
        return Ok(());
    }
    let components = observation.get("component").and_then(Value::as_array);
    let parts = components
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    let mut is_read = false;
    let device = device_of(observation);
    let source = if device.is_empty() {
        SOURCE.to_owned()
    } else {
        format!("{SOURCE}/{device}")
    };
    for part in std::iter::once(observation).chain(parts) {
        let Some(code) = part.get("code").and_then(code_of) else {
            continue;
        };
        let quantity = part.get("valueQuantity").and_then(Value::as_object);
        let Some(quantity) = quantity else {
            continue;
        };
        is_read = true;
        let metric = metric_of(importer, code, observation, &device);
        let reading = quantity_of(quantity, metric)
            .and_then(|(value, unit)| timed(observation, code, metric, value, unit));
        let (reading, at, value) = match reading {
            Ok(Some(read)) => read,
            Ok(None) => {
                importer.skip(SkipReason::NotRead);
                continue;
            }
            Err(fault) => {
                importer.reject(place.reject(fault))?;
                continue;
            }
        };
        // A contained resource has an id of its own only within the other one.
        let own = id_of(observation);
        let is_corrected = matches!(status, "amended" | "corrected");
        let named = if own.is_empty() { at.id() } else { own.clone() };
        let key = hash(&(&named, metric, &source));
        if !is_corrected && seen.corrected.contains(&key) {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        if is_corrected {
            seen.corrected.insert(key);
        }
        if !seen
            .values
            .insert(hash(&(metric, at.id(), value.to_bits(), &source)))
        {
            importer.skip(SkipReason::Repeated);
            continue;
        }
        let name = metric.as_str().to_ascii_lowercase();
        let id = format!("{name}-{named}");
        let updated = match iso(string_at(observation, &["meta", "lastUpdated"])) {
            Some(Stamp::Instant(at, _)) => Some(at),
            Some(Stamp::Wall(_) | Stamp::Day(_)) | None => None,
        };
        importer.reading(user, &source, place, reading.id(id).updated(updated))?;
    }
    if !is_read {
        importer.skip(SkipReason::NotRead);
    }
    Ok(())
}

/// The best key of an observation: an identifier, else the id of the resource.
fn id_of(observation: &Map<String, Value>) -> String {
    let identifiers = observation.get("identifier").and_then(Value::as_array);
    let identifier = identifiers
        .and_then(|list| list.first())
        .and_then(|identifier| identifier.get("value"))
        .and_then(Value::as_str);
    let id = fields::text(observation, "id");
    let id = if id.starts_with('#') { "" } else { id };
    identifier.map_or(id, str::trim).to_owned()
}

/// Name of the device or program that measured.
fn device_of(observation: &Map<String, Value>) -> String {
    let display = string_at(observation, &["device", "display"]);
    if display.is_empty() {
        string_at(observation, &["device", "reference"]).to_owned()
    } else {
        display.to_owned()
    }
}

/// The metric of a code. HRV is what method, text and device say it is.
fn metric_of(
    importer: &mut Importer<'_>,
    code: Code,
    observation: &Map<String, Value>,
    device: &str,
) -> MetricType {
    if code != Code::Variability {
        return code.metric();
    }
    let of = |key: &str| {
        observation
            .get(key)
            .map(Value::to_string)
            .unwrap_or_default()
    };
    let said = [of("code"), of("method"), of("note"), of("meta")].concat() + device;
    let said = said.to_lowercase();
    if said.contains("sdnn") {
        return MetricType::HeartRateVariabilitySdnn;
    }
    // These devices measure RMSSD only.
    let is_rmssd = ["rmssd", "successive", "oura", "whoop", "fitbit", "garmin"]
        .iter()
        .any(|word| said.contains(word));
    if is_rmssd {
        return MetricType::HeartRateVariabilityRmssd;
    }
    importer.note(
        "HRV with LOINC 80404-7 is read as SDNN where nothing says RMSSD: some programs write RMSSD \
         with that code"
            .to_owned(),
    );
    MetricType::HeartRateVariabilitySdnn
}

fn quantity_of(quantity: &Map<String, Value>, metric: MetricType) -> Result<(f64, Unit), Fault> {
    let value = fields::amount(quantity, "value")?;
    let value = value.ok_or_else(|| crate::numbers::bad("valueQuantity.value"))?;
    let code = fields::text(quantity, "code");
    let word = if code.is_empty() {
        fields::text(quantity, "unit")
    } else {
        code
    };
    if word == "cal" && metric.unit() == Unit::Kilocalories && value > NO_KILOCALORIES {
        return Ok((value / 1_000.0, Unit::Kilocalories));
    }
    let unit = unit_of(word, metric)
        .or_else(|| unit_of(fields::text(quantity, "unit"), metric))
        .ok_or_else(|| {
            let message =
                format!("the unit of {metric} is none that is known, expected a UCUM code");
            (RejectReason::WrongUnit, message)
        })?;
    Ok((value, unit))
}

type Timed = (Reading, Moment, f64);

/// A reading at the time that counts for it; `None` if it is of no single day.
fn timed(
    observation: &Map<String, Value>,
    code: Code,
    metric: MetricType,
    value: f64,
    unit: Unit,
) -> Result<Option<Timed>, Fault> {
    let period = observation
        .get("effectivePeriod")
        .and_then(Value::as_object);
    let moment = |text: &str| dates::moment(text, DateOrder::Unknown, "the effective time");
    let (at, until) = match period {
        Some(period) => {
            let (start, end) = (fields::text(period, "start"), fields::text(period, "end"));
            match (start, end) {
                ("", end) => (moment(end)?, None),
                (start, "") => (moment(start)?, None),
                (start, end) => (moment(start)?, Some(moment(end)?)),
            }
        }
        None => {
            let date = fields::text(observation, "effectiveDateTime");
            let date = if date.is_empty() {
                fields::text(observation, "effectiveInstant")
            } else {
                date
            };
            (moment(date)?, None)
        }
    };
    if until.is_some_and(|until| rough(until) - rough(at) > TimeDelta::hours(LONGEST_HOURS)) {
        return Ok(None);
    }
    let is_of_night = metric.is_of_the_night();
    let reading = match (at, until) {
        (Moment::Date(day), None) if is_of_night => Reading::of_morning(metric, value, unit, day),
        (Moment::Date(day), Some(Moment::Date(end))) if is_of_night => {
            Reading::of_morning(metric, value, unit, day.max(end))
        }
        (Moment::Date(day), _) => Reading::of_day(metric, value, unit, day),
        (at, until) => {
            let mut reading = Reading::at(metric, value, unit, at);
            if let Some(until) = until {
                reading = reading.until(until);
            }
            if is_of_night {
                reading = reading.kind(ReadingKind::Session);
            } else if code.is_of_a_day() {
                reading = reading.kind(ReadingKind::DayTotal);
            }
            reading
        }
    };
    Ok(Some((reading, at, value)))
}

/// A time to compare others with.
fn rough(moment: Moment) -> DateTime<Utc> {
    match moment {
        Moment::Instant { at, .. } => at,
        Moment::Clock(local) => local.and_utc(),
        Moment::Date(day) => day.and_time(chrono::NaiveTime::MIN).and_utc(),
    }
}
