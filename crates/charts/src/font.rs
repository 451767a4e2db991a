//! The embedded font: how wide a text is, and its glyphs for a bitmap.
//!
//! A machine without a single font draws the same picture. Characters outside the embedded subset
//! (see `assets/README.md`) are drawn as an empty box in a bitmap; SVG and HTML use the reader's
//! fonts and show them.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use skrifa::{
    FontRef, GlyphId, MetadataProvider as _,
    instance::{LocationRef, Size},
    outline::{DrawSettings, OutlinePen},
};

const REGULAR: &[u8] = include_bytes!("../assets/Roboto-Regular.ttf");
const MEDIUM: &[u8] = include_bytes!("../assets/Roboto-Medium.ttf");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    Regular,
    Strong,
}

/// The two weights that pictures use.
pub(crate) struct Fonts {
    regular: FontRef<'static>,
    strong: FontRef<'static>,
}

impl Fonts {
    pub(crate) fn load() -> Self {
        Self {
            regular: FontRef::new(REGULAR).expect("the embedded regular font is valid"),
            strong: FontRef::new(MEDIUM).expect("the embedded medium font is valid"),
        }
    }

    fn face(&self, weight: Weight) -> &FontRef<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Strong => &self.strong,
        }
    }

    /// Each glyph of a text with its advance at a font size.
    fn glyphs(
        &self,
        text: &str,
        size: f64,
        weight: Weight,
    ) -> impl Iterator<Item = (GlyphId, f64)> {
        let face = self.face(weight);
        let characters = face.charmap();
        let metrics = face.glyph_metrics(Size::new(size as f32), LocationRef::default());
        text.chars().map(move |character| {
            // Glyph 0 is the empty box that stands for what a font does not have.
            let glyph = characters.map(character).unwrap_or_default();
            (
                glyph,
                f64::from(metrics.advance_width(glyph).unwrap_or_default()),
            )
        })
    }

    /// How wide a text is at a font size, in the unit of that size.
    pub(crate) fn width(&self, text: &str, size: f64, weight: Weight) -> f64 {
        self.glyphs(text, size, weight)
            .map(|(_, advance)| advance)
            .sum()
    }

    /// How much room a text needs so that it also fits in the similar font that shows an SVG.
    ///
    /// Arial and Liberation Sans are a few per cent wider, more so where their bold stands for our
    /// medium weight.
    pub(crate) fn room(&self, text: &str, size: f64, weight: Weight) -> f64 {
        let reserve = match weight {
            Weight::Regular => 1.05,
            Weight::Strong => 1.12,
        };
        self.width(text, size, weight) * reserve
    }

    /// The text cut to the room there is, with an ellipsis where something was cut.
    pub(crate) fn fit(&self, text: &str, size: f64, weight: Weight, limit: f64) -> String {
        if self.room(text, size, weight) <= limit {
            return text.to_owned();
        }
        let mut used = self.room("…", size, weight);
        let mut fitted = String::new();
        for character in text.chars() {
            used += self.room(character.encode_utf8(&mut [0; 4]), size, weight);
            if used > limit {
                break;
            }
            fitted.push(character);
        }
        let mut fitted = fitted.trim_end().to_owned();
        fitted.push('…');
        fitted
    }

    /// The text in at most so many lines, the last one cut where even that is too little.
    pub(crate) fn wrap(
        &self,
        text: &str,
        size: f64,
        weight: Weight,
        limit: f64,
        most: usize,
    ) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(line) = lines.last() {
                let longer = format!("{line} {word}");
                let is_last = lines.len() == most;
                if is_last || self.room(&longer, size, weight) <= limit {
                    lines.pop();
                    lines.push(longer);
                    continue;
                }
            }
            lines.push(word.to_owned());
        }
        lines
            .iter()
            .map(|line| self.fit(line, size, weight, limit))
            .collect()
    }

    /// Cover pixels with a text whose baseline starts at (`x`, `y`).
    ///
    /// `cover` gets a pixel, which may lie outside the picture, and how much of it is covered.
    pub(crate) fn rasterise(
        &self,
        text: &str,
        size: f64,
        weight: Weight,
        (x, y): (f64, f64),
        mut cover: impl FnMut(i64, i64, f64),
    ) {
        let outlines = self.face(weight).outline_glyphs();
        let mut pen = x;
        for (glyph, advance) in self.glyphs(text, size, weight) {
            if let Some(outline) = outlines.get(glyph) {
                let settings =
                    DrawSettings::unhinted(Size::new(size as f32), LocationRef::default());
                let mut path = Path::starting_at(pen as f32, y as f32);
                // A glyph that cannot be drawn leaves its space empty, as a browser does.
                if outline.draw(settings, &mut path).is_ok() {
                    path.fill(&mut cover);
                }
            }
            pen += advance;
        }
    }
}

/// A straight or curved piece of an outline, in pixels.
enum Piece {
    Line(Point, Point),
    Quadratic(Point, Point, Point),
    Cubic(Point, Point, Point, Point),
}

