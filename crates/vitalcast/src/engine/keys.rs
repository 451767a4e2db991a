//! API keys: shown once, stored as keyed hashes.

use super::Engine;
use crate::error::EngineError;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use moka::sync::Cache as Memory;
use std::path::Path;
use std::sync::PoisonError;
use vitalcast_domain::{KeyId, KeyInfo, Scope, UserId};
use vitalcast_store::{ChangeMark, Keys};

/// Prefix of all keys, so that a leaked key can be recognised.
const MARK: &str = "vc_";
/// The file with the secret for the keyed hashes; without it, a stolen database gives no access.
const SECRET_FILE: &str = "access.secret";
/// Maximum number of keys in the cache.
const REMEMBERED_KEYS: u64 = 10_000;
/// Maximum length of a key name, in characters.
const MAX_NAME: usize = 100;

/// Random bytes for a new key: 6 for its id, 32 for its secret, and 32 for the secret of the data
/// folder, which are used only for the first key.
pub type KeyRandomness = [u8; 70];

/// A request to create a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// Name of the key.
    pub name: String,
    /// Ids of the people whose data the key gives access to; default: all people.
    pub users: Option<Vec<UserId>>,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time when the key expires.
    pub expires_at: Option<DateTime<Utc>>,
}

pub(super) struct Access {
    secret: [u8; 32],
    seen: Memory<String, (ChangeMark, Option<KeyInfo>)>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Access")
    }
}

impl Access {
    fn of(secret: [u8; 32]) -> Self {
        Self {
            secret,
            seen: Memory::builder().max_capacity(REMEMBERED_KEYS).build(),
        }
    }

    fn hash(&self, token: &str) -> String {
        blake3::keyed_hash(&self.secret, token.as_bytes())
            .to_hex()
            .to_string()
    }
}

impl Engine {
    /// Creates a key from random bytes, and returns it with its secret, which is shown only once.
    ///
    /// # Errors
    ///
    /// [`EngineError::InvalidSetting`] for a key without a name, scope or person, or with an expiry in
    /// the past; [`EngineError::Store`], [`EngineError::Io`].
    pub fn create_key(
        &self,
        key: NewKey,
        random: &KeyRandomness,
        now: DateTime<Utc>,
    ) -> Result<(KeyInfo, String), EngineError> {
        let name = key.name.trim();
        let refuse = |what: &str| Err(EngineError::InvalidSetting(what.to_owned()));
        if name.is_empty() || name.chars().count() > MAX_NAME || name.contains(char::is_control) {
            return refuse("a key needs a name of 1 to 100 characters");
        }
        if key.scopes.is_empty() {
            return refuse("a key needs at least one scope: read, ingest, train, erase or admin");
        }
        if key.users.as_ref().is_some_and(Vec::is_empty) {
            return refuse("a key needs at least one person, or must be for all people");
        }
        if key.users.is_some() && key.scopes.contains(&Scope::Admin) {
            return refuse("a key with the scope admin is for all people: do not name people");
        }
        if key.expires_at.is_some_and(|end| end <= now) {
            return refuse("a key must expire in the future");
        }
        let (id, secrets) = random.split_at(6);
        let (secret, of_folder) = secrets.split_at(32);
        let key_id = KeyId::from_random(id.try_into().expect("six bytes"));
        let token = format!("{MARK}{key_id}_{}", URL_SAFE_NO_PAD.encode(secret));
        let mut scopes = key.scopes;
        scopes.sort_unstable();
        scopes.dedup();
        let info = KeyInfo {
            key_id,
            name: name.to_owned(),
            users: key.users.map(|mut users| {
                users.sort_unstable();
                users.dedup();
                users
            }),
            scopes,
            created_at: now,
            expires_at: key.expires_at,
            revoked_at: None,
        };
        let hash = self.access(Some(of_folder))?.hash(&token);
        self.wait(self.store.add_key(&info, &hash))?;
        Ok((info, token))
    }

