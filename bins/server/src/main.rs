//! The `vitalcast-server` command.

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Parser, Subcommand};
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use vitalcast::{Clock, EngineError, ErrorKind};
use vitalcast_server::{Config, LogWriter, Overrides, Server, Telemetry, documents, healthcheck};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Forecasts of tomorrow's resting heart rate, HRV, sleep and recovery, over HTTP.
///
/// Not a medical device.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 ok, 1 failure, 2 usage or configuration, 6 data folder in use, \
                  7 unavailable"
)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Settings {
    /// Data folder [default: the platform's folder for application data]
    #[arg(long, global = true, value_name = "DIR", env = "VITALCAST_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Address of the API [default: 127.0.0.1:8001]
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Address of the admin API (metrics and keys), "" to turn it off [default: 127.0.0.1:8002]
    #[arg(long, global = true, value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// A configuration file (TOML)
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "VITALCAST_SERVER_CONFIG_FILE"
    )]
    config: Option<PathBuf>,
    /// Time to start from, for repeatable runs [default: the system clock]
    #[arg(long, global = true, value_name = "RFC3339", env = "VITALCAST_NOW")]
    now: Option<DateTime<Utc>>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check or print the configuration
    Config {
        #[command(subcommand)]
        what: ConfigCommand,
    },
    /// Print the OpenAPI document
    Openapi {
        /// Print the document of the admin API
        #[arg(long)]
        admin: bool,
    },
    /// Ask a running service whether it is ready (for container health checks)
    Healthcheck,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the configuration and the files it names
    Check,
    /// Print it as JSON, without secrets
    Show,
}

/// An invalid configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0:#}")]
struct Unusable(anyhow::Error);

fn main() -> ExitCode {
    #[cfg(target_os = "linux")]
    use_small_pages();
    let cli = Cli::parse();
    let mut log = match LogWriter::start() {
        Ok(log) => log,
        Err(_) => return ExitCode::FAILURE,
    };
    let code = match run(cli, &log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(log, "error: {error:#}");
            code_of(&error)
        }
    };
    log.flush();
    code
}

/// The allocator asks for pages of 2 MiB. Threads that serve requests use little of each, and there are
/// a hundred of them: the process would hold three times the memory that it uses.
#[cfg(target_os = "linux")]
fn use_small_pages() {
    // Where that is not allowed it only costs memory.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn code_of(error: &anyhow::Error) -> ExitCode {
    if error.is::<Unusable>() {
        return ExitCode::from(2);
    }
    let Some(error) = error.downcast_ref::<EngineError>() else {
        return ExitCode::FAILURE;
    };
    match error.kind() {
        ErrorKind::Busy => ExitCode::from(6),
        ErrorKind::Unavailable => ExitCode::from(7),
        ErrorKind::NotFound
        | ErrorKind::InvalidRequest
        | ErrorKind::InvalidData
        | ErrorKind::Damaged
        | ErrorKind::NotEnoughData
        | ErrorKind::Interrupted
        | ErrorKind::Internal => ExitCode::FAILURE,
    }
}

/// Prints what was asked for. A reader that has seen enough, as `head` has, is no error.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(value)?;
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

fn run(cli: Cli, log: &LogWriter) -> anyhow::Result<()> {
    let overrides = Overrides {
        data_dir: cli.settings.data_dir.clone(),
        listen: cli.settings.listen,
        admin_listen: cli.settings.admin_listen.clone(),
    };
    let config = Config::load(cli.settings.config.as_deref(), &overrides)
        .map_err(|error| anyhow::Error::from(Unusable(error)));
    match cli.command {
        Some(Command::Openapi { admin }) => {
            let (public, private) = documents();
            print_json(if admin { &private } else { &public })
        }
        Some(Command::Config {
            what: ConfigCommand::Show,
        }) => print_json(&config?.redacted()),
        Some(Command::Config {
            what: ConfigCommand::Check,
        }) => {
            Server::check_files(&config?).map_err(Unusable)?;
            print_json(&serde_json::json!({"configuration": "ok"}))
        }
        Some(Command::Healthcheck) => healthcheck(&config?),
        None => serve(config?, cli.settings.now, log),
    }
}

/// The system's clock, or one that begins at a moment and goes on from there.
fn clock(begin: Option<DateTime<Utc>>) -> Clock {
    match begin {
        None => Arc::new(Utc::now),
        Some(begin) => {
            let started = Instant::now();
            Arc::new(move || {
                begin + TimeDelta::from_std(started.elapsed()).unwrap_or(TimeDelta::MAX)
            })
        }
    }
}

fn start_log(config: &Config, log: &LogWriter) {
    let level = config.log.level.parse().unwrap_or(tracing::Level::INFO);
    let events = tracing_subscriber::fmt()
        .with_max_level(level)
        // It would print what it cannot log to standard error, and panic where that fails.
        .log_internal_errors(false)
        .with_writer(log.clone());
    if config.log.format == "json" {
        events.json().flatten_event(true).init();
    } else {
        let colours = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        events.with_ansi(colours).init();
    }
    // The usual hook writes to standard error by itself, and the words of a panic may hold values.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
}

/// Files for the database, its log, models and the admin listener, beside those of connections.
#[cfg(unix)]
const OWN_FILES: usize = 160;

/// Each connection is an open file, and systems often allow a process 1,024 of them unless it asks
/// for more. Connections beyond what is to be had are refused, or the database could not open its own.
#[cfg(unix)]
fn ask_for_open_files(config: &mut Config) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let mut allowed = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: allowed.maximum,
        maximum: allowed.maximum,
    };
    if setrlimit(Resource::Nofile, most).is_ok() {
        allowed = most;
    }
    let files = allowed
        .current
        .and_then(|files| usize::try_from(files).ok())
        .unwrap_or(usize::MAX);
    let connections = files.saturating_sub(OWN_FILES).max(1);
    if config.limits.connections > connections {
        tracing::warn!(
            connections,
            "the system allows fewer open files than limits.connections requires"
        );
        config.limits.connections = connections;
    }
}

fn serve(mut config: Config, begin: Option<DateTime<Utc>>, log: &LogWriter) -> anyhow::Result<()> {
    start_log(&config, log);
    #[cfg(unix)]
    ask_for_open_files(&mut config);
    let started = Instant::now();
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_buckets(&[
            0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        ])
        .context("setting up metrics")?
        .install_recorder()
        .context("setting up metrics")?;
    let telemetry = Telemetry {
        metrics: Some(recorder),
        log: Some(log.clone()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // Memory that other threads have freed stays with an idle thread until it ends.
        .thread_keep_alive(Duration::from_secs(2))
        .build()
        .context("starting the runtime")?;
    runtime.block_on(async {
        let server = Server::open(config, clock(begin), telemetry).await?;
        let handle = server.handle()?;
        tracing::info!(
            address = %handle.address,
            admin_address = %handle
                .admin_address
                .map_or_else(String::new, |address| address.to_string()),
            milliseconds = started.elapsed().as_secs_f64() * 1e3,
            "ready"
        );
        // Only where systemd asks for it.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
        let stopping = handle.clone();
        tokio::spawn(async move {
            if signal().await.is_ok() {
                tracing::info!("stopping: finishing the requests in progress");
                let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
                stopping.stop();
                if signal().await.is_ok() {
                    tracing::warn!("stopping at once");
                    stopping.stop_now();
                }
            }
        });
        server.run(&handle).await?;
        tracing::info!("stopped");
        Ok(())
    })
}

/// The next request to stop: Ctrl-C, or what `systemctl stop` and containers send.
async fn signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            done = tokio::signal::ctrl_c() => done,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
