//! The layout of a [`HistoryChart`] in a picture.

use chrono::{Datelike as _, NaiveDate};

use crate::{
    axis::{ValueAxis, date_ticks, write_date},
    font::Weight,
    history::{ForecastPoint, HistoryChart},
    legend,
    palette::Ink,
    scene::{Anchor, PictureSize, Point, Scene},
    text::clean,
    unit::with_minus_sign,
};

const LABEL: f64 = 12.0;
const LINE_HEIGHT: f64 = 15.0;
const BAND_OPACITY: f64 = 0.16;

/// The rectangle of the data, and where a day and a value lie in it.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    first: NaiveDate,
    days: f64,
    axis: ValueAxis,
}

impl Plot {
    fn x(&self, date: NaiveDate) -> f64 {
        if self.days == 0.0 {
            return f64::midpoint(self.left, self.right);
        }
        // A little air, so that marks on the first and last day stay inside.
        let (left, right) = (self.left + 8.0, self.right - 8.0);
        left + (date - self.first).num_days() as f64 / self.days * (right - left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.axis.fraction(value) * (self.bottom - self.top)
    }

    fn at(&self, date: NaiveDate, value: f64) -> Point {
        (self.x(date), self.y(value))
    }

    /// The distance between two days.
    fn day_width(&self) -> f64 {
        (self.right - self.left - 16.0) / self.days.max(1.0)
    }
}

/// Lines of text at the right of the plot, beside what they name.
struct SideLabel {
    y: f64,
    lines: Vec<(String, Weight, Ink)>,
}

/// Lay out a checked chart.
pub(crate) fn scene(chart: &HistoryChart, size: PictureSize) -> Scene {
    let mut scene = Scene::new(size, &chart.title, chart.describe());
    let top = scene.heading(&chart.subtitle);
    let Some((lowest, highest)) = chart.extremes() else {
        say_nothing_is_known(&mut scene, chart);
        return scene;
    };
    let margin = scene.margin();
    let top = draw_legend(&mut scene, chart, top + 8.0) + 28.0;
    let bottom = (scene.height() - margin - 26.0).max(top + 24.0);
    let wanted = ((bottom - top) / 46.0).round().clamp(2.0, 7.0) as usize;
    let axis = ValueAxis::around(lowest, highest, chart.unit.decimals, wanted);

    let ticks: Vec<String> = axis
        .ticks
        .iter()
        .map(|tick| with_minus_sign(&crate::unit::write_number(*tick, axis.decimals)))
        .collect();
    let widest = ticks
        .iter()
        .map(|label| scene.fonts.room(label, LABEL, Weight::Regular))
        .fold(0.0, f64::max);
    let left = margin + widest + 8.0;
    let most_side = (scene.width() - left) * 0.3;
    let mut labels = side_labels(chart, scene.is_narrow());
    let side = fit_side_labels(&scene, &mut labels, most_side);
    let right = scene.width() - margin - if side > 0.0 { side + 10.0 } else { 0.0 };
    let (first, last) = chart.span();
    let days = (last - first).num_days() as f64;
    let plot = Plot {
        left,
        right,
        top,
        bottom,
        first,
        days,
        axis,
    };

    value_axis(&mut scene, chart, &plot, &ticks);
    date_axis(&mut scene, &plot, last);
    intervals(&mut scene, chart, &plot);
    if let Some(average) = &chart.average {
        scene.level_dashes(
            plot.left,
            plot.right,
            plot.y(average.value),
            Ink::Average,
            1.2,
        );
    }
    readings(&mut scene, chart, &plot);
    forecasts(&mut scene, chart, &plot);
    draw_side_labels(&mut scene, &plot, labels);
    scene
}

/// The chart of days without measurements and forecasts.
fn say_nothing_is_known(scene: &mut Scene, chart: &HistoryChart) {
    let (first, last) = chart.span();
    let (x, y) = (scene.width() / 2.0, scene.height() / 2.0);
    let strong = (14.0, Weight::Strong, Ink::Text);
    scene.text((x, y), Anchor::Middle, strong, "No readings");
    let period = if first == last {
        write_date(first)
    } else {
        format!("{} to {}", write_date(first), write_date(last))
    };
    let muted = (LABEL, Weight::Regular, Ink::Muted);
    scene.text((x, y + 18.0), Anchor::Middle, muted, &period);
}

#[derive(Clone, Copy)]
enum Swatch {
    Reading,
    Forecast,
    Interval,
    Outcome,
    Average,
}

/// Draws the legend in as many rows as needed; returns its lower end.
fn draw_legend(scene: &mut Scene, chart: &HistoryChart, top: f64) -> f64 {
    let mut entries: Vec<(Swatch, String)> = Vec::new();
    if chart.history.iter().any(|(_, value)| value.is_some()) {
        entries.push((Swatch::Reading, "reading".to_owned()));
    }
    if !chart.forecasts.is_empty() {
        entries.push((Swatch::Forecast, "forecast".to_owned()));
        entries.push((Swatch::Interval, chart.interval_name()));
    }
    if chart.forecasts.iter().any(|point| point.actual.is_some()) {
        entries.push((Swatch::Outcome, "measured".to_owned()));
    }
    if let Some(average) = chart.average.as_ref().filter(|_| scene.is_narrow()) {
        let value = with_minus_sign(&chart.unit.write(average.value));
        entries.push((
            Swatch::Average,
            format!("{} {value}", clean(&average.label)),
        ));
    }
    let most = scene.width() - 2.0 * scene.margin() - 24.0;
    let (swatch_width, gap) = (18.0, 6.0);
    let names: Vec<String> = entries
        .iter()
        .map(|(_, name)| scene.fonts.fit(name, LABEL, Weight::Regular, most))
        .collect();
    let widths: Vec<f64> = names
        .iter()
        .map(|name| swatch_width + gap + scene.fonts.room(name, LABEL, Weight::Regular))
        .collect();
    let (places, bottom) = legend::places(scene, &widths, top);
    for (((swatch, _), name), (x, y)) in entries.iter().zip(&names).zip(places) {
        let middle = (x + swatch_width / 2.0, y - 4.0);
        let (from, to) = ((x, y - 4.0), (x + swatch_width, y - 4.0));
        match swatch {
            Swatch::Reading => scene.line(vec![from, to], Ink::Reading, 1.8),
            Swatch::Forecast => {
                scene.line(vec![from, to], Ink::Forecast, 1.2);
                scene.ring(middle, 3.4, 1.5, Ink::Forecast);
            }
            Swatch::Interval => {
                let (corner, extent) = ((x, y - 10.0), (swatch_width, 12.0));
                scene.rectangle(corner, extent, Ink::Forecast, BAND_OPACITY + 0.06);
            }
            Swatch::Outcome => scene.dot(middle, 3.2, Ink::Reading),
            Swatch::Average => scene.level_dashes(x, x + swatch_width, y - 4.0, Ink::Average, 1.2),
        }
        let style = (LABEL, Weight::Regular, Ink::Muted);
        scene.text((x + swatch_width + gap, y), Anchor::Start, style, name);
    }
    bottom
}

fn value_axis(scene: &mut Scene, chart: &HistoryChart, plot: &Plot, ticks: &[String]) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    let width = plot.right - plot.left;
    for (tick, label) in plot.axis.ticks.iter().zip(ticks) {
        let y = plot.y(*tick);
        scene.rectangle((plot.left, y - 0.5), (width, 1.0), Ink::Grid, 1.0);
        scene.text((plot.left - 8.0, y + 4.0), Anchor::End, style, label);
    }
    scene.rectangle((plot.left, plot.bottom - 0.5), (width, 1.0), Ink::Rule, 1.0);
    // The unit once, above the numbers.
    let margin = scene.margin();
    let unit = scene.fonts.fit(
        &clean(&chart.unit.symbol),
        LABEL,
        Weight::Regular,
        plot.right - margin,
    );
    scene.text((margin, plot.top - 13.0), Anchor::Start, style, &unit);
}

