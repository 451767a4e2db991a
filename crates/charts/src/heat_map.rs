//! Correlations as a table of coloured numbers.

use crate::{
    error::{ChartError, check_count, check_value},
    font::Weight,
    paint::{self, Style},
    palette::Ink,
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
};

/// The most rows of a heat map.
pub const LARGEST_ROWS: usize = 64;
/// The most columns of a heat map.
pub const LARGEST_COLUMNS: usize = 12;

/// Colour of the strongest correlation: as deep as text on it stays readable.
pub(crate) const DEEPEST: f64 = 0.45;
/// Room of a legend below the rows, points.
const LEGEND: f64 = 34.0;

/// One number of a heat map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatCell {
    /// −1 to 1.
    pub value: f64,
    /// Whether it is more than chance explains.
    pub stands_out: bool,
}

/// A row of a heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatRow {
    /// What the row is about, for example `nutrition_late_night_carbs`.
    pub label: String,
    /// One for each column; none where nothing could be computed, which is not the same as 0.
    pub cells: Vec<Option<HeatCell>>,
}

/// Numbers from −1 to 1 in rows and columns: blue below 0, orange above, deeper the further away.
/// Those that stand out are framed and starred, so that nothing rests on colour alone.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// What is shown.
    pub title: String,
    /// A remark below the title. May be empty.
    pub subtitle: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, from the top.
    pub rows: Vec<HeatRow>,
}

/// A number from −1 to 1 with its sign, and a star when it stands out.
pub(crate) fn written(value: f64, stands_out: bool) -> String {
    // Adding 0 after rounding makes −0 and 0 one number.
    let rounded = (value * 100.0).round() / 100.0 + 0.0;
    let text = format!("{rounded:+.2}").replace('-', "\u{2212}");
    let star = if stands_out { "*" } else { "" };
    format!("{text}{star}")
}

impl HeatMap {
    /// The picture as a self-contained SVG document with title and description.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`PictureSize`].
    pub fn svg(&self, size: PictureSize) -> Result<String, ChartError> {
        self.svg_styled(size, Style::Own)
    }

    pub(crate) fn svg_styled(&self, size: PictureSize, style: Style) -> Result<String, ChartError> {
        self.check()?;
        size.check()?;
        paint::svg(&self.scene(size), style)
    }

    /// The picture as the bytes of a PNG file, in the light colours.
    ///
    /// # Errors
    ///
    /// As for [`Self::svg`], and when the bitmap would be too large.
    pub fn png(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&self.scene(size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break: one line a row.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::heat_map(self, options))
    }

    /// The picture in words, for those who do not see it.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn.
    pub fn description(&self) -> Result<String, ChartError> {
        self.check()?;
        Ok(self.describe())
    }

    /// A height that suits the number of rows, within the limits of [`PictureSize`].
    pub fn natural_height(&self) -> u32 {
        let rows = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        rows.saturating_mul(26).saturating_add(160).clamp(160, 4000)
    }

    fn check(&self) -> Result<(), ChartError> {
        for (name, count, largest) in [
            ("rows", self.rows.len(), LARGEST_ROWS),
            ("columns", self.columns.len(), LARGEST_COLUMNS),
        ] {
            if count == 0 {
                return Err(ChartError::Empty {
                    field: name.to_owned(),
                });
            }
            check_count(name, count, largest)?;
        }
        for (index, row) in self.rows.iter().enumerate() {
            if row.cells.len() != self.columns.len() {
                return Err(ChartError::WrongCellCount {
                    row: index,
                    cells: row.cells.len(),
                    columns: self.columns.len(),
                });
            }
            for (column, cell) in row.cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                check_correlation(&format!("rows[{index}].cells[{column}].value"), cell.value)?;
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let cells: Vec<String> = self
                    .columns
                    .iter()
                    .zip(&row.cells)
                    .map(|(column, cell)| match cell {
                        None => format!("{} missing", clean(column)),
                        Some(cell) => {
                            let mark = if cell.stands_out { ", stands out" } else { "" };
                            format!("{} {}{mark}", clean(column), written(cell.value, false))
                        }
                    })
                    .collect();
                format!("{}: {}", clean(&row.label), cells.join("; "))
            })
            .collect();
        format!("{}.", rows.join(". "))
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let margin = scene.margin();
        let top = scene.heading(&self.subtitle) + 30.0;
        let bottom = scene.height() - margin - LEGEND;
        let pitch = ((bottom - top) / self.rows.len() as f64).clamp(1.0, 30.0);
        let letters = 12.0_f64.min(pitch * 0.62);
        let share = if scene.is_narrow() { 0.42 } else { 0.45 };
        let labels: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let limit = scene.width() * share;
                let label = clean(&row.label);
                scene.fonts.fit(&label, letters, Weight::Regular, limit)
            })
            .collect();
        let widest = labels
            .iter()
            .map(|label| scene.fonts.room(label, letters, Weight::Regular))
            .fold(0.0, f64::max);
        let left = margin + widest + 12.0;
        let right = scene.width() - margin;
        let step = ((right - left) / self.columns.len() as f64).min(120.0);
        let header = if scene.is_narrow() { 9.5 } else { 12.0 };
        for (index, column) in self.columns.iter().enumerate() {
            let middle = left + (index as f64 + 0.5) * step;
            let name = scene
                .fonts
                .fit(&clean(column), header, Weight::Strong, step - 2.0);
            let style = (header, Weight::Strong, Ink::Muted);
            scene.text((middle, top - 9.0), Anchor::Middle, style, &name);
        }
        for (index, (row, label)) in self.rows.iter().zip(&labels).enumerate() {
            let y = top + index as f64 * pitch;
            let baseline = y + pitch / 2.0 + letters * 0.36;
            let style = (letters, Weight::Regular, Ink::Text);
            scene.text((left - 12.0, baseline), Anchor::End, style, label);
            for (column, cell) in row.cells.iter().enumerate() {
                let corner = (left + column as f64 * step + 1.0, y + 1.0);
                let extent = (step - 2.0, pitch - 2.0);
                draw_cell(&mut scene, *cell, corner, extent, letters.min(step / 3.6));
            }
        }
        let y = top + self.rows.len() as f64 * pitch + 24.0;
        let words = "blue: lower with higher values; orange: higher; framed with a star: stands out; \
                     a dash: not known";
        let room = scene.width() - 2.0 * margin;
        for (line, text) in scene
            .fonts
            .wrap(words, 11.0, Weight::Regular, room, 2)
            .iter()
            .enumerate()
        {
            let at = (margin, y + line as f64 * 14.0);
            scene.text(at, Anchor::Start, (11.0, Weight::Regular, Ink::Muted), text);
        }
        scene
    }
}

