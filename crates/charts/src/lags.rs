//! Lag charts: correlation by lag.

use crate::{
    correlation::{check_correlation, write_correlation},
    draw_lags,
    error::{ChartError, check_count},
    paint::{self, Style},
    scene::PictureSize,
    terminal::{self, TerminalOptions},
};

/// The most lags of a picture.
pub const LARGEST_LAGS: usize = 400;
/// The largest lag, days or hours.
pub const LARGEST_LAG: u32 = 10_000;

/// Unit of the lags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LagUnit {
    /// Days from the feature to the target.
    Days,
    /// Hours from the feature to the target.
    Hours,
}

impl LagUnit {
    /// The plural word.
    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Days => "days",
            Self::Hours => "hours",
        }
    }
}

/// The correlation at one lag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LagPoint {
    /// Days or hours, 0 to [`LARGEST_LAG`].
    pub lag: u32,
    /// −1 to 1.
    pub correlation: f64,
    /// Lower end of its interval.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Whether the correlation is significant.
    pub stands_out: bool,
}

/// Correlations by lag, each with its interval.
///
/// A full dot is a significant lag, a ring is not significant.
///
/// ```
/// use vitalcast_charts::{LagChart, LagPoint, LagUnit};
///
/// let point = |lag, correlation: f64, stands_out| LagPoint {
///     lag,
///     correlation,
///     lower: correlation - 0.2,
///     upper: correlation + 0.2,
///     stands_out,
/// };
/// let chart = LagChart {
///     title: "Sleep after late meals".to_owned(),
///     subtitle: "95 % intervals".to_owned(),
///     unit: LagUnit::Days,
///     points: vec![point(0, -0.1, false), point(1, -0.42, true)],
///     optimal: Some(1),
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Strongest at 1 day: \u{2212}0.42, interval \u{2212}0.62 to \u{2212}0.22."
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LagChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of the lags.
    pub unit: LagUnit,
    /// The lags, strictly ascending. 1 to [`LARGEST_LAGS`].
    pub points: Vec<LagPoint>,
    /// Index of the strongest point; `None` if there is none.
    pub optimal: Option<usize>,
}

