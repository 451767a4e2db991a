//! Exports that do not say whose they are, read for one person.

use crate::folder::{Folder, Read, options, read_with};
use std::path::Path;
use vitalcast_domain::{Activity, HealthMetric, Meal, MetricType, Record, UserId};
use vitalcast_import::{ImportOptions, ImportReport};

/// Options for an export of one person, who lives in a zone.
pub(crate) fn owned(zone: &str) -> ImportOptions {
    ImportOptions {
        owner: Some(UserId::new("una").unwrap()),
        assumed_zone: Some(zone.parse().unwrap()),
        ..options()
    }
}

/// Files of one export, read together.
pub(crate) fn read_files(zone: &str, files: &[(&str, &str)]) -> (ImportReport, Read) {
    let folder = Folder::new();
    for (name, text) in files {
        folder.write(name, text);
    }
    read_with(folder.path(), &owned(zone)).unwrap()
}

/// A file of the folder with fixtures, read.
pub(crate) fn read_fixture(name: &str) -> (ImportReport, Read) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fixtures")
        .join(name);
    read_with(&path, &owned("UTC")).unwrap()
}

pub(crate) fn ids(read: &Read) -> Vec<String> {
    let mut ids: Vec<String> = read
        .records
        .iter()
        .map(|(_, record)| record.provenance().source_id.clone())
        .collect();
    ids.sort();
    ids
}

pub(crate) fn readings(read: &Read, metric: MetricType) -> Vec<&HealthMetric> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::HealthMetric(reading) if reading.metric == metric => Some(reading),
            Record::HealthMetric(_) | Record::Meal(_) | Record::Activity(_) => None,
        })
        .collect()
}

pub(crate) fn meals(read: &Read) -> Vec<&Meal> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Meal(meal) => Some(meal),
            Record::HealthMetric(_) | Record::Activity(_) => None,
        })
        .collect()
}

pub(crate) fn activities(read: &Read) -> Vec<&Activity> {
    read.records
        .iter()
        .filter_map(|(_, record)| match record {
            Record::Activity(activity) => Some(activity),
            Record::HealthMetric(_) | Record::Meal(_) => None,
        })
        .collect()
}

/// Values of a metric with their days.
#[track_caller]
pub(crate) fn check(read: &Read, metric: MetricType, expected: &[(&str, f64)]) {
    let found = read.series(metric);
    assert_eq!(
        found.len(),
        expected.len(),
        "{metric}: {found:?} {:?}",
        read.rejects
    );
    for ((day, value), (expected_day, expected)) in found.iter().zip(expected) {
        assert_eq!(day, expected_day, "{metric}");
        assert!(
            (value - expected).abs() < 1e-6,
            "{metric} of {day}: {value}"
        );
    }
}