/// The outline of one glyph at its place in the picture, y downwards.
struct Path {
    origin: Point,
    pieces: Vec<Piece>,
    start: Point,
    current: Point,
    low: Point,
    high: Point,
}

impl Path {
    fn starting_at(x: f32, y: f32) -> Self {
        Self {
            origin: point(x, y),
            pieces: Vec::new(),
            start: point(0.0, 0.0),
            current: point(0.0, 0.0),
            low: point(f32::INFINITY, f32::INFINITY),
            high: point(f32::NEG_INFINITY, f32::NEG_INFINITY),
        }
    }

    fn place(&mut self, x: f32, y: f32) -> Point {
        let placed = point(self.origin.x + x, self.origin.y - y);
        self.low = point(self.low.x.min(placed.x), self.low.y.min(placed.y));
        self.high = point(self.high.x.max(placed.x), self.high.y.max(placed.y));
        placed
    }

    fn fill(self, cover: &mut impl FnMut(i64, i64, f64)) {
        if self.pieces.is_empty() {
            return;
        }
        let (left, top) = (self.low.x.floor(), self.low.y.floor());
        let columns = (self.high.x - left).ceil() as usize + 1;
        let rows = (self.high.y - top).ceil() as usize + 1;
        let mut raster = Rasterizer::new(columns, rows);
        let moved = |place: Point| point(place.x - left, place.y - top);
        for piece in self.pieces {
            match piece {
                Piece::Line(from, to) => raster.draw_line(moved(from), moved(to)),
                Piece::Quadratic(from, bend, to) => {
                    raster.draw_quad(moved(from), moved(bend), moved(to));
                }
                Piece::Cubic(from, bend, other, to) => {
                    raster.draw_cubic(moved(from), moved(bend), moved(other), moved(to));
                }
            }
        }
        raster.for_each_pixel_2d(|column, row, coverage| {
            cover(
                left as i64 + i64::from(column),
                top as i64 + i64::from(row),
                f64::from(coverage),
            );
        });
    }
}

impl OutlinePen for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = self.place(x, y);
        self.current = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.place(x, y);
        self.pieces.push(Piece::Line(self.current, to));
        self.current = to;
    }

    fn quad_to(&mut self, cx0: f32, cy0: f32, x: f32, y: f32) {
        let (bend, to) = (self.place(cx0, cy0), self.place(x, y));
        self.pieces.push(Piece::Quadratic(self.current, bend, to));
        self.current = to;
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        let (bend, other, to) = (self.place(cx0, cy0), self.place(cx1, cy1), self.place(x, y));
        self.pieces
            .push(Piece::Cubic(self.current, bend, other, to));
        self.current = to;
    }

    fn close(&mut self) {
        if self.current != self.start {
            self.pieces.push(Piece::Line(self.current, self.start));
            self.current = self.start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_fonts_hold_every_sign_that_the_pictures_use() {
        let fonts = Fonts::load();
        for character in "0123456789 bpm ms h % – − … · Å Ω Я ü °".chars() {
            for weight in [Weight::Regular, Weight::Strong] {
                assert!(
                    fonts.face(weight).charmap().map(character).is_some(),
                    "{character}"
                );
            }
        }
    }

    #[test]
    fn digits_are_equally_wide() {
        let fonts = Fonts::load();
        let one = fonts.width("1", 12.0, Weight::Regular);
        for digit in ["0", "4", "8"] {
            assert!((fonts.width(digit, 12.0, Weight::Regular) - one).abs() < 1e-6);
        }
    }

    #[test]
    fn a_cut_text_is_no_wider_than_its_limit() {
        let fonts = Fonts::load();
        let cut = fonts.fit("A very long title indeed", 20.0, Weight::Strong, 100.0);
        assert!(cut.ends_with('…'));
        assert!(fonts.width(&cut, 20.0, Weight::Strong) <= 100.0);
    }

    #[test]
    fn words_fill_lines_and_only_the_last_line_is_cut() {
        let fonts = Fonts::load();
        let lines = fonts.wrap(
            "one two three four five six",
            12.0,
            Weight::Regular,
            60.0,
            2,
        );
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "one two");
        assert!(
            lines[1].starts_with("three") && lines[1].ends_with('…'),
            "{lines:?}"
        );
        assert!(fonts.wrap(" ", 12.0, Weight::Regular, 60.0, 2).is_empty());
    }

    #[test]
    fn glyphs_stand_on_the_baseline_right_of_the_pen() {
        let fonts = Fonts::load();
        let mut lowest = i64::MIN;
        let mut leftmost = i64::MAX;
        fonts.rasterise(
            "H",
            40.0,
            Weight::Regular,
            (10.0, 50.0),
            |column, row, coverage| {
                if coverage > 0.5 {
                    lowest = lowest.max(row);
                    leftmost = leftmost.min(column);
                }
            },
        );
        assert_eq!(lowest, 49);
        assert!(leftmost > 10);
    }
}
