//! How much forecasts depend on each feature, in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    push_heading, push_sentence,
    rows::{Row, Scale, push_rows, put_behind},
};
use crate::importance::ImportanceChart;

/// Write a checked chart: a line for each row.
pub(crate) fn importance(chart: &ImportanceChart, options: TerminalOptions) -> String {
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let unit = chart.shown_unit();
    let rows: Vec<Row> = chart
        .rows
        .iter()
        .map(|row| {
            let note = crate::text::clean(&row.note);
            let label = if note.trim().is_empty() {
                row.label.clone()
            } else {
                format!("{} ({note})", row.label)
            };
            let interval = row.interval().map_or_else(String::new, |(lower, upper)| {
                format!(
                    " [{} to {}]",
                    unit.write_number(lower),
                    unit.write_number(upper)
                )
            });
            Row {
                mark: ' ',
                label,
                number: format!("{}{interval}", unit.write(row.value)),
                paint: Paint::Plain,
            }
        })
        .collect();
    let scale = Scale::new(chart.extremes());
    push_rows(&mut text, &rows, options, |index, room| {
        let row = &chart.rows[index];
        let paint = if row.is_clear() {
            Paint::Reading
        } else {
            Paint::Muted
        };
        let mut marks = scale.bar((0.0, row.value), room, paint, options.ascii);
        let (line, end) = if options.ascii {
            ('-', '|')
        } else {
            ('─', '│')
        };
        if let Some((lower, upper)) = row.interval() {
            let (first, last) = (scale.column(lower, room), scale.column(upper, room));
            for column in first..=last {
                put_behind(&mut marks, column, line, Paint::Muted);
            }
        }
        put_behind(&mut marks, scale.column(0.0, room), end, Paint::Muted);
        marks
    });
    push_sentence(&mut text, &chart.verdict(), options);
    text
}
