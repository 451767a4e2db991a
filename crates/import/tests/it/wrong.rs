//! What is no export at all.

use crate::folder::{Folder, Read, options, read_with};
use std::ops::ControlFlow;
use vitalcast_domain::{Profile, Record, UserId};
use vitalcast_import::{Format, ImportError, ImportOptions, Reject, Sink, SinkError, import};

fn refused(name: &str, bytes: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    let path = folder.write(name, bytes);
    let error = read_with(&path, &options()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(name), "the file is named: {text}");
    text
}

#[test]
fn what_it_is_instead_is_said() {
    for (name, bytes, words) in [
        ("empty.csv", &b""[..], "an empty file"),
        (
            "u16.csv",
            b"\xff\xfei\0d\0,\0",
            "text or a table that no reader knows",
        ),
        ("latin.csv", b"na\xefve,caf\xe9\n1,2\n", "not UTF-8 text"),
        ("image.csv", b"\x89PNG\0\0\0", "not UTF-8 text"),
        ("zip.csv", b"PK\x03\x04\0\0", "a damaged zip file"),
        (
            "other.csv",
            b"a,b,c\n1,2,3\n",
            "text or a table that no reader knows",
        ),
        (
            "bad.jsonl",
            b"{\"userId\": \n",
            "JSON without objects that have known columns",
        ),
        (
            "list.json",
            b"[1,2]\n",
            "JSON without objects that have known columns",
        ),
    ] {
        let said = refused(name, bytes);
        assert!(said.contains(words), "{name}: {said}");
        assert!(
            said.contains("expected an export of one of"),
            "{name}: {said}"
        );
    }
}

#[test]
fn a_missing_column_is_named_with_those_there_are() {
    let said = refused("m.csv", "userId,metricType,value\nu,STEPS,1\n");
    assert!(
        said.contains("recordedAt") && said.contains("metricType"),
        "{said}"
    );
    let said = refused("UoMActivity1.csv", "activity_ts,steps\n");
    assert!(said.contains("a table that no reader knows"), "{said}");
}

#[test]
fn rows_and_headers_without_end_fill_no_memory() {
    let header = "userId,recordedAt,metricType,value";
    let named = ImportOptions {
        format: Some(Format::REFERENCE_TABLES),
        ..options()
    };
    for (name, text, words) in [
        (
            "wide.csv",
            ",".repeat(20_000),
            "a table with too many columns (20001)",
        ),
        (
            "endless.csv",
            "x".repeat(3 << 20),
            "a table whose first line is longer than 1 MiB",
        ),
        (
            "many.csv",
            format!("metricType,value{}\n", ",x".repeat(5_000)),
            "(5002 in all)",
        ),
    ] {
        let folder = Folder::new();
        let path = folder.write(name, text);
        let error = read_with(&path, &named).unwrap_err();
        let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
        let said: Vec<String> = causes.map(ToString::to_string).collect();
        let said = said.join(": ");
        assert!(said.contains(words), "{name}: {said}");
        assert!(said.len() < 5_000, "{name}: {}", said.len());
    }
    // Long rows that end are rows.
    let folder = Folder::new();
    let row = "u,2026-01-01T07:00:00Z,RESTING_HEART_RATE,60\n";
    let path = folder.write("long.csv", format!("{header}\n{}", row.repeat(100_000)));
    assert!(read_with(&path, &named).is_ok());
}

#[test]
fn a_format_that_is_named_is_not_guessed() {
    let folder = Folder::new();
    let path = folder.write("x.csv", "a,b,c\n1,2,3\n");
    for (format, column) in [
        (Format::LIFESNAPS, "id"),
        (Format::REFERENCE_TABLES, "recordedAt"),
    ] {
        let named = ImportOptions {
            format: Some(format),
            ..options()
        };
        let error = read_with(&path, &named).unwrap_err();
        assert!(
            matches!(&error, ImportError::MissingColumn { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(column), "{error}");
    }
}

#[test]
fn paths_that_are_not_there_and_folders_without_exports() {
    let folder = Folder::new();
    let missing = folder.path().join("missing.csv");
    let error = read_with(&missing, &options()).unwrap_err();
    assert!(matches!(error, ImportError::Read { .. }));
    assert!(error.to_string().contains("missing.csv"));
    let error = read_with(folder.path(), &options())
        .unwrap_err()
        .to_string();
    assert!(error.contains("an empty folder"), "{error}");
    folder.write("notes.txt", "hello");
    folder.write("data.csv", "a,b\n1,2\n");
    let error = read_with(folder.path(), &options())
        .unwrap_err()
        .to_string();
    assert!(error.contains("a folder without a known export"), "{error}");
}

/// Fails, or stops, after some records.
struct Stubborn {
    inner: Read,
    stop: bool,
}

impl Sink for Stubborn {
    fn person(&mut self, user: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        self.inner.person(user, profile)
    }

    fn records(&mut self, user: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        if !self.stop && !self.inner.records.is_empty() {
            return Err("no room is left".into());
        }
        self.inner.records(user, records)
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        self.inner.reject(reject)
    }

    fn progress(&mut self, done: u64, _: u64) -> ControlFlow<()> {
        if self.stop && done > 0 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

#[test]
fn a_sink_that_fails_or_stops_ends_the_import() {
    use std::fmt::Write as _;
    let mut csv = String::from("id,userId,recordedAt,metricType,value\n");
    for row in 0..20_000 {
        writeln!(csv, "r{row},u,2024-03-01T06:00:00Z,STEPS,1").unwrap();
    }
    let folder = Folder::new();
    let path = folder.write("x.csv", csv);
    let attempt = |stop| {
        let inner = Read::default();
        let mut sink = Stubborn { inner, stop };
        import(&[&path], &options(), &mut sink).unwrap_err()
    };
    assert!(matches!(attempt(true), ImportError::Interrupted));
    assert!(matches!(attempt(false), ImportError::Sink(_)));
}

/// An export of this program with one record, in a folder.
fn own_export(line: &str, of: &str) -> Folder {
    let folder = Folder::new();
    folder.write("versions.ndjson", line);
    folder.write("profile.json", format!("{{\"user_id\": \"{of}\"}}"));
    folder
}

fn read_as(folder: &Folder, user: &str) -> Read {
    let options = ImportOptions {
        user: Some(UserId::new(user).unwrap()),
        ..options()
    };
    read_with(folder.path(), &options).unwrap().1
}

const VERSION: &str = r#"{"kind":"health_metric","provenance":{"source":"watch","source_id":"a","told":{"at":"2024-05-01"},"observed_at":"2024-05-01T23:59:59Z","utc_offset_seconds":0,"day":"2024-05-01","known_at":"2024-05-02T00:00:00Z"},"metric":"STEPS","value":900.0}"#;

#[test]
fn an_export_of_somebody_else_is_not_taken_for_ones_own() {
    let folder = own_export(VERSION, "anna");
    assert_eq!(read_as(&folder, "anna").records.len(), 1);
    assert!(read_as(&folder, "bob").records.is_empty());
}

#[test]
fn a_line_without_end_in_an_export_costs_that_line() {
    let long = format!(
        "{VERSION}\n{{\"kind\": \"{}\n{VERSION}\n",
        "x".repeat(3 << 20)
    );
    let read = read_as(&own_export(&long, "anna"), "anna");
    assert_eq!((read.records.len(), read.rejects.len()), (2, 1));
}

#[test]
fn a_cut_off_zip_is_called_damaged() {
    let said = refused("cut.zip", b"PK\x03\x04\x14\0\0\0\x08\0");
    assert!(said.contains("a damaged zip file"), "{said}");
}
