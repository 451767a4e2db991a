//! Scenes: a chart as a list of simple shapes, before it becomes SVG or pixels.
//!
//! Lengths are points, y grows downwards. Both painters draw the same scene, so the SVG and the
//! PNG of a chart cannot drift apart.

use crate::{
    error::{ChartError, check_size},
    font::{Fonts, Weight},
    palette::Ink,
    text::clean,
};

/// The most pixels of a bitmap.
const LARGEST_PIXELS: u64 = 16_000_000;

/// How large a picture is.
///
/// ```
/// use vitalcast_charts::PictureSize;
///
/// let phone = PictureSize { width: 360, height: 300, ..PictureSize::default() };
/// assert_eq!(phone.pixels_per_point, 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureSize {
    /// Width in points (CSS pixels), 240 to 4000.
    pub width: u32,
    /// Height in points (CSS pixels), 160 to 4000.
    pub height: u32,
    /// Pixels of a PNG for each point, 1 to 4; 2 suits today's screens. An SVG needs none.
    pub pixels_per_point: u32,
}

impl Default for PictureSize {
    fn default() -> Self {
        Self {
            width: 860,
            height: 400,
            pixels_per_point: 2,
        }
    }
}

impl PictureSize {
    pub(crate) fn check(self) -> Result<(), ChartError> {
        check_size("width", self.width, 240, 4000)?;
        check_size("height", self.height, 160, 4000)?;
        check_size("pixels_per_point", self.pixels_per_point, 1, 4)
    }

    /// The limits of a bitmap, beside those of any picture.
    pub(crate) fn check_pixels(self) -> Result<(), ChartError> {
        let density = u64::from(self.pixels_per_point);
        let pixels = u64::from(self.width) * u64::from(self.height) * density * density;
        if pixels > LARGEST_PIXELS {
            return Err(ChartError::TooManyPixels {
                width: self.width,
                height: self.height,
                pixels_per_point: self.pixels_per_point,
                largest: LARGEST_PIXELS,
            });
        }
        Ok(())
    }
}

pub(crate) type Point = (f64, f64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Line {
        points: Vec<Point>,
        ink: Ink,
        width: f64,
    },
    Area {
        points: Vec<Point>,
        ink: Ink,
        opacity: f64,
    },
    Rectangle {
        left: f64,
        top: f64,
        width: f64,
        height: f64,
        ink: Ink,
        opacity: f64,
    },
    Dot {
        centre: Point,
        radius: f64,
        ink: Ink,
    },
    Text {
        baseline: Point,
        anchor: Anchor,
        size: f64,
        weight: Weight,
        ink: Ink,
        text: String,
    },
}

/// Shapes in drawing order, with what a screen reader says.
pub(crate) struct Scene {
    pub(crate) size: PictureSize,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) fonts: Fonts,
}

impl Scene {
    /// An empty picture with its background.
    pub(crate) fn new(size: PictureSize, title: &str, description: String) -> Self {
        let mut scene = Self {
            size,
            title: clean(title),
            description,
            shapes: Vec::new(),
            fonts: Fonts::load(),
        };
        scene.rectangle(
            (0.0, 0.0),
            (scene.width(), scene.height()),
            Ink::Surface,
            1.0,
        );
        scene
    }

    pub(crate) fn width(&self) -> f64 {
        f64::from(self.size.width)
    }

    pub(crate) fn height(&self) -> f64 {
        f64::from(self.size.height)
    }

    pub(crate) fn line(&mut self, points: Vec<Point>, ink: Ink, width: f64) {
        if points.len() >= 2 {
            self.shapes.push(Shape::Line { points, ink, width });
        }
    }

    /// A level line in dashes.
    pub(crate) fn level_dashes(&mut self, left: f64, right: f64, y: f64, ink: Ink, width: f64) {
        let (dash, gap) = (5.0, 4.0);
        let mut start = left;
        while start < right {
            let end = (start + dash).min(right);
            self.rectangle((start, y - width / 2.0), (end - start, width), ink, 1.0);
            start += dash + gap;
        }
    }

    pub(crate) fn area(&mut self, points: Vec<Point>, ink: Ink, opacity: f64) {
        if points.len() >= 3 {
            self.shapes.push(Shape::Area {
                points,
                ink,
                opacity,
            });
        }
    }

    pub(crate) fn rectangle(
        &mut self,
        (left, top): Point,
        (width, height): (f64, f64),
        ink: Ink,
        opacity: f64,
    ) {
        self.shapes.push(Shape::Rectangle {
            left,
            top,
            width,
            height,
            ink,
            opacity,
        });
    }

    pub(crate) fn dot(&mut self, centre: Point, radius: f64, ink: Ink) {
        self.shapes.push(Shape::Dot {
            centre,
            radius,
            ink,
        });
    }

    /// A dot with a hole.
    pub(crate) fn ring(&mut self, centre: Point, radius: f64, width: f64, ink: Ink) {
        self.dot(centre, radius, ink);
        self.dot(centre, radius - width, Ink::Surface);
    }

