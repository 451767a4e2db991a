//! `vitalcast correlate`.

use crate::args::{CorrelateArgs, Global};
use crate::commands::history::draw_with;
use crate::exit::UsageError;
use crate::output::Output;
use anyhow::{Context, bail};
use chrono::{DateTime, NaiveDate, Utc};
use std::path::Path;
use vitalcast::charts::{
    Alignment, Block, HtmlReport, PictureSize, Section, Table, TerminalOptions,
};
use vitalcast::{
    Correlation, CorrelationRequest, CorrelationResponse, Engine, Pairing, UserId, heat_map,
    significance_sentence,
};

/// Rows of a table in the report.
const REPORT_ROWS: usize = 25;

pub(crate) fn run(
    args: &CorrelateArgs,
    global: &Global,
    output: &mut Output,
) -> anyhow::Result<()> {
    if args.chart.is_some() && args.metric.len() != 1 {
        bail!(UsageError("--chart needs exactly one metric".to_owned()));
    }
    let engine = global.engine()?;
    let now = global.now();
    let last_day = last_day(&engine, &args.user, args.last_day, now)?;
    let request = |metric| CorrelationRequest {
        methods: args.method.clone(),
        lookback_days: args.days,
        significance_threshold: args.significance,
        min_correlation: args.min_correlation,
        top_k: args.top,
        pairing: if args.same_day {
            Pairing::SameDay
        } else {
            Pairing::NextDay
        },
        last_day: Some(last_day),
        include_insignificant: args.all,
        ..CorrelationRequest::new(args.user.clone(), metric)
    };
    let mut answers = Vec::new();
    let mut whole = Vec::new();
    for metric in &args.metric {
        answers.push(engine.correlate(&request(*metric), now)?);
        // Charts and the report also show correlations that are not significant.
        let everything = CorrelationRequest {
            include_insignificant: true,
            top_k: 1_000,
            ..request(*metric)
        };
        whole.push(engine.correlate(&everything, now)?);
    }
    if let (Some(path), [answer]) = (&args.chart, whole.as_slice()) {
        let Some(map) = heat_map(answer, answer) else {
            bail!(UsageError(format!("nothing to draw: {}", answer.summary)));
        };
        let size = PictureSize {
            height: map.natural_height(),
            ..PictureSize::default()
        };
        draw_with(path, output, || map.svg(size), || map.png(size))?;
    }
    if let Some(path) = &args.report {
        let page = report(&args.user, &answers, &whole, args.significance);
        write_page(path, &page, output)?;
    }
    if output.is_json() {
        return match answers.as_slice() {
            [one] => output.json(one),
            many => output.json(&many),
        };
    }
    for (answer, whole) in answers.iter().zip(&whole) {
        print(answer, whole, args.significance, output)?;
    }
    Ok(())
}

/// Writes a page into a file.
pub(crate) fn write_page(
    path: &Path,
    page: &HtmlReport,
    output: &mut Output,
) -> anyhow::Result<()> {
    if path.extension().and_then(|ending| ending.to_str()) != Some("html") {
        bail!(UsageError(format!(
            "cannot write {}: the name must end in .html",
            path.display()
        )));
    }
    std::fs::write(path, page.render()?).with_context(|| format!("writing {}", path.display()))?;
    output.note(format_args!("Saved to {}.", path.display()));
    Ok(())
}

/// The day asked for, or the last one with data.
pub(crate) fn last_day(
    engine: &Engine,
    user: &UserId,
    asked: Option<NaiveDate>,
    now: DateTime<Utc>,
) -> anyhow::Result<NaiveDate> {
    // Also when a day was asked for, so that an unknown name is told.
    let next = engine.next_day(user, now)?;
    Ok(asked.or_else(|| next.pred_opt()).unwrap_or(next))
}

/// Options for charts in this terminal.
pub(crate) fn terminal_options() -> TerminalOptions {
    TerminalOptions {
        width: crate::output::width(),
        colour: crate::output::stdout_wants_colour(),
        ..TerminalOptions::default()
    }
}

/// A p value with as many digits as matter.
fn p_value(value: f64) -> String {
    if value < 0.0001 {
        "< 0.0001".to_owned()
    } else {
        format!("{value:.4}")
    }
}

const COLUMNS: [&str; 9] = [
    "feature",
    "method",
    "correlation",
    "95 % interval",
    "raw p",
    "p",
    "partial",
    "days",
    "effect",
];

/// The common cells of all tables of correlations: correlation, interval, raw p and p.
pub(crate) fn figures(
    correlation: f64,
    stands_out: bool,
    (lower, upper): (f64, f64),
    raw_p_value: f64,
    corrected: f64,
) -> [String; 4] {
    let star = if stands_out { " *" } else { "" };
    [
        format!("{correlation:+.2}{star}"),
        format!("{lower:+.2} to {upper:+.2}"),
        p_value(raw_p_value),
        p_value(corrected),
    ]
}

