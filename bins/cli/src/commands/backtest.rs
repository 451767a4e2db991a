//! `vitalcast backtest`.

use crate::args::{BacktestArgs, Global};
use crate::commands::history;
use crate::exit::{NoForecast, NobodyHere, UsageError};
use crate::interrupt::Interrupt;
use crate::output::Output;
use crate::progress;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};
use vitalcast::charts::{Alignment, Block, HtmlReport, Section, Table};
use vitalcast::{
    BacktestPeople, ModelArchitecture, ModelReport, ReplayAnswer, ReplayModel, ReplayRequest,
    UserId, level_in_words, replay_chart, replay_skill_chart,
};
use vitalcast_cohort::{ForecastRow, check_forecasts_name, write_forecasts};

/// The word for all people of the data folder.
const EVERYONE: &str = "all";

pub(crate) fn run(args: &BacktestArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    // A name that cannot be used is said before anything is computed.
    if let Some(path) = &args.output {
        check_forecasts_name(path)?;
        if args.metric.len() > 1 {
            bail!(UsageError("--output needs one metric".to_owned()));
        }
    }
    let people = people(args)?;
    if args.chart.is_some() && (people.users.len() != 1 || args.metric.len() != 1) {
        bail!(UsageError(
            "--chart needs one person and one metric".to_owned()
        ));
    }
    let engine = global.engine()?;
    let now = global.now();
    if people.users.is_empty() && engine.users()?.is_empty() {
        return Err(NobodyHere.into());
    }
    let interrupt = Interrupt::install()?;
    let unfinished = args.output.as_deref().map(unfinished_of);
    let bar = progress::steps(output, "");
    bar.set_prefix("Replaying ");
    let mut answers = Vec::new();
    for &metric in &args.metric {
        let request = ReplayRequest {
            models: args.models.clone(),
            test_fraction: args.test_fraction,
            min_days: args.min_days as usize,
            horizon: args.horizon.clone(),
            levels: args.levels.clone(),
            seed: args.seed,
            ..ReplayRequest::new(metric)
        };
        let mut check = |part: &str| {
            bar.set_message(format!("{metric} {part}"));
            bar.tick();
            interrupt.check()
        };
        let answer = match &unfinished {
            Some(file) => engine.backtest_with_file(&people, &request, file, now, &mut check),
            None => engine.backtest(&people, &request, now, &mut check),
        };
        if answer.is_err() {
            bar.finish_and_clear();
            if unfinished.as_ref().is_some_and(|file| file.exists()) {
                output.note("What is finished is kept: the same command goes on from there.");
            }
        }
        answers.push(answer?);
    }
    bar.finish_and_clear();
    if let (Some(path), [answer]) = (&args.output, answers.as_slice()) {
        write(path, answer)?;
        if let Some(unfinished) = unfinished.as_ref().filter(|file| file.exists()) {
            std::fs::remove_file(unfinished)
                .with_context(|| format!("deleting {}", unfinished.display()))?;
        }
        output.note(format_args!(
            "{} rows written to {}.",
            answer.rows.len(),
            path.display()
        ));
    }
    if let (Some(path), [user], [answer]) =
        (&args.chart, people.users.as_slice(), answers.as_slice())
    {
        let chart = chart_of(answer, user).context("there is no replayed day to draw")?;
        history::draw(&chart, path, output)?;
    }
    if let Some(path) = &args.report {
        std::fs::write(path, page(&answers).render()?)
            .with_context(|| format!("writing {}", path.display()))?;
        output.note(format_args!("Report: {}", path.display()));
    }
    let is_empty = answers.iter().all(|answer| answer.rows.is_empty());
    if output.is_json() {
        match answers.as_slice() {
            [one] => output.json(one)?,
            many => output.json(&many)?,
        }
        answers.clear();
    }
    for answer in &answers {
        if let ([user], None) = (people.users.as_slice(), &args.chart)
            && let Some(chart) = chart_of(answer, user)
        {
            history::show(&chart, output)?;
        }
        print(answer, output)?;
    }
    if is_empty {
        return Err(NoForecast.into());
    }
    Ok(())
}

/// Where the people that are finished are kept until the output is written.
fn unfinished_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".unfinished");
    name.into()
}

fn people(args: &BacktestArgs) -> anyhow::Result<BacktestPeople> {
    let everyone = args.users.iter().any(|user| user == EVERYONE);
    let users = if everyone { &[] } else { args.users.as_slice() };
    Ok(BacktestPeople {
        users: users
            .iter()
            .map(|user| UserId::new(user.as_str()).map_err(|error| UsageError(error.to_string())))
            .collect::<Result<_, _>>()?,
        fit_users: args.fit_users.clone(),
    })
}

