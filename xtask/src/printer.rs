//! The only place that prints.

/// A line for whoever reads what happened.
#[expect(
    clippy::print_stdout,
    reason = "this is the printer, and xtask is a command"
)]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A line about what went wrong.
#[expect(
    clippy::print_stderr,
    reason = "this is the printer, and xtask is a command"
)]
pub(crate) fn complain(line: &str) {
    eprintln!("{line}");
}
