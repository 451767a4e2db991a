//! Suggests a map for a table that no reader knows: by the names of its columns in several languages, and by
//! the values below them.

use crate::format::Format;
use crate::map::{ColumnMap, Mapped, Target};
use crate::numbers::{Cell, Marks, Span, cell, span};
use crate::readers::mapped::unit_in;
use crate::sample::look;
use crate::survey::Dates;
use crate::table::Table;
use crate::tags::answer;
use crate::time::{DateOrder, NoTime, read};
use std::path::Path;
use vitalcast_domain::{MetricType as M, Unit};

/// Number of rows that are looked at.
const ROWS: usize = 200;
/// Part of the values that must fit.
const FITTING: f64 = 0.8;

/// Names of columns with dates, in English, German, French, Spanish, Italian, Portuguese and Dutch.
const DATES: [&str; 17] = [
    "date",
    "day",
    "datetime",
    "timestamp",
    "datum",
    "tag",
    "datumzeit",
    "jour",
    "fecha",
    "dia",
    "data",
    "giorno",
    "dag",
    "calendardate",
    "localdate",
    "fechahora",
    "dateheure",
];
/// Names of columns with the ids of people.
const USERS: [&str; 11] = [
    "user",
    "userid",
    "usercode",
    "person",
    "personid",
    "participant",
    "participantid",
    "subject",
    "subjectid",
    "member",
    "athlete",
];
/// Names of columns that most likely hold a metric, in the same languages, without accents and blanks: beside
/// those that mean nothing else.
const METRICS: &[(M, &[&str])] = &[
    (
        M::HeartRateVariabilityRmssd,
        &[
            "hrv",
            "heartratevariability",
            "hfv",
            "herzfrequenzvariabilitat",
            "herzratenvariabilitat",
            "vfc",
            "variabilitedelafrequencecardiaque",
            "variabilidaddelafrecuenciacardiaca",
            "variabilidadcardiaca",
            "variabilitacardiaca",
            "variabilitadellafrequenzacardiaca",
            "variabilidadedafrequenciacardiaca",
            "hartslagvariabiliteit",
            "hartritmevariabiliteit",
        ],
    ),
    (
        M::SleepDuration,
        &[
            "sleep", "asleep", "schlaf", "sommeil", "sueno", "sonno", "sono", "slaap",
        ],
    ),
    (
        M::RecoveryScore,
        &[
            "recovery",
            "erholung",
            "erholungswert",
            "recuperation",
            "scorederecuperation",
            "recuperacion",
            "recupero",
            "recuperacao",
            "herstel",
            "herstelscore",
        ],
    ),
];
/// The metrics for which a column is looked for.
const WANTED: [M; 8] = [
    M::RestingHeartRate,
    M::HeartRateVariabilityRmssd,
    M::HeartRateVariabilitySdnn,
    M::SleepDuration,
    M::RecoveryScore,
    M::Steps,
    M::RespiratoryRate,
    M::OxygenSaturation,
];

/// Suggests what the columns of a table mean that no reader knows. `None` if a reader knows the file, or if
/// it has no column of dates or none that looks like a metric. A person must confirm it: nothing is read by
/// a suggestion alone.
pub fn suggest(path: &Path) -> Option<ColumnMap> {
    if look(path, &Format::of).ok()?.is_ok() {
        return None;
    }
    let known = |columns: &crate::format::Columns<'_>| {
        let is_date = |name: &&str| is_date(name);
        let is_metric = |name: &&str| metric_of(name).is_some();
        columns.0.iter().any(is_date) && columns.0.iter().any(is_metric)
    };
    let mut table = Table::open_with(path, &known).ok()?;
    let names: Vec<String> = table.names().to_vec();
    let date = names.iter().position(|name| is_date(name))?;
    let mut rows: Vec<Vec<String>> = Vec::new();
    while rows.len() < ROWS
        && let Ok(Some(row)) = table.peek()
    {
        rows.push(
            (0..names.len())
                .map(|column| row.text(Some(column)).to_owned())
                .collect(),
        );
    }
    let mut dates = Dates::default();
    let column = |place: usize| rows.iter().map(move |row| row[place].as_str());
    column(date).for_each(|text| dates.see(text));
    if !are_dates(column(date), dates.order()) {
        return None;
    }
    let mut columns = vec![Mapped {
        target: Target::Date,
        column: names[date].clone(),
        unit: None,
    }];
    // Rows of several people must not become those of one.
    let user = |name: &&String| USERS.contains(&bare(name).as_str());
    columns.extend(names.iter().find(user).map(|name| Mapped {
        target: Target::User,
        column: name.clone(),
        unit: None,
    }));
    for (place, name) in names.iter().enumerate() {
        let Some(metric) = metric_of(name) else {
            continue;
        };
        let target = Target::Metric(metric);
        if place == date || columns.iter().any(|mapped| mapped.target == target) {
            continue;
        }
        if let Some(unit) = fitting_unit(column(place), metric, unit_in(name, metric)) {
            columns.push(Mapped {
                target,
                column: name.clone(),
                unit: Some(unit),
            });
        }
    }
    // A column of words for yes and no is a tag; numbers may be anything.
    for (place, name) in names.iter().enumerate() {
        let is_free = columns.iter().all(|mapped| mapped.column != *name);
        if is_free && place != date && are_answers(column(place)) {
            columns.push(Mapped {
                target: Target::Tag,
                column: name.clone(),
                unit: None,
            });
        }
    }
    ColumnMap::new(columns).ok()
}

