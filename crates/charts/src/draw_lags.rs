//! The layout of a [`LagChart`] in a picture.

use crate::{
    correlation::write_starred,
    font::Weight,
    lags::{LagChart, LagPoint, LagUnit},
    legend,
    palette::Ink,
    scene::{Anchor, PictureSize, Point, Scene},
};

const LABEL: f64 = 12.0;
const BAR_OPACITY: f64 = 0.25;
/// Room of the name of the strongest lag, beyond the plot.
const NAME: f64 = 20.0;
/// The lowest plot beside a legend.
const LEAST_PLOT: f64 = 40.0;
/// The widest bar.
const WIDEST_BAR: f64 = 18.0;
/// Below this radius a ring could not be told from a dot, and is left out.
const LEAST_RING: f64 = 2.2;
/// Intervals step back where lags are so close that they would fill the plot.
const CLOSE_OPACITY: f64 = 0.45;

/// The rectangle of the data, and where a lag and a value lie in it.
struct Plot {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    reach: f64,
    first: f64,
    span: f64,
    /// The least distance between two lags.
    step: f64,
    /// Between an edge of the plot and the outermost lag.
    inset: f64,
}

impl Plot {
    fn new(chart: &LagChart, (left, right): (f64, f64), (top, bottom): (f64, f64)) -> Self {
        let lags = || chart.points.iter().map(|point| f64::from(point.lag));
        let (first, last) = lags().fold((f64::INFINITY, 0.0f64), |(low, high), lag| {
            (low.min(lag), high.max(lag))
        });
        let span = last - first;
        let closest = lags()
            .zip(lags().skip(1))
            .map(|(one, next)| next - one)
            .fold(f64::INFINITY, f64::min);
        // As many equal steps as the span holds, and half of one at either end.
        let steps = if span > 0.0 { span / closest } else { 0.0 };
        let inset = ((right - left) / (steps + 1.0) / 2.0).clamp(8.0, 40.0);
        let step = if span > 0.0 {
            (right - left - 2.0 * inset) / steps
        } else {
            right - left
        };
        Self {
            left,
            right,
            top,
            bottom,
            reach: chart.reach(),
            first,
            span,
            step,
            inset,
        }
    }

    fn x(&self, lag: f64) -> f64 {
        if self.span == 0.0 {
            return f64::midpoint(self.left, self.right);
        }
        let room = self.right - self.left - 2.0 * self.inset;
        self.left + self.inset + (lag - self.first) / self.span * room
    }

    fn y(&self, value: f64) -> f64 {
        let share = (self.reach - value) / (2.0 * self.reach);
        self.top + share * (self.bottom - self.top)
    }

    fn at(&self, point: &LagPoint) -> Point {
        (self.x(f64::from(point.lag)), self.y(point.correlation))
    }

    fn radius(&self) -> f64 {
        (self.step * 0.45).clamp(1.2, 4.6)
    }

    fn has_rings(&self) -> bool {
        self.radius() >= LEAST_RING
    }
}

/// Lay out a checked chart.
pub(crate) fn scene(chart: &LagChart, size: PictureSize) -> Scene {
    let mut scene = Scene::new(size, &chart.title, chart.describe());
    let margin = scene.margin();
    let below_heading = scene.heading(&chart.subtitle);
    let (places, below_legend) = legend_places(&scene, below_heading + 8.0);
    let (top, bottom) = (below_legend + 16.0, scene.height() - margin - 38.0);
    // A low picture needs the room of the legend and the axis title more than their words.
    let has_words = bottom - top >= LEAST_PLOT + NAME;
    let (top, bottom) = if has_words {
        (top, bottom)
    } else {
        (below_heading + 14.0, bottom + 18.0)
    };
    let (above, below) = match chart.strongest() {
        Some(point) if point.correlation < 0.0 => (0.0, NAME),
        Some(_) => (NAME, 0.0),
        None => (0.0, 0.0),
    };
    let top = top + above;
    let bottom = (bottom - below).max(top + 24.0);

    let ticks = ticks(chart.reach());
    let widest = ticks
        .iter()
        .map(|(_, label)| scene.fonts.room(label, LABEL, Weight::Regular))
        .fold(0.0, f64::max);
    let (left, right) = (margin + widest + 8.0, scene.width() - margin);
    let plot = Plot::new(chart, (left, right), (top, bottom));
    value_axis(&mut scene, &plot, &ticks);
    lag_axis(&mut scene, chart, &plot, bottom + below);
    if has_words {
        draw_legend(&mut scene, &plot, places);
        axis_title(&mut scene, chart, &plot, bottom + below);
    }
    for point in &chart.points {
        bar(&mut scene, &plot, point);
    }
    let zero = (plot.left, plot.y(0.0) - 0.6);
    scene.rectangle(zero, (plot.right - plot.left, 1.2), Ink::Rule, 1.0);
    if let Some(point) = chart.strongest() {
        name(&mut scene, chart, &plot, point);
    }
    for point in &chart.points {
        whisker(&mut scene, &plot, point);
    }
    for point in &chart.points {
        mark(&mut scene, &plot, point);
    }
    scene
}

