//! Log records by OTLP: a thread of its own takes them from the queue, expands them and sends them, and gives up when it is told.

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use opentelemetry::{
    Key, SpanId, TraceFlags, TraceId,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
};
use opentelemetry_proto::{
    tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
    transform::{common::tonic::ResourceAttributesWithSchema, logs::tonic::group_logs_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    logs::{LogBatch, SdkLogRecord, SdkLogger, SdkLoggerProvider},
};
use prost::Message as _;
use tokio::{sync::watch, time};

use super::{Record, layer, queue::Queue};
use crate::{
    telemetry::{
        health::{Failed, Health, Healths, Signal, counted},
        otlp::{self, Environment, Sender, Settings, Unsent, WrongVariable},
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
    /// Of how many.
    pub all: u64,
    /// Why the last export failed, if one did.
    pub why: Option<String>,
}

/// Log records on their way out. Whoever drops it flushes first.
pub struct Exporter {
    queue: Arc<Queue>,
    until: watch::Sender<Option<Instant>>,
    /// Tells what is under way that the end has come.
    closing: watch::Sender<bool>,
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
        let closing = watch::Sender::new(false);
        let queue = Arc::new(Queue::new(limits.queue, limits.batch, healths.clone()));
        let (until, told) = watch::channel(None);
        let (ending, ended) = mpsc::channel();
        let why = Arc::default();
        let sending = Sending {
            queue: Arc::clone(&queue),
            healths: healths.clone(),
            to: settings.collector(),
            resource: (&resource).into(),
            why: Arc::clone(&why),
            until: told,
            closing: closing.subscribe(),
            delay: limits.delay,
        };
        thread::Builder::new().name("export logs".into()).spawn(move || {
            sending.run(settings);
            let _ = ending.send(());
        })?;
        layer::export_to(Some(Arc::clone(&queue)));
        Ok(Exporter { queue, until, closing, ended, why, deadline, finished: false })
    }

    /// Sends what waits, for so long at most. Answers what was lost, from the start.
    pub fn finish(mut self, within: Duration) -> Lost {
        self.deadline = within;
        self.flush();
        let health = self.queue.health();
        let (records, all) = (health.lost(), health.lost() + health.exported.load(Ordering::Relaxed));
        let why = self.why.lock().unwrap_or_else(PoisonError::into_inner).take();
        Lost { records, all, why }
    }

    fn flush(&mut self) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        layer::export_to(None);
        let _ = self.until.send(Some(Instant::now() + self.deadline));
        self.closing.send_replace(true);
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
    healths: Healths,
    /// The collector, as messages may name it.
    to: String,
    resource: ResourceAttributesWithSchema,
    why: Arc<Mutex<Option<String>>>,
    until: watch::Receiver<Option<Instant>>,
    closing: watch::Receiver<bool>,
    delay: Duration,
}

impl Sending {
    fn run(mut self, settings: Settings) {
        layer::quiet_thread();
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return self.failed(error.to_string()),
        };
        runtime.block_on(async {
            match Sender::new(Signal::Logs, settings) {
                Ok(sender) => self.send_all(&sender).await,
                Err(error) => self.failed(error.to_string()),
            }
        });
        // A name that is being resolved must not hold up the end.
        runtime.shutdown_background();
    }

    async fn send_all(&mut self, sender: &Sender) {
        let provider = SdkLoggerProvider::builder().build();
        let logger = provider.logger("parshall");
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
                let (count, request) = (records.len() as u64, self.request(&logger, records));
                if !self.send(sender, count, request).await {
                    return;
                }
            }
            if ending {
                return;
            }
        }
    }

    fn request(&self, logger: &SdkLogger, records: Vec<Record>) -> Vec<u8> {
        let (expanded, scope): (Vec<_>, _) = (records.into_iter().map(|record| expand(logger, record)).collect(), otlp::scope());
        let pairs: Vec<_> = expanded.iter().map(|record| (record, &scope)).collect();
        let resource_logs = group_logs_by_resource_and_scope(&LogBatch::new(&pairs), &self.resource);
        ExportLogsServiceRequest { resource_logs }.encode_to_vec()
    }

    /// Sends one batch; false when the time for it has run out.
    async fn send(&mut self, sender: &Sender, records: u64, request: Vec<u8>) -> bool {
        let started = Instant::now();
        let mut until = self.until.clone();
        let outcome = tokio::select! {
            outcome = sender.send(request.into(), self.closing.clone()) => Some(outcome),
            () = deadline(&mut until) => None,
        };
        self.queue.health().export_took(started.elapsed());
        let in_time = outcome.is_some();
        let late = || Unsent { why: "the time for the last flush ran out".into(), leave: None };
        let (lost, why) = match outcome.unwrap_or_else(|| Err(late())) {
            Err(unsent) => (records, unsent.why),
            Ok(answer) => {
                // Some answer a success with what is no protobuf: it is one nevertheless.
                let partial = ExportLogsServiceResponse::decode(answer).unwrap_or_default().partial_success.unwrap_or_default();
                let rejected = u64::try_from(partial.rejected_log_records).unwrap_or_default().min(records);
                let why = format!("it rejected {}: {}", counted(Signal::Logs, rejected), partial.error_message);
                (rejected, why.trim_end_matches(": ").to_owned())
            }
        };
        if lost == 0 {
            self.healths.delivered(Signal::Logs, &self.to, records);
            return true;
        }
        Health::add(&self.queue.health().exported, records - lost);
        let ending = *self.closing.borrow();
        self.healths.failed(Signal::Logs, Failed { to: &self.to, lost, why: &why, ending });
        self.failed(why);
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
