//! Archives as they are downloaded, and archives that mean no good.

use crate::folder::{Folder, Read, options, read, read_with};
use std::io::Write as _;
use std::path::Path;
use vitalcast_domain::MetricType as M;
use vitalcast_import::{ImportReport, import};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A table with one reading.
fn table(value: u32) -> String {
    format!(
        "userId,recordedAt,metricType,value\nuna,2024-03-{value:02}T06:00:00Z,RESTING_HEART_RATE,{value}\n"
    )
}

pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive
            .start_file(*name, SimpleFileOptions::default())
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn rates(read: &Read) -> Vec<f64> {
    let series = read.series(M::RestingHeartRate);
    series.into_iter().map(|(_, value)| value).collect()
}

fn read_zip(files: &[(&str, &[u8])]) -> (ImportReport, Read) {
    let folder = Folder::new();
    read(&folder.write("export.zip", zipped(files)))
}

/// What was not read: what it is, and how many files.
fn unread(report: &ImportReport) -> Vec<(&str, u64)> {
    let unread = report.unread.iter();
    unread
        .map(|(what, found)| (what.as_str(), found.files))
        .collect()
}

#[test]
fn archives_in_archives_and_several_paths_are_read_together() {
    let inner = zipped(&[("deep/b.csv", table(22).as_bytes())]);
    let outer = zipped(&[("a.csv", table(21).as_bytes()), ("parts/inner.zip", &inner)]);
    let folder = Folder::new();
    let zip = folder.write("one/export.zip", outer);
    let file = folder.write("two/c.csv", table(23));
    let mut both = Read::default();
    import(&[&zip, &file], &options(), &mut both).unwrap();
    assert_eq!(rates(&both), [21.0, 22.0, 23.0]);
    // A folder in which archives lie as they were downloaded.
    let (report, whole) = read(folder.path());
    assert_eq!(rates(&whole), [21.0, 22.0, 23.0]);
    assert_eq!(report.files, 3);
}

#[test]
fn a_folder_of_archives_alone_is_read_whatever_lies_beside_the_export() {
    let folder = Folder::new();
    folder.write("takeout-1.zip", zipped(&[("a.csv", table(21).as_bytes())]));
    folder.write(
        "takeout-2.zip",
        zipped(&[("photos/note.txt", b"a picture\n")]),
    );
    folder.write("broken.zip", b"PK\x03\x04\0\0");
    let (report, read_all) = read(folder.path());
    assert_eq!(rates(&read_all), [21.0]);
    assert_eq!(
        unread(&report),
        [
            ("a damaged zip file", 1),
            ("text or a table that no reader knows", 1)
        ]
    );
    // The same when each is named, as by a shell: a part with nothing in it is no fault.
    let mut named = Read::default();
    let parts = ["takeout-2.zip", "takeout-1.zip"].map(|name| folder.path().join(name));
    import(&parts, &options(), &mut named).unwrap();
    assert_eq!(rates(&named), [21.0]);
}

#[test]
fn archives_within_too_many_others_are_left_out() {
    let mut inner = zipped(&[("x.csv", table(25).as_bytes())]);
    for _ in 0..4 {
        inner = zipped(&[("good.csv", table(21).as_bytes()), ("inner.zip", &inner)]);
    }
    let folder = Folder::new();
    let (report, read) = read(&folder.write("export.zip", inner));
    // The same file in three archives is read three times.
    assert_eq!(rates(&read), [21.0, 21.0, 21.0]);
    assert_eq!(unread(&report), [("a zip file within too many others", 1)]);
}

#[test]
fn a_file_that_grows_too_much_is_left_out_and_the_rest_is_read() {
    let zeros = vec![0_u8; 80 << 20];
    let (report, read) = read_zip(&[("bomb.csv", &zeros), ("good.csv", table(21).as_bytes())]);
    assert_eq!(rates(&read), [21.0]);
    let what = "far larger than its zip file makes believe";
    assert_eq!(unread(&report), [(what, 1)]);
    let example = &report.unread[what].examples[0];
    assert!(
        example.ends_with("export.zip/bomb.csv"),
        "{}",
        example.display()
    );
}

