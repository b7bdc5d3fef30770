//! Ctrl-C while a stage is developed: the pipeline that runs is stopped, and its loads commit; the second time does not wait.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::{cli::Exit, pipeline::run::Stopper};

/// What shells say of a program that SIGINT has ended.
const INTERRUPTED: i32 = 130;

/// Whether it came.
#[derive(Clone, Default)]
pub struct Interrupt(Arc<Inside>);

#[derive(Default)]
struct Inside {
    came: AtomicBool,
    ends: Mutex<Option<Stopper>>,
}

// === impl Interrupt ===

impl Interrupt {
    /// Listens from now on.
    pub fn listen() -> Result<Self, Exit> {
        let interrupt = Interrupt::default();
        let told = interrupt.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(anyhow::Error::from)?;
        let listen = move || {
            runtime.block_on(async {
                let kinds = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
                let [Ok(mut interrupt), Ok(mut terminate)] = kinds else { return };
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if told.0.came.swap(true, Relaxed) {
                        std::process::exit(INTERRUPTED);
                    }
                    told.stop();
                }
            });
        };
        thread::Builder::new().name("signals".into()).spawn(listen).map_err(anyhow::Error::from)?;
        Ok(interrupt)
    }

    /// What runs from now on is to be stopped by it.
    pub fn ends(&self, stopper: Option<Stopper>) {
        *self.0.ends.lock().unwrap_or_else(PoisonError::into_inner) = stopper;
        if self.came() {
            self.stop();
        }
    }

    /// Whether it came.
    pub fn came(&self) -> bool {
        self.0.came.load(Relaxed)
    }

    fn stop(&self) {
        self.0.ends.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(Stopper::stop);
    }
}
