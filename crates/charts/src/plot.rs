//! The rectangle of the data of a picture: its axes, where values lie in it, and what stands beside it.

use chrono::{Datelike as _, NaiveDate};

use crate::{
    axis::{ValueAxis, date_ticks},
    font::Weight,
    palette::Ink,
    scene::{Anchor, Point, Scene},
    text::clean,
    unit::{with_minus_sign, write_number},
};

/// Size of the letters of ticks, legends and side labels.
pub(crate) const LABEL: f64 = 12.0;
pub(crate) const LINE_HEIGHT: f64 = 15.0;
pub(crate) const BAND_OPACITY: f64 = 0.16;
/// How far above the plot the unit stands where nothing else is there.
pub(crate) const UNIT_ABOVE: f64 = 13.0;
/// Between an edge of the plot and the outermost marks, so that they stay inside.
const INSET: f64 = 8.0;

/// A plot of which the width is not yet decided.
pub(crate) struct Room {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    axis: ValueAxis,
    ticks: Vec<String>,
}

/// Lines of text at the right of the plot, beside what they name.
pub(crate) struct SideLabel {
    /// The value that they name.
    pub(crate) value: f64,
    pub(crate) lines: Vec<(String, Weight, Ink)>,
}

impl Room {
    /// The room between two heights for values from `lowest` to `highest`.
    pub(crate) fn new(
        scene: &Scene,
        (top, bottom): (f64, f64),
        (lowest, highest): (f64, f64),
        decimals: u8,
    ) -> Self {
        let wanted = ((bottom - top) / 46.0).round().clamp(2.0, 7.0) as usize;
        let axis = ValueAxis::around(lowest, highest, decimals, wanted);
        let ticks = tick_labels(&axis);
        let widest = widest(scene, &ticks, LABEL, Weight::Regular);
        Self {
            left: scene.margin() + widest + 8.0,
            right: scene.width() - scene.margin(),
            top,
            bottom,
            axis,
            ticks,
        }
    }

    /// Keep so much room at the right as these labels need, at most three tenths of the plot; longer
    /// labels are cut.
    pub(crate) fn reserve_side(
        &mut self,
        scene: &Scene,
        mut labels: Vec<SideLabel>,
    ) -> Vec<SideLabel> {
        let most = (scene.width() - self.left) * 0.3;
        let mut widest = 0.0f64;
        for (text, weight, _) in labels.iter_mut().flat_map(|label| &mut label.lines) {
            *text = scene.fonts.fit(text, LABEL, *weight, most);
            widest = widest.max(scene.fonts.room(text, LABEL, *weight));
        }
        if widest > 0.0 {
            self.right -= widest + 10.0;
        }
        labels
    }

    /// The plot of the days from `first` to `last`.
    pub(crate) fn of_days(self, first: NaiveDate, last: NaiveDate) -> Plot {
        let number = |date: NaiveDate| f64::from(date.num_days_from_ce());
        self.of_numbers(number(first), number(last))
    }

    /// The plot of the numbers from `low` to `high`.
    pub(crate) fn of_numbers(self, low: f64, high: f64) -> Plot {
        Plot {
            left: self.left,
            right: self.right,
            top: self.top,
            bottom: self.bottom,
            low,
            span: high - low,
            axis: self.axis,
            ticks: self.ticks,
        }
    }
}

/// The rectangle of the data, and where a day or number and a value lie in it.
pub(crate) struct Plot {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// The number at the left end, and how far it is to the right end.
    low: f64,
    span: f64,
    axis: ValueAxis,
    ticks: Vec<String>,
}

impl Plot {
    pub(crate) fn x(&self, number: f64) -> f64 {
        if self.span == 0.0 {
            return f64::midpoint(self.left, self.right);
        }
        let (left, right) = (self.left + INSET, self.right - INSET);
        left + (number - self.low) / self.span * (right - left)
    }

    pub(crate) fn x_of(&self, date: NaiveDate) -> f64 {
        self.x(f64::from(date.num_days_from_ce()))
    }

    pub(crate) fn y(&self, value: f64) -> f64 {
        self.bottom - self.axis.fraction(value) * (self.bottom - self.top)
    }

    pub(crate) fn at(&self, number: f64, value: f64) -> Point {
        (self.x(number), self.y(value))
    }

    pub(crate) fn on(&self, date: NaiveDate, value: f64) -> Point {
        (self.x_of(date), self.y(value))
    }

    /// The distance between two days.
    pub(crate) fn step(&self) -> f64 {
        (self.right - self.left - 2.0 * INSET) / self.span.max(1.0)
    }

    /// Left and right end of the column of a day, inside the plot.
    pub(crate) fn column(&self, date: NaiveDate) -> (f64, f64) {
        let (x, half) = (self.x_of(date), self.step() / 2.0);
        ((x - half).max(self.left), (x + half).min(self.right))
    }

