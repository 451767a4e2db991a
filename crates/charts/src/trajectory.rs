//! Trajectory charts: the forecasts of the coming weeks, with and without a change.

use chrono::NaiveDate;

use crate::{
    axis::write_date,
    chart::{Drawn, chart_methods, check_ascending, counted},
    draw_history::{self, OtherLine},
    error::{ChartError, check_value},
    history::{AverageLine, ForecastPoint, HistoryChart},
    scene::{PictureSize, Scene},
    terminal::{self, TerminalOptions},
    unit::Unit,
};

const UNCHANGED: &str = "without the change";

/// The forecast of one coming day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrajectoryDay {
    /// The day.
    pub day: NaiveDate,
    /// The forecast.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
    /// The forecast without the change, if there is a change.
    pub baseline: Option<f64>,
}

/// Readings of the past days and forecasts of the coming days, with intervals that widen.
///
/// ```
/// use chrono::NaiveDate;
/// use vitalcast_charts::{TrajectoryChart, TrajectoryDay, Unit};
///
/// let day = |of_march| NaiveDate::from_ymd_opt(2026, 3, of_march).expect("a day of March");
/// let chart = TrajectoryChart {
///     title: "Resting heart rate".to_owned(),
///     subtitle: String::new(),
///     unit: Unit::beats_per_minute(),
///     days: vec![
///         TrajectoryDay { day: day(3), value: 57.0, lower: 54.0, upper: 60.0, baseline: Some(58.0) },
///         TrajectoryDay { day: day(4), value: 56.0, lower: 52.0, upper: 60.0, baseline: Some(58.0) },
///     ],
///     mean: Some(58.0),
///     past: vec![(day(1), Some(58.0)), (day(2), None)],
/// };
/// assert_eq!(
///     chart.verdict(),
///     "Expected on 4 Mar 2026: 56 bpm, interval 52–60 bpm; without the change 58 bpm. \
///      The interval holds your mean (58 bpm)."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TrajectoryChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of all values.
    pub unit: Unit,
    /// The coming days in strictly ascending order, at least one, all after the past ones.
    pub days: Vec<TrajectoryDay>,
    /// The person's own mean.
    pub mean: Option<f64>,
    /// The past days and their readings, in strictly ascending order.
    pub past: Vec<(NaiveDate, Option<f64>)>,
}

chart_methods!(TrajectoryChart);

impl TrajectoryChart {
    /// One or two sentences: what is expected at the end, and whether that differs from the person's
    /// mean.
    pub fn verdict(&self) -> String {
        let Some(last) = self.days.last() else {
            return "No day was forecast.".to_owned();
        };
        let unit = &self.unit;
        let mut text = format!(
            "Expected on {}: {}, interval {}",
            write_date(last.day),
            unit.write(last.value),
            unit.write_range(last.lower, last.upper)
        );
        if let Some(baseline) = last.baseline {
            text.push_str(&format!("; {UNCHANGED} {}", unit.write(baseline)));
        }
        text.push('.');
        if let Some(mean) = self.mean {
            let verb = if (last.lower..=last.upper).contains(&mean) {
                "holds"
            } else {
                "does not hold"
            };
            let mean = unit.write(mean);
            text.push_str(&format!(" The interval {verb} your mean ({mean})."));
        }
        text
    }

    /// The same days as a history with forecasts.
    pub(crate) fn history(&self) -> HistoryChart {
        HistoryChart {
            title: self.title.clone(),
            subtitle: self.subtitle.clone(),
            unit: self.unit.clone(),
            history: self.past.clone(),
            average: self.mean.map(|value| AverageLine {
                label: "your mean".to_owned(),
                value,
            }),
            interval_percent: None,
            forecasts: self
                .days
                .iter()
                .map(|day| ForecastPoint {
                    date: day.day,
                    value: day.value,
                    lower: day.lower,
                    upper: day.upper,
                    actual: None,
                })
                .collect(),
        }
    }