/// One cell: ground, frame, number.
fn draw_cell(
    scene: &mut Scene,
    cell: Option<HeatCell>,
    (left, top): (f64, f64),
    (width, height): (f64, f64),
    letters: f64,
) {
    let at = (left + width / 2.0, top + height / 2.0 + letters * 0.36);
    let Some(cell) = cell else {
        scene.rectangle((left, top), (width, height), Ink::Grid, 0.5);
        let style = (letters, Weight::Regular, Ink::Muted);
        scene.text(at, Anchor::Middle, style, "\u{2013}");
        return;
    };
    let ink = if cell.value < 0.0 {
        Ink::Reading
    } else {
        Ink::Forecast
    };
    scene.rectangle((left, top), (width, height), Ink::Grid, 0.35);
    let depth = DEEPEST * cell.value.abs();
    scene.rectangle((left, top), (width, height), ink, depth);
    let mut weight = Weight::Regular;
    if cell.stands_out {
        weight = Weight::Strong;
        let (right, bottom) = (left + width, top + height);
        let corners = [
            (left, top),
            (right, top),
            (right, bottom),
            (left, bottom),
            (left, top),
        ];
        scene.line(corners.to_vec(), Ink::Text, 1.5);
    }
    let text = written(cell.value, cell.stands_out);
    scene.text(at, Anchor::Middle, (letters, weight, Ink::Text), &text);
}

/// Checks that a value is a correlation.
pub(crate) fn check_correlation(field: &str, value: f64) -> Result<(), ChartError> {
    check_value(|| field.to_owned(), value)?;
    if (-1.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(ChartError::ValueOutOfRange {
        field: field.to_owned(),
        value,
        lowest: -1.0,
        highest: 1.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "as a row holds it")]
    fn cell(value: f64, stands_out: bool) -> Option<HeatCell> {
        Some(HeatCell { value, stands_out })
    }

    fn map(cells: Vec<Option<HeatCell>>) -> HeatMap {
        HeatMap {
            title: "What goes with sleep".to_owned(),
            subtitle: String::new(),
            columns: vec!["pearson".to_owned(), "spearman".to_owned()],
            rows: vec![HeatRow {
                label: "nutrition_carbs_daily".to_owned(),
                cells,
            }],
        }
    }

    #[test]
    fn what_stands_out_is_marked_without_colour() {
        let map = map(vec![cell(0.5, true), cell(-0.2, false)]);
        let text = map.terminal(TerminalOptions::default()).unwrap();
        assert!(
            text.contains("+0.50*") && text.contains("\u{2212}0.20"),
            "{text}"
        );
        assert!(map.svg(PictureSize::default()).unwrap().contains("+0.50*"));
        assert_eq!(
            map.description().unwrap(),
            "nutrition_carbs_daily: pearson +0.50, stands out; spearman \u{2212}0.20."
        );
    }

    #[test]
    fn a_missing_cell_is_a_dash_and_not_a_zero() {
        let text = map(vec![None, cell(0.0, false)])
            .terminal(TerminalOptions::default())
            .unwrap();
        assert!(
            text.contains('\u{2013}') && text.contains("+0.00"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_correlation_is_refused_with_its_place() {
        let error = map(vec![None, cell(1.5, false)]).description().unwrap_err();
        assert_eq!(
            error.to_string(),
            "rows[0].cells[1].value is 1.5: it must lie between -1 and 1"
        );
        let short = map(vec![None]).description().unwrap_err();
        assert!(short.to_string().contains("1 cells"), "{short}");
        let nothing = HeatMap {
            rows: Vec::new(),
            ..map(vec![])
        };
        assert!(nothing.description().is_err());
    }

    #[test]
    fn nothing_is_minus_zero() {
        assert_eq!(written(-0.001, false), "+0.00");
        assert_eq!(written(-0.006, true), "\u{2212}0.01*");
    }

    #[test]
    fn a_terminal_is_never_overrun() {
        let mut map = map(vec![cell(0.5, true), cell(-0.2, false)]);
        map.rows[0].label = "a name that is much too long for forty columns".repeat(2);
        for width in [40, 80, 120] {
            let options = TerminalOptions {
                width,
                ..TerminalOptions::default()
            };
            for line in map.terminal(options).unwrap().lines() {
                assert!(crate::text::columns(line) <= width as usize, "{line}");
            }
        }
    }
}
