//! The ways out of a stage, each leading to any number of queues; and how they become others while threads send.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{
    queue::{Aborted, Queue},
    settling::Part,
};
use crate::{
    pipeline::plan::PortId,
    words::{batch::RecordBatch, observe::BatchTrace},
};

/// One edge of the graph, as seen from where it begins. It closes when it is dropped.
pub struct Outlet {
    port: PortId,
    queue: Arc<Queue>,
    /// The number of that stage's input.
    input: u32,
    /// Of which of the queue's wirings it is.
    wiring: u64,
}

/// All edges that begin at a stage. Shared by its instances; when the last of them lets go, the edges are closed.
pub struct Outlets {
    /// Locked by whoever sends, one instance at a time as it is: each in its turn.
    now: Mutex<Vec<Outlet>>,
    /// There are others to come.
    asked: AtomicBool,
    next: Mutex<Option<Next>>,
}

/// What a stage's ways out shall become.
pub enum Next {
    /// These, and whoever asked is told.
    Ways(Vec<Outlet>, Part),
    /// There are none any more: an extract ends.
    End,
}

// === impl Outlet ===

impl Outlet {
    /// An edge that leads to an input of a stage by its queue, which counts it from now on.
    pub fn open(port: PortId, queue: &Arc<Queue>, input: u32) -> Self {
        Outlet { port, queue: Arc::clone(queue), input, wiring: queue.open() }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.queue.close(self.wiring);
    }
}

// === impl Outlets ===

impl Outlets {
    /// These edges.
    pub fn new(outlets: Vec<Outlet>) -> Self {
        Outlets { now: Mutex::new(outlets), asked: AtomicBool::new(false), next: Mutex::default() }
    }

    /// Whether anybody takes what leaves by a port.
    pub fn taken(&self, port: PortId) -> bool {
        lock(&self.now).iter().any(|outlet| outlet.port == port)
    }

    /// Sends a batch to everybody who takes the port. Waits where a queue is full.
    pub fn send(&self, port: PortId, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) -> Result<(), Aborted> {
        let now = lock(&self.now);
        let mut takers = now.iter().filter(|outlet| outlet.port == port);
        takers.try_for_each(|outlet| outlet.queue.push(outlet.wiring, outlet.input, Arc::clone(batch), Arc::clone(trace)))
    }

    /// Asks for other ways out. An extract sees that before its next batch, any other stage when its queue says so.
    pub fn ask(&self, next: Next) {
        *lock(&self.next) = Some(next);
        self.asked.store(true, Relaxed);
    }

    /// Whether others are asked for. Costs a relaxed load.
    pub fn asked(&self) -> bool {
        self.asked.load(Relaxed)
    }

    /// Goes over to the ways out that were asked for, in the turn of whoever calls; the old edges close. Answers whether there are any.
    pub fn turn(&self) -> bool {
        let next = lock(&self.next).take();
        self.asked.store(false, Relaxed);
        let (ways, part) = match next {
            Some(Next::Ways(ways, part)) => (ways, part),
            Some(Next::End) => return false,
            None => return true,
        };
        // Where the lock is free, nobody is sending by the old edges.
        let old = std::mem::replace(&mut *lock(&self.now), ways);
        drop(old);
        drop(part);
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
