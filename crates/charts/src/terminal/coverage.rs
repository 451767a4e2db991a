//! What data there is, in a terminal: a calendar for each metric, and below it a strip for each of its sources.

use std::fmt::Write as _;

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    push_heading,
};
use crate::{
    axis::write_date,
    calendar::{Calendar, WEEKDAYS},
    coverage::{CoverageChart, CoverageRow},
    text::columns,
};

/// The share of days with a value in a week, from none to all.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
const ASCII_SHADES: [char; 5] = ['.', ':', '+', '*', '#'];
/// Fewest columns of what stands before the weeks.
const LEAST_LABEL: usize = 3;
/// Fewest weeks that are drawn, however narrow the terminal is.
const FEWEST: usize = 8;

/// Write a checked chart.
pub(crate) fn coverage(chart: &CoverageChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let labels: Vec<String> = chart
        .rows
        .iter()
        .map(|row| {
            let most = if row.is_part {
                width / 4
            } else {
                width * 3 / 5
            };
            options.fitted(&row.label, most)
        })
        .collect();
    let parts = chart
        .rows
        .iter()
        .zip(&labels)
        .filter(|(row, _)| row.is_part);
    let before = parts
        .map(|(_, label)| columns(label))
        .fold(LEAST_LABEL, usize::max);
    let calendar = Calendar::of(chart.first_day, chart.length());
    let room = width.saturating_sub(before + 1).max(FEWEST);
    let first = calendar.weeks().saturating_sub(room);
    let muted = |line: &str| painted(line.trim_end(), Paint::Muted, options.colour);
    let mut put = |line: String| writeln!(text, "{line}").expect("a string takes any text");
    for (row, label) in chart.rows.iter().zip(&labels) {
        let indent = " ".repeat(before - columns(label).min(before));
        if row.is_part {
            let strip = strip(&calendar, first, row, options.ascii);
            let strip = painted(&strip, Paint::Muted, options.colour);
            put(format!("{indent}{label} {strip}"));
            continue;
        }
        let count = CoverageChart::count(row);
        let gap = (before + 1 + calendar.weeks() - first).max(columns(label) + columns(&count) + 2);
        let gap = gap
            .min(width)
            .saturating_sub(columns(label) + columns(&count));
        put(format!("{label}{}{count}", " ".repeat(gap.max(2))));
        put(muted(&format!(
            "{} {}",
            " ".repeat(before),
            months(&calendar, first)
        )));
        for (weekday, name) in WEEKDAYS.iter().enumerate() {
            let named = if weekday % 2 == 0 { *name } else { "" };
            let days = days(&calendar, first, weekday, row, options.ascii);
            let days = painted(days.trim_end(), Paint::Reading, options.colour);
            put(format!("{named:>before$} {days}"));
        }
    }
    let (from, last) = (write_date(chart.first_day), write_date(chart.last_day()));
    let mut dates = format!("{from} to {last}");
    if first > 0 {
        dates += &format!("; drawn from {}", write_date(calendar.first_day(first)));
    }
    put(muted(&options.fitted(&dates, width)));
    text
}

/// The names of months above the weeks in which they begin.
fn months(calendar: &Calendar, first: usize) -> String {
    let mut line = String::new();
    for week in first..calendar.weeks() {
        let place = week - first;
        if let Some(name) = calendar.month(week, first)
            && (place == 0 || columns(&line) < place)
        {
            line += &" ".repeat(place - columns(&line));
            line += &name;
        }
    }
    line
}

/// A character for a day of each week.
fn days(
    calendar: &Calendar,
    first: usize,
    weekday: usize,
    row: &CoverageRow,
    ascii: bool,
) -> String {
    let shades = if ascii { ASCII_SHADES } else { SHADES };
    let shade = |week: usize| match calendar.day(week, weekday) {
        Some(day) if row.days[day] => shades[shades.len() - 1],
        Some(_) => shades[0],
        None => ' ',
    };
    (first..calendar.weeks()).map(shade).collect()
}

/// A character for each week.
fn strip(calendar: &Calendar, first: usize, row: &CoverageRow, ascii: bool) -> String {
    let shades = if ascii { ASCII_SHADES } else { SHADES };
    (first..calendar.weeks())
        .map(|week| {
            let all = calendar.days(week).count();
            let there = calendar.days(week).filter(|day| row.days[*day]).count();
            // Any day at all is seen, and only all of them are full.
            let shade = match there {
                0 => 0,
                there if there == all => shades.len() - 1,
                some => 1 + some * (shades.len() - 2) / all,
            };
            shades[shade.min(shades.len() - 1)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(days: Vec<bool>, parts: &[Vec<bool>]) -> CoverageChart {
        let row = |label: &str, days: &[bool], is_part| CoverageRow {
            label: label.to_owned(),
            days: days.to_vec(),
            is_part,
        };
        let mut rows = vec![row("STEPS", &days, false)];
        rows.extend(parts.iter().map(|days| row("watch", days, true)));
        CoverageChart {
            title: "Data of una".to_owned(),
            subtitle: String::new(),
            first_day: "2024-02-28".parse().unwrap(),
            rows,
        }
    }

    fn drawn(chart: &CoverageChart, width: u32) -> Vec<String> {
        let options = TerminalOptions {
            width,
            ascii: true,
            colour: false,
            ..TerminalOptions::default()
        };
        let text = coverage(chart, options);
        text.lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn days_stand_in_their_weeks_below_their_months() {
        // From a Wednesday to the Tuesday after the next.
        let mut days = vec![true; 14];
        days[1] = false;
        let lines = drawn(&chart(days.clone(), &[days]), 60);
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("STEPS") && line.ends_with("13 of 14 days"))
        );
        let grid: Vec<&str> = lines
            .iter()
            .map(String::as_str)
            .skip_while(|line| !line.starts_with("  Mon"))
            .collect();
        assert_eq!(
            &grid[..8],
            [
                "  Mon  ##",
                "       ##",
                "  Wed ##",
                "      .#",
                "  Fri ##",
                "      ##",
                "  Sun ##",
                "watch *##",
            ]
        );
    }

    #[test]
    fn a_long_history_is_drawn_as_far_back_as_there_is_room() {
        let lines = drawn(&chart(vec![true; 3_000], &[]), 40);
        assert!(lines.iter().all(|line| columns(line) <= 40), "{lines:#?}");
        assert!(lines.last().unwrap().starts_with("28 Feb 2024 to"));
        assert!(lines.iter().any(|line| line.contains("3000 of 3000 days")));
    }
}