fn date_axis(scene: &mut Scene, plot: &Plot, last: NaiveDate) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    let margin = scene.margin();
    let room = plot.right - plot.left;
    let most = (room / 62.0).floor().max(1.0) as usize;
    for tick in date_ticks(plot.first, last, most) {
        let x = plot.x(tick.date);
        scene.rectangle((x - 0.5, plot.bottom), (1.0, 4.0), Ink::Rule, 1.0);
        let half = scene.fonts.room(&tick.label, LABEL, Weight::Regular) / 2.0;
        let middle = x.clamp(margin + half, scene.width() - margin - half);
        scene.text(
            (middle, plot.bottom + 17.0),
            Anchor::Middle,
            style,
            &tick.label,
        );
        if let Some(year) = tick.year {
            scene.text(
                (middle, plot.bottom + 17.0 + LINE_HEIGHT),
                Anchor::Middle,
                style,
                &year,
            );
        }
    }
}

fn intervals(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    for stretch in chart.forecast_stretches() {
        if let [point] = stretch {
            let width = (plot.day_width() * 0.7).clamp(5.0, 14.0);
            let (high, low) = (plot.y(point.upper), plot.y(point.lower));
            let corner = (plot.x(point.date) - width / 2.0, high);
            scene.rectangle(
                corner,
                (width, (low - high).max(1.0)),
                Ink::Forecast,
                BAND_OPACITY,
            );
        } else {
            let upper = stretch.iter().map(|point| plot.at(point.date, point.upper));
            let lower = stretch
                .iter()
                .rev()
                .map(|point| plot.at(point.date, point.lower));
            scene.area(upper.chain(lower).collect(), Ink::Forecast, BAND_OPACITY);
        }
    }
}

