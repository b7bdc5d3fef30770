//! Log records by OTLP: a thread of its own takes them from the queue, expands them and sends them, and gives up when it is told.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use opentelemetry::{
    InstrumentationScope, Key, SpanId, TraceFlags, TraceId,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
};
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, LogExporter as _, SdkLogRecord, SdkLogger, SdkLoggerProvider},
};
use tokio::{sync::watch, time};

use super::{Record, layer, queue::Queue};
use crate::{
    telemetry::{
        health::{Health, Healths},
        otlp::{self, Environment, Settings, WrongVariable},
    },
    words::guest_span::Value,
};

/// How much later than its deadline the exporter may be noticed to have ended, before nobody waits any longer.
const GRACE: Duration = Duration::from_millis(500);

/// How much waits, and how long: the variables `OTEL_BLRP_*`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Records that may wait: `OTEL_BLRP_MAX_QUEUE_SIZE`, 2,048.
    pub queue: usize,
    /// Records of one export: `OTEL_BLRP_MAX_EXPORT_BATCH_SIZE`, 512.
    pub batch: usize,
    /// How long a record waits for others: `OTEL_BLRP_SCHEDULE_DELAY`, 1,000 ms.
    pub delay: Duration,
}

/// Log records that were not delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// How many.
    pub records: u64,
    /// Why the last export failed, if one did.
    pub why: Option<String>,
}

/// Log records on their way out. Whoever drops it flushes first.
pub struct Exporter {
    queue: Arc<Queue>,
    until: watch::Sender<Option<Instant>>,
    ended: mpsc::Receiver<()>,
    why: Arc<Mutex<Option<String>>>,
    deadline: Duration,
    finished: bool,
}

// === impl Limits ===

impl Limits {
    /// Those that the environment sets.
    pub fn read(environment: &Environment) -> Result<Self, WrongVariable> {
        let queue = environment.number("OTEL_BLRP_MAX_QUEUE_SIZE", 2_048, 1..=1 << 20)?;
        let batch = environment.number("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 512, 1..=1 << 16)?;
        let delay = environment.number("OTEL_BLRP_SCHEDULE_DELAY", 1_000, 1..=3_600_000)?;
        Ok(Limits { queue: queue as usize, batch: batch.min(queue) as usize, delay: Duration::from_millis(delay) })
    }
}

// === impl Exporter ===

impl Exporter {
    /// Whatever is logged from now on is exported, too. `deadline` is for the last flush.
    pub fn start(settings: Settings, resource: Resource, limits: Limits, deadline: Duration, healths: &Healths) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.queue, limits.batch, healths.clone()));
        let (until, told) = watch::channel(None);
        let (ending, ended) = mpsc::channel();
        let why = Arc::default();
        let sending = Sending { queue: Arc::clone(&queue), why: Arc::clone(&why), until: told, delay: limits.delay };
        thread::Builder::new().name("export logs".into()).spawn(move || {
            sending.run(&settings, &resource);
            let _ = ending.send(());
        })?;
        layer::export_to(Some(Arc::clone(&queue)));
        Ok(Exporter { queue, until, ended, why, deadline, finished: false })
    }

    /// Sends what waits, for so long at most. Answers what was lost, from the start.
    pub fn finish(mut self, within: Duration) -> Lost {
        self.deadline = within;
        self.flush();
        let health = self.queue.health();
        let records = health.dropped_full.load(Ordering::Relaxed) + health.dropped_failed.load(Ordering::Relaxed);
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        Lost { records, why }
    }

    fn flush(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        layer::export_to(None);
        let _ = self.until.send(Some(Instant::now() + self.deadline));
        // The thread keeps the deadline; a thread that is stuck is left behind.
        let _ = self.ended.recv_timeout(self.deadline + GRACE);
        abandon(&self.queue);
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        self.flush();
    }
}

/// What still waits is lost.
fn abandon(queue: &Queue) {
    loop {
        let records = queue.take();
        if records.is_empty() {
            return;
        }
        Health::add(&queue.health().dropped_failed, records.len() as u64);
    }
}

/// The exporter's thread.
struct Sending {
    queue: Arc<Queue>,
    why: Arc<Mutex<Option<String>>>,
    until: watch::Receiver<Option<Instant>>,
    delay: Duration,
}

