//! The reference service's tables, as CSV or JSON: `meals`, `activities`, `health_metrics`.
//!
//! Columns are found by name, in the database's camelCase or in snake_case. Which table a file is,
//! its columns say. A time without an offset is one of the person's clock.
//!
//! A file is looked at twice: its first rows together say how numbers, dates, durations and ids are
//! written ([`first_look`]), then every row is read. A cell that is not required and cannot be read is
//! told, and the rest of its row is kept.

mod cells;
mod first_look;
mod times;
mod workout;

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading};
use crate::json::{self, is_json};
use crate::numbers::{Cell, Span, cell, is_not_measured, span};
use crate::options::KnownAt;
use crate::report::{Reject, RejectReason, SkipReason};
use crate::sample::Confidence;
use crate::sports::{intensity, sport};
use crate::survey::{LOOKED_AT, check_cut};
use crate::table::{Fault, Table, is_name};
use crate::text::Text;
use crate::time::DateOrder;
use cells::{Cells, Column, CsvCells, CsvColumns, JsonCells, JsonNames};
use chrono::TimeDelta;
use first_look::{FirstLook, Rules};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use vitalcast_domain::{
    Activity, ActivityType, Coincident, DomainError, HealthMetric, Meal, MetricType, Moment,
    NumberField, Provenance, Record, Unit, UserId, Zone,
};
use workout::{DurationUnit, Written, duration};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Meals,
    Activities,
    HealthMetrics,
}

impl Kind {
    fn moment(self) -> Column {
        match self {
            Self::Meals => Column::CONSUMED_AT,
            Self::Activities => Column::STARTED_AT,
            Self::HealthMetrics => Column::RECORDED_AT,
        }
    }

    /// The table that a JSON object belongs to.
    fn of(cells: &JsonCells) -> Self {
        if !cells.cell(Column::CONSUMED_AT).is_empty() {
            Self::Meals
        } else if !cells.cell(Column::STARTED_AT).is_empty() {
            Self::Activities
        } else {
            Self::HealthMetrics
        }
    }
}

/// The tables of the reference service.
pub(crate) static READER: FormatReader = FormatReader {
    word: "reference",
    title: "tables of meals, activities and health metrics",
    export: "The tables `meals`, `activities` and `health_metrics` of the reference service, or your own \
             table of that form (CSV, JSON or JSON lines, with columns such as `userId`, `recordedAt`, \
             `metricType`, `value`).",
    gives: &[Gives {
        what: "meals, activities, readings of every metric type",
        from: "`consumedAt`, `startedAt` or `recordedAt`, and the columns beside it",
        unit: "column `unit`, else that of the metric type",
        note: "several people in one table",
    }],
    recognises: |sample| {
        Confidence::likely_if(
            sample.is_table(is_known)
                || (sample.is_json(|keys| keys.pass(is_known))
                    && json::Rows::open(sample.path, &is_known).is_ok_and(|(_, known)| known)),
        )
    },
    read: Reading::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["metricType", "value"])
        || columns.has("consumedAt")
        || columns.has_all(&["activityType", "startedAt"])
        || columns.has("recordedAt")
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    if is_json(Text::open(path)?.unread()) {
        read_json(importer, path)
    } else {
        read_csv(importer, path)
    }
}

fn read_csv(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let (mut table, columns, kind) = open_csv(importer, path)?;
    let (mut first, first_columns, _) = open_csv(importer, path)?;
    let mut look = FirstLook::new();
    while first.position() <= LOOKED_AT
        && let Some(row) = first.peek()?
    {
        let columns = &first_columns;
        look.see(kind, &CsvCells { row: &row, columns });
    }
    let rules = look.rules();
    let mut reader = Reader::new(kind, importer, path, rules);
    while let Some(row) = table.next(importer)? {
        let cells = CsvCells {
            row: &row,
            columns: &columns,
        };
        match reader.row(importer, &cells) {
            Ok(Some((user, record))) => importer.record(&user, record)?,
            Ok(None) => {}
            Err(fault) => reader.faults.push(fault),
        }
        for fault in reader.faults.drain(..) {
            importer.reject(row.reject(fault))?;
        }
    }
    reader.finish(importer);
    tell_unread(importer, path, &columns.unread);
    Ok(())
}

