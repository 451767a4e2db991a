//! The body of a JSON file: metrics with their points, and workouts, one by one.
//!
//! The name of a metric may stand after its points, so a file is read twice: for the names, then for the
//! points. Nothing is longer in memory than one point or workout, of which only some fields are kept.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::rc::Rc;

/// Longest point or workout, bytes.
const LONGEST: u64 = 32 << 20;
/// Most metrics of a file.
const MOST_METRICS: usize = 10_000;
/// Fields of points and workouts that have a meaning here.
const FIELDS: &[&str] = &[
    "date",
    "qty",
    "Min",
    "Avg",
    "Max",
    "source",
    "value",
    "systolic",
    "diastolic",
    "startDate",
    "endDate",
    "start",
    "end",
    "asleep",
    "totalSleep",
    "core",
    "deep",
    "rem",
    "awake",
    "inBed",
    "sleepStart",
    "sleepEnd",
    "inBedEnd",
    "sleepSource",
    "id",
    "name",
    "duration",
    "activeEnergy",
    "activeEnergyBurned",
    "distance",
    "stepCount",
    "avgHeartRate",
    "maxHeartRate",
    "heartRate",
];

/// Name and unit of a metric.
#[derive(Debug, Clone, Default)]
pub(super) struct Metric {
    pub(super) name: String,
    pub(super) units: String,
}

/// What a body holds.
pub(super) enum Item<'m> {
    /// A point of a metric. `None` if it is not an object.
    Point(&'m Metric, Option<Map<String, Value>>),
    /// The points of a metric are complete.
    End,
    /// A workout.
    Workout(Option<Map<String, Value>>),
    /// An element of another list: a state of mind, a recording.
    Other,
}

/// What is done with an item; the number of bytes read so far comes with it. An error ends reading.
type Handle<'h> = dyn FnMut(Item<'_>, u64) -> Result<(), ()> + 'h;

/// Reads a body; what is wrong with it, if anything.
pub(super) fn read(path: &Path, handle: &mut Handle<'_>) -> std::io::Result<Result<(), String>> {
    let mut metrics = Vec::new();
    let first = walk(path, &mut metrics, None)?;
    // What comes before damage is read.
    let second = walk(path, &mut metrics, Some(handle))?;
    Ok(first.and(second))
}

fn walk(
    path: &Path,
    metrics: &mut Vec<Metric>,
    handle: Option<&mut Handle<'_>>,
) -> std::io::Result<Result<(), String>> {
    let counts = Rc::new(Counts::default());
    let mut file = Capped {
        file: File::open(path)?,
        counts: Rc::clone(&counts),
    };
    counts.left.set(LONGEST);
    let mut head = [0; 3];
    let mut length = 0;
    while length < head.len() {
        match file.read(&mut head[length..])? {
            0 => break,
            read => length += read,
        }
    }
    let head = &head[..length];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let text = BufReader::with_capacity(1 << 16, head.chain(file));
    let mut json = serde_json::Deserializer::from_reader(text);
    let mut walk = Walk {
        metrics,
        handle,
        next: 0,
        counts,
    };
    let read = (Body {
        walk: &mut walk,
        depth: 0,
    })
    .deserialize(&mut json);
    Ok(read.map_err(|error| {
        if error.is_io() {
            "a point or workout is longer than 32 MiB".to_owned()
        } else {
            format!("it is not JSON from line {} on", error.line())
        }
    }))
}

/// Bytes that may still be read, and those that were.
#[derive(Debug, Default)]
struct Counts {
    left: Cell<u64>,
    read: Cell<u64>,
}

/// A file of which only so many bytes can be read until more are granted.
struct Capped {
    file: File,
    counts: Rc<Counts>,
}

impl Read for Capped {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.counts.left.get();
        if left == 0 {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let read = self.file.read(buffer)?;
        self.counts.left.set(left.saturating_sub(read as u64));
        self.counts.read.set(self.counts.read.get() + read as u64);
        Ok(read)
    }
}

struct Walk<'w, 'h> {
    metrics: &'w mut Vec<Metric>,
    /// `None` while the names are read.
    handle: Option<&'w mut Handle<'h>>,
    next: usize,
    counts: Rc<Counts>,
}

impl Walk<'_, '_> {
    fn tell<E: Error>(&mut self, item: Item<'_>) -> Result<(), E> {
        self.counts.left.set(LONGEST);
        let read = self.counts.read.get();
        match &mut self.handle {
            Some(handle) => handle(item, read).map_err(|()| E::custom("stopped")),
            None => Ok(()),
        }
    }
}

