//! Exports of any size, as vendors write them, for readers here and elsewhere. The same size gives the same bytes.

#![allow(clippy::unwrap_used)]

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{Profile, Record, UserId};
use vitalcast_import::{ImportOptions, Reject, Sink, SinkError, import};

/// Size of the exports that the peers' table reads, bytes.
pub const SIZE: u64 = 128 << 20;
/// Size in a quick run.
pub(crate) const QUICK_SIZE: u64 = 1 << 16;
/// Rows that are written into a database between two looks at its size.
const ROWS_AT_ONCE: u64 = 2_000;

/// An export of one vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// Apple Health: records of a watch and a phone, every 15 seconds.
    Apple,
    /// Google Takeout of Fitbit: steps by the minute.
    Steps,
    /// The same: heart rates every five seconds.
    HeartRate,
    /// Health Connect: steps of a watch and a phone by the minute, heart rates every ten seconds.
    HealthConnect,
}

impl Export {
    /// Every export.
    pub const ALL: [Self; 4] = [
        Self::Apple,
        Self::Steps,
        Self::HeartRate,
        Self::HealthConnect,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Steps => "steps",
            Self::HeartRate => "heart-rate",
            Self::HealthConnect => "health-connect",
        }
    }

    /// The name of its file.
    fn file_name(self) -> &'static str {
        match self {
            Self::Apple => "export.xml",
            Self::Steps => "steps-2016-01-01.json",
            Self::HeartRate => "heart_rate-2016-01-01.json",
            Self::HealthConnect => "health_connect_export.db",
        }
    }

    /// Writes an export of at least so many bytes into a folder; its path.
    ///
    /// # Errors
    ///
    /// What the operating system says if the file cannot be written.
    pub fn write(self, folder: &Path, bytes: u64) -> Result<PathBuf> {
        let path = folder.join(self.file_name());
        match self {
            Self::Apple => write_apple(&path, bytes)?,
            Self::Steps => write_takeout(&path, bytes, false)?,
            Self::HeartRate => write_takeout(&path, bytes, true)?,
            Self::HealthConnect => {
                write_health_connect(&path, bytes).map_err(std::io::Error::other)?;
            }
        }
        Ok(path)
    }
}

/// The time at which all of them begin.
fn beginning() -> DateTime<Utc> {
    "2016-01-01T00:00:00Z".parse().unwrap()
}

fn write_apple(path: &Path, bytes: u64) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData \
          (ExportDate,Me,(Record|Workout)*)>\n]>\n<HealthData locale=\"en_GB\">\n <ExportDate \
          value=\"2024-06-01 10:00:00 +0200\"/>\n",
    )?;
    let mut at = beginning();
    let (mut written, mut number) = (0, 0_u64);
    while written < bytes {
        let stamp = |at: DateTime<Utc>| at.format("%Y-%m-%d %H:%M:%S +0000");
        let (kind, unit, value, source) = match number % 8 {
            0 => ("StepCount", "count", 20 + number % 90, "Phone"),
            1 => ("StepCount", "count", 18 + number % 90, "Watch"),
            2 => ("ActiveEnergyBurned", "kcal", 1 + number % 9, "Watch"),
            3 => ("BasalEnergyBurned", "kcal", 1 + number % 2, "Watch"),
            4 if number % 4_096 == 4 => ("RestingHeartRate", "count/min", 50 + number % 9, "Watch"),
            _ => ("HeartRate", "count/min", 55 + number % 80, "Watch"),
        };
        let line = format!(
            " <Record type=\"HKQuantityTypeIdentifier{kind}\" sourceName=\"{source}\" sourceVersion=\"10.1\" \
             device=\"&lt;&lt;HKDevice: 0x28&gt;, name:{source}, manufacturer:Apple Inc., model:{source}&gt;\" \
             unit=\"{unit}\" creationDate=\"{}\" startDate=\"{}\" endDate=\"{}\" value=\"{value}\"/>\n",
            stamp(at + TimeDelta::minutes(2)),
            stamp(at),
            stamp(at + TimeDelta::minutes(1)),
        );
        file.write_all(line.as_bytes())?;
        written += line.len() as u64;
        number += 1;
        at += TimeDelta::seconds(15);
    }
    file.write_all(b"</HealthData>\n")?;
    file.flush()
}

fn write_takeout(path: &Path, bytes: u64, of_heart: bool) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"[")?;
    let mut at = beginning();
    let (mut written, mut number) = (0, 0_u64);
    while written < bytes {
        let comma = if number == 0 { "" } else { "," };
        let stamp = at.format("%m/%d/%y %H:%M:%S");
        let (value, seconds) = if of_heart {
            let rate = 55 + number % 80;
            (
                format!("{{\n    \"bpm\" : {rate},\n    \"confidence\" : 3\n  }}"),
                5,
            )
        } else {
            (format!("\"{}\"", number % 90), 60)
        };
        let row = format!("{comma}{{\n  \"dateTime\" : \"{stamp}\",\n  \"value\" : {value}\n}}");
        file.write_all(row.as_bytes())?;
        written += row.len() as u64;
        number += 1;
        at += TimeDelta::seconds(seconds);
    }
    file.write_all(b"]\n")?;
    file.flush()
}

