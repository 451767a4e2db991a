//! The layout of an [`ExperimentChart`] in a picture.

use crate::{
    chart::Drawn as _,
    experiment::{ExperimentChart, LETTERS, Span},
    font::Weight,
    legend::{self, Swatch},
    palette::Ink,
    plot::{LABEL, Plot, Room, SideLabel},
    scene::{Anchor, PictureSize, Scene},
    text::clean,
    unit::with_minus_sign,
};

const BLOCK_OPACITY: f64 = 0.2;
const WASHOUT_OPACITY: f64 = 0.07;
/// Height of the strip above the plot that names the blocks.
const STRIP: f64 = 17.0;
/// Height below the values for the crosses of days that were not followed.
const CROSSES: f64 = 12.0;

fn ink_of(condition: Option<usize>) -> Ink {
    match condition {
        Some(0) => Ink::Negative,
        Some(_) => Ink::Positive,
        None => Ink::Grid,
    }
}

/// The stronger ink of the values on such a ground.
fn mark_ink(condition: Option<usize>) -> Ink {
    match condition {
        Some(0) => Ink::Reading,
        Some(_) => Ink::Forecast,
        None => Ink::Average,
    }
}

/// Lay out a checked chart.
pub(crate) fn scene(chart: &ExperimentChart, size: PictureSize) -> Scene {
    let mut scene = Scene::new(size, &chart.title, chart.describe());
    let top = scene.heading(&chart.subtitle) + 8.0;
    let below_legend = legend::draw(&mut scene, &entries(chart), top);
    let top = below_legend + 22.0 + STRIP;
    let bottom = scene.height() - scene.margin() - 34.0;
    let bottom = (bottom - CROSSES).max(top + 24.0);
    let extremes = chart.extremes();
    let decimals = chart.unit.decimals;
    let mut room = Room::new(
        &scene,
        (top, bottom),
        extremes.unwrap_or((0.0, 1.0)),
        decimals,
    );
    let labels = if scene.is_narrow() {
        Vec::new()
    } else {
        side_labels(chart)
    };
    let labels = room.reserve_side(&scene, labels);
    let (first, last) = chart.span();
    let plot = room.of_days(first, last);
    for span in chart.spans() {
        block(&mut scene, &plot, span);
    }
    // Without any value there is no scale to read.
    if extremes.is_some() {
        plot.value_axis(&mut scene, &chart.unit.symbol, STRIP + 5.0);
    }
    plot.date_axis(&mut scene, (first, last), CROSSES);
    means(&mut scene, chart, &plot);
    let radius = (plot.step() * 0.35).clamp(1.2, 4.0);
    for day in &chart.days {
        let ink = mark_ink(day.condition);
        if let Some(value) = day.value {
            let at = plot.on(day.day, value);
            // What does not count is smaller.
            let radius = if day.is_washout || day.condition.is_none() {
                radius * 0.6
            } else {
                radius
            };
            if day.condition == Some(1) {
                scene.ring(at, radius, (radius * 0.4).clamp(0.6, 1.6), ink);
            } else {
                scene.dot(at, radius, ink);
            }
        }
        if day.adhered == Some(false) {
            let at = (plot.x_of(day.day), plot.bottom + CROSSES / 2.0 + 1.0);
            scene.cross(at, radius.min(3.2), Ink::Text);
        }
    }
    today(&mut scene, chart, &plot);
    plot.side_labels(&mut scene, labels);
    scene
}

fn entries(chart: &ExperimentChart) -> Vec<(Swatch, String)> {
    let spans = chart.spans();
    let name = |condition: usize| {
        let label = clean(&chart.condition_labels[condition]);
        let mean = chart.means[condition].map_or_else(String::new, |(mean, ..)| {
            format!(
                ", mean {}",
                with_minus_sign(&chart.shown_unit().write(mean))
            )
        });
        format!("{}: {label}{mean}", LETTERS[condition])
    };
    let mut entries = vec![
        (Swatch::Dot(mark_ink(Some(0))), name(0)),
        (Swatch::Ring(mark_ink(Some(1))), name(1)),
    ];
    if spans.iter().any(|span| span.is_washout) {
        let swatch = Swatch::Band(Ink::Average, WASHOUT_OPACITY + 0.1);
        entries.push((swatch, "washout".to_owned()));
    }
    if chart.means.iter().any(Option::is_some) {
        entries.push((Swatch::Line(Ink::Text), "mean and interval".to_owned()));
    }
    if chart.not_followed().next().is_some() {
        entries.push((Swatch::Cross(Ink::Text), "not followed".to_owned()));
    }
    entries
}

