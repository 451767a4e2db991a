//! Heat maps: correlations as a table of coloured numbers.

use crate::{
    correlation::{check_correlation, write_correlation},
    draw_heat_map,
    error::{ChartError, check_count},
    paint::{self, Style},
    scene::PictureSize,
    terminal::{self, TerminalOptions},
    text::clean,
};

/// The most rows of a heat map.
pub const LARGEST_ROWS: usize = 64;
/// The most columns of a heat map.
pub const LARGEST_COLUMNS: usize = 12;

/// One number of a heat map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatCell {
    /// −1 to 1.
    pub value: f64,
    /// Whether the correlation is significant.
    pub stands_out: bool,
}

/// A row of a heat map.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatRow {
    /// What the row is about, for example `nutrition_late_night_carbs`.
    pub label: String,
    /// One cell for each column; `None` if no correlation could be computed, which is not the same as 0.
    pub cells: Vec<Option<HeatCell>>,
}

/// A heat map of numbers from −1 to 1: blue below 0, orange above 0, darker for larger values.
///
/// Significant cells have a frame and a star, and every cell shows its number, so that no information
/// depends on colour alone. A cell without a number is hatched and shows a dash.
///
/// ```
/// use vitalcast_charts::{HeatCell, HeatMap, HeatRow, PictureSize};
///
/// let map = HeatMap {
///     title: "Correlations with sleep".to_owned(),
///     subtitle: String::new(),
///     columns: vec!["pearson".to_owned(), "spearman".to_owned()],
///     rows: vec![HeatRow {
///         label: "late meals".to_owned(),
///         cells: vec![Some(HeatCell { value: -0.41, stands_out: true }), None],
///     }],
/// };
/// let size = PictureSize { height: map.natural_height(), ..PictureSize::default() };
/// assert!(map.svg(size)?.contains("\u{2212}0.41"));
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Names of the columns: methods, targets, lags. 1 to [`LARGEST_COLUMNS`].
    pub columns: Vec<String>,
    /// The rows, from the top. 1 to [`LARGEST_ROWS`].
    pub rows: Vec<HeatRow>,
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
        paint::svg(&draw_heat_map::scene(self, size), style)
    }

    /// The picture as the bytes of a PNG file, in the light colours.
    ///
    /// # Errors
    ///
    /// The errors of [`Self::svg`], and an error if the bitmap is too large.
    pub fn png(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&draw_heat_map::scene(self, size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break.
    ///
    /// A row is one line; two where its label would leave no room for the numbers. Columns that do
    /// not fit beside the others follow below them. The height is that of the rows, whatever
    /// `options` say.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::heat_map(self, options))
    }

    /// A text description of the chart, for screen readers.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn.
    pub fn description(&self) -> Result<String, ChartError> {
        self.check()?;
        Ok(self.describe())
    }

    /// A height that suits the rows in a picture as wide as [`PictureSize::default`].
    pub fn natural_height(&self) -> u32 {
        self.natural_height_at(PictureSize::default().width)
    }

    /// A height that suits the rows in a picture of this width, within the limits of
    /// [`PictureSize`].
    ///
    /// A narrow picture needs more: a long label stands above its cells there, not beside them.
    pub fn natural_height_at(&self, width: u32) -> u32 {
        draw_heat_map::natural_height(self, width.clamp(240, 4000)).clamp(160, 4000)
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
        for (row, HeatRow { cells, .. }) in self.rows.iter().enumerate() {
            if cells.len() != self.columns.len() {
                return Err(ChartError::WrongCellCount {
                    row,
                    cells: cells.len(),
                    columns: self.columns.len(),
                });
            }
            for (column, cell) in cells.iter().enumerate() {
                let Some(cell) = cell else { continue };
                check_correlation(|| format!("rows[{row}].cells[{column}].value"), cell.value)?;
            }
        }
        Ok(())
    }

    /// Whether any cell has no number.
    pub(crate) fn has_missing(&self) -> bool {
        self.rows.iter().any(|row| row.cells.contains(&None))
    }

    /// The number furthest from 0, among those that stand out where there are any; the first of
    /// equals. With the names of its row and column.
    fn strongest(&self) -> Option<(&str, &str, HeatCell)> {
        let known = self.rows.iter().flat_map(|row| {
            let named = self.columns.iter().zip(&row.cells);
            named.filter_map(|(column, cell)| {
                cell.map(|cell| (row.label.as_str(), column.as_str(), cell))
            })
        });
        let rank = |cell: HeatCell| (cell.stands_out, cell.value.abs());
        known.reduce(|best, next| {
            if rank(next.2) > rank(best.2) {
                next
            } else {
                best
            }
        })
    }

    /// The significant correlations in one sentence.
    fn summary(&self) -> String {
        let Some((row, column, cell)) = self.strongest() else {
            return "No correlations.".to_owned();
        };
        let (row, column, number) = (clean(row), clean(column), write_correlation(cell.value));
        let cells = || self.rows.iter().flat_map(|row| &row.cells).flatten();
        let outstanding = cells().filter(|cell| cell.stands_out).count();
        if outstanding == 0 {
            return format!("Nothing is significant. The largest: {row}, {column} {number}.");
        }
        let verb = if outstanding == 1 { "is" } else { "are" };
        format!(
            "{outstanding} of {} {verb} significant. The strongest: {row}, {column} {number}.",
            cells().count()
        )
    }

    pub(crate) fn describe(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let cells: Vec<String> = self
                    .columns
                    .iter()
                    .zip(&row.cells)
                    .map(|(column, cell)| match cell {
                        None => format!("{} not known", clean(column)),
                        Some(cell) => {
                            let mark = if cell.stands_out { ", significant" } else { "" };
                            format!("{} {}{mark}", clean(column), write_correlation(cell.value))
                        }
                    })
                    .collect();
                format!("{}: {}.", clean(&row.label), cells.join("; "))
            })
            .collect();
        format!("{} {}", self.summary(), rows.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "as a row holds it")]
    fn cell(value: f64, stands_out: bool) -> Option<HeatCell> {
        Some(HeatCell { value, stands_out })
    }

    fn map(rows: &[[Option<HeatCell>; 2]]) -> HeatMap {
        HeatMap {
            title: "Correlations with sleep".to_owned(),
            subtitle: String::new(),
            columns: vec!["pearson".to_owned(), "spearman".to_owned()],
            rows: ["carbs", "steps"]
                .iter()
                .zip(rows)
                .map(|(label, cells)| HeatRow {
                    label: (*label).to_owned(),
                    cells: cells.to_vec(),
                })
                .collect(),
        }
    }

    #[test]
    fn the_description_names_the_strongest_and_every_number() {
        let map = map(&[
            [cell(0.5, true), cell(-0.9, false)],
            [cell(-0.6, true), None],
        ]);
        assert_eq!(
            map.description().unwrap(),
            "2 of 3 are significant. The strongest: steps, pearson \u{2212}0.60. carbs: pearson \
             +0.50, significant; \
             spearman \u{2212}0.90. steps: pearson \u{2212}0.60, significant; spearman \
             not known."
        );
    }

    #[test]
    fn where_nothing_stands_out_the_largest_is_not_called_strong() {
        let summary = map(&[[cell(0.1, false), cell(-0.2, false)]]).summary();
        assert_eq!(
            summary,
            "Nothing is significant. The largest: carbs, spearman \u{2212}0.20."
        );
        assert_eq!(map(&[[None, None]]).summary(), "No correlations.");
    }

    #[test]
    fn what_is_no_correlation_is_refused_with_its_row_and_column() {
        let error = map(&[[None; 2], [None, cell(1.5, false)]])
            .check()
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "rows[1].cells[1].value is 1.5, expected -1 to 1"
        );
        let error = map(&[[cell(f64::NAN, false), None]]).check().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("rows[0].cells[0].value is NaN"),
            "{error}"
        );
    }

    #[test]
    fn a_row_needs_a_cell_for_each_column() {
        let mut map = map(&[[None; 2], [None; 2]]);
        map.rows[1].cells.pop();
        assert_eq!(
            map.check().unwrap_err().to_string(),
            "rows[1]: expected 2 cells, one for each column, found 1"
        );
    }

    #[test]
    fn too_little_and_too_much_are_refused_by_name() {
        let one = map(&[[None; 2]]);
        let without_rows = HeatMap {
            rows: Vec::new(),
            ..one.clone()
        };
        let without_columns = HeatMap {
            columns: Vec::new(),
            ..one.clone()
        };
        let too_long = HeatMap {
            rows: vec![one.rows[0].clone(); LARGEST_ROWS + 1],
            ..one.clone()
        };
        let too_wide = HeatMap {
            columns: vec!["pearson".to_owned(); LARGEST_COLUMNS + 1],
            ..one
        };
        for (map, expected) in [
            (without_rows, "rows is empty"),
            (without_columns, "columns is empty"),
            (too_long, "rows has 65 entries, expected at most 64"),
            (too_wide, "columns has 13 entries, expected at most 12"),
        ] {
            let error = map.check().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
