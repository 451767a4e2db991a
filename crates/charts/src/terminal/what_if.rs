//! Forecasts before and after a change, in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    push_heading, push_sentence,
    rows::{Row, Scale, push_rows, put_behind},
};
use crate::what_if::{Change, WhatIfChart};

/// Write a checked chart: a line for the baseline and for each scenario.
pub(crate) fn what_if(chart: &WhatIfChart, options: TerminalOptions) -> String {
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let unit = chart.shown_unit();
    let bars: Vec<_> = chart.bars().collect();
    let paint_of = |change: Change| match change {
        Change::WithinNoise => Paint::Plain,
        Change::Better => Paint::Reading,
        Change::Worse => Paint::Forecast,
    };
    let rows: Vec<Row> = bars
        .iter()
        .enumerate()
        .map(|(index, bar)| {
            let range = unit.write_range(bar.lower, bar.upper);
            let (number, paint) = if index == 0 {
                (unit.write(bar.value), Paint::Strong)
            } else {
                let change = chart.change(bar);
                let sign = match (change, options.ascii) {
                    (Change::WithinNoise, _) => "=",
                    (Change::Better, false) => "✓",
                    (Change::Better, true) => "*",
                    (Change::Worse, false) => "✗",
                    (Change::Worse, true) => "!",
                };
                let number = format!("{sign} {}", chart.number(bar, &unit));
                (number, paint_of(change))
            };
            Row {
                mark: if index == 0 { options.pointer() } else { ' ' },
                label: format!("{} [{range}]", crate::text::clean(&bar.label)),
                number,
                paint,
            }
        })
        .collect();
    let scale = Scale::new(chart.extremes());
    let base = chart.baseline.value;
    push_rows(&mut text, &rows, options, |index, room| {
        let bar = bars[index];
        let (dot, line, level) = if options.ascii {
            ('@', '-', '|')
        } else {
            ('●', '─', '│')
        };
        let mut marks = vec![(' ', Paint::Plain); room];
        let (from, at) = (scale.column(base, room), scale.column(bar.value, room));
        let change = chart.change(bar);
        let paint = paint_of(change);
        if index == 0 {
            marks[at] = (dot, Paint::Strong);
        } else if change == Change::WithinNoise || at == from {
            marks[at] = (if options.ascii { 'o' } else { '○' }, paint);
        } else {
            let (full, ends) = if options.ascii {
                ('=', ['<', '>'])
            } else {
                ('━', ['◀', '▶'])
            };
            marks[at.min(from)..=at.max(from)].fill((full, paint));
            marks[at] = (ends[usize::from(at > from)], paint);
        }
        let (first, last) = (scale.column(bar.lower, room), scale.column(bar.upper, room));
        for column in first..=last {
            put_behind(&mut marks, column, line, Paint::Muted);
        }
        put_behind(&mut marks, from, level, Paint::Muted);
        marks
    });
    let legend = match (options.ascii, chart.better_is_lower) {
        (false, true) => "✓ better (lower)   ✗ worse   = within the usual error",
        (false, false) => "✓ better (higher)   ✗ worse   = within the usual error",
        (true, true) => "* better (lower)   ! worse   = within the usual error",
        (true, false) => "* better (higher)   ! worse   = within the usual error",
    };
    super::push_muted(&mut text, legend, options);
    push_sentence(&mut text, &chart.verdict(), options);
    text
}
