//! Generations: numbers that identify the state of a person's data.
//!
//! Each change computes the next number from the previous number and the change. So equal numbers mean
//! equal histories of changes, also across databases and after a backup was restored. A cache that
//! outlives the database never confuses two states.

use super::SqliteStore;
use crate::error::StoreError;
use crate::rows;
use crate::store::Generation;
use sqlx::{Row, Sqlite, Transaction};
use vitalcast_domain::UserId;

/// The kind of a change.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// Records and profile.
    Data,
    /// The set of models and the active model.
    Models,
}

/// The changed data.
#[derive(Debug)]
pub(super) struct Change(blake3::Hasher);

impl Change {
    pub(super) fn new(kind: &str) -> Self {
        let mut change = Self(blake3::Hasher::new());
        change.add(kind.as_bytes());
        change
    }

    pub(super) fn add(&mut self, part: &[u8]) {
        // With its length, so that two parts are not taken for one.
        self.0.update(&(part.len() as u64).to_le_bytes());
        self.0.update(part);
    }

    /// The number after this change.
    fn after(&self, number: i64) -> i64 {
        let mut hasher = self.0.clone();
        hasher.update(&number.to_le_bytes());
        let mut first = [0; 8];
        hasher.finalize_xof().fill(&mut first);
        i64::from_le_bytes(first) & i64::MAX
    }
}

impl SqliteStore {
    /// Records a change in the transaction of the change.
    pub(super) async fn changed(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &str,
        part: Part,
        change: &Change,
    ) -> Result<(), StoreError> {
        let (read, write) = match part {
            Part::Data => (
                "SELECT data_version FROM users WHERE user_id = ?1",
                "UPDATE users SET data_version = ?2 WHERE user_id = ?1",
            ),
            Part::Models => (
                "SELECT model_generation FROM users WHERE user_id = ?1",
                "UPDATE users SET model_generation = ?2 WHERE user_id = ?1",
            ),
        };
        let before: i64 = sqlx::query(read)
            .bind(user)
            .fetch_one(&mut **transaction)
            .await
            .and_then(|row| row.try_get(0))
            .map_err(|error| self.failed(error))?;
        sqlx::query(write)
            .bind(user)
            .bind(change.after(before))
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(())
    }

    pub(super) async fn generation_of(
        &self,
        user: &UserId,
    ) -> Result<Option<Generation>, StoreError> {
        const TABLE: &str = "users";
        let row = sqlx::query(
            "SELECT incarnation, data_version, model_generation FROM users WHERE user_id = ?1",
        )
        .bind(user.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        row.map(|row| {
            Ok(Generation {
                incarnation: rows::get(TABLE, &row, "incarnation")?,
                data: rows::get(TABLE, &row, "data_version")?,
                models: rows::get(TABLE, &row, "model_generation")?,
            })
        })
        .transpose()
    }
}
