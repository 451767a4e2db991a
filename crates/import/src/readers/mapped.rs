//! A person's own table, read by a map of its columns ([`ColumnMap`](crate::ColumnMap)): a row per day, or per
//! day and time.
//!
//! The unit of a column is that of the map, else the one in brackets behind its name, else that of the
//! metric; sleep without a unit is in hours, minutes or seconds as the largest value of the column says. How
//! numbers and dates are written, the first rows say together. A table whose dates all have the time 00:00
//! has days, not times. HRV, nights and scores of recovery are known in the morning.
//!
//! A tag is a column of yes and no, or of how often: 0 is no, and what is more is yes, with the number as its
//! note. An empty cell says nothing, but in a column of yes alone it says no.
//!
//! Of several rows of one day or time, such as those of a day's meals, the last reading counts, and of tags a yes.
//! Only that is passed on: an earlier one would be stored and corrected by each import anew.

use crate::batch::{Importer, fault};
use crate::dates;
use crate::error::ImportError;
use crate::format::{FormatReader, Gives, Reading as Read};
use crate::map::{ColumnMap, Target, is_named};
use crate::numbers::{Cell, Marks, Span, cell, span};
use crate::readings::{Place, Reading};
use crate::repeats::Repeated;
use crate::report::{RejectReason, SkipReason};
use crate::sample::{Confidence, Sample, look};
use crate::survey::{Dates, LOOKED_AT, Numbers, check_cut, quantity_in};
use crate::table::{Fault, Row, Table};
use crate::tags::{Noted, answer};
use crate::time::{DateOrder, Stamp};
use chrono::NaiveTime;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;
use vitalcast_domain::{MetricType, Moment, Unit, UserId};

const SOURCE: &str = "table";
/// Most hours, and most minutes, of a night.
const MOST_HOURS: f64 = 24.0;
const MOST_MINUTES: f64 = 1_440.0;
/// Most answers of several rows that are held, in some 40 MB. Later ones are passed on one by one.
const MOST_HELD: usize = 200_000;
/// Rows that are looked at before somebody who waits is asked again.
const ROWS_A_LOOK: u64 = 10_000;

/// Any table, with a map.
pub(crate) static READER: FormatReader = FormatReader {
    word: "table",
    title: "your own table (with --map)",
    export: "Any table (CSV, also with semicolons or tabs) with a column of dates. What its columns are, a map says: \
             `--map date=Datum,rhr=Ruhepuls,hrv=RMSSD:ms,sleep=Schlaf:h`.",
    gives: &[
        Gives {
            what: "readings of every metric type",
            from: "the columns of the map",
            unit: "as in the map, else in brackets behind the name, else that of the metric",
            note: "a column of users is possible; without a map nothing is read",
        },
        Gives {
            what: "tags",
            from: "columns of yes and no, or of how often: `tag=Alkohol`, several times",
            unit: "yes, no, ja, nein, x, 0, 1, 2 …",
            note: "an empty cell is no in a column of yes alone; of several rows of a day, a yes counts",
        },
    ],
    recognises: |_| Confidence::No,
    read: Read::Each(read),
};

/// A column with values.
struct Values {
    metric: MetricType,
    name: String,
    column: usize,
    unit: Option<Unit>,
    marks: Marks,
}

/// A column with a tag.
struct Noting {
    name: String,
    column: usize,
    /// Whether there are words for yes and none for no: then an empty cell says no.
    empty_is_no: bool,
}

/// What a cell says.
enum Said {
    Value(f64, Unit),
    Tag { applies: bool, note: String },
}

/// A cell that says something, and where it stands.
struct Answer {
    user: UserId,
    at: Moment,
    /// The place among the columns with values and, behind them, those with tags.
    column: usize,
    said: Said,
    line: u64,
}

/// What several rows say of the same person and time: one answer a column.
struct Held {
    place_of: HashMap<(UserId, Moment, usize), usize>,
    all: Vec<Answer>,
    /// Most answers that are held.
    most: usize,
}

impl Held {
    fn new(most: usize) -> Self {
        Self {
            place_of: HashMap::new(),
            all: Vec::new(),
            most,
        }
    }