fn ink_of(point: &LagPoint) -> Ink {
    if point.stands_out {
        Ink::Reading
    } else {
        Ink::Average
    }
}

/// Values of the axis and how they are written.
fn ticks(reach: f64) -> Vec<(f64, String)> {
    let decimals = if reach < 1.0 { 2 } else { 1 };
    [-1.0, -0.5, 0.0, 0.5, 1.0]
        .iter()
        .map(|share| {
            let value = share * reach;
            let label = if value == 0.0 {
                "0".to_owned()
            } else {
                format!("{value:+.decimals$}").replace('-', "\u{2212}")
            };
            (value, label)
        })
        .collect()
}

fn value_axis(scene: &mut Scene, plot: &Plot, ticks: &[(f64, String)]) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    // Where the plot is low, the numbers between the ends and 0 would touch.
    let is_low = plot.bottom - plot.top < 60.0;
    for (index, (value, label)) in ticks.iter().enumerate() {
        let y = plot.y(*value);
        let extent = (plot.right - plot.left, 1.0);
        scene.rectangle((plot.left, y - 0.5), extent, Ink::Grid, 1.0);
        if index % 2 == 0 || !is_low {
            scene.text((plot.left - 8.0, y + 4.0), Anchor::End, style, label);
        }
    }
}

/// Round lags that leave room for their labels.
fn lag_ticks(plot: &Plot, unit: LagUnit) -> Vec<u32> {
    let (first, last) = (plot.first as u32, (plot.first + plot.span) as u32);
    let round: &[u32] = match unit {
        LagUnit::Days => &[1, 2, 7],
        LagUnit::Hours => &[1, 2, 3, 6, 12, 24],
    };
    let whole = *round.last().expect("there are round steps");
    let doubled = (1..).map(|power| whole << power);
    let one = plot.x(plot.first + 1.0) - plot.x(plot.first);
    let step = round
        .iter()
        .copied()
        .chain(doubled.take(16))
        .find(|step| f64::from(*step) * one >= 34.0)
        .unwrap_or(u32::MAX);
    let ticks: Vec<u32> = (first..=last).filter(|lag| lag % step == 0).collect();
    if ticks.is_empty() { vec![first] } else { ticks }
}

/// The lags below the plot.
fn lag_axis(scene: &mut Scene, chart: &LagChart, plot: &Plot, y: f64) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    for lag in lag_ticks(plot, chart.unit) {
        let x = plot.x(f64::from(lag));
        scene.rectangle((x - 0.5, y), (1.0, 4.0), Ink::Rule, 1.0);
        scene.text((x, y + 17.0), Anchor::Middle, style, &lag.to_string());
    }
}

/// What the lags are.
fn axis_title(scene: &mut Scene, chart: &LagChart, plot: &Plot, y: f64) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    let margin = scene.margin();
    let room = scene.width() - 2.0 * margin;
    let title = format!("{} between the feature and the target", chart.unit.plural());
    let title = scene.fonts.fit(&title, LABEL, Weight::Regular, room);
    let half = scene.fonts.room(&title, LABEL, Weight::Regular) / 2.0;
    let middle = f64::midpoint(plot.left, plot.right).min(scene.width() - margin - half);
    scene.text((middle, y + 35.0), Anchor::Middle, style, &title);
}

/// From 0 to the correlation.
fn bar(scene: &mut Scene, plot: &Plot, point: &LagPoint) {
    let (x, y) = plot.at(point);
    let zero = plot.y(0.0);
    let width = (plot.step * 0.6).clamp(1.0, WIDEST_BAR);
    let corner = (x - width / 2.0, y.min(zero));
    scene.rectangle(
        corner,
        (width, (y - zero).abs()),
        ink_of(point),
        BAR_OPACITY,
    );
}

/// The interval, with caps where there is room for them.
fn whisker(scene: &mut Scene, plot: &Plot, point: &LagPoint) {
    let (x, _) = plot.at(point);
    let ends = [plot.y(point.upper), plot.y(point.lower)];
    let ink = ink_of(point);
    let width = (plot.step * 0.3).clamp(0.6, 1.4);
    if !plot.has_rings() {
        let corner = (x - width / 2.0, ends[0]);
        scene.rectangle(corner, (width, ends[1] - ends[0]), ink, CLOSE_OPACITY);
        return;
    }
    scene.line(vec![(x, ends[0]), (x, ends[1])], ink, width);
    if plot.step >= 9.0 {
        let cap = (plot.step * 0.22).min(4.5);
        for y in ends {
            scene.line(vec![(x - cap, y), (x + cap, y)], ink, width);
        }
    }
}

/// A dot for a significant lag, a ring for the others.
fn mark(scene: &mut Scene, plot: &Plot, point: &LagPoint) {
    let radius = plot.radius();
    if point.stands_out {
        scene.dot(plot.at(point), radius, Ink::Reading);
    } else if plot.has_rings() {
        scene.ring(plot.at(point), radius, radius.min(1.5), Ink::Average);
    }
}

