//! The configuration: defaults, then a file, then the environment, then the command line.

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use vitalcast::{CacheOptions, JobOptions};

/// Environment variables begin so; `__` goes one level deeper, as in
/// `VITALCAST_SERVER_LIMITS__RATE_PER_SECOND`.
const PREFIX: &str = "VITALCAST_SERVER_";

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the database and the models.
    pub data_dir: PathBuf,
    /// Where requests are answered.
    pub listen: SocketAddr,
    /// Where metrics and the keys' own API are answered; empty turns both off.
    #[serde(with = "maybe_address")]
    pub admin_listen: Option<SocketAddr>,
    /// A word for `/`, such as `production` or `staging`.
    pub environment: String,
    /// What is logged.
    pub log: Log,
    /// What is kept ready.
    pub cache: Cache,
    /// What a request may take.
    pub limits: Limits,
    /// Trainings and imports.
    pub jobs: Jobs,
    /// Tokens of an issuer, beside API keys.
    pub auth: Auth,
    /// A certificate, to answer over TLS.
    pub tls: Tls,
    /// Pages of these origins may call, such as `https://app.example`.
    pub cors_origins: Vec<String>,
    /// Longest wait for requests under way when stopping, seconds.
    pub shutdown_seconds: u64,
}

/// What is logged, to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// `json`, or `text` for people.
    pub format: String,
}

/// What is kept ready.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Bytes of forecasts and features.
    pub answer_bytes: u64,
    /// Bytes of models.
    pub model_bytes: u64,
    /// Longest life of a forecast.
    pub prediction_seconds: i64,
    /// Longest life of features.
    pub feature_seconds: i64,
    /// Redis to share them with other processes, as `redis://host:6379/0`, or `rediss://…` over TLS.
    pub redis_url: Option<String>,
    /// A file that holds that address, for one with a password.
    pub redis_url_file: Option<PathBuf>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        formatter.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// What a request may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Largest body.
    pub body_bytes: u64,
    /// Largest body of records.
    pub ingest_bytes: u64,
    /// Largest file to import.
    pub upload_bytes: u64,
    /// Longest time for the headers to arrive.
    pub header_seconds: u64,
    /// Longest time for a body to arrive.
    pub body_seconds: u64,
    /// Longest time for a file to arrive.
    pub upload_seconds: u64,
    /// Longest time for an answer to be made, trainings that are waited for excepted.
    pub request_seconds: u64,
    /// Longest time a reader may take nothing of its answer.
    pub stall_seconds: u64,
    /// Requests that compute at once; 0 is twice the number of processors.
    pub computing: usize,
    /// Requests that may wait for that.
    pub waiting: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests a second of one key; 0 is without limit.
    pub rate_per_second: u32,
    /// Requests of one key at once, after a pause.
    pub rate_burst: u32,
}

/// Trainings and imports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Jobs that run at once.
    pub parallel: usize,
    /// Threads of one training; 0 is the number of processors.
    pub threads_per_job: usize,
    /// Jobs that may wait.
    pub max_waiting: usize,
    /// Jobs of one person that may wait.
    pub max_waiting_per_user: usize,
    /// Longest training, by its estimate.
    pub max_estimated_seconds: f64,
    /// Longest training, by the clock.
    pub max_seconds: f64,
}

/// Who may come in beside the holders of API keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Tokens of one issuer.
    pub jwt: Option<JwtConfig>,
}

/// Tokens of one issuer: `sub` is the person, `scope` or `scp` what the token may do. Its public keys
/// come from one of the three places.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfig {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `aud`.
    pub audience: String,
    /// `RS256`, `ES256` or `EdDSA`.
    pub algorithm: String,
    /// The issuer's public key, in PEM form.
    pub public_key_file: Option<PathBuf>,
    /// The issuer's public keys as a key set (JWKS, RFC 7517).
    pub jwks_file: Option<PathBuf>,
    /// The address of the key set: https, or http on this machine.
    pub jwks_url: Option<String>,
}

/// A certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate with its chain, in PEM form.
    pub certificate_file: Option<PathBuf>,
    /// Its private key, in PEM form.
    pub key_file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let kept = CacheOptions::default();
        let jobs = JobOptions::default();
        Self {
            data_dir: directories::ProjectDirs::from("", "", "vitalcast").map_or_else(
                || PathBuf::from("vitalcast-data"),
                |dirs| dirs.data_dir().to_owned(),
            ),
            listen: SocketAddr::from(([127, 0, 0, 1], 8001)),
            admin_listen: Some(SocketAddr::from(([127, 0, 0, 1], 8002))),
            environment: "production".to_owned(),
            log: Log {
                level: "info".to_owned(),
                format: "json".to_owned(),
            },
            cache: Cache {
                answer_bytes: kept.answer_bytes,
                model_bytes: kept.model_bytes,
                prediction_seconds: kept.forecast_life.num_seconds(),
                feature_seconds: kept.feature_life.num_seconds(),
                redis_url: None,
                redis_url_file: None,
            },
            limits: Limits {
                body_bytes: 1 << 20,
                ingest_bytes: 16 << 20,
                upload_bytes: 512 << 20,
                header_seconds: 10,
                body_seconds: 30,
                upload_seconds: 600,
                request_seconds: 30,
                stall_seconds: 30,
                computing: 0,
                waiting: 128,
                connections: 20_000,
                rate_per_second: 100,
                rate_burst: 200,
            },
            jobs: Jobs {
                parallel: jobs.parallel,
                threads_per_job: 0,
                max_waiting: jobs.max_waiting,
                max_waiting_per_user: jobs.max_waiting_per_user,
                max_estimated_seconds: jobs.max_estimated_seconds,
                max_seconds: jobs.max_seconds,
            },
            auth: Auth::default(),
            tls: Tls::default(),
            cors_origins: Vec::new(),
            shutdown_seconds: 30,
        }
    }
}