/// The chart of the first model at the shortest horizon.
fn chart_of(answer: &ReplayAnswer, user: &UserId) -> Option<vitalcast::charts::HistoryChart> {
    let report = answer.reports.first()?;
    replay_chart(answer, user, report.model, report.horizon)
}

fn write(path: &Path, answer: &ReplayAnswer) -> anyhow::Result<()> {
    let rows: Vec<ForecastRow<'_>> = answer
        .rows
        .iter()
        .map(|row| ForecastRow {
            user_id: row.user_id.as_str(),
            target_date: row.target_date,
            horizon: row.horizon,
            model: row.model,
            observed: row.observed,
            forecast: row.forecast,
            intervals: &row.intervals,
            origin: row.origin,
        })
        .collect();
    Ok(write_forecasts(path, &answer.levels, &rows)?)
}

/// A column of the table of models.
struct Column {
    name: String,
    /// Whether it is only on the page, because a terminal is too narrow.
    on_page_only: bool,
    cell: Box<dyn Fn(&ModelReport) -> String>,
}

/// The columns of the table of models; the first one is text, the others are numbers.
fn columns(answer: &ReplayAnswer) -> Vec<Column> {
    fn column(name: impl Into<String>, cell: impl Fn(&ModelReport) -> String + 'static) -> Column {
        Column {
            name: name.into(),
            on_page_only: false,
            cell: Box::new(cell),
        }
    }
    fn on_page(name: &str, cell: impl Fn(&ModelReport) -> String + 'static) -> Column {
        Column {
            on_page_only: true,
            ..column(name, cell)
        }
    }
    let none = || "–".to_owned();
    let number = move |value: Option<f64>| value.map_or_else(none, |value| format!("{value:.2}"));
    let mut columns = vec![
        column("model", |report| report.model.replace('_', " ")),
        column("days", |report| report.scores.count.to_string()),
        column("MAE", |report| format!("{:.3}", report.scores.mae)),
        on_page("RMSE", |report| format!("{:.3}", report.scores.rmse)),
        on_page("MASE", move |report| number(report.scores.mase)),
        column("R²", move |report| number(report.scores.within_person_r2)),
        on_page("CRPS", |report| format!("{:.3}", report.scores.crps)),
    ];
    if answer
        .reports
        .iter()
        .any(|report| report.horizon != answer.reports[0].horizon)
    {
        columns.insert(1, column("ahead", |report| report.horizon.to_string()));
    }
    for level in answer.levels.clone() {
        columns.push(column(
            format!("{} held (width)", level_in_words(level)),
            move |report| {
                let score = report
                    .scores
                    .levels
                    .iter()
                    .find(|score| score.nominal == level);
                score.map_or_else(none, |score| {
                    format!("{:.1} ({:.2})", score.coverage * 100.0, score.mean_width)
                })
            },
        ));
    }
    columns.push(column("skill, %", move |report| {
        let against = report
            .against_baseline
            .as_ref()
            .map(|against| &against.comparison);
        let Some(skill) = against.and_then(|comparison| comparison.skill) else {
            return none();
        };
        let interval = against.and_then(|comparison| comparison.skill_interval);
        let interval = interval.map_or_else(String::new, |bounds| {
            format!(
                " ({:+.1} to {:+.1})",
                bounds.lower * 100.0,
                bounds.upper * 100.0
            )
        });
        format!("{:+.1}{interval}", skill * 100.0)
    }));
    columns.push(column("better for", move |report| {
        let against = report.against_baseline.as_ref();
        against.map_or_else(none, |against| {
            format!("{:.0} %", against.comparison.people_won * 100.0)
        })
    }));
    columns.push(on_page("p", move |report| {
        let against = report.against_baseline.as_ref();
        against
            .and_then(|against| against.comparison.p_better)
            .map_or_else(none, |p| format!("{p:.3}"))
    }));
    columns
}

/// Prints the table of models.
pub(crate) fn print(answer: &ReplayAnswer, output: &mut Output) -> anyhow::Result<()> {
    output.heading(&heading(answer))?;
    if !answer.reports.is_empty() {
        print_table(answer, output)?;
    }
    for (model, reason) in &answer.unanswered {
        output.note(format_args!(
            "No forecast by {}: {reason}",
            model.replace('_', " ")
        ));
    }
    for (user, reason) in &answer.left_out {
        output.note(format_args!("Not scored: {user}: {reason}"));
    }
    Ok(())
}

