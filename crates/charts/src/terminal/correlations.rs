//! Heat maps and lags in a terminal.

use std::fmt::Write as _;

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
};
use crate::{
    heat_map::{HeatMap, written},
    lags::LagChart,
    text::columns,
};

/// Columns of a number with sign, star and a space: ` +0.50*`.
const NUMBER: usize = 7;

fn heading(title: &str, subtitle: &str, options: TerminalOptions) -> String {
    let mut text = String::new();
    for (line, paint) in [(title, Paint::Strong), (subtitle, Paint::Muted)] {
        let line = options.fitted(line, options.width as usize);
        if !line.trim().is_empty() {
            text.push_str(&painted(line.trim_end(), paint, options.colour));
            text.push('\n');
        }
    }
    text
}

/// Blue below 0, orange above; only what stands out has a colour.
fn paint_of(value: f64, stands_out: bool) -> Paint {
    match (stands_out, value < 0.0) {
        (false, _) => Paint::Plain,
        (true, true) => Paint::Reading,
        (true, false) => Paint::Forecast,
    }
}

/// Write a checked heat map.
pub(crate) fn heat_map(map: &HeatMap, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = heading(&map.title, &map.subtitle, options);
    // Columns that do not fit are left out, and that is said.
    let least_label = width / 3;
    let shown = ((width - least_label) / (NUMBER + 1)).clamp(1, map.columns.len());
    let column = ((width - least_label) / shown).clamp(NUMBER + 1, 12);
    let label_room = width - shown * column;
    let widest = map
        .rows
        .iter()
        .map(|row| columns(&options.fitted(&row.label, label_room)))
        .max()
        .unwrap_or(0);
    let padded = |content: &str| {
        let fitted = options.fitted(content, column - 1);
        format!("{}{fitted}", " ".repeat(column - columns(&fitted)))
    };
    text.push_str(&" ".repeat(widest));
    for name in map.columns.iter().take(shown) {
        text.push_str(&painted(&padded(name), Paint::Muted, options.colour));
    }
    text.push('\n');
    for row in &map.rows {
        let label = options.fitted(&row.label, widest);
        text.push_str(&label);
        text.push_str(&" ".repeat(widest - columns(&label)));
        for cell in row.cells.iter().take(shown) {
            let (content, paint) = match cell {
                None => ("\u{2013} ".to_owned(), Paint::Muted),
                Some(cell) => {
                    let space = if cell.stands_out { "" } else { " " };
                    let number = format!("{}{space}", written(cell.value, cell.stands_out));
                    (number, paint_of(cell.value, cell.stands_out))
                }
            };
            text.push_str(&painted(&padded(&content), paint, options.colour));
        }
        text.truncate(text.trim_end_matches(' ').len());
        text.push('\n');
    }
    let left_out = map.columns.len() - shown;
    if left_out > 0 {
        writeln!(text, "({left_out} more columns need a wider terminal)")
            .expect("a string takes any text");
    }
    text
}

/// Write checked lags: one line each, a bar to the left or right of zero.
pub(crate) fn lags(chart: &LagChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = heading(&chart.title, &chart.subtitle, options);
    let labels: Vec<String> = chart
        .points
        .iter()
        .map(|point| chart.write_lag(point.lag))
        .collect();
    let widest = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
    let intervals = width >= 60;
    let interval_room = if intervals { 17 } else { 0 };
    let half = (width.saturating_sub(widest + 2 + 2 + NUMBER + interval_room) / 2).clamp(4, 24);
    let (full, axis) = if options.ascii {
        ("#", "|")
    } else {
        ("█", "│")
    };
    for (point, label) in chart.points.iter().zip(&labels) {
        let length = (point.correlation.abs() * half as f64).round() as usize;
        let length = length.min(half);
        let (left, right) = if point.correlation < 0.0 {
            (length, 0)
        } else {
            (0, length)
        };
        let bar = format!(
            "{}{}{axis}{}{}",
            " ".repeat(half - left),
            full.repeat(left),
            full.repeat(right),
            " ".repeat(half - right)
        );
        let paint = paint_of(point.correlation, point.stands_out);
        let number = options.speakable(&written(point.correlation, point.stands_out));
        let mut line = format!(
            "{}{label}  {} {number}",
            " ".repeat(widest - columns(label)),
            painted(&bar, paint, options.colour)
        );
        if intervals {
            let gap = " ".repeat(NUMBER - columns(&number));
            let interval = format!(
                "{gap}{} to {}",
                written(point.lower, false),
                written(point.upper, false)
            );
            let interval = options.speakable(&interval);
            line.push_str(&painted(&interval, Paint::Muted, options.colour));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let verdict = options.fitted(&chart.verdict(), width);
    if !verdict.is_empty() {
        writeln!(text, "{verdict}").expect("a string takes any text");
    }
    text
}
