//! Points, nights and workouts of a JSON body.

use super::collected::{Collected, Point, VENDOR, When};
use super::kind_of;
use crate::batch::Importer;
use crate::dates::minutes_of;
use crate::fields;
use crate::healthkit::{Type, metres};
use crate::readings::{Night, shortened};
use crate::report::{RejectReason, SkipReason};
use crate::sleep::{Interval, Stage};
use crate::sports::sport;
use crate::table::Fault;
use crate::time::{Stamp, iso};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use vitalcast_domain::{
    Activity, ActivityType, MetricType, Moment, Provenance, Record, Told, Unit,
};

/// Fields of an object.
pub(super) struct Fields<'f>(pub(super) &'f Map<String, Value>);

impl Fields<'_> {
    fn text(&self, name: &str) -> &str {
        self.0
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .trim()
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        fields::amount(self.0, name)
    }

    /// A time with the offset of the phone; without one it is the person's clock.
    fn when(&self, names: &[&str]) -> Option<When> {
        names.iter().find_map(|name| when(self.text(name)))
    }

    /// A quantity in an object of its own, or a sum over a list of them, with its unit.
    fn quantity(&self, name: &str) -> Result<Option<(f64, String)>, Fault> {
        let values = match self.0.get(name) {
            Some(Value::Array(list)) => list.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => &[],
        };
        let mut sum: Option<(f64, String)> = None;
        for fields in values.iter().filter_map(Value::as_object) {
            let Some(more) = fields::amount(fields, "qty")? else {
                continue;
            };
            match &mut sum {
                Some(sum) => sum.0 += more,
                None => sum = Some((more, fields::text(fields, "units").to_owned())),
            }
        }
        Ok(sum)
    }
}

/// A time as the phone writes it.
pub(super) fn when(text: &str) -> Option<When> {
    match iso(text)? {
        Stamp::Instant(at, offset) => {
            // The phone writes its own clock, also where that is UTC; only `Z` says nothing.
            let offset = offset.or((!text.ends_with(['Z', 'z'])).then_some(0));
            Some(When {
                moment: Moment::Instant {
                    at,
                    offset_seconds: offset,
                },
                local: at.naive_utc() + TimeDelta::seconds(i64::from(offset.unwrap_or(0))),
            })
        }
        Stamp::Wall(local) => Some(When {
            moment: Moment::Clock(local),
            local,
        }),
        Stamp::Day(day) => {
            let local = day.and_time(chrono::NaiveTime::MIN);
            Some(When {
                moment: Moment::Clock(local),
                local,
            })
        }
    }
}

fn no_time() -> Fault {
    let message = "the entry has no time that can be read".to_owned();
    (RejectReason::BadTime, message)
}

/// Takes in a point of a metric.
pub(super) fn point(
    fields: &Fields<'_>,
    name: &str,
    units: &str,
    collected: &mut Collected,
    importer: &mut Importer<'_>,
) -> Result<(), Fault> {
    let letters = crate::words::letters(name);
    let of = kind_of(&letters);
    if of == Type::Unused {
        importer.skip(SkipReason::NotRead);
        return Ok(());
    }
    if of == Type::Sleep {
        return sleep(fields, units, collected, importer);
    }
    let at = fields
        .when(&["date", "startDate", "start"])
        .ok_or_else(no_time)?;
    let source = collected.named(fields.text("source"));
    let mut add = |collected: &mut Collected, of, value: Option<f64>| {
        let Some(value) = value else {
            importer.skip(SkipReason::Missing);
            return Ok(());
        };
        if !collected.add(of, units, Point { at, source, value }, importer)? {
            importer.skip(SkipReason::Missing);
        }
        Ok(())
    };
    match (letters.as_str(), of) {
        ("bloodpressure", _) => {
            // Each has an end of its own, so that they are not one metric.
            for (field, metric) in [
                ("systolic", MetricType::BloodPressureSystolic),
                ("diastolic", MetricType::BloodPressureDiastolic),
            ] {
                add(collected, Type::Sample(metric), fields.number(field)?)?;
                collected.end(Type::Sample(metric));
            }
            Ok(())
        }
        (_, Type::HeartRate) => {
            let rate = fields.number("Avg")?.or(fields.number("qty")?);
            add(collected, of, rate)
        }
        (_, Type::OfThePerson) => {
            if let Some(value) = fields.number("qty")? {
                person(&letters, value, units, at, collected);
            }
            Ok(())
        }
        _ => add(collected, of, fields.number("qty")?),
    }
}