fn row(one: &Correlation, unit: &str) -> Vec<String> {
    let interval = (one.confidence_interval_lower, one.confidence_interval_upper);
    let mut row = vec![one.feature_name.clone(), one.method.to_string()];
    row.extend(figures(
        one.correlation,
        one.is_significant,
        interval,
        one.raw_p_value,
        one.p_value,
    ));
    row.extend([
        one.partial_correlation
            .map_or_else(|| "–".to_owned(), |partial| format!("{partial:+.2}")),
        format!("{} ({:.0})", one.sample_size, one.effective_sample_size),
        one.effect
            .map_or_else(|| "–".to_owned(), |effect| format!("{effect:+.2} {unit}")),
    ]);
    row
}

/// Hyphens that stand before a number, not within a date, as minus signs.
fn with_minus_signs(cell: &str) -> String {
    let mut before = ' ';
    let signed = |letter: char| {
        let is_sign = letter == '-' && !before.is_alphanumeric();
        before = letter;
        if is_sign { '−' } else { letter }
    };
    cell.chars().map(signed).collect()
}

/// A table for a page, its first columns text and the rest numbers, with minus signs for their
/// hyphens.
pub(crate) fn typeset(
    caption: String,
    columns: &[&str],
    text_columns: usize,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Table {
    let cell = |(index, cell): (usize, String)| {
        Some(if index < text_columns {
            cell
        } else {
            with_minus_signs(&cell)
        })
    };
    let alignment = |index| {
        if index < text_columns {
            Alignment::Text
        } else {
            Alignment::Number
        }
    };
    Table {
        caption,
        columns: columns
            .iter()
            .enumerate()
            .map(|(index, name)| ((*name).to_owned(), alignment(index)))
            .collect(),
        rows: rows
            .into_iter()
            .map(|row| row.into_iter().enumerate().map(cell).collect())
            .collect(),
    }
}

const LEGEND: &str = "p: corrected for autocorrelation and for the number of tests; raw p: not \
    corrected; partial: correlation controlled for the weekday and for the metric on the day \
    before; days: pairs of days (effective sample size); effect: change of the metric from the \
    10th to the 90th percentile of the feature, or from no to yes of a tag; *: significant.";

fn print(
    answer: &CorrelationResponse,
    whole: &CorrelationResponse,
    threshold: f64,
    output: &mut Output,
) -> anyhow::Result<()> {
    output.heading(&format!(
        "Correlations with {} of {}, {} to {}",
        answer.target_metric.title(),
        answer.user_id,
        answer.first_day,
        answer.last_day
    ))?;
    if let Some(map) = heat_map(answer, whole) {
        output.line(map.terminal(terminal_options())?)?;
        let unit = answer.target_metric.unit_label();
        let rows: Vec<Vec<String>> = answer
            .correlations
            .iter()
            .map(|one| row(one, unit))
            .collect();
        output.table(&COLUMNS, &rows, &[2, 3, 4, 5, 6, 7, 8])?;
        output.line(LEGEND)?;
    }
    output.line(&answer.summary)?;
    if whole.tests > 0 {
        output.line(significance_sentence(whole, threshold))?;
    }
    if let Some(warning) = &answer.warning
        && answer.tests > 0
    {
        output.note(warning);
    }
    Ok(())
}

fn report(
    user: &UserId,
    answers: &[CorrelationResponse],
    whole: &[CorrelationResponse],
    threshold: f64,
) -> HtmlReport {
    let span = answers
        .first()
        .map(|answer| format!("{} to {}", answer.first_day, answer.last_day))
        .unwrap_or_default();
    let mut page = HtmlReport::new(format!("Correlations: {user}"), span);
    for (answer, whole) in answers.iter().zip(whole) {
        let mut section =
            Section::new(answer.target_metric.title()).with(Block::Note(answer.summary.clone()));
        if whole.tests > 0 {
            section = section.with_paragraph(significance_sentence(whole, threshold));
        }
        if let Some(map) = heat_map(whole, whole) {
            section = section.with(Block::HeatMap(map));
            let unit = answer.target_metric.unit_label();
            let strongest = whole.correlations.iter().take(REPORT_ROWS);
            section = section
                .with(Block::Table(typeset(
                    "Significant correlations first, then the strongest others".to_owned(),
                    &COLUMNS,
                    2,
                    strongest.map(|one| row(one, unit)),
                )))
                .with_paragraph(LEGEND);
        }
        page = page.with(section);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::with_minus_signs;

    #[test]
    fn a_date_had_minus_signs_on_a_page() {
        for (cell, shown) in [
            ("2025-12-21", "2025-12-21"),
            ("-0.25 to -0.10", "−0.25 to −0.10"),
            ("(-3)", "(−3)"),
            ("+0.5", "+0.5"),
        ] {
            assert_eq!(with_minus_signs(cell), shown);
        }
    }
}