    /// Keeps an answer in place of an earlier one, but no "no" in place of a "yes". Gives it back where there is
    /// no room.
    fn keep(&mut self, answer: Answer) -> Option<Answer> {
        let key = (answer.user.clone(), answer.at, answer.column);
        match self.place_of.entry(key) {
            Entry::Vacant(_) if self.all.len() >= self.most => return Some(answer),
            Entry::Vacant(place) => {
                place.insert(self.all.len());
                self.all.push(answer);
            }
            Entry::Occupied(place) => {
                let held = &mut self.all[*place.get()];
                let is_no = matches!(answer.said, Said::Tag { applies: false, .. });
                if !(is_no && matches!(held.said, Said::Tag { applies: true, .. })) {
                    *held = answer;
                }
            }
        }
        None
    }
}

/// The columns of a table by a map.
struct Places {
    date: usize,
    time: Option<usize>,
    user: Option<usize>,
    values: Vec<Values>,
    tags: Vec<Noting>,
}

impl Places {
    fn of(table: &Table<'_>, map: &ColumnMap) -> Result<Self, ImportError> {
        let place = |name: &str| {
            let found = named(table.names(), name).first().copied();
            found.ok_or_else(|| table.missing(name.to_owned()))
        };
        let optional = |target| map.column_of(target).map(place).transpose();
        let mut values = Vec::new();
        for (metric, mapped) in map.metrics() {
            values.push(Values {
                metric,
                name: mapped.column.clone(),
                column: place(&mapped.column)?,
                unit: mapped.unit.or_else(|| unit_in(&mapped.column, metric)),
                marks: Marks::default(),
            });
        }
        let mut tags = Vec::new();
        for name in map.tags() {
            let column = place(name)?;
            tags.push(Noting {
                // As the table writes it, however the map does.
                name: table.names()[column].clone(),
                column,
                empty_is_no: false,
            });
        }
        Ok(Self {
            date: place(map.column_of(Target::Date).unwrap_or_default())?,
            time: optional(Target::Time)?,
            user: optional(Target::User)?,
            values,
            tags,
        })
    }

    /// What a cell of a column with values or tags says; `None` if it says nothing.
    fn said(&self, row: &Row<'_>, column: usize) -> Result<Option<Said>, Fault> {
        if let Some(values) = self.values.get(column) {
            let value = value_of(row, values)?;
            return Ok(value.map(|(value, unit)| Said::Value(value, unit)));
        }
        let noted = noted(row, &self.tags[column - self.values.len()])?;
        Ok(noted.map(|(applies, note)| Said::Tag {
            applies,
            note: note.to_owned(),
        }))
    }

    /// Whether an answer is a tag, or a value that its metric can have.
    fn is_accepted(&self, answer: &Answer) -> bool {
        match answer.said {
            Said::Value(value, unit) => {
                let measured = self.values[answer.column].metric.measured(value, unit);
                matches!(measured, Ok(Some(_)))
            }
            Said::Tag { .. } => true,
        }
    }

    fn pass_on(
        &self,
        importer: &mut Importer<'_>,
        file: &Path,
        answer: &Answer,
    ) -> Result<(), ImportError> {
        let Answer { user, at, line, .. } = answer;
        let place = Place { file, line: *line };
        match &answer.said {
            Said::Value(value, unit) => {
                let metric = self.values[answer.column].metric;
                importer.reading(user, SOURCE, place, reading(metric, *value, *unit, *at))
            }
            Said::Tag { applies, note } => {
                let noted = Noted {
                    id: format!("tag-{}", at.id()),
                    at: *at,
                    name: &self.tags[answer.column - self.values.len()].name,
                    applies: *applies,
                    note,
                };
                importer.tag(user, SOURCE, place, &noted)
            }
        }
    }
}

/// The columns that have a name to the letter, else those that have it with other marks or cases.
fn named(names: &[String], wanted: &str) -> Vec<usize> {
    let same = |is_same: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let places = names.iter().enumerate();
        places
            .filter(|(_, name)| is_same(name))
            .map(|(place, _)| place)
            .collect()
    };
    let exact = same(&|name| name.trim() == wanted.trim());
    if exact.is_empty() {
        same(&|name| is_named(name, wanted))
    } else {
        exact
    }
}

