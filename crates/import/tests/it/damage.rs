//! Files that are damaged at random, in their bytes and in their structure, from the same beginnings each
//! time. No reader may panic or give a record that cannot be.

use crate::folder::{Folder, mine, read_with};
use crate::{archives, fit, formats, health_connect, properties};
use std::path::Path;

/// Number of damaged files: 1,500, or as many as two hours of a processor read in `cargo xtask soak`.
fn cases() -> u64 {
    if std::env::var_os("VITALCAST_SOAK").is_some() {
        4_000_000
    } else {
        1_500
    }
}

/// Cells and marks that files have, and that they should not have.
const TOKENS: [&[u8]; 36] = [
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"<",
    b"/>",
    b"&amp;",
    b"<![CDATA[",
    b"<!--",
    b"\\u0000",
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b"true",
    b"0",
    b"-1",
    b"1e308",
    b"NaN",
    b"99999999999999999999",
    b"1709272800000",
    b"2024-03-01T06:00:00Z",
    b"31/12/9999 23:59",
    b"-262144-01-01",
    b"2024-03-01",
    b"12:61",
    b"PT9999999999H",
    b"Europe/Berlin",
    b"1.234,5",
];
/// Rows below headers of tables, cell by cell.
const CELLS: [&str; 12] = [
    "2024-03-01",
    "2024-03-02 06:30:00",
    "60",
    "7.5",
    "",
    "Breakfast",
    "480",
    "true",
    "Running",
    "0",
    "01/03/2024",
    "98%",
];

/// Numbers that follow from the first (SplitMix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below another one, which is above 0.
    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Files of every format that is read: real ones, and headers with a row.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, header) in properties::HEADERS {
        let count = header.matches([',', ';']).count() + 1;
        for row in [0, 5] {
            let cells: Vec<&str> = CELLS
                .iter()
                .cycle()
                .skip(row)
                .take(count)
                .copied()
                .collect();
            let text = format!("{header}\n{}\n", cells.join(","));
            files.push(((*name).to_owned(), text.into_bytes()));
        }
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    for folder in [
        "apple-health",
        "cronometer",
        "fitabase",
        "health-auto-export",
        "myfitnesspal",
        "open-mhealth",
        "sleep-as-android",
        "t1d-uom",
        "tidepool",
        "whoop",
    ] {
        add(&fixtures.join(folder), &mut files);
    }
    for (_, folder) in formats::folders() {
        add(&folder.join("export"), &mut files);
    }
    let table = b"recordedAt,metricType,value\n2024-03-01T06:00:00Z,RESTING_HEART_RATE,60\n";
    files.push(("a.zip".to_owned(), archives::zipped(&[("a/b.csv", table)])));
    files.push(("a.fit".to_owned(), fit::small_file()));
    files.push(("a.db".to_owned(), health_connect::small_database()));
    files.sort();
    files
}

/// Adds the files of a folder, as far as they are small.
fn add(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add(&path, files);
            continue;
        }
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.truncate(8_000);
        files.push((name, bytes));
    }
}

/// Changes a file in one place.
fn damage(chance: &mut Chance, bytes: &mut Vec<u8>, others: &[(String, Vec<u8>)]) {
    let place = chance.below(bytes.len() + 1);
    let end = (place + 1 + chance.below(40)).min(bytes.len());
    // Half of all changes begin and end at a mark, so that cells, values and elements are moved as a whole.
    let is_mark = |byte: &u8| b",;:\n\"{}[]<> ".contains(byte);
    let (place, end) = if chance.below(2) == 0 {
        let next = |from: usize| {
            bytes[from..]
                .iter()
                .position(is_mark)
                .map_or(bytes.len(), |far| from + far)
        };
        let place = next(place.min(bytes.len()));
        (place, next(bytes.len().min(place + 1)))
    } else {
        (place.min(end), end)
    };
    match chance.below(8) {
        0 if place < bytes.len() => bytes[place] = chance.next() as u8,
        1 => drop(bytes.drain(place..end)),
        2 => {
            let part = bytes[place..end].to_vec();
            bytes.splice(place..place, part);
        }
        3 => drop(bytes.splice(place..place, chance.of(&TOKENS).iter().copied())),
        4 => drop(bytes.splice(place..end, chance.of(&TOKENS).iter().copied())),
        5 => bytes.truncate(place),
        6 => {
            // A part many times over, within bounds.
            let part = bytes[place..end].repeat(1 + chance.below(60));
            bytes.splice(place..place, part);
        }
        _ => {
            let (_, other) = chance.of(others);
            if !other.is_empty() {
                let from = chance.below(other.len());
                let to = (from + chance.below(200)).min(other.len());
                bytes.splice(place..place, other[from..to].iter().copied());
            }
        }
    }
    bytes.truncate(64_000);
}

#[test]
fn no_damage_makes_a_reader_panic_or_give_what_cannot_be() {
    let corpus = corpus();
    let folder = Folder::new();
    let mut known = 0;
    for case in 0..cases() {
        let mut chance = Chance(case);
        let (name, mut bytes) = chance.of(&corpus).clone();
        for _ in 0..=chance.below(6) {
            damage(&mut chance, &mut bytes, &corpus);
        }
        let path = folder.write(&name, &bytes);
        let read = std::panic::catch_unwind(|| read_with(&path, &mine("Europe/Berlin")));
        let read = read.unwrap_or_else(|_| panic!("case {case}, {name}: a reader panicked"));
        if let Ok((_, read)) = read {
            known += 1;
            for (_, record) in &read.records {
                let checked = record.validate();
                assert!(checked.is_ok(), "case {case}, {name}: {checked:?}");
            }
        }
        std::fs::remove_file(&path).unwrap();
    }
    // Damage is no reason to know a file no more.
    assert!(
        known * 3 > cases(),
        "{known} of {} files are known",
        cases()
    );
}
