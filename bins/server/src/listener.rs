//! Start of the service, its listeners, and graceful shutdown.

use crate::app::{App, Telemetry};
use crate::config::{Config, Limits};
use crate::guard::Guard;
use crate::redis_cache::RedisCache;
use crate::router::{admin_router, public_router};
use crate::tls::tls_config;
use crate::tokens::TokenVerifier;
use anyhow::{Context, bail};
use axum::Router;
use axum_server::Handle;
use chrono::TimeDelta;
use hyper_util::rt::TokioTimer;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsAcceptor;
use vitalcast::{CacheOptions, Clock, Engine, JobOptions, JobRunner};

/// How often forecasts that were answered are written down.
const FLUSH: Duration = Duration::from_millis(50);
/// After how long writing them down is tried again when it failed.
const FLUSH_AGAIN: Duration = Duration::from_secs(2);
/// How often measured times are summed up and memory is given back.
const TIDY: Duration = Duration::from_secs(5);
/// Bytes that the allocator takes from the system and gives back by themselves.
const LARGE: usize = 32 << 20;
/// Connections of the admin listener at once.
const ADMIN_CONNECTIONS: usize = 64;

/// An opened service that is ready to run.
pub struct Server {
    app: Arc<App>,
    public: TcpListener,
    admin: Option<TcpListener>,
    tls: Option<TlsAcceptor>,
}

/// A service that answers requests until it is stopped.
pub type Running<'s> = Pin<Box<dyn Future<Output = anyhow::Result<()>> + Send + 's>>;

/// The handle of a running service: its addresses, and how to stop it.
#[derive(Clone)]
pub struct ServerHandle {
    app: Arc<App>,
    handles: Vec<Handle<SocketAddr>>,
    /// The address of the service.
    pub address: SocketAddr,
    /// The address of the admin listener.
    pub admin_address: Option<SocketAddr>,
}

impl ServerHandle {
    /// Begins to stop: not ready any more, no new connections; event streams end, other requests under
    /// way are answered.
    pub fn stop(&self) {
        self.app.draining.send_replace(true);
        let patience = Duration::from_secs(self.app.config.shutdown_seconds);
        for handle in &self.handles {
            handle.graceful_shutdown(Some(patience));
        }
    }

    /// Stops immediately.
    pub fn stop_now(&self) {
        for handle in &self.handles {
            handle.shutdown();
        }
    }
}

fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .with_context(|| format!("cannot listen on {address} ({setting}): is it in use?"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

impl Server {
    /// Reads every file that a configuration names, as the start of the service would.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or holds something else, with the setting's name.
    pub fn check_files(config: &Config) -> anyhow::Result<()> {
        tls_config(&config.tls)?;
        config
            .auth
            .jwt
            .as_ref()
            .map(TokenVerifier::new)
            .transpose()?;
        if let Some(address) = config.redis_url()? {
            RedisCache::new(&address)?;
        }
        Ok(())
    }

    /// Opens the data folder and the listeners.
    ///
    /// # Errors
    ///
    /// A folder that cannot be opened or is in use by another server, an address that is taken, an
    /// address that others can reach while there is no key, a certificate or key that cannot be
    /// read.
    pub async fn open(config: Config, clock: Clock, telemetry: Telemetry) -> anyhow::Result<Self> {
        // Opening waits for the disk.
        tokio::task::spawn_blocking(move || Self::open_blocking(config, clock, telemetry)).await?
    }

    fn open_blocking(config: Config, clock: Clock, telemetry: Telemetry) -> anyhow::Result<Self> {
        let public = bind(config.listen, "listen")?;
        let admin = config
            .admin_listen
            .map(|address| bind(address, "admin_listen"))
            .transpose()?;
        let mut engine = Engine::open(&config.data_dir)?
            .with_cache(CacheOptions {
                answer_bytes: config.cache.answer_bytes,
                day_bytes: config.cache.day_bytes,
                model_bytes: config.cache.model_bytes,
                forecast_life: TimeDelta::seconds(config.cache.prediction_seconds),
                feature_life: TimeDelta::seconds(config.cache.feature_seconds),
            })
            .with_deferred_forecasts();
        if let Some(url) = config.redis_url()? {
            engine = engine.with_shared_cache(Box::new(RedisCache::new(&url)?));
        }
        let tokens = config
            .auth
            .jwt
            .as_ref()
            .map(TokenVerifier::new)
            .transpose()?;
        let others = |address: &SocketAddr| !address.ip().is_loopback();
        let is_open_to_others =
            others(&config.listen) || config.admin_listen.as_ref().is_some_and(others);
        if is_open_to_others && tokens.is_none() && !engine.has_keys()? {
            bail!(
                "there is no API key yet, so everyone who can reach {} could read all data: create \
                 a key with `vitalcast keys create`, or listen on 127.0.0.1",
                config.listen
            );
        }
        let tls = tls_config(&config.tls)?;
        let engine = Arc::new(engine);
        let jobs = JobRunner::start(
            Arc::clone(&engine),
            JobOptions {
                parallel: config.jobs.parallel,
                threads_per_job: config.jobs.threads(),
                max_waiting: config.jobs.max_waiting,
                max_waiting_per_user: config.jobs.max_waiting_per_user,
                max_estimated_seconds: config.jobs.max_estimated_seconds,
                max_seconds: config.jobs.max_seconds,
                keep_uploads: chrono::TimeDelta::hours(i64::from(config.jobs.upload_hours)),
            },
            Arc::clone(&clock),
        )?;
        let app = App::new(
            engine,
            jobs,
            config,
            clock,
            tokens,
            telemetry,
            !is_open_to_others,
        );
        Ok(Self {
            app: Arc::new(app),
            public,
            admin,
            tls,
        })
    }

    /// The handle of the service: its addresses, and how to stop it.
    ///
    /// # Errors
    ///
    /// A listener that has no address.
    pub fn handle(&self) -> anyhow::Result<ServerHandle> {
        let admin_address = match &self.admin {
            Some(listener) => Some(listener.local_addr()?),
            None => None,
        };
        Ok(ServerHandle {
            app: Arc::clone(&self.app),
            handles: vec![Handle::new(), Handle::new()],
            address: self.public.local_addr()?,
            admin_address,
        })
    }

    /// Answers requests until it is stopped; then finishes those under way, hands running jobs back
    /// to the queue, and closes the folder.
    ///
    /// # Errors
    ///
    /// A listener that fails.
    pub fn run(self, handle: &ServerHandle) -> Running<'_> {
        // Boxed here, all of HTTP is compiled with this crate, beside its other parts, and not with
        // the program, after them.
        Box::pin(self.run_until_stopped(handle))
    }

    async fn run_until_stopped(self, handle: &ServerHandle) -> anyhow::Result<()> {
        let app = self.app;
        let flushing = tokio::spawn(flush_forecasts(Arc::clone(&app)));
        let tidying = tokio::spawn(tidy(app.telemetry.clone()));
        let reading_keys = tokio::spawn(refresh_keys(Arc::clone(&app)));
        let public = serve(
            self.public,
            self.tls.clone(),
            public_router(Arc::clone(&app)),
            handle.handles[0].clone(),
            &app.config.limits,
            app.config.limits.connections,
        );
        let admin = async {
            match self.admin {
                Some(listener) => {
                    let router = admin_router(Arc::clone(&app));
                    serve(
                        listener,
                        self.tls,
                        router,
                        handle.handles[1].clone(),
                        &app.config.limits,
                        ADMIN_CONNECTIONS,
                    )
                    .await
                }
                None => Ok(()),
            }
        };
        let served = tokio::try_join!(public, admin);
        flushing.abort();
        tidying.abort();
        reading_keys.abort();
        let jobs = app.jobs.clone();
        let engine = Arc::clone(&app.engine);
        let threads = app.threads.clone();
        app.pooled_fits.stop();
        tokio::task::spawn_blocking(move || {
            jobs.stop();
            // What clients have asked for that are gone.
            threads.finish();
            engine.flush_forecasts()
        })
        .await??;
        served?;
        Ok(())
    }
}

async fn flush_forecasts(app: Arc<App>) {
    let mut was_written = true;
    loop {
        tokio::time::sleep(if was_written { FLUSH } else { FLUSH_AGAIN }).await;
        let engine = Arc::clone(&app.engine);
        let flushed = tokio::task::spawn_blocking(move || engine.flush_forecasts()).await;
        let failure = flushed.ok().and_then(Result::err);
        // A full disk is told of once, not twenty times a second.
        if let Some(error) = failure.as_ref().filter(|_| was_written) {
            tracing::warn!(
                code = error.code(),
                "cannot write forecasts; the last 10,000 are kept in memory until writing works \
                 again"
            );
        }
        was_written = failure.is_none();
    }
}

/// Sums up what was measured, and gives memory back that is not used any more.
async fn tidy(telemetry: Telemetry) {
    let mut ticks = tokio::time::interval(TIDY);
    loop {
        ticks.tick().await;
        // Where nobody asks for `/metrics`, every request's time would be kept.
        if let Some(metrics) = &telemetry.metrics {
            metrics.run_upkeep();
        }
        // The allocator gives pages back some time after they were freed, with the next large thing
        // that is freed; after a training there may be none for hours. This one is never touched, so
        // it costs no memory.
        drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
    }
}

/// Reads the issuer's keys, now and again.
async fn refresh_keys(app: Arc<App>) {
    let Some(tokens) = &app.tokens else {
        return;
    };
    loop {
        tokens.refresh().await;
        tokio::time::sleep(tokens.refresh_every()).await;
    }
}

async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    handle: Handle<SocketAddr>,
    limits: &Limits,
    connections: usize,
) -> anyhow::Result<()> {
    let patience = Duration::from_secs(limits.header_seconds);
    let mut server = axum_server::from_tcp(listener)?
        .acceptor(Guard::new(connections, limits, tls))
        .first_request_timeout(patience)
        .handle(handle);
    limit_headers(server.http_builder(), patience);
    server.serve(router.into_make_service()).await?;
    Ok(())
}

/// Without a timer hyper waits for headers for ever.
fn limit_headers(
    builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
    patience: Duration,
) {
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
        .max_buf_size(64 << 10);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(patience))
        .max_header_list_size(64 << 10);
}
