//! Writes an export of a given size and reads it: how fast, and with how much memory.
//!
//! ```sh
//! cargo run --release -p vitalcast-import --example read_large -- apple 1024
//! cargo run --release -p vitalcast-import --example read_large -- heart-rate 256
//! cargo run --release -p vitalcast-import --example read_large -- steps 256
//! ```

use chrono::{DateTime, TimeDelta, Utc};
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use vitalcast_domain::{Profile, Record, UserId};
use vitalcast_import::{ImportOptions, Reject, Sink, SinkError, import};

/// Counts what it gets.
#[derive(Default)]
struct Counting {
    records: usize,
    rejected: usize,
}

impl Sink for Counting {
    fn person(&mut self, _: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        Ok(profile.clone())
    }

    fn records(&mut self, _: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        self.records += records.len();
        Ok(())
    }

    fn reject(&mut self, _: &Reject) -> Result<(), SinkError> {
        self.rejected += 1;
        Ok(())
    }

    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Writes records of a watch and a phone, minute by minute, until the file is large enough.
fn write_apple(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE HealthData [\n<!ELEMENT HealthData \
          (ExportDate,Me,(Record|Workout)*)>\n]>\n<HealthData locale=\"en_GB\">\n <ExportDate \
          value=\"2024-06-01 10:00:00 +0200\"/>\n",
    )?;
    let mut at: DateTime<Utc> = "2016-01-01T00:00:00Z".parse().unwrap_or_default();
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

/// Writes samples as Google Takeout does, one after another, until the file is large enough: heart rates
/// every five seconds, or steps by the minute.
fn write_takeout(path: &Path, bytes: u64, of_heart: bool) -> std::io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(b"[")?;
    let mut at: DateTime<Utc> = "2016-01-01T00:00:00Z".parse().unwrap_or_default();
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

fn main() -> Result<(), Box<dyn Error>> {
    let kind = std::env::args().nth(1).unwrap_or_default();
    let mebibytes: u64 = match std::env::args().nth(2) {
        Some(text) => text.parse()?,
        None => 256,
    };
    let folder = tempfile::tempdir()?;
    let bytes = mebibytes << 20;
    let path = match kind.as_str() {
        "apple" => {
            let path = folder.path().join("export.xml");
            write_apple(&path, bytes)?;
            path
        }
        "heart-rate" | "steps" => {
            let of_heart = kind == "heart-rate";
            let name = if of_heart { "heart_rate" } else { "steps" };
            let path = folder.path().join(format!("{name}-2016-01-01.json"));
            write_takeout(&path, bytes, of_heart)?;
            path
        }
        _ => return Err("expected apple, heart-rate or steps, and a size in MiB".into()),
    };
    let options = ImportOptions {
        owner: Some(UserId::new("me")?),
        ..ImportOptions::at("2026-01-01T00:00:00Z".parse()?)
    };
    let mut sink = Counting::default();
    let begun = Instant::now();
    let report = import(&[&path], &options, &mut sink)?;
    let seconds = begun.elapsed().as_secs_f64();
    let mut output = std::io::stdout();
    writeln!(
        output,
        "{kind}, {mebibytes} MiB, {} rows, {} records, {} rejected: {seconds:.2} s, {:.0} MiB/s",
        report.rows_read,
        sink.records,
        sink.rejected,
        mebibytes as f64 / seconds
    )?;
    // The most memory of this process, where the system tells it.
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(line) = status.lines().find(|line| line.starts_with("VmHWM"))
    {
        writeln!(output, "{line}")?;
    }
    Ok(())
}
