//! The layer that every event goes through: a line on standard error, and a record for the exporter when there is one.

use std::{
    cell::Cell,
    io::Write as _,
    sync::{Arc, PoisonError, RwLock},
};

use tracing::{Event, Subscriber};
use tracing_subscriber::{EnvFilter, Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::{CALL, RUN, Record, json, queue::Queue, text};

/// The form of what is written to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text {
        /// Whether traces and spans are named, and what people are told in other words is told again.
        ids: bool,
        /// Whether levels are coloured.
        colour: bool,
    },
    /// For machines.
    Json,
}

/// Libraries that exporters are made of: what they say is written down, and never exported by themselves.
const EXPORTERS: [&str; 9] = ["opentelemetry", "hyper", "h2", "reqwest", "rustls", "tonic", "tower", "mio", "want"];

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Where records go besides standard error: subscribers are there once a process, and so is this.
static OUTLET: RwLock<Option<Arc<Queue>>> = RwLock::new(None);

/// Nothing that this thread says from now on is exported. For threads that export: their words would never end.
pub fn quiet_thread() {
    QUIET.set(true);
}

/// Records go to this queue as well, or no longer.
pub(super) fn export_to(queue: Option<Arc<Queue>>) {
    *OUTLET.write().unwrap_or_else(PoisonError::into_inner) = queue;
}

/// Events that pass the filter are written to standard error from now on. Once a process.
pub fn install(form: Form, filter: EnvFilter) {
    // A process that embeds this one and has a subscriber keeps its own.
    let _ = tracing_subscriber::registry().with(filter).with(Lines(form)).try_init();
}

struct Lines(Form);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let record = Record::of(event);
        let line = match self.0 {
            Form::Text { ids: false, .. } if [CALL, RUN].contains(&record.target) => None,
            Form::Text { ids, colour } => Some(text::line(&record, ids, colour)),
            Form::Json => Some(json::line(&record)),
        };
        if let Some(line) = line {
            // In one piece, so that lines of several threads do not mix. Nobody is left to be told that it failed.
            let _ = std::io::stderr().lock().write_all(line.as_bytes());
        }
        if QUIET.get() || EXPORTERS.contains(&record.target.split(':').next().unwrap_or_default()) {
            return;
        }
        if let Some(queue) = &*OUTLET.read().unwrap_or_else(PoisonError::into_inner) {
            queue.push(record);
        }
    }
}
