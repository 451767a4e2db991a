//! A scene painted with plotters: as SVG, and as the pixels of a PNG.
//!
//! plotters counts in whole units. The SVG is therefore drawn in tenths of a point with a matching
//! view box, and the bitmap at twice its final density and then averaged down, which also smooths
//! every edge. Text of a bitmap is set with the embedded font, after averaging, at full sharpness.

use std::fmt::Display;

use plotters::{
    backend::{BitMapBackend, DrawingBackend, SVGBackend},
    style::{
        Color as _, FontStyle, IntoFont as _, RGBColor, ShapeStyle, TextStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};

use crate::{
    error::ChartError,
    font::Weight,
    palette::{Ink, dark_style},
    scene::{Anchor, Point, Scene, Shape},
    text::escape,
};

/// Steps of a point in an SVG.
const SVG_STEPS: f64 = 10.0;

/// Pixels drawn for each pixel kept, in each direction.
const OVERSAMPLING: u32 = 2;

/// plotters writes a font size divided by this into an SVG.
const PLOTTERS_FONT_FACTOR: f64 = 1.24;

/// plotters sets a text anchored at its top so many em below the point given.
const PLOTTERS_TOP_EM: f64 = 0.76;

/// Fonts of the reader's system, all about as wide as the embedded one that measured the text.
const FONT_FAMILY: &str = "Roboto, Helvetica Neue, Arial, Liberation Sans, sans-serif";

/// Whether an SVG brings its own dark colours or stands in a page that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Own,
    OfThePage,
}

/// The scene as a self-contained SVG document.
pub(crate) fn svg(scene: &Scene, style: Style) -> Result<String, ChartError> {
    let failed = |reason: String| ChartError::Drawing {
        format: "SVG",
        reason,
    };
    let size = scene.size;
    let canvas = (
        size.width * SVG_STEPS as u32,
        size.height * SVG_STEPS as u32,
    );
    let mut drawn = String::new();
    {
        let mut backend = SVGBackend::with_string(&mut drawn, canvas);
        for shape in &scene.shapes {
            paint_vector(&mut backend, shape).map_err(&failed)?;
        }
        backend
            .present()
            .map_err(|error| failed(error.to_string()))?;
    }
    // The element that plotters opens says neither role nor title: it is replaced by our own.
    let (_, body) = drawn
        .split_once('\n')
        .filter(|(opening, _)| opening.starts_with("<svg ") && opening.ends_with('>'))
        .ok_or_else(|| failed("the first line is not the opening element".to_owned()))?;
    let (width, height) = (size.width, size.height);
    let (columns, rows) = canvas;
    let title = escape(&scene.title);
    let description = escape(&scene.description);
    let own_style = match style {
        Style::Own => format!("<style>{}</style>\n", dark_style()),
        Style::OfThePage => String::new(),
    };
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"vitalcast-chart\" role=\"img\" \
         aria-label=\"{title}\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {columns} {rows}\" stroke-linejoin=\"round\" stroke-linecap=\"round\">\n\
         <title>{title}</title>\n<desc>{description}</desc>\n{own_style}{body}"
    ))
}

fn colour(ink: Ink) -> RGBColor {
    let (red, green, blue) = ink.light();
    RGBColor(red, green, blue)
}

fn filled(ink: Ink, opacity: f64) -> ShapeStyle {
    colour(ink).mix(opacity).filled()
}

fn steps((x, y): Point, scale: f64) -> (i32, i32) {
    ((x * scale).round() as i32, (y * scale).round() as i32)
}

fn said<E: Display>(error: E) -> String {
    error.to_string()
}

