//! Layout of model inputs from a feature table: the 51 inputs and, as last column, the daily value of
//! the metric, one row per calendar day.

use crate::error::InferenceError;
use chrono::{Datelike, NaiveDate};
use vitalcast_domain::{AsOf, FeatureCategory, History, PredictionMetric};
use vitalcast_features::{FeatureTable, feature_table, model_inputs};
use vitalcast_windows::DayMatrix;

/// Name of the column that holds the metric's own daily value.
pub(crate) const OWN_HISTORY: &str = "own_history";

/// The days of one person and metric, laid out for models.
#[derive(Debug, Clone)]
pub struct DayLayout {
    first_day: NaiveDate,
    matrix: DayMatrix,
    own_history: Vec<Option<f64>>,
}

/// Columns that are known for days to come: the calendar.
pub fn known_covariates() -> Vec<String> {
    model_inputs()
        .filter(|feature| feature.category == FeatureCategory::Temporal)
        .map(|feature| feature.name.to_owned())
        .collect()
}

impl DayLayout {
    /// Lays out `first_day ..= last_day`, each day as known on its own evening and never later
    /// than `as_of`.
    ///
    /// A day that is not over at `as_of` keeps what is final by then (the night, the readings) and
    /// loses its running totals (food, movement), which training never saw half-way through.
    ///
    /// # Errors
    ///
    /// What [`feature_table`] refuses.
    pub fn new(
        history: &History,
        metric: PredictionMetric,
        first_day: NaiveDate,
        last_day: NaiveDate,
        as_of: AsOf,
    ) -> Result<Self, InferenceError> {
        let table = feature_table(history, first_day, last_day, as_of)?;
        Self::from_table(&table, history, metric, as_of)
    }

    /// The same from a table that is there already.
    ///
    /// # Errors
    ///
    /// A value that is not finite, which the table never holds.
    pub fn from_table(
        table: &FeatureTable,
        history: &History,
        metric: PredictionMetric,
        as_of: AsOf,
    ) -> Result<Self, InferenceError> {
        let inputs: Vec<_> = model_inputs().collect();
        let mut columns: Vec<String> = inputs.iter().map(|input| input.name.to_owned()).collect();
        columns.push(OWN_HISTORY.to_owned());
        let first_day = table.first_day();
        let zone = history.profile.zone;
        let own_history: Vec<Option<f64>> = table.own_history(metric).to_vec();
        let mut values = Vec::with_capacity(own_history.len() * columns.len());
        for (row, day) in first_day.iter_days().take(own_history.len()).enumerate() {
            let unfinished = as_of < zone.evening_of(day);
            for input in &inputs {
                let running = matches!(
                    input.category,
                    FeatureCategory::Nutrition
                        | FeatureCategory::Activity
                        | FeatureCategory::Interaction
                );
                values.push(if unfinished && running {
                    None
                } else {
                    table.value_at(row, input.name)
                });
            }
            values.push(own_history[row]);
        }
        let matrix = DayMatrix::new(first_day.num_days_from_ce(), columns, values)?;
        Ok(Self {
            first_day,
            matrix,
            own_history,
        })
    }

    /// Rows and columns for the windows.
    pub fn matrix(&self) -> &DayMatrix {
        &self.matrix
    }

    /// The metric's daily value as known on each day's evening.
    pub fn own_history(&self) -> &[Option<f64>] {
        &self.own_history
    }

    /// First day laid out.
    pub fn first_day(&self) -> NaiveDate {
        self.first_day
    }

    /// Day of a row.
    pub fn day(&self, row: usize) -> NaiveDate {
        self.first_day + chrono::Days::new(row as u64)
    }

    /// Row of a day, if it is laid out.
    pub fn row(&self, day: NaiveDate) -> Option<usize> {
        let offset = usize::try_from((day - self.first_day).num_days()).ok()?;
        (offset < self.own_history.len()).then_some(offset)
    }

    /// Last day up to `day` with a value of the metric.
    pub fn last_observed(&self, day: NaiveDate) -> Option<NaiveDate> {
        let end = self.row(day)?;
        (0..=end)
            .rev()
            .find(|&row| self.own_history[row].is_some())
            .map(|row| self.day(row))
    }
}
