//! How a forecast comes about, in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    push_heading, push_sentence,
    rows::{Row, Scale, push_rows},
};
use crate::waterfall::WaterfallChart;

/// Write a checked chart: a line for the base, for each part and for the value.
pub(crate) fn waterfall(chart: &WaterfallChart, options: TerminalOptions) -> String {
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let steps = chart.steps();
    let words = chart.rows();
    let last = words.len() - 1;
    let rows: Vec<Row> = words
        .into_iter()
        .enumerate()
        .map(|(index, words)| {
            let note = crate::text::clean(&words.note);
            let label = if note.trim().is_empty() {
                words.label
            } else {
                format!("{} ({note})", words.label)
            };
            let paint = match index.checked_sub(1).and_then(|step| steps.get(step)) {
                Some(step) => paint_of(step.amount),
                None => Paint::Strong,
            };
            Row {
                mark: if index == last {
                    options.pointer()
                } else {
                    ' '
                },
                label,
                number: words.number,
                paint,
            }
        })
        .collect();
    let scale = Scale::new(chart.extremes());
    push_rows(&mut text, &rows, options, |index, room| {
        let step = index.checked_sub(1).and_then(|step| steps.get(step));
        let Some(step) = step else {
            let value = if index == 0 { chart.base } else { chart.value };
            let mut marks = vec![(' ', Paint::Plain); room];
            let sign = match (index == 0, options.ascii) {
                (true, false) => '○',
                (false, false) => '●',
                (true, true) => 'o',
                (false, true) => '@',
            };
            marks[scale.column(value, room)] = (sign, Paint::Strong);
            return marks;
        };
        let paint = paint_of(step.amount);
        let mut marks = scale.bar((step.from, step.to), room, paint, options.ascii);
        // The end of an arrow, so that its direction does not rest on colour alone.
        let is_long = marks.iter().filter(|mark| mark.0 != ' ').count() > 1;
        let end = if step.amount < 0.0 {
            marks.iter().position(|mark| mark.0 != ' ')
        } else {
            marks.iter().rposition(|mark| mark.0 != ' ')
        };
        if let Some(end) = end.filter(|_| is_long) {
            marks[end].0 = match (step.amount < 0.0, options.ascii) {
                (true, false) => '◀',
                (false, false) => '▶',
                (true, true) => '<',
                (false, true) => '>',
            };
        }
        marks
    });
    push_sentence(&mut text, &chart.verdict(), options);
    text
}

fn paint_of(amount: f64) -> Paint {
    if amount < 0.0 {
        Paint::Reading
    } else {
        Paint::Forecast
    }
}
