//! Experiment charts: the days of an experiment of one person, by condition.

use chrono::NaiveDate;

use crate::{
    axis::write_date,
    chart::{Drawn, chart_methods, check_ascending, check_span, counted},
    draw_experiment,
    error::{ChartError, LARGEST_COUNT, check_count, check_value},
    scene::{PictureSize, Scene},
    terminal::{self, TerminalOptions},
    text::clean,
    unit::Unit,
};

/// One day of an experiment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExperimentDay {
    /// The day.
    pub day: NaiveDate,
    /// The condition of the day: 0 or 1; `None` before the experiment.
    pub condition: Option<usize>,
    /// Whether the day belongs to the washout at the start of a block, whose values do not count.
    pub is_washout: bool,
    /// Whether the person did what the condition asks for; `None` if it is not known.
    pub adhered: Option<bool>,
    /// The measured value.
    pub value: Option<f64>,
}

/// A part of the timeline: days in a row of the same condition, washout apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) first: NaiveDate,
    pub(crate) last: NaiveDate,
    pub(crate) condition: Option<usize>,
    pub(crate) is_washout: bool,
}

/// The timeline of an experiment: blocks of two conditions, the values of their days, and the mean of
/// each condition with its interval.
///
/// Condition A has dots, condition B rings, and each block is named. A cross marks a day on which the
/// condition was not followed.
///
/// ```
/// use chrono::NaiveDate;
/// use vitalcast_charts::{ExperimentChart, ExperimentDay, Unit};
///
/// let day = |of_march, condition, value| ExperimentDay {
///     day: NaiveDate::from_ymd_opt(2026, 3, of_march).expect("a day of March"),
///     condition: Some(condition),
///     is_washout: false,
///     adhered: Some(true),
///     value: Some(value),
/// };
/// let chart = ExperimentChart {
///     title: "Food after 20:00 and resting heart rate".to_owned(),
///     subtitle: String::new(),
///     unit: Unit::beats_per_minute(),
///     condition_labels: ["no food after 20:00".to_owned(), "as usual".to_owned()],
///     days: vec![day(1, 0, 56.0), day(2, 0, 57.0), day(3, 1, 59.0), day(4, 1, 58.0)],
///     means: [Some((56.5, 55.0, 58.0)), Some((58.5, 57.0, 60.0))],
///     today: None,
/// };
/// assert_eq!(
///     chart.verdict(),
///     "A, no food after 20:00: mean 56.5 bpm, interval 55.0–58.0 bpm, 2 days. \
///      B, as usual: mean 58.5 bpm, interval 57.0–60.0 bpm, 2 days."
/// );
/// # Ok::<(), vitalcast_charts::ChartError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ExperimentChart {
    /// Title of the chart.
    pub title: String,
    /// Subtitle. Can be empty.
    pub subtitle: String,
    /// Unit of the values. Means get a decimal more, and two where they are close.
    pub unit: Unit,
    /// What the person does in condition 0, named A, and in condition 1, named B.
    pub condition_labels: [String; 2],
    /// The days in strictly ascending order, at least one.
    pub days: Vec<ExperimentDay>,
    /// Mean of each condition with the lower and the upper end of its interval, once it is known.
    pub means: [Option<(f64, f64, f64)>; 2],
    /// The present day; days after it are planned.
    pub today: Option<NaiveDate>,
}

/// The letters of the conditions.
pub(crate) const LETTERS: [&str; 2] = ["A", "B"];

chart_methods!(ExperimentChart);

impl ExperimentChart {
    /// A sentence for each condition: its mean, the interval, and how many days have a value. It
    /// compares nothing: whether the difference is more than luck is for the test of the analysis to
    /// say.
    pub fn verdict(&self) -> String {
        let unit = self.shown_unit();
        let sentences: Vec<String> = (0..2)
            .map(|condition| {
                let name = format!(
                    "{}, {}",
                    LETTERS[condition],
                    clean(&self.condition_labels[condition])
                );
                let days = counted(self.counted_days(condition), "day");
                match self.means[condition] {
                    Some((mean, lower, upper)) => format!(
                        "{name}: mean {}, interval {}, {days}.",
                        unit.write(mean),
                        unit.write_range(lower, upper)
                    ),
                    None => format!("{name}: no mean yet, {days} with a value."),
                }
            })
            .collect();
        sentences.join(" ")
    }

    /// Days of a condition with a value, without washout.
    fn counted_days(&self, condition: usize) -> usize {
        let days = self.days.iter();
        days.filter(|day| day.condition == Some(condition) && !day.is_washout)
            .filter(|day| day.value.is_some())
            .count()
    }

    /// The unit with decimals in which the means differ, and the ends of their intervals.
    pub(crate) fn shown_unit(&self) -> Unit {
        let halves = self.means.iter().flatten();
        let widest = halves.map(|(_, lower, upper)| (upper - lower) / 2.0);
        let widest = widest.fold(0.0, f64::max);
        let least = match self.means {
            [Some((one, ..)), Some((other, ..))] if one != other => widest.min((one - other).abs()),
            [..] => widest,
        };
        // A mean deserves a decimal more than a value; one digit of the difference is enough.
        let decimals = self.unit.decimals_of(least * 10.0);
        let decimals = decimals.max(self.unit.decimals + 1);
        self.unit.clone().with_decimals(decimals)
    }

    pub(crate) fn span(&self) -> (NaiveDate, NaiveDate) {
        let first = self
            .days
            .first()
            .expect("check refuses a chart without days");
        let last = self
            .days
            .last()
            .expect("check refuses a chart without days");
        (first.day, last.day)
    }