/// Weight and height.
pub(super) fn person(letters: &str, value: f64, units: &str, at: When, collected: &mut Collected) {
    let key = at.local.and_utc().timestamp();
    let is_height = letters == "height";
    let unit = if is_height {
        Unit::Centimetres
    } else {
        Unit::Kilograms
    };
    let found = Unit::parse(units).ok();
    let converted = found.and_then(|found| found.convert(value, unit));
    let (known, range) = if is_height {
        (&mut collected.height, 30.0..=280.0)
    } else {
        (&mut collected.weight, 2.0..=700.0)
    };
    if let Some(value) = converted.filter(|value| range.contains(value))
        && known.is_none_or(|known| known.0 <= key)
    {
        *known = Some((key, value));
    }
}

/// A night that was added up, or one stage.
fn sleep(
    fields: &Fields<'_>,
    units: &str,
    collected: &mut Collected,
    importer: &Importer<'_>,
) -> Result<(), Fault> {
    let stage = fields.text("value");
    if !stage.is_empty() {
        let start = fields.when(&["startDate", "start"]).ok_or_else(no_time)?;
        let end = fields.when(&["endDate", "end"]).ok_or_else(no_time)?;
        importer.check_day(end.local.date())?;
        let stage = stage_of(stage).ok_or_else(|| {
            let message = "an unknown stage of sleep".to_owned();
            (RejectReason::UnknownWord, message)
        })?;
        let (start, offset) = instant_of(start).ok_or_else(no_time)?;
        let (end, _) = instant_of(end).ok_or_else(no_time)?;
        if end < start {
            let message = "the stage of sleep ends before it begins".to_owned();
            return Err((RejectReason::Reversed, message));
        }
        let source = collected.named(fields.text("source"));
        collected.stage(
            source,
            Interval {
                start,
                end,
                stage,
                offset_seconds: offset,
            },
        );
        return Ok(());
    }
    let name = match fields.text("sleepSource") {
        "" => fields.text("source"),
        name => name,
    };
    let source = collected.named(name);
    let end = fields.when(&["sleepEnd", "inBedEnd"]);
    let start = fields.when(&["sleepStart"]);
    let (at, until) = match (start, end) {
        (Some(start), Some(end)) => (start, Some(end)),
        (None, Some(end)) => (end, None),
        (_, None) => return Err(no_time()),
    };
    let hours = Hours {
        total: fields.number("totalSleep")?,
        asleep: fields.number("asleep")?,
        core: fields.number("core")?,
        deep: fields.number("deep")?,
        rem: fields.number("rem")?,
        awake: fields.number("awake")?,
        in_bed: fields.number("inBed")?,
    };
    let moment = match until {
        Some(_) => at.moment,
        None => Moment::Date(at.local.date()),
    };
    let night = hours.night(units, moment, until.map(|until| until.moment))?;
    collected.night(source, night);
    Ok(())
}

/// The instant of a time that says one.
fn instant_of(when: When) -> Option<(DateTime<Utc>, Option<i32>)> {
    match when.moment {
        Moment::Instant { at, offset_seconds } => Some((at, offset_seconds)),
        Moment::Clock(_) | Moment::Date(_) => None,
    }
}

fn stage_of(word: &str) -> Option<Stage> {
    Some(match crate::words::letters(word).as_str() {
        "core" | "light" => Stage::Light,
        "deep" => Stage::Deep,
        "rem" => Stage::Rem,
        "awake" => Stage::Awake,
        "asleep" | "unspecified" | "asleepunspecified" => Stage::Asleep,
        "inbed" => Stage::InBed,
        _ => return None,
    })
}

/// Parts of a night as the app adds them up.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Hours {
    pub(super) total: Option<f64>,
    pub(super) asleep: Option<f64>,
    pub(super) core: Option<f64>,
    pub(super) deep: Option<f64>,
    pub(super) rem: Option<f64>,
    pub(super) awake: Option<f64>,
    pub(super) in_bed: Option<f64>,
}