fn paint_vector(backend: &mut SVGBackend<'_>, shape: &Shape) -> Result<(), String> {
    match shape {
        Shape::Line { points, ink, width } => {
            let style = colour(*ink).stroke_width((width * SVG_STEPS).round() as u32);
            let points = points.iter().map(|point| steps(*point, SVG_STEPS));
            backend.draw_path(points, &style).map_err(said)
        }
        Shape::Text {
            baseline: (x, y),
            anchor,
            size,
            weight,
            ink,
            text,
        } => {
            let weight = match weight {
                Weight::Regular => FontStyle::Normal,
                Weight::Strong => FontStyle::Bold,
            };
            let size = size * SVG_STEPS;
            let start = (*x * SVG_STEPS, y * SVG_STEPS - PLOTTERS_TOP_EM * size);
            let horizontal = match anchor {
                Anchor::Start => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::End => HPos::Right,
            };
            let style: TextStyle<'_> = (FONT_FAMILY, size * PLOTTERS_FONT_FACTOR, weight)
                .into_font()
                .color(&colour(*ink))
                .pos(Pos::new(horizontal, VPos::Top));
            backend
                .draw_text(text, &style, steps(start, 1.0))
                .map_err(said)
        }
        Shape::Area { .. } | Shape::Rectangle { .. } | Shape::Dot { .. } => {
            paint_filled(backend, shape, SVG_STEPS)
        }
    }
}

/// Paint what is a filled area in both formats.
fn paint_filled<B: DrawingBackend>(
    backend: &mut B,
    shape: &Shape,
    scale: f64,
) -> Result<(), String> {
    match shape {
        Shape::Area {
            points,
            ink,
            opacity,
        } => {
            let points: Vec<(i32, i32)> = points.iter().map(|point| steps(*point, scale)).collect();
            backend
                .fill_polygon(points, &filled(*ink, *opacity))
                .map_err(said)
        }
        Shape::Rectangle {
            left,
            top,
            width,
            height,
            ink,
            opacity,
        } => {
            let upper_left = steps((*left, *top), scale);
            let lower_right = steps((left + width, top + height), scale);
            let style = filled(*ink, *opacity);
            backend
                .draw_rect(upper_left, lower_right, &style, true)
                .map_err(said)
        }
        Shape::Dot {
            centre,
            radius,
            ink,
        } => {
            let radius = (radius * scale).round().max(1.0) as u32;
            backend
                .draw_circle(steps(*centre, scale), radius, &filled(*ink, 1.0), true)
                .map_err(said)
        }
        Shape::Line { .. } | Shape::Text { .. } => Ok(()),
    }
}

/// The scene as the bytes of a PNG file.
pub(crate) fn png(scene: &Scene) -> Result<Vec<u8>, ChartError> {
    scene.size.check_pixels()?;
    let failed = |reason: String| ChartError::Drawing {
        format: "PNG",
        reason,
    };
    let density = scene.size.pixels_per_point;
    let (width, height) = (scene.size.width * density, scene.size.height * density);
    let large = (width * OVERSAMPLING, height * OVERSAMPLING);
    let scale = f64::from(density * OVERSAMPLING);
    let mut drawn = vec![255u8; large.0 as usize * large.1 as usize * 3];
    {
        let mut backend = BitMapBackend::with_buffer(&mut drawn, large);
        for shape in &scene.shapes {
            match shape {
                Shape::Line { points, ink, width } => {
                    paint_stroke(&mut backend, points, *ink, width * scale, scale)
                }
                Shape::Area { .. }
                | Shape::Rectangle { .. }
                | Shape::Dot { .. }
                | Shape::Text { .. } => paint_filled(&mut backend, shape, scale),
            }
            .map_err(&failed)?;
        }
        backend
            .present()
            .map_err(|error| failed(error.to_string()))?;
    }
    let mut pixels = averaged(&drawn, width as usize, height as usize);
    drop(drawn);
    for shape in &scene.shapes {
        set_text(
            scene,
            shape,
            &mut pixels,
            (width, height),
            f64::from(density),
        );
    }
    encode(scene, &pixels, (width, height)).map_err(|error| failed(error.to_string()))
}

