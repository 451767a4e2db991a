//! Labelled rows over one axis of values: label and note at the left, a number at the right, and
//! between them the room for marks.
//!
//! In a narrow picture the label stands above its marks.

use crate::{
    axis::ValueAxis,
    font::Weight,
    legend::{self, Swatch},
    palette::Ink,
    plot::{numbers_below, tick_labels, widest},
    scene::{Anchor, PictureSize, Scene},
    text::clean,
};

const LETTERS: f64 = 13.0;
const NOTE: f64 = 11.0;
/// From one row to the next where there is room enough.
const PITCH: f64 = 30.0;
const PITCH_WITH_NOTE: f64 = 38.0;
const STACKED_PITCH: f64 = 42.0;
/// Part of a stacked row above the middle of its marks.
const MIDDLE_WHEN_STACKED: f64 = 0.7;
/// Rows lower than this show no note.
const LEAST_PITCH_WITH_NOTE: f64 = 25.0;
/// Room of the numbers below the rows.
const AXIS: f64 = 22.0;
/// The lowest rows beside a closing sentence.
const LEAST_ROW: f64 = 9.0;

/// The words of a row.
pub(crate) struct Row {
    pub(crate) label: String,
    /// A remark about the label, for example the value of a feature. May be empty.
    pub(crate) note: String,
    /// What the marks show, as a number.
    pub(crate) number: String,
    pub(crate) is_strong: bool,
}

/// What stands above and below the rows.
pub(crate) struct Around {
    pub(crate) subtitle: String,
    /// May be empty.
    pub(crate) legend: Vec<(Swatch, String)>,
    pub(crate) sentence: String,
}

/// Where rows and values lie.
pub(crate) struct Rows {
    axis: ValueAxis,
    left: f64,
    right: f64,
    top: f64,
    pitch: f64,
    is_stacked: bool,
}

impl Rows {
    /// Lay out the rows below the heading, and draw their words and the axis of values from `lowest` to
    /// `highest`; a legend above them and a sentence below them where there is room for it.
    pub(crate) fn draw(
        scene: &mut Scene,
        rows: &[Row],
        (lowest, highest): (f64, f64),
        decimals: u8,
        around: &Around,
    ) -> Self {
        let margin = scene.margin();
        let sentence = &around.sentence;
        let mut top = scene.heading(&around.subtitle) + 8.0;
        let is_low = scene.height() - top < 60.0 + rows.len() as f64 * 14.0;
        if !around.legend.is_empty() && !is_low {
            top = legend::draw(scene, &around.legend, top) + 8.0;
        }
        let least = rows.len() as f64 * LEAST_ROW + AXIS;
        let bottom = scene.closing(sentence, top, least) - AXIS;
        let is_stacked = scene.is_narrow();
        let full = full_pitch(rows, is_stacked);
        let pitch = ((bottom - top) / rows.len() as f64).clamp(1.0, full);
        let has_notes = full == PITCH_WITH_NOTE && pitch >= LEAST_PITCH_WITH_NOTE;
        let share = if is_stacked || has_notes { 0.42 } else { 0.7 };
        let letters = LETTERS.min(pitch * share);
        let fitted = |text: &str, size: f64, weight: Weight, most: f64| {
            scene.fonts.fit(&clean(text), size, weight, most)
        };
        let width = scene.width();
        let weight = |row: &Row| weight(row.is_strong);
        let numbers: Vec<String> = rows
            .iter()
            .map(|row| fitted(&row.number, letters, weight(row), width * 0.3))
            .collect();
        let number_room = widest(scene, &numbers, letters, Weight::Strong);
        let label_most = if is_stacked {
            width - 2.0 * margin - number_room - 10.0
        } else {
            width * 0.4
        };
        let labels: Vec<String> = rows
            .iter()
            .map(|row| fitted(&row.label, letters, weight(row), label_most))
            .collect();
        let note_size = NOTE.min(letters);
        let notes: Vec<String> = rows
            .iter()
            .zip(&labels)
            .map(|(row, label)| {
                let used = if is_stacked {
                    scene.fonts.room(label, letters, weight(row)) + 8.0
                } else {
                    0.0
                };
                // A few letters of a note say nothing.
                if !(has_notes || is_stacked) || label_most - used < 40.0 {
                    return String::new();
                }
                fitted(&row.note, note_size, Weight::Regular, label_most - used)
            })
            .collect();
        let (left, right) = if is_stacked {
            (margin + 4.0, width - margin - 4.0)
        } else {
            let labels = widest(scene, &labels, letters, Weight::Strong);
            let notes = widest(scene, &notes, note_size, Weight::Regular);
            let left = margin + labels.max(notes) + 14.0;
            (left, (width - margin - number_room - 14.0).max(left + 10.0))
        };
        let wanted = ((right - left) / 80.0).round().clamp(2.0, 8.0) as usize;
        let axis = ValueAxis::around(lowest, highest, decimals, wanted);
        let table = Self {
            axis,
            left,
            right,
            top,
            pitch,
            is_stacked,
        };
        table.draw_axis(scene, rows.len());
        for (index, row) in rows.iter().enumerate() {
            let ink = if row.is_strong { Ink::Text } else { Ink::Muted };
            let style = (letters, weight(row), Ink::Text);
            let note_style = (note_size, Weight::Regular, Ink::Muted);
            let number_style = (letters, weight(row), ink);
            let note = &notes[index];
            let at_end = scene.width() - margin;
            if is_stacked {
                let baseline = table.upper(index) + letters * 1.1;
                scene.text((margin, baseline), Anchor::Start, style, &labels[index]);
                let used = scene.fonts.room(&labels[index], letters, weight(row)) + 8.0;
                let at = (margin + used, baseline);
                scene.text(at, Anchor::Start, note_style, note);
                let at = (at_end, baseline);
                scene.text(at, Anchor::End, number_style, &numbers[index]);
                continue;
            }
            let middle = table.middle(index);
            let baseline = middle + letters * 0.36;
            let label_at = if note.is_empty() {
                baseline
            } else {
                let at = (left - 14.0, middle + note_size + 1.5);
                scene.text(at, Anchor::End, note_style, note);
                middle - 2.0
            };
            let at = (left - 14.0, label_at);
            scene.text(at, Anchor::End, style, &labels[index]);
            let at = (at_end, baseline);
            scene.text(at, Anchor::End, number_style, &numbers[index]);
        }
        table
    }

