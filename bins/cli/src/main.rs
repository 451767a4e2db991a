//! The `vitalcast` command: parse, call the engine, print.
//!
//! Data goes to standard output, diagnostics and progress to standard error. Exit codes are listed
//! in [`exit`] and in `vitalcast --help`.

mod args;
mod commands;
mod exit;
mod interrupt;
mod output;
mod progress;

use args::{Cli, Command};
use clap::Parser;
use output::Output;
use std::process::ExitCode;

/// Networks make and drop megabytes in every step; this allocator hands them out again instead of
/// asking the system for fresh pages, which takes a third off forecasting many windows.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.global.json, cli.global.quiet);
    start_log(cli.global.verbose);
    let outcome = run(&cli, &mut output).and_then(|()| Ok(output.flush()?));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if exit::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            exit::code_of(&error).into()
        }
    }
}

fn run(cli: &Cli, output: &mut Output) -> anyhow::Result<()> {
    match &cli.command {
        Command::Demo(args) => commands::demo::run(args, &cli.global, output),
        Command::Import(args) => commands::import::run(args, &cli.global, output),
        Command::Users(args) => commands::users::run(args, &cli.global, output),
        Command::Data(args) => commands::data::run(args, &cli.global, output),
        Command::Features(args) => commands::features::run(args, &cli.global, output),
        Command::Train(args) => commands::train::run(args, &cli.global, output),
        Command::Predict(args) => commands::predict::run(args, &cli.global, output),
        Command::Explain(args) => commands::explain::run(args, &cli.global, output),
        Command::Backtest(args) => commands::backtest::run(args, &cli.global, output),
        Command::Tune(args) => commands::tune::run(args, &cli.global, output),
        Command::Correlate(args) => commands::correlate::run(args, &cli.global, output),
        Command::Lags(args) => commands::lags::run(args, &cli.global, output),
        Command::WhatIf(args) => commands::what_if::run(args, &cli.global, output),
        Command::Counterfactual(args) => commands::counterfactual::run(args, &cli.global, output),
        Command::Trajectory(args) => commands::trajectory::run(args, &cli.global, output),
        Command::Experiment(args) => commands::experiment::run(args, &cli.global, output),
        Command::Models(args) => commands::models::run(args, &cli.global, output),
        Command::History(args) => commands::history::run(args, &cli.global, output),
        Command::Profile(args) => commands::people::profile(args, &cli.global, output),
        Command::Export(args) => commands::people::export(args, &cli.global, output),
        Command::Erase(args) => commands::people::erase(args, &cli.global, output),
        Command::Keys(args) => commands::keys::run(args, &cli.global, output),
        Command::Completions(args) => commands::shell::completions(args, output),
        Command::Man(args) => commands::shell::man(args, output),
    }
}

/// Logs go to standard error, and only as much as was asked for. They never hold health values.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        2 => tracing::Level::DEBUG,
        _ => tracing::Level::TRACE,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        // It would print what it cannot log to standard error, and panic where that fails.
        .log_internal_errors(false)
        .with_ansi(output::stderr_wants_colour())
        .without_time()
        .init();
}
