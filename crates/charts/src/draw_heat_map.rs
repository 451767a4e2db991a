//! The layout of a [`HeatMap`] in a picture.
//!
//! Labels stand left of their cells. Where they would not fit there, as on a phone, each stands
//! above its cells; and columns that do not fit beside the others follow below them.

use crate::{
    correlation::write_correlation,
    font::{Fonts, Weight},
    heat_map::{HeatCell, HeatMap},
    legend,
    palette::Ink,
    scene::{Anchor, PictureSize, Point, Scene},
    text::clean,
};

/// Size of labels, numbers and column names; less where there is little room.
const LETTERS: f64 = 12.0;
const LINE_HEIGHT: f64 = 14.0;
/// From one row to the next where there is room enough.
const PITCH: f64 = 26.0;
/// The same with the label above the cells.
const STACKED_PITCH: f64 = 44.0;
/// Rows lower than this need the room of the legend more than the legend.
const LEAST_PITCH: f64 = 9.0;
/// Part of a stacked row that the cells take.
const CELL_SHARE: f64 = 0.56;
/// Between a label and its cells.
const GAP: f64 = 12.0;
/// A label this wide or wider may be cut where it stands left of its cells.
const WIDE_LABEL: f64 = 300.0;
/// The widest column.
const WIDEST_STEP: f64 = 104.0;
/// Free space around each cell.
const SEAM: f64 = 1.0;

/// Lay out a checked map.
pub(crate) fn scene(map: &HeatMap, size: PictureSize) -> Scene {
    let mut scene = Scene::new(size, &map.title, map.describe());
    let bottom = scene.height() - scene.margin();
    let below_heading = scene.heading(&map.subtitle) + 8.0;
    let legend = Legend::new(&scene, map, below_heading);
    let mut top = legend.bottom + GAP;
    let mut table = Table::laid_out(&scene, map, Some(bottom - top));
    if table.pitch >= LEAST_PITCH {
        legend.draw(&mut scene);
    } else {
        top = below_heading;
        table = Table::laid_out(&scene, map, Some(bottom - top));
    }
    for band in 0..table.bands {
        draw_band(&mut scene, map, &table, band, top);
    }
    scene
}

/// The height at which no row has to shrink.
pub(crate) fn natural_height(map: &HeatMap, width: u32) -> u32 {
    let size = PictureSize {
        width,
        ..PictureSize::default()
    };
    let mut scene = Scene::new(size, &map.title, String::new());
    let below_heading = scene.heading(&map.subtitle) + 8.0;
    let top = Legend::new(&scene, map, below_heading).bottom + GAP;
    let table = Table::laid_out(&scene, map, None);
    let height = top + table.bands as f64 * table.band_height(map) - GAP + scene.margin();
    height.ceil() as u32
}

/// All rows with as many columns as fit beside each other.
fn draw_band(scene: &mut Scene, map: &HeatMap, table: &Table, band: usize, top: f64) {
    let first = band * table.columns;
    let last = (first + table.columns).min(map.columns.len());
    let top = top + band as f64 * table.band_height(map);
    let rows_top = top + table.header_height;
    for (index, lines) in table.header[first..last].iter().enumerate() {
        let middle = table.left + (index as f64 + 0.5) * table.step;
        // The last lines of all names stand on one level.
        for (line, text) in lines.iter().rev().enumerate() {
            let at = (middle, rows_top - 7.0 - line as f64 * LINE_HEIGHT);
            let style = (table.header_size, Weight::Strong, Ink::Muted);
            scene.text(at, Anchor::Middle, style, text);
        }
    }
    let height = table.cell_height();
    let style = (table.letters, Weight::Regular, Ink::Text);
    for (index, row) in map.rows.iter().enumerate() {
        let y = rows_top + index as f64 * table.pitch;
        let label = scene.fonts.fit(
            &clean(&row.label),
            table.letters,
            Weight::Regular,
            table.label_room,
        );
        let cells_top = y + table.pitch - height;
        if table.is_stacked {
            let at = (table.left + SEAM, cells_top - 5.0);
            scene.text(at, Anchor::Start, style, &label);
        } else {
            let at = (table.left - GAP, y + middle_of(height, table.letters));
            scene.text(at, Anchor::End, style, &label);
        }
        for (column, cell) in row.cells[first..last].iter().enumerate() {
            let left = table.left + column as f64 * table.step;
            let seam = SEAM.min(height / 6.0);
            let corner = (left + seam, cells_top + seam);
            let extent = (table.step - 2.0 * seam, height - 2.0 * seam);
            draw_cell(scene, *cell, corner, extent, table.number_size);
        }
    }
}