#[test]
fn names_and_links_that_lead_out_of_an_archive_are_left_out() {
    let folder = Folder::new();
    let secret = folder.write("secret.csv", table(28));
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = SimpleFileOptions::default();
    for name in ["../../evil.csv", "/evil.csv", "good.csv"] {
        archive.start_file(name, plain).unwrap();
        archive.write_all(table(21).as_bytes()).unwrap();
    }
    archive
        .add_symlink("link.csv", secret.to_str().unwrap(), plain)
        .unwrap();
    let bytes = archive.finish().unwrap().into_inner();
    let (_, read) = read(&folder.write("box/export.zip", bytes));
    assert!(!rates(&read).contains(&28.0), "a link was followed");
    assert!(rates(&read).contains(&21.0));
    assert!(!folder.path().join("evil.csv").exists());
    assert!(!Path::new("/evil.csv").exists());
}

#[cfg(unix)]
#[test]
fn links_in_a_folder_are_not_followed() {
    let folder = Folder::new();
    let secret = folder.write("elsewhere/secret.csv", table(28));
    folder.write("export/good.csv", table(21));
    std::os::unix::fs::symlink(&secret, folder.path().join("export/link.csv")).unwrap();
    std::os::unix::fs::symlink(folder.path(), folder.path().join("export/circle")).unwrap();
    let (_, read) = read(&folder.path().join("export"));
    assert_eq!(rates(&read), [21.0]);
}

#[test]
fn a_damaged_file_in_an_archive_costs_that_file_only() {
    let mut bytes = zipped(&[
        ("bad.csv", table(28).repeat(50).as_bytes()),
        ("good.csv", table(21).as_bytes()),
    ]);
    // In the packed bytes of the first file, past its header of 30 bytes and its name.
    for byte in &mut bytes[45..65] {
        *byte ^= 0x5a;
    }
    let folder = Folder::new();
    let (report, read) = read(&folder.write("export.zip", bytes));
    assert_eq!(rates(&read), [21.0]);
    assert_eq!(unread(&report).len(), 1, "{:?}", report.unread);
}

#[test]
fn files_that_nobody_reads_are_told_with_their_number() {
    let (report, _) = read_zip(&[
        ("a.csv", table(21).as_bytes()),
        ("notes.txt", b"hello there\n"),
        ("empty.csv", b""),
        ("one.json", b"{\"a\": 1}"),
        ("two.json", b"{\"b\": 1}"),
        ("page.xml", b"<page><x/></page>"),
        ("photo.jpg", b"\xff\xd8\xff"),
    ]);
    assert_eq!(
        unread(&report),
        [
            ("JSON without objects that have known columns", 2),
            ("XML or HTML of another program", 1),
            ("an empty file", 1),
            ("text or a table that no reader knows", 1),
        ]
    );
}

#[test]
fn one_bad_file_among_others_is_told_and_the_others_are_read() {
    let folder = Folder::new();
    folder.write("a.csv", table(21));
    folder.write("b.csv", "userId,metricType,value\nuna,STEPS,1\n");
    let (report, read) = read(folder.path());
    assert_eq!(rates(&read), [21.0]);
    assert_eq!(report.files, 1);
    let (what, _) = report.unread.first_key_value().unwrap();
    assert!(what.contains("without a column"), "{what}");
}

#[test]
fn an_archive_that_is_not_whole_is_an_error() {
    let mut bytes = zipped(&[("a.csv", table(21).as_bytes())]);
    bytes.truncate(bytes.len() / 2);
    let folder = Folder::new();
    let error = read_with(&folder.write("export.zip", bytes), &options()).unwrap_err();
    assert!(error.to_string().contains("a damaged zip file"), "{error}");
    let empty = folder.write("empty.zip", zipped(&[("x.txt", b"")]));
    let error = read_with(&empty, &options()).unwrap_err().to_string();
    let said = format!("{} is an archive without a known export", empty.display());
    assert!(error.starts_with(&said), "{error}");
}
