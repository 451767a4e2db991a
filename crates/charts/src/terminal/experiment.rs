//! The timeline of an experiment in a terminal.

use super::{
    TerminalOptions,
    canvas::Paint,
    plot::{Plot, joined, legend_lines},
    push_heading, push_sentence,
};
use crate::experiment::{ExperimentChart, LETTERS};

/// Write a checked chart: the values of the days, below them the conditions and the days that were not
/// followed.
pub(crate) fn experiment(chart: &ExperimentChart, options: TerminalOptions) -> String {
    let width = options.width as usize;
    let mut text = String::new();
    push_heading(&mut text, &chart.title, &chart.subtitle, options);
    let (dots, mean, today_sign, washout) = if options.ascii {
        (['@', 'o'], '-', '^', '~')
    } else {
        (['●', '○'], '┄', '▲', '░')
    };
    let mut entries: Vec<String> = (0..2)
        .map(|condition| {
            let label = options.speakable(&chart.condition_labels[condition]);
            format!("{} {}: {label}", dots[condition], LETTERS[condition])
        })
        .collect();
    if chart.days.iter().any(|day| day.is_washout) {
        entries.push(format!("{washout} washout"));
    }
    if chart.means.iter().any(Option::is_some) {
        entries.push(format!("{mean} mean"));
    }
    if chart.not_followed().next().is_some() {
        entries.push("x not followed".to_owned());
    }
    let (first, last) = chart.span();
    let today = chart.today.filter(|day| (first..=last).contains(day));
    if today.is_some() {
        entries.push(format!("{today_sign} today"));
    }
    let legend = legend_lines(&entries, options);
    // Strips of the conditions and of adherence, dates, and the sentences at the end.
    let used = text.lines().count() + legend.len() + 8;
    let rows = (options.height as usize).saturating_sub(used).max(5);
    let extent = (width, rows);
    let extremes = chart.extremes().unwrap_or((0.0, 1.0));
    let mut plot = Plot::new(extremes, &chart.unit, extent, (first, last), options);
    let Plot { canvas, place, .. } = &mut plot;
    let paint_of = |condition: Option<usize>| match condition {
        Some(0) => Paint::Reading,
        Some(_) => Paint::Forecast,
        None => Paint::Muted,
    };
    for span in chart.spans().iter().filter(|span| !span.is_washout) {
        let means = span.condition.and_then(|condition| chart.means[condition]);
        let Some((value, ..)) = means else {
            continue;
        };
        let from = canvas.cell_of(place.on(span.first, value));
        let to = canvas.cell_of(place.on(span.last, value));
        for column in from.0..=to.0 {
            canvas.put((column, from.1), mean, paint_of(span.condition));
        }
    }
    for day in &chart.days {
        let Some(value) = day.value else { continue };
        let counts = day.condition.filter(|_| !day.is_washout);
        let sign = match (counts, options.ascii) {
            (Some(condition), _) => dots[condition],
            (None, false) => '·',
            (None, true) => '.',
        };
        canvas.put(
            canvas.cell_of(place.on(day.day, value)),
            sign,
            paint_of(counts),
        );
    }
    let mut conditions = vec![' '; plot.columns()];
    let mut missed = vec![' '; plot.columns()];
    for span in chart.spans() {
        let Some(condition) = span.condition else {
            continue;
        };
        let letter = LETTERS[condition].chars().next().unwrap_or(' ');
        let sign = if span.is_washout { washout } else { letter };
        for column in plot.column(span.first)..=plot.column(span.last) {
            if let Some(place) = conditions.get_mut(column) {
                *place = sign;
            }
        }
    }
    for day in chart.not_followed() {
        if let Some(place) = missed.get_mut(plot.column(day.day)) {
            *place = 'x';
        }
    }
    if let Some(place) = today.and_then(|day| missed.get_mut(plot.column(day))) {
        *place = today_sign;
    }
    let line = |signs: Vec<char>| signs.into_iter().collect::<String>();
    let mut lines = Vec::new();
    // Without any value there is no scale to read.
    if chart.extremes().is_some() {
        lines = plot.lines(options);
    }
    lines.push(plot.strip("", &line(conditions), options));
    lines.push(plot.strip("", &line(missed), options));
    lines.extend(plot.date_lines(options));
    lines.extend(legend);
    text.push_str(&joined(&lines));
    push_sentence(&mut text, &chart.verdict(), options);
    text
}
