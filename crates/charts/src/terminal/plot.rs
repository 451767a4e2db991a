//! A plot in a terminal: a grid of characters between an axis of values and one of dates or numbers.

use chrono::{Datelike as _, NaiveDate};

use super::{
    TerminalOptions,
    canvas::{Canvas, Paint, painted},
};
use crate::{
    axis::{ValueAxis, date_ticks},
    text::columns,
    unit::{Unit, write_number},
};

/// The signs of the frame of one dress.
struct Frame {
    axis: char,
    tick: char,
    corner: char,
    base: char,
    mark: char,
}

const UNICODE: Frame = Frame {
    axis: '│',
    tick: '┤',
    corner: '└',
    base: '─',
    mark: '┬',
};

const ASCII: Frame = Frame {
    axis: '|',
    tick: '+',
    corner: '+',
    base: '-',
    mark: '+',
};

fn frame(options: TerminalOptions) -> &'static Frame {
    if options.ascii { &ASCII } else { &UNICODE }
}

/// Where a day or number and a value lie among the dots.
pub(crate) struct Place {
    low: f64,
    span: f64,
    axis: ValueAxis,
    extent: (i64, i64),
}

impl Place {
    pub(crate) fn across(&self, number: f64) -> i64 {
        let dots = self.extent.0;
        if self.span == 0.0 {
            return dots / 2;
        }
        let share = (number - self.low) / self.span;
        (share * (dots - 1) as f64).round() as i64
    }

    pub(crate) fn across_day(&self, date: NaiveDate) -> i64 {
        self.across(f64::from(date.num_days_from_ce()))
    }

    pub(crate) fn down(&self, value: f64) -> i64 {
        let share = 1.0 - self.axis.fraction(value);
        (share * (self.extent.1 - 1) as f64).round() as i64
    }

    pub(crate) fn at(&self, number: f64, value: f64) -> (i64, i64) {
        (self.across(number), self.down(value))
    }

    pub(crate) fn on(&self, date: NaiveDate, value: f64) -> (i64, i64) {
        (self.across_day(date), self.down(value))
    }
}

/// A canvas with its axes.
pub(crate) struct Plot {
    pub(crate) canvas: Canvas,
    pub(crate) place: Place,
    rows: usize,
    columns: usize,
    /// Columns left of the axis.
    margin: usize,
    labels: Vec<String>,
    days: Option<(NaiveDate, NaiveDate)>,
}

impl Plot {
    /// A plot of days, in all `width` columns wide and `rows` lines high without its dates.
    pub(crate) fn new(
        extremes: (f64, f64),
        unit: &Unit,
        extent: (usize, usize),
        (first, last): (NaiveDate, NaiveDate),
        options: TerminalOptions,
    ) -> Self {
        let number = |date: NaiveDate| f64::from(date.num_days_from_ce());
        let ends = (number(first), number(last));
        let mut plot = Self::of_numbers(extremes, unit, extent, ends, options);
        plot.days = Some((first, last));
        plot
    }

    /// The same over numbers from `low` to `high`.
    pub(crate) fn of_numbers(
        (lowest, highest): (f64, f64),
        unit: &Unit,
        (width, rows): (usize, usize),
        (low, high): (f64, f64),
        options: TerminalOptions,
    ) -> Self {
        let wanted = (rows / 3).clamp(2, 6);
        let axis = ValueAxis::around(lowest, highest, unit.decimals, wanted);
        let labels: Vec<String> = axis
            .ticks
            .iter()
            .map(|tick| {
                let text = options.speakable(&unit.write_with(*tick, axis.decimals));
                options.fitted(&text, width / 3)
            })
            .collect();
        let margin = labels.iter().map(|label| columns(label)).max().unwrap_or(0) + 1;
        let plot_columns = width - margin - 1;
        let canvas = Canvas::new(plot_columns, rows, options.ascii);
        let place = Place {
            low,
            span: high - low,
            axis,
            extent: canvas.dot_extent(),
        };
        Self {
            canvas,
            place,
            rows,
            columns: plot_columns,
            margin,
            labels,
            days: None,
        }
    }

    /// A line across the whole plot.
    pub(crate) fn level(&mut self, value: f64, sign: char) {
        let row = self.canvas.cell_of((0, self.place.down(value))).1;
        for column in 0..self.columns as i64 {
            self.canvas.put((column, row), sign, Paint::Muted);
        }
    }

    /// The column of a day.
    pub(crate) fn column(&self, date: NaiveDate) -> usize {
        let dot = self.place.across_day(date);
        self.canvas.cell_of((dot, 0)).0.max(0) as usize
    }

    /// A line of signs below the plot, one for each column.
    pub(crate) fn strip(&self, name: &str, signs: &str, options: TerminalOptions) -> String {
        let name = options.fitted(name, self.margin);
        let gap = " ".repeat(self.margin + 1 - columns(&name));
        format!(
            "{}{gap}{signs}",
            painted(&name, Paint::Muted, options.colour)
        )
    }

