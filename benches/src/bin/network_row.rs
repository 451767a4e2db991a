//! One row for `cargo xtask bench-peers`: prints `{"row": …, "seconds": […], "peak_mb": …}`, each
//! number of seconds one run; the last is the most memory this process ever held. With `--onnx FILE` it
//! writes the default network for onnxruntime instead.

use std::process::ExitCode;
use std::time::Instant;
use vitalcast_benches::networks::Row;

/// As in the binaries.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a command"
)]
fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_default();
    if wanted == "--onnx" {
        let file = std::env::args().nth(2).unwrap_or_default();
        if let Err(error) = std::fs::write(&file, vitalcast_benches::networks::default_onnx()) {
            eprintln!("error: {file}: {error}");
            return ExitCode::FAILURE;
        }
        return ExitCode::SUCCESS;
    }
    let Some(row) = Row::ALL.into_iter().find(|row| row.name() == wanted) else {
        eprintln!(
            "error: {wanted:?} is no row; rows: {:?}",
            Row::ALL.map(Row::name)
        );
        return ExitCode::from(2);
    };
    let work = row.work(false);
    let (warm, runs) = row.runs();
    for _ in 0..warm {
        work();
    }
    let seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    let peak = peak_mb().map_or_else(|| "null".to_owned(), |peak| format!("{peak:.1}"));
    println!("{{\"row\": {wanted:?}, \"seconds\": {seconds:?}, \"peak_mb\": {peak}}}");
    ExitCode::SUCCESS
}

/// Linux tells it; elsewhere it is not known.
fn peak_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
