//! What scales, cuffs and people measure: the columns of `weight.csv`, `bp.csv` and `height.csv`. Their names
//! follow the language of the account.

use super::{READER, SOURCE};
use crate::batch::Importer;
use crate::dates::time;
use crate::error::ImportError;
use crate::readings::Reading;
use crate::report::SkipReason;
use crate::sample::file_name;
use crate::table::{Fault, Row, Table};
use crate::translated::{bare, place_of};
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Moment, Unit, UserId};

/// Centimetres of a metre.
const CENTIMETRES: f64 = 100.0;
// Bare names of columns in English, German, French, Spanish and Italian; masses without their units.
const DATE: &[&str] = &["date", "datum", "fecha", "data"];
const WEIGHT: &[&str] = &["weight", "gewicht", "poids", "peso"];
const FAT: &[&str] = &["fatmass", "fettmasse", "gras", "massegrasse"];
const BONE: &[&str] = &["bonemass", "knochenmasse", "masseosseuse"];
const MUSCLE: &[&str] = &["musclemass", "muskelmasse", "massemusculaire"];
const WATER: &[&str] = &["hydration", "wasseranteil", "hydratation"];
const SYSTOLIC: [&str; 2] = ["systol", "sistol"];
const DIASTOLIC: [&str; 1] = ["diastol"];

/// The column of dates of a table: the first, if it is one.
fn date_of<T: AsRef<str>>(names: &[T]) -> Option<usize> {
    place_of(names.get(..1)?, DATE)
}

/// Whether columns are those of `weight.csv`; by their order only under the name of that file.
pub(super) fn is_body<T: AsRef<str>>(names: &[T], is_named_so: bool) -> bool {
    let known = |names: &[Mass]| names.iter().all(|mass| mass.column.is_some());
    Body::of(names).is_some_and(|body| {
        known(&[body.weight, body.fat, body.water]) && (is_named_so || !body.is_by_order)
    })
}

/// The columns of `weight.csv`, each with its unit: by their names or, in another language, by their order.
pub(super) struct Body {
    date: usize,
    weight: Mass,
    fat: Mass,
    bone: Mass,
    muscle: Mass,
    water: Mass,
    is_by_order: bool,
}

#[derive(Debug, Clone, Copy)]
struct Mass {
    column: Option<usize>,
    unit: Unit,
}

impl Mass {
    /// Kilograms; 0 and an empty cell were not measured.
    fn read(self, row: &Row<'_>) -> Result<Option<f64>, Fault> {
        let value = row
            .number(self.column, "a mass")?
            .filter(|value| *value > 0.0);
        Ok(value.and_then(|value| self.unit.convert(value, Unit::Kilograms)))
    }
}

impl Body {
    pub(super) fn of<T: AsRef<str>>(names: &[T]) -> Option<Self> {
        let date = date_of(names)?;
        let of_mass = |(column, name): (usize, &T)| {
            let (name, unit) = name
                .as_ref()
                .trim_end()
                .strip_suffix(')')?
                .rsplit_once('(')?;
            let unit = match unit {
                "kg" => Unit::Kilograms,
                "lb" | "lbs" => Unit::Pounds,
                _ => return None,
            };
            let column = Some(column);
            Some((bare(name), Mass { column, unit }))
        };
        let masses: Vec<(String, Mass)> = names.iter().enumerate().filter_map(of_mass).collect();
        let is_by_order = !masses.iter().any(|(name, _)| FAT.contains(&name.as_str()));
        if is_by_order && masses.len() != 5 {
            return None;
        }
        let mass = |words: &[&str], place: usize| {
            let named = || {
                masses
                    .iter()
                    .find(|(name, _)| words.contains(&name.as_str()))
            };
            let found = if is_by_order {
                masses.get(place)
            } else {
                named()
            };
            let none = Mass {
                column: None,
                unit: Unit::Kilograms,
            };
            found.map_or(none, |(_, mass)| *mass)
        };
        Some(Self {
            date,
            weight: mass(WEIGHT, 0),
            fat: mass(FAT, 1),
            bone: mass(BONE, 2),
            muscle: mass(MUSCLE, 3),
            water: mass(WATER, 4),
            is_by_order,
        })
    }

