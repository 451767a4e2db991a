//! History charts: readings, past forecasts and the next forecast.

use chrono::NaiveDate;

use crate::{
    axis::write_date,
    chart::{check_ascending, check_span, counted},
    draw_history,
    error::{ChartError, LARGEST_COUNT, check_count, check_value},
    paint::{self, Style},
    scene::PictureSize,
    terminal::{self, TerminalOptions},
    text::clean,
    unit::Unit,
};

/// A forecast, and the measured value if it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastPoint {
    /// The day that was forecast.
    pub date: NaiveDate,
    /// The forecast itself.
    pub value: f64,
    /// The lower end of its interval.
    pub lower: f64,
    /// The upper end of its interval.
    pub upper: f64,
    /// The measured value of that day; `None` if it is not known.
    pub actual: Option<f64>,
}

/// A reference level for the readings.
#[derive(Debug, Clone, PartialEq)]
pub struct AverageLine {
    /// Label of the level, for example `30-day average`.
    pub label: String,
    /// Its value.
    pub value: f64,
}

/// A chart of one series: readings by day, past forecasts, and the next forecast.
///
/// A day without a reading is a gap in the line, whether its entry is `None` or absent. No line is
/// drawn across a gap.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryChart {
    /// Title of the chart, for example `Resting heart rate`.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit and decimals of every value.
    pub unit: Unit,
    /// Readings by day, in strictly ascending order.
    pub history: Vec<(NaiveDate, Option<f64>)>,
    /// A level drawn as a dashed line.
    pub average: Option<AverageLine>,
    /// Nominal level of the intervals in per cent, 1 to 99, for the legend.
    pub interval_percent: Option<u8>,
    /// Forecasts by day, in strictly ascending order.
    pub forecasts: Vec<ForecastPoint>,
}

