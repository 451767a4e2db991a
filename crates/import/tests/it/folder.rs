//! Files made for a test, and a sink that keeps everything.

use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{MetricType, Profile, Record, UserId};
use vitalcast_import::{
    ImportError, ImportOptions, ImportReport, Reject, RejectReason, Sink, SinkError, import,
};

pub(crate) fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Everything an import gave.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    pub(crate) people: Vec<(String, String)>,
    pub(crate) records: Vec<(String, Record)>,
    pub(crate) rejects: Vec<Reject>,
}

impl Sink for Read {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        self.people
            .push((user.to_string(), profile.zone.to_string()));
        Ok(profile.clone())
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        assert!(
            self.people.iter().any(|(known, _)| known == user.as_str()),
            "a person is told before their records"
        );
        for record in records {
            self.records.push((user.to_string(), record));
        }
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        self.rejects.push(reject.clone());
        Ok(())
    }

    fn progress(&mut self, done: u64, total: u64) -> ControlFlow<()> {
        assert!(done <= total, "{done} of {total}");
        ControlFlow::Continue(())
    }
}

impl Read {
    /// What was rejected: line and reason.
    pub(crate) fn faults(&self) -> Vec<(u64, RejectReason)> {
        self.rejects
            .iter()
            .map(|reject| (reject.line, reject.reason))
            .collect()
    }

    /// Values of a metric with their days, in the order of days.
    pub(crate) fn series(&self, metric: MetricType) -> Vec<(String, f64)> {
        let mut values: Vec<(String, f64)> = self
            .records
            .iter()
            .filter_map(|(_, record)| match record {
                Record::HealthMetric(reading) if reading.metric == metric => {
                    Some((reading.provenance.day.to_string(), reading.value))
                }
                Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) => None,
            })
            .collect();
        values.sort_by(|left, right| left.0.cmp(&right.0));
        values
    }

    /// The only record there is.
    pub(crate) fn only(&self) -> &Record {
        assert_eq!(self.records.len(), 1, "{:?}", self.rejects);
        &self.records[0].1
    }
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn options() -> ImportOptions {
    ImportOptions::at(instant("2026-01-01T00:00:00Z"))
}

pub(crate) fn read_with(
    path: &Path,
    options: &ImportOptions,
) -> Result<(ImportReport, Read), ImportError> {
    let mut read = Read::default();
    let report = import(&[path], options, &mut read)?;
    assert_eq!(report.records, read.records.len() as u64);
    assert_eq!(
        report.rejected.values().sum::<u64>(),
        read.rejects.len() as u64
    );
    Ok((report, read))
}

pub(crate) fn read(path: &Path) -> (ImportReport, Read) {
    read_with(path, &options()).unwrap()
}

/// One file of its own, read.
pub(crate) fn read_bytes(name: &str, bytes: impl AsRef<[u8]>) -> (ImportReport, Read) {
    let folder = Folder::new();
    let path = folder.write(name, bytes);
    read(&path)
}
