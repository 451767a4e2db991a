//! `vitalcast data coverage`: which days have data, and what can be forecast.

use super::correlate::{terminal_options, typeset, write_page};
use super::history::draw_with;
use crate::args::{DataCoverageArgs, Global};
use crate::exit::UsageError;
use crate::output::Output;
use chrono::NaiveDate;
use vitalcast::charts::{Block, HtmlReport, PictureSize, Section};
use vitalcast::{DataCoverage, ForecastReadiness};

const COLUMNS: [&str; 6] = ["metric", "source", "days", "counts on", "first", "last"];

pub(crate) fn run(
    args: &DataCoverageArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let coverage = engine.coverage(&args.user, args.as_of, global.now())?;
    let chart = coverage.chart();
    if let Some(path) = &args.chart {
        let Some(chart) = &chart else {
            return Err(UsageError("nothing to draw: there is no data yet".to_owned()).into());
        };
        let size = PictureSize {
            height: chart.natural_height(),
            ..PictureSize::default()
        };
        draw_with(path, output, || chart.svg(size), || chart.png(size))?;
    }
    if let Some(path) = &args.report {
        let mut days = Section::new("Days with data");
        if let Some(chart) = &chart {
            days = days.with(Block::Coverage(chart.clone()));
        }
        days = days.with(Block::Table(typeset(
            "Days by metric and source".to_owned(),
            &COLUMNS,
            2,
            rows(&coverage),
        )));
        let mut forecasts = Section::new("Forecasts");
        for metric in &coverage.forecasts {
            forecasts = forecasts.with_paragraph(sentence(metric));
        }
        for note in &coverage.notes {
            forecasts = forecasts.with(Block::Note(note.clone()));
        }
        let title = format!("Data of {}", coverage.user_id);
        let page = HtmlReport::new(title, String::new());
        write_page(path, &page.with(days).with(forecasts), output)?;
    }
    if output.is_json() {
        return output.json(&coverage);
    }
    let Some(chart) = chart else {
        output.note("There is no data of this person yet.");
        return Ok(());
    };
    output.line(chart.terminal(terminal_options())?)?;
    table(&coverage, output)?;
    output.line("")?;
    outlook(&coverage, output)
}

/// Prints the days by metric and source, and on how many of them each source counts.
pub(crate) fn table(coverage: &DataCoverage, output: &mut Output) -> anyhow::Result<()> {
    output.table(&COLUMNS, &rows(coverage), &[2, 3])
}

fn rows(coverage: &DataCoverage) -> Vec<Vec<String>> {
    let day = |day: Option<NaiveDate>| day.map_or_else(|| "–".to_owned(), |day| day.to_string());
    let mut rows = Vec::new();
    for metric in &coverage.metrics {
        for (place, source) in metric.sources.iter().enumerate() {
            rows.push(vec![
                if place == 0 {
                    metric.metric.to_string()
                } else {
                    String::new()
                },
                source.source.clone(),
                source.days.to_string(),
                source.counts_on.to_string(),
                day(source.first),
                day(source.last),
            ]);
        }
    }
    for (name, count) in [
        ("meals", coverage.meals),
        ("workouts", coverage.activities),
        ("tags", coverage.tags),
    ] {
        if let Some(count) = count {
            rows.push(vec![
                name.to_owned(),
                "–".to_owned(),
                count.days.to_string(),
                "–".to_owned(),
                count.first.to_string(),
                count.last.to_string(),
            ]);
        }
    }
    rows
}

/// What can be forecast, and what is missing for the rest.
pub(crate) fn outlook(coverage: &DataCoverage, output: &mut Output) -> anyhow::Result<()> {
    output.heading("What can be forecast")?;
    for metric in &coverage.forecasts {
        output.line(sentence(metric))?;
    }
    for note in &coverage.notes {
        output.note(format_args!("note: {note}"));
    }
    Ok(())
}

fn sentence(metric: &ForecastReadiness) -> String {
    let title = metric.metric.title();
    match (metric.days, metric.last) {
        (0, _) => format!("{title}: no data."),
        (days, Some(last)) if metric.is_ready && metric.is_recent => {
            format!("{title}: yes, from {days} days, the last of them {last}.")
        }
        (days, Some(last)) if metric.is_ready => format!(
            "{title}: for days near {last}, the last of {days} days with a value; newer data are needed for \
             tomorrow."
        ),
        (days, _) => {
            let missing = metric.needed.saturating_sub(days);
            let more = if missing == 1 { "day" } else { "days" };
            format!(
                "{title}: {days} of {} days; {missing} more {more} with a value are needed.",
                metric.needed
            )
        }
    }
}
