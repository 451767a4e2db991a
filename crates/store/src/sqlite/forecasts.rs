//! Stored forecasts and their measured values.

use super::SqliteStore;
use crate::error::StoreError;
use crate::rows;
use crate::store::{NewForecast, StoredForecast};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use std::ops::RangeInclusive;
use vitalcast_domain::{PredictionMetric, UserId};

impl SqliteStore {
    pub(super) async fn forecasts_where(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> Result<Vec<StoredForecast>, StoreError> {
        let (first, last) = days.map_or((None, None), |days| {
            (Some(days.start().to_string()), Some(days.end().to_string()))
        });
        sqlx::query(
            "SELECT * FROM forecasts WHERE user_id = ?1 AND metric = ?2 \
               AND (?3 IS NULL OR target_date >= ?3) AND (?4 IS NULL OR target_date <= ?4) \
             ORDER BY target_date, as_of, predicted_at, id",
        )
        .bind(user.as_str())
        .bind(metric.as_str())
        .bind(first)
        .bind(last)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?
        .iter()
        .map(rows::forecast)
        .collect()
    }

    pub(super) async fn save_one(&self, forecast: &NewForecast) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for query in [replace(forecast), save(forecast)] {
            query
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.commit(transaction).await
    }

    pub(super) async fn save_many(&self, forecasts: &[NewForecast]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for forecast in forecasts {
            replace(forecast)
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))?;
            match save(forecast)
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))
            {
                Ok(_) | Err(StoreError::NoSuchUser) => {}
                Err(error) => return Err(error),
            }
        }
        self.commit(transaction).await
    }

    pub(super) async fn settle(
        &self,
        outcomes: &[(i64, Option<f64>, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (id, actual, settled_at) in outcomes {
            sqlx::query("UPDATE forecasts SET actual = ?2, settled_at = ?3 WHERE id = ?1")
                .bind(id)
                .bind(actual)
                .bind(actual.map(|_| settled_at.timestamp_micros()))
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))?;
        }
        self.commit(transaction).await
    }
}

/// Deletes the forecasts that a new one replaces: with repeated requests, only one forecast per hour
/// stays.
fn replace(forecast: &NewForecast) -> Query<'_, Sqlite, SqliteArguments> {
    const HOUR: i64 = 3_600_000_000;
    let as_of = forecast.as_of.timestamp_micros();
    sqlx::query(
        "DELETE FROM forecasts WHERE user_id = ?1 AND metric = ?2 AND target_date = ?3 \
         AND model_id = ?4 AND as_of BETWEEN ?5 AND ?6 AND (as_of <> ?6 OR level <> ?7)",
    )
    .bind(forecast.user_id.as_str())
    .bind(forecast.metric.as_str())
    .bind(forecast.target_date.to_string())
    .bind(forecast.model_id.as_str())
    .bind(as_of.saturating_sub(HOUR))
    .bind(as_of)
    .bind(forecast.level)
}

fn save(forecast: &NewForecast) -> Query<'_, Sqlite, SqliteArguments> {
    sqlx::query(
        "INSERT INTO forecasts (user_id, metric, target_date, as_of, model_id, lead_days, \
         value, lower, upper, level, predicted_at, baseline_name, baseline_value, confidence) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         ON CONFLICT DO NOTHING",
    )
    .bind(forecast.user_id.as_str())
    .bind(forecast.metric.as_str())
    .bind(forecast.target_date.to_string())
    .bind(forecast.as_of.timestamp_micros())
    .bind(forecast.model_id.as_str())
    .bind(i64::from(forecast.lead_days))
    .bind(forecast.value)
    .bind(forecast.lower)
    .bind(forecast.upper)
    .bind(forecast.level)
    .bind(forecast.predicted_at.timestamp_micros())
    .bind(&forecast.baseline_name)
    .bind(forecast.baseline_value)
    .bind(forecast.confidence)
}
