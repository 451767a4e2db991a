//! Places a person's records anew, when the profile has other zones.
//!
//! The records are read and placed before the write lock is taken, and then written by the thousand:
//! other writers wait only for that. If the data changed in between, they are placed again under the lock.

use super::SqliteStore;
use super::people::profile_in;
use super::records::{NewVersion, OnConflict};
use crate::content::{content, record};
use crate::error::StoreError;
use crate::rows;
use sqlx::{Sqlite, Transaction};
use std::collections::HashSet;
use vitalcast_domain::{Profile, UserId};

/// The state of a person's data: incarnation and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(i64, i64);

/// The versions of records that have another place by another profile.
pub(super) struct Placing {
    /// The data that they were read from; `None` for an unknown person.
    state: Option<State>,
    versions: Vec<NewVersion>,
    /// Number of records with another day.
    moved: u64,
}

impl Placing {
    /// Number of records with another day.
    pub(super) fn moved(&self) -> u64 {
        self.moved
    }
}

impl SqliteStore {
    /// Places the records by another profile, without holding up other writers.
    pub(super) async fn placing_before_writing(
        &self,
        user: &UserId,
        profile: &Profile,
    ) -> Result<Placing, StoreError> {
        // One transaction, so that profile, state and records are of one moment.
        let mut reading = self
            .pool
            .begin()
            .await
            .map_err(|error| self.failed(error))?;
        let placing = self.placing(&mut reading, user, profile).await?;
        reading
            .rollback()
            .await
            .map_err(|error| self.failed(error))?;
        Ok(placing)
    }

    /// Places the records by another profile.
    pub(super) async fn placing(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
        profile: &Profile,
    ) -> Result<Placing, StoreError> {
        let mut placing = Placing {
            state: None,
            versions: Vec::new(),
            moved: 0,
        };
        let Some((state, before)) = self.state_of(transaction, user).await? else {
            return Ok(placing);
        };
        placing.state = Some(state);
        if profile.has_the_days_of(&before) {
            return Ok(placing);
        }
        let rows = sqlx::query(
            "SELECT identity, version, known_at, content FROM records WHERE user_id = ?1",
        )
        .bind(user.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(|error| self.failed(error))?;
        let mut moved: HashSet<&str> = HashSet::new();
        for row in &rows {
            let known_at: i64 = rows::get("records", row, "known_at")?;
            let instant = rows::instant("records", known_at)?;
            let old = record(rows::get::<&str>("records", row, "content")?, instant)?;
            let was = old.clone().placed(&before);
            let is = old.clone().placed(profile);
            let (then, now) = (was.provenance(), is.provenance());
            if *now == *old.provenance() {
                continue;
            }
            // A correction keeps the moment from which it is known; what follows from the time of the
            // record moves with it.
            let known_at = if then.known_at.timestamp_micros() == known_at {
                now.known_at.timestamp_micros()
            } else {
                known_at
            };
            let identity: &str = rows::get("records", row, "identity")?;
            if now.day != old.provenance().day {
                moved.insert(identity);
            }
            placing.versions.push(NewVersion {
                identity: identity.to_owned(),
                version: rows::get("records", row, "version")?,
                known_at,
                content: content(&is),
                record: is,
            });
        }
        placing.moved = moved.len() as u64;
        Ok(placing)
    }

    /// Whether a person's data are still those that were placed.
    pub(super) async fn still_holds(
        &self,
        placing: &Placing,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
    ) -> Result<bool, StoreError> {
        let now = self.state_of(transaction, user).await?;
        Ok(now.map(|(state, _)| state) == placing.state)
    }

    /// Writes the new places.
    pub(super) async fn place(
        &self,
        placing: &Placing,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
    ) -> Result<(), StoreError> {
        self.insert_versions(transaction, user, &placing.versions, OnConflict::Place)
            .await
    }

    async fn state_of(
        &self,
        transaction: &mut Transaction<'static, Sqlite>,
        user: &UserId,
    ) -> Result<Option<(State, Profile)>, StoreError> {
        let row =
            sqlx::query("SELECT profile, incarnation, data_version FROM users WHERE user_id = ?1")
                .bind(user.as_str())
                .fetch_optional(&mut **transaction)
                .await
                .map_err(|error| self.failed(error))?;
        row.map(|row| {
            let state = State(
                rows::get("users", &row, "incarnation")?,
                rows::get("users", &row, "data_version")?,
            );
            let profile = profile_in(rows::get("users", &row, "profile")?)?;
            Ok((state, profile))
        })
        .transpose()
    }
}
