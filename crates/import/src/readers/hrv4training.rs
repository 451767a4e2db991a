//! HRV4Training's CSV export: a row per day with the measurement of the morning and a diary.
//!
//! Names and cells have a blank after each comma. `-` is an empty cell, and 0 as heart rate or RMSSD means
//! that only the diary was filled in. `date` is `2025-12-11 00:01:00 +0000`: its date is the day, whatever
//! the offset. Tests lying and standing have columns of their own; the measurement lying is read. Recovery
//! points lie between 6 and 10 and are no recovery score. The diary's own nights are left out.

use crate::batch::Importer;
use crate::dates;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::readings::Reading;
use crate::sample::Confidence;
use crate::table::Table;
use crate::time::DateOrder;
use std::path::Path;
use vitalcast_domain::{MetricType as M, Unit};

const SOURCE: &str = "hrv4training";

/// The export of HRV4Training.
pub(crate) static READER: FormatReader = FormatReader {
    word: "hrv4training",
    title: "HRV4Training",
    export: "In the app: Menu, Settings, Export data (a CSV file by mail or Dropbox).",
    gives: &[
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, HEART_RATE_VARIABILITY_SDNN",
            from: "`rMSSD`, `SDNN`",
            unit: "ms",
            note: "a minute in the morning, not comparable with a night",
        },
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`HR`",
            unit: "bpm",
            note: "mean of the measurement in the morning; recovery points (6 to 10) and `sleep_time` of the \
                   diary are left out",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(is_known)),
    read: Read::Each(read),
};

const RMSSD: [&str; 2] = ["rMSSD", "rMSSD_lying"];
const SDNN: [&str; 2] = ["SDNN", "SDNN_lying"];
const RATE: [&str; 2] = ["HR", "HR_lying"];

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has("date")
        && RMSSD.iter().any(|name| columns.has(name))
        && (columns.has("HRV4T_Recovery_Points") || columns.has("timestamp_measurement"))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut table = Table::open(path, &READER)?;
    let date = table.required(&["date"])?;
    let values = [
        (RMSSD, M::HeartRateVariabilityRmssd, Unit::Milliseconds),
        (SDNN, M::HeartRateVariabilitySdnn, Unit::Milliseconds),
        (RATE, M::RestingHeartRate, Unit::PerMinute),
    ]
    .map(|(names, metric, unit)| (names[0], table.column(&names), metric, unit));
    while let Some(row) = table.next(importer)? {
        let day = match dates::day(row.text(Some(date)), DateOrder::Unknown, "date") {
            Ok(day) => day,
            Err(fault) => {
                importer.reject(row.reject(fault))?;
                continue;
            }
        };
        for (name, column, metric, unit) in values {
            match row.number(column, name) {
                Ok(Some(value)) => {
                    let reading = Reading::of_morning(metric, value, unit, day);
                    let id = format!("{}-{day}", name.to_ascii_lowercase());
                    importer.reading(&user, SOURCE, row.place(), reading.id(id))?;
                }
                Ok(None) => {}
                Err(fault) => importer.reject(row.reject(fault))?,
            }
        }
    }
    Ok(())
}
