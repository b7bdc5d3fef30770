//! Signals: the first Ctrl-C (or SIGTERM, or SIGHUP of a closed terminal) finishes and commits what is in flight, the second gives
//! up, the third does not wait for anything. Once the run is over there is nothing to commit or give up: the first one then ends
//! the wait for telemetry. A SIGHUP that no closed terminal has sent may be asking for a reload instead (`live/hangup.rs`).

use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit, exit,
    live::{Hangup, Means},
};
use crate::pipeline::run::Stopper;

/// The run goes on.
const RUNNING: i32 = -1;
/// What shells say of a program that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// What is known of the run's end: the exit code that it earned.
#[derive(Clone)]
pub struct Ending(Arc<AtomicI32>);

impl Ending {
    /// The run is over, with this exit code.
    pub fn is(&self, code: u8) {
        self.0.store(code.into(), Ordering::Relaxed);
    }
}

/// Listens to signals from now on.
pub fn listen(stopper: Stopper, hangup: Option<Hangup>) -> Result<Ending, Exit> {
    let ending = Ending(Arc::new(AtomicI32::new(RUNNING)));
    let told = ending.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
    let listen = move || {
        runtime.block_on(async {
            let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()].map(signal);
            let [Ok(mut interrupt), Ok(mut terminate), Ok(mut hung_up)] = kinds else {
                tracing::warn!("signals cannot be listened to: Ctrl-C will end the process at once");
                return;
            };
            let mut time = 0;
            loop {
                let means = tokio::select! {
                    _ = interrupt.recv() => Means::Stop,
                    _ = terminate.recv() => Means::Stop,
                    _ = hung_up.recv() => hangup.as_ref().map_or(Means::Stop, Hangup::means),
                };
                match means {
                    Means::Stop => time += 1,
                    Means::Nothing => continue,
                    Means::Reload => {
                        hangup.iter().for_each(Hangup::reload);
                        continue;
                    }
                }
                match (told.0.load(Ordering::Relaxed), time) {
                    (RUNNING, 1) => {
                        stopper.stop();
                        exit::tell(format_args!("stopping: finishing and committing what is in flight; once more gives up"));
                    }
                    (RUNNING, 2) => {
                        stopper.abort();
                        exit::tell(format_args!("giving up: nothing that is in flight will be committed"));
                    }
                    (RUNNING, _) => std::process::exit(INTERRUPTED),
                    (code, _) => {
                        exit::tell(format_args!("the run is over; telemetry that has not left yet is lost"));
                        std::process::exit(code);
                    }
                }
            }
        });
    };
    thread::Builder::new().name("signals".into()).spawn(listen).map_err(anyhow::Error::from)?;
    Ok(ending)
}
