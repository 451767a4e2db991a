//! Records: their versions, pages of them, deletion and restoring.

use super::SqliteStore;
use super::generation::{Change, Part};
use crate::content::{content, identity, record};
use crate::error::StoreError;
use crate::rows;
use crate::store::{Deletion, RecordFilter, WriteReport};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, Transaction};
use std::collections::HashMap;
use std::ops::RangeInclusive;
use vitalcast_domain::{MetricType, Record, RecordKind, UserId};

/// Number of rows per INSERT. A prepared one takes about 1 kB a row, and each connection keeps that of this
/// number and that of one row.
const ROWS_PER_INSERT: usize = 100;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// What a source says now: an earlier value that comes again is a correction.
    Records,
    /// Versions of an export: one that is stored already is left as it is.
    Versions,
}

/// The current version of a record in the database.
struct Current {
    version: i64,
    known_at: i64,
    record: Record,
    is_deleted: bool,
    /// Earlier versions: when each became known, and its content.
    earlier: Vec<(i64, Record)>,
}

impl Current {
    /// Whether a record is one of the earlier versions, which an export of all versions holds.
    fn was(&self, record: &Record, known_at: i64) -> bool {
        self.earlier
            .iter()
            .any(|(then, earlier)| *then == known_at && record.says_the_same(earlier))
    }
}

/// Refuses a batch with an implausible record.
fn validate(records: &[Record]) -> Result<(), StoreError> {
    for (index, record) in records.iter().enumerate() {
        record
            .validate()
            .map_err(|source| StoreError::InvalidRecord { index, source })?;
    }
    Ok(())
}

/// A page cursor: day, time and identity of the last record.
fn place_of(text: &str) -> Result<(String, i64, String), StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::BadPlace)
}

/// A version of a record to write.
pub(super) struct NewVersion {
    pub(super) identity: String,
    pub(super) version: i64,
    pub(super) known_at: i64,
    pub(super) content: String,
    pub(super) record: Record,
}

/// What becomes of a version that is stored already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnConflict {
    /// There is none.
    Refuse,
    /// It is placed anew.
    Place,
}

/// The conditions of a filter on the current versions; [`bound`] gives the values.
const FILTER: &str = "kind = ?2 AND day BETWEEN ?3 AND ?4 \
     AND (?5 IS NULL OR json_extract(identity, '$[2]') = ?5) \
     AND (?6 IS NULL OR json_extract(identity, '$[3]') = ?6) \
     AND (?7 IS NULL OR metric = ?7)";

