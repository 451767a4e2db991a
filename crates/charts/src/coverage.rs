//! What data there is: a row of days for each metric and source.

use crate::{
    axis::{date_ticks, write_date},
    error::{ChartError, LARGEST_SPAN_DAYS, check_count},
    font::Weight,
    paint::{self, Style},
    palette::Ink,
    scene::{Anchor, PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
};
use chrono::{Days, NaiveDate};

/// The most rows of a coverage chart.
pub const LARGEST_COVERAGE_ROWS: usize = 400;
/// From one row to the next in a picture.
const PITCH: f64 = 20.0;
/// Size of the letters.
const LETTERS: f64 = 12.0;

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

/// The days on which there is data, as a strip per metric and source: the darker, the more of the days
/// have a value.
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
        let rows = self.rows.len() as f64 * PITCH;
        ((rows + 130.0) as u32).clamp(160, 4000)
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

    fn describe(&self) -> String {
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

    fn scene(&self, size: PictureSize) -> Scene {
        let mut scene = Scene::new(size, &self.title, self.describe());
        let margin = scene.margin();
        let top = scene.heading(&self.subtitle) + 12.0;
        let bottom = scene.height() - margin - 34.0;
        let pitch = ((bottom - top) / self.rows.len() as f64).clamp(1.0, PITCH);
        let letters = LETTERS.min(pitch * 0.8);
        let limit = scene.width() * 0.36;
        let count = |row: &CoverageRow| row.days.iter().filter(|day| **day).count().to_string();
        let widest = |texts: &mut dyn Iterator<Item = String>, scene: &Scene| {
            texts
                .map(|text| scene.fonts.room(&text, letters, Weight::Regular))
                .fold(0.0, f64::max)
        };
        let labels: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let text = clean(&row.label);
                scene.fonts.fit(&text, letters, Weight::Regular, limit)
            })
            .collect();
        let left = margin + widest(&mut labels.iter().cloned(), &scene) + 12.0;
        let right = scene.width() - margin - widest(&mut self.rows.iter().map(count), &scene) - 8.0;
        let width = (right - left).max(10.0);
        let days = self.length() as f64;
        let at = |day: usize| left + width * day as f64 / days;
        let rows_bottom = top + pitch * self.rows.len() as f64;
        let ticks = date_ticks(self.first_day, self.last_day(), (width / 64.0) as usize);
        for tick in ticks {
            let place = (tick.date - self.first_day).num_days().max(0) as usize;
            let x = at(place);
            scene.rectangle((x, top), (1.0, rows_bottom - top + 4.0), Ink::Grid, 1.0);
            let style = (11.0, Weight::Regular, Ink::Muted);
            scene.text((x, rows_bottom + 16.0), Anchor::Start, style, &tick.label);
            if let Some(year) = tick.year {
                scene.text((x, rows_bottom + 30.0), Anchor::Start, style, &year);
            }
        }
        for ((index, row), label) in self.rows.iter().enumerate().zip(&labels) {
            let y = top + index as f64 * pitch;
            let middle = y + pitch / 2.0 + letters * 0.36;
            let ink = if row.is_part { Ink::Muted } else { Ink::Text };
            let style = (letters, Weight::Regular, ink);
            scene.text((left - 12.0, middle), Anchor::End, style, label);
            let edge = (scene.width() - margin, middle);
            scene.text(edge, Anchor::End, style, &count(row));
            let colour = if row.is_part {
                Ink::Baseline
            } else {
                Ink::Reading
            };
            let (height, gap) = (pitch * 0.6, pitch * 0.2);
            scene.rectangle((left, y + gap), (width, height), Ink::Grid, 0.35);
            for (from, to) in runs(&row.days) {
                let corner = (at(from), y + gap);
                scene.rectangle(corner, (at(to) - at(from), height), colour, 1.0);
            }
        }
        scene
    }
}

/// First day and day after the last of each run of days with a value.
fn runs(days: &[bool]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut begun = None;
    for (place, is_there) in days.iter().copied().chain([false]).enumerate() {
        match (begun, is_there) {
            (None, true) => begun = Some(place),
            (Some(from), false) => {
                runs.push((from, place));
                begun = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    runs
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
    fn runs_of_days_are_found() {
        assert_eq!(runs(&[true, true, false, true]), [(0, 2), (3, 4)]);
        assert_eq!(runs(&[false]), []);
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