impl HistoryChart {
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
        paint::svg(&draw_history::scene(self, size), style)
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
        paint::png(&draw_history::scene(self, size))
    }

    /// The picture as lines of text for a terminal, each ended by a line break.
    ///
    /// # Errors
    ///
    /// Data that cannot be drawn, or a size outside the limits of [`TerminalOptions`].
    pub fn terminal(&self, options: TerminalOptions) -> Result<String, ChartError> {
        self.check()?;
        options.check()?;
        Ok(terminal::history(self, options))
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

    pub(crate) fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        if let Some(percent) = self.interval_percent
            && !(1..=99).contains(&percent)
        {
            return Err(ChartError::IntervalPercent { percent });
        }
        if self.history.is_empty() && self.forecasts.is_empty() {
            return Err(ChartError::Empty {
                field: "history".to_owned(),
            });
        }
        check_count("history", self.history.len(), LARGEST_COUNT)?;
        check_count("forecasts", self.forecasts.len(), LARGEST_COUNT)?;
        for (index, (_, value)) in self.history.iter().enumerate() {
            if let Some(value) = value {
                check_value(|| format!("history[{index}].value"), *value)?;
            }
        }
        for (index, point) in self.forecasts.iter().enumerate() {
            check_value(|| format!("forecasts[{index}].value"), point.value)?;
            check_value(|| format!("forecasts[{index}].lower"), point.lower)?;
            check_value(|| format!("forecasts[{index}].upper"), point.upper)?;
            if let Some(actual) = point.actual {
                check_value(|| format!("forecasts[{index}].actual"), actual)?;
            }
            if point.lower > point.upper {
                return Err(ChartError::IntervalReversed {
                    field: format!("forecasts[{index}]"),
                    lower: point.lower,
                    upper: point.upper,
                });
            }
        }
        if let Some(average) = &self.average {
            check_value(|| "average.value".to_owned(), average.value)?;
        }
        check_ascending("history", self.history.iter().map(|(date, _)| *date))?;
        check_ascending("forecasts", self.forecasts.iter().map(|point| point.date))?;
        let (first, last) = self.span();
        check_span(first, last)
    }

    /// The first and the last day of the picture.
    pub(crate) fn span(&self) -> (NaiveDate, NaiveDate) {
        let days = || {
            let read = self.history.iter().map(|(date, _)| *date);
            read.chain(self.forecasts.iter().map(|point| point.date))
        };
        let first = days().min().expect("check refuses a chart without any day");
        let last = days().max().expect("check refuses a chart without any day");
        (first, last)
    }

    /// The lowest and the highest value to be drawn; none when there is no value but the average.
    pub(crate) fn extremes(&self) -> Option<(f64, f64)> {
        let read = self.history.iter().filter_map(|(_, value)| *value);
        let forecast = self.forecasts.iter().flat_map(|point| {
            [
                Some(point.value),
                Some(point.lower),
                Some(point.upper),
                point.actual,
            ]
        });
        let mut values = read.chain(forecast.flatten()).peekable();
        values.peek()?;
        let average = self.average.iter().map(|average| average.value);
        let bounds = values
            .chain(average)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        Some(bounds)
    }

    /// Stretches of readings on consecutive days, each at least one day long.
    pub(crate) fn stretches(&self) -> Vec<Vec<(NaiveDate, f64)>> {
        let mut stretches: Vec<Vec<(NaiveDate, f64)>> = Vec::new();
        for (date, value) in &self.history {
            let Some(value) = value else { continue };
            match stretches.last_mut() {
                Some(stretch)
                    if stretch
                        .last()
                        .is_some_and(|(day, _)| day.succ_opt() == Some(*date)) =>
                {
                    stretch.push((*date, *value));
                }
                _ => stretches.push(vec![(*date, *value)]),
            }
        }
        stretches
    }

    /// Whether the history itself shows what was measured on a day.
    pub(crate) fn has_reading(&self, day: NaiveDate) -> bool {
        self.history
            .binary_search_by_key(&day, |(date, _)| *date)
            .is_ok_and(|index| self.history[index].1.is_some())
    }

    /// Stretches of forecasts for consecutive days.
    pub(crate) fn forecast_stretches(&self) -> Vec<&[ForecastPoint]> {
        self.forecasts
            .chunk_by(|one, next| one.date.succ_opt() == Some(next.date))
            .collect()
    }

    /// The last day of which anything is known.
    fn last_known(&self) -> Option<NaiveDate> {
        let read = self
            .history
            .iter()
            .rev()
            .find(|(_, value)| value.is_some())
            .map(|(date, _)| *date);
        let outcome = self
            .forecasts
            .iter()
            .rev()
            .find(|point| point.actual.is_some());
        read.max(outcome.map(|point| point.date))
    }

    /// The forecasts of coming days.
    ///
    /// A forecast before the last known day is not included, even without a measured value: that day is
    /// over.
    pub(crate) fn pending(&self) -> &[ForecastPoint] {
        let known = self.last_known();
        let past = self
            .forecasts
            .partition_point(|point| known.is_some_and(|known| point.date <= known));
        &self.forecasts[past..]
    }

    /// The forecasts for days that are over, with or without a known outcome.
    pub(crate) fn past_forecasts(&self) -> &[ForecastPoint] {
        &self.forecasts[..self.forecasts.len() - self.pending().len()]
    }

    /// Name of the intervals in the legend.
    pub(crate) fn interval_name(&self) -> String {
        match self.interval_percent {
            Some(percent) => format!("{percent} % interval"),
            None => "interval".to_owned(),
        }
    }

    /// One forecast as a phrase: `1 Apr 2026: 58 bpm, 90 % interval 54–62 bpm`.
    pub(crate) fn phrase(&self, point: &ForecastPoint) -> String {
        format!(
            "{}: {}, {} {}",
            write_date(point.date),
            self.unit.write(point.value),
            self.interval_name(),
            self.unit.write_range(point.lower, point.upper)
        )
    }

    pub(crate) fn describe(&self) -> String {
        let (first, last) = self.span();
        let mut sentences = Vec::new();
        let readings: Vec<f64> = self
            .history
            .iter()
            .filter_map(|(_, value)| *value)
            .collect();
        let period = if first == last {
            write_date(first)
        } else {
            format!("{} to {}", write_date(first), write_date(last))
        };
        let lowest = readings.iter().copied().reduce(f64::min);
        let highest = readings.iter().copied().reduce(f64::max);
        sentences.push(match lowest.zip(highest) {
            Some((low, high)) if low < high => format!(
                "{period}: {}, from {} to {}",
                counted(readings.len(), "reading"),
                self.unit.write_number(low),
                self.unit.write(high)
            ),
            Some((low, _)) => format!(
                "{period}: {}, {}",
                counted(readings.len(), "reading"),
                self.unit.write(low)
            ),
            None => format!("{period}: no readings"),
        });
        if let (Some((start, _)), Some((end, _))) = (self.history.first(), self.history.last()) {
            let days = (*end - *start).num_days() as usize + 1;
            let missing = days.saturating_sub(readings.len());
            if missing > 0 && !readings.is_empty() {
                sentences.push(format!("{} without a reading", counted(missing, "day")));
            }
        }
        if let Some(average) = &self.average {
            sentences.push(format!(
                "{}: {}",
                clean(&average.label),
                self.unit.write(average.value)
            ));
        }
        sentences.extend(
            self.pending()
                .iter()
                .map(|point| format!("Forecast for {}", self.phrase(point))),
        );
        let known: Vec<(&ForecastPoint, f64)> = self
            .forecasts
            .iter()
            .filter_map(|point| point.actual.map(|actual| (point, actual)))
            .collect();
        if !known.is_empty() {
            let inside = known
                .iter()
                .filter(|(point, actual)| (point.lower..=point.upper).contains(actual))
                .count();
            let interval = self.interval_name();
            sentences.push(format!(
                "Of {} with a known outcome, {inside} had it inside the {interval}",
                counted(known.len(), "past forecast")
            ));
        }
        let mut text = sentences.join(". ");
        text.push('.');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn chart(history: Vec<(NaiveDate, Option<f64>)>) -> HistoryChart {
        HistoryChart {
            title: "Resting heart rate".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute(),
            history,
            average: None,
            interval_percent: Some(90),
            forecasts: Vec::new(),
        }
    }

    #[test]
    fn a_missing_value_and_an_absent_day_both_end_a_stretch() {
        let chart = chart(vec![
            (day("2026-03-01"), Some(56.0)),
            (day("2026-03-02"), Some(57.0)),
            (day("2026-03-03"), None),
            (day("2026-03-04"), Some(58.0)),
            (day("2026-03-06"), Some(59.0)),
        ]);
        let lengths: Vec<usize> = chart.stretches().iter().map(Vec::len).collect();
        assert_eq!(lengths, [2, 1, 1]);
    }

    #[test]
    fn days_out_of_order_and_doubled_days_are_refused() {
        let doubled = chart(vec![
            (day("2026-03-02"), Some(1.0)),
            (day("2026-03-02"), None),
        ]);
        assert_eq!(
            doubled.check().unwrap_err().to_string(),
            "history[1].date is 2026-03-02, expected a date after 2026-03-02: sort by date, with \
             one entry per day"
        );
    }

    #[test]
    fn the_description_tells_missing_days_and_realised_coverage() {
        let mut chart = chart(vec![
            (day("2026-03-01"), Some(56.0)),
            (day("2026-03-02"), None),
            (day("2026-03-03"), Some(60.0)),
        ]);
        let point = |date, actual| ForecastPoint {
            date,
            value: 57.0,
            lower: 55.0,
            upper: 59.0,
            actual,
        };
        chart.forecasts = vec![
            point(day("2026-03-01"), Some(56.0)),
            point(day("2026-03-03"), Some(60.0)),
            point(day("2026-03-04"), None),
        ];
        assert_eq!(
            chart.describe(),
            "1 Mar 2026 to 4 Mar 2026: 2 readings, from 56 to 60 bpm. 1 day without a reading. \
             Forecast for 4 Mar 2026: 57 bpm, 90 % interval 55\u{2013}59 bpm. Of 2 past forecasts \
             with a known outcome, 1 had it inside the 90 % interval."
        );
    }

    #[test]
    fn a_past_day_that_nobody_measured_is_no_longer_ahead() {
        let mut chart = chart(vec![
            (day("2026-03-01"), Some(56.0)),
            (day("2026-03-03"), Some(60.0)),
        ]);
        let point = |date| ForecastPoint {
            date,
            value: 57.0,
            lower: 55.0,
            upper: 59.0,
            actual: None,
        };
        chart.forecasts = vec![point(day("2026-03-02")), point(day("2026-03-04"))];
        let ahead: Vec<NaiveDate> = chart.pending().iter().map(|point| point.date).collect();
        assert_eq!(ahead, [day("2026-03-04")]);
        assert_eq!(chart.past_forecasts().len(), 1);
    }

    /// Yesterday's reading was not there yet: yesterday's forecast stood below the picture as tomorrow's.
    #[test]
    fn the_line_below_a_picture_was_of_an_earlier_day_without_a_reading() {
        let mut chart = chart(vec![(day("2026-03-01"), Some(56.0))]);
        let point = |date, value: f64| ForecastPoint {
            date,
            value,
            lower: value - 2.0,
            upper: value + 2.0,
            actual: None,
        };
        chart.forecasts = vec![
            point(day("2026-03-02"), 57.0),
            point(day("2026-03-03"), 61.0),
        ];
        let text = chart.terminal(TerminalOptions::default()).unwrap();
        assert!(text.contains("3 Mar 2026: 61 bpm"), "{text}");
        assert!(!text.contains("2 Mar 2026: 57 bpm"), "{text}");
    }

    #[test]
    fn a_reversed_interval_and_an_impossible_level_are_refused() {
        let mut chart = chart(Vec::new());
        chart.forecasts = vec![ForecastPoint {
            date: day("2026-03-01"),
            value: 57.0,
            lower: 59.0,
            upper: 55.0,
            actual: None,
        }];
        assert!(matches!(
            chart.check(),
            Err(ChartError::IntervalReversed { .. })
        ));
        chart.forecasts.clear();
        assert!(matches!(chart.check(), Err(ChartError::Empty { .. })));
        chart.interval_percent = Some(100);
        assert!(matches!(
            chart.check(),
            Err(ChartError::IntervalPercent { percent: 100 })
        ));
    }

    #[test]
    fn more_than_a_century_is_refused() {
        let chart = chart(vec![
            (day("1800-01-01"), None),
            (day("2026-01-01"), Some(1.0)),
        ]);
        assert!(matches!(chart.check(), Err(ChartError::SpanTooLong { .. })));
    }
}
