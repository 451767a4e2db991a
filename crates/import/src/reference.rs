//! The reference service's tables, as CSV or JSON lines: `meals`, `activities`, `health_metrics`.
//!
//! Columns are found by name, in the database's camelCase or in snake_case. Which table a file is,
//! its columns say. Times without a zone are UTC, as the service wrote them; the local day comes
//! from the zone given, else UTC.

mod cells;
mod json_lines;

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::format::FormatReader;
use crate::options::KnownAt;
use crate::report::{Reject, RejectReason, SkipReason};
use crate::table::{Fault, Table, number};
use crate::time::{Stamp, iso};
use cells::{Cells, Column, CsvCells, CsvColumns, JsonCells};
use chrono::{DateTime, TimeDelta, Utc};
use json_lines::JsonLines;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use vitalcast_domain::{
    Activity, HealthMetric, Meal, MealType, MetricType, Provenance, Record, Unit, UserId, Zone,
};

/// Number of rows that decide whether `createdAt` shows a bulk import.
const SAMPLE: usize = 1_000;
/// A row created later than this after it happened counts as a sign of a bulk import.
const LATE: TimeDelta = TimeDelta::days(7);
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Meals,
    Activities,
    HealthMetrics,
}

impl Kind {
    fn moment(self) -> Column {
        match self {
            Self::Meals => Column::ConsumedAt,
            Self::Activities => Column::StartedAt,
            Self::HealthMetrics => Column::RecordedAt,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Meals => "meal",
            Self::Activities => "activity",
            Self::HealthMetrics => "health_metric",
        }
    }
}

/// The tables of the reference service.
pub(crate) static READER: FormatReader = FormatReader {
    word: "reference",
    recognises: |columns| {
        columns.has_all(&["metricType", "value"])
            || columns.has("consumedAt")
            || columns.has_all(&["activityType", "startedAt"])
            || columns.has("recordedAt")
    },
    read,
};

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let is_json = path
        .extension()
        .and_then(|ending| ending.to_str())
        .is_some_and(|ending| {
            ending.eq_ignore_ascii_case("jsonl") || ending.eq_ignore_ascii_case("ndjson")
        });
    if is_json {
        read_json(importer, path)
    } else {
        read_csv(importer, path)
    }
}

fn read_csv(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut table = Table::open(path)?;
    let columns = CsvColumns::of(&table);
    let required: &[Column] = if columns.has(Column::ConsumedAt) {
        &[]
    } else if columns.has(Column::StartedAt) || columns.has(Column::ActivityType) {
        &[Column::StartedAt, Column::ActivityType]
    } else {
        &[Column::RecordedAt, Column::MetricType, Column::Value]
    };
    let kind = match required.len() {
        0 => Kind::Meals,
        2 => Kind::Activities,
        _ => Kind::HealthMetrics,
    };
    for column in required {
        table.required(&[column.name()])?;
    }
    if importer.options.user.is_none() {
        table.required(&[Column::UserId.name()])?;
    }
    let mut reader = Reader::new(kind, importer, path);
    if importer.options.known_at == KnownAt::Auto && columns.has(Column::CreatedAt) {
        reader.trust_created = sample_csv(path, kind, &columns)?;
        reader.tell(importer);
    }
    while let Some(row) = table.next(importer)? {
        let cells = CsvCells {
            row: &row,
            columns: &columns,
        };
        match reader.row(importer, &cells) {
            Ok(found) => reader.hand_on(importer, found)?,
            Err(fault) => {
                let reject = row.reject(fault);
                importer.reject(reject)?;
            }
        }
    }
    Ok(())
}

