//! Metrics that nobody comes for: pushed to a Pushgateway or by OTLP, or written to a file, now and then and at the end. A thread
//! of its own does it; a target that does not answer costs the run nothing but, at its end, the deadline.

mod convert;
mod gateway;
mod otlp;
mod textfile;

use std::{
    future::Future,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

pub use self::{
    gateway::Gateway,
    otlp::{Otlp, interval},
    textfile::Textfile,
};
use super::{Gathered, Metrics};
use crate::telemetry::{
    health::{Failed, Health, Healths, Signal},
    otlp::cause,
};

/// How long a request may take, in seconds: what a scrape may, by default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Where metrics go.
#[derive(Default)]
pub struct Targets {
    /// To a Pushgateway.
    pub gateway: Option<Gateway>,
    /// To a file.
    pub textfile: Option<Textfile>,
    /// By OTLP.
    pub otlp: Option<Otlp>,
    /// How often to the first two; at the end only, if it is not said.
    pub every: Option<Duration>,
}

/// Metrics could not be pushed.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// No connection, no answer, or none of OTLP's successes.
    #[error("{0}")]
    Unsent(String),
    /// An answer that is none of success.
    #[error("it answered {status}{}", if .said.is_empty() { String::new() } else { format!(": {said}") })]
    Refused {
        /// Of HTTP or gRPC.
        status: String,
        /// What it said, cut short.
        said: String,
    },
    /// The file could not be written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The time for it was over.
    #[error("it took too long")]
    Late,
}

/// Pushes until it is told to stop.
pub struct Pusher {
    stop: oneshot::Sender<Instant>,
    thread: JoinHandle<Option<NotTaken>>,
}

/// The collector did not take the last values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// The collector, as messages may name it.
    pub by: String,
    /// Why.
    pub why: String,
}

/// What is due.
#[derive(Clone, Copy)]
struct Due {
    /// The Pushgateway and the file.
    push: bool,
    /// OTLP.
    export: bool,
    /// There is no next time: what is not told now is lost.
    last: bool,
}

/// A target, and whether its failure has been told.
struct Told<'a> {
    target: &'a str,
    healths: &'a Healths,
    /// Whether it is a collector, of which others tell, too.
    collector: bool,
    told: bool,
    /// Why the last push failed.
    why: Option<String>,
}

impl Targets {
    /// Whether there is nowhere to push to.
    pub fn is_empty(&self) -> bool {
        self.gateway.is_none() && self.textfile.is_none() && self.otlp.is_none()
    }

    /// Begins to push.
    pub fn start(self, metrics: Metrics, healths: Healths) -> std::io::Result<Pusher> {
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let work = move || {
            let not_taken = runtime.block_on(self.work(&metrics, &healths, stopped));
            // A name that is being looked up cannot be given up, and is not waited for.
            runtime.shutdown_background();
            not_taken
        };
        Ok(Pusher { stop, thread: thread::Builder::new().name("metrics push".into()).spawn(work)? })
    }

