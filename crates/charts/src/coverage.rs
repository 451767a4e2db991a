//! What data there is: a calendar of days for each metric, and its sources below it.

use crate::{
    axis::write_date,
    error::{ChartError, LARGEST_SPAN_DAYS, check_count},
    paint::{self, Style},
    scene::PictureSize,
    terminal::{self, TerminalOptions},
    text::clean,
};
use chrono::{Days, NaiveDate};

/// The most rows of a coverage chart.
pub const LARGEST_COVERAGE_ROWS: usize = 400;

/// A row of a coverage chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageRow {
    /// Name of the metric or source.
    pub label: String,
    /// Whether there is a value, for each day.
    pub days: Vec<bool>,
    /// Whether it is a part of the row above, such as one of its sources.
    pub is_part: bool,
}

/// The days on which there is data, as a calendar per metric: weeks side by side, Monday at the top, the names of
/// months above. A part, such as a source, is a strip of the same weeks: the darker, the more of their days
/// have a value. Of a long history the last years are drawn, and all days are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoverageChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// The day with which every row begins.
    pub first_day: NaiveDate,
    /// The rows, from the top, all of the same length. 1 to [`LARGEST_COVERAGE_ROWS`].
    pub rows: Vec<CoverageRow>,
}

impl CoverageChart {
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
    /// The errors of [`Self::svg`], and an error if the bitmap is too large.
    pub fn png(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&self.scene(size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break. The height is that of the
    /// rows, whatever `options` say.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::coverage(self, options))
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

    /// A height that suits the number of rows, within the limits of [`PictureSize`].
    pub fn natural_height(&self) -> u32 {
        ((self.rows_height() + 130.0) as u32).clamp(200, 4000)
    }

    fn check(&self) -> Result<(), ChartError> {
        check_count("rows", self.rows.len(), LARGEST_COVERAGE_ROWS)?;
        let Some(first) = self.rows.first().filter(|row| !row.days.is_empty()) else {
            return Err(ChartError::Empty {
                field: "rows".to_owned(),
            });
        };
        for (index, row) in self.rows.iter().enumerate() {
            check_count(
                &format!("rows[{index}].days"),
                row.days.len(),
                LARGEST_SPAN_DAYS as usize,
            )?;
            if row.days.len() != first.days.len() {
                return Err(ChartError::WrongCellCount {
                    row: index,
                    cells: row.days.len(),
                    columns: first.days.len(),
                });
            }
        }
        Ok(())
    }

    /// Number of days of each row.
    pub(crate) fn length(&self) -> usize {
        self.rows.first().map_or(0, |row| row.days.len())
    }

    pub(crate) fn last_day(&self) -> NaiveDate {
        let days = self.length().saturating_sub(1) as u64;
        self.first_day
            .checked_add_days(Days::new(days))
            .unwrap_or(self.first_day)
    }

    /// `121 of 365 days`.
    pub(crate) fn count(row: &CoverageRow) -> String {
        let there = row.days.iter().filter(|day| **day).count();
        format!("{there} of {} days", row.days.len())
    }

    pub(crate) fn describe(&self) -> String {
        let rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| format!("{}: {}.", clean(&row.label), Self::count(row)))
            .collect();
        format!(
            "{} to {}. {}",
            write_date(self.first_day),
            write_date(self.last_day()),
            rows.join(" ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(rows: &[&[bool]]) -> CoverageChart {
        CoverageChart {
            title: "Data of una".to_owned(),
            subtitle: String::new(),
            first_day: "2024-02-28".parse().unwrap(),
            rows: rows
                .iter()
                .map(|days| CoverageRow {
                    label: "STEPS".to_owned(),
                    days: days.to_vec(),
                    is_part: false,
                })
                .collect(),
        }
    }

    #[test]
    fn the_description_counts_the_days() {
        let text = chart(&[&[true, false, true]]).description().unwrap();
        assert_eq!(text, "28 Feb 2024 to 1 Mar 2024. STEPS: 2 of 3 days.");
    }

    #[test]
    fn rows_of_other_lengths_and_no_days_are_refused() {
        assert!(chart(&[]).svg(PictureSize::default()).is_err());
        assert!(chart(&[&[]]).svg(PictureSize::default()).is_err());
        assert!(
            chart(&[&[true], &[true, true]])
                .svg(PictureSize::default())
                .is_err()
        );
        let svg = chart(&[&[true], &[false]])
            .svg(PictureSize::default())
            .unwrap();
        assert!(svg.starts_with("<svg"));
    }
}
