//! The reference service's tables, as CSV or JSON lines: `meals`, `activities`, `health_metrics`.
//!
//! Columns are found by name, in the database's camelCase or in snake_case. Which table a file is,
//! its columns say. Times without a zone are UTC, as the service wrote them; the local day comes
//! from the zone given, else UTC.

use crate::batch::{Importer, fault};
use crate::error::ImportError;
use crate::options::KnownAt;
use crate::report::{Reject, RejectReason, SkipReason};
use crate::table::{Fault, Row, Table, number};
use crate::time::{Stamp, iso};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use vitalcast_domain::{
    Activity, HealthMetric, Meal, MealType, MetricType, Provenance, Record, Unit, UserId, Zone,
};

/// Nights shorter than this are partial, hours.
const PARTIAL_NIGHT: f64 = 2.0;
/// Rows that decide whether `createdAt` tells of a bulk load.
const SAMPLE: usize = 1_000;
/// A row created this long after it happened was not entered as it happened.
const LATE: TimeDelta = TimeDelta::days(7);
/// Longest line of a JSON-lines file.
const MAX_LINE: usize = 1 << 20;

const USER: &[&str] = &["userId"];
const ID: &[&str] = &["id", "sourceId"];
const SOURCE: &[&str] = &["source"];
const CREATED: &[&str] = &["createdAt"];
const CONSUMED: &[&str] = &["consumedAt"];
const STARTED: &[&str] = &["startedAt"];
const ENDED: &[&str] = &["endedAt"];
const RECORDED: &[&str] = &["recordedAt"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Meals,
    Activities,
    HealthMetrics,
}

