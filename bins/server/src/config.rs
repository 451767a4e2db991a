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

/// The configuration of the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of the database and the models.
    pub data_dir: PathBuf,
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of the admin API (metrics and keys); empty turns it off.
    #[serde(with = "maybe_address")]
    pub admin_listen: Option<SocketAddr>,
    /// Name of the environment in the response of `/`, for example `production` or `staging`.
    pub environment: String,
    /// Settings of the log.
    pub log: Log,
    /// Settings of the caches.
    pub cache: Cache,
    /// Limits for requests.
    pub limits: Limits,
    /// Settings of jobs: trainings and imports.
    pub jobs: Jobs,
    /// Settings of tokens, in addition to API keys.
    pub auth: Auth,
    /// Certificate for TLS.
    pub tls: Tls,
    /// Allowed origins of web pages (CORS), for example `https://app.example`.
    pub cors_origins: Vec<String>,
    /// Maximum time to finish requests in progress on shutdown, seconds.
    pub shutdown_seconds: u64,
}

/// Settings of the log on standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// `json`, or `text` for people.
    pub format: String,
}

/// Settings of the caches.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    /// Maximum bytes of cached forecasts and features.
    pub answer_bytes: u64,
    /// Maximum bytes of people's days, from which forecasts are computed.
    pub day_bytes: u64,
    /// Maximum bytes of loaded models.
    pub model_bytes: u64,
    /// Maximum lifetime of a cached forecast, seconds.
    pub prediction_seconds: i64,
    /// Maximum lifetime of cached features, seconds.
    pub feature_seconds: i64,
    /// URL of a Redis cache shared with other processes: `redis://host:6379/0`, or `rediss://…` over TLS.
    pub redis_url: Option<String>,
    /// A file with this URL, for a URL with a password.
    pub redis_url_file: Option<PathBuf>,
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        formatter.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// Limits for requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Maximum size of a body, bytes.
    pub body_bytes: u64,
    /// Maximum size of a body of records, bytes.
    pub ingest_bytes: u64,
    /// Maximum size of an uploaded file, bytes.
    pub upload_bytes: u64,
    /// Timeout for the headers of a request, seconds.
    pub header_seconds: u64,
    /// Timeout for a body, seconds.
    pub body_seconds: u64,
    /// Timeout for an uploaded file, seconds.
    pub upload_seconds: u64,
    /// Timeout for computing a response, seconds; not for requests that wait for a training.
    pub request_seconds: u64,
    /// Timeout for a client that stops reading its response, seconds.
    pub stall_seconds: u64,
    /// Maximum number of requests that compute at the same time; 0 means four times the number of processors.
    pub computing: usize,
    /// Maximum number of requests that wait for computation.
    pub waiting: usize,
    /// Maximum number of connections.
    pub connections: usize,
    /// Maximum number of requests per second and key; 0 means no limit.
    pub rate_per_second: u32,
    /// Maximum burst of requests per key after a pause.
    pub rate_burst: u32,
}

/// Settings of jobs: trainings and imports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Maximum number of jobs that run at the same time.
    pub parallel: usize,
    /// Number of threads per training; 0 means the number of processors.
    pub threads_per_job: usize,
    /// Maximum number of waiting jobs.
    pub max_waiting: usize,
    /// Maximum number of waiting jobs per person.
    pub max_waiting_per_user: usize,
    /// Maximum estimated run time of a training, seconds.
    pub max_estimated_seconds: f64,
    /// Maximum run time of a training, seconds.
    pub max_seconds: f64,
    /// Hours that an unfinished upload is kept after its last part.
    pub upload_hours: u32,
}

impl Jobs {
    /// Threads of a job: as many as there are processors if the setting is 0.
    pub(crate) fn threads(&self) -> usize {
        match self.threads_per_job {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            count => count,
        }
    }
}

/// Authentication in addition to API keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Tokens of one issuer.
    pub jwt: Option<JwtConfig>,
}

/// Tokens of one issuer: `sub` is the person, `scope` or `scp` are the scopes. Its public keys come
/// from exactly one of the three settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfig {
    /// Expected value of the claim `iss`.
    pub issuer: String,
    /// Expected value of the claim `aud`.
    pub audience: String,
    /// `RS256`, `ES256` or `EdDSA`.
    pub algorithm: String,
    /// The issuer's public key, in PEM form.
    pub public_key_file: Option<PathBuf>,
    /// The issuer's public keys as a key set (JWKS, RFC 7517).
    pub jwks_file: Option<PathBuf>,
    /// URL of the key set: https, or http on this machine.
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
                day_bytes: kept.day_bytes,
                model_bytes: kept.model_bytes,
                prediction_seconds: kept.forecast_life.num_seconds(),
                feature_seconds: kept.feature_life.num_seconds(),
                redis_url: None,
                redis_url_file: None,
            },
            limits: Limits {
                body_bytes: 1 << 20,
                ingest_bytes: 16 << 20,
                upload_bytes: 4 << 30,
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
                upload_hours: 24,
            },
            auth: Auth::default(),
            tls: Tls::default(),
            cors_origins: Vec::new(),
            shutdown_seconds: 30,
        }
    }
}

/// Settings from the command line.
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
    /// A file that cannot be read, or a setting that is unknown or invalid, with its name.
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
            ("jobs.upload_hours", u64::from(self.jobs.upload_hours)),
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

    /// The URL of Redis, if it is set.
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

/// Whether a text is an origin as browsers send it: scheme, host and optional port.
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
