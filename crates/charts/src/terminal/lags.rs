//! Correlation against lag in a terminal.

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    push_heading, sign_paint,
};
use crate::{
    correlation::{write_correlation, write_starred},
    lags::LagChart,
    text::{columns, wrap_columns},
};

/// Columns of a number with sign and star.
const NUMBER: usize = 6;
/// Columns of a number with sign.
const BOUND: usize = 5;
/// Columns of an interval: two numbers and a word.
const INTERVAL: usize = 2 * BOUND + 4;
/// Most columns of a bar to either side of 0.
const LONGEST_BAR: usize = 24;

/// Write a checked chart: one line a lag, a bar to the left or right of 0.
pub(crate) fn lags(chart: &LagChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let unit = chart.unit.plural();
    let lag_width = chart
        .points
        .iter()
        .map(|point| point.lag.to_string().len())
        .fold(unit.len(), usize::max);
    // Mark and space, lag, two spaces, bar, space, number, space, interval.
    let beside = 2 + lag_width + 2 + 1 + NUMBER + 1 + INTERVAL;
    let half = (width.saturating_sub(beside + 1) / 2).clamp(2, LONGEST_BAR);
    let end = |sign: char| format!("{sign}{}", chart.reach());
    let (low, high) = (options.speakable(&end('\u{2212}')), end('+'));
    let middle = (2 * half + 1).saturating_sub(columns(&low));
    let header = format!(
        "  {unit:>lag_width$}  {low}{high:>middle$} {:NUMBER$} interval",
        ""
    );
    text.push_str(&painted(&header, Paint::Muted, options.colour));
    text.push('\n');
    for (index, point) in chart.points.iter().enumerate() {
        let mark = match (chart.optimal == Some(index), options.ascii) {
            (true, false) => "▶",
            (true, true) => ">",
            (false, _) => " ",
        };
        let bar = bar(point.correlation / chart.reach(), half, options.ascii);
        let paint = sign_paint(point.correlation, point.stands_out);
        let number = options.speakable(&write_starred(point.correlation, point.stands_out));
        // A number ends before its star's column, with a star or without.
        let before = BOUND.saturating_sub(columns(number.trim_end_matches('*')));
        let number = format!("{}{number}", " ".repeat(before));
        let after = " ".repeat(NUMBER.saturating_sub(columns(&number)));
        let bound = |value: f64| {
            let bound = options.speakable(&write_correlation(value));
            format!(
                "{}{bound}",
                " ".repeat(BOUND.saturating_sub(columns(&bound)))
            )
        };
        let interval = format!("{} to {}", bound(point.lower), bound(point.upper));
        let line = format!(
            "{mark} {:>lag_width$}  {} {}{after} {}",
            point.lag,
            painted(&bar, paint, options.colour),
            painted(&number, paint, options.colour),
            painted(&interval, Paint::Muted, options.colour)
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    for line in wrap_columns(
        &options.speakable(&chart.verdict()),
        width,
        options.ellipsis(),
    ) {
        text.push_str(&line);
        text.push('\n');
    }
    text.push_str(&painted("* significant", Paint::Muted, options.colour));
    text.push('\n');
    text
}

/// A bar from the middle, `half` columns to either side of it.
fn bar(share: f64, half: usize, ascii: bool) -> String {
    let share_of = |steps: usize| ((share.abs() * steps as f64).round() as usize).min(steps);
    let (whole, has_rest) = if ascii {
        (share_of(half), false)
    } else {
        let halves = share_of(half * 2);
        (halves / 2, halves % 2 == 1)
    };
    let (full, axis) = if ascii { ("#", "|") } else { ("█", "│") };
    let blank = " ".repeat(half - whole - usize::from(has_rest));
    let full = full.repeat(whole);
    let empty = " ".repeat(half);
    if share < 0.0 {
        let rest = if has_rest { "▐" } else { "" };
        format!("{blank}{rest}{full}{axis}{empty}")
    } else {
        let rest = if has_rest { "▌" } else { "" };
        format!("{empty}{axis}{full}{rest}{blank}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_to_the_side_of_their_sign() {
        assert_eq!(bar(1.0, 2, false), "  │██");
        assert_eq!(bar(-0.75, 2, false), "▐█│  ");
        assert_eq!(bar(0.25, 2, false), "  │▌ ");
        assert_eq!(bar(0.0, 2, false), "  │  ");
        assert_eq!(bar(-0.6, 2, true), " #|  ");
    }
}