impl Kind {
    fn moment(self) -> &'static [&'static str] {
        match self {
            Self::Meals => CONSUMED,
            Self::Activities => STARTED,
            Self::HealthMetrics => RECORDED,
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

/// Cells by name, from a CSV row or a JSON object.
trait Cells {
    fn cell(&self, names: &[&str]) -> &str;
}

struct CsvCells<'r, 't> {
    row: &'r Row<'t>,
    columns: &'r HashMap<&'static str, usize>,
}

impl Cells for CsvCells<'_, '_> {
    fn cell(&self, names: &[&str]) -> &str {
        names
            .iter()
            .filter_map(|name| self.columns.get(name))
            .map(|column| self.row.text(Some(*column)))
            .find(|cell| !cell.is_empty())
            .unwrap_or("")
    }
}

struct JsonCells(HashMap<String, String>);

impl Cells for JsonCells {
    fn cell(&self, names: &[&str]) -> &str {
        names
            .iter()
            .filter_map(|name| self.0.get(&letters(name)))
            .map(String::as_str)
            .find(|cell| !cell.is_empty())
            .unwrap_or("")
    }
}

fn letters(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Every column that is read, by its name in the database.
const COLUMNS: &[&str] = &[
    "userId",
    "id",
    "sourceId",
    "source",
    "createdAt",
    "consumedAt",
    "startedAt",
    "endedAt",
    "recordedAt",
    "metricType",
    "value",
    "unit",
    "name",
    "mealType",
    "calories",
    "protein",
    "carbs",
    "fat",
    "fiber",
    "sugar",
    "duration",
    "activityType",
    "intensity",
    "caloriesBurned",
    "averageHeartRate",
    "maxHeartRate",
    "distance",
    "steps",
];

pub(crate) fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
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
    let columns: HashMap<&'static str, usize> = COLUMNS
        .iter()
        .filter_map(|name| Some((*name, table.column(&[*name])?)))
        .collect();
    let kind = if columns.contains_key("consumedAt") {
        Kind::Meals
    } else if columns.contains_key("startedAt") || columns.contains_key("activityType") {
        table.required(STARTED)?;
        table.required(&["activityType"])?;
        Kind::Activities
    } else {
        for names in [&["recordedAt"], &["metricType"], &["value"]] {
            table.required(names)?;
        }
        Kind::HealthMetrics
    };
    if importer.options.user.is_none() {
        table.required(USER)?;
    }
    let mut reader = Reader::new(kind, importer, path);
    if importer.options.known_at == KnownAt::Auto && columns.contains_key("createdAt") {
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
        let outcome = json_cells(&bytes).map(|cells| {
            let kind = if !cells.cell(CONSUMED).is_empty() {
                Kind::Meals
            } else if !cells.cell(STARTED).is_empty() {
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

fn json_cells(bytes: &[u8]) -> Result<JsonCells, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        (
            RejectReason::NotUtf8,
            "the line is not UTF-8 text".to_owned(),
        )
    })?;
    let fields: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        (
            RejectReason::NotJson,
            format!(
                "not a JSON object (column {}): one object a line is right",
                error.column()
            ),
        )
    })?;
    Ok(JsonCells(
        fields
            .into_iter()
            .map(|(name, value)| {
                let cell = match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                (letters(&name), cell)
            })
            .collect(),
    ))
}

struct JsonLines<'p> {
    path: &'p Path,
    reader: BufReader<File>,
    line: u64,
    position: u64,
}

impl<'p> JsonLines<'p> {
    fn open(path: &'p Path) -> Result<Self, ImportError> {
        let file = File::open(path).map_err(|source| ImportError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path,
            reader: BufReader::new(file),
            line: 0,
            position: 0,
        })
    }

    /// The next line that is not blank, cut at the longest length a line may have.
    fn line(&mut self) -> Result<Option<(u64, Vec<u8>)>, ImportError> {
        loop {
            let mut bytes = Vec::new();
            let failed = |source| ImportError::Read {
                path: self.path.to_owned(),
                source,
            };
            // A line without end must not fill the memory.
            let mut limited = std::io::Read::take(&mut self.reader, MAX_LINE as u64);
            let mut read = limited.read_until(b'\n', &mut bytes).map_err(failed)?;
            if read == MAX_LINE && !bytes.ends_with(b"\n") {
                read += self.reader.skip_until(b'\n').map_err(failed)?;
            }
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            self.position += read as u64;
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some((self.line, bytes.trim_ascii().to_vec())));
            }
        }
    }

    fn next(&mut self, importer: &mut Importer<'_>) -> Result<Option<(u64, Vec<u8>)>, ImportError> {
        let next = self.line()?;
        if next.is_none() || self.line.is_multiple_of(2_000) {
            importer.progress(self.path, self.position)?;
        }
        Ok(next)
    }
}

