//! The data slices in `fixtures/`, cut from the full data sets; the same input gives the same
//! bytes, and cutting a slice again gives the slice.
//!
//! Columns, their order, file names and folders stay as published. What is left out, and why, is
//! said in `fixtures/README.md`; a change here is a change there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use csv::{StringRecord, Terminator};

use crate::printer::say;

/// The person of T1D-UOM with the most days on which meals, activity, a night and a resting heart
/// rate are all there: 80 of 84.
const T1D_UOM_PERSON: &str = "2306";

/// The four people of `LifeSnaps` with the most days on which resting heart rate, RMSSD, sleep and
/// stress score are all there: 85, 82, 78 and 77.
const LIFESNAPS_PEOPLE: [&str; 4] = [
    "621e2f9167b776a240011ccb",
    "621e32e667b776a2406d2f1c",
    "621e337667b776a240ce78ab",
    "621e2eaf67b776a2406b14ac",
];

const LIFESNAPS_FILE: &str = "lifesnaps/daily_fitbit_sema_df_unprocessed.csv";

/// The stage maps are most of the bytes of the nights file, and nothing reads them.
const STAGE_MAPS: [&str; 5] = [
    "sleep_levels_map_deep",
    "sleep_levels_map_light",
    "sleep_levels_map_awake",
    "sleep_levels_map_rem",
    "sleep_levels_map_unmeasurable",
];

/// Of the five-minute rows without a resting heart rate, these times of day (UTC) are kept, so
/// that the slice still holds ordinary rows, midnights without a value among them.
const ORDINARY_TIMES: [&str; 4] = ["00:00", "06:00", "12:00", "18:00"];

/// Cut all slices from `from` into `to` and state their sizes.
pub(crate) fn run(from: &Path, to: &Path) -> anyhow::Result<ExitCode> {
    let mut total = 0;
    for slice in cut(from)? {
        let path = to.join(&slice.path);
        let folder = path.parent().context("a slice lies in a folder")?;
        std::fs::create_dir_all(folder)
            .with_context(|| format!("creating {}", folder.display()))?;
        std::fs::write(&path, &slice.content)
            .with_context(|| format!("writing {}", path.display()))?;
        say(&format!(
            "{:>9} bytes  {}",
            slice.content.len(),
            slice.path.display()
        ));
        total += slice.content.len();
    }
    say(&format!("{total:>9} bytes  in all"));
    Ok(ExitCode::SUCCESS)
}

/// A file of a slice: where it belongs below `fixtures/`, and its bytes.
struct Slice {
    path: PathBuf,
    content: Vec<u8>,
}

/// All slices, none written before all could be read.
fn cut(from: &Path) -> anyhow::Result<Vec<Slice>> {
    let person = T1D_UOM_PERSON;
    let whole = |path: String| slice(from, path, |content| Ok(content.to_vec()));
    Ok(vec![
        whole("t1d-uom/LICENSE.md".to_owned())?,
        whole("t1d-uom/CITATION.cff".to_owned())?,
        whole(format!("t1d-uom/Nutrition Data/UoMNutrition{person}.csv"))?,
        whole(format!("t1d-uom/Activity Data/UoMActivity{person}.csv"))?,
        slice(
            from,
            format!("t1d-uom/Sleep Data/UoM{person}sleeptime.csv"),
            without_stage_maps,
        )?,
        slice(
            from,
            format!("t1d-uom/Sleep Data/UoMsleep{person}.csv"),
            resting_heart_rate_rows,
        )?,
        slice(from, LIFESNAPS_FILE.to_owned(), chosen_people)?,
    ])
}

