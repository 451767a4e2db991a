//! One row for `cargo xtask bench-peers`: prints `{"row": …, "seconds": […]}`, each number one run.

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
    println!("{{\"row\": {wanted:?}, \"seconds\": {seconds:?}}}");
    ExitCode::SUCCESS
}
