//! The ways out of a stage, each leading to any number of queues.

use std::sync::Arc;

use super::queue::{Aborted, Queue};
use crate::{
    pipeline::plan::PortId,
    words::{batch::RecordBatch, observe::BatchTrace},
};

/// One edge of the graph, as seen from where it begins.
pub struct Outlet {
    /// The way out it begins at.
    pub port: PortId,
    /// The queue it leads to.
    pub queue: Arc<Queue>,
    /// The number of that stage's input.
    pub input: u32,
}

/// All edges that begin at a stage. Shared by its instances; when the last of them lets go, the edges are closed.
pub struct Outlets(Vec<Outlet>);

impl Outlets {
    /// These edges.
    pub fn new(outlets: Vec<Outlet>) -> Self {
        Outlets(outlets)
    }

    /// Whether anybody takes what leaves by a port.
    pub fn taken(&self, port: PortId) -> bool {
        self.0.iter().any(|outlet| outlet.port == port)
    }

    /// Sends a batch to everybody who takes the port. Waits where a queue is full.
    pub fn send(&self, port: PortId, batch: &Arc<RecordBatch>, trace: &Arc<BatchTrace>) -> Result<(), Aborted> {
        let mut takers = self.0.iter().filter(|outlet| outlet.port == port);
        takers.try_for_each(|outlet| outlet.queue.push(outlet.input, Arc::clone(batch), Arc::clone(trace)))
    }
}

impl Drop for Outlets {
    fn drop(&mut self) {
        self.0.iter().for_each(|outlet| outlet.queue.close());
    }
}
