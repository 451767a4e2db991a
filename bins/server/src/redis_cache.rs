//! A cache in Redis. Slow, gone, emptied or full of rubbish, it costs time and never an answer.

use redis::{Connection, ConnectionLike, RedisResult};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use vitalcast::SharedCache;

/// Longest wait for Redis in one call.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long it is left alone after a failure.
const PAUSE: Duration = Duration::from_secs(2);
/// Connections kept for the next call.
const IDLE_CONNECTIONS: usize = 8;
/// Keys looked at in one step of a search.
const STEP: u32 = 1_000;

/// Answers shared with other processes. It is tried when it is needed, and left alone for a while after
/// a failure.
pub(crate) struct RedisCache {
    client: redis::Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: Vec<Connection>,
    left_alone_until: Option<Instant>,
}

impl std::fmt::Debug for RedisCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The address may hold a password.
        formatter.write_str("RedisCache")
    }
}

impl RedisCache {
    /// A cache at an address such as `redis://127.0.0.1:6379/0`, or `rediss://…` over TLS, with the
    /// certificates that the system trusts or those of the file named by `SSL_CERT_FILE`. Nobody is
    /// asked yet.
    ///
    /// Installs aws-lc as rustls' provider of this process, unless one is installed.
    pub(crate) fn new(address: &str) -> anyhow::Result<Self> {
        // The address may hold a password, so the client's own words are left out.
        let client = redis::Client::open(address).map_err(|_| {
            anyhow::anyhow!(
                "the Redis URL is not valid, expected redis://host:6379/0 or rediss://host:6379/0"
            )
        })?;
        // The client takes the provider of the process and panics without one. Whoever has installed
        // one already keeps it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        Ok(Self {
            client,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        connection.set_write_timeout(Some(PATIENCE))?;
        Ok(connection)
    }

    /// Asks Redis something; `None` when it does not answer, or is being left alone.
    fn ask<T>(&self, question: impl Fn(&mut Connection) -> RedisResult<T>) -> Option<T> {
        let idle = {
            let mut state = self.state();
            if state
                .left_alone_until
                .is_some_and(|until| Instant::now() < until)
            {
                return None;
            }
            state.idle.pop()
        };
        // A connection that has been idle may be dead though Redis is well: then a new one decides.
        let had_one = idle.is_some();
        let first = match idle {
            Some(connection) => Ok(connection),
            None => self.connect(),
        };
        let mut answered = first.and_then(|mut connection| {
            question(&mut connection).map(|answer| (answer, connection))
        });
        let timed_out = answered.as_ref().is_err_and(redis::RedisError::is_timeout);
        if answered.is_err() && had_one && !timed_out {
            answered = self.connect().and_then(|mut connection| {
                question(&mut connection).map(|answer| (answer, connection))
            });
        }
        let mut state = self.state();
        match answered {
            Ok((answer, connection)) => {
                state.left_alone_until = None;
                if state.idle.len() < IDLE_CONNECTIONS {
                    state.idle.push(connection);
                }
                Some(answer)
            }
            Err(error) => {
                if state.left_alone_until.is_none() {
                    tracing::warn!(kind = ?error.kind(), "Redis does not respond: continuing without it");
                }
                state.idle.clear();
                state.left_alone_until = Some(Instant::now() + PAUSE);
                None
            }
        }
    }
}

impl SharedCache for RedisCache {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.ask(|redis| redis::cmd("GET").arg(key).query::<Option<Vec<u8>>>(redis))
            .flatten()
    }

    fn set(&self, key: &str, value: &[u8], seconds: u64) {
        self.ask(|redis| {
            redis::cmd("SET")
                .arg(key)
                .arg(value)
                .arg("EX")
                .arg(seconds)
                .exec(redis)
        });
    }

    fn remove(&self, prefix: &str) -> Option<u64> {
        // Ids are letters, digits, `-` and `_`, so a prefix is no pattern.
        let pattern = format!("{prefix}*");
        let mut cursor = 0_u64;
        let mut removed = 0;
        loop {
            let (next, keys): (u64, Vec<Vec<u8>>) = self.ask(|redis| {
                redis::cmd("SCAN")
                    .arg(cursor)
                    .arg("MATCH")
                    .arg(&pattern)
                    .arg("COUNT")
                    .arg(STEP)
                    .query(redis)
            })?;
            if !keys.is_empty() {
                removed += self.ask(|redis| redis::cmd("DEL").arg(&keys).query::<u64>(redis))?;
            }
            if next == 0 {
                return Some(removed);
            }
            cursor = next;
        }
    }

    fn ping(&self) -> bool {
        self.ask(|redis| Ok(redis.check_connection()))
            .unwrap_or(false)
    }
}
