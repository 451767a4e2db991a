//! Cohort tables from outside: what was written is read back, and bad files are refused.

#![allow(clippy::unwrap_used)]

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Float64Type, TimestampMicrosecondType};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use std::path::Path;
use vitalcast_cohort::{
    CohortError, CohortQuery, CohortSummary, CohortWriter, RecordBatch, cohort_columns, read_cohort,
};
use vitalcast_domain::{
    HealthMetric, History, MetricType, PredictionMetric, Profile, Provenance, Record,
};
use vitalcast_features::{catalogue, feature_table, hindsight_table};

const NAMES: [&str; 2] = ["cohort.parquet", "cohort.arrow"];

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn all_days() -> CohortQuery {
    CohortQuery {
        first_day: None,
        last_day: None,
        as_of: instant("2026-06-01T12:00:00Z"),
        as_known_each_evening: false,
    }
}

/// Someone with a resting heart rate on each of some days but every fifth, known two days later.
fn person(name: &str, first: &str, days: usize) -> History {
    let mut history = History::new(name.parse().unwrap(), Profile::default());
    for (number, day) in day(first).iter_days().take(days).enumerate() {
        if number % 5 == 4 && number + 1 < days {
            continue;
        }
        let zone = history.profile.zone;
        let mut provenance = Provenance::of_day("watch", day.to_string(), day, zone);
        provenance.known_at += TimeDelta::days(2);
        let value = 50.0 + (number as f64 * 0.37).sin() * 3.0;
        let reading = HealthMetric::new(provenance, MetricType::RestingHeartRate, value);
        history.records.push(Record::HealthMetric(reading));
    }
    history
}

fn write(
    path: &Path,
    query: CohortQuery,
    people: &[History],
) -> Result<CohortSummary, CohortError> {
    let mut table = CohortWriter::create(path, query)?;
    for history in people {
        table.write(history)?;
    }
    table.finish()
}

/// The rows of a table as text and bits: id, day, moment, numbers.
type Row = (String, NaiveDate, DateTime<Utc>, Vec<Option<u64>>);

fn rows(path: &Path) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in read_cohort(path).unwrap() {
        rows.extend(rows_of(&batch.unwrap()));
    }
    rows
}

fn rows_of(batch: &RecordBatch) -> Vec<Row> {
    let users = batch.column(0).as_string::<i32>();
    let days = batch.column(1).as_primitive::<Date32Type>();
    let moments = batch.column(2).as_primitive::<TimestampMicrosecondType>();
    (0..batch.num_rows())
        .map(|row| {
            let numbers = batch.columns()[3..].iter().map(|column| {
                let column = column.as_primitive::<Float64Type>();
                column.is_valid(row).then(|| column.value(row).to_bits())
            });
            (
                users.value(row).to_owned(),
                days.value_as_date(row).unwrap(),
                DateTime::from_timestamp_micros(moments.value(row)).unwrap(),
                numbers.collect(),
            )
        })
        .collect()
}

/// What the rows of a person must be, from the table of features.
fn expected(history: &History, query: CohortQuery, first: &str, last: &str) -> Vec<Row> {
    let compute = if query.as_known_each_evening {
        feature_table
    } else {
        hindsight_table
    };
    let table = compute(history, day(first), day(last), query.as_of).unwrap();
    let days = day(first).iter_days().take(table.days());
    days.enumerate()
        .map(|(row, day)| {
            let moment = if query.as_known_each_evening {
                history.profile.evening_of(day).min(query.as_of)
            } else {
                query.as_of
            };
            let metrics = PredictionMetric::ALL.iter();
            let numbers = table.row(row).unwrap().iter().copied();
            let numbers = numbers.chain(metrics.map(|metric| table.own_history(*metric)[row]));
            let bits = numbers.map(|number| number.map(f64::to_bits)).collect();
            (history.user.to_string(), day, moment, bits)
        })
        .collect()
}

#[test]
fn what_was_written_is_read_back_to_the_last_bit_in_both_formats() {
    let folder = tempfile::tempdir().unwrap();
    let people = [
        person("ada", "2026-03-01", 40),
        person("nobody", "2026-03-01", 0),
        person("grace", "2025-12-28", 90),
    ];
    for as_known_each_evening in [false, true] {
        let query = CohortQuery {
            as_known_each_evening,
            ..all_days()
        };
        let mut wanted = expected(&people[0], query, "2026-03-01", "2026-04-09");
        wanted.extend(expected(&people[2], query, "2025-12-28", "2026-03-27"));
        for name in NAMES {
            let path = folder.path().join(name);
            let summary = write(&path, query, &people).unwrap();
            assert_eq!((summary.people, summary.rows), (2, 130));
            assert_eq!(rows(&path), wanted, "{name}");
        }
    }
    // Late by two days: known now, and not known on the day's own evening.
    let late = rows(&folder.path().join(NAMES[0]));
    assert!(late.iter().all(|row| row.3[64].is_none()));
}