    pub(super) fn read(
        &self,
        importer: &mut Importer<'_>,
        row: &Row<'_>,
        user: &UserId,
    ) -> Result<Result<(), Fault>, ImportError> {
        let values = (|| {
            let at = time(row.text(Some(self.date)), "Date")?;
            let weight = self.weight.read(row)?;
            let share = |mass: Option<f64>| Some(mass? / weight? * 100.0);
            let values = [
                (M::BodyFatPercentage, share(self.fat.read(row)?)),
                (M::WaterPercentage, share(self.water.read(row)?)),
                (M::MuscleMass, self.muscle.read(row)?),
                (M::BoneMass, self.bone.read(row)?),
            ];
            Ok((at, values))
        })();
        let (at, values) = match values {
            Ok(values) => values,
            Err(fault) => return Ok(Err(fault)),
        };
        if values.iter().all(|(_, value)| value.is_none()) {
            importer.skip(SkipReason::Missing);
        }
        for (metric, value) in values {
            if let Some(value) = value {
                let reading = Reading::at(metric, value, metric.unit(), at);
                importer.reading(user, SOURCE, row.place(), reading)?;
            }
        }
        Ok(Ok(()))
    }
}

/// The columns of `bp.csv`.
pub(super) struct PressureColumns {
    date: usize,
    systolic: usize,
    diastolic: usize,
}

impl PressureColumns {
    pub(super) fn of<T: AsRef<str>>(names: &[T]) -> Option<Self> {
        let column = |words: &[&str]| {
            names.iter().position(|name| {
                let name = bare(name.as_ref());
                words.iter().any(|word| name.starts_with(word))
            })
        };
        Some(Self {
            date: date_of(names)?,
            systolic: column(&SYSTOLIC)?,
            diastolic: column(&DIASTOLIC)?,
        })
    }

    pub(super) fn read(
        &self,
        importer: &mut Importer<'_>,
        row: &Row<'_>,
        user: &UserId,
    ) -> Result<Result<(), Fault>, ImportError> {
        let columns = [
            (M::BloodPressureSystolic, Some(self.systolic)),
            (M::BloodPressureDiastolic, Some(self.diastolic)),
        ];
        measurements(importer, row, user, Some(self.date), &columns)
    }
}

/// The columns of `height.csv`.
pub(super) struct HeightColumns {
    date: usize,
    metres: usize,
}

impl HeightColumns {
    pub(super) fn of<T: AsRef<str>>(names: &[T]) -> Option<Self> {
        let is_height = |name: &T| name.as_ref().trim_end().ends_with("(m)");
        Some(Self {
            date: date_of(names)?,
            metres: names.iter().position(is_height)?,
        })
    }
}

/// Time and kilograms of the newest weight of a file, if it has any.
pub(super) fn newest_weight(path: &Path) -> Option<(Moment, f64)> {
    let name = file_name(path).to_ascii_lowercase();
    if !name.starts_with("weight") {
        return None;
    }
    let mut table = Table::open(path, &READER).ok()?;
    let columns = Body::of(table.names())?;
    newest_value(&mut table, columns.date, 2.0..=700.0, |row| {
        columns.weight.read(row).ok().flatten()
    })
}

/// Time and centimetres of the newest height of a file, if it has any.
pub(super) fn newest_height(path: &Path) -> Option<(Moment, f64)> {
    if !file_name(path).to_ascii_lowercase().starts_with("height") {
        return None;
    }
    let mut table = Table::open(path, &READER).ok()?;
    let columns = HeightColumns::of(table.names())?;
    newest_value(&mut table, columns.date, 30.0..=280.0, |row| {
        let metres = row.number(Some(columns.metres), "the height").ok()??;
        Some(metres * CENTIMETRES)
    })
}

/// The newest value of a table within a range, and its time.
fn newest_value(
    table: &mut Table<'_>,
    date: usize,
    range: std::ops::RangeInclusive<f64>,
    value: impl Fn(&Row<'_>) -> Option<f64>,
) -> Option<(Moment, f64)> {
    let mut newest: Option<(Moment, f64)> = None;
    while let Ok(Some(row)) = table.peek() {
        let value = value(&row).filter(|value| range.contains(value));
        if let (Ok(at), Some(value)) = (time(row.text(Some(date)), "Date"), value)
            && newest.is_none_or(|newest| at.written_local_time() > newest.0.written_local_time())
        {
            newest = Some((at, value));
        }
    }
    newest
}

/// Readings at a time.
pub(super) fn measurements(
    importer: &mut Importer<'_>,
    row: &Row<'_>,
    user: &UserId,
    date: Option<usize>,
    columns: &[(MetricType, Option<usize>)],
) -> Result<Result<(), Fault>, ImportError> {
    let at = match time(row.text(date), "Date") {
        Ok(at) => at,
        Err(fault) => return Ok(Err(fault)),
    };
    for (metric, column) in columns {
        match row.number(*column, metric.as_str()) {
            Ok(None) => {}
            Ok(Some(value)) => {
                let reading = Reading::at(*metric, value, metric.unit(), at);
                importer.reading(user, SOURCE, row.place(), reading)?;
            }
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok(()))
}