    /// The value at the upper end of the plot.
    pub(crate) fn value_at_top(&self) -> f64 {
        self.place.axis.high
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The rows of the plot with the axis of values.
    pub(crate) fn lines(&self, options: TerminalOptions) -> Vec<String> {
        let signs = frame(options);
        let ticks: Vec<i64> = self
            .place
            .axis
            .ticks
            .iter()
            .map(|tick| self.canvas.cell_of((0, self.place.down(*tick))).1)
            .collect();
        (0..self.rows)
            .map(|row| {
                let tick = ticks.iter().position(|tick| *tick == row as i64);
                let (label, sign) = match tick {
                    Some(tick) => (self.labels[tick].as_str(), signs.tick),
                    None => ("", signs.axis),
                };
                let gap = " ".repeat(self.margin - 1 - columns(label));
                let frame = format!("{gap}{label} {sign}");
                let frame = painted(&frame, Paint::Muted, options.colour);
                format!("{frame}{}", self.canvas.row(row, options.colour))
            })
            .collect()
    }

    /// The line under the plot, its dates, and their years.
    pub(crate) fn date_lines(&self, options: TerminalOptions) -> Vec<String> {
        let Some((first, last)) = self.days else {
            return Vec::new();
        };
        let ticks = date_ticks(first, last, (self.columns / 10).max(1));
        let years = ticks
            .iter()
            .filter_map(|tick| tick.year.clone().map(|year| (self.column(tick.date), year)));
        let years: Vec<(usize, String)> = years.collect();
        let days: Vec<(usize, String)> = ticks
            .iter()
            .map(|tick| (self.column(tick.date), tick.label.clone()))
            .collect();
        self.lines_below(&days, &[&days, &years], options)
    }

    /// The line under the plot, and its numbers.
    pub(crate) fn number_lines(&self, axis: &ValueAxis, options: TerminalOptions) -> Vec<String> {
        let mut free_from = 0;
        let ticks: Vec<(usize, String)> = axis
            .ticks
            .iter()
            .map(|tick| (self.place.across(*tick), *tick))
            .filter(|(dot, _)| (0..self.place.extent.0).contains(dot))
            .map(|(dot, tick)| {
                let column = self.canvas.cell_of((dot, 0)).0.max(0) as usize;
                (column, write_number(tick, axis.decimals))
            })
            .filter(|(column, label)| {
                // Half of the label lies left of its column.
                let start = (column + self.margin + 1).saturating_sub(label.len() / 2);
                let has_room = start >= free_from;
                if has_room {
                    free_from = start + label.len() + 2;
                }
                has_room
            })
            .collect();
        self.lines_below(&ticks, &[&ticks], options)
    }

    fn lines_below(
        &self,
        marks: &[(usize, String)],
        rows: &[&[(usize, String)]],
        options: TerminalOptions,
    ) -> Vec<String> {
        let signs = frame(options);
        let mut base: Vec<char> = vec![signs.base; self.columns];
        for (column, _) in marks {
            if let Some(sign) = base.get_mut(*column) {
                *sign = signs.mark;
            }
        }
        let rule: String = base.into_iter().collect();
        let rule = format!("{}{}{rule}", " ".repeat(self.margin), signs.corner);
        let labels = rows.iter().map(|labels| {
            let mut line = vec![' '; self.margin + 1 + self.columns];
            for (column, label) in *labels {
                write_centred(&mut line, self.margin + 1 + column, label);
            }
            line.into_iter().collect()
        });
        std::iter::once(rule)
            .chain(labels)
            .map(|line| painted(line.trim_end(), Paint::Muted, options.colour))
            .collect()
    }
}

/// Write a label around a column, moved inwards at the ends of the line.
fn write_centred(line: &mut [char], centre: usize, label: &str) {
    let length = label.chars().count();
    let start = centre
        .saturating_sub(length / 2)
        .min(line.len().saturating_sub(length));
    for (offset, character) in label.chars().enumerate() {
        if let Some(place) = line.get_mut(start + offset) {
            *place = character;
        }
    }
}

/// The lines, each without spaces at its end and ended by a line break.
pub(crate) fn joined(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The entries of a legend in as many lines as they need.
pub(crate) fn legend_lines(entries: &[String], options: TerminalOptions) -> Vec<String> {
    let width = options.width as usize;
    let mut lines: Vec<String> = Vec::new();
    for entry in entries {
        let entry = options.fitted(entry, width);
        match lines.last_mut() {
            Some(line) if columns(line) + 3 + columns(&entry) <= width => {
                line.push_str("   ");
                line.push_str(&entry);
            }
            _ => lines.push(entry),
        }
    }
    lines
        .iter()
        .map(|line| painted(line, Paint::Muted, options.colour))
        .collect()
}