const TABLES: &str = "
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE application_info_table (row_id INTEGER PRIMARY KEY, package_name TEXT, app_name TEXT);
INSERT INTO application_info_table VALUES (1, 'com.watch', 'Watch'), (2, 'com.phone', 'Phone');
CREATE TABLE steps_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, last_modified_time INTEGER,
    start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER,
    local_date INTEGER, app_info_id INTEGER, count INTEGER);
CREATE TABLE heart_rate_record_table (row_id INTEGER PRIMARY KEY, uuid BLOB, last_modified_time INTEGER,
    start_time INTEGER, end_time INTEGER, start_zone_offset INTEGER, end_zone_offset INTEGER,
    local_date INTEGER, app_info_id INTEGER);
CREATE TABLE heart_rate_record_series_table (row_id INTEGER PRIMARY KEY, parent_key INTEGER,
    beats_per_minute INTEGER, epoch_millis INTEGER);
";
/// Milliseconds of a minute, and of the time between two heart rates.
const MINUTE: i64 = 60_000;
const HEART_RATES: i64 = 10_000;
/// Seconds by which the person's clock is ahead of UTC, and those of a day.
const OFFSET: i64 = 3_600;
const DAY: i64 = 86_400;

/// Every minute has the steps of two apps, and a record of heart rates with its series.
fn write_health_connect(path: &Path, bytes: u64) -> rusqlite::Result<()> {
    if path.exists() {
        std::fs::remove_file(path)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    }
    let mut database = Connection::open(path)?;
    database.execute_batch(TABLES)?;
    let size = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let mut number: i64 = 0;
    let begun = beginning().timestamp_millis();
    let bytes = bytes.cast_signed();
    while database.query_row(size, [], |row| row.get::<_, i64>(0))? < bytes {
        let work = database.transaction()?;
        {
            let mut steps = work.prepare_cached(
                "INSERT INTO steps_record_table VALUES (NULL, ?1, ?2, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
            )?;
            let mut record = work.prepare_cached(
                "INSERT INTO heart_rate_record_table VALUES (NULL, ?1, ?2, ?2, ?3, ?4, ?4, ?5, 1)",
            )?;
            let mut rate = work.prepare_cached(
                "INSERT INTO heart_rate_record_series_table VALUES (NULL, ?1, ?2, ?3)",
            )?;
            for _ in 0..ROWS_AT_ONCE {
                let (from, to) = (begun + number * MINUTE, begun + (number + 1) * MINUTE);
                let day = (from / 1_000 + OFFSET) / DAY;
                for app in 1..=2 {
                    let id = (2 * number + app).to_be_bytes().repeat(2);
                    let count = number % 90 + app;
                    steps.execute((id, from, to, OFFSET, day, app, count))?;
                }
                let id = number.to_be_bytes().repeat(2);
                record.execute((id, from, to, OFFSET, day))?;
                let parent = work.last_insert_rowid();
                for place in 0..MINUTE / HEART_RATES {
                    let beats = 55 + (number + place) % 80;
                    rate.execute((parent, beats, from + place * HEART_RATES))?;
                }
                number += 1;
            }
        }
        work.commit()?;
    }
    Ok(())
}

/// Counts what it gets.
#[derive(Default)]
struct Counting {
    records: u64,
}

impl Sink for Counting {
    fn person(&mut self, _: &UserId, profile: &Profile) -> std::result::Result<Profile, SinkError> {
        Ok(profile.clone())
    }

    fn records(&mut self, _: &UserId, records: Vec<Record>) -> std::result::Result<(), SinkError> {
        self.records += records.len() as u64;
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> std::result::Result<(), SinkError> {
        panic!("{reject:?}");
    }

    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Reads an export to a sink that keeps nothing: the rows that were read, and the records they became.
///
/// # Panics
///
/// If it cannot be read, or a row of it.
pub fn read(path: &Path) -> (u64, u64) {
    let options = ImportOptions {
        owner: UserId::new("me").ok(),
        ..ImportOptions::at("2026-01-01T00:00:00Z".parse().unwrap())
    };
    let mut sink = Counting::default();
    let report = import(&[path], &options, &mut sink).unwrap();
    (report.rows_read, sink.records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_export_is_read_and_the_same_each_time() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for export in Export::ALL {
            let paths = folders
                .each_ref()
                .map(|folder| export.write(folder.path(), 100_000).unwrap());
            let bytes = paths.each_ref().map(|path| std::fs::read(path).unwrap());
            assert!(bytes[0] == bytes[1], "{}", export.name());
            assert!(bytes[0].len() >= 100_000, "{}", export.name());
            let (rows, records) = read(&paths[0]);
            assert!(
                rows > records && records > 0,
                "{}: {rows}, {records}",
                export.name()
            );
        }
    }
}
