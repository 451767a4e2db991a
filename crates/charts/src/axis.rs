//! Ticks: round values in steps of 1, 2 or 5, and whole dates.

use chrono::{Datelike, Days, NaiveDate};

/// A value axis: its ends, and round values between them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ValueAxis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) ticks: Vec<f64>,
    pub(crate) decimals: usize,
}

impl ValueAxis {
    /// An axis that holds `lowest` to `highest`, with about `wanted` steps.
    ///
    /// No step is finer than one unit of the last decimal, so that no two ticks read the same. A
    /// constant series gets a step to either side. Values that are never negative get no negative
    /// tick.
    pub(crate) fn around(lowest: f64, highest: f64, decimals: u8, wanted: usize) -> Self {
        let finest = 10f64.powi(-i32::from(decimals));
        // A step that vanishes beside the value itself could not be told apart in an f64.
        let finest = finest.max(lowest.abs().max(highest.abs()) * 1e-6);
        let step = round_step(((highest - lowest) / wanted.max(1) as f64).max(finest));
        let mut first = (lowest / step).floor();
        let mut last = (highest / step).ceil();
        if last - first < 1.0 {
            last += 1.0;
            if first > 0.0 || lowest < 0.0 {
                first -= 1.0;
            }
        }
        let count = (last - first).round() as usize;
        let ticks: Vec<f64> = (0..=count)
            .map(|index| (first + index as f64) * step)
            .collect();
        let decimals = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
        // The data should fill the picture: no more air than a little beyond the extremes, unless
        // that would leave fewer than two ticks to read a scale from.
        let air = (highest - lowest) * 0.06;
        let low = (lowest - air).max(first * step);
        let high = (highest + air).min(last * step);
        let inside: Vec<f64> = ticks
            .iter()
            .copied()
            .filter(|tick| (low..=high).contains(tick))
            .collect();
        if inside.len() >= 2 {
            Self {
                low,
                high,
                ticks: inside,
                decimals,
            }
        } else {
            Self {
                low: first * step,
                high: last * step,
                ticks,
                decimals,
            }
        }
    }