/// Says which column is read where several have a name of the map. The name is left out: it may be that of a
/// tag.
fn tell_of_equal_names(importer: &mut Importer<'_>, table: &Table<'_>, map: &ColumnMap) {
    for name in map.names() {
        if let [read, others @ ..] = &*named(table.names(), name)
            && !others.is_empty()
        {
            let others: Vec<String> = others.iter().map(|other| (other + 1).to_string()).collect();
            importer.note(format!(
                "of the columns with one name, column {} is read and not {}",
                read + 1,
                others.join(", ")
            ));
        }
    }
}

/// The unit in brackets behind a name, if a metric can be in it: `HRV (ms)`, `Sleep [h]`.
pub(crate) fn unit_in(name: &str, metric: MetricType) -> Option<Unit> {
    let rest = &name[name.rfind(['(', '['])? + 1..];
    let word = rest.trim_end().trim_end_matches([')', ']']);
    let unit = Unit::parse(word).ok()?;
    unit.convert(1.0, metric.unit()).is_some().then_some(unit)
}

/// How the rows of a table are written.
struct Rules {
    order: DateOrder,
    /// Whether every time is 00:00: then only dates are meant.
    only_days: bool,
}

/// The map of the options, else a remembered one that has the columns of the table.
fn map_of(importer: &Importer<'_>, path: &Path) -> Result<Option<ColumnMap>, ImportError> {
    let options = importer.options;
    if options.map.is_some() {
        return Ok(options.map.clone());
    }
    let asked = look(path, &|sample| {
        remembered(&options.remembered, sample).cloned()
    })?;
    Ok(asked.ok())
}

/// The first of some maps that has the columns of a table.
pub(crate) fn remembered<'m>(maps: &'m [ColumnMap], sample: &Sample<'_>) -> Option<&'m ColumnMap> {
    maps.iter()
        .find(|map| sample.is_table(|columns| map.fits(columns.0)))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let Some(map) = map_of(importer, path)? else {
        return Err(ImportError::Unrecognised {
            path: path.to_owned(),
            what: "a table without a map of its columns (--map date=COLUMN,rhr=COLUMN,…)"
                .to_owned(),
        });
    };
    let known = |columns: &crate::format::Columns<'_>| map.fits(columns.0);
    let mut table = Table::open_with(path, &known)?;
    let mut places = Places::of(&table, &map)?;
    tell_of_equal_names(importer, &table, &map);
    let mut first = Table::open_with(path, &known)?;
    let rules = survey(importer, &mut first, &mut places)?;
    let owner = match places.user {
        Some(_) => None,
        None => Some(importer.owner(path)?),
    };
    let about = |row: &Row<'_>| -> Result<(UserId, Moment), Fault> {
        let user = match &owner {
            Some(owner) => owner.clone(),
            None => UserId::new(row.text(places.user)).map_err(|error| fault(&error))?,
        };
        Ok((user, moment_of(row, &places, &rules)?))
    };
    let mut repeated = Repeated::default();
    let mut repeats = 0_u64;
    let mut before = Table::open_with(path, &known)?;
    let mut rows = 0_u64;
    while let Some(row) = before.peek()? {
        rows += 1;
        if rows.is_multiple_of(ROWS_A_LOOK) {
            // Nothing is done yet, but who waits may have had enough.
            importer.progress(path, 0)?;
        }
        if let Ok(key) = about(&row)
            && importer.wants(&key.0)
        {
            repeats += u64::from(repeated.see(&key));
        }
    }
    let zone = importer.zone_to_assume();
    let mut held = Held::new(MOST_HELD);
    while let Some(row) = table.next(importer)? {
        let key = match about(&row) {
            Ok(key) => key,
            Err(fault) => {
                importer.reject(row.reject(fault))?;
                continue;
            }
        };
        if !importer.wants(&key.0) {
            importer.skip(SkipReason::OtherUser);
            continue;
        }
        importer.person(&key.0, zone)?;
        let is_repeated = repeated.has(&key);
        let (user, at) = key;
        let columns = places.values.len() + places.tags.len();
        for column in 0..columns {
            let said = match places.said(&row, column) {
                Ok(Some(said)) => said,
                Ok(None) => continue,
                Err(fault) => {
                    importer.reject(row.reject(fault))?;
                    continue;
                }
            };
            let answer = Answer {
                user: user.clone(),
                at,
                column,
                said,
                line: row.line(),
            };
            // A value that is refused replaces none.
            let left = if is_repeated && places.is_accepted(&answer) {
                held.keep(answer)
            } else {
                Some(answer)
            };
            if let Some(answer) = left {
                places.pass_on(importer, path, &answer)?;
            }
        }
    }
    for answer in held.all {
        places.pass_on(importer, path, &answer)?;
    }
    if repeats > 0 {
        let rows = if repeats == 1 { "row has" } else { "rows have" };
        importer.note(format!(
            "{repeats} {rows} the date and time of an earlier row: the last reading counts, and of tags a yes"
        ));
    }
    Ok(())
}

