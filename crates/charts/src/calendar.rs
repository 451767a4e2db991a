//! Days as a calendar: a column for each week, a row for each day of the week, and the names of months.

use chrono::{Datelike, Days, NaiveDate};

/// Days of a week.
pub(crate) const WEEK: usize = 7;
/// Their names, from Monday.
pub(crate) const WEEKDAYS: [&str; WEEK] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The weeks around some days, from Monday to Sunday.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    /// The first of the days, and its place in its week.
    first: NaiveDate,
    before: usize,
    days: usize,
}

impl Calendar {
    /// The weeks of so many days from a first one.
    pub(crate) fn of(first: NaiveDate, days: usize) -> Self {
        let before = first.weekday().num_days_from_monday() as usize;
        Self {
            first,
            before,
            days,
        }
    }

    /// Number of weeks.
    pub(crate) fn weeks(&self) -> usize {
        (self.before + self.days).div_ceil(WEEK)
    }

    /// The place among the days of a day of a week; `None` before the first and after the last.
    pub(crate) fn day(&self, week: usize, weekday: usize) -> Option<usize> {
        let day = (week * WEEK + weekday).checked_sub(self.before)?;
        (day < self.days).then_some(day)
    }

    /// The places of the days of a week.
    pub(crate) fn days(&self, week: usize) -> impl Iterator<Item = usize> {
        let calendar = *self;
        (0..WEEK).filter_map(move |weekday| calendar.day(week, weekday))
    }

    /// The first day of a week that is there.
    pub(crate) fn first_day(&self, week: usize) -> NaiveDate {
        let day = (week * WEEK).saturating_sub(self.before) as u64;
        self.first
            .checked_add_days(Days::new(day))
            .unwrap_or(self.first)
    }

    /// The name of the month that begins in a week, or with its year instead if it is January; the first of
    /// the weeks that are shown has the name of its month too, if the next name is not close.
    pub(crate) fn month(&self, week: usize, first_shown: usize) -> Option<String> {
        let begins = |week: usize| {
            let mut dates = self
                .days(week)
                .filter_map(|day| self.first.checked_add_days(Days::new(day as u64)));
            dates.find(|date| date.day() == 1)
        };
        let is_close = || (week + 1..week + 3).any(|next| begins(next).is_some());
        let date = match begins(week) {
            Some(date) => date,
            None if week == first_shown && !is_close() => self.first_day(week),
            None => return None,
        };
        Some(match date.month0() {
            0 => date.year().to_string(),
            month => MONTHS[month as usize].to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_begin_on_monday_and_months_with_their_first_day() {
        // A Wednesday; the year begins on Monday of the week after the next.
        let calendar = Calendar::of("2023-12-20".parse().unwrap(), 20);
        assert_eq!(calendar.weeks(), 4);
        assert_eq!(calendar.day(0, 1), None);
        assert_eq!(
            (calendar.day(0, 2), calendar.day(3, 0), calendar.day(3, 1)),
            (Some(0), Some(19), None)
        );
        assert_eq!(calendar.days(0).count(), 5);
        assert_eq!(calendar.first_day(2).to_string(), "2024-01-01");
        let months: Vec<_> = (0..4).map(|week| calendar.month(week, 0)).collect();
        // "Dec" would stand in the way of the year.
        assert_eq!(months, [None, None, Some("2024".to_owned()), None]);
        assert_eq!(calendar.month(3, 3), Some("2024".to_owned()));
    }
}
