//! The public keys of an issuer, and reading them again while the service runs.

use super::KeysTrouble;
use super::pem::public_key;
use crate::config::JwtConfig;
use anyhow::{Context, bail, ensure};
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use reqwest::{Client, Url, redirect};
use serde::Deserialize;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Tokens that no key fits make keys be read again, but not more often than this: anyone can send
/// such tokens, and the issuer should not have to answer them all.
const TOKENS_REFRESH_EVERY: Duration = Duration::from_secs(5);
/// How long keys from an address are used before they are asked for again.
const ADDRESS_EVERY: Duration = Duration::from_mins(5);
/// How long keys from a file are used before it is read again.
const FILE_EVERY: Duration = Duration::from_secs(10);
/// How long to wait after a failure.
const RETRY_EVERY: Duration = Duration::from_secs(10);
/// Longest wait for the issuer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest key set, and most keys of one, that are read.
const MAX_BYTES: usize = 1 << 20;
const MAX_KEYS: usize = 100;

/// The source of the keys.
#[derive(Debug)]
pub(super) enum Source {
    /// One key in PEM form.
    Pem(PathBuf),
    /// A key set (RFC 7517) in a file.
    File(PathBuf),
    /// A key set at an address.
    Address(Client, Url),
}

/// A key, and the name it has in its set.
struct Key {
    kid: Option<String>,
    key: Arc<DecodingKey>,
}

#[derive(Default)]
struct State {
    keys: Vec<Key>,
    /// Whether keys could ever be read.
    were_read: bool,
    /// Whether the last try failed.
    is_failing: bool,
}

/// The keys of the issuer, as last read.
pub(super) struct IssuerKeys {
    source: Source,
    algorithm: Algorithm,
    state: RwLock<State>,
    /// When they were last read, or it was tried; held while it is.
    tried: Mutex<Option<Instant>>,
}

impl Source {
    pub(super) fn of(config: &JwtConfig) -> anyhow::Result<Self> {
        match (&config.public_key_file, &config.jwks_file, &config.jwks_url) {
            (Some(file), None, None) => Ok(Self::Pem(file.clone())),
            (None, Some(file), None) => Ok(Self::File(file.clone())),
            (None, None, Some(text)) => {
                let url = checked(text)?;
                let mut client = Client::builder()
                    .timeout(PATIENCE)
                    .redirect(redirect::Policy::none());
                if url.scheme() == "http" {
                    // On this machine: no proxy is nearer.
                    client = client.no_proxy();
                }
                Ok(Self::Address(client.build()?, url))
            }
            _ => bail!("auth.jwt needs exactly one of public_key_file, jwks_file and jwks_url"),
        }
    }

    /// The setting that names it, for messages.
    fn named(&self) -> String {
        match self {
            Self::Pem(file) => format!("auth.jwt.public_key_file {}", file.display()),
            Self::File(file) => format!("auth.jwt.jwks_file {}", file.display()),
            Self::Address(_, url) => format!("auth.jwt.jwks_url {url}"),
        }
    }

    async fn read(&self, algorithm: Algorithm) -> anyhow::Result<Vec<Key>> {
        match self {
            Self::Pem(file) | Self::File(file) => {
                let bytes = tokio::fs::read(file).await?;
                self.keys_of(&bytes, algorithm)
            }
            Self::Address(client, url) => {
                let bytes = fetch(client, url.clone()).await?;
                self.keys_of(&bytes, algorithm)
            }
        }
    }

    fn keys_of(&self, bytes: &[u8], algorithm: Algorithm) -> anyhow::Result<Vec<Key>> {
        match self {
            Self::Pem(_) => Ok(vec![pem_key(bytes, algorithm)?]),
            Self::File(_) | Self::Address(..) => set_keys(bytes, algorithm),
        }
    }
}

/// An address that nobody on the way can answer for: https, or this machine.
fn checked(text: &str) -> anyhow::Result<Url> {
    let expected = "expected https://…, or http:// to this machine, without a name and password";
    let Ok(url) = text.parse::<Url>() else {
        bail!("auth.jwt.jwks_url is not a valid URL: {expected}");
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let is_here = host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_here;
    let has_secret = !url.username().is_empty() || url.password().is_some();
    ensure!(
        is_safe && !has_secret,
        "auth.jwt.jwks_url cannot be used: {expected}"
    );
    Ok(url)
}

async fn fetch(client: &Client, url: Url) -> anyhow::Result<Vec<u8>> {
    // Errors of the client name the address, which the caller does already.
    let mut response = client
        .get(url)
        .send()
        .await
        .map_err(reqwest::Error::without_url)?;
    ensure!(
        response.status() == reqwest::StatusCode::OK,
        "the response status is {}",
        response.status()
    );
    let mut bytes = Vec::new();
    while let Some(more) = response
        .chunk()
        .await
        .map_err(reqwest::Error::without_url)?
    {
        ensure!(
            bytes.len() + more.len() <= MAX_BYTES,
            "the response is larger than {MAX_BYTES} bytes"
        );
        bytes.extend_from_slice(&more);
    }
    Ok(bytes)
}

fn pem_key(pem: &[u8], algorithm: Algorithm) -> anyhow::Result<Key> {
    let key = public_key(pem, algorithm)
        .with_context(|| format!("expected a public key for {algorithm:?} in PEM format"))?;
    Ok(Key {
        kid: None,
        key: Arc::new(key),
    })
}

/// The keys of a set that are for the algorithm. Others, of kinds nobody knows or for other uses, are
/// passed over.
fn set_keys(bytes: &[u8], algorithm: Algorithm) -> anyhow::Result<Vec<Key>> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<Value>,
    }
    let set: KeySet = serde_json::from_slice(bytes)
        .map_err(|_| anyhow::anyhow!("not a key set (RFC 7517): expected {{\"keys\": […]}}"))?;
    ensure!(
        set.keys.len() <= MAX_KEYS,
        "it contains {} keys, expected at most {MAX_KEYS}",
        set.keys.len()
    );
    let keys = set.keys.into_iter().filter_map(|value| {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        if !is_for(&jwk, algorithm) {
            return None;
        }
        Some(Key {
            key: Arc::new(DecodingKey::from_jwk(&jwk).ok()?),
            kid: jwk.common.key_id,
        })
    });
    Ok(keys.collect())
}