impl Sending {
    fn run(mut self, settings: &Settings, resource: &Resource) {
        layer::quiet_thread();
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return self.failed(error.to_string()),
        };
        runtime.block_on(async {
            match settings.log_exporter(resource) {
                Ok(exporter) => self.send_all(exporter).await,
                Err(error) => self.failed(error.to_string()),
            }
        });
        // A name that is being resolved must not hold up the end.
        runtime.shutdown_background();
    }

    async fn send_all(&mut self, exporter: opentelemetry_otlp::LogExporter) {
        let provider = SdkLoggerProvider::builder().build();
        let (logger, scope) = (provider.logger("parshall"), otlp::scope());
        loop {
            let ending = self.until.borrow().is_some();
            if !ending {
                tokio::select! {
                    () = self.queue.full_batch() => {}
                    () = time::sleep(self.delay) => {}
                    _ = self.until.changed() => {}
                }
            }
            loop {
                let records = self.queue.take();
                if records.is_empty() {
                    break;
                }
                let expanded: Vec<_> = records.into_iter().map(|record| expand(&logger, record)).collect();
                let pairs: Vec<_> = expanded.iter().map(|record| (record, &scope)).collect();
                if !self.send(&exporter, &pairs).await {
                    return;
                }
            }
            if ending {
                return;
            }
        }
    }

    /// Sends one batch; false when the time for it has run out.
    async fn send(&mut self, exporter: &opentelemetry_otlp::LogExporter, pairs: &[(&SdkLogRecord, &InstrumentationScope)]) -> bool {
        let started = Instant::now();
        let mut until = self.until.clone();
        let outcome = tokio::select! {
            outcome = exporter.export(LogBatch::new(pairs)) => Some(outcome),
            () = deadline(&mut until) => None,
        };
        let health = self.queue.health();
        health.export_took(started.elapsed());
        if let Some(Ok(())) = outcome {
            Health::add(&health.exported, pairs.len() as u64);
            return true;
        }
        Health::add(&health.failures, 1);
        Health::add(&health.dropped_failed, pairs.len() as u64);
        let in_time = outcome.is_some();
        self.failed(outcome.and_then(Result::err).map_or_else(|| "the time for the last flush ran out".into(), |error| error.to_string()));
        in_time
    }

    fn failed(&self, why: String) {
        *self.why.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }
}

/// Until the end is due; for ever as long as it is not known.
async fn deadline(until: &mut watch::Receiver<Option<Instant>>) {
    loop {
        let due = *until.borrow_and_update();
        match due {
            Some(due) => return time::sleep_until(due.into()).await,
            // The other side is gone without a word: nobody waits for what is being sent.
            None if until.changed().await.is_err() => return,
            None => {}
        }
    }
}

/// As the SDK has it; its exporters take nothing else, and only its logger makes one.
fn expand(logger: &SdkLogger, record: Record) -> SdkLogRecord {
    let mut log = logger.create_log_record();
    log.set_timestamp(record.time);
    log.set_observed_timestamp(record.time);
    log.set_severity_text(record.level.as_str());
    log.set_severity_number(match record.level {
        tracing::Level::TRACE => Severity::Trace,
        tracing::Level::DEBUG => Severity::Debug,
        tracing::Level::INFO => Severity::Info,
        tracing::Level::WARN => Severity::Warn,
        tracing::Level::ERROR => Severity::Error,
    });
    // Exporters take it for the name of the scope.
    log.set_target(record.target);
    log.set_body(AnyValue::String(record.body.into()));
    if let Some(context) = record.context {
        let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        log.set_trace_context(TraceId::from(context.trace.0.get()), SpanId::from(context.span.0.get()), Some(flags));
    }
    log.add_attributes(record.attributes.into_iter().map(|(name, value)| (Key::from(name), any(value))));
    log
}

fn any(value: Value) -> AnyValue {
    match value {
        Value::Text(text) => AnyValue::String(text.into()),
        Value::Integer(integer) => AnyValue::Int(integer),
        Value::Number(number) => AnyValue::Double(number),
        Value::Flag(flag) => AnyValue::Boolean(flag),
    }
}