/// The ground of a block, and its letter above it.
fn block(scene: &mut Scene, plot: &Plot, span: Span) {
    let Some(condition) = span.condition else {
        return;
    };
    let (left, right) = (plot.column(span.first).0, plot.column(span.last).1);
    let ground = (right - left, plot.bottom + CROSSES - plot.top);
    let opacity = if span.is_washout {
        WASHOUT_OPACITY
    } else {
        BLOCK_OPACITY
    };
    let ink = ink_of(span.condition);
    scene.rectangle((left, plot.top), ground, ink, opacity);
    let strip = (right - left, STRIP - 2.0);
    let strip_opacity = if span.is_washout { opacity } else { 0.55 };
    scene.rectangle((left, plot.top - STRIP), strip, ink, strip_opacity);
    let letter = LETTERS[condition];
    let needed = scene.fonts.room(letter, LABEL, Weight::Strong);
    if !span.is_washout && right - left >= needed + 2.0 {
        let at = (f64::midpoint(left, right), plot.top - 5.5);
        let style = (LABEL, Weight::Strong, Ink::Text);
        scene.text(at, Anchor::Middle, style, letter);
    }
}

/// The mean of a condition in each of its blocks, with its interval as an area.
fn means(scene: &mut Scene, chart: &ExperimentChart, plot: &Plot) {
    for span in chart.spans().iter().filter(|span| !span.is_washout) {
        let Some((condition, means)) = span
            .condition
            .and_then(|condition| chart.means[condition].map(|means| (condition, means)))
        else {
            continue;
        };
        let (mean, lower, upper) = means;
        let (left, right) = (plot.column(span.first).0, plot.column(span.last).1);
        let (high, low) = (plot.y(upper), plot.y(lower));
        let ink = mark_ink(Some(condition));
        let extent = (right - left, (low - high).max(1.0));
        scene.rectangle((left, high), extent, ink, BLOCK_OPACITY);
        let y = plot.y(mean);
        scene.line(vec![(left, y), (right, y)], ink, 1.8);
    }
}

/// A line at the present day, named above the blocks.
fn today(scene: &mut Scene, chart: &ExperimentChart, plot: &Plot) {
    let (first, last) = chart.span();
    let Some(today) = chart.today.filter(|day| (first..=last).contains(day)) else {
        return;
    };
    let x = plot.x_of(today);
    let top = plot.top - STRIP - 2.0;
    scene.line(vec![(x, top), (x, plot.bottom + CROSSES)], Ink::Text, 1.0);
    let half = scene.fonts.room("today", LABEL, Weight::Regular) / 2.0;
    // Beside the unit, which stands at the left where there is a scale.
    let unit = match chart.extremes() {
        Some(_) => {
            scene
                .fonts
                .room(&clean(&chart.unit.symbol), LABEL, Weight::Regular)
                + 10.0
        }
        None => 0.0,
    };
    let least = scene.margin() + unit + half;
    let most = scene.width() - scene.margin() - half;
    let style = (LABEL, Weight::Regular, Ink::Text);
    let at = (x.max(least).min(most), top - 3.0);
    scene.text(at, Anchor::Middle, style, "today");
}

/// The means in numbers.
fn side_labels(chart: &ExperimentChart) -> Vec<SideLabel> {
    let unit = chart.shown_unit();
    let labels = chart.means.iter().enumerate();
    labels
        .filter_map(|(condition, means)| {
            let (mean, lower, upper) = (*means)?;
            let number = format!(
                "{} {}",
                LETTERS[condition],
                with_minus_sign(&unit.write(mean))
            );
            let range = with_minus_sign(&unit.write_range(lower, upper));
            Some(SideLabel {
                value: mean,
                lines: vec![
                    (number, Weight::Strong, mark_ink(Some(condition))),
                    (range, Weight::Regular, Ink::Muted),
                ],
            })
        })
        .collect()
}
