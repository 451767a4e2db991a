//! API keys in SQLite.

use super::SqliteStore;
use crate::error::StoreError;
use crate::jobs::Keys;
use crate::rows::{get, instant, parsed};
use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteRow;
use vitalcast_domain::{KeyId, KeyInfo, Scope, UserId};

const TABLE: &str = "api_keys";

/// A key and, as a JSON list, its people.
const SELECT: &str = "SELECT k.*, (SELECT json_group_array(u.user_id) FROM \
     (SELECT user_id FROM api_key_users WHERE key_id = k.key_id ORDER BY user_id) u) AS people \
     FROM api_keys k";

impl Keys for SqliteStore {
    async fn add_key(&self, key: &KeyInfo, hash: &str) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO api_keys (key_id, hash, name, everyone, scopes, created_at, expires_at, \
             revoked_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )
        .bind(key.key_id.as_str())
        .bind(hash)
        .bind(&key.name)
        .bind(key.users.is_none())
        .bind(serde_json::to_string(&key.scopes).expect("scopes are words"))
        .bind(key.created_at.timestamp_micros())
        .bind(key.expires_at.map(|end| end.timestamp_micros()))
        .bind(key.revoked_at.map(|end| end.timestamp_micros()))
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        for user in key.users.iter().flatten() {
            sqlx::query(
                "INSERT INTO api_key_users (key_id, user_id) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )
            .bind(key.key_id.as_str())
            .bind(user.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        }
        self.commit(transaction).await
    }

    async fn key_by_hash(&self, hash: &str) -> Result<Option<KeyInfo>, StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE k.hash = ?1")))
            .bind(hash)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .as_ref()
            .map(key)
            .transpose()
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, StoreError> {
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "{SELECT} ORDER BY k.created_at, k.key_id"
        )))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?
        .iter()
        .map(key)
        .collect()
    }

    async fn revoke_key(
        &self,
        id: &KeyId,
        now: DateTime<Utc>,
    ) -> Result<Option<KeyInfo>, StoreError> {
        sqlx::query("UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?2) WHERE key_id = ?1")
            .bind(id.as_str())
            .bind(now.timestamp_micros())
            .execute(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        sqlx::query(sqlx::AssertSqlSafe(format!("{SELECT} WHERE k.key_id = ?1")))
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?
            .as_ref()
            .map(key)
            .transpose()
    }
}

fn key(row: &SqliteRow) -> Result<KeyInfo, StoreError> {
    let moment = |column: &str| -> Result<Option<DateTime<Utc>>, StoreError> {
        get::<Option<i64>>(TABLE, row, column)?
            .map(|micros| instant(TABLE, micros))
            .transpose()
    };
    let bad = |what: &str| StoreError::BadRow {
        table: TABLE,
        what: what.to_owned(),
    };
    let people: Vec<UserId> = serde_json::from_str(get::<&str>(TABLE, row, "people")?)
        .map_err(|_| bad("the people are not valid ids"))?;
    let scopes: Vec<String> = serde_json::from_str(get::<&str>(TABLE, row, "scopes")?)
        .map_err(|_| bad("the scopes are no list of words"))?;
    // A scope of a newer release gives no rights in this one.
    let scopes = scopes.iter().filter_map(|word| word.parse::<Scope>().ok());
    Ok(KeyInfo {
        key_id: parsed(TABLE, row, "key_id")?,
        name: get(TABLE, row, "name")?,
        users: (!get::<bool>(TABLE, row, "everyone")?).then_some(people),
        scopes: scopes.collect(),
        created_at: instant(TABLE, get(TABLE, row, "created_at")?)?,
        expires_at: moment("expires_at")?,
        revoked_at: moment("revoked_at")?,
    })
}