impl SqliteStore {
    /// The current version of each identity, deleted ones included.
    async fn current_versions(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        identities: &[String],
    ) -> Result<HashMap<String, Current>, StoreError> {
        let list = serde_json::to_string(identities).expect("text is always JSON");
        // CROSS JOIN looks each identity up in the primary key. Left to itself, SQLite may read all of
        // a person's records instead, and a long import takes the square of its length.
        let rows = sqlx::query(
            "SELECT r.identity, r.version, r.known_at, r.content, r.deleted_at \
             FROM json_each(?1) j \
             CROSS JOIN records r ON r.user_id = ?2 AND r.identity = j.value \
             ORDER BY r.version",
        )
        .bind(list)
        .bind(user.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut current: HashMap<String, Current> = HashMap::new();
        // In the order of their versions.
        for row in &rows {
            let known_at: i64 = rows::get("records", row, "known_at")?;
            let instant = rows::instant("records", known_at)?;
            let deleted_at: Option<i64> = rows::get("records", row, "deleted_at")?;
            let identity: String = rows::get("records", row, "identity")?;
            let mut earlier = Vec::new();
            if let Some(before) = current.remove(&identity) {
                earlier = before.earlier;
                earlier.push((before.known_at, before.record));
            }
            let version = Current {
                version: rows::get("records", row, "version")?,
                known_at,
                record: record(rows::get::<&str>("records", row, "content")?, instant)?,
                is_deleted: deleted_at.is_some(),
                earlier,
            };
            current.insert(identity, version);
        }
        Ok(current)
    }

    /// Writes batches, each of one person, in one transaction.
    pub(super) async fn write_all(
        &self,
        batches: &[(&UserId, &[Record])],
        writing: Writing,
        now: DateTime<Utc>,
    ) -> Result<Vec<WriteReport>, StoreError> {
        for (_, records) in batches {
            validate(records)?;
        }
        let mut transaction = self.begin().await?;
        let mut reports = Vec::with_capacity(batches.len());
        for (user, records) in batches {
            reports.push(
                self.write_within(&mut transaction, user, records, writing, now)
                    .await?,
            );
        }
        self.commit(transaction).await?;
        Ok(reports)
    }

    /// Writes checked records in a transaction, each on its day by the person's profile.
    async fn write_within(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        records: &[Record],
        writing: Writing,
        now: DateTime<Utc>,
    ) -> Result<WriteReport, StoreError> {
        let identities: Vec<String> = records.iter().map(identity).collect();
        let profile = self.person(transaction, user).await?;
        let mut current = self
            .current_versions(transaction, user, &identities)
            .await?;
        let mut report = WriteReport::default();
        let mut versions: Vec<NewVersion> = Vec::new();
        let mut change = Change::new("write");
        let mut has_changed = false;
        for (record, identity) in records.iter().zip(identities) {
            let record = record.clone().placed(&profile);
            let told = record.provenance().known_at.timestamp_micros();
            let (version, known_at) = match current.get(&identity) {
                None => {
                    report.added += 1;
                    (1, told)
                }
                Some(current) => {
                    if current.is_deleted {
                        report.deleted += 1;
                        continue;
                    }
                    if writing == Writing::Versions && current.was(&record, told) {
                        report.unchanged += 1;
                        continue;
                    }
                    let updated_at = |record: &Record| record.provenance().told.updated_at;
                    let (kept, new) = (updated_at(&current.record), updated_at(&record));
                    if let (Some(kept), Some(new)) = (kept, new)
                        && new < kept
                    {
                        report.outdated += 1;
                        continue;
                    }
                    if record.says_the_same(&current.record) {
                        report.unchanged += 1;
                        // A still older export must not pass for newer than this one.
                        if new > kept {
                            self.update_content(transaction, user, &identity, current, &record)
                                .await?;
                            // Of two readings of one time, the one that was changed last counts.
                            change.add(identity.as_bytes());
                            change.add(content(&record).as_bytes());
                            has_changed = true;
                        }
                        continue;
                    }
                    report.corrected += 1;
                    // A correction is known when its source says so, if that is later than what it
                    // corrects; otherwise from now on.
                    let known_at = if told > current.known_at {
                        told
                    } else {
                        now.timestamp_micros().max(current.known_at + 1)
                    };
                    (current.version + 1, known_at)
                }
            };
            let content = content(&record);
            let mut earlier = Vec::new();
            if let Some(before) = current.remove(&identity) {
                earlier = before.earlier;
                earlier.push((before.known_at, before.record));
            }
            current.insert(
                identity.clone(),
                Current {
                    version,
                    known_at,
                    record: record.clone(),
                    is_deleted: false,
                    earlier,
                },
            );
            versions.push(NewVersion {
                identity,
                version,
                known_at,
                content,
                record,
            });
        }
        self.insert_versions(transaction, user, &versions, OnConflict::Refuse)
            .await?;
        if has_changed || !versions.is_empty() {
            for version in &versions {
                change.add(version.identity.as_bytes());
                change.add(&version.known_at.to_le_bytes());
                change.add(version.content.as_bytes());
            }
            self.changed(transaction, user.as_str(), Part::Data, &change)
                .await?;
        }
        Ok(report)
    }

    /// Inserts versions of records of a person.
    pub(super) async fn insert_versions(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        versions: &[NewVersion],
        on_conflict: OnConflict,
    ) -> Result<(), StoreError> {
        for chunk in versions.chunks(ROWS_PER_INSERT) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO records (user_id, identity, version, kind, metric, day, observed_at, \
                 known_at, content) ",
            );
            insert.push_values(chunk, |mut row, version| {
                let provenance = version.record.provenance();
                let metric = match &version.record {
                    Record::HealthMetric(reading) => Some(reading.metric.as_str()),
                    Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => None,
                };
                row.push_bind(user.as_str())
                    .push_bind(&version.identity)
                    .push_bind(version.version)
                    .push_bind(version.record.kind().as_str())
                    .push_bind(metric)
                    .push_bind(provenance.day.to_string())
                    .push_bind(provenance.observed_at.timestamp_micros())
                    .push_bind(version.known_at)
                    .push_bind(&version.content);
            });
            match on_conflict {
                OnConflict::Refuse => {}
                OnConflict::Place => {
                    insert.push(
                        " ON CONFLICT (user_id, identity, version) DO UPDATE SET \
                         day = excluded.day, observed_at = excluded.observed_at, \
                         known_at = excluded.known_at, content = excluded.content",
                    );
                }
            }
            // Each number of rows is a statement of its own: kept, they would fill the memory.
            let is_usual = matches!(chunk.len(), 1 | ROWS_PER_INSERT);
            insert
                .build()
                .persistent(is_usual)
                .execute(&mut **transaction)
                .await
                .map_err(|error| self.failed(error))?;
        }
        Ok(())
    }

    /// Replaces the content of a version by one that says the same.
    async fn update_content(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        identity: &str,
        current: &Current,
        record: &Record,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE records SET content = ?4 \
             WHERE user_id = ?1 AND identity = ?2 AND version = ?3",
        )
        .bind(user.as_str())
        .bind(identity)
        .bind(current.version)
        .bind(content(record))
        .execute(&mut **transaction)
        .await
        .map_err(|error| self.failed(error))?;
        Ok(())
    }

    /// All versions of all records.
    pub(super) async fn all_versions(&self, user: &UserId) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT known_at, content FROM records WHERE user_id = ?1 AND deleted_at IS NULL \
             ORDER BY day, observed_at, identity, version",
        )
        .bind(user.as_str())
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        rows.iter()
            .map(|row| {
                let known_at = rows::instant("records", rows::get("records", row, "known_at")?)?;
                record(rows::get::<&str>("records", row, "content")?, known_at)
            })
            .collect()
    }

    /// All versions of the records that have a version on these days.
    ///
    /// The query returns one text with one record per line: passing rows between threads one by one
    /// would take a quarter of the time of a forecast. The JSON text has no line breaks.
    pub(super) async fn versions_of_days(
        &self,
        user: &UserId,
        days: &RangeInclusive<NaiveDate>,
    ) -> Result<Vec<Record>, StoreError> {
        // A correction may have moved a record to another day: whoever sees one version must see
        // what replaced it, so all versions come of what has any on the days asked for.
        let row = sqlx::query(
            "SELECT group_concat(line, char(10)) AS lines FROM (\
             SELECT known_at || ' ' || content AS line FROM records \
             WHERE user_id = ?1 AND deleted_at IS NULL \
               AND identity IN (SELECT identity FROM records \
                    WHERE user_id = ?1 AND day BETWEEN ?2 AND ?3) \
             ORDER BY day, observed_at, identity, version)",
        )
        .bind(user.as_str())
        .bind(days.start().to_string())
        .bind(days.end().to_string())
        .fetch_one(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let lines: Option<&str> = rows::get("records", &row, "lines")?;
        let bad = || StoreError::BadRow {
            table: "records",
            what: "a version has no time and content".to_owned(),
        };
        lines
            .unwrap_or_default()
            .lines()
            .map(|line| {
                let (known_at, content) = line.split_once(' ').ok_or_else(bad)?;
                let known_at = known_at.parse().map_err(|_| bad())?;
                record(content, rows::instant("records", known_at)?)
            })
            .collect()
    }

    pub(super) async fn page(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Record>, Option<String>), StoreError> {
        let place = after.map(place_of).transpose()?;
        let (day, observed_at, identity) = place.unwrap_or_default();
        let statement = format!(
            "WITH current AS (SELECT identity, kind, metric, day, observed_at, known_at, content, \
                                     max(version) \
                              FROM records WHERE user_id = ?1 AND kind = ?2 \
                                AND (deleted_at IS NOT NULL) = ?8 GROUP BY identity) \
             SELECT * FROM current WHERE {FILTER} \
               AND (day, observed_at, identity) > (?9, ?10, ?11) \
             ORDER BY day, observed_at, identity LIMIT ?12"
        );
        let rows = bound(sqlx::query(AssertSqlSafe(statement)), user, filter)
            .bind(filter.deleted)
            .bind(day)
            .bind(observed_at)
            .bind(identity)
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let records = rows
            .iter()
            .map(|row| {
                let known_at = rows::instant("records", rows::get("records", row, "known_at")?)?;
                record(rows::get::<&str>("records", row, "content")?, known_at)
            })
            .collect::<Result<_, _>>()?;
        let last = rows.last().filter(|_| rows.len() == limit as usize);
        let next = last
            .map(|row| -> Result<String, StoreError> {
                Ok(serde_json::json!([
                    rows::get::<String>("records", row, "day")?,
                    rows::get::<i64>("records", row, "observed_at")?,
                    rows::get::<String>("records", row, "identity")?,
                ])
                .to_string())
            })
            .transpose()?;
        Ok((records, next))
    }

    pub(super) async fn delete(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        deletion: Deletion,
    ) -> Result<u64, StoreError> {
        let selected = format!(
            "user_id = ?1 AND deleted_at IS NULL AND identity IN (\
               SELECT identity FROM (SELECT identity, kind, metric, day, max(version) FROM records \
                                     WHERE user_id = ?1 AND kind = ?2 AND deleted_at IS NULL \
                                     GROUP BY identity) \
               WHERE {FILTER}) RETURNING identity, version"
        );
        let (statement, at) = match deletion {
            Deletion::Permanent => (format!("DELETE FROM records WHERE {selected}"), None),
            Deletion::Restorable { at } => (
                format!("UPDATE records SET deleted_at = ?8 WHERE {selected}"),
                Some(at.timestamp_micros()),
            ),
        };
        let mut transaction = self.begin().await?;
        let query = bound(sqlx::query(AssertSqlSafe(statement)), user, filter);
        let query = match at {
            Some(at) => query.bind(at),
            None => query,
        };
        let gone = query
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        let count = self
            .note_change(&mut transaction, user, filter, "delete", &gone)
            .await?;
        self.commit(transaction).await?;
        Ok(count)
    }

    pub(super) async fn restore(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> Result<u64, StoreError> {
        let statement = format!(
            "UPDATE records SET deleted_at = NULL \
             WHERE user_id = ?1 AND deleted_at IS NOT NULL AND identity IN (\
               SELECT identity FROM (SELECT identity, kind, metric, day, max(version) FROM records \
                                     WHERE user_id = ?1 AND kind = ?2 AND deleted_at IS NOT NULL \
                                     GROUP BY identity) \
               WHERE {FILTER}) RETURNING identity, version"
        );
        let mut transaction = self.begin().await?;
        let back = bound(sqlx::query(AssertSqlSafe(statement)), user, filter)
            .fetch_all(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        let count = self
            .note_change(&mut transaction, user, filter, "restore", &back)
            .await?;
        self.commit(transaction).await?;
        Ok(count)
    }

    /// Records that versions were deleted or restored; returns the number of their records.
    async fn note_change(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        filter: &RecordFilter,
        what: &str,
        versions: &[SqliteRow],
    ) -> Result<u64, StoreError> {
        let mut count = 0;
        let mut change = Change::new(what);
        for row in versions {
            change.add(rows::get::<&str>("records", row, "identity")?.as_bytes());
            count += u64::from(rows::get::<i64>("records", row, "version")? == 1);
        }
        if filter.kind == RecordKind::HealthMetric {
            sqlx::query(
                "UPDATE forecasts SET actual = NULL, settled_at = NULL \
                 WHERE user_id = ?1 AND target_date BETWEEN ?2 AND ?3",
            )
            .bind(user.as_str())
            .bind(filter.days.start().to_string())
            .bind(filter.days.end().to_string())
            .execute(&mut **transaction)
            .await
            .map_err(|error| self.failed(error))?;
        }
        if !versions.is_empty() {
            self.changed(transaction, user.as_str(), Part::Data, &change)
                .await?;
        }
        Ok(count)
    }
}

type SqliteQuery<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Binds the person (`?1`) and the conditions of [`FILTER`] (`?2` to `?7`).
fn bound<'q>(
    query: SqliteQuery<'q>,
    user: &'q UserId,
    filter: &'q RecordFilter,
) -> SqliteQuery<'q> {
    query
        .bind(user.as_str())
        .bind(filter.kind.as_str())
        .bind(filter.days.start().to_string())
        .bind(filter.days.end().to_string())
        .bind(filter.source.as_deref())
        .bind(filter.source_id.as_deref())
        .bind(filter.metric.map(MetricType::as_str))
}
