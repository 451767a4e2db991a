//! Durations of workouts: their unit, and whether they agree with start and end.

use crate::numbers::{Cell, Marks, Span, cell, span};
use crate::report::RejectReason;
use crate::table::Fault;
use vitalcast_domain::Unit;

/// How far a duration may be from the time between start and end: a share of it, and minutes.
const TOLERANCE: (f64, f64) = (0.02, 1.0);
/// Longest duration that needs no start and end to be believed, minutes.
pub(super) const LONGEST_MINUTES: f64 = 36.0 * 60.0;
/// Least share of the time between start and end that a workout with breaks takes.
const LEAST_SHARE: f64 = 0.1;

/// The unit of the numbers in a column of durations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DurationUnit {
    Minutes,
    Seconds,
    Milliseconds,
    Hours,
}

impl DurationUnit {
    pub(super) const ALL: [Self; 4] = [
        Self::Minutes,
        Self::Seconds,
        Self::Milliseconds,
        Self::Hours,
    ];

    /// The unit for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Minutes => "minutes",
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Hours => "hours",
        }
    }

    /// A duration of this unit in minutes.
    pub(super) fn minutes(self, duration: f64) -> f64 {
        match self {
            Self::Minutes => duration,
            Self::Seconds => duration / 60.0,
            Self::Milliseconds => duration / 60_000.0,
            Self::Hours => duration * 60.0,
        }
    }
}

/// Whether a duration is the time between start and end, in minutes.
fn fits(minutes: f64, between: f64) -> bool {
    let (share, least) = TOLERANCE;
    // Of a workout of a minute or two, a minute is too much.
    (minutes - between).abs() <= least.min(between / 4.0).max(share * between)
}

/// The unit in which a duration is the time between start and end. Minutes come first.
pub(super) fn unit_of(duration: f64, between: f64) -> Option<DurationUnit> {
    if between <= 0.0 || duration <= 0.0 {
        return None;
    }
    let mut units = DurationUnit::ALL
        .into_iter()
        .filter(|unit| fits(unit.minutes(duration), between));
    let first = units.next()?;
    (first == DurationUnit::Minutes || units.next().is_none()).then_some(first)
}

/// A duration as a cell and the name of its column say it.
pub(super) struct Written<'c> {
    pub(super) text: &'c str,
    pub(super) unit: Option<Unit>,
    pub(super) marks: Marks,
}

/// The duration in minutes of a cell, given the minutes between start and end if both are known, and the
/// unit that the column shows.
pub(super) fn duration(
    written: &Written<'_>,
    between: Option<f64>,
    shown: Option<DurationUnit>,
) -> Result<Option<f64>, Fault> {
    let of_column = shown.unwrap_or(DurationUnit::Minutes);
    let between = between.filter(|minutes| *minutes > 0.0);
    let number = match cell(written.text, "duration", written.marks) {
        Ok(Cell::Empty | Cell::NotMeasured) => return Ok(None),
        Ok(Cell::Value(value, unit)) => match unit.or(written.unit) {
            None => value,
            Some(unit) => {
                return unit
                    .convert(value, Unit::Minutes)
                    // `45m` is no length here.
                    .or_else(|| written_in_parts(written.text, between))
                    .map(Some)
                    .ok_or_else(|| (RejectReason::WrongUnit, "duration is no time".to_owned()));
            }
        },
        Err(fault) => {
            let minutes = written_in_parts(written.text, between);
            return minutes.map(Some).ok_or(fault);
        }
    };
    let Some(between) = between else {
        let minutes = of_column.minutes(number);
        return if minutes > LONGEST_MINUTES {
            let message = "duration is more than 36 hours in minutes; where it is in another unit, \
                           write it as 45 min or 2700 s";
            Err((RejectReason::Contradiction, message.to_owned()))
        } else {
            Ok(Some(minutes))
        };
    };
    if let Some(unit) = unit_of(number, between) {
        return Ok(Some(unit.minutes(number)));
    }
    // With breaks a workout takes less than the time between start and end, never more.
    let with_breaks = |unit: &DurationUnit| {
        let minutes = unit.minutes(number);
        minutes < between && minutes >= LEAST_SHARE * between
    };
    if number == 0.0 || with_breaks(&DurationUnit::Minutes) {
        return Ok(Some(number));
    }
    if of_column != DurationUnit::Minutes && with_breaks(&of_column) {
        return Ok(Some(of_column.minutes(number)));
    }
    let units = [DurationUnit::Seconds, DurationUnit::Milliseconds];
    match units
        .iter()
        .filter(|unit| with_breaks(unit))
        .collect::<Vec<_>>()[..]
    {
        [only] if number > between && shown != Some(DurationUnit::Minutes) => {
            Ok(Some(only.minutes(number)))
        }
        _ => Err((
            RejectReason::Contradiction,
            "duration contradicts startedAt and endedAt, whatever its unit".to_owned(),
        )),
    }
}

/// A duration such as `45m 30s`; `7:12` only if start and end say what it means.
fn written_in_parts(text: &str, between: Option<f64>) -> Option<f64> {
    match span(text)? {
        Span::Seconds(seconds) => Some(seconds / 60.0),
        Span::Pair(first, second) => {
            let between = between?;
            let both = [first * 60.0 + second, first + second / 60.0];
            both.into_iter().find(|minutes| fits(*minutes, between))
        }
    }
}