#[test]
fn the_columns_are_the_features_and_the_metrics_with_unit_and_meaning() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = folder.path().join(name);
        write(&path, all_days(), &[person("ada", "2026-03-01", 3)]).unwrap();
        let table = read_cohort(&path).unwrap();
        let wanted: Vec<_> = cohort_columns().collect();
        assert_eq!(
            wanted.len(),
            3 + catalogue().len() + PredictionMetric::ALL.len()
        );
        let names: Vec<&str> = table.columns().collect();
        let wanted_names: Vec<&str> = wanted.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, wanted_names);
        for column in &wanted {
            let unit = Some(column.unit).filter(|unit| !unit.is_empty());
            assert_eq!(table.unit_of(&column.name), unit, "{}", column.name);
        }
    }
}

#[test]
fn the_same_people_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let people: Vec<History> = ["ada", "grace", "mary"]
        .map(|name| person(name, "2026-01-01", 60))
        .into();
    for name in NAMES {
        let bytes = ["first", "second"].map(|which| {
            let path = folder.path().join(format!("{which}-{name}"));
            write(&path, all_days(), &people).unwrap();
            std::fs::read(path).unwrap()
        });
        assert!(bytes[0] == bytes[1], "{name}");
    }
}

#[test]
fn a_table_has_the_days_that_were_asked_for_and_none_that_had_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.parquet");
    let people = [
        person("ada", "2026-03-01", 40),
        person("grace", "2026-03-20", 5),
    ];
    let days = |query| {
        write(&path, query, &people).unwrap();
        let rows = rows(&path);
        (rows[0].1, rows.last().unwrap().1, rows.len())
    };
    let query = CohortQuery {
        first_day: Some(day("2026-03-10")),
        last_day: Some(day("2026-03-19")),
        ..all_days()
    };
    assert_eq!(days(query), (day("2026-03-10"), day("2026-03-19"), 10));
    // At noon of the 15th the readings up to the 13th at the latest are known.
    let query = CohortQuery {
        as_of: instant("2026-03-15T12:00:00Z"),
        ..all_days()
    };
    let (first, last, _) = days(query);
    assert_eq!(first, day("2026-03-01"));
    assert!(last <= day("2026-03-14"));
}

#[test]
fn people_fill_row_groups_and_none_is_split() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cohort.parquet");
    let people: Vec<History> = (0..9)
        .map(|number| {
            // Two readings, years apart.
            let mut history = person(&format!("p{number}"), "2016-01-01", 1);
            history.records.extend(person("p", "2026-01-01", 1).records);
            history
        })
        .collect();
    write(&path, all_days(), &people).unwrap();
    let rows = rows(&path);
    assert_eq!(rows.len(), 9 * 3654);
    let file = std::fs::File::open(&path).unwrap();
    let reader = parquet::file::serialized_reader::SerializedFileReader::new(file).unwrap();
    let metadata = parquet::file::reader::FileReader::metadata(&reader);
    let groups = metadata.row_groups().iter();
    let sizes: Vec<i64> = groups
        .map(parquet::file::metadata::RowGroupMetaData::num_rows)
        .collect();
    assert_eq!(sizes, [4 * 3654, 4 * 3654, 3654]);
}

#[test]
fn a_table_without_rows_is_no_file_and_an_old_file_stays() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = folder.path().join(name);
        std::fs::write(&path, "before").unwrap();
        let refused = write(&path, all_days(), &[person("nobody", "2026-03-01", 0)]);
        assert!(matches!(refused, Err(CohortError::NoRows)));
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        NAMES.len()
    );
}

#[test]
fn a_name_a_folder_or_a_period_that_cannot_be_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["cohort", "cohort.csv", "parquet", ".parquet"] {
        let error = CohortWriter::create(folder.path().join(name), all_days()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains(".parquet, or in .arrow or .feather"),
            "{text}"
        );
    }
    let missing = folder.path().join("missing/cohort.parquet");
    let error = CohortWriter::create(&missing, all_days()).unwrap_err();
    assert!(
        matches!(error, CohortError::Write { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    );
    let reversed = CohortQuery {
        first_day: Some(day("2026-03-02")),
        last_day: Some(day("2026-03-01")),
        ..all_days()
    };
    let error = CohortWriter::create(folder.path().join(NAMES[0]), reversed).unwrap_err();
    assert!(matches!(error, CohortError::Reversed { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn other_files_and_cut_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = folder.path().join(name);
        let missing = read_cohort(&path).unwrap_err();
        assert!(matches!(missing, CohortError::Read { .. }));
        write(&path, all_days(), &[person("ada", "2026-03-01", 10)]).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for length in (0..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let whole: Result<Vec<RecordBatch>, CohortError> =
                read_cohort(&path).and_then(Iterator::collect);
            let is_refused = matches!(whole, Err(CohortError::NotACohort { .. }));
            assert!(is_refused, "{length} of {} bytes", bytes.len());
        }
    }
}
