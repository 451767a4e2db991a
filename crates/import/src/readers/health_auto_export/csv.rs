//! Tables of Health Auto Export: a row a day or hour, a column for each metric.

use super::READER;
use super::collected::{Collected, Point, When};
use super::kind_of;
use super::points::{Hours, person, when};
use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::Columns;
use crate::healthkit::Type;
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::table::{Fault, Row, Table};
use crate::translated::bare;
use chrono::NaiveTime;
use std::path::Path;
use vitalcast_domain::{MetricType, Moment};

/// Names of the column with the time, in English and Spanish.
const TIMES: [&str; 4] = ["Date/Time", "Date", "Fecha/Hora", "Fecha"];
/// The names follow the language of the phone. Bare names in Spanish, and what they are called in English.
const TRANSLATED: &[(&str, &str)] = &[
    ("variabilidaddefrecuenciacardiaca", "heartratevariability"),
    ("variabilidaddelafrecuenciacardiaca", "heartratevariability"),
    ("frecuenciacardiacaenreposo", "restingheartrate"),
    ("frecuenciacardiaca", "heartrate"),
    ("frecuenciarespiratoria", "respiratoryrate"),
    ("saturaciondeoxigenoensangre", "bloodoxygensaturation"),
    ("conteodepasos", "stepcount"),
    ("contadordepasos", "stepcount"),
    ("energiaactiva", "activeenergy"),
    ("energiaenreposo", "restingenergy"),
    ("minutosdeejercicio", "appleexercisetime"),
    ("analisisdelsueno", "sleepanalysis"),
    ("analisisdesueno", "sleepanalysis"),
    // Parts and units.
    ("profundo", "deep"),
    ("dormido", "asleep"),
    ("despierto", "awake"),
    ("encama", "inbed"),
    ("prom", "avg"),
    ("pasos", "count"),
    ("cuenta", "count"),
];

/// What a word is called in English.
fn in_english(word: &str) -> String {
    let word = bare(word);
    let known = TRANSLATED
        .iter()
        .find(|(translated, _)| *translated == word);
    known.map_or(word, |(_, english)| (*english).to_owned())
}

/// A column, by its name: `Sleep Analysis [Deep] (hr)`.
struct Column {
    place: usize,
    letters: String,
    part: String,
    unit: String,
}

/// Name, part and unit of a column; `None` without a unit in brackets.
fn parts_of(name: &str) -> Option<(String, String, String)> {
    let (name, unit) = name.trim().strip_suffix(')')?.rsplit_once('(')?;
    let (name, part) = match name.trim().strip_suffix(']') {
        Some(name) => name.rsplit_once('[')?,
        None => (name, ""),
    };
    // Only words: `count/min` is the same in Spanish.
    let unit = unit.trim();
    let unit = match in_english(unit) {
        word if word != bare(unit) => word,
        _ => unit.to_owned(),
    };
    Some((in_english(name), in_english(part), unit))
}

/// A table whose first column is the time and whose others have names of HealthKit with units.
pub(super) fn recognises(columns: &Columns<'_>) -> Confidence {
    let is_time = |name: &&str| TIMES.iter().any(|time| crate::format::same(name, time));
    if !columns.0.first().is_some_and(is_time) {
        return Confidence::No;
    }
    // Nutrients and weights are in tables of other apps, too.
    let is_own = |name: &&&str| {
        parts_of(name).is_some_and(|(name, _, _)| match kind_of(&name) {
            Type::Food(_) | Type::OfThePerson | Type::Unused => false,
            Type::Sample(_)
            | Type::Night(_)
            | Type::Mean(_)
            | Type::Latest(_)
            | Type::Amount(_)
            | Type::HeartRate
            | Type::Stand
            | Type::Sleep => true,
        })
    };
    match columns.0.iter().filter(is_own).count() {
        0 => Confidence::No,
        1 => Confidence::Likely,
        _ => Confidence::Certain,
    }
}

