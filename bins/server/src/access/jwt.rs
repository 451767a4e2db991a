//! Tokens of an issuer that the operator trusts.

use crate::config::JwtConfig;
use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use vitalcast::{Scope, UserId};

/// Clocks may differ by this much, seconds.
const LEEWAY: f64 = 30.0;

/// Checks tokens: signature by the one configured algorithm, issuer, audience and times.
pub(crate) struct JwtVerifier {
    key: DecodingKey,
    validation: Validation,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds, with fractions where the issuer has them (RFC 7519, NumericDate).
    exp: f64,
    nbf: Option<f64>,
    /// Scopes, separated by blanks (RFC 8693).
    #[serde(default)]
    scope: String,
}

impl JwtVerifier {
    pub(crate) fn new(config: &JwtConfig) -> anyhow::Result<Self> {
        let pem = std::fs::read(&config.public_key_file).with_context(|| {
            format!(
                "reading auth.jwt.public_key_file {}",
                config.public_key_file.display()
            )
        })?;
        let (algorithm, key) = match config.algorithm.as_str() {
            "RS256" => (Algorithm::RS256, DecodingKey::from_rsa_pem(&pem)),
            "ES256" => (Algorithm::ES256, DecodingKey::from_ec_pem(&pem)),
            "EdDSA" => (Algorithm::EdDSA, DecodingKey::from_ed_pem(&pem)),
            other => bail!("auth.jwt.algorithm is {other:?}: RS256, ES256 or EdDSA would be right"),
        };
        let key = key.with_context(|| {
            format!(
                "{} holds no public key for {} in PEM form",
                config.public_key_file.display(),
                config.algorithm
            )
        })?;
        // The algorithm is ours to say, never the token's.
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&config.issuer]);
        validation.set_audience(&[&config.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Times are checked against the clock that was passed in.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Ok(Self { key, validation })
    }

    /// Whose token it is and what it may do; `None` for one that is not to be believed.
    pub(crate) fn verify(&self, token: &str, now: DateTime<Utc>) -> Option<(UserId, Vec<Scope>)> {
        let claims = decode::<Claims>(token, &self.key, &self.validation)
            .ok()?
            .claims;
        let now = now.timestamp_micros() as f64 / 1e6;
        let begun = claims.nbf.is_none_or(|nbf| nbf - LEEWAY <= now);
        if !begun || now >= claims.exp + LEEWAY {
            return None;
        }
        // A person's own token never administers.
        let scopes = claims
            .scope
            .split_ascii_whitespace()
            .filter_map(|word| word.parse().ok())
            .filter(|scope| *scope != Scope::Admin)
            .collect();
        Some((claims.sub.parse().ok()?, scopes))
    }
}
