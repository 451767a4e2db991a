//! Layout of model inputs from a feature table: the 51 inputs and, as last column, the daily value of
//! the metric, one row per calendar day and one version per evening on which it changed.

use crate::error::InferenceError;
use crate::panel::known_series;
use crate::unusual::resolution;
use chrono::{Datelike, Days, NaiveDate};
use std::borrow::Cow;
use std::ops::Range;
use vitalcast_domain::{AsOf, FeatureCategory, PredictionMetric};
use vitalcast_features::{Feature, KnownDays, PersonData, catalogue, known_table, model_inputs};
use vitalcast_windows::{DayMatrix, KnownSeries, LaterRow, LaterValue, WindowEnd, without_unusual};

/// Name of the column that holds the metric's own daily value.
pub(crate) const OWN_HISTORY: &str = "own_history";

/// The days of one person and metric, laid out for models.
#[derive(Debug, Clone)]
pub struct DayLayout {
    first_day: NaiveDate,
    matrix: DayMatrix,
    /// The metric's daily values as they were measured.
    measured: KnownSeries,
    /// The same without unusual readings: what models and baselines read.
    own_history: KnownSeries,
    /// The same from the person's first day on, and how many days that is before the first row.
    whole: Option<(KnownSeries, usize)>,
}

/// Columns that are known for days to come: the calendar.
pub fn known_covariates() -> Vec<String> {
    model_inputs()
        .filter(|feature| feature.category == FeatureCategory::Temporal)
        .map(|feature| feature.name.to_owned())
        .collect()
}

impl DayLayout {
    /// Lays out `first_day ..= last_day` as windows of `lookback` days read them: each day as known on
    /// the evening of each window's origin, and never later than `as_of`.
    ///
    /// A day that is not over at `as_of` keeps what is final by then (the night, the readings) and
    /// loses its running totals (food, movement), which training never saw half-way through.
    ///
    /// # Errors
    ///
    /// What [`known_table`] refuses.
    pub fn new<'a>(
        person: impl Into<PersonData<'a>>,
        metric: PredictionMetric,
        first_day: NaiveDate,
        last_day: NaiveDate,
        lookback: usize,
        as_of: AsOf,
    ) -> Result<Self, InferenceError> {
        let metric_type = metric.metric_type();
        let person = person.into();
        let table = known_table(person, metric_type, first_day, last_day, lookback, as_of)?;
        let (measured, own_history) = own_history(table.own_history(), metric)?;
        let inputs = inputs();
        let columns: Vec<String> = model_inputs()
            .map(|input| input.name.to_owned())
            .chain([OWN_HISTORY.to_owned()])
            .collect();
        let profile = person.profile();
        let rows = table.evenings().days();
        // Days end in their order.
        let finished = (0..rows)
            .rev()
            .find(|row| profile.evening_of(first_day + Days::new(*row as u64)) <= as_of)
            .map_or(0, |row| row + 1);
        let lay_out = |row: usize, features: &[Option<f64>], own, values: &mut Vec<_>| {
            let is_unfinished = row >= finished;
            let of =
                |input: &Input| features[input.place].filter(|_| !is_unfinished || !input.runs);
            values.extend(inputs.iter().map(of));
            values.push(own);
        };
        let features_of = |row| table.evenings().row(row).expect("the table has this row");
        let mut values = Vec::with_capacity(rows * columns.len());
        for row in 0..rows {
            lay_out(
                row,
                features_of(row),
                own_history.value(row, row),
                &mut values,
            );
        }
        let mut later = Vec::new();
        for (row, from, features) in versions(table.later(), own_history.later()) {
            let features = features.map_or_else(|| features_of(row), |later| &later.values);
            let mut values = Vec::with_capacity(columns.len());
            lay_out(row, features, own_history.value(row, from), &mut values);
            later.push(LaterRow { row, from, values });
        }
        let matrix =
            DayMatrix::new(first_day.num_days_from_ce(), columns, values)?.with_later(later)?;
        Ok(Self {
            first_day,
            matrix,
            measured,
            own_history,
            whole: None,
        })
    }

    /// The same with the metric's days from the person's first one on, which models of a series read.
    ///
    /// # Errors
    ///
    /// What [`KnownDays::new`] refuses.
    pub fn with_whole_series<'a>(
        mut self,
        person: impl Into<PersonData<'a>>,
        metric: PredictionMetric,
        as_of: AsOf,
    ) -> Result<Self, InferenceError> {
        let person = person.into();
        let first = person.span().map_or(self.first_day, |(first, _)| first);
        if first >= self.first_day {
            return Ok(self);
        }
        let last = self.day(self.matrix.rows() - 1);
        let days = KnownDays::new(person, first, last, as_of)?;
        if let Some(measured) = days.of(metric.metric_type()) {
            let read = without_unusual(&known_series(measured)?, 0, resolution(metric));
            let before = (self.first_day - first).num_days();
            self.whole = Some((read, usize::try_from(before).unwrap_or_default()));
        }
        Ok(self)
    }

    /// Rows and columns for the windows.
    pub fn matrix(&self) -> &DayMatrix {
        &self.matrix
    }

    /// The metric's daily values that models read, each as known on any evening.
    pub fn own_history(&self) -> &KnownSeries {
        &self.own_history
    }

    /// The daily values in some rows that models read, as known on the evening of a row.
    pub fn known(&self, rows: Range<usize>, origin: usize) -> Cow<'_, [Option<f64>]> {
        self.own_history.known(rows, origin)
    }

    /// The daily values before a row that a model of a series reads, as known on the evening of a row: from
    /// the person's first day on, with [`DayLayout::with_whole_series`].
    pub fn known_before(&self, row: usize, origin: usize) -> Cow<'_, [Option<f64>]> {
        match &self.whole {
            Some((series, before)) => series.known(0..before + row, before + origin),
            None => self.own_history.known(0..row, origin),
        }
    }

    /// Whether a day has a reading that models do not read, as known at the layout's cut-off.
    pub fn is_unusual(&self, row: usize) -> bool {
        let origin = self.last_window().origin;
        self.measured.value(row, origin).is_some() && self.own_history.value(row, origin).is_none()
    }

    /// The window that ends on the last row and sees all that is known at the layout's cut-off.
    pub fn last_window(&self) -> WindowEnd {
        let rows = self.matrix.rows();
        WindowEnd {
            last_row: rows - 1,
            origin: rows,
        }
    }

    /// First day laid out.
    pub fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// Day of a row.
    pub fn day(&self, row: usize) -> NaiveDate {
        self.first_day + Days::new(row as u64)
    }

    /// Row of a day, if it is laid out.
    pub fn row(&self, day: NaiveDate) -> Option<usize> {
        let offset = usize::try_from((day - self.first_day).num_days()).ok()?;
        (offset < self.matrix.rows()).then_some(offset)
    }

    /// Last of a window's `lookback` days with a value that models read.
    pub fn last_observed(&self, window: WindowEnd, lookback: usize) -> Option<NaiveDate> {
        self.last_of(&self.own_history, window, lookback)
    }

    /// Last of a window's `lookback` days with a reading of any kind.
    pub fn last_measured(&self, window: WindowEnd, lookback: usize) -> Option<NaiveDate> {
        self.last_of(&self.measured, window, lookback)
    }

    fn last_of(
        &self,
        series: &KnownSeries,
        window: WindowEnd,
        lookback: usize,
    ) -> Option<NaiveDate> {
        ((window.last_row + 1).saturating_sub(lookback)..=window.last_row)
            .rev()
            .find(|&row| series.value(row, window.origin).is_some())
            .map(|row| self.day(row))
    }
}

