//! The store in one SQLite file.

mod erasure;
mod forecasts;
mod generation;
mod jobs;
mod keys;
mod mark;
mod models;
mod open;

pub use mark::ChangeMark;

use crate::content::{content, identity, record};
use crate::error::StoreError;
use crate::rows;
use crate::store::{
    ErasedUser, Generation, NewForecast, NewModel, RecordFilter, RegisteredModel, Store,
    StoredForecast, UserSummary, WriteReport,
};
use chrono::{DateTime, NaiveDate, Utc};
use generation::{Change, Part};
use sqlx::sqlite::SqlitePool;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use vitalcast_domain::{
    History, ModelArchitecture, ModelId, PredictionMetric, Profile, Record, RecordKind, UserId,
};

/// Number of rows per INSERT; with 9 values each, this is below the limit of 32,766 parameters of SQLite.
const ROWS_PER_INSERT: usize = 1_000;
/// Free bytes below which a disk counts as full: a request's records may need as much.
const LEAST_ROOM: u64 = 1 << 20;

/// A store in one SQLite file, in write-ahead mode with full synchronisation.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
    marks: Arc<mark::MarkReader>,
    /// Whether the last write succeeded.
    disk_takes: Arc<AtomicBool>,
}

impl SqliteStore {
    fn failed(&self, error: sqlx::Error) -> StoreError {
        let error = StoreError::of(&self.path, error);
        if error.is_of_the_disk() {
            self.disk_takes.store(false, Ordering::Relaxed);
        }
        error
    }