/// Whether a key checks signatures of the algorithm: by its kind and curve, and by what it says of
/// itself. A shared secret is never a public key.
fn is_for(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let (kind_fits, own) = match (algorithm, &jwk.algorithm) {
        (Algorithm::RS256, AlgorithmParameters::RSA(_)) => (true, KeyAlgorithm::RS256),
        (Algorithm::ES256, AlgorithmParameters::EllipticCurve(key)) => {
            (key.curve == EllipticCurve::P256, KeyAlgorithm::ES256)
        }
        (Algorithm::EdDSA, AlgorithmParameters::OctetKeyPair(key)) => {
            (key.curve == EllipticCurve::Ed25519, KeyAlgorithm::EdDSA)
        }
        _ => return false,
    };
    let common = &jwk.common;
    kind_fits
        && common.key_algorithm.is_none_or(|named| named == own)
        && matches!(common.public_key_use, None | Some(PublicKeyUse::Signature))
        && common
            .key_operations
            .as_ref()
            .is_none_or(|uses| uses.contains(&KeyOperations::Verify))
}

impl IssuerKeys {
    /// Reads a file at once, so that one that cannot be used is found at the start. An issuer that
    /// cannot be reached keeps no service from starting.
    pub(super) fn open(source: Source, algorithm: Algorithm) -> anyhow::Result<Self> {
        let mut state = State::default();
        if let Source::Pem(file) | Source::File(file) = &source {
            state.keys = read_at_start(&source, file, algorithm)
                .with_context(|| format!("reading {}", source.named()))?;
            state.were_read = true;
        }
        Ok(Self {
            source,
            algorithm,
            state: RwLock::new(state),
            tried: Mutex::new(None),
        })
    }

    /// The keys that may have signed a token: those of its name and those without one. A token
    /// without a name may be of any.
    pub(super) fn fitting(&self, kid: Option<&str>) -> Vec<Arc<DecodingKey>> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let fits = |key: &&Key| match (kid, &key.kid) {
            (Some(asked), Some(own)) => asked == own,
            (None, _) | (_, None) => true,
        };
        let keys = state.keys.iter().filter(fits);
        keys.map(|key| Arc::clone(&key.key)).collect()
    }

    /// Whether keys could ever be read.
    pub(super) fn were_read(&self) -> bool {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.were_read
    }

    pub(super) fn trouble(&self) -> Option<KeysTrouble> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        match (state.is_failing, state.were_read) {
            (false, _) => None,
            (true, true) => Some(KeysTrouble::Stale),
            (true, false) => Some(KeysTrouble::Missing),
        }
    }

    /// How long to wait before they are read again.
    pub(super) fn refresh_every(&self) -> Duration {
        if self.trouble().is_some() {
            return RETRY_EVERY;
        }
        match self.source {
            Source::Pem(_) | Source::File(_) => FILE_EVERY,
            Source::Address(..) => ADDRESS_EVERY,
        }
    }

    /// Reads the keys again for a token that none fits, if that was not done just now.
    pub(super) async fn refresh_for_a_token(&self) {
        // Whoever comes while somebody reads waits for what is read.
        let mut tried = self.tried.lock().await;
        if tried.is_none_or(|last| last.elapsed() >= TOKENS_REFRESH_EVERY) {
            self.read(&mut tried).await;
        }
    }

    /// Reads the keys again.
    pub(super) async fn refresh(&self) {
        let mut tried = self.tried.lock().await;
        self.read(&mut tried).await;
    }

    async fn read(&self, tried: &mut Option<Instant>) {
        *tried = Some(Instant::now());
        let read = self.source.read(self.algorithm).await;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        match read {
            Ok(keys) => {
                if state.is_failing {
                    tracing::info!("the keys of the token issuer can be read again");
                }
                *state = State {
                    keys,
                    were_read: true,
                    is_failing: false,
                };
            }
            Err(error) => {
                state.is_failing = true;
                let reason = format!("{error:#}");
                tracing::warn!(
                    source = self.source.named(),
                    reason,
                    "cannot update the keys of the token issuer: the previous keys stay in use"
                );
            }
        }
    }
}

fn read_at_start(source: &Source, file: &Path, algorithm: Algorithm) -> anyhow::Result<Vec<Key>> {
    let keys = source.keys_of(&std::fs::read(file)?, algorithm)?;
    ensure!(
        !keys.is_empty(),
        "it contains no public key for {algorithm:?}"
    );
    Ok(keys)
}
