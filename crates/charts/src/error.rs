//! Errors of charts.

use chrono::NaiveDate;

/// The largest absolute value that can be drawn.
///
/// Nothing a body shows comes near it; beyond it the arithmetic of an axis would lose its digits.
pub const LARGEST_VALUE: f64 = 1e12;

/// The most days that one picture may span, about a hundred years.
pub const LARGEST_SPAN_DAYS: i64 = 36_600;

/// The most points of a chart or rows of a table.
pub const LARGEST_COUNT: usize = 100_000;

/// The most baselines that can be read beside a model.
pub const LARGEST_BASELINES: usize = 60;

/// An error of a chart or a page.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChartError {
    /// There is nothing to draw, not even days without a reading.
    #[error("{field} is empty, expected at least one entry")]
    Empty {
        /// The list that was empty.
        field: String,
    },
    /// A list is longer than a picture can show.
    #[error("{field} has {count} entries, expected at most {largest}")]
    TooMany {
        /// The list.
        field: String,
        /// How many entries it has.
        count: usize,
        /// The most allowed.
        largest: usize,
    },
    /// A value is NaN or infinite. A missing value is `None`, never NaN.
    #[error("{field} is {value}, expected a finite number, or no entry for a missing value")]
    NotFinite {
        /// Location of the value, for example `forecasts[2].lower`.
        field: String,
        /// The value.
        value: f64,
    },
    /// A value is too large to be drawn, or negative where that makes no sense.
    #[error("{field} is {value}, expected {lowest} to {highest}")]
    ValueOutOfRange {
        /// Location of the value.
        field: String,
        /// The value.
        value: f64,
        /// The lowest value allowed.
        lowest: f64,
        /// The highest value allowed.
        highest: f64,
    },
    /// The lower end of an interval lies above its upper end.
    #[error("{field} has a lower end of {lower} above its upper end of {upper}")]
    IntervalReversed {
        /// The forecast or lag, for example `forecasts[2]`.
        field: String,
        /// Its lower end.
        lower: f64,
        /// Its upper end.
        upper: f64,
    },
    /// Days are not in strictly ascending order.
    #[error(
        "{field} is {date}, expected a date after {previous}: sort by date, with one entry per day"
    )]
    DatesNotAscending {
        /// Location of the date, for example `history[5].date`.
        field: String,
        /// The date.
        date: NaiveDate,
        /// The date of the entry before it.
        previous: NaiveDate,
    },
    /// Values are not in strictly ascending order.
    #[error(
        "{field} is not larger than the one before it: sort in ascending order, each value once"
    )]
    NotAscending {
        /// Location of the value, for example `line[5].0`.
        field: String,
    },
    /// Base, parts and rest of a waterfall do not add up to its value.
    #[error("the base, the parts and the rest do not add up to the value")]
    PartsDoNotAdd,
    /// A day of an experiment names a condition that does not exist.
    #[error("days[{index}].condition is {condition}, expected 0 or 1, or none")]
    NoSuchCondition {
        /// Which day.
        index: usize,
        /// The condition given.
        condition: usize,
    },
    /// A row of a heat map has not one cell for each column.
    #[error("rows[{row}]: expected {columns} cells, one for each column, found {cells}")]
    WrongCellCount {
        /// Which row.
        row: usize,
        /// Its cells.
        cells: usize,
        /// The columns.
        columns: usize,
    },
    /// Lags are not in strictly ascending order.
    #[error(
        "points[{index}] has lag {lag}, expected a larger one than the point before: sort by lag"
    )]
    LagsNotAscending {
        /// Which point.
        index: usize,
        /// Its lag.
        lag: u32,
    },
    /// The index of the strongest lag is out of range.
    #[error("optimal is {optimal}, expected an index below {points}, the number of points")]
    NoSuchPoint {
        /// The given index.
        optimal: usize,
        /// How many points there are.
        points: usize,
    },
    /// The first and the last day lie too far apart.
    #[error(
        "the days from {first} to {last} span more than {LARGEST_SPAN_DAYS} days: choose a shorter period"
    )]
    SpanTooLong {
        /// The first day.
        first: NaiveDate,
        /// The last day.
        last: NaiveDate,
    },
    /// A size lies outside its limits.
    #[error("{field} is {value}, expected {smallest} to {largest}")]
    SizeOutOfRange {
        /// Which size, for example `width`.
        field: &'static str,
        /// The size asked for.
        value: u32,
        /// The smallest size allowed.
        smallest: u32,
        /// The largest size allowed.
        largest: u32,
    },
    /// A bitmap would have too many pixels.
    #[error(
        "{width} x {height} at {pixels_per_point} pixels per point is too large, expected at most \
         {largest} pixels"
    )]
    TooManyPixels {
        /// Width in points.
        width: u32,
        /// Height in points.
        height: u32,
        /// Pixels for each point.
        pixels_per_point: u32,
        /// The most pixels allowed.
        largest: u64,
    },
    /// More decimals were asked for than a number has.
    #[error("unit.decimals is {decimals}, expected at most {largest}")]
    TooManyDecimals {
        /// The decimals asked for.
        decimals: u8,
        /// The most allowed.
        largest: u8,
    },
    /// An interval's level is not a percentage.
    #[error("interval_percent is {percent}, expected 1 to 99")]
    IntervalPercent {
        /// The percentage given.
        percent: u8,
    },
    /// A row of a table has another number of cells than the table has columns.
    #[error(
        "row {row} of table {table:?}: expected {columns} cells, one for each column, found {cells}"
    )]
    RaggedTable {
        /// The table's caption.
        table: String,
        /// The row's index, from zero.
        row: usize,
        /// How many cells it has.
        cells: usize,
        /// How many columns the table has.
        columns: usize,
    },
    /// A language tag is not of the form `en` or `de-CH`.
    #[error("language is {language:?}, expected a language tag such as \"en\" or \"de-CH\"")]
    Language {
        /// The tag given.
        language: String,
    },
    /// The drawing or encoding library failed.
    #[error("cannot draw the {format} chart: {reason}")]
    Drawing {
        /// `SVG` or `PNG`.
        format: &'static str,
        /// The error of the library.
        reason: String,
    },
}