fn print_table(answer: &ReplayAnswer, output: &mut Output) -> anyhow::Result<()> {
    let mut shown = columns(answer);
    shown.retain(|column| !column.on_page_only);
    let columns: Vec<&str> = shown.iter().map(|column| column.name.as_str()).collect();
    let row = |report| shown.iter().map(|column| (column.cell)(report)).collect();
    let rows: Vec<Vec<String>> = answer.reports.iter().map(row).collect();
    let numbers: Vec<usize> = (1..columns.len()).collect();
    output.table(&columns, &rows, &numbers)?;
    for line in notes(answer) {
        output.line(line)?;
    }
    Ok(())
}

fn heading(answer: &ReplayAnswer) -> String {
    let people = if answer.people == 1 {
        "person"
    } else {
        "people"
    };
    format!(
        "{}, {}, {} {people}",
        answer.metric.title(),
        answer.unit,
        answer.people
    )
}

/// What the table means.
fn notes(answer: &ReplayAnswer) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(baseline) = answer.baseline {
        notes.push(format!(
            "skill = 1 − MAE / MAE of {}, the simple forecast that was best on the days before the scored \
             ones; its interval comes from resampling people. A negative skill means that the simple \
             forecast was better.",
            baseline.replace('_', " ")
        ));
    }
    notes.push(
        "MAE: mean absolute error. R²: share of the variation around each person's own mean that is \
         forecast. held (width): share of the days inside the interval, and its mean width."
            .to_owned(),
    );
    if answer.uses_population {
        notes.push(
            "The model of the release has learned from the people of LifeSnaps and T1D-UOM: scores of \
             these people say nothing about it."
                .to_owned(),
        );
    }
    let uses_pooled = || {
        let served = answer
            .choices
            .iter()
            .flat_map(|choice| choice.served.keys());
        let scored = answer.reports.iter().map(|report| &report.model);
        let pooled = ModelArchitecture::Pooled.as_str();
        served.chain(scored).any(|model| *model == pooled)
    };
    if answer.fit_people > 0 && uses_pooled() {
        notes.push(format!(
            "pooled: learned from {} people; of scored people only the days before the scored ones.",
            answer.fit_people
        ));
    }
    let mut served: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for (model, count) in answer.choices.iter().flat_map(|choice| &choice.served) {
        *served.entry(*model).or_default() += count;
    }
    // Where a model of many people was there, its errors stand beside those of the simple forecasts.
    let is_simple = !answer.choices.iter().any(|choice| {
        [
            ModelArchitecture::Pooled.as_str(),
            ReplayModel::Population.name(),
        ]
        .iter()
        .any(|model| choice.errors.contains_key(model) || choice.served.contains_key(model))
    });
    if !served.is_empty() {
        let served: Vec<String> = served
            .into_iter()
            .map(|(model, count)| format!("{} on {count}", model.replace('_', " ")))
            .collect();
        let what = if is_simple {
            "auto: simple forecasts, because no model of many people knows this metric"
        } else {
            "auto: what predict serves on each evening without a model of the person's own"
        };
        notes.push(format!("{what}; days by forecast: {}.", served.join(", ")));
    }
    notes
}

/// The report as a page that opens without a network.
fn page(answers: &[ReplayAnswer]) -> HtmlReport {
    let mut report = HtmlReport::new(
        "Backtest",
        "Forecasts of past days, each with what was known on the evening before",
    );
    for answer in answers {
        let mut section = Section::new(heading(answer));
        if let Some(chart) = replay_skill_chart(answer) {
            section = section.with(Block::Skill(chart));
        }
        let shown = columns(answer);
        let row = |report| {
            shown
                .iter()
                .map(|column| Some((column.cell)(report)))
                .collect()
        };
        let alignment = |place| {
            if place == 0 {
                Alignment::Text
            } else {
                Alignment::Number
            }
        };
        section = section.with(Block::Table(Table {
            caption: "Models".to_owned(),
            columns: shown
                .iter()
                .enumerate()
                .map(|(place, column)| (column.name.clone(), alignment(place)))
                .collect(),
            rows: answer.reports.iter().map(row).collect(),
        }));
        for note in notes(answer) {
            section = section.with_paragraph(note);
        }
        // The people with most scored days, to be looked at.
        let mut days: std::collections::BTreeMap<&UserId, usize> =
            std::collections::BTreeMap::new();
        for row in &answer.rows {
            *days.entry(&row.user_id).or_default() += 1;
        }
        let mut people: Vec<(&UserId, usize)> = days.into_iter().collect();
        people.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (user, _) in people.into_iter().take(DRAWN_PEOPLE) {
            if let Some(chart) = chart_of(answer, user) {
                section = section.with(Block::History(chart));
            }
        }
        report = report.with(section);
    }
    report
}

/// People whose days are drawn.
const DRAWN_PEOPLE: usize = 3;