    async fn work(self, metrics: &Metrics, healths: &Healths, mut stopped: oneshot::Receiver<Instant>) -> Option<NotTaken> {
        let names =
            [self.gateway.as_ref().map(Gateway::name), self.textfile.as_ref().map(Textfile::name), self.otlp.as_ref().map(Otlp::name)];
        let mut told = names.each_ref().map(|target| Told {
            target: target.as_deref().unwrap_or_default(),
            healths,
            collector: false,
            told: false,
            why: None,
        });
        told[2].collector = true;
        let otlp_every = self.otlp.as_ref().map(|otlp| otlp.every);
        let (mut pushed, mut exported) = (Instant::now(), Instant::now());
        let deadline = loop {
            let next = [self.every.map(|every| pushed + every), otlp_every.map(|every| exported + every)].into_iter().flatten().min();
            // Without an interval there is only the end to wait for.
            let pause = next.map_or(Duration::from_secs(86_400), |next| next.saturating_duration_since(Instant::now()));
            tokio::select! {
                biased;
                deadline = &mut stopped => break deadline,
                () = tokio::time::sleep(pause) => {}
            }
            let now = Instant::now();
            let push = self.every.is_some_and(|every| now >= pushed + every);
            let export = otlp_every.is_some_and(|every| now >= exported + every);
            let due = Due { push, export, last: false };
            let gathered = metrics.gather();
            tokio::select! {
                biased;
                deadline = &mut stopped => break deadline,
                () = self.push(&gathered, metrics, due, &mut told, TIMEOUT) => {}
            }
            pushed = if push { now } else { pushed };
            exported = if export { now } else { exported };
        };
        let left = deadline.map_or(TIMEOUT, |deadline| deadline.saturating_duration_since(Instant::now()));
        let due = Due { push: true, export: true, last: true };
        self.push(&metrics.gather(), metrics, due, &mut told, left).await;
        let [.., by_otlp] = &mut told;
        by_otlp.why.take().map(|why| NotTaken { by: by_otlp.target.to_owned(), why })
    }

    /// To all targets at once, so that none waits for another.
    async fn push(&self, gathered: &Gathered, metrics: &Metrics, due: Due, told: &mut [Told<'_>; 3], limit: Duration) {
        let pipeline = metrics.pipeline().unwrap_or_else(|| "none".into());
        let [by_gateway, by_file, by_otlp] = told;
        let gateway = async {
            if let Some(gateway) = self.gateway.as_ref().filter(|_| due.push) {
                by_gateway.watch(gathered, due, limit, gateway.push(gathered, &pipeline)).await;
            }
        };
        let textfile = async {
            if let Some(textfile) = self.textfile.as_ref().filter(|_| due.push) {
                by_file.watch(gathered, due, limit, async { textfile.write(gathered, &pipeline) }).await;
            }
        };
        let otlp = async {
            if let Some(otlp) = self.otlp.as_ref().filter(|_| due.export) {
                by_otlp.watch(gathered, due, limit, otlp.export(gathered, due.last)).await;
            }
        };
        tokio::join!(gateway, textfile, otlp);
    }
}

impl Told<'_> {
    /// Awaits a push, counts how it went, and tells of the first failure.
    async fn watch(&mut self, gathered: &Gathered, due: Due, limit: Duration, push: impl Future<Output = Result<(), PushError>>) {
        let began = Instant::now();
        let result = tokio::time::timeout(limit, push).await.unwrap_or(Err(PushError::Late));
        let health = self.healths.of(Signal::Metrics);
        health.export_took(began.elapsed());
        // Values are cumulative: what this push did not tell, the next one will.
        let lost = if due.last { gathered.series() } else { 0 };
        self.why = result.err().map(|error| error.to_string());
        match &self.why {
            None if self.collector => self.healths.delivered(Signal::Metrics, self.target, gathered.series()),
            None => Health::add(&health.exported, gathered.series()),
            Some(why) if self.collector => self.healths.failed(Signal::Metrics, Failed { to: self.target, lost, why, ending: due.last }),
            Some(why) => {
                Health::add(&health.failures, 1);
                Health::add(&health.dropped_failed, lost);
                if !std::mem::replace(&mut self.told, true) {
                    tracing::warn!("metrics could not be pushed to {}: {why}; the run goes on, and this is said once", self.target);
                }
            }
        }
    }
}

impl Pusher {
    /// Pushes for the last time, and waits for it until the deadline. Answers what a collector did not take.
    pub fn finish(self, deadline: Duration) -> Option<NotTaken> {
        // It has ended by itself: there is nothing to wait for.
        let _ = self.stop.send(Instant::now() + deadline);
        self.thread.join().ok().flatten()
    }
}

/// The first line of an answer, short enough for a message.
fn said(body: &str) -> String {
    body.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// What went wrong with a request.
fn unreachable(error: reqwest::Error) -> PushError {
    PushError::Unsent(cause(&error))
}