    /// A bar from one x to another, with a point at its end; no length at all is a thin line.
    pub(crate) fn arrow(&mut self, (from, to): (f64, f64), y: f64, thickness: f64, ink: Ink) {
        let half = thickness / 2.0;
        if (to - from).abs() < 1.0 {
            self.rectangle((from - 1.0, y - half), (2.0, thickness), ink, 1.0);
            return;
        }
        let point = half.min((to - from).abs()).copysign(to - from);
        let outline = vec![
            (from, y - half),
            (to - point, y - half),
            (to, y),
            (to - point, y + half),
            (from, y + half),
        ];
        self.area(outline, ink, 1.0);
    }

    /// A level line with a cap at each end.
    pub(crate) fn whisker(&mut self, (from, to): (f64, f64), y: f64, cap: f64, ink: Ink) {
        self.line(vec![(from, y), (to, y)], ink, 1.4);
        for x in [from, to] {
            self.line(vec![(x, y - cap), (x, y + cap)], ink, 1.4);
        }
    }

    /// Two crossed lines.
    pub(crate) fn cross(&mut self, (x, y): Point, radius: f64, ink: Ink) {
        for sign in [-1.0, 1.0] {
            let ends = vec![
                (x - radius, y - sign * radius),
                (x + radius, y + sign * radius),
            ];
            self.line(ends, ink, 1.4);
        }
    }

    pub(crate) fn text(
        &mut self,
        baseline: Point,
        anchor: Anchor,
        (size, weight, ink): (f64, Weight, Ink),
        text: &str,
    ) {
        let text = clean(text);
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text {
                baseline,
                anchor,
                size,
                weight,
                ink,
                text,
            });
        }
    }

    /// Free space around the picture.
    pub(crate) fn margin(&self) -> f64 {
        if self.is_narrow() { 12.0 } else { 20.0 }
    }

    /// Whether the picture is for a phone or a narrow column.
    pub(crate) fn is_narrow(&self) -> bool {
        self.size.width < 480
    }

    /// Title and subtitle, left aligned and fitted to the width; returns where the rest may begin.
    pub(crate) fn heading(&mut self, subtitle: &str) -> f64 {
        let margin = self.margin();
        let room = self.width() - 2.0 * margin;
        let size = if self.is_narrow() { 16.0 } else { 19.0 };
        let mut y = margin;
        for line in self.fonts.wrap(&self.title, size, Weight::Strong, room, 2) {
            y += size * if y > margin { 1.2 } else { 0.8 };
            self.text(
                (margin, y),
                Anchor::Start,
                (size, Weight::Strong, Ink::Text),
                &line,
            );
        }
        if y > margin {
            y += 5.0;
        }
        for line in self
            .fonts
            .wrap(&clean(subtitle), 13.0, Weight::Regular, room, 2)
        {
            y += 15.0;
            self.text(
                (margin, y),
                Anchor::Start,
                (13.0, Weight::Regular, Ink::Muted),
                &line,
            );
        }
        y + 3.0
    }

    /// A sentence at the lower end, if it leaves at least `least` below `top`; returns where what is
    /// above it has to end.
    pub(crate) fn closing(&mut self, sentence: &str, top: f64, least: f64) -> f64 {
        let margin = self.margin();
        let room = self.width() - 2.0 * margin;
        let lines = self
            .fonts
            .wrap(&clean(sentence), 12.0, Weight::Regular, room, 3);
        let bottom = self.height() - margin;
        let above = bottom - lines.len() as f64 * 16.0 - 8.0;
        if above - top < least {
            return bottom;
        }
        for (index, line) in lines.iter().enumerate() {
            let at = (margin, above + 20.0 + index as f64 * 16.0);
            self.text(at, Anchor::Start, (12.0, Weight::Regular, Ink::Muted), line);
        }
        above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_sizes_are_refused_by_name() {
        let size = PictureSize {
            width: 0,
            ..PictureSize::default()
        };
        assert!(
            size.check()
                .unwrap_err()
                .to_string()
                .starts_with("width is 0")
        );
        let size = PictureSize {
            height: 40_000,
            ..PictureSize::default()
        };
        assert!(
            size.check()
                .unwrap_err()
                .to_string()
                .starts_with("height is 40000")
        );
        let size = PictureSize {
            pixels_per_point: 5,
            ..PictureSize::default()
        };
        assert!(size.check().is_err());
    }

    #[test]
    fn a_bitmap_has_fewer_pixels_than_would_hurt() {
        let size = PictureSize {
            width: 4000,
            height: 4000,
            pixels_per_point: 1,
        };
        assert!(size.check_pixels().is_ok());
        let size = PictureSize {
            pixels_per_point: 2,
            ..size
        };
        assert!(matches!(
            size.check_pixels(),
            Err(ChartError::TooManyPixels { .. })
        ));
    }

    #[test]
    fn dashes_end_at_the_end_of_the_line() {
        let mut scene = Scene::new(PictureSize::default(), "t", String::new());
        scene.level_dashes(0.0, 20.0, 10.0, Ink::Average, 1.0);
        let ends: Vec<f64> = scene.shapes[1..]
            .iter()
            .map(|shape| {
                let Shape::Rectangle { left, width, .. } = shape else {
                    panic!("{shape:?} is no dash");
                };
                left + width
            })
            .collect();
        assert_eq!(ends, [5.0, 14.0, 20.0]);
    }
}
