//! People: their profile and the overviews of their data.

use super::SqliteStore;
use super::generation::{Change, Part};
use crate::error::StoreError;
use crate::rows;
use crate::store::UserSummary;
use chrono::NaiveDate;
use sqlx::{AssertSqlSafe, Row, Sqlite, Transaction};
use std::collections::{BTreeMap, HashMap};
use vitalcast_domain::{PredictionMetric, Profile, SHORTEST_NIGHT_HOURS, UserId};

impl SqliteStore {
    pub(super) async fn profile_of(&self, user: &UserId) -> Result<Option<Profile>, StoreError> {
        let row = sqlx::query("SELECT profile FROM users WHERE user_id = ?1")
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        row.map(|row| profile_in(rows::get("users", &row, "profile")?))
            .transpose()
    }

    /// Makes a person known, and returns their profile.
    pub(super) async fn person(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
    ) -> Result<Profile, StoreError> {
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
        let row = sqlx::query("SELECT profile FROM users WHERE user_id = ?1")
            .bind(user.as_str())
            .fetch_one(&mut **transaction)
            .await
            .map_err(|error| self.failed(error))?;
        profile_in(rows::get("users", &row, "profile")?)
    }

    /// Sets the profile. When it has other zones than before, the records are placed on their new days
    /// in the same transaction; returns how many were moved to another day.
    pub(super) async fn replace_profile(
        &self,
        user: &UserId,
        profile: &Profile,
    ) -> Result<u64, StoreError> {
        let text = serde_json::to_string(profile).expect("profiles hold plain values");
        let mut placing = self.placing_before_writing(user, profile).await?;
        let mut transaction = self.begin().await?;
        self.person(&mut transaction, user).await?;
        if !self.still_holds(&placing, &mut transaction, user).await? {
            placing = self.placing(&mut transaction, user, profile).await?;
        }
        let changed =
            sqlx::query("UPDATE users SET profile = ?2 WHERE user_id = ?1 AND profile <> ?2")
                .bind(user.as_str())
                .bind(&text)
                .execute(&mut *transaction)
                .await
                .map_err(|error| self.failed(error))?;
        self.place(&placing, &mut transaction, user).await?;
        if changed.rows_affected() > 0 {
            let mut change = Change::new("profile");
            change.add(text.as_bytes());
            self.changed(&mut transaction, user.as_str(), Part::Data, &change)
                .await?;
        }
        self.commit(transaction).await?;
        Ok(placing.moved())
    }

    pub(super) async fn number_of_people(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT count(*) FROM users")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| self.failed(error))?;
        let count: i64 = row.try_get(0).map_err(|error| self.failed(error))?;
        Ok(count.unsigned_abs())
    }

    /// The last day with a record in its current version; tags are none that a forecast reads. Days are looked at from the last one on, so it
    /// takes no longer with years of data.
    pub(super) async fn last_day_of(&self, user: &UserId) -> Result<Option<NaiveDate>, StoreError> {
        let row = sqlx::query(
            "SELECT day FROM records r WHERE user_id = ?1 AND deleted_at IS NULL AND kind <> 'tag' \
               AND NOT EXISTS (SELECT 1 FROM records n WHERE n.user_id = ?1 \
                 AND n.identity = r.identity AND n.version > r.version AND n.deleted_at IS NULL) \
             ORDER BY day DESC LIMIT 1",
        )
        .bind(user.as_str())
        .fetch_optional(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        row.map(|row| rows::parsed("records", &row, "day"))
            .transpose()
    }

    /// Overviews of the data of all people, or of one person.
    pub(super) async fn summaries(
        &self,
        user: Option<&UserId>,
    ) -> Result<Vec<UserSummary>, StoreError> {
        // One condition for both would make SQLite read everybody's records for one person.
        let (whose, whose_row) = match user {
            Some(_) => ("user_id = ?1", "u.user_id = ?1"),
            None => ("?1 IS NULL", "?1 IS NULL"),
        };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "WITH current AS (SELECT user_id, kind, day, max(version) FROM records \
                              WHERE deleted_at IS NULL AND {whose} \
                              GROUP BY user_id, identity) \
             SELECT u.user_id, min(CASE WHEN c.kind <> 'tag' THEN c.day END) AS first_day, \
                    max(CASE WHEN c.kind <> 'tag' THEN c.day END) AS last_day, \
                    count(DISTINCT CASE WHEN c.kind <> 'tag' THEN c.day END) AS days, \
                    count(CASE c.kind WHEN 'meal' THEN 1 END) AS meals, \
                    count(CASE c.kind WHEN 'activity' THEN 1 END) AS activities, \
                    count(CASE c.kind WHEN 'health_metric' THEN 1 END) AS health_metrics, \
                    count(CASE c.kind WHEN 'tag' THEN 1 END) AS tags \
             FROM users u LEFT JOIN current c ON c.user_id = u.user_id \
             WHERE {whose_row} GROUP BY u.user_id ORDER BY u.user_id",
        )))
        .bind(user.map(UserId::as_str))
        .fetch_all(&self.pool)
        .await
        .map_err(|error| self.failed(error))?;
        let metric_rows = sqlx::query(AssertSqlSafe(format!(
            "WITH current AS (SELECT user_id, metric, day, content, max(version) FROM records \
                              WHERE metric IS NOT NULL AND deleted_at IS NULL AND {whose} \
                              GROUP BY user_id, identity), \
             days AS (SELECT user_id, metric, day, \
                             sum(json_extract(content, '$.value')) AS total \
                      FROM current GROUP BY user_id, metric, day) \
             SELECT user_id, metric, count(*) AS days FROM days \
             WHERE total > 0 AND (metric <> 'SLEEP_DURATION' OR total >= ?2) \
             GROUP BY user_id, metric",
        )))
        .bind(user.map(UserId::as_str))
        .bind(SHORTEST_NIGHT_HOURS)
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
                    tags: count("tags")?,
                    metrics: metrics.remove(user_id.as_str()).unwrap_or_default(),
                    user_id,
                })
            })
            .collect()
    }
}

pub(super) fn profile_in(text: &str) -> Result<Profile, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::BadRow {
        table: "users",
        what: "the profile is not valid".to_owned(),
    })
}
