//! What the tests read, kept for fuzzing (`cargo xtask fuzz`) where the environment names a folder: for each
//! import a folder with its files below one of the name of its format.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use vitalcast_import::{ImportOptions, ImportReport};

/// Names the folder.
const VARIABLE: &str = "VITALCAST_FUZZ_SEEDS";
/// Largest file that is kept, bytes.
const LARGEST: u64 = 300_000;

/// Keeps a file, or the files below a folder, for the formats that they had.
pub(crate) fn keep(path: &Path, options: &ImportOptions, report: &ImportReport) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let Some(place) = std::env::var_os(VARIABLE).map(PathBuf::from) else {
        return;
    };
    let is_archive = path.extension().is_some_and(|ending| ending == "zip");
    let formats = report.formats.iter().map(|found| found.format.as_str());
    let targets = formats.filter(|_| !is_archive).chain([if is_archive {
        "archives"
    } else {
        "recognition"
    }]);
    for target in targets {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed).to_string();
        let into = place.join(target).join(number);
        fs::create_dir_all(&into).unwrap();
        // The first of its names.
        if let Some(map) = options.map.as_ref().filter(|_| target == "table") {
            fs::write(into.join("map"), map.to_string()).unwrap();
        }
        copy(path, &into);
    }
}

fn copy(from: &Path, into: &Path) {
    if from.is_file() {
        if from.metadata().unwrap().len() <= LARGEST {
            fs::copy(from, into.join(from.file_name().unwrap())).unwrap();
        }
        return;
    }
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        // No links.
        if kind.is_dir() {
            let within = into.join(entry.file_name());
            fs::create_dir_all(&within).unwrap();
            copy(&entry.path(), &within);
        } else if kind.is_file() {
            copy(&entry.path(), into);
        }
    }
}