/// Says which columns are not read.
fn tell_unread(importer: &mut Importer<'_>, path: &Path, names: &[String]) {
    /// Most names in a note.
    const MOST: usize = 20;
    let named = names.iter().filter(|name| is_name(name)).take(MOST);
    let named: Vec<&str> = named.map(String::as_str).collect();
    if !named.is_empty() {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let more = if named.len() < names.len() {
            ", …"
        } else {
            ""
        };
        let named = named.join(", ");
        importer.note(format!("{file}: columns that are not read: {named}{more}"));
    }
}

fn open_csv<'p>(
    importer: &Importer<'_>,
    path: &'p Path,
) -> Result<(Table<'p>, CsvColumns, Kind), ImportError> {
    let mut table = Table::open(path, &READER)?;
    let columns = CsvColumns::of(table.names());
    let (kind, required): (Kind, &[Column]) = if columns.has(Column::CONSUMED_AT) {
        (Kind::Meals, &[Column::CONSUMED_AT])
    } else if columns.has(Column::STARTED_AT) || columns.has(Column::ACTIVITY_TYPE) {
        let required = &[Column::STARTED_AT, Column::ACTIVITY_TYPE];
        (Kind::Activities, required)
    } else {
        let required = &[Column::RECORDED_AT, Column::METRIC_TYPE, Column::VALUE];
        (Kind::HealthMetrics, required)
    };
    let of_user = Column::USER_ID;
    let required = required
        .iter()
        .chain(importer.options.user.is_none().then_some(&of_user));
    for column in required {
        match columns.place(*column) {
            Some(place) => table.require(place),
            None => return Err(table.missing(column.name().to_owned())),
        }
    }
    Ok((table, columns, kind))
}

fn read_json(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let known = is_known;
    let mut names = JsonNames::default();
    let mut looks: HashMap<Kind, FirstLook> = HashMap::new();
    let (mut first, _) = json::Rows::open(path, &known)?;
    while let Some(found) = first.next()? {
        if first.position() > LOOKED_AT {
            break;
        }
        if found.fault.is_none()
            && let Ok(cells) = JsonCells::parse(first.row(), &mut names)
        {
            let kind = Kind::of(&cells);
            looks
                .entry(kind)
                .or_insert_with(FirstLook::new)
                .see(kind, &cells);
        }
    }
    let mut readers: HashMap<Kind, Reader> = HashMap::new();
    let (mut rows, _) = json::Rows::open(path, &known)?;
    let mut count: u64 = 0;
    while let Some(found) = rows.next()? {
        count += 1;
        if count.is_multiple_of(2_000) {
            importer.progress(path, rows.position())?;
        }
        importer.report.rows_read += 1;
        let reject = |(reason, message)| Reject {
            file: path.to_owned(),
            line: found.line,
            reason,
            message,
        };
        let cells = match found.fault {
            Some(fault) => Err(fault),
            None => JsonCells::parse(rows.row(), &mut names),
        };
        let cells = match cells {
            Ok(cells) => cells,
            Err(fault) => {
                importer.reject(reject(fault))?;
                continue;
            }
        };
        let kind = Kind::of(&cells);
        let reader = readers.entry(kind).or_insert_with(|| {
            let look = looks.remove(&kind).unwrap_or_else(FirstLook::new);
            Reader::new(kind, importer, path, look.rules())
        });
        match reader.row(importer, &cells) {
            Ok(Some((user, record))) => importer.record(&user, record)?,
            Ok(None) => {}
            Err(fault) => reader.faults.push(fault),
        }
        for fault in reader.faults.drain(..) {
            importer.reject(reject(fault))?;
        }
    }
    importer.progress(path, rows.position())?;
    for kind in [Kind::Meals, Kind::Activities, Kind::HealthMetrics] {
        if let Some(reader) = readers.remove(&kind) {
            reader.finish(importer);
        }
    }
    tell_unread(importer, path, &names.unread());
    Ok(())
}

/// Reads the rows of one table.
struct Reader {
    kind: Kind,
    zone: Zone,
    file: String,
    rules: Rules,
    trust_created: bool,
    /// Rows without an id of their own.
    coincident: Coincident,
    /// Cells of the row that are left out because they cannot be read.
    faults: Vec<Fault>,
    /// Number of words that are not known, by what they are.
    unknown: BTreeMap<&'static str, u64>,
}

