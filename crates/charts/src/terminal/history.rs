//! A history and its forecast in a terminal.

use super::{
    TerminalOptions,
    canvas::{Paint, painted},
    plot::{Plot, joined, legend_lines},
    push_heading,
};
use crate::{axis::write_date, draw_history::OtherLine, history::HistoryChart, text::wrap_columns};

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
    other: char,
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
    other: '◇',
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
    other: '=',
};

/// Write a checked chart.
pub(crate) fn history(chart: &HistoryChart, options: TerminalOptions) -> String {
    history_with(chart, None, None, options)
}

/// Write a checked chart with a second line of forecasts, and with a sentence of its own at the end.
pub(crate) fn history_with(
    chart: &HistoryChart,
    other: Option<&OtherLine>,
    sentence: Option<&str>,
    options: TerminalOptions,
) -> String {
    let signs = if options.ascii { &ASCII } else { &UNICODE };
    let width = options.width as usize;
    let mut head = String::new();
    push_heading(&mut head, &chart.title, &chart.subtitle, options);
    let Some((mut lowest, mut highest)) = chart.extremes() else {
        head.push_str(nothing_is_known(chart, options).trim_end());
        head.push('\n');
        return head;
    };
    for (_, value) in other.iter().flat_map(|other| &other.points) {
        (lowest, highest) = (lowest.min(*value), highest.max(*value));
    }
    let foot = foot(chart, other, sentence, options, signs);
    // Three lines belong to the dates: axis, labels, years.
    let rows = (options.height as usize)
        .saturating_sub(head.lines().count() + foot.len() + 3)
        .max(4);
    let mut plot = Plot::new(
        (lowest, highest),
        &chart.unit,
        (width, rows),
        chart.span(),
        options,
    );
    draw(&mut plot, chart, other, signs);
    let mut lines = plot.lines(options);
    lines.extend(plot.date_lines(options));
    lines.extend(foot);
    head + &joined(&lines)
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

fn draw(plot: &mut Plot, chart: &HistoryChart, other: Option<&OtherLine>, signs: &Signs) {
    if let Some(average) = &chart.average {
        plot.level(average.value, signs.average);
    }
    let Plot { canvas, place, .. } = plot;
    for stretch in chart.stretches() {
        let mut previous = None;
        for (date, value) in stretch {
            let dot = place.on(date, value);
            canvas.line(previous.unwrap_or(dot), dot);
            previous = Some(dot);
        }
    }
    for point in chart.past_forecasts() {
        let cell = canvas.cell_of(place.on(point.date, point.value));
        canvas.put(cell, signs.forecast, Paint::Forecast);
        if let Some(actual) = point.actual.filter(|_| !chart.has_reading(point.date)) {
            let outcome = canvas.cell_of(place.on(point.date, actual));
            canvas.put(outcome, signs.outcome, Paint::Reading);
        }
    }
    for point in chart.pending() {
        let cell = canvas.cell_of(place.on(point.date, point.value));
        let upper = canvas.cell_of(place.on(point.date, point.upper));
        let lower = canvas.cell_of(place.on(point.date, point.lower));
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
    }
    // Over the whiskers, so that none of them hides a value.
    for (date, value) in other.iter().flat_map(|other| &other.points) {
        let cell = canvas.cell_of(place.on(*date, *value));
        canvas.put(cell, signs.other, Paint::Strong);
    }
    for point in chart.pending() {
        let cell = canvas.cell_of(place.on(point.date, point.value));
        canvas.put(cell, signs.pending, Paint::Forecast);
    }
}

/// The legend, and the next forecast in words.
fn foot(
    chart: &HistoryChart,
    other: Option<&OtherLine>,
    sentence: Option<&str>,
    options: TerminalOptions,
    signs: &Signs,
) -> Vec<String> {
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
    if let Some(other) = other {
        entries.push(format!(
            "{} {}",
            signs.other,
            options.speakable(&other.label)
        ));
    }
    let mut lines = legend_lines(&entries, options);
    // An earlier one that is still without a reading is not what was asked for.
    let phrase = match (sentence, chart.pending().last()) {
        (Some(sentence), _) => Some(sentence.to_owned()),
        (None, last) => last.map(|point| chart.phrase(point)),
    };
    if let Some(phrase) = phrase {
        let wrapped = wrap_columns(&options.speakable(&phrase), width, options.ellipsis());
        lines.extend(
            wrapped
                .iter()
                .map(|line| painted(line, Paint::Strong, options.colour)),
        );
    }
    lines
}
