//! Jobs in SQLite.

use super::SqliteStore;
use crate::error::StoreError;
use crate::jobs::{JobOutcome, Jobs, NewJob, StoredJob};
use crate::rows::{get, instant, listed, parsed};
use crate::store::Listed;
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use vitalcast_domain::{JobId, JobState, PredictionMetric, UserId};

const TABLE: &str = "jobs";

impl Jobs for SqliteStore {
    async fn add_job(&self, job: &NewJob) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO jobs (job_id, user_id, kind, metric, request, cost_seconds, state, \
             created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7)",
        )
        .bind(job.job_id.as_str())
        .bind(job.user_id.as_str())
        .bind(job.kind.as_str())
        .bind(job.metric.map(PredictionMetric::as_str))
        .bind(job.request.to_string())
        .bind(job.cost_seconds)
        .bind(job.created_at.timestamp_micros())
        .execute(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<StoredJob>, StoreError> {
        sqlx::query("SELECT * FROM jobs WHERE job_id = ?1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .as_ref()
            .map(stored)
            .transpose()
    }

    async fn jobs_of(
        &self,
        user: &UserId,
        limit: u32,
    ) -> Result<Listed<StoredJob, JobId>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM jobs WHERE user_id = ?1 ORDER BY created_at DESC, job_id LIMIT ?2",
        )
        .bind(user.as_str())
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        listed(TABLE, ("job_id", "request"), &rows, stored)
    }

    async fn open_jobs(&self) -> Result<Listed<StoredJob, JobId>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM jobs WHERE state IN ('queued', 'running') ORDER BY created_at, job_id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        listed(TABLE, ("job_id", "request"), &rows, stored)
    }

    async fn start_job(&self, id: &JobId, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let changed = sqlx::query(
            "UPDATE jobs SET state = 'running', started_at = ?2, attempts = attempts + 1 \
             WHERE job_id = ?1 AND state = 'queued'",
        )
        .bind(id.as_str())
        .bind(now.timestamp_micros())
        .execute(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(changed.rows_affected() > 0)
    }

    async fn requeue_running(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE jobs SET state = 'cancelled', finished_at = ?1 \
             WHERE state IN ('queued', 'running') AND called_off = 1",
        )
        .bind(now.timestamp_micros())
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.commit(transaction).await
    }

    async fn call_off(&self, id: &JobId) -> Result<(), StoreError> {
        sqlx::query("UPDATE jobs SET called_off = 1 WHERE job_id = ?1")
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn requeue_job(&self, id: &JobId) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE jobs SET state = 'queued', attempts = attempts - 1 \
             WHERE job_id = ?1 AND state = 'running'",
        )
        .bind(id.as_str())
        .execute(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    async fn finish_job(
        &self,
        id: &JobId,
        outcome: &JobOutcome,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let (state, result, error) = match outcome {
            JobOutcome::Succeeded(result) => (JobState::Succeeded, Some(result.to_string()), None),
            JobOutcome::Failed(error) => (
                JobState::Failed,
                None,
                Some(serde_json::to_string(error).expect("errors hold text")),
            ),
            JobOutcome::Cancelled => (JobState::Cancelled, None, None),
        };
        let changed = sqlx::query(
            "UPDATE jobs SET state = ?2, result = ?3, error = ?4, finished_at = ?5 \
             WHERE job_id = ?1 AND state IN ('queued', 'running')",
        )
        .bind(id.as_str())
        .bind(state.as_str())
        .bind(result)
        .bind(error)
        .bind(now.timestamp_micros())
        .execute(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(changed.rows_affected() > 0)
    }
}

fn stored(row: &SqliteRow) -> Result<StoredJob, StoreError> {
    let moment = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
        get::<Option<i64>>(TABLE, row, column)?
            .map(|micros| instant(TABLE, micros))
            .transpose()
    };
    let bad = |what: &str| StoreError::BadRow {
        table: TABLE,
        what: what.to_owned(),
    };
    let metric: Option<String> = get(TABLE, row, "metric")?;
    let result: Option<String> = get(TABLE, row, "result")?;
    let error: Option<String> = get(TABLE, row, "error")?;
    Ok(StoredJob {
        job: NewJob {
            job_id: parsed(TABLE, row, "job_id")?,
            user_id: parsed(TABLE, row, "user_id")?,
            kind: parsed(TABLE, row, "kind")?,
            metric: metric
                .map(|word| word.parse().map_err(|_| bad("an unknown metric")))
                .transpose()?,
            request: serde_json::from_str(get::<&str>(TABLE, row, "request")?)
                .map_err(|_| bad("the request is not JSON"))?,
            cost_seconds: get(TABLE, row, "cost_seconds")?,
            created_at: instant(TABLE, get(TABLE, row, "created_at")?)?,
        },
        state: parsed(TABLE, row, "state")?,
        attempts: get(TABLE, row, "attempts")?,
        started_at: moment("started_at")?,
        finished_at: moment("finished_at")?,
        result: result
            .map(|text| serde_json::from_str(&text).map_err(|_| bad("the result is not JSON")))
            .transpose()?,
        error: error
            .map(|text| serde_json::from_str(&text).map_err(|_| bad("the error is not valid")))
            .transpose()?,
    })
}
