//! Daily series of a person, each day as known on its own evening, with what became of it later.

use crate::daily::DailyTable;
use crate::daily_history::PersonData;
use crate::error::FeaturesError;
use crate::field::of_metric;
use crate::known::{LaterValue, is_same};
use crate::table::Span;
use chrono::{Days, NaiveDate};
use vitalcast_domain::{AsOf, DayRule, MetricType};

/// The values of consecutive days with what became of them later.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownValues {
    /// Each day as known on its own evening.
    pub first: Vec<Option<f64>>,
    /// Later values, by day and evening.
    pub later: Vec<LaterValue>,
}

/// The daily values of one person, of every metric type.
pub struct KnownDays {
    table: DailyTable,
    days: usize,
    /// Days that are over; later ones have no totals.
    finished: usize,
}

impl KnownDays {
    /// The days `first_day ..= last_day` as known on each evening up to that of the day after the last,
    /// and never later than `as_of`.
    ///
    /// # Errors
    ///
    /// The errors of [`crate::known_table`].
    pub fn new<'a>(
        person: impl Into<PersonData<'a>>,
        first_day: NaiveDate,
        last_day: NaiveDate,
        as_of: AsOf,
    ) -> Result<Self, FeaturesError> {
        let days = Span::new(first_day, last_day)?.days;
        let person = person.into();
        let profile = person.profile();
        let finished = (0..days)
            .rev()
            .find(|day| profile.evening_of(first_day + Days::new(*day as u64)) <= as_of);
        Ok(Self {
            table: person.table(first_day, days, as_of)?,
            days,
            finished: finished.map_or(0, |day| day + 1),
        })
    }

    /// The daily values of a metric type, in its unit; `None` when there is nothing of it. An amount of a
    /// day that is not over is missing.
    pub fn of(&self, metric: MetricType) -> Option<KnownValues> {
        let field = of_metric(metric);
        let limit = match metric.day_rule() {
            DayRule::Amount(_) => self.finished,
            DayRule::Level
            | DayRule::Latest
            | DayRule::Night
            | DayRule::PartOfNight
            | DayRule::ScoreOfNight => self.days,
        };
        let first: Vec<Option<f64>> = (0..self.days)
            .map(|day| self.table.value(field, day, day).filter(|_| day < limit))
            .collect();
        let mut later = Vec::new();
        for (day, mut before) in first.iter().copied().enumerate().take(limit) {
            for (from, ..) in self.table.later(day) {
                let value = self.table.value(field, day, from);
                if !is_same(value, before) {
                    later.push(LaterValue { day, from, value });
                    before = value;
                }
            }
        }
        let is_empty = later.is_empty() && first.iter().all(Option::is_none);
        (!is_empty).then_some(KnownValues { first, later })
    }
}
