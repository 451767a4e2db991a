//! Elite HRV's CSV export: a row per measurement, at a time of the person's clock.
//!
//! `HRV` is a score and `Morning Readiness` a scale of 1 to 10; both are left out. Measurements of one kind
//! (`Type`) are comparable: those for morning readiness are read, or, if there are none, those of the most
//! frequent kind. A table of several members is refused.

use crate::batch::Importer;
use crate::dates;
use crate::error::ImportError;
use crate::format::{Columns, FormatReader, Gives, Reading as Read};
use crate::readings::Reading;
use crate::report::SkipReason;
use crate::sample::Confidence;
use crate::survey::Dates;
use crate::table::Table;
use std::collections::BTreeMap;
use std::path::Path;
use vitalcast_domain::{MetricType as M, Unit};

const SOURCE: &str = "elite-hrv";
/// Most kinds of measurements that are counted.
const MOST_KINDS: usize = 100;

/// The export of Elite HRV.
pub(crate) static READER: FormatReader = FormatReader {
    word: "elite-hrv",
    title: "Elite HRV",
    export: "In the app: Settings, Export data (a CSV file by mail).",
    gives: &[
        Gives {
            what: "HEART_RATE_VARIABILITY_RMSSD, HEART_RATE_VARIABILITY_SDNN",
            from: "`Rmssd`, `Sdnn`",
            unit: "ms",
            note: "minutes in the morning, not comparable with a night; only one `Type` of measurement",
        },
        Gives {
            what: "RESTING_HEART_RATE",
            from: "`HR`",
            unit: "bpm",
            note: "mean of the measurement; the scores `HRV` and `Morning Readiness` (1 to 10) are left out",
        },
    ],
    recognises: |sample| Confidence::certain_if(sample.is_table(is_known)),
    read: Read::Each(read),
};

fn is_known(columns: &Columns<'_>) -> bool {
    columns.has_all(&["Date Time Start", "Rmssd"])
        && (columns.has("Morning Readiness") || columns.has("lnRmssd"))
}

fn read(importer: &mut Importer<'_>, path: &Path) -> Result<(), ImportError> {
    let user = importer.owner(path)?;
    let mut first = Table::open(path, &READER)?;
    let [member, kind, start] =
        ["Member", "Type", "Date Time Start"].map(|name| first.column(&[name]));
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let (mut dates, mut name) = (Dates::default(), None);
    while let Some(row) = first.peek()? {
        dates.see(row.text(start));
        if name.get_or_insert_with(|| row.text(member).to_owned()) != row.text(member) {
            return Err(ImportError::Unrecognised {
                path: path.to_owned(),
                what: "a table of several members, expected the export of one person".to_owned(),
            });
        }
        let kind = row.text(kind).to_lowercase();
        if kinds.contains_key(&kind) || kinds.len() < MOST_KINDS {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let is_readiness = |kind: &str| kind.contains("readiness");
    let most = kinds.iter().max_by_key(|(_, count)| **count);
    let usual = most.map(|(kind, _)| kind.clone()).unwrap_or_default();
    let has_readiness = kinds.keys().any(|kind| is_readiness(kind));
    let order = dates.order();
    let mut table = Table::open(path, &READER)?;
    let start = table.required(&["Date Time Start"])?;
    let kind = table.column(&["Type"]);
    let values = [
        ("Rmssd", M::HeartRateVariabilityRmssd, Unit::Milliseconds),
        ("Sdnn", M::HeartRateVariabilitySdnn, Unit::Milliseconds),
        ("HR", M::RestingHeartRate, Unit::PerMinute),
    ]
    .map(|(name, metric, unit)| (name, table.column(&[name]), metric, unit));
    let mut left_out = 0_u64;
    while let Some(row) = table.next(importer)? {
        let kind = row.text(kind).to_lowercase();
        if (has_readiness && !is_readiness(&kind)) || (!has_readiness && kind != usual) {
            left_out += 1;
            importer.skip(SkipReason::NotRead);
            continue;
        }
        let at = match dates::moment(row.text(Some(start)), order, "Date Time Start") {
            Ok(at) => at,
            Err(fault) => {
                importer.reject(row.reject(fault))?;
                continue;
            }
        };
        for (name, column, metric, unit) in values {
            match row.number(column, name) {
                Ok(Some(value)) => {
                    let reading = Reading::at(metric, value, unit, at);
                    importer.reading(&user, SOURCE, row.place(), reading)?;
                }
                Ok(None) => {}
                Err(fault) => importer.reject(row.reject(fault))?,
            }
        }
    }
    if left_out > 0 {
        importer.note(format!(
            "{left_out} measurements of other kinds (not in the morning) are left out"
        ));
    }
    Ok(())
}