fn readings(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    let every_day_has_room = plot.day_width() >= 11.0;
    for stretch in chart.stretches() {
        let points: Vec<Point> = stretch
            .iter()
            .map(|(date, value)| plot.at(*date, *value))
            .collect();
        let alone = points.len() == 1;
        if alone || every_day_has_room {
            for point in &points {
                scene.dot(
                    *point,
                    if every_day_has_room { 2.6 } else { 1.8 },
                    Ink::Reading,
                );
            }
        }
        // Where days stand close, a thinner line keeps them apart.
        scene.line(
            points,
            Ink::Reading,
            (plot.day_width() * 0.5).clamp(1.0, 1.8),
        );
    }
}

fn forecasts(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    let roomy = plot.day_width() >= 6.0;
    for stretch in chart.forecast_stretches() {
        let points = stretch
            .iter()
            .map(|point| plot.at(point.date, point.value))
            .collect();
        scene.line(points, Ink::Forecast, 1.2);
    }
    for point in chart.past_forecasts() {
        if let Some(actual) = point.actual {
            let radius = (plot.day_width() * 0.5).clamp(1.0, 3.2);
            scene.dot(plot.at(point.date, actual), radius, Ink::Reading);
        }
        if roomy {
            scene.ring(plot.at(point.date, point.value), 3.0, 1.3, Ink::Forecast);
        }
    }
    // Several days ahead lie in their band; one day alone gets a whisker, or it would be lost.
    let has_whisker = chart.pending().len() == 1;
    for point in chart.pending() {
        pending(scene, plot, point, has_whisker);
    }
}

