//! The model registry: one active model per person and metric, with increasing versions.

use super::SqliteStore;
use super::generation::{Change, Part};
use crate::error::StoreError;
use crate::rows;
use crate::store::{ModelList, NewModel, RegisteredModel, Store};
use sqlx::{Row, Sqlite, Transaction};
use vitalcast_domain::{ModelId, PredictionMetric, UserId};

/// Whose models.
#[derive(Debug, Clone, Copy)]
pub(super) enum Owner<'a> {
    Any,
    Person(&'a UserId),
    /// Those of many people.
    Nobody,
}

impl SqliteStore {
    pub(super) async fn models_where(
        &self,
        owner: Owner<'_>,
        metric: Option<PredictionMetric>,
        id: Option<&ModelId>,
    ) -> Result<ModelList, StoreError> {
        let user = match owner {
            Owner::Any | Owner::Nobody => None,
            Owner::Person(user) => Some(user.as_str()),
        };
        let found = sqlx::query(
            "SELECT * FROM models \
             WHERE (?4 OR user_id IS ?1) AND (?2 IS NULL OR metric = ?2) \
               AND (?3 IS NULL OR model_id = ?3) \
             ORDER BY trained_at DESC, version DESC, model_id",
        )
        .bind(user)
        .bind(metric.map(PredictionMetric::as_str))
        .bind(id.map(ModelId::as_str))
        .bind(matches!(owner, Owner::Any))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let mut list = ModelList::default();
        for row in &found {
            match rows::model(row) {
                Ok(model) => list.models.push(model),
                Err(what) => list.unreadable.push(rows::unreadable_model(row, what)?),
            }
        }
        Ok(list)
    }

