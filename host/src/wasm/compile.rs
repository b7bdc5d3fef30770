//! Bytes become machine code, on threads of their own, for as long as they may. Cranelift cannot be interrupted, and what a
//! function costs it is not told by its size: so time is what is bounded. A compilation that takes longer is given up: whoever
//! waited gets an error, its threads go on beside us until they are done, and their result is thrown away.
//!
//! A pool for each compilation, because one that was given up would hold the shared pool's threads, and with them everybody else. A
//! child process could be killed instead, but this is a library, too, and does not know which program it is part of.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use wasmtime::{Engine, component::Component};

use super::runtime::LoadError;

/// Compilations that were given up and still go on, at which no other one begins: each keeps all cores busy.
const MOST_GIVEN_UP: usize = 4;

static GIVEN_UP: AtomicUsize = AtomicUsize::new(0);

/// Compiles a component, or gives it up after this time.
pub fn within(engine: &Engine, bytes: &[u8], limit: Duration) -> Result<Component, LoadError> {
    let given_up = GIVEN_UP.load(Ordering::SeqCst);
    if given_up >= MOST_GIVEN_UP {
        let why = format!("{given_up} compilations that were given up for limit `compile_time` still go on; try again when they are done");
        return Err(LoadError::Busy(why));
    }
    let (done, result) = mpsc::channel();
    let parting = Arc::new(AtomicBool::new(false));
    let (engine, bytes, end): (_, Arc<[u8]>, _) = (engine.clone(), bytes.into(), End(Arc::clone(&parting)));
    let compile = move || {
        let compiled = pool().map(|pool| pool.install(|| Component::from_binary(&engine, &bytes)));
        let compiled = compiled.and_then(|compiled| compiled.map_err(|error| LoadError::Invalid(format!("{error:#}"))));
        // Nobody listens any more where it was given up.
        let _ = done.send(compiled);
        drop(end);
    };
    let spawned = thread::Builder::new().name("parshall-compile".into()).spawn(compile);
    spawned.map_err(|error| LoadError::Busy(format!("no thread for it: {error}")))?;
    let compiled = match result.recv_timeout(limit) {
        Err(RecvTimeoutError::Timeout) => {
            GIVEN_UP.fetch_add(1, Ordering::SeqCst);
            if !parting.swap(true, Ordering::SeqCst) {
                let amounts = format!("it is not done after {limit:?}, and no more is allowed");
                return Err(LoadError::Limit { limit: "compile_time", amounts });
            }
            // It ended between the two, so the result is there.
            GIVEN_UP.fetch_sub(1, Ordering::SeqCst);
            result.try_recv().ok()
        }
        received => received.ok(),
    };
    compiled.unwrap_or_else(|| Err(LoadError::Invalid("the compiler gave up on it".into())))
}

/// The end of a compilation, well or not. Whoever of the two comes second knows whether it was given up.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        if self.0.swap(true, Ordering::SeqCst) {
            GIVEN_UP.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

fn pool() -> Result<rayon::ThreadPool, LoadError> {
    let pool = rayon::ThreadPoolBuilder::new().thread_name(|_| "parshall-compile".into()).build();
    pool.map_err(|error| LoadError::Busy(format!("no threads for it: {error}")))
}
