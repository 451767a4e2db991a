//! A first look at an export for what has to be known before its records are read: the time zones that
//! it names, weight and height, and the first days of cycles. Only these entries are looked at.

use super::elements::time_of;
use crate::error::ImportError;
use crate::zones::{by_offset, fixed};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use memchr::memmem::{Finder, rfind};
use memchr::{memchr, memrchr};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use vitalcast_domain::{Profile, Unit, Zone, ZoneFrom};

/// Bytes read at a time.
const AT_ONCE: usize = 1 << 20;
/// Bytes kept before a place that is found, for the element that it belongs to.
const BEFORE: usize = 1 << 13;
/// Bytes that an entry may have after the place where it is found.
const AFTER: usize = 1 << 12;
/// Most zones that a profile may have.
const MOST_MOVES: usize = 400;
/// First and last second that counts: 1990 to 2100.
const SECONDS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// What an export says about a person.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// By local day: the last time with a zone, and the zone.
    zones: BTreeMap<NaiveDate, (DateTime<Utc>, Zone)>,
    /// Weight, kg, and height, cm, each with its time.
    weight: Option<(DateTime<Utc>, f64)>,
    height: Option<(DateTime<Utc>, f64)>,
    /// Time of the export, and its offset.
    made: Option<(DateTime<Utc>, i32)>,
    /// First entries of cycles, with their written offsets.
    cycles: BTreeSet<(DateTime<Utc>, Option<i32>)>,
}

impl Look {
    pub(super) fn at(path: &Path) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Read {
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(failed)?;
        let finders = [
            Finder::new("\"HKTimeZone\""),
            Finder::new("\"HKQuantityTypeIdentifierBodyMass\""),
            Finder::new("\"HKQuantityTypeIdentifierHeight\""),
            Finder::new("\"HKMenstrualCycleStart\""),
            Finder::new("<ExportDate"),
        ];
        let mut look = Self::default();
        let mut buffer: Vec<u8> = Vec::with_capacity(BEFORE + AT_ONCE);
        let mut from = 0;
        let mut passed = 0;
        loop {
            let read = (&mut file)
                .take(AT_ONCE as u64)
                .read_to_end(&mut buffer)
                .map_err(failed)?;
            let until = match read {
                0 => buffer.len(),
                _ => buffer.len().saturating_sub(AFTER).max(from),
            };
            // The time of the export stands at the beginning.
            let count = finders.len() - usize::from(passed > AT_ONCE);
            for (number, finder) in finders.iter().take(count).enumerate() {
                // A hit begins before `until` and may end after it.
                let end = buffer.len().min(until + finder.needle().len() - 1);
                for place in finder.find_iter(&buffer[from..end]) {
                    let place = from + place;
                    // An entry that cannot be read says nothing.
                    let _told = match number {
                        0 => look.zone(&buffer, place),
                        1 | 2 => look.size(&buffer, place, number == 2),
                        3 => look.cycle(&buffer, place),
                        _ => look.made(&buffer, place),
                    };
                }
            }
            if read == 0 {
                return Ok(look);
            }
            let gone = until.saturating_sub(BEFORE);
            passed += gone;
            buffer.drain(..gone);
            from = until - gone;
        }
    }

    fn zone(&mut self, text: &[u8], place: usize) -> Option<()> {
        let zone: Zone = value(entry(text, place), "value")?.parse().ok()?;
        let (at, _) = start_before(text, place)?;
        let known = self.zones.entry(zone.day_of(at)).or_insert((at, zone));
        if at >= known.0 {
            *known = (at, zone);
        }
        Some(())
    }

    fn made(&mut self, text: &[u8], place: usize) -> Option<()> {
        let (at, offset) = time_of(value(entry(text, place + 1), "value")?)?;
        self.made = Some((at, offset?));
        Some(())
    }

    /// Whether a zone has the offset that the export writes everywhere, that of the phone at its time.
    pub(super) fn agrees_with(&self, zone: Zone) -> bool {
        let agrees = |(at, offset)| zone.offset_seconds(at) == offset;
        self.made.is_some_and(agrees)
    }

    /// Whether a zone is nothing but the offset that the export writes.
    pub(super) fn is_made_of_offset(&self, zone: Zone) -> bool {
        let made_of = |(_, offset)| fixed(offset) == Some(zone);
        self.made.is_some_and(made_of)
    }

