//! `vitalcast counterfactual`.

use crate::args::{CounterfactualArgs, Global};
use crate::commands::correlate::{terminal_options, typeset, write_page};
use crate::commands::what_if::draw;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::bail;
use vitalcast::charts::{Block, HtmlReport, Section, WhatIfChart};
use vitalcast::{
    Counterfactual, CounterfactualRequest, CounterfactualResponse, CounterfactualTarget,
    counterfactual_chart, with_unit,
};

pub(crate) fn run(
    args: &CounterfactualArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    let engine = global.engine()?;
    let now = global.now();
    let target_date = match args.date {
        Some(date) => date,
        None => engine.next_day(&args.user, now)?,
    };
    let target_type = match (args.smallest, args.target) {
        (true, _) => CounterfactualTarget::MinimizeChange,
        (false, Some(_)) => CounterfactualTarget::TargetValue,
        (false, None) => CounterfactualTarget::Improve,
    };
    let request = CounterfactualRequest {
        target_type,
        target_value: args.target,
        max_changes: args.max_changes,
        allowed_features: (!args.allow.is_empty()).then(|| args.allow.clone()),
        model_version: args.model_version.clone(),
        architecture: args.architecture,
        ..CounterfactualRequest::new(args.user.clone(), args.metric, target_date)
    };
    request
        .validate()
        .map_err(|error| UsageError(error.to_string()))?;
    let answer = engine.counterfactual(&request, now)?;
    let chart = counterfactual_chart(&answer);
    if let Some(path) = &args.chart {
        let Some(chart) = &chart else {
            bail!(UsageError(format!(
                "nothing to draw: {}",
                answer.counterfactual.summary
            )));
        };
        draw(chart, path, output)?;
    }
    if let Some(path) = &args.report {
        write_page(path, &report(&answer, chart.clone()), output)?;
    }
    if output.is_json() {
        output.json(&answer)
    } else {
        print(&answer, chart.as_ref(), output)
    }
}

const COLUMNS: [&str; 6] = ["answer", "change", "from", "to", "expected", "plausible"];

fn rows(answer: &CounterfactualResponse) -> Vec<Vec<String>> {
    let all = std::iter::once(&answer.counterfactual).chain(&answer.alternatives);
    let mut rows = Vec::new();
    for (place, one) in all.enumerate() {
        for (row, change) in one.changes.iter().enumerate() {
            let only_first = |text: String| if row == 0 { text } else { String::new() };
            rows.push(vec![
                only_first(format!("{}", place + 1)),
                change.feature_name.clone(),
                change.current_value.map_or_else(|| "–".to_owned(), number),
                number(change.suggested_value),
                only_first(expected(answer, one)),
                only_first(format!("{:.0} %", 100.0 * one.plausibility_score)),
            ]);
        }
    }
    rows
}

/// A value with as many digits as matter; its unit is that of the feature.
fn number(value: f64) -> String {
    if value.abs() < 100.0 && value.fract() != 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.0}")
    }
}

fn expected(answer: &CounterfactualResponse, one: &Counterfactual) -> String {
    let reached = if one.is_reached { "" } else { " (not reached)" };
    let shown = with_unit(answer.metric, one.achieved_prediction);
    format!("{shown}{reached}")
}

fn heading(answer: &CounterfactualResponse) -> String {
    format!(
        "What would bring {} of {} on {} from {} to {}",
        answer.metric.title(),
        answer.user_id,
        answer.target_date,
        with_unit(answer.metric, answer.current_prediction),
        with_unit(answer.metric, answer.target_prediction)
    )
}

const LEGEND: &str =
    "plausible: the share of your last 90 days that are at least as unusual as the changed day.";

fn print(
    answer: &CounterfactualResponse,
    chart: Option<&WhatIfChart>,
    output: &mut Output,
) -> anyhow::Result<()> {
    output.heading(&heading(answer))?;
    if let Some(chart) = chart {
        output.line(chart.terminal(terminal_options())?)?;
        output.table(&COLUMNS, &rows(answer), &[2, 3, 4, 5])?;
        output.line(LEGEND)?;
    }
    output.line(&answer.counterfactual.summary)?;
    for warning in &answer.warnings {
        output.line(format_args!("Note: {warning}."))?;
    }
    output.line(&answer.association)
}

fn report(answer: &CounterfactualResponse, chart: Option<WhatIfChart>) -> HtmlReport {
    let subtitle = format!("model {} ({})", answer.model_id, answer.architecture);
    let mut section =
        Section::new(heading(answer)).with(Block::Note(answer.counterfactual.summary.clone()));
    if let Some(chart) = chart {
        let caption = format!("Changes of {}", answer.changed_day);
        section = section
            .with(Block::WhatIf(chart))
            .with(Block::Table(typeset(caption, &COLUMNS, 2, rows(answer))))
            .with_paragraph(LEGEND);
    }
    for warning in &answer.warnings {
        section = section.with_paragraph(format!("Note: {warning}."));
    }
    section = section.with_paragraph(answer.association.clone());
    HtmlReport::new(
        format!("What would change it: {}", answer.user_id),
        subtitle,
    )
    .with(section)
}
