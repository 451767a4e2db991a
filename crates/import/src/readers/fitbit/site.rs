//! The table that the website exported until 2024: sections such as `Body`, `Activities` and `Sleep`, each
//! with its title, its header and quoted cells. Numbers have the thousands commas or dots of the person's
//! language, times are those of their clock, in the order of day and month of their account.

use super::days::{Value, When};
use super::{Export, SOURCE, bad_time};
use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::{Columns, same};
use crate::numbers::{Cell, Mark, Marks, cell};
use crate::readings::{Night, Place};
use crate::report::{RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::survey::{Numbers, Quantity, check_cut, quantity_of};
use crate::table::Fault;
use crate::text::{Next, Text};
use crate::time::{DateOrder, Stamp, order_of, read};
use chrono::{NaiveDateTime, TimeDelta};
use std::collections::HashMap;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_domain::{MetricType, Moment, Unit};

/// Number of lines between two progress reports.
const PROGRESS_LINES: u64 = 2_000;

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Body,
    Activities,
    Sleep,
}

const ACTIVITIES: [(&str, MetricType, Unit); 6] = [
    ("Calories Burned", M::TotalCalories, Unit::Kilocalories),
    ("Steps", M::Steps, Unit::Count),
    ("Minutes Sedentary", M::SedentaryMinutes, Unit::Minutes),
    (
        "Minutes Lightly Active",
        M::LightActivityMinutes,
        Unit::Minutes,
    ),
    (
        "Minutes Fairly Active",
        M::ModerateActivityMinutes,
        Unit::Minutes,
    ),
    (
        "Minutes Very Active",
        M::VigorousActivityMinutes,
        Unit::Minutes,
    ),
];

impl Section {
    /// The section with a header.
    fn of(columns: &Columns<'_>) -> Option<Self> {
        if columns.has_all(&["Minutes Asleep", "Minutes Awake", "Time in Bed"]) {
            Some(Self::Sleep)
        } else if columns.has_all(&["Date", "Calories Burned", "Minutes Sedentary"]) {
            Some(Self::Activities)
        } else if columns.has_all(&["Date", "Weight", "BMI", "Fat"]) && columns.0.len() == 4 {
            Some(Self::Body)
        } else {
            None
        }
    }
}

/// How sure a header is one of the website.
pub(super) fn confidence(columns: &Columns<'_>) -> Option<Confidence> {
    Section::of(columns).map(|section| match section {
        Section::Sleep | Section::Activities => Confidence::Certain,
        Section::Body => Confidence::Likely,
    })
}

/// The cells of a line; a doubled quote within quotes is one.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let cell = cells.last_mut();
        match (letter, cell) {
            ('"', Some(cell)) if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => cells.push(String::new()),
            (letter, Some(cell)) => cell.push(letter),
            (_, None) => {}
        }
    }
    for cell in &mut cells {
        *cell = cell.trim().to_owned();
    }
    cells
}

