//! Legends: what the marks of a picture mean.

use crate::{
    font::Weight,
    palette::Ink,
    plot::LABEL,
    scene::{Anchor, Point, Scene},
    text::clean,
};

/// Free space between two entries.
const BETWEEN: f64 = 18.0;
/// From one row to the next.
const ROW: f64 = 17.0;

/// Width of a mark, and the gap between it and its name.
const SWATCH: f64 = 18.0;
const GAP: f64 = 6.0;

/// The mark of an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Swatch {
    Line(Ink),
    ThinLine(Ink),
    RingOnLine(Ink),
    /// A box of this ink and opacity.
    Band(Ink, f64),
    Dot(Ink),
    Ring(Ink),
    Dashes(Ink),
    /// A bar with a point at its right end.
    ArrowUp(Ink),
    /// A bar with a point at its left end.
    ArrowDown(Ink),
    Whisker(Ink),
    Cross(Ink),
}

/// Draw the entries in as many rows as needed; returns the lower end of the last row.
pub(crate) fn draw(scene: &mut Scene, entries: &[(Swatch, String)], top: f64) -> f64 {
    let names = fitted_names(scene, entries);
    let (places, bottom) = places_of(scene, &names, top);
    for (((swatch, _), name), (x, y)) in entries.iter().zip(&names).zip(places) {
        draw_swatch(scene, *swatch, (x, y));
        let style = (LABEL, Weight::Regular, Ink::Muted);
        scene.text((x + SWATCH + GAP, y), Anchor::Start, style, name);
    }
    bottom
}

/// The lower end of the entries below `top`.
pub(crate) fn bottom(scene: &Scene, entries: &[(Swatch, String)], top: f64) -> f64 {
    places_of(scene, &fitted_names(scene, entries), top).1
}

fn fitted_names(scene: &Scene, entries: &[(Swatch, String)]) -> Vec<String> {
    let most = scene.width() - 2.0 * scene.margin() - SWATCH - GAP;
    entries
        .iter()
        .map(|(_, name)| scene.fonts.fit(&clean(name), LABEL, Weight::Regular, most))
        .collect()
}

fn places_of(scene: &Scene, names: &[String], top: f64) -> (Vec<Point>, f64) {
    let room = |name: &String| scene.fonts.room(name, LABEL, Weight::Regular);
    let widths: Vec<f64> = names.iter().map(|name| SWATCH + GAP + room(name)).collect();
    places(scene, &widths, top)
}

fn draw_swatch(scene: &mut Scene, swatch: Swatch, (x, y): Point) {
    let middle = (x + SWATCH / 2.0, y - 4.0);
    let level = vec![(x, y - 4.0), (x + SWATCH, y - 4.0)];
    match swatch {
        Swatch::Line(ink) => scene.line(level, ink, 1.8),
        Swatch::ThinLine(ink) => scene.line(level, ink, 1.4),
        Swatch::RingOnLine(ink) => {
            scene.line(level, ink, 1.2);
            scene.ring(middle, 3.4, 1.5, ink);
        }
        Swatch::Band(ink, opacity) => scene.rectangle((x, y - 10.0), (SWATCH, 12.0), ink, opacity),
        Swatch::Dot(ink) => scene.dot(middle, 3.2, ink),
        Swatch::Ring(ink) => scene.ring(middle, 3.4, 1.5, ink),
        Swatch::Dashes(ink) => scene.level_dashes(x, x + SWATCH, y - 4.0, ink, 1.2),
        Swatch::ArrowUp(ink) => scene.arrow((x, x + SWATCH), y - 4.0, 10.0, ink),
        Swatch::ArrowDown(ink) => scene.arrow((x + SWATCH, x), y - 4.0, 10.0, ink),
        Swatch::Whisker(ink) => scene.whisker((x + 1.0, x + SWATCH - 1.0), y - 4.0, 4.0, ink),
        Swatch::Cross(ink) => scene.cross(middle, 3.2, ink),
    }
}

/// Entries of these widths from the left, in as many rows as it takes: where the baseline of each
/// begins, and the lower end of the last row.
pub(crate) fn places(scene: &Scene, widths: &[f64], top: f64) -> (Vec<Point>, f64) {
    let margin = scene.margin();
    let (mut x, mut y) = (margin, top + 10.0);
    let mut places = Vec::with_capacity(widths.len());
    for width in widths {
        if x > margin && x + width > scene.width() - margin {
            x = margin;
            y += ROW;
        }
        places.push((x, y));
        x += width + BETWEEN;
    }
    (places, y + 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::PictureSize;

    #[test]
    fn an_entry_that_does_not_fit_begins_a_row() {
        let scene = Scene::new(PictureSize::default(), "t", String::new());
        let (places, bottom) = places(&scene, &[400.0, 402.0, 10.0], 0.0);
        assert_eq!(places, [(20.0, 10.0), (438.0, 10.0), (20.0, 27.0)]);
        assert_eq!(bottom, 31.0);
        assert_eq!(super::places(&scene, &[5000.0], 0.0).0, [(20.0, 10.0)]);
    }
}
