//! A folder for each format in `tests/formats`: an export, written by hand after real ones, and what is read of
//! it, worked out by hand.

use crate::folder::{Read, mine, read_with};
use std::path::{Path, PathBuf};
use vitalcast_domain::Record;

/// The folders, by the names of their formats.
pub(crate) fn folders() -> Vec<(String, PathBuf)> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats");
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(all)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    found.sort();
    found
}

/// What was read, a line for each record and each rejected row, in their order.
fn lines(read: &Read) -> Vec<String> {
    let number = |value: f64| ((value * 1e4).round() / 1e4).to_string();
    let given = |value: Option<f64>| value.map_or("-".to_owned(), number);
    let mut lines: Vec<String> = read
        .records
        .iter()
        .map(|(_, record)| {
            let origin = record.provenance();
            let (day, source) = (origin.day, &origin.source);
            match record {
                Record::HealthMetric(reading) => {
                    format!(
                        "{day} {} {source} {}",
                        reading.metric,
                        number(reading.value)
                    )
                }
                Record::Meal(meal) => {
                    format!("{day} meal {source} {} kcal", given(meal.energy_kcal))
                }
                Record::Activity(activity) => format!(
                    "{day} {} {source} {} min",
                    activity.activity_type,
                    given(activity.duration_minutes)
                ),
                Record::Tag(tag) => {
                    let answer = if tag.applies { "yes" } else { "no" };
                    let note = tag.note.as_deref().unwrap_or("-");
                    format!("{day} tag {source} {}: {answer}, {note}", tag.name)
                }
            }
        })
        .collect();
    lines.sort();
    lines.extend(read.rejects.iter().map(|reject| {
        let file = reject.file.file_name().unwrap().to_string_lossy();
        format!("{file}:{} rejected: {}", reject.line, reject.reason)
    }));
    lines
}

#[test]
fn every_export_is_read_as_was_worked_out_by_hand() {
    for (name, folder) in folders() {
        let text = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
        let mut expected = text.lines().filter(|line| !line.starts_with('#'));
        let zone = expected
            .next()
            .and_then(|line| line.strip_prefix("zone "))
            .unwrap();
        let (report, read) = read_with(&folder.join("export"), &mine(zone)).unwrap();
        let formats: Vec<&str> = report
            .formats
            .iter()
            .map(|found| found.format.as_str())
            .collect();
        assert_eq!(formats, [name.as_str()]);
        assert_eq!(lines(&read), expected.collect::<Vec<_>>(), "{name}");
    }
}