/// Passes each line of a file on, with its number.
fn each_line(
    file: &Path,
    mut take: impl FnMut(u64, Option<&str>, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut text = Text::open(file)?;
    loop {
        let number = text.line_number();
        let line = match text.line_at(0)? {
            Next::End => return Ok(()),
            Next::TooLong => {
                take(number, None, text.position())?;
                continue;
            }
            Next::Line(line) => line,
        };
        let bytes = &text.unread()[..line.end];
        take(number, std::str::from_utf8(bytes).ok(), text.position())?;
        text.consume(line.next, u64::from(line.ended));
    }
}

/// The order of day and month in which two dates are at most a day apart, if only one of them does that.
fn order_between(one: &str, other: &str) -> DateOrder {
    let near = |order| match (read(one, order), read(other, order)) {
        (Ok(Stamp::Wall(one)), Ok(Stamp::Wall(other))) => (other - one).abs() <= TimeDelta::days(1),
        (Ok(Stamp::Day(one)), Ok(Stamp::Day(other))) => (other - one).abs() <= TimeDelta::days(1),
        (Ok(_) | Err(_), _) => false,
    };
    match (near(DateOrder::DayFirst), near(DateOrder::MonthFirst)) {
        (true, false) => DateOrder::DayFirst,
        (false, true) => DateOrder::MonthFirst,
        (true, true) | (false, false) => DateOrder::Unknown,
    }
}

impl<'f> Export<'f> {
    pub(super) fn read_site(
        &mut self,
        importer: &mut Importer<'_>,
        file: &'f Path,
    ) -> Result<(), ImportError> {
        let written = Written::look(file)?;
        let mut section: Option<(Section, Vec<String>)> = None;
        let mut position = 0;
        each_line(file, |line, text, at| {
            position = at;
            if line.is_multiple_of(PROGRESS_LINES) {
                importer.progress(file, at)?;
            }
            let place = Place { file, line };
            let Some(text) = text else {
                let fault = (RejectReason::NotUtf8, "the line is no text".to_owned());
                return importer.reject(place.reject(fault));
            };
            let row = cells(text);
            let names: Vec<&str> = row.iter().map(String::as_str).collect();
            if let Some(found) = Section::of(&Columns(&names)) {
                section = Some((found, row));
                return Ok(());
            }
            if row.iter().filter(|cell| !cell.is_empty()).count() <= 1 {
                // A title or an empty line ends the section.
                section = None;
                return Ok(());
            }
            let Some((found, header)) = &section else {
                return Ok(());
            };
            importer.report.rows_read += 1;
            let row = SiteRow {
                header,
                cells: &row,
                written: &written,
            };
            let read = match found {
                Section::Sleep => self.site_sleep(importer, place, &row),
                Section::Activities => self.site_activities(importer, place, &row),
                Section::Body => self.site_body(importer, place, &row),
            };
            match read {
                Ok(()) => Ok(()),
                Err(fault) => importer.reject(place.reject(fault)),
            }
        })?;
        importer.progress(file, position)
    }

    fn site_sleep(
        &mut self,
        importer: &mut Importer<'_>,
        place: Place<'f>,
        row: &SiteRow<'_>,
    ) -> Result<(), Fault> {
        let start = row.time("Start Time")?;
        let end = row.time("End Time")?;
        let (start, end) = (Moment::Clock(start), Moment::Clock(end));
        let night = Night {
            asleep: row.number("Minutes Asleep")?,
            awake: row.number("Minutes Awake")?,
            rem: row.number("Minutes REM Sleep")?,
            deep: row.number("Minutes Deep Sleep")?,
            in_bed: row.number("Time in Bed")?.filter(|minutes| *minutes > 0.0),
            ..Night::new(start.id(), start, Some(end))
        };
        self.nights.add_old(importer, place, night);
        Ok(())
    }

    fn site_activities(
        &mut self,
        importer: &mut Importer<'_>,
        place: Place<'f>,
        row: &SiteRow<'_>,
    ) -> Result<(), Fault> {
        let day = row.time("Date")?.date();
        for (name, metric, unit) in ACTIVITIES {
            match row.number(name)? {
                Some(value) => {
                    if metric == M::Steps && value > 0.0 {
                        self.days.worn(day);
                    }
                    let value = Value::new(place, 0, value, unit, When::Evening);
                    self.days.value(SOURCE, day, metric, value);
                }
                None => importer.skip(SkipReason::Missing),
            }
        }
        Ok(())
    }

    fn site_body(
        &mut self,
        importer: &mut Importer<'_>,
        place: Place<'f>,
        row: &SiteRow<'_>,
    ) -> Result<(), Fault> {
        let day = row.time("Date")?.date();
        let fat = row.number("Fat")?;
        let how = (Unit::Percent, When::Evening);
        self.value(importer, place, 0, day, M::BodyFatPercentage, fat, how);
        Ok(())
    }
}

/// How the dates and numbers of a file are written, as its rows together say.
struct Written {
    order: DateOrder,
    /// Meanings of dot and comma, by the name of the column.
    marks: HashMap<String, Marks>,
}

impl Written {
    fn look(file: &Path) -> Result<Self, ImportError> {
        let mut order = DateOrder::Unknown;
        let mut before = String::new();
        let mut section: Option<Vec<String>> = None;
        let mut numbers: HashMap<String, Numbers> = HashMap::new();
        each_line(file, |_, text, _| {
            let row = text.map(cells).unwrap_or_default();
            let names: Vec<&str> = row.iter().map(String::as_str).collect();
            if Section::of(&Columns(&names)).is_some() {
                section = Some(row);
                return Ok(());
            }
            for (name, text) in section.iter().flatten().zip(&row) {
                match numbers.get_mut(name) {
                    Some(column) => column.see(text),
                    None => numbers.entry(name.clone()).or_default().see(text),
                }
            }
            if order == DateOrder::Unknown {
                let mut row = row.into_iter();
                let (first, second) = (row.next().unwrap_or_default(), row.next());
                order = order_of(&first);
                if let (DateOrder::Unknown, Some(end)) = (order, &second) {
                    order = order_between(&first, end);
                }
                if order == DateOrder::Unknown {
                    order = order_between(&before, &first);
                }
                before = first;
            }
            Ok(())
        })?;
        let mut file = [false; 2];
        for column in numbers.values() {
            let decimal = column.decimal();
            file = [file[0] || decimal[0], file[1] || decimal[1]];
        }
        let marks = numbers.into_iter().map(|(name, column)| {
            let marks = column.marks(quantity_of(&name), file);
            // The site has no number with three decimals.
            let comma = match marks.comma {
                Mark::Unclear => Mark::Grouping,
                known @ (Mark::Grouping | Mark::Decimal) => known,
            };
            (name, Marks { comma, ..marks })
        });
        Ok(Self {
            order,
            marks: marks.collect(),
        })
    }
}

/// A row of a section.
struct SiteRow<'r> {
    header: &'r [String],
    cells: &'r [String],
    written: &'r Written,
}

impl SiteRow<'_> {
    fn text(&self, name: &str) -> &str {
        let column = self.header.iter().position(|found| same(found, name));
        column
            .and_then(|column| self.cells.get(column))
            .map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> Result<Option<f64>, Fault> {
        let column = self.header.iter().find(|found| same(found, name));
        let marks = column.and_then(|column| self.written.marks.get(column));
        let marks = marks.copied().unwrap_or_default();
        Ok(match cell(self.text(name), name, marks)? {
            Cell::Value(value, _) => {
                if let Quantity::Whole(_) = quantity_of(name) {
                    check_cut(value, marks, name)?;
                }
                Some(value)
            }
            Cell::Empty | Cell::NotMeasured => None,
        })
    }

    /// A time on the person's clock; a date is its beginning.
    fn time(&self, name: &str) -> Result<NaiveDateTime, Fault> {
        match read(self.text(name), self.written.order) {
            Ok(Stamp::Wall(wall)) => Ok(wall),
            Ok(Stamp::Day(day)) => Ok(day.and_time(chrono::NaiveTime::MIN)),
            Ok(Stamp::Instant(..)) | Err(_) => Err(bad_time(name)),
        }
    }
}
