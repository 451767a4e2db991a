//! `vitalcast what-if`.

use crate::args::{Global, WhatIfArgs};
use crate::commands::correlate::{terminal_options, typeset, write_page};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use chrono::NaiveDate;
use std::path::Path;
use vitalcast::charts::{Block, HtmlReport, PictureSize, Section, WhatIfChart};
use vitalcast::{
    AppliedChange, PredictionMetric, ScenarioResult, WhatIfRequest, WhatIfResponse, WhatIfScenario,
    what_if_chart, with_unit,
};

pub(crate) fn run(args: &WhatIfArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    let target = match args.date {
        Some(date) => date,
        None => engine.next_day(&args.user, now)?,
    };
    let request = WhatIfRequest {
        model_version: args.model_version.clone(),
        architecture: args.architecture,
        ..WhatIfRequest::new(
            args.user.clone(),
            args.metric,
            target,
            scenarios(args, target)?,
        )
    };
    request
        .validate()
        .map_err(|error| UsageError(error.to_string()))?;
    let answer = engine.what_if(&request, now)?;
    let chart = what_if_chart(&answer);
    if let Some(path) = &args.chart {
        draw(&chart, path, output)?;
    }
    if let Some(path) = &args.report {
        write_page(path, &report(&answer, chart.clone()), output)?;
    }
    if output.is_json() {
        output.json(&answer)
    } else {
        print(&answer, &chart, output)
    }
}

/// Draws scenarios into a file.
pub(crate) fn draw(chart: &WhatIfChart, path: &Path, output: &mut Output) -> anyhow::Result<()> {
    let size = PictureSize {
        height: chart.natural_height(),
        ..PictureSize::default()
    };
    draw_with(path, output, || chart.svg(size), || chart.png(size))
}

/// What the options ask for: one scenario of all single changes, and those with names.
fn scenarios(args: &WhatIfArgs, target: NaiveDate) -> anyhow::Result<Vec<WhatIfScenario>> {
    let Some(day) = target.pred_opt() else {
        bail!(UsageError(format!("{target} has no day before it")));
    };
    let meals = args.meal.iter().enumerate();
    let workouts = args.workout.iter().enumerate();
    let added: Vec<_> = meals
        .map(|(place, meal)| meal.on(day, place + 1))
        .chain(workouts.map(|(place, workout)| workout.on(day, place + 1)))
        .collect();
    let mut scenarios = Vec::new();
    if !args.set.is_empty() || !added.is_empty() {
        scenarios.push(WhatIfScenario {
            scenario_name: "what if".to_owned(),
            changes: args.set.clone(),
            added,
        });
    }
    for (name, changes) in &args.scenario {
        scenarios.push(WhatIfScenario {
            scenario_name: name.clone(),
            changes: changes.clone(),
            added: Vec::new(),
        });
    }
    if scenarios.is_empty() {
        bail!(UsageError(
            "nothing to change: name a value with --set, for example --set activity_steps_daily=12000"
                .to_owned()
        ));
    }
    Ok(scenarios)
}

const SCENARIOS: [&str; 4] = ["scenario", "expected", "difference", "interval"];
const CHANGES: [&str; 6] = ["scenario", "change", "from", "to", "alone", "note"];

fn signed(metric: PredictionMetric, value: f64) -> String {
    let shown = with_unit(metric, value.abs());
    if value < 0.0 {
        format!("-{shown}")
    } else {
        format!("+{shown}")
    }
}

fn scenario_rows(answer: &WhatIfResponse) -> Vec<Vec<String>> {
    let metric = answer.metric;
    let interval = |lower, upper| {
        format!(
            "{} to {}",
            with_unit(metric, lower),
            with_unit(metric, upper)
        )
    };
    let mut rows = vec![vec![
        "as it is".to_owned(),
        with_unit(metric, answer.baseline_prediction),
        String::new(),
        interval(answer.baseline_lower, answer.baseline_upper),
    ]];
    rows.extend(answer.scenarios.iter().map(|one| {
        let noise = if one.is_within_noise {
            " (within the usual error)"
        } else {
            ""
        };
        vec![
            one.scenario_name.clone(),
            with_unit(metric, one.predicted_value),
            format!("{}{noise}", signed(metric, one.change_from_baseline)),
            interval(one.confidence_interval_lower, one.confidence_interval_upper),
        ]
    }));
    rows
}

/// A value of the day with as many digits as matter.
fn value(value: Option<f64>, unit: &str) -> String {
    match value {
        None => "–".to_owned(),
        Some(value) if unit == "h" => format!("{value:.2} {unit}"),
        Some(value) => format!("{value:.0} {unit}").trim_end().to_owned(),
    }
}

fn change_rows(metric: PredictionMetric, scenario: &ScenarioResult) -> Vec<Vec<String>> {
    let row = |change: &AppliedChange| {
        vec![
            scenario.scenario_name.clone(),
            change.feature_name.clone(),
            value(change.current_value, &change.unit),
            value(change.new_value, &change.unit),
            signed(metric, change.effect),
            change.notes.join("; "),
        ]
    };
    scenario.changes.iter().map(row).collect()
}

fn all_changes(answer: &WhatIfResponse) -> Vec<Vec<String>> {
    let rows = answer.scenarios.iter();
    rows.flat_map(|scenario| change_rows(answer.metric, scenario))
        .collect()
}

fn heading(answer: &WhatIfResponse) -> String {
    format!(
        "What if: {} of {} on {}",
        answer.metric.title(),
        answer.user_id,
        answer.target_date
    )
}

fn print(answer: &WhatIfResponse, chart: &WhatIfChart, output: &mut Output) -> anyhow::Result<()> {
    output.heading(&heading(answer))?;
    output.line(chart.terminal(terminal_options())?)?;
    output.table(&SCENARIOS, &scenario_rows(answer), &[1, 2, 3])?;
    output.line(format_args!("Changes of {}:", answer.changed_day))?;
    output.table(&CHANGES, &all_changes(answer), &[2, 3, 4])?;
    output.line(&answer.summary)?;
    output.line(&answer.recommendation)?;
    for warning in &answer.warnings {
        output.line(format_args!("Note: {warning}."))?;
    }
    output.line(&answer.association)
}

fn report(answer: &WhatIfResponse, chart: WhatIfChart) -> HtmlReport {
    let subtitle = format!(
        "{} of {}, model {} ({})",
        answer.metric.title(),
        answer.user_id,
        answer.model_id,
        answer.architecture
    );
    let section = Section::new(heading(answer)).with(Block::Note(answer.summary.clone()));
    let mut section = section
        .with(Block::WhatIf(chart))
        .with(Block::Table(typeset(
            "Expected values".to_owned(),
            &SCENARIOS,
            1,
            scenario_rows(answer),
        )))
        .with(Block::Table(typeset(
            format!("Changes of {}", answer.changed_day),
            &CHANGES,
            2,
            all_changes(answer),
        )))
        .with_paragraph(answer.recommendation.clone());
    for warning in &answer.warnings {
        section = section.with_paragraph(format!("Note: {warning}."));
    }
    section = section.with_paragraph(answer.association.clone());
    HtmlReport::new(format!("What if: {}", answer.user_id), subtitle).with(section)
}