/// Whether all cells that are not empty are words for yes and no, and some are yes.
fn are_answers<'t>(texts: impl Iterator<Item = &'t str>) -> bool {
    let mut has_yes = false;
    for text in texts.filter(|text| !text.is_empty()) {
        match answer(text) {
            Some(applies) if text.parse::<f64>().is_err() => has_yes |= applies,
            Some(_) | None => return false,
        }
    }
    has_yes
}

/// A name without its unit, accents, case and marks.
fn bare(name: &str) -> String {
    let end = name.find(['(', '[']).unwrap_or(name.len());
    crate::translated::bare(&name[..end])
}

fn is_date(name: &str) -> bool {
    DATES.contains(&bare(name).as_str())
}

fn metric_of(name: &str) -> Option<M> {
    let all = crate::words::letters(name);
    if all.contains("sdnn") && !all.contains("rmssd") {
        return Some(M::HeartRateVariabilitySdnn);
    }
    let bare = bare(name);
    let found = METRICS
        .iter()
        .find(|(_, names)| names.contains(&bare.as_str()));
    let guessed = found.map(|(metric, _)| *metric);
    let clear = || crate::words::metric(&bare).ok();
    guessed
        .or_else(clear)
        .filter(|metric| WANTED.contains(metric))
}

fn are_dates<'t>(texts: impl Iterator<Item = &'t str>, order: DateOrder) -> bool {
    let (mut count, mut good) = (0_usize, 0_usize);
    for text in texts.filter(|text| !text.is_empty()) {
        count += 1;
        // A date whose order is not known is one; reading it needs the order.
        good += usize::from(matches!(read(text, order), Ok(_) | Err(NoTime::Ambiguous)));
    }
    count > 0 && good as f64 >= FITTING * count as f64
}

/// The unit in which most values of a column are plausible: the one given, else that of the metric, else, for
/// durations, minutes or seconds.
fn fitting_unit<'t>(
    texts: impl Iterator<Item = &'t str>,
    metric: M,
    given: Option<Unit>,
) -> Option<Unit> {
    let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
    let candidates: &[Unit] = match given {
        Some(ref unit) => std::slice::from_ref(unit),
        None if metric.unit() == Unit::Hours => &[Unit::Hours, Unit::Minutes, Unit::Seconds],
        None => &[metric.unit()],
    };
    // `None` for a cell that says "not measured".
    let fits = |text: &str, unit: Unit| match (cell(text, "", Marks::default()), span(text)) {
        (Ok(Cell::Value(value, written)), _) => {
            match metric.measured(value, written.unwrap_or(unit)) {
                Ok(value) => value.map(|_| true),
                Err(_) => Some(false),
            }
        }
        (_, Some(Span::Pair(..) | Span::Seconds(_))) => Some(metric.unit() == Unit::Hours),
        (Ok(Cell::NotMeasured | Cell::Empty), None) => None,
        // Marks that may group thousands are decided when the table is read.
        (Err(_), None) => {
            Some(metric == M::Steps && text.bytes().any(|byte| byte.is_ascii_digit()))
        }
    };
    candidates.iter().copied().find(|unit| {
        let answers: Vec<bool> = texts.iter().filter_map(|text| fits(text, *unit)).collect();
        let good = answers.iter().filter(|fits| **fits).count();
        good > 0 && good as f64 >= FITTING * answers.len() as f64
    })
}