/// Looks at the first rows: fills in marks and units, and says how dates are written.
fn survey(
    importer: &mut Importer<'_>,
    table: &mut Table<'_>,
    places: &mut Places,
) -> Result<Rules, ImportError> {
    let mut numbers = vec![Numbers::default(); places.values.len()];
    let mut dates = Dates::default();
    let mut texts: Vec<String> = Vec::new();
    let mut most = vec![0.0_f64; places.values.len()];
    let mut has_no = vec![false; places.tags.len()];
    while table.position() <= LOOKED_AT
        && let Some(row) = table.peek()?
    {
        let date = row.text(Some(places.date));
        dates.see(date);
        if texts.len() < 1_000 {
            texts.push(date.to_owned());
        }
        for (noting, has_no) in places.tags.iter_mut().zip(&mut has_no) {
            match noted(&row, noting) {
                Ok(Some((true, _))) => noting.empty_is_no = true,
                Ok(Some((false, _))) => *has_no |= !row.text(Some(noting.column)).is_empty(),
                Ok(None) | Err(_) => {}
            }
        }
        for ((values, numbers), most) in places.values.iter().zip(&mut numbers).zip(&mut most) {
            let text = row.text(Some(values.column));
            numbers.see(text);
            if let Ok(Cell::Value(value, None)) = cell(text, "", Marks::default()) {
                *most = most.max(value);
            }
        }
    }
    for (noting, has_no) in places.tags.iter_mut().zip(has_no) {
        noting.empty_is_no &= !has_no;
    }
    let mut file = [false; 2];
    for numbers in &numbers {
        let decimal = numbers.decimal();
        file = [file[0] || decimal[0], file[1] || decimal[1]];
    }
    for ((values, numbers), most) in places.values.iter_mut().zip(&numbers).zip(most) {
        let unit = values.unit.unwrap_or(values.metric.unit());
        values.marks = numbers.marks(quantity_in(values.metric, unit), file);
        if values.unit.is_none() && values.metric.unit() == Unit::Hours {
            let unit = if most <= MOST_HOURS {
                Unit::Hours
            } else if most <= MOST_MINUTES {
                Unit::Minutes
            } else {
                Unit::Seconds
            };
            values.unit = Some(unit);
            if unit != Unit::Hours {
                importer.note(format!(
                    "{:?} is read in {}: its values are too large for hours (say it in the map, for \
                     example {}=…:min)",
                    values.name,
                    unit.symbol(),
                    Target::Metric(values.metric)
                ));
            }
        }
    }
    let order = dates.order();
    let only_days = places.time.is_none()
        && texts
            .iter()
            .all(|text| match crate::time::read(text, order) {
                Ok(Stamp::Wall(wall)) => wall.time() == NaiveTime::MIN,
                Ok(Stamp::Instant(..)) => false,
                Ok(Stamp::Day(_)) | Err(_) => true,
            });
    Ok(Rules { order, only_days })
}