    /// Checks that the database can be written: the disk has at least one mebibyte left, and the last
    /// write succeeded. If the last write failed, this tries a small one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Full`], [`StoreError::ReadOnly`], [`StoreError::Io`], [`StoreError::Busy`].
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        if room_beside(&self.path).is_some_and(|room| room < LEAST_ROOM) {
            return Err(StoreError::Full {
                path: self.path.clone(),
            });
        }
        if self.disk_takes.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        // Changes no value and is written all the same.
        sqlx::query("UPDATE erasures SET count = count")
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        self.commit(transaction).await
    }

    /// A mark of the database state. Two equal marks mean that no process has written in between;
    /// `None` means that a query is needed. Takes a few microseconds.
    pub fn change_mark(&self) -> Option<ChangeMark> {
        self.marks.read()
    }

    /// A transaction with a write lock from its start, so that two writers wait for each other instead
    /// of failing later.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.pool
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(|error| self.failed(error))
    }

    async fn commit(&self, transaction: Transaction<'static, Sqlite>) -> Result<(), StoreError> {
        transaction
            .commit()
            .await
            .map_err(|error| self.failed(error))?;
        self.disk_takes.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The current version of each identity: number, time when it became known, content.
    async fn current_versions(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        identities: &[String],
    ) -> Result<HashMap<String, (i64, i64, String)>, StoreError> {
        let list = serde_json::to_string(identities).expect("text is always JSON");
        // CROSS JOIN looks each identity up in the primary key. Left to itself, SQLite may read all of
        // a person's records instead, and a long import takes the square of its length.
        let rows = sqlx::query(
            "SELECT r.identity, r.version, r.known_at, r.content \
             FROM json_each(?1) j \
             CROSS JOIN records r ON r.user_id = ?2 AND r.identity = j.value \
             ORDER BY r.version",
        )
        .bind(list)
        .bind(user.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(|error| self.failed(error))?;
        rows.iter()
            .map(|row| {
                Ok((
                    rows::get("records", row, "identity")?,
                    (
                        rows::get("records", row, "version")?,
                        rows::get("records", row, "known_at")?,
                        rows::get("records", row, "content")?,
                    ),
                ))
            })
            // In order of versions: the last one stays.
            .collect()
    }

    /// Writes checked records in a transaction.
    async fn write_within(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> Result<WriteReport, StoreError> {
        let identities: Vec<String> = records.iter().map(identity).collect();
        let profile =
            serde_json::to_string(&Profile::default()).expect("profiles hold plain values");
        sqlx::query(
            "INSERT INTO users (user_id, profile, incarnation) \
             VALUES (?1, ?2, (SELECT count FROM erasures)) ON CONFLICT DO NOTHING",
        )
        .bind(user.as_str())
        .bind(profile)
        .execute(&mut **transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut current = self
            .current_versions(transaction, user, &identities)
            .await?;
        let mut report = WriteReport::default();
        let mut versions: Vec<NewVersion<'_>> = Vec::new();
        for (record, identity) in records.iter().zip(identities) {
            let content = content(record);
            let told = record.provenance().known_at.timestamp_micros();
            let (version, known_at) = match current.get(&identity) {
                Some((.., kept)) if *kept == content => {
                    report.unchanged += 1;
                    continue;
                }
                Some((version, known_before, _)) => {
                    report.corrected += 1;
                    // A correction is known when its source says so, if that is later than what it
                    // corrects; otherwise from now on.
                    let known_at = if told > *known_before {
                        told
                    } else {
                        now.timestamp_micros().max(*known_before + 1)
                    };
                    (version + 1, known_at)
                }
                None => {
                    report.added += 1;
                    (1, told)
                }
            };
            current.insert(identity.clone(), (version, known_at, content.clone()));
            versions.push(NewVersion {
                identity,
                version,
                known_at,
                content,
                record,
            });
        }
        for chunk in versions.chunks(ROWS_PER_INSERT) {
            let mut insert = QueryBuilder::<Sqlite>::new(
                "INSERT INTO records (user_id, identity, version, kind, metric, day, observed_at, \
                 known_at, content) ",
            );
            insert.push_values(chunk, |mut row, version| {
                let provenance = version.record.provenance();
                let metric = match version.record {
                    Record::HealthMetric(reading) => Some(reading.metric.as_str()),
                    Record::Meal(_) | Record::Activity(_) => None,
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
            insert
                .build()
                .execute(&mut **transaction)
                .await
                .map_err(|error| self.failed(error))?;
        }
        if !versions.is_empty() {
            let mut change = Change::new("write");
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

    /// All versions of all records.
    async fn all_versions(&self, user: &UserId) -> Result<Vec<Record>, StoreError> {
        let rows = sqlx::query(
            "SELECT known_at, content FROM records WHERE user_id = ?1 \
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
    async fn versions_of_days(
        &self,
        user: &UserId,
        days: &RangeInclusive<NaiveDate>,
    ) -> Result<Vec<Record>, StoreError> {
        // A correction may have moved a record to another day: whoever sees one version must see
        // what replaced it, so all versions come of what has any on the days asked for.
        let row = sqlx::query(
            "SELECT group_concat(line, char(10)) AS lines FROM (\
             SELECT known_at || ' ' || content AS line FROM records WHERE user_id = ?1 \
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

    /// Overviews of the data of all people, or of one person.
    async fn summaries(&self, user: Option<&UserId>) -> Result<Vec<UserSummary>, StoreError> {
        let rows = sqlx::query(
            "WITH current AS (SELECT user_id, kind, day, max(version) FROM records \
                              WHERE ?1 IS NULL OR user_id = ?1 GROUP BY user_id, identity) \
             SELECT u.user_id, min(c.day) AS first_day, max(c.day) AS last_day, \
                    count(DISTINCT c.day) AS days, \
                    count(CASE c.kind WHEN 'meal' THEN 1 END) AS meals, \
                    count(CASE c.kind WHEN 'activity' THEN 1 END) AS activities, \
                    count(CASE c.kind WHEN 'health_metric' THEN 1 END) AS health_metrics \
             FROM users u LEFT JOIN current c ON c.user_id = u.user_id \
             WHERE ?1 IS NULL OR u.user_id = ?1 GROUP BY u.user_id ORDER BY u.user_id",
        )
        .bind(user.map(UserId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let metric_rows = sqlx::query(
            "WITH current AS (SELECT user_id, metric, day, content, max(version) FROM records \
                              WHERE metric IS NOT NULL AND (?1 IS NULL OR user_id = ?1) \
                              GROUP BY user_id, identity) \
             SELECT user_id, metric, count(DISTINCT day) AS days FROM current \
             WHERE NOT json_extract(content, '$.partial') GROUP BY user_id, metric",
        )
        .bind(user.map(UserId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let mut metrics: HashMap<String, BTreeMap<PredictionMetric, u64>> = HashMap::new();
        for row in &metric_rows {
            let metric: String = rows::get("records", row, "metric")?;
            if let Ok(metric) = metric.parse() {
                let days: i64 = rows::get("records", row, "days")?;
                metrics
                    .entry(rows::get("records", row, "user_id")?)
                    .or_default()
                    .insert(metric, days.unsigned_abs());
            }
        }
        rows.iter()
            .map(|row| {
                let day = |column: &str| -> Result<Option<NaiveDate>, StoreError> {
                    let text: Option<String> = rows::get("records", row, column)?;
                    Ok(text.and_then(|text| text.parse().ok()))
                };
                let count = |column: &str| -> Result<u64, StoreError> {
                    Ok(rows::get::<i64>("records", row, column)?.unsigned_abs())
                };
                let user_id: UserId = rows::parsed("users", row, "user_id")?;
                Ok(UserSummary {
                    first_day: day("first_day")?,
                    last_day: day("last_day")?,
                    days: count("days")?,
                    meals: count("meals")?,
                    activities: count("activities")?,
                    health_metrics: count("health_metrics")?,
                    metrics: metrics.remove(user_id.as_str()).unwrap_or_default(),
                    user_id,
                })
            })
            .collect()
    }
}

/// Free bytes on the disk of a file; `None` if the system does not tell.
fn room_beside(file: &Path) -> Option<u64> {
    #[cfg(unix)]
    {
        let disk = rustix::fs::statvfs(file).ok()?;
        Some(disk.f_bavail.saturating_mul(disk.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        None
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

/// A new version of a record.
struct NewVersion<'a> {
    identity: String,
    version: i64,
    known_at: i64,
    content: String,
    record: &'a Record,
}

impl Store for SqliteStore {
    async fn profile(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        let row = sqlx::query("SELECT profile FROM users WHERE user_id = ?1")
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        row.map(|row| {
            let text: String = rows::get("users", &row, "profile")?;
            serde_json::from_str(&text).map_err(|_| StoreError::BadRow {
                table: "users",
                what: "the profile is not valid".to_owned(),
            })
        })
        .transpose()
    }

    async fn set_profile(&self, user: &UserId, profile: &Profile) -> Result<(), StoreError> {
        let text = serde_json::to_string(profile).expect("profiles hold plain values");
        let mut transaction = self.begin().await?;
        let changed = sqlx::query(
            "INSERT INTO users (user_id, profile, incarnation) \
             VALUES (?1, ?2, (SELECT count FROM erasures)) ON CONFLICT (user_id) DO UPDATE \
             SET profile = excluded.profile WHERE profile <> excluded.profile",
        )
        .bind(user.as_str())
        .bind(&text)
        .execute(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        if changed.rows_affected() > 0 {
            let mut change = Change::new("profile");
            change.add(text.as_bytes());
            self.changed(&mut transaction, user.as_str(), Part::Data, &change)
                .await?;
        }
        self.commit(transaction).await
    }

    async fn users(&self) -> Result<Vec<UserSummary>, StoreError> {
        self.summaries(None).await
    }

    async fn write_records(
        &self,
        user: &UserId,
        records: &[Record],
        now: DateTime<Utc>,
    ) -> Result<WriteReport, StoreError> {
        validate(records)?;
        let mut transaction = self.begin().await?;
        let report = self
            .write_within(&mut transaction, user, records, now)
            .await?;
        self.commit(transaction).await?;
        Ok(report)
    }

    async fn write_batches(
        &self,
        batches: &[(UserId, Vec<Record>)],
        now: DateTime<Utc>,
    ) -> Result<Vec<WriteReport>, StoreError> {
        for (_, records) in batches {
            validate(records)?;
        }
        let mut transaction = self.begin().await?;
        let mut reports = Vec::with_capacity(batches.len());
        for (user, records) in batches {
            reports.push(
                self.write_within(&mut transaction, user, records, now)
                    .await?,
            );
        }
        self.commit(transaction).await?;
        Ok(reports)
    }

    async fn records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
        after: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<Record>, Option<String>), StoreError> {
        let place = after.map(place_of).transpose()?;
        let (day, observed_at, identity) = place.unwrap_or_default();
        let rows = sqlx::query(
            "WITH current AS (SELECT identity, day, observed_at, known_at, content, max(version) \
                              FROM records WHERE user_id = ?1 AND kind = ?2 GROUP BY identity) \
             SELECT * FROM current \
             WHERE day BETWEEN ?3 AND ?4 AND (day, observed_at, identity) > (?5, ?6, ?7) \
               AND (?8 IS NULL OR json_extract(identity, '$[2]') = ?8) \
               AND (?9 IS NULL OR json_extract(identity, '$[3]') = ?9) \
             ORDER BY day, observed_at, identity LIMIT ?10",
        )
        .bind(user.as_str())
        .bind(filter.kind.as_str())
        .bind(filter.days.start().to_string())
        .bind(filter.days.end().to_string())
        .bind(day)
        .bind(observed_at)
        .bind(identity)
        .bind(filter.source.as_deref())
        .bind(filter.source_id.as_deref())
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

    async fn delete_records(
        &self,
        user: &UserId,
        filter: &RecordFilter,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let gone = sqlx::query(
            "DELETE FROM records WHERE user_id = ?1 AND identity IN (\
               SELECT identity FROM (SELECT identity, day, max(version) FROM records \
                                     WHERE user_id = ?1 AND kind = ?2 GROUP BY identity) \
               WHERE day BETWEEN ?3 AND ?4 \
                 AND (?5 IS NULL OR json_extract(identity, '$[2]') = ?5) \
                 AND (?6 IS NULL OR json_extract(identity, '$[3]') = ?6)) \
             RETURNING identity, version",
        )
        .bind(user.as_str())
        .bind(filter.kind.as_str())
        .bind(filter.days.start().to_string())
        .bind(filter.days.end().to_string())
        .bind(filter.source.as_deref())
        .bind(filter.source_id.as_deref())
        .fetch_all(&mut *transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut count = 0;
        let mut change = Change::new("delete");
        for row in &gone {
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
            .execute(&mut *transaction)
            .await
            .map_err(|error| self.failed(error))?;
        }
        if !gone.is_empty() {
            self.changed(&mut transaction, user.as_str(), Part::Data, &change)
                .await?;
        }
        self.commit(transaction).await?;
        Ok(count)
    }

    async fn user(&self, user: &UserId) -> Result<Option<UserSummary>, StoreError> {
        Ok(self.summaries(Some(user)).await?.pop())
    }

    async fn count_users(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM users")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let count: i64 = row.try_get(0).map_err(|error| self.failed(error))?;
        Ok(count.unsigned_abs())
    }

    async fn history(
        &self,
        user: &UserId,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> Result<Option<History>, StoreError> {
        let Some(profile) = self.profile(user).await? else {
            return Ok(None);
        };
        let mut history = History::new(user.clone(), profile);
        history.records = match days {
            Some(days) => self.versions_of_days(user, &days).await?,
            None => self.all_versions(user).await?,
        };
        Ok(Some(history))
    }

    async fn generation(&self, user: &UserId) -> Result<Option<Generation>, StoreError> {
        self.generation_of(user).await
    }

    async fn erase_user(&self, user: &UserId) -> Result<ErasedUser, StoreError> {
        self.erase(user).await
    }

    async fn finish_erasure(&self, user: &UserId) -> Result<bool, StoreError> {
        self.finish(user).await
    }

    async fn pending_erasures(&self) -> Result<Vec<UserId>, StoreError> {
        self.pending().await
    }

    async fn register_model(&self, model: NewModel) -> Result<RegisteredModel, StoreError> {
        self.register(model).await
    }

    async fn models(
        &self,
        user: Option<&UserId>,
        metric: Option<PredictionMetric>,
    ) -> Result<Vec<RegisteredModel>, StoreError> {
        self.models_where(user, metric, None).await
    }

    async fn model(&self, id: &ModelId) -> Result<Option<RegisteredModel>, StoreError> {
        Ok(self.models_where(None, None, Some(id)).await?.pop())
    }

    async fn active_model(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        architecture: Option<ModelArchitecture>,
        version: Option<i64>,
    ) -> Result<Option<RegisteredModel>, StoreError> {
        let any = architecture.is_none() && version.is_none();
        Ok(self
            .models_where(Some(user), Some(metric), None)
            .await?
            .into_iter()
            .filter(|model| {
                architecture.is_none_or(|wanted| model.architecture == wanted)
                    && version.is_none_or(|wanted| model.version == wanted)
                    && (!any || model.is_active)
            })
            .max_by_key(|model| (model.is_active, model.version)))
    }

    async fn activate(&self, id: &ModelId) -> Result<(), StoreError> {
        self.make_active(id).await
    }

    async fn delete_model(&self, id: &ModelId) -> Result<(), StoreError> {
        self.remove_model(id).await
    }

    async fn save_forecast(&self, forecast: &NewForecast) -> Result<(), StoreError> {
        self.save_one(forecast).await
    }

    async fn save_forecasts(&self, forecasts: &[NewForecast]) -> Result<(), StoreError> {
        self.save_many(forecasts).await
    }

    async fn fill_outcomes(
        &self,
        outcomes: &[(i64, Option<f64>, DateTime<Utc>)],
    ) -> Result<(), StoreError> {
        self.settle(outcomes).await
    }

    async fn forecasts(
        &self,
        user: &UserId,
        metric: PredictionMetric,
        days: Option<RangeInclusive<NaiveDate>>,
    ) -> Result<Vec<StoredForecast>, StoreError> {
        self.forecasts_where(user, metric, days).await
    }
}