    fn size(&mut self, text: &[u8], place: usize, is_height: bool) -> Option<()> {
        let entry = entry(text, place);
        let at = in_time(time_of(value(entry, "startDate")?)?)?.0;
        let size: f64 = value(entry, "value")?.parse().ok()?;
        let found = Unit::parse(value(entry, "unit")?).ok()?;
        let (known, unit, range) = if is_height {
            (&mut self.height, Unit::Centimetres, 30.0..=280.0)
        } else {
            (&mut self.weight, Unit::Kilograms, 2.0..=700.0)
        };
        let size = found.convert(size, unit)?;
        if range.contains(&size) && known.is_none_or(|known| known.0 <= at) {
            *known = Some((at, size));
        }
        Some(())
    }

    fn cycle(&mut self, text: &[u8], place: usize) -> Option<()> {
        let is_first = matches!(value(entry(text, place), "value")?, "1" | "true" | "YES");
        if is_first && self.cycles.len() < 10_000 {
            self.cycles.insert(start_before(text, place)?);
        }
        Some(())
    }

    /// Whether the export names a time zone.
    pub(super) fn has_zones(&self) -> bool {
        !self.zones.is_empty()
    }

    /// Writes into the profile of a new person what is known about them.
    pub(super) fn describe(&self, profile: &mut Profile) {
        if let Some((first, moves)) = self.stays() {
            (profile.zone, profile.moves) = (first, moves);
        } else if let Some((at, offset)) = self.made {
            profile.zone = by_offset(profile.zone, at, offset);
        }
        profile.weight_kg = self.weight.map(|(_, weight)| weight);
        profile.height_cm = self.height.map(|(_, height)| height);
        let day = |(at, written): &(DateTime<Utc>, Option<i32>)| match written {
            Some(offset) if !self.has_zones() => {
                (*at + TimeDelta::seconds(i64::from(*offset))).date_naive()
            }
            Some(_) | None => profile.day_of(*at),
        };
        let days: BTreeSet<NaiveDate> = self.cycles.iter().map(day).collect();
        profile.cycle_starts = days.into_iter().collect();
    }

    /// The first zone, and those of later stays. A zone in which only one day was recorded is no stay.
    fn stays(&self) -> Option<(Zone, Vec<ZoneFrom>)> {
        let mut runs: Vec<(NaiveDate, Zone, usize)> = Vec::new();
        for (day, (_, zone)) in &self.zones {
            match runs.last_mut() {
                Some(last) if last.1 == *zone => last.2 += 1,
                _ => runs.push((*day, *zone, 1)),
            }
        }
        let first = runs.first()?.1;
        runs.retain(|run| run.2 >= 2);
        let mut zone = runs.first().map_or(first, |run| run.1);
        let first = zone;
        let mut moves = Vec::new();
        for (from, next, _) in runs {
            if next != zone {
                moves.push(ZoneFrom { from, zone: next });
                zone = next;
            }
        }
        moves.truncate(MOST_MOVES);
        Some((first, moves))
    }
}

/// The tag around a place; empty if it has no beginning or end nearby.
fn entry(text: &[u8], place: usize) -> &[u8] {
    let from = place.saturating_sub(BEFORE);
    let begin = memrchr(b'<', &text[from..place]).map_or(place, |begin| from + begin);
    let rest = &text[place..text.len().min(place + AFTER)];
    let end = memchr(b'>', rest).map_or(begin, |end| place + end);
    &text[begin..end]
}

/// The text of an attribute of a tag.
fn value<'t>(tag: &'t [u8], name: &str) -> Option<&'t str> {
    let mut rest = tag;
    loop {
        let place = memchr::memmem::find(rest, name.as_bytes())?;
        let is_whole = place > 0 && rest[place - 1].is_ascii_whitespace();
        rest = &rest[place + name.len()..];
        if let (true, [b'=', quote @ (b'"' | b'\''), after @ ..]) = (is_whole, rest) {
            let end = memchr(*quote, after)?;
            return std::str::from_utf8(&after[..end]).ok();
        }
    }
}

/// The start of the record before a place.
fn start_before(text: &[u8], place: usize) -> Option<(DateTime<Utc>, Option<i32>)> {
    let before = &text[place.saturating_sub(BEFORE)..place];
    let found = rfind(before, b" startDate=\"")?;
    in_time(time_of(value(&before[found..], "startDate")?)?)
}

fn in_time(time: (DateTime<Utc>, Option<i32>)) -> Option<(DateTime<Utc>, Option<i32>)> {
    SECONDS.contains(&time.0.timestamp()).then_some(time)
}
