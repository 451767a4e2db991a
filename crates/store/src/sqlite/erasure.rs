//! Erasure of people.

use super::SqliteStore;
use crate::error::StoreError;
use crate::rows;
use crate::store::ErasedUser;
use vitalcast_domain::UserId;

impl SqliteStore {
    pub(super) async fn erase(&self, user: &UserId) -> Result<ErasedUser, StoreError> {
        let mut transaction = self.begin().await?;
        let orphaned_files = sqlx::query(
            "SELECT DISTINCT file_name FROM models WHERE user_id = ?1 AND file_name NOT IN \
             (SELECT file_name FROM models WHERE user_id IS NOT ?1)",
        )
        .bind(user.as_str())
        .fetch_all(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?
        .iter()
        .map(|row| rows::get("models", row, "file_name"))
        .collect::<Result<_, _>>()?;
        // Keys that open this person's data only open nothing any more. They stay, without a name,
        // so that it stays known that keys were given out.
        sqlx::query(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, created_at), name = '(erased)' \
             WHERE key_id IN (SELECT key_id FROM api_key_users WHERE user_id = ?1) \
               AND key_id NOT IN (SELECT key_id FROM api_key_users WHERE user_id <> ?1)",
        )
        .bind(user.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        sqlx::query("DELETE FROM api_key_users WHERE user_id = ?1")
            .bind(user.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query("INSERT INTO pending_erasures (user_id) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(user.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query("UPDATE erasures SET count = count + 1")
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        // Everything else of a person hangs on this row and goes with it.
        sqlx::query("DELETE FROM users WHERE user_id = ?1")
            .bind(user.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.commit(transaction).await?;
        Ok(ErasedUser { orphaned_files })
    }

    pub(super) async fn finish(&self, user: &UserId) -> Result<bool, StoreError> {
        sqlx::query("DELETE FROM pending_erasures WHERE user_id = ?1")
            .bind(user.as_str())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        // What was deleted is overwritten in the database file, but the log holds it until it is
        // emptied. That waits for readers as writers wait for each other; a reader that outlasts it
        // leaves the log to the next erasure or the last close.
        let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let was_blocked: i64 = rows::get("wal_checkpoint", &checkpoint, "busy")?;
        Ok(was_blocked == 0)
    }

    pub(super) async fn pending(&self) -> Result<Vec<UserId>, StoreError> {
        sqlx::query("SELECT user_id FROM pending_erasures ORDER BY user_id")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .iter()
            .map(|row| rows::parsed("pending_erasures", row, "user_id"))
            .collect()
    }
}
