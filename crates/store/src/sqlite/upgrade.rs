//! Brings the records of earlier releases up to date: ids made from times.
//!
//! Earlier releases made the id of a record without one from its instant alone, and for a date from an
//! instant that depended on the person's zone. Left as they are, such records would be doubled by the
//! next import of the same file. Everything else of an old record is understood as it is.

use super::SqliteStore;
use crate::content::{content, identity, record};
use crate::error::StoreError;
use crate::rows;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection};
use std::collections::HashSet;
use vitalcast_domain::{Coincident, Record};

/// Name of the upgrade in the database.
const IDS: &str = "ids from times";

/// The versions of one record, oldest first.
struct Versions {
    identity: String,
    /// Number and content.
    all: Vec<(i64, Record)>,
}

impl SqliteStore {
    /// Renames made ids, once for each database, in one transaction.
    pub(super) async fn upgrade(&self) -> Result<(), StoreError> {
        if self.is_upgraded().await? {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        // Every page is changed: with the usual cache each would be written and read again several times.
        self.run(&mut transaction, LARGE_CACHE).await?;
        let users: Vec<String> = sqlx::query_scalar("SELECT user_id FROM users ORDER BY user_id")
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        let mut index = None;
        for user in users {
            let records = self.old_records(&mut transaction, &user).await?;
            if index.is_none() && records.len() >= MANY {
                index = Some(self.drop_index(&mut transaction).await?);
            }
            self.rename(&mut transaction, &user, &renamed(records))
                .await?;
        }
        if let Some(index) = index {
            self.run(&mut transaction, index).await?;
        }
        sqlx::query("INSERT INTO upgrades (name) VALUES (?1) ON CONFLICT DO NOTHING")
            .bind(IDS)
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.run(&mut transaction, USUAL_CACHE).await?;
        self.commit(transaction).await
    }

    /// The records of a person whose ids may be made from their times, with all versions.
    ///
    /// A query returns one text with one version per line: passing rows between threads one by one takes
    /// longer than reading them. JSON text has no line breaks and no separators.
    async fn old_records(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
    ) -> Result<Vec<Versions>, StoreError> {
        let mut records: Vec<Versions> = Vec::new();
        let mut after = (String::new(), 0);
        loop {
            let row = sqlx::query(
                "SELECT count(*) AS count, group_concat(line, char(10)) AS lines FROM (\
                 SELECT identity || char(31) || version || char(31) || known_at || char(31) || content AS line \
                 FROM records WHERE user_id = ?1 AND (identity, version) > (?2, ?3) \
                   AND identity LIKE '%T__:__:__%+00:00%' ORDER BY identity, version LIMIT ?4)",
            )
            .bind(user)
            .bind(&after.0)
            .bind(after.1)
            .bind(READ_AT_ONCE)
            .fetch_one(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
            let lines: Option<&str> = rows::get("records", &row, "lines")?;
            for line in lines.unwrap_or_default().lines() {
                let (identity, version, record) = version_in(line)?;
                match records.last_mut() {
                    Some(last) if last.identity == identity => last.all.push((version, record)),
                    _ => records.push(Versions {
                        identity: identity.to_owned(),
                        all: vec![(version, record)],
                    }),
                }
            }
            if rows::get::<i64>("records", &row, "count")? < READ_AT_ONCE {
                return Ok(records);
            }
            if let Some(last) = records.last() {
                let version = last.all.last().map_or(0, |(version, _)| *version);
                after = (last.identity.clone(), version);
            }
        }
    }

    /// Renames records of a person.
    async fn rename(
        &self,
        connection: &mut SqliteConnection,
        user: &str,
        renamed: &[Renamed],
    ) -> Result<(), StoreError> {
        for some in renamed.chunks(RENAMED_AT_ONCE) {
            // A name that is taken after all leaves the record as it is.
            let mut update = QueryBuilder::<Sqlite>::new(
                "UPDATE OR IGNORE records SET identity = new.column3, content = new.column4 FROM (",
            );
            update.push_values(some, |mut row, renamed| {
                row.push_bind(&renamed.before)
                    .push_bind(renamed.version)
                    .push_bind(&renamed.identity)
                    .push_bind(&renamed.content);
            });
            update.push(
                ") new WHERE records.identity = new.column1 AND records.version = new.column2 \
                 AND records.user_id = ",
            );
            update.push_bind(user);
            update
                .build()
                .persistent(false)
                .execute(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Drops the index of records by day, which follows every renaming to another place; returns the
    /// statement that makes it again.
    async fn drop_index(&self, connection: &mut SqliteConnection) -> Result<String, StoreError> {
        let made =
            sqlx::query_scalar("SELECT sql FROM sqlite_schema WHERE name = 'records_by_day'")
                .fetch_one(&mut *connection)
                .await
                .map_err(|error| self.failed(error))?;
        self.run(connection, "DROP INDEX records_by_day").await?;
        Ok(made)
    }

    async fn run(
        &self,
        connection: &mut SqliteConnection,
        statement: impl Into<String>,
    ) -> Result<(), StoreError> {
        let statement = sqlx::query(AssertSqlSafe(statement.into()));
        let run = statement.execute(connection).await;
        run.map(drop).map_err(|error| self.failed(error))
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

/// Number of versions that are read per statement.
const READ_AT_ONCE: i64 = 5_000;
/// Number of renamed versions per statement; with 4 values each, this is below the limit of 32,766 parameters
/// of SQLite.
const RENAMED_AT_ONCE: usize = 1_000;
/// Number of records of a person from which on making the index anew is faster than changing it.
const MANY: usize = 1_000;

/// What a connection keeps of the file in memory: 128 MB while everything is renamed, and SQLite's own
/// default.
const LARGE_CACHE: &str = "PRAGMA cache_size = -131072";
const USUAL_CACHE: &str = "PRAGMA cache_size = -2000";

/// A renamed version.
struct Renamed {
    /// Its identity before.
    before: String,
    version: i64,
    identity: String,
    content: String,
}

/// Identity, number and content of a version, from its line.
fn version_in(line: &str) -> Result<(&str, i64, Record), StoreError> {
    let bad = || StoreError::BadRow {
        table: "records",
        what: "a version has no number, time and content".to_owned(),
    };
    let mut parts = line.splitn(4, '\u{1f}');
    let mut part = || parts.next().ok_or_else(bad);
    let (identity, version, known_at) = (part()?, part()?, part()?);
    let version = version.parse().map_err(|_| bad())?;
    let known_at = rows::instant("records", known_at.parse().map_err(|_| bad())?)?;
    Ok((identity, version, record(part()?, known_at)?))
}

/// The versions of a person's records that have other ids now.
fn renamed(records: Vec<Versions>) -> Vec<Renamed> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut coincident = Coincident::default();
    let mut renamed = Vec::new();
    for versions in records {
        let Some((_, latest)) = versions.all.last() else {
            continue;
        };
        match new_id(latest, &mut coincident) {
            Some(id) => renamed.extend(rename(versions, &id, &mut taken)),
            None => {
                taken.insert(versions.identity);
            }
        }
    }
    renamed
}

/// The versions of a record under a new id, with a number if another record has it.
fn rename(versions: Versions, id: &str, taken: &mut HashSet<String>) -> Vec<Renamed> {
    let Versions {
        identity: before,
        mut all,
    } = versions;
    let mut place = 1;
    let identity = loop {
        let id = match place {
            1 => id.to_owned(),
            more => format!("{id}#{more}"),
        };
        for (_, version) in &mut all {
            id.clone_into(&mut version.provenance_mut().source_id);
        }
        let Some((_, latest)) = all.last() else {
            return Vec::new();
        };
        let identity = identity(latest);
        if taken.insert(identity.clone()) {
            break identity;
        }
        place += 1;
    };
    all.into_iter()
        .map(|(version, record)| Renamed {
            before: before.clone(),
            version,
            identity: identity.clone(),
            content: content(&record),
        })
        .collect()
}

/// The id that this release makes of a record; `None` if its id was not made from its time, or stays.
fn new_id(record: &Record, coincident: &mut Coincident) -> Option<String> {
    let provenance = record.provenance();
    let old = &provenance.source_id;
    let rest = old.strip_prefix(&provenance.observed_at.to_rfc3339())?;
    let number = rest.trim_start().trim_start_matches('#');
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut bare = record.clone();
    bare.provenance_mut().source_id.clear();
    let (identified, _) = coincident.identify((), bare);
    let id = identified.provenance().source_id.clone();
    (id != *old).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::super::wait;
    use super::*;
    use crate::store::Store;
    use chrono::{DateTime, Utc};
    use std::path::Path;
    use vitalcast_domain::{Moment, UserId};

    /// The store of the same file, opened as one that an earlier release wrote.
    async fn upgraded(store: SqliteStore, path: &Path) -> SqliteStore {
        sqlx::query("DELETE FROM upgrades")
            .execute(&store.pool)
            .await
            .unwrap();
        store.pool.close().await;
        SqliteStore::open(path).await.unwrap()
    }

    /// A row as release 0.1.0 wrote it: without what its source said.
    async fn insert_old(
        store: &SqliteStore,
        source_id: &str,
        name: Option<&str>,
        at: &str,
        day: &str,
    ) {
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
            insert_old(&store, noon, Some("bread"), noon, "2024-05-01").await;
            insert_old(
                &store,
                &format!("{noon}#2"),
                Some("soup"),
                noon,
                "2024-05-01",
            )
            .await;
            // A date in Berlin: its local midnight.
            let midnight = "2024-05-01T22:00:00+00:00";
            insert_old(&store, midnight, Some("cake"), midnight, "2024-05-02").await;
            insert_old(&store, "their-own-id", Some("tea"), noon, "2024-05-01").await;
            let store = upgraded(store, &path).await;
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

    #[test]
    fn a_large_folder_of_an_earlier_release_keeps_every_record_and_its_index() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.db");
        // More than are read and renamed at once.
        let count = 2 * READ_AT_ONCE + 3;
        wait(async {
            let store = SqliteStore::open(&path).await.unwrap();
            let user = UserId::new("a").unwrap();
            let nothing = store.write_records(&user, &[], DateTime::UNIX_EPOCH).await;
            nothing.unwrap();
            let first = "2024-05-01T10:00:00+00:00";
            insert_old(&store, first, None, first, "2024-05-01").await;
            // Copies of it, a minute apart, each with a second version.
            sqlx::query(
                "WITH RECURSIVE minute (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM minute WHERE n < ?1), \
                 time (z) AS (SELECT strftime('%Y-%m-%dT%H:%M:%S', '2024-05-01 10:00', n || ' minutes') \
                              FROM minute) \
                 INSERT INTO records (user_id, identity, version, kind, day, observed_at, known_at, content) \
                 SELECT user_id, replace(identity, '2024-05-01T10:00:00', z), v.column1, kind, substr(z, 1, 10), \
                        1000000 * strftime('%s', z), known_at + v.column1, \
                        replace(replace(content, '2024-05-01T10:00:00', z), '2024-05-01', substr(z, 1, 10)) \
                 FROM records, time, (VALUES (1), (2)) v",
            )
            .bind(count)
            .execute(&store.pool)
            .await
            .unwrap();
            let store = upgraded(store, &path).await;
            let history = store.history(&user, None).await.unwrap().unwrap();
            assert_eq!(history.records.len() as i64, 1 + 2 * count);
            let is_named_by_content =
                |record: &Record| record.provenance().source_id.contains("+00:00 ~");
            assert!(history.records.iter().all(is_named_by_content));
            let indices: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'records_by_day'",
            )
            .fetch_one(&store.pool)
            .await
            .unwrap();
            assert_eq!(indices, 1);
        });
    }
}