/// How far below the upper edge of a box text of this size stands in its middle.
fn middle_of(height: f64, letters: f64) -> f64 {
    height / 2.0 + letters * 0.36
}

/// How much room the widest number needs in the middle of a cell: its star, as much on the other
/// side, and a little air.
fn number_room(fonts: &Fonts) -> f64 {
    fonts.room("\u{2212}0.00**", LETTERS, Weight::Strong) + 6.0
}

/// The sizes of the table.
struct Table {
    is_stacked: bool,
    /// Columns beside each other; the others follow below them.
    columns: usize,
    /// How often the rows are drawn, each time with the next columns.
    bands: usize,
    /// Left edge of the first column.
    left: f64,
    /// From one column to the next.
    step: f64,
    /// From one row to the next.
    pitch: f64,
    label_room: f64,
    letters: f64,
    number_size: f64,
    header_size: f64,
    /// The lines of each column name.
    header: Vec<Vec<String>>,
    header_height: f64,
}

impl Table {
    /// The table in this height, or as high as it likes where there is none.
    fn laid_out(scene: &Scene, map: &HeatMap, height: Option<f64>) -> Self {
        let fonts = &scene.fonts;
        let inner = scene.width() - 2.0 * scene.margin();
        let count = map.columns.len();
        let words = map.columns.iter().flat_map(|name| name.split_whitespace());
        let longest_word = widest(words, |word| {
            fonts.room(&clean(word), LETTERS, Weight::Strong)
        });
        let least_step = number_room(fonts).max((longest_word + 8.0).min(WIDEST_STEP));
        let widest_label = widest(map.rows.iter().map(|row| row.label.as_str()), |label| {
            fonts.room(&clean(label), LETTERS, Weight::Regular)
        });
        let beside = inner - GAP - count as f64 * least_step;
        if beside < widest_label.min(WIDE_LABEL) {
            // A number may shrink a little before its column moves below the others.
            let most = (inner / (0.8 * number_room(fonts))).floor().max(1.0) as usize;
            for bands in [count.div_ceil(most), 1] {
                let table = Self::stacked(scene, map, height, bands);
                if table.pitch >= 0.7 * STACKED_PITCH {
                    return table;
                }
            }
            // Where the picture is too low for two lines a row, a cut label is the smaller evil.
        }
        let label_room = widest_label.min(beside.max(inner * 0.3));
        let left = scene.margin() + label_room + GAP;
        let step = (inner - label_room - GAP) / count as f64;
        Self {
            is_stacked: false,
            columns: count,
            bands: 1,
            left,
            step: step.min(WIDEST_STEP),
            pitch: PITCH,
            label_room,
            letters: LETTERS,
            number_size: LETTERS,
            header_size: LETTERS,
            header: Vec::new(),
            header_height: 0.0,
        }
        .fitted(fonts, map, height)
    }

    /// Each label above its cells.
    fn stacked(scene: &Scene, map: &HeatMap, height: Option<f64>, bands: usize) -> Self {
        let inner = scene.width() - 2.0 * scene.margin();
        let columns = map.columns.len().div_ceil(bands);
        Self {
            is_stacked: true,
            columns,
            bands,
            left: scene.margin(),
            step: (inner / columns as f64).min(WIDEST_STEP),
            pitch: STACKED_PITCH,
            label_room: inner,
            letters: LETTERS,
            number_size: LETTERS,
            header_size: LETTERS,
            header: Vec::new(),
            header_height: 0.0,
        }
        .fitted(&scene.fonts, map, height)
    }