fn read_json(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let mut lines = JsonLines::open(path)?;
    let mut readers: HashMap<&'static str, Reader> = HashMap::new();
    let mut sampled = JsonLines::open(path)?;
    let trust = importer.options.known_at != KnownAt::Auto || sample_json(&mut sampled)?;
    while let Some((line, bytes)) = lines.next(importer)? {
        importer.report.rows_read += 1;
        let outcome = JsonCells::parse(&bytes).map(|cells| {
            let kind = if !cells.cell(Column::ConsumedAt).is_empty() {
                Kind::Meals
            } else if !cells.cell(Column::StartedAt).is_empty() {
                Kind::Activities
            } else {
                Kind::HealthMetrics
            };
            (kind, cells)
        });
        let outcome = match outcome {
            Ok((kind, cells)) => {
                let reader = readers.entry(kind.word()).or_insert_with(|| {
                    let mut reader = Reader::new(kind, importer, path);
                    reader.trust_created &= trust;
                    reader
                });
                reader.row(importer, &cells).map(|found| (kind, found))
            }
            Err(fault) => Err(fault),
        };
        match outcome {
            Ok((kind, found)) => {
                if let Some(reader) = readers.get_mut(kind.word()) {
                    reader.hand_on(importer, found)?;
                }
            }
            Err((reason, message)) => importer.reject(Reject {
                file: path.to_owned(),
                line,
                reason,
                message,
            })?,
        }
    }
    Ok(())
}

/// Reads the rows of one table.
struct Reader {
    kind: Kind,
    zone: Zone,
    file: String,
    trust_created: bool,
    /// The moments of rows without an id of their own, by their hash; with ids it stays empty.
    seen: HashMap<u64, Seen>,
}