pub(super) fn read(
    importer: &mut Importer<'_>,
    path: &Path,
    collected: &mut Collected,
) -> Result<(), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let time = table.required(&TIMES)?;
    let mut columns = Vec::new();
    for (place, name) in table.names().iter().enumerate() {
        if let Some((letters, part, unit)) = parts_of(name) {
            columns.push(Column {
                place,
                letters,
                part,
                unit,
            });
        }
    }
    // Values of a metric are taken together, column after column.
    let mut values: Vec<Vec<(When, f64, u64)>> = columns.iter().map(|_| Vec::new()).collect();
    while let Some(row) = table.next(importer)? {
        let Some(at) = when(row.text(Some(time))) else {
            let message = "the row has no time that can be read".to_owned();
            let reject = row.reject((RejectReason::BadTime, message));
            importer.reject(reject)?;
            continue;
        };
        let mut hours = Hours::default();
        let mut unit = "hr";
        for (column, values) in columns.iter().zip(&mut values) {
            match value_of(&row, column) {
                Ok(None) => {}
                Ok(Some(value)) if kind_of(&column.letters) == Type::Sleep => {
                    // A part by a name that is not known must not pass for time asleep.
                    if let Some(part) = part_of(&mut hours, &column.part) {
                        unit = &column.unit;
                        *part = Some(value);
                    }
                }
                Ok(Some(value)) => values.push((at, value, row.line())),
                Err(fault) => {
                    let reject = row.reject(fault);
                    importer.reject(reject)?;
                }
            }
        }
        if at.local.time() != NaiveTime::MIN && hours != Hours::default() {
            importer.skip(SkipReason::NotRead);
            importer.note("sleep in tables by the hour is not read: export it by day".to_owned());
            continue;
        }
        let day = Moment::Date(at.local.date());
        let night = hours.night(unit, day, None);
        match night {
            Ok(night) if night.asleep.is_some_and(|asleep| asleep > 0.0) => {
                let source = collected.named("");
                collected.night(source, night);
            }
            Ok(night) if night.asleep.is_some() => importer.skip(SkipReason::Missing),
            Ok(_) => {}
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
        }
    }
    let source = collected.named("");
    for (column, values) in columns.iter().zip(values) {
        let Some(of) = kind_in(column) else { continue };
        for (at, value, line) in values {
            if of == Type::OfThePerson {
                person(&column.letters, value, &column.unit, at, collected);
                continue;
            }
            let point = Point { at, source, value };
            match collected.add(of, &column.unit, point, importer) {
                Ok(true) => {}
                Ok(false) => importer.skip(SkipReason::Missing),
                Err(fault) => {
                    let place = crate::readings::Place { file: path, line };
                    importer.reject(place.reject(fault))?;
                }
            }
        }
        collected.end(of);
    }
    Ok(())
}

fn value_of(row: &Row<'_>, column: &Column) -> Result<Option<f64>, Fault> {
    if kind_in(column).is_none() {
        return Ok(None);
    }
    row.number(Some(column.place), &column.letters)
}

/// What a column is; `None` if it has no meaning here.
fn kind_in(column: &Column) -> Option<Type> {
    match (kind_of(&column.letters), column.part.as_str()) {
        (Type::Unused, _) => None,
        (Type::HeartRate, "min" | "max") => None,
        (Type::Sample(MetricType::BloodPressureSystolic), "diastolic") => {
            Some(Type::Sample(MetricType::BloodPressureDiastolic))
        }
        (of, _) => Some(of),
    }
}

fn part_of<'h>(hours: &'h mut Hours, part: &str) -> Option<&'h mut Option<f64>> {
    Some(match part {
        "total" => &mut hours.total,
        "core" => &mut hours.core,
        "deep" => &mut hours.deep,
        "rem" => &mut hours.rem,
        "awake" => &mut hours.awake,
        "inbed" => &mut hours.in_bed,
        "asleep" | "" => &mut hours.asleep,
        _ => return None,
    })
}
