//! `vitalcast tune`.

use crate::args::{Global, TuneArgs};
use crate::commands::correlate::{terminal_options, write_page};
use crate::commands::history::draw_with;
use crate::exit::{NobodyHere, UsageError};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use anyhow::bail;
use std::time::Instant;
use vitalcast::charts::{Alignment, Block, HtmlReport, PictureSize, Section, Table};
use vitalcast::{Proceed, Setting, Settings, Trial, TuningAnswer, TuningRequest, matter_chart};

/// Rows of the table in a terminal.
const ROWS: usize = 10;

pub(crate) fn run(args: &TuneArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    if args.users.is_empty() && engine.users()?.is_empty() {
        return Err(NobodyHere.into());
    }
    let request = TuningRequest {
        trials: args.trials as usize,
        search: args.search,
        test_fraction: args.test_fraction,
        min_days: args.min_days as usize,
        seed: args.seed,
        ..TuningRequest::new(args.metric, args.architecture)
    };
    let interrupt = Interrupt::install()?;
    let begun = Instant::now();
    let bar = progress::steps(output, "trials");
    bar.set_prefix(format!("Searching {} ", args.architecture));
    let unit = args.metric.unit_label();
    let answer = engine.tune(&args.users, &request, global.now(), &mut |progress| {
        bar.set_length(progress.of as u64);
        bar.set_position(progress.trials as u64);
        if let Some((best, default)) = progress.best {
            bar.set_message(format!("best {best:.3} {unit}, defaults {default:.3}"));
        }
        bar.tick();
        if interrupt.check().is_break() {
            Proceed::Stop
        } else if args
            .seconds
            .is_some_and(|seconds| begun.elapsed().as_secs() >= seconds)
        {
            Proceed::Finish
        } else {
            Proceed::Continue
        }
    });
    bar.finish_and_clear();
    let answer = answer?;
    let chart = matter_chart(&answer);
    if let Some(path) = &args.chart {
        let Some(chart) = &chart else {
            bail!(UsageError(
                "nothing to draw: too few trials to say which settings mattered".to_owned()
            ));
        };
        let size = PictureSize {
            height: chart.natural_height(),
            ..PictureSize::default()
        };
        draw_with(path, output, || chart.svg(size), || chart.png(size))?;
    }
    if let Some(path) = &args.report {
        write_page(path, &page(&answer), output)?;
    }
    if output.is_json() {
        return output.json(&answer);
    }
    output.heading(&heading(&answer))?;
    let columns = columns(&answer);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows: Vec<Vec<String>> = answer
        .trials
        .iter()
        .take(ROWS)
        .map(|trial| row(&answer, trial))
        .collect();
    let numbers: Vec<usize> = (1..columns.len()).collect();
    output.table(&columns, &rows, &numbers)?;
    output.line(MEANING)?;
    if let Some(chart) = &chart {
        output.line("")?;
        output.line(chart.terminal(terminal_options())?.trim_end())?;
    }
    output.line("")?;
    output.line(&answer.summary)?;
    if answer.on_unseen_days.helps {
        output.line(format!(
            "To train with them: vitalcast train --metric {} --architecture {} {}",
            answer.request.metric,
            answer.request.architecture,
            options(&answer.best)
        ))?;
    }
    if args.seconds.is_some() && answer.tried < answer.request.trials {
        output.note(format_args!(
            "The time was used up after {} of {} trials; the same command goes on from there.",
            answer.tried, answer.request.trials
        ));
    }
    Ok(())
}

const MEANING: &str = "MAE: mean absolute error on the folds that a trial was replayed on; a trial that was \
                       given up early has fewer. None of these days is one of those set aside.";

fn heading(answer: &TuningAnswer) -> String {
    format!(
        "{}, {}: {} trials, {} replays",
        answer.request.metric.title(),
        answer.request.architecture,
        answer.tried,
        answer.replays
    )
}

fn columns(answer: &TuningAnswer) -> Vec<String> {
    let settings = Setting::of(answer.request.architecture).iter();
    ["trial", "folds", "MAE"]
        .into_iter()
        .map(str::to_owned)
        .chain(settings.map(|setting| setting.name().replace('_', " ")))
        .collect()
}

fn row(answer: &TuningAnswer, trial: &Trial) -> Vec<String> {
    let number = if trial.number == 0 {
        "defaults".to_owned()
    } else {
        trial.number.to_string()
    };
    let settings = Setting::of(answer.request.architecture).iter();
    [number, trial.folds.to_string(), format!("{:.3}", trial.mae)]
        .into_iter()
        .chain(settings.map(|setting| {
            let value = trial.settings.0.get(setting);
            value.map_or_else(|| "–".to_owned(), f64::to_string)
        }))
        .collect()
}

/// The options of `train` that make these settings.
fn options(settings: &Settings) -> String {
    let options = settings.0.iter();
    let options: Vec<String> = options
        .map(|(setting, value)| format!("--{} {value}", setting.name().replace('_', "-")))
        .collect();
    options.join(" ")
}

fn page(answer: &TuningAnswer) -> HtmlReport {
    let mut section = Section::new(heading(answer)).with_paragraph(answer.summary.clone());
    if let Some(chart) = matter_chart(answer) {
        section = section.with(Block::Importance(chart));
    }
    let columns = columns(answer)
        .into_iter()
        .enumerate()
        .map(|(place, name)| {
            let alignment = if place == 0 {
                Alignment::Text
            } else {
                Alignment::Number
            };
            (name, alignment)
        })
        .collect();
    let rows = answer
        .trials
        .iter()
        .map(|trial| row(answer, trial).into_iter().map(Some).collect())
        .collect();
    section = section
        .with(Block::Table(Table {
            caption: "Trials, best first".to_owned(),
            columns,
            rows,
        }))
        .with_paragraph(MEANING);
    HtmlReport::new(
        "Search for settings",
        "Settings of a training, tried on past days, and compared with the defaults on days that no trial \
         has seen",
    )
    .with(section)
}