    /// All keys, oldest first, including revoked ones.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn keys(&self) -> Result<Vec<KeyInfo>, EngineError> {
        Ok(self.wait(self.store.keys())?)
    }

    /// Whether a key was ever created here, including revoked ones.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn has_keys(&self) -> Result<bool, EngineError> {
        if let Some(known) = self.has_keys_at_once() {
            return Ok(known);
        }
        let mark = self.store.change_mark();
        let has_keys = !self.wait(self.store.keys())?.is_empty();
        *self
            .keys_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = mark.map(|mark| (mark, has_keys));
        Ok(has_keys)
    }

    /// Whether a key was ever created here, if it is known without a database query.
    pub fn has_keys_at_once(&self) -> Option<bool> {
        let mark = self.store.change_mark()?;
        let seen = *self
            .keys_seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        seen.filter(|(at, _)| *at == mark)
            .map(|(_, has_keys)| has_keys)
    }

    /// Revokes a key; it stops working immediately.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownKey`], [`EngineError::Store`].
    pub fn revoke_key(&self, id: &KeyId, now: DateTime<Utc>) -> Result<KeyInfo, EngineError> {
        self.wait(self.store.revoke_key(id, now))?
            .ok_or_else(|| EngineError::UnknownKey(id.clone()))
    }

    /// The key of a token, if it is known without a database query.
    #[allow(
        clippy::option_option,
        reason = "not known, and known to be none, are two things"
    )]
    pub fn key_at_once(&self, token: &str, now: DateTime<Utc>) -> Option<Option<KeyInfo>> {
        let mark = self.store.change_mark()?;
        let access = self.access.get()?;
        let (seen, key) = access.seen.get(&access.hash(token))?;
        (seen == mark).then(|| key.filter(|key| key.is_valid_at(now)))
    }

    /// The key of a token; `None` for an unknown, expired or revoked key.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`], [`EngineError::Io`].
    pub fn key_of(&self, token: &str, now: DateTime<Utc>) -> Result<Option<KeyInfo>, EngineError> {
        if !token.starts_with(MARK) {
            return Ok(None);
        }
        if let Some(known) = self.key_at_once(token, now) {
            return Ok(known);
        }
        let Ok(access) = self.access(None) else {
            return Ok(None);
        };
        let hash = access.hash(token);
        let mark = self.store.change_mark();
        let key = self.wait(self.store.key_by_hash(&hash))?;
        // Only what is there is remembered: guesses must not push keys out.
        if let (Some(mark), Some(_)) = (mark, &key) {
            access.seen.insert(hash, (mark, key.clone()));
        }
        Ok(key.filter(|key| key.is_valid_at(now)))
    }

    /// The secret of this data folder; it is created from `random` with the first key.
    fn access(&self, random: Option<&[u8]>) -> Result<&Access, EngineError> {
        if let Some(access) = self.access.get() {
            return Ok(access);
        }
        let path = self.folder.join(SECRET_FILE);
        let secret = match (std::fs::read(&path), random) {
            (Ok(bytes), _) => bytes,
            (Err(error), Some(random)) if error.kind() == std::io::ErrorKind::NotFound => {
                make_secret(&path, random)?
            }
            (Err(source), _) => {
                return Err(EngineError::Io {
                    doing: "read the secret of the API keys,",
                    path,
                    source,
                });
            }
        };
        let secret: [u8; 32] = secret.try_into().map_err(|_| EngineError::Io {
            doing: "use the secret of the API keys,",
            path,
            source: std::io::ErrorKind::InvalidData.into(),
        })?;
        Ok(self.access.get_or_init(|| Access::of(secret)))
    }
}

/// Writes a new secret, unless another process was faster, and returns the stored secret.
fn make_secret(path: &Path, random: &[u8]) -> Result<Vec<u8>, EngineError> {
    let failed = |source| EngineError::Io {
        doing: "write the secret of the API keys,",
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".access-")
        .tempfile_in(folder)
        .map_err(failed)?;
    std::io::Write::write_all(&mut file, random).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(random.to_vec()),
        Err(_) => std::fs::read(path).map_err(failed),
    }
}
