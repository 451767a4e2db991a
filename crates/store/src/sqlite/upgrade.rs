//! Brings the records of earlier releases up to date: ids made from times.
//!
//! Earlier releases made the id of a record without one from its instant alone, and for a date from an
//! instant that depended on the person's zone. Left as they are, such records would be doubled by the
//! next import of the same file. Everything else of an old record is understood as it is.

use super::SqliteStore;
use crate::content::{content, identity, record};
use crate::error::StoreError;
use crate::rows;
use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use std::collections::HashSet;
use vitalcast_domain::{Coincident, Record};

/// Name of the upgrade in the database.
const IDS: &str = "ids from times";

/// The versions of one record, oldest first.
struct Versions {
    user: String,
    identity: String,
    /// Number, time when it became known, content.
    all: Vec<(i64, DateTime<Utc>, Record)>,
}

impl SqliteStore {
    /// Renames made ids, once for each database, in one transaction.
    pub(super) async fn upgrade(&self) -> Result<(), StoreError> {
        if self.is_upgraded().await? {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        // Every page is changed: with the usual cache each would be written and read again several times.
        self.set(&mut transaction, LARGE_CACHE).await?;
        let rows = sqlx::query(
            "SELECT user_id, identity, version, known_at, content FROM records \
             WHERE identity LIKE '%T__:__:__%+00:00%' ORDER BY user_id, identity, version",
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut taken: HashSet<(String, String)> = HashSet::new();
        let mut coincident = Coincident::default();
        let mut renamed = Vec::new();
        for versions in grouped(&rows)? {
            let Some((_, _, latest)) = versions.all.last() else {
                continue;
            };
            match new_id(&versions.user, latest, &mut coincident) {
                Some(id) => renamed.extend(rename(versions, &id, &mut taken)),
                None => {
                    taken.insert((versions.user, versions.identity));
                }
            }
        }
        for some in renamed.chunks(RENAMED_AT_ONCE) {
            let list = serde_json::to_string(some).expect("text and numbers are always JSON");
            // A name that is taken after all leaves the record as it is.
            sqlx::query(
                "UPDATE OR IGNORE records SET identity = j.value ->> 3, content = j.value ->> 4 \
                 FROM json_each(?1) j \
                 WHERE records.user_id = j.value ->> 0 AND records.identity = j.value ->> 1 \
                   AND records.version = j.value ->> 2",
            )
            .bind(list)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        }
        sqlx::query("INSERT INTO upgrades (name) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(IDS)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.set(&mut transaction, USUAL_CACHE).await?;
        self.commit(transaction).await
    }

    async fn set(
        &self,
        connection: &mut SqliteConnection,
        setting: &'static str,
    ) -> Result<(), StoreError> {
        let set = sqlx::query(setting).execute(connection).await;
        set.map(drop).map_err(|error| self.failed(error))
    }

    async fn is_upgraded(&self) -> Result<bool, StoreError> {
        let done = sqlx::query("SELECT name FROM upgrades WHERE name = ?1")
            .bind(IDS)
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        Ok(done.is_some())
    }
}

/// Number of renamed versions per statement.
const RENAMED_AT_ONCE: usize = 1_000;

/// What a connection keeps of the file in memory: 128 MB while everything is renamed, and SQLite's own
/// default.
const LARGE_CACHE: &str = "PRAGMA cache_size = -131072";
const USUAL_CACHE: &str = "PRAGMA cache_size = -2000";

/// A renamed version: person, old identity, version, new identity, new content.
type Renamed = (String, String, i64, String, String);

/// The versions of a record under a new id, with a number if another record has it.
fn rename(versions: Versions, id: &str, taken: &mut HashSet<(String, String)>) -> Vec<Renamed> {
    let named = |mut record: Record, id: &str| {
        id.clone_into(&mut record.provenance_mut().source_id);
        record
    };
    let Some((_, _, latest)) = versions.all.last() else {
        return Vec::new();
    };
    let mut place = 1;
    let (id, new_identity) = loop {
        let id = match place {
            1 => id.to_owned(),
            more => format!("{id}#{more}"),
        };
        let new_identity = identity(&named(latest.clone(), &id));
        if taken.insert((versions.user.clone(), new_identity.clone())) {
            break (id, new_identity);
        }
        place += 1;
    };
    let (user, old) = (versions.user, versions.identity);
    versions
        .all
        .into_iter()
        .map(|(version, _, record)| {
            let content = content(&named(record, &id));
            (
                user.clone(),
                old.clone(),
                version,
                new_identity.clone(),
                content,
            )
        })
        .collect()
}

/// The records of the rows, each with its versions.
fn grouped(rows: &[SqliteRow]) -> Result<Vec<Versions>, StoreError> {
    let mut records: Vec<Versions> = Vec::new();
    for row in rows {
        let user: String = rows::get("records", row, "user_id")?;
        let identity: String = rows::get("records", row, "identity")?;
        let known_at = rows::instant("records", rows::get("records", row, "known_at")?)?;
        let text: &str = rows::get("records", row, "content")?;
        let version = (
            rows::get("records", row, "version")?,
            known_at,
            record(text, known_at)?,
        );
        match records.last_mut() {
            Some(last) if last.user == user && last.identity == identity => last.all.push(version),
            _ => records.push(Versions {
                user,
                identity,
                all: vec![version],
            }),
        }
    }
    Ok(records)
}

/// The id that this release makes of a record; `None` if its id was not made from its time, or stays.
fn new_id(user: &str, record: &Record, coincident: &mut Coincident) -> Option<String> {
    let provenance = record.provenance();
    let old = &provenance.source_id;
    let rest = old.strip_prefix(&provenance.observed_at.to_rfc3339())?;
    let number = rest.trim_start().trim_start_matches('#');
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut bare = record.clone();
    bare.provenance_mut().source_id.clear();
    let (identified, _) = coincident.identify(user, bare);
    let id = identified.provenance().source_id.clone();
    (id != *old).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use vitalcast_domain::{Moment, UserId};

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(future)
    }

    /// A row as release 0.1.0 wrote it: without what its source said.
    async fn insert_old(store: &SqliteStore, source_id: &str, name: &str, at: &str, day: &str) {
        let at: DateTime<Utc> = at.parse().unwrap();
        let identity = serde_json::json!(["meal", "", "diary", source_id]).to_string();
        let content = serde_json::json!({
            "kind": "meal",
            "provenance": {
                "source": "diary", "source_id": source_id, "observed_at": at,
                "utc_offset_seconds": 7_200, "day": day, "known_at": "1970-01-01T00:00:00Z"
            },
            "name": name, "meal_type": null, "energy_kcal": 300.0, "protein_g": null,
            "carbs_g": null, "fat_g": null, "fiber_g": null, "sugar_g": null, "time_known": true
        });
        sqlx::query(
            "INSERT INTO records (user_id, identity, version, kind, metric, day, observed_at, \
             known_at, content) VALUES ('a', ?1, 1, 'meal', NULL, ?2, ?3, ?3, ?4)",
        )
        .bind(identity)
        .bind(day)
        .bind(at.timestamp_micros())
        .bind(content.to_string())
        .execute(&store.pool)
        .await
        .unwrap();
    }

    #[test]
    fn a_folder_of_an_earlier_release_is_not_doubled_by_the_next_import() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        wait(async {
            let store = SqliteStore::open(&path).await.unwrap();
            let user = UserId::new("a").unwrap();
            let nothing = store.write_records(&user, &[], DateTime::UNIX_EPOCH).await;
            nothing.unwrap();
            let noon = "2024-05-01T10:00:00+00:00";
            insert_old(&store, noon, "bread", noon, "2024-05-01").await;
            insert_old(&store, &format!("{noon}#2"), "soup", noon, "2024-05-01").await;
            // A date in Berlin: its local midnight.
            let midnight = "2024-05-01T22:00:00+00:00";
            insert_old(&store, midnight, "cake", midnight, "2024-05-02").await;
            insert_old(&store, "their-own-id", "tea", noon, "2024-05-01").await;
            sqlx::query("DELETE FROM upgrades")
                .execute(&store.pool)
                .await
                .unwrap();
            store.pool.close().await;
            let store = SqliteStore::open(&path).await.unwrap();
            let history = store.history(&user, None).await.unwrap().unwrap();
            let ids: Vec<&str> = history
                .records
                .iter()
                .map(|record| record.provenance().source_id.as_str())
                .collect();
            assert_eq!(
                ids,
                [
                    "2024-05-01T10:00:00+00:00 bread",
                    "2024-05-01T10:00:00+00:00 soup",
                    "their-own-id",
                    "2024-05-02 cake"
                ]
            );
            let cake = history.records[3].provenance();
            assert_eq!(cake.told.at, Moment::Date("2024-05-02".parse().unwrap()));
            // Opened once more, nothing changes.
            store.pool.close().await;
            let store = SqliteStore::open(&path).await.unwrap();
            assert_eq!(store.history(&user, None).await.unwrap().unwrap(), history);
        });
    }
}
