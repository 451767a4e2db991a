//! The layout of a [`HistoryChart`] in a picture.

use chrono::{Datelike as _, NaiveDate};

use crate::{
    axis::write_date,
    font::Weight,
    history::{ForecastPoint, HistoryChart},
    legend::{self, Swatch},
    palette::Ink,
    plot::{BAND_OPACITY, LABEL, Plot, Room, SideLabel, UNIT_ABOVE},
    scene::{Anchor, PictureSize, Point, Scene},
    text::clean,
    unit::with_minus_sign,
};

/// A second line of forecasts, without intervals.
pub(crate) struct OtherLine {
    pub(crate) label: String,
    pub(crate) points: Vec<(NaiveDate, f64)>,
}

/// Lay out a checked chart.
pub(crate) fn scene(chart: &HistoryChart, size: PictureSize) -> Scene {
    scene_with(chart, chart.describe(), None, size)
}

/// Lay out a checked chart with its own description, and with a second line of forecasts.
pub(crate) fn scene_with(
    chart: &HistoryChart,
    description: String,
    other: Option<&OtherLine>,
    size: PictureSize,
) -> Scene {
    let mut scene = Scene::new(size, &chart.title, description);
    let top = scene.heading(&chart.subtitle);
    let Some((mut lowest, mut highest)) = chart.extremes() else {
        say_nothing_is_known(&mut scene, chart);
        return scene;
    };
    for (_, value) in other.iter().flat_map(|other| &other.points) {
        (lowest, highest) = (lowest.min(*value), highest.max(*value));
    }
    let margin = scene.margin();
    let top = draw_legend(&mut scene, chart, other, top + 8.0) + 28.0;
    let bottom = (scene.height() - margin - 26.0).max(top + 24.0);
    let mut room = Room::new(
        &scene,
        (top, bottom),
        (lowest, highest),
        chart.unit.decimals,
    );
    let labels = side_labels(chart, scene.is_narrow());
    let labels = room.reserve_side(&scene, labels);
    let (first, last) = chart.span();
    let plot = room.of_days(first, last);

    plot.value_axis(&mut scene, &chart.unit.symbol, UNIT_ABOVE);
    plot.date_axis(&mut scene, (first, last), 0.0);
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
    if let Some(other) = other {
        let points = other.points.iter();
        let points = points.map(|(date, value)| plot.on(*date, *value)).collect();
        scene.line(points, Ink::Muted, 1.4);
    }
    readings(&mut scene, chart, &plot);
    forecasts(&mut scene, chart, &plot);
    plot.side_labels(&mut scene, labels);
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

/// Draws the legend in as many rows as needed; returns its lower end.
fn draw_legend(
    scene: &mut Scene,
    chart: &HistoryChart,
    other: Option<&OtherLine>,
    top: f64,
) -> f64 {
    let mut entries: Vec<(Swatch, String)> = Vec::new();
    if chart.history.iter().any(|(_, value)| value.is_some()) {
        entries.push((Swatch::Line(Ink::Reading), "reading".to_owned()));
    }
    if !chart.forecasts.is_empty() {
        entries.push((Swatch::RingOnLine(Ink::Forecast), "forecast".to_owned()));
        let band = Swatch::Band(Ink::Forecast, BAND_OPACITY + 0.06);
        entries.push((band, chart.interval_name()));
    }
    if chart.forecasts.iter().any(|point| point.actual.is_some()) {
        entries.push((Swatch::Dot(Ink::Reading), "measured".to_owned()));
    }
    if let Some(other) = other {
        entries.push((Swatch::ThinLine(Ink::Muted), clean(&other.label)));
    }
    if let Some(average) = chart.average.as_ref().filter(|_| scene.is_narrow()) {
        let value = with_minus_sign(&chart.unit.write(average.value));
        let name = format!("{} {value}", clean(&average.label));
        entries.push((Swatch::Dashes(Ink::Average), name));
    }
    legend::draw(scene, &entries, top)
}

fn intervals(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    for stretch in chart.forecast_stretches() {
        if let [point] = stretch {
            let width = (plot.step() * 0.7).clamp(5.0, 14.0);
            let (high, low) = (plot.y(point.upper), plot.y(point.lower));
            let corner = (plot.x_of(point.date) - width / 2.0, high);
            scene.rectangle(
                corner,
                (width, (low - high).max(1.0)),
                Ink::Forecast,
                BAND_OPACITY,
            );
        } else {
            let upper = stretch.iter().map(|point| plot.on(point.date, point.upper));
            let lower = stretch
                .iter()
                .rev()
                .map(|point| plot.on(point.date, point.lower));
            scene.area(upper.chain(lower).collect(), Ink::Forecast, BAND_OPACITY);
        }
    }
}

fn readings(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    let every_day_has_room = plot.step() >= 11.0;
    for stretch in chart.stretches() {
        let points: Vec<Point> = stretch
            .iter()
            .map(|(date, value)| plot.on(*date, *value))
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
        scene.line(points, Ink::Reading, (plot.step() * 0.5).clamp(1.0, 1.8));
    }
}

fn forecasts(scene: &mut Scene, chart: &HistoryChart, plot: &Plot) {
    let roomy = plot.step() >= 6.0;
    for stretch in chart.forecast_stretches() {
        let points = stretch
            .iter()
            .map(|point| plot.on(point.date, point.value))
            .collect();
        scene.line(points, Ink::Forecast, 1.2);
    }
    for point in chart.past_forecasts() {
        if let Some(actual) = point.actual {
            let radius = (plot.step() * 0.5).clamp(1.0, 3.2);
            scene.dot(plot.on(point.date, actual), radius, Ink::Reading);
        }
        if roomy {
            scene.ring(plot.on(point.date, point.value), 3.0, 1.3, Ink::Forecast);
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
    let (x, y) = plot.on(point.date, point.value);
    if has_whisker {
        let cap = (plot.step() * 0.35).clamp(2.5, 5.0);
        let (high, low) = (plot.y(point.upper), plot.y(point.lower));
        scene.line(vec![(x, high), (x, low)], Ink::Forecast, 1.6);
        for end in [high, low] {
            scene.line(vec![(x - cap, end), (x + cap, end)], Ink::Forecast, 1.6);
        }
    }
    // Days ahead that stand close together must not grow into one bar.
    let least = if has_whisker { 3.0 } else { 1.6 };
    let radius = (plot.step() * 0.4).clamp(least, 4.6);
    let halo = (radius * 0.3).min(1.4);
    scene.dot((x, y), radius + halo, Ink::Surface);
    scene.dot((x, y), radius, Ink::Forecast);
}

/// The next forecast, or else the last reading, and the average.
fn side_labels(chart: &HistoryChart, is_narrow: bool) -> Vec<SideLabel> {
    let mut labels = Vec::new();
    let number = |value| with_minus_sign(&chart.unit.write(value));
    let last_reading = chart
        .history
        .iter()
        .rev()
        .find_map(|(date, value)| value.map(|v| (*date, v)));
    if let Some(point) = chart.pending().last() {
        labels.push(SideLabel {
            value: point.value,
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
            value,
            lines: vec![
                (short_date(date), Weight::Regular, Ink::Muted),
                (number(value), Weight::Strong, Ink::Reading),
            ],
        });
    }
    // On a phone the label of the average would cost a third of the plot: the legend has it there.
    if let Some(average) = chart.average.as_ref().filter(|_| !is_narrow) {
        labels.push(SideLabel {
            value: average.value,
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