/// Check that a value can be drawn.
pub(crate) fn check_value(field: impl FnOnce() -> String, value: f64) -> Result<(), ChartError> {
    if !value.is_finite() {
        return Err(ChartError::NotFinite {
            field: field(),
            value,
        });
    }
    if value.abs() > LARGEST_VALUE {
        return Err(ChartError::ValueOutOfRange {
            field: field(),
            value,
            lowest: -LARGEST_VALUE,
            highest: LARGEST_VALUE,
        });
    }
    Ok(())
}

/// Check that a size lies between two limits, both allowed.
pub(crate) fn check_size(
    field: &'static str,
    value: u32,
    smallest: u32,
    largest: u32,
) -> Result<(), ChartError> {
    if (smallest..=largest).contains(&value) {
        Ok(())
    } else {
        Err(ChartError::SizeOutOfRange {
            field,
            value,
            smallest,
            largest,
        })
    }
}

/// Check that a list is short enough to be drawn.
pub(crate) fn check_count(field: &str, count: usize, largest: usize) -> Result<(), ChartError> {
    if count > largest {
        return Err(ChartError::TooMany {
            field: field.to_owned(),
            count,
            largest,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_no_number_is_refused_by_name() {
        let error = check_value(|| "history[3].value".to_owned(), f64::NAN).unwrap_err();
        assert_eq!(
            error.to_string(),
            "history[3].value is NaN, expected a finite number, or no entry for a missing value"
        );
    }

    #[test]
    fn a_value_beyond_the_limit_is_refused_and_the_limit_itself_is_not() {
        assert!(check_value(String::new, LARGEST_VALUE).is_ok());
        assert!(check_value(String::new, -LARGEST_VALUE).is_ok());
        assert!(matches!(
            check_value(String::new, f64::MAX),
            Err(ChartError::ValueOutOfRange { .. })
        ));
    }

    #[test]
    fn both_ends_of_a_size_limit_are_allowed() {
        assert!(check_size("width", 240, 240, 4000).is_ok());
        assert!(check_size("width", 4000, 240, 4000).is_ok());
        assert_eq!(
            check_size("width", 239, 240, 4000).unwrap_err().to_string(),
            "width is 239, expected 240 to 4000"
        );
    }
}
