//! Features of a person's days.

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::fmt::Write;
use vitalcast_domain::{AsOf, FeatureCategory, UserId};
use vitalcast_features::{Feature, FeatureTable, catalogue, feature_table};

/// Which days and features.
#[derive(Debug, Clone)]
pub struct FeatureQuery {
    /// Whose.
    pub user: UserId,
    /// Last day; the last day with data when not given.
    pub last_day: Option<NaiveDate>,
    /// Days up to that one.
    pub days: usize,
    /// Only what was known then; all that is known when not given.
    pub as_of: Option<AsOf>,
    /// Only the 51 inputs of the models.
    pub inputs_only: bool,
}

/// Features by day; null where nothing was known.
#[derive(Debug, Clone)]
pub struct FeatureMatrix {
    table: FeatureTable,
    features: Vec<&'static Feature>,
    computed_at: DateTime<Utc>,
}

impl Engine {
    /// The features of some days, each as known on its own evening.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`]; a range no calendar has.
    pub fn features(
        &self,
        query: &FeatureQuery,
        now: DateTime<Utc>,
    ) -> Result<FeatureMatrix, EngineError> {
        let history = self.load(&query.user)?;
        let last_day = match (query.last_day, history.span()) {
            (Some(day), _) => day,
            (None, Some((_, last))) => last,
            (None, None) => history.profile.zone.day_of(now),
        };
        let back = Days::new(query.days.saturating_sub(1) as u64);
        let first_day = last_day.checked_sub_days(back).ok_or_else(|| {
            EngineError::InvalidSetting(format!("no calendar reaches {} days back", query.days))
        })?;
        let table = feature_table(&history, first_day, last_day, query.as_of.unwrap_or(now))?;
        Ok(FeatureMatrix {
            table,
            features: catalogue()
                .iter()
                .filter(|feature| feature.model_input || !query.inputs_only)
                .collect(),
            computed_at: now,
        })
    }
}

impl FeatureMatrix {
    /// Whose.
    pub fn user(&self) -> &UserId {
        self.table.user()
    }

    /// Last day of the matrix.
    pub fn last_day(&self) -> NaiveDate {
        self.table.last_day()
    }

    /// The features of the last day.
    pub fn last_row(&self) -> impl Iterator<Item = (&'static Feature, Option<f64>)> {
        let row = self.table.days() - 1;
        self.features
            .iter()
            .map(move |feature| (*feature, self.table.value_at(row, feature.name)))
    }

    /// The contract's answer for one day: fields by category, how many there are, how many are
    /// missing, and the share that is there.
    pub fn day_answer(&self, day: NaiveDate) -> Value {
        let row = usize::try_from((day - self.table.first_day()).num_days()).unwrap_or(0);
        let mut answer = Map::new();
        answer.insert("user_id".to_owned(), json!(self.user()));
        answer.insert("target_date".to_owned(), json!(day));
        answer.insert("computed_at".to_owned(), json!(self.computed_at));
        answer.insert("cached".to_owned(), json!(false));
        let mut missing = 0;
        for &category in FeatureCategory::ALL {
            let mut fields = Map::new();
            for feature in self
                .features
                .iter()
                .filter(|feature| feature.category == category)
            {
                let value = self.table.value_at(row, feature.name);
                missing += usize::from(value.is_none());
                fields.insert(feature.field.to_owned(), json!(value));
            }
            answer.insert(category.to_string(), Value::Object(fields));
        }
        let count = self.features.len();
        answer.insert("feature_count".to_owned(), json!(count));
        answer.insert("missing_features".to_owned(), json!(missing));
        answer.insert(
            "data_quality_score".to_owned(),
            json!(1.0 - missing as f64 / count.max(1) as f64),
        );
        Value::Object(answer)
    }

    /// The matrix as CSV: a `date` column, then a column per feature; empty where missing.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("date");
        for feature in &self.features {
            text.push(',');
            text.push_str(feature.name);
        }
        text.push('\n');
        for (row, day) in self.rows() {
            text.push_str(&day.to_string());
            for feature in &self.features {
                text.push(',');
                if let Some(value) = self.table.value_at(row, feature.name) {
                    write!(text, "{value}").expect("writing to a string cannot fail");
                }
            }
            text.push('\n');
        }
        text
    }

    fn rows(&self) -> impl Iterator<Item = (usize, NaiveDate)> {
        self.table
            .first_day()
            .iter_days()
            .take(self.table.days())
            .enumerate()
    }
}

impl Serialize for FeatureMatrix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows: Vec<Value> = self
            .rows()
            .map(|(row, day)| {
                let values: Vec<Option<f64>> = self
                    .features
                    .iter()
                    .map(|feature| self.table.value_at(row, feature.name))
                    .collect();
                json!({"date": day, "values": values})
            })
            .collect();
        let names: Vec<&str> = self.features.iter().map(|feature| feature.name).collect();
        json!({"user_id": self.user(), "features": names, "rows": rows}).serialize(serializer)
    }
}
