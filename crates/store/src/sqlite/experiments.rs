//! Experiments in SQLite.

use super::SqliteStore;
use crate::error::StoreError;
use crate::experiments::{AddedExperiment, Experiments, StoredExperiment};
use crate::rows::{get, listed, parsed};
use crate::store::Listed;
use sqlx::sqlite::SqliteRow;
use vitalcast_domain::{Experiment, ExperimentId, UserId};

const TABLE: &str = "experiments";
/// Version of the JSON in `body`. A change that this release cannot read needs another one.
const BODY_VERSION: i64 = 1;

impl Experiments for SqliteStore {
    async fn add_experiment(
        &self,
        experiment: &Experiment,
        allow_overlap: bool,
    ) -> Result<AddedExperiment, StoreError> {
        let mut transaction = self.begin().await?;
        let rows = sqlx::query(
            "SELECT experiment_id, experiment_id = ?2 AS is_same FROM experiments \
             WHERE user_id = ?1 AND (experiment_id = ?2 OR (first_day <= ?4 AND last_day >= ?3)) \
             ORDER BY is_same DESC, first_day",
        )
        .bind(experiment.user_id.as_str())
        .bind(experiment.experiment_id.as_str())
        .bind(experiment.plan.start.to_string())
        .bind(experiment.last_day().to_string())
        .fetch_all(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        if let Some(row) = rows.first() {
            // One with days in common counts before one with the same name, which would get another.
            let other = rows.iter().find_map(|row| {
                let is_same: i64 = get(TABLE, row, "is_same").ok()?;
                (is_same == 0).then_some(row)
            });
            if !allow_overlap && let Some(other) = other {
                return Ok(AddedExperiment::Overlaps(parsed(
                    TABLE,
                    other,
                    "experiment_id",
                )?));
            }
            if get::<i64>(TABLE, row, "is_same")? == 1 {
                return Ok(AddedExperiment::IdTaken);
            }
        }
        sqlx::query(
            "INSERT INTO experiments (user_id, experiment_id, first_day, last_day, revision, \
             body_version, body) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
        )
        .bind(experiment.user_id.as_str())
        .bind(experiment.experiment_id.as_str())
        .bind(experiment.plan.start.to_string())
        .bind(experiment.last_day().to_string())
        .bind(BODY_VERSION)
        .bind(body(experiment))
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        self.commit(transaction).await?;
        Ok(AddedExperiment::Stored)
    }

    async fn experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<Option<StoredExperiment>, StoreError> {
        sqlx::query("SELECT * FROM experiments WHERE user_id = ?1 AND experiment_id = ?2")
            .bind(user.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .as_ref()
            .map(stored)
            .transpose()
    }

    async fn experiments(
        &self,
        user: &UserId,
    ) -> Result<Listed<Experiment, ExperimentId>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM experiments WHERE user_id = ?1 ORDER BY first_day, experiment_id",
        )
        .bind(user.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        listed(TABLE, ("experiment_id", "body"), &rows, |row| {
            Ok(stored(row)?.experiment)
        })
    }

    async fn change_experiment(&self, changed: &StoredExperiment) -> Result<bool, StoreError> {
        let experiment = &changed.experiment;
        let done = sqlx::query(
            "UPDATE experiments SET last_day = ?4, revision = revision + 1, body_version = ?5, \
             body = ?6 WHERE user_id = ?1 AND experiment_id = ?2 AND revision = ?3",
        )
        .bind(experiment.user_id.as_str())
        .bind(experiment.experiment_id.as_str())
        .bind(changed.revision)
        .bind(experiment.last_day().to_string())
        .bind(BODY_VERSION)
        .bind(body(experiment))
        .execute(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() > 0)
    }

    async fn delete_experiment(
        &self,
        user: &UserId,
        id: &ExperimentId,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("DELETE FROM experiments WHERE user_id = ?1 AND experiment_id = ?2")
            .bind(user.as_str())
            .bind(id.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(done.rows_affected() > 0)
    }
}

fn body(experiment: &Experiment) -> String {
    serde_json::to_string(experiment).expect("plans hold plain values")
}

fn stored(row: &SqliteRow) -> Result<StoredExperiment, StoreError> {
    let bad = |what: &str| StoreError::BadRow {
        table: TABLE,
        what: what.to_owned(),
    };
    if get::<i64>(TABLE, row, "body_version")? > BODY_VERSION {
        return Err(bad("a newer release has written it"));
    }
    Ok(StoredExperiment {
        experiment: serde_json::from_str(get::<&str>(TABLE, row, "body")?)
            .map_err(|_| bad("the body is not that of an experiment"))?,
        revision: get(TABLE, row, "revision")?,
    })
}