    /// The lowest and the highest value to be drawn.
    pub(crate) fn extremes(&self) -> Option<(f64, f64)> {
        let values = self.days.iter().filter_map(|day| day.value);
        let means = self.means.iter().flatten();
        values
            .chain(means.flat_map(|(mean, lower, upper)| [*mean, *lower, *upper]))
            .fold(None, |ends, value| {
                let (low, high) = ends.unwrap_or((value, value));
                Some((low.min(value), high.max(value)))
            })
    }

    /// The days in parts of the same condition.
    pub(crate) fn spans(&self) -> Vec<Span> {
        let kind = |day: &ExperimentDay| (day.condition, day.is_washout);
        self.days
            .chunk_by(|one, next| kind(one) == kind(next) && one.day.succ_opt() == Some(next.day))
            .map(|days| Span {
                first: days[0].day,
                last: days[days.len() - 1].day,
                condition: days[0].condition,
                is_washout: days[0].is_washout,
            })
            .collect()
    }

    /// Days on which the condition was not followed.
    pub(crate) fn not_followed(&self) -> impl Iterator<Item = &ExperimentDay> {
        let days = self.days.iter();
        days.filter(|day| day.adhered == Some(false))
    }
}

impl Drawn for ExperimentChart {
    fn check(&self) -> Result<(), ChartError> {
        self.unit.check()?;
        if self.days.is_empty() {
            return Err(ChartError::Empty {
                field: "days".to_owned(),
            });
        }
        check_count("days", self.days.len(), LARGEST_COUNT)?;
        for (index, day) in self.days.iter().enumerate() {
            if let Some(value) = day.value {
                check_value(|| format!("days[{index}].value"), value)?;
            }
            if let Some(condition) = day.condition.filter(|condition| *condition > 1) {
                return Err(ChartError::NoSuchCondition { index, condition });
            }
        }
        for (index, means) in self.means.iter().enumerate() {
            let Some((mean, lower, upper)) = *means else {
                continue;
            };
            let field = format!("means[{index}]");
            for value in [mean, lower, upper] {
                check_value(|| field.clone(), value)?;
            }
            if lower > upper {
                return Err(ChartError::IntervalReversed {
                    field,
                    lower,
                    upper,
                });
            }
        }
        check_ascending("days", self.days.iter().map(|day| day.day))?;
        let (first, last) = self.span();
        check_span(first, last)
    }

    fn describe(&self) -> String {
        let (first, last) = self.span();
        let spans = self.spans();
        let blocks: Vec<&str> = spans
            .iter()
            .filter(|span| !span.is_washout)
            .filter_map(|span| span.condition.map(|condition| LETTERS[condition]))
            .collect();
        let mut text = format!("{} to {}.", write_date(first), write_date(last));
        if !blocks.is_empty() {
            text.push_str(&format!(" Blocks: {}.", blocks.join(", ")));
        }
        text.push_str(&format!(" {}", self.verdict()));
        let missed = self.not_followed().count();
        if missed > 0 {
            text.push_str(&format!(" Not followed on {}.", counted(missed, "day")));
        }
        if let Some(today) = self.today {
            text.push_str(&format!(" Today is {}.", write_date(today)));
        }
        text
    }

    fn scene(&self, size: PictureSize) -> Scene {
        draw_experiment::scene(self, size)
    }

    fn write(&self, options: TerminalOptions) -> String {
        terminal::experiment(self, options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(index: usize, condition: Option<usize>, is_washout: bool) -> ExperimentDay {
        let first: NaiveDate = "2026-03-01".parse().unwrap();
        ExperimentDay {
            day: first.iter_days().nth(index).unwrap(),
            condition,
            is_washout,
            adhered: None,
            value: Some(57.0),
        }
    }

    fn chart(days: Vec<ExperimentDay>) -> ExperimentChart {
        ExperimentChart {
            title: "Experiment".to_owned(),
            subtitle: String::new(),
            unit: Unit::beats_per_minute(),
            condition_labels: ["no food after 20:00".to_owned(), "as usual".to_owned()],
            days,
            means: [None, None],
            today: None,
        }
    }

    #[test]
    fn washout_and_absent_days_part_the_timeline() {
        let chart = chart(vec![
            day(0, None, false),
            day(1, Some(0), true),
            day(2, Some(0), false),
            day(3, Some(0), false),
            day(5, Some(0), false),
            day(6, Some(1), false),
        ]);
        let spans = chart.spans();
        let kinds: Vec<(Option<usize>, bool, i64)> = spans
            .iter()
            .map(|span| {
                let days = (span.last - span.first).num_days() + 1;
                (span.condition, span.is_washout, days)
            })
            .collect();
        assert_eq!(
            kinds,
            [
                (None, false, 1),
                (Some(0), true, 1),
                (Some(0), false, 2),
                (Some(0), false, 1),
                (Some(1), false, 1),
            ]
        );
    }

    #[test]
    fn days_of_washout_are_not_counted() {
        let chart = chart(vec![day(0, Some(0), true), day(1, Some(0), false)]);
        assert_eq!(
            chart.verdict(),
            "A, no food after 20:00: no mean yet, 1 day with a value. B, as usual: no mean yet, 0 \
             days with a value."
        );
    }

    #[test]
    fn a_third_condition_is_refused() {
        let error = chart(vec![day(0, Some(2), false)]).check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "days[0].condition is 2, expected 0 or 1, or none"
        );
    }
}
