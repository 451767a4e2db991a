//! Development commands of the project, `cargo xtask --help`: all tasks with more than one step.
//!
//! Chosen over a make-like tool because it needs nothing but the compiler that builds the rest.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod accuracy;
mod built;
mod continuous_integration;
mod fixtures;
mod fuzz;
mod passed;
mod peers;
mod pretrain;
mod printer;
mod server;
mod soak;
mod step;
mod tests_run;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

const HELP: &str = "\
Usage: cargo xtask COMMAND

Commands:
  test [--all]                       Run every test: unit, integration, benches once, doctests,
                                     exported ONNX files in onnxruntime, tables in pyarrow,
                                     the service under Schemathesis, the example clients
                                     against the service. What has passed is run again once
                                     something that it reads has changed; --all: in any case
  ci                                 The checks of continuous integration: formatting,
                                     dependencies, lints, documentation, tests
  soak [--seconds COUNT]             Run the long tests: 1,000 kills, 10,000 cases per property,
                                     fuzzing, 1,000 Schemathesis examples, the GPU backend.
                                     --seconds: for each target of fuzzing [default 60]
  fuzz [--seconds COUNT] [--readers NAME,NAME] [--keep]
                                     Fuzz the readers of exports with libFuzzer, one after another.
                                     --seconds: for each [default 60]; --readers: only these;
                                     --keep: make fuzz/corpus/ anew of what reaches most (with
                                     --seconds 0 of what earlier searches found)
  fixtures --from DIR [--to FOLDER]  Create the data slices again from the full data sets in DIR
                                     (t1d-uom and lifesnaps) [default FOLDER: fixtures/]
  pretrain --from DIR                Fit the models of many people that are part of the release from
                                     the full data sets in DIR
  bench-peers [--json] [--isa avx2|native] [--rows NAME,NAME] [--rounds COUNT]
                                     Compare with PyTorch, onnxruntime, LightGBM, XGBoost,
                                     statsforecast and SciPy on the same work, in alternation (pip
                                     installs them into target/peers): medians, memory, ratios.
                                     --isa: hold both sides to AVX2, or to nothing [default: both,
                                     where they differ]; --rows: only these; --rounds: how often
                                     each row is measured [default 3]
  bench-accuracy --from DIR [--json] [--lstm] [--vitalcast PROGRAM]
                                     Accuracy on the full data sets in DIR, in five folds of people,
                                     next to statsforecast and LightGBM (pip installs them into
                                     target/peers). --lstm: also a network for each person (slow);
                                     --vitalcast: use this program instead of building it
  bench-server [--json] [--rows NAME,NAME]
                                     Load test of the service: forecasts, records, parallel
                                     trainings, idle connections, overload. --rows: only these; the
                                     peak of forecasts and the memory at the end are always measured
  help                               Show this text

Tests need the toolchain of rust-toolchain.toml (rustup installs it) and a C compiler with its linker
(for the bundled SQLite). ONNX files and the service are tested with Python environments in target/, the
GPU backend with the software driver of Mesa. They are installed if no password is needed (apt-get, pip);
steps that could not run are listed at the end. Fixtures are in the repository.

Exit codes: 0 all passed, 2 wrong usage, otherwise the exit code of the first step that failed.
";

/// Exit code of a command line that means nothing.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(error) => {
            printer::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    match arguments {
        [] => {
            printer::complain(HELP.trim_end());
            Ok(ExitCode::from(USAGE))
        }
        ["help" | "--help" | "-h"] | [_, "--help" | "-h"] => {
            printer::say(HELP.trim_end());
            Ok(ExitCode::SUCCESS)
        }
        ["test"] => tests_run::run(false),
        ["test", "--all"] => tests_run::run(true),
        [passed::RUNNER, words @ ..] => passed::run(words),
        ["ci"] => continuous_integration::run(),
        ["soak", rest @ ..] => match fuzz::Options::parsed(rest) {
            Ok(options) if options.only_seconds() => soak::run(&options),
            Ok(_) => Ok(wrong_usage("soak has only the option --seconds")),
            Err(why) => Ok(wrong_usage(&why)),
        },
        ["fuzz", rest @ ..] => match fuzz::Options::parsed(rest) {
            Ok(options) => fuzz::run(&options),
            Err(why) => Ok(wrong_usage(&why)),
        },
        ["fixtures", "--from", from] => fixtures::run(Path::new(from), &root()?.join("fixtures")),
        ["fixtures", "--from", from, "--to", to] => fixtures::run(Path::new(from), Path::new(to)),
        ["pretrain", "--from", from] => pretrain::run(Path::new(from)),
        ["bench-peers", rest @ ..] => match peers::Options::parsed(rest) {
            Ok(options) => peers::run(&options).map(|()| ExitCode::SUCCESS),
            Err(why) => Ok(wrong_usage(&why)),
        },
        ["bench-accuracy", rest @ ..] if let Some(options) = accuracy::Options::parsed(rest) => {
            accuracy::run(&options).map(|()| ExitCode::SUCCESS)
        }
        ["bench-server", rest @ ..] => match server::Options::parsed(rest) {
            Ok(options) => server::run(&options).map(|()| ExitCode::SUCCESS),
            Err(why) => Ok(wrong_usage(&why)),
        },
        other => {
            printer::complain(&format!(
                "error: `{}` is not a command; `cargo xtask --help` lists them",
                other.join(" ")
            ));
            Ok(ExitCode::from(USAGE))
        }
    }
}

/// The word after an option, or what is missing.
fn value_of<'w>(
    option: &str,
    words: &mut std::slice::Iter<'_, &'w str>,
) -> Result<&'w str, String> {
    let value = words.next().copied();
    value.ok_or_else(|| format!("{option} needs a value"))
}

fn wrong_usage(why: &str) -> ExitCode {
    printer::complain(&format!(
        "error: {why}; `cargo xtask --help` lists the options"
    ));
    ExitCode::from(USAGE)
}

/// The folder with the workspace's `Cargo.toml`, wherever the command was started.
fn root() -> anyhow::Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf)
        .context("xtask lies in a folder of the workspace")
}
