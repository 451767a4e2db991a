//! The shared state of all handlers.

use crate::config::Config;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::log::LogWriter;
use crate::rate::RateLimits;
use crate::threads::Threads;
use crate::tokens::TokenVerifier;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use vitalcast::{Clock, Engine, EngineError, JobRunner, PooledFits};

/// Writers that may wait for a common commit.
const WRITERS: usize = 64;
/// Bodies smaller than this take no room of those below.
const SMALL_BODY: usize = 4 << 10;
/// Bytes of all larger bodies that are held at once.
const HELD_BYTES: usize = 256 << 20;
/// Bytes of JSON whose values are held at once, some twenty times as large; at least one body.
const PARSED_BYTES: usize = 24 << 20;
/// Bytes are counted in so many.
const UNIT: usize = 1 << 10;

/// The metrics recorder and the log of the process, which are set up by the owner of the process.
#[derive(Clone, Default)]
pub struct Telemetry {
    /// The metrics for `/metrics`.
    pub metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
    /// The log, to count lost lines.
    pub log: Option<LogWriter>,
}

/// The running service.
pub(crate) struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) jobs: JobRunner,
    pub(crate) pooled_fits: PooledFits,
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) tokens: Option<TokenVerifier>,
    pub(crate) rates: RateLimits,
    pub(crate) telemetry: Telemetry,
    /// Whether everyone who reaches the listener is on this machine.
    pub(crate) on_loopback: bool,
    /// Stopping: not ready for new work.
    pub(crate) draining: watch::Sender<bool>,
    pub(crate) threads: Threads,
    computing: Gate,
    writing: Gate,
    quick: Gate,
    health: Gate,
    /// Room for bodies that are read, and for their values, in units.
    held: Arc<Semaphore>,
    parsed: Arc<Semaphore>,
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

impl App {
    pub(crate) fn new(
        engine: Arc<Engine>,
        jobs: JobRunner,
        config: Config,
        clock: Clock,
        tokens: Option<TokenVerifier>,
        telemetry: Telemetry,
        on_loopback: bool,
    ) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let computing = match config.limits.computing {
            // With fewer, refusing takes the processors from computing when there is far too much to do.
            0 => 4 * processors,
            count => count,
        };
        // At least one body of the largest.
        let largest = config.limits.ingest_bytes.max(config.limits.body_bytes);
        let largest = units(usize::try_from(largest).unwrap_or(usize::MAX));
        let room = |bytes: usize| {
            let units = largest.clamp(units(bytes), Semaphore::MAX_PERMITS);
            Arc::new(Semaphore::new(units))
        };
        let threads = Threads::new();
        Self {
            pooled_fits: PooledFits::new(
                Arc::clone(&engine),
                Arc::clone(&clock),
                config.jobs.threads(),
            ),
            engine,
            jobs,
            clock,
            tokens,
            rates: RateLimits::new(&config.limits),
            telemetry,
            on_loopback,
            draining: watch::Sender::new(false),
            computing: Gate::new(&threads, computing, config.limits.waiting),
            writing: Gate::new(&threads, WRITERS, config.limits.waiting.max(WRITERS)),
            quick: Gate::new(&threads, 16, 4 * config.limits.waiting.max(WRITERS)),
            // Two at a time, and nobody is turned away: an orchestrator that hears "overloaded" here
            // would restart what is only busy.
            health: Gate::new(&threads, 2, usize::MAX),
            held: room(HELD_BYTES),
            parsed: room(PARSED_BYTES),
            threads,
            config,
        }
    }

    /// Room for more bytes of a body that holds some already: nobody waits for it, since what waits
    /// holds room itself.
    pub(crate) fn room_for_bytes(
        &self,
        held: usize,
        more: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        let whole = held + more;
        if whole <= SMALL_BODY {
            return Ok(None);
        }
        let had = if held <= SMALL_BODY { 0 } else { units(held) };
        let permits = u32::try_from(units(whole) - had).unwrap_or(u32::MAX);
        if permits == 0 {
            return Ok(None);
        }
        match Arc::clone(&self.held).try_acquire_many_owned(permits) {
            Ok(permit) => Ok(Some(permit)),
            Err(_) => {
                metrics::counter!("vitalcast_overloaded_total").increment(1);
                Err(ApiError::overloaded())
            }
        }
    }

    /// Room for the values of so many bytes of JSON, once there is.
    pub(crate) async fn room_to_parse(
        &self,
        bytes: usize,
    ) -> Result<Option<OwnedSemaphorePermit>, ApiError> {
        if bytes <= SMALL_BODY {
            return Ok(None);
        }
        let permits = u32::try_from(units(bytes)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.parsed).acquire_many_owned(permits).await;
        room.map(Some).map_err(|_| ApiError::overloaded())
    }

    /// The present moment.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        (self.clock)()
    }

    async fn through<T: Send + 'static>(
        &self,
        gate: &Gate,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let engine = Arc::clone(&self.engine);
        gate.run(move || work(&engine)).await
    }

    /// Something that computes.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.through(&self.computing, work).await
    }

    /// Something that writes and may share its commit with others.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.through(&self.writing, work).await
    }

    /// A look at the database.
    pub(crate) async fn quick<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.through(&self.quick, work).await
    }

    /// A look at how the service is, beside whatever else goes on.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.through(&self.health, work).await
    }

    /// A look at the queue of jobs, or a change of it.
    pub(crate) async fn with_jobs<T: Send + 'static>(
        &self,
        work: impl FnOnce(&JobRunner) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let jobs = self.jobs.clone();
        self.quick(move |_| work(&jobs)).await
    }

    /// Whether requests need a key: always, but while there is none and only this machine can ask.
    pub(crate) async fn needs_key(&self) -> Result<bool, ApiError> {
        if self.tokens.is_some() || !self.on_loopback {
            return Ok(true);
        }
        match self.engine.has_keys_at_once() {
            Some(known) => Ok(known),
            None => self.quick(Engine::has_keys).await,
        }
    }
}
