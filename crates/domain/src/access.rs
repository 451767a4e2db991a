//! Access: the scopes of a key, and the public information about a key.

use crate::id::{KeyId, UserId};
use crate::metric::word_enum;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// A permission of a key for the data of its people.
    Scope, "scope" {
        /// Read data, features, models and forecasts.
        Read = "read",
        /// Write and delete records and profiles.
        Ingest = "ingest",
        /// Train, activate and delete models.
        Train = "train",
        /// Export and erase all data of a person.
        Erase = "erase",
        /// Create and revoke keys, and all other permissions for all people.
        Admin = "admin",
    }
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyInfo {
    /// Id of the key: its public part.
    pub key_id: KeyId,
    /// Name of the key, given by its owner.
    pub name: String,
    /// Ids of the people whose data the key gives access to; null for all people.
    pub users: Option<Vec<UserId>>,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time of creation.
    pub created_at: DateTime<Utc>,
    /// Time when the key expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Time of revocation.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl KeyInfo {
    /// Whether the key is valid at a given time.
    pub fn is_valid_at(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}