    /// The values at the left with their grid lines, and the unit once, so far above the plot.
    pub(crate) fn value_axis(&self, scene: &mut Scene, unit: &str, above: f64) {
        let style = (LABEL, Weight::Regular, Ink::Muted);
        let width = self.right - self.left;
        for (tick, label) in self.axis.ticks.iter().zip(&self.ticks) {
            let y = self.y(*tick);
            scene.rectangle((self.left, y - 0.5), (width, 1.0), Ink::Grid, 1.0);
            scene.text((self.left - 8.0, y + 4.0), Anchor::End, style, label);
        }
        scene.rectangle((self.left, self.bottom - 0.5), (width, 1.0), Ink::Rule, 1.0);
        let unit = self.fitted_unit(scene, unit);
        let at = (scene.margin(), self.top - above);
        scene.text(at, Anchor::Start, style, &unit);
    }

    fn fitted_unit(&self, scene: &Scene, unit: &str) -> String {
        let room = self.right - scene.margin();
        let fonts = &scene.fonts;
        fonts.fit(&clean(unit), LABEL, Weight::Regular, room)
    }

    /// Round dates so far below the plot, with their years.
    pub(crate) fn date_axis(
        &self,
        scene: &mut Scene,
        (first, last): (NaiveDate, NaiveDate),
        below: f64,
    ) {
        let style = (LABEL, Weight::Regular, Ink::Muted);
        let margin = scene.margin();
        let most = ((self.right - self.left) / 62.0).floor().max(1.0) as usize;
        for tick in date_ticks(first, last, most) {
            let x = self.x_of(tick.date);
            scene.rectangle((x - 0.5, self.bottom + below), (1.0, 4.0), Ink::Rule, 1.0);
            let half = scene.fonts.room(&tick.label, LABEL, Weight::Regular) / 2.0;
            let middle = x.clamp(margin + half, scene.width() - margin - half);
            let mut baseline = self.bottom + below + 17.0;
            scene.text((middle, baseline), Anchor::Middle, style, &tick.label);
            if let Some(year) = tick.year {
                baseline += LINE_HEIGHT;
                scene.text((middle, baseline), Anchor::Middle, style, &year);
            }
        }
    }

    /// Round numbers below the plot.
    pub(crate) fn number_axis(&self, scene: &mut Scene, axis: &ValueAxis) {
        let labels = tick_labels(axis);
        let places = axis.ticks.iter().map(|tick| self.x(*tick)).zip(&labels);
        let inside = places.filter(|(x, _)| (self.left..=self.right).contains(x));
        numbers_below(scene, inside, self.bottom);
    }

    /// The labels beside their values, pushed apart where they would overlap.
    pub(crate) fn side_labels(&self, scene: &mut Scene, labels: Vec<SideLabel>) {
        let height = |label: &SideLabel| label.lines.len() as f64 * LINE_HEIGHT;
        let mut labels: Vec<(f64, SideLabel)> = labels
            .into_iter()
            .map(|label| (self.y(label.value) - height(&label) / 2.0, label))
            .collect();
        labels.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut free_from = self.top - LINE_HEIGHT;
        for (y, label) in &mut labels {
            *y = y.max(free_from);
            free_from = *y + height(label) + 3.0;
        }
        let mut free_to = self.bottom + LINE_HEIGHT;
        for (y, label) in labels.iter_mut().rev() {
            *y = y.min(free_to - height(label));
            free_to = *y - 3.0;
        }
        for (y, label) in labels {
            for (index, (text, weight, ink)) in label.lines.iter().enumerate() {
                let baseline = y + index as f64 * LINE_HEIGHT + 11.5;
                let at = (self.right + 10.0, baseline);
                scene.text(at, Anchor::Start, (LABEL, *weight, *ink), text);
            }
        }
    }
}

/// The numbers of an axis as a picture writes them.
pub(crate) fn tick_labels(axis: &ValueAxis) -> Vec<String> {
    let write = |tick: &f64| with_minus_sign(&write_number(*tick, axis.decimals));
    axis.ticks.iter().map(write).collect()
}

/// The room of the widest text.
pub(crate) fn widest(scene: &Scene, texts: &[String], size: f64, weight: Weight) -> f64 {
    texts
        .iter()
        .map(|text| scene.fonts.room(text, size, weight))
        .fold(0.0, f64::max)
}

/// Ticks and numbers below a level line; a number that would touch the one before it is left out.
pub(crate) fn numbers_below<'a>(
    scene: &mut Scene,
    places: impl Iterator<Item = (f64, &'a String)>,
    y: f64,
) {
    let style = (LABEL, Weight::Regular, Ink::Muted);
    let margin = scene.margin();
    let mut free_from = f64::NEG_INFINITY;
    for (x, label) in places {
        scene.rectangle((x - 0.5, y), (1.0, 4.0), Ink::Rule, 1.0);
        let half = scene.fonts.room(label, LABEL, Weight::Regular) / 2.0;
        let middle = x.min(scene.width() - margin - half).max(margin + half);
        if middle - half >= free_from {
            scene.text((middle, y + 17.0), Anchor::Middle, style, label);
            free_from = middle + half + 8.0;
        }
    }
}