/// The outermost object, or `data` in it.
struct Body<'b, 'w, 'h> {
    walk: &'b mut Walk<'w, 'h>,
    depth: usize,
}

/// `metrics`.
struct Metrics<'b, 'w, 'h>(&'b mut Walk<'w, 'h>);

/// A metric.
struct OneMetric<'b, 'w, 'h>(&'b mut Walk<'w, 'h>);

/// Points of a metric, by its number.
struct Points<'b, 'w, 'h>(&'b mut Walk<'w, 'h>, usize);

/// `workouts`.
struct Workouts<'b, 'w, 'h>(&'b mut Walk<'w, 'h>);

/// A list that has no meaning here.
struct Others<'b, 'w, 'h>(&'b mut Walk<'w, 'h>);

/// Some fields of an object; `None` for anything else.
struct Fields;

/// Implements a seed by its visitor.
macro_rules! seed {
    ($($name:ident),+) => {$(
        impl<'de> DeserializeSeed<'de> for $name<'_, '_, '_> {
            type Value = ();

            fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
                json.deserialize_any(self)
            }
        }
    )+};
}
seed!(Body, Metrics, OneMetric, Points, Workouts, Others);

/// Accepts values of other kinds and leaves them out.
macro_rules! others_are_nothing {
    ($value:expr) => {
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a body of Health Auto Export")
        }

        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok($value)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok($value)
        }
    };
}

/// Leaves a list out.
fn ignore_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Leaves an object out.
fn ignore_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<(), A::Error> {
    while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de> Visitor<'de> for Body<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        // Several bodies may stand in a list.
        if self.depth > 1 {
            return ignore_list(list);
        }
        let depth = self.depth + 1;
        while list
            .next_element_seed(Body {
                walk: &mut *self.walk,
                depth,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        while let Some(key) = object.next_key::<String>()? {
            match key.as_str() {
                "data" if self.depth < 3 => {
                    let depth = self.depth + 1;
                    object.next_value_seed(Body {
                        walk: &mut *self.walk,
                        depth,
                    })?;
                }
                "metrics" => object.next_value_seed(Metrics(&mut *self.walk))?,
                "workouts" => object.next_value_seed(Workouts(&mut *self.walk))?,
                _ => object.next_value_seed(Others(&mut *self.walk))?,
            }
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Metrics<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(OneMetric(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        ignore_object(object)
    }
}

impl<'de> Visitor<'de> for OneMetric<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<(), A::Error> {
        ignore_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let number = self.0.next;
        self.0.next += 1;
        let is_first_time = self.0.handle.is_none();
        if is_first_time {
            if number >= MOST_METRICS {
                return Err(A::Error::custom("too many metrics"));
            }
            self.0.metrics.push(Metric::default());
        }
        while let Some(key) = object.next_key::<String>()? {
            match key.as_str() {
                "name" | "units" if is_first_time => {
                    let Value::String(text) = object.next_value::<Value>()? else {
                        continue;
                    };
                    if let Some(metric) = self.0.metrics.get_mut(number) {
                        if key == "name" {
                            metric.name = text;
                        } else {
                            metric.units = text;
                        }
                    }
                }
                "data" => {
                    object.next_value_seed(Points(&mut *self.0, number))?;
                }
                _ => drop(object.next_value::<IgnoredAny>()?),
            }
            self.0.counts.left.set(LONGEST);
        }
        if is_first_time {
            Ok(())
        } else {
            self.0.tell(Item::End)
        }
    }
}

impl<'de> Visitor<'de> for Points<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some(metric) = self.0.metrics.get(self.1).cloned() else {
            return ignore_list(list);
        };
        if self.0.handle.is_none() {
            while list.next_element::<IgnoredAny>()?.is_some() {
                self.0.counts.left.set(LONGEST);
            }
            return Ok(());
        }
        while let Some(point) = list.next_element_seed(Fields)? {
            self.0.tell(Item::Point(&metric, point))?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        ignore_object(object)
    }
}

impl<'de> Visitor<'de> for Workouts<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(workout) = list.next_element_seed(Fields)? {
            self.0.tell(Item::Workout(workout))?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        ignore_object(object)
    }
}

impl<'de> Visitor<'de> for Others<'_, '_, '_> {
    type Value = ();
    others_are_nothing!(());

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {
            self.0.tell(Item::Other)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<(), A::Error> {
        ignore_object(object)
    }
}

impl<'de> DeserializeSeed<'de> for Fields {
    type Value = Option<Map<String, Value>>;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Option<Map<String, Value>>;
    others_are_nothing!(None);

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        ignore_list(list).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            if FIELDS.contains(&key.as_str()) {
                fields.insert(key, object.next_value()?);
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Some(fields))
    }
}