fn moment_of(row: &Row<'_>, places: &Places, rules: &Rules) -> Result<Moment, Fault> {
    let date = row.text(Some(places.date));
    if rules.only_days {
        return dates::day(date, rules.order, "the date").map(Moment::Date);
    }
    let time = row.text(places.time);
    if time.is_empty() {
        return dates::moment(date, rules.order, "the date");
    }
    let day = dates::day(date, rules.order, "the date")?;
    match dates::moment(time, rules.order, "the time") {
        // The column of times may hold dates too.
        Ok(moment) if moment.has_time() => Ok(moment),
        Ok(_) | Err(_) => dates::moment(&format!("{day} {time}"), rules.order, "the time"),
    }
}

fn value_of(row: &Row<'_>, values: &Values) -> Result<Option<(f64, Unit)>, Fault> {
    let text = row.text(Some(values.column));
    let unit = values.unit.unwrap_or(values.metric.unit());
    let is_time = values.metric.unit().convert(1.0, Unit::Seconds).is_some();
    if is_time && let Some(span) = span(text) {
        let seconds = match span {
            Span::Seconds(seconds) => seconds,
            // Hours and minutes of a night.
            Span::Pair(first, second) => first * 3_600.0 + second * 60.0,
        };
        return Ok(Some((seconds, Unit::Seconds)));
    }
    match cell(text, &values.name, values.marks)? {
        Cell::Empty | Cell::NotMeasured => Ok(None),
        Cell::Value(value, written) => {
            if values.metric == MetricType::Steps {
                check_cut(value, values.marks, &values.name)?;
            }
            let unit = written.unwrap_or(unit);
            if unit.convert(1.0, values.metric.unit()).is_none() {
                let message = format!("{:?} has another unit than {}", values.name, values.metric);
                return Err((RejectReason::WrongUnit, message));
            }
            Ok(Some((value, unit)))
        }
    }
}

/// What a cell says of a tag, and the number that it says it with; `None` if it says nothing.
fn noted<'t>(row: &Row<'t>, noting: &Noting) -> Result<Option<(bool, &'t str)>, Fault> {
    let text = row.text(Some(noting.column));
    if text.is_empty() {
        return Ok(noting.empty_is_no.then_some((false, "")));
    }
    if let Some(applies) = answer(text) {
        return Ok(Some((applies, "")));
    }
    match cell(text, &noting.name, Marks::default()) {
        Ok(Cell::Value(often, None)) if often >= 0.0 => Ok(Some((often > 0.0, text))),
        Ok(Cell::Empty | Cell::NotMeasured) => Ok(None),
        Ok(Cell::Value(..)) | Err(_) => {
            // The name of a tag may say what must not be told here.
            let column = noting.column + 1;
            let message = format!("column {column} is neither yes nor no, nor a number");
            Err((RejectReason::UnknownWord, message))
        }
    }
}

/// A reading of a day or of a time.
fn reading(metric: MetricType, value: f64, unit: Unit, at: Moment) -> Reading {
    let is_of_morning = metric.is_of_the_night()
        || matches!(
            metric,
            MetricType::HeartRateVariabilityRmssd
                | MetricType::HeartRateVariabilitySdnn
                | MetricType::RecoveryScore
                | MetricType::ReadinessScore
        );
    match at {
        Moment::Date(day) if is_of_morning => Reading::of_morning(metric, value, unit, day),
        Moment::Date(day) => Reading::of_day(metric, value, unit, day),
        at @ (Moment::Instant { .. } | Moment::Clock(_)) => Reading::at(metric, value, unit, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_doubled_days_is_held_in_bounded_memory() {
        let answer = |day: u32, value: f64| Answer {
            user: UserId::new("me").unwrap(),
            at: Moment::Date(chrono::NaiveDate::from_ymd_opt(2025, 3, day).unwrap()),
            column: 0,
            said: Said::Value(value, Unit::PerMinute),
            line: 2,
        };
        let mut held = Held::new(2);
        assert!(held.keep(answer(1, 55.0)).is_none() && held.keep(answer(2, 56.0)).is_none());
        // There is no room for a third day, but for another value of the first.
        assert!(held.keep(answer(3, 57.0)).is_some());
        assert!(held.keep(answer(1, 58.0)).is_none());
        assert_eq!(held.all.len(), 2);
        assert!(matches!(held.all[0].said, Said::Value(58.0, _)));
    }
}