    /// Where a value lies, from 0 at the low end to 1 at the high end.
    pub(crate) fn fraction(&self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The smallest of 1, 2, 5 times a power of ten that is not below `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    for factor in [1.0, 2.0, 5.0, 10.0] {
        if factor * power >= least * (1.0 - 1e-9) {
            return factor * power;
        }
    }
    10.0 * power
}

/// One labelled date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DateTick {
    pub(crate) date: NaiveDate,
    /// `12 Mar`, `Mar` or `2026`.
    pub(crate) label: String,
    /// The year, at the first tick and wherever it changes; none where the label is the year.
    pub(crate) year: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum DateStep {
    Days(i64),
    Mondays(i64),
    Months(u32),
    Years(i32),
}

const STEPS: [DateStep; 13] = [
    DateStep::Days(1),
    DateStep::Days(2),
    DateStep::Mondays(1),
    DateStep::Mondays(2),
    DateStep::Months(1),
    DateStep::Months(2),
    DateStep::Months(3),
    DateStep::Months(6),
    DateStep::Years(1),
    DateStep::Years(2),
    DateStep::Years(5),
    DateStep::Years(10),
    DateStep::Years(20),
];

impl DateStep {
    fn holds(self, date: NaiveDate, last: NaiveDate) -> bool {
        match self {
            // Counted back from the last day: that is the day a reader looks for.
            Self::Days(step) => (last - date).num_days() % step == 0,
            Self::Mondays(step) => {
                let days = i64::from(date.num_days_from_ce());
                // Day 1 of the common era was a Monday.
                (days - 1) % 7 == 0 && ((days - 1) / 7) % step == 0
            }
            Self::Months(step) => date.day() == 1 && date.month0().is_multiple_of(step),
            Self::Years(step) => date.ordinal0() == 0 && date.year() % step == 0,
        }
    }
}

/// The finest whole dates from `first` to `last` of which at most `most` are labelled.
///
/// Falls back to the two ends, or to the first day alone, where no round date fits.
pub(crate) fn date_ticks(first: NaiveDate, last: NaiveDate, most: usize) -> Vec<DateTick> {
    let most = most.max(1);
    let span = (last - first).num_days().max(0) as u64;
    for step in STEPS {
        let dates: Vec<NaiveDate> = (0..=span)
            .filter_map(|offset| first.checked_add_days(Days::new(offset)))
            .filter(|date| step.holds(*date, last))
            .take(most + 1)
            .collect();
        if dates.len() <= most && (dates.len() >= 2 || span == 0) {
            return labelled(&dates, step);
        }
        if dates.len() < 2 {
            break;
        }
    }
    let ends = if most >= 2 && last > first {
        vec![first, last]
    } else {
        vec![first]
    };
    labelled(&ends, DateStep::Days(1))
}

fn labelled(dates: &[NaiveDate], step: DateStep) -> Vec<DateTick> {
    let mut previous_year = None;
    dates
        .iter()
        .map(|date| {
            let (label, names_year) = match step {
                DateStep::Days(_) | DateStep::Mondays(_) => (date.format("%-d %b"), false),
                DateStep::Months(_) => (date.format("%b"), false),
                DateStep::Years(_) => (date.format("%Y"), true),
            };
            let changed = previous_year != Some(date.year());
            previous_year = Some(date.year());
            DateTick {
                date: *date,
                label: label.to_string(),
                year: (changed && !names_year).then(|| date.year().to_string()),
            }
        })
        .collect()
}

/// A date as it is written in a sentence: `1 Apr 2026`.
pub(crate) fn write_date(date: NaiveDate) -> String {
    date.format("%-d %b %Y").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(lowest: f64, highest: f64, decimals: u8, expected: &[f64]) {
        let axis = ValueAxis::around(lowest, highest, decimals, 5);
        assert_eq!(axis.ticks.len(), expected.len(), "{:?}", axis.ticks);
        for (tick, wanted) in axis.ticks.iter().zip(expected) {
            assert!(
                (tick - wanted).abs() <= wanted.abs() * 1e-12,
                "{:?}",
                axis.ticks
            );
        }
        assert!(axis.low <= lowest && axis.high >= highest);
    }

    #[test]
    fn ticks_are_round_and_hold_the_data() {
        check(52.0, 66.0, 0, &[55.0, 60.0, 65.0]);
        check(6.1, 8.3, 1, &[6.0, 6.5, 7.0, 7.5, 8.0]);
        check(-3.0, 4.0, 0, &[-2.0, 0.0, 2.0, 4.0]);
    }

    #[test]
    fn a_constant_series_gets_room_on_both_sides() {
        check(57.0, 57.0, 0, &[56.0, 57.0, 58.0]);
        check(0.0, 0.0, 0, &[0.0, 1.0]);
        check(57.5, 57.5, 0, &[57.0, 58.0]);
        check(
            1e12,
            1e12,
            0,
            &[999_999_000_000.0, 1e12, 1_000_001_000_000.0],
        );
    }

    #[test]
    fn steps_are_never_finer_than_the_decimals_shown() {
        let axis = ValueAxis::around(57.0, 57.4, 0, 5);
        assert_eq!(axis.ticks, [57.0, 58.0]);
        assert_eq!(axis.decimals, 0);
        assert_eq!(ValueAxis::around(7.0, 7.4, 1, 5).decimals, 1);
    }

    #[test]
    fn weeks_start_on_monday() {
        let ticks = date_ticks(day("2026-03-01"), day("2026-03-31"), 6);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(labels, ["2 Mar", "9 Mar", "16 Mar", "23 Mar", "30 Mar"]);
        assert_eq!(ticks[0].year.as_deref(), Some("2026"));
        assert_eq!(ticks[1].year, None);
    }

    #[test]
    fn a_new_year_is_written_where_it_begins() {
        let ticks = date_ticks(day("2025-11-03"), day("2026-02-20"), 4);
        let years: Vec<Option<&str>> = ticks.iter().map(|tick| tick.year.as_deref()).collect();
        assert_eq!(years, [Some("2025"), Some("2026"), None]);
    }

    #[test]
    fn one_day_has_one_tick_and_a_narrow_axis_its_two_ends() {
        assert_eq!(date_ticks(day("2026-03-04"), day("2026-03-04"), 5).len(), 1);
        let ends = date_ticks(day("2026-03-03"), day("2026-03-22"), 2);
        assert_eq!(ends.len(), 2);
        assert_eq!(date_ticks(day("2026-03-03"), day("2026-03-22"), 1).len(), 1);
    }

    #[test]
    fn decades_are_labelled_by_year() {
        let ticks = date_ticks(day("1990-06-01"), day("2026-06-01"), 8);
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(
            labels,
            ["1995", "2000", "2005", "2010", "2015", "2020", "2025"]
        );
    }
}
