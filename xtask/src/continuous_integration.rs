//! The checks of continuous integration, fastest first, stopping at the first failure.

use std::io::{IsTerminal, Read};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::printer::say;
use crate::step::{Outcome, Steps, cargo, outcome_of};
use crate::tests_run::{self, FEATURES};
use crate::tools;

/// Longest wait for the advisory database: a machine without a way to it must not hang.
const ADVISORY_FETCH_LIMIT: Duration = Duration::from_secs(90);

/// Run every step.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let mut steps = Steps::default();
    let checks_passed = steps.run("formatting", formatting)?
        && steps.run("dependencies", dependencies)?
        && steps.run("advisories", advisories)?
        && steps.run("lints", lints)?
        && steps.run("documents", documents)?;
    let totals = if checks_passed {
        Some(tests_run::run_in(&mut steps, None)?)
    } else {
        None
    };
    let code = steps.close();
    if let Some(totals) = totals {
        tests_run::close(totals);
    }
    Ok(code)
}

/// rustfmt colours its differences even in a log, unless told not to.
fn formatting() -> anyhow::Result<Outcome> {
    let color = if std::io::stdout().is_terminal() {
        "--color=auto"
    } else {
        "--color=never"
    };
    outcome_of(&mut cargo(&["fmt", "--all", "--check", "--", color])?)
}

/// Banned crates, licences and sources, by `deny.toml`; needs no network.
fn dependencies() -> anyhow::Result<Outcome> {
    match deny(&["--locked", "check", "bans", "licenses", "sources"])? {
        Ok(mut command) => outcome_of(&mut command),
        Err(why) => {
            say(&why);
            Ok(Outcome::Failed(1))
        }
    }
}

/// Known vulnerabilities, where their database can be had. It is a repository of its own, which
/// not every machine reaches; then the step says so and is never counted as passed.
fn advisories() -> anyhow::Result<Outcome> {
    let mut fetch = match deny(&["--color", "never", "fetch", "db"])? {
        Ok(command) => command,
        Err(why) => return Ok(Outcome::NotDone(why)),
    };
    // Without this a git that asks for a password would wait for one for ever.
    fetch.env("GIT_TERMINAL_PROMPT", "0");
    if let Err(why) = ended_well_within(&mut fetch, ADVISORY_FETCH_LIMIT)? {
        return Ok(Outcome::NotDone(format!(
            "the advisory database could not be fetched ({why})"
        )));
    }
    match deny(&["--locked", "check", "--disable-fetch", "advisories"])? {
        Ok(mut command) => outcome_of(&mut command),
        Err(why) => Ok(Outcome::NotDone(why)),
    }
}

/// `cargo deny ARGUMENTS`, or why there is no cargo-deny.
fn deny(arguments: &[&str]) -> anyhow::Result<Result<Command, String>> {
    Ok(tools::cargo_deny()?.and_then(|program| {
        let root = crate::root().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        command.arg("deny").args(arguments).current_dir(root);
        Ok(command)
    }))
}

fn lints() -> anyhow::Result<Outcome> {
    let arguments = [
        "clippy",
        "--workspace",
        FEATURES,
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    outcome_of(&mut cargo(&arguments)?)
}

fn documents() -> anyhow::Result<Outcome> {
    let mut command = cargo(&["doc", "--workspace", FEATURES, "--no-deps", "--locked"])?;
    outcome_of(command.env("RUSTDOCFLAGS", "-D warnings"))
}

/// Run a command quietly; inside, why it did not end well within the limit.
fn ended_well_within(command: &mut Command, limit: Duration) -> anyhow::Result<Result<(), String>> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting cargo")?;
    let complaints = child
        .stderr
        .take()
        .context("the complaints were piped just above")?;
    let complaints = std::thread::spawn(move || {
        let mut text = Vec::new();
        let mut complaints = complaints;
        // Half a message is still worth showing, so a broken pipe is no reason to lose it.
        let _ = complaints.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let Some(status) = wait_at_most(&mut child, limit)? else {
        // The reader is left behind: a grandchild may keep the pipe open.
        return Ok(Err(format!("no answer within {} s", limit.as_secs())));
    };
    if status.success() {
        return Ok(Ok(()));
    }
    let text = complaints.join().unwrap_or_default();
    let last = text.lines().rev().find(|line| !line.trim().is_empty());
    Ok(Err(last.map_or_else(
        || status.to_string(),
        |line| line.trim().to_owned(),
    )))
}

fn wait_at_most(
    child: &mut Child,
    limit: Duration,
) -> anyhow::Result<Option<std::process::ExitStatus>> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().context("waiting for cargo")? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().context("ending cargo")?;
    child.wait().context("waiting for cargo to end")?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_fails_gives_its_last_words() {
        let mut command = cargo(&["no-such-subcommand-of-cargo"]).unwrap();
        let why = ended_well_within(&mut command, Duration::from_mins(1))
            .unwrap()
            .unwrap_err();
        assert!(!why.is_empty());
    }

    #[test]
    fn a_command_that_ends_well_is_told_apart() {
        let mut command = cargo(&["--version"]).unwrap();
        assert_eq!(
            ended_well_within(&mut command, Duration::from_mins(1)).unwrap(),
            Ok(())
        );
    }
}