impl Hours {
    /// The night that they are. `asleep` is all of it in older versions, and only sleep without a stage in
    /// newer ones.
    pub(super) fn night(
        &self,
        units: &str,
        at: Moment,
        until: Option<Moment>,
    ) -> Result<Night, Fault> {
        let unit = Unit::parse(if units.is_empty() { "hr" } else { units }).ok();
        let minutes = |value: Option<f64>| unit?.convert(value?, Unit::Minutes);
        let stages = [self.core, self.deep, self.rem];
        let is_staged = stages.iter().flatten().any(|stage| *stage > 0.0);
        let of_stages = is_staged.then(|| {
            let parts = stages.iter().chain([&self.asleep]).flatten();
            parts.sum::<f64>()
        });
        let total = self.total.filter(|total| *total > 0.0);
        let asleep = minutes(total.or(of_stages).or(self.asleep));
        let length = match (at, until) {
            (Moment::Instant { at, .. }, Some(Moment::Instant { at: until, .. })) => {
                Some(minutes_of(until - at))
            }
            _ => None,
        };
        if let (Some(length), Some(asleep)) = (length, asleep)
            && asleep > length + 1.0
        {
            let message = "more sleep than time between falling asleep and waking".to_owned();
            return Err((RejectReason::Contradiction, message));
        }
        let staged = |value| minutes(value).filter(|_| is_staged);
        Ok(Night {
            asleep,
            deep: staged(self.deep),
            rem: staged(self.rem),
            awake: staged(self.awake),
            in_bed: minutes(self.in_bed).filter(|minutes| *minutes > 0.0),
            ..Night::new(at.id(), at, until)
        })
    }
}

/// Takes in a workout.
pub(super) fn workout(fields: &Fields<'_>, collected: &mut Collected) -> Result<(), Fault> {
    let start = fields.when(&["start", "startDate"]).ok_or_else(no_time)?;
    let end = fields.when(&["end", "endDate"]);
    let told = Told {
        until: end.map(|end| end.moment),
        ..Told::at(start.moment)
    };
    let name = fields.text("name");
    let id = match fields.text("id") {
        "" => format!("{}-{}", crate::words::letters(name), start.moment.id()),
        id => id.to_owned(),
    };
    let id = shortened(&format!("workout-{id}"));
    let elapsed = end.map(|end| minutes_of(end.local - start.local));
    // Seconds; without the pauses.
    let moving = fields.number("duration")?.map(|seconds| seconds / 60.0);
    let moving = moving.filter(|moving| elapsed.is_none_or(|elapsed| *moving <= elapsed + 1.0));
    let measured = |value: Option<f64>| value.filter(|value| *value > 0.0);
    let energy = match fields.quantity("activeEnergyBurned")? {
        None => fields.quantity("activeEnergy")?,
        found => found,
    };
    let energy = energy.and_then(|(value, word)| {
        let unit = Unit::parse(&word).ok()?;
        unit.convert(value, Unit::Kilocalories)
    });
    let rate = |name: &str, part: &str| -> Result<Option<f64>, Fault> {
        let in_object = fields.0.get("heartRate").and_then(Value::as_object);
        let found = match (fields.quantity(name)?, in_object) {
            (None, Some(rates)) => Fields(rates).quantity(part)?,
            (found, _) => found,
        };
        let found = found.and_then(|(value, word)| {
            let unit = Unit::parse(&word).unwrap_or(Unit::PerMinute);
            unit.convert(value, Unit::PerMinute)
        });
        Ok(measured(found))
    };
    let distance = fields.quantity("distance")?;
    let activity = Activity {
        provenance: Provenance::told(VENDOR, id.clone(), told),
        activity_type: sport(name).unwrap_or(ActivityType::Other),
        intensity: None,
        duration_minutes: measured(moving.or(elapsed)),
        energy_kcal: measured(energy),
        average_heart_rate: rate("avgHeartRate", "avg")?,
        max_heart_rate: rate("maxHeartRate", "max")?,
        distance_m: measured(distance.and_then(|(value, unit)| Some(value * metres(&unit)?))),
        steps: measured(fields.quantity("stepCount")?.map(|(steps, _)| steps)),
    };
    collected
        .workouts
        .insert((VENDOR.to_owned(), id), Record::Activity(activity));
    Ok(())
}