/// Reads the rows of one table.
struct Reader {
    kind: Kind,
    zone: Zone,
    file: String,
    trust_created: bool,
    /// How often an identity without an id of its own was seen.
    ordinals: HashMap<String, (u32, String)>,
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
            ordinals: HashMap::new(),
        }
    }

    fn tell(&self, importer: &mut Importer<'_>) {
        if !self.trust_created {
            importer.note(format!(
                "{}: most rows were created over a week after they happened, so createdAt tells of \
                 a bulk load; rows count as known when they happened (--known-at created forces the \
                 other)",
                self.file
            ));
        }
    }

    /// Hands on what a row gave, if anything.
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

    /// The record of a row; `None` for someone else's row and for a repeated one.
    fn row(
        &mut self,
        importer: &mut Importer<'_>,
        cells: &impl Cells,
    ) -> Result<Option<(UserId, Record)>, Fault> {
        let user = match (cells.cell(USER), &importer.options.user) {
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
        let source = match cells.cell(SOURCE) {
            "" => "reference",
            text => text,
        };
        let mut provenance = Provenance::at(source, cells.cell(ID), observed_at, self.zone);
        if !time_known {
            // A day without a time is that local day, whatever the zone.
            provenance.day = observed_at.date_naive();
        }
        provenance.known_at = self.known_at(cells, observed_at)?;
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

    /// An instant; a plain date is the start of that day in UTC, with its time not known.
    fn moment(&self, cells: &impl Cells, names: &[&str]) -> Result<(DateTime<Utc>, bool), Fault> {
        let text = cells.cell(names);
        if text.is_empty() {
            return Err((RejectReason::Empty, format!("{} is empty", names[0])));
        }
        match iso(text) {
            Some(Stamp::Instant(instant, _)) => Ok((instant, true)),
            Some(Stamp::Wall(wall)) => Ok((wall.and_utc(), true)),
            Some(Stamp::Day(day)) => Ok((
                self.zone
                    .start_of_day(day)
                    .max(day.and_time(chrono::NaiveTime::MIN).and_utc()),
                false,
            )),
            None => Err((
                RejectReason::BadTime,
                format!("{} is not a time such as 2024-01-31T07:00:00Z", names[0]),
            )),
        }
    }

    fn known_at(
        &self,
        cells: &impl Cells,
        observed_at: DateTime<Utc>,
    ) -> Result<DateTime<Utc>, Fault> {
        if !self.trust_created || cells.cell(CREATED).is_empty() {
            return Ok(observed_at);
        }
        let (created, _) = self.moment(cells, CREATED)?;
        Ok(created.max(observed_at))
    }

    fn activity(&self, cells: &impl Cells, provenance: Provenance) -> Result<Record, Fault> {
        let mut minutes = number(cells.cell(&["duration"]), "duration")?;
        if !cells.cell(ENDED).is_empty() {
            let (ended, _) = self.moment(cells, ENDED)?;
            if ended < provenance.observed_at {
                return Err((
                    RejectReason::Reversed,
                    "endedAt is before startedAt".to_owned(),
                ));
            }
            minutes = minutes
                .or_else(|| Some((ended - provenance.observed_at).num_seconds() as f64 / 60.0));
        }
        let intensity = match cells.cell(&["intensity"]) {
            "" => None,
            word => Some(
                word.to_ascii_uppercase()
                    .parse()
                    .map_err(|error| fault(&error))?,
            ),
        };
        Ok(Record::Activity(Activity {
            activity_type: cells
                .cell(&["activityType"])
                .to_ascii_uppercase()
                .parse()
                .map_err(|error| fault(&error))?,
            intensity,
            duration_minutes: minutes,
            energy_kcal: number(cells.cell(&["caloriesBurned"]), "caloriesBurned")?,
            average_heart_rate: number(cells.cell(&["averageHeartRate"]), "averageHeartRate")?,
            max_heart_rate: number(cells.cell(&["maxHeartRate"]), "maxHeartRate")?,
            distance_m: number(cells.cell(&["distance"]), "distance")?,
            steps: number(cells.cell(&["steps"]), "steps")?,
            provenance,
        }))
    }

    /// Gives a row without an id one that the same row gets again. Two different rows of one moment
    /// are told apart by a number; the same row once more is `None`.
    fn identified(&mut self, user: &UserId, mut record: Record) -> Option<Record> {
        if !record.provenance().source_id.is_empty() {
            return Some(record);
        }
        let content = serde_json::to_string(&record).unwrap_or_default();
        let provenance = record.provenance_mut();
        let metric = provenance.observed_at.to_rfc3339();
        let what = match &record {
            Record::HealthMetric(reading) => reading.metric.as_str(),
            Record::Meal(_) | Record::Activity(_) => self.kind.word(),
        };
        let key = format!("{user}|{what}|{}|{metric}", record.provenance().source);
        let (ordinal, last) = self.ordinals.entry(key).or_default();
        if *last == content {
            return None;
        }
        *ordinal += 1;
        *last = content;
        let suffix = if *ordinal == 1 {
            String::new()
        } else {
            format!("#{ordinal}")
        };
        record.provenance_mut().source_id = format!("{metric}{suffix}");
        Some(record)
    }
}

fn meal(cells: &impl Cells, provenance: Provenance, time_known: bool) -> Result<Record, Fault> {
    let text = |names: &[&str]| Some(cells.cell(names).to_owned()).filter(|text| !text.is_empty());
    let meal_type = match cells.cell(&["mealType"]) {
        "" => None,
        word => Some(
            word.to_ascii_lowercase()
                .parse::<MealType>()
                .map_err(|error| fault(&error))?,
        ),
    };
    Ok(Record::Meal(Meal {
        name: text(&["name"]),
        meal_type,
        energy_kcal: number(cells.cell(&["calories"]), "calories")?,
        protein_g: number(cells.cell(&["protein"]), "protein")?,
        carbs_g: number(cells.cell(&["carbs"]), "carbs")?,
        fat_g: number(cells.cell(&["fat"]), "fat")?,
        fiber_g: number(cells.cell(&["fiber"]), "fiber")?,
        sugar_g: number(cells.cell(&["sugar"]), "sugar")?,
        time_known,
        provenance,
    }))
}

fn reading(cells: &impl Cells, provenance: Provenance) -> Result<Record, Fault> {
    let metric: MetricType = cells
        .cell(&["metricType"])
        .to_ascii_uppercase()
        .parse()
        .map_err(|error| fault(&error))?;
    let value = number(cells.cell(&["value"]), "value")?
        .ok_or_else(|| (RejectReason::Empty, "value is empty".to_owned()))?;
    let unit = match cells.cell(&["unit"]) {
        "" => metric.unit(),
        text => Unit::parse(text).map_err(|error| (RejectReason::WrongUnit, error.to_string()))?,
    };
    let value = metric
        .to_canonical(value, unit)
        .map_err(|error| fault(&error))?;
    Ok(Record::HealthMetric(HealthMetric {
        metric,
        value,
        partial: metric == MetricType::SleepDuration && value < PARTIAL_NIGHT,
        provenance,
    }))
}

/// Whether `createdAt` of the first rows tells when things became known.
fn trustworthy(delays: &[TimeDelta]) -> bool {
    let late = delays.iter().filter(|delay| **delay > LATE).count();
    late * 2 <= delays.len()
}

fn delay(cells: &impl Cells, moment: &[&str]) -> Option<TimeDelta> {
    let instant = |names: &[&str]| match iso(cells.cell(names))? {
        Stamp::Instant(instant, _) => Some(instant),
        Stamp::Wall(wall) => Some(wall.and_utc()),
        Stamp::Day(day) => Some(day.and_time(chrono::NaiveTime::MIN).and_utc()),
    };
    Some(instant(CREATED)? - instant(moment)?)
}

fn sample_csv(
    path: &Path,
    kind: Kind,
    columns: &HashMap<&'static str, usize>,
) -> Result<bool, ImportError> {
    let mut delays = Vec::new();
    let reader = csv::ReaderBuilder::new().flexible(true).from_path(path);
    let mut reader = reader.map_err(|error| ImportError::Read {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    for record in reader.byte_records().take(SAMPLE).flatten() {
        let cells: HashMap<String, String> = columns
            .iter()
            .filter_map(|(name, column)| {
                let cell = std::str::from_utf8(record.get(*column)?).ok()?;
                Some((letters(name), cell.trim().to_owned()))
            })
            .collect();
        delays.extend(delay(&JsonCells(cells), kind.moment()));
    }
    Ok(trustworthy(&delays))
}

fn sample_json(lines: &mut JsonLines<'_>) -> Result<bool, ImportError> {
    let mut delays = Vec::new();
    for _ in 0..SAMPLE {
        let Some((_, bytes)) = lines.line()? else {
            break;
        };
        if let Ok(cells) = json_cells(&bytes) {
            let moment = [CONSUMED, STARTED, RECORDED]
                .into_iter()
                .find(|names| !cells.cell(names).is_empty());
            delays.extend(moment.and_then(|moment| delay(&cells, moment)));
        }
    }
    Ok(trustworthy(&delays))
}