    /// The table with its column names, and with rows and letters as small as the height demands.
    fn fitted(mut self, fonts: &Fonts, map: &HeatMap, height: Option<f64>) -> Self {
        (self.header_size, self.header) = header(fonts, &map.columns, self.step);
        let lines = self.header.iter().map(Vec::len).max().unwrap_or(0);
        self.header_height = lines as f64 * LINE_HEIGHT + 6.0;
        if let Some(height) = height {
            let room = (height + GAP) / self.bands as f64 - GAP - self.header_height;
            self.pitch = (room / map.rows.len() as f64).clamp(1.0, self.pitch);
        }
        let share = if self.is_stacked { 0.3 } else { 0.62 };
        self.letters = LETTERS.min(self.pitch * share);
        let by_width = LETTERS * (self.step - 2.0 * SEAM) / number_room(fonts);
        self.number_size = LETTERS.min(self.cell_height() * 0.62).min(by_width);
        self
    }

    fn cell_height(&self) -> f64 {
        if self.is_stacked {
            self.pitch * CELL_SHARE
        } else {
            self.pitch
        }
    }

    /// From one band to the next.
    fn band_height(&self, map: &HeatMap) -> f64 {
        self.header_height + map.rows.len() as f64 * self.pitch + GAP
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>, room: impl Fn(&str) -> f64) -> f64 {
    texts.map(room).fold(0.0, f64::max)
}

/// The column names in at most two lines each, and the size at which they are least cut.
fn header(fonts: &Fonts, names: &[String], step: f64) -> (f64, Vec<Vec<String>>) {
    let at = |size: f64| -> Vec<Vec<String>> {
        names
            .iter()
            .map(|name| fonts.wrap(&clean(name), size, Weight::Strong, step - 4.0, 2))
            .collect()
    };
    for size in [LETTERS, 10.5] {
        let lines = at(size);
        let is_whole = lines.iter().flatten().all(|line| !line.ends_with('…'));
        if is_whole {
            return (size, lines);
        }
    }
    (9.0, at(9.0))
}

/// One cell: ground, frame, number.
fn draw_cell(
    scene: &mut Scene,
    cell: Option<HeatCell>,
    (left, top): Point,
    (width, height): (f64, f64),
    letters: f64,
) {
    let baseline = top + middle_of(height, letters);
    let middle = left + width / 2.0;
    let Some(cell) = cell else {
        draw_hatch(scene, (left, top), (width, height));
        // The dash stands on clear ground.
        let patch = (letters * 1.4).min(width * 0.6);
        let corner = (middle - patch / 2.0, top + height * 0.2);
        scene.rectangle(corner, (patch, height * 0.6), Ink::Surface, 1.0);
        let style = (letters, Weight::Regular, Ink::Muted);
        scene.text((middle, baseline), Anchor::Middle, style, "\u{2013}");
        return;
    };
    draw_ground(scene, cell.value, (left, top), (width, height));
    let mut weight = Weight::Regular;
    if cell.stands_out {
        weight = Weight::Strong;
        draw_frame(scene, (left, top), (width, height));
    }
    // Numbers end on one line whether a star follows or not.
    let end = middle + scene.fonts.width("+0.00", letters, weight) / 2.0;
    let style = (letters, weight, Ink::Text);
    let number = write_correlation(cell.value);
    scene.text((end, baseline), Anchor::End, style, &number);
    if cell.stands_out {
        scene.text((end + 0.5, baseline), Anchor::Start, style, "*");
    }
}

/// A box in the colour of a value, with an edge so that 0 is a box as well.
fn draw_ground(scene: &mut Scene, value: f64, (left, top): Point, (width, height): (f64, f64)) {
    let edge = 0.8_f64.min(height / 8.0);
    let corner = (left + edge, top + edge);
    let inside = (width - 2.0 * edge, height - 2.0 * edge);
    scene.rectangle((left, top), (width, height), Ink::Grid, 1.0);
    scene.rectangle(corner, inside, Ink::Surface, 1.0);
    let end = if value < 0.0 {
        Ink::Negative
    } else {
        Ink::Positive
    };
    let depth = value.abs();
    if depth > 0.0 {
        scene.rectangle((left, top), (width, height), end, depth);
    }
}

/// A frame inside a box.
fn draw_frame(scene: &mut Scene, (left, top): Point, (width, height): (f64, f64)) {
    let line = 1.6_f64.min(height / 6.0);
    let (left, top) = (left + line / 2.0, top + line / 2.0);
    let (right, bottom) = (left + width - line, top + height - line);
    let corners = [
        (left, top),
        (right, top),
        (right, bottom),
        (left, bottom),
        (left, top),
    ];
    scene.line(corners.to_vec(), Ink::Text, line);
}

/// Slanted lines that fill a box.
fn draw_hatch(scene: &mut Scene, (left, top): Point, (width, height): (f64, f64)) {
    // Few enough lines that a map without a single number is still a small file.
    let spacing = ((width + height) / 12.0).max(6.0);
    scene.rectangle((left, top), (width, height), Ink::Grid, 0.5);
    let mut offset = spacing;
    while offset < width + height {
        let from = (left + offset.min(width), top + (offset - width).max(0.0));
        let to = (left + (offset - height).max(0.0), top + offset.min(height));
        scene.line(vec![from, to], Ink::Rule, 0.8);
        offset += spacing;
    }
}

/// Boxes of the scale in a legend.
const SCALE: [f64; 9] = [-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0];
const BOX: (f64, f64) = (14.0, 13.0);
const SWATCH: f64 = 22.0;
const SWATCH_GAP: f64 = 6.0;
const LOW: &str = "\u{2212}1";
const HIGH: &str = "+1";
const STANDS_OUT: &str = "significant";
const NOT_KNOWN: &str = "not known";

/// The scale of the colours and the two marks.
struct Legend {
    places: Vec<Point>,
    bottom: f64,
    /// From the start of the scale to its first box.
    scale_inset: f64,
}

impl Legend {
    fn new(scene: &Scene, map: &HeatMap, top: f64) -> Self {
        let room = |text: &str| scene.fonts.room(text, LETTERS, Weight::Regular);
        let scale_inset = room(LOW) + SWATCH_GAP;
        let boxes = SCALE.len() as f64 * BOX.0;
        let mut widths = vec![
            scale_inset + boxes + SWATCH_GAP + room(HIGH),
            SWATCH + SWATCH_GAP + room(STANDS_OUT),
        ];
        if map.has_missing() {
            widths.push(SWATCH + SWATCH_GAP + room(NOT_KNOWN));
        }
        let (places, bottom) = legend::places(scene, &widths, top);
        Self {
            places,
            bottom,
            scale_inset,
        }
    }

