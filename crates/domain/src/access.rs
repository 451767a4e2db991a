//! Who may do what: scopes of a key, and what is told of a key.

use crate::id::{KeyId, UserId};
use crate::metric::word_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What a key may do with the data of its people.
    Scope, "scope" {
        /// See data, features, models and forecasts.
        Read = "read",
        /// Write and delete records and profiles.
        Ingest = "ingest",
        /// Train, choose and delete models.
        Train = "train",
        /// Take everything out, and erase it.
        Erase = "erase",
        /// Make and revoke keys, and everything else for everyone.
        Admin = "admin",
    }
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyInfo {
    /// Its public part.
    pub key_id: KeyId,
    /// What it is for, in its owner's words.
    pub name: String,
    /// Whose data it opens; null is everyone's.
    pub users: Option<Vec<UserId>>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working by itself.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyInfo {
    /// Whether it opens anything at a moment.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
