//! What data there is, in a terminal.

use std::fmt::Write as _;

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    push_heading,
};
use crate::{axis::write_date, coverage::CoverageChart, text::columns};

/// The share of days with a value in a column, from none to all.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
const ASCII_SHADES: [char; 5] = ['.', ':', '+', '*', '#'];

/// Write a checked chart.
pub(crate) fn coverage(chart: &CoverageChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let labels: Vec<String> = chart
        .rows
        .iter()
        .map(|row| {
            let indent = if row.is_part { "  " } else { "" };
            options.fitted(&format!("{indent}{}", row.label), width * 2 / 5)
        })
        .collect();
    let counts: Vec<String> = chart
        .rows
        .iter()
        .map(|row| row.days.iter().filter(|day| **day).count().to_string())
        .collect();
    let widest = |texts: &[String]| texts.iter().map(|text| columns(text)).max().unwrap_or(0);
    let (label_width, count_width) = (widest(&labels), widest(&counts));
    // Label, two spaces, strip, space, count.
    let room = width
        .saturating_sub(label_width + 3 + count_width)
        .clamp(8, chart.length().max(8));
    let strip_width = room.min(chart.length());
    for ((row, label), count) in chart.rows.iter().zip(&labels).zip(&counts) {
        let gap = " ".repeat(label_width - columns(label));
        let paint = if row.is_part {
            Paint::Muted
        } else {
            Paint::Reading
        };
        let strip = strip(&row.days, strip_width, options.ascii);
        let strip = painted(&strip, paint, options.colour);
        let pad = " ".repeat(count_width - columns(count));
        writeln!(text, "{label}{gap}  {strip} {pad}{count}").expect("a string takes any text");
    }
    let (first, last) = (write_date(chart.first_day), write_date(chart.last_day()));
    let space = strip_width.saturating_sub(columns(&first) + columns(&last));
    let dates = if space > 0 {
        format!("{first}{}{last}", " ".repeat(space))
    } else {
        format!("{first} to {last}")
    };
    let line = format!("{}  {dates}", " ".repeat(label_width));
    let line = options.fitted(&line, width);
    text.push_str(&painted(line.trim_end(), Paint::Muted, options.colour));
    text.push('\n');
    text
}

/// A character for each column of days.
fn strip(days: &[bool], width: usize, ascii: bool) -> String {
    let shades = if ascii { ASCII_SHADES } else { SHADES };
    (0..width)
        .map(|column| {
            let from = column * days.len() / width;
            let to = ((column + 1) * days.len() / width).max(from + 1);
            let part = &days[from..to];
            let there = part.iter().filter(|day| **day).count();
            // Any day at all is seen, and only all of them are full.
            let shade = match there {
                0 => 0,
                all if all == part.len() => shades.len() - 1,
                some => 1 + some * (shades.len() - 2) / part.len(),
            };
            shades[shade.min(shades.len() - 1)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_day_is_seen_and_only_all_days_are_full() {
        let mut days = vec![true; 100];
        assert_eq!(strip(&days, 2, false), "██");
        days[0] = false;
        assert_eq!(strip(&days, 2, false), "▓█");
        let mut days = vec![false; 100];
        days[99] = true;
        assert_eq!(strip(&days, 2, true), ".:");
        assert_eq!(strip(&[true, false, true], 3, true), "#.#");
    }
}