    /// Grid lines behind the marks, and numbers below the rows.
    fn draw_axis(&self, scene: &mut Scene, count: usize) {
        for tick in &self.axis.ticks {
            let x = self.x(*tick);
            self.upright(scene, (x - 0.5, x + 0.5), count, (Ink::Grid, 1.0));
        }
        let bottom = self.upper(count);
        let labels = tick_labels(&self.axis);
        let places = self.axis.ticks.iter().map(|tick| self.x(*tick));
        numbers_below(scene, places.zip(&labels), bottom);
        let rule = (self.left, bottom - 0.5);
        scene.rectangle(rule, (self.right - self.left, 1.0), Ink::Rule, 1.0);
    }

    /// A line at a value, behind the marks of `count` rows.
    pub(crate) fn level(&self, scene: &mut Scene, value: f64, count: usize, ink: Ink) {
        let x = self.x(value);
        self.upright(scene, (x - 0.6, x + 0.6), count, (ink, 1.0));
    }

    /// An area from one value to another, behind the marks of `count` rows.
    pub(crate) fn band(
        &self,
        scene: &mut Scene,
        (low, high): (f64, f64),
        count: usize,
        fill: (Ink, f64),
    ) {
        let (low, high) = (self.x(low).max(self.left), self.x(high).min(self.right));
        self.upright(scene, (low, high.max(low + 1.0)), count, fill);
    }

    /// A box over the height of all rows; where labels stand above their marks, it leaves them out.
    fn upright(
        &self,
        scene: &mut Scene,
        (left, right): (f64, f64),
        count: usize,
        (ink, opacity): (Ink, f64),
    ) {
        let stretches = if self.is_stacked {
            let words = self.pitch * (MIDDLE_WHEN_STACKED - 0.26);
            let rows = (0..count).map(|row| (self.upper(row) + words, self.upper(row + 1)));
            rows.collect()
        } else {
            vec![(self.top, self.upper(count))]
        };
        for (top, bottom) in stretches {
            scene.rectangle((left, top), (right - left, bottom - top), ink, opacity);
        }
    }

    /// A line from the end of the marks of one row to those of the next; none where the words of the
    /// next row are in its way.
    pub(crate) fn join(&self, scene: &mut Scene, x: f64, row: usize) {
        if !self.is_stacked {
            let ends = vec![(x, self.middle(row)), (x, self.middle(row + 1))];
            scene.line(ends, Ink::Rule, 1.0);
        }
    }

    pub(crate) fn x(&self, value: f64) -> f64 {
        self.left + self.axis.fraction(value) * (self.right - self.left)
    }

    fn upper(&self, index: usize) -> f64 {
        self.top + index as f64 * self.pitch
    }

    /// The height at which the marks of a row stand.
    pub(crate) fn middle(&self, index: usize) -> f64 {
        let share = if self.is_stacked {
            MIDDLE_WHEN_STACKED
        } else {
            0.5
        };
        self.upper(index) + self.pitch * share
    }

    /// How thick a bar is.
    pub(crate) fn thickness(&self) -> f64 {
        let share = if self.is_stacked { 0.36 } else { 0.56 };
        (self.pitch * share).min(17.0)
    }
}

fn weight(is_strong: bool) -> Weight {
    if is_strong {
        Weight::Strong
    } else {
        Weight::Regular
    }
}

fn full_pitch(rows: &[Row], is_stacked: bool) -> f64 {
    if is_stacked {
        STACKED_PITCH
    } else if rows.iter().any(|row| !row.note.trim().is_empty()) {
        PITCH_WITH_NOTE
    } else {
        PITCH
    }
}

/// The height at which no row has to shrink in a picture of this width.
pub(crate) fn natural_height(rows: &[Row], title: &str, around: &Around, width: u32) -> u32 {
    let size = PictureSize {
        width: width.clamp(240, 4000),
        ..PictureSize::default()
    };
    let mut scene = Scene::new(size, title, String::new());
    let mut top = scene.heading(&around.subtitle) + 8.0;
    if !around.legend.is_empty() {
        top = legend::bottom(&scene, &around.legend, top) + 8.0;
    }
    let pitch = full_pitch(rows, scene.is_narrow());
    let room = scene.width() - 2.0 * scene.margin();
    let fonts = &scene.fonts;
    let lines = fonts.wrap(&around.sentence, 12.0, Weight::Regular, room, 3);
    let below = AXIS + lines.len() as f64 * 16.0 + 8.0 + scene.margin();
    let height = top + rows.len() as f64 * pitch + below;
    (height.ceil() as u32).clamp(160, 4000)
}