impl Reader {
    fn new(kind: Kind, importer: &mut Importer<'_>, path: &Path, rules: Rules) -> Self {
        let reader = Self {
            kind,
            zone: importer.zone_to_assume(),
            file: path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into()),
            trust_created: match importer.options.known_at {
                KnownAt::Auto => rules.trust_created,
                KnownAt::Created => true,
                KnownAt::Observed => false,
            },
            rules,
            coincident: Coincident::default(),
            faults: Vec::new(),
            unknown: BTreeMap::new(),
        };
        reader.tell(importer);
        reader
    }

    /// Says how the file is read, where one row alone would not tell.
    fn tell(&self, importer: &mut Importer<'_>) {
        let file = &self.file;
        if !self.trust_created && importer.options.known_at == KnownAt::Auto {
            importer.note(format!(
                "{file}: most rows were created more than a week after the reading, so createdAt \
                 probably shows a bulk import; rows count as known at the time of the reading (use \
                 --known-at created to change this)"
            ));
        }
        if self.rules.row_numbers {
            importer.note(format!(
                "{file}: the ids are row numbers, which say nothing about other files; each row gets \
                 an id from its time instead"
            ));
        }
        importer.tell_grouped(file, &self.rules.grouped);
        let order = match self.rules.order {
            DateOrder::Unknown => None,
            DateOrder::DayFirst => Some("day"),
            DateOrder::MonthFirst => Some("month"),
        };
        if let Some(order) = order {
            importer.note(format!(
                "{file}: dates such as 03/04/2024 are read with the {order} first, as others of the \
                 file show"
            ));
        }
        let minutes = DurationUnit::Minutes;
        if let Some(unit) = self.rules.duration.filter(|unit| *unit != minutes) {
            importer.note(format!(
                "{file}: durations are in {}, as start and end or their size show",
                unit.word()
            ));
        }
    }

    /// Says which words were not known.
    fn finish(&self, importer: &mut Importer<'_>) {
        for (what, count) in &self.unknown {
            importer.note(format!("{}: {count} {what}", self.file));
        }
    }

    /// The record of a row; `None` for a row of another person, for a repeated row, and for a reading that
    /// says "not measured".
    fn row(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
    ) -> Result<Option<(UserId, Record)>, Fault> {
        let user = match (cells.cell(Column::USER_ID), &importer.options.user) {
            ("", Some(user)) => user.clone(),
            ("", None) => return Err((RejectReason::Empty, "userId is empty".to_owned())),
            (text, _) => UserId::new(text).map_err(|error| fault(&error))?,
        };
        if !importer.wants(&user) {
            importer.skip(SkipReason::OtherUser);
            return Ok(None);
        }
        let told = self.told(cells)?;
        match told.at {
            Moment::Instant { at, .. } => importer.check_time(at)?,
            Moment::Clock(local) => importer.check_day(local.date())?,
            Moment::Date(day) => importer.check_day(day)?,
        }
        let source = match cells.cell(Column::SOURCE) {
            "" => "reference",
            text => text,
        };
        let id = match cells.cell(Column::ID) {
            id if id.is_empty() || self.rules.row_numbers => cells.cell(Column::SOURCE_ID),
            id => id,
        };
        let provenance = Provenance::told(source, id, told);
        let record = match self.kind {
            Kind::Meals => self.meal(importer, cells, provenance),
            Kind::Activities => {
                let zone = importer.zone_of(&user).unwrap_or(self.zone);
                self.activity(importer, cells, provenance, zone)?
            }
            Kind::HealthMetrics => match self.reading(cells, provenance)? {
                Some(record) => record,
                None => {
                    importer.skip(SkipReason::Missing);
                    return Ok(None);
                }
            },
        };
        let mut record = record;
        if record.provenance().source_id.is_empty() {
            let (identified, is_repeated) = self.coincident.identify(&user, record);
            if is_repeated {
                importer.skip(SkipReason::Repeated);
                return Ok(None);
            }
            record = identified;
        }
        while let Err(error) = record.validate() {
            // One number out of range costs that number, not the row.
            let told = fault(&error);
            if !leave_out(&mut record, &error) {
                return Err(told);
            }
            self.faults.push(told);
        }
        if let Record::Meal(meal) = &record
            && !self.faults.is_empty()
            && is_empty(meal)
        {
            return Ok(None);
        }
        Ok(Some((user, record)))
    }

    /// A number that may be missing; one that cannot be read is told and left out.
    fn optional(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
        column: Column,
        unit: Unit,
    ) -> Option<f64> {
        let marks = self.rules.of_column(column);
        let fault = match cell(cells.cell(column), column.name(), marks) {
            Ok(Cell::Empty) => return None,
            Ok(Cell::NotMeasured) => {
                importer.skip(SkipReason::Missing);
                return None;
            }
            Ok(Cell::Value(value, found)) => {
                let Some(found) = found.or(cells.unit(column)) else {
                    return Some(value);
                };
                match found.convert(value, unit) {
                    Some(value) => return Some(value),
                    None => (
                        RejectReason::WrongUnit,
                        format!("{} has a unit that does not belong to it", column.name()),
                    ),
                }
            }
            Err(fault) => fault,
        };
        self.faults.push(fault);
        None
    }

    /// A number of a record in the unit of its field.
    fn number<T>(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
        column: Column,
        field: &NumberField<T>,
    ) -> Option<f64> {
        self.optional(importer, cells, column, field.unit)
    }

    /// A heart rate of a workout; 0 says that there is none.
    fn heart_rate(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
        column: Column,
        field: &NumberField<Activity>,
    ) -> Option<f64> {
        let rate = self.number(importer, cells, column, field)?;
        if MetricType::RestingHeartRate.not_measured(rate) {
            importer.skip(SkipReason::Missing);
            return None;
        }
        Some(rate)
    }

    fn activity(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
        provenance: Provenance,
        zone: Zone,
    ) -> Result<Record, Fault> {
        use Activity as A;

        let told = provenance.told;
        // Clocks may be put forward or back in between.
        let clock = |local| zone.instant_of(local);
        // A date says nothing about how long it took.
        let between = match (told.at, told.until) {
            (Moment::Instant { at, .. }, Some(Moment::Instant { at: end, .. })) => Some(end - at),
            (Moment::Clock(at), Some(Moment::Clock(end))) => Some(clock(end) - clock(at)),
            (Moment::Instant { .. } | Moment::Clock(_) | Moment::Date(_), _) => None,
        };
        if between.is_some_and(|length| length < TimeDelta::zero()) {
            return Err((
                RejectReason::Reversed,
                "endedAt is before startedAt".to_owned(),
            ));
        }
        let between = between.map(|length| length.num_seconds() as f64 / 60.0);
        let written = Written {
            text: cells.cell(Column::DURATION),
            unit: cells.unit(Column::DURATION),
            marks: self.rules.of_column(Column::DURATION),
        };
        let duration_minutes = match duration(&written, between, self.rules.duration) {
            Ok(minutes) => minutes.or(between),
            Err(fault) => {
                self.faults.push(fault);
                None
            }
        };
        let intensity = match cells.cell(Column::INTENSITY) {
            "" => None,
            word => {
                let known = intensity(word);
                if known.is_none() && !is_not_measured(word) {
                    self.unknown("activities have an intensity that is not known; they have none");
                }
                known
            }
        };
        let activity_type = sport(cells.cell(Column::ACTIVITY_TYPE)).unwrap_or_else(|| {
            self.unknown("activities are of a type that is not known; they count as OTHER");
            ActivityType::Other
        });
        Ok(Record::Activity(Activity {
            activity_type,
            intensity,
            duration_minutes,
            energy_kcal: self.number(importer, cells, Column::CALORIES_BURNED, &A::ENERGY),
            average_heart_rate: self.heart_rate(
                importer,
                cells,
                Column::AVERAGE_HEART_RATE,
                &A::AVERAGE_HEART_RATE,
            ),
            max_heart_rate: self.heart_rate(
                importer,
                cells,
                Column::MAX_HEART_RATE,
                &A::MAX_HEART_RATE,
            ),
            distance_m: self.number(importer, cells, Column::DISTANCE, &A::DISTANCE),
            steps: self.number(importer, cells, Column::STEPS, &A::STEPS),
            provenance,
        }))
    }

    fn meal(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
        provenance: Provenance,
    ) -> Record {
        let name = Some(cells.cell(Column::NAME).to_owned()).filter(|name| !name.is_empty());
        let meal_type = match cells.cell(Column::MEAL_TYPE) {
            "" => None,
            word => {
                let known = crate::words::meal(word);
                if known.is_none() && !is_not_measured(word) {
                    self.unknown("meals are of a type that is not known; they have none");
                }
                known
            }
        };
        let mut energy_kcal = self.number(importer, cells, Column::CALORIES, &Meal::ENERGY);
        if energy_kcal.is_none() {
            energy_kcal = self
                .optional(importer, cells, Column::ENERGY_KJ, Unit::Kilojoules)
                .and_then(|energy| Unit::Kilojoules.convert(energy, Unit::Kilocalories));
        }
        let mut number = |column, field| self.number(importer, cells, column, field);
        Record::Meal(Meal {
            name,
            meal_type,
            energy_kcal,
            protein_g: number(Column::PROTEIN, &Meal::PROTEIN),
            carbs_g: number(Column::CARBS, &Meal::CARBS),
            fat_g: number(Column::FAT, &Meal::FAT),
            fiber_g: number(Column::FIBER, &Meal::FIBER),
            sugar_g: number(Column::SUGAR, &Meal::SUGAR),
            provenance,
        })
    }

    /// A reading; `None` if it says "not measured".
    fn reading(
        &mut self,
        cells: &impl Cells,
        provenance: Provenance,
    ) -> Result<Option<Record>, Fault> {
        let metric =
            crate::words::metric(cells.cell(Column::METRIC_TYPE)).map_err(|error| fault(&error))?;
        let unit = match cells.cell(Column::UNIT) {
            "" => None,
            text => Some(
                Unit::parse(text).map_err(|error| (RejectReason::WrongUnit, fault(&error).1))?,
            ),
        };
        let marks = self.rules.of_metric(metric);
        let text = cells.cell(Column::VALUE);
        let (value, unit) = match cell(text, "value", marks) {
            Ok(Cell::Empty | Cell::NotMeasured) => return Ok(None),
            Ok(Cell::Value(value, None)) => (value, unit.unwrap_or(metric.unit())),
            // Of a time, `450m` is in minutes.
            Ok(Cell::Value(value, Some(Unit::Metres))) => {
                let expected = unit.unwrap_or(metric.unit());
                time_span(text, expected).unwrap_or((value, Unit::Metres))
            }
            Ok(Cell::Value(value, Some(found))) if unit.is_none_or(|unit| unit == found) => {
                (value, found)
            }
            Ok(Cell::Value(..)) => {
                return Err((
                    RejectReason::WrongUnit,
                    "value and unit have different units".to_owned(),
                ));
            }
            Err(fault) => time_span(text, unit.unwrap_or(metric.unit())).ok_or(fault)?,
        };
        if metric == MetricType::Steps {
            check_cut(value, marks, "value")?;
        }
        let value = metric
            .measured(value, unit)
            .map_err(|error| fault(&error))?;
        let kind = match cells.cell(Column::KIND) {
            "" => None,
            word => Some(
                word.to_ascii_lowercase()
                    .parse()
                    .map_err(|error| fault(&error))?,
            ),
        };
        Ok(value.map(|value| {
            Record::HealthMetric(HealthMetric {
                kind,
                ..HealthMetric::new(provenance, metric, value)
            })
        }))
    }

    fn unknown(&mut self, what: &'static str) {
        *self.unknown.entry(what).or_default() += 1;
    }
}

