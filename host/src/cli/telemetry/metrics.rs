//! Metrics of a command: where they are served, pushed and written to.

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs as _},
    path::PathBuf,
    time::Duration,
};

use super::undelivered::Undelivered;
use crate::{
    cli::{
        Exit,
        outputs::Output,
        serve::{self, Server},
    },
    pipeline::spec::units::{self, UnitError},
    telemetry::{
        health::{Healths, Signal},
        metrics::{
            Metrics,
            push::{self, Gateway, NotTaken, Otlp, Pusher, Targets, Textfile},
        },
        otlp::{self, Environment, Settings},
    },
};

/// Where metrics are served unless somebody says otherwise.
const DEFAULT: &str = "127.0.0.1:8000";
/// The variable that chooses where, if no argument does.
const VARIABLE: &str = "PARSHALL_METRICS_ADDR";

/// Arguments about metrics.
#[derive(clap::Args)]
#[command(next_help_heading = "Metrics")]
pub struct Arguments {
    /// Serve /metrics, /healthz and /readyz here, or `off`; also $PARSHALL_METRICS_ADDR [default: 127.0.0.1:8000, or a free port if
    /// that is taken].
    #[arg(long, value_name = "HOST:PORT")]
    metrics_addr: Option<String>,
    /// Push to this Pushgateway when the run has ended.
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    push_gateway: Option<String>,
    /// Write to this file (*.prom) for the node exporter when the run has ended.
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::FilePath)]
    metrics_file: Option<PathBuf>,
    /// Push and write now and then as well, such as every `15s`.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    push_interval: Option<Duration>,
}

/// Metrics being served.
pub struct Running {
    metrics: Metrics,
    server: Option<Server>,
    pusher: Option<Pusher>,
}

impl Arguments {
    /// Files that are written.
    pub fn outputs(&self) -> Option<Output<'_>> {
        self.metrics_file.as_deref().map(|path| ("--metrics-file", path))
    }
}

/// Starts serving and pushing.
pub fn start(arguments: &Arguments, healths: &Healths) -> Result<Running, Exit> {
    let environment = Environment::process();
    let metrics = Metrics::new(healths);
    let targets = targets(arguments, &environment)?;
    let argument = arguments.metrics_addr.as_deref().map(|addr| ("--metrics-addr", addr));
    let chosen = argument.or_else(|| environment.get(VARIABLE).map(|addr| (VARIABLE, addr)));
    let listener = listen(chosen)?;
    let serve = |listener| Server::start(listener, "metrics", serve::metrics::router(metrics.clone()));
    let server = listener.map(serve).transpose().map_err(anyhow::Error::from)?;
    if let Some(server) = &server {
        tracing::info!("metrics are at http://{}/metrics", server.addr);
    }
    let pusher = (!targets.is_empty()).then(|| targets.start(metrics.clone(), healths.clone()));
    Ok(Running { metrics, server, pusher: pusher.transpose().map_err(anyhow::Error::from)? })
}

/// The default may be taken, by another run most likely, and that is no reason not to run. What somebody chose is another matter: who
/// scrapes there would scrape something else.
fn listen(chosen: Option<(&str, &str)>) -> Result<Option<TcpListener>, Exit> {
    match chosen.map(|(from, addr)| (from, addr.trim())) {
        Some((_, off)) if off.eq_ignore_ascii_case("off") => Ok(None),
        Some((from, addr)) if !addr.is_empty() => {
            let host = addr.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            if host.is_none() {
                return Err(Exit::Wrong(format!("`{from}` is `{addr}`: expected HOST:PORT, such as `{DEFAULT}`, or `off`")));
            }
            let cannot =
                |error: std::io::Error| Exit::Wrong(format!("metrics cannot be served at `{addr}` (`{from}`): {error}{}", hint(&error)));
            let addrs: Vec<SocketAddr> = addr.to_socket_addrs().map_err(cannot)?.collect();
            TcpListener::bind(&addrs[..]).map(Some).map_err(cannot)
        }
        _ => match TcpListener::bind(DEFAULT) {
            Ok(listener) => Ok(Some(listener)),
            Err(error) => Ok(elsewhere(&error)),
        },
    }
}

fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => "; `--metrics-addr 127.0.0.1:0` picks a free port, `--metrics-addr off` serves none",
        _ => "",
    }
}

fn elsewhere(error: &std::io::Error) -> Option<TcpListener> {
    match TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr().map(|addr| (listener, addr))) {
        Ok((listener, addr)) => {
            tracing::warn!("metrics are at http://{addr}/metrics, because {DEFAULT} cannot be had ({error}); --metrics-addr chooses one");
            Some(listener)
        }
        Err(error) => {
            tracing::warn!("metrics are not served: {error}");
            None
        }
    }
}

fn targets(arguments: &Arguments, environment: &Environment) -> Result<Targets, Exit> {
    let gateway = arguments.push_gateway.as_deref().map(Gateway::new).transpose().map_err(wrong)?;
    let textfile = arguments.metrics_file.as_deref().map(Textfile::new).transpose().map_err(wrong)?;
    if arguments.push_interval.is_some() && gateway.is_none() && textfile.is_none() {
        return Err(Exit::Wrong("`--push-interval` without `--push-gateway` or `--metrics-file` pushes nothing".into()));
    }
    let otlp = match Settings::read(Signal::Metrics, environment).map_err(wrong)? {
        Some(settings) => {
            let resource = otlp::resource(environment).map_err(wrong)?;
            let every = push::interval(environment).map_err(wrong)?;
            Some(Otlp::new(settings, resource, every).map_err(wrong)?)
        }
        None => None,
    };
    Ok(Targets { gateway, textfile, otlp, every: arguments.push_interval })
}

/// Pushing more often than this costs more than it tells.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

fn interval(text: &str) -> Result<Duration, String> {
    let time = units::time(text).map_err(|error| match &error {
        UnitError::NoUnit { example, .. } => format!("{error}; such as `{example}`"),
        _ => format!("{error}; expected a time such as `15s`"),
    })?;
    if time < LEAST_INTERVAL { Err("at least `100ms`, such as `15s`".into()) } else { Ok(time) }
}

fn wrong(error: impl std::error::Error) -> Exit {
    Exit::Wrong(error.to_string())
}

impl Running {
    /// The layer for the observer.
    pub fn layer(&self) -> Option<Metrics> {
        // Where nobody can see them, nothing is counted.
        (self.server.is_some() || self.pusher.is_some()).then(|| self.metrics.clone())
    }

    /// Pushes and writes for the last time. Answers what a collector did not take.
    pub fn finish(self, within: Duration) -> Option<Undelivered> {
        let not_taken = self.pusher.and_then(|pusher| pusher.finish(within));
        if let Some(server) = self.server {
            server.stop();
        }
        not_taken.map(|NotTaken { by, why }| Undelivered { what: "the last metrics".to_owned(), to: by, why })
    }
}
