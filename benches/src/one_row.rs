//! One row, measured in a process of its own, so that its memory is known.

use std::path::Path;
use std::time::Instant;

use vitalcast_benches::rows::{self, Row};
use vitalcast_models::InstructionSet;

use crate::Outcome;

/// Seconds after which no further run begins, neither before the first that counts nor after it.
const PATIENCE: f64 = 10.0;

/// Prints `{"row": …, "seconds": […], "peak_mb": …, "isa": …}`: each number of seconds is one run, the
/// memory is the most that this process ever held, and the last is the instruction set of networks.
#[expect(clippy::print_stdout, reason = "this is a command")]
pub(crate) fn run(name: &str) -> Outcome {
    let row = Row::ALL.into_iter().find(|row| row.name() == name);
    let row =
        row.ok_or_else(|| format!("{name:?} is no row; rows: {:?}", Row::ALL.map(Row::name)))?;
    let work = row.work(false);
    let (warm, runs) = row.runs();
    timed(&work, warm);
    let seconds = timed(&work, runs);
    let isa = InstructionSet::chosen()?.name();
    let facts = serde_json::json!({
        "row": name, "seconds": seconds, "peak_mb": peak_mb(), "isa": isa,
    });
    println!("{facts}");
    Ok(())
}

/// Seconds of at most so many runs.
fn timed(work: &dyn Fn(), most: usize) -> Vec<f64> {
    let mut seconds = Vec::new();
    while seconds.len() < most && seconds.iter().sum::<f64>() < PATIENCE {
        let begun = Instant::now();
        work();
        seconds.push(begun.elapsed().as_secs_f64());
    }
    seconds
}

/// Writes the default network as an ONNX file.
pub(crate) fn export(file: &Path) -> Outcome {
    std::fs::write(file, rows::default_onnx())
        .map_err(|error| format!("{}: {error}", file.display()).into())
}

/// The most memory that this process ever held, MB. Linux tells it; elsewhere it is not known.
pub(crate) fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