    pub(super) async fn register(&self, model: NewModel) -> Result<RegisteredModel, StoreError> {
        let mut transaction = self.begin().await?;
        let taken = sqlx::query("SELECT 1 FROM models WHERE model_id = ?1")
            .bind(model.model_id.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        if taken.is_some() {
            return Err(StoreError::ModelExists(model.model_id));
        }
        let version: i64 = sqlx::query(
            "INSERT INTO model_versions (user_id, metric, highest) VALUES (?1, ?2, 1) \
             ON CONFLICT (coalesce(user_id, ''), metric) DO UPDATE SET highest = highest + 1 RETURNING highest",
        )
        .bind(model.user_id.as_ref().map(UserId::as_str))
        .bind(model.metric.as_str())
        .fetch_one(&mut *transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| self.failed(error))?;
        if model.activate {
            sqlx::query("UPDATE models SET is_active = 0 WHERE user_id IS ?1 AND metric = ?2")
                .bind(model.user_id.as_ref().map(UserId::as_str))
                .bind(model.metric.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))?;
        }
        sqlx::query(
            "INSERT INTO models (model_id, user_id, metric, architecture, version, trained_at, \
             file_name, file_hash, size_bytes, training_seconds, summary, is_active) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )
        .bind(model.model_id.as_str())
        .bind(model.user_id.as_ref().map(UserId::as_str))
        .bind(model.metric.as_str())
        .bind(model.architecture.as_str())
        .bind(version)
        .bind(model.trained_at.timestamp_micros())
        .bind(&model.file_name)
        .bind(&model.file_hash)
        .bind(model.size_bytes as i64)
        .bind(model.training_seconds)
        .bind(model.summary.to_string())
        .bind(model.activate)
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut change = Change::new("register");
        change.add(model.model_id.as_str().as_bytes());
        change.add(model.file_hash.as_bytes());
        let owner = model.user_id.as_ref().map(UserId::as_str);
        self.models_changed(&mut transaction, owner, &change)
            .await?;
        self.commit(transaction).await?;
        Ok(RegisteredModel {
            model_id: model.model_id,
            user_id: model.user_id,
            metric: model.metric,
            architecture: model.architecture,
            version,
            trained_at: model.trained_at,
            file_name: model.file_name,
            file_hash: model.file_hash,
            size_bytes: model.size_bytes,
            training_seconds: model.training_seconds,
            summary: model.summary,
            is_active: model.activate,
        })
    }

    pub(super) async fn make_active(&self, id: &ModelId) -> Result<(), StoreError> {
        let model = self
            .model(id)
            .await?
            .ok_or_else(|| StoreError::NoSuchModel(id.clone()))?;
        let mut transaction = self.begin().await?;
        sqlx::query("UPDATE models SET is_active = 0 WHERE user_id IS ?1 AND metric = ?2")
            .bind(model.user_id.as_ref().map(UserId::as_str))
            .bind(model.metric.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        let changed = sqlx::query("UPDATE models SET is_active = 1 WHERE model_id = ?1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::NoSuchModel(id.clone()));
        }
        let mut change = Change::new("activate");
        change.add(id.as_str().as_bytes());
        let owner = model.user_id.as_ref().map(UserId::as_str);
        self.models_changed(&mut transaction, owner, &change)
            .await?;
        self.commit(transaction).await
    }

    pub(super) async fn remove_model(&self, id: &ModelId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "DELETE FROM models WHERE model_id = ?1 RETURNING user_id, metric, is_active",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?
        .ok_or_else(|| StoreError::NoSuchModel(id.clone()))?;
        let user: Option<String> = rows::get("models", &row, "user_id")?;
        let mut change = Change::new("delete");
        change.add(id.as_str().as_bytes());
        self.models_changed(&mut transaction, user.as_deref(), &change)
            .await?;
        if rows::get::<bool>("models", &row, "is_active")? {
            // One that was not good enough to be served does not become so by this.
            sqlx::query(
                "UPDATE models SET is_active = 1 WHERE model_id = \
                 (SELECT model_id FROM models WHERE user_id IS ?1 AND metric = ?2 \
                  AND json_valid(summary) AND COALESCE(json_extract(summary, '$.gate.served'), 1) \
                  ORDER BY version DESC LIMIT 1)",
            )
            .bind(user)
            .bind(rows::get::<String>("models", &row, "metric")?)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        }
        self.commit(transaction).await
    }

    /// Records that the models of a person changed, or those of many people, which concerns everybody.
    async fn models_changed(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        owner: Option<&str>,
        change: &Change,
    ) -> Result<(), StoreError> {
        let everybody: Vec<String> = match owner {
            Some(owner) => vec![owner.to_owned()],
            None => sqlx::query("SELECT user_id FROM users")
                .fetch_all(&mut **transaction)
                .await
                .map_err(|error| self.failed(error))?
                .iter()
                .map(|row| rows::get("users", row, "user_id"))
                .collect::<Result<_, _>>()?,
        };
        for user in everybody {
            self.changed(transaction, &user, Part::Models, change)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::wait;
    use super::*;
    use vitalcast_domain::{ModelArchitecture, Profile};

    const RHR: PredictionMetric = PredictionMetric::RestingHeartRate;

    fn id(text: &str) -> ModelId {
        ModelId::new(text).unwrap()
    }

    /// A store with the models a, b and c of one person; b, the active one, as a newer release would leave it.
    async fn with_a_newer_one(store: SqliteStore, column: &str, value: &str) -> SqliteStore {
        let user = UserId::new("u").unwrap();
        store.set_profile(&user, &Profile::default()).await.unwrap();
        for name in ["a", "b", "c"] {
            let new = NewModel {
                model_id: id(name),
                user_id: Some(user.clone()),
                metric: RHR,
                architecture: ModelArchitecture::Linear,
                trained_at: "2024-06-01T12:00:00Z".parse().unwrap(),
                file_name: format!("{name}.vcm"),
                file_hash: name.repeat(64),
                size_bytes: 1,
                training_seconds: 1.0,
                summary: serde_json::json!({}),
                activate: name == "b",
            };
            store.register_model(new).await.unwrap();
        }
        let change = format!("UPDATE models SET {column} = ?1 WHERE model_id = 'b'");
        sqlx::query(sqlx::AssertSqlSafe(change))
            .bind(value)
            .execute(&store.pool)
            .await
            .unwrap();
        store
    }

    /// One model that this release does not know made all models of the person unreadable.
    async fn costs_one_row(store: SqliteStore, column: &str, value: &str) {
        let store = with_a_newer_one(store, column, value).await;
        let user = UserId::new("u").unwrap();
        let list = store.models(Some(&user), None).await.unwrap();
        let readable = list.models.iter().map(|model| model.model_id.as_str());
        assert_eq!(readable.collect::<Vec<_>>(), ["c", "a"], "{column}");
        let [unreadable] = &list.unreadable[..] else {
            panic!("{:?}", list.unreadable)
        };
        assert_eq!(unreadable.model_id, id("b"));
        assert_eq!((unreadable.version, unreadable.is_active), (2, true));
        assert!(unreadable.what.contains(column), "{unreadable:?}");
        assert!(!unreadable.what.contains(value), "{unreadable:?}");
        assert_eq!(unreadable.metric.is_none(), column == "metric");
        let mut files: Vec<_> = list.file_names().collect();
        files.sort_unstable();
        assert_eq!(files, ["a.vcm", "b.vcm", "c.vcm"], "no file is nobody's");
        // The others go on as before.
        assert!(store.model(&id("a")).await.unwrap().is_some());
        store.activate(&id("a")).await.unwrap();
        for refused in [
            store.model(&id("b")).await.map(|_| ()),
            store.activate(&id("b")).await,
        ] {
            let Err(StoreError::UnreadableModel(model)) = refused else {
                panic!("{refused:?}")
            };
            assert_eq!(&*model, unreadable_now(&store).await.first().unwrap());
        }
        store.delete_model(&id("b")).await.unwrap();
        assert!(unreadable_now(&store).await.is_empty());
        store.delete_model(&id("a")).await.unwrap();
    }

    async fn unreadable_now(store: &SqliteStore) -> Vec<crate::store::UnreadableModel> {
        store.models(None, None).await.unwrap().unreadable
    }

    const NEWER: [(&str, &str); 3] = [
        ("architecture", "of_tomorrow"),
        ("metric", "MOOD"),
        ("summary", "{"),
    ];

    #[test]
    fn a_model_of_a_newer_release_costs_one_row_in_memory() {
        for (column, value) in NEWER {
            wait(async {
                let store = SqliteStore::open_in_memory().await.unwrap();
                costs_one_row(store, column, value).await;
            });
        }
    }

    #[test]
    fn a_model_of_a_newer_release_costs_one_row_in_a_file() {
        for (column, value) in NEWER {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("v.db");
            wait(async {
                costs_one_row(SqliteStore::open(&path).await.unwrap(), column, value).await;
            });
        }
    }

    #[test]
    fn the_active_model_could_not_be_deleted_beside_a_damaged_summary() {
        wait(async {
            let store = SqliteStore::open_in_memory().await.unwrap();
            let store = with_a_newer_one(store, "summary", "{").await;
            store.activate(&id("c")).await.unwrap();
            store.delete_model(&id("c")).await.unwrap();
            let left = store.model(&id("a")).await.unwrap().unwrap();
            assert!(left.is_active);
        });
    }
}