/// A model input: its place in the catalogue, and whether it counts up during the day.
struct Input {
    place: usize,
    runs: bool,
}

fn inputs() -> Vec<Input> {
    let is_input = |feature: &Feature| feature.model_input;
    let places = catalogue().iter().enumerate();
    places
        .filter(|(_, feature)| is_input(feature))
        .map(|(place, feature)| Input {
            place,
            runs: matches!(
                feature.category,
                FeatureCategory::Nutrition
                    | FeatureCategory::Activity
                    | FeatureCategory::Interaction
            ),
        })
        .collect()
}

/// The metric's days from the first row on, as measured and as models read them.
fn own_history(
    own: &vitalcast_features::OwnHistory,
    metric: PredictionMetric,
) -> Result<(KnownSeries, KnownSeries), InferenceError> {
    let later = own.later.iter().map(|later| LaterValue {
        day: later.day,
        from: later.from,
        value: later.value,
    });
    let measured = KnownSeries::new(own.first.clone(), later.collect())?;
    let read = without_unusual(&measured, own.days_before, resolution(metric));
    Ok((measured.from_day(own.days_before), read))
}

/// The rows and evenings on which a row changes, in order, each with the features from then on; `None`
/// while those of the row's own evening hold.
fn versions<'a>(
    rows: &'a [vitalcast_features::LaterRow],
    own: &[LaterValue],
) -> Vec<(usize, usize, Option<&'a vitalcast_features::LaterRow>)> {
    let of_rows = rows.iter().map(|later| (later.row, later.from));
    let mut changes: Vec<(usize, usize)> = of_rows
        .chain(own.iter().map(|later| (later.day, later.from)))
        .collect();
    changes.sort_unstable();
    changes.dedup();
    changes
        .into_iter()
        .map(|(row, from)| {
            let next = rows.partition_point(|later| (later.row, later.from) <= (row, from));
            let before = next.checked_sub(1).map(|place| &rows[place]);
            (row, from, before.filter(|later| later.row == row))
        })
        .collect()
}