    /// The forecasts without the change.
    pub(crate) fn unchanged(&self) -> Option<OtherLine> {
        let days = self.days.iter();
        let points: Vec<(NaiveDate, f64)> = days
            .filter_map(|day| day.baseline.map(|baseline| (day.day, baseline)))
            .collect();
        (!points.is_empty()).then(|| OtherLine {
            label: UNCHANGED.to_owned(),
            points,
        })
    }
}

impl Drawn for TrajectoryChart {
    fn check(&self) -> Result<(), ChartError> {
        if self.days.is_empty() {
            return Err(ChartError::Empty {
                field: "days".to_owned(),
            });
        }
        for (index, day) in self.days.iter().enumerate() {
            let field = format!("days[{index}]");
            let values = [
                ("value", Some(day.value)),
                ("lower", Some(day.lower)),
                ("upper", Some(day.upper)),
                ("baseline", day.baseline),
            ];
            for (name, value) in values {
                if let Some(value) = value {
                    check_value(|| format!("{field}.{name}"), value)?;
                }
            }
            if day.lower > day.upper {
                return Err(ChartError::IntervalReversed {
                    field,
                    lower: day.lower,
                    upper: day.upper,
                });
            }
        }
        for (index, (_, value)) in self.past.iter().enumerate() {
            if let Some(value) = value {
                check_value(|| format!("past[{index}].value"), *value)?;
            }
        }
        if let Some(mean) = self.mean {
            check_value(|| "mean".to_owned(), mean)?;
        }
        check_ascending("past", self.past.iter().map(|(day, _)| *day))?;
        check_ascending("days", self.days.iter().map(|day| day.day))?;
        if let (Some((previous, _)), Some(first)) = (self.past.last(), self.days.first())
            && first.day <= *previous
        {
            return Err(ChartError::DatesNotAscending {
                field: "days[0].date".to_owned(),
                date: first.day,
                previous: *previous,
            });
        }
        self.history().check()
    }

    fn describe(&self) -> String {
        let first = self
            .days
            .first()
            .expect("check refuses a chart without days");
        let readings = self.past.iter().filter(|(_, value)| value.is_some());
        format!(
            "{}, then {} from {} on. {}",
            counted(readings.count(), "reading"),
            counted(self.days.len(), "forecast"),
            write_date(first.day),
            self.verdict()
        )
    }

    fn scene(&self, size: PictureSize) -> Scene {
        let unchanged = self.unchanged();
        draw_history::scene_with(&self.history(), self.describe(), unchanged.as_ref(), size)
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::trajectory(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart() -> TrajectoryChart {
        let first: NaiveDate = "2026-03-01".parse().unwrap();
        let days: Vec<NaiveDate> = first.iter_days().take(4).collect();
        let forecast = |day| TrajectoryDay {
            day,
            value: 57.0,
            lower: 55.0,
            upper: 59.0,
            baseline: None,
        };
        TrajectoryChart {
            title: "Resting heart rate".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute(),
            days: vec![forecast(days[2]), forecast(days[3])],
            mean: Some(62.0),
            past: vec![(days[0], Some(58.0)), (days[1], None)],
        }
    }

    #[test]
    fn the_verdict_says_whether_the_end_differs_from_the_mean() {
        let mut chart = chart();
        assert!(
            chart
                .verdict()
                .ends_with("does not hold your mean (62 bpm).")
        );
        chart.mean = None;
        assert_eq!(
            chart.verdict(),
            "Expected on 4 Mar 2026: 57 bpm, interval 55\u{2013}59 bpm."
        );
    }

    #[test]
    fn a_coming_day_that_is_past_is_refused() {
        let mut chart = chart();
        chart.past.push((chart.days[0].day, Some(57.0)));
        assert!(matches!(
            chart.check(),
            Err(ChartError::DatesNotAscending { .. })
        ));
    }

    #[test]
    fn no_day_and_a_reversed_interval_are_refused() {
        let mut reversed = chart();
        reversed.days[1].lower = 70.0;
        assert!(
            reversed
                .check()
                .unwrap_err()
                .to_string()
                .starts_with("days[1] has a lower end of 70")
        );
        let mut empty = chart();
        empty.days.clear();
        assert!(matches!(empty.check(), Err(ChartError::Empty { .. })));
    }
}