impl Reader {
    fn new(kind: Kind, importer: &Importer<'_>, path: &Path) -> Self {
        Self {
            kind,
            zone: importer.options.zone.unwrap_or(Zone::UTC),
            file: path
                .file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into()),
            trust_created: importer.options.known_at != KnownAt::Observed,
            seen: HashMap::new(),
        }
    }

    fn tell(&self, importer: &mut Importer<'_>) {
        if !self.trust_created {
            importer.note(format!(
                "{}: most rows were created more than a week after the reading, so createdAt \
                 probably shows a bulk import; rows count as known at the time of the reading (use \
                 --known-at created to change this)",
                self.file
            ));
        }
    }

    /// Passes the record of a row to the importer, if there is one.
    fn hand_on(
        &mut self,
        importer: &mut Importer<'_>,
        found: Option<(UserId, Record)>,
    ) -> Result<(), ImportError> {
        if let Some((user, record)) = found {
            importer.person(&user, self.zone)?;
            importer.record(&user, record)?;
        }
        Ok(())
    }

    /// The record of a row; `None` for a row of another person and for a repeated row.
    fn row(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
    ) -> Result<Option<(UserId, Record)>, Fault> {
        let user = match (cells.cell(Column::UserId), &importer.options.user) {
            ("", Some(user)) => user.clone(),
            ("", None) => return Err((RejectReason::Empty, "userId is empty".to_owned())),
            (text, _) => UserId::new(text).map_err(|error| fault(&error))?,
        };
        if !importer.wants(&user) {
            importer.skip(SkipReason::OtherUser);
            return Ok(None);
        }
        let (observed_at, time_known) = self.moment(cells, self.kind.moment())?;
        importer.check_time(observed_at)?;
        let source = match cells.cell(Column::Source) {
            "" => "reference",
            text => text,
        };
        let id = match cells.cell(Column::Id) {
            "" => cells.cell(Column::SourceId),
            id => id,
        };
        let mut provenance = Provenance::at(source, id, observed_at, self.zone);
        let over = if time_known {
            observed_at
        } else {
            // Somewhere in that day: known when it is over.
            self.zone.evening_of(provenance.day)
        };
        provenance.known_at = self.known_at(cells, over)?;
        let record = match self.kind {
            Kind::Meals => meal(cells, provenance, time_known)?,
            Kind::Activities => self.activity(cells, provenance)?,
            Kind::HealthMetrics => reading(cells, provenance)?,
        };
        let record = match self.identified(&user, record) {
            Some(record) => record,
            None => {
                importer.skip(SkipReason::Repeated);
                return Ok(None);
            }
        };
        record.validate().map_err(|error| fault(&error))?;
        Ok(Some((user, record)))
    }

    /// Parses an instant; a date without a time is the start of that local day, with unknown time.
    fn moment(&self, cells: &impl Cells, column: Column) -> Result<(DateTime<Utc>, bool), Fault> {
        let text = cells.cell(column);
        if text.is_empty() {
            return Err((RejectReason::Empty, format!("{} is empty", column.name())));
        }
        match iso(text) {
            Some(Stamp::Instant(instant, _)) => Ok((instant, true)),
            Some(Stamp::Wall(wall)) => Ok((wall.and_utc(), true)),
            Some(Stamp::Day(day)) => Ok((self.zone.start_of_day(day), false)),
            None => Err((
                RejectReason::BadTime,
                format!(
                    "{} is not a time, expected for example 2024-01-31T07:00:00Z",
                    column.name()
                ),
            )),
        }
    }

    fn known_at(
        &self,
        cells: &impl Cells,
        happened: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Fault> {
        if !self.trust_created || cells.cell(Column::CreatedAt).is_empty() {
            return Ok(happened);
        }
        let (created, _) = self.moment(cells, Column::CreatedAt)?;
        Ok(created.max(happened))
    }

    fn activity(&self, cells: &impl Cells, provenance: Provenance) -> Result<Record, Fault> {
        let mut minutes = number(cells.cell(Column::Duration), "duration")?;
        if !cells.cell(Column::EndedAt).is_empty() {
            let (ended, _) = self.moment(cells, Column::EndedAt)?;
            if ended < provenance.observed_at {
                return Err((
                    RejectReason::Reversed,
                    "endedAt is before startedAt".to_owned(),
                ));
            }
            minutes = minutes
                .or_else(|| Some((ended - provenance.observed_at).num_seconds() as f64 / 60.0));
        }
        let intensity = match cells.cell(Column::Intensity) {
            "" => None,
            word => Some(
                word.to_ascii_uppercase()
                    .parse()
                    .map_err(|error| fault(&error))?,
            ),
        };
        Ok(Record::Activity(Activity {
            activity_type: cells
                .cell(Column::ActivityType)
                .to_ascii_uppercase()
                .parse()
                .map_err(|error| fault(&error))?,
            intensity,
            duration_minutes: minutes,
            energy_kcal: number(cells.cell(Column::CaloriesBurned), "caloriesBurned")?,
            average_heart_rate: number(cells.cell(Column::AverageHeartRate), "averageHeartRate")?,
            max_heart_rate: number(cells.cell(Column::MaxHeartRate), "maxHeartRate")?,
            distance_m: number(cells.cell(Column::Distance), "distance")?,
            steps: number(cells.cell(Column::Steps), "steps")?,
            provenance,
        }))
    }

    /// Gives a row without an id a reproducible id. Different rows with the same time are distinguished
    /// by a number; a repeated row is `None`.
    fn identified(&mut self, user: &UserId, mut record: Record) -> Option<Record> {
        if !record.provenance().source_id.is_empty() {
            return Some(record);
        }
        let (moment, content) = hashes(user, &record);
        let seen = self.seen.entry(moment).or_default();
        if seen.ordinal > 0 && seen.content == content {
            return None;
        }
        seen.ordinal += 1;
        seen.content = content;
        let provenance = record.provenance_mut();
        provenance.source_id = provenance.observed_at.to_rfc3339();
        if seen.ordinal > 1 {
            provenance.source_id += &format!("#{}", seen.ordinal);
        }
        Some(record)
    }
}

/// The rows seen at one time: their number, and a hash of the last one.
#[derive(Default)]
struct Seen {
    ordinal: u32,
    content: u64,
}

/// Hashes of the identity of a record (person, kind, metric, source, time) and of its content.
fn hashes(user: &UserId, record: &Record) -> (u64, u64) {
    let mut hasher = DefaultHasher::new();
    let provenance = record.provenance();
    let metric = match record {
        Record::HealthMetric(reading) => Some(reading.metric),
        Record::Meal(_) | Record::Activity(_) => None,
    };
    (user, record.kind(), metric).hash(&mut hasher);
    (&provenance.source, provenance.observed_at).hash(&mut hasher);
    let moment = hasher.finish();
    let numbers: &[Option<f64>] = match record {
        Record::HealthMetric(reading) => &[Some(reading.value)],
        Record::Meal(meal) => {
            (&meal.name, meal.meal_type).hash(&mut hasher);
            &[
                meal.energy_kcal,
                meal.protein_g,
                meal.carbs_g,
                meal.fat_g,
                meal.fiber_g,
                meal.sugar_g,
            ]
        }
        Record::Activity(activity) => {
            (activity.activity_type, activity.intensity).hash(&mut hasher);
            &[
                activity.duration_minutes,
                activity.energy_kcal,
                activity.average_heart_rate,
                activity.max_heart_rate,
                activity.distance_m,
                activity.steps,
            ]
        }
    };
    for number in numbers {
        number.map(f64::to_bits).hash(&mut hasher);
    }
    (moment, hasher.finish())
}