/// A stroke as one box for each segment and a disc at each joint.
///
/// The polygon that plotters makes of a whole path folds over itself at sharp turns, of which a
/// history is full.
fn paint_stroke(
    backend: &mut BitMapBackend<'_>,
    points: &[Point],
    ink: Ink,
    width: f64,
    scale: f64,
) -> Result<(), String> {
    let style = filled(ink, 1.0);
    let half = width / 2.0;
    for segment in points.windows(2) {
        let (from, to) = (segment[0], segment[1]);
        let (run, rise) = ((to.0 - from.0) * scale, (to.1 - from.1) * scale);
        let length = run.hypot(rise);
        if length == 0.0 {
            continue;
        }
        let (across, down) = (-rise / length * half, run / length * half);
        let corner = |point: Point, sign: f64| {
            steps(
                (
                    point.0 * scale + sign * across,
                    point.1 * scale + sign * down,
                ),
                1.0,
            )
        };
        let corners = [
            corner(from, 1.0),
            corner(to, 1.0),
            corner(to, -1.0),
            corner(from, -1.0),
        ];
        backend.fill_polygon(corners, &style).map_err(said)?;
    }
    // One pixel of a disc lies beyond its radius on either side: rounded down, joints do not bead.
    let radius = (half - 0.5).max(0.0) as u32;
    if radius > 0 {
        for point in points {
            backend
                .draw_circle(steps(*point, scale), radius, &style, true)
                .map_err(said)?;
        }
    }
    Ok(())
}

/// Each pixel as the mean of the block of pixels drawn for it.
fn averaged(drawn: &[u8], width: usize, height: usize) -> Vec<u8> {
    let factor = OVERSAMPLING as usize;
    let stride = width * factor * 3;
    let block = (factor * factor) as u32;
    let mut pixels = Vec::with_capacity(width * height * 3);
    for row in 0..height {
        for column in 0..width {
            for channel in 0..3 {
                let mut sum = 0;
                for down in 0..factor {
                    let line = (row * factor + down) * stride;
                    for right in 0..factor {
                        sum += u32::from(drawn[line + (column * factor + right) * 3 + channel]);
                    }
                }
                pixels.push(((sum + block / 2) / block) as u8);
            }
        }
    }
    pixels
}

fn set_text(
    scene: &Scene,
    shape: &Shape,
    pixels: &mut [u8],
    (width, height): (u32, u32),
    density: f64,
) {
    let Shape::Text {
        baseline: (x, y),
        anchor,
        size,
        weight,
        ink,
        text,
    } = shape
    else {
        return;
    };
    let extent = scene.fonts.width(text, *size, *weight);
    let left = match anchor {
        Anchor::Start => *x,
        Anchor::Middle => x - extent / 2.0,
        Anchor::End => x - extent,
    };
    let (red, green, blue) = ink.light();
    let start = (left * density, (y * density).round());
    scene.fonts.rasterise(
        text,
        size * density,
        *weight,
        start,
        |column, row, coverage| {
            let (Ok(column), Ok(row)) = (u32::try_from(column), u32::try_from(row)) else {
                return;
            };
            if column >= width || row >= height {
                return;
            }
            let first = (row as usize * width as usize + column as usize) * 3;
            for (pixel, target) in pixels[first..first + 3].iter_mut().zip([red, green, blue]) {
                let below = f64::from(*pixel);
                let mixed = below + (f64::from(target) - below) * coverage.clamp(0.0, 1.0);
                *pixel = mixed.round() as u8;
            }
        },
    );
}

/// The pixels as a PNG that also carries title and description, for readers that show them.
fn encode(
    scene: &Scene,
    pixels: &[u8],
    (width, height): (u32, u32),
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.add_itxt_chunk("Title".to_owned(), scene.title.clone())?;
    encoder.add_itxt_chunk("Description".to_owned(), scene.description.clone())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