/// What the command line sets.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Overrides {
    /// `--data-dir`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// `--listen`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// `--admin-listen`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_listen: Option<String>,
}

impl Config {
    /// Reads and checks the configuration.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, a setting that is unknown or does not fit, with its name.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                bail!("the configuration file {} does not exist", file.display());
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            // The name of the file itself is no setting.
            .merge(Env::prefixed(PREFIX).ignore(&["config_file"]).split("__"))
            .merge(Serialized::defaults(overrides))
            .extract()
            .context("the configuration is not valid")?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        if self.log.level.parse::<tracing::Level>().is_err() {
            bail!(
                "log.level is {:?}, expected error, warn, info, debug or trace",
                self.log.level
            );
        }
        if !matches!(self.log.format.as_str(), "json" | "text") {
            bail!("log.format is {:?}, expected json or text", self.log.format);
        }
        if self.tls.certificate_file.is_some() != self.tls.key_file.is_some() {
            bail!("tls has only one of certificate_file and key_file, expected both");
        }
        if self.cache.redis_url.is_some() && self.cache.redis_url_file.is_some() {
            bail!("cache has redis_url and redis_url_file, expected only one of them");
        }
        for (name, value) in [
            ("cache.prediction_seconds", self.cache.prediction_seconds),
            ("cache.feature_seconds", self.cache.feature_seconds),
        ] {
            if !(0..=86_400).contains(&value) {
                bail!("{name} is {value}, expected 0 to 86400");
            }
        }
        for (name, value) in [
            ("limits.header_seconds", self.limits.header_seconds),
            ("limits.body_seconds", self.limits.body_seconds),
            ("limits.upload_seconds", self.limits.upload_seconds),
            ("limits.request_seconds", self.limits.request_seconds),
            ("limits.stall_seconds", self.limits.stall_seconds),
        ] {
            if !(1..=86_400).contains(&value) {
                bail!("{name} is {value}, expected 1 to 86400");
            }
        }
        for origin in &self.cors_origins {
            if !is_origin(origin) {
                bail!(
                    "cors_origins contains {origin:?}, expected an origin such as \
                     https://app.example"
                );
            }
        }
        for (name, value) in [
            ("jobs.parallel", self.jobs.parallel as u64),
            ("jobs.max_waiting", self.jobs.max_waiting as u64),
            (
                "jobs.max_waiting_per_user",
                self.jobs.max_waiting_per_user as u64,
            ),
            ("limits.connections", self.limits.connections as u64),
            ("limits.body_bytes", self.limits.body_bytes),
            ("limits.ingest_bytes", self.limits.ingest_bytes),
            ("limits.upload_bytes", self.limits.upload_bytes),
        ] {
            if value == 0 {
                bail!("{name} is 0, expected at least 1");
            }
        }
        for (name, value) in [
            ("jobs.max_seconds", self.jobs.max_seconds),
            (
                "jobs.max_estimated_seconds",
                self.jobs.max_estimated_seconds,
            ),
        ] {
            if !value.is_finite() || value <= 0.0 {
                bail!("{name} is {value}, expected a number of seconds above 0");
            }
        }
        if self.admin_listen == Some(self.listen) && self.listen.port() != 0 {
            bail!(
                "listen and admin_listen are both {}, expected different addresses",
                self.listen
            );
        }
        if self.data_dir.as_os_str().is_empty() {
            bail!("data_dir is empty, expected a folder");
        }
        Ok(())
    }

    /// The address of Redis, if one is set.
    ///
    /// # Errors
    ///
    /// A file that cannot be read.
    pub fn redis_url(&self) -> anyhow::Result<Option<String>> {
        match (&self.cache.redis_url, &self.cache.redis_url_file) {
            (Some(url), _) => Ok(Some(url.clone())),
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file)
                    .with_context(|| format!("reading cache.redis_url_file {}", file.display()))?;
                Ok(Some(text.trim().to_owned()))
            }
            (None, None) => Ok(None),
        }
    }

    /// The configuration as TOML-like JSON for people to look at, without secrets.
    pub fn redacted(&self) -> serde_json::Value {
        let mut shown = serde_json::to_value(self).unwrap_or_default();
        if let Some(url) = shown.pointer_mut("/cache/redis_url")
            && !url.is_null()
        {
            *url = "<redacted>".into();
        }
        shown
    }
}

/// Whether a text is what browsers send as the origin of a page: scheme, host and perhaps a port.
fn is_origin(text: &str) -> bool {
    let host = text
        .split_once("://")
        .filter(|(scheme, _)| matches!(*scheme, "http" | "https"));
    host.is_some_and(|(_, authority)| {
        !authority.contains('@')
            && authority
                .parse::<axum::http::uri::Authority>()
                .is_ok_and(|parsed| parsed.as_str() == authority)
    })
}

/// An address, or nothing as an empty text.
mod maybe_address {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::net::SocketAddr;

    // serde asks for exactly this.
    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
    pub(super) fn serialize<S: Serializer>(
        address: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_str(""),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is not an address, expected for example 127.0.0.1:8002"
            ))
        })
    }
}
