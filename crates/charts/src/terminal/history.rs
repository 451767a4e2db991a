//! A history and its forecast in a terminal.

use chrono::NaiveDate;

use super::{
    TerminalOptions,
    canvas::{Canvas, Paint, painted},
};
use crate::{
    axis::{ValueAxis, date_ticks, write_date},
    history::HistoryChart,
    text::{columns, wrap_columns},
};

/// The signs of one dress.
struct Signs {
    reading: &'static str,
    average: char,
    whisker: char,
    upper_end: char,
    lower_end: char,
    both_ends: char,
    pending: char,
    forecast: char,
    outcome: char,
    axis: char,
    tick: char,
    corner: char,
    base: char,
    date: char,
}

const UNICODE: Signs = Signs {
    reading: "⠒⠒",
    average: '┄',
    whisker: '│',
    upper_end: '┬',
    lower_end: '┴',
    both_ends: '┼',
    pending: '●',
    forecast: '○',
    outcome: '•',
    axis: '│',
    tick: '┤',
    corner: '└',
    base: '─',
    date: '┬',
};

const ASCII: Signs = Signs {
    reading: "**",
    average: '.',
    whisker: '|',
    upper_end: '-',
    lower_end: '-',
    both_ends: '-',
    pending: '@',
    forecast: 'o',
    outcome: 'x',
    axis: '|',
    tick: '+',
    corner: '+',
    base: '-',
    date: '+',
};

/// Write a checked chart.
pub(crate) fn history(chart: &HistoryChart, options: TerminalOptions) -> String {
    let signs = if options.ascii { &ASCII } else { &UNICODE };
    let width = options.width as usize;
    let mut head: Vec<String> = Vec::new();
    for (text, paint) in [
        (&chart.title, Paint::Strong),
        (&chart.subtitle, Paint::Muted),
    ] {
        let text = options.fitted(text, width);
        if !text.trim().is_empty() {
            head.push(painted(&text, paint, options.colour));
        }
    }
    let Some((lowest, highest)) = chart.extremes() else {
        head.push(nothing_is_known(chart, options));
        return joined(&head);
    };
    let foot = foot(chart, options, signs);
    // Three lines belong to the dates: axis, labels, years.
    let rows = (options.height as usize)
        .saturating_sub(head.len() + foot.len() + 3)
        .max(4);
    let wanted = (rows / 3).clamp(2, 6);
    let axis = ValueAxis::around(lowest, highest, chart.unit.decimals, wanted);
    let labels: Vec<String> = axis
        .ticks
        .iter()
        .map(|tick| {
            let text = options.speakable(&chart.unit.write_with(*tick, axis.decimals));
            options.fitted(&text, width / 3)
        })
        .collect();
    let margin = labels.iter().map(|label| columns(label)).max().unwrap_or(0) + 1;
    let plot_columns = width - margin - 1;
    let mut canvas = Canvas::new(plot_columns, rows, options.ascii);
    let (first, last) = chart.span();
    let place = Place {
        first,
        last,
        axis: &axis,
        extent: canvas.dot_extent(),
    };
    draw(&mut canvas, chart, &place, signs);

    let mut lines = head;
    for (index, row) in (0..rows).zip(0i64..) {
        let tick = axis
            .ticks
            .iter()
            .position(|tick| canvas.cell_of((0, place.down(*tick))).1 == row);
        let (label, sign) = match tick {
            Some(tick) => (labels[tick].as_str(), signs.tick),
            None => ("", signs.axis),
        };
        let gap = " ".repeat(margin - 1 - columns(label));
        let frame = painted(
            &format!("{gap}{label} {sign}"),
            Paint::Muted,
            options.colour,
        );
        lines.push(format!("{frame}{}", canvas.row(index, options.colour)));
    }
    lines.extend(date_lines(
        &canvas,
        &place,
        margin,
        plot_columns,
        signs,
        options,
    ));
    lines.extend(foot);
    joined(&lines)
}

fn joined(lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn nothing_is_known(chart: &HistoryChart, options: TerminalOptions) -> String {
    let (first, last) = chart.span();
    let text = if first == last {
        format!("No readings on {}.", write_date(first))
    } else {
        format!(
            "No readings from {} to {}.",
            write_date(first),
            write_date(last)
        )
    };
    options.fitted(&text, options.width as usize)
}

/// Where a day and a value lie among the dots.
struct Place<'a> {
    first: NaiveDate,
    last: NaiveDate,
    axis: &'a ValueAxis,
    extent: (i64, i64),
}

impl Place<'_> {
    fn across(&self, date: NaiveDate) -> i64 {
        let span = (self.last - self.first).num_days();
        let dots = self.extent.0;
        if span == 0 {
            return dots / 2;
        }
        let share = (date - self.first).num_days() as f64 / span as f64;
        (share * (dots - 1) as f64).round() as i64
    }

    fn down(&self, value: f64) -> i64 {
        let share = 1.0 - self.axis.fraction(value);
        (share * (self.extent.1 - 1) as f64).round() as i64
    }

    fn at(&self, date: NaiveDate, value: f64) -> (i64, i64) {
        (self.across(date), self.down(value))
    }
}

