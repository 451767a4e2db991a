//! Shares of attention by day, in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    plot::{Plot, joined},
    push_heading, push_sentence,
};
use crate::{attention::AttentionChart, unit::Unit};

/// The highest plot: shares need no fine scale.
const HIGHEST: usize = 12;

/// Parts of a character in eighths, from below.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Write a checked chart: a bar for each day, the largest with their rank above them.
pub(crate) fn attention(chart: &AttentionChart, options: TerminalOptions) -> String {
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    // The dates and the sentence below need their lines.
    let rows = (options.height as usize)
        .saturating_sub(9)
        .clamp(4, HIGHEST);
    let unit = Unit::new("%", chart.decimals());
    let extent = (options.width as usize, rows);
    let largest = chart.largest() * 100.0;
    let mut plot = Plot::new((0.0, largest), &unit, extent, chart.span(), options);
    let named = chart.named();
    // Where several days share a column, the largest of them is seen.
    let mut highest = vec![0.0f64; plot.columns()];
    for day in &chart.days {
        let column = plot.column(day.day);
        if let Some(height) = highest.get_mut(column) {
            *height = height.max(day.share * 100.0);
        }
    }
    let top = plot.value_at_top();
    for (column, value) in highest.iter().enumerate() {
        let eighths = (value / top * (rows * 8) as f64).round() as usize;
        // The smallest share is seen as well.
        let eighths = eighths.max(usize::from(*value > 0.0)).min(rows * 8);
        let is_named = named.iter().any(|day| plot.column(day.day) == column);
        let paint = if is_named {
            Paint::Reading
        } else {
            Paint::Muted
        };
        for row in 0..eighths.div_ceil(8) {
            let rest = (eighths - row * 8).min(8);
            let sign = match (options.ascii, rest) {
                (true, _) => '#',
                (false, rest) => EIGHTHS[rest - 1],
            };
            let cell = (column as i64, (rows - 1 - row) as i64);
            plot.canvas.put(cell, sign, paint);
        }
    }
    let mut ranks = vec![' '; plot.columns()];
    for (rank, day) in named.iter().enumerate().rev() {
        if let Some(place) = ranks.get_mut(plot.column(day.day)) {
            *place = char::from(b'1' + rank as u8);
        }
    }
    let ranks: String = ranks.into_iter().collect();
    let mut lines = plot.lines(options);
    lines.push(plot.strip("", &ranks, options));
    lines.extend(plot.date_lines(options));
    text.push_str(&joined(&lines));
    push_sentence(&mut text, &chart.verdict(), options);
    let even = format!("Even share: {} a day.", chart.write(chart.even_share()));
    super::push_muted(&mut text, &even, options);
    text
}
