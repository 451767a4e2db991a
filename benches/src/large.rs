//! Exports of any size, written for the peers or read: how fast, and with how much memory.

use std::path::Path;
use std::time::Instant;

use vitalcast_benches::exports::{self, Export, SIZE};

use crate::Outcome;
use crate::one_row::peak_mb;

/// Writes the exports of the peers' table into a folder.
pub(crate) fn write(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder)?;
    for export in [Export::Apple, Export::Steps, Export::HealthConnect] {
        export.write(folder, SIZE)?;
    }
    Ok(())
}

/// Writes an export of so many MiB, reads it, and prints rows, records, time and memory.
#[expect(clippy::print_stdout, reason = "this is a command")]
pub(crate) fn read(name: &str, mebibytes: &str) -> Outcome {
    let names = Export::ALL.map(Export::name);
    let export = Export::ALL.into_iter().find(|export| export.name() == name);
    let export = export.ok_or_else(|| format!("{name:?} is no export; exports: {names:?}"))?;
    let folder = tempfile::tempdir()?;
    let path = export.write(folder.path(), mebibytes.parse::<u64>()? << 20)?;
    let megabytes = std::fs::metadata(&path)?.len() as f64 / 1e6;
    let begun = Instant::now();
    let (rows, records) = exports::read(&path);
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{name}: {megabytes:.0} MB, {rows} rows, {records} records in {seconds:.2} s: {:.0} MB/s, {:.0} rows/s; \
         {:.0} MB of memory",
        megabytes / seconds,
        rows as f64 / seconds,
        peak_mb().unwrap_or(f64::NAN),
    );
    Ok(())
}
