//! The forecast at each value of a feature, in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    plot::{Plot, joined, legend_lines},
    push_heading, push_sentence,
};
use crate::{dependence::DependenceChart, text::wrap_columns};

/// Write a checked chart.
pub(crate) fn dependence(chart: &DependenceChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let (day, current, line) = if options.ascii {
        ('o', '@', "**")
    } else {
        ('○', '●', "⠒⠒")
    };
    let mut entries = vec![format!("{line} expected value")];
    if !chart.points.is_empty() {
        entries.push(format!("{day} your days"));
    }
    if chart.current.is_some() {
        entries.push(format!("{current} this day"));
    }
    entries.push(format!("across: {}", options.speakable(&chart.x_title())));
    let legend = legend_lines(&entries, options);
    let verdict = wrap_columns(&chart.verdict(), width, options.ellipsis()).len();
    // Two lines belong to the axis of the feature.
    let used = text.lines().count() + legend.len() + verdict + 2;
    let rows = (options.height as usize).saturating_sub(used).max(4);
    let x_axis = chart.x_axis((width / 14).clamp(2, 8));
    let ends = (x_axis.low, x_axis.high);
    let mut plot = Plot::of_numbers(chart.extremes(), &chart.unit, (width, rows), ends, options);
    let Plot { canvas, place, .. } = &mut plot;
    for (x, value) in &chart.points {
        let cell = canvas.cell_of(place.at(*x, *value));
        canvas.put(cell, day, Paint::Muted);
    }
    let mut previous = None;
    for (x, value) in &chart.line {
        let dot = place.at(*x, *value);
        canvas.line(previous.unwrap_or(dot), dot);
        previous = Some(dot);
    }
    if let Some((x, value)) = chart.current {
        let cell = canvas.cell_of(place.at(x, value));
        canvas.put(cell, current, Paint::Forecast);
    }
    let mut lines = plot.lines(options);
    lines.extend(plot.number_lines(&x_axis, options));
    lines.extend(legend);
    text.push_str(&joined(&lines));
    push_sentence(&mut text, &chart.verdict(), options);
    text
}
