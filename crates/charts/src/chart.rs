//! What every chart can do: be checked, described, laid out, and written to a terminal.

use crate::{
    error::{ChartError, LARGEST_SPAN_DAYS},
    paint::{self, Style},
    scene::{PictureSize, Scene},
    terminal::TerminalOptions,
};
use chrono::NaiveDate;

/// A chart of checked data.
pub(crate) trait Drawn {
    /// Whether the data can be drawn; everything else may rely on it.
    fn check(&self) -> Result<(), ChartError>;

    /// A text description, for screen readers.
    fn describe(&self) -> String;

    /// The layout of the picture.
    fn scene(&self, size: PictureSize) -> Scene;

    /// The lines of a terminal, each ended by a line break.
    fn write(&self, options: TerminalOptions) -> String;

    fn svg_styled(&self, size: PictureSize, style: Style) -> Result<String, ChartError> {
        self.check()?;
        size.check()?;
        paint::svg(&self.scene(size), style)
    }

    fn png_bytes(&self, size: PictureSize) -> Result<Vec<u8>, ChartError> {
        self.check()?;
        size.check()?;
        size.check_pixels()?;
        paint::png(&self.scene(size))
    }

    fn terminal_lines(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(self.write(options))
    }
}

/// The public methods of a [`Drawn`] chart.
macro_rules! chart_methods {
    ($chart:ty) => {
        impl $chart {
            /// The picture as a self-contained SVG document with title and description.
            ///
            /// # Errors
            ///
            /// Data that cannot be drawn, or a size outside the limits of
            /// [`PictureSize`](crate::PictureSize).
            pub fn svg(
                &self,
                size: $crate::scene::PictureSize,
            ) -> Result<String, $crate::error::ChartError> {
                $crate::chart::Drawn::svg_styled(self, size, $crate::paint::Style::Own)
            }

            /// The picture as the bytes of a PNG file, in the light colours.
            ///
            /// # Errors
            ///
            /// The errors of [`Self::svg`], and an error if the bitmap is too large.
            pub fn png(
                &self,
                size: $crate::scene::PictureSize,
            ) -> Result<Vec<u8>, $crate::error::ChartError> {
                $crate::chart::Drawn::png_bytes(self, size)
            }

            /// The picture as lines of text for a terminal, each ended by a line break.
            ///
            /// # Errors
            ///
            /// Data that cannot be drawn, or a size outside the limits of
            /// [`TerminalOptions`](crate::TerminalOptions).
            pub fn terminal(
                &self,
                options: $crate::terminal::TerminalOptions,
            ) -> Result<String, $crate::error::ChartError> {
                $crate::chart::Drawn::terminal_lines(self, options)
            }

            /// A text description of the chart, for screen readers.
            ///
            /// # Errors
            ///
            /// Data that cannot be drawn.
            pub fn description(&self) -> Result<String, $crate::error::ChartError> {
                $crate::chart::Drawn::check(self)?;
                Ok($crate::chart::Drawn::describe(self))
            }
        }
    };
}
pub(crate) use chart_methods;

/// Check that days are in strictly ascending order.
pub(crate) fn check_ascending(
    field: &str,
    dates: impl Iterator<Item = NaiveDate>,
) -> Result<(), ChartError> {
    let mut previous = None;
    for (index, date) in dates.enumerate() {
        if let Some(previous) = previous
            && date <= previous
        {
            return Err(ChartError::DatesNotAscending {
                field: format!("{field}[{index}].date"),
                date,
                previous,
            });
        }
        previous = Some(date);
    }
    Ok(())
}

/// Check that a picture can hold the days from the first to the last.
pub(crate) fn check_span(first: NaiveDate, last: NaiveDate) -> Result<(), ChartError> {
    if (last - first).num_days() > LARGEST_SPAN_DAYS {
        return Err(ChartError::SpanTooLong { first, last });
    }
    Ok(())
}

/// `1 day`, `2 days`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 {
        format!("1 {noun}")
    } else {
        format!("{count} {noun}s")
    }
}
