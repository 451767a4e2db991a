//! One step of a longer run: announce it, run cargo, state how it ended and how long it took.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::printer::say;

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did its work and found nothing wrong.
    Passed,
    /// It found something wrong; the exit code of what was run.
    Failed(u8),
    /// It could not be done here, and why. Never the same as passed.
    NotDone(String),
}

/// A step that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// The steps of a run, in the order they were run; nothing runs after a failure unless asked to.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    finished: Vec<Finished>,
}

impl Steps {
    /// Run `work` under `name` and state its end and wall time. Says whether to go on.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<bool> {
        say(&format!("== {name}"));
        let started = Instant::now();
        let outcome = work().with_context(|| format!("step {name}"))?;
        let took = started.elapsed();
        say(&format!(
            "== {name}: {} after {:.1} s\n",
            words(&outcome),
            took.as_secs_f64()
        ));
        let go_on = !matches!(outcome, Outcome::Failed(_));
        self.finished.push(Finished {
            name,
            outcome,
            took,
        });
        Ok(go_on)
    }

    /// Print a line a step, and answer the exit code of the first that failed.
    pub(crate) fn close(&self) -> ExitCode {
        for step in &self.finished {
            say(&format!(
                "{:<12} {:>7.1} s  {}",
                step.name,
                step.took.as_secs_f64(),
                words(&step.outcome)
            ));
        }
        ExitCode::from(self.code())
    }

    fn code(&self) -> u8 {
        self.finished
            .iter()
            .find_map(|step| match step.outcome {
                Outcome::Failed(code) => Some(code),
                Outcome::Passed | Outcome::NotDone(_) => None,
            })
            .unwrap_or(0)
    }
}

fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Failed(code) => format!("FAILED with exit code {code}"),
        Outcome::NotDone(why) => format!("NOT DONE: {why}"),
    }
}

/// `cargo ARGUMENTS` in the workspace's folder, by the cargo that started us.
pub(crate) fn cargo(arguments: &[&str]) -> anyhow::Result<Command> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(arguments).current_dir(crate::root()?);
    Ok(command)
}

/// Run a command to its end, its output going where ours goes.
pub(crate) fn outcome_of(command: &mut Command) -> anyhow::Result<Outcome> {
    say(&format!("$ {}", shown(command)));
    let status = command
        .status()
        .with_context(|| format!("starting `{}`", shown(command)))?;
    Ok(outcome_from(status))
}

/// The outcome an exit status stands for; a child ended by a signal counts as code 1.
pub(crate) fn outcome_from(status: std::process::ExitStatus) -> Outcome {
    if status.success() {
        return Outcome::Passed;
    }
    Outcome::Failed(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    )
}

/// A command as one would type it: the program by its name, wherever it lies.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(outcomes: &[Outcome]) -> Steps {
        let mut steps = Steps::default();
        for outcome in outcomes {
            steps.run("a step", || Ok(outcome.clone())).unwrap();
        }
        steps
    }

    #[test]
    fn the_first_failure_gives_the_exit_code() {
        let steps = steps(&[Outcome::Passed, Outcome::Failed(101), Outcome::Failed(4)]);
        assert_eq!(steps.code(), 101);
    }

    #[test]
    fn a_step_that_could_not_be_done_fails_nothing_and_is_named() {
        let not_done = Outcome::NotDone("no network".to_owned());
        assert_eq!(steps(std::slice::from_ref(&not_done)).code(), 0);
        assert_eq!(words(&not_done), "NOT DONE: no network");
    }

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut python = Command::new("/somewhere/bin/python");
        assert_eq!(shown(python.arg("script.py")), "python script.py");
        assert_eq!(shown(&cargo(&["test"]).unwrap()), "cargo test");
    }

    #[test]
    fn a_failure_says_stop() {
        let mut steps = Steps::default();
        assert!(steps.run("good", || Ok(Outcome::Passed)).unwrap());
        assert!(!steps.run("bad", || Ok(Outcome::Failed(1))).unwrap());
    }
}
