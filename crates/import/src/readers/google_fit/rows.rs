//! Rows of the JSON files: samples and sessions.

use crate::loose;
use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Point {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) data_type_name: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) start_time_nanos: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) end_time_nanos: Option<String>,
    #[serde(default)]
    pub(super) fit_value: Vec<FitValue>,
}

#[derive(Deserialize)]
pub(super) struct FitValue {
    pub(super) value: Option<Number>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Number {
    #[serde(default, deserialize_with = "loose::number")]
    pub(super) fp_val: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    pub(super) int_val: Option<f64>,
}

impl Point {
    pub(super) fn times(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let at = |text: &Option<String>| {
            let nanos: i64 = text.as_deref()?.parse().ok()?;
            DateTime::from_timestamp_micros(nanos / 1_000)
        };
        let end = at(&self.end_time_nanos)?;
        Some((at(&self.start_time_nanos).unwrap_or(end), end))
    }

    pub(super) fn value(&self) -> Option<f64> {
        let value = self.fit_value.first()?.value.as_ref()?;
        value.fp_val.or(value.int_val)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) fitness_activity: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) start_time: Option<String>,
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) end_time: Option<String>,
    #[serde(default)]
    pub(super) aggregate: Vec<Aggregate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Aggregate {
    #[serde(default, deserialize_with = "loose::text")]
    pub(super) metric_name: Option<String>,
    #[serde(default, deserialize_with = "loose::number")]
    pub(super) float_value: Option<f64>,
    #[serde(default, deserialize_with = "loose::number")]
    pub(super) int_value: Option<f64>,
}