fn draw(canvas: &mut Canvas, chart: &HistoryChart, place: &Place<'_>, signs: &Signs) {
    if let Some(average) = &chart.average {
        let row = canvas.cell_of((0, place.down(average.value))).1;
        for column in 0..canvas.cell_of((place.extent.0, 0)).0 {
            canvas.put((column, row), signs.average, Paint::Muted);
        }
    }
    for stretch in chart.stretches() {
        let mut previous = None;
        for (date, value) in stretch {
            let dot = place.at(date, value);
            canvas.line(previous.unwrap_or(dot), dot);
            previous = Some(dot);
        }
    }
    for point in chart.past_forecasts() {
        let cell = canvas.cell_of(place.at(point.date, point.value));
        canvas.put(cell, signs.forecast, Paint::Forecast);
        if let Some(actual) = point.actual.filter(|_| !chart.has_reading(point.date)) {
            let outcome = canvas.cell_of(place.at(point.date, actual));
            canvas.put(outcome, signs.outcome, Paint::Reading);
        }
    }
    for point in chart.pending() {
        let cell = canvas.cell_of(place.at(point.date, point.value));
        let upper = canvas.cell_of(place.at(point.date, point.upper));
        let lower = canvas.cell_of(place.at(point.date, point.lower));
        for row in upper.1..=lower.1 {
            canvas.put((cell.0, row), signs.whisker, Paint::Forecast);
        }
        let ends = if upper == lower {
            [signs.both_ends, signs.both_ends]
        } else {
            [signs.upper_end, signs.lower_end]
        };
        canvas.put(upper, ends[0], Paint::Forecast);
        canvas.put(lower, ends[1], Paint::Forecast);
        canvas.put(cell, signs.pending, Paint::Forecast);
    }
}

/// The line under the plot, its dates, and their years.
fn date_lines(
    canvas: &Canvas,
    place: &Place<'_>,
    margin: usize,
    plot_columns: usize,
    signs: &Signs,
    options: TerminalOptions,
) -> Vec<String> {
    let total = margin + 1 + plot_columns;
    let mut base: Vec<char> = vec![signs.base; plot_columns];
    let mut days = vec![' '; total];
    let mut years = vec![' '; total];
    for tick in date_ticks(place.first, place.last, (plot_columns / 10).max(1)) {
        let column = canvas.cell_of((place.across(tick.date), 0)).0.max(0) as usize;
        if let Some(sign) = base.get_mut(column) {
            *sign = signs.date;
        }
        let centre = margin + 1 + column;
        write_centred(&mut days, centre, &tick.label);
        if let Some(year) = tick.year {
            write_centred(&mut years, centre, &year);
        }
    }
    let rule: String = base.into_iter().collect();
    let rule = format!("{}{}{rule}", " ".repeat(margin), signs.corner);
    [
        rule,
        days.into_iter().collect(),
        years.into_iter().collect(),
    ]
    .into_iter()
    .map(|line| painted(line.trim_end(), Paint::Muted, options.colour))
    .collect()
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

/// The legend, and the next forecast in words.
fn foot(chart: &HistoryChart, options: TerminalOptions, signs: &Signs) -> Vec<String> {
    let width = options.width as usize;
    let mut entries: Vec<String> = Vec::new();
    if chart.history.iter().any(|(_, value)| value.is_some()) {
        entries.push(format!("{} reading", signs.reading));
    }
    if let Some(average) = &chart.average {
        let label = format!("{} {}", average.label, chart.unit.write(average.value));
        entries.push(format!(
            "{0}{0} {1}",
            signs.average,
            options.speakable(&label)
        ));
    }
    if !chart.past_forecasts().is_empty() {
        entries.push(format!("{} past forecast", signs.forecast));
    }
    if chart
        .forecasts
        .iter()
        .any(|point| point.actual.is_some() && !chart.has_reading(point.date))
    {
        entries.push(format!("{} measured", signs.outcome));
    }
    if !chart.pending().is_empty() {
        entries.push(format!("{} forecast", signs.pending));
        entries.push(format!("{} {}", signs.whisker, chart.interval_name()));
    }
    let mut lines: Vec<String> = Vec::new();
    for entry in entries {
        let entry = options.fitted(&entry, width);
        match lines.last_mut() {
            Some(line) if columns(line) + 3 + columns(&entry) <= width => {
                line.push_str("   ");
                line.push_str(&entry);
            }
            _ => lines.push(entry),
        }
    }
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| painted(line, Paint::Muted, options.colour))
        .collect();
    if let Some(point) = chart.pending().first() {
        let phrase = options.speakable(&chart.phrase(point));
        let wrapped = wrap_columns(&phrase, width, options.ellipsis());
        lines.extend(
            wrapped
                .iter()
                .map(|line| painted(line, Paint::Strong, options.colour)),
        );
    }
    lines
}