/// A duration such as `7:12` or `7h 12m` as a value with its unit.
fn time_span(text: &str, unit: Unit) -> Option<(f64, Unit)> {
    match span(text)? {
        Span::Seconds(seconds) => {
            Unit::Seconds.convert(seconds, unit)?;
            Some((seconds, Unit::Seconds))
        }
        // With another unit it may be minutes and seconds.
        Span::Pair(hours, minutes) if unit == Unit::Hours => {
            Some((hours * 60.0 + minutes, Unit::Minutes))
        }
        Span::Pair(..) => None,
    }
}

/// Whether a meal has no number.
fn is_empty(meal: &Meal) -> bool {
    Meal::NUMBERS.iter().all(|field| field.of(meal).is_none())
}

/// Removes the number that an error is about; whether there is one that can be missing.
fn leave_out(record: &mut Record, error: &DomainError) -> bool {
    let (DomainError::OutOfRange { what, .. } | DomainError::NotFinite { what }) = error else {
        return false;
    };
    match record {
        Record::HealthMetric(_) | Record::Tag(_) => false,
        Record::Meal(meal) => remove(meal, Meal::NUMBERS, what),
        Record::Activity(activity) => remove(activity, Activity::NUMBERS, what),
    }
}

fn remove<T>(of: &mut T, fields: &[NumberField<T>], words: &str) -> bool {
    let named = fields.iter().find(|field| field.words == words);
    named.is_some_and(|field| field.of_mut(of).take().is_some())
}