impl LagChart {
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
        paint::svg(&draw_lags::scene(self, size), style)
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
        paint::png(&draw_lags::scene(self, size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break: one line a lag.
    ///
    /// The height is that of the lags, whatever `options` say.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::lags(self, options))
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

    fn check(&self) -> Result<(), ChartError> {
        if self.points.is_empty() {
            return Err(ChartError::Empty {
                field: "points".to_owned(),
            });
        }
        check_count("points", self.points.len(), LARGEST_LAGS)?;
        for (index, point) in self.points.iter().enumerate() {
            for (name, value) in [
                ("correlation", point.correlation),
                ("lower", point.lower),
                ("upper", point.upper),
            ] {
                check_correlation(|| format!("points[{index}].{name}"), value)?;
            }
            if point.lower > point.upper {
                return Err(ChartError::IntervalReversed {
                    field: format!("points[{index}]"),
                    lower: point.lower,
                    upper: point.upper,
                });
            }
            if point.lag > LARGEST_LAG {
                return Err(ChartError::ValueOutOfRange {
                    field: format!("points[{index}].lag"),
                    value: f64::from(point.lag),
                    lowest: 0.0,
                    highest: f64::from(LARGEST_LAG),
                });
            }
            if index > 0 && point.lag <= self.points[index - 1].lag {
                return Err(ChartError::LagsNotAscending {
                    index,
                    lag: point.lag,
                });
            }
        }
        match self.optimal {
            Some(optimal) if optimal >= self.points.len() => Err(ChartError::NoSuchPoint {
                optimal,
                points: self.points.len(),
            }),
            _ => Ok(()),
        }
    }

    /// The point named as the strongest, in a checked chart.
    pub(crate) fn strongest(&self) -> Option<&LagPoint> {
        self.optimal.and_then(|place| self.points.get(place))
    }

    /// How far an axis goes to either side of 0: to ±0.5 where that holds everything, to ±1
    /// otherwise. Two scales and no more, so that pictures can be compared.
    pub(crate) fn reach(&self) -> f64 {
        let holds = |point: &LagPoint| {
            [point.correlation, point.lower, point.upper]
                .iter()
                .all(|value| value.abs() <= 0.5)
        };
        if self.points.iter().all(holds) {
            0.5
        } else {
            1.0
        }
    }

    /// `2 days`, `1 day`, `6 h`.
    pub(crate) fn write_lag(&self, lag: u32) -> String {
        match (self.unit, lag) {
            (LagUnit::Days, 1) => "1 day".to_owned(),
            (LagUnit::Days, _) => format!("{lag} days"),
            (LagUnit::Hours, _) => format!("{lag} h"),
        }
    }

    /// One sentence that names the strongest lag, or the number of significant lags where no strongest
    /// lag is given.
    pub fn verdict(&self) -> String {
        if let Some(point) = self.strongest() {
            let doubt = if point.stands_out {
                ""
            } else {
                "; not significant"
            };
            return format!(
                "Strongest at {}: {}, interval {} to {}{doubt}.",
                self.write_lag(point.lag),
                write_correlation(point.correlation),
                write_correlation(point.lower),
                write_correlation(point.upper)
            );
        }
        let count = self.points.iter().filter(|point| point.stands_out).count();
        match (count, self.points.len()) {
            (0, _) => "No lag is significant.".to_owned(),
            (1, all) => format!("1 of {all} lags is significant."),
            (count, all) => format!("{count} of {all} lags are significant."),
        }
    }

    pub(crate) fn describe(&self) -> String {
        let points: Vec<String> = self
            .points
            .iter()
            .map(|point| {
                let mark = if point.stands_out {
                    ", significant"
                } else {
                    ""
                };
                format!(
                    "{}: {}{mark}",
                    self.write_lag(point.lag),
                    write_correlation(point.correlation)
                )
            })
            .collect();
        format!("{} {}.", self.verdict(), points.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(lag: u32, correlation: f64, stands_out: bool) -> LagPoint {
        LagPoint {
            lag,
            correlation,
            lower: correlation - 0.2,
            upper: correlation + 0.2,
            stands_out,
        }
    }

    fn chart(points: Vec<LagPoint>, optimal: Option<usize>) -> LagChart {
        LagChart {
            title: "Late carbs and resting heart rate".to_owned(),
            subtitle: String::new(),
            unit: LagUnit::Days,
            points,
            optimal,
        }
    }

    #[track_caller]
    fn refused(points: Vec<LagPoint>, optimal: Option<usize>, expected: &str) {
        let error = chart(points, optimal).check().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn the_description_names_the_strongest_and_every_number() {
        let chart = chart(vec![point(0, 0.1, false), point(1, 0.6, true)], Some(1));
        assert_eq!(
            chart.description().unwrap(),
            "Strongest at 1 day: +0.60, interval +0.40 to +0.80. 0 days: +0.10; 1 day: +0.60, \
             significant."
        );
    }

    #[test]
    fn what_does_not_stand_out_is_not_sold_as_if_it_did() {
        let points = vec![point(0, 0.1, false), point(6, -0.3, false)];
        let mut chart = chart(points, Some(1));
        chart.unit = LagUnit::Hours;
        assert_eq!(
            chart.verdict(),
            "Strongest at 6 h: \u{2212}0.30, interval \u{2212}0.50 to \u{2212}0.10; not \
             significant."
        );
        chart.optimal = None;
        assert_eq!(chart.verdict(), "No lag is significant.");
        chart.points[0].stands_out = true;
        assert_eq!(chart.verdict(), "1 of 2 lags is significant.");
    }

    #[test]
    fn there_are_two_scales() {
        assert_eq!(chart(vec![point(0, 0.3, false)], None).reach(), 0.5);
        assert_eq!(chart(vec![point(0, -0.31, false)], None).reach(), 1.0);
    }

    #[test]
    fn no_lag_at_all_is_refused() {
        refused(vec![], None, "points is empty, expected at least one entry");
    }

    #[test]
    fn more_lags_than_can_be_shown_are_refused() {
        refused(
            (0..=400).map(|lag| point(lag, 0.0, false)).collect(),
            None,
            "points has 401 entries, expected at most 400",
        );
    }

    #[test]
    fn lags_out_of_order_are_refused_with_their_place() {
        refused(
            vec![point(1, 0.1, false), point(1, 0.2, false)],
            None,
            "points[1] has lag 1, expected a larger one than the point before: sort by lag",
        );
    }

    #[test]
    fn a_lag_of_decades_is_refused() {
        refused(
            vec![point(LARGEST_LAG + 1, 0.1, false)],
            None,
            "points[0].lag is 10001, expected 0 to 10000",
        );
    }

    #[test]
    fn what_is_no_correlation_is_refused_with_its_place() {
        refused(
            vec![point(0, 0.1, false), point(1, 0.9, false)],
            None,
            "points[1].upper is 1.1, expected -1 to 1",
        );
    }

    #[test]
    fn an_interval_that_is_reversed_is_refused() {
        let mut reversed = point(0, 0.0, false);
        (reversed.lower, reversed.upper) = (0.25, -0.25);
        refused(
            vec![reversed],
            None,
            "points[0] has a lower end of 0.25 above its upper end of -0.25",
        );
    }

    #[test]
    fn the_strongest_must_be_one_of_the_points() {
        refused(
            vec![point(0, 0.1, true)],
            Some(1),
            "optimal is 1, expected an index below 1, the number of points",
        );
    }
}
