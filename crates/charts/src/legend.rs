//! Where the entries of a legend stand.

use crate::scene::{Point, Scene};

/// Free space between two entries.
const BETWEEN: f64 = 18.0;
/// From one row to the next.
const ROW: f64 = 17.0;

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