fn slice(
    from: &Path,
    path: String,
    change: impl FnOnce(&[u8]) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Slice> {
    let source = from.join(&path);
    let content =
        std::fs::read(&source).with_context(|| format!("reading {}", source.display()))?;
    let content = change(&content).with_context(|| format!("cutting {}", source.display()))?;
    Ok(Slice {
        path: PathBuf::from(path),
        content,
    })
}

fn without_stage_maps(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let columns = columns(content, &STAGE_MAPS)?;
    rewritten(content, |row| {
        let cells = row.iter().enumerate();
        Some(
            cells
                .map(|(at, cell)| if columns.contains(&at) { "" } else { cell })
                .collect(),
        )
    })
}

fn resting_heart_rate_rows(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let columns = columns(content, &["sleep_ts", "resting_heart_rate"])?;
    rewritten(content, |row| {
        let has_value = row[columns[1]]
            .parse::<f64>()
            .is_ok_and(|value| value != 0.0);
        let ordinary = ORDINARY_TIMES
            .iter()
            .any(|time| row[columns[0]].ends_with(time));
        (has_value || ordinary).then(|| row.clone())
    })
}

fn chosen_people(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let columns = columns(content, &["id"])?;
    let mut missing = BTreeSet::from(LIFESNAPS_PEOPLE);
    let kept = rewritten(content, |row| {
        missing.remove(&row[columns[0]]);
        LIFESNAPS_PEOPLE
            .contains(&&row[columns[0]])
            .then(|| row.clone())
    })?;
    ensure!(
        missing.is_empty(),
        "no rows of {missing:?}: is this the full data set?"
    );
    Ok(kept)
}

/// Where the named columns stand.
fn columns(content: &[u8], names: &[&str]) -> anyhow::Result<Vec<usize>> {
    let header = csv::Reader::from_reader(content).headers()?.clone();
    names
        .iter()
        .map(
            |name| match header.iter().position(|column| column == *name) {
                Some(at) => Ok(at),
                None => bail!("no column `{name}` in the header"),
            },
        )
        .collect()
}

/// The rows that `change` keeps, as it left them, under the same header, with the line endings of
/// the original.
fn rewritten(
    content: &[u8],
    mut change: impl FnMut(&StringRecord) -> Option<StringRecord>,
) -> anyhow::Result<Vec<u8>> {
    let first_line = content
        .split_inclusive(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let ending = if first_line.ends_with(b"\r\n") {
        Terminator::CRLF
    } else {
        Terminator::Any(b'\n')
    };
    let mut reader = csv::Reader::from_reader(content);
    let mut writer = csv::WriterBuilder::new()
        .terminator(ending)
        .from_writer(Vec::new());
    writer.write_record(reader.headers()?)?;
    for row in reader.records() {
        if let Some(row) = change(&row?) {
            writer.write_record(&row)?;
        }
    }
    writer.into_inner().context("writing to memory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cut: anyhow::Result<Vec<u8>>, expected: &str) {
        assert_eq!(String::from_utf8(cut.unwrap()).unwrap(), expected);
    }

    #[test]
    fn stage_maps_are_emptied_and_nothing_else_is_touched() {
        let header = format!("calendar_date,{},validation\n", STAGE_MAPS.join(","));
        let night = "09/10/2023,\"[{\"\"start\"\":1}]\",[],[],[],[],ENHANCED_FINAL\n";
        check(
            without_stage_maps(format!("{header}{night}").as_bytes()),
            &format!("{header}09/10/2023,,,,,,ENHANCED_FINAL\n"),
        );
    }

    #[test]
    fn rows_with_a_resting_heart_rate_and_four_ordinary_ones_a_day_are_kept() {
        let header = "sleep_ts,heart_rate,resting_heart_rate\n";
        check(
            resting_heart_rate_rows(
                format!(
                    "{header}17/10/2023 00:00,0,0\n17/10/2023 00:05,70,0\n17/10/2023 09:35,70,61\n"
                )
                .as_bytes(),
            ),
            &format!("{header}17/10/2023 00:00,0,0\n17/10/2023 09:35,70,61\n"),
        );
    }

    #[test]
    fn line_endings_stay_as_published() {
        let table = "sleep_ts,resting_heart_rate\r\n17/10/2023 09:35,61\r\n";
        check(resting_heart_rate_rows(table.as_bytes()), table);
    }

    #[test]
    fn a_missing_column_is_named() {
        let error = resting_heart_rate_rows(b"sleep_ts\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "no column `resting_heart_rate` in the header"
        );
    }

    #[test]
    fn a_missing_person_is_named() {
        let error = chosen_people(b"id,date\nsomebody,2021-05-24\n").unwrap_err();
        assert!(error.to_string().contains(LIFESNAPS_PEOPLE[0]), "{error}");
    }
}
