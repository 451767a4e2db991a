//! Files made for a test, and a sink that keeps everything.

use crate::seeds;
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use vitalcast_domain::{Activity, HealthMetric, Meal, MetricType, Profile, Record, Tag, UserId};
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
                Record::Meal(_)
                | Record::Activity(_)
                | Record::HealthMetric(_)
                | Record::Tag(_) => None,
            })
            .collect();
        values.sort_by(|left, right| left.0.cmp(&right.0));
        values
    }

    /// Values of a metric with their days and the times when they became known, in the order of days.
    pub(crate) fn known(&self, metric: MetricType) -> Vec<(String, f64, String)> {
        let mut values: Vec<(String, f64, String)> = self
            .readings(metric)
            .map(|reading| {
                let provenance = &reading.provenance;
                let known = provenance.known_at.to_rfc3339();
                (provenance.day.to_string(), reading.value, known)
            })
            .collect();
        values.sort_by(|left, right| (&left.0, &left.2).cmp(&(&right.0, &right.2)));
        values
    }

    /// Readings of a metric.
    pub(crate) fn readings(&self, metric: MetricType) -> impl Iterator<Item = &HealthMetric> {
        self.records
            .iter()
            .filter_map(move |(_, record)| match record {
                Record::HealthMetric(reading) if reading.metric == metric => Some(reading),
                Record::Meal(_)
                | Record::Activity(_)
                | Record::HealthMetric(_)
                | Record::Tag(_) => None,
            })
    }

    /// Workouts.
    pub(crate) fn workouts(&self) -> Vec<&Activity> {
        let workouts = self.records.iter().filter_map(|(_, record)| match record {
            Record::Activity(workout) => Some(workout),
            Record::Meal(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        });
        workouts.collect()
    }

    /// Meals.
    pub(crate) fn meals(&self) -> Vec<&Meal> {
        let meals = self.records.iter().filter_map(|(_, record)| match record {
            Record::Meal(meal) => Some(meal),
            Record::Activity(_) | Record::HealthMetric(_) | Record::Tag(_) => None,
        });
        meals.collect()
    }

    /// Tags, in the order of days.
    pub(crate) fn tags(&self) -> Vec<&Tag> {
        let mut tags: Vec<&Tag> = self
            .records
            .iter()
            .filter_map(|(_, record)| match record {
                Record::Tag(tag) => Some(tag),
                Record::Meal(_) | Record::Activity(_) | Record::HealthMetric(_) => None,
            })
            .collect();
        tags.sort_by_key(|tag| (tag.provenance.day, tag.provenance.observed_at));
        tags
    }

    /// Checks the values of a metric with their days.
    #[track_caller]
    pub(crate) fn check_days(&self, metric: MetricType, expected: &[(&str, f64)]) {
        let found = self.series(metric);
        assert_eq!(
            found.len(),
            expected.len(),
            "{metric}: {found:?} {:?}",
            self.rejects
        );
        for ((day, value), (expected_day, expected)) in found.iter().zip(expected) {
            assert_eq!(day, expected_day, "{metric}");
            assert!(
                (value - expected).abs() < 1e-6,
                "{metric} of {day}: {value}"
            );
        }
    }

    /// Ids of all records within their sources, sorted.
    pub(crate) fn source_ids(&self) -> Vec<String> {
        let ids = self.records.iter();
        let mut ids: Vec<String> = ids
            .map(|(_, record)| record.provenance().source_id.clone())
            .collect();
        ids.sort();
        ids
    }

    /// Values of a metric with their sources and days, in this order.
    pub(crate) fn by_source(&self, metric: MetricType) -> Vec<(&str, String, f64)> {
        let mut found: Vec<(&str, String, f64)> = self
            .readings(metric)
            .map(|reading| {
                let origin = &reading.provenance;
                (
                    origin.source.as_str(),
                    origin.day.to_string(),
                    reading.value,
                )
            })
            .collect();
        found.sort_by(|left, right| left.partial_cmp(right).unwrap());
        found
    }

    /// Identities of all records, sorted.
    pub(crate) fn ids(&self) -> Vec<String> {
        let id = |(_, record): &(String, Record)| {
            let provenance = record.provenance();
            format!("{} {}", provenance.source, provenance.source_id)
        };
        let mut ids: Vec<String> = self.records.iter().map(id).collect();
        ids.sort();
        ids
    }

    /// Checks the only value of a metric, its day, and when it became known.
    #[track_caller]
    pub(crate) fn check(&self, metric: MetricType, day: &str, value: f64, known: &str) {
        let found = self.known(metric);
        let [(on, got, at)] = found.as_slice() else {
            panic!("{metric}: {found:?} {:?}", self.rejects);
        };
        assert!((got - value).abs() < 1e-9, "{metric}: {got}");
        assert_eq!(
            (on.as_str(), instant(at)),
            (day, instant(known)),
            "{metric}"
        );
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

    /// A database made by some statements.
    pub(crate) fn database(&self, name: &str, statements: &str) -> PathBuf {
        let path = self.path().join(name);
        let database = rusqlite::Connection::open(&path).unwrap();
        database.execute_batch(statements).unwrap();
        path
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn options() -> ImportOptions {
    ImportOptions {
        // The person of exports that do not say whose they are.
        owner: Some(UserId::new("owner").unwrap()),
        ..ImportOptions::at(instant("2026-01-01T00:00:00Z"))
    }
}

pub(crate) fn read_with(
    path: &Path,
    options: &ImportOptions,
) -> Result<(ImportReport, Read), ImportError> {
    let mut read = Read::default();
    let report = import(&[path], options, &mut read)?;
    seeds::keep(path, options, &report);
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

/// Options for an export that does not say whose it is, of a person who lives in a zone.
pub(crate) fn mine(zone: &str) -> ImportOptions {
    ImportOptions {
        owner: Some(UserId::new("me").unwrap()),
        assumed_zone: Some(zone.parse().unwrap()),
        ..options()
    }
}

/// Files of one export of a person who lives in a zone, read together.
pub(crate) fn read_files(zone: &str, files: &[(&str, impl AsRef<[u8]>)]) -> (ImportReport, Read) {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    read_with(folder.path(), &mine(zone)).unwrap()
}

/// A file of the folder with fixtures, read.
pub(crate) fn read_fixture(name: &str) -> (ImportReport, Read) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    read_with(&path, &mine("UTC")).unwrap()
}

/// The profile that a file gives a person who is new.
pub(crate) fn profile_in(path: &Path, options: &ImportOptions) -> Profile {
    struct Person(Option<Profile>);

    impl Sink for Person {
        fn person(&mut self, _: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
            self.0 = Some(profile.clone());
            Ok(profile.clone())
        }

        fn records(&mut self, _: &UserId, _: Vec<Record>) -> Result<(), SinkError> {
            Ok(())
        }

        fn reject(&mut self, _: &Reject) -> Result<(), SinkError> {
            Ok(())
        }

        fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
            ControlFlow::Continue(())
        }
    }

    let mut person = Person(None);
    import(&[path], options, &mut person).unwrap();
    person.0.unwrap()
}

/// A day with a value, as `Read::series` gives it.
pub(crate) fn day(day: &str, value: f64) -> (String, f64) {
    (day.to_owned(), value)
}

impl Read {
    /// Values of a metric with their days and sources.
    pub(crate) fn sourced(&self, metric: MetricType) -> Vec<(String, String, f64)> {
        let mut values: Vec<(String, String, f64)> = Vec::new();
        for (_, record) in &self.records {
            if let Record::HealthMetric(reading) = record
                && reading.metric == metric
            {
                let origin = &reading.provenance;
                values.push((origin.day.to_string(), origin.source.clone(), reading.value));
            }
        }
        values.sort_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
        values
    }
}
