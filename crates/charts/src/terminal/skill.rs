//! Errors of a model and its baselines in a terminal.

use std::fmt::Write as _;

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    push_heading,
};
use crate::{
    skill::SkillChart,
    text::{columns, wrap_columns},
};

/// Parts of a character in eighths, from the left.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Write a checked chart.
pub(crate) fn skill(chart: &SkillChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let bars = chart.ranked();
    let labels: Vec<String> = bars
        .iter()
        .map(|ranked| options.fitted(&ranked.bar.label, width / 3))
        .collect();
    let values: Vec<String> = bars
        .iter()
        .map(|ranked| options.fitted(&chart.write_error(ranked.bar), width / 4))
        .collect();
    let widest = |texts: &[String]| texts.iter().map(|text| columns(text)).max().unwrap_or(0);
    let (label_width, value_width) = (widest(&labels), widest(&values));
    // Mark, space, label, two spaces, bar, space, value.
    let room = width
        .saturating_sub(2 + label_width + 2 + 1 + value_width)
        .max(4);
    let largest = chart.largest().filter(|largest| *largest > 0.0);
    for ((ranked, label), value) in bars.iter().zip(&labels).zip(&values) {
        let bar = match (ranked.bar.mean_absolute_error, largest) {
            (Some(error), Some(largest)) => bar(error / largest, room, options.ascii),
            _ => String::new(),
        };
        let mark = match (ranked.is_model, options.ascii) {
            (true, false) => "▶",
            (true, true) => ">",
            (false, _) => " ",
        };
        let gap = " ".repeat(label_width - columns(label));
        let (name_paint, bar_paint) = if ranked.is_model {
            (Paint::Strong, Paint::Reading)
        } else {
            (Paint::Plain, Paint::Muted)
        };
        let name = painted(&format!("{mark} {label}"), name_paint, options.colour);
        let bar = painted(&bar, bar_paint, options.colour);
        let space = if bar.is_empty() { "" } else { " " };
        writeln!(text, "{name}{gap}  {bar}{space}{value}").expect("a string takes any text");
    }
    for line in wrap_columns(
        &options.speakable(&chart.verdict()),
        width,
        options.ellipsis(),
    ) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn bar(share: f64, room: usize, ascii: bool) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (room * 8) as f64).round() as usize;
    if ascii {
        return "#".repeat((eighths + 4) / 8);
    }
    format!("{}{}", "█".repeat(eighths / 8), EIGHTHS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(1.0, 3, false), "███");
        assert_eq!(bar(0.5, 3, false), "█▌");
        assert_eq!(bar(0.0, 3, false), "");
        assert_eq!(bar(0.5, 4, true), "##");
    }
}