/// The lag and the number of the strongest, beyond its end of the plot, and a line to it.
fn name(scene: &mut Scene, chart: &LagChart, plot: &Plot, point: &LagPoint) {
    let number = write_starred(point.correlation, point.stands_out);
    let text = format!("{}: {number}", chart.write_lag(point.lag));
    let half = scene.fonts.room(&text, LABEL, Weight::Strong) / 2.0;
    let (x, _) = plot.at(point);
    let (baseline, line) = if point.correlation < 0.0 {
        let line = vec![(x, plot.y(point.lower)), (x, plot.bottom + 5.0)];
        (plot.bottom + 16.0, line)
    } else {
        let line = vec![(x, plot.y(point.upper)), (x, plot.top - 5.0)];
        (plot.top - 8.0, line)
    };
    scene.line(line, Ink::Rule, 1.0);
    let edge = scene.width() - scene.margin() - half;
    let middle = x.max(plot.left + half).min(edge);
    let style = (LABEL, Weight::Strong, Ink::Text);
    scene.text((middle, baseline), Anchor::Middle, style, &text);
}

/// The names of the legend.
const NAMES: [&str; 3] = ["significant", "not significant", "interval"];
const SWATCH: f64 = 12.0;
const SWATCH_GAP: f64 = 6.0;

fn legend_places(scene: &Scene, top: f64) -> (Vec<Point>, f64) {
    let widths =
        NAMES.map(|name| SWATCH + SWATCH_GAP + scene.fonts.room(name, LABEL, Weight::Regular));
    legend::places(scene, &widths, top)
}

/// What the marks mean.
fn draw_legend(scene: &mut Scene, plot: &Plot, places: Vec<Point>) {
    for (index, (name, (x, y))) in NAMES.iter().zip(places).enumerate() {
        let middle = (x + SWATCH / 2.0, y - 4.0);
        match index {
            0 => scene.dot(middle, 4.2, Ink::Reading),
            1 if plot.has_rings() => scene.ring(middle, 4.2, 1.5, Ink::Average),
            // Too close for rings: a lag that is not significant has no mark.
            1 => scene.rectangle((x, y - 8.0), (SWATCH, 8.0), Ink::Average, BAR_OPACITY),
            _ => {
                let ends = [y - 10.0, y + 2.0];
                scene.line(
                    vec![(middle.0, ends[0]), (middle.0, ends[1])],
                    Ink::Muted,
                    1.4,
                );
                for end in ends {
                    let cap = vec![(middle.0 - 4.0, end), (middle.0 + 4.0, end)];
                    scene.line(cap, Ink::Muted, 1.4);
                }
            }
        }
        let style = (LABEL, Weight::Regular, Ink::Muted);
        scene.text((x + SWATCH + SWATCH_GAP, y), Anchor::Start, style, name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(unit: LagUnit, lags: &[u32], width: f64) -> Vec<u32> {
        let points = lags.iter().map(|lag| LagPoint {
            lag: *lag,
            correlation: 0.1,
            lower: 0.0,
            upper: 0.2,
            stands_out: false,
        });
        let chart = LagChart {
            title: String::new(),
            subtitle: String::new(),
            unit,
            points: points.collect(),
            optimal: None,
        };
        lag_ticks(&Plot::new(&chart, (0.0, width), (0.0, 100.0)), unit)
    }

    #[test]
    fn lags_are_labelled_in_round_steps() {
        let month: Vec<u32> = (0..=30).collect();
        assert_eq!(plot(LagUnit::Days, &month, 400.0), [0, 7, 14, 21, 28]);
        assert_eq!(plot(LagUnit::Days, &[1, 2, 3], 400.0), [1, 2, 3]);
        let three_days: Vec<u32> = (0..=72).collect();
        assert_eq!(
            plot(LagUnit::Hours, &three_days, 400.0),
            [0, 12, 24, 36, 48, 60, 72]
        );
    }

    #[test]
    fn the_only_lag_is_labelled() {
        assert_eq!(plot(LagUnit::Days, &[5], 400.0), [5]);
        assert_eq!(plot(LagUnit::Hours, &[9_999], 400.0), [9_999]);
    }

    #[test]
    fn lags_stand_at_their_distance() {
        let chart = LagChart {
            title: String::new(),
            subtitle: String::new(),
            unit: LagUnit::Days,
            points: [0, 1, 5]
                .map(|lag| LagPoint {
                    lag,
                    correlation: 0.1,
                    lower: 0.0,
                    upper: 0.2,
                    stands_out: false,
                })
                .to_vec(),
            optimal: None,
        };
        let plot = Plot::new(&chart, (0.0, 600.0), (0.0, 100.0));
        let [first, second, last] = [0.0, 1.0, 5.0].map(|lag| plot.x(lag));
        assert!((last - first - 5.0 * (second - first)).abs() < 1e-9);
        assert!((second - first - plot.step).abs() < 1e-9);
    }
}