/// A forecast without a measured value is drawn more strongly: a full mark, and a whisker with caps
/// where it stands alone.
fn pending(scene: &mut Scene, plot: &Plot, point: &ForecastPoint, has_whisker: bool) {
    let (x, y) = plot.at(point.date, point.value);
    if has_whisker {
        let cap = (plot.day_width() * 0.35).clamp(2.5, 5.0);
        let (high, low) = (plot.y(point.upper), plot.y(point.lower));
        scene.line(vec![(x, high), (x, low)], Ink::Forecast, 1.6);
        for end in [high, low] {
            scene.line(vec![(x - cap, end), (x + cap, end)], Ink::Forecast, 1.6);
        }
    }
    let radius = (plot.day_width() * 0.5).clamp(3.0, 4.6);
    scene.dot((x, y), radius + 1.4, Ink::Surface);
    scene.dot((x, y), radius, Ink::Forecast);
}

/// The next forecast, or else the last reading, and the average.
fn side_labels(chart: &HistoryChart, is_narrow: bool) -> Vec<SideLabel> {
    // The heights are values until the plot is known.
    let mut labels = Vec::new();
    let number = |value| with_minus_sign(&chart.unit.write(value));
    let last_reading = chart
        .history
        .iter()
        .rev()
        .find_map(|(date, value)| value.map(|v| (*date, v)));
    if let Some(point) = chart.pending().last() {
        labels.push(SideLabel {
            y: point.value,
            lines: vec![
                (short_date(point.date), Weight::Regular, Ink::Muted),
                (number(point.value), Weight::Strong, Ink::Forecast),
                (
                    with_minus_sign(&chart.unit.write_range(point.lower, point.upper)),
                    Weight::Regular,
                    Ink::Muted,
                ),
            ],
        });
    } else if let Some((date, value)) = last_reading {
        labels.push(SideLabel {
            y: value,
            lines: vec![
                (short_date(date), Weight::Regular, Ink::Muted),
                (number(value), Weight::Strong, Ink::Reading),
            ],
        });
    }
    // On a phone the label of the average would cost a third of the plot: the legend has it there.
    if let Some(average) = chart.average.as_ref().filter(|_| !is_narrow) {
        labels.push(SideLabel {
            y: average.value,
            lines: vec![
                (clean(&average.label), Weight::Regular, Ink::Muted),
                (number(average.value), Weight::Regular, Ink::Muted),
            ],
        });
    }
    labels
}

fn short_date(date: NaiveDate) -> String {
    let month = date.format("%b");
    format!("{} {month}", date.day())
}

/// Cut the labels to the room there is; returns how wide they are.
fn fit_side_labels(scene: &Scene, labels: &mut [SideLabel], most: f64) -> f64 {
    let mut widest = 0.0f64;
    for (text, weight, _) in labels.iter_mut().flat_map(|label| &mut label.lines) {
        *text = scene.fonts.fit(text, LABEL, *weight, most);
        widest = widest.max(scene.fonts.room(text, LABEL, *weight));
    }
    widest
}

/// Draw the labels beside their values, pushed apart where they would overlap.
fn draw_side_labels(scene: &mut Scene, plot: &Plot, mut labels: Vec<SideLabel>) {
    let height = |label: &SideLabel| label.lines.len() as f64 * LINE_HEIGHT;
    for label in &mut labels {
        label.y = plot.y(label.y) - height(label) / 2.0;
    }
    labels.sort_by(|one, other| one.y.total_cmp(&other.y));
    let mut free_from = plot.top - LINE_HEIGHT;
    for label in &mut labels {
        label.y = label.y.max(free_from);
        free_from = label.y + height(label) + 3.0;
    }
    let mut free_to = plot.bottom + LINE_HEIGHT;
    for label in labels.iter_mut().rev() {
        label.y = label.y.min(free_to - height(label));
        free_to = label.y - 3.0;
    }
    for label in labels {
        for (index, (text, weight, ink)) in label.lines.iter().enumerate() {
            let baseline = label.y + index as f64 * LINE_HEIGHT + 11.5;
            let at = (plot.right + 10.0, baseline);
            scene.text(at, Anchor::Start, (LABEL, *weight, *ink), text);
        }
    }
}
