//! Tokens of an issuer that the operator trusts.

mod keys;
mod pem;

use crate::config::JwtConfig;
use anyhow::bail;
use chrono::{DateTime, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use keys::{IssuerKeys, Source};
use serde::Deserialize;
use std::time::Duration;
use vitalcast::{Scope, UserId};

/// Clocks may differ by this much, seconds.
const LEEWAY: f64 = 30.0;

/// Checks tokens: signature by the one configured algorithm, issuer, audience and times.
pub(crate) struct TokenVerifier {
    keys: IssuerKeys,
    algorithm: Algorithm,
    validation: Validation,
}

/// Reason why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The token is invalid.
    Untrusted,
    /// No key of the issuer has been read yet.
    NoKeys,
}

/// The state of the issuer's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeysTrouble {
    /// They cannot be updated; the previous keys stay in use.
    Stale,
    /// They have never been read.
    Missing,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds, with fractions where the issuer has them (RFC 7519, NumericDate).
    exp: f64,
    nbf: Option<f64>,
    scope: Option<Words>,
    /// The same at issuers such as Microsoft and Okta.
    scp: Option<Words>,
}

/// Words separated by blanks (RFC 8693), or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Words {
    Text(String),
    List(Vec<String>),
}

impl Words {
    fn each(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.split_ascii_whitespace().collect(),
            Self::List(words) => words.iter().map(String::as_str).collect(),
        }
    }
}

impl TokenVerifier {
    /// Reads the issuer's keys where they are in a file; those at an address are fetched with the
    /// first [`TokenVerifier::refresh`].
    ///
    /// # Errors
    ///
    /// A setting that does not fit, a file without a key for the algorithm.
    pub(crate) fn new(config: &JwtConfig) -> anyhow::Result<Self> {
        let algorithm = match config.algorithm.as_str() {
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            other => bail!("auth.jwt.algorithm is {other:?}: expected RS256, ES256 or EdDSA"),
        };
        // The algorithm is ours to say, never the token's.
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are checked against the clock that was passed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self {
            keys: IssuerKeys::open(Source::of(config)?, algorithm)?,
            algorithm,
            validation,
        })
    }

    /// Verifies a token and returns its person and scopes. If no key matches the token, the keys are
    /// read again, unless that was done in the last seconds.
    ///
    /// # Errors
    ///
    /// An invalid token, or no keys yet.
    pub(crate) async fn verify(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(UserId, Vec<Scope>), Refused> {
        let header = decode_header(token).map_err(|_| Refused::Untrusted)?;
        // Of extensions that must be understood we understand none (RFC 7515, 4.1.11).
        if header.alg != self.algorithm || header.crit.is_some() {
            return Err(Refused::Untrusted);
        }
        let kid = header.kid.as_deref();
        let claims = match self.claims(token, kid)? {
            Some(claims) => claims,
            None => {
                self.keys.refresh_for_a_token().await;
                if !self.keys.were_read() {
                    return Err(Refused::NoKeys);
                }
                self.claims(token, kid)?.ok_or(Refused::Untrusted)?
            }
        };
        let now = now.timestamp_micros() as f64 / 1e6;
        let begun = claims.nbf.is_none_or(|nbf| nbf - LEEWAY <= now);
        if !begun || now >= claims.exp + LEEWAY {
            return Err(Refused::Untrusted);
        }
        // A person's own token never administers.
        let scopes = [&claims.scope, &claims.scp]
            .into_iter()
            .flatten()
            .flat_map(Words::each)
            .filter_map(|word| word.parse().ok())
            .filter(|scope| *scope != Scope::Admin)
            .collect();
        let user = claims.sub.parse().map_err(|_| Refused::Untrusted)?;
        Ok((user, scopes))
    }

    /// What a token says, if one of the keys has signed it.
    fn claims(&self, token: &str, kid: Option<&str>) -> Result<Option<Claims>, Refused> {
        for key in &self.keys.fitting(kid) {
            match decode::<Claims>(token, key, &self.validation) {
                Ok(decoded) => return Ok(Some(decoded.claims)),
                // Perhaps another of the keys has.
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => {}
                Err(_) => return Err(Refused::Untrusted),
            }
        }
        Ok(None)
    }

    /// Reads the issuer's keys again. Where that fails, those there were stay.
    pub(crate) async fn refresh(&self) {
        self.keys.refresh().await;
    }

    /// How long keys are used before they are read again.
    pub(crate) fn refresh_every(&self) -> Duration {
        self.keys.refresh_every()
    }

    /// The state of the issuer's keys.
    pub(crate) fn trouble(&self) -> Option<KeysTrouble> {
        self.keys.trouble()
    }
}