    fn draw(&self, scene: &mut Scene) {
        let muted = (LETTERS, Weight::Regular, Ink::Muted);
        let box_top = |y: f64| y - BOX.1 + 2.5;
        let (x, y) = self.places[0];
        scene.text((x, y), Anchor::Start, muted, LOW);
        let first = x + self.scale_inset;
        for (index, value) in SCALE.iter().enumerate() {
            let corner = (first + index as f64 * BOX.0, box_top(y));
            draw_ground(scene, *value, corner, BOX);
        }
        let boxes = SCALE.len() as f64 * BOX.0;
        let small = (10.0, Weight::Regular, Ink::Text);
        let middle = (first + boxes / 2.0, y - 0.5);
        scene.text(middle, Anchor::Middle, small, "0");
        let after = (first + boxes + SWATCH_GAP, y);
        scene.text(after, Anchor::Start, muted, HIGH);

        let (x, y) = self.places[1];
        draw_frame(scene, (x, box_top(y)), (SWATCH, BOX.1));
        let star = (x + SWATCH / 2.0, y + 1.5);
        let strong = (LETTERS, Weight::Strong, Ink::Text);
        scene.text(star, Anchor::Middle, strong, "*");
        let name = (x + SWATCH + SWATCH_GAP, y);
        scene.text(name, Anchor::Start, muted, STANDS_OUT);

        if let Some((x, y)) = self.places.get(2).copied() {
            draw_hatch(scene, (x, box_top(y)), (SWATCH, BOX.1));
            let name = (x + SWATCH + SWATCH_GAP, y);
            scene.text(name, Anchor::Start, muted, NOT_KNOWN);
        }
    }
}
