//! The feature table of one person or many.

use crate::catalogue::{FeatureId, LOOK_BACK_DAYS, catalogue};
use crate::daily::{DailyTable, daily_table};
use crate::daily_history::PersonData;
use crate::error::FeaturesError;
use crate::field::of_metric;
use crate::row::{Evening, Kept};
use chrono::{Days, NaiveDate};
use vitalcast_domain::{AsOf, History, MetricType, PredictionMetric, UserId};

/// Maximum number of days in a table.
pub(crate) const MAX_DAYS: i64 = 20_000;

/// Features of consecutive days.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureTable {
    user: UserId,
    first_day: NaiveDate,
    days: usize,
    /// `[day, feature]` in the order of the catalogue.
    values: Vec<Option<f64>>,
    /// `[metric][day]`: the daily value of each metric that can be forecast.
    own_history: Vec<Vec<Option<f64>>>,
}

impl FeatureTable {
    /// Id of the person.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// First day.
    pub fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// Last day.
    pub fn last_day(&self) -> NaiveDate {
        self.first_day + Days::new(self.days as u64 - 1)
    }

    /// Number of days.
    pub fn days(&self) -> usize {
        self.days
    }

    /// A feature of the day in a row; `None` when it is missing or there is no such row.
    pub fn value_at(&self, row: usize, feature: FeatureId) -> Option<f64> {
        self.row(row)?[feature as usize]
    }

    /// All features of the day in a row, in the order of the catalogue.
    pub fn row(&self, row: usize) -> Option<&[Option<f64>]> {
        self.values.chunks_exact(catalogue().len()).nth(row)
    }

    /// The daily values of a metric, each as known when its row was.
    pub fn own_history(&self, metric: PredictionMetric) -> &[Option<f64>] {
        &self.own_history[metric as usize]
    }
}

/// The features of `first_day ..= last_day`, each row as known on the evening of its day and never
/// later than `as_of`.
///
/// # Errors
///
/// [`FeaturesError::Reversed`], [`FeaturesError::TooManyDays`], [`FeaturesError::EndOfCalendar`].
pub fn feature_table(
    history: &History,
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> Result<FeatureTable, FeaturesError> {
    let span = Span::new(first_day, last_day)?;
    let daily = daily_table(history, span.looked_at, span.total, as_of);
    Ok(span.features(history.into(), &daily, as_of, |evening| evening))
}

/// The same days with all data known at `as_of`, also data that became known later than the day: for
/// analyses of past days, not for forecasts.
///
/// # Errors
///
/// The errors of [`feature_table`].
pub fn hindsight_table(
    history: &History,
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> Result<FeatureTable, FeaturesError> {
    let span = Span::new(first_day, last_day)?;
    let days = days_until_known(history, span.looked_at, last_day, as_of);
    let daily = daily_table(history, span.looked_at, days, as_of);
    Ok(span.features(history.into(), &daily, as_of, |_| days - 1))
}

/// Days from `first_day` to the last evening by which all that is known at `as_of` has become
/// known, and at least to `last_day`.
fn days_until_known(
    history: &History,
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> usize {
    let reach = history.profile.day_of(as_of).max(last_day);
    usize::try_from((reach - first_day).num_days().min(MAX_DAYS) + 1)
        .expect("the reach is not before the first day")
}

/// The value of a metric on each day of `first_day ..= last_day`, with everything known at `as_of`:
/// what forecasts are compared with. Partial readings do not count.
///
/// # Errors
///
/// The errors of [`feature_table`].
pub fn daily_values(
    history: &History,
    metric: MetricType,
    first_day: NaiveDate,
    last_day: NaiveDate,
    as_of: AsOf,
) -> Result<Vec<Option<f64>>, FeaturesError> {
    let span = Span::new(first_day, last_day)?;
    let days = days_until_known(history, first_day, last_day, as_of);
    let daily = daily_table(history, first_day, days, as_of);
    Ok((0..span.days)
        .map(|day| daily.value(of_metric(metric), day, days - 1))
        .collect())
}

/// The days of a table and those its windows look back on.
pub(crate) struct Span {
    pub(crate) first_day: NaiveDate,
    pub(crate) days: usize,
    pub(crate) looked_at: NaiveDate,
    pub(crate) before: usize,
    pub(crate) total: usize,
}

impl Span {
    pub(crate) fn new(first_day: NaiveDate, last_day: NaiveDate) -> Result<Self, FeaturesError> {
        let days = (last_day - first_day).num_days() + 1;
        if days < 1 {
            return Err(FeaturesError::Reversed {
                first: first_day,
                last: last_day,
            });
        }
        if days > MAX_DAYS {
            return Err(FeaturesError::TooManyDays {
                days,
                limit: MAX_DAYS,
            });
        }
        let looked_at = first_day
            .checked_sub_days(Days::new(LOOK_BACK_DAYS as u64))
            .ok_or(FeaturesError::EndOfCalendar(first_day))?;
        if last_day.checked_add_days(Days::new(2)).is_none() {
            return Err(FeaturesError::EndOfCalendar(last_day));
        }
        let days = usize::try_from(days).expect("between 1 and the limit");
        Ok(Self {
            first_day,
            days,
            looked_at,
            before: LOOK_BACK_DAYS,
            total: days + LOOK_BACK_DAYS,
        })
    }

    /// `seen_from` gives the evening, by its place, that each day is seen from.
    pub(crate) fn features(
        &self,
        person: PersonData<'_>,
        daily: &DailyTable,
        as_of: AsOf,
        seen_from: impl Fn(usize) -> usize,
    ) -> FeatureTable {
        let profile = person.profile();
        let mut values = Vec::with_capacity(self.days * catalogue().len());
        // Days end in their order: one unfinished day is followed by unfinished days only.
        let finished = (0..self.days).rev().find(|row| {
            let day = self.first_day + Days::new(*row as u64);
            profile.evening_of(day) <= as_of
        });
        for (row, day) in self.first_day.iter_days().take(self.days).enumerate() {
            let place = self.before + row;
            let evening = Evening {
                table: daily,
                place,
                seen_from: seen_from(place),
                day,
                is_unfinished: finished.is_none_or(|finished| row > finished),
                profile,
                kept: Kept::default(),
            };
            values.extend(evening.row());
        }
        let own_history = PredictionMetric::ALL
            .iter()
            .map(|metric| {
                let field = of_metric(metric.metric_type());
                (0..self.days)
                    .map(|row| self.before + row)
                    .map(|place| daily.value(field, place, seen_from(place)))
                    .collect()
            })
            .collect();
        FeatureTable {
            user: person.user().clone(),
            first_day: self.first_day,
            days: self.days,
            values,
            own_history,
        }
    }
}