fn meal(cells: &impl Cells, provenance: Provenance, time_known: bool) -> Result<Record, Fault> {
    let text = |column| Some(cells.cell(column).to_owned()).filter(|text| !text.is_empty());
    let meal_type = match cells.cell(Column::MealType) {
        "" => None,
        word => Some(
            word.to_ascii_lowercase()
                .parse::<MealType>()
                .map_err(|error| fault(&error))?,
        ),
    };
    Ok(Record::Meal(Meal {
        name: text(Column::Name),
        meal_type,
        energy_kcal: number(cells.cell(Column::Calories), "calories")?,
        protein_g: number(cells.cell(Column::Protein), "protein")?,
        carbs_g: number(cells.cell(Column::Carbs), "carbs")?,
        fat_g: number(cells.cell(Column::Fat), "fat")?,
        fiber_g: number(cells.cell(Column::Fiber), "fiber")?,
        sugar_g: number(cells.cell(Column::Sugar), "sugar")?,
        provenance,
    }))
}

fn reading(cells: &impl Cells, provenance: Provenance) -> Result<Record, Fault> {
    let metric: MetricType = cells
        .cell(Column::MetricType)
        .to_ascii_uppercase()
        .parse()
        .map_err(|error| fault(&error))?;
    let value = number(cells.cell(Column::Value), "value")?
        .ok_or_else(|| (RejectReason::Empty, "value is empty".to_owned()))?;
    let unit = match cells.cell(Column::Unit) {
        "" => metric.unit(),
        text => Unit::parse(text).map_err(|error| (RejectReason::WrongUnit, error.to_string()))?,
    };
    let value = metric
        .to_canonical(value, unit)
        .map_err(|error| fault(&error))?;
    Ok(Record::HealthMetric(HealthMetric::new(
        provenance, metric, value,
    )))
}

/// Whether `createdAt` of the first rows is the time when they became known.
fn trustworthy(delays: &[TimeDelta]) -> bool {
    let late = delays.iter().filter(|delay| **delay > LATE).count();
    late * 2 <= delays.len()
}

fn delay(cells: &impl Cells, moment: Column) -> Option<TimeDelta> {
    let instant = |column| match iso(cells.cell(column))? {
        Stamp::Instant(instant, _) => Some(instant),
        Stamp::Wall(wall) => Some(wall.and_utc()),
        Stamp::Day(day) => Some(day.and_time(chrono::NaiveTime::MIN).and_utc()),
    };
    Some(instant(Column::CreatedAt)? - instant(moment)?)
}

fn sample_csv(path: &Path, kind: Kind, columns: &CsvColumns) -> Result<bool, ImportError> {
    let mut delays = Vec::new();
    let reader = csv::ReaderBuilder::new().flexible(true).from_path(path);
    let mut reader = reader.map_err(|error| ImportError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    for record in reader.byte_records().take(SAMPLE).flatten() {
        delays.extend(delay(
            &JsonCells::of_record(columns, &record),
            kind.moment(),
        ));
    }
    Ok(trustworthy(&delays))
}

fn sample_json(lines: &mut JsonLines<'_>) -> Result<bool, ImportError> {
    let mut delays = Vec::new();
    for _ in 0..SAMPLE {
        let Some((_, bytes)) = lines.line()? else {
            break;
        };
        if let Ok(cells) = JsonCells::parse(&bytes) {
            let moment = [Column::ConsumedAt, Column::StartedAt, Column::RecordedAt]
                .into_iter()
                .find(|column| !cells.cell(*column).is_empty());
            delays.extend(moment.and_then(|moment| delay(&cells, moment)));
        }
    }
    Ok(trustworthy(&delays))
}
