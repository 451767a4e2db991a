//! `vitalcast trajectory`.

use crate::args::{Global, TrajectoryArgs};
use crate::commands::correlate::{last_day, terminal_options, typeset, write_page};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use chrono::{DateTime, NaiveDate, Utc};
use vitalcast::charts::{Block, HtmlReport, PictureSize, Section, TrajectoryChart};
use vitalcast::{
    Engine, MetricTrajectory, TrajectoryRequest, TrajectoryResponse, trajectory_chart, with_unit,
};

/// Days of history drawn before the first one.
const DRAWN_DAYS: usize = 30;

pub(crate) fn run(
    args: &TrajectoryArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    if args.chart.is_some() && args.metric.len() != 1 {
        bail!(UsageError("--chart needs exactly one metric".to_owned()));
    }
    let engine = global.engine()?;
    let now = global.now();
    let start = last_day(&engine, &args.user, args.start, now)?;
    let request = TrajectoryRequest {
        duration_days: args.days,
        start_date: Some(start),
        paths: args.paths,
        seed: args.seed,
        ..TrajectoryRequest::new(args.user.clone(), args.metric.clone(), args.change.clone())
    };
    request
        .validate()
        .map_err(|error| UsageError(error.to_string()))?;
    let answer = engine.trajectory(&request, now)?;
    let charts = charts(&engine, &answer, start, now)?;
    if let Some(path) = &args.chart {
        let Some(chart) = charts.first() else {
            bail!(UsageError(format!("nothing to draw: {}", answer.summary)));
        };
        let size = PictureSize::default();
        draw_with(path, output, || chart.svg(size), || chart.png(size))?;
    }
    if let Some(path) = &args.report {
        write_page(path, &report(&answer, &charts), output)?;
    }
    if output.is_json() {
        output.json(&answer)
    } else {
        print(&answer, &charts, output)
    }
}

fn charts(
    engine: &Engine,
    answer: &TrajectoryResponse,
    start: NaiveDate,
    now: DateTime<Utc>,
) -> anyhow::Result<Vec<TrajectoryChart>> {
    let mut charts = Vec::new();
    for of in &answer.trajectories {
        let view = engine.history(
            &answer.user_id,
            of.metric,
            Some(start),
            DRAWN_DAYS,
            None,
            now,
        )?;
        let past: Vec<_> = view.days.iter().map(|day| (day.date, day.actual)).collect();
        charts.extend(trajectory_chart(answer, of.metric, &past));
    }
    Ok(charts)
}

const COLUMNS: [&str; 5] = [
    "day",
    "date",
    "expected",
    "95 % interval",
    "without changes",
];

fn rows(answer: &TrajectoryResponse, of: &MetricTrajectory) -> Vec<Vec<String>> {
    let metric = of.metric;
    let unchanged = answer.baseline_trajectories.iter().flatten();
    let unchanged = unchanged
        .filter(|_| !answer.nutrition_changes.is_empty())
        .find(|other| other.metric == metric);
    let row = |(place, point): (usize, &vitalcast::TrajectoryPoint)| {
        vec![
            point.day.to_string(),
            point.timestamp.to_string(),
            with_unit(metric, point.predicted_value),
            format!(
                "{} to {}",
                with_unit(metric, point.confidence_lower),
                with_unit(metric, point.confidence_upper)
            ),
            unchanged.map_or_else(String::new, |other| {
                with_unit(metric, other.trajectory[place].predicted_value)
            }),
        ]
    };
    of.trajectory.iter().enumerate().map(row).collect()
}

fn print(
    answer: &TrajectoryResponse,
    charts: &[TrajectoryChart],
    output: &mut Output,
) -> anyhow::Result<()> {
    for (of, chart) in answer.trajectories.iter().zip(charts) {
        output.heading(&format!(
            "{} of {}, {} days from {}",
            of.metric.title(),
            answer.user_id,
            answer.duration_days,
            answer.start_date
        ))?;
        output.line(chart.terminal(terminal_options())?)?;
        output.table(&COLUMNS, &rows(answer, of), &[0, 2, 3, 4])?;
        if let Some(lag) = &of.lag_description {
            output.line(format_args!("{lag}."))?;
        }
    }
    output.line(&answer.summary)?;
    output.line(&answer.recommendation)?;
    if let Some(warning) = &answer.data_quality_warning {
        output.line(format_args!("Note: {warning}."))?;
    }
    output.line(&answer.association)
}

fn report(answer: &TrajectoryResponse, charts: &[TrajectoryChart]) -> HtmlReport {
    let span = format!("{} to {}", answer.start_date, answer.end_date);
    let mut page = HtmlReport::new(format!("How it may go on: {}", answer.user_id), span);
    for (of, chart) in answer.trajectories.iter().zip(charts) {
        let section = Section::new(of.metric.title())
            .with(Block::Trajectory(chart.clone()))
            .with(Block::Table(typeset(
                "Expected values".to_owned(),
                &COLUMNS,
                2,
                rows(answer, of),
            )));
        page = page.with(section);
    }
    let mut words = Section::new("In words").with(Block::Note(answer.summary.clone()));
    words = words.with_paragraph(answer.recommendation.clone());
    if let Some(warning) = &answer.data_quality_warning {
        words = words.with_paragraph(format!("Note: {warning}."));
    }
    page.with(words.with_paragraph(answer.association.clone()))
}
